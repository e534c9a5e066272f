#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/grow.h"

static void a_list_has_room_for_each_item_and_keeps_those_before(void **state)
{
    uint64_t *items = NULL;

    (void)state;
    for (size_t count = 0; count < 1000; count++) {
        assert_int_equal(PSN_GROW(items, count, NULL), PSN_OK);
        items[count] = count;
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    free(items);
}

static void a_list_without_room_stays_as_it_was(void **state)
{
    struct psn_error err = { 0 };
    char *items = NULL;
    char *before;

    (void)state;
    assert_int_equal(PSN_GROW(items, 0, NULL), PSN_OK);
    before = items;
    assert_int_equal(psn_grow(&items, (size_t)1 << 62, 8, &err), PSN_E_NOMEM);
    assert_int_equal(err.code, PSN_E_NOMEM);
    assert_ptr_equal(items, before);
    free(items);
}

static void a_room_is_zeroed_and_is_there_for_no_item(void **state)
{
    uint64_t *items = NULL;
    uint64_t *none = NULL;

    (void)state;
    assert_int_equal(PSN_ROOM(items, 100, NULL), PSN_OK);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(items[i], 0);
    assert_int_equal(PSN_ROOM(none, 0, NULL), PSN_OK);
    assert_non_null(none);
    free(items);
    free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_has_room_for_each_item_and_keeps_those_before),
        cmocka_unit_test(a_list_without_room_stays_as_it_was),
        cmocka_unit_test(a_room_is_zeroed_and_is_there_for_no_item),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
