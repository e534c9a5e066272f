#ifndef PSN_INTEROP_XML_PARSER_H
#define PSN_INTEROP_XML_PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include <expat.h>

#include "passation/error.h"

/*
 * expat, loaded with the first parser: only reading a KDBX file back and an import from
 * KeePass need it (docs/adr/0008). Who has a parser has these functions.
 */
struct psn_expat {
    __typeof__(XML_ParserCreate_MM) *parser_create;
    __typeof__(XML_ParserFree) *parser_free;
    __typeof__(XML_SetUserData) *set_user_data;
    __typeof__(XML_SetElementHandler) *set_element_handler;
    __typeof__(XML_SetCharacterDataHandler) *set_text_handler;
    __typeof__(XML_SetStartDoctypeDeclHandler) *set_doctype_handler;
    __typeof__(XML_SetProcessingInstructionHandler) *set_instruction_handler;
    __typeof__(XML_SetCommentHandler) *set_comment_handler;
    __typeof__(XML_Parse) *parse;
    __typeof__(XML_GetBuffer) *get_buffer;
    __typeof__(XML_ParseBuffer) *parse_buffer;
    __typeof__(XML_StopParser) *stop_parser;
    __typeof__(XML_GetErrorCode) *get_error_code;
    __typeof__(XML_GetCurrentLineNumber) *get_line;
    __typeof__(XML_GetCurrentByteIndex) *get_byte_index;
};
extern struct psn_expat psn_expat;

/* A parser of UTF-8 that wipes all memory it gives back. The caller calls parser_free().
 * E_UNEXPECTED without expat, E_NOMEM. */
PSN_MUST_CHECK enum psn_code psn_xml_parser_new(XML_Parser *ret_parser,
                                                struct psn_error *err);

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
