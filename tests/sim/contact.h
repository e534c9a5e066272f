#ifndef SIM_CONTACT_H
#define SIM_CONTACT_H

#include <stdbool.h>
#include <stddef.h>

#include "call.h"

/*
 * The contacts of services, and how they change:
 *
 *   root.hosting.{name}            a web hosting: infos, _nic
 *   root.contact_changes.{id}      nichandle.contactChange.Task, _service (what is
 *                                  changed, by its path), _tokens and _accepted by
 * account
 *
 * The infos of a domain, of its zone and of its mail service are three, as at OVH.
 */

bool sim_contact_seed_hosting(struct sim *sim, json_t *entry, char *why, size_t size);

/* What a person does on OVH's page, by the control port: {"id", "nic", "answer":
 * "accept", "refuse" or "expire"}. False: nothing of the kind waits. */
bool sim_contact_decide(struct sim *sim, const json_t *order);

/* The task of an accepted change ends. */
void sim_contact_finish(struct sim *sim, const char *id, bool runs);

#endif
