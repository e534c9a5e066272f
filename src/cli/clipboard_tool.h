#ifndef PSN_CLI_CLIPBOARD_TOOL_H
#define PSN_CLI_CLIPBOARD_TOOL_H

#include "cli/cli.h"

/* The programs that reach the clipboard: wl-copy, xclip, xsel, pbcopy. What is copied
 * goes through a pipe, never by argv. */

struct cli_clipboard_tool {
    char copy[CLI_PATH_MAX];
    char paste[CLI_PATH_MAX];
    const char *const *copy_args; /* NULL-terminated, without argv[0] */
    const char *const *paste_args;
    const char *const *clear_args;
};

/* The one that fits this session and is installed. E_NOT_FOUND with advice. */
PSN_MUST_CHECK enum psn_code cli_clipboard_tool_find(struct cli_clipboard_tool *ret_tool,
                                                     struct psn_error *err);
PSN_MUST_CHECK enum psn_code cli_clipboard_put(const struct cli_clipboard_tool *tool,
                                               const struct psn_secret *secret,
                                               struct psn_error *err);
/* What is on the clipboard now; what is longer than a secret can be is E_LIMIT. */
PSN_MUST_CHECK enum psn_code cli_clipboard_get(const struct cli_clipboard_tool *tool,
                                               struct psn_secret **ret_content,
                                               struct psn_error *err);
PSN_MUST_CHECK enum psn_code cli_clipboard_clear(const struct cli_clipboard_tool *tool,
                                                 struct psn_error *err);

#endif
