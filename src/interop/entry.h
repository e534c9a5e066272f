#ifndef PSN_INTEROP_ENTRY_H
#define PSN_INTEROP_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "passation/entry.h"

/* What every form of entries needs to know about them. */

/* The text, or "". */
static inline const char *psn_entry_text(const char *text)
{
    return text ? text : "";
}

static inline bool psn_entry_has(const char *text)
{
    return text && text[0];
}

/* E_INVALID, with the entry's title, unless all of it can be written: see psn_entry. */
PSN_MUST_CHECK enum psn_code psn_entries_check(const struct psn_entry *entries,
                                               size_t count, struct psn_error *err);

/* The entries by group, those without one first, else in their order. The caller calls
 * free() on the list. */
PSN_MUST_CHECK enum psn_code psn_entries_sorted(const struct psn_entry *entries,
                                                size_t count,
                                                const struct psn_entry ***ret_list,
                                                struct psn_error *err);

/* True if there is a password, and it can stand as text in XML and JSON alike. */
bool psn_entry_password_is_text(const struct psn_entry *entry);

/* True if there is one that cannot. */
bool psn_entry_password_is_bytes(const struct psn_entry *entry);

/* Appends the password in Base64; out should be wiped. */
void psn_entry_put_base64(const struct psn_entry *entry, struct psn_buf *out);

#endif
