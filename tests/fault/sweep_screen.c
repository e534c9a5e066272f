/*
 * The terminal of the text interface: keys come from standard input, and nothing is
 * drawn. What ncurses does beneath, and with too little memory, is not ours to sweep.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "fault/sweep.h"
#include "tui/curses.h"

enum {
    ROWS = 30,
    COLUMNS = 100,
    KEYS_MAX = 512,
    RESIZED = 1,
};

static struct {
    bool is_on;
    char keys[KEYS_MAX];
    size_t count;
    size_t at;
} terminal;

void sweep_screen_begin(const char *command)
{
    memset(&terminal, 0, sizeof terminal);
    terminal.is_on = strcmp(command, "tui") == 0;
}

__attribute__((visibility("default"), used)) int isatty(int fd)
{
    struct termios mode;

    return (terminal.is_on && fd <= STDOUT_FILENO) || tcgetattr(fd, &mode) == 0;
}

/* --- what stands for the library --- */

static int done(void)
{
    return 0;
}

static bool says_yes(void)
{
    return true;
}

static void nothing(void)
{
}

/* A terminal or a window, for which there may be no memory. Neither is looked into. */
static void *something(void)
{
    return sweep_strikes(SWEEP_ALLOC) ? NULL : &terminal;
}

static int rows(const WINDOW *window)
{
    (void)window;
    return ROWS;
}

static int columns(const WINDOW *window)
{
    (void)window;
    return COLUMNS;
}

/* After the last key the interface is left. One stands for another size of the window. */
static int next_key(WINDOW *window, wint_t *key)
{
    (void)window;
    *key = terminal.at < terminal.count ? (wint_t)terminal.keys[terminal.at++] : L'q';
    if (*key != RESIZED)
        return OK;
    *key = KEY_RESIZE;
    return KEY_CODE_YES;
}

static char *capability(const char *name)
{
    static char text[] = "";

    (void)name;
    return text;
}

static char *parametrised(const char *text, ...)
{
    return sweep_strikes(SWEEP_ALLOC) ? NULL : capability(text);
}

/* All of it is read here: a command that is run finds the end of its input. */
static void take_keys(void)
{
    long got;

    do {
        got = syscall(SYS_read, STDIN_FILENO, terminal.keys + terminal.count,
                      sizeof terminal.keys - terminal.count);
        terminal.count += got > 0 ? (size_t)got : 0;
    } while (got > 0);
}

#define STANDS_FOR(name, function) .name = (__typeof__(name) *)(void (*)(void))(function)

enum psn_code __wrap_tui_curses_load(struct tui_curses *ret_curses,
                                     struct psn_error *err);

enum psn_code __wrap_tui_curses_load(struct tui_curses *ret_curses, struct psn_error *err)
{
    (void)err;
    take_keys();
    *ret_curses = (struct tui_curses){
        STANDS_FOR(newterm, something),
        STANDS_FOR(endwin, done),
        STANDS_FOR(delscreen, nothing),
        STANDS_FOR(raw, done),
        STANDS_FOR(noecho, done),
        STANDS_FOR(nonl, done),
        STANDS_FOR(keypad, done),
        STANDS_FOR(set_escdelay, done),
        STANDS_FOR(newwin, something),
        STANDS_FOR(delwin, done),
        STANDS_FOR(wtimeout, nothing),
        STANDS_FOR(wget_wch, next_key),
        STANDS_FOR(waddnwstr, done),
        STANDS_FOR(wmove, done),
        STANDS_FOR(werase, done),
        STANDS_FOR(wrefresh, done),
        STANDS_FOR(wattr_set, done),
        STANDS_FOR(curs_set, done),
        STANDS_FOR(start_color, done),
        STANDS_FOR(use_default_colors, done),
        STANDS_FOR(has_colors, says_yes),
        STANDS_FOR(init_pair, done),
        STANDS_FOR(clearok, done),
        STANDS_FOR(getmaxx, columns),
        STANDS_FOR(getmaxy, rows),
        STANDS_FOR(def_prog_mode, done),
        STANDS_FOR(reset_prog_mode, done),
        STANDS_FOR(reset_shell_mode, done),
        STANDS_FOR(flushinp, done),
        .tigetstr = capability,
        .tiparm = parametrised,
    };
    return PSN_OK;
}
