#ifndef PSN_CLI_OWNED_H
#define PSN_CLI_OWNED_H

#include "cli/cli.h"

/* Whose the accesses of a client are: nothing that he knows of it is due. */

/* Takes the owner out of `client`, which is to be shown, if he is leaving. */
void cli_owned_settle(struct cli *cli, struct psn_client *client);
/* A line for each client whose accesses are that person's. */
PSN_MUST_CHECK enum psn_code cli_owned_tell(struct cli *cli, const char *person,
                                            struct psn_error *err);
/* Of an address: whose it is; of nobody: for how many clients there is somebody. */
PSN_MUST_CHECK enum psn_code cli_owner_tell(struct cli *cli, const char *address,
                                            struct psn_error *err);
/* The same of one client. */
PSN_MUST_CHECK enum psn_code cli_owner_of_tell(struct cli *cli, const char *client,
                                               struct psn_error *err);
/* An array of the clients' ids. */
PSN_MUST_CHECK enum psn_code cli_owned_json(struct cli *cli, struct cli_json *json,
                                            const char *name, const char *person,
                                            struct psn_error *err);

/* E_FINDINGS, with what ends it, if the person knows a secret in force of a client whose
 * accesses are his: no revocation replaces that. */
PSN_MUST_CHECK enum psn_code cli_owned_fail_known(struct cli *cli, const char *person,
                                                  struct psn_error *err);

#endif
