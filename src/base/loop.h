#ifndef PSN_BASE_LOOP_H
#define PSN_BASE_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"

/*
 * Many pieces of work at once, each in straight code: whatever waits in one of them, by
 * psn_loop_poll() or psn_loop_sleep_ms(), lets the others go on. Outside of a loop the
 * same two calls just wait, so code need not know where it runs.
 */
enum {
    PSN_LOOP_FIBERS_MAX = 256,
    PSN_LOOP_FDS_MAX = 16, /* that one fiber may wait for */
};

enum psn_loop_next {
    PSN_LOOP_TASK,  /* *ret_task is to be done now */
    PSN_LOOP_LATER, /* none that may begin before another has ended */
    PSN_LOOP_NONE,  /* none is left */
};

struct psn_loop_work {
    size_t fibers;  /* at most so many pieces at once; 1 to PSN_LOOP_FIBERS_MAX */
    unsigned calls; /* at most so many of psn_loop_begin_call() at once */
    /* Which is next; asked when there is room. LATER only while something runs. */
    enum psn_loop_next (*next)(void *arg, void **ret_task);
    /* Does one piece, in a fiber. Anything but PSN_OK: no other is begun. */
    enum psn_code (*each)(void *arg, void *task, struct psn_error *err);
    bool (*stop)(void *arg); /* asked at every turn, and every 200 ms; may be NULL */
    void *arg;
};

/* Returns when all is done, or stopped and everything begun has ended: the first failure
 * of each(), or PSN_OK. A stop is no failure. Not inside of a loop. */
PSN_MUST_CHECK enum psn_code psn_loop_run(const struct psn_loop_work *work,
                                          struct psn_error *err);

bool psn_loop_is_inside(void);
/* True after a stop was asked: sleeps end at once, and nothing new may be begun. */
bool psn_loop_is_stopping(void);

/* As poll(2), but never EINTR: how many are ready, 0 when the time is over (wait_ms < 0:
 * never), -1 with errno. */
int psn_loop_poll(struct pollfd *fds, size_t count, int64_t wait_ms);
/* Ends early when a signal arrives or a stop was asked. */
void psn_loop_sleep_ms(int64_t duration_ms);

/* Lets all go on that are ready. Who lets them counts as a call meanwhile: so there are
 * never more calls under way, or not yet made durable, than the work allows. */
void psn_loop_yield(void);

/* Between the two nothing may wait: a transaction is open. Checked by an assertion. */
void psn_loop_hold(void);
void psn_loop_release(void);

/* A call over the network begins; waits while as many are under way as the work allows.
 */
void psn_loop_begin_call(void);
void psn_loop_end_call(void);

/* A place for `room` fibers at once; the others wait in the order in which they came.
 * Outside of a loop it is always open. */
struct psn_gate {
    unsigned room;
    unsigned inside;
    uint64_t next_ticket;
    uint64_t next_served;
};
void psn_gate_enter(struct psn_gate *gate);
void psn_gate_leave(struct psn_gate *gate);

#endif
