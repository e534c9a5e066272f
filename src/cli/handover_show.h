#ifndef PSN_CLI_HANDOVER_SHOW_H
#define PSN_CLI_HANDOVER_SHOW_H

#include "cli/cli.h"

/* How far a handover is, as text or JSON: stages, what blocks with who must act, the
 * checklist. all: as text, too, with every line of every stage. */
PSN_MUST_CHECK enum psn_code cli_handover_show(struct cli *cli, const char *client,
                                               bool all, struct psn_error *err);
/* Every open one, a line each. */
PSN_MUST_CHECK enum psn_code cli_handover_list(struct cli *cli, struct psn_error *err);

/* What may stand beside a file of the trousseau's, and what to do with it. */
#define CLI_HANDOVER_README "LISEZMOI.txt"

#endif
