#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/slot.h"
#include "support/rekey_vault.h"

/* Each slot has a key of its own: else who loses one opens the vault by the other. */

/* Two identities open it: mine and Paul's. */
static int set_up(void **state)
{
    return rekey_fixture_set_up(state, rekey_vault_make);
}

static enum psn_code count(void *arg, const struct psn_slot *slot, struct psn_error *err)
{
    (void)slot;
    (void)err;
    *(size_t *)arg += 1;
    return PSN_OK;
}

static size_t count_slots(struct rekey_fixture *f)
{
    size_t found = 0;

    assert_int_equal(psn_slot_each(f->vault, count, &found, &f->at.err), PSN_OK);
    return found;
}

static void a_key_that_opens_a_slot_is_no_other_slots(void **state)
{
    struct rekey_fixture *f = *state;
    struct psn_key pauls = rekey_vault_key(&f->at, REKEY_PAULS);
    struct psn_key mine = rekey_vault_key(&f->at, REKEY_MINE);
    bool is_new = false;

    assert_int_equal(psn_slot_add(f->vault, "zoe", &pauls, &is_new, &f->at.err),
                     PSN_E_POLICY);
    assert_int_equal(psn_slot_add(f->vault, "me", &mine, &is_new, &f->at.err),
                     PSN_E_POLICY);
    assert_int_equal(psn_slot_set(f->vault, f->vault->slot, &pauls, &f->at.err),
                     PSN_E_POLICY);
    assert_int_equal(count_slots(f), 2);
    assert_int_equal(psn_slot_set(f->vault, f->vault->slot, &mine, &f->at.err), PSN_OK);
}

static enum psn_code rekey_to(struct rekey_fixture *f, const struct psn_rekey_slot *slots,
                              size_t count)
{
    const struct psn_rekey rekey = { .slots = slots, .slot_count = count };
    bool replaced = false;
    enum psn_code rc = psn_vault_rekey(f->vault, &rekey, &replaced, &f->at.err);

    assert_int_equal(replaced, rc == PSN_OK);
    return rc;
}

/* As programs made it that did not look: another slot with my identity. */
static void add_twin(struct rekey_fixture *f, const char *person)
{
    struct psn_key mine = rekey_vault_key(&f->at, REKEY_MINE);
    enum psn_code rc = psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->at.err);

    if (!rc)
        rc = psn_slot_write(f->vault, person, 1, &mine, NULL, &f->at.err);
    assert_int_equal(psn_vault_end(f->vault, rc, &f->at.err), PSN_OK);
}

static void a_slot_does_not_go_while_one_that_stays_has_its_key(void **state)
{
    struct rekey_fixture *f = *state;
    uint8_t id[PSN_SLOT_ID_SIZE];
    struct psn_key other = rekey_vault_key(&f->at, REKEY_NEW);
    struct psn_rekey_slot mine = { .person = "me",
                                   .key = rekey_vault_key(&f->at, REKEY_MINE),
                                   .from = id };

    memcpy(id, f->vault->slot, sizeof id);
    add_twin(f, "paul");
    assert_int_equal(rekey_to(f, &mine, 1), PSN_E_POLICY);
    assert_int_equal(count_slots(f), 3);
    mine.key = other;
    mine.is_changed = true;
    assert_int_equal(rekey_to(f, &mine, 1), PSN_OK);
    assert_int_equal(count_slots(f), 1);
    assert_null(rekey_vault_open(&f->at, REKEY_MINE));
    assert_int_equal(f->at.err.code, PSN_E_DENIED);
}

static void one_of_two_slots_of_the_same_person_and_key_may_go(void **state)
{
    struct rekey_fixture *f = *state;
    uint8_t id[PSN_SLOT_ID_SIZE];
    const struct psn_rekey_slot mine = { .person = "me",
                                         .key = rekey_vault_key(&f->at, REKEY_MINE),
                                         .from = id };

    memcpy(id, f->vault->slot, sizeof id);
    add_twin(f, "me");
    assert_int_equal(rekey_to(f, &mine, 1), PSN_OK);
    assert_int_equal(count_slots(f), 1);
}

static void no_slot_is_changed_to_the_key_of_one_that_stays(void **state)
{
    struct rekey_fixture *f = *state;
    uint8_t ids[2][PSN_SLOT_ID_SIZE];
    struct psn_rekey_slot slots[] = {
        { .person = "me", .key = rekey_vault_key(&f->at, REKEY_MINE), .from = ids[0] },
        { .person = "paul",
          .key = rekey_vault_key(&f->at, REKEY_MINE),
          .from = ids[1],
          .is_changed = true },
    };

    memcpy(ids[0], f->vault->state.slots[0].id, sizeof ids[0]);
    memcpy(ids[1], f->vault->state.slots[1].id, sizeof ids[1]);
    assert_int_equal(rekey_to(f, slots, 2), PSN_E_POLICY);
    slots[1].key = rekey_vault_key(&f->at, REKEY_NEW);
    assert_int_equal(rekey_to(f, slots, 2), PSN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_that_opens_a_slot_is_no_other_slots, set_up,
                                        rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            a_slot_does_not_go_while_one_that_stays_has_its_key, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            one_of_two_slots_of_the_same_person_and_key_may_go, set_up,
            rekey_fixture_tear_down),
        cmocka_unit_test_setup_teardown(no_slot_is_changed_to_the_key_of_one_that_stays,
                                        set_up, rekey_fixture_tear_down),
    };

    return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
