#ifndef PSN_CORE_OWN_KEY_H
#define PSN_CORE_OWN_KEY_H

#include "core/vault.h"

/* The vault's own keys: an Ed25519 signing key and an age identity. */

/* Inside the founding write: makes both. */
PSN_MUST_CHECK enum psn_code psn_own_keys_make(struct psn_vault *vault,
                                               struct psn_error *err);

/* Inside a transaction: the seed of the signing key, the scalar of the identity. */
PSN_MUST_CHECK enum psn_code psn_own_signing_key(struct psn_vault *vault,
                                                 struct psn_secret **ret_seed,
                                                 struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_own_identity(struct psn_vault *vault,
                                              struct psn_secret **ret_scalar,
                                              struct psn_error *err);

#endif
