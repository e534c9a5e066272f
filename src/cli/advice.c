#include "cli/advice.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/fields.h"
#include "cli/names.h"
#include "cli/near.h"

/* What one word is compared with. */
struct wanted {
    struct cli_near near;
    const char *typed; /* a person's or client's id, with capitals perhaps; or NULL */
    char meant[CLI_NEAR_SIZE]; /* the one that has this name, or this id but for them */
    bool exists;               /* it names something, so that it is not what is wrong */
};

static void compare(void *arg, const char *name, const char *about)
{
    struct wanted *wanted = arg;

    if (wanted->typed &&
        (strcasecmp(about, wanted->typed) == 0 || strcasecmp(name, wanted->typed) == 0))
        (void)snprintf(wanted->meant, sizeof wanted->meant, "%s", name);
    wanted->exists =
        wanted->exists ||
        strcmp(name, wanted->typed ? wanted->typed : wanted->near.typed) == 0;
    cli_near_offer(&wanted->near, name);
}

static bool is_of_word(char c)
{
    return psn_text_is_lower(c) || psn_text_is_upper(c) || psn_text_is_digit(c);
}

/* An error says what it is about: a word that stands in it. */
static bool is_about(const struct psn_error *err, const char *typed)
{
    char shown[PSN_ERROR_MESSAGE_MAX];
    const char *found = err->message;
    size_t size;

    (void)psn_text_shown(typed, shown, sizeof shown);
    size = strlen(shown);
    while (size > 0 && (found = strcasestr(found, shown)) != NULL) {
        bool begins = found == err->message || !is_of_word(found[-1]);

        if (begins && !is_of_word(found[size]))
            return true;
        found++;
    }
    return false;
}

static void add_hint(struct psn_error *err, const struct cli_near *near, const char *head)
{
    char before[PSN_ERROR_HINT_MAX];
    char shown[2 * CLI_NEAR_SIZE];

    (void)snprintf(before, sizeof before, "%s", err->hint);
    (void)cli_near_shown(near, head, shown, sizeof shown);
    err->hint[0] = '\0';
    if (before[0])
        (void)psn_hint(err, err->code, _("did you mean %s? Else %s"), shown, before);
    else
        (void)psn_hint(err, err->code, _("did you mean %s?"), shown);
}

/* An id has no capitals: one that was typed with some is refused before it is looked
 * for. */
static bool has_ids(unsigned kinds)
{
    return kinds & (CLI_KIND_PERSON | CLI_KIND_CLIENT);
}

/* True if it has found what to say of the word. */
static bool advise_name(struct cli *cli, const char *typed, unsigned kinds,
                        struct psn_error *err)
{
    char lower[PSN_ADDRESS_TEXT_MAX];
    struct wanted wanted = { .exists = false };
    const struct cli_names names = { .vault = cli->vault,
                                     .args = cli->args,
                                     .arg_count = cli->arg_count,
                                     .typed = typed,
                                     .each = compare,
                                     .arg = &wanted };

    if (cli_field_is_glob(typed) || strlen(typed) >= sizeof lower ||
        !is_about(err, typed))
        return false;
    (void)snprintf(lower, sizeof lower, "%s", typed);
    psn_text_lower(lower);
    if (has_ids(kinds) && (strcmp(lower, typed) != 0 || err->code == PSN_E_NOT_FOUND))
        wanted.typed = typed;
    if (err->code != PSN_E_NOT_FOUND && !wanted.typed)
        return false;
    cli_near_begin(&wanted.near, kinds & CLI_KIND_LABEL ? typed : lower);
    if (cli_names_each(&names, kinds, NULL) || wanted.exists)
        return false;
    if (wanted.meant[0]) {
        cli_near_begin(&wanted.near, wanted.meant);
        cli_near_offer(&wanted.near, wanted.meant);
    }
    if (wanted.near.count == 0)
        return false;
    add_hint(err, &wanted.near, "");
    return true;
}

/* The address itself is new: only its domain can be a slip. */
static bool advise_domain(struct cli *cli, const char *address, struct psn_error *err)
{
    const char *at = strchr(address, '@');
    char head[PSN_ADDRESS_TEXT_MAX];
    char domain[PSN_ADDRESS_TEXT_MAX];
    struct wanted wanted = { .exists = false };
    const struct cli_names names = { .vault = cli->vault,
                                     .each = compare,
                                     .arg = &wanted };

    if (!at || strlen(address) >= sizeof head || !is_about(err, at + 1))
        return false;
    (void)snprintf(domain, sizeof domain, "%s", at + 1);
    psn_text_lower(domain);
    cli_near_begin(&wanted.near, domain);
    if (cli_names_each(&names, CLI_KIND_DOMAIN, NULL) || wanted.exists ||
        wanted.near.count == 0)
        return false;
    (void)snprintf(head, sizeof head, "%.*s", (int)(at + 1 - address), address);
    add_hint(err, &wanted.near, CLI_SHOWN(head));
    return true;
}

static bool advise_argument(struct cli *cli, size_t number, struct psn_error *err)
{
    unsigned kinds = cli_kind_of_argument(cli->command, number);
    bool is_new = (cli->command->needs & CLI_NEW) && number + 1 >= cli->command->min_args;

    if (is_new && (kinds & CLI_KIND_ADDRESS))
        return advise_domain(cli, cli->args[number], err);
    return !is_new && (err->code == PSN_E_NOT_FOUND || err->code == PSN_E_INVALID) &&
           advise_name(cli, cli->args[number], kinds, err);
}

/* --- options --- */

static bool advise_choice(const char *value, const char *typed, struct psn_error *err)
{
    struct wanted wanted = { .exists = false };
    const char *word;
    size_t size;

    cli_near_begin(&wanted.near, typed);
    while ((value = cli_kind_choice(value, &word, &size)) != NULL) {
        char text[CLI_NEAR_SIZE];

        (void)snprintf(text, sizeof text, "%.*s", (int)size, word);
        compare(&wanted, text, "");
    }
    if (wanted.exists || wanted.near.count == 0 || !is_about(err, typed))
        return false;
    add_hint(err, &wanted.near, "");
    return true;
}

static bool advise_value(struct cli *cli, const struct cli_option *row, const char *typed,
                         struct psn_error *err)
{
    if (err->code == PSN_E_INVALID && advise_choice(row->value, typed, err))
        return true;
    return (err->code == PSN_E_NOT_FOUND || err->code == PSN_E_INVALID) &&
           advise_name(cli, typed, cli_kind_of(row->value, strlen(row->value)), err);
}

static bool advise_option(struct cli *cli, const struct cli_line *line,
                          const struct cli_option *row, struct psn_error *err)
{
    const char *at = (const char *)line->options + row->offset;
    const struct cli_texts *texts = (const void *)at;
    bool done = false;

    if (row->kind == CLI_TEXT && *(const char *const *)(const void *)at)
        return advise_value(cli, row, *(const char *const *)(const void *)at, err);
    for (size_t i = 0; row->kind == CLI_TEXTS && !done && i < texts->count; i++)
        done = advise_value(cli, row, texts->items[i], err);
    return done;
}

void cli_advise(struct cli *cli, const struct cli_line *line, struct psn_error *err)
{
    bool done = false;

    if (!cli->command || !(cli->command->needs & CLI_NEEDS_UNLOCKED) || !cli->vault)
        return;
    for (size_t i = 0; !done && i < cli->arg_count; i++)
        done = advise_argument(cli, i, err);
    for (const struct cli_option *row = line->table; !done && row && row->name; row++)
        done = advise_option(cli, line, row, err);
}
