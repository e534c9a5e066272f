#ifndef PSN_TUI_LIST_H
#define PSN_TUI_LIST_H

#include "tui/screen.h"

/*
 * A list of rows that can be walked through and filtered. Rows keep their numbers, in the
 * order in which they were added; what else is known of them is the caller's, by number.
 */
enum {
    TUI_COLUMNS_MAX = 8,
    TUI_FILTER_MAX = 128,
};

struct tui_list {
    size_t columns;
    bool keeps_first;                    /* the other columns give way to the first one */
    const char *titles[TUI_COLUMNS_MAX]; /* translated; kept by the caller */
    char **ids; /* what the rows stand for, whatever else of them changes */
    char **cells;
    uint8_t *styles; /* enum tui_style, of the rows */
    size_t count;
    size_t capacity;
    size_t *shown; /* numbers of the rows that pass the filter */
    size_t shown_count;
    size_t chosen; /* in shown */
    size_t top;    /* in shown */
    char filter[TUI_FILTER_MAX];
};

/* Forgets the rows; filter and titles stay. */
void tui_list_clear(struct tui_list *list);
/* The same, with the memory that they took. */
void tui_list_release(struct tui_list *list);

/* id: what the row stands for, unlike that of any other row of the list; NULL: what its
 * first cell holds. */
PSN_MUST_CHECK enum psn_code tui_list_add(struct tui_list *list, enum tui_style style,
                                          const char *id, const char *const *cells,
                                          struct psn_error *err);
/* After rows were added or the filter has changed: keeps the chosen row if it is still
 * there, else the nearest one. `was` is its id, or NULL. */
void tui_list_settle(struct tui_list *list, const char *was);

/* The number of the chosen row; false if no row is shown. */
bool tui_list_chosen(const struct tui_list *list, size_t *ret_row);
const char *tui_list_cell(const struct tui_list *list, size_t row, size_t column);
const char *tui_list_id(const struct tui_list *list, size_t row);

/* Moves by arrows, j k, pages, Home End, < > G; other keys do nothing. */
void tui_list_move(struct tui_list *list, unsigned key, size_t page);
/* Keeps the chosen row inside a window of so many rows, at least one. */
void tui_list_scroll(struct tui_list *list, size_t rows);

/* With its head, in two rows or more; `empty` is said when no row is shown. */
void tui_list_draw(struct tui_screen *screen, struct tui_list *list,
                   struct tui_rect where, const char *empty);

/* True if needle, in lower case or not, is in text. Empty fits all. */
bool tui_text_contains(const char *text, const char *needle);

#endif
