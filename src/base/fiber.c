/*
 * Over ucontext: makecontext() begins, swapcontext() changes over. Fibers do not nest:
 * only the code outside of all of them starts and resumes them, so one context to come
 * back to is enough.
 */
#include "base/fiber.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <ucontext.h>

#include "base/i18n.h"
#include "base/sanitizer.h"
#include "base/stack.h"

#ifdef PSN_HAS_ASAN
#    include <sanitizer/common_interface_defs.h>
#endif

struct psn_fiber {
    ucontext_t context;
    struct psn_stack stack;
    psn_fiber_fn *run; /* NULL: idle */
    void *arg;
    int saved_errno;
    void *fake_stack; /* of the address sanitizer */
};

static struct psn_fiber *current;
static ucontext_t outside;

/* --- what the address sanitizer has to be told --- */

#ifdef PSN_HAS_ASAN
static const void *outside_stack;
static size_t outside_size;
static void *outside_fake;

static void note_leaving(void **fake, const void *stack, size_t size)
{
    __sanitizer_start_switch_fiber(fake, stack, size);
}

static void note_entered(void *fake, const void **ret_stack, size_t *ret_size)
{
    __sanitizer_finish_switch_fiber(fake, ret_stack, ret_size);
}
#else
static const void *const outside_stack;
static const size_t outside_size;
static void *outside_fake;

static void note_leaving(void **fake, const void *stack, size_t size)
{
    (void)fake;
    (void)stack;
    (void)size;
}
#    define note_entered(fake, ret_stack, ret_size) ((void)(fake))
#endif

/* --- one fiber --- */

enum psn_code psn_fiber_new(struct psn_fiber **ret_fiber, struct psn_error *err)
{
    struct psn_fiber *fiber = calloc(1, sizeof *fiber);
    enum psn_code rc;

    if (!fiber)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_stack_map(&fiber->stack, err);
    if (rc) {
        free(fiber);
        return rc;
    }
    *ret_fiber = fiber;
    return PSN_OK;
}

void psn_fiber_free(struct psn_fiber *fiber)
{
    if (!fiber)
        return;
    assert(!fiber->run);
    psn_stack_release(&fiber->stack);
    free(fiber);
}

/* --- changing over --- */

struct psn_fiber *psn_fiber_current(void)
{
    return current;
}

bool psn_fiber_is_idle(const struct psn_fiber *fiber)
{
    return !fiber->run;
}

/* The first function on a fiber's stack; `current` is it. */
static void begin(void)
{
    struct psn_fiber *fiber = current;

    note_entered(fiber->fake_stack, &outside_stack, &outside_size);
    fiber->run(fiber->arg);
    fiber->run = NULL;
    note_leaving(NULL, outside_stack, outside_size);
    (void)setcontext(&outside);
    abort(); /* setcontext() returns only if it failed */
}

static void enter(struct psn_fiber *fiber)
{
    int saved_errno = errno;

    assert(!current);
    current = fiber;
    note_leaving(&outside_fake, fiber->stack.bytes, PSN_STACK_SIZE);
    if (swapcontext(&outside, &fiber->context))
        abort(); /* only for a signal mask that cannot be set */
    note_entered(outside_fake, NULL, NULL);
    current = NULL;
    errno = saved_errno;
    if (!fiber->run)
        psn_stack_wipe(&fiber->stack);
}

void psn_fiber_start(struct psn_fiber *fiber, psn_fiber_fn *run, void *arg)
{
    assert(!fiber->run);
    fiber->run = run;
    fiber->arg = arg;
    fiber->fake_stack = NULL;
    if (getcontext(&fiber->context))
        abort(); /* cannot fail on a valid pointer */
    fiber->context.uc_stack.ss_sp = fiber->stack.bytes;
    fiber->context.uc_stack.ss_size = PSN_STACK_SIZE;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, begin, 0);
    enter(fiber);
}

void psn_fiber_resume(struct psn_fiber *fiber)
{
    assert(fiber->run);
    enter(fiber);
}

void psn_fiber_suspend(void)
{
    struct psn_fiber *fiber = current;

    assert(fiber);
    fiber->saved_errno = errno;
    note_leaving(&fiber->fake_stack, outside_stack, outside_size);
    if (swapcontext(&fiber->context, &outside))
        abort();
    note_entered(fiber->fake_stack, &outside_stack, &outside_size);
    errno = fiber->saved_errno;
}
