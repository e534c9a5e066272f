#ifndef SIM_DOVECOT_H
#define SIM_DOVECOT_H

#include <stdbool.h>
#include <stddef.h>

#include "sim.h"

/*
 * A real mail server. Dovecot runs from a directory of its own under /tmp, on loopback
 * high ports, as the user who started the simulator (or, started by root, as the users
 * of Debian's package). Its passwords are one file per front end and mailbox, read at
 * every log-in: a change counts from the next log-in on. The front end is told by the
 * port.
 *
 * A keeper process stands between: it starts Dovecot, and ends it and removes the
 * directory when the simulator ends, however that happens.
 */

/* Starts it and waits until it takes connections. ret_ports: one per front end, 0 where
 * there is none. NULL, with the reason. Call it before any thread has started. */
struct sim_dovecot *sim_dovecot_start(const struct sim_options *options,
                                      int ret_ports[SIM_FRONTS], char *ret_why,
                                      size_t why_size);

/* Puts a password in force; NULL: no log-in is possible any more. */
void sim_dovecot_put(struct sim_dovecot *dovecot, int front, const char *email,
                     const char *password);
void sim_dovecot_forget_all(struct sim_dovecot *dovecot);

/* Ends it, or starts it again on the same ports. False if it did not come up. */
bool sim_dovecot_run(struct sim_dovecot *dovecot, bool up);

/* Ends it for good, with its keeper and its directory. */
void sim_dovecot_stop(struct sim_dovecot *dovecot);

#endif
