#include <libintl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/i18n.h"
#include "crypto/init.h"
#include "ovh/cut.h"
#include "ovh/walk.h"
#include "support/fake_http.h"

#define PATH   "/email/domain/acme.example/redirection/1"
#define ZONE   "/domain/zone/acme.example"
#define HERE   "{\"id\":\"1\",\"from\":\"a@acme.example\",\"to\":\"b@evil.example\"}"
#define TASK   "{\"id\":\"77\",\"action\":\"delete\"}"
#define REFUSE "{\"errorCode\":\"NOT_GRANTED_CALL\",\"message\":\"not granted\"}"
#define GONE   "{\"class\":\"Client::NotFound\",\"message\":\"gone\"}"
#define BUSY   "{\"class\":\"Client::Conflict\",\"message\":\"busy\"}"

static const struct psn_finding redirection = {
    .kind = PSN_FINDING_REDIRECTION,
    .id = "redirection:1",
    .whose = "b@evil.example",
    .method = "DELETE",
    .path = PATH,
};

static const struct psn_finding contact = {
    .kind = PSN_FINDING_CONTACT,
    .id = "contact:zone/acme.example:tech",
    .whose = "jp2-ovh",
    .method = "POST",
    .path = ZONE "/changeContact",
    .body = "{\"contactTech\":\"xm1-ovh\"}",
};

static const struct psn_finding forwarding = {
    .kind = PSN_FINDING_REDIRECTION,
    .id = "redirection:boss@acme.example:forwarding",
    .whose = "b@evil.example",
    .method = "PUT",
    .path = "/email/exchange/o/service/s/account/boss%40acme.example",
    .body = "{\"forwardingEmail\":null}",
};

static int set_up(void **state)
{
    fake_http_reset();
    if (psn_crypto_init(NULL))
        return -1;
    *state = fake_ovh(0);
    return 0;
}

static int tear_down(void **state)
{
    psn_ovh_free(*state);
    return 0;
}

/* Cuts, and expects this much of it. */
static void expect(struct psn_ovh *ovh, const struct psn_finding *finding,
                   enum psn_cut_state state, int64_t task)
{
    struct psn_error err = { 0 };
    struct psn_cut cut = { PSN_CUT_IMPOSSIBLE, -1 };
    enum psn_code rc = psn_ovh_cut(ovh, finding, &cut, &err);

    if (rc)
        fail_msg("%s", err.message);
    assert_int_equal(err.code, PSN_OK);
    assert_string_equal(psn_cut_state_name(cut.state), psn_cut_state_name(state));
    assert_int_equal(cut.task_id, task);
    assert_int_equal(fake.next, fake.answer_count);
}

static void expect_failure(struct psn_ovh *ovh, const struct psn_finding *finding,
                           enum psn_code code, const char *words)
{
    struct psn_error err = { 0 };
    struct psn_cut cut = { PSN_CUT_WAITING, -1 };

    assert_int_equal(psn_ovh_cut(ovh, finding, &cut, &err), code);
    assert_int_equal(err.code, code);
    if (!strstr(err.message, words) && !strstr(err.hint, words))
        fail_msg("%s; %s", err.message, err.hint);
    assert_non_null(strstr(err.message, finding->id));
    assert_int_equal(cut.task_id, -1);
    assert_int_equal(fake.next, fake.answer_count);
}

/* --- at once, and by a task --- */

static void what_a_second_look_does_not_find_is_gone(void **state)
{
    fake_http_answer(200, HERE);
    fake_http_answer(200, "null");
    fake_http_answer(404, GONE);
    expect(*state, &redirection, PSN_CUT_GONE, 0);
    assert_string_equal(fake.calls[1].method, "DELETE");
    assert_string_equal(fake.calls[1].path, PATH);
    assert_string_equal(fake.calls[2].path, PATH);
}

static void what_is_still_there_is_under_way(void **state)
{
    static const char *const answers[] = { TASK, "[{\"id\":77}]", "77", "\"77\"" };

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        fake_http_answer(200, HERE);
        fake_http_answer(200, answers[i]);
        fake_http_answer(200, HERE);
        expect(*state, &redirection, PSN_CUT_UNDER_WAY, 77);
    }
    fake_http_answer(200, HERE);
    fake_http_answer(200, "\"jp2-ovh\"");
    fake_http_answer(200, HERE);
    expect(*state, &redirection, PSN_CUT_UNDER_WAY, 0);
}

static void what_is_gone_already_is_not_sent_for(void **state)
{
    fake_http_answer(404, GONE);
    expect(*state, &redirection, PSN_CUT_GONE, 0);
    assert_int_equal(fake.call_count, 1);
}

static void nothing_is_sent_for_what_no_call_removes(void **state)
{
    struct psn_finding finding = { .kind = PSN_FINDING_SUB_ACCOUNT,
                                   .id = "sub_account:5",
                                   .obstacle = "no call" };
    bool gone = true;

    expect(*state, &finding, PSN_CUT_IMPOSSIBLE, 0);
    assert_int_equal(fake.call_count, 0);
    assert_int_equal(psn_ovh_cut_look(*state, &finding, &gone, NULL), PSN_E_INVALID);
    assert_true(gone);
}

/* --- bad days --- */

static void a_lost_answer_is_settled_by_a_look(void **state)
{
    fake_http_answer(200, HERE);
    fake_http_fail(PSN_HTTP_UNKNOWN, false);
    fake_http_answer(404, GONE);
    expect(*state, &redirection, PSN_CUT_GONE, 0);
    fake_http_answer(200, HERE);
    fake_http_fail(PSN_HTTP_UNKNOWN, false);
    fake_http_answer(200, HERE);
    expect_failure(*state, &redirection, PSN_E_NETWORK, "redirection:1");
    fake_http_answer(200, HERE);
    fake_http_answer(502, "<html>");
    fake_http_answer(404, GONE);
    expect(*state, &redirection, PSN_CUT_GONE, 0);
}

static void without_a_look_nothing_is_gone(void **state)
{
    fake_http_answer(403, REFUSE);
    fake_http_answer(200, "null");
    fake_http_answer(403, REFUSE);
    expect(*state, &redirection, PSN_CUT_UNDER_WAY, 0);
}

static void a_refusal_names_the_key_that_may(void **state)
{
    fake_http_answer(200, HERE);
    fake_http_answer(403, REFUSE);
    expect_failure(*state, &redirection, PSN_E_REFUSED, "--for cut");
    fake_http_answer(200, HERE);
    fake_http_answer(460, "{\"message\":\"This Service is expired\"}");
    expect_failure(*state, &redirection, PSN_E_REFUSED, "expired");
    fake_http_answer(200, HERE);
    fake_http_answer(400, "{\"class\":\"Client::BadRequest\",\"message\":\"no\"}");
    expect_failure(*state, &redirection, PSN_E_REFUSED, "OVH: no");
}

static void a_task_that_holds_the_mailbox_is_waited_for(void **state)
{
    fake_http_answer(200, HERE);
    fake_http_answer(409, BUSY);
    expect_failure(*state, &redirection, PSN_E_BUSY, "under way");
}

static void a_call_that_ovh_does_not_know_is_no_success(void **state)
{
    fake_http_answer(200, HERE);
    fake_http_answer(404, GONE);
    fake_http_answer(200, HERE);
    expect_failure(*state, &redirection, PSN_E_NOT_FOUND, "does not know");
}

static void a_network_that_is_down_sends_nothing(void **state)
{
    fake_http_fail(PSN_HTTP_NOT_SENT, true);
    expect_failure(*state, &redirection, PSN_E_NETWORK, "redirection:1");
    assert_int_equal(fake_http_count("DELETE", PATH), 0);
}

/* --- what is replaced --- */

static void a_contact_waits_for_people(void **state)
{
    fake_http_answer(200, "{\"contactTech\":\"JP2-ovh\"}");
    fake_http_answer(200, "[501]");
    fake_http_answer(200, "{\"contactTech\":\"jp2-ovh\"}");
    expect(*state, &contact, PSN_CUT_WAITING, 501);
    assert_string_equal(fake.calls[0].path, ZONE "/serviceInfos");
    assert_string_equal(fake.calls[1].path, ZONE "/changeContact");
    assert_string_equal(fake.calls[1].body, "{\"contactTech\":\"xm1-ovh\"}");
    /* Asked for once more, it waits still. */
    fake_http_answer(200, "{\"contactTech\":\"jp2-ovh\"}");
    fake_http_answer(409, BUSY);
    fake_http_answer(200, "{\"contactTech\":\"jp2-ovh\"}");
    expect(*state, &contact, PSN_CUT_WAITING, 0);
    fake_http_answer(200, "{\"contactTech\":\"xm1-ovh\"}");
    expect(*state, &contact, PSN_CUT_GONE, 0);
}

static void a_forwarding_is_emptied(void **state)
{
    fake_http_answer(200, "{\"forwardingEmail\":\"b@evil.example\"}");
    fake_http_answer(200, "null");
    fake_http_answer(200, "{\"forwardingEmail\":null}");
    expect(*state, &forwarding, PSN_CUT_GONE, 0);
    assert_string_equal(fake.calls[1].method, "PUT");
    assert_string_equal(fake.calls[1].body, "{\"forwardingEmail\":null}");
}

static void garbage_is_no_look(void **state)
{
    fake_http_answer(200, "{\"contactTech\":5}");
    expect_failure(*state, &contact, PSN_E_NETWORK, "garbage");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* It is kept as it is in the sources, and read in French; what an earlier version kept in
 * its own language stays as it is. */
static void an_obstacle_is_said_in_the_readers_language(void **state)
{
    const struct psn_finding old = { .obstacle = "qu'on ne peut retirer" };
    const struct psn_finding none = { .obstacle = "" };
    struct psn_finding finding = { .kind = PSN_FINDING_API_KEY };
    char name[PSN_FINDING_PATH_MAX + 1];

    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(setenv("LANGUAGE", "fr", 1), 0);
    assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
    assert_non_null(bindtextdomain(PSN_TEXT_DOMAIN, PSN_TEST_LOCALE));
    assert_int_equal(psn_walk_set_removal(&finding, "DELETE", "/me/api/credential/*",
                                          PSN_OVH_PARTS(name), NULL),
                     PSN_OK);
    assert_non_null(strstr(finding.obstacle, "its name is too long"));
    assert_non_null(strstr(psn_finding_obstacle(&finding), "trop long"));
    assert_string_equal(psn_finding_obstacle(&old), old.obstacle);
    assert_string_equal(psn_finding_obstacle(&none), "");
    assert_non_null(setlocale(LC_ALL, "C"));
    assert_int_equal(unsetenv("LANGUAGE"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_obstacle_is_said_in_the_readers_language),
        TEST(what_a_second_look_does_not_find_is_gone),
        TEST(what_is_still_there_is_under_way),
        TEST(what_is_gone_already_is_not_sent_for),
        TEST(nothing_is_sent_for_what_no_call_removes),
        TEST(a_lost_answer_is_settled_by_a_look),
        TEST(without_a_look_nothing_is_gone),
        TEST(a_refusal_names_the_key_that_may),
        TEST(a_task_that_holds_the_mailbox_is_waited_for),
        TEST(a_call_that_ovh_does_not_know_is_no_success),
        TEST(a_network_that_is_down_sends_nothing),
        TEST(a_contact_waits_for_people),
        TEST(a_forwarding_is_emptied),
        TEST(garbage_is_no_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
