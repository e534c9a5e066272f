#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/receipt.h"
#include "crypto/init.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void a_new_code_has_its_form_and_its_check_digit(void **state)
{
    char before[PSN_RECEIPT_SIZE] = "";

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char code[PSN_RECEIPT_SIZE];
        char normal[PSN_RECEIPT_SIZE];

        psn_receipt_new(code);
        assert_int_equal(strlen(code), PSN_RECEIPT_SIZE - 1);
        for (size_t j = 0; j < sizeof code - 1; j++)
            assert_true(j == 5 || j == 11 ? code[j] == '-'
                                          : strchr(alphabet, code[j]) != NULL);
        assert_int_equal(psn_receipt_normalize(code, normal, NULL), PSN_OK);
        assert_string_equal(normal, code);
        assert_string_not_equal(code, before);
        memcpy(before, code, sizeof before);
    }
}

/* Frozen: the digit is part of the format. */
static void the_check_digit_stays_what_it_is(void **state)
{
    char code[PSN_RECEIPT_SIZE];

    (void)state;
    assert_int_equal(psn_receipt_normalize("00000000000", code, NULL), PSN_OK);
    assert_string_equal(code, "00000-00000-0");
    assert_int_equal(psn_receipt_normalize("K7MQ29XWVTA", code, NULL), PSN_OK);
    assert_string_equal(code, "K7MQ2-9XWVT-A");
}

static void people_may_type_it_as_they_read_it(void **state)
{
    static const char *const spelled[] = { "00000-00000-0", "ooooo ooooo o",
                                           "OOOOO-00000-0", "0 0 0 0 0 0 0 0 0 0 0",
                                           "00000000000" };
    char code[PSN_RECEIPT_SIZE];
    char again[PSN_RECEIPT_SIZE];
    char typed[PSN_RECEIPT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
        assert_int_equal(psn_receipt_normalize(spelled[i], code, NULL), PSN_OK);
        assert_string_equal(code, "00000-00000-0");
    }
    for (int i = 0; i < 500; i++) {
        psn_receipt_new(code);
        memcpy(typed, code, sizeof typed);
        for (char *at = typed; *at; at++) {
            if (*at == '1')
                *at = i % 2 ? 'l' : 'I';
            else if (*at >= 'A')
                *at = (char)(*at - 'A' + 'a');
        }
        assert_int_equal(psn_receipt_normalize(typed, again, NULL), PSN_OK);
        assert_string_equal(again, code);
    }
}

static void what_is_no_code_is_refused_with_advice(void **state)
{
    static const char *const bad[] = { "",
                                       "-",
                                       "00000-00000",
                                       "00000-00000-03",
                                       "00000-0000U-0",
                                       "00000-0000\303\251-0",
                                       "00000-00000-\t0",
                                       "00000-00000-0\n",
                                       "00000-00000-4",
                                       "000000000000000000000000000000000000000000000" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct psn_error err = { 0 };
        char code[PSN_RECEIPT_SIZE];

        assert_int_equal(psn_receipt_normalize(bad[i], code, &err), PSN_E_INVALID);
        assert_string_not_equal(err.message, "");
    }
}

static void every_wrong_or_swapped_digit_is_found(void **state)
{
    unsigned tried = 0;
    unsigned found = 0;
    unsigned swaps = 0;
    unsigned swaps_found = 0;

    (void)state;
    for (int i = 0; i < 40; i++) {
        char code[PSN_RECEIPT_SIZE];
        char normal[PSN_RECEIPT_SIZE];

        psn_receipt_new(code);
        for (size_t at = 0; at < sizeof code - 1; at++) {
            char right = code[at];

            for (size_t j = 0; right != '-' && j < sizeof alphabet - 1; j++) {
                code[at] = alphabet[j];
                if (code[at] == right)
                    continue;
                tried++;
                found += psn_receipt_normalize(code, normal, NULL) != PSN_OK;
            }
            code[at] = right;
            if (at > 0 && right != '-' && code[at - 1] != '-' && code[at - 1] != right) {
                code[at] = code[at - 1];
                code[at - 1] = right;
                swaps++;
                swaps_found += psn_receipt_normalize(code, normal, NULL) != PSN_OK;
                code[at - 1] = code[at];
                code[at] = right;
            }
        }
    }
    assert_true(tried > 13000 && swaps > 250);
    assert_int_equal(found, tried);
    assert_int_equal(swaps_found, swaps);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_code_has_its_form_and_its_check_digit),
        cmocka_unit_test(the_check_digit_stays_what_it_is),
        cmocka_unit_test(people_may_type_it_as_they_read_it),
        cmocka_unit_test(what_is_no_code_is_refused_with_advice),
        cmocka_unit_test(every_wrong_or_swapped_digit_is_found),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
