#include "cli/cmd_show.h"
#include "cli/display.h"
#include "cli/doubt.h"

static void put_host(struct cli_json *json, const char *name, const char *host,
                     uint16_t port, const char *security)
{
    cli_json_open(json, name, '{');
    cli_json_text(json, "host", host[0] ? host : NULL);
    cli_display_json_count(json, "port", port);
    cli_json_text(json, "security", host[0] ? security : NULL);
    cli_json_close(json, '}');
}

static void put_value(struct cli_json *json, const char *name,
                      const struct psn_secret *value)
{
    if (value)
        cli_json_secret(json, name, value);
    else
        cli_json_null(json, name);
}

static void put_role(struct cli_json *json, const struct cli_shown *subject,
                     const struct psn_secret *value)
{
    const struct psn_role *role = &subject->role;
    const struct psn_mail_settings *mail = &subject->mail;

    cli_json_text(json, "address", role->address);
    cli_json_text(json, "username", role->address);
    put_value(json, "password", value);
    cli_display_json_count(json, "version", role->version);
    cli_json_time(json, "changed_at", role->changed_s);
    cli_json_time(json, "verified_at", role->verified_s);
    cli_json_text(json, "client", role->client);
    cli_json_text(json, "backend", role->backend[0] ? role->backend : NULL);
    cli_json_text(json, "state", psn_role_state_name(role->state));
    cli_json_text(json, "reason", role->reason[0] ? role->reason : NULL);
    cli_doubt_json(json, role);
    cli_display_json_count(json, "pending", role->pending);
    cli_json_tristate(json, "old_dead", role->old_dead);
    cli_display_json_platform(json, role);
    put_host(json, "imap", mail->imap_host, mail->imap_port, mail->imap_security);
    put_host(json, "smtp", mail->smtp_host, mail->smtp_port, mail->smtp_security);
    cli_json_text(json, "webmail", mail->webmail[0] ? mail->webmail : NULL);
}

/* "password" too: whoever reads show's objects finds the secret under one name. */
static void put_secret(struct cli_json *json, const struct psn_secret_info *info,
                       const struct psn_secret *value)
{
    cli_display_json_secret(json, info);
    put_value(json, "value", value);
    put_value(json, "password", value);
}

enum psn_code cli_shown_json(struct cli *cli, const struct cli_shown *subject,
                             const struct psn_secret *value, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    if (subject->label[0])
        put_secret(&json, &subject->info, value);
    else
        put_role(&json, subject, value);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}
