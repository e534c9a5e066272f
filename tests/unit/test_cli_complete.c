#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/complete.h"
#include "cli/names.h"
#include "cli/near.h"
#include "cli/options.h"

/* What words stand for ----------------------------------------------------------------
 */

static void every_word_of_every_table_is_known(void **state)
{
    size_t counted = 0;

    (void)state;
    for (const struct cli_command *const *at = cli_commands; *at; at++) {
        for (size_t i = 0; i < 4; i++) {
            unsigned kinds = cli_kind_of_argument(*at, i);

            if (kinds & CLI_KIND_UNKNOWN)
                fail_msg("%s: %s", (*at)->name, (*at)->arguments);
            counted += kinds != CLI_KIND_FREE;
        }
        for (const struct cli_option *row = (*at)->options; row && row->name; row++)
            if (row->value && (cli_kind_of(row->value, strlen(row->value)) &
                               (unsigned)CLI_KIND_UNKNOWN))
                fail_msg("%s --%s: %s", (*at)->name, row->name, row->value);
    }
    assert_true(counted > 40);
}

static void arguments_have_the_kinds_that_their_command_shows(void **state)
{
    static const struct cli_command grant = { .arguments = "PERSON GLOB…",
                                              .max_args = SIZE_MAX };
    static const struct cli_command compare = { .arguments = "CLIENT [FOLDER]",
                                                .max_args = 2 };
    static const struct cli_command who = { .arguments = "[PERSON|ADDRESS]",
                                            .max_args = 1 };
    static const struct cli_command all = { .arguments = "[GLOB…]",
                                            .max_args = SIZE_MAX };
    static const struct cli_command none = { .max_args = 0 };

    (void)state;
    assert_int_equal(cli_kind_of_argument(&grant, 0), CLI_KIND_PERSON);
    assert_int_equal(cli_kind_of_argument(&grant, 1), CLI_KIND_GLOB);
    assert_int_equal(cli_kind_of_argument(&grant, 9), CLI_KIND_GLOB);
    assert_int_equal(cli_kind_of_argument(&compare, 1), CLI_KIND_FOLDER);
    assert_int_equal(cli_kind_of_argument(&compare, 2), CLI_KIND_FREE);
    assert_int_equal(cli_kind_of_argument(&who, 0), CLI_KIND_PERSON | CLI_KIND_ADDRESS);
    assert_int_equal(cli_kind_of_argument(&all, 7), CLI_KIND_GLOB);
    assert_int_equal(cli_kind_of_argument(&none, 0), CLI_KIND_FREE);
}

static void an_option_offers_its_words_in_lower_case_alone(void **state)
{
    const char *at = "ovh-eu|ovh-ca|URL";
    const char *word = NULL;
    size_t size = 0;

    (void)state;
    at = cli_kind_choice(at, &word, &size);
    assert_non_null(at);
    assert_int_equal(size, 6);
    assert_memory_equal(word, "ovh-eu", size);
    at = cli_kind_choice(at, &word, &size);
    assert_memory_equal(word, "ovh-ca", size);
    assert_null(cli_kind_choice(at, &word, &size));
    at = "FILE";
    assert_null(cli_kind_choice(at, &word, &size));
}

/* Did you mean ------------------------------------------------------------------------
 */

static void slips_are_counted_in_characters(void **state)
{
    (void)state;
    assert_int_equal(cli_near_slips("rotate", "rotate"), 0);
    assert_int_equal(cli_near_slips("rotat", "rotate"), 1);
    assert_int_equal(cli_near_slips("roatte", "rotate"), 1);
    assert_int_equal(cli_near_slips("élan", "elan"), 1);
    assert_int_equal(cli_near_slips("éà", "àé"), 1);
    assert_int_equal(cli_near_slips("東京", "京都"), 2);
    assert_int_equal(cli_near_slips("", "abc"), 3);
    assert_int_equal(cli_near_slips("\xff", "a"), 1);
}

static void long_texts_are_far_apart_unless_they_are_the_same(void **state)
{
    static const char text[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaa";

    (void)state;
    assert_int_equal(cli_near_slips(text, text), 0);
    assert_int_equal(cli_near_slips(text, text + 1), SIZE_MAX);
}

struct near_case {
    const char *typed;
    const char *first; /* NULL: nothing is near */
    const char *second;
};

static void one_or_two_names_that_are_nearest_are_proposed(void **state)
{
    static const char *const names[] = { "rotate", "resume", "role",  "restore",
                                         "status", "add",    "adopt", "martin" };
    static const struct near_case cases[] = {
        { "rotat", "rotate", NULL },
        { "rsume", "resume", NULL },
        { "rol", "role", NULL },
        { "stat", "status", NULL },
        { "ado", "add", "adopt" },
        { "backup", NULL, NULL },
        { "", NULL, NULL },
        { "martni", "martin", NULL },
        { "rotaterotaterotaterotaterotaterotaterotaterotaterotaterotaterotate", NULL,
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cli_near near;

        cli_near_begin(&near, cases[i].typed);
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            cli_near_offer(&near, names[j]);
        cli_near_offer(&near, "zdo");
        cli_near_offer(&near, "martin"); /* told twice, proposed once */
        assert_int_equal(near.count,
                         (cases[i].first != NULL) + (cases[i].second != NULL));
        if (cases[i].first)
            assert_string_equal(near.names[0], cases[i].first);
        if (cases[i].second)
            assert_string_equal(near.names[1], cases[i].second);
    }
}

/* Quotation marks ---------------------------------------------------------------------
 */

static void words_lose_their_quotation_marks_and_nothing_is_expanded(void **state)
{
    static const char *const cases[][2] = {
        { "plain", "plain" },           { "'a b'c", "a bc" }, { "\"a \\$b\"", "a $b" },
        { "\"a\\b\"", "a\\b" },         { "a\\ b", "a b" },   { "'open", "open" },
        { "$(touch x)", "$(touch x)" }, { "a\\", "a\\" },     { "\\*@é", "*@é" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct psn_buf out = psn_buf_init(256);

        cli_complete_unquote(cases[i][0], &out);
        assert_string_equal(psn_buf_str(&out), cases[i][1]);
        psn_buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_of_every_table_is_known),
        cmocka_unit_test(arguments_have_the_kinds_that_their_command_shows),
        cmocka_unit_test(an_option_offers_its_words_in_lower_case_alone),
        cmocka_unit_test(slips_are_counted_in_characters),
        cmocka_unit_test(long_texts_are_far_apart_unless_they_are_the_same),
        cmocka_unit_test(one_or_two_names_that_are_nearest_are_proposed),
        cmocka_unit_test(words_lose_their_quotation_marks_and_nothing_is_expanded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
