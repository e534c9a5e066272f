#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sodium.h>

#include "store/store.h"
#include "support/store_fixture.h"

/*
 * Many rows of one address lie in one bucket. Up to some size it is kept in memory,
 * beyond only digests of its rows are: what is read, refused and hashed must be the same.
 */
enum {
    TABLE = 7,
    ROWS = 1500,
    BOX = 900,    /* so that all rows are some 1.4 MB */
    KEPT = 600,   /* so many are kept in memory */
    MANY = 20000, /* more than SQLite's usual cache holds */
};

/* ----------------------------------------------------------------- helpers */

/* Rows 0 … of one bucket, their keys of two sizes and in no order. */
static void large_row(uint64_t seed, uint64_t revision, struct psn_store_row *row)
{
    static const uint8_t start[16] = { 0x5a, 0x5a, 0x5a };

    row->key_size = seed % 2 ? 24 : 40;
    memcpy(row->key, start, sizeof start);
    (void)crypto_generichash(row->key + 16, row->key_size - 16, (const uint8_t *)&seed,
                             sizeof seed, NULL, 0);
    row->revision = revision;
    psn_buf_reset(&row->clear);
    psn_buf_reset(&row->box);
    for (size_t i = 0; i < BOX / 32 + seed % 3; i++)
        psn_buf_bytes(&row->box, row->key, 32);
    psn_buf_u64(&row->box, revision);
}

static enum psn_code put(struct psn_store *store, uint64_t seed, uint64_t revision)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    large_row(seed, revision, &row);
    return psn_store_put(store, TABLE, &row, NULL);
}

static enum psn_code get(struct psn_store *store, uint64_t seed, uint64_t revision)
{
    PSN_AUTO_RELEASE(psn_store_row) expected = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };
    enum psn_code rc;

    large_row(seed, revision, &expected);
    rc = psn_store_get(store, TABLE, expected.key, expected.key_size, &row, &err);
    if (!rc)
        assert_store_rows_equal(&row, &expected);
    else
        assert_int_equal(err.code, rc);
    return rc;
}

static void take_away(struct psn_store *store, uint64_t seed)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    large_row(seed, 1, &row);
    assert_int_equal(psn_store_delete(store, TABLE, row.key, row.key_size, NULL), PSN_OK);
}

/* A vault with rows 0 … ROWS - 1 of one bucket, all of revision 1. */
static void make(const struct store_fixture *at)
{
    PSN_AUTO(psn_store) *store = NULL;

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t i = 0; i < ROWS; i++)
        assert_int_equal(put(store, (i * 7) % ROWS, 1), PSN_OK);
    must_commit(store, 1);
}

/* ----------------------------------------------------------------- a second reading */

static void add_number(crypto_generichash_state *hash, uint64_t value, unsigned size)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    (void)crypto_generichash_update(hash, bytes, size);
}

static void begin_hash(crypto_generichash_state *hash, const char label[23])
{
    (void)crypto_generichash_init(hash, NULL, 0, 32);
    (void)crypto_generichash_update(hash, (const uint8_t *)label, 23);
    add_number(hash, TABLE, 1);
}

static int compare_rows(const void *a, const void *b)
{
    const struct psn_store_row *left = a;
    const struct psn_store_row *right = b;
    size_t common = left->key_size < right->key_size ? left->key_size : right->key_size;
    int order = memcmp(left->key, right->key, common);

    return order ? order : (int)left->key_size - (int)right->key_size;
}

/* The root over rows of one bucket, from the format's description alone. */
static void naive_root(struct psn_store_row *rows, size_t count, uint8_t ret_root[32])
{
    const uint32_t bucket = 0x5a5a5a >> 6;
    crypto_generichash_state hash;

    qsort(rows, count, sizeof *rows, compare_rows);
    begin_hash(&hash, "passation store leaf 1");
    add_number(&hash, bucket, 4);
    add_number(&hash, count, 4);
    for (size_t i = 0; i < count; i++) {
        add_number(&hash, rows[i].key_size, 2);
        (void)crypto_generichash_update(&hash, rows[i].key, rows[i].key_size);
        add_number(&hash, rows[i].revision, 8);
        add_number(&hash, 0, 4);
        add_number(&hash, rows[i].box.size, 4);
        (void)crypto_generichash_update(&hash, rows[i].box.data, rows[i].box.size);
    }
    (void)crypto_generichash_final(&hash, ret_root, 32);
    for (unsigned level = 3; level-- > 0;) {
        begin_hash(&hash, "passation store node 1");
        add_number(&hash, level, 1);
        add_number(&hash, bucket >> (6 * (3 - level)), 4);
        add_number(&hash, UINT64_C(1) << (bucket >> (6 * (2 - level)) & 63), 8);
        (void)crypto_generichash_update(&hash, ret_root, 32);
        (void)crypto_generichash_final(&hash, ret_root, 32);
    }
}

/* ----------------------------------------------------------------- what it holds */

/* Rows come, change and go in a bucket that is small, then large, in many transactions;
 * revisions[i] is 0 if row i is not there. */
static void change_at_random(struct psn_store *store, uint64_t *revisions)
{
    for (unsigned round = 0; round < 8; round++) {
        must_begin(store, PSN_STORE_WRITE);
        for (unsigned i = 0; i < 400; i++) {
            uint64_t seed = randombytes_uniform(ROWS);

            assert_int_equal(get(store, seed, revisions[seed] ? revisions[seed] : 1),
                             revisions[seed] ? PSN_OK : PSN_E_NOT_FOUND);
            if (revisions[seed] && i % 5 == 0) {
                take_away(store, seed);
                revisions[seed] = 0;
            } else {
                assert_int_equal(put(store, seed, revisions[seed] + 1), PSN_OK);
                revisions[seed]++;
            }
        }
        must_commit(store, round + 1);
    }
}

static void assert_holds(struct psn_store *store, const uint64_t *revisions)
{
    struct psn_store_row *rows = calloc(ROWS, sizeof *rows);
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO(psn_store_scan) *scan = NULL;
    struct psn_store_roots roots;
    uint8_t expected[32];
    size_t count = 0;
    bool found;

    assert_non_null(rows);
    for (uint64_t i = 0; i < ROWS; i++)
        if (revisions[i]) {
            rows[count] = psn_store_row_init();
            large_row(i, revisions[i], &rows[count++]);
            assert_int_equal(get(store, i, revisions[i]), PSN_OK);
        } else {
            assert_int_equal(get(store, i, 1), PSN_E_NOT_FOUND);
        }
    naive_root(rows, count, expected);
    assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_OK);
    assert_memory_equal(roots.hash[TABLE], expected, sizeof expected);
    assert_int_equal(psn_store_scan_open(store, TABLE, NULL, 0, &scan, NULL), PSN_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(psn_store_scan_next(scan, &row, &found, NULL), PSN_OK);
        assert_true(found);
        assert_store_rows_equal(&row, &rows[i]);
        psn_store_row_release(&rows[i]);
    }
    assert_int_equal(psn_store_scan_next(scan, &row, &found, NULL), PSN_OK);
    assert_false(found);
    free(rows);
}

static void a_bucket_that_grows_and_shrinks_holds_its_rows(void **state)
{
    struct store_fixture *at = *state;
    uint64_t *revisions = calloc(ROWS, sizeof *revisions);
    PSN_AUTO(psn_store) *store = NULL;

    assert_non_null(revisions);
    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    change_at_random(store, revisions);
    must_begin(store, PSN_STORE_READ);
    assert_holds(store, revisions);
    psn_store_free(PSN_TAKE(store));
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t i = 0; i < ROWS; i++)
        if (!revisions[i]) {
            revisions[i] = 1;
            assert_int_equal(put(store, i, 1), PSN_OK);
        }
    assert_int_equal(put(store, 3, 1), PSN_E_EXISTS);
    assert_int_equal(put(store, 3, revisions[3] + 2), PSN_E_CONFLICT);
    assert_holds(store, revisions);
    must_commit(store, 20);
    psn_store_free(PSN_TAKE(store));
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_READ);
    assert_holds(store, revisions);
    assert_int_equal(psn_store_check(store, NULL), PSN_OK);
    free(revisions);
}

/* What a row was before takes no room for long, and is never what it is now. */
static void rows_that_change_often_in_one_transaction_are_what_was_put_last(void **state)
{
    struct store_fixture *at = *state;
    uint64_t *revisions = calloc(ROWS, sizeof *revisions);
    PSN_AUTO(psn_store) *store = NULL;

    assert_non_null(revisions);
    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    must_begin(store, PSN_STORE_WRITE);
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t seed = randombytes_uniform(5);

        if (revisions[seed] && i % 7 == 0) {
            take_away(store, seed);
            revisions[seed] = 0;
        } else {
            assert_int_equal(put(store, seed, ++revisions[seed]), PSN_OK);
        }
        assert_int_equal(get(store, seed, revisions[seed] ? revisions[seed] : 1),
                         revisions[seed] ? PSN_OK : PSN_E_NOT_FOUND);
    }
    assert_holds(store, revisions);
    must_commit(store, 1);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_check(store, NULL), PSN_OK);
    free(revisions);
}

static void a_bucket_that_is_emptied_leaves_an_empty_table(void **state)
{
    static const uint8_t none[32];
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_store_roots roots;

    make(at);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t i = 0; i < ROWS; i++)
        take_away(store, i);
    assert_int_equal(get(store, 4, 1), PSN_E_NOT_FOUND);
    assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_OK);
    assert_memory_equal(roots.hash[TABLE], none, sizeof none);
    assert_int_equal(psn_store_check(store, NULL), PSN_OK);
    must_commit(store, 2);
}

static void changes_that_are_rolled_back_are_forgotten(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;

    make(at);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    assert_int_equal(put(store, 5, 2), PSN_OK);
    take_away(store, 6);
    assert_int_equal(put(store, ROWS, 1), PSN_OK);
    psn_store_rollback(store);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(get(store, 5, 1), PSN_OK);
    assert_int_equal(get(store, 6, 1), PSN_OK);
    assert_int_equal(get(store, ROWS, 1), PSN_E_NOT_FOUND);
    assert_int_equal(psn_store_check(store, NULL), PSN_OK);
}

/* One that is kept, and looked up so often that its rows are not gone through. */
static void a_bucket_that_is_only_read_gives_each_row_and_no_other(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t i = 0; i < KEPT; i++)
        assert_int_equal(put(store, 2 * i, 1), PSN_OK);
    must_commit(store, 1);
    psn_store_free(PSN_TAKE(store));
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t i = 0; i < 2 * KEPT; i++)
        assert_int_equal(get(store, i, 1), i % 2 ? PSN_E_NOT_FOUND : PSN_OK);
    assert_int_equal(put(store, 2, 2), PSN_OK);
    take_away(store, 4);
    assert_int_equal(put(store, 5, 1), PSN_OK);
    for (uint64_t i = 0; i < 2 * KEPT; i++)
        assert_int_equal(get(store, i, i == 2 ? 2 : 1),
                         i == 4 || (i % 2 && i != 5) ? PSN_E_NOT_FOUND : PSN_OK);
    must_commit(store, 2);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_check(store, NULL), PSN_OK);
}

/* Bytes that this process has asked the system to write. */
static uint64_t written(void)
{
    unsigned long long bytes = 0;
    char line[64];
    FILE *file = fopen("/proc/self/io", "re");

    assert_non_null(file);
    while (!bytes && fgets(line, sizeof line, file))
        if (strncmp(line, "wchar: ", 7) == 0)
            bytes = strtoull(line + 7, NULL, 10);
    (void)fclose(file);
    return bytes;
}

/* Their keys come in no order, so they change every page of the table many times. */
static void many_rows_at_once_write_each_page_about_once(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    struct stat info;
    uint64_t before;

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    must_begin(store, PSN_STORE_WRITE);
    must_put(store, TABLE, 0, 1);
    must_commit(store, 1);
    before = written();
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t i = 1; i < MANY; i++)
        must_put(store, TABLE, i, 1);
    must_commit(store, 2);
    /* Once to the log, and once from there into the file. */
    assert_int_equal(stat(at->path, &info), 0);
    assert_in_range(written() - before, 1, 3 * (uint64_t)info.st_size);
}

static void largest_row(uint64_t seed, struct psn_store_row *row)
{
    large_row(seed, 1, row);
    (void)psn_buf_reserve(&row->box, PSN_STORE_BOX_MAX - row->box.size);
}

/* Puts such rows into one bucket, up to its limit: how many. */
static uint64_t fill_bucket(struct psn_store *store)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    enum psn_code rc = PSN_OK;
    uint64_t count = 0;

    while (!rc) {
        largest_row(count, &row);
        rc = psn_store_put(store, TABLE, &row, NULL);
        count += rc == PSN_OK;
    }
    assert_int_equal(rc, PSN_E_LIMIT);
    return count;
}

static void the_largest_bucket_is_read_together_with_another_one(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO(psn_store_span) *span = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    uint64_t count;
    bool found = true;

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    must_begin(store, PSN_STORE_WRITE);
    largest_row(0, &row);
    row.key[0] = 0;
    assert_int_equal(psn_store_put(store, TABLE, &row, NULL), PSN_OK);
    count = 1 + fill_bucket(store);
    must_commit(store, 1);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_scan_open(store, TABLE, NULL, 0, &scan, NULL), PSN_OK);
    assert_int_equal(psn_store_span_new(scan, &span, NULL), PSN_OK);
    assert_int_equal(psn_store_scan_read(scan, 256, 256 * 1024, span, NULL), PSN_OK);
    assert_true(psn_store_scan_is_over(scan));
    for (; found; count -= found)
        assert_int_equal(psn_store_span_next(span, &row, &found, NULL), PSN_OK);
    assert_int_equal(count, 0);
    psn_store_span_free(PSN_TAKE(span));
    psn_store_scan_free(PSN_TAKE(scan));
}

/* ----------------------------------------------------------------- what is refused */

/* What somebody does to row 8, whose neighbour is row 9. */
static const char *const edits[] = {
    "DELETE FROM record",
    "UPDATE record SET revision = revision + 1",
    "UPDATE record SET box = zeroblob(900)",
    "UPDATE record SET clear = x'00'",
    "UPDATE record SET key = substr(key, 1, 24)",
    ("INSERT INTO record SELECT tab, substr(key, 1, 24), revision,"
     " clear, box FROM record"),
    "UPDATE record SET box = (SELECT box FROM record ORDER BY key DESC LIMIT 1)",
};

static void edit(const struct store_fixture *at, size_t which)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    char where[128];
    char key[2 * PSN_STORE_KEY_MAX + 1];
    char text[512];

    large_row(8, 1, &row);
    (void)snprintf(where, sizeof where, "tab = %d AND key = x'%s'", TABLE,
                   sodium_bin2hex(key, sizeof key, row.key, row.key_size));
    (void)snprintf(text, sizeof text, "%s WHERE %s", edits[which], where);
    store_fixture_sql(at->path, text);
}

static void every_edit_of_a_large_bucket_is_found_before_use(void **state)
{
    struct store_fixture *at = *state;

    make(at);
    store_fixture_copy_file(at->path, at->other);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        PSN_AUTO(psn_store) *store = NULL;

        edit(at, i);
        store = store_fixture_open(at->path);
        must_begin(store, PSN_STORE_READ);
        assert_int_equal(get(store, 8, 1), PSN_E_INTEGRITY);
        assert_int_equal(get(store, 9, 1), PSN_E_INTEGRITY);
        assert_int_equal(get(store, ROWS, 1), PSN_E_INTEGRITY);
        psn_store_rollback(store);
        must_begin(store, PSN_STORE_WRITE);
        assert_int_equal(put(store, ROWS, 1), PSN_E_INTEGRITY);
        psn_store_free(PSN_TAKE(store));
        (void)remove(beside_vault(at, "-wal"));
        (void)remove(beside_vault(at, "-shm"));
        store_fixture_copy_file(at->other, at->path);
    }
}

/* What was checked under these roots stands for the rows, whatever the file has since. */
static void an_edit_after_the_check_is_found_too(void **state)
{
    struct store_fixture *at = *state;

    make(at);
    store_fixture_copy_file(at->path, at->other);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        struct psn_store_roots roots;
        PSN_AUTO(psn_store) *store = store_fixture_open(at->path);
        bool adds = strncmp(edits[i], "INSERT", 6) == 0;

        must_begin(store, PSN_STORE_READ);
        assert_int_equal(get(store, 8, 1), PSN_OK);
        assert_int_equal(psn_store_commit(store, NULL, NULL), PSN_OK);
        edit(at, i);
        must_begin(store, PSN_STORE_WRITE);
        assert_int_equal(get(store, 8, 1), adds ? PSN_OK : PSN_E_INTEGRITY);
        assert_int_equal(get(store, 9, 1), PSN_OK);
        assert_int_equal(put(store, 9, 2), PSN_OK);
        assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_E_INTEGRITY);
        psn_store_free(PSN_TAKE(store));
        (void)remove(beside_vault(at, "-wal"));
        (void)remove(beside_vault(at, "-shm"));
        store_fixture_copy_file(at->other, at->path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORE_TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
        STORE_TEST(a_bucket_that_grows_and_shrinks_holds_its_rows),
        STORE_TEST(rows_that_change_often_in_one_transaction_are_what_was_put_last),
        STORE_TEST(a_bucket_that_is_emptied_leaves_an_empty_table),
        STORE_TEST(changes_that_are_rolled_back_are_forgotten),
        STORE_TEST(a_bucket_that_is_only_read_gives_each_row_and_no_other),
        STORE_TEST(many_rows_at_once_write_each_page_about_once),
        STORE_TEST(the_largest_bucket_is_read_together_with_another_one),
        STORE_TEST(every_edit_of_a_large_bucket_is_found_before_use),
        STORE_TEST(an_edit_after_the_check_is_found_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
