/*
 * Where calls come from: the chain of return addresses that lie in the program itself,
 * for what a library does between is not ours. Two calls from the same place fail alike,
 * but for what was done before.
 */
#include <execinfo.h>
#include <sys/mman.h>

#include "fault/sweep.h"

enum {
    FRAMES_MAX = 96,
    TABLE_SIZE = 1 << 17,
};

extern const char executable_start __asm__("__executable_start");
extern const char etext;

static struct sweep_sites *noted; /* NULL: none are */

/* The steps of all chains so far, of all commands; shared with who runs them. */
static struct {
    uint64_t seen[TABLE_SIZE];
    size_t count;
} * steps;

bool sweep_sites_note_into(struct sweep_sites *sites)
{
    void *frames[FRAMES_MAX];
    void *room;

    noted = sites;
    if (!sites || steps)
        return true;
    /* The first time it loads a library. */
    (void)backtrace(frames, FRAMES_MAX);
    room = mmap(NULL, sizeof *steps, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
    if (room == MAP_FAILED)
        return false;
    steps = room;
    return true;
}

/* True if it was not there. A table that is full takes no more: then all are new. */
static bool is_new(uint64_t step)
{
    size_t at = (size_t)(step >> 32) % TABLE_SIZE;

    while (steps->seen[at] && steps->seen[at] != step)
        at = (at + 1) % TABLE_SIZE;
    if (steps->seen[at])
        return false;
    if (steps->count < TABLE_SIZE / 2) {
        steps->seen[at] = step;
        steps->count++;
    }
    return true;
}

static uint64_t step_of(enum sweep_call call, uint64_t from, uint64_t to)
{
    uint64_t step = (from << 20) ^ to ^ ((uint64_t)call << 56);

    return (step * UINT64_C(0x9e3779b97f4a7c15)) | 1;
}

static bool is_of_new_place(enum sweep_call call)
{
    void *frames[FRAMES_MAX];
    int count = backtrace(frames, FRAMES_MAX);
    uint64_t last = 0;
    bool found = false;

    for (int i = 0; i < count; i++) {
        uint64_t at = (uintptr_t)frames[i];

        if (at < (uintptr_t)&executable_start || at >= (uintptr_t)&etext)
            continue;
        found = is_new(step_of(call, last, at)) || found;
        last = at;
    }
    return found;
}

void sweep_sites_note(enum sweep_call call, uint64_t index, uint64_t place)
{
    if (noted && noted->count[call] < SWEEP_SITES_MAX &&
        (place ? is_new(step_of(call, 0, place)) : is_of_new_place(call)))
        noted->index[call][noted->count[call]++] = (uint32_t)index;
}
