#ifndef PSN_BASE_FIBER_H
#define PSN_BASE_FIBER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "passation/error.h"

/*
 * A function with a stack of its own, which can stop in the middle of its work and go on
 * later. Straight code stays straight code; no thread, no lock. One thread of a process
 * may use them. What was used of a stack (base/stack.h) is wiped as soon as its function
 * has ended.
 */
typedef void psn_fiber_fn(void *arg);

/* One stack, idle. E_NOMEM. */
struct psn_fiber;
PSN_MUST_CHECK enum psn_code psn_fiber_new(struct psn_fiber **ret_fiber,
                                           struct psn_error *err);
/* Not while its function has begun and not ended. */
void psn_fiber_free(struct psn_fiber *fiber);
PSN_DEFINE_AUTO(psn_fiber)

/* Begins the function and returns when it suspends or ends. The fiber must be idle; it is
 * again once the function has ended. */
void psn_fiber_start(struct psn_fiber *fiber, psn_fiber_fn *run, void *arg);
/* Goes on where it was suspended. */
void psn_fiber_resume(struct psn_fiber *fiber);
bool psn_fiber_is_idle(const struct psn_fiber *fiber);

/* Back to whoever started or resumed the current fiber. Only inside of one. */
void psn_fiber_suspend(void);
/* The fiber that runs now, or NULL. */
struct psn_fiber *psn_fiber_current(void);

#endif
