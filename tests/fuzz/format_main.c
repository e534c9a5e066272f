#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "fuzz/target.h"
#include "support/record.h"

/*
 * A main for a fuzz target where there is no libFuzzer: fuzz_X [--seconds N] FOLDER. Runs
 * every seed as it is, then seeds changed in ways that break parsers, always the same
 * ones in the same order, until the time is up. A target that finds something aborts;
 * what it was given is then in fuzz-X.last, if FUZZ_KEEP names a file.
 */
enum {
    SEEDS_MAX = 64,
    INPUT_MAX = 256 * 1024
};

struct input {
    uint8_t *bytes;
    size_t size;
};

static struct input seeds[SEEDS_MAX];
static size_t seed_count;
static uint64_t state = 0x9e3779b97f4a7c15;

/* xorshift64*: which bytes are changed is no secret, and must be the same each time. */
static uint64_t draw(uint64_t below)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (state * 0x2545f4914f6cdd1d >> 16) % below;
}

/* In the order of their names, which every file system agrees on. */
static void load(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        struct psn_buf buf = psn_buf_init(INPUT_MAX);
        char path[4096];

        (void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] == '.' || seed_count == SEEDS_MAX ||
            psn_file_read(path, &buf, NULL))
            psn_buf_release(&buf);
        else
            seeds[seed_count++] = (struct input){ buf.data, buf.size };
        free(entries[i]);
    }
    free(entries);
}

/* One change of bytes[size], which has room for size_max. Returns the new size. */
static size_t change(uint8_t *bytes, size_t size, size_t size_max)
{
    static const char nasty[] = "\0\n\r\t \"\\,=-!*?\x7f\x80\xff";
    size_t at = size ? draw(size) : 0;
    size_t count = 1 + draw(8);

    switch (draw(6)) {
    case 0:
        if (size)
            bytes[at] ^= (uint8_t)(1U << draw(8));
        return size;
    case 1:
        if (size)
            bytes[at] = (uint8_t)nasty[draw(sizeof nasty - 1)];
        return size;
    case 2:
        return size ? at : size;
    case 3: /* cut some out */
        count = count < size - at ? count : size - at;
        memmove(bytes + at, bytes + at + count, size - at - count);
        return size - count;
    case 4: /* repeat some */
        count = count * draw(64);
        count = count < size - at ? count : size - at;
        count = count < size_max - size ? count : size_max - size;
        memmove(bytes + at + count, bytes + at, size - at);
        return size + count;
    default: /* a piece of another seed */
        if (size) {
            const struct input *other = &seeds[draw(seed_count)];
            size_t from = other->size ? draw(other->size) : 0;

            count = draw(256);
            count = count < other->size - from ? count : other->size - from;
            count = count < size - at ? count : size - at;
            if (count)
                memcpy(bytes + at, other->bytes + from, count);
        }
        return size;
    }
}

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void keep(const uint8_t *bytes, size_t size)
{
    const char *path = getenv("FUZZ_KEEP");

    if (path && psn_file_write(path, bytes, size, PSN_FILE_HINT, NULL))
        (void)fprintf(stderr, "cannot keep the input\n");
}

static const char *name_of(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;

    return strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
}

int main(int argc, char **argv)
{
    static uint8_t work[INPUT_MAX];
    uint64_t seconds = 1;
    uint64_t runs = 0;
    double end;

    if (argc > 3 && strcmp(argv[1], "--seconds") == 0) {
        if (!psn_text_parse_u64(argv[2], 3600, &seconds))
            return 2;
        argv += 2;
        argc -= 2;
    }
    if (argc > 1)
        load(argv[1]);
    if (seed_count == 0) {
        (void)fprintf(stderr, "usage: [--seconds N] FOLDER with seeds\n");
        return 2;
    }
    for (size_t i = 0; i < seed_count; i++)
        (void)LLVMFuzzerTestOneInput(seeds[i].bytes, seeds[i].size);
    end = now_s() + (double)seconds;
    for (; now_s() < end; runs++) {
        const struct input *seed = &seeds[draw(seed_count)];
        size_t size = seed->size;

        if (size)
            memcpy(work, seed->bytes, size);
        for (uint64_t left = 1 + draw(4); left > 0; left--)
            size = change(work, size, sizeof work);
        keep(work, size);
        (void)LLVMFuzzerTestOneInput(work, size);
    }
    (void)printf("%zu seeds, %llu inputs\n", seed_count, (unsigned long long)runs);
    record_figure("fuzz", name_of(argv[0]), runs, runs);
    for (size_t i = 0; i < seed_count; i++)
        free(seeds[i].bytes);
    return 0;
}
