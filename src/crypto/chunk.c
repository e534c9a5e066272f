#include "crypto/chunk.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/i18n.h"
#include "base/library.h"
#include "crypto/secret.h"

_Static_assert(PSN_CHUNK_KEY_SIZE == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(PSN_CHUNK_NONCE_SIZE == crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
               "nonce");
_Static_assert(PSN_CHUNK_TAG_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag");

/*
 * libsodium runs ChaCha20 and then Poly1305 over each chunk; libcrypto does both in one
 * go of interleaved vector code. Over many chunks that is the difference between half
 * and full speed (ADR 0021), over few it does not pay for loading the library. Both give
 * the same bytes, and a unit test holds them against each other.
 */
struct evp {
    void *(*context_new)(void);
    void (*context_free)(void *context);
    const void *(*cipher)(void);
    int (*init)(void *context, const void *cipher, void *engine, const unsigned char *key,
                const unsigned char *nonce, int encrypt);
    int (*update)(void *context, unsigned char *out, int *ret_size,
                  const unsigned char *in, int size);
    int (*final)(void *context, unsigned char *out, int *ret_size);
    int (*ctrl)(void *context, int type, int value, void *pointer);
};

enum { /* openssl/evp.h: EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG */
    GET_TAG = 0x10,
    SET_TAG = 0x11
};

static struct evp evp;
static bool evp_loaded;
static pthread_once_t evp_once = PTHREAD_ONCE_INIT;

struct psn_chunk {
    struct psn_secret *key;
    void *context; /* libcrypto's, which wipes itself; NULL: libsodium */
};

static void load_evp(void)
{
    static const char *const names[] = {
#ifdef __APPLE__
        "libcrypto.3.dylib",
#else
        "libcrypto.so.3",
#endif
        NULL,
    };
    static const struct psn_library_symbol symbols[] = {
        { "EVP_CIPHER_CTX_new", offsetof(struct evp, context_new) },
        { "EVP_CIPHER_CTX_free", offsetof(struct evp, context_free) },
        { "EVP_chacha20_poly1305", offsetof(struct evp, cipher) },
        { "EVP_CipherInit_ex", offsetof(struct evp, init) },
        { "EVP_CipherUpdate", offsetof(struct evp, update) },
        { "EVP_CipherFinal_ex", offsetof(struct evp, final) },
        { "EVP_CIPHER_CTX_ctrl", offsetof(struct evp, ctrl) },
    };

    evp_loaded = psn_library_load(names, symbols, sizeof symbols / sizeof *symbols, &evp,
                                  NULL) == PSN_OK;
}

enum psn_code psn_chunk_new(const struct psn_secret *key, enum psn_chunk_for count,
                            struct psn_chunk **ret_chunk, struct psn_error *err)
{
    PSN_AUTO(psn_chunk) *chunk = calloc(1, sizeof *chunk);
    enum psn_code rc;

    assert(psn_secret_size(key) == PSN_CHUNK_KEY_SIZE);
    if (!chunk)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_secret_copy(psn_secret_bytes(key), psn_secret_size(key), &chunk->key, err);
    if (rc)
        return rc;
    if (count == PSN_CHUNK_MANY) {
        (void)pthread_once(&evp_once, load_evp);
        chunk->context = evp_loaded ? evp.context_new() : NULL;
        if (chunk->context && evp.init(chunk->context, evp.cipher(), NULL,
                                       psn_secret_bytes(key), NULL, 1) != 1) {
            evp.context_free(chunk->context);
            chunk->context = NULL;
        }
    }
    *ret_chunk = PSN_TAKE(chunk);
    return PSN_OK;
}

void psn_chunk_free(struct psn_chunk *chunk)
{
    if (!chunk)
        return;
    if (chunk->context)
        evp.context_free(chunk->context);
    psn_secret_free(chunk->key);
    free(chunk);
}

/* All of it in one update; ChaCha20-Poly1305 holds nothing back for the end. */
static bool run(struct psn_chunk *chunk, const uint8_t *in, size_t size, uint8_t *out)
{
    uint8_t rest[16];
    int done = 0;
    int more = 0;

    return (size == 0 || evp.update(chunk->context, out, &done, in, (int)size) == 1) &&
           (size_t)done == size && evp.final(chunk->context, rest, &more) == 1 &&
           more == 0;
}

bool psn_chunk_seal(struct psn_chunk *chunk, const uint8_t nonce[PSN_CHUNK_NONCE_SIZE],
                    const uint8_t *plain, size_t size, uint8_t *out)
{
    assert(size <= INT32_MAX);
    if (!chunk->context)
        return crypto_aead_chacha20poly1305_ietf_encrypt(
                   out, NULL, plain, size, NULL, 0, NULL, nonce,
                   psn_secret_bytes(chunk->key)) == 0;
    return evp.init(chunk->context, NULL, NULL, NULL, nonce, 1) == 1 &&
           run(chunk, plain, size, out) &&
           evp.ctrl(chunk->context, GET_TAG, PSN_CHUNK_TAG_SIZE, out + size) == 1;
}

bool psn_chunk_open(struct psn_chunk *chunk, const uint8_t nonce[PSN_CHUNK_NONCE_SIZE],
                    const uint8_t *box, size_t size, uint8_t *out)
{
    uint8_t tag[PSN_CHUNK_TAG_SIZE];
    size_t plain_size;
    bool opened;

    if (size < PSN_CHUNK_TAG_SIZE || size > INT32_MAX)
        return false;
    if (!chunk->context)
        return crypto_aead_chacha20poly1305_ietf_decrypt(
                   out, NULL, NULL, box, size, NULL, 0, nonce,
                   psn_secret_bytes(chunk->key)) == 0;
    plain_size = size - PSN_CHUNK_TAG_SIZE;
    memcpy(tag, box + plain_size, sizeof tag);
    opened = evp.init(chunk->context, NULL, NULL, NULL, nonce, 0) == 1 &&
             evp.ctrl(chunk->context, SET_TAG, PSN_CHUNK_TAG_SIZE, tag) == 1 &&
             run(chunk, box, plain_size, out);
    if (!opened) /* libcrypto decrypts before it knows */
        sodium_memzero(out, plain_size);
    return opened;
}
