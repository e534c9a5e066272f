#ifndef TESTS_ROTATION_SEARCH_H
#define TESTS_ROTATION_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/rotation_machine.h"

/*
 * Breadth-first search over all states of one mailbox: the vault, the processes that work
 * on it, and the world. tests/unit/test_rotation_model.c says which step leads where.
 */
enum {
    PW_NONE = 0,    /* there is no mailbox */
    PW_FOREIGN = 7, /* a password that is not ours */
    PW_MASK = 7,
    CALL_CREATE = 8, /* on a request or task: the create call */
    SLOTS = 3,
    COUNT_MAX = 3,
    PROCESSES = 2,
};

struct process {
    struct psn_rotation_state mem;
    struct psn_rotation_run run; /* at NOTHING: no process */
    bool sent;                   /* of AT_SEND: the bytes have left */
};

struct world {
    struct psn_rotation_state disk;
    struct process process[PROCESSES];
    uint8_t net[SLOTS]; /* sorted, 0: free */
    uint8_t queue[SLOTS];
    uint8_t actual; /* password in force */
    uint8_t kept;   /* bit per version that is in the vault */
};

struct key {
    uint64_t part[1 + PROCESSES];
    uint64_t outside;
    uint32_t run[PROCESSES];
};

/* Labels of steps that are not events of the machine; the events come first. */
enum {
    LABEL_CRASH = PSN_ROTATION_EVENTS,
    LABEL_LEFT,
    LABEL_LOST,
    LABEL_TAKEN,
    LABEL_APPLIED,
    LABEL_FAILED,
    LABEL_OUTSIDE,
    LABELS,
};

struct search {
    struct key *keys; /* every state, in the order found: the index is its number */
    uint32_t *parents;
    uint8_t *labels; /* of the step that found it */
    size_t count;
    size_t room;
    uint32_t *slots; /* hash table of number + 1 */
    size_t slot_count;
    uint32_t *edges; /* pairs from, to */
    size_t edge_count;
    size_t edge_room;
};

void search_release(struct search *search);
/* Times come back as 0 (never) or 1, to be set before use. */
struct world search_world(const struct search *search, uint32_t number);
/* Notes a step; true if it found a new state, which has the number count - 1. */
bool search_reach(struct search *search, uint32_t from, const struct world *to,
                  uint8_t label);
/* How many states have no way to a STABLE one without a process. */
size_t search_count_lost(const struct search *search);
/* Steps from the start to the state; prints them if asked. */
size_t search_trace(const struct search *search, uint32_t number, bool print);

#endif
