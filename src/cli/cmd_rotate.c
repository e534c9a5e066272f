#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
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

/* --- who is cut off by it until he is given the new ones --- */

struct waiting {
    const struct cli *cli;
    struct cli_outcomes *outcomes;
    const char *client; /* is a mailbox of his among those that were named? */
    bool is_his;
    char person[PSN_PERSON_ID_MAX]; /* the last that was counted */
};

static bool is_named(const struct cli *cli, const char *address)
{
    char glob[PSN_ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < cli->arg_count; i++) {
        (void)snprintf(glob, sizeof glob, "%s", cli->args[i]);
        psn_text_lower(glob);
        if (psn_text_glob(glob, address))
            return true;
    }
    return false;
}

/* They come in the order of people. */
static enum psn_code count_person(void *arg, const struct psn_grant *grant,
                                  struct psn_error *err)
{
    struct waiting *waiting = arg;

    (void)err;
    if (!grant->due || strcmp(waiting->person, grant->person) == 0 ||
        !is_named(waiting->cli, grant->address))
        return PSN_OK;
    memcpy(waiting->person, grant->person, sizeof waiting->person);
    waiting->outcomes->waiting_people++;
    return PSN_OK;
}

static enum psn_code look_at_role(void *arg, const struct psn_role *role,
                                  struct psn_error *err)
{
    struct waiting *waiting = arg;

    (void)err;
    waiting->is_his = waiting->is_his || strcmp(role->client, waiting->client) == 0;
    return PSN_OK;
}

static enum psn_code count_envelope(void *arg, const struct psn_envelope *envelope,
                                    struct psn_error *err)
{
    struct waiting *waiting = arg;
    enum psn_code rc;

    if (!envelope->is_stale || envelope->is_left || envelope->is_remade)
        return PSN_OK;
    waiting->client = envelope->client;
    waiting->is_his = false;
    rc = psn_role_each(waiting->cli->vault, waiting->cli->args, waiting->cli->arg_count,
                       false, look_at_role, waiting, err);
    waiting->outcomes->waiting_envelopes += !rc && waiting->is_his;
    return rc;
}

/* Not knowing it undoes no rotation: then nothing is told. */
static void count_waiting(struct cli_outcomes *outcomes)
{
    struct waiting waiting = { .cli = outcomes->cli, .outcomes = outcomes };
    struct psn_vault *vault = outcomes->cli->vault;

    outcomes->knows_waiting =
        psn_grant_each(vault, NULL, NULL, 0, count_person, &waiting, NULL) == PSN_OK &&
        psn_envelope_each(vault, count_envelope, &waiting, NULL) == PSN_OK;
}

static void tell_waiting(struct cli *cli, const struct cli_outcomes *outcomes)
{
    if (outcomes->waiting_people > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu person waits for what is new: passation outbox -o DIR",
                              "%zu people wait for what is new: passation outbox -o DIR",
                              outcomes->waiting_people),
                 outcomes->waiting_people);
    if (outcomes->waiting_envelopes > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu recovery envelope waits for what is new: passation "
                              "outbox",
                              "%zu recovery envelopes wait for what is new: passation "
                              "outbox",
                              outcomes->waiting_envelopes),
                 outcomes->waiting_envelopes);
}

/* --- the command --- */

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
    if (outcomes.counts[PSN_RESULT_ROTATED] > 0 && !options->dry_run)
        count_waiting(&outcomes);
    rc = cli_outcomes_end(&outcomes, rc, err);
    if (cli->json)
        return rc;
    if (!rc && !options->dry_run && cli->arg_count == 1 &&
        !cli_field_is_glob(cli->args[0]) && cli_kit_is_there(cli, cli->args[0]))
        cli_note(cli,
                 _("Who has to retype it, and on what: passation profile %s --format "
                   "sheet"),
                 CLI_SHOWN(cli->args[0]));
    if (outcomes.knows_waiting)
        tell_waiting(cli, &outcomes);
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
