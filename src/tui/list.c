#include "tui/list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "base/i18n.h"
#include "base/text.h"

enum {
    GAP = 2, /* between two columns */
    NARROW = 6,
};

void tui_list_clear(struct tui_list *list)
{
    for (size_t i = 0; i < list->count * list->columns; i++)
        free(list->cells[i]);
    for (size_t i = 0; i < list->count; i++)
        free(list->ids[i]);
    list->count = 0;
    list->shown_count = 0;
}

void tui_list_release(struct tui_list *list)
{
    tui_list_clear(list);
    free(list->ids);
    free(list->cells);
    free(list->styles);
    free(list->shown);
    list->ids = NULL;
    list->cells = NULL;
    list->styles = NULL;
    list->shown = NULL;
    list->capacity = 0;
}

static bool make_room(struct tui_list *list)
{
    size_t capacity = list->capacity ? 2 * list->capacity : 32;
    char **ids;
    char **cells;
    uint8_t *styles;
    size_t *shown;

    if (list->count < list->capacity)
        return true;
    ids = reallocarray(list->ids, capacity, sizeof *ids);
    list->ids = ids ? ids : list->ids;
    cells = reallocarray(list->cells, capacity * list->columns, sizeof *cells);
    list->cells = cells ? cells : list->cells;
    styles = realloc(list->styles, capacity);
    list->styles = styles ? styles : list->styles;
    shown = reallocarray(list->shown, capacity, sizeof *shown);
    list->shown = shown ? shown : list->shown;
    if (!ids || !cells || !styles || !shown)
        return false;
    list->capacity = capacity;
    return true;
}

enum psn_code tui_list_add(struct tui_list *list, enum tui_style style, const char *id,
                           const char *const *cells, struct psn_error *err)
{
    size_t first = list->count * list->columns;
    size_t kept = 0;
    enum psn_code rc;

    if (!make_room(list))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_text_keep(id ? id : cells[0], &list->ids[list->count], err);
    if (rc)
        return rc;
    while (!rc && kept < list->columns) {
        rc = psn_text_keep(cells[kept], &list->cells[first + kept], err);
        kept += !rc;
    }
    if (rc) {
        free(list->ids[list->count]);
        while (kept > 0)
            free(list->cells[first + --kept]);
        return rc;
    }
    list->styles[list->count++] = (uint8_t)style;
    return PSN_OK;
}

/* --- the filter --- */

/* The first letter of text in lower case; its size. */
static size_t letter(const char *text, wint_t *ret_letter)
{
    uint32_t point = (uint8_t)*text;
    size_t size = psn_text_decode(text, strlen(text), &point);

    *ret_letter = towlower((wint_t)point);
    return size ? size : 1;
}

static bool begins_with(const char *text, const char *needle)
{
    while (*needle) {
        wint_t a;
        wint_t b;

        if (!*text)
            return false;
        text += letter(text, &a);
        needle += letter(needle, &b);
        if (a != b)
            return false;
    }
    return true;
}

bool tui_text_contains(const char *text, const char *needle)
{
    for (; *text; text++)
        if (begins_with(text, needle))
            return true;
    return !*needle;
}

static bool passes(const struct tui_list *list, size_t row)
{
    bool fits = list->filter[0] == '\0';

    for (size_t i = 0; !fits && i < list->columns; i++)
        fits = tui_text_contains(tui_list_cell(list, row, i), list->filter);
    return fits;
}

void tui_list_settle(struct tui_list *list, const char *was)
{
    bool found = false;

    list->shown_count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (passes(list, i))
            list->shown[list->shown_count++] = i;
    if (list->chosen >= list->shown_count)
        list->chosen = list->shown_count ? list->shown_count - 1 : 0;
    if (!was || list->shown_count == 0 ||
        strcmp(tui_list_id(list, list->shown[list->chosen]), was) == 0)
        return;
    for (size_t i = 0; !found && i < list->shown_count; i++) {
        found = strcmp(tui_list_id(list, list->shown[i]), was) == 0;
        if (found)
            list->chosen = i;
    }
}

bool tui_list_chosen(const struct tui_list *list, size_t *ret_row)
{
    if (list->chosen >= list->shown_count)
        return false;
    *ret_row = list->shown[list->chosen];
    return true;
}

const char *tui_list_cell(const struct tui_list *list, size_t row, size_t column)
{
    return list->cells[row * list->columns + column];
}

const char *tui_list_id(const struct tui_list *list, size_t row)
{
    return list->ids[row];
}

/* --- moving --- */

static size_t moved(size_t at, size_t count, unsigned key, size_t page)
{
    size_t last = count ? count - 1 : 0;

    switch (key) {
    case TUI_KEY_UP:
    case 'k':
        return at ? at - 1 : 0;
    case TUI_KEY_DOWN:
    case 'j':
        return at < last ? at + 1 : last;
    case TUI_KEY_PAGE_UP:
        return at > page ? at - page : 0;
    case TUI_KEY_PAGE_DOWN:
        return last - at > page ? at + page : last;
    case TUI_KEY_HOME:
    case '<':
        return 0;
    case TUI_KEY_END:
    case '>':
    case 'G':
        return last;
    default:
        return at;
    }
}

void tui_list_move(struct tui_list *list, unsigned key, size_t page)
{
    list->chosen = moved(list->chosen, list->shown_count, key, page);
}

void tui_list_scroll(struct tui_list *list, size_t rows)
{
    if (list->chosen < list->top)
        list->top = list->chosen;
    if (list->chosen >= list->top + rows)
        list->top = list->chosen - rows + 1;
    /* No empty space at the end while there is more above. */
    if (list->top + rows > list->shown_count)
        list->top = list->shown_count > rows ? list->shown_count - rows : 0;
}

/* --- drawing --- */

static size_t cell_columns(const char *text)
{
    char shown[1024];

    return psn_text_columns(psn_text_shown(text, shown, sizeof shown));
}

/* As wide as what they hold; the widest gives way until all fit. */
static void measure(const struct tui_list *list, size_t columns,
                    size_t widths[TUI_COLUMNS_MAX])
{
    size_t sum = GAP * (list->columns - 1);

    assert(list->columns > 0 && list->columns <= TUI_COLUMNS_MAX);
    for (size_t i = 0; i < list->columns; i++) {
        widths[i] = psn_text_columns(list->titles[i]);
        for (size_t j = 0; j < list->shown_count; j++) {
            size_t width = cell_columns(tui_list_cell(list, list->shown[j], i));

            widths[i] = width > widths[i] ? width : widths[i];
        }
        sum += widths[i];
    }
    while (sum > columns) {
        size_t first = list->keeps_first;
        size_t widest = first;

        for (size_t i = first + 1; i < list->columns; i++)
            if (widths[i] >= widths[widest])
                widest = i;
        if (widths[widest] <= NARROW)
            break;
        widths[widest]--;
        sum--;
    }
}

static void draw_row(struct tui_screen *screen, const char *const *cells,
                     const size_t *widths, size_t count, struct tui_rect at,
                     enum tui_style style)
{
    size_t column = at.column;
    size_t end = at.column + at.columns;

    tui_screen_put(screen, at.row, at.column, at.columns, style, "");
    for (size_t i = 0; i < count && column < end; i++) {
        size_t width = widths[i] < end - column ? widths[i] : end - column;

        tui_screen_put(screen, at.row, column, width, style, cells[i]);
        column += width + GAP;
    }
}

void tui_list_draw(struct tui_screen *screen, struct tui_list *list,
                   struct tui_rect where, const char *empty)
{
    size_t widths[TUI_COLUMNS_MAX];
    struct tui_rect at = where;

    if (list->shown_count == 0) {
        tui_screen_put(screen, where.row, where.column, where.columns, TUI_DIM,
                       list->filter[0] ? _("Nothing fits the filter.") : empty);
        return;
    }
    measure(list, where.columns, widths);
    tui_list_scroll(list, where.rows - 1);
    draw_row(screen, list->titles, widths, list->columns, at, TUI_DIM);
    for (size_t i = 0; i + 1 < where.rows && list->top + i < list->shown_count; i++) {
        size_t row = list->shown[list->top + i];
        enum tui_style style = list->top + i == list->chosen
                                   ? TUI_CHOSEN
                                   : (enum tui_style)list->styles[row];

        at.row = where.row + 1 + i;
        draw_row(screen, (const char *const *)&list->cells[row * list->columns], widths,
                 list->columns, at, style);
    }
}
