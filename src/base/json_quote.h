#ifndef PSN_BASE_JSON_QUOTE_H
#define PSN_BASE_JSON_QUOTE_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends the bytes as a JSON string (RFC 8259), quotes included. All that could move or
 * hide text (see psn_text_is_plain()) is escaped, so that JSON is as harmless to look at
 * as the rest of the output; bytes that are no UTF-8 become U+FFFD.
 */
void psn_json_quote(struct psn_buf *out, const char *bytes, size_t size);

#endif
