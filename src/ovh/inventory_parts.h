#ifndef PSN_OVH_INVENTORY_PARTS_H
#define PSN_OVH_INVENTORY_PARTS_H

#include "ovh/contact.h"
#include "ovh/walk.h"

/* The parts of a walk that are no mail back-end's. */

/* inventory_account.c: keys and applications; in a sweep also service accounts, users,
 * their tokens, policies and sub-accounts. */
PSN_MUST_CHECK enum psn_code psn_account_walk(const struct psn_walk *walk,
                                              struct psn_error *err);
/* Learns what the walk itself works with. That this may not be read is no failure. */
PSN_MUST_CHECK enum psn_code psn_walk_learn_own(struct psn_walk *walk,
                                                struct psn_error *err);

/* inventory_contact.c: a service whose contacts are listed. */
PSN_MUST_CHECK enum psn_code psn_contact_walk_at(const struct psn_walk *walk,
                                                 const struct psn_contact_place *place,
                                                 struct psn_error *err);
/* The services around the mail: domain names, their zones, web hosting. */
PSN_MUST_CHECK enum psn_code psn_contact_walk(const struct psn_walk *walk,
                                              struct psn_error *err);

#endif
