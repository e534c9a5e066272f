#ifndef PSN_TUI_CURSES_H
#define PSN_TUI_CURSES_H

/* Names such as move, erase and timeout stay ours, and addresses can be taken. */
#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "passation/passation.h"

/*
 * ncurses (wide), loaded when the text interface starts and not before: linking it would
 * cost every command its relocations (docs/adr/0008). This is the one file that knows the
 * library's name, and screen.c the one that calls it.
 */
#define TUI_CURSES_EACH(X) \
    X(newterm)             \
    X(endwin)              \
    X(delscreen)           \
    X(raw)                 \
    X(noecho)              \
    X(nonl)                \
    X(keypad)              \
    X(set_escdelay)        \
    X(newwin)              \
    X(delwin)              \
    X(wtimeout)            \
    X(wget_wch)            \
    X(waddnwstr)           \
    X(wmove)               \
    X(werase)              \
    X(wrefresh)            \
    X(wattr_set)           \
    X(curs_set)            \
    X(start_color)         \
    X(use_default_colors)  \
    X(has_colors)          \
    X(init_pair)           \
    X(clearok)             \
    X(getmaxx)             \
    X(getmaxy)             \
    X(def_prog_mode)       \
    X(reset_prog_mode)     \
    X(reset_shell_mode)    \
    X(flushinp)

struct tui_curses {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name that is declared bears none. */
#define TUI_CURSES_MEMBER(name) __typeof__(name) *name;
    TUI_CURSES_EACH(TUI_CURSES_MEMBER)
#undef TUI_CURSES_MEMBER
    /* Of <term.h>, whose macros are words of everyday use. */
    char *(*tigetstr)(const char *name);
    char *(*tiparm)(const char *text, ...);
};

/* E_NOT_FOUND with advice if the library is not installed. */
PSN_MUST_CHECK enum psn_code tui_curses_load(struct tui_curses *ret_curses,
                                             struct psn_error *err);

#endif
