#ifndef PSN_CLI_DEPARTING_H
#define PSN_CLI_DEPARTING_H

#include "cli/cli.h"
#include "cli/delivery.h"

/* A departure with everything that is seen of it: what is done, mailbox by mailbox, what
 * was closed, the issues to those who stay, the report. For depart, apply, resume and
 * due. */
struct cli_departing {
    const struct cli_delivery_options *where;
    uint64_t jobs;
};

/* Goes on with somebody's, and writes the report. E_FINDINGS: done, but for what somebody
 * has to judge or hand over. */
PSN_MUST_CHECK enum psn_code cli_depart(struct cli *cli, const char *person,
                                        const struct cli_departing *how,
                                        struct psn_error *err);

/* The same with all that are open. *ret_count: how many. The first failure is the
 * result. */
PSN_MUST_CHECK enum psn_code cli_depart_open(struct cli *cli,
                                             const struct cli_departing *how,
                                             size_t *ret_count, struct psn_error *err);

#endif
