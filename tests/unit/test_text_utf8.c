#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/text.h"
#include "support/memory.h"

/* What is UTF-8, to the last bit, and what is done with bytes that are none. */

/* Reads the bytes as they may stand at the edge of memory. */
static size_t decode(const char *bytes, size_t size, uint32_t *ret_point)
{
    PSN_AUTO_FREE char *copy = memory_alone(bytes, size);

    return psn_text_decode(copy, size, ret_point);
}

static void a_byte_that_begins_no_character_is_none_whatever_follows(void **state)
{
    static const unsigned char following[] = { 0x80, 0x90, 0xbf };

    (void)state;
    for (unsigned lead = 0x80; lead <= 0xff; lead++) {
        uint32_t point = 77;
        char bytes[4] = { (char)lead };

        assert_int_equal(decode(bytes, 1, &point), 0);
        if (lead >= 0xc2 && lead <= 0xf4)
            continue;
        for (size_t size = 2; size <= sizeof bytes; size++)
            for (size_t i = 0; i < sizeof following; i++) {
                memset(bytes + 1, following[i], sizeof bytes - 1);
                assert_int_equal(decode(bytes, size, &point), 0);
            }
        assert_int_equal(point, 77);
    }
}

static void a_character_is_read_with_its_length_and_its_point(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t point; /* 0: none */
    } rows[] = {
        { "\x01", 1 },
        { "\x7f", 0x7f },
        { "\xc2\x80", 0x80 },
        { "\xdf\xbf", 0x7ff },
        { "\xe0\xa0\x80", 0x800 },
        { "\xe0\x9f\xbf", 0 },
        { "\xed\x9f\xbf", 0xd7ff },
        { "\xed\xa0\x80", 0 },
        { "\xed\xbf\xbf", 0 },
        { "\xee\x80\x80", 0xe000 },
        { "\xef\xbf\xbf", 0xffff },
        { "\xf0\x90\x80\x80", 0x10000 },
        { "\xf0\x8f\xbf\xbf", 0 },
        { "\xf4\x8f\xbf\xbf", 0x10ffff },
        { "\xf4\x90\x80\x80", 0 },
        { "\xc3\x28", 0 },
        { "\xe2\x82\x28", 0 },
        { "\xf0\x9f\x98\x28", 0 },
        { "\xf0\x9f\x98\xc0", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size = strlen(rows[i].bytes);
        uint32_t point = 0;

        assert_int_equal(decode(rows[i].bytes, size, &point), rows[i].point ? size : 0);
        assert_int_equal(point, rows[i].point);
        for (size_t less = 1; less < size; less++)
            assert_int_equal(decode(rows[i].bytes, less, &point), 0);
    }
}

static bool is_plain(uint32_t point)
{
    char text[4];
    size_t size = 0;

    if (point < 0x80) {
        text[size++] = (char)point;
    } else if (point < 0x800) {
        text[size++] = (char)(0xc0 | point >> 6);
    } else if (point < 0x10000) {
        text[size++] = (char)(0xe0 | point >> 12);
        text[size++] = (char)(0x80 | (point >> 6 & 0x3f));
    } else {
        text[size++] = (char)(0xf0 | point >> 18);
        text[size++] = (char)(0x80 | (point >> 12 & 0x3f));
        text[size++] = (char)(0x80 | (point >> 6 & 0x3f));
    }
    if (point >= 0x80)
        text[size++] = (char)(0x80 | (point & 0x3f));
    return psn_text_is_plain(text, size);
}

static void what_hides_or_moves_is_refused_to_the_last_of_its_kind(void **state)
{
    static const uint32_t ranges[][2] = {
        { 0x7f, 0x9f },     { 0xad, 0xad },       { 0x61c, 0x61c },   { 0x180e, 0x180e },
        { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
        { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
    };

    (void)state;
    for (uint32_t point = 0; point < 0x20; point++)
        assert_false(is_plain(point));
    assert_true(is_plain(0x20));
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        assert_true(is_plain(ranges[i][0] - 1));
        assert_false(is_plain(ranges[i][0]));
        assert_false(is_plain(ranges[i][1]));
        assert_true(is_plain(ranges[i][1] + 1));
    }
}

static void cutting_leaves_no_byte_of_what_was_no_character(void **state)
{
    static const struct {
        const char *text;
        const char *cut;
    } rows[] = {
        { "\x80", "" },
        { "\xbf\x80\x80\x80\x80\x80", "" },
        { "\xc3", "" },
        { "\xc0", "" },
        { "ab\xc0", "ab" },
        { "ab\xff", "ab" },
        { "ab\x80", "ab" },
        { "ab\xe2\x82\xac\x80", "ab" },
        { "ab\xf0\x9f\x98\x80", "ab\xf0\x9f\x98\x80" },
        { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
        { "a", "a" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[16];

        (void)snprintf(text, sizeof text, "%s", rows[i].text);
        psn_text_cut_utf8(text);
        assert_string_equal(text, rows[i].cut);
    }
}

static void a_mask_stands_for_each_byte_that_is_none_and_each_hostile_character(
    void **state)
{
    static const struct {
        const char *text;
        const char *masked;
    } rows[] = {
        { "", "" },
        { "\xff", "?" },
        { "\xff\xfe"
          "ab",
          "??ab" },
        { "a\x80"
          "b",
          "a?b" },
        { "a\xe2\x80\xae"
          "b\xf0\x9f\x98",
          "a?b???" },
        { "\x01\x7f~ ", "??~ " },
        { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[16];

        (void)snprintf(text, sizeof text, "%s", rows[i].text);
        psn_text_mask(text);
        assert_string_equal(text, rows[i].masked);
    }
}

static void escaping_shows_the_bytes_that_were_given_and_none_behind_them(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *shown;
    } rows[] = {
        { "abcdef", 3, "abc" },
        { "\xc3\xa9"
          "abcd",
          4,
          "\xc3\xa9"
          "ab" },
        { "ab\xc3\xa9", 3, "ab\\xc3" },
        { "\xff\xe2\x82\xac", 3, "\\xff\\xe2\\x82" },
        { "\xc2\x80", 2, "\\u{0080}" },
        { "\x7f", 1, "\\x7f" },
        { "\xe2\x80\xae", 3, "\\u{202e}" },
        { "a\xc2\xa0~ ", 5, "a\xc2\xa0~ " },
        { "a\0b", 3, "a\\x00b" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(64);

        psn_text_escape(&out, rows[i].bytes, rows[i].size);
        assert_string_equal(psn_buf_str(&out), rows[i].shown);
    }
}

/* The text is as long as a message may be, at most, before it is escaped. */
static void long_text_is_shown_to_the_same_length_whether_plain_or_not(void **state)
{
    char text[PSN_ERROR_MESSAGE_MAX + 100];
    char out[2 * sizeof text];

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(strlen(psn_text_shown(text, out, sizeof out)),
                     PSN_ERROR_MESSAGE_MAX);
    text[PSN_ERROR_MESSAGE_MAX - 1] = '\0';
    assert_string_equal(psn_text_shown(text, out, sizeof out), text);
    assert_int_equal(strlen(psn_text_shown(text, out, 10)), 9);
    /* Of bytes that are no character, no more is left out than a character has. */
    memset(text, 'x', sizeof text - 1);
    memset(text + PSN_ERROR_MESSAGE_MAX - 4, 0x80, 8);
    assert_int_equal(strlen(psn_text_shown(text, out, sizeof out)),
                     PSN_ERROR_MESSAGE_MAX - 4 + strlen("\\x80"));
}

static void columns_are_counted_to_the_end_of_the_text(void **state)
{
    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    assert_int_equal(psn_text_columns("\xff\xfe"), 2);
    assert_int_equal(psn_text_columns("\xe2\x82"), 2);
    assert_int_equal(psn_text_columns("\xc3\xa9\xff"
                                      "a"),
                     3);
    assert_int_equal(psn_text_columns("\x01"), 1);
    assert_int_equal(psn_text_columns(" ~"), 2);
    (void)setlocale(LC_CTYPE, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_that_begins_no_character_is_none_whatever_follows),
        cmocka_unit_test(a_character_is_read_with_its_length_and_its_point),
        cmocka_unit_test(what_hides_or_moves_is_refused_to_the_last_of_its_kind),
        cmocka_unit_test(cutting_leaves_no_byte_of_what_was_no_character),
        cmocka_unit_test(
            a_mask_stands_for_each_byte_that_is_none_and_each_hostile_character),
        cmocka_unit_test(escaping_shows_the_bytes_that_were_given_and_none_behind_them),
        cmocka_unit_test(long_text_is_shown_to_the_same_length_whether_plain_or_not),
        cmocka_unit_test(columns_are_counted_to_the_end_of_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
