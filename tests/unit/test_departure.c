#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/departure.h"
#include "core/drift.h"
#include "core/exposure.h"
#include "core/role.h"
#include "support/rekey_vault.h"

/* The vault holds three mailboxes and a licence; Paul can open it, Luc saw box1. */
static const char box0[] = "box0@domain-of-the-canary.example";
static const char box1[] = "box1@domain-of-the-canary.example";

static void add_luc(struct rekey_fixture *f)
{
    struct psn_person luc = { .id = "luc", .email = "luc@studio.example" };
    enum psn_code rc;

    luc.alias_count = 1;
    (void)snprintf(luc.aliases[0], sizeof luc.aliases[0], "lu12345-ovh");
    assert_int_equal(psn_person_add(f->vault, &luc, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_exposure_put_of(f->vault, "luc", box1, "", 1, PSN_HOW_ISSUED, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
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

static struct psn_access_row row_of(enum psn_finding_kind kind, const char *subject)
{
    struct psn_access_row row = { .client = "martin" };

    row.access.finding.kind = kind;
    row.access.finding.danger = PSN_DANGER_DANGER;
    (void)snprintf(row.access.finding.subject, sizeof row.access.finding.subject, "%s",
                   subject);
    (void)snprintf(row.access.finding.whose, sizeof row.access.finding.whose,
                   "lu12345-ovh");
    return row;
}

static void who_opens_the_vault_could_read_all_of_it(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure departure = leave(f, "paul", false);

    assert_true(departure.holds_slot);
    assert_true(departure.held_slot);
    assert_int_equal(departure.rotate, REKEY_ROLES);
    assert_int_equal(departure.tasks, 1);
    assert_int_equal(departure.closed_s, 0);
}

static void a_narrow_departure_is_of_what_was_seen_alone(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure departure = leave(f, "paul", true);

    assert_true(departure.narrow);
    assert_int_equal(departure.rotate, 0);
    assert_int_equal(departure.tasks, 0);
}

static void who_was_issued_one_password_leaves_with_that_one(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure departure = leave(f, "luc", false);

    assert_false(departure.held_slot);
    assert_int_equal(departure.rotate, 1);
    assert_int_equal(departure.accesses, 0);
}

static void leaving_twice_changes_nothing(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure first = leave(f, "luc", false);
    struct psn_departure second = leave(f, "luc", true);

    assert_int_equal(first.began_s, second.began_s);
    assert_false(second.narrow);
    assert_int_equal(second.rotate, 1);
}

static void nobody_takes_leave_of_himself(void **state)
{
    struct rekey_fixture *f = *state;
    const struct psn_departure_request request = { .person = "me" };

    assert_int_equal(psn_departure_begin(f->vault, &request, &f->at.err), PSN_E_POLICY);
}

static void who_leaves_gets_no_slot(void **state)
{
    struct rekey_fixture *f = *state;
    const struct psn_key key = rekey_vault_key(&f->at, REKEY_NEW);
    bool is_new;

    (void)leave(f, "luc", false);
    assert_int_equal(psn_slot_add(f->vault, "luc", &key, &is_new, &f->at.err),
                     PSN_E_POLICY);
}

/* Mine stays, Paul's goes; nobody has to say that he leaves. */
static void rekey_without_paul(struct rekey_fixture *f)
{
    uint8_t mine[PSN_SLOT_ID_SIZE];
    struct psn_rekey_slot slot = { .person = "me",
                                   .key = rekey_vault_key(&f->at, REKEY_MINE),
                                   .from = mine };
    const struct psn_rekey rekey = { .slots = &slot, .slot_count = 1 };
    bool replaced = false;

    memcpy(mine, f->vault->slot, sizeof mine);
    assert_int_equal(psn_vault_rekey(f->vault, &rekey, &replaced, &f->at.err), PSN_OK);
}

static void who_lost_his_slot_before_he_left_could_read_all_the_same(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure departure;

    rekey_without_paul(f);
    departure = leave(f, "paul", false);
    assert_true(departure.held_slot);
    assert_false(departure.holds_slot);
    assert_int_equal(departure.rotate, REKEY_ROLES);
    assert_int_equal(departure.tasks, 1);
    assert_int_equal(departure.keys, 1);
}

static void add_cms(struct rekey_fixture *f)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_secret_info info = { .label = "cms", .type = "cms" };

    (void)snprintf(info.address, sizeof info.address, "%s", box1);
    assert_int_equal(psn_secret_copy("abc", 3, &value, &f->at.err), PSN_OK);
    assert_int_equal(psn_secret_add(f->vault, &info, value, PSN_SECRET_GIVEN, &f->at.err),
                     PSN_OK);
}

static uint64_t replacement_of_cms(struct rekey_fixture *f)
{
    struct psn_secret_info info;

    assert_int_equal(psn_secret_get(f->vault, box1, "cms", &info, &f->at.err), PSN_OK);
    return info.replacement;
}

static void no_replacement_is_made_that_he_could_read(void **state)
{
    struct rekey_fixture *f = *state;

    add_cms(f);
    (void)leave(f, "paul", false);
    assert_int_equal(replacement_of_cms(f), 0);
    rekey_without_paul(f);
    assert_int_equal(psn_departure_note_slot_gone(f->vault, "paul", &f->at.err), PSN_OK);
    assert_int_equal(replacement_of_cms(f), 2);
}

/* Paul's leaving makes one ready; Luc, who knows nothing else of it, has seen it. */
static void see_replacement_of_cms(struct rekey_fixture *f, const char *person)
{
    enum psn_code rc;

    add_cms(f);
    rekey_without_paul(f);
    (void)leave(f, "paul", false);
    assert_int_equal(replacement_of_cms(f), 2);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_exposure_put_of(f->vault, person, box1, "cms", 2, PSN_HOW_SHOWN, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

static void who_leaves_has_not_seen_what_is_to_be_put_in_force(void **state)
{
    struct rekey_fixture *f = *state;

    see_replacement_of_cms(f, "luc");
    (void)leave(f, "luc", false);
    assert_int_equal(replacement_of_cms(f), 3);
}

/* Luc has seen what is ready; of a licence only its service makes another. */
static void what_was_given_up_keeps_its_number(void **state)
{
    struct rekey_fixture *f = *state;
    PSN_AUTO(psn_secret) *value = NULL;
    const struct psn_secret_change licence = { .type = "licence" };
    struct psn_secret_change change = { 0 };
    uint64_t version = 0;

    see_replacement_of_cms(f, "luc");
    assert_int_equal(
        psn_secret_set(f->vault, box1, "cms", &licence, &version, &f->at.err), PSN_OK);
    (void)leave(f, "luc", false);
    assert_int_equal(replacement_of_cms(f), 0);
    assert_int_equal(psn_secret_copy("def", 3, &value, &f->at.err), PSN_OK);
    change.value = value;
    assert_int_equal(psn_secret_set(f->vault, box1, "cms", &change, &version, &f->at.err),
                     PSN_OK);
    assert_int_equal(version, 3);
}

/* He could read it, in a copy of the file, while it was ready: nobody has noted that. */
static void what_was_ready_while_he_opened_the_vault_is_made_anew(void **state)
{
    struct rekey_fixture *f = *state;

    add_cms(f);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    assert_int_equal(psn_vault_end(f->vault,
                                   psn_exposure_put_of(f->vault, "luc", box1, "cms", 1,
                                                       PSN_HOW_SHOWN, &f->at.err),
                                   &f->at.err),
                     PSN_OK);
    (void)leave(f, "luc", false);
    assert_int_equal(replacement_of_cms(f), 2);
    rekey_without_paul(f);
    (void)leave(f, "paul", false);
    assert_int_equal(replacement_of_cms(f), 3);
}

static void who_has_seen_what_is_to_be_put_in_force_is_not_forgotten(void **state)
{
    struct rekey_fixture *f = *state;
    const struct psn_person zoe = { .id = "zoe", .name = "Zoé" };

    assert_int_equal(psn_person_add(f->vault, &zoe, &f->at.err), PSN_OK);
    see_replacement_of_cms(f, "zoe");
    assert_int_equal(psn_person_rm(f->vault, "zoe", &f->at.err), PSN_E_POLICY);
    (void)leave(f, "zoe", false);
    assert_int_equal(psn_person_rm(f->vault, "zoe", &f->at.err), PSN_OK);
}

static void a_secret_that_was_hidden_is_in_the_vault_all_the_same(void **state)
{
    struct rekey_fixture *f = *state;

    add_cms(f);
    assert_int_equal(psn_secret_rm(f->vault, box1, "cms", &f->at.err), PSN_OK);
    assert_int_equal(leave(f, "paul", false).tasks, 2);
}

/* Paul says of a forward that it is legitimate. */
static void keep_as_paul(struct rekey_fixture *f)
{
    struct psn_access_row row = row_of(PSN_FINDING_REDIRECTION, box0);
    enum psn_code rc;

    (void)snprintf(row.access.finding.id, sizeof row.access.finding.id, "redirection:7");
    row.access.state = PSN_ACCESS_KEPT;
    (void)snprintf(row.access.decided_by, sizeof row.access.decided_by, "paul");
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_access_row_write(f->vault, &row, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

static enum psn_code expect_open(void *arg, const struct psn_access *access,
                                 struct psn_error *err)
{
    (void)arg;
    (void)err;
    assert_int_equal(access->state, PSN_ACCESS_OPEN);
    return PSN_OK;
}

static void what_he_judged_himself_is_judged_anew(void **state)
{
    struct rekey_fixture *f = *state;

    keep_as_paul(f);
    (void)leave(f, "paul", false);
    assert_int_equal(psn_access_each(f->vault, "martin", expect_open, NULL, &f->at.err),
                     PSN_OK);
}

static void a_roles_address_is_nobodys_own(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_person luc = { .id = "luc", .alias_count = 2 };
    enum psn_code rc;

    (void)snprintf(luc.email, sizeof luc.email, "%s", box0);
    (void)snprintf(luc.aliases[0], sizeof luc.aliases[0], "%s", box1);
    (void)snprintf(luc.aliases[1], sizeof luc.aliases[1], "lu12345-ovh");
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, &f->at.err), PSN_OK);
    rc = psn_departure_drop_role_names(f->vault, &luc, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
    assert_string_equal(luc.email, "");
    assert_int_equal(luc.alias_count, 1);
    assert_string_equal(luc.aliases[0], "lu12345-ovh");
}

static void what_was_known_is_read_back_from_the_journal(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_scope scope = { 0 };
    struct psn_person luc;

    (void)leave(f, "luc", false);
    assert_int_equal(psn_person_get(f->vault, "luc", &luc, &f->at.err), PSN_OK);
    assert_int_equal(psn_scope_of(f->vault, &luc, &scope, &f->at.err), PSN_OK);
    assert_int_equal(scope.target_count, 1);
    assert_string_equal(scope.targets[0].address, box1);
    assert_int_equal(scope.targets[0].version, 1);
    assert_true(scope.targets[0].seen);
    assert_int_equal(scope.client_count, 1);
    assert_string_equal(scope.clients[0], "martin");
    psn_scope_release(&scope);
}

static void his_are_the_accesses_that_name_him(void **state)
{
    static const struct {
        enum psn_finding_kind kind;
        const char *whose;
        bool own;
        bool his;
    } cases[] = {
        { PSN_FINDING_REDIRECTION, "LUC@studio.example", false, true },
        { PSN_FINDING_CONTACT, "lu12345-ovh", false, true },
        { PSN_FINDING_IAM_POLICY, "urn:v1:eu:identity:account:lu12345-ovh", false, true },
        { PSN_FINDING_REDIRECTION, "jean-luc@studio.example", false, false },
        { PSN_FINDING_CONTACT, "lu123456-ovh", false, false },
        { PSN_FINDING_API_KEY, "lu12345-ovh", true, false },
        { PSN_FINDING_MAILBOX, "luc@studio.example", false, false },
        { PSN_FINDING_UNREADABLE, "lu12345-ovh", false, false },
    };
    struct rekey_fixture *f = *state;
    struct psn_person luc;

    assert_int_equal(psn_person_get(f->vault, "luc", &luc, &f->at.err), PSN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct psn_finding finding = { .kind = cases[i].kind, .own = cases[i].own };

        (void)snprintf(finding.whose, sizeof finding.whose, "%s", cases[i].whose);
        assert_int_equal(psn_person_owns(&luc, &finding), cases[i].his);
    }
}

/* --- doors --- */

static void make_current(struct rekey_fixture *f, const char *address, uint64_t version)
{
    struct psn_role_row row;
    enum psn_code rc;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_role_read(f->vault, address, &row, &f->at.err);
    row.rotation.old = row.rotation.cur;
    row.rotation.cur = row.rotation.last = version;
    row.rotation.old_dead = PSN_ROTATION_OLD_DEAD;
    row.changed_s = f->vault->world.now_s();
    if (!rc)
        rc = psn_role_write(f->vault, &row, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

static void see_door(struct rekey_fixture *f, struct psn_access_row row)
{
    enum psn_code rc;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_departure_note_doors(f->vault, "martin", &row, 1, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

static size_t count_rotate(struct rekey_fixture *f)
{
    struct psn_departure departure;

    assert_int_equal(psn_departure_get(f->vault, "luc", &departure, &f->at.err), PSN_OK);
    return departure.rotate;
}

static void a_password_that_was_set_beside_an_open_door_counts_as_known(void **state)
{
    struct rekey_fixture *f = *state;

    (void)leave(f, "luc", false);
    make_current(f, box1, 2);
    assert_int_equal(count_rotate(f), 0);
    see_door(f, row_of(PSN_FINDING_DELEGATION, box0)); /* another mailbox's */
    see_door(f, row_of(PSN_FINDING_SUBSCRIBER, "liste@domain-of-the-canary.example"));
    assert_int_equal(count_rotate(f), 0);
    see_door(f, row_of(PSN_FINDING_DELEGATION, box1));
    assert_int_equal(count_rotate(f), 1);
    make_current(f, box1, 3);
    assert_int_equal(count_rotate(f), 0);
    see_door(f, row_of(PSN_FINDING_CONTACT, "domain-of-the-canary.example"));
    assert_int_equal(count_rotate(f), 1);
}

static void what_nothing_removes_and_harms_nobody_is_no_door(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_access_row row = row_of(PSN_FINDING_IAM_POLICY, "read-only");

    row.access.finding.danger = PSN_DANGER_INFO;
    (void)leave(f, "luc", false);
    make_current(f, box1, 2);
    see_door(f, row);
    assert_int_equal(count_rotate(f), 0);
}

static void a_door_means_nothing_while_nobody_leaves(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc;

    see_door(f, row_of(PSN_FINDING_DELEGATION, box1));
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, &f->at.err), PSN_OK);
    rc = psn_exposure_list(f->vault, "luc", NULL, &seen, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
    assert_int_equal(seen.count, 1);
    psn_exposure_list_release(&seen);
}

/* --- drift --- */

static struct psn_role_row look(struct rekey_fixture *f,
                                const struct psn_access_row *rows, size_t count,
                                const char *address)
{
    struct psn_role_row role = { 0 };
    enum psn_code rc;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_drift_note(f->vault, "martin", rows, count, &f->at.err);
    if (!rc)
        rc = psn_role_read(f->vault, address, &role, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
    return role;
}

static void a_mailbox_is_gone_when_all_is_shown_and_it_is_not(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_access_row rows[2] = { row_of(PSN_FINDING_MAILBOX, box0),
                                      row_of(PSN_FINDING_UNREADABLE, "/email/pro") };

    assert_int_equal(look(f, rows, 2, box1).gone_s, 0);
    assert_true(look(f, rows, 1, box1).gone_s > 0);
    assert_int_equal(look(f, rows, 1, box0).gone_s, 0);
    rows[1] = row_of(PSN_FINDING_MAILBOX, "BOX1@domain-of-the-canary.example");
    assert_int_equal(look(f, rows, 2, box1).gone_s, 0);
}

static void a_mailbox_on_another_platform_has_moved_until_it_is_back(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_access_row row = row_of(PSN_FINDING_MAILBOX, box0);

    (void)snprintf(row.access.finding.platform, sizeof row.access.finding.platform,
                   "zimbra");
    assert_true(look(f, &row, 1, box0).moved_s > 0);
    (void)snprintf(row.access.finding.platform, sizeof row.access.finding.platform,
                   "email/domain");
    assert_int_equal(look(f, &row, 1, box0).moved_s, 0);
}

/* --- plans --- */

static void a_plan_names_what_was_asked_for(void **state)
{
    static const char text[] = "passation-plan 1\nperson: luc\nvault: 00\nscope: seen\n"
                               "others: cut\nrotate: client=martin\n";
    struct psn_departure_request request;
    char person[PSN_PERSON_ID_MAX];

    (void)state;
    assert_int_equal(
        psn_departure_plan_read(text, sizeof text - 1, person, &request, NULL), PSN_OK);
    assert_string_equal(request.person, "luc");
    assert_true(request.narrow);
    assert_true(request.all);
    for (size_t size = 0; size < strlen("passation-plan 1\nperson: luc\n"); size++)
        assert_int_equal(psn_departure_plan_read(text, size, person, &request, NULL),
                         PSN_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_opens_the_vault_could_read_all_of_it, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_narrow_departure_is_of_what_was_seen_alone,
                                        set_up, rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_was_issued_one_password_leaves_with_that_one,
                                        set_up, rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(leaving_twice_changes_nothing, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(nobody_takes_leave_of_himself, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_gets_no_slot, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            who_lost_his_slot_before_he_left_could_read_all_the_same, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(no_replacement_is_made_that_he_could_read, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            who_leaves_has_not_seen_what_is_to_be_put_in_force, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            what_was_ready_while_he_opened_the_vault_is_made_anew, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            who_has_seen_what_is_to_be_put_in_force_is_not_forgotten, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            a_secret_that_was_hidden_is_in_the_vault_all_the_same, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_he_judged_himself_is_judged_anew, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_roles_address_is_nobodys_own, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_was_known_is_read_back_from_the_journal,
                                        set_up, rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(his_are_the_accesses_that_name_him, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            a_password_that_was_set_beside_an_open_door_counts_as_known, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_nothing_removes_and_harms_nobody_is_no_door,
                                        set_up, rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_door_means_nothing_while_nobody_leaves, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_mailbox_is_gone_when_all_is_shown_and_it_is_not,
                                        set_up, rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            a_mailbox_on_another_platform_has_moved_until_it_is_back, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_was_given_up_keeps_its_number, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test(a_plan_names_what_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
