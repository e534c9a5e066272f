#ifndef PSN_OVH_CUT_H
#define PSN_OVH_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "ovh/client.h"
#include "passation/finding.h"

struct psn_cut {
    enum psn_cut_state state;
    int64_t task_id; /* of what was ordered now; 0: OVH gave no number */
};

/*
 * Removes a finding of a sweep, and looks again: GONE is what a look says, not what OVH
 * promised. It may be called as often as one likes: what is gone is not sent for, and a
 * lost answer is settled by the look. E_BUSY: a task holds the mailbox, nothing was done;
 * E_REFUSED: this key may not (its hint says what key may), or OVH forbids it; E_NETWORK:
 * it is still there, and whether OVH has heard is not known.
 *
 * The key for cuts may remove all but what a PUT removes (Exchange's forwarding): that
 * needs the key for daily work, since no right that changes something is in both.
 */
PSN_MUST_CHECK enum psn_code psn_ovh_cut(struct psn_ovh *ovh,
                                         const struct psn_finding *finding,
                                         struct psn_cut *ret_cut, struct psn_error *err);

/* The look alone, for what was under way. E_INVALID: a finding that nothing removes. */
PSN_MUST_CHECK enum psn_code psn_ovh_cut_look(struct psn_ovh *ovh,
                                              const struct psn_finding *finding,
                                              bool *ret_gone, struct psn_error *err);

#endif
