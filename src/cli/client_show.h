#ifndef PSN_CLI_CLIENT_SHOW_H
#define PSN_CLI_CLIENT_SHOW_H

#include "cli/cli.h"

/* A client, as an object of JSON (name NULL: inside an array or on its own) and as a
 * table for people. */
void cli_client_json(struct cli_json *json, const char *name,
                     const struct psn_client *client);
PSN_MUST_CHECK enum psn_code cli_client_print(struct cli *cli,
                                              const struct psn_client *client,
                                              struct psn_error *err);

#endif
