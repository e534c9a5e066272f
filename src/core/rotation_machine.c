#include "core/rotation_machine.h"

#include <assert.h>

#include "core/rotation_turn.h"

/*
 * The protocol of docs/rotation.md for one mailbox; R1 to R10 and F1 to F30 are its rules
 * and points of failure. This file decides which question comes next and what its answer
 * means; rotation_turn.c holds what a step can do, rotation_state.c what is durable.
 *
 * Invariants. The first two are checked in every state that can be reached, by
 * tests/unit/test_rotation_model.c; the others are why they hold.
 *
 * (1) KEPT. What is in force, or may still come into force, is in the vault: a version is
 *     stored before it can be sent, and the machine only ever relabels (R1, R3).
 * (2) TRUTH. STABLE means that cur is in force and that no other one of ours can come;
 *     with cur 0 it claims only the latter.
 * (3) SENDING is on disk before the first byte, and counted as unanswered until a
 *     complete answer is parsed (R6).
 * (4) A new version is made only in silence: the task list was empty when every earlier
 *     send was answered or older than Q (R2, R7).
 * (5) Only an accepted login with pend makes it cur (R4).
 * (6) A refused login proves nothing, nor does a 4xx ("same as now" is one). Only a round
 *     that began later than the silence by the longest memory of a mail server does.
 * (7) Sending the same version again is safe, so doubt leads there, never back.
 *
 * R5, the choice made: a 4xx about the password leads to a look. Not in force, and
 * silent: the next candidate, and all are kept. After the last candidate the old one is
 * believed only in a round of (6), and the mailbox is STABLE again.
 *
 *            store             send                 2xx
 *  STABLE ──────────▶ INTENT ─────────▶ SENDING ──────────▶ ACCEPTED
 *   ▲  ▲    abandon    │ ▲ ▲   not sent  │ │                   │
 *   │  └───────────────┘ │ └─────────────┘ │ other answer,     │ as UNKNOWN
 *   │     next candidate │                 ▼ crash             ▼
 *   │                    └────────────── UNKNOWN ──▶ SENDING (the same version)
 *   │                                      │  ▲ │
 *   └──── COMMIT: login(pend) accepted ────┤  │ └──▶ STUCK
 *   └──── RETIRE: R5, exists, turned away ─┘  └─────── resume
 *
 * Transition -> function
 *   STABLE  -> INTENT     make_candidate   on_tasks_empty saw silence
 *   INTENT  -> SENDING    send_pend        after one login with cur, whatever it said
 *   INTENT  -> STABLE     retire           on_abandon, before anything was sent
 *   SENDING -> INTENT     on_not_sent      and pend had not left before
 *   SENDING -> ACCEPTED   on_ok
 *   SENDING -> UNKNOWN    on_definite, on_clock, on_busy, on_throttled, on_unknown,
 *                         on_not_sent, on_resume
 *   UNKNOWN, ACCEPTED -> SENDING   send_pend, delayed by resend
 *   UNKNOWN, ACCEPTED -> STABLE    commit
 *   UNKNOWN -> STABLE     retire           R5, a mailbox to create exists already, or
 *                                          every send was turned away (key, service)
 *   UNKNOWN -> INTENT     make_candidate   R5
 *   UNKNOWN, ACCEPTED -> STUCK     stuck
 *   STUCK   -> UNKNOWN    on_resume
 *
 * A round is: the task list, a login with pend, a login with cur where it can matter.
 */
enum {
    MS = 1000,
    RETRY_AFTER_MAX_MS = 60 * MS,
    PROBE_TRIES = 3, /* nothing was sent yet: better give up soon than wait 15 min */
};

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- decisions after a round in which pend was not accepted --- */

/* R5. Only after the last candidate does the old one's login count for anything. */
static void decide_bad_request(const struct psn_turn *t, bool cur_works)
{
    const struct psn_rotation_state *s = t->state;

    if (s->silent_since_s == 0) {
        psn_turn_wait_and_look(t, max_of(psn_turn_settle_ms(t), psn_turn_backoff_ms(t)),
                               PSN_ROTATION_WHY_NOT_SILENT);
    } else if (s->candidates < t->policy->candidates_max || t->run->again) {
        psn_turn_make_candidate(t);
    } else if (!t->run->after_caches) {
        int64_t left_s = psn_rotation_left_s(s->silent_since_s, t->policy->login_cache_s,
                                             t->event->now_s);

        psn_turn_wait_and_look(t, max_of(left_s * MS, psn_turn_backoff_ms(t)),
                               PSN_ROTATION_WHY_UNPROVED);
    } else if (cur_works || s->cur == 0) {
        psn_turn_retire(t, PSN_ROTATION_WHY_POLICY);
    } else {
        psn_turn_stuck(t, PSN_ROTATION_WHY_BOTH_REFUSED);
    }
}

/* The mailbox to be created is there. If our own earlier call may have made it, the same
 * version is set by a change; else it is somebody else's, to be adopted knowingly. */
static void decide_exists(const struct psn_turn *t)
{
    if (!t->state->taken && t->state->unanswered == 0) {
        psn_turn_retire(t, PSN_ROTATION_WHY_EXISTS);
        return;
    }
    t->run->there = true;
    t->state->said = PSN_ROTATION_SAID_NOTHING;
    psn_turn_resend(t, psn_turn_backoff_ms(t), PSN_ROTATION_WHY_NOT_YET);
}

/* It was there while the task that should make it ran, and that task has failed. */
static void decide_absent(const struct psn_turn *t)
{
    if (!t->run->there) {
        psn_turn_stuck(t, PSN_ROTATION_WHY_ABSENT);
        return;
    }
    t->run->there = false;
    t->state->said = PSN_ROTATION_SAID_NOTHING;
    psn_turn_resend(t, psn_turn_backoff_ms(t), PSN_ROTATION_WHY_NOT_YET);
}

/* Our own request may be between the two, unless every send was refused or the round came
 * after all caches: then it was somebody else, and the user decides (F26). */
static void decide_both_refused(const struct psn_turn *t)
{
    const struct psn_rotation_state *s = t->state;
    bool ours = (s->taken || s->unanswered > 0) && !t->run->after_caches;

    if (ours || t->run->again)
        psn_turn_resend(t, psn_turn_backoff_ms(t), PSN_ROTATION_WHY_BOTH_REFUSED);
    else
        psn_turn_stuck(t, PSN_ROTATION_WHY_BOTH_REFUSED);
}

/* The key, the service or the clock. If every send was turned away at the door, none of
 * them can act any more, and the mailbox is as it was. */
static void decide_turned_away(const struct psn_turn *t, enum psn_rotation_reason reason)
{
    if (!t->state->taken && t->state->unanswered == 0)
        psn_turn_retire(t, reason);
    else
        psn_turn_stuck(t, reason);
}

static void decide(const struct psn_turn *t, bool cur_works)
{
    static const enum psn_rotation_reason reasons[] = {
        [PSN_ROTATION_SAID_NOT_ALLOWED] = PSN_ROTATION_WHY_KEY,
        [PSN_ROTATION_SAID_EXPIRED] = PSN_ROTATION_WHY_SERVICE,
        [PSN_ROTATION_SAID_CLOCK] = PSN_ROTATION_WHY_CLOCK,
    };
    enum psn_rotation_said said = t->state->said;

    if (said == PSN_ROTATION_SAID_BAD_REQUEST)
        decide_bad_request(t, cur_works);
    else if (said == PSN_ROTATION_SAID_EXISTS)
        decide_exists(t);
    else if (said == PSN_ROTATION_SAID_ABSENT)
        decide_absent(t);
    else if (said != PSN_ROTATION_SAID_NOTHING)
        decide_turned_away(t, reasons[said]);
    else if (t->run->task_pending)
        psn_turn_wait_and_look(t, psn_turn_task_wait_ms(t),
                               PSN_ROTATION_WHY_TASK_PENDING);
    else if (cur_works || t->state->cur == 0)
        psn_turn_resend(t, psn_turn_backoff_ms(t), PSN_ROTATION_WHY_NOT_YET);
    else
        decide_both_refused(t);
}

/* A refused login is dear, so cur is asked only where decide() will read the answer. */
static bool cur_matters(const struct psn_turn *t)
{
    const struct psn_rotation_state *s = t->state;

    if (s->cur == 0)
        return false;
    if (s->said == PSN_ROTATION_SAID_BAD_REQUEST)
        return t->run->after_caches && !t->run->again &&
               s->candidates >= t->policy->candidates_max;
    return s->said == PSN_ROTATION_SAID_NOTHING && !t->run->task_pending;
}

/* --- beginnings --- */

/* Before anything is sent the current one is tried once a run: a mail server that gives
 * no answer could not prove the new one either. A refusal is no reason to stop: a
 * rotation is also the way to mend a password that was lost (F29). */
static void probe(const struct psn_turn *t)
{
    if (t->state->cur == 0 || t->run->probed)
        psn_turn_send_pend(t);
    else
        psn_turn_ask_cur(t);
}

static void begin_run(const struct psn_turn *t)
{
    *t->run = (struct psn_rotation_run){ .started_s = t->event->now_s,
                                         .again = t->event->again };
    (void)psn_rotation_mend_times(t->state, t->event->now_s);
}

static void on_resume(const struct psn_turn *t)
{
    begin_run(t);
    if (t->state->phase == PSN_ROTATION_INTENT) {
        probe(t);
    } else if (t->state->phase != PSN_ROTATION_STABLE) {
        psn_rotation_pick_up(t->state, t->event->now_s);
        psn_turn_look(t);
    } else if (psn_rotation_old_due(t->state)) {
        psn_turn_ask_old(t);
    } else {
        psn_turn_end(t, PSN_ROTATION_DO_DONE, PSN_ROTATION_WHY_NONE);
    }
}

static void on_start(const struct psn_turn *t)
{
    if (t->state->phase != PSN_ROTATION_STABLE) {
        on_resume(t);
        return;
    }
    begin_run(t);
    psn_turn_look(t);
}

static void on_abandon(const struct psn_turn *t)
{
    begin_run(t);
    if (t->state->phase == PSN_ROTATION_STABLE)
        psn_turn_end(t, PSN_ROTATION_DO_DONE, PSN_ROTATION_WHY_NONE);
    else if (t->state->phase == PSN_ROTATION_INTENT && t->state->candidates == 1)
        psn_turn_retire(t, PSN_ROTATION_WHY_ABANDONED);
    else
        psn_turn_end(t, PSN_ROTATION_DO_UNFINISHED, PSN_ROTATION_WHY_MAY_BE_SENT);
}

/* --- answers to a send --- */

static void on_not_sent(const struct psn_turn *t)
{
    psn_rotation_uncount_send(t->state);
    psn_turn_resend(t, psn_turn_backoff_ms(t), PSN_ROTATION_WHY_NO_CONNECTION);
}

static void on_ok(const struct psn_turn *t)
{
    psn_rotation_note_taken(t->state, t->event->task_id);
    psn_turn_look(t);
}

static enum psn_rotation_said said_by(enum psn_rotation_event_kind kind, bool create)
{
    if (kind == PSN_ROTATION_EV_NOT_ALLOWED)
        return PSN_ROTATION_SAID_NOT_ALLOWED;
    if (kind == PSN_ROTATION_EV_EXPIRED)
        return PSN_ROTATION_SAID_EXPIRED;
    if (kind == PSN_ROTATION_EV_ABSENT)
        return PSN_ROTATION_SAID_ABSENT;
    if (kind == PSN_ROTATION_EV_CLOCK)
        return PSN_ROTATION_SAID_CLOCK;
    /* A change cannot meet "exists"; told so, it is a refusal like any other. */
    if (kind == PSN_ROTATION_EV_EXISTS && create)
        return PSN_ROTATION_SAID_EXISTS;
    return PSN_ROTATION_SAID_BAD_REQUEST;
}

static void on_definite(const struct psn_turn *t)
{
    psn_rotation_note_said(t->state, said_by(t->event->kind, t->state->create));
    psn_turn_look(t);
}

static void on_clock(const struct psn_turn *t)
{
    on_definite(t);
    if (t->run->clock_set)
        return;
    t->run->clock_set = true;
    t->run->at = PSN_ROTATION_AT_CLOCK;
    t->action->kind = PSN_ROTATION_DO_SYNC_CLOCK;
}

static void on_busy(const struct psn_turn *t)
{
    psn_rotation_note_doubt(t->state, t->event->now_s);
    psn_turn_wait_and_look(t, psn_turn_backoff_ms(t), PSN_ROTATION_WHY_BUSY);
}

static void on_throttled(const struct psn_turn *t)
{
    int64_t wait_ms = psn_turn_backoff_ms(t);

    psn_rotation_note_doubt(t->state, t->event->now_s);
    if (t->event->retry_after_s >= RETRY_AFTER_MAX_MS / MS)
        wait_ms = RETRY_AFTER_MAX_MS;
    else
        wait_ms = max_of(wait_ms, t->event->retry_after_s * MS);
    psn_turn_resend(t, wait_ms, PSN_ROTATION_WHY_THROTTLED);
}

static void on_unknown(const struct psn_turn *t)
{
    psn_rotation_note_doubt(t->state, t->event->now_s);
    psn_turn_look(t);
    t->action->alarm = t->event->wrong_mailbox;
}

/* --- answers to a look at the tasks --- */

static void on_tasks_empty(const struct psn_turn *t)
{
    struct psn_rotation_state *s = t->state;

    psn_rotation_note_quiet(s, t->policy->settle_s, t->event->now_s);
    t->run->after_caches =
        s->silent_since_s != 0 &&
        t->event->now_s - s->silent_since_s >= t->policy->login_cache_s;
    if (s->phase != PSN_ROTATION_STABLE)
        psn_turn_ask_pend(t);
    else if (s->silent_since_s != 0)
        psn_turn_make_candidate(t);
    else
        psn_turn_wait_and_look(t, psn_turn_settle_ms(t), PSN_ROTATION_WHY_NOT_SILENT);
}

/* Logins wait for the task, but a run that saw nothing else ends with one: a task that
 * never leaves the list must not hide that the password is in force. */
static void on_task_pending(const struct psn_turn *t)
{
    int64_t wait_ms = psn_turn_task_wait_ms(t);

    t->run->task_pending = true;
    if (t->state->phase != PSN_ROTATION_STABLE && !t->run->looked &&
        !psn_turn_fits_run(t, wait_ms))
        psn_turn_ask_pend(t);
    else
        psn_turn_wait_and_look(t, wait_ms, PSN_ROTATION_WHY_TASK_PENDING);
}

/* Done or failed: the login tells. */
static void on_task_gone(const struct psn_turn *t)
{
    if (t->state->phase == PSN_ROTATION_STABLE)
        on_task_pending(t);
    else
        psn_turn_ask_pend(t);
}

static void on_tasks_unreadable(const struct psn_turn *t)
{
    if (t->state->phase == PSN_ROTATION_STABLE)
        psn_turn_wait_and_look(t, psn_turn_backoff_ms(t), PSN_ROTATION_WHY_NO_TASK_LIST);
    else
        psn_turn_ask_pend(t);
}

/* --- answers to a login --- */

/* Negative tests at once, as long as they cost no waiting; later ones are RESUME's. */
static void ask_old_at_once(const struct psn_turn *t)
{
    if (psn_rotation_old_due(t->state) && t->run->logins < t->policy->logins_max &&
        psn_turn_login_delay_s(t) == 0 && !t->event->host_waits)
        psn_turn_ask_old(t);
    else
        psn_turn_end(t, PSN_ROTATION_DO_DONE, PSN_ROTATION_WHY_NONE);
}

static void old_answered(const struct psn_turn *t, enum psn_rotation_login login)
{
    psn_rotation_note_old(t->state, login);
    if (login == PSN_ROTATION_LOGIN_REFUSED)
        ask_old_at_once(t);
    else
        psn_turn_end(t, PSN_ROTATION_DO_DONE, PSN_ROTATION_WHY_NONE);
}

static void probe_answered(const struct psn_turn *t)
{
    t->run->probed = true;
    psn_turn_send_pend(t);
}

static void on_accepted(const struct psn_turn *t)
{
    if (t->run->at == PSN_ROTATION_AT_OLD)
        old_answered(t, PSN_ROTATION_LOGIN_ACCEPTED);
    else if (t->state->phase == PSN_ROTATION_INTENT)
        probe_answered(t);
    else if (t->run->at == PSN_ROTATION_AT_PEND)
        psn_turn_commit(t);
    else
        decide(t, true);
}

static void on_refused(const struct psn_turn *t)
{
    psn_rotation_note_refused(t->state, t->event->now_s);
    t->run->looked = true;
    if (t->run->at == PSN_ROTATION_AT_OLD)
        old_answered(t, PSN_ROTATION_LOGIN_REFUSED);
    else if (t->state->phase == PSN_ROTATION_INTENT)
        probe_answered(t);
    else if (t->run->at == PSN_ROTATION_AT_PEND && cur_matters(t))
        psn_turn_ask_cur(t);
    else
        decide(t, false);
}

static void on_no_answer(const struct psn_turn *t)
{
    bool probes = t->state->phase == PSN_ROTATION_INTENT;
    bool spent = t->run->logins >= t->policy->logins_max;

    if (t->run->at == PSN_ROTATION_AT_OLD)
        old_answered(t, PSN_ROTATION_NO_ANSWER);
    else if (spent || (probes && ++t->run->tries >= PROBE_TRIES))
        psn_turn_give_up(t, PSN_ROTATION_WHY_NO_LOGIN);
    else
        psn_turn_wait_then(t, psn_turn_backoff_ms(t),
                           probes ? PSN_ROTATION_AT_CUR : PSN_ROTATION_AT_TASKS,
                           PSN_ROTATION_WHY_NO_LOGIN);
}

static void on_timer(const struct psn_turn *t)
{
    enum psn_rotation_at then = t->run->then;

    if (then == PSN_ROTATION_AT_SEND)
        psn_turn_send_pend(t);
    else if (then == PSN_ROTATION_AT_TASKS)
        psn_turn_look(t);
    else if (then == PSN_ROTATION_AT_PEND)
        psn_turn_ask_pend(t);
    else if (then == PSN_ROTATION_AT_CUR)
        psn_turn_ask_cur(t);
    else
        psn_turn_ask_old(t);
}

/* --- the table: what an event leads to, in which phases, and what it answers --- */

enum {
    STABLE = 1u << PSN_ROTATION_STABLE,
    INTENT = 1u << PSN_ROTATION_INTENT,
    SENDING = 1u << PSN_ROTATION_SENDING,
    UNKNOWN = 1u << PSN_ROTATION_UNKNOWN,
    ACCEPTED = 1u << PSN_ROTATION_ACCEPTED,
    STUCK = 1u << PSN_ROTATION_STUCK,
    IN_ROUND = UNKNOWN | ACCEPTED,
    ALWAYS = STABLE | INTENT | SENDING | IN_ROUND | STUCK,

    STORE = 1u << PSN_ROTATION_AT_STORE,
    SEND = 1u << PSN_ROTATION_AT_SEND,
    CLOCK = 1u << PSN_ROTATION_AT_CLOCK,
    TASKS = 1u << PSN_ROTATION_AT_TASKS,
    COMMIT = 1u << PSN_ROTATION_AT_COMMIT,
    TIMER = 1u << PSN_ROTATION_AT_TIMER,
    LOGIN = 1u << PSN_ROTATION_AT_PEND | 1u << PSN_ROTATION_AT_CUR |
            1u << PSN_ROTATION_AT_OLD,
    ANYTHING = 0xffff,
};

struct psn_transition {
    void (*act)(const struct psn_turn *t);
    unsigned phases;
    unsigned answers;
};

static const struct psn_transition transitions[] = {
    [PSN_ROTATION_EV_START] = { on_start, ALWAYS, ANYTHING },
    [PSN_ROTATION_EV_RESUME] = { on_resume, ALWAYS, ANYTHING },
    [PSN_ROTATION_EV_ABANDON] = { on_abandon, ALWAYS, ANYTHING },
    [PSN_ROTATION_EV_STORED] = { probe, INTENT, STORE },
    [PSN_ROTATION_EV_COMMITTED] = { ask_old_at_once, STABLE, COMMIT },
    [PSN_ROTATION_EV_TIMER] = { on_timer, STABLE | INTENT | IN_ROUND, TIMER },
    [PSN_ROTATION_EV_CLOCK_SET] = { psn_turn_send_pend, UNKNOWN, CLOCK },
    [PSN_ROTATION_EV_CLOCK_FAILED] = { psn_turn_look, UNKNOWN, CLOCK },
    [PSN_ROTATION_EV_NOT_SENT] = { on_not_sent, SENDING, SEND },
    [PSN_ROTATION_EV_OK] = { on_ok, SENDING, SEND },
    [PSN_ROTATION_EV_BAD_REQUEST] = { on_definite, SENDING, SEND },
    [PSN_ROTATION_EV_EXISTS] = { on_definite, SENDING, SEND },
    [PSN_ROTATION_EV_NOT_ALLOWED] = { on_definite, SENDING, SEND },
    [PSN_ROTATION_EV_EXPIRED] = { on_definite, SENDING, SEND },
    [PSN_ROTATION_EV_ABSENT] = { on_definite, SENDING, SEND },
    [PSN_ROTATION_EV_CLOCK] = { on_clock, SENDING, SEND },
    [PSN_ROTATION_EV_BUSY] = { on_busy, SENDING, SEND },
    [PSN_ROTATION_EV_THROTTLED] = { on_throttled, SENDING, SEND },
    [PSN_ROTATION_EV_UNKNOWN] = { on_unknown, SENDING, SEND },
    [PSN_ROTATION_EV_TASKS_EMPTY] = { on_tasks_empty, STABLE | IN_ROUND, TASKS },
    [PSN_ROTATION_EV_TASK_PENDING] = { on_task_pending, STABLE | IN_ROUND, TASKS },
    [PSN_ROTATION_EV_TASK_GONE] = { on_task_gone, STABLE | IN_ROUND, TASKS },
    [PSN_ROTATION_EV_TASKS_UNREADABLE] = { on_tasks_unreadable, STABLE | IN_ROUND,
                                           TASKS },
    [PSN_ROTATION_EV_LOGIN_ACCEPTED] = { on_accepted, STABLE | INTENT | IN_ROUND, LOGIN },
    [PSN_ROTATION_EV_LOGIN_REFUSED] = { on_refused, STABLE | INTENT | IN_ROUND, LOGIN },
    [PSN_ROTATION_EV_LOGIN_NO_ANSWER] = { on_no_answer, STABLE | INTENT | IN_ROUND,
                                          LOGIN },
};

_Static_assert(sizeof transitions / sizeof *transitions == PSN_ROTATION_EVENTS,
               "a row for each event");

bool psn_rotation_is_defined(enum psn_rotation_phase phase,
                             enum psn_rotation_event_kind event)
{
    return (transitions[event].phases >> phase & 1u) != 0;
}

bool psn_rotation_is_end(enum psn_rotation_action_kind kind)
{
    return kind == PSN_ROTATION_DO_DONE || kind == PSN_ROTATION_DO_RETIRE ||
           kind == PSN_ROTATION_DO_STUCK || kind == PSN_ROTATION_DO_UNFINISHED;
}

struct psn_rotation_move psn_rotation_step(const struct psn_rotation_policy *policy,
                                           const struct psn_rotation_state *state,
                                           const struct psn_rotation_run *run,
                                           const struct psn_rotation_event *event)
{
    struct psn_rotation_move move = { .state = *state, .run = *run };
    struct psn_turn turn = { .policy = policy,
                             .event = event,
                             .state = &move.state,
                             .run = &move.run,
                             .action = &move.action };

    psn_rotation_assert(state);
    assert(event->kind < PSN_ROTATION_EVENTS && event->now_s > 0);
    assert(psn_rotation_is_defined(state->phase, event->kind));
    assert((transitions[event->kind].answers >> run->at & 1u) != 0);
    transitions[event->kind].act(&turn);
    psn_rotation_assert(&move.state);
    move.durable = !psn_rotation_is_same(state, &move.state);
    return move;
}

struct psn_rotation_policy psn_rotation_policy_default(void)
{
    return (struct psn_rotation_policy){ .settle_s = 600,
                                         .login_cache_s = 3660,
                                         .failed_logins_window_s = 300,
                                         .run_s = 900,
                                         .failed_logins_max = 3,
                                         .sends_max = 5,
                                         .logins_max = 12,
                                         .candidates_max = 3 };
}
