#include <assert.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "store/internal.h"

/* The check of everything that needs no key. */

enum psn_code psn_store_check_pages(struct psn_store *store, struct psn_error *err)
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
        rc = psn_store_check_pages(store, err);
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

/* --- what is damaged, and where --- */

struct examination {
    struct psn_store *store;
    psn_store_damage_fn *each;
    void *arg;
    bool is_whole; /* no table is damaged, so that its rows can be counted */
};

/* OK after damage, which was told. */
static enum psn_code note_damage(struct examination *run, enum psn_store_damage kind,
                                 unsigned table, uint64_t places, enum psn_code rc,
                                 struct psn_error *why, struct psn_error *err)
{
    if (rc != PSN_E_INTEGRITY) {
        if (rc && err && !err->code)
            *err = *why;
        return rc;
    }
    run->is_whole = false;
    run->each(run->arg, kind, table, places, why);
    return PSN_OK;
}

/* In how many of 256 ranges of keys a table is damaged. */
static uint64_t count_places(struct psn_store *store, unsigned table)
{
    uint64_t places = 0;

    for (unsigned first = 0; first < 256; first++) {
        PSN_AUTO(psn_store_scan) *scan = NULL;
        PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
        const uint8_t prefix = (uint8_t)first;
        bool found = true;
        enum psn_code rc = psn_store_scan_open(store, table, &prefix, 1, &scan, NULL);

        while (!rc && found)
            rc = psn_store_scan_next(scan, &row, &found, NULL);
        places += rc == PSN_E_INTEGRITY;
    }
    return places ? places : 1;
}

static enum psn_code examine_tables(struct examination *run, uint64_t *rows,
                                    uint64_t *nodes, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (unsigned table = 0; !rc && table < PSN_STORE_TABLES; table++) {
        struct psn_error why = { 0 };

        rc = check_table(run->store, table, rows, nodes, &why);
        rc = note_damage(run, PSN_STORE_TABLE, table,
                         rc == PSN_E_INTEGRITY ? count_places(run->store, table) : 0, rc,
                         &why, err);
    }
    return rc;
}

static enum psn_code examine_counts(struct examination *run, uint64_t rows,
                                    uint64_t nodes, struct psn_error *err)
{
    struct psn_store *store = run->store;
    struct psn_error why = { 0 };
    uint64_t rows_found = 0;
    uint64_t nodes_found = 0;
    uint64_t roots_found = 0;
    enum psn_code rc = psn_sql_count(store, PSN_SQL_ROW_COUNT, &rows_found, &why);

    if (!rc)
        rc = psn_sql_count(store, PSN_SQL_NODE_COUNT, &nodes_found, &why);
    if (!rc)
        rc = psn_sql_count(store, PSN_SQL_ROOT_COUNT, &roots_found, &why);
    if (!rc && (rows != rows_found || nodes != nodes_found || roots_found > 1))
        rc = psn_store_damaged(store, &why);
    return note_damage(run, PSN_STORE_STRAY, 0, rows_found > rows ? rows_found - rows : 1,
                       rc, &why, err);
}

enum psn_code psn_store_examine(struct psn_store *store, psn_store_damage_fn *each,
                                void *arg, struct psn_error *err)
{
    struct examination run = { store, each, arg, true };
    struct psn_error why = { 0 };
    uint64_t rows = 0;
    uint64_t nodes = 0;
    enum psn_code rc = psn_store_usable(store, err);

    assert(store->trusted && store->open_scans == 0);
    if (!rc)
        rc = psn_cache_settle(store, err);
    if (rc)
        return rc;
    store->epoch = ++store->epochs;
    rc = psn_store_check_pages(store, &why);
    rc = note_damage(&run, PSN_STORE_PAGES, 0, 1, rc, &why, err);
    if (!rc)
        rc = examine_tables(&run, &rows, &nodes, err);
    return rc || !run.is_whole ? rc : examine_counts(&run, rows, nodes, err);
}

enum psn_code psn_store_row_count(struct psn_store *store, uint64_t *ret_count,
                                  struct psn_error *err)
{
    enum psn_code rc = psn_store_usable(store, err);

    if (!rc)
        rc = psn_waiting_flush(store, err);
    return rc ? rc : psn_sql_count(store, PSN_SQL_ROW_COUNT, ret_count, err);
}
