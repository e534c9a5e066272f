#ifndef PSN_CORE_RESTORED_ROLE_H
#define PSN_CORE_RESTORED_ROLE_H

#include "core/vault.h"

/* The mailboxes of a vault that is put aside, with their passwords and the secrets that
 * hang on them: inside a write of `to` and a transaction of `from`, whose keys are the
 * same. What OVH has in force, and what nobody gives again, is as it is there.
 *
 * is_later: `from` went on from the state that `to` is a copy of, so that the same number
 * is the same version. Of two that went on apart only what is new is taken. A mailbox
 * that was removed meanwhile and made again, or is another client's there, is counted as
 * left.
 */
PSN_MUST_CHECK enum psn_code psn_restored_roles(struct psn_vault *from,
                                                struct psn_vault *to, bool is_later,
                                                struct psn_carried *carried,
                                                struct psn_error *err);

#endif
