#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>
#include <sqlite3.h>

#include "store/store.h"
#include "support/tmpdir.h"

/*
 * What the store costs as a vault grows: one row read, absence proved, a scan, a commit
 * and its syncs (counted by a VFS that passes everything on), and opening the file.
 *
 *     bench_store [ROWS…]        default: 10 1000 100000
 */

/* SQLite has one table of methods for databases and another one for their journals. */
static struct {
    const sqlite3_io_methods *real;
    sqlite3_io_methods counting;
} methods[4];

static unsigned syncs;
static int (*real_sync)(sqlite3_file *, int);
static int (*real_open)(sqlite3_vfs *, sqlite3_filename, sqlite3_file *, int, int *);

static int counting_sync(sqlite3_file *file, int flags)
{
    syncs++;
    return real_sync(file, flags);
}

static int counting_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file,
                         int flags, int *ret_flags)
{
    int status = real_open(vfs, name, file, flags, ret_flags);
    size_t i = 0;

    if (status != SQLITE_OK || !file->pMethods)
        return status;
    while (i < 3 && methods[i].real && methods[i].real != file->pMethods)
        i++;
    methods[i].real = file->pMethods;
    methods[i].counting = *file->pMethods;
    real_sync = file->pMethods->xSync;
    methods[i].counting.xSync = counting_sync;
    file->pMethods = &methods[i].counting;
    return status;
}

static void install_counter(void)
{
    static sqlite3_vfs counter;

    counter = *sqlite3_vfs_find(NULL);
    counter.zName = "counter";
    counter.pNext = NULL;
    real_open = counter.xOpen;
    counter.xOpen = counting_open;
    (void)sqlite3_vfs_register(&counter, 1);
}

static void hash(struct psn_store_hash_state *state, const struct psn_store_part *parts,
                 size_t count, uint8_t *ret_hash)
{
    crypto_generichash_state *own = (crypto_generichash_state *)(void *)state->bytes;

    if (!state->has_begun)
        (void)crypto_generichash_init(own, NULL, 0, PSN_STORE_HASH_SIZE);
    state->has_begun = true;
    for (size_t i = 0; i < count; i++)
        (void)crypto_generichash_update(own, parts[i].bytes, parts[i].size);
    if (ret_hash)
        (void)crypto_generichash_final(own, ret_hash, PSN_STORE_HASH_SIZE);
}

static double now_us(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static void must(enum psn_code rc, const struct psn_error *err)
{
    if (rc) {
        (void)fprintf(stderr, "bench_store: %s\n", err->message);
        exit(1);
    }
}

/* A row as a mailbox secret has it: 24 bytes of key, 400 of box. */
static void fill(struct psn_store_row *row, uint64_t seed, uint64_t revision)
{
    (void)crypto_generichash(row->key, 24, (const uint8_t *)&seed, sizeof seed, NULL, 0);
    row->key_size = 24;
    row->revision = revision;
    psn_buf_reset(&row->box);
    randombytes_buf(psn_buf_reserve(&row->box, 400), 400);
}

static void begin(struct psn_store *store, enum psn_store_mode mode)
{
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
    struct psn_store_roots roots = { 0 };
    struct psn_error err = { 0 };

    must(psn_store_begin(store, mode, &box, &err), &err);
    if (box.size == sizeof roots)
        memcpy(&roots, box.data, sizeof roots);
    psn_store_trust(store, &roots);
}

static void commit(struct psn_store *store)
{
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
    struct psn_store_roots roots;
    struct psn_error err = { 0 };

    must(psn_store_roots(store, &roots, &err), &err);
    psn_buf_bytes(&box, &roots, sizeof roots);
    must(psn_store_commit(store, &box, &err), &err);
}

static double make(const char *path, uint64_t rows)
{
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };
    double start = now_us();

    must(psn_store_create(path, hash, &store, &err), &err);
    begin(store, PSN_STORE_WRITE);
    for (uint64_t i = 0; i < rows; i++) {
        fill(&row, i, 1);
        must(psn_store_put(store, 0, &row, &err), &err);
    }
    commit(store);
    return (now_us() - start) / (double)rows;
}

static double bench_open(const char *path)
{
    double start = now_us();
    unsigned times = 200;

    for (unsigned i = 0; i < times; i++) {
        PSN_AUTO(psn_store) *store = NULL;
        struct psn_error err = { 0 };

        must(psn_store_open(path, hash, &store, &err), &err);
    }
    return (now_us() - start) / times;
}

/* Begin, one get, end: what a command does. */
static double bench_get(struct psn_store *store, uint64_t rows, bool absent)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) wanted = psn_store_row_init();
    unsigned times = 2000;
    double start = now_us();

    for (unsigned i = 0; i < times; i++) {
        struct psn_error err = { 0 };
        enum psn_code rc;

        fill(&wanted, absent ? rows + i : (i * UINT64_C(2654435761)) % rows, 1);
        begin(store, PSN_STORE_READ);
        rc = psn_store_get(store, 0, wanted.key, wanted.key_size, &row, &err);
        if (rc != (absent ? PSN_E_NOT_FOUND : PSN_OK))
            must(PSN_E_UNEXPECTED, &err);
        must(psn_store_commit(store, NULL, &err), &err);
    }
    return (now_us() - start) / times;
}

static double bench_scan(struct psn_store *store, uint64_t rows)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };
    bool found = true;
    uint64_t count = 0;
    double start = now_us();

    begin(store, PSN_STORE_READ);
    must(psn_store_scan_open(store, 0, NULL, 0, &scan, &err), &err);
    while (found) {
        must(psn_store_scan_next(scan, &row, &found, &err), &err);
        count += found;
    }
    psn_store_scan_free(PSN_TAKE(scan));
    psn_store_rollback(store);
    if (count != rows)
        exit(1);
    return (now_us() - start) / (double)rows;
}

/* One row replaced, one journal row written, as a command of its own each time. */
static double bench_commands(const char *path, uint64_t rows, double *ret_syncs)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    static const uint8_t chain[PSN_STORE_CHAIN_SIZE] = { 1 };
    unsigned times = rows < 200 ? (unsigned)rows : 200;
    double start;

    (void)psn_buf_reserve(&entry.box, 200);
    syncs = 0;
    start = now_us();
    for (unsigned i = 0; i < times; i++) {
        PSN_AUTO(psn_store) *store = NULL;
        struct psn_error err = { 0 };

        must(psn_store_open(path, hash, &store, &err), &err);
        begin(store, PSN_STORE_WRITE);
        fill(&row, (i * UINT64_C(2654435761)) % rows, 2);
        must(psn_store_put(store, 0, &row, &err), &err);
        entry.number = i + 1;
        must(psn_store_journal_append(store, chain, &entry, &err), &err);
        commit(store);
    }
    *ret_syncs = (double)syncs / times;
    return (now_us() - start) / times;
}

/* The same within one process. */
static double bench_commits(struct psn_store *store, uint64_t rows, double *ret_syncs)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    unsigned times = 200;
    double start = now_us();

    syncs = 0;
    for (unsigned i = 0; i < times; i++) {
        struct psn_error err = { 0 };

        begin(store, PSN_STORE_WRITE);
        fill(&row, rows + i, 1);
        must(psn_store_put(store, 0, &row, &err), &err);
        commit(store);
    }
    *ret_syncs = (double)syncs / times;
    return (now_us() - start) / times;
}

static void bench(const char *dir, uint64_t rows)
{
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };
    struct stat info;
    char path[300];
    double command_syncs = 0;
    double commit_syncs = 0;
    double put = 0;
    double command = 0;

    (void)snprintf(path, sizeof path, "%s/%llu.db", dir, (unsigned long long)rows);
    put = make(path, rows);
    (void)stat(path, &info);
    (void)printf("%8llu rows, %6.2f MiB:", (unsigned long long)rows,
                 (double)info.st_size / 1048576);
    (void)printf("  open %.0f us", bench_open(path));
    must(psn_store_open(path, hash, &store, &err), &err);
    (void)printf("  get %.1f us", bench_get(store, rows, false));
    (void)printf("  absent %.1f us", bench_get(store, rows, true));
    (void)printf("  scan %.2f us/row", bench_scan(store, rows));
    (void)printf("  bulk put %.1f us/row", put);
    psn_store_free(PSN_TAKE(store));
    command = bench_commands(path, rows, &command_syncs);
    (void)printf("\n          write command %.0f us, %.2f syncs", command, command_syncs);
    must(psn_store_open(path, hash, &store, &err), &err);
    command = bench_commits(store, rows, &commit_syncs);
    (void)printf("  commit %.0f us, %.2f syncs", command, commit_syncs);
    (void)printf("  check ");
    begin(store, PSN_STORE_READ);
    put = now_us();
    must(psn_store_check(store, &err), &err);
    (void)printf("%.0f ms\n", (now_us() - put) / 1000);
}

int main(int argc, char **argv)
{
    struct tmpdir dir;

    if (sodium_init() < 0)
        return 1;
    tmpdir_make(&dir);
    install_counter();
    for (int i = 1; i < argc; i++)
        bench(dir.path, strtoull(argv[i], NULL, 10));
    if (argc == 1) {
        bench(dir.path, 10);
        bench(dir.path, 1000);
        bench(dir.path, 100000);
    }
    tmpdir_remove(&dir);
    return 0;
}
