#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/wiped.h"

static const char secret[] = "hunter2 hunter2";
static const char zeros[sizeof secret];

static void a_block_that_changes_its_size_keeps_its_bytes(void **state)
{
    char *block = psn_wiped_realloc(NULL, sizeof secret);

    (void)state;
    assert_non_null(block);
    memcpy(block, secret, sizeof secret);
    block = psn_wiped_realloc(block, 100000);
    assert_string_equal(block, secret);
    block = psn_wiped_realloc(block, 7);
    assert_memory_equal(block, secret, 7);
    psn_wiped_free(block);
    psn_wiped_free(NULL);
}

static void what_cannot_be_had_leaves_the_block_as_it_is(void **state)
{
    char *block = psn_wiped_malloc(sizeof secret);

    (void)state;
    assert_non_null(block);
    memcpy(block, secret, sizeof secret);
    assert_null(psn_wiped_malloc(SIZE_MAX));
    assert_null(psn_wiped_realloc(block, SIZE_MAX - 8));
    assert_string_equal(block, secret);
    psn_wiped_free(block);
}

/* In a pool, as its memory is there still. */
static void a_block_that_is_given_back_or_moved_is_wiped(void **state)
{
    struct psn_wiped_pool *pool = psn_wiped_pool_begin(4096);
    char *first = psn_wiped_malloc(sizeof secret);
    char *second = psn_wiped_malloc(sizeof secret);

    (void)state;
    memcpy(first, secret, sizeof secret);
    memcpy(second, secret, sizeof secret);
    psn_wiped_free(first);
    assert_memory_equal(first, zeros, sizeof zeros);
    assert_string_equal(second, secret);
    psn_wiped_free(psn_wiped_realloc(second, 100));
    assert_memory_equal(second, zeros, sizeof zeros);
    psn_wiped_pool_end(pool);
}

static void a_block_outlives_its_pool_and_one_without_room_is_from_elsewhere(void **state)
{
    struct psn_wiped_pool *pool = psn_wiped_pool_begin(256);
    char *inside = psn_wiped_malloc(sizeof secret);
    char *outside = psn_wiped_malloc(1000);

    (void)state;
    memcpy(inside, secret, sizeof secret);
    assert_true(outside < inside || outside > inside + 256);
    psn_wiped_pool_end(pool);
    assert_string_equal(inside, secret);
    psn_wiped_free(inside);
    memset(outside, 'x', 1000);
    psn_wiped_free(outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_that_changes_its_size_keeps_its_bytes),
        cmocka_unit_test(what_cannot_be_had_leaves_the_block_as_it_is),
        cmocka_unit_test(a_block_that_is_given_back_or_moved_is_wiped),
        cmocka_unit_test(
            a_block_outlives_its_pool_and_one_without_room_is_from_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
