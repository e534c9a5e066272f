#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * Buckets of the transaction in hand, and of those before it while the roots are the
 * same. What many rows have in common, an address or a person, they have as the beginning
 * of their keys, so they share a bucket; it is read and checked once, and hashed once
 * when it was changed, however many of its rows are written. The rows themselves go to
 * SQLite at once.
 *
 * A bucket is kept as the bytes that were checked. A large one is remembered as digests
 * of its rows (index.c); a row of it is read again when it is asked for, and all of them
 * when it is hashed anew, and compared.
 */

enum {
    ENTRIES = 64,
    SIZE_MAX_HELD = 16 * 1024 * 1024, /* of all of them, but for the one in use */
    SMALL_MAX = 1024 * 1024,          /* beyond, a bucket is large */
    EMPTY_MAX = 16 * 1024,            /* what an entry keeps for the next bucket */
};

struct entry {
    uint64_t epoch; /* valid if it is the store's */
    unsigned table;
    uint32_t number;
    size_t memory; /* that it takes, as the cache has counted it */
    bool changed;
    bool is_large;
    bool is_unseen; /* the tree says that there is no row, and nobody asked SQLite */
    struct psn_bucket bucket;          /* of a large one: the row looked at last */
    struct psn_index index;            /* of a large one */
    uint64_t bytes;                    /* of a large one: what its rows are hashed as */
    uint8_t leaf[PSN_STORE_HASH_SIZE]; /* what the tree has for it */
};

/* A change that is made ready, of the entry and the place that psn_cache_find() found. */
struct staged {
    bool removes; /* the row that is there */
    bool inserts;
    size_t index;                   /* of a small one: its place */
    struct psn_bucket next;         /* of a large one: the new row */
    uint8_t key[PSN_STORE_KEY_MAX]; /* of a large one: the row that goes */
    size_t key_size;
    size_t old_size;
};

struct psn_cache {
    size_t hand;
    size_t held;         /* by all entries, in bytes */
    struct entry *found; /* by the last psn_cache_find() */
    struct staged staged;
    uint64_t names[ENTRIES]; /* of the entries' buckets, to look through quickly */
    bool used[ENTRIES];      /* since the hand of victim() has passed by */
    struct entry entries[ENTRIES];
};

enum psn_code psn_cache_new(struct psn_cache **ret_cache, struct psn_error *err)
{
    struct psn_cache *cache = calloc(1, sizeof *cache);

    if (!cache)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < ENTRIES; i++)
        cache->entries[i].bucket = psn_bucket_init();
    cache->staged.next = psn_bucket_init();
    *ret_cache = cache;
    return PSN_OK;
}

void psn_cache_free(struct psn_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < ENTRIES; i++) {
        psn_bucket_release(&cache->entries[i].bucket);
        psn_index_release(&cache->entries[i].index);
    }
    psn_bucket_release(&cache->staged.next);
    free(cache);
}

static bool is_held(const struct psn_store *store, const struct entry *entry)
{
    return entry->epoch == store->epoch;
}

/* --- large buckets --- */

/* None of their rows waits: they are read out of SQLite one by one. */
static enum psn_code let_in(struct psn_store *store, unsigned table, uint32_t number,
                            struct psn_error *err)
{
    return psn_waiting_has(store, table, number) ? psn_waiting_flush(store, err) : PSN_OK;
}

/* Makes a large one of a small one, whose bytes were checked. */
static enum psn_code enlarge(struct psn_store *store, struct entry *entry,
                             struct psn_error *err)
{
    struct psn_index index = { 0 };
    struct psn_row_view view;
    enum psn_code rc = let_in(store, entry->table, entry->number, err);

    for (size_t i = 0; !rc && i < entry->bucket.count; i++) {
        psn_bucket_row(&entry->bucket, i, &view);
        rc = psn_index_reserve(&index, err);
        if (!rc)
            psn_index_put(store, &index, &view);
    }
    if (rc) {
        psn_index_release(&index);
        return rc;
    }
    entry->bytes = entry->bucket.bytes;
    entry->index = index;
    entry->is_large = true;
    psn_bucket_release(&entry->bucket);
    return PSN_OK;
}

/* What is done with each row of a large bucket, as the file has it. */
typedef enum psn_code each_fn(struct psn_store *store, struct entry *entry,
                              const struct psn_row_view *view, struct psn_error *err);

static enum psn_code add_row(struct psn_store *store, struct entry *entry,
                             const struct psn_row_view *view, struct psn_error *err)
{
    enum psn_code rc = psn_index_reserve(&entry->index, err);

    if (rc)
        return rc;
    psn_index_put(store, &entry->index, view);
    entry->bytes += view->size;
    return PSN_OK;
}

static enum psn_code compare_row(struct psn_store *store, struct entry *entry,
                                 const struct psn_row_view *view, struct psn_error *err)
{
    return psn_index_matches(store, &entry->index, view) ? PSN_OK
                                                         : psn_store_damaged(store, err);
}

struct last {
    uint8_t key[PSN_STORE_KEY_MAX];
    size_t key_size;
};

/* One row of a walk: its key is behind the last one's, so that none comes twice. */
static enum psn_code walk_row(struct psn_store *store, struct entry *entry,
                              sqlite3_stmt *stmt, struct last *last, each_fn *each,
                              struct psn_store_hash_state *state, struct psn_error *err)
{
    struct psn_row_view view;
    enum psn_code rc;

    psn_bucket_reset(&entry->bucket);
    rc = psn_bucket_collect(store, &entry->bucket, stmt, err);
    if (rc)
        return rc;
    psn_bucket_row(&entry->bucket, 0, &view);
    if (psn_row_compare(last->key, last->key_size, view.key, view.key_size) >= 0)
        return psn_store_damaged(store, err);
    memcpy(last->key, view.key, view.key_size);
    last->key_size = view.key_size;
    store->hash(state, &(struct psn_store_part){ view.bytes, view.size }, 1, NULL);
    return each(store, entry, &view, err);
}

/* Reads a large bucket row by row; *ret_hash is what its leaf is if it has `count` rows,
 * as many as *ret_count tells. */
static enum psn_code walk(struct psn_store *store, struct entry *entry, uint64_t count,
                          each_fn *each, uint8_t ret_hash[PSN_STORE_HASH_SIZE],
                          uint64_t *ret_count, struct psn_error *err)
{
    struct psn_store_hash_state state;
    struct last last = { .key_size = 0 };
    struct psn_bucket_range range;
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc = psn_sql_get(store, PSN_SQL_ROW_RANGE, &stmt, err);
    int status;

    if (rc)
        return rc;
    *ret_count = 0;
    psn_bucket_hash_begin(store, entry->table, entry->number, count, &state);
    status =
        psn_bucket_bind_range(stmt, entry->table, entry->number, entry->number, &range);
    if (status == SQLITE_OK)
        status = sqlite3_step(stmt);
    while (!rc && status == SQLITE_ROW) {
        rc = walk_row(store, entry, stmt, &last, each, &state, err);
        ++*ret_count;
        if (!rc)
            status = sqlite3_step(stmt);
    }
    store->hash(&state, NULL, 0, ret_hash);
    if (!rc && status != SQLITE_DONE)
        rc = psn_sql_fail(store->db, store->path, status, err);
    (void)sqlite3_reset(stmt);
    psn_bucket_reset(&entry->bucket);
    return rc;
}

/* Reads what could not be kept, of so many rows, and checks it against the tree. */
static enum psn_code load_large(struct psn_store *store, struct entry *entry,
                                uint64_t count, struct psn_error *err)
{
    uint8_t expected[PSN_STORE_HASH_SIZE];
    uint8_t hash[PSN_STORE_HASH_SIZE];
    uint64_t found;
    enum psn_code rc = psn_tree_leaf(store, entry->table, entry->number, expected, err);

    entry->is_large = true;
    entry->bytes = 0;
    if (!rc)
        rc = walk(store, entry, count, add_row, hash, &found, err);
    if (!rc && (found != count || memcmp(hash, expected, sizeof hash) != 0))
        rc = psn_store_damaged(store, err);
    return rc;
}

/* The leaf hash of a large bucket as it is now: of the very rows that are remembered,
 * each of them once, in order; keys that differ cannot give another order and the same
 * rows. */
static enum psn_code hash_large(struct psn_store *store, struct entry *entry,
                                uint8_t ret_hash[PSN_STORE_HASH_SIZE],
                                struct psn_error *err)
{
    uint64_t found;
    enum psn_code rc =
        walk(store, entry, entry->index.count, compare_row, ret_hash, &found, err);

    if (!rc && found != entry->index.count)
        rc = psn_store_damaged(store, err);
    if (!rc && found == 0)
        memset(ret_hash, 0, PSN_STORE_HASH_SIZE);
    return rc;
}

/* Reads one row of a large bucket, which is known to be there. */
static enum psn_code read_row(struct psn_store *store, struct entry *entry,
                              const uint8_t *key, size_t key_size,
                              struct psn_row_view *ret_view, struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int status;
    enum psn_code rc = psn_sql_get(store, PSN_SQL_ROW_GET, &stmt, err);

    if (rc)
        return rc;
    psn_bucket_reset(&entry->bucket);
    status = sqlite3_bind_int64(stmt, 1, entry->table);
    if (!status)
        status = psn_sql_bind_blob(stmt, 2, key, key_size);
    if (!status)
        status = sqlite3_step(stmt);
    if (status == SQLITE_ROW)
        rc = psn_bucket_collect(store, &entry->bucket, stmt, err);
    else
        rc = status == SQLITE_DONE ? psn_store_damaged(store, err)
                                   : psn_sql_fail(store->db, store->path, status, err);
    (void)sqlite3_reset(stmt);
    if (rc)
        return rc;
    psn_bucket_row(&entry->bucket, 0, ret_view);
    if (ret_view->key_size != key_size || memcmp(ret_view->key, key, key_size) != 0)
        return psn_store_damaged(store, err);
    return compare_row(store, entry, ret_view, err);
}

/* --- entries --- */

static enum psn_code settle(struct psn_store *store, struct entry *entry,
                            struct psn_error *err)
{
    uint8_t hash[PSN_STORE_HASH_SIZE];
    enum psn_code rc = PSN_OK;

    if (!is_held(store, entry) || !entry->changed)
        return PSN_OK;
    if (entry->is_large)
        rc = hash_large(store, entry, hash, err);
    else
        psn_bucket_hash(store, entry->table, entry->number, &entry->bucket, hash);
    /* A row that came and went again has left nothing, not even nodes to take away. */
    if (!rc && memcmp(entry->leaf, hash, sizeof hash) != 0)
        rc = psn_tree_set_leaf(store, entry->table, entry->number, hash, err);
    if (rc) {
        store->spoiled = rc;
        return rc;
    }
    memcpy(entry->leaf, hash, sizeof hash);
    entry->changed = false;
    return PSN_OK;
}

/* Counts what an entry takes by now. */
static void weigh(struct psn_cache *cache, struct entry *entry)
{
    size_t memory = psn_bucket_memory(&entry->bucket) + psn_index_size(&entry->index);

    cache->held += memory - entry->memory;
    entry->memory = memory;
}

/* Empties an entry; the memory of a bucket stays for the next one, up to so much. */
static enum psn_code drop(struct psn_store *store, struct entry *entry, size_t kept_max,
                          struct psn_error *err)
{
    enum psn_code rc = settle(store, entry, err);

    if (rc)
        return rc;
    psn_index_release(&entry->index);
    if (psn_bucket_memory(&entry->bucket) > kept_max)
        psn_bucket_release(&entry->bucket);
    entry->epoch = 0;
    entry->changed = false;
    entry->is_large = false;
    entry->is_unseen = false;
    weigh(store->cache, entry);
    return PSN_OK;
}

/* An entry that was not used for a long time; beside one that is kept, one that holds
 * something. */
static struct entry *victim(struct psn_cache *cache, const struct entry *kept)
{
    for (;;) {
        size_t at = cache->hand;
        struct entry *entry = &cache->entries[at];
        bool was_used = cache->used[at];

        cache->hand = (at + 1) % ENTRIES;
        cache->used[at] = false;
        if (!was_used && (!kept || (entry != kept && entry->memory > 0)))
            return entry;
    }
}

/* A file may hold buckets of any size: not all of them stay. */
static enum psn_code make_room(struct psn_store *store, const struct entry *kept,
                               struct psn_error *err)
{
    struct psn_cache *cache = store->cache;
    enum psn_code rc = PSN_OK;

    while (!rc && cache->held > SIZE_MAX_HELD && cache->held > kept->memory)
        rc = drop(store, victim(cache, kept), 0, err);
    return rc;
}

static uint64_t name_of(unsigned table, uint32_t number)
{
    return (uint64_t)table << 32 | number;
}

static struct entry *find(struct psn_store *store, unsigned table, uint32_t number)
{
    struct psn_cache *cache = store->cache;
    uint64_t name = name_of(table, number);

    for (size_t i = 0; i < ENTRIES; i++)
        if (cache->names[i] == name && is_held(store, &cache->entries[i]))
            return &cache->entries[i];
    return NULL;
}

/* Nearly every bucket that a large transaction asks for has no row. SQLite would look for
 * one in a page that it has no room to keep; it is asked when it writes, next to the
 * bucket's first row. */
static bool goes_unseen(const struct psn_store *store, const struct entry *entry)
{
    return psn_tree_is_zero(entry->leaf) && psn_waiting_takes(store) &&
           !psn_waiting_has(store, entry->table, entry->number);
}

/* Reads it out of SQLite. */
static enum psn_code read_rows(struct psn_store *store, unsigned table, uint32_t number,
                               struct entry *entry, struct psn_error *err)
{
    bool whole = false;
    uint64_t count;
    enum psn_code rc =
        psn_bucket_load(store, table, number, SMALL_MAX, &entry->bucket, &whole, err);
    if (!rc && !whole && psn_waiting_has(store, table, number)) {
        rc = psn_waiting_flush(store, err);
        if (!rc)
            rc = psn_bucket_load(store, table, number, SMALL_MAX, &entry->bucket, &whole,
                                 err);
    }
    count = entry->bucket.count;
    return rc || whole ? rc : load_large(store, entry, count, err);
}

/* Reads a bucket into an entry, which is empty. */
static enum psn_code load(struct psn_store *store, unsigned table, uint32_t number,
                          struct entry *entry, struct psn_error *err)
{
    enum psn_code rc = psn_tree_leaf(store, table, number, entry->leaf, err);

    entry->table = table;
    entry->number = number;
    entry->is_unseen = !rc && goes_unseen(store, entry);
    if (entry->is_unseen)
        psn_bucket_reset(&entry->bucket);
    else if (!rc)
        rc = read_rows(store, table, number, entry, err);
    if (rc)
        return rc;
    entry->epoch = store->epoch;
    store->cache->names[entry - store->cache->entries] = name_of(table, number);
    return PSN_OK;
}

/* The bucket's entry, read and checked if it is not held. */
static enum psn_code hold(struct psn_store *store, unsigned table, uint32_t number,
                          struct entry **ret_entry, struct psn_error *err)
{
    struct psn_cache *cache = store->cache;
    struct entry *entry = find(store, table, number);
    enum psn_code rc = PSN_OK;

    if (!entry) {
        entry = victim(cache, NULL);
        rc = drop(store, entry, EMPTY_MAX, err);
        if (!rc)
            rc = load(store, table, number, entry, err);
    }
    /* Before anybody borrows a row of it. */
    if (!rc && !entry->is_large && entry->bucket.bytes > SMALL_MAX)
        rc = enlarge(store, entry, err);
    weigh(cache, entry);
    if (!rc)
        rc = make_room(store, entry, err);
    cache->used[entry - cache->entries] = true;
    *ret_entry = entry;
    return rc;
}

enum psn_code psn_cache_find(struct psn_store *store, unsigned table, const uint8_t *key,
                             size_t key_size, struct psn_row_view *ret_view,
                             bool *ret_found, struct psn_error *err)
{
    struct entry *entry = NULL;
    enum psn_code rc = hold(store, table, psn_tree_bucket_of(key), &entry, err);

    if (rc)
        return rc;
    store->cache->found = entry;
    if (!entry->is_large) {
        psn_bucket_seek(&entry->bucket, key, key_size, ret_view, ret_found);
        return PSN_OK;
    }
    *ret_view = (struct psn_row_view){ .size = 0 };
    *ret_found = psn_index_has(store, &entry->index, key, key_size);
    return *ret_found ? read_row(store, entry, key, key_size, ret_view, err) : PSN_OK;
}

/* --- changes --- */

static enum psn_code stage_large(struct entry *entry, struct staged *staged,
                                 const struct psn_row_view *view,
                                 const struct psn_store_row *row, struct psn_error *err)
{
    enum psn_code rc;

    staged->old_size = view->size;
    staged->key_size = view->key_size;
    if (view->key_size > 0)
        memcpy(staged->key, view->key, view->key_size);
    psn_bucket_reset(&staged->next);
    if (!row)
        return PSN_OK;
    rc = psn_bucket_stage(&staged->next, row, err);
    if (rc)
        return rc;
    psn_bucket_insert(&staged->next, 0);
    if (entry->bytes - staged->old_size + staged->next.bytes > PSN_STORE_BUCKET_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("this is too large for the vault"));
    return psn_index_reserve(&entry->index, err);
}

enum psn_code psn_cache_stage(struct psn_store *store, const struct psn_row_view *view,
                              const struct psn_store_row *row, struct psn_error *err)
{
    struct staged *staged = &store->cache->staged;
    struct entry *entry = store->cache->found;

    assert(entry && is_held(store, entry));
    staged->index = view->index;
    staged->removes = view->size > 0;
    staged->inserts = row != NULL;
    if (entry->is_large)
        return stage_large(entry, staged, view, row, err);
    return row ? psn_bucket_stage(&entry->bucket, row, err) : PSN_OK;
}

static void apply_large(struct psn_store *store, struct entry *entry,
                        const struct staged *staged)
{
    struct psn_row_view view;

    entry->bytes = entry->bytes - staged->old_size + staged->next.bytes;
    if (!staged->inserts) {
        psn_index_remove(store, &entry->index, staged->key, staged->key_size);
        return;
    }
    psn_bucket_row(&staged->next, 0, &view);
    psn_index_put(store, &entry->index, &view);
}

const uint8_t *psn_cache_staged(const struct psn_store *store, size_t *ret_size)
{
    const struct psn_bucket *bucket = &store->cache->found->bucket;

    if (store->cache->found->is_large)
        return NULL;
    *ret_size = bucket->rows.size - bucket->staged;
    return bucket->rows.data + bucket->staged;
}

bool psn_cache_is_unseen(const struct psn_store *store)
{
    return store->cache->found->is_unseen;
}

void psn_cache_apply(struct psn_store *store)
{
    const struct staged *staged = &store->cache->staged;
    struct entry *entry = store->cache->found;

    entry->changed = true;
    entry->is_unseen = false; /* SQLite was asked, or will be when it writes the row */
    if (entry->is_large) {
        apply_large(store, entry, staged);
        return;
    }
    if (staged->removes)
        psn_bucket_remove(&entry->bucket, staged->index);
    if (staged->inserts)
        psn_bucket_insert(&entry->bucket, staged->index);
}

enum psn_code psn_cache_settle(struct psn_store *store, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < ENTRIES; i++)
        rc = settle(store, &store->cache->entries[i], err);
    if (!rc)
        rc = psn_waiting_flush(store, err);
    if (!rc && store->leaves.count > 0) {
        rc = psn_tree_settle(store, err);
        store->spoiled = rc;
    }
    return rc;
}

bool psn_cache_is_settled(const struct psn_store *store)
{
    if (store->leaves.count > 0)
        return false;
    for (size_t i = 0; i < ENTRIES; i++)
        if (is_held(store, &store->cache->entries[i]) && store->cache->entries[i].changed)
            return false;
    return true;
}
