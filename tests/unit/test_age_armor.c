#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "age/armor.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/stream.h"
#include "support/memory.h"

/* The text form of an age file, line by line and piece by piece. */

#define BEGIN "-----BEGIN AGE ENCRYPTED FILE-----"
#define END   "-----END AGE ENCRYPTED FILE-----"
#define FULL  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* The line as it may stand at the edge of memory: nothing around it may be read. */
static bool line_is_read(struct psn_age_dearmor *armor, const char *line, size_t size,
                         bool ended, uint8_t *out, size_t *ret_size)
{
    PSN_AUTO_FREE char *copy = memory_alone(line, size);

    return psn_age_dearmor_line(armor, copy, size, ended, out, ret_size);
}

static bool is_read(const char *text, struct psn_buf *out)
{
    struct psn_age_dearmor armor = { 0 };

    while (*text) {
        size_t size = strcspn(text, "\n");
        bool ended = text[size] == '\n';
        uint8_t bytes[PSN_AGE_ARMOR_BYTES];
        size_t got = 0;

        if (!line_is_read(&armor, text, size, ended, bytes, &got))
            return false;
        psn_buf_bytes(out, bytes, got);
        text += size + ended;
    }
    return psn_age_dearmor_is_done(&armor);
}

static void lines_end_in_one_way_and_blanks_stand_outside_alone(void **state)
{
    static const struct {
        const char *text;
        bool right;
    } rows[] = {
        { BEGIN "\nAAAA\n" END "\n", true },
        { BEGIN "\nAAAA\n" END, true },
        { BEGIN "\n" FULL "\n" END "\n", true },
        { BEGIN "\n" FULL "\nAAAA\n" END "\n", true },
        { BEGIN "\r\nAAAA\r\n" END "\r\n", true },
        { BEGIN "\r\n" FULL "\r\nAAAA\r\n" END, true },
        { "\n \t\r\n  " BEGIN "\nAAAA\n" END " \t\n\r\n \n", true },
        { BEGIN "\nAAAA\r\n" END "\n", false },
        { BEGIN "\r\nAAAA\n" END "\r\n", false },
        { BEGIN "\nAAAA\n" END "\r\n", false },
        { BEGIN "\nAAAA\n\n" END "\n", false },
        { BEGIN "\n\nAAAA\n" END "\n", false },
        { BEGIN "\n" FULL "\n\n" END "\n", false },
        { BEGIN "\r\n" FULL "\r\n\r\n" END "\r\n", false },
        { BEGIN "\r\n" FULL "\r\n\n" END "\r\n", false },
        { BEGIN "\n" END "\n", true }, /* an empty content has no line */
        { BEGIN "\nAAAA\n-\n" END "\n", false },
        { BEGIN "\nAAAA\n-----END AGE\n" END "\n", false },
        { BEGIN "\nAAAA\n-----END AGE ENCRYPTED FILX-----\n" END "\n", false },
        { "-\n", false },
        { BEGIN "\nAAAA\nAAAA\n" END "\n", false },
        { BEGIN "\nAAAA\n" FULL "\n" END "\n", false },
        { BEGIN "\n" FULL "AAAA\n" END "\n", false },
        { BEGIN "\n AAAA\n" END "\n", false },
        { BEGIN "\nAAAA \n" END "\n", false },
        { BEGIN "\nAAA\n" END "\n", false },
        { BEGIN " \nAAAA\n" END "\n", false },
        { BEGIN "x\nAAAA\n" END "\n", false },
        { "-----BEGIN AGE ENCRYPTED FILX-----\nAAAA\n" END "\n", false },
        { "-----BEGIN AGE ENCRYPTED FILE----\nAAAA\n" END "\n", false },
        { "-----BEGIN AGE ENCRYPTED FILE----- \nAAAA\n" END "\n", false },
        { "x" BEGIN "\nAAAA\n" END "\n", false },
        { BEGIN "\nAAAA\n" END "x\n", false },
        { BEGIN "\nAAAA\n" END "\nx\n", false },
        { BEGIN "\nAAAA\n " END "\n", false },
        { BEGIN "\nAAAA\n-----END AGE ENCRYPTED FILE----\n", false },
        { BEGIN "\nAAAA\n-----END AGE ENCRYPTED FILE---- \n", false },
        { BEGIN "\nAAAA\n-----END AGE ENCRYPTED FILX-----\n", false },
        { BEGIN "\nAAAA\n", false },
        { BEGIN "\nAAAA", false },
        { BEGIN, false },
        { "\n", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);

        if (is_read(rows[i].text, &out) != rows[i].right)
            fail_msg("row %zu: %s", i, rows[i].text);
    }
}

/* 1024 of them before and as many after, their newlines counted. */
static void blanks_outside_are_bounded(void **state)
{
    static const struct {
        int first, second, after; /* blanks on a line */
        bool right;
    } rows[] = {
        { 1000, 22, 1023, true }, { 1000, 23, 1023, false }, { 1000, 22, 1024, false },
        { 1023, -1, 1023, true }, { 1024, -1, 1023, false }, { -1, -1, 1023, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(8192);
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);

        if (rows[i].first >= 0)
            psn_buf_format(&text, "%*s\n", rows[i].first, "");
        if (rows[i].second >= 0)
            psn_buf_format(&text, "%*s\n", rows[i].second, "");
        psn_buf_format(&text, BEGIN "\nAAAA\n" END "%*s", rows[i].after, "");
        if (is_read(psn_buf_str(&text), &out) != rows[i].right)
            fail_msg("row %zu", i);
    }
}

static void text_form_is_told_by_its_beginning_and_by_its_mark(void **state)
{
    static const struct {
        const char *text;
        bool armored;
    } rows[] = {
        { BEGIN "\n", true },
        { "-----BEGIM\n", true },
        { "-----", true },
        { " \t\r\n-----BEGIM", true },
        { "Here it is:\n-----BEGIN AGE", true },
        { "age-encryption.org\n-----BEGIN AGE", true },
        { "x age-encryption.org/v1\n-----BEGIN AGE", true },
        { "age-encryption.org/v1\n-----BEGIN AGE", false },
        { "age-encryption.org/", false },
        { "Here it is:\n-----BEGIN AG", false },
        { "Here it is:\n-----BEGIN AGI", false },
        { "Here it is:\n-----", false },
        { "----", false },
        { "\n----", false },
        { " \n", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size = strlen(rows[i].text);
        PSN_AUTO_FREE uint8_t *copy = memory_alone(rows[i].text, size);

        if (psn_age_looks_armored(copy, size) != rows[i].armored)
            fail_msg("row %zu: %s", i, rows[i].text);
    }
}

/* However much was read by then: a file is the same in one piece and in many. */
static void a_mark_behind_the_first_2048_bytes_tells_nothing(void **state)
{
    static const char mark[] = "-----BEGIN AGE";
    uint8_t bytes[PSN_AGE_ARMOR_PEEK + sizeof mark];

    (void)state;
    for (int late = 0; late <= 1; late++) {
        memset(bytes, 'x', sizeof bytes);
        for (size_t i = 0; mark[i]; i++)
            bytes[PSN_AGE_ARMOR_PEEK - strlen(mark) + (size_t)late + i] =
                (uint8_t)mark[i];
        assert_int_equal(psn_age_looks_armored(bytes, sizeof bytes), !late);
    }
}

static void write_in_two(const uint8_t *bytes, size_t size, size_t first,
                         struct psn_buf *out)
{
    struct psn_sink to = psn_sink_buf(out);
    struct psn_age_armorer armorer;
    struct psn_sink sink = psn_age_armor_sink(&armorer, &to);

    psn_buf_reset(out);
    assert_int_equal(sink.write(sink.self, bytes, first, NULL), PSN_OK);
    assert_int_equal(sink.write(sink.self, bytes + first, size - first, NULL), PSN_OK);
    assert_int_equal(psn_age_armor_finish(&armorer, NULL), PSN_OK);
}

static void bytes_come_back_in_whatever_pieces_they_were_written(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) whole = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);
    uint8_t bytes[2 * PSN_AGE_ARMOR_BYTES + 2];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i + 1);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);

        write_in_two(bytes, size, 0, &whole);
        assert_true(is_read(psn_buf_str(&whole), &out));
        assert_int_equal(out.size, size);
        if (size > 0)
            assert_memory_equal(out.data, bytes, size);
        for (size_t first = 1; first <= size; first++) {
            write_in_two(bytes, size, first, &text);
            assert_string_equal(psn_buf_str(&text), psn_buf_str(&whole));
        }
    }
}

static void each_line_that_is_written_ends_and_the_last_one_too(void **state)
{
    static const uint8_t zeros[PSN_AGE_ARMOR_BYTES + 3];
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);

    (void)state;
    write_in_two(zeros, 0, 0, &text);
    assert_string_equal(psn_buf_str(&text), BEGIN "\n" END "\n");
    write_in_two(zeros, 3, 0, &text);
    assert_string_equal(psn_buf_str(&text), BEGIN "\nAAAA\n" END "\n");
    write_in_two(zeros, PSN_AGE_ARMOR_BYTES, 0, &text);
    assert_string_equal(psn_buf_str(&text), BEGIN "\n" FULL "\n" END "\n");
    write_in_two(zeros, PSN_AGE_ARMOR_BYTES + 3, 0, &text);
    assert_string_equal(psn_buf_str(&text), BEGIN "\n" FULL "\nAAAA\n" END "\n");
}

/* Whichever of the writes it is that fails. */
struct failing {
    size_t writes;
    size_t fails_at;
};

static enum psn_code fail_once(void *self, const void *bytes, size_t size,
                               struct psn_error *err)
{
    struct failing *failing = self;

    (void)bytes;
    (void)size;
    if (++failing->writes == failing->fails_at)
        return psn_fail(err, PSN_E_FULL, "no room");
    return PSN_OK;
}

static void a_write_that_fails_is_told(void **state)
{
    static const uint8_t bytes[2 * PSN_AGE_ARMOR_BYTES + 2];
    static const size_t sizes[] = { 0, 1, PSN_AGE_ARMOR_BYTES, sizeof bytes };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t at = 1;; at++) {
            struct failing failing = { .fails_at = at };
            struct psn_sink to = { fail_once, &failing };
            struct psn_age_armorer armorer;
            struct psn_sink sink = psn_age_armor_sink(&armorer, &to);
            enum psn_code rc = PSN_OK;

            if (sizes[i] > 0)
                rc = sink.write(sink.self, bytes, sizes[i] / 2, NULL);
            if (!rc && sizes[i] > 0)
                rc = sink.write(sink.self, bytes, sizes[i] - sizes[i] / 2, NULL);
            if (!rc)
                rc = psn_age_armor_finish(&armorer, NULL);
            if (failing.writes < at) {
                assert_int_equal(rc, PSN_OK);
                break;
            }
            assert_int_equal(rc, PSN_E_FULL);
            assert_int_equal(failing.writes, at); /* nothing is written behind a gap */
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_in_one_way_and_blanks_stand_outside_alone),
        cmocka_unit_test(blanks_outside_are_bounded),
        cmocka_unit_test(text_form_is_told_by_its_beginning_and_by_its_mark),
        cmocka_unit_test(a_mark_behind_the_first_2048_bytes_tells_nothing),
        cmocka_unit_test(bytes_come_back_in_whatever_pieces_they_were_written),
        cmocka_unit_test(each_line_that_is_written_ends_and_the_last_one_too),
        cmocka_unit_test(a_write_that_fails_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
