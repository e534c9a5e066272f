#include "interop/kdbx.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "base/wire.h"
#include "crypto/digest.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "interop/entry.h"
#include "interop/xml_text.h"

/* Nine words as passphrase carry the strength; this is what telephones can still do. */
static const struct psn_kdf_cost cost = { 3, UINT64_C(64) << 20 };

enum {
    INNER_END = 0,
    INNER_CIPHER = 1,
    INNER_KEY = 2,
    CIPHER_CHACHA20 = 3,
    MASK_KEY_SIZE = 64,
};

/* The inner header as it is written, up to the key; the key and an empty last field
 * follow. One spelling, so it is compared as a whole when it is read. */
static const uint8_t inner_head[] = { INNER_CIPHER,    4, 0, 0, 0,
                                      CIPHER_CHACHA20, 0, 0, 0, INNER_KEY,
                                      MASK_KEY_SIZE,   0, 0, 0 };
static const uint8_t inner_tail[] = { INNER_END, 0, 0, 0, 0 };

/* The passphrase is the only part of the composite key: SHA-256 of its SHA-256. */
enum psn_code psn_kdbx_key(const struct psn_kdbx_head *head,
                           const struct psn_secret *passphrase,
                           struct psn_secret **ret_key, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *composite = NULL;
    enum psn_code rc = psn_secret_new(PSN_SHA256_SIZE, &composite, err);
    uint8_t *digest;

    if (rc)
        return rc;
    digest = psn_secret_fill(composite);
    psn_sha256(psn_secret_bytes(passphrase), psn_secret_size(passphrase), digest);
    psn_sha256(digest, PSN_SHA256_SIZE, digest);
    psn_secret_set_size(composite, PSN_SHA256_SIZE);
    return psn_kdf_argon2id(composite, head->salt, head->cost, ret_key, err);
}

/* The stream that masks secret values: key and nonce are cut out of SHA-512(key). */
static enum psn_code mask_new(const uint8_t key[MASK_KEY_SIZE],
                              struct psn_keystream **ret_mask, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *digest = NULL;
    enum psn_code rc = psn_secret_new(PSN_DIGEST_SIZE, &digest, err);
    uint8_t *at;

    if (rc)
        return rc;
    at = psn_secret_fill(digest);
    psn_sha512(key, MASK_KEY_SIZE, at);
    return psn_keystream_new(at, at + PSN_KEYSTREAM_KEY_SIZE, ret_mask, err);
}

enum psn_code psn_kdbx_content_write(const char *name, const struct psn_entry *entries,
                                     size_t count, struct psn_buf *content,
                                     struct psn_error *err)
{
    PSN_AUTO(psn_keystream) *mask = NULL;
    PSN_AUTO(psn_secret) *key = NULL;
    enum psn_code rc = psn_secret_new(MASK_KEY_SIZE, &key, err);

    if (rc)
        return rc;
    psn_random(psn_secret_fill(key), MASK_KEY_SIZE);
    rc = mask_new(psn_secret_fill(key), &mask, err);
    if (rc)
        return rc;
    psn_buf_bytes(content, inner_head, sizeof inner_head);
    psn_buf_bytes(content, psn_secret_fill(key), MASK_KEY_SIZE);
    psn_buf_bytes(content, inner_tail, sizeof inner_tail);
    return psn_kdbx_xml_write(name, entries, count, mask, content, err);
}

static bool takes(struct psn_wire *wire, const uint8_t *bytes, size_t size)
{
    const uint8_t *at = psn_wire_take(wire, size);

    return at && memcmp(at, bytes, size) == 0;
}

enum psn_code psn_kdbx_content_read(const uint8_t *bytes, size_t size, psn_entry_fn *each,
                                    void *arg, struct psn_error *err)
{
    PSN_AUTO(psn_keystream) *mask = NULL;
    struct psn_wire wire = { bytes, size, false };
    const uint8_t *key;
    enum psn_code rc;
    bool known;

    known = takes(&wire, inner_head, sizeof inner_head);
    key = psn_wire_take(&wire, MASK_KEY_SIZE);
    if (!known || !takes(&wire, inner_tail, sizeof inner_tail))
        return psn_fail(err, PSN_E_INVALID,
                        _("the KDBX file is not of the form that passation writes: "
                          "another program saved it"));
    rc = mask_new(key, &mask, err);
    return rc ? rc
              : psn_kdbx_xml_read((const char *)wire.at, wire.left, mask, each, arg, err);
}

enum psn_code psn_kdbx_write(const char *name, const struct psn_secret *passphrase,
                             const struct psn_entry *entries, size_t count,
                             const struct psn_sink *sink, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) content = psn_buf_init_wiped(PSN_KDBX_FILE_MAX);
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    PSN_AUTO(psn_secret) *key = NULL;
    struct psn_kdbx_head head = { .cost = cost };
    enum psn_code rc = psn_entries_check(entries, count, err);

    if (!rc && !psn_xml_can_hold(name, strlen(name)))
        rc = psn_fail(err, PSN_E_INVALID, _("the name of the KDBX file is not text"));
    if (!rc)
        rc = psn_kdbx_content_write(name, entries, count, &content, err);
    if (rc)
        return rc;
    psn_random(head.seed, sizeof head.seed);
    psn_random(head.nonce, sizeof head.nonce);
    psn_random(head.salt, sizeof head.salt);
    rc = psn_kdbx_key(&head, passphrase, &key, err);
    if (!rc)
        rc = psn_kdbx_seal(&head, key, &content, &file, err);
    return rc ? rc : sink->write(sink->self, file.data, file.size, err);
}

enum psn_code psn_kdbx_read(const void *bytes, size_t size,
                            const struct psn_secret *passphrase, psn_entry_fn *each,
                            void *arg, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) content = psn_buf_init_wiped(PSN_KDBX_FILE_MAX);
    PSN_AUTO(psn_secret) *key = NULL;
    struct psn_kdbx_head head;
    enum psn_code rc;

    if (size > PSN_KDBX_FILE_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("the KDBX file is too large"));
    rc = psn_kdbx_head_read(bytes, size, &head, err);
    if (!rc)
        rc = psn_kdbx_key(&head, passphrase, &key, err);
    if (!rc)
        rc = psn_kdbx_unseal(&head, key, bytes, size, &content, err);
    return rc ? rc : psn_kdbx_content_read(content.data, content.size, each, arg, err);
}

/* ---- verifying ---- */

struct expected {
    const struct psn_entry **list;
    size_t count;
    size_t at;
};

static bool same_text(const char *a, const char *b)
{
    return strcmp(psn_entry_text(a), psn_entry_text(b)) == 0;
}

static bool same_password(const struct psn_secret *a, const struct psn_secret *b)
{
    size_t a_size = a ? psn_secret_size(a) : 0;
    size_t b_size = b ? psn_secret_size(b) : 0;

    return a_size == b_size && (a_size == 0 || psn_secret_equal(a, b));
}

static bool same_entry(const struct psn_entry *a, const struct psn_entry *b)
{
    bool same = same_text(a->group, b->group) && same_text(a->title, b->title) &&
                same_text(a->user, b->user) && same_text(a->url, b->url) &&
                same_text(a->note, b->note) && same_text(a->expires, b->expires) &&
                same_text(a->type, b->type) && same_password(a->password, b->password) &&
                memcmp(a->id, b->id, sizeof a->id) == 0 && a->changed_s == b->changed_s &&
                a->field_count == b->field_count;

    for (size_t i = 0; same && i < a->field_count; i++)
        same = same_text(a->fields[i].name, b->fields[i].name) &&
               same_text(a->fields[i].value, b->fields[i].value);
    return same;
}

static enum psn_code differs(const struct psn_entry *entry, const char *what,
                             struct psn_error *err)
{
    char shown[128];

    return psn_fail(err, PSN_E_VERIFY, _("the KDBX file: entry '%s' %s"),
                    psn_text_shown(psn_entry_text(entry->title), shown, sizeof shown),
                    what);
}

/* Both are in one order. */
static enum psn_code compare(void *arg, const struct psn_entry *entry,
                             struct psn_error *err)
{
    struct expected *expected = arg;

    if (expected->at == expected->count)
        return differs(entry, _("ought not to be in it"), err);
    if (!same_entry(entry, expected->list[expected->at]))
        return differs(expected->list[expected->at], _("is not what it ought to be"),
                       err);
    expected->at++;
    return PSN_OK;
}

enum psn_code psn_kdbx_verify(const void *bytes, size_t size,
                              const struct psn_secret *passphrase,
                              const struct psn_entry *entries, size_t count,
                              struct psn_error *err)
{
    PSN_AUTO_FREE const struct psn_entry **list = NULL;
    struct expected expected = { .count = count };
    enum psn_code rc = psn_entries_sorted(entries, count, &list, err);

    if (rc)
        return rc;
    expected.list = list;
    rc = psn_kdbx_read(bytes, size, passphrase, compare, &expected, err);
    if (!rc && expected.at < count)
        rc = differs(list[expected.at], _("is missing"), err);
    return rc;
}
