#ifndef PSN_INTEROP_XML_PARSER_H
#define PSN_INTEROP_XML_PARSER_H

#include <expat.h>

/* A parser of UTF-8 that wipes all memory it gives back; NULL without memory. The caller
 * calls XML_ParserFree(). */
XML_Parser psn_xml_parser_new(void);

#endif
