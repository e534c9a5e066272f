#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "ovh/credential.h"

#define KEYS(ak, as, ck) \
    "application_key=" ak "\napplication_secret=" as "\nconsumer_key=" ck "\n"

static void assert_secret(const struct psn_secret *secret, const char *expected)
{
    assert_non_null(secret);
    assert_int_equal(psn_secret_size(secret), strlen(expected));
    assert_memory_equal(psn_secret_bytes(secret), expected, strlen(expected));
}

static enum psn_code parse(const char *config, const char *endpoint,
                           struct psn_ovh_credential *credential, struct psn_error *err)
{
    return psn_ovh_credential_parse(config, strlen(config), endpoint, credential, err);
}

/* Files that are accepted */

static void accepts(void **state)
{
    static const struct {
        const char *endpoint;
        const char *config;
        const char *application_key;
    } rows[] = {
        { "ovh-eu", "[default]\nendpoint=ovh-eu\n[ovh-eu]\n" KEYS("a1", "s1", "c1"),
          "a1" },
        { "ovh-eu", "[ovh-eu]\n" KEYS("a1", "s1", "c1"), "a1" },
        { "ovh-ca",
          "[ovh-eu]\n" KEYS("a2", "s2", "c2") "[ovh-ca]\n" KEYS("a1", "s1", "c1"), "a1" },
        /* the section named by [default] */
        { "https://localhost:4/1.0",
          "[default]\nendpoint=ovh-ca\n[ovh-eu]\n" KEYS(
              "a2", "s2", "c2") "[ovh-ca]\n" KEYS("a1", "s1", "c1"),
          "a1" },
        /* the only one */
        { "https://localhost:4/1.0", "[ovh-eu]\n" KEYS("a1", "s1", "c1"), "a1" },
        { "ovh-us", "[default]\nendpoint=ovh-xx\n[ovh-eu]\n" KEYS("a1", "s1", "c1"),
          "a1" },
        /* a URL as a section */
        { "https://localhost:4/1.0",
          "[ovh-eu]\n" KEYS("x", "x", "x") "[https://localhost:4/1.0]\n" KEYS("a1", "s1",
                                                                              "c1"),
          "a1" },
        /* forms */
        { "ovh-eu", "\xef\xbb\xbf[ovh-eu]\n" KEYS("a1", "s1", "c1"), "a1" },
        { "ovh-eu",
          "; note\r\n# note\r\n\r\n [ovh-eu] \r\n application_key = a1 \r\n"
          "application_secret: s1\r\nconsumer_key=\"c1\"\r\nother=1\r\n",
          "a1" },
        { "ovh-eu",
          "[ovh-eu]\nApplication_Key='a1'\nAPPLICATION_SECRET=s1\nconsumer_key=c1",
          "a1" },
        { "ovh-eu", "[ovh-eu]\n" KEYS("a=b:c", "s1", "c1"), "a=b:c" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_RELEASE(psn_ovh_credential) credential = { 0 };
        struct psn_error err = { 0 };

        if (parse(rows[i].config, rows[i].endpoint, &credential, &err))
            fail_msg("row %zu: %s", i, err.message);
        assert_secret(credential.application_key, rows[i].application_key);
        assert_secret(credential.application_secret, "s1");
        assert_secret(credential.consumer_key, "c1");
    }
}

/* Files that are refused */

static void refuses(void **state)
{
    static const struct {
        const char *config;
        enum psn_code code;
        const char *says;
    } rows[] = {
        { "", PSN_E_INVALID, "[ovh-eu]" },
        { "[ovh-ca]\n" KEYS("a", "s", "c") "[ovh-us]\n" KEYS("a", "s", "c"),
          PSN_E_INVALID, "[ovh-eu]" },
        { "[ovh-eu]\napplication_secret=s\nconsumer_key=c\n", PSN_E_INVALID,
          "application_key is missing" },
        { "[ovh-eu]\napplication_key=a\nconsumer_key=c\n", PSN_E_INVALID,
          "application_secret is missing" },
        { "[ovh-eu]\napplication_key=a\napplication_secret=s\n", PSN_E_INVALID,
          "consumer_key is missing" },
        { "[ovh-eu]\n" KEYS("a", "s", "c") "client_id=i\n", PSN_E_INVALID, "together" },
        { "[ovh-eu]\nclient_id=i\n", PSN_E_INVALID, "client_secret is missing" },
        { "[ovh-eu]\nclient_secret=x\n", PSN_E_INVALID, "client_id is missing" },
        { "[ovh-eu]\n" KEYS("a", "s", "c") "consumer_key=d\n", PSN_E_INVALID, "twice" },
        { "[ovh-eu]\n" KEYS("a", "s", "c") "[ovh-eu]\nx=1\n", PSN_E_INVALID, "twice" },
        { "[default]\nendpoint=e\n[e]\n" KEYS("a", "s", "c") "[e]\n[f]\n", PSN_E_INVALID,
          "twice" },
        { "[ovh-eu]\nnonsense\n", PSN_E_INVALID, "line 2" },
        { "[ovh-eu]\n=value\n", PSN_E_INVALID, "line 2" },
        { "[ovh-eu\n" KEYS("a", "s", "c"), PSN_E_INVALID, "line 1" },
        { "[ovh-eu]\n" KEYS("", "s", "c"), PSN_E_INVALID, "application_key is empty" },
        { "[ovh-eu]\n" KEYS("a b", "s", "c"), PSN_E_INVALID, "application_key" },
        { "[ovh-eu]\n" KEYS("a", "s", "c\x01"), PSN_E_INVALID, "consumer_key" },
        { "[ovh-eu]\n" KEYS("a", "s\xc3\xa9", "c"), PSN_E_INVALID, "application_secret" },
        { "[ovh-eu]\n" KEYS("a", "s", "\xff"), PSN_E_INVALID, "text file" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_ovh_credential credential = { 0 };
        struct psn_error err = { 0 };

        if (parse(rows[i].config, "ovh-eu", &credential, &err) != rows[i].code ||
            !strstr(err.message, rows[i].says))
            fail_msg("row %zu: %s", i, err.message);
        assert_null(credential.application_key);
        assert_null(credential.consumer_key);
    }
}

static void reads_a_service_account(void **state)
{
    PSN_AUTO_RELEASE(psn_ovh_credential) credential = { 0 };

    (void)state;
    assert_int_equal(
        parse("[ovh-eu]\nclient_id=i\nclient_secret=x\n", "ovh-eu", &credential, NULL),
        PSN_OK);
    assert_true(psn_ovh_credential_is_account(&credential));
    assert_secret(credential.client_id, "i");
    assert_secret(credential.client_secret, "x");
    assert_null(credential.application_key);
}

static void reads_pairs(void **state)
{
    static const struct {
        const char *text;
        const char *first; /* NULL: refused */
        const char *second;
    } rows[] = {
        { "ak:as", "ak", "as" },  { " ak : as ", "ak", "as" }, { "ak:a:s", "ak", "a:s" },
        { "akas", NULL, NULL },   { ":as", NULL, NULL },       { "ak:", NULL, NULL },
        { "a k:as", NULL, NULL }, { "", NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_RELEASE(psn_ovh_credential) credential = { 0 };
        PSN_AUTO(psn_secret) *pair = NULL;
        struct psn_error err = { 0 };
        enum psn_code rc;

        assert_int_equal(psn_secret_copy(rows[i].text, strlen(rows[i].text), &pair, NULL),
                         PSN_OK);
        rc = psn_ovh_credential_parse_pair(pair, i % 2 == 1, &credential, &err);
        assert_int_equal(rc, rows[i].first ? PSN_OK : PSN_E_INVALID);
        if (!rows[i].first)
            continue;
        assert_secret(i % 2 ? credential.client_id : credential.application_key,
                      rows[i].first);
        assert_secret(i % 2 ? credential.client_secret : credential.application_secret,
                      rows[i].second);
        assert_null(credential.consumer_key);
    }
}

static void never_shows_a_value(void **state)
{
    struct psn_ovh_credential credential = { 0 };
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(
        parse("[ovh-eu]\n" KEYS("AK", "SECRET VALUE", "CK"), "ovh-eu", &credential, &err),
        PSN_E_INVALID);
    assert_null(strstr(err.message, "SECRET"));
    assert_null(strstr(err.message, "AK"));
}

static void refuses_a_file_that_is_too_long_or_has_a_nul(void **state)
{
    static char config[70 * 1024];
    struct psn_ovh_credential credential = { 0 };

    (void)state;
    memset(config, '\n', sizeof config);
    assert_int_equal(
        psn_ovh_credential_parse(config, sizeof config, "ovh-eu", &credential, NULL),
        PSN_E_INVALID);
    assert_int_equal(psn_ovh_credential_parse("[e]\0", 4, "ovh-eu", &credential, NULL),
                     PSN_E_INVALID);
}

/* Endpoints */

static const struct {
    const char *endpoint;
    const char *root; /* NULL: refused */
    bool is_ovh;
} endpoints[] = {
    { "ovh-eu", "https://eu.api.ovh.com/1.0", true },
    { "ovh-ca", "https://ca.api.ovh.com/1.0", true },
    { "ovh-us", "https://api.us.ovhcloud.com/1.0", true },
    { "https://localhost:8443/1.0", "https://localhost:8443/1.0", false },
    { "https://127.0.0.1:1/1.0", "https://127.0.0.1:1/1.0", false },
    { "https://[::1]:8443/1.0", "https://[::1]:8443/1.0", false },
    { "https://relay.example/ovh/v1", "https://relay.example/ovh/v1", false },
    { "https://notovh.com/1.0", "https://notovh.com/1.0", false },
    /* OVH's own host under another name stays OVH's */
    { "https://eu.api.ovh.com/1.0", "https://eu.api.ovh.com/1.0", true },
    { "https://EU.API.OVH.COM:443/v1", "https://EU.API.OVH.COM:443/v1", true },
    { "https://eu.api.ovh.com./1.0", NULL, false },
    { "", NULL, false },
    { "ovh", NULL, false },
    { "ovh-EU", NULL, false },
    { "http://localhost/1.0", NULL, false },
    { "HTTPS://localhost/1.0", NULL, false },
    { "https://localhost", NULL, false },
    { "https://localhost/", NULL, false },
    { "https://localhost/1.0/", NULL, false },
    { "https://localhost//1.0", NULL, false },
    { "https://localhost/../1.0", NULL, false },
    { "https://localhost/./1.0", NULL, false },
    { "https://localhost/1.0?x", NULL, false },
    { "https://localhost/1.0#x", NULL, false },
    { "https://localhost/1%2e0", NULL, false },
    { "https://user@localhost/1.0", NULL, false },
    { "https://user:pw@localhost/1.0", NULL, false },
    { "https://localhost:0/1.0", NULL, false },
    { "https://localhost:65536/1.0", NULL, false },
    { "https://localhost:/1.0", NULL, false },
    { "https://localhost:4x/1.0", NULL, false },
    { "https://:443/1.0", NULL, false },
    { "https://.localhost/1.0", NULL, false },
    { "https://a..b/1.0", NULL, false },
    { "https://a_b/1.0", NULL, false },
    { "https://[::1/1.0", NULL, false },
    { "https://[]/1.0", NULL, false },
    { "https://local host/1.0", NULL, false },
    { "https://localhost/1.0\n", NULL, false },
    { "https://h\xc3\xb4te.example/1.0", NULL, false },
};

static void knows_endpoints(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        char root[128] = "";
        bool is_ovh = false;
        struct psn_error err = { 0 };
        enum psn_code rc = psn_ovh_endpoint_root(endpoints[i].endpoint, root, sizeof root,
                                                 &is_ovh, &err);

        if (rc != (endpoints[i].root ? PSN_OK : PSN_E_INVALID))
            fail_msg("row %zu: %s", i, endpoints[i].endpoint);
        if (!endpoints[i].root)
            continue;
        assert_string_equal(root, endpoints[i].root);
        assert_int_equal(is_ovh, endpoints[i].is_ovh);
    }
}

static void refuses_a_root_that_does_not_fit(void **state)
{
    char root[16];
    bool is_ovh = false;

    (void)state;
    assert_int_equal(psn_ovh_endpoint_root("ovh-eu", root, sizeof root, &is_ovh, NULL),
                     PSN_E_INVALID);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
        cmocka_unit_test(reads_a_service_account),
        cmocka_unit_test(reads_pairs),
        cmocka_unit_test(never_shows_a_value),
        cmocka_unit_test(refuses_a_file_that_is_too_long_or_has_a_nul),
        cmocka_unit_test(knows_endpoints),
        cmocka_unit_test(refuses_a_root_that_does_not_fit),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
