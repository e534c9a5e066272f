#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "crypto/ssh_key.h"
#include "passation/signature.h"

/*
 * OpenSSH's PROTOCOL.sshsig. The armor holds, in the wire form of RFC 4251:
 *
 *     "SSHSIG"  uint32 1  string public key  string namespace  string reserved
 *     string hash algorithm  string signature
 *
 * and the signature is over
 *
 *     "SSHSIG"  string namespace  string reserved  string hash algorithm  string H(message)
 *
 * Only what passation writes is read: Ed25519, SHA-512, nothing reserved. Since the blob
 * then has one length for each namespace, and base64 is canonical, a signature has one
 * spelling but for the width of its lines.
 */
static const char begin_line[] = "-----BEGIN SSH SIGNATURE-----";
static const char end_line[] = "-----END SSH SIGNATURE-----";
static const char magic[] = "SSHSIG";
static const char hash_name[] = "sha512";
static const char key_type[] = "ssh-ed25519";

enum {
    VERSION = 1,
    LINE_CHARS = 70, /* as ssh-keygen breaks them */
    BLOB_MAX = 1024
};

struct sshsig {
    uint8_t key[PSN_SIGNATURE_KEY_SIZE];
    char name_space[PSN_NAMESPACE_MAX + 1];
    uint8_t signature[PSN_SIGN_SIZE];
};

static enum psn_code refuse(struct psn_error *err, const char *why)
{
    return psn_fail(err, PSN_E_INTEGRITY, "%s", why);
}

static void put_string(struct psn_buf *out, const void *bytes, size_t size)
{
    psn_buf_u32(out, (uint32_t)size);
    psn_buf_bytes(out, bytes, size);
}

static enum psn_code check_namespace(const char *name_space, struct psn_error *err)
{
    size_t size = strlen(name_space);

    if (size == 0 || size > PSN_NAMESPACE_MAX || !psn_text_is_plain(name_space, size))
        return psn_fail(err, PSN_E_INVALID,
                        _("a namespace has 1 to %d bytes of plain text"),
                        PSN_NAMESPACE_MAX);
    return PSN_OK;
}

static enum psn_code signed_data(const char *name_space, const struct psn_source *source,
                                 struct psn_buf *out, struct psn_error *err)
{
    uint8_t digest[PSN_DIGEST_SIZE];
    enum psn_code rc;

    rc = psn_digest_source(PSN_DIGEST_SHA512, source, digest, err);
    if (rc)
        return rc;
    psn_buf_text(out, magic);
    put_string(out, name_space, strlen(name_space));
    put_string(out, "", 0);
    put_string(out, hash_name, sizeof hash_name - 1);
    put_string(out, digest, sizeof digest);
    return psn_buf_check(out, err);
}

/* ---- writing ---- */

static void put_armor(struct psn_buf *out, const struct psn_buf *blob)
{
    char text[PSN_BASE64_TEXT_SIZE(BLOB_MAX)];
    size_t size = psn_base64_encode(PSN_BASE64, blob->data, blob->size, text);

    psn_buf_format(out, "%s\n", begin_line);
    for (size_t at = 0; at < size; at += LINE_CHARS) {
        size_t used = size - at < LINE_CHARS ? size - at : LINE_CHARS;

        psn_buf_bytes(out, text + at, used);
        psn_buf_char(out, '\n');
    }
    psn_buf_format(out, "%s\n", end_line);
}

static void put_blob(struct psn_buf *blob, const struct sshsig *sig)
{
    uint8_t key[PSN_SSH_BLOB_SIZE];

    psn_ssh_blob(sig->key, key);
    psn_buf_text(blob, magic);
    psn_buf_u32(blob, VERSION);
    put_string(blob, key, sizeof key);
    put_string(blob, sig->name_space, strlen(sig->name_space));
    put_string(blob, "", 0);
    put_string(blob, hash_name, sizeof hash_name - 1);
    psn_buf_u32(blob, 4 + sizeof key_type - 1 + 4 + PSN_SIGN_SIZE);
    put_string(blob, key_type, sizeof key_type - 1);
    put_string(blob, sig->signature, sizeof sig->signature);
}

enum psn_code psn_sshsig_sign(const struct psn_secret *seed, const char *name_space,
                              const struct psn_source *source, char **ret_text,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) data = psn_buf_init(BLOB_MAX);
    PSN_AUTO_RELEASE(psn_buf) blob = psn_buf_init(BLOB_MAX);
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(PSN_SIGNATURE_TEXT_MAX);
    struct sshsig sig = { 0 };
    enum psn_code rc;

    rc = check_namespace(name_space, err);
    if (!rc)
        rc = psn_sign_public(seed, sig.key, err);
    if (!rc)
        rc = signed_data(name_space, source, &data, err);
    if (!rc)
        rc = psn_sign(seed, data.data, data.size, sig.signature, err);
    if (rc)
        return rc;
    memcpy(sig.name_space, name_space, strlen(name_space));
    put_blob(&blob, &sig);
    rc = psn_buf_check(&blob, err);
    if (rc)
        return rc;
    put_armor(&text, &blob);
    return psn_buf_take(&text, ret_text, err);
}

/* ---- reading ---- */

struct cursor {
    const uint8_t *at;
    size_t left;
    bool failed;
};

static const uint8_t *take(struct cursor *cursor, size_t size)
{
    const uint8_t *at = cursor->at;

    if (cursor->failed || size > cursor->left) {
        cursor->failed = true;
        return NULL;
    }
    cursor->at += size;
    cursor->left -= size;
    return at;
}

static uint32_t take_u32(struct cursor *cursor)
{
    const uint8_t *at = take(cursor, 4);

    return at ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
                    at[3]
              : 0;
}

static struct cursor take_string(struct cursor *cursor)
{
    size_t size = take_u32(cursor);
    const uint8_t *at = take(cursor, size);

    return (struct cursor){ at, at ? size : 0, !at };
}

static bool is_text(const struct cursor *string, const char *text)
{
    return !string->failed && string->left == strlen(text) &&
           memcmp(string->at, text, string->left) == 0;
}

/* The base64 between the two lines; the text ends with the second one. */
static bool dearmor(const char *text, size_t size, uint8_t blob[BLOB_MAX],
                    size_t *ret_size)
{
    size_t begin_size = sizeof begin_line - 1;
    size_t end_size = sizeof end_line - 1;
    const char *body = text + begin_size;
    const char *end;

    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    if (size < begin_size + end_size + 2 || memcmp(text, begin_line, begin_size) != 0 ||
        (*body != '\n' && *body != '\r'))
        return false;
    end = text + size - end_size;
    return memcmp(end, end_line, end_size) == 0 && end[-1] == '\n' &&
           psn_base64_decode(PSN_BASE64_LINES, body, (size_t)(end - body), blob, BLOB_MAX,
                             ret_size);
}

static enum psn_code parse_signature(struct cursor string, struct sshsig *sig,
                                     struct psn_error *err)
{
    struct cursor type = take_string(&string);
    struct cursor bytes = take_string(&string);

    if (!is_text(&type, key_type) || bytes.left != PSN_SIGN_SIZE || string.left != 0)
        return refuse(err, _("the SSH signature is not an Ed25519 one"));
    memcpy(sig->signature, bytes.at, PSN_SIGN_SIZE);
    return PSN_OK;
}

static enum psn_code parse_blob(struct cursor blob, struct sshsig *sig,
                                struct psn_error *err)
{
    const uint8_t *start = take(&blob, sizeof magic - 1);
    uint32_t version = take_u32(&blob);
    struct cursor key = take_string(&blob);
    struct cursor name_space = take_string(&blob);
    struct cursor reserved = take_string(&blob);
    struct cursor hash = take_string(&blob);
    struct cursor signature = take_string(&blob);

    if (!start || memcmp(start, magic, sizeof magic - 1) != 0)
        return refuse(err, _("this is not an SSH signature"));
    if (version != VERSION)
        return psn_fail(err, PSN_E_TOO_NEW,
                        _("the SSH signature is of another version than 1"));
    if (blob.failed)
        return refuse(err, _("the SSH signature is cut off"));
    if (blob.left != 0)
        return refuse(err, _("the SSH signature has bytes behind its end"));
    if (!psn_ssh_blob_key(key.at, key.left, sig->key))
        return refuse(err, _("the SSH signature is not made with an ssh-ed25519 key"));
    if (name_space.left == 0 || name_space.left > PSN_NAMESPACE_MAX ||
        memchr(name_space.at, '\0', name_space.left))
        return refuse(err, _("the SSH signature has an impossible namespace"));
    if (reserved.left != 0)
        return refuse(err, _("the SSH signature holds a reserved field, which is not "
                             "signed"));
    if (!is_text(&hash, hash_name))
        return refuse(err, _("the SSH signature uses another hash than SHA-512"));
    memcpy(sig->name_space, name_space.at, name_space.left);
    sig->name_space[name_space.left] = '\0';
    return parse_signature(signature, sig, err);
}

static enum psn_code parse(const char *text, size_t size, struct sshsig *sig,
                           struct psn_error *err)
{
    uint8_t blob[BLOB_MAX];
    size_t blob_size;

    if (size > PSN_SIGNATURE_TEXT_MAX || !dearmor(text, size, blob, &blob_size))
        return refuse(err, _("this is not an SSH signature in text form"));
    return parse_blob((struct cursor){ blob, blob_size, false }, sig, err);
}

enum psn_code psn_sshsig_claimed_key(const char *text, size_t size,
                                     uint8_t ret_key[PSN_SIGNATURE_KEY_SIZE],
                                     struct psn_error *err)
{
    struct sshsig sig;
    enum psn_code rc = parse(text, size, &sig, err);

    if (!rc)
        memcpy(ret_key, sig.key, sizeof sig.key);
    return rc;
}

enum psn_code psn_sshsig_verify(const char *text, size_t size,
                                const uint8_t trusted_key[PSN_SIGNATURE_KEY_SIZE],
                                const char *name_space, const struct psn_source *source,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) data = psn_buf_init(BLOB_MAX);
    char shown[PSN_NAMESPACE_MAX + 1];
    struct sshsig sig;
    enum psn_code rc;

    rc = check_namespace(name_space, err);
    if (!rc)
        rc = parse(text, size, &sig, err);
    if (rc)
        return rc;
    if (memcmp(sig.key, trusted_key, sizeof sig.key) != 0)
        return refuse(err, _("the SSH signature is made with another key"));
    if (strcmp(sig.name_space, name_space) != 0)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the SSH signature is for the namespace '%s', not '%s'"),
                        psn_text_shown(sig.name_space, shown, sizeof shown), name_space);
    rc = signed_data(name_space, source, &data, err);
    if (rc)
        return rc;
    if (psn_sign_verify(trusted_key, data.data, data.size, sig.signature, NULL))
        return refuse(err, _("the SSH signature is not of this content"));
    return PSN_OK;
}

enum psn_code psn_ssh_seed_parse(const struct psn_secret *text,
                                 struct psn_secret **ret_seed, struct psn_error *err)
{
    return psn_ssh_private_parse(text, ret_seed, err);
}
