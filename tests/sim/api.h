#ifndef SIM_API_H
#define SIM_API_H

#include "conn.h"

/* Serves the API on one connection until it ends. */
void sim_api_serve(struct sim *sim, struct sim_conn *conn, void *arg);

#endif
