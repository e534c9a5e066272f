/*
 * Makes every allocation fail in turn, once and from then on, those of SQLite included,
 * while a vault is made, changed, read, checked, copied and replaced. Each failure is
 * E_NOMEM or no failure at all, and afterwards the vault is whole, or not there.
 * Link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/store.h"
#include "support/record.h"
#include "support/store_fixture.h"

/* The fault: the allocation that fails (0: none), and whether all later ones do. */
static size_t fail_at;
static bool fail_on;
static size_t allocations;
static sqlite3_mem_methods sqlite_memory;

void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);

static bool fails(void)
{
    if (!fail_at)
        return false;
    allocations++;
    return allocations == fail_at || (fail_on && allocations > fail_at);
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fails() ? NULL : __real_calloc(number, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

static void *sqlite_malloc(int size)
{
    return fails() ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *memory, int size)
{
    return fails() ? NULL : sqlite_memory.xRealloc(memory, size);
}

/* ----------------------------------------------------------------- scenarios */

static const uint8_t chain[PSN_STORE_CHAIN_SIZE] = "the vault chain";

static enum psn_code create(const struct store_fixture *at, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    enum psn_code rc = psn_store_create(at->path, store_fixture_hash, &store, err);

    if (!rc)
        rc = store_fixture_begin(store, PSN_STORE_WRITE, NULL, err);
    for (uint64_t i = 0; !rc && i < 3; i++) {
        store_fixture_row(i, 1, &row);
        rc = psn_store_put(store, 2, &row, err);
    }
    return rc ? rc : store_fixture_commit(store, 1, err);
}

static enum psn_code change(const struct store_fixture *at, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    enum psn_code rc = psn_store_open(at->path, store_fixture_hash, &store, err);

    if (!rc)
        rc = store_fixture_begin(store, PSN_STORE_WRITE, NULL, err);
    store_fixture_row(1, 2, &row);
    if (!rc)
        rc = psn_store_put(store, 2, &row, err);
    store_fixture_row(9, 1, &row);
    if (!rc)
        rc = psn_store_put(store, 2, &row, err);
    if (!rc)
        rc = psn_store_delete(store, 2, row.key, row.key_size, err);
    entry.number = 1;
    if (!rc)
        rc = psn_store_journal_append(store, chain, &entry, err);
    return rc ? rc : store_fixture_commit(store, 2, err);
}

static enum psn_code look(const struct store_fixture *at, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    uint8_t key[24];
    bool found = true;
    enum psn_code rc = psn_store_open(at->path, store_fixture_hash, &store, err);

    store_fixture_key(1, key);
    if (!rc)
        rc = store_fixture_begin(store, PSN_STORE_READ, NULL, err);
    if (!rc)
        rc = psn_store_get(store, 2, key, sizeof key, &row, err);
    if (!rc)
        rc = psn_store_scan_open(store, 2, key, 1, &scan, err);
    while (!rc && found)
        rc = psn_store_scan_next(scan, &row, &found, err);
    psn_store_scan_free(PSN_TAKE(scan));
    if (!rc)
        rc = psn_store_check(store, err);
    return rc ? rc : psn_store_commit(store, NULL, err);
}

static enum psn_code copy(const struct store_fixture *at, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = NULL;
    enum psn_code rc = psn_store_open(at->path, store_fixture_hash, &store, err);

    return rc ? rc : psn_store_copy(store, at->other, false, NULL, NULL, err);
}

static enum psn_code replace(const struct store_fixture *at, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = NULL;
    enum psn_code rc = psn_store_open(at->other, store_fixture_hash, &store, err);

    return rc ? rc : psn_store_copy(store, at->path, true, NULL, NULL, err);
}

/* ----------------------------------------------------------------- the sweep */

static void assert_whole(const char *path, bool may_be_absent)
{
    PSN_AUTO(psn_store) *store = NULL;

    if (may_be_absent && access(path, F_OK) != 0)
        return;
    store = store_fixture_open(path);
    must_begin(store, PSN_STORE_READ);
    assert_int_equal(psn_store_check(store, NULL), PSN_OK);
    assert_int_equal(store_fixture_count_rows(store, 2), 3);
}

typedef enum psn_code scenario_fn(const struct store_fixture *at, struct psn_error *err);

/* Whether the failing allocation was reached. */
static bool try_once(scenario_fn *run, size_t n, bool on)
{
    struct psn_error err = { 0 };
    void *state = NULL;
    struct store_fixture *at;
    enum psn_code rc;
    bool reached;

    assert_int_equal(store_fixture_set_up(&state), 0);
    at = state;
    if (run != create)
        store_fixture_make(at->path, 2, 0, 3);
    if (run == replace)
        store_fixture_make(at->other, 2, 0, 3);
    allocations = 0;
    fail_on = on;
    fail_at = n;
    rc = run(at, &err);
    fail_at = 0;
    reached = allocations >= n;
    if (rc)
        assert_int_equal(rc, PSN_E_NOMEM);
    assert_int_equal(rc, err.code);
    assert_whole(at->path, run == create && rc);
    assert_whole(at->other, run != copy || rc);
    (void)store_fixture_tear_down(&state);
    return reached;
}

static void sweep(const char *name, scenario_fn *run)
{
    /* PSN_ALLOC_ALL=1: every one, which takes minutes. */
    size_t step = getenv("PSN_ALLOC_ALL") ? 1 : 5;
    unsigned tried = 0;

    for (unsigned on = 0; on < 2; on++) {
        for (size_t n = 1 + on; try_once(run, n, on == 1); n += step)
            tried++;
    }
    print_message("%s: %u allocations failed, all survived\n", name, tried);
    record_figure("5.4", name, tried, tried);
    assert_true(tried > 100);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    sweep("create", create);
    sweep("change", change);
    sweep("look", look);
    sweep("copy", copy);
    sweep("replace", replace);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };
    sqlite3_mem_methods failing;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory) != SQLITE_OK)
        return 1;
    failing = sqlite_memory;
    failing.xMalloc = sqlite_malloc;
    failing.xRealloc = sqlite_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
