#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/departing.h"
#include "cli/departure_report.h"
#include "cli/display.h"
#include "cli/finding_show.h"
#include "cli/outcome.h"

/* depart: whatever a person could read stops working. apply: the same, as it was
 * planned. */
struct cmd_depart_options {
    bool dry_run;
    bool plan;
    bool narrow;
    bool all;
    uint64_t jobs;
    struct cli_delivery_options where;
};

static const struct cli_option depart_options[] = {
    { "dry-run", 'n', CLI_FLAG, offsetof(struct cmd_depart_options, dry_run), NULL,
      N_("say what would be done; OVH is asked, nothing is changed") },
    { "plan", 0, CLI_FLAG, offsetof(struct cmd_depart_options, plan), NULL,
      N_("write what would be done into the file that -o names, for apply") },
    { "narrow", 0, CLI_FLAG, offsetof(struct cmd_depart_options, narrow), NULL,
      N_("if the person can open the vault: replace only what was seen") },
    { "all", 0, CLI_FLAG, offsetof(struct cmd_depart_options, all), NULL,
      N_("also close the ways in that are neither his nor kept") },
    CLI_JOBS_OPTION(cmd_depart_options),
    { "output", 'o', CLI_TEXT,
      offsetof(struct cmd_depart_options, where) +
          offsetof(struct cli_delivery_options, directory),
      N_("DIR"), N_("where the report and the issues go (default: here)") },
    { "code-fd", 0, CLI_FD,
      offsetof(struct cmd_depart_options, where) +
          offsetof(struct cli_delivery_options, code_fd),
      N_("N"), N_("write the codes to file descriptor N, one SERIAL<TAB>CODE a line") },
    { 0 },
};

/* --- what would be done --- */

struct planning {
    struct cli *cli;
    struct cli_json *json;   /* or … */
    struct cli_table *table; /* … this */
    size_t count;
    char client[PSN_CLIENT_ID_MAX]; /* of the first way in that would stay; or "" */
    char access[PSN_FINDING_ID_MAX];
    char recovery[PSN_ADDRESS_TEXT_MAX];
};

static const char *step_shown(enum psn_departure_step step)
{
    switch (step) {
    case PSN_DEPARTURE_END:
        return _("end the grant");
    case PSN_DEPARTURE_CUT:
        return _("close");
    case PSN_DEPARTURE_LEAVE:
        return _("leave, for you to judge");
    case PSN_DEPARTURE_ROTATE:
        return _("replace the password");
    case PSN_DEPARTURE_TASK:
        return _("change by hand");
    case PSN_DEPARTURE_LASTING:
        return _("stays known: nobody can change it");
    case PSN_DEPARTURE_REKEY:
        return _("new keys for the vault, first");
    case PSN_DEPARTURE_BLIND:
        return _("cannot be looked at");
    }
    return "";
}

static void put_item(struct cli_json *json, const struct psn_departure_item *item)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "step", psn_departure_step_name(item->step));
    cli_json_text(json, "client", item->client[0] ? item->client : NULL);
    cli_json_text(json, "address", item->address[0] ? item->address : NULL);
    cli_json_text(json, "label", item->label[0] ? item->label : NULL);
    cli_display_json_count(json, "version", item->version);
    cli_json_bool(json, "seen", item->seen);
    cli_json_bool(json, "account_mail", item->recovery);
    cli_json_bool(json, "handed_over", item->handed);
    cli_json_text(json, "id", item->access ? item->access->finding.id : NULL);
    cli_json_text(json, "whose", item->access ? item->access->finding.whose : NULL);
    cli_json_text(json, "why", item->why ? item->why->message : NULL);
    cli_json_close(json, '}');
}

static void list_item(struct cli_table *table, const struct psn_departure_item *item)
{
    cli_table_cell(table,
                   item->handed ? _("the client must set it") : step_shown(item->step));
    cli_table_cell(table, item->client);
    if (item->access) {
        cli_table_cell(table, item->access->finding.subject);
        cli_table_cell(table, cli_finding_noun(item->access->finding.kind));
        cli_table_cell(table, item->access->finding.whose);
        cli_table_cell(table, item->access->finding.id);
        return;
    }
    cli_table_cell(table, item->address);
    cli_table_cell(table, item->label);
    if (item->why)
        cli_table_cell(table, item->why->message);
    else if (item->step == PSN_DEPARTURE_ROTATE || item->step == PSN_DEPARTURE_TASK ||
             item->step == PSN_DEPARTURE_LASTING)
        cli_table_cell(table, item->seen ? _("was seen") : _("could be read"));
    else
        cli_table_cell(table, "");
    cli_table_cell(table, "");
}

static enum psn_code add_item(void *arg, const struct psn_departure_item *item,
                              struct psn_error *err)
{
    struct planning *planning = arg;

    (void)err;
    planning->count++;
    if (item->step == PSN_DEPARTURE_LEAVE && !planning->access[0] && item->access &&
        item->access->finding.kind !=
            PSN_FINDING_UNREADABLE) { /* nobody saw what it is */
        (void)snprintf(planning->client, sizeof planning->client, "%s", item->client);
        (void)snprintf(planning->access, sizeof planning->access, "%s",
                       item->access->finding.id);
    }
    if (item->recovery)
        memcpy(planning->recovery, item->address, sizeof planning->recovery);
    if (planning->json)
        put_item(planning->json, item);
    else
        list_item(planning->table, item);
    return PSN_OK;
}

static enum psn_code show_plan(struct cli *cli,
                               const struct psn_departure_request *request,
                               struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(6);
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct planning planning = { .cli = cli,
                                 .json = cli->json ? &json : NULL,
                                 .table = table };
    enum psn_code rc = cli_display_ca(cli, err);

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "person", request->person);
    cli_json_bool(&json, "dry_run", true);
    cli_json_open(&json, "plan", '[');
    if (!rc)
        rc = psn_departure_plan(cli->vault, request, add_item, &planning, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    if (rc)
        return rc;
    if (cli->json)
        return cli_json_print(cli, &json, err);
    if (planning.count > 0)
        cli_table_print(cli, table);
    if (planning.recovery[0])
        cli_warn(cli,
                 _("%s receives the mail by which the OVH account is got back: its owner "
                   "must have the new password"),
                 CLI_SHOWN(planning.recovery));
    if (planning.access[0])
        cli_note(cli,
                 _("What is left to judge: passation sweep %s --keep %s; or close "
                   "all of it with --all."),
                 planning.client, CLI_SHOWN(planning.access));
    cli_note(
        cli,
        _("Nothing was changed at OVH, and no departure has begun; what was found there "
          "is noted. Without -n, it will be done."));
    return PSN_OK;
}

static void tell_apply(struct cli *cli, const char *path)
{
    PSN_AUTO_RELEASE(psn_buf) word = psn_buf_init(CLI_PATH_MAX);

    cli_display_word(&word, path);
    if (!word.failed)
        cli_note(cli, _("Read it, then: passation apply %s"),
                 CLI_SHOWN(psn_buf_str(&word)));
}

static enum psn_code write_plan(struct cli *cli,
                                const struct psn_departure_request *request,
                                const char *path, struct psn_error *err)
{
    PSN_AUTO_FREE char *text = NULL;
    enum psn_code rc = PSN_OK;

    if (!path)
        return psn_fail(err, PSN_E_INVALID, _("--plan needs a file: -o FILE"));
    rc = cli_display_ca(cli, err);
    if (!rc)
        rc = psn_departure_plan_text(cli->vault, request, &text, err);
    if (!rc)
        rc = psn_file_write(path, text, strlen(text), PSN_FILE_NEW, err);
    if (!rc)
        tell_apply(cli, path);
    return rc;
}

/* --- doing it --- */

/* The whole name, for a resume that is run from elsewhere. */
static enum psn_code find_folder(const struct cli_delivery_options *where,
                                 char **ret_folder, struct psn_error *err)
{
    const char *named = where->directory ? where->directory : ".";
    enum psn_code rc = psn_file_check_dir(named, err);

    if (rc)
        return rc;
    *ret_folder = realpath(named, NULL);
    return *ret_folder ? PSN_OK
                       : psn_fail(err, PSN_E_IO, _("cannot find the folder '%s'"),
                                  CLI_SHOWN(named));
}

static enum psn_code depart(struct cli *cli, struct psn_departure_request *request,
                            const struct cmd_depart_options *options,
                            struct psn_error *err)
{
    PSN_AUTO_FREE char *folder = NULL;
    struct cli_departing how = { &options->where, options->jobs };
    enum psn_code rc = find_folder(&options->where, &folder, err);

    request->folder = folder;
    if (!rc)
        rc = psn_departure_begin(cli->vault, request, err);
    return rc ? rc : cli_depart(cli, request->person, &how, err);
}

/* By what OVH shows an access is told whose it is. */
static enum psn_code warn_of_nameless(struct cli *cli, struct psn_error *err)
{
    struct psn_person person;
    enum psn_code rc = psn_person_get(cli->vault, cli->args[0], &person, err);

    if (!rc && !person.email[0] && person.alias_count == 0)
        cli_warn(cli,
                 _("no e-mail address and no alias of %s is known: which accesses at OVH "
                   "are theirs cannot be told; passation person set %s --email ADDRESS "
                   "--alias NIC"),
                 person.id, person.id);
    return rc;
}

static enum psn_code run_depart(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_depart_options *options = arg;
    struct psn_departure_request request = { .person = cli->args[0],
                                             .narrow = options->narrow,
                                             .all = options->all };
    enum psn_code rc = warn_of_nameless(cli, err);

    if (rc)
        return rc;
    if (options->plan)
        return write_plan(cli, &request, options->where.directory, err);
    if (options->dry_run)
        return show_plan(cli, &request, err);
    return depart(cli, &request, options, err);
}

const struct cli_command cmd_depart = {
    .name = "depart",
    .arguments = N_("PERSON"),
    .summary = N_("make whatever a person could read stop working, and prove it"),
    .examples =
        N_("passation depart jp -n\twhat would be done\n"
           "passation depart jp -o rapports\tdoes it; the report goes into the folder\n"
           "passation depart jp --plan -o jp.plan\tfor somebody to read; then: passation "
           "apply jp.plan\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = depart_options,
    .options_size = sizeof(struct cmd_depart_options),
    .run = run_depart,
};

/* --- apply --- */

static const struct cli_option apply_options[] = {
    CLI_JOBS_OPTION(cmd_depart_options),
    { "output", 'o', CLI_TEXT,
      offsetof(struct cmd_depart_options, where) +
          offsetof(struct cli_delivery_options, directory),
      N_("DIR"), N_("where the report and the issues go (default: here)") },
    { "code-fd", 0, CLI_FD,
      offsetof(struct cmd_depart_options, where) +
          offsetof(struct cli_delivery_options, code_fd),
      N_("N"), N_("write the codes to file descriptor N, one SERIAL<TAB>CODE a line") },
    { 0 },
};

static enum psn_code fail_differs(const char *person, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_CONFLICT,
                   _("there is something else to do now than when the plan was made"));
    return psn_hint(err, PSN_E_CONFLICT,
                    _("make it anew and compare: passation depart %s --plan -o FILE"),
                    person);
}

static enum psn_code run_apply(struct cli *cli, const void *arg, struct psn_error *err)
{
    enum {
        PLAN_MAX = 16 * 1024 * 1024
    };
    PSN_AUTO_RELEASE(psn_buf) planned = psn_buf_init(PLAN_MAX);
    PSN_AUTO_FREE char *now = NULL;
    char person[PSN_PERSON_ID_MAX];
    struct psn_departure_request request;
    enum psn_code rc = psn_file_read(cli->args[0], &planned, err);

    if (!rc)
        rc = psn_departure_plan_read(psn_buf_str(&planned), planned.size, person,
                                     &request, err);
    if (!rc)
        rc = cli_display_ca(cli, err);
    if (!rc)
        rc = psn_departure_plan_text(cli->vault, &request, &now, err);
    if (!rc &&
        (strlen(now) != planned.size || memcmp(now, planned.data, planned.size) != 0))
        rc = fail_differs(person, err);
    return rc ? rc : depart(cli, &request, arg, err);
}

const struct cli_command cmd_apply = {
    .name = "apply",
    .arguments = N_("FILE"),
    .summary = N_("do what a plan says, if it is still what there is to do"),
    .examples = N_("passation apply jp.plan -o rapports\tas 'depart --plan' wrote it\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = apply_options,
    .options_size = sizeof(struct cmd_depart_options),
    .run = run_apply,
};
