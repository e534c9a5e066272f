#include "core/successor.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/i18n.h"
#include "core/slot.h"
#include "core/state.h"

/*
 * Under the operation lock and the old file's write lock everything is put into a draft
 * beside the vault. The draft is checked whole, closed and opened again; only then it
 * takes the vault's name:
 *
 *     old file in use, draft grows     a kill leaves the old vault, and a draft to remove
 *     old file locked for itself,      the old vault
 *       out of WAL mode, still the
 *       state that was copied
 *     rename                           the new vault
 *     folder synced                    the new vault
 *     old bytes written over, if       the new vault, and blocks without a name
 *       they are to be
 *     record written                   the new vault
 *
 * The history goes on from the old file's, one generation later: so the rollback record
 * takes the new file for a descendant, and the old one, put back, for a rollback.
 */
enum {
    TRIES = 3, /* another command may write between the copy and the lock */
    PATH_SIZE = 4096,
    SPARE_BYTES = 1024 * 1024,
};

static enum psn_code draft_path(const char *path, char out[PATH_SIZE],
                                struct psn_error *err)
{
    if (snprintf(out, PATH_SIZE, "%s" PSN_BESIDE_DRAFT, path) >= PATH_SIZE)
        return psn_fail(err, PSN_E_LIMIT, _("the path '%s' is too long"), path);
    return PSN_OK;
}

void psn_successor_clean_up(const struct psn_vault *vault)
{
    struct psn_file_lock lock = PSN_FILE_LOCK_NONE;
    char draft[PATH_SIZE];
    char lock_path[PATH_SIZE];

    if (draft_path(vault->path, draft, NULL) || access(draft, F_OK) != 0 ||
        snprintf(lock_path, sizeof lock_path, "%s" PSN_BESIDE_LOCK, vault->path) >=
            (int)sizeof lock_path)
        return;
    if (psn_file_lock(lock_path, "clean-up", &lock, NULL))
        return;
    PSN_IGNORE(psn_store_remove_draft(draft, NULL));
    psn_file_unlock(&lock);
}

/* --- the draft --- */

/* A quarter more than the old file, as a B-tree that grows in no order is less full. */
static enum psn_code check_room(const struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO_FREE char *dir = psn_file_dir_of(vault->path);
    uint64_t size = psn_store_size(vault->store);
    uint64_t need = size + size / 4 + SPARE_BYTES;
    struct statvfs info;

    if (!dir || statvfs(dir, &info) != 0 ||
        (uint64_t)info.f_bavail * info.f_frsize >= need)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_FULL,
                   _("the disk has no room for a second file beside '%s': it takes up to "
                     "%llu KiB"),
                   vault->path, (unsigned long long)(need / 1024));
    return psn_hint(err, PSN_E_FULL,
                    _("nothing was changed; make room on the disk, then try again"));
}

/* A handle with its keys, and the draft's file under it. */
static enum psn_code begin_draft(const struct psn_vault *vault, const char *draft,
                                 bool same_key, struct psn_vault **ret_draft,
                                 struct psn_error *err)
{
    PSN_AUTO(psn_vault) *to = NULL;
    PSN_AUTO(psn_secret) *root_key = NULL;
    struct psn_vault_options options = { .path = draft };
    enum psn_code rc = psn_vault_new(&options, &to, err);

    if (!rc && same_key)
        rc = psn_secret_copy(psn_secret_bytes(vault->root_key),
                             psn_secret_size(vault->root_key), &root_key, err);
    else if (!rc)
        rc = psn_kdf_random(&root_key, err);
    if (!rc)
        rc = psn_vault_take_root_key(to, &root_key, err);
    if (rc)
        return rc;
    memcpy(to->id, vault->id, sizeof to->id);
    memcpy(to->actor, vault->actor, sizeof to->actor);
    memcpy(to->slot, vault->slot, sizeof to->slot);
    to->world.now_s = vault->world.now_s;
    rc = psn_store_create_draft(draft, psn_vault_store_hash, &to->store, err);
    if (!rc)
        rc = psn_vault_found(to, err);
    if (rc)
        return rc;
    *ret_draft = PSN_TAKE(to);
    return PSN_OK;
}

static enum psn_code prove(struct psn_vault *to, const struct psn_successor *successor,
                           struct psn_error *err)
{
    struct psn_vault_check check;
    enum psn_code rc = psn_vault_check(to, &check, err);

    psn_store_free(PSN_TAKE(to->store));
    if (!rc)
        rc = successor->prove(successor->arg, to, err);
    return rc ? psn_wrap(err, rc, _("the new file does not hold; nothing was changed"))
              : PSN_OK;
}

static enum psn_code write_draft(struct psn_vault *vault,
                                 const struct psn_successor *successor, const char *draft,
                                 struct psn_vault **ret_draft, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *to = NULL;
    enum psn_code rc = psn_store_check(vault->store, err);

    if (!rc)
        rc = begin_draft(vault, draft, successor->same_key, &to, err);
    if (!rc)
        rc = psn_vault_end(to, successor->fill(successor->arg, vault, to, err), err);
    if (!rc)
        rc = prove(to, successor, err);
    if (!rc)
        *ret_draft = PSN_TAKE(to);
    return rc;
}

/* --- taking its place --- */

/* The handle goes over to the draft's keys; its file is opened by its new name. */
static enum psn_code go_over(struct psn_vault *vault, struct psn_vault *to,
                             struct psn_error *err)
{
    PSN_AUTO(psn_secret) *root_key = NULL;
    uint8_t slot[PSN_SLOT_ID_SIZE];
    enum psn_code rc;

    memcpy(slot, to->slot, sizeof slot);
    root_key = PSN_TAKE(to->root_key);
    rc = psn_vault_take_root_key(vault, &root_key, err);
    memcpy(vault->slot, slot, sizeof slot);
    if (!rc)
        rc = psn_store_open(vault->path, psn_vault_store_hash, &vault->store, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    if (rc)
        return rc;
    rc = psn_slot_owner(vault, slot, vault->actor, err);
    rc = psn_vault_end(vault, rc, err);
    if (!rc)
        psn_seen_write(vault);
    vault->seen = PSN_SEEN_SAME;
    return rc;
}

static enum psn_code take_place(struct psn_vault *vault, struct psn_vault *to,
                                const struct psn_successor *successor,
                                const struct psn_buf *root_box, bool *ret_replaced,
                                struct psn_error *err)
{
    struct psn_error later = { 0 };
    enum psn_code rc;
    enum psn_code rc_later;

    if (successor->ret_wiped)
        psn_store_keep_log(vault->store);
    psn_store_free(PSN_TAKE(vault->store));
    rc = psn_store_succeed(to->path, vault->path, root_box, ret_replaced,
                           successor->ret_wiped, err);
    if (*ret_replaced)
        rc_later = go_over(vault, to, &later);
    else
        rc_later =
            psn_store_open(vault->path, psn_vault_store_hash, &vault->store, &later);
    if (rc || !rc_later)
        return rc;
    if (err)
        *err = later;
    return rc_later;
}

/* One attempt. E_CONFLICT: the vault was changed behind it, and is as it was changed. */
static enum psn_code attempt(struct psn_vault *vault,
                             const struct psn_successor *successor, bool *ret_replaced,
                             struct psn_error *err)
{
    PSN_AUTO(psn_vault) *to = NULL;
    PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(PSN_ROOT_BOX_MAX);
    char draft[PATH_SIZE];
    enum psn_code rc = draft_path(vault->path, draft, err);

    if (!rc)
        rc = psn_store_remove_draft(draft, err);
    if (!rc)
        rc = check_room(vault, err);
    if (!rc)
        rc = psn_vault_begin_box(vault, PSN_STORE_WRITE, &root_box, err);
    if (rc)
        return rc;
    rc = write_draft(vault, successor, draft, &to, err);
    /* Nothing was changed in the old file: the write lock kept others from it. */
    vault->writing = false;
    psn_store_rollback(vault->store);
    vault->in_transaction = false;
    if (!rc)
        rc = take_place(vault, to, successor, &root_box, ret_replaced, err);
    if (rc && !*ret_replaced) {
        psn_vault_free(PSN_TAKE(to));
        PSN_IGNORE(psn_store_remove_draft(draft, NULL));
    }
    return rc;
}

enum psn_code psn_vault_succeed(struct psn_vault *vault,
                                const struct psn_successor *successor, bool *ret_replaced,
                                struct psn_error *err)
{
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    *ret_replaced = false;
    if (!rc)
        rc = psn_vault_lock_operation(vault, successor->what, err);
    if (rc)
        return rc;
    rc = attempt(vault, successor, ret_replaced, err);
    for (int i = 1; rc == PSN_E_CONFLICT && !*ret_replaced && i < TRIES; i++) {
        psn_error_clear(err);
        rc = attempt(vault, successor, ret_replaced, err);
    }
    psn_vault_unlock_operation(vault);
    return rc;
}
