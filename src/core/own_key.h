#ifndef PSN_CORE_OWN_KEY_H
#define PSN_CORE_OWN_KEY_H

#include "core/vault.h"
#include "crypto/sign.h"

/* The vault's own keys: an Ed25519 signing key and an age identity, those that were
 * replaced, and what a leaver's rekey left to be done. */

/* What the rows of this table are looked up by, NULL at the end; a number may follow. */
extern const char *const psn_own_key_names[];

/* Inside the founding write: makes both. */
PSN_MUST_CHECK enum psn_code psn_own_keys_make(struct psn_vault *vault,
                                               struct psn_error *err);

/* Inside a transaction: the seed of the signing key, the scalar of the identity. */
PSN_MUST_CHECK enum psn_code psn_own_signing_key(struct psn_vault *vault,
                                                 struct psn_secret **ret_seed,
                                                 struct psn_error *err);
/* number 0: the one in use; then the former ones, from 1. E_NOT_FOUND behind the last. */
PSN_MUST_CHECK enum psn_code psn_own_identity(struct psn_vault *vault, uint64_t number,
                                              struct psn_secret **ret_scalar,
                                              struct psn_error *err);

/* Inside a write: puts new ones in their place. */
PSN_MUST_CHECK enum psn_code psn_own_keys_rotate(struct psn_vault *vault,
                                                 struct psn_error *err);

/* Inside a transaction: is the public key this vault's, now or before? E_NOT_FOUND. */
PSN_MUST_CHECK enum psn_code psn_own_key_known(struct psn_vault *vault,
                                               const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                                               bool *ret_is_former,
                                               struct psn_error *err);
/* Inside a transaction: is it, to the byte, the statement of a change that this vault has
 * made? Who has a former key could sign one of another. */
PSN_MUST_CHECK enum psn_code psn_own_key_change_known(struct psn_vault *vault,
                                                      const char *statement, size_t size,
                                                      bool *ret_known,
                                                      struct psn_error *err);

#endif
