#include "crypto/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/sanitizer.h"

/*
 * An arena is one sodium_malloc() cut into slots of one size. In a slot stand a canary,
 * the piece, and behind it the canary again:
 *
 *     | canary (16) | size bytes | canary (16) | unused |
 *
 * A slot that is free is all zero; that it still is when it is taken again shows that
 * nobody wrote to a piece he had given back. Sanitizers are told what is in use.
 */

enum {
    ARENA_SIZE = 16 * 1024,
    CANARY_SIZE = 16,
    CANARIES_SIZE = 2 * CANARY_SIZE, /* of a slot: before and behind */
    SLOTS_MAX = 256,
};

static const size_t slot_sizes[] = { 256, 1024, 4096 };

enum {
    CLASSES = sizeof slot_sizes / sizeof *slot_sizes,
};

struct arena {
    struct arena *next;
    uint8_t *base;
    unsigned forks; /* a child has its parent's pages, but not their lock */
    size_t taken;
    bool used[SLOTS_MAX];
};

static struct {
    pthread_mutex_t mutex;
    struct arena *arenas[CLASSES];
    uint8_t canary[CANARY_SIZE]; /* drawn with the first arena */
    unsigned forks;              /* between the first process and this one */
    bool started;
} pool = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void lock(void)
{
    (void)pthread_mutex_lock(&pool.mutex);
}

static void unlock(void)
{
    (void)pthread_mutex_unlock(&pool.mutex);
}

static void unlock_in_child(void)
{
    pool.forks++;
    unlock();
}

/* The class whose slots hold size bytes; CLASSES if none does. */
static size_t class_of(size_t size)
{
    size_t class = 0;

    while (class < CLASSES && (slot_sizes[class] < CANARIES_SIZE ||
                               slot_sizes[class] - CANARIES_SIZE < size))
        class ++;
    return class;
}

static size_t slots_of(size_t class)
{
    return ARENA_SIZE / slot_sizes[class];
}

static struct arena *arena_new(size_t class)
{
    struct arena *arena = calloc(1, sizeof *arena);

    if (!pool.started) {
        randombytes_buf(pool.canary, sizeof pool.canary);
        (void)pthread_atfork(lock, unlock, unlock_in_child);
        pool.started = true;
    }
    if (arena)
        arena->base = sodium_malloc(ARENA_SIZE);
    if (!arena || !arena->base) {
        free(arena);
        return NULL;
    }
    memset(arena->base, 0, ARENA_SIZE);
    ASAN_POISON_MEMORY_REGION(arena->base, ARENA_SIZE);
    arena->forks = pool.forks;
    arena->next = pool.arenas[class];
    pool.arenas[class] = arena;
    return arena;
}

static void arena_free(struct arena **link)
{
    struct arena *arena = *link;

    *link = arena->next;
    ASAN_UNPOISON_MEMORY_REGION(arena->base, ARENA_SIZE);
    sodium_free(arena->base);
    free(arena);
}

/* Whoever wrote where he must not has a secret in the wrong place, or less than that. */
static void check(bool intact)
{
    if (!intact)
        abort();
}

/* Byte by byte, as sodium_is_zero() does it, is only for what must not be told by time.
 */
static bool is_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static uint8_t *take_slot(struct arena *arena, size_t class, size_t size)
{
    size_t slot = 0;
    uint8_t *begin;

    while (arena->used[slot])
        slot++;
    begin = arena->base + slot * slot_sizes[class];
    ASAN_UNPOISON_MEMORY_REGION(begin, slot_sizes[class]);
    check(is_zero(begin, slot_sizes[class]));
    memcpy(begin, pool.canary, CANARY_SIZE);
    memcpy(begin + CANARY_SIZE + size, pool.canary, CANARY_SIZE);
    ASAN_POISON_MEMORY_REGION(begin, slot_sizes[class]);
    ASAN_UNPOISON_MEMORY_REGION(begin + CANARY_SIZE, size);
    arena->used[slot] = true;
    arena->taken++;
    return begin + CANARY_SIZE;
}

static void give_slot(struct arena *arena, size_t class, uint8_t *at, size_t size)
{
    size_t offset = (size_t)(at - CANARY_SIZE - arena->base);
    size_t slot = offset / slot_sizes[class];
    uint8_t *begin = arena->base + offset;

    check(offset % slot_sizes[class] == 0 && arena->used[slot]);
    ASAN_UNPOISON_MEMORY_REGION(begin, slot_sizes[class]);
    check(memcmp(begin, pool.canary, CANARY_SIZE) == 0 &&
          memcmp(at + size, pool.canary, CANARY_SIZE) == 0);
    sodium_memzero(begin, CANARIES_SIZE + size);
    ASAN_POISON_MEMORY_REGION(begin, slot_sizes[class]);
    arena->used[slot] = false;
    arena->taken--;
}

static void *take_small(size_t class, size_t size)
{
    struct arena *arena;
    void *at = NULL;

    lock();
    arena = pool.arenas[class];
    while (arena && (arena->forks != pool.forks || arena->taken == slots_of(class)))
        arena = arena->next;
    if (!arena)
        arena = arena_new(class);
    if (arena)
        at = take_slot(arena, class, size);
    unlock();
    return at;
}

/* Is there room for the next who comes without this arena? */
static bool has_room_elsewhere(size_t class, const struct arena *empty)
{
    for (const struct arena *arena = pool.arenas[class]; arena; arena = arena->next)
        if (arena != empty && arena->forks == pool.forks &&
            arena->taken < slots_of(class))
            return true;
    return false;
}

static void give_small(size_t class, uint8_t *at, size_t size)
{
    struct arena **link = &pool.arenas[class];

    lock();
    while (*link && (at < (*link)->base || at >= (*link)->base + ARENA_SIZE))
        link = &(*link)->next;
    check(*link);
    give_slot(*link, class, at, size);
    if ((*link)->taken == 0 && has_room_elsewhere(class, *link))
        arena_free(link);
    unlock();
}

void *psn_pool_take(size_t size)
{
    size_t class = class_of(size);
    void *at;

    if (class < CLASSES)
        return take_small(class, size);
    at = sodium_malloc(size);
    if (at)
        memset(at, 0, size);
    return at;
}

void psn_pool_give(void *at, size_t size)
{
    size_t class = class_of(size);

    if (at && class < CLASSES)
        give_small(class, at, size);
    else
        sodium_free(at); /* wipes; NULL is fine */
}
