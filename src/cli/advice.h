#ifndef PSN_CLI_ADVICE_H
#define PSN_CLI_ADVICE_H

#include "cli/options.h"

/* Puts in front of the error's hint which name of the unlocked vault, or which of an
 * option's words, was perhaps meant. The command's own tables tell what each word of the
 * line should have named. */
void cli_advise(struct cli *cli, const struct cli_line *line, struct psn_error *err);

#endif
