#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*
 * Preloaded into passation by a benchmark: how long one run spends in cryptography and in
 * making bytes durable, so that the rest is known from the same run. At the end "crypto
 * sync calls syncs" goes to the file that COST_FILE names, in nanoseconds and counts.
 */
static unsigned long long spent[2];
static unsigned long long calls[2];
static unsigned depth; /* libsodium calls itself: only the outermost call is counted */

static unsigned long long now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000000ULL +
           (unsigned long long)now.tv_nsec;
}

typedef long any_fn(long, long, long, long, long, long, long, long, long, long, long,
                    long);

/* Twelve words are passed on whatever the function takes: all of theirs are pointers and
 * integers, which the calling convention treats alike. */
#define COUNTED(name, kind)                                                           \
    long name(long a, long b, long c, long d, long e, long f, long g, long h, long i, \
              long j, long k, long l);                                                \
    long name(long a, long b, long c, long d, long e, long f, long g, long h, long i, \
              long j, long k, long l)                                                 \
    {                                                                                 \
        static any_fn *real;                                                          \
        unsigned long long from;                                                      \
        long result;                                                                  \
                                                                                      \
        if (!real)                                                                    \
            real = (any_fn *)dlsym(RTLD_NEXT, #name);                                 \
        from = depth++ ? 0 : now_ns();                                                \
        result = real(a, b, c, d, e, f, g, h, i, j, k, l);                            \
        if (--depth == 0) {                                                           \
            spent[kind] += now_ns() - from;                                           \
            calls[kind]++;                                                            \
        }                                                                             \
        return result;                                                                \
    }

COUNTED(crypto_aead_chacha20poly1305_ietf_decrypt, 0)
COUNTED(crypto_aead_chacha20poly1305_ietf_encrypt, 0)
COUNTED(crypto_aead_xchacha20poly1305_ietf_decrypt, 0)
COUNTED(crypto_aead_xchacha20poly1305_ietf_encrypt, 0)
COUNTED(crypto_auth_hmacsha256, 0)
COUNTED(crypto_auth_hmacsha256_final, 0)
COUNTED(crypto_auth_hmacsha256_init, 0)
COUNTED(crypto_auth_hmacsha256_update, 0)
COUNTED(crypto_generichash_final, 0)
COUNTED(crypto_generichash_init, 0)
COUNTED(crypto_generichash_update, 0)
COUNTED(crypto_hash_sha256, 0)
COUNTED(crypto_hash_sha512_final, 0)
COUNTED(crypto_hash_sha512_init, 0)
COUNTED(crypto_hash_sha512_update, 0)
COUNTED(crypto_kdf_derive_from_key, 0)
COUNTED(crypto_pwhash, 0)
COUNTED(crypto_pwhash_scryptsalsa208sha256_ll, 0)
COUNTED(crypto_scalarmult, 0)
COUNTED(crypto_scalarmult_base, 0)
COUNTED(crypto_sign_detached, 0)
COUNTED(crypto_sign_ed25519_pk_to_curve25519, 0)
COUNTED(crypto_sign_ed25519_sk_to_curve25519, 0)
COUNTED(crypto_sign_seed_keypair, 0)
COUNTED(crypto_sign_verify_detached, 0)
COUNTED(randombytes_buf, 0)
COUNTED(fsync, 1)
COUNTED(fdatasync, 1)

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("COST_FILE");
    FILE *file = path ? fopen(path, "w") : NULL;

    if (!file)
        return;
    (void)fprintf(file, "%llu %llu %llu %llu\n", spent[0], spent[1], calls[0], calls[1]);
    (void)fclose(file);
}
