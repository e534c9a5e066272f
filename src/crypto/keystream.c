#include "crypto/keystream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/i18n.h"
#include "crypto/secret.h"

_Static_assert(PSN_KEYSTREAM_KEY_SIZE == crypto_stream_chacha20_ietf_KEYBYTES, "key");
_Static_assert(PSN_KEYSTREAM_NONCE_SIZE == crypto_stream_chacha20_ietf_NONCEBYTES,
               "nonce");

enum {
    BLOCK_SIZE = 64,
};

static const uint64_t stream_size_max = (UINT64_C(1) << 32) * BLOCK_SIZE;

struct psn_keystream {
    struct psn_secret *key;
    uint8_t nonce[PSN_KEYSTREAM_NONCE_SIZE];
    uint64_t at; /* bytes used so far */
};

enum psn_code psn_keystream_new(const uint8_t *key,
                                const uint8_t nonce[PSN_KEYSTREAM_NONCE_SIZE],
                                struct psn_keystream **ret_stream, struct psn_error *err)
{
    PSN_AUTO(psn_keystream) *stream = calloc(1, sizeof *stream);
    enum psn_code rc;

    if (!stream)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_secret_copy(key, PSN_KEYSTREAM_KEY_SIZE, &stream->key, err);
    if (rc)
        return rc;
    memcpy(stream->nonce, nonce, sizeof stream->nonce);
    *ret_stream = PSN_TAKE(stream);
    return PSN_OK;
}

void psn_keystream_free(struct psn_keystream *stream)
{
    if (!stream)
        return;
    psn_secret_free(stream->key);
    free(stream);
}

static void xor_blocks(const struct psn_keystream *stream, uint8_t *bytes, size_t size)
{
    (void)crypto_stream_chacha20_ietf_xor_ic(bytes, bytes, size, stream->nonce,
                                             (uint32_t)(stream->at / BLOCK_SIZE),
                                             psn_secret_bytes(stream->key));
}

/* What is left of a block that was begun goes first, then all the rest in one go. */
void psn_keystream_apply(struct psn_keystream *stream, uint8_t *bytes, size_t size)
{
    uint8_t block[BLOCK_SIZE] = { 0 };
    size_t begun = (size_t)(stream->at % BLOCK_SIZE);
    size_t part = 0;

    assert(size <= stream_size_max - stream->at);
    if (size == 0)
        return;
    if (begun) {
        part = BLOCK_SIZE - begun < size ? BLOCK_SIZE - begun : size;
        memcpy(block + begun, bytes, part);
        xor_blocks(stream, block, sizeof block);
        memcpy(bytes, block + begun, part);
        sodium_memzero(block, sizeof block);
        stream->at += part;
    }
    xor_blocks(stream, bytes + part, size - part);
    stream->at += size - part;
}
