#include "crypto/sign.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/i18n.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "crypto/ssh_key.h"

_Static_assert(PSN_SIGN_SEED_SIZE == crypto_sign_SEEDBYTES, "seeds");
_Static_assert(PSN_SIGN_PUBLIC_SIZE == crypto_sign_PUBLICKEYBYTES, "public keys");
_Static_assert(PSN_SIGN_SIZE == crypto_sign_BYTES, "signatures");

/* libsodium's 64-byte key is the seed and the public key. */
static enum psn_code expand(const struct psn_secret *seed,
                            uint8_t ret_public[PSN_SIGN_PUBLIC_SIZE],
                            uint8_t ret_key[crypto_sign_SECRETKEYBYTES],
                            struct psn_error *err)
{
    if (psn_secret_size(seed) != PSN_SIGN_SEED_SIZE)
        return psn_fail(err, PSN_E_INVALID, _("a signing key has the wrong length"));
    (void)crypto_sign_seed_keypair(ret_public, ret_key, psn_secret_bytes(seed));
    return PSN_OK;
}

enum psn_code psn_sign_public(const struct psn_secret *seed,
                              uint8_t ret_public[PSN_SIGN_PUBLIC_SIZE],
                              struct psn_error *err)
{
    uint8_t key[crypto_sign_SECRETKEYBYTES];
    enum psn_code rc;

    rc = expand(seed, ret_public, key, err);
    sodium_memzero(key, sizeof key);
    return rc;
}

enum psn_code psn_sign(const struct psn_secret *seed, const void *message, size_t size,
                       uint8_t ret_signature[PSN_SIGN_SIZE], struct psn_error *err)
{
    uint8_t public[PSN_SIGN_PUBLIC_SIZE];
    uint8_t key[crypto_sign_SECRETKEYBYTES];
    enum psn_code rc;

    rc = expand(seed, public, key, err);
    if (rc)
        return rc;
    (void)crypto_sign_detached(ret_signature, NULL, message, size, key);
    sodium_memzero(key, sizeof key);
    return PSN_OK;
}

enum psn_code psn_sign_verify(const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                              const void *message, size_t size,
                              const uint8_t signature[PSN_SIGN_SIZE],
                              struct psn_error *err)
{
    if (crypto_sign_verify_detached(signature, message, size, key) != 0)
        return psn_fail(err, PSN_E_INTEGRITY, _("a signature does not hold"));
    return PSN_OK;
}

enum {
    MINISIGN_ID_SIZE = 8,
    MINISIGN_BLOB_SIZE = 2 + MINISIGN_ID_SIZE + PSN_SIGN_PUBLIC_SIZE
};

void psn_sign_ssh_text(const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                       char ret_text[PSN_SSH_KEY_TEXT_MAX])
{
    uint8_t blob[PSN_SSH_BLOB_SIZE];
    char base64[PSN_BASE64_TEXT_SIZE(PSN_SSH_BLOB_SIZE)];

    psn_ssh_blob(key, blob);
    (void)psn_base64_encode(PSN_BASE64, blob, sizeof blob, base64);
    (void)snprintf(ret_text, PSN_SSH_KEY_TEXT_MAX, "ssh-ed25519 %s", base64);
}

void psn_sign_fingerprint(const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                          char ret_text[PSN_FINGERPRINT_MAX])
{
    uint8_t blob[PSN_SSH_BLOB_SIZE];
    uint8_t hash[crypto_hash_sha256_BYTES];
    char base64[PSN_BASE64_TEXT_SIZE(crypto_hash_sha256_BYTES)];

    psn_ssh_blob(key, blob);
    (void)crypto_hash_sha256(hash, blob, sizeof blob);
    (void)psn_base64_encode(PSN_BASE64_RAW, hash, sizeof hash, base64);
    (void)snprintf(ret_text, PSN_FINGERPRINT_MAX, "SHA256:%s", base64);
}

void psn_sign_minisign_text(const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                            char ret_text[PSN_MINISIGN_KEY_TEXT_MAX])
{
    uint8_t blob[MINISIGN_BLOB_SIZE] = { 'E', 'd' };
    uint8_t id[PSN_HASH_SIZE];

    psn_hash(&(struct psn_part){ key, PSN_SIGN_PUBLIC_SIZE }, 1, id);
    memcpy(blob + 2, id, MINISIGN_ID_SIZE);
    memcpy(blob + 2 + MINISIGN_ID_SIZE, key, PSN_SIGN_PUBLIC_SIZE);
    (void)sodium_bin2base64(ret_text, PSN_MINISIGN_KEY_TEXT_MAX, blob, sizeof blob,
                            sodium_base64_VARIANT_ORIGINAL);
}
