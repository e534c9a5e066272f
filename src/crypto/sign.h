#ifndef PSN_CRYPTO_SIGN_H
#define PSN_CRYPTO_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"

/* Ed25519 (RFC 8032). A signing key is kept as its 32-byte seed. */
enum {
    PSN_SIGN_SEED_SIZE = 32,
    PSN_SIGN_PUBLIC_SIZE = 32,
    PSN_SIGN_SIZE = 64,
};

/* The public key of a seed. */
PSN_MUST_CHECK enum psn_code psn_sign_public(const struct psn_secret *seed,
                                             uint8_t ret_public[PSN_SIGN_PUBLIC_SIZE],
                                             struct psn_error *err);

PSN_MUST_CHECK enum psn_code psn_sign(const struct psn_secret *seed, const void *message,
                                      size_t size, uint8_t ret_signature[PSN_SIGN_SIZE],
                                      struct psn_error *err);

/* E_INTEGRITY if the signature is not of this message and key. */
PSN_MUST_CHECK enum psn_code psn_sign_verify(const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                                             const void *message, size_t size,
                                             const uint8_t signature[PSN_SIGN_SIZE],
                                             struct psn_error *err);

enum {
    PSN_SSH_KEY_TEXT_MAX = 128,    /* "ssh-ed25519 AAAA…" */
    PSN_FINGERPRINT_MAX = 64,      /* "SHA256:…" as ssh-keygen -l prints it */
    PSN_MINISIGN_KEY_TEXT_MAX = 64 /* base64 of "Ed" || key id || key */
};

/* The forms in which a public key is shown: OpenSSH's one-line form (RFC 4253 6.6,
 * RFC 8709), its SHA-256 fingerprint, and minisign's public key line. minisign's key
 * id is the first 8 bytes of BLAKE2b-256 of the public key. */
void psn_sign_ssh_text(const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                       char ret_text[PSN_SSH_KEY_TEXT_MAX]);
void psn_sign_fingerprint(const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                          char ret_text[PSN_FINGERPRINT_MAX]);
void psn_sign_minisign_text(const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                            char ret_text[PSN_MINISIGN_KEY_TEXT_MAX]);

#endif
