#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "crypto/secret.h"
#include "interop/totp.h"

/* The seeds of RFC 6238, appendix B: "1234567890" over and over, 20, 32 and 64 bytes
 * (its erratum 2866), in base32. */
#define SEED_20 "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#define SEED_32 "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA===="
#define SEED_64                                                     \
    "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQ" \
    "OJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA"
#define URI "otpauth://totp/Example:alice@example.com?issuer=Example&"

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

static enum psn_code parse(const char *text, struct psn_totp *ret_totp,
                           struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;

    assert_int_equal(psn_secret_copy(text, strlen(text), &value, NULL), PSN_OK);
    return psn_totp_parse(value, ret_totp, err);
}

static void assert_code(const char *text, int64_t time_s, const char *expected)
{
    PSN_AUTO(psn_secret) *code = NULL;
    struct psn_totp totp = { 0 };

    assert_int_equal(parse(text, &totp, NULL), PSN_OK);
    assert_int_equal(psn_totp_code(&totp, time_s, &code, NULL), PSN_OK);
    assert_string_equal((const char *)psn_secret_bytes(code), expected);
    psn_totp_release(&totp);
}

static void the_codes_are_those_of_rfc_6238(void **state)
{
    static const struct {
        int64_t time_s;
        const char *codes[3]; /* SHA-1, SHA-256, SHA-512 */
    } rows[] = {
        { 59, { "94287082", "46119246", "90693936" } },
        { 1111111109, { "07081804", "68084774", "25091201" } },
        { 1111111111, { "14050471", "67062674", "99943326" } },
        { 1234567890, { "89005924", "91819424", "93441116" } },
        { 2000000000, { "69279037", "90698825", "38618901" } },
        { 20000000000, { "65353130", "77737706", "47863826" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_code(URI "digits=8&secret=" SEED_20, rows[i].time_s, rows[i].codes[0]);
        assert_code(URI "digits=8&algorithm=SHA256&secret=" SEED_32, rows[i].time_s,
                    rows[i].codes[1]);
        assert_code(URI "digits=8&algorithm=SHA512&secret=" SEED_64, rows[i].time_s,
                    rows[i].codes[2]);
    }
}

/* RFC 4226, appendix D: the counter is the time, with a period of a second. */
static void the_codes_of_counters_are_those_of_rfc_4226(void **state)
{
    static const char *const codes[] = {
        "755224", "287082", "359152", "969429", "338314",
        "254676", "287922", "162583", "399871", "520489"
    };

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        assert_code(URI "period=1&secret=" SEED_20, (int64_t)i, codes[i]);
}

static void a_seed_may_be_typed_in_any_case_with_blanks_and_filling(void **state)
{
    static const char *const seeds[] = {
        SEED_20,
        "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
        "GEZDGNBV-GY3TQOJQ-GEZDGNBV-GY3TQOJQ",
        SEED_20 "======",
        "otpauth://totp/x?secret=" SEED_20,
        "OTPAUTH://TOTP/x?Secret=no&secret=" SEED_20 "%3D%3D&image=https%3A%2F%2Fe",
        "otpauth://totp/x?secret=gezdgnbvgy3tqojqgezdgnbvgy3tqojq&algorithm=sha1#end",
    };

    (void)state;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        assert_code(seeds[i], 59, "287082");
}

static void what_the_uri_says_is_kept(void **state)
{
    struct psn_totp totp = { 0 };

    (void)state;
    assert_int_equal(
        parse(URI "secret=" SEED_32 "&algorithm=sha256&digits=7&period=60", &totp, NULL),
        PSN_OK);
    assert_int_equal(totp.digits, 7);
    assert_int_equal(totp.period, 60);
    assert_string_equal(psn_totp_hash_name(totp.hash), "SHA256");
    assert_int_equal(psn_secret_size(totp.key), 32);
    psn_totp_release(&totp);
}

/* A refusal must not repeat what may be a seed with a slip of the pen in it. */
static void anything_else_is_refused_without_repeating_it(void **state)
{
    static const char *const texts[] = {
        "",
        "GEZDGNB",
        "GEZDGNBVGY3TQOJ1",
        "GEZDGNBV=GY3TQOJQ",
        "otpauth://totp/x",
        "otpauth://totp/x?issuer=GEZDGNBVGY3TQOJQ",
        "otpauth://totp/x?secret=",
        "otpauth://totp/x?secret=GEZDGNBV%0",
        "otpauth://totp/x?secret=GEZDGNBV%00GY3TQOJQ",
        "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&secret=GEZDGNBVGY3TQOJQ",
        URI "secret=" SEED_20 "&digits=5",
        URI "secret=" SEED_20 "&digits=9",
        URI "secret=" SEED_20 "&digits=",
        URI "secret=" SEED_20 "&period=0",
        URI "secret=" SEED_20 "&period=-30",
        URI "secret=" SEED_20 "&period=86401",
        URI "secret=" SEED_20 "&algorithm=MD5",
        "otpauth://hotp/x?secret=GEZDGNBVGY3TQOJQ&counter=1",
        "https://example.com/?secret=GEZDGNBVGY3TQOJQ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct psn_error err = { 0 };
        struct psn_totp totp = { 0 };

        assert_int_equal(parse(texts[i], &totp, &err), PSN_E_INVALID);
        assert_int_equal(err.code, PSN_E_INVALID);
        assert_null(totp.key);
        assert_null(strstr(err.message, "GEZD"));
        assert_null(strstr(err.hint, "GEZD"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codes_are_those_of_rfc_6238),
        cmocka_unit_test(the_codes_of_counters_are_those_of_rfc_4226),
        cmocka_unit_test(a_seed_may_be_typed_in_any_case_with_blanks_and_filling),
        cmocka_unit_test(what_the_uri_says_is_kept),
        cmocka_unit_test(anything_else_is_refused_without_repeating_it),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
