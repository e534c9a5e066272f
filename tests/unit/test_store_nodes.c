#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static void hash_of_bucket(uint32_t bucket, uint8_t ret_hash[PSN_STORE_HASH_SIZE])
{
    memset(ret_hash, 0, PSN_STORE_HASH_SIZE);
    ret_hash[bucket % PSN_STORE_HASH_SIZE] = (uint8_t)(1 + bucket % 251);
}

static struct psn_store *store_with_leaves(const struct store_fixture *at, size_t count)
{
    struct psn_store *store;

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    for (size_t i = 0; i < count; i++) {
        uint8_t hash[PSN_STORE_HASH_SIZE];

        hash_of_bucket(sorted[i], hash);
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

        hash_of_bucket(sorted[i], expected);
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

/* Of two tables whose nodes want the same slots, and of a third, more than is kept. */
static const unsigned many_tables[] = { 2, 3, 6 };

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
                hash_of_bucket(bucket + many_tables[t], expected);
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
                hash_of_bucket(bucket + many_tables[t], hash);
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
        CASE(more_nodes_than_are_kept_are_what_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
