#include "tui/lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
    LABEL_MAX = 22,
    LABEL_GAP = 2,
    PIECE_BYTES = 4096,       /* of one row of the screen */
    SHOWN_BYTES = 256 * 1024, /* of one line, escaped */
};

void tui_lines_release(struct tui_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        free(lines->labels[i]);
        free(lines->values[i]);
    }
    free(lines->labels);
    free(lines->values);
    free(lines->styles);
    *lines = (struct tui_lines){ 0 };
}

static bool make_room(struct tui_lines *lines)
{
    size_t capacity = lines->capacity ? 2 * lines->capacity : 16;
    char **labels;
    char **values;
    uint8_t *styles;

    if (lines->count < lines->capacity)
        return true;
    labels = reallocarray(lines->labels, capacity, sizeof *labels);
    lines->labels = labels ? labels : lines->labels;
    values = reallocarray(lines->values, capacity, sizeof *values);
    lines->values = values ? values : lines->values;
    styles = realloc(lines->styles, capacity);
    lines->styles = styles ? styles : lines->styles;
    if (!labels || !values || !styles)
        return false;
    lines->capacity = capacity;
    return true;
}

static void add(struct tui_lines *lines, enum tui_style style, const char *label,
                const char *value)
{
    char *label_copy = label ? strdup(label) : NULL;
    char *value_copy = value ? strdup(value) : NULL;

    if ((label && !label_copy) || (value && !value_copy) || !make_room(lines)) {
        lines->failed = true;
        free(label_copy);
        free(value_copy);
        return;
    }
    lines->labels[lines->count] = label_copy;
    lines->values[lines->count] = value_copy;
    lines->styles[lines->count++] = (uint8_t)style;
}

void tui_lines_row(struct tui_lines *lines, const char *label, const char *value)
{
    if (value[0])
        add(lines, TUI_PLAIN, label, value);
}

void tui_lines_say(struct tui_lines *lines, enum tui_style style, const char *text)
{
    add(lines, style, NULL, text);
}

void tui_lines_head(struct tui_lines *lines, const char *text)
{
    add(lines, TUI_STRONG, text, NULL);
}

/* How many bytes of text go into so many columns: up to a blank if there is one. */
static size_t fitting(const char *text, size_t columns)
{
    size_t used = 0;
    size_t blank = 0;
    size_t width = 0;

    while (text[used]) {
        char one[8] = { 0 };
        uint32_t point;
        size_t size = psn_text_decode(text + used, strlen(text + used), &point);

        assert(size > 0); /* of text that is escaped */
        memcpy(one, text + used, size);
        width += psn_text_columns(one);
        if (width > columns)
            break;
        if (text[used] == ' ')
            blank = used + 1;
        used += size;
    }
    if (!text[used])
        return used;
    if (blank)
        return blank;
    return used ? used : 1;
}

struct pen {
    struct tui_screen *screen;
    struct tui_rect where;
    size_t from; /* the first line that is seen */
    size_t line; /* the one to be drawn next */
};

static void draw_piece(struct pen *pen, size_t indent, enum tui_style style,
                       const char *text, size_t size)
{
    char piece[PIECE_BYTES];
    size_t row = pen->line - pen->from;

    if (pen->line < pen->from || row >= pen->where.rows || indent >= pen->where.columns)
        return;
    size = size < sizeof piece ? size : sizeof piece - 1;
    memcpy(piece, text, size);
    piece[size] = '\0';
    tui_screen_put(pen->screen, pen->where.row + row, pen->where.column + indent,
                   pen->where.columns - indent, style, piece);
}

/* Broken at its own line ends and at blanks. */
static void draw_text(struct pen *pen, size_t indent, enum tui_style style,
                      const char *text)
{
    size_t columns = pen->where.columns > indent ? pen->where.columns - indent : 1;

    do {
        PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init(SHOWN_BYTES);
        size_t size = strcspn(text, "\n");
        const char *at;

        psn_text_escape(&shown, text, size);
        at = psn_buf_str(&shown);
        do {
            size_t piece = fitting(at, columns);

            draw_piece(pen, indent, style, at, piece);
            pen->line++;
            at += piece;
        } while (*at);
        text += size;
        text += *text == '\n';
    } while (*text);
}

static size_t label_width(const struct tui_lines *lines)
{
    size_t width = 0;

    for (size_t i = 0; i < lines->count; i++) {
        size_t columns =
            lines->labels[i] && lines->values[i] ? psn_text_columns(lines->labels[i]) : 0;

        width = columns > width ? columns : width;
    }
    return width < LABEL_MAX ? width : LABEL_MAX;
}

size_t tui_lines_draw(struct tui_screen *screen, const struct tui_lines *lines,
                      struct tui_rect where, size_t from)
{
    struct pen pen = { screen, where, from, 0 };
    size_t indent = label_width(lines) + LABEL_GAP;

    for (size_t i = 0; i < lines->count; i++) {
        const char *label = lines->labels[i];
        const char *value = lines->values[i];

        if (!label) {
            draw_text(&pen, 0, (enum tui_style)lines->styles[i], value);
            continue;
        }
        if (!value) {
            pen.line += i > 0;
            draw_piece(&pen, 0, TUI_STRONG, label, strlen(label));
            pen.line++;
            continue;
        }
        if (pen.line >= from && pen.line - from < where.rows)
            tui_screen_put(screen, where.row + pen.line - from, where.column,
                           indent - LABEL_GAP < where.columns ? indent - LABEL_GAP
                                                              : where.columns,
                           TUI_DIM, label);
        draw_text(&pen, indent, TUI_PLAIN, value);
    }
    return pen.line;
}
