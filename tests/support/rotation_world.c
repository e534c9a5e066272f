#include "support/rotation_world.h"

enum {
    NOW_S = 1000000,
};

/* What the clock is to say in a step. */
struct times {
    bool settled;   /* Q has passed since the last send */
    bool forgotten; /* the caches' time has passed since the silence */
    bool over;      /* the run's time is up */
    bool braked;    /* the refused logins are recent */
};

/* --- what must hold --- */

static bool holds_only(const uint8_t *slots, uint64_t version)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i] && (slots[i] & PW_MASK) != version)
            return false;
    return true;
}

static bool is_kept(const struct world *w, uint8_t password)
{
    password &= PW_MASK;
    return password == PW_NONE || password == PW_FOREIGN || (w->kept >> password & 1);
}

static const char *find_violation(const struct setting *setting, const struct world *w)
{
    const struct psn_rotation_state *disk = &w->disk;

    if (!is_kept(w, w->actual))
        return "KEPT";
    for (size_t i = 0; i < SLOTS; i++)
        if (!is_kept(w, w->net[i]) || !is_kept(w, w->queue[i]))
            return "KEPT";
    if (disk->phase != PSN_ROTATION_STABLE)
        return NULL;
    if (!holds_only(w->net, disk->cur) || !holds_only(w->queue, disk->cur))
        return "TRUTH";
    if (disk->cur && w->actual != disk->cur && !setting->outside_change)
        return "TRUTH";
    return NULL;
}

static void reach(struct model *m, const struct world *w, uint8_t label)
{
    if (!search_reach(&m->search, m->from, w, label) || m->violation)
        return;
    m->violation = find_violation(m->setting, w);
    m->violation_at = (uint32_t)m->search.count - 1;
}

/* --- multisets of requests and of tasks --- */

static bool has_room(const struct model *m, const uint8_t *slots)
{
    return slots[SLOTS - m->setting->slots] == 0;
}

static bool is_empty(const uint8_t *slots)
{
    return slots[SLOTS - 1] == 0;
}

/* Sorted, so that the free ones come first. */
static void sort(uint8_t *slots)
{
    for (size_t i = 1; i < SLOTS; i++) {
        for (size_t j = i; j > 0 && slots[j - 1] > slots[j]; j--) {
            uint8_t other = slots[j];

            slots[j] = slots[j - 1];
            slots[j - 1] = other;
        }
    }
}

static void add(uint8_t *slots, uint8_t element)
{
    slots[0] = element;
    sort(slots);
}

static void take(uint8_t *slots, size_t i)
{
    slots[i] = 0;
    sort(slots);
}

/* The first of equal elements: the others lead to the same. */
static bool is_first(const uint8_t *slots, size_t i)
{
    return slots[i] && (i == 0 || slots[i] != slots[i - 1]);
}

static bool is_creating(const uint8_t *slots)
{
    return slots[SLOTS - 1] >= CALL_CREATE;
}

/* Would OVH make a task of the request? */
static bool is_acceptable(const struct model *m, const struct world *w, uint8_t element)
{
    if (!has_room(m, w->queue))
        return false;
    if (element >= CALL_CREATE)
        return w->actual == PW_NONE && !is_creating(w->queue);
    return w->actual != PW_NONE;
}

/* --- a step of a process --- */

static void set_times(struct psn_rotation_state *s, struct psn_rotation_run *run,
                      struct times times)
{
    if (s->last_send_s)
        s->last_send_s = NOW_S - (times.settled ? LONG_S + 1 : 1);
    if (s->silent_since_s)
        s->silent_since_s = NOW_S - (times.forgotten ? LONG_S : 1);
    for (size_t i = 0; i < LOGIN_WINDOW; i++)
        if (s->failed_s[i])
            s->failed_s[i] = NOW_S - (times.braked ? 1 : LONG_S);
    run->started_s = NOW_S - (times.over ? LONG_S : 0);
}

static bool is_end(enum psn_rotation_action_kind kind)
{
    return kind >= PSN_ROTATION_DO_RETIRE;
}

/* Another process made a version meanwhile: the row gets the next free number. */
static void renumber(struct psn_rotation_state *s, const struct psn_rotation_state *disk)
{
    if (s->last <= disk->last)
        s->pend = s->last = disk->last + 1;
}

static void write_move(const struct setting *setting, struct world *w,
                       const struct psn_rotation_state *s,
                       const struct psn_rotation_action *action)
{
    if (setting->write_late &&
        (s->phase == PSN_ROTATION_INTENT || s->phase == PSN_ROTATION_SENDING))
        return;
    w->disk = *s;
    if (!setting->seal_late || s->phase != PSN_ROTATION_INTENT)
        if (action->kind == PSN_ROTATION_DO_STORE || setting->write_late)
            w->kept |= (uint8_t)(1u << s->pend);
    if (setting->seal_late && s->sends > 0 && s->phase != PSN_ROTATION_SENDING)
        w->kept |= (uint8_t)(1u << s->pend);
}

/* The process either dies before the write or lives after it. */
static void settle_move(struct model *m, const struct world *before, size_t k,
                        struct psn_rotation_move *move, uint8_t drop, uint8_t label)
{
    struct world w = *before;
    struct process *p = &w.process[k];

    *p = (struct process){ 0 };
    if (move->durable)
        reach(m, &w, label);
    if (move->action.kind == PSN_ROTATION_DO_STORE && m->setting->processes > 1)
        renumber(&move->state, &w.disk);
    if (move->state.last > m->setting->version_max || move->state.unanswered > COUNT_MAX)
        return;
    if (move->durable)
        write_move(m->setting, &w, &move->state, &move->action);
    w.kept &= (uint8_t)~drop;
    if (!is_end(move->action.kind))
        *p = (struct process){ .mem = move->state, .run = move->run };
    reach(m, &w, label);
}

/* DOUBT: what was in force is doubted until a login with it was refused. */
static bool forgets(const struct psn_rotation_state *before,
                    const struct psn_rotation_state *after, bool old_was_refused)
{
    for (uint64_t version = 1; version <= before->last; version++) {
        bool counted = version == before->cur || psn_rotation_is_dying(before, version);

        if (counted && version != after->cur && !psn_rotation_is_dying(after, version) &&
            !(old_was_refused && version == psn_rotation_undead(before)))
            return true;
    }
    return false;
}

static void fire_at(struct model *m, const struct world *w, size_t k,
                    struct psn_rotation_event event, struct times times)
{
    const struct process *p = &w->process[k];
    struct psn_rotation_state state =
        p->run.at == PSN_ROTATION_AT_NOTHING ? w->disk : p->mem;
    struct psn_rotation_run run = p->run;
    uint8_t drop = 0;
    struct call call = { &m->setting->policy, &state, &run, &event, &drop };
    struct psn_rotation_move move;

    set_times(&state, &run, times);
    event.now_s = NOW_S;
    event.task_id = 1;
    event.retry_after_s = -1;
    if (m->setting->step) {
        move = m->setting->step(&call);
    } else {
        move = psn_rotation_step(call.policy, &state, &run, &event);
        m->coverage->events[state.phase][event.kind]++;
        m->coverage->actions[move.action.kind]++;
        m->coverage->reasons[move.action.reason]++;
    }
    if (!m->violation && forgets(&state, &move.state,
                                 event.kind == PSN_ROTATION_EV_LOGIN_REFUSED &&
                                     run.at == PSN_ROTATION_AT_OLD)) {
        m->violation = "DOUBT";
        m->violation_at = m->from;
    }
    settle_move(m, w, k, &move, drop, (uint8_t)event.kind);
}

/* The event, with every answer of the clock that can make a difference. */
static void fire(struct model *m, const struct world *w, size_t k,
                 enum psn_rotation_event_kind kind, bool again)
{
    const struct process *p = &w->process[k];
    const struct psn_rotation_state *s =
        p->run.at == PSN_ROTATION_AT_NOTHING ? &w->disk : &p->mem;
    bool quiet = kind == PSN_ROTATION_EV_TASKS_EMPTY;
    bool may_settle = quiet && s->unanswered && is_empty(w->net);
    bool may_forget = quiet && s->silent_since_s;
    bool may_end = kind >= PSN_ROTATION_EV_NOT_SENT;
    bool may_brake =
        m->setting->policy.failed_logins_max && s->failed_s[LOGIN_WINDOW - 1] != 0;

    for (unsigned i = 0; i < 16; i++) {
        struct times times = { i & 1, i & 2, i & 4, i & 8 };

        if ((times.settled && !may_settle) || (times.forgotten && !may_forget) ||
            (times.over && !may_end) || (times.braked && !may_brake))
            continue;
        fire_at(m, w, k, (struct psn_rotation_event){ .kind = kind, .again = again },
                times);
    }
}

/* --- what can happen --- */

/* A password is refused only where the bound on versions leaves a way on: another
 * candidate, or R5's way back. */
static bool may_refuse(const struct model *m, const struct world *w,
                       const struct psn_rotation_state *s)
{
    if (s->last < m->setting->version_max)
        return true;
    return s->candidates >= m->setting->policy.candidates_max &&
           (s->cur == 0 || (w->actual == s->cur && !m->setting->outside_change));
}

/* OVH takes the request and its answer arrives; or it refuses. */
static void answer(struct model *m, const struct world *before, size_t k, size_t i)
{
    struct world w = *before;
    uint8_t element = w.net[i];
    const struct psn_rotation_state *s = &w.process[k].mem;
    bool there = w.actual != PW_NONE || is_creating(w.queue);

    take(w.net, i);
    if (element >= CALL_CREATE && there)
        fire(m, &w, k, PSN_ROTATION_EV_EXISTS, false);
    if (may_refuse(m, before, s))
        fire(m, &w, k, PSN_ROTATION_EV_BAD_REQUEST, false);
    fire(m, &w, k, PSN_ROTATION_EV_NOT_ALLOWED, false);
    fire(m, &w, k, PSN_ROTATION_EV_EXPIRED, false);
    fire(m, &w, k, PSN_ROTATION_EV_ABSENT, false);
    fire(m, &w, k, PSN_ROTATION_EV_CLOCK, false);
    fire(m, &w, k, PSN_ROTATION_EV_THROTTLED, false);
    if (!is_empty(w.queue))
        fire(m, &w, k, PSN_ROTATION_EV_BUSY, false);
    if (!is_acceptable(m, &w, element))
        return;
    add(w.queue, element);
    fire(m, &w, k, PSN_ROTATION_EV_OK, false);
}

static void send(struct model *m, const struct world *w, size_t k)
{
    const struct process *p = &w->process[k];
    uint8_t mine =
        (uint8_t)(p->mem.pend | (p->mem.create && !p->run.there ? CALL_CREATE : 0));

    if (!p->sent) {
        struct world next = *w;

        fire(m, w, k, PSN_ROTATION_EV_NOT_SENT, false);
        if (!has_room(m, w->net))
            return;
        add(next.net, mine);
        next.process[k].sent = true;
        reach(m, &next, LABEL_LEFT);
        return;
    }
    fire(m, w, k, PSN_ROTATION_EV_UNKNOWN, false);
    for (size_t i = 0; i < SLOTS; i++)
        if (w->net[i] == mine && is_first(w->net, i))
            answer(m, w, k, i);
}

static void look(struct model *m, const struct world *w, size_t k)
{
    fire(m, w, k, PSN_ROTATION_EV_TASKS_UNREADABLE, false);
    if (is_empty(w->queue)) {
        fire(m, w, k, PSN_ROTATION_EV_TASKS_EMPTY, false);
        return;
    }
    fire(m, w, k, PSN_ROTATION_EV_TASK_PENDING, false);
    fire(m, w, k, PSN_ROTATION_EV_TASK_GONE, false);
}

/* Accepted is the truth, but for a stale memory of a password that was in force before;
 * refused and no answer are possible at any time. */
static void log_in(struct model *m, const struct world *w, size_t k)
{
    const struct process *p = &w->process[k];
    bool is_pend = p->run.at == PSN_ROTATION_AT_PEND;

    if (w->actual == (is_pend ? p->mem.pend : p->mem.cur) ||
        (!is_pend && (m->setting->stale || !p->run.after_caches)))
        fire(m, w, k, PSN_ROTATION_EV_LOGIN_ACCEPTED, false);
    fire(m, w, k, PSN_ROTATION_EV_LOGIN_REFUSED, false);
    fire(m, w, k, PSN_ROTATION_EV_LOGIN_NO_ANSWER, false);
}

static void run_process(struct model *m, const struct world *w, size_t k)
{
    struct world dead = *w;

    switch (w->process[k].run.at) {
    case PSN_ROTATION_AT_NOTHING:
        fire(m, w, k, PSN_ROTATION_EV_START, false);
        fire(m, w, k, PSN_ROTATION_EV_RESUME, false);
        fire(m, w, k, PSN_ROTATION_EV_RESUME, true);
        fire(m, w, k, PSN_ROTATION_EV_ABANDON, false);
        return;
    case PSN_ROTATION_AT_STORE:
        fire(m, w, k, PSN_ROTATION_EV_STORED, false);
        break;
    case PSN_ROTATION_AT_SEND:
        send(m, w, k);
        break;
    case PSN_ROTATION_AT_CLOCK:
        fire(m, w, k, PSN_ROTATION_EV_CLOCK_SET, false);
        fire(m, w, k, PSN_ROTATION_EV_CLOCK_FAILED, false);
        break;
    case PSN_ROTATION_AT_TASKS:
        look(m, w, k);
        break;
    case PSN_ROTATION_AT_PEND:
    case PSN_ROTATION_AT_CUR:
    case PSN_ROTATION_AT_OLD:
        log_in(m, w, k);
        break;
    case PSN_ROTATION_AT_COMMIT:
        fire(m, w, k, PSN_ROTATION_EV_COMMITTED, false);
        break;
    case PSN_ROTATION_AT_TIMER:
        fire(m, w, k, PSN_ROTATION_EV_TIMER, false);
        break;
    }
    dead.process[k] = (struct process){ 0 };
    reach(m, &dead, LABEL_CRASH);
}

static void run_requests(struct model *m, const struct world *w)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct world next = *w;

        if (!is_first(w->net, i))
            continue;
        take(next.net, i);
        reach(m, &next, LABEL_LOST);
        if (!is_acceptable(m, w, w->net[i]))
            continue;
        add(next.queue, w->net[i]);
        reach(m, &next, LABEL_TAKEN);
    }
}

static void run_tasks(struct model *m, const struct world *w)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct world next = *w;

        if (!is_first(w->queue, i))
            continue;
        take(next.queue, i);
        reach(m, &next, LABEL_FAILED);
        if (w->queue[i] >= CALL_CREATE && w->actual != PW_NONE)
            continue;
        next.actual = w->queue[i] & PW_MASK;
        reach(m, &next, LABEL_APPLIED);
    }
}

static void expand(struct model *m, const struct world *w)
{
    run_requests(m, w);
    run_tasks(m, w);
    for (size_t k = 0; k < m->setting->processes; k++)
        run_process(m, w, k);
    if (m->setting->outside_change && w->actual != PW_NONE) {
        struct world next = *w;

        next.actual = PW_FOREIGN;
        reach(m, &next, LABEL_OUTSIDE);
    }
}

void world_walk(struct model *m, const struct setting *setting, struct coverage *coverage)
{
    uint64_t cur = setting->adopt || setting->create ? 0 : 1;
    struct world start = { .disk = psn_rotation_state_init(cur, setting->create) };

    *m = (struct model){ .setting = setting, .coverage = coverage };
    start.actual = setting->adopt ? PW_FOREIGN : (uint8_t)cur;
    start.kept = (uint8_t)(cur << 1);
    reach(m, &start, 0);
    for (; m->from < m->search.count && !m->violation; m->from++) {
        struct world w = search_world(&m->search, m->from);

        expand(m, &w);
    }
}
