#ifndef PSN_CLI_TERMINAL_H
#define PSN_CLI_TERMINAL_H

#include "cli/cli.h"

/* True if this process has a controlling terminal. */
bool cli_terminal_exists(void);

/* Asks for one line that is no secret; cut to size. E_ABORTED at end of input. */
PSN_MUST_CHECK enum psn_code cli_ask_line(const char *prompt, char *ret_line, size_t size,
                                          struct psn_error *err);

/* Says one line on the terminal. */
PSN_MUST_CHECK enum psn_code cli_tell(const char *text, struct psn_error *err);

#endif
