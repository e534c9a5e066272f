#include "cli/opening.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cli/busy.h"

static enum psn_code confirm(void *arg, const char *fingerprint, const char *name,
                             struct psn_error *err)
{
    struct cli *cli = arg;
    char last[9];
    size_t size = strlen(fingerprint);

    (void)snprintf(last, sizeof last, "%s", fingerprint + (size > 8 ? size - 8 : 0));
    return cli_confirm_typed(
        cli, last, err,
        _("This issue says it is from %s, signed with a key not known here:\n"
          "  %s\n"
          "Compare the fingerprint with the issuer by telephone. If it is the same, type "
          "its last 8 characters:"),
        CLI_SHOWN(name), fingerprint);
}

enum psn_code cli_read_code(struct cli *cli, int code_fd, const char *prompt,
                            struct psn_secret **ret_code, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *typed = NULL;
    enum psn_code rc;

    if (code_fd >= 0)
        rc = cli_read_secret(cli, code_fd, prompt, &typed, err);
    else
        rc = cli_ask_secret(cli, prompt, PSN_SECRET_MAX, &typed, err);
    return rc ? rc : psn_code_normalize(typed, ret_code, err);
}

enum psn_code cli_open_issue(struct cli *cli, const char *path,
                             const struct cli_opening *opening,
                             const struct psn_secret *identity,
                             struct psn_opened **ret_opened, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *code = NULL;
    struct psn_open_request request = {
        .path = path, .issuer = opening->issuer, .identity = identity, .arg = cli
    };
    enum psn_code rc = PSN_OK;

    if (!identity && (opening->code_fd >= 0 || psn_issue_asks_code(path)))
        rc = cli_read_code(cli, opening->code_fd, _("Code of the issue: "), &code, err);
    request.code = code;
    if (cli_has_terminal(cli))
        request.confirm = confirm;
    if (rc)
        return rc;
    cli_busy_begin(cli, _("opening the issue, and checking it"));
    rc = psn_open(cli->vault, &request, ret_opened, err);
    cli_busy_end();
    return rc;
}
