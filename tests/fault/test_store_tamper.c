#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/store.h"
#include "support/store_fixture.h"

/*
 * Somebody with write access to the file changes it behind the store's back. Each change
 * must be found, as E_INTEGRITY, before a byte of what was changed is returned, or leave
 * everything that is read as it was. What the caller's seal (the root box) and the
 * caller's hash chain (the journal) must find is compared here with what was written.
 */
enum {
    ROWS = 60, /* in table 1, and the first 30 of them in table 2, under the same keys */
    SHARED = 6, /* rows 54 … 59 of table 1 lie in one bucket */
    ENTRIES = 12,
    GENERATIONS = 3,
};

static const uint8_t chain[PSN_STORE_CHAIN_SIZE] = "the vault chain";

struct tampered {
    struct store_fixture *at;
    sqlite3 *raw;
    struct psn_store_row rows[3][ROWS];
    size_t counts[3];
    uint8_t root_box[STORE_FIXTURE_ROOT_SIZE];
};

enum finding { FOUND, HARMLESS, WRONG };

/* ----------------------------------------------------------------- fixture */

static void make_row(struct psn_store_row *row, unsigned table, uint64_t i,
                     uint64_t revision)
{
    store_fixture_row(i, revision, row);
    psn_buf_u8(&row->box, (uint8_t)table);
    psn_buf_u8(&row->clear, (uint8_t)table);
    psn_buf_u8(&row->clear, (uint8_t)i);
    if (i >= ROWS - SHARED)
        memset(row->key, 0x55, 8);
}

static void write_generation(struct psn_store *store, uint64_t generation)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();

    assert_int_equal(store_fixture_begin(store, PSN_STORE_WRITE, NULL, NULL), PSN_OK);
    for (unsigned table = 1; table <= 2; table++) {
        for (uint64_t i = 0; i < (table == 1 ? ROWS : ROWS / 2); i++) {
            make_row(&row, table, i, generation);
            assert_int_equal(psn_store_put(store, table, &row, NULL), PSN_OK);
        }
    }
    for (uint64_t i = 1; i <= ENTRIES / GENERATIONS; i++) {
        entry.number = (generation - 1) * (ENTRIES / GENERATIONS) + i;
        memset(entry.hash, (int)entry.number, sizeof entry.hash);
        psn_buf_reset(&entry.box);
        psn_buf_format(&entry.box, "entry number %u", (unsigned)entry.number);
        assert_int_equal(psn_store_journal_append(store, chain, &entry, NULL), PSN_OK);
    }
    assert_int_equal(store_fixture_commit(store, generation, NULL), PSN_OK);
}

static void sql(const struct tampered *it, const char *text)
{
    int status = sqlite3_exec(it->raw, text, NULL, NULL, NULL);

    if (status != SQLITE_OK)
        print_message("%s: %s\n", text, sqlite3_errmsg(it->raw));
    assert_int_equal(status, SQLITE_OK);
}

/* Keeps the older generations' rows and nodes in a database of the attacker's. */
static void keep_images(const struct tampered *it, unsigned generation)
{
    char text[600];

    (void)snprintf(text, sizeof text,
                   "ATTACH '%s' AS old; CREATE TABLE old.record%u AS SELECT * FROM"
                   " main.record; CREATE TABLE old.node%u AS SELECT * FROM main.node;"
                   "CREATE TABLE old.root%u AS SELECT * FROM main.root; DETACH old",
                   it->at->other, generation, generation, generation);
    sql(it, text);
}

static int set_up(void **state)
{
    struct tampered *it = calloc(1, sizeof *it);
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
    void *fixture = NULL;

    assert_non_null(it);
    assert_int_equal(store_fixture_set_up(&fixture), 0);
    it->at = fixture;
    assert_int_equal(psn_store_create(it->at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    for (unsigned generation = 1; generation <= GENERATIONS; generation++) {
        write_generation(store, generation);
        if (generation == 1) {
            assert_int_equal(sqlite3_open(it->at->path, &it->raw), SQLITE_OK);
            sql(it, "PRAGMA synchronous = OFF; PRAGMA writable_schema = ON;"
                    "PRAGMA ignore_check_constraints = ON");
        }
        keep_images(it, generation);
    }
    for (unsigned table = 1; table <= 2; table++) {
        it->counts[table] = table == 1 ? ROWS : ROWS / 2;
        for (uint64_t i = 0; i < it->counts[table]; i++) {
            it->rows[table][i] = psn_store_row_init();
            make_row(&it->rows[table][i], table, i, GENERATIONS);
        }
    }
    assert_int_equal(psn_store_begin(store, PSN_STORE_READ, &box, NULL), PSN_OK);
    assert_int_equal(box.size, sizeof it->root_box);
    memcpy(it->root_box, box.data, box.size);
    *state = it;
    return 0;
}

static int tear_down(void **state)
{
    struct tampered *it = *state;
    void *fixture = it->at;

    (void)sqlite3_close_v2(it->raw);
    for (unsigned table = 1; table <= 2; table++) {
        for (size_t i = 0; i < it->counts[table]; i++)
            psn_store_row_release(&it->rows[table][i]);
    }
    free(it);
    return store_fixture_tear_down(&fixture);
}

/* ----------------------------------------------------------------- reading it all */

static bool is_same(const struct psn_store_row *a, const struct psn_store_row *b)
{
    return a->key_size == b->key_size && memcmp(a->key, b->key, a->key_size) == 0 &&
           a->revision == b->revision && a->clear.size == b->clear.size &&
           memcmp(psn_buf_str(&a->clear), psn_buf_str(&b->clear), a->clear.size) == 0 &&
           a->box.size == b->box.size &&
           memcmp(psn_buf_str(&a->box), psn_buf_str(&b->box), a->box.size) == 0;
}

static const struct psn_store_row *expected_row(const struct tampered *it, unsigned table,
                                                const uint8_t *key)
{
    for (size_t i = 0; i < it->counts[table]; i++) {
        if (memcmp(it->rows[table][i].key, key, it->rows[table][i].key_size) == 0)
            return &it->rows[table][i];
    }
    return NULL;
}

/* What a read's result means. A failure may only be one of integrity. */
static enum finding judge(enum psn_code rc, bool right)
{
    if (rc == PSN_E_INTEGRITY)
        return FOUND;
    return rc == PSN_OK && right ? HARMLESS : WRONG;
}

static enum finding worse(enum finding a, enum finding b)
{
    if (a == WRONG || b == WRONG)
        return WRONG;
    return a == FOUND || b == FOUND ? FOUND : HARMLESS;
}

static enum finding read_row(const struct tampered *it, struct psn_store *store,
                             unsigned table, size_t i)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    const struct psn_store_row *expected = &it->rows[table][i];
    enum psn_code rc =
        psn_store_get(store, table, expected->key, expected->key_size, &row, NULL);

    return judge(rc, rc == PSN_OK && is_same(&row, expected));
}

static enum finding read_absent(struct psn_store *store)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    enum finding finding = HARMLESS;
    uint8_t key[24];

    for (uint64_t seed = 1000; seed < 1010; seed++) {
        enum psn_code rc;

        store_fixture_key(seed, key);
        rc = psn_store_get(store, 1, key, sizeof key, &row, NULL);
        finding = worse(finding,
                        judge(rc == PSN_E_NOT_FOUND ? PSN_OK : rc, rc != PSN_OK));
    }
    return finding;
}

static enum finding read_scan(const struct tampered *it, struct psn_store *store,
                              unsigned table)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    bool found = true;
    size_t count = 0;
    enum psn_code rc = psn_store_scan_open(store, table, NULL, 0, &scan, NULL);

    while (!rc && found) {
        const struct psn_store_row *expected;

        rc = psn_store_scan_next(scan, &row, &found, NULL);
        if (rc || !found)
            break;
        expected = expected_row(it, table, row.key);
        if (!expected || !is_same(&row, expected))
            return WRONG;
        count++;
    }
    return judge(rc, count == it->counts[table]);
}

/* What the caller's chain would find counts as found. */
static enum finding read_journal(struct psn_store *store)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    uint64_t count = 0;
    enum psn_code rc = psn_store_journal_count(store, &count, NULL);

    if (rc || count != ENTRIES)
        return rc && rc != PSN_E_INTEGRITY ? WRONG : FOUND;
    for (uint64_t i = 1; i <= ENTRIES; i++) {
        char text[40];

        rc = psn_store_journal_get(store, chain, i, &entry, NULL);
        if (rc)
            return rc == PSN_E_INTEGRITY || rc == PSN_E_NOT_FOUND ? FOUND : WRONG;
        (void)snprintf(text, sizeof text, "entry number %u", (unsigned)i);
        if (strcmp(psn_buf_str(&entry.box), text) != 0 || entry.hash[0] != i ||
            memcmp(entry.hash, entry.hash + 1, sizeof entry.hash - 1) != 0)
            return FOUND;
    }
    return HARMLESS;
}

static enum finding read_all(const struct tampered *it, struct psn_store *store)
{
    enum finding finding = read_absent(store);

    for (unsigned table = 1; table <= 2; table++) {
        for (size_t i = 0; i < it->counts[table]; i++)
            finding = worse(finding, read_row(it, store, table, i));
        finding = worse(finding, read_scan(it, store, table));
    }
    finding = worse(finding, read_scan(it, store, 0));
    finding = worse(finding, read_journal(store));
    return worse(finding, judge(psn_store_check(store, NULL), true));
}

/* Opens the vault as its caller would. NULL: the damage was found on the way, as
 * *ret_finding says. */
static struct psn_store *open_as_caller(const struct tampered *it,
                                        enum finding *ret_finding)
{
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(1 << 20);
    struct psn_store_roots roots;
    struct psn_error err = { 0 };
    enum psn_code rc = psn_store_open(it->at->path, store_fixture_hash, &store, &err);

    if (!rc)
        rc = psn_store_begin(store, PSN_STORE_WRITE, &box, &err);
    /* A newer format's number is refused for what it says. */
    *ret_finding = rc == PSN_E_TOO_NEW ? FOUND : judge(rc, true);
    if (*ret_finding == WRONG)
        print_message("code %d: %s\n", (int)rc, err.message);
    if (rc || box.size != sizeof it->root_box ||
        memcmp(box.data, it->root_box, box.size) != 0) {
        *ret_finding = rc ? *ret_finding : FOUND; /* the seal does not open */
        return NULL;
    }
    memcpy(roots.hash, it->root_box + 8, sizeof roots.hash);
    psn_store_trust(store, &roots);
    return PSN_TAKE(store);
}

static enum finding examine(const struct tampered *it)
{
    enum finding finding = HARMLESS;
    PSN_AUTO(psn_store) *store = open_as_caller(it, &finding);

    return store ? read_all(it, store) : finding;
}

/* The rows in question are refused, and so are the listing of the table and the check. */
static bool is_refused(const struct tampered *it, unsigned table, size_t i)
{
    enum finding finding = HARMLESS;
    PSN_AUTO(psn_store) *store = open_as_caller(it, &finding);

    return store && read_row(it, store, table, i) == FOUND &&
           read_scan(it, store, table) == FOUND &&
           psn_store_check(store, NULL) == PSN_E_INTEGRITY;
}

/* ----------------------------------------------------------------- SQL by hand */

static void key_text(const struct psn_store_row *row, unsigned table, char out[120])
{
    int used = snprintf(out, 120, "tab = %u AND key = x'", table);

    for (size_t i = 0; i < row->key_size; i++)
        used += snprintf(out + used, 120 - (size_t)used, "%02x", row->key[i]);
    (void)snprintf(out + used, 120 - (size_t)used, "'");
}

/* The text with `first` for each @ and `second` for each #. */
static void expand(const char *text, const char *first, const char *second, char *out,
                   size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(size - 1);

    for (; *text; text++) {
        if (*text == '@')
            psn_buf_text(&buf, first);
        else if (*text == '#')
            psn_buf_text(&buf, second);
        else
            psn_buf_char(&buf, *text);
    }
    assert_int_equal(psn_buf_check(&buf, NULL), PSN_OK);
    memcpy(out, psn_buf_str(&buf), buf.size + 1);
}

static void save_point(const struct tampered *it)
{
    sql(it, "CREATE TEMP TABLE r AS SELECT * FROM main.record;"
            "CREATE TEMP TABLE n AS SELECT * FROM main.node");
}

static void restore(const struct tampered *it)
{
    sql(it, "BEGIN; DELETE FROM main.record; INSERT INTO main.record SELECT * FROM temp.r;"
            "DELETE FROM main.node; INSERT INTO main.node SELECT * FROM temp.n; COMMIT");
}

static void assert_intact(const struct tampered *it)
{
    assert_int_equal(examine(it), HARMLESS);
}

/* ----------------------------------------------------------------- swaps */

static unsigned swaps;

/* Exchanges a column between two rows. */
static void swap(const struct tampered *it, const char *column, const char *a,
                 const char *b)
{
    char text[1200];

    (void)snprintf(
        text, sizeof text,
        "BEGIN; CREATE TEMP TABLE s AS SELECT (SELECT %s FROM main.record WHERE %s) AS a,"
        " (SELECT %s FROM main.record WHERE %s) AS b;"
        "UPDATE main.record SET %s = (SELECT b FROM s) WHERE %s;"
        "UPDATE main.record SET %s = (SELECT a FROM s) WHERE %s;"
        "DROP TABLE temp.s; COMMIT",
        column, a, column, b, column, a, column, b);
    sql(it, text);
}

static void swap_pair(const struct tampered *it, unsigned table_a, size_t a,
                      unsigned table_b, size_t b)
{
    static const char *const columns[] = { "box", "clear" };
    char where_a[120];
    char where_b[120];

    key_text(&it->rows[table_a][a], table_a, where_a);
    key_text(&it->rows[table_b][b], table_b, where_b);
    for (size_t i = 0; i < 2; i++) {
        swap(it, columns[i], where_a, where_b);
        assert_true(is_refused(it, table_a, a));
        assert_true(is_refused(it, table_b, b));
        swap(it, columns[i], where_a, where_b);
        swaps++;
    }
}

static void swapped_columns_are_found(void **state)
{
    struct tampered *it = *state;

    swaps = 0;
    for (size_t a = 0; a < ROWS; a++) {
        for (size_t b = a + 1; b < ROWS; b += a >= ROWS - SHARED ? 1 : 3)
            swap_pair(it, 1, a, 1, b);
        if (a < ROWS / 2)
            swap_pair(it, 1, a, 2, a);
        for (size_t b = a % 2; b < ROWS / 2; b += 4)
            swap_pair(it, 1, a, 2, b);
    }
    print_message("%u swaps, all refused\n", swaps);
    assert_true(swaps >= 2000);
    assert_intact(it);
}

static void rows_that_change_places_are_found(void **state)
{
    struct tampered *it = *state;
    char where_a[120];
    char where_b[120];
    char text[800];

    for (size_t a = 0; a < ROWS; a++) {
        size_t b = (a + 1) % ROWS;

        key_text(&it->rows[1][a], 1, where_a);
        key_text(&it->rows[1][b], 1, where_b);
        (void)snprintf(text, sizeof text,
                       "BEGIN; UPDATE record SET tab = 9 WHERE %s; UPDATE record SET key ="
                       " (SELECT key FROM record WHERE tab = 9) WHERE %s; UPDATE record SET"
                       " tab = 1, key = %s WHERE tab = 9; COMMIT",
                       where_a, where_b, strstr(where_b, "x'"));
        sql(it, text);
        assert_true(is_refused(it, 1, a));
        assert_true(is_refused(it, 1, b));
        (void)snprintf(text, sizeof text,
                       "BEGIN; UPDATE record SET tab = 9 WHERE %s; UPDATE record SET key ="
                       " (SELECT key FROM record WHERE tab = 9) WHERE %s; UPDATE record SET"
                       " tab = 1, key = %s WHERE tab = 9; COMMIT",
                       where_a, where_b, strstr(where_b, "x'"));
        sql(it, text);
    }
    assert_intact(it);
}

/* ----------------------------------------------------------------- replays */

static void attach_images(const struct tampered *it)
{
    char text[320];

    (void)snprintf(text, sizeof text, "ATTACH '%s' AS old", it->at->other);
    sql(it, text);
}

static void older_images_of_rows_are_found(void **state)
{
    struct tampered *it = *state;
    char where[120];
    char text[700];
    unsigned replays = 0;

    save_point(it);
    attach_images(it);
    for (unsigned table = 1; table <= 2; table++) {
        for (size_t i = 0; i < it->counts[table]; i++) {
            for (unsigned generation = 1; generation < GENERATIONS; generation++) {
                key_text(&it->rows[table][i], table, where);
                (void)snprintf(text, sizeof text,
                               "REPLACE INTO main.record SELECT * FROM old.record%u"
                               " WHERE %s",
                               generation, where);
                sql(it, text);
                assert_true(is_refused(it, table, i));
                replays++;
            }
            restore(it);
        }
    }
    print_message("%u replays, all refused\n", replays);
    assert_intact(it);
}

/* With their whole path, but the root: the parents' hashes are old, too. */
static void older_images_of_whole_trees_are_found(void **state)
{
    struct tampered *it = *state;
    char text[300];

    save_point(it);
    attach_images(it);
    for (unsigned generation = 1; generation < GENERATIONS; generation++) {
        for (int level = 2; level >= 0; level--) {
            (void)snprintf(text, sizeof text,
                           "REPLACE INTO main.record SELECT * FROM old.record%u;"
                           "REPLACE INTO main.node SELECT * FROM old.node%u"
                           " WHERE (id >> 12 & 3) >= %d",
                           generation, generation, level);
            sql(it, text);
            for (size_t i = 0; i < ROWS; i++)
                assert_true(is_refused(it, 1, i));
            restore(it);
        }
    }
    assert_intact(it);
}

/* ----------------------------------------------------------------- deletions */

static void deleted_rows_are_found(void **state)
{
    struct tampered *it = *state;
    char where[120];
    char text[200];

    save_point(it);
    for (unsigned table = 1; table <= 2; table++) {
        for (size_t i = 0; i < it->counts[table]; i++) {
            key_text(&it->rows[table][i], table, where);
            (void)snprintf(text, sizeof text, "DELETE FROM record WHERE %s", where);
            sql(it, text);
            assert_true(is_refused(it, table, i));
            restore(it);
        }
    }
    sql(it, "DELETE FROM record");
    assert_int_equal(examine(it), FOUND);
    sql(it, "DELETE FROM node");
    assert_true(is_refused(it, 1, 0));
    restore(it);
    assert_intact(it);
}

/* Runs a statement once for each node, and reads everything each time. */
static unsigned for_each_node(const struct tampered *it, const char *change)
{
    PSN_AUTO_RELEASE(psn_buf) ids = psn_buf_init(1 << 20);
    sqlite3_stmt *stmt = NULL;
    unsigned count = 0;

    assert_int_equal(
        sqlite3_prepare_v2(it->raw, "SELECT id FROM node ORDER BY id", -1, &stmt, NULL),
        SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        psn_buf_u64(&ids, (uint64_t)sqlite3_column_int64(stmt, 0));
    (void)sqlite3_finalize(stmt);
    for (size_t at = 0; at < ids.size; at += 8) {
        uint32_t id = 0;
        char text[400];
        char number[16];

        for (size_t i = 4; i < 8; i++)
            id = id << 8 | ids.data[at + i];
        (void)snprintf(number, sizeof number, "%u", id);
        expand(change, number, "", text, sizeof text);
        sql(it, text);
        if (examine(it) != FOUND)
            fail_msg("not found: %s", text);
        restore(it);
        count++;
    }
    return count;
}

static void changed_nodes_are_found(void **state)
{
    static const char *const changes[] = {
        "DELETE FROM node WHERE id = @",
        "UPDATE node SET children = x'' WHERE id = @",
        "UPDATE node SET children = zeroblob(8) WHERE id = @",
        "UPDATE node SET children = substr(children, 1, 7) WHERE id = @",
        "UPDATE node SET children = substr(children, 1, length(children) - 1)"
        " WHERE id = @",
        "UPDATE node SET children = substr(children, 1, length(children) - 32)"
        " WHERE id = @",
        "UPDATE node SET children = CAST(children || x'00' AS BLOB) WHERE id = @",
        "UPDATE node SET children = CAST(x'ffffffffffffffff' || substr(children, 9)"
        " AS BLOB) WHERE id = @",
        "UPDATE node SET children = CAST(x'ffffffffffffffff' || zeroblob(2048) AS BLOB)"
        " WHERE id = @",
        "UPDATE node SET children = zeroblob(1000000) WHERE id = @",
        "UPDATE node SET children = (SELECT children FROM node AS other WHERE"
        " other.id <> @ ORDER BY random() LIMIT 1) WHERE id = @",
        "UPDATE node SET id = @ + 1048576 WHERE id = @",
        "INSERT INTO node SELECT id + 1048576, children FROM node WHERE id = @",
    };
    struct tampered *it = *state;
    unsigned count = 0;

    save_point(it);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        count += for_each_node(it, changes[i]);
    print_message("%u changed nodes, all found\n", count);
    assert_intact(it);
}

/* ----------------------------------------------------------------- edits */

static void edited_columns_are_found(void **state)
{
    static const char *const edits[] = {
        "revision = revision + 1",
        "revision = revision - 1",
        "revision = 0",
        "revision = -1",
        "revision = 9223372036854775807",
        "clear = CAST(clear || x'00' AS BLOB)",
        "clear = x''",
        "clear = zeroblob(5000)",
        "box = CAST(box || x'00' AS BLOB)",
        "box = substr(box, 2)",
        "box = substr(box, 1, length(box) - 1)",
        "box = x''",
        "box = zeroblob(131073)",
        "box = zeroblob(10000000)",
        "clear = box, box = clear",
        "clear = CAST(clear || substr(box, 1, 1) AS BLOB), box = substr(box, 2)",
        "key = CAST(key || x'00' AS BLOB)",
        "key = substr(key, 1, 23)",
        "key = substr(key, 1, 2)",
        "key = x''",
        "key = zeroblob(24)",
        "tab = 3",
        "tab = 16",
        "tab = -1",
    };
    struct tampered *it = *state;
    char where[120];
    char text[400];
    unsigned count = 0;

    save_point(it);
    for (size_t e = 0; e < sizeof edits / sizeof *edits; e++) {
        for (size_t i = 0; i < ROWS; i += 3) {
            key_text(&it->rows[1][i], 1, where);
            (void)snprintf(text, sizeof text, "UPDATE record SET %s WHERE %s", edits[e],
                           where);
            sql(it, text);
            if (!is_refused(it, 1, i))
                fail_msg("not refused: %s", text);
            assert_int_equal(examine(it), FOUND);
            restore(it);
            count++;
        }
    }
    print_message("%u edits, all found\n", count);
    assert_intact(it);
}

/* STRICT stops SQL from writing other types, but not an editor of the file: so the
 * schema is without it for as long as that takes. */
static void other_types_are_found(void **state)
{
    static const char *const edits[] = {
        "UPDATE record SET revision = NULL",
        "UPDATE record SET revision = 3.0",
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
        "UPDATE record SET tab = '1'",
        "UPDATE record SET tab = 1.5",
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
    sql(it, "PRAGMA wal_checkpoint(TRUNCATE)");
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
                          "UPDATE sqlite_schema SET sql = (SELECT sql FROM aside WHERE"
                          " aside.name = sqlite_schema.name) WHERE name <> 'aside';"
                          "DROP TABLE aside");
        assert_int_equal(sqlite3_open(it->at->path, &it->raw), SQLITE_OK);
        if (examine(it) != FOUND)
            fail_msg("not found: %s", edits[i]);
    }
}

static void rows_that_were_never_written_are_found(void **state)
{
    struct tampered *it = *state;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    char where[120];
    char text[300];

    save_point(it);
    for (uint64_t seed = 2000; seed < 2100; seed++) {
        enum finding finding = HARMLESS;
        PSN_AUTO(psn_store) *store = NULL;

        store_fixture_row(seed, 1, &row);
        if (seed % 2)
            memset(row.key, 0x55, 8);
        key_text(&row, 1, where);
        (void)snprintf(text, sizeof text,
                       "INSERT INTO record SELECT 1, %s, 1, clear, box FROM record LIMIT 1",
                       strstr(where, "x'"));
        sql(it, text);
        store = open_as_caller(it, &finding);
        assert_non_null(store);
        assert_int_equal(psn_store_get(store, 1, row.key, row.key_size, &row, NULL),
                         PSN_E_INTEGRITY);
        assert_int_equal(read_scan(it, store, 1), FOUND);
        assert_int_equal(psn_store_check(store, NULL), PSN_E_INTEGRITY);
        psn_store_free(PSN_TAKE(store));
        restore(it);
    }
    assert_intact(it);
}

/* A write blesses nothing: not in its own bucket, and not beside it. */
static void a_write_after_tampering_hides_nothing(void **state)
{
    struct tampered *it = *state;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    enum finding finding = HARMLESS;
    PSN_AUTO(psn_store) *store = NULL;
    char where[120];
    char text[200];

    key_text(&it->rows[1][ROWS - 1], 1, where);
    (void)snprintf(text, sizeof text,
                   "UPDATE record SET box = CAST(x'00' || substr(box, 2) AS BLOB) WHERE %s",
                   where);
    sql(it, text);
    store = open_as_caller(it, &finding);
    assert_non_null(store);
    make_row(&row, 1, ROWS - 2, GENERATIONS + 1);
    assert_int_equal(psn_store_put(store, 1, &row, NULL), PSN_E_INTEGRITY);
    assert_int_equal(psn_store_delete(store, 1, row.key, row.key_size, NULL),
                     PSN_E_INTEGRITY);
    make_row(&row, 1, 3, GENERATIONS + 1);
    assert_int_equal(psn_store_put(store, 1, &row, NULL), PSN_OK);
    assert_int_equal(read_row(it, store, 1, ROWS - 1), FOUND);
    assert_int_equal(store_fixture_commit(store, GENERATIONS + 1, NULL), PSN_OK);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_READ, NULL, NULL), PSN_OK);
    assert_int_equal(read_row(it, store, 1, ROWS - 1), FOUND);
    assert_int_equal(psn_store_check(store, NULL), PSN_E_INTEGRITY);
}

static void journal_edits_reach_the_chain_or_the_store(void **state)
{
    static const char *const edits[] = {
        "DELETE FROM journal WHERE number = 12",
        "DELETE FROM journal WHERE number = 5",
        "UPDATE journal SET box = x'00' WHERE number = 3",
        "UPDATE journal SET hash = zeroblob(32) WHERE number = 3",
        "UPDATE journal SET hash = zeroblob(31) WHERE number = 3",
        "UPDATE journal SET box = zeroblob(200000) WHERE number = 3",
        "UPDATE journal SET number = 13 WHERE number = 12",
        "INSERT INTO journal SELECT chain, 13, hash, box FROM journal LIMIT 1",
        "UPDATE journal SET chain = zeroblob(16)",
    };
    struct tampered *it = *state;

    sql(it, "CREATE TEMP TABLE j AS SELECT * FROM main.journal");
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        sql(it, edits[i]);
        assert_int_equal(examine(it), FOUND);
        sql(it, "DELETE FROM main.journal; INSERT INTO main.journal SELECT * FROM temp.j");
    }
    assert_intact(it);
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

static void try_triggers(const struct tampered *it, const char *keep)
{
    static const char *const names[] = { "root", "node", "record", "journal" };
    static const char *const events[] = { "INSERT", "UPDATE", "DELETE" };
    static const char *const times[] = { "BEFORE", "AFTER" };
    static const char *const bodies[] = {
        "SELECT 1",
        "DELETE FROM journal",
        "UPDATE root SET box = x'00'",
        "INSERT INTO record VALUES (9, randomblob(24), 1, x'', x'')",
        "SELECT RAISE(IGNORE)",
    };
    char text[300];

    for (size_t n = 0; n < 4; n++) {
        for (size_t e = 0; e < 3; e++) {
            for (size_t i = 0; i < 2; i++) {
                for (size_t b = 0; b < 5; b++) {
                    (void)snprintf(text, sizeof text,
                                   "CREATE TRIGGER t %s %s ON %s BEGIN %s; END", times[i],
                                   events[e], names[n], bodies[b]);
                    try_schema(it, keep, text);
                }
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
        { "root", "id" },         { "root", "box" },     { "node", "id" },
        { "node", "children" },   { "record", "tab" },   { "record", "key" },
        { "record", "revision" }, { "record", "clear" }, { "record", "box" },
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
            expand(formats[f], columns[c].table, columns[c].column, text, sizeof text);
            try_schema(it, keep, text);
        }
    }
}

static void try_others(const struct tampered *it, const char *keep)
{
    static const char *const texts[] = {
        "CREATE TABLE extra (x)",
        "CREATE TABLE extra (x) STRICT",
        "CREATE VIRTUAL TABLE f USING fts5(x)",
        "CREATE VIRTUAL TABLE r USING rtree(id, a, b)",
        "ANALYZE",
        "ALTER TABLE record RENAME TO secret",
        "ALTER TABLE record RENAME TO hidden;"
        "CREATE VIEW record AS SELECT * FROM hidden",
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
        "UPDATE sqlite_schema SET rootpage = 0 WHERE name = 'node'",
        "UPDATE sqlite_schema SET rootpage = 99999 WHERE name = 'node'",
        "UPDATE sqlite_schema SET rowid = 10 - rowid",
        "DELETE FROM sqlite_schema",
        "INSERT INTO sqlite_schema VALUES ('table', 'sqlite_stat1', 'sqlite_stat1', 2,"
        " 'CREATE TABLE sqlite_stat1(tbl,idx,stat)')",
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

    sql(it, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)sqlite3_close_v2(it->raw);
    it->raw = NULL;
    (void)snprintf(keep, sizeof keep, "%s.keep", it->at->path);
    store_fixture_copy_file(it->at->path, keep);
    schemas = 0;
    try_triggers(it, keep);
    try_columns(it, keep);
    try_others(it, keep);
    print_message("%u schemas, none opened\n", schemas);
    assert_true(schemas >= 200);
}

/* ----------------------------------------------------------------- flips */

static unsigned flips[3];

static void flip_and_examine(const struct tampered *it, const char *file, uint8_t *bytes,
                             size_t size, size_t at, unsigned bit)
{
    enum finding finding;

    bytes[at] ^= (uint8_t)(1u << bit);
    store_fixture_write_file(file, bytes, size);
    finding = examine(it);
    if (finding == WRONG)
        print_message("wrong: bit %u of byte %zu\n", bit, at);
    flips[finding]++;
    bytes[at] ^= (uint8_t)(1u << bit);
}

static size_t stride_of(const char *variable, size_t usual)
{
    const char *text = getenv(variable);

    return text ? strtoul(text, NULL, 10) : usual;
}

/* PSN_FLIP_STRIDE=1 flips a bit of every byte. */
static void flipped_bits_of_the_file_show_nothing_wrong(void **state)
{
    struct tampered *it = *state;
    size_t stride = stride_of("PSN_FLIP_STRIDE", 5);
    size_t size = 0;
    uint8_t *bytes;
    char name[320];

    sql(it, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)sqlite3_close_v2(it->raw);
    it->raw = NULL;
    bytes = store_fixture_read_file(it->at->path, &size);
    memset(flips, 0, sizeof flips);
    for (size_t at = 0; at < size; at += at < 4096 ? 1 : stride) {
        (void)snprintf(name, sizeof name, "%s-wal", it->at->path);
        (void)unlink(name);
        (void)snprintf(name, sizeof name, "%s-shm", it->at->path);
        (void)unlink(name);
        flip_and_examine(it, it->at->path, bytes, size, at, (unsigned)(at * 7 % 8));
    }
    free(bytes);
    print_message("%u flips of %zu bytes: %u found, %u harmless, %u wrong\n",
                  flips[FOUND] + flips[HARMLESS] + flips[WRONG], size, flips[FOUND],
                  flips[HARMLESS], flips[WRONG]);
    assert_true(flips[FOUND] > 1000);
    assert_int_equal(flips[WRONG], 0);
}

/* A WAL that is cut short by a wrong checksum is an older vault, which the generation in
 * the root box tells. */
static void flipped_bits_of_the_wal_show_nothing_wrong(void **state)
{
    struct tampered *it = *state;
    size_t stride = stride_of("PSN_FLIP_STRIDE", 5) * 19;
    size_t main_size = 0;
    size_t size = 0;
    uint8_t *main_bytes;
    uint8_t *bytes;
    char wal[320];
    char shm[320];

    (void)snprintf(wal, sizeof wal, "%s-wal", it->at->path);
    (void)snprintf(shm, sizeof shm, "%s-shm", it->at->path);
    bytes = store_fixture_read_file(wal, &size);
    main_bytes = store_fixture_read_file(it->at->path, &main_size);
    assert_true(size > 40000);
    (void)sqlite3_close_v2(it->raw);
    it->raw = NULL;
    memset(flips, 0, sizeof flips);
    for (size_t at = 0; at < size; at += at < 200 ? 1 : stride) {
        (void)unlink(shm);
        store_fixture_write_file(it->at->path, main_bytes, main_size);
        flip_and_examine(it, wal, bytes, size, at, (unsigned)(at * 7 % 8));
    }
    free(bytes);
    free(main_bytes);
    print_message("%u flips of the WAL: %u found, %u harmless, %u wrong\n",
                  flips[FOUND] + flips[HARMLESS] + flips[WRONG], flips[FOUND],
                  flips[HARMLESS], flips[WRONG]);
    assert_true(flips[FOUND] > 300);
    assert_int_equal(flips[WRONG], 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(swapped_columns_are_found),
        CASE(rows_that_change_places_are_found),
        CASE(older_images_of_rows_are_found),
        CASE(older_images_of_whole_trees_are_found),
        CASE(deleted_rows_are_found),
        CASE(changed_nodes_are_found),
        CASE(edited_columns_are_found),
        CASE(other_types_are_found),
        CASE(rows_that_were_never_written_are_found),
        CASE(a_write_after_tampering_hides_nothing),
        CASE(journal_edits_reach_the_chain_or_the_store),
        CASE(another_schema_does_not_open),
        CASE(flipped_bits_of_the_file_show_nothing_wrong),
        CASE(flipped_bits_of_the_wal_show_nothing_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
