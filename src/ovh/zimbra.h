#ifndef PSN_OVH_ZIMBRA_H
#define PSN_OVH_ZIMBRA_H

#include "ovh/backend.h"

/* Reads a list, all pages. */
PSN_MUST_CHECK enum psn_code psn_zimbra_list(struct psn_ovh *ovh, const char *pattern,
                                             struct psn_ovh_parts parts,
                                             json_t **ret_list, struct psn_error *err);

/* The accounts and redirections of a platform (ovh/inventory_zimbra.c). */
PSN_MUST_CHECK enum psn_code psn_zimbra_walk(const struct psn_walk *walk,
                                             const struct psn_service *service,
                                             struct psn_error *err);

#endif
