#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tui/tui.h"

/* A secret on the screen or on the clipboard: psn_reveal() writes it down first. */
enum {
    SHOWN_MS = 30 * 1000,
    TICK_MS = 250,
    MARGIN_ROWS = 8, /* what the box needs around the secret */
    BOX_COLUMNS = 76,
};

static const char *name_of(const char *label)
{
    return label[0] ? label : _("password");
}

/* How many rows a secret takes, at most as many as there are: the window had room for a
 * question. */
static size_t rows_of(const struct psn_secret *secret, size_t columns, size_t rows_max)
{
    const uint8_t *bytes = psn_secret_bytes(secret);
    size_t rows = 1 + psn_secret_size(secret) / columns;

    for (size_t i = 0; i < psn_secret_size(secret); i++)
        rows += bytes[i] == '\n';
    return rows < rows_max ? rows : rows_max;
}

struct shown {
    struct tui *ui;
    const char *address;
    const char *label;
    uint64_t version;
    const struct psn_secret *value;
    struct tui_rect hole; /* where it is on the screen */
    int64_t end_ms;
};

static void draw_frame(struct shown *shown, const char *more)
{
    struct tui *ui = shown->ui;
    size_t columns = tui_screen_columns(ui->screen);
    size_t rows = tui_screen_rows(ui->screen);
    size_t width = columns < BOX_COLUMNS + 4 ? columns - 4 : BOX_COLUMNS;
    size_t lines = rows_of(shown->value, width, rows - MARGIN_ROWS);
    int64_t left_ms = shown->end_ms - psn_clock_boot_ms();
    long long left_s = (long long)(left_ms + 999) / 1000;
    char text[PSN_ADDRESS_TEXT_MAX + PSN_LABEL_TEXT_MAX + 64];
    struct tui_rect in;

    (void)snprintf(text, sizeof text, _("%s, %s, version %llu"), shown->address,
                   name_of(shown->label), (unsigned long long)shown->version);
    in = tui_screen_box(ui->screen, lines + 4, width, text);
    shown->hole = (struct tui_rect){ in.row + 1, in.column, lines, in.columns };
    tui_screen_put(ui->screen, in.row + in.rows - 2, in.column, in.columns, TUI_WATCH,
                   more);
    (void)snprintf(text, sizeof text, _("Hidden in %lld s, or at any key."), left_s);
    tui_screen_put(ui->screen, in.row + in.rows - 1, in.column, in.columns, TUI_DIM,
                   text);
    tui_screen_cursor(ui->screen, false, 0, 0);
    tui_screen_show(ui->screen);
}

static enum psn_code show_value(struct shown *shown, struct psn_error *err)
{
    unsigned key = TUI_KEY_NONE;
    const char *more = "";
    bool whole = true;
    enum psn_code rc;

    shown->end_ms = psn_clock_boot_ms() + SHOWN_MS;
    tui_draw(shown->ui);
    draw_frame(shown, more);
    rc = tui_screen_secret(shown->ui->screen, shown->hole, shown->value, &whole, err);
    if (!whole)
        more = _("Not all of it fits here; all of it: passation show … --reveal");
    while (!rc && key == TUI_KEY_NONE && psn_clock_boot_ms() < shown->end_ms) {
        draw_frame(shown, more);
        key = tui_wait_key(shown->ui, TICK_MS);
    }
    tui_screen_wipe(shown->ui->screen);
    if (key == TUI_KEY_QUIT && tui_signal())
        shown->ui->done = true;
    return rc;
}

void tui_reveal(struct tui *ui, const char *address, const char *label)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct shown shown = { .ui = ui, .address = address, .label = label };
    struct psn_error err = { 0 };
    enum psn_code rc;

    if (!tui_confirm(ui, _("%s, %s: show it? That it was seen is written down first."),
                     address, name_of(label)))
        return;
    rc = psn_reveal(ui->cli->vault, address, label, 0, PSN_HOW_SHOWN, &value,
                    &shown.version, &err);
    shown.value = value;
    if (!rc)
        rc = show_value(&shown, &err);
    if (rc)
        tui_tell_error(ui, &err);
    else if (ui->cli->vault) /* a locked screen names nothing */
        tui_tell(ui, TUI_PLAIN, _("%s, %s: hidden again"), address, name_of(label));
    tui_reload(ui);
}

void tui_copy(struct tui *ui, const char *address, const char *label)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_error err = { 0 };
    bool quiet = ui->cli->quiet;
    uint64_t version = 0;
    enum psn_code rc = cli_check_clipboard(&err);

    if (rc) {
        tui_tell_error(ui, &err);
        return;
    }
    if (!tui_confirm(ui,
                     _("%s, %s: copy it to the clipboard? That is written down first."),
                     address, name_of(label)))
        return;
    rc = psn_reveal(ui->cli->vault, address, label, 0, PSN_HOW_COPIED, &value, &version,
                    &err);
    /* What it says on stderr is said here. */
    ui->cli->quiet = true;
    if (!rc)
        rc = cli_copy_secret(ui->cli, value, &err);
    ui->copied = ui->copied || rc == PSN_OK;
    ui->cli->quiet = quiet;
    if (rc)
        tui_tell_error(ui, &err);
    else
        tui_tell(ui, TUI_GOOD, _("%s, %s: on the clipboard, and goes off it by itself"),
                 address, name_of(label));
    tui_reload(ui);
}
