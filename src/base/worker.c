#include "base/worker.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/stack.h"

enum job_state {
    JOB_WAITS,
    JOB_IN_WORK,
    JOB_DONE,
};

struct psn_worker {
    psn_worker_fn *run;
    pthread_t thread;
    bool has_thread;
    struct psn_stack stack;
    pthread_mutex_t lock;   /* of what follows */
    pthread_cond_t changed; /* a job waits, or one is done */
    struct psn_worker_job {
        void *job;
        enum job_state state;
    } jobs[PSN_WORKER_JOBS]; /* the nth at n % PSN_WORKER_JOBS */
    size_t handed;
    size_t awaited;
    bool ends;
};

static struct psn_worker_job *nth(struct psn_worker *worker, size_t n)
{
    return &worker->jobs[n % PSN_WORKER_JOBS];
}

/* Under the lock, which is given up while the job is done. */
static void do_job(struct psn_worker *worker, struct psn_worker_job *job)
{
    job->state = JOB_IN_WORK;
    (void)pthread_mutex_unlock(&worker->lock);
    worker->run(job->job);
    (void)pthread_mutex_lock(&worker->lock);
    job->state = JOB_DONE;
    (void)pthread_cond_signal(&worker->changed);
}

static struct psn_worker_job *first_waiting(struct psn_worker *worker)
{
    for (size_t n = worker->awaited; n < worker->handed; n++)
        if (nth(worker, n)->state == JOB_WAITS)
            return nth(worker, n);
    return NULL;
}

static struct psn_worker_job *last_waiting(struct psn_worker *worker)
{
    for (size_t n = worker->handed; n > worker->awaited; n--)
        if (nth(worker, n - 1)->state == JOB_WAITS)
            return nth(worker, n - 1);
    return NULL;
}

static void *work(void *arg)
{
    struct psn_worker *worker = arg;

    (void)pthread_mutex_lock(&worker->lock);
    while (!worker->ends) {
        struct psn_worker_job *job = first_waiting(worker);

        if (job)
            do_job(worker, job);
        else
            (void)pthread_cond_wait(&worker->changed, &worker->lock);
    }
    (void)pthread_mutex_unlock(&worker->lock);
    return NULL;
}

static bool has_processors(void)
{
#ifdef __linux__
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
#else
    return sysconf(_SC_NPROCESSORS_ONLN) > 1;
#endif
}

/* Signals are for the thread that asked. */
static bool begin(struct psn_worker *worker)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t old;
    bool has_begun;

    if (pthread_attr_init(&attributes))
        return false;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    has_begun =
        pthread_attr_setstack(&attributes, worker->stack.bytes, PSN_STACK_SIZE) == 0 &&
        pthread_create(&worker->thread, &attributes, work, worker) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attributes);
    return has_begun;
}

enum psn_code psn_worker_new(psn_worker_fn *run, struct psn_worker **ret_worker,
                             struct psn_error *err)
{
    struct psn_worker *worker = calloc(1, sizeof *worker);

    if (!worker)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    worker->run = run;
    (void)pthread_mutex_init(&worker->lock, NULL);
    (void)pthread_cond_init(&worker->changed, NULL);
    worker->has_thread =
        has_processors() && !psn_stack_map(&worker->stack, NULL) && begin(worker);
    *ret_worker = worker;
    return PSN_OK;
}

void psn_worker_hand(struct psn_worker *worker, void *job)
{
    (void)pthread_mutex_lock(&worker->lock);
    assert(worker->handed - worker->awaited < PSN_WORKER_JOBS);
    *nth(worker, worker->handed++) = (struct psn_worker_job){ job, JOB_WAITS };
    (void)pthread_cond_signal(&worker->changed);
    (void)pthread_mutex_unlock(&worker->lock);
}

void psn_worker_await(struct psn_worker *worker)
{
    (void)pthread_mutex_lock(&worker->lock);
    assert(worker->awaited < worker->handed);
    /* The other one takes the first, so that here the last is nobody's for longest. */
    while (nth(worker, worker->awaited)->state != JOB_DONE) {
        struct psn_worker_job *job = last_waiting(worker);

        if (job)
            do_job(worker, job);
        else
            (void)pthread_cond_wait(&worker->changed, &worker->lock);
    }
    worker->awaited++;
    (void)pthread_mutex_unlock(&worker->lock);
}

void psn_worker_free(struct psn_worker *worker)
{
    if (!worker)
        return;
    if (worker->has_thread) {
        (void)pthread_mutex_lock(&worker->lock);
        worker->ends = true;
        (void)pthread_cond_signal(&worker->changed);
        (void)pthread_mutex_unlock(&worker->lock);
        (void)pthread_join(worker->thread, NULL);
        psn_stack_wipe(&worker->stack);
    }
    (void)pthread_cond_destroy(&worker->changed);
    (void)pthread_mutex_destroy(&worker->lock);
    psn_stack_release(&worker->stack);
    free(worker);
}
