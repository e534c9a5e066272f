#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * Leaf hashes that the transaction has changed and the nodes do not have yet. Many rows
 * change many buckets under few nodes, so the nodes are brought up to date for many
 * buckets at once: an open-addressed table by bucket, sorted when that is done.
 */
enum {
    SLOTS_FIRST = 32, /* of the table; a power of two */
    LOAD_NUM = 3,
    LOAD_DEN = 4,
};

void psn_leaves_release(struct psn_leaves *leaves)
{
    free(leaves->slots);
    *leaves = (struct psn_leaves){ 0 };
}

void psn_leaves_clear(struct psn_leaves *leaves)
{
    if (leaves->count > 0)
        memset(leaves->slots, 0, leaves->capacity * sizeof *leaves->slots);
    leaves->count = 0;
}

/* Keys are PRFs, and so their first bits are spread already; of one table. */
static size_t home_of(const struct psn_leaves *leaves, unsigned table, uint32_t bucket)
{
    return (bucket + (size_t)table * 40503) & (leaves->capacity - 1);
}

/* The bucket's slot, or the free one where it would be. There is always a free one. */
static struct psn_leaf *slot_of(const struct psn_leaves *leaves, unsigned table,
                                uint32_t bucket)
{
    size_t at = home_of(leaves, table, bucket);

    while (leaves->slots[at].is_used &&
           (leaves->slots[at].table != table || leaves->slots[at].bucket != bucket))
        at = (at + 1) & (leaves->capacity - 1);
    return &leaves->slots[at];
}

static enum psn_code grow(struct psn_leaves *leaves, struct psn_error *err)
{
    struct psn_leaves grown = { .capacity =
                                    leaves->capacity ? 2 * leaves->capacity : SLOTS_FIRST,
                                .count = leaves->count };

    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (!grown.slots)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < leaves->capacity; i++)
        if (leaves->slots[i].is_used)
            *slot_of(&grown, leaves->slots[i].table, leaves->slots[i].bucket) =
                leaves->slots[i];
    free(leaves->slots);
    *leaves = grown;
    return PSN_OK;
}

const uint8_t *psn_leaves_find(const struct psn_leaves *leaves, unsigned table,
                               uint32_t bucket)
{
    const struct psn_leaf *leaf =
        leaves->count > 0 ? slot_of(leaves, table, bucket) : NULL;

    return leaf && leaf->is_used ? leaf->hash : NULL;
}

enum psn_code psn_leaves_put(struct psn_leaves *leaves, unsigned table, uint32_t bucket,
                             const uint8_t hash[PSN_STORE_HASH_SIZE],
                             struct psn_error *err)
{
    struct psn_leaf *leaf;

    if (LOAD_DEN * (leaves->count + 1) > LOAD_NUM * leaves->capacity) {
        enum psn_code rc = grow(leaves, err);

        if (rc)
            return rc;
    }
    leaf = slot_of(leaves, table, bucket);
    leaves->count += !leaf->is_used;
    *leaf = (struct psn_leaf){ .is_used = true, .table = table, .bucket = bucket };
    memcpy(leaf->hash, hash, sizeof leaf->hash);
    return PSN_OK;
}

static int compare(const void *a, const void *b)
{
    const struct psn_leaf *left = a;
    const struct psn_leaf *right = b;

    if (left->table != right->table)
        return left->table < right->table ? -1 : 1;
    return (left->bucket > right->bucket) - (left->bucket < right->bucket);
}

const struct psn_leaf *psn_leaves_sort(struct psn_leaves *leaves)
{
    size_t count = 0;

    for (size_t i = 0; i < leaves->capacity; i++)
        if (leaves->slots[i].is_used)
            leaves->slots[count++] = leaves->slots[i];
    if (count > 1)
        qsort(leaves->slots, count, sizeof *leaves->slots, compare);
    return leaves->slots;
}
