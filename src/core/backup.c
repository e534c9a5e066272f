#include "core/backup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/journal.h"
#include "core/restored.h"
#include "core/role.h"
#include "core/state.h"
#include "core/vault.h"

/* Checking all of a vault, copying it, and putting a copy back. */

/* --- check --- */

struct full_check {
    struct psn_vault *vault;
    uint64_t rows;
};

static enum psn_code count_row(void *arg, const struct psn_store_row *row,
                               const struct psn_buf *plain, struct psn_error *err)
{
    struct full_check *check = arg;

    (void)row;
    (void)plain;
    (void)err;
    check->rows++;
    return PSN_OK;
}

static enum psn_code open_role_rows(void *arg, const struct psn_role_row *row,
                                    struct psn_error *err)
{
    struct full_check *check = arg;
    static const enum psn_table tables[] = { PSN_TABLE_SECRET, PSN_TABLE_VERSION };
    const struct psn_secret *data_key;
    enum psn_code rc = psn_client_data_key(check->vault, row->client, &data_key, err);

    check->rows++;
    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++) {
        struct psn_row_key prefix;

        rc = psn_row_key_init(check->vault, tables[i], row->address, &prefix, err);
        if (!rc)
            rc = psn_row_each(check->vault, tables[i], &prefix, data_key, count_row,
                              check, err);
    }
    return rc ? psn_wrap(err, rc, "%s", row->address) : PSN_OK;
}

static enum psn_code open_credential(void *arg, const char *client, struct psn_error *err)
{
    struct full_check *check = arg;
    const struct psn_secret *data_key;
    struct psn_row_key key;
    enum psn_code rc = psn_client_data_key(check->vault, client, &data_key, err);

    if (!rc)
        rc = psn_row_key_init(check->vault, PSN_TABLE_CREDENTIAL, client, &key, err);
    return rc ? rc
              : psn_row_each(check->vault, PSN_TABLE_CREDENTIAL, &key, data_key,
                             count_row, check, err);
}

/* Rows that lie under the rows key, one table after the other; then what each client has.
 */
static enum psn_code open_all(struct full_check *check, struct psn_error *err)
{
    static const enum psn_table tables[] = {
        PSN_TABLE_SLOT,  PSN_TABLE_PERSON,   PSN_TABLE_CLIENT,  PSN_TABLE_DOMAIN,
        PSN_TABLE_CHAIN, PSN_TABLE_EXPOSURE, PSN_TABLE_OWN_KEY, PSN_TABLE_GRANT,
        PSN_TABLE_ISSUE, PSN_TABLE_TRUST,    PSN_TABLE_ACCESS
    };
    struct psn_vault *vault = check->vault;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++)
        rc = psn_row_each(vault, tables[i], NULL, vault->rows_key, count_row, check, err);
    if (!rc)
        rc = psn_client_ids(vault, open_credential, check, err);
    return rc ? rc : psn_role_scan(vault, NULL, 0, open_role_rows, check, err);
}

static enum psn_code check_all(struct psn_vault *vault, struct psn_vault_check *ret_check,
                               struct psn_error *err)
{
    struct full_check check = { vault, 0 };
    enum psn_code rc = psn_store_check(vault->store, err);

    if (!rc)
        rc = psn_journal_check(vault, NULL, NULL, err);
    if (!rc)
        rc = open_all(&check, err);
    if (!rc)
        *ret_check = (struct psn_vault_check){ .generation = vault->state.generation,
                                               .rows = check.rows,
                                               .entries = vault->state.journal_entries };
    return rc;
}

enum psn_code psn_vault_check(struct psn_vault *vault, struct psn_vault_check *ret_check,
                              struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(vault, check_all(vault, ret_check, err), err);
}

/* --- backup --- */

void psn_backup_drop_empty_log(const char *path)
{
    char log[4096];
    char index[4096];
    struct stat info;

    if (snprintf(log, sizeof log, "%s" PSN_BESIDE_WAL, path) >= (int)sizeof log ||
        snprintf(index, sizeof index, "%s" PSN_BESIDE_SHM, path) >= (int)sizeof index)
        return;
    if (stat(log, &info) == 0 && info.st_size > 0)
        return;
    (void)unlink(log);
    (void)unlink(index);
}

/* Opens a file as the same vault, with the keys at hand, and checks all of it. */
static enum psn_code check_copy(void *arg, const char *path, struct psn_error *err)
{
    const struct psn_vault *vault = arg;
    PSN_AUTO(psn_vault) *copy = NULL;
    struct psn_vault_options options = { .path = path };
    struct psn_vault_check check;
    enum psn_code rc = psn_vault_open(&options, &copy, err);

    if (!rc) {
        psn_store_leave_no_log(copy->store);
        rc = psn_vault_unlock_key(copy, vault->root_key, vault->slot, err);
    }
    if (!rc)
        rc = psn_vault_check(copy, &check, err);
    return rc ? psn_wrap(err, rc, _("the backup '%s' does not open"), path) : PSN_OK;
}

static enum psn_code note_backup(struct psn_vault *vault, const char *event,
                                 const char *path, struct psn_error *err)
{
    PSN_AUTO_FREE char *whole = realpath(path, NULL);
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    /* Where it lies, so that the end of a handover can look for it. */
    if (whole && strlen(whole) < PSN_JOURNAL_TEXT_MAX &&
        psn_text_is_plain(whole, strlen(whole)))
        name = whole;

    return rc ? rc
              : psn_vault_end(
                    vault,
                    psn_journal_note(vault, NULL,
                                     &(struct psn_note){ .event = event, .text = name },
                                     err),
                    err);
}

/* What it replaces goes when it is proved good. */
static enum psn_code copy_checked(struct psn_vault *vault, const char *path, bool replace,
                                  struct psn_error *err)
{
    return psn_store_copy_checked(vault->store, path, replace, check_copy, vault, err);
}

/* In place of "nothing was changed". */
static enum psn_code hint_anew(enum psn_code rc, struct psn_error *err)
{
    if (err)
        err->hint[0] = '\0';
    return psn_hint(
        err, rc,
        _("make the backup anew; this one is restored with: passation restore "
          "--accept-older FILE"));
}

/*
 * Only a copy that is there and was opened is noted as one: whoever is killed before has
 * no backup. The note is a change of the vault, though, and a copy without it would be an
 * older vault than the one seen here, which restore refuses. So it is copied once more:
 * killed in between, the file is the first copy, which was checked.
 */
enum psn_code psn_vault_backup(struct psn_vault *vault, const char *path, bool replace,
                               struct psn_error *err)
{
    struct psn_vault_check check;
    enum psn_code rc = psn_vault_check(vault, &check, err);

    if (rc)
        return psn_wrap(err, rc,
                        _("nothing was written, as the vault itself is not whole"));
    if (!replace && access(path, F_OK) == 0)
        return psn_fail(err, PSN_E_EXISTS, _("'%s' exists already"), path);
    rc = copy_checked(vault, path, replace, err);
    if (rc)
        return rc;
    rc = note_backup(vault, PSN_BACKUP_CHECKED, path, err);
    if (rc) {
        (void)psn_wrap(err, rc, _("'%s' is a good copy, but that cannot be noted"), path);
        return hint_anew(rc, err);
    }
    rc = copy_checked(vault, path, true, err);
    if (!rc)
        return PSN_OK;
    /* Whoever asks for the last backup must not take this one for it. */
    PSN_IGNORE(note_backup(vault, "vault.backup-failed", path, NULL));
    (void)psn_wrap(err, rc,
                   _("'%s' is a good copy, but of the state before it was noted"), path);
    return hint_anew(rc, err);
}

/* --- restore --- */

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

/* The copy as it will lie at path: is it older than what was seen here? *ret_older: it is
 * an older state of it, which is accepted. */
static enum psn_code check_age(struct psn_vault *backup,
                               const struct psn_vault_options *options, bool accept_older,
                               bool *ret_older, struct psn_error *err)
{
    struct psn_seen_record record = { .found = false };
    enum psn_code rc = PSN_OK;

    *ret_older = false;
    if (!options->state_dir)
        return PSN_OK;
    if (!backup->state_dir)
        backup->state_dir = strdup(options->state_dir);
    if (!backup->state_dir)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_seen_read(backup, &record, err);
    if (!rc)
        rc = psn_vault_begin(backup, PSN_STORE_READ, err);
    if (!rc)
        rc = psn_vault_end(backup, psn_seen_check(backup, &record, err), err);
    if ((rc == PSN_E_ROLLED_BACK || rc == PSN_E_FORKED) && accept_older) {
        psn_error_clear(err);
        *ret_older = rc == PSN_E_ROLLED_BACK;
        return PSN_OK;
    }
    if (rc == PSN_E_ROLLED_BACK)
        (void)psn_hint(err, rc,
                       _("passwords changed since then are not in it; if the newer vault "
                         "is lost: --accept-older"));
    return rc;
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
};

/* The checked copy takes the vault's name. Its age is asked once more when nobody can
 * write any more: until then somebody may have. An older state that is accepted is noted
 * before it is there, since the one that is there goes on from it. */
static enum psn_code exchange(const struct restoring *at, const char *staged,
                              struct psn_error *err)
{
    PSN_AUTO(psn_store_hold) *hold = NULL;
    const char *path = at->options->path;
    bool is_there = access(path, F_OK) == 0;
    bool is_kept = false;
    bool is_older = false;
    enum psn_code rc = name_kept(path, at->kept, at->kept_size, err);

    /* Holding it moves the log into the file. */
    if (!rc && is_there && psn_restored_fits_log(path, at->backup))
        rc = psn_store_hold(path, &hold, err);
    if (!rc)
        rc =
            check_age(at->backup, at->options, at->restore->accept_older, &is_older, err);
    if (rc) {
        at->kept[0] = '\0';
        return rc;
    }
    rc = set_aside(path, at->kept, is_there, hold, &is_kept, err);
    if (!rc && is_older)
        psn_seen_write(at->backup);
    if (!rc)
        rc = take_name(staged, path, is_there, err);
    if (rc)
        put_back(path, at->kept, is_there);
    if (!is_kept)
        at->kept[0] = '\0';
    else if (!is_there) /* of the vault that was there only this */
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

/* Opens what has been put back, and notes that. */
static enum psn_code note_restored(const struct restoring *at, struct psn_vault *vault,
                                   struct psn_error *err)
{
    struct psn_carried carried = { 0 };
    const struct psn_note note = { .event = at->restore->accept_older
                                                ? "vault.restored-older"
                                                : "vault.restored" };
    enum psn_code rc = psn_journal_note(vault, NULL, &note, err);

    if (!rc && at->restore->accept_older && at->kept[0])
        rc = psn_restored_carry(vault, at->kept, &carried, err);
    if (!rc && at->restore->accept_older && !carried.is_read)
        rc = psn_restored_note(vault, true, err);
    if (at->restore->carried)
        *at->restore->carried = carried;
    return rc;
}

static enum psn_code take_over(const struct restoring *at, struct psn_vault **ret_vault,
                               struct psn_error *err)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    enum psn_code rc = psn_vault_open(at->options, &vault, err);

    if (!rc)
        rc = psn_vault_unlock_key(vault, at->backup->root_key, at->backup->slot, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (!rc)
        rc = psn_vault_end(vault, note_restored(at, vault, err), err);
    if (!rc)
        *ret_vault = PSN_TAKE(vault);
    return rc;
}

static enum psn_code settle(const struct restoring *at, struct psn_vault **ret_vault,
                            struct psn_error *err)
{
    char staged[4096];
    enum psn_code rc =
        name_staged(at->options->path, at->restore->backup, staged, sizeof staged, err);

    if (!rc)
        rc = psn_store_copy(at->backup->store, staged, true, err);
    if (rc)
        return rc;
    rc = exchange(at, staged, err);
    if (rc) {
        (void)unlink(staged);
        return rc;
    }
    psn_seen_write(at->backup);
    rc = psn_file_sync_dir_of(at->options->path, err);
    if (!rc)
        rc = take_over(at, ret_vault, err);
    if (!rc)
        return PSN_OK;
    rc = psn_wrap(err, rc, _("the backup is in its place, but that could not be noted"));
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
    bool is_older;
    enum psn_code rc = psn_beside_check(options->path, err);

    if (!rc)
        rc = check_other(options->path, restore->backup, err);
    if (!rc)
        rc = open_backup(restore, &backup, err);
    if (!rc)
        rc = check_age(backup, options, restore->accept_older, &is_older, err);
    if (rc)
        return rc;
    if (snprintf(lock_path, sizeof lock_path, "%s" PSN_BESIDE_LOCK, options->path) >=
        (int)sizeof lock_path)
        return psn_fail(err, PSN_E_LIMIT, _("the path '%s' is too long"), options->path);
    rc = psn_file_lock_soon(lock_path, "restore", &lock, err);
    if (!rc) {
        psn_store_drop_second_names(options->path);
        rc = settle(&(struct restoring){ backup, options, restore, ret_kept, kept_size },
                    ret_vault, err);
    }
    psn_file_unlock(&lock);
    return rc;
}
