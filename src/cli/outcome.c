#include "cli/outcome.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/departure_report.h"
#include "cli/display.h"
#include "cli/fields.h"
#include "cli/output.h"

enum {
    LINE_MAX_BYTES = 4096,
    HINTS_MAX_BYTES = 1024 * 1024, /* what does not fit is told each time */
};

/* --- marks ---------------------------------------------------------------------------
 */

enum mark {
    MARK_GOOD,
    MARK_WATCH,
    MARK_BAD,
};

/* A login that a handover tries, once the client has the passwords. */
static bool is_hoped_refused(const struct cli_outcomes *outcomes,
                             const struct psn_outcome *outcome)
{
    return outcomes->is_refusal_hoped && (outcome->result == PSN_RESULT_REFUSED ||
                                          outcome->result == PSN_RESULT_ACCEPTED);
}

static enum mark mark_of(const struct cli_outcomes *outcomes,
                         const struct psn_outcome *outcome)
{
    if (is_hoped_refused(outcomes, outcome))
        return outcome->result == PSN_RESULT_REFUSED ? MARK_GOOD : MARK_WATCH;
    switch (outcome->result) {
    case PSN_RESULT_FAILED:
    case PSN_RESULT_REFUSED:
        return MARK_BAD;
    case PSN_RESULT_UNCERTAIN:
    case PSN_RESULT_UNKNOWN:
        return MARK_WATCH;
    case PSN_RESULT_ROTATED:
    case PSN_RESULT_CREATED:
    case PSN_RESULT_ADOPTED:
    case PSN_RESULT_UNCHANGED:
    case PSN_RESULT_ACCEPTED:
        break;
    }
    return outcome->old_dead == PSN_FALSE || outcome->drifted ? MARK_WATCH : MARK_GOOD;
}

/* The sign and its word carry the meaning; a colour only helps the eye. */
static const char *mark_text(enum mark mark)
{
    static const char *const signs[] = { "✓", "!", "✗" };
    static const char *const ascii[] = { "+", "!", "x" };
    static const char *const coloured[] = { "\033[32m✓\033[0m", "\033[33m!\033[0m",
                                            "\033[31m✗\033[0m" };
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        return ascii[mark];
    if (!isatty(STDOUT_FILENO) || (no_color && no_color[0]) || !term ||
        strcmp(term, "dumb") == 0)
        return signs[mark];
    return coloured[mark];
}

/* --- sentences -----------------------------------------------------------------------
 */

static void describe_rotated(struct psn_buf *line, const struct psn_outcome *outcome)
{
    unsigned long long version = (unsigned long long)outcome->version;

    switch (outcome->old_dead) {
    case PSN_TRUE:
        psn_buf_format(line,
                       _("%s: password changed and proved by a login (version %llu); the "
                         "old one is refused"),
                       outcome->address, version);
        return;
    case PSN_FALSE:
        psn_buf_format(line,
                       _("%s: password changed and proved by a login (version %llu); the "
                         "old one is still accepted"),
                       outcome->address, version);
        return;
    case PSN_UNASKED:
        psn_buf_format(line,
                       _("%s: password changed and proved by a login (version %llu); the "
                         "old one is not yet proved refused"),
                       outcome->address, version);
        return;
    }
}

static void describe_unchanged(struct psn_buf *line, const struct psn_outcome *outcome)
{
    unsigned long long version = (unsigned long long)outcome->version;

    switch (outcome->old_dead) {
    case PSN_TRUE:
        psn_buf_format(line, _("%s: version %llu is in force; the old one is refused"),
                       outcome->address, version);
        return;
    case PSN_FALSE:
        psn_buf_format(line,
                       _("%s: version %llu is in force; the old one is still accepted"),
                       outcome->address, version);
        return;
    case PSN_UNASKED:
        psn_buf_format(line, _("%s: nothing to do, version %llu is in force"),
                       outcome->address, version);
        return;
    }
}

/* What one key or one account stops, stops many mailboxes: the way out is told once. */
static bool is_told(const struct cli_outcomes *outcomes, const char *hint)
{
    const struct psn_buf *told = &outcomes->hints;

    for (size_t at = 0; at < told->size; at += strlen((const char *)told->data + at) + 1)
        if (strcmp((const char *)told->data + at, hint) == 0)
            return true;
    return false;
}

static void describe_hint(struct psn_buf *line, struct cli_outcomes *outcomes,
                          const char *hint)
{
    if (!hint[0] || is_told(outcomes, hint))
        return;
    psn_buf_format(line, "\n  → %s", hint);
    psn_buf_bytes(&outcomes->hints, hint, strlen(hint) + 1);
}

/* The library's messages name the mailbox already, nearly always. */
static void describe_error(struct psn_buf *line, struct cli_outcomes *outcomes,
                           const struct psn_outcome *outcome)
{
    const struct psn_error *error = &outcome->error;

    if (!error->message[0])
        return;
    if (strstr(error->message, outcome->address))
        psn_buf_format(line, "%s", error->message);
    else
        psn_buf_format(line, "%s: %s", outcome->address, error->message);
    describe_hint(line, outcomes, error->hint);
}

static void describe_done(struct psn_buf *line, const struct cli_outcomes *outcomes,
                          const struct psn_outcome *outcome)
{
    unsigned long long version = (unsigned long long)outcome->version;

    if (outcome->result == PSN_RESULT_ROTATED)
        describe_rotated(line, outcome);
    else if (outcome->result == PSN_RESULT_CREATED)
        psn_buf_format(line,
                       _("%s: created; its password is proved by a login (version %llu)"),
                       outcome->address, version);
    else if (outcome->result == PSN_RESULT_ADOPTED && outcomes->known)
        psn_buf_format(line,
                       _("%s: taken over with its known password, proved by a login "
                         "(version %llu)"),
                       outcome->address, version);
    else if (outcome->result == PSN_RESULT_ADOPTED)
        psn_buf_format(line,
                       _("%s: taken over with a new password, proved by a login (version "
                         "%llu)"),
                       outcome->address, version);
    else if (outcome->result == PSN_RESULT_ACCEPTED)
        psn_buf_format(line, _("%s: the login is accepted (version %llu)"),
                       outcome->address, version);
    else if (outcomes->plan)
        psn_buf_format(line,
                       _("%s: its password would be changed (version %llu is in force)"),
                       outcome->address, version);
    else
        describe_unchanged(line, outcome);
}

static void describe_not_done(struct psn_buf *line, const struct psn_outcome *outcome)
{
    if (outcome->result == PSN_RESULT_REFUSED)
        psn_buf_format(line, _("%s: the login is refused (version %llu)"),
                       outcome->address, (unsigned long long)outcome->version);
    else if (outcome->result == PSN_RESULT_UNKNOWN)
        psn_buf_format(line, _("%s: the server gave no answer"), outcome->address);
    else if (outcome->result == PSN_RESULT_UNCERTAIN)
        psn_buf_format(line, _("%s: unfinished"), outcome->address);
    else
        psn_buf_format(line, _("%s: failed"), outcome->address);
}

static void describe_hoped(struct psn_buf *line, const struct psn_outcome *outcome)
{
    psn_buf_format(line,
                   outcome->result == PSN_RESULT_REFUSED
                       ? _("%s: our password is refused (version %llu)")
                       : _("%s: our password still lets us in (version %llu)"),
                   outcome->address, (unsigned long long)outcome->version);
}

static bool is_done(enum psn_result result)
{
    return result != PSN_RESULT_FAILED && result != PSN_RESULT_UNCERTAIN &&
           result != PSN_RESULT_REFUSED && result != PSN_RESULT_UNKNOWN;
}

/* The run's own error repeats the only failure, unless something is unfinished too. */
static bool is_told_by_the_end(const struct cli_outcomes *outcomes,
                               const struct psn_outcome *outcome)
{
    return outcomes->single && outcome->result != PSN_RESULT_UNCERTAIN &&
           !cli_stop_asked();
}

/* What OVH itself says, where that needs somebody. */
static void describe_dates(struct psn_buf *line, const struct psn_outcome *outcome)
{
    char time[PSN_TIME_SIZE];

    if (outcome->drifted && outcome->result == PSN_RESULT_ACCEPTED)
        psn_buf_format(line,
                       _("\n  → OVH says that it was changed on %s, after ours: ask who "
                         "did, or change it with 'passation rotate %s'"),
                       cli_display_moment(outcome->ovh_changed_s, time),
                       outcome->address);
    if (outcome->expires_s && outcome->result != PSN_RESULT_FAILED)
        psn_buf_format(line, _("\n  → its service ends this password on %s"),
                       cli_display_moment(outcome->expires_s, time));
}

static enum psn_code print_line(struct cli_outcomes *outcomes,
                                const struct psn_outcome *outcome, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) line = psn_buf_init(LINE_MAX_BYTES);
    enum psn_code rc;

    psn_buf_format(&line, "%s ", mark_text(mark_of(outcomes, outcome)));
    if (is_hoped_refused(outcomes, outcome))
        describe_hoped(&line, outcome);
    else if (is_done(outcome->result))
        describe_done(&line, outcomes, outcome);
    else if (is_told_by_the_end(outcomes, outcome) || !outcome->error.message[0])
        describe_not_done(&line, outcome);
    else
        describe_error(&line, outcomes, outcome);
    describe_dates(&line, outcome);
    rc = psn_buf_check(&line, err);
    if (!rc)
        cli_print_line(outcomes->cli, psn_buf_str(&line));
    return rc;
}

/* --- JSON ----------------------------------------------------------------------------
 */

static void put_error(struct cli_json *json, const struct psn_error *error)
{
    if (error->code == PSN_OK) {
        cli_json_null(json, "error");
        return;
    }
    cli_json_open(json, "error", '{');
    cli_json_text(json, "code", psn_code_word(error->code));
    cli_json_text(json, "message", error->message);
    cli_json_text(json, "hint", error->hint[0] ? error->hint : NULL);
    cli_json_number(json, "exit", psn_code_exit_status(error->code));
    cli_json_close(json, '}');
}

static enum psn_code print_object(struct cli_outcomes *outcomes,
                                  const struct psn_outcome *outcome,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "address", outcome->address);
    cli_json_text(&json, "result", psn_result_name(outcome->result));
    cli_display_json_count(&json, "version", outcome->version);
    cli_json_bool(&json, "verified", outcome->verified);
    cli_json_tristate(&json, "old_dead", outcome->old_dead);
    cli_json_time(&json, "ovh_changed_at", outcome->ovh_changed_s);
    cli_json_time(&json, "expires_at", outcome->expires_s);
    cli_json_bool(&json, "drifted", outcome->drifted);
    put_error(&json, &outcome->error);
    cli_json_close(&json, '}');
    return cli_json_print(outcomes->cli, &json, err);
}

static enum psn_code print_summary(struct cli_outcomes *outcomes, enum psn_code rc,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "summary", '{');
    cli_json_number(&json, "total", (int64_t)outcomes->total);
    for (int i = PSN_RESULT_ROTATED; i <= PSN_RESULT_UNKNOWN; i++)
        cli_json_number(&json, psn_result_name((enum psn_result)i),
                        (int64_t)outcomes->counts[i]);
    cli_json_number(&json, "old_open", (int64_t)outcomes->old_open);
    cli_json_bool(&json, "dry_run", outcomes->plan);
    if (outcomes->knows_waiting) {
        cli_json_number(&json, "waiting_people", (int64_t)outcomes->waiting_people);
        cli_json_number(&json, "waiting_envelopes", (int64_t)outcomes->waiting_envelopes);
    }
    cli_json_number(&json, "exit", psn_code_exit_status(rc));
    if (outcomes->departure) {
        cli_json_open(&json, "departure", '{');
        cli_departure_facts_json(outcomes->departure, &json);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, '}');
    cli_json_close(&json, '}');
    return cli_json_print(outcomes->cli, &json, err);
}

/* --- the run -------------------------------------------------------------------------
 */

static void show_progress(void *arg, const struct psn_progress *progress)
{
    struct cli_outcomes *outcomes = arg;

    if (outcomes->progress)
        cli_progress_update(outcomes->progress, progress);
}

static bool is_stopped(void *arg)
{
    (void)arg;
    return cli_stop_asked();
}

/* A rotation that is stopped is open until it is resumed. */
static void prepare_stop(const struct cli_outcomes *outcomes)
{
    const struct cli *cli = outcomes->cli;
    char sentence[400];

    (void)snprintf(sentence, sizeof sentence,
                   _("stopping once OVH has answered; then: passation resume%s%.*s"),
                   outcomes->single ? " " : "", outcomes->single ? 254 : 0,
                   outcomes->single ? CLI_SHOWN(cli->args[0]) : "");
    psn_text_cut_utf8(sentence);
    cli_stop_words(cli->json || cli->quiet ? NULL : sentence);
}

enum psn_code cli_outcomes_begin(struct cli_outcomes *outcomes, struct cli *cli,
                                 struct psn_run *ret_run, struct psn_error *err)
{
    *outcomes = (struct cli_outcomes){
        .cli = cli,
        .hints = psn_buf_init(HINTS_MAX_BYTES),
        .nothing = _("No role fits; see them all with 'passation role ls'."),
        .single = cli->arg_count == 1 && !cli_field_is_glob(cli->args[0]),
    };
    *ret_run = (struct psn_run){ .done = cli_outcomes_add,
                                 .progress = show_progress,
                                 .stop = is_stopped,
                                 .arg = outcomes };
    outcomes->progress = cli_progress_new(cli);
    prepare_stop(outcomes);
    cli_catch_signals();
    return cli_display_ca(cli, err);
}

enum psn_code cli_outcomes_set_jobs(struct psn_run *run, uint64_t jobs,
                                    struct psn_error *err)
{
    enum {
        JOBS_MAX = 64
    };

    if (jobs > JOBS_MAX)
        return psn_fail(err, PSN_E_INVALID, _("--jobs takes a number from 1 to %d"),
                        JOBS_MAX);
    run->jobs = (unsigned)jobs;
    return PSN_OK;
}

static bool leaves_old_open(const struct psn_outcome *outcome)
{
    return outcome->old_dead == PSN_FALSE ||
           (outcome->result == PSN_RESULT_ROTATED && outcome->old_dead == PSN_UNASKED);
}

enum psn_code cli_outcomes_add(void *arg, const struct psn_outcome *outcome,
                               struct psn_error *err)
{
    struct cli_outcomes *outcomes = arg;
    enum psn_code rc;

    outcomes->total++;
    outcomes->counts[outcome->result]++;
    if (leaves_old_open(outcome))
        outcomes->old_open++;
    /* On the screen, the line must not run into the progress display. */
    if (isatty(STDOUT_FILENO))
        cli_progress_clear(outcomes->progress);
    rc = outcomes->cli->json ? print_object(outcomes, outcome, err)
                             : print_line(outcomes, outcome, err);
    /* Whoever reads along sees each mailbox when it is done, even if we are killed. */
    (void)fflush(stdout);
    return rc;
}

static void tell_next_steps(const struct cli_outcomes *outcomes)
{
    const struct cli *cli = outcomes->cli;
    size_t adopted = outcomes->counts[PSN_RESULT_ADOPTED];

    if (outcomes->old_open > 0)
        cli_warn(cli,
                 PSN_NGETTEXT("%zu old password is not proved refused: ask again later "
                              "with 'passation resume'",
                              "%zu old passwords are not proved refused: ask again later "
                              "with 'passation resume'",
                              outcomes->old_open),
                 outcomes->old_open);
    if (adopted > 0 && !outcomes->known)
        cli_note(cli, _("The former passwords were never known here, so that they are "
                        "refused cannot be tried; OVH replaced them."));
    if (outcomes->plan && outcomes->total > outcomes->counts[PSN_RESULT_FAILED])
        cli_note(cli, _("Nothing was changed. Without -n, it will be."));
}

enum psn_code cli_outcomes_end(struct cli_outcomes *outcomes, enum psn_code rc,
                               struct psn_error *err)
{
    enum psn_code printed = PSN_OK;

    cli_stop_words(NULL);
    cli_progress_free(outcomes->progress);
    outcomes->progress = NULL;
    if (outcomes->cli->json && (outcomes->total > 0 || !rc || outcomes->departure))
        printed = print_summary(outcomes, rc, rc ? NULL : err);
    if (!rc && outcomes->total == 0 && outcomes->nothing)
        cli_note(outcomes->cli, "%s", outcomes->nothing);
    tell_next_steps(outcomes);
    if (rc && err && is_told(outcomes, err->hint))
        err->hint[0] = '\0';
    psn_buf_release(&outcomes->hints);
    return rc ? rc : printed;
}
