#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "crypto/init.h"
#include "ovh/inventory.h"
#include "ovh/walk.h"
#include "support/fake_http.h"

#define ACME   "/email/domain/acme.example"
#define PRO    "/email/pro/pro-1"
#define EX     "/email/exchange/org/service/ex"
#define REFUSE "{\"errorCode\":\"NOT_GRANTED_CALL\",\"message\":\"not granted\"}"
#define GONE   "{\"class\":\"Client::NotFound\",\"message\":\"gone\"}"
#define INFOS(admin, tech, billing)                           \
    "{\"contactAdmin\":\"" admin "\",\"contactTech\":\"" tech \
    "\",\"contactBilling\":\"" billing "\"}"

/* The findings, two lines each: "id|whose|danger|method path body" with "own" in the
 * place of the call where it is, and "  detail", or what stands in the way. */
static char seen[32768];

static enum psn_code note(void *arg, const struct psn_finding *finding,
                          struct psn_error *err)
{
    size_t used = strlen(seen);

    (void)arg;
    (void)err;
    assert_true(psn_text_is_plain(finding->detail, strlen(finding->detail)));
    if (finding->kind == PSN_FINDING_MAILBOX)
        return PSN_OK; /* it is there: no access */
    assert_true(finding->method[0] || finding->obstacle[0]);
    assert_true(!finding->method[0] == !finding->path[0]);
    assert_false(finding->method[0] && finding->obstacle[0]);
    assert_true(finding->method[0] || !finding->body[0]);
    (void)snprintf(seen + used, sizeof seen - used, "%s|%s|%s|%s%s %s%s%s\n  %s\n",
                   finding->id, finding->whose, psn_danger_name(finding->danger),
                   finding->own ? "own" : "", finding->method, finding->path,
                   finding->body[0] ? " " : "", finding->body, finding->detail);
    return PSN_OK;
}

static enum psn_code sweep(struct psn_ovh *ovh, struct psn_error *err)
{
    static const char *const domains[] = { "acme.example" };
    static const char *const ours[] = { "api_key:13" };
    const struct psn_sweep_options options = { domains, 1, ours, 1, NULL, 0 };

    seen[0] = '\0';
    return psn_ovh_sweep(ovh, &options, note, NULL, err);
}

static void fill_mail(void)
{
    fake_http_route("GET", "/email/domain", 200, "[\"acme.example\"]");
    fake_http_route("GET", ACME, 200,
                    "{\"domain\":\"acme.example\",\"status\":\"ok\",\"offer\":\"x\"}");
    fake_http_route("GET", ACME "/serviceInfos", 200,
                    INFOS("xm1-ovh", "jp2-ovh", "xm1-ovh"));
    fake_http_route("GET", ACME "/account", 200, "[\"technique\"]");
    fake_http_route("GET", ACME "/account/technique/filter", 200,
                    "[\"away\",\"old\",\"spam\"]");
    fake_http_route("GET", ACME "/account/technique/filter/away", 200,
                    "{\"action\":\"redirect\",\"actionParam\":\"jp@evil.example\","
                    "\"active\":true}");
    fake_http_route("GET", ACME "/account/technique/filter/old", 200,
                    "{\"action\":\"redirect\",\"actionParam\":\"jp@evil.example\","
                    "\"active\":false}");
    fake_http_route("GET", ACME "/account/technique/filter/spam", 200,
                    "{\"action\":\"delete\",\"actionParam\":null,\"active\":true}");
    fake_http_route("GET", ACME "/account/technique/delegation", 200,
                    "[\"jp2-ovh\",\"XM1-ovh\"]");
    fake_http_route("GET", ACME "/redirection", 200, "[\"1\",\"2\",\"3\"]");
    fake_http_route("GET", ACME "/redirection/1", 200,
                    "{\"from\":\"technique@acme.example\",\"to\":\"jp@evil.example\"}");
    fake_http_route("GET", ACME "/redirection/2", 200,
                    "{\"from\":\"technique@acme.example\",\"to\":"
                    "\"technique@acme.example\"}");
    fake_http_route("GET", ACME "/redirection/3", 200,
                    "{\"from\":\"info@acme.example\",\"to\":\"technique@acme.example\"}");
    fake_http_route("GET", ACME "/responder", 200, "[\"sav\",\"technique\"]");
    fake_http_route("GET", ACME "/responder/technique", 200,
                    "{\"copy\":true,\"copyTo\":null}");
    fake_http_route("GET", ACME "/responder/sav", 200,
                    "{\"copy\":false,\"copyTo\":\"jp@evil.example\"}");
    fake_http_route("GET", ACME "/acl", 200, "[\"jp2-ovh\"]");
    fake_http_route("GET", ACME "/mailingList", 200, "[\"news\"]");
    fake_http_route("GET", ACME "/mailingList/news", 200,
                    "{\"ownerEmail\":\"jp@evil.example\",\"replyTo\":"
                    "\"info@acme.example\"}");
    fake_http_route("GET", ACME "/mailingList/news/moderator", 200,
                    "[\"technique@acme.example\",\"anne@evil.example\"]");
    fake_http_route("GET", ACME "/mailingList/news/subscriber", 200,
                    "[\"bob@evil.example\"]");
}

static void fill_services(void)
{
    fake_http_route("GET", "/email/mxplan", 200, "[]");
    fake_http_route("GET", "/email/pro", 200, "[\"pro-1\"]");
    fake_http_route("GET", PRO, 200,
                    "{\"state\":\"ok\",\"hostname\":\"h\",\"complexityEnabled\":false}");
    fake_http_route("GET", PRO "/domain", 200, "[\"acme.example\"]");
    fake_http_route("GET", PRO "/serviceInfos", 200,
                    INFOS("jp2-ovh", "xm1-ovh", "xm1-ovh"));
    fake_http_route("GET", PRO "/account", 200, "[\"contact@acme.example\"]");
    fake_http_route("GET", PRO "/account/contact%40acme.example", 200,
                    "{\"passwordLastUpdate\":null}");
    fake_http_route("GET", PRO "/account/contact%40acme.example/fullAccess", 200, "[7]");
    fake_http_route("GET", PRO "/account/contact%40acme.example/fullAccess/7", 200,
                    "{\"allowedAccountId\":7,\"creationDate\":"
                    "\"2026-01-02T03:04:05Z\",\"taskPendingId\":null}");
    fake_http_route("GET", PRO "/account?id=7", 200, "[\"anne@other.example\"]");
    fake_http_route("GET", PRO "/account/contact%40acme.example/sendAs", 200, "[]");
    fake_http_route("GET", PRO "/account/contact%40acme.example/sendOnBehalfTo", 200,
                    "[]");
    fake_http_route("GET", "/email/exchange", 200, "[\"org\"]");
    fake_http_route("GET", "/email/exchange/org/service", 200, "[\"ex\"]");
    fake_http_route("GET", EX, 200,
                    "{\"state\":\"ok\",\"hostname\":\"h\",\"complexityEnabled\":false}");
    fake_http_route("GET", EX "/domain", 200, "[\"acme.example\"]");
    fake_http_route("GET", EX "/serviceInfos", 200,
                    INFOS("xm1-ovh", "jp2-ovh", "xm1-ovh"));
    fake_http_route("GET", EX "/account", 200, "[\"boss@acme.example\"]");
    fake_http_route("GET", EX "/account/boss%40acme.example", 200,
                    "{\"passwordLastUpdate\":null,\"forwardingEmail\":"
                    "\"jp@evil.example\"}");
    fake_http_route("GET", EX "/account/boss%40acme.example/fullAccess", 200, "[]");
    fake_http_route("GET", EX "/account/boss%40acme.example/sendAs", 200, "[]");
    fake_http_route("GET", EX "/account/boss%40acme.example/sendOnBehalfTo", 200, "[]");
    fake_http_route("GET", "/v2/zimbra/platform", 200, "[]");
    fake_http_route("GET", "/domain/acme.example/serviceInfos", 404, GONE);
    fake_http_route("GET", "/domain/zone/acme.example/serviceInfos", 200,
                    INFOS("xm1-ovh", "xm1-ovh", "jp2-ovh"));
    fake_http_route("GET", "/hosting/web", 200, "[\"acme.cluster1\"]");
    fake_http_route("GET", "/hosting/web/acme.cluster1/serviceInfos", 200,
                    INFOS("xm1-ovh", "jp2-ovh", "xm1-ovh"));
}

static void fill_account(void)
{
    fake_http_route("GET", "/me", 200,
                    "{\"nichandle\":\"xm1-ovh\",\"email\":\"technique@acme.example\"}");
    fake_http_route("GET", "/auth/currentCredential", 200,
                    "{\"credentialId\":12,\"applicationId\":7,\"status\":\"validated\"}");
    fake_http_route("GET", "/me/api/application", 200, "[7,8]");
    fake_http_route("GET", "/me/api/application/7", 200,
                    "{\"name\":\"passation\",\"status\":\"active\"}");
    fake_http_route("GET", "/me/api/application/8", 200,
                    "{\"name\":\"old\",\"status\":\"inactive\"}");
    fake_http_route("GET", "/me/api/credential", 200, "[12,13,14,15,16]");
    for (int i = 12; i <= 13; i++)
        fake_http_route("GET",
                        i == 12 ? "/me/api/credential/12" : "/me/api/credential/13", 200,
                        "{\"applicationId\":7,\"status\":\"validated\",\"rules\":[]}");
    fake_http_route("GET", "/me/api/credential/14", 200,
                    "{\"applicationId\":8,\"status\":\"validated\","
                    "\"creation\":\"2026-01-02T03:04:05+01:00\",\"expiration\":null,"
                    "\"lastUse\":null,\"rules\":[{\"method\":\"GET\",\"path\":\"/*\"},"
                    "{\"method\":\"PUT\",\"path\":\"/*\"},{\"method\":\"POST\",\"path\":"
                    "\"/*\"},{\"method\":\"DELETE\",\"path\":\"/*\"}],"
                    "\"allowedIPs\":[\"192.0.2.0/24\"]}");
    fake_http_route("GET", "/me/api/credential/15", 200,
                    "{\"applicationId\":8,\"status\":\"validated\",\"rules\":"
                    "[{\"method\":\"GET\",\"path\":\"/me\"}],\"allowedIPs\":null}");
    fake_http_route("GET", "/me/api/credential/16", 200,
                    "{\"applicationId\":8,\"status\":\"expired\",\"rules\":"
                    "[{\"method\":\"PUT\",\"path\":\"/me\"}]}");
    fake_http_route("GET", "/me/api/oauth2/client", 200, "[\"EU.c1\"]");
    fake_http_route("GET", "/me/api/oauth2/client/EU.c1", 200,
                    "{\"name\":\"agence\",\"flow\":\"CLIENT_CREDENTIALS\","
                    "\"createdAt\":\"2026-01-02T03:04:05Z\"}");
    fake_http_route("GET", "/me/identity/user", 200, "[\"jp\",\"xm1-ovh\"]");
    fake_http_route("GET", "/me/identity/user/jp", 200,
                    "{\"email\":\"jp@evil.example\",\"group\":\"ADMIN\",\"status\":"
                    "\"OK\",\"type\":\"USER\",\"creation\":\"2026-01-02T03:04:05Z\"}");
    fake_http_route("GET", "/me/identity/user/xm1-ovh", 200,
                    "{\"email\":\"x@y.example\",\"group\":\"ADMIN\",\"status\":\"OK\","
                    "\"type\":\"ROOT\"}");
    fake_http_route("GET", "/me/identity/user/jp/token", 200, "[\"ci\"]");
    fake_http_route("GET", "/me/identity/user/xm1-ovh/token", 200, "[]");
    fake_http_route("GET", "/me/identity/user/jp/token/ci", 200,
                    "{\"creation\":\"2026-01-02T03:04:05Z\",\"expiresAt\":null,"
                    "\"lastUsed\":null}");
    fake_http_route("GET", "/me/subAccount", 200, "[5]");
    fake_http_route("GET", "/me/subAccount/5", 200,
                    "{\"description\":\"shop\",\"creationDate\":"
                    "\"2026-01-02T03:04:05Z\"}");
    fake_http_route(
        "GET", "/v2/iam/policy", 200,
        "[{\"id\":\"u1\",\"name\":\"mail\",\"readOnly\":false,\"identities\":["
        "\"urn:v1:eu:identity:account:jp2-ovh\",\"urn:v1:eu:identity:user:xm1-ovh/jp\"],"
        "\"permissions\":{\"allow\":[{\"action\":\"emailDomain:*\"}]}},"
        "{\"id\":\"u2\",\"name\":\"ADMIN\",\"readOnly\":true,\"identities\":[]},"
        "{\"id\":\"u3\",\"name\":\"over\",\"readOnly\":false,\"identities\":[],"
        "\"expiredAt\":\"2020-01-01T00:00:00Z\"}]");
}

static int set_up(void **state)
{
    fake_http_reset();
    if (psn_crypto_init(NULL))
        return -1;
    *state = fake_ovh(0);
    fill_mail();
    fill_services();
    fill_account();
    return 0;
}

static int tear_down(void **state)
{
    psn_ovh_free(*state);
    return 0;
}

static void replace(const char *path, long status, const char *body)
{
    for (size_t i = 0; i < fake.route_count; i++)
        if (strcmp(fake.routes[i].path, path) == 0) {
            fake.routes[i].status = status;
            fake.routes[i].body = body;
            return;
        }
    fail_msg("no route %s", path);
}

static const char of_mail[] =
    "contact:acme.example:tech|jp2-ovh|danger|POST " ACME
    "/changeContact {\"contactTech\":\"xm1-ovh\"}\n  tech jp2-ovh\n"
    "filter:technique@acme.example:away|jp@evil.example|danger|DELETE " ACME
    "/account/technique/filter/away\n  away: redirect jp@evil.example\n"
    "filter:technique@acme.example:old|jp@evil.example|notice|DELETE " ACME
    "/account/technique/filter/old\n  old: redirect jp@evil.example (off)\n"
    "delegation:technique@acme.example:jp2-ovh|jp2-ovh|danger|DELETE " ACME
    "/account/technique/delegation/jp2-ovh\n  jp2-ovh\n"
    "redirection:1|jp@evil.example|danger|DELETE " ACME
    "/redirection/1\n  jp@evil.example, the mail of a mailbox\n"
    "redirection:2|technique@acme.example|info|DELETE " ACME
    "/redirection/2\n  technique@acme.example, a copy kept in the mailbox\n"
    "redirection:3|technique@acme.example|info|DELETE " ACME
    "/redirection/3\n  technique@acme.example\n"
    "responder:sav@acme.example|jp@evil.example|notice|DELETE " ACME
    "/responder/sav\n  copy to jp@evil.example (off)\n"
    "acl:acme.example:jp2-ovh|jp2-ovh|danger|DELETE " ACME "/acl/jp2-ovh\n  jp2-ovh\n"
    "mailing_list:news@acme.example:owner|jp@evil.example|notice| \n"
    "  owner jp@evil.example\n"
    "moderator:news@acme.example:anne@evil.example|anne@evil.example|danger|DELETE " ACME
    "/mailingList/news/moderator/anne%40evil.example\n  anne@evil.example\n"
    "subscriber:news@acme.example:bob@evil.example|bob@evil.example|notice|DELETE " ACME
    "/mailingList/news/subscriber/bob%40evil.example\n  bob@evil.example\n";

static const char of_services[] =
    "contact:pro/pro-1:admin|jp2-ovh|danger| \n  admin jp2-ovh, email/pro\n"
    "delegation:contact@acme.example:fullAccess:7|anne@other.example|danger|DELETE " PRO
    "/account/contact%40acme.example/fullAccess/7\n"
    "  fullAccess: anne@other.example, account 7\n"
    "contact:exchange/ex:tech|jp2-ovh|danger| \n  tech jp2-ovh, email/exchange\n"
    "redirection:boss@acme.example:forwarding|jp@evil.example|danger|PUT " EX
    "/account/boss%40acme.example {\"forwardingEmail\":null}\n"
    "  jp@evil.example, the mail of a mailbox\n"
    "account_mail:technique@acme.example|technique@acme.example|danger| \n  xm1-ovh\n"
    "contact:zone/acme.example:billing|jp2-ovh|notice|POST "
    "/domain/zone/acme.example/changeContact {\"contactBilling\":\"xm1-ovh\"}\n"
    "  billing jp2-ovh, DNS zone\n"
    "contact:hosting/acme.cluster1:tech|jp2-ovh|danger|POST "
    "/hosting/web/acme.cluster1/changeContact {\"contactTech\":\"xm1-ovh\"}\n"
    "  tech jp2-ovh, web hosting\n";

static const char of_account[] =
    "api_application:7|7|info|own \n  passation, active\n"
    "api_application:8|8|info|DELETE /me/api/application/8\n  old, inactive\n"
    "api_key:12|12|info|own \n"
    "  application 7, validated, made never, ends never, last used never; from any "
    "address\n"
    "api_key:13|13|info|own \n"
    "  application 7, validated, made never, ends never, last used never; from any "
    "address\n"
    "api_key:14|14|danger|DELETE /me/api/credential/14\n"
    "  application 8, validated, made 2026-01-02, ends never, last used never; GET /*, "
    "PUT /*, POST /* and 1 more; from 192.0.2.0/24 only\n"
    "api_key:15|15|notice|DELETE /me/api/credential/15\n"
    "  application 8, validated, made never, ends never, last used never; GET /me; from "
    "any address\n"
    "api_key:16|16|info|DELETE /me/api/credential/16\n"
    "  application 8, expired, made never, ends never, last used never; PUT /me; from "
    "any address\n"
    "oauth_client:EU.c1|EU.c1|notice|DELETE /me/api/oauth2/client/EU.c1\n"
    "  agence, CLIENT_CREDENTIALS\n"
    "iam_user:jp|jp jp@evil.example|danger|DELETE /me/identity/user/jp\n"
    "  group ADMIN, OK, jp@evil.example\n"
    "iam_token:jp:ci|jp|danger|DELETE /me/identity/user/jp/token/ci\n"
    "  ci, made 2026-01-02, ends never, last used never\n"
    "sub_account:5|5|notice| \n  shop\n"
    "iam_policy:u1|urn:v1:eu:identity:account:jp2-ovh urn:v1:eu:identity:user:xm1-ovh/jp|"
    "danger|DELETE /v2/iam/policy/u1\n  emailDomain:*, ends never\n"
    "iam_policy:u2||info| \n  no action, ends never\n"
    "iam_policy:u3||info|DELETE /v2/iam/policy/u3\n  no action, ends 2020-01-01\n";

static void expect_part(const char *part)
{
    if (!strstr(seen, part))
        fail_msg("expected:\n%s\nfound:\n%s", part, seen);
}

static void finds_every_access_and_what_removes_it(void **state)
{
    struct psn_error err = { 0 };

    if (sweep(*state, &err))
        fail_msg("%s", err.message);
    expect_part(of_mail);
    expect_part(of_services);
    expect_part(of_account);
    assert_int_equal(strlen(seen),
                     strlen(of_mail) + strlen(of_services) + strlen(of_account));
    for (size_t i = 0; i < fake.call_count; i++)
        assert_string_equal(fake.calls[i].method, "GET");
}

/* Whatever single part may not be read is said, and the others are found. */
static void a_part_that_is_refused_is_a_finding(void **state)
{
    static const char *const parts[] = {
        "/me",
        "/domain/zone/acme.example/serviceInfos",
        "/hosting/web",
        (PRO "/serviceInfos"),
        "/me/api/oauth2/client",
        "/me/identity/user",
        "/me/identity/user/jp/token",
        "/me/subAccount",
        "/v2/iam/policy",
        (ACME "/mailingList/news/subscriber"),
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char line[256];
        struct psn_error err = { 0 };

        fake.route_count = fake.call_count = 0;
        fill_mail();
        fill_services();
        fill_account();
        replace(parts[i], 403, REFUSE);
        if (sweep(*state, &err))
            fail_msg("%s: %s", parts[i], err.message);
        (void)snprintf(line, sizeof line, "unreadable:%s||notice| \n", parts[i]);
        expect_part(line);
        expect_part("api_key:14|");
        expect_part("redirection:1|");
    }
}

/* A key that may not say which it is, as a service account's token, is known by what the
 * caller knows, or by its identity. */
static void a_service_account_spares_itself(void **state)
{
    replace("/auth/currentCredential", 403, REFUSE);
    fake_http_route("GET", "/auth/details", 200,
                    "{\"account\":\"xm1-ovh\",\"method\":\"oauth2_client_credentials\","
                    "\"identities\":[\"urn:v1:eu:identity:credential:xm1-ovh/"
                    "oauth2-EU.c1\"]}");
    replace("/v2/iam/policy", 200,
            "[{\"id\":\"u1\",\"name\":\"ours\",\"readOnly\":false,\"identities\":["
            "\"urn:v1:eu:identity:credential:xm1-ovh/oauth2-EU.c1\"]}]");
    assert_int_equal(sweep(*state, NULL), PSN_OK);
    expect_part("oauth_client:EU.c1|EU.c1|info|own \n");
    expect_part("iam_policy:u1|urn:v1:eu:identity:credential:xm1-ovh/oauth2-EU.c1|info|"
                "own \n");
    expect_part("api_key:13|13|info|own \n");
    expect_part("api_application:7|7|notice|DELETE");
}

static void what_is_ours_may_stay_unknown(void **state)
{
    replace("/auth/currentCredential", 403, REFUSE);
    fake_http_route("GET", "/auth/details", 403, REFUSE);
    assert_int_equal(sweep(*state, NULL), PSN_OK);
    expect_part("api_key:12|12|notice|DELETE");
    assert_null(strstr(seen, "unreadable:/auth"));
}

static void garbage_ends_the_sweep(void **state)
{
    static const struct {
        const char *path;
        const char *body;
    } rows[] = {
        { "/auth/currentCredential", "{\"credentialId\":\"x\"}" },
        { "/hosting/web", "{}" },
        { "/domain/zone/acme.example/serviceInfos", "{\"contactTech\":5}" },
        { "/me/api/credential/14", "{\"status\":\"validated\",\"rules\":{}}" },
        { "/me/api/credential/14",
          "{\"status\":\"validated\",\"rules\":[],\"allowedIPs\":5}" },
        { "/me/api/oauth2/client/EU.c1", "{\"name\":5}" },
        { "/me/identity/user/jp", "{\"type\":\"USER\"}" },
        { "/me/identity/user/jp/token/ci", "{\"creation\":\"once\"}" },
        { "/me/subAccount/5", "{\"creationDate\":7}" },
        { "/v2/iam/policy", "[{\"id\":\"u1\"}]" },
        { "/v2/iam/policy", "[{\"id\":\"u1\",\"name\":\"x\",\"identities\":[5],"
                            "\"readOnly\":false}]" },
        { PRO "/account/contact%40acme.example/fullAccess/7", "{\"creationDate\":5}" },
        { EX "/account/boss%40acme.example", "{\"forwardingEmail\":[]}" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_error err = { 0 };

        fake.route_count = fake.call_count = 0;
        fill_mail();
        fill_services();
        fill_account();
        replace(rows[i].path, 200, rows[i].body);
        if (sweep(*state, &err) != PSN_E_NETWORK)
            fail_msg("row %zu: %s", i, rows[i].path);
        assert_non_null(strstr(err.message, "garbage"));
        assert_non_null(strstr(err.message, "not complete"));
    }
}

/* Nobody but the administrator may replace a contact. */
static void a_contact_is_replaced_by_the_administrator(void **state)
{
    replace(ACME "/serviceInfos", 200, INFOS("jp2-ovh", "jp2-ovh", "xm1-ovh"));
    assert_int_equal(sweep(*state, NULL), PSN_OK);
    expect_part("contact:acme.example:admin|jp2-ovh|danger| \n");
    expect_part("contact:acme.example:tech|jp2-ovh|danger| \n");
}

/* --- psn_finding_is_of --- */

static void a_finding_is_of_whom_it_names(void **state)
{
    static const struct {
        const char *whose;
        const char *name;
        bool is_of;
    } rows[] = {
        { "jp@evil.example", "jp@evil.example", true },
        { "jp@evil.example", "JP@Evil.example", true },
        { "jp@evil.example", "jp", false },
        { "jp@evil.example", "evil.example", false },
        { "jp@evil.example", "p@evil.example", false },
        { "jp2-ovh", "jp2-ovh", true },
        { "jp2-ovh", "jp2", false },
        { "xjp2-ovh jp2-ovh", "jp2-ovh", true },
        { "jp jp@evil.example", "jp@evil.example", true },
        { "urn:v1:eu:identity:account:jp2-ovh", "jp2-ovh", true },
        { "urn:v1:eu:identity:user:xm1-ovh/jp", "jp", true },
        { "urn:v1:eu:identity:credential:xm1-ovh/oauth2-EU.c1", "EU.c1", true },
        { "urn:v1:eu:identity:credential:xm1-ovh/oauth2-EU.c1", "c1", false },
        { "", "jp", false },
        { "jp", "", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_finding finding = { .kind = PSN_FINDING_ACL };

        (void)snprintf(finding.whose, sizeof finding.whose, "%s", rows[i].whose);
        if (psn_finding_is_of(&finding, rows[i].name) != rows[i].is_of)
            fail_msg("'%s' in '%s'", rows[i].name, rows[i].whose);
    }
}

static void words_have_names(void **state)
{
    (void)state;
    assert_string_equal(psn_danger_name(PSN_DANGER_DANGER), "danger");
    assert_string_equal(psn_danger_name((enum psn_danger)99), "unknown");
    assert_string_equal(psn_cut_state_name(PSN_CUT_IMPOSSIBLE), "impossible");
    assert_string_equal(psn_cut_state_name((enum psn_cut_state)99), "unknown");
}

/* --- what a detail is made of --- */

static enum psn_code keep(void *arg, const struct psn_finding *finding,
                          struct psn_error *err)
{
    (void)arg;
    (void)finding;
    (void)err;
    return PSN_OK;
}

static void expect_detail(const char *source, const char *expected)
{
    struct psn_finding finding = { .detail = "as it was read" };
    char detail[PSN_FINDING_TEXT_MAX];

    (void)snprintf(finding.source, sizeof finding.source, "%s", source);
    assert_string_equal(psn_finding_detail(&finding, detail), expected);
}

static void messages_in_a_detail_are_filled_when_it_is_read(void **state)
{
    (void)state;
    expect_detail("", "as it was read");
    expect_detail("of an earlier version, 100 %s", "of an earlier version, 100 %s");
    expect_detail("a, \1validated\3, b", "a, validated, b");
    expect_detail("\1owner %s; %s of them\2a@b.fr\2"
                  "12\3.",
                  "owner a@b.fr; 12 of them.");
    expect_detail("\1%s%s|\2\2%s\3", "%s|");
}

/* 2025-12-31T23:30:00Z */
static void a_day_in_a_detail_is_the_readers(void **state)
{
    (void)state;
    expect_detail("\1made\3 \1\2"
                  "1767223800\3.",
                  "made 2025-12-31.");
    assert_int_equal(setenv("TZ", "CET-1", 1), 0);
    tzset();
    expect_detail("\1made\3 \1\2"
                  "1767223800\3.",
                  "made 2026-01-01.");
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
    expect_detail("-\1\2"
                  "17672",
                  "-");
    expect_detail("-\1\2"
                  "99999999999999999\3.",
                  "-.");
}

static void a_detail_that_is_cut_is_shown_as_far_as_it_goes(void **state)
{
    char source[PSN_FINDING_SOURCE_MAX];
    char expected[PSN_FINDING_TEXT_MAX];

    (void)state;
    expect_detail("-\1copy to %s\2x@y", "-copy to x@y");
    expect_detail("-\1copy to %s", "-copy to ");
    expect_detail("-\1copy", "-copy");
    expect_detail("-\1", "-");
    expect_detail("\1\3-", "-");
    expect_detail("\1\2x\3-", "-");
    expect_detail("\1plain\2more\3", "plain");
    for (size_t i = 0; i + 2 < sizeof source; i += 2)
        memcpy(source + i, "é", 2);
    source[(sizeof source - 1) / 2 * 2] = '\0';
    memcpy(source, "\1%", 2);
    memset(expected, 0, sizeof expected);
    expected[0] = '%';
    for (size_t i = 1; i + 2 < sizeof expected; i += 2)
        memcpy(expected + i, "é", sizeof "é");
    expect_detail(source, expected);
}

/* Neither the marks, nor what once was a mark elsewhere, nor a hole in a message. */
static void nothing_of_ovhs_is_taken_for_a_message(void **state)
{
    static const struct psn_walk walk = { .each = keep };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    struct psn_finding finding = { .kind = PSN_FINDING_FILTER };
    struct psn_error err = { 0 };

    (void)state;
    psn_detail_add(&detail, PSN_OVH_PARTS("a\1never\3", "\uE000"));
    psn_detail_say(&detail, "copy to %s, %s",
                   PSN_OVH_PARTS("x\3\2y%s@z", "\1never\3", "left over"));
    assert_int_equal(psn_walk_report(&walk, &finding, "a", NULL, &detail, &err), PSN_OK);
    assert_string_equal(finding.detail, "a\\x01never\\x03\uE000copy to "
                                        "x\\x03\\x02y%s@z, \\x01never\\x03");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_every_access_and_what_removes_it),
        TEST(a_part_that_is_refused_is_a_finding),
        TEST(a_service_account_spares_itself),
        TEST(what_is_ours_may_stay_unknown),
        TEST(garbage_ends_the_sweep),
        TEST(a_contact_is_replaced_by_the_administrator),
        TEST(a_finding_is_of_whom_it_names),
        TEST(words_have_names),
        cmocka_unit_test(messages_in_a_detail_are_filled_when_it_is_read),
        cmocka_unit_test(a_day_in_a_detail_is_the_readers),
        cmocka_unit_test(a_detail_that_is_cut_is_shown_as_far_as_it_goes),
        cmocka_unit_test(nothing_of_ovhs_is_taken_for_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
