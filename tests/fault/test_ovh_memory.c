/*
 * Makes every allocation of src/ fail in turn, once and from then on, while an account is
 * linked, walked, and a mailbox of it changed. Link with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "crypto/secret.h"
#include "ovh/cut.h"
#include "ovh/directory.h"
#include "ovh/inventory.h"
#include "ovh/json.h"
#include "ovh/mailbox.h"
#include "support/fake_http.h"
#include "support/record.h"

#define ACME "/email/domain/acme.example"

/* The fault: the allocation that fails (0: none), and whether all later ones do. */
static size_t fail_at;
static bool fail_on;
static size_t allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool fails(void)
{
    allocations++;
    return fail_at && (allocations == fail_at || (fail_on && allocations > fail_at));
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fails() ? NULL : __real_calloc(number, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

#define SERVICE                                                                 \
    "{\"domain\":\"acme.example\",\"state\":\"ok\",\"complexityEnabled\":true," \
    "\"hostname\":\"pro1.mail.ovh.net\",\"isZimbra\":false,\"offer\":\"hosted\"}"
#define BOX(local)                                      \
    "{\"primaryEmailAddress\":\"" local                 \
    "@acme.example\",\"state\":\"ok\",\"displayName\":" \
    "\"x\"}"
#define TASK "{\"id\":5,\"function\":\"changePassword\",\"status\":\"todo\"}"
#define ZIMBRA(local)                                                 \
    "{\"id\":\"a1\",\"checksum\":\"c\",\"resourceStatus\":\"READY\"," \
    "\"currentTasks\":[],\"currentState\":{\"email\":\"" local        \
    "@acme.example\"},\"targetSpec\":{\"email\":\"" local             \
    "@acme.example\",\"displayName\":\"x\"}}"

static void fill_services(void)
{
    static const char *const answers[][2] = {
        { "/email/mxplan", "[\"m1\"]" },
        { "/email/mxplan/m1", SERVICE },
        { "/email/mxplan/m1/domain", "[\"acme.example\"]" },
        { "/email/mxplan/m1/account", "[\"mx@acme.example\"]" },
        { "/email/mxplan/m1/account/mx%40acme.example", BOX("mx") },
        { "/email/mxplan/m1/account/mx%40acme.example/task", "[5]" },
        { "/email/mxplan/m1/account/mx%40acme.example/task/5", TASK },
        { "/email/mxplan/m1/account/mx%40acme.example/fullAccess", "[]" },
        { "/email/mxplan/m1/account/mx%40acme.example/sendAs", "[]" },
        { "/email/mxplan/m1/account/mx%40acme.example/sendOnBehalfTo", "[]" },
        { "/email/pro", "[\"p1\"]" },
        { "/email/pro/p1", SERVICE },
        { "/email/pro/p1/domain", "[\"acme.example\"]" },
        { "/email/pro/p1/account", "[\"pro@acme.example\"]" },
        { "/email/pro/p1/account/pro%40acme.example", BOX("pro") },
        { "/email/pro/p1/account/pro%40acme.example/tasks", "[5]" },
        { "/email/pro/p1/account/pro%40acme.example/tasks/5", TASK },
        { "/email/pro/p1/account/pro%40acme.example/fullAccess", "[9]" },
        { "/email/pro/p1/account?id=9", "[\"b@acme.example\"]" },
        { "/email/pro/p1/account/pro%40acme.example/sendAs", "[]" },
        { "/email/pro/p1/account/pro%40acme.example/sendOnBehalfTo", "[]" },
        { "/email/exchange", "[\"o1\"]" },
        { "/email/exchange/o1/service", "[\"s1\"]" },
        { "/email/exchange/o1/service/s1", SERVICE },
        { "/email/exchange/o1/service/s1/domain", "[\"acme.example\"]" },
        { "/email/exchange/o1/service/s1/account", "[]" },
        { "/email/exchange/o1/service/s1/account/ex%40acme.example", BOX("ex") },
        { "/email/exchange/o1/service/s1/account/ex%40acme.example/tasks", "[]" },
        { "/v2/zimbra/platform", "[{\"id\":\"z1\"}]" },
        { "/v2/zimbra/platform/z1", "{\"id\":\"z1\",\"resourceStatus\":\"READY\"}" },
        { "/v2/zimbra/platform/z1/domain",
          "[{\"currentState\":{\"name\":\"acme.example\"}}]" },
        { "/v2/zimbra/platform/z1/account", "[" ZIMBRA("zim") "]" },
        { "/v2/zimbra/platform/z1/redirection", "[]" },
        { "/v2/zimbra/platform/z1/account?email=zim%40acme.example",
          "[" ZIMBRA("zim") "]" },
        { "/v2/zimbra/platform/z1/account/a1", ZIMBRA("zim") },
    };

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        fake_http_route("GET", answers[i][0], 200, answers[i][1]);
    fake_http_route("POST", "/email/mxplan/m1/account/mx%40acme.example/changePassword",
                    200, TASK);
    fake_http_route("POST", "/email/pro/p1/account/pro%40acme.example/changePassword",
                    200, TASK);
    fake_http_route("POST",
                    "/email/exchange/o1/service/s1/account/ex%40acme.example/"
                    "changePassword",
                    200, TASK);
    fake_http_route("PUT", "/v2/zimbra/platform/z1/account/a1", 200, ZIMBRA("zim"));
}

#define FREE_SLOT "{\"configured\":false,\"taskPendingId\":0}"
#define NEUF      "/account/neuf%40acme.example"
#define SLOT      "/account/7%40configureme.me"

/* Services with a slot, and an Exchange of one's own, which has none. */
static void fill_slots(void)
{
    static const char *const absent[] = { "/email/mxplan/m2" NEUF, "/email/pro/p2" NEUF,
                                          "/email/exchange/o1/service/own" NEUF };
    static const char *const answers[][2] = {
        { "/email/mxplan/m2", SERVICE },
        { "/email/mxplan/m2/account", "[\"7@configureme.me\"]" },
        { "/email/mxplan/m2" SLOT, FREE_SLOT },
        { "/email/pro/p2", SERVICE },
        { "/email/pro/p2/account", "[\"7@configureme.me\"]" },
        { "/email/pro/p2" SLOT, FREE_SLOT },
        { "/email/exchange/o1/service/own",
          "{\"state\":\"ok\",\"complexityEnabled\":true,\"offer\":\"provider\"}" },
        { "/v2/zimbra/platform/z1/account?email=neuf%40acme.example", "[]" },
        { "/v2/zimbra/platform/z1/slot?used=false",
          "[{\"id\":\"s1\",\"currentState\":{\"billingStatus\":\"OK\",\"accountId\":null,"
          "\"offer\":\"PRO\"}}]" },
    };

    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        fake_http_route("GET", absent[i], 404,
                        "{\"class\":\"Client::NotFound\",\"message\":\"gone\"}");
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        fake_http_route("GET", answers[i][0], 200, answers[i][1]);
    fake_http_route("PUT", "/email/mxplan/m2" SLOT, 200, "null");
    fake_http_route("PUT", "/email/pro/p2" SLOT, 200, "null");
    fake_http_route("POST", "/email/mxplan/m2" NEUF "/changePassword", 200, TASK);
    fake_http_route("POST", "/email/pro/p2" NEUF "/changePassword", 200, TASK);
    fake_http_route("POST", "/email/exchange/o1/service/own/account", 200, TASK);
    fake_http_route("POST", "/v2/zimbra/platform/z1/account", 200, ZIMBRA("neuf"));
}

/* What a sweep reads besides. */
static void fill_accesses(void)
{
    static const char *const answers[][2] = {
        { "/email/mxplan/m1/account/mx%40acme.example/fullAccess/9", "{}" },
        { "/email/pro/p1/account/pro%40acme.example/fullAccess/9", "{}" },
        { "/email/pro/p1/serviceInfos", "{\"contactTech\":\"b\"}" },
        { "/email/exchange/o1/service/s1/serviceInfos", "{\"contactTech\":\"b\"}" },
        { ACME "/mailingList/news/subscriber", "[\"a@b.example\"]" },
        { "/domain/acme.example/serviceInfos", "{\"contactTech\":\"b\"}" },
        { "/domain/zone/acme.example/serviceInfos", "{\"contactTech\":\"b\"}" },
        { "/hosting/web", "[\"h\"]" },
        { "/hosting/web/h/serviceInfos",
          "{\"contactAdmin\":\"a\",\"contactTech\":\"b\"}" },
        { "/me/api/oauth2/client", "[\"c\"]" },
        { "/me/api/oauth2/client/c", "{\"name\":\"x\"}" },
        { "/me/identity/user", "[\"jp\"]" },
        { "/me/identity/user/jp", "{\"status\":\"OK\"}" },
        { "/me/identity/user/jp/token", "[\"t\"]" },
        { "/me/identity/user/jp/token/t", "{}" },
        { "/me/subAccount", "[1]" },
        { "/me/subAccount/1", "{}" },
        { "/v2/iam/policy",
          "[{\"id\":\"p\",\"name\":\"x\",\"readOnly\":false,\"identities\":[\"u\"]}]" },
    };

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        fake_http_route("GET", answers[i][0], 200, answers[i][1]);
    fake_http_route("POST", "/hosting/web/h/changeContact", 200, "[5]");
}

static void fill(void)
{
    static const char *const answers[][2] = {
        { "/me", "{\"nichandle\":\"a\",\"email\":\"x@acme.example\"}" },
        { "/email/domain", "[\"acme.example\"]" },
        { ACME, "{\"domain\":\"acme.example\",\"status\":\"ok\"}" },
        { ACME "/serviceInfos", "{\"contactTech\":\"b\"}" },
        { ACME "/account", "[\"technique\"]" },
        { ACME "/account/technique/filter", "[\"to me\"]" },
        { ACME "/account/technique/filter/to%20me",
          "{\"action\":\"redirect\",\"actionParam\":\"x@y.example\",\"active\":true}" },
        { ACME "/account/technique/delegation", "[\"c\"]" },
        { ACME "/redirection", "[\"1\",\"2\"]" },
        { ACME "/redirection/1", "{\"from\":\"a@b.example\",\"to\":\"c@d.example\"}" },
        { ACME "/redirection/2", "{\"from\":\"a@b.example\",\"to\":\"c@d.example\"}" },
        { ACME "/responder", "[\"sav\"]" },
        { ACME "/responder/sav", "{\"copy\":false,\"copyTo\":null}" },
        { ACME "/acl", "[]" },
        { ACME "/mailingList", "[\"news\"]" },
        { ACME "/mailingList/news", "{\"ownerEmail\":\"a@b.example\"}" },
        { ACME "/mailingList/news/moderator", "[\"a@b.example\"]" },
        { "/me/api/application", "[7]" },
        { "/me/api/application/7", "{\"name\":\"x\",\"status\":\"active\"}" },
        { "/me/api/credential", "[8]" },
        { "/me/api/credential/8", "{\"status\":\"validated\",\"applicationId\":7}" },
        { "/auth/currentCredential",
          "{\"status\":\"validated\",\"credentialId\":8,\"rules\":[{\"method\":\"GET\","
          "\"path\":\"/*\"}]}" },
        { ACME "/account/technique",
          "{\"accountName\":\"technique\",\"domain\":\"acme.example\",\"isBlocked\":"
          "false}" },
        { ACME "/task/account?name=technique", "[1]" },
    };

    fake_http_reset();
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        fake_http_route("GET", answers[i][0], 200, answers[i][1]);
    fill_services();
    fill_slots();
    fill_accesses();
    fake_http_route("POST", ACME "/account/technique/changePassword", 200,
                    "{\"id\":5,\"domain\":\"acme.example\",\"name\":\"technique\"}");
}

static enum psn_code ignore(void *arg, const struct psn_finding *finding,
                            struct psn_error *err)
{
    (void)arg;
    (void)finding;
    (void)err;
    return PSN_OK;
}

static enum psn_code open_account(struct psn_ovh **ret_ovh, struct psn_error *err)
{
    static const char config[] =
        "[ovh-eu]\napplication_key=a\napplication_secret=b\nconsumer_key=c\n";
    PSN_AUTO_RELEASE(psn_ovh_credential) credential = { 0 };
    struct psn_ovh_options options = { .root = FAKE_ROOT,
                                       .http = fake_http_port(),
                                       .clock_ms = fake_clock_ms,
                                       .sleep_ms = fake_sleep_ms };
    enum psn_code rc =
        psn_ovh_credential_parse(config, strlen(config), "ovh-eu", &credential, err);

    return rc ? rc : psn_ovh_open(&options, &credential, ret_ovh, err);
}

static enum psn_code change(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                            struct psn_error *err)
{
    PSN_AUTO(psn_secret) *password = NULL;
    struct psn_ovh_answer answer;
    enum psn_code rc = psn_secret_copy("correct-horse", 13, &password, err);

    if (rc)
        return rc;
    psn_mailbox_set_password(ovh, mailbox, password, &answer, err);
    if (answer.outcome == PSN_OVH_DONE)
        return PSN_OK;
    /* Sent or not is known, whatever failed here. */
    assert_true(answer.outcome == PSN_OVH_NOT_SENT || answer.outcome == PSN_OVH_UNKNOWN);
    if (answer.outcome == PSN_OVH_NOT_SENT)
        assert_string_equal(fake.calls[fake.call_count - 1].method, "GET");
    return err->code;
}

/* One mailbox on each of the newer back-ends. */
static enum psn_code change_everywhere(struct psn_directory *directory,
                                       struct psn_ovh *ovh, struct psn_error *err)
{
    static const struct psn_mailbox places[] = {
        { .backend = PSN_BACKEND_EMAIL_MXPLAN, .local = "mx", .place.service = "m1" },
        { .backend = PSN_BACKEND_EMAIL_PRO, .local = "pro", .place.service = "p1" },
        { .backend = PSN_BACKEND_EMAIL_EXCHANGE,
          .local = "ex",
          .place = { .organization = "o1", .service = "s1" } },
        { .backend = PSN_BACKEND_ZIMBRA, .local = "zim", .place.service = "z1" },
    };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; rc == PSN_OK && i < sizeof places / sizeof *places; i++) {
        struct psn_mailbox mailbox = places[i];
        struct psn_mailbox_info info;
        struct psn_password_rules rules;
        size_t tasks;

        (void)snprintf(mailbox.domain, sizeof mailbox.domain, "acme.example");
        rc = psn_directory_find(directory, &mailbox, &info, &rules, err);
        if (rc == PSN_OK)
            rc = change(ovh, &mailbox, err);
        if (rc == PSN_OK)
            rc = psn_mailbox_tasks(ovh, &mailbox, &tasks, NULL, err);
    }
    return rc;
}

/* A new mailbox on each of them. */
static enum psn_code create_everywhere(struct psn_ovh *ovh, struct psn_error *err)
{
    static const struct psn_mailbox places[] = {
        { .backend = PSN_BACKEND_EMAIL_MXPLAN, .place.service = "m2" },
        { .backend = PSN_BACKEND_EMAIL_PRO, .place.service = "p2" },
        { .backend = PSN_BACKEND_EMAIL_EXCHANGE,
          .place = { .organization = "o1", .service = "own" } },
        { .backend = PSN_BACKEND_ZIMBRA, .place.service = "z1" },
    };
    PSN_AUTO(psn_secret) *password = NULL;
    enum psn_code rc = psn_secret_copy("correct-Horse1", 14, &password, err);

    for (size_t i = 0; rc == PSN_OK && i < sizeof places / sizeof *places; i++) {
        struct psn_mailbox mailbox = places[i];
        struct psn_ovh_answer answer;
        size_t call = fake.call_count;

        (void)snprintf(mailbox.local, sizeof mailbox.local, "neuf");
        (void)snprintf(mailbox.domain, sizeof mailbox.domain, "acme.example");
        psn_mailbox_create(ovh, &mailbox, password, &answer, err);
        rc = answer.outcome == PSN_OVH_DONE ? PSN_OK : err->code;
        assert_true(rc == PSN_OK || answer.outcome == PSN_OVH_NOT_SENT ||
                    answer.outcome == PSN_OVH_UNKNOWN);
        for (; answer.outcome == PSN_OVH_NOT_SENT && call < fake.call_count; call++)
            assert_string_not_equal(fake.calls[call].method, "POST");
        /* An answer whose text there was no memory for tells nothing, and counts as one
         * that did not come. */
        if (rc == PSN_E_NETWORK && fail_at)
            rc = err->code = PSN_E_NOMEM;
    }
    return rc;
}

/* A sweep, and one of its findings removed. */
static enum psn_code sweep_and_cut(struct psn_ovh *ovh, struct psn_error *err)
{
    static const char *const domains[] = { "acme.example" };
    static const struct psn_sweep_options options = { .domains = domains,
                                                      .domain_count = 1 };
    static const struct psn_finding contact = {
        .kind = PSN_FINDING_CONTACT,
        .whose = "b",
        .method = "POST",
        .path = "/hosting/web/h/changeContact",
        .body = "{\"contactTech\":\"a\"}",
    };
    struct psn_cut cut;
    enum psn_code rc = psn_ovh_sweep(ovh, &options, ignore, NULL, err);

    return rc ? rc : psn_ovh_cut(ovh, &contact, &cut, err);
}

static enum psn_code whole_story(struct psn_error *err)
{
    static struct psn_ovh_key_info key;
    static const char *const domains[] = { "acme.example" };
    PSN_AUTO(psn_ovh) *ovh = NULL;
    PSN_AUTO(psn_directory) *directory = NULL;
    struct psn_mailbox mailbox = { .local = "technique", .domain = "acme.example" };
    struct psn_mailbox_info info;
    struct psn_password_rules rules;
    size_t tasks;
    enum psn_code rc = open_account(&ovh, err);

    if (rc == PSN_OK)
        rc = psn_ovh_key_info(ovh, &key, err);
    if (rc == PSN_OK)
        rc = psn_ovh_inventory(ovh, domains, 1, ignore, NULL, err);
    if (rc == PSN_OK)
        rc = psn_ovh_inventory(ovh, NULL, 0, ignore, NULL, err);
    if (rc == PSN_OK)
        rc = sweep_and_cut(ovh, err);
    if (rc == PSN_OK)
        rc = psn_directory_new(ovh, &directory, err);
    if (rc == PSN_OK)
        rc = psn_directory_find(directory, &mailbox, &info, &rules, err);
    if (rc == PSN_OK)
        rc = change_everywhere(directory, ovh, err);
    if (rc == PSN_OK)
        rc = change(ovh, &mailbox, err);
    if (rc == PSN_OK)
        rc = psn_mailbox_tasks(ovh, &mailbox, &tasks, NULL, err);
    return rc ? rc : create_everywhere(ovh, err);
}

static enum psn_code run(size_t at, bool on, struct psn_error *err)
{
    enum psn_code rc;

    fill();
    *err = (struct psn_error){ 0 };
    allocations = 0;
    fail_at = at;
    fail_on = on;
    rc = whole_story(err);
    fail_at = 0;
    return rc;
}

static void fail_and_check(size_t at, bool on, size_t count)
{
    struct psn_error err;
    enum psn_code rc = run(at, on, &err);

    if (rc != err.code || (rc != PSN_E_NOMEM && rc != PSN_OK))
        fail_msg("allocation %zu: code %d, message: %s", at, (int)rc, err.message);
    /* Nothing is left out silently. */
    assert_true(rc == PSN_E_NOMEM || allocations >= count);
}

static void every_allocation_may_fail(void **state)
{
    struct psn_error err;
    size_t count;

    (void)state;
    /* Twice: the pages that secrets share are made by the first and kept. */
    assert_int_equal(run(0, false, &err), PSN_OK);
    assert_int_equal(run(0, false, &err), PSN_OK);
    count = allocations;
    assert_true(count > 100);
    for (size_t at = 1; at <= count; at++) {
        fail_and_check(at, false, count);
        fail_and_check(at, true, count);
    }
    print_message("memory: %zu tried, %zu survived\n", 2 * count, 2 * count);
    record_figure("5.4", "answers of OVH", 2 * count, 2 * count);
}

/* jansson's own needs are taken in one piece, whatever the text. */
static void a_text_costs_one_allocation(void **state)
{
    static const char *const pieces[][3] = {
        { "[0", ",0", "]" },
        { "[[]", ",[]", "]" },
        { "[{}", ",{}", "]" },
        { "[{\"a\":\"\"}", ",{\"a\":\"\"}", "]" },
        { "[\"a\"", ",\"\\u00e9\"", "]" },
        { "[1.5", ",-1.25e3", "]" },
        { "\"", "abcdefgh\\n", "\"" },
        { "[{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9}",
          ",{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9}",
          "]" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        for (size_t n = 0; n < 9000; n = 3 * n + 1) {
            PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(1000000);
            PSN_AUTO_JSON *value = NULL;

            psn_buf_text(&text, pieces[i][0]);
            for (size_t j = 0; j < n; j++)
                psn_buf_text(&text, pieces[i][1]);
            psn_buf_text(&text, pieces[i][2]);
            allocations = 0;
            assert_int_equal(psn_json_parse(text.data, text.size, &value, NULL), PSN_OK);
            assert_int_equal(allocations, 1);
        }
    }
}

static void an_object_of_many_names_costs_one_allocation(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(1000000);
    PSN_AUTO_JSON *value = NULL;

    (void)state;
    psn_buf_text(&text, "{\"\":0");
    for (int i = 0; i < 40000; i++)
        psn_buf_format(&text, ",\"%x\":\"%x\"", (unsigned)i, (unsigned)i);
    psn_buf_text(&text, "}");
    allocations = 0;
    assert_int_equal(psn_json_parse(text.data, text.size, &value, NULL), PSN_OK);
    assert_int_equal(allocations, 1);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_text_costs_one_allocation),
        cmocka_unit_test(an_object_of_many_names_costs_one_allocation),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
