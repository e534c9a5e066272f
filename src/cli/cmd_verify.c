#include <stdint.h>

#include "cli/cli.h"
#include "cli/outcome.h"

struct cmd_verify_options {
    uint64_t jobs;
};

static const struct cli_option verify_options[] = {
    CLI_JOBS_OPTION(cmd_verify_options),
    { 0 },
};

static enum psn_code run_verify(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_verify_options *options = arg;
    struct cli_outcomes outcomes;
    struct psn_run run;
    enum psn_code rc = cli_outcomes_begin(&outcomes, cli, &run, err);

    cli_stop_words(NULL); /* nothing is left open by looking */
    if (!rc)
        rc = cli_outcomes_set_jobs(&run, options->jobs, err);
    if (!rc)
        rc = psn_verify(cli->vault, cli->args, cli->arg_count, &run, err);
    return cli_outcomes_end(&outcomes, rc, err);
}

const struct cli_command cmd_verify = {
    .name = "verify",
    .arguments = N_("GLOB…"),
    .summary = N_("log in with the current passwords; changes nothing"),
    .examples = N_("passation verify technique@martin.fr\tone mailbox\n"
                   "passation verify '*@martin.fr'\tall mailboxes of a domain\n"
                   "passation verify '*' --json\teverything, for a program\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .options = verify_options,
    .options_size = sizeof(struct cmd_verify_options),
    .run = run_verify,
};
