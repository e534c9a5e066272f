#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "ovh/directory.h"
#include "support/fake_http.h"

/*
 * An account whose domain acme.example has mailboxes on four services: old@ on the first
 * MX Plan, pro@ on Email Pro, ex@ on Exchange, zim@ on Zimbra.
 */
#define GONE         "{\"class\":\"Client::NotFound\",\"message\":\"gone\"}"
#define NO_RULE      "{\"errorCode\":\"NOT_GRANTED_CALL\",\"message\":\"not granted\"}"
#define ACME         "/email/domain/acme.example"
#define PRO          "/email/pro/p1"
#define EX           "/email/exchange/o1/service/s1"
#define BOX(address) "{\"primaryEmailAddress\":\"" address "\",\"state\":\"ok\"}"
#define POLICY                                                                         \
    "{\"state\":\"ok\",\"hostname\":\"pro3.mail.ovh.net\",\"complexityEnabled\":true," \
    "\"minPasswordLength\":26,\"minPasswordAge\":2,\"maxPasswordAge\":90,"             \
    "\"lockoutThreshold\":4,\"lockoutObservationWindow\":30}"
#define ZIM                                                                          \
    "{\"id\":\"a1\",\"resourceStatus\":\"READY\",\"currentState\":{\"email\":\"zim@" \
    "acme.example\"}}"

static struct psn_directory *directory;

static int set_up(void **state)
{
    static const struct {
        const char *path;
        const char *body;
    } routes[] = {
        { ACME, "{\"domain\":\"acme.example\",\"status\":\"ok\"}" },
        { ACME "/account/old",
          "{\"accountName\":\"old\",\"domain\":\"acme.example\",\"isBlocked\":false}" },
        { ACME "/account/pro", NULL },
        { ACME "/account/ex", NULL },
        { ACME "/account/zim", NULL },
        { ACME "/account/new", NULL },
        { "/email/mxplan", "[]" },
        { "/email/pro", "[\"p1\",\"p2\"]" },
        { PRO "/domain", "[\"acme.example\"]" },
        { "/email/pro/p2/domain", "[\"other.example\"]" },
        { PRO, POLICY },
        { PRO "/account/pro%40acme.example", BOX("pro@acme.example") },
        { PRO "/account/ex%40acme.example", NULL },
        { PRO "/account/zim%40acme.example", NULL },
        { PRO "/account/new%40acme.example", NULL },
        { "/email/exchange", "[\"o1\"]" },
        { "/email/exchange/o1/service", "[\"s1\"]" },
        { EX "/domain", "[\"acme.example\"]" },
        { EX, "{\"state\":\"ok\",\"offer\":\"hosted\",\"hostname\":\"ex1.mail.ovh.net\","
              "\"complexityEnabled\":false}" },
        { EX "/account/ex%40acme.example", BOX("ex@acme.example") },
        { EX "/account/zim%40acme.example", NULL },
        { EX "/account/new%40acme.example", NULL },
        { "/v2/zimbra/platform", "[{\"id\":\"z1\"}]" },
        { "/v2/zimbra/platform/z1", "{\"id\":\"z1\",\"resourceStatus\":\"READY\"}" },
        { "/v2/zimbra/platform/z1/domain",
          "[{\"currentState\":{\"name\":\"acme.example\"}}]" },
        { "/v2/zimbra/platform/z1/account?email=zim%40acme.example", "[" ZIM "]" },
        { "/v2/zimbra/platform/z1/account?email=new%40acme.example", "[]" },
        { "/v2/zimbra/platform/z1/account/a1", ZIM },
    };

    fake_http_reset();
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        fake_http_route("GET", routes[i].path, routes[i].body ? 200 : 404,
                        routes[i].body ? routes[i].body : GONE);
    if (psn_crypto_init(NULL))
        return -1;
    *state = fake_ovh(0);
    return psn_directory_new(*state, &directory, NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
    psn_directory_free(directory);
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

static struct psn_mailbox named(const char *local)
{
    struct psn_mailbox mailbox = { .domain = "acme.example" };

    (void)snprintf(mailbox.local, sizeof mailbox.local, "%s", local);
    return mailbox;
}

static enum psn_code find(struct psn_mailbox *mailbox, struct psn_mailbox_info *info,
                          struct psn_password_rules *rules, struct psn_error *err)
{
    return psn_directory_find(directory, mailbox, info, rules, err);
}

static void a_domain_may_have_mailboxes_on_several_services(void **state)
{
    static const struct {
        const char *local;
        enum psn_backend backend;
        const char *service;
        const char *host;
    } rows[] = { { "old", PSN_BACKEND_EMAIL_DOMAIN, "", "" },
                 { "pro", PSN_BACKEND_EMAIL_PRO, "p1", "pro3.mail.ovh.net" },
                 { "ex", PSN_BACKEND_EMAIL_EXCHANGE, "s1", "ex1.mail.ovh.net" },
                 { "zim", PSN_BACKEND_ZIMBRA, "z1", "" } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mailbox mailbox = named(rows[i].local);
        struct psn_mailbox_info info;
        struct psn_password_rules rules;
        struct psn_error err = { 0 };

        if (find(&mailbox, &info, &rules, &err))
            fail_msg("%s: %s", rows[i].local, err.message);
        assert_true(info.exists);
        assert_int_equal(mailbox.backend, rows[i].backend);
        assert_string_equal(mailbox.place.service, rows[i].service);
        assert_string_equal(mailbox.place.host, rows[i].host);
    }
}

static void what_was_read_is_kept_for_the_run(void **state)
{
    struct psn_mailbox_info info;
    struct psn_password_rules rules;
    struct psn_mailbox mailbox = named("zim");

    (void)state;
    assert_int_equal(find(&mailbox, &info, &rules, NULL), PSN_OK);
    assert_string_equal(mailbox.place.account, "a1");
    for (int i = 0; i < 3; i++) {
        size_t before = fake.call_count;

        assert_int_equal(find(&mailbox, &info, &rules, NULL), PSN_OK);
        assert_int_equal(fake.call_count - before, 1);
    }
    mailbox = named("pro");
    assert_int_equal(find(&mailbox, &info, &rules, NULL), PSN_OK);
    assert_int_equal(fake_http_count("GET", "/email/pro"), 1);
    assert_int_equal(fake_http_count("GET", ACME), 1);
}

static void the_place_of_last_time_is_asked_first(void **state)
{
    struct psn_mailbox mailbox = named("pro");
    struct psn_mailbox_info info;
    struct psn_password_rules rules;

    (void)state;
    mailbox.backend = PSN_BACKEND_EMAIL_PRO;
    (void)snprintf(mailbox.place.service, sizeof mailbox.place.service, "p1");
    assert_int_equal(find(&mailbox, &info, &rules, NULL), PSN_OK);
    assert_int_equal(fake.call_count, 2); /* the mailbox, and its service's rules */
}

static void a_mailbox_that_has_moved_is_found_where_it_is(void **state)
{
    struct psn_mailbox mailbox = named("zim");
    struct psn_mailbox_info info;
    struct psn_password_rules rules;

    (void)state;
    mailbox.backend = PSN_BACKEND_EMAIL_PRO;
    (void)snprintf(mailbox.place.service, sizeof mailbox.place.service, "p1");
    assert_int_equal(find(&mailbox, &info, &rules, NULL), PSN_OK);
    assert_true(info.exists);
    assert_int_equal(mailbox.backend, PSN_BACKEND_ZIMBRA);
    assert_string_equal(mailbox.place.host, "");
}

static void the_first_mx_plan_may_have_handed_its_mailboxes_over(void **state)
{
    struct psn_mailbox mailbox = named("old");
    struct psn_mailbox_info info;
    struct psn_password_rules rules;

    (void)state;
    replace(
        ACME, 200,
        "{\"domain\":\"acme.example\",\"status\":\"ok\",\"migratedMXPlanServiceName\":"
        "\"m1\"}");
    replace("/email/mxplan", 200, "[\"m1\"]");
    fake_http_route("GET", "/email/mxplan/m1/domain", 200, "[\"acme.example\"]");
    fake_http_route("GET", "/email/mxplan/m1", 200,
                    "{\"state\":\"ok\",\"complexityEnabled\":false,\"isZimbra\":true}");
    fake_http_route("GET", "/email/mxplan/m1/account/old%40acme.example", 200,
                    BOX("old@acme.example"));
    mailbox.backend = PSN_BACKEND_EMAIL_DOMAIN;
    assert_int_equal(find(&mailbox, &info, &rules, NULL), PSN_OK);
    assert_int_equal(mailbox.backend, PSN_BACKEND_EMAIL_MXPLAN);
    assert_true(mailbox.place.is_zimbra);
    assert_int_equal(rules.max, 64);
    assert_true(rules.special);
}

static void reads_the_rules_of_the_service(void **state)
{
    struct psn_mailbox mailbox = named("pro");
    struct psn_mailbox_info info;
    struct psn_password_rules rules;

    (void)state;
    assert_int_equal(find(&mailbox, &info, &rules, NULL), PSN_OK);
    assert_int_equal(rules.min, 26);
    assert_int_equal(rules.max, 30);
    assert_int_equal(rules.classes, 3);
    assert_true(rules.no_names);
    assert_true(rules.min_age_s == (int64_t)2 * 24 * 3600);
    assert_true(rules.max_age_s == (int64_t)90 * 24 * 3600);
    assert_int_equal(rules.lockout, 4);
    assert_true(rules.lockout_window_s == 1800);
}

static void a_suspended_service_is_refused_before_anything_is_sent(void **state)
{
    struct psn_mailbox mailbox = named("pro");
    struct psn_mailbox_info info;
    struct psn_password_rules rules;
    struct psn_error err = { 0 };

    (void)state;
    replace(PRO, 200, "{\"state\":\"suspended\",\"complexityEnabled\":false}");
    assert_int_equal(find(&mailbox, &info, &rules, &err), PSN_E_REFUSED);
    assert_non_null(strstr(err.message, "suspended"));
}

static void a_back_end_that_may_not_be_read_is_passed_over(void **state)
{
    struct psn_mailbox mailbox = named("zim");
    struct psn_mailbox_info info;
    struct psn_password_rules rules;

    (void)state;
    replace("/email/pro", 403, NO_RULE);
    replace("/email/exchange", 404, GONE);
    assert_int_equal(find(&mailbox, &info, &rules, NULL), PSN_OK);
    assert_true(info.exists);
    /* a mailbox that is nowhere to be seen, though its domain is */
    mailbox = named("new");
    assert_int_equal(find(&mailbox, &info, &rules, NULL), PSN_OK);
    assert_false(info.exists);
}

static void what_may_have_the_mailbox_and_may_not_be_read_is_named(void **state)
{
    struct psn_mailbox mailbox = named("pro");
    struct psn_mailbox_info info;
    struct psn_password_rules rules;
    struct psn_error err = { 0 };

    (void)state;
    replace(PRO "/account/pro%40acme.example", 403, NO_RULE);
    fake_http_route("GET", EX "/account/pro%40acme.example", 404, GONE);
    fake_http_route("GET", "/v2/zimbra/platform/z1/account?email=pro%40acme.example", 200,
                    "[]");
    assert_int_equal(find(&mailbox, &info, &rules, &err), PSN_E_REFUSED);
    assert_non_null(strstr(err.message, PRO "/account/pro%40acme.example"));
}

static void a_network_that_fails_ends_the_search(void **state)
{
    struct psn_mailbox mailbox = named("zim");
    struct psn_mailbox_info info;
    struct psn_password_rules rules;

    (void)state;
    replace("/email/pro", 500, "{\"message\":\"x\"}");
    assert_int_equal(find(&mailbox, &info, &rules, NULL), PSN_E_NETWORK);
}

/* New mailboxes */

static void leave_one_slot_on_pro(void)
{
    fake_http_route("GET", PRO "/account", 200, "[\"7@configureme.me\"]");
    fake_http_route("GET", PRO "/account/7%40configureme.me", 200,
                    "{\"configured\":false,\"taskPendingId\":0}");
    fake_http_route("GET", EX "/account", 200, "[]");
    fake_http_route("GET", "/v2/zimbra/platform/z1/slot?used=false", 200, "[]");
}

static void a_new_mailbox_goes_to_the_one_service_with_room(void **state)
{
    struct psn_mailbox mailbox = named("new");
    struct psn_password_rules rules;
    struct psn_error err = { 0 };

    (void)state;
    leave_one_slot_on_pro();
    replace(ACME, 200,
            "{\"domain\":\"acme.example\",\"status\":\"ok\",\"offer\":\"redirect\"}");
    if (psn_directory_place(directory, PSN_BACKEND_NONE, &mailbox, &rules, &err))
        fail_msg("%s", err.message);
    assert_int_equal(mailbox.backend, PSN_BACKEND_EMAIL_PRO);
    assert_string_equal(mailbox.place.service, "p1");
    assert_int_equal(rules.min, 26);
}

static void where_several_have_room_the_user_says_which(void **state)
{
    struct psn_mailbox mailbox = named("new");
    struct psn_password_rules rules;
    struct psn_error err = { 0 };

    (void)state;
    leave_one_slot_on_pro();
    assert_int_equal(
        psn_directory_place(directory, PSN_BACKEND_NONE, &mailbox, &rules, &err),
        PSN_E_INVALID);
    assert_non_null(strstr(err.hint, "--on"));
    assert_int_equal(
        psn_directory_place(directory, PSN_BACKEND_EMAIL_PRO, &mailbox, &rules, NULL),
        PSN_OK);
    assert_int_equal(mailbox.backend, PSN_BACKEND_EMAIL_PRO);
}

static void without_a_free_slot_the_service_is_named(void **state)
{
    struct psn_mailbox mailbox = named("new");
    struct psn_password_rules rules;
    struct psn_error err = { 0 };

    (void)state;
    leave_one_slot_on_pro();
    assert_int_equal(
        psn_directory_place(directory, PSN_BACKEND_ZIMBRA, &mailbox, &rules, &err),
        PSN_E_REFUSED);
    assert_non_null(strstr(err.message, "no free slot in the service 'z1'"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_domain_may_have_mailboxes_on_several_services),
        TEST(what_was_read_is_kept_for_the_run),
        TEST(the_place_of_last_time_is_asked_first),
        TEST(a_mailbox_that_has_moved_is_found_where_it_is),
        TEST(the_first_mx_plan_may_have_handed_its_mailboxes_over),
        TEST(reads_the_rules_of_the_service),
        TEST(a_suspended_service_is_refused_before_anything_is_sent),
        TEST(a_back_end_that_may_not_be_read_is_passed_over),
        TEST(what_may_have_the_mailbox_and_may_not_be_read_is_named),
        TEST(a_network_that_fails_ends_the_search),
        TEST(a_new_mailbox_goes_to_the_one_service_with_room),
        TEST(where_several_have_room_the_user_says_which),
        TEST(without_a_free_slot_the_service_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
