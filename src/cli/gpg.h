#ifndef PSN_CLI_GPG_H
#define PSN_CLI_GPG_H

#include "cli/cli.h"

/* Opens a file of a pass tree with the user's gpg, through descriptors alone: a
 * psn_tree_open_fn, whose arg is the struct cli. gpg asks for its passphrase by its own
 * agent, and not at all where nobody is to be asked. E_DENIED: gpg does not open it;
 * E_NOT_FOUND: there is no gpg; E_LIMIT. */
PSN_MUST_CHECK enum psn_code cli_gpg_open(void *arg, int fd, const char *name,
                                          struct psn_secret **ret_text,
                                          struct psn_error *err);

#endif
