#include <assert.h>
#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * Journal rows, which are no part of the trees: each one's hash takes in its
 * predecessor's, and the caller keeps the last one of each chain in the root box.
 */

struct psn_store_entry psn_store_entry_init(void)
{
    return (struct psn_store_entry){ .box = psn_buf_init(PSN_STORE_BOX_MAX) };
}

void psn_store_entry_release(struct psn_store_entry *entry)
{
    if (!entry)
        return;
    psn_buf_release(&entry->box);
    entry->number = 0;
}

enum psn_code psn_store_journal_append(struct psn_store *store,
                                       const uint8_t chain[PSN_STORE_CHAIN_SIZE],
                                       const struct psn_store_entry *entry,
                                       struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int status;
    enum psn_code rc = psn_store_usable(store, err);

    assert(store->state == PSN_STORE_WRITING);
    assert(entry->number > 0 && entry->number <= INT64_MAX);
    if (!rc)
        rc = psn_buf_check(&entry->box, err);
    if (!rc && entry->box.size > PSN_STORE_BOX_MAX)
        rc = psn_fail(err, PSN_E_LIMIT, _("this is too large for the vault"));
    if (!rc)
        rc = psn_sql_get(store, PSN_SQL_JOURNAL_APPEND, &stmt, err);
    if (rc)
        return rc;
    status = psn_sql_bind_blob(stmt, 1, chain, PSN_STORE_CHAIN_SIZE);
    if (!status)
        status = sqlite3_bind_int64(stmt, 2, (int64_t)entry->number);
    if (!status)
        status = psn_sql_bind_blob(stmt, 3, entry->hash, sizeof entry->hash);
    if (!status)
        status = psn_sql_bind_blob(stmt, 4, entry->box.data, entry->box.size);
    if (status)
        return psn_sql_fail(store->db, store->path, status, err);
    store->spoiled = psn_sql_change_one(store, stmt, err);
    return store->spoiled;
}

/* Copies the row that the statement stands on. */
static enum psn_code read_entry(struct psn_store *store, sqlite3_stmt *stmt,
                                uint64_t number, struct psn_store_entry *entry,
                                struct psn_error *err)
{
    size_t hash_size = (size_t)sqlite3_column_bytes(stmt, 0);
    size_t box_size = (size_t)sqlite3_column_bytes(stmt, 1);
    const void *hash = sqlite3_column_blob(stmt, 0);
    const void *box = sqlite3_column_blob(stmt, 1);
    enum psn_code rc;

    if (sqlite3_column_type(stmt, 0) != SQLITE_BLOB || hash_size != sizeof entry->hash ||
        sqlite3_column_type(stmt, 1) != SQLITE_BLOB || box_size > PSN_STORE_BOX_MAX)
        return psn_store_damaged(store, err);
    if (!hash || (!box && box_size > 0))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    psn_buf_reset(&entry->box);
    psn_buf_bytes(&entry->box, box, box_size);
    rc = psn_buf_check(&entry->box, err);
    if (rc)
        return rc;
    memcpy(entry->hash, hash, sizeof entry->hash);
    entry->number = number;
    return PSN_OK;
}

enum psn_code psn_store_journal_get(struct psn_store *store,
                                    const uint8_t chain[PSN_STORE_CHAIN_SIZE],
                                    uint64_t number, struct psn_store_entry *entry,
                                    struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int status;
    enum psn_code rc = psn_store_usable(store, err);

    assert(number <= INT64_MAX);
    if (!rc)
        rc = psn_sql_get(store, PSN_SQL_JOURNAL_GET, &stmt, err);
    if (rc)
        return rc;
    status = psn_sql_bind_blob(stmt, 1, chain, PSN_STORE_CHAIN_SIZE);
    if (!status)
        status = sqlite3_bind_int64(stmt, 2, (int64_t)number);
    if (!status)
        status = sqlite3_step(stmt);
    if (status == SQLITE_ROW)
        rc = read_entry(store, stmt, number, entry, err);
    else if (status == SQLITE_DONE)
        rc = psn_fail(err, PSN_E_NOT_FOUND, _("the journal has no entry %llu there"),
                      (unsigned long long)number);
    else
        rc = psn_sql_fail(store->db, store->path, status, err);
    (void)sqlite3_reset(stmt);
    return rc;
}

enum psn_code psn_store_journal_delete(struct psn_store *store,
                                       const uint8_t chain[PSN_STORE_CHAIN_SIZE],
                                       struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc = psn_store_usable(store, err);

    assert(store->state == PSN_STORE_WRITING);
    if (!rc)
        rc = psn_sql_get(store, PSN_SQL_JOURNAL_DELETE, &stmt, err);
    if (rc)
        return rc;
    if (psn_sql_bind_blob(stmt, 1, chain, PSN_STORE_CHAIN_SIZE) != SQLITE_OK)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    store->spoiled = psn_sql_run(store, stmt, err);
    return store->spoiled;
}

enum psn_code psn_store_journal_count(struct psn_store *store, uint64_t *ret_count,
                                      struct psn_error *err)
{
    enum psn_code rc = psn_store_usable(store, err);

    return rc ? rc : psn_sql_count(store, PSN_SQL_JOURNAL_COUNT, ret_count, err);
}
