#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void times_are_written_as_rfc_3339(void **state)
{
    char out[PSN_TIME_SIZE];

    (void)state;
    assert_string_equal(psn_clock_format(0, out), "1970-01-01T00:00:00Z");
    assert_string_equal(psn_clock_format(951782400, out), "2000-02-29T00:00:00Z");
    assert_string_equal(psn_clock_format(INT64_C(253402300799), out),
                        "9999-12-31T23:59:59Z");
    assert_string_equal(psn_clock_format(-1, out), "1969-12-31T23:59:59Z");
}

static void times_without_a_form_show_zeros(void **state)
{
    char out[PSN_TIME_SIZE];

    (void)state;
    assert_string_equal(psn_clock_format(INT64_MAX, out), "0000-00-00T00:00:00Z");
    assert_string_equal(psn_clock_format(INT64_MIN, out), "0000-00-00T00:00:00Z");
    assert_string_equal(psn_clock_format(INT64_C(253402300800), out),
                        "0000-00-00T00:00:00Z");
    assert_string_equal(psn_clock_format(INT64_C(-62135596800), out),
                        "0000-00-00T00:00:00Z");
}

static void date_times_are_read_with_any_offset(void **state)
{
    static const struct {
        const char *text;
        int64_t time_s;
    } rows[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1970-01-01T01:00:00+01:00", 0 },
        { "1969-12-31T19:30:00-04:30", 0 },
        { "2026-11-24T03:44:00Z", 1795491840 },
        { "2026-11-24t03:44:00.123456z", 1795491840 },
        { "2026-11-24T05:44:00.5+02:00", 1795491840 },
        { "2016-12-31T23:59:60Z", 1483228800 },
        { "2000-02-29T12:00:00Z", 951825600 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t time_s = -1;

        assert_true(psn_clock_parse(rows[i].text, &time_s));
        assert_int_equal(time_s, rows[i].time_s);
    }
}

static void anything_else_is_no_date_time(void **state)
{
    static const char *const rows[] = {
        "",
        "2026-11-24",
        "2026-11-24T03:44:00",
        "2026-11-24 03:44:00Z",
        "2026-13-24T03:44:00Z",
        "2026-00-24T03:44:00Z",
        "2026-11-31T03:44:00Z",
        "2026-02-29T03:44:00Z",
        "1900-02-29T03:44:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T03:60:00Z",
        "2026-11-24T03:44:61Z",
        "2026-11-24T03:44:00.Z",
        "2026-11-24T03:44:00ZZ",
        "2026-11-24T03:44:00+0100",
        "2026-11-24T03:44:00+24:00",
        "2026-11-24T03:44:00+01:60",
        "2026-11-24T03:44:00+01:00 ",
        "2026-11-24T03:44:00 01:00",
        "+026-11-24T03:44:00Z",
        "2026-11-24T03:44:0xZ",
        "2026/11/24T03:44:00Z",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t time_s = 42;

        assert_false(psn_clock_parse(rows[i], &time_s));
        assert_int_equal(time_s, 42);
    }
}

static void dates_must_exist(void **state)
{
    int year;
    int month;
    int day;

    (void)state;
    assert_true(psn_clock_parse_date("2028-02-29", &year, &month, &day));
    assert_int_equal(year, 2028);
    assert_int_equal(month, 2);
    assert_int_equal(day, 29);
    assert_false(psn_clock_parse_date("2027-02-29", &year, &month, &day));
    assert_false(psn_clock_parse_date("2027-04-31", &year, &month, &day));
    assert_false(psn_clock_parse_date("2027-04-00", &year, &month, &day));
    assert_false(psn_clock_parse_date("2027-4-01", &year, &month, &day));
    assert_false(psn_clock_parse_date("2027-04-01Z", &year, &month, &day));
    assert_false(psn_clock_parse_date("", &year, &month, &day));
}

/* Every day of 800 years follows the one before, and the written form agrees. */
static void days_count_on_without_a_gap(void **state)
{
    int64_t expected = psn_clock_days(1600, 1, 1);

    (void)state;
    assert_int_equal(psn_clock_days(1970, 1, 1), 0);
    assert_int_equal(psn_clock_days(2000, 3, 1), 11017);
    for (int64_t day = expected; day < expected + 292194; day++) {
        char text[PSN_TIME_SIZE];
        int year;
        int month;
        int of_month;

        (void)psn_clock_format(day * 86400, text);
        text[10] = '\0';
        assert_true(psn_clock_parse_date(text, &year, &month, &of_month));
        assert_int_equal(psn_clock_days(year, month, of_month), day);
    }
}

static void the_boot_clock_goes_on_while_we_sleep(void **state)
{
    int64_t before_ms = psn_clock_boot_ms();

    (void)state;
    psn_clock_sleep_ms(20);
    assert_true(psn_clock_boot_ms() - before_ms >= 20);
    psn_clock_sleep_ms(-5);
    assert_true(psn_clock_now_s() > 1700000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_as_rfc_3339),
        cmocka_unit_test(times_without_a_form_show_zeros),
        cmocka_unit_test(date_times_are_read_with_any_offset),
        cmocka_unit_test(anything_else_is_no_date_time),
        cmocka_unit_test(dates_must_exist),
        cmocka_unit_test(days_count_on_without_a_gap),
        cmocka_unit_test(the_boot_clock_goes_on_while_we_sleep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
