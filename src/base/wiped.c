#include "base/wiped.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct psn_wiped_pool {
    uint8_t *at;
    size_t left;
    size_t blocks; /* in use, and one until the end */
};

struct block {
    _Alignas(max_align_t) struct psn_wiped_pool *pool; /* NULL: from malloc() */
    size_t size;
};

static _Thread_local struct psn_wiped_pool *current;

static size_t rounded(size_t size)
{
    return (size + sizeof(struct block) - 1) & ~(sizeof(struct block) - 1);
}

struct psn_wiped_pool *psn_wiped_pool_begin(size_t size)
{
    size_t head = rounded(sizeof(struct psn_wiped_pool));
    uint8_t *memory = malloc(head + size);
    struct psn_wiped_pool *pool = (struct psn_wiped_pool *)(void *)memory;

    assert(!current);
    if (!pool)
        return NULL;
    *pool = (struct psn_wiped_pool){ .at = memory + head, .left = size, .blocks = 1 };
    current = pool;
    return pool;
}

static void leave_pool(struct psn_wiped_pool *pool)
{
    pool->blocks--;
    if (pool->blocks == 0)
        free(pool);
}

void psn_wiped_pool_end(struct psn_wiped_pool *pool)
{
    current = NULL;
    leave_pool(pool);
}

void *psn_wiped_malloc(size_t size)
{
    size_t needed = sizeof(struct block) + rounded(size);
    struct psn_wiped_pool *pool = NULL;
    struct block *block;

    if (size > PTRDIFF_MAX - 2 * sizeof *block)
        return NULL;
    if (current && needed <= current->left) {
        pool = current;
        block = (struct block *)(void *)pool->at;
        pool->at += needed;
        pool->left -= needed;
        pool->blocks++;
    } else {
        block = malloc(needed);
    }
    if (!block)
        return NULL;
    *block = (struct block){ pool, size };
    return block + 1;
}

void psn_wiped_free(void *memory)
{
    struct block *block = memory;

    if (!block)
        return;
    block--;
    explicit_bzero(block + 1, block->size);
    if (block->pool)
        leave_pool(block->pool);
    else
        free(block);
}

void *psn_wiped_realloc(void *memory, size_t size)
{
    const struct block *block = memory;
    void *moved = psn_wiped_malloc(size);

    if (moved && block)
        memcpy(moved, memory, block[-1].size < size ? block[-1].size : size);
    if (moved)
        psn_wiped_free(memory);
    return moved;
}
