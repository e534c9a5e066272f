#ifndef SIM_ZONE_H
#define SIM_ZONE_H

#include "sim.h"

/* root.domains.{domain}.records.{id}: domain.zone.Record. Adds those of the seed's entry
 * to a domain. */
void sim_zone_seed(struct sim *sim, json_t *domain, const json_t *entry);

#endif
