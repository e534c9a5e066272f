#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * Buckets: the rows whose keys share their first 18 bits, which are hashed together.
 * The rows are taken out of SQLite into the bytes that are hashed, and read from those
 * bytes only after the hash was right.
 */

struct psn_bucket psn_bucket_init(void)
{
    return (struct psn_bucket){ .rows = psn_buf_init(PSN_STORE_BUCKET_MAX) };
}

static void forget_starts(struct psn_bucket *bucket)
{
    if (!bucket->starts)
        return;
    free(bucket->starts);
    bucket->starts = NULL;
}

void psn_bucket_release(struct psn_bucket *bucket)
{
    psn_buf_release(&bucket->rows);
    forget_starts(bucket);
    bucket->count = 0;
}

void psn_bucket_reset(struct psn_bucket *bucket)
{
    psn_buf_reset(&bucket->rows);
    forget_starts(bucket);
    bucket->count = 0;
}

static void append(struct psn_bucket *bucket, const struct psn_row_view *view)
{
    struct psn_buf *rows = &bucket->rows;

    assert(!bucket->starts);
    psn_buf_u16(rows, (uint16_t)view->key_size);
    psn_buf_bytes(rows, view->key, view->key_size);
    psn_buf_u64(rows, view->revision);
    psn_buf_u32(rows, (uint32_t)view->clear_size);
    psn_buf_bytes(rows, view->clear, view->clear_size);
    psn_buf_u32(rows, (uint32_t)view->box_size);
    psn_buf_bytes(rows, view->box, view->box_size);
    bucket->count++;
}

void psn_bucket_append(struct psn_bucket *bucket, const struct psn_store_row *row)
{
    struct psn_row_view view = {
        .key = row->key,
        .key_size = row->key_size,
        .revision = row->revision,
        .clear = row->clear.data,
        .clear_size = row->clear.size,
        .box = row->box.data,
        .box_size = row->box.size,
    };

    append(bucket, &view);
}

/* A row that passation cannot have written is found before it costs memory. */
static bool is_possible(sqlite3_stmt *stmt, const struct psn_row_view *view)
{
    return sqlite3_column_type(stmt, 0) == SQLITE_BLOB &&
           view->key_size >= PSN_STORE_KEY_MIN && view->key_size <= PSN_STORE_KEY_MAX &&
           sqlite3_column_type(stmt, 1) == SQLITE_INTEGER &&
           sqlite3_column_int64(stmt, 1) > 0 &&
           sqlite3_column_type(stmt, 2) == SQLITE_BLOB &&
           view->clear_size <= PSN_STORE_CLEAR_MAX &&
           sqlite3_column_type(stmt, 3) == SQLITE_BLOB &&
           view->box_size <= PSN_STORE_BOX_MAX;
}

enum psn_code psn_bucket_collect(struct psn_store *store, struct psn_bucket *bucket,
                                 sqlite3_stmt *stmt, struct psn_error *err)
{
    struct psn_row_view view = {
        .key_size = (size_t)sqlite3_column_bytes(stmt, 0),
        .revision = (uint64_t)sqlite3_column_int64(stmt, 1),
        .clear_size = (size_t)sqlite3_column_bytes(stmt, 2),
        .box_size = (size_t)sqlite3_column_bytes(stmt, 3),
    };

    if (!is_possible(stmt, &view))
        return psn_store_damaged(store, err);
    view.key = sqlite3_column_blob(stmt, 0);
    view.clear = sqlite3_column_blob(stmt, 2);
    view.box = sqlite3_column_blob(stmt, 3);
    if (!view.key || (!view.clear && view.clear_size) || (!view.box && view.box_size))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    append(bucket, &view);
    if (bucket->rows.failed == PSN_E_LIMIT)
        return psn_store_damaged(store, err);
    return psn_buf_check(&bucket->rows, err);
}

static uint64_t read_number(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

bool psn_bucket_next(const struct psn_bucket *bucket, size_t *offset,
                     struct psn_row_view *ret_view)
{
    const uint8_t *at;

    if (*offset >= bucket->rows.size)
        return false;
    at = bucket->rows.data + *offset;
    ret_view->begin = *offset;
    ret_view->bytes = at;
    ret_view->key_size = (size_t)read_number(at, 2);
    ret_view->key = at + 2;
    at += 2 + ret_view->key_size;
    ret_view->revision = read_number(at, 8);
    ret_view->clear_size = (size_t)read_number(at + 8, 4);
    ret_view->clear = at + 12;
    at += 12 + ret_view->clear_size;
    ret_view->box_size = (size_t)read_number(at, 4);
    ret_view->box = at + 4;
    at += 4 + ret_view->box_size;
    ret_view->end = (size_t)(at - bucket->rows.data);
    assert(ret_view->end <= bucket->rows.size);
    *offset = ret_view->end;
    return true;
}

void psn_bucket_hash_begin(const struct psn_store *store, unsigned table, uint32_t number,
                           uint64_t count, struct psn_store_hash_state *ret_state)
{
    static const char label[] = "passation store leaf 1";
    uint8_t head[] = {
        (uint8_t)table,         (uint8_t)(number >> 24), (uint8_t)(number >> 16),
        (uint8_t)(number >> 8), (uint8_t)number,         (uint8_t)(count >> 24),
        (uint8_t)(count >> 16), (uint8_t)(count >> 8),   (uint8_t)count,
    };
    struct psn_store_part parts[] = {
        { label, sizeof label },
        { head, sizeof head },
    };

    *ret_state = (struct psn_store_hash_state){ .has_begun = false };
    store->hash(ret_state, parts, sizeof parts / sizeof *parts, NULL);
}

void psn_bucket_hash(const struct psn_store *store, unsigned table, uint32_t number,
                     const struct psn_bucket *bucket,
                     uint8_t ret_hash[PSN_STORE_HASH_SIZE])
{
    struct psn_store_part rows = { bucket->rows.data, bucket->rows.size };
    struct psn_store_hash_state state;

    if (bucket->count == 0) {
        memset(ret_hash, 0, PSN_STORE_HASH_SIZE);
        return;
    }
    psn_bucket_hash_begin(store, table, number, bucket->count, &state);
    store->hash(&state, &rows, 1, ret_hash);
}

enum psn_code psn_bucket_check(struct psn_store *store, unsigned table, uint32_t number,
                               const struct psn_bucket *bucket, struct psn_error *err)
{
    uint8_t expected[PSN_STORE_HASH_SIZE];
    uint8_t found[PSN_STORE_HASH_SIZE];
    enum psn_code rc = psn_tree_leaf(store, table, number, expected, err);

    if (rc)
        return rc;
    psn_bucket_hash(store, table, number, bucket, found);
    if (memcmp(found, expected, sizeof found) != 0)
        return psn_store_damaged(store, err);
    return PSN_OK;
}

int psn_bucket_bind_range(sqlite3_stmt *stmt, unsigned table, uint32_t first,
                          uint32_t last)
{
    /* 41 bytes, so that no key of the last bucket is behind the end. */
    uint8_t low[3] = { (uint8_t)(first >> 10), (uint8_t)(first >> 2),
                       (uint8_t)(first << 6) };
    uint8_t high[PSN_STORE_KEY_MAX + 1];
    uint32_t after = last + 1;
    int status = sqlite3_bind_int64(stmt, 1, table);

    memset(high, 0xff, sizeof high);
    if (!status)
        status = sqlite3_bind_blob(stmt, 2, low, sizeof low, SQLITE_TRANSIENT);
    if (!status && after < PSN_TREE_BUCKETS) {
        high[0] = (uint8_t)(after >> 10);
        high[1] = (uint8_t)(after >> 2);
        high[2] = (uint8_t)(after << 6);
        status = sqlite3_bind_blob(stmt, 3, high, 3, SQLITE_TRANSIENT);
    } else if (!status) {
        status = sqlite3_bind_blob(stmt, 3, high, sizeof high, SQLITE_TRANSIENT);
    }
    return status;
}

enum psn_code psn_bucket_load(struct psn_store *store, unsigned table, uint32_t number,
                              size_t size_max, struct psn_bucket *bucket, bool *ret_whole,
                              struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc = psn_sql_get(store, PSN_SQL_ROW_RANGE, &stmt, err);
    int status;

    if (rc)
        return rc;
    psn_bucket_reset(bucket);
    *ret_whole = true;
    status = psn_bucket_bind_range(stmt, table, number, number);
    if (status == SQLITE_OK)
        status = sqlite3_step(stmt);
    while (status == SQLITE_ROW && !rc) {
        if (*ret_whole)
            rc = psn_bucket_collect(store, bucket, stmt, err);
        else
            bucket->count++;
        if (bucket->rows.size > size_max) {
            psn_buf_release(&bucket->rows);
            *ret_whole = false;
        }
        if (!rc)
            status = sqlite3_step(stmt);
    }
    (void)sqlite3_reset(stmt);
    if (rc)
        return rc;
    if (status != SQLITE_DONE)
        return psn_sql_fail(store->db, store->path, status, err);
    return *ret_whole ? psn_bucket_check(store, table, number, bucket, err) : PSN_OK;
}

int psn_row_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

    return order ? order : (a_size > b_size) - (a_size < b_size);
}

enum psn_code psn_bucket_note_starts(struct psn_bucket *bucket, struct psn_error *err)
{
    struct psn_row_view view;
    size_t offset = 0;

    bucket->starts = calloc(bucket->count + (size_t)1, sizeof *bucket->starts);
    if (!bucket->starts)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; psn_bucket_next(bucket, &offset, &view); i++)
        bucket->starts[i] = (uint32_t)view.begin;
    return PSN_OK;
}

/* Where the last row begins whose key is not behind this one's; 0 if there is none. */
static size_t start_of(const struct psn_bucket *bucket, const uint8_t *key,
                       size_t key_size)
{
    size_t low = 0;
    size_t high = bucket->starts ? bucket->count : 0;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        size_t offset = bucket->starts[middle];
        struct psn_row_view view;
        bool is_there;

        is_there = psn_bucket_next(bucket, &offset, &view);
        assert(is_there);
        if (psn_row_compare(view.key, view.key_size, key, key_size) <= 0)
            low = middle;
        else
            high = middle;
    }
    return high > 0 ? bucket->starts[low] : 0;
}

void psn_bucket_seek(const struct psn_bucket *bucket, const uint8_t *key, size_t key_size,
                     struct psn_row_view *ret_view, bool *ret_found)
{
    size_t offset = start_of(bucket, key, key_size);
    struct psn_row_view view;

    *ret_found = false;
    while (psn_bucket_next(bucket, &offset, &view)) {
        int order = psn_row_compare(view.key, view.key_size, key, key_size);

        if (order == 0) {
            *ret_view = view;
            *ret_found = true;
            return;
        }
        if (order > 0) {
            *ret_view = (struct psn_row_view){ .begin = view.begin, .end = view.begin };
            return;
        }
    }
    *ret_view = (struct psn_row_view){ .begin = offset, .end = offset };
}

enum psn_code psn_bucket_rebuild(const struct psn_bucket *bucket,
                                 const struct psn_row_view *place,
                                 const struct psn_store_row *row, struct psn_bucket *next,
                                 struct psn_error *err)
{
    psn_buf_bytes(&next->rows, bucket->rows.data, place->begin);
    next->count = bucket->count - (place->end > place->begin ? 1 : 0);
    if (row)
        psn_bucket_append(next, row);
    if (bucket->rows.size > place->end)
        psn_buf_bytes(&next->rows, bucket->rows.data + place->end,
                      bucket->rows.size - place->end);
    return psn_buf_check(&next->rows, err);
}

enum psn_code psn_row_copy(const struct psn_row_view *view, struct psn_store_row *row,
                           struct psn_error *err)
{
    enum psn_code rc;

    psn_buf_reset(&row->clear);
    psn_buf_reset(&row->box);
    psn_buf_bytes(&row->clear, view->clear, view->clear_size);
    psn_buf_bytes(&row->box, view->box, view->box_size);
    rc = psn_buf_check(&row->clear, err);
    if (!rc)
        rc = psn_buf_check(&row->box, err);
    if (rc)
        return rc;
    memcpy(row->key, view->key, view->key_size);
    row->key_size = view->key_size;
    row->revision = view->revision;
    return PSN_OK;
}
