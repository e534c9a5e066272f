#ifndef PSN_AGE_HEADER_H
#define PSN_AGE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "passation/error.h"

/* The textual header of an age file: a version line, stanzas, a MAC. */
enum {
    PSN_AGE_HEADER_MAX = 64 * 1024, /* some 500 recipients */
    PSN_AGE_MAC_SIZE = 32,
    PSN_AGE_ARGS_MAX = 3, /* no stanza that is read here has more */
    PSN_AGE_WRAPPED_SIZE = 32, /* a file key of 16 bytes and its tag */
};

struct psn_age_span {
    const char *at;
    size_t size;
};

/* One stanza. What is beyond the arrays is counted, not kept: no stanza that is opened
 * here is that long. */
struct psn_age_stanza {
    struct psn_age_span args[PSN_AGE_ARGS_MAX];
    size_t arg_count;
    uint8_t body[48];
    size_t body_size;
};

/* Borrows the text that was parsed. */
struct psn_age_header {
    const char *text;
    size_t stanzas_at;  /* where the first "->" stands */
    size_t mac_at;      /* where "---" stands: the MAC covers all up to its end */
    uint8_t mac[PSN_AGE_MAC_SIZE];
};

/* Parses a whole header, "age-encryption.org/v1" to the end of the MAC line, and holds it
 * to every rule of the grammar; that scrypt stands alone; and that stanzas of known types
 * have their form. E_INTEGRITY, or E_TOO_NEW for another version. */
PSN_MUST_CHECK enum psn_code psn_age_header_parse(const char *text, size_t size,
                                                  struct psn_age_header *ret_header,
                                                  struct psn_error *err);

/* Steps through the stanzas of a parsed header. *at begins at stanzas_at; false at the
 * end. */
bool psn_age_header_next(const struct psn_age_header *header, size_t *at,
                         struct psn_age_stanza *ret_stanza);

/* True if the stanza's first argument is this. */
bool psn_age_stanza_is(const struct psn_age_stanza *stanza, const char *type);

/* Decodes an argument of exactly size bytes. */
bool psn_age_stanza_bytes(const struct psn_age_stanza *stanza, size_t arg, uint8_t *bytes,
                          size_t size);

/* The work factor of an scrypt stanza, which the parser has proved to be a number; one
 * that does not fit is UINT32_MAX. */
uint32_t psn_age_stanza_work_factor(const struct psn_age_stanza *stanza);

/* The version line, and a stanza, as they are written. extra may be NULL. */
void psn_age_header_begin(struct psn_buf *out);
void psn_age_header_stanza(struct psn_buf *out, const char *type, const char *arg,
                           const char *extra,
                           const uint8_t body[PSN_AGE_WRAPPED_SIZE]);

#endif
