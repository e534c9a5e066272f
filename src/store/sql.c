#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/i18n.h"
#include "base/locker.h"
#include "store/internal.h"

/* Everything that is ever said to SQLite about rows. Adding a row: also enum psn_sql. */
static const char *const texts[PSN_SQL_END] = {
    [PSN_SQL_BEGIN_READ] = "BEGIN",
    [PSN_SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [PSN_SQL_COMMIT] = "COMMIT",
    [PSN_SQL_ROLLBACK] = "ROLLBACK",
    [PSN_SQL_ROOT_GET] = "SELECT box FROM root WHERE id = 1",
    [PSN_SQL_ROOT_PUT] = "INSERT INTO root (id, box) VALUES (1, ?1)"
                         " ON CONFLICT (id) DO UPDATE SET box = excluded.box",
    [PSN_SQL_NODE_GET] = "SELECT children FROM node WHERE id = ?1",
    [PSN_SQL_NODE_RANGE] = "SELECT children, id FROM node"
                           " WHERE id >= ?1 AND id <= ?2 ORDER BY id",
    [PSN_SQL_NODE_INSERT] = "INSERT INTO node (id, children) VALUES (?1, ?2)",
    [PSN_SQL_NODE_UPDATE] = "UPDATE node SET children = ?2 WHERE id = ?1",
    [PSN_SQL_NODE_DELETE] = "DELETE FROM node WHERE id = ?1",
    [PSN_SQL_ROW_RANGE] = "SELECT key, revision, clear, box FROM record"
                          " WHERE tab = ?1 AND key >= ?2 AND key < ?3 ORDER BY key",
    [PSN_SQL_ROW_GET] = "SELECT key, revision, clear, box FROM record"
                        " WHERE tab = ?1 AND key = ?2",
    [PSN_SQL_ROW_INSERT] = "INSERT INTO record (tab, key, revision, clear, box)"
                           " VALUES (?1, ?2, ?3, ?4, ?5)",
    [PSN_SQL_ROW_UPDATE] = "UPDATE record SET revision = ?3, clear = ?4, box = ?5"
                           " WHERE tab = ?1 AND key = ?2",
    [PSN_SQL_ROW_DELETE] = "DELETE FROM record WHERE tab = ?1 AND key = ?2",
    [PSN_SQL_JOURNAL_APPEND] = "INSERT INTO journal (chain, number, hash, box)"
                               " VALUES (?1, ?2, ?3, ?4)",
    [PSN_SQL_JOURNAL_GET] = "SELECT hash, box FROM journal"
                            " WHERE chain = ?1 AND number = ?2",
    [PSN_SQL_JOURNAL_DELETE] = "DELETE FROM journal WHERE chain = ?1",
    [PSN_SQL_JOURNAL_COUNT] = "SELECT count(*) FROM journal",
    [PSN_SQL_ROOT_COUNT] = "SELECT count(*) FROM root",
    [PSN_SQL_NODE_COUNT] = "SELECT count(*) FROM node",
    [PSN_SQL_ROW_COUNT] = "SELECT count(*) FROM record",
};

static enum psn_code fail_full(const char *name, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_FULL, _("the disk is full: cannot write '%s'"), name);
    return psn_hint(err, PSN_E_FULL,
                    _("nothing was changed; make room on the disk, then try again"));
}

static enum psn_code fail_damaged(const char *name, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_INTEGRITY,
                   _("the vault '%s' is damaged or was changed by another program"),
                   name);
    return psn_hint(err, PSN_E_INTEGRITY,
                    _("keep the file, and restore a backup: passation restore FILE"));
}

static enum psn_code fail_io(sqlite3 *db, const char *name, struct psn_error *err)
{
    int cause = db ? sqlite3_system_errno(db) : 0;
    enum psn_code code = psn_file_code(cause);

    if (code == PSN_E_FULL)
        return fail_full(name, err);
    if (code == PSN_E_NOMEM)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    (void)psn_fail(err, PSN_E_IO, _("cannot read or write the vault '%s': %s"), name,
                   strerror(cause ? cause : EIO));
    return psn_hint(err, PSN_E_IO,
                    _("check the disk and who may use the folder, then try again"));
}

bool psn_sql_has_moved(sqlite3 *db)
{
    int moved = 0;

    (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

/* Who writes holds a lock on the file that the connections share, see wal.c. */
static enum psn_code fail_busy(sqlite3 *db, const char *name, struct psn_error *err)
{
    const char *file = db ? sqlite3_db_filename(db, "main") : NULL;
    char shared[PATH_MAX + sizeof "-shm"];
    char who[PSN_LOCKER_MAX];

    if (snprintf(shared, sizeof shared, "%s-shm", file ? file : name) <
            (int)sizeof shared &&
        psn_locker_of(shared, true, who))
        (void)psn_fail(err, PSN_E_BUSY,
                       _("another command is writing in the vault '%s': %s"), name, who);
    else
        (void)psn_fail(err, PSN_E_BUSY, _("another command is writing in the vault '%s'"),
                       name);
    return psn_hint(err, PSN_E_BUSY, _("wait until it has finished, then try again"));
}

enum psn_code psn_sql_fail(sqlite3 *db, const char *name, int status,
                           struct psn_error *err)
{
    if (status == SQLITE_IOERR_NOMEM)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    switch (status & 0xff) {
    case SQLITE_NOMEM:
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return fail_busy(db, name, err);
    case SQLITE_FULL:
        return fail_full(name, err);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return fail_io(db, name, err);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        (void)psn_fail(err, PSN_E_IO,
                       _("cannot write in the vault '%s': it is read-only"), name);
        return psn_hint(err, PSN_E_IO,
                        _("make the file and its folder writable for you"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT: /* a row stands where the trusted state has none */
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_ERROR: /* our few statements fit our schema, so the schema is not ours */
        return fail_damaged(name, err);
    default:
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot use the vault '%s': %s"), name,
                        sqlite3_errstr(status));
    }
}

enum psn_code psn_store_damaged(const struct psn_store *store, struct psn_error *err)
{
    return fail_damaged(store->path, err);
}

enum psn_code psn_sql_prepare(struct psn_store *store, enum psn_sql which,
                              sqlite3_stmt **ret_stmt, struct psn_error *err)
{
    int status = sqlite3_prepare_v3(store->db, texts[which], -1,
                                    SQLITE_PREPARE_PERSISTENT | SQLITE_PREPARE_NO_VTAB,
                                    ret_stmt, NULL);

    if (status != SQLITE_OK)
        return psn_sql_fail(store->db, store->path, status, err);
    return PSN_OK;
}

enum psn_code psn_sql_get(struct psn_store *store, enum psn_sql which,
                          sqlite3_stmt **ret_stmt, struct psn_error *err)
{
    if (!store->statements[which]) {
        enum psn_code rc = psn_sql_prepare(store, which, &store->statements[which], err);

        if (rc)
            return rc;
    }
    *ret_stmt = store->statements[which];
    (void)sqlite3_reset(*ret_stmt);
    (void)sqlite3_clear_bindings(*ret_stmt);
    return PSN_OK;
}

void psn_sql_finalize_all(struct psn_store *store)
{
    for (size_t i = 0; i < PSN_SQL_END; i++) {
        (void)sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
}

enum psn_code psn_sql_run(struct psn_store *store, sqlite3_stmt *stmt,
                          struct psn_error *err)
{
    int status = sqlite3_step(stmt);
    enum psn_code rc = PSN_OK;

    if (status != SQLITE_DONE)
        rc = psn_sql_fail(store->db, store->path, status, err);
    (void)sqlite3_reset(stmt);
    return rc;
}

/* SQLite writes changed pages out when its cache of 2 MiB is full, and reads them back
 * for the next row that lies there: where keys come in no order, for nearly every row.
 * With more room most pages are written once. Not getting it is no failure. */
void psn_sql_make_room(struct psn_store *store)
{
    (void)sqlite3_exec(store->db, "PRAGMA cache_size = -16384", NULL, NULL, NULL);
}

enum psn_code psn_sql_change_one(struct psn_store *store, sqlite3_stmt *stmt,
                                 struct psn_error *err)
{
    enum psn_code rc = psn_sql_run(store, stmt, err);

    if (rc)
        return rc;
    if (sqlite3_changes(store->db) != 1)
        return psn_store_damaged(store, err);
    store->changes++;
    return PSN_OK;
}

enum psn_code psn_sql_count(struct psn_store *store, enum psn_sql which,
                            uint64_t *ret_count, struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc = psn_sql_get(store, which, &stmt, err);
    int status;

    if (rc)
        return rc;
    status = sqlite3_step(stmt);
    if (status == SQLITE_ROW)
        *ret_count = (uint64_t)sqlite3_column_int64(stmt, 0);
    else
        rc = psn_sql_fail(store->db, store->path, status, err);
    (void)sqlite3_reset(stmt);
    return rc;
}

int psn_sql_bind_blob(sqlite3_stmt *stmt, int column, const void *bytes, size_t size)
{
    return sqlite3_bind_blob64(stmt, column, bytes ? bytes : "", size, SQLITE_STATIC);
}
