#include <signal.h>
#include <unistd.h>

#include "tui/tui.h"

/* tui: the text interface. It asks for a key, does what is its own, and leaves the rest
 * to the page. */
enum {
    WAIT_MS = 500, /* the head line counts down; the agent is asked */
};

static void stop_for_a_while(struct tui *ui)
{
    tui_screen_wipe(ui->screen);
    /* The library puts the terminal back, stops, and draws again afterwards. */
    (void)kill(getpid(), SIGTSTP);
}

static void key_while_locked(struct tui *ui, unsigned key)
{
    if (key == TUI_KEY_ENTER)
        tui_unlock(ui);
    else if (key == 'q' || key == TUI_KEY_QUIT)
        ui->done = true;
    else if (key == TUI_KEY_STOP)
        stop_for_a_while(ui);
    else if (key == TUI_KEY_REDRAW)
        tui_screen_wipe(ui->screen);
}

static void key_in_filter(struct tui *ui, unsigned key)
{
    struct tui_list *list = tui_list(ui);

    if (key == TUI_KEY_ENTER || key == TUI_KEY_DOWN || key == TUI_KEY_UP)
        ui->filtering = false;
    else if (key == TUI_KEY_ESCAPE) {
        ui->filtering = false;
        list->filter[0] = '\0';
    } else if (!tui_edit(list->filter, sizeof list->filter, key))
        return;
    list->chosen = 0;
    tui_list_settle(list, NULL);
    ui->detail_row = SIZE_MAX;
}

static void go_out(struct tui *ui)
{
    struct tui_list *list = tui_list(ui);

    if (list->filter[0]) {
        list->filter[0] = '\0';
        tui_list_settle(list, NULL);
        ui->detail_row = SIZE_MAX;
    } else {
        (void)tui_back(ui);
    }
}

static void open_tab(struct tui *ui, enum tui_tab tab)
{
    static const enum tui_page first[TUI_TABS] = { TUI_CLIENTS, TUI_ROLES, TUI_ACCESS,
                                                   TUI_DUE, TUI_LOG };

    ui->status[0] = '\0';
    tui_go(ui, tab, first[tab]);
}

static void read_details(struct tui *ui)
{
    const char *title = tui_chosen_address(ui);

    if (title)
        tui_read(ui, title, &ui->detail);
}

/* Keys that are the same everywhere; false for others. */
static bool key_of_all(struct tui *ui, unsigned key)
{
    if (key >= '1' && key < '1' + TUI_TABS)
        open_tab(ui, (enum tui_tab)(key - '1'));
    else if (key == TUI_KEY_TAB)
        open_tab(ui, (enum tui_tab)((ui->tab + 1u) % TUI_TABS));
    else if (key == TUI_KEY_BACK_TAB)
        open_tab(ui, (enum tui_tab)((ui->tab + TUI_TABS - 1u) % TUI_TABS));
    else if (key == '/')
        ui->filtering = true;
    else if (key == '?')
        tui_help(ui);
    else if (key == 'd')
        read_details(ui);
    else if (key == 'R' || key == TUI_KEY_RELOAD)
        tui_reload(ui);
    else if (key == 'L')
        tui_lock(ui);
    else if (key == 'q' || key == TUI_KEY_QUIT)
        ui->done = true;
    else if (key == TUI_KEY_STOP)
        stop_for_a_while(ui);
    else if (key == TUI_KEY_REDRAW)
        tui_screen_wipe(ui->screen);
    else
        return false;
    return true;
}

static void press(struct tui *ui, unsigned key)
{
    if (key == TUI_KEY_NONE || key == TUI_KEY_RESIZE)
        return;
    if (!ui->cli->vault) {
        key_while_locked(ui, key);
        return;
    }
    if (ui->filtering && key != TUI_KEY_QUIT && key != TUI_KEY_REDRAW) {
        key_in_filter(ui, key);
        return;
    }
    if (tui_view(ui)->key(ui, key) || key_of_all(ui, key))
        return;
    if (key == TUI_KEY_ESCAPE || key == TUI_KEY_BACK || key == TUI_KEY_LEFT || key == 'h')
        go_out(ui);
    else
        tui_list_move(tui_list(ui), key, ui->page_rows);
}

static void loop(struct tui *ui)
{
    while (!ui->done) {
        bool was_open = ui->cli->vault != NULL;
        unsigned key;

        tui_draw(ui);
        tui_screen_cursor(ui->screen, false, 0, 0);
        tui_screen_show(ui->screen);
        key = tui_screen_key(ui->screen, WAIT_MS);
        tui_lock_key(ui, key);
        /* It was for what the lock has just taken off. */
        if (was_open && !ui->cli->vault && !tui_signal())
            continue;
        press(ui, key);
    }
}

static enum psn_code run(struct cli *cli, const void *options, struct psn_error *err)
{
    struct tui ui = { .cli = cli, .detail_row = SIZE_MAX };
    enum psn_code rc;

    (void)options;
    if (cli->json)
        return psn_fail(err, PSN_E_INVALID,
                        _("--json: the text interface is for people"));
    rc = tui_screen_open(&ui.screen, err);
    if (rc)
        return rc;
    tui_lock_begin(&ui);
    tui_reload(&ui);
    loop(&ui);
    tui_screen_close(ui.screen);
    tui_forget(&ui);
    if (tui_signal()) {
        /* Nothing is held any more when the signal has its usual effect. */
        psn_vault_free(cli->vault);
        cli->vault = NULL;
        (void)raise(tui_signal());
    }
    if (ui.failed)
        *err = ui.reason;
    return ui.failed;
}

const struct cli_command cmd_tui = {
    .name = "tui",
    .summary = N_("look at the vault and work in it on a full screen"),
    .examples = N_("passation tui\tclients, mailboxes, who knows what, what is due, the "
                   "journal; ? for help\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .run = run,
};
