#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/library.h"

#ifdef __APPLE__
#    define SYSTEM_LIBRARY "libSystem.B.dylib"
#else
#    define SYSTEM_LIBRARY "libc.so.6"
#endif

struct table {
    size_t (*length)(const char *text);
    int (*compare)(const char *a, const char *b);
};

static const struct psn_library_symbol symbols[] = {
    { "strlen", offsetof(struct table, length) },
    { "strcmp", offsetof(struct table, compare) },
};
static const char *const absent[] = { "libpsn-absent.so.1", "libpsn-absent.so", NULL };
static const char *const present[] = { "libpsn-absent.so.1", SYSTEM_LIBRARY, NULL };

static void the_first_library_that_is_there_fills_the_table(void **state)
{
    struct psn_error err = { 0 };
    struct table table = { 0 };

    (void)state;
    assert_int_equal(psn_library_load(present, symbols, 2, &table, &err), PSN_OK);
    assert_int_equal(table.length("three"), 5);
    assert_int_equal(table.compare("a", "a"), 0);
    assert_int_equal(err.code, PSN_OK);
}

static void a_library_that_is_not_there_is_named(void **state)
{
    struct psn_error err = { 0 };
    struct table table = { 0 };

    (void)state;
    assert_null(psn_library_open(absent));
    assert_int_equal(psn_library_load(absent, symbols, 2, &table, &err),
                     PSN_E_UNEXPECTED);
    assert_int_equal(err.code, PSN_E_UNEXPECTED);
    assert_string_equal(err.message, "cannot load the library libpsn-absent.so.1");
    assert_null(table.length);
    assert_int_equal(psn_library_load(absent, symbols, 2, &table, NULL),
                     PSN_E_UNEXPECTED);
}

static void a_function_that_a_library_lacks_is_named(void **state)
{
    static const struct psn_library_symbol more[] = {
        { "strlen", offsetof(struct table, length) },
        { "psn_absent_function", offsetof(struct table, compare) },
    };
    struct psn_error err = { 0 };
    struct table table = { 0 };

    (void)state;
    assert_string_equal(psn_library_find(psn_library_open(present), more, 2, &table),
                        "psn_absent_function");
    assert_null(table.compare);
    assert_int_equal(psn_library_load(present, more, 2, &table, &err), PSN_E_UNEXPECTED);
    assert_non_null(strstr(err.message, "lacks psn_absent_function"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_library_that_is_there_fills_the_table),
        cmocka_unit_test(a_library_that_is_not_there_is_named),
        cmocka_unit_test(a_function_that_a_library_lacks_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
