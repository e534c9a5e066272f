#ifndef PSN_CORE_COUNTERS_H
#define PSN_CORE_COUNTERS_H

#include "core/vault.h"

/* One row of the vault's own numbers, which lies among the issues as that of nobody. All
 * inside a transaction. */
struct psn_counters {
    uint64_t serial;      /* of the last issue */
    uint64_t wrong_tries; /* receipt codes, of late */
    int64_t window_s;     /* when counting them began */
    uint64_t version;     /* the highest that went with its mailbox; 0: none did */
    uint64_t revision;
};
/* All zero: there are none yet. */
PSN_MUST_CHECK enum psn_code psn_counters_read(struct psn_vault *vault,
                                               struct psn_counters *ret_counters,
                                               struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_counters_write(struct psn_vault *vault,
                                                struct psn_counters *counters,
                                                struct psn_error *err);

/*
 * A version's number never means two values: an issue, an envelope, an exposure and a
 * backup know a value by its address, label and number. What comes into the vault begins
 * after the highest number of what was ever removed from it.
 */
PSN_MUST_CHECK enum psn_code psn_versions_spent(struct psn_vault *vault,
                                                uint64_t *ret_version,
                                                struct psn_error *err);
/* The number of a mailbox's next version, after `last`. */
PSN_MUST_CHECK enum psn_code psn_versions_after(struct psn_vault *vault, uint64_t last,
                                                uint64_t *ret_version,
                                                struct psn_error *err);
/* Inside a write: `to` does not use again what the client's mailboxes in `from`, which
 * may be the same vault, and their other secrets have had. address NULL: all of them;
 * client NULL: everybody's. */
PSN_MUST_CHECK enum psn_code psn_versions_retire(struct psn_vault *from,
                                                 const char *client, const char *address,
                                                 struct psn_vault *to,
                                                 struct psn_error *err);
/* Inside a write: nor what another vault has used up. */
PSN_MUST_CHECK enum psn_code psn_versions_keep(struct psn_vault *vault, uint64_t version,
                                               struct psn_error *err);

#endif
