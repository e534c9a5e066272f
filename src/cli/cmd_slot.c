#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/new_key.h"

PSN_DEFINE_AUTO(cli_table)

struct cmd_slot_add_options {
    int passphrase_fd;
    const char *identity_file;
};

static const struct cli_option add_options[] = {
    { "new-passphrase-fd", 0, CLI_FD,
      offsetof(struct cmd_slot_add_options, passphrase_fd), N_("N"),
      N_("the new passphrase is on file descriptor N") },
    { "new-identity-file", 0, CLI_TEXT,
      offsetof(struct cmd_slot_add_options, identity_file), N_("FILE"),
      N_("the new way in is this age identity file") },
    { 0 },
};

static enum psn_code gather(struct cli *cli, const struct cmd_slot_add_options *options,
                            enum psn_slot_kind *ret_kind, struct psn_secret **ret_secret,
                            struct psn_error *err)
{
    enum psn_code rc;

    if (options->identity_file && options->passphrase_fd >= 0)
        return psn_fail(err, PSN_E_INVALID, _("give one new way in, not two"));
    *ret_kind = PSN_SLOT_IDENTITY;
    if (options->identity_file) {
        rc = cli_read_identity(cli, options->identity_file, ret_secret, err);
        if (!rc)
            cli_warn_identity_place(cli, options->identity_file);
        return rc;
    }
    *ret_kind = PSN_SLOT_PASSPHRASE;
    if (options->passphrase_fd >= 0)
        return cli_read_new_passphrase(cli, options->passphrase_fd, NULL, ret_secret,
                                       err);
    rc = cli_ask_new_passphrase(cli, ret_secret, err);
    /* Here the flags that a new vault takes would unlock the present one. */
    return rc ? psn_hint(err, rc,
                         _("give --new-passphrase-fd N or --new-identity-file "
                           "FILE"))
              : PSN_OK;
}

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
    enum psn_code rc = gather(cli, arg, &key.kind, &secret, err);

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

static const char *kind_shown(enum psn_slot_kind kind)
{
    switch (kind) {
    case PSN_SLOT_PASSPHRASE:
        return _("passphrase");
    case PSN_SLOT_RECOVERY:
        return _("recovery code");
    case PSN_SLOT_IDENTITY:
        return _("identity file");
    }
    return "";
}

static enum psn_code add_row(void *arg, const struct psn_slot *slot,
                             struct psn_error *err)
{
    struct cli_table *table = arg;
    char time[PSN_TIME_SIZE];

    (void)err;
    cli_table_cell(table, slot->person);
    cli_table_cell(table, kind_shown(slot->kind));
    cli_table_cell(table, psn_clock_format(slot->created_s, time));
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
    table = cli_table_new(4);
    cli_table_cell(table, _("PERSON"));
    cli_table_cell(table, _("WAY IN"));
    cli_table_cell(table, _("SINCE"));
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
