#ifndef PSN_CLI_LAST_WORDS_H
#define PSN_CLI_LAST_WORDS_H

#include "cli/cli.h"

/* From here on, a vault's disk that is full or gone below a mapped file ends the process
 * with a message and E_FULL's status. cli must live as long as the process. To be called
 * before the vault is opened. */
void cli_last_words(struct cli *cli);

#endif
