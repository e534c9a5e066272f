#include "cli/cli.h"
#include "cli/delivery.h"
#include "cli/display.h"
#include "cli/envelope.h"

struct cmd_outbox_options {
    struct cli_delivery_options where;
    bool all;
    bool judged;
};

static const struct cli_option outbox_options[] = {
    { "all", 'a', CLI_FLAG, offsetof(struct cmd_outbox_options, all), NULL,
      N_("list every issue made so far; make none") },
    { "judged", 0, CLI_FLAG, offsetof(struct cmd_outbox_options, judged), NULL,
      N_("after a restore: people and grants are as they should be") },
    CLI_DELIVERY_OPTIONS(offsetof(struct cmd_outbox_options, where)),
    { 0 },
};

/* --- the issues so far --- */

struct listing {
    struct cli_json *json; /* or NULL */
    struct cli_table *table;
    size_t count;
};

static const char *state_shown(enum psn_issue_state state)
{
    switch (state) {
    case PSN_ISSUE_PREPARED:
        return _("not written");
    case PSN_ISSUE_WRITTEN:
        return _("no receipt yet");
    case PSN_ISSUE_CONFIRMED:
        return _("received");
    case PSN_ISSUE_VOID:
        return _("replaced");
    }
    return "";
}

static enum psn_code list_issue(void *arg, const struct psn_issue *issue,
                                struct psn_error *err)
{
    struct listing *listing = arg;
    char serial[24];
    char time[PSN_TIME_SIZE];

    (void)err;
    listing->count++;
    if (listing->json) {
        cli_issue_json(listing->json, issue);
        return PSN_OK;
    }
    cli_table_cell(listing->table, cli_display_count(issue->serial, serial));
    cli_table_cell(listing->table, issue->person);
    cli_table_cell(listing->table, issue->client);
    cli_table_cell(listing->table, state_shown(issue->state));
    cli_table_cell(listing->table, cli_display_time(issue->created_s, time));
    cli_table_cell(listing->table, issue->path);
    return PSN_OK;
}

static enum psn_code list_all(struct cli *cli, const char *person, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(6);
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct listing listing = { .json = cli->json ? &json : NULL, .table = table };
    enum psn_code rc;

    cli_table_cell(table, _("SERIAL"));
    cli_table_cell(table, _("PERSON"));
    cli_table_cell(table, _("CLIENT"));
    cli_table_cell(table, _("STATE"));
    cli_table_cell(table, _("MADE"));
    cli_table_cell(table, _("FILE"));
    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "issues", '[');
    rc = psn_issue_each(cli->vault, person, list_issue, &listing, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    if (rc)
        return rc;
    if (cli->json)
        return cli_json_print(cli, &json, err);
    if (listing.count > 0)
        cli_table_print(cli, table);
    else
        cli_note(cli, _("No issue was made yet."));
    return PSN_OK;
}

/* --- making what is due --- */

static enum psn_code run(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_outbox_options *options = arg;
    const char *person = cli->arg_count ? cli->args[0] : NULL;
    struct cli_delivered delivered = { 0 };
    enum psn_code rc;

    if (options->all)
        return list_all(cli, person, err);
    rc = options->judged ? psn_outbox_judge(cli->vault, err) : PSN_OK;
    if (rc)
        return rc;
    rc = cli_deliver_due(cli, &options->where, person, CLI_DELIVER_HERE, &delivered, err);
    if (!rc && !person)
        rc = cli_envelope_renew(cli, true, err);
    if (!rc && delivered.waiting > 0)
        return cli_fail_waiting(delivered.waiting, err);
    if (!rc && delivered.written == 0)
        cli_note(cli, _("Nothing is due: everybody has what he may read."));
    return rc;
}

const struct cli_command cmd_outbox = {
    .name = "outbox",
    .arguments = N_("[PERSON]"),
    .summary = N_("write the files that are due: after a rotation, or an interruption"),
    .examples =
        N_("passation outbox -o remises\twrites them into a folder\n"
           "passation outbox jp\tfor one person\n"
           "passation outbox --all\twhat was issued so far, and what came back\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .max_args = 1,
    .options = outbox_options,
    .options_size = sizeof(struct cmd_outbox_options),
    .run = run,
};
