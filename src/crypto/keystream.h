#ifndef PSN_CRYPTO_KEYSTREAM_H
#define PSN_CRYPTO_KEYSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "passation/error.h"
#include "passation/secret.h"

/*
 * ChaCha20 (RFC 8439) alone, its counter from 0, as KDBX uses it. It hides and does not
 * prove: for formats that authenticate around it, and for no other.
 */
enum {
    PSN_KEYSTREAM_KEY_SIZE = 32,
    PSN_KEYSTREAM_NONCE_SIZE = 12,
};

struct psn_keystream;

/* key[PSN_KEYSTREAM_KEY_SIZE] is copied. */
PSN_MUST_CHECK enum psn_code psn_keystream_new(
    const uint8_t *key, const uint8_t nonce[PSN_KEYSTREAM_NONCE_SIZE],
    struct psn_keystream **ret_stream, struct psn_error *err);

/* NULL is fine. */
void psn_keystream_free(struct psn_keystream *stream);
PSN_DEFINE_AUTO(psn_keystream)

/* Encrypts or decrypts in place with the next size bytes of the stream, of which there
 * are 256 GiB: more is a caller's bug. */
void psn_keystream_apply(struct psn_keystream *stream, uint8_t *bytes, size_t size);

#endif
