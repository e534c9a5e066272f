#ifndef PSN_CORE_TRUST_H
#define PSN_CORE_TRUST_H

#include "core/vault.h"
#include "passation/received.h"

/* What the rows of table TRUST are, by their first tag. */
enum psn_trust_kind {
    PSN_TRUST_ISSUER = 1,
    PSN_TRUST_RECEIVED = 2,
    PSN_TRUST_PAST_KEY = 3, /* past_key.h */
};

/* Issuers whose key was confirmed once, and what was received from them. All inside a
 * transaction. */

PSN_MUST_CHECK enum psn_code psn_issuer_is_pinned(struct psn_vault *vault,
                                                  const char *fingerprint,
                                                  bool *ret_pinned,
                                                  struct psn_error *err);
/* Pins an issuer; again is no change. */
PSN_MUST_CHECK enum psn_code psn_issuer_pin(struct psn_vault *vault,
                                            const char *fingerprint, const char *name,
                                            struct psn_error *err);

/* The row of a received role; revision 0: none yet (read gives E_NOT_FOUND silently). */
struct psn_received_row {
    struct psn_received view;
    uint64_t revision;
};
PSN_MUST_CHECK enum psn_code psn_received_read(struct psn_vault *vault,
                                               const char *issuer, const char *vault_id,
                                               const char *address,
                                               struct psn_received_row *ret_row,
                                               struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_received_write(struct psn_vault *vault,
                                                struct psn_received_row *row,
                                                struct psn_error *err);
typedef enum psn_code psn_received_row_fn(void *arg, const struct psn_received_row *row,
                                          struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_received_scan(struct psn_vault *vault,
                                               psn_received_row_fn *each, void *arg,
                                               struct psn_error *err);

/* Where a received role lies, and the document that it is of. */
PSN_MUST_CHECK enum psn_code psn_received_role_key(struct psn_vault *vault,
                                                   const struct psn_received *of,
                                                   struct psn_row_key *ret_key,
                                                   struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_received_text_key(struct psn_vault *vault,
                                                   const struct psn_received *of,
                                                   struct psn_row_key *ret_key,
                                                   struct psn_error *err);

/* The signed document of an issue, as it came; kept while a received role is of it. */
PSN_MUST_CHECK enum psn_code psn_received_put_text(struct psn_vault *vault,
                                                   const struct psn_received *of,
                                                   const struct psn_secret *text,
                                                   struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_received_get_text(struct psn_vault *vault,
                                                   const struct psn_received *of,
                                                   struct psn_secret **ret_text,
                                                   struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_received_drop_text(struct psn_vault *vault,
                                                    const struct psn_received *of,
                                                    struct psn_error *err);

/* Copies issuers, received roles and their documents, and past keys, into another vault,
 * for a rekey. */
PSN_MUST_CHECK enum psn_code psn_trust_copy(struct psn_vault *from, struct psn_vault *to,
                                            uint64_t *ret_count, struct psn_error *err);

#endif
