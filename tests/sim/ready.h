#ifndef SIM_READY_H
#define SIM_READY_H

#include <stdbool.h>

#include "sim.h"

/* Writes ovh.conf, then ready.json, in the directory of the options: each appears whole
 * or not at all. */
bool sim_ready_write(struct sim *sim);
void sim_ready_remove(const struct sim *sim);

#endif
