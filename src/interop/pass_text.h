#ifndef PSN_INTEROP_PASS_TEXT_H
#define PSN_INTEROP_PASS_TEXT_H

#include "base/buf.h"
#include "interop/entry.h"

/* Appends the entry as pass and passage keep one, so that psn_foreign_read_text() finds
 * the same; title: where the file's name cannot be it, else NULL. out should be wiped. */
void psn_pass_text_write(const struct psn_entry *entry, const char *title,
                         struct psn_buf *out);

#endif
