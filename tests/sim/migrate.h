#ifndef SIM_MIGRATE_H
#define SIM_MIGRATE_H

#include <stddef.h>

#include "sim.h"

/*
 * Moves mailboxes to another family, as OVH does: their address and their password stay,
 * their ids and their service are others. The order (its form: README.md) names one
 * `address`, a `domain`, or by `from` a whole service of email/mxplan; and `to`. What
 * waits for them follows or, with "tasks": "lost", comes to nothing.
 *
 * Returns what has moved; NULL, with the reason, if nothing has. New reference.
 */
json_t *sim_migrate(struct sim *sim, const json_t *order, char *ret_why, size_t why_size);

#endif
