#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/record.h"
#include "support/store_tamper.h"

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
    tamper_sql(it, text);
}

static void swap_pair(const struct tampered *it, unsigned table_a, size_t a,
                      unsigned table_b, size_t b)
{
    static const char *const columns[] = { "box", "clear" };
    char where_a[120];
    char where_b[120];

    tamper_where(&it->rows[table_a][a], table_a, where_a);
    tamper_where(&it->rows[table_b][b], table_b, where_b);
    for (size_t i = 0; i < 2; i++) {
        swap(it, columns[i], where_a, where_b);
        assert_true(tamper_is_refused(it, table_a, a));
        assert_true(tamper_is_refused(it, table_b, b));
        swap(it, columns[i], where_a, where_b);
        swaps++;
    }
}

static void swapped_columns_are_found(void **state)
{
    struct tampered *it = *state;

    swaps = 0;
    for (size_t a = 0; a < TAMPER_ROWS; a++) {
        for (size_t b = a + 1; b < TAMPER_ROWS;
             b += a >= TAMPER_ROWS - TAMPER_SHARED ? 1 : 3)
            swap_pair(it, 1, a, 1, b);
        if (a < TAMPER_ROWS / 2)
            swap_pair(it, 1, a, 2, a);
        for (size_t b = a % 2; b < TAMPER_ROWS / 2; b += 4)
            swap_pair(it, 1, a, 2, b);
    }
    print_message("%u swaps, all refused\n", swaps);
    record_figure("2.1", "swaps", swaps, swaps);
    assert_true(swaps >= 2000);
    tamper_assert_intact(it);
}

static void rows_that_change_places_are_found(void **state)
{
    struct tampered *it = *state;
    char where_a[120];
    char where_b[120];
    char text[800];

    for (size_t a = 0; a < TAMPER_ROWS; a++) {
        size_t b = (a + 1) % TAMPER_ROWS;

        tamper_where(&it->rows[1][a], 1, where_a);
        tamper_where(&it->rows[1][b], 1, where_b);
        (void)snprintf(
            text, sizeof text,
            "BEGIN; UPDATE record SET tab = 9 WHERE %s; UPDATE record SET key ="
            " (SELECT key FROM record WHERE tab = 9) WHERE %s; UPDATE record SET"
            " tab = 1, key = %s WHERE tab = 9; COMMIT",
            where_a, where_b, strstr(where_b, "x'"));
        tamper_sql(it, text);
        assert_true(tamper_is_refused(it, 1, a));
        assert_true(tamper_is_refused(it, 1, b));
        (void)snprintf(
            text, sizeof text,
            "BEGIN; UPDATE record SET tab = 9 WHERE %s; UPDATE record SET key ="
            " (SELECT key FROM record WHERE tab = 9) WHERE %s; UPDATE record SET"
            " tab = 1, key = %s WHERE tab = 9; COMMIT",
            where_a, where_b, strstr(where_b, "x'"));
        tamper_sql(it, text);
    }
    tamper_assert_intact(it);
}

/* ----------------------------------------------------------------- replays */

static void attach_images(const struct tampered *it)
{
    char text[320];

    (void)snprintf(text, sizeof text, "ATTACH '%s' AS old", it->at->other);
    tamper_sql(it, text);
}

static void older_images_of_rows_are_found(void **state)
{
    struct tampered *it = *state;
    char where[120];
    char text[700];
    unsigned replays = 0;

    tamper_save(it);
    attach_images(it);
    for (unsigned table = 1; table <= 2; table++) {
        for (size_t i = 0; i < it->counts[table]; i++) {
            for (unsigned generation = 1; generation < TAMPER_GENERATIONS; generation++) {
                tamper_where(&it->rows[table][i], table, where);
                (void)snprintf(text, sizeof text,
                               "REPLACE INTO main.record SELECT * FROM old.record%u"
                               " WHERE %s",
                               generation, where);
                tamper_sql(it, text);
                assert_true(tamper_is_refused(it, table, i));
                replays++;
            }
            tamper_restore(it);
        }
    }
    print_message("%u replays, all refused\n", replays);
    record_figure("2.2", "replays", replays, replays);
    tamper_assert_intact(it);
}

/* With their whole path, but the root: the parents' hashes are old, too. */
static void older_images_of_whole_trees_are_found(void **state)
{
    struct tampered *it = *state;
    char text[300];

    tamper_save(it);
    attach_images(it);
    for (unsigned generation = 1; generation < TAMPER_GENERATIONS; generation++) {
        for (int level = 2; level >= 0; level--) {
            (void)snprintf(text, sizeof text,
                           "REPLACE INTO main.record SELECT * FROM old.record%u;"
                           "REPLACE INTO main.node SELECT * FROM old.node%u"
                           " WHERE (id >> 12 & 3) >= %d",
                           generation, generation, level);
            tamper_sql(it, text);
            for (size_t i = 0; i < TAMPER_ROWS; i++)
                assert_true(tamper_is_refused(it, 1, i));
            tamper_restore(it);
        }
    }
    tamper_assert_intact(it);
}

/* ----------------------------------------------------------------- deletions */

static void deleted_rows_are_found(void **state)
{
    struct tampered *it = *state;
    char where[120];
    char text[200];

    tamper_save(it);
    for (unsigned table = 1; table <= 2; table++) {
        for (size_t i = 0; i < it->counts[table]; i++) {
            tamper_where(&it->rows[table][i], table, where);
            (void)snprintf(text, sizeof text, "DELETE FROM record WHERE %s", where);
            tamper_sql(it, text);
            assert_true(tamper_is_refused(it, table, i));
            tamper_restore(it);
        }
    }
    tamper_sql(it, "DELETE FROM record");
    assert_int_equal(tamper_examine(it), FOUND);
    tamper_sql(it, "DELETE FROM node");
    assert_true(tamper_is_refused(it, 1, 0));
    tamper_restore(it);
    tamper_assert_intact(it);
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
        tamper_expand(change, number, "", text, sizeof text);
        tamper_sql(it, text);
        if (tamper_examine(it) != FOUND)
            fail_msg("not found: %s", text);
        tamper_restore(it);
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

    tamper_save(it);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        count += for_each_node(it, changes[i]);
    print_message("%u changed nodes, all found\n", count);
    record_figure("2.2", "changed nodes", count, count);
    tamper_assert_intact(it);
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

    tamper_save(it);
    for (size_t e = 0; e < sizeof edits / sizeof *edits; e++) {
        for (size_t i = 0; i < TAMPER_ROWS; i += 3) {
            tamper_where(&it->rows[1][i], 1, where);
            (void)snprintf(text, sizeof text, "UPDATE record SET %s WHERE %s", edits[e],
                           where);
            tamper_sql(it, text);
            if (!tamper_is_refused(it, 1, i))
                fail_msg("not refused: %s", text);
            assert_int_equal(tamper_examine(it), FOUND);
            tamper_restore(it);
            count++;
        }
    }
    print_message("%u edits, all found\n", count);
    record_figure("2.2", "edits", count, count);
    tamper_assert_intact(it);
}

static void rows_that_were_never_written_are_found(void **state)
{
    struct tampered *it = *state;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    char where[120];
    char text[300];

    tamper_save(it);
    for (uint64_t seed = 2000; seed < 2100; seed++) {
        enum finding finding = HARMLESS;
        PSN_AUTO(psn_store) *store = NULL;

        store_fixture_row(seed, 1, &row);
        if (seed % 2)
            memset(row.key, 0x55, 8);
        tamper_where(&row, 1, where);
        (void)snprintf(
            text, sizeof text,
            "INSERT INTO record SELECT 1, %s, 1, clear, box FROM record LIMIT 1",
            strstr(where, "x'"));
        tamper_sql(it, text);
        store = tamper_open(it, &finding);
        assert_non_null(store);
        assert_int_equal(psn_store_get(store, 1, row.key, row.key_size, &row, NULL),
                         PSN_E_INTEGRITY);
        assert_int_equal(tamper_read_scan(it, store, 1), FOUND);
        assert_int_equal(psn_store_check(store, NULL), PSN_E_INTEGRITY);
        psn_store_free(PSN_TAKE(store));
        tamper_restore(it);
    }
    tamper_assert_intact(it);
}

/* No look-up can come across these, so only the check does. */
static void rows_out_of_every_range_are_found_by_the_check(void **state)
{
    static const char *const rows[] = {
        "16, zeroblob(24), 1, x'', x''",
        "-1, zeroblob(24), 1, x'', x''",
        ("1, x'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
         "ffffffffff', 1, x'', x''"),
    };
    struct tampered *it = *state;
    char text[200];

    tamper_save(it);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum finding finding = HARMLESS;
        PSN_AUTO(psn_store) *store = NULL;

        (void)snprintf(text, sizeof text, "INSERT INTO record VALUES (%s)", rows[i]);
        tamper_sql(it, text);
        store = tamper_open(it, &finding);
        assert_non_null(store);
        assert_int_equal(tamper_read_scan(it, store, 1), HARMLESS);
        assert_int_equal(psn_store_check(store, NULL), PSN_E_INTEGRITY);
        psn_store_free(PSN_TAKE(store));
        tamper_restore(it);
    }
    tamper_assert_intact(it);
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

    tamper_where(&it->rows[1][TAMPER_ROWS - 1], 1, where);
    (void)snprintf(
        text, sizeof text,
        "UPDATE record SET box = CAST(x'00' || substr(box, 2) AS BLOB) WHERE %s", where);
    tamper_sql(it, text);
    store = tamper_open(it, &finding);
    assert_non_null(store);
    tamper_make_row(&row, 1, TAMPER_ROWS - 2, TAMPER_GENERATIONS + 1);
    assert_int_equal(psn_store_put(store, 1, &row, NULL), PSN_E_INTEGRITY);
    assert_int_equal(psn_store_delete(store, 1, row.key, row.key_size, NULL),
                     PSN_E_INTEGRITY);
    tamper_make_row(&row, 1, 3, TAMPER_GENERATIONS + 1);
    assert_int_equal(psn_store_put(store, 1, &row, NULL), PSN_OK);
    assert_int_equal(tamper_read_row(it, store, 1, TAMPER_ROWS - 1), FOUND);
    assert_int_equal(store_fixture_commit(store, TAMPER_GENERATIONS + 1, NULL), PSN_OK);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_READ, NULL, NULL), PSN_OK);
    assert_int_equal(tamper_read_row(it, store, 1, TAMPER_ROWS - 1), FOUND);
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

    tamper_sql(it, "CREATE TEMP TABLE j AS SELECT * FROM main.journal");
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        tamper_sql(it, edits[i]);
        assert_int_equal(tamper_examine(it), FOUND);
        tamper_sql(
            it,
            "DELETE FROM main.journal; INSERT INTO main.journal SELECT * FROM temp.j");
    }
    tamper_assert_intact(it);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tamper_set_up, tamper_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(swapped_columns_are_found),
        CASE(rows_that_change_places_are_found),
        CASE(older_images_of_rows_are_found),
        CASE(older_images_of_whole_trees_are_found),
        CASE(deleted_rows_are_found),
        CASE(changed_nodes_are_found),
        CASE(edited_columns_are_found),
        CASE(rows_that_were_never_written_are_found),
        CASE(rows_out_of_every_range_are_found_by_the_check),
        CASE(a_write_after_tampering_hides_nothing),
        CASE(journal_edits_reach_the_chain_or_the_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
