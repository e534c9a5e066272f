#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/record.h"
#include "support/store_tamper.h"

static unsigned flips[3];

static void flip_and_examine(const struct tampered *it, const char *file, uint8_t *bytes,
                             size_t size, size_t at, unsigned bit)
{
    enum finding finding;

    bytes[at] ^= (uint8_t)(1u << bit);
    store_fixture_write_file(file, bytes, size);
    finding = tamper_examine(it);
    if (finding == WRONG)
        print_message("wrong: bit %u of byte %zu\n", bit, at);
    flips[finding]++;
    bytes[at] ^= (uint8_t)(1u << bit);
}

static void record_flips(const char *part)
{
    unsigned good = flips[FOUND] + flips[HARMLESS];

    record_figure("2.21", part, good + flips[WRONG], good);
}

static size_t stride_of(const char *variable, size_t usual)
{
    const char *text = getenv(variable);

    return text ? strtoul(text, NULL, 10) : usual;
}

/* PSN_FLIP_STRIDE=1 flips a bit of every byte. */
static void flipped_bits_of_the_file_show_nothing_wrong(void **state)
{
    struct tampered *it = *state;
    size_t stride = stride_of("PSN_FLIP_STRIDE", 5);
    size_t size = 0;
    uint8_t *bytes;
    char name[320];

    tamper_close(it);
    bytes = store_fixture_read_file(it->at->path, &size);
    memset(flips, 0, sizeof flips);
    for (size_t at = 0; at < size; at += at < 4096 ? 1 : stride) {
        (void)snprintf(name, sizeof name, "%s-wal", it->at->path);
        (void)unlink(name);
        (void)snprintf(name, sizeof name, "%s-shm", it->at->path);
        (void)unlink(name);
        flip_and_examine(it, it->at->path, bytes, size, at, (unsigned)(at * 7 % 8));
    }
    free(bytes);
    print_message("%u flips of %zu bytes: %u found, %u harmless, %u wrong\n",
                  flips[FOUND] + flips[HARMLESS] + flips[WRONG], size, flips[FOUND],
                  flips[HARMLESS], flips[WRONG]);
    record_flips("flips of the file");
    assert_true(flips[FOUND] > 1000);
    assert_int_equal(flips[WRONG], 0);
}

/* A WAL that is cut short by a wrong checksum is an older vault, which the generation in
 * the root box tells. */
static void flipped_bits_of_the_wal_show_nothing_wrong(void **state)
{
    struct tampered *it = *state;
    size_t stride = stride_of("PSN_FLIP_STRIDE", 5) * 19;
    size_t main_size = 0;
    size_t size = 0;
    uint8_t *main_bytes;
    uint8_t *bytes;
    char wal[320];
    char shm[320];

    (void)snprintf(wal, sizeof wal, "%s-wal", it->at->path);
    (void)snprintf(shm, sizeof shm, "%s-shm", it->at->path);
    bytes = store_fixture_read_file(wal, &size);
    main_bytes = store_fixture_read_file(it->at->path, &main_size);
    assert_true(size > 40000);
    (void)sqlite3_close_v2(it->raw);
    it->raw = NULL;
    memset(flips, 0, sizeof flips);
    for (size_t at = 0; at < size; at += at < 200 ? 1 : stride) {
        (void)unlink(shm);
        store_fixture_write_file(it->at->path, main_bytes, main_size);
        flip_and_examine(it, wal, bytes, size, at, (unsigned)(at * 7 % 8));
    }
    free(bytes);
    free(main_bytes);
    print_message("%u flips of the WAL: %u found, %u harmless, %u wrong\n",
                  flips[FOUND] + flips[HARMLESS] + flips[WRONG], flips[FOUND],
                  flips[HARMLESS], flips[WRONG]);
    record_flips("flips of the WAL");
    assert_true(flips[FOUND] > 300);
    assert_int_equal(flips[WRONG], 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tamper_set_up, tamper_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(flipped_bits_of_the_file_show_nothing_wrong),
        CASE(flipped_bits_of_the_wal_show_nothing_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
