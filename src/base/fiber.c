/*
 * Over ucontext: makecontext() begins, swapcontext() changes over. Fibers do not nest:
 * only the code outside of all of them starts and resumes them, so one context to come
 * back to is enough.
 *
 *   guard   the page at the low end; a stack that grows into it ends the process
 *   stack   grows down from the high end
 *
 * What was touched is found by reading upwards to the first byte that is not zero: a
 * stack is wiped from there to its end, so it is all zero when it is idle.
 *
 * The stacks are not locked: the few megabytes that may be locked are for struct
 * psn_secret, and the process's first stack is not locked either.
 */
#include "base/fiber.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/i18n.h"

#if defined(__SANITIZE_ADDRESS__)
#    define PSN_HAS_ASAN 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define PSN_HAS_ASAN 1
#    endif
#endif
#ifdef PSN_HAS_ASAN
#    include <sanitizer/asan_interface.h>
#    include <sanitizer/common_interface_defs.h>
#endif

struct psn_fiber {
    ucontext_t context;
    char *map; /* the guard, then the stack */
    size_t map_size;
    char *stack;
    size_t stack_size;
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

static void forget_poison(const char *bytes, size_t size)
{
    __asan_unpoison_memory_region(bytes, size);
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

static void forget_poison(const char *bytes, size_t size)
{
    (void)bytes;
    (void)size;
}
#endif

/* --- stacks --- */

static void wipe(struct psn_fiber *fiber)
{
    const uint64_t *word = (const uint64_t *)(const void *)fiber->stack;
    const char *end = fiber->stack + fiber->stack_size;

    forget_poison(fiber->stack, fiber->stack_size);
    while ((const char *)word < end && *word == 0)
        word++;
    explicit_bzero(fiber->stack + ((const char *)word - fiber->stack),
                   (size_t)(end - (const char *)word));
}

enum psn_code psn_fiber_new(struct psn_fiber **ret_fiber, struct psn_error *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct psn_fiber *fiber = calloc(1, sizeof *fiber);
    void *map;

    if (!fiber)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    fiber->map_size = page + PSN_FIBER_STACK;
    map = mmap(NULL, fiber->map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK,
               -1, 0);
    if (map == MAP_FAILED) {
        free(fiber);
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    fiber->map = map;
    fiber->stack = fiber->map + page;
    fiber->stack_size = PSN_FIBER_STACK;
    if (mprotect(fiber->stack, fiber->stack_size, PROT_READ | PROT_WRITE)) {
        psn_fiber_free(fiber);
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
#ifdef MADV_DONTDUMP
    (void)madvise(fiber->map, fiber->map_size, MADV_DONTDUMP);
#endif
    *ret_fiber = fiber;
    return PSN_OK;
}

void psn_fiber_free(struct psn_fiber *fiber)
{
    if (!fiber)
        return;
    assert(!fiber->run);
    (void)munmap(fiber->map, fiber->map_size);
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
    note_leaving(&outside_fake, fiber->stack, fiber->stack_size);
    if (swapcontext(&outside, &fiber->context))
        abort(); /* only for a signal mask that cannot be set */
    note_entered(outside_fake, NULL, NULL);
    current = NULL;
    errno = saved_errno;
    if (!fiber->run)
        wipe(fiber);
}

void psn_fiber_start(struct psn_fiber *fiber, psn_fiber_fn *run, void *arg)
{
    assert(!fiber->run);
    fiber->run = run;
    fiber->arg = arg;
    fiber->fake_stack = NULL;
    if (getcontext(&fiber->context))
        abort(); /* cannot fail on a valid pointer */
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = fiber->stack_size;
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
