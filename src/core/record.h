#ifndef PSN_CORE_RECORD_H
#define PSN_CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "passation/error.h"

/*
 * The plaintext of a row: a format byte, then fields in rising order of their tags (which
 * a reader does not insist on), none twice, each tag (u16), size (u32) and bytes,
 * big-endian. Numbers are 8 bytes. A field that is absent reads as zero or empty; a tag
 * that this version does not know is refused, since a newer one wrote it and rewriting
 * the row would lose it.
 */
enum {
    PSN_RECORD_FORMAT = 1,
    PSN_RECORD_INDEXED = 40, /* tags below are found without a walk */
};

void psn_record_begin(struct psn_buf *record);
void psn_record_put_number(struct psn_buf *record, uint16_t tag,
                           uint64_t value); /* 0: left out */
void psn_record_put_text(struct psn_buf *record, uint16_t tag,
                         const char *text); /* "": left out */
void psn_record_put_bytes(struct psn_buf *record, uint16_t tag, const void *bytes,
                          size_t size);

struct psn_record {
    const uint8_t *data;
    size_t size;
    uint16_t tag_max;
    struct psn_record_field {
        const uint8_t *bytes; /* NULL: absent */
        size_t size;
    } fields[PSN_RECORD_INDEXED]; /* by tag */
};

/* Checks the whole structure once; the record borrows the bytes. E_INTEGRITY if it is
 * malformed, E_TOO_NEW for a format or tag from the future. */
PSN_MUST_CHECK enum psn_code psn_record_parse(const struct psn_buf *plain,
                                              uint16_t tag_max,
                                              struct psn_record *ret_record,
                                              struct psn_error *err);
uint64_t psn_record_read_number(const struct psn_record *record, uint16_t tag);
bool psn_record_bytes(const struct psn_record *record, uint16_t tag,
                      const uint8_t **ret_bytes, size_t *ret_size);

/* Copies a text field into out[size]; false if it does not fit or holds a NUL. */
bool psn_record_read_text(const struct psn_record *record, uint16_t tag, char *out,
                          size_t size);

/* Most fields of most rows are absent: inline, so that this costs next to nothing. */
static inline bool psn_record_lacks(const struct psn_record *record, uint16_t tag)
{
    return tag < PSN_RECORD_INDEXED && !record->fields[tag].bytes;
}

static inline uint64_t psn_record_number(const struct psn_record *record, uint16_t tag)
{
    return psn_record_lacks(record, tag) ? 0 : psn_record_read_number(record, tag);
}

static inline bool psn_record_text(const struct psn_record *record, uint16_t tag,
                                   char *out, size_t size)
{
    if (!psn_record_lacks(record, tag))
        return psn_record_read_text(record, tag, out, size);
    out[0] = '\0';
    return true;
}

/* Takes one NUL-terminated text off the front of a field that is a list. False: there is
 * none, or it is too long. */
PSN_MUST_CHECK bool psn_record_take_text(const uint8_t **at, size_t *left, char *out,
                                         size_t size);

#endif
