#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/beside.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/display.h"

/* --- key show --- */

struct cmd_key_show_options {
    bool statements;
};

static const struct cli_option show_options[] = {
    { "statements", 0, CLI_FLAG, offsetof(struct cmd_key_show_options, statements), NULL,
      N_("print the signed statements of former keys, too") },
    { 0 },
};

struct former_list {
    struct cli *cli;
    bool statements;
    size_t count;
};

static enum psn_code print_former(void *arg, const struct psn_former_key *key,
                                  struct psn_error *err)
{
    struct former_list *list = arg;
    char time[PSN_TIME_SIZE];

    (void)err;
    if (list->count++ == 0)
        cli_print(list->cli, "\n%s\n", _("Former keys, each replaced by the next:"));
    cli_print(list->cli, _("  %s until %s\n"), key->fingerprint,
              cli_display_moment(key->replaced_s, time));
    if (list->statements)
        cli_print(list->cli, "\n%s\n", key->statement);
    return PSN_OK;
}

static enum psn_code add_former(void *arg, const struct psn_former_key *key,
                                struct psn_error *err)
{
    struct cli_json *json = arg;

    (void)err;
    cli_json_open(json, NULL, '{');
    cli_json_number(json, "number", (int64_t)key->number);
    cli_json_time(json, "replaced_at", key->replaced_s);
    cli_json_text(json, "fingerprint", key->fingerprint);
    cli_json_text(json, "ssh", key->ssh);
    cli_json_text(json, "age", key->age);
    cli_json_text(json, "statement", key->statement);
    cli_json_close(json, '}');
    return PSN_OK;
}

static enum psn_code print_json(struct cli *cli, const struct psn_vault_keys *keys,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "fingerprint", keys->fingerprint);
    cli_json_text(&json, "ssh", keys->ssh);
    cli_json_text(&json, "allowed_signers", keys->allowed_signers);
    cli_json_text(&json, "minisign", keys->minisign);
    cli_json_text(&json, "age", keys->age);
    cli_json_open(&json, "former", '[');
    rc = psn_former_key_each(cli->vault, add_former, &json, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

static enum psn_code run_show(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_key_show_options *options = arg;
    struct former_list list = { cli, options->statements, 0 };
    struct psn_vault_keys keys;
    enum psn_code rc = psn_vault_public_keys(cli->vault, &keys, err);

    if (rc || cli->json)
        return rc ? rc : print_json(cli, &keys, err);
    cli_print(cli, "%s\n  %s\n\n", _("Fingerprint, to be told by telephone:"),
              keys.fingerprint);
    cli_print(cli, "%s\n  %s\n\n", _("For ssh-keygen -Y verify (allowed_signers):"),
              keys.allowed_signers);
    cli_print(cli, "%s\n  %s\n\n", _("For minisign -P:"), keys.minisign);
    cli_print(cli, "%s\n  %s\n", _("To encrypt for this vault (age -r):"), keys.age);
    return psn_former_key_each(cli->vault, print_former, &list, err);
}

const struct cli_command cmd_key_show = {
    .name = "key show",
    .summary = N_("print the vault's public keys"),
    .examples = N_("passation key show\tfingerprint, ssh, minisign and age keys\n"
                   "passation key show --statements\tand how they followed each other\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .options = show_options,
    .options_size = sizeof(struct cmd_key_show_options),
    .run = run_show,
};

/* --- key rotate --- */

struct cmd_key_rotate_options {
    const char *out;
};

static const struct cli_option rotate_options[] = {
    { "output", 'o', CLI_TEXT, offsetof(struct cmd_key_rotate_options, out), N_("FILE"),
      N_("write the signed statement into this new file") },
    { 0 },
};

/* The newest of them. */
struct newest {
    char *statement;
    char fingerprint[64];
};

static void newest_release(struct newest *newest)
{
    free(newest->statement);
}

static enum psn_code keep_newest(void *arg, const struct psn_former_key *key,
                                 struct psn_error *err)
{
    struct newest *newest = arg;

    free(newest->statement);
    newest->statement = strdup(key->statement);
    if (!newest->statement)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    (void)snprintf(newest->fingerprint, sizeof newest->fingerprint, "%s",
                   key->fingerprint);
    return PSN_OK;
}

static enum psn_code tell_rotated(struct cli *cli, const struct newest *newest,
                                  const struct psn_vault_keys *keys, bool in_file,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    if (!cli->json) {
        cli_print(cli, _("The vault's new fingerprint: %s\n"), keys->fingerprint);
        if (!in_file)
            cli_print(cli, "\n%s\n", newest->statement);
        cli_note(cli,
                 _("Tell it to whoever knew the former one, %s; the statement, signed "
                   "by both keys, proves it."),
                 newest->fingerprint);
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "fingerprint", keys->fingerprint);
    cli_json_text(&json, "former_fingerprint", newest->fingerprint);
    cli_json_text(&json, "statement", newest->statement);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static enum psn_code run_rotate(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_key_rotate_options *options = arg;
    __attribute__((cleanup(newest_release))) struct newest newest = { 0 };
    struct psn_vault_keys keys;
    enum psn_code rc = options->out ? psn_beside_check(options->out, err) : PSN_OK;

    if (!rc && options->out)
        rc = psn_file_check_new(options->out, err);
    if (!rc)
        rc = psn_key_rotate(cli->vault, err);
    if (!rc)
        rc = psn_former_key_each(cli->vault, keep_newest, &newest, err);
    if (!rc)
        rc = psn_vault_public_keys(cli->vault, &keys, err);
    if (!rc && options->out)
        rc = psn_file_write(options->out, newest.statement, strlen(newest.statement),
                            PSN_FILE_NEW, err);
    if (rc == PSN_E_EXISTS)
        return psn_hint(err, rc,
                        _("the key is rotated; its statement: passation key show "
                          "--statements"));
    return rc ? rc : tell_rotated(cli, &newest, &keys, options->out != NULL, err);
}

const struct cli_command cmd_key_rotate = {
    .name = "key rotate",
    .summary = N_("give the vault a new signing key and age identity"),
    .examples = N_("passation key rotate -o change.txt\t"
                   "the statement, signed by the former and the new key\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .options = rotate_options,
    .options_size = sizeof(struct cmd_key_rotate_options),
    .run = run_rotate,
};
