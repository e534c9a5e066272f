#ifndef PSN_TUI_SCREEN_H
#define PSN_TUI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "passation/passation.h"

/*
 * The screen: text at a place, a key at a time. Rows and columns count from 0; widths are
 * terminal columns, of wide and combining characters too. All text is untrusted, and
 * escaped here, once.
 *
 * A secret never passes through the library's buffers, which nothing can wipe: a hole is
 * left on the screen, and its bytes go from locked memory to the terminal.
 */
struct tui_screen;

enum tui_style {
    TUI_PLAIN,
    TUI_STRONG,
    TUI_DIM,
    TUI_CHOSEN, /* the row that the cursor is on */
    TUI_BAR,    /* the first and the last line */
    TUI_GOOD,   /* colours say nothing that the words do not */
    TUI_WATCH,
    TUI_BAD,
    TUI_STYLES,
};

/* Keys: a character, or one of these. */
enum {
    TUI_KEY_NONE = 0, /* nothing was typed in time */
    TUI_KEY_ENTER = 0x110000,
    TUI_KEY_ESCAPE,
    TUI_KEY_BACK, /* backspace */
    TUI_KEY_UP,
    TUI_KEY_DOWN,
    TUI_KEY_LEFT,
    TUI_KEY_RIGHT,
    TUI_KEY_PAGE_UP,
    TUI_KEY_PAGE_DOWN,
    TUI_KEY_HOME,
    TUI_KEY_END,
    TUI_KEY_TAB,
    TUI_KEY_BACK_TAB,
    TUI_KEY_DELETE,
    TUI_KEY_RELOAD, /* F5 */
    TUI_KEY_RESIZE, /* the terminal has another size */
    TUI_KEY_STOP,   /* Ctrl-Z */
    TUI_KEY_QUIT,   /* Ctrl-C, or a signal that ends the program */
    TUI_KEY_REDRAW, /* Ctrl-L */
    TUI_KEY_OTHER,
};

struct tui_rect {
    size_t row;
    size_t column;
    size_t rows;
    size_t columns;
};

/* E_INVALID if stdin or stdout is no terminal, or of a kind that cannot be drawn on. */
PSN_MUST_CHECK enum psn_code tui_screen_open(struct tui_screen **ret_screen,
                                             struct psn_error *err);
/* Gives the terminal back as it was, and the signals. NULL is fine. */
void tui_screen_close(struct tui_screen *screen);
size_t tui_screen_rows(const struct tui_screen *screen);
size_t tui_screen_columns(const struct tui_screen *screen);
/* False where only ASCII can be shown. */
bool tui_screen_is_unicode(const struct tui_screen *screen);

/* Waits for a key, at most so long. TUI_KEY_QUIT with tui_signal() also when the terminal
 * is gone. */
unsigned tui_screen_key(struct tui_screen *screen, int wait_ms);

/* Empties the picture; nothing is seen of it before tui_screen_show(). */
void tui_screen_erase(struct tui_screen *screen);
/* Writes text into exactly so many columns: cut with an ellipsis, or filled up. */
void tui_screen_put(struct tui_screen *screen, size_t row, size_t column, size_t columns,
                    enum tui_style style, const char *text);
/* The same at the right end of the columns, if it fits; returns what is left of them. */
size_t tui_screen_put_right(struct tui_screen *screen, size_t row, size_t column,
                            size_t columns, enum tui_style style, const char *text);
void tui_screen_line(struct tui_screen *screen, size_t row, size_t column,
                     size_t columns);
/* A frame around an empty inside; returns the inside. */
struct tui_rect tui_screen_box(struct tui_screen *screen, size_t rows, size_t columns,
                               const char *title);
void tui_screen_cursor(struct tui_screen *screen, bool visible, size_t row,
                       size_t column);
void tui_screen_show(struct tui_screen *screen);

/* Shows a secret in a rectangle that was left empty, after tui_screen_show(). False if
 * not all of it fits. */
PSN_MUST_CHECK enum psn_code tui_screen_secret(struct tui_screen *screen,
                                               struct tui_rect where,
                                               const struct psn_secret *secret,
                                               bool *ret_whole, struct psn_error *err);
/* Clears the terminal itself, whatever was believed to be on it; the next show draws all
 * of the picture again. */
void tui_screen_wipe(struct tui_screen *screen);

/* Between these, commands print and ask as they do on a plain terminal, yet on the
 * alternate screen, so that nothing of it is left to scroll back to. */
void tui_screen_suspend(struct tui_screen *screen);
/* While it is suspended: waits for Enter, at most so long. True also when there will be
 * none: at the end of input, or after a signal. */
PSN_MUST_CHECK bool tui_screen_enter(int wait_ms);
void tui_screen_resume(struct tui_screen *screen);

static inline void tui_screen_free(struct tui_screen *screen)
{
    tui_screen_close(screen);
}
PSN_DEFINE_AUTO(tui_screen)

#endif
