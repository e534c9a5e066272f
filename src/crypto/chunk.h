#ifndef PSN_CRYPTO_CHUNK_H
#define PSN_CRYPTO_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "passation/error.h"
#include "passation/secret.h"

/*
 * ChaCha20-Poly1305 (RFC 8439) without associated data, many times under one key: what
 * age's payload is made of. Nonces are the caller's: never the same twice.
 */
enum {
    PSN_CHUNK_KEY_SIZE = 32,
    PSN_CHUNK_NONCE_SIZE = 12,
    PSN_CHUNK_TAG_SIZE = 16,
};

struct psn_chunk;

enum psn_chunk_for {
    PSN_CHUNK_FEW,  /* libsodium, ready at once */
    PSN_CHUNK_MANY, /* libcrypto, twice as fast, if it can be loaded; else libsodium */
};

PSN_MUST_CHECK enum psn_code psn_chunk_new(const struct psn_secret *key,
                                           enum psn_chunk_for count,
                                           struct psn_chunk **ret_chunk,
                                           struct psn_error *err);

/* NULL is fine. */
void psn_chunk_free(struct psn_chunk *chunk);
PSN_DEFINE_AUTO(psn_chunk)

/* Writes size + PSN_CHUNK_TAG_SIZE bytes; not in place. */
PSN_MUST_CHECK bool psn_chunk_seal(struct psn_chunk *chunk,
                                   const uint8_t nonce[PSN_CHUNK_NONCE_SIZE],
                                   const uint8_t *plain, size_t size, uint8_t *out);

/* Opens size bytes, tag included, into size - PSN_CHUNK_TAG_SIZE. False, with out wiped,
 * if they are not what was sealed under this key and nonce. */
PSN_MUST_CHECK bool psn_chunk_open(struct psn_chunk *chunk,
                                   const uint8_t nonce[PSN_CHUNK_NONCE_SIZE],
                                   const uint8_t *box, size_t size, uint8_t *out);

#endif
