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

#define PLATFORM "/v2/zimbra/platform/p-1"
#define BY_NAME  PLATFORM "/account?email=sav%40acme.example"
#define BY_ID    PLATFORM "/account/a-1"
#define GONE     "{\"class\":\"Client::NotFound\",\"message\":\"gone\"}"

#define ACCOUNT_OF(email, status, tasks)                                            \
    "{\"id\":\"a-1\",\"checksum\":\"c\\\"1\",\"resourceStatus\":\"" status          \
    "\",\"currentTasks\":" tasks ",\"currentState\":{\"email\":\"" email            \
    "\",\"detailedStatus\":[],\"description\":null},\"targetSpec\":{\"email\":"     \
    "\"" email "\",\"displayName\":\"S\\u00e9v\",\"firstName\":null,\"hideInGal\":" \
    "false,\"contactInformation\":{\"city\":\"Lille\"}}}"
#define ACCOUNT(status, tasks) ACCOUNT_OF("sav@acme.example", status, tasks)

static const struct psn_mailbox known = { .backend = PSN_BACKEND_ZIMBRA,
                                          .local = "sav",
                                          .domain = "acme.example",
                                          .place = { .service = "p-1",
                                                     .account = "a-1" } };
static const struct psn_mailbox unknown = { .backend = PSN_BACKEND_ZIMBRA,
                                            .local = "sav",
                                            .domain = "acme.example",
                                            .place = { .service = "p-1" } };

static struct psn_secret *secret(const char *text)
{
    struct psn_secret *made = NULL;

    assert_int_equal(psn_secret_copy(text, strlen(text), &made, NULL), PSN_OK);
    return made;
}

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

static void an_account_is_found_by_its_address_and_then_by_its_id(void **state)
{
    struct psn_mailbox_info info;

    fake_http_route("GET", BY_NAME, 200, "[" ACCOUNT("READY", "[]") "]");
    fake_http_route("GET", BY_ID, 200, ACCOUNT("READY", "[]"));
    assert_int_equal(psn_mailbox_get(*state, &unknown, &info, NULL), PSN_OK);
    assert_true(info.exists);
    assert_string_equal(info.account, "a-1");
    assert_non_null(strstr(fake.calls[0].headers, "X-Pagination-Size: 100"));
    assert_int_equal(psn_mailbox_get(*state, &known, &info, NULL), PSN_OK);
    assert_string_equal(fake.calls[1].path, BY_ID);
    assert_null(strstr(fake.calls[1].headers, "X-Pagination"));
}

static void an_account_with_a_new_id_is_found_all_the_same(void **state)
{
    struct psn_mailbox_info info;

    fake_http_route("GET", BY_ID, 404, GONE);
    fake_http_route("GET", BY_NAME, 200, "[" ACCOUNT("READY", "[]") "]");
    assert_int_equal(psn_mailbox_get(*state, &known, &info, NULL), PSN_OK);
    assert_true(info.exists);
}

static void lists_are_read_to_their_last_page(void **state)
{
    struct psn_mailbox_info info;

    fake_http_answer_page("[" ACCOUNT_OF("a@acme.example", "READY", "[]") "]", "next-1");
    fake_http_answer_page("[]", "next-2");
    fake_http_answer_page("[" ACCOUNT("READY", "[]") "]", NULL);
    assert_int_equal(psn_mailbox_get(*state, &unknown, &info, NULL), PSN_OK);
    assert_true(info.exists);
    assert_int_equal(fake.call_count, 3);
    assert_null(strstr(fake.calls[0].headers, "X-Pagination-Cursor"));
    assert_non_null(strstr(fake.calls[1].headers, "X-Pagination-Cursor: next-1\n"));
    assert_non_null(strstr(fake.calls[2].headers, "X-Pagination-Cursor: next-2\n"));
}

static void a_list_that_turns_in_a_circle_is_garbage(void **state)
{
    struct psn_mailbox_info info;

    fake_http_answer_page("[]", "again");
    fake_http_answer_page("[]", "again");
    assert_int_equal(psn_mailbox_get(*state, &unknown, &info, NULL), PSN_E_NETWORK);
}

static void a_password_is_put_under_the_checksum_and_keeps_the_rest(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("a\"b-Correct1");
    struct psn_ovh_answer answer;

    fake_http_route("GET", BY_ID, 200, ACCOUNT("READY", "[]"));
    fake_http_route("PUT", BY_ID, 200, ACCOUNT("UPDATING", "[]"));
    psn_mailbox_set_password(*state, &known, password, &answer, NULL);
    assert_int_equal(answer.outcome, PSN_OVH_DONE);
    assert_string_equal(
        fake.calls[1].body,
        "{\"checksum\":\"c\\\"1\",\"targetSpec\":{\"contactInformation\":{\"city\":"
        "\"Lille\"},\"displayName\":\"S\xc3\xa9v\",\"email\":\"sav@acme.example\","
        "\"hideInGal\":false,\"password\":\"a\\\"b-Correct1\"}}");
}

static void a_stale_checksum_is_no_refusal(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-Horse1");
    struct psn_ovh_answer answer;

    fake_http_route("GET", BY_ID, 200, ACCOUNT("READY", "[]"));
    fake_http_route(
        "PUT", BY_ID, 409,
        "{\"class\":\"Client::Conflict::ChecksumMismatch\",\"message\":\"x\"}");
    psn_mailbox_set_password(*state, &known, password, &answer, NULL);
    assert_int_equal(answer.outcome, PSN_OVH_BUSY);
}

static void an_answer_about_another_account_proves_nothing(void **state)
{
    static const char *const bodies[] = { ACCOUNT_OF("x@acme.example", "READY", "[]"),
                                          "{}", "null", "[]", "{\"id\":\"a-1\"}" };
    PSN_AUTO(psn_secret) *password = secret("correct-Horse1");

    fake_http_route("GET", BY_ID, 200, ACCOUNT("READY", "[]"));
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct psn_ovh_answer answer;

        fake_http_answer(200, bodies[i]);
        psn_mailbox_set_password(*state, &known, password, &answer, NULL);
        assert_int_equal(answer.outcome, PSN_OVH_UNKNOWN);
        assert_int_equal(answer.wrong_object, i == 0);
    }
}

static void a_password_for_an_absent_account_is_not_sent(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-Horse1");
    struct psn_ovh_answer answer;

    fake_http_route("GET", BY_ID, 404, GONE);
    fake_http_route("GET", BY_NAME, 200, "[]");
    psn_mailbox_set_password(*state, &known, password, &answer, NULL);
    assert_int_equal(answer.outcome, PSN_OVH_ABSENT);
}

/* The look before a change was sent no password, and may yet be answered with it. */
static void a_look_whose_answer_tells_the_password_is_not_told(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-Horse1");
    struct psn_ovh_answer answer;
    struct psn_error err = { 0 };

    fake_http_route("GET", BY_ID, 400,
                    "{\"class\":\"Client::BadRequest\",\"message\":\"'orrect-Ho'\"}");
    psn_mailbox_set_password(*state, &known, password, &answer, &err);
    assert_int_equal(err.remote, 400);
    assert_null(strstr(err.message, "orrect-Ho"));
    assert_non_null(strstr(err.message, "holds the password"));
}

static void counts_what_is_under_way(void **state)
{
    static const struct {
        const char *account;
        size_t count;
    } rows[] = {
        { ACCOUNT("READY", "[]"), 0 },
        { ACCOUNT("UPDATING", "[]"), 1 },
        { ACCOUNT("CREATING", "[]"), 1 },
        { ACCOUNT("READY", "[{\"id\":\"t\",\"status\":\"PENDING\"}]"), 1 },
        { ACCOUNT("UPDATING", "[{\"id\":\"t\",\"status\":\"RUNNING\"},{\"id\":\"u\","
                              "\"status\":\"SCHEDULED\"}]"),
          2 },
        { ACCOUNT("ERROR", "[{\"id\":\"t\",\"status\":\"ERROR\"}]"), 0 },
        { ACCOUNT("OUT_OF_SYNC", "[]"), 0 },
        { ACCOUNT("READY", "[{\"id\":\"t\",\"status\":\"SOMETHING_NEW\"}]"), 1 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count = 9;

        fake_http_answer(200, rows[i].account);
        assert_int_equal(psn_mailbox_tasks(*state, &known, &count, NULL, NULL), PSN_OK);
        assert_int_equal(count, rows[i].count);
    }
}

static void a_new_account_takes_the_first_slot_that_nobody_has(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-Horse1");
    struct psn_ovh_answer answer;

    fake_http_route("GET", BY_NAME, 200, "[]");
    fake_http_route(
        "GET", PLATFORM "/slot?used=false", 200,
        "[{\"id\":\"s-1\",\"currentState\":{\"billingStatus\":\"SUSPENDED\"}},"
        "{\"id\":\"s-2\",\"currentState\":{\"billingStatus\":\"OK\",\"accountId\":\"b\"}}"
        ","
        "{\"id\":\"s-3\",\"currentState\":{\"billingStatus\":\"OK\",\"accountId\":null,"
        "\"offer\":\"PRO\"}}]");
    fake_http_route("POST", PLATFORM "/account", 200, ACCOUNT("CREATING", "[]"));
    psn_mailbox_create(*state, &unknown, password, &answer, NULL);
    assert_int_equal(answer.outcome, PSN_OVH_DONE);
    assert_string_equal(fake.calls[2].body,
                        "{\"targetSpec\":{\"email\":\"sav@acme.example\",\"offer\":"
                        "\"PRO\",\"slotId\":\"s-3\",\"password\":\"correct-Horse1\"}}");
}

static void without_a_slot_no_account_is_asked_for(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-Horse1");
    struct psn_ovh_answer answer;
    struct psn_error err = { 0 };

    fake_http_route("GET", BY_NAME, 200, "[]");
    fake_http_route("GET", PLATFORM "/slot?used=false", 200, "[]");
    psn_mailbox_create(*state, &unknown, password, &answer, &err);
    assert_int_equal(answer.outcome, PSN_OVH_EXPIRED);
    assert_int_equal(err.code, PSN_E_REFUSED);
    assert_non_null(strstr(err.message, "no free slot"));
}

static void checks_names(void **state)
{
    static const struct {
        const char *local;
        bool allowed;
    } rows[] = { { "ab", true },    { "a.b-c_d+e", true }, { "a1", true },
                 { "a--b", false }, { "a,b", false },      { "-ab", false },
                 { "ab-", false } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mailbox mailbox = unknown;

        (void)snprintf(mailbox.local, sizeof mailbox.local, "%s", rows[i].local);
        assert_int_equal(psn_mailbox_check_name(&mailbox, NULL),
                         rows[i].allowed ? PSN_OK : PSN_E_POLICY);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_account_is_found_by_its_address_and_then_by_its_id),
        TEST(an_account_with_a_new_id_is_found_all_the_same),
        TEST(lists_are_read_to_their_last_page),
        TEST(a_list_that_turns_in_a_circle_is_garbage),
        TEST(a_password_is_put_under_the_checksum_and_keeps_the_rest),
        TEST(a_stale_checksum_is_no_refusal),
        TEST(an_answer_about_another_account_proves_nothing),
        TEST(a_password_for_an_absent_account_is_not_sent),
        TEST(a_look_whose_answer_tells_the_password_is_not_told),
        TEST(counts_what_is_under_way),
        TEST(a_new_account_takes_the_first_slot_that_nobody_has),
        TEST(without_a_slot_no_account_is_asked_for),
        TEST(checks_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
