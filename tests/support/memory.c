#include "support/memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    REGION_MAX = 64 * 1024 * 1024
}; /* sanitizers map shadows of terabytes */

static size_t count_in(const unsigned char *bytes, size_t length,
                       const unsigned char *masked, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i + size <= length; i++) {
        size_t same = 0;

        while (same < size && (bytes[i + same] ^ 0x5aU) == masked[same])
            same++;
        count += same == size ? 1 : 0;
    }
    return count;
}

/* One chunk after the other into the same memory, which is left out of the search. */
static size_t count_in_region(int memory, uintptr_t from, uintptr_t to,
                              const unsigned char *masked, size_t size)
{
    static unsigned char chunk[65536];
    size_t count = 0;

    for (uintptr_t at = from; at < to; at += sizeof chunk / 2) {
        size_t wanted =
            to - at < sizeof chunk / 2 + size - 1 ? to - at : sizeof chunk / 2 + size - 1;
        ssize_t got = pread(memory, chunk, wanted, (off_t)at);

        if (got > 0)
            count += count_in(chunk, (size_t)got, masked, size);
        explicit_bzero(chunk, sizeof chunk);
    }
    return count;
}

size_t memory_count(const unsigned char *masked, size_t size)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[512];
    size_t count = 0;

    while (maps && memory >= 0 && fgets(line, sizeof line, maps)) {
        char *at = line;
        uintptr_t from = (uintptr_t)strtoull(at, &at, 16);
        uintptr_t to = (uintptr_t)strtoull(at + 1, &at, 16);

        if (strncmp(at, " rw", 3) == 0 && to - from <= REGION_MAX)
            count += count_in_region(memory, from, to, masked, size);
    }
    if (maps)
        (void)fclose(maps);
    if (memory >= 0)
        (void)close(memory);
    return count;
}

void *memory_alone(const void *bytes, size_t size)
{
    void *copy = malloc(size);

    if (!copy) /* glibc's is not NULL for 0 bytes */
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}
