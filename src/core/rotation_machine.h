#ifndef PSN_CORE_ROTATION_MACHINE_H
#define PSN_CORE_ROTATION_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/rotation_state.h"

/*
 * The rotation of one mailbox's password as a pure function: no I/O, no clock, no memory,
 * no randomness. The real loop drives it, and so does the test that walks every
 * interleaving. A caller loops:
 *
 *     event = START, RESUME or ABANDON
 *     do
 *         move = psn_rotation_step(policy, state, run, event)
 *         if move.durable or the action is STORE, COMMIT or RETIRE:
 *             one transaction: write move.state and what the action says about versions
 *             (if that fails: stop; the old state still holds)
 *         state, run = move.state, move.run
 *         event = what came of move.action
 *     until the action is an end: DONE, RETIRE, STUCK, UNFINISHED
 *
 * It may stop, or be killed, between any two lines: a crash is nothing but the loss of
 * struct psn_rotation_run, and RESUME goes on from what is on disk.
 *
 * Every event carries now_s. For answers to a look or a login it MUST be read before the
 * question was asked, for all others after: silence and proofs count from it.
 */

/* What the caller was asked to do last. */
enum psn_rotation_at {
    PSN_ROTATION_AT_NOTHING,
    PSN_ROTATION_AT_STORE,
    PSN_ROTATION_AT_SEND,
    PSN_ROTATION_AT_CLOCK,
    PSN_ROTATION_AT_TASKS,
    PSN_ROTATION_AT_PEND,
    PSN_ROTATION_AT_CUR,
    PSN_ROTATION_AT_OLD,
    PSN_ROTATION_AT_COMMIT,
    PSN_ROTATION_AT_TIMER,
};

/* Volatile: one run's budget and its round of looks. START, RESUME and ABANDON set it,
 * whatever it held. */
struct psn_rotation_run {
    enum psn_rotation_at at;
    enum psn_rotation_at then; /* what the timer delays */
    int64_t started_s;
    uint32_t sends;
    uint32_t logins;
    uint32_t waits;    /* back-offs so far */
    uint32_t looks;    /* at a pending task since the last send */
    uint32_t tries;    /* of the login before the first send, without an answer */
    bool again;        /* the user agreed to send once more */
    bool probed;       /* the current one was tried before sending */
    bool looked;       /* a login was tried since the last send */
    bool task_pending; /* this round saw a task */
    bool after_caches; /* this round began when no cache was older than the silence */
    bool clock_set;    /* the server's time was fetched once */
    bool there;        /* the mailbox to create is there already: change its password */
};

struct psn_rotation_policy {
    int64_t settle_s;      /* Q: a request older than this is dead */
    int64_t login_cache_s; /* how long a mail server may remember */
    int64_t failed_logins_window_s;
    int64_t run_s;
    uint32_t failed_logins_max; /* refused logins in the window, per mailbox */
    uint32_t sends_max;         /* a run */
    uint32_t logins_max;        /* a run */
    uint32_t candidates_max;    /* a rotation */
    uint64_t spent;             /* a candidate's number is above it, see counters.h */
};

enum psn_rotation_event_kind {
    PSN_ROTATION_EV_START,   /* a new password is wanted; what is under way goes first */
    PSN_ROTATION_EV_RESUME,  /* finish what is under way; ask once if the old one is dead
                              */
    PSN_ROTATION_EV_ABANDON, /* give up what was not sent */
    PSN_ROTATION_EV_STORED,  /* DO_STORE is durable */
    PSN_ROTATION_EV_COMMITTED, /* DO_COMMIT is durable */
    PSN_ROTATION_EV_TIMER,     /* DO_WAIT is over */
    PSN_ROTATION_EV_CLOCK_SET, /* DO_SYNC_CLOCK worked */
    PSN_ROTATION_EV_CLOCK_FAILED,
    /* answers to DO_SEND */
    PSN_ROTATION_EV_NOT_SENT,    /* not one byte left */
    PSN_ROTATION_EV_OK,          /* 2xx, parsed, about this mailbox; task_id */
    PSN_ROTATION_EV_BAD_REQUEST, /* definite 400 */
    PSN_ROTATION_EV_EXISTS,      /* definite refusal of a create: the mailbox is there */
    PSN_ROTATION_EV_NOT_ALLOWED, /* definite 401 or 403 */
    PSN_ROTATION_EV_EXPIRED,     /* definite 460 */
    PSN_ROTATION_EV_ABSENT,      /* definite 404 */
    PSN_ROTATION_EV_CLOCK,       /* definite: our time */
    PSN_ROTATION_EV_BUSY,        /* 409 */
    PSN_ROTATION_EV_THROTTLED,   /* 429 or 503; retry_after_s */
    PSN_ROTATION_EV_UNKNOWN,     /* everything else; wrong_mailbox */
    /* answers to DO_LOOK_TASKS */
    PSN_ROTATION_EV_TASKS_EMPTY,
    PSN_ROTATION_EV_TASK_PENDING,
    PSN_ROTATION_EV_TASK_GONE, /* ours is gone, others are listed */
    PSN_ROTATION_EV_TASKS_UNREADABLE,
    /* answers to DO_LOGIN_* */
    PSN_ROTATION_EV_LOGIN_ACCEPTED,
    PSN_ROTATION_EV_LOGIN_REFUSED,
    PSN_ROTATION_EV_LOGIN_NO_ANSWER,
    PSN_ROTATION_EVENTS,
};

struct psn_rotation_event {
    enum psn_rotation_event_kind kind;
    int64_t now_s;            /* > 0 */
    uint32_t jitter_permille; /* 0..1000, random */
    int64_t task_id;          /* of OK; 0: none */
    int64_t retry_after_s;    /* of THROTTLED; -1: not said */
    bool again;               /* of START and RESUME: the user agreed (F26) */
    bool wrong_mailbox;       /* of UNKNOWN */
    bool host_waits;          /* of COMMITTED: a login that may be refused must wait */
};

enum psn_rotation_action_kind {
    PSN_ROTATION_DO_STORE, /* make and seal `version`; label `retired` (if any) refused */
    PSN_ROTATION_DO_SEND, /* send `version`: the create call if `create`, else a change */
    PSN_ROTATION_DO_SYNC_CLOCK,
    PSN_ROTATION_DO_LOOK_TASKS, /* task_id: ours, if known */
    PSN_ROTATION_DO_LOGIN_PEND, /* with `version`, as the next two */
    PSN_ROTATION_DO_LOGIN_CUR,
    PSN_ROTATION_DO_LOGIN_OLD, /* the negative test */
    PSN_ROTATION_DO_WAIT,      /* wait_ms */
    PSN_ROTATION_DO_COMMIT, /* label `version` current, `retired` (if any) superseded */
    /* the ends */
    PSN_ROTATION_DO_RETIRE, /* label `version` refused; cur holds; reason */
    PSN_ROTATION_DO_DONE,
    PSN_ROTATION_DO_STUCK,      /* reason */
    PSN_ROTATION_DO_UNFINISHED, /* reason; wait_ms: resuming earlier may be too early */
    PSN_ROTATION_ACTIONS,
};

struct psn_rotation_action {
    enum psn_rotation_action_kind kind;
    enum psn_rotation_reason reason;
    uint64_t version;
    uint64_t retired;
    int64_t wait_ms;
    int64_t task_id; /* of LOOK_TASKS and COMMIT: OVH's task; 0: unknown */
    bool create;
    bool alarm; /* the last answer named another mailbox (F9): say so */
};

struct psn_rotation_move {
    struct psn_rotation_state state;
    struct psn_rotation_run run;
    struct psn_rotation_action action;
    bool durable; /* state differs: it must be on disk before the action is done */
};

/* Q 10 min, caches 61 min, 3 refused logins in 5 min, 5 sends, 12 logins, 15 min,
 * 3 candidates. */
struct psn_rotation_policy psn_rotation_policy_default(void);

/* The event must answer the run's last action, or be one of the three that begin a run;
 * anything else is a bug of the caller and asserted. */
struct psn_rotation_move psn_rotation_step(const struct psn_rotation_policy *policy,
                                           const struct psn_rotation_state *state,
                                           const struct psn_rotation_run *run,
                                           const struct psn_rotation_event *event);

/* Has the phase a transition for the event? */
bool psn_rotation_is_defined(enum psn_rotation_phase phase,
                             enum psn_rotation_event_kind event);

/* Does the run end with this action? */
bool psn_rotation_is_end(enum psn_rotation_action_kind kind);

#endif
