#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "ovh/sign.h"

struct keys {
    const char *secret;
    const char *consumer;
};

struct vector {
    const char *method;
    const char *url;
    const char *body;
    int64_t time_s;
    const char *signature;
};

static struct psn_secret *secret(const char *text)
{
    struct psn_secret *made = NULL;

    assert_int_equal(psn_secret_copy(text, strlen(text), &made, NULL), PSN_OK);
    return made;
}

static void check(const struct keys *keys, const struct vector *vectors, size_t count)
{
    PSN_AUTO(psn_secret) *application = secret(keys->secret);
    PSN_AUTO(psn_secret) *consumer = secret(keys->consumer);

    for (size_t i = 0; i < count; i++) {
        const struct vector *v = &vectors[i];
        struct psn_ovh_signed call = { .method = v->method,
                                       .url = v->url,
                                       .body = v->body,
                                       .body_size = v->body ? strlen(v->body) : 0,
                                       .time_s = v->time_s };
        char signature[PSN_OVH_SIGNATURE_SIZE];

        assert_int_equal(psn_ovh_sign(application, consumer, &call, signature, NULL),
                         PSN_OK);
        assert_string_equal(signature, v->signature);
    }
}

/* The vectors printed in the test suites of OVH's own clients; their keys are dead. */
static void signs_as_the_official_clients_do(void **state)
{
    static const struct keys keys = { "9ufkBmLaTQ9nz5yMUlg79taH0GNnzDjk",
                                      "5mBuy6SUQcRw2ZUxg0cG68BoDKpED4KY" };
    static const char ab[] = "{\"a\":\"b\",\"c\":\"d\"}";
    static const char auth[] = "https://eu.api.ovh.com/1.0/auth";
    static const char auth_to[] = "https://eu.api.ovh.com/1.0/authTO";
    static const struct vector vectors[] = {
        { "GET", auth, "", 1457018875, "$1$e9556054b6309771395efa467c22e627407461ad" },
        { "POST", auth, ab, 1457018875, "$1$ec2fb5c7a81f64723c77d2e5b609ae6f58a84fc1" },
        { "PUT", auth, ab, 1457018875, "$1$8a75a9e7c8e7296c9dbeda6a2a735eb6bd58ec4b" },
        { "DELETE", auth, NULL, 1457018875,
          "$1$a1eecd00b3b02b6cf5708b84b9ff42059a950d85" },
        { "GET", auth_to, "", 1457018875, "$1$1f0958be70f095ddaba525778a9ac1dcffac89f3" },
        { "POST", auth_to, ab, 1457018875,
          "$1$b592effcb3bc2d37860eceb06a1b17670fbe49c6" },
        { "PUT", auth_to, ab, 1457018875, "$1$6b27c2a693a0eb4980217046b2fe10d74ba796f0" },
        { "DELETE", auth_to, NULL, 1457018875,
          "$1$bd59b15361548c388058009e00c508081e991e8b" },
        { "GET", "https://eu.api.ovh.com/1.0/call", NULL, 1457018875,
          "$1$7f2db49253edfc41891023fcd1a54cf61db05fbb" },
        { "GET", "https://eu.api.ovh.com/v1/call", NULL, 1457018875,
          "$1$e6e7906d385eb28adcbfbe6b66c1528a42d741ad" },
        { "GET", "https://eu.api.ovh.com/v2/call", NULL, 1457018875,
          "$1$bb63b132a6f84ad5433d0c534d48d3f7c3804285" },
    };

    (void)state;
    check(&keys, vectors, sizeof vectors / sizeof *vectors);
}

#define V1   "https://eu.api.ovh.com/1.0"
#define ACME V1 "/email/domain/acme.example/account"

static void signs_the_exact_bytes(void **state)
{
    static const struct keys keys = { "0123456789abcdef0123456789ABCDEF",
                                      "fedcba9876543210FEDCBA9876543210" };
    static const struct vector vectors[] = {
        { "POST", ACME "/technique/changePassword", "{\"password\":\"correct-horse-42\"}",
          1700000000, "$1$71574c8abdaa1dba61d8886ab444f173018770f4" },
        { "POST", ACME "/technique/changePassword",
          "{\"password\": \"correct-horse-42\"}", 1700000000,
          "$1$7aefa225145bcfe66521a154d2421183a179da24" },
        { "GET", ACME "?accountName=tech%25", NULL, 1700000000,
          "$1$485a3751f44d1a1b9892663ad4b82f1006807e4d" },
        { "GET", ACME "?accountName=tech%", NULL, 1700000000,
          "$1$a6e1fe25ffda4be55b21cfb94df44aa2ee1b5385" },
        { "POST", ACME,
          "{\"accountName\":\"sav\",\"description\":\"Apr\xc3\xa8s-vente\","
          "\"password\":\"correct-horse-42\"}",
          1700000000, "$1$4c67eacae1a1293962279d2236bbfc85abae0c37" },
        { "POST", ACME,
          "{\"accountName\":\"sav\",\"description\":\"Apr\\u00e8s-vente\","
          "\"password\":\"correct-horse-42\"}",
          1700000000, "$1$7584e7735937b7fb5613ff6c55add5d6a7794ec3" },
        { "DELETE", V1 "/me/api/credential/123456789", NULL, 1700000000,
          "$1$d684a1fcf472defbff23c63d8a45b34544f25375" },
        { "POST", V1 "/auth/logout", "", 1700000000,
          "$1$4e840b6f2747874a0bb07d5355dfc342e64549fc" },
        { "GET", "https://ca.api.ovh.com/1.0/me", NULL, 1700000000,
          "$1$fb45b55d2bfa21926c2557c7b03c31ceee8883ee" },
    };

    (void)state;
    check(&keys, vectors, sizeof vectors / sizeof *vectors);
}

static void any_change_changes_the_signature(void **state)
{
    static const struct psn_ovh_signed calls[] = {
        { "POST", V1 "/me", "{}", 2, 1700000000 },
        { "PUT", V1 "/me", "{}", 2, 1700000000 },
        { "POST", V1 "/ME", "{}", 2, 1700000000 },
        { "POST", V1 "/me", "{ }", 3, 1700000000 },
        { "POST", V1 "/me", "{}", 1, 1700000000 },
        { "POST", V1 "/me", "{}", 2, 1700000001 },
    };
    enum {
        COUNT = sizeof calls / sizeof *calls
    };
    char signatures[COUNT][PSN_OVH_SIGNATURE_SIZE];
    PSN_AUTO(psn_secret) *a = secret("application");
    PSN_AUTO(psn_secret) *b = secret("consumer");

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(psn_ovh_sign(a, b, &calls[i], signatures[i], NULL), PSN_OK);
        assert_int_equal(strlen(signatures[i]), PSN_OVH_SIGNATURE_SIZE - 1);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(signatures[i], signatures[j]);
    }
}

static bool memory_ends;

enum psn_code __real_psn_sha1_hex(const struct psn_part *parts, size_t count,
                                  char ret_hex[PSN_SHA1_HEX_SIZE], struct psn_error *err);
enum psn_code __wrap_psn_sha1_hex(const struct psn_part *parts, size_t count,
                                  char ret_hex[PSN_SHA1_HEX_SIZE], struct psn_error *err);

enum psn_code __wrap_psn_sha1_hex(const struct psn_part *parts, size_t count,
                                  char ret_hex[PSN_SHA1_HEX_SIZE], struct psn_error *err)
{
    return memory_ends ? psn_fail(err, PSN_E_NOMEM, "out of memory")
                       : __real_psn_sha1_hex(parts, count, ret_hex, err);
}

static void what_cannot_be_hashed_is_not_signed(void **state)
{
    const struct psn_ovh_signed call = { .method = "GET", .url = "x", .time_s = 1 };
    char signature[PSN_OVH_SIGNATURE_SIZE] = "untouched";
    PSN_AUTO(psn_secret) *a = secret("application");
    PSN_AUTO(psn_secret) *b = secret("consumer");

    (void)state;
    memory_ends = true;
    assert_int_equal(psn_ovh_sign(a, b, &call, signature, NULL), PSN_E_NOMEM);
    assert_string_equal(signature, "untouched");
    memory_ends = false;
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_the_official_clients_do),
        cmocka_unit_test(signs_the_exact_bytes),
        cmocka_unit_test(any_change_changes_the_signature),
        cmocka_unit_test(what_cannot_be_hashed_is_not_signed),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
