#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * What is remembered of a bucket that is too large to be kept: a digest of each row, by a
 * digest of its key. Whether a key is there is known from it alone, a row that is read
 * again is compared with it, and so is every row when the bucket is hashed anew. So it
 * stands for the bytes that were checked, whatever the file says meanwhile, in 32 bytes a
 * row.
 *
 * The digests are 16 bytes: who edits the file has to hit a given one, and cannot choose
 * the rows that are in it, which are sealed. They never leave the process.
 */
enum {
    SLOTS_FIRST = 256, /* of the table; a power of two */
    LOAD_NUM = 7,
    LOAD_DEN = 8,
};

struct psn_index_slot {
    uint8_t key[PSN_INDEX_DIGEST]; /* all zero: free */
    uint8_t row[PSN_INDEX_DIGEST];
};

void psn_index_release(struct psn_index *index)
{
    free(index->slots);
    *index = (struct psn_index){ 0 };
}

size_t psn_index_size(const struct psn_index *index)
{
    return index->capacity * sizeof *index->slots;
}

static void digest(const struct psn_store *store, const void *bytes, size_t size,
                   uint8_t ret_digest[PSN_INDEX_DIGEST])
{
    struct psn_store_hash_state state = { .has_begun = false };
    struct psn_store_part part = { bytes, size };
    uint8_t hash[PSN_STORE_HASH_SIZE];

    store->hash(&state, &part, 1, hash);
    memcpy(ret_digest, hash, PSN_INDEX_DIGEST);
}

static bool is_free(const struct psn_index_slot *slot)
{
    static const uint8_t none[PSN_INDEX_DIGEST];

    return memcmp(slot->key, none, sizeof none) == 0;
}

static size_t home_of(const struct psn_index *index, const struct psn_index_slot *slot)
{
    size_t home;

    memcpy(&home, slot->key, sizeof home);
    return home & (index->capacity - 1);
}

/* The slot of this key, or the free one where it would be. There is always a free one. */
static struct psn_index_slot *find(const struct psn_index *index,
                                   const struct psn_index_slot *wanted)
{
    size_t at = home_of(index, wanted);

    while (!is_free(&index->slots[at]) &&
           memcmp(index->slots[at].key, wanted->key, PSN_INDEX_DIGEST) != 0)
        at = (at + 1) & (index->capacity - 1);
    return &index->slots[at];
}

static struct psn_index_slot *find_key(const struct psn_store *store,
                                       const struct psn_index *index, const uint8_t *key,
                                       size_t key_size)
{
    struct psn_index_slot wanted;

    digest(store, key, key_size, wanted.key);
    return find(index, &wanted);
}

enum psn_code psn_index_reserve(struct psn_index *index, struct psn_error *err)
{
    struct psn_index grown = *index;

    if (LOAD_DEN * (index->count + 1) <= LOAD_NUM * index->capacity)
        return PSN_OK;
    grown.capacity = index->capacity ? 2 * index->capacity : SLOTS_FIRST;
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (!grown.slots)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < index->capacity; i++)
        if (!is_free(&index->slots[i]))
            *find(&grown, &index->slots[i]) = index->slots[i];
    free(index->slots);
    *index = grown;
    return PSN_OK;
}

void psn_index_put(const struct psn_store *store, struct psn_index *index,
                   const struct psn_row_view *view)
{
    struct psn_index_slot wanted;
    struct psn_index_slot *slot;

    digest(store, view->key, view->key_size, wanted.key);
    digest(store, view->bytes, view->size, wanted.row);
    slot = find(index, &wanted);
    if (is_free(slot)) {
        assert(index->count + 1 < index->capacity);
        index->count++;
    }
    *slot = wanted;
}

/* The rows behind the gap that were pushed on by what is gone move up. */
void psn_index_remove(const struct psn_store *store, struct psn_index *index,
                      const uint8_t *key, size_t key_size)
{
    struct psn_index_slot *slot = find_key(store, index, key, key_size);
    size_t mask = index->capacity - 1;
    size_t gap = (size_t)(slot - index->slots);

    assert(!is_free(slot));
    for (size_t at = (gap + 1) & mask; !is_free(&index->slots[at]);
         at = (at + 1) & mask) {
        size_t home = home_of(index, &index->slots[at]);

        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        index->slots[gap] = index->slots[at];
        gap = at;
    }
    memset(&index->slots[gap], 0, sizeof index->slots[gap]);
    index->count--;
}

bool psn_index_has(const struct psn_store *store, const struct psn_index *index,
                   const uint8_t *key, size_t key_size)
{
    return index->capacity > 0 && !is_free(find_key(store, index, key, key_size));
}

bool psn_index_matches(const struct psn_store *store, const struct psn_index *index,
                       const struct psn_row_view *view)
{
    const struct psn_index_slot *slot;
    uint8_t row[PSN_INDEX_DIGEST];

    if (index->capacity == 0)
        return false;
    slot = find_key(store, index, view->key, view->key_size);
    digest(store, view->bytes, view->size, row);
    return !is_free(slot) && memcmp(slot->row, row, sizeof row) == 0;
}
