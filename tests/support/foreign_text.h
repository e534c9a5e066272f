#ifndef PSN_TESTS_FOREIGN_TEXT_H
#define PSN_TESTS_FOREIGN_TEXT_H

#include "base/buf.h"
#include "interop/foreign.h"

/* Entries as text: one line an entry, one letter a part, "!" before a field that is
 * secret. */

/* A psn_foreign_fn whose arg is the struct psn_buf. */
enum psn_code foreign_write_down(void *arg, const struct psn_foreign *entry,
                                 struct psn_error *err);

enum foreign_kind {
    FOREIGN_CSV,
    FOREIGN_XML,
    FOREIGN_JSON,
};

/* Reads a file's text; map is of a CSV file. */
enum psn_code foreign_read(enum foreign_kind kind, const char *text, size_t size,
                           const struct psn_csv_column *map, size_t map_count,
                           struct psn_buf *out, struct psn_error *err);

/* The test fails unless these are its entries. */
void foreign_expect(enum foreign_kind kind, const char *text, const char *wanted);

/* The test fails unless it is E_INVALID with this in the message. */
void foreign_refuse(enum foreign_kind kind, const char *text, const char *message);

#endif
