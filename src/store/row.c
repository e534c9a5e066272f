#include <assert.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * Single rows. Each function works on the row's whole bucket, which was checked up to the
 * trusted root when it was read; so what is not there is as sure as what is. A change is
 * made ready, written, and only then applied to what is remembered of the bucket.
 *
 * A write that fails half-way has spoiled the transaction: the rows and the tree may
 * disagree, and only a rollback can follow.
 */

struct psn_store_row psn_store_row_init(void)
{
    return (struct psn_store_row){
        .clear = psn_buf_init(PSN_STORE_CLEAR_MAX),
        .box = psn_buf_init(PSN_STORE_BOX_MAX),
    };
}

void psn_store_row_release(struct psn_store_row *row)
{
    if (!row)
        return;
    psn_buf_release(&row->clear);
    psn_buf_release(&row->box);
    row->key_size = 0;
    row->revision = 0;
}

static enum psn_code check_key(const struct psn_store *store, unsigned table,
                               size_t key_size, struct psn_error *err)
{
    assert(store->trusted);
    assert(table < PSN_STORE_TABLES);
    assert(key_size >= PSN_STORE_KEY_MIN && key_size <= PSN_STORE_KEY_MAX);
    return psn_store_usable(store, err);
}

enum psn_code psn_store_find(struct psn_store *store, unsigned table, const uint8_t *key,
                             size_t key_size, struct psn_store_row *row, bool *ret_found,
                             struct psn_error *err)
{
    struct psn_row_view view;
    enum psn_code rc = check_key(store, table, key_size, err);

    *ret_found = false;
    if (!rc)
        rc = psn_cache_find(store, table, key, key_size, &view, ret_found, err);
    return rc || !*ret_found ? rc : psn_row_copy(&view, row, err);
}

enum psn_code psn_store_get(struct psn_store *store, unsigned table, const uint8_t *key,
                            size_t key_size, struct psn_store_row *row,
                            struct psn_error *err)
{
    bool found;
    enum psn_code rc = psn_store_find(store, table, key, key_size, row, &found, err);

    if (rc || found)
        return rc;
    return psn_fail(err, PSN_E_NOT_FOUND, _("there is no such entry in the vault"));
}

enum psn_code psn_row_write(struct psn_store *store, unsigned table,
                            const struct psn_row_view *row, bool replaces,
                            struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc = psn_sql_get(
        store, replaces ? PSN_SQL_ROW_UPDATE : PSN_SQL_ROW_INSERT, &stmt, err);
    int status;

    if (rc)
        return rc;
    status = sqlite3_bind_int64(stmt, 1, table);
    if (!status)
        status = psn_sql_bind_blob(stmt, 2, row->key, row->key_size);
    if (!status)
        status = sqlite3_bind_int64(stmt, 3, (int64_t)row->revision);
    if (!status)
        status = psn_sql_bind_blob(stmt, 4, row->clear, row->clear_size);
    if (!status)
        status = psn_sql_bind_blob(stmt, 5, row->box, row->box_size);
    if (status)
        return psn_sql_fail(store->db, store->path, status, err);
    return psn_sql_change_one(store, stmt, err);
}

/* Has the row that was made ready written: now, or later with others. */
static enum psn_code write_staged(struct psn_store *store, unsigned table,
                                  const struct psn_store_row *row, bool replaces,
                                  struct psn_error *err)
{
    const struct psn_row_view view = { .key = row->key,
                                       .key_size = row->key_size,
                                       .revision = row->revision,
                                       .clear = row->clear.data,
                                       .clear_size = row->clear.size,
                                       .box = row->box.data,
                                       .box_size = row->box.size };
    struct psn_store_part staged = { 0 };
    uint32_t bucket = psn_tree_bucket_of(row->key);
    bool is_unseen = psn_cache_is_unseen(store);
    bool is_taken = false;
    enum psn_code rc = PSN_OK;

    staged.bytes = psn_cache_staged(store, &staged.size);
    if (staged.bytes && psn_waiting_takes(store))
        rc = psn_waiting_add(store, table, bucket, &staged, replaces, is_unseen,
                             &is_taken, err);
    if (!rc && !is_taken && is_unseen)
        rc = psn_bucket_check_absent(store, table, bucket, err);
    return rc || is_taken ? rc : psn_row_write(store, table, &view, replaces, err);
}

static enum psn_code check_row(const struct psn_store_row *row, struct psn_error *err)
{
    enum psn_code rc = psn_buf_check(&row->clear, err);

    assert(row->revision > 0);
    if (!rc)
        rc = psn_buf_check(&row->box, err);
    if (rc)
        return rc;
    if (row->revision > INT64_MAX || row->clear.size > PSN_STORE_CLEAR_MAX ||
        row->box.size > PSN_STORE_BOX_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("this is too large for the vault"));
    return PSN_OK;
}

/* Revision 1 needs a free place, a later one its predecessor. */
static enum psn_code check_revision(const struct psn_store_row *row, bool found,
                                    uint64_t revision, struct psn_error *err)
{
    if (row->revision == 1 && found)
        return psn_fail(err, PSN_E_EXISTS, _("this entry exists already"));
    if (row->revision == 1 || (found && revision == row->revision - 1))
        return PSN_OK;
    (void)psn_fail(err, PSN_E_CONFLICT,
                   _("another command has changed this entry in the meantime"));
    return psn_hint(err, PSN_E_CONFLICT, _("run the command again"));
}

static enum psn_code put(struct psn_store *store, unsigned table,
                         const struct psn_store_row *row, bool is_carried,
                         struct psn_error *err)
{
    struct psn_row_view view;
    bool found = false;
    enum psn_code rc = check_key(store, table, row->key_size, err);

    assert(store->state == PSN_STORE_WRITING && store->open_scans == 0);
    if (!rc)
        rc = check_row(row, err);
    if (!rc)
        rc = psn_cache_find(store, table, row->key, row->key_size, &view, &found, err);
    if (rc)
        return rc;
    if (!is_carried)
        rc = check_revision(row, found, found ? view.revision : 0, err);
    else if (found)
        rc = psn_fail(err, PSN_E_EXISTS, _("this entry exists already"));
    if (!rc)
        rc = psn_cache_stage(store, &view, row, err);
    if (rc)
        return rc;
    rc = write_staged(store, table, row, found, err);
    if (!rc)
        psn_cache_apply(store);
    store->spoiled = rc;
    return rc;
}

enum psn_code psn_store_put(struct psn_store *store, unsigned table,
                            const struct psn_store_row *row, struct psn_error *err)
{
    return put(store, table, row, false, err);
}

enum psn_code psn_store_carry(struct psn_store *store, unsigned table,
                              const struct psn_store_row *row, struct psn_error *err)
{
    return put(store, table, row, true, err);
}

enum psn_code psn_store_delete(struct psn_store *store, unsigned table,
                               const uint8_t *key, size_t key_size, struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    struct psn_row_view view;
    bool found = false;
    enum psn_code rc = check_key(store, table, key_size, err);

    assert(store->state == PSN_STORE_WRITING && store->open_scans == 0);
    if (!rc)
        rc = psn_cache_find(store, table, key, key_size, &view, &found, err);
    if (rc)
        return rc;
    if (!found)
        return psn_fail(err, PSN_E_NOT_FOUND, _("there is no such entry in the vault"));
    rc = psn_cache_stage(store, &view, NULL, err);
    if (!rc && psn_waiting_has(store, table, psn_tree_bucket_of(key)))
        rc = psn_waiting_flush(store, err);
    if (!rc)
        rc = psn_sql_get(store, PSN_SQL_ROW_DELETE, &stmt, err);
    if (rc)
        return rc;
    if (sqlite3_bind_int64(stmt, 1, table) != SQLITE_OK ||
        psn_sql_bind_blob(stmt, 2, key, key_size) != SQLITE_OK)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_sql_change_one(store, stmt, err);
    if (!rc)
        psn_cache_apply(store);
    store->spoiled = rc;
    return rc;
}
