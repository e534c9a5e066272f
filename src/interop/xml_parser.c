#include "interop/xml_parser.h"

#include <pthread.h>
#include <string.h>

#include "base/i18n.h"
#include "base/library.h"
#include "base/wiped.h"

struct psn_expat psn_expat;

static const struct psn_library_symbol symbols[] = {
    { "XML_ParserCreate_MM", offsetof(struct psn_expat, parser_create) },
    { "XML_ParserFree", offsetof(struct psn_expat, parser_free) },
    { "XML_SetUserData", offsetof(struct psn_expat, set_user_data) },
    { "XML_SetElementHandler", offsetof(struct psn_expat, set_element_handler) },
    { "XML_SetCharacterDataHandler", offsetof(struct psn_expat, set_text_handler) },
    { "XML_SetStartDoctypeDeclHandler", offsetof(struct psn_expat, set_doctype_handler) },
    { "XML_SetProcessingInstructionHandler",
      offsetof(struct psn_expat, set_instruction_handler) },
    { "XML_SetCommentHandler", offsetof(struct psn_expat, set_comment_handler) },
    { "XML_Parse", offsetof(struct psn_expat, parse) },
    { "XML_GetBuffer", offsetof(struct psn_expat, get_buffer) },
    { "XML_ParseBuffer", offsetof(struct psn_expat, parse_buffer) },
    { "XML_StopParser", offsetof(struct psn_expat, stop_parser) },
    { "XML_GetErrorCode", offsetof(struct psn_expat, get_error_code) },
    { "XML_GetCurrentLineNumber", offsetof(struct psn_expat, get_line) },
    { "XML_GetCurrentByteIndex", offsetof(struct psn_expat, get_byte_index) },
};

static enum psn_code load(struct psn_error *err)
{
    static const char *const names[] = {
#ifdef __APPLE__
        "libexpat.1.dylib",
#else
        "libexpat.so.1",
#endif
        NULL,
    };
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static bool is_loaded;
    enum psn_code rc = PSN_OK;

    (void)pthread_mutex_lock(&mutex);
    if (!is_loaded) {
        rc = psn_library_load(names, symbols, sizeof symbols / sizeof *symbols,
                              &psn_expat, err);
        is_loaded = rc == PSN_OK;
    }
    (void)pthread_mutex_unlock(&mutex);
    if (rc)
        return psn_hint(err, rc, _("install expat (Debian: apt install libexpat1)"));
    return PSN_OK;
}

enum psn_code psn_xml_parser_new(XML_Parser *ret_parser, struct psn_error *err)
{
    static const XML_Memory_Handling_Suite wiped = { psn_wiped_malloc, psn_wiped_realloc,
                                                     psn_wiped_free };
    XML_Parser parser;
    enum psn_code rc = load(err);

    if (rc)
        return rc;
    parser = psn_expat.parser_create("UTF-8", &wiped, NULL);
    if (!parser)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_parser = parser;
    return PSN_OK;
}

const struct psn_xml_row *psn_xml_find(const struct psn_xml_row *rows, size_t count,
                                       unsigned parent, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].parent == parent && strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

bool psn_xml_is_too_long(XML_Parser parser, size_t fed)
{
    XML_Index at = psn_expat.get_byte_index(parser);

    return at >= 0 && (size_t)at < fed && fed - (size_t)at > PSN_XML_TOKEN_MAX;
}
