#include "support/raw_vault.h"

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

#include "base/grow.h"
#include "support/memory.h"

/* --- what lies in a file, behind the store's back --- */

void raw_read(const char *path, struct raw_cells *cells)
{
    static const char sql[] =
        "SELECT 'r' || tab || ' ' || hex(key) || ' ' || revision, box FROM record "
        "UNION ALL SELECT 'j' || hex(chain) || ' ' || number, box FROM journal "
        "WHERE chain <> CAST('psn history v1' || x'0000' AS BLOB) ORDER BY 1";
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    *cells = (struct raw_cells){ 0 };
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        struct raw_cell cell = { .size = (size_t)sqlite3_column_bytes(stmt, 1) };

        assert_int_equal(PSN_GROW(cells->items, cells->count, NULL), PSN_OK);
        cell.key = memory_alone(sqlite3_column_text(stmt, 0),
                                (size_t)sqlite3_column_bytes(stmt, 0) + 1);
        cell.box = memory_alone(sqlite3_column_blob(stmt, 1), cell.size);
        cells->items[cells->count++] = cell;
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

void raw_release(struct raw_cells *cells)
{
    for (size_t i = 0; i < cells->count; i++) {
        free(cells->items[i].key);
        free(cells->items[i].box);
    }
    free(cells->items);
}

const struct raw_cell *raw_find(const struct raw_cells *cells, const char *key)
{
    for (size_t i = 0; i < cells->count; i++)
        if (strcmp(cells->items[i].key, key) == 0)
            return &cells->items[i];
    return NULL;
}

bool raw_is_same(const struct raw_cell *a, const struct raw_cell *b)
{
    return b && a->size == b->size && memcmp(a->box, b->box, a->size) == 0;
}

/* --- keys --- */

void raw_keep_key(struct raw_keys *keys, const struct psn_secret *key)
{
    assert_int_equal(psn_secret_copy(psn_secret_bytes(key), psn_secret_size(key),
                                     &keys->items[keys->count++], NULL),
                     PSN_OK);
}

void raw_release_keys(struct raw_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        psn_secret_free(keys->items[i]);
}

/* --- needles --- */

bool raw_tells(const uint8_t *bytes, size_t size, const char *const *needles)
{
    for (size_t i = 0; needles[i]; i++)
        if (memmem(bytes, size, needles[i], strlen(needles[i])))
            return true;
    return false;
}

/* Decrypts without asking the tag, so that no associated data has to be guessed. */
static bool opens_to_needle(const uint8_t *box, size_t size, const struct psn_secret *key,
                            const char *const *needles)
{
    enum {
        NONCE = crypto_stream_xchacha20_NONCEBYTES
    };
    uint8_t *plain = malloc(size + 1);
    bool found = false;

    assert_non_null(plain);
    if (size > NONCE) {
        (void)crypto_stream_xchacha20_xor_ic(plain, box + NONCE, size - NONCE, box, 1,
                                             psn_secret_bytes(key));
        found = raw_tells(plain, size - NONCE, needles);
    }
    free(plain);
    return found;
}

size_t raw_count_told(const struct raw_cells *cells, const struct raw_keys *keys,
                      const char *const *needles)
{
    size_t told = 0;

    for (size_t i = 0; i < cells->count; i++)
        for (size_t k = 0; k < keys->count; k++)
            told += opens_to_needle(cells->items[i].box, cells->items[i].size,
                                    keys->items[k], needles);
    return told;
}

/* --- windows: any 24 bytes of a box that is to be gone --- */

enum {
    WINDOW = 24
};

static int compare(const void *a, const void *b)
{
    return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, WINDOW);
}

void raw_add_windows(struct raw_windows *windows, const uint8_t *bytes, size_t size)
{
    size_t more = size >= WINDOW ? size - WINDOW + 1 : 0;

    windows->at = realloc(windows->at, (windows->count + more + 1) * sizeof *windows->at);
    assert_non_null(windows->at);
    for (size_t i = 0; i < more; i++)
        windows->at[windows->count++] = bytes + i;
}

void raw_sort_windows(struct raw_windows *windows)
{
    qsort(windows->at, windows->count, sizeof *windows->at, compare);
}

size_t raw_count_windows(const struct raw_windows *windows, const uint8_t *bytes,
                         size_t size)
{
    size_t found = 0;

    for (size_t i = 0; i + WINDOW <= size; i++) {
        const uint8_t *at = bytes + i;

        found += bsearch(&at, windows->at, windows->count, sizeof *windows->at,
                         compare) != NULL;
    }
    return found;
}

/* What was in the old file and is not in the new one, and every box that changed. */
size_t raw_vanished(const struct raw_cells *before, const struct raw_cells *after,
                    struct raw_windows *windows, size_t *ret_rows)
{
    size_t gone = 0;

    *ret_rows = 0;
    for (size_t i = 0; i < before->count; i++) {
        const struct raw_cell *cell = &before->items[i];
        const struct raw_cell *still = raw_find(after, cell->key);

        if (raw_is_same(cell, still))
            continue;
        gone++;
        *ret_rows += !still && cell->key[0] == 'r';
        raw_add_windows(windows, cell->box, cell->size);
    }
    raw_sort_windows(windows);
    return gone;
}

/* The bytes behind a descriptor. */
uint8_t *raw_read_descriptor(int fd, size_t *ret_size)
{
    struct stat info;
    uint8_t *bytes;

    assert_int_equal(fstat(fd, &info), 0);
    bytes = malloc((size_t)info.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, (size_t)info.st_size, 0), info.st_size);
    *ret_size = (size_t)info.st_size;
    return bytes;
}
