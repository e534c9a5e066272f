/*
 *   guard   the page at the low end; a stack that grows into it ends the process
 *   stack   grows down from the high end
 *
 * What was touched is found by reading upwards to the first byte that is not zero: a
 * stack is wiped from there to its end, so it is all zero when it is idle.
 *
 * Stacks are not locked: the few megabytes that may be locked are for struct psn_secret,
 * and the process's first stack is not locked either.
 */
#include "base/stack.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/sanitizer.h"

enum psn_code psn_stack_map(struct psn_stack *ret_stack, struct psn_error *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = page + PSN_STACK_SIZE;
    char *map =
        mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    if (map == MAP_FAILED)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (mprotect(map + page, PSN_STACK_SIZE, PROT_READ | PROT_WRITE)) {
        (void)munmap(map, size);
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
#ifdef MADV_DONTDUMP
    (void)madvise(map, size, MADV_DONTDUMP);
#endif
    *ret_stack = (struct psn_stack){ .map = map, .map_size = size, .bytes = map + page };
    return PSN_OK;
}

void psn_stack_wipe(struct psn_stack *stack)
{
    const uint64_t *word = (const uint64_t *)(const void *)stack->bytes;
    const char *end = stack->bytes + PSN_STACK_SIZE;

    ASAN_UNPOISON_MEMORY_REGION(stack->bytes, PSN_STACK_SIZE);
    while ((const char *)word < end && *word == 0)
        word++;
    explicit_bzero(stack->bytes + ((const char *)word - stack->bytes),
                   (size_t)(end - (const char *)word));
}

void psn_stack_release(struct psn_stack *stack)
{
    if (!stack || !stack->map)
        return;
    (void)munmap(stack->map, stack->map_size);
    *stack = (struct psn_stack){ 0 };
}
