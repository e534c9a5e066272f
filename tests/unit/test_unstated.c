#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/unstated.h"
#include "passation/handover.h"
#include "passation/journal.h"
#include "support/destroy_vault.h"

/* Handovers that have ended and whose closing statement is missing. */

static int set_up(void **state)
{
    return rekey_fixture_set_up(state, destroy_vault_make);
}

static enum psn_code count_unstated(void *arg, const char *client, int64_t ended_s,
                                    struct psn_error *err)
{
    (void)err;
    assert_string_equal(client, "martin");
    assert_true(ended_s > 0);
    ++*(unsigned *)arg;
    return PSN_OK;
}

static unsigned unstated(struct rekey_fixture *f)
{
    unsigned count = 0;

    assert_int_equal(psn_handover_unstated_each(f->vault, count_unstated, &count, NULL),
                     PSN_OK);
    return count;
}

static void end_client(struct rekey_fixture *f, const char *statement)
{
    const struct psn_destruction_request request = { .client = "martin",
                                                     .confirm = "martin",
                                                     .statement = statement };
    struct psn_destruction facts;

    assert_int_equal(psn_client_destroy(f->vault, &request, &facts, NULL), PSN_OK);
}

/* As in a vault that was made before there was such a row. */
static void forget_row(struct rekey_fixture *f)
{
    struct psn_row_key key;
    enum psn_code rc = psn_vault_begin(f->vault, PSN_STORE_WRITE, NULL);

    assert_int_equal(rc, PSN_OK);
    rc = psn_row_key_init(f->vault, PSN_TABLE_OWN_KEY, PSN_UNSTATED_NAME, &key, NULL);
    if (!rc)
        rc = psn_store_delete(f->vault->store, PSN_TABLE_OWN_KEY, key.bytes, key.size,
                              NULL);
    assert_int_equal(psn_vault_end(f->vault, rc, NULL), PSN_OK);
}

static void an_end_without_its_closing_statement_is_told_until_it_is_there(void **state)
{
    struct rekey_fixture *f = *state;
    bool replaced = false;

    assert_int_equal(unstated(f), 0);
    end_client(f, "sha256 5e5e");
    assert_int_equal(unstated(f), 1);
    assert_int_equal(rekey_vault_rekey(&f->at, f->vault, &replaced), PSN_OK);
    assert_int_equal(unstated(f), 1);
    assert_int_equal(psn_handover_stated(f->vault, "martin", NULL), PSN_OK);
    assert_int_equal(unstated(f), 0);
}

static void a_destruction_that_ends_no_handover_lacks_no_statement(void **state)
{
    struct rekey_fixture *f = *state;

    end_client(f, NULL);
    assert_int_equal(unstated(f), 0);
    forget_row(f);
    assert_int_equal(unstated(f), 0);
}

static void an_older_vault_without_the_row_tells_the_same(void **state)
{
    struct rekey_fixture *f = *state;

    forget_row(f);
    assert_int_equal(unstated(f), 0);
    end_client(f, "sha256 5e5e");
    assert_int_equal(unstated(f), 1);
    assert_int_equal(psn_handover_stated(f->vault, "martin", NULL), PSN_OK);
    assert_int_equal(unstated(f), 0);
}

static void add_again(struct rekey_fixture *f)
{
    struct psn_client client = psn_client_init();

    (void)snprintf(client.id, sizeof client.id, "martin");
    (void)snprintf(client.nic, sizeof client.nic, "zz0000-ovh");
    assert_int_equal(psn_client_add_domain(&client, "neuf.example", NULL), PSN_OK);
    assert_int_equal(psn_client_add(f->vault, &client, NULL), PSN_OK);
    psn_client_release(&client);
}

static void a_client_who_is_here_again_lacks_no_statement(void **state)
{
    struct rekey_fixture *f = *state;

    end_client(f, "sha256 5e5e");
    add_again(f);
    assert_int_equal(unstated(f), 0);
}

/* --- what became of the copies --- */

static char told[512];

static enum psn_code write_down(void *arg, const struct psn_end_copy *copy,
                                struct psn_error *err)
{
    size_t used = strlen(told);

    (void)arg;
    (void)err;
    (void)snprintf(told + used, sizeof told - used, "%s %s;", copy->path,
                   psn_copy_fate_name(copy->fate));
    return PSN_OK;
}

static void expect_copies(struct rekey_fixture *f, const char *expected)
{
    told[0] = '\0';
    assert_int_equal(psn_handover_end_copies(f->vault, "martin", write_down, NULL, NULL),
                     PSN_OK);
    assert_string_equal(told, expected);
}

static void note_copies(struct rekey_fixture *f, struct psn_end_copy *copies,
                        size_t count)
{
    struct psn_handover_end end;

    assert_int_equal(psn_handover_end_get(f->vault, "martin", &end, NULL), PSN_OK);
    end.copies = copies;
    end.copy_count = count;
    end.destruction.is_overwritten = true;
    end.destruction.file_bytes = 4096;
    end.destruction.log_bytes = 0;
    assert_int_equal(psn_handover_end_note(f->vault, &end, NULL), PSN_OK);
}

static enum psn_code count_entry(void *arg, const struct psn_journal_entry *entry,
                                 struct psn_error *err)
{
    (void)entry;
    (void)err;
    ++*(unsigned *)arg;
    return PSN_OK;
}

static unsigned entries(struct rekey_fixture *f)
{
    unsigned count = 0;

    assert_int_equal(psn_journal_each(f->vault, "", 0, count_entry, &count, NULL),
                     PSN_OK);
    return count;
}

static void what_became_of_copies_is_known_later_by_its_last_word(void **state)
{
    struct rekey_fixture *f = *state;
    char one[] = "/disk/one two";
    char other[] = "/disk/other";
    char long_path[PSN_JOURNAL_TEXT_MAX];
    struct psn_end_copy copies[] = { { one, PSN_FATE_HOLDS },
                                     { other, PSN_FATE_UNDER_CODE },
                                     { long_path, PSN_FATE_DELETED } };
    struct psn_handover_end end;
    bool replaced = false;
    unsigned count;

    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    end_client(f, "sha256 5e5e");
    note_copies(f, copies, 3);
    expect_copies(f, "/disk/one two holds;/disk/other under-code;");
    count = entries(f);
    note_copies(f, copies, 3);
    assert_int_equal(entries(f), count);
    copies[0].fate = PSN_FATE_REWRITTEN;
    note_copies(f, copies, 1);
    assert_int_equal(rekey_vault_rekey(&f->at, f->vault, &replaced), PSN_OK);
    expect_copies(f, "/disk/one two rewritten;/disk/other under-code;");
    assert_int_equal(psn_handover_end_get(f->vault, "martin", &end, NULL), PSN_OK);
    assert_true(end.destruction.is_overwritten);
    assert_int_equal(end.destruction.file_bytes, 4096);
}

static void another_end_of_the_client_has_other_copies(void **state)
{
    struct rekey_fixture *f = *state;
    char one[] = "/disk/one";
    struct psn_end_copy copy = { one, PSN_FATE_HOLDS };

    end_client(f, "sha256 5e5e");
    note_copies(f, &copy, 1);
    add_again(f);
    end_client(f, "sha256 e5e5");
    expect_copies(f, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, rekey_fixture_tear_down)
        T(an_end_without_its_closing_statement_is_told_until_it_is_there),
        T(a_destruction_that_ends_no_handover_lacks_no_statement),
        T(an_older_vault_without_the_row_tells_the_same),
        T(a_client_who_is_here_again_lacks_no_statement),
        T(what_became_of_copies_is_known_later_by_its_last_word),
        T(another_end_of_the_client_has_other_copies),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
