#ifndef PSN_CORE_UNSTATED_H
#define PSN_CORE_UNSTATED_H

#include "core/vault.h"

/* Handovers that have ended and whose closing statement is missing: a row beside the
 * vault's own keys names them, so that nobody has to walk the journal for it. A vault
 * that was made before there was such a row has none, and its journal tells. */
#define PSN_UNSTATED_NAME "unstated"

/* All inside a write. */

/* A new vault: nothing is missing. */
PSN_MUST_CHECK enum psn_code psn_unstated_found(struct psn_vault *vault,
                                                struct psn_error *err);
/* The client was destroyed now, with that note. */
PSN_MUST_CHECK enum psn_code psn_unstated_add(struct psn_vault *vault, const char *client,
                                              const char *statement,
                                              struct psn_error *err);
/* His closing statement is on disk. */
PSN_MUST_CHECK enum psn_code psn_unstated_remove(struct psn_vault *vault,
                                                 const char *client,
                                                 struct psn_error *err);

#endif
