#ifndef PSN_AGE_STREAM_H
#define PSN_AGE_STREAM_H

#include <stdint.h>

#include "age/reader.h"
#include "passation/error.h"
#include "passation/secret.h"
#include "passation/stream.h"

/* An age file's payload: a nonce, then chunks of 64 KiB, each sealed, the last one marked
 * as such. */
enum {
    PSN_AGE_CHUNK_SIZE = 64 * 1024,
    PSN_AGE_NONCE_SIZE = 16,
};

/* The payload's key: HKDF of the file key with the nonce. */
PSN_MUST_CHECK enum psn_code psn_age_payload_key(const struct psn_secret *file_key,
                                                 const uint8_t nonce[PSN_AGE_NONCE_SIZE],
                                                 struct psn_secret **ret_key,
                                                 struct psn_error *err);

/* Encrypts all of the source into the sink. */
PSN_MUST_CHECK enum psn_code psn_age_seal_stream(const struct psn_secret *key,
                                                 const struct psn_source *source,
                                                 const struct psn_sink *sink,
                                                 struct psn_error *err);

/* Opens chunk after chunk and gives each one that holds to the sink, which may be NULL:
 * then they are only proved. E_INTEGRITY at the first that does not hold, at a missing or
 * second end, and at an empty last chunk behind others. */
PSN_MUST_CHECK enum psn_code psn_age_open_stream(const struct psn_secret *key,
                                                 struct psn_age_reader *reader,
                                                 const struct psn_sink *sink,
                                                 struct psn_error *err);

#endif
