#include "core/rotation_turn.h"

enum {
    MS = 1000,
    BACKOFF_MS = 2 * MS,
    TASK_WAIT_MS = 250,
    WAIT_MAX_MS = 60 * MS,
    DOUBLINGS_MAX = 8, /* 250 ms doubled so often is over the maximum */
    JITTER_PART = 4,   /* up to a quarter is added to a back-off */
};

/* --- ends and waits --- */

void psn_turn_end(const struct psn_turn *t, enum psn_rotation_action_kind kind,
                  enum psn_rotation_reason reason)
{
    t->run->at = PSN_ROTATION_AT_NOTHING;
    t->action->kind = kind;
    t->action->reason = reason;
}

void psn_turn_stuck(const struct psn_turn *t, enum psn_rotation_reason reason)
{
    t->state->phase = PSN_ROTATION_STUCK;
    t->state->reason = reason;
    psn_turn_end(t, PSN_ROTATION_DO_STUCK, reason);
}

void psn_turn_give_up(const struct psn_turn *t, enum psn_rotation_reason reason)
{
    if (reason == PSN_ROTATION_WHY_BOTH_REFUSED)
        psn_turn_stuck(t, reason);
    else
        psn_turn_end(t, PSN_ROTATION_DO_UNFINISHED, reason);
}

bool psn_turn_fits_run(const struct psn_turn *t, int64_t wait_ms)
{
    int64_t end_s = t->run->started_s + t->policy->run_s;

    return wait_ms <= (end_s - t->event->now_s) * MS;
}

void psn_turn_wait_then(const struct psn_turn *t, int64_t wait_ms,
                        enum psn_rotation_at then, enum psn_rotation_reason why)
{
    t->action->wait_ms = wait_ms;
    if (!psn_turn_fits_run(t, wait_ms)) {
        psn_turn_give_up(t, why);
        return;
    }
    t->run->at = PSN_ROTATION_AT_TIMER;
    t->run->then = then;
    t->action->kind = PSN_ROTATION_DO_WAIT;
    t->action->reason = why;
}

void psn_turn_wait_and_look(const struct psn_turn *t, int64_t wait_ms,
                            enum psn_rotation_reason why)
{
    psn_turn_wait_then(t, wait_ms, PSN_ROTATION_AT_TASKS, why);
}

static int64_t doubled(int64_t first_ms, uint32_t times)
{
    int64_t wait_ms = first_ms << (times < DOUBLINGS_MAX ? times : DOUBLINGS_MAX);

    return wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS;
}

int64_t psn_turn_backoff_ms(const struct psn_turn *t)
{
    int64_t wait_ms = doubled(BACKOFF_MS, t->run->waits++);

    return wait_ms + wait_ms / JITTER_PART * t->event->jitter_permille / MS;
}

int64_t psn_turn_task_wait_ms(const struct psn_turn *t)
{
    return doubled(TASK_WAIT_MS, t->run->looks++);
}

int64_t psn_turn_settle_ms(const struct psn_turn *t)
{
    const struct psn_rotation_state *s = t->state;

    if (s->unanswered == 0)
        return 0;
    return MS * (1 + psn_rotation_left_s(s->last_send_s, t->policy->settle_s,
                                         t->event->now_s));
}

/* --- questions --- */

void psn_turn_look(const struct psn_turn *t)
{
    t->run->task_pending = false;
    t->run->after_caches = false;
    t->run->at = PSN_ROTATION_AT_TASKS;
    t->action->kind = PSN_ROTATION_DO_LOOK_TASKS;
    t->action->task_id = t->state->task_id;
}

int64_t psn_turn_login_delay_s(const struct psn_turn *t)
{
    return psn_rotation_login_delay_s(t->state, t->policy->failed_logins_max,
                                      t->policy->failed_logins_window_s, t->event->now_s);
}

static void ask(const struct psn_turn *t, enum psn_rotation_at at,
                enum psn_rotation_action_kind kind, uint64_t version)
{
    int64_t wait_s = psn_turn_login_delay_s(t);

    if (t->run->logins >= t->policy->logins_max) {
        psn_turn_give_up(t, PSN_ROTATION_WHY_LOGINS_SPENT);
        return;
    }
    if (wait_s > 0) {
        psn_turn_wait_then(t, wait_s * MS, at, PSN_ROTATION_WHY_LOGINS_SPENT);
        return;
    }
    t->run->logins++;
    t->run->at = at;
    t->action->kind = kind;
    t->action->version = version;
}

void psn_turn_ask_pend(const struct psn_turn *t)
{
    ask(t, PSN_ROTATION_AT_PEND, PSN_ROTATION_DO_LOGIN_PEND, t->state->pend);
}

void psn_turn_ask_cur(const struct psn_turn *t)
{
    ask(t, PSN_ROTATION_AT_CUR, PSN_ROTATION_DO_LOGIN_CUR, t->state->cur);
}

void psn_turn_ask_old(const struct psn_turn *t)
{
    ask(t, PSN_ROTATION_AT_OLD, PSN_ROTATION_DO_LOGIN_OLD, psn_rotation_undead(t->state));
}

/* --- acts --- */

void psn_turn_send_pend(const struct psn_turn *t)
{
    if (t->run->sends >= t->policy->sends_max) {
        psn_turn_give_up(t, PSN_ROTATION_WHY_NOT_YET);
        return;
    }
    psn_rotation_count_send(t->state, t->event->now_s);
    t->run->sends++;
    t->run->looks = 0;
    t->run->looked = false;
    t->run->at = PSN_ROTATION_AT_SEND;
    t->action->kind = PSN_ROTATION_DO_SEND;
    t->action->version = t->state->pend;
    t->action->create = t->state->create && !t->run->there;
}

void psn_turn_resend(const struct psn_turn *t, int64_t wait_ms,
                     enum psn_rotation_reason why)
{
    if (t->run->sends >= t->policy->sends_max)
        psn_turn_give_up(t, why);
    else
        psn_turn_wait_then(t, wait_ms, PSN_ROTATION_AT_SEND, why);
}

void psn_turn_make_candidate(const struct psn_turn *t)
{
    t->action->kind = PSN_ROTATION_DO_STORE;
    t->action->retired = t->state->pend;
    psn_rotation_new_candidate(t->state, t->policy->spent);
    t->action->version = t->state->pend;
    t->run->at = PSN_ROTATION_AT_STORE;
    t->run->again = false;
}

void psn_turn_retire(const struct psn_turn *t, enum psn_rotation_reason reason)
{
    t->action->version = t->state->pend;
    psn_rotation_drop_candidate(t->state);
    psn_turn_end(t, PSN_ROTATION_DO_RETIRE, reason);
}

void psn_turn_commit(const struct psn_turn *t)
{
    t->action->kind = PSN_ROTATION_DO_COMMIT;
    t->action->version = t->state->pend;
    t->action->retired = t->state->cur;
    t->action->task_id = t->state->task_id;
    psn_rotation_make_current(t->state);
    t->run->at = PSN_ROTATION_AT_COMMIT;
}
