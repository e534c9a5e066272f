#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

int64_t psn_clock_now_s(void)
{
    struct timespec now = { 0 };

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec > 0 ? now.tv_sec : 1;
}

int64_t psn_clock_boot_ms(void)
{
    struct timespec now = { 0 };

#ifdef CLOCK_BOOTTIME
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
#else
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* macOS: goes on in sleep there */
#endif
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void psn_clock_sleep_ms(int64_t duration_ms)
{
    struct timespec wait = { .tv_sec = duration_ms / 1000,
                             .tv_nsec = duration_ms % 1000 * 1000000 };

    if (duration_ms > 0)
        (void)nanosleep(&wait, NULL);
}

/* The proleptic Gregorian calendar in 400-year eras that begin on 1 March, so
 * that the leap day is the last of its year. */
int64_t psn_clock_days(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

const char *psn_clock_format(int64_t time_s, char out[PSN_TIME_SIZE])
{
    time_t when = (time_t)time_s;
    struct tm parts;

    /* Years of four digits only, which %Y does not pad everywhere. */
    if (!gmtime_r(&when, &parts) || parts.tm_year < 1000 - 1900 ||
        parts.tm_year > 9999 - 1900 ||
        strftime(out, PSN_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        memcpy(out, "0000-00-00T00:00:00Z", sizeof "0000-00-00T00:00:00Z");
    return out;
}

static bool digits(const char *text, int count, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if (!psn_text_is_digit(text[i]))
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *ret_value = value;
    return true;
}

static int month_length(int year, int month)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : lengths[month - 1];
}

static bool parse_day(const char *text, int *ret_year, int *ret_month, int *ret_day)
{
    int year;
    int month;
    int day;

    if (!digits(text, 4, &year) || text[4] != '-' || !digits(text + 5, 2, &month) ||
        text[7] != '-' || !digits(text + 8, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > month_length(year, month))
        return false;
    *ret_year = year;
    *ret_month = month;
    *ret_day = day;
    return true;
}

bool psn_clock_parse_date(const char *text, int *ret_year, int *ret_month, int *ret_day)
{
    return strlen(text) == 10 && parse_day(text, ret_year, ret_month, ret_day);
}

/* "Z" or "+01:00" into seconds east of Greenwich. */
static bool parse_offset(const char *text, int64_t *ret_offset_s)
{
    int hours;
    int minutes;

    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        *ret_offset_s = 0;
        return true;
    }
    if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
        !digits(text + 1, 2, &hours) || !digits(text + 4, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *ret_offset_s =
        (text[0] == '-' ? -1 : 1) * (hours * INT64_C(3600) + minutes * INT64_C(60));
    return true;
}

bool psn_clock_parse(const char *text, int64_t *ret_time_s)
{
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int64_t offset_s;
    const char *at;

    if (strlen(text) < 20 || !parse_day(text, &year, &month, &day) ||
        (text[10] != 'T' && text[10] != 't') || !digits(text + 11, 2, &hour) ||
        text[13] != ':' || !digits(text + 14, 2, &minute) || text[16] != ':' ||
        !digits(text + 17, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    at = text + 19;
    if (*at == '.') {
        size_t fraction = strspn(at + 1, "0123456789");

        if (fraction == 0)
            return false;
        at += 1 + fraction;
    }
    if (!parse_offset(at, &offset_s))
        return false;
    *ret_time_s = psn_clock_days(year, month, day) * 86400 + hour * INT64_C(3600) +
                  minute * INT64_C(60) + second - offset_s;
    return true;
}
