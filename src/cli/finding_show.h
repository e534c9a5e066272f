#ifndef PSN_CLI_FINDING_SHOW_H
#define PSN_CLI_FINDING_SHOW_H

#include "cli/cli.h"

/* What stands above the findings of a kind, for people. */
const char *cli_finding_heading(enum psn_finding_kind kind);

/* One of that kind, in a sentence: "forward". */
const char *cli_finding_noun(enum psn_finding_kind kind);

/* What no call of OVH's API tells of a mailbox: a hand has to look there. */
const char *cli_unseen_of(const struct psn_role *role);

/* What a person has to look for in OVH's manager. Returns out. */
const char *cli_finding_object(const struct psn_finding *finding, char *out, size_t size);

#endif
