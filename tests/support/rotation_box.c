#include "support/rotation_box.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct box box_of(uint64_t cur, bool create)
{
    struct box box = { .policy = psn_rotation_policy_default(),
                       .state = psn_rotation_state_init(cur, create),
                       .now_s = BEGIN_S };

    box.policy.failed_logins_max = 0;
    return box;
}

void box_feed_event(struct box *box, struct psn_rotation_event event)
{
    struct psn_rotation_move move;

    box->now_s++;
    event.now_s = box->now_s;
    move = psn_rotation_step(&box->policy, &box->state, &box->run, &event);
    assert_int_equal(move.durable, !psn_rotation_is_same(&box->state, &move.state));
    box->durable = move.durable;
    box->state = move.state;
    box->run = move.run;
    box->action = move.action;
    if (move.action.kind == PSN_ROTATION_DO_WAIT)
        box->now_s += move.action.wait_ms / 1000;
}

void box_feed(struct box *box, enum psn_rotation_event_kind kind)
{
    box_feed_event(box, (struct psn_rotation_event){
                            .kind = kind, .task_id = 4711, .retry_after_s = -1 });
}

void box_expect(const struct box *box, enum psn_rotation_phase phase,
                enum psn_rotation_action_kind action)
{
    assert_string_equal(psn_rotation_phase_name(box->state.phase),
                        psn_rotation_phase_name(phase));
    assert_int_equal(box->action.kind, action);
}

void box_expect_end(const struct box *box, enum psn_rotation_action_kind action,
                    enum psn_rotation_reason reason)
{
    assert_int_equal(box->action.kind, action);
    assert_string_equal(psn_rotation_reason_name(box->action.reason),
                        psn_rotation_reason_name(reason));
}

void box_crash(struct box *box)
{
    box->run = (struct psn_rotation_run){ 0 };
}

void box_begin(struct box *box)
{
    box_feed(box, PSN_ROTATION_EV_START);
    box_feed(box, PSN_ROTATION_EV_TASKS_EMPTY);
    box_expect(box, PSN_ROTATION_INTENT, PSN_ROTATION_DO_STORE);
    assert_true(box->durable);
}

struct box box_sending(uint64_t cur, bool create)
{
    struct box box = box_of(cur, create);

    box_begin(&box);
    box_feed(&box, PSN_ROTATION_EV_STORED);
    if (cur) {
        box_expect(&box, PSN_ROTATION_INTENT, PSN_ROTATION_DO_LOGIN_CUR);
        box_feed(&box, PSN_ROTATION_EV_LOGIN_ACCEPTED);
    }
    box_expect(&box, PSN_ROTATION_SENDING, PSN_ROTATION_DO_SEND);
    assert_true(box.durable);
    assert_int_equal(box.action.version, cur + 1);
    return box;
}

struct box box_accepted(void)
{
    struct box box = box_sending(1, false);

    box_feed(&box, PSN_ROTATION_EV_OK);
    box_expect(&box, PSN_ROTATION_ACCEPTED, PSN_ROTATION_DO_LOOK_TASKS);
    return box;
}

void box_round_of(struct box *box, enum psn_rotation_event_kind tasks,
                  enum psn_rotation_event_kind pend, enum psn_rotation_event_kind cur)
{
    assert_int_equal(box->action.kind, PSN_ROTATION_DO_LOOK_TASKS);
    box_feed(box, tasks);
    assert_int_equal(box->action.kind, PSN_ROTATION_DO_LOGIN_PEND);
    box_feed(box, pend);
    if (box->action.kind == PSN_ROTATION_DO_LOGIN_CUR)
        box_feed(box, cur);
}

void box_see_old_in_force(struct box *box)
{
    box_round_of(box, PSN_ROTATION_EV_TASKS_EMPTY, PSN_ROTATION_EV_LOGIN_REFUSED,
                 PSN_ROTATION_EV_LOGIN_ACCEPTED);
}

void box_see_neither(struct box *box)
{
    box_round_of(box, PSN_ROTATION_EV_TASKS_EMPTY, PSN_ROTATION_EV_LOGIN_REFUSED,
                 PSN_ROTATION_EV_LOGIN_REFUSED);
}

void box_see_new_in_force(struct box *box)
{
    box_feed(box, PSN_ROTATION_EV_TASKS_EMPTY);
    box_feed(box, PSN_ROTATION_EV_LOGIN_ACCEPTED);
    box_expect(box, PSN_ROTATION_STABLE, PSN_ROTATION_DO_COMMIT);
    assert_true(box->durable);
    assert_int_equal(box->state.cur, box->action.version);
}

void box_expect_same_again(struct box *box, uint64_t version)
{
    assert_int_equal(box->action.kind, PSN_ROTATION_DO_WAIT);
    box_feed(box, PSN_ROTATION_EV_TIMER);
    box_expect(box, PSN_ROTATION_SENDING, PSN_ROTATION_DO_SEND);
    assert_int_equal(box->action.version, version);
}
