#include <string.h>

#include "cli/cli.h"
#include "cli/delivery.h"
#include "cli/due_list.h"
#include "cli/outcome.h"

/*
 * due: what time and events have made necessary; with --apply it is done, in an order in
 * which nothing newer reaches somebody who lost his right: what was interrupted first,
 * then the ends of grants, then rotations, then the issues to those who stay.
 */
struct cmd_due_options {
    bool apply;
    struct cli_delivery_options where;
};

static const struct cli_option due_options[] = {
    { "apply", 0, CLI_FLAG, offsetof(struct cmd_due_options, apply), NULL,
      N_("do it: end what has run out, rotate what is known without right, write the "
         "issues") },
    CLI_DELIVERY_OPTIONS(offsetof(struct cmd_due_options, where)),
    { 0 },
};

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

static enum psn_code end_grants(struct cli *cli, const struct cli_due_list *list,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->count; i++) {
        const struct psn_due *due = &list->items[i];
        const char *address = due->address;
        size_t count;

        if (due->kind != PSN_DUE_GRANT)
            continue;
        rc = psn_grant_end(cli->vault, due->person, &address, 1, &count, err);
        if (!rc)
            cli_note(cli, _("%s: the grant for %s has ended"), CLI_SHOWN(due->person),
                     due->address);
    }
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
    enum psn_code first = PSN_OK;
    enum psn_code rc = cli_due_list_read(cli, NULL, &list, err);

    if (rc)
        return rc;
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
    cli_due_list_release(&list);
    return first;
}

static enum psn_code fail_due(size_t count, bool applied, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_FINDINGS,
                   PSN_NGETTEXT("%zu thing is due", "%zu things are due", count), count);
    return psn_hint(err, PSN_E_FINDINGS,
                    applied ? _("what is left needs you: a code to tell (passation "
                                "outbox), or a secret that no API changes (passation "
                                "secret set)")
                            : _("do it with: passation due --apply"));
}

static enum psn_code run(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_due_options *options = arg;
    struct cli_due_list list = { 0 };
    enum psn_code first = options->apply ? apply(cli, options, err) : PSN_OK;
    enum psn_code rc;
    size_t count;

    rc = cli_due_list_read(cli, NULL, &list, first ? NULL : err);
    if (!rc)
        rc = cli_due_print(cli, &list, first ? NULL : err);
    count = list.count;
    cli_due_list_release(&list);
    if (first || rc)
        return first ? first : rc;
    if (count == 0) {
        cli_note(cli, _("Nothing is due."));
        return PSN_OK;
    }
    return fail_due(count, options->apply, err);
}

const struct cli_command cmd_due = {
    .name = "due",
    .summary =
        N_("say what is due: grants that ran out, exposed passwords, issues; or do it"),
    .examples = N_("passation due\tthe list; exit status 12 if there is any\n"
                   "passation due --apply -o remises\tends, rotates and issues\n"
                   "passation --no-input --identity-file FILE due --apply -o DIR\t"
                   "from a timer; what needs a code waits in the outbox\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .options = due_options,
    .options_size = sizeof(struct cmd_due_options),
    .run = run,
};
