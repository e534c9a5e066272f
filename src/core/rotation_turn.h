#ifndef PSN_CORE_ROTATION_TURN_H
#define PSN_CORE_ROTATION_TURN_H

#include "core/rotation_machine.h"

/*
 * One call of psn_rotation_step(): what it was given, and what it makes of it. Each of
 * these functions sets the action, and the state and run that go with it. Private to
 * rotation_machine.c; a step makes just one of them its last word.
 */
struct psn_turn {
    const struct psn_rotation_policy *policy;
    const struct psn_rotation_event *event;
    struct psn_rotation_state *state;
    struct psn_rotation_run *run;
    struct psn_rotation_action *action;
};

/* --- ends --- */

void psn_turn_end(const struct psn_turn *t, enum psn_rotation_action_kind kind,
                  enum psn_rotation_reason reason);
void psn_turn_stuck(const struct psn_turn *t, enum psn_rotation_reason reason);
/* The budget is spent. Two refusals need a person, everything else only needs time. */
void psn_turn_give_up(const struct psn_turn *t, enum psn_rotation_reason reason);
/* pend is given up, cur still holds. */
void psn_turn_retire(const struct psn_turn *t, enum psn_rotation_reason reason);

/* --- waits: those that do not fit in the run give up, saying why --- */

void psn_turn_wait_then(const struct psn_turn *t, int64_t wait_ms,
                        enum psn_rotation_at then, enum psn_rotation_reason why);
void psn_turn_wait_and_look(const struct psn_turn *t, int64_t wait_ms,
                            enum psn_rotation_reason why);
bool psn_turn_fits_run(const struct psn_turn *t, int64_t wait_ms);
/* The next back-off (2, 4, 8 … 60 s and jitter), the next wait for a task (0.25 s … 60
 * s), and the time until every request on the way is older than Q. */
int64_t psn_turn_backoff_ms(const struct psn_turn *t);
int64_t psn_turn_task_wait_ms(const struct psn_turn *t);
int64_t psn_turn_settle_ms(const struct psn_turn *t);

/* --- questions; a login gives up or waits when its budget or the brake says so --- */

void psn_turn_look(const struct psn_turn *t);
void psn_turn_ask_pend(const struct psn_turn *t);
void psn_turn_ask_cur(const struct psn_turn *t);
void psn_turn_ask_old(const struct psn_turn *t);
int64_t psn_turn_login_delay_s(const struct psn_turn *t);

/* --- acts --- */

/* A new version, in place of pend if there is one. Only in silence. */
void psn_turn_make_candidate(const struct psn_turn *t);
void psn_turn_send_pend(const struct psn_turn *t);
/* The same version once more after a wait, if the budget has a send left: else it would
 * wait for nothing. */
void psn_turn_resend(const struct psn_turn *t, int64_t wait_ms,
                     enum psn_rotation_reason why);
void psn_turn_commit(const struct psn_turn *t);

#endif
