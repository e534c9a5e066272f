#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/internal.h"
#include "support/store_fixture.h"

/* More of the tree's nodes than are kept in memory. */

/* Two of them want the same slots, and all of them have more bytes than are kept. */
static const unsigned many_tables[] = { 2, 3, 4, 5, 6 };

static uint32_t nth_bucket(uint32_t i)
{
    return (i % 4096) * PSN_TREE_FANOUT + i / 4096 * 7;
}

static void assert_leaves(struct psn_store *store, uint32_t count, uint32_t gone)
{
    for (size_t t = 0; t < sizeof many_tables / sizeof *many_tables; t++)
        for (uint32_t i = 0; i < count; i++) {
            uint32_t bucket = nth_bucket(i);
            uint8_t expected[PSN_STORE_HASH_SIZE] = { 0 };
            uint8_t found[PSN_STORE_HASH_SIZE];

            if (i >= gone)
                store_fixture_leaf(bucket + many_tables[t], expected);
            assert_int_equal(psn_tree_leaf(store, many_tables[t], bucket, found, NULL),
                             PSN_OK);
            assert_memory_equal(found, expected, sizeof found);
        }
}

static void set_leaves(struct psn_store *store, uint32_t count, bool to_zero)
{
    for (size_t t = 0; t < sizeof many_tables / sizeof *many_tables; t++)
        for (uint32_t i = 0; i < count; i++) {
            uint32_t bucket = nth_bucket(i);
            uint8_t hash[PSN_STORE_HASH_SIZE] = { 0 };

            if (!to_zero)
                store_fixture_leaf(bucket + many_tables[t], hash);
            assert_int_equal(psn_tree_set_leaf(store, many_tables[t], bucket, hash, NULL),
                             PSN_OK);
        }
    assert_int_equal(psn_tree_settle(store, NULL), PSN_OK);
}

static void more_nodes_than_are_kept_are_what_they_were(void **state)
{
    enum {
        MANY = 4096 * 5, /* five in each of the lowest nodes */
        GONE = 4096 + 1000
    };
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    uint64_t nodes = 0;

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    set_leaves(store, MANY, false);
    assert_leaves(store, MANY, 0);
    set_leaves(store, GONE, true);
    assert_leaves(store, MANY, GONE);
    assert_int_equal(psn_tree_count(store, many_tables[0], &nodes, NULL), PSN_OK);
    assert_int_equal(nodes, 1 + 64 + 4096);
    set_leaves(store, MANY, true);
    assert_int_equal(psn_tree_count(store, many_tables[0], &nodes, NULL), PSN_OK);
    assert_int_equal(nodes, 0);
}

/* Rows whose buckets lie under one of the lowest nodes. */
static void neighbour(uint64_t seed, struct psn_store_row *row)
{
    store_fixture_row(seed, 1, row);
    row->key[0] = 0x5a;
    row->key[1] = (uint8_t)(0x50 + seed % 16);
}

static uint64_t count_rows(struct psn_store *store, unsigned table)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    bool found = true;
    uint64_t count = 0;

    assert_int_equal(psn_store_scan_open(store, table, NULL, 0, &scan, NULL), PSN_OK);
    while (found) {
        assert_int_equal(psn_store_scan_next(scan, &row, &found, NULL), PSN_OK);
        count += found;
    }
    return count;
}

static void a_walk_behind_a_change_passes_nodes_as_they_are_then(void **state)
{
    enum {
        TABLE = 3,
        ROWS = 20
    };
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (uint64_t i = 0; i < ROWS; i++) {
        neighbour(i, &row);
        assert_int_equal(psn_store_put(store, TABLE, &row, NULL), PSN_OK);
        assert_int_equal(count_rows(store, TABLE), i + 1);
    }
    for (uint64_t i = 0; i < ROWS; i++) {
        neighbour(i, &row);
        assert_int_equal(psn_store_delete(store, TABLE, row.key, row.key_size, NULL),
                         PSN_OK);
        assert_int_equal(count_rows(store, TABLE), ROWS - i - 1);
    }
    must_commit(store, 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(more_nodes_than_are_kept_are_what_they_were,
                                        store_fixture_set_up, store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            a_walk_behind_a_change_passes_nodes_as_they_are_then, store_fixture_set_up,
            store_fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
