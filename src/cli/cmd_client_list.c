#include "base/text.h"
#include "cli/cli.h"
#include "cli/client_show.h"
#include "cli/display.h"
#include "cli/knowing.h"
#include "cli/owned.h"

/* client ls and rm. */

/* --- ls ------------------------------------------------------------------------------
 */

struct listing {
    struct cli *cli;
    struct cli_json *json; /* or NULL */
    struct cli_table *table;
    size_t count;
};

static enum psn_code list_client(void *arg, const struct psn_client *client,
                                 struct psn_error *err)
{
    struct listing *listing = arg;
    PSN_AUTO_RELEASE(psn_buf)
    domains = psn_buf_init((size_t)PSN_CLIENT_DOMAINS_MAX * PSN_DOMAIN_NAME_MAX);
    enum psn_code rc;

    listing->count++;
    if (listing->json) {
        struct psn_client shown = *client;

        cli_owned_settle(listing->cli, &shown);
        cli_client_json(listing->json, NULL, &shown);
        return PSN_OK;
    }
    for (size_t i = 0; i < client->domain_count; i++)
        psn_buf_format(&domains, "%s%s", i ? " " : "", client->domains[i]);
    rc = psn_buf_check(&domains, err);
    if (rc)
        return rc;
    cli_table_cell(listing->table, client->id);
    cli_table_cell(listing->table, client->nic);
    cli_table_cell(listing->table, client->linked ? _("linked") : _("not linked"));
    cli_table_cell(listing->table, psn_buf_str(&domains));
    cli_table_cell(listing->table, client->name);
    return PSN_OK;
}

static enum psn_code list_json(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct listing listing = { .cli = cli, .json = &json };
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "clients", '[');
    rc = psn_client_each(cli->vault, list_client, &listing, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

static enum psn_code run_ls(struct cli *cli, const void *arg, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = NULL;
    struct listing listing = { .cli = cli };
    enum psn_code rc;

    (void)arg;
    if (cli->json)
        return list_json(cli, err);
    table = cli_table_new(5);
    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    listing.table = table;
    cli_table_cell(table, _("CLIENT"));
    cli_table_cell(table, _("OVH ACCOUNT"));
    cli_table_cell(table, _("API KEY"));
    cli_table_cell(table, _("DOMAINS"));
    cli_table_cell(table, _("NAME"));
    rc = psn_client_each(cli->vault, list_client, &listing, err);
    if (rc)
        return rc;
    if (listing.count > 0)
        cli_table_print(cli, table);
    else
        cli_note(cli, _("There is no client yet. Add one: passation client add ID --nic "
                        "xm000000-ovh --domain DOMAIN"));
    return PSN_OK;
}

const struct cli_command cmd_client_ls = {
    .name = "client ls",
    .summary = N_("list the clients"),
    .examples = N_("passation client ls\tone line each\n"
                   "passation client ls --json\tthe same for a program\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .run = run_ls,
};

/* --- rm ------------------------------------------------------------------------------
 */

struct cmd_client_rm_options {
    const char *confirm;
    const char *unchanged;
};

static const struct cli_option rm_options[] = {
    { "confirm", 0, CLI_TEXT, offsetof(struct cmd_client_rm_options, confirm), N_("ID"),
      N_("the client's id again, when the vault holds the only copy of its passwords") },
    { "unchanged", 0, CLI_TEXT, offsetof(struct cmd_client_rm_options, unchanged),
      N_("TEXT"),
      N_("give its mailboxes up as they are, and why: the report of whoever is leaving "
         "and knows their passwords will say so") },
    { 0 },
};

static enum psn_code remove_client(struct cli *cli, const char *id,
                                   const struct cmd_client_rm_options *options,
                                   struct psn_error *err)
{
    struct psn_error refusal = { 0 };
    const char *unchanged = options->unchanged;
    enum psn_code rc =
        psn_client_rm(cli->vault, id, options->confirm, unchanged, &refusal);

    if (rc == PSN_E_POLICY && !options->confirm && cli_has_terminal(cli)) {
        rc = cli_confirm_typed(cli, id, err,
                               _("%s.\nOVH never gives a password back. To remove the "
                                 "client all the same, type its id:"),
                               refusal.message);
        return rc ? rc : psn_client_rm(cli->vault, id, id, unchanged, err);
    }
    if (rc && err)
        *err = refusal;
    return rc;
}

static enum psn_code run_rm(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_client_rm_options *options = arg;
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    const char *id = cli->args[0];
    enum psn_code rc = cli_knowing_warn(cli, id, NULL, err);

    if (!rc)
        rc = remove_client(cli, id, options, err);
    if (rc)
        return rc;
    if (!cli->json) {
        cli_print(cli, _("%s: removed from the vault; nothing was changed at OVH\n"), id);
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "id", id);
    cli_json_bool(&json, "removed", true);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

const struct cli_command cmd_client_rm = {
    .name = "client rm",
    .arguments = N_("CLIENT"),
    .summary = N_("remove a client from the vault, nothing at OVH"),
    .examples = N_("passation client rm essai\t"
                   "refused while the vault holds passwords of it\n"
                   "passation client rm essai --confirm essai\tremoves them too\n"
                   "passation client rm essai --confirm essai --unchanged 'API key "
                   "withdrawn'\teven while somebody who leaves knows them\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = rm_options,
    .options_size = sizeof(struct cmd_client_rm_options),
    .run = run_rm,
};
