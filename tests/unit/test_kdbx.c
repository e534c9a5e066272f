#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/stream.h"
#include "crypto/digest.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "interop/kdbx.h"
#include "support/memory.h"

/* Fixture ------------------------------------------------------------------------- */

static const char passphrase_text[] = "abaisser-effacer-zoologie";

/* What Argon2id allows least, so that thousands of openings take no time. */
static const struct psn_kdf_cost cheap = { 1, 8192 };

static struct psn_secret *passphrase;

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) ||
                   psn_secret_copy(passphrase_text, sizeof passphrase_text - 1,
                                   &passphrase, NULL)
               ? -1
               : 0;
}

static int tear_down(void **state)
{
    (void)state;
    psn_secret_free(passphrase);
    return 0;
}

static struct psn_secret *secret_of(const void *bytes, size_t size)
{
    struct psn_secret *secret = NULL;

    assert_int_equal(psn_secret_copy(bytes, size, &secret, NULL), PSN_OK);
    return secret;
}

static const struct psn_entry_field fields[] = { { "IMAP server", "imap.mail.ovh.net" },
                                                 { "Vide", "" } };

enum {
    ENTRIES = 5
};

/* Two groups and none, out of order; each way a password can be. */
static void fill(struct psn_entry entries[ENTRIES], struct psn_secret *passwords[ENTRIES])
{
    passwords[0] = secret_of("pé<&>\"'\r\n\t]]>", 15);
    passwords[1] = secret_of("jbsw y3dp-ehpk 3pxp", 19);
    passwords[2] = secret_of("\0\xff\x1b", 3);
    passwords[3] = NULL;
    passwords[4] = secret_of("x", 1);
    entries[0] = (struct psn_entry){ .group = "technique@martin.fr",
                                     .title = "Boulangerie <Martin> & fils",
                                     .user = "technique@martin.fr",
                                     .password = passwords[0],
                                     .url = "https://example.org/?a=1&b=2",
                                     .note = "deux\r\nlignes\t",
                                     .expires = "2028-02-29",
                                     .type = "ftp",
                                     .fields = fields,
                                     .field_count = 2,
                                     .id = { 1 },
                                     .changed_s = 1790000000 };
    entries[1] = (struct psn_entry){
        .title = "OTP", .type = "totp", .password = passwords[1], .id = { 2 }
    };
    entries[2] = (struct psn_entry){
        .group = "a", .title = "octets", .password = passwords[2], .id = { 3 }
    };
    entries[3] =
        (struct psn_entry){ .group = "technique@martin.fr", .changed_s = 1, .id = { 4 } };
    entries[4] = (struct psn_entry){
        .type = "totp", .title = "sans graine", .password = passwords[4], .id = { 5 }
    };
}

static void release(struct psn_secret *passwords[ENTRIES])
{
    for (size_t i = 0; i < ENTRIES; i++)
        psn_secret_free(passwords[i]);
}

/* A file of these entries that is cheap to open. */
static void seal_cheap(const struct psn_entry *entries, size_t count, struct psn_buf *out)
{
    PSN_AUTO_RELEASE(psn_buf) content = psn_buf_init_wiped(PSN_KDBX_FILE_MAX);
    PSN_AUTO(psn_secret) *key = NULL;
    struct psn_kdbx_head head = {
        .seed = { 7 }, .nonce = { 8 }, .salt = { 9 }, .cost = cheap
    };

    assert_int_equal(psn_kdbx_content_write("Martin", entries, count, &content, NULL),
                     PSN_OK);
    assert_int_equal(psn_kdbx_key(&head, passphrase, &key, NULL), PSN_OK);
    assert_int_equal(psn_kdbx_seal(&head, key, &content, out, NULL), PSN_OK);
}

static enum psn_code count_entry(void *arg, const struct psn_entry *entry,
                                 struct psn_error *err)
{
    size_t *count = arg;

    (void)entry;
    (void)err;
    (*count)++;
    return PSN_OK;
}

/* Both ways ------------------------------------------------------------------------ */

static void what_is_written_is_read(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_sink sink = psn_sink_buf(&file);
    struct psn_entry entries[ENTRIES];
    struct psn_secret *passwords[ENTRIES];
    struct psn_error err = { 0 };

    (void)state;
    fill(entries, passwords);
    assert_int_equal(psn_kdbx_write("Martin", passphrase, entries, ENTRIES, &sink, &err),
                     PSN_OK);
    assert_int_equal(
        psn_kdbx_verify(file.data, file.size, passphrase, entries, ENTRIES, &err),
        PSN_OK);
    entries[3].note = "autre";
    assert_int_equal(
        psn_kdbx_verify(file.data, file.size, passphrase, entries, ENTRIES, &err),
        PSN_E_VERIFY);
    release(passwords);
}

/* One changed text, entry, password or time is found, whichever it is. */
static void whatever_differs_is_found(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_secret *passwords[ENTRIES];
    struct psn_entry entries[ENTRIES];
    struct psn_entry was[ENTRIES];

    (void)state;
    fill(entries, passwords);
    seal_cheap(entries, ENTRIES, &file);
    memcpy(was, entries, sizeof was);
    for (int change = 0; change < 12; change++) {
        struct psn_entry *entry = &entries[0];
        struct psn_error err = { 0 };
        size_t count = ENTRIES;

        memcpy(entries, was, sizeof was);
        entry->group = change == 0 ? "b" : entry->group;
        entry->title = change == 1 ? "" : entry->title;
        entry->user = change == 2 ? NULL : entry->user;
        entry->password = change == 3 ? passwords[4] : entry->password;
        entry->url = change == 4 ? "http://example.org" : entry->url;
        entry->note = change == 5 ? "deux\nlignes\t" : entry->note;
        entry->expires = change == 6 ? "2028-02-28" : entry->expires;
        entry->type = change == 7 ? "sftp" : entry->type;
        entry->field_count = change == 8 ? 1 : entry->field_count;
        entry->id[15] = change == 9;
        entry->changed_s += change == 10;
        count -= change == 11;
        assert_int_equal(
            psn_kdbx_verify(file.data, file.size, passphrase, entries, count, &err),
            PSN_E_VERIFY);
    }
    assert_int_equal(
        psn_kdbx_verify(file.data, file.size, passphrase, was, ENTRIES, NULL), PSN_OK);
    release(passwords);
}

static void an_entry_too_few_or_too_many_is_found(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_secret *passwords[ENTRIES];
    struct psn_entry entries[ENTRIES];
    struct psn_error err = { 0 };

    (void)state;
    fill(entries, passwords);
    seal_cheap(entries, 1, &file);
    assert_int_equal(psn_kdbx_verify(file.data, file.size, passphrase, entries, 0, &err),
                     PSN_E_VERIFY);
    assert_non_null(strstr(err.message, "Boulangerie"));
    entries[1].group = "z";
    psn_error_clear(&err);
    assert_int_equal(psn_kdbx_verify(file.data, file.size, passphrase, entries, 2, &err),
                     PSN_E_VERIFY);
    assert_non_null(strstr(err.message, "OTP"));
    release(passwords);
}

static void many_entries_of_many_blocks_come_back(void **state)
{
    enum {
        MANY = 3000
    };
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_entry *entries = calloc(MANY, sizeof *entries);
    char(*titles)[32] = calloc(MANY, sizeof *titles);
    PSN_AUTO(psn_secret) *password = secret_of("0123456789", 10);

    (void)state;
    assert_non_null(entries);
    assert_non_null(titles);
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(titles[i], sizeof titles[i], "boîte %zu", i);
        entries[i] = (struct psn_entry){ .group = titles[i / 3 * 2 % MANY],
                                         .title = titles[i],
                                         .password = password,
                                         .id = { 1, (uint8_t)i, (uint8_t)(i >> 8) } };
    }
    seal_cheap(entries, MANY, &file);
    assert_true(file.size > 1024 * 1024);
    assert_int_equal(
        psn_kdbx_verify(file.data, file.size, passphrase, entries, MANY, NULL), PSN_OK);
    free(entries);
    free(titles);
}

/* Refusals ------------------------------------------------------------------------- */

static void another_passphrase_is_denied(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    PSN_AUTO(psn_secret) *other = secret_of("abaisser-effacer-zone", 21);
    struct psn_entry entry = { .id = { 1 } };
    size_t count = 0;

    (void)state;
    seal_cheap(&entry, 1, &file);
    assert_int_equal(
        psn_kdbx_read(file.data, file.size, other, count_entry, &count, NULL),
        PSN_E_DENIED);
    assert_int_equal(count, 0);
}

static void every_changed_bit_and_every_cut_is_refused(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    PSN_AUTO(psn_secret) *password = secret_of("secret", 6);
    struct psn_entry entry = { .title = "a", .password = password, .id = { 1 } };
    size_t count = 0;

    (void)state;
    seal_cheap(&entry, 1, &file);
    for (size_t i = 0; i < 8 * file.size; i++) {
        struct psn_error err = { 0 };
        enum psn_code rc;

        file.data[i / 8] ^= (uint8_t)(1U << i % 8);
        rc = psn_kdbx_read(file.data, file.size, passphrase, count_entry, &count, &err);
        file.data[i / 8] ^= (uint8_t)(1U << i % 8);
        assert_true(rc == PSN_E_INTEGRITY || rc == PSN_E_DENIED || rc == PSN_E_INVALID);
        assert_int_equal(err.code, rc);
    }
    for (size_t size = 0; size < file.size; size++)
        assert_int_equal(
            psn_kdbx_read(file.data, size, passphrase, count_entry, &count, NULL),
            PSN_E_INTEGRITY);
    psn_buf_u8(&file, 0);
    assert_int_equal(
        psn_kdbx_read(file.data, file.size, passphrase, count_entry, &count, NULL),
        PSN_E_INTEGRITY);
    assert_int_equal(count, 0);
    assert_int_equal(
        psn_kdbx_read(file.data, file.size - 1, passphrase, count_entry, &count, NULL),
        PSN_OK);
    assert_int_equal(count, 1);
}

/* The header's places, as they are written. */
enum {
    AT_MINOR = 8,
    AT_MAJOR = 10,
    AT_CIPHER = 17,
    AT_COMPRESSION = 38,
    AT_NONCE_SIZE = 80,
    AT_KDF = 101,
    AT_PASSES = AT_KDF + 42,
    AT_MEMORY = AT_PASSES + 18,
    AT_LANES = AT_MEMORY + 18,
    AT_SALT_SIZE = AT_LANES + 10,
};

static void headers_of_other_kinds_are_told_apart(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
        enum psn_code rc;
        const char *words;
    } rows[] = {
        { 0, 1, PSN_E_INTEGRITY, "not a KDBX file" },
        { AT_MINOR, 1, PSN_OK, "" }, /* 4.1 */
        { AT_MINOR, 2, PSN_E_INVALID, "version 4" },
        { AT_MAJOR, 3, PSN_E_INVALID, "version 4" },
        { AT_MAJOR, 5, PSN_E_INVALID, "version 4" },
        { AT_CIPHER, 0x31, PSN_E_INVALID, "ChaCha20" },
        { AT_COMPRESSION, 1, PSN_E_INVALID, "compressed" },
        { AT_KDF, 0, PSN_OK, "" },
        { AT_KDF + 1, 2, PSN_E_INVALID, "derivation" },
        { AT_KDF + 7, 'u', PSN_E_INVALID, "derivation" },
        { AT_KDF + 16, 0xef, PSN_E_INVALID, "Argon2id" },
        { AT_PASSES, 0, PSN_E_LIMIT, "too much" },
        { AT_PASSES, 100, PSN_OK, "" },
        { AT_PASSES, 101, PSN_E_LIMIT, "too much" },
        { AT_PASSES + 7, 1, PSN_E_LIMIT, "too much" },
        { AT_MEMORY, 1, PSN_E_LIMIT, "too much" },
        { AT_MEMORY + 1, 0x1c, PSN_E_LIMIT, "too much" },
        { AT_MEMORY + 3, 0x3f, PSN_OK, "" },
        { AT_MEMORY + 3, 0x40, PSN_E_LIMIT, "too much" }, /* 1 GiB and 8 KiB */
        { AT_LANES, 2, PSN_E_INVALID, "lane" },
        { AT_SALT_SIZE, 15, PSN_E_INVALID, "" },
    };
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_entry entry = { .id = { 1 } };
    struct psn_kdbx_head head;

    (void)state;
    seal_cheap(&entry, 1, &file);
    assert_int_equal(psn_kdbx_head_read(file.data, file.size, &head, NULL), PSN_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_error err = { 0 };
        uint8_t was = file.data[rows[i].at];
        struct psn_kdbx_head read;
        enum psn_code rc;

        file.data[rows[i].at] = rows[i].byte;
        psn_sha256(file.data, head.size, file.data + head.size);
        rc = psn_kdbx_head_read(file.data, file.size, &read, &err);
        if (rc != rows[i].rc || !strstr(err.message, rows[i].words))
            fail_msg("row %zu: %d %s", i, rc, err.message);
        file.data[rows[i].at] = was;
    }
}

static void a_header_that_somebody_made_anew_is_denied(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_entry entry = { .id = { 1 } };
    struct psn_kdbx_head head;
    size_t count = 0;

    (void)state;
    seal_cheap(&entry, 1, &file);
    assert_int_equal(psn_kdbx_head_read(file.data, file.size, &head, NULL), PSN_OK);
    file.data[AT_PASSES] = 2;
    psn_sha256(file.data, head.size, file.data + head.size);
    assert_int_equal(
        psn_kdbx_read(file.data, file.size, passphrase, count_entry, &count, NULL),
        PSN_E_DENIED);
}

static void what_cannot_be_written_is_refused(void **state)
{
    static const struct psn_entry_field bad[][2] = {
        { { "otp", "x" }, { "a", "b" } },  { { "", "x" }, { "a", "b" } },
        { { "a", "x" }, { "a", "b" } },    { { "Password", "x" }, { "a", "b" } },
        { { "c", "\x01" }, { "a", "b" } },
    };
    static const struct psn_entry rows[] = {
        { .title = "no id" },
        { .title = "\x1b", .id = { 1 } },
        { .user = "\xff", .id = { 1 } },
        { .note = "\xef\xbf\xbf", .id = { 1 } },
        { .group = "a\x7f\x08", .id = { 1 } },
        { .expires = "2027-02-29", .id = { 1 } },
        { .expires = "demain", .id = { 1 } },
        { .changed_s = -1, .id = { 1 } },
        { .changed_s = INT64_MAX, .id = { 1 } },
        { .fields = bad[0], .field_count = 2, .id = { 1 } },
        { .fields = bad[1], .field_count = 2, .id = { 1 } },
        { .fields = bad[2], .field_count = 2, .id = { 1 } },
        { .fields = bad[3], .field_count = 2, .id = { 1 } },
        { .fields = bad[4], .field_count = 2, .id = { 1 } },
        { .fields = bad[0], .field_count = PSN_ENTRY_FIELDS_MAX + 1, .id = { 1 } },
    };
    struct psn_secret *json = NULL;
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_sink sink = psn_sink_buf(&file);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_error err = { 0 };

        assert_int_equal(psn_kdbx_write("x", passphrase, &rows[i], 1, &sink, &err),
                         PSN_E_INVALID);
        assert_int_equal(psn_bitwarden_write(&rows[i], 1, &json, NULL), PSN_E_INVALID);
        assert_int_equal(file.size, 0);
        assert_null(json);
    }
    assert_int_equal(psn_kdbx_write("\x02", passphrase, NULL, 0, &sink, NULL),
                     PSN_E_INVALID);
}

static enum psn_code stop_at_once(void *arg, const struct psn_entry *entry,
                                  struct psn_error *err)
{
    size_t *count = arg;

    (void)entry;
    (*count)++;
    return psn_fail(err, PSN_E_ABORTED, "enough");
}

static void whoever_is_told_can_stop(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_entry entries[2] = { { .id = { 1 } }, { .id = { 2 } } };
    size_t count = 0;

    (void)state;
    seal_cheap(entries, 2, &file);
    assert_int_equal(
        psn_kdbx_read(file.data, file.size, passphrase, stop_at_once, &count, NULL),
        PSN_E_ABORTED);
    assert_int_equal(count, 1);
}

/* The XML -------------------------------------------------------------------------- */

static enum psn_code read_xml(const char *xml, size_t *count)
{
    static const uint8_t key[PSN_KEYSTREAM_KEY_SIZE];
    static const uint8_t nonce[PSN_KEYSTREAM_NONCE_SIZE];
    PSN_AUTO(psn_keystream) *mask = NULL;

    *count = 0;
    assert_int_equal(psn_keystream_new(key, nonce, &mask, NULL), PSN_OK);
    return psn_kdbx_xml_read(xml, strlen(xml), mask, count_entry, count, NULL);
}

#define ENTRY_ID     "<UUID>AQAAAAAAAAAAAAAAAAAAAA==</UUID>"
#define STRING(k, v) "<String><Key>" k "</Key><Value>" v "</Value></String>"
#define SECRET(k, v) \
    "<String><Key>" k "</Key><Value Protected=\"True\">" v "</Value></String>"
#define FILE_OF(text)  "<KeePassFile><Root><Group>" text "</Group></Root></KeePassFile>"
#define ENTRY_OF(text) FILE_OF("<Entry>" ENTRY_ID text "</Entry>")

static void only_the_known_form_is_read(void **state)
{
    static const char *const good[] = {
        ENTRY_OF(""),
        ENTRY_OF(STRING("Title", "a") " \n\t" STRING("x", "&lt;&#233;<![CDATA[b]]>")),
        ENTRY_OF(SECRET("Password", "")),
        ENTRY_OF(SECRET("Password", "FtiArQ==")),
        FILE_OF("<Group><Name>g</Name><Entry>" ENTRY_ID "</Entry></Group>"),
    };
    static const char *const bad[] = {
        "",
        "x",
        "<KeePassFile>",
        ENTRY_OF("") "x",
        ENTRY_OF("") ENTRY_OF(""),
        "<!DOCTYPE KeePassFile>" ENTRY_OF(""),
        "<!DOCTYPE x [<!ENTITY a \"b\">]>" ENTRY_OF(STRING("Title", "&a;")),
        "<?php x?>" ENTRY_OF(""),
        ENTRY_OF("<!-- a -->"),
        ENTRY_OF("text"),
        ENTRY_OF("<History></History>"),
        ENTRY_OF("<Times><Expires>yes</Expires></Times>"),
        ENTRY_OF("<Times><Expires>True</Expires></Times>"),
        ENTRY_OF("<Times><ExpiryTime>AAAAAAAAAAA=</ExpiryTime></Times>"),
        ENTRY_OF(
            "<Times><LastModificationTime>//////////8=</LastModificationTime></Times>"),
        ENTRY_OF("<Times><LastModificationTime>AA==</LastModificationTime></Times>"),
        ENTRY_OF(ENTRY_ID),
        FILE_OF("<Entry></Entry>"),
        FILE_OF("<Entry><UUID>AQ==</UUID></Entry>"),
        FILE_OF("<Entry><UUID>AAAAAAAAAAAAAAAAAAAAAA==</UUID></Entry>"),
        FILE_OF("<Group><Group></Group></Group>"),
        ENTRY_OF(STRING("Title", "a") STRING("Title", "a")),
        ENTRY_OF(STRING("x", "a") STRING("x", "a")),
        ENTRY_OF(STRING("Password", "a")),
        ENTRY_OF(STRING("otp", "a")),
        ENTRY_OF(SECRET("Title", "")),
        ENTRY_OF(SECRET("x", "")),
        ENTRY_OF(SECRET("Password", "%")),
        ENTRY_OF(SECRET("Password", "FtiArQ==") SECRET("Password", "")),
        ENTRY_OF(SECRET("otp", "FtiArQ==")),
        ENTRY_OF(SECRET("Password (Base64)", "FtiArQ==")),
        ENTRY_OF("<String><Value>a</Value></String>"),
        ENTRY_OF("<String><Key>a</Key><Value>a</Value><Value>b</Value></String>"),
        ENTRY_OF("<String><Key>a</Key><Value Protected=\"False\">a</Value></String>"),
        ENTRY_OF("<String><Key id=\"1\">a</Key><Value>a</Value></String>"),
        ENTRY_OF("<Binary></Binary>"),
        ENTRY_OF(STRING("Title", "<b></b>")),
        ENTRY_OF(STRING("Title", "\x01")),
        ENTRY_OF(STRING("Title", "\xff")),
        ENTRY_OF(STRING("Title", "&nbsp;")),
    };
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (read_xml(good[i], &count) || count != 1)
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_xml(bad[i], &count) != PSN_E_INVALID)
            fail_msg("not refused: %s", bad[i]);
}

/* Memory --------------------------------------------------------------------------- */

static void nothing_of_a_password_stays_in_memory(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_entry entry = { .title = "a", .id = { 1 }, .note = "b" };
    struct psn_secret *password = NULL;
    struct psn_secret *json = NULL;
    unsigned char masked[24];
    size_t count = 0;

    (void)state;
    assert_int_equal(psn_secret_new(sizeof masked, &password, NULL), PSN_OK);
    for (size_t i = 0; i < sizeof masked; i++) {
        psn_random(&masked[i], 1);
        masked[i] = (unsigned char)(masked[i] % 26 + 'a'); /* nothing is escaped */
        psn_secret_fill(password)[i] = masked[i];
        masked[i] ^= 0x5a;
    }
    psn_secret_set_size(password, sizeof masked);
    if (memory_count(masked, sizeof masked) != 1)
        skip(); /* this system does not show memory */
    entry.password = password;
    seal_cheap(&entry, 1, &file);
    assert_int_equal(
        psn_kdbx_read(file.data, file.size, passphrase, count_entry, &count, NULL),
        PSN_OK);
    assert_int_equal(psn_bitwarden_write(&entry, 1, &json, NULL), PSN_OK);
    assert_int_equal(memory_count(masked, sizeof masked), 2);
    psn_secret_free(json);
    assert_int_equal(memory_count(masked, sizeof masked), 1);
    psn_secret_free(password);
    assert_int_equal(memory_count(masked, sizeof masked), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(whatever_differs_is_found),
        cmocka_unit_test(an_entry_too_few_or_too_many_is_found),
        cmocka_unit_test(many_entries_of_many_blocks_come_back),
        cmocka_unit_test(another_passphrase_is_denied),
        cmocka_unit_test(every_changed_bit_and_every_cut_is_refused),
        cmocka_unit_test(headers_of_other_kinds_are_told_apart),
        cmocka_unit_test(a_header_that_somebody_made_anew_is_denied),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(whoever_is_told_can_stop),
        cmocka_unit_test(only_the_known_form_is_read),
        cmocka_unit_test(nothing_of_a_password_stays_in_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
