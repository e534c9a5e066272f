#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/options.h"

/* Fixture: a small program ----------------------------------------------------------- */

struct turn_options {
    bool dry_run;
    bool quick;
    const char *out;
    struct cli_texts tags;
    int secret_fd;
    int code_fd;
    uint64_t count;
};

static const struct cli_option turn_table[] = {
    { "dry-run", 'n', CLI_FLAG, offsetof(struct turn_options, dry_run), NULL, "" },
    { "quick", 'q', CLI_FLAG, offsetof(struct turn_options, quick), NULL, "" },
    { "out", 'o', CLI_TEXT, offsetof(struct turn_options, out), "FILE", "" },
    { "tag", 't', CLI_TEXTS, offsetof(struct turn_options, tags), "TAG", "" },
    { "secret-fd", 0, CLI_FD, offsetof(struct turn_options, secret_fd), "N", "" },
    { "code-fd", 0, CLI_FD, offsetof(struct turn_options, code_fd), "N", "" },
    { "count", 'c', CLI_NUMBER, offsetof(struct turn_options, count), "COUNT", "" },
    { 0 },
};

static const struct cli_command turn = { .name = "turn",
                                         .arguments = "GLOB…",
                                         .max_args = 3,
                                         .min_args = 1,
                                         .options = turn_table,
                                         .options_size = sizeof(struct turn_options) };
static const struct cli_command role_ls = { .name = "role ls", .max_args = SIZE_MAX };
static const struct cli_command role_rm = { .name = "role rm",
                                            .arguments = "ADDRESS",
                                            .min_args = 1,
                                            .max_args = 1 };
static const struct cli_command hidden = { .name = "helper", .needs = CLI_HIDDEN };
static const struct cli_command *const commands[] = { &turn, &role_ls, &role_rm, &hidden,
                                                      NULL };

enum {
    WORDS_MAX = 16
};

struct parsed {
    struct cli cli;
    struct cli_line line;
    struct psn_error err;
    enum psn_code rc;
    char words[256];
    const char *argv[WORDS_MAX + 1];
};

/* Parses words that blanks part; '_' stands for an empty word. */
static const struct turn_options *parse(struct parsed *parsed, const char *words)
{
    int argc = 1;

    *parsed = (struct parsed){ 0 };
    (void)snprintf(parsed->words, sizeof parsed->words, "passation %s", words);
    parsed->argv[0] = parsed->words;
    for (char *at = parsed->words; *at; at++) {
        if (*at != ' ')
            continue;
        *at = '\0';
        assert_true(argc < WORDS_MAX);
        parsed->argv[argc++] = strcmp(at + 1, "_") == 0 ? at : at + 1;
    }
    parsed->rc = cli_options_parse(commands, argc, parsed->argv, &parsed->cli,
                                   &parsed->line, &parsed->err);
    assert_int_equal(parsed->rc, parsed->err.code);
    return parsed->line.options;
}

static void release(struct parsed *parsed)
{
    cli_line_release(&parsed->line);
}

static void assert_refused(const char *words, const char *message, const char *hint)
{
    struct parsed parsed;

    (void)parse(&parsed, words);
    assert_int_equal(parsed.rc, PSN_E_INVALID);
    if (!strstr(parsed.err.message, message) || !strstr(parsed.err.hint, hint))
        fail_msg("'%s' gives '%s' / '%s'", words, parsed.err.message, parsed.err.hint);
    release(&parsed);
}

/* Options ---------------------------------------------------------------------------- */

static void values_stand_beside_behind_or_within_their_option(void **state)
{
    static const char *const lines[] = { "turn a --out x",   "turn a --out=x",
                                         "turn -o x a",      "turn -ox a",
                                         "turn -nox a",      "turn -no x a",
                                         "turn a -n --out x" };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct parsed parsed;
        const struct turn_options *options = parse(&parsed, lines[i]);

        assert_int_equal(parsed.rc, PSN_OK);
        assert_string_equal(options->out, "x");
        assert_int_equal(parsed.cli.arg_count, 1);
        assert_string_equal(parsed.cli.args[0], "a");
        release(&parsed);
    }
}

static void an_empty_value_is_a_value(void **state)
{
    struct parsed parsed;

    (void)state;
    assert_string_equal(parse(&parsed, "turn a --out=")->out, "");
    release(&parsed);
    assert_string_equal(parse(&parsed, "turn a --out _")->out, "");
    release(&parsed);
    assert_refused("turn a --out", "--out needs a value", "");
}

static void a_value_may_look_like_an_option(void **state)
{
    struct parsed parsed;

    (void)state;
    assert_string_equal(parse(&parsed, "turn a --out --json")->out, "--json");
    assert_false(parsed.cli.json);
    release(&parsed);
}

static void two_hyphens_end_the_options_and_one_is_a_word(void **state)
{
    struct parsed parsed;

    (void)state;
    assert_false(parse(&parsed, "turn - -- -n --json")->dry_run);
    assert_int_equal(parsed.cli.arg_count, 3);
    assert_string_equal(parsed.cli.args[0], "-");
    assert_string_equal(parsed.cli.args[1], "-n");
    assert_string_equal(parsed.cli.args[2], "--json");
    release(&parsed);
}

static void global_options_stand_anywhere(void **state)
{
    static const char *const lines[] = { "--json -y --vault v turn a",
                                         "turn --json a --vault=v -y",
                                         "--vault v turn a -y --json" };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct parsed parsed;

        (void)parse(&parsed, lines[i]);
        assert_int_equal(parsed.rc, PSN_OK);
        assert_true(parsed.cli.json && parsed.cli.yes);
        assert_string_equal(parsed.cli.vault_path, "v");
        assert_ptr_equal(parsed.cli.command, &turn);
        release(&parsed);
    }
    assert_refused("-n turn a", "no option '-n'", "passation help");
}

static void an_option_is_given_once_unless_it_may_repeat(void **state)
{
    struct parsed parsed;
    const struct turn_options *options = parse(&parsed, "turn a -t x --tag=y -tz");

    (void)state;
    assert_int_equal(options->tags.count, 3);
    assert_string_equal(options->tags.items[0], "x");
    assert_string_equal(options->tags.items[1], "y");
    assert_string_equal(options->tags.items[2], "z");
    release(&parsed);
    assert_refused("turn a -n --dry-run", "--dry-run is given twice", "");
    assert_refused("--json turn a --json", "--json is given twice", "");
    assert_refused("turn a -ox -oy", "--out is given twice", "");
}

static void absent_descriptors_are_minus_one(void **state)
{
    struct parsed parsed;
    const struct turn_options *options = parse(&parsed, "turn a --code-fd 0");

    (void)state;
    assert_int_equal(options->secret_fd, -1);
    assert_int_equal(options->code_fd, 0);
    assert_int_equal(parsed.cli.unlock.passphrase_fd, -1);
    assert_int_equal(parsed.cli.unlock.recovery_fd, -1);
    release(&parsed);
}

static void a_descriptor_is_a_number_open_and_used_once(void **state)
{
    (void)state;
    assert_refused("turn a --secret-fd x", "not the number", "");
    assert_refused("turn a --secret-fd -1", "not the number", "");
    assert_refused("turn a --secret-fd 99999999999", "not the number", "");
    assert_refused("turn a --secret-fd 987", "987 is not open", "");
    assert_refused("turn a --secret-fd 0 --code-fd 0", "0 is given twice", "");
    assert_refused("--passphrase-fd 0 turn a --secret-fd 0", "0 is given twice", "");
}

static void numbers_are_whole_and_without_sign(void **state)
{
    struct parsed parsed;

    (void)state;
    assert_int_equal(parse(&parsed, "turn a -c12")->count, 12);
    release(&parsed);
    assert_refused("turn a -c -1", "'-1' is not a number", "");
    assert_refused("turn a -c 1x", "'1x' is not a number", "");
    assert_refused("turn a --count=", "'' is not a number", "");
}

static void flags_take_no_value(void **state)
{
    (void)state;
    assert_refused("turn a --dry-run=yes", "--dry-run takes no value", "");
}

static void an_unknown_option_is_named_with_the_closest_one(void **state)
{
    (void)state;
    assert_refused("turn a --dryrun", "'--dryrun'", "--dry-run");
    assert_refused("turn a --jsn", "'--jsn'", "--json");
    assert_refused("turn a --valut=x", "'--valut'", "--vault");
    assert_refused("turn a --xyzzy", "'--xyzzy'", "passation help turn");
    assert_refused("turn a -nx", "'-x'", "passation help turn");
}

/* Commands --------------------------------------------------------------------------- */

static void aliases_name_the_same_command(void **state)
{
    static const struct {
        const char *line;
        const struct cli_command *command;
    } rows[] = { { "role ls", &role_ls },          { "role list", &role_ls },
                 { "role rm a", &role_rm },        { "role remove a", &role_rm },
                 { "role delete a", &role_rm },    { "role --json ls", &role_ls },
                 { "--json -- role ls", &role_ls } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct parsed parsed;

        (void)parse(&parsed, rows[i].line);
        assert_int_equal(parsed.rc, PSN_OK);
        assert_ptr_equal(parsed.cli.command, rows[i].command);
        release(&parsed);
    }
}

static void an_unknown_command_is_named_with_the_closest_one(void **state)
{
    (void)state;
    assert_refused("trun a", "'trun'", "'turn'");
    assert_refused("role lss", "'role lss'", "'role ls'");
    assert_refused("roles", "'roles'", "'role'");
    assert_refused("rloe ls", "'rloe'", "'role ls'");
    assert_refused("rloe xyzzy", "'rloe'", "'role'");
    assert_refused("roles list", "'roles'", "'role ls'");
    assert_refused("xyzzy", "'xyzzy'", "passation help");
    assert_refused("helpr", "'helpr'", "passation help");
    assert_refused("role", "'role' needs a second word", "passation help role");
    assert_refused("--json", "no command", "passation help");
}

static void arguments_are_counted(void **state)
{
    (void)state;
    assert_refused("turn", "'turn' needs: GLOB…", "passation help turn");
    assert_refused("turn a b c d", "'d' is one argument too many", "passation help turn");
    assert_refused("role rm", "'role rm' needs: ADDRESS", "passation help role rm");
}

static void help_wants_no_arguments(void **state)
{
    static const struct {
        const char *line;
        const struct cli_command *command;
        const char *group;
    } rows[] = { { "help", NULL, NULL },
                 { "--help", NULL, NULL },
                 { "-h", NULL, NULL },
                 { "help turn", &turn, NULL },
                 { "turn --help", &turn, NULL },
                 { "turn -h", &turn, NULL },
                 { "help role", NULL, "role" },
                 { "help role rm", &role_rm, "role" },
                 { "role rm -h", &role_rm, "role" } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct parsed parsed;

        (void)parse(&parsed, rows[i].line);
        assert_int_equal(parsed.rc, PSN_OK);
        assert_true(parsed.cli.help);
        assert_ptr_equal(parsed.cli.command, rows[i].command);
        if (rows[i].group)
            assert_string_equal(parsed.cli.help_group, rows[i].group);
        else
            assert_null(parsed.cli.help_group);
        release(&parsed);
    }
    assert_refused("help trun", "'trun'", "'turn'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_beside_behind_or_within_their_option),
        cmocka_unit_test(an_empty_value_is_a_value),
        cmocka_unit_test(a_value_may_look_like_an_option),
        cmocka_unit_test(two_hyphens_end_the_options_and_one_is_a_word),
        cmocka_unit_test(global_options_stand_anywhere),
        cmocka_unit_test(an_option_is_given_once_unless_it_may_repeat),
        cmocka_unit_test(absent_descriptors_are_minus_one),
        cmocka_unit_test(a_descriptor_is_a_number_open_and_used_once),
        cmocka_unit_test(numbers_are_whole_and_without_sign),
        cmocka_unit_test(flags_take_no_value),
        cmocka_unit_test(an_unknown_option_is_named_with_the_closest_one),
        cmocka_unit_test(aliases_name_the_same_command),
        cmocka_unit_test(an_unknown_command_is_named_with_the_closest_one),
        cmocka_unit_test(arguments_are_counted),
        cmocka_unit_test(help_wants_no_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
