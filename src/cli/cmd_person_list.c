#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/display.h"
#include "cli/owned.h"

/* person ls and show. */

static const char *kind_shown(enum psn_person_kind kind)
{
    switch (kind) {
    case PSN_PERSON_TEAM:
        return _("team");
    case PSN_PERSON_PROVIDER:
        return _("provider");
    case PSN_PERSON_CLIENT:
        return _("client");
    }
    return "";
}

static void put_words(struct cli_json *json, const char *name,
                      char (*words)[PSN_PERSON_WORD_MAX], size_t count)
{
    cli_json_open(json, name, '[');
    for (size_t i = 0; i < count; i++)
        cli_json_text(json, NULL, words[i]);
    cli_json_close(json, ']');
}

static void put_json(struct cli_json *json, struct psn_person *person)
{
    char fingerprint[PSN_PHONE_FINGERPRINT_MAX];

    cli_json_open(json, NULL, '{');
    cli_json_text(json, "id", person->id);
    cli_json_text(json, "kind", psn_person_kind_name(person->kind));
    cli_json_text(json, "name", person->name[0] ? person->name : NULL);
    cli_json_text(json, "email", person->email[0] ? person->email : NULL);
    cli_json_open(json, "keys", '[');
    for (size_t i = 0; i < person->key_count; i++) {
        const struct psn_person_key *key = &person->keys[i];

        psn_person_key_fingerprint(key->text, fingerprint);
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "key", key->text);
        cli_json_text(json, "fingerprint", fingerprint);
        cli_json_bool(json, "in_use", i == 0);
        cli_json_time(json, "added_at", key->added_s);
        cli_json_time(json, "checked_at", key->checked_s);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
    put_words(json, "groups", person->groups, person->group_count);
    put_words(json, "devices", person->devices, person->device_count);
    cli_json_open(json, "aliases", '[');
    for (size_t i = 0; i < person->alias_count; i++)
        cli_json_text(json, NULL, person->aliases[i]);
    cli_json_close(json, ']');
    cli_json_time(json, "departing_at", person->departing_s);
    cli_json_time(json, "departed_at", person->departed_s);
    cli_json_time(json, "created_at", person->created_s);
    cli_json_close(json, '}');
}

/* --- ls --- */

struct listing {
    struct cli_json *json; /* or NULL */
    struct cli_table *table;
};

static const char *key_shown(const struct psn_person *person)
{
    if (person->key_count == 0)
        return _("none: by code");
    return person->keys[0].checked_s ? _("checked") : _("not checked");
}

static void join(char *out, size_t size, char (*words)[PSN_PERSON_WORD_MAX], size_t count)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", words[i]);
}

static enum psn_code list_person(void *arg, const struct psn_person *person,
                                 struct psn_error *err)
{
    struct listing *listing = arg;
    struct psn_person copy = *person;
    char groups[PSN_PERSON_WORDS_MAX * PSN_PERSON_WORD_MAX];

    (void)err;
    if (listing->json) {
        put_json(listing->json, &copy);
        return PSN_OK;
    }
    join(groups, sizeof groups, copy.groups, copy.group_count);
    cli_table_cell(listing->table, person->id);
    cli_table_cell(listing->table, kind_shown(person->kind));
    cli_table_cell(listing->table, key_shown(person));
    cli_table_cell(listing->table, groups);
    cli_table_cell(listing->table, person->departed_s    ? _("has left")
                                   : person->departing_s ? _("leaving")
                                                         : person->name);
    return PSN_OK;
}

static enum psn_code run_ls(struct cli *cli, const void *arg, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(5);
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct listing listing = { cli->json ? &json : NULL, table };
    enum psn_code rc;

    (void)arg;
    cli_table_cell(table, _("PERSON"));
    cli_table_cell(table, _("KIND"));
    cli_table_cell(table, _("KEY"));
    cli_table_cell(table, _("GROUPS"));
    cli_table_cell(table, _("NAME"));
    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "persons", '[');
    rc = psn_person_each(cli->vault, list_person, &listing, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    if (rc)
        return rc;
    if (cli->json)
        return cli_json_print(cli, &json, err);
    cli_table_print(cli, table);
    return PSN_OK;
}

const struct cli_command cmd_person_ls = {
    .name = "person ls",
    .summary = N_("list the people, and whether their keys were checked"),
    .examples = N_("passation person ls\tone line each\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .run = run_ls,
};

/* --- show --- */

static void rows_of_keys(struct cli_table *table, const struct psn_person *person)
{
    char fingerprint[PSN_PHONE_FINGERPRINT_MAX];
    char text[192];
    char time[PSN_TIME_SIZE];

    for (size_t i = 0; i < person->key_count; i++) {
        const struct psn_person_key *key = &person->keys[i];

        psn_person_key_fingerprint(key->text, fingerprint);
        cli_display_row(table, i == 0 ? _("Key in use") : _("Older key"), key->text);
        cli_display_row(table, _("To read out"), fingerprint);
        (void)snprintf(text, sizeof text, "%s", cli_display_time(key->checked_s, time));
        cli_display_row(table, _("Checked"), key->checked_s ? text : _("not yet"));
    }
    if (person->key_count == 0)
        cli_display_row(table, _("Key"), _("none: issues open with a code"));
}

static enum psn_code run_show(struct cli *cli, const void *arg, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(2);
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct psn_person person;
    char words[PSN_PERSON_WORDS_MAX * PSN_PERSON_WORD_MAX];
    char time[PSN_TIME_SIZE];
    enum psn_code rc = psn_person_get(cli->vault, cli->args[0], &person, err);

    (void)arg;
    if (rc)
        return rc;
    if (cli->json) {
        put_json(&json, &person);
        return cli_json_print(cli, &json, err);
    }
    cli_display_row(table, _("Person"), person.id);
    cli_display_row(table, _("Kind"), kind_shown(person.kind));
    cli_display_row(table, _("Name"), person.name);
    cli_display_row(table, _("E-mail"), person.email);
    rows_of_keys(table, &person);
    join(words, sizeof words, person.groups, person.group_count);
    cli_display_row(table, _("Groups"), words);
    join(words, sizeof words, person.devices, person.device_count);
    cli_display_row(table, _("Devices"), words);
    for (size_t i = 0; i < person.alias_count; i++)
        cli_display_row(table, i ? "" : _("Also known as"), person.aliases[i]);
    if (person.departed_s)
        cli_display_row(table, _("Left on"), cli_display_time(person.departed_s, time));
    else if (person.departing_s)
        cli_display_row(table, _("Leaving since"),
                        cli_display_time(person.departing_s, time));
    cli_table_print(cli, table);
    return cli_owned_tell(cli, person.id, err);
}

const struct cli_command cmd_person_show = {
    .name = "person show",
    .arguments = N_("PERSON"),
    .summary = N_("show a person, with the fingerprint to read over the telephone"),
    .examples = N_("passation person show jp\this keys, groups and devices\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .run = run_show,
};
