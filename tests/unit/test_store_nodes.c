#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/internal.h"
#include "support/store_fixture.h"

/* The tree's nodes by themselves: leaves of hashes that mean nothing, put and looked for
 * bucket by bucket. */

enum {
    TABLE = 2,
    LEAVES = 300
};

static uint32_t sorted[LEAVES];

/* Buckets at every edge of a node, alone and side by side. */
static size_t make_buckets(void)
{
    static const uint32_t edges[] = { 0,
                                      1,
                                      62,
                                      63,
                                      64,
                                      65,
                                      4095,
                                      4096,
                                      4097,
                                      8191,
                                      PSN_TREE_BUCKETS / 2,
                                      PSN_TREE_BUCKETS - 4097,
                                      PSN_TREE_BUCKETS - 4096,
                                      PSN_TREE_BUCKETS - 65,
                                      PSN_TREE_BUCKETS - 64,
                                      PSN_TREE_BUCKETS - 1 };
    size_t count = 0;
    uint32_t random = 12345;

    for (; count < sizeof edges / sizeof *edges; count++)
        sorted[count] = edges[count];
    while (count < LEAVES) {
        random = random * 1664525 + 1013904223;
        sorted[count++] = random >> 14;
    }
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && sorted[j - 1] > sorted[j]; j--) {
            uint32_t swapped = sorted[j];

            sorted[j] = sorted[j - 1];
            sorted[j - 1] = swapped;
        }
    return count;
}

static struct psn_store *store_with_leaves(const struct store_fixture *at, size_t count)
{
    struct psn_store *store;

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (size_t i = 0; i < count; i++) {
        uint8_t hash[PSN_STORE_HASH_SIZE];

        store_fixture_leaf(sorted[i], hash);
        assert_int_equal(psn_tree_set_leaf(store, TABLE, sorted[i], hash, NULL), PSN_OK);
    }
    assert_int_equal(psn_tree_settle(store, NULL), PSN_OK);
    return store;
}

static void a_hash_is_zero_if_all_of_it_is(void **state)
{
    uint8_t hash[PSN_STORE_HASH_SIZE] = { 0 };

    (void)state;
    assert_true(psn_tree_is_zero(hash));
    for (size_t i = 0; i < sizeof hash; i++) {
        hash[i] = 0x10;
        assert_false(psn_tree_is_zero(hash));
        hash[i] = 0;
    }
}

static void a_bucket_is_the_first_18_bits(void **state)
{
    (void)state;
    assert_int_equal(psn_tree_bucket_of((const uint8_t[]){ 0, 0, 0x3f }), 0);
    assert_int_equal(psn_tree_bucket_of((const uint8_t[]){ 0, 0, 0x40 }), 1);
    assert_int_equal(psn_tree_bucket_of((const uint8_t[]){ 0, 1, 0 }), 4);
    assert_int_equal(psn_tree_bucket_of((const uint8_t[]){ 1, 0, 0 }), 1024);
    assert_int_equal(psn_tree_bucket_of((const uint8_t[]){ 0xff, 0xff, 0xff }),
                     PSN_TREE_BUCKETS - 1);
}

static void the_next_bucket_is_found_from_everywhere(void **state)
{
    struct store_fixture *at = *state;
    size_t count = make_buckets();
    PSN_AUTO(psn_store) *store = store_with_leaves(at, count);
    uint32_t from = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t tried[] = { from, from + (sorted[i] - from) / 2,
                             sorted[i] > from ? sorted[i] - 1 : from, sorted[i] };

        if (i > 0 && sorted[i] == sorted[i - 1])
            continue;
        for (size_t j = 0; j < sizeof tried / sizeof *tried; j++) {
            uint32_t found = 77;

            assert_int_equal(psn_tree_next(store, TABLE, tried[j], &found, NULL), PSN_OK);
            assert_int_equal(found, sorted[i]);
        }
        from = sorted[i] + 1;
    }
    for (uint32_t beyond = PSN_TREE_BUCKETS; beyond < PSN_TREE_BUCKETS + 3; beyond++) {
        uint32_t found = 77;

        assert_int_equal(psn_tree_next(store, TABLE, beyond, &found, NULL), PSN_OK);
        assert_int_equal(found, PSN_TREE_BUCKETS);
    }
}

static void nodes_are_counted_as_they_are(void **state)
{
    struct store_fixture *at = *state;
    size_t count = make_buckets();
    PSN_AUTO(psn_store) *store = store_with_leaves(at, count);
    uint64_t expected = 1;
    uint64_t found = 77;

    for (size_t i = 0; i < count; i++) {
        expected += i == 0 || sorted[i] >> 12 != sorted[i - 1] >> 12 ? 1 : 0;
        expected += i == 0 || sorted[i] >> 6 != sorted[i - 1] >> 6 ? 1 : 0;
    }
    assert_int_equal(psn_tree_count(store, TABLE, &found, NULL), PSN_OK);
    assert_int_equal(found, expected);
    assert_int_equal(psn_tree_count(store, TABLE + 1, &found, NULL), PSN_OK);
    assert_int_equal(found, 0);
}

static void a_leaf_is_what_was_put_and_zero_where_there_is_none(void **state)
{
    struct store_fixture *at = *state;
    size_t count = make_buckets();
    PSN_AUTO(psn_store) *store = store_with_leaves(at, count);
    static const uint8_t zero[PSN_STORE_HASH_SIZE];

    for (size_t i = 0; i < count; i++) {
        uint8_t expected[PSN_STORE_HASH_SIZE];
        uint8_t found[PSN_STORE_HASH_SIZE];

        store_fixture_leaf(sorted[i], expected);
        assert_int_equal(psn_tree_leaf(store, TABLE, sorted[i], found, NULL), PSN_OK);
        assert_memory_equal(found, expected, sizeof found);
        assert_int_equal(psn_tree_leaf(store, TABLE + 1, sorted[i], found, NULL), PSN_OK);
        assert_memory_equal(found, zero, sizeof found);
        if (i + 1 < count && sorted[i + 1] > sorted[i] + 1) {
            assert_int_equal(psn_tree_leaf(store, TABLE, sorted[i] + 1, found, NULL),
                             PSN_OK);
            assert_memory_equal(found, zero, sizeof found);
        }
        /* One that is taken away leaves its neighbours. */
        assert_int_equal(psn_tree_set_leaf(store, TABLE, sorted[i], zero, NULL), PSN_OK);
        assert_int_equal(psn_tree_leaf(store, TABLE, sorted[i], found, NULL), PSN_OK);
        assert_memory_equal(found, zero, sizeof found);
        assert_int_equal(psn_tree_set_leaf(store, TABLE, sorted[i], expected, NULL),
                         PSN_OK);
    }
}

/* As if somebody could make a node that fits any hash: nothing is read beyond its end. */
static void blind_hash(struct psn_store_hash_state *state,
                       const struct psn_store_part *parts, size_t count,
                       uint8_t *ret_hash)
{
    (void)parts;
    (void)count;
    state->has_begun = true;
    if (ret_hash)
        memset(ret_hash, 0x11, PSN_STORE_HASH_SIZE);
}

static void a_node_of_another_size_than_its_children_need_is_damage(void **state)
{
    static const char *const edits[] = {
        "x''",
        "zeroblob(7)",
        "zeroblob(8)",
        "x'0000000000000001'",
        "zeroblob(40)",
        "x'0000000000000001' || zeroblob(31)",
        "x'0000000000000001' || zeroblob(33)",
        "x'0000000000000001' || zeroblob(64)",
        "x'0000000000000003' || zeroblob(32)",
        "x'ffffffffffffffff' || zeroblob(63 * 32)",
    };
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *made = NULL;

    assert_int_equal(psn_store_create(at->path, blind_hash, &made, NULL), PSN_OK);
    must_begin(made, PSN_STORE_WRITE);
    must_put(made, TABLE, 1, 1);
    must_commit(made, 1);
    psn_store_free(PSN_TAKE(made));
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        PSN_AUTO(psn_store) *store = NULL;
        uint8_t hash[PSN_STORE_HASH_SIZE];
        char sql[160];

        (void)snprintf(sql, sizeof sql,
                       "UPDATE node SET children = CAST(%s AS BLOB) WHERE id = %d",
                       edits[i], TABLE << 14);
        store_fixture_sql(at->path, sql);
        assert_int_equal(psn_store_open(at->path, blind_hash, &store, NULL), PSN_OK);
        must_begin(store, PSN_STORE_READ);
        assert_int_equal(psn_tree_leaf(store, TABLE, 0, hash, NULL), PSN_E_INTEGRITY);
    }
}

static int runs_of(const struct psn_store *store, enum psn_sql which)
{
    sqlite3_stmt *stmt = store->statements[which];

    return stmt ? sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_RUN, 0) : 0;
}

/* Above the buckets are most of the nodes: to step through them is a third of the work of
 * looking each one up. */
static void a_scan_of_a_whole_table_looks_up_the_two_upper_levels_alone(void **state)
{
    enum {
        FIRST = 2800, /* 2910 is in the last node and 3708 in the first */
        ROWS = 1000
    };
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    bool has_node[PSN_TREE_FANOUT] = { false };
    int upper = 1;
    bool found = true;
    size_t count = 0;

    store_fixture_make(at->path, TABLE, FIRST, ROWS);
    for (uint64_t seed = FIRST; seed < FIRST + ROWS; seed++) {
        uint8_t key[24];

        store_fixture_key(seed, key);
        upper += has_node[key[0] >> 2] ? 0 : 1;
        has_node[key[0] >> 2] = true;
    }
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_scan_open(store, TABLE, NULL, 0, &scan, NULL), PSN_OK);
    for (;; count++) {
        assert_int_equal(psn_store_scan_next(scan, &row, &found, NULL), PSN_OK);
        if (!found)
            break;
    }
    assert_int_equal(count, ROWS);
    assert_int_equal(runs_of(store, PSN_SQL_NODE_GET), upper);
}

static void each_node_above_changed_buckets_is_written_once(void **state)
{
    struct store_fixture *at = *state;
    size_t count = make_buckets();
    PSN_AUTO(psn_store) *store = store_with_leaves(at, count);
    uint64_t nodes = 0;

    assert_int_equal(psn_tree_count(store, TABLE, &nodes, NULL), PSN_OK);
    assert_int_equal(runs_of(store, PSN_SQL_NODE_INSERT), nodes);
    assert_int_equal(runs_of(store, PSN_SQL_NODE_UPDATE), 0);
    for (size_t i = 0; i < count; i++) {
        uint8_t hash[PSN_STORE_HASH_SIZE];

        store_fixture_leaf(sorted[i] + 1, hash);
        assert_int_equal(psn_tree_set_leaf(store, TABLE, sorted[i], hash, NULL), PSN_OK);
    }
    assert_int_equal(psn_tree_settle(store, NULL), PSN_OK);
    assert_int_equal(runs_of(store, PSN_SQL_NODE_INSERT), nodes);
    assert_int_equal(runs_of(store, PSN_SQL_NODE_UPDATE), nodes);
}

/* It would keep the log from being emptied as long as the vault is open. */
static void a_node_that_was_read_is_let_go(void **state)
{
    struct store_fixture *at = *state;
    size_t count = make_buckets();
    PSN_AUTO(psn_store) *store = store_with_leaves(at, count);
    uint8_t hash[PSN_STORE_HASH_SIZE];

    must_commit(store, 2);
    psn_store_free(PSN_TAKE(store));
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_tree_leaf(store, TABLE, sorted[0], hash, NULL), PSN_OK);
    assert_non_null(store->statements[PSN_SQL_NODE_GET]);
    assert_false(sqlite3_stmt_busy(store->statements[PSN_SQL_NODE_GET]));
}

/* The first bucket of the first table is what a leaf that was never put looks like. */
static void what_was_not_touched_stays_as_it_is(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    uint8_t expected[PSN_STORE_HASH_SIZE];
    uint8_t found[PSN_STORE_HASH_SIZE];

    sorted[0] = 5;
    store = store_with_leaves(at, 1);
    store_fixture_leaf(3, expected);
    assert_int_equal(psn_tree_set_leaf(store, 0, 0, expected, NULL), PSN_OK);
    assert_int_equal(psn_tree_settle(store, NULL), PSN_OK);
    for (uint32_t bucket = 1; bucket < 128; bucket++) {
        unsigned table = bucket < 64 ? 0 : TABLE;

        assert_int_equal(psn_tree_set_leaf(store, table, bucket, expected, NULL), PSN_OK);
        assert_int_equal(psn_tree_settle(store, NULL), PSN_OK);
        assert_int_equal(psn_tree_leaf(store, 0, 0, found, NULL), PSN_OK);
        assert_memory_equal(found, expected, sizeof found);
    }
}

/* What a node had is not what another one has that takes its slot and is refused. */
static void a_node_that_was_refused_leaves_nothing_behind(void **state)
{
    enum {
        THERE = 0,
        OTHER = TABLE + 4 /* whose nodes take the same slots */
    };
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    uint8_t expected[PSN_STORE_HASH_SIZE];
    uint8_t found[PSN_STORE_HASH_SIZE];
    char sql[160];

    sorted[0] = THERE;
    store = store_with_leaves(at, 1);
    store_fixture_leaf(THERE, expected);
    assert_int_equal(psn_tree_set_leaf(store, OTHER, THERE, expected, NULL), PSN_OK);
    assert_int_equal(psn_tree_settle(store, NULL), PSN_OK);
    must_commit(store, 2);
    psn_store_free(PSN_TAKE(store));
    (void)snprintf(sql, sizeof sql,
                   "UPDATE node SET children = CAST(x'0000000000000003' || zeroblob(64)"
                   " AS BLOB) WHERE id = %d",
                   OTHER << 14 | 2 << 12 | THERE >> 6);
    store_fixture_sql(at->path, sql);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_READ);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(psn_tree_leaf(store, TABLE, THERE, found, NULL), PSN_OK);
        assert_memory_equal(found, expected, sizeof found);
        assert_int_equal(psn_tree_leaf(store, OTHER, THERE, found, NULL),
                         PSN_E_INTEGRITY);
    }
}

static int steps_left; /* of SQLite's machine, until it is interrupted once */

static int interrupt(void *self)
{
    (void)self;
    return --steps_left == 0;
}

static enum psn_code scan_all(struct psn_store *store, size_t *ret_count)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    bool found = true;
    enum psn_code rc = psn_store_scan_open(store, TABLE, NULL, 0, &scan, NULL);

    for (*ret_count = 0; !rc && found; *ret_count += found)
        rc = psn_store_scan_next(scan, &row, &found, NULL);
    return rc;
}

/* Neither rows that are missing nor damage: it may well be there the next time. */
static void a_scan_that_is_interrupted_anywhere_says_so(void **state)
{
    struct store_fixture *at = *state;
    size_t count = 0;

    store_fixture_make(at->path, TABLE, 0, 12);
    for (int at_step = 1;; at_step++) {
        PSN_AUTO(psn_store) *store = store_fixture_open(at->path); /* it knows no node */
        enum psn_code rc;

        must_begin(store, PSN_STORE_READ);
        steps_left = at_step;
        sqlite3_progress_handler(store->db, 1, interrupt, NULL);
        rc = scan_all(store, &count);
        sqlite3_progress_handler(store->db, 0, NULL, NULL);
        if (steps_left > 0) {
            assert_int_equal(rc, PSN_OK);
            assert_int_equal(count, 12);
            assert_true(at_step > 100);
            return;
        }
        assert_int_equal(rc, PSN_E_UNEXPECTED);
        assert_int_equal(scan_all(store, &count), PSN_OK);
        assert_int_equal(count, 12);
        psn_store_rollback(store);
    }
}

static enum psn_code read_leaf(struct psn_store *store)
{
    uint8_t hash[PSN_STORE_HASH_SIZE];

    return psn_tree_leaf(store, TABLE, sorted[0], hash, NULL);
}

static enum psn_code count_nodes(struct psn_store *store)
{
    uint64_t count;

    return psn_tree_count(store, TABLE, &count, NULL);
}

static void a_node_that_could_not_be_read_is_none_that_is_missing(void **state)
{
    static enum psn_code (*const reads[])(struct psn_store *) = { read_leaf,
                                                                  count_nodes };
    struct store_fixture *at = *state;
    size_t count = make_buckets();
    PSN_AUTO(psn_store) *made = store_with_leaves(at, count);

    must_commit(made, 2);
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        enum psn_code rc = PSN_E_UNEXPECTED;

        for (int at_step = 1; rc; at_step++) {
            PSN_AUTO(psn_store) *store = store_fixture_open(at->path);

            must_begin(store, PSN_STORE_READ);
            steps_left = at_step;
            sqlite3_progress_handler(store->db, 1, interrupt, NULL);
            rc = reads[i](store);
            sqlite3_progress_handler(store->db, 0, NULL, NULL);
            assert_int_equal(rc, steps_left > 0 ? PSN_OK : PSN_E_UNEXPECTED);
            assert_true(rc || at_step > 10);
        }
    }
}

static void leaves_that_did_not_all_reach_the_nodes_are_no_success(void **state)
{
    struct store_fixture *at = *state;
    size_t count = make_buckets();
    PSN_AUTO(psn_store) *made = store_with_leaves(at, count);
    uint8_t hash[PSN_STORE_HASH_SIZE];
    enum psn_code rc = PSN_E_UNEXPECTED;

    must_commit(made, 2);
    store_fixture_leaf(1, hash);
    for (int at_step = 1; rc; at_step++) {
        PSN_AUTO(psn_store) *store = store_fixture_open(at->path);

        must_begin(store, PSN_STORE_WRITE);
        assert_int_equal(psn_tree_set_leaf(store, TABLE, sorted[0], hash, NULL), PSN_OK);
        steps_left = at_step;
        sqlite3_progress_handler(store->db, 1, interrupt, NULL);
        rc = psn_tree_settle(store, NULL);
        sqlite3_progress_handler(store->db, 0, NULL, NULL);
        assert_int_equal(rc, steps_left > 0 ? PSN_OK : PSN_E_UNEXPECTED);
        assert_true(rc || at_step > 30);
    }
}

static int denied; /* what a statement may not do with nodes, when it is prepared */

static int deny(void *self, int action, const char *table, const char *column,
                const char *database, const char *trigger)
{
    (void)self;
    (void)column;
    (void)database;
    (void)trigger;
    return action == denied && strcmp(table, "node") == 0 ? SQLITE_DENY : SQLITE_OK;
}

static void nodes_that_cannot_be_written_or_read_are_no_success(void **state)
{
    static const int actions[] = { SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE };
    static const uint8_t zero[PSN_STORE_HASH_SIZE];
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO(psn_store) *store = NULL;

    sorted[0] = 5;
    store = store_with_leaves(at, 1);
    must_commit(store, 2);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        uint8_t hash[PSN_STORE_HASH_SIZE];

        psn_store_free(PSN_TAKE(store));
        store = store_fixture_open(at->path);
        (void)sqlite3_set_authorizer(store->db, deny, NULL);
        must_begin(store, PSN_STORE_WRITE);
        denied = SQLITE_READ;
        assert_int_equal(psn_tree_leaf(store, TABLE, 5, hash, NULL), PSN_E_UNEXPECTED);
        store_fixture_leaf(6, hash);
        denied = actions[i];
        assert_int_equal(psn_tree_set_leaf(store, TABLE, denied == SQLITE_INSERT ? 70 : 5,
                                           denied == SQLITE_DELETE ? zero : hash, NULL),
                         PSN_OK);
        assert_int_equal(psn_tree_settle(store, NULL), PSN_E_UNEXPECTED);
        denied = 0;
        psn_store_rollback(store);
    }
    must_begin(store, PSN_STORE_WRITE);
    must_put(store, TABLE + 1, 1, 1);
    must_commit(store, 3);
    must_begin(store, PSN_STORE_READ);
    denied = SQLITE_READ;
    assert_int_equal(psn_store_scan_open(store, TABLE + 1, NULL, 0, &scan, NULL),
                     PSN_E_UNEXPECTED);
    denied = 0;
}

static void a_table_may_be_emptied_and_filled_again_at_once(void **state)
{
    static const uint8_t zero[PSN_STORE_HASH_SIZE];
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    uint8_t expected[PSN_STORE_HASH_SIZE];
    uint8_t found[PSN_STORE_HASH_SIZE];
    uint64_t count = 0;

    sorted[0] = 5;
    store = store_with_leaves(at, 1);
    store_fixture_leaf(5, expected);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(psn_tree_set_leaf(store, TABLE, 5, zero, NULL), PSN_OK);
        assert_int_equal(psn_tree_settle(store, NULL), PSN_OK);
        assert_int_equal(psn_tree_count(store, TABLE, &count, NULL), PSN_OK);
        assert_int_equal(count, 0);
        assert_int_equal(psn_tree_set_leaf(store, TABLE, 5, expected, NULL), PSN_OK);
        assert_int_equal(psn_tree_settle(store, NULL), PSN_OK);
        assert_int_equal(psn_tree_count(store, TABLE, &count, NULL), PSN_OK);
        assert_int_equal(count, 3);
    }
    assert_int_equal(psn_tree_leaf(store, TABLE, 5, found, NULL), PSN_OK);
    assert_memory_equal(found, expected, sizeof found);
    must_commit(store, 2);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_zero_if_all_of_it_is),
        cmocka_unit_test(a_bucket_is_the_first_18_bits),
        CASE(the_next_bucket_is_found_from_everywhere),
        CASE(nodes_are_counted_as_they_are),
        CASE(a_leaf_is_what_was_put_and_zero_where_there_is_none),
        CASE(a_node_of_another_size_than_its_children_need_is_damage),
        CASE(a_scan_of_a_whole_table_looks_up_the_two_upper_levels_alone),
        CASE(each_node_above_changed_buckets_is_written_once),
        CASE(a_node_that_was_read_is_let_go),
        CASE(a_node_that_was_refused_leaves_nothing_behind),
        CASE(what_was_not_touched_stays_as_it_is),
        CASE(a_scan_that_is_interrupted_anywhere_says_so),
        CASE(a_node_that_could_not_be_read_is_none_that_is_missing),
        CASE(leaves_that_did_not_all_reach_the_nodes_are_no_success),
        CASE(nodes_that_cannot_be_written_or_read_are_no_success),
        CASE(a_table_may_be_emptied_and_filled_again_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
