#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/rotation_state.h"

/* The durable half of a rotation, without the machine: which states there can be, and
 * what is said of them. */

static struct psn_rotation_state stable(void)
{
    return (struct psn_rotation_state){ .cur = 3,
                                        .last = 4,
                                        .old = 2,
                                        .older = 1,
                                        .old_dead = PSN_ROTATION_OLD_ALIVE,
                                        .last_send_s = 100,
                                        .silent_since_s = 200 };
}

static struct psn_rotation_state intent(void)
{
    struct psn_rotation_state state = stable();

    state.phase = PSN_ROTATION_INTENT;
    state.pend = state.last;
    state.candidates = 1;
    return state;
}

/* One request is on its way. */
static struct psn_rotation_state sending(void)
{
    struct psn_rotation_state state = intent();

    psn_rotation_count_send(&state, 300);
    return state;
}

static struct psn_rotation_state unknown(void)
{
    struct psn_rotation_state state = sending();

    psn_rotation_note_doubt(&state, 310);
    return state;
}

static struct psn_rotation_state accepted(void)
{
    struct psn_rotation_state state = sending();

    psn_rotation_note_taken(&state, 4711);
    return state;
}

static struct psn_rotation_state stuck(void)
{
    struct psn_rotation_state state = accepted();

    state.phase = PSN_ROTATION_STUCK;
    state.reason = PSN_ROTATION_WHY_KEY;
    return state;
}

typedef struct psn_rotation_state make_fn(void);

static make_fn *const makers[] = { stable, intent, sending, unknown, accepted, stuck };

static void every_phase_has_states_that_are_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        struct psn_rotation_state one = makers[i]();

        assert_int_equal(one.phase, i);
        assert_true(psn_rotation_is_valid(&one));
    }
}

/* `one` is valid but for what `change` does. */
#define REFUSE(make, change)                       \
    do {                                           \
        struct psn_rotation_state one = make();    \
        assert_true(psn_rotation_is_valid(&one));  \
        change;                                    \
        assert_false(psn_rotation_is_valid(&one)); \
    } while (0)

static void what_no_state_may_be_is_refused_in_every_phase(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        REFUSE(makers[i], one.said = PSN_ROTATION_SAID_CLOCK + 1);
        REFUSE(makers[i], one.old_dead = PSN_ROTATION_OLD_DEAD + 1);
        REFUSE(makers[i], (one.last = INT64_MAX, one.pend = one.pend ? one.last : 0));
        REFUSE(makers[i], one.cur = one.last + 1);
        REFUSE(makers[i], one.pend = one.last + 1);
        REFUSE(makers[i], one.old = one.cur);
        REFUSE(makers[i], one.old = one.older = 0);
        REFUSE(makers[i], one.older = one.old);
        REFUSE(makers[i], one.old_dead = PSN_ROTATION_OLD_DEAD);
        REFUSE(makers[i], one.create = true);
        REFUSE(makers[i], one.last_send_s = -1);
        REFUSE(makers[i], one.silent_since_s = -1);
        REFUSE(makers[i], (one.unanswered = 1, one.sends = 1, one.silent_since_s = 9));
        REFUSE(makers[i], (one.unanswered = 1, one.sends = 1, one.silent_since_s = 0,
                           one.last_send_s = 0));
        REFUSE(makers[i],
               one.reason = one.reason ? PSN_ROTATION_WHY_NONE : PSN_ROTATION_WHY_KEY);
        REFUSE(makers[i], one.phase = PSN_ROTATION_PHASES);
    }
}

static void a_candidate_is_the_newest_version_and_its_sends_are_counted(void **state)
{
    (void)state;
    for (size_t i = PSN_ROTATION_INTENT; i < sizeof makers / sizeof *makers; i++) {
        REFUSE(makers[i], one.pend = one.last - 1);
        REFUSE(makers[i], one.cur = one.pend);
        REFUSE(makers[i], one.candidates = 0);
        REFUSE(makers[i], (one.unanswered = one.sends + 1, one.silent_since_s = 0,
                           one.last_send_s = 1));
    }
}

static void each_phase_says_what_was_sent_and_what_came_of_it(void **state)
{
    (void)state;
    REFUSE(stable, one.pend = 1);
    REFUSE(stable, one.sends = 1);
    REFUSE(stable, one.candidates = 1);
    REFUSE(stable, one.taken = true);
    REFUSE(stable, one.said = PSN_ROTATION_SAID_CLOCK);
    REFUSE(intent, one.sends = 1);
    REFUSE(intent, one.said = PSN_ROTATION_SAID_CLOCK);
    REFUSE(sending, one.unanswered = 0);
    REFUSE(sending, one.said = PSN_ROTATION_SAID_CLOCK);
    REFUSE(unknown, one.sends = one.unanswered = 0);
    REFUSE(accepted, one.sends = 0);
    REFUSE(accepted, one.taken = false);
    REFUSE(accepted, one.said = PSN_ROTATION_SAID_CLOCK);
    REFUSE(stuck, one.sends = 0);
    REFUSE(stuck, one.reason = PSN_ROTATION_WHY_POLICY);
}

static void states_are_the_same_only_if_all_is(void **state)
{
    (void)state;
#define DIFFERS(change)                                   \
    do {                                                  \
        struct psn_rotation_state one = accepted();       \
        const struct psn_rotation_state other = one;      \
        assert_true(psn_rotation_is_same(&one, &other));  \
        change;                                           \
        assert_false(psn_rotation_is_same(&one, &other)); \
        assert_false(psn_rotation_is_same(&other, &one)); \
    } while (0)
    DIFFERS(one.phase = PSN_ROTATION_UNKNOWN);
    DIFFERS(one.reason = PSN_ROTATION_WHY_KEY);
    DIFFERS(one.said = PSN_ROTATION_SAID_CLOCK);
    DIFFERS(one.old_dead = PSN_ROTATION_OLD_UNASKED);
    DIFFERS(one.cur++);
    DIFFERS(one.pend++);
    DIFFERS(one.last++);
    DIFFERS(one.old++);
    DIFFERS(one.older++);
    DIFFERS(one.candidates++);
    DIFFERS(one.sends++);
    DIFFERS(one.unanswered++);
    DIFFERS(one.create = true);
    DIFFERS(one.taken = false);
    DIFFERS(one.task_id++);
    DIFFERS(one.last_send_s++);
    DIFFERS(one.silent_since_s++);
    for (size_t i = 0; i < PSN_ROTATION_FAILED_SLOTS; i++)
        DIFFERS(one.failed_s[i]++);
}

static void the_old_one_is_due_until_it_is_proved_dead(void **state)
{
    struct psn_rotation_state one = stable();

    (void)state;
    assert_true(psn_rotation_old_due(&one));
    one.older = 0;
    one.old_dead = PSN_ROTATION_OLD_DEAD;
    assert_false(psn_rotation_old_due(&one));
    one = psn_rotation_state_init(1, false);
    assert_false(psn_rotation_old_due(&one));
    one = unknown(); /* what is under way comes first */
    assert_false(psn_rotation_old_due(&one));
}

static void what_was_turned_away_cannot_arrive_any_more(void **state)
{
    struct psn_rotation_state one = unknown();
    int64_t later_s = one.last_send_s + 1;

    (void)state;
    assert_true(psn_rotation_may_arrive(&one, later_s));
    assert_false(psn_rotation_may_arrive(&one, later_s + 8 * 24 * 3600));
    one = sending();
    psn_rotation_note_said(&one, PSN_ROTATION_SAID_BAD_REQUEST);
    assert_false(psn_rotation_may_arrive(&one, later_s));
    one.taken = true; /* an earlier one was not */
    assert_true(psn_rotation_may_arrive(&one, later_s));
    one = unknown(); /* nothing was said of it */
    one.unanswered = 0;
    assert_true(psn_rotation_may_arrive(&one, later_s));
    one = intent();
    assert_false(psn_rotation_may_arrive(&one, later_s));
    one = stable();
    assert_false(psn_rotation_may_arrive(&one, later_s));
}

static void nothing_arrives_at_a_mailbox_that_is_absent_unless_it_is_being_made(
    void **state)
{
    struct psn_rotation_state one = stuck();

    (void)state;
    assert_true(psn_rotation_may_arrive(&one, one.last_send_s));
    one.reason = PSN_ROTATION_WHY_ABSENT;
    assert_false(psn_rotation_may_arrive(&one, one.last_send_s));
    one.create = true;
    assert_true(psn_rotation_may_arrive(&one, one.last_send_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase_has_states_that_are_valid),
        cmocka_unit_test(what_no_state_may_be_is_refused_in_every_phase),
        cmocka_unit_test(a_candidate_is_the_newest_version_and_its_sends_are_counted),
        cmocka_unit_test(each_phase_says_what_was_sent_and_what_came_of_it),
        cmocka_unit_test(states_are_the_same_only_if_all_is),
        cmocka_unit_test(the_old_one_is_due_until_it_is_proved_dead),
        cmocka_unit_test(what_was_turned_away_cannot_arrive_any_more),
        cmocka_unit_test(
            nothing_arrives_at_a_mailbox_that_is_absent_unless_it_is_being_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
