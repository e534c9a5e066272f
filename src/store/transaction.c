#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * Transactions. Each begins with the root box as it is then, and roots that the caller
 * took out of it. What was checked in one is worth something in the next only if the
 * roots are the same: then it is the same content, whatever the file says meanwhile.
 */

enum psn_code psn_store_usable(const struct psn_store *store, struct psn_error *err)
{
    enum psn_code spoiled = store->spoiled;

    assert(store->state != PSN_STORE_IDLE);
    /* After some failures, also of a read, SQLite has given the transaction up by itself.
     * What is written then is durable at once, without the tree; what is read is another
     * snapshot's. */
    if (!spoiled && sqlite3_get_autocommit(store->db) != 0)
        spoiled = PSN_E_IO;
    if (spoiled)
        return psn_fail(err, spoiled,
                        _("an earlier step failed: nothing is saved in the vault '%s'"),
                        store->path);
    return PSN_OK;
}

/* Nothing is in use any more: statements let go of the snapshot. */
static void end(struct psn_store *store, bool as_checked)
{
    sqlite3_stmt *stmt = NULL;

    do {
        stmt = sqlite3_next_stmt(store->db, stmt);
        (void)sqlite3_reset(stmt);
    } while (stmt);
    store->known_epoch = as_checked && store->trusted ? store->epoch : 0;
    store->known_roots = store->roots;
    store->state = PSN_STORE_IDLE;
    store->trusted = false;
    store->spoiled = PSN_OK;
    psn_leaves_clear(&store->leaves);
    psn_waiting_clear(store->waiting);
    store->epoch = ++store->epochs;
    memset(&store->roots, 0, sizeof store->roots);
}

void psn_store_rollback(struct psn_store *store)
{
    if (!store || store->state == PSN_STORE_IDLE)
        return;
    end(store, store->state == PSN_STORE_READING);
    /* SQLite has already rolled back by itself after some failures. */
    if (sqlite3_get_autocommit(store->db) == 0)
        (void)sqlite3_step(store->statements[PSN_SQL_ROLLBACK]);
    (void)sqlite3_reset(store->statements[PSN_SQL_ROLLBACK]);
    /* Closing rolls back, too. */
    if (sqlite3_get_autocommit(store->db) == 0)
        psn_store_disconnect(store);
}

enum psn_code psn_store_fail_moved(const struct psn_store *store, struct psn_error *err)
{
    psn_error_clear(err);
    (void)psn_fail(err, PSN_E_CONFLICT,
                   _("the vault '%s' was replaced or removed in the meantime"),
                   store->path);
    return psn_hint(err, PSN_E_CONFLICT, _("run the command again"));
}

/* A file that was replaced may have been written over, and is then no damaged vault. */
static enum psn_code explain(struct psn_store *store, enum psn_code rc,
                             struct psn_error *err)
{
    return rc == PSN_E_INTEGRITY && psn_store_has_moved(store)
               ? psn_store_fail_moved(store, err)
               : rc;
}

static enum psn_code read_root(struct psn_store *store, struct psn_buf *root_box,
                               struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc = psn_sql_get(store, PSN_SQL_ROOT_GET, &stmt, err);
    int status;

    if (rc)
        return rc;
    psn_buf_reset(root_box);
    status = sqlite3_step(stmt);
    if (status == SQLITE_ROW) {
        size_t size = (size_t)sqlite3_column_bytes(stmt, 0);
        const void *bytes = sqlite3_column_blob(stmt, 0);

        if (sqlite3_column_type(stmt, 0) != SQLITE_BLOB || size == 0)
            rc = psn_store_damaged(store, err);
        else if (!bytes)
            rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        else
            psn_buf_bytes(root_box, bytes, size);
        if (!rc && root_box->failed == PSN_E_LIMIT)
            rc = psn_store_damaged(store, err);
        if (!rc)
            rc = psn_buf_check(root_box, err);
    } else if (status != SQLITE_DONE) {
        rc = psn_sql_fail(store->db, store->path, status, err);
    }
    (void)sqlite3_reset(stmt);
    return rc;
}

enum psn_code psn_store_begin(struct psn_store *store, enum psn_store_mode mode,
                              struct psn_buf *ret_root_box, struct psn_error *err)
{
    bool write = mode == PSN_STORE_WRITE;
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc;

    assert(store->state == PSN_STORE_IDLE && store->open_scans == 0);
    if (!store->db)
        return psn_fail(err, PSN_E_IO, _("the vault '%s' is not open"), store->path);
    if (write && store->read_only)
        return psn_sql_fail(store->db, store->path, SQLITE_READONLY, err);
    /* Made ready while there is memory: giving up must work without. */
    rc = psn_sql_get(store, PSN_SQL_ROLLBACK, &stmt, err);
    if (!rc)
        rc = psn_sql_get(store, write ? PSN_SQL_BEGIN_WRITE : PSN_SQL_BEGIN_READ, &stmt,
                         err);
    if (!rc)
        rc = psn_sql_run(store, stmt, err);
    if (rc)
        return explain(store, rc, err);
    store->state = write ? PSN_STORE_WRITING : PSN_STORE_READING;
    store->changes = 0;
    store->epoch = ++store->epochs;
    /* The first read of a reader takes its snapshot; only then is it sure which file
     * that is of. */
    rc = read_root(store, ret_root_box, err);
    if (rc)
        rc = explain(store, rc, err);
    else if (psn_store_has_moved(store))
        rc = psn_store_fail_moved(store, err);
    if (rc)
        psn_store_rollback(store);
    return rc;
}

void psn_store_trust(struct psn_store *store, const struct psn_store_roots *roots)
{
    assert(store->state != PSN_STORE_IDLE);
    store->roots = *roots;
    store->trusted = true;
    if (store->known_epoch && memcmp(&store->known_roots, roots, sizeof *roots) == 0)
        store->epoch = store->known_epoch;
    else
        store->epoch = ++store->epochs;
    store->known_epoch = 0;
}

enum psn_code psn_store_roots(struct psn_store *store, struct psn_store_roots *ret_roots,
                              struct psn_error *err)
{
    enum psn_code rc = psn_store_usable(store, err);

    assert(store->trusted);
    if (!rc)
        rc = psn_cache_settle(store, err);
    if (!rc)
        *ret_roots = store->roots;
    return rc;
}

static enum psn_code write_root(struct psn_store *store, const struct psn_buf *root_box,
                                struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc = psn_buf_check(root_box, err);

    assert(rc || root_box->size > 0);
    if (!rc && root_box->size > PSN_STORE_ROOT_MAX)
        rc = psn_fail(err, PSN_E_LIMIT, _("this is too large for the vault"));
    if (!rc)
        rc = psn_sql_get(store, PSN_SQL_ROOT_PUT, &stmt, err);
    if (rc)
        return rc;
    if (psn_sql_bind_blob(stmt, 1, root_box->data, root_box->size) != SQLITE_OK)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    return psn_sql_change_one(store, stmt, err);
}

/* The first commit of a new vault: the file is complete and gets its name, and is then
 * used like any other. */
static enum psn_code give_birth(struct psn_store *store, struct psn_error *err)
{
    int status = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);

    if (status != SQLITE_OK)
        return psn_sql_fail(store->db, store->path, status, err);
    psn_store_disconnect(store);
    psn_place_remove_beside(store->unborn);
    if (strcmp(store->unborn, store->file) != 0) {
        enum psn_code rc = psn_place_publish(store->unborn, store->file, err);

        if (rc)
            return rc;
    }
    free(PSN_TAKE(store->unborn));
    psn_place_unclaim(&store->claim);
    return psn_store_connect(store, err);
}

enum psn_code psn_store_commit(struct psn_store *store, const struct psn_buf *root_box,
                               struct psn_error *err)
{
    bool write = store->state == PSN_STORE_WRITING;
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc = psn_store_usable(store, err);

    /* The root box would hold the roots of before. */
    assert(rc || psn_cache_is_settled(store));
    if (!rc && write)
        rc = write_root(store, root_box, err);
    if (!rc)
        rc = psn_sql_get(store, PSN_SQL_COMMIT, &stmt, err);
    if (!rc)
        rc = psn_sql_run(store, stmt, err);
    if (rc) {
        psn_store_rollback(store);
        return rc;
    }
    end(store, true);
    store->wrote = store->wrote || write;
    return write && store->unborn ? give_birth(store, err) : PSN_OK;
}
