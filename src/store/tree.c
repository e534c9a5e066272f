#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * The hash tree of each table.
 *
 * A bucket's number is the first 18 bits of its rows' keys, big-endian. Level 0 is one
 * node per table, which the first six bits lead out of, level 1 up to 64 nodes, level 2
 * up to 4096, whose children are the buckets' leaves. Only what is not empty exists: a
 * node's bitmap has a bit for each child that does (bit i is child i), and a table
 * without rows has no node and an all-zero root.
 *
 *     node hash = H("passation store node 1" NUL, table (1), level (1), index (4),
 *                   bitmap (8), the hashes of the children that exist, in order)
 *     leaf hash = H("passation store leaf 1" NUL, table (1), bucket (4), count (4),
 *                   the rows as in struct psn_bucket)                    see bucket.c
 *
 * Place and table are in each hash, so that no node fits anywhere but in its place.
 * Numbers are big-endian. The file keeps one row per node, (bitmap, hashes), under
 * id = table << 14 | level << 12 | index.
 *
 * A node is used only after its hash was found in its parent, the top one in the roots
 * that the caller trusts. Nodes checked in this transaction are remembered, as they lie
 * in the file; each level has slots of its own, so that a path never pushes out its own
 * nodes. Changed leaves wait (leaves.c) and reach the nodes together, each node that is
 * above one of them being checked, changed, hashed and written once.
 */
struct psn_node {
    uint64_t epoch; /* valid if it is the store's */
    uint64_t bitmap;
    uint8_t *bytes; /* the file's: bitmap and hashes */
    struct psn_node *next;
    uint32_t capacity;
    uint32_t id;
    bool is_used; /* it is in the list of those that were ever needed */
};

enum {
    BITS = 6,
    LOWEST = PSN_TREE_LEVELS - 1, /* the level above the buckets */
    INDEX_MAX = 0xfff,            /* of its nodes */
    MIDDLE_SLOTS = 256,
    LOW_SLOTS = 16 * 1024,
    HELD_MAX = 2 * 1024 * 1024, /* bytes of all nodes; those above the lowest are few */
    LEAVES_MAX = 48 * 1024,     /* changed ones in memory: the table then holds 64 Ki */
    FIRST_LOW = PSN_STORE_TABLES + MIDDLE_SLOTS,
    PASSING = FIRST_LOW + LOW_SLOTS, /* the node that a scan of a whole table is in */
    SLOT_COUNT,
    HEAD = 8,                                   /* of a node's bytes: the bitmap */
    NODE_SIZE_MIN = HEAD + PSN_STORE_HASH_SIZE, /* an empty node does not exist */
};

struct psn_nodes {
    struct psn_node *used; /* most are not: a command that looks up little touches few */
    size_t held;           /* bytes */
    size_t hand;           /* the low slot that gives its bytes up next */
    struct psn_node items[SLOT_COUNT];
};

/* Where a node is: what its hash and its row's id are made of. */
struct place {
    unsigned table;
    unsigned level;
    uint32_t index;
};

enum psn_code psn_tree_new(struct psn_nodes **ret_nodes, struct psn_error *err)
{
    struct psn_nodes *nodes = calloc(1, sizeof *nodes);

    if (!nodes)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_nodes = nodes;
    return PSN_OK;
}

void psn_tree_free(struct psn_nodes *nodes)
{
    for (struct psn_node *at = nodes ? nodes->used : NULL; at; at = at->next)
        free(at->bytes);
    free(nodes);
}

uint32_t psn_tree_bucket_of(const uint8_t *key)
{
    return ((uint32_t)key[0] << 16 | (uint32_t)key[1] << 8 | key[2]) >> 6;
}

bool psn_tree_is_zero(const uint8_t hash[PSN_STORE_HASH_SIZE])
{
    uint8_t any = 0;

    for (size_t i = 0; i < PSN_STORE_HASH_SIZE; i++)
        any |= hash[i];
    return any == 0;
}

static struct place place_above_bucket(unsigned table, unsigned level, uint32_t bucket)
{
    return (struct place){ table, level, bucket >> (BITS * (PSN_TREE_LEVELS - level)) };
}

/* Which child of the node at `level` leads to the bucket. */
static unsigned child_of(unsigned level, uint32_t bucket)
{
    return bucket >> (BITS * (LOWEST - level)) & (PSN_TREE_FANOUT - 1);
}

static uint32_t id_of(struct place place)
{
    return (uint32_t)place.table << 14 | (uint32_t)place.level << 12 | place.index;
}

/* The place's slot, which may have another place's node. */
static struct psn_node *slot_of(const struct psn_store *store, struct place place)
{
    struct psn_node *items = store->nodes->items;

    if (place.level == 0)
        return items + place.table;
    if (place.level < LOWEST)
        return items + PSN_STORE_TABLES + (place.index ^ 67 * place.table) % MIDDLE_SLOTS;
    if (store->ahead) /* it will not be asked for again */
        return items + PASSING;
    return items + FIRST_LOW + (place.table << 12 | place.index) % LOW_SLOTS;
}

/* Where the child's hash is in the node's bytes, or would be. */
static size_t offset_of(const struct psn_node *node, unsigned child)
{
    uint64_t before = node->bitmap & ((UINT64_C(1) << child) - 1);

    return HEAD + (size_t)__builtin_popcountll(before) * PSN_STORE_HASH_SIZE;
}

static size_t size_of(uint64_t bitmap)
{
    return HEAD + (size_t)__builtin_popcountll(bitmap) * PSN_STORE_HASH_SIZE;
}

/* A child's hash, or NULL if the tree has none there. */
static const uint8_t *hash_of(const struct psn_node *node, unsigned child)
{
    return node->bitmap >> child & 1 ? node->bytes + offset_of(node, child) : NULL;
}

/* Room for so many bytes in a node; others at the bottom give theirs up for it. */
static enum psn_code reserve(struct psn_nodes *nodes, struct psn_node *node, size_t size,
                             struct psn_error *err)
{
    uint32_t capacity = (uint32_t)size + 2 * PSN_STORE_HASH_SIZE;
    uint8_t *bytes;

    if (size <= node->capacity)
        return PSN_OK;
    bytes = realloc(node->bytes, capacity);
    if (!bytes)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    nodes->held += capacity - node->capacity;
    node->bytes = bytes;
    node->capacity = capacity;
    if (!node->is_used) {
        node->is_used = true;
        node->next = nodes->used;
        nodes->used = node;
    }
    while (nodes->held > HELD_MAX) {
        struct psn_node *other = &nodes->items[FIRST_LOW + nodes->hand];

        nodes->hand = (nodes->hand + 1) % LOW_SLOTS;
        if (other == node)
            continue;
        nodes->held -= other->capacity;
        free(PSN_TAKE(other->bytes));
        other->capacity = 0;
        other->epoch = 0;
    }
    return PSN_OK;
}

static void hash_node(const struct psn_store *store, struct place place,
                      const uint8_t *bytes, size_t size,
                      uint8_t ret_hash[PSN_STORE_HASH_SIZE])
{
    static const char label[] = "passation store node 1";
    uint8_t head[sizeof label + 6];
    const uint8_t where[] = {
        (uint8_t)place.table,         (uint8_t)place.level,
        (uint8_t)(place.index >> 24), (uint8_t)(place.index >> 16),
        (uint8_t)(place.index >> 8),  (uint8_t)place.index,
    };
    const struct psn_store_part parts[] = { { head, sizeof head }, { bytes, size } };
    struct psn_store_hash_state state;

    memcpy(head, label, sizeof label);
    memcpy(head + sizeof label, where, sizeof where);
    state.has_begun = false;
    store->hash(&state, parts, sizeof parts / sizeof *parts, ret_hash);
}

/* The row of a node whose turn it is in a scan, else NULL: to step to the next row is a
 * third of the work of looking it up. */
static enum psn_code step_ahead(struct psn_store *store, struct place place,
                                sqlite3_stmt **ret_stmt, struct psn_error *err)
{
    struct psn_tree_ahead *ahead = store->ahead;

    *ret_stmt = NULL;
    if (!ahead || place.level != LOWEST)
        return PSN_OK;
    while (ahead->id < id_of(place)) {
        int status = sqlite3_step(ahead->stmt);

        if (status != SQLITE_ROW && status != SQLITE_DONE)
            return psn_sql_fail(store->db, store->path, status, err);
        ahead->id =
            status == SQLITE_ROW ? sqlite3_column_int64(ahead->stmt, 1) : INT64_MAX;
    }
    if (ahead->id == id_of(place))
        *ret_stmt = ahead->stmt;
    return PSN_OK;
}

/* The row of a node, which is there. */
static enum psn_code look_up(struct psn_store *store, struct place place,
                             sqlite3_stmt **ret_stmt, struct psn_error *err)
{
    enum psn_code rc = psn_sql_get(store, PSN_SQL_NODE_GET, ret_stmt, err);
    int status;

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(*ret_stmt, 1, id_of(place));
    status = sqlite3_step(*ret_stmt);
    if (status == SQLITE_ROW)
        return PSN_OK;
    rc = status == SQLITE_DONE ? psn_store_damaged(store, err)
                               : psn_sql_fail(store->db, store->path, status, err);
    (void)sqlite3_reset(*ret_stmt);
    return rc;
}

/* Takes over what the row of a node says, whose hash must be `expected`. */
static enum psn_code take(struct psn_store *store, struct place place, sqlite3_stmt *stmt,
                          const uint8_t expected[PSN_STORE_HASH_SIZE],
                          struct psn_node *node, struct psn_error *err)
{
    const uint8_t *bytes = sqlite3_column_blob(stmt, 0);
    size_t size = (size_t)sqlite3_column_bytes(stmt, 0);
    uint8_t found[PSN_STORE_HASH_SIZE];
    enum psn_code rc;

    if (!bytes && sqlite3_errcode(store->db) == SQLITE_NOMEM)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (!bytes || sqlite3_column_type(stmt, 0) != SQLITE_BLOB || size < NODE_SIZE_MIN)
        return psn_store_damaged(store, err);
    node->bitmap = 0;
    for (unsigned i = 0; i < HEAD; i++)
        node->bitmap = node->bitmap << 8 | bytes[i];
    if (size != size_of(node->bitmap))
        return psn_store_damaged(store, err);
    hash_node(store, place, bytes, size, found);
    if (memcmp(found, expected, sizeof found) != 0)
        return psn_store_damaged(store, err);
    rc = reserve(store->nodes, node, size, err);
    if (!rc)
        memcpy(node->bytes, bytes, size);
    return rc;
}

/* Reads a node whose hash must be `expected` into its slot. */
static enum psn_code load(struct psn_store *store, struct place place,
                          const uint8_t expected[PSN_STORE_HASH_SIZE],
                          struct psn_node *node, struct psn_error *err)
{
    sqlite3_stmt *ahead = NULL;
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc = step_ahead(store, place, &ahead, err);

    node->epoch = 0;
    if (!rc && !ahead)
        rc = look_up(store, place, &stmt, err);
    if (!rc)
        rc = take(store, place, ahead ? ahead : stmt, expected, node, err);
    if (stmt)
        (void)sqlite3_reset(stmt);
    if (rc)
        return rc;
    node->id = id_of(place);
    node->epoch = store->epoch;
    return PSN_OK;
}

enum psn_code psn_tree_ahead_begin(struct psn_store *store, unsigned table,
                                   struct psn_tree_ahead *ret_ahead,
                                   struct psn_error *err)
{
    struct place first = { table, LOWEST, 0 };
    struct place last = { table, LOWEST, INDEX_MAX };
    enum psn_code rc = psn_sql_prepare(store, PSN_SQL_NODE_RANGE, &ret_ahead->stmt, err);

    if (!rc && (sqlite3_bind_int64(ret_ahead->stmt, 1, id_of(first)) != SQLITE_OK ||
                sqlite3_bind_int64(ret_ahead->stmt, 2, id_of(last)) != SQLITE_OK))
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    return rc;
}

/* Borrows a checked node, or gives NULL if the tree has none there. */
static enum psn_code find(struct psn_store *store, struct place place,
                          struct psn_node **ret_node, struct psn_error *err)
{
    struct psn_node *node = slot_of(store, place);
    const uint8_t *expected = store->roots.hash[place.table];
    struct psn_node *parent = NULL;

    assert(store->trusted);
    if (node->epoch == store->epoch && node->id == id_of(place)) {
        *ret_node = node;
        return PSN_OK;
    }
    if (place.level > 0) {
        enum psn_code rc = find(
            store, (struct place){ place.table, place.level - 1, place.index >> BITS },
            &parent, err);

        if (rc)
            return rc;
        expected = parent ? hash_of(parent, place.index & (PSN_TREE_FANOUT - 1)) : NULL;
    }
    if (!expected || psn_tree_is_zero(expected)) {
        *ret_node = NULL;
        return PSN_OK;
    }
    *ret_node = node;
    return load(store, place, expected, node, err);
}

enum psn_code psn_tree_leaf(struct psn_store *store, unsigned table, uint32_t bucket,
                            uint8_t ret_hash[PSN_STORE_HASH_SIZE], struct psn_error *err)
{
    const uint8_t *changed = psn_leaves_find(&store->leaves, table, bucket);
    const uint8_t *hash = NULL;
    struct psn_node *node = NULL;
    enum psn_code rc;

    if (changed) {
        memcpy(ret_hash, changed, PSN_STORE_HASH_SIZE);
        return PSN_OK;
    }
    rc = find(store, place_above_bucket(table, LOWEST, bucket), &node, err);
    if (rc)
        return rc;
    if (node)
        hash = hash_of(node, child_of(LOWEST, bucket));
    if (hash)
        memcpy(ret_hash, hash, PSN_STORE_HASH_SIZE);
    else
        memset(ret_hash, 0, PSN_STORE_HASH_SIZE);
    return PSN_OK;
}

/* Writes a changed node and gives its hash; one that has become empty goes. */
static enum psn_code save(struct psn_store *store, struct place place,
                          struct psn_node *node, bool is_new,
                          uint8_t ret_hash[PSN_STORE_HASH_SIZE], struct psn_error *err)
{
    enum psn_sql which = is_new ? PSN_SQL_NODE_INSERT : PSN_SQL_NODE_UPDATE;
    size_t size = size_of(node->bitmap);
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc;

    if (node->bitmap) {
        for (unsigned i = 0; i < HEAD; i++)
            node->bytes[i] = (uint8_t)(node->bitmap >> (8 * (HEAD - 1 - i)));
        hash_node(store, place, node->bytes, size, ret_hash);
    } else {
        memset(ret_hash, 0, PSN_STORE_HASH_SIZE);
        node->epoch = 0;
        if (is_new)
            return PSN_OK;
        which = PSN_SQL_NODE_DELETE;
    }
    rc = psn_sql_get(store, which, &stmt, err);
    if (rc)
        return rc;
    (void)sqlite3_bind_int64(stmt, 1, node->id);
    if (node->bitmap && psn_sql_bind_blob(stmt, 2, node->bytes, size) != SQLITE_OK)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    return psn_sql_change_one(store, stmt, err);
}

static enum psn_code put_child(struct psn_store *store, struct psn_node *node,
                               unsigned child, const uint8_t hash[PSN_STORE_HASH_SIZE],
                               struct psn_error *err)
{
    size_t size = size_of(node->bitmap);
    size_t at = offset_of(node, child);
    size_t behind = node->bitmap >> child & 1 ? at + PSN_STORE_HASH_SIZE : at;
    size_t next = psn_tree_is_zero(hash) ? at : at + PSN_STORE_HASH_SIZE;
    enum psn_code rc = reserve(store->nodes, node, size + PSN_STORE_HASH_SIZE, err);

    if (rc)
        return rc;
    memmove(node->bytes + next, node->bytes + behind, size - behind);
    memcpy(node->bytes + at, hash, next - at);
    if (next == at)
        node->bitmap &= ~(UINT64_C(1) << child);
    else
        node->bitmap |= UINT64_C(1) << child;
    return PSN_OK;
}

/* How many of the leaves, which are sorted, lie under the same child as the first. */
static size_t count_under_child(unsigned level, const struct psn_leaf *leaves,
                                size_t count)
{
    size_t same = 1;

    while (same < count && child_of(level, psn_leaf_bucket(leaves + same)) ==
                               child_of(level, psn_leaf_bucket(leaves)))
        same++;
    return same;
}

/* Puts leaves, which are sorted and lie under the node at place, into what is below it
 * and into the node, and gives the node's new hash. A child is looked up while its parent
 * still holds the old hash, which is what it must be checked against; the node itself
 * keeps its slot, since below it are others' slots only. */
static enum psn_code change(struct psn_store *store, struct place place,
                            const struct psn_leaf *leaves, size_t count,
                            uint8_t ret_hash[PSN_STORE_HASH_SIZE], struct psn_error *err)
{
    struct psn_node *node = NULL;
    size_t same;
    bool is_new;
    enum psn_code rc = find(store, place, &node, err);

    if (rc)
        return rc;
    is_new = !node;
    if (is_new) {
        node = slot_of(store, place);
        node->epoch = store->epoch;
        node->id = id_of(place);
        node->bitmap = 0;
    }
    for (size_t i = 0; !rc && i < count; i += same) {
        unsigned below = place.level + 1;
        uint32_t bucket = psn_leaf_bucket(leaves + i);
        uint8_t hash[PSN_STORE_HASH_SIZE];

        same = count_under_child(place.level, leaves + i, count - i);
        if (below == PSN_TREE_LEVELS)
            memcpy(hash, leaves[i].hash, sizeof hash);
        else
            rc = change(store, place_above_bucket(place.table, below, bucket), leaves + i,
                        same, hash, err);
        if (!rc)
            rc = put_child(store, node, child_of(place.level, bucket), hash, err);
    }
    return rc ? rc : save(store, place, node, is_new, ret_hash, err);
}

enum psn_code psn_tree_settle(struct psn_store *store, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;
    const struct psn_leaf *leaves = store->leaves.slots;
    size_t count = store->leaves.count;
    size_t same;

    if (count == 0)
        return PSN_OK;
    /* What a scan was in last has its own slot, and may be what changes in another one.
     */
    store->nodes->items[PASSING].epoch = 0;
    rc = psn_leaves_sort(&store->leaves, err);
    for (size_t i = 0; !rc && i < count; i += same) {
        unsigned table = psn_leaf_table(leaves + i);
        uint8_t root[PSN_STORE_HASH_SIZE];

        for (same = 1; i + same < count && psn_leaf_table(leaves + i + same) == table;)
            same++;
        rc = change(store, (struct place){ table, 0, 0 }, leaves + i, same, root, err);
        if (!rc)
            memcpy(store->roots.hash[table], root, sizeof root);
    }
    psn_leaves_clear(&store->leaves);
    return rc;
}

enum psn_code psn_tree_set_leaf(struct psn_store *store, unsigned table, uint32_t bucket,
                                const uint8_t hash[PSN_STORE_HASH_SIZE],
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (store->leaves.count == LEAVES_MAX)
        rc = psn_tree_settle(store, err);
    return rc ? rc : psn_leaves_put(&store->leaves, table, bucket, hash, err);
}

/* The first child from `from` on that exists, or PSN_TREE_FANOUT. */
static unsigned first_child(const struct psn_node *node, unsigned from)
{
    uint64_t rest = from < PSN_TREE_FANOUT ? node->bitmap >> from : 0;

    return rest ? from + (unsigned)__builtin_ctzll(rest) : PSN_TREE_FANOUT;
}

/* The first child from the bucket on in the lowest node above it, if that is known and
 * has one: of buckets that are asked for one after the other nearly all are found so. */
static bool next_in_known(const struct psn_store *store, unsigned table, uint32_t from,
                          uint32_t *ret_bucket)
{
    struct place place = place_above_bucket(table, LOWEST, from);
    const struct psn_node *node = slot_of(store, place);
    unsigned next;

    if (from >= PSN_TREE_BUCKETS || node->epoch != store->epoch ||
        node->id != id_of(place))
        return false;
    next = first_child(node, child_of(LOWEST, from));
    *ret_bucket = (place.index << BITS) + next;
    return next < PSN_TREE_FANOUT;
}

/*
 * Goes down as long as the path to `at` exists. Where it ends, `at` jumps to the first
 * bucket under the next child that does, and the descent starts anew; where no child is
 * left in the node, to the first bucket after the node.
 */
enum psn_code psn_tree_next(struct psn_store *store, unsigned table, uint32_t from,
                            uint32_t *ret_bucket, struct psn_error *err)
{
    uint32_t at = from;
    unsigned level = 0;

    if (next_in_known(store, table, from, ret_bucket))
        return PSN_OK;
    while (at < PSN_TREE_BUCKETS && level < PSN_TREE_LEVELS) {
        struct psn_node *node = NULL;
        unsigned shift = BITS * (LOWEST - level);
        unsigned child = child_of(level, at);
        unsigned next;
        enum psn_code rc = find(store, place_above_bucket(table, level, at), &node, err);

        if (rc)
            return rc;
        next = node ? first_child(node, child) : PSN_TREE_FANOUT;
        if (next == child) {
            level++;
            continue;
        }
        at = ((at >> (shift + BITS) << BITS) + next) << shift;
        level = 0;
    }
    *ret_bucket = at < PSN_TREE_BUCKETS ? at : PSN_TREE_BUCKETS;
    return PSN_OK;
}

enum psn_code psn_tree_count(struct psn_store *store, unsigned table, uint64_t *ret_count,
                             struct psn_error *err)
{
    struct psn_node *top = NULL;
    uint64_t count = 0;
    enum psn_code rc = find(store, (struct place){ table, 0, 0 }, &top, err);

    if (!rc && top)
        count = 1 + (uint64_t)__builtin_popcountll(top->bitmap);
    for (unsigned i = 0; !rc && top && i < PSN_TREE_FANOUT; i++) {
        struct psn_node *node = NULL;

        rc = find(store, (struct place){ table, 1, i }, &node, err);
        if (!rc && node)
            count += (uint64_t)__builtin_popcountll(node->bitmap);
    }
    if (!rc)
        *ret_count = count;
    return rc;
}
