#include <stdio.h>

#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/display.h"
#include "cli/issue_show.h"
#include "cli/opening.h"
#include "cli/outcome.h"

/* client import: a trousseau from another webmaster becomes a client of this vault. */

struct cmd_client_import_options {
    const char *id;
    const char *former;
    const char *endpoint;
    const char *imap;
    const char *smtp;
    const char *issuer;
    int code_fd;
    bool dry_run;
};

#define TEXT_OPTION(option, member, value, help)                                        \
    {                                                                                   \
        option, 0, CLI_TEXT, offsetof(struct cmd_client_import_options, member), value, \
            help                                                                        \
    }

static const struct cli_option import_options[] = {
    TEXT_OPTION("id", id, N_("ID"), N_("the client's id here (as in the trousseau)")),
    TEXT_OPTION("former", former, N_("PERSON"),
                N_("who made it, and still knows all of it (former-ID)")),
    TEXT_OPTION("endpoint", endpoint, "ovh-eu|ovh-ca|URL",
                N_("OVH's API: ovh-eu (default), ovh-ca, or the URL of its v1 root")),
    TEXT_OPTION("imap", imap, N_("URL"),
                N_("imaps://HOST:PORT, instead of the mail service's own server")),
    TEXT_OPTION("smtp", smtp, N_("URL"),
                N_("smtps://HOST:PORT, instead of the mail service's own server")),
    TEXT_OPTION(
        "issuer", issuer, N_("KEY"),
        N_("whom you trust: a fingerprint, SHA256:…, or a key, ssh-ed25519 AAAA…")),
    { "code-fd", 0, CLI_FD, offsetof(struct cmd_client_import_options, code_fd), N_("N"),
      N_("the code is on file descriptor N") },
    { "dry-run", 'n', CLI_FLAG, offsetof(struct cmd_client_import_options, dry_run), NULL,
      N_("only check it, and show what is in it") },
    { 0 },
};

static enum psn_code print_taken(struct cli *cli, const struct psn_taken *taken,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "client", taken->client);
    cli_json_text(&json, "former", taken->former);
    cli_json_number(&json, "roles", (int64_t)taken->roles);
    cli_json_number(&json, "secrets", (int64_t)taken->secrets);
    cli_json_bool(&json, "linked", taken->is_linked);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

/* Whoever made the trousseau must not be trusted with what is in it any longer. */
static enum psn_code rotate_all(struct cli *cli, const struct psn_taken *taken,
                                struct psn_error *err)
{
    struct cli_outcomes outcomes;
    struct psn_run run;
    struct psn_client client = { 0 };
    enum psn_code rc = cli_outcomes_begin(&outcomes, cli, &run, err);

    if (!rc)
        rc = psn_client_get(cli->vault, taken->client, &client, err);
    for (size_t i = 0; !rc && i < client.domain_count; i++) {
        char glob[PSN_DOMAIN_NAME_MAX + 2];
        const char *globs[] = { glob };

        (void)snprintf(glob, sizeof glob, "*@%s", client.domains[i]);
        rc = psn_rotate(cli->vault, globs, 1, &run, err);
    }
    psn_client_release(&client);
    return cli_outcomes_end(&outcomes, rc, err);
}

static enum psn_code propose(struct cli *cli, const struct psn_taken *taken,
                             struct psn_error *err)
{
    cli_note(cli,
             PSN_NGETTEXT("✓ Taken over: %zu mailbox", "✓ Taken over: %zu mailboxes",
                          taken->roles),
             taken->roles);
    cli_note(
        cli,
        _("'%s' still knows all of it, so all of it is due: see 'passation due', and "
          "'passation who %s'."),
        taken->former, taken->former);
    if (!taken->is_linked) {
        cli_note(cli,
                 _("Replace everything now: passation ovh link %s; then passation due "
                   "--apply"),
                 taken->client);
        return PSN_OK;
    }
    if (!cli_has_terminal(cli) && !cli->yes)
        return PSN_OK;
    if (cli_confirm(cli, NULL, _("Replace every password now?")))
        return PSN_OK;
    return rotate_all(cli, taken, err);
}

static enum psn_code run(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_client_import_options *options = arg;
    const struct cli_opening opening = { options->issuer, options->code_fd };
    const struct psn_takeover takeover = { .client = options->id,
                                           .former = options->former,
                                           .endpoint = options->endpoint,
                                           .imap = options->imap,
                                           .smtp = options->smtp };
    PSN_AUTO(psn_opened) *opened = NULL;
    struct psn_taken taken;
    enum psn_code rc = cli_open_issue(cli, cli->args[0], &opening, NULL, &opened, err);

    if (!rc && (options->dry_run || !cli->json))
        rc = cli_issue_show(cli, opened, false, err);
    if (rc || options->dry_run)
        return rc;
    cli_busy_begin(cli, _("taking the client over"));
    rc = psn_client_import(cli->vault, opened, &takeover, &taken, err);
    cli_busy_end();
    if (!rc && cli->json)
        return print_taken(cli, &taken, err);
    return rc ? rc : propose(cli, &taken, err);
}

const struct cli_command cmd_client_import = {
    .name = "client import",
    .arguments = N_("TROUSSEAU"),
    .summary =
        N_("take a client over from another webmaster, from the client's trousseau"),
    .examples =
        N_("passation client import trousseau-martin-1795/trousseau.html\tasks for the "
           "code, and whether the issuer is the one you know\n"
           "passation client import trousseau.age -n\tonly checks it\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = import_options,
    .options_size = sizeof(struct cmd_client_import_options),
    .run = run,
};
