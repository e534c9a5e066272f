#include "cli/cli.h"
#include "cli/issue_show.h"
#include "cli/opening.h"

/*
 * open: the receiver's side. It needs no vault; with one, issuers that were trusted once
 * are known, and --store keeps the roles.
 */
struct cmd_open_options {
    const char *issuer;
    int code_fd;
    bool store;
    bool reveal;
};

static const struct cli_option open_options[] = {
    { "issuer", 0, CLI_TEXT, offsetof(struct cmd_open_options, issuer), N_("KEY"),
      N_("whom you trust: a fingerprint, SHA256:…, or a key, ssh-ed25519 AAAA…") },
    { "code-fd", 0, CLI_FD, offsetof(struct cmd_open_options, code_fd), N_("N"),
      N_("the code is on file descriptor N") },
    { "store", 0, CLI_FLAG, offsetof(struct cmd_open_options, store), NULL,
      N_("keep the roles in your own vault") },
    { "reveal", 0, CLI_FLAG, offsetof(struct cmd_open_options, reveal), NULL,
      N_("print the secrets too") },
    { 0 },
};

/* --- the vault, if there is one --- */

/* By the agent, or by the key that opens the file, which may open the vault too. */
static bool unlock_quietly(struct cli *cli, const struct psn_secret *identity)
{
    struct psn_key key = { PSN_SLOT_IDENTITY, identity };

    return cli_unlock_by_agent(cli, NULL) == PSN_OK ||
           (identity && psn_vault_unlock(cli->vault, &key, NULL) == PSN_OK);
}

static bool has_vault_flag(const struct cli *cli)
{
    return cli->unlock.passphrase_fd >= 0 || cli->unlock.recovery_fd >= 0 ||
           cli->unlock.passphrase_file;
}

static enum psn_code open_vault(struct cli *cli, const struct psn_secret *identity,
                                bool needed, struct psn_error *err)
{
    struct psn_error cause = { 0 };
    enum psn_code rc = psn_vault_open(&cli->vault_options, &cli->vault, &cause);

    if (rc == PSN_E_NOT_FOUND && !needed)
        return PSN_OK;
    if (rc) {
        if (err)
            *err = cause;
        return rc;
    }
    if (unlock_quietly(cli, identity))
        return PSN_OK;
    if (needed || has_vault_flag(cli)) {
        cli->unlock.identity_file = NULL;
        return cli_unlock(cli, err);
    }
    psn_vault_free(cli->vault);
    cli->vault = NULL;
    return PSN_OK;
}

static enum psn_code open_issue(struct cli *cli, const struct cmd_open_options *options,
                                struct psn_opened **ret_opened, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *identity = NULL;
    const struct cli_opening opening = { options->issuer, options->code_fd };
    enum psn_code rc = PSN_OK;

    if (cli->unlock.identity_file && options->code_fd >= 0)
        return psn_fail(err, PSN_E_INVALID, _("give an identity or a code, not both"));
    if (cli->unlock.identity_file)
        rc = cli_read_identity(cli, cli->unlock.identity_file, &identity, err);
    if (!rc)
        rc = open_vault(cli, identity, options->store, err);
    return rc ? rc
              : cli_open_issue(cli, cli->args[0], &opening, identity, ret_opened, err);
}

static enum psn_code run(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_open_options *options = arg;
    PSN_AUTO(psn_opened) *opened = NULL;
    enum psn_code rc = open_issue(cli, options, &opened, err);

    if (!rc && options->store)
        rc = psn_opened_store(cli->vault, opened, err);
    if (!rc)
        rc = cli_issue_show(cli, opened, options->reveal, err);
    if (!rc && options->store)
        cli_note(cli, _("Kept in your vault; see: passation role ls"));
    return rc;
}

const struct cli_command cmd_open = {
    .name = "open",
    .arguments = N_("FILE"),
    .summary = N_("check an issue that was sent to you, and show it"),
    .examples = N_("passation open jp-martin-1795892400000.age --identity-file key.txt\t"
                   "asks whether the issuer is the one you know\n"
                   "passation open claire-martin-1795892400000.html --code-fd 3 3<FILE "
                   "--issuer SHA256:…\ta page, by its code\n"
                   "passation open FILE --store\tkeeps its roles in your own vault\n"),
    .needs = CLI_NEEDS_NOTHING,
    .min_args = 1,
    .max_args = 1,
    .options = open_options,
    .options_size = sizeof(struct cmd_open_options),
    .run = run,
};
