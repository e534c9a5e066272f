#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/secret.h"

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

static void assert_hex(const void *bytes, size_t size, const char *expected)
{
    char hex[256];

    assert_true(2 * size < sizeof hex);
    assert_string_equal(psn_hex(bytes, size, hex), expected);
}

static void count_up(uint8_t *out, uint8_t first, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(first + i);
}

/* RFC 7693's algorithm with 32 bytes of output; values of an independent program. */
static void blake2b_gives_known_answers(void **state)
{
    uint8_t hash[PSN_HASH_SIZE];

    (void)state;
    psn_hash(NULL, 0, hash);
    assert_hex(hash, sizeof hash,
               "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    psn_hash(&(struct psn_part){ "abc", 3 }, 1, hash);
    assert_hex(hash, sizeof hash,
               "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static void parts_are_hashed_one_after_the_other(void **state)
{
    struct psn_part parts[] = { { "a", 1 }, { NULL, 0 }, { "bc", 2 } };
    uint8_t hash[PSN_HASH_SIZE];
    char sha1[PSN_SHA1_HEX_SIZE];

    (void)state;
    psn_hash(parts, 3, hash);
    assert_hex(hash, sizeof hash,
               "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    assert_int_equal(psn_sha1_hex(parts, 3, sha1, NULL), PSN_OK);
    assert_string_equal(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void a_keyed_hash_depends_on_its_key(void **state)
{
    PSN_AUTO(psn_secret) *key = NULL;
    uint8_t hash[PSN_HASH_SIZE];

    (void)state;
    assert_int_equal(psn_secret_new(32, &key, NULL), PSN_OK);
    count_up(psn_secret_fill(key), 0, 32);
    psn_secret_set_size(key, 32);
    psn_hash_keyed(key, &(struct psn_part){ "abc", 3 }, 1, hash);
    assert_hex(hash, sizeof hash,
               "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
    psn_secret_fill(key)[31] ^= 1;
    psn_hash_keyed(key, &(struct psn_part){ "abc", 3 }, 1, hash);
    assert_int_not_equal(hash[0] << 8 | hash[1], 0xd63a);
}

/* FIPS 180-4's examples. */
static void sha1_gives_known_answers(void **state)
{
    static const struct {
        const char *text;
        const char *hex;
    } rows[] = {
        { "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
        { "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
        { "The quick brown fox jumps over the lazy dog",
          "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12" },
    };
    static char million[1000000];
    char hex[PSN_SHA1_HEX_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(
            psn_sha1_hex(&(struct psn_part){ rows[i].text, strlen(rows[i].text) }, 1, hex,
                         NULL),
            PSN_OK);
        assert_string_equal(hex, rows[i].hex);
    }
    memset(million, 'a', sizeof million);
    assert_int_equal(
        psn_sha1_hex(&(struct psn_part){ million, sizeof million }, 1, hex, NULL),
        PSN_OK);
    assert_string_equal(hex, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

/* RFC 5869, A.1 to A.3 ------------------------------------------------------------- */

static void hkdf_agrees_with_rfc_5869_case_1(void **state)
{
    uint8_t ikm[22];
    uint8_t salt[13];
    uint8_t info[10];
    uint8_t okm[42];

    (void)state;
    memset(ikm, 0x0b, sizeof ikm);
    count_up(salt, 0x00, sizeof salt);
    count_up(info, 0xf0, sizeof info);
    psn_hkdf_sha256(ikm, sizeof ikm, salt, sizeof salt, info, sizeof info, okm,
                    sizeof okm);
    assert_hex(
        okm, sizeof okm,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b8"
        "87185865");
}

static void hkdf_agrees_with_rfc_5869_case_2(void **state)
{
    uint8_t ikm[80];
    uint8_t salt[80];
    uint8_t info[80];
    uint8_t okm[82];

    (void)state;
    count_up(ikm, 0x00, sizeof ikm);
    count_up(salt, 0x60, sizeof salt);
    count_up(info, 0xb0, sizeof info);
    psn_hkdf_sha256(ikm, sizeof ikm, salt, sizeof salt, info, sizeof info, okm,
                    sizeof okm);
    assert_hex(
        okm, sizeof okm,
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7"
        "827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5"
        "c1f3434f1d87");
}

static void hkdf_agrees_with_rfc_5869_case_3(void **state)
{
    uint8_t ikm[22];
    uint8_t okm[42];

    (void)state;
    memset(ikm, 0x0b, sizeof ikm);
    psn_hkdf_sha256(ikm, sizeof ikm, NULL, 0, NULL, 0, okm, sizeof okm);
    assert_hex(
        okm, sizeof okm,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4"
        "b61a96c8");
}

static void every_shorter_output_of_hkdf_is_a_beginning_of_the_longest(void **state)
{
    static uint8_t longest[8160];
    static uint8_t shorter[8160];

    (void)state;
    psn_hkdf_sha256("key", 3, "salt", 4, "info", 4, longest, sizeof longest);
    for (size_t size = 0; size <= sizeof longest; size += 51) {
        memset(shorter, 0xee, sizeof shorter);
        psn_hkdf_sha256("key", 3, "salt", 4, "info", 4, shorter, size);
        assert_memory_equal(shorter, longest, size);
        if (size < sizeof shorter)
            assert_int_equal(shorter[size], 0xee);
    }
}

static void random_bytes_differ(void **state)
{
    uint8_t a[32] = { 0 };
    uint8_t b[32] = { 0 };

    (void)state;
    psn_random(a, sizeof a);
    psn_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blake2b_gives_known_answers),
        cmocka_unit_test(parts_are_hashed_one_after_the_other),
        cmocka_unit_test(a_keyed_hash_depends_on_its_key),
        cmocka_unit_test(sha1_gives_known_answers),
        cmocka_unit_test(hkdf_agrees_with_rfc_5869_case_1),
        cmocka_unit_test(hkdf_agrees_with_rfc_5869_case_2),
        cmocka_unit_test(hkdf_agrees_with_rfc_5869_case_3),
        cmocka_unit_test(every_shorter_output_of_hkdf_is_a_beginning_of_the_longest),
        cmocka_unit_test(random_bytes_differ),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
