#include "cli/options.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "cli/lookup.h"
#include "cli/near.h"

/*
 * Command lines: words that are neither options nor their values name the command (one
 * word or two), then are its arguments. Options of the command stand after its name,
 * global ones anywhere.
 */
#define GLOBAL(member) offsetof(struct cli, member)

static const struct cli_option globals[] = {
    { "vault", 0, CLI_TEXT, GLOBAL(vault_path), N_("FILE"), N_("use this vault") },
    { "json", 0, CLI_FLAG, GLOBAL(json), NULL, N_("print JSON") },
    { "no-input", 0, CLI_FLAG, GLOBAL(no_input), NULL, N_("never ask anything") },
    { "yes", 'y', CLI_FLAG, GLOBAL(yes), NULL,
      N_("answer yes to questions, but not to those of trust") },
    { "quiet", 0, CLI_FLAG, GLOBAL(quiet), NULL, N_("no notes and no progress display") },
    { "passphrase-fd", 0, CLI_FD, GLOBAL(unlock.passphrase_fd), N_("N"),
      N_("unlock with the passphrase on file descriptor N") },
    { "passphrase-file", 0, CLI_TEXT, GLOBAL(unlock.passphrase_file), N_("FILE"),
      N_("unlock with the passphrase in FILE") },
    { "recovery-fd", 0, CLI_FD, GLOBAL(unlock.recovery_fd), N_("N"),
      N_("unlock with the recovery code on file descriptor N") },
    { "identity-file", 0, CLI_TEXT, GLOBAL(unlock.identity_file), N_("FILE"),
      N_("unlock with an age identity file") },
    { "help", 'h', CLI_FLAG, GLOBAL(help), NULL, N_("explain the command") },
    { "version", 0, CLI_FLAG, GLOBAL(version), NULL, N_("print the version") },
    { "exit-codes", 0, CLI_FLAG, GLOBAL(exit_codes), NULL,
      N_("print what the exit codes mean") },
    { 0 },
};

const struct cli_option *cli_global_options(void)
{
    return globals;
}

/* The member of a struct that an option fills. */
static void *option_at(void *base, const struct cli_option *option)
{
    return (char *)base + option->offset;
}

void cli_line_release(struct cli_line *line)
{
    for (const struct cli_option *row = line->table; row && row->name; row++)
        if (row->kind == CLI_TEXTS)
            free(((struct cli_texts *)option_at(line->options, row))->items);
    free(line->options);
    free(line->args);
    *line = (struct cli_line){ 0 };
}

/* --- parser --- */

struct parser {
    const struct cli_command *const *commands;
    struct cli *cli;
    struct cli_line *line;
    const char *const *argv;
    int argc;
    int at;            /* the word to be read next */
    const char *group; /* the first word of a command that has two */
    size_t arg_count;
    bool only_words; /* after "--" */
};

static const struct cli_option *own_options(const struct parser *p)
{
    return cli_option_own(p->cli->command);
}

/* --- values --- */

static enum psn_code store_fd(struct parser *p, const struct cli_option *option,
                              const char *text, int *ret_fd, struct psn_error *err)
{
    struct cli_line *line = p->line;
    uint64_t number;

    if (!psn_text_parse_u64(text, INT_MAX, &number))
        return psn_fail(err, PSN_E_INVALID,
                        _("'%s' is not the number of a file descriptor (--%s)"), text,
                        option->name);
    for (size_t i = 0; i < line->fd_count; i++)
        if (line->fds[i] == (int)number)
            return psn_fail(err, PSN_E_INVALID,
                            _("file descriptor %d is given twice (--%s)"), (int)number,
                            option->name);
    /* Checked before we open files ourselves, which would take a free number. */
    if (fcntl((int)number, F_GETFD) < 0)
        return psn_fail(err, PSN_E_INVALID, _("file descriptor %d is not open (--%s)"),
                        (int)number, option->name);
    if (line->fd_count == CLI_FDS_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("too many file descriptors"));
    line->fds[line->fd_count++] = (int)number;
    *ret_fd = (int)number;
    return PSN_OK;
}

static enum psn_code store_text(struct cli_texts *texts, const char *text,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_GROW(texts->items, texts->count, err);

    if (!rc)
        texts->items[texts->count++] = text;
    return rc;
}

static enum psn_code store(struct parser *p, const struct cli_option *option, void *base,
                           const char *text, struct psn_error *err)
{
    void *at = option_at(base, option);

    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)at = true;
        break;
    case CLI_TEXT:
        *(const char **)at = text;
        break;
    case CLI_TEXTS:
        return store_text(at, text, err);
    case CLI_FD:
        return store_fd(p, option, text, at, err);
    case CLI_NUMBER:
        if (!psn_text_parse_u64(text, INT64_MAX, at))
            return psn_fail(err, PSN_E_INVALID, _("'%s' is not a number (--%s)"), text,
                            option->name);
        break;
    }
    return PSN_OK;
}

/* --- options --- */

struct found {
    const struct cli_option *option; /* NULL: none */
    const struct cli_option *table;
    void *base;
    uint64_t *seen;
};

/* The command's own options go before the global ones. */
static struct found find_option(const struct parser *p, const char *name, size_t size,
                                char letter)
{
    struct found found = { .table = own_options(p),
                           .base = p->line->options,
                           .seen = &p->line->seen };

    found.option = cli_option_find(found.table, name, size, letter);
    if (!found.option) {
        found.table = globals;
        found.base = p->cli;
        found.seen = &p->line->seen_globals;
        found.option = cli_option_find(globals, name, size, letter);
    }
    return found;
}

static enum psn_code accept(struct parser *p, const struct found *found, const char *text,
                            struct psn_error *err)
{
    const struct cli_option *option = found->option;
    size_t row = (size_t)(option - found->table);
    uint64_t bit = UINT64_C(1) << row;

    assert(row < CLI_OPTIONS_MAX);
    if ((*found->seen & bit) && option->kind != CLI_TEXTS)
        return psn_fail(err, PSN_E_INVALID, _("the option --%s is given twice"),
                        option->name);
    *found->seen |= bit;
    return store(p, option, found->base, text, err);
}

/* The value of an option is the rest of its word, or the next word. */
static enum psn_code accept_valued(struct parser *p, const struct found *found,
                                   const char *rest, struct psn_error *err)
{
    if (!rest && p->at == p->argc)
        return psn_fail(err, PSN_E_INVALID, _("the option --%s needs a value: %s"),
                        found->option->name, _(found->option->value));
    return accept(p, found, rest ? rest : p->argv[p->at++], err);
}

static enum psn_code hint_help(const struct parser *p, struct psn_error *err)
{
    if (p->cli->command)
        return psn_hint(err, PSN_E_INVALID, "passation help %s", p->cli->command->name);
    return psn_hint(err, PSN_E_INVALID, "passation help");
}

static enum psn_code unknown_option(const struct parser *p, const char *name,
                                    struct psn_error *err)
{
    char shown[2 * CLI_NEAR_SIZE];
    struct cli_near near;

    cli_near_begin(&near, name);
    for (const struct cli_option *row = own_options(p); row->name; row++)
        cli_near_offer(&near, row->name);
    for (const struct cli_option *row = globals; row->name; row++)
        cli_near_offer(&near, row->name);
    (void)psn_fail(err, PSN_E_INVALID, _("there is no option '--%s' here"), name);
    if (near.count > 0)
        return psn_hint(err, PSN_E_INVALID, _("did you mean %s?"),
                        cli_near_shown(&near, "--", shown, sizeof shown));
    return hint_help(p, err);
}

static enum psn_code read_long(struct parser *p, const char *word, struct psn_error *err)
{
    const char *equals = strchr(word, '=');
    size_t size = equals ? (size_t)(equals - word) : strlen(word);
    struct found found = find_option(p, word, size, 0);

    if (!found.option) {
        PSN_AUTO_FREE char *name = strndup(word, size);

        return name ? unknown_option(p, name, err)
                    : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    if (found.option->kind != CLI_FLAG)
        return accept_valued(p, &found, equals ? equals + 1 : NULL, err);
    if (equals)
        return psn_fail(err, PSN_E_INVALID, _("the option --%s takes no value"),
                        found.option->name);
    return accept(p, &found, NULL, err);
}

/* "-nq", "-o FILE", "-oFILE" */
static enum psn_code read_letters(struct parser *p, const char *letters,
                                  struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (; !rc && *letters; letters++) {
        struct found found = find_option(p, NULL, 0, *letters);

        if (!found.option) {
            (void)psn_fail(err, PSN_E_INVALID, _("there is no option '-%.1s' here"),
                           letters);
            return hint_help(p, err);
        }
        if (found.option->kind != CLI_FLAG)
            return accept_valued(p, &found, letters[1] ? letters + 1 : NULL, err);
        rc = accept(p, &found, NULL, err);
    }
    return rc;
}

/* --- commands --- */

/* "grant ls": the word after this one makes another command of it. */
static bool goes_on(const struct parser *p, const char *word)
{
    const char *next = p->argv[p->at];
    const struct cli_command *command;

    if (!next || next[0] == '-')
        return false;
    command = cli_command_find(p->commands, word, next);
    return command && strchr(command->name, ' ');
}

/* Words and whole commands that lie near what was typed. A second word that makes a
 * command of the first counts: "roll add" is "role add", not "role". */
static void offer_commands(const struct parser *p, struct cli_near *whole,
                           struct cli_near *word)
{
    char text[CLI_NEAR_SIZE];

    for (const struct cli_command *const *row = p->commands; *row; row++) {
        const char *name = (*row)->name;

        if ((*row)->needs & CLI_HIDDEN)
            continue;
        cli_near_offer(whole, name);
        if (p->group)
            continue;
        (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(name, " "), name);
        cli_near_offer(word, text);
    }
}

static enum psn_code unknown_command(const struct parser *p, const char *word,
                                     struct psn_error *err)
{
    const char *next = p->group ? word : p->argv[p->at];
    const char *first = p->group ? p->group : word;
    bool is_pair = next && next[0] != '-';
    char typed[CLI_NEAR_SIZE];
    char shown[2 * CLI_NEAR_SIZE];
    struct cli_near near;
    struct cli_near whole;

    (void)snprintf(typed, sizeof typed, "%s%s%s", first, is_pair ? " " : "",
                   is_pair ? cli_command_word(next) : "");
    cli_near_begin(&whole, typed);
    cli_near_begin(&near, word);
    offer_commands(p, &whole, &near);
    if (!is_pair || whole.count == 0)
        whole = near;
    (void)psn_fail(err, PSN_E_INVALID, _("there is no command '%s%s%s'"),
                   p->group ? p->group : "", p->group ? " " : "", word);
    if (whole.count > 0)
        return psn_hint(err, PSN_E_INVALID, _("did you mean %s?"),
                        cli_near_shown(&whole, "", shown, sizeof shown));
    if (p->group)
        return psn_hint(err, PSN_E_INVALID, "passation help %s", p->group);
    return psn_hint(err, PSN_E_INVALID, _("'passation help' lists the commands"));
}

/* The command's struct: zero but for descriptors, which are -1. */
static enum psn_code prepare_options(struct parser *p, struct psn_error *err)
{
    size_t size = p->cli->command->options_size;

    p->line->options = calloc(1, size ? size : 1);
    if (!p->line->options)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (const struct cli_option *row = own_options(p); row->name; row++)
        if (row->kind == CLI_FD)
            *(int *)option_at(p->line->options, row) = -1;
    p->line->table = own_options(p);
    return PSN_OK;
}

static enum psn_code read_word(struct parser *p, const char *word, struct psn_error *err)
{
    struct cli *cli = p->cli;

    if (cli->command) {
        p->line->args[p->arg_count++] = word;
        return PSN_OK;
    }
    if (!p->group && !cli->help && strcmp(word, "help") == 0) {
        cli->help = true;
        return PSN_OK;
    }
    if (p->group)
        cli->command = cli_command_find(p->commands, p->group, word);
    else if (!goes_on(p, word))
        cli->command = cli_command_find(p->commands, word, NULL);
    if (cli->command)
        return prepare_options(p, err);
    if (p->group || !cli_command_is_group(p->commands, word))
        return unknown_command(p, word, err);
    p->group = word;
    return PSN_OK;
}

static enum psn_code read_next(struct parser *p, struct psn_error *err)
{
    const char *word = p->argv[p->at++];

    if (p->only_words || word[0] != '-' || word[1] == '\0')
        return read_word(p, word, err);
    if (word[1] != '-')
        return read_letters(p, word + 1, err);
    if (word[2] != '\0')
        return read_long(p, word + 2, err);
    p->only_words = true;
    return PSN_OK;
}

static enum psn_code check_complete(const struct parser *p, struct psn_error *err)
{
    const struct cli_command *command = p->cli->command;

    if (!command && p->group) {
        (void)psn_fail(err, PSN_E_INVALID, _("'%s' needs a second word"), p->group);
        return psn_hint(err, PSN_E_INVALID, "passation help %s", p->group);
    }
    if (!command) {
        (void)psn_fail(err, PSN_E_INVALID, _("no command is given"));
        return hint_help(p, err);
    }
    if (p->arg_count < command->min_args) {
        (void)psn_fail(err, PSN_E_INVALID, _("'%s' needs: %s"), command->name,
                       _(command->arguments));
        return hint_help(p, err);
    }
    if (p->arg_count > command->max_args) {
        (void)psn_fail(err, PSN_E_INVALID, _("'%s' is one argument too many for '%s'"),
                       p->line->args[command->max_args], command->name);
        return hint_help(p, err);
    }
    return PSN_OK;
}

enum psn_code cli_options_parse(const struct cli_command *const *commands, int argc,
                                const char *const *argv, struct cli *cli,
                                struct cli_line *line, struct psn_error *err)
{
    struct parser p = { .commands = commands,
                        .cli = cli,
                        .line = line,
                        .argv = argv,
                        .argc = argc,
                        .at = 1 };
    enum psn_code rc = PSN_OK;

    cli->unlock.passphrase_fd = -1;
    cli->unlock.recovery_fd = -1;
    line->args = calloc((size_t)argc + 1, sizeof *line->args);
    if (!line->args)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    while (!rc && p.at < argc)
        rc = read_next(&p, err);
    cli->args = line->args;
    cli->arg_count = p.arg_count;
    cli->help_group = p.group;
    if (rc || cli->help || cli->version || cli->exit_codes)
        return rc;
    return check_complete(&p, err);
}
