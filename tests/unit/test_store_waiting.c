#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/internal.h"
#include "support/store_fixture.h"

/*
 * Rows of a large transaction wait for each other before SQLite gets them. Nobody who
 * reads may see a difference, and what cannot be kept, or read back, undoes all of it.
 */
enum {
    TABLE = 6,
    OTHER = 9,
    FEW = PSN_STORE_MANY_CHANGES + 50, /* some of them wait */
    MANY = 12000,                      /* more bytes than are kept in memory */
    PART = 100,                        /* none of so many waits */
    TOO_MANY = 205000,                 /* more rows than may wait */
};

/* --------------------------------------------------------- files that cannot be had */

static struct {
    bool no_file;      /* the file system knows no files without a name */
    bool no_room;      /* it is full */
    bool is_unread;    /* what was written cannot be read */
    bool is_cut;       /* its end is gone */
    bool is_changed;   /* it is something else */
    unsigned nameless; /* files so far */
} disk;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    int mode;

    va_start(args, flags);
    mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, int) : 0;
    va_end(args);
    if ((flags & O_TMPFILE) != O_TMPFILE)
        return __real_open(path, flags, mode);
    disk.nameless++;
    if (disk.no_file) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_open(path, flags, mode);
}

ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
    if (!disk.no_room)
        return __real_write(fd, bytes, size);
    errno = ENOSPC;
    return -1;
}

ssize_t __real_pread(int fd, void *bytes, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t at)
{
    if (disk.is_cut)
        return 0;
    if (disk.is_changed)
        memset(bytes, 0, size);
    if (disk.is_changed)
        return (ssize_t)size;
    if (!disk.is_unread)
        return __real_pread(fd, bytes, size, at);
    errno = EIO;
    return -1;
}

/* ----------------------------------------------------------------- helpers */

static int set_up(void **state)
{
    memset(&disk, 0, sizeof disk);
    return store_fixture_set_up(state);
}

static void take_away(struct psn_store *store, uint64_t seed)
{
    uint8_t key[24];

    store_fixture_key(seed, key);
    assert_int_equal(psn_store_delete(store, TABLE, key, sizeof key, NULL), PSN_OK);
}

/* Of every eight rows one is replaced, one replaced twice, and one goes. */
static void change(struct psn_store *store, uint64_t seed)
{
    if (seed % 8 == 3 || seed % 8 == 5)
        must_put(store, TABLE, seed, 2);
    if (seed % 8 == 5)
        must_put(store, TABLE, seed, 3);
    if (seed % 64 == 7) /* each has all that waits written */
        take_away(store, seed);
}

static void assert_changed(struct psn_store *store, uint64_t count)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    for (uint64_t seed = 0; seed < count; seed++)
        if (seed % 64 == 7)
            assert_int_equal(look_up(store, TABLE, seed, &row), PSN_E_NOT_FOUND);
        else
            assert_store_row(store, TABLE, seed,
                             seed % 8 == 3   ? 2
                             : seed % 8 == 5 ? 3
                                             : 1);
    assert_int_equal(look_up(store, TABLE, count, &row), PSN_E_NOT_FOUND);
}

/* The root of what change() leaves of so many rows, written in parts so small that none
 * of them waits. */
static void expected_root(const char *path, uint64_t count,
                          uint8_t ret_root[PSN_STORE_HASH_SIZE])
{
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_store_roots roots;

    store_fixture_make(path, TABLE, 0, 1);
    store = store_fixture_open(path);
    for (uint64_t seed = 0; seed < count; seed++) {
        if (seed % PART == 0)
            must_begin(store, PSN_STORE_WRITE);
        if (seed > 0)
            must_put(store, TABLE, seed, 1);
        change(store, seed);
        if (seed % PART == PART - 1 || seed + 1 == count)
            must_commit(store, seed);
    }
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_OK);
    memcpy(ret_root, roots.hash[TABLE], PSN_STORE_HASH_SIZE);
}

static void assert_whole(const struct store_fixture *at, uint64_t count)
{
    PSN_AUTO(psn_store) *store = store_fixture_open(at->path);
    uint64_t rows = 0;

    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_check(store, NULL), PSN_OK);
    assert_int_equal(psn_store_row_count(store, &rows, NULL), PSN_OK);
    assert_int_equal(rows, count);
}

/* ----------------------------------------------------------------- tests */

static void rows_that_wait_are_read_replaced_and_deleted_as_others(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_store_roots roots;
    uint8_t expected[PSN_STORE_HASH_SIZE];

    expected_root(at->other, MANY, expected);
    store_fixture_make(at->path, OTHER, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t seed = 0; seed < MANY; seed++)
        must_put(store, TABLE, seed, 1);
    assert_int_equal(disk.nameless, 1);
    for (uint64_t seed = 0; seed < MANY; seed += 7)
        assert_store_row(store, TABLE, seed, 1);
    for (uint64_t seed = 0; seed < MANY; seed++)
        change(store, seed);
    assert_changed(store, MANY);
    assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_OK);
    assert_memory_equal(roots.hash[TABLE], expected, sizeof expected);
    must_commit(store, 2);
    must_begin(store, PSN_STORE_READ);
    assert_changed(store, MANY);
    psn_store_rollback(store);
    assert_whole(at, 1 + MANY - (MANY + 56) / 64);
}

static void a_place_that_is_taken_is_taken_by_a_row_that_waits(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    store_fixture_make(at->path, OTHER, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t seed = 0; seed < FEW; seed++)
        must_put(store, TABLE, seed, 1);
    store_fixture_row(FEW - 1, 1, &row);
    assert_int_equal(psn_store_put(store, TABLE, &row, NULL), PSN_E_EXISTS);
    store_fixture_row(FEW - 1, 3, &row);
    assert_int_equal(psn_store_put(store, TABLE, &row, NULL), PSN_E_CONFLICT);
    must_commit(store, 2);
    assert_whole(at, 1 + FEW);
}

static void a_scan_and_a_count_find_rows_that_wait(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    uint64_t rows = 0;

    store_fixture_make(at->path, OTHER, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t seed = 0; seed < FEW; seed++)
        must_put(store, TABLE, seed, 1);
    assert_int_equal(psn_store_row_count(store, &rows, NULL), PSN_OK);
    assert_int_equal(rows, 1 + FEW);
    for (uint64_t seed = FEW; seed < 2 * FEW; seed++)
        must_put(store, TABLE, seed, 1);
    assert_int_equal(store_fixture_count_rows(store, TABLE), 2 * FEW);
    must_commit(store, 2);
    assert_whole(at, 1 + 2 * FEW);
}

static void rows_that_wait_are_forgotten_with_their_transaction(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    store_fixture_make(at->path, OTHER, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t seed = 0; seed < MANY; seed++)
        must_put(store, TABLE, seed, 1);
    psn_store_rollback(store);
    must_begin(store, PSN_STORE_WRITE);
    assert_int_equal(look_up(store, TABLE, MANY - 1, &row), PSN_E_NOT_FOUND);
    must_put(store, TABLE, MANY - 1, 1);
    must_commit(store, 2);
    assert_whole(at, 2);
    assert_int_equal(count_files(at->dir), 3); /* the vault, its log and their index */
}

static void more_rows_than_may_wait_are_written_in_turns(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;

    store_fixture_make(at->path, OTHER, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t seed = 0; seed < TOO_MANY; seed++)
        must_put(store, TABLE, seed, 1);
    assert_int_equal(disk.nameless, 2);
    must_commit(store, 2);
    assert_whole(at, 1 + TOO_MANY);
}

static void rows_are_written_at_once_where_no_file_can_hold_them(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;

    disk.no_file = true;
    store_fixture_make(at->path, OTHER, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t seed = 0; seed < MANY; seed++)
        must_put(store, TABLE, seed, 1);
    assert_int_equal(disk.nameless, 1);
    for (uint64_t seed = 0; seed < MANY; seed++)
        change(store, seed);
    assert_changed(store, MANY);
    must_commit(store, 2);
    assert_whole(at, 1 + MANY - (MANY + 56) / 64);
}

/* Puts rows until one fails: the code, and nothing else can be done in the transaction.
 */
static enum psn_code put_until_it_fails(struct psn_store *store, uint64_t count)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_store_roots roots;
    enum psn_code rc = PSN_OK;

    for (uint64_t seed = 0; !rc && seed < count; seed++) {
        store_fixture_row(seed, 1, &row);
        rc = psn_store_put(store, TABLE, &row, NULL);
    }
    if (!rc)
        rc = psn_store_roots(store, &roots, NULL);
    assert_int_equal(psn_store_roots(store, &roots, NULL), rc);
    psn_store_rollback(store);
    return rc;
}

static void rows_that_cannot_be_kept_undo_the_transaction(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;

    store_fixture_make(at->path, OTHER, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    disk.no_room = true;
    assert_int_equal(put_until_it_fails(store, MANY), PSN_E_FULL);
    disk.no_room = false;
    assert_whole(at, 1);
}

static void rows_that_cannot_be_read_back_undo_the_transaction(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;

    store_fixture_make(at->path, OTHER, 0, 1);
    store = store_fixture_open(at->path);
    for (int i = 0; i < 3; i++) {
        must_begin(store, PSN_STORE_WRITE);
        disk.is_unread = i == 0;
        disk.is_cut = i == 1;
        disk.is_changed = i == 2;
        assert_int_equal(put_until_it_fails(store, MANY), PSN_E_IO);
    }
    disk.is_changed = false;
    assert_whole(at, 1);
}

/* Somebody puts a row into the file that is in the bucket of a seed's: its very key, or
 * one beside it. */
static void put_stray(const char *path, uint64_t seed, bool is_beside)
{
    char sql[256];
    char hex[2 * 24 + 1];
    uint8_t key[24];

    store_fixture_key(seed, key);
    key[23] ^= is_beside;
    for (size_t i = 0; i < sizeof key; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", key[i]);
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO record VALUES (%d, x'%s', 1, x'', zeroblob(104))", TABLE,
                   hex);
    store_fixture_sql(path, sql);
}

/* A large transaction believes the tree that a bucket is empty, up to where its rows are
 * written: in turns, where they are more than may wait; at once, where they may not. */
static void a_row_that_should_not_be_there_undoes_a_large_transaction(void **state)
{
    static const struct {
        uint64_t seed, count;
        bool is_beside, no_file;
    } cases[] = {
        { 260, FEW, true, false },
        { FEW - 1, FEW, false, false },
        { FEW - 1, FEW, true, false },
        { MANY - 1, MANY, true, false },
        { 300, MANY, false, true },
        { 300, TOO_MANY, true, false },
        { TOO_MANY - 1, TOO_MANY, false, false },
    };
    struct store_fixture *at = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        PSN_AUTO(psn_store) *store = NULL;

        store_fixture_make(at->path, OTHER, 0, 1);
        put_stray(at->path, cases[i].seed, cases[i].is_beside);
        disk.no_file = cases[i].no_file;
        store = store_fixture_open(at->path);
        must_begin(store, PSN_STORE_WRITE);
        assert_int_equal(put_until_it_fails(store, cases[i].count), PSN_E_INTEGRITY);
        psn_store_free(PSN_TAKE(store));
        assert_int_equal(unlink(at->path), 0);
        (void)unlink(beside_vault(at, "-wal"));
        (void)unlink(beside_vault(at, "-shm"));
    }
}

/* Asked for, and not written: the tree knows that it is empty, and it is found by whoever
 * writes there, also where the bucket is remembered. */
static void a_row_that_should_not_be_there_is_found_where_the_bucket_was_looked_at(
    void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    store_fixture_make(at->path, OTHER, 0, 1);
    put_stray(at->path, MANY, true);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t seed = 0; seed < FEW; seed++)
        must_put(store, TABLE, seed, 1);
    assert_int_equal(look_up(store, TABLE, MANY, &row), PSN_E_NOT_FOUND);
    must_commit(store, 2);
    must_begin(store, PSN_STORE_WRITE);
    store_fixture_row(MANY, 1, &row);
    assert_int_equal(psn_store_put(store, TABLE, &row, NULL), PSN_E_INTEGRITY);
    psn_store_rollback(store);
}

static void places_are_sorted_and_equal_ones_as_they_came(void **state)
{
    enum {
        COUNT = 3000
    };
    uint64_t numbers[COUNT];
    uint64_t scratch[COUNT];

    (void)state;
    for (size_t count = 0; count <= COUNT; count = count < 80 ? count + 1 : count + 977) {
        for (size_t i = 0; i < count; i++) {
            uint8_t key[24];

            store_fixture_key(i % 1000, key);
            memcpy(&numbers[i], key, sizeof numbers[i]);
            numbers[i] = numbers[i] >> 42 << 42 | (count - i);
        }
        psn_sort(numbers, count, scratch);
        for (size_t i = 1; i < count; i++)
            assert_true(numbers[i - 1] < numbers[i]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, store_fixture_tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(rows_that_wait_are_read_replaced_and_deleted_as_others),
        TEST(a_place_that_is_taken_is_taken_by_a_row_that_waits),
        TEST(a_scan_and_a_count_find_rows_that_wait),
        TEST(rows_that_wait_are_forgotten_with_their_transaction),
        TEST(more_rows_than_may_wait_are_written_in_turns),
        TEST(rows_are_written_at_once_where_no_file_can_hold_them),
        TEST(rows_that_cannot_be_kept_undo_the_transaction),
        TEST(rows_that_cannot_be_read_back_undo_the_transaction),
        TEST(a_row_that_should_not_be_there_undoes_a_large_transaction),
        TEST(a_row_that_should_not_be_there_is_found_where_the_bucket_was_looked_at),
        TEST(places_are_sorted_and_equal_ones_as_they_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
