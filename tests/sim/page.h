#ifndef SIM_PAGE_H
#define SIM_PAGE_H

#include <stdbool.h>

#include "http.h"

/* What lies beside the API's root, under /auth/: the page that a validationUrl leads to,
 * where the owner of an account sees what a key would be allowed to do, and agrees or
 * refuses with its form; and the token server. False ends the connection. */
bool sim_page_serve(struct sim *sim, struct sim_conn *conn,
                    const struct sim_http_request *request);

#endif
