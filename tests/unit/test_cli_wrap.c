#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/auto.h"
#include "cli/wrap.h"

#define ASSERT_WRAPS(wanted, text, ...)                      \
    do {                                                     \
        PSN_AUTO_RELEASE(psn_buf) out_ = psn_buf_init(4096); \
        struct cli_margins margins_ = { __VA_ARGS__ };       \
                                                             \
        cli_wrap(&out_, text, &margins_);                    \
        assert_string_equal(psn_buf_str(&out_), wanted);     \
    } while (0)

static void text_without_an_end_column_stays_as_it_is(void **state)
{
    (void)state;
    ASSERT_WRAPS("a line that is longer than any terminal\nand one more",
                 "a line that is longer than any terminal\nand one more", .columns = 0);
}

static void a_line_is_broken_at_blanks_and_fills_the_last_column(void **state)
{
    (void)state;
    ASSERT_WRAPS("one two\nthree", "one two three", .columns = 7);
    ASSERT_WRAPS("one\ntwo\nthree", "one two three", .columns = 6);
}

static void the_margins_hold_for_each_line_of_the_text(void **state)
{
    (void)state;
    ASSERT_WRAPS("one\n    two\n    three\n    four", "one two three\nfour",
                 .columns = 10, .first = 5, .indent = 4);
}

static void a_word_that_is_too_long_stays_whole(void **state)
{
    (void)state;
    ASSERT_WRAPS("at\ncontact@boulangerie-martin.fr\nnow",
                 "at contact@boulangerie-martin.fr now", .columns = 12);
}

static void a_french_sign_stays_with_its_word(void **state)
{
    (void)state;
    ASSERT_WRAPS("le mot\nfaux ;\nfini", "le mot faux ; fini", .columns = 10);
    ASSERT_WRAPS("dit\n« oui »\nlui", "dit « oui » lui", .columns = 8);
}

static void a_command_after_a_colon_stays_whole_to_be_copied(void **state)
{
    (void)state;
    ASSERT_WRAPS("take it over:\n  passation role adopt a@b.fr",
                 "take it over: passation role adopt a@b.fr", .columns = 24);
    ASSERT_WRAPS("next: passation lock", "next: passation lock", .columns = 20);
}

static void an_item_of_a_list_is_set_in_where_it_goes_on(void **state)
{
    (void)state;
    ASSERT_WRAPS("to be removed:\n  one  two\n    three",
                 "to be removed:\n  one  two  three", .columns = 14);
    ASSERT_WRAPS("  redirection:77\n    now", "  redirection:77 now", .columns = 8);
}

static void no_line_ends_with_blanks(void **state)
{
    (void)state;
    ASSERT_WRAPS("one\ntwo\nthree", "one  two   three  ", .columns = 5);
}

static void a_colour_takes_no_columns(void **state)
{
    (void)state;
    ASSERT_WRAPS("\033[32m✓\033[0m one two\nthree", "\033[32m✓\033[0m one two three",
                 .columns = 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_without_an_end_column_stays_as_it_is),
        cmocka_unit_test(a_line_is_broken_at_blanks_and_fills_the_last_column),
        cmocka_unit_test(the_margins_hold_for_each_line_of_the_text),
        cmocka_unit_test(a_word_that_is_too_long_stays_whole),
        cmocka_unit_test(a_french_sign_stays_with_its_word),
        cmocka_unit_test(a_command_after_a_colon_stays_whole_to_be_copied),
        cmocka_unit_test(an_item_of_a_list_is_set_in_where_it_goes_on),
        cmocka_unit_test(no_line_ends_with_blanks),
        cmocka_unit_test(a_colour_takes_no_columns),
    };

    (void)setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
