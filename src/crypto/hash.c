#include "crypto/hash.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include <sodium.h>

#include "base/i18n.h"
#include "crypto/secret.h"

_Static_assert(PSN_HASH_SIZE == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(PSN_SHA256_SIZE == crypto_hash_sha256_BYTES, "SHA-256");
_Static_assert(PSN_HMAC_SIZE == crypto_auth_hmacsha256_BYTES, "HMAC-SHA-256");
_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "dlsym() yields functions");

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

void psn_hash_keyed(const struct psn_secret *key, const struct psn_part *parts,
                    size_t count, uint8_t ret_hash[PSN_HASH_SIZE])
{
    assert(psn_secret_size(key) == crypto_generichash_KEYBYTES);
    blake2b(psn_secret_bytes(key), psn_secret_size(key), parts, count, ret_hash);
}

/*
 * SHA-1 out of libcrypto. Linking it would cost every command some milliseconds before
 * main(), and only commands that talk to OVH need it: so it is loaded at the first call
 * and stays. Its EVP interface wipes its own state, which has seen OVH's application
 * secret.
 */
struct sha1_library {
    void *(*context_new)(void);
    void (*context_free)(void *context);
    const void *(*sha1)(void);
    int (*init)(void *context, const void *type, void *engine);
    int (*update)(void *context, const void *bytes, size_t size);
    int (*final)(void *context, unsigned char *ret_digest, unsigned *ret_size);
};

static struct sha1_library sha1_library;
static bool sha1_loaded;
static pthread_once_t sha1_once = PTHREAD_ONCE_INIT;

/* ISO C has no cast from an object's address to a function's; POSIX lets the bytes
 * be copied. */
static bool find_function(void *library, const char *name, void *ret_function)
{
    void *address = dlsym(library, name);

    memcpy(ret_function, &address, sizeof address);
    return address;
}

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
    };
    struct sha1_library found;
    void *library = NULL;

    for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library || !find_function(library, "EVP_MD_CTX_new", &found.context_new) ||
        !find_function(library, "EVP_MD_CTX_free", &found.context_free) ||
        !find_function(library, "EVP_sha1", &found.sha1) ||
        !find_function(library, "EVP_DigestInit_ex", &found.init) ||
        !find_function(library, "EVP_DigestUpdate", &found.update) ||
        !find_function(library, "EVP_DigestFinal_ex", &found.final))
        return;
    sha1_library = found;
    sha1_loaded = true;
}

static bool sha1_of(const struct psn_part *parts, size_t count, uint8_t ret_digest[20])
{
    const struct sha1_library *library = &sha1_library;
    void *context = library->context_new();
    unsigned size = 0;
    bool done = context && library->init(context, library->sha1(), NULL) == 1;

    for (size_t i = 0; done && i < count; i++)
        done = library->update(context, parts[i].bytes, parts[i].size) == 1;
    done = done && library->final(context, ret_digest, &size) == 1 && size == 20;
    library->context_free(context);
    return done;
}

enum psn_code psn_sha1_hex(const struct psn_part *parts, size_t count,
                           char ret_hex[PSN_SHA1_HEX_SIZE], struct psn_error *err)
{
    uint8_t digest[20];

    (void)pthread_once(&sha1_once, load_sha1);
    if (!sha1_loaded) {
        (void)psn_fail(err, PSN_E_UNEXPECTED,
                       _("cannot load libcrypto, which signs requests to OVH"));
        return psn_hint(err, PSN_E_UNEXPECTED,
                        _("install OpenSSL 3 (Debian: apt install libssl3)"));
    }
    if (!sha1_of(parts, count, digest))
        return psn_fail(err, PSN_E_UNEXPECTED, _("libcrypto does not compute SHA-1"));
    (void)psn_hex(digest, sizeof digest, ret_hex);
    return PSN_OK;
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
