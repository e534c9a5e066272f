#ifndef TESTS_ROTATION_BOX_H
#define TESTS_ROTATION_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/rotation_machine.h"

/*
 * A mailbox for tests of the rotation machine: events are fed to it one by one, a second
 * apart, and what the machine makes of them is looked at. A wait that it asks for passes
 * at once.
 */
struct box {
    struct psn_rotation_policy policy;
    struct psn_rotation_state state;
    struct psn_rotation_run run;
    struct psn_rotation_action action;
    bool durable;
    int64_t now_s;
};

#define MINUTE  INT64_C(60)
#define BEGIN_S INT64_C(1700000000)

/* Without the brake on refused logins, which has a test of its own. */
struct box box_of(uint64_t cur, bool create);
void box_feed_event(struct box *box, struct psn_rotation_event event);
void box_feed(struct box *box, enum psn_rotation_event_kind kind);
void box_expect(const struct box *box, enum psn_rotation_phase phase,
                enum psn_rotation_action_kind action);
void box_expect_end(const struct box *box, enum psn_rotation_action_kind action,
                    enum psn_rotation_reason reason);
void box_crash(struct box *box);
/* Up to the stored candidate. */
void box_begin(struct box *box);
/* Up to the request. */
struct box box_sending(uint64_t cur, bool create);
struct box box_accepted(void);
/* A look at the tasks, then both logins as far as they are asked. */
void box_round_of(struct box *box, enum psn_rotation_event_kind tasks,
                  enum psn_rotation_event_kind pend, enum psn_rotation_event_kind cur);
void box_see_old_in_force(struct box *box);
void box_see_neither(struct box *box);
/* After a look: pend is in force. */
void box_see_new_in_force(struct box *box);
void box_expect_same_again(struct box *box, uint64_t version);

#endif
