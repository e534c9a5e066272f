#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/beside.h"
#include "store/internal.h"

/*
 * When the log is folded into the database: never while somebody else may write.
 *
 * SQLite before 3.51.3 has a race (https://www.sqlite.org/wal.html#walresetbug): a
 * checkpoint that begins when another connection starts the log anew can count pages as
 * copied that the new log has not even got, and they are lost with it. It cannot happen
 * to a checkpoint that holds the writers' lock. SQLITE_CHECKPOINT_TRUNCATE asks for that
 * lock, but goes on without it when another has it: so the lock that it then needs to
 * copy anything is refused here, and the log stays for the next one out.
 */

/* Locks of the WAL index: https://www.sqlite.org/walformat.html, "WAL Locks". */
enum {
    LOCK_WRITE = 0,
    LOCK_READ_0 = 3, /* exclusive: of a checkpoint that copies */
    PAGES_MAX = 1000,
};

/* SQLite finds its methods through the file: these are the file's own but for one. */
struct psn_wal {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *under;
    bool *has_lock; /* the writers'; of the store: SQLite's pointer to this is const */
};

static int lock(sqlite3_file *file, int from, int count, int flags)
{
    const struct psn_wal *wal = (const struct psn_wal *)file->pMethods;
    bool locks = (flags & SQLITE_SHM_LOCK) != 0;
    int status;

    if (locks && (flags & SQLITE_SHM_EXCLUSIVE) && from == LOCK_READ_0 && count == 1 &&
        !*wal->has_lock)
        return SQLITE_BUSY;
    status = wal->under->xShmLock(file, from, count, flags);
    if (from == LOCK_WRITE && status == SQLITE_OK)
        *wal->has_lock = locks;
    return status;
}

/* Once a commit has made the log long. Its failure is not the commit's. */
static int after_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    if (pages >= PAGES_MAX)
        psn_wal_empty(arg);
    return SQLITE_OK;
}

int psn_wal_watch(struct psn_store *store)
{
    sqlite3_file *file = NULL;
    int status =
        sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);

    assert(!store->wal);
    if (status != SQLITE_OK)
        return status;
    if (file->pMethods->iVersion < 2) /* it can have no log */
        return SQLITE_OK;
    store->wal = calloc(1, sizeof *store->wal);
    if (!store->wal)
        return SQLITE_NOMEM;
    store->has_wal_lock = false;
    store->wal->has_lock = &store->has_wal_lock;
    store->wal->under = file->pMethods;
    store->wal->methods = *file->pMethods;
    store->wal->methods.xShmLock = lock;
    file->pMethods = &store->wal->methods;
    (void)sqlite3_wal_hook(store->db, after_commit, store);
    return SQLITE_OK;
}

void psn_wal_empty(struct psn_store *store)
{
    (void)sqlite3_busy_timeout(store->db, 0);
    (void)sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                    NULL);
    (void)sqlite3_busy_timeout(store->db, PSN_STORE_BUSY_MS);
}

void psn_wal_tidy(struct psn_store *store)
{
    PSN_AUTO_FREE char *name = psn_place_beside(store->file, PSN_BESIDE_WAL);
    struct stat info;

    if (name && lstat(name, &info) == 0 && info.st_size > PSN_STORE_WAL_KEPT_MAX)
        psn_wal_empty(store);
}
