#include "crypto/digest.h"

#include <sodium.h>

#include "crypto/secret.h"

_Static_assert(PSN_DIGEST_SIZE == crypto_hash_sha512_BYTES, "SHA-512");
_Static_assert(PSN_DIGEST_SIZE == crypto_generichash_BYTES_MAX, "BLAKE2b-512");

/* Most of what is signed is small, and locked memory is dear. */
static const size_t piece_size_first = 4000;
static const size_t piece_size = (size_t)256 * 1024;

struct digest {
    enum psn_digest kind;
    crypto_hash_sha512_state sha512;
    crypto_generichash_state blake2b;
};

static void update(struct digest *digest, const uint8_t *bytes, size_t size)
{
    if (digest->kind == PSN_DIGEST_SHA512)
        (void)crypto_hash_sha512_update(&digest->sha512, bytes, size);
    else
        (void)crypto_generichash_update(&digest->blake2b, bytes, size);
}

static enum psn_code make_room(struct psn_secret **piece, size_t size,
                               struct psn_error *err)
{
    psn_secret_free(PSN_TAKE(*piece));
    return psn_secret_new(size, piece, err);
}

/* What is signed may be a secret document: the piece is in locked memory, and the states
 * are wiped. */
enum psn_code psn_digest_source(enum psn_digest kind, const struct psn_source *source,
                                uint8_t ret_digest[PSN_DIGEST_SIZE],
                                struct psn_error *err)
{
    PSN_AUTO(psn_secret) *piece = NULL;
    struct digest digest = { .kind = kind };
    size_t room = piece_size_first;
    size_t got;
    enum psn_code rc = psn_secret_new(room, &piece, err);

    if (rc)
        return rc;
    (void)crypto_hash_sha512_init(&digest.sha512);
    (void)crypto_generichash_init(&digest.blake2b, NULL, 0, PSN_DIGEST_SIZE);
    do {
        rc = source->read(source->self, psn_secret_fill(piece), room, &got, err);
        if (!rc)
            update(&digest, psn_secret_bytes(piece), got);
        if (!rc && got == room && room < piece_size) {
            room = piece_size;
            rc = make_room(&piece, room, err);
        }
    } while (!rc && got > 0);
    if (!rc && kind == PSN_DIGEST_SHA512)
        (void)crypto_hash_sha512_final(&digest.sha512, ret_digest);
    else if (!rc)
        (void)crypto_generichash_final(&digest.blake2b, ret_digest, PSN_DIGEST_SIZE);
    sodium_memzero(&digest, sizeof digest);
    return rc;
}

void psn_sha256(const void *bytes, size_t size, uint8_t ret_digest[32])
{
    (void)crypto_hash_sha256(ret_digest, bytes, size);
}

void psn_sha512(const void *bytes, size_t size, uint8_t ret_digest[PSN_DIGEST_SIZE])
{
    (void)crypto_hash_sha512(ret_digest, bytes, size);
}
