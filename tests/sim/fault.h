#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "sim.h"

/*
 * Faults on demand. A rule names the calls it is for (method and path patterns, from the
 * nth such call, so many times) and what goes wrong. All rules that fit a call act on it
 * together: they are folded into one plan. Nothing is random.
 */

/* How the exchange ends on the wire. */
enum sim_ending {
    SIM_ENDING_ANSWER,
    SIM_ENDING_CLOSE,
    SIM_ENDING_RESET,
    SIM_ENDING_STALL,
    SIM_ENDING_TRUNCATED,
    SIM_ENDING_PARTIAL_HEADERS,
    SIM_ENDING_GARBAGE,
    SIM_ENDING_HUGE,
};

/* What becomes of the body of an answer. */
enum sim_mangle {
    SIM_MANGLE_NONE,
    SIM_MANGLE_WRONG_TYPES,
    SIM_MANGLE_NOT_JSON,
    SIM_MANGLE_HTML,
    SIM_MANGLE_EMPTY,
    SIM_MANGLE_NULL,
    SIM_MANGLE_WRONG_MAILBOX,
    SIM_MANGLE_BODY, /* the rule's own */
};

enum sim_task_mode {
    SIM_TASK_RUN,
    SIM_TASK_FAIL,  /* ends without any effect */
    SIM_TASK_STUCK, /* never ends, until POST /task/release */
    /* Without any effect either; where the family's tasks have a state, it says so. */
    SIM_TASK_ERROR,
    SIM_TASK_CANCELLED,
};

/* What the log-in service does (method IMAP). */
enum sim_imap_fault {
    SIM_IMAP_NONE,
    SIM_IMAP_CODE, /* NO with the response code in plan.imap_code */
    SIM_IMAP_BYE,
    SIM_IMAP_REFUSE_RIGHT, /* as a negative cache does */
    SIM_IMAP_ACCEPT_OLD,   /* as a positive cache does: old ones and the present one */
};

struct sim_plan {
    json_int_t before_ms;
    json_int_t after_ms;
    json_int_t stall_ms; /* below 0: until the peer leaves */
    json_int_t bytes;    /* of a huge body */
    bool skip;           /* the call is not carried out */
    bool revoke_after;
    json_t *migrate_after; /* owned; an order of migrate.h, or NULL */
    int status;            /* answer this one; 0: what comes out */
    bool html;
    enum sim_ending ending;
    enum sim_mangle mangle;
    enum sim_task_mode task_mode;
    json_int_t task_ms;
    json_int_t front_ms; /* front end 2 later by this; below 0: until told */
    bool front_late;
    enum sim_imap_fault imap;
    char imap_code[32];
    char retry_after[64];
    char location[256];
    char message[160];
    json_t *body;    /* owned */
    char names[160]; /* of the rules that act, for the log */
};

/* Folds the rules that fit this call; each is counted as used. `credential` and `domain`
 * are what the faults revoke_credential and expire_service act on; both may be NULL. */
struct sim_call_target {
    const char *method;
    const char *path;
    json_t *credential;
};
void sim_fault_plan(struct sim *sim, const struct sim_call_target *target,
                    struct sim_plan *ret_plan);
void sim_fault_release(struct sim_plan *plan);

/* Adds the rules of an array, all or none. False, with the reason. */
bool sim_fault_add(struct sim *sim, const json_t *rules, char *ret_why, size_t why_size);
void sim_fault_clear(struct sim *sim);
/* The rules with how often each was met and used. New reference. */
json_t *sim_fault_dump(const struct sim *sim);

#endif
