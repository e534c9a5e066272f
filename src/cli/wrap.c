#include "cli/wrap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/auto.h"
#include "base/text.h"

enum {
    COLUMNS_MIN = 20,
    COMMAND_INDENT = 2,
};

size_t cli_wrap_columns(int fd)
{
    struct winsize size = { 0 };

    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < COLUMNS_MIN)
        return 0;
    return size.ws_col;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* French sets a blank before these signs, and after an opening quotation mark. */
static bool is_bound(const char *word, const char *blank)
{
    static const char opening[] = "«";
    size_t size = sizeof opening - 1;

    if (blank[1] == ':' || blank[1] == ';' || blank[1] == '?' || blank[1] == '!')
        return true;
    if (starts_with(blank + 1, "»"))
        return true;
    return (size_t)(blank - word) >= size && starts_with(blank - size, opening);
}

/* Returns the blank after the word, or the text's end. */
static const char *word_end(const char *word)
{
    const char *at = word + strcspn(word, " ");

    while (*at && is_bound(word, at))
        at += 1 + strcspn(at + 1, " ");
    return at;
}

/* Columns up to `end`, which lies in the same text; a colour's code takes none. */
static size_t columns_between(const char *word, const char *end)
{
    size_t columns = psn_text_columns(word) - psn_text_columns(end);

    for (const char *at = word; at < end; at++) {
        size_t size = *at == '\033' ? strcspn(at, "m") + 1 : 0;

        columns -= size <= columns ? size : columns;
        at += size > 0 ? size - 1 : 0;
    }
    return columns;
}

/* Returns the command that ends the line, or NULL. */
static const char *command_in(const char *line)
{
    static const char before[] = ": passation ";
    const char *found = NULL;

    for (const char *at = strstr(line, before); at; at = strstr(at + 1, before))
        found = at + 2;
    return found && !strchr(found, ';') && !strstr(found, ". ") ? found : NULL;
}

static void put_blanks(struct psn_buf *out, size_t count)
{
    while (count-- > 0)
        psn_buf_char(out, ' ');
}

static void break_line(struct psn_buf *out, size_t indent)
{
    psn_buf_char(out, '\n');
    put_blanks(out, indent);
}

/* Blanks before the first word stay with it, and set in what follows of the line. */
static void wrap_line(struct psn_buf *out, const char *line,
                      const struct cli_margins *margins)
{
    const char *command = command_in(line);
    size_t lead = strspn(line, " ");
    size_t hanging = margins->indent + (lead > 0 ? lead + COMMAND_INDENT : 0);
    size_t column = margins->first;
    size_t blanks = 0; /* before the word; none are left at a line's end */
    const char *word = line;

    while (*word) {
        const char *end = word == command ? word + strlen(word)
                                          : word_end(word == line ? word + lead : word);
        size_t width = columns_between(word, end);
        size_t indent = hanging + (word == command ? COMMAND_INDENT : 0);

        if (word != line && column + blanks + width > margins->columns) {
            break_line(out, indent);
            column = indent;
        } else {
            put_blanks(out, blanks);
            column += blanks;
        }
        psn_buf_bytes(out, word, (size_t)(end - word));
        column += width;
        blanks = strspn(end, " ");
        word = end + blanks;
    }
}

void cli_wrap(struct psn_buf *out, const char *text, const struct cli_margins *margins)
{
    struct cli_margins here = *margins;

    while (here.columns > 0) {
        size_t size = strcspn(text, "\n");
        PSN_AUTO_FREE char *line = strndup(text, size);

        if (!line)
            break;
        wrap_line(out, line, &here);
        if (text[size] == '\0')
            return;
        break_line(out, here.indent);
        here.first = here.indent;
        text += size + 1;
    }
    psn_buf_text(out, text);
}
