#include "core/slot.h"

#include <stdio.h>
#include <string.h>

#include "age/identity.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/record.h"
#include "crypto/generate.h"
#include "crypto/hash.h"
#include "crypto/seal.h"

/*
 * Slots. A key of a person becomes a slot key (Argon2id for a passphrase; HKDF for what
 * is strong by itself), and that wraps the root key. The wrap's associated data holds
 * every field of the slot, so that no parameter can be edited.
 */
enum {
    TAG_PERSON = 1,
    TAG_CREATED = 2,
    TAG_MAX = 2,
    AD_MAX = 256,
};

const char *psn_slot_kind_name(enum psn_slot_kind kind)
{
    switch (kind) {
    case PSN_SLOT_PASSPHRASE:
        return "passphrase";
    case PSN_SLOT_RECOVERY:
        return "recovery";
    case PSN_SLOT_IDENTITY:
        return "identity";
    }
    return "unknown";
}

/* Brings what a person typed or keeps into the one form that is hashed. */
static enum psn_code normalize(const struct psn_key *key, struct psn_secret **ret_strong,
                               struct psn_error *err)
{
    if (key->kind == PSN_SLOT_RECOVERY)
        return psn_normalize_recovery(key->secret, ret_strong, err);
    if (key->kind == PSN_SLOT_IDENTITY)
        return psn_age_identity_parse(key->secret, ret_strong, err);
    if (psn_secret_size(key->secret) == 0)
        return psn_fail(err, PSN_E_DENIED, _("the passphrase is empty"));
    return psn_secret_copy(psn_secret_bytes(key->secret), psn_secret_size(key->secret),
                           ret_strong, err);
}

static enum psn_code slot_key(const struct psn_slot_head *slot,
                              const struct psn_secret *strong,
                              struct psn_secret **ret_key, struct psn_error *err)
{
    if (slot->kind == PSN_SLOT_PASSPHRASE)
        return psn_kdf_passphrase(strong, slot->salt, slot->cost, ret_key, err);
    if (slot->kind == PSN_SLOT_RECOVERY)
        return psn_kdf_strong(strong, slot->salt, "passation recovery slot v1", ret_key,
                              err);
    return psn_kdf_strong(strong, slot->salt, "passation identity slot v1", ret_key, err);
}

static void slot_ad(const struct psn_vault *vault, const struct psn_slot_head *slot,
                    struct psn_buf *out)
{
    psn_buf_text(out, "passation slot v1");
    psn_buf_bytes(out, vault->id, sizeof vault->id);
    psn_buf_bytes(out, slot->id, sizeof slot->id);
    psn_buf_u8(out, (uint8_t)slot->kind);
    psn_buf_u32(out, slot->cost.passes);
    psn_buf_u64(out, slot->cost.memory_bytes);
    psn_buf_bytes(out, slot->salt, sizeof slot->salt);
}

static enum psn_code try_slot(const struct psn_vault *vault,
                              const struct psn_slot_head *slot,
                              const struct psn_secret *strong,
                              struct psn_secret **ret_root_key, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(AD_MAX);
    enum psn_code rc = slot_key(slot, strong, &key, err);

    if (rc)
        return rc;
    slot_ad(vault, slot, &ad);
    rc = psn_buf_check(&ad, err);
    if (rc)
        return rc;
    rc = psn_unseal_secret(key, ad.data, ad.size, slot->wrap, sizeof slot->wrap,
                           ret_root_key, NULL);
    if (rc == PSN_E_NOMEM)
        return psn_fail(err, rc, _("out of memory"));
    return rc ? PSN_E_DENIED : PSN_OK;
}

static const char *no_slot(enum psn_slot_kind kind)
{
    switch (kind) {
    case PSN_SLOT_PASSPHRASE:
        return _("no passphrase opens this vault");
    case PSN_SLOT_RECOVERY:
        return _("no recovery code opens this vault");
    case PSN_SLOT_IDENTITY:
        break;
    }
    return _("no identity file opens this vault");
}

static enum psn_code fail_denied(enum psn_slot_kind kind, bool tried,
                                 struct psn_error *err)
{
    if (!tried) {
        (void)psn_fail(err, PSN_E_DENIED, "%s", no_slot(kind));
        return psn_hint(err, PSN_E_DENIED,
                        _("unlock it with --identity-file FILE, --passphrase-fd N or "
                          "--recovery-fd N"));
    }
    switch (kind) {
    case PSN_SLOT_PASSPHRASE:
        (void)psn_fail(err, PSN_E_DENIED, _("wrong passphrase"));
        break;
    case PSN_SLOT_RECOVERY:
        (void)psn_fail(err, PSN_E_DENIED,
                       _("this recovery code does not open this vault"));
        break;
    case PSN_SLOT_IDENTITY:
        (void)psn_fail(err, PSN_E_DENIED, _("this identity does not open this vault"));
        break;
    }
    return psn_hint(err, PSN_E_DENIED,
                    _("try again, or with the recovery code: --recovery-fd 0"));
}

bool psn_vault_has_slot(const struct psn_vault *vault, enum psn_slot_kind kind)
{
    for (size_t i = 0; i < vault->state.slot_count; i++)
        if (vault->state.slots[i].kind == kind)
            return true;
    return false;
}

enum psn_code psn_slot_open(const struct psn_vault *vault, const struct psn_key *key,
                            struct psn_secret **ret_root_key,
                            uint8_t ret_slot[PSN_SLOT_ID_SIZE], struct psn_error *err)
{
    PSN_AUTO(psn_secret) *strong = NULL;
    bool tried = false;
    enum psn_code rc = normalize(key, &strong, err);

    /* What cannot be a key opens nothing: for who unlocks it is a wrong one. */
    if (rc == PSN_E_INVALID) {
        if (err)
            err->code = PSN_E_DENIED;
        return PSN_E_DENIED;
    }
    if (rc)
        return rc;
    for (size_t i = 0; i < vault->state.slot_count; i++) {
        const struct psn_slot_head *slot = &vault->state.slots[i];

        if (slot->kind != key->kind)
            continue;
        tried = true;
        rc = try_slot(vault, slot, strong, ret_root_key, err);
        if (!rc)
            memcpy(ret_slot, slot->id, sizeof slot->id);
        if (rc != PSN_E_DENIED)
            return rc;
    }
    return fail_denied(key->kind, tried, err);
}

enum psn_code psn_slot_fits(const struct psn_vault *vault,
                            const struct psn_slot_head *slot, const struct psn_key *key,
                            bool *ret_fits, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *strong = NULL;
    PSN_AUTO(psn_secret) *root_key = NULL;
    enum psn_code rc;

    *ret_fits = false;
    if (slot->kind != key->kind)
        return PSN_OK;
    rc = normalize(key, &strong, err);
    if (rc)
        return rc;
    rc = try_slot(vault, slot, strong, &root_key, err);
    *ret_fits = !rc;
    return rc == PSN_E_DENIED ? PSN_OK : rc;
}

enum psn_code psn_slot_same_key(const struct psn_key *a, const struct psn_key *b,
                                bool *ret_same, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *left = NULL;
    PSN_AUTO(psn_secret) *right = NULL;
    enum psn_code rc = PSN_OK;

    *ret_same = false;
    if (a->kind != b->kind)
        return PSN_OK;
    rc = normalize(a, &left, err);
    if (!rc)
        rc = normalize(b, &right, err);
    *ret_same = !rc && psn_secret_equal(left, right);
    return rc;
}

enum psn_code psn_slot_fail_twin(enum psn_slot_kind kind, const char *person,
                                 struct psn_error *err)
{
    switch (kind) {
    case PSN_SLOT_PASSPHRASE:
        (void)psn_fail(err, PSN_E_POLICY, _("this passphrase is that of '%s' already"),
                       person);
        break;
    case PSN_SLOT_RECOVERY:
        (void)psn_fail(err, PSN_E_POLICY, _("this recovery code is that of '%s' already"),
                       person);
        break;
    case PSN_SLOT_IDENTITY:
        (void)psn_fail(err, PSN_E_POLICY, _("this identity is that of '%s' already"),
                       person);
        break;
    }
    return psn_hint(err, PSN_E_POLICY,
                    _("each slot has a key of its own: else who loses one still opens "
                      "the vault by the other"));
}

static enum psn_code wrap(struct psn_vault *vault, struct psn_slot_head *slot,
                          const struct psn_key *key, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *strong = NULL;
    PSN_AUTO(psn_secret) *wrapping = NULL;
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(AD_MAX);
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(PSN_SLOT_WRAP_SIZE);
    enum psn_code rc = normalize(key, &strong, err);

    psn_random(slot->id, sizeof slot->id);
    psn_random(slot->salt, sizeof slot->salt);
    slot->kind = key->kind;
    if (key->kind == PSN_SLOT_PASSPHRASE)
        slot->cost = psn_kdf_default_cost();
    slot_ad(vault, slot, &ad);
    if (!rc)
        rc = slot_key(slot, strong, &wrapping, err);
    if (!rc)
        rc = psn_buf_check(&ad, err);
    if (!rc)
        rc = psn_seal(wrapping, ad.data, ad.size, psn_secret_bytes(vault->root_key),
                      PSN_KEY_SIZE, &box, err);
    if (!rc)
        memcpy(slot->wrap, box.data, sizeof slot->wrap);
    return rc;
}

static enum psn_code put_owner(struct psn_vault *vault, const struct psn_slot_head *slot,
                               const char *person, int64_t created_s,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key row_key = { .size = sizeof slot->id };
    enum psn_code rc;

    memcpy(row_key.bytes, slot->id, sizeof slot->id);
    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_PERSON, person);
    psn_record_put_number(&plain, TAG_CREATED, (uint64_t)created_s);
    rc = psn_buf_check(&plain, err);
    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_SLOT, &row_key, 1, vault->rows_key,
                            plain.data, plain.size, err);
}

enum psn_code psn_slot_write(struct psn_vault *vault, const char *person,
                             int64_t created_s, const struct psn_key *key,
                             uint8_t ret_slot[PSN_SLOT_ID_SIZE], struct psn_error *err)
{
    struct psn_slot_head slot = { 0 };
    enum psn_code rc;

    if (vault->state.slot_count == PSN_SLOTS_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("a vault has at most %d slots"),
                        PSN_SLOTS_MAX);
    rc = wrap(vault, &slot, key, err);
    if (!rc)
        rc = put_owner(vault, &slot, person, created_s, err);
    if (rc)
        return rc;
    vault->state.slots[vault->state.slot_count++] = slot;
    if (ret_slot)
        memcpy(ret_slot, slot.id, sizeof slot.id);
    return PSN_OK;
}

enum psn_code psn_slot_note(struct psn_vault *vault, const char *event,
                            const char *person, enum psn_slot_kind kind,
                            struct psn_error *err)
{
    return psn_journal_note(vault, NULL,
                            &(struct psn_note){ .event = event,
                                                .subject = person,
                                                .text = psn_slot_kind_name(kind) },
                            err);
}

static enum psn_code read_owner(struct psn_vault *vault,
                                const uint8_t id[PSN_SLOT_ID_SIZE],
                                struct psn_slot *ret_slot, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key row_key = { .size = PSN_SLOT_ID_SIZE };
    struct psn_record record;
    uint64_t revision;
    enum psn_code rc;

    memcpy(row_key.bytes, id, PSN_SLOT_ID_SIZE);
    rc = psn_row_get(vault, PSN_TABLE_SLOT, &row_key, vault->rows_key, &plain, &revision,
                     err);
    if (!rc)
        rc = psn_record_parse(&plain, TAG_MAX, &record, err);
    if (rc)
        return rc;
    if (!psn_record_text(&record, TAG_PERSON, ret_slot->person, sizeof ret_slot->person))
        return psn_fail(err, PSN_E_INTEGRITY, _("a slot's record is malformed"));
    ret_slot->created_s = (int64_t)psn_record_number(&record, TAG_CREATED);
    memcpy(ret_slot->id, id, PSN_SLOT_ID_SIZE);
    return PSN_OK;
}

/* No other slot is opened by it. */
static enum psn_code check_own(struct psn_vault *vault, const struct psn_key *key,
                               struct psn_error *err)
{
    struct psn_slot twin = { 0 };
    bool fits = false;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && !fits && i < vault->state.slot_count; i++) {
        const struct psn_slot_head *slot = &vault->state.slots[i];

        rc = psn_slot_fits(vault, slot, key, &fits, err);
        if (!rc && fits)
            rc = read_owner(vault, slot->id, &twin, err);
    }
    return rc || !fits ? rc : psn_slot_fail_twin(key->kind, twin.person, err);
}

enum psn_code psn_slot_insert(struct psn_vault *vault, const char *person,
                              const struct psn_key *key,
                              uint8_t ret_slot[PSN_SLOT_ID_SIZE], struct psn_error *err)
{
    enum psn_code rc = check_own(vault, key, err);

    if (!rc)
        rc = psn_slot_write(vault, person, vault->world.now_s(), key, ret_slot, err);
    return rc ? rc : psn_slot_note(vault, "slot.added", person, key->kind, err);
}

enum psn_code psn_slot_check_listed(const struct psn_vault *vault,
                                    const uint8_t slot[PSN_SLOT_ID_SIZE],
                                    struct psn_error *err)
{
    for (size_t i = 0; i < vault->state.slot_count; i++)
        if (memcmp(vault->state.slots[i].id, slot, PSN_SLOT_ID_SIZE) == 0)
            return PSN_OK;
    (void)psn_fail(err, PSN_E_DENIED,
                   _("the way in that was used is no longer the vault's"));
    return psn_hint(err, PSN_E_DENIED,
                    _("unlock again: passation lock, passation unlock"));
}

enum psn_code psn_slot_owner(struct psn_vault *vault,
                             const uint8_t slot[PSN_SLOT_ID_SIZE],
                             char ret_person[PSN_PERSON_ID_MAX], struct psn_error *err)
{
    struct psn_slot info = { 0 };
    enum psn_code rc = psn_slot_check_listed(vault, slot, err);

    if (!rc)
        rc = read_owner(vault, slot, &info, err);
    if (!rc)
        memcpy(ret_person, info.person, sizeof info.person);
    return rc;
}

enum psn_code psn_slot_list(struct psn_vault *vault, psn_slot_fn *each, void *arg,
                            struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < vault->state.slot_count; i++) {
        const struct psn_slot_head *head = &vault->state.slots[i];
        struct psn_slot slot = { .kind = head->kind };

        rc = read_owner(vault, head->id, &slot, err);
        slot.in_use = memcmp(head->id, vault->slot, sizeof vault->slot) == 0;
        if (!rc)
            rc = each(arg, &slot, err);
    }
    return rc;
}

enum psn_code psn_slot_each(struct psn_vault *vault, psn_slot_fn *each, void *arg,
                            struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(vault, psn_slot_list(vault, each, arg, err), err);
}

static enum psn_code add_slot(struct psn_vault *vault, const char *person,
                              const struct psn_key *key, bool *ret_new_person,
                              struct psn_error *err)
{
    struct psn_person known;
    enum psn_code rc = psn_person_read(vault, person, &known, NULL);

    *ret_new_person = rc == PSN_E_NOT_FOUND;
    if (rc == PSN_E_NOT_FOUND) {
        known = (struct psn_person){ .kind = PSN_PERSON_TEAM };
        (void)snprintf(known.id, sizeof known.id, "%s", person);
        rc = psn_person_insert(vault, &known, err);
    } else if (rc) {
        rc = psn_fail(err, rc, _("cannot read the person '%s'"), person);
    } else if (known.departing_s) {
        rc = psn_fail(err, PSN_E_POLICY, _("'%s' is leaving, or has left"), person);
    }
    return rc ? rc : psn_slot_insert(vault, person, key, NULL, err);
}

enum psn_code psn_slot_add(struct psn_vault *vault, const char *person,
                           const struct psn_key *key, bool *ret_new_person,
                           struct psn_error *err)
{
    enum psn_code rc = psn_person_check_id(person, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc
              : psn_vault_end(vault, add_slot(vault, person, key, ret_new_person, err),
                              err);
}

/* --- changing one in place --- */

enum psn_code psn_slot_find(struct psn_vault *vault, const struct psn_key *key,
                            uint8_t ret_slot[PSN_SLOT_ID_SIZE], struct psn_error *err)
{
    PSN_AUTO(psn_secret) *root_key = NULL;
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    return rc ? rc : psn_slot_open(vault, key, &root_key, ret_slot, err);
}

static enum psn_code remove_slot(struct psn_vault *vault,
                                 const uint8_t id[PSN_SLOT_ID_SIZE],
                                 struct psn_error *err)
{
    struct psn_state *state = &vault->state;
    size_t at = 0;

    while (at < state->slot_count &&
           memcmp(state->slots[at].id, id, PSN_SLOT_ID_SIZE) != 0)
        at++;
    if (at == state->slot_count)
        return psn_fail(err, PSN_E_NOT_FOUND, _("the vault has no such slot"));
    for (size_t i = at + 1; i < state->slot_count; i++)
        state->slots[i - 1] = state->slots[i];
    state->slot_count--;
    return psn_store_delete(vault->store, PSN_TABLE_SLOT, id, PSN_SLOT_ID_SIZE, err);
}

static enum psn_code set_slot(struct psn_vault *vault, const uint8_t id[PSN_SLOT_ID_SIZE],
                              const struct psn_key *key,
                              uint8_t ret_slot[PSN_SLOT_ID_SIZE], struct psn_error *err)
{
    struct psn_slot info = { 0 };
    enum psn_code rc = read_owner(vault, id, &info, err);

    if (!rc)
        rc = remove_slot(vault, id, err);
    if (!rc)
        rc = check_own(vault, key, err);
    if (!rc)
        rc = psn_slot_write(vault, info.person, vault->world.now_s(), key, ret_slot, err);
    return rc ? rc : psn_slot_note(vault, "slot.changed", info.person, key->kind, err);
}

enum psn_code psn_slot_set(struct psn_vault *vault, const uint8_t slot[PSN_SLOT_ID_SIZE],
                           const struct psn_key *key, struct psn_error *err)
{
    uint8_t old[PSN_SLOT_ID_SIZE];
    uint8_t new[PSN_SLOT_ID_SIZE];
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    if (rc)
        return rc;
    memcpy(old, slot, sizeof old);
    rc = psn_vault_end(vault, set_slot(vault, old, key, new, err), err);
    if (!rc && memcmp(vault->slot, old, sizeof old) == 0)
        memcpy(vault->slot, new, sizeof new);
    return rc;
}
