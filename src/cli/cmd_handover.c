#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/display.h"
#include "cli/handover_show.h"
#include "cli/outcome.h"

/* handover: the client gets everything, and nothing stays here. What begins it, what
 * tells how far it is, and what a machine can do. */

/* --- start --- */

struct cmd_handover_start_options {
    const char *to;
    const char *contract;
    const char *giver;
    const char *receiver;
    const char *place;
    const char *identity;
};

static const struct cli_option start_options[] = {
    { "to", 0, CLI_TEXT, offsetof(struct cmd_handover_start_options, to), N_("PERSON"),
      N_("whom everything is handed over to") },
    { "contract", 0, CLI_TEXT, offsetof(struct cmd_handover_start_options, contract),
      N_("TEXT"), N_("the contract that ends, for the statement") },
    { "giver", 0, CLI_TEXT, offsetof(struct cmd_handover_start_options, giver),
      N_("TEXT"), N_("you, as the statement names you: name, SIREN, represented by") },
    { "receiver", 0, CLI_TEXT, offsetof(struct cmd_handover_start_options, receiver),
      N_("TEXT"), N_("the client, in the same way") },
    { "place", 0, CLI_TEXT, offsetof(struct cmd_handover_start_options, place),
      N_("TEXT"), N_("where it is handed over, or by which channel") },
    { "identity", 0, CLI_TEXT, offsetof(struct cmd_handover_start_options, identity),
      N_("TEXT"), N_("how you made sure who receives it") },
    { 0 },
};

static enum psn_code run_start(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_handover_start_options *options = arg;
    const struct psn_handover_terms terms = { .client = cli->args[0],
                                              .to = options->to,
                                              .contract = options->contract,
                                              .giver = options->giver,
                                              .receiver = options->receiver,
                                              .place = options->place,
                                              .identity = options->identity };
    enum psn_code rc = psn_handover_start(cli->vault, &terms, err);

    return rc ? rc : cli_handover_show(cli, cli->args[0], false, err);
}

const struct cli_command cmd_handover_start = {
    .name = "handover start",
    .arguments = N_("CLIENT"),
    .summary = N_("begin to hand everything of a client over, or change its terms"),
    .examples = N_("passation handover start martin --to martine\tat the end of a "
                   "contract\n"
                   "passation handover start martin --contract 'Maintenance 2024-17'\t"
                   "what the statement is to say, later\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = start_options,
    .options_size = sizeof(struct cmd_handover_start_options),
    .run = run_start,
};

/* --- status --- */

struct cmd_handover_status_options {
    bool all;
};

static const struct cli_option status_options[] = {
    { "all", 0, CLI_FLAG, offsetof(struct cmd_handover_status_options, all), NULL,
      N_("of one client: every line of every stage") },
    { 0 },
};

static enum psn_code run_status(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_handover_status_options *options = arg;

    if (options->all && cli->arg_count == 0)
        return psn_fail(err, PSN_E_INVALID, _("--all is for one CLIENT"));
    return cli->arg_count ? cli_handover_show(cli, cli->args[0], options->all, err)
                          : cli_handover_list(cli, err);
}

const struct cli_command cmd_handover_status = {
    .name = "handover status",
    .arguments = N_("[CLIENT]"),
    .summary = N_("what is done, what blocks, and who must act"),
    .examples = N_("passation handover status\tevery handover that is open\n"
                   "passation handover status martin\tone, with its checklist\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .max_args = 1,
    .options = status_options,
    .options_size = sizeof(struct cmd_handover_status_options),
    .run = run_status,
};

/* --- item --- */

struct cmd_handover_item_options {
    bool transferred;
    bool given;
    bool removed;
    bool none;
    bool open;
    const char *reserve;
    const char *note;
};

static const struct cli_option item_options[] = {
    { "transferred", 0, CLI_FLAG, offsetof(struct cmd_handover_item_options, transferred),
      NULL, N_("the client owns it at the provider") },
    { "given", 0, CLI_FLAG, offsetof(struct cmd_handover_item_options, given), NULL,
      N_("it is in the trousseau, as a secret or a file") },
    { "removed", 0, CLI_FLAG, offsetof(struct cmd_handover_item_options, removed), NULL,
      N_("our access to it is removed") },
    { "none", 0, CLI_FLAG, offsetof(struct cmd_handover_item_options, none), NULL,
      N_("this client has no such thing") },
    { "reserve", 0, CLI_TEXT, offsetof(struct cmd_handover_item_options, reserve),
      N_("TEXT"), N_("it is not handed over, and why") },
    { "open", 0, CLI_FLAG, offsetof(struct cmd_handover_item_options, open), NULL,
      N_("as if nothing had been said") },
    { "note", 0, CLI_TEXT, offsetof(struct cmd_handover_item_options, note), N_("TEXT"),
      N_("what the statement is to say of it") },
    { 0 },
};

static enum psn_code pick_mode(const struct cmd_handover_item_options *options,
                               enum psn_handover_mode *ret_mode, struct psn_error *err)
{
    const struct {
        bool wanted;
        enum psn_handover_mode mode;
    } modes[] = {
        { options->transferred, PSN_HANDOVER_TRANSFERRED },
        { options->given, PSN_HANDOVER_GIVEN },
        { options->removed, PSN_HANDOVER_REMOVED },
        { options->none, PSN_HANDOVER_NONE },
        { options->open, PSN_HANDOVER_OPEN },
        { options->reserve != NULL, PSN_HANDOVER_RESERVE },
    };
    size_t count = 0;

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (modes[i].wanted) {
            *ret_mode = modes[i].mode;
            count++;
        }
    if (count == 1)
        return PSN_OK;
    return psn_fail(err, PSN_E_INVALID,
                    _("say one of --transferred, --given, --removed, --none, --open and "
                      "--reserve TEXT"));
}

static enum psn_code run_item(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_handover_item_options *options = arg;
    enum psn_handover_mode mode = PSN_HANDOVER_OPEN;
    enum psn_code rc = pick_mode(options, &mode, err);

    for (size_t i = 1; !rc && i < cli->arg_count; i++)
        rc = psn_handover_item_set(cli->vault, cli->args[0], cli->args[i], mode,
                                   options->reserve ? options->reserve : options->note,
                                   err);
    return rc ? rc : cli_handover_show(cli, cli->args[0], false, err);
}

const struct cli_command cmd_handover_item = {
    .name = "handover item",
    .arguments = N_("CLIENT ITEM…"),
    .summary = N_("say how things on the checklist are handed over"),
    .examples = N_("passation handover item martin account domain --transferred\t"
                   "owned by the client at OVH\n"
                   "passation handover item martin payment --reserve 'owner change asked "
                   "for on 12/06'\tnot done yet, and why\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 2,
    .max_args = SIZE_MAX,
    .options = item_options,
    .options_size = sizeof(struct cmd_handover_item_options),
    .run = run_item,
};

/* --- next --- */

struct cmd_handover_next_options {
    uint64_t jobs;
};

static const struct cli_option next_options[] = {
    CLI_JOBS_OPTION(cmd_handover_next_options),
    { 0 },
};

static void tell_stage(void *arg, enum psn_handover_stage stage)
{
    struct cli_outcomes *outcomes = arg;

    cli_progress_clear(outcomes->progress);
    outcomes->is_refusal_hoped = stage == PSN_HANDOVER_OWNED;
    if (stage == PSN_HANDOVER_INVENTORY)
        cli_note(outcomes->cli, _("Looking at the OVH account …"));
    else if (stage == PSN_HANDOVER_ROTATION)
        cli_note(outcomes->cli, _("Replacing passwords, and proving it …"));
    else if (stage == PSN_HANDOVER_OWNED)
        cli_note(outcomes->cli,
                 _("Asking the mail servers whether our passwords still work: refused is "
                   "what we hope for …"));
}

static enum psn_code run_next(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_handover_next_options *options = arg;
    struct cli_outcomes outcomes;
    struct psn_handover_run run = { .stage = tell_stage, .arg = &outcomes };
    enum psn_code rc = cli_display_ca(cli, err);

    if (!rc)
        rc = cli_outcomes_begin(&outcomes, cli, &run.mailboxes, err);
    if (rc)
        return rc;
    outcomes.nothing = NULL;
    run.mailboxes.prove = true;
    rc = cli_outcomes_set_jobs(&run.mailboxes, options->jobs, err);
    if (!rc)
        rc = psn_handover_next(cli->vault, cli->args[0], &run, err);
    rc = cli_outcomes_end(&outcomes, rc, err);
    if (!rc)
        rc = cli_handover_show(cli, cli->args[0], false, err);
    return rc;
}

const struct cli_command cmd_handover_next = {
    .name = "handover next",
    .arguments = N_("CLIENT"),
    .summary = N_("do whatever a machine can do for a handover now"),
    .examples = N_("passation handover next martin\tlooks at OVH, replaces passwords, "
                   "follows what was asked for\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = next_options,
    .options_size = sizeof(struct cmd_handover_next_options),
    .run = run_next,
};

/* --- abandon --- */

struct cmd_handover_abandon_options {
    const char *reason;
};

static const struct cli_option abandon_options[] = {
    { "reason", 0, CLI_TEXT, offsetof(struct cmd_handover_abandon_options, reason),
      N_("TEXT"), N_("why, for the journal") },
    { 0 },
};

static enum psn_code run_abandon(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_handover_abandon_options *options = arg;
    enum psn_code rc =
        cli_confirm(cli, err, _("Give up the handover of %s?"), CLI_SHOWN(cli->args[0]));

    if (!rc)
        rc = psn_handover_abandon(cli->vault, cli->args[0], options->reason, err);
    if (!rc)
        cli_note(cli, _("Given up. Nothing was undone: what was issued stays with the "
                        "client."));
    return rc;
}

const struct cli_command cmd_handover_abandon = {
    .name = "handover abandon",
    .arguments = N_("CLIENT"),
    .summary = N_("give a handover up; nothing is undone"),
    .examples = N_("passation handover abandon martin --reason 'contract renewed'\t"
                   "the work goes on\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = abandon_options,
    .options_size = sizeof(struct cmd_handover_abandon_options),
    .run = run_abandon,
};
