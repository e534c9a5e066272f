#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include "conn.h"

/* The control port: plain HTTP, JSON in and out. Its calls are in README.md. */
void sim_control_serve(struct sim *sim, struct sim_conn *conn, void *arg);

#endif
