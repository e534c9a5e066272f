#ifndef PSN_STORE_STORE_H
#define PSN_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "passation/error.h"

/*
 * Sealed rows in one SQLite file, under an authenticated state. The store sees bytes,
 * never keys, and knows nothing of what they mean.
 *
 * Rows. A row is (table, key, revision, clear, box). key is 16 to 40 bytes and begins
 * with the PRF of what the row is looked up by, so it tells nothing. `clear` is what must
 * be readable before unlocking (a slot's salt), `box` is sealed.
 *
 * State. Each table has a hash tree over all its rows: the first 18 bits of a key name
 * its bucket; a leaf is the hash of all rows of a bucket in key order; three levels of
 * nodes with 64 children each stand above the leaves. The roots of all tables' trees are
 * the state. It is the caller's to keep, sealed with the keys that the store does not
 * have, in the root box, which the store carries and rewrites with each commit.
 *
 *     psn_store_begin(store, PSN_STORE_WRITE, &root_box, err)
 *         the caller opens the root box and passes the roots in it on:
 *     psn_store_trust(store, roots)
 *     psn_store_get / next / put / delete …
 *     psn_store_roots(store, roots, err) what they are after the changes
 *     psn_store_commit(store, new_root_box, err)
 *
 * Every read checks the path from the bucket it uses up to the trusted root, absence
 * included; a scan checks every bucket of its range and that none is left out; every
 * write checks the old path before it replaces it. All within one SQLite transaction; in
 * a large one, that a bucket is empty is the tree's word until a row of it is written.
 * Anything that does not fit is E_INTEGRITY, before a byte of it is returned.
 *
 * Journal rows (chain, number, hash, box) are outside the trees: the caller's hash chain,
 * whose heads lie in the root box, protects them.
 */
struct psn_store;

enum {
    PSN_STORE_TABLES = 16,
    PSN_STORE_HASH_SIZE = 32,
    PSN_STORE_KEY_MIN = 16,
    PSN_STORE_KEY_MAX = 40,
    PSN_STORE_CHAIN_SIZE = 16,
    PSN_STORE_CLEAR_MAX = 4 * 1024, /* more is E_LIMIT */
    PSN_STORE_BOX_MAX = 128 * 1024,
};

/* The hash that the trees are made of, taken piece by piece. */
struct psn_store_part {
    const void *bytes;
    size_t size;
};
/* Between the calls for one hash; has_begun is false before the first one. */
struct psn_store_hash_state {
    bool has_begun;
    _Alignas(64) uint8_t bytes[384];
};
/* Takes the parts, one after the other, behind those of earlier calls; with ret_hash,
 * ends and gives the hash of all of them. Cannot fail. */
typedef void psn_store_hash_fn(struct psn_store_hash_state *state,
                               const struct psn_store_part *parts, size_t count,
                               uint8_t *ret_hash);

struct psn_store_roots {
    uint8_t hash[PSN_STORE_TABLES]
                [PSN_STORE_HASH_SIZE]; /* all zero: the table is empty */
};

struct psn_store_row {
    uint8_t key[PSN_STORE_KEY_MAX];
    size_t key_size;
    uint64_t revision;
    struct psn_buf clear;
    struct psn_buf box;
};
struct psn_store_row psn_store_row_init(void);
void psn_store_row_release(struct psn_store_row *row);

/* Creates the file (0600, never over an existing one: E_EXISTS) with its schema and an
 * empty state, and opens it. Until the first commit it holds no root box. */
PSN_MUST_CHECK enum psn_code psn_store_create(const char *path, psn_store_hash_fn *hash,
                                              struct psn_store **ret_store,
                                              struct psn_error *err);

/* Before anything else: one thread of the process uses SQLite, so it needs no locks for
 * its own memory. Without effect once it has started. */
void psn_store_alone(void);

/* Opens an existing file. E_NOT_FOUND; E_INTEGRITY if it is no vault, its schema is not
 * exactly the expected one (triggers, views, extra tables or columns), or SQLite finds it
 * malformed; E_TOO_NEW if a newer format wrote it; E_IO if it cannot be read. A file that
 * can be read but not written opens too: writing then fails with E_IO. */
PSN_MUST_CHECK enum psn_code psn_store_open(const char *path, psn_store_hash_fn *hash,
                                            struct psn_store **ret_store,
                                            struct psn_error *err);
/* The same for reading alone, without a trace in the file or beside it. For one that
 * nobody uses: E_BUSY if a log lies beside it. */
PSN_MUST_CHECK enum psn_code psn_store_open_still(const char *path,
                                                  psn_store_hash_fn *hash,
                                                  struct psn_store **ret_store,
                                                  struct psn_error *err);
/* Closing will leave the log as it is, and not give its blocks back to the disk: what is
 * in it is to be written over first. */
void psn_store_keep_log(struct psn_store *store);
/* Closing will take the log away, folded in, unless somebody else has the vault open. */
void psn_store_leave_no_log(struct psn_store *store);
/* Rolls back what is open and closes. NULL is fine. */
void psn_store_free(struct psn_store *store);
PSN_DEFINE_AUTO(psn_store)

enum psn_store_mode {
    PSN_STORE_READ,
    PSN_STORE_WRITE, /* BEGIN IMMEDIATE; waits up to 10 s for another writer: E_BUSY */
};

/* Begins a transaction and reads the root box (empty before the first commit). */
PSN_MUST_CHECK enum psn_code psn_store_begin(struct psn_store *store,
                                             enum psn_store_mode mode,
                                             struct psn_buf *ret_root_box,
                                             struct psn_error *err);
void psn_store_trust(struct psn_store *store, const struct psn_store_roots *roots);
/* What the roots are now. A write asks after its last change and seals the answer. */
PSN_MUST_CHECK enum psn_code psn_store_roots(struct psn_store *store,
                                             struct psn_store_roots *ret_roots,
                                             struct psn_error *err);

/* Ends a transaction; a write is durable (fsync) when this returns OK. A read passes
 * NULL. */
PSN_MUST_CHECK enum psn_code psn_store_commit(struct psn_store *store,
                                              const struct psn_buf *root_box,
                                              struct psn_error *err);
/* Forgets the changes. Harmless outside a transaction. */
void psn_store_rollback(struct psn_store *store);

/* Reads one row, if there is one: that there is none is as sure, it was checked. */
PSN_MUST_CHECK enum psn_code psn_store_find(struct psn_store *store, unsigned table,
                                            const uint8_t *key, size_t key_size,
                                            struct psn_store_row *row, bool *ret_found,
                                            struct psn_error *err);
/* The same; E_NOT_FOUND if there is none. */
PSN_MUST_CHECK enum psn_code psn_store_get(struct psn_store *store, unsigned table,
                                           const uint8_t *key, size_t key_size,
                                           struct psn_store_row *row,
                                           struct psn_error *err);

/* Puts a row. revision 1 inserts (E_EXISTS if the key is there); revision n > 1 replaces
 * revision n - 1 (E_CONFLICT if another one is there: somebody was faster). */
PSN_MUST_CHECK enum psn_code psn_store_put(struct psn_store *store, unsigned table,
                                           const struct psn_store_row *row,
                                           struct psn_error *err);

/* Puts a row of another vault of the same keys as it is, whatever its revision. E_EXISTS.
 */
PSN_MUST_CHECK enum psn_code psn_store_carry(struct psn_store *store, unsigned table,
                                             const struct psn_store_row *row,
                                             struct psn_error *err);

/* Deletes a row; E_NOT_FOUND. */
PSN_MUST_CHECK enum psn_code psn_store_delete(struct psn_store *store, unsigned table,
                                              const uint8_t *key, size_t key_size,
                                              struct psn_error *err);

/*
 * Walks the rows whose key begins with prefix (prefix_size 0: the whole table), in key
 * order, memory flat. Each row is checked before it is returned, and when the scan ends
 * with *ret_found false, that no row of the range was left out. The range is one
 * transaction's: no put or delete while a scan is open.
 */
struct psn_store_scan;
PSN_MUST_CHECK enum psn_code psn_store_scan_open(struct psn_store *store, unsigned table,
                                                 const uint8_t *prefix,
                                                 size_t prefix_size,
                                                 struct psn_store_scan **ret_scan,
                                                 struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_store_scan_next(struct psn_store_scan *scan,
                                                 struct psn_store_row *row,
                                                 bool *ret_found, struct psn_error *err);
void psn_store_scan_free(struct psn_store_scan *scan);
PSN_DEFINE_AUTO(psn_store_scan)

/*
 * The same for who has two processors: what is read together is a span. Reading is for
 * the thread that has the store; the rows of a span may be taken by another one, which
 * checks them as it goes. Use this or psn_store_scan_next(), not both.
 */
struct psn_store_span;
PSN_MUST_CHECK enum psn_code psn_store_span_new(const struct psn_store_scan *scan,
                                                struct psn_store_span **ret_span,
                                                struct psn_error *err);
/* NULL is fine. Before the scan is freed. */
void psn_store_span_free(struct psn_store_span *span);
PSN_DEFINE_AUTO(psn_store_span)
/* Reads on until the span has so many rows or bytes, or a bucket more, or the scan is
 * over. What was read before a failure may be taken. */
PSN_MUST_CHECK enum psn_code psn_store_scan_read(struct psn_store_scan *scan,
                                                 size_t rows_max, size_t bytes_max,
                                                 struct psn_store_span *span,
                                                 struct psn_error *err);
/* How many bytes the rows are that it has. */
size_t psn_store_span_size(const struct psn_store_span *span);
/* Has it read the last row, or failed? */
bool psn_store_scan_is_over(const struct psn_store_scan *scan);
/* As psn_store_scan_next(), of what was read. */
PSN_MUST_CHECK enum psn_code psn_store_span_next(struct psn_store_span *span,
                                                 struct psn_store_row *row,
                                                 bool *ret_found, struct psn_error *err);

/* Journal rows. */
struct psn_store_entry {
    uint64_t number; /* from 1 */
    uint8_t hash[PSN_STORE_HASH_SIZE];
    struct psn_buf box;
};
struct psn_store_entry psn_store_entry_init(void);
void psn_store_entry_release(struct psn_store_entry *entry);

PSN_MUST_CHECK enum psn_code psn_store_journal_append(
    struct psn_store *store, const uint8_t chain[PSN_STORE_CHAIN_SIZE],
    const struct psn_store_entry *entry, struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_store_journal_get(
    struct psn_store *store, const uint8_t chain[PSN_STORE_CHAIN_SIZE], uint64_t number,
    struct psn_store_entry *entry, struct psn_error *err);
/* Deletes a whole chain (destruction of a client). */
PSN_MUST_CHECK enum psn_code psn_store_journal_delete(
    struct psn_store *store, const uint8_t chain[PSN_STORE_CHAIN_SIZE],
    struct psn_error *err);
/* The number of rows in the journal table, all chains: what the heads must add up to. */
PSN_MUST_CHECK enum psn_code psn_store_journal_count(struct psn_store *store,
                                                     uint64_t *ret_count,
                                                     struct psn_error *err);

/* Does the name no longer lead to the file that is open? */
bool psn_store_has_moved(struct psn_store *store);
/* Of a new one: has the vault its name yet? */
bool psn_store_is_born(const struct psn_store *store);
/* Removes names that killed runs left a vault's file under beside its own: what is
 * replaced under the one would live on under the other. Only for who holds the operation
 * lock, since a restore gives such a name itself. */
void psn_store_drop_second_names(const char *path);

/* Checks everything without a key: SQLite's own check, and every row and node of every
 * tree against the trusted roots, stray nodes included. Inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_store_check(struct psn_store *store,
                                             struct psn_error *err);

/* The same, going on after what is damaged: each damaged part is told, and in how many
 * places. Fails only where looking itself fails. */
enum psn_store_damage {
    PSN_STORE_PAGES, /* SQLite's own structure */
    PSN_STORE_TABLE, /* rows that the state does not vouch for */
    PSN_STORE_STRAY, /* rows or nodes that belong to nothing */
};
typedef void psn_store_damage_fn(void *arg, enum psn_store_damage kind, unsigned table,
                                 uint64_t places, const struct psn_error *why);
PSN_MUST_CHECK enum psn_code psn_store_examine(struct psn_store *store,
                                               psn_store_damage_fn *each, void *arg,
                                               struct psn_error *err);
/* SQLite's own check alone, which needs no state: outside a transaction, too. */
PSN_MUST_CHECK enum psn_code psn_store_check_pages(struct psn_store *store,
                                                   struct psn_error *err);

/*
 * Writing a vault anew. The new one, a draft, grows under its own name beside the vault,
 * and takes its place when it is whole:
 *
 *     psn_store_create_draft(draft path) … one transaction … psn_store_commit
 *     psn_store_free on both, and whatever else must be closed
 *     psn_store_succeed(draft path, vault path, root box of the vault)
 *
 * Interrupted anywhere, the vault is the old one or the new one, and what is left of a
 * draft goes by psn_store_remove_draft().
 */
PSN_MUST_CHECK enum psn_code psn_store_create_draft(const char *path,
                                                    psn_store_hash_fn *hash,
                                                    struct psn_store **ret_store,
                                                    struct psn_error *err);
/* E_CONFLICT if the vault's root box is not `expected`: somebody wrote since it was
 * read. E_BUSY if another process has the vault open, after 10 s. *ret_done: the draft
 * has the vault's name now, even if making that durable then failed. ret_wiped NULL: the
 * old file's blocks go back to the disk as they are; else they are written over as soon
 * as the new name is durable, and it tells what became of them, which is no failure. */
struct psn_store_wiped {
    uint64_t file_bytes; /* written over, of the database */
    uint64_t log_bytes;  /* and of its WAL */
    bool is_shared;      /* the file has another name too, so its bytes were left alone */
    bool is_complete;    /* nothing is left of either */
};
PSN_MUST_CHECK enum psn_code psn_store_succeed(const char *draft, const char *path,
                                               const struct psn_buf *expected,
                                               bool *ret_done,
                                               struct psn_store_wiped *ret_wiped,
                                               struct psn_error *err);
/* OK if there is none. */
PSN_MUST_CHECK enum psn_code psn_store_remove_draft(const char *path,
                                                    struct psn_error *err);
/* How many bytes the vault's rows and its log take on the disk. */
uint64_t psn_store_size(const struct psn_store *store);

/* The number of rows in all tables, as the file has it. Inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_store_row_count(struct psn_store *store,
                                                 uint64_t *ret_count,
                                                 struct psn_error *err);

/* The expected schema's hash, which goes into the root box. */
void psn_store_schema_hash(psn_store_hash_fn *hash,
                           uint8_t ret_hash[PSN_STORE_HASH_SIZE]);

/* Writes a consistent copy to a new file (0600, fsync, whole or absent; E_EXISTS unless
 * replace), while others use the vault. Outside a transaction. check, unless it is NULL,
 * looks at the copy, or writes to it, before it has its name, and leaves no log. */
typedef enum psn_code psn_store_check_fn(void *arg, const char *copy,
                                         struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_store_copy(struct psn_store *store, const char *path,
                                            bool replace, psn_store_check_fn *check,
                                            void *arg, struct psn_error *err);
/* The same for a name that somebody gives: E_INVALID if it belongs to a vault's file. */
PSN_MUST_CHECK enum psn_code psn_store_copy_checked(struct psn_store *store,
                                                    const char *path, bool replace,
                                                    psn_store_check_fn *check, void *arg,
                                                    struct psn_error *err);

/* Holds the vault at path for as long as it is renamed: its log is in its file, which
 * nobody else has open (PSN_E_BUSY if somebody still has, after some seconds), and
 * whoever opens it in the meantime waits, and gets the new one. */
struct psn_store_hold;
PSN_MUST_CHECK enum psn_code psn_store_hold(const char *path,
                                            struct psn_store_hold **ret_hold,
                                            struct psn_error *err);
/* False: the file is no vault any more, nobody can use it, and its log lies beside it. */
bool psn_store_holds(const struct psn_store_hold *hold);
void psn_store_hold_free(struct psn_store_hold *hold);
PSN_DEFINE_AUTO(psn_store_hold)

#endif
