#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/i18n.h"
#include "core/backup.h"
#include "core/client.h"
#include "core/destruction.h"

/*
 * Copies of the vault, of which each is a vault of its own: opened with the root key at
 * hand, written anew without the client, and put back under its name. A copy from before
 * a rekey has another root key, and only who has a key of its day can open it.
 */

const char *psn_scrub_result_name(enum psn_scrub_result result)
{
    switch (result) {
    case PSN_SCRUB_REWRITTEN:
        return "rewritten";
    case PSN_SCRUB_LACKS:
        return "lacks";
    case PSN_SCRUB_NOT_OURS:
        return "not-ours";
    case PSN_SCRUB_UNREADABLE:
        return "unreadable";
    case PSN_SCRUB_MISSING:
        return "missing";
    case PSN_SCRUB_HOLDS:
        return "holds";
    case PSN_SCRUB_UNSEEN:
        return "unseen";
    }
    return "unknown";
}

static enum psn_code check_other(const struct psn_vault *vault, const char *path,
                                 struct psn_error *err)
{
    struct stat here;
    struct stat there;

    if (stat(vault->path, &here) == 0 && stat(path, &there) == 0 &&
        here.st_dev == there.st_dev && here.st_ino == there.st_ino)
        return psn_fail(err, PSN_E_INVALID, _("'%s' is the vault itself"), path);
    return PSN_OK;
}

/* Is it the machine that fails, rather than what is in the file? */
static bool is_failure(enum psn_code rc)
{
    return rc == PSN_E_NOMEM || rc == PSN_E_BUSY || rc == PSN_E_FULL;
}

static enum psn_code refuse(struct psn_scrub *scrub, enum psn_scrub_result result,
                            enum psn_code rc, const struct psn_error *why,
                            struct psn_error *err)
{
    if (is_failure(rc)) {
        if (err)
            *err = *why;
        return rc;
    }
    scrub->result = result;
    (void)snprintf(scrub->why, sizeof scrub->why, "%s", why->message);
    return PSN_OK;
}

/* Any slot of the copy will do: they all lead to the key that is at hand, or none. */
static enum psn_code unlock(const struct psn_vault *vault, struct psn_vault *copy,
                            struct psn_error *err)
{
    uint8_t slot[PSN_SLOT_ID_SIZE];
    enum psn_code rc;

    memcpy(slot, copy->state.slots[0].id, sizeof slot);
    rc = psn_vault_unlock_key(copy, vault->root_key, slot, err);
    if (rc)
        return rc;
    memcpy(copy->actor, vault->actor, sizeof copy->actor);
    copy->world.now_s = vault->world.now_s;
    return PSN_OK;
}

static bool has_beside(const char *path, const char *tail)
{
    char name[4096];

    return snprintf(name, sizeof name, "%s%s", path, tail) < (int)sizeof name &&
           access(name, F_OK) == 0;
}

/* ret_scrub->result is what was found; *ret_copy is set if there is work to do. */
static enum psn_code open_copy(const struct psn_vault *vault, const char *path,
                               const char *client, bool looks,
                               struct psn_scrub *ret_scrub, struct psn_vault **ret_copy,
                               struct psn_error *err)
{
    PSN_AUTO(psn_vault) *copy = NULL;
    struct psn_vault_options options = { .path = path, .examine = looks };
    struct psn_client there = { 0 };
    struct psn_error why = { 0 };
    bool has_log = has_beside(path, PSN_BESIDE_WAL);
    enum psn_code rc = psn_vault_open(&options, &copy, &why);

    /* A link, a damaged file, no vault at all: nobody knows what is in it. */
    if (rc)
        return refuse(ret_scrub, PSN_SCRUB_UNREADABLE, rc, &why, err);
    if (looks && !has_log)
        psn_store_leave_no_log(copy->store);
    if (memcmp(copy->id, vault->id, sizeof copy->id) != 0) {
        ret_scrub->result = PSN_SCRUB_NOT_OURS;
        return PSN_OK;
    }
    rc = unlock(vault, copy, &why);
    if (!rc)
        rc = psn_client_get(copy, client, &there, &why);
    psn_client_release(&there);
    if (rc == PSN_E_NOT_FOUND) {
        ret_scrub->result = PSN_SCRUB_LACKS;
        return PSN_OK;
    }
    if (rc)
        return refuse(ret_scrub, PSN_SCRUB_UNREADABLE, rc, &why, err);
    ret_scrub->result = PSN_SCRUB_REWRITTEN;
    *ret_copy = PSN_TAKE(copy);
    return PSN_OK;
}

/* A copy is one file: what working on it has put beside it goes. */
static void tidy(const char *path, bool had_lock)
{
    char lock[4096];

    psn_backup_drop_empty_log(path);
    if (!had_lock &&
        snprintf(lock, sizeof lock, "%s" PSN_BESIDE_LOCK, path) < (int)sizeof lock)
        (void)unlink(lock);
}

static bool is_missing(const char *path)
{
    struct stat info;

    return lstat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static enum psn_code scrub(struct psn_vault *vault, const char *path,
                           const struct psn_destruction_request *request,
                           struct psn_scrub *ret_scrub, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *copy = NULL;
    enum psn_code rc =
        open_copy(vault, path, request->client, false, ret_scrub, &copy, err);

    return rc || !copy ? rc
                       : psn_destruction_run(copy, request, &ret_scrub->destruction, err);
}

enum psn_code psn_backup_scrub(struct psn_vault *vault, const char *path,
                               const struct psn_destruction_request *request,
                               struct psn_scrub *ret_scrub, struct psn_error *err)
{
    bool had_lock = has_beside(path, PSN_BESIDE_LOCK);
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    *ret_scrub = (struct psn_scrub){ .result = PSN_SCRUB_MISSING };
    if (!rc)
        rc = psn_destruction_check(request, err);
    if (!rc)
        rc = check_other(vault, path, err);
    if (rc || is_missing(path))
        return rc;
    rc = scrub(vault, path, request, ret_scrub, err);
    tidy(path, had_lock);
    return rc;
}

/* Somebody else may have it open, or open it meanwhile: what lies beside it is SQLite's.
 */
enum psn_code psn_backup_look(struct psn_vault *vault, const char *path,
                              const char *client, struct psn_scrub *ret_scrub,
                              struct psn_error *err)
{
    PSN_AUTO(psn_vault) *copy = NULL;
    struct psn_error why = { 0 };
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    *ret_scrub = (struct psn_scrub){ .result = PSN_SCRUB_MISSING };
    if (rc || is_missing(path))
        return rc;
    rc = open_copy(vault, path, client, true, ret_scrub, &copy, &why);
    if (rc) {
        ret_scrub->result = PSN_SCRUB_UNSEEN;
        (void)snprintf(ret_scrub->why, sizeof ret_scrub->why, "%s", why.message);
    } else if (copy) {
        ret_scrub->result = PSN_SCRUB_HOLDS;
    }
    return PSN_OK;
}
