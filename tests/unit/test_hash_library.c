/*
 * Hashes whose code is libcrypto's, or that are told by vectors alone. Link with
 * -Wl,--wrap=psn_library_load
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/library.h"
#include "crypto/hash.h"
#include "crypto/init.h"

static bool is_missing;

enum psn_code __real_psn_library_load(const char *const *names,
                                      const struct psn_library_symbol *symbols,
                                      size_t count, void *table, struct psn_error *err);
enum psn_code __wrap_psn_library_load(const char *const *names,
                                      const struct psn_library_symbol *symbols,
                                      size_t count, void *table, struct psn_error *err);

enum psn_code __wrap_psn_library_load(const char *const *names,
                                      const struct psn_library_symbol *symbols,
                                      size_t count, void *table, struct psn_error *err)
{
    if (is_missing)
        return psn_fail(err, PSN_E_UNEXPECTED, "there is none");
    return __real_psn_library_load(names, symbols, count, table, err);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

/* In a process of its own: a library is looked for once. */
static void without_libcrypto_there_is_no_sha1_and_it_is_said_what_to_install(
    void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        const struct psn_part part = { "abc", 3 };
        char hex[PSN_SHA1_HEX_SIZE] = "untouched";
        uint8_t mac[PSN_SHA1_SIZE];
        struct psn_error err = { 0 };

        is_missing = true;
        if (psn_sha1_hex(&part, 1, hex, &err) != PSN_E_UNEXPECTED ||
            strcmp(hex, "untouched") != 0 || !strstr(err.hint, "libssl3"))
            _exit(1);
        _exit(psn_hmac_sha1("k", 1, "x", 1, mac, NULL) != PSN_E_UNEXPECTED);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* RFC 2202, case 2, and RFC 4231, case 2. */
static void keyed_hashes_give_known_answers(void **state)
{
    static const char text[] = "what do ya want for nothing?";
    uint8_t sha1[PSN_SHA1_SIZE];
    uint8_t sha512[PSN_HMAC_SHA512_SIZE];
    char hex[2 * PSN_HMAC_SHA512_SIZE + 1];

    (void)state;
    assert_int_equal(psn_hmac_sha1("Jefe", 4, text, sizeof text - 1, sha1, NULL), PSN_OK);
    assert_string_equal(psn_hex(sha1, sizeof sha1, hex),
                        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    psn_hmac_sha512("Jefe", 4, text, sizeof text - 1, sha512);
    assert_string_equal(
        psn_hex(sha512, sizeof sha512, hex),
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
        "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
    /* What libcrypto counts in an int. */
    assert_int_equal(psn_hmac_sha1("", (size_t)INT_MAX + 1, "x", 1, sha1, NULL),
                     PSN_E_UNEXPECTED);
}

/* FIPS 180-2, "abc". */
static void sha256_of_parts_is_that_of_the_whole(void **state)
{
    const struct psn_part parts[] = { { "a", 1 }, { "", 0 }, { "bc", 2 } };
    char hex[PSN_SHA256_HEX_SIZE];

    (void)state;
    psn_sha256_hex(parts, 3, hex);
    assert_string_equal(
        hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    psn_sha256_hex(parts, 1, hex);
    assert_string_equal(
        hex, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
}

static void hex_is_read_in_lower_case_and_whole(void **state)
{
    uint8_t bytes[4] = { 0 };

    (void)state;
    assert_true(psn_unhex("00ff9a0f", bytes, 4));
    assert_memory_equal(bytes, "\x00\xff\x9a\x0f", 4);
    assert_true(psn_unhex("00ff9a0f", bytes, 2));
    assert_false(psn_unhex("00FF9a0f", bytes, 4));
    assert_false(psn_unhex("00ff9a0", bytes, 4));
    assert_false(psn_unhex("00ff9a0g", bytes, 4));
    assert_false(psn_unhex("", bytes, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            without_libcrypto_there_is_no_sha1_and_it_is_said_what_to_install),
        cmocka_unit_test(keyed_hashes_give_known_answers),
        cmocka_unit_test(sha256_of_parts_is_that_of_the_whole),
        cmocka_unit_test(hex_is_read_in_lower_case_and_whole),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
