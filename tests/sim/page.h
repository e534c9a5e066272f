#ifndef SIM_PAGE_H
#define SIM_PAGE_H

#include <stdbool.h>

#include "http.h"

/* The page that a validationUrl leads to: it shows what the key would be allowed to do.
 * Agreeing is done by the control port. False ends the connection. */
bool sim_page_serve(struct sim *sim, struct sim_conn *conn,
                    const struct sim_http_request *request);

#endif
