#ifndef PSN_CORE_DRIFT_H
#define PSN_CORE_DRIFT_H

#include "core/access.h"
#include "core/role.h"

/*
 * Drift: what is otherwise at OVH than the vault has it, because somebody else did
 * something. A look notes it in the role's row, so that due and status can tell it; the
 * next look, a login or a rotation takes it back.
 */

/* The time stays that of the first look that saw it. */
void psn_drift_set(int64_t *since_s, bool is_so, int64_t now_s);

/* Is the mailbox not there? What was seen before the last send is no answer to it. */
void psn_drift_set_gone(struct psn_role_row *row, bool is_gone, int64_t now_s);

/* Inside a write: a sweep saw these, and these only, unless some of the account was
 * hidden from it. */
PSN_MUST_CHECK enum psn_code psn_drift_note(struct psn_vault *vault, const char *client,
                                            const struct psn_access_row *rows,
                                            size_t count, struct psn_error *err);

#endif
