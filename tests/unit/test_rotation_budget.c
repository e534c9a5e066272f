#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/rotation_machine.h"
#include "support/rotation_box.h"

/*
 * What bounds a run of the rotation machine (R10), the brake on refused logins, and what
 * a run leaves to be asked by the next.
 */

static void a_back_off_doubles_to_a_minute_with_jitter_on_top(void **state)
{
    static const int64_t waits_ms[] = { 2500, 5000, 10000, 20000, 40000, 75000, 75000 };
    struct box box = box_accepted();

    (void)state;
    for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
        box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
        box_feed_event(
            &box, (struct psn_rotation_event){ .kind = PSN_ROTATION_EV_LOGIN_NO_ANSWER,
                                               .jitter_permille = 1000 });
        assert_int_equal(box.action.wait_ms, waits_ms[i]);
        box_feed(&box, PSN_ROTATION_EV_TIMER);
    }
}

static void the_brake_lets_a_login_through_when_the_oldest_refusal_has_aged(void **state)
{
    struct psn_rotation_state box = psn_rotation_state_init(1, false);

    (void)state;
    for (int64_t i = 0; i < 3; i++) {
        assert_int_equal(psn_rotation_login_delay_s(&box, 3, 300, BEGIN_S + 10 * i), 0);
        psn_rotation_note_refused(&box, BEGIN_S + 10 * i);
    }
    assert_int_equal(psn_rotation_login_delay_s(&box, 3, 300, BEGIN_S + 20), 280);
    assert_int_equal(psn_rotation_login_delay_s(&box, 3, 300, BEGIN_S + 300), 0);
    assert_int_equal(psn_rotation_login_delay_s(&box, 3, 300, BEGIN_S - 900), 300);
    assert_int_equal(psn_rotation_login_delay_s(&box, 17, 300, BEGIN_S + 20), 0);
    assert_int_equal(psn_rotation_login_delay_s(&box, 0, 300, BEGIN_S + 20), 0);
}

static void the_brake_counts_each_login_that_was_refused_and_no_other(void **state)
{
    static const struct {
        enum psn_rotation_event_kind answer;
        int64_t delay_s;
    } rows[] = {
        { PSN_ROTATION_EV_LOGIN_REFUSED, 300 },
        { PSN_ROTATION_EV_LOGIN_ACCEPTED, 0 },
        { PSN_ROTATION_EV_LOGIN_NO_ANSWER, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct box box = box_accepted();

        box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
        box_expect(&box, PSN_ROTATION_ACCEPTED, PSN_ROTATION_DO_LOGIN_PEND);
        box_feed(&box, rows[i].answer);
        assert_int_equal(psn_rotation_login_delay_s(&box.state, 1, 300, box.now_s),
                         rows[i].delay_s);
    }
}

/* One of the events that can answer the action, by the dice. */
static enum psn_rotation_event_kind any_answer(enum psn_rotation_action_kind action)
{
    enum psn_rotation_event_kind first = PSN_ROTATION_EV_LOGIN_ACCEPTED;
    enum psn_rotation_event_kind last = PSN_ROTATION_EV_LOGIN_NO_ANSWER;

    if (action == PSN_ROTATION_DO_STORE)
        return PSN_ROTATION_EV_STORED;
    if (action == PSN_ROTATION_DO_COMMIT)
        return PSN_ROTATION_EV_COMMITTED;
    if (action == PSN_ROTATION_DO_WAIT)
        return PSN_ROTATION_EV_TIMER;
    if (action == PSN_ROTATION_DO_SYNC_CLOCK)
        return PSN_ROTATION_EV_CLOCK_SET;
    if (action == PSN_ROTATION_DO_SEND) {
        first = PSN_ROTATION_EV_NOT_SENT;
        last = PSN_ROTATION_EV_UNKNOWN;
    } else if (action == PSN_ROTATION_DO_LOOK_TASKS) {
        first = PSN_ROTATION_EV_TASKS_EMPTY;
        last = PSN_ROTATION_EV_TASKS_UNREADABLE;
    }
    return (enum psn_rotation_event_kind)(first + (unsigned)random() %
                                                      (unsigned)(last - first + 1));
}

static void expect_within_budget(const struct box *box, int64_t waited_ms)
{
    assert_true(box->run.sends <= box->policy.sends_max);
    assert_true(box->run.logins <= box->policy.logins_max);
    assert_true(box->state.candidates <= box->policy.candidates_max);
    assert_true(waited_ms <= box->policy.run_s * 1000);
    if (box->state.failed_s[3])
        assert_true(box->state.failed_s[0] - box->state.failed_s[3] >=
                    box->policy.failed_logins_window_s);
}

static void every_run_is_bounded(void **state)
{
    struct box box = box_of(1, false);

    (void)state;
    box.policy = psn_rotation_policy_default();
    srandom(20240229);
    for (unsigned run = 0; run < 20000; run++) {
        int64_t waited_ms = 0;

        box_feed(&box, random() % 4 ? PSN_ROTATION_EV_START : PSN_ROTATION_EV_RESUME);
        for (unsigned steps = 0; box.action.kind < PSN_ROTATION_DO_RETIRE; steps++) {
            assert_true(steps < 200);
            if (box.action.kind == PSN_ROTATION_DO_WAIT)
                waited_ms += box.action.wait_ms;
            box_feed(&box, any_answer(box.action.kind));
            expect_within_budget(&box, waited_ms);
        }
        box.now_s += random() % 4000;
    }
    assert_true(box.state.cur > 1000);
}

static void a_clock_that_was_ahead_does_not_make_waits_endless(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_see_new_in_force(&box);
    box_crash(&box);
    box.now_s -= 1000 * MINUTE;
    box_feed(&box, PSN_ROTATION_EV_START);
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_WAIT);
    assert_true(box.action.wait_ms <= 10 * MINUTE * 1000 + 1000);
}

static void logins_refused_under_a_clock_that_was_ahead_are_counted_from_now_on(
    void **state)
{
    struct psn_rotation_state s = { 0 };
    const int64_t now_s = 1800000000;
    const int64_t window_s = 5 * MINUTE;

    (void)state;
    for (int i = 0; i < 3; i++)
        psn_rotation_note_refused(&s, now_s + 365 * 24 * 60 * MINUTE);
    assert_true(psn_rotation_mend_times(&s, now_s));
    assert_int_equal(psn_rotation_login_delay_s(&s, 3, window_s, now_s), window_s);
    assert_int_equal(psn_rotation_login_delay_s(&s, 3, window_s, now_s + window_s), 0);
    assert_false(psn_rotation_mend_times(&s, now_s));
}

static void q_counts_from_the_moment_the_send_is_known_to_be_over(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box.now_s += 5 * MINUTE; /* a slow time-out */
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    assert_int_equal(box.state.last_send_s, box.now_s);
    box = box_sending(1, false);
    box_crash(&box);
    box.now_s += 60 * MINUTE; /* it may have been signed just before the crash */
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    assert_int_equal(box.state.last_send_s, box.now_s);
}

static void a_request_that_q_has_silenced_may_still_be_why_both_are_refused(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_crash(&box);
    box.now_s += 11 * MINUTE;
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_see_neither(&box);
    assert_int_equal(box.state.unanswered, 0);
    box_expect_same_again(&box, 2);
}

static void a_silence_in_the_future_begins_now(void **state)
{
    struct box box = box_accepted();

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
    assert_int_equal(box.state.silent_since_s, box.now_s);
    box_crash(&box);
    box.now_s -= 1000 * MINUTE;
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    assert_int_equal(box.state.silent_since_s, box.now_s);
}

static void what_cannot_be_is_not_valid(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    assert_true(psn_rotation_is_valid(&box.state));
    box.state.unanswered = 0; /* SENDING is always counted */
    assert_false(psn_rotation_is_valid(&box.state));
    box = box_sending(1, false);
    box.state.phase = PSN_ROTATION_STABLE; /* with a candidate */
    assert_false(psn_rotation_is_valid(&box.state));
    box = box_sending(1, false);
    box.state.phase = (enum psn_rotation_phase)17;
    assert_false(psn_rotation_is_valid(&box.state));
    box = box_sending(1, false);
    box.state.silent_since_s = 1; /* with a request on the way */
    assert_false(psn_rotation_is_valid(&box.state));
}

/* Two rotations, neither of whose old ones is proved dead. */
static void an_old_one_that_is_not_proved_dead_outlives_the_next_rotation(void **state)
{
    struct box box = box_accepted();

    (void)state;
    box_see_new_in_force(&box);
    box_feed(&box, PSN_ROTATION_EV_COMMITTED);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_ACCEPTED);
    box_feed(&box, PSN_ROTATION_EV_START);
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
    box_feed(&box, PSN_ROTATION_EV_STORED);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_ACCEPTED);
    box_feed(&box, PSN_ROTATION_EV_OK);
    box_see_new_in_force(&box);
    assert_int_equal(box.state.cur, 3);
    assert_true(psn_rotation_is_dying(&box.state, 1));
    assert_true(psn_rotation_is_dying(&box.state, 2));
    box_feed(&box, PSN_ROTATION_EV_COMMITTED);
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_LOGIN_OLD);
    assert_int_equal(box.action.version, 1);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    assert_false(psn_rotation_is_dying(&box.state, 1));
    assert_true(psn_rotation_old_due(&box.state));
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_LOGIN_OLD);
    assert_int_equal(box.action.version, 2);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect(&box, PSN_ROTATION_STABLE, PSN_ROTATION_DO_DONE);
    assert_int_equal(box.state.old_dead, PSN_ROTATION_OLD_DEAD);
    assert_false(psn_rotation_old_due(&box.state));
}

/* --- may it be forgotten? --- */

static void what_was_sent_may_arrive_until_it_is_proved(void **state)
{
    enum {
        WEEK_S = 7 * 24 * 60 * 60
    };
    struct box box = box_sending(1, false);
    const struct psn_rotation_state stable = psn_rotation_state_init(1, false);
    int64_t sent_s = box.state.last_send_s;

    (void)state;
    assert_false(psn_rotation_may_arrive(&stable, 0));
    assert_true(psn_rotation_may_arrive(&box.state, sent_s));
    box_feed(&box, PSN_ROTATION_EV_OK);
    assert_int_equal(box.state.phase, PSN_ROTATION_ACCEPTED);
    assert_true(psn_rotation_may_arrive(&box.state, sent_s + WEEK_S - 1));
    assert_false(psn_rotation_may_arrive(&box.state, sent_s + WEEK_S));
    assert_true(
        psn_rotation_may_arrive(&box.state, sent_s - WEEK_S)); /* clock set back */
}

static void a_mailbox_that_is_gone_takes_nothing(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_OK);
    box.state.phase = PSN_ROTATION_STUCK;
    box.state.reason = PSN_ROTATION_WHY_KEY;
    assert_true(psn_rotation_may_arrive(&box.state, box.state.last_send_s));
    box.state.reason = PSN_ROTATION_WHY_ABSENT;
    assert_false(psn_rotation_may_arrive(&box.state, box.state.last_send_s));
    /* One that is to be made may still be made. */
    box.state.cur = 0;
    box.state.create = true;
    assert_true(psn_rotation_may_arrive(&box.state, box.state.last_send_s));
}

/* As f27 in test_rotation_machine.c, but for a password that came from elsewhere. */
static void what_may_be_on_the_way_is_waited_for_behind_a_password_that_was_told(
    void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_see_new_in_force(&box);
    box_feed(&box, PSN_ROTATION_EV_COMMITTED);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    psn_rotation_believe(&box.state, box.state.last + 1);
    assert_int_equal(box.state.unanswered, 1);
    box_feed(&box, PSN_ROTATION_EV_START);
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_WAIT);
}

static void the_old_one_is_left_to_the_next_run_where_its_refusal_would_cost_waiting(
    void **state)
{
    struct box box = box_accepted();

    (void)state;
    box_see_new_in_force(&box);
    box_feed_event(&box, (struct psn_rotation_event){ .kind = PSN_ROTATION_EV_COMMITTED,
                                                      .host_waits = true });
    box_expect(&box, PSN_ROTATION_STABLE, PSN_ROTATION_DO_DONE);
    assert_true(psn_rotation_old_due(&box.state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            what_may_be_on_the_way_is_waited_for_behind_a_password_that_was_told),
        cmocka_unit_test(a_back_off_doubles_to_a_minute_with_jitter_on_top),
        cmocka_unit_test(the_brake_lets_a_login_through_when_the_oldest_refusal_has_aged),
        cmocka_unit_test(the_brake_counts_each_login_that_was_refused_and_no_other),
        cmocka_unit_test(every_run_is_bounded),
        cmocka_unit_test(a_clock_that_was_ahead_does_not_make_waits_endless),
        cmocka_unit_test(
            logins_refused_under_a_clock_that_was_ahead_are_counted_from_now_on),
        cmocka_unit_test(q_counts_from_the_moment_the_send_is_known_to_be_over),
        cmocka_unit_test(a_request_that_q_has_silenced_may_still_be_why_both_are_refused),
        cmocka_unit_test(a_silence_in_the_future_begins_now),
        cmocka_unit_test(what_cannot_be_is_not_valid),
        cmocka_unit_test(an_old_one_that_is_not_proved_dead_outlives_the_next_rotation),
        cmocka_unit_test(what_was_sent_may_arrive_until_it_is_proved),
        cmocka_unit_test(a_mailbox_that_is_gone_takes_nothing),
        cmocka_unit_test(
            the_old_one_is_left_to_the_next_run_where_its_refusal_would_cost_waiting),
    };

    return cmocka_run_group_tests_name("rotation_budget", tests, NULL, NULL);
}
