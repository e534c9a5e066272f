/* What is made of the numbers that are drawn: here they are known beforehand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "crypto/generate.h"
#include "crypto/init.h"
#include "crypto/secret.h"

static uint32_t known[128]; /* the numbers, in their order */
static size_t known_count;
static size_t drawn;

static const char *name(void)
{
    return "known";
}

static uint32_t next_below(const uint32_t bound)
{
    assert_true(drawn < known_count);
    assert_true(known[drawn] < bound);
    return known[drawn++];
}

static uint32_t next(void)
{
    return next_below(UINT32_MAX);
}

static void fill(void *const bytes, const size_t size)
{
    memset(bytes, 0, size); /* of libsodium's own, for what guards a secret's memory */
}

static struct randombytes_implementation numbers = {
    .implementation_name = name,
    .random = next,
    .uniform = next_below,
    .buf = fill,
};

static int set_up(void **state)
{
    (void)state;
    if (psn_crypto_init(NULL) != PSN_OK)
        return -1;
    return randombytes_set_implementation(&numbers);
}

static int begin(void **state)
{
    (void)state;
    known_count = 0;
    drawn = 0;
    return 0;
}

static const char password_alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ"
                                        "abcdefghijkmnopqrstuvwxyz"
                                        "23456789";

/* The draws that make this text, whose hyphens are not drawn. */
static void will_draw(const char *alphabet, const char *text)
{
    for (; *text; text++)
        if (*text != '-')
            known[known_count++] = (uint32_t)(strchr(alphabet, *text) - alphabet);
}

static void assert_password(const char *expected)
{
    PSN_AUTO(psn_secret) *password = NULL;

    assert_int_equal(psn_generate_password(&password, NULL), PSN_OK);
    assert_string_equal((const char *)psn_secret_bytes(password), expected);
    assert_int_equal(drawn, known_count);
}

static void a_password_that_lacks_a_class_is_drawn_anew_as_a_whole(void **state)
{
    static const char *const lacking[] = {
        "abcde-fghij-kmnop-qrst2",
        "ABCDE-FGHJK-LMNPQ-RSTU2",
        "ABCDE-fghij-KLMNP-qrstu",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lacking / sizeof *lacking; i++) {
        will_draw(password_alphabet, lacking[i]);
        will_draw(password_alphabet, "Xyz23-45678-9abcd-efghi");
        assert_password("Xyz23-45678-9abcd-efghi");
    }
}

static void one_character_of_a_class_is_enough_wherever_it_stands(void **state)
{
    static const char *const enough[] = {
        "Abcde-fghij-kmnop-qrst2",
        "2bcde-fghij-kmnop-qrstA",
        "aBCDE-FGHJK-LMNPQ-RSTU2",
        "2BCDE-FGHJK-LMNPQ-RSTUa",
    };

    (void)state;
    for (size_t i = 0; i < sizeof enough / sizeof *enough; i++) {
        will_draw(password_alphabet, enough[i]);
        assert_password(enough[i]);
    }
}

/* A draw more would be one that another secret lacks. */
static void a_recovery_code_is_26_draws_and_their_check(void **state)
{
    static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    static const char *const codes[] = { "0123-4567-89AB-CDEF-GHJK-MNPQ-RS",
                                         "ZYXW-VTSR-QPNM-KJHG-FEDC-BA98-76" };

    (void)state;
    for (size_t i = 0; i < 2; i++)
        will_draw(crockford, codes[i]);
    for (size_t i = 0; i < 2; i++) {
        PSN_AUTO(psn_secret) *code = NULL;

        assert_int_equal(psn_generate_recovery(&code, NULL), PSN_OK);
        assert_memory_equal(psn_secret_bytes(code), codes[i], strlen(codes[i]));
        assert_int_equal(drawn, 26 * (i + 1));
    }
}

static void a_passphrase_is_nine_draws_in_their_order(void **state)
{
    static const uint32_t words[] = { 0, 2047, 1, 2046, 0, 0, 2, 3, 2047 };
    static const char *const expected[] = {
        "abandon-zoo-ability-zone-abandon-abandon-able-about-zoo",
        "abaisser-zoologie-abandon-zeste-abaisser-abaisser-abdiquer-abeille-zoologie",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        PSN_AUTO(psn_secret) *phrase = NULL;

        memcpy(known, words, sizeof words);
        known_count = 9;
        drawn = 0;
        assert_int_equal(psn_generate_passphrase(i == 1 ? "fr" : "en", &phrase, NULL),
                         PSN_OK);
        assert_string_equal((const char *)psn_secret_bytes(phrase), expected[i]);
        assert_int_equal(drawn, 9);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, begin)
    static const struct CMUnitTest tests[] = {
        CASE(a_password_that_lacks_a_class_is_drawn_anew_as_a_whole),
        CASE(one_character_of_a_class_is_enough_wherever_it_stands),
        CASE(a_recovery_code_is_26_draws_and_their_check),
        CASE(a_passphrase_is_nine_draws_in_their_order),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
