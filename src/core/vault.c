#include "core/vault.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/loop.h"
#include "core/journal.h"
#include "core/key_rate.h"
#include "core/own_key.h"
#include "core/person.h"
#include "core/slot.h"
#include "core/state.h"
#include "core/successor.h"
#include "core/unstated.h"
#include "crypto/generate.h"
#include "crypto/hash.h"
#include "crypto/init.h"

/*
 * The life of a vault handle: made or opened locked, unlocked by a slot or by the key
 * that an agent kept, used in transactions, wiped when freed.
 */

enum {
    ROOT_BOX_MAX = PSN_ROOT_BOX_MAX
};

enum psn_code psn_init(struct psn_error *err)
{
    return psn_crypto_init(err);
}

enum psn_code psn_init_alone(struct psn_error *err)
{
    psn_store_alone();
    return psn_init(err);
}

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

static struct psn_world real_world(void)
{
    return (struct psn_world){ .imap = psn_imap_real(),
                               .now_s = psn_clock_now_s,
                               .boot_ms = psn_clock_boot_ms,
                               .sleep_ms = psn_loop_sleep_ms };
}

static char *copy_text(const char *text)
{
    return text ? strdup(text) : NULL;
}

enum psn_code psn_vault_new(const struct psn_vault_options *options,
                            struct psn_vault **ret_vault, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *vault = calloc(1, sizeof *vault);

    if (!vault)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    vault->op_lock = PSN_FILE_LOCK_NONE;
    vault->world = real_world();
    vault->examined = options->examine;
    vault->path = copy_text(options->path);
    vault->state_dir = copy_text(options->state_dir);
    vault->ca_file = copy_text(options->ca_file);
    if (!vault->path || (options->state_dir && !vault->state_dir) ||
        (options->ca_file && !vault->ca_file))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_vault = PSN_TAKE(vault);
    return PSN_OK;
}

void psn_vault_free(struct psn_vault *vault)
{
    if (!vault)
        return;
    psn_seen_flush(vault);
    psn_vault_forget_keys(vault);
    psn_store_free(vault->store);
    psn_http_client_free(vault->http_client);
    psn_key_rates_free(vault->rates);
    psn_file_unlock(&vault->op_lock);
    free(vault->path);
    free(vault->state_dir);
    free(vault->ca_file);
    free(vault);
}

const uint8_t *psn_vault_id(const struct psn_vault *vault)
{
    return vault->id;
}

const char *psn_vault_path(const struct psn_vault *vault)
{
    return vault->path;
}

enum psn_seen psn_vault_seen(const struct psn_vault *vault)
{
    return vault->seen;
}

void psn_vault_set_world(struct psn_vault *vault, const struct psn_world *world)
{
    vault->world = *world;
}

enum psn_code psn_vault_http(struct psn_vault *vault, struct psn_http *ret_http,
                             struct psn_error *err)
{
    if (!vault->world.http.perform) {
        enum psn_code rc = psn_http_client_new(&vault->http_client, err);

        if (rc)
            return rc;
        vault->world.http = psn_http_client_port(vault->http_client);
    }
    *ret_http = vault->world.http;
    return PSN_OK;
}

enum psn_code psn_vault_lock_operation(struct psn_vault *vault, const char *what,
                                       struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(4096);
    enum psn_code rc;

    if (vault->op_lock.fd >= 0) {
        vault->op_holds++;
        return PSN_OK;
    }
    psn_buf_format(&path, "%s" PSN_BESIDE_LOCK, vault->path);
    rc = psn_buf_check(&path, err);
    if (!rc)
        rc = psn_file_lock_soon(psn_buf_str(&path), what, &vault->op_lock, err);
    if (rc)
        return rc;
    psn_store_drop_second_names(vault->path);
    vault->op_holds = 1;
    return PSN_OK;
}

void psn_vault_unlock_operation(struct psn_vault *vault)
{
    if (vault->op_holds > 1) {
        vault->op_holds--;
        return;
    }
    vault->op_holds = 0;
    psn_file_unlock(&vault->op_lock);
}

/* --- transactions --- */

enum psn_code psn_vault_begin_box(struct psn_vault *vault, enum psn_store_mode mode,
                                  struct psn_buf *root_box, struct psn_error *err)
{
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    if (rc)
        return rc;
    assert(!vault->in_transaction);
    if (vault->examined && mode == PSN_STORE_WRITE)
        return psn_fail(err, PSN_E_POLICY, _("'%s' was opened to be examined, not used"),
                        vault->path);
    psn_seen_flush_due(vault);
    if (!vault->store)
        return psn_fail(err, PSN_E_IO, _("the vault '%s' is not open"), vault->path);
    rc = psn_store_begin(vault->store, mode, root_box, err);
    if (rc)
        return rc;
    rc = psn_state_open(vault, root_box, &vault->state, err);
    if (rc) {
        psn_store_rollback(vault->store);
        return psn_wrap(err, rc, _("cannot read the state of '%s'"), vault->path);
    }
    psn_store_trust(vault->store, &vault->state.roots);
    psn_loop_hold();
    vault->noted_chain.client[0] = '\0'; /* what a write that was given up has left */
    vault->seen_by_actor_alone[0] = '\0';
    vault->is_role_known = false;
    vault->in_transaction = true;
    vault->writing = mode == PSN_STORE_WRITE;
    return PSN_OK;
}

enum psn_code psn_vault_begin(struct psn_vault *vault, enum psn_store_mode mode,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(ROOT_BOX_MAX);

    return psn_vault_begin_box(vault, mode, &root_box, err);
}

static enum psn_code commit(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(ROOT_BOX_MAX);
    enum psn_code rc;

    if (!vault->writing)
        return psn_store_commit(vault->store, NULL, err);
    rc = psn_journal_settle(vault, err);
    if (!rc)
        rc = psn_store_roots(vault->store, &vault->state.roots, err);
    if (!rc)
        rc = psn_state_advance(vault, err);
    if (!rc)
        rc = psn_state_seal(vault, &vault->state, &root_box, err);
    return rc ? rc : psn_store_commit(vault->store, &root_box, err);
}

enum psn_code psn_vault_end(struct psn_vault *vault, enum psn_code rc,
                            struct psn_error *err)
{
    if (!rc)
        rc = commit(vault, err);
    if (rc)
        psn_store_rollback(vault->store);
    psn_loop_release();
    vault->in_transaction = false;
    if (!rc && vault->writing)
        psn_seen_note(vault);
    return rc;
}

/* The empty state, generation 1, before there is any row. */
enum psn_code psn_vault_found(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(ROOT_BOX_MAX);
    enum psn_code rc = psn_store_begin(vault->store, PSN_STORE_WRITE, &root_box, err);

    if (rc)
        return rc;
    vault->state = (struct psn_state){ 0 };
    psn_store_trust(vault->store, &vault->state.roots);
    psn_loop_hold();
    vault->noted_chain.client[0] = '\0';
    vault->seen_by_actor_alone[0] = '\0';
    vault->is_role_known = false;
    vault->in_transaction = true;
    vault->writing = true;
    return PSN_OK;
}

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
    PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(ROOT_BOX_MAX);
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

/* --- generated secrets for people --- */

enum psn_code psn_new_passphrase(const char *language, struct psn_secret **ret_passphrase,
                                 struct psn_error *err)
{
    return psn_generate_passphrase(language, ret_passphrase, err);
}

enum psn_code psn_new_recovery_code(struct psn_secret **ret_code, struct psn_error *err)
{
    return psn_generate_recovery(ret_code, err);
}

enum psn_code psn_new_password(struct psn_secret **ret_password, struct psn_error *err)
{
    return psn_generate_password(ret_password, err);
}

enum psn_code psn_passphrase_check(const struct psn_secret *passphrase,
                                   struct psn_error *err)
{
    return psn_check_passphrase(passphrase, err);
}
