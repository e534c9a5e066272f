#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "core/contact.h"
#include "core/credential.h"
#include "core/journal.h"
#include "core/recovery.h"
#include "core/state.h"
#include "core/trust.h"
#include "crypto/hash.h"
#include "passation/journal.h"
#include "support/rekey_vault.h"

/* What is signed, sealed or written as passation does it, and is none of what it writes.
 */

struct fixture {
    struct tmpdir dir;
    struct rekey_vault at;
    struct psn_vault *vault;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    tmpdir_make(&f->dir);
    rekey_vault_init(&f->at, f->dir.path);
    rekey_vault_make(&f->at);
    f->vault = rekey_vault_open(&f->at, REKEY_MINE);
    assert_non_null(f->vault);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    psn_vault_free(f->vault);
    rekey_vault_release(&f->at);
    tmpdir_remove(&f->dir);
    free(f);
    return 0;
}

/* --- statements --- */

/* Signed by the vault, with these lines in it. The caller frees it. */
static char *sign(struct fixture *f, const char *fields)
{
    const struct psn_statement_draft draft = { .kind = "test",
                                               .fields = fields,
                                               .text = "" };
    char *text = NULL;

    assert_int_equal(psn_statement_sign(f->vault, &draft, &text, &f->at.err), PSN_OK);
    return text;
}

static enum psn_code verify(struct fixture *f, const char *text, size_t size)
{
    struct psn_statement statement;

    psn_error_clear(&f->at.err);
    return psn_statement_verify(f->vault, text, size, &statement, &f->at.err);
}

static void assert_refused(struct fixture *f, const char *fields)
{
    char *text = sign(f, fields);

    assert_int_equal(verify(f, text, strlen(text)), PSN_E_INTEGRITY);
    free(text);
}

static enum psn_code keep_head(void *arg, const struct psn_head *head,
                               struct psn_error *err)
{
    (void)err;
    if (!head->chain[0])
        *(struct psn_head *)arg = *head;
    return PSN_OK;
}

/* A line that tells the vault's own head, with its number and hash as they are given. */
static const char *head_line(struct fixture *f, int64_t ahead, char last)
{
    static char line[512];
    struct psn_head head = { 0 };
    char hash[2 * PSN_HEAD_SIZE + 1];

    assert_int_equal(psn_journal_verify(f->vault, keep_head, &head, &f->at.err), PSN_OK);
    (void)psn_hex(head.hash, sizeof head.hash, hash);
    if (last)
        hash[sizeof hash - 2] = last;
    (void)snprintf(line, sizeof line, "Journal: - %lld %s\n",
                   (long long)head.count + ahead, hash);
    return line;
}

static void a_signed_statement_is_read_with_its_heads_alone(void **state)
{
    struct fixture *f = *state;
    char *text = sign(f, head_line(f, 0, 0));

    assert_int_equal(verify(f, text, strlen(text)), PSN_OK);
    free(text);
}

static void lines_that_tell_no_head_are_refused_though_they_are_signed(void **state)
{
    static const char *const fields[] = {
        "",
        "Journal: \n",
        "Journal: -\n",
        "Journal: - 1\n",
        "Journal: - one 00\n",
        "Journal: - 1 00\n",
        "Journal: - 99999999999999999999 00\n",
        "Journal: - 1 zz00000000000000000000000000000000000000000000000000000000000000\n",
        ("Journal: - 1 "
         "000000000000000000000000000000000000000000000000000000000000000000\n"),
        "Vault: 00\n",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_refused(f, fields[i]);
}

static void a_head_that_the_journal_does_not_have_is_refused(void **state)
{
    struct fixture *f = *state;
    char *text = sign(f, head_line(f, 1000, 0));

    assert_int_equal(verify(f, text, strlen(text)), PSN_E_INTEGRITY);
    assert_non_null(strstr(f->at.err.hint, "older copy"));
    free(text);
    assert_refused(f, head_line(f, -1, 0));
    assert_refused(f, head_line(f, 0, 'z'));
}

static void a_client_who_was_never_here_has_no_head(void **state)
{
    struct fixture *f = *state;
    char *text =
        sign(f, "Journal: nobody 1 "
                "0000000000000000000000000000000000000000000000000000000000000000\n");

    assert_int_equal(verify(f, text, strlen(text)), PSN_E_NOT_FOUND);
    free(text);
}

static void a_line_is_neither_too_long_nor_cut(void **state)
{
    struct fixture *f = *state;
    char fields[2048];
    char *text;

    (void)snprintf(fields, sizeof fields, "Field: %01500d\n", 0);
    assert_refused(f, fields);
    text = sign(f, head_line(f, 0, 0));
    /* Whatever is missing at the end, or in the middle. */
    for (size_t size = 0; size < strlen(text); size += 7)
        assert_int_equal(verify(f, text, size), PSN_E_INTEGRITY);
    free(text);
}

static void only_so_many_signatures_are_looked_at(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) many = psn_buf_init(64 * 1024);
    struct fixture *f = *state;
    char *text = sign(f, head_line(f, 0, 0));
    const char *signature = strstr(text, "-----BEGIN");

    assert_non_null(signature);
    psn_buf_text(&many, text);
    for (int i = 1; i < 8; i++)
        psn_buf_text(&many, signature);
    assert_int_equal(verify(f, psn_buf_str(&many), many.size), PSN_OK);
    psn_buf_text(&many, signature);
    assert_int_equal(verify(f, psn_buf_str(&many), many.size), PSN_E_INTEGRITY);
    free(text);
}

/* --- API credentials --- */

static void put_credential(struct fixture *f, const void *bytes, size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(4096);
    const struct psn_secret *data_key;
    struct psn_row_key key;
    uint64_t revision = 0;
    PSN_AUTO(psn_secret) *known = NULL;
    struct psn_vault *vault = f->vault;

    assert_int_equal(psn_vault_begin(vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    assert_int_equal(psn_client_data_key(vault, "martin", &data_key, &f->at.err), PSN_OK);
    assert_int_equal(
        psn_row_key_init(vault, PSN_TABLE_CREDENTIAL, "martin", &key, &f->at.err),
        PSN_OK);
    assert_int_equal(psn_row_get_secret(vault, PSN_TABLE_CREDENTIAL, &key, data_key,
                                        &known, &revision, &f->at.err),
                     PSN_OK);
    assert_int_equal(
        psn_vault_end(vault,
                      psn_row_put(vault, PSN_TABLE_CREDENTIAL, &key, revision + 1,
                                  data_key, bytes, size, &f->at.err),
                      &f->at.err),
        PSN_OK);
}

static enum psn_code get_credential(struct fixture *f)
{
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    enum psn_code rc = psn_vault_begin(f->vault, PSN_STORE_READ, &f->at.err);

    assert_int_equal(rc, PSN_OK);
    rc = psn_credentials_get(f->vault, "martin", &all, &f->at.err);
    rc = psn_vault_end(f->vault, rc, &f->at.err);
    psn_error_clear(&f->at.err);
    return rc;
}

#define KEYS        "\0\1a\0\1b\0\1c"
#define BYTES(text) text, sizeof(text) - 1

static void a_credential_is_read_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum psn_code code;
    } rows[] = {
        { BYTES(KEYS), PSN_OK },
        { BYTES("\0\0\0\0\0\0"), PSN_OK }, /* none */
        { BYTES("\0"), PSN_E_INTEGRITY },
        { BYTES("\0\2a"), PSN_E_INTEGRITY },
        { BYTES("\0\1a\0\1b"), PSN_E_INTEGRITY },
        { BYTES(KEYS "\0\2"), PSN_E_INTEGRITY },
        { BYTES(KEYS "\0\2\0\0\0\11" KEYS), PSN_OK },
        { BYTES(KEYS "\0\2\0\0\0\12" KEYS), PSN_E_INTEGRITY },
        { BYTES(KEYS "\0\2\0\0\0\12" KEYS "x"), PSN_E_INTEGRITY },
        { BYTES(KEYS "\0\1\0\0\0\6\0\1a\0\1b\0\1\0\0\0\6\0\1a\0\1b"), PSN_E_INTEGRITY },
        { BYTES(KEYS "\0\3\0\0\0\3\0\1a"), PSN_E_INTEGRITY },
        { BYTES(KEYS "\0\4\0\0\0\16" KEYS "\0\3url"), PSN_OK },
        { BYTES(KEYS "\0\4\0\0\0\11" KEYS), PSN_E_INTEGRITY },
        { BYTES(KEYS "\0\7\0\0\0\0"), PSN_E_TOO_NEW },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_credential(f, rows[i].bytes, rows[i].size);
        assert_int_equal(get_credential(f), rows[i].code);
    }
}

static void the_address_of_a_key_that_waits_has_a_length(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init(64 * 1024);
    struct fixture *f = *state;
    char url[sizeof((struct psn_asked_key *)0)->url];

    memset(url, 'u', sizeof url);
    psn_buf_bytes(&plain, KEYS "\0\4", sizeof(KEYS "\0\4") - 1);
    psn_buf_u32(&plain, 9 + 2 + sizeof url);
    psn_buf_bytes(&plain, KEYS, sizeof(KEYS) - 1);
    psn_buf_u16(&plain, sizeof url);
    psn_buf_bytes(&plain, url, sizeof url);
    put_credential(f, plain.data, plain.size);
    assert_int_equal(get_credential(f), PSN_E_INTEGRITY);
}

/* --- issuers --- */

static enum psn_code list_issuer(void *arg, const struct psn_issuer *issuer,
                                 struct psn_error *err)
{
    struct psn_buf *names = arg;

    psn_buf_format(names, "%s %s;", issuer->fingerprint, issuer->name);
    return issuer->pinned_s > 0 ? psn_buf_check(names, err) : PSN_E_INTEGRITY;
}

static void issuers_are_listed_once_each(void **state)
{
    static const char *const fingerprints[] = { "SHA256:one", "SHA256:two",
                                                "SHA256:one" };
    PSN_AUTO_RELEASE(psn_buf) names = psn_buf_init(1024);
    struct fixture *f = *state;
    bool is_pinned = true;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(psn_issuer_pin(f->vault, fingerprints[i], "nora", &f->at.err),
                         PSN_OK);
    assert_int_equal(
        psn_issuer_is_pinned(f->vault, "SHA256:three", &is_pinned, &f->at.err), PSN_OK);
    assert_false(is_pinned);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, &f->at.err), PSN_OK);
    assert_int_equal(psn_issuer_each(f->vault, list_issuer, &names, &f->at.err), PSN_OK);
    assert_int_equal(names.size, strlen("SHA256:one nora;SHA256:two nora;"));
    assert_non_null(strstr(psn_buf_str(&names), "SHA256:one nora;"));
    assert_non_null(strstr(psn_buf_str(&names), "SHA256:two nora;"));
}

static void an_issuer_whose_name_is_no_text_is_malformed(void **state)
{
    static const uint8_t bytes[] = {
        1, 0, 1, 0, 0, 0, 8,   0, 0, 0, 0, 0, 0, 0, PSN_TRUST_ISSUER,
        0, 3, 0, 0, 0, 2, 'a', 0
    };
    struct fixture *f = *state;
    struct psn_row_key key;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    assert_int_equal(
        psn_row_key_init(f->vault, PSN_TABLE_TRUST, "issuer x", &key, &f->at.err),
        PSN_OK);
    assert_int_equal(
        psn_vault_end(f->vault,
                      psn_row_put(f->vault, PSN_TABLE_TRUST, &key, 1, f->vault->rows_key,
                                  bytes, sizeof bytes, &f->at.err),
                      &f->at.err),
        PSN_OK);
    assert_int_equal(psn_issuer_each(f->vault, list_issuer, NULL, &f->at.err),
                     PSN_E_INTEGRITY);
}

/* --- notes on changes of contacts --- */

static void note(struct fixture *f, const char *event, const char *subject,
                 const char *text)
{
    const struct psn_note one = { .event = event, .subject = subject, .text = text };
    enum psn_code rc = psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err);

    assert_int_equal(rc, PSN_OK);
    rc = psn_journal_note(f->vault, "martin", &one, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

static struct psn_contact_list known(struct fixture *f)
{
    struct psn_contact_list list = { 0 };

    assert_int_equal(psn_contact_known(f->vault, "martin", &list, &f->at.err), PSN_OK);
    return list;
}

#define DATE "2026-01-01T00:00:00Z"

static void notes_that_tell_no_change_are_none(void **state)
{
    static const char *const texts[] = {
        "",
        "job 1, admin, a-ovh to b-ovh, " DATE,
        "task 1",
        "task one, admin, a-ovh to b-ovh, " DATE,
        "task 123456789012345678901234567890, admin, a-ovh to b-ovh, " DATE,
        "task 99999999999999999999, admin, a-ovh to b-ovh, " DATE,
        "task 1, admin",
        "task 1, somebody, a-ovh to b-ovh, " DATE,
        "task 1,, a-ovh to b-ovh, " DATE,
        "task 1, admin of all that there is to be had here, a-ovh to b-ovh, " DATE,
        "task 1, admin, a-ovh",
        "task 1, admin, a-ovh to b-ovh",
        "task 1, admin, a-ovh to b-ovh, some day",
    };
    static const char *const subjects[] = { "", "zone", "cloud acme.fr",
                                            "a-very-long-kind-of-service acme.fr" };
    struct fixture *f = *state;
    struct psn_contact_list list;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        note(f, PSN_CONTACT_TASK, "zone acme.fr", texts[i]);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        note(f, PSN_CONTACT_TASK, subjects[i], "task 1, admin, a-ovh to b-ovh, " DATE);
    list = known(f);
    assert_int_equal(list.count, 0);
    psn_contact_list_release(&list);
}

static void a_note_of_an_end_changes_the_task_it_names(void **state)
{
    struct fixture *f = *state;
    struct psn_contact_list list;

    note(f, "contact.done", "zone acme.fr", "task 9, admin, a-ovh to b-ovh, " DATE);
    note(f, PSN_CONTACT_ASKED, "zone acme.fr", "task 0, tech, a-ovh to b-ovh, " DATE);
    note(f, PSN_CONTACT_ASKED, "zone acme.fr", "task 0, admin, a-ovh to b-ovh, " DATE);
    note(f, PSN_CONTACT_ASKED, "zone acme.fr", "task 0, admin, a-ovh to b-ovh, " DATE);
    note(f, PSN_CONTACT_TASK, "zone acme.fr", "task 7, admin, a-ovh to b-ovh, " DATE);
    note(f, PSN_CONTACT_TASK, "zone acme.fr", "task 7, admin, a-ovh to b-ovh, " DATE);
    note(f, PSN_CONTACT_ACCEPTED, "zone acme.fr", "task 7, admin, a-ovh to b-ovh, " DATE);
    note(f, "contact.refused", "zone acme.fr", "task 7, admin, a-ovh to b-ovh, " DATE);
    note(f, PSN_CONTACT_DROPPED, "zone acme.fr", "task 0, tech, a-ovh to b-ovh, " DATE);
    list = known(f);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].id, 7);
    assert_int_equal(list.items[0].state, PSN_CONTACT_REFUSED);
    assert_true(list.items[0].is_agreed);
    psn_contact_list_release(&list);
}

/* --- what was seen here --- */

static void write_seen(struct fixture *f, const char *text)
{
    char id[2 * PSN_VAULT_ID_SIZE + 1];
    char path[TMPDIR_PATH_MAX + 64];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/seen-%s", f->at.state,
                   psn_hex(f->vault->id, sizeof f->vault->id, id));
    file = fopen(path, "we"); /* style: allow fopen */
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

#define HASH "00000000000000000000000000000000"
#define SEEN(version, generation, entries, history)                           \
    "passation-seen " version "\ngeneration " generation "\nentries " entries \
    "\nhistory " history "\n"

static void a_torn_record_of_what_was_seen_is_none_and_is_told(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "passation-seen 1",
        "passation-seen:1\n",
        "passation-saw 1\n",
        SEEN("2", "1", "1", HASH HASH),
        SEEN("1", "one", "1", HASH HASH),
        SEEN("1", "1", "", HASH HASH),
        SEEN("1", "1", "1", HASH),
        SEEN("1", "1", "1", HASH HASH "0"),
        SEEN("1", "1", "1", HASH "g" HASH),
        SEEN("1", "1", "1", HASH "A" HASH),
        SEEN("1", "1", "1", HASH HASH) "more\n",
        "passation-seen 1\nentries 1\n",
        "passation-seen 1\ngeneration 1\nhistory 1\n",
        "passation-seen 1\ngeneration 1\nentries 1\nhash 1\n",
    };
    struct fixture *f = *state;
    struct psn_seen_record seen;

    write_seen(f, SEEN("1", "7", "9", HASH HASH));
    assert_int_equal(psn_seen_read(f->vault, &seen, &f->at.err), PSN_OK);
    assert_true(seen.found && !seen.damaged);
    assert_int_equal(seen.state.generation, 7);
    assert_int_equal(seen.state.entries, 9);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_seen(f, texts[i]);
        assert_int_equal(psn_seen_read(f->vault, &seen, &f->at.err), PSN_OK);
        assert_true(!seen.found && seen.damaged);
    }
}

/* --- recovery codes that were used --- */

static size_t count_used(const struct psn_secret_info *info)
{
    size_t count = 0;

    for (size_t i = 0; i < PSN_RECOVERY_CODES_MAX; i++)
        count += info->code_used_s[i] != 0;
    return count;
}

static void marks_are_read_up_to_what_is_none(void **state)
{
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {
        { "", 0 },
        { "1 " DATE, 1 },
        { "1 " DATE ", 3 " DATE, 2 },
        { "1 " DATE ", 0 " DATE, 1 },
        { "1 " DATE ", 999999 " DATE, 1 },
        { "1 " DATE ", x " DATE, 1 },
        { "2", 0 },
        { "2 once", 0 },
        { "2 1970-01-01T00:00:00Z", 0 },
        { "2 a moment that has a great many words to it", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_secret_info info = { .type = "recovery" };

        psn_recovery_read_used(rows[i].text, &info);
        assert_int_equal(count_used(&info), rows[i].count);
    }
}

#define USED "Codes that are used already, as counted from the top:"

static void a_line_of_a_note_that_tells_marks_becomes_marks(void **state)
{
    static const struct {
        const char *note;
        const char *left;
        size_t count;
    } rows[] = {
        { "of the bank", "of the bank", 0 },
        { USED " 1, 3", "", 2 },
        { "of the bank\n" USED " 2", "of the bank", 1 },
        { USED " 1\n" USED " 2", "", 2 },
        { USED, USED, 0 },
        { USED "1", USED "1", 0 },
        { USED " 1,3", USED " 1,3", 0 },
        { USED " 1, x", USED " 1, x", 0 },
        { USED " 0", USED " 0", 0 },
        { USED " 99999", USED " 99999", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_secret_info info = { .type = "recovery" };

        (void)snprintf(info.note, sizeof info.note, "%s", rows[i].note);
        psn_recovery_take_marks(&info, 1);
        assert_string_equal(info.note, rows[i].left);
        assert_int_equal(count_used(&info), rows[i].count);
        psn_recovery_tell_marks(&info);
        assert_true(rows[i].count == 0 || strstr(info.note, USED) != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signed_statement_is_read_with_its_heads_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            lines_that_tell_no_head_are_refused_though_they_are_signed, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_head_that_the_journal_does_not_have_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_who_was_never_here_has_no_head, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_line_is_neither_too_long_nor_cut, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_so_many_signatures_are_looked_at, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_credential_is_read_whole_or_not_at_all, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_address_of_a_key_that_waits_has_a_length,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(issuers_are_listed_once_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_issuer_whose_name_is_no_text_is_malformed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(notes_that_tell_no_change_are_none, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_note_of_an_end_changes_the_task_it_names,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_torn_record_of_what_was_seen_is_none_and_is_told, set_up, tear_down),
        cmocka_unit_test(marks_are_read_up_to_what_is_none),
        cmocka_unit_test(a_line_of_a_note_that_tells_marks_becomes_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
