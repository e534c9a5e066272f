#ifndef PSN_AGE_READER_H
#define PSN_AGE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "age/armor.h"
#include "base/auto.h"
#include "passation/error.h"
#include "passation/stream.h"

/*
 * An age file's bytes, whether it is in binary or in text form: found out from its
 * beginning. Memory is bounded; a line of the text form that is too long fails at once.
 */
struct psn_age_reader;

PSN_MUST_CHECK enum psn_code psn_age_reader_new(const struct psn_source *source,
                                                uint64_t size_max,
                                                struct psn_age_reader **ret_reader,
                                                struct psn_error *err);

/* NULL is fine. */
void psn_age_reader_free(struct psn_age_reader *reader);
PSN_DEFINE_AUTO(psn_age_reader)

/* Appends a line, '\n' included, to what out holds: at most room bytes. *ret_size is the
 * line's size, without '\n' at its end only if the file or the room ended there. */
PSN_MUST_CHECK enum psn_code psn_age_reader_line(struct psn_age_reader *reader, char *out,
                                                 size_t room, size_t *ret_size,
                                                 struct psn_error *err);

/* Reads size bytes; fewer only at the end. */
PSN_MUST_CHECK enum psn_code psn_age_reader_fill(struct psn_age_reader *reader,
                                                 uint8_t *bytes, size_t size,
                                                 size_t *ret_size, struct psn_error *err);

/* Of the file's failures, this one is the armor's; of others, the source's own. */
bool psn_age_reader_armor_failed(const struct psn_age_reader *reader);
bool psn_age_reader_source_failed(const struct psn_age_reader *reader);

#endif
