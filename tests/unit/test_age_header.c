#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "age/header.h"
#include "age/identity.h"
#include "age/wrap.h"
#include "base/auto.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "support/memory.h"

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

/* The text as it stands in a file: nothing behind it may be read. */
static enum psn_code parse_alone(const char *text, struct psn_error *err)
{
    size_t size = strlen(text);
    PSN_AUTO_FREE char *copy = memory_alone(text, size);
    struct psn_age_header header;

    return psn_age_header_parse(copy, size, &header, err);
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
        { "age-encryption.org/v1", PSN_E_TOO_NEW },
        { "age-encryption.org/v", PSN_E_TOO_NEW },
        { "age-encryption.org/", PSN_E_TOO_NEW },
        { "age-encryption.org", PSN_E_INTEGRITY },
        { "age-encryption.orgs/v1\n", PSN_E_INTEGRITY },
        { "age-encryption.com/v1\n-> unknown\n\n" END, PSN_E_INTEGRITY },
        { "Good morning, here are the passwords\n", PSN_E_INTEGRITY },
        { "", PSN_E_INTEGRITY },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_error err = { 0 };

        assert_int_equal(parse_alone(rows[i].text, &err), rows[i].code);
        if (rows[i].code == PSN_E_INTEGRITY)
            assert_non_null(strstr(err.message, "this is not an age file"));
    }
}

#define X25519    "-> X25519 " ZEROS_32 "\n" ZEROS_32 "\n"
#define SSH       "-> ssh-ed25519 AAAAAA " ZEROS_32 "\n" ZEROS_32 "\n"
#define SCRYPT    "-> scrypt " ZEROS_16 " 10\n" ZEROS_32 "\n"
#define FULL      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define MALFORMED "a recipient in the age header is malformed"

/* A header, and what is said of it; NULL: nothing. */
struct said {
    const char *text;
    const char *why;
};

static void each_is_said(const struct said *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct psn_error err = { 0 };
        enum psn_code rc = parse_alone(rows[i].text, &err);

        assert_int_equal(rc, rows[i].why ? PSN_E_INTEGRITY : PSN_OK);
        if (rows[i].why && !strstr(err.message, rows[i].why))
            fail_msg("row %zu: %s", i, err.message);
    }
}

static void one_recipient_or_more_may_stand_there_and_a_passphrase_alone(void **state)
{
    static const struct said rows[] = {
        { VERSION_1 X25519 END, NULL },
        { VERSION_1 X25519 X25519 X25519 END, NULL },
        { VERSION_1 X25519 SSH END, NULL },
        { VERSION_1 SCRYPT END, NULL },
        { VERSION_1 END, "the age header has no recipient" },
        { VERSION_1 SCRYPT X25519 END, "other recipients beside a passphrase" },
        { VERSION_1 X25519 SCRYPT END, "other recipients beside a passphrase" },
        { VERSION_1 SCRYPT SCRYPT END, "other recipients beside a passphrase" },
    };

    (void)state;
    each_is_said(rows, sizeof rows / sizeof *rows);
}

static void a_header_ends_with_its_mac_and_nothing_else(void **state)
{
    static const struct said rows[] = {
        { VERSION_1, MALFORMED },
        { VERSION_1 X25519, MALFORMED },
        { VERSION_1 X25519 "--", MALFORMED },
        { VERSION_1 X25519 "---", "the last line of the age header" },
        { VERSION_1 X25519 "--- ", "the last line of the age header" },
        { VERSION_1 X25519 "---\n", "the last line of the age header" },
        { VERSION_1 X25519 "---x" ZEROS_32 "\n", "the last line of the age header" },
        { VERSION_1 X25519 "--x" ZEROS_32 "\n", MALFORMED },
        { VERSION_1 X25519 "--- " ZEROS_32, "the last line of the age header" },
        { VERSION_1 X25519 "--- " ZEROS_32 "x", "the last line of the age header" },
        { VERSION_1 X25519 "--- " ZEROS_32 "\nx", "the last line of the age header" },
        { VERSION_1 X25519 "--- A" ZEROS_32 "\n", "the last line of the age header" },
        { VERSION_1 X25519 "--- " ZEROS_16 "!" ZEROS_16 "\n", "the last line" },
        { VERSION_1 X25519 END "\n", "the last line of the age header" },
    };

    (void)state;
    each_is_said(rows, sizeof rows / sizeof *rows);
}

static void a_stanza_of_an_unknown_type_is_held_to_the_grammar_alone(void **state)
{
    static const struct said rows[] = {
        { VERSION_1 "-> unknown\n\n" END, NULL },
        { VERSION_1 "-> !~ un known a b c d\n\n" END, NULL },
        { VERSION_1 "-> unknown\n" FULL "\n\n" END, NULL },
        { VERSION_1 "-> unknown\n" FULL "\n" FULL "\nAAAA\n" END, NULL },
        { VERSION_1 "-> unknown\nAAAA\n-> more\n\n" END, NULL },
        { VERSION_1 "-> un\001known\n\n" END, MALFORMED },
        { VERSION_1 "-> un\177known\n\n" END, MALFORMED },
        { VERSION_1 "-> un\303\251known\n\n" END, MALFORMED },
        { VERSION_1 "-> un\tknown\n\n" END, MALFORMED },
        { VERSION_1 "-> \n\n" END, MALFORMED },
        { VERSION_1 "-> unknown \n\n" END, MALFORMED },
        { VERSION_1 "->  unknown\n\n" END, MALFORMED },
        { VERSION_1 "-> un  known\n\n" END, MALFORMED },
        { VERSION_1 "->\n\n" END, MALFORMED },
        { VERSION_1 "->unknown\n\n" END, MALFORMED },
        { VERSION_1 "=> unknown\n\n" END, MALFORMED },
        { VERSION_1 "\n\n" END, MALFORMED },
        { VERSION_1 "-> unknown\n" FULL "\n" END, MALFORMED },
        { VERSION_1 "-> unknown\nAAAA\nAAAA\n" END, MALFORMED },
        { VERSION_1 "-> unknown\n!AAA\n" END, MALFORMED },
        { VERSION_1 "-> unknown\nAB\n" END, MALFORMED },
        { VERSION_1 "-> unknown\n" FULL "AA\n" END, MALFORMED },
        { VERSION_1 "-> unknown\n" FULL, MALFORMED },
        { VERSION_1 "-> unknown\nAAAA", MALFORMED },
    };

    (void)state;
    each_is_said(rows, sizeof rows / sizeof *rows);
}

static void a_stanza_of_a_known_type_has_its_form(void **state)
{
    static const struct said rows[] = {
        { VERSION_1 "-> X25519\n" ZEROS_32 "\n" END, "an X25519 recipient" },
        { VERSION_1 "-> X25519 " ZEROS_16 "\n" ZEROS_32 "\n" END, "an X25519 recipient" },
        { VERSION_1 "-> X25519 " ZEROS_32 " x\n" ZEROS_32 "\n" END,
          "an X25519 recipient" },
        { VERSION_1 "-> X25519 " ZEROS_32 "\n" ZEROS_16 "\n" END, "an X25519 recipient" },
        { VERSION_1 "-> X25519 " ZEROS_32 "\n" ZEROS_32 "AAAA\n" END,
          "an X25519 recipient" },
        { VERSION_1 "-> X25519 " ZEROS_32 "\n" FULL "\n\n" END, "an X25519 recipient" },
        { VERSION_1 "-> ssh-ed25519 AAAAAA\n" ZEROS_32 "\n" END, "an ssh-ed25519" },
        { VERSION_1 "-> ssh-ed25519 AAAAA " ZEROS_32 "\n" ZEROS_32 "\n" END,
          "an ssh-ed25519" },
        { VERSION_1 "-> ssh-ed25519 AAAAAA " ZEROS_16 "\n" ZEROS_32 "\n" END,
          "an ssh-ed25519" },
        { VERSION_1 "-> ssh-ed25519 AAAAAA " ZEROS_32 " x\n" ZEROS_32 "\n" END,
          "an ssh-ed25519" },
        { VERSION_1 "-> scrypt AAAA 10\n" ZEROS_32 "\n" END, "the passphrase" },
        { VERSION_1 "-> scrypt " ZEROS_16 "\n" ZEROS_32 "\n" END, "the passphrase" },
        { VERSION_1 "-> scrypt " ZEROS_16 " 10 10\n" ZEROS_32 "\n" END,
          "the passphrase" },
        { VERSION_1 "-> scrypt " ZEROS_16 " 10\n\n" END, "the passphrase" },
        { VERSION_1 "-> mlkem768x25519 " ZEROS_32 "\n" ZEROS_32 "\n" END,
          "a post-quantum" },
        /* Types are told in whole, and in their own letters. */
        { VERSION_1 "-> x25519 !\n\n" END, NULL },
        { VERSION_1 "-> X25519x !\n\n" END, NULL },
        { VERSION_1 "-> X2551 !\n\n" END, NULL },
    };

    (void)state;
    each_is_said(rows, sizeof rows / sizeof *rows);
}

/* A recipient of ML-KEM-768 and X25519 is somebody else's, and may stand there. */
static void a_post_quantum_share_has_1120_bytes(void **state)
{
    (void)state;
    for (size_t size = 1119; size <= 1121; size++) {
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);
        struct psn_age_header header;

        psn_buf_text(&text, VERSION_1 "-> mlkem768x25519 ");
        for (size_t i = 0; i < (size * 4 + 2) / 3; i++)
            psn_buf_char(&text, 'A');
        psn_buf_text(&text, "\n" ZEROS_32 "\n" END);
        assert_int_equal(parse(psn_buf_str(&text), &header, NULL),
                         size == 1120 ? PSN_OK : PSN_E_INTEGRITY);
    }
}

/* What does not fit is counted, not kept. */
static void arguments_and_a_body_are_kept_as_far_as_there_is_room(void **state)
{
    static const char text[] = VERSION_1 "-> a bc def ghij\n" FULL "\n/w\n-> k\n/w\n" END;
    struct psn_age_header header;
    struct psn_age_stanza stanza;
    size_t at;

    (void)state;
    assert_int_equal(parse(text, &header, NULL), PSN_OK);
    at = header.stanzas_at;
    assert_true(psn_age_header_next(&header, &at, &stanza));
    assert_int_equal(stanza.arg_count, 4);
    for (size_t i = 0; i < PSN_AGE_ARGS_MAX; i++)
        assert_int_equal(stanza.args[i].size, i + 1);
    assert_memory_equal(stanza.args[2].at, "def", 3);
    assert_int_equal(stanza.body_size, 49);
    assert_int_equal(stanza.body[0], 0);
    assert_true(psn_age_header_next(&header, &at, &stanza));
    assert_int_equal(stanza.arg_count, 1);
    assert_int_equal(stanza.body_size, 1);
    assert_int_equal(stanza.body[0], 0xff);
    assert_int_equal(at, header.mac_at);
    assert_false(psn_age_header_next(&header, &at, &stanza));
}

/* --- a passphrase's stanza --- */

static void a_work_factor_is_digits_that_begin_with_no_zero(void **state)
{
    static const struct {
        const char *text;
        uint32_t value; /* 0: refused */
    } rows[] = {
        { "1", 1 },
        { "9", 9 },
        { "10", 10 },
        { "18", 18 },
        { "203", 203 },
        { "99999999999", UINT32_MAX },
        { "0", 0 },
        { "01", 0 },
        { "1x", 0 },
        { "x1", 0 },
        { "-1", 0 },
        { "+1", 0 },
        { "1.5", 0 },
        { "0x12", 0 },
        { "\303\251", 0 },
        { "1/", 0 },
        { "1:", 0 },
        { "2684354559", 2684354559 }, /* the last that is read */
        { "2684354560", UINT32_MAX },
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
    stanza.args[1] = (struct psn_age_span){ ZEROS_32, strlen(ZEROS_32) }; /* not 16 */
    assert_int_equal(
        psn_age_unwrap_scrypt(&stanza, right, 10, it.found, &unwrapped, NULL), PSN_OK);
    assert_int_equal(unwrapped, PSN_AGE_MALFORMED);
    release(&it);
}

int __real_crypto_pwhash_scryptsalsa208sha256_ll(const uint8_t *phrase,
                                                 size_t phrase_size, const uint8_t *salt,
                                                 size_t salt_size, uint64_t n, uint32_t r,
                                                 uint32_t p, uint8_t *key,
                                                 size_t key_size);
int __wrap_crypto_pwhash_scryptsalsa208sha256_ll(const uint8_t *phrase,
                                                 size_t phrase_size, const uint8_t *salt,
                                                 size_t salt_size, uint64_t n, uint32_t r,
                                                 uint32_t p, uint8_t *key,
                                                 size_t key_size);

static bool memory_ends;

int __wrap_crypto_pwhash_scryptsalsa208sha256_ll(const uint8_t *phrase,
                                                 size_t phrase_size, const uint8_t *salt,
                                                 size_t salt_size, uint64_t n, uint32_t r,
                                                 uint32_t p, uint8_t *key,
                                                 size_t key_size)
{
    return memory_ends
               ? -1
               : __real_crypto_pwhash_scryptsalsa208sha256_ll(
                     phrase, phrase_size, salt, salt_size, n, r, p, key, key_size);
}

static void a_passphrase_without_memory_fails_and_says_how_much_it_needs(void **state)
{
    static const struct {
        unsigned work_factor;
        const char *says;
    } rows[] = {
        { 1, "needs 1 MiB of" },  { 9, "needs 1 MiB of" },    { 10, "needs 1 MiB of" },
        { 11, "needs 2 MiB of" }, { 18, "needs 256 MiB of" }, { 22, "needs 4096 MiB of" },
    };
    PSN_AUTO(psn_secret) *phrase = NULL;

    (void)state;
    assert_int_equal(psn_secret_copy("mot", 3, &phrase, NULL), PSN_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum psn_age_unwrapped unwrapped = PSN_AGE_MALFORMED;
        struct psn_error err = { 0 };
        struct psn_age_stanza stanza;
        struct written it;
        char header[256];
        size_t at;

        begin(&it);
        memory_ends = true;
        assert_int_equal(
            psn_age_wrap_scrypt(phrase, rows[i].work_factor, it.file_key, &it.text, &err),
            PSN_E_NOMEM);
        assert_non_null(strstr(err.message, rows[i].says));
        (void)snprintf(header, sizeof header, "-> scrypt " ZEROS_16 " %u\n" ZEROS_32 "\n",
                       rows[i].work_factor);
        psn_buf_text(&it.text, header);
        finish(&it);
        at = it.header.stanzas_at;
        assert_true(psn_age_header_next(&it.header, &at, &stanza));
        assert_int_equal(
            psn_age_unwrap_scrypt(&stanza, phrase, 22, it.found, &unwrapped, NULL),
            PSN_E_NOMEM);
        assert_int_equal(unwrapped, PSN_AGE_NOT_MINE);
        assert_int_equal(psn_secret_size(it.found), 0);
        memory_ends = false;
        release(&it);
    }
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
    /* So is one of another length, were the parser to let it through. */
    for (size_t arg = 2; arg > 0; arg--) {
        stanza.args[arg] = (struct psn_age_span){ ZEROS_16, strlen(ZEROS_16) };
        assert_int_equal(psn_age_unwrap_ssh(&stanza, mine, it.found), PSN_AGE_MALFORMED);
    }
    stanza.args[0] = (struct psn_age_span){ "X25519", strlen("X25519") };
    assert_int_equal(psn_age_unwrap_x25519(&stanza, mine, it.found), PSN_AGE_MALFORMED);
    assert_false(psn_age_header_next(&it.header, &at, &stanza));
    release(&it);
}

/* age's own test vector "x25519" (C2SP/CCTV). */
static void a_stanza_of_ages_test_vectors_opens(void **state)
{
    static const char identity[] =
        "AGE-SECRET-KEY-1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4QX3S7F6\n";
    PSN_AUTO(psn_secret) *text = NULL;
    PSN_AUTO(psn_secret) *scalar = NULL;
    PSN_AUTO(psn_secret) *found = NULL;
    struct psn_age_header header;
    struct psn_age_stanza stanza;
    size_t at;

    (void)state;
    assert_int_equal(psn_secret_copy(identity, sizeof identity - 1, &text, NULL), PSN_OK);
    assert_int_equal(psn_age_identity_parse(text, &scalar, NULL), PSN_OK);
    assert_int_equal(psn_secret_new(PSN_AGE_FILE_KEY_SIZE, &found, NULL), PSN_OK);
    assert_int_equal(parse(VERSION_1
                           "-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\n"
                           "EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U\n" END,
                           &header, NULL),
                     PSN_OK);
    at = header.stanzas_at;
    assert_true(psn_age_header_next(&header, &at, &stanza));
    assert_int_equal(psn_age_unwrap_x25519(&stanza, scalar, found), PSN_AGE_UNWRAPPED);
    assert_memory_equal(psn_secret_bytes(found), "YELLOW SUBMARINE", 16);
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
        cmocka_unit_test(a_header_ends_with_its_mac_and_nothing_else),
        cmocka_unit_test(a_stanza_of_an_unknown_type_is_held_to_the_grammar_alone),
        cmocka_unit_test(a_stanza_of_a_known_type_has_its_form),
        cmocka_unit_test(a_post_quantum_share_has_1120_bytes),
        cmocka_unit_test(arguments_and_a_body_are_kept_as_far_as_there_is_room),
        cmocka_unit_test(a_work_factor_is_digits_that_begin_with_no_zero),
        cmocka_unit_test(a_file_key_comes_back_by_its_passphrase_within_the_work_allowed),
        cmocka_unit_test(a_passphrase_without_memory_fails_and_says_how_much_it_needs),
        cmocka_unit_test(an_ssh_key_opens_its_own_stanza_and_does_not_touch_anothers),
        cmocka_unit_test(a_stanza_of_ages_test_vectors_opens),
        cmocka_unit_test(stanzas_that_were_written_earlier_still_open),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
