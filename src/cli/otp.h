#ifndef PSN_CLI_OTP_H
#define PSN_CLI_OTP_H

#include "cli/cli.h"

struct cmd_otp_options {
    bool copy;
    bool recovery;
    bool list;
    const char *used; /* numbers of codes, checked; NULL: not given */
    const char *unused;
};

/* otp --recovery (otp_recovery.c): takes the next code, lists them, or marks one. */
PSN_MUST_CHECK enum psn_code cli_otp_recovery(struct cli *cli,
                                              const struct cmd_otp_options *options,
                                              const char *address, const char *label,
                                              struct psn_error *err);

#endif
