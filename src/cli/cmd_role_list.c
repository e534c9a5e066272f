#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/display.h"
#include "cli/doubt.h"
#include "cli/knowing.h"

/* role ls and rm. */

/* --- ls ------------------------------------------------------------------------------
 */

enum {
    REASONS_MAX = 16 * 1024 * 1024
};

struct cmd_role_ls_options {
    bool names;
};

static const struct cli_option ls_options[] = {
    { "names", 0, CLI_FLAG, offsetof(struct cmd_role_ls_options, names), NULL,
      N_("the addresses alone, one a line, as they are read and in no order") },
    { 0 },
};

struct listing {
    struct cli *cli;
    struct cli_json *json; /* or NULL */
    struct cli_table *table;
    struct psn_buf *reasons; /* what needs a person, one line each */
    size_t count;
    size_t unsettled;
};

static void put_json(struct cli_json *json, const struct psn_role *role)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "address", role->address);
    cli_json_text(json, "client", role->client);
    cli_json_text(json, "backend", role->backend[0] ? role->backend : NULL);
    cli_display_json_count(json, "version", role->version);
    cli_json_time(json, "changed_at", role->changed_s);
    cli_json_time(json, "verified_at", role->verified_s);
    cli_json_text(json, "state", psn_role_state_name(role->state));
    cli_json_text(json, "reason", role->reason[0] ? role->reason : NULL);
    cli_doubt_json(json, role);
    cli_display_json_count(json, "pending", role->pending);
    cli_json_tristate(json, "old_dead", role->old_dead);
    cli_json_time(json, "created_at", role->created_s);
    cli_display_json_platform(json, role);
    cli_json_close(json, '}');
}

static void put_row(struct cli_table *table, const struct psn_role *role)
{
    char number[24];
    char changed[PSN_TIME_SIZE];
    char verified[PSN_TIME_SIZE];

    cli_table_cell(table, role->address);
    cli_table_cell(table, role->client);
    cli_table_cell(table, cli_display_state(role));
    cli_table_cell(table, cli_display_count(role->version, number));
    cli_table_cell(table, cli_display_time(role->changed_s, changed));
    cli_table_cell(table,
                   role->doubt == PSN_DOUBT_OUTSIDE || role->doubt == PSN_DOUBT_GONE
                       ? "-"
                       : cli_display_time(role->verified_s, verified));
}

/* With what to do about it. */
static void tell_doubt(struct psn_buf *out, const struct psn_role *role,
                       const char *doubt)
{
    const char *address = CLI_SHOWN(role->address);

    if (role->doubt == PSN_DOUBT_OUTSIDE)
        psn_buf_format(out, _("! %s: %s; make a new one: passation rotate %s\n"), address,
                       doubt, address);
    else
        psn_buf_format(out, _("! %s: %s; if it is to stay so: passation role rm %s\n"),
                       address, doubt, address);
}

static enum psn_code list_role(void *arg, const struct psn_role *role,
                               struct psn_error *err)
{
    struct listing *listing = arg;
    char doubt[CLI_DOUBT_MAX];

    listing->count++;
    if (listing->json) {
        put_json(listing->json, role);
        return PSN_OK;
    }
    put_row(listing->table, role);
    if (role->state != PSN_ROLE_STABLE && role->state != PSN_ROLE_RECEIVED)
        listing->unsettled++;
    if (cli_doubt_text(role, doubt)[0])
        tell_doubt(listing->reasons, role, doubt);
    if (role->reason[0])
        psn_buf_format(listing->reasons, "! %s: %s\n", CLI_SHOWN(role->address),
                       CLI_SHOWN(role->reason));
    return psn_buf_check(listing->reasons, err);
}

static bool is_wanted(const struct cli *cli, const char *address)
{
    bool fits = cli->arg_count == 0;

    for (size_t i = 0; i < cli->arg_count; i++)
        fits = fits || psn_text_glob(cli->args[i], address);
    return fits;
}

/* A role that somebody else gave us stands in the list as its own kind. */
static enum psn_code list_received(void *arg, const struct psn_received *received,
                                   struct psn_error *err)
{
    struct listing *listing = arg;
    struct psn_role role = { .state = PSN_ROLE_RECEIVED,
                             .version = received->version,
                             .created_s = received->stored_s,
                             .changed_s = received->changed_s,
                             .verified_s = received->proved_s };

    if (!is_wanted(listing->cli, received->address))
        return PSN_OK;
    (void)snprintf(role.address, sizeof role.address, "%s", received->address);
    (void)snprintf(role.client, sizeof role.client, "%s", received->client);
    return list_role(arg, &role, err);
}

/* After our own, of which rc and cause tell, what was received. An address that is only
 * among the latter is no mistake. */
static enum psn_code list_rest(struct listing *listing, psn_received_fn *each,
                               enum psn_code rc, const struct psn_error *cause,
                               struct psn_error *err)
{
    enum psn_code received = PSN_OK;

    if (!rc || rc == PSN_E_NOT_FOUND)
        received = psn_received_each(listing->cli->vault, each, listing, err);
    if (received || (rc == PSN_E_NOT_FOUND && listing->count > 0))
        return received;
    if (rc && err)
        *err = *cause;
    return rc;
}

static enum psn_code list_all(struct listing *listing, struct psn_error *err)
{
    struct cli *cli = listing->cli;
    struct psn_error cause = { 0 };
    enum psn_code rc = psn_role_each(cli->vault, cli->args, cli->arg_count, true,
                                     list_role, listing, &cause);

    return list_rest(listing, list_received, rc, &cause, err);
}

static enum psn_code list_json(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct listing listing = { .cli = cli, .json = &json };
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "roles", '[');
    rc = list_all(&listing, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

static enum psn_code list_name(void *arg, const char *address, const char *client,
                               struct psn_error *err)
{
    struct listing *listing = arg;

    (void)client;
    (void)err;
    listing->count++;
    cli_print_name(listing->cli, address);
    return PSN_OK;
}

static enum psn_code list_received_name(void *arg, const struct psn_received *received,
                                        struct psn_error *err)
{
    const struct listing *listing = arg;

    return is_wanted(listing->cli, received->address)
               ? list_name(arg, received->address, received->client, err)
               : PSN_OK;
}

/* For a program that reads lines, however many there are: nothing is kept, so nothing is
 * sorted. */
static enum psn_code list_names(struct cli *cli, struct psn_error *err)
{
    struct listing listing = { .cli = cli };
    struct psn_error cause = { 0 };
    enum psn_code rc;

    if (cli->json)
        return psn_fail(err, PSN_E_INVALID, _("--json and --names do not go together"));
    rc = psn_role_each_name(cli->vault, cli->args, cli->arg_count, list_name, &listing,
                            &cause);
    return list_rest(&listing, list_received_name, rc, &cause, err);
}

static void put_header(struct cli_table *table)
{
    cli_table_cell(table, _("ADDRESS"));
    cli_table_cell(table, _("CLIENT"));
    cli_table_cell(table, _("STATE"));
    cli_table_cell(table, _("VERSION"));
    cli_table_cell(table, _("CHANGED"));
    cli_table_cell(table, _("PROVED"));
}

static enum psn_code run_ls(struct cli *cli, const void *arg, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = NULL;
    PSN_AUTO_RELEASE(psn_buf) reasons = psn_buf_init(REASONS_MAX);
    struct listing listing = { .cli = cli, .reasons = &reasons };
    const struct cmd_role_ls_options *options = arg;
    enum psn_code rc;

    if (options->names)
        return list_names(cli, err);
    if (cli->json)
        return list_json(cli, err);
    table = cli_table_new(6);
    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    listing.table = table;
    put_header(table);
    rc = list_all(&listing, err);
    if (rc)
        return rc;
    if (listing.count > 0)
        cli_table_print(cli, table);
    else
        cli_note(cli, _("No role fits. Create one with 'passation role add ADDRESS', or "
                        "take one over with 'passation role adopt ADDRESS'."));
    if (reasons.size > 0)
        cli_print(cli, "\n%s", psn_buf_str(&reasons));
    if (listing.unsettled > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu role is unfinished; go on with: passation resume",
                              "%zu roles are unfinished; go on with: passation resume",
                              listing.unsettled),
                 listing.unsettled);
    return PSN_OK;
}

const struct cli_command cmd_role_ls = {
    .name = "role ls",
    .arguments = N_("[GLOB…]"),
    .summary = N_("list the roles"),
    .examples =
        N_("passation role ls\tall of them\n"
           "passation role ls 'technique@*'\tthose of all domains\n"
           "passation role ls '*@martin.fr' --json\tthose of one, for a program\n"),
    .options = ls_options,
    .options_size = sizeof(struct cmd_role_ls_options),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .max_args = SIZE_MAX,
    .run = run_ls,
};

/* --- rm ------------------------------------------------------------------------------
 */

struct cmd_role_rm_options {
    const char *confirm;
    const char *unchanged;
};

static const struct cli_option rm_options[] = {
    { "confirm", 0, CLI_TEXT, offsetof(struct cmd_role_rm_options, confirm), N_("ID"),
      N_("the address again, when the vault holds the only copy of its password") },
    { "unchanged", 0, CLI_TEXT, offsetof(struct cmd_role_rm_options, unchanged),
      N_("TEXT"),
      N_("give the mailbox up as it is, and why: the report of whoever is leaving and "
         "knows its password will say so") },
    { 0 },
};

static enum psn_code remove_role(struct cli *cli, const char *address,
                                 const struct cmd_role_rm_options *options,
                                 struct psn_error *err)
{
    struct psn_error refusal = { 0 };
    const char *unchanged = options->unchanged;
    enum psn_code rc =
        psn_role_rm(cli->vault, address, options->confirm, unchanged, &refusal);

    if (rc == PSN_E_POLICY && !options->confirm && cli_has_terminal(cli)) {
        rc = cli_confirm_typed(
            cli, address, err,
            _("%s.\nOVH never gives a password back. To remove the role "
              "all the same, type its address:"),
            refusal.message);
        return rc ? rc : psn_role_rm(cli->vault, address, address, unchanged, err);
    }
    if (rc && err)
        *err = refusal;
    return rc;
}

static enum psn_code run_rm(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_role_rm_options *options = arg;
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    const char *address = cli->args[0];
    enum psn_code rc = cli_knowing_warn(cli, NULL, address, err);

    if (!rc)
        rc = remove_role(cli, address, options, err);
    if (rc)
        return rc;
    if (!cli->json) {
        cli_print(cli, _("%s: removed from the vault; unchanged at OVH\n"),
                  CLI_SHOWN(address));
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "address", address);
    cli_json_bool(&json, "removed", true);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

const struct cli_command cmd_role_rm = {
    .name = "role rm",
    .arguments = N_("ADDRESS"),
    .summary = N_("remove a role from the vault, nothing at OVH"),
    .examples = N_("passation role rm essai@martin.fr\t"
                   "refused while its password is only here\n"
                   "passation role rm essai@martin.fr --confirm essai@martin.fr\t"
                   "removes it with its secrets\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = rm_options,
    .options_size = sizeof(struct cmd_role_rm_options),
    .run = run_rm,
};
