#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/journal.h"
#include "core/linking.h"
#include "core/person.h"
#include "core/role.h"
#include "support/rekey_vault.h"

/* What somebody could read who could open the vault: it is told by who has a slot and by
 * versions, whatever is said of him and whatever the clock says. */

static const char box0[] = "box0@domain-of-the-canary.example";
static const char box1[] = "box1@domain-of-the-canary.example";

/* The vault holds three mailboxes and a licence; Paul can open it. */
static int set_up(void **state)
{
    return rekey_fixture_set_up(state, rekey_vault_make);
}

/* Mine stays, and Paul's goes, or is another one. */
static void rekey(struct rekey_fixture *f, bool paul_stays)
{
    uint8_t mine[PSN_SLOT_ID_SIZE];
    const struct psn_rekey_slot slots[] = {
        { .person = "me", .key = rekey_vault_key(&f->at, REKEY_MINE), .from = mine },
        { .person = "paul", .key = rekey_vault_key(&f->at, REKEY_NEW) },
    };
    const struct psn_rekey rekey = { .slots = slots, .slot_count = paul_stays ? 2 : 1 };
    bool replaced = false;

    memcpy(mine, f->vault->slot, sizeof mine);
    assert_int_equal(psn_vault_rekey(f->vault, &rekey, &replaced, &f->at.err), PSN_OK);
}

static struct psn_departure leave(struct rekey_fixture *f, bool narrow)
{
    const struct psn_departure_request request = { .person = "paul", .narrow = narrow };
    struct psn_departure departure;

    assert_int_equal(psn_departure_begin(f->vault, &request, &f->at.err), PSN_OK);
    assert_int_equal(psn_departure_get(f->vault, "paul", &departure, &f->at.err), PSN_OK);
    return departure;
}

/* The mailbox has that version, and a clock that is right or not says since when. */
static void make_current(struct rekey_fixture *f, const char *address, uint64_t version,
                         int64_t changed_s)
{
    struct psn_role_row row;
    enum psn_code rc;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_role_read(f->vault, address, &row, &f->at.err);
    row.rotation.old = row.rotation.cur;
    row.rotation.cur = row.rotation.last = version;
    row.rotation.old_dead = PSN_ROTATION_OLD_DEAD;
    row.changed_s = changed_s;
    if (!rc)
        rc = psn_role_write(f->vault, &row, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

/* A delegation lets Paul set the password of box1. */
static void see_his_door(struct rekey_fixture *f)
{
    struct psn_access_row row = { .client = "martin" };
    enum psn_code rc;

    row.access.finding.kind = PSN_FINDING_DELEGATION;
    row.access.finding.danger = PSN_DANGER_DANGER;
    (void)snprintf(row.access.finding.subject, sizeof row.access.finding.subject, "%s",
                   box1);
    (void)snprintf(row.access.finding.whose, sizeof row.access.finding.whose,
                   "paul@studio.example");
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_departure_note_doors(f->vault, "martin", &row, 1, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

/* A look shows keys of ours at OVH, made on those days, and at the end whether each
 * counts as Paul's. */
static void see_our_keys(struct rekey_fixture *f, const int64_t *since_s, bool *ret_his,
                         size_t count)
{
    static unsigned number; /* other keys each time */
    struct psn_access_row rows[2] = { { .client = "martin" }, { .client = "martin" } };
    enum psn_code rc;

    assert_true(count <= 2);
    for (size_t i = 0; i < count; i++) {
        struct psn_finding *finding = &rows[i].access.finding;

        finding->kind = PSN_FINDING_API_KEY;
        finding->danger = PSN_DANGER_DANGER;
        finding->own = true;
        finding->since_s = since_s[i];
        (void)snprintf(finding->id, sizeof finding->id, "api_key:%u", ++number);
    }
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_departure_note_doors(f->vault, "martin", rows, count, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
    for (size_t i = 0; i < count; i++)
        ret_his[i] = strcmp(rows[i].access.known_to, "paul") == 0;
}

static void link_second_key(struct rekey_fixture *f)
{
    const struct psn_note note = { .event = PSN_EVENT_LINKED, .label = "cut" };
    enum psn_code rc;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_journal_note(f->vault, "martin", &note, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

static enum psn_code count_leaver(void *arg, const struct psn_due *due,
                                  struct psn_error *err)
{
    size_t *count = arg;

    (void)err;
    if (due->kind == PSN_DUE_LEAVER) {
        assert_string_equal(due->person, "paul");
        (*count)++;
    }
    return PSN_OK;
}

static size_t count_leavers(struct rekey_fixture *f, const char *person)
{
    size_t count = 0;

    assert_int_equal(psn_due_each(f->vault, person, count_leaver, &count, &f->at.err),
                     PSN_OK);
    return count;
}

static void who_lost_his_last_slot_is_due_until_his_departure_begins(void **state)
{
    struct rekey_fixture *f = *state;

    assert_int_equal(count_leavers(f, NULL), 0);
    rekey(f, false);
    assert_int_equal(count_leavers(f, NULL), 1);
    assert_int_equal(count_leavers(f, "paul"), 1);
    assert_int_equal(count_leavers(f, "me"), 0);
    assert_int_equal(leave(f, false).rotate, REKEY_ROLES);
    assert_int_equal(count_leavers(f, NULL), 0);
}

static void who_moves_to_another_slot_is_no_leaver(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_vault_keys before;
    struct psn_vault_keys after;

    assert_int_equal(psn_vault_public_keys(f->vault, &before, &f->at.err), PSN_OK);
    rekey(f, true);
    assert_int_equal(psn_vault_public_keys(f->vault, &after, &f->at.err), PSN_OK);
    assert_string_equal(before.fingerprint, after.fingerprint);
    assert_int_equal(count_leavers(f, NULL), 0);
}

static void who_has_a_slot_again_is_no_leaver(void **state)
{
    struct rekey_fixture *f = *state;
    const struct psn_key key = rekey_vault_key(&f->at, REKEY_NEW);
    bool is_new = false;

    rekey(f, false);
    assert_int_equal(psn_slot_add(f->vault, "paul", &key, &is_new, &f->at.err), PSN_OK);
    assert_int_equal(count_leavers(f, NULL), 0);
    assert_int_equal(leave(f, false).rotate, REKEY_ROLES);
}

static void who_could_open_the_vault_is_not_forgotten_before_he_has_left(void **state)
{
    struct rekey_fixture *f = *state;

    rekey(f, false);
    assert_int_equal(psn_person_rm(f->vault, "paul", &f->at.err), PSN_E_POLICY);
    (void)leave(f, true);
    assert_int_equal(psn_person_rm(f->vault, "paul", &f->at.err), PSN_E_POLICY);
}

static void what_was_set_by_a_clock_that_was_ahead_was_there_all_the_same(void **state)
{
    struct rekey_fixture *f = *state;

    make_current(f, box0, 3, f->vault->world.now_s() + 172800);
    rekey(f, false);
    assert_int_equal(leave(f, false).rotate, REKEY_ROLES);
}

static void what_was_set_after_his_slot_went_he_could_not_read(void **state)
{
    struct rekey_fixture *f = *state;

    rekey(f, false);
    make_current(f, box0, 3, 1);
    assert_int_equal(leave(f, false).rotate, REKEY_ROLES - 1);
}

/* By explicit choice what was there before does not count, but what came then does. */
static void what_was_set_while_a_narrow_leaver_had_a_slot_counts(void **state)
{
    struct rekey_fixture *f = *state;

    assert_int_equal(leave(f, true).rotate, 0);
    make_current(f, box1, 3, 1);
    rekey(f, false);
    make_current(f, box0, 3, f->vault->world.now_s() + 172800);
    assert_int_equal(psn_departure_note_slot_gone(f->vault, "paul", &f->at.err), PSN_OK);
    assert_int_equal(leave(f, true).rotate, 1);
}

/* His departure began by a clock that was ahead; the password was set by one that is
 * right. */
static void what_is_set_beside_an_open_door_counts_by_any_clock(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_person paul = { .id = "paul", .email = "paul@studio.example" };
    struct psn_departure departure;

    assert_int_equal(psn_person_set(f->vault, &paul, &f->at.err), PSN_OK);
    rekey(f, false);
    assert_int_equal(leave(f, false).rotate, REKEY_ROLES);
    make_current(f, box1, 3, 1);
    see_his_door(f);
    assert_int_equal(psn_departure_get(f->vault, "paul", &departure, &f->at.err), PSN_OK);
    assert_int_equal(departure.rotate, REKEY_ROLES);
}

static void a_narrow_departure_takes_the_rest_when_it_is_asked_for(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure departure;

    assert_true(leave(f, true).narrow);
    departure = leave(f, false);
    assert_false(departure.narrow);
    assert_int_equal(departure.rotate, REKEY_ROLES);
    assert_int_equal(departure.tasks, 1);
    assert_false(leave(f, true).narrow);
}

static void it_takes_what_lay_there_when_his_slot_went(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure departure;

    rekey(f, false);
    make_current(f, box0, 3, 1);
    assert_int_equal(leave(f, true).rotate, 0);
    departure = leave(f, false);
    assert_int_equal(departure.rotate, REKEY_ROLES - 1);
    assert_int_equal(departure.tasks, 1);
}

static int64_t two_days_ahead(void)
{
    return psn_clock_now_s() + 172800;
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

static void what_is_noted_after_the_beginning_is_in_the_report_by_any_clock(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_scope scope = { 0 };
    struct psn_person paul;
    bool has_cms = false;

    f->vault->world.now_s = two_days_ahead;
    (void)leave(f, false);
    f->vault->world.now_s = psn_clock_now_s;
    add_cms(f);
    rekey(f, false);
    assert_int_equal(psn_departure_note_slot_gone(f->vault, "paul", &f->at.err), PSN_OK);
    assert_int_equal(psn_person_get(f->vault, "paul", &paul, &f->at.err), PSN_OK);
    assert_int_equal(psn_scope_of(f->vault, &paul, &scope, &f->at.err), PSN_OK);
    for (size_t i = 0; i < scope.target_count; i++)
        has_cms = has_cms || strcmp(scope.targets[i].label, "cms") == 0;
    assert_true(has_cms);
    psn_scope_release(&scope);
}

/* OVH's clock is ahead of ours by years. */
static void a_key_he_could_read_is_his_by_any_clock(void **state)
{
    struct rekey_fixture *f = *state;
    const int64_t since_s[] = { 4000000000, 4000000001 };
    bool his[2];

    link_second_key(f);
    rekey(f, false);
    (void)leave(f, false);
    see_our_keys(f, since_s, his, 1);
    assert_true(his[0]);
    see_our_keys(f, since_s, his, 2);
    assert_true(his[0] && his[1]);
}

static void a_key_that_is_made_while_he_has_a_slot_is_his(void **state)
{
    struct rekey_fixture *f = *state;
    const int64_t since_s[] = { 1, 4000000000 };
    bool his[2];

    (void)leave(f, false);
    link_second_key(f);
    see_our_keys(f, since_s, his, 2);
    assert_true(his[0] && his[1]);
}

static void a_second_key_that_came_when_his_slot_was_gone_is_not_his(void **state)
{
    struct rekey_fixture *f = *state;
    const int64_t since_s[] = { 4000000000, 4000000001 };
    const int64_t unclear_s[] = { 4000000000, 4000000000 };
    bool his[2];

    rekey(f, false);
    (void)leave(f, false);
    link_second_key(f);
    see_our_keys(f, since_s, his, 2);
    assert_true(his[0] && !his[1]);
    see_our_keys(f, since_s, his, 1); /* which of the two it is, nothing tells */
    assert_true(his[0]);
    see_our_keys(f, unclear_s, his, 2);
    assert_true(his[0] && his[1]);
}

static void forget_mark(struct rekey_fixture *f)
{
    struct psn_person paul;
    uint64_t revision = 0;
    enum psn_code rc;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err), PSN_OK);
    rc = psn_person_load(f->vault, "paul", &paul, &revision, &f->at.err);
    paul.departure.held_slot = false;
    if (!rc)
        rc = psn_person_store(f->vault, &paul, revision + 1, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

static void a_slot_that_an_earlier_program_took_away_is_found_in_the_journal(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_departure departure;

    rekey(f, false);
    forget_mark(f);
    departure = leave(f, false);
    assert_true(departure.held_slot);
    assert_int_equal(departure.rotate, REKEY_ROLES);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, rekey_fixture_tear_down)
        T(who_lost_his_last_slot_is_due_until_his_departure_begins),
        T(who_moves_to_another_slot_is_no_leaver),
        T(who_has_a_slot_again_is_no_leaver),
        T(who_could_open_the_vault_is_not_forgotten_before_he_has_left),
        T(what_was_set_by_a_clock_that_was_ahead_was_there_all_the_same),
        T(what_was_set_after_his_slot_went_he_could_not_read),
        T(what_was_set_while_a_narrow_leaver_had_a_slot_counts),
        T(what_is_set_beside_an_open_door_counts_by_any_clock),
        T(a_narrow_departure_takes_the_rest_when_it_is_asked_for),
        T(it_takes_what_lay_there_when_his_slot_went),
        T(what_is_noted_after_the_beginning_is_in_the_report_by_any_clock),
        T(a_key_he_could_read_is_his_by_any_clock),
        T(a_key_that_is_made_while_he_has_a_slot_is_his),
        T(a_second_key_that_came_when_his_slot_was_gone_is_not_his),
        T(a_slot_that_an_earlier_program_took_away_is_found_in_the_journal),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
