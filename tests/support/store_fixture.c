#include "support/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>
#include <sqlite3.h>

int store_fixture_set_up(void **state)
{
    struct store_fixture *fixture = calloc(1, sizeof *fixture);
    const char *base = getenv("TMPDIR");

    assert_non_null(fixture);
    assert_true(sodium_init() >= 0);
    (void)snprintf(fixture->dir, sizeof fixture->dir, "%s/psn-store-XXXXXX",
                   base ? base : "/tmp");
    assert_non_null(mkdtemp(fixture->dir));
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/vault.db", fixture->dir);
    (void)snprintf(fixture->other, sizeof fixture->other, "%s/other.db", fixture->dir);
    *state = fixture;
    return 0;
}

static void empty_dir(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (!dir)
        return;
    for (entry = readdir(dir); entry; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) != 0) {
            char name[600];

            (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            empty_dir(name);
            (void)rmdir(name);
        }
    }
    (void)closedir(dir);
}

int store_fixture_tear_down(void **state)
{
    struct store_fixture *fixture = *state;

    (void)chmod(fixture->dir, 0700);
    empty_dir(fixture->dir);
    (void)rmdir(fixture->dir);
    free(fixture);
    return 0;
}

void store_fixture_hash(struct psn_store_hash_state *state,
                        const struct psn_store_part *parts, size_t count,
                        uint8_t *ret_hash)
{
    crypto_generichash_state *hash = (crypto_generichash_state *)(void *)state->bytes;

    if (!state->has_begun)
        (void)crypto_generichash_init(hash, NULL, 0, PSN_STORE_HASH_SIZE);
    state->has_begun = true;
    for (size_t i = 0; i < count; i++)
        (void)crypto_generichash_update(hash, parts[i].bytes, parts[i].size);
    if (ret_hash)
        (void)crypto_generichash_final(hash, ret_hash, PSN_STORE_HASH_SIZE);
}

void store_fixture_key(uint64_t seed, uint8_t ret_key[24])
{
    (void)crypto_generichash(ret_key, 24, (const uint8_t *)&seed, sizeof seed, NULL, 0);
}

void store_fixture_row(uint64_t seed, uint64_t revision, struct psn_store_row *row)
{
    size_t clear_size = seed % 40;
    size_t box_size = 64 + seed % 200;

    store_fixture_key(seed, row->key);
    row->key_size = 24;
    row->revision = revision;
    psn_buf_reset(&row->clear);
    psn_buf_reset(&row->box);
    for (size_t i = 0; i < clear_size; i++)
        psn_buf_u8(&row->clear, (uint8_t)(seed * 3 + i + revision));
    for (size_t i = 0; i < box_size; i++)
        psn_buf_u8(&row->box, (uint8_t)(seed * 7 + i * 5 + revision));
}

enum psn_code store_fixture_begin(struct psn_store *store, enum psn_store_mode mode,
                                  uint64_t *generation, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
    struct psn_store_roots roots = { 0 };
    uint64_t number = 0;
    enum psn_code rc = psn_store_begin(store, mode, &box, err);

    if (rc)
        return rc;
    if (box.size != 0 && box.size != STORE_FIXTURE_ROOT_SIZE) {
        psn_store_rollback(store);
        return psn_fail(err, PSN_E_INTEGRITY, "the root box has a wrong size");
    }
    for (size_t i = 0; box.size && i < 8; i++)
        number = number << 8 | box.data[i];
    if (box.size)
        memcpy(roots.hash, box.data + 8, sizeof roots.hash);
    if (generation)
        *generation = number;
    psn_store_trust(store, &roots);
    return PSN_OK;
}

enum psn_code store_fixture_commit(struct psn_store *store, uint64_t generation,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
    struct psn_store_roots roots;
    enum psn_code rc = psn_store_roots(store, &roots, err);

    if (rc) {
        psn_store_rollback(store);
        return rc;
    }
    psn_buf_u64(&box, generation);
    psn_buf_bytes(&box, roots.hash, sizeof roots.hash);
    return psn_store_commit(store, &box, err);
}

void store_fixture_make(const char *path, unsigned table, uint64_t first, uint64_t count)
{
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };

    assert_int_equal(psn_store_create(path, store_fixture_hash, &store, &err), PSN_OK);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_WRITE, NULL, &err), PSN_OK);
    for (uint64_t i = first; i < first + count; i++) {
        store_fixture_row(i, 1, &row);
        assert_int_equal(psn_store_put(store, table, &row, &err), PSN_OK);
    }
    assert_int_equal(store_fixture_commit(store, 1, &err), PSN_OK);
}

uint64_t store_fixture_count_rows(struct psn_store *store, unsigned table)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };
    uint64_t count = 0;
    bool found = true;

    assert_int_equal(psn_store_scan_open(store, table, NULL, 0, &scan, &err), PSN_OK);
    while (found) {
        assert_int_equal(psn_store_scan_next(scan, &row, &found, &err), PSN_OK);
        count += found;
    }
    return count;
}

void store_fixture_copy_vault(const char *from, const char *to)
{
    static const char *const suffixes[] = { "-wal", "-shm" };

    store_fixture_copy_file(from, to);
    for (size_t i = 0; i < 2; i++) {
        char beside[280];

        (void)snprintf(beside, sizeof beside, "%s%s", to, suffixes[i]);
        (void)unlink(beside);
    }
}

uint8_t *store_fixture_read_file(const char *path, size_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    uint8_t *bytes;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    bytes = malloc((size_t)info.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)info.st_size), info.st_size);
    (void)close(fd);
    *ret_size = (size_t)info.st_size;
    return bytes;
}

void store_fixture_write_file(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    assert_int_equal(close(fd), 0);
}

void store_fixture_copy_file(const char *from, const char *to)
{
    size_t size = 0;
    uint8_t *bytes = store_fixture_read_file(from, &size);

    store_fixture_write_file(to, bytes, size);
    free(bytes);
}

int store_fixture_try_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    int status = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);

    if (status == SQLITE_OK)
        status = sqlite3_exec(
            db, "PRAGMA writable_schema = ON; PRAGMA ignore_check_constraints = ON", NULL,
            NULL, NULL);
    if (status == SQLITE_OK)
        status = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (status != SQLITE_OK)
        print_message("%s: %s\n", sqlite3_errmsg(db), sql);
    (void)sqlite3_close_v2(db);
    return status;
}

void store_fixture_sql(const char *path, const char *sql)
{
    assert_int_equal(store_fixture_try_sql(path, sql), SQLITE_OK);
}

struct psn_store *store_fixture_open(const char *path)
{
    struct psn_store *store = NULL;
    struct psn_error err = { 0 };

    assert_int_equal(psn_store_open(path, store_fixture_hash, &store, &err), PSN_OK);
    assert_non_null(store);
    return store;
}

void must_begin(struct psn_store *store, enum psn_store_mode mode)
{
    struct psn_error err = { 0 };

    assert_int_equal(store_fixture_begin(store, mode, NULL, &err), PSN_OK);
}

void must_commit(struct psn_store *store, uint64_t generation)
{
    struct psn_error err = { 0 };

    assert_int_equal(store_fixture_commit(store, generation, &err), PSN_OK);
}

void must_put(struct psn_store *store, unsigned table, uint64_t seed, uint64_t revision)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };

    store_fixture_row(seed, revision, &row);
    assert_int_equal(psn_store_put(store, table, &row, &err), PSN_OK);
}

enum psn_code look_up(struct psn_store *store, unsigned table, uint64_t seed,
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

void assert_store_rows_equal(const struct psn_store_row *a, const struct psn_store_row *b)
{
    assert_int_equal(a->key_size, b->key_size);
    assert_memory_equal(a->key, b->key, a->key_size);
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->clear.size, b->clear.size);
    assert_memory_equal(psn_buf_str(&a->clear), psn_buf_str(&b->clear), a->clear.size);
    assert_int_equal(a->box.size, b->box.size);
    assert_memory_equal(psn_buf_str(&a->box), psn_buf_str(&b->box), a->box.size);
}

void assert_store_row(struct psn_store *store, unsigned table, uint64_t seed,
                      uint64_t revision)
{
    PSN_AUTO_RELEASE(psn_store_row) expected = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    store_fixture_row(seed, revision, &expected);
    assert_int_equal(look_up(store, table, seed, &row), PSN_OK);
    assert_store_rows_equal(&row, &expected);
}

void store_fixture_leaf(uint32_t bucket, uint8_t *ret_hash)
{
    memset(ret_hash, 0, PSN_STORE_HASH_SIZE);
    ret_hash[bucket % PSN_STORE_HASH_SIZE] = (uint8_t)(1 + bucket % 251);
}

unsigned count_files(const char *path)
{
    DIR *dir = opendir(path);
    unsigned count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count - 2;
}

const char *beside_vault(const struct store_fixture *at, const char *suffix)
{
    static char name[320];

    (void)snprintf(name, sizeof name, "%s%s", at->path, suffix);
    return name;
}
