#ifndef PSN_CORE_PACE_H
#define PSN_CORE_PACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Logins at one mail server. Real hosts block an address after a few refused logins, so
 * of OVH's own hosts there is one refused login in 2 s at most (docs/rotation.md):
 *
 * - a login that may well be refused (the negative test, a repetition after a refusal)
 *   goes alone, and not before 2 s after the last refused one;
 * - one that should be accepted need not wait for that. A few may be under way at once:
 *   one at first, one more for each that was accepted, four at most. A refusal among them
 *   stops all logins at the host for 2 s, and each further one for 2 s more.
 *
 * A pure function of the times it is told.
 */
struct psn_pace {
    bool is_free; /* no limits: not one of OVH's own hosts */
    unsigned room;
    unsigned inside;
    unsigned doubtful_inside;
    int64_t refused_until_ms; /* no doubtful one before */
    int64_t halted_until_ms;  /* none at all before */
};
struct psn_pace psn_pace_init(bool is_free);

/* How long to wait before asking again; 0: the login may begin. */
int64_t psn_pace_delay_ms(const struct psn_pace *pace, bool doubtful, int64_t now_ms);
void psn_pace_begin(struct psn_pace *pace, bool doubtful);

enum psn_pace_end {
    PSN_PACE_ACCEPTED,
    PSN_PACE_REFUSED,
    PSN_PACE_NO_ANSWER,
};
void psn_pace_end(struct psn_pace *pace, bool doubtful, enum psn_pace_end end,
                  int64_t now_ms);

#endif
