#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * Scans. One SELECT gives the rows of the range in key order, the tree says which
 * buckets there are; the two must name the same ones. A bucket's rows are read all, with
 * the leaf that the tree has of it, and returned after their hash was that leaf.
 */
enum {
    BUCKETS_FIRST = 4,
    KEPT_BYTES = 1024 * 1024, /* of memory, from one reading to the next */
};

struct span_bucket {
    uint32_t number;
    uint32_t count; /* of its rows */
    uint8_t leaf[PSN_STORE_HASH_SIZE];
};

struct psn_store_span {
    const struct psn_store_scan *scan;
    struct psn_bucket rows; /* of all its buckets, one behind the other */
    struct span_bucket *buckets;
    size_t capacity; /* of these */
    size_t count;
    size_t checked;      /* of the buckets */
    size_t rows_checked; /* of the rows */
    size_t at;           /* the next row */
};

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
    struct psn_store_span *span; /* of one bucket, for psn_store_scan_next() */
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
    set_range(scan, prefix, prefix_size);
    rc = psn_store_span_new(scan, &scan->span, err);
    if (!rc)
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

static enum psn_code reserve_bucket(struct psn_store_span *span, struct psn_error *err)
{
    size_t capacity = span->capacity ? 2 * span->capacity : BUCKETS_FIRST;
    struct span_bucket *buckets;

    if (span->count < span->capacity)
        return PSN_OK;
    buckets = realloc(span->buckets, capacity * sizeof *buckets);
    if (!buckets)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    span->buckets = buckets;
    span->capacity = capacity;
    return PSN_OK;
}

/* The rows of a bucket, and its leaf, behind those that the span has. */
static enum psn_code collect(struct psn_store_scan *scan, uint32_t number,
                             struct psn_store_span *span, struct psn_error *err)
{
    struct span_bucket bucket = { .number = number };
    uint32_t before = span->rows.count;
    uint32_t current = number;
    enum psn_code rc = reserve_bucket(span, err);

    while (!rc && current == number) {
        rc = psn_bucket_collect(scan->store, &span->rows, scan->stmt, err);
        if (!rc)
            rc = step(scan, err);
        if (!rc)
            rc = row_bucket(scan, &current, err);
    }
    if (!rc)
        rc = psn_tree_leaf(scan->store, scan->table, number, bucket.leaf, err);
    if (rc)
        return rc;
    bucket.count = span->rows.count - before;
    span->buckets[span->count++] = bucket;
    return PSN_OK;
}

/* Reads the next bucket that is not empty, or ends the scan. */
static enum psn_code advance(struct psn_store_scan *scan, struct psn_store_span *span,
                             struct psn_error *err)
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
    return collect(scan, found, span, err);
}

static void empty(struct psn_store_span *span)
{
    if (psn_bucket_memory(&span->rows) > KEPT_BYTES)
        psn_bucket_release(&span->rows);
    psn_bucket_reset(&span->rows);
    span->count = 0;
    span->checked = 0;
    span->rows_checked = 0;
    span->at = 0;
}

bool psn_store_scan_is_over(const struct psn_store_scan *scan)
{
    return scan->ended || scan->failed;
}

enum psn_code psn_store_scan_read(struct psn_store_scan *scan, size_t rows_max,
                                  size_t bytes_max, struct psn_store_span *span,
                                  struct psn_error *err)
{
    assert(scan->epoch == scan->store->epoch && span->scan == scan);
    assert(bytes_max <= PSN_STORE_BUCKET_MAX);
    empty(span);
    /* The last bucket may be as large as any. */
    span->rows.rows.size_max = bytes_max + PSN_STORE_BUCKET_MAX;
    if (!scan->failed)
        scan->failed = psn_store_usable(scan->store, err);
    scan->store->ahead = scan->ahead.stmt ? &scan->ahead : NULL;
    /* Behind the last row there is still the tree to be asked. */
    while (
        !psn_store_scan_is_over(scan) &&
        (!scan->on_row || (span->rows.count < rows_max && span->rows.bytes < bytes_max)))
        scan->failed = advance(scan, span, err);
    scan->store->ahead = NULL;
    if (!scan->failed)
        return PSN_OK;
    return psn_fail(err, scan->failed, _("the vault '%s' cannot be read any further"),
                    scan->store->path);
}

/* --- what was read --- */

enum psn_code psn_store_span_new(const struct psn_store_scan *scan,
                                 struct psn_store_span **ret_span, struct psn_error *err)
{
    struct psn_store_span *span = calloc(1, sizeof *span);

    if (!span)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    span->scan = scan;
    span->rows = psn_bucket_init();
    *ret_span = span;
    return PSN_OK;
}

void psn_store_span_free(struct psn_store_span *span)
{
    if (!span)
        return;
    psn_bucket_release(&span->rows);
    free(span->buckets);
    free(span);
}

size_t psn_store_span_size(const struct psn_store_span *span)
{
    return span->rows.bytes;
}

/* The next bucket: its rows lie one behind the other, as they were read. */
static enum psn_code check_next(struct psn_store_span *span, struct psn_error *err)
{
    const struct psn_store_scan *scan = span->scan;
    const struct span_bucket *bucket = &span->buckets[span->checked];
    size_t end = span->rows_checked + bucket->count;
    size_t from = span->rows.starts[span->rows_checked];
    size_t to = end < span->rows.count ? span->rows.starts[end] : span->rows.rows.size;
    const struct psn_store_part part = { span->rows.rows.data + from, to - from };
    uint8_t found[PSN_STORE_HASH_SIZE];

    psn_bucket_hash_part(scan->store, scan->table, bucket->number, bucket->count, &part,
                         found);
    if (memcmp(found, bucket->leaf, sizeof found) != 0)
        return psn_store_damaged(scan->store, err);
    span->checked++;
    span->rows_checked = end;
    return PSN_OK;
}

static bool has_prefix(const struct psn_store_scan *scan, const struct psn_row_view *view)
{
    return view->key_size >= scan->prefix_size &&
           memcmp(view->key, scan->prefix, scan->prefix_size) == 0;
}

enum psn_code psn_store_span_next(struct psn_store_span *span, struct psn_store_row *row,
                                  bool *ret_found, struct psn_error *err)
{
    struct psn_row_view view;
    enum psn_code rc = PSN_OK;

    *ret_found = false;
    while (!rc && !*ret_found &&
           (span->at < span->rows_checked || span->checked < span->count)) {
        if (span->at == span->rows_checked) {
            rc = check_next(span, err);
            continue;
        }
        psn_bucket_row(&span->rows, span->at++, &view);
        if (!has_prefix(span->scan, &view))
            continue;
        rc = psn_row_copy(&view, row, err);
        *ret_found = !rc;
    }
    return rc;
}

enum psn_code psn_store_scan_next(struct psn_store_scan *scan, struct psn_store_row *row,
                                  bool *ret_found, struct psn_error *err)
{
    enum psn_code rc;

    assert(scan->epoch == scan->store->epoch);
    do {
        rc = psn_store_span_next(scan->span, row, ret_found, err);
        if (rc || *ret_found || scan->ended)
            return rc;
        rc = psn_store_scan_read(scan, 1, 1, scan->span, err);
    } while (!rc);
    return rc;
}

void psn_store_scan_free(struct psn_store_scan *scan)
{
    if (!scan)
        return;
    (void)sqlite3_finalize(scan->stmt);
    (void)sqlite3_finalize(scan->ahead.stmt);
    psn_store_span_free(scan->span);
    assert(scan->store->open_scans > 0);
    scan->store->open_scans--;
    free(scan);
}
