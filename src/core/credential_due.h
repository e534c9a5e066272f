#ifndef PSN_CORE_CREDENTIAL_DUE_H
#define PSN_CORE_CREDENTIAL_DUE_H

#include "core/vault.h"

/* What a leaver's rekey leaves to be done: OVH credentials to be replaced. The list is a
 * row beside the vault's own keys. */
#define PSN_DUE_NAME "due"

/* Inside a transaction: psn_due_credential_each(). */
PSN_MUST_CHECK enum psn_code psn_due_credential_list(struct psn_vault *vault,
                                                     psn_due_credential_fn *each,
                                                     void *arg, struct psn_error *err);

/* Inside a rekey, after everything was copied from `from` to `to`: notes in `to` the
 * clients whose credential is still due; with all, each client that has one, and forgets
 * the keys that wait for their owner. */
PSN_MUST_CHECK enum psn_code psn_due_carry(struct psn_vault *from, struct psn_vault *to,
                                           bool all, struct psn_error *err);
/* Inside a write: the client has another credential now. */
PSN_MUST_CHECK enum psn_code psn_due_settle(struct psn_vault *vault, const char *client,
                                            struct psn_error *err);

#endif
