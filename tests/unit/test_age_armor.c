#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "age/armor.h"
#include "base/buf.h"
#include "base/stream.h"

/* The text form of an age file, line by line and piece by piece. */

#define BEGIN "-----BEGIN AGE ENCRYPTED FILE-----"
#define END   "-----END AGE ENCRYPTED FILE-----"
#define FULL  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static bool is_read(const char *text, struct psn_buf *out)
{
    struct psn_age_dearmor armor = { 0 };

    while (*text) {
        size_t size = strcspn(text, "\n");
        bool ended = text[size] == '\n';
        uint8_t bytes[PSN_AGE_ARMOR_BYTES];
        size_t got = 0;

        if (!psn_age_dearmor_line(&armor, text, size, ended, bytes, &got))
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
        { BEGIN "\nAAAA\nAAAA\n" END "\n", false },
        { BEGIN "\nAAAA\n" FULL "\n" END "\n", false },
        { BEGIN "\n" FULL "AAAA\n" END "\n", false },
        { BEGIN "\n AAAA\n" END "\n", false },
        { BEGIN "\nAAAA \n" END "\n", false },
        { BEGIN "\nAAA\n" END "\n", false },
        { BEGIN " \nAAAA\n" END "\n", false },
        { BEGIN "x\nAAAA\n" END "\n", false },
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_in_one_way_and_blanks_stand_outside_alone),
        cmocka_unit_test(bytes_come_back_in_whatever_pieces_they_were_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
