#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/wrap.h"

enum {
    COLUMN_GAP = 2,
    TEXT_MAX = 256 * 1024 * 1024, /* of all cells; the vault has its own limits */
    ROW_MAX = 1024 * 1024,
    CARRY_INDENT = 4,  /* of what did not fit a row's first line */
    LAST_COLUMNS = 30, /* a last column this wide is worth a margin of its own */
};

/* Cells in reading order: where each begins in the text of all. One that says the same as
 * the cell before it, or above it, begins where that does: of long tables half the text.
 * `failed` stands for any that could not be kept. */
struct cli_table {
    struct psn_buf text;
    uint32_t *cells;
    size_t count;
    size_t capacity;
    size_t columns;
    bool has_titles; /* in the first row */
    bool failed;
};

/* How wide the terminal (0: no terminal) and the columns are. */
struct layout {
    size_t columns;
    size_t *widths;
};

struct cli_table *cli_table_new(size_t columns)
{
    struct cli_table *table = calloc(1, sizeof *table);

    assert(columns > 0);
    if (!table)
        return NULL;
    table->columns = columns;
    table->text = psn_buf_init(TEXT_MAX);
    return table;
}

void cli_table_free(struct cli_table *table)
{
    if (!table)
        return;
    psn_buf_release(&table->text);
    free(table->cells);
    free(table);
}

void cli_table_has_titles(struct cli_table *table)
{
    if (table)
        table->has_titles = true;
}

static bool make_room(struct cli_table *table)
{
    size_t capacity = table->capacity ? table->capacity * 2 : 64;
    uint32_t *cells;

    if (table->count < table->capacity)
        return true;
    cells = reallocarray(table->cells, capacity, sizeof *cells);
    if (!cells)
        return false;
    table->cells = cells;
    table->capacity = capacity;
    return true;
}

static const char *cell_at(const struct cli_table *table, size_t i)
{
    return (const char *)table->text.data + table->cells[i];
}

/* The text that was put last, which is no cell yet, goes if an earlier cell has it. */
static uint32_t share(struct cli_table *table, uint32_t begin)
{
    const char *text = (const char *)table->text.data + begin;
    const size_t before[] = { 1, table->columns };

    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        size_t at = table->count - before[i];

        if (table->count >= before[i] && strcmp(cell_at(table, at), text) == 0) {
            table->text.size = begin;
            return table->cells[at];
        }
    }
    return begin;
}

void cli_table_cell(struct cli_table *table, const char *text)
{
    uint32_t begin;

    if (!table || table->failed)
        return;
    begin = (uint32_t)table->text.size;
    psn_text_escape(&table->text, text, strlen(text));
    psn_buf_char(&table->text, '\0');
    if (!make_room(table) || table->text.failed) {
        table->failed = true;
        return;
    }
    begin = share(table, begin);
    table->cells[table->count++] = begin;
}

static size_t column_width(const struct cli_table *table, size_t column)
{
    size_t widest = 0;

    for (size_t i = column; i < table->count; i += table->columns) {
        size_t width = psn_text_columns(cell_at(table, i));

        widest = width > widest ? width : widest;
    }
    return widest;
}

/* A title with nothing below it says nothing: it is made empty, and the column, which has
 * no width then, is left out. Titles alone say that there is nothing. */
static void drop_empty(struct cli_table *table)
{
    if (table->count <= table->columns)
        return;
    for (size_t i = 0; i < table->columns; i++) {
        bool any = false;

        for (size_t at = i + table->columns; !any && at < table->count;
             at += table->columns)
            any = cell_at(table, at)[0] != '\0';
        if (!any)
            table->cells[i] += (uint32_t)strlen(cell_at(table, i));
    }
}

/* The last cell of a row that says something ends its line: no blanks at line ends. */
static size_t cells_shown(const struct cli_table *table, size_t row)
{
    size_t count = table->columns;

    if (row + count > table->count)
        count = table->count - row;
    while (count > 0 && cell_at(table, row + count - 1)[0] == '\0')
        count--;
    return count;
}

static void pad(struct psn_buf *line, size_t blanks)
{
    while (blanks-- > 0)
        psn_buf_char(line, ' ');
}

/* Returns the column at which the row goes on. */
static size_t break_row(struct psn_buf *line, size_t column)
{
    psn_buf_char(line, '\n');
    pad(line, column);
    return column;
}

/* The last cell, as a paragraph of its own where there is room for one. */
static void put_last(struct psn_buf *line, const char *cell, size_t at, size_t columns)
{
    bool has_room = columns >= at + LAST_COLUMNS;
    struct cli_margins margins = { .columns = columns,
                                   .first = at,
                                   .indent = has_room ? at : CARRY_INDENT };

    cli_wrap(line, cell, &margins);
}

/* Goes to where a cell begins that should stand at a column, which the last one may reach
 * into; returns the column that it is. */
static size_t begin_cell(struct psn_buf *line, size_t column, size_t used, bool is_last,
                         bool overflows)
{
    if (column > 0 && used + COLUMN_GAP > column)
        return break_row(line, is_last ? column : CARRY_INDENT);
    if (column > 0 && overflows)
        return break_row(line, CARRY_INDENT);
    pad(line, column - used);
    return column;
}

static void print_row(struct cli *cli, const struct cli_table *table, size_t row,
                      const struct layout *layout)
{
    PSN_AUTO_RELEASE(psn_buf) line = psn_buf_init(ROW_MAX);
    size_t count = cells_shown(table, row);
    size_t column = 0; /* where the next cell stands */
    size_t used = 0;   /* where the last one ended */

    for (size_t i = 0; i < count; i++) {
        const char *cell = cell_at(table, row + i);
        size_t width = psn_text_columns(cell);
        bool is_last = i + 1 == count;
        bool has_margin = is_last && column + LAST_COLUMNS <= layout->columns;

        if (table->has_titles && layout->widths[i] == 0)
            continue;
        column = begin_cell(&line, column, used, is_last,
                            layout->columns && !has_margin &&
                                column + width > layout->columns);
        /* One that is wider than the terminal is a paragraph, wherever it stands. */
        put_last(&line, cell, column,
                 is_last || column + width > layout->columns ? layout->columns : 0);
        used = column + width;
        column += layout->widths[i] + COLUMN_GAP;
    }
    cli_print(cli, "%s\n", psn_buf_str(&line));
    if (line.failed)
        cli->output_errno = ENOMEM;
}

/* In a table of two columns that does not fit, a long first cell has its line alone. */
static void fit(const struct cli_table *table, struct layout *layout)
{
    size_t first_max = layout->columns * 2 / 5;

    if (layout->columns && table->columns == 2 &&
        layout->widths[0] + COLUMN_GAP + layout->widths[1] > layout->columns &&
        layout->widths[0] > first_max)
        layout->widths[0] = first_max;
}

void cli_table_print(struct cli *cli, struct cli_table *table)
{
    PSN_AUTO_FREE size_t *widths = NULL;
    struct layout layout = { .columns = cli_wrap_columns(STDOUT_FILENO) };

    if (table && !table->failed)
        widths = calloc(table->columns, sizeof *widths);
    if (!widths) {
        cli->output_errno = ENOMEM;
        return;
    }
    if (table->has_titles)
        drop_empty(table);
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i);
    layout.widths = widths;
    fit(table, &layout);
    for (size_t i = 0; i < table->count; i += table->columns)
        print_row(cli, table, i, &layout);
}
