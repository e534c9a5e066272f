#include "age/wrap.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/i18n.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "crypto/ssh_key.h"

_Static_assert(PSN_AGE_POINT_SIZE == crypto_scalarmult_curve25519_BYTES, "X25519");
_Static_assert(PSN_AGE_WRAPPED_SIZE ==
                   PSN_AGE_FILE_KEY_SIZE + crypto_aead_chacha20poly1305_ietf_ABYTES,
               "a file key and its tag");

static const char x25519_label[] = "age-encryption.org/v1/X25519";
static const char ssh_label[] = "age-encryption.org/v1/ssh-ed25519";
static const char scrypt_label[] = "age-encryption.org/v1/scrypt";

enum {
    WRAP_KEY_SIZE = 32,
    SALT_SIZE = 16,
    SSH_TAG_SIZE = 4,
    SCRYPT_R = 8,
    SCRYPT_P = 1
};

/* A wrap key is used once, so the nonce may be zero. */
static const uint8_t zero_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

static void seal(const uint8_t wrap_key[WRAP_KEY_SIZE], const struct psn_secret *file_key,
                 uint8_t ret_body[PSN_AGE_WRAPPED_SIZE])
{
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(
        ret_body, NULL, psn_secret_bytes(file_key), PSN_AGE_FILE_KEY_SIZE, NULL, 0, NULL,
        zero_nonce, wrap_key);
}

static enum psn_age_unwrapped open_body(const struct psn_age_stanza *stanza,
                                        const uint8_t wrap_key[WRAP_KEY_SIZE],
                                        struct psn_secret *file_key)
{
    if (crypto_aead_chacha20poly1305_ietf_decrypt(psn_secret_fill(file_key), NULL, NULL,
                                                  stanza->body, PSN_AGE_WRAPPED_SIZE,
                                                  NULL, 0, zero_nonce, wrap_key) != 0)
        return PSN_AGE_NOT_MINE;
    psn_secret_set_size(file_key, PSN_AGE_FILE_KEY_SIZE);
    return PSN_AGE_UNWRAPPED;
}

/* wrap key = HKDF-SHA-256(shared secret, salt = ephemeral share || recipient, label) */
static void derive(const uint8_t shared[PSN_AGE_POINT_SIZE],
                   const uint8_t share[PSN_AGE_POINT_SIZE],
                   const uint8_t recipient[PSN_AGE_POINT_SIZE], const char *label,
                   uint8_t ret_wrap_key[WRAP_KEY_SIZE])
{
    uint8_t salt[2 * PSN_AGE_POINT_SIZE];

    memcpy(salt, share, PSN_AGE_POINT_SIZE);
    memcpy(salt + PSN_AGE_POINT_SIZE, recipient, PSN_AGE_POINT_SIZE);
    psn_hkdf_sha256(shared, PSN_AGE_POINT_SIZE, salt, sizeof salt, label, strlen(label),
                    ret_wrap_key, WRAP_KEY_SIZE);
}

/* An SSH key is used for two things, so age moves the shared secret by a scalar that
 * depends on the key: X25519(tweak, shared). NULL: no tweak. */
static bool agree(const uint8_t scalar[], const uint8_t point[], const uint8_t tweak[],
                  uint8_t ret_shared[PSN_AGE_POINT_SIZE])
{
    uint8_t shared[PSN_AGE_POINT_SIZE];
    bool agreed = crypto_scalarmult(shared, scalar, point) == 0;

    if (agreed && tweak)
        agreed = crypto_scalarmult(ret_shared, tweak, shared) == 0;
    else if (agreed)
        memcpy(ret_shared, shared, sizeof shared);
    sodium_memzero(shared, sizeof shared);
    return agreed;
}

/* The sender's half: a new ephemeral key, its share as text, the sealed file key. False
 * if the recipient's point is of low order, where every secret agrees on zero. */
static bool send_to(const uint8_t recipient[], const uint8_t tweak[], const char *label,
                    const struct psn_secret *file_key,
                    char ret_share[PSN_BASE64_TEXT_SIZE(PSN_AGE_POINT_SIZE)],
                    uint8_t ret_body[PSN_AGE_WRAPPED_SIZE])
{
    uint8_t ephemeral[PSN_AGE_POINT_SIZE];
    uint8_t share[PSN_AGE_POINT_SIZE];
    uint8_t shared[PSN_AGE_POINT_SIZE];
    uint8_t wrap_key[WRAP_KEY_SIZE];
    bool agreed;

    psn_random(ephemeral, sizeof ephemeral);
    agreed = crypto_scalarmult_base(share, ephemeral) == 0 &&
             agree(ephemeral, recipient, tweak, shared);
    if (agreed) {
        derive(shared, share, recipient, label, wrap_key);
        seal(wrap_key, file_key, ret_body);
        (void)psn_base64_encode(PSN_BASE64_RAW, share, sizeof share, ret_share);
    }
    sodium_memzero(ephemeral, sizeof ephemeral);
    sodium_memzero(shared, sizeof shared);
    sodium_memzero(wrap_key, sizeof wrap_key);
    return agreed;
}

/* The receiver's half. The parser has proved the share's and the body's lengths. */
static enum psn_age_unwrapped receive(const struct psn_age_stanza *stanza,
                                      const uint8_t share[], const uint8_t scalar[],
                                      const uint8_t tweak[], const char *label,
                                      struct psn_secret *file_key)
{
    enum psn_age_unwrapped found = PSN_AGE_MALFORMED;
    uint8_t recipient[PSN_AGE_POINT_SIZE];
    uint8_t shared[PSN_AGE_POINT_SIZE];
    uint8_t wrap_key[WRAP_KEY_SIZE];

    if (crypto_scalarmult_base(recipient, scalar) == 0 &&
        agree(scalar, share, tweak, shared)) {
        derive(shared, share, recipient, label, wrap_key);
        found = open_body(stanza, wrap_key, file_key);
    }
    sodium_memzero(shared, sizeof shared);
    sodium_memzero(wrap_key, sizeof wrap_key);
    return found;
}

static enum psn_code low_order(struct psn_error *err)
{
    return psn_fail(err, PSN_E_INVALID,
                    _("the recipient's key is not usable: anybody could read the file"));
}

enum psn_code psn_age_wrap_x25519(const uint8_t recipient[],
                                  const struct psn_secret *file_key,
                                  struct psn_buf *header, struct psn_error *err)
{
    char share[PSN_BASE64_TEXT_SIZE(PSN_AGE_POINT_SIZE)];
    uint8_t body[PSN_AGE_WRAPPED_SIZE];

    if (!send_to(recipient, NULL, x25519_label, file_key, share, body))
        return low_order(err);
    psn_age_header_stanza(header, "X25519", share, NULL, body);
    return PSN_OK;
}

enum psn_age_unwrapped psn_age_unwrap_x25519(const struct psn_age_stanza *stanza,
                                             const struct psn_secret *scalar,
                                             struct psn_secret *file_key)
{
    uint8_t share[PSN_AGE_POINT_SIZE];

    if (!psn_age_stanza_is(stanza, "X25519"))
        return PSN_AGE_NOT_MINE;
    if (!psn_age_stanza_bytes(stanza, 1, share, sizeof share))
        return PSN_AGE_MALFORMED;
    return receive(stanza, share, psn_secret_bytes(scalar), NULL, x25519_label, file_key);
}

/* What a public key of OpenSSH decides: the tag by which its holder finds his stanza, and
 * the tweak. */
static void ssh_marks(const uint8_t key[PSN_SSH_KEY_SIZE], uint8_t ret_tag[SSH_TAG_SIZE],
                      uint8_t ret_tweak[PSN_AGE_POINT_SIZE])
{
    uint8_t blob[PSN_SSH_BLOB_SIZE];
    uint8_t digest[32];

    psn_ssh_blob(key, blob);
    psn_sha256(blob, sizeof blob, digest);
    memcpy(ret_tag, digest, SSH_TAG_SIZE);
    psn_hkdf_sha256("", 0, blob, sizeof blob, ssh_label, strlen(ssh_label), ret_tweak,
                    PSN_AGE_POINT_SIZE);
}

enum psn_code psn_age_wrap_ssh(const uint8_t recipient[],
                               const struct psn_secret *file_key, struct psn_buf *header,
                               struct psn_error *err)
{
    char share[PSN_BASE64_TEXT_SIZE(PSN_AGE_POINT_SIZE)];
    char tag_text[PSN_BASE64_TEXT_SIZE(SSH_TAG_SIZE)];
    uint8_t point[PSN_AGE_POINT_SIZE];
    uint8_t tweak[PSN_AGE_POINT_SIZE];
    uint8_t tag[SSH_TAG_SIZE];
    uint8_t body[PSN_AGE_WRAPPED_SIZE];

    ssh_marks(recipient, tag, tweak);
    if (crypto_sign_ed25519_pk_to_curve25519(point, recipient) != 0 ||
        !send_to(point, tweak, ssh_label, file_key, share, body))
        return low_order(err);
    (void)psn_base64_encode(PSN_BASE64_RAW, tag, sizeof tag, tag_text);
    psn_age_header_stanza(header, "ssh-ed25519", tag_text, share, body);
    return PSN_OK;
}

enum psn_age_unwrapped psn_age_unwrap_ssh(const struct psn_age_stanza *stanza,
                                          const struct psn_secret *seed,
                                          struct psn_secret *file_key)
{
    enum psn_age_unwrapped found = PSN_AGE_NOT_MINE;
    uint8_t key[crypto_sign_SECRETKEYBYTES];
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t scalar[PSN_AGE_POINT_SIZE];
    uint8_t share[PSN_AGE_POINT_SIZE];
    uint8_t tweak[PSN_AGE_POINT_SIZE];
    uint8_t tag[SSH_TAG_SIZE];
    uint8_t theirs[SSH_TAG_SIZE];

    if (!psn_age_stanza_is(stanza, "ssh-ed25519"))
        return PSN_AGE_NOT_MINE;
    if (!psn_age_stanza_bytes(stanza, 1, theirs, sizeof theirs) ||
        !psn_age_stanza_bytes(stanza, 2, share, sizeof share))
        return PSN_AGE_MALFORMED;
    (void)crypto_sign_seed_keypair(public, key, psn_secret_bytes(seed));
    ssh_marks(public, tag, tweak);
    if (memcmp(tag, theirs, sizeof tag) == 0) {
        (void)crypto_sign_ed25519_sk_to_curve25519(scalar, key);
        found = receive(stanza, share, scalar, tweak, ssh_label, file_key);
    }
    sodium_memzero(key, sizeof key);
    sodium_memzero(scalar, sizeof scalar);
    return found;
}

/* wrap key = scrypt(N = 2^work_factor, r = 8, p = 1, S = label || salt) */
static enum psn_code stretch(const struct psn_secret *passphrase, const uint8_t salt[],
                             unsigned work_factor, uint8_t ret_wrap_key[WRAP_KEY_SIZE],
                             struct psn_error *err)
{
    uint8_t salted[sizeof scrypt_label - 1 + SALT_SIZE];
    uint64_t cost = UINT64_C(1) << work_factor; /* in KiB, too: 128 r bytes each */

    memcpy(salted, scrypt_label, sizeof scrypt_label - 1);
    memcpy(salted + sizeof scrypt_label - 1, salt, SALT_SIZE);
    if (crypto_pwhash_scryptsalsa208sha256_ll(
            psn_secret_bytes(passphrase), psn_secret_size(passphrase), salted,
            sizeof salted, cost, SCRYPT_R, SCRYPT_P, ret_wrap_key, WRAP_KEY_SIZE) != 0) {
        (void)psn_fail(err, PSN_E_NOMEM, _("the passphrase needs %u MiB of free memory"),
                       (unsigned)((cost + 1023) / 1024));
        return psn_hint(err, PSN_E_NOMEM, _("close other programs, then try again"));
    }
    return PSN_OK;
}

enum psn_code psn_age_wrap_scrypt(const struct psn_secret *passphrase,
                                  unsigned work_factor, const struct psn_secret *file_key,
                                  struct psn_buf *header, struct psn_error *err)
{
    char salt_text[PSN_BASE64_TEXT_SIZE(SALT_SIZE)];
    uint8_t wrap_key[WRAP_KEY_SIZE];
    uint8_t body[PSN_AGE_WRAPPED_SIZE];
    uint8_t salt[SALT_SIZE];
    char work_text[12];
    enum psn_code rc;

    psn_random(salt, sizeof salt);
    rc = stretch(passphrase, salt, work_factor, wrap_key, err);
    if (!rc) {
        seal(wrap_key, file_key, body);
        (void)psn_base64_encode(PSN_BASE64_RAW, salt, sizeof salt, salt_text);
        (void)snprintf(work_text, sizeof work_text, "%u", work_factor);
        psn_age_header_stanza(header, "scrypt", salt_text, work_text, body);
    }
    sodium_memzero(wrap_key, sizeof wrap_key);
    return rc;
}

enum psn_code psn_age_unwrap_scrypt(const struct psn_age_stanza *stanza,
                                    const struct psn_secret *passphrase,
                                    unsigned work_factor_max, struct psn_secret *file_key,
                                    enum psn_age_unwrapped *ret, struct psn_error *err)
{
    uint8_t wrap_key[WRAP_KEY_SIZE];
    uint8_t salt[SALT_SIZE];
    uint32_t work_factor;
    enum psn_code rc;

    *ret = PSN_AGE_NOT_MINE;
    if (!psn_age_stanza_is(stanza, "scrypt"))
        return PSN_OK;
    work_factor = psn_age_stanza_work_factor(stanza);
    if (work_factor > work_factor_max)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the file asks for too much work to try a passphrase: 2^%u, "
                          "at most 2^%u"),
                        work_factor, work_factor_max);
    if (!psn_age_stanza_bytes(stanza, 1, salt, sizeof salt)) {
        *ret = PSN_AGE_MALFORMED;
        return PSN_OK;
    }
    rc = stretch(passphrase, salt, work_factor, wrap_key, err);
    if (!rc)
        *ret = open_body(stanza, wrap_key, file_key);
    sodium_memzero(wrap_key, sizeof wrap_key);
    return rc;
}
