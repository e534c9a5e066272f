#ifndef PSN_CLI_ISSUE_SHOW_H
#define PSN_CLI_ISSUE_SHOW_H

#include "cli/cli.h"
#include "cli/cmd_show.h"

/* Shows an issue that was opened: what it is, by whom, and what it holds; secrets only
 * with reveal. */
PSN_MUST_CHECK enum psn_code cli_issue_show(struct cli *cli,
                                            const struct psn_opened *opened, bool reveal,
                                            struct psn_error *err);

/* Shows a received role as `show` does an own one. E_NOT_FOUND if there is none. */
PSN_MUST_CHECK enum psn_code cli_received_show(struct cli *cli, const char *address,
                                               const char *label,
                                               const struct cmd_show_options *options,
                                               struct psn_error *err);

/* True if somebody else's vault issued the role to us. */
bool cli_is_received(struct cli *cli, const char *address);

#endif
