#ifndef PSN_CLI_COMPLETE_H
#define PSN_CLI_COMPLETE_H

#include "cli/cli.h"

/*
 * What can stand where a word is being typed, from the tables that the help and the
 * parser read. Printed on stdout for a shell's script:
 *
 *     names<TAB>PREFIX          or "files", "folders": the shell completes them itself
 *     NAME<TAB>WHAT IT IS
 *     …
 *
 * PREFIX is what the word keeps before the name: "--output=". Names are told as they are,
 * for the shell to quote; one that holds a control character is left out.
 */

/* words[0] is the program's name, words[count - 1] the word up to the cursor, "" if
 * nothing is typed yet. Names of the vault are told only if the agent has its key:
 * nothing is asked, nothing is started. */
PSN_MUST_CHECK enum psn_code cli_complete(struct cli *cli, const char *const *words,
                                          size_t count, struct psn_error *err);

/* A word as a shell's line has it, quotation marks and backslashes, without them; one
 * that is not closed yet ends with the text. Nothing is expanded. */
void cli_complete_unquote(const char *text, struct psn_buf *out);

#endif
