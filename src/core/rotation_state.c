#include "core/rotation_state.h"

#include <assert.h>
#include <stddef.h>

/*
 * The durable half of a rotation. What holds in each phase is psn_rotation_is_valid();
 * why that keeps the password in force in the vault is told in rotation_machine.c.
 */

enum {
    ARRIVES_S = 7 * 24 * 60 * 60
};

struct psn_rotation_state psn_rotation_state_init(uint64_t cur, bool create)
{
    assert(!create || cur == 0);
    return (struct psn_rotation_state){ .cur = cur, .last = cur, .create = create };
}

/* --- what holds --- */

/* In every phase; after the last version there is a next one. */
static bool is_consistent(const struct psn_rotation_state *s)
{
    return s->last < INT64_MAX && s->said <= PSN_ROTATION_SAID_CLOCK &&
           s->old_dead <= PSN_ROTATION_OLD_DEAD && s->cur <= s->last &&
           s->pend <= s->last &&
           (s->old == 0 ? s->old_dead == PSN_ROTATION_OLD_UNASKED : s->old < s->cur) &&
           (s->older == 0 ||
            (s->older < s->old && s->old_dead != PSN_ROTATION_OLD_DEAD)) &&
           (!s->create || s->cur == 0) && s->last_send_s >= 0 && s->silent_since_s >= 0 &&
           (s->unanswered == 0 || (s->last_send_s > 0 && s->silent_since_s == 0)) &&
           (s->phase == PSN_ROTATION_STUCK) == (s->reason != PSN_ROTATION_WHY_NONE);
}

/* With a candidate: it is the newest version, and sends are counted before they leave. */
static bool is_under_way(const struct psn_rotation_state *s)
{
    return s->pend == s->last && s->pend > s->cur && s->candidates >= 1 &&
           s->unanswered <= s->sends;
}

bool psn_rotation_is_valid(const struct psn_rotation_state *s)
{
    bool unsaid = s->said == PSN_ROTATION_SAID_NOTHING;

    if (!is_consistent(s) || (s->phase != PSN_ROTATION_STABLE && !is_under_way(s)))
        return false;
    switch (s->phase) {
    case PSN_ROTATION_STABLE:
        return s->pend == 0 && s->sends == 0 && s->candidates == 0 && !s->taken && unsaid;
    case PSN_ROTATION_INTENT:
        return s->sends == 0 && unsaid;
    case PSN_ROTATION_SENDING:
        return s->unanswered >= 1 && unsaid;
    case PSN_ROTATION_UNKNOWN:
        return s->sends >= 1;
    case PSN_ROTATION_ACCEPTED:
        return s->sends >= 1 && s->taken && unsaid;
    case PSN_ROTATION_STUCK:
        return s->sends >= 1 && s->reason <= PSN_ROTATION_WHY_CLOCK;
    case PSN_ROTATION_PHASES:
        break;
    }
    return false;
}

void psn_rotation_assert(const struct psn_rotation_state *state)
{
    assert(psn_rotation_is_valid(state));
}

bool psn_rotation_is_same(const struct psn_rotation_state *a,
                          const struct psn_rotation_state *b)
{
    for (size_t i = 0; i < PSN_ROTATION_FAILED_SLOTS; i++)
        if (a->failed_s[i] != b->failed_s[i])
            return false;
    return a->phase == b->phase && a->reason == b->reason && a->said == b->said &&
           a->old_dead == b->old_dead && a->cur == b->cur && a->pend == b->pend &&
           a->last == b->last && a->old == b->old && a->older == b->older &&
           a->candidates == b->candidates && a->sends == b->sends &&
           a->unanswered == b->unanswered && a->create == b->create &&
           a->taken == b->taken && a->task_id == b->task_id &&
           a->last_send_s == b->last_send_s && a->silent_since_s == b->silent_since_s;
}

/* --- changes --- */

bool psn_rotation_mend_times(struct psn_rotation_state *s, int64_t now_s)
{
    bool refused_later = false;

    if (s->last_send_s > now_s)
        s->last_send_s = now_s;
    if (s->silent_since_s > now_s)
        s->silent_since_s = now_s;
    for (size_t i = 0; i < PSN_ROTATION_FAILED_SLOTS; i++) {
        refused_later = refused_later || s->failed_s[i] > now_s;
        s->failed_s[i] = s->failed_s[i] > now_s ? now_s : s->failed_s[i];
    }
    return refused_later;
}

void psn_rotation_pick_up(struct psn_rotation_state *s, int64_t now_s)
{
    /* The send was signed some time between then and now: Q counts from now. */
    if (s->phase == PSN_ROTATION_SENDING)
        s->last_send_s = now_s;
    if (s->phase != PSN_ROTATION_ACCEPTED)
        s->phase = PSN_ROTATION_UNKNOWN;
    s->reason = PSN_ROTATION_WHY_NONE;
    if (s->said != PSN_ROTATION_SAID_BAD_REQUEST && s->said != PSN_ROTATION_SAID_EXISTS)
        s->said = PSN_ROTATION_SAID_NOTHING;
}

void psn_rotation_new_candidate(struct psn_rotation_state *s, uint64_t spent)
{
    assert(s->silent_since_s > 0 && s->unanswered == 0);
    s->phase = PSN_ROTATION_INTENT;
    s->said = PSN_ROTATION_SAID_NOTHING;
    s->last = (s->last > spent ? s->last : spent) + 1;
    s->pend = s->last;
    s->candidates++;
    s->sends = 0;
    s->task_id = 0;
}

void psn_rotation_count_send(struct psn_rotation_state *s, int64_t now_s)
{
    s->phase = PSN_ROTATION_SENDING;
    s->said = PSN_ROTATION_SAID_NOTHING;
    s->sends++;
    s->unanswered++;
    s->last_send_s = now_s;
    s->silent_since_s = 0;
}

void psn_rotation_uncount_send(struct psn_rotation_state *s)
{
    s->sends--;
    s->unanswered--;
    s->phase = s->sends ? PSN_ROTATION_UNKNOWN : PSN_ROTATION_INTENT;
}

void psn_rotation_note_taken(struct psn_rotation_state *s, int64_t task_id)
{
    s->phase = PSN_ROTATION_ACCEPTED;
    s->unanswered--;
    s->taken = true;
    s->task_id = task_id;
}

void psn_rotation_note_said(struct psn_rotation_state *s, enum psn_rotation_said said)
{
    s->phase = PSN_ROTATION_UNKNOWN;
    s->unanswered--;
    s->said = said;
}

void psn_rotation_note_doubt(struct psn_rotation_state *s, int64_t now_s)
{
    s->phase = PSN_ROTATION_UNKNOWN;
    if (s->last_send_s < now_s)
        s->last_send_s = now_s;
}

void psn_rotation_note_quiet(struct psn_rotation_state *s, int64_t settle_s,
                             int64_t now_s)
{
    if (s->unanswered > 0) {
        if (now_s - s->last_send_s <= settle_s)
            return;
        s->unanswered = 0;
        s->taken = s->phase != PSN_ROTATION_STABLE;
    }
    if (s->silent_since_s == 0)
        s->silent_since_s = now_s;
}

/* The count of unanswered sends stays: requests with what is now cur may be on the way,
 * and the next rotation has to wait for them. */
void psn_rotation_drop_candidate(struct psn_rotation_state *s)
{
    s->phase = PSN_ROTATION_STABLE;
    s->said = PSN_ROTATION_SAID_NOTHING;
    s->pend = 0;
    s->candidates = 0;
    s->sends = 0;
    s->taken = false;
    s->task_id = 0;
}

/* What was not proved dead before this stays in doubt, and what was accepted is. */
static void supersede(struct psn_rotation_state *s, uint64_t version)
{
    s->older = psn_rotation_undead(s);
    if (s->older == 0)
        s->old_dead = PSN_ROTATION_OLD_UNASKED;
    s->old = s->cur;
    s->cur = version;
    s->create = false;
}

void psn_rotation_believe(struct psn_rotation_state *s, uint64_t version)
{
    struct psn_rotation_state before = *s;

    assert(s->phase == PSN_ROTATION_STABLE && version > s->last);
    *s = psn_rotation_state_init(version, false);
    supersede(&before, version);
    s->old = before.old;
    s->older = before.older;
    s->old_dead = before.old_dead;
    /* As in psn_rotation_drop_candidate(). */
    s->unanswered = before.unanswered;
    s->last_send_s = before.last_send_s;
    s->silent_since_s = before.silent_since_s;
}

void psn_rotation_make_current(struct psn_rotation_state *s)
{
    supersede(s, s->pend);
    psn_rotation_drop_candidate(s);
}

/* --- the negative pass --- */

uint64_t psn_rotation_undead(const struct psn_rotation_state *s)
{
    if (s->old_dead == PSN_ROTATION_OLD_DEAD)
        return 0;
    return s->older ? s->older : s->old;
}

bool psn_rotation_is_dying(const struct psn_rotation_state *s, uint64_t version)
{
    uint64_t first = psn_rotation_undead(s);

    return first != 0 && first <= version && version <= s->old;
}

bool psn_rotation_in_force(const struct psn_rotation_state *s, uint64_t version)
{
    return version == s->cur || version == s->pend || psn_rotation_is_dying(s, version);
}

bool psn_rotation_may_arrive(const struct psn_rotation_state *s, int64_t now_s)
{
    bool turned_away = !s->taken && s->unanswered == 0 && s->said;

    if (s->phase == PSN_ROTATION_STABLE || s->phase == PSN_ROTATION_INTENT || turned_away)
        return false;
    if (s->phase == PSN_ROTATION_STUCK && s->reason == PSN_ROTATION_WHY_ABSENT &&
        !s->create)
        return false;
    return psn_rotation_left_s(s->last_send_s, ARRIVES_S, now_s) > 0;
}

bool psn_rotation_old_due(const struct psn_rotation_state *s)
{
    return s->phase == PSN_ROTATION_STABLE && psn_rotation_undead(s) != 0;
}

void psn_rotation_note_old(struct psn_rotation_state *s, enum psn_rotation_login login)
{
    if (login == PSN_ROTATION_LOGIN_ACCEPTED) {
        s->old_dead = PSN_ROTATION_OLD_ALIVE;
    } else if (login == PSN_ROTATION_LOGIN_REFUSED && s->older) {
        s->older = s->older + 1 < s->old ? s->older + 1 : 0;
        s->old_dead = PSN_ROTATION_OLD_UNASKED; /* about what is left */
    } else if (login == PSN_ROTATION_LOGIN_REFUSED) {
        s->old_dead = PSN_ROTATION_OLD_DEAD;
    }
}

/* --- the brake --- */

int64_t psn_rotation_left_s(int64_t from_s, int64_t span_s, int64_t now_s)
{
    int64_t passed_s = now_s > from_s ? now_s - from_s : 0;

    return span_s > passed_s ? span_s - passed_s : 0;
}

void psn_rotation_note_refused(struct psn_rotation_state *s, int64_t now_s)
{
    for (size_t i = PSN_ROTATION_FAILED_SLOTS - 1; i > 0; i--)
        s->failed_s[i] = s->failed_s[i - 1];
    s->failed_s[0] = now_s;
}

int64_t psn_rotation_login_delay_s(const struct psn_rotation_state *s, uint32_t max,
                                   int64_t window_s, int64_t now_s)
{
    if (max == 0 || max > PSN_ROTATION_FAILED_SLOTS || s->failed_s[max - 1] == 0)
        return 0;
    return psn_rotation_left_s(s->failed_s[max - 1], window_s, now_s);
}

/* --- names --- */

const char *psn_rotation_phase_name(enum psn_rotation_phase phase)
{
    static const char *const names[] = { "stable",  "intent",   "sending",
                                         "unknown", "accepted", "stuck" };

    _Static_assert(sizeof names / sizeof *names == PSN_ROTATION_PHASES, "a name each");
    return names[phase];
}

const char *psn_rotation_reason_name(enum psn_rotation_reason reason)
{
    static const char *const names[] = {
        "none",     "both_refused", "key",        "service",      "absent",
        "clock",    "policy",       "exists",     "abandoned",    "no_connection",
        "no_login", "logins_spent", "not_yet",    "task_pending", "no_task_list",
        "busy",     "throttled",    "not_silent", "unproved",     "may_be_sent",
    };

    _Static_assert(sizeof names / sizeof *names == PSN_ROTATION_REASONS, "a name each");
    return names[reason];
}
