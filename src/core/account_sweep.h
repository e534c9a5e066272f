#ifndef PSN_CORE_ACCOUNT_SWEEP_H
#define PSN_CORE_ACCOUNT_SWEEP_H

#include "core/access.h"
#include "passation/client.h"

/*
 * Looks into the OVH accounts of many clients at once, each in a fiber of its own, under
 * the operation lock that the caller holds; and cuts what is wanted there (NULL: only
 * looks), or looks after what is being cut. One client's failure keeps back no other: it
 * is told by `blind`.
 */
struct psn_account_sweep {
    struct psn_vault *vault;
    char (*clients)[PSN_CLIENT_ID_MAX];
    size_t client_count;
    unsigned jobs;
    bool follows; /* psn_access_follow() */
    psn_access_wanted_fn *wanted;
    const void *wanted_arg;
    enum psn_code (*cut)(void *arg, const char *client, const struct psn_access_cut *cut,
                         struct psn_error *err);
    void (*blind)(void *arg, const char *client, const struct psn_error *why);
    bool (*stop)(void *arg);
    void *stop_arg;
    void *arg; /* of cut and blind */
};
/* *ret_blind: how many could not be looked at. Fails only if the vault does. */
PSN_MUST_CHECK enum psn_code psn_account_sweep_run(const struct psn_account_sweep *sweep,
                                                   size_t *ret_blind,
                                                   struct psn_error *err);

#endif
