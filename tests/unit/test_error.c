#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/allow.h"
#include "base/text.h"
#include "passation/error.h"

static void the_first_cause_is_kept(void **state)
{
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_fail(&err, PSN_E_IO, "disk %d", 3), PSN_E_IO);
    assert_int_equal(psn_fail(&err, PSN_E_BUSY, "later"), PSN_E_BUSY);
    assert_int_equal(err.code, PSN_E_IO);
    assert_string_equal(err.message, "disk 3");
}

static void wrapping_puts_context_in_front_and_keeps_the_code(void **state)
{
    struct psn_error err = { 0 };

    (void)state;
    (void)psn_fail(&err, PSN_E_IO, "no such device");
    assert_int_equal(psn_wrap(&err, PSN_E_BUSY, "cannot read '%s'", "x"), PSN_E_IO);
    assert_int_equal(psn_wrap(&err, PSN_E_BUSY, "cannot open the vault"), PSN_E_IO);
    assert_string_equal(err.message,
                        "cannot open the vault: cannot read 'x': no such device");
}

static void wrapping_nothing_makes_an_error(void **state)
{
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_wrap(&err, PSN_E_BUSY, "at work"), PSN_E_BUSY);
    assert_int_equal(err.code, PSN_E_BUSY);
    assert_string_equal(err.message, "at work");
}

static void nobody_needs_to_ask_for_the_error(void **state)
{
    (void)state;
    assert_int_equal(psn_fail(NULL, PSN_E_IO, "x"), PSN_E_IO);
    assert_int_equal(psn_wrap(NULL, PSN_E_IO, "x"), PSN_E_IO);
    assert_int_equal(psn_hint(NULL, PSN_E_IO, "x"), PSN_E_IO);
    psn_error_clear(NULL);
}

static void the_first_hint_is_kept_and_clearing_forgets_all(void **state)
{
    struct psn_error err = { 0 };

    (void)state;
    (void)psn_fail(&err, PSN_E_POLICY, "weak");
    (void)psn_hint(&err, PSN_E_POLICY, "take %s", "ours");
    (void)psn_hint(&err, PSN_E_POLICY, "other");
    assert_string_equal(err.hint, "take ours");
    psn_error_clear(&err);
    assert_int_equal(err.code, PSN_OK);
    assert_string_equal(err.message, "");
    assert_string_equal(err.hint, "");
}

static void long_messages_are_cut_at_the_edge_of_a_character(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 8; lead++) {
        struct psn_error err = { 0 };
        char text[1200];

        memset(text, 'x', lead);
        for (size_t i = lead; i + 2 < sizeof text; i += 2)
            memcpy(text + i, "é", 2);
        text[lead + 1180] = '\0';
        (void)psn_fail(&err, PSN_E_IO, "%s", text);
        assert_true(psn_text_is_plain(err.message, strlen(err.message)));
        assert_in_range(strlen(err.message), PSN_ERROR_MESSAGE_MAX - 3,
                        PSN_ERROR_MESSAGE_MAX - 1);
        (void)psn_wrap(&err, PSN_E_IO, "%s", text);
        assert_true(psn_text_is_plain(err.message, strlen(err.message)));
        (void)psn_hint(&err, PSN_E_IO, "%s", text);
        assert_true(psn_text_is_plain(err.hint, strlen(err.hint)));
    }
}

static void no_control_character_gets_into_a_message(void **state)
{
    struct psn_error err = { 0 };

    (void)state;
    /* NOLINTNEXTLINE(misc-misleading-bidirectional) */
    (void)psn_fail(&err, PSN_E_IO, "cannot open '%s'", "a\x1b]0;owned\x07\n\xff\u202e");
    assert_string_equal(err.message, "cannot open 'a?]0;owned?"
                                     "?"
                                     "?"
                                     "?'");
    (void)psn_wrap(&err, PSN_E_IO, "%s", "line\r\nline");
    assert_string_equal(err.message, "line?"
                                     "?line: cannot open 'a?]0;owned?"
                                     "?"
                                     "?"
                                     "?'");
    (void)psn_hint(&err, PSN_E_IO, "%s", "\x9b\x31m\xc2\x9bé");
    assert_string_equal(err.hint, "?1m?é");
}

static void codes_have_distinct_words_and_statuses_of_the_contract(void **state)
{
    static const struct {
        const char *word;
        enum psn_code code;
        int status;
    } rows[] = {
        { "ok", PSN_OK, 0 },           { "unexpected", PSN_E_UNEXPECTED, 1 },
        { "usage", PSN_E_INVALID, 2 }, { "not_found", PSN_E_NOT_FOUND, 4 },
        { "locked", PSN_E_LOCKED, 5 }, { "integrity", PSN_E_INTEGRITY, 6 },
        { "busy", PSN_E_BUSY, 7 },     { "too_new", PSN_E_TOO_NEW, 13 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(psn_code_word(rows[i].code), rows[i].word);
        assert_int_equal(psn_code_exit_status(rows[i].code), rows[i].status);
    }
    for (int i = 0; i <= PSN_E_TOO_NEW; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(psn_code_word((enum psn_code)i),
                                    psn_code_word((enum psn_code)j));
    assert_string_equal(psn_code_word((enum psn_code)999), "unexpected");
    assert_int_equal(psn_code_exit_status((enum psn_code)999), 1);
}

static void a_failure_without_a_code_is_one_all_the_same(void **state)
{
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_fail(&err, PSN_OK, "it failed"), PSN_E_UNEXPECTED);
    assert_int_equal(err.code, PSN_E_UNEXPECTED);
    assert_string_equal(err.message, "it failed");
    assert_int_equal(psn_hint(&err, PSN_OK, "try again"), PSN_E_UNEXPECTED);
    psn_error_clear(&err);
    assert_int_equal(psn_wrap(&err, PSN_OK, "the vault"), PSN_E_UNEXPECTED);
    assert_int_equal(err.code, PSN_E_UNEXPECTED);
    assert_int_equal(psn_fail(NULL, PSN_OK, "unseen"), PSN_E_UNEXPECTED);
}

static void a_failure_that_is_allowed_is_an_answer_and_leaves_no_trace(void **state)
{
    struct psn_error err = { 0 };
    bool is_gone = false;

    (void)state;
    assert_int_equal(psn_allow(PSN_E_NOT_FOUND, psn_fail(&err, PSN_E_NOT_FOUND, "none"),
                               &is_gone, &err),
                     PSN_OK);
    assert_true(is_gone);
    assert_int_equal(err.code, PSN_OK);
    assert_int_equal(psn_allow(PSN_E_NOT_FOUND, PSN_OK, &is_gone, &err), PSN_OK);
    assert_false(is_gone);
    assert_int_equal(
        psn_allow(PSN_E_NOT_FOUND, psn_fail(&err, PSN_E_IO, "disk"), &is_gone, &err),
        PSN_E_IO);
    assert_false(is_gone);
    assert_string_equal(err.message, "disk");
    assert_int_equal(psn_allow(PSN_E_EXISTS, PSN_E_EXISTS, NULL, NULL), PSN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_cause_is_kept),
        cmocka_unit_test(wrapping_puts_context_in_front_and_keeps_the_code),
        cmocka_unit_test(wrapping_nothing_makes_an_error),
        cmocka_unit_test(nobody_needs_to_ask_for_the_error),
        cmocka_unit_test(the_first_hint_is_kept_and_clearing_forgets_all),
        cmocka_unit_test(long_messages_are_cut_at_the_edge_of_a_character),
        cmocka_unit_test(no_control_character_gets_into_a_message),
        cmocka_unit_test(a_failure_without_a_code_is_one_all_the_same),
        cmocka_unit_test(a_failure_that_is_allowed_is_an_answer_and_leaves_no_trace),
        cmocka_unit_test(codes_have_distinct_words_and_statuses_of_the_contract),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
