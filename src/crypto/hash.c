#include "crypto/hash.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <sodium.h>

#include "base/i18n.h"
#include "base/library.h"
#include "crypto/secret.h"

_Static_assert(PSN_HASH_SIZE == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(PSN_SHA256_SIZE == crypto_hash_sha256_BYTES, "SHA-256");
_Static_assert(PSN_HMAC_SHA512_SIZE == crypto_auth_hmacsha512_BYTES, "HMAC-SHA-512");
_Static_assert(PSN_HMAC_SIZE == crypto_auth_hmacsha256_BYTES, "HMAC-SHA-256");

static void blake2b(const uint8_t *key, size_t key_size, const struct psn_part *parts,
                    size_t count, uint8_t ret_hash[PSN_HASH_SIZE])
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, key, key_size, PSN_HASH_SIZE);
    for (size_t i = 0; i < count; i++)
        (void)crypto_generichash_update(&state, parts[i].bytes, parts[i].size);
    (void)crypto_generichash_final(&state, ret_hash, PSN_HASH_SIZE);
    sodium_memzero(&state, sizeof state);
}

void psn_hash(const struct psn_part *parts, size_t count, uint8_t ret_hash[PSN_HASH_SIZE])
{
    blake2b(NULL, 0, parts, count, ret_hash);
}

_Static_assert(sizeof(struct psn_hash_state) >= sizeof(crypto_generichash_state),
               "the state fits");
_Static_assert(_Alignof(struct psn_hash_state) >= _Alignof(crypto_generichash_state),
               "the state is aligned");

void psn_hash_begin(struct psn_hash_state *state)
{
    (void)crypto_generichash_init((crypto_generichash_state *)(void *)state->bytes, NULL,
                                  0, PSN_HASH_SIZE);
}

void psn_hash_add(struct psn_hash_state *state, const void *bytes, size_t size)
{
    (void)crypto_generichash_update((crypto_generichash_state *)(void *)state->bytes,
                                    bytes, size);
}

void psn_hash_end(struct psn_hash_state *state, uint8_t ret_hash[PSN_HASH_SIZE])
{
    (void)crypto_generichash_final((crypto_generichash_state *)(void *)state->bytes,
                                   ret_hash, PSN_HASH_SIZE);
    sodium_memzero(state, sizeof *state);
}

void psn_hash_keyed(const struct psn_secret *key, const struct psn_part *parts,
                    size_t count, uint8_t ret_hash[PSN_HASH_SIZE])
{
    assert(psn_secret_size(key) == crypto_generichash_KEYBYTES);
    blake2b(psn_secret_bytes(key), psn_secret_size(key), parts, count, ret_hash);
}

/*
 * SHA-1 out of libcrypto. Linking it would cost every command some milliseconds before
 * main(), and only commands that talk to OVH or compute one-time codes need it: so it is
 * loaded at the first call and stays. Its EVP interface wipes its own state, which has
 * seen OVH's application secret, and its HMAC the one that has seen a seed.
 */
struct sha1_library {
    void *(*context_new)(void);
    void (*context_free)(void *context);
    const void *(*sha1)(void);
    int (*init)(void *context, const void *type, void *engine);
    int (*update)(void *context, const void *bytes, size_t size);
    int (*final)(void *context, unsigned char *ret_digest, unsigned *ret_size);
    unsigned char *(*hmac)(const void *type, const void *key, int key_size,
                           const unsigned char *bytes, size_t size,
                           unsigned char *ret_mac, unsigned *ret_size);
};

static struct sha1_library sha1_library;
static bool sha1_loaded;
static pthread_once_t sha1_once = PTHREAD_ONCE_INIT;

static void load_sha1(void)
{
    static const char *const names[] = {
#ifdef __APPLE__
        "libcrypto.3.dylib", /* macOS ends a program that asks for the bare name */
#else
        "libcrypto.so.3",
        "libcrypto.so.1.1",
        "libcrypto.so",
#endif
        NULL,
    };
    static const struct psn_library_symbol symbols[] = {
        { "EVP_MD_CTX_new", offsetof(struct sha1_library, context_new) },
        { "EVP_MD_CTX_free", offsetof(struct sha1_library, context_free) },
        { "EVP_sha1", offsetof(struct sha1_library, sha1) },
        { "EVP_DigestInit_ex", offsetof(struct sha1_library, init) },
        { "EVP_DigestUpdate", offsetof(struct sha1_library, update) },
        { "EVP_DigestFinal_ex", offsetof(struct sha1_library, final) },
        { "HMAC", offsetof(struct sha1_library, hmac) },
    };

    sha1_loaded = psn_library_load(names, symbols, sizeof symbols / sizeof *symbols,
                                   &sha1_library, NULL) == PSN_OK;
}

static bool sha1_of(const struct psn_part *parts, size_t count,
                    uint8_t ret_digest[PSN_SHA1_SIZE])
{
    const struct sha1_library *library = &sha1_library;
    void *context = library->context_new();
    unsigned size = 0;
    bool done = context && library->init(context, library->sha1(), NULL) == 1;

    for (size_t i = 0; done && i < count; i++)
        done = library->update(context, parts[i].bytes, parts[i].size) == 1;
    done =
        done && library->final(context, ret_digest, &size) == 1 && size == PSN_SHA1_SIZE;
    library->context_free(context);
    return done;
}

static enum psn_code need_sha1(struct psn_error *err)
{
    (void)pthread_once(&sha1_once, load_sha1);
    if (sha1_loaded)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_UNEXPECTED,
                   _("cannot load libcrypto, which signs requests to OVH and computes "
                     "one-time codes"));
    return psn_hint(err, PSN_E_UNEXPECTED,
                    _("install OpenSSL 3 (Debian: apt install libssl3)"));
}

enum psn_code psn_sha1_hex(const struct psn_part *parts, size_t count,
                           char ret_hex[PSN_SHA1_HEX_SIZE], struct psn_error *err)
{
    uint8_t digest[PSN_SHA1_SIZE];
    enum psn_code rc = need_sha1(err);

    if (rc)
        return rc;
    if (!sha1_of(parts, count, digest))
        return psn_fail(err, PSN_E_UNEXPECTED, _("libcrypto does not compute SHA-1"));
    (void)psn_hex(digest, sizeof digest, ret_hex);
    return PSN_OK;
}

enum psn_code psn_hmac_sha1(const void *key, size_t key_size, const void *bytes,
                            size_t size, uint8_t ret_mac[PSN_SHA1_SIZE],
                            struct psn_error *err)
{
    unsigned mac_size = 0;
    enum psn_code rc = need_sha1(err);

    if (rc)
        return rc;
    if (key_size > INT_MAX ||
        !sha1_library.hmac(sha1_library.sha1(), key, (int)key_size, bytes, size, ret_mac,
                           &mac_size) ||
        mac_size != PSN_SHA1_SIZE)
        return psn_fail(err, PSN_E_UNEXPECTED, _("libcrypto does not compute SHA-1"));
    return PSN_OK;
}

void psn_hmac_sha512(const void *key, size_t key_size, const void *bytes, size_t size,
                     uint8_t ret_mac[PSN_HMAC_SHA512_SIZE])
{
    crypto_auth_hmacsha512_state state;

    (void)crypto_auth_hmacsha512_init(&state, key, key_size);
    (void)crypto_auth_hmacsha512_update(&state, bytes, size);
    (void)crypto_auth_hmacsha512_final(&state, ret_mac);
    sodium_memzero(&state, sizeof state);
}

void psn_sha256_parts(const struct psn_part *parts, size_t count,
                      uint8_t ret_digest[PSN_SHA256_SIZE])
{
    crypto_hash_sha256_state state;

    (void)crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < count; i++)
        (void)crypto_hash_sha256_update(&state, parts[i].bytes, parts[i].size);
    (void)crypto_hash_sha256_final(&state, ret_digest);
    sodium_memzero(&state, sizeof state);
}

void psn_sha256_hex(const struct psn_part *parts, size_t count,
                    char ret_hex[PSN_SHA256_HEX_SIZE])
{
    uint8_t digest[PSN_SHA256_SIZE];

    psn_sha256_parts(parts, count, digest);
    (void)psn_hex(digest, sizeof digest, ret_hex);
}

void psn_hmac_sha256(const void *key, size_t key_size, const struct psn_part *parts,
                     size_t count, uint8_t ret_mac[PSN_HMAC_SIZE])
{
    crypto_auth_hmacsha256_state state;

    (void)crypto_auth_hmacsha256_init(&state, key, key_size);
    for (size_t i = 0; i < count; i++)
        (void)crypto_auth_hmacsha256_update(&state, parts[i].bytes, parts[i].size);
    (void)crypto_auth_hmacsha256_final(&state, ret_mac);
    sodium_memzero(&state, sizeof state);
}

bool psn_mac_equal(const uint8_t a[PSN_HMAC_SIZE], const uint8_t b[PSN_HMAC_SIZE])
{
    return sodium_memcmp(a, b, PSN_HMAC_SIZE) == 0;
}

/*
 * RFC 5869, with its names: PRK = HMAC(salt, IKM); T(0) = "";
 * T(n) = HMAC(PRK, T(n-1) || info || n); the output is T(1) || T(2) || … cut to size.
 * An empty salt stands for 32 zeros, which HMAC's own padding makes of it.
 */
void psn_hkdf_sha256(const void *ikm, size_t ikm_size, const void *salt, size_t salt_size,
                     const void *info, size_t info_size, uint8_t *ret_key, size_t size)
{
    uint8_t prk[crypto_auth_hmacsha256_BYTES];
    uint8_t t[crypto_auth_hmacsha256_BYTES];
    size_t t_size = 0;
    uint8_t n = 0;

    assert(size <= 255 * sizeof t);
    psn_hmac_sha256(salt ? salt : "", salt_size, &(struct psn_part){ ikm, ikm_size }, 1,
                    prk);
    while (size > 0) {
        size_t used = size < sizeof t ? size : sizeof t;

        n++;
        psn_hmac_sha256(
            prk, sizeof prk,
            (struct psn_part[]){ { t, t_size }, { info, info_size }, { &n, 1 } }, 3, t);
        t_size = sizeof t;
        memcpy(ret_key, t, used);
        ret_key += used;
        size -= used;
    }
    sodium_memzero(prk, sizeof prk);
    sodium_memzero(t, sizeof t);
}

const char *psn_hex(const void *bytes, size_t size, char *out)
{
    return sodium_bin2hex(out, 2 * size + 1, bytes, size);
}

bool psn_unhex(const char *hex, void *ret_bytes, size_t size)
{
    return strspn(hex, "0123456789abcdef") >= 2 * size &&
           sodium_hex2bin(ret_bytes, size, hex, 2 * size, NULL, NULL, NULL) == 0;
}

void psn_random(void *bytes, size_t size)
{
    randombytes_buf(bytes, size);
}
