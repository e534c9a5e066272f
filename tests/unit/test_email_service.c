#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "crypto/secret.h"
#include "ovh/mailbox.h"
#include "support/fake_http.h"

/* /email/mxplan, /email/pro and /email/exchange, each by its own paths. */

static const struct psn_mailbox boxes[] = {
    { .backend = PSN_BACKEND_EMAIL_MXPLAN,
      .local = "sav",
      .domain = "acme.example",
      .place = { .service = "acme.example-1" } },
    { .backend = PSN_BACKEND_EMAIL_PRO,
      .local = "sav",
      .domain = "acme.example",
      .place = { .service = "emailpro-1" } },
    { .backend = PSN_BACKEND_EMAIL_EXCHANGE,
      .local = "sav",
      .domain = "acme.example",
      .place = { .organization = "org-1", .service = "exchange-1" } },
};
static const char *const roots[] = { "/email/mxplan/acme.example-1",
                                     "/email/pro/emailpro-1",
                                     "/email/exchange/org-1/service/exchange-1" };
static const char *const lists[] = { "task", "tasks", "tasks" };

enum {
    FAMILIES = 3
};

#define BOX "/account/sav%40acme.example"
#define ACCOUNT(more)                                                           \
    "{\"primaryEmailAddress\":\"SAV@acme.example\",\"state\":\"ok\",\"login\":" \
    "\"sav\",\"domain\":\"acme.example\",\"configured\":true" more "}"
#define TASK(status)                                                  \
    "{\"id\":31,\"function\":\"changePassword\",\"status\":\"" status \
    "\",\"todoDate\":\"x\"}"
#define GONE "{\"class\":\"Client::NotFound\",\"message\":\"gone\"}"

static char paths[64][192];
static size_t path_count;

static const char *path(size_t family, const char *suffix)
{
    char *out = paths[path_count++];

    assert_true(path_count < 64);
    (void)snprintf(out, sizeof paths[0], "%s%s", roots[family], suffix);
    return out;
}

static struct psn_secret *secret(const char *text)
{
    struct psn_secret *made = NULL;

    assert_int_equal(psn_secret_copy(text, strlen(text), &made, NULL), PSN_OK);
    return made;
}

static int set_up(void **state)
{
    fake_http_reset();
    path_count = 0;
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

static void gets_a_mailbox_with_the_date_of_its_password(void **state)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        struct psn_mailbox_info info;

        fake_http_route("GET", path(i, BOX), 200,
                        ACCOUNT(",\"passwordLastUpdate\":\"2026-11-24T03:00:00+01:00\","
                                "\"displayName\":\"Service client\""));
        assert_int_equal(psn_mailbox_get(*state, &boxes[i], &info, NULL), PSN_OK);
        assert_true(info.exists);
        assert_false(info.blocked);
        assert_true(info.password_changed_s == 1795485600);
        assert_string_equal(info.names, "Service client ");
    }
}

static void a_mailbox_may_be_absent_suspended_or_another(void **state)
{
    struct psn_mailbox_info info = { .exists = true };
    struct psn_error err = { 0 };

    fake_http_answer(404, GONE);
    assert_int_equal(psn_mailbox_get(*state, &boxes[1], &info, &err), PSN_OK);
    assert_false(info.exists);
    assert_int_equal(err.code, PSN_OK);
    fake_http_answer(200, "{\"primaryEmailAddress\":\"sav@acme.example\",\"state\":"
                          "\"suspended\"}");
    assert_int_equal(psn_mailbox_get(*state, &boxes[1], &info, &err), PSN_OK);
    assert_true(info.blocked);
    fake_http_answer(200,
                     "{\"primaryEmailAddress\":\"x@acme.example\",\"state\":\"ok\"}");
    assert_int_equal(psn_mailbox_get(*state, &boxes[1], &info, &err), PSN_E_NETWORK);
    assert_non_null(strstr(err.message, "another mailbox"));
    assert_non_null(strstr(err.message, "sav@acme.example"));
}

static void an_error_that_tells_the_password_is_not_told(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-horse-42");

    for (size_t i = 0; i < FAMILIES; i++)
        for (size_t j = 0; j < 2; j++) {
            struct psn_ovh_answer answer;
            struct psn_error err = { 0 };

            /* Making a mailbox begins with a look, which was sent no password. */
            fake_http_answer(400, "{\"class\":\"Client::BadRequest\",\"message\":"
                                  "\"'orrect-ho' is too weak\"}");
            if (j)
                psn_mailbox_create(*state, &boxes[i], password, &answer, &err);
            else
                psn_mailbox_set_password(*state, &boxes[i], password, &answer, &err);
            assert_int_equal(err.code, PSN_E_REFUSED);
            assert_int_equal(err.remote, 400);
            assert_null(strstr(err.message, "orrect-ho"));
            assert_non_null(strstr(err.message, "the password"));
        }
}

static void sets_a_password(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("a\"b-12345");

    for (size_t i = 0; i < FAMILIES; i++) {
        struct psn_ovh_answer answer;

        fake_http_route("POST", path(i, BOX "/changePassword"), 200, TASK("todo"));
        psn_mailbox_set_password(*state, &boxes[i], password, &answer, NULL);
        assert_int_equal(answer.outcome, PSN_OVH_DONE);
        assert_int_equal(answer.task_id, 31);
        assert_string_equal(fake.calls[i].body, "{\"password\":\"a\\\"b-12345\"}");
    }
}

static void an_answer_that_is_no_task_proves_nothing(void **state)
{
    static const char *const bodies[] = {
        "null",
        "",
        "[]",
        "{}",
        "{\"id\":31}",
        "\"done\"",
        "{\"id\":0,\"function\":\"changePassword\",\"status\":\"todo\"}",
        "{\"id\":\"31\",\"function\":\"changePassword\",\"status\":\"todo\"}",
    };
    PSN_AUTO(psn_secret) *password = secret("correct-horse");

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct psn_ovh_answer answer;

        fake_http_answer(200, bodies[i]);
        psn_mailbox_set_password(*state, &boxes[0], password, &answer, NULL);
        assert_int_equal(answer.outcome, PSN_OVH_UNKNOWN);
        assert_int_equal(answer.task_id, 0);
    }
}

/* Tasks */

static void a_pending_task_is_named_by_the_account(void **state)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        size_t count = 9;

        fake_http_route("GET", path(i, BOX), 200, ACCOUNT(",\"taskPendingId\":31"));
        assert_int_equal(psn_mailbox_tasks(*state, &boxes[i], &count, NULL, NULL),
                         PSN_OK);
        assert_int_equal(count, 1);
    }
    assert_int_equal(fake.call_count, FAMILIES);
}

static void a_task_that_failed_is_no_reason_to_wait(void **state)
{
    static const struct {
        const char *status;
        size_t count;
    } rows[] = { { TASK("todo"), 1 },
                 { TASK("doing"), 1 },
                 { TASK("done"), 0 },
                 { TASK("error"), 0 },
                 { TASK("cancelled"), 0 } };

    for (size_t i = 0; i < FAMILIES; i++)
        for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
            char suffix[96];
            size_t count = 9;

            fake_http_reset();
            path_count = 0;
            fake_http_route("GET", path(i, BOX), 200, ACCOUNT(",\"taskPendingId\":null"));
            (void)snprintf(suffix, sizeof suffix, "%s/%s", BOX, lists[i]);
            fake_http_route("GET", path(i, suffix), 200, "[31]");
            (void)snprintf(suffix, sizeof suffix, "%s/%s/31", BOX, lists[i]);
            fake_http_route("GET", path(i, suffix), 200, rows[j].status);
            assert_int_equal(psn_mailbox_tasks(*state, &boxes[i], &count, NULL, NULL),
                             PSN_OK);
            assert_int_equal(count, rows[j].count);
        }
}

static void a_long_history_of_tasks_costs_few_calls(void **state)
{
    size_t count = 9;

    fake_http_route("GET", path(1, BOX), 200, ACCOUNT(",\"taskPendingId\":0"));
    fake_http_route("GET", path(1, BOX "/tasks"), 200, "[1,2,3,4,5,6,100,20,30]");
    fake_http_route("GET", path(1, BOX "/tasks/100"), 200, TASK("done"));
    fake_http_route("GET", path(1, BOX "/tasks/30"), 200, TASK("error"));
    fake_http_route("GET", path(1, BOX "/tasks/20"), 404, GONE);
    assert_int_equal(psn_mailbox_tasks(*state, &boxes[1], &count, NULL, NULL), PSN_OK);
    assert_int_equal(count, 0);
    assert_int_equal(fake.call_count, 5);
}

static void a_mailbox_that_is_gone_has_no_task_and_says_so(void **state)
{
    size_t count = 9;
    bool absent = false;

    fake_http_answer(404, GONE);
    assert_int_equal(psn_mailbox_tasks(*state, &boxes[0], &count, &absent, NULL), PSN_OK);
    assert_int_equal(count, 0);
    assert_true(absent);
}

/* New mailboxes */

#define FREE_SLOT "{\"configured\":false,\"taskPendingId\":0}"

/* Slots 7 and 9 are free; 7 is the first by name. */
static void offer_slots(size_t family)
{
    fake_http_route("GET", path(family, "/account"), 200,
                    "[\"9@configureme.me\",\"7@configureme.me\",\"x@acme.example\"]");
    fake_http_route("GET", path(family, "/account/7%40configureme.me"), 200, FREE_SLOT);
    fake_http_route("GET", path(family, "/account/9%40configureme.me"), 200, FREE_SLOT);
    fake_http_route("PUT", path(family, "/account/7%40configureme.me"), 200, "null");
}

static void a_new_mailbox_takes_the_first_slot_and_waits_for_its_name(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-horse");

    for (size_t i = 0; i < 2; i++) {
        struct psn_ovh_answer answer;

        fake_http_reset();
        path_count = 0;
        offer_slots(i);
        fake_http_answer(404, GONE); /* the address */
        fake_http_answer(404, GONE); /* the first two passwords */
        fake_http_answer(409, "{\"message\":\"busy\"}");
        fake_http_answer(200, TASK("todo"));
        psn_mailbox_create(*state, &boxes[i], password, &answer, NULL);
        assert_int_equal(answer.outcome, PSN_OVH_DONE);
        assert_int_equal(answer.task_id, 31);
        assert_int_equal(fake_http_count("PUT", path(i, "/account/7%40configureme.me")),
                         1);
        assert_int_equal(fake_http_count("POST", path(i, BOX "/changePassword")), 3);
        assert_true(fake.slept_ms > 0);
        assert_string_equal(fake.calls[3].body,
                            "{\"domain\":\"acme.example\",\"login\":\"sav\"}");
        assert_string_equal(fake.calls[6].body, "{\"password\":\"correct-horse\"}");
    }
}

static void without_a_free_slot_nothing_is_sent(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-horse");
    struct psn_ovh_answer answer;
    struct psn_error err = { 0 };

    fake_http_route("GET", path(1, "/account"), 200,
                    "[\"7@configureme.me\",\"x@acme.example\"]");
    fake_http_route("GET", path(1, "/account/7%40configureme.me"), 200,
                    "{\"configured\":true,\"taskPendingId\":null}");
    fake_http_answer(404, GONE);
    psn_mailbox_create(*state, &boxes[1], password, &answer, &err);
    assert_int_equal(answer.outcome, PSN_OVH_EXPIRED);
    assert_int_equal(err.code, PSN_E_REFUSED);
    assert_non_null(strstr(err.message, "no free slot"));
    for (size_t i = 0; i < fake.call_count; i++)
        assert_string_equal(fake.calls[i].method, "GET");
}

static void a_slot_that_is_being_set_up_may_be_ours(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-horse");
    struct psn_ovh_answer answer;

    fake_http_route("GET", path(0, "/account"), 200,
                    "[\"7@configureme.me\",\"9@configureme.me\"]");
    fake_http_route("GET", path(0, "/account/7%40configureme.me"), 200,
                    "{\"configured\":false,\"taskPendingId\":12}");
    fake_http_route("GET", path(0, "/account/9%40configureme.me"), 200, FREE_SLOT);
    fake_http_answer(404, GONE);
    psn_mailbox_create(*state, &boxes[0], password, &answer, NULL);
    assert_int_equal(answer.outcome, PSN_OVH_BUSY);
    for (size_t i = 0; i < fake.call_count; i++)
        assert_string_equal(fake.calls[i].method, "GET");
}

static void a_mailbox_that_is_there_is_not_made_again(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-horse");
    struct psn_ovh_answer answer;

    fake_http_answer(200, ACCOUNT(""));
    psn_mailbox_create(*state, &boxes[0], password, &answer, NULL);
    assert_int_equal(answer.outcome, PSN_OVH_BAD_REQUEST);
    assert_int_equal(fake.call_count, 1);
}

static void after_the_slot_has_its_name_a_refusal_is_a_doubt(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-horse");
    struct psn_ovh_answer answer;
    struct psn_error err = { 0 };

    offer_slots(0);
    fake_http_answer(404, GONE);
    fake_http_answer(400, "{\"class\":\"Client::BadRequest\",\"message\":\"no\"}");
    psn_mailbox_create(*state, &boxes[0], password, &answer, &err);
    assert_int_equal(answer.outcome, PSN_OVH_UNKNOWN);
    assert_non_null(strstr(err.message, "cannot create the mailbox 'sav@acme.example'"));
}

static void a_lost_answer_about_the_slot_is_looked_after(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-horse");
    struct psn_ovh_answer answer;

    fake_http_route("GET", path(0, "/account"), 200, "[\"7@configureme.me\"]");
    fake_http_route("GET", path(0, "/account/7%40configureme.me"), 200, FREE_SLOT);
    fake_http_answer(404, GONE);             /* the address */
    fake_http_fail(PSN_HTTP_UNKNOWN, false); /* the PUT */
    fake_http_answer(404, GONE);             /* not yet … */
    fake_http_answer(200, ACCOUNT(""));      /* … there */
    fake_http_answer(200, TASK("todo"));
    psn_mailbox_create(*state, &boxes[0], password, &answer, NULL);
    assert_int_equal(answer.outcome, PSN_OVH_DONE);
}

static void an_exchange_of_ones_own_makes_mailboxes_in_one_call(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-horse");
    struct psn_ovh_answer answer;

    fake_http_route(
        "GET", path(2, ""), 200,
        "{\"state\":\"ok\",\"complexityEnabled\":true,\"offer\":\"provider\"}");
    fake_http_route("POST", path(2, "/account"), 200,
                    "{\"id\":8,\"function\":\"addAccount\",\"status\":\"todo\"}");
    fake_http_answer(404, GONE);
    psn_mailbox_create(*state, &boxes[2], password, &answer, NULL);
    assert_int_equal(answer.outcome, PSN_OVH_DONE);
    assert_string_equal(fake.calls[fake.call_count - 1].body,
                        "{\"domain\":\"acme.example\",\"login\":\"sav\",\"license\":"
                        "\"standard\",\"password\":\"correct-horse\"}");
}

static void checks_names(void **state)
{
    static const struct {
        const char *local;
        bool allowed;
    } rows[] = { { "ab", true },
                 { "a.b-c_d", true },
                 { "a,b", true },
                 { "a+b", false },
                 { "a", false },
                 { "_ab", false },
                 { "abcdefghijklmnopqrstuvwxyz0123456", false } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mailbox mailbox = boxes[0];

        (void)snprintf(mailbox.local, sizeof mailbox.local, "%s", rows[i].local);
        assert_int_equal(psn_mailbox_check_name(&mailbox, NULL),
                         rows[i].allowed ? PSN_OK : PSN_E_POLICY);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gets_a_mailbox_with_the_date_of_its_password),
        TEST(a_mailbox_may_be_absent_suspended_or_another),
        TEST(an_error_that_tells_the_password_is_not_told),
        TEST(sets_a_password),
        TEST(an_answer_that_is_no_task_proves_nothing),
        TEST(a_pending_task_is_named_by_the_account),
        TEST(a_task_that_failed_is_no_reason_to_wait),
        TEST(a_long_history_of_tasks_costs_few_calls),
        TEST(a_mailbox_that_is_gone_has_no_task_and_says_so),
        TEST(a_new_mailbox_takes_the_first_slot_and_waits_for_its_name),
        TEST(without_a_free_slot_nothing_is_sent),
        TEST(a_slot_that_is_being_set_up_may_be_ours),
        TEST(a_mailbox_that_is_there_is_not_made_again),
        TEST(after_the_slot_has_its_name_a_refusal_is_a_doubt),
        TEST(a_lost_answer_about_the_slot_is_looked_after),
        TEST(an_exchange_of_ones_own_makes_mailboxes_in_one_call),
        TEST(checks_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
