#ifndef PSN_CRYPTO_HASH_H
#define PSN_CRYPTO_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"

enum {
    PSN_HASH_SIZE = 32,
    PSN_SHA1_SIZE = 20,
    PSN_SHA1_HEX_SIZE = 41, /* forty lower-case digits and a NUL */
    PSN_SHA256_HEX_SIZE = 65,
    PSN_SHA256_SIZE = 32,
    PSN_HMAC_SIZE = 32,
    PSN_HMAC_SHA512_SIZE = 64,
};

struct psn_part {
    const void *bytes;
    size_t size;
};

/* BLAKE2b-256 over the parts, one after the other. No framing: the caller writes
 * lengths where parts could run into each other. Cannot fail. */
void psn_hash(const struct psn_part *parts, size_t count,
              uint8_t ret_hash[PSN_HASH_SIZE]);

/* The same piece by piece: begin, add as often as you like, end, which wipes the state.
 */
struct psn_hash_state {
    _Alignas(64) uint8_t bytes[384];
};
void psn_hash_begin(struct psn_hash_state *state);
void psn_hash_add(struct psn_hash_state *state, const void *bytes, size_t size);
void psn_hash_end(struct psn_hash_state *state, uint8_t ret_hash[PSN_HASH_SIZE]);

/* Keyed BLAKE2b (a PRF): the same with a 32-byte key. */
void psn_hash_keyed(const struct psn_secret *key, const struct psn_part *parts,
                    size_t count, uint8_t ret_hash[PSN_HASH_SIZE]);

/* SHA-1 of the parts in lower-case hex, for OVH's signature only. libsodium has
 * none: libcrypto is loaded at the first call. E_UNEXPECTED without it. */
PSN_MUST_CHECK enum psn_code psn_sha1_hex(const struct psn_part *parts, size_t count,
                                          char ret_hex[PSN_SHA1_HEX_SIZE],
                                          struct psn_error *err);

/* HMAC-SHA-1 (RFC 2104) of the bytes, under a key of any size: for one-time codes only.
 * From libcrypto, as above. */
PSN_MUST_CHECK enum psn_code psn_hmac_sha1(const void *key, size_t key_size,
                                           const void *bytes, size_t size,
                                           uint8_t ret_mac[PSN_SHA1_SIZE],
                                           struct psn_error *err);

/* HMAC-SHA-512 of the bytes, under a key of any size. Cannot fail. */
void psn_hmac_sha512(const void *key, size_t key_size, const void *bytes, size_t size,
                     uint8_t ret_mac[PSN_HMAC_SHA512_SIZE]);

/* SHA-256 of the parts. Cannot fail. */
void psn_sha256_parts(const struct psn_part *parts, size_t count,
                      uint8_t ret_digest[PSN_SHA256_SIZE]);

/* SHA-256 of the parts in lower-case hex. Cannot fail. */
void psn_sha256_hex(const struct psn_part *parts, size_t count,
                    char ret_hex[PSN_SHA256_HEX_SIZE]);

/* HMAC-SHA-256 (RFC 2104) of the parts, under a key of any size. Cannot fail. */
void psn_hmac_sha256(const void *key, size_t key_size, const struct psn_part *parts,
                     size_t count, uint8_t ret_mac[PSN_HMAC_SIZE]);

/* True if both are the same, in time that does not depend on what they hold. */
bool psn_mac_equal(const uint8_t a[PSN_HMAC_SIZE], const uint8_t b[PSN_HMAC_SIZE]);

/* HKDF-SHA-256 (RFC 5869) into ret_key[size], size <= 8160. salt may be NULL if
 * salt_size is 0. The output is the caller's to wipe. */
void psn_hkdf_sha256(const void *ikm, size_t ikm_size, const void *salt, size_t salt_size,
                     const void *info, size_t info_size, uint8_t *ret_key, size_t size);

/* Lower-case hex of size bytes into out[2 * size + 1]; returns out. */
const char *psn_hex(const void *bytes, size_t size, char *out);
/* Back from the first 2 * size characters; false if they are not that. */
bool psn_unhex(const char *hex, void *ret_bytes, size_t size);

/* Fills bytes from the system's generator. Aborts the program if that fails, as
 * libsodium does: there is nothing sensible left to do. */
void psn_random(void *bytes, size_t size);

#endif
