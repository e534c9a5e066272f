#ifndef PSN_CRYPTO_SSH_KEY_H
#define PSN_CRYPTO_SSH_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"

/* OpenSSH's forms of an Ed25519 key: the one-line public key, and the unencrypted private
 * key file (PROTOCOL.key). */
enum {
    PSN_SSH_BLOB_SIZE = 51, /* RFC 8709: string "ssh-ed25519", string of 32 bytes */
    PSN_SSH_KEY_SIZE = 32,
};

/* Writes the wire form of a public key. */
void psn_ssh_blob(const uint8_t key[PSN_SSH_KEY_SIZE],
                  uint8_t ret_blob[PSN_SSH_BLOB_SIZE]);

/* True, and the key in it, if blob[size] is the wire form of an Ed25519 key. */
bool psn_ssh_blob_key(const uint8_t *blob, size_t size,
                      uint8_t ret_key[PSN_SSH_KEY_SIZE]);

/* Reads "ssh-ed25519 AAAA…", with or without a comment behind it. E_INVALID if it is of
 * another kind or mistyped. */
PSN_MUST_CHECK enum psn_code psn_ssh_public_parse(const char *text, size_t size,
                                                  uint8_t ret_key[PSN_SSH_KEY_SIZE],
                                                  struct psn_error *err);

/* True if the text begins as an OpenSSH private key file does. */
bool psn_ssh_is_private(const struct psn_secret *text);

/* Reads such a file; the result is the 32-byte seed. E_DENIED if it is protected by a
 * passphrase, E_INVALID if it is of another kind or damaged. */
PSN_MUST_CHECK enum psn_code psn_ssh_private_parse(const struct psn_secret *text,
                                                   struct psn_secret **ret_seed,
                                                   struct psn_error *err);

#endif
