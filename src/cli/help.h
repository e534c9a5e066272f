#ifndef PSN_CLI_HELP_H
#define PSN_CLI_HELP_H

#include "cli/cli.h"

/* Help texts, made from the tables of commands and options. */

/* Answers --help, --version and --exit-codes on stdout. */
PSN_MUST_CHECK enum psn_code cli_help(struct cli *cli, struct psn_error *err);

/* For a program that was called without a word: E_INVALID, and how to begin. Where there
 * is no vault yet, that is the three commands which make one useful. */
PSN_MUST_CHECK enum psn_code cli_help_begin(struct cli *cli, struct psn_error *err);

#endif
