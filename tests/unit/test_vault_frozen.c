#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/client.h"
#include "core/credential.h"
#include "core/role.h"
#include "core/vault.h"
#include "crypto/hash.h"
#include "passation/passation.h"
#include "support/tmpdir.h"
#include "support/vectors.h"

/*
 * A vault that was made once must open, read and live on for ever: tests/vectors has one
 * for each format, made by tests/support/make_vault_vector.c.
 */
static const char address[] = "contact@boulangerie-martin.fr";
static const char other_address[] = "technique@boulangerie-martin.fr";
static const char client_id[] = "boulangerie-martin";
static const int64_t made_s = 1767225600;

/* --- fixture: a copy of the frozen vault in a folder of its own --- */

struct fixture {
    struct vectors vectors;
    struct tmpdir dir;
    char path[TMPDIR_PATH_MAX];
    char state_dir[TMPDIR_PATH_MAX];
    struct psn_vault *vault;
    struct psn_error err;
};

static const char *vector_file(const char *name, char out[TMPDIR_PATH_MAX])
{
    int length = snprintf(out, TMPDIR_PATH_MAX, "%s/%s", PSN_TEST_VECTORS, name);

    assert_true(length > 0 && length < TMPDIR_PATH_MAX);
    return out;
}

static void copy_file(const char *from, const char *to)
{
    struct psn_buf bytes = psn_buf_init(1024 * 1024);
    struct psn_error err = { 0 };

    assert_int_equal(psn_file_read(from, &bytes, &err), PSN_OK);
    assert_int_equal(psn_file_write(to, bytes.data, bytes.size, PSN_FILE_NEW, &err),
                     PSN_OK);
    psn_buf_release(&bytes);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char path[TMPDIR_PATH_MAX];

    assert_non_null(f);
    tmpdir_make(&f->dir);
    vectors_load(&f->vectors, vector_file("vault-format.txt", path));
    assert_int_equal(psn_init(&f->err), PSN_OK);
    (void)tmpdir_path(&f->dir, "vault.db", f->path);
    (void)tmpdir_path(&f->dir, "state", f->state_dir);
    copy_file(vector_file("vault-v1.db", path), f->path);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    psn_vault_free(f->vault);
    vectors_release(&f->vectors);
    tmpdir_remove(&f->dir);
    free(f);
    return 0;
}

static void open_frozen(struct fixture *f)
{
    struct psn_vault_options options = { .path = f->path, .state_dir = f->state_dir };
    struct psn_key key = { .kind = PSN_SLOT_IDENTITY };
    struct psn_secret *identity = NULL;
    char path[TMPDIR_PATH_MAX];

    assert_int_equal(psn_secret_read_file(vector_file("vault-v1.identity", path), 4096,
                                          &identity, &f->err),
                     PSN_OK);
    key.secret = identity;
    assert_int_equal(psn_vault_open(&options, &f->vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(f->vault, &key, &f->err), PSN_OK);
    psn_secret_free(identity);
}

static void the_frozen_vault_opens_and_is_whole(void **state)
{
    struct fixture *f = *state;
    struct psn_vault_check check;

    open_frozen(f);
    vectors_expect(&f->vectors, "vault_id", psn_vault_id(f->vault), PSN_VAULT_ID_SIZE);
    assert_int_equal(psn_vault_seen(f->vault), PSN_SEEN_UNKNOWN);
    assert_int_equal(psn_vault_check(f->vault, &check, &f->err), PSN_OK);
    assert_int_equal(check.generation,
                     vectors_number(&f->vectors, "state_generation") + 1);
    assert_int_equal(check.entries,
                     vectors_number(&f->vectors, "state_journal_entries") + 1);
    /* 3 slots, 1 person, 1 client, 2 domains, 1 credential, 2 roles, 1 secret, 5
     * versions, 1 chain, 2 own keys, and the exposures: 4 created, 1 typed, 1 shown */
    assert_int_equal(check.rows, 3 + 1 + 1 + 2 + 1 + 2 + 1 + 5 + 1 + 2 + 6);
}

static void the_frozen_vault_reads_its_client_and_credential(void **state)
{
    struct fixture *f = *state;
    struct psn_ovh_credential credential;
    struct psn_client client;

    open_frozen(f);
    assert_int_equal(psn_client_get(f->vault, client_id, &client, &f->err), PSN_OK);
    assert_string_equal(client.name, "Boulangerie Martin");
    assert_string_equal(client.nic, "xm000000-ovh");
    assert_string_equal(client.endpoint, "ovh-eu");
    assert_int_equal(client.domain_count, 2);
    assert_string_equal(client.domains[1], "pain-martin.fr");
    assert_int_equal(client.limits.rate_per_min, 60);
    assert_int_equal(client.limits.settle_s, 600);
    assert_int_equal(client.limits.login_cache_s, 3660);
    assert_int_equal(client.limits.failed_logins, 3);
    assert_int_equal(client.limits.failed_logins_window_s, 300);
    assert_int_equal(client.created_s, made_s);
    assert_true(client.linked);
    assert_string_equal(client.linked_nic, "xm000000-ovh");
    assert_int_equal(client.key_expires_s, made_s + 86400);
    psn_client_release(&client);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, &f->err), PSN_OK);
    assert_int_equal(psn_credential_get(f->vault, client_id, &credential, &f->err),
                     PSN_OK);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, &f->err), PSN_OK);
    assert_string_equal(psn_secret_bytes(credential.application_key), "VectorAppKey0001");
    assert_string_equal(psn_secret_bytes(credential.consumer_key),
                        "VectorConsumerKey000000000000001");
    psn_ovh_credential_release(&credential);
}

static void the_frozen_vault_reads_its_roles(void **state)
{
    struct fixture *f = *state;
    struct psn_role_row row;

    open_frozen(f);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, &f->err), PSN_OK);
    assert_int_equal(psn_role_read(f->vault, address, &row, &f->err), PSN_OK);
    assert_string_equal(row.client, client_id);
    assert_int_equal(row.backend, PSN_BACKEND_EMAIL_DOMAIN);
    assert_int_equal(row.changed_s, made_s + 60);
    assert_int_equal(row.verified_s, made_s + 60);
    assert_int_equal(row.rotation.phase, PSN_ROTATION_STABLE);
    assert_int_equal(row.rotation.cur, 2);
    assert_int_equal(row.rotation.old, 1);
    assert_int_equal(row.rotation.old_dead, PSN_ROTATION_OLD_DEAD);
    assert_int_equal(row.rotation.silent_since_s, made_s + 40);
    assert_int_equal(row.rotation.failed_s[0], made_s + 50);
    assert_int_equal(row.rotation.failed_s[1], 0);
    assert_int_equal(psn_role_read(f->vault, other_address, &row, &f->err), PSN_OK);
    assert_int_equal(row.rotation.phase, PSN_ROTATION_UNKNOWN);
    assert_int_equal(row.rotation.cur, 1);
    assert_int_equal(row.rotation.pend, 2);
    assert_int_equal(row.rotation.sends, 1);
    assert_int_equal(row.rotation.unanswered, 1);
    assert_int_equal(row.rotation.last_send_s, made_s + 90);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, &f->err), PSN_OK);
}

static void expect_password(struct fixture *f, const char *whose, const char *label,
                            uint64_t number, const char *expected)
{
    struct psn_secret *value = NULL;
    uint64_t version = 0;

    assert_int_equal(psn_reveal(f->vault, whose, label, number, PSN_HOW_SHOWN, &value,
                                &version, &f->err),
                     PSN_OK);
    assert_string_equal(psn_secret_bytes(value), expected);
    psn_secret_free(value);
}

static void the_frozen_vault_gives_its_passwords_back(void **state)
{
    struct fixture *f = *state;
    struct psn_secret_info info;

    open_frozen(f);
    expect_password(f, address, "", 0, "TuVw6-XyZa7-BcDe8-FgHj9");
    expect_password(f, address, "", 1, "AbCd2-EfGh3-JkMn4-PqRs5");
    expect_password(f, other_address, "", 0, "KmNp2-QrSt3-UvWx4-YzAb5");
    expect_password(f, other_address, "", 2, "CdEf6-GhJk7-MnPq8-RsTu9");
    expect_password(f, address, "stripe", 0, "sk_vector_0123456789");
    assert_int_equal(psn_secret_get(f->vault, address, "stripe", &info, &f->err), PSN_OK);
    assert_string_equal(info.type, "stripe");
    assert_string_equal(info.user, "claire");
    assert_string_equal(info.url, "https://dashboard.stripe.com/");
    assert_string_equal(info.note, "deux lignes\npour voir");
    assert_string_equal(info.expires, "2027-01-31");
    assert_int_equal(info.version, 1);
}

struct events {
    size_t count;
    struct psn_journal_entry entries[32];
};

static enum psn_code collect(void *arg, const struct psn_journal_entry *entry,
                             struct psn_error *err)
{
    struct events *events = arg;

    (void)err;
    assert_in_range(events->count, 0, 31);
    events->entries[events->count++] = *entry;
    return PSN_OK;
}

static void the_frozen_vault_tells_what_was_done(void **state)
{
    static const char *const expected[] = { "person.added",   "slot.added",
                                            "slot.added",     "slot.added",
                                            "vault.created",  "client.added",
                                            "vault.backed-up" };
    struct fixture *f = *state;
    struct events events = { 0 };
    const size_t own = sizeof expected / sizeof *expected;

    open_frozen(f);
    assert_int_equal(psn_journal_each(f->vault, NULL, 0, collect, &events, &f->err),
                     PSN_OK);
    assert_true(events.count > own);
    for (size_t i = 0; i < own; i++)
        assert_string_equal(events.entries[i].event, expected[i]);
    vectors_expect(&f->vectors, "journal_hash", events.entries[0].hash, 32);
    assert_string_equal(events.entries[0].actor, "me");
    assert_int_equal(events.entries[0].time_s, made_s);
    assert_string_equal(events.entries[events.count - 1].chain, client_id);
    assert_string_equal(events.entries[events.count - 1].event, "secret.revealed");
    assert_string_equal(events.entries[events.count - 1].label, "stripe");
}

static void the_frozen_vault_has_its_own_keys(void **state)
{
    struct fixture *f = *state;
    struct psn_vault_keys keys;

    open_frozen(f);
    assert_int_equal(psn_vault_public_keys(f->vault, &keys, &f->err), PSN_OK);
    vectors_expect(&f->vectors, "own_fingerprint", keys.fingerprint,
                   strlen(keys.fingerprint));
    vectors_expect(&f->vectors, "own_recipient", keys.age, strlen(keys.age));
}

/* What is remembered outside of the vault. */
static void the_rollback_record_is_as_the_page_says(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) record = psn_buf_init(1024);
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(1024);
    PSN_AUTO_RELEASE(psn_buf) expected = psn_buf_init(1024);
    char hex[65];

    open_frozen(f);
    psn_buf_format(&path, "%s/seen-%s", f->state_dir,
                   psn_hex(psn_vault_id(f->vault), PSN_VAULT_ID_SIZE, hex));
    assert_int_equal(psn_file_read(psn_buf_str(&path), &record, &f->err), PSN_OK);
    psn_buf_format(
        &expected, "passation-seen 1\ngeneration %llu\nentries %llu\nhistory %s\n",
        (unsigned long long)vectors_number(&f->vectors, "state_generation") + 1,
        (unsigned long long)vectors_number(&f->vectors, "state_journal_entries") + 1,
        psn_hex(f->vault->state.history, 32, hex));
    assert_string_equal(psn_buf_str(&record), psn_buf_str(&expected));
}

/* A vault of a released version is not only read: it lives on. */
static void the_frozen_vault_can_be_written_and_is_still_whole(void **state)
{
    struct fixture *f = *state;
    struct psn_secret *value = NULL;
    struct psn_secret_change change = { .user = "martin" };
    struct psn_vault_check check;
    uint64_t version = 0;

    open_frozen(f);
    assert_int_equal(psn_secret_copy("sk_next", 7, &value, &f->err), PSN_OK);
    change.value = value;
    assert_int_equal(
        psn_secret_set(f->vault, address, "stripe", &change, &version, &f->err), PSN_OK);
    assert_int_equal(version, 2);
    psn_secret_free(value);
    psn_vault_free(f->vault);
    f->vault = NULL;
    open_frozen(f);
    assert_int_equal(psn_vault_seen(f->vault), PSN_SEEN_SAME);
    expect_password(f, address, "stripe", 0, "sk_next");
    expect_password(f, address, "stripe", 1, "sk_vector_0123456789");
    assert_int_equal(psn_vault_check(f->vault, &check, &f->err), PSN_OK);
}

#define FROZEN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FROZEN(the_frozen_vault_opens_and_is_whole),
        FROZEN(the_frozen_vault_reads_its_client_and_credential),
        FROZEN(the_frozen_vault_reads_its_roles),
        FROZEN(the_frozen_vault_gives_its_passwords_back),
        FROZEN(the_frozen_vault_tells_what_was_done),
        FROZEN(the_frozen_vault_has_its_own_keys),
        FROZEN(the_rollback_record_is_as_the_page_says),
        FROZEN(the_frozen_vault_can_be_written_and_is_still_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
