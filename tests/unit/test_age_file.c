#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "age/armor.h"
#include "age/bech32.h"
#include "age/identity.h"
#include "age/lists.h"
#include "base/stream.h"
#include "crypto/base64.h"
#include "crypto/chunk.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "support/memory.h"

enum {
    CHUNK = 64 * 1024
};

static struct psn_age_identities *by;
static struct psn_age_recipients *to;

static int set_up(void **state)
{
    PSN_AUTO(psn_secret) *scalar = NULL;
    PSN_AUTO(psn_secret) *text = NULL;
    char recipient[PSN_AGE_RECIPIENT_MAX];

    (void)state;
    if (psn_crypto_init(NULL) || psn_age_identity_new(&scalar, NULL) ||
        psn_age_identity_text(scalar, &text, NULL) ||
        psn_age_recipient(scalar, recipient, NULL) || psn_age_recipients_new(&to, NULL) ||
        psn_age_identities_new(&by, NULL) ||
        psn_age_recipients_add(to, recipient, NULL) ||
        psn_age_identities_add(by, text, NULL))
        return -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    psn_age_recipients_free(to);
    psn_age_identities_free(by);
    return 0;
}

/* Helpers -------------------------------------------------------------------------- */

static void encrypt(const void *plain, size_t size, bool armor, struct psn_buf *out)
{
    struct psn_stream_memory memory = { plain, size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(out);

    psn_buf_reset(out);
    assert_int_equal(psn_age_encrypt(to, armor, &source, &sink, NULL), PSN_OK);
}

static enum psn_code decrypt(const void *file, size_t size, struct psn_buf *out,
                             enum psn_age_failure *ret_failure)
{
    struct psn_stream_memory memory = { file, size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(out);

    psn_buf_reset(out);
    return psn_age_decrypt(by, NULL, &source, &sink, ret_failure, NULL);
}

/* A source that gives few bytes at a time, as a pipe does. */
struct trickle {
    struct psn_stream_memory memory;
    size_t most;
};

static enum psn_code trickle_read(void *self, void *bytes, size_t size, size_t *ret_size,
                                  struct psn_error *err)
{
    struct trickle *trickle = self;
    struct psn_source source = psn_source_memory(&trickle->memory);

    return source.read(source.self, bytes, size < trickle->most ? size : trickle->most,
                       ret_size, err);
}

/* The cipher ----------------------------------------------------------------------- */

static void both_libraries_seal_and_open_the_same(void **state)
{
    static const size_t sizes[] = { 0, 1, 15, 16, 17, 64, 1000, CHUNK };
    static uint8_t plain[CHUNK];
    static uint8_t a[CHUNK + PSN_CHUNK_TAG_SIZE];
    static uint8_t b[CHUNK + PSN_CHUNK_TAG_SIZE];
    PSN_AUTO(psn_secret) *key = NULL;
    PSN_AUTO(psn_chunk) *few = NULL;
    PSN_AUTO(psn_chunk) *many = NULL;

    (void)state;
    assert_int_equal(psn_secret_new(PSN_CHUNK_KEY_SIZE, &key, NULL), PSN_OK);
    psn_random(psn_secret_fill(key), PSN_CHUNK_KEY_SIZE);
    psn_secret_set_size(key, PSN_CHUNK_KEY_SIZE);
    psn_random(plain, sizeof plain);
    assert_int_equal(psn_chunk_new(key, PSN_CHUNK_FEW, &few, NULL), PSN_OK);
    assert_int_equal(psn_chunk_new(key, PSN_CHUNK_MANY, &many, NULL), PSN_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const uint8_t nonce[PSN_CHUNK_NONCE_SIZE] = { 1, 2, (uint8_t)i };
        size_t box_size = sizes[i] + PSN_CHUNK_TAG_SIZE;

        assert_true(psn_chunk_seal(few, nonce, plain, sizes[i], a));
        assert_true(psn_chunk_seal(many, nonce, plain, sizes[i], b));
        assert_memory_equal(a, b, box_size);
        assert_true(psn_chunk_open(many, nonce, a, box_size, b));
        assert_memory_equal(b, plain, sizes[i]);
        a[box_size - 1] ^= 1;
        memset(b, 1, sizeof b);
        assert_false(psn_chunk_open(few, nonce, a, box_size, b));
        assert_false(psn_chunk_open(many, nonce, a, box_size, b));
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(b[at], 0);
        assert_false(psn_chunk_open(many, nonce, a, PSN_CHUNK_TAG_SIZE - 1, b));
    }
}

/* RFC 7914, section 12: the two that need little memory, and r = 8 as age uses it. */
static void scrypt_agrees_with_rfc_7914(void **state)
{
    static const struct {
        const char *passphrase, *salt;
        uint64_t n;
        uint32_t r, p;
        const char *hex;
    } rows[] = {
        { "", "", 16, 1, 1,
          "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
          "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906" },
        { "password", "NaCl", 1024, 8, 16,
          "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
          "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640" },
        { "pleaseletmein", "SodiumChloride", 16384, 8, 1,
          "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
          "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t key[64];
        char hex[129];

        assert_int_equal(crypto_pwhash_scryptsalsa208sha256_ll(
                             (const uint8_t *)rows[i].passphrase,
                             strlen(rows[i].passphrase), (const uint8_t *)rows[i].salt,
                             strlen(rows[i].salt), rows[i].n, rows[i].r, rows[i].p, key,
                             sizeof key),
                         0);
        assert_string_equal(psn_hex(key, sizeof key, hex), rows[i].hex);
    }
}

static void base64_has_one_spelling(void **state)
{
    static const struct {
        enum psn_base64 form;
        const char *text;
        int size; /* -1: refused */
    } rows[] = {
        { PSN_BASE64_RAW, "", 0 },         { PSN_BASE64_RAW, "AA", 1 },
        { PSN_BASE64_RAW, "AB", -1 },      { PSN_BASE64_RAW, "AA==", -1 },
        { PSN_BASE64_RAW, "A", -1 },       { PSN_BASE64_RAW, "AAAA\n", -1 },
        { PSN_BASE64_RAW, "AA-_", -1 },    { PSN_BASE64, "AA==", 1 },
        { PSN_BASE64, "AA", -1 },          { PSN_BASE64, "AA=", -1 },
        { PSN_BASE64, "AB==", -1 },        { PSN_BASE64, "AA=A", -1 },
        { PSN_BASE64, "AAAA", 3 },         { PSN_BASE64, "AAAA=", -1 },
        { PSN_BASE64, "A\nAAA", -1 },      { PSN_BASE64_LINES, "A\nAA\r\nA\n", 3 },
        { PSN_BASE64_LINES, "A AAA", -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[8];
        size_t size = 77;
        bool decoded = psn_base64_decode(rows[i].form, rows[i].text, strlen(rows[i].text),
                                         bytes, sizeof bytes, &size);

        assert_int_equal(decoded, rows[i].size >= 0);
        assert_int_equal(size, rows[i].size >= 0 ? rows[i].size : 77);
    }
}

/* Found by fuzzing: libsodium 1.0.18 alone accepts bytes above 127. */
static void no_byte_outside_the_alphabet_is_base64(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char text[] = { 'A', 'A', (char)c, 'A' };
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      (c >= '0' && c <= '9') || c == '+' || c == '/';
        uint8_t bytes[3];
        size_t size;

        assert_int_equal(psn_base64_decode(PSN_BASE64_RAW, text, 4, bytes, 3, &size),
                         letter);
        assert_int_equal(psn_base64_decode(PSN_BASE64, text, 4, bytes, 3, &size), letter);
    }
}

/* Round trips ---------------------------------------------------------------------- */

static void contents_of_every_length_come_back(void **state)
{
    static const size_t sizes[] = { 0,
                                    1,
                                    31,
                                    48,
                                    CHUNK - 1,
                                    CHUNK,
                                    CHUNK + 1,
                                    2 * CHUNK,
                                    4 * CHUNK - 1,
                                    4 * CHUNK,
                                    4 * CHUNK + 1,
                                    5 * CHUNK,
                                    8 * CHUNK + 1 };
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(4 << 20);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4 << 20);
    PSN_AUTO_FREE uint8_t *plain = malloc(8 * CHUNK + 1);

    (void)state;
    psn_random(plain, 8 * CHUNK + 1);
    for (size_t i = 0; i < 2 * (sizeof sizes / sizeof *sizes); i++) {
        enum psn_age_failure failure = PSN_AGE_ARMOR;
        size_t size = sizes[i / 2];

        encrypt(plain, size, i % 2, &file);
        assert_int_equal(decrypt(file.data, file.size, &out, &failure), PSN_OK);
        assert_int_equal(failure, PSN_AGE_NO_FAILURE);
        assert_int_equal(out.size, size);
        if (size > 0)
            assert_memory_equal(out.data, plain, size);
    }
}

static void a_source_that_trickles_makes_no_difference(void **state)
{
    static const size_t most[] = { 1, 7, 4096, CHUNK + 1 };
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(1 << 20);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1 << 20);
    PSN_AUTO_FREE uint8_t *plain = malloc(CHUNK + 9);

    (void)state;
    psn_random(plain, CHUNK + 9);
    for (size_t i = 0; i < 2 * (sizeof most / sizeof *most); i++) {
        struct trickle trickle = { .most = most[i / 2] };
        struct psn_source source = { .read = trickle_read, .self = &trickle };
        struct psn_sink sink = psn_sink_buf(&file);

        psn_buf_reset(&file);
        trickle.memory = (struct psn_stream_memory){ plain, CHUNK + 9, 0 };
        assert_int_equal(psn_age_encrypt(to, i % 2, &source, &sink, NULL), PSN_OK);
        trickle.memory = (struct psn_stream_memory){ file.data, file.size, 0 };
        sink = psn_sink_buf(&out);
        psn_buf_reset(&out);
        assert_int_equal(psn_age_decrypt(by, NULL, &source, &sink, NULL, NULL), PSN_OK);
        assert_int_equal(out.size, CHUNK + 9);
        assert_memory_equal(out.data, plain, out.size);
    }
}

static void two_files_of_one_content_share_nothing(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) a = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) b = psn_buf_init(4096);

    (void)state;
    encrypt("the same", 8, false, &a);
    encrypt("the same", 8, false, &b);
    assert_int_equal(a.size, b.size);
    assert_memory_not_equal(a.data + 32, b.data + 32, 43);
    assert_memory_not_equal(a.data + a.size - 24, b.data + b.size - 24, 24);
}

/* Refusals ------------------------------------------------------------------------- */

static void every_changed_bit_is_refused_and_releases_nothing(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
    bool seen[PSN_AGE_ARMOR + 1] = { false };

    (void)state;
    encrypt("mot de passe", 12, false, &file);
    for (size_t at = 0; at < file.size; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            enum psn_age_failure failure = PSN_AGE_NO_FAILURE;

            file.data[at] ^= (uint8_t)(1U << bit);
            assert_int_not_equal(decrypt(file.data, file.size, &out, &failure), PSN_OK);
            assert_int_equal(out.size, 0);
            assert_int_not_equal(failure, PSN_AGE_NO_FAILURE);
            seen[failure] = true;
            file.data[at] ^= (uint8_t)(1U << bit);
        }
    assert_true(seen[PSN_AGE_HEADER] && seen[PSN_AGE_NO_MATCH] && seen[PSN_AGE_HMAC] &&
                seen[PSN_AGE_PAYLOAD]);
}

static void every_cut_and_addition_is_refused(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);

    (void)state;
    for (int armor = 0; armor < 2; armor++) {
        encrypt("mot de passe", 12, armor, &file);
        for (size_t size = 0; size < file.size - (size_t)armor; size++) {
            assert_int_not_equal(decrypt(file.data, size, &out, NULL), PSN_OK);
            assert_int_equal(out.size, 0);
        }
        psn_buf_char(&file, 'x');
        assert_int_not_equal(decrypt(file.data, file.size, &out, NULL), PSN_OK);
    }
}

/* Chunks of another order, a missing and a doubled one: what came before was authentic,
 * and nothing else is released. */
static void moved_chunks_are_refused(void **state)
{
    const size_t box = CHUNK + PSN_CHUNK_TAG_SIZE;
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(1 << 20);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1 << 20);
    PSN_AUTO_FREE uint8_t *plain = calloc(3, CHUNK);
    enum psn_age_failure failure;
    uint8_t *payload;
    uint8_t *copy;

    (void)state;
    encrypt(plain, (size_t)3 * CHUNK, false, &file);
    payload = file.data + file.size - 3 * box;
    assert_int_equal(decrypt(file.data, file.size - box, &out, &failure),
                     PSN_E_INTEGRITY);
    assert_int_equal(failure, PSN_AGE_PAYLOAD);
    copy = memory_alone(payload, box);
    memcpy(payload, payload + box, box);
    memcpy(payload + box, copy, box);
    free(copy);
    assert_int_equal(decrypt(file.data, file.size, &out, &failure), PSN_E_INTEGRITY);
    assert_int_equal(failure, PSN_AGE_PAYLOAD);
    assert_int_equal(out.size, 0);
}

/* However little is left of the chunk that was cut. */
static void a_file_cut_within_a_later_chunk_is_refused(void **state)
{
    static const size_t left[] = { 1, PSN_CHUNK_TAG_SIZE - 1, PSN_CHUNK_TAG_SIZE,
                                   PSN_CHUNK_TAG_SIZE + 1, CHUNK };
    const size_t box = CHUNK + PSN_CHUNK_TAG_SIZE;
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(1 << 20);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1 << 20);
    PSN_AUTO_FREE uint8_t *plain = calloc(3, CHUNK);

    (void)state;
    encrypt(plain, (size_t)3 * CHUNK, false, &file);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        enum psn_age_failure failure = PSN_AGE_NO_FAILURE;

        assert_int_equal(
            decrypt(file.data, file.size - 2 * box + left[i], &out, &failure),
            PSN_E_INTEGRITY);
        assert_int_equal(failure, PSN_AGE_PAYLOAD);
    }
}

/* A file in text form has one spelling: its lines are broken in one place. */
static void a_line_of_armor_that_is_broken_in_two_is_refused(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) broken = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
    enum psn_age_failure failure = PSN_AGE_NO_FAILURE;
    size_t at;

    (void)state;
    encrypt("mot de passe", 12, true, &file);
    at = strcspn(psn_buf_str(&file), "\n") + 1 + PSN_AGE_ARMOR_CHARS / 2;
    psn_buf_bytes(&broken, file.data, at);
    psn_buf_char(&broken, '\n');
    psn_buf_bytes(&broken, file.data + at, file.size - at);
    assert_int_equal(decrypt(broken.data, broken.size, &out, &failure), PSN_E_INTEGRITY);
    assert_int_equal(failure, PSN_AGE_ARMOR);
    assert_int_equal(out.size, 0);
}

static void what_stands_behind_the_bytes_read_makes_no_armor_of_them(void **state)
{
    static const uint8_t text[] = "\n\n-----BEGIN AGE ENCRYPTED FILE-----";

    (void)state;
    for (size_t size = 0; size < sizeof text; size++)
        assert_int_equal(psn_age_looks_armored(text, size), size >= 7);
}

static void a_file_above_the_limit_is_refused_while_it_is_read(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(1 << 20);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1 << 20);
    PSN_AUTO_FREE uint8_t *plain = calloc(1, CHUNK);
    struct psn_stream_memory memory;
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(&out);
    enum psn_age_failure failure;

    (void)state;
    encrypt(plain, CHUNK, false, &file);
    memory = (struct psn_stream_memory){ file.data, file.size, 0 };
    assert_int_equal(psn_age_decrypt(by, &(struct psn_age_limits){ file.size - 1 },
                                     &source, &sink, &failure, NULL),
                     PSN_E_LIMIT);
    assert_int_equal(failure, PSN_AGE_NO_FAILURE);
    memory.at = 0;
    assert_int_equal(psn_age_decrypt(by, &(struct psn_age_limits){ file.size }, &source,
                                     &sink, &failure, NULL),
                     PSN_OK);
}

static enum psn_code failing_read(void *self, void *bytes, size_t size, size_t *ret_size,
                                  struct psn_error *err)
{
    (void)self;
    (void)bytes;
    (void)size;
    *ret_size = 0;
    return psn_fail(err, PSN_E_INTEGRITY, "the disk");
}

static enum psn_code failing_write(void *self, const void *bytes, size_t size,
                                   struct psn_error *err)
{
    (void)self;
    (void)bytes;
    (void)size;
    return psn_fail(err, PSN_E_FULL, "no room");
}

static void failures_of_the_world_are_not_the_files(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(4096);
    struct psn_stream_memory memory;
    struct psn_source source = psn_source_memory(&memory);
    const struct psn_source broken = { .read = failing_read };
    const struct psn_sink full = { failing_write, NULL };
    const struct psn_sink out = psn_sink_buf(&file);
    enum psn_age_failure failure = PSN_AGE_ARMOR;

    (void)state;
    encrypt("x", 1, false, &file);
    memory = (struct psn_stream_memory){ file.data, file.size, 0 };
    assert_int_equal(psn_age_decrypt(by, NULL, &source, &full, &failure, NULL),
                     PSN_E_FULL);
    assert_int_equal(failure, PSN_AGE_NO_FAILURE);
    failure = PSN_AGE_ARMOR;
    assert_int_equal(psn_age_decrypt(by, NULL, &broken, &full, &failure, NULL),
                     PSN_E_INTEGRITY);
    assert_int_equal(failure, PSN_AGE_NO_FAILURE);
    assert_int_equal(psn_age_encrypt(to, true, &broken, &full, NULL), PSN_E_FULL);
    assert_int_equal(psn_age_encrypt(to, false, &broken, &out, NULL), PSN_E_INTEGRITY);
}

/* Lists ---------------------------------------------------------------------------- */

static void a_passphrase_stands_alone_and_has_bounds(void **state)
{
    PSN_AUTO(psn_age_recipients) *alone = NULL;
    PSN_AUTO(psn_age_identities) *tries = NULL;
    PSN_AUTO(psn_secret) *phrase = NULL;
    PSN_AUTO(psn_secret) *empty = NULL;
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
    struct psn_stream_memory memory = { "x", 1, 0 };
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(&file);
    enum psn_age_failure failure;

    (void)state;
    assert_int_equal(psn_secret_copy("mot", 3, &phrase, NULL), PSN_OK);
    assert_int_equal(psn_secret_copy("", 0, &empty, NULL), PSN_OK);
    assert_int_equal(psn_age_recipients_set_passphrase(to, phrase, 10, NULL),
                     PSN_E_CONFLICT);
    assert_int_equal(psn_age_recipients_new(&alone, NULL), PSN_OK);
    assert_int_equal(psn_age_encrypt(alone, false, &source, &sink, NULL), PSN_E_INVALID);
    assert_int_equal(psn_age_recipients_set_passphrase(alone, phrase, 0, NULL),
                     PSN_E_INVALID);
    assert_int_equal(psn_age_recipients_set_passphrase(alone, phrase, 23, NULL),
                     PSN_E_INVALID);
    assert_int_equal(psn_age_recipients_set_passphrase(alone, empty, 10, NULL),
                     PSN_E_INVALID);
    assert_int_equal(psn_age_recipients_set_passphrase(alone, phrase, 10, NULL), PSN_OK);
    assert_int_equal(psn_age_recipients_add(
                         alone,
                         "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
                         NULL),
                     PSN_E_CONFLICT);
    assert_int_equal(psn_age_encrypt(alone, false, &source, &sink, NULL), PSN_OK);

    assert_int_equal(psn_age_identities_new(&tries, NULL), PSN_OK);
    assert_int_equal(psn_age_identities_add_passphrase(tries, phrase, 9, NULL), PSN_OK);
    memory = (struct psn_stream_memory){ file.data, file.size, 0 };
    sink = psn_sink_buf(&out);
    assert_int_equal(psn_age_decrypt(tries, NULL, &source, &sink, &failure, NULL),
                     PSN_E_INTEGRITY);
    assert_int_equal(failure, PSN_AGE_HEADER);
    assert_int_equal(psn_age_identities_add_passphrase(tries, phrase, 10, NULL), PSN_OK);
    memory.at = 0;
    /* The first one's cap refuses the file before the second is tried. */
    assert_int_equal(psn_age_decrypt(tries, NULL, &source, &sink, &failure, NULL),
                     PSN_E_INTEGRITY);
}

/* Points of small order, on which every secret agrees: anybody could open the file. */
static void low_order_recipients_are_refused(void **state)
{
    static const uint8_t points[][32] = {
        { 0 },
        { 1 },
        { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
          0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
          0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        PSN_AUTO(psn_age_recipients) *low = NULL;
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
        struct psn_stream_memory memory = { "x", 1, 0 };
        struct psn_source source = psn_source_memory(&memory);
        struct psn_sink sink = psn_sink_buf(&out);
        char recipient[PSN_AGE_RECIPIENT_MAX];

        assert_true(psn_bech32_encode("age", points[i], 32, recipient, sizeof recipient));
        assert_int_equal(psn_age_recipients_new(&low, NULL), PSN_OK);
        assert_int_equal(psn_age_recipients_add(low, recipient, NULL), PSN_OK);
        assert_int_equal(psn_age_encrypt(low, false, &source, &sink, NULL),
                         PSN_E_INVALID);
        assert_int_equal(out.size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_libraries_seal_and_open_the_same),
        cmocka_unit_test(scrypt_agrees_with_rfc_7914),
        cmocka_unit_test(base64_has_one_spelling),
        cmocka_unit_test(no_byte_outside_the_alphabet_is_base64),
        cmocka_unit_test(contents_of_every_length_come_back),
        cmocka_unit_test(a_source_that_trickles_makes_no_difference),
        cmocka_unit_test(two_files_of_one_content_share_nothing),
        cmocka_unit_test(every_changed_bit_is_refused_and_releases_nothing),
        cmocka_unit_test(every_cut_and_addition_is_refused),
        cmocka_unit_test(moved_chunks_are_refused),
        cmocka_unit_test(a_file_cut_within_a_later_chunk_is_refused),
        cmocka_unit_test(a_line_of_armor_that_is_broken_in_two_is_refused),
        cmocka_unit_test(what_stands_behind_the_bytes_read_makes_no_armor_of_them),
        cmocka_unit_test(a_file_above_the_limit_is_refused_while_it_is_read),
        cmocka_unit_test(failures_of_the_world_are_not_the_files),
        cmocka_unit_test(a_passphrase_stands_alone_and_has_bounds),
        cmocka_unit_test(low_order_recipients_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
