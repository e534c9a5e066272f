#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
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

static uint32_t place_of(unsigned table, uint32_t bucket)
{
    return 1 + ((uint32_t)table << PSN_TREE_BUCKET_BITS) + bucket;
}

/* Keys are PRFs, and so their first bits are spread already; of one table. */
static size_t home_of(const struct psn_leaves *leaves, uint32_t place)
{
    return (place + (size_t)(place >> PSN_TREE_BUCKET_BITS) * 40503) &
           (leaves->capacity - 1);
}

/* The bucket's slot, or the free one where it would be. There is always a free one. */
static struct psn_leaf *slot_of(const struct psn_leaves *leaves, uint32_t place)
{
    size_t at = home_of(leaves, place);

    while (leaves->slots[at].place && leaves->slots[at].place != place)
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
        if (leaves->slots[i].place)
            *slot_of(&grown, leaves->slots[i].place) = leaves->slots[i];
    free(leaves->slots);
    *leaves = grown;
    return PSN_OK;
}

const uint8_t *psn_leaves_find(const struct psn_leaves *leaves, unsigned table,
                               uint32_t bucket)
{
    const struct psn_leaf *leaf =
        leaves->count > 0 ? slot_of(leaves, place_of(table, bucket)) : NULL;

    return leaf && leaf->place ? leaf->hash : NULL;
}

enum psn_code psn_leaves_put(struct psn_leaves *leaves, unsigned table, uint32_t bucket,
                             const uint8_t hash[PSN_STORE_HASH_SIZE],
                             struct psn_error *err)
{
    uint32_t place = place_of(table, bucket);
    struct psn_leaf *leaf;

    if (LOAD_DEN * (leaves->count + 1) > LOAD_NUM * leaves->capacity) {
        enum psn_code rc = grow(leaves, err);

        if (rc)
            return rc;
    }
    leaf = slot_of(leaves, place);
    leaves->count += leaf->place == 0;
    leaf->place = place;
    memcpy(leaf->hash, hash, sizeof leaf->hash);
    return PSN_OK;
}

/* Puts each leaf where its number is among the sorted ones, going round the circles in
 * which they change places. What is below the place in a number is where the leaf is; of
 * one that is done its own place. */
static void arrange(struct psn_leaf *leaves, uint64_t *numbers, size_t count)
{
    const uint64_t index = (UINT64_C(1) << (64 - PSN_SORT_BITS)) - 1;

    for (size_t i = 0; i < count; i++) {
        struct psn_leaf first = leaves[i];
        size_t at = i;

        while ((numbers[at] & index) != i) {
            size_t from = (size_t)(numbers[at] & index);

            leaves[at] = leaves[from];
            numbers[at] = at;
            at = from;
        }
        leaves[at] = first;
        numbers[at] = at;
    }
}

enum psn_code psn_leaves_sort(struct psn_leaves *leaves, struct psn_error *err)
{
    PSN_AUTO_FREE uint64_t *numbers = calloc(2 * leaves->count, sizeof *numbers);
    size_t count = 0;

    if (!numbers)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < leaves->capacity; i++)
        if (leaves->slots[i].place) {
            leaves->slots[count] = leaves->slots[i];
            numbers[count] =
                (uint64_t)(leaves->slots[i].place - 1) << (64 - PSN_SORT_BITS) | count;
            count++;
        }
    psn_sort(numbers, count, numbers + count);
    arrange(leaves->slots, numbers, count);
    return PSN_OK;
}
