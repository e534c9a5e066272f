#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/client_show.h"
#include "cli/fields.h"
#include "cli/owned.h"

/* client add, set, ls, show, rm. */

struct cmd_client_options {
    const char *nic;
    const char *name;
    const char *endpoint;
    const char *imap;
    const char *smtp;
    const char *rate;
    const char *settle;
    const char *login_cache;
    const char *failed_logins;
    struct cli_texts domains;
    struct cli_texts more_domains;
};

#define TEXT_OPTION(option, member, value, help)                                      \
    {                                                                                 \
        option, 0, CLI_TEXT, offsetof(struct cmd_client_options, member), value, help \
    }

static const struct cli_option client_options[] = {
    TEXT_OPTION("nic", nic, N_("NIC"), N_("the OVH account's ID, such as xm000000-ovh")),
    { "domain", 0, CLI_TEXTS, offsetof(struct cmd_client_options, domains), N_("DOMAIN"),
      N_("a domain of the client; may be given several times, and then stands for those "
         "there were") },
    { "add-domain", 0, CLI_TEXTS, offsetof(struct cmd_client_options, more_domains),
      N_("DOMAIN"), N_("a domain more, beside those there are; may be repeated") },
    TEXT_OPTION("name", name, N_("NAME"), N_("the client's name, as people write it")),
    TEXT_OPTION("endpoint", endpoint, "ovh-eu|ovh-ca|URL",
                N_("OVH's API: ovh-eu (default), ovh-ca, or the URL of its v1 root")),
    TEXT_OPTION("imap", imap, N_("URL"),
                N_("imaps://HOST:PORT, instead of the mail service's own server")),
    TEXT_OPTION("smtp", smtp, N_("URL"),
                N_("smtps://HOST:PORT, instead of the mail service's own server")),
    TEXT_OPTION("rate", rate, N_("COUNT/min"),
                N_("API calls a minute at most (60/min); 0: no limit")),
    TEXT_OPTION("settle", settle, N_("DURATION"),
                N_("after this long, no request is on its way any more (10m)")),
    TEXT_OPTION("login-cache", login_cache, N_("DURATION"),
                N_("how long a mail server may remember a refused login (61m)")),
    TEXT_OPTION("failed-logins", failed_logins, N_("COUNT/DURATION"),
                N_("refused logins per mailbox at most (3/5m)")),
    { 0 },
};

static enum psn_code apply_texts(const struct cmd_client_options *options,
                                 struct psn_client *client, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (options->nic)
        rc = cli_field_copy("--nic", options->nic, client->nic, sizeof client->nic, err);
    if (!rc && options->name)
        rc = cli_field_copy("--name", options->name, client->name, sizeof client->name,
                            err);
    if (!rc && options->endpoint)
        rc = cli_field_copy("--endpoint", options->endpoint, client->endpoint,
                            sizeof client->endpoint, err);
    if (!rc && options->imap)
        rc = cli_field_copy("--imap", options->imap, client->imap, sizeof client->imap,
                            err);
    if (!rc && options->smtp)
        rc = cli_field_copy("--smtp", options->smtp, client->smtp, sizeof client->smtp,
                            err);
    return rc;
}

static enum psn_code apply_limits(const struct cmd_client_options *options,
                                  struct psn_client_limits *limits, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (options->rate)
        rc = cli_field_rate(options->rate, &limits->rate_per_min, err);
    if (!rc && options->settle)
        rc = cli_field_duration("--settle", options->settle, &limits->settle_s, err);
    if (!rc && options->login_cache)
        rc = cli_field_duration("--login-cache", options->login_cache,
                                &limits->login_cache_s, err);
    if (!rc && options->failed_logins)
        rc = cli_field_failed_logins(options->failed_logins, &limits->failed_logins,
                                     &limits->failed_logins_window_s, err);
    return rc;
}

static enum psn_code add_domains(const struct cli_texts *domains,
                                 struct psn_client *client, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < domains->count; i++)
        rc = psn_client_add_domain(client, domains->items[i], err);
    return rc;
}

/* The domains that are given replace those there were. */
static enum psn_code apply_domains(const struct cmd_client_options *options,
                                   struct psn_client *client, struct psn_error *err)
{
    enum psn_code rc;

    if (options->domains.count > 0)
        psn_client_release(client);
    rc = add_domains(&options->domains, client, err);
    return rc ? rc : add_domains(&options->more_domains, client, err);
}

static enum psn_code apply(const struct cmd_client_options *options,
                           struct psn_client *client, struct psn_error *err)
{
    enum psn_code rc = apply_texts(options, client, err);

    if (!rc)
        rc = apply_limits(options, &client->limits, err);
    return rc ? rc : apply_domains(options, client, err);
}

/* Prints a client as the vault has it now. */
static enum psn_code print_stored(struct cli *cli, const char *id, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_client) client = psn_client_init();
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc = psn_client_get(cli->vault, id, &client, err);

    if (rc)
        return rc;
    cli_owned_settle(cli, &client);
    if (!cli->json)
        return cli_client_print(cli, &client, err);
    cli_client_json(&json, NULL, &client);
    return cli_json_print(cli, &json, err);
}

/* --- add -----------------------------------------------------------------------------
 */

static enum psn_code run_add(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_client_options *options = arg;
    PSN_AUTO_RELEASE(psn_client) client = psn_client_init();
    enum psn_code rc =
        cli_field_copy(_("the id"), cli->args[0], client.id, sizeof client.id, err);

    if (!rc && !options->nic) {
        (void)psn_fail(err, PSN_E_INVALID,
                       _("client '%s': the ID of the OVH account is missing"),
                       CLI_SHOWN(client.id));
        return psn_hint(err, PSN_E_INVALID, _("give it with --nic xm000000-ovh"));
    }
    if (!rc)
        rc = apply(options, &client, err);
    if (!rc)
        rc = psn_client_add(cli->vault, &client, err);
    if (rc)
        return rc;
    rc = print_stored(cli, client.id, err);
    cli_next(cli, _("Next: passation ovh link %s"), client.id);
    return rc;
}

const struct cli_command cmd_client_add = {
    .name = "client add",
    .arguments = N_("ID --nic NIC --domain DOMAIN…"),
    .summary = N_("add a client: an OVH account and its domains"),
    .examples = N_("passation client add martin --nic xm000000-ovh --domain martin.fr\t"
                   "one domain\n"
                   "passation client add durand --nic xd000000-ovh --domain durand.fr "
                   "--domain durand.com\ttwo domains\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED | CLI_NEW,
    .min_args = 1,
    .max_args = 1,
    .options = client_options,
    .options_size = sizeof(struct cmd_client_options),
    .run = run_add,
};

/* --- set -----------------------------------------------------------------------------
 */

static bool changes_nothing(const struct cmd_client_options *options)
{
    return !options->nic && !options->name && !options->endpoint && !options->imap &&
           !options->smtp && !options->rate && !options->settle &&
           !options->login_cache && !options->failed_logins &&
           options->domains.count == 0 && options->more_domains.count == 0;
}

static enum psn_code run_set(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_client_options *options = arg;
    PSN_AUTO_RELEASE(psn_client) client = psn_client_init();
    enum psn_code rc;

    if (changes_nothing(options)) {
        (void)psn_fail(err, PSN_E_INVALID, _("client '%s': nothing to change was given"),
                       CLI_SHOWN(cli->args[0]));
        return psn_hint(err, PSN_E_INVALID,
                        _("see what can be set: passation help client set"));
    }
    rc = psn_client_get(cli->vault, cli->args[0], &client, err);
    if (!rc)
        rc = apply(options, &client, err);
    if (!rc)
        rc = psn_client_set(cli->vault, &client, err);
    return rc ? rc : print_stored(cli, client.id, err);
}

const struct cli_command cmd_client_set = {
    .name = "client set",
    .arguments = N_("CLIENT"),
    .summary = N_("change what is known of a client"),
    .examples = N_("passation client set martin --domain martin.fr --domain martin.com\t"
                   "its domains are now these two\n"
                   "passation client set martin --add-domain martin.shop\tone more\n"
                   "passation client set martin --rate 30/min\t"
                   "call OVH more slowly\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = client_options,
    .options_size = sizeof(struct cmd_client_options),
    .run = run_set,
};

/* --- show ----------------------------------------------------------------------------
 */

static enum psn_code run_show(struct cli *cli, const void *arg, struct psn_error *err)
{
    (void)arg;
    return print_stored(cli, cli->args[0], err);
}

const struct cli_command cmd_client_show = {
    .name = "client show",
    .arguments = N_("CLIENT"),
    .summary = N_("show what is known of a client"),
    .examples = N_("passation client show martin\taccount, domains, limits, API key\n"
                   "passation client show martin --json\tthe same for a program\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .run = run_show,
};
