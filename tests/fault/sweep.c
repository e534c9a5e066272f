/*
 * The fault sweep: fault_sweep OPTIONS
 *
 *     --list                    the commands and the kinds of faults
 *     --census                  how many trials each command comes to
 *     --command NAME, --kind K  only these; both may be repeated
 *     --mode once|sticky        the n-th call alone, or all from then on
 *     --from N, --count N       only these, of each command, kind and mode
 *     --sites                   of the calls from one place in the program, the first
 *     --sample N, --seed S      about N in all, spread evenly over all that is chosen
 *     --workers W               processes at once (2)
 *     --record FILE             adds a JSON line for each stretch of trials; another run
 *                               goes on after what the file has
 *
 * A line is printed for each trial that fails, and begins with the options that repeat
 * it: chance and time are made here, so that the n-th call is the same one each time.
 * Exit status 1 if one failed, or if a command does not work without a fault either.
 *
 * Of a fault must follow: a message and an exit status, or the work done all the same;
 * nothing on standard output but the JSON error, except from commands that tell of each
 * mailbox what was done; and what sweep_trial.c looks at.
 *
 * Not swept, and why:
 *
 *   - unlock, lock, the agent, the clipboard: a terminal or other processes. Of tui the
 *     terminal and its library stand aside (sweep_screen.c), and keys are typed.
 *   - libcurl, TLS and the wire: test_net_bad.py and test_net_tls.py. Here a request
 *     fails as a whole, at the port of net/http.h.
 *   - OVH's newer back-ends: family_campaign.py. Here all mailboxes are of the first one.
 *   - what libc calls inside of itself (stdio, opendir), and the loading of libraries.
 *   - munmap, mprotect, madvise: nothing that can happen makes them fail.
 *   - EINTR from then on: calls are repeated after it, and so would be for ever.
 *   - the vault's rows, their records and fields but with --sites: a list reads the same
 *     ones over and over.
 */
#include "fault/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "interop/xml_parser.h"
#include "ovh/json.h"

enum {
    CHUNK = 100,
    NAMES_MAX = 512,
    WORKERS_MAX = 9,
    LINE_MAX_SIZE = 512,
};

/* Consecutive trials of one part. */
struct chunk {
    const struct sweep_command *command;
    const struct sweep_kind *kind;
    bool sticky;
    const uint32_t *sites; /* the calls that from, step and total tell of; NULL: all */
    uint64_t from;
    uint64_t step;  /* between two trials */
    uint64_t count; /* of trials */
    uint64_t total; /* of the part */
};

static struct {
    const char *commands[NAMES_MAX];
    size_t command_count;
    const char *kinds[NAMES_MAX];
    size_t kind_count;
    const char *mode;
    uint64_t from;
    uint64_t count;
    uint64_t sample;
    uint64_t seed;
    unsigned workers;
    const char *record;
    bool census;
    bool sites;
} options = { .workers = 2, .seed = 1 };

/* Shared by the workers. */
static struct progress {
    uint64_t next; /* chunk */
    uint64_t tried;
    uint64_t survived;
    uint64_t lost;
    uint64_t wrong;
    uint64_t unusable; /* commands that fail by themselves, workers that cannot begin */
} * progress;

static struct sweep_sites *sites; /* of each command */
static struct chunk *chunks;
static size_t chunk_count;
static size_t chunk_room;

/* --- what is to be tried --- */

static bool is_chosen(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return count == 0;
}

static bool is_command_chosen(const struct sweep_command *command)
{
    return is_chosen(options.commands, options.command_count, command->name) &&
           (!command->by_places || options.sites || options.command_count);
}

static void part_name(const struct sweep_command *command, const struct sweep_kind *kind,
                      bool sticky, char *out, size_t size)
{
    (void)snprintf(out, size, "%s/%s/%s", command->name, kind->name,
                   sticky ? "sticky" : "once");
}

/* The last trial of a part that the record has, in a run without gaps. */
static uint64_t recorded_to(const char *part)
{
    char line[LINE_MAX_SIZE];
    char wanted[LINE_MAX_SIZE];
    uint64_t to = 0;
    bool is_all = !options.sample && !options.sites;
    FILE *file = options.record && is_all ? fopen(options.record, "re") : NULL;

    (void)snprintf(wanted, sizeof wanted, "\"part\":\"%s\"", part);
    while (file && fgets(line, sizeof line, file)) {
        const char *at = strstr(line, "\"to\":");
        const char *begins = strstr(line, "\"from\":");

        if (!strstr(line, wanted) || !at || !begins)
            continue;
        if (strtoull(begins + 7, NULL, 10) <= to + 1 && strtoull(at + 5, NULL, 10) > to)
            to = strtoull(at + 5, NULL, 10);
    }
    if (file)
        (void)fclose(file);
    return to;
}

static void add_chunk(struct chunk chunk)
{
    if (chunk_count == chunk_room) {
        chunk_room = chunk_room ? 2 * chunk_room : 1024;
        chunks = realloc(chunks, chunk_room * sizeof *chunks);
        if (!chunks)
            exit(2);
    }
    chunks[chunk_count++] = chunk;
}

static void add_part(const struct sweep_command *command, const struct sweep_kind *kind,
                     bool sticky, uint64_t total)
{
    const struct sweep_sites *noted = sites ? &sites[command - sweep_commands] : NULL;
    const uint32_t *at = noted ? noted->index[kind->call] : NULL;
    char part[128];
    uint64_t from;
    uint64_t to = total;

    part_name(command, kind, sticky, part, sizeof part);
    from = recorded_to(part) + 1;
    if (options.from > from)
        from = options.from;
    if (options.count && from + options.count - 1 < to)
        to = from + options.count - 1;
    for (; from <= to; from += CHUNK) {
        uint64_t count = to - from + 1 < CHUNK ? to - from + 1 : CHUNK;

        add_chunk((struct chunk){ command, kind, sticky, at, from, 1, count, total });
    }
}

/* Of every part its share, spread over all of it; of one whose share is less than one
 * trial, that one as often. */
static void thin_out(uint64_t wanted)
{
    uint64_t all = 0;
    size_t kept = 0;
    uint64_t random = options.seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

    for (size_t i = 0; i < chunk_count; i++)
        all += chunks[i].total == 0 ? 0 : chunks[i].count;
    for (size_t i = 0; i < chunk_count && all > wanted; i++) {
        struct chunk *chunk = &chunks[i];
        uint64_t share = (chunk->total * wanted + all / 2) / all;

        if (chunk->from != 1)
            continue;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if (share == 0 && random % all < chunk->total * wanted)
            share = 1;
        if (share == 0)
            continue;
        chunk->step = chunk->total / share;
        chunk->from = 1 + random % chunk->step;
        chunk->count = share;
        chunks[kept++] = *chunk;
    }
    if (all > wanted)
        chunk_count = kept;
}

static void add_command(const struct sweep_command *command,
                        const struct sweep_counts *counts)
{
    for (size_t k = 0; k < sweep_kind_count; k++) {
        const struct sweep_kind *kind = &sweep_kinds[k];
        uint64_t total = sites ? sites[command - sweep_commands].count[kind->call]
                               : counts->of[kind->call];

        if (!is_chosen(options.kinds, options.kind_count, kind->name) ||
            (kind->call >= SWEEP_STORE && !sites))
            continue;
        if (!options.mode || strcmp(options.mode, "once") == 0)
            add_part(command, kind, false, total);
        if (kind->sticks && (!options.mode || strcmp(options.mode, "sticky") == 0))
            add_part(command, kind, true, total);
    }
}

/* --- trials --- */

static void record(const struct chunk *chunk, uint64_t to, uint64_t tried,
                   uint64_t survived, uint64_t lost, uint64_t wrong)
{
    char part[128];
    char line[LINE_MAX_SIZE];
    int size;
    int fd;

    if (!options.record)
        return;
    part_name(chunk->command, chunk->kind, chunk->sticky, part, sizeof part);
    size = snprintf(line, sizeof line,
                    "{\"campaign\":\"sweep\",\"class\":\"sweep\",\"part\":\"%s\","
                    "\"tried\":%llu,\"survived\":%llu,\"lost\":%llu,\"wrong\":%llu,"
                    "\"total\":%llu,\"from\":%llu,\"to\":%llu,\"step\":%llu}\n",
                    part, (unsigned long long)tried, (unsigned long long)survived,
                    (unsigned long long)lost, (unsigned long long)wrong,
                    (unsigned long long)chunk->total, (unsigned long long)chunk->from,
                    (unsigned long long)to, (unsigned long long)chunk->step);
    fd = open(options.record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, line, (size_t)size) != size)
        (void)fprintf(stderr, "fault_sweep: cannot write %s\n", options.record);
    if (fd >= 0)
        (void)close(fd);
}

static void tell_failure(const struct chunk *chunk, uint64_t index,
                         const struct sweep_verdict *verdict)
{
    (void)printf("--command %s --kind %s --mode %s --from %llu --count 1: %s\n",
                 chunk->command->name, chunk->kind->name,
                 chunk->sticky ? "sticky" : "once", (unsigned long long)index,
                 verdict->why);
    (void)fflush(stdout);
}

static void try_chunk(struct sweep_bench *bench, const struct chunk *chunk)
{
    uint64_t place = chunk->from;
    uint64_t tried = 0;
    uint64_t survived = 0;
    uint64_t lost = 0;
    uint64_t wrong = 0;

    for (uint64_t i = 0; i < chunk->count; i++, place += chunk->step) {
        uint64_t index = chunk->sites ? chunk->sites[place - 1] : place;
        enum sweep_outcome outcome = sweep_try(bench, chunk->kind, index, chunk->sticky);

        tried += outcome != SWEEP_UNSTRUCK;
        survived += outcome == SWEEP_SURVIVED;
        if (outcome != SWEEP_FAILED)
            continue;
        lost += bench->verdict->lost;
        wrong += bench->verdict->wrong;
        tell_failure(chunk, index, bench->verdict);
    }
    record(chunk, place - chunk->step, tried, survived, lost, wrong);
    (void)__atomic_add_fetch(&progress->tried, tried, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&progress->survived, survived, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&progress->lost, lost, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&progress->wrong, wrong, __ATOMIC_RELAXED);
}

static void folder_of(unsigned worker, char *out, size_t size)
{
    const char *place = getenv("TMPDIR");

    if (!place || !place[0])
        place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(out, size, "%s/fault-sweep-%08d-%u", place, (int)getppid(), worker);
}

/* In a process of its own, as what follows is. */
static void work(unsigned worker)
{
    static struct sweep_bench bench;
    char folder[SWEEP_FOLDER_MAX];
    uint64_t next;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    folder_of(worker, folder, sizeof folder);
    if (!sweep_bench_init(&bench, folder)) {
        (void)__atomic_add_fetch(&progress->unusable, 1, __ATOMIC_RELAXED);
        _exit(1);
    }
    while ((next = __atomic_fetch_add(&progress->next, 1, __ATOMIC_RELAXED)) <
           chunk_count) {
        const struct chunk *chunk = &chunks[next];

        if (bench.command == chunk->command ||
            sweep_bench_take(&bench, chunk->command, NULL))
            try_chunk(&bench, chunk);
    }
    sweep_world_remove(&bench.world);
    _exit(0);
}

/* Each command once without a fault. */
static void take_census(struct sweep_counts *counts)
{
    static struct sweep_bench bench;
    char folder[SWEEP_FOLDER_MAX];

    folder_of(0, folder, sizeof folder);
    if (!sweep_bench_init(&bench, folder)) {
        progress->unusable++;
        _exit(1);
    }
    for (size_t i = 0; i < sweep_command_count; i++)
        if (is_command_chosen(&sweep_commands[i])) {
            bench.sites = sites ? &sites[i] : NULL;
            if (sweep_bench_take(&bench, &sweep_commands[i], &counts[i]))
                continue;
            memset(&counts[i], 0, sizeof counts[i]);
            if (sites)
                memset(&sites[i], 0, sizeof sites[i]);
            progress->unusable++;
        }
    sweep_world_remove(&bench.world);
    _exit(0);
}

static void *share(size_t size)
{
    void *room =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (room == MAP_FAILED)
        exit(2);
    return room;
}

/* Libraries are loaded here, once: what they and the loader do then is not ours to
 * sweep. */
static void load_libraries(void)
{
    char hex[PSN_SHA1_HEX_SIZE];
    XML_Parser parser = NULL;

    if (psn_sha1_hex(&(struct psn_part){ "", 0 }, 1, hex, NULL))
        (void)fprintf(stderr, "fault_sweep: libcrypto is missing\n");
    if (psn_xml_parser_new(&parser, NULL))
        (void)fprintf(stderr, "fault_sweep: expat is missing\n");
    else
        psn_expat.parser_free(parser);
    if (psn_json_load(NULL))
        (void)fprintf(stderr, "fault_sweep: jansson is missing\n");
}

static void tell_census(void)
{
    uint64_t all = 0;

    for (size_t i = 0, count; i < chunk_count; i += count) {
        uint64_t trials = 0;

        for (count = 0;
             i + count < chunk_count && chunks[i + count].command == chunks[i].command;
             count++)
            trials += chunks[i + count].count;
        (void)printf("%8llu %s\n", (unsigned long long)trials, chunks[i].command->name);
        all += trials;
    }
    (void)printf("%8llu\n", (unsigned long long)all);
}

static void sweep(void)
{
    struct sweep_counts *counts = share(sweep_command_count * sizeof *counts);

    if (options.sites)
        sites = share(sweep_command_count * sizeof *sites);
    if (fork() == 0)
        take_census(counts);
    (void)wait(NULL);
    for (size_t i = 0; i < sweep_command_count; i++)
        if (is_command_chosen(&sweep_commands[i]))
            add_command(&sweep_commands[i], &counts[i]);
    if (options.census) {
        tell_census();
        return;
    }
    if (options.sample)
        thin_out(options.sample);
    for (unsigned i = 0; i < options.workers; i++)
        if (fork() == 0)
            work(i);
    while (wait(NULL) > 0)
        continue;
}

/* --- options --- */

static void list(void)
{
    (void)printf("commands:\n");
    for (size_t i = 0; i < sweep_command_count; i++)
        (void)printf("  %s\n", sweep_commands[i].name);
    (void)printf("kinds:\n");
    for (size_t i = 0; i < sweep_kind_count; i++)
        (void)printf("  %s%s\n", sweep_kinds[i].name,
                     sweep_kinds[i].sticks ? "" : " (once only)");
}

static void take_option(int option)
{
    switch (option) {
    case 'c':
        options.commands[options.command_count++ % NAMES_MAX] = optarg;
        break;
    case 'k':
        options.kinds[options.kind_count++ % NAMES_MAX] = optarg;
        break;
    case 'm':
        options.mode = optarg;
        break;
    case 'f':
        options.from = strtoull(optarg, NULL, 10);
        break;
    case 'n':
        options.count = strtoull(optarg, NULL, 10);
        break;
    case 'p':
        options.sites = true;
        break;
    case 's':
        options.sample = strtoull(optarg, NULL, 10);
        break;
    case 'S':
        options.seed = strtoull(optarg, NULL, 10);
        break;
    case 'w':
        options.workers = (unsigned)strtoul(optarg, NULL, 10);
        break;
    case 'r':
        options.record = optarg;
        break;
    case 'l':
        list();
        exit(0);
    case 'C':
        options.census = true;
        break;
    default:
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static const struct option rows[] = {
        { "command", required_argument, NULL, 'c' },
        { "kind", required_argument, NULL, 'k' },
        { "mode", required_argument, NULL, 'm' },
        { "from", required_argument, NULL, 'f' },
        { "count", required_argument, NULL, 'n' },
        { "sites", no_argument, NULL, 'p' },
        { "sample", required_argument, NULL, 's' },
        { "seed", required_argument, NULL, 'S' },
        { "workers", required_argument, NULL, 'w' },
        { "record", required_argument, NULL, 'r' },
        { "list", no_argument, NULL, 'l' },
        { "census", no_argument, NULL, 'C' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "", rows, NULL)) != -1)
        take_option(option);
    if (!options.record)
        options.record = getenv("PASSATION_RECORD");
    if (options.workers < 1 || options.workers > WORKERS_MAX)
        options.workers = 1;
    progress = share(sizeof *progress);
    load_libraries();
    sweep();
    (void)printf("%llu faults, %llu survived, %llu lost, %llu wrong\n",
                 (unsigned long long)progress->tried,
                 (unsigned long long)progress->survived,
                 (unsigned long long)progress->lost, (unsigned long long)progress->wrong);
    return progress->tried == progress->survived && progress->unusable == 0 ? 0 : 1;
}
