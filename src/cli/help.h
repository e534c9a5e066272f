#ifndef PSN_CLI_HELP_H
#define PSN_CLI_HELP_H

#include "cli/cli.h"

/* Help texts, made from the tables of commands and options. */

/* Answers --help, --version and --exit-codes on stdout. */
PSN_MUST_CHECK enum psn_code cli_help(struct cli *cli, struct psn_error *err);

#endif
