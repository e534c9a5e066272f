#ifndef SIM_SEED_H
#define SIM_SEED_H

#include <stdbool.h>
#include <stddef.h>

#include "service.h"
#include "sim.h"

/* Adds what a seed describes (its form: README.md) to the state. sim->seeded then tells
 * ids and keys. False, with the reason; what came before the fault stays. */
bool sim_seed(struct sim *sim, const json_t *seed, char *ret_why, size_t why_size);

/* The seed of the command line, or the one that is compiled in. New reference; NULL, with
 * the reason, if the file is no JSON. */
json_t *sim_seed_default(const struct sim *sim, char *ret_why, size_t why_size);

/* Parts of it. seed_service.c: the newer families. */
bool sim_seed_service(struct sim *sim, json_t *entry, char *why, size_t size);
json_t *sim_seed_new_service(struct sim *sim, enum sim_family family,
                             const json_t *entry);
/* A mailbox without a password; its domain joins the service. Borrowed. */
json_t *sim_seed_account(struct sim *sim, json_t *service, const char *address,
                         const char *offer);
json_t *sim_seed_infos(struct sim *sim, const json_t *entry, const char *name);
/* Tells the one who seeds what was made. Takes the entry over. */
void sim_seed_note(struct sim *sim, const char *kind, json_t *entry);

/* default-seed.json, by the build. */
extern const char sim_seed_text[];

#endif
