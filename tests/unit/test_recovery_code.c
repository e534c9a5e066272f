#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/generate.h"
#include "crypto/init.h"
#include "crypto/secret.h"

/* The code on a sheet of paper that opens the vault: how it looks, and how people type
 * it. */

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

static const char *text_of(const struct psn_secret *secret)
{
    return (const char *)psn_secret_bytes(secret);
}

static enum psn_code normalize(const char *typed, size_t size,
                               struct psn_secret **ret_code)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc;

    assert_int_equal(psn_secret_copy(typed, size, &secret, NULL), PSN_OK);
    rc = psn_normalize_recovery(secret, ret_code, &err);
    assert_int_equal(err.code, rc);
    assert_int_equal(err.hint[0] != '\0', rc != PSN_OK);
    return rc;
}

static struct psn_secret *new_code(void)
{
    struct psn_secret *code = NULL;

    assert_int_equal(psn_generate_recovery(&code, NULL), PSN_OK);
    return code;
}

static void assert_means(const char *typed, const struct psn_secret *code)
{
    PSN_AUTO(psn_secret) *found = NULL;

    assert_int_equal(normalize(typed, strlen(typed), &found), PSN_OK);
    assert_true(psn_secret_equal(found, code));
}

/* What a chat or a text program makes of blanks and hyphens. */
static void a_recovery_code_may_have_typographic_gaps(void **state)
{
    static const char *const gaps[] = { "\342\200\221", "\342\200\223", "\342\200\224",
                                        "\302\240", "\342\200\257" };
    PSN_AUTO(psn_secret) *code = new_code();
    char typed[4 * PSN_RECOVERY_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        char *out = typed;

        for (size_t at = 0; at < PSN_RECOVERY_SIZE; at++) {
            const char c = text_of(code)[at];

            out += c == '-' ? sprintf(out, "%s", gaps[i]) : sprintf(out, "%c", c);
        }
        assert_means(typed, code);
    }
}

static void recovery_codes_have_their_form(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        PSN_AUTO(psn_secret) *code = new_code();
        const char *text = text_of(code);

        assert_int_equal(psn_secret_size(code), PSN_RECOVERY_SIZE);
        for (size_t at = 0; at < PSN_RECOVERY_SIZE; at++)
            if (at % 5 == 4)
                assert_int_equal(text[at], '-');
            else
                assert_non_null(strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", text[at]));
        assert_means(text, code);
    }
}

/* Writes the code as people type it. */
static void retype(const char *code, int habit, char *out)
{
    static const char *const zeros = "0oO0";
    static const char *const ones = "1ilLI";
    int turn = habit;

    for (; *code; code++) {
        char c = *code;

        if (c == '0')
            c = zeros[turn++ % 4];
        else if (c == '1')
            c = ones[turn++ % 5];
        else if (c == '-' && habit % 3 == 0)
            continue;
        else if (c == '-')
            c = habit % 3 == 1 ? ' ' : '-';
        else if (habit % 2 == 1 && c >= 'A')
            c = (char)(c - 'A' + 'a');
        *out++ = c;
        if (habit % 7 == 5)
            *out++ = ' ';
    }
    if (habit % 5 == 4)
        *out++ = '\n';
    *out = '\0';
}

static void codes_are_understood_as_people_type_them(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++) {
        PSN_AUTO(psn_secret) *code = new_code();
        char typed[128];

        retype(text_of(code), i, typed);
        assert_means(typed, code);
    }
}

/* Every other character in one place; returns how many were taken for right. */
static unsigned count_missed(const char *code, size_t at)
{
    static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char typed[PSN_RECOVERY_SIZE];
    unsigned missed = 0;

    memcpy(typed, code, sizeof typed);
    for (size_t i = 0; i < 32; i++) {
        PSN_AUTO(psn_secret) *found = NULL;

        typed[at] = base32[i];
        if (base32[i] != code[at])
            missed += normalize(typed, sizeof typed, &found) == PSN_OK ? 1 : 0;
    }
    return missed;
}

static void nearly_every_slip_is_told_from_a_wrong_code(void **state)
{
    unsigned missed = 0;

    (void)state;
    for (int round = 0; round < 10; round++) {
        PSN_AUTO(psn_secret) *code = new_code();

        for (size_t at = 0; at < PSN_RECOVERY_SIZE; at++)
            missed += at % 5 == 4 ? 0 : count_missed(text_of(code), at);
    }
    assert_true(missed < 40); /* of 8680 tried, 8.5 are expected */
}

static void codes_of_another_length_or_alphabet_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "-",
        "ABCD",
        "0000-0000-0000-0000-0000-0000-000",
        "0000-0000-0000-0000-0000-0000-0000-0",
        "0000-0000-0000-0000-0000-0000-00U0",
        "0000-0000-0000-0000-0000-0000-00u0",
        "0000-0000-0000-0000-0000-0000-00é0",
        "0000_0000_0000_0000_0000_0000_0000",
        "0000-0000-0000-0000-0000-0000-00*0",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_secret *found = NULL;

        assert_int_equal(normalize(rows[i], strlen(rows[i]), &found), PSN_E_INVALID);
        assert_null(found);
    }
}

static void a_nul_in_a_code_is_refused(void **state)
{
    PSN_AUTO(psn_secret) *code = new_code();
    struct psn_secret *found = NULL;
    char typed[PSN_RECOVERY_SIZE + 1];

    (void)state;
    memcpy(typed, text_of(code), sizeof typed);
    assert_int_equal(normalize(typed, sizeof typed, &found), PSN_E_INVALID);
    assert_null(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recovery_code_may_have_typographic_gaps),
        cmocka_unit_test(recovery_codes_have_their_form),
        cmocka_unit_test(codes_are_understood_as_people_type_them),
        cmocka_unit_test(nearly_every_slip_is_told_from_a_wrong_code),
        cmocka_unit_test(codes_of_another_length_or_alphabet_are_refused),
        cmocka_unit_test(a_nul_in_a_code_is_refused),
    };

    return cmocka_run_group_tests_name("recovery_code", tests, set_up, NULL);
}
