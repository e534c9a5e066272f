#ifndef PSN_CLI_KNOWING_H
#define PSN_CLI_KNOWING_H

#include "cli/cli.h"

/* Warns of those who know a mailbox password that is in force, since the vault is about
 * to forget it: of one address, or, address NULL, of a client's mailboxes. Says nothing
 * if nobody does. */
PSN_MUST_CHECK enum psn_code cli_knowing_warn(struct cli *cli, const char *client,
                                              const char *address, struct psn_error *err);

/* Warns of those who know the password of a mailbox that came back with it. */
PSN_MUST_CHECK enum psn_code cli_knowing_warn_back(struct cli *cli, const char *address,
                                                   struct psn_error *err);

#endif
