#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/crash_vfs.h"
#include "support/destroy_vault.h"
#include "support/record.h"
#include "support/rekey_vault.h"
#include "support/store_fixture.h"

/*
 * Every operation of a rekey, and of a destruction, that changes a file is the last one
 * before a kill or a power cut, or fails, once or from then on. Afterwards the vault is
 * wholly the old one or wholly the new one, the rollback record agrees with it, every
 * secret is there that is to be, and the next command has removed what was left beside
 * it.
 */
struct report {
    bool fired;
    bool replaced;
    enum psn_code failed;
    int bad_line;
};

/* What writes the vault anew, and how one tells which vault is there. */
struct operation {
    const char *name;
    void (*make)(struct rekey_vault *at);
    enum psn_code (*run)(struct rekey_vault *at, struct psn_vault *vault,
                         bool *ret_replaced);
    bool (*is_new)(struct rekey_vault *at, struct psn_vault *vault);
    int (*verify_old)(struct psn_vault *vault);
    int (*verify_new)(struct psn_vault *vault);
};

enum {
    STEP = 3, /* PSN_CRASH_ALL=1: every operation in every way, which takes minutes */
};

static unsigned tried;
static unsigned survived;

#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

static void copy_vault(const char *from, const char *to)
{
    static const char *const names[] = { "vault.db", "vault.db-wal" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char source[TMPDIR_PATH_MAX];
        char target[TMPDIR_PATH_MAX];

        (void)snprintf(source, sizeof source, "%s/%s", from, names[i]);
        (void)snprintf(target, sizeof target, "%s/%s", to, names[i]);
        if (access(source, F_OK) == 0)
            store_fixture_copy_file(source, target);
    }
}

/* The handle must tell the truth after a failure, too. */
static void run(const struct operation *operation, struct rekey_vault *at,
                struct report *report)
{
    PSN_AUTO(psn_vault) *vault = rekey_vault_open(at, REKEY_MINE);
    bool replaced = false;

    if (!vault) {
        report->failed = at->err.code;
        return;
    }
    report->failed = operation->run(at, vault, &replaced);
    report->replaced = replaced;
    if (report->failed != at->err.code || (report->failed && !at->err.message[0]) ||
        (!report->failed && !replaced))
        report->bad_line = __LINE__;
    report->fired = report->fired || crash_vfs_fired();
    if (!report->failed)
        report->bad_line = operation->verify_new(vault);
}

static bool opens(struct rekey_vault *at, int identity)
{
    PSN_AUTO(psn_vault) *vault = rekey_vault_open(at, identity);

    return vault != NULL;
}

static int check_beside(const struct rekey_vault *at)
{
    static const char *const tails[] = { "", "-wal", "-journal" };

    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char draft[TMPDIR_PATH_MAX + 32];

        (void)snprintf(draft, sizeof draft, "%s.rekeying%s", at->path, tails[i]);
        CHECK(access(draft, F_OK) != 0);
    }
    return 0;
}

static int verify(const struct operation *operation, struct rekey_vault *at,
                  const struct report *report)
{
    PSN_AUTO(psn_vault) *vault = rekey_vault_open(at, REKEY_MINE);
    bool is_new;
    int line;

    CHECK(vault);
    is_new = operation->is_new(at, vault);
    line = is_new ? operation->verify_new(vault) : operation->verify_old(vault);
    if (!line)
        line = check_beside(at);
    if (line)
        return line;
    CHECK(is_new || !report->replaced);
    CHECK(!is_new || report->failed == PSN_OK || report->replaced);
    /* and it can be done, or done again */
    if (!is_new) {
        bool replaced = false;

        CHECK(!operation->run(at, vault, &replaced) && replaced);
        CHECK(operation->is_new(at, vault));
    }
    return 0;
}

/* --- the two of them --- */

static bool is_rekeyed(struct rekey_vault *at, struct psn_vault *vault)
{
    bool is_new = opens(at, REKEY_NEW);

    (void)vault;
    assert_int_equal(opens(at, REKEY_PAULS), !is_new);
    return is_new;
}

static enum psn_code destroy(struct rekey_vault *at, struct psn_vault *vault,
                             bool *ret_replaced)
{
    struct psn_destruction facts;
    enum psn_code rc = destroy_vault_destroy(at, vault, &facts);

    *ret_replaced = facts.is_done;
    return rc;
}

static bool is_destroyed(struct rekey_vault *at, struct psn_vault *vault)
{
    (void)at;
    return !destroy_vault_has_martin(vault);
}

static int verify_both(struct psn_vault *vault)
{
    int line = rekey_vault_verify(vault);

    return line ? line : destroy_vault_verify(vault);
}

static const struct operation rekeying = {
    "rekey",    rekey_vault_make,   rekey_vault_rekey,
    is_rekeyed, rekey_vault_verify, rekey_vault_verify,
};
static const struct operation destruction = {
    "destruction", destroy_vault_make, destroy,
    is_destroyed,  verify_both,        destroy_vault_verify,
};

static bool is_expected(enum crash_mode mode, enum psn_code code)
{
    return code == PSN_OK || code == (mode == CRASH_FULL ? PSN_E_FULL : PSN_E_IO);
}

struct fault {
    enum crash_mode mode;
    unsigned n;
    bool sticky;
    uint64_t seed;
};

/* Returns whether the fault was reached. */
static bool try_once(const struct operation *operation, const struct tmpdir *template,
                     struct rekey_vault *keys, const struct fault *fault)
{
    struct report *report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rekey_vault at = *keys;
    struct tmpdir dir;
    bool interrupted;
    bool fired;
    int status = 0;
    int line = 0;
    pid_t pid;

    assert_true(report != MAP_FAILED);
    tmpdir_make(&dir);
    copy_vault(template->path, dir.path);
    (void)snprintf(at.path, sizeof at.path, "%s/vault.db", dir.path);
    (void)snprintf(at.state, sizeof at.state, "%s/state", dir.path);
    at.options = (struct psn_vault_options){ .path = at.path, .state_dir = at.state };
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        crash_vfs_install();
        crash_vfs_arm(fault->mode, fault->n, fault->sticky, fault->seed);
        run(operation, &at, report);
        if (fault->mode == CRASH_POWER)
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
    else if (!interrupted && !is_expected(fault->mode, report->failed))
        line = 10000 + (int)report->failed;
    else
        line = verify(operation, &at, report);
    if (fired || interrupted) {
        tried++;
        survived += line == 0;
    }
    if (line)
        print_message("%s, mode %d, operation %u, sticky %d, seed %llu: line %d: %s\n",
                      operation->name, (int)fault->mode, fault->n, fault->sticky,
                      (unsigned long long)fault->seed, line, at.err.message);
    tmpdir_remove(&dir);
    (void)munmap(report, sizeof *report);
    assert_int_equal(line, 0);
    return fired;
}

static void survive(const struct operation *operation)
{
    static const struct {
        enum crash_mode mode;
        bool sticky;
        uint64_t seeds;
    } rounds[] = {
        { CRASH_KILL, false, 1 }, { CRASH_POWER, false, 1 }, { CRASH_IO, false, 1 },
        { CRASH_IO, true, 1 },    { CRASH_FULL, false, 1 },  { CRASH_FULL, true, 1 },
    };
    const char *factor = getenv("PSN_CRASH_SEEDS");
    const char *all = getenv("PSN_CRASH_ALL");
    uint64_t more = factor ? strtoull(factor, NULL, 10) : 1;
    unsigned step = all ? 1 : STEP;
    struct rekey_vault keys;
    struct tmpdir template;

    tried = 0;
    survived = 0;
    tmpdir_make(&template);
    rekey_vault_init(&keys, template.path);
    operation->make(&keys);
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
        uint64_t seeds = rounds[i].seeds * (rounds[i].mode == CRASH_POWER ? more : 1);
        bool fired = true;

        /* Each round begins elsewhere, so that together they come to every operation. */
        for (unsigned n = 1 + (unsigned)i % step; fired; n += step)
            for (uint64_t seed = 1; seed <= seeds; seed++)
                fired = try_once(
                    operation, &template, &keys,
                    &(struct fault){ rounds[i].mode, n, rounds[i].sticky, seed });
    }
    rekey_vault_release(&keys);
    tmpdir_remove(&template);
    print_message("%s: %u faults tried, %u survived\n", operation->name, tried, survived);
    record_figure("5.3", operation->name, tried, survived);
    assert_true(tried > 100);
    assert_int_equal(tried, survived);
}

static void a_rekey_survives_a_fault_at_every_step(void **state)
{
    (void)state;
    survive(&rekeying);
}

static void a_destruction_survives_a_fault_at_every_step(void **state)
{
    (void)state;
    survive(&destruction);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rekey_survives_a_fault_at_every_step),
        cmocka_unit_test(a_destruction_survives_a_fault_at_every_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
