#ifndef PSN_CLI_PERSON_KEY_H
#define PSN_CLI_PERSON_KEY_H

#include "cli/cli.h"

/* Reads a public key, one line, from a file or ("-") standard input. */
PSN_MUST_CHECK enum psn_code cli_read_public_key(const char *path,
                                                 char ret_key[PSN_RECIPIENT_TEXT_MAX],
                                                 struct psn_error *err);

/* Says what to read over the telephone, and how to note that it was done. */
void cli_tell_fingerprint(struct cli *cli, const char *person, const char *key);

#endif
