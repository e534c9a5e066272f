#ifndef PSN_CORE_RESTORED_CLIENT_H
#define PSN_CORE_RESTORED_CLIENT_H

#include "core/vault.h"

/* What a vault that is put aside tells of clients: inside a write of `to` and a
 * transaction of `from`, whose keys are the same. Whose their accesses are, by which keys
 * of the API they are worked for, their handover and envelope; one that is only there
 * comes whole, unless a domain of his is another's here. */
PSN_MUST_CHECK enum psn_code psn_restored_clients(struct psn_vault *from,
                                                  struct psn_vault *to,
                                                  struct psn_carried *carried,
                                                  struct psn_error *err);

/* All issues, with what became of them. */
PSN_MUST_CHECK enum psn_code psn_restored_issues(struct psn_vault *from,
                                                 struct psn_vault *to,
                                                 struct psn_error *err);

#endif
