#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "crypto/init.h"
#include "ovh/inventory.h"
#include "support/fake_http.h"

#define ACME   "/email/domain/acme.example"
#define REFUSE "{\"errorCode\":\"NOT_GRANTED_CALL\",\"message\":\"not granted\"}"
#define GONE   "{\"class\":\"Client::NotFound\",\"message\":\"gone\"}"

/* The findings of a walk, one line each: "kind|id|subject|detail|external". */
static char seen[16384];
static size_t stop_after;
static size_t count;

static enum psn_code note(void *arg, const struct psn_finding *finding,
                          struct psn_error *err)
{
    size_t used = strlen(seen);

    (void)arg;
    assert_true(psn_text_is_plain(finding->detail, strlen(finding->detail)));
    assert_true(psn_text_is_plain(finding->id, strlen(finding->id)));
    (void)snprintf(seen + used, sizeof seen - used, "%s|%s|%s|%s|%d\n",
                   psn_finding_kind_name(finding->kind), finding->id, finding->subject,
                   finding->detail, finding->external);
    count++;
    return count == stop_after ? psn_fail(err, PSN_E_ABORTED, "enough") : PSN_OK;
}

static enum psn_code walk(struct psn_ovh *ovh, struct psn_error *err)
{
    static const char *const domains[] = { "acme.example" };

    seen[0] = '\0';
    count = 0;
    return psn_ovh_inventory(ovh, domains, 1, note, NULL, err);
}

/* An account with one of everything. Its lists are not sorted. */
static void fill(void)
{
    fake_http_route_no_services();
    fake_http_route("GET", "/me", 200,
                    "{\"nichandle\":\"xm1-ovh\",\"email\":\"technique@acme.example\"}");
    fake_http_route("GET", "/email/domain", 200, "[\"acme.example\"]");
    fake_http_route("GET", ACME, 200,
                    "{\"domain\":\"acme.example\",\"status\":\"ok\",\"offer\":\"MXPLAN "
                    "5\"}");
    fake_http_route("GET", ACME "/serviceInfos", 200,
                    "{\"contactAdmin\":\"XM1-ovh\",\"contactTech\":\"jp2-ovh\","
                    "\"contactBilling\":\"xm1-ovh\"}");
    fake_http_route("GET", ACME "/account", 200, "[\"technique\",\"contact\"]");
    fake_http_route("GET", ACME "/account/contact/filter", 200, "[]");
    fake_http_route("GET", ACME "/account/contact/delegation", 200, "[]");
    fake_http_route("GET", ACME "/account/technique/filter", 200,
                    "[\"to me\",\"spam\\u001b[2J\"]");
    fake_http_route("GET", ACME "/account/technique/filter/to%20me", 200,
                    "{\"action\":\"redirect\",\"actionParam\":\"jp@evil.example\","
                    "\"active\":true,\"name\":\"to me\",\"pop\":\"technique\"}");
    fake_http_route("GET", ACME "/account/technique/filter/spam%1B%5B2J", 200,
                    "{\"action\":\"delete\",\"actionParam\":null,\"active\":false}");
    fake_http_route("GET", ACME "/account/technique/delegation", 200, "[\"jp2-ovh\"]");
    fake_http_route("GET", ACME "/redirection", 200, "[\"90\",\"1000\"]");
    fake_http_route("GET", ACME "/redirection/90", 200,
                    "{\"id\":\"90\",\"from\":\"info@acme.example\",\"to\":"
                    "\"contact@ACME.example\"}");
    fake_http_route("GET", ACME "/redirection/1000", 200,
                    "{\"id\":\"1000\",\"from\":\"jp@acme.example\",\"to\":"
                    "\"jp@evil.example\"}");
    fake_http_route("GET", ACME "/responder", 200, "[\"contact\"]");
    fake_http_route("GET", ACME "/responder/contact", 200,
                    "{\"account\":\"contact\",\"content\":\"x\",\"copy\":true,\"copyTo\":"
                    "\"jp@evil.example\"}");
    fake_http_route("GET", ACME "/acl", 200, "[\"jp2-ovh\"]");
    fake_http_route("GET", ACME "/mailingList", 200, "[\"news\"]");
    fake_http_route("GET", ACME "/mailingList/news", 200,
                    "{\"id\":1,\"name\":\"news\",\"ownerEmail\":\"contact@acme.example\","
                    "\"nbSubscribers\":12}");
    fake_http_route("GET", ACME "/mailingList/news/moderator", 200,
                    "[\"contact@acme.example\",\"anne@evil.example\"]");
    fake_http_route("GET", "/me/api/application", 200, "[7]");
    fake_http_route("GET", "/me/api/application/7", 200,
                    "{\"applicationId\":7,\"name\":\"passation\",\"status\":\"active\","
                    "\"applicationKey\":\"k\",\"description\":\"\"}");
    fake_http_route("GET", "/me/api/credential", 200, "[12,5]");
    fake_http_route("GET", "/me/api/credential/12", 200,
                    "{\"credentialId\":12,\"applicationId\":7,\"status\":\"validated\","
                    "\"creation\":\"2026-01-02T03:04:05+01:00\",\"expiration\":null,"
                    "\"lastUse\":\"2026-10-01T00:00:00+02:00\"}");
    fake_http_route("GET", "/me/api/credential/5", 404, GONE);
}

/* Changes one answer of fill(). */
static void replace(const char *path, long status, const char *body)
{
    for (size_t i = 0; i < fake.route_count; i++) {
        if (strcmp(fake.routes[i].path, path) == 0) {
            fake.routes[i].status = status;
            fake.routes[i].body = body;
            return;
        }
    }
    fail_msg("no route %s", path);
}

static int set_up(void **state)
{
    fake_http_reset();
    if (psn_crypto_init(NULL))
        return -1;
    *state = fake_ovh(0);
    stop_after = 0;
    fill();
    return 0;
}

static int tear_down(void **state)
{
    psn_ovh_free(*state);
    return 0;
}

static const char everything[] =
    "domain|domain:acme.example|acme.example|email/domain, ok, offer MXPLAN 5|0\n"
    "contact|contact:acme.example:admin|acme.example|admin XM1-ovh|0\n"
    "contact|contact:acme.example:tech|acme.example|tech jp2-ovh|1\n"
    "contact|contact:acme.example:billing|acme.example|billing xm1-ovh|0\n"
    "mailbox|mailbox:contact@acme.example|contact@acme.example||0\n"
    "mailbox|mailbox:technique@acme.example|technique@acme.example||0\n"
    "filter|filter:technique@acme.example:spam\\x1b[2J|technique@acme.example|"
    "spam\\x1b[2J: delete (off)|0\n"
    "filter|filter:technique@acme.example:to me|technique@acme.example|"
    "to me: redirect jp@evil.example|1\n"
    "delegation|delegation:technique@acme.example:jp2-ovh|technique@acme.example|"
    "jp2-ovh|1\n"
    "redirection|redirection:90|info@acme.example|contact@ACME.example|0\n"
    "redirection|redirection:1000|jp@acme.example|jp@evil.example|1\n"
    "responder|responder:contact@acme.example|contact@acme.example|"
    "copy to jp@evil.example|1\n"
    "acl|acl:acme.example:jp2-ovh|acme.example|jp2-ovh|1\n"
    "mailing_list|mailing_list:news@acme.example|news@acme.example|"
    "owner contact@acme.example; 12 subscribers; moderators: anne@evil.example, "
    "contact@acme.example|1\n"
    "account_mail|account_mail:technique@acme.example|technique@acme.example|xm1-ovh|0\n"
    "api_application|api_application:7|7|passation, active|0\n"
    "api_key|api_key:12|12|application 7, validated, made 2026-01-02, ends never, "
    "last used 2026-09-30|0\n";

static void finds_everything_in_a_stable_order(void **state)
{
    struct psn_error err = { 0 };

    if (walk(*state, &err))
        fail_msg("%s", err.message);
    assert_string_equal(seen, everything);
    replace(ACME "/account", 200, "[\"contact\",\"technique\"]");
    replace(ACME "/redirection", 200, "[\"1000\",\"90\"]");
    assert_int_equal(walk(*state, NULL), PSN_OK);
    assert_string_equal(seen, everything);
    for (size_t i = 0; i < fake.call_count; i++)
        assert_string_equal(fake.calls[i].method, "GET");
}

static void without_domains_all_that_are_listed_are_walked(void **state)
{
    seen[0] = '\0';
    assert_int_equal(psn_ovh_inventory(*state, NULL, 0, note, NULL, NULL), PSN_OK);
    assert_string_equal(seen, everything);
}

/* Whatever single part is refused, the others are found. */
static void a_part_that_is_refused_is_a_finding(void **state)
{
    static const char *const parts[] = {
        "/me",
        ACME "/serviceInfos",
        ACME "/account",
        ACME "/account/technique/filter",
        ACME "/account/technique/delegation",
        ACME "/account/technique/filter/to%20me",
        ACME "/redirection",
        ACME "/redirection/90",
        ACME "/responder",
        ACME "/acl",
        ACME "/mailingList",
        ACME "/mailingList/news/moderator",
        "/me/api/application",
        "/me/api/credential",
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char line[256];
        struct psn_error err = { 0 };

        fake.route_count = fake.call_count = 0;
        fill();
        replace(parts[i], 403, REFUSE);
        if (walk(*state, &err))
            fail_msg("%s: %s", parts[i], err.message);
        (void)snprintf(line, sizeof line,
                       "unreadable|unreadable:%s|%s|the key has no rule "
                       "for GET %s",
                       parts[i], parts[i], parts[i]);
        if (!strstr(seen, line))
            fail_msg("%s is not reported:\n%s", parts[i], seen);
        assert_non_null(strstr(seen, "domain|domain:acme.example"));
    }
}

static void an_expired_service_is_a_finding(void **state)
{
    replace(ACME, 460, "{\"message\":\"This Service is expired\"}");
    assert_int_equal(walk(*state, NULL), PSN_OK);
    assert_non_null(strstr(seen, "unreadable|unreadable:" ACME "|" ACME "|the service is "
                                 "expired"));
    assert_non_null(strstr(seen, "api_key"));
}

static void a_key_that_is_not_valid_ends_the_walk(void **state)
{
    struct psn_error err = { 0 };

    replace(ACME "/redirection", 403,
            "{\"errorCode\":\"INVALID_CREDENTIAL\",\"message\":\"x\"}");
    assert_int_equal(walk(*state, &err), PSN_E_REFUSED);
    assert_non_null(strstr(err.message, "not complete"));
    assert_non_null(strstr(err.message, "consumer key"));
}

static void the_network_ends_the_walk(void **state)
{
    struct psn_error err = { 0 };

    replace(ACME "/acl", 502, "<html>");
    assert_int_equal(walk(*state, &err), PSN_E_NETWORK);
    assert_non_null(strstr(err.message, "acl"));
}

static void the_callback_ends_the_walk(void **state)
{
    size_t all;

    assert_int_equal(walk(*state, NULL), PSN_OK);
    all = count;
    for (size_t i = 1; i <= all; i++) {
        struct psn_error err = { 0 };

        fake.call_count = 0;
        stop_after = i;
        assert_int_equal(walk(*state, &err), PSN_E_ABORTED);
        assert_int_equal(count, i);
    }
}

static void what_is_gone_meanwhile_is_left_out(void **state)
{
    replace(ACME "/redirection/1000", 404, GONE);
    replace(ACME "/account/technique/filter/to%20me", 404, GONE);
    assert_int_equal(walk(*state, NULL), PSN_OK);
    assert_null(strstr(seen, "redirection:1000"));
    assert_null(strstr(seen, "to me"));
    assert_null(strstr(seen, "unreadable"));
}

static void garbage_ends_the_walk(void **state)
{
    static const struct {
        const char *path;
        const char *body;
    } rows[] = {
        { "/me", "[]" },
        { "/me", "{\"nichandle\":5}" },
        { ACME, "{\"status\":[]}" },
        { ACME "/serviceInfos", "{\"contactTech\":{}}" },
        { ACME "/account", "{}" },
        { ACME "/account", "[{}]" },
        { ACME "/account", "[\"..\"]" },
        { ACME "/account", "[1.5]" },
        { ACME "/account/technique/filter", "[\"\"]" },
        { ACME "/account/technique/filter/to%20me", "{\"action\":\"redirect\"}" },
        { ACME "/redirection/90", "{\"from\":\"a\"}" },
        { ACME "/redirection/90", "{\"from\":1,\"to\":\"b\"}" },
        { ACME "/responder/contact", "{\"copyTo\":\"a\"}" },
        { ACME "/acl", "\"jp2-ovh\"" },
        { ACME "/mailingList/news", "{\"nbSubscribers\":\"many\"}" },
        { ACME "/mailingList/news/moderator", "[null]" },
        { "/me/api/application/7", "{}" },
        { "/me/api/credential/12", "{\"status\":\"validated\",\"creation\":\"once\"}" },
        { "/me/api/credential", "<html>" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_error err = { 0 };

        fake.route_count = fake.call_count = 0;
        fill();
        replace(rows[i].path, 200, rows[i].body);
        if (walk(*state, &err) != PSN_E_NETWORK)
            fail_msg("row %zu: %s", i, rows[i].path);
        assert_non_null(strstr(err.message, "garbage"));
    }
}

static void long_ids_stay_apart(void **state)
{
    static char names[1200];
    char name[201];
    char *line;

    memset(name, 'n', sizeof name - 1);
    name[200] = '\0';
    (void)snprintf(names, sizeof names, "[\"%s1\",\"%s2\"]", name, name);
    replace(ACME "/acl", 200, names);
    assert_int_equal(walk(*state, NULL), PSN_OK);
    line = strstr(seen, "acl|acl:acme.example:nnn");
    assert_non_null(line);
    assert_non_null(strstr(line + 1, "acl|acl:acme.example:nnn"));
    assert_int_not_equal(
        strncmp(line, strstr(line + 1, "acl|acl:"), 4 + PSN_FINDING_ID_MAX - 1), 0);
}

static void kinds_have_names(void **state)
{
    (void)state;
    for (int kind = PSN_FINDING_DOMAIN; kind <= PSN_FINDING_UNREADABLE; kind++)
        assert_string_not_equal(psn_finding_kind_name((enum psn_finding_kind)kind),
                                "unknown");
    assert_string_equal(psn_finding_kind_name((enum psn_finding_kind)99), "unknown");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_everything_in_a_stable_order),
        TEST(without_domains_all_that_are_listed_are_walked),
        TEST(a_part_that_is_refused_is_a_finding),
        TEST(an_expired_service_is_a_finding),
        TEST(a_key_that_is_not_valid_ends_the_walk),
        TEST(the_network_ends_the_walk),
        TEST(the_callback_ends_the_walk),
        TEST(what_is_gone_meanwhile_is_left_out),
        TEST(garbage_ends_the_walk),
        TEST(long_ids_stay_apart),
        TEST(kinds_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
