#ifndef PSN_INTEROP_XML_TEXT_H
#define PSN_INTEROP_XML_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* True if the bytes are UTF-8 of characters that XML 1.0 can hold. */
bool psn_xml_can_hold(const char *bytes, size_t size);

/* Appends text that psn_xml_can_hold() as the content of an element or an attribute: it
 * comes back from a parser as it was, carriage returns included. */
void psn_xml_text(struct psn_buf *out, const char *bytes, size_t size);

/* Appends <name>text</name> and a line end. */
void psn_xml_element(struct psn_buf *out, const char *name, const char *text);

#endif
