#ifndef PSN_CLI_HANDED_H
#define PSN_CLI_HANDED_H

#include "cli/cli.h"

/* What somebody still knows that its client has received: the client is to change it, and
 * nothing here replaces it. */
struct cli_handed {
    struct psn_exposure *items; /* one for each secret, by address and label */
    size_t count;
};
void cli_handed_release(struct cli_handed *handed);
PSN_MUST_CHECK enum psn_code cli_handed_read(struct cli *cli, const char *person,
                                             struct cli_handed *ret_handed,
                                             struct psn_error *err);

/* A line for each; address NULL: of every mailbox. */
void cli_handed_tell(const struct cli *cli, const struct cli_handed *handed,
                     const char *address);
/* An array of it. */
void cli_handed_json(struct cli_json *json, const char *name,
                     const struct cli_handed *handed);

/* Adds who changes it, and how the work goes on if it does; there is one. Returns
 * E_FINDINGS. */
enum psn_code cli_handed_hint(const struct cli_handed *handed, struct psn_error *err);

#endif
