#include <inttypes.h>

#include "base/text.h"
#include "cli/cli.h"

static enum psn_code parse_serial(const char *text, uint64_t *ret_serial,
                                  struct psn_error *err)
{
    if (psn_text_parse_u64(text, INT64_MAX, ret_serial) && *ret_serial)
        return PSN_OK;
    return psn_fail(err, PSN_E_INVALID, _("'%s' is no serial"), CLI_SHOWN(text));
}

static enum psn_code print(struct cli *cli, const struct psn_issue *issue,
                           struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    if (!cli->json) {
        cli_print(cli,
                  _("Issue %" PRIu64 " for %s (%s): the receipt code is right, it was "
                    "opened\n"),
                  issue->serial, issue->person, issue->client);
        cli_note(cli, _("This is a delivery note; it does not prove who opened it."));
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_number(&json, "serial", (int64_t)issue->serial);
    cli_json_text(&json, "person", issue->person);
    cli_json_text(&json, "client", issue->client);
    cli_json_text(&json, "state", psn_issue_state_name(issue->state));
    cli_json_time(&json, "confirmed_at", issue->confirmed_s);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static enum psn_code run_check(struct cli *cli, const void *arg, struct psn_error *err)
{
    struct psn_issue issue;
    uint64_t serial = 0;
    enum psn_code rc = PSN_OK;

    (void)arg;
    if (cli->arg_count == 2)
        rc = parse_serial(cli->args[0], &serial, err);
    if (!rc)
        rc = psn_receipt_check(cli->vault, serial, cli->args[cli->arg_count - 1], &issue,
                               err);
    return rc ? rc : print(cli, &issue, err);
}

const struct cli_command cmd_receipt_check = {
    .name = "receipt check",
    .arguments = N_("[SERIAL] CODE"),
    .summary = N_("note that an issue was opened, by the code that stands in it"),
    .examples = N_("passation receipt check K7MQ2-9XWVT-A\tas it was read out to you\n"
                   "passation receipt check 1795892400000 K7MQ2-9XWVT-A\t"
                   "of this very issue\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 2,
    .run = run_check,
};
