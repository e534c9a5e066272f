#ifndef PSN_BASE_WORKER_H
#define PSN_BASE_WORKER_H

#include "base/auto.h"
#include "passation/error.h"

/*
 * A thread beside the caller's for jobs that are long and need nothing but themselves.
 * Who awaits one does others meanwhile, and all of them where there is no second
 * processor or no thread to be had. The thread takes no signals; its stack is left out of
 * core dumps, and wiped.
 *
 *     rc = psn_worker_new(open_boxes, &worker, err);
 *     …
 *     psn_worker_hand(worker, first);
 *     psn_worker_hand(worker, second);
 *     psn_worker_await(worker);      now first is done
 */
enum {
    PSN_WORKER_JOBS = 8, /* at most, that are handed over and not awaited */
};

typedef void psn_worker_fn(void *job);

/* E_NOMEM. */
struct psn_worker;
PSN_MUST_CHECK enum psn_code psn_worker_new(psn_worker_fn *run,
                                            struct psn_worker **ret_worker,
                                            struct psn_error *err);
void psn_worker_hand(struct psn_worker *worker, void *job);
/* Returns once the first job that was not yet awaited is done: what it wrote may be read.
 */
void psn_worker_await(struct psn_worker *worker);
/* Awaits the job in work; those behind it are not done. NULL is fine. */
void psn_worker_free(struct psn_worker *worker);
PSN_DEFINE_AUTO(psn_worker)

#endif
