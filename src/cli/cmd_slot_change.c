#include "cli/new_key.h"
#include "cli/rekey_plan.h"

/* slot rm and slot set: a rekey without a slot, or with another key for it. */

struct cmd_slot_rm_options {
    struct cli_rekey_options plan;
};

static const struct cli_option rm_options[] = {
    CLI_REKEY_OPTIONS(offsetof(struct cmd_slot_rm_options, plan)),
    { 0 },
};

static enum psn_code run_rm(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_slot_rm_options *options = arg;
    __attribute__((cleanup(cli_rekey_close))) struct cli_rekey_plan plan = { 0 };
    enum psn_code rc = cli_rekey_open(cli, &options->plan, &plan, err);

    for (size_t i = 0; !rc && i < cli->arg_count; i++)
        rc = cli_rekey_drop(&plan, cli->args[i], err);
    return rc ? rc
              : cli_rekey_run(&plan, _("The slot is gone, and the vault has new keys."),
                              err);
}

const struct cli_command cmd_slot_rm = {
    .name = "slot rm",
    .arguments = N_("PERSON|SLOT…"),
    .summary = N_("take a way to unlock the vault away, with new keys for all"),
    .examples = N_("passation slot rm paul\teverything of Paul's\n"
                   "passation slot rm paul:passphrase\tone kind\n"
                   "passation slot rm paul:passphrase --leaver\t"
                   "somebody who knew it has left: also new own keys\n"),
    .needs = CLI_NEEDS_VAULT,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .options = rm_options,
    .options_size = sizeof(struct cmd_slot_rm_options),
    .run = run_rm,
};

/* --- slot set --- */

struct cmd_slot_set_options {
    struct cli_rekey_options plan;
    struct cli_new_key_options key;
    bool keep_keys;
};

static const struct cli_option set_options[] = {
    CLI_REKEY_OPTIONS(offsetof(struct cmd_slot_set_options, plan)),
    { "new-passphrase-fd", 0, CLI_FD,
      offsetof(struct cmd_slot_set_options, key.passphrase_fd), N_("N"),
      N_("the new passphrase is on file descriptor N") },
    { "new-identity-file", 0, CLI_TEXT,
      offsetof(struct cmd_slot_set_options, key.identity_file), N_("FILE"),
      N_("the new way in is this age identity file") },
    { "keep-keys", 0, CLI_FLAG, offsetof(struct cmd_slot_set_options, keep_keys), NULL,
      N_("no rekey: an old copy and the old passphrase still lead to what comes later") },
    { 0 },
};

struct choice {
    size_t index;
    size_t count;
};

static void choose(struct cli_rekey_plan *plan, size_t index, void *arg)
{
    struct choice *choice = arg;

    (void)plan;
    choice->index = index;
    choice->count++;
}

/* Which slot: the one that is named, else the one in use. */
static enum psn_code find_slot(struct cli_rekey_plan *plan, size_t *ret_index,
                               struct psn_error *err)
{
    struct choice choice = { 0 };
    const struct cli *cli = plan->cli;
    enum psn_code rc;

    *ret_index = plan->in_use;
    if (cli->arg_count == 0)
        return PSN_OK;
    rc = cli_rekey_select(plan, cli->args[0], choose, &choice, err);
    if (rc)
        return rc;
    if (choice.count > 1) {
        (void)psn_fail(err, PSN_E_INVALID, _("'%s' has %zu slots"),
                       CLI_SHOWN(cli->args[0]), choice.count);
        return psn_hint(err, PSN_E_INVALID,
                        _("name one by its kind or id, PERSON:passphrase; see: passation "
                          "slot ls"));
    }
    *ret_index = choice.index;
    return PSN_OK;
}

static enum psn_code tell_set(struct cli *cli, const char *person,
                              enum psn_slot_kind kind, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    if (!cli->json) {
        cli_print(
            cli,
            _("The slot of %s has another key; the vault's own keys are the same.\n"),
            person);
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_bool(&json, "rekeyed", false);
    cli_json_text(&json, "person", person);
    cli_json_text(&json, "kind", psn_slot_kind_name(kind));
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static enum psn_code set_in_place(struct cli *cli, struct cli_rekey_plan *plan,
                                  const struct cmd_slot_set_options *options,
                                  struct psn_error *err)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    struct psn_key key = { 0 };
    size_t index = 0;
    enum psn_code rc = cli_unlock(cli, err);

    *plan = (struct cli_rekey_plan){ .cli = cli, .options = &options->plan };
    if (!rc)
        rc = cli_rekey_read_slots(plan, err);
    if (!rc)
        rc = find_slot(plan, &index, err);
    if (!rc)
        rc = cli_new_key(cli, &options->key, &key.kind, &secret, err);
    key.secret = secret;
    if (!rc)
        rc = psn_slot_set(cli->vault, plan->slots[index].slot.id, &key, err);
    if (rc)
        return rc;
    cli_note(cli, _("Who has a copy of the vault from before and the former key can read "
                    "what is written from now on, too. Without --keep-keys not."));
    return tell_set(cli, plan->slots[index].slot.person, key.kind, err);
}

static enum psn_code run_set(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_slot_set_options *options = arg;
    __attribute__((cleanup(cli_rekey_close))) struct cli_rekey_plan plan = { 0 };
    PSN_AUTO(psn_secret) *secret = NULL;
    enum psn_slot_kind kind = 0;
    size_t index = 0;
    enum psn_code rc;

    if (options->keep_keys && options->plan.leaver)
        return psn_fail(err, PSN_E_INVALID, _("a leaver needs new keys: no --keep-keys"));
    if (options->keep_keys)
        return set_in_place(cli, &plan, options, err);
    rc = cli_rekey_open(cli, &options->plan, &plan, err);
    if (!rc)
        rc = find_slot(&plan, &index, err);
    if (!rc)
        rc = cli_new_key(cli, &options->key, &kind, &secret, err);
    if (!rc)
        rc = cli_rekey_change(&plan, index, kind, &secret, err);
    return rc ? rc
              : cli_rekey_run(&plan,
                              _("The slot has another key, and the vault has new ones."),
                              err);
}

const struct cli_command cmd_slot_set = {
    .name = "slot set",
    .arguments = N_("[PERSON|SLOT]"),
    .summary = N_("change a passphrase, with new keys for the vault"),
    .examples = N_("passation slot set\tthe passphrase in use\n"
                   "passation slot set paul:passphrase\tPaul has forgotten his\n"
                   "passation slot set --keep-keys\tonly the passphrase\n"),
    .needs = CLI_NEEDS_VAULT,
    .max_args = 1,
    .options = set_options,
    .options_size = sizeof(struct cmd_slot_set_options),
    .run = run_set,
};
