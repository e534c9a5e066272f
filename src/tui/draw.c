#include <stdio.h>
#include <string.h>

#include "tui/tui.h"

/*
 * The picture:
 *
 *     row 0      the vault and its lock
 *     row 1      tabs
 *     row 2      where we are, the filter
 *     rows 3 …   the list, and beside or below it what is known of the chosen row
 *     last but 1 what was said last
 *     last       keys
 */
enum {
    ROWS_MIN = 12,
    COLUMNS_MIN = 50,
    WIDE = 132, /* from here on there is room beside the list */
    TOP = 3,
    BOTTOM = 2,
    STATUS_ROWS = 5, /* at most; those above its usual one are over the details */
    TEXT_BYTES = 1024,
};

static const char *tab_title(enum tui_tab tab)
{
    static const char *const titles[TUI_TABS] = {
        [TUI_TAB_CLIENTS] = N_("Clients"), [TUI_TAB_ROLES] = N_("Mailboxes"),
        [TUI_TAB_ACCESS] = N_("Access"),   [TUI_TAB_DUE] = N_("Due"),
        [TUI_TAB_LOG] = N_("Journal"),
    };

    return _(titles[tab]);
}

static void draw_head(struct tui *ui)
{
    size_t columns = tui_screen_columns(ui->screen);
    char text[TEXT_BYTES];
    char lock[128];
    size_t left;

    tui_lock_text(ui, lock, sizeof lock);
    tui_screen_put(ui->screen, 0, 0, columns, TUI_BAR, "");
    left = tui_screen_put_right(ui->screen, 0, 1, columns - 2, TUI_BAR, lock);
    (void)snprintf(text, sizeof text, "passation  %s", psn_vault_path(ui->cli->vault));
    psn_text_cut_utf8(text);
    tui_screen_put(ui->screen, 0, 1, left - 2, TUI_BAR, text);
}

static void draw_tabs(struct tui *ui)
{
    size_t column = 1;

    for (enum tui_tab tab = 0; tab < TUI_TABS; tab++) {
        char text[128];
        size_t width;

        if (tab == TUI_TAB_DUE && ui->due_count > 0)
            (void)snprintf(text, sizeof text, "%d %s (%zu)", (int)tab + 1, tab_title(tab),
                           ui->due_count);
        else
            (void)snprintf(text, sizeof text, "%d %s", (int)tab + 1, tab_title(tab));
        width = psn_text_columns(text);
        tui_screen_put(ui->screen, 1, column, width,
                       tab == ui->tab ? TUI_CHOSEN : TUI_PLAIN, text);
        column += width + 3;
    }
}

/* "Clients › martin › technique@martin.fr", and what is looked for. */
static void draw_path(struct tui *ui)
{
    size_t columns = tui_screen_columns(ui->screen);
    struct tui_list *list = tui_list(ui);
    char path[TEXT_BYTES];
    char right[TEXT_BYTES];
    size_t left;

    (void)snprintf(
        path, sizeof path, "%s%s%s%s%s", tab_title(ui->tab),
        ui->tab == TUI_TAB_CLIENTS && ui->page != TUI_CLIENTS ? " › " : "",
        ui->tab == TUI_TAB_CLIENTS && ui->page != TUI_CLIENTS ? ui->client : "",
        ui->page == TUI_SECRETS ? " › " : "", ui->page == TUI_SECRETS ? ui->address : "");
    if (ui->filtering || list->filter[0])
        (void)snprintf(right, sizeof right, "/%s%s  %zu/%zu", list->filter,
                       ui->filtering ? "_" : "", list->shown_count, list->count);
    else
        (void)snprintf(right, sizeof right, "%zu/%zu",
                       list->shown_count ? list->chosen + 1 : 0, list->shown_count);
    left = tui_screen_put_right(ui->screen, 2, 1, columns - 2,
                                ui->filtering ? TUI_STRONG : TUI_DIM, right);
    if (left > 2)
        tui_screen_put(ui->screen, 2, 1, left - 2, TUI_STRONG, path);
}

/* What was said last, at the bottom of the rectangle, in as many of its rows as it takes:
 * of a command that is to be typed no word may be missing. */
static void draw_status(struct tui *ui, struct tui_rect where)
{
    struct tui_lines lines = { 0 };
    size_t count;

    tui_lines_say(&lines, ui->status_style, ui->status);
    count = tui_lines_draw(ui->screen, &lines,
                           (struct tui_rect){ .columns = where.columns }, 0);
    count = count < where.rows ? count : where.rows;
    where.row += where.rows - count;
    where.rows = count;
    (void)tui_lines_draw(ui->screen, &lines, where, 0);
    tui_lines_release(&lines);
}

static void draw_foot(struct tui *ui)
{
    size_t rows = tui_screen_rows(ui->screen);
    size_t columns = tui_screen_columns(ui->screen);
    const char *keys = ui->filtering ? _("Type what to look for.  Enter: keep  Esc: all")
                                     : _(tui_view(ui)->keys);
    const char *more = _("/: filter  ?: help  q: quit");
    size_t left;

    if (psn_text_columns(keys) + psn_text_columns(more) + 4 > columns)
        more = _("?: help");
    draw_status(ui,
                (struct tui_rect){ rows - 1 - STATUS_ROWS, 1, STATUS_ROWS, columns - 2 });
    tui_screen_put(ui->screen, rows - 1, 0, columns, TUI_BAR, "");
    left = tui_screen_put_right(ui->screen, rows - 1, 1, columns - 2, TUI_BAR, more);
    tui_screen_put(ui->screen, rows - 1, 1, left - 2, TUI_BAR, keys);
}

static void describe(struct tui *ui)
{
    struct psn_error err = { 0 };
    size_t row;

    if (!tui_list_chosen(tui_list(ui), &row))
        row = SIZE_MAX;
    if (row == ui->detail_row && row != SIZE_MAX)
        return;
    tui_lines_release(&ui->detail);
    ui->detail_row = row;
    if (row != SIZE_MAX && tui_view(ui)->describe(ui, row, &ui->detail, &err))
        tui_lines_say(&ui->detail, TUI_BAD, err.message);
}

static void draw_body(struct tui *ui, struct tui_rect all)
{
    struct tui_rect list = all;
    struct tui_rect detail = all;

    if (all.columns >= WIDE) {
        list.columns = all.columns * 3 / 5;
        detail.column = list.column + list.columns + 3;
        detail.columns = all.columns - list.columns - 3;
        for (size_t i = 0; i < all.rows; i++)
            tui_screen_put(ui->screen, all.row + i, detail.column - 2, 1, TUI_DIM, "│");
    } else {
        list.rows = (all.rows + 1) / 2;
        detail.row = all.row + list.rows + 1;
        detail.rows = all.rows - list.rows - 1;
        tui_screen_line(ui->screen, detail.row - 1, 0, tui_screen_columns(ui->screen));
    }
    ui->page_rows = list.rows - 1;
    if (tui_view(ui)->draw)
        tui_view(ui)->draw(ui, list);
    else
        tui_list_draw(ui->screen, tui_list(ui), list, _(tui_view(ui)->empty));
    describe(ui);
    if (tui_lines_draw(ui->screen, &ui->detail, detail, 0) > detail.rows)
        tui_screen_put(ui->screen, detail.row + detail.rows - 1,
                       detail.column + detail.columns - 1, 1, TUI_STRONG, "↓");
}

static void draw_locked(struct tui *ui)
{
    size_t columns = tui_screen_columns(ui->screen);
    struct tui_rect in = tui_screen_box(ui->screen, 3 + STATUS_ROWS,
                                        columns > 64 ? 56 : columns - 8, "passation");

    tui_screen_put(ui->screen, in.row, in.column, in.columns, TUI_STRONG,
                   _("Locked: nothing is shown, and no key is kept here."));
    tui_screen_put(ui->screen, in.row + 2, in.column, in.columns, TUI_PLAIN,
                   _("Enter: unlock   q: quit"));
    draw_status(ui, (struct tui_rect){ in.row + 3, in.column,
                                       in.rows > 3 ? in.rows - 3 : 0, in.columns });
}

bool tui_is_large_enough(const struct tui *ui)
{
    return tui_screen_rows(ui->screen) >= ROWS_MIN &&
           tui_screen_columns(ui->screen) >= COLUMNS_MIN;
}

static void draw_too_small(struct tui *ui, size_t rows, size_t columns)
{
    struct tui_lines lines = { 0 };
    char sizes[TEXT_BYTES];

    (void)snprintf(sizes, sizeof sizes,
                   _("%d columns and %d rows are needed; it has %zu and %zu."),
                   (int)COLUMNS_MIN, (int)ROWS_MIN, columns, rows);
    tui_lines_say(&lines, TUI_STRONG, _("The window is too small."));
    tui_lines_say(&lines, TUI_PLAIN, sizes);
    tui_lines_say(&lines, ui->status_style, ui->status);
    (void)tui_lines_draw(ui->screen, &lines, (struct tui_rect){ 0, 0, rows, columns }, 0);
    tui_lines_release(&lines);
}

void tui_draw(struct tui *ui)
{
    size_t rows = tui_screen_rows(ui->screen);
    size_t columns = tui_screen_columns(ui->screen);

    tui_screen_erase(ui->screen);
    if (!ui->cli->vault) {
        draw_locked(ui);
    } else if (!tui_is_large_enough(ui)) {
        draw_too_small(ui, rows, columns);
    } else {
        draw_head(ui);
        draw_tabs(ui);
        draw_path(ui);
        draw_body(ui, (struct tui_rect){ TOP, 1, rows - TOP - BOTTOM, columns - 2 });
        draw_foot(ui);
    }
}

/* --- something to read --- */

static bool scroll(unsigned key, size_t *from, size_t most, size_t page)
{
    size_t step =
        key == TUI_KEY_PAGE_DOWN || key == TUI_KEY_PAGE_UP || key == ' ' ? page : 1;

    switch (key) {
    case TUI_KEY_DOWN:
    case 'j':
    case TUI_KEY_PAGE_DOWN:
    case ' ':
        *from = *from + step < most ? *from + step : most;
        return true;
    case TUI_KEY_UP:
    case 'k':
    case TUI_KEY_PAGE_UP:
        *from = *from > step ? *from - step : 0;
        return true;
    case TUI_KEY_NONE:
    case TUI_KEY_RESIZE:
        return true;
    default:
        return false;
    }
}

void tui_read(struct tui *ui, const char *title, const struct tui_lines *lines)
{
    enum {
        WAIT_MS = 500
    };
    size_t from = 0;
    bool open = true;
    char head[TEXT_BYTES];

    (void)snprintf(head, sizeof head, "%s", title);
    psn_text_cut_utf8(head);
    while (open) {
        size_t rows = tui_screen_rows(ui->screen);
        size_t columns = tui_screen_columns(ui->screen);
        struct tui_rect where = { 2, 2, rows > 4 ? rows - 4 : 1, columns - 4 };
        size_t count = tui_lines_draw(ui->screen, lines,
                                      (struct tui_rect){ .columns = where.columns }, 0);
        size_t most = count > where.rows ? count - where.rows : 0;
        unsigned key;

        from = from < most ? from : most; /* the window may have grown */
        tui_screen_erase(ui->screen);
        tui_screen_put(ui->screen, 0, 0, columns, TUI_BAR, "");
        tui_screen_put(ui->screen, 0, 1, columns - 2, TUI_BAR, head);
        (void)tui_lines_draw(ui->screen, lines, where, from);
        tui_screen_put(ui->screen, rows - 1, 0, columns, TUI_BAR,
                       _(" ↑ ↓: scroll  any other key: back"));
        tui_screen_show(ui->screen);
        key = tui_wait_key(ui, WAIT_MS);
        /* What was locked takes what is read with it. */
        open = ui->cli->vault && scroll(key, &from, most, where.rows);
    }
    if (tui_signal())
        ui->done = true;
}

void tui_help(struct tui *ui)
{
    const char *const rows[][2] = {
        { _("1 to 5, Tab"), _("clients, mailboxes, access map, what is due, journal") },
        { _("↑ ↓, j k"), _("one row; Page up, Page down, Home and End as usual") },
        { _("Enter, →, l"), _("into the chosen row") },
        { _("Esc, ←, h"), _("out again; Esc first ends a filter") },
        { "/", _("filter: rows that hold what is typed, in any column") },
        { "d", _("all details of the chosen row, to scroll through") },
        { "s", _("show the secret for 30 s; that it was seen is written down first") },
        { "c", _("copy it to the clipboard, which is cleared by itself") },
        { "r", _("rotate: a new password at OVH, proved by a login") },
        { "v", _("verify: log in with the current password") },
        { "g", _("grant the mailbox to a person, and write the file for him") },
        { "x", _("on the access map: revoke, and change what he has seen") },
        { _("Enter on what is due"), _("run the command that settles it") },
        { _("R, F5"), _("read the vault again") },
        { "L", _("lock: hide everything and forget the key here") },
        { "Ctrl-L", _("draw the screen again") },
        { _("q, Ctrl-C"), _("quit") },
    };
    struct tui_lines lines = { 0 };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tui_lines_row(&lines, rows[i][0], rows[i][1]);
    tui_lines_head(&lines, _("Access map"));
    tui_lines_row(&lines, "✓",
                  _("may read the mailbox today: by a grant, or since he unlocks "
                    "the vault"));
    tui_lines_row(&lines, "•", _("has seen a secret of it that is in force"));
    tui_lines_row(&lines, "·", _("has seen former ones only"));
    tui_lines_row(&lines, "!", _("knows one in force without a right: rotate it"));
    tui_lines_say(&lines, TUI_DIM,
                  _("\nWhat changes something asks first, and is the command of the same "
                    "name: passation-tui(1) says more."));
    tui_read(ui, _("Help"), &lines);
    tui_lines_release(&lines);
}
