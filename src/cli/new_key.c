#include "cli/new_key.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli/terminal.h"

enum {
    TRIES = 3
};

enum psn_code cli_read_new_passphrase(struct cli *cli, int fd, const char *path,
                                      struct psn_secret **ret_passphrase,
                                      struct psn_error *err)
{
    PSN_AUTO(psn_secret) *passphrase = NULL;
    enum psn_code rc = PSN_OK;

    if (fd >= 0 && path)
        return psn_fail(err, PSN_E_INVALID,
                        _("give the new passphrase once: by descriptor or by file"));
    if (fd >= 0 && cli_is_typed(cli, fd))
        rc = cli_ask_new_secret(cli, _("New passphrase: "), PSN_SECRET_MAX, &passphrase,
                                err);
    else if (fd >= 0)
        rc = psn_secret_read_fd(fd, PSN_SECRET_MAX, &passphrase, err);
    else if (path)
        rc = psn_secret_read_file(path, PSN_SECRET_MAX, &passphrase, err);
    if (!rc && path && psn_file_is_exposed(path))
        cli_warn(cli, _("others can read '%s'; make it yours alone: chmod 600"),
                 CLI_SHOWN(path));
    if (!rc && passphrase)
        rc = psn_passphrase_check(passphrase, err);
    if (!rc)
        *ret_passphrase = PSN_TAKE(passphrase);
    return rc;
}

void cli_warn_identity_place(struct cli *cli, const char *path)
{
    PSN_AUTO_FREE char *folder = psn_file_dir_of(cli->vault_path);
    struct stat vault;
    struct stat identity;

    if (!folder || stat(folder, &vault) != 0 || stat(path, &identity) != 0 ||
        vault.st_dev != identity.st_dev)
        return;
    cli_warn(cli,
             _("the identity file '%s' lies in clear on the vault's disk: whoever takes "
               "the disk opens the vault"),
             CLI_SHOWN(path));
}

/* What was typed is taken if it is strong enough and can be typed again. *ret_taken
 * false: it was said why, ask again. */
static enum psn_code take_typed(struct cli *cli, const struct psn_secret *typed,
                                bool *ret_taken, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *again = NULL;
    struct psn_error why = { 0 };
    enum psn_code rc = psn_passphrase_check(typed, &why);

    *ret_taken = false;
    if (rc == PSN_E_POLICY)
        return cli_tell(why.message, err);
    if (rc)
        return psn_fail(err, rc, "%s", why.message);
    rc = cli_ask_secret(cli, _("Once more: "), PSN_SECRET_MAX, &again, err);
    if (rc)
        return rc;
    *ret_taken = psn_secret_equal(typed, again);
    return *ret_taken ? PSN_OK : cli_tell(_("The two differ."), err);
}

/* *ret_chosen stays NULL: ask again. */
static enum psn_code choose(struct cli *cli, struct psn_secret **proposed,
                            struct psn_secret **ret_chosen, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *typed = NULL;
    bool taken = false;
    enum psn_code rc =
        cli_ask_secret(cli, _("Press Enter to take it, or type one of your own: "),
                       PSN_SECRET_MAX, &typed, err);

    if (!rc && psn_secret_size(typed) == 0)
        *ret_chosen = PSN_TAKE(*proposed);
    else if (!rc)
        rc = take_typed(cli, typed, &taken, err);
    if (taken)
        *ret_chosen = PSN_TAKE(typed);
    return rc;
}

enum psn_code cli_ask_new_passphrase(struct cli *cli, struct psn_secret **ret_passphrase,
                                     struct psn_error *err)
{
    PSN_AUTO(psn_secret) *proposed = NULL;
    PSN_AUTO(psn_secret) *chosen = NULL;
    enum psn_code rc;

    if (!cli_has_terminal(cli)) {
        (void)psn_fail(err, PSN_E_INVALID,
                       _("a new passphrase is needed, and there is "
                         "nobody to ask"));
        return psn_hint(err, PSN_E_INVALID,
                        _("give --passphrase-fd N or --identity-file FILE"));
    }
    rc = psn_new_passphrase(cli_language(), &proposed, err);
    if (!rc)
        rc = cli_tell_secret(cli, _("A passphrase for you, to write down and keep:"),
                             proposed, err);
    for (int i = 0; !rc && !chosen && i < TRIES; i++)
        rc = choose(cli, &proposed, &chosen, err);
    if (!rc && !chosen)
        rc = psn_fail(err, PSN_E_ABORTED, _("no passphrase was chosen"));
    if (!rc)
        *ret_passphrase = PSN_TAKE(chosen);
    return rc;
}

enum psn_code cli_new_key(struct cli *cli, const struct cli_new_key_options *options,
                          enum psn_slot_kind *ret_kind, struct psn_secret **ret_secret,
                          struct psn_error *err)
{
    enum psn_code rc;

    if (options->identity_file && options->passphrase_fd >= 0)
        return psn_fail(err, PSN_E_INVALID, _("give one new way in, not two"));
    *ret_kind = PSN_SLOT_IDENTITY;
    if (options->identity_file) {
        rc = cli_read_identity(cli, options->identity_file, ret_secret, err);
        if (!rc)
            cli_warn_identity_place(cli, options->identity_file);
        return rc;
    }
    *ret_kind = PSN_SLOT_PASSPHRASE;
    if (options->passphrase_fd >= 0)
        return cli_read_new_passphrase(cli, options->passphrase_fd, NULL, ret_secret,
                                       err);
    rc = cli_ask_new_passphrase(cli, ret_secret, err);
    /* Here the flags that a new vault takes would unlock the present one. */
    return rc ? psn_hint(err, rc,
                         _("give --new-passphrase-fd N or --new-identity-file "
                           "FILE"))
              : PSN_OK;
}
