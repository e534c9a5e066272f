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
 */

enum {
    ENTRIES = 64,
    SIZE_MAX_HELD = 2 * 1024 * 1024, /* of all of them, but for the one in use */
};

struct entry {
    uint64_t epoch; /* valid if it is the store's */
    uint64_t used;  /* when, on the cache's own clock */
    unsigned table;
    uint32_t number;
    bool changed;
    struct psn_bucket bucket;
};

struct psn_cache {
    uint64_t clock;
    struct entry entries[ENTRIES];
};

enum psn_code psn_cache_new(struct psn_cache **ret_cache, struct psn_error *err)
{
    struct psn_cache *cache = calloc(1, sizeof *cache);

    if (!cache)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < ENTRIES; i++)
        cache->entries[i].bucket = psn_bucket_init();
    *ret_cache = cache;
    return PSN_OK;
}

void psn_cache_free(struct psn_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < ENTRIES; i++)
        psn_bucket_release(&cache->entries[i].bucket);
    free(cache);
}

static bool is_held(const struct psn_store *store, const struct entry *entry)
{
    return entry->epoch == store->epoch;
}

static enum psn_code settle(struct psn_store *store, struct entry *entry,
                            struct psn_error *err)
{
    uint8_t before[PSN_STORE_HASH_SIZE];
    uint8_t hash[PSN_STORE_HASH_SIZE];
    enum psn_code rc;

    if (!is_held(store, entry) || !entry->changed)
        return PSN_OK;
    psn_bucket_hash(store, entry->table, entry->number, &entry->bucket, hash);
    rc = psn_tree_leaf(store, entry->table, entry->number, before, err);
    /* A row that came and went again has left nothing, not even nodes to take away. */
    if (!rc && memcmp(before, hash, sizeof hash) != 0)
        rc = psn_tree_set_leaf(store, entry->table, entry->number, hash, err);
    if (rc)
        store->spoiled = rc;
    else
        entry->changed = false;
    return rc;
}

static enum psn_code drop(struct psn_store *store, struct entry *entry,
                          struct psn_error *err)
{
    enum psn_code rc = settle(store, entry, err);

    if (rc)
        return rc;
    entry->epoch = 0;
    psn_bucket_release(&entry->bucket);
    entry->bucket = psn_bucket_init();
    return PSN_OK;
}

/* An entry that is free, or the one that was not used for the longest time. */
static struct entry *victim(struct psn_store *store)
{
    struct entry *oldest = store->cache->entries;

    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *entry = &store->cache->entries[i];

        if (!is_held(store, entry))
            return entry;
        if (entry->used < oldest->used)
            oldest = entry;
    }
    return oldest;
}

static struct entry *find(struct psn_store *store, unsigned table, uint32_t number)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *entry = &store->cache->entries[i];

        if (is_held(store, entry) && entry->table == table && entry->number == number)
            return entry;
    }
    return NULL;
}

/* A file may hold buckets of any size: not all of them stay. */
static enum psn_code make_room(struct psn_store *store, const struct entry *kept,
                               struct psn_error *err)
{
    size_t held = 0;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; i < ENTRIES; i++)
        held += store->cache->entries[i].bucket.rows.size;
    for (size_t i = 0; !rc && i < ENTRIES && held > SIZE_MAX_HELD; i++) {
        struct entry *entry = &store->cache->entries[i];

        if (entry == kept)
            continue;
        held -= entry->bucket.rows.size;
        rc = drop(store, entry, err);
    }
    return rc;
}

enum psn_code psn_cache_get(struct psn_store *store, unsigned table, uint32_t number,
                            struct psn_bucket **ret_bucket, struct psn_error *err)
{
    struct entry *entry = find(store, table, number);

    if (!entry) {
        enum psn_code rc;

        entry = victim(store);
        rc = drop(store, entry, err);
        if (!rc)
            rc = psn_bucket_load(store, table, number, &entry->bucket, err);
        if (rc)
            return rc;
        entry->epoch = store->epoch;
        entry->table = table;
        entry->number = number;
        entry->changed = false;
        rc = make_room(store, entry, err);
        if (rc)
            return rc;
    }
    entry->used = ++store->cache->clock;
    *ret_bucket = &entry->bucket;
    return PSN_OK;
}

void psn_cache_replace(struct psn_store *store, unsigned table, uint32_t number,
                       struct psn_bucket *bucket)
{
    struct entry *entry = find(store, table, number);

    assert(entry);
    psn_bucket_release(&entry->bucket);
    entry->bucket = *bucket;
    entry->changed = true;
    *bucket = psn_bucket_init();
}

enum psn_code psn_cache_settle(struct psn_store *store, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < ENTRIES; i++)
        rc = settle(store, &store->cache->entries[i], err);
    return rc;
}

bool psn_cache_is_settled(const struct psn_store *store)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (is_held(store, &store->cache->entries[i]) && store->cache->entries[i].changed)
            return false;
    return true;
}
