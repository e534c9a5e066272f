#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/record.h"
#include "support/store_tamper.h"

/* ----------------------------------------------------------------- types */

/* STRICT stops SQL from writing other types, but not an editor of the file: so the
 * schema is without it for as long as that takes. */
static void other_types_are_found(void **state)
{
    static const char *const edits[] = {
        "UPDATE record SET revision = NULL",
        "UPDATE record SET revision = 3.5",
        "UPDATE record SET revision = 'three'",
        "UPDATE record SET revision = x'03'",
        "UPDATE record SET clear = NULL",
        "UPDATE record SET clear = 1",
        "UPDATE record SET clear = CAST(clear AS TEXT)",
        "UPDATE record SET box = NULL",
        "UPDATE record SET box = 2.5",
        "UPDATE record SET box = CAST(box AS TEXT)",
        "UPDATE record SET key = CAST(key AS TEXT)",
        "UPDATE record SET key = 7 WHERE key = (SELECT min(key) FROM record)",
        "UPDATE record SET tab = 'one' WHERE tab = 1",
        "UPDATE record SET tab = 1.5 WHERE tab = 2",
        "UPDATE node SET children = NULL",
        "UPDATE node SET children = CAST(children AS TEXT)",
        "UPDATE node SET children = 12345678",
        "UPDATE journal SET hash = NULL",
        "UPDATE journal SET hash = CAST(hash AS TEXT)",
        "UPDATE journal SET hash = 5",
        "UPDATE journal SET box = NULL",
        "UPDATE journal SET box = CAST(box AS TEXT)",
        "UPDATE root SET box = NULL",
        "UPDATE root SET box = CAST(box AS TEXT)",
        "UPDATE root SET box = x''",
        "UPDATE root SET id = 2",
        "INSERT INTO root VALUES (2, x'00')",
        "DELETE FROM root",
    };
    struct tampered *it = *state;
    char keep[320];

    (void)snprintf(keep, sizeof keep, "%s.keep", it->at->path);
    tamper_sql(it, "PRAGMA wal_checkpoint(TRUNCATE)");
    store_fixture_copy_file(it->at->path, keep);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        (void)sqlite3_close_v2(it->raw);
        store_fixture_copy_file(keep, it->at->path);
        store_fixture_sql(it->at->path,
                          "CREATE TABLE aside AS SELECT name, sql FROM sqlite_schema;"
                          "UPDATE sqlite_schema SET sql = replace(replace(replace(sql,"
                          " 'STRICT, ', ''), ' STRICT', ''), ' NOT NULL', '')"
                          " WHERE name <> 'aside'");
        store_fixture_sql(it->at->path, edits[i]);
        store_fixture_sql(it->at->path,
                          "UPDATE sqlite_master SET sql = (SELECT sql FROM aside WHERE"
                          " aside.name = sqlite_master.name) WHERE name <> 'aside';"
                          "DROP TABLE aside");
        assert_int_equal(sqlite3_open(it->at->path, &it->raw), SQLITE_OK);
        if (tamper_examine(it) != FOUND)
            fail_msg("not found: %s", edits[i]);
    }
}

/* ----------------------------------------------------------------- schemas */

static unsigned schemas;

/* The statements succeed on a fresh copy, and the copy does not open. */
static void try_schema(const struct tampered *it, const char *keep, const char *text)
{
    struct psn_store *store = NULL;
    struct psn_error err = { 0 };
    char name[320];

    (void)snprintf(name, sizeof name, "%s-wal", it->at->path);
    (void)unlink(name);
    (void)snprintf(name, sizeof name, "%s-shm", it->at->path);
    (void)unlink(name);
    store_fixture_copy_file(keep, it->at->path);
    if (store_fixture_try_sql(it->at->path, text) != SQLITE_OK)
        fail_msg("SQLite does not take: %s", text);
    if (psn_store_open(it->at->path, store_fixture_hash, &store, &err) != PSN_E_INTEGRITY)
        fail_msg("opened with: %s", text);
    assert_null(store);
    assert_true(err.hint[0] != '\0');
    schemas++;
}

static void try_trigger(const struct tampered *it, const char *keep, const char *when)
{
    static const char *const bodies[] = {
        "SELECT 1",
        "DELETE FROM journal",
        "UPDATE root SET box = x'00'",
        "INSERT INTO record VALUES (9, randomblob(24), 1, x'', x'')",
        "SELECT RAISE(IGNORE)",
    };
    char text[300];

    for (size_t b = 0; b < sizeof bodies / sizeof *bodies; b++) {
        (void)snprintf(text, sizeof text, "CREATE TRIGGER t %s BEGIN %s; END", when,
                       bodies[b]);
        try_schema(it, keep, text);
    }
}

static void try_triggers(const struct tampered *it, const char *keep)
{
    static const char *const names[] = { "root", "node", "record", "journal" };
    static const char *const events[] = { "INSERT", "UPDATE", "DELETE" };
    static const char *const times[] = { "BEFORE", "AFTER" };
    char when[100];

    for (size_t n = 0; n < 4; n++) {
        for (size_t e = 0; e < 3; e++) {
            for (size_t i = 0; i < 2; i++) {
                (void)snprintf(when, sizeof when, "%s %s ON %s", times[i], events[e],
                               names[n]);
                try_trigger(it, keep, when);
            }
        }
    }
}

static void try_columns(const struct tampered *it, const char *keep)
{
    static const struct {
        const char *table;
        const char *column;
    } columns[] = {
        { "root", "id" },         { "root", "box" },       { "node", "id" },
        { "node", "children" },   { "record", "tab" },     { "record", "key" },
        { "record", "revision" }, { "record", "clear" },   { "record", "box" },
        { "journal", "chain" },   { "journal", "number" }, { "journal", "hash" },
        { "journal", "box" },
    };
    static const char *const formats[] = {
        "CREATE INDEX i ON @ (#)",
        "CREATE INDEX i ON @ (#, length(#))",
        "CREATE INDEX i ON @ (length(#)) WHERE # IS NOT NULL",
        "ALTER TABLE @ ADD COLUMN copy ANY GENERATED ALWAYS AS (#) VIRTUAL",
        "CREATE VIEW v AS SELECT # FROM @",
        "CREATE TABLE t AS SELECT # FROM @",
        "ALTER TABLE @ RENAME COLUMN # TO other",
        "UPDATE sqlite_schema SET sql = replace(sql, '# ', '#  ')"
        " WHERE name = '@'",
        "UPDATE sqlite_schema SET sql = replace(sql, '# ', '# /* */ ')"
        " WHERE name = '@'",
    };
    char text[300];

    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
            tamper_expand(formats[f], columns[c].table, columns[c].column, text,
                          sizeof text);
            try_schema(it, keep, text);
        }
    }
}

static void try_others(const struct tampered *it, const char *keep)
{
    static const char *const texts[] = {
        "CREATE TABLE extra (x)",
        "CREATE TABLE extra (x ANY) STRICT",
        "CREATE VIRTUAL TABLE f USING fts5(x)",
        "CREATE VIRTUAL TABLE r USING rtree(id, a, b)",
        "ANALYZE",
        "ALTER TABLE record RENAME TO secret",
        "ALTER TABLE record RENAME TO old; CREATE VIEW record AS SELECT * FROM old",
        "ALTER TABLE node RENAME TO hidden; CREATE VIEW node AS SELECT * FROM hidden",
        "DROP TABLE journal",
        "DROP TABLE root; DROP TABLE node",
        "UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '')",
        "UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (id = 1)', 'CHECK (id < 9)')",
        "UPDATE sqlite_schema SET sql = sql || ' '",
        "UPDATE sqlite_schema SET sql = upper(sql) WHERE name = 'root'",
        "UPDATE sqlite_schema SET tbl_name = 'x' WHERE name = 'root'",
        "UPDATE sqlite_schema SET type = 'index' WHERE name = 'root'",
        "UPDATE sqlite_schema SET sql = NULL WHERE name = 'node'",
        "UPDATE sqlite_schema SET sql = CAST(sql AS BLOB) WHERE name = 'node'",
        "UPDATE sqlite_schema SET sql = sql || char(0) WHERE name = 'node'",
        "UPDATE sqlite_schema SET rowid = 10 - rowid",
        "DELETE FROM sqlite_schema",
        ("INSERT INTO sqlite_schema VALUES ('table', 'sqlite_stat1', 'sqlite_stat1', 2,"
         " 'CREATE TABLE sqlite_stat1(tbl,idx,stat)')"),
        "PRAGMA application_id = 0",
        "PRAGMA user_version = -1",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        try_schema(it, keep, texts[i]);
}

static void another_schema_does_not_open(void **state)
{
    struct tampered *it = *state;
    char keep[320];

    tamper_close(it);
    (void)snprintf(keep, sizeof keep, "%s.keep", it->at->path);
    store_fixture_copy_file(it->at->path, keep);
    schemas = 0;
    try_triggers(it, keep);
    try_columns(it, keep);
    try_others(it, keep);
    print_message("%u schemas, none opened\n", schemas);
    record_figure("2.21", "schemas", schemas, schemas);
    assert_true(schemas >= 200);
}

/* The text is right, but not what it stands for. */
static void tables_that_lead_elsewhere_are_found(void **state)
{
    static const char *const names[] = { "root", "node", "record", "journal" };
    static const char *const pages[] = {
        "0", "1", "-1", "99999", "#root", "#node", "#record", "#journal", "rootpage + 1",
    };
    struct tampered *it = *state;
    char keep[320];
    char page[100];
    char text[300];

    tamper_close(it);
    (void)snprintf(keep, sizeof keep, "%s.keep", it->at->path);
    store_fixture_copy_file(it->at->path, keep);
    for (size_t n = 0; n < 4; n++) {
        for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
            if (pages[i][0] == '#' && strcmp(pages[i] + 1, names[n]) == 0)
                continue;
            (void)snprintf(page, sizeof page, "%s", pages[i]);
            if (pages[i][0] == '#')
                (void)snprintf(page, sizeof page,
                               "(SELECT rootpage FROM sqlite_schema WHERE name = '%s')",
                               pages[i] + 1);
            tamper_expand("UPDATE sqlite_schema SET rootpage = # WHERE name = '@'",
                          names[n], page, text, sizeof text);
            store_fixture_copy_file(keep, it->at->path);
            store_fixture_sql(it->at->path, text);
            if (tamper_examine(it) != FOUND)
                fail_msg("not found: %s", text);
        }
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tamper_set_up, tamper_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(other_types_are_found),
        CASE(another_schema_does_not_open),
        CASE(tables_that_lead_elsewhere_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
