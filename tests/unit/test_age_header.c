#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "age/header.h"
#include "age/wrap.h"
#include "crypto/init.h"
#include "crypto/secret.h"

/* The header of an age file by itself: its version, a passphrase's work, and whose a
 * stanza is. */

#define VERSION_1 "age-encryption.org/v1\n"
#define ZEROS_16  "AAAAAAAAAAAAAAAAAAAAAA"
#define ZEROS_32  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define END       "--- " ZEROS_32 "\n"

static enum psn_code parse(const char *text, struct psn_age_header *header,
                           struct psn_error *err)
{
    return psn_age_header_parse(text, strlen(text), header, err);
}

static void another_version_is_told_from_what_is_no_age_file(void **state)
{
    static const struct {
        const char *text;
        enum psn_code code;
    } rows[] = {
        { VERSION_1 "-> unknown\n\n" END, PSN_OK },
        { "age-encryption.org/v2\n-> unknown\n\n" END, PSN_E_TOO_NEW },
        { "age-encryption.org/v10\n-> unknown\n\n" END, PSN_E_TOO_NEW },
        { "age-encryption.com/v1\n-> unknown\n\n" END, PSN_E_INTEGRITY },
        { "Good morning, here are the passwords\n", PSN_E_INTEGRITY },
        { "", PSN_E_INTEGRITY },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_age_header header;
        struct psn_error err = { 0 };

        assert_int_equal(parse(rows[i].text, &header, &err), rows[i].code);
        if (rows[i].code == PSN_E_INTEGRITY)
            assert_non_null(strstr(err.message, "this is not an age file"));
    }
}

static void one_recipient_or_more_may_stand_there_and_a_passphrase_alone(void **state)
{
#define X25519 "-> X25519 " ZEROS_32 "\n" ZEROS_32 "\n"
#define SCRYPT "-> scrypt " ZEROS_16 " 10\n" ZEROS_32 "\n"
    static const struct {
        const char *text;
        bool right;
    } rows[] = {
        { VERSION_1 X25519 END, true },
        { VERSION_1 X25519 X25519 X25519 END, true },
        { VERSION_1 SCRYPT END, true },
        { VERSION_1 END, false },
        { VERSION_1 SCRYPT X25519 END, false },
        { VERSION_1 X25519 SCRYPT END, false },
        { VERSION_1 SCRYPT SCRYPT END, false },
        { VERSION_1 X25519 END "\n", false },
        { VERSION_1 X25519 "--", false },
        { VERSION_1 X25519 "---", false },
        { VERSION_1 X25519, false },
        { VERSION_1 "-> un\001known\n\n" END, false },
        { VERSION_1 "-> un\177known\n\n" END, false },
        { VERSION_1 "-> un\303\251known\n\n" END, false },
    };
#undef X25519
#undef SCRYPT

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_age_header header;

        assert_int_equal(parse(rows[i].text, &header, NULL),
                         rows[i].right ? PSN_OK : PSN_E_INTEGRITY);
    }
}

/* --- a passphrase's stanza --- */

static void a_work_factor_is_digits_that_begin_with_no_zero(void **state)
{
    static const struct {
        const char *text;
        uint32_t value; /* 0: refused */
    } rows[] = {
        { "1", 1 },   { "9", 9 },     { "10", 10 },
        { "18", 18 }, { "203", 203 }, { "99999999999", UINT32_MAX },
        { "0", 0 },   { "01", 0 },    { "1x", 0 },
        { "x1", 0 },  { "-1", 0 },    { "+1", 0 },
        { "1.5", 0 }, { "0x12", 0 },  { "\303\251", 0 },
        { "1/", 0 },  { "1:", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_age_header header;
        struct psn_age_stanza stanza;
        char text[256];
        size_t at;

        (void)snprintf(text, sizeof text,
                       VERSION_1 "-> scrypt " ZEROS_16 " %s\n" ZEROS_32 "\n" END,
                       rows[i].text);
        assert_int_equal(parse(text, &header, NULL),
                         rows[i].value ? PSN_OK : PSN_E_INTEGRITY);
        if (!rows[i].value)
            continue;
        at = header.stanzas_at;
        assert_true(psn_age_header_next(&header, &at, &stanza));
        assert_int_equal(psn_age_stanza_work_factor(&stanza), rows[i].value);
    }
}

/* What one wrap function wrote, read as a header of a file. */
struct written {
    struct psn_buf text;
    struct psn_age_header header;
    struct psn_secret *file_key;
    struct psn_secret *found;
};

static const uint8_t file_key[PSN_AGE_FILE_KEY_SIZE] = "one file's own.";

static void begin(struct written *it)
{
    *it = (struct written){ .text = psn_buf_init(4096) };
    assert_int_equal(psn_secret_copy(file_key, sizeof file_key, &it->file_key, NULL),
                     PSN_OK);
    assert_int_equal(psn_secret_new(sizeof file_key, &it->found, NULL), PSN_OK);
    psn_age_header_begin(&it->text);
}

static void finish(struct written *it)
{
    psn_buf_text(&it->text, END);
    assert_int_equal(parse(psn_buf_str(&it->text), &it->header, NULL), PSN_OK);
}

static void release(struct written *it)
{
    psn_buf_release(&it->text);
    psn_secret_free(it->file_key);
    psn_secret_free(it->found);
}

static void a_file_key_comes_back_by_its_passphrase_within_the_work_allowed(void **state)
{
    PSN_AUTO(psn_secret) *right = NULL;
    PSN_AUTO(psn_secret) *wrong = NULL;
    enum psn_age_unwrapped unwrapped = PSN_AGE_MALFORMED;
    struct psn_age_stanza stanza;
    struct written it;
    size_t at;

    (void)state;
    assert_int_equal(psn_secret_copy("mot", 3, &right, NULL), PSN_OK);
    assert_int_equal(psn_secret_copy("not", 3, &wrong, NULL), PSN_OK);
    begin(&it);
    assert_int_equal(psn_age_wrap_scrypt(right, 10, it.file_key, &it.text, NULL), PSN_OK);
    finish(&it);
    at = it.header.stanzas_at;
    assert_true(psn_age_header_next(&it.header, &at, &stanza));
    assert_int_equal(psn_age_unwrap_scrypt(&stanza, right, 9, it.found, &unwrapped, NULL),
                     PSN_E_INTEGRITY);
    assert_int_equal(
        psn_age_unwrap_scrypt(&stanza, wrong, 10, it.found, &unwrapped, NULL), PSN_OK);
    assert_int_equal(unwrapped, PSN_AGE_NOT_MINE);
    assert_int_equal(
        psn_age_unwrap_scrypt(&stanza, right, 10, it.found, &unwrapped, NULL), PSN_OK);
    assert_int_equal(unwrapped, PSN_AGE_UNWRAPPED);
    assert_true(psn_secret_equal(it.found, it.file_key));
    release(&it);
}

/* --- keys of OpenSSH --- */

static struct psn_secret *seed_of(uint8_t number,
                                  uint8_t ret_public[crypto_sign_PUBLICKEYBYTES])
{
    const uint8_t bytes[crypto_sign_SEEDBYTES] = { number };
    uint8_t key[crypto_sign_SECRETKEYBYTES];
    struct psn_secret *seed = NULL;

    (void)crypto_sign_seed_keypair(ret_public, key, bytes);
    assert_int_equal(psn_secret_copy(bytes, sizeof bytes, &seed, NULL), PSN_OK);
    return seed;
}

static void an_ssh_key_opens_its_own_stanza_and_does_not_touch_anothers(void **state)
{
    uint8_t my_public[crypto_sign_PUBLICKEYBYTES];
    uint8_t their_public[crypto_sign_PUBLICKEYBYTES];
    PSN_AUTO(psn_secret) *mine = seed_of(1, my_public);
    PSN_AUTO(psn_secret) *theirs = seed_of(2, their_public);
    struct psn_age_stanza stanza;
    struct written it;
    size_t at;

    (void)state;
    begin(&it);
    assert_int_equal(psn_age_wrap_ssh(my_public, it.file_key, &it.text, NULL), PSN_OK);
    finish(&it);
    at = it.header.stanzas_at;
    assert_true(psn_age_header_next(&it.header, &at, &stanza));
    assert_int_equal(psn_age_unwrap_ssh(&stanza, mine, it.found), PSN_AGE_UNWRAPPED);
    assert_true(psn_secret_equal(it.found, it.file_key));
    assert_int_equal(psn_age_unwrap_ssh(&stanza, theirs, it.found), PSN_AGE_NOT_MINE);
    /* A share of low order is its holder's to complain of, and nobody else's. */
    stanza.args[2] = (struct psn_age_span){ ZEROS_32, strlen(ZEROS_32) };
    assert_int_equal(psn_age_unwrap_ssh(&stanza, mine, it.found), PSN_AGE_MALFORMED);
    assert_int_equal(psn_age_unwrap_ssh(&stanza, theirs, it.found), PSN_AGE_NOT_MINE);
    assert_false(psn_age_header_next(&it.header, &at, &stanza));
    release(&it);
}

/* Both halves could change together: these were written once, and must open for ever. */
static void stanzas_that_were_written_earlier_still_open(void **state)
{
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    PSN_AUTO(psn_secret) *seed = seed_of(1, public);
    PSN_AUTO(psn_secret) *phrase = NULL;
    PSN_AUTO(psn_secret) *found = NULL;
    enum psn_age_unwrapped unwrapped = PSN_AGE_MALFORMED;
    struct psn_age_header header;
    struct psn_age_stanza stanza;
    size_t at;

    (void)state;
    assert_int_equal(psn_secret_copy("mot", 3, &phrase, NULL), PSN_OK);
    assert_int_equal(psn_secret_new(sizeof file_key, &found, NULL), PSN_OK);
    assert_int_equal(parse(VERSION_1 "-> scrypt kY4w/lt0o0Ty194QecdRGg 10\n"
                                     "wM5o2aIjItEGNK8FQaJ1Z7x4ITemLy9KJZgNyzcpr6c\n" END,
                           &header, NULL),
                     PSN_OK);
    at = header.stanzas_at;
    assert_true(psn_age_header_next(&header, &at, &stanza));
    assert_int_equal(psn_age_unwrap_scrypt(&stanza, phrase, 10, found, &unwrapped, NULL),
                     PSN_OK);
    assert_int_equal(unwrapped, PSN_AGE_UNWRAPPED);
    assert_memory_equal(psn_secret_bytes(found), file_key, sizeof file_key);
    assert_int_equal(
        parse(VERSION_1
              "-> ssh-ed25519 +7Mp3w v0xxVdhqU2kZh2EMNNrnzMof62GJNedQ6dtcu38okAA\n"
              "5t75DsUhZrM6Mbmx1ZNV3XILld3GfIt2owbs98H5ibQ\n" END,
              &header, NULL),
        PSN_OK);
    at = header.stanzas_at;
    assert_true(psn_age_header_next(&header, &at, &stanza));
    assert_int_equal(psn_age_unwrap_ssh(&stanza, seed, found), PSN_AGE_UNWRAPPED);
    assert_memory_equal(psn_secret_bytes(found), file_key, sizeof file_key);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_version_is_told_from_what_is_no_age_file),
        cmocka_unit_test(one_recipient_or_more_may_stand_there_and_a_passphrase_alone),
        cmocka_unit_test(a_work_factor_is_digits_that_begin_with_no_zero),
        cmocka_unit_test(a_file_key_comes_back_by_its_passphrase_within_the_work_allowed),
        cmocka_unit_test(an_ssh_key_opens_its_own_stanza_and_does_not_touch_anothers),
        cmocka_unit_test(stanzas_that_were_written_earlier_still_open),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
