#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"
#include "support/store_fixture.h"

static void a_copy_holds_everything_while_the_vault_is_in_use(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO(psn_store) *writer = NULL;
    PSN_AUTO(psn_store) *copy = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };
    uint64_t generation = 0;

    store_fixture_make(at->path, 0, 0, 300);
    store = store_fixture_open(at->path);
    writer = store_fixture_open(at->path);
    must_begin(writer, PSN_STORE_WRITE);
    must_put(writer, 0, 1000, 1);
    assert_int_equal(psn_store_copy(store, at->other, false, NULL, NULL, &err), PSN_OK);
    must_commit(writer, 2);
    assert_int_equal(count_files(at->dir), 4);
    copy = store_fixture_open(at->other);
    assert_int_equal(store_fixture_begin(copy, PSN_STORE_READ, &generation, NULL),
                     PSN_OK);
    assert_int_equal(generation, 1);
    assert_int_equal(psn_store_check(copy, &err), PSN_OK);
    assert_int_equal(store_fixture_count_rows(copy, 0), 300);
    assert_int_equal(look_up(copy, 0, 1000, &row), PSN_E_NOT_FOUND);
}

static void a_copy_never_overwrites_unasked(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };
    char path[320];

    store_fixture_make(at->path, 0, 0, 3);
    store = store_fixture_open(at->path);
    store_fixture_write_file(at->other, "mine", 4);
    assert_int_equal(psn_store_copy(store, at->other, false, NULL, NULL, &err),
                     PSN_E_EXISTS);
    assert_int_equal(psn_store_copy(store, at->path, true, NULL, NULL, NULL),
                     PSN_E_INVALID);
    (void)snprintf(path, sizeof path, "%s/none/copy", at->dir);
    assert_int_equal(psn_store_copy(store, path, true, NULL, NULL, NULL),
                     PSN_E_NOT_FOUND);
    assert_int_equal(mkdir(beside_vault(at, ".d"), 0700), 0);
    assert_int_equal(
        psn_store_copy(store, beside_vault(at, ".d"), true, NULL, NULL, NULL), PSN_E_IO);
    assert_int_equal(count_files(at->dir), 5);
}

static bool exists(const char *path, const char *suffix)
{
    char name[400];

    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    return access(name, F_OK) == 0;
}

static void write_beside(const char *path, const char *suffix)
{
    char name[400];

    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    store_fixture_write_file(name, "half", 4);
}

static void a_copy_removes_what_one_that_was_cut_off_has_left(void **state)
{
    static const char *const gone[] = { ".passation-0123456789abcdef",
                                        ".passation-0123456789abcdef-journal",
                                        ".passation-aaaaaaaaaaaaaaaa" };
    static const char *const stay[] = {
        ".passation-bbbbbbbbbbbbbbbb", ".passation-0123456789abcde",
        ".passation-0123456789abcdeg", ".passation-0123456789abcdef0", ".0123456789abcdef"
    };
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };
    char used[400];
    int fd;

    store_fixture_make(at->path, 0, 0, 3);
    store = store_fixture_open(at->path);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        write_beside(at->other, gone[i]);
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        write_beside(at->other, stay[i]);
    /* Somebody is at work on this one. */
    (void)snprintf(used, sizeof used, "%s%s", at->other, stay[0]);
    fd = open(used, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(psn_store_copy(store, at->other, false, NULL, NULL, &err), PSN_OK);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        assert_false(exists(at->other, gone[i]));
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        assert_true(exists(at->other, stay[i]));
    assert_int_equal(close(fd), 0);
}

static void a_restore_replaces_a_vault_and_its_wal(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO(psn_store) *backup = NULL;
    struct psn_error err = { 0 };
    uint64_t generation = 0;

    store_fixture_make(at->path, 0, 0, 10);
    store = store_fixture_open(at->path);
    assert_int_equal(psn_store_copy(store, at->other, false, NULL, NULL, &err), PSN_OK);
    for (uint64_t i = 0; i < 10; i++) {
        must_begin(store, PSN_STORE_WRITE);
        must_put(store, 0, i, 2);
        must_put(store, 0, 100 + i, 1);
        must_commit(store, 2 + i);
    }
    psn_store_free(PSN_TAKE(store));
    backup = store_fixture_open(at->other);
    assert_int_equal(psn_store_copy(backup, at->path, true, NULL, NULL, &err), PSN_OK);
    store = store_fixture_open(at->path);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_READ, &generation, NULL),
                     PSN_OK);
    assert_int_equal(generation, 1);
    assert_int_equal(psn_store_check(store, &err), PSN_OK);
    for (uint64_t i = 0; i < 10; i++)
        assert_store_row(store, 0, i, 1);
}

static void a_restore_waits_for_nobody_who_uses_the_vault(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO(psn_store) *backup = NULL;
    struct psn_error err = { 0 };

    store_fixture_make(at->path, 0, 0, 10);
    store_fixture_make(at->other, 0, 0, 4);
    store = store_fixture_open(at->path);
    backup = store_fixture_open(at->other);
    assert_int_equal(psn_store_copy(backup, at->path, true, NULL, NULL, &err),
                     PSN_E_BUSY);
    must_begin(store, PSN_STORE_WRITE);
    must_put(store, 0, 50, 1);
    must_commit(store, 2);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(store_fixture_count_rows(store, 0), 11);
}

static void a_restore_repairs_a_ruined_vault(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO(psn_store) *backup = NULL;
    struct psn_error err = { 0 };
    static const char ruin[8192] = "nothing that SQLite knows";

    store_fixture_make(at->path, 0, 0, 5);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    must_put(store, 0, 7, 1);
    must_commit(store, 2);
    psn_store_free(PSN_TAKE(store));
    store_fixture_write_file(at->path, ruin, sizeof ruin);
    store_fixture_make(at->other, 0, 0, 4);
    backup = store_fixture_open(at->other);
    assert_int_equal(psn_store_copy(backup, at->path, true, NULL, NULL, &err), PSN_OK);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(store_fixture_count_rows(store, 0), 4);
    assert_int_equal(psn_store_check(store, &err), PSN_OK);
}

static void a_handle_notices_that_its_vault_was_replaced(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };

    store_fixture_make(at->path, 0, 0, 5);
    store_fixture_make(at->other, 0, 0, 4);
    store = store_fixture_open(at->path);
    assert_int_equal(rename(at->other, at->path), 0);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_WRITE, NULL, &err),
                     PSN_E_CONFLICT);
    assert_true(err.hint[0] != '\0');
    assert_int_equal(store_fixture_begin(store, PSN_STORE_READ, NULL, NULL),
                     PSN_E_CONFLICT);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(a_copy_holds_everything_while_the_vault_is_in_use),
        CASE(a_copy_never_overwrites_unasked),
        CASE(a_copy_removes_what_one_that_was_cut_off_has_left),
        CASE(a_restore_replaces_a_vault_and_its_wal),
        CASE(a_restore_waits_for_nobody_who_uses_the_vault),
        CASE(a_restore_repairs_a_ruined_vault),
        CASE(a_handle_notices_that_its_vault_was_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
