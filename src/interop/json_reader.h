#ifndef PSN_INTEROP_JSON_READER_H
#define PSN_INTEROP_JSON_READER_H

#include "interop/characters.h"

/*
 * JSON (RFC 8259) piece by piece, in memory that does not grow with the document and is
 * wiped:
 *
 *     while ((token = psn_json_next(&reader)) == PSN_JSON_NAME) …
 */
enum psn_json_token {
    PSN_JSON_FAILED, /* reader.rc says why */
    PSN_JSON_END,    /* of the document */
    PSN_JSON_OBJECT,
    PSN_JSON_OBJECT_END,
    PSN_JSON_ARRAY,
    PSN_JSON_ARRAY_END,
    PSN_JSON_NAME,   /* of a member, in reader.text */
    PSN_JSON_STRING, /* in reader.text */
    PSN_JSON_NUMBER, /* as it is written, in reader.text */
    PSN_JSON_TRUE,
    PSN_JSON_FALSE,
    PSN_JSON_NULL,
};

enum {
    PSN_JSON_DEPTH = 32,
};

struct psn_json_reader {
    struct psn_characters characters;
    struct psn_buf text; /* of the name, string or number that was told last */
    enum psn_code rc;
    size_t depth;
    char open[PSN_JSON_DEPTH];
    bool wants_value; /* the document's, or behind a name or a comma */
    bool is_first;    /* of its object or array */
};

/* text_max: of one string, in bytes. */
void psn_json_reader_begin(struct psn_json_reader *reader,
                           const struct psn_source *source, size_t text_max,
                           struct psn_error *err);
void psn_json_reader_release(struct psn_json_reader *reader);

enum psn_json_token psn_json_next(struct psn_json_reader *reader);
/* Passes over the rest of a value that begins with the token. */
void psn_json_skip(struct psn_json_reader *reader, enum psn_json_token token);
/* True if the text that was told last is this name. */
bool psn_json_is(const struct psn_json_reader *reader, const char *name);
/* E_INVALID with the line; the reader is of no more use. */
void psn_json_refuse(struct psn_json_reader *reader, const char *why);

#endif
