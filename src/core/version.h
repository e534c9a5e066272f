#ifndef PSN_CORE_VERSION_H
#define PSN_CORE_VERSION_H

#include "core/vault.h"
#include "passation/role.h"

/*
 * Versions of secrets, sealed under their client's data key. All inside a transaction. A
 * version's bytes are written once; only its label moves. Nothing
 * here deletes one version: they go with their role.
 */

/* E_CONFLICT: there is one of this number already. */
PSN_MUST_CHECK enum psn_code psn_version_put(struct psn_vault *vault, const char *client,
                                             const char *address, const char *label,
                                             uint64_t number,
                                             enum psn_version_state state,
                                             const struct psn_secret *value,
                                             struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_version_get(struct psn_vault *vault, const char *client,
                                             const char *address, const char *label,
                                             uint64_t number,
                                             struct psn_version *ret_version,
                                             struct psn_secret **ret_value,
                                             struct psn_error *err);
/* The first number above `above` that no version of it has: one that was given up keeps
 * its own. */
PSN_MUST_CHECK enum psn_code psn_version_next(struct psn_vault *vault, const char *client,
                                              const char *address, const char *label,
                                              uint64_t above, uint64_t *ret_number,
                                              struct psn_error *err);
/* One of another vault, as it is there: its bytes, unless they are here already, and its
 * state. */
PSN_MUST_CHECK enum psn_code psn_version_carry(struct psn_vault *vault,
                                               const char *client, const char *address,
                                               const char *label,
                                               const struct psn_version *version,
                                               const struct psn_secret *value,
                                               struct psn_error *err);
/* Moves the label of a version. */
PSN_MUST_CHECK enum psn_code psn_version_label(struct psn_vault *vault,
                                               const char *client, const char *address,
                                               const char *label, uint64_t number,
                                               enum psn_version_state state,
                                               struct psn_error *err);
/* Every version, oldest first, values included. */
typedef enum psn_code psn_version_value_fn(void *arg, const struct psn_version *version,
                                           struct psn_secret *value,
                                           struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_version_scan(struct psn_vault *vault, const char *client,
                                              const char *address, const char *label,
                                              psn_version_value_fn *each, void *arg,
                                              struct psn_error *err);

/* Where a row lies, for a rekey, which gives it a new key. */
PSN_MUST_CHECK enum psn_code psn_version_key(struct psn_vault *vault, const char *address,
                                             const char *label, uint64_t number,
                                             struct psn_row_key *ret_key,
                                             struct psn_error *err);

/* Deletes the versions, secrets, exposures and grants of an address. */
PSN_MUST_CHECK enum psn_code psn_version_delete_all(struct psn_vault *vault,
                                                    const char *address,
                                                    struct psn_error *err);

#endif
