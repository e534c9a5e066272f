#ifndef SIM_IMAP_H
#define SIM_IMAP_H

#include "conn.h"

/*
 * The built-in log-in service: the little of IMAP4rev1 that a password check needs, and
 * faults on demand that a real server does not offer. arg: the number of the front
 * end, an int.
 */
void sim_imap_serve(struct sim *sim, struct sim_conn *conn, void *arg);

#endif
