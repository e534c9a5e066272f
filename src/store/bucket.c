#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * Buckets: the rows whose keys share their first 18 bits, which are hashed together.
 * The rows are taken out of SQLite into the bytes that are hashed, and read from those
 * bytes only after the hash was right.
 *
 * The bytes of a row stay where they were put; what is in order is where each begins. So
 * a row comes, goes or changes at the cost of its own size, and of 4 bytes for each row
 * behind it. Bytes that no row has any more go when they are as many as all others.
 */
enum {
    STARTS_FIRST = 4,
    COMPACT_MIN = 4096,    /* bytes that nobody has */
    FIXED = 2 + 8 + 4 + 4, /* of a row: its numbers */
};

struct psn_bucket psn_bucket_init(void)
{
    return (struct psn_bucket){ .rows = psn_buf_init(PSN_STORE_BUCKET_MAX) };
}

void psn_bucket_release(struct psn_bucket *bucket)
{
    psn_buf_release(&bucket->rows);
    free(bucket->starts);
    *bucket = psn_bucket_init();
}

void psn_bucket_reset(struct psn_bucket *bucket)
{
    psn_buf_reset(&bucket->rows);
    bucket->count = 0;
    bucket->bytes = 0;
}

size_t psn_bucket_memory(const struct psn_bucket *bucket)
{
    return bucket->rows.capacity + bucket->capacity * sizeof *bucket->starts;
}

/* Room for where one row more begins. */
static enum psn_code reserve_start(struct psn_bucket *bucket, struct psn_error *err)
{
    size_t capacity = bucket->capacity ? 2 * bucket->capacity : STARTS_FIRST;
    uint32_t *starts;

    if (bucket->count < bucket->capacity)
        return PSN_OK;
    starts = realloc(bucket->starts, capacity * sizeof *starts);
    if (!starts)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    bucket->starts = starts;
    bucket->capacity = capacity;
    return PSN_OK;
}

static uint8_t *put_number(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    return at + size;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(at, bytes, size);
    return at + size;
}

/* The bytes of a row, behind all others. */
static void append(struct psn_buf *rows, const struct psn_row_view *view)
{
    uint8_t *at =
        psn_buf_reserve(rows, FIXED + view->key_size + view->clear_size + view->box_size);

    if (!at)
        return;
    at = put_number(at, view->key_size, 2);
    at = put_bytes(at, view->key, view->key_size);
    at = put_number(at, view->revision, 8);
    at = put_number(at, view->clear_size, 4);
    at = put_bytes(at, view->clear, view->clear_size);
    at = put_number(at, view->box_size, 4);
    (void)put_bytes(at, view->box, view->box_size);
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
    enum psn_code rc;
    size_t begin;

    if (!is_possible(stmt, &view))
        return psn_store_damaged(store, err);
    view.key = sqlite3_column_blob(stmt, 0);
    view.clear = sqlite3_column_blob(stmt, 2);
    view.box = sqlite3_column_blob(stmt, 3);
    if (!view.key || (!view.clear && view.clear_size) || (!view.box && view.box_size))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = reserve_start(bucket, err);
    if (rc)
        return rc;
    begin = bucket->rows.size;
    append(&bucket->rows, &view);
    if (bucket->rows.failed == PSN_E_LIMIT)
        return psn_store_damaged(store, err);
    bucket->starts[bucket->count++] = (uint32_t)begin;
    bucket->bytes += bucket->rows.size - begin;
    return psn_buf_check(&bucket->rows, err);
}

static uint64_t read_number(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

void psn_bucket_view(const uint8_t *bytes, struct psn_row_view *ret_view)
{
    const uint8_t *at = bytes;

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
    ret_view->size = (size_t)(at - ret_view->bytes);
}

bool psn_bucket_is_row(const uint8_t *bytes, size_t size)
{
    size_t key;
    size_t clear;

    if (size < FIXED + PSN_STORE_KEY_MIN)
        return false;
    key = (size_t)read_number(bytes, 2);
    if (key < PSN_STORE_KEY_MIN || key > PSN_STORE_KEY_MAX || FIXED + key > size)
        return false;
    clear = (size_t)read_number(bytes + 2 + key + 8, 4);
    return clear <= size - FIXED - key &&
           read_number(bytes + 2 + key + 8 + 4 + clear, 4) == size - FIXED - key - clear;
}

void psn_bucket_row(const struct psn_bucket *bucket, size_t index,
                    struct psn_row_view *ret_view)
{
    assert(index < bucket->count);
    psn_bucket_view(bucket->rows.data + bucket->starts[index], ret_view);
    ret_view->index = index;
    assert(bucket->starts[index] + ret_view->size <= bucket->rows.size);
}

void psn_bucket_hash_begin(const struct psn_store *store, unsigned table, uint32_t number,
                           uint64_t count, struct psn_store_hash_state *ret_state)
{
    static const char label[] = "passation store leaf 1";
    uint8_t head[sizeof label + 1 + 4 + 4];
    const struct psn_store_part part = { head, sizeof head };
    uint8_t *at = put_bytes(head, label, sizeof label);

    at = put_number(at, table, 1);
    at = put_number(at, number, 4);
    (void)put_number(at, count, 4);
    ret_state->has_begun = false;
    store->hash(ret_state, &part, 1, NULL);
}

void psn_bucket_hash_part(const struct psn_store *store, unsigned table, uint32_t number,
                          uint64_t count, const struct psn_store_part *rows,
                          uint8_t ret_hash[PSN_STORE_HASH_SIZE])
{
    struct psn_store_hash_state state;

    psn_bucket_hash_begin(store, table, number, count, &state);
    store->hash(&state, rows, 1, ret_hash);
}

void psn_bucket_hash(const struct psn_store *store, unsigned table, uint32_t number,
                     const struct psn_bucket *bucket,
                     uint8_t ret_hash[PSN_STORE_HASH_SIZE])
{
    struct psn_store_part run = { bucket->rows.data, 0 };
    struct psn_store_hash_state state;
    struct psn_row_view view;

    if (bucket->count == 0) {
        memset(ret_hash, 0, PSN_STORE_HASH_SIZE);
        return;
    }
    psn_bucket_hash_begin(store, table, number, bucket->count, &state);
    /* Rows that lie one behind the other, as they were read, are hashed as one. */
    for (size_t i = 0; i < bucket->count; i++) {
        psn_bucket_row(bucket, i, &view);
        if (view.bytes != (const uint8_t *)run.bytes + run.size) {
            store->hash(&state, &run, 1, NULL);
            run = (struct psn_store_part){ view.bytes, 0 };
        }
        run.size += view.size;
    }
    store->hash(&state, &run, 1, ret_hash);
}

/* Checks what was collected against the tree. */
static enum psn_code check(struct psn_store *store, unsigned table, uint32_t number,
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
                          uint32_t last, struct psn_bucket_range *range)
{
    uint32_t after = last + 1;
    bool is_last = after == PSN_TREE_BUCKETS;
    int status = sqlite3_bind_int64(stmt, 1, table);

    *range = (struct psn_bucket_range){
        .low = { (uint8_t)(first >> 10), (uint8_t)(first >> 2), (uint8_t)(first << 6) },
        .high = { (uint8_t)(after >> 10), (uint8_t)(after >> 2), (uint8_t)(after << 6) },
    };
    if (is_last)
        memset(range->high, 0xff, sizeof range->high);
    if (!status)
        status = psn_sql_bind_blob(stmt, 2, range->low, sizeof range->low);
    if (!status)
        status = psn_sql_bind_blob(stmt, 3, range->high,
                                   is_last ? sizeof range->high : sizeof range->low);
    return status;
}

enum psn_code psn_bucket_load(struct psn_store *store, unsigned table, uint32_t number,
                              size_t size_max, struct psn_bucket *bucket, bool *ret_whole,
                              struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    struct psn_bucket_range range;
    enum psn_code rc = psn_sql_get(store, PSN_SQL_ROW_RANGE, &stmt, err);
    int status;

    if (rc)
        return rc;
    psn_bucket_reset(bucket);
    *ret_whole = true;
    status = psn_bucket_bind_range(stmt, table, number, number, &range);
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
    if (!*ret_whole)
        return PSN_OK;
    rc = psn_waiting_overlay(store, table, number, bucket, err);
    return rc ? rc : check(store, table, number, bucket, err);
}

enum psn_code psn_bucket_check_absent(struct psn_store *store, unsigned table,
                                      uint32_t number, struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    struct psn_bucket_range range;
    enum psn_code rc = psn_sql_get(store, PSN_SQL_ROW_RANGE, &stmt, err);
    int status;

    if (rc)
        return rc;
    status = psn_bucket_bind_range(stmt, table, number, number, &range);
    if (status == SQLITE_OK)
        status = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    if (status == SQLITE_ROW)
        return psn_store_damaged(store, err);
    return status == SQLITE_DONE ? PSN_OK
                                 : psn_sql_fail(store->db, store->path, status, err);
}

int psn_row_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

    return order ? order : (a_size > b_size) - (a_size < b_size);
}

void psn_bucket_seek(const struct psn_bucket *bucket, const uint8_t *key, size_t key_size,
                     struct psn_row_view *ret_view, bool *ret_found)
{
    size_t low = 0;
    size_t high = bucket->count;

    *ret_found = false;
    while (low < high && !*ret_found) {
        size_t middle = low + (high - low) / 2;
        int order;

        psn_bucket_row(bucket, middle, ret_view);
        order = psn_row_compare(ret_view->key, ret_view->key_size, key, key_size);
        *ret_found = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!*ret_found)
        *ret_view = (struct psn_row_view){ .index = low };
}

/* Leaves out the bytes that no row has any more. */
static enum psn_code compact(struct psn_bucket *bucket, struct psn_error *err)
{
    struct psn_buf rows = psn_buf_init(PSN_STORE_BUCKET_MAX);
    struct psn_row_view view;

    (void)psn_buf_reserve(&rows, bucket->bytes);
    psn_buf_reset(&rows);
    if (!rows.data)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < bucket->count; i++) {
        psn_bucket_row(bucket, i, &view);
        bucket->starts[i] = (uint32_t)rows.size;
        psn_buf_bytes(&rows, view.bytes, view.size);
    }
    psn_buf_release(&bucket->rows);
    bucket->rows = rows;
    return PSN_OK;
}

static enum psn_code stage(struct psn_bucket *bucket, const struct psn_row_view *view,
                           struct psn_error *err)
{
    enum psn_code rc = reserve_start(bucket, err);

    if (!rc && bucket->rows.size > 2 * bucket->bytes + COMPACT_MIN)
        rc = compact(bucket, err);
    if (rc)
        return rc;
    bucket->staged = bucket->rows.size;
    append(&bucket->rows, view);
    rc = psn_buf_check(&bucket->rows, err);
    if (rc) { /* the bucket is as it was */
        bucket->rows.size = bucket->staged;
        bucket->rows.failed = PSN_OK;
    }
    return rc;
}

enum psn_code psn_bucket_stage(struct psn_bucket *bucket, const struct psn_store_row *row,
                               struct psn_error *err)
{
    const struct psn_row_view view = {
        .key = row->key,
        .key_size = row->key_size,
        .revision = row->revision,
        .clear = row->clear.data,
        .clear_size = row->clear.size,
        .box = row->box.data,
        .box_size = row->box.size,
    };

    return stage(bucket, &view, err);
}

void psn_bucket_remove(struct psn_bucket *bucket, size_t index)
{
    struct psn_row_view view;

    psn_bucket_row(bucket, index, &view);
    bucket->bytes -= view.size;
    bucket->count--;
    memmove(bucket->starts + index, bucket->starts + index + 1,
            (bucket->count - index) * sizeof *bucket->starts);
}

void psn_bucket_insert(struct psn_bucket *bucket, size_t index)
{
    assert(index <= bucket->count && bucket->count < bucket->capacity);
    memmove(bucket->starts + index + 1, bucket->starts + index,
            (bucket->count - index) * sizeof *bucket->starts);
    bucket->starts[index] = (uint32_t)bucket->staged;
    bucket->count++;
    bucket->bytes += bucket->rows.size - bucket->staged;
}

enum psn_code psn_bucket_put(struct psn_bucket *bucket, const uint8_t *bytes,
                             struct psn_error *err)
{
    struct psn_row_view view;
    struct psn_row_view there;
    bool found;
    enum psn_code rc;

    psn_bucket_view(bytes, &view);
    rc = stage(bucket, &view, err);
    if (rc)
        return rc;
    psn_bucket_seek(bucket, view.key, view.key_size, &there, &found);
    if (found)
        psn_bucket_remove(bucket, there.index);
    psn_bucket_insert(bucket, there.index);
    return PSN_OK;
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
