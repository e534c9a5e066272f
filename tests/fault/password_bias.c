#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "base/text.h"
#include "crypto/init.h"
#include "support/draws.h"
#include "support/odds.h"

/*
 * Generated passwords and codes have no bias:
 *
 *     password_bias [--count N] [--jobs N] [--chunk N] [--tally FOLDER] [--record FILE]
 *                   [--buffered]
 *
 * draws N of all kinds together (support/draws.h), after their weights, and asks of each
 * kind: does each symbol stand at each position as often as it should (chi-square, one
 * for each position); does each symbol stand at all positions equally often (one for each
 * symbol); does what stands beside depend on it (one for each pair of neighbours); is the
 * number of capitals, of small letters and of digits what drawing again leads to, which
 * is not what mending would; and does anything come twice.
 *
 * What is expected of a password is exact: a draw without one of the classes is thrown
 * away, so a digit is a little likelier than a letter, and two digits side by side a
 * little less than twice that. Positions of one password are not quite independent
 * therefore (digits: correlation -0.008), which moves the second kind of test by less
 * than a percent.
 *
 * Under --tally the chunks stay, and a second run adds to them up to its N. Many tests
 * find a small p by chance: what must lie between 1e-4 and 1 - 1e-4 is the smallest and
 * the largest of them, each corrected for the number of tests (Šidák). --buffered takes
 * the system's numbers 64 KiB at a time instead of asking for each: the same numbers,
 * sooner.
 */
enum {
    PATHS_MAX = 512,
    JOBS_MAX = 16,
};

static const double p_least = 1e-4;

struct options {
    uint64_t count;
    uint64_t jobs;
    uint64_t chunk;
    const char *tally;
    const char *record;
    bool is_buffered;
};

static _Noreturn void fail(const char *what)
{
    (void)fprintf(stderr, "password_bias: %s\n", what);
    exit(2);
}

/* --- what is expected --- */

static double power(double base, size_t times)
{
    return pow(base, (double)times);
}

/* The chance that so many even draws leave out none of the classes that are missing yet:
 * by inclusion and exclusion. */
static double chance_of_all(size_t draws, const double missing[DRAW_CLASSES])
{
    double chance = 0;

    for (unsigned without = 0; without < 1U << DRAW_CLASSES; without++) {
        double left = DRAW_ALPHABET;
        double sign = 1;
        bool counts = true;

        for (unsigned c = 0; c < DRAW_CLASSES; c++)
            if (without & 1U << c) {
                counts = counts && missing[c] > 0;
                left -= missing[c];
                sign = -sign;
            }
        if (counts)
            chance += sign * power(left / DRAW_ALPHABET, draws);
    }
    return chance;
}

static const double class_sizes[DRAW_CLASSES] = { DRAW_UPPER, DRAW_LOWER, DRAW_DIGITS };

static unsigned class_of(size_t symbol)
{
    return symbol < DRAW_UPPER ? 0 : symbol < DRAW_UPPER + DRAW_LOWER ? 1 : 2;
}

/* How likely a symbol is at a position, or (other < symbols) two at two of them. */
static double chance_of(const struct draw_policy *policy, size_t symbol, size_t other)
{
    bool is_pair = other < policy->symbols;
    double chance = 1 / power((double)policy->symbols, is_pair ? 2 : 1);
    double missing[DRAW_CLASSES];

    if (!policy->has_classes)
        return chance;
    memcpy(missing, class_sizes, sizeof missing);
    chance /= chance_of_all(policy->positions, missing);
    missing[class_of(symbol)] = 0;
    if (is_pair)
        missing[class_of(other)] = 0;
    return chance * chance_of_all(policy->positions - (is_pair ? 2 : 1), missing);
}

/* How likely it is that exactly `many` of a password's characters are of a class. */
static double chance_of_many(const struct draw_policy *policy, unsigned class,
                             size_t many)
{
    double others = DRAW_ALPHABET - class_sizes[class];
    size_t rest = policy->positions - many;
    double ways = lgamma((double)policy->positions + 1) - lgamma((double)many + 1) -
                  lgamma((double)rest + 1);
    double chance = exp(ways) * power(class_sizes[class] / DRAW_ALPHABET, many) *
                    power(others / DRAW_ALPHABET, rest);
    double both = 1;

    for (unsigned c = 0; c < DRAW_CLASSES; c++)
        if (c != class)
            both -= power(class_sizes[c] / others, rest);
    if (many == 0 || rest < DRAW_CLASSES - 1)
        return 0;
    return chance * both / chance_of_all(policy->positions, class_sizes);
}

/* --- the tests --- */

struct tests {
    size_t count;
    double least; /* the smallest p, and the largest */
    double most;
    const char *least_of;
    const char *most_of;
};

/* p < 0: there were too few to tell. */
static void note(struct tests *tests, double p, const char *what)
{
    if (p < 0)
        return;
    tests->count++;
    if (p < tests->least) {
        tests->least = p;
        tests->least_of = what;
    }
    if (p > tests->most) {
        tests->most = p;
        tests->most_of = what;
    }
}

static void test_positions(const struct draw_policy *policy,
                           const struct draw_tally *tally, struct tests *tests)
{
    double expected[DRAW_SYMBOLS_MAX];

    for (size_t symbol = 0; symbol < policy->symbols; symbol++)
        expected[symbol] =
            (double)tally->count * chance_of(policy, symbol, policy->symbols);
    for (size_t i = 0; i < policy->positions + policy->checks; i++)
        note(tests,
             odds_of_counts(tally->at + i * policy->symbols, expected, policy->symbols),
             "position");
}

static void test_symbols(const struct draw_policy *policy, const struct draw_tally *tally,
                         struct tests *tests)
{
    for (size_t symbol = 0; symbol < policy->symbols; symbol++) {
        uint64_t counts[DRAW_POSITIONS_MAX];
        double expected[DRAW_POSITIONS_MAX];
        double sum = 0;
        double each;

        for (size_t i = 0; i < policy->positions; i++) {
            counts[i] = tally->at[i * policy->symbols + symbol];
            sum += (double)counts[i];
        }
        each = sum / (double)policy->positions;
        for (size_t i = 0; i < policy->positions; i++)
            expected[i] = each;
        if (each >= 100)
            note(tests, odds_of_counts(counts, expected, policy->positions), "symbol");
    }
}

static void test_neighbours(const struct draw_policy *policy,
                            const struct draw_tally *tally, struct tests *tests)
{
    size_t cells = policy->symbols * policy->symbols;
    double *expected;

    if (draw_pair_cells(policy) == 0)
        return;
    expected = calloc(cells + 1, sizeof *expected);
    if (!expected)
        fail("out of memory");
    for (size_t i = 0; i < cells; i++)
        expected[i] = (double)tally->count *
                      chance_of(policy, i / policy->symbols, i % policy->symbols);
    for (size_t i = 0; i + 1 < policy->positions; i++)
        note(tests, odds_of_counts(tally->pairs + i * cells, expected, cells),
             "neighbours");
    free(expected);
}

static void test_classes(const struct draw_policy *policy, const struct draw_tally *tally,
                         struct tests *tests)
{
    for (unsigned class = 0; policy->has_classes && class < DRAW_CLASSES; class ++) {
        double expected[DRAW_POSITIONS_MAX + 1];

        for (size_t many = 0; many <= policy->positions; many++)
            expected[many] = (double)tally->count * chance_of_many(policy, class, many);
        note(tests,
             odds_of_counts(tally->classes[class], expected, policy->positions + 1),
             "class");
    }
}

/* Two that are equal, or whose hashes are by chance. */
static bool test_repeats(const struct draw_policy *policy, uint64_t count,
                         uint64_t repeats)
{
    double pairs = (double)count * ((double)count - 1) / 2;
    double expected = pairs / exp2(draw_bits(policy)) + pairs / exp2(64);
    double p = odds_of_many(repeats, expected);

    (void)printf("%-18s %llu repeats (%.2g expected)\n", "", (unsigned long long)repeats,
                 expected);
    return p >= p_least;
}

/* --- the campaign --- */

static void chunk_path(const struct options *options, const struct draw_policy *policy,
                       size_t number, char out[512])
{
    (void)snprintf(out, 512, "%s/%s-%04zu.chunk", options->tally, policy->name, number);
}

static uint64_t share_of(const struct options *options, const struct draw_policy *policy)
{
    uint64_t whole = 0;

    for (size_t i = 0; i < draw_policy_count; i++)
        whole += draw_policies[i].weight;
    return (uint64_t)((double)options->count * policy->weight / (double)whole);
}

static void wait_for_one(size_t *running)
{
    int status = 0;
    pid_t pid;

    do
        pid = waitpid(-1, &status, 0);
    while (pid < 0 && errno == EINTR);
    if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail("a process that draws has failed");
    --*running;
}

/* Draws what is missing of a kind, in chunks, several at once. Returns how many chunks
 * there are then; *ret_drawn grows. */
static size_t draw_missing(const struct options *options,
                           const struct draw_policy *policy, char (*paths)[512],
                           uint64_t *ret_drawn)
{
    uint64_t wanted = share_of(options, policy);
    struct draw_tally there;
    size_t running = 0;
    size_t number = 0;

    draw_tally_init(&there, policy);
    for (; number < PATHS_MAX; number++) {
        chunk_path(options, policy, number, paths[number]);
        if (!draw_chunk_add(policy, paths[number], &there))
            break;
    }
    for (uint64_t have = there.count; have < wanted; number++) {
        uint64_t count = wanted - have < options->chunk ? wanted - have : options->chunk;

        if (number == PATHS_MAX)
            fail("too many chunks: make them larger");
        chunk_path(options, policy, number, paths[number]);
        if (running == options->jobs)
            wait_for_one(&running);
        (void)fflush(stdout);
        switch (fork()) {
        case 0:
            randombytes_stir();
            draw_chunk(policy, count, paths[number]);
            _exit(0);
        case -1:
            fail("no more processes");
        default:
            running++;
        }
        have += count;
        *ret_drawn += count;
    }
    while (running > 0)
        wait_for_one(&running);
    draw_tally_release(&there);
    return number;
}

static bool examine(const struct draw_policy *policy, char (*paths)[512], size_t count,
                    struct tests *all, uint64_t *ret_total)
{
    struct tests tests = { .least = 1 };
    struct draw_tally tally;
    bool good;

    draw_tally_init(&tally, policy);
    for (size_t i = 0; i < count; i++)
        if (!draw_chunk_add(policy, paths[i], &tally))
            fail("a chunk is gone");
    test_positions(policy, &tally, &tests);
    test_symbols(policy, &tally, &tests);
    test_neighbours(policy, &tally, &tests);
    test_classes(policy, &tally, &tests);
    (void)printf("%-18s %11llu drawn, %4zu tests, p from %.3g (%s) to 1 - %.3g (%s)\n",
                 policy->name, (unsigned long long)tally.count, tests.count, tests.least,
                 tests.least_of ? tests.least_of : "-", 1 - tests.most,
                 tests.most_of ? tests.most_of : "-");
    good = test_repeats(policy, tally.count, draw_repeats(policy, paths, count));
    all->count += tests.count;
    if (tests.least < all->least)
        all->least = tests.least;
    if (tests.most > all->most)
        all->most = tests.most;
    *ret_total += tally.count;
    draw_tally_release(&tally);
    return good;
}

/* --- the report --- */

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void record(const struct options *options, const struct tests *tests,
                   uint64_t total, uint64_t drawn, bool good, double seconds)
{
    FILE *file = fopen(options->record, "a");

    if (!file)
        fail("cannot open the record");
    (void)fprintf(file,
                  "{\"class\":\"2.16\",\"part\":\"passwords and "
                  "codes\",\"tried\":%llu,\"survived\":%llu,"
                  "\"tests\":%zu,\"min_p\":%.6g,\"max_p\":%.9g,\"min_p_corrected\":%.6g,"
                  "\"max_p_corrected\":%.9g,\"drawn_from\":\"%s\",\"drawn_now\":%llu,"
                  "\"seconds\":%.1f}\n",
                  (unsigned long long)total, (unsigned long long)(good ? total : 0),
                  tests->count, tests->least, tests->most,
                  odds_of_smallest(tests->least, tests->count),
                  1 - odds_of_smallest(1 - tests->most, tests->count),
                  options->is_buffered ? "getrandom, 64 KiB at a time" : "getrandom",
                  (unsigned long long)drawn, seconds);
    if (fclose(file) != 0)
        fail("cannot write the record");
}

static bool run(const struct options *options)
{
    static char paths[PATHS_MAX][512];
    struct tests tests = { .least = 1 };
    double began = now_s();
    double seconds;
    uint64_t total = 0;
    uint64_t drawn = 0;
    bool good = true;

    for (size_t i = 0; i < draw_policy_count; i++) {
        size_t chunks = draw_missing(options, &draw_policies[i], paths, &drawn);

        good = examine(&draw_policies[i], paths, chunks, &tests, &total) && good;
    }
    seconds = now_s() - began;
    good = good && odds_of_smallest(tests.least, tests.count) >= p_least &&
           odds_of_smallest(1 - tests.most, tests.count) >= p_least;
    (void)printf("%llu drawn (%llu now, %.0f a second), %zu tests: the smallest p %.3g, "
                 "corrected %.3g; the largest 1 - %.3g, corrected %.3g: %s\n",
                 (unsigned long long)total, (unsigned long long)drawn,
                 (double)drawn / seconds, tests.count, tests.least,
                 odds_of_smallest(tests.least, tests.count), 1 - tests.most,
                 odds_of_smallest(1 - tests.most, tests.count),
                 good ? "no bias" : "BIAS");
    if (options->record)
        record(options, &tests, total, drawn, good, seconds);
    return good;
}

/* --- the system's numbers, many at a time --- */

static uint8_t numbers[64 * 1024];
static size_t numbers_at = sizeof numbers;

static const char *buffered_name(void)
{
    return "getrandom, buffered";
}

/* After a fork, whose two sides must not draw the same. */
static void buffered_stir(void)
{
    numbers_at = sizeof numbers;
}

static void buffered_fill(void *const bytes, const size_t size)
{
    uint8_t *out = bytes;

    for (size_t done = 0; done < size;) {
        size_t count = sizeof numbers - numbers_at;

        if (count == 0) {
            for (size_t at = 0; at < sizeof numbers; at += 256)
                if (getentropy(numbers + at, 256) != 0)
                    fail("the system gives no random numbers");
            numbers_at = 0;
            continue;
        }
        count = count < size - done ? count : size - done;
        memcpy(out + done, numbers + numbers_at, count);
        numbers_at += count;
        done += count;
    }
}

static uint32_t buffered_number(void)
{
    uint32_t number;

    buffered_fill(&number, sizeof number);
    return number;
}

static struct randombytes_implementation buffered = {
    .implementation_name = buffered_name,
    .random = buffered_number,
    .stir = buffered_stir,
    .buf = buffered_fill,
};

/* --- the command line --- */

static uint64_t number_of(const char *text, uint64_t max)
{
    uint64_t value;

    if (!text || !psn_text_parse_u64(text, max, &value) || value == 0)
        fail("usage: [--count N] [--jobs N] [--chunk N] [--tally FOLDER] [--record "
             "FILE] [--buffered]");
    return value;
}

static void read_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--buffered") == 0) {
            options->is_buffered = true;
            continue;
        }
        if (strcmp(argv[i], "--count") == 0)
            options->count = number_of(value, UINT64_C(1000000000000));
        else if (strcmp(argv[i], "--jobs") == 0)
            options->jobs = number_of(value, JOBS_MAX);
        else if (strcmp(argv[i], "--chunk") == 0)
            options->chunk = number_of(value, 100000000);
        else if (strcmp(argv[i], "--tally") == 0 && value)
            options->tally = value;
        else if (strcmp(argv[i], "--record") == 0 && value)
            options->record = value;
        else
            (void)number_of(NULL, 0);
        i++;
    }
}

static void remove_chunks(const struct options *options)
{
    char path[512];

    for (size_t i = 0; i < draw_policy_count; i++)
        for (size_t number = 0; number < PATHS_MAX; number++) {
            chunk_path(options, &draw_policies[i], number, path);
            if (unlink(path) != 0)
                break;
        }
    (void)rmdir(options->tally);
}

int main(int argc, char **argv)
{
    struct options options = { .count = 1000000, .jobs = 2, .chunk = 4000000 };
    char folder[256];
    bool is_kept;
    bool good;

    read_options(argc, argv, &options);
    if (!options.record)
        options.record = getenv("PASSATION_RECORD");
    is_kept = options.tally;
    if (is_kept && mkdir(options.tally, 0700) != 0 && errno != EEXIST)
        fail("cannot make the folder of the tally");
    if (!is_kept) {
        const char *root = getenv("TMPDIR");

        (void)snprintf(folder, sizeof folder, "%s/passation-bias.XXXXXX",
                       root && *root ? root : "/tmp");
        options.tally = mkdtemp(folder);
        if (!options.tally)
            fail("cannot make a folder");
    }
    if (options.is_buffered)
        (void)randombytes_set_implementation(&buffered);
    if (psn_crypto_init(NULL))
        fail("no random numbers");
    good = run(&options);
    if (!is_kept)
        remove_chunks(&options);
    return good ? 0 : 1;
}
