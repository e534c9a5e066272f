#include <assert.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "store/internal.h"

/* The check of everything that needs no key. */

static enum psn_code check_pages(struct psn_store *store, struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum psn_code rc = PSN_OK;
    int status =
        sqlite3_prepare_v2(store->db, "PRAGMA integrity_check(1)", -1, &stmt, NULL);

    if (status == SQLITE_OK)
        status = sqlite3_step(stmt);
    if (status == SQLITE_ROW) {
        const char *finding = (const char *)sqlite3_column_text(stmt, 0);
        char shown[160];

        if (!finding)
            rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        else if (strcmp(finding, "ok") != 0)
            rc = psn_fail(err, PSN_E_INTEGRITY, _("the vault '%s' is damaged: %s"),
                          store->path, psn_text_shown(finding, shown, sizeof shown));
    } else {
        rc = psn_sql_fail(store->db, store->path, status, err);
    }
    (void)sqlite3_finalize(stmt);
    if (rc == PSN_E_INTEGRITY)
        return psn_hint(err, rc,
                        _("keep the file, and restore a backup: passation restore FILE"));
    return rc;
}

/* Walks a table, which checks all that belongs to it, and counts its rows and nodes. */
static enum psn_code check_table(struct psn_store *store, unsigned table, uint64_t *rows,
                                 uint64_t *nodes, struct psn_error *err)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    uint64_t count = 0;
    bool found = true;
    enum psn_code rc = psn_tree_count(store, table, &count, err);

    if (!rc)
        rc = psn_store_scan_open(store, table, NULL, 0, &scan, err);
    *nodes += count;
    while (!rc && found) {
        rc = psn_store_scan_next(scan, &row, &found, err);
        if (!rc && found)
            ++*rows;
    }
    return rc;
}

enum psn_code psn_store_check(struct psn_store *store, struct psn_error *err)
{
    uint64_t rows = 0;
    uint64_t nodes = 0;
    uint64_t rows_found = 0;
    uint64_t nodes_found = 0;
    uint64_t roots_found = 0;
    enum psn_code rc = psn_store_usable(store, err);

    assert(store->trusted && store->open_scans == 0);
    if (!rc)
        rc = psn_cache_settle(store, err);
    /* The file itself is asked, not what is remembered of it. */
    store->epoch = ++store->epochs;
    if (!rc)
        rc = check_pages(store, err);
    for (unsigned table = 0; !rc && table < PSN_STORE_TABLES; table++)
        rc = check_table(store, table, &rows, &nodes, err);
    if (!rc)
        rc = psn_sql_count(store, PSN_SQL_ROW_COUNT, &rows_found, err);
    if (!rc)
        rc = psn_sql_count(store, PSN_SQL_NODE_COUNT, &nodes_found, err);
    if (!rc)
        rc = psn_sql_count(store, PSN_SQL_ROOT_COUNT, &roots_found, err);
    if (rc)
        return rc;
    if (rows != rows_found || nodes != nodes_found || roots_found > 1)
        return psn_store_damaged(store, err);
    return PSN_OK;
}

enum psn_code psn_store_row_count(struct psn_store *store, uint64_t *ret_count,
                                  struct psn_error *err)
{
    enum psn_code rc = psn_store_usable(store, err);

    return rc ? rc : psn_sql_count(store, PSN_SQL_ROW_COUNT, ret_count, err);
}
