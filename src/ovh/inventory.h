#ifndef PSN_OVH_INVENTORY_H
#define PSN_OVH_INVENTORY_H

#include <stddef.h>

#include "ovh/client.h"
#include "passation/finding.h"

/* Walks the account, read only; see passation/finding.h. domains are those of the client
 * (count may be 0: all domains listed). A failure of the network is a failure. */
PSN_MUST_CHECK enum psn_code psn_ovh_inventory(struct psn_ovh *ovh,
                                               const char *const *domains,
                                               size_t domain_count, psn_finding_fn *each,
                                               void *arg, struct psn_error *err);

#endif
