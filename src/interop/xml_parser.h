#ifndef PSN_INTEROP_XML_PARSER_H
#define PSN_INTEROP_XML_PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include <expat.h>

/* A parser of UTF-8 that wipes all memory it gives back; NULL without memory. The caller
 * calls XML_ParserFree(). */
XML_Parser psn_xml_parser_new(void);

/* Which elements there may be, by where they stand: what a node is called in a parent.
 * The numbers are the reader's own. */
struct psn_xml_row {
    unsigned parent;
    unsigned node;
    const char *name;
};

/* NULL: it has no place there. */
const struct psn_xml_row *psn_xml_find(const struct psn_xml_row *rows, size_t count,
                                       unsigned parent, const char *name);

/* How much of a document may be read before an element, a comment or whatever else has an
 * end: expat looks at an open one again from its beginning with each piece. */
enum {
    PSN_XML_TOKEN_MAX = 256 * 1024,
};

/* True if what is open after so many bytes is longer than that. */
bool psn_xml_is_too_long(XML_Parser parser, size_t fed);

#endif
