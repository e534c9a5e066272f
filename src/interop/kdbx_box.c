#include <stdbool.h>
#include <string.h>

#include "base/i18n.h"
#include "base/wire.h"
#include "crypto/digest.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "interop/kdbx.h"

enum {
    MAJOR = 4,
    MINOR_MAX = 1,
    BLOCK_SIZE = 1024 * 1024,
    HEADER_MAX = 4096,
    NUMBER_SIZE = 4,

    FIELD_END = 0,
    FIELD_CIPHER = 2,
    FIELD_COMPRESSION = 3,
    FIELD_SEED = 4,
    FIELD_NONCE = 7,
    FIELD_KDF = 11,

    DICTIONARY_VERSION = 0x0100,
    TYPE_U32 = 0x04,
    TYPE_U64 = 0x05,
    TYPE_BYTES = 0x42,
    ARGON2_VERSION = 0x13,
};

static const uint64_t memory_max_bytes = UINT64_C(1) << 30;
static const uint64_t memory_min_bytes = UINT64_C(8) << 10; /* Argon2's own */
static const uint64_t passes_max = 100;

static const uint8_t magic[8] = { 0x03, 0xd9, 0xa2, 0x9a, 0x67, 0xfb, 0x4b, 0xb5 };
static const uint8_t chacha20[16] = { 0xd6, 0x03, 0x8a, 0x2b, 0x8b, 0x6f, 0x4c, 0xb5,
                                      0xa5, 0x24, 0x33, 0x9a, 0x31, 0xdb, 0xb5, 0x9a };
static const uint8_t argon2id[16] = { 0x9e, 0x29, 0x8b, 0x19, 0x56, 0xdb, 0x47, 0x73,
                                      0xb2, 0x3d, 0xfc, 0x3e, 0xc6, 0xf0, 0xa1, 0xe6 };

static enum psn_code damaged(struct psn_error *err)
{
    return psn_fail(err, PSN_E_INTEGRITY, _("the KDBX file is damaged"));
}

static enum psn_code other_kind(const char *what, struct psn_error *err)
{
    return psn_fail(err, PSN_E_INVALID, _("a KDBX file of this kind is not read: %s"),
                    what);
}

/* ---- numbers ---- */

static void put_number(struct psn_buf *out, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        psn_buf_u8(out, (uint8_t)(value >> (8 * i)));
}

static uint64_t number_of(const uint8_t *at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; at && i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static uint64_t take_number(struct psn_wire *wire, size_t size)
{
    return number_of(psn_wire_take(wire, size), size);
}

/* A size of four bytes, and so many bytes. */
static struct psn_wire take_sized(struct psn_wire *wire)
{
    size_t size = (size_t)take_number(wire, NUMBER_SIZE);
    const uint8_t *at = psn_wire_take(wire, size);

    return (struct psn_wire){ at, at ? size : 0, !at };
}

/* ---- the header, written ---- */

static void put_field(struct psn_buf *out, uint8_t field, const void *bytes, size_t size)
{
    psn_buf_u8(out, field);
    put_number(out, size, NUMBER_SIZE);
    psn_buf_bytes(out, bytes, size);
}

static void put_item(struct psn_buf *out, uint8_t type, const char *name,
                     const void *bytes, size_t size)
{
    psn_buf_u8(out, type);
    put_number(out, strlen(name), NUMBER_SIZE);
    psn_buf_text(out, name);
    put_number(out, size, NUMBER_SIZE);
    psn_buf_bytes(out, bytes, size);
}

static void put_number_item(struct psn_buf *out, const char *name, uint64_t value,
                            unsigned size)
{
    psn_buf_u8(out, size == sizeof(uint32_t) ? TYPE_U32 : TYPE_U64);
    put_number(out, strlen(name), NUMBER_SIZE);
    psn_buf_text(out, name);
    put_number(out, size, NUMBER_SIZE);
    put_number(out, value, size);
}

static void put_kdf(struct psn_buf *out, const struct psn_kdbx_head *head)
{
    PSN_AUTO_RELEASE(psn_buf) items = psn_buf_init(HEADER_MAX);

    put_number(&items, DICTIONARY_VERSION, sizeof(uint16_t));
    put_item(&items, TYPE_BYTES, "$UUID", argon2id, sizeof argon2id);
    put_number_item(&items, "I", head->cost.passes, sizeof(uint64_t));
    put_number_item(&items, "M", head->cost.memory_bytes, sizeof(uint64_t));
    put_number_item(&items, "P", 1, sizeof(uint32_t));
    put_item(&items, TYPE_BYTES, "S", head->salt, sizeof head->salt);
    put_number_item(&items, "V", ARGON2_VERSION, sizeof(uint32_t));
    psn_buf_u8(&items, 0);
    if (items.failed)
        out->failed = items.failed;
    else
        put_field(out, FIELD_KDF, items.data, items.size);
}

static void put_head(struct psn_buf *out, const struct psn_kdbx_head *head)
{
    static const uint8_t no_compression[NUMBER_SIZE];

    psn_buf_bytes(out, magic, sizeof magic);
    put_number(out, MAJOR << 16, NUMBER_SIZE);
    put_field(out, FIELD_CIPHER, chacha20, sizeof chacha20);
    put_field(out, FIELD_COMPRESSION, no_compression, sizeof no_compression);
    put_field(out, FIELD_SEED, head->seed, sizeof head->seed);
    put_field(out, FIELD_NONCE, head->nonce, sizeof head->nonce);
    put_kdf(out, head);
    put_field(out, FIELD_END, "\r\n\r\n", 4);
}

/* ---- the header, read ---- */

/* Argon2's parameters, by the names they have in the dictionary. */
enum {
    ITEM_UUID,
    ITEM_PASSES,
    ITEM_MEMORY,
    ITEM_LANES,
    ITEM_SALT,
    ITEM_VERSION,
    ITEMS,
};

static const char *const item_names[ITEMS] = { "$UUID", "I", "M", "P", "S", "V" };

static struct psn_wire *item_of(struct psn_wire items[ITEMS], const struct psn_wire *name)
{
    for (size_t i = 0; i < ITEMS; i++)
        if (psn_wire_is(name, item_names[i]))
            return &items[i];
    return NULL;
}

/* A number of that size, or UINT64_MAX. */
static uint64_t item_number(const struct psn_wire *item, size_t size)
{
    return item->left == size ? number_of(item->at, size) : UINT64_MAX;
}

/* A name that is not known could change what the passphrase becomes. */
static bool split_items(struct psn_wire wire, struct psn_wire items[ITEMS])
{
    if (take_number(&wire, sizeof(uint16_t)) >> 8 != DICTIONARY_VERSION >> 8)
        return false;
    while (take_number(&wire, 1) != 0) {
        struct psn_wire name = take_sized(&wire);
        struct psn_wire value = take_sized(&wire);
        struct psn_wire *item = item_of(items, &name);

        if (wire.failed || !item || item->at)
            return false;
        *item = value;
    }
    return !wire.failed && wire.left == 0;
}

static enum psn_code read_kdf(const struct psn_wire *field, struct psn_kdbx_head *head,
                              struct psn_error *err)
{
    struct psn_wire items[ITEMS] = { 0 };
    const struct psn_wire *uuid = &items[ITEM_UUID];
    uint64_t passes;
    uint64_t memory;

    if (!split_items(*field, items))
        return other_kind(_("its key derivation is not known"), err);
    if (uuid->left != sizeof argon2id ||
        memcmp(uuid->at, argon2id, sizeof argon2id) != 0 ||
        item_number(&items[ITEM_VERSION], sizeof(uint32_t)) != ARGON2_VERSION)
        return other_kind(_("its key is not derived with Argon2id"), err);
    if (item_number(&items[ITEM_LANES], sizeof(uint32_t)) != 1)
        return other_kind(_("its Argon2id has more than one lane"), err);
    if (items[ITEM_SALT].left != sizeof head->salt)
        return other_kind(_("its salt is not of 16 bytes"), err);
    passes = item_number(&items[ITEM_PASSES], sizeof(uint64_t));
    memory = item_number(&items[ITEM_MEMORY], sizeof(uint64_t));
    if (passes < 1 || passes > passes_max || memory < memory_min_bytes ||
        memory > memory_max_bytes || memory % 1024 != 0)
        return psn_fail(err, PSN_E_LIMIT,
                        _("opening the KDBX file would take too much time or memory"));
    memcpy(head->salt, items[ITEM_SALT].at, sizeof head->salt);
    head->cost = (struct psn_kdf_cost){ (uint32_t)passes, memory };
    return PSN_OK;
}

/* What each field must be, or be as long as. */
static enum psn_code check_fields(const struct psn_wire fields[], struct psn_error *err)
{
    static const uint8_t no_compression[NUMBER_SIZE];
    const struct psn_wire *cipher = &fields[FIELD_CIPHER];
    const struct psn_wire *compression = &fields[FIELD_COMPRESSION];

    if (cipher->left != sizeof chacha20 ||
        memcmp(cipher->at, chacha20, sizeof chacha20) != 0)
        return other_kind(_("it is not encrypted with ChaCha20"), err);
    if (compression->left != sizeof no_compression ||
        memcmp(compression->at, no_compression, sizeof no_compression) != 0)
        return other_kind(_("it is compressed"), err);
    if (fields[FIELD_SEED].left != PSN_KDBX_SEED_SIZE ||
        fields[FIELD_NONCE].left != PSN_KEYSTREAM_NONCE_SIZE)
        return damaged(err);
    return PSN_OK;
}

/* The header's fields by number, as they are; *ret_unknown if there are others. */
static bool split_fields(struct psn_wire *wire, struct psn_wire fields[FIELD_KDF + 1],
                         bool *ret_unknown)
{
    size_t field;

    *ret_unknown = false;
    do {
        struct psn_wire value;

        field = (size_t)take_number(wire, 1);
        value = take_sized(wire);
        if (wire->failed || (field <= FIELD_KDF && fields[field].at))
            return false;
        if (field <= FIELD_KDF)
            fields[field] = value;
        else
            *ret_unknown = true;
    } while (field != FIELD_END);
    return true;
}

/* The hash behind the header is no proof, since anybody can make it: it tells damage from
 * another kind of file, and from a wrong passphrase. */
enum psn_code psn_kdbx_head_read(const uint8_t *bytes, size_t size,
                                 struct psn_kdbx_head *ret_head, struct psn_error *err)
{
    struct psn_wire wire = { bytes, size, false };
    struct psn_wire fields[FIELD_KDF + 1] = { 0 };
    struct psn_kdbx_head head = { 0 };
    uint8_t digest[PSN_SHA256_SIZE];
    bool unknown = false;
    const uint8_t *at = psn_wire_take(&wire, sizeof magic);
    uint32_t version = (uint32_t)take_number(&wire, NUMBER_SIZE);
    enum psn_code rc;

    if (wire.failed || memcmp(at, magic, sizeof magic) != 0)
        return psn_fail(err, PSN_E_INTEGRITY, _("this is not a KDBX file"));
    if (version >> 16 != MAJOR || (version & 0xffff) > MINOR_MAX)
        return other_kind(_("it is not of version 4"), err);
    if (!split_fields(&wire, fields, &unknown))
        return damaged(err);
    head.size = size - wire.left;
    at = psn_wire_take(&wire, sizeof digest);
    psn_sha256(bytes, head.size, digest);
    if (!at || memcmp(at, digest, sizeof digest) != 0)
        return damaged(err);
    if (unknown)
        return other_kind(_("its header has an unknown field"), err);
    rc = check_fields(fields, err);
    if (rc)
        return rc;
    memcpy(head.seed, fields[FIELD_SEED].at, sizeof head.seed);
    memcpy(head.nonce, fields[FIELD_NONCE].at, sizeof head.nonce);
    rc = read_kdf(&fields[FIELD_KDF], &head, err);
    if (!rc)
        *ret_head = head;
    return rc;
}

/* ---- keys ---- */

/* The key of the blocks' HMACs, and the cipher's. */
struct keys {
    struct psn_secret *mac;
    struct psn_keystream *stream;
};

static void keys_release(struct keys *keys)
{
    psn_secret_free(keys->mac);
    psn_keystream_free(keys->stream);
}

/* SHA-512(seed || key || 1) and SHA-256(seed || key). */
static enum psn_code derive(const struct psn_kdbx_head *head,
                            const struct psn_secret *key, struct keys *keys,
                            struct psn_error *err)
{
    static const uint8_t one = 1;
    PSN_AUTO(psn_secret) *both = NULL;
    PSN_AUTO(psn_secret) *cipher = NULL;
    size_t size = sizeof head->seed + psn_secret_size(key);
    enum psn_code rc;

    rc = psn_secret_new(size + 1, &both, err);
    if (!rc)
        rc = psn_secret_append(both, head->seed, sizeof head->seed, err);
    if (!rc)
        rc = psn_secret_append(both, psn_secret_bytes(key), psn_secret_size(key), err);
    if (!rc)
        rc = psn_secret_append(both, &one, sizeof one, err);
    if (!rc)
        rc = psn_secret_new(PSN_DIGEST_SIZE, &keys->mac, err);
    if (!rc)
        rc = psn_secret_new(PSN_KEYSTREAM_KEY_SIZE, &cipher, err);
    if (rc)
        return rc;
    psn_sha512(psn_secret_bytes(both), size + 1, psn_secret_fill(keys->mac));
    psn_secret_set_size(keys->mac, PSN_DIGEST_SIZE);
    psn_sha256(psn_secret_bytes(both), size, psn_secret_fill(cipher));
    return psn_keystream_new(psn_secret_fill(cipher), head->nonce, &keys->stream, err);
}

/* Each block's HMAC has a key of its own: SHA-512(index || key). The header's index is
 * the greatest. */
static enum psn_code mac_of(const struct keys *keys, uint64_t index,
                            const struct psn_part *parts, size_t count,
                            uint8_t ret_mac[PSN_HMAC_SIZE], struct psn_error *err)
{
    PSN_AUTO(psn_secret) *input = NULL;
    PSN_AUTO(psn_secret) *key = NULL;
    uint8_t number[sizeof index];
    enum psn_code rc;

    for (unsigned i = 0; i < sizeof number; i++)
        number[i] = (uint8_t)(index >> (8 * i));
    rc = psn_secret_new(sizeof number + PSN_DIGEST_SIZE, &input, err);
    if (!rc)
        rc = psn_secret_append(input, number, sizeof number, err);
    if (!rc)
        rc = psn_secret_append(input, psn_secret_bytes(keys->mac), PSN_DIGEST_SIZE, err);
    if (!rc)
        rc = psn_secret_new(PSN_DIGEST_SIZE, &key, err);
    if (rc)
        return rc;
    psn_sha512(psn_secret_bytes(input), psn_secret_size(input), psn_secret_fill(key));
    psn_hmac_sha256(psn_secret_fill(key), PSN_DIGEST_SIZE, parts, count, ret_mac);
    return PSN_OK;
}

static enum psn_code head_mac(const struct keys *keys, const uint8_t *bytes, size_t size,
                              uint8_t ret_mac[PSN_HMAC_SIZE], struct psn_error *err)
{
    return mac_of(keys, UINT64_MAX, &(struct psn_part){ bytes, size }, 1, ret_mac, err);
}

/* Over index, size and bytes. */
static enum psn_code block_mac(const struct keys *keys, uint64_t index,
                               const uint8_t *bytes, size_t size,
                               uint8_t ret_mac[PSN_HMAC_SIZE], struct psn_error *err)
{
    uint8_t numbers[sizeof index + NUMBER_SIZE];

    for (unsigned i = 0; i < sizeof index; i++)
        numbers[i] = (uint8_t)(index >> (8 * i));
    for (unsigned i = 0; i < NUMBER_SIZE; i++)
        numbers[sizeof index + i] = (uint8_t)(size >> (8 * i));
    return mac_of(keys, index,
                  (struct psn_part[]){ { numbers, sizeof numbers }, { bytes, size } }, 2,
                  ret_mac, err);
}

/* ---- blocks ---- */

static enum psn_code put_block(const struct keys *keys, uint64_t index,
                               const uint8_t *bytes, size_t size, struct psn_buf *out,
                               struct psn_error *err)
{
    uint8_t mac[PSN_HMAC_SIZE];
    enum psn_code rc = block_mac(keys, index, bytes, size, mac, err);

    if (rc)
        return rc;
    psn_buf_bytes(out, mac, sizeof mac);
    put_number(out, size, NUMBER_SIZE);
    psn_buf_bytes(out, bytes, size);
    return PSN_OK;
}

enum psn_code psn_kdbx_seal(const struct psn_kdbx_head *head,
                            const struct psn_secret *key, struct psn_buf *content,
                            struct psn_buf *out, struct psn_error *err)
{
    PSN_AUTO_RELEASE(keys) keys = { 0 };
    size_t head_at = out->size;
    size_t head_size;
    uint8_t digest[PSN_SHA256_SIZE];
    uint64_t index = 0;
    enum psn_code rc = derive(head, key, &keys, err);

    put_head(out, head);
    if (!rc)
        rc = psn_buf_check(out, err);
    head_size = out->size - head_at;
    if (!rc)
        psn_sha256(out->data + head_at, head_size, digest);
    if (!rc)
        psn_buf_bytes(out, digest, sizeof digest);
    if (!rc)
        rc = psn_buf_check(out, err);
    if (!rc)
        rc = head_mac(&keys, out->data + head_at, head_size, digest, err);
    if (rc)
        return rc;
    psn_buf_bytes(out, digest, sizeof digest);
    psn_keystream_apply(keys.stream, content->data, content->size);
    for (size_t at = 0; !rc && at < content->size; at += BLOCK_SIZE, index++) {
        size_t left = content->size - at;

        rc = put_block(&keys, index, content->data + at,
                       left < BLOCK_SIZE ? left : BLOCK_SIZE, out, err);
    }
    if (!rc)
        rc = put_block(&keys, index, NULL, 0, out, err);
    return rc ? rc : psn_buf_check(out, err);
}

/* Proves one block; an empty one is the last. */
static enum psn_code take_block(const struct keys *keys, uint64_t index,
                                struct psn_wire *wire, struct psn_wire *ret_block,
                                struct psn_error *err)
{
    const uint8_t *mac = psn_wire_take(wire, PSN_HMAC_SIZE);
    struct psn_wire block = take_sized(wire);
    uint8_t own[PSN_HMAC_SIZE];
    enum psn_code rc;

    if (wire->failed)
        return psn_fail(err, PSN_E_INTEGRITY, _("the KDBX file is not whole"));
    rc = block_mac(keys, index, block.at, block.left, own, err);
    if (rc)
        return rc;
    if (!psn_mac_equal(mac, own))
        return damaged(err);
    *ret_block = block;
    return PSN_OK;
}

static enum psn_code take_blocks(const struct keys *keys, struct psn_wire *wire,
                                 struct psn_buf *content, struct psn_error *err)
{
    struct psn_wire block = { 0 };
    uint64_t index = 0;
    enum psn_code rc;

    do {
        rc = take_block(keys, index++, wire, &block, err);
        if (!rc)
            psn_buf_bytes(content, block.at, block.left);
    } while (!rc && block.left > 0);
    if (!rc && wire->left > 0)
        rc = psn_fail(err, PSN_E_INTEGRITY, _("the KDBX file has bytes behind its end"));
    return rc ? rc : psn_buf_check(content, err);
}

enum psn_code psn_kdbx_unseal(const struct psn_kdbx_head *head,
                              const struct psn_secret *key, const uint8_t *bytes,
                              size_t size, struct psn_buf *content, struct psn_error *err)
{
    PSN_AUTO_RELEASE(keys) keys = { 0 };
    struct psn_wire wire = { bytes, size, false };
    uint8_t own[PSN_HMAC_SIZE];
    const uint8_t *mac;
    enum psn_code rc = derive(head, key, &keys, err);

    (void)psn_wire_take(&wire, head->size + PSN_SHA256_SIZE);
    mac = psn_wire_take(&wire, PSN_HMAC_SIZE);
    if (!rc)
        rc = head_mac(&keys, bytes, head->size, own, err);
    if (rc)
        return rc;
    if (!mac)
        return psn_fail(err, PSN_E_INTEGRITY, _("the KDBX file is not whole"));
    if (!psn_mac_equal(mac, own))
        return psn_fail(err, PSN_E_DENIED,
                        _("this passphrase does not open the KDBX file"));
    rc = take_blocks(&keys, &wire, content, err);
    if (!rc)
        psn_keystream_apply(keys.stream, content->data, content->size);
    return rc;
}
