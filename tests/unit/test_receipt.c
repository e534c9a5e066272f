#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/issue_row.h"
#include "core/receipt.h"
#include "passation/passation.h"
#include "support/tmpdir.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void a_new_code_has_its_form_and_its_check_digit(void **state)
{
    char before[PSN_RECEIPT_SIZE] = "";

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char code[PSN_RECEIPT_SIZE];
        char normal[PSN_RECEIPT_SIZE];

        psn_receipt_new(code);
        assert_int_equal(strlen(code), PSN_RECEIPT_SIZE - 1);
        for (size_t j = 0; j < sizeof code - 1; j++)
            assert_true(j == 5 || j == 11 ? code[j] == '-'
                                          : strchr(alphabet, code[j]) != NULL);
        assert_int_equal(psn_receipt_normalize(code, normal, NULL), PSN_OK);
        assert_string_equal(normal, code);
        assert_string_not_equal(code, before);
        memcpy(before, code, sizeof before);
    }
}

/* Frozen: the digit is part of the format. */
static void the_check_digit_stays_what_it_is(void **state)
{
    char code[PSN_RECEIPT_SIZE];

    (void)state;
    assert_int_equal(psn_receipt_normalize("00000000000", code, NULL), PSN_OK);
    assert_string_equal(code, "00000-00000-0");
    assert_int_equal(psn_receipt_normalize("K7MQ29XWVTA", code, NULL), PSN_OK);
    assert_string_equal(code, "K7MQ2-9XWVT-A");
}

static void people_may_type_it_as_they_read_it(void **state)
{
    static const char *const spelled[] = { "00000-00000-0", "ooooo ooooo o",
                                           "OOOOO-00000-0", "0 0 0 0 0 0 0 0 0 0 0",
                                           "00000000000" };
    char code[PSN_RECEIPT_SIZE];
    char again[PSN_RECEIPT_SIZE];
    char typed[PSN_RECEIPT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
        assert_int_equal(psn_receipt_normalize(spelled[i], code, NULL), PSN_OK);
        assert_string_equal(code, "00000-00000-0");
    }
    for (int i = 0; i < 500; i++) {
        psn_receipt_new(code);
        memcpy(typed, code, sizeof typed);
        for (char *at = typed; *at; at++) {
            if (*at == '1')
                *at = i % 2 ? 'l' : 'I';
            else if (*at >= 'A')
                *at = (char)(*at - 'A' + 'a');
        }
        assert_int_equal(psn_receipt_normalize(typed, again, NULL), PSN_OK);
        assert_string_equal(again, code);
    }
}

static void what_is_no_code_is_refused_with_advice(void **state)
{
    static const char *const bad[] = { "",
                                       "-",
                                       "00000-00000",
                                       "00000-00000-03",
                                       "00000-0000U-0",
                                       "00000-0000\303\251-0",
                                       "00000-00000-\t0",
                                       "00000-00000-0\n",
                                       "00000-00000-4",
                                       "000000000000000000000000000000000000000000000" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct psn_error err = { 0 };
        char code[PSN_RECEIPT_SIZE];

        assert_int_equal(psn_receipt_normalize(bad[i], code, &err), PSN_E_INVALID);
        assert_string_not_equal(err.message, "");
    }
}

static void every_wrong_or_swapped_digit_is_found(void **state)
{
    unsigned tried = 0;
    unsigned found = 0;
    unsigned swaps = 0;
    unsigned swaps_found = 0;

    (void)state;
    for (int i = 0; i < 40; i++) {
        char code[PSN_RECEIPT_SIZE];
        char normal[PSN_RECEIPT_SIZE];

        psn_receipt_new(code);
        for (size_t at = 0; at < sizeof code - 1; at++) {
            char right = code[at];

            for (size_t j = 0; right != '-' && j < sizeof alphabet - 1; j++) {
                code[at] = alphabet[j];
                if (code[at] == right)
                    continue;
                tried++;
                found += psn_receipt_normalize(code, normal, NULL) != PSN_OK;
            }
            code[at] = right;
            if (at > 0 && right != '-' && code[at - 1] != '-' && code[at - 1] != right) {
                code[at] = code[at - 1];
                code[at - 1] = right;
                swaps++;
                swaps_found += psn_receipt_normalize(code, normal, NULL) != PSN_OK;
                code[at - 1] = code[at];
                code[at] = right;
            }
        }
    }
    assert_true(tried > 13000 && swaps > 250);
    assert_int_equal(found, tried);
    assert_int_equal(swaps_found, swaps);
}

/* --- codes against the issues of a vault --- */

enum {
    ISSUES = 2,
    TRIES_PER_ISSUE = 5,
    TRIES_PER_HOUR = 20,
    HOUR_S = 3600,
    NO_SERIAL = 9, /* of no issue */
};

struct fixture {
    struct tmpdir dir;
    char path[TMPDIR_PATH_MAX];
    struct psn_vault *vault;
    char codes[ISSUES + 1][PSN_RECEIPT_SIZE]; /* by serial */
    struct psn_error err;                     /* of the last check */
};

static int64_t now_s;

static int64_t fake_now(void)
{
    return now_s;
}

static void add_client(struct psn_vault *vault)
{
    struct psn_client client = psn_client_init();

    (void)snprintf(client.id, sizeof client.id, "martin");
    (void)snprintf(client.nic, sizeof client.nic, "ab1234-ovh");
    assert_int_equal(psn_client_add_domain(&client, "martin.example", NULL), PSN_OK);
    assert_int_equal(psn_client_add(vault, &client, NULL), PSN_OK);
    psn_client_release(&client);
}

static void add_issue(struct fixture *f, uint64_t serial)
{
    struct psn_issue_row row = { .serial = serial,
                                 .state = PSN_ISSUE_WRITTEN,
                                 .created_s = now_s };

    psn_receipt_new(f->codes[serial]);
    (void)snprintf(row.person, sizeof row.person, "jp");
    (void)snprintf(row.client, sizeof row.client, "martin");
    (void)snprintf(row.receipt, sizeof row.receipt, "%s", f->codes[serial]);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, NULL), PSN_OK);
    assert_int_equal(psn_issue_row_write(f->vault, &row, NULL), PSN_OK);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, NULL), PSN_OK);
}

static int set_up_vault(void **state)
{
    static const char identity[] =
        "AGE-SECRET-KEY-1GT05DEKNZMYRD5S6QDCPZ80WFSLMDN3VHQFK2UEQML2NLZKHCWXQX27TDM\n";
    struct fixture *f = calloc(1, sizeof *f);
    PSN_AUTO(psn_secret) *secret = NULL;
    struct psn_key key = { PSN_SLOT_IDENTITY, NULL };
    struct psn_world world;

    assert_non_null(f);
    now_s = 1000000;
    tmpdir_make(&f->dir);
    assert_int_equal(psn_secret_copy(identity, sizeof identity - 1, &secret, NULL),
                     PSN_OK);
    key.secret = secret;
    assert_int_equal(
        psn_vault_create(
            &(struct psn_vault_options){ .path = tmpdir_path(&f->dir, "v.db", f->path) },
            &(struct psn_person){ .id = "me" }, &key, 1, &f->vault, NULL),
        PSN_OK);
    world = f->vault->world;
    world.now_s = fake_now;
    psn_vault_set_world(f->vault, &world);
    add_client(f->vault);
    for (uint64_t serial = 1; serial <= ISSUES; serial++)
        add_issue(f, serial);
    *state = f;
    return 0;
}

static int tear_down_vault(void **state)
{
    struct fixture *f = *state;

    psn_vault_free(f->vault);
    tmpdir_remove(&f->dir);
    free(f);
    return 0;
}

/* *ret_serial: of the issue that was confirmed. */
static enum psn_code check(struct fixture *f, uint64_t serial, const char *code,
                           uint64_t *ret_serial)
{
    struct psn_issue issue = { 0 };
    enum psn_code rc;

    f->err = (struct psn_error){ 0 };
    rc = psn_receipt_check(f->vault, serial, code, &issue, &f->err);
    assert_int_equal(f->err.code, rc);
    assert_int_equal(issue.state, rc ? 0 : PSN_ISSUE_CONFIRMED);
    assert_null(issue.addresses); /* they went with the row */
    assert_int_equal(issue.address_count, 0);
    if (!rc)
        *ret_serial = issue.serial;
    else
        assert_int_equal(issue.serial, 0);
    return rc;
}

static void check_wrong(struct fixture *f, uint64_t serial, int times)
{
    while (times-- > 0) {
        char code[PSN_RECEIPT_SIZE];
        uint64_t none;

        psn_receipt_new(code);
        assert_int_equal(check(f, serial, code, &none), PSN_E_VERIFY);
        assert_non_null(strstr(f->err.message, "fits no issue"));
    }
}

static void a_right_code_confirms_its_issue_with_and_without_its_serial(void **state)
{
    struct fixture *f = *state;
    uint64_t serial = 0;

    assert_int_equal(check(f, 1, f->codes[2], &serial), PSN_E_VERIFY);
    assert_int_equal(check(f, 2, f->codes[2], &serial), PSN_OK);
    assert_int_equal(serial, 2);
    assert_int_equal(check(f, 0, f->codes[1], &serial), PSN_OK);
    assert_int_equal(serial, 1);
    assert_int_equal(check(f, 1, f->codes[1], &serial), PSN_OK);
}

struct kept {
    uint64_t serial;
    enum psn_issue_state state;
    int64_t confirmed_s;
};

static enum psn_code keep(void *arg, const struct psn_issue_row *row,
                          struct psn_error *err)
{
    struct kept *kept = arg;

    (void)err;
    if (row->serial == kept->serial) {
        kept->state = row->state;
        kept->confirmed_s = row->confirmed_s;
    }
    return PSN_OK;
}

static struct kept kept_of(struct fixture *f, uint64_t serial)
{
    struct kept kept = { .serial = serial };

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, NULL), PSN_OK);
    assert_int_equal(psn_issue_row_each(f->vault, NULL, keep, &kept, NULL), PSN_OK);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, NULL), PSN_OK);
    return kept;
}

static void the_vault_keeps_when_an_issue_was_first_confirmed(void **state)
{
    struct fixture *f = *state;
    int64_t first_s = now_s;
    uint64_t serial = 0;

    check_wrong(f, 1, 1);
    assert_int_equal(kept_of(f, 1).state, PSN_ISSUE_WRITTEN);
    assert_int_equal(kept_of(f, 1).confirmed_s, 0);
    for (int time = 0; time < 2; time++) {
        assert_int_equal(check(f, 1, f->codes[1], &serial), PSN_OK);
        assert_int_equal(kept_of(f, 1).state, PSN_ISSUE_CONFIRMED);
        assert_int_equal(kept_of(f, 1).confirmed_s, first_s);
        now_s += HOUR_S;
    }
    assert_int_equal(kept_of(f, 2).state, PSN_ISSUE_WRITTEN);
}

static void an_unknown_serial_is_refused_and_costs_no_other_issue_a_try(void **state)
{
    struct fixture *f = *state;
    uint64_t serial = 0;

    for (int i = 0; i <= TRIES_PER_HOUR; i++) {
        assert_int_equal(check(f, NO_SERIAL, f->codes[1], &serial), PSN_E_NOT_FOUND);
        assert_string_equal(f->err.message, "no issue has this serial");
    }
    check_wrong(f, 0, 1);
    assert_int_equal(check(f, 1, f->codes[1], &serial), PSN_OK);
}

static void five_wrong_codes_spend_an_issue_for_good_and_no_other(void **state)
{
    struct fixture *f = *state;
    uint64_t serial = 0;

    check_wrong(f, 1, TRIES_PER_ISSUE);
    for (uint64_t named = 0; named <= 1; named++) {
        assert_int_equal(check(f, named, f->codes[1], &serial), PSN_E_POLICY);
        assert_non_null(strstr(f->err.message, "five wrong codes"));
        assert_non_null(strstr(f->err.hint, "grant the role again"));
        now_s += HOUR_S;
    }
    /* Nor is a wrong one told from the right one any more. */
    assert_int_equal(check(f, 1, f->codes[2], &serial), PSN_E_POLICY);
    assert_int_equal(check(f, 2, f->codes[2], &serial), PSN_OK);
}

static void what_is_confirmed_stays_so_whatever_is_typed_afterwards(void **state)
{
    struct fixture *f = *state;
    uint64_t serial = 0;

    assert_int_equal(check(f, 1, f->codes[1], &serial), PSN_OK);
    check_wrong(f, 1, TRIES_PER_ISSUE);
    for (uint64_t named = 0; named <= 1; named++) {
        serial = 0;
        assert_int_equal(check(f, named, f->codes[1], &serial), PSN_OK);
        assert_int_equal(serial, 1);
    }
    assert_int_equal(check(f, 1, f->codes[2], &serial), PSN_E_POLICY);
}

static void twenty_wrong_codes_without_a_serial_spend_an_hour(void **state)
{
    struct fixture *f = *state;
    uint64_t serial = 0;

    check_wrong(f, 0, TRIES_PER_HOUR);
    now_s += HOUR_S - 1;
    assert_int_equal(check(f, 0, f->codes[1], &serial), PSN_E_POLICY);
    assert_non_null(strstr(f->err.message, "twenty wrong receipt codes"));
    assert_non_null(strstr(f->err.hint, "name the issue"));
    assert_int_equal(check(f, 2, f->codes[2], &serial), PSN_OK);
    now_s++;
    check_wrong(f, 0, 1);
    assert_int_equal(check(f, 0, f->codes[1], &serial), PSN_OK);
}

/* --- without memory --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static unsigned fails_after; /* this many allocations; 0: none does */

static bool fails(void)
{
    return fails_after > 0 && --fails_after == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

static enum psn_code count_confirmed(void *arg, const struct psn_issue_row *row,
                                     struct psn_error *err)
{
    (void)err;
    *(unsigned *)arg += row->confirmed_s || row->state == PSN_ISSUE_CONFIRMED ? 1 : 0;
    return PSN_OK;
}

static unsigned confirmed(struct fixture *f)
{
    unsigned count = 0;

    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, NULL), PSN_OK);
    assert_int_equal(psn_issue_row_each(f->vault, NULL, count_confirmed, &count, NULL),
                     PSN_OK);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, NULL), PSN_OK);
    return count;
}

/* Nor is it taken by half, without its entry in the journal. */
static void a_right_code_for_which_memory_lacks_is_not_called_wrong(void **state)
{
    struct fixture *f = *state;
    unsigned failed = 0;
    uint64_t serial = 0;

    for (uint64_t named = 0; named <= 1; named++) {
        for (unsigned at = 1;; at++) {
            enum psn_code rc;
            bool all_there;

            fails_after = at;
            rc = check(f, named, f->codes[1], &serial);
            all_there = fails_after > 0;
            fails_after = 0;
            if (rc)
                assert_int_equal(rc, PSN_E_NOMEM);
            if (rc && named == 0)
                assert_int_equal(confirmed(f), 0);
            failed += rc ? 1 : 0;
            if (all_there)
                break;
        }
        assert_int_equal(check(f, named, f->codes[1], &serial), PSN_OK);
    }
    assert_true(failed > TRIES_PER_ISSUE);
}

static int set_up(void **state)
{
    (void)state;
    return psn_init(NULL) ? -1 : 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_vault, tear_down_vault)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_code_has_its_form_and_its_check_digit),
        cmocka_unit_test(the_check_digit_stays_what_it_is),
        cmocka_unit_test(people_may_type_it_as_they_read_it),
        cmocka_unit_test(what_is_no_code_is_refused_with_advice),
        cmocka_unit_test(every_wrong_or_swapped_digit_is_found),
        CASE(a_right_code_confirms_its_issue_with_and_without_its_serial),
        CASE(the_vault_keeps_when_an_issue_was_first_confirmed),
        CASE(an_unknown_serial_is_refused_and_costs_no_other_issue_a_try),
        CASE(five_wrong_codes_spend_an_issue_for_good_and_no_other),
        CASE(what_is_confirmed_stays_so_whatever_is_typed_afterwards),
        CASE(twenty_wrong_codes_without_a_serial_spend_an_hour),
        CASE(a_right_code_for_which_memory_lacks_is_not_called_wrong),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
