#ifndef PSN_CRYPTO_KDF_H
#define PSN_CRYPTO_KDF_H

#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"

enum {
    PSN_KEY_SIZE = 32,
    PSN_SALT_SIZE = 16,
};

/* Argon2id (RFC 9106), one lane. Its cost stands beside the salt in a slot, where
 * it is authenticated; the floor and the ceiling stand here, so that an edited file
 * cannot weaken or exhaust anything. */
struct psn_kdf_cost {
    uint32_t passes;
    uint64_t memory_bytes;
};

/* The cost of new slots: libsodium's MODERATE (3 passes, 256 MiB). */
struct psn_kdf_cost psn_kdf_default_cost(void);

/* E_INTEGRITY below the floor (3 passes, 256 MiB) or above the ceiling (64 passes,
 * 4 GiB); takes no time and no memory. */
PSN_MUST_CHECK enum psn_code psn_kdf_check_cost(struct psn_kdf_cost cost,
                                                struct psn_error *err);

/* Derives a 32-byte key from a passphrase; checks the cost first. E_NOMEM if the
 * machine has too little memory. */
PSN_MUST_CHECK enum psn_code psn_kdf_passphrase(const struct psn_secret *passphrase,
                                                const uint8_t salt[PSN_SALT_SIZE],
                                                struct psn_kdf_cost cost,
                                                struct psn_secret **ret_key,
                                                struct psn_error *err);

/* The same without a floor or a ceiling, for the formats of others: the caller bounds the
 * cost. memory_bytes is a multiple of 1 KiB, at least 8 KiB. */
PSN_MUST_CHECK enum psn_code psn_kdf_argon2id(const struct psn_secret *passphrase,
                                              const uint8_t salt[PSN_SALT_SIZE],
                                              struct psn_kdf_cost cost,
                                              struct psn_secret **ret_key,
                                              struct psn_error *err);

/* Derives a 32-byte key from a secret that is strong already (a recovery code, an
 * age identity): HKDF-SHA-256 with the salt and a label. */
PSN_MUST_CHECK enum psn_code psn_kdf_strong(const struct psn_secret *secret,
                                            const uint8_t salt[PSN_SALT_SIZE],
                                            const char *label,
                                            struct psn_secret **ret_key,
                                            struct psn_error *err);

/* Sub-key number id of a 32-byte key (crypto_kdf, context of eight characters). */
PSN_MUST_CHECK enum psn_code psn_kdf_sub(const struct psn_secret *key, uint64_t id,
                                         const char context[8],
                                         struct psn_secret **ret_key,
                                         struct psn_error *err);

/* A new random 32-byte key. */
PSN_MUST_CHECK enum psn_code psn_kdf_random(struct psn_secret **ret_key,
                                            struct psn_error *err);

#endif
