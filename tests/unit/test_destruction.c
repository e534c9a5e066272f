#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/client.h"
#include "core/client_rows.h"
#include "core/credential.h"
#include "core/exposure.h"
#include "core/journal.h"
#include "core/person.h"
#include "support/destroy_vault.h"
#include "support/raw_vault.h"
#include "support/store_fixture.h"

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

static void keep_keys(struct rekey_fixture *f, struct raw_keys *keys)
{
    const struct psn_secret *data_key;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, NULL), PSN_OK);
    assert_int_equal(psn_client_data_key(f->vault, "martin", &data_key, NULL), PSN_OK);
    raw_keep_key(keys, data_key);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, NULL), PSN_OK);
    raw_keep_key(keys, f->vault->rows_key);
    raw_keep_key(keys, f->vault->journal_key);
    raw_keep_key(keys, f->vault->wrap_key);
    raw_keep_key(keys, f->vault->state_key);
    raw_keep_key(keys, f->vault->root_key);
}

static size_t search_folder(const struct rekey_fixture *f,
                            const struct raw_windows *windows)
{
    DIR *dir = opendir(f->dir.path);
    size_t found = 0;

    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char path[TMPDIR_PATH_MAX];
        struct stat info;
        size_t size = 0;
        uint8_t *bytes;

        (void)tmpdir_path(&f->dir, entry->d_name, path);
        if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0)
            continue;
        bytes = store_fixture_read_file(path, &size);
        found += raw_count_windows(windows, bytes, size) +
                 raw_tells(bytes, size, destroy_needles);
        free(bytes);
    }
    (void)closedir(dir);
    return found;
}

static int open_beside(const struct rekey_fixture *f, const char *tail)
{
    char path[TMPDIR_PATH_MAX + 8];
    int fd;

    (void)snprintf(path, sizeof path, "%s%s", f->at.path, tail);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* --- the tests --- */

static void no_key_finds_anything_of_him_in_any_file(void **state)
{
    struct rekey_fixture *f = *state;
    struct raw_keys keys = { .count = 0 };
    struct raw_cells before;
    struct raw_cells after;
    struct raw_windows windows = { 0 };
    struct psn_destruction facts;
    char copy[TMPDIR_PATH_MAX];
    size_t rows = 0;

    keep_keys(f, &keys);
    (void)tmpdir_path(&f->dir, "old.db", copy);
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->at.err), PSN_OK);
    raw_read(copy, &before);
    /* The search finds what there is to be found. */
    assert_true(raw_count_told(&before, &keys, destroy_needles) > 25);
    facts = destroy(f);
    (void)unlink(copy);
    raw_read(f->at.path, &after);
    assert_int_equal(raw_count_told(&after, &keys, destroy_needles), 0);
    assert_true(raw_vanished(&before, &after, &windows, &rows) > 30);
    /* And the row of Luc, as it was when it told his names, and the one that tells whose
     * closing statement is missing. */
    assert_int_equal(rows, facts.rows_removed + 2);
    assert_true(rows > 25 && windows.count > 5000);
    assert_int_equal(search_folder(f, &windows), 0);
    free(windows.at);
    raw_release(&before);
    raw_release(&after);
    raw_release_keys(&keys);
}

/* Also of what stays: the old file is random bytes. */
static void the_old_file_and_its_log_are_written_over(void **state)
{
    struct rekey_fixture *f = *state;
    struct raw_cells before;
    struct raw_windows windows = { 0 };
    struct psn_destruction facts;
    int fds[2];
    uint8_t *bytes;
    size_t size;

    raw_read(f->at.path, &before);
    for (size_t i = 0; i < before.count; i++)
        raw_add_windows(&windows, before.items[i].box, before.items[i].size);
    raw_sort_windows(&windows);
    fds[0] = open_beside(f, "");
    fds[1] = open_beside(f, "-wal");
    bytes = raw_read_descriptor(fds[1], &size);
    assert_true(raw_count_windows(&windows, bytes, size) > 1000);
    free(bytes);
    facts = destroy(f);
    assert_true(facts.is_overwritten);
    assert_false(facts.is_shared);
    for (size_t i = 0; i < 2; i++) {
        bytes = raw_read_descriptor(fds[i], &size);
        assert_true(size > 4096);
        assert_int_equal(size, i ? facts.log_bytes : facts.file_bytes);
        assert_int_equal(raw_count_windows(&windows, bytes, size), 0);
        assert_null(memmem(bytes, size, "SQLite format", 13));
        free(bytes);
        (void)close(fds[i]);
    }
    free(windows.at);
    raw_release(&before);
}

/* Row by row as it was, boxes and revisions included, but for what names him. */
static void what_others_have_is_byte_for_byte_what_it_was(void **state)
{
    struct rekey_fixture *f = *state;
    struct raw_cells before;
    struct raw_cells after;
    size_t carried = 0;
    size_t changed = 0;

    raw_read(f->at.path, &before);
    (void)destroy(f);
    raw_read(f->at.path, &after);
    for (size_t i = 0; i < after.count; i++) {
        const struct raw_cell *old = raw_find(&before, after.items[i].key);

        /* Chains and their heads are sealed again. */
        if (after.items[i].key[0] != 'r' || strncmp(after.items[i].key, "r10 ", 4) == 0)
            continue;
        if (raw_is_same(&after.items[i], old))
            carried++;
        else
            changed++;
    }
    assert_true(carried > 10);
    /* Luc's names; a closing statement is missing; numbers of versions are spent. */
    assert_int_equal(changed, 3);
    assert_int_equal(destroy_vault_verify(f->vault), 0);
    raw_release(&before);
    raw_release(&after);
}

static void every_key_opens_it_as_before(void **state)
{
    struct rekey_fixture *f = *state;
    PSN_AUTO(psn_secret) *root_key = NULL;
    PSN_AUTO(psn_vault) *agents = NULL;
    PSN_AUTO(psn_vault) *pauls = NULL;
    struct psn_key passphrase = { PSN_SLOT_PASSPHRASE, NULL };
    struct psn_key recovery = rekey_vault_key(&f->at, REKEY_NEW);
    PSN_AUTO(psn_secret) *words = NULL;
    uint8_t slot[PSN_SLOT_ID_SIZE];
    bool is_new;

    assert_int_equal(psn_new_passphrase("en", &words, &f->at.err), PSN_OK);
    passphrase.secret = words;
    assert_int_equal(psn_slot_add(f->vault, "me", &passphrase, &is_new, &f->at.err),
                     PSN_OK);
    assert_int_equal(psn_slot_add(f->vault, "me", &recovery, &is_new, &f->at.err),
                     PSN_OK);
    assert_int_equal(psn_vault_export_key(f->vault, &root_key, slot, &f->at.err), PSN_OK);
    (void)destroy(f);
    assert_int_equal(psn_vault_open(&f->at.options, &agents, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_unlock_key(agents, root_key, slot, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_seen(agents), PSN_SEEN_SAME);
    for (int identity = REKEY_PAULS; identity <= REKEY_NEW; identity++) {
        pauls = rekey_vault_open(&f->at, identity);
        assert_non_null(pauls);
        psn_vault_free(PSN_TAKE(pauls));
    }
    assert_int_equal(psn_vault_open(&f->at.options, &pauls, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_unlock(pauls, &passphrase, &f->at.err), PSN_OK);
    assert_int_equal(destroy_vault_verify(pauls), 0);
}

/* --- journals --- */

struct told {
    struct psn_destruction_note note;
    char client[PSN_CLIENT_ID_MAX];
    char actor[PSN_PERSON_ID_MAX];
    char statement[PSN_DESTRUCTION_STATEMENT_MAX];
    unsigned count;
};

static enum psn_code keep_note(void *arg, const struct psn_destruction_note *note,
                               struct psn_error *err)
{
    struct told *told = arg;

    (void)err;
    told->count++;
    told->note = *note;
    (void)snprintf(told->client, sizeof told->client, "%s", note->client);
    (void)snprintf(told->actor, sizeof told->actor, "%s", note->actor);
    (void)snprintf(told->statement, sizeof told->statement, "%s", note->statement);
    return PSN_OK;
}

struct heads {
    struct psn_head items[4];
    size_t count;
};

static enum psn_code keep_head(void *arg, const struct psn_head *head,
                               struct psn_error *err)
{
    struct heads *heads = arg;

    (void)err;
    heads->items[heads->count++] = *head;
    return PSN_OK;
}

static void the_vaults_journal_remembers_that_it_was_done(void **state)
{
    struct rekey_fixture *f = *state;
    struct heads before = { 0 };
    struct told told = { 0 };
    struct psn_destruction facts;
    struct psn_head head = { 0 };

    assert_int_equal(psn_journal_verify(f->vault, keep_head, &before, &f->at.err),
                     PSN_OK);
    for (size_t i = 0; i < before.count; i++)
        if (strcmp(before.items[i].chain, "martin") == 0)
            head = before.items[i];
    assert_true(head.count > 0);
    facts = destroy(f);
    assert_int_equal(facts.chain_count, head.count);
    assert_memory_equal(facts.chain_head, head.hash, PSN_HEAD_SIZE);
    assert_int_equal(psn_destruction_each(f->vault, keep_note, &told, &f->at.err),
                     PSN_OK);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.client, "martin");
    assert_string_equal(told.actor, "me");
    assert_string_equal(told.statement, "sha256 5e");
    assert_int_equal(told.note.chain_count, head.count);
    assert_memory_equal(told.note.chain_head, head.hash, PSN_HEAD_SIZE);
}

/* A report of before tells a head of his, which nobody can follow any more. */
static void statements_that_tell_his_head_still_verify(void **state)
{
    struct rekey_fixture *f = *state;
    struct heads before = { 0 };
    struct psn_statement statement;
    char *text = NULL;

    assert_int_equal(psn_journal_verify(f->vault, keep_head, &before, &f->at.err),
                     PSN_OK);
    assert_int_equal(
        psn_statement_sign(f->vault,
                           &(struct psn_statement_draft){ .kind = "test",
                                                          .fields = "",
                                                          .text = "what was\n",
                                                          .heads = before.items,
                                                          .head_count = before.count },
                           &text, &f->at.err),
        PSN_OK);
    (void)destroy(f);
    assert_int_equal(
        psn_statement_verify(f->vault, text, strlen(text), &statement, &f->at.err),
        PSN_OK);
    assert_int_equal(statement.heads, before.count);
    assert_int_equal(statement.heads_gone, 1);
    free(text);
}

struct shown {
    unsigned shredded;
    unsigned named;
    unsigned added;
};

static enum psn_code look(void *arg, const struct psn_journal_entry *entry,
                          struct psn_error *err)
{
    struct shown *shown = arg;

    (void)err;
    shown->shredded += entry->is_shredded;
    shown->named += raw_tells((const uint8_t *)entry, sizeof *entry, destroy_needles);
    if (strcmp(entry->event, "client.added") == 0 &&
        strcmp(entry->subject, "martin") == 0) {
        assert_true(entry->is_shredded);
        assert_string_equal(entry->actor, "me");
        shown->added++;
    }
    return PSN_OK;
}

/* client.added told his account, role.received an address, person.added a name of Luc's.
 */
static void entries_that_name_him_are_shredded_and_the_chain_holds(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_destruction facts;
    struct heads before = { 0 };
    struct shown shown = { 0 };
    bool holds = false;
    bool replaced = false;

    assert_int_equal(psn_journal_verify(f->vault, keep_head, &before, &f->at.err),
                     PSN_OK);
    facts = destroy(f);
    assert_int_equal(psn_journal_each(f->vault, NULL, 0, look, &shown, &f->at.err),
                     PSN_OK);
    assert_int_equal(shown.named, 0);
    assert_int_equal(shown.added, 1);
    assert_true(shown.shredded >= 2);
    assert_int_equal(shown.shredded, facts.entries_shredded);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, NULL), PSN_OK);
    assert_int_equal(psn_journal_holds(f->vault, NULL, before.items[0].count,
                                       before.items[0].hash, &holds, NULL),
                     PSN_OK);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, NULL), PSN_OK);
    assert_true(holds);
    /* Shredded entries go through a rekey, too. */
    assert_int_equal(rekey_vault_rekey(&f->at, f->vault, &replaced), PSN_OK);
    shown = (struct shown){ 0 };
    assert_int_equal(psn_journal_each(f->vault, "", 0, look, &shown, &f->at.err), PSN_OK);
    assert_int_equal(shown.shredded, facts.entries_shredded);
    assert_int_equal(destroy_vault_verify(f->vault), 0);
}

static void a_shredded_entry_cannot_be_faked_or_changed(void **state)
{
    static const char *const edits[] = {
        "UPDATE journal SET box = zeroblob(length(box)) WHERE number = 4",
        ("UPDATE journal SET box = (SELECT box FROM journal AS j WHERE j.chain = "
         "journal.chain AND j.number = 3) WHERE number = 4"),
        "UPDATE journal SET hash = randomblob(32) WHERE number = 4",
    };
    struct rekey_fixture *f = *state;

    (void)destroy(f);
    psn_vault_free(PSN_TAKE(f->vault));
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        char copy[TMPDIR_PATH_MAX];

        store_fixture_copy_file(f->at.path, tmpdir_path(&f->dir, "kept.db", copy));
        store_fixture_sql(f->at.path, edits[i]);
        f->vault = rekey_vault_open(&f->at, REKEY_MINE);
        if (f->vault)
            assert_int_equal(psn_journal_verify(f->vault, NULL, NULL, &f->at.err),
                             PSN_E_INTEGRITY);
        psn_vault_free(PSN_TAKE(f->vault));
        store_fixture_copy_file(copy, f->at.path);
    }
}

/* --- people --- */

static void names_of_people_that_are_his_go(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_person luc;

    (void)destroy(f);
    assert_int_equal(psn_person_get(f->vault, "luc", &luc, &f->at.err), PSN_OK);
    assert_int_equal(luc.alias_count, 1);
    assert_string_equal(luc.aliases[0], "lu12345-ovh");
}

/* --- refusals --- */

static void it_is_refused_without_the_id_and_for_who_is_not_there(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_destruction facts;
    struct psn_destruction_request request = { .client = "martin", .confirm = "marti" };

    assert_int_equal(psn_client_destroy(f->vault, &request, &facts, &f->at.err),
                     PSN_E_POLICY);
    request = (struct psn_destruction_request){ .client = "nobody", .confirm = "nobody" };
    assert_int_equal(psn_client_destroy(f->vault, &request, &facts, NULL),
                     PSN_E_NOT_FOUND);
    request = (struct psn_destruction_request){ .client = "martin",
                                                .confirm = "martin",
                                                .statement = "two\nlines" };
    assert_int_equal(psn_client_destroy(f->vault, &request, &facts, NULL), PSN_E_INVALID);
    assert_false(facts.is_done);
    assert_true(destroy_vault_has_martin(f->vault));
}

static void a_file_with_another_name_is_not_written_over(void **state)
{
    struct rekey_fixture *f = *state;
    PSN_AUTO(psn_vault) *old = NULL;
    struct psn_vault_options options = { .path = NULL };
    struct psn_key key = rekey_vault_key(&f->at, REKEY_MINE);
    struct psn_destruction facts;
    char other[TMPDIR_PATH_MAX];

    assert_int_equal(link(f->at.path, tmpdir_path(&f->dir, "other.db", other)), 0);
    facts = destroy(f);
    assert_true(facts.is_shared);
    assert_false(facts.is_overwritten);
    assert_int_equal(facts.file_bytes, 0);
    options.path = other;
    assert_int_equal(psn_vault_open(&options, &old, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_unlock(old, &key, &f->at.err), PSN_OK);
    assert_true(destroy_vault_has_martin(old));
    assert_int_equal(destroy_vault_verify(f->vault), 0);
}

/* --- a last look --- */

static enum psn_code say_no(struct psn_vault *vault, const char *client,
                            struct psn_error *err)
{
    (void)vault;
    assert_string_equal(client, "martin");
    return psn_fail(err, PSN_E_POLICY, "something was added");
}

static void a_last_look_that_says_no_leaves_the_vault_as_it_was(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_destruction_request request = { .client = "martin",
                                               .confirm = "martin",
                                               .check = say_no };
    struct psn_destruction facts;
    char draft[TMPDIR_PATH_MAX + 16];

    assert_int_equal(psn_client_destroy(f->vault, &request, &facts, &f->at.err),
                     PSN_E_POLICY);
    assert_false(facts.is_done);
    assert_true(destroy_vault_has_martin(f->vault));
    assert_int_equal(destroy_vault_verify(f->vault), 0);
    (void)snprintf(draft, sizeof draft, "%s.rekeying", f->at.path);
    assert_int_not_equal(access(draft, F_OK), 0);
}

/* --- client rm --- */

/* The same rows, but for what others have sent. */
static void client_rm_leaves_no_grant_issue_or_exposure(void **state)
{
    struct rekey_fixture *f = *state;
    struct raw_cells before;
    struct raw_cells after;
    struct raw_cells without;
    struct psn_destruction_request request = { .client = "martin", .confirm = "martin" };
    struct psn_scrub scrub;
    size_t kept = 0;
    char copy[TMPDIR_PATH_MAX];

    raw_read(f->at.path, &before);
    (void)tmpdir_path(&f->dir, "backup.db", copy);
    assert_int_equal(psn_vault_backup(f->vault, copy, false, &f->at.err), PSN_OK);
    assert_int_equal(psn_client_rm(f->vault, "martin", "martin", NULL, &f->at.err),
                     PSN_OK);
    raw_read(f->at.path, &after);
    assert_int_equal(psn_backup_scrub(f->vault, copy, &request, &scrub, &f->at.err),
                     PSN_OK);
    assert_int_equal(scrub.result, PSN_SCRUB_REWRITTEN);
    raw_read(copy, &without);
    for (size_t i = 0; i < after.count; i++)
        if (after.items[i].key[0] == 'r' && !raw_find(&without, after.items[i].key) &&
            raw_find(&before, after.items[i].key))
            kept++;
    /* The received role, its document, and Luc's row of before his names went. */
    assert_int_equal(kept, 3);
    assert_int_equal(destroy_vault_verify(f->vault), 0);
    raw_release(&before);
    raw_release(&after);
    raw_release(&without);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, rekey_fixture_tear_down)
        T(no_key_finds_anything_of_him_in_any_file),
        T(the_old_file_and_its_log_are_written_over),
        T(what_others_have_is_byte_for_byte_what_it_was),
        T(every_key_opens_it_as_before),
        T(the_vaults_journal_remembers_that_it_was_done),
        T(statements_that_tell_his_head_still_verify),
        T(entries_that_name_him_are_shredded_and_the_chain_holds),
        T(a_shredded_entry_cannot_be_faked_or_changed),
        T(names_of_people_that_are_his_go),
        T(it_is_refused_without_the_id_and_for_who_is_not_there),
        T(a_file_with_another_name_is_not_written_over),
        T(a_last_look_that_says_no_leaves_the_vault_as_it_was),
        T(client_rm_leaves_no_grant_issue_or_exposure),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
