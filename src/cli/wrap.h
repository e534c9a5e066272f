#ifndef PSN_CLI_WRAP_H
#define PSN_CLI_WRAP_H

#include <stddef.h>

#include "base/buf.h"

/* Text broken into lines that fit a terminal. */

/* Where text goes: `columns` wide, or without an end if 0. The first line begins at
 * column `first`, the others after `indent` blanks. */
struct cli_margins {
    size_t columns;
    size_t first;
    size_t indent;
};

/* Breaks each line of text at blanks; a word that is too long stays whole. What a line
 * begins with blanks for, an item of a list, is set in further where it goes on. A
 * command at a line's end, after a colon, stays whole too, so that it can be copied. */
void cli_wrap(struct psn_buf *out, const char *text, const struct cli_margins *margins);

/* Columns of the terminal behind the descriptor; 0 if it is none or does not say. */
size_t cli_wrap_columns(int fd);

#endif
