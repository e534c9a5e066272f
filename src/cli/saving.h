#ifndef CLI_SAVING_H
#define CLI_SAVING_H

#include "cli/cli.h"

/* A document in several forms, FOLDER/NAME.EXTENSION; each replaces its older one. */
struct cli_saving {
    struct cli *cli;
    const char *folder;
    const char *name;
};

PSN_MUST_CHECK enum psn_code cli_save(const struct cli_saving *saving,
                                      const char *extension, const void *bytes,
                                      size_t size, struct psn_error *err);

/* With FOLDER/NAME.EXTENSION.sig beside it. Killed anywhere, a signature is that of the
 * document beside it: one that is new has its signature when it appears, one that is
 * replaced has none until it has its own. */
PSN_MUST_CHECK enum psn_code cli_save_signed(const struct cli_saving *saving,
                                             const char *extension,
                                             const struct psn_buf *text,
                                             struct psn_error *err);

#endif
