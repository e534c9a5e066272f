#include <assert.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/unset.h"
#include "core/vault.h"
#include "crypto/seal.h"

/*
 * A row's box is bound to its place: the associated data names the format, the vault, the
 * table, the row's key and revision, the root key, and every clear byte, each with its
 * length. A box that is moved, renumbered or put back does not open.
 */
struct row_ad {
    uint8_t bytes[64 + PSN_STORE_KEY_MAX + PSN_STORE_CLEAR_MAX];
    size_t size;
};

/* Inline, so that sizes are known. */
static inline void add(struct row_ad *ad, const void *bytes, size_t size)
{
    assert(size <= sizeof ad->bytes - ad->size);
    if (size)
        memcpy(ad->bytes + ad->size, bytes, size);
    ad->size += size;
}

static inline void add_number(struct row_ad *ad, uint64_t number, size_t size)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    add(ad, bytes + sizeof bytes - size, size);
}

static enum psn_code make_ad(const struct psn_vault *vault, enum psn_table table,
                             const struct psn_store_row *row, struct row_ad *ret_ad,
                             struct psn_error *err)
{
    static const char label[] = "passation row v1";

    if (row->clear.size > PSN_STORE_CLEAR_MAX)
        return psn_fail(err, PSN_E_INTEGRITY, _("a record of the vault is malformed"));
    ret_ad->size = 0;
    add(ret_ad, label, sizeof label - 1);
    add(ret_ad, vault->id, sizeof vault->id);
    add(ret_ad, vault->key_id, sizeof vault->key_id);
    add_number(ret_ad, (uint64_t)table, 1);
    add_number(ret_ad, row->key_size, 1);
    add(ret_ad, row->key, row->key_size);
    add_number(ret_ad, row->revision, 8);
    add_number(ret_ad, row->clear.size, 4);
    add(ret_ad, row->clear.data, row->clear.size);
    return PSN_OK;
}

/* The store has verified the row against the authenticated state before it got here, so a
 * box that does not open means a wrong key or a defect: still an integrity failure. */
enum psn_code psn_row_explain(enum psn_code rc, struct psn_error *err)
{
    if (rc == PSN_E_INTEGRITY)
        (void)psn_hint(err, rc, _("the vault was edited or damaged: restore a backup"));
    return rc;
}

enum psn_code psn_row_open(struct psn_vault *vault, enum psn_table table,
                           const struct psn_store_row *row, const struct psn_secret *key,
                           struct psn_buf *plain, struct psn_error *err)
{
    PSN_UNSET struct row_ad ad;
    enum psn_code rc = make_ad(vault, table, row, &ad, err);

    if (rc)
        return rc;
    return psn_row_explain(
        psn_unseal(key, ad.bytes, ad.size, row->box.data, row->box.size, plain, err),
        err);
}

enum psn_code psn_row_open_secret(struct psn_vault *vault, enum psn_table table,
                                  const struct psn_store_row *row,
                                  const struct psn_secret *key,
                                  struct psn_secret **ret_plain, struct psn_error *err)
{
    PSN_UNSET struct row_ad ad;
    enum psn_code rc = make_ad(vault, table, row, &ad, err);

    if (rc)
        return rc;
    return psn_row_explain(psn_unseal_secret(key, ad.bytes, ad.size, row->box.data,
                                             row->box.size, ret_plain, err),
                           err);
}

enum psn_code psn_row_get(struct psn_vault *vault, enum psn_table table,
                          const struct psn_row_key *row_key, const struct psn_secret *key,
                          struct psn_buf *plain, uint64_t *ret_revision,
                          struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    enum psn_code rc =
        psn_store_get(vault->store, table, row_key->bytes, row_key->size, &row, err);

    if (rc)
        return psn_row_explain(rc, err);
    *ret_revision = row.revision;
    return psn_row_open(vault, table, &row, key, plain, err);
}

enum psn_code psn_row_find(struct psn_vault *vault, enum psn_table table,
                           const struct psn_row_key *row_key,
                           const struct psn_secret *key, struct psn_buf *plain,
                           uint64_t *ret_revision, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    bool found = false;
    enum psn_code rc = psn_store_find(vault->store, table, row_key->bytes, row_key->size,
                                      &row, &found, err);

    *ret_revision = found ? row.revision : 0;
    if (rc || !found)
        return psn_row_explain(rc, err);
    return psn_row_open(vault, table, &row, key, plain, err);
}

enum psn_code psn_row_get_secret(struct psn_vault *vault, enum psn_table table,
                                 const struct psn_row_key *row_key,
                                 const struct psn_secret *key,
                                 struct psn_secret **ret_plain, uint64_t *ret_revision,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    enum psn_code rc =
        psn_store_get(vault->store, table, row_key->bytes, row_key->size, &row, err);

    if (rc)
        return psn_row_explain(rc, err);
    *ret_revision = row.revision;
    return psn_row_open_secret(vault, table, &row, key, ret_plain, err);
}

enum psn_code psn_row_put(struct psn_vault *vault, enum psn_table table,
                          const struct psn_row_key *row_key, uint64_t revision,
                          const struct psn_secret *key, const void *plain,
                          size_t plain_size, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_UNSET struct row_ad ad;
    enum psn_code rc;

    memcpy(row.key, row_key->bytes, row_key->size);
    row.key_size = row_key->size;
    row.revision = revision;
    rc = make_ad(vault, table, &row, &ad, err);
    if (!rc)
        rc = psn_seal(key, ad.bytes, ad.size, plain, plain_size, &row.box, err);
    if (rc)
        return rc;
    return psn_row_explain(psn_store_put(vault->store, table, &row, err), err);
}

enum psn_code psn_row_root(struct psn_vault *vault, enum psn_table table,
                           uint8_t ret_root[PSN_STORE_HASH_SIZE], struct psn_error *err)
{
    struct psn_store_roots roots;
    enum psn_code rc = psn_store_roots(vault->store, &roots, err);

    if (!rc)
        memcpy(ret_root, roots.hash[table], PSN_STORE_HASH_SIZE);
    return psn_row_explain(rc, err);
}

struct key_list {
    struct psn_buf keys; /* size byte, bytes … */
};

static enum psn_code collect_key(void *arg, const struct psn_store_row *row,
                                 const struct psn_buf *plain, struct psn_error *err)
{
    struct key_list *list = arg;

    (void)plain;
    psn_buf_u8(&list->keys, (uint8_t)row->key_size);
    psn_buf_bytes(&list->keys, row->key, row->key_size);
    return psn_buf_check(&list->keys, err);
}

enum psn_code psn_row_delete_all(struct psn_vault *vault, enum psn_table table,
                                 const struct psn_row_key *prefix, struct psn_error *err)
{
    enum {
        KEYS_MAX = 64 * 1024 * 1024
    };
    PSN_AUTO_RELEASE(psn_buf) keys = psn_buf_init(KEYS_MAX);
    struct key_list list = { keys };
    enum psn_code rc = psn_row_each(vault, table, prefix, NULL, collect_key, &list, err);

    keys = list.keys;
    for (size_t i = 0; !rc && i < keys.size; i += 1U + keys.data[i])
        rc = psn_store_delete(vault->store, table, keys.data + i + 1, keys.data[i], err);
    return rc;
}
