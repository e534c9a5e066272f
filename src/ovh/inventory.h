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

struct psn_sweep_options {
    const char *const *domains; /* as above */
    size_t domain_count;
    /* Ids of findings ("api_key:498601349") that are ours, besides the key in use. */
    const char *const *own_ids;
    size_t own_count;
    /* The same, of keys that are ours for other clients in the same account. */
    const char *const *elsewhere_ids;
    size_t elsewhere_count;
};

/* The same walk for what survives a change of password, whole and with what removes it:
 * no domains nor mailboxes, nor what only sorts or answers mail, nor contacts and
 * identities that are the account itself. */
PSN_MUST_CHECK enum psn_code psn_ovh_sweep(struct psn_ovh *ovh,
                                           const struct psn_sweep_options *options,
                                           psn_finding_fn *each, void *arg,
                                           struct psn_error *err);

#endif
