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

static struct psn_store *open_vault(const char *path)
{
    struct psn_store *store = NULL;
    struct psn_error err = { 0 };

    assert_int_equal(psn_store_open(path, store_fixture_hash, &store, &err), PSN_OK);
    assert_non_null(store);
    return store;
}

static void begin(struct psn_store *store, enum psn_store_mode mode)
{
    struct psn_error err = { 0 };

    assert_int_equal(store_fixture_begin(store, mode, NULL, &err), PSN_OK);
}

static void commit(struct psn_store *store, uint64_t generation)
{
    struct psn_error err = { 0 };

    assert_int_equal(store_fixture_commit(store, generation, &err), PSN_OK);
}

static void put(struct psn_store *store, unsigned table, uint64_t seed, uint64_t revision)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };

    store_fixture_row(seed, revision, &row);
    assert_int_equal(psn_store_put(store, table, &row, &err), PSN_OK);
}

static enum psn_code get(struct psn_store *store, unsigned table, uint64_t seed,
                         struct psn_store_row *row)
{
    struct psn_error err = { 0 };
    uint8_t key[24];
    enum psn_code rc;

    store_fixture_key(seed, key);
    rc = psn_store_get(store, table, key, sizeof key, row, &err);
    assert_int_equal(rc, err.code);
    return rc;
}

static void assert_rows_equal(const struct psn_store_row *a,
                              const struct psn_store_row *b)
{
    assert_int_equal(a->key_size, b->key_size);
    assert_memory_equal(a->key, b->key, a->key_size);
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->clear.size, b->clear.size);
    assert_memory_equal(psn_buf_str(&a->clear), psn_buf_str(&b->clear), a->clear.size);
    assert_int_equal(a->box.size, b->box.size);
    assert_memory_equal(psn_buf_str(&a->box), psn_buf_str(&b->box), a->box.size);
}

static void assert_row(struct psn_store *store, unsigned table, uint64_t seed,
                       uint64_t revision)
{
    PSN_AUTO_RELEASE(psn_store_row) expected = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    store_fixture_row(seed, revision, &expected);
    assert_int_equal(get(store, table, seed, &row), PSN_OK);
    assert_rows_equal(&row, &expected);
}

static void assert_open_fails(const char *path, enum psn_code expected)
{
    struct psn_store *store = NULL;
    struct psn_error err = { 0 };

    assert_int_equal(psn_store_open(path, store_fixture_hash, &store, &err), expected);
    assert_int_equal(err.code, expected);
    assert_true(err.message[0] != '\0');
    assert_null(store);
}

static unsigned files_in(const char *path)
{
    DIR *dir = opendir(path);
    unsigned count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count - 2;
}

static unsigned mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

static const char *beside(const struct store_fixture *at, const char *suffix)
{
    static char name[320];

    (void)snprintf(name, sizeof name, "%s%s", at->path, suffix);
    return name;
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
    begin(store, PSN_STORE_WRITE);
    put(store, 3, 1, 1);
    assert_int_equal(access(at->path, F_OK), -1);
    commit(store, 1);
    assert_int_equal(access(at->path, F_OK), 0);
    begin(store, PSN_STORE_READ);
    assert_row(store, 3, 1, 1);
    assert_int_equal(psn_store_check(store, &err), PSN_OK);
}

static void a_new_vault_that_is_never_committed_leaves_nothing(void **state)
{
    struct store_fixture *at = *state;
    struct psn_store *store = NULL;

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    begin(store, PSN_STORE_WRITE);
    put(store, 0, 1, 1);
    psn_store_free(store);
    assert_int_equal(files_in(at->dir), 0);
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
        begin(store, PSN_STORE_WRITE);
        commit(store, 1);
        begin(store, PSN_STORE_WRITE);
        put(store, 0, 1, 1);
        commit(store, 2);
        assert_int_equal(mode_of(at->path), 0600);
        assert_int_equal(mode_of(beside(at, "-wal")), 0600);
        assert_int_equal(mode_of(beside(at, "-shm")), 0600);
        assert_int_equal(files_in(at->dir), 3);
        assert_int_equal(psn_store_copy(store, at->other, false, NULL), PSN_OK);
        assert_int_equal(mode_of(at->other), 0600);
        psn_store_free(store);
        (void)umask(before);
        assert_int_equal(unlink(at->path), 0);
        assert_int_equal(unlink(beside(at, "-wal")), 0);
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
    assert_int_equal(files_in(at->dir), 1);
}

static void create_loses_the_race_for_the_name_without_harm(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *late = NULL;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &late, NULL), PSN_OK);
    store_fixture_make(at->path, 0, 1, 1);
    begin(late, PSN_STORE_WRITE);
    assert_int_equal(store_fixture_commit(late, 1, &err), PSN_E_EXISTS);
    assert_int_equal(err.code, PSN_E_EXISTS);
    store = open_vault(at->path);
    begin(store, PSN_STORE_READ);
    assert_row(store, 0, 1, 1);
}

static void create_refuses_a_place_where_an_old_wal_lies(void **state)
{
    struct store_fixture *at = *state;
    struct psn_store *store = NULL;
    struct psn_error err = { 0 };

    store_fixture_make(at->path, 0, 0, 3);
    store = open_vault(at->path);
    begin(store, PSN_STORE_WRITE);
    put(store, 0, 9, 1);
    commit(store, 2);
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
    psn_store_free(open_vault(at->path));
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
    store = open_vault(path);
    begin(store, PSN_STORE_READ);
    assert_row(store, 0, 0, 1);
}

static void the_file_stays_in_wal_mode_and_is_healed_if_not(void **state)
{
    struct store_fixture *at = *state;
    uint8_t *bytes;
    size_t size = 0;

    store_fixture_make(at->path, 0, 0, 1);
    store_fixture_sql(at->path, "PRAGMA journal_mode = DELETE");
    psn_store_free(open_vault(at->path));
    bytes = store_fixture_read_file(at->path, &size);
    assert_int_equal(bytes[18], 2);
    assert_int_equal(bytes[19], 2);
    free(bytes);
}

/* ----------------------------------------------------------------- rows */

static void rows_come_back_as_they_were_put(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO(psn_store) *store = NULL;

    store_fixture_make(at->path, 5, 0, 100);
    store = open_vault(at->path);
    begin(store, PSN_STORE_READ);
    for (uint64_t i = 0; i < 100; i++)
        assert_row(store, 5, i, 1);
    assert_int_equal(get(store, 5, 100, &row), PSN_E_NOT_FOUND);
    assert_int_equal(get(store, 4, 0, &row), PSN_E_NOT_FOUND);
    assert_int_equal(row.box.size, 0);
    assert_int_equal(store_fixture_count_rows(store, 5), 100);
}

static void the_largest_and_smallest_rows_fit(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) large = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) small = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };

    memset(large.key, 0xff, sizeof large.key);
    large.key_size = PSN_STORE_KEY_MAX;
    large.revision = 1;
    memset(psn_buf_reserve(&large.clear, PSN_STORE_CLEAR_MAX), 1, PSN_STORE_CLEAR_MAX);
    memset(psn_buf_reserve(&large.box, PSN_STORE_BOX_MAX), 2, PSN_STORE_BOX_MAX);
    small.key_size = PSN_STORE_KEY_MIN;
    small.revision = 1;
    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    begin(store, PSN_STORE_WRITE);
    assert_int_equal(psn_store_put(store, 15, &large, &err), PSN_OK);
    assert_int_equal(psn_store_put(store, 15, &small, &err), PSN_OK);
    commit(store, 1);
    begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_get(store, 15, large.key, large.key_size, &row, &err),
                     PSN_OK);
    assert_rows_equal(&row, &large);
    assert_int_equal(psn_store_get(store, 15, small.key, small.key_size, &row, &err),
                     PSN_OK);
    assert_rows_equal(&row, &small);
    assert_int_equal(store_fixture_count_rows(store, 15), 2);
    assert_int_equal(psn_store_check(store, &err), PSN_OK);
}

static void a_row_that_is_too_large_is_refused_and_nothing_spoiled(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_buf) wide = psn_buf_init(PSN_STORE_BOX_MAX + 1);
    struct psn_error err = { 0 };

    store_fixture_make(at->path, 0, 0, 1);
    store = open_vault(at->path);
    begin(store, PSN_STORE_WRITE);
    store_fixture_row(7, 1, &row);
    (void)psn_buf_reserve(&wide, PSN_STORE_BOX_MAX + 1);
    psn_buf_release(&row.box);
    row.box = wide;
    wide = psn_buf_init(1);
    assert_int_equal(psn_store_put(store, 0, &row, &err), PSN_E_LIMIT);
    store_fixture_row(7, (uint64_t)INT64_MAX + 1, &row);
    assert_int_equal(psn_store_put(store, 0, &row, NULL), PSN_E_LIMIT);
    put(store, 0, 7, 1);
    commit(store, 2);
}

static void revisions_are_compared_before_a_row_is_replaced(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    static const struct {
        uint64_t seed;
        uint64_t revision;
        enum psn_code expected;
    } cases[] = {
        { 0, 1, PSN_E_EXISTS },   { 0, 2, PSN_OK }, { 0, 2, PSN_E_CONFLICT },
        { 0, 4, PSN_E_CONFLICT }, { 0, 3, PSN_OK }, { 0, 1, PSN_E_EXISTS },
        { 8, 2, PSN_E_CONFLICT }, { 8, 1, PSN_OK }, { 8, 2, PSN_OK },
        { 8, 4, PSN_E_CONFLICT },
    };

    store_fixture_make(at->path, 0, 0, 1);
    store = open_vault(at->path);
    begin(store, PSN_STORE_WRITE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct psn_error err = { 0 };

        store_fixture_row(cases[i].seed, cases[i].revision, &row);
        assert_int_equal(psn_store_put(store, 0, &row, &err), cases[i].expected);
        assert_int_equal(err.code, cases[i].expected);
    }
    commit(store, 2);
    begin(store, PSN_STORE_READ);
    assert_row(store, 0, 0, 3);
    assert_row(store, 0, 8, 2);
}

static void a_deleted_row_is_gone_and_so_are_its_bytes(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    static const char needle[] = "the needle that must not stay in the file";
    struct psn_store *store;
    struct psn_error err = { 0 };
    uint8_t *bytes;
    size_t size = 0;

    store_fixture_make(at->path, 0, 0, 40);
    store = open_vault(at->path);
    begin(store, PSN_STORE_WRITE);
    store_fixture_row(77, 1, &row);
    psn_buf_bytes(&row.box, needle, sizeof needle);
    assert_int_equal(psn_store_put(store, 0, &row, &err), PSN_OK);
    commit(store, 2);
    begin(store, PSN_STORE_WRITE);
    assert_int_equal(psn_store_delete(store, 0, row.key, row.key_size, &err), PSN_OK);
    assert_int_equal(psn_store_delete(store, 0, row.key, row.key_size, &err),
                     PSN_E_NOT_FOUND);
    commit(store, 3);
    begin(store, PSN_STORE_READ);
    assert_int_equal(get(store, 0, 77, &row), PSN_E_NOT_FOUND);
    psn_store_free(store);
    store_fixture_sql(at->path, "PRAGMA wal_checkpoint(TRUNCATE)");
    bytes = store_fixture_read_file(at->path, &size);
    assert_null(memmem(bytes, size, needle, sizeof needle));
    free(bytes);
}

static void a_table_that_becomes_empty_has_an_empty_root(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_store_roots roots;
    static const struct psn_store_roots none;
    struct psn_error err = { 0 };
    uint8_t key[24];

    store_fixture_make(at->path, 2, 0, 50);
    store = open_vault(at->path);
    begin(store, PSN_STORE_WRITE);
    psn_store_roots(store, &roots);
    assert_memory_not_equal(&roots, &none, sizeof roots);
    for (uint64_t i = 0; i < 50; i++) {
        store_fixture_key(i, key);
        assert_int_equal(psn_store_delete(store, 2, key, sizeof key, &err), PSN_OK);
    }
    psn_store_roots(store, &roots);
    assert_memory_equal(&roots, &none, sizeof roots);
    assert_int_equal(psn_store_check(store, &err), PSN_OK);
    commit(store, 2);
}

/* ----------------------------------------------------------------- transactions */

static void a_rollback_forgets(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    uint64_t generation = 0;

    store_fixture_make(at->path, 0, 0, 3);
    store = open_vault(at->path);
    begin(store, PSN_STORE_WRITE);
    put(store, 0, 9, 1);
    psn_store_rollback(store);
    psn_store_rollback(store);
    psn_store_rollback(NULL);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_READ, &generation, NULL),
                     PSN_OK);
    assert_int_equal(generation, 1);
    assert_int_equal(get(store, 0, 9, &row), PSN_E_NOT_FOUND);
    assert_int_equal(psn_store_commit(store, NULL, NULL), PSN_OK);
}

static void a_reader_keeps_its_snapshot_while_another_writes(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *reader = NULL;
    PSN_AUTO(psn_store) *writer = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    store_fixture_make(at->path, 0, 0, 10);
    reader = open_vault(at->path);
    writer = open_vault(at->path);
    begin(reader, PSN_STORE_READ);
    begin(writer, PSN_STORE_WRITE);
    put(writer, 0, 3, 2);
    put(writer, 0, 50, 1);
    commit(writer, 2);
    assert_row(reader, 0, 3, 1);
    assert_int_equal(get(reader, 0, 50, &row), PSN_E_NOT_FOUND);
    assert_int_equal(store_fixture_count_rows(reader, 0), 10);
    assert_int_equal(psn_store_commit(reader, NULL, NULL), PSN_OK);
    begin(reader, PSN_STORE_READ);
    assert_row(reader, 0, 3, 2);
    assert_row(reader, 0, 50, 1);
}

static void a_second_writer_waits_ten_seconds_and_is_told(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *first = NULL;
    PSN_AUTO(psn_store) *second = NULL;
    struct psn_error err = { 0 };
    struct timespec start;
    struct timespec now;

    store_fixture_make(at->path, 0, 0, 1);
    first = open_vault(at->path);
    second = open_vault(at->path);
    begin(first, PSN_STORE_WRITE);
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    assert_int_equal(store_fixture_begin(second, PSN_STORE_WRITE, NULL, &err),
                     PSN_E_BUSY);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    assert_true(now.tv_sec - start.tv_sec >= 9 && now.tv_sec - start.tv_sec <= 20);
    assert_true(err.hint[0] != '\0');
    begin(second, PSN_STORE_READ);
    assert_row(second, 0, 0, 1);
    psn_store_rollback(second);
    commit(first, 2);
    begin(second, PSN_STORE_WRITE);
    commit(second, 3);
}

static void a_step_that_failed_half_way_forbids_the_commit(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };
    char sql[128];
    uint8_t key[24];

    store_fixture_make(at->path, 0, 0, 1);
    store_fixture_key(0, key);
    /* A stray top node where the new row's table has none: only writing it finds it. */
    (void)snprintf(sql, sizeof sql, "INSERT INTO node VALUES (%d, x'%064d')", 9 << 14, 0);
    store_fixture_sql(at->path, sql);
    store = open_vault(at->path);
    begin(store, PSN_STORE_WRITE);
    store_fixture_row(5, 1, &row);
    assert_int_equal(psn_store_put(store, 9, &row, &err), PSN_E_INTEGRITY);
    assert_int_equal(get(store, 0, 0, &row), PSN_E_INTEGRITY);
    assert_int_equal(store_fixture_commit(store, 2, NULL), PSN_E_INTEGRITY);
    begin(store, PSN_STORE_READ);
    assert_row(store, 0, 0, 1);
    assert_int_equal(get(store, 9, 5, &row), PSN_E_NOT_FOUND);
    assert_int_equal(psn_store_check(store, NULL), PSN_E_INTEGRITY);
}

static void a_scan_and_gets_go_together(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) again = psn_store_row_init();
    PSN_AUTO(psn_store_scan) *scan = NULL;
    bool found = true;
    unsigned count = 0;

    store_fixture_make(at->path, 0, 0, 200);
    store = open_vault(at->path);
    begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_scan_open(store, 0, NULL, 0, &scan, NULL), PSN_OK);
    while (found) {
        assert_int_equal(psn_store_scan_next(scan, &row, &found, NULL), PSN_OK);
        if (!found)
            break;
        assert_int_equal(psn_store_get(store, 0, row.key, row.key_size, &again, NULL),
                         PSN_OK);
        assert_rows_equal(&row, &again);
        if (count++ == 100)
            assert_int_equal(store_fixture_count_rows(store, 0), 200);
    }
    assert_int_equal(count, 200);
    assert_int_equal(psn_store_scan_next(scan, &row, &found, NULL), PSN_OK);
    assert_false(found);
}

static void the_wal_does_not_grow_with_the_number_of_commands(void **state)
{
    struct store_fixture *at = *state;
    struct stat info;

    store_fixture_make(at->path, 0, 0, 100);
    for (uint64_t i = 0; i < 60; i++) {
        PSN_AUTO(psn_store) *store = open_vault(at->path);

        begin(store, PSN_STORE_WRITE);
        put(store, 0, i, 2);
        commit(store, 2 + i);
    }
    assert_int_equal(lstat(beside(at, "-wal"), &info), 0);
    assert_true(info.st_size < 320 * 1024);
}

/* ----------------------------------------------------------------- journal */

static void journal_chains_are_kept_apart(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    static const uint8_t vault[PSN_STORE_CHAIN_SIZE] = "the vault chain";
    static const uint8_t client[PSN_STORE_CHAIN_SIZE] = "a client chain";
    struct psn_error err = { 0 };
    uint64_t count = 0;

    store_fixture_make(at->path, 0, 0, 1);
    store = open_vault(at->path);
    begin(store, PSN_STORE_WRITE);
    for (uint64_t i = 1; i <= 20; i++) {
        entry.number = i;
        memset(entry.hash, (int)i, sizeof entry.hash);
        psn_buf_reset(&entry.box);
        psn_buf_format(&entry.box, "entry %u", (unsigned)i);
        assert_int_equal(psn_store_journal_append(store, vault, &entry, &err), PSN_OK);
        if (i <= 5)
            assert_int_equal(psn_store_journal_append(store, client, &entry, &err),
                             PSN_OK);
    }
    commit(store, 2);
    begin(store, PSN_STORE_WRITE);
    assert_int_equal(psn_store_journal_count(store, &count, &err), PSN_OK);
    assert_int_equal(count, 25);
    assert_int_equal(psn_store_journal_get(store, vault, 17, &entry, &err), PSN_OK);
    assert_int_equal(entry.number, 17);
    assert_int_equal(entry.hash[31], 17);
    assert_string_equal(psn_buf_str(&entry.box), "entry 17");
    assert_int_equal(psn_store_journal_get(store, client, 6, &entry, &err),
                     PSN_E_NOT_FOUND);
    assert_int_equal(entry.number, 17);
    assert_int_equal(psn_store_journal_delete(store, client, NULL), PSN_OK);
    assert_int_equal(psn_store_journal_count(store, &count, NULL), PSN_OK);
    assert_int_equal(count, 20);
    commit(store, 3);
}

static void a_journal_row_is_never_overwritten(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    static const uint8_t chain[PSN_STORE_CHAIN_SIZE] = { 1 };
    struct psn_error err = { 0 };

    store_fixture_make(at->path, 0, 0, 1);
    store = open_vault(at->path);
    begin(store, PSN_STORE_WRITE);
    entry.number = 1;
    psn_buf_text(&entry.box, "first");
    assert_int_equal(psn_store_journal_append(store, chain, &entry, &err), PSN_OK);
    assert_int_equal(psn_store_journal_append(store, chain, &entry, &err),
                     PSN_E_INTEGRITY);
    assert_int_equal(store_fixture_commit(store, 2, NULL), PSN_E_INTEGRITY);
}

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
    store = open_vault(at->path);
    writer = open_vault(at->path);
    begin(writer, PSN_STORE_WRITE);
    put(writer, 0, 1000, 1);
    assert_int_equal(psn_store_copy(store, at->other, false, &err), PSN_OK);
    commit(writer, 2);
    assert_int_equal(files_in(at->dir), 4);
    copy = open_vault(at->other);
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
    store = open_vault(at->path);
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
    store = open_vault(at->path);
    assert_int_equal(psn_store_copy(store, at->other, false, &err), PSN_OK);
    for (uint64_t i = 0; i < 10; i++) {
        begin(store, PSN_STORE_WRITE);
        put(store, 0, i, 2);
        put(store, 0, 100 + i, 1);
        commit(store, 2 + i);
    }
    psn_store_free(PSN_TAKE(store));
    backup = open_vault(at->other);
    assert_int_equal(psn_store_copy(backup, at->path, true, &err), PSN_OK);
    store = open_vault(at->path);
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
    store = open_vault(at->path);
    backup = open_vault(at->other);
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
    store = open_vault(at->path);
    begin(store, PSN_STORE_WRITE);
    put(store, 0, 7, 1);
    commit(store, 2);
    psn_store_free(PSN_TAKE(store));
    store_fixture_write_file(at->path, ruin, sizeof ruin);
    store_fixture_make(at->other, 0, 0, 4);
    backup = open_vault(at->other);
    assert_int_equal(psn_store_copy(backup, at->path, true, &err), PSN_OK);
    store = open_vault(at->path);
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
    store = open_vault(at->path);
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
    store = open_vault(at->path);
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
        CASE(rows_come_back_as_they_were_put),
        CASE(the_largest_and_smallest_rows_fit),
        CASE(a_row_that_is_too_large_is_refused_and_nothing_spoiled),
        CASE(revisions_are_compared_before_a_row_is_replaced),
        CASE(a_deleted_row_is_gone_and_so_are_its_bytes),
        CASE(a_table_that_becomes_empty_has_an_empty_root),
        CASE(a_rollback_forgets),
        CASE(a_reader_keeps_its_snapshot_while_another_writes),
        CASE(a_second_writer_waits_ten_seconds_and_is_told),
        CASE(a_step_that_failed_half_way_forbids_the_commit),
        CASE(a_scan_and_gets_go_together),
        CASE(the_wal_does_not_grow_with_the_number_of_commands),
        CASE(journal_chains_are_kept_apart),
        CASE(a_journal_row_is_never_overwritten),
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
