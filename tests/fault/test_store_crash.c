#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/store.h"
#include "support/crash_vfs.h"
#include "support/record.h"
#include "support/store_fixture.h"

/*
 * Every operation that changes a file, of every scenario, is made to fail once and from
 * then on, and is the last one before a kill or a power cut. After each the vault must
 * open, hold together, and be exactly one of the states that were ever committed, no
 * older than what the last successful commit said.
 */

/* What a child tells before it ends, if it can. */
struct report {
    uint64_t committed; /* the generation of the last commit that returned OK */
    bool fired;
    enum psn_code failed; /* the scenario's result */
    int bad_line;         /* where something was wrong, or 0 */
};

struct scenario {
    const char *name;
    /* Makes the template's files: vault.db and what is beside it. */
    void (*prepare)(const struct store_fixture *at);
    /* In the child, with the fault armed. */
    void (*run)(const struct store_fixture *at, struct report *report);
    /* In the parent, with the faults gone. Returns a line number, or 0. */
    int (*verify)(const struct store_fixture *at, const struct report *report,
                  bool interrupted);
};

#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

static const uint8_t chain[PSN_STORE_CHAIN_SIZE] = "the vault chain";

/* ----------------------------------------------------------------- the changes */

/* Generation g holds rows 0 … 9 in revision g, row 100 + g, not row 100 + g - 1, and
 * g - 1 journal rows. The boxes are large, so that a few commits fill a WAL. */
static enum psn_code change_to(struct psn_store *store, uint64_t generation,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    enum psn_code rc = PSN_OK;

    for (uint64_t i = 0; !rc && i < 10; i++) {
        store_fixture_row(i, generation, &row);
        rc = psn_store_put(store, 4, &row, err);
    }
    store_fixture_row(100 + generation, 1, &row);
    (void)psn_buf_reserve(&row.box, 20000);
    if (!rc)
        rc = psn_store_put(store, 4, &row, err);
    store_fixture_row(100 + generation - 1, 1, &row);
    if (!rc)
        rc = psn_store_delete(store, 4, row.key, row.key_size, err);
    entry.number = generation - 1;
    if (!rc)
        rc = psn_store_journal_append(store, chain, &entry, err);
    return rc;
}

static enum psn_code advance_to(struct psn_store *store, uint64_t generation,
                                struct report *report, struct psn_error *err)
{
    enum psn_code rc = store_fixture_begin(store, PSN_STORE_WRITE, NULL, err);

    if (rc)
        return rc;
    rc = change_to(store, generation, err);
    if (!rc)
        rc = store_fixture_commit(store, generation, err);
    if (!rc)
        report->committed = generation;
    else
        psn_store_rollback(store);
    return rc;
}

static int verify_state(struct psn_store *store, uint64_t oldest, uint64_t newest)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_row) expected = psn_store_row_init();
    uint64_t generation = 0;
    uint64_t entries = 0;

    CHECK(!store_fixture_begin(store, PSN_STORE_READ, &generation, NULL));
    CHECK(generation >= oldest && generation <= newest);
    CHECK(!psn_store_check(store, NULL));
    CHECK(store_fixture_count_rows(store, 4) == 11);
    for (uint64_t i = 0; i < 10; i++) {
        store_fixture_row(i, generation, &expected);
        CHECK(!psn_store_get(store, 4, expected.key, expected.key_size, &row, NULL));
        CHECK(row.revision == generation && row.box.size == expected.box.size);
        CHECK(memcmp(row.box.data, expected.box.data, row.box.size) == 0);
    }
    store_fixture_row(100 + generation, 1, &expected);
    CHECK(!psn_store_get(store, 4, expected.key, expected.key_size, &row, NULL));
    CHECK(!psn_store_journal_count(store, &entries, NULL));
    CHECK(entries == generation - 1);
    CHECK(!psn_store_commit(store, NULL, NULL));
    return 0;
}

/* A vault that survived must also take the next change. */
static int verify_vault(const char *path, uint64_t oldest, uint64_t newest)
{
    PSN_AUTO(psn_store) *store = NULL;
    struct report report = { 0 };
    uint64_t generation = 0;
    int line;

    CHECK(!psn_store_open(path, store_fixture_hash, &store, NULL));
    line = verify_state(store, oldest, newest);
    if (line)
        return line;
    CHECK(!store_fixture_begin(store, PSN_STORE_READ, &generation, NULL));
    CHECK(!psn_store_commit(store, NULL, NULL));
    CHECK(!advance_to(store, generation + 1, &report, NULL));
    return verify_state(store, generation + 1, generation + 1);
}

static void make_vault(const char *path)
{
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    store_fixture_make(path, 4, 0, 10);
    assert_int_equal(psn_store_open(path, store_fixture_hash, &store, NULL), PSN_OK);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_WRITE, NULL, NULL), PSN_OK);
    store_fixture_row(101, 1, &row);
    assert_int_equal(psn_store_put(store, 4, &row, NULL), PSN_OK);
    assert_int_equal(store_fixture_commit(store, 1, NULL), PSN_OK);
}

/* ----------------------------------------------------------------- scenarios */

static void finish(struct report *report, enum psn_code rc, const struct psn_error *err)
{
    report->failed = rc;
    if (rc != err->code || (rc && !err->message[0]))
        report->bad_line = __LINE__;
}

static void prepare_vault(const struct store_fixture *at)
{
    make_vault(at->path);
}

/* One command: open, change, close. After a failure the same handle must still tell the
 * truth, and do the work once the fault is gone. */
static void run_commit(const struct store_fixture *at, struct report *report)
{
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc = psn_store_open(at->path, store_fixture_hash, &store, &err);

    if (!rc)
        rc = advance_to(store, 2, report, &err);
    finish(report, rc, &err);
    if (!rc || !store)
        return;
    report->fired = crash_vfs_fired();
    crash_vfs_disarm();
    report->bad_line = verify_state(store, 1, 1);
    if (!report->bad_line && advance_to(store, 2, report, NULL))
        report->bad_line = __LINE__;
    if (!report->bad_line)
        report->bad_line = verify_state(store, 2, 2);
}

static int verify_commit(const struct store_fixture *at, const struct report *report,
                         bool interrupted)
{
    uint64_t oldest = report->committed ? report->committed : 1;

    return verify_vault(at->path, oldest, interrupted ? 2 : oldest);
}

static void prepare_nothing(const struct store_fixture *at)
{
    (void)at;
}

static void run_create(const struct store_fixture *at, struct report *report)
{
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_error err = { 0 };
    enum psn_code rc = psn_store_create(at->path, store_fixture_hash, &store, &err);

    if (!rc)
        rc = store_fixture_begin(store, PSN_STORE_WRITE, NULL, &err);
    for (uint64_t i = 0; !rc && i < 11; i++) {
        store_fixture_row(i < 10 ? i : 101, 1, &row);
        rc = psn_store_put(store, 4, &row, &err);
    }
    if (!rc)
        rc = store_fixture_commit(store, 1, &err);
    if (!rc)
        report->committed = 1;
    finish(report, rc, &err);
}

/* Whole or absent; absent again means that the same command can be given again. */
static int verify_create(const struct store_fixture *at, const struct report *report,
                         bool interrupted)
{
    struct report again = { 0 };

    (void)interrupted;
    if (access(at->path, F_OK) == 0)
        return verify_vault(at->path, 1, 1);
    CHECK(report->committed == 0);
    run_create(at, &again);
    CHECK(again.failed == PSN_OK && again.bad_line == 0);
    return verify_vault(at->path, 1, 1);
}

/* Enough commits to pass the size at which the WAL is emptied when the vault is closed;
 * then it is opened and changed once more. */
static void run_many(const struct store_fixture *at, struct report *report)
{
    struct psn_error err = { 0 };
    enum psn_code rc = PSN_OK;

    for (unsigned round = 0; !rc && round < 2; round++) {
        PSN_AUTO(psn_store) *store = NULL;

        rc = psn_store_open(at->path, store_fixture_hash, &store, &err);
        for (uint64_t i = 0; !rc && i < (round == 0 ? 4 : 1); i++)
            rc = advance_to(store, (report->committed ? report->committed : 1) + 1,
                            report, &err);
    }
    finish(report, rc, &err);
}

static int verify_many(const struct store_fixture *at, const struct report *report,
                       bool interrupted)
{
    uint64_t oldest = report->committed ? report->committed : 1;

    return verify_vault(at->path, oldest,
                        interrupted || report->failed ? oldest + 1 : oldest);
}

static void run_copy(const struct store_fixture *at, struct report *report)
{
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc = psn_store_open(at->path, store_fixture_hash, &store, &err);

    if (!rc)
        rc = psn_store_copy(store, at->other, false, NULL, NULL, &err);
    if (!rc)
        report->committed = 1;
    finish(report, rc, &err);
}

static int verify_copy(const struct store_fixture *at, const struct report *report,
                       bool interrupted)
{
    (void)interrupted;
    if (access(at->other, F_OK) == 0) {
        int line = verify_vault(at->other, 1, 1);

        if (line)
            return line;
    } else {
        CHECK(report->committed == 0);
    }
    return verify_vault(at->path, 1, 1);
}

/* A vault of generation 4 with a WAL, and a backup of generation 1. */
static void prepare_restore(const struct store_fixture *at)
{
    PSN_AUTO(psn_store) *store = NULL;
    struct report report = { 0 };

    make_vault(at->path);
    assert_int_equal(psn_store_open(at->path, store_fixture_hash, &store, NULL), PSN_OK);
    assert_int_equal(psn_store_copy(store, at->other, false, NULL, NULL, NULL), PSN_OK);
    for (uint64_t i = 2; i <= 4; i++)
        assert_int_equal(advance_to(store, i, &report, NULL), PSN_OK);
}

static void run_restore(const struct store_fixture *at, struct report *report)
{
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc = psn_store_open(at->other, store_fixture_hash, &store, &err);

    if (!rc)
        rc = psn_store_copy(store, at->path, true, NULL, NULL, &err);
    if (!rc)
        report->committed = 1;
    finish(report, rc, &err);
}

/* The old vault or the new one, never an older state of the old one. */
static int verify_restore(const struct store_fixture *at, const struct report *report,
                          bool interrupted)
{
    PSN_AUTO(psn_store) *store = NULL;
    uint64_t generation = 0;
    int line;

    (void)interrupted;
    line = verify_vault(at->other, 1, 1);
    if (line)
        return line;
    CHECK(!psn_store_open(at->path, store_fixture_hash, &store, NULL));
    CHECK(!store_fixture_begin(store, PSN_STORE_READ, &generation, NULL));
    CHECK(generation == 1 || (generation == 4 && report->committed == 0));
    psn_store_free(PSN_TAKE(store));
    return verify_vault(at->path, generation, generation);
}

/* ----------------------------------------------------------------- the sweep */

static unsigned tried;
static unsigned survived;

static void copy_dir(const char *from, const char *to)
{
    DIR *dir = opendir(from);
    struct dirent *entry;

    assert_non_null(dir);
    for (entry = readdir(dir); entry; entry = readdir(dir)) {
        char source[700];
        char target[700];

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        (void)snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        store_fixture_copy_file(source, target);
    }
    (void)closedir(dir);
}

static enum psn_code expected_code(enum crash_mode mode)
{
    return mode == CRASH_FULL ? PSN_E_FULL : PSN_E_IO;
}

/* Returns whether the fault was reached. */
static bool try_once(const struct scenario *scenario,
                     const struct store_fixture *template, enum crash_mode mode,
                     unsigned n, bool sticky, uint64_t seed)
{
    struct report *report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void *state = NULL;
    struct store_fixture *at;
    bool interrupted;
    bool fired;
    int status = 0;
    int line = 0;
    pid_t pid;

    assert_true(report != MAP_FAILED);
    assert_int_equal(store_fixture_set_up(&state), 0);
    at = state;
    copy_dir(template->dir, at->dir);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        crash_vfs_install();
        crash_vfs_arm(mode, n, sticky, seed);
        scenario->run(at, report);
        report->fired = report->fired || crash_vfs_fired();
        if (mode == CRASH_POWER)
            crash_vfs_cut_power();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    interrupted = WIFEXITED(status) && (WEXITSTATUS(status) == CRASH_STATUS ||
                                        WEXITSTATUS(status) == CRASH_STATUS_AT_END);
    fired = report->fired || (interrupted && WEXITSTATUS(status) == CRASH_STATUS);
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && !interrupted))
        line = __LINE__;
    else if (report->bad_line)
        line = report->bad_line;
    else if (!interrupted && report->failed && report->failed != expected_code(mode))
        line = 10000 + (int)report->failed;
    else
        line = scenario->verify(at, report, interrupted);
    if (fired || interrupted) {
        tried++;
        survived += line == 0;
    }
    if (line)
        print_message("%s: mode %d, operation %u, sticky %d, seed %llu: line %d\n",
                      scenario->name, (int)mode, n, sticky, (unsigned long long)seed,
                      line);
    (void)store_fixture_tear_down(&state);
    (void)munmap(report, sizeof *report);
    assert_int_equal(line, 0);
    return fired;
}

enum {
    STEP = 4, /* PSN_CRASH_ALL=1: every operation in every way, which takes minutes */
};

static void sweep(const struct scenario *scenario)
{
    static const struct {
        enum crash_mode mode;
        bool sticky;
        uint64_t seeds;
    } rounds[] = {
        { CRASH_KILL, false, 1 }, { CRASH_POWER, false, 2 }, { CRASH_IO, false, 1 },
        { CRASH_IO, true, 1 },    { CRASH_FULL, false, 1 },  { CRASH_FULL, true, 1 },
    };
    const char *factor = getenv("PSN_CRASH_SEEDS");
    uint64_t more = factor ? strtoull(factor, NULL, 10) : 1;
    unsigned step = getenv("PSN_CRASH_ALL") ? 1 : STEP;
    void *state = NULL;

    tried = 0;
    survived = 0;
    assert_int_equal(store_fixture_set_up(&state), 0);
    scenario->prepare(state);
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
        uint64_t seeds = rounds[i].seeds * (rounds[i].seeds > 1 ? more : 1);
        bool fired = true;

        /* Each round begins elsewhere, so that together they come to every operation. */
        for (unsigned n = 1 + (unsigned)i % step; fired; n += step) {
            /* Beyond the last operation the power still fails, after the end. */
            for (uint64_t seed = 1; seed <= seeds; seed++)
                fired =
                    try_once(scenario, state, rounds[i].mode, n, rounds[i].sticky, seed);
        }
    }
    (void)store_fixture_tear_down(&state);
    print_message("%s: %u faults tried, %u survived\n", scenario->name, tried, survived);
    record_figure("5.3", scenario->name, tried, survived);
    assert_true(tried > 100 / STEP);
    assert_int_equal(tried, survived);
}

static void a_commit_survives(void **state)
{
    static const struct scenario scenario = { "commit", prepare_vault, run_commit,
                                              verify_commit };

    (void)state;
    sweep(&scenario);
}

static void a_creation_survives(void **state)
{
    static const struct scenario scenario = { "create", prepare_nothing, run_create,
                                              verify_create };

    (void)state;
    sweep(&scenario);
}

static void many_commits_and_the_emptied_wal_survive(void **state)
{
    static const struct scenario scenario = { "many", prepare_vault, run_many,
                                              verify_many };

    (void)state;
    sweep(&scenario);
}

static void a_copy_survives(void **state)
{
    static const struct scenario scenario = { "copy", prepare_vault, run_copy,
                                              verify_copy };

    (void)state;
    sweep(&scenario);
}

static void a_restore_survives(void **state)
{
    static const struct scenario scenario = { "restore", prepare_restore, run_restore,
                                              verify_restore };

    (void)state;
    sweep(&scenario);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_survives),
        cmocka_unit_test(a_creation_survives),
        cmocka_unit_test(many_commits_and_the_emptied_wal_survive),
        cmocka_unit_test(a_copy_survives),
        cmocka_unit_test(a_restore_survives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
