#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "crypto/secret.h"
#include "ovh/directory.h"
#include "ovh/mailbox.h"
#include "support/fake_http.h"

#define DOMAIN_PATH  "/email/domain/acme.example"
#define ACCOUNT_PATH DOMAIN_PATH "/account/technique"

#define ACCOUNT "{\"accountName\":\"technique\",\"domain\":\"acme.example\","

static const struct psn_mailbox technique = { .backend = PSN_BACKEND_EMAIL_DOMAIN,
                                              .local = "technique",
                                              .domain = "acme.example" };

static struct psn_secret *secret(const char *bytes, size_t size)
{
    struct psn_secret *made = NULL;

    assert_int_equal(psn_secret_copy(bytes, size, &made, NULL), PSN_OK);
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

/* Detection */

static void finds_the_service(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum psn_code code;
        const char *says;
    } rows[] = {
        { 200, "{\"domain\":\"acme.example\",\"status\":\"ok\",\"linkTo\":null}", PSN_OK,
          NULL },
        { 200, "{\"domain\":\"ACME.example\",\"status\":\"readOnly\"}", PSN_OK, NULL },
        { 200,
          "{\"domain\":\"acme.example\",\"status\":\"ok\",\"migratedMXPlanServiceName\":"
          "\"acme.example-1\"}",
          PSN_E_NOT_FOUND, "no mail service" },
        { 200, "{\"domain\":\"acme.example\",\"status\":\"close\"}", PSN_E_REFUSED,
          "closed" },
        { 200, "{\"domain\":\"other.example\",\"status\":\"ok\"}", PSN_E_NETWORK,
          "another domain" },
        { 200, "{\"status\":\"ok\"}", PSN_E_NETWORK, "garbage" },
        { 200, "[]", PSN_E_NETWORK, "garbage" },
        { 404, "{\"class\":\"Client::NotFound\",\"message\":\"x\"}", PSN_E_NOT_FOUND,
          "no mail service" },
        { 403, "{\"errorCode\":\"NOT_GRANTED_CALL\",\"message\":\"x\"}", PSN_E_REFUSED,
          "no rule for GET " DOMAIN_PATH },
        { 460, "{\"message\":\"This Service is expired\"}", PSN_E_REFUSED, "expired" },
    };

    fake_http_route_no_services();
    fake_http_route("GET", ACCOUNT_PATH, 200, ACCOUNT "\"isBlocked\":false,\"size\":5}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_directory) *directory = NULL;
        struct psn_mailbox mailbox = { .local = "technique", .domain = "acme.example" };
        struct psn_mailbox_info info;
        struct psn_password_rules rules;
        struct psn_error err = { 0 };

        assert_int_equal(psn_directory_new(*state, &directory, NULL), PSN_OK);
        fake_http_answer(rows[i].status, rows[i].body);
        if (psn_directory_find(directory, &mailbox, &info, &rules, &err) != rows[i].code)
            fail_msg("row %zu: %s", i, err.message);
        if (rows[i].says && !strstr(err.message, rows[i].says))
            fail_msg("row %zu: %s", i, err.message);
        assert_int_equal(mailbox.backend,
                         rows[i].code ? PSN_BACKEND_NONE : PSN_BACKEND_EMAIL_DOMAIN);
        if (rows[i].code)
            assert_non_null(strstr(err.message, "acme.example"));
    }
}

/* Names and passwords */

static void checks_names(void **state)
{
    static const struct {
        const char *local;
        bool allowed;
    } rows[] = {
        { "ab", true },
        { "technique", true },
        { "a.b-c_d", true },
        { "1a", true },
        { "_a", true },
        { "a-", true },
        { "abcdefghijklmnopqrstuvwxyz012345", true },
        { "a", false },
        { "abcdefghijklmnopqrstuvwxyz0123456", false },
        { "a+b", false },
        { "a,b", false },
        { "-ab", false },
        { ".ab", false },
        { "Ab", false },
        { "a b", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mailbox mailbox = { .backend = PSN_BACKEND_EMAIL_DOMAIN,
                                       .domain = "acme.example" };
        struct psn_error err = { 0 };
        enum psn_code rc;

        (void)snprintf(mailbox.local, sizeof mailbox.local, "%s", rows[i].local);
        rc = psn_mailbox_check_name(&mailbox, &err);
        if (rc != (rows[i].allowed ? PSN_OK : PSN_E_POLICY))
            fail_msg("name '%s'", rows[i].local);
        if (rc)
            assert_non_null(strstr(err.message, "@acme.example"));
    }
}

static void checks_passwords(void **state)
{
    static const struct {
        const char *password;
        const char *says; /* NULL: allowed */
    } rows[] = {
        { "123456789", NULL },
        { "correct-horse-42", NULL },
        { "abcdefghijklmnopqrstuvwxyz0123", NULL },
        { "a \"quoted\\ one", NULL },
        { "12345678", "9 to 30" },
        { "", "9 to 30" },
        { "abcdefghijklmnopqrstuvwxyz01234", "9 to 30" },
        { " 123456789", "blank" },
        { "123456789 ", "blank" },
        { "\t123456789", "control" },
        { "12345\n6789", "control" },
        { "12345\x7f"
          "6789",
          "control" },
        { "mot-de-pass\xc3\xa9", "accented" },
        { "123456789\xff", "accented" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *password =
            secret(rows[i].password, strlen(rows[i].password));
        struct psn_error err = { 0 };
        enum psn_code rc = psn_mailbox_check_password(&technique, NULL, password, &err);

        assert_int_equal(rc, rows[i].says ? PSN_E_POLICY : PSN_OK);
        if (!rows[i].says)
            continue;
        assert_non_null(strstr(err.message, rows[i].says));
        assert_non_null(strstr(err.message, "technique@acme.example"));
        assert_true(!*rows[i].password || !strstr(err.message, rows[i].password));
    }
}

static void refuses_a_nul_in_a_password(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("12345\0006789", 10);

    (void)state;
    assert_int_equal(psn_mailbox_check_password(&technique, NULL, password, NULL),
                     PSN_E_POLICY);
}

/* Looking at a mailbox */

static void gets_a_mailbox(void **state)
{
    struct psn_mailbox_info info;

    fake_http_answer(200, "{\"accountName\":\"Technique\",\"domain\":\"acme.example\","
                          "\"description\":\"D\xc3\xa9pannage\",\"email\":"
                          "\"technique@acme.example\",\"isBlocked\":true,\"size\":"
                          "5000000000}");
    assert_int_equal(psn_mailbox_get(*state, &technique, &info, NULL), PSN_OK);
    assert_string_equal(fake.calls[0].path, ACCOUNT_PATH);
    assert_true(info.exists);
    assert_true(info.blocked);
    assert_true(info.size_bytes == 5000000000);
    assert_string_equal(info.description, "D\xc3\xa9pannage");
}

static void a_mailbox_may_be_absent(void **state)
{
    struct psn_mailbox_info info = { .exists = true };
    struct psn_error err = { 0 };

    fake_http_answer(404, "{\"class\":\"Client::NotFound\",\"message\":\"x\"}");
    assert_int_equal(psn_mailbox_get(*state, &technique, &info, &err), PSN_OK);
    assert_false(info.exists);
    assert_int_equal(err.code, PSN_OK);
}

static void a_mailbox_that_is_not_the_one_asked_for_is_garbage(void **state)
{
    static const char *const bodies[] = {
        "{\"accountName\":\"contact\",\"domain\":\"acme.example\",\"isBlocked\":false}",
        "{\"accountName\":\"technique\",\"domain\":\"evil.example\",\"isBlocked\":false}",
        "{\"accountName\":\"technique\",\"isBlocked\":false}",
        ACCOUNT "\"isBlocked\":1}",
        ACCOUNT "\"isBlocked\":true,\"size\":\"5\"}",
        "{\"accountName\":[\"technique\"],\"domain\":\"acme.example\"}",
        "\"technique\"",
        "[]",
        "null",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct psn_mailbox_info info = { .size_bytes = 77 };
        struct psn_error err = { 0 };

        fake_http_answer(200, bodies[i]);
        assert_int_equal(psn_mailbox_get(*state, &technique, &info, &err), PSN_E_NETWORK);
        assert_non_null(strstr(err.message, "technique@acme.example"));
        assert_int_equal(info.size_bytes, 77);
    }
}

/* Changes */

#define TASK(name, domain)                                                               \
    "{\"id\":1234,\"action\":\"changePassword\",\"date\":\"2026-11-24T03:00:00+01:00\"," \
    "\"domain\":\"" domain "\",\"name\":\"" name "\"}"

static void sets_a_password(void **state)
{
    static const struct {
        const char *password;
        const char *body;
    } rows[] = {
        { "correct-horse-42", "{\"password\":\"correct-horse-42\"}" },
        { "a\"b\\c/d<e>&'", "{\"password\":\"a\\\"b\\\\c/d<e>&'\"}" },
        { "\x01\x1f\x7f\n", "{\"password\":\"\\u0001\\u001f\\u007f\\u000a\"}" },
        { "\xc3\xa9t\xc3\xa9", "{\"password\":\"\xc3\xa9t\xc3\xa9\"}" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *password =
            secret(rows[i].password, strlen(rows[i].password));
        struct psn_ovh_answer answer;
        struct psn_error err = { 0 };

        fake_http_answer(200, TASK("technique", "acme.example"));
        psn_mailbox_set_password(*state, &technique, password, &answer, &err);
        assert_int_equal(answer.outcome, PSN_OVH_DONE);
        assert_int_equal(answer.task_id, 1234);
        assert_int_equal(err.code, PSN_OK);
        assert_string_equal(fake.calls[i].method, "POST");
        assert_string_equal(fake.calls[i].path, ACCOUNT_PATH "/changePassword");
        assert_string_equal(fake.calls[i].body, rows[i].body);
    }
}

static void creates_a_mailbox(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-horse-42", 16);
    struct psn_ovh_answer answer;

    fake_http_answer(200, TASK("Technique", "ACME.example"));
    psn_mailbox_create(*state, &technique, password, &answer, NULL);
    assert_int_equal(answer.outcome, PSN_OVH_DONE);
    assert_int_equal(answer.task_id, 1234);
    assert_string_equal(fake.calls[0].path, DOMAIN_PATH "/account");
    assert_string_equal(
        fake.calls[0].body,
        "{\"accountName\":\"technique\",\"password\":\"correct-horse-42\"}");
}

static void an_answer_about_something_else_proves_nothing(void **state)
{
    static const struct {
        const char *body;
        bool wrong_object;
    } rows[] = {
        { TASK("contact", "acme.example"), true },
        { TASK("technique", "other.example"), true },
        { TASK("techniqu", "acme.example"), true },
        { "{\"id\":0,\"domain\":\"acme.example\",\"name\":\"technique\"}", false },
        { "{\"id\":-4,\"domain\":\"acme.example\",\"name\":\"technique\"}", false },
        { "{\"id\":\"1\",\"domain\":\"acme.example\",\"name\":\"technique\"}", false },
        { "{\"domain\":\"acme.example\",\"name\":\"technique\"}", false },
        { "{\"id\":1,\"name\":\"technique\"}", false },
        { "{\"id\":1,\"domain\":\"acme.example\",\"name\":null}", false },
        { "[]", false },
        { "1", false },
        { "null", false },
        { "", false },
        { "<html>OK</html>", false },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *password = secret("correct-horse-42", 16);
        struct psn_ovh_answer answer;
        struct psn_error err = { 0 };

        fake_http_answer(200, rows[i].body);
        psn_mailbox_set_password(*state, &technique, password, &answer, &err);
        if (answer.outcome != PSN_OVH_UNKNOWN ||
            answer.wrong_object != rows[i].wrong_object)
            fail_msg("row %zu: %d %s", i, (int)answer.outcome, err.message);
        assert_int_equal(answer.task_id, 0);
        assert_int_equal(err.code, PSN_E_NETWORK);
        assert_non_null(strstr(err.message, "technique@acme.example"));
        assert_int_equal(fake.call_count, i + 1);
    }
}

static void a_refused_change_names_mailbox_and_reason(void **state)
{
    PSN_AUTO(psn_secret) *password = secret("correct-horse-42", 16);
    struct psn_ovh_answer answer;
    struct psn_error err = { 0 };

    fake_http_answer(400, "{\"class\":\"Client::BadRequest\",\"message\":"
                          "\"correct-horse-42 is too weak\"}");
    psn_mailbox_set_password(*state, &technique, password, &answer, &err);
    assert_int_equal(answer.outcome, PSN_OVH_BAD_REQUEST);
    assert_int_equal(err.code, PSN_E_REFUSED);
    assert_int_equal(err.remote, 400);
    assert_non_null(strstr(err.message, "technique@acme.example"));
    assert_null(strstr(err.message, "correct-horse"));
    psn_error_clear(&err);
    fake_http_answer(409, "{\"message\":\"already being processed\"}");
    psn_mailbox_create(*state, &technique, password, &answer, &err);
    assert_int_equal(answer.outcome, PSN_OVH_BUSY);
    assert_int_equal(err.code, PSN_E_BUSY);
    assert_non_null(strstr(err.message, "technique@acme.example"));
}

/* Tasks */

static void counts_tasks(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum psn_code code;
        size_t count;
    } rows[] = {
        { 200, "[]", PSN_OK, 0 },
        { 200, "[1]", PSN_OK, 1 },
        { 200, "[1,22,333]", PSN_OK, 3 },
        { 404, "{\"class\":\"Client::NotFound\",\"message\":\"x\"}", PSN_OK, 0 },
        { 200, "[\"1\"]", PSN_E_NETWORK, 99 },
        { 200, "{}", PSN_E_NETWORK, 99 },
        { 200, "null", PSN_E_NETWORK, 99 },
        { 403, "{\"errorCode\":\"INVALID_CREDENTIAL\",\"message\":\"x\"}", PSN_E_REFUSED,
          99 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count = 99;
        struct psn_error err = { 0 };

        fake_http_answer(rows[i].status, rows[i].body);
        assert_int_equal(psn_mailbox_tasks(*state, &technique, &count, NULL, &err),
                         rows[i].code);
        assert_int_equal(count, rows[i].count);
        assert_int_equal(err.code, rows[i].code);
        assert_string_equal(fake.calls[i].path,
                            DOMAIN_PATH "/task/account?name=technique");
    }
}

/* OVH's filter knows wild cards, of which a name may hold one. */
static void tasks_of_a_look_alike_do_not_count(void **state)
{
    static const struct psn_mailbox mailbox = { .backend = PSN_BACKEND_EMAIL_DOMAIN,
                                                .local = "a_b",
                                                .domain = "acme.example" };
    size_t count = 99;

    fake_http_route("GET", DOMAIN_PATH "/task/account?name=a_b", 200, "[1,2,3]");
    fake_http_route("GET", DOMAIN_PATH "/task/account/1", 200,
                    TASK("axb", "acme.example"));
    fake_http_route("GET", DOMAIN_PATH "/task/account/2", 200,
                    TASK("a_b", "acme.example"));
    fake_http_route("GET", DOMAIN_PATH "/task/account/3", 404,
                    "{\"message\":\"The requested object does not exist\"}");
    assert_int_equal(psn_mailbox_tasks(*state, &mailbox, &count, NULL, NULL), PSN_OK);
    assert_int_equal(count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_the_service),
        TEST(checks_names),
        TEST(checks_passwords),
        TEST(refuses_a_nul_in_a_password),
        TEST(gets_a_mailbox),
        TEST(a_mailbox_may_be_absent),
        TEST(a_mailbox_that_is_not_the_one_asked_for_is_garbage),
        TEST(sets_a_password),
        TEST(creates_a_mailbox),
        TEST(an_answer_about_something_else_proves_nothing),
        TEST(a_refused_change_names_mailbox_and_reason),
        TEST(counts_tasks),
        TEST(tasks_of_a_look_alike_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
