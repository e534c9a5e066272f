#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "passation/destruction.h"
#include "support/destroy_vault.h"
#include "support/store_fixture.h"
#include "support/tmpdir.h"

/* Copies of the vault lose the client, too. */

static int set_up(void **state)
{
    return rekey_fixture_set_up(state, destroy_vault_make);
}

static struct psn_destruction destroy(struct rekey_fixture *f)
{
    struct psn_destruction facts;

    assert_int_equal(destroy_vault_destroy(&f->at, f->vault, &facts), PSN_OK);
    assert_true(facts.is_done);
    return facts;
}

static struct psn_scrub scrub(struct rekey_fixture *f, const char *path)
{
    struct psn_destruction_request request = { .client = "martin", .confirm = "martin" };
    struct psn_scrub facts;

    assert_int_equal(psn_backup_scrub(f->vault, path, &request, &facts, &f->at.err),
                     PSN_OK);
    return facts;
}

static void a_backup_is_rewritten_in_its_place(void **state)
{
    struct rekey_fixture *f = *state;
    PSN_AUTO(psn_vault) *copy = NULL;
    struct psn_vault_options options = { .path = NULL };
    struct psn_key key = rekey_vault_key(&f->at, REKEY_MINE);
    struct psn_scrub facts;
    char path[TMPDIR_PATH_MAX];
    size_t files;

    (void)tmpdir_path(&f->dir, "backup.db", path);
    assert_int_equal(psn_vault_backup(f->vault, path, false, &f->at.err), PSN_OK);
    (void)destroy(f);
    files = tmpdir_count(&f->dir);
    facts = scrub(f, path);
    assert_int_equal(facts.result, PSN_SCRUB_REWRITTEN);
    assert_true(facts.destruction.is_done && facts.destruction.is_overwritten);
    assert_true(facts.destruction.file_bytes > 4096);
    assert_int_equal(tmpdir_count(&f->dir), files);
    assert_int_equal(scrub(f, path).result, PSN_SCRUB_LACKS);
    options.path = path;
    assert_int_equal(psn_vault_open(&options, &copy, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_unlock(copy, &key, &f->at.err), PSN_OK);
    assert_false(destroy_vault_has_martin(copy));
    assert_int_equal(destroy_vault_verify(copy), 0);
}

static void a_copy_that_cannot_be_rewritten_is_told_and_left(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_destruction_request request = { .client = "martin", .confirm = "martin" };
    struct psn_scrub facts;
    struct rekey_vault another;
    char path[TMPDIR_PATH_MAX];
    char link[TMPDIR_PATH_MAX];
    bool replaced = false;

    assert_int_equal(scrub(f, tmpdir_path(&f->dir, "none.db", path)).result,
                     PSN_SCRUB_MISSING);
    store_fixture_write_file(tmpdir_path(&f->dir, "text.db", path), "no vault", 8);
    facts = scrub(f, path);
    assert_int_equal(facts.result, PSN_SCRUB_UNREADABLE);
    assert_true(facts.why[0]);
    (void)tmpdir_path(&f->dir, "backup.db", path);
    assert_int_equal(psn_vault_backup(f->vault, path, false, &f->at.err), PSN_OK);
    assert_int_equal(symlink(path, tmpdir_path(&f->dir, "link.db", link)), 0);
    assert_int_equal(scrub(f, link).result, PSN_SCRUB_UNREADABLE);
    assert_int_equal(rekey_vault_rekey(&f->at, f->vault, &replaced), PSN_OK);
    facts = scrub(f, path);
    assert_int_equal(facts.result, PSN_SCRUB_UNREADABLE);
    assert_true(facts.why[0]);
    assert_int_equal(psn_backup_scrub(f->vault, f->at.path, &request, &facts, NULL),
                     PSN_E_INVALID);
    assert_true(destroy_vault_has_martin(f->vault));
    another = f->at;
    (void)tmpdir_path(&f->dir, "another.db", another.path);
    another.options.path = another.path;
    another.options.state_dir = NULL;
    rekey_vault_make(&another);
    assert_int_equal(scrub(f, another.path).result, PSN_SCRUB_NOT_OURS);
}

static void a_look_finds_the_client_and_changes_nothing(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_scrub facts;
    struct stat before;
    struct stat after;
    char path[TMPDIR_PATH_MAX];
    size_t files;

    (void)tmpdir_path(&f->dir, "backup.db", path);
    assert_int_equal(psn_vault_backup(f->vault, path, false, &f->at.err), PSN_OK);
    (void)destroy(f);
    assert_int_equal(stat(path, &before), 0);
    files = tmpdir_count(&f->dir);
    assert_int_equal(psn_backup_look(f->vault, path, "martin", &facts, &f->at.err),
                     PSN_OK);
    assert_int_equal(facts.result, PSN_SCRUB_HOLDS);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(tmpdir_count(&f->dir), files);
    assert_int_equal(scrub(f, path).result, PSN_SCRUB_REWRITTEN);
    assert_int_equal(psn_backup_look(f->vault, path, "martin", &facts, &f->at.err),
                     PSN_OK);
    assert_int_equal(facts.result, PSN_SCRUB_LACKS);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(psn_backup_look(f->vault, path, "martin", &facts, &f->at.err),
                     PSN_OK);
    assert_int_equal(facts.result, PSN_SCRUB_MISSING);
}

/* The one of the journal first; the vault itself and what is no copy of it are none. */
static void the_vault_knows_its_backups_and_what_lies_beside_it(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_known_copy *copies = NULL;
    size_t count = 0;
    char noted[TMPDIR_PATH_MAX];
    char moved[TMPDIR_PATH_MAX];
    char log[TMPDIR_PATH_MAX + 32];
    char text[TMPDIR_PATH_MAX];

    (void)tmpdir_path(&f->dir, "backup.db", noted);
    (void)tmpdir_path(&f->dir, "old.db", moved);
    assert_int_equal(psn_vault_backup(f->vault, noted, false, &f->at.err), PSN_OK);
    assert_int_equal(rename(noted, moved), 0);
    (void)snprintf(log, sizeof log, "%s.before-restore-x-wal", f->at.path);
    store_fixture_write_file(log, "rows", 4);
    store_fixture_write_file(tmpdir_path(&f->dir, "notes.txt", text), "no vault", 8);
    assert_int_equal(psn_known_copies(f->vault, &copies, &count, &f->at.err), PSN_OK);
    assert_int_equal(count, 3);
    assert_string_equal(copies[0].path, noted);
    assert_true(copies[0].noted_s != 0);
    assert_string_equal(copies[1].path, moved);
    assert_string_equal(copies[2].path, log);
    assert_true(copies[1].noted_s == 0 && copies[2].noted_s == 0);
    free(copies);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, rekey_fixture_tear_down)
        T(a_backup_is_rewritten_in_its_place),
        T(a_copy_that_cannot_be_rewritten_is_told_and_left),
        T(a_look_finds_the_client_and_changes_nothing),
        T(the_vault_knows_its_backups_and_what_lies_beside_it),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
