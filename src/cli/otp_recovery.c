#include <stdio.h>

#include "base/text.h"
#include "cli/display.h"
#include "cli/otp.h"

/* Codes that work once, for the day when the telephone is lost. */

enum {
    FEW = 2, /* so many left: it is time for new ones */
};

static void put_json(const char *address, const char *label,
                     const struct psn_recovery_code *code, struct cli_json *json)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "address", address);
    cli_json_text(json, "label", label);
    if (code->value)
        cli_json_secret(json, "code", code->value);
    else
        cli_json_null(json, "code");
    cli_json_number(json, "number", (int64_t)code->number);
    cli_json_number(json, "count", (int64_t)code->count);
    cli_json_number(json, "left", (int64_t)code->left);
    cli_json_close(json, '}');
}

static enum psn_code print_json(struct cli *cli, const char *address, const char *label,
                                const struct psn_recovery_code *code,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    put_json(address, label, code, &json);
    return cli_json_print(cli, &json, err);
}

static void warn_of_few(const struct cli *cli, const char *address, const char *label,
                        size_t left)
{
    if (left > FEW)
        return;
    if (left == 0)
        cli_warn(cli,
                 _("%s, %s: that was the last recovery code; have the service make new "
                   "ones, and store them with 'passation secret set'"),
                 address, CLI_SHOWN(label));
    else
        cli_warn(
            cli,
            PSN_NGETTEXT("%s, %s: %zu recovery code is left; have the service make new "
                         "ones, and store them with 'passation secret set'",
                         "%s, %s: %zu recovery codes are left; have the service make "
                         "new ones, and store them with 'passation secret set'",
                         left),
            address, CLI_SHOWN(label), left);
}

/* --- taking one --- */

static enum psn_code print_taken(struct cli *cli, const struct psn_recovery_code *code,
                                 struct psn_error *err)
{
    enum psn_code rc = cli_print_secret(cli, code->value, err);

    if (rc)
        return rc;
    cli_print(cli, "\n");
    cli_print(cli, _("code %zu of %zu, used from now on; %zu left\n"), code->number,
              code->count, code->left);
    return PSN_OK;
}

static enum psn_code take(struct cli *cli, const struct cmd_otp_options *options,
                          const char *address, const char *label, struct psn_error *err)
{
    struct psn_recovery_code code = { 0 };
    char quoted[256];
    enum psn_code rc = options->copy ? cli_check_clipboard(err) : PSN_OK;

    if (!rc)
        rc =
            psn_recovery_take(cli->vault, address, label,
                              options->copy ? PSN_HOW_COPIED : PSN_HOW_SHOWN, &code, err);

    if (rc)
        return rc;
    if (options->copy)
        rc = cli_copy_secret(cli, code.value, err);
    if (options->copy)
        psn_secret_free(PSN_TAKE(code.value));
    if (!rc && cli->json)
        rc = print_json(cli, address, label, &code, err);
    else if (!rc && !options->copy)
        rc = print_taken(cli, &code, err);
    else if (!rc)
        cli_note(cli, _("Code %zu of %zu, used from now on; %zu left."), code.number,
                 code.count, code.left);
    if (!rc)
        warn_of_few(cli, address, label, code.left);
    else
        cli_warn(cli,
                 _("code %zu is marked as used, and nobody saw it; take the mark off: "
                   "passation otp %s %s --recovery --unused %zu"),
                 code.number, address, psn_text_quoted(label, quoted, sizeof quoted),
                 code.number);
    psn_secret_free(code.value);
    return rc;
}

/* --- marking one --- */

static enum psn_code mark(struct cli *cli, const struct cmd_otp_options *options,
                          const char *address, const char *label, struct psn_error *err)
{
    struct psn_recovery_code code = { 0 };
    bool used = options->used != NULL;
    uint64_t number = 0;
    enum psn_code rc;

    (void)psn_text_parse_u64(used ? options->used : options->unused, SIZE_MAX, &number);
    rc = psn_recovery_mark(cli->vault, address, label, (size_t)number, used, &code, err);
    if (rc)
        return rc;
    if (cli->json)
        return print_json(cli, address, label, &code, err);
    cli_print(cli,
              used ? _("%s, %s: code %zu of %zu is marked as used; %zu left\n")
                   : _("%s, %s: code %zu of %zu is not used any more; %zu left\n"),
              address, CLI_SHOWN(label), code.number, code.count, code.left);
    if (used)
        warn_of_few(cli, address, label, code.left);
    return PSN_OK;
}

/* --- all of them, without their values --- */

static void list_json(const struct psn_secret_info *info, struct cli_json *json)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "address", info->address);
    cli_json_text(json, "label", info->label);
    cli_json_number(json, "count", (int64_t)info->code_count);
    cli_json_number(json, "left", (int64_t)psn_recovery_left(info));
    cli_json_open(json, "codes", '[');
    for (size_t i = 0; i < info->code_count; i++) {
        cli_json_open(json, NULL, '{');
        cli_json_number(json, "number", (int64_t)i + 1);
        cli_json_time(json, "used_at", info->code_used_s[i]);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
    cli_json_close(json, '}');
}

static enum psn_code list_table(struct cli *cli, const struct psn_secret_info *info,
                                struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(2);
    char number[24];
    char time[PSN_TIME_SIZE];

    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    cli_table_cell(table, _("CODE"));
    cli_table_cell(table, _("USED"));
    for (size_t i = 0; i < info->code_count; i++) {
        cli_table_cell(table, cli_display_count(i + 1, number));
        cli_table_cell(table, cli_display_time(info->code_used_s[i], time));
    }
    cli_table_print(cli, table);
    return PSN_OK;
}

static enum psn_code list(struct cli *cli, const char *address, const char *label,
                          struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct psn_secret_info info = { 0 };
    enum psn_code rc = psn_secret_get(cli->vault, address, label, &info, err);

    if (!rc && info.code_count == 0)
        rc = psn_fail(err, PSN_E_INVALID, _("%s, %s: that holds no recovery codes"),
                      address, CLI_SHOWN(label));
    if (rc)
        return rc;
    if (!cli->json)
        return list_table(cli, &info, err);
    list_json(&info, &json);
    return cli_json_print(cli, &json, err);
}

enum psn_code cli_otp_recovery(struct cli *cli, const struct cmd_otp_options *options,
                               const char *address, const char *label,
                               struct psn_error *err)
{
    if (options->list)
        return list(cli, address, label, err);
    return options->used || options->unused ? mark(cli, options, address, label, err)
                                            : take(cli, options, address, label, err);
}
