#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/resume.h"

static int64_t now_ms;
static unsigned made, freed;
static bool takes_share;

int64_t __wrap_psn_clock_boot_ms(void);
int64_t __wrap_psn_clock_boot_ms(void)
{
    return now_ms;
}

static CURLSH *share_init(void)
{
    made++;
    return (CURLSH *)&made;
}

static CURLSHcode share_cleanup(CURLSH *share)
{
    assert_ptr_equal(share, &made);
    freed++;
    return CURLSHE_OK;
}

static CURLSHcode share_setopt(CURLSH *share, CURLSHoption option, ...)
{
    (void)share;
    (void)option;
    return CURLSHE_OK;
}

static CURLcode setopt(CURL *handle, CURLoption option, ...)
{
    (void)handle;
    (void)option;
    return takes_share ? CURLE_OK : CURLE_UNKNOWN_OPTION;
}

static void *ctx_param(void *ssl_ctx)
{
    return ssl_ctx;
}

static const struct psn_curl curl = { .share_init = share_init,
                                      .share_cleanup = share_cleanup,
                                      .share_setopt = share_setopt,
                                      .setopt = setopt,
                                      .openssl.ctx_param = ctx_param };

/* Each test begins after all that the ones before have kept. */
static int set_up(void **state)
{
    (void)state;
    now_ms += 3600 * 1000;
    takes_share = true;
    psn_resume_end(psn_resume_begin(&curl, NULL));
    made = freed = 0;
    return 0;
}

static void logins_of_one_minute_share_their_sessions(void **state)
{
    struct psn_resume *first = psn_resume_begin(&curl, NULL);
    struct psn_resume *second;

    (void)state;
    now_ms += 59 * 1000;
    second = psn_resume_begin(&curl, NULL);
    assert_non_null(first);
    assert_ptr_equal(second, first);
    psn_resume_end(first);
    psn_resume_end(second);
    assert_int_equal(made, 0);
    assert_int_equal(freed, 0);
}

static void after_a_minute_the_certificate_is_seen_again(void **state)
{
    (void)state;
    now_ms += 60 * 1000;
    psn_resume_end(psn_resume_begin(&curl, NULL));
    assert_int_equal(made, 1);
    assert_int_equal(freed, 1);
}

static void sessions_outlive_their_minute_while_a_login_holds_them(void **state)
{
    struct psn_resume *old = psn_resume_begin(&curl, NULL);
    struct psn_resume *new;

    (void)state;
    now_ms += 60 * 1000;
    new = psn_resume_begin(&curl, NULL);
    assert_ptr_not_equal(new, old);
    assert_int_equal(freed, 0);
    psn_resume_end(old);
    assert_int_equal(freed, 1);
    psn_resume_end(new);
    assert_int_equal(freed, 1);
}

static void where_it_cannot_be_every_handshake_is_a_whole_one(void **state)
{
    struct psn_curl without = curl;

    (void)state;
    without.openssl.ctx_param = NULL;
    assert_null(psn_resume_begin(&without, NULL));
    takes_share = false;
    assert_null(psn_resume_begin(&curl, NULL));
    psn_resume_end(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(logins_of_one_minute_share_their_sessions, set_up),
        cmocka_unit_test_setup(after_a_minute_the_certificate_is_seen_again, set_up),
        cmocka_unit_test_setup(sessions_outlive_their_minute_while_a_login_holds_them,
                               set_up),
        cmocka_unit_test_setup(where_it_cannot_be_every_handshake_is_a_whole_one, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
