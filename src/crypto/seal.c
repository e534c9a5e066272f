#include "crypto/seal.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "base/i18n.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"

_Static_assert(PSN_SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
               "nonces");
_Static_assert(PSN_SEAL_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tags");
_Static_assert(PSN_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "keys");

enum {
    STEP = 64,
    STEPS_END = 1024, /* from here on Padmé */
    OVERHEAD = PSN_SEAL_NONCE_SIZE + PSN_SEAL_TAG_SIZE
};

static const size_t plain_size_max = SIZE_MAX / 8;

static unsigned log2_floor(size_t value)
{
    unsigned bits = 0;

    for (value >>= 1; value > 0; value >>= 1)
        bits++;
    return bits;
}

/*
 * Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
 * Communication with PURBs", 2019): a size is rounded up so that only as many leading
 * bits as its exponent has bits may be set, which costs at most 12 % and leaves
 * O(log log size) of information. Above 1 KiB such a size is a multiple of 64 anyway.
 */
size_t psn_seal_padded_size(size_t size)
{
    size_t marked = size + 1;
    size_t mask = STEP - 1;

    if (marked > STEPS_END) {
        unsigned exponent = log2_floor(marked);
        unsigned cleared = exponent - log2_floor(exponent) - 1;

        assert(cleared < exponent);
        mask = ((size_t)1 << cleared) - 1;
    }
    return (marked + mask) & ~mask;
}

enum psn_code psn_seal(const struct psn_secret *key, const void *ad, size_t ad_size,
                       const void *plain, size_t plain_size, struct psn_buf *out,
                       struct psn_error *err)
{
    uint8_t *box;
    uint8_t *text;
    size_t padded;

    assert(psn_secret_size(key) == PSN_KEY_SIZE);
    if (plain_size > plain_size_max)
        return psn_fail(err, PSN_E_LIMIT, _("too much to seal at once"));
    padded = psn_seal_padded_size(plain_size);
    box = psn_buf_reserve(out, padded + OVERHEAD);
    if (!box)
        return psn_buf_check(out, err);
    /* The rest is zero already. The plaintext stands here only until the next call
     * has encrypted it in place. */
    text = box + PSN_SEAL_NONCE_SIZE;
    if (plain_size > 0)
        memcpy(text, plain, plain_size);
    text[plain_size] = 0x80;
    randombytes_buf(box, PSN_SEAL_NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        text, NULL, text, padded, ad, ad_size, NULL, box, psn_secret_bytes(key));
    return PSN_OK;
}

/* Finds the 0x80 that ends the plaintext; the sender had no choice about what follows
 * it, so nothing else is taken. There is a step at least. */
static bool unpad(const uint8_t *text, size_t padded, size_t *ret_size)
{
    size_t size = padded;

    while (size > 1 && text[size - 1] == 0)
        size--;
    if (text[size - 1] != 0x80 || psn_seal_padded_size(size - 1) != padded)
        return false;
    *ret_size = size - 1;
    return true;
}

/* The size of the padded plaintext in a box, or 0 if no box is as small as this. */
static size_t padded_size_of(size_t box_size)
{
    return box_size < OVERHEAD + STEP ? 0 : box_size - OVERHEAD;
}

/* text has room for the padded plaintext. */
static enum psn_code open_box(const struct psn_secret *key, const void *ad,
                              size_t ad_size, const uint8_t *box, uint8_t *text,
                              size_t padded, size_t *ret_size, struct psn_error *err)
{
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            text, NULL, NULL, box + PSN_SEAL_NONCE_SIZE, padded + PSN_SEAL_TAG_SIZE, ad,
            ad_size, box, psn_secret_bytes(key)) != 0 ||
        !unpad(text, padded, ret_size))
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("a sealed record was changed, moved or made with another key"));
    return PSN_OK;
}

static enum psn_code fail_size(struct psn_error *err)
{
    return psn_fail(err, PSN_E_INTEGRITY, _("a sealed record has an impossible size"));
}

/* Opens a box whose padding has no room in plain, but its plaintext may. */
static enum psn_code open_aside(const struct psn_secret *key, const void *ad,
                                size_t ad_size, const uint8_t *box, size_t padded,
                                struct psn_buf *plain, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) large = psn_buf_init_wiped(plain_size_max);
    uint8_t *text = psn_buf_reserve(&large, padded);
    size_t size = 0;
    enum psn_code rc;

    if (!text)
        return psn_buf_check(&large, err);
    rc = open_box(key, ad, ad_size, box, text, padded, &size, err);
    if (!rc)
        psn_buf_bytes(plain, text, size);
    return rc ? rc : psn_buf_check(plain, err);
}

enum psn_code psn_unseal(const struct psn_secret *key, const void *ad, size_t ad_size,
                         const void *box, size_t box_size, struct psn_buf *plain,
                         struct psn_error *err)
{
    size_t padded = padded_size_of(box_size);
    uint8_t *text;
    size_t size = 0;
    enum psn_code rc;

    assert(psn_secret_size(key) == PSN_KEY_SIZE);
    assert(plain->wipe);
    psn_buf_reset(plain);
    if (padded == 0)
        return fail_size(err);
    if (padded > plain->size_max)
        return open_aside(key, ad, ad_size, box, padded, plain, err);
    text = psn_buf_reserve(plain, padded);
    if (!text)
        return psn_buf_check(plain, err);
    rc = open_box(key, ad, ad_size, box, text, padded, &size, err);
    if (rc)
        psn_buf_reset(plain);
    else
        psn_buf_cut(plain, size);
    return rc;
}

enum psn_code psn_unseal_secret(const struct psn_secret *key, const void *ad,
                                size_t ad_size, const void *box, size_t box_size,
                                struct psn_secret **ret_plain, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    size_t padded = padded_size_of(box_size);
    size_t size;
    enum psn_code rc;

    assert(psn_secret_size(key) == PSN_KEY_SIZE);
    if (padded == 0)
        return fail_size(err);
    rc = psn_secret_new(padded, &plain, err);
    if (!rc)
        rc = open_box(key, ad, ad_size, box, psn_secret_fill(plain), padded, &size, err);
    if (rc)
        return rc;
    psn_secret_set_size(plain, size);
    *ret_plain = PSN_TAKE(plain);
    return PSN_OK;
}
