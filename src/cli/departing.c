#include "cli/departing.h"

#include <stdlib.h>
#include <string.h>

#include "cli/departure_report.h"
#include "cli/display.h"
#include "cli/finding_show.h"
#include "cli/outcome.h"

struct departing {
    struct cli *cli;
    struct cli_outcomes outcomes;
};

/* --- what is seen --- */

static void tell_stage(void *arg, enum psn_departure_stage stage)
{
    struct departing *departing = arg;

    cli_progress_clear(departing->outcomes.progress);
    switch (stage) {
    case PSN_DEPARTURE_SWEEPING:
        cli_note(departing->cli, _("Closing other ways in …"));
        break;
    case PSN_DEPARTURE_ROTATING:
        cli_note(departing->cli, _("Replacing passwords, and proving it …"));
        break;
    case PSN_DEPARTURE_LOOKING_AGAIN:
        cli_note(departing->cli, _("Looking again …"));
        break;
    }
}

static enum psn_code tell_cut(void *arg, const char *client,
                              const struct psn_access_cut *cut, struct psn_error *err)
{
    struct departing *departing = arg;
    struct cli *cli = departing->cli;
    const struct psn_finding *finding = &cut->access->finding;

    (void)err;
    cli_progress_clear(departing->outcomes.progress);
    if (cut->failed)
        cli_warn(cli, _("%s: %s"), client, cut->failed->message);
    else if (cut->state == PSN_CUT_GONE)
        cli_note(cli, _("✓ %s: closed: %s, %s (%s)"), client,
                 cli_finding_noun(finding->kind), CLI_SHOWN(finding->subject),
                 CLI_SHOWN(finding->whose));
    else if (cut->state == PSN_CUT_WAITING)
        cli_note(cli,
                 _("… %s: asked for, and changed when both sides have agreed by OVH's "
                   "e-mail: %s, %s (%s)"),
                 client, cli_finding_noun(finding->kind), CLI_SHOWN(finding->subject),
                 CLI_SHOWN(finding->whose));
    else if (cut->state == PSN_CUT_UNDER_WAY)
        cli_note(cli, _("… %s: being removed by OVH: %s, %s (%s)"), client,
                 cli_finding_noun(finding->kind), CLI_SHOWN(finding->subject),
                 CLI_SHOWN(finding->whose));
    else
        cli_warn(cli, _("%s, %s: %s"), client, CLI_SHOWN(finding->subject),
                 psn_finding_obstacle(finding));
    return PSN_OK;
}

static void tell_blind(void *arg, const char *client, const struct psn_error *why)
{
    struct departing *departing = arg;

    cli_progress_clear(departing->outcomes.progress);
    cli_warn(departing->cli, _("%s: its account could not be looked at: %s"), client,
             why->message);
}

/* --- the issues --- */

/* JSON for each delivery is one line; an empty one is none. */
static enum psn_code end_delivery(struct cli_delivery *delivery, enum psn_code rc,
                                  struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code printed;

    if (delivery->count == 0) {
        cli_json_release(&delivery->json);
        return rc;
    }
    printed = cli_delivery_end(delivery, PSN_OK, &why);
    if (rc || !printed)
        return rc;
    *err = why;
    return printed;
}

/* --- what is left for people --- */

/* How good an example it is: best what may be kept or cut, then what may be kept alone,
 * and what nobody could read where there is nothing else only. */
static int rank(const struct psn_finding *finding)
{
    if (finding->kind == PSN_FINDING_UNREADABLE)
        return 0;
    return finding->obstacle[0] ? 1 : 2;
}

static size_t count_others(const struct psn_departure_report *report,
                           const struct psn_departure_access **ret_first)
{
    size_t count = 0;

    for (size_t i = 0; i < report->access_count; i++) {
        const struct psn_departure_access *at = &report->accesses[i];

        if (at->his || !psn_access_is_pending(&at->access))
            continue;
        if (count++ == 0 ||
            rank(&at->access.finding) > rank(&(*ret_first)->access.finding))
            *ret_first = at;
    }
    return count;
}

/* What he could read may be in force again, and no run of ours takes that back unasked.
 */
static enum psn_code fail_outside(const struct psn_departure_report *report,
                                  struct psn_error *err)
{
    size_t i = 0;

    while (i < report->secret_count && !report->secrets[i].outside_s)
        i++;
    if (i == report->secret_count)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_FINDINGS,
                   PSN_NGETTEXT("%zu password was changed by somebody else since",
                                "%zu passwords were changed by somebody else since",
                                report->facts.outside),
                   report->facts.outside);
    return psn_hint(err, PSN_E_FINDINGS,
                    _("ask who did; take it back with: passation rotate %s"),
                    CLI_SHOWN(report->secrets[i].address));
}

/* Besides, ways in that are nobody's known: they do not hold up a departure, but somebody
 * has to judge them. */
static enum psn_code fail_left(struct cli *cli, const char *person, struct psn_error *err)
{
    struct psn_departure_report *report = NULL;
    const struct psn_departure_access *first = NULL;
    enum psn_code rc = psn_departure_report(cli->vault, person, &report, err);
    size_t count = rc ? 0 : count_others(report, &first);

    if (!rc)
        rc = fail_outside(report, err);
    if (!rc && count > 0) {
        (void)psn_fail(err, PSN_E_FINDINGS,
                       PSN_NGETTEXT("%zu other way in is neither kept nor closed",
                                    "%zu other ways in are neither kept nor closed",
                                    count),
                       count);
        rc = psn_hint(err, PSN_E_FINDINGS,
                      first->access.finding.obstacle[0]
                          ? _("see each: passation sweep %s; legitimate: --keep %s")
                          : _("see each: passation sweep %s; legitimate: --keep %s; else "
                              "--cut in its place"),
                      first->client, CLI_SHOWN(first->access.finding.id));
    }
    psn_departure_report_free(report);
    return rc;
}

/* --- one departure --- */

static enum psn_code run_depart(struct departing *departing, const char *person,
                                const struct cli_departing *how,
                                struct cli_delivery *delivery, size_t *ret_waiting,
                                struct psn_error *err)
{
    struct psn_departure_run run = { .delivery = &delivery->to,
                                     .stage = tell_stage,
                                     .cut = tell_cut,
                                     .blind = tell_blind,
                                     .arg = departing };
    enum psn_code rc =
        cli_outcomes_begin(&departing->outcomes, departing->cli, &run.mailboxes, err);

    departing->outcomes.single = false;
    departing->outcomes.nothing = NULL;
    run.mailboxes.prove = true;
    if (!rc)
        rc = cli_outcomes_set_jobs(&run.mailboxes, how->jobs, err);
    if (!rc)
        rc = psn_depart(departing->cli->vault, person, &run, ret_waiting, err);
    cli_progress_clear(departing->outcomes.progress);
    return end_delivery(delivery, rc, err);
}

static void keep_first(enum psn_code *first, struct psn_error *ret, enum psn_code rc,
                       const struct psn_error *cause)
{
    if (*first || !rc)
        return;
    *first = rc;
    *ret = *cause;
}

static enum psn_code tell_end(struct cli *cli, struct psn_departure *facts,
                              const char *person, struct psn_error *err)
{
    struct psn_departure_report *report = NULL;
    enum psn_code rc = psn_departure_report(cli->vault, person, &report, err);

    if (rc)
        return rc;
    *facts = report->facts;
    cli_departure_tell(cli, report);
    rc = cli_departure_report(cli, report, err);
    psn_departure_report_free(report);
    return rc ? rc : psn_departure_reported(cli->vault, person, err);
}

enum psn_code cli_depart(struct cli *cli, const char *person,
                         const struct cli_departing *how, struct psn_error *err)
{
    struct departing departing = { .cli = cli };
    struct psn_departure facts = { 0 };
    struct cli_delivery delivery;
    struct psn_error first = { 0 };
    struct psn_error cause = { 0 };
    size_t waiting = 0;
    enum psn_code rc;

    cli_delivery_begin(&delivery, cli, how->where);
    /* Each into the folder that it was to go to, unless one is named. */
    delivery.to.directory = how->where->directory;
    rc = run_depart(&departing, person, how, &delivery, &waiting, &first);
    keep_first(&rc, &first, tell_end(cli, &facts, person, &cause), &cause);
    departing.outcomes.departure = facts.began_s ? &facts : NULL;
    if (!rc && waiting)
        rc = cli_fail_waiting(waiting, &first);
    psn_error_clear(&cause);
    if (!rc)
        keep_first(&rc, &first, fail_left(cli, person, &cause), &cause);
    rc = cli_outcomes_end(&departing.outcomes, rc, &first);
    if (rc && err)
        *err = first;
    return rc;
}

/* --- all that are open --- */

struct open_list {
    char (*people)[PSN_PERSON_ID_MAX];
    size_t count;
};

static enum psn_code collect(void *arg, const struct psn_departure *departure,
                             struct psn_error *err)
{
    struct open_list *list = arg;
    char(*grown)[PSN_PERSON_ID_MAX] =
        reallocarray(list->people, list->count + 1, sizeof *grown);

    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    list->people = grown;
    memcpy(grown[list->count++], departure->person, sizeof *grown);
    return PSN_OK;
}

enum psn_code cli_depart_open(struct cli *cli, const struct cli_departing *how,
                              size_t *ret_count, struct psn_error *err)
{
    struct open_list list = { 0 };
    struct psn_error first = { 0 };
    enum psn_code rc = psn_departure_each(cli->vault, collect, &list, &first);

    for (size_t i = 0; i < list.count && !cli_stop_asked(); i++) {
        struct psn_error cause = { 0 };

        cli_note(cli, _("The departure of %s goes on."), CLI_SHOWN(list.people[i]));
        keep_first(&rc, &first, cli_depart(cli, list.people[i], how, &cause), &cause);
    }
    *ret_count = list.count;
    free(list.people);
    if (rc && err)
        *err = first;
    return rc;
}
