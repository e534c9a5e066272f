#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/store.h"
#include "support/store_fixture.h"

/* Rows of the journal: what goes in, what comes out of an edited file, and what a store
 * that is spoiled still takes. */

static const uint8_t chain[PSN_STORE_CHAIN_SIZE] = "a chain";

/* A vault with one entry, 1, whose box is "first". */
static struct psn_store *store_with_an_entry(const struct store_fixture *at)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    struct psn_store *store;

    store_fixture_make(at->path, 0, 0, 1);
    store = store_fixture_open(at->path);
    must_begin(store, PSN_STORE_WRITE);
    entry.number = 1;
    memset(entry.hash, 7, sizeof entry.hash);
    psn_buf_text(&entry.box, "first");
    assert_int_equal(psn_store_journal_append(store, chain, &entry, NULL), PSN_OK);
    must_commit(store, 2);
    return store;
}

static void an_entry_that_is_given_back_holds_nothing(void **state)
{
    struct psn_store_entry entry = psn_store_entry_init();

    (void)state;
    entry.number = 4;
    psn_buf_text(&entry.box, "a box");
    psn_store_entry_release(&entry);
    assert_int_equal(entry.number, 0);
    assert_int_equal(entry.box.size, 0);
    psn_store_entry_release(NULL);
}

static void a_box_of_the_largest_size_fits_and_no_larger_one(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = store_with_an_entry(at);
    PSN_AUTO_RELEASE(psn_store_entry) found = psn_store_entry_init();
    static uint8_t bytes[PSN_STORE_BOX_MAX + 1];

    must_begin(store, PSN_STORE_WRITE);
    for (size_t size = PSN_STORE_BOX_MAX; size <= sizeof bytes; size++) {
        struct psn_store_entry entry = { .number = size,
                                         .box = psn_buf_init(sizeof bytes) };

        psn_buf_bytes(&entry.box, bytes, size);
        assert_int_equal(psn_store_journal_append(store, chain, &entry, NULL),
                         size > PSN_STORE_BOX_MAX ? PSN_E_LIMIT : PSN_OK);
        psn_store_entry_release(&entry);
    }
    must_commit(store, 3); /* what is refused before it is tried spoils nothing */
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_journal_get(store, chain, PSN_STORE_BOX_MAX, &found, NULL),
                     PSN_OK);
    assert_int_equal(found.box.size, PSN_STORE_BOX_MAX);
    assert_int_equal(
        psn_store_journal_get(store, chain, PSN_STORE_BOX_MAX + 1, &found, NULL),
        PSN_E_NOT_FOUND);
}

static void a_box_that_could_not_be_made_is_not_stored(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = store_with_an_entry(at);
    struct psn_store_entry entry = { .number = 2, .box = psn_buf_init(4) };
    uint64_t count = 0;

    psn_buf_text(&entry.box, "more than four bytes");
    must_begin(store, PSN_STORE_WRITE);
    assert_int_equal(psn_store_journal_append(store, chain, &entry, NULL), PSN_E_LIMIT);
    assert_int_equal(psn_store_journal_count(store, &count, NULL), PSN_OK);
    assert_int_equal(count, 1);
    psn_store_entry_release(&entry);
}

static void an_empty_box_comes_back(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = store_with_an_entry(at);
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();

    must_begin(store, PSN_STORE_WRITE);
    entry.number = 2;
    memset(entry.hash, 8, sizeof entry.hash);
    assert_int_equal(psn_store_journal_append(store, chain, &entry, NULL), PSN_OK);
    assert_int_equal(psn_store_journal_get(store, chain, 1, &entry, NULL), PSN_OK);
    assert_string_equal(psn_buf_str(&entry.box), "first");
    assert_int_equal(entry.hash[31], 7);
    assert_int_equal(psn_store_journal_get(store, chain, 2, &entry, NULL), PSN_OK);
    assert_int_equal(entry.box.size, 0);
    assert_int_equal(entry.hash[31], 8);
}

static void a_box_that_does_not_fit_where_it_is_read_to_is_not_read(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = store_with_an_entry(at);
    struct psn_store_entry entry = { .number = 77, .box = psn_buf_init(4) };

    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_journal_get(store, chain, 1, &entry, NULL), PSN_E_LIMIT);
    assert_int_equal(entry.number, 77);
    psn_store_entry_release(&entry);
}

static void an_edited_row_is_damage_and_leaves_the_entry_alone(void **state)
{
    static const char *const edits[] = {
        "UPDATE journal SET hash = zeroblob(31)",
        "UPDATE journal SET hash = zeroblob(33)",
        "UPDATE journal SET hash = x''",
        "UPDATE journal SET box = zeroblob(131073)",
        "UPDATE journal SET box = zeroblob(131073), hash = zeroblob(31)",
    };
    struct store_fixture *at = *state;
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();

    psn_store_free(store_with_an_entry(at));
    entry.number = 77;
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        PSN_AUTO(psn_store) *store = NULL;

        store_fixture_sql(at->path,
                          "UPDATE journal SET hash = zeroblob(32), box = x'00'");
        store_fixture_sql(at->path, edits[i]);
        store = store_fixture_open(at->path);
        must_begin(store, PSN_STORE_READ);
        assert_int_equal(psn_store_journal_get(store, chain, 1, &entry, NULL),
                         PSN_E_INTEGRITY);
        assert_int_equal(entry.number, 77);
    }
}

/* No STRICT table takes one, but a file that is edited may hold it. */
static void text_where_bytes_stand_is_damage(void **state)
{
    static const char *const edits[] = {
        "UPDATE journal SET hash = 'as many characters as a hash has'",
        "UPDATE journal SET box = 'text'",
    };
    struct store_fixture *at = *state;
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();

    psn_store_free(store_with_an_entry(at));
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        PSN_AUTO(psn_store) *store = NULL;

        store_fixture_sql(at->path,
                          "UPDATE journal SET hash = zeroblob(32), box = x'00'");
        store_fixture_sql(at->path, "UPDATE sqlite_schema SET sql = replace(sql, 'STRICT,"
                                    " WITHOUT', 'WITHOUT') WHERE name = 'journal'");
        store_fixture_sql(at->path, edits[i]);
        store_fixture_sql(at->path,
                          "UPDATE sqlite_schema SET sql = replace(sql, 'WITHOUT',"
                          " 'STRICT, WITHOUT') WHERE name = 'journal'");
        store = store_fixture_open(at->path);
        must_begin(store, PSN_STORE_READ);
        assert_int_equal(psn_store_journal_get(store, chain, 1, &entry, NULL),
                         PSN_E_INTEGRITY);
    }
}

static void a_store_that_is_spoiled_takes_and_gives_nothing_more(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = store_with_an_entry(at);
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    uint64_t count = 0;

    must_begin(store, PSN_STORE_WRITE);
    entry.number = 1;
    assert_int_equal(psn_store_journal_append(store, chain, &entry, NULL),
                     PSN_E_INTEGRITY);
    entry.number = 2;
    assert_int_equal(psn_store_journal_append(store, chain, &entry, NULL),
                     PSN_E_INTEGRITY);
    assert_int_equal(psn_store_journal_get(store, chain, 1, &entry, NULL),
                     PSN_E_INTEGRITY);
    assert_int_equal(psn_store_journal_delete(store, chain, NULL), PSN_E_INTEGRITY);
    assert_int_equal(psn_store_journal_count(store, &count, NULL), PSN_E_INTEGRITY);
    assert_int_equal(count, 0);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_that_is_given_back_holds_nothing),
        CASE(a_box_of_the_largest_size_fits_and_no_larger_one),
        CASE(a_box_that_could_not_be_made_is_not_stored),
        CASE(an_empty_box_comes_back),
        CASE(a_box_that_does_not_fit_where_it_is_read_to_is_not_read),
        CASE(an_edited_row_is_damage_and_leaves_the_entry_alone),
        CASE(text_where_bytes_stand_is_damage),
        CASE(a_store_that_is_spoiled_takes_and_gives_nothing_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
