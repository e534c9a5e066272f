#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/digest.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/keystream.h"
#include "crypto/secret.h"

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

static void assert_hex(const uint8_t *bytes, size_t size, const char *expected)
{
    char hex[257];

    assert_true(2 * size < sizeof hex);
    assert_string_equal(psn_hex(bytes, size, hex), expected);
}

static struct psn_keystream *zero_stream(void)
{
    static const uint8_t key[PSN_KEYSTREAM_KEY_SIZE];
    static const uint8_t nonce[PSN_KEYSTREAM_NONCE_SIZE];
    struct psn_keystream *stream = NULL;

    assert_int_equal(psn_keystream_new(key, nonce, &stream, NULL), PSN_OK);
    return stream;
}

/* RFC 8439, appendix A.1, vectors 1 and 2: the first two blocks. */
static void the_stream_is_rfc_8439s(void **state)
{
    PSN_AUTO(psn_keystream) *stream = zero_stream();
    uint8_t block[64] = { 0 };

    (void)state;
    psn_keystream_apply(stream, block, sizeof block);
    assert_hex(block, sizeof block,
               "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
               "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
    memset(block, 0, sizeof block);
    psn_keystream_apply(stream, block, sizeof block);
    assert_hex(block, sizeof block,
               "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
               "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
}

static void how_it_is_cut_does_not_matter(void **state)
{
    uint8_t plain[1000];
    uint8_t whole[sizeof plain];
    PSN_AUTO(psn_keystream) *once = zero_stream();

    (void)state;
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * 7 + 1);
    memcpy(whole, plain, sizeof whole);
    psn_keystream_apply(once, whole, sizeof whole);
    for (size_t step = 1; step < 200; step++) {
        PSN_AUTO(psn_keystream) *stream = zero_stream();
        uint8_t cut[sizeof whole];

        memcpy(cut, plain, sizeof cut);
        for (size_t at = 0; at < sizeof cut; at += step) {
            size_t left = sizeof cut - at;

            psn_keystream_apply(stream, cut + at, left < step ? left : step);
            psn_keystream_apply(stream, cut + at, 0);
        }
        assert_memory_equal(cut, whole, sizeof whole);
    }
}

static bool memory_ends;

enum psn_code __real_psn_secret_copy(const void *bytes, size_t size,
                                     struct psn_secret **ret_secret,
                                     struct psn_error *err);
enum psn_code __wrap_psn_secret_copy(const void *bytes, size_t size,
                                     struct psn_secret **ret_secret,
                                     struct psn_error *err);

enum psn_code __wrap_psn_secret_copy(const void *bytes, size_t size,
                                     struct psn_secret **ret_secret,
                                     struct psn_error *err)
{
    if (memory_ends)
        return psn_fail(err, PSN_E_NOMEM, "no memory can be locked");
    return __real_psn_secret_copy(bytes, size, ret_secret, err);
}

static void without_memory_for_the_key_there_is_no_stream(void **state)
{
    static const uint8_t key[PSN_KEYSTREAM_KEY_SIZE];
    static const uint8_t nonce[PSN_KEYSTREAM_NONCE_SIZE];
    struct psn_keystream *stream = NULL;

    (void)state;
    memory_ends = true;
    assert_int_equal(psn_keystream_new(key, nonce, &stream, NULL), PSN_E_NOMEM);
    assert_null(stream);
    memory_ends = false;
}

/* Its block counter has 32 bits: beyond them it would begin anew. */
static void a_stream_does_not_go_beyond_its_counter(void **state)
{
    PSN_AUTO(psn_keystream) *stream = zero_stream();
    uint8_t byte = 0;
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        (void)close(STDERR_FILENO);
        psn_keystream_apply(stream, &byte, (size_t)64 * ((UINT64_C(1) << 32)) + 1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* RFC 4231, case 2; FIPS 180-2, "abc". */
static void hmac_and_sha512_give_known_answers(void **state)
{
    const struct psn_part parts[] = { { "what do ya want ", 16 },
                                      { "for nothing?", 12 } };
    uint8_t mac[PSN_HMAC_SIZE];
    uint8_t other[PSN_HMAC_SIZE];
    uint8_t digest[PSN_DIGEST_SIZE];

    (void)state;
    psn_hmac_sha256("Jefe", 4, parts, 2, mac);
    assert_hex(mac, sizeof mac,
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memcpy(other, mac, sizeof other);
    assert_true(psn_mac_equal(mac, other));
    other[31] ^= 1;
    assert_false(psn_mac_equal(mac, other));
    psn_sha512("abc", 3, digest);
    assert_hex(digest, sizeof digest,
               "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
               "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_is_rfc_8439s),
        cmocka_unit_test(how_it_is_cut_does_not_matter),
        cmocka_unit_test(without_memory_for_the_key_there_is_no_stream),
        cmocka_unit_test(a_stream_does_not_go_beyond_its_counter),
        cmocka_unit_test(hmac_and_sha512_give_known_answers),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
