#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "core/document.h"
#include "core/opened.h"
#include "core/receipt.h"
#include "crypto/init.h"
#include "support/issue_text.h"

/*
 * tests/vectors/issue: documents that a second writer made, which shares no line with
 * ours, and edits of them with what a reader must say. The page's tests read the same
 * files.
 */
enum {
    FILE_MAX = 64 * 1024,
    EDITED_MAX = 1024 * 1024, /* the longest file of a trousseau is in one */
};

static void read_vector(const char *name, struct psn_buf *out)
{
    char path[512];
    struct psn_error err = { 0 };

    assert_true(snprintf(path, sizeof path, "%s/issue/%s", PSN_TEST_VECTORS, name) <
                (int)sizeof path);
    *out = psn_buf_init(FILE_MAX);
    assert_int_equal(psn_file_read(path, out, &err), PSN_OK);
}

static struct psn_secret *secret_of(const void *bytes, size_t size)
{
    struct psn_secret *secret = NULL;

    assert_int_equal(psn_secret_copy(bytes, size, &secret, NULL), PSN_OK);
    return secret;
}

static struct psn_opened *open_vector(const char *name)
{
    struct psn_buf file;
    struct psn_secret *text;
    struct psn_opened *opened = NULL;
    struct psn_error err = { 0 };

    read_vector(name, &file);
    text = secret_of(file.data, file.size);
    if (psn_opened_read(&text, &opened, &err))
        fail_msg("%s: %s", name, err.message);
    psn_buf_release(&file);
    return opened;
}

/* --- what is in them --- */

static void expect_block(const struct psn_opened *opened, size_t block,
                         const char *address, const char *label, const void *value,
                         size_t size)
{
    struct psn_opened_secret secret;
    struct psn_secret *found = NULL;

    assert_true(block < opened->document.count);
    assert_int_equal(
        psn_opened_block(&opened->document.blocks[block], &secret, &found, NULL), PSN_OK);
    assert_string_equal(secret.address, address);
    assert_string_equal(secret.label, label);
    assert_int_equal(psn_secret_size(found), size);
    assert_memory_equal(psn_secret_bytes(found), value, size);
    psn_secret_free(found);
}

static void one_mailbox_reads_as_the_second_writer_wrote_it(void **state)
{
    struct psn_opened *opened = open_vector("one-mailbox.txt");
    const struct psn_opened_head *head = psn_opened_head(opened);
    struct psn_opened_secret mailbox;
    struct psn_secret *value = NULL;
    struct psn_buf fingerprint;

    (void)state;
    read_vector("fingerprint", &fingerprint);
    assert_int_equal(fingerprint.size, strlen(head->issuer) + 1);
    assert_memory_equal(fingerprint.data, head->issuer, strlen(head->issuer));
    psn_buf_release(&fingerprint);
    assert_int_equal(head->serial, 1795892400000);
    assert_string_equal(head->issued_by, "Nadia Durand");
    assert_string_equal(head->reply_to, "nadia@exemple.fr");
    assert_string_equal(head->name, "Jean-Pierre Martin");
    assert_string_equal(head->reason, "refonte du site");
    assert_string_equal(head->receipt, "K7MQ2-9XWVT-A");
    assert_int_equal(head->issued_s, head->from_s);
    assert_int_equal(head->until_s, 1803855599);
    assert_int_equal(opened->document.count, 2);
    assert_int_equal(
        psn_opened_block(&opened->document.blocks[1], &mailbox, &value, NULL), PSN_OK);
    assert_string_equal(mailbox.imap, "imap.mail.ovh.net 993 SSL/TLS");
    assert_string_equal(mailbox.smtp, "smtp.mail.ovh.net 465 SSL/TLS");
    assert_string_equal(mailbox.url, "https://www.ovhcloud.com/fr/mail/");
    assert_int_equal(mailbox.version, 3);
    assert_int_equal(mailbox.proved_s - mailbox.changed_s, 8);
    psn_secret_free(value);
    expect_block(opened, 1, "technique@boulangerie-martin.fr", "",
                 "ab2cd-Ef3gH-jk4mn-Pq5rS", 23);
    psn_opened_free(opened);
}

static void several_mailboxes_keep_every_byte_of_every_value(void **state)
{
    static const struct {
        const char *address;
        const char *label;
        const char *value;
        size_t size;
    } values[] = {
#define VALUE(address, label, value) { address, label, value, sizeof(value) - 1 }
        VALUE("technique@boulangerie-martin.fr", "",
              "-----BEGIN AGE ENCRYPTED FILE-----"),
        VALUE("technique@boulangerie-martin.fr", "ftp", "Xy7pq-Rs8tu-Vw9xz-Ab2cd"),
        VALUE("technique@boulangerie-martin.fr", "ssh",
              "-----BEGIN OPENSSH PRIVATE KEY-----\nexample only, no key\n"
              "-----END OPENSSH PRIVATE KEY-----\n"),
        VALUE("technique@boulangerie-martin.fr", "cms", "hunter2\tand a tab"),
        VALUE("technique@boulangerie-martin.fr", "raw", "\0\1 zero and one"),
        VALUE("facturation@boulangerie-martin.fr", "", " blank in front"),
        VALUE("facturation@boulangerie-martin.fr", "stripe",
              "pa\xe2\x80\xa8ragraph\xe2\x80\xae"
              "esrever"),
        VALUE("facturation@boulangerie-martin.fr", "secours",
              "1111 2222\n3333 4444\n5555 6666"),
        VALUE("contact@boulangerie-martin.fr", "", "é à ü 漢字 🥖"),
        VALUE("sav@boulangerie-martin.fr", "", "<img src=x onerror=alert(1)>"),
#undef VALUE
    };
    struct psn_opened *opened = open_vector("several.txt");

    (void)state;
    assert_string_equal(psn_opened_head(opened)->reason, " blank at both ends ");
    assert_int_equal(psn_opened_head(opened)->until_s, 0);
    assert_int_equal(opened->document.count, 1 + sizeof values / sizeof *values);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        expect_block(opened, i + 1, values[i].address, values[i].label, values[i].value,
                     values[i].size);
    psn_opened_free(opened);
}

struct seen {
    size_t accounts;
    size_t files;
};

static enum psn_code see_account(void *arg, const struct psn_opened_account *account,
                                 struct psn_error *err)
{
    struct seen *seen = arg;

    (void)err;
    seen->accounts++;
    assert_string_equal(account->nic, "xm000000-ovh");
    assert_string_equal(account->panel, "https://manager.eu.ovhcloud.com/");
    assert_string_equal((const char *)psn_secret_bytes(account->domains),
                        "boulangerie-martin.fr\npain-martin.fr");
    assert_int_equal(psn_secret_size(account->fingerprint_key), 64);
    return PSN_OK;
}

static enum psn_code see_file(void *arg, const struct psn_opened_file *file,
                              struct psn_error *err)
{
    static const char *const names[] = { "bitwarden.json", "boulangerie-martin.fr.zone",
                                         "lisez-moi.txt", "vide.txt" };
    static const char *const media[] = { "application/json", "text/dns", "text/plain",
                                         "text/plain" };
    struct seen *seen = arg;

    (void)err;
    assert_true(seen->files < sizeof names / sizeof *names);
    assert_string_equal(file->name, names[seen->files]);
    assert_string_equal(file->media, media[seen->files]);
    if (seen->files == 2)
        assert_string_equal((const char *)psn_secret_bytes(file->content),
                            " Bonjour\n\nEnd: passation-issue 2\nFile: x\n| non");
    if (seen->files == 3)
        assert_int_equal(psn_secret_size(file->content), 0);
    seen->files++;
    return PSN_OK;
}

static enum psn_code count_secret(void *arg, const struct psn_opened_secret *secret,
                                  struct psn_error *err)
{
    static const char *const places[] = { "webmail", "", "", "panel", "", "webmail", "" };
    size_t *count = arg;

    (void)err;
    assert_true(*count < sizeof places / sizeof *places);
    assert_string_equal(secret->self_change, places[*count]);
    (*count)++;
    return PSN_OK;
}

static void a_trousseau_holds_the_account_the_roles_and_the_files(void **state)
{
    struct psn_opened *opened = open_vector("trousseau.txt");
    struct psn_opened *issue = open_vector("several.txt");
    struct seen seen = { 0 };
    size_t secrets = 0;

    (void)state;
    assert_int_equal(opened->document.version, 2);
    assert_int_equal(psn_opened_head(opened)->version, 2);
    assert_int_equal(psn_opened_head(issue)->version, 1);
    assert_int_equal(psn_opened_account(opened, see_account, &seen, NULL), PSN_OK);
    assert_int_equal(psn_opened_each_file(opened, see_file, &seen, NULL), PSN_OK);
    assert_int_equal(psn_opened_each(opened, count_secret, &secrets, NULL), PSN_OK);
    assert_int_equal(seen.accounts, 1);
    assert_int_equal(seen.files, 4);
    assert_int_equal(secrets, 7);
    assert_int_equal(psn_opened_account(issue, see_account, &seen, NULL), PSN_OK);
    assert_int_equal(psn_opened_each_file(issue, see_file, &seen, NULL), PSN_OK);
    assert_int_equal(seen.accounts, 1);
    psn_opened_free(issue);
    psn_opened_free(opened);
}

/* --- our writer makes the same bytes --- */

static void write_again(const struct psn_block *block, struct psn_document_writer *writer)
{
    struct psn_secret *values[PSN_DOCUMENT_FIELDS_MAX] = { 0 };
    struct psn_slice fields[PSN_DOCUMENT_FIELDS_MAX] = { 0 };

    for (size_t i = 0; i < PSN_DOCUMENT_FIELDS_MAX; i++) {
        assert_int_equal(psn_field_secret(&block->fields[i], &values[i], NULL), PSN_OK);
        fields[i] =
            (struct psn_slice){ psn_secret_bytes(values[i]), psn_secret_size(values[i]) };
    }
    issue_text_block(writer, block->kind, fields);
    for (size_t i = 0; i < PSN_DOCUMENT_FIELDS_MAX; i++)
        psn_secret_free(values[i]);
}

static void our_writer_makes_the_same_bytes_of_the_same_values(void **state)
{
    static const char *const names[] = { "one-mailbox.txt", "several.txt",
                                         "trousseau.txt" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct psn_opened *opened = open_vector(names[i]);
        struct psn_document_writer writer = { 0 };
        struct psn_secret *again = NULL;

        for (size_t k = 0; k < opened->document.count; k++)
            write_again(&opened->document.blocks[k], &writer);
        assert_int_equal(psn_document_end(&writer, &again, NULL), PSN_OK);
        assert_int_equal(psn_secret_size(again), opened->document.signed_size);
        assert_memory_equal(psn_secret_bytes(again), psn_secret_bytes(opened->text),
                            psn_secret_size(again));
        psn_secret_free(again);
        psn_opened_free(opened);
    }
}

/* --- edits, and what a reader says --- */

/* Appends the text that a word of edits.txt stands for. */
static void unfold(const char *word, struct psn_buf *out)
{
    for (const char *at = word; *at; at++) {
        const char *star = *at == '{' ? strchr(at, '*') : NULL;

        if (star) {
            char *end;
            long times = strtol(star + 1, &end, 10);

            assert_int_equal(*end, '}');
            while (times-- > 0)
                psn_buf_bytes(out, at + 1, (size_t)(star - at - 1));
            at = end;
        } else if (*at == '\\') {
            at++;
            assert_non_null(strchr("nt\\", *at));
            psn_buf_char(out, (char)(*at == 'n' ? '\n' : *at == 't' ? '\t' : '\\'));
        } else {
            psn_buf_char(out, *at);
        }
    }
}

static enum psn_code read_edited(const char *text, char *from, char *to,
                                 struct psn_error *err)
{
    struct psn_buf plain = psn_buf_init(EDITED_MAX);
    struct psn_buf edited = psn_buf_init(EDITED_MAX);
    struct psn_document document = { 0 };
    struct psn_secret *secret;
    const char *at;
    enum psn_code rc;

    unfold(from, &plain);
    at = strstr(text, psn_buf_str(&plain));
    assert_non_null(at);
    psn_buf_bytes(&edited, text, (size_t)(at - text));
    unfold(to, &edited);
    psn_buf_text(&edited, at + plain.size);
    assert_int_equal(psn_buf_check(&edited, NULL), PSN_OK);
    secret = secret_of(edited.data, edited.size);
    rc = psn_document_parse(secret, &document, err);
    assert_true(rc || document.signed_size == edited.size);
    psn_document_release(&document);
    psn_secret_free(secret);
    psn_buf_release(&edited);
    psn_buf_release(&plain);
    return rc;
}

static size_t check_edits(const char *text, char *edits)
{
    size_t wrong = 0;
    size_t tried = 0;

    for (char *line = strtok(edits, "\n"); line; line = strtok(NULL, "\n")) {
        char *to = line;
        const char *verdict = strsep(&to, "\t");
        char *from = strsep(&to, "\t");
        struct psn_error err = { 0 };
        enum psn_code rc;

        if (line[0] == '#')
            continue;
        assert_non_null(to);
        rc = read_edited(text, from, to, &err);
        tried++;
        if (rc == (strcmp(verdict, "accept") == 0 ? PSN_OK : PSN_E_INTEGRITY))
            continue;
        print_error("%s %s -> %s: %d %s\n", verdict, from, to, (int)rc, err.message);
        wrong++;
    }
    assert_int_equal(wrong, 0);
    return tried;
}

static void a_reader_takes_and_refuses_what_the_lists_say(void **state)
{
    static const struct {
        const char *document;
        const char *edits;
        size_t min;
    } lists[] = { { "several.txt", "edits.txt", 300 },
                  { "trousseau.txt", "trousseau-edits.txt", 120 } };

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct psn_opened *opened = open_vector(lists[i].document);
        struct psn_buf text = psn_buf_init(FILE_MAX);
        struct psn_buf edits;
        char *lines;

        psn_buf_bytes(&text, psn_secret_bytes(opened->text),
                      opened->document.signed_size);
        read_vector(lists[i].edits, &edits);
        lines = strdup(psn_buf_str(&edits));
        assert_non_null(lines);
        assert_true(check_edits(psn_buf_str(&text), lines) >= lists[i].min);
        free(lines);
        psn_buf_release(&edits);
        psn_buf_release(&text);
        psn_opened_free(opened);
    }
}

static void a_signature_has_one_spelling(void **state)
{
    struct psn_opened *opened = open_vector("one-mailbox.txt");
    const char *text = (const char *)psn_secret_bytes(opened->text);
    size_t size = psn_secret_size(opened->text);
    size_t tried = 0;

    (void)state;
    /* A line end more, at every place behind the signed text. */
    for (size_t at = opened->document.signed_size; at <= size; at++)
        for (const char *more = "\n\r"; *more; more++, tried++) {
            struct psn_secret *longer = NULL;
            struct psn_opened *again = NULL;

            assert_int_equal(psn_secret_new(size + 1, &longer, NULL), PSN_OK);
            assert_int_equal(psn_secret_append(longer, text, at, NULL), PSN_OK);
            assert_int_equal(psn_secret_append(longer, more, 1, NULL), PSN_OK);
            assert_int_equal(psn_secret_append(longer, text + at, size - at, NULL),
                             PSN_OK);
            assert_int_equal(psn_opened_read(&longer, &again, NULL), PSN_E_INTEGRITY);
        }
    assert_true(tried > 500);
    psn_opened_free(opened);
}

static void the_check_digits_of_the_format_are_right(void **state)
{
    static const char *const right[] = { "K7MQ2-9XWVT-A", "00000-00000-0" };
    static const char *const typed[] = { "k7mq29xwvta", "ooOOO ooooo 0" };
    static const char *const wrong[] = { "K7MQ2-9XWVT-B", "K7MQ2-9XWTV-A",
                                         "00000-00000-1" };
    char code[PSN_RECEIPT_SIZE];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(psn_receipt_normalize(right[i], code, NULL), PSN_OK);
        assert_string_equal(code, right[i]);
        assert_int_equal(psn_receipt_normalize(typed[i], code, NULL), PSN_OK);
        assert_string_equal(code, right[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(psn_receipt_normalize(wrong[i], code, NULL), PSN_E_INVALID);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_mailbox_reads_as_the_second_writer_wrote_it),
        cmocka_unit_test(several_mailboxes_keep_every_byte_of_every_value),
        cmocka_unit_test(a_trousseau_holds_the_account_the_roles_and_the_files),
        cmocka_unit_test(our_writer_makes_the_same_bytes_of_the_same_values),
        cmocka_unit_test(a_reader_takes_and_refuses_what_the_lists_say),
        cmocka_unit_test(a_signature_has_one_spelling),
        cmocka_unit_test(the_check_digits_of_the_format_are_right),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
