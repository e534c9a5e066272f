#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "crypto/secret.h"
#include "ovh/authorization.h"
#include "ovh/call.h"
#include "support/fake_http.h"

#define TOKEN(name, seconds) \
    "{\"access_token\":\"" name "\",\"token_type\":\"Bearer\",\"expires_in\":" seconds "}"

/* Helpers */

static struct psn_secret *secret(const char *text)
{
    struct psn_secret *made = NULL;

    assert_int_equal(psn_secret_copy(text, strlen(text), &made, NULL), PSN_OK);
    return made;
}

static enum psn_code read_path(struct psn_ovh *ovh, struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;

    return psn_ovh_get_at(ovh, "/a", PSN_OVH_PARTS(NULL), &value, err);
}

static struct psn_ovh *loses_token; /* at the next sleep, by another call */

static void sleep_ms(int64_t duration_ms)
{
    struct psn_ovh *ovh = loses_token;

    loses_token = NULL;
    fake_sleep_ms(duration_ms);
    if (ovh)
        assert_int_equal(read_path(ovh, NULL), PSN_E_REFUSED);
}

static struct psn_ovh *open_account(void)
{
    PSN_AUTO_RELEASE(psn_ovh_credential)
    credential = { .client_id = secret("id"), .client_secret = secret("se&cret") };
    struct psn_ovh_options options = { .root = FAKE_ROOT,
                                       .http = fake_http_port(),
                                       .clock_ms = fake_clock_ms,
                                       .sleep_ms = sleep_ms };
    struct psn_ovh *ovh = NULL;

    assert_int_equal(psn_ovh_open(&options, &credential, &ovh, NULL), PSN_OK);
    return ovh;
}

static enum psn_ovh_outcome change(struct psn_ovh *ovh, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(100);
    PSN_AUTO_JSON *value = NULL;
    struct psn_ovh_change what = { .method = "POST", .path = &path };
    struct psn_ovh_answer answer;

    psn_buf_text(&path, "/a");
    psn_ovh_send(ovh, &what, &answer, &value, err);
    return answer.outcome;
}

static int set_up(void **state)
{
    fake_http_reset();
    if (psn_crypto_init(NULL))
        return -1;
    *state = open_account();
    return 0;
}

static int tear_down(void **state)
{
    psn_ovh_free(*state);
    return 0;
}

/* Service accounts */

static void a_call_carries_the_token_and_no_signature(void **state)
{
    fake_http_answer(200, TOKEN("tok-1", "3599"));
    fake_http_answer(200, "1");
    assert_int_equal(read_path(*state, NULL), PSN_OK);
    assert_string_equal(fake.calls[0].path, FAKE_TOKEN_URL);
    assert_string_equal(fake.calls[0].body,
                        "grant_type=client_credentials&scope=all&client_id=id"
                        "&client_secret=se%26cret");
    assert_non_null(strstr(fake.calls[0].headers,
                           "Content-Type: application/x-www-form-urlencoded\n"));
    assert_string_equal(fake.calls[1].headers,
                        "Accept: application/json\nAuthorization: Bearer tok-1\n");
    assert_int_equal(fake.time_calls, 0);
}

static void a_token_serves_until_it_is_about_to_end(void **state)
{
    fake_http_route("GET", "/a", 200, "1");
    fake_http_answer(200, TOKEN("tok-1", "3600"));
    assert_int_equal(read_path(*state, NULL), PSN_OK);
    fake.clock_ms += (int64_t)3539 * 1000;
    assert_int_equal(read_path(*state, NULL), PSN_OK);
    assert_int_equal(fake.call_count, 3);
    fake.clock_ms += 2 * 1000;
    fake_http_answer(200, TOKEN("tok-2", "3600"));
    assert_int_equal(read_path(*state, NULL), PSN_OK);
    assert_non_null(strstr(fake.calls[4].headers, "Bearer tok-2"));
}

static void a_401_gets_a_new_token_once(void **state)
{
    static const char no[] = "{\"class\":\"Client::Unauthorized\",\"message\":\"no\"}";
    struct psn_error err = { 0 };

    fake_http_route("POST", FAKE_TOKEN_URL, 200, TOKEN("tok", "3600"));
    fake_http_answer(401, no);
    fake_http_answer(200, "1");
    assert_int_equal(read_path(*state, NULL), PSN_OK);
    fake_http_answer(401, no);
    fake_http_answer(200, "{}");
    assert_int_equal(change(*state, NULL), PSN_OVH_DONE);
    fake_http_answer(401, no);
    fake_http_answer(401, no);
    assert_int_equal(change(*state, &err), PSN_OVH_NOT_ALLOWED);
    assert_non_null(strstr(err.message, "token"));
    assert_int_equal(psn_ovh_last_reason(*state), PSN_OVH_REASON_TOKEN);
}

/* As when another fiber's call is answered 401 while this one waits its turn. */
static void a_token_that_is_lost_while_a_call_waits_is_asked_for_again(void **state)
{
    struct psn_ovh *ovh = *state;

    fake_http_answer(200, TOKEN("tok-1", "3600"));
    fake_http_answer(429, "{\"message\":\"slow down\"}");
    fake_http_answer(200, "1");
    assert_int_equal(read_path(ovh, NULL), PSN_OK);
    fake_http_answer(401, "{\"class\":\"Client::Unauthorized\",\"message\":\"no\"}");
    fake_http_answer(400, "{\"error\":\"invalid_client\"}");
    fake_http_answer(200, TOKEN("tok-2", "3600"));
    fake_http_answer(200, "1");
    loses_token = ovh;
    assert_int_equal(read_path(ovh, NULL), PSN_OK);
    assert_null(loses_token);
    assert_int_equal(fake.call_count, 7);
    assert_non_null(strstr(fake.calls[3].headers, "Bearer tok-1"));
    assert_non_null(strstr(fake.calls[6].headers, "Bearer tok-2"));
}

/* A page of a front proxy says nothing of the token: it may have been done. */
static void a_change_answered_401_by_a_proxy_is_not_sent_again(void **state)
{
    fake_http_answer(200, TOKEN("tok", "3600"));
    fake_http_answer(401, "<html>401</html>");
    assert_int_equal(change(*state, NULL), PSN_OVH_UNKNOWN);
    assert_int_equal(fake.call_count, 2);
}

static void an_unknown_account_is_refused_whatever_the_status(void **state)
{
    static const char body[] =
        "{\"error\":\"invalid_client\",\"error_description\":\"x\"}";
    static const long statuses[] = { 200, 400, 401 };

    for (size_t i = 0; i < 3; i++) {
        struct psn_error err = { 0 };

        fake_http_answer(statuses[i], body);
        assert_int_equal(read_path(*state, &err), PSN_E_REFUSED);
        assert_non_null(strstr(err.message, "service account"));
        assert_null(strstr(err.message, "se&cret"));
        fake_http_answer(statuses[i], body);
        err = (struct psn_error){ 0 };
        assert_int_equal(change(*state, &err), PSN_OVH_NOT_ALLOWED);
    }
    assert_int_equal(fake.slept_ms, 0);
}

static void a_token_server_that_fails_is_asked_again(void **state)
{
    fake_http_answer(503, "<html>");
    fake_http_fail(PSN_HTTP_NOT_SENT, false);
    fake_http_answer(200, TOKEN("tok", "3600"));
    fake_http_answer(200, "1");
    assert_int_equal(read_path(*state, NULL), PSN_OK);
    assert_in_range(fake.slept_ms, 1400, 1600);
}

static void garbage_is_no_token(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"access_token\":\"a\"}",
        TOKEN("", "10"),
        TOKEN("a b", "10"),
        TOKEN("a", "0"),
        TOKEN("a", "-1"),
        TOKEN("a", "\"x\""),
        TOKEN("a\\nb", "10"),
    };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        fake_http_answer(200, bodies[i]);
        if (read_path(*state, NULL) != PSN_E_NETWORK)
            fail_msg("taken for a token: %s", bodies[i]);
    }
}

static void tokens_come_from_the_regions_own_url(void **state)
{
    static const char *const rows[][2] = {
        { "https://eu.api.ovh.com/1.0", "https://www.ovh.com/auth/oauth2/token" },
        { "https://EU.api.ovh.com:443/v1", "https://www.ovh.com/auth/oauth2/token" },
        { "https://ca.api.ovh.com/1.0", "https://ca.ovh.com/auth/oauth2/token" },
        { "https://api.us.ovhcloud.com/1.0",
          "https://us.ovhcloud.com/auth/oauth2/token" },
        { "https://127.0.0.1:8443/1.0", "https://127.0.0.1:8443/auth/oauth2/token" },
        { "https://h.example/ovh/1.0", "https://h.example/auth/oauth2/token" },
    };
    char url[128];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(psn_ovh_token_url(rows[i][0], url, sizeof url, NULL), PSN_OK);
        assert_string_equal(url, rows[i][1]);
    }
    assert_int_equal(psn_ovh_token_url(rows[0][0], url, 20, NULL), PSN_E_LIMIT);
}

/* Asking for a key */

static const struct psn_ovh_rule rules[] = { { "GET", "/me" }, { "POST", "/a/*" } };

static void a_key_is_asked_for_by_the_application_alone(void **state)
{
    PSN_AUTO_RELEASE(psn_ovh_asked_key) key = { 0 };
    struct psn_ovh *ovh = fake_ovh(0);

    (void)state;
    fake_http_answer(200, "{\"consumerKey\":\"ck\",\"state\":\"pendingValidation\","
                          "\"validationUrl\":\"https://x.example/auth/?t=1\"}");
    assert_int_equal(psn_ovh_ask_key(ovh, rules, 2, &key, NULL), PSN_OK);
    assert_string_equal(fake.calls[0].body,
                        "{\"accessRules\":[{\"method\":\"GET\",\"path\":\"/me\"},"
                        "{\"method\":\"POST\",\"path\":\"/a/*\"}]}");
    assert_string_equal(fake.calls[0].headers,
                        "Accept: application/json\nX-Ovh-Application: app-key\n"
                        "Content-Type: application/json\n");
    assert_string_equal(key.url, "https://x.example/auth/?t=1");
    assert_string_equal(psn_secret_bytes(key.consumer_key), "ck");
    psn_ovh_free(ovh);
}

static void an_address_to_agree_on_is_https_or_nothing(void **state)
{
    static const char *const urls[] = { "http://x.example/", "javascript:1", "",
                                        "https://x.example/\\u001b[2J" };
    struct psn_ovh *ovh = fake_ovh(0);

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        PSN_AUTO_RELEASE(psn_ovh_asked_key) key = { 0 };
        char body[256];

        (void)snprintf(body, sizeof body,
                       "{\"consumerKey\":\"ck\",\"validationUrl\":\"%s\"}", urls[i]);
        fake_http_answer(200, body);
        assert_int_equal(psn_ovh_ask_key(ovh, rules, 2, &key, NULL), PSN_E_NETWORK);
        assert_null(key.consumer_key);
    }
    psn_ovh_free(ovh);
}

static void a_wrong_application_key_is_named(void **state)
{
    PSN_AUTO_RELEASE(psn_ovh_asked_key) key = { 0 };
    struct psn_ovh *ovh = fake_ovh(0);
    struct psn_error err = { 0 };

    (void)state;
    fake_http_answer(
        403, "{\"class\":\"Client::Forbidden\",\"message\":\"Invalid application key\"}");
    assert_int_equal(psn_ovh_ask_key(ovh, rules, 2, &key, &err), PSN_E_REFUSED);
    assert_non_null(strstr(err.message, "does not know the application key"));
    psn_ovh_free(ovh);
}

/* What is known of a key tells more than OVH does */

static void a_key_that_was_good_is_told_expired_or_revoked(void **state)
{
    static const struct {
        int64_t expires_s;
        const char *says;
    } rows[] = { { 1700000000, "has expired" },
                 { 1700009999, "was revoked" },
                 { 0, "was revoked" } };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        PSN_AUTO_RELEASE(psn_ovh_credential)
        credential = { .application_key = secret("a"),
                       .application_secret = secret("b"),
                       .consumer_key = secret("c") };
        struct psn_ovh_options options = { .root = FAKE_ROOT,
                                           .http = fake_http_port(),
                                           .clock_ms = fake_clock_ms,
                                           .sleep_ms = fake_sleep_ms,
                                           .key_known = true,
                                           .key_expires_s = rows[i].expires_s };
        struct psn_ovh *ovh = NULL;
        struct psn_error err = { 0 };

        assert_int_equal(psn_ovh_open(&options, &credential, &ovh, NULL), PSN_OK);
        fake_http_answer(403, "{\"errorCode\":\"INVALID_CREDENTIAL\",\"message\":\"x\"}");
        assert_int_equal(read_path(ovh, &err), PSN_E_REFUSED);
        assert_non_null(strstr(err.message, rows[i].says));
        psn_ovh_free(ovh);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_carries_the_token_and_no_signature),
        TEST(a_token_serves_until_it_is_about_to_end),
        TEST(a_401_gets_a_new_token_once),
        TEST(a_token_that_is_lost_while_a_call_waits_is_asked_for_again),
        TEST(a_change_answered_401_by_a_proxy_is_not_sent_again),
        TEST(an_unknown_account_is_refused_whatever_the_status),
        TEST(a_token_server_that_fails_is_asked_again),
        TEST(garbage_is_no_token),
        TEST(tokens_come_from_the_regions_own_url),
        TEST(a_key_is_asked_for_by_the_application_alone),
        TEST(an_address_to_agree_on_is_https_or_nothing),
        TEST(a_wrong_application_key_is_named),
        TEST(a_key_that_was_good_is_told_expired_or_revoked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
