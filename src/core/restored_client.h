#ifndef PSN_CORE_RESTORED_CLIENT_H
#define PSN_CORE_RESTORED_CLIENT_H

#include "core/vault.h"

/* What a vault that is put aside tells of the clients that the restored one has, too:
 * inside a write of `to` and a transaction of `from`, whose keys are the same. */

/* Whose their accesses are, by which keys of the API they are worked for, their handover
 * and envelope. *ret_back: how many are not there any more, and so back again. */
PSN_MUST_CHECK enum psn_code psn_restored_clients(struct psn_vault *from,
                                                  struct psn_vault *to, size_t *ret_back,
                                                  struct psn_error *err);

/* The secrets that hang on their mailboxes, as far as they are newer there: nobody gives
 * their values again. *ret_count: how many; *ret_left: mailboxes that are only there. */
PSN_MUST_CHECK enum psn_code psn_restored_secrets(struct psn_vault *from,
                                                  struct psn_vault *to, size_t *ret_count,
                                                  size_t *ret_left,
                                                  struct psn_error *err);

/* All issues, with what became of them. */
PSN_MUST_CHECK enum psn_code psn_restored_issues(struct psn_vault *from,
                                                 struct psn_vault *to,
                                                 struct psn_error *err);

#endif
