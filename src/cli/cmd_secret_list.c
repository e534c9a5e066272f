#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/display.h"

/* secret ls. */

enum {
    ADDRESSES_MAX = 64 * 1024 * 1024
};

struct listing {
    struct cli_json *json; /* or NULL */
    struct cli_table *table;
    size_t count;
};

static enum psn_code remember(void *arg, const struct psn_role *role,
                              struct psn_error *err)
{
    struct psn_buf *addresses = arg;

    psn_buf_bytes(addresses, role->address, strlen(role->address) + 1);
    return psn_buf_check(addresses, err);
}

/* "recovery, 7/10": how many codes are left of how many. */
static void put_type(struct cli_table *table, const struct psn_secret_info *info)
{
    char text[PSN_LABEL_TEXT_MAX + 64];

    (void)snprintf(text, sizeof text, _("%s, %zu/%zu left"), info->type,
                   psn_recovery_left(info), info->code_count);
    if (info->code_count == 0)
        (void)snprintf(text, sizeof text, "%s", info->type[0] ? info->type : "-");
    cli_table_cell(table, text);
}

static enum psn_code list_secret(void *arg, const struct psn_secret_info *info,
                                 struct psn_error *err)
{
    struct listing *listing = arg;
    char number[24];
    char changed[PSN_TIME_SIZE];

    (void)err;
    listing->count++;
    if (listing->json) {
        cli_json_open(listing->json, NULL, '{');
        cli_display_json_secret(listing->json, info);
        cli_json_close(listing->json, '}');
        return PSN_OK;
    }
    cli_table_cell(listing->table, info->address);
    cli_table_cell(listing->table, info->label);
    put_type(listing->table, info);
    cli_table_cell(listing->table, info->user[0] ? info->user : "-");
    cli_table_cell(listing->table, info->expires[0] ? info->expires : "-");
    cli_table_cell(listing->table, cli_display_count(info->version, number));
    cli_table_cell(listing->table, cli_display_time(info->changed_s, changed));
    return PSN_OK;
}

/* The roles are known before their secrets are read: one transaction after the other. */
static enum psn_code list_all(struct cli *cli, struct listing *listing,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) addresses = psn_buf_init(ADDRESSES_MAX);
    enum psn_code rc = psn_role_each(cli->vault, cli->args, cli->arg_count, true,
                                     remember, &addresses, err);

    for (size_t at = 0; !rc && at < addresses.size;) {
        const char *address = (const char *)addresses.data + at;

        rc = psn_secret_each(cli->vault, address, list_secret, listing, err);
        at += strlen(address) + 1;
    }
    return rc;
}

static enum psn_code list_json(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct listing listing = { .json = &json };
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "secrets", '[');
    rc = list_all(cli, &listing, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

static enum psn_code run_ls(struct cli *cli, const void *arg, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = NULL;
    struct listing listing = { 0 };
    enum psn_code rc;

    (void)arg;
    if (cli->json)
        return list_json(cli, err);
    table = cli_table_new(7);
    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    listing.table = table;
    cli_table_cell(table, _("ADDRESS"));
    cli_table_cell(table, _("LABEL"));
    cli_table_cell(table, _("TYPE"));
    cli_table_cell(table, _("USER"));
    cli_table_cell(table, _("EXPIRES"));
    cli_table_cell(table, _("VERSION"));
    cli_table_cell(table, _("CHANGED"));
    rc = list_all(cli, &listing, err);
    if (rc)
        return rc;
    if (listing.count > 0)
        cli_table_print(cli, table);
    else
        cli_note(cli, _("There is no other secret. Add one: passation secret add ADDRESS "
                        "LABEL"));
    return PSN_OK;
}

const struct cli_command cmd_secret_ls = {
    .name = "secret ls",
    .arguments = N_("[GLOB…]"),
    .summary = N_("list the secrets that hang on roles, without their values"),
    .examples = N_("passation secret ls technique@martin.fr\tthose of one role\n"
                   "passation secret ls '*@martin.fr' --json\t"
                   "those of a domain, for a program\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .max_args = SIZE_MAX,
    .run = run_ls,
};
