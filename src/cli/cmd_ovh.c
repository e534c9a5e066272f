#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/linking.h"

/* ovh link; ovh inventory is in cmd_inventory.c. */

enum {
    WAIT_S = 15 * 60,
    PAIR_MAX = 1024,
};

struct cmd_ovh_link_options {
    const char *config;
    const char *use;
    const char *wait;
    int secret_fd;
    bool service_account;
    bool no_wait;
    bool anew;
    bool accept_wide;
};

static const struct cli_option link_options[] = {
    { "config", 0, CLI_TEXT, offsetof(struct cmd_ovh_link_options, config), N_("FILE"),
      N_("the ovh.conf that holds a whole credential, instead of asking the owner") },
    { "for", 0, CLI_TEXT, offsetof(struct cmd_ovh_link_options, use), "work|cut",
      N_("cut: a second key, for a day, with which 'passation sweep' removes accesses") },
    { "secret-fd", 0, CLI_FD, offsetof(struct cmd_ovh_link_options, secret_fd), N_("N"),
      N_("read the application's KEY:SECRET from this descriptor") },
    { "service-account", 0, CLI_FLAG,
      offsetof(struct cmd_ovh_link_options, service_account), NULL,
      N_("the pair is an OAuth2 service account's CLIENT_ID:CLIENT_SECRET") },
    { "wait", 0, CLI_TEXT, offsetof(struct cmd_ovh_link_options, wait), N_("DURATION"),
      N_("how long to wait for the owner's approval (15m)") },
    { "no-wait", 0, CLI_FLAG, offsetof(struct cmd_ovh_link_options, no_wait), NULL,
      N_("look once, and leave the key waiting") },
    { "new", 0, CLI_FLAG, offsetof(struct cmd_ovh_link_options, anew), NULL,
      N_("ask for a new key, although one waits for its approval") },
    { "accept-wide", 0, CLI_FLAG, offsetof(struct cmd_ovh_link_options, accept_wide),
      NULL, N_("take a key that may do more than passation needs; journalled") },
    { 0 },
};

static enum psn_code check(const struct cmd_ovh_link_options *options,
                           struct psn_error *err)
{
    bool asks = !options->config && !options->service_account;

    if (options->use && strcmp(options->use, "work") != 0 &&
        strcmp(options->use, "cut") != 0)
        return psn_fail(err, PSN_E_INVALID, _("--for takes work or cut"));
    if (options->config && (options->secret_fd >= 0 || options->service_account))
        return psn_fail(err, PSN_E_INVALID,
                        _("--config excludes --secret-fd and --service-account"));
    if (!asks && (options->wait || options->no_wait || options->anew))
        return psn_fail(err, PSN_E_INVALID,
                        _("--wait, --no-wait and --new are for a key that the owner is "
                          "asked for"));
    if (options->wait && options->no_wait)
        return psn_fail(err, PSN_E_INVALID, _("--wait and --no-wait exclude each other"));
    return PSN_OK;
}

static enum psn_code read_config(struct cli *cli, const char *path,
                                 struct psn_secret **ret_config, struct psn_error *err)
{
    char word[CLI_PATH_MAX];
    enum psn_code rc = psn_secret_read_file(path, PSN_CONFIG_MAX, ret_config, err);

    if (rc)
        return psn_wrap(err, rc, _("client '%s'"), CLI_SHOWN(cli->args[0]));
    if (psn_file_is_exposed(path))
        cli_warn(cli, _("others on this machine can read '%s'; protect it: chmod 600 %s"),
                 CLI_SHOWN(path), psn_text_quoted(path, word, sizeof word));
    return PSN_OK;
}

/* The two halves, typed one after the other. */
static enum psn_code ask_pair(struct cli *cli, bool is_account,
                              struct psn_secret **ret_pair, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    PSN_AUTO(psn_secret) *secret = NULL;
    PSN_AUTO(psn_secret) *pair = NULL;
    enum psn_code rc;

    if (!is_account && cli_has_terminal(cli))
        cli_note(cli,
                 _("The two keys of your application, which OVH gives at its createApp "
                   "page; for Europe: https://eu.api.ovh.com/createApp/"));
    rc = cli_ask_secret(cli, is_account ? _("Client id: ") : _("Application key: "),
                        PAIR_MAX / 2, &key, err);

    if (!rc)
        rc = cli_ask_secret(cli,
                            is_account ? _("Client secret: ") : _("Application secret: "),
                            PAIR_MAX / 2, &secret, err);
    if (!rc)
        rc = psn_secret_new(PAIR_MAX + 1, &pair, err);
    if (!rc)
        rc = psn_secret_append(pair, psn_secret_bytes(key), psn_secret_size(key), err);
    if (!rc)
        rc = psn_secret_append(pair, ":", 1, err);
    if (!rc)
        rc = psn_secret_append(pair, psn_secret_bytes(secret), psn_secret_size(secret),
                               err);
    if (!rc)
        *ret_pair = PSN_TAKE(pair);
    return rc;
}

/* What is not given and not in the vault is asked for. */
static enum psn_code need_pair(struct cli *cli,
                               const struct cmd_ovh_link_options *options,
                               enum psn_key_use use, struct psn_secret **ret_pair,
                               struct psn_error *err)
{
    struct psn_client client = psn_client_init();
    enum psn_code rc;
    bool known;

    if (options->secret_fd >= 0) {
        rc = psn_secret_read_fd(options->secret_fd, PAIR_MAX, ret_pair, err);
        return rc ? psn_wrap(err, rc, _("client '%s'"), CLI_SHOWN(cli->args[0])) : rc;
    }
    rc = psn_client_get(cli->vault, cli->args[0], &client, err);
    known = !rc && !options->service_account && psn_client_has_application(&client, use);
    psn_client_release(&client);
    if (rc || known)
        return rc;
    if (cli_has_terminal(cli))
        return ask_pair(cli, options->service_account, ret_pair, err);
    (void)psn_fail(err, PSN_E_INVALID, _("client '%s': no API credential was given"),
                   CLI_SHOWN(cli->args[0]));
    return psn_hint(err, PSN_E_INVALID,
                    _("give application key and secret as KEY:SECRET with --secret-fd N, "
                      "or a whole credential with --config ovh.conf"));
}

static enum psn_code run_link(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_ovh_link_options *options = arg;
    PSN_AUTO(psn_secret) *config = NULL;
    PSN_AUTO(psn_secret) *pair = NULL;
    struct psn_link_options link = { .is_account = options->service_account,
                                     .accept_wide = options->accept_wide,
                                     .anew = options->anew,
                                     .wait_s = options->no_wait ? 0 : WAIT_S };
    enum psn_code rc = check(options, err);

    link.use =
        options->use && strcmp(options->use, "cut") == 0 ? PSN_KEY_CUT : PSN_KEY_WORK;
    if (!rc && options->wait)
        rc = cli_field_duration("wait", options->wait, &link.wait_s, err);
    if (!rc && options->config)
        rc = read_config(cli, options->config, &config, err);
    else if (!rc)
        rc = need_pair(cli, options, link.use, &pair, err);
    if (rc)
        return rc;
    link.config = config;
    link.pair = pair;
    rc = cli_link(cli, cli->args[0], &link, err);
    if (rc)
        return rc;
    if (config)
        cli_note(cli,
                 _("The key is in the vault now. Delete '%s' if nothing else needs "
                   "it."),
                 CLI_SHOWN(options->config));
    if (link.use == PSN_KEY_WORK)
        cli_next(cli, _("Next: passation ovh inventory %s"), CLI_SHOWN(cli->args[0]));
    return PSN_OK;
}

const struct cli_command cmd_ovh_link = {
    .name = "ovh link",
    .arguments = N_("CLIENT"),
    .summary = N_("ask a client's owner for an API key, or store one"),
    .examples = N_("passation ovh link martin\t"
                   "ask for the application's keys, show the owner's page, wait\n"
                   "passation ovh link martin --for cut\t"
                   "a second key, for a day, for cutting accesses\n"
                   "passation ovh link martin --config ovh.conf\t"
                   "a whole credential from the section of the client's endpoint\n"
                   "passation ovh link martin --service-account\t"
                   "an OAuth2 service account, asked for on the terminal\n"
                   "passation ovh link martin --config ovh.conf --accept-wide\t"
                   "take a key with more rights than needed\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = link_options,
    .options_size = sizeof(struct cmd_ovh_link_options),
    .run = run_link,
};
