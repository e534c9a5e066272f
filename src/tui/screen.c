#include "tui/screen.h"

#include <assert.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cli/output.h"
#include "tui/curses.h"
#include "tui/signals.h"

enum {
    ESCAPE_MS = 50, /* what comes later after an Escape is a key of its own */
    LINE_CELLS = 1024,
    TEXT_BYTES = 4096,
};

struct tui_screen {
    struct tui_curses curses;
    SCREEN *terminal;
    WINDOW *window; /* as large as the terminal */
    bool colours;
    bool unicode;
    bool watching;
    struct tui_signals before;
};

/* No key and no line comes from it any more. */
static bool is_hung_up(void)
{
    struct pollfd terminal = { .fd = STDIN_FILENO, .events = POLLIN };

    return poll(&terminal, 1, 0) == 1 &&
           (terminal.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* --- opening and closing --- */

static void use_colours(struct tui_screen *screen)
{
    const struct tui_curses *c = &screen->curses;
    const char *no_color = getenv("NO_COLOR");

    if ((no_color && no_color[0]) || !c->has_colors())
        return;
    (void)c->start_color();
    screen->colours = c->use_default_colors() != ERR;
    (void)c->init_pair(1, COLOR_GREEN, -1);
    (void)c->init_pair(2, COLOR_YELLOW, -1);
    (void)c->init_pair(3, COLOR_RED, -1);
}

static bool make_window(struct tui_screen *screen)
{
    const struct tui_curses *c = &screen->curses;

    if (screen->window)
        (void)c->delwin(screen->window);
    screen->window = c->newwin(0, 0, 0, 0);
    if (!screen->window)
        return false;
    (void)c->keypad(screen->window, true);
    (void)c->clearok(screen->window, true);
    return true;
}

static enum psn_code open_screen(struct tui_screen *screen, struct psn_error *err)
{
    const struct tui_curses *c = &screen->curses;

    /* Before newterm(), which has handlers of its own for some of them. */
    tui_signals_begin(&screen->before);
    screen->watching = true;
    screen->terminal = c->newterm(NULL, stdout, stdin);
    if (!screen->terminal || !c->tigetstr("cup")) {
        (void)psn_fail(err, PSN_E_INVALID, _("this terminal cannot be drawn on"));
        return psn_hint(err, PSN_E_INVALID,
                        _("set TERM to what the terminal is, such as xterm-256color"));
    }
    tui_signals_take();
    (void)c->set_escdelay(ESCAPE_MS);
    (void)c->raw();
    (void)c->noecho();
    (void)c->nonl();
    (void)c->curs_set(0);
    use_colours(screen);
    screen->unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return make_window(screen) ? PSN_OK : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
}

enum psn_code tui_screen_open(struct tui_screen **ret_screen, struct psn_error *err)
{
    PSN_AUTO(tui_screen) *screen = calloc(1, sizeof *screen);
    enum psn_code rc;

    if (!screen)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return psn_fail(err, PSN_E_INVALID, _("the text interface needs a terminal"));
    rc = tui_curses_load(&screen->curses, err);
    if (!rc)
        rc = open_screen(screen, err);
    if (!rc)
        *ret_screen = PSN_TAKE(screen);
    return rc;
}

void tui_screen_close(struct tui_screen *screen)
{
    if (!screen)
        return;
    if (screen->terminal) {
        if (screen->window) {
            tui_screen_wipe(screen);
            (void)screen->curses.delwin(screen->window);
        }
        (void)screen->curses.curs_set(1);
        (void)screen->curses.endwin();
        screen->curses.delscreen(screen->terminal);
    }
    if (screen->watching)
        tui_signals_end(&screen->before);
    free(screen);
}

void tui_screen_suspend(struct tui_screen *screen)
{
    tui_screen_wipe(screen);
    (void)screen->curses.curs_set(1);
    (void)screen->curses.def_prog_mode();
    (void)screen->curses.reset_shell_mode();
}

bool tui_screen_enter(int wait_ms)
{
    struct pollfd terminal = { .fd = STDIN_FILENO, .events = POLLIN };
    char typed[64];
    bool ready = poll(&terminal, 1, wait_ms) > 0;
    ssize_t got;

    if (tui_signal())
        return true;
    if (!ready)
        return false;
    /* A whole line, as the terminal gives them. */
    do
        got = read(STDIN_FILENO, typed, sizeof typed);
    while (got == (ssize_t)sizeof typed && typed[got - 1] != '\n');
    return true;
}

void tui_screen_resume(struct tui_screen *screen)
{
    (void)screen->curses.reset_prog_mode();
    tui_signals_take();
    (void)screen->curses.flushinp();
    (void)screen->curses.curs_set(0);
    tui_screen_wipe(screen);
}

size_t tui_screen_rows(const struct tui_screen *screen)
{
    return (size_t)screen->curses.getmaxy(screen->window);
}

size_t tui_screen_columns(const struct tui_screen *screen)
{
    return (size_t)screen->curses.getmaxx(screen->window);
}

bool tui_screen_is_unicode(const struct tui_screen *screen)
{
    return screen->unicode;
}

/* --- keys --- */

static unsigned control_key(wint_t key)
{
    switch (key) {
    case '\r':
    case '\n':
        return TUI_KEY_ENTER;
    case '\t':
        return TUI_KEY_TAB;
    case '\b':
    case 0x7f:
        return TUI_KEY_BACK;
    case 0x1b:
        return TUI_KEY_ESCAPE;
    case 'C' - 0x40:
        return TUI_KEY_QUIT;
    case 'L' - 0x40:
        return TUI_KEY_REDRAW;
    case 'Z' - 0x40:
        return TUI_KEY_STOP;
    default:
        return key < 0x20 || (key >= 0x80 && key < 0xa0) ? TUI_KEY_OTHER : (unsigned)key;
    }
}

static unsigned function_key(wint_t key)
{
    static const struct {
        wint_t curses;
        unsigned key;
    } keys[] = {
        { KEY_UP, TUI_KEY_UP },         { KEY_DOWN, TUI_KEY_DOWN },
        { KEY_LEFT, TUI_KEY_LEFT },     { KEY_RIGHT, TUI_KEY_RIGHT },
        { KEY_PPAGE, TUI_KEY_PAGE_UP }, { KEY_NPAGE, TUI_KEY_PAGE_DOWN },
        { KEY_HOME, TUI_KEY_HOME },     { KEY_END, TUI_KEY_END },
        { KEY_ENTER, TUI_KEY_ENTER },   { KEY_BACKSPACE, TUI_KEY_BACK },
        { KEY_BTAB, TUI_KEY_BACK_TAB }, { KEY_DC, TUI_KEY_DELETE },
        { KEY_F(5), TUI_KEY_RELOAD },   { KEY_F(1), '?' },
        { KEY_RESIZE, TUI_KEY_RESIZE },
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].curses == key)
            return keys[i].key;
    return TUI_KEY_OTHER;
}

unsigned tui_screen_key(struct tui_screen *screen, int wait_ms)
{
    wint_t key = 0;
    unsigned got = TUI_KEY_NONE;
    int status;

    if (tui_signal())
        return TUI_KEY_QUIT;
    screen->curses.wtimeout(screen->window, wait_ms);
    status = screen->curses.wget_wch(screen->window, &key);
    /* Else it would be asked, and fail, without an end. */
    if (status == ERR && is_hung_up())
        tui_signals_note(SIGHUP);
    if (tui_signal())
        return TUI_KEY_QUIT;
    if (status == KEY_CODE_YES)
        got = function_key(key);
    else if (status == OK)
        got = control_key(key);
    if (got == TUI_KEY_RESIZE && !make_window(screen))
        return TUI_KEY_QUIT;
    return got;
}

/* --- text --- */

/* Where the terminal's letters are ASCII alone. */
static wchar_t in_ascii(uint32_t point)
{
    static const struct {
        uint32_t point;
        wchar_t ascii;
    } known[] = {
        { 0x2026, L'.' }, { 0x2500, L'-' },  { 0x2502, L'|' }, { 0x2713, L'+' },
        { 0x2717, L'x' }, { 0x2022, L'*' },  { 0xb7, L'.' },   { 0x203a, L'>' },
        { 0x2192, L'>' }, { 0x2019, L'\'' }, { 0xa0, L' ' },   { 0x2191, L'^' },
        { 0x2193, L'v' }, { 0x250c, L'+' },  { 0x2510, L'+' }, { 0x2514, L'+' },
        { 0x2518, L'+' }, { 0x2013, L'-' },  { 0x25ba, L'>' }, { 0x2190, L'<' }
    };

    if (point < 0x7f)
        return (wchar_t)point;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].point == point)
            return known[i].ascii;
    return L'?';
}

struct cell_text {
    wchar_t cells[LINE_CELLS];
    size_t count;
    size_t columns;
};

/* Takes what fits into so many columns; false if that is not all of it. */
static bool take(const struct tui_screen *screen, const char *text, size_t columns,
                 struct cell_text *out)
{
    size_t size = strlen(text);

    while (size > 0) {
        uint32_t point;
        size_t length = psn_text_decode(text, size, &point);
        wchar_t cell = screen->unicode ? (wchar_t)point : in_ascii(point);
        int width = wcwidth(cell);

        assert(length > 0); /* of text that is escaped */
        if (width < 0) {
            cell = L'?';
            width = 1;
        }
        if (out->columns + (size_t)width > columns || out->count + 2 >= LINE_CELLS)
            return false;
        out->cells[out->count++] = cell;
        out->columns += (size_t)width;
        text += length;
        size -= length;
    }
    return true;
}

/* Takes characters off the end until so many columns are used. */
static void cut(struct cell_text *text, size_t columns)
{
    while (text->columns > columns)
        text->columns -= (size_t)wcwidth(text->cells[--text->count]);
}

static void set_style(struct tui_screen *screen, enum tui_style style)
{
    static const struct {
        attr_t attributes;
        short pair;
    } styles[TUI_STYLES] = {
        [TUI_PLAIN] = { A_NORMAL, 0 }, [TUI_STRONG] = { A_BOLD, 0 },
        [TUI_DIM] = { A_DIM, 0 },      [TUI_CHOSEN] = { A_REVERSE, 0 },
        [TUI_BAR] = { A_REVERSE, 0 },  [TUI_GOOD] = { A_NORMAL, 1 },
        [TUI_WATCH] = { A_BOLD, 2 },   [TUI_BAD] = { A_BOLD, 3 },
    };

    (void)screen->curses.wattr_set(screen->window, styles[style].attributes,
                                   (short)(screen->colours ? styles[style].pair : 0),
                                   NULL);
}

void tui_screen_put(struct tui_screen *screen, size_t row, size_t column, size_t columns,
                    enum tui_style style, const char *text)
{
    char shown[TEXT_BYTES];
    struct cell_text line = { .count = 0 };

    if (columns == 0 || row >= tui_screen_rows(screen) ||
        column >= tui_screen_columns(screen))
        return;
    if (columns > tui_screen_columns(screen) - column)
        columns = tui_screen_columns(screen) - column;
    if (!take(screen, psn_text_shown(text, shown, sizeof shown), columns, &line)) {
        cut(&line, columns - 1);
        line.cells[line.count++] = screen->unicode ? L'…' : L'.';
        line.columns++;
    }
    while (line.columns < columns && line.count + 1 < LINE_CELLS) {
        line.cells[line.count++] = L' ';
        line.columns++;
    }
    set_style(screen, style);
    (void)screen->curses.wmove(screen->window, (int)row, (int)column);
    /* The last cell of the screen is written, and only the cursor cannot go on. */
    (void)screen->curses.waddnwstr(screen->window, line.cells, (int)line.count);
}

size_t tui_screen_put_right(struct tui_screen *screen, size_t row, size_t column,
                            size_t columns, enum tui_style style, const char *text)
{
    char shown[TEXT_BYTES];
    size_t width = psn_text_columns(psn_text_shown(text, shown, sizeof shown));

    if (width + 1 > columns)
        return columns;
    tui_screen_put(screen, row, column + columns - width, width, style, text);
    return columns - width;
}

/* --- shapes --- */

static void repeat(struct tui_screen *screen, size_t row, size_t column, size_t columns,
                   const char *sign)
{
    for (size_t i = 0; i < columns; i++)
        tui_screen_put(screen, row, column + i, 1, TUI_DIM, sign);
}

void tui_screen_line(struct tui_screen *screen, size_t row, size_t column, size_t columns)
{
    repeat(screen, row, column, columns, "─");
}

static void draw_edge(struct tui_screen *screen, size_t row, const struct tui_rect *box,
                      const char *left, const char *right)
{
    tui_screen_line(screen, row, box->column, box->columns);
    tui_screen_put(screen, row, box->column, 1, TUI_DIM, left);
    tui_screen_put(screen, row, box->column + box->columns - 1, 1, TUI_DIM, right);
}

struct tui_rect tui_screen_box(struct tui_screen *screen, size_t rows, size_t columns,
                               const char *title)
{
    size_t all_rows = tui_screen_rows(screen);
    size_t all_columns = tui_screen_columns(screen);
    struct tui_rect box;

    box.rows = rows + 2 > all_rows ? all_rows : rows + 2;
    box.columns = columns + 4 > all_columns ? all_columns : columns + 4;
    box.row = (all_rows - box.rows) / 2;
    box.column = (all_columns - box.columns) / 2;
    for (size_t i = 0; i < box.rows; i++) {
        tui_screen_put(screen, box.row + i, box.column, box.columns, TUI_PLAIN, "");
        tui_screen_put(screen, box.row + i, box.column, 1, TUI_DIM, "│");
        tui_screen_put(screen, box.row + i, box.column + box.columns - 1, 1, TUI_DIM,
                       "│");
    }
    draw_edge(screen, box.row, &box, "┌", "┐");
    draw_edge(screen, box.row + box.rows - 1, &box, "└", "┘");
    if (title[0] && box.columns > 6) {
        size_t width = psn_text_columns(title);

        tui_screen_put(screen, box.row, box.column + 2,
                       width < box.columns - 4 ? width : box.columns - 4, TUI_STRONG,
                       title);
    }
    return (struct tui_rect){ box.row + 1, box.column + 2,
                              box.rows > 2 ? box.rows - 2 : 0,
                              box.columns > 4 ? box.columns - 4 : 0 };
}

void tui_screen_cursor(struct tui_screen *screen, bool visible, size_t row, size_t column)
{
    (void)screen->curses.curs_set(visible);
    (void)screen->curses.wmove(screen->window, (int)row, (int)column);
}

void tui_screen_erase(struct tui_screen *screen)
{
    set_style(screen, TUI_PLAIN);
    (void)screen->curses.werase(screen->window);
}

void tui_screen_show(struct tui_screen *screen)
{
    (void)screen->curses.wrefresh(screen->window);
}

void tui_screen_wipe(struct tui_screen *screen)
{
    tui_screen_erase(screen);
    (void)screen->curses.clearok(screen->window, true);
    tui_screen_show(screen);
    (void)screen->curses.clearok(screen->window, true);
}

/* --- secrets --- */

struct writer {
    const struct tui_screen *screen;
    struct psn_secret *out; /* locked, wiped */
    struct tui_rect where;
    size_t row; /* inside */
    size_t column;
};

/* Moves the terminal's cursor. Delays "$<5>", which terminals of old asked for, go. */
static enum psn_code move_to(struct writer *w, size_t row, size_t column,
                             struct psn_error *err)
{
    const char *text = w->screen->curses.tiparm(w->screen->curses.tigetstr("cup"),
                                                (int)row, (int)column);
    const char *delay = text ? strstr(text, "$<") : NULL;

    if (!text)
        return psn_fail(err, PSN_E_UNEXPECTED, _("this terminal cannot be drawn on"));
    return psn_secret_append(w->out, text, delay ? (size_t)(delay - text) : strlen(text),
                             err);
}

static enum psn_code next_row(struct writer *w, struct psn_error *err)
{
    w->row++;
    w->column = 0;
    if (w->row >= w->where.rows)
        return PSN_OK;
    return move_to(w, w->where.row + w->row, w->where.column, err);
}

static enum psn_code write_sign(struct writer *w, const char *bytes, size_t size,
                                size_t width, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (w->column + width > w->where.columns)
        rc = next_row(w, err);
    w->column += width;
    if (rc || w->row >= w->where.rows)
        return rc;
    return psn_secret_append(w->out, bytes, size, err);
}

/* One character, or what stands for one that a terminal would obey. Returns its size. */
static size_t write_next(struct writer *w, const char *at, size_t left,
                         enum psn_code *ret_rc, struct psn_error *err)
{
    uint32_t point = 0;
    size_t size = psn_text_decode(at, left, &point);
    int width = size ? wcwidth((wchar_t)point) : -1;
    char escaped[8];

    if (*at == '\n') {
        *ret_rc = next_row(w, err);
        return 1;
    }
    if (size && width >= 0 && psn_text_is_plain(at, size) &&
        (w->screen->unicode || point < 0x80)) {
        *ret_rc = write_sign(w, at, size, (size_t)width, err);
        return size;
    }
    (void)snprintf(escaped, sizeof escaped, "\\x%02X", (unsigned)(uint8_t)*at);
    *ret_rc = write_sign(w, escaped, 4, 4, err);
    explicit_bzero(escaped, sizeof escaped);
    return 1;
}

enum psn_code tui_screen_secret(struct tui_screen *screen, struct tui_rect where,
                                const struct psn_secret *secret, bool *ret_whole,
                                struct psn_error *err)
{
    PSN_AUTO(psn_secret) *out = NULL;
    struct writer w = { .screen = screen, .where = where };
    const char *at = (const char *)psn_secret_bytes(secret);
    size_t left = psn_secret_size(secret);
    enum psn_code rc = psn_secret_new(4 * left + 32 * (where.rows + 2), &out, err);

    w.out = out;
    if (!rc)
        rc = move_to(&w, where.row, where.column, err);
    while (!rc && left > 0 && w.row < where.rows) {
        size_t size = write_next(&w, at, left, &rc, err);

        at += size;
        left -= size;
    }
    /* Back to where the library believes the cursor to be. */
    if (!rc)
        rc = move_to(&w, 0, 0, err);
    if (!rc &&
        psn_file_write_fd(STDOUT_FILENO, psn_secret_bytes(out), psn_secret_size(out)))
        rc = psn_fail(err, PSN_E_IO, _("cannot write to the terminal"));
    *ret_whole = w.row < where.rows;
    return rc;
}
