#ifndef PSN_CORE_RESTORED_ROW_H
#define PSN_CORE_RESTORED_ROW_H

#include "core/vault.h"

/* What is as it is in the later vault, row by row: the vault's own keys (one that was
 * replaced may have been stolen), issuers that are trusted, what was received, and what
 * is known of accesses at OVH. Inside a write of `to` and a transaction of `from`, which
 * went on from the state that `to` is a copy of. */
PSN_MUST_CHECK enum psn_code psn_restored_rows(struct psn_vault *from,
                                               struct psn_vault *to,
                                               struct psn_error *err);

#endif
