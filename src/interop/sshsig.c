#include "interop/sshsig.h"

#include <string.h>

#include "base/i18n.h"
#include "crypto/hash.h"

/*
 * The signature is over
 *
 *     "SSHSIG" || string namespace || string "" || string "sha512" || string SHA-512
 *
 * and travels as the base64 of
 *
 *     "SSHSIG" || u32 1 || string key || string namespace || string "" || string "sha512"
 *              || string (string "ssh-ed25519" || string signature)
 *
 * in lines of 70 characters; a string is its size in 32 bits and its bytes.
 */
enum {
    VERSION = 1,
    LINE = 70,
    BLOB_MAX = 1024,
    ARMOR_MAX = 2048,
};

static const char magic[] = "SSHSIG";
static const char key_type[] = "ssh-ed25519";
static const char hash_name[] = "sha512";

static void put_string(struct psn_buf *out, const void *bytes, size_t size)
{
    psn_buf_u32(out, (uint32_t)size);
    psn_buf_bytes(out, bytes, size);
}

static void put_text(struct psn_buf *out, const char *text)
{
    put_string(out, text, strlen(text));
}

static enum psn_code signed_data(const char *name_space, const void *message, size_t size,
                                 struct psn_buf *out, struct psn_error *err)
{
    uint8_t hash[PSN_SHA512_SIZE];

    psn_sha512(&(struct psn_part){ message, size }, 1, hash);
    psn_buf_text(out, magic);
    put_text(out, name_space);
    put_text(out, "");
    put_text(out, hash_name);
    put_string(out, hash, sizeof hash);
    return psn_buf_check(out, err);
}

/* The blob up to the signature itself. */
static void put_head(const uint8_t key[PSN_SIGN_PUBLIC_SIZE], const char *name_space,
                     struct psn_buf *out)
{
    psn_buf_text(out, magic);
    psn_buf_u32(out, VERSION);
    psn_buf_u32(out, (uint32_t)(4 + strlen(key_type) + 4 + PSN_SIGN_PUBLIC_SIZE));
    put_text(out, key_type);
    put_string(out, key, PSN_SIGN_PUBLIC_SIZE);
    put_text(out, name_space);
    put_text(out, "");
    put_text(out, hash_name);
    psn_buf_u32(out, (uint32_t)(4 + strlen(key_type) + 4 + PSN_SIGN_SIZE));
    put_text(out, key_type);
    psn_buf_u32(out, PSN_SIGN_SIZE);
}

static enum psn_code armor_blob(const struct psn_buf *blob, struct psn_buf *out,
                                struct psn_error *err)
{
    char base64[ARMOR_MAX];
    size_t size;

    if (!psn_base64(blob->data, blob->size, base64, sizeof base64))
        return psn_fail(err, PSN_E_LIMIT, _("a signature is too long"));
    size = strlen(base64);
    psn_buf_text(out, PSN_SSHSIG_BEGIN);
    for (size_t i = 0; i < size; i += LINE) {
        psn_buf_bytes(out, base64 + i, size - i < LINE ? size - i : LINE);
        psn_buf_char(out, '\n');
    }
    psn_buf_text(out, PSN_SSHSIG_END);
    return psn_buf_check(out, err);
}

enum psn_code psn_sshsig_sign(const struct psn_secret *seed, const char *name_space,
                              const void *message, size_t size, struct psn_buf *out,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) data = psn_buf_init(BLOB_MAX);
    PSN_AUTO_RELEASE(psn_buf) blob = psn_buf_init(BLOB_MAX);
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    uint8_t signature[PSN_SIGN_SIZE];
    enum psn_code rc = signed_data(name_space, message, size, &data, err);

    if (!rc)
        rc = psn_sign_public(seed, key, err);
    if (!rc)
        rc = psn_sign(seed, data.data, data.size, signature, err);
    if (rc)
        return rc;
    put_head(key, name_space, &blob);
    psn_buf_bytes(&blob, signature, sizeof signature);
    rc = psn_buf_check(&blob, err);
    return rc ? rc : armor_blob(&blob, out, err);
}

static enum psn_code fail_malformed(struct psn_error *err)
{
    return psn_fail(err, PSN_E_INTEGRITY, _("a signature is malformed"));
}

/* Finds the armor's end and decodes what is in between. */
static enum psn_code read_armor(const char *armor, size_t size, struct psn_buf *blob,
                                size_t *ret_used, struct psn_error *err)
{
    const size_t begin = strlen(PSN_SSHSIG_BEGIN);
    const char *end;
    uint8_t bytes[BLOB_MAX];
    size_t used = 0;

    if (size < begin || memcmp(armor, PSN_SSHSIG_BEGIN, begin) != 0)
        return fail_malformed(err);
    end = memmem(armor, size, "\n" PSN_SSHSIG_END, strlen("\n" PSN_SSHSIG_END));
    if (!end || (size_t)(end - armor) < begin ||
        !psn_base64_read(armor + begin, (size_t)(end - armor) - begin, bytes,
                         sizeof bytes, &used))
        return fail_malformed(err);
    psn_buf_bytes(blob, bytes, used);
    *ret_used = (size_t)(end - armor) + strlen("\n" PSN_SSHSIG_END);
    return psn_buf_check(blob, err);
}

enum psn_code psn_sshsig_verify(const char *armor, size_t armor_size,
                                const char *name_space, const void *message, size_t size,
                                uint8_t ret_key[PSN_SIGN_PUBLIC_SIZE], size_t *ret_used,
                                struct psn_error *err)
{
    /* "SSHSIG", version, sizes, key type: then comes the key */
    const size_t key_at = 6 + 4 + 4 + 4 + sizeof key_type - 1 + 4;
    PSN_AUTO_RELEASE(psn_buf) blob = psn_buf_init(BLOB_MAX);
    PSN_AUTO_RELEASE(psn_buf) head = psn_buf_init(BLOB_MAX);
    PSN_AUTO_RELEASE(psn_buf) data = psn_buf_init(BLOB_MAX);
    enum psn_code rc = read_armor(armor, armor_size, &blob, ret_used, err);

    if (rc)
        return rc;
    if (blob.size < key_at + PSN_SIGN_PUBLIC_SIZE)
        return fail_malformed(err);
    memcpy(ret_key, blob.data + key_at, PSN_SIGN_PUBLIC_SIZE);
    /* There is one way to write it: everything but key and signature is given. */
    put_head(ret_key, name_space, &head);
    rc = psn_buf_check(&head, err);
    if (rc)
        return rc;
    if (blob.size != head.size + PSN_SIGN_SIZE ||
        memcmp(blob.data, head.data, head.size) != 0)
        return fail_malformed(err);
    rc = signed_data(name_space, message, size, &data, err);
    return rc ? rc
              : psn_sign_verify(ret_key, data.data, data.size, blob.data + head.size,
                                err);
}
