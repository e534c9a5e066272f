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

#include "store/store.h"
#include "support/store_fixture.h"

/* ----------------------------------------------------------------- copy */

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
    begin(writer, PSN_STORE_WRITE);
    put(writer, 0, 1000, 1);
    assert_int_equal(psn_store_copy(store, at->other, false, &err), PSN_OK);
    commit(writer, 2);
    assert_int_equal(files_in(at->dir), 4);
    copy = store_fixture_open(at->other);
    assert_int_equal(store_fixture_begin(copy, PSN_STORE_READ, &generation, NULL),
                     PSN_OK);
    assert_int_equal(generation, 1);
    assert_int_equal(psn_store_check(copy, &err), PSN_OK);
    assert_int_equal(store_fixture_count_rows(copy, 0), 300);
    assert_int_equal(get(copy, 0, 1000, &row), PSN_E_NOT_FOUND);
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
    assert_int_equal(psn_store_copy(store, at->other, false, &err), PSN_E_EXISTS);
    assert_int_equal(psn_store_copy(store, at->path, true, NULL), PSN_E_INVALID);
    (void)snprintf(path, sizeof path, "%s/none/copy", at->dir);
    assert_int_equal(psn_store_copy(store, path, true, NULL), PSN_E_NOT_FOUND);
    assert_int_equal(mkdir(beside(at, ".d"), 0700), 0);
    assert_int_equal(psn_store_copy(store, beside(at, ".d"), true, NULL), PSN_E_IO);
    assert_int_equal(files_in(at->dir), 5);
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
    assert_int_equal(psn_store_copy(store, at->other, false, &err), PSN_OK);
    for (uint64_t i = 0; i < 10; i++) {
        begin(store, PSN_STORE_WRITE);
        put(store, 0, i, 2);
        put(store, 0, 100 + i, 1);
        commit(store, 2 + i);
    }
    psn_store_free(PSN_TAKE(store));
    backup = store_fixture_open(at->other);
    assert_int_equal(psn_store_copy(backup, at->path, true, &err), PSN_OK);
    store = store_fixture_open(at->path);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_READ, &generation, NULL),
                     PSN_OK);
    assert_int_equal(generation, 1);
    assert_int_equal(psn_store_check(store, &err), PSN_OK);
    for (uint64_t i = 0; i < 10; i++)
        assert_row(store, 0, i, 1);
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
    assert_int_equal(psn_store_copy(backup, at->path, true, &err), PSN_E_BUSY);
    begin(store, PSN_STORE_WRITE);
    put(store, 0, 50, 1);
    commit(store, 2);
    begin(store, PSN_STORE_READ);
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
    begin(store, PSN_STORE_WRITE);
    put(store, 0, 7, 1);
    commit(store, 2);
    psn_store_free(PSN_TAKE(store));
    store_fixture_write_file(at->path, ruin, sizeof ruin);
    store_fixture_make(at->other, 0, 0, 4);
    backup = store_fixture_open(at->other);
    assert_int_equal(psn_store_copy(backup, at->path, true, &err), PSN_OK);
    store = store_fixture_open(at->path);
    begin(store, PSN_STORE_READ);
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

/* ----------------------------------------------------------------- read-only */

enum read_only_case {
    FILE_ONLY,
    FOLDER_ONLY,
    FOLDER_WITHOUT_WAL,
    FOLDER_WITHOUT_SHM,
    BOTH
};

static void prepare_read_only(const struct store_fixture *at, enum read_only_case which)
{
    PSN_AUTO(psn_store) *store = NULL;

    store_fixture_make(at->path, 0, 0, 20);
    store = store_fixture_open(at->path);
    begin(store, PSN_STORE_WRITE);
    put(store, 0, 20, 1);
    commit(store, 2);
    psn_store_free(PSN_TAKE(store));
    if (which == FOLDER_WITHOUT_WAL || which == BOTH)
        store_fixture_sql(at->path, "PRAGMA wal_checkpoint(TRUNCATE)");
    if (which == FOLDER_WITHOUT_SHM)
        assert_int_equal(unlink(beside(at, "-shm")), 0);
    if (which == FOLDER_WITHOUT_WAL || which == BOTH) {
        (void)unlink(beside(at, "-wal"));
        (void)unlink(beside(at, "-shm"));
    }
    if (which == FILE_ONLY || which == BOTH)
        assert_int_equal(chmod(at->path, 0400), 0);
    if (which != FILE_ONLY)
        assert_int_equal(chmod(at->dir, 0500), 0);
}

/* In a child, since root is not stopped by permissions. */
static int try_read_only(const struct store_fixture *at, enum psn_code *ret_open)
{
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };
    uint8_t key[24];

    store_fixture_key(20, key);
    *ret_open = psn_store_open(at->path, store_fixture_hash, &store, &err);
    if (*ret_open)
        return err.message[0] && err.hint[0] ? 0 : 1;
    if (store_fixture_begin(store, PSN_STORE_READ, NULL, NULL) ||
        psn_store_get(store, 0, key, sizeof key, &row, NULL) ||
        psn_store_check(store, NULL) || psn_store_commit(store, NULL, NULL))
        return 2;
    return 0;
}

/* Writing works, or says why not with E_IO. */
static int try_write(const struct store_fixture *at, bool *ret_written)
{
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc = psn_store_open(at->path, store_fixture_hash, &store, NULL);

    *ret_written = false;
    if (rc)
        return 3;
    rc = store_fixture_begin(store, PSN_STORE_WRITE, NULL, &err);
    if (rc)
        return rc == PSN_E_IO && err.hint[0] ? 0 : 4;
    *ret_written = true;
    return store_fixture_commit(store, 3, NULL) ? 5 : 0;
}

static void run_read_only(struct store_fixture *at, enum read_only_case which,
                          enum psn_code expected_open, bool expect_written)
{
    int status = 0;
    pid_t pid;

    if (geteuid() == 0)
        assert_int_equal(chown(at->dir, 65534, 65534), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        enum psn_code opened = PSN_OK;
        bool written = false;
        int bad;

        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(90);
        prepare_read_only(at, which);
        bad = try_read_only(at, &opened);
        if (!bad && opened != expected_open)
            bad = 50 + (int)opened;
        if (!bad && !opened)
            bad = try_write(at, &written);
        if (!bad && written != expect_written)
            bad = 6;
        _exit(bad);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_read_only_file_opens_and_cannot_be_written(void **state)
{
    run_read_only(*state, FILE_ONLY, PSN_OK, false);
}

static void a_read_only_folder_with_its_wal_opens(void **state)
{
    run_read_only(*state, FOLDER_ONLY, PSN_OK, true);
}

static void a_read_only_folder_without_a_wal_opens(void **state)
{
    run_read_only(*state, FOLDER_WITHOUT_WAL, PSN_OK, false);
}

static void a_wal_that_cannot_be_read_is_said_to_hold_the_latest_changes(void **state)
{
    run_read_only(*state, FOLDER_WITHOUT_SHM, PSN_E_IO, false);
}

static void a_read_only_medium_opens(void **state)
{
    run_read_only(*state, BOTH, PSN_OK, false);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(a_copy_holds_everything_while_the_vault_is_in_use),
        CASE(a_copy_never_overwrites_unasked),
        CASE(a_restore_replaces_a_vault_and_its_wal),
        CASE(a_restore_waits_for_nobody_who_uses_the_vault),
        CASE(a_restore_repairs_a_ruined_vault),
        CASE(a_handle_notices_that_its_vault_was_replaced),
        CASE(a_read_only_file_opens_and_cannot_be_written),
        CASE(a_read_only_folder_with_its_wal_opens),
        CASE(a_read_only_folder_without_a_wal_opens),
        CASE(a_wal_that_cannot_be_read_is_said_to_hold_the_latest_changes),
        CASE(a_read_only_medium_opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
