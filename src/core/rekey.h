#ifndef PSN_CORE_REKEY_H
#define PSN_CORE_REKEY_H

#include "core/vault.h"

/* Inside a transaction of `from` and the founding write of `to`, which has other keys and
 * no rows: seals every row anew there, and every chain, but no slot and not the history's
 * next link. E_UNEXPECTED if a row is left that it does not know. */
PSN_MUST_CHECK enum psn_code psn_rekey_copy(struct psn_vault *from, struct psn_vault *to,
                                            psn_rekey_progress_fn *progress, void *arg,
                                            struct psn_error *err);

#endif
