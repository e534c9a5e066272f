#include "cli/gpg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/spawn.h"

/* gpg's agent asks on the terminal that this names. */
static void name_terminal(void)
{
    const char *name = getenv("GPG_TTY") ? NULL : ttyname(STDERR_FILENO);

    if (name)
        (void)setenv("GPG_TTY", name, 1);
}

/* It decrypts and does nothing else: it asks no server for a key, and checks no
 * signature, for which it would want one. */
static int start(struct cli *cli, int from, int to, pid_t *ret_pid)
{
    static const char *const asking[] = { "--quiet",
                                          "--batch",
                                          "--no-auto-key-retrieve",
                                          "--no-auto-key-locate",
                                          "--disable-dirmngr",
                                          "--skip-verify",
                                          "--decrypt",
                                          NULL };
    static const char *const silent[] = { "--quiet",
                                          "--batch",
                                          "--no-auto-key-retrieve",
                                          "--no-auto-key-locate",
                                          "--disable-dirmngr",
                                          "--skip-verify",
                                          "--pinentry-mode",
                                          "cancel",
                                          "--decrypt",
                                          NULL };
    char path[CLI_PATH_MAX];
    const struct cli_spawn spawn = { .path = path,
                                     .args = cli_has_terminal(cli) ? asking : silent,
                                     .in = from,
                                     .out = to };

    return cli_find_program("gpg", path) ? cli_spawn(&spawn, ret_pid) : ENOENT;
}

static enum psn_code fail_start(int status, struct psn_error *err)
{
    if (status != ENOENT)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot start gpg: %s"),
                        strerror(status));
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("gpg is not installed"));
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("entries of pass are encrypted with GnuPG: install it, with the "
                      "key that opens them"));
}

enum psn_code cli_gpg_open(void *arg, int fd, const char *name,
                           struct psn_secret **ret_text, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *text = NULL;
    struct cli *cli = arg;
    int ends[2];
    int status;
    pid_t pid = -1;
    enum psn_code rc = psn_secret_new(PSN_FOREIGN_ENTRY_MAX + 1, &text, err);

    (void)name;
    if (rc)
        return rc;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot make a pipe: %s"),
                        strerror(errno));
    name_terminal();
    status = start(cli, fd, ends[1], &pid);
    (void)close(ends[1]);
    if (status == 0)
        cli_spawn_read(ends[0], text);
    (void)close(ends[0]);
    if (status != 0)
        return fail_start(status, err);
    if (psn_secret_size(text) == psn_secret_capacity(text))
        rc = psn_fail(err, PSN_E_LIMIT, _("the entry is too large"));
    if (!cli_spawn_succeeded(pid) && !rc)
        rc = psn_fail(err, PSN_E_DENIED, _("gpg cannot open it"));
    if (!rc)
        *ret_text = PSN_TAKE(text);
    return rc;
}
