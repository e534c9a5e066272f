#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/locker.h"
#include "store/internal.h"

/*
 * Copies: backup, restore, and whatever writes a vault anew.
 *
 * VACUUM INTO reads one snapshot, so others may go on writing meanwhile, and leaves
 * behind what was deleted. The copy grows under a random name beside its place, is put
 * into WAL mode (see store.c, rule 1), made durable, and then named.
 *
 * Replacing a vault is the dangerous part: its WAL lies beside it, is found by name
 * alone, and would be replayed into the new file. So the old vault is first taken out of
 * WAL mode, which moves what is in the WAL into it and deletes the WAL, and is possible
 * only when nobody else has it open; and it stays locked until its name is the new
 * file's. Stopped anywhere in between, the old vault is whole.
 */

static enum psn_code vacuum_into(struct psn_store *store, const char *sibling,
                                 const char *path, struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int status = sqlite3_prepare_v2(store->db, "VACUUM INTO ?1", -1, &stmt, NULL);

    if (status == SQLITE_OK)
        status = sqlite3_bind_text(stmt, 1, sibling, -1, SQLITE_STATIC);
    if (status == SQLITE_OK)
        status = sqlite3_step(stmt);
    (void)sqlite3_finalize(stmt);
    if (status == SQLITE_DONE)
        return PSN_OK;
    /* What the disk refuses concerns the copy, what does not fit the original. */
    return psn_sql_fail(store->db, (status & 0xff) == SQLITE_CORRUPT ? store->path : path,
                        status, err);
}

static enum psn_code sync_file(const char *file, const char *path, struct psn_error *err)
{
    PSN_AUTO_FD int fd = open(file, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        return psn_fail(err, psn_file_code(errno), _("cannot write '%s': %s"), path,
                        strerror(errno));
    return PSN_OK;
}

/* Closed in the ordinary way, the connection leaves nothing beside the copy. */
static enum psn_code enter_wal_mode(const char *sibling, const char *path,
                                    struct psn_error *err)
{
    sqlite3 *db = NULL;
    enum psn_code rc = PSN_OK;
    int status = sqlite3_open_v2(
        sibling, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX,
        NULL);

    if (status == SQLITE_OK)
        status = sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    if (status != SQLITE_OK)
        rc = psn_sql_fail(db, path, status, err);
    (void)sqlite3_close_v2(db);
    psn_place_remove_beside(sibling);
    return rc;
}

static int note_mode(void *left, int count, char **values, char **names)
{
    (void)names;
    *(bool *)left = count == 1 && values[0] && strcmp(values[0], "delete") == 0;
    return 0;
}

/* Takes an open vault out of WAL mode and locks it. A result code of SQLite. From the
 * first read on it is locked, so that its name stays; if that is another file's already,
 * the log beside it is, too, and must not be folded into this one. */
static int leave_wal_mode(sqlite3 *db)
{
    bool left = false;
    int status = psn_schema_configure(db);

    if (status == SQLITE_OK)
        status = sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
    if (status == SQLITE_OK)
        status = sqlite3_exec(db, "PRAGMA schema_version", NULL, NULL, NULL);
    if (psn_sql_has_moved(db))
        return SQLITE_BUSY;
    if (status == SQLITE_OK)
        status = sqlite3_exec(db, "PRAGMA journal_mode = DELETE", note_mode, &left, NULL);
    if (status == SQLITE_OK)
        status = sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    return status == SQLITE_OK && !left ? SQLITE_BUSY : status;
}

/* What cannot be removed of the log would be replayed into the file that gets the name;
 * SQLite says nothing when it cannot delete what it has emptied. */
static enum psn_code drop_log(const char *file, const char *path, struct psn_error *err)
{
    psn_place_remove_beside(file);
    if (psn_place_has_wal(file))
        return psn_fail(err, PSN_E_IO, _("cannot remove '%s-wal'"), path);
    return PSN_OK;
}

/* Opens and locks a vault, its log folded into it, for as long as *ret_db is open. A
 * result code of SQLite. */
static int lock_out(const char *file, sqlite3 **ret_db)
{
    int status = sqlite3_open_v2(
        file, ret_db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX,
        NULL);

    return status == SQLITE_OK ? leave_wal_mode(*ret_db) : status;
}

static bool is_damage(int status)
{
    int kind = status & 0xff;

    return kind == SQLITE_NOTADB || kind == SQLITE_CORRUPT || kind == SQLITE_ERROR;
}

/* Locks a file that a backup is to replace. One that is no vault any more needs no lock.
 */
static enum psn_code retire(const char *file, const char *path, sqlite3 **ret_db,
                            struct psn_error *err)
{
    int status = lock_out(file, ret_db);

    return status == SQLITE_OK || is_damage(status)
               ? drop_log(file, path, err)
               : psn_sql_fail(*ret_db, path, status, err);
}

/* Locks the vault that its successor is to replace: it was read a moment ago. */
static enum psn_code lock_vault(const char *file, const char *path, sqlite3 **ret_db,
                                struct psn_error *err)
{
    int status = lock_out(file, ret_db);

    return status == SQLITE_OK ? drop_log(file, path, err)
                               : psn_sql_fail(*ret_db, path, status, err);
}

static enum psn_code replace_file(const char *sibling, const char *file, const char *path,
                                  struct psn_error *err)
{
    sqlite3 *old = NULL;
    struct stat info;
    enum psn_code rc = psn_place_check_beside(file, err);

    if (rc)
        return rc;
    if (lstat(file, &info) == 0 && S_ISREG(info.st_mode))
        rc = retire(file, path, &old, err);
    else
        psn_place_remove_beside(file);
    if (!rc && rename(sibling, file) != 0)
        rc = psn_fail(err, psn_file_code(errno), _("cannot write '%s': %s"), path,
                      strerror(errno));
    (void)sqlite3_close_v2(old);
    return rc ? rc : psn_file_sync_dir_of(file, err);
}

static enum psn_code check_other(const struct psn_store *store, const char *file,
                                 const char *path, struct psn_error *err)
{
    struct stat here;
    struct stat there;

    if (stat(store->file, &here) == 0 && stat(file, &there) == 0 &&
        here.st_dev == there.st_dev && here.st_ino == there.st_ino)
        return psn_fail(err, PSN_E_INVALID, _("'%s' is the vault itself"), path);
    return PSN_OK;
}

/* Nothing of the draft may be in a log: its name is about to change. */
static enum psn_code finish_draft(const char *draft, const char *path,
                                  struct psn_error *err)
{
    enum psn_code rc = psn_place_check_closed(draft, err);

    if (!rc)
        rc = psn_place_clear_beside(draft, err);
    return rc ? rc : sync_file(draft, path, err);
}

enum psn_code psn_store_copy(struct psn_store *store, const char *path, bool replace,
                             psn_store_check_fn *check, void *arg, struct psn_error *err)
{
    PSN_AUTO_FREE char *file = NULL;
    PSN_AUTO_FREE char *sibling = NULL;
    PSN_AUTO_FD int claim = -1;
    enum psn_code rc = psn_place_resolve(path, &file, err);

    assert(store->db && store->state == PSN_STORE_IDLE);
    if (!rc)
        rc = check_other(store, file, path, err);
    if (!rc)
        rc = replace ? psn_beside_check_ordinary(file, err)
                     : psn_place_check_free(file, err);
    if (!rc)
        rc = psn_place_sibling(file, &sibling, &claim, err);
    if (rc)
        return rc;
    rc = vacuum_into(store, sibling, path, err);
    if (!rc)
        rc = enter_wal_mode(sibling, path, err);
    if (!rc && check)
        rc = check(arg, sibling, err);
    if (!rc)
        rc = finish_draft(sibling, path, err);
    if (!rc)
        rc = replace ? replace_file(sibling, file, path, err)
                     : psn_place_publish(sibling, file, err);
    if (rc)
        psn_place_remove(sibling);
    return rc;
}

enum psn_code psn_store_copy_checked(struct psn_store *store, const char *path,
                                     bool replace, psn_store_check_fn *check, void *arg,
                                     struct psn_error *err)
{
    enum psn_code rc = psn_beside_check(path, err);

    return rc ? rc : psn_store_copy(store, path, replace, check, arg, err);
}

/* --- a draft takes the vault's place --- */

enum {
    RETIRE_WAIT_MS = 10000,
    RETIRE_PAUSE_MS = 50,
};

typedef enum psn_code lock_fn(const char *file, const char *path, sqlite3 **ret_db,
                              struct psn_error *err);

/* Until nobody else has the vault open. */
static enum psn_code patiently(lock_fn *lock, const char *file, const char *path,
                               sqlite3 **ret_db, struct psn_error *err)
{
    struct psn_error why = { 0 };
    int64_t end_ms = psn_clock_boot_ms() + RETIRE_WAIT_MS;
    enum psn_code rc = lock(file, path, ret_db, &why);

    while (rc == PSN_E_BUSY && psn_clock_boot_ms() < end_ms) {
        (void)sqlite3_close_v2(*ret_db);
        *ret_db = NULL;
        psn_clock_sleep_ms(RETIRE_PAUSE_MS);
        psn_error_clear(&why);
        rc = lock(file, path, ret_db, &why);
    }
    if (rc == PSN_E_BUSY) {
        char who[PSN_LOCKER_MAX];

        if (psn_locker_of(file, false, who))
            (void)psn_fail(err, rc, _("another command has the vault '%s' open: %s"),
                           path, who);
        else
            (void)psn_fail(err, rc, _("another command has the vault '%s' open"), path);
        return psn_hint(err, rc, _("let it end, or close it, then try again"));
    }
    if (rc && err)
        *err = why;
    return rc;
}

static enum psn_code check_root_box(sqlite3 *db, const char *path,
                                    const struct psn_buf *expected, struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool same = false;
    int status =
        sqlite3_prepare_v2(db, "SELECT box FROM root WHERE id = 1", -1, &stmt, NULL);

    if (status == SQLITE_OK)
        status = sqlite3_step(stmt);
    if (status == SQLITE_ROW) {
        const void *box = sqlite3_column_blob(stmt, 0);
        size_t size = (size_t)sqlite3_column_bytes(stmt, 0);

        same = box && size == expected->size && memcmp(box, expected->data, size) == 0;
    }
    (void)sqlite3_finalize(stmt);
    if (status != SQLITE_ROW && status != SQLITE_DONE)
        return psn_sql_fail(db, path, status, err);
    if (same)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_CONFLICT,
                   _("another command has changed the vault '%s' in the meantime"), path);
    return psn_hint(err, PSN_E_CONFLICT, _("run the command again"));
}

/* Renames while the old file is locked, and makes that durable: only then may a byte of
 * the old one go. */
static enum psn_code take_name(const char *new_file, const char *file, const char *path,
                               bool *ret_done, struct psn_error *err)
{
    if (rename(new_file, file) != 0)
        return psn_fail(err, psn_file_code(errno), _("cannot write '%s': %s"), path,
                        strerror(errno));
    *ret_done = true;
    return psn_file_sync_dir_of(file, err);
}

static enum psn_code hold_log(const char *file, struct psn_remains *log,
                              struct psn_error *err)
{
    PSN_AUTO_FREE char *name = psn_place_beside(file, PSN_BESIDE_WAL);

    return name ? psn_remains_hold(name, log, err)
                : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
}

static void wipe(struct psn_remains *old, struct psn_remains *log,
                 struct psn_store_wiped *ret_wiped)
{
    bool file_gone = psn_remains_overwrite(old, &ret_wiped->file_bytes);
    bool log_gone = psn_remains_overwrite(log, &ret_wiped->log_bytes);

    ret_wiped->is_shared = old->is_shared || log->is_shared;
    ret_wiped->is_complete = file_gone && log_gone;
}

/* Between resolved names. */
static enum psn_code succeed(const char *new_file, const char *file, const char *path,
                             const struct psn_buf *expected, bool *ret_done,
                             struct psn_store_wiped *ret_wiped, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_remains) log = psn_remains_init();
    PSN_AUTO_RELEASE(psn_remains) remains = psn_remains_init();
    sqlite3 *old = NULL;
    enum psn_code rc = finish_draft(new_file, path, err);

    /* What is in the log goes into the file when that is locked, and the log goes. */
    if (!rc && ret_wiped)
        rc = hold_log(file, &log, err);
    if (!rc)
        rc = patiently(lock_vault, file, path, &old, err);
    if (!rc)
        rc = check_root_box(old, path, expected, err);
    if (!rc && ret_wiped)
        rc = psn_remains_hold(file, &remains, err);
    if (!rc)
        rc = take_name(new_file, file, path, ret_done, err);
    if (!rc && ret_wiped)
        wipe(&remains, &log, ret_wiped);
    (void)sqlite3_close_v2(old);
    return rc;
}

enum psn_code psn_store_succeed(const char *draft, const char *path,
                                const struct psn_buf *expected, bool *ret_done,
                                struct psn_store_wiped *ret_wiped, struct psn_error *err)
{
    PSN_AUTO_FREE char *new_file = NULL;
    PSN_AUTO_FREE char *file = NULL;
    enum psn_code rc = psn_place_resolve(draft, &new_file, err);

    *ret_done = false;
    if (ret_wiped)
        *ret_wiped = (struct psn_store_wiped){ 0 };
    if (!rc)
        rc = psn_place_resolve(path, &file, err);
    return rc ? rc : succeed(new_file, file, path, expected, ret_done, ret_wiped, err);
}

enum psn_code psn_store_remove_draft(const char *path, struct psn_error *err)
{
    PSN_AUTO_FREE char *file = NULL;
    enum psn_code rc = psn_place_resolve(path, &file, err);

    if (rc)
        return rc;
    /* The file itself goes last: it is what tells that there is something to remove. */
    rc = psn_place_clear_beside(file, err);
    if (rc)
        return rc;
    if (unlink(file) != 0 && errno != ENOENT)
        return psn_fail(err, psn_file_code(errno), _("cannot remove '%s': %s"), path,
                        strerror(errno));
    return PSN_OK;
}

/* --- a vault that gets another name --- */

struct psn_store_hold {
    sqlite3 *db; /* NULL: it is no vault any more */
};

/* However a file is damaged, that must not keep a backup from its place: it is no vault
 * to hold. That it cannot be read for another reason may pass; SQLite calls some of these
 * damage, too, but not a second time. */
static enum psn_code hold(const char *file, const char *path, sqlite3 **ret_db,
                          struct psn_error *err)
{
    int status = lock_out(file, ret_db);

    if (is_damage(status)) {
        (void)sqlite3_close_v2(*ret_db);
        status = lock_out(file, ret_db);
    }
    if (status == SQLITE_OK)
        return drop_log(file, path, err);
    if (!is_damage(status))
        return psn_sql_fail(*ret_db, path, status, err);
    (void)sqlite3_close_v2(*ret_db);
    *ret_db = NULL;
    return PSN_OK;
}

enum psn_code psn_store_hold(const char *path, struct psn_store_hold **ret_hold,
                             struct psn_error *err)
{
    PSN_AUTO_FREE char *file = NULL;
    PSN_AUTO(psn_store_hold) *held = calloc(1, sizeof *held);
    enum psn_code rc = psn_place_resolve(path, &file, err);

    if (!held)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (!rc)
        rc = psn_place_check_beside(file, err);
    if (!rc)
        rc = patiently(hold, file, path, &held->db, err);
    if (!rc)
        *ret_hold = PSN_TAKE(held);
    return rc;
}

bool psn_store_holds(const struct psn_store_hold *hold)
{
    return hold && hold->db;
}

void psn_store_hold_free(struct psn_store_hold *hold)
{
    if (!hold)
        return;
    (void)sqlite3_close_v2(hold->db);
    free(hold);
}

uint64_t psn_store_size(const struct psn_store *store)
{
    PSN_AUTO_FREE char *wal = psn_place_beside(store->file, PSN_BESIDE_WAL);
    struct stat info;
    uint64_t size = 0;

    if (stat(store->file, &info) == 0)
        size += (uint64_t)info.st_size;
    if (wal && stat(wal, &info) == 0)
        size += (uint64_t)info.st_size;
    return size;
}
