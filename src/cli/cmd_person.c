#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/person_key.h"

/* person add, set, rm. */

struct cmd_person_options {
    const char *kind;
    const char *name;
    const char *email;
    const char *key;
    struct cli_texts groups;
    struct cli_texts devices;
    struct cli_texts aliases;
};

#define PERSON_OPTIONS                                                                   \
    { "kind",                                                                            \
      0,                                                                                 \
      CLI_TEXT,                                                                          \
      offsetof(struct cmd_person_options, kind),                                         \
      "team|provider|client",                                                            \
      N_("team, provider or client") },                                                  \
        { "name",     0,                                                                 \
          CLI_TEXT,   offsetof(struct cmd_person_options, name),                         \
          N_("NAME"), N_("the name, as it stands in issues") },                          \
        { "email",     0,                                                                \
          CLI_TEXT,    offsetof(struct cmd_person_options, email),                       \
          N_("EMAIL"), N_("where mail reaches the person") },                            \
        { "group",   0,                                                                  \
          CLI_TEXTS, offsetof(struct cmd_person_options, groups),                        \
          N_("ID"),  N_("a group the person is in; '' for none; may be repeated") },     \
        { "device",   0,                                                                 \
          CLI_TEXTS,  offsetof(struct cmd_person_options, devices),                      \
          N_("NAME"), N_("what reads the mail: a phone, Outlook …; may be repeated") },  \
    {                                                                                    \
        "alias", 0, CLI_TEXTS, offsetof(struct cmd_person_options, aliases), N_("NAME"), \
            N_("another address, account (xy000000-ovh), API key or login of theirs "    \
               "at OVH, looked for when they leave; may be repeated")                    \
    }

static const struct cli_option add_options[] = {
    PERSON_OPTIONS,
    { "key", 0, CLI_TEXT, offsetof(struct cmd_person_options, key), N_("FILE"),
      N_("a public key, age1… or ssh-ed25519 AAAA…; '-' reads standard input") },
    { 0 },
};

static const struct cli_option set_options[] = { PERSON_OPTIONS, { 0 } };

/* Whatever the language of messages: what is written in the one is run in the other. */
static const struct {
    const char *word;
    enum psn_person_kind kind;
} french[] = {
    { "équipe", PSN_PERSON_TEAM },
    { "Équipe", PSN_PERSON_TEAM }, /* capitals are compared in ASCII alone */
    { "ÉQUIPE", PSN_PERSON_TEAM },
    { "equipe", PSN_PERSON_TEAM },
    { "prestataire", PSN_PERSON_PROVIDER },
};

static enum psn_code parse_kind(const char *text, enum psn_person_kind *ret_kind,
                                struct psn_error *err)
{
    for (enum psn_person_kind kind = PSN_PERSON_TEAM; kind <= PSN_PERSON_CLIENT; kind++)
        if (strcasecmp(text, psn_person_kind_name(kind)) == 0) {
            *ret_kind = kind;
            return PSN_OK;
        }
    for (size_t i = 0; i < sizeof french / sizeof *french; i++)
        if (strcasecmp(text, french[i].word) == 0) {
            *ret_kind = french[i].kind;
            return PSN_OK;
        }
    return psn_fail(err, PSN_E_INVALID,
                    _("--kind: '%s' is none of team, provider, client; in French: "
                      "équipe, prestataire, client"),
                    CLI_SHOWN(text));
}

/* A list option replaces the whole list; one empty value empties it. */
struct words {
    char *at; /* `max` of them, each in `size` bytes */
    size_t size;
    size_t max;
};

static enum psn_code copy_words(const char *option, const struct cli_texts *texts,
                                const struct words *words, size_t *ret_count,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (texts->count == 0)
        return PSN_OK;
    *ret_count = 0;
    if (texts->count == 1 && !texts->items[0][0])
        return PSN_OK;
    if (texts->count > words->max)
        return psn_fail(err, PSN_E_INVALID, _("%s: at most %d of them"), option,
                        (int)words->max);
    for (size_t i = 0; !rc && i < texts->count; i++)
        rc = cli_field_copy(option, texts->items[i],
                            words->at + (*ret_count)++ * words->size, words->size, err);
    return rc;
}

static enum psn_code check_email(const char *email, struct psn_error *err)
{
    const char *at = strchr(email, '@');

    if (!email[0] || (at && at > email && at[1] && !strpbrk(email, " \t")))
        return PSN_OK;
    return psn_fail(err, PSN_E_INVALID, _("--email: '%s' is no e-mail address"),
                    CLI_SHOWN(email));
}

static enum psn_code fill(const struct cmd_person_options *options,
                          struct psn_person *person, struct psn_error *err)
{
    const struct words groups = { person->groups[0], PSN_PERSON_WORD_MAX,
                                  PSN_PERSON_WORDS_MAX };
    const struct words devices = { person->devices[0], PSN_PERSON_WORD_MAX,
                                   PSN_PERSON_WORDS_MAX };
    const struct words aliases = { person->aliases[0], PSN_PERSON_ALIAS_MAX,
                                   PSN_PERSON_ALIASES_MAX };
    enum psn_code rc = PSN_OK;

    if (options->kind)
        rc = parse_kind(options->kind, &person->kind, err);
    if (!rc && options->name)
        rc = cli_field_copy("--name", options->name, person->name, sizeof person->name,
                            err);
    if (!rc && options->email)
        rc = check_email(options->email, err);
    if (!rc && options->email)
        rc = cli_field_copy("--email", options->email, person->email,
                            sizeof person->email, err);
    if (!rc)
        rc = copy_words("--group", &options->groups, &groups, &person->group_count, err);
    if (!rc)
        rc = copy_words("--device", &options->devices, &devices, &person->device_count,
                        err);
    return rc ? rc
              : copy_words("--alias", &options->aliases, &aliases, &person->alias_count,
                           err);
}

static enum psn_code print_done(struct cli *cli, const char *id, const char *member,
                                const char *sentence, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    if (!cli->json) {
        cli_print(cli, _("%s: %s\n"), CLI_SHOWN(id), sentence);
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "id", id);
    cli_json_bool(&json, member, true);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

/* --- add --- */

static enum psn_code run_add(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_person_options *options = arg;
    struct psn_person person = { 0 };
    enum psn_code rc =
        cli_field_copy(_("the id"), cli->args[0], person.id, sizeof person.id, err);

    if (!rc && !options->kind) {
        (void)psn_fail(err, PSN_E_INVALID, _("%s: what is this person to you?"),
                       CLI_SHOWN(cli->args[0]));
        rc = psn_hint(err, PSN_E_INVALID, _("say --kind team, provider or client"));
    }
    if (!rc)
        rc = fill(options, &person, err);
    if (!rc && options->key) {
        rc = cli_read_public_key(options->key, person.keys[0].text, err);
        person.key_count = 1;
    }
    if (!rc)
        rc = psn_person_add(cli->vault, &person, err);
    if (!rc)
        rc = print_done(cli, person.id, "added", _("added"), err);
    if (!rc && options->key)
        cli_tell_fingerprint(cli, person.id, person.keys[0].text);
    return rc;
}

const struct cli_command cmd_person_add = {
    .name = "person add",
    .arguments = N_("ID"),
    .summary = N_("add a member of the team, a provider, or a client's contact"),
    .examples =
        N_("passation person add jp --kind provider --name 'Jean-Pierre' --key jp.pub\t"
           "issues to him open with his key\n"
           "passation person add claire --kind client --email claire@martin.fr\t"
           "issues to her open with a code\n"
           "passation person add nadia --kind team --group compta --device iPhone\t"
           "with what she reads mail on\n"
           "passation person add paul --kind provider --email paul@studio.fr --alias "
           "pd12345-ovh\twith his account at OVH, which is a way in\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED | CLI_NEW,
    .min_args = 1,
    .max_args = 1,
    .options = add_options,
    .options_size = sizeof(struct cmd_person_options),
    .run = run_add,
};

/* --- set --- */

static bool changes_nothing(const struct cmd_person_options *options)
{
    return !options->kind && !options->name && !options->email &&
           !options->groups.count && !options->devices.count && !options->aliases.count;
}

static enum psn_code run_set(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_person_options *options = arg;
    struct psn_person person;
    enum psn_code rc;

    if (changes_nothing(options)) {
        (void)psn_fail(err, PSN_E_INVALID, _("%s: nothing to change was given"),
                       CLI_SHOWN(cli->args[0]));
        return psn_hint(err, PSN_E_INVALID,
                        _("see what can be set: passation help person set"));
    }
    rc = psn_person_get(cli->vault, cli->args[0], &person, err);
    if (!rc)
        rc = fill(options, &person, err);
    if (!rc)
        rc = psn_person_set(cli->vault, &person, err);
    return rc ? rc : print_done(cli, person.id, "changed", _("changed"), err);
}

const struct cli_command cmd_person_set = {
    .name = "person set",
    .arguments = N_("PERSON"),
    .summary = N_("change a person's name, e-mail, kind, groups, devices or aliases"),
    .examples = N_("passation person set jp --email jp@exemple.fr\tone field\n"
                   "passation person set jp --group seo --group redaction\t"
                   "these two groups from now on\n"
                   "passation person set jp --group ''\tin no group any more\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = set_options,
    .options_size = sizeof(struct cmd_person_options),
    .run = run_set,
};

/* --- rm --- */

static enum psn_code run_rm(struct cli *cli, const void *arg, struct psn_error *err)
{
    enum psn_code rc = psn_person_rm(cli->vault, cli->args[0], err);

    (void)arg;
    return rc ? rc
              : print_done(cli, cli->args[0], "removed", _("removed from the vault"),
                           err);
}

const struct cli_command cmd_person_rm = {
    .name = "person rm",
    .arguments = N_("PERSON"),
    .summary = N_("forget a person who knows nothing that is in force"),
    .examples = N_("passation person rm jp\trefused while he has a grant, or knows a "
                   "password in force\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .run = run_rm,
};
