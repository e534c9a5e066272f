#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/generate.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "ovh/mailbox.h"

static struct psn_mailbox on(enum psn_backend backend)
{
    return (struct psn_mailbox){ .backend = backend,
                                 .local = "ab",
                                 .domain = "acme.example" };
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) ? -1 : 0;
}

static void the_usual_password_fits_every_back_end(void **state)
{
    (void)state;
    for (int i = PSN_BACKEND_NONE + 1; i < PSN_BACKENDS; i++) {
        struct psn_mailbox mailbox = on((enum psn_backend)i);
        struct psn_password_rules rules = psn_password_rules_default((enum psn_backend)i);

        for (int draw = 0; draw < 200; draw++) {
            PSN_AUTO(psn_secret) *password = NULL;

            assert_int_equal(
                psn_mailbox_generate_password(&mailbox, &rules, &password, NULL), PSN_OK);
            assert_int_equal(psn_secret_size(password), PSN_PASSWORD_SIZE);
        }
    }
}

static void a_longer_minimum_makes_longer_passwords(void **state)
{
    static const struct {
        uint16_t min;
        uint16_t max;
        size_t size; /* 0: there is none */
    } rows[] = { { 9, 30, 23 },  { 23, 30, 23 }, { 24, 30, 29 },
                 { 29, 30, 29 }, { 30, 30, 30 }, { 31, 127, 35 },
                 { 60, 64, 64 }, { 10, 14, 14 }, { 10, 12, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mailbox mailbox = on(PSN_BACKEND_EMAIL_PRO);
        struct psn_password_rules rules = { .min = rows[i].min, .max = rows[i].max };
        PSN_AUTO(psn_secret) *password = NULL;
        enum psn_code rc =
            psn_mailbox_generate_password(&mailbox, &rules, &password, NULL);
        const char *bytes;

        assert_int_equal(rc, rows[i].size ? PSN_OK : PSN_E_POLICY);
        if (rc)
            continue;
        bytes = (const char *)psn_secret_bytes(password);
        assert_int_equal(psn_secret_size(password), rows[i].size);
        assert_int_not_equal(bytes[rows[i].size - 1], '-');
        assert_int_equal(bytes[5], '-');
    }
}

static void a_password_that_holds_a_name_is_drawn_again(void **state)
{
    struct psn_mailbox mailbox = on(PSN_BACKEND_EMAIL_PRO);
    struct psn_password_rules rules = { .min = 9, .max = 30, .no_names = true };

    (void)state;
    for (int draw = 0; draw < 2000; draw++) {
        PSN_AUTO(psn_secret) *password = NULL;
        char lower[PSN_PASSWORD_SIZE + 1] = "";

        assert_int_equal(psn_mailbox_generate_password(&mailbox, &rules, &password, NULL),
                         PSN_OK);
        for (size_t i = 0; i < PSN_PASSWORD_SIZE; i++) {
            char c = (char)psn_secret_bytes(password)[i];

            lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
        assert_null(strstr(lower, "ab"));
    }
}

static void checks_what_the_service_asks_for(void **state)
{
    static const struct psn_password_rules plain = { .min = 9, .max = 30 };
    static const struct psn_password_rules complex = {
        .min = 9, .max = 30, .classes = 3, .no_names = true, .names = "Jean Dupont x-jd"
    };
    static const struct psn_password_rules zimbra = {
        .min = 10, .max = 64, .upper = true, .digit = true, .special = true
    };
    static const struct {
        const struct psn_password_rules *rules;
        const char *password;
        const char *says; /* NULL: allowed */
    } rows[] = {
        { &plain, "123456789", NULL },
        { &plain, "1234 56789", "no blank" },
        { &plain, "12345678", "9 to 30" },
        { &complex, "abcdefgh1", "3 of these" },
        { &complex, "cdefgHI12", NULL },
        { &complex, "cdefgh1-2", NULL },
        { &complex, "cdAB-gh12", "neither the name" },
        { &complex, "1DUPONT-z9", "neither the name" },
        { &complex, "1-jd-zZ99", NULL }, /* "jd" is too short to be a name */
        { &zimbra, "Cdefgh-123", NULL },
        { &zimbra, "cdefgh-123", "upper-case" },
        { &zimbra, "Cdefghi123", "special" },
        { &zimbra, "Cdefgh-hij", "digit" },
        { &zimbra, "Cdef-123", "10 to 64" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mailbox mailbox = on(PSN_BACKEND_EMAIL_PRO);
        PSN_AUTO(psn_secret) *password = NULL;
        struct psn_error err = { 0 };
        enum psn_code rc;

        assert_int_equal(
            psn_secret_copy(rows[i].password, strlen(rows[i].password), &password, NULL),
            PSN_OK);
        rc = psn_mailbox_check_password(&mailbox, rows[i].rules, password, &err);
        if (rc != (rows[i].says ? PSN_E_POLICY : PSN_OK) ||
            (rc && !strstr(err.message, rows[i].says)))
            fail_msg("row %zu: %s", i, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_password_fits_every_back_end),
        cmocka_unit_test(a_longer_minimum_makes_longer_passwords),
        cmocka_unit_test(a_password_that_holds_a_name_is_drawn_again),
        cmocka_unit_test(checks_what_the_service_asks_for),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
