#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/text.h"

/* Fixture: strings that somebody hostile could put into a name ------------------- */

struct sample {
    char bytes[96];
    size_t size;
};

enum {
    SAMPLES_MAX = 256
};

static struct sample samples[SAMPLES_MAX];
static size_t sample_count;

static void add_sample(const char *bytes, size_t size)
{
    assert_true(sample_count < SAMPLES_MAX && size < sizeof samples[0].bytes);
    memcpy(samples[sample_count].bytes, bytes, size);
    samples[sample_count++].size = size;
}

static size_t put_utf8(uint32_t point, char out[4])
{
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 63));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 63));
        out[2] = (char)(0x80 | (point & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 63));
    out[2] = (char)(0x80 | (point >> 6 & 63));
    out[3] = (char)(0x80 | (point & 63));
    return 4;
}

static void add_point(uint32_t point)
{
    char text[16] = "a";
    size_t size = 1 + put_utf8(point, text + 1);

    text[size++] = 'b';
    add_sample(text, size);
}

static const uint32_t hostile_points[] = {
    0x00ad,  0x061c,  0x200b,  0x200c,  0x200d, 0x200e, 0x200f, 0x2028, 0x2029,
    0x202a,  0x202b,  0x202c,  0x202d,  0x202e, 0x2060, 0x2061, 0x2064, 0x2066,
    0x2067,  0x2068,  0x2069,  0x206a,  0x206f, 0xfeff, 0xfff9, 0xfffa, 0xfffb,
    0xe0001, 0xe0020, 0xe007f, 0xe0100, 0xd800, 0xdbff, 0xdc00, 0xdfff,
};
static const char *const hostile_texts[] = {
    "\x1b[2J",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGVsbG8=\x07",
    "\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP$q\"p\x1b\\",
    "\x1b[6n",
    "\x1b[?1049h",
    "\033c",
    "\23331m",
    "\302\23331m",
    "ok\r\nError: none",
    "contact\r\nBcc: x@example.org",
    "name\nFrom: x",
    "back\b\b\b\bspace",
    "tab\tseparated\tvalues",
    "vertical\vform\f",
    "bell\a\a\a",
    "\x7f\x7f",
    "facture\xe2\x80\xaegpj.exe", /* NOLINT(misc-misleading-bidirectional) */
    "\xc0\xaf",
    "\xc1\xbf",
    "\xe0\x80\xaf",
    "\xe0\x9f\xbf",
    "\xf0\x80\x80\xaf",
    "\xf0\x8f\xbf\xbf",
    "\xf4\x90\x80\x80",
    "\xf5\x80\x80\x80",
    "\xf8\x88\x80\x80\x80",
    "\xfe",
    "\xff",
    "\x80",
    "\xbf\xbf\xbf\xbf\xbf",
    "caf\xe9",
    "\xc3",
    "\xe2\x82",
    "\xf0\x9f\x98",
    "\xc3(",
    "\xe2\x28\xa1",
    "\xf0\x28\x8c\xbc",
    "\xed\xa0\x80\xed\xb0\x80",
    "\\x1b[31m",
    "\\u{202e}",
    "\\\x1b\\",
    "../../etc/passwd\n",
    "$(reboot)\n`reboot`",
    "%s%n%x\x01",
    "=cmd|' /C calc'!A0\r",
    "é\xc3\xa9\xc3",
    "\xe2\x80\xa8line\xe2\x80\xa9paragraph",
    "\357\273\277bom",
};
static int make_samples(void **state)
{
    (void)state;
    for (int c = 0; c < 0x20; c++)
        add_sample((char[]){ 'a', (char)c, 'b' }, 3);
    for (uint32_t point = 0x7f; point < 0xa0; point++)
        add_point(point);
    for (size_t i = 0; i < sizeof hostile_points / sizeof *hostile_points; i++)
        add_point(hostile_points[i]);
    for (size_t i = 0; i < sizeof hostile_texts / sizeof *hostile_texts; i++)
        add_sample(hostile_texts[i], strlen(hostile_texts[i]));
    return 0;
}

static bool has_control_byte(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

/* Escaping ------------------------------------------------------------------------ */

static void hostile_strings_are_shown_without_effect(void **state)
{
    (void)state;
    assert_true(sample_count >= 120);
    for (size_t i = 0; i < sample_count; i++) {
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);

        psn_text_escape(&out, samples[i].bytes, samples[i].size);
        assert_int_equal(psn_buf_check(&out, NULL), PSN_OK);
        assert_false(has_control_byte(psn_buf_str(&out)));
        assert_true(psn_text_is_plain(psn_buf_str(&out), out.size));
        assert_int_equal(strlen(psn_buf_str(&out)), out.size);
    }
}

static void escaping_again_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        PSN_AUTO_RELEASE(psn_buf) once = psn_buf_init(4096);
        PSN_AUTO_RELEASE(psn_buf) twice = psn_buf_init(4096);

        psn_text_escape(&once, samples[i].bytes, samples[i].size);
        psn_text_escape(&twice, psn_buf_str(&once), once.size);
        assert_string_equal(psn_buf_str(&once), psn_buf_str(&twice));
    }
}

static void what_is_refused_is_named(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
    /* NOLINTNEXTLINE(misc-misleading-bidirectional) */
    static const char text[] = "a\x1b\0\xff"
                               "b\xe2\x80\xae\xc2\x85 é\\";

    (void)state;
    psn_text_escape(&out, text, sizeof text - 1);
    assert_string_equal(psn_buf_str(&out), "a\\x1b\\x00\\xff"
                                           "b\\u{202e}\\u{0085} é\\");
}

static void shown_text_fits_and_ends_with_a_whole_character(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        char text[sizeof samples[0].bytes + 1];

        memcpy(text, samples[i].bytes, samples[i].size);
        text[samples[i].size] = '\0';
        for (size_t size = 1; size < 40; size++) {
            char out[40];

            memset(out, 'Z', sizeof out);
            assert_ptr_equal(psn_text_shown(text, out, size), out);
            assert_true(strlen(out) < size);
            assert_true(psn_text_is_plain(out, strlen(out)));
        }
    }
}

static void a_copy_holds_as_much_as_fits_and_ends(void **state)
{
    char out[5];

    (void)state;
    for (size_t size = 1; size <= sizeof out; size++) {
        memset(out, '#', sizeof out);
        assert_ptr_equal(psn_text_copy("abcdef", out, size), out);
        assert_int_equal(strlen(out), size - 1);
        assert_memory_equal(out, "abcdef", size - 1);
        assert_true(size == sizeof out || out[size] == '#');
    }
    assert_string_equal(psn_text_copy("", out, sizeof out), "");
    assert_string_equal(psn_text_copy("abcd", out, sizeof out), "abcd");
}

static void a_word_of_a_shell_holds_nothing_that_is_carried_out(void **state)
{
    char out[32];
    char small[8];

    (void)state;
    assert_string_equal(psn_text_quoted("", out, sizeof out), "''");
    assert_string_equal(psn_text_quoted("$(id); `x`", out, sizeof out), "'$(id); `x`'");
    assert_string_equal(psn_text_quoted("d'or", out, sizeof out), "'d'\\''or'");
    /* One that does not fit is cut, and closed. */
    assert_string_equal(psn_text_quoted("''''", small, sizeof small), "''\\'''");
    assert_string_equal(psn_text_quoted("abcdefgh", small, 4), "''");
}

static void long_text_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        char text[1400] = "xxxx";
        char out[1400];

        for (size_t i = lead; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x98\x80", 4); /* NOLINT(bugprone-not-null-*) */
        (void)psn_text_shown(text, out, sizeof out);
        assert_null(strchr(out, '\\'));
        assert_in_range(strlen(out), 500, 512);
    }
}

static void masking_leaves_plain_text_alone_and_the_rest_harmless(void **state)
{
    char kept[] = "Café « à l'œuf » 😀 \\";

    (void)state;
    psn_text_mask(kept);
    assert_string_equal(kept, "Café « à l'œuf » 😀 \\");
    for (size_t i = 0; i < sample_count; i++) {
        char text[sizeof samples[0].bytes + 1];

        memcpy(text, samples[i].bytes, samples[i].size);
        text[samples[i].size] = '\0';
        psn_text_mask(text);
        assert_true(psn_text_is_plain(text, strlen(text)));
    }
}

/* Checks -------------------------------------------------------------------------- */

static void hostile_strings_are_not_plain(void **state)
{
    size_t plain = 0;

    (void)state;
    for (size_t i = 0; i < sample_count; i++)
        plain += psn_text_is_plain(samples[i].bytes, samples[i].size) ? 1 : 0;
    assert_int_equal(plain, 2); /* the two that only look like escapes */
}

static void ordinary_names_are_plain(void **state)
{
    static const char *const names[] = { "",
                                         "contact@example.org",
                                         "Société Générale & Cie",
                                         "Zoë O’Neill — n° 5",
                                         "日本語",
                                         "שלום",
                                         "😀",
                                         "\xf4\x8f\xbf\xbf",
                                         "\xee\x80\x80",
                                         "a\xc2\xa0z" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(psn_text_is_plain(names[i], strlen(names[i])));
        assert_true(psn_text_is_utf8(names[i], strlen(names[i])));
    }
}

/* Though the rest of it stands behind the size that was given. */
static void a_character_that_the_size_cuts_is_none(void **state)
{
    static const char *const texts[] = { "né", "nn€", "nnn😀" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t size = strlen(texts[i]);

        assert_true(psn_text_is_plain(texts[i], size));
        assert_false(psn_text_is_plain(texts[i], size - 1));
        assert_true(psn_text_is_utf8(texts[i], size));
        assert_false(psn_text_is_utf8(texts[i], size - 1));
    }
}

/* Each point of Unicode against an encoder of our own. */
static void every_code_point_is_utf8_and_nothing_shorter_is(void **state)
{
    (void)state;
    for (uint32_t point = 0x80; point < 0x110000; point++) {
        char text[4];
        size_t size = put_utf8(point, text);
        bool surrogate = point >= 0xd800 && point <= 0xdfff;

        assert_int_equal(psn_text_is_utf8(text, size), !surrogate);
        assert_false(psn_text_is_utf8(text, size - 1));
    }
    assert_true(psn_text_is_utf8("\x01\x7f", 2));
    assert_false(psn_text_is_utf8("a\0b", 3));
}

static void cutting_removes_only_an_incomplete_end(void **state)
{
    static const struct {
        const char *text;
        const char *cut;
    } rows[] = {
        { "", "" },
        { "abc", "abc" },
        { "é", "é" },
        { "ab\xc3", "ab" },
        { "ab\xe2\x82", "ab" },
        { "ab€", "ab€" },
        { "ab\xf0\x9f\x98", "ab" },
        { "ab😀", "ab😀" },
        { "\xf0", "" },
        { "é\xc3", "é" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[16];

        (void)snprintf(text, sizeof text, "%s", rows[i].text);
        psn_text_cut_utf8(text);
        assert_string_equal(text, rows[i].cut);
    }
}

static void columns_follow_the_width_of_characters(void **state)
{
    (void)state;
    assert_int_equal(psn_text_columns(""), 0);
    assert_int_equal(psn_text_columns("contact"), 7);
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    assert_int_equal(psn_text_columns("é€"), 2);
    assert_int_equal(psn_text_columns("日本"), 4);
    assert_int_equal(psn_text_columns("e\xcc\x81"), 1);
    assert_int_equal(psn_text_columns("\xff"), 1);
    assert_int_equal(psn_text_columns("caf\xc3\xa9 e\xcc\x81t ~"), 9);
    (void)setlocale(LC_CTYPE, "C");
}

/* Globs, numbers, durations --------------------------------------------------------- */

static void globs_match_as_people_expect(void **state)
{
    static const struct {
        const char *glob;
        const char *text;
        bool matches;
    } rows[] = {
        { "", "", true },
        { "", "a", false },
        { "*", "", true },
        { "*", "contact@example.org", true },
        { "technique@*", "technique@example.org", true },
        { "technique@*", "contact@example.org", false },
        { "*@example.org", "sav@example.org", true },
        { "*@example.org", "sav@example.com", false },
        { "s?v@*", "sav@example.org", true },
        { "s?v@*", "sv@example.org", false },
        { "*a*b*", "xxaxxbxx", true },
        { "*a*b", "xxaxxbxx", false },
        { "a*b*c", "abbbbbc", true },
        { "**", "x", true },
        { "?", "", false },
        { "[ab]", "a", false },
        { "[ab]", "[ab]", true },
        { "a.c", "abc", false },
        { "sav", "sav@example.org", false },
        { "*.org", "a.org.org", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(psn_text_glob(rows[i].glob, rows[i].text), rows[i].matches);
}

static void a_hostile_glob_takes_no_time(void **state)
{
    char glob[201];
    char text[4001];

    (void)state;
    for (size_t i = 0; i < sizeof glob - 1; i++)
        glob[i] = i % 2 == 0 ? '*' : 'a';
    glob[sizeof glob - 2] = 'b';
    glob[sizeof glob - 1] = '\0';
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(psn_text_glob(glob, text));
}

static void numbers_are_read_whole_and_within_the_limit(void **state)
{
    static const char *const refused[] = {
        "", "-1", "+1", " 1", "1 ", "0x", "1.", "१", "101", "99999999999999999999999"
    };
    uint64_t value = 7;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_false(psn_text_parse_u64(refused[i], 100, &value));
        assert_int_equal(value, 7);
    }
    assert_true(psn_text_parse_u64("100", 100, &value));
    assert_int_equal(value, 100);
    assert_true(psn_text_parse_u64("007", 100, &value));
    assert_int_equal(value, 7);
    assert_true(psn_text_parse_u64("18446744073709551615", UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_false(psn_text_parse_u64("18446744073709551616", UINT64_MAX, &value));
    assert_false(psn_text_parse_u64("5", 4, &value));
    assert_true(psn_text_parse_u64("0", 0, &value));
    assert_int_equal(value, 0);
}

static void durations_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t duration_s;
    } rows[] = { { "45s", 45 },    { "15m", 900 }, { "2h", 7200 },
                 { "3d", 259200 }, { "90", 90 },   { "0", 0 } };
    static const char *const refused[] = {
        "", "s", "5x", "-5s", "5 s", "11d", "1w", "999999999999999999999999", "864001"
    };
    int64_t duration_s = -1;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(psn_text_parse_duration(rows[i].text, 864000, &duration_s));
        assert_int_equal(duration_s, rows[i].duration_s);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_false(psn_text_parse_duration(refused[i], 864000, &duration_s));
    assert_true(psn_text_parse_duration("10d", 864000, &duration_s));
}

static void lower_case_is_ascii_only(void **state)
{
    char text[] = "AZaz09É@[";

    (void)state;
    psn_text_lower(text);
    assert_string_equal(text, "azaz09É@[");
    assert_true(psn_text_is_upper('A') && psn_text_is_upper('Z'));
    assert_false(psn_text_is_upper('@') || psn_text_is_upper('[') ||
                 psn_text_is_upper('a'));
    assert_true(psn_text_is_lower('a') && psn_text_is_lower('z'));
    assert_false(psn_text_is_lower('`') || psn_text_is_lower('{'));
    assert_true(psn_text_is_digit('0') && psn_text_is_digit('9'));
    assert_false(psn_text_is_digit('/') || psn_text_is_digit(':'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_strings_are_shown_without_effect),
        cmocka_unit_test(escaping_again_changes_nothing),
        cmocka_unit_test(what_is_refused_is_named),
        cmocka_unit_test(shown_text_fits_and_ends_with_a_whole_character),
        cmocka_unit_test(a_copy_holds_as_much_as_fits_and_ends),
        cmocka_unit_test(a_word_of_a_shell_holds_nothing_that_is_carried_out),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(masking_leaves_plain_text_alone_and_the_rest_harmless),
        cmocka_unit_test(hostile_strings_are_not_plain),
        cmocka_unit_test(ordinary_names_are_plain),
        cmocka_unit_test(a_character_that_the_size_cuts_is_none),
        cmocka_unit_test(every_code_point_is_utf8_and_nothing_shorter_is),
        cmocka_unit_test(cutting_removes_only_an_incomplete_end),
        cmocka_unit_test(columns_follow_the_width_of_characters),
        cmocka_unit_test(globs_match_as_people_expect),
        cmocka_unit_test(a_hostile_glob_takes_no_time),
        cmocka_unit_test(numbers_are_read_whole_and_within_the_limit),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(lower_case_is_ascii_only),
    };

    return cmocka_run_group_tests(tests, make_samples, NULL);
}
