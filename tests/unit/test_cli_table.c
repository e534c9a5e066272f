#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/output.h"

/* Fixture: what a table prints ----------------------------------------------------- */

enum {
    PRINTED_MAX = 4096
};

struct printed {
    char text[PRINTED_MAX];
    int result; /* of cli_finish() */
};

static bool with_titles; /* the first row is a header */

/* Prints to a pipe in stdout's place. */
static void print_table(size_t columns, const char *const *cells, size_t count,
                        struct printed *ret_printed)
{
    struct cli cli = { 0 };
    struct cli_table *table = cli_table_new(columns);
    int stdout_fd = dup(STDOUT_FILENO);
    int ends[2];
    ssize_t got;

    assert_non_null(table);
    for (size_t i = 0; i < count; i++)
        cli_table_cell(table, cells[i]);
    if (with_titles)
        cli_table_has_titles(table);
    assert_int_equal(pipe(ends), 0);
    (void)fflush(stdout);
    assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    cli_table_print(&cli, table);
    ret_printed->result = (int)cli_finish(&cli, NULL);
    assert_int_equal(dup2(stdout_fd, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(ends[1]);
    (void)close(stdout_fd);
    got = read(ends[0], ret_printed->text, PRINTED_MAX - 1);
    (void)close(ends[0]);
    assert_true(got >= 0);
    ret_printed->text[got] = '\0';
    cli_table_free(table);
}

#define ASSERT_PRINTS(columns, expected, ...)                                    \
    do {                                                                         \
        const char *const cells_[] = { __VA_ARGS__ };                            \
        struct printed printed_;                                                 \
                                                                                 \
        print_table(columns, cells_, sizeof cells_ / sizeof *cells_, &printed_); \
        assert_int_equal(printed_.result, PSN_OK);                               \
        assert_string_equal(printed_.text, expected);                            \
    } while (0)

/* Tests ---------------------------------------------------------------------------- */

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    ASSERT_PRINTS(2, "A        B\nlonger   x\nlongest  y\n", "A", "B", "longer", "x",
                  "longest", "y");
}

static void widths_count_columns_of_the_terminal_not_bytes(void **state)
{
    (void)state;
    ASSERT_PRINTS(2, "éé    1\nabcd  2\n漢字  3\n", "éé", "1", "abcd", "2", "漢字", "3");
}

static void a_title_with_nothing_below_it_is_left_out(void **state)
{
    (void)state;
    with_titles = true;
    ASSERT_PRINTS(4, "TASK  STATE\n77    done\n78    waits\n", "TASK", "UNTIL", "STATE",
                  "WHAT TO DO", "77", "", "done", "", "78", "", "waits", "");
    ASSERT_PRINTS(2, "A  B\n1\n   2\n", "A", "B", "1", "", "", "2");
    ASSERT_PRINTS(2, "A  B\n", "A", "B");
    with_titles = false;
    ASSERT_PRINTS(2, "A  B\n1\n", "A", "B", "1", "");
}

static void no_line_ends_with_blanks(void **state)
{
    (void)state;
    ASSERT_PRINTS(3, "a\nb     c\nlong\n", "a", "", "", "b", "c", "", "long", "", "");
}

static void cells_are_escaped_and_keep_their_columns(void **state)
{
    (void)state;
    ASSERT_PRINTS(2, "\\x1b[2J  x\ny        z\n", "\x1b[2J", "x", "y", "z");
    ASSERT_PRINTS(2, "a\\x0ab  x\n", "a\nb", "x");
}

static void a_last_row_may_be_short(void **state)
{
    (void)state;
    ASSERT_PRINTS(2, "a  b\nc\n", "a", "b", "c");
}

static void a_table_that_could_not_be_made_is_an_error_of_the_output(void **state)
{
    struct cli cli = { 0 };
    struct psn_error err = { 0 };

    (void)state;
    cli_table_cell(NULL, "ignored");
    cli_table_print(&cli, NULL);
    assert_int_equal(cli_finish(&cli, &err), PSN_E_NOMEM);
    cli_table_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(widths_count_columns_of_the_terminal_not_bytes),
        cmocka_unit_test(a_title_with_nothing_below_it_is_left_out),
        cmocka_unit_test(no_line_ends_with_blanks),
        cmocka_unit_test(cells_are_escaped_and_keep_their_columns),
        cmocka_unit_test(a_last_row_may_be_short),
        cmocka_unit_test(a_table_that_could_not_be_made_is_an_error_of_the_output),
    };

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
