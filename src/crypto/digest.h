#ifndef PSN_CRYPTO_DIGEST_H
#define PSN_CRYPTO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/stream.h"

/* Hashes of 64 bytes over a whole source, for the signature formats of others. */
enum {
    PSN_DIGEST_SIZE = 64,
};

enum psn_digest {
    PSN_DIGEST_SHA512,  /* SSHSIG */
    PSN_DIGEST_BLAKE2B, /* minisign */
};

/* Reads the source to its end. Fails only as the source does. */
PSN_MUST_CHECK enum psn_code psn_digest_source(enum psn_digest kind,
                                               const struct psn_source *source,
                                               uint8_t ret_digest[PSN_DIGEST_SIZE],
                                               struct psn_error *err);

/* SHA-256 of bytes in memory: fingerprints. */
void psn_sha256(const void *bytes, size_t size, uint8_t ret_digest[32]);

/* SHA-512 of bytes in memory. */
void psn_sha512(const void *bytes, size_t size, uint8_t ret_digest[PSN_DIGEST_SIZE]);

#endif
