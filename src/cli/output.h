#ifndef PSN_CLI_OUTPUT_H
#define PSN_CLI_OUTPUT_H

#include "cli/cli.h"

/* What output.c gives to the other files of the framework. */

/* Prints a sentence and a line end; on a terminal it is broken at blanks. */
void cli_print_line(struct cli *cli, const char *text);
/* The same, whose lines but the first begin after `indent` blanks. */
void cli_print_hanging(struct cli *cli, size_t indent, const char *text);

/* Writes bytes to stdout past stdio, which keeps copies; after what stdio holds. */
PSN_MUST_CHECK enum psn_code cli_write(struct cli *cli, const void *bytes, size_t size,
                                       struct psn_error *err);

/* What cli_report() prints of an error with a hint: for people, and with --json. */
void cli_error_text(struct psn_buf *out, const struct psn_error *err);
void cli_error_json(struct psn_buf *out, const struct psn_error *err);

/* Flushes stdout. E_IO or E_FULL if anything printed in this run was lost. */
PSN_MUST_CHECK enum psn_code cli_finish(struct cli *cli, struct psn_error *err);

/* Columns of the terminal behind the descriptor; 80 if it does not say. */
size_t cli_terminal_columns(int fd);

#endif
