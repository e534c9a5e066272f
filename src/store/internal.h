#ifndef PSN_STORE_INTERNAL_H
#define PSN_STORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "passation/error.h"
#include "store/store.h"

/* What the files of this folder share. Nobody else includes it. */

enum {
    PSN_STORE_APPLICATION_ID = 0x50534e31, /* "PSN1" */
    PSN_STORE_FORMAT = 1,                  /* user_version */
    PSN_STORE_BUSY_MS = 10000,
    PSN_STORE_ROOT_MAX = 8 * 1024 * 1024,
    PSN_STORE_BUCKET_MAX = 64 * 1024 * 1024,
    /* What SQLite may take, all in all: its cache and a few rows are some MiB, but it
     * reads a key whole, however long somebody made it. */
    PSN_STORE_HEAP_MAX = 40 * 1024 * 1024,
    /* A connection that wrote and leaves a longer WAL behind empties it: whoever opens
     * the vault next reads and sums the whole of it. */
    PSN_STORE_WAL_KEPT_MAX = 448 * 1024,
    /* Changes of one transaction from which on rows wait: half as many as pages fit into
     * SQLite's cache of 2 MiB. */
    PSN_STORE_MANY_CHANGES = 250,
};

/*
 * Statements: one per row, prepared when first used, kept until the end.
 */
enum psn_sql {
    PSN_SQL_BEGIN_READ,
    PSN_SQL_BEGIN_WRITE,
    PSN_SQL_COMMIT,
    PSN_SQL_ROLLBACK,
    PSN_SQL_ROOT_GET,
    PSN_SQL_ROOT_PUT,
    PSN_SQL_NODE_GET,
    PSN_SQL_NODE_RANGE,
    PSN_SQL_NODE_INSERT,
    PSN_SQL_NODE_UPDATE,
    PSN_SQL_NODE_DELETE,
    PSN_SQL_ROW_RANGE,
    PSN_SQL_ROW_GET,
    PSN_SQL_ROW_INSERT,
    PSN_SQL_ROW_UPDATE,
    PSN_SQL_ROW_DELETE,
    PSN_SQL_JOURNAL_APPEND,
    PSN_SQL_JOURNAL_GET,
    PSN_SQL_JOURNAL_DELETE,
    PSN_SQL_JOURNAL_COUNT,
    PSN_SQL_ROOT_COUNT,
    PSN_SQL_NODE_COUNT,
    PSN_SQL_ROW_COUNT,
    PSN_SQL_END,
};

enum psn_store_state {
    PSN_STORE_IDLE,
    PSN_STORE_READING,
    PSN_STORE_WRITING,
};

struct psn_nodes;
struct psn_cache;
struct psn_waiting;

/* leaves.c: hashes of changed buckets that the tree's nodes do not have yet. */
struct psn_leaf {
    uint32_t place;                    /* 1 + table << 18 + bucket; 0: nothing is here */
    uint8_t hash[PSN_STORE_HASH_SIZE]; /* all zero: the bucket is empty now */
};
struct psn_leaves {
    struct psn_leaf *slots; /* NULL before the first one */
    size_t capacity;
    size_t count;
};

struct psn_tree_ahead {
    sqlite3_stmt *stmt;
    int64_t id; /* of its row; 0 before the first one, INT64_MAX behind the last */
};

struct psn_store {
    sqlite3 *db;
    char *path;   /* as the caller named it, for messages */
    char *file;   /* its folder resolved: what SQLite opens */
    char *unborn; /* where a new vault grows up to its first commit, or NULL */
    int claim;    /* on it, of psn_place_sibling(); -1: none */
    psn_store_hash_fn *hash;
    bool read_only;
    bool wrote;
    enum psn_store_state state;
    bool trusted;
    /* A step failed after it had changed something: only a rollback can follow. */
    enum psn_code spoiled;
    unsigned open_scans;
    uint64_t changes; /* rows that the transaction has changed so far */
    /* What was checked under the roots of a transaction carries its epoch. */
    uint64_t epoch;
    uint64_t epochs;      /* how many there were */
    uint64_t known_epoch; /* the last transaction's, if its checks still hold, or 0 */
    struct psn_store_roots known_roots;
    struct psn_store_roots roots;
    struct psn_nodes *nodes;      /* verified ones of this epoch, see tree.c */
    struct psn_tree_ahead *ahead; /* of the scan that asks, or NULL */
    struct psn_leaves leaves;     /* of the transaction in hand */
    struct psn_waiting *waiting;  /* its rows that SQLite does not have yet */
    struct psn_cache *cache;      /* buckets of this epoch, see cache.c */
    sqlite3_stmt *statements[PSN_SQL_END];
    struct psn_wal *wal; /* of this connection, see wal.c */
    bool has_wal_lock;
};

/* store.c */

/* Opens the connection to store->file and checks what it is. */
PSN_MUST_CHECK enum psn_code psn_store_connect(struct psn_store *store,
                                               struct psn_error *err);
/* Closes the connection; the handle stays. */
void psn_store_disconnect(struct psn_store *store);

/* wal.c */

/* From now on this connection, just opened, empties its log only while it keeps all
 * others from writing. A result code of SQLite. */
int psn_wal_watch(struct psn_store *store);
/* Empties the log, unless somebody is in the way: everything is durable where it is. */
void psn_wal_empty(struct psn_store *store);
/* The same, if the log has grown long. */
void psn_wal_tidy(struct psn_store *store);

/* transaction.c */

/* OK inside a transaction that is not spoiled. */
PSN_MUST_CHECK enum psn_code psn_store_usable(const struct psn_store *store,
                                              struct psn_error *err);
/* E_CONFLICT: another file has the vault's name now (psn_store_has_moved()). */
enum psn_code psn_store_fail_moved(const struct psn_store *store, struct psn_error *err);

/* sql.c */

/* Borrowed: the statement, reset and without bindings. */
PSN_MUST_CHECK enum psn_code psn_sql_get(struct psn_store *store, enum psn_sql which,
                                         sqlite3_stmt **ret_stmt, struct psn_error *err);
/* Owned: a statement of one's own with the same text. */
PSN_MUST_CHECK enum psn_code psn_sql_prepare(struct psn_store *store, enum psn_sql which,
                                             sqlite3_stmt **ret_stmt,
                                             struct psn_error *err);
void psn_sql_finalize_all(struct psn_store *store);
/* Steps a statement that returns no row, and resets it. */
PSN_MUST_CHECK enum psn_code psn_sql_run(struct psn_store *store, sqlite3_stmt *stmt,
                                         struct psn_error *err);
/* The same for a statement that must change exactly one row, or the file lies. Counts it
 * in store->changes. */
PSN_MUST_CHECK enum psn_code psn_sql_change_one(struct psn_store *store,
                                                sqlite3_stmt *stmt,
                                                struct psn_error *err);
/* The number that a SELECT count(*) returns. */
PSN_MUST_CHECK enum psn_code psn_sql_count(struct psn_store *store, enum psn_sql which,
                                           uint64_t *ret_count, struct psn_error *err);
/* Binds bytes that outlive the step. NULL with size 0 is an empty blob. */
int psn_sql_bind_blob(sqlite3_stmt *stmt, int column, const void *bytes, size_t size);

/* A larger cache, if there can be one. */
void psn_sql_make_room(struct psn_store *store);

/* Has another file the name of the one that is open? */
bool psn_sql_has_moved(sqlite3 *db);

/* Turns SQLite's result code into ours. name is the file concerned. */
enum psn_code psn_sql_fail(sqlite3 *db, const char *name, int status,
                           struct psn_error *err);
/* Says that the vault does not hold together. */
enum psn_code psn_store_damaged(const struct psn_store *store, struct psn_error *err);

/* schema.c */

/* Prepares a fresh connection for files that may be hostile. A result code of SQLite. */
int psn_schema_configure(sqlite3 *db);
PSN_MUST_CHECK enum psn_code psn_schema_create(struct psn_store *store,
                                               struct psn_error *err);
/* Checks that this is a vault, of a format that is known, with exactly our schema. */
PSN_MUST_CHECK enum psn_code psn_schema_check(struct psn_store *store,
                                              struct psn_error *err);
/* Sets WAL, synchronous and secure_delete, and reads them back. */
PSN_MUST_CHECK enum psn_code psn_schema_make_durable(struct psn_store *store,
                                                     struct psn_error *err);

/* tree.c */

enum {
    PSN_TREE_LEVELS = 3,
    PSN_TREE_FANOUT = 64,
    PSN_TREE_BUCKET_BITS = 18,
    PSN_TREE_BUCKETS = 1 << PSN_TREE_BUCKET_BITS,
};

PSN_MUST_CHECK enum psn_code psn_tree_new(struct psn_nodes **ret_nodes,
                                          struct psn_error *err);
void psn_tree_free(struct psn_nodes *nodes);
/* The bucket of a key of at least three bytes. */
uint32_t psn_tree_bucket_of(const uint8_t *key);
/* The trusted hash of a bucket; all zero if the bucket is empty. */
PSN_MUST_CHECK enum psn_code psn_tree_leaf(struct psn_store *store, unsigned table,
                                           uint32_t bucket,
                                           uint8_t ret_hash[PSN_STORE_HASH_SIZE],
                                           struct psn_error *err);
/* Replaces it; all zero empties the bucket. The path above follows with
 * psn_tree_settle(). */
PSN_MUST_CHECK enum psn_code psn_tree_set_leaf(struct psn_store *store, unsigned table,
                                               uint32_t bucket,
                                               const uint8_t hash[PSN_STORE_HASH_SIZE],
                                               struct psn_error *err);
/* Brings nodes and roots up to the leaves that were replaced. What fails half-way has
 * spoiled the transaction. */
PSN_MUST_CHECK enum psn_code psn_tree_settle(struct psn_store *store,
                                             struct psn_error *err);
/* The first bucket from `from` on that is not empty, or PSN_TREE_BUCKETS. */
PSN_MUST_CHECK enum psn_code psn_tree_next(struct psn_store *store, unsigned table,
                                           uint32_t from, uint32_t *ret_bucket,
                                           struct psn_error *err);
/* A table's lowest nodes as they lie in the file, for who looks for one bucket after the
 * other: psn_tree_next() takes them from store->ahead if it is set. They are checked as
 * others are. Whoever begins finalizes the statement. */
PSN_MUST_CHECK enum psn_code psn_tree_ahead_begin(struct psn_store *store, unsigned table,
                                                  struct psn_tree_ahead *ret_ahead,
                                                  struct psn_error *err);
/* How many nodes the table's tree consists of. */
PSN_MUST_CHECK enum psn_code psn_tree_count(struct psn_store *store, unsigned table,
                                            uint64_t *ret_count, struct psn_error *err);
bool psn_tree_is_zero(const uint8_t hash[PSN_STORE_HASH_SIZE]);

/* leaves.c */

void psn_leaves_release(struct psn_leaves *leaves);
void psn_leaves_clear(struct psn_leaves *leaves);
/* Borrowed: the changed hash of a bucket, or NULL. */
const uint8_t *psn_leaves_find(const struct psn_leaves *leaves, unsigned table,
                               uint32_t bucket);
PSN_MUST_CHECK enum psn_code psn_leaves_put(struct psn_leaves *leaves, unsigned table,
                                            uint32_t bucket,
                                            const uint8_t hash[PSN_STORE_HASH_SIZE],
                                            struct psn_error *err);
/* All of them by table and bucket, leaves->count at the beginning of the slots; after
 * that, or a failure, only clear and release. */
PSN_MUST_CHECK enum psn_code psn_leaves_sort(struct psn_leaves *leaves,
                                             struct psn_error *err);
static inline unsigned psn_leaf_table(const struct psn_leaf *leaf)
{
    return (leaf->place - 1) >> PSN_TREE_BUCKET_BITS;
}
static inline uint32_t psn_leaf_bucket(const struct psn_leaf *leaf)
{
    return (leaf->place - 1) & (PSN_TREE_BUCKETS - 1);
}

/* sort.c */

enum {
    PSN_SORT_BITS = 22, /* table and bucket, at the top of a number */
};

/* Sorts; quickly, if few are equal in these bits. scratch has room for as many. */
void psn_sort(uint64_t *numbers, size_t count, uint64_t *scratch);

/* row.c */

struct psn_row_view;
/* Has SQLite write a row that it does not have, or one that it has. */
PSN_MUST_CHECK enum psn_code psn_row_write(struct psn_store *store, unsigned table,
                                           const struct psn_row_view *row, bool replaces,
                                           struct psn_error *err);

/* waiting.c */

struct psn_bucket;
PSN_MUST_CHECK enum psn_code psn_waiting_new(struct psn_waiting **ret_waiting,
                                             struct psn_error *err);
void psn_waiting_free(struct psn_waiting *waiting);
/* Forgets all rows. */
void psn_waiting_clear(struct psn_waiting *waiting);
/* Is the transaction so large that its rows wait? */
bool psn_waiting_takes(const struct psn_store *store);
/* Keeps the row, in the form of a bucket's; *ret_taken false: SQLite is to write it.
 * replaces: SQLite has one of its key, or one waits. is_unseen: before it is written
 * SQLite is asked, psn_bucket_check_absent(). */
PSN_MUST_CHECK enum psn_code psn_waiting_add(struct psn_store *store, unsigned table,
                                             uint32_t bucket,
                                             const struct psn_store_part *row,
                                             bool replaces, bool is_unseen,
                                             bool *ret_taken, struct psn_error *err);
/* Does a row of the bucket wait? */
bool psn_waiting_has(const struct psn_store *store, unsigned table, uint32_t bucket);
/* Puts those that do into what SQLite has of the bucket. */
PSN_MUST_CHECK enum psn_code psn_waiting_overlay(const struct psn_store *store,
                                                 unsigned table, uint32_t bucket,
                                                 struct psn_bucket *rows,
                                                 struct psn_error *err);
/* Has SQLite write all of them: before anything else reads rows of it. What fails has
 * spoiled the transaction. */
PSN_MUST_CHECK enum psn_code psn_waiting_flush(struct psn_store *store,
                                               struct psn_error *err);

/* bucket.c */

/*
 * All rows of one bucket, each in the very form that is hashed: key size (2 bytes), key,
 * revision (8), size (4) and bytes of clear, size (4) and bytes of box; numbers
 * big-endian.
 */
struct psn_bucket {
    uint32_t count;
    uint32_t *starts; /* where each row begins, in the order of their keys */
    size_t capacity;  /* of starts */
    size_t bytes;     /* of these rows; there may be others, which are gone */
    size_t staged;    /* where the one begins that was made ready */
    struct psn_buf rows;
};

/* One row inside of it. Borrowed. */
struct psn_row_view {
    const uint8_t *bytes; /* all of it */
    size_t size;
    const uint8_t *key;
    size_t key_size;
    uint64_t revision;
    const uint8_t *clear;
    size_t clear_size;
    const uint8_t *box;
    size_t box_size;
    size_t index; /* its place among the rows */
};

/* The first key of a range of buckets, and the first behind it: 41 bytes, so that no key
 * of the last bucket is behind the end. */
struct psn_bucket_range {
    uint8_t low[3];
    uint8_t high[PSN_STORE_KEY_MAX + 1];
};

struct psn_bucket psn_bucket_init(void);
void psn_bucket_release(struct psn_bucket *bucket);
void psn_bucket_reset(struct psn_bucket *bucket);
/* Appends the row that the statement stands on; E_INTEGRITY if it cannot be ours. */
PSN_MUST_CHECK enum psn_code psn_bucket_collect(struct psn_store *store,
                                                struct psn_bucket *bucket,
                                                sqlite3_stmt *stmt,
                                                struct psn_error *err);
/* In memory, in bytes. */
size_t psn_bucket_memory(const struct psn_bucket *bucket);
/* The row at a place below count. */
void psn_bucket_row(const struct psn_bucket *bucket, size_t index,
                    struct psn_row_view *ret_view);
/* The leaf hash; all zero for an empty bucket. */
void psn_bucket_hash(const struct psn_store *store, unsigned table, uint32_t number,
                     const struct psn_bucket *bucket,
                     uint8_t ret_hash[PSN_STORE_HASH_SIZE]);
/* The same of so many rows, one behind the other in the order of their keys. */
void psn_bucket_hash_part(const struct psn_store *store, unsigned table, uint32_t number,
                          uint64_t count, const struct psn_store_part *rows,
                          uint8_t ret_hash[PSN_STORE_HASH_SIZE]);
/* The beginning of the leaf hash of a bucket of so many rows; then come their bytes. */
void psn_bucket_hash_begin(const struct psn_store *store, unsigned table, uint32_t number,
                           uint64_t count, struct psn_store_hash_state *ret_state);
/* Reads a whole bucket, with the rows that wait, and checks it against the tree; or, if
 * it is larger than size_max bytes, *ret_whole is false, and only its count is known,
 * unchecked. */
PSN_MUST_CHECK enum psn_code psn_bucket_load(struct psn_store *store, unsigned table,
                                             uint32_t number, size_t size_max,
                                             struct psn_bucket *bucket, bool *ret_whole,
                                             struct psn_error *err);
/* E_INTEGRITY if SQLite has a row of the bucket. */
PSN_MUST_CHECK enum psn_code psn_bucket_check_absent(struct psn_store *store,
                                                     unsigned table, uint32_t number,
                                                     struct psn_error *err);
/* The order of keys, which is SQLite's: below, at or above 0. */
int psn_row_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size);
/* Where the key is in the bucket, or would be: then *ret_found is false and the view has
 * nothing but its index. */
void psn_bucket_seek(const struct psn_bucket *bucket, const uint8_t *key, size_t key_size,
                     struct psn_row_view *ret_view, bool *ret_found);
/* Are these bytes of that form? */
bool psn_bucket_is_row(const uint8_t *bytes, size_t size);
/* What is told by bytes that are. Borrowed. */
void psn_bucket_view(const uint8_t *bytes, struct psn_row_view *ret_view);
/* Adds a row in that form, or puts it in the place of the one of its key. */
PSN_MUST_CHECK enum psn_code psn_bucket_put(struct psn_bucket *bucket,
                                            const uint8_t *bytes, struct psn_error *err);
/* Makes ready that the row comes in. What was borrowed from the bucket is over. */
PSN_MUST_CHECK enum psn_code psn_bucket_stage(struct psn_bucket *bucket,
                                              const struct psn_store_row *row,
                                              struct psn_error *err);
/* The row that was made ready comes before the one at index. */
void psn_bucket_insert(struct psn_bucket *bucket, size_t index);
void psn_bucket_remove(struct psn_bucket *bucket, size_t index);
PSN_MUST_CHECK enum psn_code psn_row_copy(const struct psn_row_view *view,
                                          struct psn_store_row *row,
                                          struct psn_error *err);
/* Binds (table, from the first key of bucket first, to the last key of bucket last);
 * range is filled, and outlives the steps. */
int psn_bucket_bind_range(sqlite3_stmt *stmt, unsigned table, uint32_t first,
                          uint32_t last, struct psn_bucket_range *range);

/* index.c */

enum {
    PSN_INDEX_DIGEST = 16
};
struct psn_index_slot;
/* The digests of a bucket's rows by their keys. */
struct psn_index {
    struct psn_index_slot *slots; /* NULL before the first one */
    size_t capacity;
    size_t count;
};
void psn_index_release(struct psn_index *index);
/* In memory, in bytes. */
size_t psn_index_size(const struct psn_index *index);
/* Room for one more row. */
PSN_MUST_CHECK enum psn_code psn_index_reserve(struct psn_index *index,
                                               struct psn_error *err);
/* Adds a row, for which there is room, or replaces the one of its key. */
void psn_index_put(const struct psn_store *store, struct psn_index *index,
                   const struct psn_row_view *view);
/* Removes a row that is there. */
void psn_index_remove(const struct psn_store *store, struct psn_index *index,
                      const uint8_t *key, size_t key_size);
bool psn_index_has(const struct psn_store *store, const struct psn_index *index,
                   const uint8_t *key, size_t key_size);
/* Is it this very row that is there? */
bool psn_index_matches(const struct psn_store *store, const struct psn_index *index,
                       const struct psn_row_view *view);

/* cache.c */

PSN_MUST_CHECK enum psn_code psn_cache_new(struct psn_cache **ret_cache,
                                           struct psn_error *err);
void psn_cache_free(struct psn_cache *cache);
/* Borrows the row as it is now, out of a bucket that was checked when it was read, until
 * the next call; *ret_found false: it is not there, which was checked as well; in a large
 * transaction perhaps against the tree alone. */
PSN_MUST_CHECK enum psn_code psn_cache_find(struct psn_store *store, unsigned table,
                                            const uint8_t *key, size_t key_size,
                                            struct psn_row_view *ret_view,
                                            bool *ret_found, struct psn_error *err);
/* Makes ready that the row that was just looked for becomes `row`, or goes (NULL). view
 * is what psn_cache_find() gave. Changes nothing that can be seen. */
PSN_MUST_CHECK enum psn_code psn_cache_stage(struct psn_store *store,
                                             const struct psn_row_view *view,
                                             const struct psn_store_row *row,
                                             struct psn_error *err);
/* The row that was made ready, in the form of a bucket's; NULL if SQLite has to write it
 * at once. Borrowed. */
const uint8_t *psn_cache_staged(const struct psn_store *store, size_t *ret_size);
/* Has SQLite still to be asked whether it has no row of the bucket, as the tree says? */
bool psn_cache_is_unseen(const struct psn_store *store);
/* The change is written, or waits: it counts. */
void psn_cache_apply(struct psn_store *store);
/* Brings the tree up to what was applied: before anything reads it but this cache. */
PSN_MUST_CHECK enum psn_code psn_cache_settle(struct psn_store *store,
                                              struct psn_error *err);
bool psn_cache_is_settled(const struct psn_store *store);

/* place.c */

/* path with its folder resolved, so that only its last part can be a link: SQLite
 * refuses links anywhere in a name, and homes behind a link are common. */
PSN_MUST_CHECK enum psn_code psn_place_resolve(const char *path, char **ret_file,
                                               struct psn_error *err);
/* file with a suffix, in a new string; NULL without memory. */
char *psn_place_beside(const char *file, const char *suffix);
/* Makes an empty file, 0600; E_EXISTS. */
PSN_MUST_CHECK enum psn_code psn_place_make(const char *file, struct psn_error *err);
/* The same under a random name beside file. *ret_claim is a descriptor that says that it
 * is in use: to be closed once it has its final name or is gone, and before SQLite opens
 * it under that name, whose locks it would take along. Others of file's that nobody
 * claims were left by a crash, and are removed. */
PSN_MUST_CHECK enum psn_code psn_place_sibling(const char *file, char **ret_sibling,
                                               int *ret_claim, struct psn_error *err);
void psn_place_unclaim(int *claim);
/* E_POLICY if a log, its index or a journal of that name is there that this user or the
 * file's owner did not make: a link, a pipe, a second name, somebody else's file. */
PSN_MUST_CHECK enum psn_code psn_place_check_beside(const char *file,
                                                    struct psn_error *err);
/* E_IO if somebody gave the file another name. Each name has a log of its own, so two
 * programs that know it by different ones would write over each other. */
PSN_MUST_CHECK enum psn_code psn_place_check_names(const char *file,
                                                   struct psn_error *err);
/* E_EXISTS if something of that name is there, or a WAL that would be taken for ours. */
PSN_MUST_CHECK enum psn_code psn_place_check_free(const char *file,
                                                  struct psn_error *err);
/* Gives a finished file its name (E_EXISTS), durably. */
PSN_MUST_CHECK enum psn_code psn_place_publish(const char *sibling, const char *file,
                                               struct psn_error *err);
/* Removes a database and what SQLite puts beside it. */
void psn_place_remove(const char *file);
/* Removes only what lies beside it. */
void psn_place_remove_beside(const char *file);
/* The same, and fails if something still does. */
PSN_MUST_CHECK enum psn_code psn_place_clear_beside(const char *file,
                                                    struct psn_error *err);
/* E_IO if what was written is still in its log. */
PSN_MUST_CHECK enum psn_code psn_place_check_closed(const char *file,
                                                    struct psn_error *err);
/* True if there is a WAL with something in it. */
bool psn_place_has_wal(const char *file);

/* remains.c */

/* A file that is about to lose its name, held open. */
struct psn_remains {
    int fd;         /* -1: there is none */
    bool is_shared; /* it has another name, which is not ours to spoil */
};
struct psn_remains psn_remains_init(void);
void psn_remains_release(struct psn_remains *remains);
/* Holds the file, if there is one. */
PSN_MUST_CHECK enum psn_code psn_remains_hold(const char *file,
                                              struct psn_remains *ret_remains,
                                              struct psn_error *err);
/* Writes random bytes over all of it, durably, if no name leads to it any more. True if
 * there is nothing left to be read, also if there was no file. *ret_bytes: how many. */
bool psn_remains_overwrite(struct psn_remains *remains, uint64_t *ret_bytes);

#endif
