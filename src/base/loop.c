/*
 * One poll(2) for all fibers. A fiber that waits says for which descriptors, until when,
 * and for which gate; a turn of the loop polls for all of them together and resumes each
 * that need not wait any longer, in the order in which they began to wait.
 */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/fiber.h"
#include "base/i18n.h"

enum {
    STOP_ASK_MS = 200,
};

/* One fiber's place. */
struct place {
    struct psn_fiber *fiber;
    struct loop *loop;
    void *task;
    enum psn_code rc;
    struct psn_error err;
    uint64_t since; /* the turn's number when it began to wait */
    struct pollfd *fds;
    size_t count;
    size_t first;     /* of its descriptors in the loop's list */
    int64_t until_ms; /* < 0: for ever */
    const struct psn_gate *gate;
    uint64_t ticket;
    bool sleeps; /* only the time matters, so a stop ends it */
    int ready;
};

struct loop {
    const struct psn_loop_work *work;
    struct psn_error *err;
    struct place *places;
    struct pollfd *fds;
    size_t count;   /* of places in use or idle */
    size_t running; /* of them */
    uint64_t waits;
    struct psn_gate calls;
    bool is_over; /* no other piece is begun */
    bool is_stopping;
    enum psn_code rc;
    struct place *now;
};

static struct loop *loop;
static unsigned held;

bool psn_loop_is_inside(void)
{
    return psn_fiber_current() != NULL;
}

bool psn_loop_is_stopping(void)
{
    return loop && loop->is_stopping;
}

void psn_loop_hold(void)
{
    held++;
}

void psn_loop_release(void)
{
    assert(held > 0);
    held--;
}

/* --- inside of a fiber --- */

static struct place *wait_here(void)
{
    struct place *place = loop->now;

    assert(held == 0);
    place->since = loop->waits++;
    place->ready = 0;
    psn_fiber_suspend();
    return place;
}

static int poll_plainly(struct pollfd *fds, size_t count, int64_t wait_ms)
{
    int64_t until_ms = psn_clock_boot_ms() + wait_ms;

    for (;;) {
        int64_t left_ms = wait_ms < 0 ? -1 : until_ms - psn_clock_boot_ms();
        int slice_ms = left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
        int ready = poll(fds, (nfds_t)count, wait_ms >= 0 && left_ms < 0 ? 0 : slice_ms);

        if (ready >= 0 || errno != EINTR)
            return ready;
    }
}

int psn_loop_poll(struct pollfd *fds, size_t count, int64_t wait_ms)
{
    struct place *place;

    assert(count <= PSN_LOOP_FDS_MAX);
    if (!psn_loop_is_inside())
        return poll_plainly(fds, count, wait_ms);
    place = loop->now;
    place->fds = fds;
    place->count = count;
    place->until_ms = wait_ms < 0 ? -1 : psn_clock_boot_ms() + wait_ms;
    (void)wait_here();
    place->fds = NULL;
    place->count = 0;
    return place->ready;
}

void psn_loop_sleep_ms(int64_t duration_ms)
{
    struct place *place;

    if (!psn_loop_is_inside()) {
        psn_clock_sleep_ms(duration_ms);
        return;
    }
    if (duration_ms <= 0)
        return;
    place = loop->now;
    place->until_ms = psn_clock_boot_ms() + duration_ms;
    place->sleeps = true;
    (void)wait_here();
    place->sleeps = false;
}

static bool is_open(const struct psn_gate *gate, uint64_t ticket)
{
    return ticket == gate->next_served && gate->inside < gate->room;
}

void psn_gate_enter(struct psn_gate *gate)
{
    uint64_t ticket = gate->next_ticket++;

    if (psn_loop_is_inside() && !is_open(gate, ticket)) {
        struct place *place = loop->now;

        place->gate = gate;
        place->ticket = ticket;
        place->until_ms = -1;
        (void)wait_here();
        place->gate = NULL;
    }
    gate->next_served = ticket + 1;
    gate->inside++;
}

void psn_gate_leave(struct psn_gate *gate)
{
    assert(gate->inside > 0);
    gate->inside--;
}

void psn_loop_begin_call(void)
{
    if (psn_loop_is_inside())
        psn_gate_enter(&loop->calls);
}

void psn_loop_end_call(void)
{
    if (psn_loop_is_inside())
        psn_gate_leave(&loop->calls);
}

void psn_loop_yield(void)
{
    if (!psn_loop_is_inside())
        return;
    loop->calls.inside++;
    loop->now->until_ms = psn_clock_boot_ms();
    (void)wait_here();
    loop->calls.inside--;
}

/* --- outside: the turns --- */

static void run_task(void *arg)
{
    struct place *place = arg;
    const struct psn_loop_work *work = place->loop->work;

    place->rc = work->each(work->arg, place->task, &place->err);
}

/* The first failure is the run's. */
static void note_end(struct loop *l, struct place *place)
{
    l->running--;
    if (!place->rc)
        return;
    l->is_over = true;
    if (l->rc)
        return;
    l->rc = place->rc;
    if (l->err)
        *l->err = place->err;
}

/* Lets a fiber go on, or begin. */
static void turn_to(struct loop *l, struct place *place, bool begins)
{
    l->now = place;
    if (begins)
        psn_fiber_start(place->fiber, run_task, place);
    else
        psn_fiber_resume(place->fiber);
    l->now = NULL;
    assert(held == 0);
    if (psn_fiber_is_idle(place->fiber))
        note_end(l, place);
}

/* A place for one more piece: an idle one, else a new one. NULL: there is no memory. */
static struct place *find_place(struct loop *l)
{
    struct place *place;

    for (size_t i = 0; i < l->count; i++)
        if (psn_fiber_is_idle(l->places[i].fiber))
            return &l->places[i];
    place = &l->places[l->count];
    *place = (struct place){ .loop = l, .until_ms = -1 };
    if (psn_fiber_new(&place->fiber, l->running ? NULL : l->err))
        return NULL;
    l->count++;
    return place;
}

/* Fewer fibers than wished for are no failure, none at all is. */
static void begin_tasks(struct loop *l)
{
    while (!l->is_over && !l->is_stopping && l->running < l->work->fibers) {
        struct place *place = find_place(l);
        enum psn_loop_next next;

        if (!place) {
            if (l->running == 0)
                l->rc = PSN_E_NOMEM;
            l->is_over = l->running == 0;
            return;
        }
        next = l->work->next(l->work->arg, &place->task);
        assert(next != PSN_LOOP_LATER || l->running > 0);
        l->is_over = next == PSN_LOOP_NONE;
        if (next != PSN_LOOP_TASK)
            return;
        l->running++;
        psn_error_clear(&place->err);
        turn_to(l, place, true);
    }
}

static bool may_go_on(const struct loop *l, const struct place *place, int64_t now_ms)
{
    if (place->gate)
        return is_open(place->gate, place->ticket);
    return place->ready != 0 || (place->sleeps && l->is_stopping) ||
           (place->until_ms >= 0 && place->until_ms <= now_ms);
}

/* The one that has waited longest among those that may go on. */
static struct place *find_ready(const struct loop *l, int64_t now_ms, uint64_t before)
{
    struct place *found = NULL;

    for (size_t i = 0; i < l->count; i++) {
        struct place *place = &l->places[i];

        if (psn_fiber_is_idle(place->fiber) || place->since >= before ||
            (found && place->since > found->since) || !may_go_on(l, place, now_ms))
            continue;
        found = place;
    }
    return found;
}

/* How long the poll may last. */
static int next_wait_ms(const struct loop *l, int64_t now_ms)
{
    int64_t wait_ms = STOP_ASK_MS;

    for (size_t i = 0; i < l->count; i++) {
        const struct place *place = &l->places[i];

        if (psn_fiber_is_idle(place->fiber))
            continue;
        if (may_go_on(l, place, now_ms))
            return 0;
        if (place->until_ms >= 0 && place->until_ms - now_ms < wait_ms)
            wait_ms = place->until_ms - now_ms;
    }
    return (int)wait_ms;
}

static size_t gather(struct loop *l)
{
    size_t used = 0;

    for (size_t i = 0; i < l->count; i++) {
        struct place *place = &l->places[i];

        place->first = used;
        if (psn_fiber_is_idle(place->fiber))
            continue;
        for (size_t j = 0; j < place->count; j++)
            l->fds[used++] = place->fds[j];
    }
    return used;
}

static void scatter(struct loop *l, int ready)
{
    for (size_t i = 0; i < l->count; i++) {
        struct place *place = &l->places[i];

        if (psn_fiber_is_idle(place->fiber))
            continue;
        for (size_t j = 0; j < place->count; j++) {
            place->fds[j].revents = 0;
            if (ready > 0)
                place->fds[j].revents = l->fds[place->first + j].revents;
            if (place->fds[j].revents)
                place->ready++;
        }
    }
}

static void turn(struct loop *l)
{
    int64_t now_ms = psn_clock_boot_ms();
    size_t used = gather(l);
    int ready = poll(l->fds, (nfds_t)used, next_wait_ms(l, now_ms));
    uint64_t before = l->waits;
    struct place *place;

    scatter(l, ready);
    if (l->work->stop && !l->is_stopping)
        l->is_stopping = l->work->stop(l->work->arg);
    now_ms = psn_clock_boot_ms();
    while ((place = find_ready(l, now_ms, before)))
        turn_to(l, place, false);
}

static void release(struct loop *l)
{
    for (size_t i = 0; i < l->count; i++)
        psn_fiber_free(l->places[i].fiber);
    free(l->places);
    free(l->fds);
}

enum psn_code psn_loop_run(const struct psn_loop_work *work, struct psn_error *err)
{
    struct loop l = { .work = work, .err = err, .calls = { .room = work->calls } };

    assert(!loop && !psn_loop_is_inside());
    assert(work->fibers > 0 && work->fibers <= PSN_LOOP_FIBERS_MAX);
    assert(work->calls > 0);
    l.places = calloc(work->fibers, sizeof *l.places);
    l.fds = calloc(work->fibers * PSN_LOOP_FDS_MAX, sizeof *l.fds);
    if (!l.places || !l.fds) {
        free(l.places);
        free(l.fds);
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    loop = &l;
    if (work->stop)
        l.is_stopping = work->stop(work->arg);
    begin_tasks(&l);
    while (l.running > 0) {
        turn(&l);
        begin_tasks(&l);
    }
    loop = NULL;
    release(&l);
    return l.rc;
}
