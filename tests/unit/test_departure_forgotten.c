#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/counters.h"
#include "core/departure.h"
#include "core/departure_returned.h"
#include "core/exposure.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/role.h"
#include "support/rekey_vault.h"

/* What goes from the vault, and with it who knows what of it. */

static const char box0[] = "box0@domain-of-the-canary.example";
static const char box1[] = "box1@domain-of-the-canary.example";

/* The vault holds three mailboxes and a licence; Paul can open it, Luc saw box1. */
static void put_seen(struct rekey_fixture *f, const char *address, uint64_t version)
{
    enum psn_code rc;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_exposure_put_of(f->vault, "luc", address, "", version, PSN_HOW_ISSUED,
                             &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

static void add_luc(struct rekey_fixture *f)
{
    struct psn_person luc = { .id = "luc", .email = "luc@studio.example" };

    luc.alias_count = 1;
    (void)snprintf(luc.aliases[0], sizeof luc.aliases[0], "lu12345-ovh");
    assert_int_equal(psn_person_add(f->vault, &luc, &f->at.err), PSN_OK);
    put_seen(f, box1, 1);
}

static int set_up(void **state)
{
    struct rekey_fixture *f;

    (void)rekey_fixture_set_up(state, rekey_vault_make);
    f = *state;
    add_luc(f);
    return 0;
}

static struct psn_departure leave(struct rekey_fixture *f, const char *person,
                                  bool narrow)
{
    const struct psn_departure_request request = { .person = person, .narrow = narrow };
    struct psn_departure departure;

    assert_int_equal(psn_departure_begin(f->vault, &request, &f->at.err), PSN_OK);
    assert_int_equal(psn_departure_get(f->vault, person, &departure, &f->at.err), PSN_OK);
    return departure;
}

static void what_somebody_who_leaves_knows_is_not_forgotten(void **state)
{
    struct rekey_fixture *f = *state;

    (void)leave(f, "luc", false);
    assert_int_equal(psn_role_rm(f->vault, box1, box1, NULL, &f->at.err), PSN_E_POLICY);
    assert_int_equal(psn_client_rm(f->vault, "martin", "martin", NULL, &f->at.err),
                     PSN_E_POLICY);
    assert_int_equal(psn_role_rm(f->vault, box0, box0, NULL, &f->at.err), PSN_OK);
}

static void a_client_that_is_forgotten_before_is_in_the_report(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure_report *report = NULL;

    assert_int_equal(psn_client_rm(f->vault, "martin", "martin", NULL, &f->at.err),
                     PSN_OK);
    (void)leave(f, "luc", false);
    assert_int_equal(psn_departure_report(f->vault, "luc", &report, &f->at.err), PSN_OK);
    assert_int_equal(report->facts.removed, 1);
    assert_string_equal(report->removed[0].name, "martin");
    psn_departure_report_free(report);
}

/* Of a client by name, whose other mailboxes nobody who leaves knew. */
static void what_is_given_up_is_named_with_why_it_was_not_changed(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure_report *report = NULL;

    (void)leave(f, "luc", false);
    assert_int_equal(psn_client_rm(f->vault, "martin", "martin", " ", &f->at.err),
                     PSN_E_INVALID);
    assert_int_equal(
        psn_client_rm(f->vault, "martin", "martin", "our key was withdrawn", &f->at.err),
        PSN_OK);
    assert_int_equal(psn_departure_report(f->vault, "luc", &report, &f->at.err), PSN_OK);
    assert_int_equal(report->facts.rotate, 0);
    assert_int_equal(report->facts.unchanged, 1);
    assert_int_equal(report->facts.removed, 2);
    assert_string_equal(report->removed[0].name, box1);
    assert_string_equal(report->removed[0].unchanged, "our key was withdrawn");
    assert_string_equal(report->removed[1].name, "martin");
    assert_string_equal(report->removed[1].unchanged, "");
    psn_departure_report_free(report);
}

/* What is removed later is not what was given up before. */
static void why_is_about_the_mailbox_that_was_given_up_alone(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure_report *report = NULL;

    (void)leave(f, "luc", false);
    assert_int_equal(psn_role_rm(f->vault, box1, box1, "no way", &f->at.err), PSN_OK);
    assert_int_equal(psn_role_rm(f->vault, box0, box0, NULL, &f->at.err), PSN_OK);
    (void)leave(f, "paul", false);
    assert_int_equal(psn_departure_report(f->vault, "paul", &report, &f->at.err), PSN_OK);
    assert_int_equal(report->facts.removed, 2);
    assert_string_equal(report->removed[0].unchanged, "no way");
    assert_string_equal(report->removed[1].name, box0);
    assert_string_equal(report->removed[1].unchanged, "");
    psn_departure_report_free(report);
}

/* Luc, who is noted for that, stands before Paul. */
static void why_is_about_all_who_knew_it_whoever_knew_only_what_was_before(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure_report *report = NULL;

    put_seen(f, box0, 99);
    (void)leave(f, "paul", false);
    assert_int_equal(psn_role_rm(f->vault, box0, box0, "no way", &f->at.err), PSN_OK);
    assert_int_equal(psn_departure_report(f->vault, "paul", &report, &f->at.err), PSN_OK);
    assert_int_equal(report->facts.removed, 1);
    assert_string_equal(report->removed[0].unchanged, "no way");
    psn_departure_report_free(report);
}

static size_t still_removed_of(struct rekey_fixture *f, const char *person)
{
    struct psn_departure_report *report = NULL;
    size_t removed;

    assert_int_equal(psn_departure_report(f->vault, person, &report, &f->at.err), PSN_OK);
    removed = report->facts.removed;
    psn_departure_report_free(report);
    return removed;
}

static size_t removed_of(struct rekey_fixture *f, const char *person)
{
    (void)leave(f, person, false);
    return still_removed_of(f, person);
}

/* Luc saw nothing of it; Paul could read it. */
static void a_role_that_is_forgotten_is_in_the_report_of_who_could_read_it(void **state)
{
    struct rekey_fixture *f = *state;

    assert_int_equal(psn_role_rm(f->vault, box0, box0, NULL, &f->at.err), PSN_OK);
    assert_int_equal(removed_of(f, "luc"), 0);
    assert_int_equal(removed_of(f, "paul"), 1);
}

static void a_mailbox_that_was_gone_at_ovh_is_no_loss(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_role_row row;
    enum psn_code rc;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_role_read(f->vault, box1, &row, &f->at.err);
    row.gone_s = 1;
    if (!rc)
        rc = psn_role_write(f->vault, &row, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
    assert_int_equal(psn_role_rm(f->vault, box1, box1, NULL, &f->at.err), PSN_OK);
    assert_int_equal(removed_of(f, "luc"), 0);
    assert_int_equal(removed_of(f, "paul"), 0);
}

static enum psn_code find(const char *person, const struct psn_exposure *exposure,
                          size_t *found)
{
    *found += strcmp(exposure->person, person) == 0 && exposure->how == PSN_HOW_RETURNED;
    return PSN_OK;
}

static enum psn_code find_paul(void *arg, const struct psn_exposure *exposure,
                               struct psn_error *err)
{
    (void)err;
    return find("paul", exposure, arg);
}

static enum psn_code find_luc(void *arg, const struct psn_exposure *exposure,
                              struct psn_error *err)
{
    (void)err;
    return find("luc", exposure, arg);
}

static void bring_back(struct rekey_fixture *f, const char *address)
{
    struct psn_role_row row = { .client = "martin",
                                .created_s = 1,
                                .rotation = psn_rotation_state_init(1, false) };
    struct psn_forgotten_list forgotten = { 0 };
    enum psn_code rc;

    (void)snprintf(row.address, sizeof row.address, "%s", address);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_role_write(f->vault, &row, &f->at.err);
    if (!rc)
        rc = psn_departure_note_returned(f->vault, &row, &forgotten, &f->at.err);
    psn_forgotten_list_release(&forgotten);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

/* A program of before versions were counted removed it: nothing says that any went. */
static void who_was_forgotten_before_versions_were_counted_knows_it_again(void **state)
{
    static const char earlier[] = "earlier@domain-of-the-canary.example";
    struct rekey_fixture *f = *state;
    const struct psn_note note = { .event = PSN_EVENT_ROLE_FORGOTTEN,
                                   .subject = earlier,
                                   .text = "luc" };
    uint64_t spent = 1;
    size_t found = 0;
    enum psn_code rc;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_versions_spent(f->vault, &spent, &f->at.err);
    if (!rc)
        rc = psn_journal_note(f->vault, NULL, &note, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
    assert_int_equal(spent, 0);
    bring_back(f, earlier);
    assert_int_equal(
        psn_exposure_each_of(f->vault, earlier, "", 1, find_luc, &found, &f->at.err),
        PSN_OK);
    assert_int_equal(found, 1);
}

static void bring_back_licence(struct rekey_fixture *f)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_secret_info info = { .label = "Licence n° 1" };

    (void)snprintf(info.address, sizeof info.address, "%s", box0);
    assert_int_equal(psn_secret_copy("1234", 4, &value, &f->at.err), PSN_OK);
    assert_int_equal(psn_secret_add(f->vault, &info, value, PSN_SECRET_GIVEN, &f->at.err),
                     PSN_OK);
}

/* Luc knew box1, and nothing of box0; Paul could read both, and the licence of box0. */
static void what_is_back_in_the_vault_is_a_matter_of_who_is_leaving(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure_report *report = NULL;

    (void)leave(f, "luc", false);
    assert_int_equal(psn_role_rm(f->vault, box1, box1, "no way", &f->at.err), PSN_OK);
    assert_int_equal(psn_role_rm(f->vault, box0, box0, NULL, &f->at.err), PSN_OK);
    bring_back(f, box1);
    bring_back(f, box0);
    assert_int_equal(psn_departure_report(f->vault, "luc", &report, &f->at.err), PSN_OK);
    assert_int_equal(report->facts.rotate, 1);
    assert_int_equal(report->facts.unchanged, 0);
    assert_int_equal(report->facts.removed, 0);
    assert_int_equal(report->secret_count, 1);
    assert_string_equal(report->secrets[0].address, box1);
    psn_departure_report_free(report);
    assert_int_equal(removed_of(f, "paul"), 1);
    bring_back_licence(f);
    assert_int_equal(still_removed_of(f, "paul"), 0);
}

static void what_hung_on_a_mailbox_is_known_to_who_could_read_it_when_it_is_back(
    void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_secret_info info;
    size_t found = 0;

    assert_int_equal(psn_role_rm(f->vault, box0, box0, NULL, &f->at.err), PSN_OK);
    bring_back(f, box0);
    bring_back_licence(f);
    assert_int_equal(psn_secret_get(f->vault, box0, "Licence n° 1", &info, &f->at.err),
                     PSN_OK);
    assert_int_equal(psn_exposure_each_of(f->vault, box0, info.label, info.version,
                                          find_paul, &found, &f->at.err),
                     PSN_OK);
    assert_int_equal(found, 1);
}

/* It was made anew, and of what else hung on it nobody knows. */
static void what_he_does_not_know_any_more_stays_among_what_was_removed(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_role_row row = { .client = "martin",
                                .created_s = 1,
                                .rotation = psn_rotation_state_init(1, false) };
    enum psn_code rc;

    assert_int_equal(psn_role_rm(f->vault, box1, box1, NULL, &f->at.err), PSN_OK);
    (void)snprintf(row.address, sizeof row.address, "%s", box1);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_role_write(f->vault, &row, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
    assert_int_equal(removed_of(f, "luc"), 1);
}

static void somebody_else_of_the_same_id_knew_nothing(void **state)
{
    struct rekey_fixture *f = *state;

    assert_int_equal(psn_role_rm(f->vault, box1, box1, NULL, &f->at.err), PSN_OK);
    assert_int_equal(psn_person_rm(f->vault, "luc", &f->at.err), PSN_OK);
    assert_int_equal(
        psn_person_add(f->vault, &(struct psn_person){ .id = "luc" }, &f->at.err),
        PSN_OK);
    assert_int_equal(removed_of(f, "luc"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_somebody_who_leaves_knows_is_not_forgotten,
                                        set_up, rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            a_client_that_is_forgotten_before_is_in_the_report, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_given_up_is_named_with_why_it_was_not_changed, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(why_is_about_the_mailbox_that_was_given_up_alone,
                                        set_up, rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            why_is_about_all_who_knew_it_whoever_knew_only_what_was_before, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            what_hung_on_a_mailbox_is_known_to_who_could_read_it_when_it_is_back, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            a_role_that_is_forgotten_is_in_the_report_of_who_could_read_it, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            who_was_forgotten_before_versions_were_counted_knows_it_again, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_mailbox_that_was_gone_at_ovh_is_no_loss, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_back_in_the_vault_is_a_matter_of_who_is_leaving, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            what_he_does_not_know_any_more_stays_among_what_was_removed, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(somebody_else_of_the_same_id_knew_nothing, set_up,
                                        rekey_fixture_tear_down),
    };

    return cmocka_run_group_tests_name("departure_forgotten", tests, NULL, NULL);
}
