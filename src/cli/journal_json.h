#ifndef PSN_CLI_JOURNAL_JSON_H
#define PSN_CLI_JOURNAL_JSON_H

#include "cli/cli.h"

/* Adds an entry of the journal as an object. */
void cli_journal_json(struct cli_json *json, const struct psn_journal_entry *entry);

#endif
