#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/vault.h"
#include "passation/passation.h"
#include "support/store_fixture.h"
#include "support/tmpdir.h"

/* --- fixture --- */

struct fixture {
    struct tmpdir dir;
    char path[512];
    char state[512];
    struct psn_vault_options options;
    struct psn_secret *identity;
    struct psn_vault *vault;
    struct psn_error err;
};

static const char identity_text[] =
    "# created for a test\n"
    "AGE-SECRET-KEY-1GT05DEKNZMYRD5S6QDCPZ80WFSLMDN3VHQFK2UEQML2NLZKHCWXQX27TDM\n";

static const struct psn_person me = { .id = "me" };

static struct psn_key identity_key(const struct fixture *f)
{
    return (struct psn_key){ PSN_SLOT_IDENTITY, f->identity };
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct psn_key key;

    assert_non_null(f);
    tmpdir_make(&f->dir);
    (void)snprintf(f->path, sizeof f->path, "%s/vault.db", f->dir.path);
    (void)snprintf(f->state, sizeof f->state, "%s/state", f->dir.path);
    f->options = (struct psn_vault_options){ .path = f->path, .state_dir = f->state };
    assert_int_equal(psn_init(&f->err), PSN_OK);
    assert_int_equal(
        psn_secret_copy(identity_text, sizeof identity_text - 1, &f->identity, &f->err),
        PSN_OK);
    key = identity_key(f);
    assert_int_equal(psn_vault_create(&f->options, &me, &key, 1, &f->vault, &f->err),
                     PSN_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    psn_vault_free(f->vault);
    psn_secret_free(f->identity);
    tmpdir_remove(&f->dir);
    free(f);
    return 0;
}

static void reopen(struct fixture *f)
{
    struct psn_key key = identity_key(f);

    psn_vault_free(f->vault);
    f->vault = NULL;
    assert_int_equal(psn_vault_open(&f->options, &f->vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(f->vault, &key, &f->err), PSN_OK);
}

static void add_client(struct fixture *f, const char *id, const char *domain)
{
    struct psn_client client = psn_client_init();

    (void)snprintf(client.id, sizeof client.id, "%s", id);
    (void)snprintf(client.nic, sizeof client.nic, "XM000000-OVH");
    assert_int_equal(psn_client_add_domain(&client, domain, &f->err), PSN_OK);
    assert_int_equal(psn_client_add(f->vault, &client, &f->err), PSN_OK);
    psn_client_release(&client);
}

/* --- opening and unlocking --- */

static void a_new_vault_opens_again_with_its_identity(void **state)
{
    struct fixture *f = *state;

    reopen(f);
    assert_int_equal(psn_vault_seen(f->vault), PSN_SEEN_SAME);
}

static void an_existing_file_is_never_created_over(void **state)
{
    struct fixture *f = *state;
    struct psn_key key = identity_key(f);
    struct psn_vault *other = NULL;

    assert_int_equal(psn_vault_create(&f->options, &me, &key, 1, &other, &f->err),
                     PSN_E_EXISTS);
    assert_null(other);
    psn_error_clear(&f->err);
    reopen(f);
}

static void a_wrong_identity_is_denied(void **state)
{
    static const char other[] =
        "AGE-SECRET-KEY-1PG3JSPMLTL23SXX0EY7EJ3AAZVAUAZG5HK5CT3PKFTUXNM3Q2UCQ6MY66Z\n";
    struct fixture *f = *state;
    struct psn_secret *secret = NULL;
    struct psn_vault *vault = NULL;
    enum psn_code rc;

    assert_int_equal(psn_secret_copy(other, sizeof other - 1, &secret, &f->err), PSN_OK);
    assert_int_equal(psn_vault_open(&f->options, &vault, &f->err), PSN_OK);
    rc = psn_vault_unlock(vault, &(struct psn_key){ PSN_SLOT_IDENTITY, secret }, &f->err);
    assert_int_equal(rc, PSN_E_DENIED);
    assert_int_equal(f->err.code, rc);
    psn_vault_free(vault);
    psn_secret_free(secret);
}

static void a_locked_vault_refuses_work(void **state)
{
    struct fixture *f = *state;
    struct psn_vault *vault = NULL;
    struct psn_vault_keys keys;

    assert_int_equal(psn_vault_open(&f->options, &vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_public_keys(vault, &keys, &f->err), PSN_E_LOCKED);
    psn_vault_free(vault);
}

static void an_exported_key_opens_the_vault_without_derivation(void **state)
{
    struct fixture *f = *state;
    struct psn_vault *vault = NULL;
    struct psn_secret *key = NULL;
    uint8_t slot[PSN_SLOT_ID_SIZE];

    assert_int_equal(psn_vault_export_key(f->vault, &key, slot, &f->err), PSN_OK);
    assert_int_equal(psn_vault_open(&f->options, &vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock_key(vault, key, slot, &f->err), PSN_OK);
    psn_vault_free(vault);
    psn_secret_free(key);
}

/* --- rollback --- */

static void an_older_copy_is_found(void **state)
{
    struct fixture *f = *state;
    struct psn_key key = identity_key(f);
    char copy[512];

    (void)snprintf(copy, sizeof copy, "%s/copy.db", f->dir.path);
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->err), PSN_OK);
    add_client(f, "martin", "boulangerie-martin.fr");
    psn_vault_free(f->vault);
    f->vault = NULL;
    store_fixture_copy_vault(copy, f->path);
    assert_int_equal(psn_vault_open(&f->options, &f->vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(f->vault, &key, &f->err), PSN_E_ROLLED_BACK);
}

static void a_copy_that_went_its_own_way_is_found(void **state)
{
    struct fixture *f = *state;
    struct psn_key key = identity_key(f);
    struct psn_vault_options elsewhere = { .path = f->path, .state_dir = NULL };
    char copy[512];

    (void)snprintf(copy, sizeof copy, "%s/copy.db", f->dir.path);
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->err), PSN_OK);
    add_client(f, "martin", "boulangerie-martin.fr");
    psn_vault_free(f->vault);
    f->vault = NULL;
    store_fixture_copy_vault(copy, f->path);
    assert_int_equal(psn_vault_open(&elsewhere, &f->vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(f->vault, &key, &f->err), PSN_OK);
    add_client(f, "durand", "garage-durand.fr");
    add_client(f, "petit", "fleurs-petit.fr");
    psn_vault_free(f->vault);
    f->vault = NULL;
    assert_int_equal(psn_vault_open(&f->options, &f->vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(f->vault, &key, &f->err), PSN_E_FORKED);
}

/* A second process, as far as the record is concerned. */
static struct psn_vault *open_again(struct fixture *f)
{
    struct psn_key key = identity_key(f);
    struct psn_vault *vault = NULL;

    assert_int_equal(psn_vault_open(&f->options, &vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(vault, &key, &f->err), PSN_OK);
    return vault;
}

/* Its last commit stands in no record yet, as one within a second of the first. */
static void commit_twice(struct fixture *f)
{
    add_client(f, "martin", "boulangerie-martin.fr");
    f->vault->noted_ms += 3600 * 1000;
    add_client(f, "durand", "garage-durand.fr");
    assert_true(f->vault->is_noted);
}

static void the_record_of_who_ends_last_is_not_put_back(void **state)
{
    struct fixture *f = *state;
    struct psn_vault *last = f->vault;
    struct psn_key key = identity_key(f);
    char copy[512];

    (void)snprintf(copy, sizeof copy, "%s/copy.db", f->dir.path);
    commit_twice(f);
    f->vault = open_again(f);
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->err), PSN_OK);
    add_client(f, "petit", "fleurs-petit.fr");
    psn_vault_free(f->vault);
    psn_vault_free(last);
    store_fixture_copy_vault(copy, f->path);
    f->vault = NULL;
    assert_int_equal(psn_vault_open(&f->options, &f->vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(f->vault, &key, &f->err), PSN_E_ROLLED_BACK);
}

static void move_aside(const struct fixture *f)
{
    static const char *const tails[] = { "", "-wal", "-shm" };
    char from[1024];
    char to[1024];

    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        (void)snprintf(from, sizeof from, "%s%s", f->path, tails[i]);
        (void)snprintf(to, sizeof to, "%s.aside%s", f->path, tails[i]);
        assert_int_equal(rename(from, to), 0);
    }
}

static void who_still_has_the_replaced_vault_open_does_not_deny_the_restored_one(
    void **state)
{
    struct fixture *f = *state;
    struct psn_vault *last = f->vault;
    struct psn_restore restore = { .key = identity_key(f), .accept_older = true };
    char copy[512];
    char kept[1024];

    (void)snprintf(copy, sizeof copy, "%s/copy.db", f->dir.path);
    restore.backup = copy;
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->err), PSN_OK);
    commit_twice(f);
    add_client(f, "petit", "fleurs-petit.fr");
    move_aside(f);
    assert_int_equal(
        psn_vault_restore(&f->options, &restore, kept, sizeof kept, &f->vault, &f->err),
        PSN_OK);
    psn_vault_free(PSN_TAKE(f->vault));
    psn_vault_free(last);
    f->vault = open_again(f);
}

static void a_record_that_waits_is_written_with_the_next_transaction(void **state)
{
    struct fixture *f = *state;
    struct psn_vault *other;

    commit_twice(f);
    f->vault->noted_ms = 0;
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, &f->err), PSN_OK);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, &f->err), PSN_OK);
    other = open_again(f);
    assert_int_equal(psn_vault_seen(other), PSN_SEEN_SAME);
    psn_vault_free(other);
}

/* --- backup and restore --- */

/* Whole, though it was taken out of WAL mode when it got its other name. */
static void check_kept(struct fixture *f, const char *kept)
{
    struct psn_vault_options options = { .path = kept };
    struct psn_key key = identity_key(f);
    struct psn_vault *vault = NULL;
    struct psn_vault_check check;
    struct psn_client client;

    assert_int_equal(psn_vault_open(&options, &vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(vault, &key, &f->err), PSN_OK);
    assert_int_equal(psn_vault_check(vault, &check, &f->err), PSN_OK);
    assert_int_equal(psn_client_get(vault, "durand", &client, &f->err), PSN_OK);
    psn_client_release(&client);
    psn_vault_free(vault);
}

static void a_restored_backup_is_the_vault_again(void **state)
{
    struct fixture *f = *state;
    struct psn_restore restore = { .key = identity_key(f), .accept_older = true };
    struct psn_vault_check check;
    struct psn_client client;
    char copy[512];
    char kept[1024];

    (void)snprintf(copy, sizeof copy, "%s/copy.db", f->dir.path);
    restore.backup = copy;
    add_client(f, "martin", "boulangerie-martin.fr");
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->err), PSN_OK);
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->err), PSN_E_EXISTS);
    psn_error_clear(&f->err);
    add_client(f, "durand", "garage-durand.fr");
    psn_vault_free(f->vault);
    f->vault = NULL;
    restore.backup = f->path;
    assert_int_equal(
        psn_vault_restore(&f->options, &restore, kept, sizeof kept, &f->vault, &f->err),
        PSN_E_INVALID);
    psn_error_clear(&f->err);
    restore.backup = copy;
    restore.accept_older = false;
    assert_int_equal(
        psn_vault_restore(&f->options, &restore, kept, sizeof kept, &f->vault, &f->err),
        PSN_E_ROLLED_BACK);
    psn_error_clear(&f->err);
    restore.accept_older = true;
    assert_int_equal(
        psn_vault_restore(&f->options, &restore, kept, sizeof kept, &f->vault, &f->err),
        PSN_OK);
    check_kept(f, kept);
    assert_int_equal(psn_vault_check(f->vault, &check, &f->err), PSN_OK);
    assert_int_equal(psn_client_get(f->vault, "martin", &client, &f->err), PSN_OK);
    assert_string_equal(client.nic, "xm000000-ovh");
    psn_client_release(&client);
    /* What is only in the one that was there is taken over. */
    assert_int_equal(psn_client_get(f->vault, "durand", &client, &f->err), PSN_OK);
    psn_client_release(&client);
    reopen(f);
}

static void restores(struct fixture *f, const char *copy, char kept[1024])
{
    struct psn_restore restore = { .backup = copy, .key = identity_key(f) };
    struct psn_vault_check check;

    restore.accept_older = true;
    assert_int_equal(
        psn_vault_restore(&f->options, &restore, kept, 1024, &f->vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_check(f->vault, &check, &f->err), PSN_OK);
    reopen(f);
}

/* Under whatever name it lies, a log is applied to the file of that name. */
static void a_log_without_its_vault_is_not_applied_to_the_restored_one(void **state)
{
    struct fixture *f = *state;
    char copy[512];
    char name[1024];
    char kept[1024];

    (void)snprintf(copy, sizeof copy, "%s/copy.db", f->dir.path);
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->err), PSN_OK);
    add_client(f, "petit", "fleurs-petit.fr");
    psn_vault_free(f->vault);
    f->vault = NULL;
    (void)snprintf(name, sizeof name, "%s-wal", f->path);
    assert_int_equal(access(name, F_OK), 0);
    assert_int_equal(unlink(f->path), 0);
    restores(f, copy, kept);
    assert_string_equal(kept + strlen(kept) - 5, "Z-wal");
}

/* A version of the format that no SQLite writes; a schema of nonsense; nothing at all. */
static void a_backup_takes_the_place_of_a_vault_damaged_in_whatever_way(void **state)
{
    static const struct {
        long at;
        unsigned char byte;
        size_t count;
    } damages[] = { { 18, 9, 1 }, { 0, 'x', 16 }, { 100, 0xff, 400 }, { 44, 0x77, 4 } };
    struct fixture *f = *state;
    char copy[512];
    char kept[1024];

    (void)snprintf(copy, sizeof copy, "%s/copy.db", f->dir.path);
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->err), PSN_OK);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        FILE *file;

        psn_vault_free(f->vault);
        f->vault = NULL;
        file = fopen(f->path, "r+b");
        assert_non_null(file);
        assert_int_equal(fseek(file, damages[i].at, SEEK_SET), 0);
        for (size_t n = 0; n < damages[i].count; n++)
            assert_int_equal(fputc(damages[i].byte, file), damages[i].byte);
        assert_int_equal(fclose(file), 0);
        restores(f, copy, kept);
        assert_int_equal(access(kept, F_OK), 0);
    }
}

/* What it writes then would be in the file that gets the other name. */
static void nothing_is_restored_while_somebody_has_the_vault_open(void **state)
{
    struct fixture *f = *state;
    struct psn_vault *other = NULL;
    struct psn_restore restore = { .key = identity_key(f) };
    struct psn_client client;
    char copy[512];
    char kept[1024];

    (void)snprintf(copy, sizeof copy, "%s/copy.db", f->dir.path);
    restore.backup = copy;
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->err), PSN_OK);
    assert_int_equal(
        psn_vault_restore(&f->options, &restore, kept, sizeof kept, &other, &f->err),
        PSN_E_BUSY);
    assert_null(other);
    psn_error_clear(&f->err);
    add_client(f, "petit", "fleurs-petit.fr");
    reopen(f);
    assert_int_equal(psn_client_get(f->vault, "petit", &client, &f->err), PSN_OK);
    psn_client_release(&client);
    (void)snprintf(kept, sizeof kept, "%s.restoring", f->path);
    assert_int_equal(access(kept, F_OK), -1);
}

static enum psn_code keep_event(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct psn_journal_entry *last = arg;

    (void)err;
    *last = *entry;
    return PSN_OK;
}

static void expect_last(struct psn_vault *vault, const char *event)
{
    struct psn_journal_entry last = { .event = "" };

    assert_int_equal(psn_journal_each(vault, "", 1, keep_event, &last, NULL), PSN_OK);
    assert_string_equal(last.event, event);
}

static void a_backup_is_noted_once_its_copy_was_opened_and_holds_that_note(void **state)
{
    struct fixture *f = *state;
    struct psn_vault *copy = NULL;
    struct psn_vault_options options = { 0 };
    struct psn_key key = identity_key(f);
    char path[512];
    uint64_t generation = f->vault->state.generation;

    (void)snprintf(path, sizeof path, "%s/none/copy.db", f->dir.path);
    assert_int_not_equal(psn_vault_backup(f->vault, path, false, &f->err), PSN_OK);
    psn_error_clear(&f->err);
    assert_int_equal(f->vault->state.generation, generation);
    (void)snprintf(path, sizeof path, "%s/copy.db", f->dir.path);
    assert_int_equal(psn_vault_backup(f->vault, path, false, &f->err), PSN_OK);
    expect_last(f->vault, "vault.backup-checked");
    options.path = path;
    assert_int_equal(psn_vault_open(&options, &copy, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(copy, &key, &f->err), PSN_OK);
    assert_int_equal(copy->state.generation, f->vault->state.generation);
    expect_last(copy, "vault.backup-checked");
    psn_vault_free(copy);
}

/* --- clients --- */

static void a_client_is_read_as_it_was_written(void **state)
{
    struct fixture *f = *state;
    struct psn_client client;

    add_client(f, "martin", "Boulangerie-Martin.FR");
    reopen(f);
    assert_int_equal(psn_client_get(f->vault, "martin", &client, &f->err), PSN_OK);
    assert_string_equal(client.nic, "xm000000-ovh");
    assert_int_equal(client.domain_count, 1);
    assert_string_equal(client.domains[0], "boulangerie-martin.fr");
    assert_int_equal(client.limits.rate_per_min, 60);
    psn_client_release(&client);
}

static void a_domain_belongs_to_one_client(void **state)
{
    struct fixture *f = *state;
    struct psn_client client = psn_client_init();

    add_client(f, "martin", "boulangerie-martin.fr");
    (void)snprintf(client.id, sizeof client.id, "other");
    (void)snprintf(client.nic, sizeof client.nic, "ab12345-ovh");
    assert_int_equal(psn_client_add_domain(&client, "boulangerie-martin.fr", &f->err),
                     PSN_OK);
    assert_int_equal(psn_client_add(f->vault, &client, &f->err), PSN_E_EXISTS);
    psn_error_clear(&f->err);
    assert_int_equal(psn_client_get(f->vault, "other", &client, &f->err),
                     PSN_E_NOT_FOUND);
    psn_client_release(&client);
}

/* --- journal --- */

struct counted {
    uint64_t entries;
    char last[PSN_EVENT_MAX];
};

static enum psn_code count_entry(void *arg, const struct psn_journal_entry *entry,
                                 struct psn_error *err)
{
    struct counted *counted = arg;

    (void)err;
    counted->entries++;
    (void)snprintf(counted->last, sizeof counted->last, "%s", entry->event);
    return PSN_OK;
}

static void the_journal_tells_what_was_done_and_verifies(void **state)
{
    struct fixture *f = *state;
    struct counted counted = { 0 };

    add_client(f, "martin", "boulangerie-martin.fr");
    reopen(f);
    assert_int_equal(psn_journal_each(f->vault, "", 0, count_entry, &counted, &f->err),
                     PSN_OK);
    assert_string_equal(counted.last, "client.added");
    assert_true(counted.entries >= 3);
    assert_int_equal(psn_journal_verify(f->vault, NULL, NULL, &f->err), PSN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_vault_opens_again_with_its_identity, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_existing_file_is_never_created_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_identity_is_denied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_locked_vault_refuses_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_exported_key_opens_the_vault_without_derivation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_older_copy_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_that_went_its_own_way_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_record_of_who_ends_last_is_not_put_back,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            who_still_has_the_replaced_vault_open_does_not_deny_the_restored_one, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            a_record_that_waits_is_written_with_the_next_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restored_backup_is_the_vault_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_log_without_its_vault_is_not_applied_to_the_restored_one, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            a_backup_takes_the_place_of_a_vault_damaged_in_whatever_way, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            nothing_is_restored_while_somebody_has_the_vault_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_backup_is_noted_once_its_copy_was_opened_and_holds_that_note, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_client_is_read_as_it_was_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_domain_belongs_to_one_client, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_journal_tells_what_was_done_and_verifies,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
