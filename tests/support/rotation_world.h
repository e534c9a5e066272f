#ifndef TESTS_ROTATION_WORLD_H
#define TESTS_ROTATION_WORLD_H

#include "support/rotation_search.h"

/*
 * A hostile world around psn_rotation_step(), and the walk through all that can happen in
 * it: requests that are lost or late, answers that are lost, 5xx after the fact, 4xx,
 * 409, tasks that fail or are applied in any order, logins that cannot be made, refuse a
 * right password or accept a stale one, crashes between any two steps and before any
 * write.
 *
 * Checked in every state: KEPT and TRUTH (rotation_machine.c).
 *
 * Time is abstract. What the machine can learn from a clock are four yes/no questions
 * (older than Q? than the caches? run over? too many refused logins?); before each step
 * the times are set so that a chosen answer comes out. All answers are free but two: Q
 * has passed only if no request is on the way, and in a round that began after the
 * caches' time no stale password is accepted.
 *
 * Bounds: versions, requests on the way, tasks, unanswered sends (three). Sends of one
 * candidate count as "none, one, two, more": the machine only asks whether one is left.
 */
enum {
    LONG_S = 1000, /* every span of the policies */
    LOGIN_WINDOW = 2,
};

/* A call of the step; a wrong protocol is a function that answers it otherwise. drop:
 * bits of the versions that it deletes from the vault. */
struct call {
    const struct psn_rotation_policy *policy;
    const struct psn_rotation_state *state;
    const struct psn_rotation_run *run;
    const struct psn_rotation_event *event;
    uint8_t *drop;
};
typedef struct psn_rotation_move step_fn(const struct call *call);

struct setting {
    const char *name;
    step_fn *step; /* NULL: the machine itself */
    struct psn_rotation_policy policy;
    uint64_t version_max;
    size_t slots;        /* of requests and of tasks */
    size_t processes;    /* 2: without a lock */
    bool adopt;          /* a mailbox whose password is not known */
    bool create;         /* a mailbox that does not exist yet */
    bool outside_change; /* somebody else may set the password at any time */
    bool stale;          /* mail servers remember for ever */
    bool write_late;     /* candidate and SENDING are written with the answer */
    bool seal_late;      /* the state is written in time, the candidate's bytes are not */
};

/* What the machine itself was seen to do, over all walks. */
struct coverage {
    unsigned long events[PSN_ROTATION_PHASES][PSN_ROTATION_EVENTS];
    unsigned long actions[PSN_ROTATION_ACTIONS];
    unsigned long reasons[PSN_ROTATION_REASONS];
};

struct model {
    const struct setting *setting;
    struct coverage *coverage;
    struct search search;
    uint32_t from;         /* the state that is being expanded */
    const char *violation; /* "KEPT", "TRUTH" or "DOUBT"; NULL: none */
    uint32_t violation_at;
};

/* Walks everything, or up to the first violation, which is one of the nearest. The search
 * is released by the caller. */
void world_walk(struct model *m, const struct setting *setting,
                struct coverage *coverage);

#endif
