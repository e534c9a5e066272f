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

/* ----------------------------------------------------------------- helpers */

static void assert_open_fails(const char *path, enum psn_code expected)
{
    struct psn_store *store = NULL;
    struct psn_error err = { 0 };

    assert_int_equal(psn_store_open(path, store_fixture_hash, &store, &err), expected);
    assert_int_equal(err.code, expected);
    assert_true(err.message[0] != '\0');
    assert_null(store);
}

static unsigned mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

/* ----------------------------------------------------------------- create */

static void a_new_vault_appears_whole_with_its_first_commit(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, &err),
                     PSN_OK);
    assert_int_equal(access(at->path, F_OK), -1);
    must_begin(store, PSN_STORE_WRITE);
    must_put(store, 3, 1, 1);
    assert_int_equal(access(at->path, F_OK), -1);
    must_commit(store, 1);
    assert_int_equal(access(at->path, F_OK), 0);
    must_begin(store, PSN_STORE_READ);
    assert_store_row(store, 3, 1, 1);
    assert_int_equal(psn_store_check(store, &err), PSN_OK);
}

static void a_new_vault_that_is_never_committed_leaves_nothing(void **state)
{
    struct store_fixture *at = *state;
    struct psn_store *store = NULL;

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    must_begin(store, PSN_STORE_WRITE);
    must_put(store, 0, 1, 1);
    psn_store_free(store);
    assert_int_equal(count_files(at->dir), 0);
}

static void every_file_is_closed_to_others_whatever_the_umask(void **state)
{
    struct store_fixture *at = *state;
    static const mode_t masks[] = { 0, 022, 0777 };

    for (size_t i = 0; i < 3; i++) {
        mode_t before = umask(masks[i]);
        struct psn_store *store = NULL;

        assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                         PSN_OK);
        must_begin(store, PSN_STORE_WRITE);
        must_commit(store, 1);
        must_begin(store, PSN_STORE_WRITE);
        must_put(store, 0, 1, 1);
        must_commit(store, 2);
        assert_int_equal(mode_of(at->path), 0600);
        assert_int_equal(mode_of(beside_vault(at, "-wal")), 0600);
        assert_int_equal(mode_of(beside_vault(at, "-shm")), 0600);
        assert_int_equal(count_files(at->dir), 3);
        assert_int_equal(psn_store_copy(store, at->other, false, NULL, NULL, NULL),
                         PSN_OK);
        assert_int_equal(mode_of(at->other), 0600);
        psn_store_free(store);
        (void)umask(before);
        assert_int_equal(unlink(at->path), 0);
        assert_int_equal(unlink(beside_vault(at, "-wal")), 0);
        assert_int_equal(unlink(at->other), 0);
    }
}

static void create_refuses_what_exists(void **state)
{
    struct store_fixture *at = *state;
    struct psn_store *store = NULL;
    struct psn_error err = { 0 };
    char before[] = "somebody's file";

    store_fixture_write_file(at->path, before, sizeof before);
    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, &err),
                     PSN_E_EXISTS);
    assert_int_equal(err.code, PSN_E_EXISTS);
    assert_null(store);
    assert_int_equal(count_files(at->dir), 1);
}

static void create_loses_the_race_for_the_name_without_harm(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *late = NULL;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &late, NULL), PSN_OK);
    store_fixture_make(at->path, 0, 1, 1);
    must_begin(late, PSN_STORE_WRITE);
    assert_int_equal(store_fixture_commit(late, 1, &err), PSN_E_EXISTS);
    assert_int_equal(err.code, PSN_E_EXISTS);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_READ);
    assert_store_row(store, 0, 1, 1);
}

static void create_refuses_a_place_where_an_old_wal_lies(void **state)
{
    struct store_fixture *at = *state;
    struct psn_store *store = NULL;
    struct psn_error err = { 0 };

    store_fixture_make(at->path, 0, 0, 3);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    must_put(store, 0, 9, 1);
    must_commit(store, 2);
    psn_store_free(store);
    store = NULL;
    assert_int_equal(unlink(at->path), 0);
    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, &err),
                     PSN_E_EXISTS);
    assert_null(store);
    assert_non_null(strstr(err.message, "-wal"));
    assert_true(err.hint[0] != '\0');
}

static void a_missing_folder_is_named(void **state)
{
    struct store_fixture *at = *state;
    struct psn_store *store = NULL;
    struct psn_error err = { 0 };
    char path[400];

    (void)snprintf(path, sizeof path, "%s/none/vault.db", at->dir);
    assert_int_equal(psn_store_create(path, store_fixture_hash, &store, &err),
                     PSN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "none"));
    assert_open_fails(path, PSN_E_NOT_FOUND);
    assert_open_fails("/", PSN_E_INVALID);
}

/* ----------------------------------------------------------------- open */

static void open_tells_what_is_wrong_with_a_file(void **state)
{
    struct store_fixture *at = *state;
    char noise[8192];

    assert_open_fails(at->path, PSN_E_NOT_FOUND);
    store_fixture_write_file(at->path, "", 0);
    assert_open_fails(at->path, PSN_E_INTEGRITY);
    memset(noise, 'x', sizeof noise);
    store_fixture_write_file(at->path, noise, sizeof noise);
    assert_open_fails(at->path, PSN_E_INTEGRITY);
    assert_int_equal(unlink(at->path), 0);
    assert_int_equal(mkdir(at->path, 0700), 0);
    assert_open_fails(at->path, PSN_E_IO);
    assert_int_equal(rmdir(at->path), 0);
    assert_int_equal(mkfifo(at->path, 0600), 0);
    assert_open_fails(at->path, PSN_E_IO);
    assert_int_equal(unlink(at->path), 0);
    store_fixture_make(at->other, 0, 0, 1);
    assert_int_equal(symlink(at->other, at->path), 0);
    assert_open_fails(at->path, PSN_E_IO);
}

static void open_leaves_a_foreign_database_alone(void **state)
{
    struct store_fixture *at = *state;
    size_t size_before = 0;
    size_t size_after = 0;
    uint8_t *before;
    uint8_t *after;

    store_fixture_write_file(at->path, "", 0);
    store_fixture_sql(at->path, "CREATE TABLE bookmarks (url TEXT)");
    before = store_fixture_read_file(at->path, &size_before);
    assert_open_fails(at->path, PSN_E_INTEGRITY);
    after = store_fixture_read_file(at->path, &size_after);
    assert_int_equal(size_before, size_after);
    assert_memory_equal(before, after, size_before);
    free(before);
    free(after);
}

static void open_knows_older_and_newer_formats(void **state)
{
    struct store_fixture *at = *state;

    store_fixture_make(at->path, 0, 0, 1);
    store_fixture_sql(at->path, "PRAGMA user_version = 2");
    assert_open_fails(at->path, PSN_E_TOO_NEW);
    store_fixture_sql(at->path, "PRAGMA user_version = 0");
    assert_open_fails(at->path, PSN_E_INTEGRITY);
    store_fixture_sql(at->path, "PRAGMA user_version = 1");
    psn_store_free(store_fixture_open(at->path));
    store_fixture_sql(at->path, "PRAGMA application_id = 1");
    assert_open_fails(at->path, PSN_E_INTEGRITY);
}

static void a_folder_behind_a_link_is_fine(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    char link[400];
    char path[420];

    (void)snprintf(link, sizeof link, "%s/link with 100%% odd?name#", at->dir);
    (void)snprintf(path, sizeof path, "%s/vault.db", link);
    assert_int_equal(symlink(at->dir, link), 0);
    store_fixture_make(path, 0, 0, 1);
    store = store_fixture_open(path);
    must_begin(store, PSN_STORE_READ);
    assert_store_row(store, 0, 0, 1);
}

static void the_file_stays_in_wal_mode_and_is_healed_if_not(void **state)
{
    struct store_fixture *at = *state;
    uint8_t *bytes;
    size_t size = 0;

    store_fixture_make(at->path, 0, 0, 1);
    store_fixture_sql(at->path, "PRAGMA journal_mode = DELETE");
    psn_store_free(store_fixture_open(at->path));
    bytes = store_fixture_read_file(at->path, &size);
    assert_int_equal(bytes[18], 2);
    assert_int_equal(bytes[19], 2);
    free(bytes);
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
    must_begin(store, PSN_STORE_WRITE);
    must_put(store, 0, 20, 1);
    must_commit(store, 2);
    psn_store_free(PSN_TAKE(store));
    if (which == FOLDER_WITHOUT_WAL || which == BOTH)
        store_fixture_sql(at->path, "PRAGMA wal_checkpoint(TRUNCATE)");
    if (which == FOLDER_WITHOUT_SHM)
        assert_int_equal(unlink(beside_vault(at, "-shm")), 0);
    if (which == FOLDER_WITHOUT_WAL || which == BOTH) {
        (void)unlink(beside_vault(at, "-wal"));
        (void)unlink(beside_vault(at, "-shm"));
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

static void a_file_with_a_second_name_is_refused(void **state)
{
    struct store_fixture *at = *state;
    unsigned files;

    store_fixture_make(at->path, 1, 1, 1);
    files = count_files(at->dir);
    assert_int_equal(link(at->path, at->other), 0);
    assert_open_fails(at->path, PSN_E_IO);
    assert_open_fails(at->other, PSN_E_IO);
    assert_int_equal(count_files(at->dir), files + 1);
    assert_int_equal(unlink(at->other), 0);
    psn_store_free(store_fixture_open(at->path));
}

/* A kill between two steps of a restore, or of a new vault, leaves them. */
static void a_second_name_of_our_own_making_is_fine(void **state)
{
    static const char *const tails[] = { ".before-restore-20261129T171943Z",
                                         ".passation-0123456789abcdef", ".restoring" };
    struct store_fixture *at = *state;

    store_fixture_make(at->path, 1, 1, 1);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char own[sizeof at->path + 64];

        (void)snprintf(own, sizeof own, "%s%s", at->path, tails[i]);
        assert_int_equal(link(at->path, own), 0);
        psn_store_free(store_fixture_open(at->path));
        assert_open_fails(own, PSN_E_IO);
    }
    assert_int_equal(link(at->path, at->other), 0);
    assert_open_fails(at->path, PSN_E_IO);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(a_new_vault_appears_whole_with_its_first_commit),
        CASE(a_new_vault_that_is_never_committed_leaves_nothing),
        CASE(every_file_is_closed_to_others_whatever_the_umask),
        CASE(create_refuses_what_exists),
        CASE(create_loses_the_race_for_the_name_without_harm),
        CASE(create_refuses_a_place_where_an_old_wal_lies),
        CASE(a_missing_folder_is_named),
        CASE(open_tells_what_is_wrong_with_a_file),
        CASE(open_leaves_a_foreign_database_alone),
        CASE(open_knows_older_and_newer_formats),
        CASE(a_folder_behind_a_link_is_fine),
        CASE(the_file_stays_in_wal_mode_and_is_healed_if_not),
        CASE(a_read_only_file_opens_and_cannot_be_written),
        CASE(a_read_only_folder_with_its_wal_opens),
        CASE(a_read_only_folder_without_a_wal_opens),
        CASE(a_wal_that_cannot_be_read_is_said_to_hold_the_latest_changes),
        CASE(a_read_only_medium_opens),
        CASE(a_file_with_a_second_name_is_refused),
        CASE(a_second_name_of_our_own_making_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
