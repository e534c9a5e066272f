#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/display.h"
#include "cli/new_key.h"
#include "cli/rekey_plan.h"

struct cmd_slot_add_options {
    struct cli_new_key_options key;
};

static const struct cli_option add_options[] = {
    { "new-passphrase-fd", 0, CLI_FD,
      offsetof(struct cmd_slot_add_options, key.passphrase_fd), N_("N"),
      N_("the new passphrase is on file descriptor N") },
    { "new-identity-file", 0, CLI_TEXT,
      offsetof(struct cmd_slot_add_options, key.identity_file), N_("FILE"),
      N_("the new way in is this age identity file") },
    { 0 },
};

static enum psn_code print_added(struct cli *cli, enum psn_slot_kind kind, bool is_new,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    if (!cli->json) {
        cli_print(cli, _("%s can now unlock this vault, and reach everything in it.\n"),
                  CLI_SHOWN(cli->args[0]));
        if (is_new)
            cli_note(cli, _("This person is new to the vault."));
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "person", cli->args[0]);
    cli_json_text(&json, "kind", psn_slot_kind_name(kind));
    cli_json_bool(&json, "new_person", is_new);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static enum psn_code run_add(struct cli *cli, const void *arg, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    struct psn_key key = { 0 };
    bool is_new = false;
    const struct cmd_slot_add_options *options = arg;
    enum psn_code rc = cli_new_key(cli, &options->key, &key.kind, &secret, err);

    key.secret = secret;
    if (!rc)
        rc = psn_slot_add(cli->vault, cli->args[0], &key, &is_new, err);
    return rc ? rc : print_added(cli, key.kind, is_new, err);
}

const struct cli_command cmd_slot_add = {
    .name = "slot add",
    .arguments = N_("PERSON"),
    .summary = N_("give a person a way to unlock the whole vault"),
    .examples = N_("passation slot add paul\tasks for a passphrase of Paul's\n"
                   "passation slot add backup --new-identity-file key.txt\t"
                   "an age identity, for unattended use\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = add_options,
    .options_size = sizeof(struct cmd_slot_add_options),
    .run = run_add,
};

/* --- slot ls --- */

static enum psn_code add_row(void *arg, const struct psn_slot *slot,
                             struct psn_error *err)
{
    struct cli_table *table = arg;
    char time[PSN_TIME_SIZE];
    char id[9];

    (void)err;
    cli_table_cell(table, slot->person);
    cli_table_cell(table, cli_slot_kind_shown(slot->kind));
    cli_table_cell(table, cli_display_moment(slot->created_s, time));
    (void)snprintf(id, sizeof id, "%02x%02x%02x%02x", slot->id[0], slot->id[1],
                   slot->id[2], slot->id[3]);
    cli_table_cell(table, id);
    cli_table_cell(table, slot->in_use ? _("in use now") : "");
    return PSN_OK;
}

static enum psn_code add_object(void *arg, const struct psn_slot *slot,
                                struct psn_error *err)
{
    struct cli_json *json = arg;
    char id[2 * PSN_SLOT_ID_SIZE + 1] = "";

    (void)err;
    for (size_t i = 0; i < PSN_SLOT_ID_SIZE; i++)
        (void)snprintf(id + 2 * i, 3, "%02x", slot->id[i]);
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "id", id);
    cli_json_text(json, "person", slot->person);
    cli_json_text(json, "kind", psn_slot_kind_name(slot->kind));
    cli_json_time(json, "created_at", slot->created_s);
    cli_json_bool(json, "in_use", slot->in_use);
    cli_json_close(json, '}');
    return PSN_OK;
}

static enum psn_code list_json(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "slots", '[');
    rc = psn_slot_each(cli->vault, add_object, &json, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

static enum psn_code run_ls(struct cli *cli, const void *options, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = NULL;
    enum psn_code rc;

    (void)options;
    if (cli->json)
        return list_json(cli, err);
    table = cli_table_new(5);
    cli_table_cell(table, _("PERSON"));
    cli_table_cell(table, _("WAY IN"));
    cli_table_cell(table, _("SINCE"));
    cli_table_cell(table, _("SLOT"));
    cli_table_cell(table, "");
    rc = psn_slot_each(cli->vault, add_row, table, err);
    if (!rc)
        cli_table_print(cli, table);
    return rc;
}

const struct cli_command cmd_slot_ls = {
    .name = "slot ls",
    .summary = N_("list who can unlock the vault, and how"),
    .examples = N_("passation slot ls\teach of them reaches everything\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .run = run_ls,
};
