#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/worker.h"

static bool no_thread;
static unsigned threads; /* that were begun */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *arg)
{
    int failed = no_thread ? 11 : __real_pthread_create(thread, attributes, run, arg);

    threads += failed ? 0 : 1;
    return failed;
}

/* Two, whatever this machine has. */
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    (void)pid;
    memset(set, 0, size);
    CPU_SET(0, set);
    CPU_SET(1, set);
    return 0;
}

static int with_thread(void **state)
{
    (void)state;
    no_thread = false;
    threads = 0;
    return 0;
}

static void count(void *job)
{
    ++*(unsigned *)job;
}

static void many_jobs(void)
{
    PSN_AUTO(psn_worker) *worker = NULL;
    unsigned counts[1000] = { 0 };
    size_t handed = 0;

    assert_int_equal(psn_worker_new(count, &worker, NULL), PSN_OK);
    for (size_t i = 0; i < 1000; i++) {
        for (; handed < 1000 && handed < i + PSN_WORKER_JOBS; handed++)
            psn_worker_hand(worker, &counts[handed]);
        psn_worker_await(worker);
        assert_int_equal(counts[i], 1);
    }
}

static void each_job_is_done_once_before_it_was_awaited(void **state)
{
    (void)state;
    many_jobs();
}

static void who_awaits_does_all_jobs_where_no_thread_can_be_begun(void **state)
{
    (void)state;
    no_thread = true;
    many_jobs();
}

/* --- one that needs the other --- */

struct meeting {
    bool waits; /* for the one that does not */
    sem_t *begun, *over;
    pthread_t done_by;
};

static void meet(void *job)
{
    struct meeting *meeting = job;

    meeting->done_by = pthread_self();
    if (meeting->waits) {
        (void)sem_post(meeting->begun);
        while (sem_wait(meeting->over) != 0)
            continue;
    } else {
        (void)sem_post(meeting->over);
    }
}

static void who_awaits_a_job_does_others_meanwhile(void **state)
{
    PSN_AUTO(psn_worker) *worker = NULL;
    sem_t begun;
    sem_t over;
    struct meeting first = { .waits = true, .begun = &begun, .over = &over };
    struct meeting second = first;

    (void)state;
    second.waits = false;
    assert_int_equal(sem_init(&begun, 0, 0), 0);
    assert_int_equal(sem_init(&over, 0, 0), 0);
    assert_int_equal(psn_worker_new(meet, &worker, NULL), PSN_OK);
    if (threads == 0)
        skip(); /* a sanitizer's wants a larger stack */
    psn_worker_hand(worker, &first);
    while (sem_wait(&begun) != 0)
        continue;
    psn_worker_hand(worker, &second);
    psn_worker_await(worker);
    psn_worker_await(worker);
    assert_false(pthread_equal(first.done_by, pthread_self()));
    assert_true(pthread_equal(second.done_by, pthread_self()));
}

static void jobs_that_nobody_awaits_need_not_be_done(void **state)
{
    unsigned counts[PSN_WORKER_JOBS] = { 0 };
    struct psn_worker *worker = NULL;

    (void)state;
    assert_int_equal(psn_worker_new(count, &worker, NULL), PSN_OK);
    for (size_t i = 0; i < PSN_WORKER_JOBS; i++)
        psn_worker_hand(worker, &counts[i]);
    psn_worker_free(worker);
    for (size_t i = 0; i < PSN_WORKER_JOBS; i++)
        assert_true(counts[i] <= 1);
    psn_worker_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_job_is_done_once_before_it_was_awaited, with_thread),
        cmocka_unit_test_setup(who_awaits_does_all_jobs_where_no_thread_can_be_begun,
                               with_thread),
        cmocka_unit_test_setup(who_awaits_a_job_does_others_meanwhile, with_thread),
        cmocka_unit_test_setup(jobs_that_nobody_awaits_need_not_be_done, with_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
