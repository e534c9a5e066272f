#include "cli/cli.h"

static enum psn_code print_json(struct cli *cli, const struct psn_vault_keys *keys,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "fingerprint", keys->fingerprint);
    cli_json_text(&json, "ssh", keys->ssh);
    cli_json_text(&json, "allowed_signers", keys->allowed_signers);
    cli_json_text(&json, "minisign", keys->minisign);
    cli_json_text(&json, "age", keys->age);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static enum psn_code run_show(struct cli *cli, const void *options, struct psn_error *err)
{
    struct psn_vault_keys keys;
    enum psn_code rc = psn_vault_public_keys(cli->vault, &keys, err);

    (void)options;
    if (rc || cli->json)
        return rc ? rc : print_json(cli, &keys, err);
    cli_print(cli, "%s\n  %s\n\n", _("Fingerprint, to be told by telephone:"),
              keys.fingerprint);
    cli_print(cli, "%s\n  %s\n\n", _("For ssh-keygen -Y verify (allowed_signers):"),
              keys.allowed_signers);
    cli_print(cli, "%s\n  %s\n\n", _("For minisign -P:"), keys.minisign);
    cli_print(cli, "%s\n  %s\n", _("To encrypt for this vault (age -r):"), keys.age);
    return PSN_OK;
}

const struct cli_command cmd_key_show = {
    .name = "key show",
    .summary = N_("print the vault's public keys"),
    .examples = N_("passation key show\tfingerprint, ssh, minisign and age keys\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .run = run_show,
};
