#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/vault.h"
#include "crypto/hash.h"

/*
 * The key tree. One random root key, wrapped in each slot; from it, by crypto_kdf with
 * the context "psnvault":
 *
 *     1 state     the root box                 4 wrap     the clients' data keys
 *     2 rows      rows that name no secret     5 journal  the vault's own chain
 *     3 index     sub-keys per table, context "psnindex", the table's number
 *
 * docs/vault-format.md has the vectors.
 */
enum {
    SUB_STATE = 1,
    SUB_ROWS = 2,
    SUB_INDEX = 3,
    SUB_WRAP = 4,
    SUB_JOURNAL = 5,
};

static const char vault_context[8] = { 'p', 's', 'n', 'v', 'a', 'u', 'l', 't' };
static const char index_context[8] = { 'p', 's', 'n', 'i', 'n', 'd', 'e', 'x' };

void psn_vault_forget_keys(struct psn_vault *vault)
{
    struct psn_secret **keys[] = { &vault->root_key,    &vault->state_key,
                                   &vault->rows_key,    &vault->wrap_key,
                                   &vault->journal_key, &vault->index_master,
                                   &vault->client_key };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        psn_secret_free(*keys[i]);
        *keys[i] = NULL;
    }
    for (size_t i = 0; i < PSN_TABLE_COUNT; i++) {
        psn_secret_free(vault->index_keys[i]);
        vault->index_keys[i] = NULL;
    }
    memset(vault->prfs, 0, sizeof vault->prfs);
    free(vault->role);
    vault->role = NULL;
    vault->is_role_known = false;
    free(vault->people.items);
    vault->people.items = NULL;
    vault->client_key_id[0] = '\0';
    vault->actor[0] = '\0';
}

enum psn_code psn_vault_require_unlocked(const struct psn_vault *vault,
                                         struct psn_error *err)
{
    if (vault->root_key)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_LOCKED, _("the vault is locked"));
    return psn_hint(err, PSN_E_LOCKED, _("unlock it first: passation unlock"));
}

/* The key id names the root key without telling anything of it, so that a row sealed
 * under an older root key is told apart from a damaged one. */
static void name_root_key(struct psn_vault *vault)
{
    static const char label[] = "passation key id v1";
    struct psn_part part = { label, sizeof label - 1 };
    uint8_t hash[PSN_HASH_SIZE];

    psn_hash_keyed(vault->root_key, &part, 1, hash);
    memcpy(vault->key_id, hash, sizeof vault->key_id);
}

enum psn_code psn_vault_take_root_key(struct psn_vault *vault,
                                      struct psn_secret **root_key, struct psn_error *err)
{
    struct {
        uint64_t id;
        struct psn_secret **key;
    } subs[] = { { SUB_STATE, &vault->state_key },
                 { SUB_ROWS, &vault->rows_key },
                 { SUB_INDEX, &vault->index_master },
                 { SUB_WRAP, &vault->wrap_key },
                 { SUB_JOURNAL, &vault->journal_key } };

    psn_vault_forget_keys(vault);
    for (size_t i = 0; i < sizeof subs / sizeof *subs; i++) {
        enum psn_code rc =
            psn_kdf_sub(*root_key, subs[i].id, vault_context, subs[i].key, err);

        if (rc) {
            psn_vault_forget_keys(vault);
            return rc;
        }
    }
    vault->root_key = PSN_TAKE(*root_key);
    name_root_key(vault);
    return PSN_OK;
}

static enum psn_code index_key(struct psn_vault *vault, enum psn_table table,
                               struct psn_error *err)
{
    assert((size_t)table < PSN_TABLE_COUNT);
    if (vault->index_keys[table])
        return PSN_OK;
    return psn_kdf_sub(vault->index_master, table, index_context,
                       &vault->index_keys[table], err);
}

/* Where the text's PRF is, or goes: in the place of the one that was not asked for for
 * the longest time. */
static struct psn_prf_known *place_of(struct psn_vault *vault, enum psn_table table,
                                      const char *text)
{
    struct psn_prf_known *known = vault->prfs[table];
    struct psn_prf_known *oldest = known;

    for (size_t i = 0; i < PSN_PRFS_KNOWN; i++) {
        if (known[i].used && strcmp(known[i].text, text) == 0)
            return &known[i];
        if (known[i].used < oldest->used)
            oldest = &known[i];
    }
    oldest->used = 0;
    return oldest;
}

enum psn_code psn_vault_prf(struct psn_vault *vault, enum psn_table table,
                            const char *text, uint8_t ret_prf[PSN_PRF_SIZE],
                            struct psn_error *err)
{
    struct psn_part part = { text, strlen(text) };
    struct psn_prf_known *known = place_of(vault, table, text);
    uint8_t hash[PSN_HASH_SIZE];

    if (!known->used) {
        enum psn_code rc = index_key(vault, table, err);

        if (rc)
            return rc;
        psn_hash_keyed(vault->index_keys[table], &part, 1, hash);
        memcpy(known->prf, hash, PSN_PRF_SIZE);
    }
    memcpy(ret_prf, known->prf, PSN_PRF_SIZE);
    if (part.size >= sizeof known->text)
        return PSN_OK;
    memcpy(known->text, text, part.size + 1);
    known->used = ++vault->prf_clock;
    return PSN_OK;
}

enum psn_code psn_row_key_init(struct psn_vault *vault, enum psn_table table,
                               const char *text, struct psn_row_key *ret_key,
                               struct psn_error *err)
{
    ret_key->size = PSN_PRF_SIZE;
    return psn_vault_prf(vault, table, text, ret_key->bytes, err);
}

enum psn_code psn_row_key_add_prf(struct psn_vault *vault, enum psn_table table,
                                  const char *text, size_t size, struct psn_row_key *key,
                                  struct psn_error *err)
{
    uint8_t prf[PSN_PRF_SIZE];
    enum psn_code rc = psn_vault_prf(vault, table, text, prf, err);

    if (rc)
        return rc;
    assert(size <= sizeof prf && key->size + size <= sizeof key->bytes);
    memcpy(key->bytes + key->size, prf, size);
    key->size += size;
    return PSN_OK;
}

void psn_row_key_add_number(struct psn_row_key *key, uint64_t number)
{
    assert(key->size + 8 <= sizeof key->bytes);
    for (int shift = 56; shift >= 0; shift -= 8)
        key->bytes[key->size++] = (uint8_t)(number >> shift);
}
