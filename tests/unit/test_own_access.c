#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "passation/passation.h"
#include "support/account_vault.h"

/* Keys 12 (daily) and 13 (one day) of our application 7; 14 of somebody else's, 8. */
static const struct account_keys both = { .application = "ours",
                                          .daily = "daily",
                                          .cut = "cut" };

static void fill(void)
{
    fake_account_reset();
    account.applications[0].id = 7;
    account.applications[0].key = "ours";
    account.applications[1].id = 8;
    account.applications[1].key = "theirs";
    account.keys[0] =
        (struct fake_key){ 12, 7, "daily", "validated", true, false, false };
    account.keys[1] = (struct fake_key){ 13, 7, "cut", "validated", false, true, false };
    account.keys[2] =
        (struct fake_key){ 14, 8, "their", "validated", false, false, false };
}

static int set_up(void **state)
{
    struct account_vault *v = calloc(1, sizeof *v);

    assert_non_null(v);
    fill();
    account_vault_make(v, &both);
    *state = v;
    return 0;
}

static int tear_down(void **state)
{
    account_vault_release(*state);
    free(*state);
    return 0;
}

static char seen[2048];

static enum psn_code write_down(void *arg, const struct psn_own_access *access,
                                struct psn_error *err)
{
    size_t used = strlen(seen);

    (void)arg;
    (void)err;
    assert_true(access->detail[0]);
    (void)snprintf(seen + used, sizeof seen - used, "%s%s%s ", access->id,
                   access->is_last ? "!" : "", access->is_kept ? "=" : "");
    return PSN_OK;
}

static void expect_list(struct account_vault *v, const char *expected)
{
    seen[0] = '\0';
    if (psn_own_access_list(v->vault, "martin", write_down, NULL, &v->err))
        fail_msg("%s", v->err.message);
    assert_string_equal(seen, expected);
    assert_int_equal(account.changes, 0);
}

static void expect_revoked(struct account_vault *v, size_t removed, size_t kept)
{
    struct psn_own_access_report report;

    if (psn_own_access_revoke(v->vault, "martin", &report, &v->err))
        fail_msg("%s; %s", v->err.message, v->err.hint);
    assert_int_equal(report.removed, removed);
    assert_int_equal(report.kept, kept);
    assert_non_null(strstr(report.proof, "INVALID_"));
    assert_int_equal(report.proved_s, account.now_s);
}

static void expect_refused(struct account_vault *v, enum psn_code code, const char *words)
{
    struct psn_own_access_report report;

    assert_int_equal(psn_own_access_revoke(v->vault, "martin", &report, &v->err), code);
    if (!strstr(v->err.message, words) && !strstr(v->err.hint, words))
        fail_msg("%s; %s", v->err.message, v->err.hint);
    assert_int_equal(account.changes, 0);
}

/* --- what goes, and in which order --- */

static void the_application_goes_last_and_takes_its_key_with_it(void **state)
{
    struct account_vault *v = *state;

    expect_list(v, "api_key:12 api_key:13 api_application:7! ");
    expect_revoked(v, 2, 0);
    assert_true(account.applications[0].gone);
    assert_true(account.keys[0].gone && account.keys[1].gone);
    assert_false(account.applications[1].gone || account.keys[2].gone);
}

static void the_dead_keys_are_forgotten_and_the_end_is_told_again(void **state)
{
    struct account_vault *v = *state;
    struct psn_own_access_report report;
    struct psn_client client = psn_client_init();
    size_t requests;

    expect_revoked(v, 2, 0);
    assert_int_equal(psn_client_get(v->vault, "martin", &client, &v->err), PSN_OK);
    assert_false(client.linked || client.keys.cut_expires_s);
    psn_client_release(&client);
    requests = account.requests;
    assert_int_equal(psn_own_access_revoke(v->vault, "martin", &report, &v->err), PSN_OK);
    assert_true(report.was_gone);
    assert_int_equal(account.requests, requests);
}

static void an_application_of_ours_elsewhere_stays(void **state)
{
    struct account_vault *v = *state;

    account.applications[0].elsewhere = true;
    expect_list(v, "api_key:12 api_key:13! ");
    expect_revoked(v, 2, 0);
    assert_false(account.applications[0].gone);
}

static void two_applications_go_one_after_the_other(void **state)
{
    struct account_vault *v = *state;
    const struct account_keys keys = {
        .application = "ours", .daily = "daily", .cut = "cut", .cut_application = "second"
    };

    account.applications[2].id = 9;
    account.applications[2].key = "second";
    account.keys[1].application = 9;
    account_vault_link(v, "martin", account.nic, &keys);
    expect_list(v, "api_key:12 api_application:7 api_key:13 api_application:9! ");
    expect_revoked(v, 3, 0);
    assert_true(account.applications[0].gone && account.applications[2].gone);
}

static void an_application_of_other_clients_stays(void **state)
{
    struct account_vault *v = *state;
    const struct account_keys other = { .application = "ours", .daily = "elsewhere" };

    account_vault_link(v, "durand", "xd000000-ovh", &other);
    expect_list(v, "api_key:12 api_application:7= api_key:13! ");
    expect_revoked(v, 2, 1);
    assert_false(account.applications[0].gone);
}

/* Two clients, one account: the other's key is not ours to remove here. */
static void a_key_of_another_client_in_the_account_stays(void **state)
{
    struct account_vault *v = *state;
    const struct account_keys other = { .application = "ours", .daily = "durands" };

    account.keys[3] =
        (struct fake_key){ 15, 7, "durands", "validated", true, false, false };
    account_vault_link(v, "durand", account.nic, &other);
    expect_list(v, "api_key:12 api_application:7= api_key:13! ");
    expect_revoked(v, 2, 1);
    assert_false(account.keys[3].gone);
}

static void a_key_that_another_client_has_too_is_not_removed(void **state)
{
    struct account_vault *v = *state;
    const struct account_keys same = { .application = "ours", .daily = "daily" };
    const struct account_keys own = { .application = "ours", .daily = "durands" };

    account_vault_link(v, "durand", account.nic, &same);
    expect_refused(v, PSN_E_POLICY, "passation ovh link durand --new");
    account.keys[3] =
        (struct fake_key){ 15, 7, "durands", "validated", true, false, false };
    account_vault_link(v, "durand", account.nic, &own);
    psn_error_clear(&v->err);
    expect_revoked(v, 2, 1);
    assert_false(account.keys[3].gone);
}

static void a_key_that_was_replaced_goes_too(void **state)
{
    struct account_vault *v = *state;

    account.keys[3] =
        (struct fake_key){ 11, 7, "former", "validated", true, false, false };
    expect_list(v, "api_key:12 api_key:11 api_key:13 api_application:7! ");
    expect_revoked(v, 3, 0);
    assert_true(account.keys[3].gone);
}

static void a_service_account_goes_after_its_policies(void **state)
{
    struct account_vault *v = *state;
    const struct account_keys keys = { .application = "ours",
                                       .cut = "cut",
                                       .client_id = "EU.c1" };

    account.keys[0].gone = true;
    account.client_id = "EU.c1";
    account.policies[0].id = "u1";
    account.policies[0].identities = "[\"urn:v1:eu:identity:credential:x/oauth2-EU.c1\"]";
    account.policies[1].id = "u2";
    account.policies[1].identities = "[\"urn:v1:eu:identity:account:y\",\"urn:v1:eu:"
                                     "identity:credential:x/oauth2-EU.c1\"]";
    account.policies[2].id = "u3";
    account.policies[2].identities = "[\"urn:v1:eu:identity:credential:x/oauth2-EU.c2\"]";
    account_vault_link(v, "martin", account.nic, &keys);
    expect_list(v, "iam_policy:u1 iam_policy:u2= oauth_client:EU.c1 api_key:13 "
                   "api_application:7! ");
    expect_revoked(v, 3, 1);
    assert_true(account.policies[0].gone && account.client_gone);
    assert_false(account.policies[1].gone || account.policies[2].gone);
}

/* --- with the key for daily work alone --- */

static void link_daily(struct account_vault *v)
{
    const struct account_keys keys = { .application = "ours", .daily = "daily" };

    account.keys[1].gone = true;
    account_vault_link(v, "martin", account.nic, &keys);
}

static void a_daily_key_without_the_right_asks_for_another(void **state)
{
    struct account_vault *v = *state;

    link_daily(v);
    expect_refused(v, PSN_E_POLICY, "ovh link martin --for cut");
    assert_int_equal(account_vault_notes(v, "own_access.ordered"), 0);
}

/* An application that it could not remove would stay. */
static void a_daily_key_that_may_log_out_leaves_no_application(void **state)
{
    struct account_vault *v = *state;

    link_daily(v);
    account.keys[0].may_log_out = true;
    expect_refused(v, PSN_E_POLICY, "DELETE /me/api/application/7");
    account.applications[0].elsewhere = true;
    expect_revoked(v, 1, 0);
    assert_true(account.keys[0].gone);
}

static void a_key_that_has_ended_may_stay(void **state)
{
    struct account_vault *v = *state;

    link_daily(v);
    account.keys[0].may_log_out = true;
    account.applications[0].elsewhere = true;
    account.keys[3] = (struct fake_key){ 11, 7, "former", "expired", true, false, false };
    expect_list(v, "api_key:11= api_key:12! ");
    expect_revoked(v, 1, 1);
}

static void without_a_link_there_is_nothing_to_act_with(void **state)
{
    struct account_vault *v = *state;
    const struct account_keys none = { .application = NULL };

    account_vault_link(v, "martin", account.nic, &none);
    expect_refused(v, PSN_E_POLICY, "ovh link martin --for cut");
}

/* It would go on working, and nobody would know of it any more. */
static void a_daily_key_that_is_refused_for_another_reason_is_not_gone(void **state)
{
    struct account_vault *v = *state;

    account.barred = 12;
    expect_refused(v, PSN_E_REFUSED, "");
    assert_int_equal(account_vault_notes(v, "own_access.ordered"), 0);
    account.barred = 0;
    account.keys[0].gone = true;
    expect_revoked(v, 1, 0);
}

/* --- keys that others have removed --- */

static void a_key_that_others_removed_is_no_end(void **state)
{
    struct account_vault *v = *state;

    account.keys[1].gone = true;
    expect_refused(v, PSN_E_REFUSED, "--for cut");
    assert_false(account.keys[0].gone);
}

static enum psn_code find_last(void *arg, const struct psn_journal_entry *entry,
                               struct psn_error *err)
{
    (void)err;
    *(bool *)arg = *(bool *)arg || strncmp(entry->text, "last: ", 6) == 0;
    return PSN_OK;
}

static bool has_last_order(struct account_vault *v)
{
    bool has = false;

    assert_int_equal(psn_journal_each(v->vault, "martin", 0, find_last, &has, &v->err),
                     PSN_OK);
    return has;
}

/* The application was to go with a key whose day is over now: nothing proves that it has
 * gone. */
static void a_day_that_is_over_proves_nothing(void **state)
{
    struct account_vault *v = *state;
    struct psn_own_access_report report;

    account.loss = FAKE_DEAD;
    account.keys[0].gone = true;
    for (account.lost = 1; !has_last_order(v); account.lost++) {
        account.requests = 0;
        assert_int_not_equal(psn_own_access_revoke(v->vault, "martin", &report, NULL),
                             PSN_OK);
    }
    account.lost = 0;
    account.now_s += 2 * 86400;
    account.keys[1].status = "expired";
    assert_int_equal(psn_own_access_revoke(v->vault, "martin", &report, &v->err),
                     PSN_E_REFUSED);
    assert_non_null(strstr(v->err.hint, "--for cut"));
    assert_false(account.applications[0].gone);
    account.applications[0].gone = true;
    psn_error_clear(&v->err);
    assert_int_equal(psn_own_access_revoke(v->vault, "martin", &report, &v->err), PSN_OK);
}

/* A new key is not covered by an old order. */
static void an_order_before_a_new_link_is_no_proof(void **state)
{
    struct account_vault *v = *state;
    struct psn_own_access_report report;

    account.applications[0].elsewhere = true;
    expect_revoked(v, 2, 0);
    account.keys[0].gone = false;
    account_vault_link(v, "martin", account.nic, &both);
    assert_int_equal(psn_own_access_revoke(v->vault, "martin", &report, &v->err),
                     PSN_E_REFUSED);
    assert_false(account.keys[0].gone);
}

/* --- faults --- */

static bool goes_well(struct account_vault *v)
{
    struct psn_own_access_report report;

    psn_error_clear(&v->err);
    return psn_own_access_revoke(v->vault, "martin", &report, &v->err) == PSN_OK;
}

/* Whatever request is lost, and however: run again, it is finished. */
static void sweep_of(enum fake_loss loss, bool elsewhere)
{
    bool was_hit = true;

    for (size_t n = 1; was_hit; n++) {
        struct account_vault v;
        bool done;

        fill();
        account.applications[0].elsewhere = elsewhere;
        account_vault_make(&v, &both);
        account.lost = n;
        account.loss = loss;
        done = goes_well(&v);
        was_hit = account.requests >= n;
        account.lost = 0;
        if (!done) {
            assert_true(v.err.code == PSN_E_NETWORK || v.err.code == PSN_E_UNFINISHED);
            account_vault_reopen(&v);
            done = goes_well(&v);
        }
        if (!done)
            fail_msg("request %zu, loss %d: %s", n, (int)loss, v.err.message);
        assert_true(account.keys[0].gone && account.keys[1].gone);
        assert_int_equal(account.applications[0].gone, !elsewhere);
        assert_false(account.keys[2].gone);
        assert_int_equal(account_vault_notes(&v, "own_access.proved"), 1);
        account_vault_release(&v);
    }
}

static void each_request_may_be_lost_before_its_effect(void **state)
{
    (void)state;
    sweep_of(FAKE_LOST_BEFORE, false);
    sweep_of(FAKE_LOST_BEFORE, true);
}

static void each_request_may_be_lost_after_its_effect(void **state)
{
    (void)state;
    sweep_of(FAKE_LOST_AFTER, false);
    sweep_of(FAKE_LOST_AFTER, true);
}

static void a_run_may_end_at_each_request(void **state)
{
    (void)state;
    sweep_of(FAKE_DEAD, false);
    sweep_of(FAKE_DEAD, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_application_goes_last_and_takes_its_key_with_it),
        TEST(the_dead_keys_are_forgotten_and_the_end_is_told_again),
        TEST(an_application_of_ours_elsewhere_stays),
        TEST(two_applications_go_one_after_the_other),
        TEST(an_application_of_other_clients_stays),
        TEST(a_key_of_another_client_in_the_account_stays),
        TEST(a_key_that_another_client_has_too_is_not_removed),
        TEST(a_key_that_was_replaced_goes_too),
        TEST(a_service_account_goes_after_its_policies),
        TEST(a_daily_key_without_the_right_asks_for_another),
        TEST(a_daily_key_that_may_log_out_leaves_no_application),
        TEST(a_daily_key_that_is_refused_for_another_reason_is_not_gone),
        TEST(a_key_that_has_ended_may_stay),
        TEST(without_a_link_there_is_nothing_to_act_with),
        TEST(a_key_that_others_removed_is_no_end),
        TEST(a_day_that_is_over_proves_nothing),
        TEST(an_order_before_a_new_link_is_no_proof),
        cmocka_unit_test(each_request_may_be_lost_before_its_effect),
        cmocka_unit_test(each_request_may_be_lost_after_its_effect),
        cmocka_unit_test(a_run_may_end_at_each_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
