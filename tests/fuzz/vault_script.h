#ifndef PSN_TESTS_FUZZ_VAULT_SCRIPT_H
#define PSN_TESTS_FUZZ_VAULT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vault.h"

/*
 * An input as a list of changes to a vault's file. Every sequence of bytes is one: what
 * is chosen is taken modulo how much there is, and what is missing is zero. So a mutation
 * of the bytes is one of the structure: a box that is swapped, a row that comes back from
 * an older copy, a field of a sealed row.
 *
 * Changes are of three kinds, and are made in this order:
 *   - of rows, by SQL, by somebody without keys; text of SQL too;
 *   - of bytes of the file, by the same;
 *   - of plaintexts, sealed again under the vault's own keys, as an insider or another
 *     version of the program could. */
struct vault_row {
    unsigned table;
    uint8_t key[PSN_STORE_KEY_MAX];
    int key_size;
    int64_t revision;
    uint8_t *clear;
    int clear_size;
    uint8_t *box;
    int box_size;
};

struct vault_image {
    uint8_t *bytes; /* the file */
    size_t size;
    struct vault_row *rows;
    size_t count;
};

/* Reads a file and its rows; folds its log into it first. Aborts on failure. */
void vault_image_read(const char *path, struct vault_image *ret_image);
/* Copies a file. */
void vault_image_copy(const char *from, const char *to);
/* Puts the file back as it was, without a log. */
void vault_image_restore(const struct vault_image *image, const char *path);

struct vault_script {
    const uint8_t *at;
    size_t left;
    const struct vault_image *now; /* what the file is made from */
    const struct vault_image *old; /* an older copy of it */
    bool has_insider;              /* some change is made with keys */
};

/* What anybody can do who has the file. */
void vault_script_tamper(struct vault_script *script, const char *path);
/* What is left of the script, by somebody with keys; the vault is unlocked. */
void vault_script_edit(struct vault_script *script, struct psn_vault *vault,
                       const char *client);

#endif
