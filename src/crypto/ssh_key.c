#include "crypto/ssh_key.h"

#include <string.h>

#include <sodium.h>

#include "base/i18n.h"
#include "crypto/base64.h"
#include "crypto/secret.h"
#include "crypto/sign.h"

static const char private_begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char private_end[] = "-----END OPENSSH PRIVATE KEY-----";
static const char type_name[] = "ssh-ed25519";

/* RFC 8709 4: string "ssh-ed25519", string key; a string is its length in 32 bits and its
 * bytes (RFC 4251 5). */
static const uint8_t blob_head[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";

enum {
    BLOB_HEAD_SIZE = sizeof blob_head - 1
};

_Static_assert(BLOB_HEAD_SIZE + PSN_SSH_KEY_SIZE == PSN_SSH_BLOB_SIZE, "blob");

void psn_ssh_blob(const uint8_t key[PSN_SSH_KEY_SIZE],
                  uint8_t ret_blob[PSN_SSH_BLOB_SIZE])
{
    memcpy(ret_blob, blob_head, BLOB_HEAD_SIZE);
    memcpy(ret_blob + BLOB_HEAD_SIZE, key, PSN_SSH_KEY_SIZE);
}

bool psn_ssh_blob_key(const uint8_t *blob, size_t size, uint8_t ret_key[PSN_SSH_KEY_SIZE])
{
    if (size != PSN_SSH_BLOB_SIZE || memcmp(blob, blob_head, BLOB_HEAD_SIZE) != 0)
        return false;
    memcpy(ret_key, blob + BLOB_HEAD_SIZE, PSN_SSH_KEY_SIZE);
    return true;
}

enum psn_code psn_ssh_public_parse(const char *text, size_t size,
                                   uint8_t ret_key[PSN_SSH_KEY_SIZE],
                                   struct psn_error *err)
{
    size_t type_size = sizeof type_name - 1;
    uint8_t blob[PSN_SSH_BLOB_SIZE];
    const char *base64;
    size_t end;

    if (size <= type_size || memcmp(text, type_name, type_size) != 0 ||
        text[type_size] != ' ')
        return psn_fail(err, PSN_E_INVALID, _("this is not an ssh-ed25519 public key"));
    base64 = text + type_size + 1;
    size -= type_size + 1;
    for (end = 0; end < size && !strchr(" \t\r\n", base64[end]); end++)
        ;
    if (!psn_base64_decode_exact(PSN_BASE64, base64, end, blob, sizeof blob) ||
        !psn_ssh_blob_key(blob, sizeof blob, ret_key))
        return psn_fail(err, PSN_E_INVALID, _("the ssh-ed25519 public key is mistyped"));
    return PSN_OK;
}

bool psn_ssh_is_private(const struct psn_secret *text)
{
    size_t size = sizeof private_begin - 1;

    return psn_secret_size(text) >= size &&
           memcmp(psn_secret_bytes(text), private_begin, size) == 0;
}

/* A cursor over the wire form. Reads past the end fail, and keep failing. */
struct wire {
    const uint8_t *at;
    size_t left;
    bool failed;
};

static const uint8_t *take(struct wire *wire, size_t size)
{
    const uint8_t *at = wire->at;

    if (wire->failed || size > wire->left) {
        wire->failed = true;
        return NULL;
    }
    wire->at += size;
    wire->left -= size;
    return at;
}

static uint32_t take_u32(struct wire *wire)
{
    const uint8_t *at = take(wire, 4);

    return at ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
                    at[3]
              : 0;
}

static struct wire take_string(struct wire *wire)
{
    size_t size = take_u32(wire);
    const uint8_t *at = take(wire, size);

    return (struct wire){ at, at ? size : 0, !at };
}

static bool is_text(const struct wire *string, const char *text)
{
    return !string->failed && string->left == strlen(text) &&
           memcmp(string->at, text, string->left) == 0;
}

static enum psn_code damaged(struct psn_error *err)
{
    return psn_fail(err, PSN_E_INVALID, _("the OpenSSH private key is damaged"));
}

/* The base64 between the two lines, decoded into locked memory. */
static enum psn_code decode_pem(const struct psn_secret *text,
                                struct psn_secret **ret_body, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *body = NULL;
    const char *begin = (const char *)psn_secret_bytes(text) + sizeof private_begin - 1;
    const char *end = strstr(begin, private_end);
    size_t size = 0;
    enum psn_code rc;

    if (!end || end[strspn(end + sizeof private_end - 1, "\r\n") + sizeof private_end -
                    1] != '\0')
        return damaged(err);
    rc = psn_secret_new((size_t)(end - begin), &body, err);
    if (rc)
        return rc;
    if (!psn_base64_decode(PSN_BASE64_LINES, begin, (size_t)(end - begin),
                           psn_secret_fill(body), psn_secret_capacity(body), &size))
        return damaged(err);
    psn_secret_set_size(body, size);
    *ret_body = PSN_TAKE(body);
    return PSN_OK;
}

/* The private section: two equal numbers, the key (type, public, seed and public),
 * a comment, and 1, 2, 3… up to a multiple of eight bytes. */
static enum psn_code parse_section(struct wire section, const uint8_t key[],
                                   struct psn_secret **ret_seed, struct psn_error *err)
{
    bool even = section.left % 8 == 0 && take_u32(&section) == take_u32(&section);
    struct wire type = take_string(&section);
    struct wire public = take_string(&section);
    struct wire secret = take_string(&section);
    struct wire comment = take_string(&section);
    bool padded = section.left < 8;

    for (size_t i = 0; padded && i < section.left; i++)
        padded = section.at[i] == i + 1;
    if (!even || !padded || section.failed || comment.failed ||
        !is_text(&type, type_name) || public.left != PSN_SSH_KEY_SIZE ||
        secret.left != PSN_SIGN_SEED_SIZE + PSN_SSH_KEY_SIZE ||
        memcmp(public.at, key, PSN_SSH_KEY_SIZE) != 0 ||
        memcmp(secret.at + PSN_SIGN_SEED_SIZE, key, PSN_SSH_KEY_SIZE) != 0)
        return damaged(err);
    return psn_secret_copy(secret.at, PSN_SIGN_SEED_SIZE, ret_seed, err);
}

static enum psn_code parse_body(const struct psn_secret *body, uint8_t ret_key[],
                                struct psn_secret **ret_seed, struct psn_error *err)
{
    static const char magic[] = "openssh-key-v1"; /* with its NUL */
    struct wire wire = { psn_secret_bytes(body), psn_secret_size(body), false };
    const uint8_t *start = take(&wire, sizeof magic);
    struct wire cipher = take_string(&wire);
    struct wire kdf = take_string(&wire);
    struct wire options = take_string(&wire);
    uint32_t count = take_u32(&wire);
    struct wire public = take_string(&wire);
    struct wire section = take_string(&wire);

    if (!start || memcmp(start, magic, sizeof magic) != 0 || wire.failed ||
        wire.left != 0 || count != 1)
        return damaged(err);
    if (!is_text(&cipher, "none") || !is_text(&kdf, "none") || options.left != 0) {
        (void)psn_fail(err, PSN_E_DENIED,
                       _("the OpenSSH private key is protected by a passphrase"));
        return psn_hint(err, PSN_E_DENIED,
                        _("take the passphrase off a copy: ssh-keygen -p -f COPY"));
    }
    if (!psn_ssh_blob_key(public.at, public.left, ret_key))
        return psn_fail(err, PSN_E_INVALID,
                        _("the OpenSSH private key is not an ssh-ed25519 key"));
    return parse_section(section, ret_key, ret_seed, err);
}

enum psn_code psn_ssh_private_parse(const struct psn_secret *text,
                                    struct psn_secret **ret_seed, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *body = NULL;
    PSN_AUTO(psn_secret) *seed = NULL;
    uint8_t key[PSN_SSH_KEY_SIZE];
    uint8_t derived[PSN_SIGN_PUBLIC_SIZE];
    enum psn_code rc;

    if (!psn_ssh_is_private(text))
        return psn_fail(err, PSN_E_INVALID, _("this is not an OpenSSH private key"));
    rc = decode_pem(text, &body, err);
    if (!rc)
        rc = parse_body(body, key, &seed, err);
    if (!rc)
        rc = psn_sign_public(seed, derived, err);
    if (rc)
        return rc;
    if (memcmp(derived, key, sizeof derived) != 0)
        return damaged(err);
    *ret_seed = PSN_TAKE(seed);
    return PSN_OK;
}
