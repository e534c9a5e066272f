#include "cli/rekey_plan.h"

struct cmd_rekey_options {
    struct cli_rekey_options plan;
    bool due;
};

static const struct cli_option rekey_options[] = {
    CLI_REKEY_OPTIONS(offsetof(struct cmd_rekey_options, plan)),
    { "due", 0, CLI_FLAG, offsetof(struct cmd_rekey_options, due), NULL,
      N_("only list the OVH credentials that a leaver may still know") },
    { 0 },
};

static enum psn_code add_due(void *arg, const char *client, struct psn_error *err)
{
    (void)err;
    cli_json_text(arg, NULL, client);
    return PSN_OK;
}

static enum psn_code list_due(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc = cli_unlock(cli, err);

    if (rc || !cli->json)
        return rc ? rc : cli_rekey_due(cli, err);
    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "due", '[');
    rc = psn_due_credential_each(cli->vault, add_due, &json, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    if (!rc)
        rc = cli_json_print(cli, &json, err);
    return rc ? rc : cli_rekey_due(cli, err);
}

static enum psn_code run_rekey(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_rekey_options *options = arg;
    __attribute__((cleanup(cli_rekey_close))) struct cli_rekey_plan plan = { 0 };
    enum psn_code rc;

    if (options->due)
        return list_due(cli, err);
    rc = cli_rekey_open(cli, &options->plan, &plan, err);
    return rc ? rc : cli_rekey_run(&plan, _("The vault has new keys."), err);
}

const struct cli_command cmd_rekey = {
    .name = "rekey",
    .summary = N_("give the vault new keys, and seal everything anew"),
    .examples = N_("passation rekey\tkeeps the passphrase that is typed; others go\n"
                   "passation rekey --keep-identity-file key.txt\tand an identity\n"
                   "passation rekey --leaver\talso signing key and age identity\n"),
    .needs = CLI_NEEDS_VAULT,
    .options = rekey_options,
    .options_size = sizeof(struct cmd_rekey_options),
    .run = run_rekey,
};
