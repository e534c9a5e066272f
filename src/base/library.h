#ifndef PSN_BASE_LIBRARY_H
#define PSN_BASE_LIBRARY_H

#include <stddef.h>

#include "passation/error.h"

/*
 * Libraries that are loaded when first needed and stay until the process ends
 * (docs/adr/0008). What is needed of one is a table: a structure of pointers to
 * functions.
 */

/* A function of a library, and where in the table its pointer goes. */
struct psn_library_symbol {
    const char *name;
    size_t offset;
};

/* The first of the names, which end with NULL, that is there; NULL if none is. */
void *psn_library_open(const char *const *names);

/* Fills the table; returns the first name that is missing, or NULL. */
const char *psn_library_find(void *library, const struct psn_library_symbol *symbols,
                             size_t count, void *table);

/* Both. E_UNEXPECTED without the library or one of the functions; the table may then be
 * filled in part. */
PSN_MUST_CHECK enum psn_code psn_library_load(const char *const *names,
                                              const struct psn_library_symbol *symbols,
                                              size_t count, void *table,
                                              struct psn_error *err);

#endif
