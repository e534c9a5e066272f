#include "cli/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/lookup.h"
#include "cli/names.h"
#include "cli/options.h"

enum {
    NAME_MAX_BYTES = 1024,
};

/* Where the cursor stands: what the words before it have said. */
struct place {
    struct cli *cli;
    const struct cli_command *command;
    const char *group; /* the first word of a command of two; beside `command` if that
                          could go on */
    bool help;
    bool is_lost;                     /* there is no such command */
    bool only_words;                  /* after "--" */
    const struct cli_option *waiting; /* its value comes next */
    const char **args;                /* of the command */
    size_t arg_count;
    uint64_t seen; /* bit i: row i of the command's table was given */
    uint64_t seen_globals;
    const char *typed; /* the word, without what is fixed of it */
};

/* --- reading what is there --- */

static void note_option(struct place *place, const struct cli_option *option)
{
    const struct cli_option *own = cli_option_own(place->command);
    const struct cli_option *globals = cli_global_options();

    for (size_t i = 0; i < CLI_OPTIONS_MAX && own[i].name; i++)
        if (&own[i] == option)
            place->seen |= UINT64_C(1) << i;
    for (size_t i = 0; i < CLI_OPTIONS_MAX && globals[i].name; i++)
        if (&globals[i] == option)
            place->seen_globals |= UINT64_C(1) << i;
    if (strcmp(option->name, "help") == 0)
        place->help = true;
}

static const struct cli_option *find(const struct place *place, const char *name,
                                     size_t size, char letter)
{
    const struct cli_option *option =
        cli_option_find(cli_option_own(place->command), name, size, letter);

    return option ? option : cli_option_find(cli_global_options(), name, size, letter);
}

static void take_value(struct place *place, const struct cli_option *option,
                       const char *value)
{
    if (option->offset == offsetof(struct cli, vault_path) &&
        strcmp(option->name, "vault") == 0)
        place->cli->vault_options.path = value;
}

/* Reads an option's word as far as its name goes. Returns where its value begins, or
 * NULL if the word holds none; *ret_option is NULL if the option is not known. */
static const char *read_option(struct place *place, const char *word,
                               const struct cli_option **ret_option)
{
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        size_t size = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;

        *ret_option = find(place, word + 2, size, 0);
        if (*ret_option)
            note_option(place, *ret_option);
        return equals ? equals + 1 : NULL;
    }
    *ret_option = NULL;
    for (word++; *word; word++) {
        *ret_option = find(place, NULL, 0, *word);
        if (!*ret_option)
            return NULL;
        note_option(place, *ret_option);
        if ((*ret_option)->kind != CLI_FLAG)
            return word[1] ? word + 1 : NULL;
    }
    return NULL;
}

static void read_plain(struct place *place, const char *word)
{
    const struct cli_command *const *commands = cli_commands;
    const struct cli_command *longer;

    if (place->is_lost)
        return;
    if (place->command && !(place->group && place->arg_count == 0)) {
        place->args[place->arg_count++] = word;
        return;
    }
    if (place->group) {
        longer = cli_command_find(commands, place->group, word);
        place->group = NULL;
        if (longer)
            place->command = longer;
        else if (place->command)
            place->args[place->arg_count++] = word;
        else
            place->is_lost = true;
        return;
    }
    if (!place->help && strcmp(word, "help") == 0) {
        place->help = true;
        return;
    }
    place->command = cli_command_find(commands, word, NULL);
    place->group = cli_command_is_group(commands, word) ? word : NULL;
    place->is_lost = !place->command && !place->group;
}

static void read_word(struct place *place, const char *word)
{
    const struct cli_option *option = NULL;
    const char *value;

    if (place->waiting) {
        take_value(place, place->waiting, word);
        place->waiting = NULL;
    } else if (place->only_words || word[0] != '-' || word[1] == '\0') {
        read_plain(place, word);
    } else if (strcmp(word, "--") == 0) {
        place->only_words = true;
    } else {
        value = read_option(place, word, &option);
        if (option && option->kind != CLI_FLAG && !value)
            place->waiting = option;
        else if (option && value)
            take_value(place, option, value);
    }
}

/* --- telling --- */

static void head(struct place *place, const char *what, const char *prefix)
{
    cli_print(place->cli, "%s\t%s\n", what, prefix);
}

static void tell(void *arg, const char *name, const char *about)
{
    struct place *place = arg;
    char shown[NAME_MAX_BYTES];

    if (strncmp(name, place->typed, strlen(place->typed)) != 0 ||
        !psn_text_is_plain(name, strlen(name)))
        return;
    (void)psn_text_shown(about, shown, sizeof shown);
    cli_print(place->cli, "%s\t%s\n", name, shown);
}

/* The first word of a command, the second, or both: what is left of it to be typed. */
static void tell_commands(struct place *place, const char *group)
{
    size_t size = group ? strlen(group) : 0;
    char last[64] = "";

    for (const struct cli_command *const *at = cli_commands; *at; at++) {
        const char *name = (*at)->name;
        const char *rest = name + (group ? size + 1 : 0);
        char word[64];

        if (((*at)->needs & CLI_HIDDEN) ||
            (group && (strncmp(name, group, size) != 0 || name[size] != ' ')))
            continue;
        (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(rest, " "), rest);
        if (strcmp(word, last) == 0)
            continue;
        (void)snprintf(last, sizeof last, "%s", word);
        tell(place, word,
             rest[strlen(word)] ? _("a group of commands") : _((*at)->summary));
    }
}

static void tell_table(struct place *place, const struct cli_option *table, uint64_t seen)
{
    for (size_t i = 0; table[i].name; i++) {
        char name[64];

        if (i < CLI_OPTIONS_MAX && (seen >> i & 1) && table[i].kind != CLI_TEXTS)
            continue;
        (void)snprintf(name, sizeof name, "--%s", table[i].name);
        tell(place, name, _(table[i].help));
    }
}

static void tell_options(struct place *place)
{
    const char *word = place->typed;
    const struct cli_option *option = NULL;

    tell_table(place, cli_option_own(place->command), place->seen);
    tell_table(place, cli_global_options(), place->seen_globals);
    /* Letters that are complete: the shell adds the blank. */
    if (word[0] == '-' && word[1] && word[1] != '-' &&
        !read_option(place, word, &option) && option)
        tell(place, word, _(option->help));
}

/* --- names of the vault --- */

static enum psn_code tell_names(struct place *place, unsigned kinds,
                                const struct cli_names *names, struct psn_error *err)
{
    struct cli_names here = *names;
    struct cli *cli = place->cli;

    /* No news is all there is to say of a vault that is not there, or locked. */
    if (!psn_vault_open(&cli->vault_options, &cli->vault, NULL) &&
        !cli_unlock_by_agent(cli, NULL))
        here.vault = cli->vault;
    return cli_names_each(&here, kinds, err);
}

/* A new address: what is typed up to its "@" stays. */
static enum psn_code tell_domains(struct place *place, struct psn_error *err)
{
    const struct cli_names names = { .each = tell, .arg = place };
    const char *at = strchr(place->typed, '@');
    char prefix[NAME_MAX_BYTES];

    if (!at || (size_t)(at - place->typed) + 2 > sizeof prefix ||
        !psn_text_is_plain(place->typed, strlen(place->typed))) {
        head(place, "names", "");
        return PSN_OK;
    }
    (void)snprintf(prefix, sizeof prefix, "%.*s", (int)(at + 1 - place->typed),
                   place->typed);
    head(place, "names", prefix);
    place->typed = at + 1;
    return tell_names(place, CLI_KIND_DOMAIN, &names, err);
}

static enum psn_code tell_kinds(struct place *place, unsigned kinds, const char *prefix,
                                struct psn_error *err)
{
    const struct cli_names names = { .args = place->args,
                                     .arg_count = place->arg_count,
                                     .typed = place->typed,
                                     .each = tell,
                                     .arg = place };

    if (kinds & (CLI_KIND_FILE | CLI_KIND_FOLDER)) {
        head(place, kinds & CLI_KIND_FILE ? "files" : "folders", prefix);
        return PSN_OK;
    }
    head(place, "names", prefix);
    return kinds ? tell_names(place, kinds, &names, err) : PSN_OK;
}

static enum psn_code tell_values(struct place *place, const struct cli_option *option,
                                 const char *prefix, struct psn_error *err)
{
    const char *at = option->value;
    enum psn_code rc = tell_kinds(place, cli_kind_of(at, strlen(at)), prefix, err);
    const char *word;
    size_t size;

    while ((at = cli_kind_choice(at, &word, &size)) != NULL) {
        char text[64];

        (void)snprintf(text, sizeof text, "%.*s", (int)size, word);
        tell(place, text, "");
    }
    return rc;
}

/* --- what the word can be --- */

/* "--output=re", "-ore": the value within the option's word. */
static enum psn_code complete_option(struct place *place, struct psn_error *err)
{
    const struct cli_option *option = NULL;
    const char *word = place->typed;
    struct place before = *place;
    const char *value = read_option(&before, word, &option);
    char prefix[NAME_MAX_BYTES];

    if (!value || !option || option->kind == CLI_FLAG ||
        (size_t)(value - word) >= sizeof prefix) {
        head(place, "names", "");
        tell_options(place);
        return PSN_OK;
    }
    (void)snprintf(prefix, sizeof prefix, "%.*s", (int)(value - word), word);
    place->typed = value;
    return tell_values(place, option, prefix, err);
}

static enum psn_code complete_argument(struct place *place, struct psn_error *err)
{
    const struct cli_command *command = place->command;
    unsigned kinds = cli_kind_of_argument(command, place->arg_count);
    bool is_new = (command->needs & CLI_NEW) && place->arg_count + 1 >= command->min_args;
    enum psn_code rc;

    if (is_new && (kinds & CLI_KIND_ADDRESS))
        return tell_domains(place, err);
    rc = tell_kinds(place, is_new ? CLI_KIND_FREE : kinds, "", err);
    if (place->group && place->arg_count == 0)
        tell_commands(place, place->group);
    /* Where nothing else can stand, options can. */
    if (!place->only_words && place->typed[0] == '\0' &&
        place->arg_count >= command->max_args)
        tell_options(place);
    return rc;
}

static enum psn_code complete(struct place *place, struct psn_error *err)
{
    if (place->waiting)
        return tell_values(place, place->waiting, "", err);
    if (!place->only_words && place->typed[0] == '-')
        return complete_option(place, err);
    if (place->command && !place->help)
        return complete_argument(place, err);
    head(place, "names", "");
    if (place->group || !(place->command || place->is_lost))
        tell_commands(place, place->group);
    if (!place->group && !place->command && !place->help && !place->is_lost)
        tell(place, "help", _("explain a command"));
    return PSN_OK;
}

enum psn_code cli_complete(struct cli *cli, const char *const *words, size_t count,
                           struct psn_error *err)
{
    PSN_AUTO_FREE const char **args = calloc(count + 1, sizeof *args);
    struct place place = { .cli = cli, .args = args };

    if (!args)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 1; i + 1 < count; i++)
        read_word(&place, words[i]);
    place.typed = count > 1 ? words[count - 1] : "";
    return complete(&place, err);
}

/* --- quotation marks --- */

void cli_complete_unquote(const char *text, struct psn_buf *out)
{
    char quote = '\0';

    for (; *text; text++) {
        bool escapes = *text == '\\' && quote != '\'' && text[1] != '\0';

        if (escapes && (quote == '\0' || strchr("$`\"\\", text[1])))
            psn_buf_char(out, *++text);
        else if (quote ? *text == quote : *text == '\'' || *text == '"')
            quote = (char)(quote ? '\0' : *text);
        else
            psn_buf_char(out, *text);
    }
}
