#ifndef PSN_CLI_BUSY_H
#define PSN_CLI_BUSY_H

#include "cli/cli.h"

/*
 * Long work that cannot tell how far it is: after a second, one line on the terminal says
 * what is being done and for how long, until it is done. For where nothing is asked
 * meanwhile.
 *
 *     cli_busy_begin(cli, _("copying the vault"));
 *     rc = psn_vault_backup(…);
 *     cli_busy_end();
 */

/* One at a time; nothing is shown where cli_progress would show nothing. */
void cli_busy_begin(struct cli *cli, const char *what);
void cli_busy_end(void);

/* For who writes on the terminal in between: takes the line off, and keeps it off until
 * cli_busy_release(). */
void cli_busy_hold(void);
void cli_busy_release(void);

#endif
