#ifndef PSN_CLI_OPENING_H
#define PSN_CLI_OPENING_H

#include "cli/cli.h"

/* Opening what somebody else's vault issued: the code is asked for, and whether a key
 * that is not known here is the issuer's. */

struct cli_opening {
    const char *issuer; /* whom the user trusts, or NULL */
    int code_fd;        /* or -1 */
};

/* Reads a code, from its descriptor or the terminal, in its one form. */
PSN_MUST_CHECK enum psn_code cli_read_code(struct cli *cli, int code_fd,
                                           const char *prompt,
                                           struct psn_secret **ret_code,
                                           struct psn_error *err);

/* identity: NULL, or what was read from --identity-file. The caller frees *ret_opened. */
PSN_MUST_CHECK enum psn_code cli_open_issue(struct cli *cli, const char *path,
                                            const struct cli_opening *opening,
                                            const struct psn_secret *identity,
                                            struct psn_opened **ret_opened,
                                            struct psn_error *err);

#include "base/auto.h"
PSN_DEFINE_AUTO(psn_opened)

#endif
