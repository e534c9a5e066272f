#ifndef SUPPORT_RAW_VAULT_H
#define SUPPORT_RAW_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/secret.h"

/* A vault's file as somebody sees it who has its keys and does not ask passation: boxes
 * by SQL, plaintexts without a tag, and bytes. Needles: texts to look for, then NULL. */
struct raw_cell {
    char *key; /* table and key in hex; of a journal entry chain and number */
    uint8_t *box;
    size_t size;
};
struct raw_cells {
    struct raw_cell *items;
    size_t count;
};

struct raw_keys {
    struct psn_secret *items[16];
    size_t count;
};

struct raw_windows {
    const uint8_t **at;
    size_t count;
};

/* Every row and journal entry, the history not. */
void raw_read(const char *path, struct raw_cells *cells);
void raw_release(struct raw_cells *cells);
const struct raw_cell *raw_find(const struct raw_cells *cells, const char *key);
bool raw_is_same(const struct raw_cell *a, const struct raw_cell *b);

/* Keeps a copy of a key. */
void raw_keep_key(struct raw_keys *keys, const struct psn_secret *key);
void raw_release_keys(struct raw_keys *keys);

bool raw_tells(const uint8_t *bytes, size_t size, const char *const *needles);
/* How often a box opens to a needle under one of the keys, whatever its tag says. */
size_t raw_count_told(const struct raw_cells *cells, const struct raw_keys *keys,
                      const char *const *needles);

/* Any 24 bytes in a row of what is added. Sort it once all is added. */
void raw_add_windows(struct raw_windows *windows, const uint8_t *bytes, size_t size);
void raw_sort_windows(struct raw_windows *windows);
size_t raw_count_windows(const struct raw_windows *windows, const uint8_t *bytes,
                         size_t size);
/* Adds what `before` has and `after` has not, or not so; sorted. *ret_rows: how many of
 * them are rows that are not there at all. */
size_t raw_vanished(const struct raw_cells *before, const struct raw_cells *after,
                    struct raw_windows *windows, size_t *ret_rows);

/* The whole file behind a descriptor. Allocated. */
uint8_t *raw_read_descriptor(int fd, size_t *ret_size);

#endif
