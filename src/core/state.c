#include "core/state.h"

#include <string.h>

#include "base/i18n.h"
#include "crypto/hash.h"
#include "crypto/seal.h"

enum {
    STATE_FORMAT = 1,
    HEAD_SIZE = 1 + PSN_VAULT_ID_SIZE + 1,
    SLOT_SIZE = PSN_SLOT_ID_SIZE + 1 + 4 + 8 + PSN_SALT_SIZE + PSN_SLOT_WRAP_SIZE,
    ROOT_BOX_MAX = 16 * 1024,
};

const uint8_t psn_history_chain[PSN_STORE_CHAIN_SIZE] = "psn history v1\0";

_Static_assert(sizeof(((struct psn_store_hash_state *)NULL)->bytes) >=
                   sizeof(struct psn_hash_state),
               "the store has room for the state of a hash");

void psn_vault_store_hash(struct psn_store_hash_state *state,
                          const struct psn_store_part *parts, size_t count,
                          uint8_t *ret_hash)
{
    struct psn_hash_state *hash = (struct psn_hash_state *)(void *)state->bytes;

    if (!state->has_begun)
        psn_hash_begin(hash);
    state->has_begun = true;
    for (size_t i = 0; i < count; i++)
        psn_hash_add(hash, parts[i].bytes, parts[i].size);
    if (ret_hash)
        psn_hash_end(hash, ret_hash);
}

static uint64_t take_number(const uint8_t **at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | *(*at)++;
    return value;
}

static void take_bytes(const uint8_t **at, void *out, size_t size)
{
    memcpy(out, *at, size);
    *at += size;
}

static bool take_slot(const uint8_t **at, struct psn_slot_head *slot)
{
    uint64_t kind;

    take_bytes(at, slot->id, sizeof slot->id);
    kind = take_number(at, 1);
    slot->kind = (enum psn_slot_kind)kind;
    slot->cost.passes = (uint32_t)take_number(at, 4);
    slot->cost.memory_bytes = take_number(at, 8);
    take_bytes(at, slot->salt, sizeof slot->salt);
    take_bytes(at, slot->wrap, sizeof slot->wrap);
    return kind >= PSN_SLOT_PASSPHRASE && kind <= PSN_SLOT_IDENTITY;
}

static size_t clear_size(const struct psn_state *state)
{
    return HEAD_SIZE + state->slot_count * SLOT_SIZE;
}

enum psn_code psn_state_read_head(const struct psn_buf *root_box,
                                  uint8_t ret_id[PSN_VAULT_ID_SIZE],
                                  struct psn_state *ret_state, struct psn_error *err)
{
    const uint8_t *at = root_box->data;
    bool good = true;

    if (root_box->size < HEAD_SIZE)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the vault holds no state: it was never finished"));
    if (at[0] != STATE_FORMAT)
        return psn_fail(err, PSN_E_TOO_NEW,
                        _("a newer passation wrote this vault (format %u)"), at[0]);
    at++;
    take_bytes(&at, ret_id, PSN_VAULT_ID_SIZE);
    ret_state->slot_count = take_number(&at, 1);
    if (ret_state->slot_count == 0 || ret_state->slot_count > PSN_SLOTS_MAX ||
        root_box->size <= clear_size(ret_state))
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the vault's list of slots is malformed"));
    for (size_t i = 0; i < ret_state->slot_count; i++)
        good = take_slot(&at, &ret_state->slots[i]) && good;
    if (!good)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the vault's list of slots is malformed"));
    return PSN_OK;
}

static void put_head(const struct psn_vault *vault, const struct psn_state *state,
                     struct psn_buf *out)
{
    psn_buf_u8(out, STATE_FORMAT);
    psn_buf_bytes(out, vault->id, sizeof vault->id);
    psn_buf_u8(out, (uint8_t)state->slot_count);
    for (size_t i = 0; i < state->slot_count; i++) {
        const struct psn_slot_head *slot = &state->slots[i];

        psn_buf_bytes(out, slot->id, sizeof slot->id);
        psn_buf_u8(out, (uint8_t)slot->kind);
        psn_buf_u32(out, slot->cost.passes);
        psn_buf_u64(out, slot->cost.memory_bytes);
        psn_buf_bytes(out, slot->salt, sizeof slot->salt);
        psn_buf_bytes(out, slot->wrap, sizeof slot->wrap);
    }
}

static void state_ad(const struct psn_vault *vault, const struct psn_buf *head,
                     struct psn_buf *out)
{
    psn_buf_text(out, "passation state v1");
    psn_buf_bytes(out, vault->key_id, sizeof vault->key_id);
    psn_buf_bytes(out, head->data, head->size);
}

static void encode(const struct psn_state *state, struct psn_buf *out)
{
    uint8_t schema[PSN_STORE_HASH_SIZE];

    psn_store_schema_hash(psn_vault_store_hash, schema);
    psn_buf_u64(out, state->generation);
    psn_buf_u64(out, state->journal_entries);
    psn_buf_u64(out, state->vault_count);
    psn_buf_bytes(out, state->vault_head, PSN_STORE_HASH_SIZE);
    psn_buf_bytes(out, state->history, PSN_STORE_HASH_SIZE);
    psn_buf_bytes(out, schema, PSN_STORE_HASH_SIZE);
    psn_buf_bytes(out, state->roots.hash, sizeof state->roots.hash);
}

static enum psn_code decode(const struct psn_buf *plain, struct psn_state *ret_state,
                            struct psn_error *err)
{
    enum {
        SIZE = 3 * 8 + 3 * PSN_STORE_HASH_SIZE + sizeof ret_state->roots.hash
    };
    uint8_t expected[PSN_STORE_HASH_SIZE];
    uint8_t schema[PSN_STORE_HASH_SIZE];
    const uint8_t *at = plain->data;

    if (plain->size != SIZE)
        return psn_fail(err, PSN_E_INTEGRITY, _("the vault's state is malformed"));
    ret_state->generation = take_number(&at, 8);
    ret_state->journal_entries = take_number(&at, 8);
    ret_state->vault_count = take_number(&at, 8);
    take_bytes(&at, ret_state->vault_head, PSN_STORE_HASH_SIZE);
    take_bytes(&at, ret_state->history, PSN_STORE_HASH_SIZE);
    take_bytes(&at, schema, sizeof schema);
    take_bytes(&at, ret_state->roots.hash, sizeof ret_state->roots.hash);
    psn_store_schema_hash(psn_vault_store_hash, expected);
    if (memcmp(schema, expected, sizeof schema) != 0)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the vault's tables are not the ones it was sealed with"));
    return PSN_OK;
}

enum psn_code psn_state_open(const struct psn_vault *vault,
                             const struct psn_buf *root_box, struct psn_state *ret_state,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(ROOT_BOX_MAX);
    PSN_AUTO_RELEASE(psn_buf) head = psn_buf_init(ROOT_BOX_MAX);
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(ROOT_BOX_MAX);
    uint8_t id[PSN_VAULT_ID_SIZE];
    enum psn_code rc = psn_state_read_head(root_box, id, ret_state, err);

    if (rc)
        return rc;
    if (memcmp(id, vault->id, sizeof id) != 0)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("another vault was put in the place of this one"));
    put_head(vault, ret_state, &head);
    state_ad(vault, &head, &ad);
    rc = psn_buf_check(&head, err);
    if (!rc)
        rc = psn_buf_check(&ad, err);
    if (!rc)
        rc = psn_unseal(vault->state_key, ad.data, ad.size, root_box->data + head.size,
                        root_box->size - head.size, &plain, err);
    return rc ? rc : decode(&plain, ret_state, err);
}

enum psn_code psn_state_seal(const struct psn_vault *vault, const struct psn_state *state,
                             struct psn_buf *ret_root_box, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(ROOT_BOX_MAX);
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(ROOT_BOX_MAX);
    enum psn_code rc;

    encode(state, &plain);
    psn_buf_reset(ret_root_box);
    put_head(vault, state, ret_root_box);
    state_ad(vault, ret_root_box, &ad);
    rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_buf_check(&ad, err);
    if (!rc)
        rc = psn_seal(vault->state_key, ad.data, ad.size, plain.data, plain.size,
                      ret_root_box, err);
    return rc ? rc : psn_buf_check(ret_root_box, err);
}

static void history_hash(const struct psn_vault *vault, uint64_t generation,
                         const uint8_t previous[PSN_STORE_HASH_SIZE],
                         const uint8_t digest[PSN_STORE_HASH_SIZE],
                         uint8_t ret_hash[PSN_STORE_HASH_SIZE])
{
    static const char label[] = "passation history v1";
    uint8_t number[8];
    struct psn_part parts[] = { { label, sizeof label - 1 },
                                { vault->id, sizeof vault->id },
                                { number, sizeof number },
                                { previous, PSN_STORE_HASH_SIZE },
                                { digest, PSN_STORE_HASH_SIZE } };

    for (int i = 0; i < 8; i++)
        number[i] = (uint8_t)(generation >> (56 - 8 * i));
    psn_hash(parts, sizeof parts / sizeof *parts, ret_hash);
}

/* What a generation was: everything of the state but the history itself. */
static void state_digest(const struct psn_state *state,
                         uint8_t ret_digest[PSN_STORE_HASH_SIZE])
{
    static const char label[] = "passation state digest v1";
    uint8_t numbers[16];
    struct psn_part parts[] = { { label, sizeof label - 1 },
                                { numbers, sizeof numbers },
                                { state->vault_head, PSN_STORE_HASH_SIZE },
                                { state->roots.hash, sizeof state->roots.hash } };

    for (int i = 0; i < 8; i++) {
        numbers[i] = (uint8_t)(state->journal_entries >> (56 - 8 * i));
        numbers[8 + i] = (uint8_t)(state->vault_count >> (56 - 8 * i));
    }
    psn_hash(parts, sizeof parts / sizeof *parts, ret_digest);
}

enum psn_code psn_state_advance(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    struct psn_state *state = &vault->state;
    uint8_t digest[PSN_STORE_HASH_SIZE];
    enum psn_code rc;

    state->generation++;
    state_digest(state, digest);
    history_hash(vault, state->generation, state->history, digest, state->history);
    entry.number = state->generation;
    memcpy(entry.hash, state->history, sizeof entry.hash);
    psn_buf_bytes(&entry.box, digest, sizeof digest);
    rc = psn_buf_check(&entry.box, err);
    return rc ? rc
              : psn_store_journal_append(vault->store, psn_history_chain, &entry, err);
}

enum psn_code psn_state_carry_history(struct psn_vault *from, struct psn_vault *to,
                                      struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    enum psn_code rc = PSN_OK;

    for (uint64_t g = 1; !rc && g <= from->state.generation; g++) {
        rc = psn_store_journal_get(from->store, psn_history_chain, g, &entry, err);
        if (!rc)
            rc = psn_store_journal_append(to->store, psn_history_chain, &entry, err);
    }
    to->state.generation = from->state.generation;
    memcpy(to->state.history, from->state.history, sizeof to->state.history);
    return rc;
}

enum psn_code psn_state_check_ancestor(struct psn_vault *vault, uint64_t generation,
                                       const uint8_t head[PSN_STORE_HASH_SIZE],
                                       bool *ret_is_ancestor, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    uint8_t hash[PSN_STORE_HASH_SIZE];
    bool is_edited = false;

    memcpy(hash, head, sizeof hash);
    for (uint64_t g = generation + 1; g <= vault->state.generation; g++) {
        enum psn_code rc =
            psn_store_journal_get(vault->store, psn_history_chain, g, &entry, NULL);

        if (rc == PSN_E_NOMEM)
            return psn_fail(err, rc, _("out of memory"));
        if (rc)
            return psn_fail(err, PSN_E_INTEGRITY, _("the vault's history has a gap"));
        if (entry.box.size != PSN_STORE_HASH_SIZE)
            return psn_fail(err, PSN_E_INTEGRITY, _("the vault's history is malformed"));
        history_hash(vault, g, hash, entry.box.data, hash);
        is_edited = is_edited || memcmp(hash, entry.hash, sizeof hash) != 0;
    }
    /* From a head that is no ancestor every hash differs: that is a fork, not an edit. */
    *ret_is_ancestor = memcmp(hash, vault->state.history, sizeof hash) == 0;
    if (*ret_is_ancestor && is_edited)
        return psn_fail(err, PSN_E_INTEGRITY, _("the vault's history is malformed"));
    return PSN_OK;
}
