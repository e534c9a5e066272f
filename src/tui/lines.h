#ifndef PSN_TUI_LINES_H
#define PSN_TUI_LINES_H

#include "tui/screen.h"

/* What is known of one thing: rows "label  value", sentences, headings; broken to fit. */
struct tui_lines {
    char **labels; /* NULL: a sentence; "" with a value: under the label above */
    char **values; /* NULL: the label is a heading */
    uint8_t *styles;
    size_t count;
    size_t capacity;
    bool failed; /* no memory for all of it */
};

void tui_lines_release(struct tui_lines *lines);
/* An empty value is left out. */
void tui_lines_row(struct tui_lines *lines, const char *label, const char *value);
void tui_lines_say(struct tui_lines *lines, enum tui_style style, const char *text);
void tui_lines_head(struct tui_lines *lines, const char *text);

/* Draws from the line `from` on; returns how many lines there are in all. */
size_t tui_lines_draw(struct tui_screen *screen, const struct tui_lines *lines,
                      struct tui_rect where, size_t from);

#endif
