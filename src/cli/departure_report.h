#ifndef PSN_CLI_DEPARTURE_REPORT_H
#define PSN_CLI_DEPARTURE_REPORT_H

#include "cli/cli.h"
#include "cli/writing.h"

/* Writes the report of a departure into its folder: NAME.txt, a signed statement;
 * NAME.html and NAME.json, each with its .sig; over the files of an earlier run. Says
 * where. */
PSN_MUST_CHECK enum psn_code cli_departure_report(
    struct cli *cli, const struct psn_departure_report *report, struct psn_error *err);

/* What happened and what is left to do, for people. */
void cli_departure_write(struct cli *cli, const struct psn_departure_report *report,
                         struct cli_writing *writing);
/* How it stands: the first lines of that, and what was given up without being changed. */
void cli_departure_headline(const struct psn_departure_report *report,
                            struct cli_writing *writing);
/* The proofs, the last part of that. */
void cli_departure_proofs(struct cli *cli, const struct psn_departure_report *report,
                          struct cli_writing *writing);
/* That it is over, if it is, and with what reservation. */
void cli_departure_tell(struct cli *cli, const struct psn_departure_report *report);
/* Who had what before, and after: a drawing, in markup only. */
void cli_departure_map(const struct psn_departure_report *report,
                       struct cli_writing *writing);
/* For programs. */
void cli_departure_json(const struct psn_departure_report *report, struct cli_json *json);
/* The same, of the facts alone. */
void cli_departure_facts_json(const struct psn_departure *facts, struct cli_json *json);

#endif
