#include "base/clock.h"
#include "cli/cli.h"
#include "cli/paths.h"

enum {
    IDLE_S = 15 * 60,
    ABSOLUTE_S = 12 * 3600,
};

struct cmd_unlock_options {
    const char *idle;
};

static const struct cli_option unlock_options[] = {
    { "for", 0, CLI_TEXT, offsetof(struct cmd_unlock_options, idle), N_("TIME"),
      N_("lock again when unused for TIME, such as 15m or 2h (15m)") },
    { 0 },
};

static enum psn_code read_idle(const char *text, int64_t *ret_idle_s,
                               struct psn_error *err)
{
    *ret_idle_s = IDLE_S;
    if (!text)
        return PSN_OK;
    if (!psn_text_parse_duration(text, ABSOLUTE_S, ret_idle_s) || *ret_idle_s <= 0)
        return psn_fail(err, PSN_E_INVALID,
                        _("'%s' is not a time from 1s to 12h, such as 15m (--for)"),
                        text);
    return PSN_OK;
}

static enum psn_code print_unlocked(struct cli *cli, int64_t idle_s, int64_t absolute_s,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    if (!cli->json) {
        cli_print(cli,
                  _("Unlocked: until unused for %lld min, and for %lld h at most.\n"),
                  (long long)(idle_s + 59) / 60, (long long)(absolute_s + 3599) / 3600);
        cli_note(cli, _("Until then any program of yours can use the vault. To lock it: "
                        "passation lock"));
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_bool(&json, "unlocked", true);
    cli_json_text(&json, "vault", psn_vault_path(cli->vault));
    cli_json_number(&json, "idle_s", idle_s);
    cli_json_number(&json, "absolute_s", absolute_s);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

/* A key that the agent had keeps its last moment: only the passphrase buys more time. */
static enum psn_code run_unlock(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_unlock_options *options = arg;
    PSN_AUTO(psn_secret) *key = NULL;
    uint8_t slot[PSN_SLOT_ID_SIZE];
    int64_t absolute_s;
    int64_t idle_s;
    enum psn_code rc = read_idle(options->idle, &idle_s, err);

    if (!rc)
        rc = cli_unlock(cli, err);
    if (!rc)
        rc = psn_vault_export_key(cli->vault, &key, slot, err);
    if (!rc)
        rc = cli_agent_put(psn_vault_id(cli->vault), key, slot, idle_s,
                           cli->unlocked_by_agent ? 0 : ABSOLUTE_S, err);
    if (!rc)
        rc = cli_agent_state(psn_vault_id(cli->vault), &idle_s, &absolute_s, err);
    if (!rc)
        rc = print_unlocked(cli, idle_s, absolute_s, err);
    if (!rc && cli->unlock.recovery_fd >= 0)
        cli_note(cli,
                 _("If the passphrase is lost, set a new one with: passation slot set "
                   "--recovery-fd 0"));
    return rc;
}

const struct cli_command cmd_unlock = {
    .name = "unlock",
    .summary = N_("keep the vault unlocked for a while"),
    .examples = N_("passation unlock\tasks for the passphrase\n"
                   "passation unlock --for 2h\tuntil unused for two hours\n"),
    .needs = CLI_NEEDS_VAULT,
    .options = unlock_options,
    .options_size = sizeof(struct cmd_unlock_options),
    .run = run_unlock,
};

/* Where there was an agent, all that were found are gone. Where there was none, nothing
 * more is known than where it was looked for. */
static enum psn_code print_locked(struct cli *cli, bool was_running,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    char places[CLI_RUN_PLACES][CLI_PATH_MAX];
    size_t count = cli_paths_run_places(cli, places);

    if (!cli->json) {
        if (was_running)
            cli_print(cli, "%s\n", _("Locked."));
        for (size_t i = 0; !was_running && i < count; i++)
            cli_print(cli, _("No agent of yours was found in '%s'.\n"),
                      CLI_SHOWN(places[i]));
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    if (was_running)
        cli_json_bool(&json, "locked", true);
    else
        cli_json_null(&json, "locked");
    cli_json_bool(&json, "was_unlocked", was_running);
    cli_json_open(&json, "places", '[');
    for (size_t i = 0; i < count; i++)
        cli_json_text(&json, NULL, places[i]);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static enum psn_code run_lock(struct cli *cli, const void *options, struct psn_error *err)
{
    struct psn_error why = { 0 };
    bool was_running = false;
    enum psn_code clipboard_rc = cli_clear_clipboard(cli, &why);
    enum psn_code rc = cli_agent_lock(cli, &was_running, err);

    (void)options;
    if (!rc && clipboard_rc) {
        *err = why;
        rc = clipboard_rc;
    }
    return rc ? rc : print_locked(cli, was_running, err);
}

const struct cli_command cmd_lock = {
    .name = "lock",
    .summary = N_("forget the keys of unlocked vaults, clear the clipboard"),
    .examples = N_("passation lock\tat once, all vaults\n"),
    .run = run_lock,
};
