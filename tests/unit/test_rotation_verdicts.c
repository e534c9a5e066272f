#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/rotation_box.h"

/* What the machine makes of what it has seen, at the edges where another verdict begins.
 */

static void feed_refusal(struct box *box)
{
    box_feed(box, PSN_ROTATION_EV_BAD_REQUEST);
    box_feed(box, PSN_ROTATION_EV_TASKS_EMPTY);
    box_expect(box, PSN_ROTATION_UNKNOWN, PSN_ROTATION_DO_LOGIN_PEND);
    box_feed(box, PSN_ROTATION_EV_LOGIN_REFUSED);
}

/* All candidates were refused; the caches are outlived, and pend is refused once more. */
static struct box box_spent(uint64_t cur)
{
    struct box box = box_sending(cur, false);

    for (unsigned i = 1; i < box.policy.candidates_max; i++) {
        feed_refusal(&box);
        box_expect(&box, PSN_ROTATION_INTENT, PSN_ROTATION_DO_STORE);
        box_feed(&box, PSN_ROTATION_EV_STORED);
    }
    feed_refusal(&box);
    box_expect_end(&box, PSN_ROTATION_DO_UNFINISHED, PSN_ROTATION_WHY_UNPROVED);
    box_crash(&box);
    box.now_s += box.policy.login_cache_s;
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    return box;
}

static void candidates_that_are_spent_end_by_what_the_current_one_says(void **state)
{
    struct box box = box_spent(1);

    (void)state;
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_LOGIN_CUR);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect_end(&box, PSN_ROTATION_DO_STUCK, PSN_ROTATION_WHY_BOTH_REFUSED);
    box = box_spent(1);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_ACCEPTED);
    box_expect_end(&box, PSN_ROTATION_DO_RETIRE, PSN_ROTATION_WHY_POLICY);
    /* Where none is known there is none to ask. */
    box = box_spent(0);
    box_expect_end(&box, PSN_ROTATION_DO_RETIRE, PSN_ROTATION_WHY_POLICY);
}

static void the_current_one_is_asked_where_its_answer_is_read_and_nowhere_else(
    void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect(&box, PSN_ROTATION_UNKNOWN, PSN_ROTATION_DO_LOGIN_CUR);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_ACCEPTED);
    box_expect_end(&box, PSN_ROTATION_DO_WAIT, PSN_ROTATION_WHY_NOT_YET);
    box = box_sending(1, false);
    box_feed(&box, PSN_ROTATION_EV_NOT_ALLOWED);
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect_end(&box, PSN_ROTATION_DO_RETIRE, PSN_ROTATION_WHY_KEY);
    box = box_sending(0, false);
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect_end(&box, PSN_ROTATION_DO_WAIT, PSN_ROTATION_WHY_NOT_YET);
}

static void exists_is_said_to_a_create_alone(void **state)
{
    struct box box = box_sending(0, true);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_BAD_REQUEST);
    assert_int_equal(box.state.said, PSN_ROTATION_SAID_BAD_REQUEST);
    box = box_sending(0, true);
    box_feed(&box, PSN_ROTATION_EV_EXISTS);
    assert_int_equal(box.state.said, PSN_ROTATION_SAID_EXISTS);
    box = box_sending(1, false);
    box_feed(&box, PSN_ROTATION_EV_EXISTS);
    assert_int_equal(box.state.said, PSN_ROTATION_SAID_BAD_REQUEST);
}

static void a_throttled_send_waits_a_minute_at_most_if_it_is_told_to(void **state)
{
    static const struct {
        int64_t retry_after_s, wait_ms;
        uint32_t waits; /* before, which would make our own one 75 s long */
    } rows[] = {
        { 59, 59000, 0 }, { 60, 60000, 0 }, { 61, 60000, 0 }, { INT64_MAX, 60000, 0 },
        { 60, 60000, 9 }, { 61, 60000, 9 }, { -1, 75000, 9 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct box box = box_sending(1, false);

        box.run.waits = rows[i].waits;
        box_feed_event(
            &box, (struct psn_rotation_event){ .kind = PSN_ROTATION_EV_THROTTLED,
                                               .retry_after_s = rows[i].retry_after_s,
                                               .jitter_permille = 1000 });
        assert_int_equal(box.action.kind, PSN_ROTATION_DO_WAIT);
        assert_int_equal(box.action.wait_ms, rows[i].wait_ms);
    }
}

static void caches_are_outlived_when_they_are_as_old_as_the_silence(void **state)
{
    (void)state;
    for (int64_t more_s = -1; more_s <= 0; more_s++) {
        struct box box = box_sending(1, false);

        feed_refusal(&box);
        assert_true(box.state.silent_since_s > 0);
        box_feed(&box, PSN_ROTATION_EV_STORED);
        box_feed(&box, PSN_ROTATION_EV_BAD_REQUEST);
        box.state.silent_since_s = BEGIN_S;
        box.now_s = BEGIN_S + box.policy.login_cache_s + more_s - 1;
        box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
        assert_int_equal(box.run.after_caches, more_s == 0);
    }
}

static void no_old_one_is_asked_when_the_logins_are_spent(void **state)
{
    (void)state;
    for (uint32_t left = 0; left <= 1; left++) {
        struct box box = box_accepted();

        box_see_new_in_force(&box);
        box.run.logins = box.policy.logins_max - left;
        box_feed(&box, PSN_ROTATION_EV_COMMITTED);
        assert_int_equal(box.action.kind,
                         left ? PSN_ROTATION_DO_LOGIN_OLD : PSN_ROTATION_DO_DONE);
    }
}

/* What a login has told in this run is not asked again because the time is over. */
static void a_pending_task_at_the_end_of_a_run_is_looked_through_once(void **state)
{
    (void)state;
    for (int looked = 0; looked <= 1; looked++) {
        struct box box = box_accepted();

        box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
        box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
        assert_true(box.run.looked);
        box_feed(&box, PSN_ROTATION_EV_LOGIN_ACCEPTED);
        box_feed(&box, PSN_ROTATION_EV_TIMER);
        box_feed(&box, PSN_ROTATION_EV_OK);
        box.run.looked = looked;
        box.run.looks = 20;
        box.now_s = box.run.started_s + box.policy.run_s - 1;
        box_feed(&box, PSN_ROTATION_EV_TASK_PENDING);
        if (looked)
            box_expect_end(&box, PSN_ROTATION_DO_UNFINISHED,
                           PSN_ROTATION_WHY_TASK_PENDING);
        else
            assert_int_equal(box.action.kind, PSN_ROTATION_DO_LOGIN_PEND);
    }
}

static void four_actions_are_ends(void **state)
{
    (void)state;
    for (int kind = PSN_ROTATION_DO_STORE; kind <= PSN_ROTATION_DO_UNFINISHED; kind++)
        assert_int_equal(psn_rotation_is_end((enum psn_rotation_action_kind)kind),
                         kind == PSN_ROTATION_DO_RETIRE || kind == PSN_ROTATION_DO_DONE ||
                             kind == PSN_ROTATION_DO_STUCK ||
                             kind == PSN_ROTATION_DO_UNFINISHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_that_are_spent_end_by_what_the_current_one_says),
        cmocka_unit_test(
            the_current_one_is_asked_where_its_answer_is_read_and_nowhere_else),
        cmocka_unit_test(exists_is_said_to_a_create_alone),
        cmocka_unit_test(a_throttled_send_waits_a_minute_at_most_if_it_is_told_to),
        cmocka_unit_test(caches_are_outlived_when_they_are_as_old_as_the_silence),
        cmocka_unit_test(no_old_one_is_asked_when_the_logins_are_spent),
        cmocka_unit_test(a_pending_task_at_the_end_of_a_run_is_looked_through_once),
        cmocka_unit_test(four_actions_are_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
