#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/fields.h"

/* Helpers ------------------------------------------------------------------------ */

static void assert_names(const struct psn_error *err, const char *option)
{
    assert_int_equal(err->code, PSN_E_INVALID);
    assert_non_null(strstr(err->message, option));
}

/* cli_field_copy ----------------------------------------------------------------- */

static void a_value_that_just_fits_is_copied(void **state)
{
    struct psn_error err = { 0 };
    char field[6];

    (void)state;
    assert_int_equal(cli_field_copy("--name", "12345", field, sizeof field, &err),
                     PSN_OK);
    assert_string_equal(field, "12345");
    assert_int_equal(cli_field_copy("--name", "", field, sizeof field, &err), PSN_OK);
    assert_string_equal(field, "");
}

static void a_value_too_long_is_refused_whole_and_named(void **state)
{
    struct psn_error err = { 0 };
    char field[6] = "old";

    (void)state;
    assert_int_equal(cli_field_copy("--name", "123456", field, sizeof field, &err),
                     PSN_E_INVALID);
    assert_names(&err, "--name");
    assert_string_equal(field, "old");
}

/* cli_field_rate ----------------------------------------------------------------- */

static void rates_are_read_in_calls_a_minute(void **state)
{
    static const struct {
        const char *text;
        uint32_t per_min;
    } cases[] = {
        { "60/min", 60 }, { "1/m", 1 }, { "2/s", 120 }, { "0", 0 }, { "6000/min", 6000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t per_min = 7;

        assert_int_equal(cli_field_rate(cases[i].text, &per_min, NULL), PSN_OK);
        assert_int_equal(per_min, cases[i].per_min);
    }
}

static void what_is_no_rate_is_refused_with_an_example(void **state)
{
    static const char *const bad[] = { "",        "60",
                                       "/min",    "60/",
                                       "60/hour", "-1/min",
                                       "0/min",   "60 /min",
                                       "1.5/min", "60/min ",
                                       "x/min",   "1000001/min",
                                       "60/min/", "99999999999999999999999999/min" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct psn_error err = { 0 };
        uint32_t per_min = 7;

        assert_int_equal(cli_field_rate(bad[i], &per_min, &err), PSN_E_INVALID);
        assert_int_equal(per_min, 7);
        assert_names(&err, "--rate");
        assert_non_null(strstr(err.hint, "60/min"));
    }
}

/* cli_field_duration ------------------------------------------------------------- */

static void durations_are_read_in_seconds(void **state)
{
    int64_t s = 0;

    (void)state;
    assert_int_equal(cli_field_duration("--settle", "10m", &s, NULL), PSN_OK);
    assert_int_equal(s, 600);
    assert_int_equal(cli_field_duration("--settle", "0s", &s, NULL), PSN_OK);
    assert_int_equal(s, 0);
    assert_int_equal(cli_field_duration("--settle", "30d", &s, NULL), PSN_OK);
    assert_int_equal(s, 30 * 86400);
}

static void what_is_no_duration_names_the_option_and_is_shown_escaped(void **state)
{
    static const char *const bad[] = { "", "m", "10x", "31d", "-1m", "1h30m", "\033[2J" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct psn_error err = { 0 };
        int64_t s = 7;

        assert_int_equal(cli_field_duration("--settle", bad[i], &s, &err), PSN_E_INVALID);
        assert_int_equal(s, 7);
        assert_names(&err, "--settle");
        assert_null(strchr(err.message, '\033'));
    }
}

/* cli_field_failed_logins -------------------------------------------------------- */

static void refused_logins_are_a_count_in_a_window(void **state)
{
    uint32_t count = 0;
    int64_t window_s = 0;

    (void)state;
    assert_int_equal(cli_field_failed_logins("3/5m", &count, &window_s, NULL), PSN_OK);
    assert_int_equal(count, 3);
    assert_int_equal(window_s, 300);
    assert_int_equal(cli_field_failed_logins("100/1", &count, &window_s, NULL), PSN_OK);
    assert_int_equal(count, 100);
    assert_int_equal(window_s, 1);
}

static void a_count_or_window_of_nothing_is_refused(void **state)
{
    static const char *const bad[] = { "",     "3",     "3/",    "/5m",  "0/5m",
                                       "3/0s", "3/31d", "-3/5m", "3/5x", "3 / 5m" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct psn_error err = { 0 };
        uint32_t count = 7;
        int64_t window_s = 7;

        assert_int_equal(cli_field_failed_logins(bad[i], &count, &window_s, &err),
                         PSN_E_INVALID);
        assert_int_equal(count, 7);
        assert_int_equal(window_s, 7);
        assert_names(&err, "--failed-logins");
    }
}

/* cli_field_is_personal ---------------------------------------------------------- */

static void an_address_made_of_a_persons_name_is_noticed(void **state)
{
    static const char *const persons[] = {
        "jean.dupont@martin.fr",
        "Jean.Dupont@martin.fr",
        "j.dupont@martin.fr",
        "marie-claude.le-goff@martin.fr",
    };

    (void)state;
    for (size_t i = 0; i < sizeof persons / sizeof *persons; i++)
        assert_true(cli_field_is_personal(persons[i]));
}

static void an_address_of_a_job_is_not(void **state)
{
    static const char *const jobs[] = {
        "technique@martin.fr",
        "service.client@martin.fr",
        "no.reply@martin.fr",
        "contact.fr@martin.fr",
        "support.paris@martin.fr",
        "jean@martin.fr",
        "poste.12@martin.fr",
        "a.b.c@martin.fr",
        ".dupont@martin.fr",
        "jean.@martin.fr",
        "@jean.dupont",
        "",
        "jean@dupont.fr",
    };
    char long_one[256];

    (void)state;
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        assert_false(cli_field_is_personal(jobs[i]));
    memset(long_one, 'a', sizeof long_one - 1);
    long_one[100] = '.';
    long_one[sizeof long_one - 1] = '\0';
    assert_false(cli_field_is_personal(long_one));
}

/* cli_field_is_glob -------------------------------------------------------------- */

static void only_star_and_question_mark_make_a_glob(void **state)
{
    (void)state;
    assert_true(cli_field_is_glob("technique@*"));
    assert_true(cli_field_is_glob("te?hnique@martin.fr"));
    assert_false(cli_field_is_glob("technique@martin.fr"));
    assert_false(cli_field_is_glob("[abc]@martin.fr"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_just_fits_is_copied),
        cmocka_unit_test(a_value_too_long_is_refused_whole_and_named),
        cmocka_unit_test(rates_are_read_in_calls_a_minute),
        cmocka_unit_test(what_is_no_rate_is_refused_with_an_example),
        cmocka_unit_test(durations_are_read_in_seconds),
        cmocka_unit_test(what_is_no_duration_names_the_option_and_is_shown_escaped),
        cmocka_unit_test(refused_logins_are_a_count_in_a_window),
        cmocka_unit_test(a_count_or_window_of_nothing_is_refused),
        cmocka_unit_test(an_address_made_of_a_persons_name_is_noticed),
        cmocka_unit_test(an_address_of_a_job_is_not),
        cmocka_unit_test(only_star_and_question_mark_make_a_glob),
    };

    return cmocka_run_group_tests_name("cli_fields", tests, NULL, NULL);
}
