#ifndef PSN_CORE_ROTATION_STATE_H
#define PSN_CORE_ROTATION_STATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What is durable about the password of one mailbox, and every change that it can make.
 * Passwords are numbers here (versions); their bytes live elsewhere. No I/O, no clock: a
 * function that needs the time is told it. rotation_machine.h decides which change is
 * due.
 */
enum {
    PSN_ROTATION_FAILED_SLOTS = 16, /* refused logins that are remembered */
};

/* Where the rotation stands. The protocol's COMMITTED is STABLE with old_due. */
enum psn_rotation_phase {
    PSN_ROTATION_STABLE,   /* cur was proved by a login (0: none is known yet) */
    PSN_ROTATION_INTENT,   /* pend is stored; not one byte of it has been sent */
    PSN_ROTATION_SENDING,  /* a send of pend may be under way */
    PSN_ROTATION_UNKNOWN,  /* pend was sent; in force or not is not known */
    PSN_ROTATION_ACCEPTED, /* OVH took pend (2xx); not proved */
    PSN_ROTATION_STUCK,    /* as UNKNOWN, and a person must help: see reason */
    PSN_ROTATION_PHASES,
};

/* Why a run ended without DONE. The words of psn_rotation_reason_name() are stable. */
enum psn_rotation_reason {
    PSN_ROTATION_WHY_NONE,
    /* of STUCK */
    PSN_ROTATION_WHY_BOTH_REFUSED, /* new and old refused: changed by somebody else? */
    PSN_ROTATION_WHY_KEY,          /* API key revoked, expired, or without the right */
    PSN_ROTATION_WHY_SERVICE,      /* service expired or suspended */
    PSN_ROTATION_WHY_ABSENT,       /* no such mailbox at OVH */
    PSN_ROTATION_WHY_CLOCK,        /* OVH refuses our time */
    /* of RETIRE */
    PSN_ROTATION_WHY_POLICY,    /* OVH refused every candidate; the old one is proved */
    PSN_ROTATION_WHY_EXISTS,    /* create: the mailbox exists, and not by us */
    PSN_ROTATION_WHY_ABANDONED, /* given up before anything was sent */
    /* of UNFINISHED */
    PSN_ROTATION_WHY_NO_CONNECTION, /* no request could be sent */
    PSN_ROTATION_WHY_NO_LOGIN,      /* the mail server gives no answer */
    PSN_ROTATION_WHY_LOGINS_SPENT,  /* the run's or the window's logins are used up */
    PSN_ROTATION_WHY_NOT_YET,       /* not in force so far; sends or time are used up */
    PSN_ROTATION_WHY_TASK_PENDING,  /* a task of OVH is under way */
    PSN_ROTATION_WHY_NO_TASK_LIST,  /* the task list cannot be read */
    PSN_ROTATION_WHY_BUSY,          /* 409 so far */
    PSN_ROTATION_WHY_THROTTLED,     /* 429 or 503 so far */
    PSN_ROTATION_WHY_NOT_SILENT,    /* an older request may still arrive */
    PSN_ROTATION_WHY_UNPROVED,      /* refused; mail servers may still remember */
    PSN_ROTATION_WHY_MAY_BE_SENT,   /* ABANDON: it may still come into force */
    PSN_ROTATION_REASONS,
};

/* The definite refusal that answered the last send of pend. */
enum psn_rotation_said {
    PSN_ROTATION_SAID_NOTHING,
    PSN_ROTATION_SAID_BAD_REQUEST, /* policy, or it is the password in force */
    PSN_ROTATION_SAID_EXISTS,      /* create only */
    PSN_ROTATION_SAID_NOT_ALLOWED,
    PSN_ROTATION_SAID_EXPIRED,
    PSN_ROTATION_SAID_ABSENT,
    PSN_ROTATION_SAID_CLOCK,
};

/* Is the superseded password refused? In the order of enum psn_tristate. */
enum psn_rotation_old {
    PSN_ROTATION_OLD_UNASKED,
    PSN_ROTATION_OLD_ALIVE,
    PSN_ROTATION_OLD_DEAD,
};

/* How a login ended, in the order of enum psn_login. */
enum psn_rotation_login {
    PSN_ROTATION_NO_ANSWER,
    PSN_ROTATION_LOGIN_ACCEPTED,
    PSN_ROTATION_LOGIN_REFUSED,
};

struct psn_rotation_state {
    enum psn_rotation_phase phase;
    enum psn_rotation_reason reason; /* of STUCK */
    enum psn_rotation_said said;
    enum psn_rotation_old old_dead; /* about all that cur superseded */
    uint64_t cur;                   /* version proved last; 0: none is known */
    uint64_t pend;                  /* the one candidate; 0: none */
    uint64_t last;                  /* highest version ever made */
    uint64_t old;                   /* what cur superseded; 0: none */
    uint64_t older;         /* the first before old that was never proved dead; 0: none */
    uint32_t candidates;    /* made in this rotation, pend included */
    uint32_t sends;         /* of pend, that may have left */
    uint32_t unanswered;    /* sends without a complete, parsed answer */
    bool create;            /* the mailbox is to be made; false once proved */
    bool taken;             /* OVH took, or may have taken, a candidate */
    int64_t task_id;        /* of the last 2xx; 0: none */
    int64_t last_send_s;    /* 0: never */
    int64_t silent_since_s; /* nothing was on the way from here on; 0: unknown */
    int64_t failed_s[PSN_ROTATION_FAILED_SLOTS]; /* refused logins, newest first */
};

/* A mailbox whose password is known to be version cur (0: none is known, it is taken over
 * by rotating), or that is to be created (cur 0). */
struct psn_rotation_state psn_rotation_state_init(uint64_t cur, bool create);

/* The invariants, for what was read from disk, and as an assert. */
bool psn_rotation_is_valid(const struct psn_rotation_state *state);
void psn_rotation_assert(const struct psn_rotation_state *state);
bool psn_rotation_is_same(const struct psn_rotation_state *a,
                          const struct psn_rotation_state *b);

/* --- changes; each names where it may start --- */

/* Any. A run begins: a clock that was wrong before must not make a wait endless. True if
 * there were refused logins of the future, which now count as of this moment. */
bool psn_rotation_mend_times(struct psn_rotation_state *state, int64_t now_s);
/* SENDING, UNKNOWN, ACCEPTED, STUCK -> UNKNOWN or ACCEPTED. What a person or time may
 * have mended (key, service, clock) is forgotten, what OVH said of the password is not.
 */
void psn_rotation_pick_up(struct psn_rotation_state *state, int64_t now_s);
/* STABLE, UNKNOWN -> INTENT, in silence only (R2, R7). */
void psn_rotation_new_candidate(struct psn_rotation_state *state, uint64_t spent);
/* INTENT, UNKNOWN, ACCEPTED -> SENDING. */
void psn_rotation_count_send(struct psn_rotation_state *state, int64_t now_s);
/* SENDING -> INTENT, or UNKNOWN when pend had left before. */
void psn_rotation_uncount_send(struct psn_rotation_state *state);
/* SENDING -> ACCEPTED */
void psn_rotation_note_taken(struct psn_rotation_state *state, int64_t task_id);
/* SENDING -> UNKNOWN, by a complete answer. */
void psn_rotation_note_said(struct psn_rotation_state *state,
                            enum psn_rotation_said said);
/* SENDING -> UNKNOWN, by anything else: it stays on the count. */
void psn_rotation_note_doubt(struct psn_rotation_state *state, int64_t now_s);
/* The task list was empty at now_s. Not yet silence while an unanswered send is younger
 * than settle_s (R7). */
void psn_rotation_note_quiet(struct psn_rotation_state *state, int64_t settle_s,
                             int64_t now_s);
/* STABLE. Version `version`, which was not sent from here, is believed to be in force. */
void psn_rotation_believe(struct psn_rotation_state *state, uint64_t version);
/* UNKNOWN, ACCEPTED -> STABLE: pend was proved. */
void psn_rotation_make_current(struct psn_rotation_state *state);
/* INTENT, UNKNOWN -> STABLE: cur still holds. */
void psn_rotation_drop_candidate(struct psn_rotation_state *state);

/* --- the negative pass --- */

/* The first superseded version whose death is not proved, which is the one to ask for; 0:
 * all are dead. A rotation does not end the doubt about what went before. */
uint64_t psn_rotation_undead(const struct psn_rotation_state *state);
/* May this superseded version still be accepted? From the first undead one up to old all
 * are doubted, candidates that were refused among them. */
bool psn_rotation_is_dying(const struct psn_rotation_state *state, uint64_t version);
/* May this version be accepted: the current one, one that is tried, one that is dying? */
bool psn_rotation_in_force(const struct psn_rotation_state *state, uint64_t version);
/* May a password that was sent still come into force, or be in force already, without it
 * being known? Then nobody may forget it. Not of a mailbox that OVH does not have; and of
 * what was sent a week ago OVH has made what it ever will. */
bool psn_rotation_may_arrive(const struct psn_rotation_state *state, int64_t now_s);
/* Is it time to ask? */
bool psn_rotation_old_due(const struct psn_rotation_state *state);
/* What a login with the first undead one tells. A refusal proves its death, and the next
 * is to be asked for; no answer teaches nothing. */
void psn_rotation_note_old(struct psn_rotation_state *state,
                           enum psn_rotation_login login);

/* --- the brake on refused logins, for those outside a rotation too --- */

void psn_rotation_note_refused(struct psn_rotation_state *state, int64_t now_s);
/* Seconds until the next login is allowed (0: now), when at most `max` may be refused in
 * a window. A max of 0, or of more than is remembered, is no limit. */
int64_t psn_rotation_login_delay_s(const struct psn_rotation_state *state, uint32_t max,
                                   int64_t window_s, int64_t now_s);
/* What is left of a span that began at from_s; a clock set back never lengthens it. */
int64_t psn_rotation_left_s(int64_t from_s, int64_t span_s, int64_t now_s);

/* "stable", "both_refused" …: stable words, never translated. */
const char *psn_rotation_phase_name(enum psn_rotation_phase phase);
const char *psn_rotation_reason_name(enum psn_rotation_reason reason);

#endif
