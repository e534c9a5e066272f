#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/i18n.h"
#include "core/journal.h"
#include "core/key_rate.h"
#include "core/own_key.h"
#include "core/person.h"
#include "core/slot.h"
#include "core/state.h"
#include "core/successor.h"
#include "core/unstated.h"
#include "core/vault.h"
#include "crypto/hash.h"

/*
 * How a vault comes to be there: made or opened locked, unlocked by a slot or by the key
 * that an agent kept.
 */

/* --- making and opening --- */

static enum psn_code furnish(struct psn_vault *vault, const struct psn_person *person,
                             const struct psn_key *keys, size_t key_count,
                             struct psn_error *err)
{
    enum psn_code rc = psn_person_insert(vault, person, err);

    for (size_t i = 0; !rc && i < key_count; i++)
        rc = psn_slot_insert(vault, person->id, &keys[i], i == 0 ? vault->slot : NULL,
                             err);
    if (!rc)
        rc = psn_own_keys_make(vault, err);
    if (!rc)
        rc = psn_unstated_found(vault, err);
    if (!rc)
        rc = psn_journal_note(
            vault, NULL,
            &(struct psn_note){ .event = "vault.created", .subject = person->id }, err);
    return rc;
}

/* Removes a file that this process made and could not finish. Under the name of the
 * vault that is only one which it got there itself: another may have been made since. */
static void discard(struct psn_vault *vault)
{
    static const char *const tails[] = { "", PSN_BESIDE_WAL, PSN_BESIDE_SHM };
    bool is_born = psn_store_is_born(vault->store);

    psn_store_free(PSN_TAKE(vault->store));
    if (!is_born)
        return;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(4096);

        psn_buf_format(&path, "%s%s", vault->path, tails[i]);
        if (!path.failed)
            (void)unlink(psn_buf_str(&path));
    }
}

enum psn_code psn_vault_create(const struct psn_vault_options *options,
                               const struct psn_person *person,
                               const struct psn_key *keys, size_t key_count,
                               struct psn_vault **ret_vault, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    PSN_AUTO(psn_secret) *root_key = NULL;
    enum psn_code rc;

    if (key_count == 0)
        return psn_fail(err, PSN_E_INVALID,
                        _("a vault needs at least one way to unlock it"));
    rc = psn_person_check(person, err);
    if (!rc)
        rc = psn_vault_new(options, &vault, err);
    if (!rc)
        rc = psn_kdf_random(&root_key, err);
    if (rc)
        return rc;
    psn_random(vault->id, sizeof vault->id);
    rc = psn_vault_take_root_key(vault, &root_key, err);
    if (!rc)
        rc = psn_store_create(vault->path, psn_vault_store_hash, &vault->store, err);
    if (rc)
        return rc;
    (void)memcpy(vault->actor, person->id, sizeof vault->actor);
    rc = psn_vault_found(vault, err);
    if (!rc)
        rc = psn_vault_end(vault, furnish(vault, person, keys, key_count, err), err);
    if (rc) {
        discard(vault);
        return psn_wrap(err, rc, _("cannot create the vault '%s'"), vault->path);
    }
    vault->seen = PSN_SEEN_SAME;
    *ret_vault = PSN_TAKE(vault);
    return PSN_OK;
}

static enum psn_code read_id(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(PSN_ROOT_BOX_MAX);
    enum psn_code rc = psn_store_begin(vault->store, PSN_STORE_READ, &root_box, err);

    if (rc)
        return rc;
    rc = psn_state_read_head(&root_box, vault->id, &vault->state, err);
    psn_store_rollback(vault->store);
    return rc ? psn_wrap(err, rc, "'%s'", vault->path) : PSN_OK;
}

enum psn_code psn_vault_open_still(const char *path, struct psn_vault **ret_vault,
                                   struct psn_error *err)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    const struct psn_vault_options options = { .path = path, .examine = true };
    enum psn_code rc = psn_vault_new(&options, &vault, err);

    if (!rc)
        rc = psn_store_open_still(path, psn_vault_store_hash, &vault->store, err);
    if (!rc)
        rc = read_id(vault, err);
    if (!rc)
        *ret_vault = PSN_TAKE(vault);
    return rc;
}

enum psn_code psn_vault_open(const struct psn_vault_options *options,
                             struct psn_vault **ret_vault, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    enum psn_code rc = psn_vault_new(options, &vault, err);

    if (rc)
        return rc;
    rc = psn_store_open(vault->path, psn_vault_store_hash, &vault->store, err);
    if (rc == PSN_E_NOT_FOUND) {
        psn_error_clear(err);
        (void)psn_fail(err, rc, _("no vault at '%s'"), vault->path);
        (void)psn_hint(err, rc, _("make one with: passation init"));
    }
    if (!rc)
        rc = read_id(vault, err);
    if (rc)
        return rc;
    if (!vault->examined)
        psn_successor_clean_up(vault);
    *ret_vault = PSN_TAKE(vault);
    return PSN_OK;
}

/* --- unlocking --- */

/* The root key is at hand; is everything as it should be? */
static enum psn_code enter(struct psn_vault *vault, struct psn_error *err)
{
    struct psn_seen_record record = { .found = false };
    enum psn_code rc = vault->examined ? PSN_OK : psn_seen_read(vault, &record, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    /* What is examined tells of all this by itself. */
    if (rc || vault->examined)
        return rc ? rc : psn_vault_end(vault, PSN_OK, err);
    rc = psn_slot_owner(vault, vault->slot, vault->actor, err);
    if (!rc)
        rc = psn_seen_check(vault, &record, err);
    rc = psn_vault_end(vault, rc, err);
    if (!rc && vault->seen != PSN_SEEN_SAME)
        psn_seen_note(vault);
    return rc;
}

enum psn_code psn_vault_unlock(struct psn_vault *vault, const struct psn_key *key,
                               struct psn_error *err)
{
    PSN_AUTO(psn_secret) *root_key = NULL;
    enum psn_code rc = psn_slot_open(vault, key, &root_key, vault->slot, err);

    if (!rc)
        rc = psn_vault_take_root_key(vault, &root_key, err);
    if (!rc)
        rc = enter(vault, err);
    if (rc)
        psn_vault_forget_keys(vault);
    return rc;
}

enum psn_code psn_vault_unlock_key(struct psn_vault *vault, const struct psn_secret *key,
                                   const uint8_t slot[PSN_SLOT_ID_SIZE],
                                   struct psn_error *err)
{
    PSN_AUTO(psn_secret) *copy = NULL;
    enum psn_code rc;

    if (psn_secret_size(key) != PSN_KEY_SIZE)
        return psn_fail(err, PSN_E_DENIED, _("this key does not open the vault"));
    /* A rekey gives every slot a new id: an older key is told from a damaged vault. */
    rc = psn_slot_check_listed(vault, slot, err);
    if (rc)
        return rc;
    rc = psn_secret_copy(psn_secret_bytes(key), psn_secret_size(key), &copy, err);
    if (!rc)
        rc = psn_vault_take_root_key(vault, &copy, err);
    if (rc)
        return rc;
    memcpy(vault->slot, slot, sizeof vault->slot);
    rc = enter(vault, err);
    if (rc)
        psn_vault_forget_keys(vault);
    return rc;
}

enum psn_code psn_vault_export_key(const struct psn_vault *vault,
                                   struct psn_secret **ret_key,
                                   uint8_t ret_slot[PSN_SLOT_ID_SIZE],
                                   struct psn_error *err)
{
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    if (rc)
        return rc;
    rc = psn_secret_copy(psn_secret_bytes(vault->root_key),
                         psn_secret_size(vault->root_key), ret_key, err);
    if (!rc)
        memcpy(ret_slot, vault->slot, sizeof vault->slot);
    return rc;
}
