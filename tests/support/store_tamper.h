#ifndef SUPPORT_STORE_TAMPER_H
#define SUPPORT_STORE_TAMPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "store/store.h"
#include "support/store_fixture.h"

/*
 * Somebody with write access to the file changes it behind the store's back. Each change
 * must be found, as E_INTEGRITY, before a byte of what was changed is returned, or leave
 * everything that is read as it was. What the caller's seal (the root box) and the
 * caller's hash chain (the journal) must find is compared here with what was written.
 */
enum {
    TAMPER_ROWS = 60,  /* in table 1; the first 30 in table 2, under the same keys */
    TAMPER_SHARED = 6, /* rows 54 to 59 of table 1 lie in one bucket */
    TAMPER_GENERATIONS = 3,
};

struct tampered {
    struct store_fixture *at; /* at->other: older images, record1, node1, record2 ... */
    sqlite3 *raw;             /* the attacker's connection, or NULL */
    struct psn_store_row rows[3][TAMPER_ROWS];
    size_t counts[3];
    uint8_t root_box[STORE_FIXTURE_ROOT_SIZE];
};

/* cmocka's set-up and tear-down: a vault that was written three times. */
int tamper_set_up(void **state);
int tamper_tear_down(void **state);

/* The row as the vault holds it in that generation. */
void tamper_make_row(struct psn_store_row *row, unsigned table, uint64_t i,
                     uint64_t revision);

enum finding {
    FOUND,
    HARMLESS,
    WRONG
};

/* Opens the vault as its caller would. NULL: the damage was found on the way, as
 * *ret_finding says. */
struct psn_store *tamper_open(const struct tampered *it, enum finding *ret_finding);
enum finding tamper_read_row(const struct tampered *it, struct psn_store *store,
                             unsigned table, size_t i);
enum finding tamper_read_scan(const struct tampered *it, struct psn_store *store,
                              unsigned table);
/* Opens the vault and reads everything that can be read. */
enum finding tamper_examine(const struct tampered *it);
/* The row is refused, and so are the listing of its table and the check. */
bool tamper_is_refused(const struct tampered *it, unsigned table, size_t i);

/* Runs SQL on the attacker's connection. */
void tamper_sql(const struct tampered *it, const char *text);
/* The SQL that chooses a row: "tab = 1 AND key = x'...'". */
void tamper_where(const struct psn_store_row *row, unsigned table, char out[120]);
/* The text with `first` for each @ and `second` for each #. */
void tamper_expand(const char *text, const char *first, const char *second, char *out,
                   size_t size);
/* Remembers all rows and nodes, and puts them back. */
void tamper_save(const struct tampered *it);
void tamper_restore(const struct tampered *it);
void tamper_assert_intact(const struct tampered *it);
/* Closes the attacker's connection, all he did being in the main file. */
void tamper_close(struct tampered *it);

#endif
