#include <stdint.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/outcome.h"
#include "cli/profile.h"

struct cmd_rotate_options {
    bool dry_run;
    bool prove;
    uint64_t jobs;
};

static const struct cli_option rotate_options[] = {
    { "dry-run", 'n', CLI_FLAG, offsetof(struct cmd_rotate_options, dry_run), NULL,
      N_("say what would be done, change nothing") },
    { "prove", 0, CLI_FLAG, offsetof(struct cmd_rotate_options, prove), NULL,
      N_("after all changes, wait until each old password was tried") },
    CLI_JOBS_OPTION(cmd_rotate_options),
    { 0 },
};

static enum psn_code run_rotate(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_rotate_options *options = arg;
    struct cli_outcomes outcomes;
    struct psn_run run;
    enum psn_code rc = cli_outcomes_begin(&outcomes, cli, &run, err);

    outcomes.plan = options->dry_run;
    run.prove = options->prove;
    if (!rc)
        rc = cli_outcomes_set_jobs(&run, options->jobs, err);
    if (!rc && options->dry_run)
        rc = psn_rotate_plan(cli->vault, cli->args, cli->arg_count, &run, err);
    else if (!rc)
        rc = psn_rotate(cli->vault, cli->args, cli->arg_count, &run, err);
    rc = cli_outcomes_end(&outcomes, rc, err);
    if (!rc && !options->dry_run && !cli->json && cli->arg_count == 1 &&
        !cli_field_is_glob(cli->args[0]) && cli_kit_is_there(cli, cli->args[0]))
        cli_note(cli,
                 _("Who has to retype it, and on what: passation profile %s --format "
                   "sheet"),
                 CLI_SHOWN(cli->args[0]));
    return rc;
}

const struct cli_command cmd_rotate = {
    .name = "rotate",
    .arguments = N_("GLOB…"),
    .summary = N_("change the passwords of mailboxes at OVH and prove them by login"),
    .examples = N_("passation rotate technique@martin.fr\tone mailbox\n"
                   "passation rotate '*@martin.fr' -n\twhat would be changed\n"
                   "passation rotate 'technique@*' --json\t"
                   "all domains, one object per line\n"
                   "passation rotate '*@martin.fr' --prove\t"
                   "and wait until the old ones were tried\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .options = rotate_options,
    .options_size = sizeof(struct cmd_rotate_options),
    .run = run_rotate,
};
