#ifndef PSN_CORE_DESTRUCTION_H
#define PSN_CORE_DESTRUCTION_H

#include "core/vault.h"
#include "passation/destruction.h"

#define PSN_EVENT_DESTROYED "client.destroyed"

/* E_POLICY, E_INVALID: is this what is wanted, and can it be noted? */
PSN_MUST_CHECK enum psn_code psn_destruction_check(
    const struct psn_destruction_request *request, struct psn_error *err);

/* Outside a transaction, of a checked request, on an unlocked vault or copy of it. */
PSN_MUST_CHECK enum psn_code psn_destruction_run(
    struct psn_vault *vault, const struct psn_destruction_request *request,
    struct psn_destruction *ret_destruction, struct psn_error *err);

/* Inside a transaction: how far the client's chain was when he was destroyed last.
 * *ret_found: he was. */
PSN_MUST_CHECK enum psn_code psn_destruction_find(struct psn_vault *vault,
                                                  const char *client,
                                                  struct psn_head *ret_head,
                                                  bool *ret_found, struct psn_error *err);

#endif
