#ifndef SIM_SETTINGS_H
#define SIM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "sim.h"

/* The values that the command line and the defaults give. */
void sim_settings_init(struct sim *sim);

/* Sets the settings named in `changes`. Members that are no setting are left to the
 * caller. False, with the reason, if a value does not fit; nothing is changed then. */
bool sim_settings_apply(struct sim *sim, json_t *changes, char *ret_why, size_t why_size);

bool sim_settings_is(const char *name);

/* New reference. */
json_t *sim_settings_dump(const struct sim *sim);

#endif
