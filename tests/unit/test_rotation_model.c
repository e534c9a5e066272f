#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/record.h"
#include "support/rotation_world.h"

/*
 * The rotation machine in every state that it can reach: no violation, a way to STABLE
 * from each, and every transition taken. Then protocols that are wrong in one thing each,
 * which must all be caught. A pattern as argument selects tests by name: '*large*' is the
 * long one.
 */
static struct coverage seen;

/* --- wrong protocols, as wrappers around the right step --- */

static struct psn_rotation_move right(const struct call *call)
{
    return psn_rotation_step(call->policy, call->state, call->run, call->event);
}

/* Ends a wrong move in STABLE, with the candidate retired or made current. */
static void make_stable(struct psn_rotation_move *move, bool commits)
{
    move->state.reason = PSN_ROTATION_WHY_NONE;
    move->durable = true;
    move->run.at = PSN_ROTATION_AT_NOTHING;
    move->action = (struct psn_rotation_action){ .kind = PSN_ROTATION_DO_DONE };
    if (commits)
        psn_rotation_make_current(&move->state);
    else
        psn_rotation_drop_candidate(&move->state);
}

static struct psn_rotation_move trust_the_api(const struct call *call)
{
    struct psn_rotation_move move = right(call);

    if (call->event->kind == PSN_ROTATION_EV_OK)
        make_stable(&move, true);
    return move;
}

static struct psn_rotation_move drop_old_early(const struct call *call)
{
    if (call->event->kind == PSN_ROTATION_EV_OK)
        *call->drop = (uint8_t)(1u << call->state->cur);
    return right(call);
}

/* Vault #28989: an error on a retry throws the candidate away and makes another. */
static struct psn_rotation_move new_one_on_error(const struct call *call)
{
    struct psn_rotation_move move = right(call);

    if (call->event->kind != PSN_ROTATION_EV_UNKNOWN || call->state->sends < 2)
        return move;
    *call->drop = (uint8_t)(1u << call->state->pend);
    move.state.unanswered = 0;
    move.state.silent_since_s = call->event->now_s;
    psn_rotation_new_candidate(&move.state, 0);
    move.run.at = PSN_ROTATION_AT_STORE;
    move.action = (struct psn_rotation_action){ .kind = PSN_ROTATION_DO_STORE };
    return move;
}

static struct psn_rotation_move refusal_is_final(const struct call *call)
{
    struct psn_rotation_move move = right(call);

    if (call->event->kind == PSN_ROTATION_EV_BAD_REQUEST)
        make_stable(&move, false);
    return move;
}

/* "New refused, old accepted" in one round retires the candidate. */
static struct psn_rotation_move refusal_by_login(const struct call *call)
{
    struct psn_rotation_move move = right(call);

    if (call->event->kind == PSN_ROTATION_EV_LOGIN_ACCEPTED &&
        call->run->at == PSN_ROTATION_AT_CUR && call->state->phase != PSN_ROTATION_INTENT)
        make_stable(&move, false);
    return move;
}

/* After a 4xx the old one is believed at once, though a mail server may remember. */
static struct psn_rotation_move believe_caches(const struct call *call)
{
    struct psn_rotation_policy hasty = *call->policy;

    hasty.login_cache_s = 0;
    return psn_rotation_step(&hasty, call->state, call->run, call->event);
}

/* The next rotation begins while a request may still be on the way. */
static struct psn_rotation_move no_quarantine(const struct call *call)
{
    struct psn_rotation_move move = right(call);

    if (call->event->kind == PSN_ROTATION_EV_START &&
        call->state->phase == PSN_ROTATION_STABLE) {
        struct psn_rotation_event empty = *call->event;

        empty.kind = PSN_ROTATION_EV_TASKS_EMPTY;
        move.state.unanswered = 0;
        move = psn_rotation_step(call->policy, &move.state, &move.run, &empty);
    }
    return move;
}

/* An empty task list is taken for silence, whatever has not been answered. */
static struct psn_rotation_move no_count(const struct call *call)
{
    struct psn_rotation_policy hasty = *call->policy;

    hasty.settle_s = -1;
    return psn_rotation_step(&hasty, call->state, call->run, call->event);
}

/* A candidate that may have been sent is given up on demand. */
static struct psn_rotation_move abandon_sent(const struct call *call)
{
    struct psn_rotation_move move = right(call);

    if (call->event->kind == PSN_ROTATION_EV_ABANDON)
        make_stable(&move, false);
    return move;
}

/* Of the passwords that were replaced only the last one is remembered. */
static struct psn_rotation_move forget_the_older(const struct call *call)
{
    struct psn_rotation_move move = right(call);

    if (move.action.kind == PSN_ROTATION_DO_COMMIT)
        move.state.older = 0;
    return move;
}

/* --- settings --- */

static struct psn_rotation_policy policy(uint32_t sends, uint32_t logins,
                                         uint32_t candidates, uint32_t failed_logins)
{
    return (struct psn_rotation_policy){ .settle_s = LONG_S,
                                         .login_cache_s = LONG_S,
                                         .failed_logins_window_s = LONG_S,
                                         .run_s = LONG_S,
                                         .failed_logins_max = failed_logins,
                                         .sends_max = sends,
                                         .logins_max = logins,
                                         .candidates_max = candidates };
}

static struct setting small(const char *name)
{
    return (struct setting){ .name = name,
                             .policy = policy(2, 3, 2, 0),
                             .version_max = 3,
                             .slots = 2,
                             .processes = 1 };
}

static void print_result(const struct model *m, const char *result)
{
    (void)printf("%-26s %8zu states %9zu steps  %s\n", m->setting->name, m->search.count,
                 m->search.edge_count, result);
}

/* Returns the number of steps. */
static size_t hold_everywhere(const struct setting *setting)
{
    struct model m;
    char result[64];
    size_t steps = 0;
    size_t lost = 0;

    world_walk(&m, setting, &seen);
    if (m.violation) {
        print_result(&m, m.violation);
        (void)search_trace(&m.search, m.violation_at, true);
    }
    assert_null(m.violation);
    lost = search_count_lost(&m.search);
    (void)snprintf(result, sizeof result, "0 violations, %zu without a way to STABLE",
                   lost);
    print_result(&m, result);
    steps = m.search.edge_count;
    search_release(&m.search);
    record_figure("model", setting->name, steps, steps - lost);
    assert_int_equal(lost, 0);
    return steps;
}

static void find_bug(const struct setting *setting, const char *violation)
{
    struct coverage ignored = { 0 };
    struct model m;
    char result[64];
    size_t steps = 0;

    world_walk(&m, setting, &ignored);
    assert_non_null(m.violation);
    steps = search_trace(&m.search, m.violation_at, false);
    (void)snprintf(result, sizeof result, "%s violated after %zu steps:", m.violation,
                   steps);
    print_result(&m, result);
    (void)search_trace(&m.search, m.violation_at, true);
    (void)printf("\n");
    assert_string_equal(m.violation, violation);
    assert_in_range(steps, 1, 40);
    search_release(&m.search);
}

/* --- the machine --- */

static void the_small_setting_holds(void **state)
{
    struct setting rotate = small("rotate");

    (void)state;
    assert_true(hold_everywhere(&rotate) >= 100000);
}

static void adopting_a_mailbox_holds(void **state)
{
    struct setting setting = small("adopt");

    (void)state;
    setting.adopt = true;
    setting.version_max = 2;
    assert_true(hold_everywhere(&setting) >= 100000);
}

static void creating_a_mailbox_holds(void **state)
{
    struct setting setting = small("create");

    (void)state;
    setting.create = true;
    setting.version_max = 2;
    assert_true(hold_everywhere(&setting) >= 100000);
}

static void creating_what_exists_already_holds(void **state)
{
    struct setting setting = small("create what exists");

    (void)state;
    setting.create = true;
    setting.adopt = true;
    setting.version_max = 2;
    assert_true(hold_everywhere(&setting) >= 1000);
}

/* KEPT still holds for what is ours, and no state is a dead end. */
static void changes_by_others_lose_nothing(void **state)
{
    struct setting setting = small("changed by others");

    (void)state;
    setting.outside_change = true;
    assert_true(hold_everywhere(&setting) >= 100000);
}

static void the_brake_on_logins_holds(void **state)
{
    struct setting setting = small("brake on refused logins");

    (void)state;
    setting.policy = policy(2, 4, 1, LOGIN_WINDOW);
    setting.version_max = 2;
    assert_true(hold_everywhere(&setting) >= 100000);
}

static void the_large_setting_holds(void **state)
{
    struct setting setting = small("large");

    (void)state;
    setting.policy = policy(2, 3, 3, 0);
    setting.version_max = 4;
    setting.slots = SLOTS;
    assert_true(hold_everywhere(&setting) >= 1000000);
}

static void every_transition_was_taken(void **state)
{
    (void)state;
    for (unsigned p = 0; p < PSN_ROTATION_PHASES; p++)
        for (unsigned e = 0; e < PSN_ROTATION_EVENTS; e++)
            assert_int_equal(seen.events[p][e] > 0,
                             psn_rotation_is_defined((enum psn_rotation_phase)p,
                                                     (enum psn_rotation_event_kind)e));
    for (unsigned a = 0; a < PSN_ROTATION_ACTIONS; a++)
        assert_true(seen.actions[a] > 0);
    for (unsigned r = 0; r < PSN_ROTATION_REASONS; r++)
        assert_true(seen.reasons[r] > 0);
}

/* --- the wrong ones are caught --- */

static void storing_after_the_call_loses_the_password(void **state)
{
    struct setting setting = small("written with the answer");

    (void)state;
    setting.write_late = true;
    find_bug(&setting, "KEPT");
}

static void sealing_after_the_call_loses_the_password(void **state)
{
    struct setting setting = small("sealed after the call");

    (void)state;
    setting.seal_late = true;
    find_bug(&setting, "KEPT");
}

static void working_without_a_lock_is_wrong(void **state)
{
    struct setting setting = small("no lock");

    (void)state;
    setting.processes = 2;
    find_bug(&setting, "TRUTH");
}

static void a_new_candidate_on_error_loses_the_password(void **state)
{
    struct setting setting = small("new candidate on an error");

    (void)state;
    setting.step = new_one_on_error;
    find_bug(&setting, "KEPT");
}

static void trusting_the_api_is_wrong(void **state)
{
    struct setting setting = small("trusts the API");

    (void)state;
    setting.step = trust_the_api;
    find_bug(&setting, "TRUTH");
}

static void dropping_the_old_one_early_loses_the_password(void **state)
{
    struct setting setting = small("drops the old one early");

    (void)state;
    setting.step = drop_old_early;
    find_bug(&setting, "KEPT");
}

static void taking_a_4xx_as_final_is_wrong(void **state)
{
    struct setting setting = small("4xx is final");

    (void)state;
    setting.step = refusal_is_final;
    find_bug(&setting, "TRUTH");
}

static void taking_one_login_round_as_final_is_wrong(void **state)
{
    struct setting setting = small("one login round is final");

    (void)state;
    setting.step = refusal_by_login;
    find_bug(&setting, "TRUTH");
}

static void believing_a_mail_servers_memory_is_wrong(void **state)
{
    struct setting setting = small("believes caches");

    (void)state;
    setting.step = believe_caches;
    setting.stale = true;
    find_bug(&setting, "TRUTH");
}

static void rotating_again_before_silence_is_wrong(void **state)
{
    struct setting setting = small("no silence before the next");

    (void)state;
    setting.step = no_quarantine;
    find_bug(&setting, "TRUTH");
}

static void an_empty_task_list_alone_is_not_silence(void **state)
{
    struct setting setting = small("no count of unanswered");

    (void)state;
    setting.step = no_count;
    find_bug(&setting, "TRUTH");
}

static void abandoning_what_was_sent_is_wrong(void **state)
{
    struct setting setting = small("abandons what was sent");

    (void)state;
    setting.step = abandon_sent;
    find_bug(&setting, "TRUTH");
}

static void forgetting_what_was_not_proved_dead_is_wrong(void **state)
{
    struct setting setting = small("forgets the older ones");

    (void)state;
    setting.step = forget_the_older;
    find_bug(&setting, "DOUBT");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_small_setting_holds),
        cmocka_unit_test(adopting_a_mailbox_holds),
        cmocka_unit_test(creating_a_mailbox_holds),
        cmocka_unit_test(creating_what_exists_already_holds),
        cmocka_unit_test(changes_by_others_lose_nothing),
        cmocka_unit_test(the_brake_on_logins_holds),
        cmocka_unit_test(every_transition_was_taken),
        cmocka_unit_test(storing_after_the_call_loses_the_password),
        cmocka_unit_test(sealing_after_the_call_loses_the_password),
        cmocka_unit_test(working_without_a_lock_is_wrong),
        cmocka_unit_test(a_new_candidate_on_error_loses_the_password),
        cmocka_unit_test(trusting_the_api_is_wrong),
        cmocka_unit_test(dropping_the_old_one_early_loses_the_password),
        cmocka_unit_test(taking_a_4xx_as_final_is_wrong),
        cmocka_unit_test(taking_one_login_round_as_final_is_wrong),
        cmocka_unit_test(believing_a_mail_servers_memory_is_wrong),
        cmocka_unit_test(rotating_again_before_silence_is_wrong),
        cmocka_unit_test(an_empty_task_list_alone_is_not_silence),
        cmocka_unit_test(abandoning_what_was_sent_is_wrong),
        cmocka_unit_test(forgetting_what_was_not_proved_dead_is_wrong),
        cmocka_unit_test(the_large_setting_holds),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("rotation_model", tests, NULL, NULL);
}
