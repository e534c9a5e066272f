#ifndef SUPPORT_STORE_FIXTURE_H
#define SUPPORT_STORE_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "store/store.h"

/* A folder with a vault's place in it, and a caller as simple as can be: its root box is
 * the generation (8 bytes) and the roots, in clear. */
struct store_fixture {
    char dir[256];
    char path[280];  /* the vault */
    char other[280]; /* room for a second file */
};

enum {
    STORE_FIXTURE_ROOT_SIZE = 8 + PSN_STORE_TABLES * PSN_STORE_HASH_SIZE
};

/* cmocka's set-up and tear-down; *state is a struct store_fixture. */
int store_fixture_set_up(void **state);
int store_fixture_tear_down(void **state);

/* BLAKE2b-256. */
void store_fixture_hash(struct psn_store_hash_state *state,
                        const struct psn_store_part *parts, size_t count,
                        uint8_t *ret_hash);

/* A key of 24 bytes that looks random and depends on the seed alone. */
void store_fixture_key(uint64_t seed, uint8_t ret_key[24]);

/* A row with that key, a clear of seed % 40 bytes and a box of 64 + seed % 200. */
void store_fixture_row(uint64_t seed, uint64_t revision, struct psn_store_row *row);

/* Begins and trusts what the root box says. generation may be NULL. */
enum psn_code store_fixture_begin(struct psn_store *store, enum psn_store_mode mode,
                                  uint64_t *generation, struct psn_error *err);
enum psn_code store_fixture_commit(struct psn_store *store, uint64_t generation,
                                   struct psn_error *err);

/* The same in one word each, for tests in which they succeed. */
struct psn_store *store_fixture_open(const char *path);
void must_begin(struct psn_store *store, enum psn_store_mode mode);
void must_commit(struct psn_store *store, uint64_t generation);
void must_put(struct psn_store *store, unsigned table, uint64_t seed, uint64_t revision);

/* Looks the seed's row up; the code, which err agrees with. */
enum psn_code look_up(struct psn_store *store, unsigned table, uint64_t seed,
                      struct psn_store_row *row);
void assert_store_rows_equal(const struct psn_store_row *a,
                             const struct psn_store_row *b);
void assert_store_row(struct psn_store *store, unsigned table, uint64_t seed,
                      uint64_t revision);

/* What stands for a bucket's leaf where only the nodes matter; never zero. */
void store_fixture_leaf(uint32_t bucket, uint8_t *ret_hash);

/* How many files a folder holds, and a name beside the vault's (static). */
unsigned count_files(const char *path);
const char *beside_vault(const struct store_fixture *at, const char *suffix);

/* Makes a vault of generation 1 with rows first … first + count - 1 in table. */
void store_fixture_make(const char *path, unsigned table, uint64_t first, uint64_t count);

/* How many rows of the table match their seeds 0 … count - 1 in the given revision. */
uint64_t store_fixture_count_rows(struct psn_store *store, unsigned table);

/* Copies, reads and overwrites files without any care. */
void store_fixture_copy_file(const char *from, const char *to);
/* The same; what lies beside `to` goes. */
void store_fixture_copy_vault(const char *from, const char *to);
/* Allocated. */
uint8_t *store_fixture_read_file(const char *path, size_t *ret_size);
void store_fixture_write_file(const char *path, const void *bytes, size_t size);

/* Runs SQL on a file behind the store's back; the schema may be written too. */
void store_fixture_sql(const char *path, const char *sql);
/* The same, telling whether SQLite took it. */
int store_fixture_try_sql(const char *path, const char *sql);

#endif
