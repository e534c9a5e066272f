#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/grow.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/doctor_words.h"
#include "cli/paths.h"
#include "cli/wrap.h"

/* doctor: what is wrong, the worst first, each with what to do about it. */

enum {
    DAY_S = 24 * 3600,
    BACKUP_DAYS = 30,
    BACKUP_DAYS_MAX = 3650,
    TEXT_MAX = 64 * 1024,
    SEVERITIES = PSN_DOCTOR_ADVICE + 1,
};

struct cmd_doctor_options {
    bool offline;
    const char *backup_days;
};

static const struct cli_option doctor_options[] = {
    { "offline", 0, CLI_FLAG, offsetof(struct cmd_doctor_options, offline), NULL,
      N_("ask neither OVH nor the mail servers") },
    { "backup-days", 0, CLI_TEXT, offsetof(struct cmd_doctor_options, backup_days),
      N_("N"), N_("how old the last backup may be; default: 30") },
    { 0 },
};

/* --- what is told, kept until the end --- */

struct unlooked {
    enum psn_doctor_part part;
    enum psn_code code; /* PSN_OK: on purpose */
    char *client;
    char *why;
};

struct report {
    struct cli *cli;
    struct cli_doctor_item *items;
    size_t count;
    struct unlooked *unlooked;
    size_t unlooked_count;
    bool is_torn;          /* no memory for all of it */
    struct psn_error lock; /* why the vault stayed locked */
};

static void report_release(struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->items[i].client);
        free(report->items[i].subject);
        free(report->items[i].detail);
        free(report->items[i].page);
    }
    for (size_t i = 0; i < report->unlooked_count; i++) {
        free(report->unlooked[i].client);
        free(report->unlooked[i].why);
    }
    free(report->items);
    free(report->unlooked);
}

static void keep(void *arg, const struct psn_doctor_finding *finding)
{
    struct report *report = arg;
    struct cli_doctor_item *item;

    if (PSN_GROW(report->items, report->count, NULL)) {
        report->is_torn = true;
        return;
    }
    item = &report->items[report->count++];
    *item = (struct cli_doctor_item){ .code = finding->code,
                                      .time_s = finding->time_s,
                                      .number = finding->number };
    if (psn_text_keep(finding->client, &item->client, NULL) ||
        psn_text_keep(finding->subject, &item->subject, NULL) ||
        psn_text_keep(finding->detail, &item->detail, NULL) ||
        (finding->page && psn_text_keep(finding->page, &item->page, NULL)))
        report->is_torn = true;
}

static void keep_unlooked(void *arg, enum psn_doctor_part part, const char *client,
                          enum psn_code code, const char *why)
{
    struct report *report = arg;
    struct unlooked *at;

    if (PSN_GROW(report->unlooked, report->unlooked_count, NULL)) {
        report->is_torn = true;
        return;
    }
    at = &report->unlooked[report->unlooked_count++];
    *at = (struct unlooked){ .part = part, .code = code };
    if (psn_text_keep(client, &at->client, NULL) || psn_text_keep(why, &at->why, NULL))
        report->is_torn = true;
}

static void keep_about_vault(struct report *report, enum psn_doctor_code code,
                             const struct psn_error *why)
{
    keep(report, &(struct psn_doctor_finding){ .code = code,
                                               .client = "",
                                               .subject = report->cli->vault_path,
                                               .detail = why->message });
}

static size_t count_of(const struct report *report, enum psn_doctor_severity severity)
{
    size_t count = 0;

    for (size_t i = 0; i < report->count; i++)
        count += psn_doctor_severity_of(report->items[i].code) == severity;
    return count;
}

/* --- the round --- */

/* Whatever is started from this shell can read them. */
static void look_at_environment(struct report *report)
{
    static const char *const names[] = { "OVH_APPLICATION_SECRET", "OVH_CONSUMER_KEY",
                                         "OVH_CLIENT_SECRET" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value && value[0])
            keep(report, &(struct psn_doctor_finding){ .code = PSN_DOCTOR_OVH_ENVIRONMENT,
                                                       .client = "",
                                                       .subject = names[i],
                                                       .detail = "" });
    }
}

static bool is_stopped(void *arg)
{
    (void)arg;
    return cli_stop_asked();
}

/* A second name is told as what it is, and there is nothing to restore. */
static bool is_linked(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink > 1;
}

/* Opens and unlocks as far as that goes: OK with cli->vault NULL or locked, and a wrong
 * key takes nothing away from what is seen without one. */
static enum psn_code open_vault(struct report *report, struct psn_error *err)
{
    struct cli *cli = report->cli;
    struct psn_error why = { 0 };
    enum psn_code rc;

    cli->vault_options.examine = true;
    rc = psn_vault_open(&cli->vault_options, &cli->vault, &why);
    if (rc == PSN_E_INTEGRITY || rc == PSN_E_IO || rc == PSN_E_TOO_NEW) {
        if (rc != PSN_E_IO || !is_linked(cli->vault_path))
            keep_about_vault(report, PSN_DOCTOR_VAULT_UNREADABLE, &why);
        for (int part = PSN_DOCTOR_CONTENT; part <= PSN_DOCTOR_MAIL; part++)
            keep_unlooked(report, (enum psn_doctor_part)part, "", rc,
                          _("the vault does not open"));
        return PSN_OK;
    }
    if (rc) {
        if (err)
            *err = why;
        return rc;
    }
    rc = cli_unlock(cli, &why);
    if (rc == PSN_E_INTEGRITY)
        keep_about_vault(report, PSN_DOCTOR_VAULT_STATE, &why);
    else if (rc)
        report->lock = why;
    return PSN_OK;
}

static enum psn_code go_round(struct report *report,
                              const struct cmd_doctor_options *options,
                              int64_t backup_age_s, struct psn_error *err)
{
    struct cli *cli = report->cli;
    char config_dir[CLI_PATH_MAX] = "";
    char run_dir[CLI_PATH_MAX] = "";
    const char *identity = cli->unlock.identity_file;
    struct psn_doctor_options how = {
        .vault = cli->vault_path,
        .state_dir = cli->state_dir,
        .ca_file = cli->ca_file,
        .home = getenv("HOME"),
        .key_file = identity ? identity : cli->unlock.passphrase_file,
        .key_is_identity = identity != NULL,
        .offline = options->offline,
        .backup_age_s = backup_age_s,
        .found = keep,
        .unlooked = keep_unlooked,
        .stop = is_stopped,
        .arg = report,
    };
    enum psn_code rc;

    /* Whose the agent's folder is, is for the doctor to say. */
    PSN_IGNORE(cli_paths_run_dir(false, run_dir, NULL));
    PSN_IGNORE(cli_paths_config_dir(config_dir, NULL));
    how.run_dir = run_dir[0] ? run_dir : NULL;
    how.config_dir = config_dir[0] ? config_dir : NULL;
    look_at_environment(report);
    psn_doctor_outside(&how);
    rc = open_vault(report, err);
    if (rc)
        return rc;
    cli_catch_signals();
    psn_doctor_inside(cli->vault, &how);
    return PSN_OK;
}

/* --- for programs --- */

static void put_item(struct cli_json *json, const struct cli_doctor_item *item)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TEXT_MAX);
    PSN_AUTO_RELEASE(psn_buf) remedy = psn_buf_init(TEXT_MAX);

    cli_doctor_text(item, &text);
    cli_doctor_remedy(item, &remedy);
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "code", psn_doctor_code_name(item->code));
    cli_json_text(json, "severity",
                  psn_doctor_severity_name(psn_doctor_severity_of(item->code)));
    cli_json_text(json, "client", item->client[0] ? item->client : NULL);
    cli_json_text(json, "subject", item->subject[0] ? item->subject : NULL);
    cli_json_text(json, "detail", item->detail[0] ? item->detail : NULL);
    cli_json_time(json, "at", item->time_s);
    cli_json_number(json, "number", item->number);
    cli_json_text(json, "page", item->page);
    cli_json_text(json, "text", text.failed ? NULL : psn_buf_str(&text));
    cli_json_text(json, "remedy", remedy.failed ? NULL : psn_buf_str(&remedy));
    cli_json_close(json, '}');
}

static enum psn_code print_json(const struct report *report, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "findings", '[');
    for (int severity = 0; severity < SEVERITIES; severity++)
        for (size_t i = 0; i < report->count; i++)
            if (psn_doctor_severity_of(report->items[i].code) ==
                (enum psn_doctor_severity)severity)
                put_item(&json, &report->items[i]);
    cli_json_close(&json, ']');
    cli_json_open(&json, "unlooked", '[');
    for (size_t i = 0; i < report->unlooked_count; i++) {
        const struct unlooked *at = &report->unlooked[i];

        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "part", psn_doctor_part_name(at->part));
        cli_json_text(&json, "client", at->client[0] ? at->client : NULL);
        cli_json_text(&json, "why", at->why);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return cli_json_print(report->cli, &json, err);
}

/* --- for people --- */

static const char *mark_of(enum psn_doctor_severity severity)
{
    static const char *const marks[] = { "✗", "!", "·" };

    return marks[severity];
}

/* A text after a mark, the lines that follow under its begin. */
static void print_marked(struct cli *cli, const char *head, size_t indent,
                         const char *text)
{
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init((size_t)2 * TEXT_MAX);
    struct cli_margins margins = { .columns = cli_wrap_columns(STDOUT_FILENO),
                                   .first = indent,
                                   .indent = indent };

    cli_wrap(&shown, text, &margins);
    cli_print(cli, "%s%s\n", head, shown.failed ? text : psn_buf_str(&shown));
}

static void print_steps(struct cli *cli, char *step)
{
    while (*step) {
        size_t size = strcspn(step, "\n");
        bool more = step[size] != '\0';

        step[size] = '\0';
        print_marked(cli, "    → ", 6, step);
        step += size + (more ? 1 : 0);
    }
}

static enum psn_code print_item(struct cli *cli, const struct cli_doctor_item *item,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TEXT_MAX);
    PSN_AUTO_RELEASE(psn_buf) remedy = psn_buf_init(TEXT_MAX);
    PSN_AUTO_FREE char *steps = NULL;
    char head[16];
    enum psn_code rc;

    cli_doctor_text(item, &text);
    cli_doctor_remedy(item, &remedy);
    rc = psn_buf_check(&text, err);
    if (!rc)
        rc = psn_buf_take(&remedy, &steps, err);
    if (rc)
        return rc;
    (void)snprintf(head, sizeof head, "  %s ",
                   mark_of(psn_doctor_severity_of(item->code)));
    print_marked(cli, head, 4, psn_buf_str(&text));
    print_steps(cli, steps);
    return PSN_OK;
}

static enum psn_code print_severity(const struct report *report,
                                    enum psn_doctor_severity severity,
                                    struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (count_of(report, severity) == 0)
        return PSN_OK;
    cli_print(report->cli, "%s\n", cli_doctor_heading(severity));
    for (size_t i = 0; !rc && i < report->count; i++)
        if (psn_doctor_severity_of(report->items[i].code) == severity)
            rc = print_item(report->cli, &report->items[i], err);
    cli_print(report->cli, "\n");
    return rc;
}

static void print_unlooked(const struct report *report)
{
    if (report->unlooked_count == 0)
        return;
    cli_print(report->cli, "%s\n", _("Not looked at"));
    for (size_t i = 0; i < report->unlooked_count; i++) {
        const struct unlooked *at = &report->unlooked[i];
        PSN_AUTO_RELEASE(psn_buf) line = psn_buf_init(TEXT_MAX);

        if (at->client[0])
            psn_buf_format(&line, "%s%s", CLI_SHOWN(at->client), _(": "));
        psn_buf_format(&line, "%s%s%s", cli_doctor_part(at->part), _(": "),
                       CLI_SHOWN(at->why));
        print_marked(report->cli, "  ? ", 4, line.failed ? "" : psn_buf_str(&line));
    }
    cli_print(report->cli, "\n");
}

static enum psn_code print_all(const struct report *report, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (int severity = 0; !rc && severity < SEVERITIES; severity++)
        rc = print_severity(report, (enum psn_doctor_severity)severity, err);
    print_unlooked(report);
    if (report->count == 0)
        cli_print(report->cli, "%s\n",
                  report->unlooked_count ? _("Nothing is wrong in what was looked at.")
                                         : _("Nothing is wrong."));
    return rc;
}

static enum psn_code fail_findings(const struct report *report, struct psn_error *err)
{
    return psn_fail(err, PSN_E_FINDINGS,
                    PSN_NGETTEXT("%zu thing is wrong, or better otherwise",
                                 "%zu things are wrong, or better otherwise",
                                 report->count),
                    report->count);
}

/* The first part that should have been looked at, and was not; NULL if none. */
static const struct unlooked *first_gap(const struct report *report)
{
    for (size_t i = 0; i < report->unlooked_count; i++)
        if (report->unlooked[i].code != PSN_OK)
            return &report->unlooked[i];
    return NULL;
}

/* What the exit status says, after all was printed. A key that was given and is wrong
 * comes first, then what was found; "good" is said of nothing that was not looked at. */
static enum psn_code judge(const struct report *report, struct psn_error *err)
{
    const struct unlooked *gap = first_gap(report);
    enum psn_code lock = report->lock.code;

    if (cli_stop_asked())
        return psn_fail(err, PSN_E_ABORTED, _("stopped"));
    if (lock && (lock != PSN_E_LOCKED || report->count == 0)) {
        if (err)
            *err = report->lock;
        return lock;
    }
    if (report->count > 0)
        return fail_findings(report, err);
    if (!gap)
        return PSN_OK;
    (void)psn_fail(err, gap->code, _("not everything could be looked at: %s"),
                   CLI_SHOWN(gap->why));
    if (gap->part != PSN_DOCTOR_OVH && gap->part != PSN_DOCTOR_MAIL)
        return gap->code;
    return psn_hint(err, gap->code,
                    _("if that is right, leave it out: passation doctor --offline"));
}

static enum psn_code run_doctor(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_doctor_options *options = arg;
    struct report report = { .cli = cli };
    uint64_t days = BACKUP_DAYS;
    enum psn_code rc = PSN_OK;

    if (options->backup_days &&
        !psn_text_parse_u64(options->backup_days, BACKUP_DAYS_MAX, &days))
        return psn_fail(err, PSN_E_INVALID, _("'%s' is no number of days"),
                        CLI_SHOWN(options->backup_days));
    rc = go_round(&report, options, (int64_t)days * DAY_S, err);
    if (!rc && report.is_torn)
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (!rc)
        rc = cli->json ? print_json(&report, err) : print_all(&report, err);
    if (!rc)
        rc = judge(&report, err);
    report_release(&report);
    return rc;
}

const struct cli_command cmd_doctor = {
    .name = "doctor",
    .summary = N_("look for what is wrong, and say what to do about it"),
    .examples = N_("passation doctor\tall of it; exit status 12 if anything is wrong\n"
                   "passation --no-input doctor --offline\twithout a key and without "
                   "the network\n"),
    .options = doctor_options,
    .options_size = sizeof(struct cmd_doctor_options),
    .run = run_doctor,
};
