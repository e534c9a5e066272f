#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli/cli.h"

enum {
    TRIES = 3
};

void cli_warn_unlocked_memory(struct cli *cli)
{
    static bool said;

    if (said || psn_secret_memory_is_locked())
        return;
    said = true;
    cli_warn(cli, _("this system does not let memory be locked (ulimit -l): secrets may "
                    "reach the swap space"));
}

enum psn_code cli_read_identity(struct cli *cli, const char *path,
                                struct psn_secret **ret_identity, struct psn_error *err)
{
    enum psn_code rc = psn_secret_read_file(path, PSN_KEY_FILE_MAX, ret_identity, err);

    if (!rc && psn_file_is_exposed(path))
        cli_warn(cli, _("others can read '%s'; make it yours alone: chmod 600"),
                 CLI_SHOWN(path));
    return rc;
}

/* --- by a flag --- */

static size_t count_flags(const struct cli *cli)
{
    return (size_t)(cli->unlock.passphrase_fd >= 0) +
           (size_t)(cli->unlock.recovery_fd >= 0) +
           (size_t)(cli->unlock.passphrase_file != NULL) +
           (size_t)(cli->unlock.identity_file != NULL);
}

enum psn_code cli_unlock_flag(struct cli *cli, enum psn_slot_kind *ret_kind,
                              struct psn_secret **ret_secret, struct psn_error *err)
{
    if (count_flags(cli) > 1)
        return psn_fail(err, PSN_E_INVALID,
                        _("give one way to unlock the vault, not "
                          "several"));
    *ret_kind = PSN_SLOT_PASSPHRASE;
    if (cli->unlock.passphrase_fd >= 0)
        return cli_read_secret(cli, cli->unlock.passphrase_fd, _("Passphrase: "),
                               ret_secret, err);
    if (cli->unlock.passphrase_file) {
        if (psn_file_is_exposed(cli->unlock.passphrase_file))
            cli_warn(cli, _("others can read '%s'; make it yours alone: chmod 600"),
                     CLI_SHOWN(cli->unlock.passphrase_file));
        return psn_secret_read_file(cli->unlock.passphrase_file, PSN_SECRET_MAX,
                                    ret_secret, err);
    }
    *ret_kind = PSN_SLOT_RECOVERY;
    if (cli->unlock.recovery_fd >= 0)
        return cli_read_secret(cli, cli->unlock.recovery_fd, _("Recovery code: "),
                               ret_secret, err);
    *ret_kind = PSN_SLOT_IDENTITY;
    if (cli->unlock.identity_file)
        return cli_read_identity(cli, cli->unlock.identity_file, ret_secret, err);
    *ret_kind = 0;
    return PSN_OK;
}

/* --- what opens the vault stays --- */

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

enum psn_code cli_check_no_key(const struct cli *cli, const char *path,
                               struct psn_error *err)
{
    const char *const files[] = { cli->unlock.passphrase_file,
                                  cli->unlock.identity_file };
    const int fds[] = { cli->unlock.passphrase_fd, cli->unlock.recovery_fd };
    struct stat target;
    struct stat key;
    bool is_key = false;

    if (stat(path, &target) != 0)
        return PSN_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        is_key =
            is_key || (files[i] && stat(files[i], &key) == 0 && is_same(&key, &target));
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        is_key =
            is_key || (fds[i] >= 0 && fstat(fds[i], &key) == 0 && is_same(&key, &target));
    if (!is_key)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' opens the vault: it is not replaced"),
                   CLI_SHOWN(path));
    return psn_hint(err, PSN_E_INVALID, _("give another name"));
}

/* --- by the agent --- */

enum psn_code cli_unlock_by_agent(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    uint8_t slot[PSN_SLOT_ID_SIZE];
    struct psn_error why = { 0 };
    enum psn_code rc = cli_agent_get(psn_vault_id(cli->vault), &key, slot, &why);

    if (rc && rc != PSN_E_NOT_FOUND)
        cli_warn(cli, _("the agent cannot be asked: %s"), why.message);
    if (rc)
        return PSN_E_NOT_FOUND;
    rc = psn_vault_unlock_key(cli->vault, key, slot, err);
    if (rc == PSN_E_DENIED) {
        cli_note(cli, _("The agent's key no longer fits this vault."));
        psn_error_clear(err);
        return PSN_E_NOT_FOUND;
    }
    cli->unlocked_by_agent = rc == PSN_OK;
    return rc;
}

/* --- on the terminal --- */

static enum psn_code unlock_by_terminal(struct cli *cli, struct psn_error *err)
{
    enum psn_code rc = PSN_E_DENIED;

    if (!cli_has_terminal(cli)) {
        (void)psn_fail(err, PSN_E_LOCKED, _("the vault is locked"));
        return psn_hint(err, PSN_E_LOCKED,
                        _("run 'passation unlock' first, or give --passphrase-fd N or "
                          "--identity-file FILE"));
    }
    if (!psn_vault_has_slot(cli->vault, PSN_SLOT_PASSPHRASE)) {
        (void)psn_fail(err, PSN_E_LOCKED,
                       _("the vault is locked, and no passphrase opens it"));
        return psn_hint(err, PSN_E_LOCKED,
                        _("unlock it with --identity-file FILE or --recovery-fd N"));
    }
    for (int i = 0; rc == PSN_E_DENIED && i < TRIES; i++) {
        PSN_AUTO(psn_secret) *typed = NULL;
        struct psn_key key = { .kind = PSN_SLOT_PASSPHRASE };

        if (i > 0)
            cli_note(cli, _("That is not the passphrase."));
        psn_error_clear(err);
        rc = cli_ask_secret(cli, _("Passphrase: "), PSN_SECRET_MAX, &typed, err);
        key.secret = typed;
        if (!rc)
            rc = psn_vault_unlock(cli->vault, &key, err);
    }
    return rc;
}

enum psn_code cli_unlock(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    struct psn_key key = { 0 };
    enum psn_code rc;

    cli_warn_unlocked_memory(cli);
    rc = cli_unlock_flag(cli, &key.kind, &secret, err);
    key.secret = secret;
    if (rc)
        return rc;
    if (secret)
        return psn_vault_unlock(cli->vault, &key, err);
    rc = cli_unlock_by_agent(cli, err);
    return rc == PSN_E_NOT_FOUND ? unlock_by_terminal(cli, err) : rc;
}
