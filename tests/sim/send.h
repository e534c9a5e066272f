#ifndef SIM_SEND_H
#define SIM_SEND_H

#include <stdbool.h>

#include "call.h"
#include "conn.h"

/* The way back: what the plan makes of an answer, and how it goes out. */

/* Lets the plan change status and body of the answer. Under the lock. */
void sim_send_plan(const struct sim *sim, struct sim_call *call);

struct sim_send {
    char *body; /* owned */
    size_t body_size;
    const char *type;
    char headers[768];
    bool chunked;
};

/* Writes the answer out as text. Under the lock. Release it. */
struct sim_send sim_send_prepare(const struct sim *sim, const struct sim_call *call);

/* Puts it on the wire, the way the plan ends the exchange. Without the lock. False: the
 * connection is over. */
bool sim_send(struct sim_conn *conn, const struct sim_call *call,
              const struct sim_send *send);
void sim_send_release(struct sim_send *send);

#endif
