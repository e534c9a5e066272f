#include "core/rekey.h"

#include <string.h>

#include "base/i18n.h"
#include "core/credential_due.h"
#include "core/departure.h"
#include "core/journal.h"
#include "core/own_key.h"
#include "core/person.h"
#include "core/slot.h"
#include "core/successor.h"

/* Rekey: everything is sealed anew, under new keys, in a file that takes the vault's
 * place (successor.c) after it was opened with each key it was given. */

static enum psn_code check_slots(const struct psn_rekey *rekey, struct psn_error *err)
{
    if (rekey->slot_count == 0)
        return psn_fail(err, PSN_E_INVALID,
                        _("a vault needs at least one way to unlock it"));
    if (rekey->slot_count > PSN_SLOTS_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("a vault has at most %d slots"),
                        PSN_SLOTS_MAX);
    return PSN_OK;
}

static const struct psn_rekey_slot *heir_of(const struct psn_rekey *rekey,
                                            const struct psn_slot *slot)
{
    for (size_t i = 0; i < rekey->slot_count; i++)
        if (rekey->slots[i].from &&
            memcmp(rekey->slots[i].from, slot->id, sizeof slot->id) == 0)
            return &rekey->slots[i];
    return NULL;
}

struct filling {
    struct psn_vault *from;
    struct psn_vault *to;
    const struct psn_rekey *rekey;
    bool in_use_kept;
    char leavers[PSN_SLOTS_MAX][PSN_PERSON_ID_MAX]; /* who have no slot any more */
    size_t leaver_count;
};

static enum psn_code find_leaver(void *arg, const struct psn_slot *slot,
                                 struct psn_error *err)
{
    struct filling *fill = arg;

    (void)err;
    for (size_t i = 0; i < fill->rekey->slot_count; i++)
        if (strcmp(fill->rekey->slots[i].person, slot->person) == 0)
            return PSN_OK;
    for (size_t i = 0; i < fill->leaver_count; i++)
        if (strcmp(fill->leavers[i], slot->person) == 0)
            return PSN_OK;
    if (fill->leaver_count < PSN_SLOTS_MAX)
        memcpy(fill->leavers[fill->leaver_count++], slot->person, PSN_PERSON_ID_MAX);
    return PSN_OK;
}

/* Whoever could open the vault until now knows what was in it, whenever his departure
 * begins, and whether anybody has said that he leaves. */
static enum psn_code mark_leaver(const struct filling *fill, const char *id,
                                 struct psn_error *err)
{
    struct psn_person person;
    uint64_t revision = 0;
    enum psn_code rc = psn_person_load(fill->to, id, &person, &revision, err);

    person.departure.held_slot = true;
    person.departure.slot_lost_s = fill->to->world.now_s();
    if (!rc)
        rc = psn_person_store(fill->to, &person, revision + 1, err);
    return rc ? rc : psn_scope_note_loss(fill->to, id, err);
}

/* A slot of the old file: carried on with its date, changed, or noted as gone. */
static enum psn_code carry_slot(void *arg, const struct psn_slot *slot,
                                struct psn_error *err)
{
    struct filling *fill = arg;
    const struct psn_rekey_slot *heir = heir_of(fill->rekey, slot);
    uint8_t id[PSN_SLOT_ID_SIZE];
    enum psn_code rc;

    if (!heir)
        return psn_slot_note(fill->to, "slot.removed", slot->person, slot->kind, err);
    rc = psn_slot_write(fill->to, slot->person,
                        heir->is_changed ? fill->to->world.now_s() : slot->created_s,
                        &heir->key, id, err);
    if (!rc && slot->in_use) {
        memcpy(fill->to->slot, id, sizeof id);
        fill->in_use_kept = true;
    }
    return rc || !heir->is_changed ? rc
                                   : psn_slot_note(fill->to, "slot.changed", slot->person,
                                                   heir->key.kind, err);
}

static enum psn_code add_slots(struct filling *fill, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < fill->rekey->slot_count; i++) {
        const struct psn_rekey_slot *slot = &fill->rekey->slots[i];
        struct psn_person person;

        if (slot->from)
            continue;
        rc = psn_person_read(fill->to, slot->person, &person, err);
        if (!rc)
            rc = psn_slot_insert(fill->to, slot->person, &slot->key, NULL, err);
    }
    if (!rc && fill->to->state.slot_count != fill->rekey->slot_count)
        rc = psn_fail(err, PSN_E_NOT_FOUND, _("the vault has no such slot"));
    if (!rc && !fill->in_use_kept)
        memcpy(fill->to->slot, fill->to->state.slots[0].id, sizeof fill->to->slot);
    return rc;
}

static enum psn_code fill(void *arg, struct psn_vault *from, struct psn_vault *to,
                          struct psn_error *err)
{
    const struct psn_rekey *rekey = arg;
    struct filling filling = { .from = from, .to = to, .rekey = rekey };
    bool for_leaver = rekey->for_leaver;
    enum psn_code rc = psn_rekey_copy(from, to, rekey->progress, rekey->arg, err);

    if (!rc)
        rc = psn_slot_list(from, find_leaver, &filling, err);
    for_leaver = for_leaver || filling.leaver_count > 0;
    if (!rc)
        rc = psn_due_carry(from, to, for_leaver, err);
    if (!rc)
        rc = psn_journal_note(
            to, NULL,
            &(struct psn_note){ .event = "vault.rekeyed",
                                .text = for_leaver ? "for a leaver" : NULL },
            err);
    if (!rc)
        rc = psn_slot_list(from, carry_slot, &filling, err);
    if (!rc)
        rc = add_slots(&filling, err);
    for (size_t i = 0; !rc && i < filling.leaver_count; i++)
        rc = mark_leaver(&filling, filling.leavers[i], err);
    return rc || !for_leaver ? rc : psn_own_keys_rotate(to, err);
}

/* Opens the closed draft as its owners will. */
static enum psn_code open_with(const char *draft, const struct psn_key *key,
                               struct psn_error *err)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    struct psn_vault_options options = { .path = draft };
    enum psn_code rc = psn_vault_open(&options, &vault, err);

    return rc ? rc : psn_vault_unlock(vault, key, err);
}

static enum psn_code prove(void *arg, const struct psn_vault *to, struct psn_error *err)
{
    const struct psn_rekey *rekey = arg;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < rekey->slot_count; i++)
        rc = open_with(to->path, &rekey->slots[i].key, err);
    return rc;
}

/* Of two people's slots that are opened by one key, none goes alone: who has lost his
 * still opens the vault by the other. */
static enum psn_code check_going(void *arg, const struct psn_slot *slot,
                                 struct psn_error *err)
{
    struct filling *fill = arg;
    const struct psn_state *state = &fill->from->state;
    const struct psn_slot_head *head = NULL;
    bool fits = false;
    enum psn_code rc = PSN_OK;

    if (heir_of(fill->rekey, slot))
        return PSN_OK;
    for (size_t i = 0; i < state->slot_count; i++)
        if (memcmp(state->slots[i].id, slot->id, sizeof slot->id) == 0)
            head = &state->slots[i];
    for (size_t i = 0; !rc && head && !fits && i < fill->rekey->slot_count; i++) {
        const struct psn_rekey_slot *staying = &fill->rekey->slots[i];

        if (strcmp(staying->person, slot->person) != 0)
            rc = psn_slot_fits(fill->from, head, &staying->key, &fits, err);
    }
    if (rc || !fits)
        return rc;
    (void)psn_slot_fail_twin(slot->kind, slot->person, err);
    return psn_hint(err, PSN_E_POLICY,
                    _("this slot would go, and its key still open the vault: give yours "
                      "another one first: passation slot set --keep-keys"));
}

static enum psn_code check_new(const struct psn_rekey *rekey, size_t at,
                               struct psn_error *err)
{
    const struct psn_rekey_slot *slot = &rekey->slots[at];
    bool same = false;
    enum psn_code rc = PSN_OK;

    if (slot->from && !slot->is_changed)
        return PSN_OK;
    for (size_t i = 0; !rc && i < rekey->slot_count; i++) {
        if (i != at)
            rc = psn_slot_same_key(&rekey->slots[i].key, &slot->key, &same, err);
        if (!rc && same)
            return psn_slot_fail_twin(slot->key.kind, rekey->slots[i].person, err);
    }
    return rc;
}

static enum psn_code check_keys(struct psn_vault *vault, const struct psn_rekey *rekey,
                                struct psn_error *err)
{
    struct filling fill = { .from = vault, .rekey = rekey };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < rekey->slot_count; i++)
        rc = check_new(rekey, i, err);
    return rc ? rc : psn_slot_each(vault, check_going, &fill, err);
}

enum psn_code psn_vault_rekey(struct psn_vault *vault, const struct psn_rekey *rekey,
                              bool *ret_replaced, struct psn_error *err)
{
    struct psn_rekey request = *rekey;
    struct psn_successor successor = {
        .what = "rekey", .fill = fill, .prove = prove, .arg = &request
    };
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    *ret_replaced = false;
    if (!rc)
        rc = check_slots(rekey, err);
    if (!rc)
        rc = check_keys(vault, rekey, err);
    return rc ? rc : psn_vault_succeed(vault, &successor, ret_replaced, err);
}
