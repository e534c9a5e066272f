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
    struct cli *cli;
    const char *client; /* is a mailbox of his among those that were named? */
    bool is_his;
    char person[PSN_PERSON_ID_MAX]; /* the last that was counted */
    size_t people;
    size_t envelopes;
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
    waiting->people++;
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
    waiting->envelopes += !rc && waiting->is_his;
    return rc;
}

static enum psn_code tell_waiting(struct cli *cli, struct psn_error *err)
{
    struct waiting waiting = { .cli = cli };
    enum psn_code rc =
        psn_grant_each(cli->vault, NULL, NULL, 0, count_person, &waiting, err);

    if (!rc)
        rc = psn_envelope_each(cli->vault, count_envelope, &waiting, err);
    if (!rc && waiting.people > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu person waits for what is new: passation outbox -o DIR",
                              "%zu people wait for what is new: passation outbox -o DIR",
                              waiting.people),
                 waiting.people);
    if (!rc && waiting.envelopes > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu recovery envelope waits for what is new: passation "
                              "outbox",
                              "%zu recovery envelopes wait for what is new: passation "
                              "outbox",
                              waiting.envelopes),
                 waiting.envelopes);
    return rc;
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
    rc = cli_outcomes_end(&outcomes, rc, err);
    if (!rc && !options->dry_run && !cli->json && cli->arg_count == 1 &&
        !cli_field_is_glob(cli->args[0]) && cli_kit_is_there(cli, cli->args[0]))
        cli_note(cli,
                 _("Who has to retype it, and on what: passation profile %s --format "
                   "sheet"),
                 CLI_SHOWN(cli->args[0]));
    if (outcomes.counts[PSN_RESULT_ROTATED] == 0 || cli->json)
        return rc;
    if (!rc)
        return tell_waiting(cli, err);
    PSN_IGNORE(tell_waiting(cli, NULL));
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
