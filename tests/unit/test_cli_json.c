#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/cli.h"

/* Helpers ------------------------------------------------------------------------ */

/* The text of one value in an array, as written and without the brackets. */
static void assert_written(const char *value, const char *expected)
{
    struct cli_json json = cli_json_init();
    char whole[256];

    cli_json_open(&json, NULL, '[');
    cli_json_text(&json, NULL, value);
    cli_json_close(&json, ']');
    (void)snprintf(whole, sizeof whole, "[%s]", expected);
    assert_string_equal(psn_buf_str(&json.text), whole);
    cli_json_release(&json);
}

/* What another implementation reads back. */
static json_t *read_back(const struct cli_json *json)
{
    json_error_t error;
    json_t *root = json_loadb((const char *)json->text.data, json->text.size,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    if (!root)
        fail_msg("%s in %s", error.text, psn_buf_str(&json->text));
    return root;
}

/* Strings ------------------------------------------------------------------------ */

static void what_json_or_a_terminal_would_obey_is_escaped(void **state)
{
    static const char *const rows[][2] = {
        { "plain", "\"plain\"" },
        { "", "\"\"" },
        { "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
        { "\n\t\r\b\f", "\"\\n\\t\\r\\u0008\\u000c\"" },
        { "\x1b[31m", "\"\\u001b[31m\"" },
        { "\x7f", "\"\\u007f\"" },
        { "\xc2\x9b", "\"\\u009b\"" },
        { "\xe2\x80\xae", "\"\\u202e\"" },
        { "é…", "\"é…\"" },
        { "\xf0\x9f\x94\x91", "\"\xf0\x9f\x94\x91\"" },
        /* not seen on a terminal, and above 16 bits: a tag */
        { "\xf3\xa0\x81\x81", "\"\\udb40\\udc41\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_written(rows[i][0], rows[i][1]);
}

static void bytes_that_are_no_utf8_become_replacement_characters(void **state)
{
    static const char *const rows[][2] = {
        { "\xff", "\"\xef\xbf\xbd\"" },
        { "a\xc3", "\"a\xef\xbf\xbd\"" },
        { "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xf5\x80\x80\x80x", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_written(rows[i][0], rows[i][1]);
}

static void every_pair_of_bytes_gives_json_that_others_read(void **state)
{
    (void)state;
    for (unsigned first = 1; first < 256; first++) {
        struct cli_json json = cli_json_init();
        json_t *root;

        cli_json_open(&json, NULL, '[');
        for (unsigned second = 0; second < 256; second++) {
            const char text[] = { (char)first, (char)second, '\0' };

            cli_json_text(&json, NULL, text);
        }
        cli_json_close(&json, ']');
        root = read_back(&json);
        assert_int_equal(json_array_size(root), 256);
        for (size_t i = 0; i < json.text.size; i++)
            assert_true(json.text.data[i] >= 0x20 && json.text.data[i] != 0x7f);
        json_decref(root);
        cli_json_release(&json);
    }
}

static void plain_text_comes_back_as_it_went(void **state)
{
    static const char *const texts[] = { "technique@martin.fr", "œuf \"dur\"\\n",
                                         "\n\x01\x7f\xe2\x80\xa8",
                                         "漢字 \xf0\x9f\x94\x91" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct cli_json json = cli_json_init();
        json_t *root;

        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "text", texts[i]);
        cli_json_close(&json, '}');
        root = read_back(&json);
        assert_string_equal(json_string_value(json_object_get(root, "text")), texts[i]);
        json_decref(root);
        cli_json_release(&json);
    }
}

static void a_secret_keeps_its_nul_bytes(void **state)
{
    struct cli_json json = cli_json_init();
    struct psn_secret *secret = NULL;

    (void)state;
    assert_int_equal(psn_init(NULL), PSN_OK);
    assert_int_equal(psn_secret_copy("a\0\"b", 4, &secret, NULL), PSN_OK);
    cli_json_open(&json, NULL, '{');
    cli_json_secret(&json, "password", secret);
    cli_json_close(&json, '}');
    assert_string_equal(psn_buf_str(&json.text), "{\"password\": \"a\\u0000\\\"b\"}");
    assert_true(json.text.wipe);
    psn_secret_free(secret);
    cli_json_release(&json);
}

/* Structure ---------------------------------------------------------------------- */

static void commas_stand_between_values_and_nowhere_else(void **state)
{
    struct cli_json json = cli_json_init();

    (void)state;
    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "empty", '[');
    cli_json_close(&json, ']');
    cli_json_open(&json, "list", '[');
    cli_json_open(&json, NULL, '{');
    cli_json_close(&json, '}');
    cli_json_number(&json, NULL, -1);
    cli_json_close(&json, ']');
    cli_json_number(&json, "most", INT64_MAX);
    cli_json_bool(&json, "yes", true);
    cli_json_null(&json, "none");
    cli_json_text(&json, "absent", NULL);
    cli_json_close(&json, '}');
    assert_string_equal(psn_buf_str(&json.text),
                        "{\"empty\": [], \"list\": [{}, -1], "
                        "\"most\": 9223372036854775807, \"yes\": true, \"none\": null, "
                        "\"absent\": null}");
    cli_json_release(&json);
}

static void times_are_rfc_3339_and_never_is_null(void **state)
{
    struct cli_json json = cli_json_init();

    (void)state;
    cli_json_open(&json, NULL, '{');
    cli_json_time(&json, "at", 1795491840);
    cli_json_time(&json, "never", 0);
    cli_json_close(&json, '}');
    assert_string_equal(psn_buf_str(&json.text),
                        "{\"at\": \"2026-11-24T03:44:00Z\", \"never\": null}");
    cli_json_release(&json);
}

static void what_was_not_asked_is_null(void **state)
{
    struct cli_json json = cli_json_init();

    (void)state;
    cli_json_open(&json, NULL, '[');
    cli_json_tristate(&json, NULL, PSN_UNASKED);
    cli_json_tristate(&json, NULL, PSN_FALSE);
    cli_json_tristate(&json, NULL, PSN_TRUE);
    cli_json_close(&json, ']');
    assert_string_equal(psn_buf_str(&json.text), "[null, false, true]");
    cli_json_release(&json);
}

static void a_writer_can_be_used_again_after_printing(void **state)
{
    struct cli_json json = cli_json_init();
    struct cli cli = { 0 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        cli_json_open(&json, NULL, '{');
        cli_json_number(&json, "i", i);
        cli_json_close(&json, '}');
        assert_string_equal(psn_buf_str(&json.text), i ? "{\"i\": 1}" : "{\"i\": 0}");
        assert_int_equal(cli_json_print(&cli, &json, NULL), PSN_OK);
    }
    assert_true(cli.result_printed);
    cli_json_release(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_json_or_a_terminal_would_obey_is_escaped),
        cmocka_unit_test(bytes_that_are_no_utf8_become_replacement_characters),
        cmocka_unit_test(every_pair_of_bytes_gives_json_that_others_read),
        cmocka_unit_test(plain_text_comes_back_as_it_went),
        cmocka_unit_test(a_secret_keeps_its_nul_bytes),
        cmocka_unit_test(commas_stand_between_values_and_nowhere_else),
        cmocka_unit_test(times_are_rfc_3339_and_never_is_null),
        cmocka_unit_test(what_was_not_asked_is_null),
        cmocka_unit_test(a_writer_can_be_used_again_after_printing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
