#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/hash.h"
#include "crypto/init.h"
#include "page/page.h"

static const char armor[] = "-----BEGIN AGE ENCRYPTED FILE-----\n"
                            "YWdlLWVuY3J5cHRpb24ub3JnL3YxCg==\n"
                            "-----END AGE ENCRYPTED FILE-----\n";

enum {
    PAGE_MAX = 512 * 1024
};

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

static bool built(void)
{
    return psn_page_sha256() != NULL;
}

static void a_page_is_its_shell_around_the_armor(void **state)
{
    struct psn_buf page = psn_buf_init(PAGE_MAX);
    struct psn_error err = { 0 };
    char hex[PSN_SHA256_HEX_SIZE];
    const char *digest_line;
    const char *begin;
    const char *after;

    (void)state;
    if (!built())
        skip();
    assert_int_equal(psn_page_wrap(armor, strlen(armor), &page, &err), PSN_OK);
    digest_line = strstr(psn_buf_str(&page), "\nPayload-SHA256: ");
    assert_non_null(digest_line);
    digest_line++;
    begin = digest_line + strlen("Payload-SHA256: ") + 64 + 1;
    assert_memory_equal(begin, armor, strlen(armor));
    psn_sha256_hex(&(struct psn_part){ armor, strlen(armor) }, 1, hex);
    assert_memory_equal(digest_line + strlen("Payload-SHA256: "), hex, 64);

    after = begin + strlen(armor);
    struct psn_part shell[] = {
        { psn_buf_str(&page), (size_t)(digest_line - psn_buf_str(&page)) },
        { after, strlen(after) },
    };
    psn_sha256_hex(shell, 2, hex);
    assert_string_equal(hex, psn_page_sha256());
    assert_true(strncmp(psn_buf_str(&page), "<!doctype html>", 15) == 0);
    assert_true(page.size < 400 * 1024);
    psn_buf_release(&page);
}

static void the_policy_stands_first_in_the_head(void **state)
{
    struct psn_buf page = psn_buf_init(PAGE_MAX);
    const char *policy;

    (void)state;
    if (!built())
        skip();
    assert_int_equal(psn_page_wrap(armor, strlen(armor), &page, NULL), PSN_OK);
    policy =
        strstr(psn_buf_str(&page), "<head>\n<meta http-equiv=\"Content-Security-Policy\""
                                   " content=\"default-src 'none'; script-src "
                                   "'sha256-");
    assert_non_null(policy);
    assert_non_null(strstr(policy, "; worker-src blob:; base-uri 'none'; "
                                   "form-action 'none'\">\n"));
    psn_buf_release(&page);
}

static void nothing_but_armor_gets_into_a_page(void **state)
{
    static const char *const others[] = {
        "",
        "age-encryption.org/v1\n",
        "-----BEGIN AGE ENCRYPTED FILE-----\n-----END AGE ENCRYPTED FILE-----\n",
        "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----",
        "-----BEGIN AGE ENCRYPTED FILE-----\nYW<l\n-----END AGE ENCRYPTED FILE-----\n",
        "-----BEGIN AGE ENCRYPTED FILE-----\nYW l\n-----END AGE ENCRYPTED FILE-----\n",
        ("-----BEGIN AGE ENCRYPTED FILE-----\n</pre><script>alert(1)</script>\n"
         "-----END AGE ENCRYPTED FILE-----\n"),
        " -----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n",
    };

    (void)state;
    if (!built())
        skip();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct psn_buf page = psn_buf_init(PAGE_MAX);
        struct psn_error err = { 0 };

        assert_int_equal(psn_page_wrap(others[i], strlen(others[i]), &page, &err),
                         PSN_E_UNEXPECTED);
        assert_int_equal(err.code, PSN_E_UNEXPECTED);
        assert_int_equal(page.size, 0);
        psn_buf_release(&page);
    }
}

static void too_large_an_issue_is_refused_before_it_is_read(void **state)
{
    struct psn_buf page = psn_buf_init(PAGE_MAX);
    struct psn_error err = { 0 };

    (void)state;
    if (!built())
        skip();
    assert_int_equal(psn_page_wrap(armor, (size_t)PSN_PAGE_ARMOR_MAX + 1, &page, &err),
                     PSN_E_LIMIT);
    assert_int_equal(page.size, 0);
    psn_buf_release(&page);
}

static void a_full_buffer_is_an_error(void **state)
{
    struct psn_buf page = psn_buf_init(1024);
    struct psn_error err = { 0 };

    (void)state;
    if (!built())
        skip();
    assert_int_equal(psn_page_wrap(armor, strlen(armor), &page, &err), PSN_E_LIMIT);
    psn_buf_release(&page);
}

static void a_build_without_the_page_says_so(void **state)
{
    struct psn_buf page = psn_buf_init(PAGE_MAX);
    struct psn_error err = { 0 };

    (void)state;
    if (built())
        skip();
    assert_int_equal(psn_page_wrap(armor, strlen(armor), &page, &err), PSN_E_INVALID);
    assert_non_null(strstr(err.message, "without the page"));
    assert_non_null(strstr(err.hint, "--format age"));
    psn_buf_release(&page);
}

static void sha256_gives_known_answers(void **state)
{
    char hex[PSN_SHA256_HEX_SIZE];

    (void)state;
    psn_sha256_hex(NULL, 0, hex);
    assert_string_equal(
        hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    psn_sha256_hex((struct psn_part[]){ { "a", 1 }, { "bc", 2 } }, 2, hex);
    assert_string_equal(
        hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_its_shell_around_the_armor),
        cmocka_unit_test(the_policy_stands_first_in_the_head),
        cmocka_unit_test(nothing_but_armor_gets_into_a_page),
        cmocka_unit_test(too_large_an_issue_is_refused_before_it_is_read),
        cmocka_unit_test(a_full_buffer_is_an_error),
        cmocka_unit_test(a_build_without_the_page_says_so),
        cmocka_unit_test(sha256_gives_known_answers),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
