#include "cli/cmd_show.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/display.h"
#include "cli/doubt.h"
#include "cli/issue_show.h"

/* Masked unless asked for: nothing is read out of the vault but by psn_reveal(). */
#define MASK "********"

static const struct cli_option show_options[] = {
    { "reveal", 0, CLI_FLAG, offsetof(struct cmd_show_options, reveal), NULL,
      N_("print the secret, alone on the first line") },
    { "clip", 'c', CLI_FLAG, offsetof(struct cmd_show_options, copy), NULL,
      N_("copy it to the clipboard, for 45 seconds (PASSATION_CLIP_TIME)") },
    { "qrcode", 'q', CLI_FLAG, offsetof(struct cmd_show_options, qr), NULL,
      N_("draw it as a QR code on the terminal") },
    { "versions", 0, CLI_FLAG, offsetof(struct cmd_show_options, versions), NULL,
      N_("list all versions, those being tried too; with --reveal their values") },
    { "replacement", 0, CLI_FLAG, offsetof(struct cmd_show_options, replacement), NULL,
      N_("not the present one, but what was made ready to take its place") },
    { 0 },
};

static enum psn_code find_secret(struct cli *cli, struct cli_shown *subject,
                                 struct psn_error *err)
{
    char word[PSN_ERROR_HINT_MAX];
    enum psn_code rc = psn_secret_get(cli->vault, subject->role.address, subject->label,
                                      &subject->info, err);

    if (rc || !subject->info.hidden || subject->hidden_too)
        return rc;
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("%s: the secret '%s' was removed"),
                   subject->role.address, CLI_SHOWN(subject->label));
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("its versions are still there: passation show %s %s --versions"),
                    subject->role.address,
                    psn_text_quoted(subject->label, word, sizeof word));
}

static enum psn_code find_subject(struct cli *cli, struct cli_shown *subject,
                                  struct psn_error *err)
{
    enum psn_code rc = psn_role_get(cli->vault, cli->args[0], &subject->role, err);

    if (!rc && subject->label[0])
        return find_secret(cli, subject, err);
    return rc ? rc
              : psn_role_mail_settings(cli->vault, &subject->role, &subject->mail, err);
}

/* --- for people ----------------------------------------------------------------------
 */

static void row_version(struct cli_table *table, uint64_t version, int64_t changed_s)
{
    char text[64];
    char time[PSN_TIME_SIZE];

    if (version == 0)
        cli_display_row(table, _("Version"), _("none proved yet"));
    if (version == 0)
        return;
    (void)snprintf(text, sizeof text, "%llu, %s", (unsigned long long)version,
                   cli_display_time(changed_s, time));
    cli_display_row(table, _("Version"), text);
}

static void row_host(struct cli_table *table, const char *label, const char *host,
                     uint16_t port, const char *security)
{
    char text[PSN_SERVER_MAX];

    if (!host[0])
        return;
    (void)snprintf(text, sizeof text, "%s:%u (%s)", host, (unsigned)port, security);
    cli_display_row(table, label, text);
}

static void rows_of_role(struct cli_table *table, const struct cli_shown *subject)
{
    const struct psn_role *role = &subject->role;
    const struct psn_mail_settings *mail = &subject->mail;
    char time[PSN_TIME_SIZE];
    char doubt[CLI_DOUBT_MAX];

    cli_display_row(table, _("Address"), role->address);
    cli_display_row(table, _("Client"), role->client);
    row_version(table, role->version, role->changed_s);
    if (cli_doubt_text(role, doubt)[0])
        cli_display_row(table, _("In doubt"), doubt);
    else
        cli_display_row(table, _("Proved"), cli_display_time(role->verified_s, time));
    if (role->ovh_changed_s)
        cli_display_row(table, _("Changed, says OVH"),
                        cli_display_time(role->ovh_changed_s, time));
    if (role->expires_s)
        cli_display_row(table, _("Ends by itself"),
                        cli_display_time(role->expires_s, time));
    if (role->platform[0])
        cli_display_row(table, _("Platform"), role->platform);
    cli_display_row(table, _("State"), cli_display_state(role));
    if (role->reason[0])
        cli_display_row(table, _("Reason"), role->reason);
    row_host(table, "IMAP", mail->imap_host, mail->imap_port, mail->imap_security);
    row_host(table, "SMTP", mail->smtp_host, mail->smtp_port, mail->smtp_security);
    if (mail->webmail[0])
        cli_display_row(table, _("Webmail"), mail->webmail);
}

/* Which of the recovery codes are used, since the secret itself does not say. */
static void row_codes(struct cli_table *table, const struct psn_secret_info *info)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(1024);
    const char *before = " ";

    if (info->code_count == 0)
        return;
    psn_buf_format(&text, _("%zu of %zu left"), psn_recovery_left(info),
                   info->code_count);
    if (psn_recovery_left(info) < info->code_count)
        psn_buf_text(&text, _("; used:"));
    for (size_t i = 0; i < info->code_count; i++)
        if (info->code_used_s[i]) {
            psn_buf_format(&text, "%s%zu", before, i + 1);
            before = ", ";
        }
    cli_display_row(table, _("Codes"), psn_buf_str(&text));
}

static void rows_of_secret(struct cli_table *table, const struct psn_secret_info *info)
{
    cli_display_row(table, _("Address"), info->address);
    cli_display_row(table, _("Label"), info->label);
    cli_display_row(table, _("Type"), info->type);
    cli_display_row(table, _("User"), info->user);
    cli_display_row(table, _("URL"), info->url);
    cli_display_row(table, _("Expires"), info->expires);
    row_version(table, info->version, info->changed_s);
    row_codes(table, info);
    cli_display_row(table, _("Note"), info->note);
    cli_display_row(table, _("Unchangeable"), info->unchangeable);
}

/* The value may stand there already: what is missing is told at the end. */
static void print_details(struct cli *cli, const struct cli_shown *subject, bool masked)
{
    PSN_AUTO(cli_table) *table = cli_table_new(2);

    if (masked)
        cli_display_row(table, subject->label[0] ? _("Secret") : _("Password"), MASK);
    if (subject->label[0])
        rows_of_secret(table, &subject->info);
    else
        rows_of_role(table, subject);
    cli_table_print(cli, table);
    if (masked)
        cli_note(cli, _("It is shown with --reveal, copied with -c, drawn as a QR code "
                        "with -q."));
}

static void warn_of_doubt(const struct cli *cli, const struct cli_shown *subject)
{
    if (!subject->label[0])
        cli_doubt_warn(cli, &subject->role);
}

/* --- the command ---------------------------------------------------------------------
 */

static enum psn_code check_options(const struct cli *cli,
                                   const struct cmd_show_options *options,
                                   struct psn_error *err)
{
    if (options->reveal + options->copy + options->qr > 1)
        return psn_fail(err, PSN_E_INVALID,
                        _("choose one of --reveal, --clip and --qrcode"));
    if (options->versions && (options->copy || options->qr))
        return psn_fail(err, PSN_E_INVALID, _("--versions goes with --reveal alone"));
    if (options->replacement && (options->versions || cli->arg_count < 2))
        return psn_fail(err, PSN_E_INVALID,
                        _("--replacement is of a secret with a label, without "
                          "--versions"));
    if (cli->json && options->qr)
        return psn_fail(err, PSN_E_INVALID, _("--qrcode draws, which JSON cannot hold"));
    return PSN_OK;
}

static enum psn_code print_value(struct cli *cli, const struct cli_shown *subject,
                                 const struct psn_secret *value, struct psn_error *err)
{
    enum psn_code rc = cli_print_secret(cli, value, err);

    if (rc)
        return rc;
    cli_print(cli, "\n");
    print_details(cli, subject, false);
    return PSN_OK;
}

/* Reveals it in the way that was chosen, if any was. */
static enum psn_code take_value(struct cli *cli, const struct cmd_show_options *options,
                                const struct cli_shown *subject,
                                struct psn_secret **ret_value, struct psn_error *err)
{
    enum psn_how how = options->copy ? PSN_HOW_COPIED
                       : options->qr ? PSN_HOW_QR
                                     : PSN_HOW_SHOWN;
    uint64_t version = options->replacement ? subject->info.replacement : 0;
    enum psn_code rc = PSN_OK;

    if (options->replacement && version == 0)
        return psn_fail(err, PSN_E_NOT_FOUND, _("%s, %s: no replacement was made ready"),
                        subject->role.address, CLI_SHOWN(subject->label));
    if (!options->reveal && !options->copy && !options->qr)
        return PSN_OK;
    if (options->copy)
        rc = cli_check_clipboard(err);
    return rc ? rc
              : psn_reveal(cli->vault, subject->role.address, subject->label, version,
                           how, ret_value, &version, err);
}

static enum psn_code show(struct cli *cli, const struct cmd_show_options *options,
                          struct cli_shown *subject, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    enum psn_code rc = take_value(cli, options, subject, &value, err);

    if (!rc && options->copy)
        rc = cli_copy_secret(cli, value, err);
    if (!rc && options->qr)
        rc = cli_print_qr(cli, value, err);
    if (rc)
        return rc;
    if (cli->json)
        return cli_shown_json(cli, subject, options->reveal ? value : NULL, err);
    if (options->copy || options->qr)
        return PSN_OK;
    if (value)
        return print_value(cli, subject, value, err);
    print_details(cli, subject, true);
    return PSN_OK;
}

static enum psn_code run_show(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_show_options *options = arg;
    struct cli_shown subject = { .label = cli->arg_count > 1 ? cli->args[1] : "",
                                 .hidden_too = options->replacement };
    struct psn_error cause = { 0 };
    enum psn_code rc = check_options(cli, options, err);

    if (rc)
        return rc;
    if (options->versions)
        return cli_show_versions(cli, subject.label, options->reveal, err);
    rc = find_subject(cli, &subject, &cause);
    if (rc == PSN_E_NOT_FOUND && cli_is_received(cli, cli->args[0]))
        return cli_received_show(cli, cli->args[0], subject.label, options, err);
    if (rc && err)
        *err = cause;
    if (!rc)
        rc = show(cli, options, &subject, err);
    if (!rc)
        warn_of_doubt(cli, &subject);
    return rc;
}

const struct cli_command cmd_show = {
    .name = "show",
    .arguments = N_("ADDRESS [LABEL]"),
    .summary = N_("show a mailbox's password, or another secret of the role"),
    .examples =
        N_("passation show technique@martin.fr\teverything but the password\n"
           "passation show technique@martin.fr --reveal\tthe password on line 1\n"
           "passation show technique@martin.fr -c\tthe password on the clipboard\n"
           "passation show technique@martin.fr ftp --reveal --json\t"
           "another secret, for a program\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 2,
    .options = show_options,
    .options_size = sizeof(struct cmd_show_options),
    .run = run_show,
};
