#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/recipient.h"
#include "crypto/init.h"
#include "crypto/secret.h"

#define AGE "age1v3t4a86emkkvk3pqexrp5zg2dptgk7rxk9trmx9ju0zff6hssauqxv59u2"
#define SSH \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA8pUhxng1jM98OiV9xzLeMFYXfwVzTZYdyqRfQkZvYx"
#define IDENTITY \
    "AGE-SECRET-KEY-1GT05DEKNZMYRD5S6QDCPZ80WFSLMDN3VHQFK2UEQML2NLZKHCWXQX27TDM\n"
#define OTHER \
    "AGE-SECRET-KEY-1PG3JSPMLTL23SXX0EY7EJ3AAZVAUAZG5HK5CT3PKFTUXNM3Q2UCQ6MY66Z\n"

static void a_key_has_one_form_whatever_surrounds_it(void **state)
{
    static const struct {
        const char *typed;
        const char *normal;
    } cases[] = {
        { AGE, AGE },
        { "  " AGE "\r\n", AGE },
        { SSH, SSH },
        { SSH " jp@laptop", SSH },
        { SSH " jp on his laptop\n", SSH },
        { "\t" SSH "\n", SSH },
    };
    char normal[PSN_RECIPIENT_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(psn_recipient_normalize(cases[i].typed, normal, NULL), PSN_OK);
        assert_string_equal(normal, cases[i].normal);
    }
}

static void what_is_no_public_key_is_refused_with_advice(void **state)
{
    static const char *const bad[] = {
        "",
        " \n",
        "code",
        "age1",
        (AGE "q"),
        (AGE " comment"),
        (AGE "\n" AGE),
        IDENTITY,
        "ssh-ed25519",
        "ssh-ed25519 ",
        "ssh-ed25519  AAAA",
        "ssh-ed25519 AAAA",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC",
        ("ssh-ed25519 "
         "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    };
    char normal[PSN_RECIPIENT_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct psn_error err = { 0 };

        if (psn_recipient_normalize(bad[i], normal, &err) == PSN_OK)
            fail_msg("accepted: '%s'", bad[i]);
        assert_string_not_equal(err.hint, "");
    }
}

static bool is_of(const char *recipient, const char *identity)
{
    struct psn_secret *secret = NULL;
    bool is = false;

    assert_int_equal(psn_secret_copy(identity, strlen(identity), &secret, NULL), PSN_OK);
    assert_int_equal(psn_recipient_is_of(recipient, secret, &is, NULL), PSN_OK);
    psn_secret_free(secret);
    return is;
}

static void only_its_own_identity_opens_what_a_key_closes(void **state)
{
    (void)state;
    assert_true(is_of(AGE, IDENTITY));
    assert_true(is_of(AGE, "# a comment\n" IDENTITY));
    assert_true(is_of(AGE, OTHER IDENTITY));
    assert_false(is_of(AGE, OTHER));
    assert_false(is_of(SSH, IDENTITY));
}

static void the_fingerprint_is_six_groups_and_of_this_key_only(void **state)
{
    char first[PSN_PHONE_FINGERPRINT_MAX];
    char second[PSN_PHONE_FINGERPRINT_MAX];

    (void)state;
    psn_person_key_fingerprint(AGE, first);
    psn_person_key_fingerprint(SSH, second);
    assert_int_equal(strlen(first), 35);
    for (size_t i = 0; i < 35; i++)
        assert_true(i % 6 == 5 ? first[i] == ' ' : first[i] >= '0' && first[i] <= '9');
    assert_string_not_equal(first, second);
    psn_person_key_fingerprint(AGE, second);
    assert_string_equal(first, second);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_has_one_form_whatever_surrounds_it),
        cmocka_unit_test(what_is_no_public_key_is_refused_with_advice),
        cmocka_unit_test(only_its_own_identity_opens_what_a_key_closes),
        cmocka_unit_test(the_fingerprint_is_six_groups_and_of_this_key_only),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
