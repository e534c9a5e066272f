#include <string.h>

#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/delivery.h"
#include "cli/display.h"
#include "cli/until.h"

/* grant and grant ls. */
enum {
    PEOPLE_SHOWN = 5, /* of a group, with the command for each */
};

struct cmd_grant_options {
    const char *until;
    const char *zone;
    const char *reason;
    const char *format;
    struct cli_texts with;
    struct cli_delivery_options where;
};

static const struct cli_option grant_options[] = {
    { "until", 0, CLI_TEXT, offsetof(struct cmd_grant_options, until), N_("DATE"),
      N_("the last day, YYYY-MM-DD") },
    { "tz", 0, CLI_TEXT, offsetof(struct cmd_grant_options, zone), N_("ZONE"),
      N_("where that day ends (default: Europe/Paris)") },
    { "reason", 0, CLI_TEXT, offsetof(struct cmd_grant_options, reason), N_("TEXT"),
      N_("why; it stands in the issue") },
    { "format", 0, CLI_TEXT, offsetof(struct cmd_grant_options, format), "age|html",
      N_("age (default) or html, a page that opens itself in a browser") },
    { "with", 0, CLI_TEXTS, offsetof(struct cmd_grant_options, with), N_("LABEL"),
      N_("another secret of the mailboxes too; 'all' for all; may be repeated") },
    CLI_DELIVERY_OPTIONS(offsetof(struct cmd_grant_options, where)),
    { 0 },
};

static enum psn_code parse_format(const char *text, enum psn_issue_format *ret_format,
                                  struct psn_error *err)
{
    *ret_format = PSN_ISSUE_AGE;
    if (!text || strcmp(text, "age") == 0)
        return PSN_OK;
    *ret_format = PSN_ISSUE_HTML;
    if (strcmp(text, "html") == 0)
        return PSN_OK;
    return psn_fail(err, PSN_E_INVALID, _("--format: '%s' is neither age nor html"),
                    CLI_SHOWN(text));
}

/* Is he the one that is named, or of the group? */
static bool is_meant(const struct cli *cli, const struct psn_person *person)
{
    const char *named = cli->args[0];
    bool meant = strcmp(named, person->id) == 0;

    for (size_t i = 0; named[0] == '@' && i < person->group_count; i++)
        meant = meant || strcmp(named + 1, person->groups[i]) == 0;
    return meant;
}

/* A grant is taken back from a person, never from a group. */
struct taking_back {
    const struct cli *cli;
    size_t count;
};

static enum psn_code tell_one(void *arg, const struct psn_person *person,
                              struct psn_error *err)
{
    struct taking_back *taking_back = arg;

    (void)err;
    if (!is_meant(taking_back->cli, person))
        return PSN_OK;
    taking_back->count++;
    if (taking_back->count <= PEOPLE_SHOWN)
        cli_note(taking_back->cli, "  passation revoke %s", person->id);
    else if (taking_back->count == PEOPLE_SHOWN + 1)
        cli_note(taking_back->cli, "  …");
    return PSN_OK;
}

static enum psn_code tell_how_to_take_back(const struct cli *cli, struct psn_error *err)
{
    struct taking_back taking_back = { .cli = cli };

    if (cli->args[0][0] != '@') {
        cli_note(cli,
                 _("A mailbox password can read, send and delete; what was read "
                   "stays read. To take it back: passation revoke %s"),
                 CLI_SHOWN(cli->args[0]));
        return PSN_OK;
    }
    cli_note(cli, _("A mailbox password can read, send and delete; what was read stays "
                    "read. To take it back, from each:"));
    return psn_person_each(cli->vault, tell_one, &taking_back, err);
}

static enum psn_code run_grant(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_grant_options *options = arg;
    struct psn_grant_request request = { .person = cli->args[0],
                                         .globs = cli->args + 1,
                                         .glob_count = cli->arg_count - 1,
                                         .labels = options->with.items,
                                         .label_count = options->with.count,
                                         .reason = options->reason };
    struct cli_delivery delivery;
    enum psn_code rc = parse_format(options->format, &request.format, err);

    if (!rc && options->until)
        rc = cli_until_parse(options->until, options->zone, &request.until_s, err);
    if (rc)
        return rc;
    cli_delivery_begin(&delivery, cli, &options->where);
    cli_busy_begin(cli, _("writing the issues that are due"));
    rc = psn_grant_make(cli->vault, &request, &delivery.to, err);
    cli_busy_end();
    if (!rc && !options->until)
        cli_warn(cli, _("this grant has no end; give one with --until YYYY-MM-DD"));
    if (!rc)
        rc = tell_how_to_take_back(cli, err);
    return cli_delivery_end(&delivery, rc, err);
}

const struct cli_command cmd_grant = {
    .name = "grant",
    .arguments = N_("PERSON GLOB…"),
    .summary = N_("let a person read mailboxes' passwords, and write the file for him"),
    .examples =
        N_("passation grant jp technique@martin.fr --until 2027-02-28\t"
           "a file that opens with his key, or with a code\n"
           "passation grant claire contact@martin.fr sav@martin.fr --format html\t"
           "a page for a browser, with a code to tell her\n"
           "passation grant @compta 'facturation@*' --with all --reason 'bilan 2026'\t"
           "to each of a group, with the other secrets\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 2,
    .max_args = SIZE_MAX,
    .options = grant_options,
    .options_size = sizeof(struct cmd_grant_options),
    .run = run_grant,
};

/* --- ls ------------------------------------------------------------------------------
 */

struct listing {
    struct cli_json *json; /* or NULL */
    struct cli_table *table;
    size_t count;
    size_t due;
};

static void put_json(struct cli_json *json, const struct psn_grant *grant)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "person", grant->person);
    cli_json_text(json, "address", grant->address);
    cli_json_text(json, "client", grant->client);
    cli_json_text(json, "right", "read");
    cli_json_text(json, "state", psn_grant_state_name(grant->state));
    cli_json_time(json, "from", grant->from_s);
    cli_json_time(json, "until", grant->until_s);
    cli_json_time(json, "ended_at", grant->ended_s);
    cli_json_text(json, "reason", grant->reason[0] ? grant->reason : NULL);
    cli_json_text(json, "approver", grant->approver);
    cli_json_text(json, "format", psn_issue_format_name(grant->format));
    cli_json_text(json, "with", grant->labels[0] ? grant->labels : NULL);
    cli_display_json_count(json, "version", grant->version);
    cli_display_json_count(json, "current", grant->current);
    cli_display_json_count(json, "serial", grant->serial);
    cli_json_bool(json, "due", grant->due);
    cli_json_bool(json, "withheld", grant->withheld);
    cli_json_close(json, '}');
}

static const char *state_shown(const struct psn_grant *grant)
{
    switch (grant->state) {
    case PSN_GRANT_ACTIVE:
        if (grant->withheld)
            return _("withheld");
        return grant->due ? _("to be issued") : _("in force");
    case PSN_GRANT_EXPIRED:
        return _("run out");
    case PSN_GRANT_ENDED:
        return _("ended");
    }
    return "";
}

static enum psn_code list_grant(void *arg, const struct psn_grant *grant,
                                struct psn_error *err)
{
    struct listing *listing = arg;
    char number[24];
    char until[PSN_TIME_SIZE];

    (void)err;
    listing->count++;
    listing->due += grant->due || grant->withheld || grant->state == PSN_GRANT_EXPIRED;
    if (listing->json) {
        put_json(listing->json, grant);
        return PSN_OK;
    }
    cli_table_cell(listing->table, grant->person);
    cli_table_cell(listing->table, grant->address);
    cli_table_cell(listing->table, state_shown(grant));
    cli_table_cell(listing->table, cli_display_count(grant->version, number));
    cli_table_cell(listing->table, cli_display_time(grant->until_s, until));
    cli_table_cell(listing->table, grant->reason);
    return PSN_OK;
}

/* The first argument may be a person; what has an '@' inside or a wildcard is an
 * address. */
static const char *person_of(const struct cli *cli)
{
    if (cli->arg_count == 0 || strpbrk(cli->args[0], "@*?"))
        return NULL;
    return cli->args[0];
}

static enum psn_code list(struct cli *cli, struct listing *listing, struct psn_error *err)
{
    const char *person = person_of(cli);

    return psn_grant_each(cli->vault, person, cli->args + (person ? 1 : 0),
                          cli->arg_count - (person ? 1 : 0), list_grant, listing, err);
}

static enum psn_code list_json(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct listing listing = { .json = &json };
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "grants", '[');
    rc = list(cli, &listing, err);
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
    table = cli_table_new(6);
    listing.table = table;
    cli_table_cell(table, _("PERSON"));
    cli_table_cell(table, _("ADDRESS"));
    cli_table_cell(table, _("STATE"));
    cli_table_cell(table, _("VERSION"));
    cli_table_cell(table, _("UNTIL"));
    cli_table_cell(table, _("REASON"));
    rc = list(cli, &listing, err);
    if (rc)
        return rc;
    if (listing.count == 0)
        cli_note(cli,
                 _("Nothing is granted. Grant a role: passation grant PERSON ADDRESS "
                   "--until DATE"));
    else
        cli_table_print(cli, table);
    if (listing.due > 0)
        cli_note(cli, _("Something is due; see: passation due"));
    return PSN_OK;
}

const struct cli_command cmd_grant_ls = {
    .name = "grant ls",
    .arguments = N_("[PERSON] [GLOB…]"),
    .summary = N_("list who may read what, until when"),
    .examples = N_("passation grant ls\tall of them\n"
                   "passation grant ls jp\twhat was given to one person\n"
                   "passation grant ls '*@martin.fr'\tto whom, of one domain\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .max_args = SIZE_MAX,
    .run = run_ls,
};
