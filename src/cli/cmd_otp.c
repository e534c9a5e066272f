#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/issue_show.h"
#include "cli/otp.h"

/* otp: the second factor of a role's accounts. */

enum {
    SOON_S = 10, /* who reads a code and types it needs about as long */
};

static const struct cli_option otp_options[] = {
    { "clip", 'c', CLI_FLAG, offsetof(struct cmd_otp_options, copy), NULL,
      N_("copy it to the clipboard, for 45 seconds (PASSATION_CLIP_TIME)") },
    { "recovery", 0, CLI_FLAG, offsetof(struct cmd_otp_options, recovery), NULL,
      N_("not a code of the time: the next recovery code, which then counts as used") },
    { "list", 0, CLI_FLAG, offsetof(struct cmd_otp_options, list), NULL,
      N_("with --recovery: say which codes are used, show none") },
    { "used", 0, CLI_TEXT, offsetof(struct cmd_otp_options, used), N_("N"),
      N_("with --recovery: mark code N as used, show none") },
    { "unused", 0, CLI_TEXT, offsetof(struct cmd_otp_options, unused), N_("N"),
      N_("with --recovery: code N was not used after all") },
    { 0 },
};

/* --- which secret --- */

struct choice {
    const char *type;
    char label[PSN_LABEL_TEXT_MAX];
    size_t count;
};

static void consider(struct choice *choice, const char *type, const char *label)
{
    if (strcmp(type, choice->type) != 0)
        return;
    if (choice->count++ == 0)
        (void)snprintf(choice->label, sizeof choice->label, "%s", label);
}

static enum psn_code look(void *arg, const struct psn_secret_info *info,
                          struct psn_error *err)
{
    (void)err;
    consider(arg, info->type, info->label);
    return PSN_OK;
}

static enum psn_code look_received(void *arg, const struct psn_opened_secret *secret,
                                   struct psn_error *err)
{
    (void)err;
    consider(arg, secret->type, secret->label);
    return PSN_OK;
}

/* Without a label it is the only one of its type. */
static enum psn_code choose(struct cli *cli, bool received, struct choice *choice,
                            struct psn_error *err)
{
    const char *address = cli->args[0];
    enum psn_code rc = received ? psn_received_describe(cli->vault, address, NULL,
                                                        look_received, choice, err)
                                : psn_secret_each(cli->vault, address, look, choice, err);

    if (rc || choice->count == 1)
        return rc;
    if (choice->count > 1)
        (void)psn_fail(err, PSN_E_INVALID,
                       _("%s has several secrets of the type %s: give a LABEL"),
                       CLI_SHOWN(address), choice->type);
    else
        (void)psn_fail(err, PSN_E_NOT_FOUND, _("%s has no secret of the type %s"),
                       CLI_SHOWN(address), choice->type);
    if (choice->count > 1)
        return psn_hint(err, PSN_E_INVALID, _("see them with: passation secret ls %s"),
                        CLI_SHOWN(address));
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("add one: passation secret add %s LABEL --type %s"),
                    CLI_SHOWN(address), choice->type);
}

/* --- what is shown --- */

static void put_json(struct cli *cli, const char *label, const struct psn_otp *otp,
                     bool copied, struct cli_json *json)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "address", cli->args[0]);
    cli_json_text(json, "label", label);
    if (copied) {
        cli_json_null(json, "code");
        cli_json_null(json, "next");
    } else {
        cli_json_secret(json, "code", otp->code);
        cli_json_secret(json, "next", otp->next);
    }
    cli_json_time(json, "valid_from", otp->from_s);
    cli_json_time(json, "valid_until", otp->until_s);
    cli_json_number(json, "seconds_left", otp->until_s - otp->now_s);
    cli_json_number(json, "digits", otp->digits);
    cli_json_number(json, "period", otp->period);
    cli_json_text(json, "algorithm", otp->algorithm);
    cli_json_close(json, '}');
}

static bool is_ending(const struct psn_otp *otp)
{
    int64_t left = otp->until_s - otp->now_s;

    return left <= SOON_S && 3 * left <= otp->period;
}

/* The code alone on the first line, as `show` has it. */
static enum psn_code print_code(struct cli *cli, const struct psn_otp *otp,
                                struct psn_error *err)
{
    unsigned long left = (unsigned long)(otp->until_s - otp->now_s);
    enum psn_code rc = cli_print_secret(cli, otp->code, err);

    if (rc)
        return rc;
    cli_print(cli, "\n");
    cli_print(
        cli,
        PSN_NGETTEXT("valid for %lu more second\n", "valid for %lu more seconds\n", left),
        left);
    if (!is_ending(otp))
        return PSN_OK;
    cli_print(cli, _("then: "));
    rc = cli_print_secret(cli, otp->next, err);
    cli_print(cli, "\n");
    return rc;
}

static enum psn_code copy_code(struct cli *cli, const struct psn_otp *otp,
                               struct psn_error *err)
{
    unsigned long left = (unsigned long)(otp->until_s - otp->now_s);
    enum psn_code rc = cli_copy_secret(cli, otp->code, err);

    if (!rc)
        cli_note(cli,
                 PSN_NGETTEXT("The code is valid for %lu more second.",
                              "The code is valid for %lu more seconds.", left),
                 left);
    return rc;
}

static enum psn_code hand_out(struct cli *cli, const char *label, bool copy,
                              const struct psn_otp *otp, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc = copy ? copy_code(cli, otp, err) : PSN_OK;

    if (rc)
        return rc;
    if (!cli->json)
        return copy ? PSN_OK : print_code(cli, otp, err);
    put_json(cli, label, otp, copy, &json);
    return cli_json_print(cli, &json, err);
}

/* --- a secret that somebody else's vault issued --- */

struct reading {
    struct cli *cli;
    struct psn_otp otp;
};

static enum psn_code read_received(void *arg, const struct psn_opened_secret *secret,
                                   struct psn_error *err)
{
    struct reading *reading = arg;

    psn_otp_release(&reading->otp);
    return psn_otp_of(secret->value, psn_clock_now_s(), &reading->otp, err);
}

/* --- the command --- */

static enum psn_code check_options(const struct cmd_otp_options *options,
                                   struct psn_error *err)
{
    int others = options->list + (options->used != NULL) + (options->unused != NULL);
    const char *marked = options->used ? options->used : options->unused;
    uint64_t number;

    if (marked &&
        (!psn_text_parse_u64(marked, PSN_RECOVERY_CODES_MAX, &number) || !number))
        return psn_fail(err, PSN_E_INVALID,
                        _("'%s' is no number of a code, from 1 to %d"), CLI_SHOWN(marked),
                        PSN_RECOVERY_CODES_MAX);
    if (others && !options->recovery)
        return psn_fail(err, PSN_E_INVALID,
                        _("--list, --used and --unused go with --recovery"));
    if (others + options->copy > 1)
        return psn_fail(err, PSN_E_INVALID,
                        _("choose one of --clip, --list, --used and --unused"));
    return PSN_OK;
}

static enum psn_code show_code(struct cli *cli, const char *label, bool received,
                               bool copy, struct psn_error *err)
{
    struct reading reading = { .cli = cli };
    enum psn_how how = copy ? PSN_HOW_COPIED : PSN_HOW_SHOWN;
    enum psn_code rc = copy ? cli_check_clipboard(err) : PSN_OK;

    if (!rc)
        rc = received ? psn_received_reveal(cli->vault, cli->args[0], label, how,
                                            read_received, &reading, err)
                      : psn_otp_reveal(cli->vault, cli->args[0], label, how, &reading.otp,
                                       err);
    if (!rc)
        rc = hand_out(cli, label, copy, &reading.otp, err);
    psn_otp_release(&reading.otp);
    return rc;
}

static enum psn_code run_otp(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_otp_options *options = arg;
    struct choice choice = { .type = options->recovery ? "recovery" : "totp" };
    struct psn_error cause = { 0 };
    struct psn_role role;
    bool received = false;
    enum psn_code rc = check_options(options, err);

    if (rc)
        return rc;
    rc = psn_role_get(cli->vault, cli->args[0], &role, &cause);
    received = rc == PSN_E_NOT_FOUND && cli_is_received(cli, cli->args[0]);
    if (rc && !received) {
        if (err)
            *err = cause;
        return rc;
    }
    if (received && options->recovery)
        return psn_fail(err, PSN_E_POLICY,
                        _("%s was received: which recovery codes are used, only the "
                          "vault that issued it knows"),
                        CLI_SHOWN(cli->args[0]));
    rc = cli->arg_count > 1 ? PSN_OK : choose(cli, received, &choice, err);
    if (rc)
        return rc;
    if (options->recovery)
        return cli_otp_recovery(cli, options, role.address,
                                cli->arg_count > 1 ? cli->args[1] : choice.label, err);
    return show_code(cli, cli->arg_count > 1 ? cli->args[1] : choice.label, received,
                     options->copy, err);
}

const struct cli_command cmd_otp = {
    .name = "otp",
    .arguments = N_("ADDRESS [LABEL]"),
    .summary = N_("show a one-time code for a login, or a recovery code"),
    .examples =
        N_("passation otp technique@martin.fr ovh\tthe code now, and for how long\n"
           "passation otp technique@martin.fr ovh -c\ton the clipboard\n"
           "passation otp technique@martin.fr codes --recovery\t"
           "the next recovery code; it counts as used\n"
           "passation otp technique@martin.fr codes --recovery --unused 3\t"
           "the third one was not needed\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 2,
    .options = otp_options,
    .options_size = sizeof(struct cmd_otp_options),
    .run = run_otp,
};
