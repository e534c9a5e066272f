#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "core/backup.h"
#include "core/journal.h"
#include "core/restored.h"
#include "core/state.h"
#include "core/vault.h"

/* Putting a backup in the vault's place. */

static enum psn_code open_backup(const struct psn_restore *restore,
                                 struct psn_vault **ret_backup, struct psn_error *err)
{
    struct psn_vault_options options = { .path = restore->backup };
    struct psn_vault_check check;
    enum psn_code rc = psn_vault_open(&options, ret_backup, err);

    if (!rc && restore->exported_key)
        rc = psn_vault_unlock_key(*ret_backup, restore->exported_key, restore->slot, err);
    else if (!rc)
        rc = psn_vault_unlock(*ret_backup, &restore->key, err);
    if (!rc)
        rc = psn_vault_check(*ret_backup, &check, err);
    if (rc == PSN_E_DENIED && err)
        err->hint[0] = '\0';
    if (rc == PSN_E_DENIED)
        (void)psn_hint(
            err, rc,
            _("a backup opens with the keys of its day: if the vault was rekeyed "
              "since, take the passphrase or identity of that time"));
    return rc ? psn_wrap(err, rc, _("nothing was restored from '%s'"), restore->backup)
              : PSN_OK;
}

static enum psn_code compare(struct psn_vault *backup,
                             const struct psn_seen_record *known,
                             struct psn_restored_states *states, struct psn_error *err)
{
    const struct psn_state *state = &backup->state;
    enum psn_code rc = psn_vault_begin(backup, PSN_STORE_READ, err);

    if (rc)
        return rc;
    states->backup =
        (struct psn_seen_state){ state->generation, state->journal_entries, { 0 } };
    memcpy(states->backup.history, state->history, sizeof state->history);
    return psn_vault_end(backup, psn_seen_check(backup, known, err), err);
}

/* Is the backup older than a state that is known, or another one? *ret_accepted: it is,
 * and that is accepted. */
static enum psn_code check_against(struct psn_vault *backup,
                                   const struct psn_seen_record *known, bool accept_older,
                                   struct psn_restored_states *states, bool *ret_accepted,
                                   struct psn_error *err)
{
    enum psn_code rc = compare(backup, known, states, err);

    *ret_accepted = false;
    if ((rc == PSN_E_ROLLED_BACK || rc == PSN_E_FORKED) && accept_older) {
        psn_error_clear(err);
        *ret_accepted = true;
        return PSN_OK;
    }
    if (rc == PSN_E_ROLLED_BACK)
        (void)psn_hint(err, rc,
                       _("passwords changed since then are not in it; if the newer vault "
                         "is lost: --accept-older"));
    return rc;
}

/* The copy as it will lie at path, beside what was seen here. */
static enum psn_code check_age(struct psn_vault *backup,
                               const struct psn_vault_options *options, bool accept_older,
                               struct psn_restored_states *ret_states, bool *ret_accepted,
                               struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    *ret_accepted = false;
    *ret_states = (struct psn_restored_states){ .seen.found = false };
    if (!backup->state_dir && options->state_dir) {
        backup->state_dir = strdup(options->state_dir);
        if (!backup->state_dir)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    rc = psn_seen_read(backup, &ret_states->seen, err);
    return rc ? rc
              : check_against(backup, &ret_states->seen, accept_older, ret_states,
                              ret_accepted, err);
}

/* What lies beside a vault, and would be applied to whatever file gets its name. */
static const char *const tails[] = { PSN_BESIDE_WAL, PSN_BESIDE_SHM, PSN_BESIDE_JOURNAL };

/* In one step, so that a log never has two names. What has the other name stays: it is
 * somebody else's. *ret_moved: there was one. */
static enum psn_code move(const char *path, const char *kept, const char *tail,
                          bool *ret_moved, struct psn_error *err)
{
    char from[4096];
    char to[4096];
    struct stat info;

    (void)snprintf(from, sizeof from, "%s%s", path, tail);
    (void)snprintf(to, sizeof to, "%s%s", kept, tail);
    if (lstat(to, &info) == 0)
        return psn_fail(err, PSN_E_EXISTS, _("'%s' exists already"), to);
    if (rename(from, to) == 0)
        *ret_moved = true;
    else if (errno != ENOENT)
        return psn_fail(err, psn_file_code(errno), _("cannot rename '%s': %s"), from,
                        strerror(errno));
    return PSN_OK;
}

static bool is_free(const char *kept)
{
    char name[4096];
    struct stat info;
    bool found = lstat(kept, &info) == 0;

    for (size_t i = 0; !found && i < sizeof tails / sizeof *tails; i++)
        found = snprintf(name, sizeof name, "%s%s", kept, tails[i]) < (int)sizeof name &&
                lstat(name, &info) == 0;
    return !found;
}

/* A name that is free, for the vault that is there and for its log. */
static enum psn_code name_kept(const char *path, char *ret_kept, size_t size,
                               struct psn_error *err)
{
    char now[PSN_TIME_SIZE];
    char stamp[PSN_TIME_SIZE] = "";
    size_t used = 0;

    (void)psn_clock_format(psn_clock_now_s(), now);
    for (const char *at = now; *at; at++)
        if (*at != '-' && *at != ':')
            stamp[used++] = *at;
    for (unsigned i = 0;; i++) {
        char again[16] = "";

        if (i)
            (void)snprintf(again, sizeof again, "-%u", i);
        if (snprintf(ret_kept, size, "%s.before-restore-%s%s", path, stamp, again) >=
            (int)size)
            return psn_fail(err, PSN_E_LIMIT, _("the path '%s' is too long"), path);
        if (is_free(ret_kept))
            return PSN_OK;
    }
}

/* Keeps what is there under another name. A vault is held meanwhile, so that nobody
 * writes into it who then believes to have written here; one that is not whole has a log
 * still, perhaps another vault's that belongs to what a backup holds. It goes with it, as
 * it is, and first. The file itself gets a second name, so that at no moment
 * is there none. */
static enum psn_code set_aside(const char *path, const char *kept, bool is_there,
                               const struct psn_store_hold *hold, bool *ret_kept,
                               struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < sizeof tails / sizeof *tails; i++)
        if (!psn_store_holds(hold))
            rc = move(path, kept, tails[i], ret_kept, err);
    if (!rc && is_there && link(path, kept) != 0)
        rc = psn_fail(err, psn_file_code(errno), _("cannot keep '%s' as '%s': %s"), path,
                      kept, strerror(errno));
    *ret_kept = *ret_kept || (!rc && is_there);
    return rc ? rc : psn_file_sync_dir_of(path, err);
}

/* The other way round, when the new file does not get the name. A log without its vault
 * stays where it is once another vault has the name. */
static void put_back(const char *path, const char *kept, bool was_there)
{
    struct stat file;
    struct stat second;
    bool moved;

    if (stat(path, &file) == 0 && stat(kept, &second) == 0 &&
        file.st_ino == second.st_ino && file.st_dev == second.st_dev)
        (void)unlink(kept);
    if (!was_there && access(path, F_OK) == 0)
        return;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        PSN_IGNORE(move(kept, path, tails[i], &moved, NULL));
}

/* Where nothing was, a vault that has been made meanwhile stays. */
static enum psn_code take_name(const char *staged, const char *path, bool is_there,
                               struct psn_error *err)
{
    int done = is_there ? rename(staged, path) : link(staged, path);

    if (done != 0 && errno == EEXIST)
        return psn_fail(err, PSN_E_EXISTS, _("'%s' exists already"), path);
    if (done != 0)
        return psn_fail(err, psn_file_code(errno), _("cannot rename '%s': %s"), staged,
                        strerror(errno));
    if (!is_there)
        (void)unlink(staged);
    return PSN_OK;
}

struct restoring {
    struct psn_vault *backup;
    const struct psn_vault_options *options;
    const struct psn_restore *restore;
    char *kept; /* of the caller */
    size_t kept_size;
    struct psn_store_hold *hold; /* of the vault that is there, if there is one */
    bool is_there;
    bool is_accepted; /* though it is not what was seen here, nor goes on from it */
    struct psn_restored_there there;
    struct psn_restored_states states;
    struct psn_carried carried;
};

/* Where that cannot be noted, the copy would be refused under the vault's name. */
static enum psn_code note_seen(struct psn_vault *backup, struct psn_error *err)
{
    struct psn_seen_record record = { .found = false };
    enum psn_code rc;

    psn_seen_write(backup);
    rc = psn_seen_read(backup, &record, err);
    if (rc || record.state.generation == backup->state.generation)
        return rc;
    return psn_fail(err, PSN_E_IO,
                    _("what was seen of the vault cannot be noted in '%s'"),
                    backup->state_dir);
}

/* Stopped before the copy has the name, or right behind, neither it nor the one that is
 * there may be refused: an older state is noted before, as the one that is there goes on
 * from it. Of two that went on apart there is no such one: nothing is noted then. */
static enum psn_code note_before(const struct restoring *at, struct psn_error *err)
{
    if (!at->is_accepted)
        return PSN_OK;
    return at->there.replaced == PSN_REPLACED_READ && !at->there.goes_on
               ? psn_seen_forget(at->backup, err)
               : note_seen(at->backup, err);
}

/* The checked copy takes the vault's name. */
static enum psn_code exchange(const struct restoring *at, const char *staged,
                              struct psn_error *err)
{
    const char *path = at->options->path;
    bool is_kept = false;
    enum psn_code rc = name_kept(path, at->kept, at->kept_size, err);

    if (rc) {
        at->kept[0] = '\0';
        return rc;
    }
    rc = set_aside(path, at->kept, at->is_there, at->hold, &is_kept, err);
    if (!rc)
        rc = note_before(at, err);
    if (!rc)
        rc = take_name(staged, path, at->is_there, err);
    if (rc)
        put_back(path, at->kept, at->is_there);
    if (!is_kept)
        at->kept[0] = '\0';
    else if (!at->is_there) /* of the vault that was there only this */
        (void)snprintf(at->kept + strlen(at->kept), at->kept_size - strlen(at->kept),
                       PSN_BESIDE_WAL);
    return rc;
}

/* A name beside the vault's that is not the backup's own. */
static enum psn_code name_staged(const char *path, const char *backup, char *ret_staged,
                                 size_t size, struct psn_error *err)
{
    static const char *const ends[] = { PSN_BESIDE_STAGED, PSN_BESIDE_STAGED_2 };
    struct stat here;
    struct stat there;

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (snprintf(ret_staged, size, "%s%s", path, ends[i]) >= (int)size)
            return psn_fail(err, PSN_E_LIMIT, _("the path '%s' is too long"), path);
        if (stat(ret_staged, &here) != 0 || stat(backup, &there) != 0 ||
            here.st_dev != there.st_dev || here.st_ino != there.st_ino)
            return PSN_OK;
    }
    return psn_fail(err, PSN_E_INVALID, _("'%s' is the vault itself"), backup);
}

/* Nobody writes into it from now on, and what is in its log is in the file. A log that is
 * not its own stays apart. */
static enum psn_code hold_there(struct restoring *at, struct psn_error *err)
{
    const char *path = at->options->path;
    struct psn_error why = { 0 };
    struct stat info;
    bool fits = true;
    enum psn_code rc = PSN_OK;

    at->is_there = stat(path, &info) == 0;
    if (!at->is_there && errno != ENOENT)
        return psn_fail(err, psn_file_code(errno), _("cannot read '%s': %s"), path,
                        strerror(errno));
    if (!at->is_there)
        return PSN_OK;
    rc = psn_restored_check_log(path, at->backup, &fits, &why);
    if (!rc && fits)
        rc = psn_store_hold(path, &at->hold, &why);
    /* However the disk fails, a backup that lacks nothing takes its place. */
    if (!rc || (rc == PSN_E_IO && !at->restore->accept_older))
        return PSN_OK;
    (void)psn_fail(err, rc, "%s", why.message);
    return rc == PSN_E_IO ? psn_restored_hint(path, err)
                          : psn_hint(err, rc, "%s", why.hint);
}

/* What was seen here is a note of one user on one computer: it may be gone, or older than
 * the vault that lies there, which tells by itself how far it is. */
static enum psn_code check_there(struct restoring *at, struct psn_error *err)
{
    struct psn_restored_there *there = &at->there;
    bool is_accepted;
    enum psn_code rc = PSN_OK;

    *there =
        (struct psn_restored_there){ .replaced = at->is_there ? PSN_REPLACED_UNREADABLE
                                                              : PSN_REPLACED_NOTHING };
    if (psn_store_holds(at->hold))
        rc = psn_restored_look(at->options->path, at->backup, &at->states.backup,
                               at->restore->accept_older, there, err);
    return rc || !there->state.found
               ? rc
               : check_against(at->backup, &there->state, at->restore->accept_older,
                               &at->states, &is_accepted, err);
}

/* An older state issues nothing unasked, unless the one that is there has told all; nor
 * does one of which nobody can tell whether it is older. */
static enum psn_code take_over(struct restoring *at, struct psn_vault *copy,
                               struct psn_error *err)
{
    bool is_older = at->restore->accept_older;
    const struct psn_note note = { .event = is_older ? "vault.restored-older"
                                                     : "vault.restored" };
    int64_t since_s = 0;
    enum psn_code rc = psn_restored_unjudged_since(copy, &since_s, err);

    if (!rc)
        rc = psn_journal_note(copy, NULL, &note, err);
    if (!rc && is_older && psn_store_holds(at->hold))
        rc = psn_restored_carry(copy, at->options->path, &at->states, &at->carried, err);
    if (rc || (!is_older && at->there.replaced != PSN_REPLACED_UNREADABLE))
        return rc;
    return psn_restored_note(copy, since_s > 0 || !is_older || !at->carried.is_whole,
                             err);
}

/* All is in the copy before it is the vault: killed at any moment, it is the one that is
 * there, or the whole of what takes its place. Its age is asked once more when nobody can
 * write any more: until then somebody may have. */
static enum psn_code prepare_copy(void *arg, const char *path, struct psn_error *err)
{
    struct restoring *at = arg;
    PSN_AUTO(psn_vault) *copy = NULL;
    enum psn_code rc = hold_there(at, err);

    if (!rc)
        rc = check_age(at->backup, at->options, at->restore->accept_older, &at->states,
                       &at->is_accepted, err);
    if (!rc)
        rc = check_there(at, err);
    if (!rc)
        rc = psn_backup_open_copy(at->backup, path, &copy, err);
    if (!rc)
        rc = psn_vault_begin(copy, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(copy, take_over(at, copy, err), err);
}

/* Opens what has been put back. */
static enum psn_code open_restored(const struct restoring *at,
                                   struct psn_vault **ret_vault, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    enum psn_code rc = psn_vault_open(at->options, &vault, err);

    if (!rc)
        rc = psn_vault_unlock_key(vault, at->backup->root_key, at->backup->slot, err);
    if (!rc)
        *ret_vault = PSN_TAKE(vault);
    return rc;
}

static enum psn_code put_in_place(struct restoring *at, struct psn_error *err)
{
    char staged[4096];
    enum psn_code rc =
        name_staged(at->options->path, at->restore->backup, staged, sizeof staged, err);

    at->kept[0] = '\0';
    if (!rc)
        rc = psn_store_copy(at->backup->store, staged, true, prepare_copy, at, err);
    if (rc)
        return rc;
    rc = exchange(at, staged, err);
    if (rc)
        (void)unlink(staged);
    return rc;
}

static enum psn_code hold_and_put(struct restoring *at, struct psn_error *err)
{
    enum psn_code rc = put_in_place(at, err);

    psn_store_hold_free(at->hold);
    at->hold = NULL;
    return rc;
}

static enum psn_code settle(struct restoring *at, struct psn_vault **ret_vault,
                            struct psn_error *err)
{
    enum psn_code rc = hold_and_put(at, err);

    if (rc)
        return rc;
    psn_seen_write(at->backup);
    rc = psn_file_sync_dir_of(at->options->path, err);
    if (!rc)
        rc = open_restored(at, ret_vault, err);
    at->carried.replaced = at->there.replaced;
    at->carried.is_elsewhere = !at->is_there && at->states.seen.found;
    if (!rc && at->restore->carried)
        *at->restore->carried = at->carried;
    if (!rc)
        return PSN_OK;
    rc = psn_wrap(err, rc, _("the backup is in its place, but it does not open"));
    if (at->kept[0])
        rc = psn_hint(err, rc, _("what was there before is kept: %s"), at->kept);
    return rc;
}

/* The vault, or a second name of it. */
static enum psn_code check_other(const char *path, const char *backup,
                                 struct psn_error *err)
{
    struct stat here;
    struct stat there;

    if (stat(path, &here) == 0 && stat(backup, &there) == 0 &&
        here.st_dev == there.st_dev && here.st_ino == there.st_ino)
        return psn_fail(err, PSN_E_INVALID, _("'%s' is the vault itself"), backup);
    return PSN_OK;
}

enum psn_code psn_vault_restore(const struct psn_vault_options *options,
                                const struct psn_restore *restore, char *ret_kept,
                                size_t kept_size, struct psn_vault **ret_vault,
                                struct psn_error *err)
{
    PSN_AUTO(psn_vault) *backup = NULL;
    struct psn_file_lock lock = PSN_FILE_LOCK_NONE;
    char lock_path[4096];
    struct psn_restored_states states;
    bool is_accepted;
    enum psn_code rc = psn_beside_check(options->path, err);

    if (!rc)
        rc = check_other(options->path, restore->backup, err);
    if (!rc)
        rc = open_backup(restore, &backup, err);
    if (!rc)
        rc =
            check_age(backup, options, restore->accept_older, &states, &is_accepted, err);
    if (rc)
        return rc;
    if (snprintf(lock_path, sizeof lock_path, "%s" PSN_BESIDE_LOCK, options->path) >=
        (int)sizeof lock_path)
        return psn_fail(err, PSN_E_LIMIT, _("the path '%s' is too long"), options->path);
    rc = psn_file_lock_soon(lock_path, "restore", &lock, err);
    if (!rc) {
        psn_store_drop_second_names(options->path);
        rc = settle(&(struct restoring){ backup, options, restore, ret_kept, kept_size,
                                         .hold = NULL },
                    ret_vault, err);
    }
    psn_file_unlock(&lock);
    return rc;
}
