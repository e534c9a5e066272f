#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fiber.h"
#include "base/loop.h"
#include "support/memory.h"

/* Many pieces of work in one thread: order, room, waits, gates, stops, failures. */

enum {
    TASKS_MAX = 600,
    LONG_MS = 60 * 1000,
};

/* What a test's tasks are and do, and what was seen of them. */
struct stage {
    size_t count;
    size_t begun;
    size_t ended;
    size_t most_at_once;
    size_t fail_at; /* the task that fails, from 1 */
    size_t stop_at; /* stop once so many have begun; 0: never */
    size_t later;   /* say "later" before each second task */
    int64_t waits_ms[TASKS_MAX];
    char order[TASKS_MAX + 1];
    void (*play)(struct stage *stage, size_t index);
    struct psn_gate gate;
    size_t entries;
    char entered[27]; /* in the order in which they passed the gate */
    int pipe[2];
};

static enum psn_loop_next give(void *arg, void **ret_task)
{
    struct stage *stage = arg;

    if (stage->begun == stage->count)
        return PSN_LOOP_NONE;
    if (stage->later && stage->begun > stage->ended)
        return PSN_LOOP_LATER;
    *ret_task = &stage->waits_ms[stage->begun++];
    if (stage->begun - stage->ended > stage->most_at_once)
        stage->most_at_once = stage->begun - stage->ended;
    return PSN_LOOP_TASK;
}

static enum psn_code play(void *arg, void *task, struct psn_error *err)
{
    struct stage *stage = arg;
    size_t index = (size_t)((int64_t *)task - stage->waits_ms);

    stage->play(stage, index);
    stage->order[stage->ended++] = (char)('a' + index % 26);
    if (index + 1 == stage->fail_at)
        return psn_fail(err, PSN_E_FULL, "task %zu", index);
    return PSN_OK;
}

static bool asks_to_stop(void *arg)
{
    const struct stage *stage = arg;

    return stage->stop_at && stage->begun >= stage->stop_at;
}

static enum psn_code run(struct stage *stage, size_t fibers, struct psn_error *err)
{
    struct psn_loop_work work = { .fibers = fibers,
                                  .calls = 2,
                                  .next = give,
                                  .each = play,
                                  .stop = asks_to_stop,
                                  .arg = stage };

    return psn_loop_run(&work, err);
}

static void sleep_a_while(struct stage *stage, size_t index)
{
    assert_true(psn_loop_is_inside());
    psn_loop_sleep_ms(stage->waits_ms[index]);
}

static void do_nothing(struct stage *stage, size_t index)
{
    (void)stage;
    (void)index;
}

/* --- fibers --- */

static char trace[16];

static void say_and_suspend(void *arg)
{
    const char *letters = arg;

    for (; *letters; letters++) {
        (void)strncat(trace, letters, 1);
        psn_fiber_suspend();
    }
}

static void fibers_go_on_where_they_stopped(void **state)
{
    PSN_AUTO(psn_fiber) *a = NULL;
    PSN_AUTO(psn_fiber) *b = NULL;

    (void)state;
    trace[0] = '\0';
    assert_int_equal(psn_fiber_new(&a, NULL), PSN_OK);
    assert_int_equal(psn_fiber_new(&b, NULL), PSN_OK);
    psn_fiber_start(a, say_and_suspend, (char[]){ "abc" });
    psn_fiber_start(b, say_and_suspend, (char[]){ "12" });
    assert_null(psn_fiber_current());
    while (!psn_fiber_is_idle(a) || !psn_fiber_is_idle(b)) {
        if (!psn_fiber_is_idle(a))
            psn_fiber_resume(a);
        if (!psn_fiber_is_idle(b))
            psn_fiber_resume(b);
    }
    assert_string_equal(trace, "a1b2c");
}

/* "canary of a stack", each byte ^ 0x5a, so that the test itself does not hold it. */
static const unsigned char masked[] = { 0x39, 0x3b, 0x34, 0x3b, 0x28, 0x23,
                                        0x7a, 0x35, 0x3c, 0x7a, 0x3b, 0x7a,
                                        0x29, 0x2e, 0x3b, 0x39, 0x31 };

static size_t seen_while_running;

static void hold_canary(void *arg)
{
    volatile unsigned char plain[sizeof masked];

    (void)arg;
    for (size_t i = 0; i < sizeof masked; i++)
        plain[i] = masked[i] ^ 0x5aU;
    seen_while_running = memory_count(masked, sizeof masked);
    psn_fiber_suspend();
    seen_while_running += plain[0] == 0;
}

static void a_stack_is_wiped_when_its_function_has_ended(void **state)
{
    PSN_AUTO(psn_fiber) *fiber = NULL;

    (void)state;
    assert_int_equal(psn_fiber_new(&fiber, NULL), PSN_OK);
    psn_fiber_start(fiber, hold_canary, NULL);
    psn_fiber_resume(fiber);
    assert_true(psn_fiber_is_idle(fiber));
    assert_true(seen_while_running >= 1);
    assert_int_equal(memory_count(masked, sizeof masked), 0);
}

static void overrun(void *arg)
{
    volatile char bytes[4096];

    bytes[0] = 1;
    bytes[sizeof bytes - 1] = 1;
    if (arg)
        overrun((char *)arg + bytes[0]);
    bytes[1] = bytes[0];
}

static void a_stack_that_is_too_small_ends_the_process(void **state)
{
    pid_t child = fork();
    int status = 0;

    (void)state;
    if (child == 0) {
        struct psn_fiber *fiber = NULL;

        (void)signal(SIGSEGV, SIG_DFL);
        if (psn_fiber_new(&fiber, NULL) == PSN_OK)
            psn_fiber_start(fiber, overrun, (char[]){ "x" });
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --- the loop --- */

/* Who is kept from running until two waits are over gets them as they stand: on a machine
 * that is busy it takes more than one try. */
static void tasks_run_at_once_and_end_in_the_order_of_their_waits(void **state)
{
    bool is_in_order = false;

    (void)state;
    for (int i = 0; i < 50 && !is_in_order; i++) {
        struct stage stage = { .count = 4,
                               .waits_ms = { 90, 30, 60, 1 },
                               .play = sleep_a_while };
        int64_t begun_ms = psn_clock_boot_ms();

        assert_int_equal(run(&stage, 4, NULL), PSN_OK);
        assert_true(psn_clock_boot_ms() - begun_ms >= 90);
        is_in_order = strcmp(stage.order, "dbca") == 0;
    }
    assert_true(is_in_order);
}

static void no_more_run_at_once_than_there_is_room_for(void **state)
{
    struct stage stage = { .count = 40, .play = sleep_a_while };

    (void)state;
    for (size_t i = 0; i < stage.count; i++)
        stage.waits_ms[i] = (int64_t)(i * 7 % 5);
    assert_int_equal(run(&stage, 3, NULL), PSN_OK);
    assert_int_equal(stage.ended, 40);
    assert_int_equal(stage.most_at_once, 3);
}

static void hundreds_of_tasks_share_few_stacks(void **state)
{
    struct stage stage = { .count = TASKS_MAX, .play = sleep_a_while };

    (void)state;
    assert_int_equal(run(&stage, PSN_LOOP_FIBERS_MAX, NULL), PSN_OK);
    assert_int_equal(stage.ended, TASKS_MAX);
}

static void a_task_that_may_only_come_later_waits_for_another_to_end(void **state)
{
    struct stage stage = {
        .count = 3, .later = 1, .waits_ms = { 5, 5, 5 }, .play = sleep_a_while
    };

    (void)state;
    assert_int_equal(run(&stage, 3, NULL), PSN_OK);
    assert_string_equal(stage.order, "abc");
    assert_int_equal(stage.most_at_once, 1);
}

static void the_first_failure_ends_the_run_and_what_runs_ends_first(void **state)
{
    struct stage stage = {
        .count = 10, .fail_at = 1, .waits_ms = { 5, 40, 40 }, .play = sleep_a_while
    };
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(run(&stage, 3, &err), PSN_E_FULL);
    assert_string_equal(err.message, "task 0");
    assert_int_equal(stage.begun, 3);
    assert_int_equal(stage.ended, 3);
}

static void a_failure_without_any_wait_begins_no_other(void **state)
{
    struct stage stage = { .count = 10, .fail_at = 1, .play = do_nothing };

    (void)state;
    assert_int_equal(run(&stage, 4, NULL), PSN_E_FULL);
    assert_int_equal(stage.begun, 1);
}

static void a_stop_ends_sleeps_and_begins_nothing(void **state)
{
    struct stage stage = { .count = 10, .stop_at = 3, .play = sleep_a_while };
    int64_t begun_ms = psn_clock_boot_ms();

    (void)state;
    for (size_t i = 0; i < stage.count; i++)
        stage.waits_ms[i] = LONG_MS;
    assert_int_equal(run(&stage, 3, NULL), PSN_OK);
    assert_int_equal(stage.ended, 3);
    assert_true(psn_clock_boot_ms() - begun_ms < LONG_MS / 2);
    assert_false(psn_loop_is_stopping());
}

static void write_or_read(struct stage *stage, size_t index)
{
    char byte = 'x';
    struct pollfd wait = { .fd = stage->pipe[0], .events = POLLIN };

    if (index == 1) {
        psn_loop_sleep_ms(10);
        assert_int_equal(write(stage->pipe[1], &byte, 1), 1);
        return;
    }
    assert_int_equal(psn_loop_poll(&wait, 1, LONG_MS), 1);
    assert_int_equal(wait.revents, POLLIN);
    assert_int_equal(read(stage->pipe[0], &byte, 1), 1);
}

static void a_task_waits_for_a_descriptor(void **state)
{
    struct stage stage = { .count = 2, .play = write_or_read };

    (void)state;
    assert_int_equal(pipe(stage.pipe), 0);
    assert_int_equal(run(&stage, 2, NULL), PSN_OK);
    assert_string_equal(stage.order, "ba");
    (void)close(stage.pipe[0]);
    (void)close(stage.pipe[1]);
}

static void wait_in_vain(struct stage *stage, size_t index)
{
    struct pollfd wait = { .fd = stage->pipe[0], .events = POLLIN };

    (void)index;
    assert_int_equal(psn_loop_poll(&wait, 1, 5), 0);
    assert_int_equal(wait.revents, 0);
}

static void a_wait_for_a_descriptor_ends_with_its_time(void **state)
{
    struct stage stage = { .count = 2, .play = wait_in_vain };

    (void)state;
    assert_int_equal(pipe(stage.pipe), 0);
    assert_int_equal(run(&stage, 2, NULL), PSN_OK);
    wait_in_vain(&stage, 0); /* outside it just waits */
    (void)close(stage.pipe[0]);
    (void)close(stage.pipe[1]);
}

static void pass_the_gate(struct stage *stage, size_t index)
{
    psn_loop_sleep_ms(5 * (int64_t)index);
    psn_gate_enter(&stage->gate);
    assert_true(stage->gate.inside <= 2);
    stage->entered[stage->entries++] = (char)('a' + index);
    psn_loop_sleep_ms(index < 2 ? 80 : 1);
    psn_gate_leave(&stage->gate);
}

static void a_gate_has_room_for_some_and_an_order_for_the_others(void **state)
{
    struct stage stage = { .count = 8, .gate = { .room = 2 }, .play = pass_the_gate };

    (void)state;
    assert_int_equal(run(&stage, 8, NULL), PSN_OK);
    assert_string_equal(stage.entered, "abcdefgh");
    assert_int_equal(stage.gate.inside, 0);
    psn_gate_enter(&stage.gate); /* outside it is open */
    psn_gate_leave(&stage.gate);
}

/* --- faults --- */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static int callocs_left = -1;

void *__wrap_calloc(size_t count, size_t size)
{
    if (callocs_left == 0)
        return NULL;
    callocs_left -= callocs_left > 0;
    return __real_calloc(count, size);
}

/* Two for the loop itself; each further one is a fiber's. */
/* The first and the second task call, and then let the others go on; a call of a later
 * one has to wait for both. */
static void call_and_yield(struct stage *stage, size_t index)
{
    psn_loop_begin_call();
    stage->entered[stage->entries++] = (char)('a' + index);
    psn_loop_end_call();
    psn_loop_yield();
    stage->entered[stage->entries++] = (char)('A' + index);
}

static void who_lets_the_others_go_on_counts_as_a_call(void **state)
{
    struct stage stage = { .count = 4, .play = call_and_yield };

    (void)state;
    assert_int_equal(run(&stage, 4, NULL), PSN_OK);
    assert_string_equal(stage.entered, "abABcdCD");
}

static void without_memory_fewer_run_at_once_or_none(void **state)
{
    (void)state;
    for (int left = 0; left < 6; left++) {
        struct stage stage = { .count = 9,
                               .waits_ms = { 1, 1, 1 },
                               .play = sleep_a_while };
        struct psn_error err = { 0 };
        enum psn_code rc;

        callocs_left = left;
        rc = run(&stage, 4, &err);
        callocs_left = -1;
        if (left < 3) {
            assert_int_equal(rc, PSN_E_NOMEM);
            assert_int_equal(err.code, PSN_E_NOMEM);
            assert_int_equal(stage.begun, 0);
        } else {
            assert_int_equal(rc, PSN_OK);
            assert_int_equal(stage.ended, 9);
            assert_int_equal(stage.most_at_once, left - 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fibers_go_on_where_they_stopped),
        cmocka_unit_test(a_stack_is_wiped_when_its_function_has_ended),
        cmocka_unit_test(a_stack_that_is_too_small_ends_the_process),
        cmocka_unit_test(tasks_run_at_once_and_end_in_the_order_of_their_waits),
        cmocka_unit_test(no_more_run_at_once_than_there_is_room_for),
        cmocka_unit_test(hundreds_of_tasks_share_few_stacks),
        cmocka_unit_test(a_task_that_may_only_come_later_waits_for_another_to_end),
        cmocka_unit_test(the_first_failure_ends_the_run_and_what_runs_ends_first),
        cmocka_unit_test(a_failure_without_any_wait_begins_no_other),
        cmocka_unit_test(a_stop_ends_sleeps_and_begins_nothing),
        cmocka_unit_test(a_task_waits_for_a_descriptor),
        cmocka_unit_test(a_wait_for_a_descriptor_ends_with_its_time),
        cmocka_unit_test(a_gate_has_room_for_some_and_an_order_for_the_others),
        cmocka_unit_test(who_lets_the_others_go_on_counts_as_a_call),
        cmocka_unit_test(without_memory_fewer_run_at_once_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
