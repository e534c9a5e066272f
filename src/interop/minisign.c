#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "passation/signature.h"

/*
 * minisign's files. Public key, two lines:
 *
 *     untrusted comment: TEXT
 *     base64("Ed" || id[8] || key[32])
 *
 * Signature, four lines:
 *
 *     untrusted comment: TEXT
 *     base64("ED" || id[8] || sig[64])         sig of BLAKE2b-512(content)
 *     trusted comment: TEXT
 *     base64(global[64])                       global of sig || trusted comment
 *
 * The two letters in front of the signature are not signed: a legacy signature ("Ed", of
 * the content itself) of a file of 64 bytes is one byte away from a prehashed signature of
 * whatever has that hash. So only "ED" is accepted and made.
 */
static const char untrusted[] = "untrusted comment: ";
static const char trusted[] = "trusted comment: ";
static const char legacy[] = "Ed";
static const char prehashed[] = "ED";

enum {
    ALGORITHM_SIZE = 2,
    COMMENT_MAX = 1024, /* minisign's own limit */
    PUBLIC_SIZE = ALGORITHM_SIZE + PSN_MINISIGN_ID_SIZE + PSN_SIGNATURE_KEY_SIZE,
    SIGNATURE_SIZE = ALGORITHM_SIZE + PSN_MINISIGN_ID_SIZE + PSN_SIGN_SIZE
};

struct line {
    const char *at;
    size_t size;
};

static enum psn_code refuse(struct psn_error *err, const char *why)
{
    return psn_fail(err, PSN_E_INTEGRITY, "%s", why);
}

/* Takes a line without its end, "\n" or "\r\n". */
static bool take_line(const char **at, const char *end, struct line *ret_line)
{
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    size_t size = (size_t)((newline ? newline : end) - *at);

    if (*at == end)
        return false;
    *ret_line = (struct line){ *at, size };
    *at += size + (newline ? 1 : 0);
    if (size > 0 && ret_line->at[size - 1] == '\r')
        ret_line->size--;
    return true;
}

static bool begins(const struct line *line, const char *prefix)
{
    return line->size >= strlen(prefix) && memcmp(line->at, prefix, strlen(prefix)) == 0;
}

/* ---- keys ---- */

enum psn_code psn_minisign_public_parse(const char *text, size_t size,
                                        struct psn_minisign_key *ret_key,
                                        struct psn_error *err)
{
    const char *end = text + size;
    uint8_t blob[PUBLIC_SIZE];
    struct line line;
    bool found = size <= PSN_SIGNATURE_TEXT_MAX && take_line(&text, end, &line);

    if (found && begins(&line, untrusted))
        found = take_line(&text, end, &line);
    if (!found || text != end ||
        !psn_base64_decode_exact(PSN_BASE64, line.at, line.size, blob, sizeof blob) ||
        memcmp(blob, legacy, ALGORITHM_SIZE) != 0) /* the key's own letters */
        return psn_fail(err, PSN_E_INVALID, _("this is not a minisign public key"));
    memcpy(ret_key->id, blob + ALGORITHM_SIZE, sizeof ret_key->id);
    memcpy(ret_key->key, blob + ALGORITHM_SIZE + PSN_MINISIGN_ID_SIZE,
           sizeof ret_key->key);
    return PSN_OK;
}

/* The bytes of a secret key file's second line: letters of the signature, of the key's
 * encryption and of the check; salt[32], two limits[8]; then id, seed, public key and a
 * check of 32 bytes, which are encrypted if there is a password. */
struct secret_blob {
    uint8_t algorithm[2];
    uint8_t kdf[2];
    uint8_t check_algorithm[2];
    uint8_t salt[32];
    uint8_t limits[16];
    uint8_t id[PSN_MINISIGN_ID_SIZE];
    uint8_t seed[PSN_SIGN_SEED_SIZE];
    uint8_t public[PSN_SIGN_PUBLIC_SIZE];
    uint8_t check[PSN_HASH_SIZE];
};

_Static_assert(sizeof(struct secret_blob) == 158, "minisign's secret key has no gaps");

/* Without a password minisign leaves the check empty; later versions may fill it. */
static bool check_holds(const struct secret_blob *blob)
{
    static const uint8_t zero[PSN_HASH_SIZE];
    uint8_t hash[PSN_HASH_SIZE];

    psn_hash((struct psn_part[]){ { blob->algorithm, sizeof blob->algorithm },
                                  { blob->id, sizeof blob->id },
                                  { blob->seed, sizeof blob->seed },
                                  { blob->public, sizeof blob->public } },
             4, hash);
    return memcmp(blob->check, zero, sizeof zero) == 0 ||
           memcmp(blob->check, hash, sizeof hash) == 0;
}

static enum psn_code read_blob(const struct secret_blob *blob,
                               struct psn_secret **ret_seed,
                               struct psn_minisign_key *ret_key, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *seed = NULL;
    uint8_t derived[PSN_SIGN_PUBLIC_SIZE];
    enum psn_code rc;

    if (memcmp(blob->algorithm, legacy, 2) != 0 || memcmp(blob->check_algorithm, "B2", 2) != 0)
        return psn_fail(err, PSN_E_INVALID, _("this is not a minisign secret key"));
    if (memcmp(blob->kdf, "\0\0", 2) != 0) {
        (void)psn_fail(err, PSN_E_DENIED,
                       _("the minisign secret key is encrypted with a password"));
        return psn_hint(err, PSN_E_DENIED,
                        _("take the password off a copy: minisign -C -W -s COPY"));
    }
    rc = psn_secret_copy(blob->seed, sizeof blob->seed, &seed, err);
    if (!rc)
        rc = psn_sign_public(seed, derived, err);
    if (rc)
        return rc;
    if (memcmp(derived, blob->public, sizeof derived) != 0 || !check_holds(blob))
        return psn_fail(err, PSN_E_INVALID, _("the minisign secret key is damaged"));
    memcpy(ret_key->id, blob->id, sizeof ret_key->id);
    memcpy(ret_key->key, derived, sizeof derived);
    *ret_seed = PSN_TAKE(seed);
    return PSN_OK;
}

enum psn_code psn_minisign_secret_parse(const struct psn_secret *text,
                                        struct psn_secret **ret_seed,
                                        struct psn_minisign_key *ret_key,
                                        struct psn_error *err)
{
    PSN_AUTO(psn_secret) *blob = NULL;
    const char *at = (const char *)psn_secret_bytes(text);
    const char *end = at + psn_secret_size(text);
    struct line line;
    enum psn_code rc;

    rc = psn_secret_new(sizeof(struct secret_blob), &blob, err);
    if (rc)
        return rc;
    if (!take_line(&at, end, &line) || !begins(&line, untrusted) ||
        !take_line(&at, end, &line) || at != end ||
        !psn_base64_decode_exact(PSN_BASE64, line.at, line.size, psn_secret_fill(blob),
                                 sizeof(struct secret_blob)))
        return psn_fail(err, PSN_E_INVALID, _("this is not a minisign secret key"));
    return read_blob((const struct secret_blob *)psn_secret_bytes(blob), ret_seed, ret_key,
                     err);
}

/* ---- signing ---- */

/* Tabs are minisign's own habit in trusted comments. */
static enum psn_code check_comment(const char *comment, struct psn_error *err)
{
    size_t size = strlen(comment);
    size_t at = 0;
    bool plain = size > 0 && size <= PSN_TRUSTED_COMMENT_MAX;

    while (plain && at <= size) {
        size_t part = strcspn(comment + at, "\t");

        plain = psn_text_is_plain(comment + at, part);
        at += part + 1;
    }
    if (!plain)
        return psn_fail(err, PSN_E_INVALID,
                        _("a trusted comment is one line of 1 to %d bytes of plain text"),
                        PSN_TRUSTED_COMMENT_MAX);
    return PSN_OK;
}

/* Signature and trusted comment, which the global signature is over. */
static enum psn_code global_data(const uint8_t signature[PSN_SIGN_SIZE],
                                 const char *comment, size_t size, struct psn_buf *out,
                                 struct psn_error *err)
{
    psn_buf_bytes(out, signature, PSN_SIGN_SIZE);
    psn_buf_bytes(out, comment, size);
    return psn_buf_check(out, err);
}

static enum psn_code write_text(const struct psn_minisign_key *key,
                                const uint8_t signature[PSN_SIGN_SIZE],
                                const char *comment, const uint8_t global[PSN_SIGN_SIZE],
                                char **ret_text, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(PSN_SIGNATURE_TEXT_MAX);
    char base64[PSN_BASE64_TEXT_SIZE(SIGNATURE_SIZE)];
    uint8_t blob[SIGNATURE_SIZE];

    memcpy(blob, prehashed, ALGORITHM_SIZE);
    memcpy(blob + ALGORITHM_SIZE, key->id, PSN_MINISIGN_ID_SIZE);
    memcpy(blob + ALGORITHM_SIZE + PSN_MINISIGN_ID_SIZE, signature, PSN_SIGN_SIZE);
    (void)psn_base64_encode(PSN_BASE64, blob, sizeof blob, base64);
    psn_buf_format(&out, "%ssignature from passation\n%s\n%s%s\n", untrusted, base64,
                   trusted, comment);
    (void)psn_base64_encode(PSN_BASE64, global, PSN_SIGN_SIZE, base64);
    psn_buf_format(&out, "%s\n", base64);
    return psn_buf_take(&out, ret_text, err);
}

enum psn_code psn_minisign_sign(const struct psn_secret *seed,
                                const struct psn_minisign_key *key,
                                const struct psn_source *source,
                                const char *trusted_comment, char **ret_text,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf)
    data = psn_buf_init(PSN_SIGN_SIZE + PSN_TRUSTED_COMMENT_MAX);
    uint8_t digest[PSN_DIGEST_SIZE];
    uint8_t signature[PSN_SIGN_SIZE];
    uint8_t global[PSN_SIGN_SIZE];
    enum psn_code rc;

    rc = check_comment(trusted_comment, err);
    if (!rc)
        rc = psn_digest_source(PSN_DIGEST_BLAKE2B, source, digest, err);
    if (!rc)
        rc = psn_sign(seed, digest, sizeof digest, signature, err);
    if (!rc)
        rc = global_data(signature, trusted_comment, strlen(trusted_comment), &data, err);
    if (!rc)
        rc = psn_sign(seed, data.data, data.size, global, err);
    return rc ? rc
              : write_text(key, signature, trusted_comment, global, ret_text, err);
}

/* ---- verifying ---- */

struct minisig {
    uint8_t blob[SIGNATURE_SIZE];
    struct line comment; /* trusted, without its prefix */
    uint8_t global[PSN_SIGN_SIZE];
};

static enum psn_code parse(const char *text, size_t size, struct minisig *ret_sig,
                           struct psn_error *err)
{
    const char *end = text + size;
    struct line line;

    if (size > PSN_SIGNATURE_TEXT_MAX || !take_line(&text, end, &line) ||
        !begins(&line, untrusted) || line.size >= COMMENT_MAX)
        return refuse(err, _("this is not a minisign signature"));
    if (!take_line(&text, end, &line) ||
        !psn_base64_decode_exact(PSN_BASE64, line.at, line.size, ret_sig->blob,
                                 sizeof ret_sig->blob))
        return refuse(err, _("the minisign signature is malformed"));
    if (!take_line(&text, end, &line) || !begins(&line, trusted))
        return refuse(err, _("the minisign signature has no trusted comment"));
    ret_sig->comment = (struct line){ line.at + sizeof trusted - 1,
                                      line.size - (sizeof trusted - 1) };
    if (ret_sig->comment.size > PSN_TRUSTED_COMMENT_MAX ||
        memchr(line.at, '\0', line.size) || memchr(line.at, '\r', line.size))
        return refuse(err, _("the trusted comment of the minisign signature is malformed"));
    if (!take_line(&text, end, &line) ||
        !psn_base64_decode_exact(PSN_BASE64, line.at, line.size, ret_sig->global,
                                 sizeof ret_sig->global))
        return refuse(err, _("the minisign signature of the trusted comment is "
                             "malformed"));
    if (text != end)
        return refuse(err, _("the minisign signature has text behind its end"));
    return PSN_OK;
}

static enum psn_code check_head(const struct minisig *sig,
                                const struct psn_minisign_key *key, struct psn_error *err)
{
    if (memcmp(sig->blob, legacy, ALGORITHM_SIZE) == 0) {
        (void)refuse(err, _("the minisign signature is in the legacy form, which is not "
                            "accepted"));
        return psn_hint(err, PSN_E_INTEGRITY,
                        _("ask for one made without -l (minisign 0.10 or later)"));
    }
    if (memcmp(sig->blob, prehashed, ALGORITHM_SIZE) != 0)
        return refuse(err, _("the minisign signature is of an unknown kind"));
    if (memcmp(sig->blob + ALGORITHM_SIZE, key->id, sizeof key->id) != 0)
        return refuse(err, _("the minisign signature is made with another key"));
    return PSN_OK;
}

enum psn_code psn_minisign_verify(const char *text, size_t size,
                                  const struct psn_minisign_key *key,
                                  const struct psn_source *source, char **ret_comment,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf)
    data = psn_buf_init(PSN_SIGN_SIZE + PSN_TRUSTED_COMMENT_MAX);
    PSN_AUTO_FREE char *comment = NULL;
    uint8_t digest[PSN_DIGEST_SIZE];
    const uint8_t *signature;
    struct minisig sig;
    enum psn_code rc;

    rc = parse(text, size, &sig, err);
    if (!rc)
        rc = check_head(&sig, key, err);
    if (!rc)
        rc = psn_digest_source(PSN_DIGEST_BLAKE2B, source, digest, err);
    if (rc)
        return rc;
    signature = sig.blob + ALGORITHM_SIZE + PSN_MINISIGN_ID_SIZE;
    if (psn_sign_verify(key->key, digest, sizeof digest, signature, NULL))
        return refuse(err, _("the minisign signature is not of this content"));
    rc = global_data(signature, sig.comment.at, sig.comment.size, &data, err);
    if (rc)
        return rc;
    if (psn_sign_verify(key->key, data.data, data.size, sig.global, NULL))
        return refuse(err, _("the trusted comment is not the signer's"));
    comment = strndup(sig.comment.at, sig.comment.size);
    if (!comment)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_comment = PSN_TAKE(comment);
    return PSN_OK;
}
