#ifndef PSN_INTEROP_CHARACTERS_H
#define PSN_INTEROP_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stream.h"
#include "passation/foreign.h"

/* A source byte by byte, with the line that it is in; what was read is wiped. */
struct psn_characters {
    const struct psn_source *source;
    struct psn_error *err;
    enum psn_code rc; /* of the first failure of the source; else OK */
    size_t line;      /* of the next byte, from 1 */
    size_t at;
    size_t size;
    size_t total;
    bool ended;
    uint8_t window[16 * 1024];
};

enum {
    PSN_NO_CHARACTER = -1, /* the end, or a failure */
};

void psn_characters_begin(struct psn_characters *characters,
                          const struct psn_source *source, struct psn_error *err);
void psn_characters_release(struct psn_characters *characters);

int psn_characters_peek(struct psn_characters *characters);
int psn_characters_next(struct psn_characters *characters);
/* Passes over a byte order mark at the beginning. */
void psn_characters_skip_mark(struct psn_characters *characters);

/* As iconv(1) calls the UTF-16 that it begins as: by its byte order mark, or by a NUL in
 * one of the first two bytes, where a column's name has a letter; or NULL. Asked before
 * anything is read. */
const char *psn_characters_utf16(struct psn_characters *characters);

/* E_INVALID: "line N: why", or the source's failure. */
PSN_MUST_CHECK enum psn_code psn_characters_refuse(struct psn_characters *characters,
                                                   size_t line, const char *why);

#endif
