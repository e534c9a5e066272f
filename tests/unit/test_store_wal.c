#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/store.h"
#include "support/store_fixture.h"

/* When the log is folded into the file: SQLite before 3.51.3 may lose pages if somebody
 * begins the log anew in that moment, https://www.sqlite.org/wal.html#walresetbug. */

static size_t wal_size(const struct store_fixture *at)
{
    struct stat info;

    assert_int_equal(lstat(beside_vault(at, "-wal"), &info), 0);
    return (size_t)info.st_size;
}

/* Some 8 rows a page. */
static void put_many(struct psn_store *store, uint64_t first, uint64_t count)
{
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t i = first; i < first + count; i++)
        must_put(store, 0, i, 1);
    must_commit(store, first + count);
}

/* Somebody else who may write at any moment. */
static sqlite3 *other_writer(const struct store_fixture *at)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open_v2(at->path, &db, SQLITE_OPEN_READWRITE, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void assert_file_is(const struct store_fixture *at, const uint8_t *bytes,
                           size_t size)
{
    size_t now_size;
    PSN_AUTO_FREE uint8_t *now = store_fixture_read_file(at->path, &now_size);

    assert_int_equal(now_size, size);
    assert_memory_equal(now, bytes, size);
}

static void the_log_is_not_folded_in_while_another_may_write(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_FREE uint8_t *before = NULL;
    sqlite3 *other;
    size_t size;

    store_fixture_make(at->path, 0, 0, 100);
    store = store_fixture_open(at->path);
    put_many(store, 100, 2000);
    assert_true(wal_size(at) > 512 * 1024);
    before = store_fixture_read_file(at->path, &size);
    other = other_writer(at);
    psn_store_free(PSN_TAKE(store));
    assert_file_is(at, before, size);
    assert_true(wal_size(at) > 512 * 1024);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

static void the_next_one_out_folds_it_in(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    sqlite3 *other;

    store_fixture_make(at->path, 0, 0, 100);
    store = store_fixture_open(at->path);
    put_many(store, 100, 2000);
    other = other_writer(at);
    psn_store_free(PSN_TAKE(store));
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    store = store_fixture_open(at->path);
    put_many(store, 2100, 1);
    psn_store_free(PSN_TAKE(store));
    assert_int_equal(wal_size(at), 0);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(store_fixture_count_rows(store, 0), 2101);
}

static void a_long_commit_empties_the_log(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;

    store_fixture_make(at->path, 0, 0, 100);
    store = store_fixture_open(at->path);
    put_many(store, 100, 20000);
    assert_int_equal(wal_size(at), 0);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(store_fixture_count_rows(store, 0), 20100);
}

static void a_long_commit_leaves_the_log_to_who_reads_an_older_one(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO(psn_store) *reader = NULL;

    store_fixture_make(at->path, 0, 0, 100);
    store = store_fixture_open(at->path);
    reader = store_fixture_open(at->path);
    put_many(store, 100, 1);
    must_begin(reader, PSN_STORE_READ);
    assert_int_equal(store_fixture_count_rows(reader, 0), 101);
    put_many(store, 101, 20000);
    assert_true(wal_size(at) > 0);
    assert_int_equal(store_fixture_count_rows(reader, 0), 101);
    assert_int_equal(psn_store_commit(reader, NULL, NULL), PSN_OK);
    must_begin(reader, PSN_STORE_READ);
    assert_int_equal(store_fixture_count_rows(reader, 0), 20101);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(the_log_is_not_folded_in_while_another_may_write),
        CASE(the_next_one_out_folds_it_in),
        CASE(a_long_commit_empties_the_log),
        CASE(a_long_commit_leaves_the_log_to_who_reads_an_older_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
