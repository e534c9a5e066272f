#include "cli/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* An environment variable that is set and not empty, or NULL. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

static enum psn_code join(const char *folder, const char *rest, char out[CLI_PATH_MAX],
                          struct psn_error *err)
{
    if (snprintf(out, CLI_PATH_MAX, "%s/%s", folder, rest) >= CLI_PATH_MAX)
        return psn_fail(err, PSN_E_INVALID, _("the path '%s' is too long"), folder);
    return PSN_OK;
}

/* $name if it is an absolute path, as the XDG rules ask; else under the home folder. */
static enum psn_code xdg(const char *name, const char *fallback, const char *rest,
                         char out[CLI_PATH_MAX], struct psn_error *err)
{
    const char *folder = variable(name);
    const char *home = variable("HOME");
    char under_home[CLI_PATH_MAX];
    enum psn_code rc;

    if (folder && folder[0] == '/')
        return join(folder, rest, out, err);
    if (!home) {
        (void)psn_fail(err, PSN_E_INVALID,
                       _("HOME is not set, so there is no place for "
                         "passation's files"));
        return psn_hint(err, PSN_E_INVALID,
                        _("set HOME, or XDG_DATA_HOME and "
                          "XDG_STATE_HOME"));
    }
    rc = join(home, fallback, under_home, err);
    return rc ? rc : join(under_home, rest, out, err);
}

enum psn_code cli_paths_init(struct cli *cli, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (!cli->vault_path)
        cli->vault_path = variable("PASSATION_VAULT");
    if (!cli->vault_path) {
        rc = xdg("XDG_DATA_HOME", ".local/share", "passation/vault.db",
                 cli->vault_path_default, err);
        cli->vault_path = cli->vault_path_default;
    }
    if (!rc)
        rc = xdg("XDG_STATE_HOME", ".local/state", "passation", cli->state_dir, err);
    cli->ca_file = variable("PASSATION_CA_FILE");
    cli->vault_options = (struct psn_vault_options){
        .path = cli->vault_path,
        .state_dir = cli->state_dir,
        .ca_file = cli->ca_file,
    };
    return rc;
}

static bool is_our_folder(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid();
}

/* The session's own folder, if it is one: under su or sudo the variable may still name
 * another user's. */
static enum psn_code place(char out[CLI_PATH_MAX], struct psn_error *err)
{
    const char *session = variable("XDG_RUNTIME_DIR");

    if (session && session[0] == '/' && is_our_folder(session))
        return join(session, "passation", out, err);
    return xdg("XDG_STATE_HOME", ".local/state", "passation/run", out, err);
}

/* Without the variable, as in a job of cron's or under sudo, there may be a session all
 * the same, and it has its folder where systemd puts it. */
size_t cli_paths_run_places(const struct cli *cli, char out[][CLI_PATH_MAX])
{
    const char *session = variable("XDG_RUNTIME_DIR");
    char usual[64];
    size_t count = 0;

    (void)snprintf(usual, sizeof usual, "/run/user/%lu", (unsigned long)geteuid());
    if (!session || session[0] != '/' || !is_our_folder(session))
        session = usual;
    if (is_our_folder(session) && join(session, "passation", out[count], NULL) == PSN_OK)
        count++;
    if (join(cli->state_dir, "run", out[count], NULL) == PSN_OK)
        count++;
    return count;
}

enum psn_code cli_paths_check_private(const char *path, struct psn_error *err)
{
    char word[PSN_ERROR_HINT_MAX];
    struct stat info;

    if (lstat(path, &info) != 0)
        return psn_fail(err, psn_file_code(errno), _("cannot open folder '%s': %s"), path,
                        strerror(errno));
    if (S_ISDIR(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 077) == 0)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_POLICY, _("the folder '%s' is not yours alone"), path);
    return psn_hint(err, PSN_E_POLICY, _("make it so: chmod 700 %s"),
                    psn_text_quoted(path, word, sizeof word));
}

enum psn_code cli_paths_run_dir(bool make, char out[CLI_PATH_MAX], struct psn_error *err)
{
    enum psn_code rc = place(out, err);

    if (!rc && make)
        rc = psn_file_make_dir(out, err);
    return rc ? rc : cli_paths_check_private(out, err);
}

enum psn_code cli_paths_config_dir(char out[CLI_PATH_MAX], struct psn_error *err)
{
    return xdg("XDG_CONFIG_HOME", ".config", "passation", out, err);
}

enum psn_code cli_paths_make_parent(const char *path, struct psn_error *err)
{
    PSN_AUTO_FREE char *folder = psn_file_dir_of(path);
    struct stat info;

    if (!folder)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    return stat(folder, &info) == 0 ? PSN_OK : psn_file_make_dir(folder, err);
}
