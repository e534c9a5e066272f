#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "crypto/init.h"
#include "ovh/contact.h"
#include "ovh/zone.h"
#include "support/fake_http.h"

#define ZONE  "/domain/zone/acme.example/record"
#define INFOS "/domain/acme.example/serviceInfos"
#define TASK  "/me/task/contactChange/7"
#define GONE  "{\"class\":\"Client::NotFound\",\"message\":\"gone\"}"
#define RECORD(name, type, ttl, target)                                                \
    "{\"fieldType\":\"" type "\",\"id\":1,\"subDomain\":" name ",\"target\":\"" target \
    "\",\"ttl\":" ttl ",\"zone\":\"acme."                                              \
    "example\"}"

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

/* --- psn_ovh_zone_export --- */

static void fill(void)
{
    fake_http_route("GET", ZONE, 200, "[9,8,7,6,5,4,3,2,1]");
    fake_http_route("GET", ZONE "/1", 200,
                    RECORD("\"www\"", "CNAME", "0", "acme.example."));
    fake_http_route("GET", ZONE "/2", 200,
                    RECORD("\"\"", "MX", "86400", "1 mx0.mail.ovh.net."));
    fake_http_route("GET", ZONE "/3", 200, RECORD("null", "A", "null", "192.0.2.1"));
    fake_http_route("GET", ZONE "/4", 200,
                    RECORD("\"_sip._tcp\"", "SRV", "0", "0 5 5060 sip.acme.example."));
    fake_http_route(
        "GET", ZONE "/5", 200,
        RECORD("\"\"", "TXT", "600", "\\\"v=spf1 include:mx.ovh.com ~all\\\""));
    fake_http_route("GET", ZONE "/6", 200,
                    RECORD("\"\"", "SPF", "0", "v=spf1 a;b \\\"c\\\" \\\\d"));
    fake_http_route("GET", ZONE "/7", 404, GONE);
    fake_http_route("GET", ZONE "/8", 200,
                    RECORD("\"\"", "CAA", "0", "0 issue \\\"ca;x=(1)\\\""));
    fake_http_route("GET", ZONE "/9", 200,
                    RECORD("\"k._domainkey\"", "DKIM", "0",
                           "\\\"v=DKIM1\\\" \\\"p=\\\\097\\\\\\\"\\\""));
}

static void a_zone_is_a_file_always_the_same(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);

    fill();
    assert_int_equal(psn_ovh_zone_export(*state, "acme.example", &text, NULL), PSN_OK);
    assert_string_equal(psn_buf_str(&text),
                        "$ORIGIN acme.example.\n"
                        "$TTL 3600\n"
                        "@ IN A 192.0.2.1\n"
                        "@ IN CAA 0 issue \"ca;x=(1)\"\n"
                        "@ 86400 IN MX 1 mx0.mail.ovh.net.\n"
                        "@ IN TXT \"v=spf1 a;b \\\"c\\\" \\\\d\"\n"
                        "@ 600 IN TXT \"v=spf1 include:mx.ovh.com ~all\"\n"
                        "_sip._tcp IN SRV 0 5 5060 sip.acme.example.\n"
                        "k._domainkey IN TXT \"v=DKIM1\" \"p=a\\\"\"\n"
                        "www IN CNAME acme.example.\n");
}

static void long_text_is_cut_in_strings_of_255_bytes(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);
    static char body[1024];
    char wanted[700];
    char a[256];

    memset(a, 'a', 255);
    a[255] = '\0';
    (void)snprintf(body, sizeof body,
                   "{\"fieldType\":\"TXT\",\"subDomain\":\"\",\"ttl\":0,\"target\":"
                   "\"\\\"%s%s\xc3\xa9\\\"\"}",
                   a, a);
    (void)snprintf(wanted, sizeof wanted, " \"%s\" \"%s\" \"\\195\\169\"\n", a, a);
    fake_http_route("GET", ZONE, 200, "[1]");
    fake_http_route("GET", ZONE "/1", 200, body);
    assert_int_equal(psn_ovh_zone_export(*state, "acme.example", &text, NULL), PSN_OK);
    assert_non_null(strstr(psn_buf_str(&text), wanted));
}

static void names_are_escaped(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);

    fake_http_route("GET", ZONE, 200, "[1,2]");
    fake_http_route("GET", ZONE "/1", 200, RECORD("\"*\"", "A", "0", "192.0.2.1"));
    fake_http_route("GET", ZONE "/2", 200, RECORD("\"$a;@\"", "A", "0", "192.0.2.1"));
    assert_int_equal(psn_ovh_zone_export(*state, "acme.example", &text, NULL), PSN_OK);
    assert_non_null(strstr(psn_buf_str(&text), "\n\\$a\\;\\@ IN"));
    assert_non_null(strstr(psn_buf_str(&text), "\n* IN"));
}

static void what_cannot_stand_there_is_named(void **state)
{
    static const char *const bodies[] = {
        RECORD("\"a\"", "A", "0", "192.0.2.1\\n@ IN NS evil.example."),
        RECORD("\"a\"", "A", "0", "192.0.2.1\\r"),
        RECORD("\"a\"", "A", "0", "192.0.2.1\\t"),
        RECORD("\"a\"", "A", "0", "192.0.2.1 ; x"),
        RECORD("\"a\"", "A", "0", "192.0.2.1 ("),
        RECORD("\"a\"", "CNAME", "0", "caf\xc3\xa9."),
        RECORD("\"a\"", "CAA", "0", "0 issue \\\"x"),
        RECORD("\"a\"", "A", "0", ""),
        RECORD("\"a\"", "TXT", "0", "a\\nb"),
        RECORD("\"a\"", "TXT", "0", "a\\u007fb"),
        RECORD("\"a b\"", "A", "0", "192.0.2.1"),
        RECORD("\"a\\n\"", "A", "0", "192.0.2.1"),
        RECORD("\"evil.example.\"", "A", "0", "192.0.2.1"),
        RECORD("\".a\"", "A", "0", "192.0.2.1"),
        RECORD("\"a\"", "a b", "0", "192.0.2.1"),
        RECORD("\"a\"", "", "0", "192.0.2.1"),
        RECORD("\"a\"", "A", "-1", "192.0.2.1"),
        RECORD("\"a\"", "A", "4294967296", "192.0.2.1"),
        RECORD("\"a\"", "A", "\"x\"", "192.0.2.1"),
        RECORD("5", "A", "0", "192.0.2.1"),
        "[]",
        "{}",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);
        struct psn_error err = { 0 };

        fake.route_count = fake.call_count = 0;
        fake_http_route("GET", ZONE, 200, "[4711]");
        fake_http_route("GET", ZONE "/4711", 200, bodies[i]);
        if (psn_ovh_zone_export(*state, "acme.example", &text, &err) != PSN_E_NETWORK)
            fail_msg("%s", bodies[i]);
        assert_non_null(strstr(err.message, "record 4711 of the zone 'acme.example'"));
    }
}

static void a_text_that_only_looks_quoted_is_quoted_whole(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);

    fake_http_route("GET", ZONE, 200, "[1,2,3]");
    fake_http_route("GET", ZONE "/1", 200, RECORD("\"a\"", "TXT", "0", "\\\"open"));
    fake_http_route("GET", ZONE "/2", 200, RECORD("\"b\"", "TXT", "0", "\\\"x\\\" ; y"));
    fake_http_route("GET", ZONE "/3", 200, RECORD("\"c\"", "TXT", "0", ""));
    assert_int_equal(psn_ovh_zone_export(*state, "acme.example", &text, NULL), PSN_OK);
    assert_non_null(strstr(psn_buf_str(&text), "a IN TXT \"\\\"open\"\n"));
    assert_non_null(strstr(psn_buf_str(&text), "b IN TXT \"\\\"x\\\" ; y\"\n"));
    assert_non_null(strstr(psn_buf_str(&text), "c IN TXT \"\"\n"));
}

static void half_a_zone_is_none(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);
    struct psn_error err = { 0 };

    fake_http_route("GET", ZONE, 404, GONE);
    assert_int_equal(psn_ovh_zone_export(*state, "acme.example", &text, &err),
                     PSN_E_NOT_FOUND);
    assert_int_equal(text.size, 0);
}

/* --- psn_ovh_domain_facts --- */

static void facts_may_be_few(void **state)
{
    struct psn_domain_facts facts;

    fake_http_route(
        "GET", INFOS, 200,
        "{\"expiration\":\"2027-03-11T00:00:00+01:00\",\"renew\":{"
        "\"automatic\":false,\"deleteAtExpiration\":true},\"status\":\"ok\"}");
    assert_int_equal(psn_ovh_domain_facts(*state, "acme.example", &facts, NULL), PSN_OK);
    assert_int_equal(facts.expires_s, 1804723200 - 3600);
    assert_true(facts.is_deleted && !facts.renews);
    fake.route_count = 0;
    fake_http_route("GET", INFOS, 200, "{\"renew\":null}");
    assert_int_equal(psn_ovh_domain_facts(*state, "acme.example", &facts, NULL), PSN_OK);
    assert_int_equal(facts.expires_s, 0);
}

static void facts_are_strict(void **state)
{
    static const char *const bodies[] = {
        "[]",
        "{\"expiration\":5}",
        "{\"expiration\":\"tomorrow\"}",
        "{\"expiration\":\"2027-02-30\"}",
        "{\"renew\":{}}",
        "{\"status\":\"a\\u0007\"}",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct psn_domain_facts facts;

        fake.route_count = 0;
        fake_http_route("GET", INFOS, 200, bodies[i]);
        if (psn_ovh_domain_facts(*state, "acme.example", &facts, NULL) != PSN_E_NETWORK)
            fail_msg("%s", bodies[i]);
    }
}

/* --- contacts: what OVH says is not trusted to be sane --- */

#define CHANGE(id, types, from, service, status)                                   \
    "{\"id\":" id ",\"contactTypes\":" types ",\"fromAccount\":\"" from            \
    "\",\"toAccount\":\"b-ovh\",\"serviceDomain\":" service ",\"state\":\"" status \
    "\",\"dateRequest\":\"2026-01-02T03:04:05Z\",\"dateDone\":null}"

static void a_task_is_read(void **state)
{
    struct psn_contact_change change;

    fake_http_route("GET", TASK, 200,
                    CHANGE("7", "[\"contactTech\",\"contactAdmin\"]", "a-ovh", "null",
                           "checkValidity"));
    assert_int_equal(psn_ovh_contact_task(*state, 7, &change, NULL), PSN_OK);
    assert_true(change.admin && change.tech && !change.billing);
    assert_int_equal(change.state, PSN_CONTACT_CHECKING);
    assert_string_equal(change.service, "");
    assert_int_equal(change.ends_s - change.asked_s, 7 * 86400);
}

static void a_task_is_strict(void **state)
{
    static const char *const bodies[] = {
        CHANGE("8", "[\"contactTech\"]", "a-ovh", "\"x\"", "todo"),
        CHANGE("7", "[]", "a-ovh", "\"x\"", "todo"),
        CHANGE("7", "[\"contactOwner\"]", "a-ovh", "\"x\"", "todo"),
        CHANGE("7", "[5]", "a-ovh", "\"x\"", "todo"),
        CHANGE("7", "\"contactTech\"", "a-ovh", "\"x\"", "todo"),
        CHANGE("7", "[\"contactTech\"]", "a b", "\"x\"", "todo"),
        CHANGE("7", "[\"contactTech\"]", "", "\"x\"", "todo"),
        CHANGE("7", "[\"contactTech\"]", "a-ovh", "\"x\\u001b\"", "todo"),
        CHANGE("7", "[\"contactTech\"]", "a-ovh", "5", "todo"),
        CHANGE("7", "[\"contactTech\"]", "a-ovh", "\"x\"", "paused"),
        "[]",
        "{}",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct psn_contact_change change;

        fake.route_count = 0;
        fake_http_route("GET", TASK, 200, bodies[i]);
        if (psn_ovh_contact_task(*state, 7, &change, NULL) != PSN_E_NETWORK)
            fail_msg("%s", bodies[i]);
    }
}

static void numbers_that_are_none_are_not_known(void **state)
{
    static const char *const bodies[] = { "{}", "null", "[\"x\"]", "[0]", "[1,2,3,4]" };
    const struct psn_contact_service service = { .kind = PSN_CONTACT_DOMAIN,
                                                 .name = "acme.example" };
    const char *const to[PSN_CONTACT_ROLES] = { "", "b-ovh", "" };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct psn_ovh_answer answer;
        struct psn_contact_ids ids;
        struct psn_error err = { 0 };

        fake.route_count = 0;
        fake_http_route("POST", "/domain/acme.example/changeContact", 200, bodies[i]);
        assert_int_equal(
            psn_ovh_contact_change(*state, &service, to, &answer, &ids, &err), PSN_OK);
        assert_int_equal(answer.outcome, PSN_OVH_UNKNOWN);
        assert_int_equal(err.code, PSN_E_NETWORK);
    }
}

static void a_token_is_in_no_message(void **state)
{
    PSN_AUTO(psn_secret) *token = NULL;
    struct psn_ovh_answer answer;
    struct psn_error err = { 0 };

    assert_int_equal(psn_secret_copy("to\"ken-1", 8, &token, NULL), PSN_OK);
    fake_http_route("POST", TASK "/accept", 400,
                    "{\"class\":\"Client::BadRequest\",\"message\":\"to\\\"ken-1 is "
                    "bad\"}");
    assert_int_equal(psn_ovh_contact_answer(*state, 7, true, token, &answer, &err),
                     PSN_OK);
    assert_int_equal(answer.outcome, PSN_OVH_BAD_REQUEST);
    assert_string_equal(fake.calls[0].body, "{\"token\":\"to\\\"ken-1\"}");
    assert_null(strstr(err.message, "ken-1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_zone_is_a_file_always_the_same),
        TEST(long_text_is_cut_in_strings_of_255_bytes),
        TEST(names_are_escaped),
        TEST(what_cannot_stand_there_is_named),
        TEST(a_text_that_only_looks_quoted_is_quoted_whole),
        TEST(half_a_zone_is_none),
        TEST(facts_may_be_few),
        TEST(facts_are_strict),
        TEST(a_task_is_read),
        TEST(a_task_is_strict),
        TEST(numbers_that_are_none_are_not_known),
        TEST(a_token_is_in_no_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
