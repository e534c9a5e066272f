#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum {
    COLUMN_GAP = 2,
    CELL_MAX = 64 * 1024,
};

/* Cells in reading order. `failed` stands for any cell that could not be kept. */
struct cli_table {
    char **cells;
    size_t count;
    size_t capacity;
    size_t columns;
    bool failed;
};

struct cli_table *cli_table_new(size_t columns)
{
    struct cli_table *table = calloc(1, sizeof *table);

    assert(columns > 0);
    if (table)
        table->columns = columns;
    return table;
}

void cli_table_free(struct cli_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

static bool make_room(struct cli_table *table)
{
    size_t capacity = table->capacity ? table->capacity * 2 : 64;
    char **cells;

    if (table->count < table->capacity)
        return true;
    cells = reallocarray(table->cells, capacity, sizeof *cells);
    if (!cells)
        return false;
    table->cells = cells;
    table->capacity = capacity;
    return true;
}

void cli_table_cell(struct cli_table *table, const char *text)
{
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init(CELL_MAX);
    char *cell = NULL;

    if (!table || table->failed)
        return;
    psn_text_escape(&shown, text, strlen(text));
    if (!make_room(table) || psn_buf_take(&shown, &cell, NULL)) {
        table->failed = true;
        return;
    }
    table->cells[table->count++] = cell;
}

static size_t column_width(const struct cli_table *table, size_t column)
{
    size_t widest = 0;

    for (size_t i = column; i < table->count; i += table->columns) {
        size_t width = psn_text_columns(table->cells[i]);

        widest = width > widest ? width : widest;
    }
    return widest;
}

/* The last cell of a row that says something ends its line: no blanks at line ends. */
static size_t cells_shown(const struct cli_table *table, size_t row)
{
    size_t count = table->columns;

    if (row + count > table->count)
        count = table->count - row;
    while (count > 0 && table->cells[row + count - 1][0] == '\0')
        count--;
    return count;
}

static void print_row(struct cli *cli, const struct cli_table *table, size_t row,
                      const size_t *widths)
{
    size_t count = cells_shown(table, row);

    for (size_t i = 0; i < count; i++) {
        const char *cell = table->cells[row + i];
        size_t blanks = widths[i] + COLUMN_GAP - psn_text_columns(cell);

        cli_print(cli, "%s%*s", cell, i + 1 < count ? (int)blanks : 0, "");
    }
    cli_print(cli, "\n");
}

void cli_table_print(struct cli *cli, struct cli_table *table)
{
    PSN_AUTO_FREE size_t *widths = NULL;

    if (table && !table->failed)
        widths = calloc(table->columns, sizeof *widths);
    if (!widths) {
        cli->output_errno = ENOMEM;
        return;
    }
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i);
    for (size_t i = 0; i < table->count; i += table->columns)
        print_row(cli, table, i, widths);
}
