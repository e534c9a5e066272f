#ifndef PSN_AGE_ARMOR_H
#define PSN_AGE_ARMOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/stream.h"

/* The text form of an age file: strict PEM (RFC 7468, figure 3) with the label
 * "AGE ENCRYPTED FILE". */
enum {
    PSN_AGE_ARMOR_CHARS = 64,       /* of a full line */
    PSN_AGE_ARMOR_BYTES = 48,       /* that it stands for */
    PSN_AGE_ARMOR_BLANK_MAX = 1024, /* white space allowed before and after, each */
    PSN_AGE_ARMOR_PEEK = 2 * PSN_AGE_ARMOR_BLANK_MAX, /* tells binary from text */
};

/* ---- reading: one line at a time ---- */

struct psn_age_dearmor {
    unsigned state;
    size_t blank; /* white space seen before the first line, or after the last */
    bool crlf;    /* how the first line ended, and so all the others do */
    bool last;    /* a short line was seen: only the end line may follow */
};

/* Takes a line without its '\n' (ended tells whether there was one) and appends the bytes
 * it stands for to out[PSN_AGE_ARMOR_BYTES]. False if the line may not stand there. */
bool psn_age_dearmor_line(struct psn_age_dearmor *armor, const char *line, size_t size,
                          bool ended, uint8_t *out, size_t *ret_size);

/* True once the end line was read: then the text may end. */
bool psn_age_dearmor_is_done(const struct psn_age_dearmor *armor);

/* True if the file that begins so is in text form, or means to be. The first
 * PSN_AGE_ARMOR_PEEK bytes, or all that there are, decide. */
bool psn_age_looks_armored(const uint8_t *bytes, size_t size);

/* ---- writing ---- */

/* A sink that writes the text form to another one. */
struct psn_age_armorer {
    const struct psn_sink *to;
    uint8_t held[PSN_AGE_ARMOR_BYTES]; /* less than a line */
    size_t held_size;
    bool begun;
};

/* armorer outlives the result. */
struct psn_sink psn_age_armor_sink(struct psn_age_armorer *armorer,
                                   const struct psn_sink *to);

/* Writes what is held back and the end line. */
PSN_MUST_CHECK enum psn_code psn_age_armor_finish(struct psn_age_armorer *armorer,
                                                  struct psn_error *err);

#endif
