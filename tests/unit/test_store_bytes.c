/*
 * Bytes of a row: what SQLite does not hand over, and what is held too long. Link with
 * -Wl,--wrap=sqlite3_column_blob,--wrap=sqlite3_errcode
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/internal.h"
#include "support/store_fixture.h"

enum {
    TABLE = 2
};

static const uint8_t chain[PSN_STORE_CHAIN_SIZE] = "a chain";
static int missing;     /* the call that gives none; 0: all give some */
static bool for_memory; /* that is why */

const void *__real_sqlite3_column_blob(sqlite3_stmt *stmt, int column);
const void *__wrap_sqlite3_column_blob(sqlite3_stmt *stmt, int column);
int __real_sqlite3_errcode(sqlite3 *db);
int __wrap_sqlite3_errcode(sqlite3 *db);

const void *__wrap_sqlite3_column_blob(sqlite3_stmt *stmt, int column)
{
    if (missing > 0 && --missing == 0)
        return NULL;
    return __real_sqlite3_column_blob(stmt, column);
}

int __wrap_sqlite3_errcode(sqlite3 *db)
{
    return for_memory ? SQLITE_NOMEM : __real_sqlite3_errcode(db);
}

static struct psn_store *store_with_an_entry(const struct store_fixture *at)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    struct psn_store *store;

    store_fixture_make(at->path, TABLE, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    entry.number = 1;
    psn_buf_text(&entry.box, "1");
    assert_int_equal(psn_store_journal_append(store, chain, &entry, NULL), PSN_OK);
    must_commit(store, 2);
    must_begin(store, PSN_STORE_READ);
    return store;
}

static void an_entry_for_which_memory_lacks_is_not_called_damaged(void **state)
{
    PSN_AUTO(psn_store) *store = store_with_an_entry(*state);
    struct psn_store_entry entry = psn_store_entry_init();

    entry.number = 77;
    for (int call = 1; call <= 2; call++) {
        missing = call;
        assert_int_equal(psn_store_journal_get(store, chain, 1, &entry, NULL),
                         PSN_E_NOMEM);
        assert_int_equal(entry.number, 77);
        assert_int_equal(missing, 0);
    }
    assert_int_equal(psn_store_journal_get(store, chain, 1, &entry, NULL), PSN_OK);
    assert_int_equal(entry.number, 1);
    psn_store_entry_release(&entry);
}

static void a_node_without_bytes_is_damage_unless_memory_lacks(void **state)
{
    PSN_AUTO(psn_store) *store = store_with_an_entry(*state);
    uint8_t hash[PSN_STORE_HASH_SIZE];

    missing = 1;
    for_memory = true;
    assert_int_equal(psn_tree_leaf(store, TABLE, 0, hash, NULL), PSN_E_NOMEM);
    for_memory = false;
    missing = 1;
    assert_int_equal(psn_tree_leaf(store, TABLE, 0, hash, NULL), PSN_E_INTEGRITY);
    for_memory = true; /* of an earlier call */
    assert_int_equal(psn_tree_leaf(store, TABLE, 0, hash, NULL), PSN_OK);
    for_memory = false;
}

/* A row that is held keeps the log from being emptied as long as the vault is open. */
static void a_row_that_was_copied_is_let_go(void **state)
{
    PSN_AUTO(psn_store) *store = store_with_an_entry(*state);
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();

    assert_int_equal(psn_store_journal_get(store, chain, 1, &entry, NULL), PSN_OK);
    for (size_t i = 0; i < PSN_SQL_END; i++)
        assert_false(store->statements[i] && sqlite3_stmt_busy(store->statements[i]));
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(an_entry_for_which_memory_lacks_is_not_called_damaged),
        CASE(a_row_that_was_copied_is_let_go),
        CASE(a_node_without_bytes_is_damage_unless_memory_lacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
