#include "cli/options.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

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
    char *const *argv;
    int argc;
    int at;            /* the word to be read next */
    const char *group; /* the first word of a command that has two */
    size_t arg_count;
    bool only_words; /* after "--" */
};

static const struct cli_option no_options[] = { { 0 } };

static const struct cli_option *own_options(const struct parser *p)
{
    const struct cli_command *command = p->cli->command;

    return command && command->options ? command->options : no_options;
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
    const char **items = reallocarray(texts->items, texts->count + 1, sizeof *items);

    if (!items)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    texts->items = items;
    texts->items[texts->count++] = text;
    return PSN_OK;
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

static const struct cli_option *look_up(const struct cli_option *table, const char *name,
                                        size_t size, char letter)
{
    for (; table->name; table++) {
        if (letter ? table->letter == letter
                   : strlen(table->name) == size && memcmp(table->name, name, size) == 0)
            return table;
    }
    return NULL;
}

/* The command's own options go before the global ones. */
static struct found find_option(const struct parser *p, const char *name, size_t size,
                                char letter)
{
    struct found found = { .table = own_options(p),
                           .base = p->line->options,
                           .seen = &p->line->seen };

    found.option = look_up(found.table, name, size, letter);
    if (!found.option) {
        found.table = globals;
        found.base = p->cli;
        found.seen = &p->line->seen_globals;
        found.option = look_up(globals, name, size, letter);
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
    const char *names[2 * CLI_OPTIONS_MAX + 1];
    const char *closest;
    size_t count = 0;

    for (const struct cli_option *row = own_options(p); row->name; row++)
        names[count++] = row->name;
    for (const struct cli_option *row = globals; row->name; row++)
        names[count++] = row->name;
    names[count] = NULL;
    closest = cli_closest(name, names);
    (void)psn_fail(err, PSN_E_INVALID, _("there is no option '--%s' here"), name);
    if (closest)
        return psn_hint(err, PSN_E_INVALID, _("did you mean --%s?"), closest);
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

enum {
    CLI_WORDS_MAX = 128,
    CLI_WORD_SIZE = 32,
};

static const char *without_alias(const char *word)
{
    static const char *const aliases[][2] = { { "list", "ls" },
                                              { "remove", "rm" },
                                              { "delete", "rm" } };

    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(word, aliases[i][0]) == 0)
            return aliases[i][1];
    return word;
}

/* True if name is "first", or "first second". */
static bool is_named(const char *name, const char *first, const char *second)
{
    size_t size = strlen(first);

    if (strncmp(name, first, size) != 0)
        return false;
    if (!second)
        return name[size] == '\0';
    return name[size] == ' ' && strcmp(name + size + 1, second) == 0;
}

static const struct cli_command *find_command(const struct parser *p, const char *first,
                                              const char *second)
{
    for (const struct cli_command *const *row = p->commands; *row; row++)
        if (is_named((*row)->name, first, second))
            return *row;
    return NULL;
}

/* "grant ls": the word after this one makes another command of it. */
static bool goes_on(const struct parser *p, const char *word)
{
    const char *next = p->argv[p->at];
    const struct cli_command *command;

    if (!next || next[0] == '-')
        return false;
    command = find_command(p, word, without_alias(next));
    return command && strchr(command->name, ' ');
}

static bool is_group(const struct parser *p, const char *word)
{
    size_t size = strlen(word);

    for (const struct cli_command *const *row = p->commands; *row; row++)
        if (strncmp((*row)->name, word, size) == 0 && (*row)->name[size] == ' ')
            return true;
    return false;
}

/* The words that may stand where this one stands: first words, or second ones. */
struct words {
    char text[CLI_WORDS_MAX][CLI_WORD_SIZE];
    const char *list[CLI_WORDS_MAX + 1];
};

static void collect_words(const struct parser *p, struct words *words)
{
    size_t group = p->group ? strlen(p->group) + 1 : 0;
    size_t count = 0;

    for (const struct cli_command *const *row = p->commands;
         *row && count < CLI_WORDS_MAX; row++) {
        const char *name = (*row)->name;
        size_t size;

        if ((*row)->needs & CLI_HIDDEN)
            continue;
        if (group > 0 &&
            (strncmp(name, p->group, group - 1) != 0 || name[group - 1] != ' '))
            continue;
        size = strcspn(name + group, " ");
        assert(size < CLI_WORD_SIZE);
        memcpy(words->text[count], name + group, size);
        words->text[count][size] = '\0';
        words->list[count] = words->text[count];
        count++;
    }
    words->list[count] = NULL;
}

static enum psn_code unknown_command(const struct parser *p, const char *word,
                                     struct psn_error *err)
{
    const char *group = p->group ? p->group : "";
    const char *space = p->group ? " " : "";
    const char *closest;
    struct words words;

    collect_words(p, &words);
    closest = cli_closest(word, words.list);
    (void)psn_fail(err, PSN_E_INVALID, _("there is no command '%s%s%s'"), group, space,
                   word);
    if (closest)
        return psn_hint(err, PSN_E_INVALID, _("did you mean '%s%s%s'?"), group, space,
                        closest);
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
        cli->command = find_command(p, p->group, without_alias(word));
    else if (!goes_on(p, word))
        cli->command = find_command(p, word, NULL);
    if (cli->command)
        return prepare_options(p, err);
    if (p->group || !is_group(p, word))
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
                                char *const *argv, struct cli *cli, struct cli_line *line,
                                struct psn_error *err)
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

/* --- advice --- */

enum {
    WORD_MAX = 32
};

/* The least number of letters put in, left out, changed, or swapped with their neighbour
 * (Damerau's distance), row by row of the table. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);

    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                rows[(i - 2) % 3][j - 2] + 1 < best)
                best = rows[(i - 2) % 3][j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

const char *cli_closest(const char *text, const char *const *candidates)
{
    const char *closest = NULL;
    size_t best = strlen(text) < 5 ? 2 : 3; /* this many slips are too many */

    for (; *candidates; candidates++) {
        size_t slips = distance(text, *candidates);

        if (slips < best) {
            best = slips;
            closest = *candidates;
        }
    }
    return closest;
}
