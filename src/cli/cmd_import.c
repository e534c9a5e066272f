#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/display.h"
#include "cli/importing.h"

/* import: what other password managers hold becomes secrets of this vault. */

struct cmd_import_options {
    const char *format;
    const char *client;
    const char *role;
    const char *identity;
    struct cli_texts map;
    bool replace;
    bool skip;
    bool dry_run;
};

static const struct cli_option import_options[] = {
    { "format", 0, CLI_TEXT, offsetof(struct cmd_import_options, format), N_("FORMAT"),
      N_("pass, passage, keepass-xml, keepass-csv, bitwarden-json, bitwarden-csv, "
         "1password-csv, csv") },
    { "client", 0, CLI_TEXT, offsetof(struct cmd_import_options, client), N_("CLIENT"),
      N_("only what belongs to this client") },
    { "role", 0, CLI_TEXT, offsetof(struct cmd_import_options, role), N_("ADDRESS"),
      N_("the mailbox on which hangs what tells none") },
    { "map", 0, CLI_TEXTS, offsetof(struct cmd_import_options, map), N_("COLUMN=FIELD"),
      N_("what a column of a CSV file holds; may be repeated") },
    { "identity", 0, CLI_TEXT, offsetof(struct cmd_import_options, identity), N_("FILE"),
      N_("the age identity that opens a passage tree") },
    { "replace", 0, CLI_FLAG, offsetof(struct cmd_import_options, replace), NULL,
      N_("where the vault has another value, make this one the current version; bring "
         "back "
         "what was removed") },
    { "skip", 0, CLI_FLAG, offsetof(struct cmd_import_options, skip), NULL,
      N_("leave out what has no place or cannot be used, and import the rest") },
    { "dry-run", 'n', CLI_FLAG, offsetof(struct cmd_import_options, dry_run), NULL,
      N_("show what would be imported, and change nothing") },
    { 0 },
};

/* What is printed while the entries are gone through. */
struct printing {
    struct cli_table *table;
    struct cli_json *json;
    /* Looked up once, not for each of many thousand. */
    const char *results[PSN_INTAKE_RESULTS];
    const char *password;
};

/* ---- lines ---- */

static const char *result_text(enum psn_intake_result result)
{
    switch (result) {
    case PSN_INTAKE_ADDED:
        return _("new");
    case PSN_INTAKE_REPLACED:
        return _("new version");
    case PSN_INTAKE_SAME:
        return _("already here");
    case PSN_INTAKE_DIFFERS:
        return _("differs");
    case PSN_INTAKE_UNPLACED:
        return _("no place");
    case PSN_INTAKE_EMPTY:
        return _("nothing secret");
    case PSN_INTAKE_UNUSABLE:
        return _("not usable");
    case PSN_INTAKE_LEFT_OUT:
        return _("left out");
    case PSN_INTAKE_RESULTS:
        break;
    }
    return "";
}

/* "Folder/Title", or the line where it stands. */
static void name_entry(const struct psn_foreign *entry, char *out, size_t size)
{
    if (entry->title[0] && !entry->group[0])
        (void)psn_text_copy(entry->title, out, size);
    else if (entry->title[0] || !entry->line)
        (void)snprintf(out, size, "%s%s%s", entry->group, entry->group[0] ? "/" : "",
                       entry->title);
    else
        (void)snprintf(out, size, _("line %zu"), entry->line);
    psn_text_cut_utf8(out);
}

static void add_result(const struct printing *printing,
                       const struct psn_intake_line *line)
{
    const char *result = printing->results[line->result];
    char what[192];

    if (line->why[0]) {
        (void)snprintf(what, sizeof what, "%s%s%s", result, _(": "), line->why);
        psn_text_cut_utf8(what);
        result = what;
    }
    cli_table_cell(printing->table, result);
}

static void add_row(const struct printing *printing, const struct psn_intake_line *line)
{
    char name[96];

    name_entry(line->entry, name, sizeof name);
    cli_table_cell(printing->table, name);
    cli_table_cell(printing->table, line->address[0] ? line->address : "-");
    cli_table_cell(printing->table, line->label[0]     ? line->label
                                    : line->address[0] ? printing->password
                                                       : "-");
    add_result(printing, line);
}

static void add_object(struct cli_json *json, const struct psn_intake_line *line)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "result", psn_intake_result_name(line->result));
    cli_json_text(json, "address", line->address[0] ? line->address : NULL);
    cli_json_text(json, "label", line->label);
    cli_json_bool(json, "new_role", line->is_new_role);
    cli_json_text(json, "group", line->entry->group);
    cli_json_text(json, "title", line->entry->title);
    if (line->entry->line)
        cli_json_number(json, "line", (int64_t)line->entry->line);
    else
        cli_json_null(json, "line");
    cli_json_text(json, "why", line->why[0] ? line->why : NULL);
    cli_json_close(json, '}');
}

static enum psn_code add_line(void *arg, const struct psn_intake_line *line,
                              struct psn_error *err)
{
    struct printing *printing = arg;

    (void)err;
    if (printing->json)
        add_object(printing->json, line);
    else
        add_row(printing, line);
    return PSN_OK;
}

/* Is there what makes nothing of all of it? */
static bool is_refused(const struct psn_intake_summary *summary)
{
    return summary->counts[PSN_INTAKE_UNPLACED] + summary->counts[PSN_INTAKE_UNUSABLE] >
           0;
}

/* Runs it and prints the lines, of a run that fails for want of places too. */
static enum psn_code run_table(struct cli *cli, const struct psn_foreign_list *list,
                               const struct psn_intake *intake,
                               struct psn_intake_summary *summary, struct psn_error *err)
{
    static const char *const header[] = { N_("ENTRY"), N_("MAILBOX"), N_("LABEL"),
                                          N_("RESULT") };
    PSN_AUTO(cli_table) *table = cli_table_new(sizeof header / sizeof *header);
    struct printing printing = { .table = table, .password = _("(password)") };
    struct psn_intake printed = *intake;
    enum psn_code rc;

    for (size_t i = 0; i < sizeof header / sizeof *header; i++)
        cli_table_cell(table, _(header[i]));
    for (int i = 0; i < PSN_INTAKE_RESULTS; i++)
        printing.results[i] = result_text((enum psn_intake_result)i);
    printed.each = add_line;
    printed.arg = &printing;
    rc = psn_intake_run(cli->vault, list, &printed, summary, err);
    if (!rc || is_refused(summary))
        cli_table_print(cli, table);
    return rc;
}

static void add_summary(struct cli_json *json, const struct psn_intake_summary *summary)
{
    cli_json_open(json, "summary", '{');
    for (int i = 0; i < PSN_INTAKE_RESULTS; i++)
        cli_json_number(json, psn_intake_result_name((enum psn_intake_result)i),
                        (int64_t)summary->counts[i]);
    cli_json_number(json, "new_roles", (int64_t)summary->roles);
    cli_json_close(json, '}');
}

static enum psn_code run_json(struct cli *cli, const struct psn_foreign_list *list,
                              const struct psn_intake *intake, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct printing printing = { .json = &json };
    struct psn_intake printed = *intake;
    struct psn_intake_summary summary;
    enum psn_code printed_rc;
    enum psn_code rc;

    printed.each = add_line;
    printed.arg = &printing;
    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "entries", '[');
    rc = psn_intake_run(cli->vault, list, &printed, &summary, err);
    cli_json_close(&json, ']');
    add_summary(&json, &summary);
    cli_json_bool(&json, "dry_run", intake->dry_run);
    cli_json_close(&json, '}');
    /* A preview is there to be read, whatever the run would come to. */
    if (rc && !(intake->dry_run && is_refused(&summary)))
        return rc;
    printed_rc = cli_json_print(cli, &json, rc ? NULL : err);
    return rc ? rc : printed_rc;
}

/* ---- what is said about it ---- */

static size_t taken(const struct psn_intake_summary *summary)
{
    return summary->counts[PSN_INTAKE_ADDED] + summary->counts[PSN_INTAKE_REPLACED];
}

/* Nothing is taken while there is one of these … */
static void note_refused(struct cli *cli, size_t unplaced, size_t unusable)
{
    if (unusable > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu entry cannot be used: see why above; to leave it out: "
                              "--skip",
                              "%zu entries cannot be used: see why above; to leave them "
                              "out: --skip",
                              unusable),
                 unusable);
    if (unplaced > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu entry has no place here: name a mailbox for it with "
                              "--role ADDRESS, or leave it out with --skip",
                              "%zu entries have no place here: name a mailbox for them "
                              "with --role ADDRESS, or leave them out with --skip",
                              unplaced),
                 unplaced);
}

/* … unless they are to be left out. */
static void note_skipped(struct cli *cli, size_t unplaced, size_t unusable)
{
    if (unusable > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu entry cannot be used, and is left out: see why above",
                              "%zu entries cannot be used, and are left out: see why "
                              "above",
                              unusable),
                 unusable);
    if (unplaced > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu entry has no place here, and is left out; to take it "
                              "in: --role ADDRESS",
                              "%zu entries have no place here, and are left out; to take "
                              "them in: --role ADDRESS",
                              unplaced),
                 unplaced);
}

static void note_rest(struct cli *cli, const struct psn_intake_summary *summary,
                      bool skip)
{
    size_t differs = summary->counts[PSN_INTAKE_DIFFERS] - summary->kept;
    size_t left_out = summary->counts[PSN_INTAKE_LEFT_OUT];
    size_t unplaced = summary->counts[PSN_INTAKE_UNPLACED];
    size_t unusable = summary->counts[PSN_INTAKE_UNUSABLE];

    if (differs > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu has another value here, which stays; to take the new "
                              "one: --replace",
                              "%zu have another value here, which stays; to take the new "
                              "ones: --replace",
                              differs),
                 differs);
    if (summary->kept > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu has another value here, which stays: see why above",
                              "%zu have another value here, which stays: see why above",
                              summary->kept),
                 summary->kept);
    if (left_out > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu part of an entry is left out: see which above",
                              "%zu parts of entries are left out: see which above",
                              left_out),
                 left_out);
    if (skip)
        note_skipped(cli, unplaced, unusable);
    else
        note_refused(cli, unplaced, unusable);
}

/* Is something in it that the vault has not taken? */
static bool is_partial(const struct psn_intake_summary *summary)
{
    return summary->counts[PSN_INTAKE_DIFFERS] > 0 ||
           summary->counts[PSN_INTAKE_LEFT_OUT] > 0 || is_refused(summary);
}

/* Is there any value in it, taken or not? */
static bool has_secret(const struct psn_intake_summary *summary)
{
    for (int i = 0; i < PSN_INTAKE_RESULTS; i++)
        if (i != PSN_INTAKE_EMPTY && summary->counts[i] > 0)
            return true;
    return false;
}

static void note_done(struct cli *cli, const struct psn_intake_summary *summary,
                      bool is_plain, const char *source)
{
    cli_note(
        cli,
        PSN_NGETTEXT("✓ Imported: %zu secret", "✓ Imported: %zu secrets", taken(summary)),
        taken(summary));
    if (summary->roles > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu mailbox is new here, its password not proved: "
                              "passation verify ADDRESS",
                              "%zu mailboxes are new here, their passwords not proved: "
                              "passation verify ADDRESS…",
                              summary->roles),
                 summary->roles);
    if (!is_plain || strcmp(source, "-") == 0 || !has_secret(summary))
        return;
    if (is_partial(summary))
        cli_warn(cli,
                 _("every password still stands in clear in '%s': delete it once the "
                   "rest is taken, too"),
                 CLI_SHOWN(source));
    else
        cli_warn(cli, _("every password still stands in clear in '%s': delete it"),
                 CLI_SHOWN(source));
}

/* Shows all of it before it asks. */
static enum psn_code ask(struct cli *cli, const struct psn_foreign_list *list,
                         const struct psn_intake *intake, struct psn_error *err)
{
    struct psn_intake preview = *intake;
    struct psn_intake_summary summary;
    enum psn_code rc;

    preview.dry_run = true;
    rc = run_table(cli, list, &preview, &summary, err);
    if (rc && !is_refused(&summary))
        return rc;
    note_rest(cli, &summary, intake->skip);
    if (rc || taken(&summary) == 0)
        return rc; /* a run would say the same, and change nothing */
    return cli_confirm(
        cli, err,
        PSN_NGETTEXT("Import %zu secret?", "Import %zu secrets?", taken(&summary)),
        taken(&summary));
}

static enum psn_code run_text(struct cli *cli, const struct psn_foreign_list *list,
                              const struct psn_intake *intake, bool is_plain,
                              struct psn_error *err)
{
    struct psn_intake_summary summary;
    enum psn_code rc;

    if (intake->dry_run || cli->yes) {
        rc = run_table(cli, list, intake, &summary, err);
        if (!rc || is_refused(&summary))
            note_rest(cli, &summary, intake->skip);
    } else {
        rc = ask(cli, list, intake, err);
        if (!rc)
            rc = psn_intake_run(cli->vault, list, intake, &summary, err);
    }
    if (!rc && intake->dry_run)
        cli_note(cli, _("Nothing was changed."));
    else if (!rc)
        note_done(cli, &summary, is_plain, cli->args[0]);
    return rc;
}

static enum psn_code run(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_import_options *options = arg;
    const struct cli_importing importing = { .source = cli->args[0],
                                             .format = options->format,
                                             .identity = options->identity,
                                             .map = &options->map };
    const struct psn_intake intake = { .client = options->client,
                                       .role = options->role,
                                       .skip = options->skip,
                                       .replace = options->replace,
                                       .dry_run = options->dry_run };
    PSN_AUTO(psn_foreign_list) *list = NULL;
    bool is_plain = false;
    enum psn_code rc = cli_read_foreign(cli, &importing, &list, &is_plain, err);

    if (!rc && cli->json && !intake.dry_run)
        rc = cli_confirm(cli, err,
                         PSN_NGETTEXT("Import %zu entry?", "Import %zu entries?",
                                      psn_foreign_list_count(list)),
                         psn_foreign_list_count(list));
    if (rc)
        return rc;
    return cli->json ? run_json(cli, list, &intake, err)
                     : run_text(cli, list, &intake, is_plain, err);
}

const struct cli_command cmd_import = {
    .name = "import",
    .arguments = N_("SOURCE"),
    .summary = N_("bring secrets in from another password manager"),
    .examples =
        N_("passation import ~/.password-store -n\twhat would come from pass, and "
           "where it goes\n"
           "passation import bitwarden.json\tmailboxes are recognised by their "
           "addresses\n"
           "passation import list.csv --map Code=password\ta column of another "
           "name\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = import_options,
    .options_size = sizeof(struct cmd_import_options),
    .run = run,
};
