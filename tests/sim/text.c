#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One wildcard character, any text. Iterative, so a long pattern costs no stack. */
static bool match(char wildcard, const char *pattern, const char *text)
{
    const char *retry_pattern = NULL;
    const char *retry_text = NULL;

    while (*text) {
        if (*pattern == wildcard) {
            retry_pattern = ++pattern;
            retry_text = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (retry_pattern) {
            pattern = retry_pattern;
            text = ++retry_text;
        } else {
            return false;
        }
    }
    while (*pattern == wildcard)
        pattern++;
    return !*pattern;
}

bool sim_text_glob(const char *pattern, const char *text)
{
    return match('*', pattern, text);
}

bool sim_text_like(const char *pattern, const char *text)
{
    return match('%', pattern, text);
}

void sim_text_lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool sim_text_unescape(char *text, bool plus_is_blank)
{
    const char *in = text;
    char *out = text;

    while (*in) {
        if (*in == '%') {
            int high = hex_digit(in[1]);
            int low = high < 0 ? -1 : hex_digit(in[2]);

            if (low < 0 || (high == 0 && low == 0))
                return false;
            unsigned char byte = (unsigned char)(high * 16 + low);
            memcpy(out++, &byte, 1);
            in += 3;
        } else {
            bool blank = *in == '+' && plus_is_blank;
            *out++ = *in++;
            if (blank)
                out[-1] = ' ';
        }
    }
    *out = '\0';

    const char *at = text;
    uint32_t point = 1;
    while (point != 0 && point != UINT32_MAX)
        point = sim_text_next(&at);
    return point == 0;
}

uint32_t sim_text_next(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    static const uint32_t floors[] = { 0, 0x80, 0x800, 0x10000 };
    uint32_t point = at[0];
    unsigned more = 0;

    if (point == 0)
        return 0;
    if (point >= 0x80) {
        more = point >= 0xf0 ? 3 : point >= 0xe0 ? 2 : 1;
        if (point < 0xc2 || point > 0xf4)
            return UINT32_MAX;
        point &= 0x3fu >> more;
    }
    for (unsigned i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return UINT32_MAX;
        point = point << 6 | (at[i] & 0x3f);
    }
    if (point < floors[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return UINT32_MAX;
    *text += more + 1;
    return point;
}

void sim_text_datetime(int64_t time_s, char ret_text[SIM_TEXT_DATETIME_SIZE])
{
    time_t when = (time_t)time_s;
    struct tm parts;
    char bare[32];
    char offset[8];

    localtime_r(&when, &parts);
    strftime(bare, sizeof bare, "%Y-%m-%dT%H:%M:%S", &parts);
    strftime(offset, sizeof offset, "%z", &parts);
    snprintf(ret_text, SIM_TEXT_DATETIME_SIZE, "%s%.3s:%s", bare, offset, offset + 3);
}

void sim_text_date(int64_t time_s, char ret_text[SIM_TEXT_DATETIME_SIZE])
{
    time_t when = (time_t)time_s;
    struct tm parts;

    localtime_r(&when, &parts);
    strftime(ret_text, SIM_TEXT_DATETIME_SIZE, "%Y-%m-%d", &parts);
}

/* Reads `count` digits; -1 if there are fewer. */
static int digits(const char **text, int count)
{
    int value = 0;

    for (int i = 0; i < count; i++, (*text)++) {
        if (!isdigit((unsigned char)**text))
            return -1;
        value = value * 10 + (**text - '0');
    }
    return value;
}

static bool skip(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

static bool parse_zone(const char **text, int *ret_seconds)
{
    if (skip(text, 'Z')) {
        *ret_seconds = 0;
        return true;
    }
    int sign = **text == '-' ? -1 : 1;
    if (!skip(text, '-') && !skip(text, '+'))
        return false;
    int hours = digits(text, 2);
    if (hours < 0 || hours > 23 || !skip(text, ':'))
        return false;
    int minutes = digits(text, 2);
    if (minutes < 0 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool sim_text_parse_datetime(const char *text, int64_t *ret_time_s)
{
    struct tm parts = { 0 };
    int zone = 0;

    parts.tm_year = digits(&text, 4) - 1900;
    if (parts.tm_year < 0 || !skip(&text, '-'))
        return false;
    parts.tm_mon = digits(&text, 2) - 1;
    if (parts.tm_mon < 0 || parts.tm_mon > 11 || !skip(&text, '-'))
        return false;
    parts.tm_mday = digits(&text, 2);
    if (parts.tm_mday < 1 || parts.tm_mday > 31 || !skip(&text, 'T'))
        return false;
    parts.tm_hour = digits(&text, 2);
    if (parts.tm_hour < 0 || parts.tm_hour > 23 || !skip(&text, ':'))
        return false;
    parts.tm_min = digits(&text, 2);
    if (parts.tm_min < 0 || parts.tm_min > 59 || !skip(&text, ':'))
        return false;
    parts.tm_sec = digits(&text, 2);
    if (parts.tm_sec < 0 || parts.tm_sec > 60 || !parse_zone(&text, &zone) || *text)
        return false;
    *ret_time_s = (int64_t)timegm(&parts) - zone;
    return true;
}

bool sim_text_parse_long(const char *text, int64_t *ret_value)
{
    char *end = NULL;

    if (!isdigit((unsigned char)text[*text == '-' ? 1 : 0]))
        return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end)
        return false;
    *ret_value = value;
    return true;
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t sim_text_now_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

int64_t sim_text_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

void sim_text_sleep_ms(int64_t ms)
{
    struct timespec left = { .tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000 };

    while (ms > 0 && nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

void sim_text_key(const char *purpose, unsigned number, char *ret_key, size_t size)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char hash[SHA256_DIGEST_LENGTH];
    char seed[96];

    for (size_t i = 0; i + 1 < size; i++) {
        if (i % sizeof hash == 0) {
            int length = snprintf(seed, sizeof seed, "%s %u %zu", purpose, number,
                                  i / sizeof hash);
            SHA256((const unsigned char *)seed, (size_t)length, hash);
        }
        ret_key[i] = alphabet[hash[i % sizeof hash] % (sizeof alphabet - 1)];
    }
    ret_key[size - 1] = '\0';
}
