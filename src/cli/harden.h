#ifndef PSN_CLI_HARDEN_H
#define PSN_CLI_HARDEN_H

/* Makes the process one that may hold secrets: nothing of it is dumped, its files are
 * its user's, no descriptor goes to a child unasked. To be called first. Ends the
 * process with status 1 if even that fails. */
void cli_harden(void);

#endif
