#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * Scans. One SELECT gives the rows of the range in key order, the tree says which
 * buckets there are; the two must name the same ones. A bucket's rows are returned after
 * all of them were read and its leaf was right. In memory is one bucket at a time.
 */
struct psn_store_scan {
    struct psn_store *store;
    sqlite3_stmt *stmt;
    struct psn_tree_ahead ahead; /* of a whole table; else its stmt is NULL */
    uint64_t epoch;
    unsigned table;
    uint8_t prefix[PSN_STORE_KEY_MAX];
    size_t prefix_size;
    uint32_t next; /* the first bucket not yet looked at */
    uint32_t last;
    bool on_row; /* the statement stands on a row of a later bucket */
    bool ended;
    enum psn_code failed;
    struct psn_bucket bucket;
    size_t at; /* the next row of it */
    struct psn_bucket_range range;
};

static enum psn_code step(struct psn_store_scan *scan, struct psn_error *err)
{
    int status = sqlite3_step(scan->stmt);

    scan->on_row = status == SQLITE_ROW;
    if (status == SQLITE_ROW || status == SQLITE_DONE)
        return PSN_OK;
    return psn_sql_fail(scan->store->db, scan->store->path, status, err);
}

static void set_range(struct psn_store_scan *scan, const uint8_t *prefix, size_t size)
{
    uint8_t low[3] = { 0 };
    uint8_t high[3] = { 0xff, 0xff, 0xff };

    for (size_t i = 0; i < size && i < 3; i++) {
        low[i] = prefix[i];
        high[i] = prefix[i];
    }
    if (size > 0)
        memcpy(scan->prefix, prefix, size);
    scan->prefix_size = size;
    scan->next = psn_tree_bucket_of(low);
    scan->last = psn_tree_bucket_of(high);
}

enum psn_code psn_store_scan_open(struct psn_store *store, unsigned table,
                                  const uint8_t *prefix, size_t prefix_size,
                                  struct psn_store_scan **ret_scan, struct psn_error *err)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    enum psn_code rc = psn_store_usable(store, err);

    assert(store->trusted);
    assert(table < PSN_STORE_TABLES && prefix_size <= PSN_STORE_KEY_MAX);
    if (!rc)
        rc = psn_cache_settle(store, err);
    if (rc)
        return rc;
    scan = calloc(1, sizeof *scan);
    if (!scan)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    scan->store = store;
    store->open_scans++;
    scan->epoch = store->epoch;
    scan->table = table;
    scan->bucket = psn_bucket_init();
    set_range(scan, prefix, prefix_size);
    rc = psn_sql_prepare(store, PSN_SQL_ROW_RANGE, &scan->stmt, err);
    if (rc)
        return rc;
    if (psn_bucket_bind_range(scan->stmt, table, scan->next, scan->last, &scan->range) !=
        SQLITE_OK)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = step(scan, err);
    if (!rc && prefix_size == 0 && scan->on_row)
        rc = psn_tree_ahead_begin(store, table, &scan->ahead, err);
    if (rc)
        return rc;
    *ret_scan = PSN_TAKE(scan);
    return PSN_OK;
}

/* Which bucket the statement's row belongs to; PSN_TREE_BUCKETS after the last row. */
static enum psn_code row_bucket(struct psn_store_scan *scan, uint32_t *ret_number,
                                struct psn_error *err)
{
    const uint8_t *key;

    if (!scan->on_row) {
        *ret_number = PSN_TREE_BUCKETS;
        return PSN_OK;
    }
    if (sqlite3_column_type(scan->stmt, 0) != SQLITE_BLOB ||
        sqlite3_column_bytes(scan->stmt, 0) < PSN_STORE_KEY_MIN)
        return psn_store_damaged(scan->store, err);
    key = sqlite3_column_blob(scan->stmt, 0);
    if (!key)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_number = psn_tree_bucket_of(key);
    return PSN_OK;
}

static enum psn_code collect(struct psn_store_scan *scan, uint32_t number,
                             struct psn_error *err)
{
    uint32_t current = number;
    enum psn_code rc = PSN_OK;

    psn_bucket_reset(&scan->bucket);
    scan->at = 0;
    while (!rc && current == number) {
        rc = psn_bucket_collect(scan->store, &scan->bucket, scan->stmt, err);
        if (!rc)
            rc = step(scan, err);
        if (!rc)
            rc = row_bucket(scan, &current, err);
    }
    return rc ? rc
              : psn_bucket_check(scan->store, scan->table, number, &scan->bucket, err);
}

/* Reads the next bucket that is not empty, or ends the scan. */
static enum psn_code advance(struct psn_store_scan *scan, struct psn_error *err)
{
    uint32_t expected = PSN_TREE_BUCKETS;
    uint32_t found = PSN_TREE_BUCKETS;
    enum psn_code rc = row_bucket(scan, &found, err);

    if (!rc)
        rc = psn_tree_next(scan->store, scan->table, scan->next, &expected, err);
    if (rc)
        return rc;
    if (expected > scan->last)
        expected = PSN_TREE_BUCKETS;
    /* A row too many, or a bucket whose rows are gone. */
    if (expected != found)
        return psn_store_damaged(scan->store, err);
    if (found == PSN_TREE_BUCKETS) {
        scan->ended = true;
        (void)sqlite3_reset(scan->stmt);
        return PSN_OK;
    }
    scan->next = found + 1;
    return collect(scan, found, err);
}

static bool has_prefix(const struct psn_store_scan *scan, const struct psn_row_view *view)
{
    return view->key_size >= scan->prefix_size &&
           memcmp(view->key, scan->prefix, scan->prefix_size) == 0;
}

enum psn_code psn_store_scan_next(struct psn_store_scan *scan, struct psn_store_row *row,
                                  bool *ret_found, struct psn_error *err)
{
    struct psn_row_view view;

    assert(scan->epoch == scan->store->epoch);
    if (!scan->failed)
        scan->failed = psn_store_usable(scan->store, err);
    while (!scan->failed) {
        while (scan->at < scan->bucket.count) {
            enum psn_code rc;

            psn_bucket_row(&scan->bucket, scan->at++, &view);
            if (!has_prefix(scan, &view))
                continue;
            rc = psn_row_copy(&view, row, err);
            if (!rc)
                *ret_found = true;
            return rc;
        }
        if (scan->ended) {
            *ret_found = false;
            return PSN_OK;
        }
        scan->store->ahead = scan->ahead.stmt ? &scan->ahead : NULL;
        scan->failed = advance(scan, err);
        scan->store->ahead = NULL;
        if (scan->failed)
            psn_bucket_reset(&scan->bucket);
    }
    return psn_fail(err, scan->failed, _("the vault '%s' cannot be read any further"),
                    scan->store->path);
}

void psn_store_scan_free(struct psn_store_scan *scan)
{
    if (!scan)
        return;
    (void)sqlite3_finalize(scan->stmt);
    (void)sqlite3_finalize(scan->ahead.stmt);
    psn_bucket_release(&scan->bucket);
    assert(scan->store->open_scans > 0);
    scan->store->open_scans--;
    free(scan);
}
