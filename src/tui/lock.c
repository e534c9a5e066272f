#include <stdio.h>

#include "base/clock.h"
#include "tui/tui.h"

/*
 * The lock. Whoever unlocked by the agent is locked out with it: `passation lock`, or its
 * idle time. Keys typed here count as use, as commands do. Without an agent the same idle
 * time is counted here. A locked interface holds no key, no list and no name.
 */
enum {
    IDLE_MS = 15 * 60 * 1000, /* as of `unlock` */
    ASK_MS = 1000,
    TOUCH_MS = 1000,
};

/* The agent's limits; false if it does not have the key. */
static bool ask_agent(struct tui *ui, int64_t *ret_idle_ms)
{
    int64_t idle_s = 0;
    int64_t absolute_s = 0;
    int64_t now_ms = psn_clock_boot_ms();

    ui->asked_ms = now_ms;
    if (cli_agent_state(psn_vault_id(ui->cli->vault), &idle_s, &absolute_s, NULL))
        return false;
    *ret_idle_ms = idle_s * 1000;
    ui->absolute_end_ms = now_ms + absolute_s * 1000;
    return true;
}

void tui_lock_begin(struct tui *ui)
{
    ui->idle_ms = IDLE_MS;
    ui->absolute_end_ms = 0;
    ui->touched_ms = 0;
    if (ui->cli->unlocked_by_agent)
        (void)ask_agent(ui, &ui->idle_ms);
    ui->idle_end_ms = psn_clock_boot_ms() + ui->idle_ms;
}

void tui_lock_touch(struct tui *ui)
{
    PSN_AUTO(psn_secret) *key = NULL;
    uint8_t slot[PSN_SLOT_ID_SIZE];
    int64_t now_ms = psn_clock_boot_ms();

    ui->idle_end_ms = now_ms + ui->idle_ms;
    if (!ui->cli->unlocked_by_agent || now_ms - ui->touched_ms < TOUCH_MS)
        return;
    /* Taking the key is what counts as use; it is wiped at once. */
    PSN_IGNORE(cli_agent_get(psn_vault_id(ui->cli->vault), &key, slot, NULL));
    ui->touched_ms = now_ms;
}

void tui_lock_check(struct tui *ui)
{
    int64_t now_ms = psn_clock_boot_ms();
    int64_t left_ms;

    if (!ui->cli->vault)
        return;
    if (now_ms >= ui->idle_end_ms) {
        tui_lock(ui);
        return;
    }
    if (!ui->cli->unlocked_by_agent || now_ms - ui->asked_ms < ASK_MS)
        return;
    if (!ask_agent(ui, &left_ms))
        tui_lock(ui);
}

void tui_lock_key(struct tui *ui, unsigned key)
{
    tui_lock_check(ui);
    if (ui->cli->vault && key != TUI_KEY_NONE && key != TUI_KEY_RESIZE &&
        key != TUI_KEY_QUIT)
        tui_lock_touch(ui);
}

void tui_lock(struct tui *ui)
{
    struct psn_error err = { 0 };

    tui_forget(ui);
    psn_vault_free(ui->cli->vault);
    ui->cli->vault = NULL;
    ui->status[0] = '\0';
    tui_screen_wipe(ui->screen);
    if (ui->copied && cli_clear_clipboard(ui->cli, &err))
        tui_tell_error(ui, &err);
    ui->copied = false;
}

/* On the plain screen, where Ctrl-C has its usual effect. */
static enum psn_code ask(struct tui *ui, struct psn_error *err)
{
    enum psn_code rc;

    tui_screen_close(ui->screen);
    ui->screen = NULL;
    rc = cli_unlock(ui->cli, err);
    if (rc)
        (void)cli_report(ui->cli, err);
    return rc;
}

void tui_unlock(struct tui *ui)
{
    struct psn_error err = { 0 };
    enum psn_code rc = psn_vault_open(&ui->cli->vault_options, &ui->cli->vault, &err);

    ui->cli->unlocked_by_agent = false;
    /* A descriptor was read to its end when the program began. */
    ui->cli->unlock.passphrase_fd = -1;
    ui->cli->unlock.recovery_fd = -1;
    if (!rc)
        rc = cli_unlock_by_agent(ui->cli, &err);
    if (rc == PSN_E_NOT_FOUND && ui->cli->vault) {
        rc = ask(ui, &err);
        ui->failed = tui_screen_open(&ui->screen, &ui->reason);
    }
    if (rc) {
        psn_vault_free(ui->cli->vault);
        ui->cli->vault = NULL;
    }
    if (ui->failed) {
        ui->done = true;
        return;
    }
    if (rc) {
        tui_tell_error(ui, &err);
        return;
    }
    tui_lock_begin(ui);
    tui_reload(ui);
}

void tui_lock_text(const struct tui *ui, char *out, size_t size)
{
    int64_t end_ms = ui->idle_end_ms;
    long long left_s;

    if (ui->absolute_end_ms && ui->absolute_end_ms < end_ms)
        end_ms = ui->absolute_end_ms;
    left_s = (long long)(end_ms - psn_clock_boot_ms() + 999) / 1000;
    if (left_s < 100)
        (void)snprintf(out, size, _("open, locks in %lld s"), left_s);
    else
        (void)snprintf(out, size, _("open, locks in %lld min"), (left_s + 59) / 60);
}
