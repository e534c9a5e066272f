#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "crypto/secret.h"
#include "net/imap.h"

/* The verdict: the tagged line alone decides. The dialogue itself is held against real
 * TLS servers by tests/fault/test_net_bad.py. */
static void classifies_the_tagged_line(void **state)
{
    static const struct {
        const char *line;
        enum psn_login login;
    } rows[] = {
        { "a2 OK", PSN_LOGIN_ACCEPTED },
        { "a2 OK in", PSN_LOGIN_ACCEPTED },
        { "a2 ok in", PSN_LOGIN_ACCEPTED },
        { "a2 OK [CAPABILITY IMAP4rev1] Logged in", PSN_LOGIN_ACCEPTED },
        { "a2 OK [ALERT] quota", PSN_LOGIN_ACCEPTED },
        { "a2 NO", PSN_LOGIN_REFUSED },
        { "a2 NO ", PSN_LOGIN_REFUSED },
        { "a2 NO login failed", PSN_LOGIN_REFUSED },
        { "a2 no [AuthenticationFailed] x", PSN_LOGIN_REFUSED },
        { "a2 NO [AUTHENTICATIONFAILED]", PSN_LOGIN_REFUSED },
        { "a2 NO [AUTHENTICATIONFAILED] Authentication failed.", PSN_LOGIN_REFUSED },
        { "a2 NO [AUTHENTICATIONFAILED extra] x", PSN_LOGIN_REFUSED },
        { "a2 NO [AUTHORIZATIONFAILED] x", PSN_LOGIN_REFUSED },
        { "a2 NO [EXPIRED] x", PSN_LOGIN_REFUSED },
        { "a2 NO [UNAVAILABLE] Temporary authentication failure.", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [INUSE] x", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [LIMIT] x", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [CONTACTADMIN] x", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [PRIVACYREQUIRED] x", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [SERVERBUG] x", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [CLIENTBUG] x", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [ALERT] AUTHENTICATIONFAILED", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [X-NEW] x", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [] x", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [AUTHENTICATIONFAILED", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [AUTHENTICATIONFAILEDX] x", PSN_LOGIN_NO_ANSWER },
        { "a2 NO [AUTHENTICATION] x", PSN_LOGIN_NO_ANSWER },
        { "a2 BAD x", PSN_LOGIN_NO_ANSWER },
        { "a2 BYE x", PSN_LOGIN_NO_ANSWER },
        { "a2 PREAUTH x", PSN_LOGIN_NO_ANSWER },
        { "a2 OKAY x", PSN_LOGIN_NO_ANSWER },
        { "a2 NOT x", PSN_LOGIN_NO_ANSWER },
        { "a2  OK", PSN_LOGIN_NO_ANSWER },
        { "a2 ", PSN_LOGIN_NO_ANSWER },
        { "a2", PSN_LOGIN_NO_ANSWER },
        { "a2OK", PSN_LOGIN_NO_ANSWER },
        { "a22 OK", PSN_LOGIN_NO_ANSWER },
        { "A2 OK", PSN_LOGIN_NO_ANSWER },
        { "a1 OK", PSN_LOGIN_NO_ANSWER },
        { " a2 OK", PSN_LOGIN_NO_ANSWER },
        { "* OK", PSN_LOGIN_NO_ANSWER },
        { "* BYE a2 OK", PSN_LOGIN_NO_ANSWER },
        { "+ OK", PSN_LOGIN_NO_ANSWER },
        { "", PSN_LOGIN_NO_ANSWER },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (psn_imap_classify("a2", rows[i].line) != rows[i].login)
            fail_msg("'%s'", rows[i].line);
}

static void a_login_that_cannot_be_tried_is_no_answer(void **state)
{
    struct psn_imap imap = psn_imap_real();
    struct psn_imap_server server = { .url = "imaps://localhost:1", .timeout_ms = 200 };
    PSN_AUTO(psn_secret) *empty = NULL;
    PSN_AUTO(psn_secret) *word = NULL;
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_secret_new(8, &empty, NULL), PSN_OK);
    assert_int_equal(psn_secret_copy("word", 4, &word, NULL), PSN_OK);
    assert_int_equal(imap.login(imap.self, &server, "a@b.example", empty, &err),
                     PSN_LOGIN_NO_ANSWER);
    assert_int_equal(err.code, PSN_E_INVALID);
    psn_error_clear(&err);
    assert_int_equal(imap.login(imap.self, &server, "a\r\nb", word, &err),
                     PSN_LOGIN_NO_ANSWER);
    assert_int_equal(err.code, PSN_E_INVALID);
    psn_error_clear(&err);
    server.url = "imap://localhost:1";
    assert_int_equal(imap.login(imap.self, &server, "a@b.example", word, &err),
                     PSN_LOGIN_NO_ANSWER);
    assert_int_equal(err.code, PSN_E_INVALID);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classifies_the_tagged_line),
        cmocka_unit_test(a_login_that_cannot_be_tried_is_no_answer),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
