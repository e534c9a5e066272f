#ifndef SIM_SEED_H
#define SIM_SEED_H

#include <stdbool.h>
#include <stddef.h>

#include "sim.h"

/* Adds what a seed describes (its form: README.md) to the state. sim->seeded then tells
 * ids and keys. False, with the reason; what came before the fault stays. */
bool sim_seed(struct sim *sim, const json_t *seed, char *ret_why, size_t why_size);

/* The seed of the command line, or the one that is compiled in. New reference; NULL, with
 * the reason, if the file is no JSON. */
json_t *sim_seed_default(const struct sim *sim, char *ret_why, size_t why_size);

/* default-seed.json, by the build. */
extern const char sim_seed_text[];

#endif
