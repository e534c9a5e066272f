#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base64.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "crypto/ssh_key.h"

/* OpenSSH's key files, whole and damaged. */

#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END   "-----END OPENSSH PRIVATE KEY-----"

enum {
    BODY_MAX = 1024,
    /* In the body of this key: magic, cipher, kdf, no options, one key, its public half;
     * then the private section: two numbers, type, public, seed and public, comment. */
    AT_CIPHER = 19,
    AT_COUNT = 35,
    AT_PUBLIC = 62,
    AT_SECTION = 98,
    AT_AGAIN = 102,
    AT_PUBLIC_AGAIN = 125,
    AT_PUBLIC_THIRD = 193,
    AT_COMMENT = 229,
};

static uint8_t body[BODY_MAX];
static size_t body_size;
static struct psn_secret *seed;

static enum psn_code parse_text(const char *text, struct psn_secret **ret_seed,
                                struct psn_error *err)
{
    PSN_AUTO(psn_secret) *file = NULL;

    assert_int_equal(psn_secret_copy(text, strlen(text), &file, NULL), PSN_OK);
    return psn_ssh_private_parse(file, ret_seed, err);
}

static enum psn_code parse(const uint8_t *bytes, size_t size,
                           struct psn_secret **ret_seed, struct psn_error *err)
{
    char base64[PSN_BASE64_TEXT_SIZE(BODY_MAX)];
    char text[sizeof base64 + sizeof BEGIN + sizeof END + 8];

    (void)psn_base64_encode(PSN_BASE64, bytes, size, base64);
    (void)snprintf(text, sizeof text, BEGIN "\n%s\n" END "\n", base64);
    return parse_text(text, ret_seed, err);
}

static int set_up(void **state)
{
    PSN_AUTO(psn_secret) *file = NULL;
    const char *begin;

    (void)state;
    if (psn_crypto_init(NULL) ||
        psn_secret_read_file(PSN_TEST_VECTORS "/issue/issuer", 4096, &file, NULL) ||
        psn_ssh_private_parse(file, &seed, NULL))
        return -1;
    begin = (const char *)psn_secret_bytes(file) + strlen(BEGIN);
    return psn_base64_decode(PSN_BASE64_LINES, begin,
                             (size_t)(strstr(begin, END) - begin), body, sizeof body,
                             &body_size)
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    psn_secret_free(seed);
    return 0;
}

/* Behind the check numbers nothing but the comment may be otherwise. */
static void a_private_key_of_which_one_byte_is_another_is_refused(void **state)
{
    (void)state;
    for (size_t at = 0; at < body_size; at++) {
        PSN_AUTO(psn_secret) *found = NULL;
        struct psn_error err = { 0 };
        enum psn_code rc;

        body[at] ^= 0x20;
        rc = parse(body, body_size, &found, &err);
        body[at] ^= 0x20;
        if (rc == PSN_OK) {
            assert_true(at >= AT_COMMENT && psn_secret_equal(found, seed));
            continue;
        }
        assert_null(found);
        assert_int_equal(err.code, rc);
        assert_true(rc == PSN_E_INVALID ||
                    (rc == PSN_E_DENIED && at >= AT_CIPHER && at < AT_COUNT));
    }
}

static void a_private_key_that_is_cut_or_goes_on_is_refused(void **state)
{
    uint8_t longer[BODY_MAX];

    (void)state;
    for (size_t size = 0; size < body_size; size++) {
        PSN_AUTO(psn_secret) *found = NULL;

        assert_int_equal(parse(body, size, &found, NULL), PSN_E_INVALID);
    }
    for (size_t more = 1; more <= 8; more++) {
        PSN_AUTO(psn_secret) *found = NULL;

        memset(longer, 0, sizeof longer);
        memcpy(longer, body, body_size);
        assert_int_equal(parse(longer, body_size + more, &found, NULL), PSN_E_INVALID);
    }
}

/* Each part in both places, so that nothing but the next check finds it. */
static void the_parts_of_a_private_key_belong_together(void **state)
{
    static const struct {
        size_t at[3];
        size_t count;
        enum psn_code code;
    } rows[] = {
        { { AT_SECTION, AT_AGAIN }, 2, PSN_OK },
        { { AT_PUBLIC, AT_PUBLIC_AGAIN }, 2, PSN_E_INVALID },
        { { AT_PUBLIC, AT_PUBLIC_AGAIN, AT_PUBLIC_THIRD }, 3, PSN_E_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *found = NULL;
        uint8_t other[BODY_MAX];

        memcpy(other, body, sizeof other);
        for (size_t k = 0; k < rows[i].count; k++)
            other[rows[i].at[k]] ^= 1;
        assert_int_equal(parse(other, body_size, &found, NULL), rows[i].code);
    }
}

static void what_stands_around_a_private_key_is_its_own_lines_alone(void **state)
{
    static const char *const rows[] = {
        "",
        "x" BEGIN "\nAAAA\n" END "\n",
        BEGIN "\nAAAA\n",
        BEGIN "\nAAAA\n" END "\nx",
        BEGIN "\nAA?A\n" END "\n",
        BEGIN "\n" END "\n",
        "-----BEGIN RSA PRIVATE KEY-----\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *found = NULL;

        assert_int_equal(parse_text(rows[i], &found, NULL), PSN_E_INVALID);
    }
}

static void a_public_key_is_one_line_of_its_kind(void **state)
{
    static const struct {
        const char *text;
        enum psn_code code;
    } rows[] = {
#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIHlzKryjvJkoZUC4euHaQ/m39lzgVjn7eOeQtKEwnpL5"
        { "ssh-ed25519 " KEY, PSN_OK },
        { "ssh-ed25519 " KEY "\n", PSN_OK },
        { "ssh-ed25519 " KEY " a comment", PSN_OK },
        { "ssh-ed25519", PSN_E_INVALID },
        { "ssh-ed25519x" KEY, PSN_E_INVALID },
        { "ssh-rsa " KEY, PSN_E_INVALID },
        { "ssh-ed25519 " KEY "AAAA", PSN_E_INVALID },
        /* of another type, with as many bytes */
        { "ssh-ed25519 "
          "AAAAC3NzaC1lZDI1NTE4AAAAIHlzKryjvJkoZUC4euHaQ/m39lzgVjn7eOeQtKEwnpL5",
          PSN_E_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t key[PSN_SSH_KEY_SIZE];

        assert_int_equal(
            psn_ssh_public_parse(rows[i].text, strlen(rows[i].text), key, NULL),
            rows[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_private_key_of_which_one_byte_is_another_is_refused),
        cmocka_unit_test(a_private_key_that_is_cut_or_goes_on_is_refused),
        cmocka_unit_test(the_parts_of_a_private_key_belong_together),
        cmocka_unit_test(what_stands_around_a_private_key_is_its_own_lines_alone),
        cmocka_unit_test(a_public_key_is_one_line_of_its_kind),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
