#ifndef PSN_CRYPTO_SEAL_H
#define PSN_CRYPTO_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "passation/error.h"
#include "passation/secret.h"

/*
 * A box is nonce[24] || XChaCha20-Poly1305(padded plaintext). The padding is 0x80
 * and zeros up to a step of 64 bytes, or above 1 KiB up to a Padmé size; so a box
 * tells only the size class. What the box stands for goes into the associated data,
 * which the caller frames with lengths.
 */
enum {
    PSN_SEAL_NONCE_SIZE = 24,
    PSN_SEAL_TAG_SIZE = 16,
};

/* The size after padding of size bytes: at least one byte is added. */
size_t psn_seal_padded_size(size_t size);

/* Appends a box of the plaintext to out. key is 32 bytes. E_NOMEM, E_LIMIT. */
PSN_MUST_CHECK enum psn_code psn_seal(const struct psn_secret *key, const void *ad,
                                      size_t ad_size, const void *plain,
                                      size_t plain_size, struct psn_buf *out,
                                      struct psn_error *err);

/* Opens a box into plain, a wiped buffer that is emptied first. E_INTEGRITY if it was
 * made with another key or for other associated data, was changed, or is badly
 * padded; plain is then empty. */
PSN_MUST_CHECK enum psn_code psn_unseal(const struct psn_secret *key, const void *ad,
                                        size_t ad_size, const void *box, size_t box_size,
                                        struct psn_buf *plain, struct psn_error *err);

/* The same into locked memory, for boxes that hold a key or a password. */
PSN_MUST_CHECK enum psn_code psn_unseal_secret(const struct psn_secret *key,
                                               const void *ad, size_t ad_size,
                                               const void *box, size_t box_size,
                                               struct psn_secret **ret_plain,
                                               struct psn_error *err);

#endif
