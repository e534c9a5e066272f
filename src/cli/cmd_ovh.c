#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/display.h"

/* ovh link; ovh inventory is in cmd_inventory.c. */

struct cmd_ovh_link_options {
    const char *config;
    bool accept_wide;
};

static const struct cli_option link_options[] = {
    { "config", 0, CLI_TEXT, offsetof(struct cmd_ovh_link_options, config), N_("FILE"),
      N_("the ovh.conf that holds application key, secret and consumer key") },
    { "accept-wide", 0, CLI_FLAG, offsetof(struct cmd_ovh_link_options, accept_wide),
      NULL, N_("take a key that may do more than passation needs; journalled") },
    { 0 },
};

static enum psn_code print_link_json(struct cli *cli, const char *id,
                                     const struct psn_link *link, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "client", id);
    cli_json_text(&json, "nic", link->nic);
    cli_json_time(&json, "expires_at", link->expires_s);
    cli_json_number(&json, "rules", (int64_t)link->rules);
    cli_json_bool(&json, "wide", link->wide);
    cli_json_text(&json, "wide_rule", link->wide ? link->wide_rule : NULL);
    cli_json_number(&json, "missing", (int64_t)link->missing);
    cli_json_text(&json, "missing_rule", link->missing > 0 ? link->missing_rule : NULL);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static void print_link(struct cli *cli, const char *id, const struct psn_link *link)
{
    char time[PSN_TIME_SIZE];

    cli_print(cli,
              PSN_NGETTEXT("%s: linked to the OVH account %s; the key has %zu rule\n",
                           "%s: linked to the OVH account %s; the key has %zu rules\n",
                           link->rules),
              CLI_SHOWN(id), CLI_SHOWN(link->nic), link->rules);
    if (link->expires_s)
        cli_print(cli, _("The key expires on %s; make a new one before that.\n"),
                  cli_display_time(link->expires_s, time));
    else
        cli_print(cli, _("The key does not expire.\n"));
}

static void warn_of_rules(struct cli *cli, const struct psn_link *link)
{
    if (link->missing > 0)
        cli_warn(cli,
                 PSN_NGETTEXT("the key lacks %zu rule that passation needs: %s; make a "
                              "key with the rules of passation-ovh(1)",
                              "the key lacks %zu rules that passation needs, the first "
                              "is %s; make a key with the rules of passation-ovh(1)",
                              link->missing),
                 link->missing, CLI_SHOWN(link->missing_rule));
    if (link->wide)
        cli_warn(cli,
                 _("the key may do more than passation needs, such as %s; whoever gets "
                   "it can too; replace it by a narrower one when you can"),
                 CLI_SHOWN(link->wide_rule));
}

static enum psn_code run_link(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_ovh_link_options *options = arg;
    PSN_AUTO(psn_secret) *config = NULL;
    const char *id = cli->args[0];
    struct psn_link link;
    enum psn_code rc;

    if (!options->config) {
        (void)psn_fail(err, PSN_E_INVALID, _("client '%s': no API credential was given"),
                       CLI_SHOWN(id));
        return psn_hint(err, PSN_E_INVALID, _("give it with --config ovh.conf"));
    }
    rc = psn_secret_read_file(options->config, PSN_CONFIG_MAX, &config, err);
    if (rc)
        return psn_wrap(err, rc, _("client '%s'"), CLI_SHOWN(id));
    if (psn_file_is_exposed(options->config))
        cli_warn(cli, _("others on this machine can read '%s'; protect it: chmod 600 %s"),
                 CLI_SHOWN(options->config), CLI_SHOWN(options->config));
    rc = cli_display_ca(cli, err);
    if (!rc)
        rc = psn_client_link(cli->vault, id, config, options->accept_wide, &link, err);
    if (rc)
        return rc;
    if (cli->json)
        rc = print_link_json(cli, id, &link, err);
    else
        print_link(cli, id, &link);
    warn_of_rules(cli, &link);
    cli_note(cli,
             _("The key is in the vault now. Delete '%s' if nothing else needs it; "
               "next: passation ovh inventory %s"),
             CLI_SHOWN(options->config), CLI_SHOWN(id));
    return rc;
}

const struct cli_command cmd_ovh_link = {
    .name = "ovh link",
    .arguments = N_("CLIENT --config FILE"),
    .summary = N_("store a client's API key, after asking OVH whose it is"),
    .examples = N_("passation ovh link martin --config ovh.conf\t"
                   "the section of the client's endpoint is used\n"
                   "passation ovh link martin --config ovh.conf --accept-wide\t"
                   "take a key with more rights than needed\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = link_options,
    .options_size = sizeof(struct cmd_ovh_link_options),
    .run = run_link,
};
