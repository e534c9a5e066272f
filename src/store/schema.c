#include <string.h>

#include "base/i18n.h"
#include "store/internal.h"

/*
 * The schema, and how a connection is set up before it meets a file that somebody else
 * may have edited.
 *
 * Nothing in the file is trusted to be code: triggers and views are off for the
 * connection, and the schema's text must be the one below, letter by letter, before a row
 * is read. What the rows say is checked by the trees (tree.c) and by the caller.
 *
 * record is clustered by (tab, key), so that a bucket is one stretch of one page. node
 * is an ordinary rowid table: a full node (2056 bytes) fits into one of its pages, but
 * would spill over in a WITHOUT ROWID table.
 */
static const struct {
    const char *name;
    const char *text;
} tables[] = {
    { "root", "CREATE TABLE root (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),"
              " box BLOB NOT NULL) STRICT" },
    { "node", "CREATE TABLE node (id INTEGER NOT NULL PRIMARY KEY,"
              " children BLOB NOT NULL) STRICT" },
    { "record", "CREATE TABLE record (tab INTEGER NOT NULL, key BLOB NOT NULL,"
                " revision INTEGER NOT NULL, clear BLOB NOT NULL, box BLOB NOT NULL,"
                " PRIMARY KEY (tab, key)) STRICT, WITHOUT ROWID" },
    { "journal", "CREATE TABLE journal (chain BLOB NOT NULL, number INTEGER NOT NULL,"
                 " hash BLOB NOT NULL, box BLOB NOT NULL,"
                 " PRIMARY KEY (chain, number)) STRICT, WITHOUT ROWID" },
};

enum {
    TABLE_COUNT = sizeof tables / sizeof *tables
};

void psn_store_schema_hash(psn_store_hash_fn *hash, uint8_t ret_hash[PSN_STORE_HASH_SIZE])
{
    static const char label[] = "passation store schema 1";
    struct psn_store_part parts[1 + TABLE_COUNT] = { { label, sizeof label } };
    struct psn_store_hash_state state = { .has_begun = false };

    /* Each part brings its NUL along, which no text holds: no two lists look alike. */
    for (size_t i = 0; i < TABLE_COUNT; i++)
        parts[1 + i] =
            (struct psn_store_part){ tables[i].text, strlen(tables[i].text) + 1 };
    hash(&state, parts, 1 + TABLE_COUNT, ret_hash);
}

int psn_schema_configure(sqlite3 *db)
{
    static const struct {
        int option;
        int value;
    } settings[] = {
        { SQLITE_DBCONFIG_DEFENSIVE, 1 },
        { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
        { SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
        { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
        { SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 },
        { SQLITE_DBCONFIG_DQS_DML, 0 },
        { SQLITE_DBCONFIG_DQS_DDL, 0 },
        /* Emptying the WAL at each close would cost each command two more syncs. */
        { SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
    };
    int status = SQLITE_OK;

    for (size_t i = 0; !status && i < sizeof settings / sizeof *settings; i++)
        status = sqlite3_db_config(db, settings[i].option, settings[i].value, NULL);
    if (!status)
        status = sqlite3_extended_result_codes(db, 1);
    if (!status)
        status = sqlite3_busy_timeout(db, PSN_STORE_BUSY_MS);
    if (sqlite3_hard_heap_limit64(-1) == 0) /* of the process: unless it has its own */
        (void)sqlite3_hard_heap_limit64(PSN_STORE_HEAP_MAX);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 2 * PSN_STORE_ROOT_MAX);
    if (!status)
        status = sqlite3_exec(db,
                              "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                              "PRAGMA temp_store = MEMORY",
                              NULL, NULL, NULL);
    return status;
}

static enum psn_code exec(struct psn_store *store, const char *text,
                          struct psn_error *err)
{
    int status = sqlite3_exec(store->db, text, NULL, NULL, NULL);

    if (status != SQLITE_OK)
        return psn_sql_fail(store->db, store->path, status, err);
    return PSN_OK;
}

enum psn_code psn_schema_create(struct psn_store *store, struct psn_error *err)
{
    char head[96];
    enum psn_code rc;

    (void)sqlite3_snprintf(sizeof head, head,
                           "PRAGMA application_id = %d; PRAGMA user_version = %d",
                           PSN_STORE_APPLICATION_ID, PSN_STORE_FORMAT);
    rc = exec(store, "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; BEGIN", err);
    if (!rc)
        rc = exec(store, head, err);
    for (size_t i = 0; !rc && i < TABLE_COUNT; i++)
        rc = exec(store, tables[i].text, err);
    return rc ? rc : exec(store, "COMMIT", err);
}

/* The value of a PRAGMA with one result; ret_text may be NULL. */
static enum psn_code query(struct psn_store *store, const char *text, int64_t *ret_number,
                           char ret_text[16], struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int status = sqlite3_prepare_v2(store->db, text, -1, &stmt, NULL);
    enum psn_code rc = PSN_OK;

    if (status == SQLITE_OK)
        status = sqlite3_step(stmt);
    if (status == SQLITE_ROW) {
        *ret_number = sqlite3_column_int64(stmt, 0);
        if (ret_text)
            (void)sqlite3_snprintf(16, ret_text, "%s", sqlite3_column_text(stmt, 0));
    } else {
        rc = psn_sql_fail(store->db, store->path, status, err);
    }
    (void)sqlite3_finalize(stmt);
    return rc;
}

static bool column_is(sqlite3_stmt *stmt, int column, const char *expected)
{
    const char *text;

    if (sqlite3_column_type(stmt, column) != SQLITE_TEXT)
        return false;
    text = (const char *)sqlite3_column_text(stmt, column);
    return text && strcmp(text, expected) == 0 &&
           (size_t)sqlite3_column_bytes(stmt, column) == strlen(expected);
}

static bool is_expected(sqlite3_stmt *stmt, size_t row)
{
    return row < TABLE_COUNT && column_is(stmt, 0, "table") &&
           column_is(stmt, 1, tables[row].name) && column_is(stmt, 2, tables[row].name) &&
           column_is(stmt, 3, tables[row].text);
}

static enum psn_code fail_schema(const struct psn_store *store, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_INTEGRITY,
                   _("the tables of the vault '%s' are not passation's: "
                     "another program has changed them"),
                   store->path);
    return psn_hint(err, PSN_E_INTEGRITY,
                    _("keep the file, and restore a backup: passation restore FILE"));
}

static enum psn_code compare(struct psn_store *store, struct psn_error *err)
{
    sqlite3_stmt *stmt = NULL;
    size_t row = 0;
    int status = sqlite3_prepare_v2(
        store->db, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid",
        -1, &stmt, NULL);
    bool same = true;

    if (status == SQLITE_OK)
        status = sqlite3_step(stmt);
    while (status == SQLITE_ROW && same) {
        same = is_expected(stmt, row++);
        status = sqlite3_step(stmt);
    }
    (void)sqlite3_finalize(stmt);
    if (!same)
        return fail_schema(store, err);
    if (status != SQLITE_DONE)
        return psn_sql_fail(store->db, store->path, status, err);
    return row == TABLE_COUNT ? PSN_OK : fail_schema(store, err);
}

enum psn_code psn_schema_check(struct psn_store *store, struct psn_error *err)
{
    int64_t application = 0;
    int64_t format = 0;
    enum psn_code rc = query(store, "PRAGMA application_id", &application, NULL, err);

    if (!rc && application != PSN_STORE_APPLICATION_ID) {
        (void)psn_fail(err, PSN_E_INTEGRITY, _("'%s' is not a passation vault"),
                       store->path);
        return psn_hint(err, PSN_E_INTEGRITY,
                        _("check the path given by --vault or PASSATION_VAULT"));
    }
    if (!rc)
        rc = query(store, "PRAGMA user_version", &format, NULL, err);
    if (!rc && format > PSN_STORE_FORMAT) {
        (void)psn_fail(err, PSN_E_TOO_NEW,
                       _("a newer passation wrote the vault '%s' (format %lld)"),
                       store->path, (long long)format);
        return psn_hint(err, PSN_E_TOO_NEW, _("install the newest passation"));
    }
    if (!rc && format != PSN_STORE_FORMAT)
        return psn_store_damaged(store, err);
    return rc ? rc : compare(store, err);
}

enum psn_code psn_schema_make_durable(struct psn_store *store, struct psn_error *err)
{
    char mode[16] = "";
    int64_t number = 0;
    enum psn_code rc = query(store, "PRAGMA journal_mode = WAL", &number, mode, err);

    if (!rc && strcmp(mode, "wal") != 0)
        return psn_fail(err, PSN_E_IO, _("the vault '%s' cannot be made crash-safe here"),
                        store->path);
    if (!rc)
        rc = exec(store, "PRAGMA synchronous = FULL", err);
    if (!rc)
        rc = query(store, "PRAGMA synchronous", &number, NULL, err);
    if (!rc && number != 2)
        return psn_fail(err, PSN_E_IO, _("the vault '%s' cannot be made crash-safe here"),
                        store->path);
    if (!rc)
        rc = query(store, "PRAGMA secure_delete = ON", &number, NULL, err);
    if (!rc && number != 1)
        return psn_fail(err, PSN_E_UNEXPECTED,
                        _("SQLite does not erase what is deleted from '%s'"),
                        store->path);
    return rc;
}
