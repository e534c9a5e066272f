#ifndef PSN_CLI_LOOKUP_H
#define PSN_CLI_LOOKUP_H

#include "cli/cli.h"

/* The tables of commands and options, looked up as a command line names them. */

/* "ls" for "list", "rm" for "remove" and "delete"; else the word itself. */
const char *cli_command_word(const char *word);

/* The command "first", or with a second word "first second" (other names of it are
 * known, too). NULL if there is none. */
const struct cli_command *cli_command_find(const struct cli_command *const *commands,
                                           const char *first, const char *second);

/* True if commands of two words begin with this one. */
bool cli_command_is_group(const struct cli_command *const *commands, const char *word);

/* The row with this letter (not 0), or with the name of `size` bytes. NULL if none. */
const struct cli_option *cli_option_find(const struct cli_option *table, const char *name,
                                         size_t size, char letter);

/* The options of a command's own; a table without rows if it has none, or is NULL. */
const struct cli_option *cli_option_own(const struct cli_command *command);

#endif
