#include "support/fixed_random.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

/* Each draw is a stream under (seed text, number of the draw). */
static uint8_t seed[randombytes_SEEDBYTES];
static uint64_t draws;

static const char *name(void)
{
    return "fixed";
}

static void fill(void *const bytes, const size_t size)
{
    draws++;
    memcpy(seed + sizeof seed - sizeof draws, &draws, sizeof draws);
    randombytes_buf_deterministic(bytes, size, seed);
}

static uint32_t number(void)
{
    uint32_t value;

    fill(&value, sizeof value);
    return value;
}

static struct randombytes_implementation fixed = {
    .implementation_name = name,
    .random = number,
    .buf = fill,
};

void fixed_random_install(const char *seed_text)
{
    size_t length = strnlen(seed_text, sizeof seed);

    assert(length <= sizeof seed - sizeof draws);
    memcpy(seed, seed_text, length);
    (void)randombytes_set_implementation(&fixed);
}
