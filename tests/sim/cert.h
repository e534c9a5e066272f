#ifndef SIM_CERT_H
#define SIM_CERT_H

#include <stdbool.h>

#include "sim.h"

/* Makes a CA and a server certificate for loopback, writes dir/ca.pem, server.pem (the
 * chain) and server.key, and returns a context that serves with them; NULL on failure.
 * The CA's key is forgotten. */
SSL_CTX *sim_cert_make(const char *dir);

#endif
