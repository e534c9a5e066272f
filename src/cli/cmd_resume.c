#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/delivery.h"
#include "cli/departing.h"
#include "cli/linking.h"
#include "cli/outcome.h"

struct cmd_resume_options {
    bool again;
    const char *abandon;
    uint64_t jobs;
    struct cli_delivery_options where;
};

static const struct cli_option resume_options[] = {
    { "again", 0, CLI_FLAG, offsetof(struct cmd_resume_options, again), NULL,
      N_("where a rotation is stuck, set its new password at OVH once more") },
    { "abandon", 0, CLI_TEXT, offsetof(struct cmd_resume_options, abandon), N_("ADDRESS"),
      N_("give up a new password that was never sent to OVH") },
    CLI_JOBS_OPTION(cmd_resume_options),
    { "output", 'o', CLI_TEXT,
      offsetof(struct cmd_resume_options, where) +
          offsetof(struct cli_delivery_options, directory),
      N_("DIR"), N_("where the files that are due go (default: where they were to go)") },
    { "code-fd", 0, CLI_FD,
      offsetof(struct cmd_resume_options, where) +
          offsetof(struct cli_delivery_options, code_fd),
      N_("N"), N_("write the codes to file descriptor N, one SERIAL<TAB>CODE a line") },
    { 0 },
};

static enum psn_code print_abandoned(struct cli *cli, const char *address,
                                     struct psn_error *err)
{
    struct psn_outcome outcome = { .result = PSN_RESULT_UNCHANGED };
    struct cli_outcomes outcomes = { .cli = cli, .single = true };
    struct psn_role role;
    enum psn_code rc = psn_role_get(cli->vault, address, &role, err);

    if (rc)
        return rc;
    if (!cli->json) {
        cli_print(cli,
                  _("%s: the new password was given up; version %llu stays in force\n"),
                  CLI_SHOWN(role.address), (unsigned long long)role.version);
        return PSN_OK;
    }
    memcpy(outcome.address, role.address, sizeof outcome.address);
    outcome.version = role.version;
    outcome.old_dead = role.old_dead;
    rc = cli_outcomes_add(&outcomes, &outcome, err);
    return cli_outcomes_end(&outcomes, rc, err);
}

static enum psn_code abandon(struct cli *cli, const struct cmd_resume_options *options,
                             struct psn_error *err)
{
    enum psn_code rc;

    if (cli->arg_count > 0 || options->again)
        return psn_fail(err, PSN_E_INVALID,
                        _("--abandon stands alone: no other address, no --again"));
    rc = psn_abandon(cli->vault, options->abandon, err);
    return rc ? rc : print_abandoned(cli, options->abandon, err);
}

/* The files that an interrupted grant or outbox, or a rotation, left to be written.
 * Whoever stays must not wait for a mailbox that is stuck. */
static void finish_issues(struct cli *cli, const struct cmd_resume_options *options,
                          size_t *ret_written, struct psn_error *err)
{
    struct cli_delivered delivered = { 0 };
    enum psn_code rc =
        cli_deliver_due(cli, &options->where, NULL, CLI_DELIVER_REST, &delivered, err);

    if (!rc && delivered.waiting)
        PSN_IGNORE(cli_fail_waiting(delivered.waiting, err));
    *ret_written = delivered.written;
}

/* One error ends the command; what else there is to do is said before. */
static enum psn_code end_with(struct cli *cli, enum psn_code rc,
                              const struct psn_error *more, struct psn_error *err)
{
    if (rc && more->code)
        cli_warn(cli, "%s", more->message);
    else if (more->code)
        *err = *more;
    return rc ? rc : more->code;
}

/* With globs, only the rotations of those mailboxes. */
static enum psn_code run_resume(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_resume_options *options = arg;
    struct cli_outcomes outcomes;
    struct psn_run run;
    struct psn_error keys = { 0 }; /* told at the end */
    struct psn_error files = { 0 };
    struct psn_error departures = { 0 };
    struct cli_departing departing = { &options->where, options->jobs };
    size_t leaving = 0;
    size_t issues = 0;
    enum psn_code rc;

    if ((cli->arg_count > 0 || options->abandon) &&
        (options->where.directory || options->where.code_fd >= 0))
        return psn_fail(err, PSN_E_INVALID,
                        _("files are written by a resume of everything: no address with "
                          "-o or --code-fd"));
    if (options->abandon)
        return abandon(cli, options, err);
    /* First the keys: what is unfinished may wait for one of them. */
    if (cli->arg_count == 0)
        PSN_IGNORE(cli_link_resume(cli, &keys));
    /* Then who leaves: his ways in before any password. */
    if (cli->arg_count == 0)
        PSN_IGNORE(cli_depart_open(cli, &departing, &leaving, &departures));
    rc = cli_outcomes_begin(&outcomes, cli, &run, err);
    run.again = options->again;
    if (!rc)
        rc = cli_outcomes_set_jobs(&run, options->jobs, err);
    if (!rc) {
        rc = psn_resume(cli->vault, cli->args, cli->arg_count, &run, err);
        cli_progress_clear(outcomes.progress);
        if (cli->arg_count == 0 && !cli_stop_asked())
            finish_issues(cli, options, &issues, &files);
    }
    if (keys.code || files.code || issues || leaving)
        outcomes.nothing = NULL;
    else
        outcomes.nothing = _("Nothing is unfinished.");
    rc = cli_outcomes_end(&outcomes, rc, err);
    rc = end_with(cli, rc, &departures, err);
    rc = end_with(cli, rc, &keys, err);
    return end_with(cli, rc, &files, err);
}

const struct cli_command cmd_resume = {
    .name = "resume",
    .arguments = N_("[GLOB…]"),
    .summary =
        N_("finish what was interrupted, and ask whether old passwords are refused"),
    .examples = N_("passation resume\teverything that is unfinished, issues included\n"
                   "passation resume technique@martin.fr --again\t"
                   "send the new password once more\n"
                   "passation resume --abandon technique@martin.fr\t"
                   "give up one that was never sent\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .max_args = SIZE_MAX,
    .options = resume_options,
    .options_size = sizeof(struct cmd_resume_options),
    .run = run_resume,
};
