#ifndef PSN_BASE_STACK_H
#define PSN_BASE_STACK_H

#include <stddef.h>

#include "base/auto.h"
#include "passation/error.h"

/*
 * A stack for a function that does not run on the process's own: a fiber's, a thread's.
 * Passwords pass through it, so it is left out of core dumps, and whoever ran a
 * function on it wipes it. Growing beyond its end ends the process.
 */
enum {
    PSN_STACK_SIZE = 256 * 1024, /* address space; only what is touched takes memory */
};

struct psn_stack {
    char *map; /* the guard, then the stack; NULL: none */
    size_t map_size;
    char *bytes; /* PSN_STACK_SIZE; it grows down from their end */
};

/* E_NOMEM. */
PSN_MUST_CHECK enum psn_code psn_stack_map(struct psn_stack *ret_stack,
                                           struct psn_error *err);
/* Makes zero what was touched. No function runs on it. */
void psn_stack_wipe(struct psn_stack *stack);
/* Gives it back; wiped already, if anything ran on it. */
void psn_stack_release(struct psn_stack *stack);

#endif
