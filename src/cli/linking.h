#ifndef PSN_CLI_LINKING_H
#define PSN_CLI_LINKING_H

#include "cli/cli.h"

/* Linking a client with everything that is seen of it: the page for the owner, the wait,
 * the outcome. The callbacks of options are set here. */
PSN_MUST_CHECK enum psn_code cli_link(struct cli *cli, const char *id,
                                      struct psn_link_options *options,
                                      struct psn_error *err);

/* Looks once after every key that waits for its owner's approval, and says how each is.
 * E_UNFINISHED if one still waits; a refused one gives its error. */
PSN_MUST_CHECK enum psn_code cli_link_resume(struct cli *cli, struct psn_error *err);

/* "work" or "cut", as in the option --for and in JSON. */
const char *cli_key_use_word(enum psn_key_use use);

#endif
