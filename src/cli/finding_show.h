#ifndef PSN_CLI_FINDING_SHOW_H
#define PSN_CLI_FINDING_SHOW_H

#include "cli/cli.h"

/* What stands above the findings of a kind, for people. */
const char *cli_finding_heading(enum psn_finding_kind kind);

#endif
