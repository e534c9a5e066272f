#ifndef PSN_BASE_GROW_H
#define PSN_BASE_GROW_H

#include <stddef.h>

#include "passation/error.h"

/*
 * Room for one more item behind the count that are there. The list begins as NULL, grows
 * by this alone, one by one, and doubles where the count is a power of two. E_NOMEM; the
 * list is as it was then.
 *
 *     enum psn_code rc = PSN_GROW(list->items, list->count, err);
 *
 *     if (!rc)
 *         list->items[list->count++] = *item;
 *     return rc;
 */
#define PSN_GROW(items, count, err) \
    psn_grow(&(items), (count), sizeof(__typeof__(*(items))), (err))

PSN_MUST_CHECK enum psn_code psn_grow(void *items, size_t count, size_t size,
                                      struct psn_error *err);

/*
 * Room for count items, zeroed, where their number is known: that list does not grow. Not
 * NULL for none. E_NOMEM; the list is as it was then.
 *
 *     enum psn_code rc = PSN_ROOM(list->items, count, err);
 */
#define PSN_ROOM(items, count, err) \
    psn_room(&(items), (count), sizeof(__typeof__(*(items))), (err))

PSN_MUST_CHECK enum psn_code psn_room(void *items, size_t count, size_t size,
                                      struct psn_error *err);

#endif
