#ifndef PSN_CORE_VAULT_H
#define PSN_CORE_VAULT_H

#include "base/auto.h"
#include "base/buf.h"
#include "base/file.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "net/http.h"
#include "net/imap.h"
#include "passation/client.h"
#include "passation/role.h"
#include "passation/vault.h"
#include "store/store.h"

/*
 * Inside the vault: keys, transactions, sealed rows. Every other file of core/ stands on
 * this one and on nothing lower, so that no row is read or written past the checks made
 * here.
 */

/* Tables of the store. The numbers are part of the format. */
enum psn_table {
    PSN_TABLE_ACCESS = 0, /* what a sweep found */
    PSN_TABLE_SLOT = 1,
    PSN_TABLE_PERSON = 2,
    PSN_TABLE_CLIENT = 3,
    PSN_TABLE_DOMAIN = 4,
    PSN_TABLE_CREDENTIAL = 5,
    PSN_TABLE_ROLE = 6,
    PSN_TABLE_SECRET = 7,
    PSN_TABLE_VERSION = 8,
    PSN_TABLE_EXPOSURE = 9,
    PSN_TABLE_CHAIN = 10,   /* the head of each client's journal chain */
    PSN_TABLE_OWN_KEY = 11, /* the vault's signing key and age identity */
    PSN_TABLE_GRANT = 12,
    PSN_TABLE_ISSUE = 13,
    PSN_TABLE_TRUST = 14,    /* issuers that are trusted, and roles received from them */
    PSN_TABLE_RECEIVED = 15, /* the signed documents of those roles */
};

enum {
    PSN_SLOTS_MAX = 32,
    PSN_SLOT_WRAP_SIZE = 104, /* a box of a 32-byte key */
};

/* A slot as it stands in clear before the sealed state: what unlocking needs, and the
 * root key wrapped. Whose it is stands in a sealed row. */
struct psn_slot_head {
    uint8_t id[PSN_SLOT_ID_SIZE];
    enum psn_slot_kind kind;
    struct psn_kdf_cost cost; /* of a passphrase; else zero */
    uint8_t salt[PSN_SALT_SIZE];
    uint8_t wrap[PSN_SLOT_WRAP_SIZE];
};

/* What the root box holds: the slots in clear, and the whole state, sealed, in a few
 * bytes. */
struct psn_state {
    size_t slot_count;
    struct psn_slot_head slots[PSN_SLOTS_MAX];
    uint64_t generation;      /* one more with each commit */
    uint64_t journal_entries; /* rows of all chains together, history not counted */
    uint64_t vault_count;     /* of the vault's own chain */
    uint8_t vault_head[PSN_STORE_HASH_SIZE];
    uint8_t history[PSN_STORE_HASH_SIZE]; /* hash chain over all states so far */
    struct psn_store_roots roots;
};

/* What is remembered of a state outside of the vault, see seen.c. */
struct psn_seen_state {
    uint64_t generation;
    uint64_t entries;
    uint8_t history[PSN_STORE_HASH_SIZE];
};

/* The head of a client's chain, as the transaction in hand has left it: chain.c. */
struct psn_chain_noted {
    char client[PSN_CLIENT_ID_MAX]; /* "": nothing waits to be written */
    uint8_t id[PSN_STORE_CHAIN_SIZE];
    uint8_t name[PSN_STORE_CHAIN_SIZE];
    uint64_t count;
    uint8_t head[PSN_STORE_HASH_SIZE];
    uint64_t revision; /* of the row as it is in the file; 0: none yet */
};

/* What a vault is used with; real ones by default, tests put their own. */
struct psn_world {
    struct psn_http http; /* perform NULL: the real one, made at the first call */
    struct psn_imap imap;
    int64_t (*now_s)(void);
    int64_t (*boot_ms)(void);
    void (*sleep_ms)(int64_t);
};

enum {
    PSN_TABLE_COUNT = (int)PSN_STORE_TABLES,
    PSN_KEY_ID_SIZE = 8,
    PSN_PRF_SIZE = 16,
    PSN_LOOK_UP_MAX = 128, /* longer ones are not remembered */
    PSN_PRFS_KNOWN = 4,    /* of each table */
    PSN_ROOT_BOX_MAX = 16 * 1024,
};

struct psn_person;
struct psn_role_row;

struct psn_vault {
    char *path;
    char *state_dir; /* NULL: no rollback record */
    char *ca_file;
    struct psn_store *store;
    uint8_t id[PSN_VAULT_ID_SIZE];
    struct psn_file_lock op_lock; /* held by runs that talk to OVH, and by restore */
    unsigned op_holds;            /* how often it was taken here */
    struct psn_world world;
    struct psn_http_client *http_client;
    struct psn_key_rate *rates; /* core/key_rate.h */

    /* unlocked from here on */
    struct psn_secret *root_key;
    struct psn_secret *state_key;
    struct psn_secret *rows_key;
    struct psn_secret *wrap_key;
    struct psn_secret *journal_key;
    struct psn_secret *index_master;
    struct psn_secret *index_keys[PSN_TABLE_COUNT]; /* made when first used */
    uint8_t key_id[PSN_KEY_ID_SIZE];
    uint8_t slot[PSN_SLOT_ID_SIZE];
    char actor[PSN_PERSON_ID_MAX];
    enum psn_seen seen;
    struct psn_seen_state noted;
    bool is_noted; /* and not written yet */
    /* why an older copy was not, or will not be, recognised here; code OK: no reason */
    struct psn_error seen_why;
    int64_t noted_ms;

    /* the one open transaction */
    bool in_transaction;
    bool writing;
    bool examined; /* opened to be examined: read only, whatever state it is in */
    struct psn_state state;
    struct psn_chain_noted noted_chain;
    /* Of what hangs on this mailbox nobody but the actor has seen anything, as the
     * transaction in hand has found: exposure.c. "": not known. */
    char seen_by_actor_alone[PSN_ADDRESS_TEXT_MAX];

    /* the mailbox that the transaction in hand has read last: role_row.c */
    struct psn_role_row *role; /* NULL: no room yet */
    bool is_role_known;

    /* the PRFs of each table that were asked for last: what is written in a row has its
     * address, its label or who has seen it in common with the rows before it; keys.c */
    struct psn_prf_known {
        uint64_t used; /* when, on prf_clock; 0: nothing is known yet */
        char text[PSN_LOOK_UP_MAX];
        uint8_t prf[PSN_PRF_SIZE];
    } prfs[PSN_TABLE_COUNT][PSN_PRFS_KNOWN];
    uint64_t prf_clock;

    /* everybody, as last listed, and the root of the table then: person_list.c */
    struct psn_people_known {
        struct psn_person *items; /* NULL: not known */
        size_t count;
        uint8_t root[PSN_STORE_HASH_SIZE];
    } people;

    /* the last client's data key: most commands stay with one client */
    char client_key_id[PSN_PERSON_ID_MAX];
    struct psn_secret *client_key;
};
PSN_DEFINE_AUTO(psn_vault)

/* To be examined, of a file that nobody else uses or is held: nothing of it is locked or
 * written. E_BUSY if a log lies beside it. */
PSN_MUST_CHECK enum psn_code psn_vault_open_still(const char *path,
                                                  struct psn_vault **ret_vault,
                                                  struct psn_error *err);

/* The store's hash: BLAKE2b-256. */
psn_store_hash_fn psn_vault_store_hash;

/* --- keys --- */

/* Derives all sub-keys of the root key, which is taken over. */
PSN_MUST_CHECK enum psn_code psn_vault_take_root_key(struct psn_vault *vault,
                                                     struct psn_secret **root_key,
                                                     struct psn_error *err);
void psn_vault_forget_keys(struct psn_vault *vault);
PSN_MUST_CHECK enum psn_code psn_vault_require_unlocked(const struct psn_vault *vault,
                                                        struct psn_error *err);

/* PRF of a look-up value under a table's index key: the first 16 bytes of a row's key. */
PSN_MUST_CHECK enum psn_code psn_vault_prf(struct psn_vault *vault, enum psn_table table,
                                           const char *text,
                                           uint8_t ret_prf[PSN_PRF_SIZE],
                                           struct psn_error *err);

/* --- transactions --- */

/* E_LOCKED if locked. Reads and checks the state. Nothing else of core/ calls the store's
 * begin and commit. */
PSN_MUST_CHECK enum psn_code psn_vault_begin(struct psn_vault *vault,
                                             enum psn_store_mode mode,
                                             struct psn_error *err);
/* The same, and hands out the root box as it lies in the file. */
PSN_MUST_CHECK enum psn_code psn_vault_begin_box(struct psn_vault *vault,
                                                 enum psn_store_mode mode,
                                                 struct psn_buf *root_box,
                                                 struct psn_error *err);
/* Ends a transaction: with rc OK commits a write (durable on return), else rolls back.
 * Returns rc, or why the commit failed. The idiom:
 *
 *     rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
 *     if (rc)
 *         return rc;
 *     return psn_vault_end(vault, change(vault, …, err), err);
 */
PSN_MUST_CHECK enum psn_code psn_vault_end(struct psn_vault *vault, enum psn_code rc,
                                           struct psn_error *err);

/* A handle without a file yet. */
PSN_MUST_CHECK enum psn_code psn_vault_new(const struct psn_vault_options *options,
                                           struct psn_vault **ret_vault,
                                           struct psn_error *err);

/* Seals the first state of a new store. */
PSN_MUST_CHECK enum psn_code psn_vault_found(struct psn_vault *vault,
                                             struct psn_error *err);

/* --- sealed rows --- */

struct psn_row_key {
    uint8_t bytes[PSN_STORE_KEY_MAX];
    size_t size;
};

/* Starts a key with the PRF of text; parts are appended with the two below. */
PSN_MUST_CHECK enum psn_code psn_row_key_init(struct psn_vault *vault,
                                              enum psn_table table, const char *text,
                                              struct psn_row_key *ret_key,
                                              struct psn_error *err);
/* Appends the first size bytes of the PRF of text. */
PSN_MUST_CHECK enum psn_code psn_row_key_add_prf(struct psn_vault *vault,
                                                 enum psn_table table, const char *text,
                                                 size_t size, struct psn_row_key *key,
                                                 struct psn_error *err);
void psn_row_key_add_number(struct psn_row_key *key, uint64_t number);

/* Reads a row and opens its box with `key` (the rows key or a client's) into plain.
 * *ret_revision is what a put must follow. */
PSN_MUST_CHECK enum psn_code psn_row_get(struct psn_vault *vault, enum psn_table table,
                                         const struct psn_row_key *row_key,
                                         const struct psn_secret *key,
                                         struct psn_buf *plain, uint64_t *ret_revision,
                                         struct psn_error *err);
/* The same, but that there is none is no error: *ret_revision is 0. */
PSN_MUST_CHECK enum psn_code psn_row_find(struct psn_vault *vault, enum psn_table table,
                                          const struct psn_row_key *row_key,
                                          const struct psn_secret *key,
                                          struct psn_buf *plain, uint64_t *ret_revision,
                                          struct psn_error *err);
/* As psn_row_get(), into locked memory, for rows that hold a secret. */
PSN_MUST_CHECK enum psn_code psn_row_get_secret(
    struct psn_vault *vault, enum psn_table table, const struct psn_row_key *row_key,
    const struct psn_secret *key, struct psn_secret **ret_plain, uint64_t *ret_revision,
    struct psn_error *err);
/* Opens a row that a scan returned. */
PSN_MUST_CHECK enum psn_code psn_row_open(struct psn_vault *vault, enum psn_table table,
                                          const struct psn_store_row *row,
                                          const struct psn_secret *key,
                                          struct psn_buf *plain, struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_row_open_secret(
    struct psn_vault *vault, enum psn_table table, const struct psn_store_row *row,
    const struct psn_secret *key, struct psn_secret **ret_plain, struct psn_error *err);
/* Seals and puts a row; revision 1 inserts, n replaces n - 1. */
PSN_MUST_CHECK enum psn_code psn_row_put(struct psn_vault *vault, enum psn_table table,
                                         const struct psn_row_key *row_key,
                                         uint64_t revision, const struct psn_secret *key,
                                         const void *plain, size_t plain_size,
                                         struct psn_error *err);

/* The root of a table's tree: the same as long as no row of it is another one. */
PSN_MUST_CHECK enum psn_code psn_row_root(struct psn_vault *vault, enum psn_table table,
                                          uint8_t ret_root[PSN_STORE_HASH_SIZE],
                                          struct psn_error *err);

/* Adds to a failed look at a row what can be done about it; returns rc. */
enum psn_code psn_row_explain(enum psn_code rc, struct psn_error *err);

/* Calls each for the opened rows under a prefix of a table, in key order; with a key of
 * NULL they stay shut. The next ones may be read meanwhile. */
typedef enum psn_code psn_row_fn(void *arg, const struct psn_store_row *row,
                                 const struct psn_buf *plain, struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_row_each(struct psn_vault *vault, enum psn_table table,
                                          const struct psn_row_key *prefix,
                                          const struct psn_secret *key, psn_row_fn *each,
                                          void *arg, struct psn_error *err);
/* Deletes every row under a prefix. */
PSN_MUST_CHECK enum psn_code psn_row_delete_all(struct psn_vault *vault,
                                                enum psn_table table,
                                                const struct psn_row_key *prefix,
                                                struct psn_error *err);

/* --- the operation lock --- */

/* Held by runs that talk to OVH; E_BUSY names the holder. Who has it may take it again,
 * and releases it as often. Released by psn_vault_free too. */
PSN_MUST_CHECK enum psn_code psn_vault_lock_operation(struct psn_vault *vault,
                                                      const char *what,
                                                      struct psn_error *err);
void psn_vault_unlock_operation(struct psn_vault *vault);

/* Tests only through this: another world than the real one. */
void psn_vault_set_world(struct psn_vault *vault, const struct psn_world *world);
/* The HTTP port, made at the first use. */
PSN_MUST_CHECK enum psn_code psn_vault_http(struct psn_vault *vault,
                                            struct psn_http *ret_http,
                                            struct psn_error *err);

#endif
