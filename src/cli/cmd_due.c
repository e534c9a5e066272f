#include <string.h>

#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/delivery.h"
#include "cli/departing.h"
#include "cli/display.h"
#include "cli/due_list.h"
#include "cli/envelope.h"
#include "cli/handed.h"
#include "cli/outcome.h"

/*
 * due: what time and events have made necessary; with --apply it is done, in an order in
 * which nothing newer reaches somebody who lost his right: departures and what was
 * interrupted first, then the ends of grants, then rotations, then the issues to those
 * who stay.
 */
struct cmd_due_options {
    bool apply;
    bool look;
    struct cli_delivery_options where;
};

static const struct cli_option due_options[] = {
    { "apply", 0, CLI_FLAG, offsetof(struct cmd_due_options, apply), NULL,
      N_("do it: end what has run out, rotate what is known without right, write the "
         "issues") },
    { "look", 0, CLI_FLAG, offsetof(struct cmd_due_options, look), NULL,
      N_("first look at OVH and log in everywhere, for what happened without us") },
    CLI_DELIVERY_OPTIONS(offsetof(struct cmd_due_options, where)),
    { 0 },
};

static enum psn_code pass_by(void *arg, const struct psn_outcome *outcome,
                             struct psn_error *err)
{
    (void)arg;
    (void)outcome;
    (void)err;
    return PSN_OK;
}

static enum psn_code resume(struct cli *cli, struct psn_error *err)
{
    struct cli_outcomes outcomes;
    struct psn_run run;
    enum psn_code rc = cli_outcomes_begin(&outcomes, cli, &run, err);

    outcomes.single = false;
    if (!rc)
        rc = psn_resume(cli->vault, NULL, 0, &run, err);
    return cli_outcomes_end(&outcomes, rc, err);
}

/* --- looking --- */

static void tell_blind(void *arg, const char *client, const struct psn_error *why)
{
    cli_warn(arg, _("%s: its account could not be looked at: %s"), client, why->message);
}

static bool is_stopped(void *arg)
{
    (void)arg;
    return cli_stop_asked();
}

static void show_progress(void *arg, const struct psn_progress *progress)
{
    if (arg)
        cli_progress_update(arg, progress);
}

/* What a look finds is in the list that follows; that it found something is no error. */
static enum psn_code look(struct cli *cli, struct psn_error *err)
{
    const struct psn_sweep_all how = { .blind = tell_blind,
                                       .stop = is_stopped,
                                       .arg = cli };
    struct cli_progress *progress = cli_progress_new(cli);
    struct psn_run run = { .progress = show_progress, .stop = is_stopped };
    size_t blind = 0;
    enum psn_code rc = cli_display_ca(cli, err);

    run.arg = progress;
    cli_catch_signals();
    cli_busy_begin(cli, _("looking at the clients' OVH accounts"));
    if (!rc)
        rc = psn_sweep_all(cli->vault, &how, &blind, err);
    cli_busy_end();
    if (!rc)
        rc = psn_verify(cli->vault, NULL, 0, &run, err);
    cli_progress_free(progress);
    if (rc == PSN_E_VERIFY || rc == PSN_E_NETWORK) {
        if (rc == PSN_E_NETWORK && err)
            cli_warn(cli, "%s", err->message);
        psn_error_clear(err);
        return PSN_OK;
    }
    return rc;
}

static enum psn_code end_grant(struct cli *cli, const struct psn_due *due,
                               struct psn_error *err)
{
    const char *address = due->address;
    size_t count;
    enum psn_code rc = psn_grant_end(cli->vault, due->person, &address, 1, &count, err);

    if (!rc)
        cli_note(cli, _("%s: the grant for %s has ended"), CLI_SHOWN(due->person),
                 address);
    return rc;
}

static bool is_grant_of(const struct psn_due *due, const char *person)
{
    return due->kind == PSN_DUE_GRANT && strcmp(due->person, person) == 0;
}

/* What its client has received is not rotated after the end of a grant. One look for each
 * person: it walks all that anybody has seen. */
static enum psn_code tell_handed(struct cli *cli, const struct cli_due_list *list,
                                 size_t first, struct psn_error *err)
{
    const char *person = list->items[first].person;
    struct cli_handed handed = { 0 };
    enum psn_code rc;

    for (size_t i = 0; i < first; i++)
        if (is_grant_of(&list->items[i], person))
            return PSN_OK;
    rc = cli_handed_read(cli, person, &handed, err);
    for (size_t i = first; !rc && handed.count > 0 && i < list->count; i++)
        if (is_grant_of(&list->items[i], person))
            cli_handed_tell(cli, &handed, list->items[i].address);
    cli_handed_release(&handed);
    return rc;
}

static enum psn_code end_grants(struct cli *cli, const struct cli_due_list *list,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->count; i++)
        if (list->items[i].kind == PSN_DUE_GRANT)
            rc = end_grant(cli, &list->items[i], err);
    for (size_t i = 0; !rc && i < list->count; i++)
        if (list->items[i].kind == PSN_DUE_GRANT)
            rc = tell_handed(cli, list, i, err);
    return rc;
}

/* What waits for a code is still due, and listed. */
static enum psn_code write_issues(struct cli *cli,
                                  const struct cli_delivery_options *where,
                                  struct psn_error *err)
{
    struct cli_delivered delivered = { 0 };

    return cli_deliver_due(cli, where, NULL, CLI_DELIVER_HERE, &delivered, err);
}

/* Those that are open go on by what others have done since: they are followed, and
 * nothing new is begun. */
static enum psn_code follow_handovers(struct cli *cli, const struct cli_due_list *list,
                                      struct psn_error *err)
{
    enum psn_code first = PSN_OK;

    for (size_t i = 0; i < list->count && !cli_stop_asked(); i++) {
        struct psn_handover_run run = { .mailboxes = { .stop = is_stopped },
                                        .follow = true };
        struct psn_error cause = { 0 };
        enum psn_code rc = PSN_OK;

        if (list->items[i].kind != PSN_DUE_HANDOVER)
            continue;
        run.mailboxes.done = pass_by;
        rc = psn_handover_next(cli->vault, list->items[i].client, &run, &cause);
        if (rc && !first && err)
            *err = cause;
        first = first ? first : rc;
    }
    return first;
}

/* A step that fails must not keep back the others: a mailbox that cannot be rotated today
 * is no reason to leave the rest. The first failure is the result. */
static void keep_first(enum psn_code *first, struct psn_error *ret, enum psn_code rc,
                       const struct psn_error *cause)
{
    if (!*first && rc) {
        *first = rc;
        if (ret)
            *ret = *cause;
    }
}

static enum psn_code apply(struct cli *cli, const struct cmd_due_options *options,
                           struct psn_error *err)
{
    struct cli_due_list list = { 0 };
    struct psn_error cause = { 0 };
    struct cli_departing departing = { &options->where, 0 };
    size_t leaving = 0;
    enum psn_code first = PSN_OK;
    enum psn_code rc;

    keep_first(&first, err, cli_depart_open(cli, &departing, &leaving, &cause), &cause);
    psn_error_clear(&cause);
    rc = cli_due_list_read(cli, NULL, &list, first ? NULL : err);
    if (rc)
        return first ? first : rc;
    if (cli_due_list_count(&list, PSN_DUE_RESUME))
        keep_first(&first, err, resume(cli, &cause), &cause);
    rc = end_grants(cli, &list, err);
    cli_due_list_release(&list);
    if (!rc)
        rc = cli_due_list_read(cli, NULL, &list, err);
    if (rc)
        return rc;
    psn_error_clear(&cause);
    keep_first(&first, err, cli_due_rotate(cli, &list, &cause), &cause);
    psn_error_clear(&cause);
    keep_first(&first, err, write_issues(cli, &options->where, &cause), &cause);
    psn_error_clear(&cause);
    keep_first(&first, err, follow_handovers(cli, &list, &cause), &cause);
    psn_error_clear(&cause);
    keep_first(&first, err, cli_envelope_renew(cli, false, &cause), &cause);
    cli_due_list_release(&list);
    return first;
}

static const char *advice(const struct cli_due_list *list, bool applied)
{
    bool can = cli_due_list_can_apply(list);

    if (!can && cli_due_list_count(list, PSN_DUE_HANDOVER) == list->count)
        return _("what blocks, and who must act: passation handover status");
    if (!can && (cli_due_list_count(list, PSN_DUE_SECRET) > 0 ||
                 cli_due_list_count(list, PSN_DUE_LEAVER) > 0 ||
                 cli_due_list_count(list, PSN_DUE_ENVELOPE_LEFT) > 0 ||
                 cli_due_list_count(list, PSN_DUE_ENVELOPE_REMADE) > 0))
        return _("none of it is done by --apply: it needs you, see above");
    if (!can)
        return _("what happened without us needs you: see above");
    return applied ? _("what is left needs you: see above")
                   : _("do it with: passation due --apply");
}

static enum psn_code fail_due(const struct cli_due_list *list, bool applied,
                              struct psn_error *err)
{
    const char *waits = cli_due_waits_for_code(list);
    size_t count = list->count;

    (void)psn_fail(err, PSN_E_FINDINGS,
                   PSN_NGETTEXT("%zu thing is due", "%zu things are due", count), count);
    if (cli_due_list_count(list, PSN_DUE_RESTORED) > 0)
        return psn_hint(err, PSN_E_FINDINGS,
                        _("first see passation person ls and passation grant ls; then: "
                          "passation outbox --judged"));
    if (cli_due_list_count(list, PSN_DUE_SECRET) == count)
        return cli_due_hint_by_hand(list, err);
    if (waits && (applied || !cli_due_list_can_apply(list)))
        return psn_hint(
            err, PSN_E_FINDINGS,
            _("an issue needs a code, which you pass on: passation outbox %s"), waits);
    return psn_hint(err, PSN_E_FINDINGS, "%s", advice(list, applied));
}

static enum psn_code run(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_due_options *options = arg;
    struct cli_due_list list = { 0 };
    enum psn_code first = options->look ? look(cli, err) : PSN_OK;
    enum psn_code rc;

    if (!first && options->apply)
        first = apply(cli, options, err);
    rc = cli_due_list_read(cli, NULL, &list, first ? NULL : err);
    if (!rc)
        rc = cli_due_print(cli, &list, first ? NULL : err);
    if (!rc && !first && list.count > 0)
        rc = fail_due(&list, options->apply, err);
    else if (!rc && !first)
        cli_note(cli, _("Nothing is due."));
    cli_due_list_release(&list);
    return first ? first : rc;
}

const struct cli_command cmd_due = {
    .name = "due",
    .summary =
        N_("say what is due: grants that ran out, exposed passwords, issues; or do it"),
    .examples = N_("passation due\tthe list; exit status 12 if there is any\n"
                   "passation due --look\tafter a look at OVH, for what is new there\n"
                   "passation due --apply -o remises\tends, rotates and issues\n"
                   "passation --no-input --identity-file FILE due --apply -o DIR\t"
                   "from a timer; what needs a code waits in the outbox\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .options = due_options,
    .options_size = sizeof(struct cmd_due_options),
    .run = run,
};
