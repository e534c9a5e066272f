#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/internal.h"
#include "store/store.h"
#include "support/store_fixture.h"

/* ----------------------------------------------------------------- rows */

static void rows_come_back_as_they_were_put(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO(psn_store) *store = NULL;

    store_fixture_make(at->path, 5, 0, 100);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_READ);
    for (uint64_t i = 0; i < 100; i++)
        assert_store_row(store, 5, i, 1);
    assert_int_equal(look_up(store, 5, 100, &row), PSN_E_NOT_FOUND);
    assert_int_equal(look_up(store, 4, 0, &row), PSN_E_NOT_FOUND);
    assert_int_equal(row.box.size, 0);
    assert_int_equal(store_fixture_count_rows(store, 5), 100);
}

static void the_largest_and_smallest_rows_fit(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) large = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) small = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };

    memset(large.key, 0xff, sizeof large.key);
    large.key_size = PSN_STORE_KEY_MAX;
    large.revision = 1;
    memset(psn_buf_reserve(&large.clear, PSN_STORE_CLEAR_MAX), 1, PSN_STORE_CLEAR_MAX);
    memset(psn_buf_reserve(&large.box, PSN_STORE_BOX_MAX), 2, PSN_STORE_BOX_MAX);
    small.key_size = PSN_STORE_KEY_MIN;
    small.revision = 1;
    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    must_begin(store, PSN_STORE_WRITE);
    assert_int_equal(psn_store_put(store, 15, &large, &err), PSN_OK);
    assert_int_equal(psn_store_put(store, 15, &small, &err), PSN_OK);
    must_commit(store, 1);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_get(store, 15, large.key, large.key_size, &row, &err),
                     PSN_OK);
    assert_store_rows_equal(&row, &large);
    assert_int_equal(psn_store_get(store, 15, small.key, small.key_size, &row, &err),
                     PSN_OK);
    assert_store_rows_equal(&row, &small);
    assert_int_equal(store_fixture_count_rows(store, 15), 2);
    assert_int_equal(psn_store_check(store, &err), PSN_OK);
}

static void a_row_that_is_too_large_is_refused_and_nothing_spoiled(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_buf) wide = psn_buf_init(PSN_STORE_BOX_MAX + 1);
    struct psn_error err = { 0 };

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    store_fixture_row(7, 1, &row);
    (void)psn_buf_reserve(&wide, PSN_STORE_BOX_MAX + 1);
    psn_buf_release(&row.box);
    row.box = wide;
    wide = psn_buf_init(1);
    assert_int_equal(psn_store_put(store, 0, &row, &err), PSN_E_LIMIT);
    store_fixture_row(7, (uint64_t)INT64_MAX + 1, &row);
    assert_int_equal(psn_store_put(store, 0, &row, NULL), PSN_E_LIMIT);
    must_put(store, 0, 7, 1);
    must_commit(store, 2);
}

/* As after memory or the disk failed while SQLite read, and a caller went on. */
static void a_transaction_that_sqlite_gave_up_takes_nothing_more(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    must_put(store, 0, 7, 1);
    assert_int_equal(sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    store_fixture_row(8, 1, &row);
    assert_int_equal(psn_store_put(store, 0, &row, &err), PSN_E_IO);
    assert_int_equal(look_up(store, 0, 0, &row), PSN_E_IO);
    assert_int_equal(store_fixture_commit(store, 2, NULL), PSN_E_IO);
    psn_store_rollback(store);
    must_begin(store, PSN_STORE_READ);
    assert_store_row(store, 0, 0, 1);
    assert_int_equal(look_up(store, 0, 7, &row), PSN_E_NOT_FOUND);
    assert_int_equal(look_up(store, 0, 8, &row), PSN_E_NOT_FOUND);
}

static void revisions_are_compared_before_a_row_is_replaced(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    static const struct {
        uint64_t seed;
        uint64_t revision;
        enum psn_code expected;
    } cases[] = {
        { 0, 1, PSN_E_EXISTS },   { 0, 2, PSN_OK }, { 0, 2, PSN_E_CONFLICT },
        { 0, 4, PSN_E_CONFLICT }, { 0, 3, PSN_OK }, { 0, 1, PSN_E_EXISTS },
        { 8, 2, PSN_E_CONFLICT }, { 8, 1, PSN_OK }, { 8, 2, PSN_OK },
        { 8, 4, PSN_E_CONFLICT },
    };

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct psn_error err = { 0 };

        store_fixture_row(cases[i].seed, cases[i].revision, &row);
        assert_int_equal(psn_store_put(store, 0, &row, &err), cases[i].expected);
        assert_int_equal(err.code, cases[i].expected);
    }
    must_commit(store, 2);
    must_begin(store, PSN_STORE_READ);
    assert_store_row(store, 0, 0, 3);
    assert_store_row(store, 0, 8, 2);
}

static void a_deleted_row_is_gone_and_so_are_its_bytes(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    static const char needle[] = "the needle that must not stay in the file";
    struct psn_store *store;
    struct psn_error err = { 0 };
    uint8_t *bytes;
    size_t size = 0;

    store_fixture_make(at->path, 0, 0, 40);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    store_fixture_row(77, 1, &row);
    psn_buf_bytes(&row.box, needle, sizeof needle);
    assert_int_equal(psn_store_put(store, 0, &row, &err), PSN_OK);
    must_commit(store, 2);
    must_begin(store, PSN_STORE_WRITE);
    assert_int_equal(psn_store_delete(store, 0, row.key, row.key_size, &err), PSN_OK);
    assert_int_equal(psn_store_delete(store, 0, row.key, row.key_size, &err),
                     PSN_E_NOT_FOUND);
    must_commit(store, 3);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(look_up(store, 0, 77, &row), PSN_E_NOT_FOUND);
    psn_store_free(store);
    store_fixture_sql(at->path, "PRAGMA wal_checkpoint(TRUNCATE)");
    bytes = store_fixture_read_file(at->path, &size);
    assert_null(memmem(bytes, size, needle, sizeof needle));
    free(bytes);
}

static void a_table_that_becomes_empty_has_an_empty_root(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_store_roots roots;
    static const struct psn_store_roots none;
    struct psn_error err = { 0 };
    uint8_t key[24];

    store_fixture_make(at->path, 2, 0, 50);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_OK);
    assert_memory_not_equal(&roots, &none, sizeof roots);
    for (uint64_t i = 0; i < 50; i++) {
        store_fixture_key(i, key);
        assert_int_equal(psn_store_delete(store, 2, key, sizeof key, &err), PSN_OK);
    }
    assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_OK);
    assert_memory_equal(&roots, &none, sizeof roots);
    assert_int_equal(psn_store_check(store, &err), PSN_OK);
    must_commit(store, 2);
}

/* ----------------------------------------------------------------- transactions */

static void a_rollback_forgets(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    uint64_t generation = 0;

    store_fixture_make(at->path, 0, 0, 3);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    must_put(store, 0, 9, 1);
    psn_store_rollback(store);
    psn_store_rollback(store);
    psn_store_rollback(NULL);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_READ, &generation, NULL),
                     PSN_OK);
    assert_int_equal(generation, 1);
    assert_int_equal(look_up(store, 0, 9, &row), PSN_E_NOT_FOUND);
    assert_int_equal(psn_store_commit(store, NULL, NULL), PSN_OK);
}

static void a_reader_keeps_its_snapshot_while_another_writes(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *reader = NULL;
    PSN_AUTO(psn_store) *writer = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    store_fixture_make(at->path, 0, 0, 10);
    reader = store_fixture_open(at->path);
    writer = store_fixture_open(at->path);
    must_begin(reader, PSN_STORE_READ);
    must_begin(writer, PSN_STORE_WRITE);
    must_put(writer, 0, 3, 2);
    must_put(writer, 0, 50, 1);
    must_commit(writer, 2);
    assert_store_row(reader, 0, 3, 1);
    assert_int_equal(look_up(reader, 0, 50, &row), PSN_E_NOT_FOUND);
    assert_int_equal(store_fixture_count_rows(reader, 0), 10);
    assert_int_equal(psn_store_commit(reader, NULL, NULL), PSN_OK);
    must_begin(reader, PSN_STORE_READ);
    assert_store_row(reader, 0, 3, 2);
    assert_store_row(reader, 0, 50, 1);
}

static void a_second_writer_waits_ten_seconds_and_is_told(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *first = NULL;
    PSN_AUTO(psn_store) *second = NULL;
    struct psn_error err = { 0 };
    struct timespec start;
    struct timespec now;

    store_fixture_make(at->path, 0, 0, 1);
    first = store_fixture_open(at->path);
    second = store_fixture_open(at->path);
    must_begin(first, PSN_STORE_WRITE);
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    assert_int_equal(store_fixture_begin(second, PSN_STORE_WRITE, NULL, &err),
                     PSN_E_BUSY);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    assert_true(now.tv_sec - start.tv_sec >= 9 && now.tv_sec - start.tv_sec <= 20);
    assert_true(err.hint[0] != '\0');
    must_begin(second, PSN_STORE_READ);
    assert_store_row(second, 0, 0, 1);
    psn_store_rollback(second);
    must_commit(first, 2);
    must_begin(second, PSN_STORE_WRITE);
    must_commit(second, 3);
}

static void a_step_that_failed_half_way_forbids_the_commit(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };
    struct psn_store_roots roots;
    char sql[128];
    uint8_t key[24];

    store_fixture_make(at->path, 0, 0, 1);
    store_fixture_key(0, key);
    /* A stray top node where the new row's table has none: only writing it finds it,
     * when the tree is brought up to the row. */
    (void)snprintf(sql, sizeof sql, "INSERT INTO node VALUES (%d, x'%064d')", 9 << 14, 0);
    store_fixture_sql(at->path, sql);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    store_fixture_row(5, 1, &row);
    assert_int_equal(psn_store_put(store, 9, &row, &err), PSN_OK);
    assert_int_equal(psn_store_roots(store, &roots, &err), PSN_E_INTEGRITY);
    assert_int_equal(look_up(store, 0, 0, &row), PSN_E_INTEGRITY);
    assert_int_equal(store_fixture_commit(store, 2, NULL), PSN_E_INTEGRITY);
    must_begin(store, PSN_STORE_READ);
    assert_store_row(store, 0, 0, 1);
    assert_int_equal(look_up(store, 9, 5, &row), PSN_E_NOT_FOUND);
    assert_int_equal(psn_store_check(store, NULL), PSN_E_INTEGRITY);
}

static void a_check_looks_at_the_file_again(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_check(store, NULL), PSN_OK);
    assert_int_equal(psn_store_commit(store, NULL, NULL), PSN_OK);
    store_fixture_sql(at->path, "UPDATE node SET children = zeroblob(length(children))");
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_check(store, NULL), PSN_E_INTEGRITY);
}

static void a_scan_and_gets_go_together(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) again = psn_store_row_init();
    PSN_AUTO(psn_store_scan) *scan = NULL;
    bool found = true;
    unsigned count = 0;

    store_fixture_make(at->path, 0, 0, 200);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_scan_open(store, 0, NULL, 0, &scan, NULL), PSN_OK);
    while (found) {
        assert_int_equal(psn_store_scan_next(scan, &row, &found, NULL), PSN_OK);
        if (!found)
            break;
        assert_int_equal(psn_store_get(store, 0, row.key, row.key_size, &again, NULL),
                         PSN_OK);
        assert_store_rows_equal(&row, &again);
        if (count++ == 100)
            assert_int_equal(store_fixture_count_rows(store, 0), 200);
    }
    assert_int_equal(count, 200);
    assert_int_equal(psn_store_scan_next(scan, &row, &found, NULL), PSN_OK);
    assert_false(found);
}

static void the_wal_does_not_grow_with_the_number_of_commands(void **state)
{
    struct store_fixture *at = *state;
    struct stat info;

    store_fixture_make(at->path, 0, 0, 100);
    for (uint64_t i = 0; i < 120; i++) {
        PSN_AUTO(psn_store) *store = store_fixture_open(at->path);

        must_begin(store, PSN_STORE_WRITE);
        must_put(store, 0, i % 100, 2 + i / 100);
        must_commit(store, 2 + i);
    }
    assert_int_equal(lstat(beside_vault(at, "-wal"), &info), 0);
    assert_true(info.st_size < 576 * 1024);
}

/* ----------------------------------------------------------------- journal */

static void journal_chains_are_kept_apart(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    static const uint8_t vault[PSN_STORE_CHAIN_SIZE] = "the vault chain";
    static const uint8_t client[PSN_STORE_CHAIN_SIZE] = "a client chain";
    struct psn_error err = { 0 };
    uint64_t count = 0;

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t i = 1; i <= 20; i++) {
        entry.number = i;
        memset(entry.hash, (int)i, sizeof entry.hash);
        psn_buf_reset(&entry.box);
        psn_buf_format(&entry.box, "entry %u", (unsigned)i);
        assert_int_equal(psn_store_journal_append(store, vault, &entry, &err), PSN_OK);
        if (i <= 5)
            assert_int_equal(psn_store_journal_append(store, client, &entry, &err),
                             PSN_OK);
    }
    must_commit(store, 2);
    must_begin(store, PSN_STORE_WRITE);
    assert_int_equal(psn_store_journal_count(store, &count, &err), PSN_OK);
    assert_int_equal(count, 25);
    assert_int_equal(psn_store_journal_get(store, vault, 17, &entry, &err), PSN_OK);
    assert_int_equal(entry.number, 17);
    assert_int_equal(entry.hash[31], 17);
    assert_string_equal(psn_buf_str(&entry.box), "entry 17");
    assert_int_equal(psn_store_journal_get(store, client, 6, &entry, &err),
                     PSN_E_NOT_FOUND);
    assert_int_equal(entry.number, 17);
    assert_int_equal(psn_store_journal_delete(store, client, NULL), PSN_OK);
    assert_int_equal(psn_store_journal_count(store, &count, NULL), PSN_OK);
    assert_int_equal(count, 20);
    must_commit(store, 3);
}

static void a_journal_row_is_never_overwritten(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    static const uint8_t chain[PSN_STORE_CHAIN_SIZE] = { 1 };
    struct psn_error err = { 0 };

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    entry.number = 1;
    psn_buf_text(&entry.box, "first");
    assert_int_equal(psn_store_journal_append(store, chain, &entry, &err), PSN_OK);
    assert_int_equal(psn_store_journal_append(store, chain, &entry, &err),
                     PSN_E_INTEGRITY);
    assert_int_equal(store_fixture_commit(store, 2, NULL), PSN_E_INTEGRITY);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(rows_come_back_as_they_were_put),
        CASE(the_largest_and_smallest_rows_fit),
        CASE(a_row_that_is_too_large_is_refused_and_nothing_spoiled),
        CASE(a_transaction_that_sqlite_gave_up_takes_nothing_more),
        CASE(revisions_are_compared_before_a_row_is_replaced),
        CASE(a_deleted_row_is_gone_and_so_are_its_bytes),
        CASE(a_table_that_becomes_empty_has_an_empty_root),
        CASE(a_rollback_forgets),
        CASE(a_reader_keeps_its_snapshot_while_another_writes),
        CASE(a_second_writer_waits_ten_seconds_and_is_told),
        CASE(a_step_that_failed_half_way_forbids_the_commit),
        CASE(a_check_looks_at_the_file_again),
        CASE(a_scan_and_gets_go_together),
        CASE(the_wal_does_not_grow_with_the_number_of_commands),
        CASE(journal_chains_are_kept_apart),
        CASE(a_journal_row_is_never_overwritten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
