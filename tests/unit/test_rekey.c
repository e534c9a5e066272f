#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>
#include <sqlite3.h>

#include "core/client.h"
#include "core/credential.h"
#include "core/journal.h"
#include "core/own_key.h"
#include "support/rekey_vault.h"
#include "support/store_fixture.h"

static int set_up(void **state)
{
    return rekey_fixture_set_up(state, rekey_vault_make);
}

static void rekey(struct rekey_fixture *f)
{
    bool replaced = false;

    assert_int_equal(rekey_vault_rekey(&f->at, f->vault, &replaced), PSN_OK);
    assert_true(replaced);
}

static bool opens(struct rekey_fixture *f, int identity)
{
    PSN_AUTO(psn_vault) *vault = rekey_vault_open(&f->at, identity);

    assert_true(vault || f->at.err.code == PSN_E_DENIED);
    return vault != NULL;
}

static void what_was_there_is_there_and_the_dropped_key_opens_nothing(void **state)
{
    struct rekey_fixture *f = *state;

    rekey_vault_add_versions(f->vault);
    rekey(f);
    assert_int_equal(rekey_vault_verify(f->vault), 0);
    assert_true(opens(f, REKEY_MINE));
    assert_true(opens(f, REKEY_NEW));
    assert_false(opens(f, REKEY_PAULS));
    rekey(f);
    assert_int_equal(rekey_vault_verify(f->vault), 0);
    assert_int_equal(rekey_vault_verify_versions(f->vault), 0);
}

/* --- canaries --- */

enum {
    OLD_KEYS_MAX = 32,
    BOXES_MAX = 4096,
};

struct old_keys {
    struct psn_secret *keys[OLD_KEYS_MAX];
    size_t count;
};

static void keep(struct old_keys *old, const struct psn_secret *key)
{
    assert_true(old->count < OLD_KEYS_MAX);
    assert_int_equal(psn_secret_copy(psn_secret_bytes(key), psn_secret_size(key),
                                     &old->keys[old->count++], NULL),
                     PSN_OK);
}

static void keep_all(struct rekey_fixture *f, struct old_keys *old)
{
    struct psn_vault *vault = f->vault;
    const struct psn_secret *data_key;
    uint8_t prf[PSN_PRF_SIZE];

    assert_int_equal(psn_vault_begin(vault, PSN_STORE_READ, NULL), PSN_OK);
    assert_int_equal(psn_client_data_key(vault, "martin", &data_key, NULL), PSN_OK);
    keep(old, data_key);
    assert_int_equal(psn_vault_end(vault, PSN_OK, NULL), PSN_OK);
    keep(old, vault->root_key);
    keep(old, vault->state_key);
    keep(old, vault->rows_key);
    keep(old, vault->wrap_key);
    keep(old, vault->journal_key);
    keep(old, vault->index_master);
    for (enum psn_table table = PSN_TABLE_SLOT; table <= PSN_TABLE_OWN_KEY; table++) {
        assert_int_equal(psn_vault_prf(vault, table, "x", prf, NULL), PSN_OK);
        keep(old, vault->index_keys[table]);
    }
}

static bool holds(const uint8_t *bytes, size_t size, const void *what, size_t what_size)
{
    return memmem(bytes, size, what, what_size) != NULL;
}

/* Decrypts without asking the tag, so that no associated data has to be guessed. */
static bool tells_canary(const uint8_t *box, size_t size, const struct psn_secret *key)
{
    uint8_t *plain = malloc(size);
    bool found = false;

    assert_non_null(plain);
    if (size > crypto_stream_xchacha20_NONCEBYTES) {
        size_t length = size - crypto_stream_xchacha20_NONCEBYTES;

        (void)crypto_stream_xchacha20_xor_ic(plain,
                                             box + crypto_stream_xchacha20_NONCEBYTES,
                                             length, box, 1, psn_secret_bytes(key));
        found = holds(plain, length, rekey_canary, strlen(rekey_canary)) ||
                holds(plain, length, rekey_domain, strlen(rekey_domain)) ||
                holds(plain, length, "vault.created", 13);
    }
    free(plain);
    return found;
}

/* How many boxes of a table tell a canary under one of the keys. */
static unsigned count_told(const char *path, const char *sql, const struct old_keys *old)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    unsigned told = 0;
    unsigned boxes = 0;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        boxes++;
        for (size_t i = 0; i < old->count; i++)
            told += tells_canary(sqlite3_column_blob(stmt, 0),
                                 (size_t)sqlite3_column_bytes(stmt, 0), old->keys[i]);
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    assert_true(boxes > 3);
    return told;
}

static const char all_boxes[] =
    "SELECT box FROM record UNION ALL SELECT box FROM journal";

/* Row keys, wraps and boxes of the old file, as bytes: none may lie anywhere in the new
 * one, free pages and log included. What is in clear on purpose (hashes) is not among
 * them. */
static unsigned count_left(const char *old_path, const uint8_t *bytes, size_t size)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    unsigned left = 0;
    static const char sql[] =
        "SELECT key FROM record UNION ALL SELECT box FROM record UNION ALL SELECT box "
        "FROM root UNION ALL SELECT box FROM journal WHERE length(box) > 40 UNION ALL "
        "SELECT DISTINCT chain FROM journal WHERE chain <> CAST('psn history v1' || "
        "x'0000' AS BLOB) UNION ALL SELECT children FROM node";

    assert_int_equal(sqlite3_open(old_path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const uint8_t *value = sqlite3_column_blob(stmt, 0);
        size_t length = (size_t)sqlite3_column_bytes(stmt, 0);

        /* A root box begins with the vault's id, which stays. */
        left += holds(bytes, size, value + (length > 64 ? length - 40 : 0),
                      length > 64 ? 40 : length);
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return left;
}

static unsigned count_wraps(const struct psn_vault *vault, const uint8_t *bytes,
                            size_t size)
{
    unsigned left = 0;

    for (size_t i = 0; i < vault->state.slot_count; i++) {
        const struct psn_slot_head *slot = &vault->state.slots[i];

        left += holds(bytes, size, slot->wrap, sizeof slot->wrap);
        left += holds(bytes, size, slot->salt, sizeof slot->salt);
        left += holds(bytes, size, slot->id, sizeof slot->id);
    }
    return left;
}

static void the_old_keys_find_nothing_in_the_new_file(void **state)
{
    static const char *const tails[] = { "", "-wal" };
    struct rekey_fixture *f = *state;
    struct old_keys old = { 0 };
    struct psn_vault before;
    char copy[TMPDIR_PATH_MAX];

    keep_all(f, &old);
    before = *f->vault;
    (void)tmpdir_path(&f->dir, "old.db", copy);
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->at.err), PSN_OK);
    /* The search finds what there is to be found. */
    assert_true(count_told(copy, all_boxes, &old) > 10);
    rekey(f);
    assert_int_equal(count_told(f->at.path, all_boxes, &old), 0);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char path[TMPDIR_PATH_MAX + 8];
        size_t size = 0;
        uint8_t *bytes;

        (void)snprintf(path, sizeof path, "%s%s", f->at.path, tails[i]);
        if (access(path, F_OK) != 0)
            continue;
        bytes = store_fixture_read_file(path, &size);
        for (size_t k = 0; k < old.count; k++)
            assert_false(holds(bytes, size, psn_secret_bytes(old.keys[k]), 32));
        assert_int_equal(count_left(copy, bytes, size), 0);
        assert_int_equal(count_wraps(&before, bytes, size), 0);
        assert_false(holds(bytes, size, rekey_canary, strlen(rekey_canary)));
        free(bytes);
    }
    for (size_t k = 0; k < old.count; k++)
        psn_secret_free(old.keys[k]);
}

/* --- journal, rollback, agent --- */

struct heads {
    struct psn_head heads[4];
    size_t count;
};

static enum psn_code keep_head(void *arg, const struct psn_head *head,
                               struct psn_error *err)
{
    struct heads *heads = arg;

    (void)err;
    heads->heads[heads->count++] = *head;
    return PSN_OK;
}

static void published_heads_stay_ancestors(void **state)
{
    struct rekey_fixture *f = *state;
    struct heads before = { 0 };
    struct heads after = { 0 };

    rekey(f); /* what Paul could read is in the client's chain */
    assert_int_equal(psn_journal_verify(f->vault, keep_head, &before, &f->at.err),
                     PSN_OK);
    rekey(f);
    rekey(f);
    assert_int_equal(psn_journal_verify(f->vault, keep_head, &after, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, NULL), PSN_OK);
    for (size_t i = 0; i < 2; i++) {
        const struct psn_head *head = &before.heads[i];
        const char *client = head->chain[0] ? head->chain : NULL;
        bool found = false;

        assert_int_equal(
            psn_journal_holds(f->vault, client, head->count, head->hash, &found, NULL),
            PSN_OK);
        assert_true(found);
        assert_int_equal(psn_journal_holds(f->vault, client, head->count - 1, head->hash,
                                           &found, NULL),
                         PSN_OK);
        assert_false(found);
    }
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, NULL), PSN_OK);
    assert_memory_equal(before.heads[1].hash, after.heads[1].hash, PSN_HEAD_SIZE);
}

static void the_old_file_put_back_is_a_rollback(void **state)
{
    struct rekey_fixture *f = *state;
    char copy[TMPDIR_PATH_MAX];

    (void)tmpdir_path(&f->dir, "old.db", copy);
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->at.err), PSN_OK);
    rekey(f);
    psn_vault_free(f->vault);
    f->vault = rekey_vault_open(&f->at, REKEY_MINE);
    assert_non_null(f->vault);
    assert_int_equal(psn_vault_seen(f->vault), PSN_SEEN_SAME);
    psn_vault_free(f->vault);
    f->vault = NULL;
    store_fixture_copy_file(copy, f->at.path);
    assert_null(rekey_vault_open(&f->at, REKEY_MINE));
    assert_int_equal(f->at.err.code, PSN_E_ROLLED_BACK);
}

static void the_old_root_key_is_denied_and_no_integrity_failure(void **state)
{
    struct rekey_fixture *f = *state;
    PSN_AUTO(psn_vault) *vault = NULL;
    PSN_AUTO(psn_secret) *key = NULL;
    uint8_t slot[PSN_SLOT_ID_SIZE];

    assert_int_equal(psn_vault_export_key(f->vault, &key, slot, &f->at.err), PSN_OK);
    rekey(f);
    assert_int_equal(psn_vault_open(&f->at.options, &vault, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_unlock_key(vault, key, slot, &f->at.err), PSN_E_DENIED);
}

/* In a process of its own, until the pipe is closed. */
static void read_and_stay(struct rekey_vault *at, const int tell[2], const int stay[2])
{
    struct psn_vault *reader = rekey_vault_open(at, REKEY_MINE);
    char byte;

    (void)close(stay[1]);
    (void)!write(tell[1], reader ? "y" : "n", 1);
    (void)!read(stay[0], &byte, 1);
    _exit(0);
}

static void a_reader_that_stays_makes_the_rekey_busy_and_changes_nothing(void **state)
{
    struct rekey_fixture *f = *state;
    int tell[2];
    int stay[2];
    char byte;
    bool replaced = true;
    pid_t pid;

    assert_int_equal(pipe(tell), 0);
    assert_int_equal(pipe(stay), 0);
    /* SQLite's locks do not go through a fork. */
    psn_vault_free(f->vault);
    f->vault = NULL;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        read_and_stay(&f->at, tell, stay);
    assert_int_equal(read(tell[0], &byte, 1), 1);
    f->vault = rekey_vault_open(&f->at, REKEY_MINE);
    if (byte == 'y' && f->vault &&
        rekey_vault_rekey(&f->at, f->vault, &replaced) != PSN_E_BUSY)
        byte = 'n';
    (void)close(stay[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    (void)close(stay[0]);
    (void)close(tell[0]);
    (void)close(tell[1]);
    assert_int_equal(byte, 'y');
    assert_false(replaced);
    assert_int_equal(rekey_vault_verify(f->vault), 0);
    rekey(f);
}

/* --- keys --- */

static enum psn_code count_former(void *arg, const struct psn_former_key *key,
                                  struct psn_error *err)
{
    struct rekey_fixture *f = arg;
    struct psn_statement statement;

    assert_int_equal(psn_statement_verify(f->vault, key->statement,
                                          strlen(key->statement), &statement, err),
                     PSN_OK);
    assert_true(statement.by_former_key);
    assert_int_equal(statement.signatures, 2);
    assert_string_equal(statement.fingerprint, key->fingerprint);
    return PSN_OK;
}

struct statements {
    char *texts[4];
    size_t count;
};

static enum psn_code keep_statement(void *arg, const struct psn_former_key *key,
                                    struct psn_error *err)
{
    struct statements *all = arg;

    (void)err;
    all->texts[all->count++] = strdup(key->statement);
    return PSN_OK;
}

static void statements_of_former_keys_verify_after_a_rekey(void **state)
{
    struct rekey_fixture *f = *state;
    struct statements all = { 0 };

    assert_int_equal(psn_key_rotate(f->vault, &f->at.err), PSN_OK);
    rekey(f);
    assert_int_equal(psn_former_key_each(f->vault, keep_statement, &all, &f->at.err),
                     PSN_OK);
    assert_int_equal(all.count, 3); /* the rekey leaves Paul without a slot */
    for (size_t i = 0; i < all.count; i++) {
        struct psn_former_key key = { .statement = all.texts[i] };
        struct psn_statement statement;
        char *digit;

        assert_int_equal(psn_statement_verify(f->vault, all.texts[i],
                                              strlen(all.texts[i]), &statement,
                                              &f->at.err),
                         PSN_OK);
        (void)snprintf(key.fingerprint, sizeof key.fingerprint, "%s",
                       statement.fingerprint);
        assert_int_equal(count_former(f, &key, &f->at.err), PSN_OK);
        /* One letter of it changed, and it is nobody's. */
        digit = strstr(all.texts[i], "Date: 20");
        assert_non_null(digit);
        digit[6] = '3';
        assert_int_equal(psn_statement_verify(f->vault, all.texts[i],
                                              strlen(all.texts[i]), &statement,
                                              &f->at.err),
                         PSN_E_INTEGRITY);
        psn_error_clear(&f->at.err);
        free(all.texts[i]);
    }
}

struct due {
    unsigned count;
};

static enum psn_code count_due(void *arg, const char *client, struct psn_error *err)
{
    struct due *due = arg;

    (void)err;
    assert_string_equal(client, "martin");
    due->count++;
    return PSN_OK;
}

static void a_leavers_rekey_changes_own_keys_and_lists_credentials(void **state)
{
    struct rekey_fixture *f = *state;
    uint8_t mine[PSN_SLOT_ID_SIZE];
    struct psn_rekey_slot slot = { .person = "me",
                                   .key = rekey_vault_key(&f->at, REKEY_MINE),
                                   .from = mine };
    struct psn_rekey request = { .slots = &slot, .slot_count = 1, .for_leaver = true };
    struct psn_vault_keys before;
    struct psn_vault_keys after;
    struct due due = { 0 };
    bool replaced = false;

    memcpy(mine, f->vault->slot, sizeof mine);
    assert_int_equal(psn_vault_public_keys(f->vault, &before, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_rekey(f->vault, &request, &replaced, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_public_keys(f->vault, &after, &f->at.err), PSN_OK);
    assert_string_not_equal(before.fingerprint, after.fingerprint);
    assert_string_not_equal(before.age, after.age);
    assert_int_equal(psn_due_credential_each(f->vault, count_due, &due, &f->at.err),
                     PSN_OK);
    assert_int_equal(due.count, 1);
    /* It stays due through another rekey, until it is replaced. */
    rekey(f);
    assert_int_equal(psn_due_credential_each(f->vault, count_due, &due, &f->at.err),
                     PSN_OK);
    assert_int_equal(due.count, 2);
}

static void put_consumer_key(struct psn_secret **key, const char *text,
                             struct psn_error *err)
{
    psn_secret_free(*key);
    *key = NULL;
    assert_int_equal(psn_secret_copy(text, strlen(text), key, err), PSN_OK);
}

/* Makes text the consumer key of the daily work, or one that waits for the owner. */
static void change_key(struct rekey_fixture *f, const char *text, bool waits)
{
    struct psn_credentials all = { 0 };
    struct psn_error *err = &f->at.err;
    enum psn_code rc = psn_vault_begin(f->vault, PSN_STORE_WRITE, err);

    assert_int_equal(rc, PSN_OK);
    assert_int_equal(psn_credentials_get(f->vault, "martin", &all, err), PSN_OK);
    put_consumer_key(waits ? &all.asked[PSN_KEY_WORK].credential.consumer_key
                           : &all.of[PSN_KEY_WORK].consumer_key,
                     text, err);
    rc = psn_credentials_put(f->vault, "martin", &all, err);
    assert_int_equal(psn_vault_end(f->vault, rc, err), PSN_OK);
    psn_credentials_release(&all);
}

static bool has_waiting_key(struct rekey_fixture *f)
{
    struct psn_credentials all = { 0 };
    struct psn_error *err = &f->at.err;
    enum psn_code rc = psn_vault_begin(f->vault, PSN_STORE_READ, err);
    bool waits;

    assert_int_equal(rc, PSN_OK);
    rc = psn_credentials_get(f->vault, "martin", &all, err);
    assert_int_equal(psn_vault_end(f->vault, rc, err), PSN_OK);
    waits = all.asked[PSN_KEY_WORK].credential.consumer_key != NULL;
    psn_credentials_release(&all);
    return waits;
}

static void a_leavers_credential_is_due_until_another_is_in_its_place(void **state)
{
    struct rekey_fixture *f = *state;
    uint8_t mine[PSN_SLOT_ID_SIZE];
    struct psn_rekey_slot slot = { .person = "me",
                                   .key = rekey_vault_key(&f->at, REKEY_MINE),
                                   .from = mine };
    struct psn_rekey request = { .slots = &slot, .slot_count = 1, .for_leaver = true };
    struct due due = { 0 };
    bool replaced = false;

    change_key(f, "asked-while-he-was-here", true);
    memcpy(mine, f->vault->slot, sizeof mine);
    assert_int_equal(psn_vault_rekey(f->vault, &request, &replaced, &f->at.err), PSN_OK);
    assert_false(has_waiting_key(f));
    change_key(f, "asked-since", true);
    assert_int_equal(psn_due_credential_each(f->vault, count_due, &due, &f->at.err),
                     PSN_OK);
    assert_int_equal(due.count, 1);
    change_key(f, "asked-since", false);
    assert_int_equal(psn_due_credential_each(f->vault, count_due, &due, &f->at.err),
                     PSN_OK);
    assert_int_equal(due.count, 1);
    assert_true(has_waiting_key(f));
}

static void a_slot_changed_in_place_leaves_the_root_key(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_key key = rekey_vault_key(&f->at, REKEY_NEW);

    assert_int_equal(psn_slot_set(f->vault, f->vault->slot, &key, &f->at.err), PSN_OK);
    assert_true(opens(f, REKEY_NEW));
    assert_false(opens(f, REKEY_MINE));
    assert_true(opens(f, REKEY_PAULS));
    assert_int_equal(rekey_vault_verify(f->vault), 0);
}

static void without_a_slot_nothing_is_done(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_rekey request = { 0 };
    bool replaced = true;

    assert_int_equal(psn_vault_rekey(f->vault, &request, &replaced, &f->at.err),
                     PSN_E_INVALID);
    assert_false(replaced);
    assert_int_equal(rekey_vault_verify(f->vault), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, rekey_fixture_tear_down)
        T(what_was_there_is_there_and_the_dropped_key_opens_nothing),
        T(the_old_keys_find_nothing_in_the_new_file),
        T(published_heads_stay_ancestors),
        T(the_old_file_put_back_is_a_rollback),
        T(the_old_root_key_is_denied_and_no_integrity_failure),
        T(a_reader_that_stays_makes_the_rekey_busy_and_changes_nothing),
        T(statements_of_former_keys_verify_after_a_rekey),
        T(a_leavers_rekey_changes_own_keys_and_lists_credentials),
        T(a_leavers_credential_is_due_until_another_is_in_its_place),
        T(a_slot_changed_in_place_leaves_the_root_key),
        T(without_a_slot_nothing_is_done),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
