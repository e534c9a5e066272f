#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/role.h"
#include "core/rotation_machine.h"
#include "support/rotation_box.h"

/*
 * The rotation machine, one story per point of failure (F1 to F29 of the protocol; F24,
 * F25, F28 and F30 lie outside of it). Its budgets are in test_rotation_budget.c; all
 * interleavings are walked by test_rotation_model.c.
 */

/* --- the good way --- */

static void a_rotation_ends_with_the_old_one_refused(void **state)
{
    struct box box = box_accepted();

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_TASK_PENDING);
    assert_int_equal(box.action.wait_ms, 250);
    box_feed(&box, PSN_ROTATION_EV_TIMER);
    box_see_new_in_force(&box);
    assert_int_equal(box.action.retired, 1);
    assert_int_equal(box.action.task_id, 4711);
    box_feed(&box, PSN_ROTATION_EV_COMMITTED);
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_LOGIN_OLD);
    assert_int_equal(box.action.version, 1);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect(&box, PSN_ROTATION_STABLE, PSN_ROTATION_DO_DONE);
    assert_int_equal(box.state.old_dead, PSN_ROTATION_OLD_DEAD);
    assert_int_equal(box.state.cur, 2);
    assert_false(psn_rotation_old_due(&box.state));
}

static void a_mailbox_without_a_known_password_is_taken_over(void **state)
{
    struct box box = box_sending(0, false);

    (void)state;
    assert_false(box.action.create);
    box_feed(&box, PSN_ROTATION_EV_OK);
    box_round_of(&box, PSN_ROTATION_EV_TASK_GONE, PSN_ROTATION_EV_LOGIN_REFUSED,
                 PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect_same_again(&box, 1);
    box_feed(&box, PSN_ROTATION_EV_OK);
    box_see_new_in_force(&box);
    assert_int_equal(box.action.retired, 0);
    box_feed(&box, PSN_ROTATION_EV_COMMITTED);
    box_expect(&box, PSN_ROTATION_STABLE, PSN_ROTATION_DO_DONE);
}

static void a_lost_create_that_meets_exists_becomes_a_change(void **state)
{
    struct box box = box_sending(0, true);

    (void)state;
    assert_true(box.action.create);
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_see_old_in_force(&box);
    box_expect_same_again(&box, 1);
    assert_true(box.action.create);
    box_feed(&box, PSN_ROTATION_EV_EXISTS);
    box_round_of(&box, PSN_ROTATION_EV_TASKS_EMPTY, PSN_ROTATION_EV_LOGIN_REFUSED,
                 PSN_ROTATION_EV_LOGIN_REFUSED);
    /* It is decided: who resumes from here must not decide it again. */
    assert_int_equal(box.state.said, PSN_ROTATION_SAID_NOTHING);
    box_expect_same_again(&box, 1);
    assert_false(box.action.create);
    box_feed(&box,
             PSN_ROTATION_EV_ABSENT); /* the task that made it has failed after all */
    box_round_of(&box, PSN_ROTATION_EV_TASKS_EMPTY, PSN_ROTATION_EV_LOGIN_REFUSED,
                 PSN_ROTATION_EV_LOGIN_REFUSED);
    assert_int_equal(box.state.said, PSN_ROTATION_SAID_NOTHING);
    box_expect_same_again(&box, 1);
    assert_true(box.action.create);
    box_feed(&box, PSN_ROTATION_EV_OK);
    box_see_new_in_force(&box);
    assert_false(box.state.create);
}

static void a_mailbox_of_somebody_else_is_not_taken_by_create(void **state)
{
    struct box box = box_sending(0, true);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_EXISTS);
    box_round_of(&box, PSN_ROTATION_EV_TASKS_EMPTY, PSN_ROTATION_EV_LOGIN_REFUSED,
                 PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect_end(&box, PSN_ROTATION_DO_RETIRE, PSN_ROTATION_WHY_EXISTS);
    box_expect(&box, PSN_ROTATION_STABLE, PSN_ROTATION_DO_RETIRE);
}

/* --- F1 to F29 --- */

static void f1_f2_what_was_not_stored_changes_nothing(void **state)
{
    struct box box = box_of(1, false);
    struct psn_rotation_state before = box.state;

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_START);
    assert_false(box.durable);
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY); /* DO_STORE fails: nothing was written */
    box_crash(&box);
    box.state = before;
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_expect(&box, PSN_ROTATION_STABLE, PSN_ROTATION_DO_DONE);
}

static void f3_a_stored_candidate_goes_on_after_asking_the_current_one(void **state)
{
    struct box box = box_of(1, false);

    (void)state;
    box_begin(&box);
    box_crash(&box);
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_expect(&box, PSN_ROTATION_INTENT, PSN_ROTATION_DO_LOGIN_CUR);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_ACCEPTED);
    box_expect(&box, PSN_ROTATION_SENDING, PSN_ROTATION_DO_SEND);
}

static void f3_only_what_was_never_sent_can_be_abandoned(void **state)
{
    struct box box = box_of(1, false);

    (void)state;
    box_begin(&box);
    box_crash(&box);
    box_feed(&box, PSN_ROTATION_EV_ABANDON);
    box_expect(&box, PSN_ROTATION_STABLE, PSN_ROTATION_DO_RETIRE);
    assert_int_equal(box.action.version, 2);
    box = box_sending(1, false);
    box_crash(&box);
    box_feed(&box, PSN_ROTATION_EV_ABANDON);
    box_expect_end(&box, PSN_ROTATION_DO_UNFINISHED, PSN_ROTATION_WHY_MAY_BE_SENT);
    assert_false(box.durable);
}

static void f4_a_crash_before_the_first_byte_leads_to_a_look(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_crash(&box);
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_expect(&box, PSN_ROTATION_UNKNOWN, PSN_ROTATION_DO_LOOK_TASKS);
    assert_int_equal(box.state.unanswered, 1);
    box_see_old_in_force(&box);
    box_expect_same_again(&box, 2);
    assert_int_equal(box.state.unanswered, 2);
}

static void f5_a_refused_connection_is_tried_within_the_budget(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    for (unsigned sends = 1; sends < box.policy.sends_max; sends++) {
        box_feed(&box, PSN_ROTATION_EV_NOT_SENT);
        box_expect(&box, PSN_ROTATION_INTENT, PSN_ROTATION_DO_WAIT);
        assert_int_equal(box.action.wait_ms, 1000 << sends);
        box_feed(&box, PSN_ROTATION_EV_TIMER);
        box_expect(&box, PSN_ROTATION_SENDING, PSN_ROTATION_DO_SEND);
    }
    box_feed(&box, PSN_ROTATION_EV_NOT_SENT);
    box_expect_end(&box, PSN_ROTATION_DO_UNFINISHED, PSN_ROTATION_WHY_NO_CONNECTION);
    assert_int_equal(box.state.phase, PSN_ROTATION_INTENT);
    assert_int_equal(box.state.unanswered, 0);
}

static void f6_f7_a_lost_answer_leads_to_a_look_before_any_resend(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_expect(&box, PSN_ROTATION_UNKNOWN, PSN_ROTATION_DO_LOOK_TASKS);
    box_see_old_in_force(&box);
    box_expect_same_again(&box, 2);
}

static void f7_a_request_that_arrived_commits_without_resend(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_see_new_in_force(&box);
    assert_int_equal(box.run.sends, 1);
}

static void f8_f10_an_answer_that_was_not_written_is_not_needed(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_crash(&box);
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_see_new_in_force(&box);
    assert_int_equal(box.action.task_id, 0);
}

static void f9_an_answer_about_another_mailbox_raises_an_alarm(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed_event(&box, (struct psn_rotation_event){ .kind = PSN_ROTATION_EV_UNKNOWN,
                                                      .wrong_mailbox = true });
    box_expect(&box, PSN_ROTATION_UNKNOWN, PSN_ROTATION_DO_LOOK_TASKS);
    assert_true(box.action.alarm);
}

static void f11_throttling_waits_as_told_up_to_a_minute_and_sends_again(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed_event(&box, (struct psn_rotation_event){ .kind = PSN_ROTATION_EV_THROTTLED,
                                                      .retry_after_s = 17 });
    assert_int_equal(box.action.wait_ms, 17000);
    assert_string_equal(psn_rotation_waiting(box.action.reason),
                        "waiting: OVH limits the calls");
    box_expect_same_again(&box, 2);
    box_feed_event(&box, (struct psn_rotation_event){ .kind = PSN_ROTATION_EV_THROTTLED,
                                                      .retry_after_s = INT64_MAX });
    assert_int_equal(box.action.wait_ms, 60000);
    assert_int_equal(box.state.unanswered, 2);
}

static void f12_a_409_waits_for_silence_looks_and_sends_again(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_BUSY);
    box_expect(&box, PSN_ROTATION_UNKNOWN, PSN_ROTATION_DO_WAIT);
    assert_string_equal(psn_rotation_waiting(box.action.reason),
                        "waiting: OVH is busy with this mailbox");
    box_feed(&box, PSN_ROTATION_EV_TIMER);
    box_feed(&box, PSN_ROTATION_EV_TASK_PENDING);
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_WAIT);
    box_feed(&box, PSN_ROTATION_EV_TIMER);
    box_see_old_in_force(&box);
    box_expect_same_again(&box, 2);
}

static void f13_three_refused_candidates_end_with_the_old_one_proved(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    for (uint64_t version = 2; version < 4; version++) {
        box_feed(&box, PSN_ROTATION_EV_BAD_REQUEST);
        box_round_of(&box, PSN_ROTATION_EV_TASKS_EMPTY, PSN_ROTATION_EV_LOGIN_REFUSED,
                     PSN_ROTATION_EV_LOGIN_REFUSED);
        box_expect(&box, PSN_ROTATION_INTENT, PSN_ROTATION_DO_STORE);
        assert_int_equal(box.action.retired, version);
        assert_int_equal(box.action.version, version + 1);
        box_feed(&box, PSN_ROTATION_EV_STORED);
        box_expect(&box, PSN_ROTATION_SENDING, PSN_ROTATION_DO_SEND);
    }
    box_feed(&box, PSN_ROTATION_EV_BAD_REQUEST);
    box_see_old_in_force(&box);
    box_expect_end(&box, PSN_ROTATION_DO_UNFINISHED, PSN_ROTATION_WHY_UNPROVED);
    assert_in_range(box.action.wait_ms, 60 * MINUTE * 1000, 61 * MINUTE * 1000);
    box_crash(&box);
    box.now_s += 61 * MINUTE;
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_see_old_in_force(&box);
    box_expect_end(&box, PSN_ROTATION_DO_RETIRE, PSN_ROTATION_WHY_POLICY);
    assert_int_equal(box.state.cur, 1);
    assert_int_equal(box.state.last, 4);
}

static void f13_a_refusal_with_an_unanswered_send_waits_for_silence(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_see_old_in_force(&box);
    box_expect_same_again(&box, 2);
    box_feed(&box, PSN_ROTATION_EV_BAD_REQUEST);
    box_see_old_in_force(&box);
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_WAIT);
    assert_in_range(box.action.wait_ms, 9 * MINUTE * 1000, 11 * MINUTE * 1000);
    box_feed(&box, PSN_ROTATION_EV_TIMER);
    box_see_old_in_force(&box);
    box_expect(&box, PSN_ROTATION_INTENT, PSN_ROTATION_DO_STORE);
}

static void f14_same_as_now_commits(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_see_old_in_force(&box);
    box_expect_same_again(&box, 2);
    box_feed(&box, PSN_ROTATION_EV_BAD_REQUEST);
    box_see_new_in_force(&box);
}

static void f15_a_send_turned_away_leaves_all_as_it_was(void **state)
{
    static const struct {
        enum psn_rotation_event_kind event;
        enum psn_rotation_reason reason;
    } rows[] = { { PSN_ROTATION_EV_NOT_ALLOWED, PSN_ROTATION_WHY_KEY },
                 { PSN_ROTATION_EV_EXPIRED, PSN_ROTATION_WHY_SERVICE } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct box box = box_sending(1, false);

        box_feed(&box, rows[i].event);
        box_round_of(&box, PSN_ROTATION_EV_TASKS_UNREADABLE,
                     PSN_ROTATION_EV_LOGIN_REFUSED, PSN_ROTATION_EV_LOGIN_REFUSED);
        box_expect_end(&box, PSN_ROTATION_DO_RETIRE, rows[i].reason);
        assert_int_equal(box.action.version, 2);
        assert_int_equal(box.state.phase, PSN_ROTATION_STABLE);
        assert_int_equal(box.state.cur, 1);
        assert_int_equal(box.state.last, 2);
    }
}

static void f15_a_revoked_key_is_stuck_after_a_look_and_resumes(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_see_old_in_force(&box);
    box_expect_same_again(&box, 2);
    box_feed(&box, PSN_ROTATION_EV_NOT_ALLOWED);
    box_round_of(&box, PSN_ROTATION_EV_TASKS_UNREADABLE, PSN_ROTATION_EV_LOGIN_REFUSED,
                 PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect_end(&box, PSN_ROTATION_DO_STUCK, PSN_ROTATION_WHY_KEY);
    box_expect(&box, PSN_ROTATION_STUCK, PSN_ROTATION_DO_STUCK);
    assert_int_equal(box.state.pend, 2);
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_see_old_in_force(&box);
    box_expect_same_again(&box, 2);
    box_feed(&box, PSN_ROTATION_EV_EXPIRED);
    box_round_of(&box, PSN_ROTATION_EV_TASKS_UNREADABLE, PSN_ROTATION_EV_LOGIN_REFUSED,
                 PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect_end(&box, PSN_ROTATION_DO_STUCK, PSN_ROTATION_WHY_SERVICE);
}

static void f15_a_refused_clock_is_set_once(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_CLOCK);
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_SYNC_CLOCK);
    box_feed(&box, PSN_ROTATION_EV_CLOCK_SET);
    box_expect(&box, PSN_ROTATION_SENDING, PSN_ROTATION_DO_SEND);
    box_feed(&box, PSN_ROTATION_EV_CLOCK);
    box_see_old_in_force(&box);
    box_expect_end(&box, PSN_ROTATION_DO_RETIRE, PSN_ROTATION_WHY_CLOCK);
    assert_int_equal(box.state.phase, PSN_ROTATION_STABLE);
}

static void f16_a_mailbox_that_is_gone_is_stuck_with_everything_kept(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_ABSENT);
    box_see_old_in_force(&box);
    box_expect_end(&box, PSN_ROTATION_DO_STUCK, PSN_ROTATION_WHY_ABSENT);
    assert_int_equal(box.state.pend, 2);
    assert_int_equal(box.state.cur, 1);
}

static void f17_a_task_that_hangs_ends_the_run_after_one_login(void **state)
{
    struct box box = box_accepted();

    (void)state;
    while (box.action.kind != PSN_ROTATION_DO_LOGIN_PEND) {
        box_feed(&box, PSN_ROTATION_EV_TASK_PENDING);
        if (box.action.kind == PSN_ROTATION_DO_WAIT)
            box_feed(&box, PSN_ROTATION_EV_TIMER);
    }
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    box_expect_end(&box, PSN_ROTATION_DO_UNFINISHED, PSN_ROTATION_WHY_TASK_PENDING);
    assert_int_equal(box.state.phase, PSN_ROTATION_ACCEPTED);
    assert_in_range(box.now_s - BEGIN_S, 13 * MINUTE, 15 * MINUTE + 10);
    assert_int_equal(box.run.logins, 2);
}

static void f18_a_task_that_failed_silently_is_sent_again(void **state)
{
    struct box box = box_accepted();

    (void)state;
    box_see_old_in_force(&box);
    box_expect_same_again(&box, 2);
}

static void f19_an_old_one_that_still_works_is_asked_again_until_refused(void **state)
{
    struct box box = box_accepted();

    (void)state;
    box_see_new_in_force(&box);
    box_feed(&box, PSN_ROTATION_EV_COMMITTED);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_ACCEPTED);
    box_expect(&box, PSN_ROTATION_STABLE, PSN_ROTATION_DO_DONE);
    assert_int_equal(box.state.old_dead, PSN_ROTATION_OLD_ALIVE);
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_LOGIN_OLD);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_NO_ANSWER);
    assert_int_equal(box.state.old_dead, PSN_ROTATION_OLD_ALIVE);
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    assert_int_equal(box.state.old_dead, PSN_ROTATION_OLD_DEAD);
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_expect(&box, PSN_ROTATION_STABLE, PSN_ROTATION_DO_DONE);
}

static void f20_without_a_mail_server_nothing_is_sent_nor_committed(void **state)
{
    struct box box = box_of(1, false);

    (void)state;
    box_begin(&box);
    box_feed(&box, PSN_ROTATION_EV_STORED);
    for (unsigned i = 0; i < 2; i++) {
        box_feed(&box, PSN_ROTATION_EV_LOGIN_NO_ANSWER);
        box_feed(&box, PSN_ROTATION_EV_TIMER);
    }
    box_feed(&box, PSN_ROTATION_EV_LOGIN_NO_ANSWER);
    box_expect_end(&box, PSN_ROTATION_DO_UNFINISHED, PSN_ROTATION_WHY_NO_LOGIN);
    assert_int_equal(box.state.phase, PSN_ROTATION_INTENT);
    box = box_accepted();
    while (box.action.kind != PSN_ROTATION_DO_UNFINISHED) {
        box_round_of(&box, PSN_ROTATION_EV_TASKS_EMPTY, PSN_ROTATION_EV_LOGIN_NO_ANSWER,
                     PSN_ROTATION_EV_LOGIN_NO_ANSWER);
        if (box.action.kind == PSN_ROTATION_DO_WAIT)
            box_feed(&box, PSN_ROTATION_EV_TIMER);
    }
    box_expect_end(&box, PSN_ROTATION_DO_UNFINISHED, PSN_ROTATION_WHY_NO_LOGIN);
    assert_int_equal(box.state.phase, PSN_ROTATION_ACCEPTED);
    assert_int_equal(box.run.sends, 1);
}

static void f21_a_negative_cache_is_outlived(void **state)
{
    struct box box = box_accepted();

    (void)state;
    box_see_neither(&box);
    box_expect_same_again(&box, 2);
    box_feed(&box, PSN_ROTATION_EV_OK);
    box_see_new_in_force(&box);
}

static void f22_f23_a_commit_that_was_not_written_is_found_again(void **state)
{
    struct box box = box_accepted();
    struct psn_rotation_state on_disk = box.state;

    (void)state;
    box_see_new_in_force(&box); /* DO_COMMIT fails: disk full, or a crash */
    box.state = on_disk;
    box_crash(&box);
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_expect(&box, PSN_ROTATION_ACCEPTED, PSN_ROTATION_DO_LOOK_TASKS);
    box_see_new_in_force(&box);
}

static void f26_an_outside_change_is_overwritten_only_when_the_user_agrees(void **state)
{
    struct box box = box_accepted();

    (void)state;
    box_round_of(&box, PSN_ROTATION_EV_TASKS_EMPTY, PSN_ROTATION_EV_LOGIN_NO_ANSWER,
                 PSN_ROTATION_EV_LOGIN_NO_ANSWER);
    box_crash(&box);
    box.now_s += 62 * MINUTE; /* no cache can be the reason any more */
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_see_neither(&box);
    box_expect_end(&box, PSN_ROTATION_DO_STUCK, PSN_ROTATION_WHY_BOTH_REFUSED);
    box.now_s += 6 * MINUTE;
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_see_neither(&box);
    box_expect_end(&box, PSN_ROTATION_DO_STUCK, PSN_ROTATION_WHY_BOTH_REFUSED);
    box.now_s += 6 * MINUTE;
    box_feed_event(&box, (struct psn_rotation_event){ .kind = PSN_ROTATION_EV_RESUME,
                                                      .again = true });
    box_see_neither(&box);
    box_expect_same_again(&box, 2);
}

static void f26_both_refused_with_the_sends_spent_is_stuck_and_resumable(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    for (;;) {
        box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
        box_see_neither(&box);
        if (box.action.kind == PSN_ROTATION_DO_STUCK)
            break;
        box_expect_same_again(&box, 2);
    }
    box_expect_end(&box, PSN_ROTATION_DO_STUCK, PSN_ROTATION_WHY_BOTH_REFUSED);
    assert_int_equal(box.state.sends, box.policy.sends_max);
    box_feed(&box, PSN_ROTATION_EV_RESUME);
    box_see_new_in_force(&box);
}

static void f27_the_next_rotation_waits_for_what_may_be_on_the_way(void **state)
{
    struct box box = box_sending(1, false);

    (void)state;
    box_feed(&box, PSN_ROTATION_EV_UNKNOWN);
    box_see_new_in_force(&box);
    box_feed(&box, PSN_ROTATION_EV_COMMITTED);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED);
    box_feed(&box, PSN_ROTATION_EV_START);
    box_feed(&box, PSN_ROTATION_EV_TASK_PENDING);
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_WAIT);
    box_feed(&box, PSN_ROTATION_EV_TIMER);
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
    assert_int_equal(box.action.kind, PSN_ROTATION_DO_WAIT);
    assert_in_range(box.action.wait_ms, 9 * MINUTE * 1000, 10 * MINUTE * 1000 + 1000);
    box_feed(&box, PSN_ROTATION_EV_TIMER);
    box_feed(&box, PSN_ROTATION_EV_TASKS_EMPTY);
    box_expect(&box, PSN_ROTATION_INTENT, PSN_ROTATION_DO_STORE);
    assert_int_equal(box.state.unanswered, 0);
}

static void f29_a_restored_vault_is_mended_by_rotating(void **state)
{
    struct box box = box_of(1, false);

    (void)state;
    box_begin(&box);
    box_feed(&box, PSN_ROTATION_EV_STORED);
    box_feed(&box, PSN_ROTATION_EV_LOGIN_REFUSED); /* a newer one is in force */
    box_expect(&box, PSN_ROTATION_SENDING, PSN_ROTATION_DO_SEND);
    box_feed(&box, PSN_ROTATION_EV_OK);
    box_see_new_in_force(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rotation_ends_with_the_old_one_refused),
        cmocka_unit_test(a_mailbox_without_a_known_password_is_taken_over),
        cmocka_unit_test(a_lost_create_that_meets_exists_becomes_a_change),
        cmocka_unit_test(a_mailbox_of_somebody_else_is_not_taken_by_create),
        cmocka_unit_test(f1_f2_what_was_not_stored_changes_nothing),
        cmocka_unit_test(f3_a_stored_candidate_goes_on_after_asking_the_current_one),
        cmocka_unit_test(f3_only_what_was_never_sent_can_be_abandoned),
        cmocka_unit_test(f4_a_crash_before_the_first_byte_leads_to_a_look),
        cmocka_unit_test(f5_a_refused_connection_is_tried_within_the_budget),
        cmocka_unit_test(f6_f7_a_lost_answer_leads_to_a_look_before_any_resend),
        cmocka_unit_test(f7_a_request_that_arrived_commits_without_resend),
        cmocka_unit_test(f8_f10_an_answer_that_was_not_written_is_not_needed),
        cmocka_unit_test(f9_an_answer_about_another_mailbox_raises_an_alarm),
        cmocka_unit_test(f11_throttling_waits_as_told_up_to_a_minute_and_sends_again),
        cmocka_unit_test(f12_a_409_waits_for_silence_looks_and_sends_again),
        cmocka_unit_test(f13_three_refused_candidates_end_with_the_old_one_proved),
        cmocka_unit_test(f13_a_refusal_with_an_unanswered_send_waits_for_silence),
        cmocka_unit_test(f14_same_as_now_commits),
        cmocka_unit_test(f15_a_send_turned_away_leaves_all_as_it_was),
        cmocka_unit_test(f15_a_revoked_key_is_stuck_after_a_look_and_resumes),
        cmocka_unit_test(f15_a_refused_clock_is_set_once),
        cmocka_unit_test(f16_a_mailbox_that_is_gone_is_stuck_with_everything_kept),
        cmocka_unit_test(f17_a_task_that_hangs_ends_the_run_after_one_login),
        cmocka_unit_test(f18_a_task_that_failed_silently_is_sent_again),
        cmocka_unit_test(f19_an_old_one_that_still_works_is_asked_again_until_refused),
        cmocka_unit_test(f20_without_a_mail_server_nothing_is_sent_nor_committed),
        cmocka_unit_test(f21_a_negative_cache_is_outlived),
        cmocka_unit_test(f22_f23_a_commit_that_was_not_written_is_found_again),
        cmocka_unit_test(f26_an_outside_change_is_overwritten_only_when_the_user_agrees),
        cmocka_unit_test(f26_both_refused_with_the_sends_spent_is_stuck_and_resumable),
        cmocka_unit_test(f27_the_next_rotation_waits_for_what_may_be_on_the_way),
        cmocka_unit_test(f29_a_restored_vault_is_mended_by_rotating),
    };

    return cmocka_run_group_tests_name("rotation_machine", tests, NULL, NULL);
}
