#include <string.h>

#include "store/internal.h"

/*
 * Places of the tree, sorted: PSN_SORT_BITS at the top of each number say which table and
 * bucket, what is below is the caller's. Distributed by halves of these bits, and equal
 * ones put in order of what is below; there are few of each.
 */
enum {
    HALF = 11,
    PILES = 1 << HALF,
    LOW_SHIFT = 64 - PSN_SORT_BITS,
    HIGH_SHIFT = LOW_SHIFT + HALF,
    FEW = 64, /* are put in order one by one */
};

_Static_assert(PSN_SORT_BITS == 2 * HALF, "two passes");

static void distribute(const uint64_t *from, size_t count, unsigned shift, uint64_t *to)
{
    uint32_t starts[PILES + 1] = { 0 };

    for (size_t i = 0; i < count; i++)
        starts[(from[i] >> shift & (PILES - 1)) + 1]++;
    for (size_t i = 0; i < PILES; i++)
        starts[i + 1] += starts[i];
    for (size_t i = 0; i < count; i++)
        to[starts[from[i] >> shift & (PILES - 1)]++] = from[i];
}

static void insert_all(uint64_t *numbers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t number = numbers[i];
        size_t at = i;

        for (; at > 0 && numbers[at - 1] > number; at--)
            numbers[at] = numbers[at - 1];
        numbers[at] = number;
    }
}

void psn_sort(uint64_t *numbers, size_t count, uint64_t *scratch)
{
    if (count > FEW) {
        distribute(numbers, count, LOW_SHIFT, scratch);
        distribute(scratch, count, HIGH_SHIFT, numbers);
    }
    insert_all(numbers, count);
}
