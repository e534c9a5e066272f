#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/document_check.h"

/* What holds between the fields of an issue, each of which is right by itself. */

enum {
    BLOCKS_MAX = 16
};

struct issue {
    struct psn_block blocks[BLOCKS_MAX];
    struct psn_document document;
};

static struct psn_field field(const char *text)
{
    return (struct psn_field){ .at = (const uint8_t *)text, .size = strlen(text) };
}

static struct psn_block *add(struct issue *issue, enum psn_block_kind kind)
{
    struct psn_block *block = &issue->blocks[issue->document.count++];

    assert_true(issue->document.count <= BLOCKS_MAX);
    *block = (struct psn_block){ .kind = kind };
    return block;
}

static void begin(struct issue *issue, const char *from, const char *until)
{
    struct psn_block *head;

    *issue = (struct issue){ .document.blocks = issue->blocks };
    head = add(issue, PSN_BLOCK_HEAD);
    head->fields[PSN_HEAD_FROM] = field(from);
    head->fields[PSN_HEAD_UNTIL] = field(until);
}

static void add_mailbox(struct issue *issue, const char *address)
{
    add(issue, PSN_BLOCK_MAILBOX)->fields[PSN_MAILBOX_ADDRESS] = field(address);
}

static void add_secret(struct issue *issue, const char *of, const char *label)
{
    struct psn_block *block = add(issue, PSN_BLOCK_SECRET);

    block->fields[PSN_SECRET_OF] = field(of);
    block->fields[PSN_SECRET_LABEL] = field(label);
}

static void add_file(struct issue *issue, const char *name)
{
    add(issue, PSN_BLOCK_FILE)->fields[PSN_FILE_BLOCK_NAME] = field(name);
}

static const char *checked(const struct issue *issue)
{
    static struct psn_error err;
    enum psn_code rc;

    err = (struct psn_error){ 0 };
    rc = psn_document_check(&issue->document, &err);
    assert_int_equal(rc, err.message[0] ? PSN_E_INTEGRITY : PSN_OK);
    return err.message;
}

#define NOON      "2026-11-28T12:00:00Z"
#define NOON_PAST "2026-11-28T12:00:01Z"

static void an_issue_ends_after_it_begins_or_not_at_all(void **state)
{
    static const struct {
        const char *from, *until;
        bool right;
    } rows[] = {
        { NOON, NOON_PAST, true }, { NOON, "none", true },     { "none", NOON, true },
        { NOON, NOON, false },     { NOON_PAST, NOON, false },
    };
    struct issue issue;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(&issue, rows[i].from, rows[i].until);
        assert_string_equal(checked(&issue),
                            rows[i].right ? "" : "the issue ends before it begins");
    }
}

/* A mailbox, its secrets and a file may share a name, and mailboxes a label. */
static void what_differs_in_anything_is_not_there_twice(void **state)
{
    struct issue issue;

    (void)state;
    begin(&issue, NOON, "none");
    add(&issue, PSN_BLOCK_ACCOUNT);
    add_mailbox(&issue, "a@b.example");
    add_secret(&issue, "a@b.example", "imap");
    add_secret(&issue, "a@b.example", "ima");
    add_secret(&issue, "a@b.example", "a@b.example");
    add_file(&issue, "a@b.example");
    add_mailbox(&issue, "c@b.example");
    add_secret(&issue, "c@b.example", "imap");
    add_file(&issue, "c");
    assert_string_equal(checked(&issue), "");
}

/* Among names that begin alike, wherever the two stand. */
static void what_is_there_twice_is_found_in_any_order(void **state)
{
    static const char *const names[] = { "abcde", "a", "abcd", "ab", "abc", "b", "aa" };
    const size_t count = sizeof names / sizeof *names;

    (void)state;
    for (size_t twice = 0; twice < count; twice++)
        for (size_t at = 0; at <= count; at++) {
            struct issue mailboxes;
            struct issue secrets;
            struct issue labels;
            struct issue files;

            begin(&mailboxes, NOON, "none");
            begin(&secrets, NOON, "none");
            begin(&labels, NOON, "none");
            begin(&files, NOON, "none");
            for (size_t i = 0; i <= count; i++) {
                const char *name = i == at ? names[twice] : names[i < at ? i : i - 1];

                add_mailbox(&mailboxes, name);
                add_secret(&secrets, name, "imap");
                add_secret(&labels, "a@b.example", name);
                add_file(&files, name);
            }
            assert_string_equal(checked(&mailboxes), "the issue holds one secret twice");
            assert_string_equal(checked(&secrets), "the issue holds one secret twice");
            assert_string_equal(checked(&labels), "the issue holds one secret twice");
            assert_string_equal(checked(&files), "the issue holds one file twice");
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issue_ends_after_it_begins_or_not_at_all),
        cmocka_unit_test(what_differs_in_anything_is_not_there_twice),
        cmocka_unit_test(what_is_there_twice_is_found_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
