#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "core/document.h"
#include "core/opened.h"
#include "crypto/init.h"
#include "support/issue_text.h"

/* Version 2 of an issue: what it has more, and what it must not have. The reader's
 * strictness has its list in tests/vectors/issue/trousseau-edits.txt. */

static struct psn_secret *write_text(const struct issue_text *issue)
{
    struct psn_secret *text = NULL;
    struct psn_error err = { 0 };

    if (issue_text_write(issue, &text, &err))
        fail_msg("%s", err.message);
    return text;
}

static void expect_refused(const struct issue_text *issue, const char *field)
{
    struct psn_secret *text = NULL;
    struct psn_error err = { 0 };

    assert_int_equal(issue_text_write(issue, &text, &err), PSN_E_INVALID);
    assert_null(text);
    assert_non_null(strstr(err.message, field));
}

static void a_trousseau_reads_as_the_format_says(void **state)
{
    static const char head[] = "Passation-Issue: 2\nSerial: 1795892400000\n";
    static const char body[] =
        "Right: own\n"
        "From: 2026-11-28T15:00:00Z\n"
        "Until: none\n"
        "Reason: refonte du site\n"
        "Receipt: 00000-00000-0\n"
        "\n"
        "Account: xm000000-ovh\n"
        "Domains:\n"
        "| martin.example\n"
        "| pain.example\n"
        "Panel: https://manager.eu.ovhcloud.com/\n"
        "Fingerprint-Key: "
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
        "\n"
        "Mailbox: contact@martin.example\n";
    static const char tail[] = "SMTP: smtp.mail.ovh.net 587 STARTTLS\n"
                               "Self-Change: webmail\n"
                               "\n"
                               "Secret: stripe\n";
    static const char file[] = "Value: sk_live_1\n"
                               "\n"
                               "File: martin.example.zone\n"
                               "Media: text/dns\n"
                               "Content:\n"
                               "| $TTL 3600\n"
                               "| @ IN MX 1 mx1.mail.ovh.net.\n"
                               "| \n"
                               "\n"
                               "Means:\n"
                               "| Ces accès sont à vous.";
    struct issue_text issue = issue_text_trousseau();
    struct psn_secret *text = write_text(&issue);
    const char *bytes = (const char *)psn_secret_bytes(text);
    struct psn_document document = { 0 };

    (void)state;
    assert_memory_equal(bytes, head, sizeof head - 1);
    assert_non_null(strstr(bytes, body));
    assert_non_null(strstr(bytes, tail));
    assert_non_null(strstr(bytes, file));
    assert_non_null(strstr(bytes, "\nEnd: passation-issue 2\n"));
    assert_int_equal(psn_document_parse(text, &document, NULL), PSN_OK);
    assert_int_equal(document.version, 2);
    assert_int_equal(document.count, 5);
    assert_int_equal(document.signed_size, psn_secret_size(text));
    psn_document_release(&document);
    psn_secret_free(text);
}

static void version_1_writes_nothing_of_version_2(void **state)
{
    struct issue_text issue = issue_text_full();

    (void)state;
    issue.mailbox[PSN_MAILBOX_SELF_CHANGE] = "panel";
    expect_refused(&issue, "Self-Change");
    issue = issue_text_full();
    issue.account[PSN_ACCOUNT_NIC] = "xm000000-ovh";
    expect_refused(&issue, "Account");
    issue = issue_text_full();
    issue.file[PSN_FILE_BLOCK_NAME] = "a";
    expect_refused(&issue, "File");
    issue = issue_text_full();
    issue.head[PSN_HEAD_RIGHT] = "own";
    expect_refused(&issue, "Right");
}

static void version_2_writes_nothing_of_version_1(void **state)
{
    struct issue_text issue = issue_text_trousseau();

    (void)state;
    issue.head[PSN_HEAD_RIGHT] = "read";
    expect_refused(&issue, "Right");
    issue = issue_text_trousseau();
    issue.head[PSN_HEAD_UNTIL] = "2027-02-28T22:59:59Z";
    expect_refused(&issue, "Until");
    issue = issue_text_trousseau();
    issue.head[PSN_HEAD_FORMAT] = "3";
    expect_refused(&issue, "Passation-Issue");
}

static void what_a_field_cannot_hold_is_not_written(void **state)
{
    static const struct {
        bool in_file;
        size_t field;
        const char *value;
        const char *name;
    } refusals[] = {
        { false, PSN_ACCOUNT_NIC, "two\nlines", "Account" },
        { false, PSN_ACCOUNT_DOMAINS, "", "Domains" },
        { false, PSN_ACCOUNT_DOMAINS, "fr", "Domains" },
        { false, PSN_ACCOUNT_DOMAINS, "a.fr\n", "Domains" },
        { false, PSN_ACCOUNT_PANEL, "http://manager.eu.ovhcloud.com/", "Panel" },
        { false, PSN_ACCOUNT_FINGERPRINT_KEY, "00", "Fingerprint-Key" },
        { true, PSN_FILE_BLOCK_NAME, "../x", "File" },
        { true, PSN_FILE_BLOCK_MEDIA, "text", "Media" },
        { true, PSN_FILE_BLOCK_CONTENT, "a\ttab", "Content" },
        { true, PSN_FILE_BLOCK_CONTENT, "cr\r\n", "Content" },
        { true, PSN_FILE_BLOCK_CONTENT, "\377", "Content" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct issue_text issue = issue_text_trousseau();

        if (refusals[i].in_file)
            issue.file[refusals[i].field] = refusals[i].value;
        else
            issue.account[refusals[i].field] = refusals[i].value;
        expect_refused(&issue, refusals[i].name);
    }
}

static void domains_end_at_their_limit(void **state)
{
    struct issue_text issue = issue_text_trousseau();
    char domains[5 * (PSN_DOMAINS_MAX + 1)] = "";
    size_t used = 0;

    (void)state;
    for (size_t i = 0; i < PSN_DOMAINS_MAX; i++)
        used += (size_t)snprintf(domains + used, sizeof domains - used, "%sa.fr",
                                 i ? "\n" : "");
    issue.account[PSN_ACCOUNT_DOMAINS] = domains;
    psn_secret_free(write_text(&issue));
    (void)snprintf(domains + used, sizeof domains - used, "\na.fr");
    expect_refused(&issue, "Domains");
}

/* --- the limit, and what it costs --- */

static void put_head(struct psn_document_writer *writer)
{
    struct issue_text issue = issue_text_trousseau();
    struct psn_slice fields[PSN_DOCUMENT_FIELDS_MAX] = { 0 };

    for (size_t i = 0; i < PSN_HEAD_FIELDS; i++)
        fields[i] = psn_slice_of(issue.head[i]);
    psn_document_head(writer, fields);
    for (size_t i = 0; i < PSN_ACCOUNT_FIELDS; i++)
        fields[i] = psn_slice_of(issue.account[i]);
    psn_document_account(writer, fields);
    for (size_t i = 0; i < PSN_MAILBOX_FIELDS; i++)
        fields[i] = psn_slice_of(issue.mailbox[i]);
    psn_document_mailbox(writer, fields);
}

static void put_files(struct psn_document_writer *writer, const char *content,
                      size_t size, size_t count)
{
    char name[24];
    struct psn_slice fields[PSN_FILE_BLOCK_FIELDS];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "f%zu", i);
        fields[PSN_FILE_BLOCK_NAME] = psn_slice_of(name);
        fields[PSN_FILE_BLOCK_MEDIA] = psn_slice_of("text/plain");
        fields[PSN_FILE_BLOCK_CONTENT] =
            (struct psn_slice){ (const uint8_t *)content, size };
        psn_document_file(writer, fields);
    }
}

static void a_trousseau_stops_at_three_mebibytes_and_a_file_at_half_a_one(void **state)
{
    static char content[PSN_DOCUMENT_FILE_MAX + 1];
    struct psn_document_writer writer = { 0 };
    struct psn_document document = { 0 };
    struct psn_secret *text = NULL;
    struct psn_error err = { 0 };

    (void)state;
    memset(content, 'x', sizeof content);
    put_head(&writer);
    put_files(&writer, content, sizeof content, 1);
    assert_int_equal(psn_document_end(&writer, &text, &err), PSN_E_INVALID);
    put_head(&writer);
    put_files(&writer, content, sizeof content - 1, 6);
    assert_int_equal(psn_document_end(&writer, &text, &(struct psn_error){ 0 }),
                     PSN_E_LIMIT);
    assert_null(text);
    put_head(&writer);
    put_files(&writer, content, sizeof content - 1, 5);
    assert_int_equal(psn_document_end(&writer, &text, &(struct psn_error){ 0 }), PSN_OK);
    assert_int_equal(psn_document_parse(text, &document, NULL), PSN_OK);
    assert_int_equal(document.count, 8);
    psn_document_release(&document);
    psn_secret_free(text);
}

/* What a run may hold at once: the text, the text with its signature or as it was read
 * back, and two files on their way. All of it must fit into the memory that a process may
 * lock, which is often 8 MiB, or secrets would be written to the swap without a word. */
static void two_of_the_longest_texts_and_two_files_can_be_locked(void **state)
{
    struct psn_secret *held[4] = { 0 };
    static const size_t sizes[] = { PSN_DOCUMENT_SECOND_MAX, PSN_DOCUMENT_SECOND_MAX,
                                    PSN_DOCUMENT_FILE_MAX, PSN_DOCUMENT_FILE_MAX };

    (void)state;
    if (!psn_secret_memory_is_locked())
        skip();
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(psn_secret_new(sizes[i], &held[i], NULL), PSN_OK);
    assert_true(psn_secret_memory_is_locked());
    for (size_t i = 0; i < 4; i++)
        psn_secret_free(held[i]);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trousseau_reads_as_the_format_says),
        cmocka_unit_test(version_1_writes_nothing_of_version_2),
        cmocka_unit_test(version_2_writes_nothing_of_version_1),
        cmocka_unit_test(what_a_field_cannot_hold_is_not_written),
        cmocka_unit_test(domains_end_at_their_limit),
        cmocka_unit_test(a_trousseau_stops_at_three_mebibytes_and_a_file_at_half_a_one),
        cmocka_unit_test(two_of_the_longest_texts_and_two_files_can_be_locked),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
