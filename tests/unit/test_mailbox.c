#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "ovh/backend.h"
#include "ovh/mailbox.h"
#include "support/fake_http.h"
#include "support/record.h"

/* Addresses: every good local part with every good domain is one of ours, every other
 * pair is not. */

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10

static const char *const good_locals[] = {
    "technique", "a",           "A",        "1",     "a1",          "1a",
    "Contact",   "first.last",  "a.b.c",    "a_b",   "a-b",         "a+b",
    "a,b",       "a__b",        "a--b",     "a-",    "a_",          "a+",
    "a.-b",      "FACTURATION", X60 "abcd", "0.0.0", "a.b_c-d+e,f",
};
static const char *const bad_locals[] = {
    "",
    ".a",
    "a.",
    "a..b",
    "..",
    "-a",
    "_a",
    "+a",
    ",a",
    " a",
    "a ",
    "a b",
    "a\tb",
    "a\nb",
    "a\rb",
    "\"a\"",
    "\"a b\"",
    "a\"b",
    "a'b",
    "a/b",
    "a\\b",
    "a%b",
    "a!b",
    "a#b",
    "a$b",
    "a&b",
    "a*b",
    "a=b",
    "a?b",
    "a^b",
    "a`b",
    "a{b",
    "a|b",
    "a}b",
    "a~b",
    "a;b",
    "a:b",
    "a<b",
    "a>b",
    "(c)a",
    "a(c)",
    "a[b]",
    "\303\251",
    "a\303\251",
    "\377",
    "a\001b",
    "a\177",
    X60 "abcde",
    "a\342\200\256\342\200\254b",
    "\357\273\277a",
    "\320\260",
    "a\302\240",
    "a@b",
    "../a",
    "a\342\200\213",
};
static const char *const good_domains[] = {
    "acme.example",
    "ACME.Example",
    "a.b",
    "a.bc",
    "x-y.org",
    "1.example",
    "a1.b2.c3",
    "3com.net",
    "a--b.example",
    "xn--caf-dma.example",
    "sub.sub.sub.example.org",
    X60 "abc.example",
    "a.museum",
    "a.x1",
    "a.1x",
};
static const char *const bad_domains[] = {
    "",
    "acme",
    ".example",
    "example.",
    "acme.example.",
    "acme..example",
    "-a.example",
    "a-.example",
    "a.-b",
    "a.b-",
    "a_b.example",
    "a b.example",
    " a.example",
    "a.example ",
    "a.example\n",
    "a,example",
    "a/example.org",
    "[127.0.0.1]",
    "127.0.0.1",
    "[::1]",
    "1.2",
    "a.123",
    "a.example:25",
    "a.example/x",
    "a.example?x",
    "a.example#x",
    "caf\303\251.example",
    "a.exa\303\251",
    "\377.example",
    "a\001.example",
    X60 "abcd.example",
    "a.example%00",
    "a.example;b",
    "a*.example",
    "*.example",
    X60 "." X60 "." X60 "." X60 "." X10 ".example",
    "a@b.example",
    "a.example@",
};

static size_t spellings;

static bool parse(const char *local, const char *domain, struct psn_mailbox *mailbox)
{
    char address[1024];
    struct psn_error err = { 0 };
    enum psn_code rc;

    (void)snprintf(address, sizeof address, "%s@%s", local, domain);
    spellings++;
    rc = psn_mailbox_parse(address, mailbox, &err);
    if (rc == PSN_OK)
        return true;
    assert_int_equal(rc, PSN_E_INVALID);
    assert_true(psn_text_is_plain(err.message, strlen(err.message)));
    return false;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_lower(const char *made, const char *given)
{
    char lower[300];

    (void)snprintf(lower, sizeof lower, "%s", given);
    psn_text_lower(lower);
    assert_string_equal(made, lower);
}

static void check_good(const char *local, const char *domain)
{
    struct psn_mailbox mailbox = { .backend = PSN_BACKEND_EMAIL_DOMAIN };

    if (!parse(local, domain, &mailbox))
        fail_msg("%s@%s is refused", local, domain);
    assert_lower(mailbox.local, local);
    assert_lower(mailbox.domain, domain);
    assert_int_equal(mailbox.backend, PSN_BACKEND_NONE);
}

static void accepts_all_that_is_specified(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good_locals); i++)
        for (size_t j = 0; j < COUNT(good_domains); j++)
            check_good(good_locals[i], good_domains[j]);
}

static void refuses_everything_else(void **state)
{
    struct psn_mailbox mailbox;

    (void)state;
    for (size_t i = 0; i < COUNT(bad_locals); i++)
        for (size_t j = 0; j < COUNT(good_domains); j++)
            if (parse(bad_locals[i], good_domains[j], &mailbox))
                fail_msg("'%s@%s' is taken", bad_locals[i], good_domains[j]);
    for (size_t i = 0; i < COUNT(good_locals); i++)
        for (size_t j = 0; j < COUNT(bad_domains); j++)
            if (parse(good_locals[i], bad_domains[j], &mailbox))
                fail_msg("'%s@%s' is taken", good_locals[i], bad_domains[j]);
    record_figure("2.22", "spellings", spellings, spellings);
    assert_true(spellings > 2000);
}

static void refuses_what_is_no_pair(void **state)
{
    static const char *const rows[] = {
        "",
        "@",
        "a",
        "a.example",
        "@a.example",
        "a@",
        "a@@a.example",
        "a@b@c.example",
        "mailto:a@b.example",
        "<a@b.example>",
        "A <a@b.example>",
        "a@b.example,c@d.example",
        "a@b.example\0hidden",
    };
    struct psn_mailbox mailbox = { .local = "untouched" };

    (void)state;
    for (size_t i = 0; i + 1 < COUNT(rows); i++)
        assert_int_equal(psn_mailbox_parse(rows[i], &mailbox, NULL), PSN_E_INVALID);
    assert_string_equal(mailbox.local, "untouched");
}

/* 254 characters are the most, whatever the parts. */
static void refuses_an_address_that_is_too_long(void **state)
{
    static const char address[] = "abcdefgh@" X60 "." X60 "." X60 "." X60 ".fr";
    struct psn_mailbox mailbox;

    (void)state;
    assert_int_equal(strlen(address), 255);
    assert_int_equal(psn_mailbox_parse(address, &mailbox, NULL), PSN_E_INVALID);
    assert_int_equal(psn_mailbox_parse(address + 1, &mailbox, NULL), PSN_OK);
}

static void an_error_names_the_address_escaped(void **state)
{
    struct psn_mailbox mailbox;
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_mailbox_parse("a\x1b[2J@b", &mailbox, &err), PSN_E_INVALID);
    assert_non_null(strstr(err.message, "'a\\x1b[2J@b'"));
    assert_non_null(strstr(err.hint, "technique@"));
}

/* Back-ends and their servers */

static void back_ends_have_stable_names(void **state)
{
    (void)state;
    assert_string_equal(psn_backend_name(PSN_BACKEND_EMAIL_DOMAIN), "email/domain");
    assert_string_equal(psn_backend_name(PSN_BACKEND_NONE), "none");
    assert_null(psn_backend_table(PSN_BACKENDS));
    assert_string_equal(psn_backend_name(PSN_BACKENDS), "none");
    assert_int_equal(psn_backend_parse("email/domain"), PSN_BACKEND_EMAIL_DOMAIN);
    assert_int_equal(psn_backend_parse("none"), PSN_BACKEND_NONE);
    assert_int_equal(psn_backend_parse(""), PSN_BACKEND_NONE);
    assert_int_equal(psn_backend_parse("email/other"), PSN_BACKEND_NONE);
}

static void servers_follow_the_endpoint(void **state)
{
    struct psn_mail_hosts hosts;
    char url[128] = "";
    struct psn_error err = { 0 };

    (void)state;
    psn_mailbox_hosts(PSN_BACKEND_EMAIL_DOMAIN, "ovh-eu", "", &hosts);
    assert_string_equal(hosts.imap.host, "imap.mail.ovh.net");
    assert_int_equal(hosts.imap.port, 993);
    assert_string_equal(hosts.imap.security, "SSL/TLS");
    assert_string_equal(hosts.smtp.host, "smtp.mail.ovh.net");
    assert_int_equal(hosts.smtp.port, 465);
    assert_int_equal(psn_mailbox_imap_url(&hosts, url, sizeof url, NULL), PSN_OK);
    assert_string_equal(url, "imaps://imap.mail.ovh.net:993");
    psn_mailbox_hosts(PSN_BACKEND_EMAIL_DOMAIN, "ovh-ca", "", &hosts);
    assert_string_equal(hosts.imap.host, "imap.mail.ovh.ca");
    /* never OVH's servers for somebody else's endpoint */
    psn_mailbox_hosts(PSN_BACKEND_EMAIL_DOMAIN, "https://localhost:1/1.0", "", &hosts);
    assert_string_equal(hosts.imap.host, "");
    assert_int_equal(psn_mailbox_imap_url(&hosts, url, sizeof url, &err), PSN_E_INVALID);
    assert_non_null(strstr(err.message, "no IMAP server is known"));
    assert_non_null(strstr(err.hint, "--imap"));
    assert_string_equal(url, "imaps://imap.mail.ovh.net:993");
}

static void the_url_of_a_server_fits_or_is_refused(void **state)
{
    const struct psn_mail_hosts hosts = { .imap = { .host = "m", .port = 993 } };
    static const char expected[] = "imaps://m:993";
    char url[32];

    (void)state;
    memset(url, 'x', sizeof url);
    assert_int_equal(psn_mailbox_imap_url(&hosts, url, sizeof expected - 1, NULL),
                     PSN_E_LIMIT);
    assert_int_equal(url[0], 'x');
    assert_int_equal(psn_mailbox_imap_url(&hosts, url, sizeof expected, NULL), PSN_OK);
    assert_string_equal(url, expected);
    assert_int_equal(url[sizeof expected], 'x');
}

static void the_longest_name_of_a_server_fits_into_its_url(void **state)
{
    struct psn_mail_hosts hosts = { .imap.port = 65535 };
    char url[2 * sizeof hosts.imap.host];

    (void)state;
    memset(hosts.imap.host, 'm', sizeof hosts.imap.host - 1);
    assert_int_equal(psn_mailbox_imap_url(&hosts, url, sizeof url, NULL), PSN_OK);
    assert_int_equal(strlen(url), strlen("imaps://:65535") + strlen(hosts.imap.host));
    assert_string_equal(url + strlen(url) - 7, "m:65535");
}

static void mail_servers_follow_the_back_end(void **state)
{
    static const struct {
        enum psn_backend backend;
        const char *endpoint;
        const char *own;
        const char *imap;
        const char *smtp;
        uint16_t smtp_port;
        const char *security;
    } rows[] = {
        { PSN_BACKEND_EMAIL_MXPLAN, "ovh-eu", "", "imap.mail.ovh.net",
          "smtp.mail.ovh.net", 465, "SSL/TLS" },
        { PSN_BACKEND_EMAIL_MXPLAN, "ovh-ca", "", "imap.mail.ovh.ca", "smtp.mail.ovh.ca",
          465, "SSL/TLS" },
        { PSN_BACKEND_ZIMBRA, "ovh-eu", "", "imap.mail.ovh.net", "smtp.mail.ovh.net", 465,
          "SSL/TLS" },
        { PSN_BACKEND_EMAIL_PRO, "ovh-eu", "pro2.mail.ovh.net", "pro2.mail.ovh.net",
          "pro2.mail.ovh.net", 587, "STARTTLS" },
        { PSN_BACKEND_EMAIL_EXCHANGE, "ovh-eu", "ex4.mail.ovh.net", "ex4.mail.ovh.net",
          "ex4.mail.ovh.net", 587, "STARTTLS" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mail_hosts hosts;

        psn_mailbox_hosts(rows[i].backend, rows[i].endpoint, rows[i].own, &hosts);
        assert_string_equal(hosts.imap.host, rows[i].imap);
        assert_int_equal(hosts.imap.port, 993);
        assert_string_equal(hosts.imap.security, "SSL/TLS");
        assert_string_equal(hosts.smtp.host, rows[i].smtp);
        assert_int_equal(hosts.smtp.port, rows[i].smtp_port);
        assert_string_equal(hosts.smtp.security, rows[i].security);
    }
}

static void back_ends_and_platforms_have_names(void **state)
{
    struct psn_place owa = { .is_zimbra = false };
    struct psn_place zimbra = { .is_zimbra = true };
    char name[PSN_PLATFORM_NAME_MAX];

    (void)state;
    for (int i = PSN_BACKEND_NONE + 1; i < PSN_BACKENDS; i++)
        assert_int_equal(psn_backend_parse(psn_backend_name((enum psn_backend)i)), i);
    psn_platform_name(PSN_BACKEND_EMAIL_MXPLAN, &owa, name);
    assert_string_equal(name, "email/mxplan owa");
    psn_platform_name(PSN_BACKEND_EMAIL_MXPLAN, &zimbra, name);
    assert_string_equal(name, "email/mxplan zimbra");
    psn_platform_name(PSN_BACKEND_ZIMBRA, &owa, name);
    assert_string_equal(name, "zimbra");
    psn_platform_name(PSN_BACKEND_EMAIL_EXCHANGE, &owa, name);
    assert_string_equal(name, "email/exchange");
}

static void mailboxes_are_in_one_place_if_nothing_of_it_differs(void **state)
{
    const struct psn_mailbox here = {
        .local = "sav",
        .domain = "acme.example",
        .backend = PSN_BACKEND_EMAIL_EXCHANGE,
        .place = { .service = "s", .organization = "o", .account = "a" },
    };
    struct psn_mailbox there = here;

    (void)state;
    there.local[0] = 'x';
    assert_true(psn_mailbox_is_where(&here, &there));
    there = here;
    there.backend = PSN_BACKEND_EMAIL_PRO;
    assert_false(psn_mailbox_is_where(&here, &there));
    there = here;
    there.place.service[0] = 'x';
    assert_false(psn_mailbox_is_where(&here, &there));
    there = here;
    there.place.organization[0] = 'x';
    assert_false(psn_mailbox_is_where(&here, &there));
    there = here;
    there.place.account[0] = 'x';
    assert_false(psn_mailbox_is_where(&here, &there));
}

static void accounts_of_a_service_tell_dates(void **state)
{
    (void)state;
    assert_false(psn_backend_tells_dates(PSN_BACKEND_NONE));
    assert_false(psn_backend_tells_dates(PSN_BACKEND_EMAIL_DOMAIN));
    assert_false(psn_backend_tells_dates(PSN_BACKEND_ZIMBRA));
    assert_true(psn_backend_tells_dates(PSN_BACKEND_EMAIL_MXPLAN));
    assert_true(psn_backend_tells_dates(PSN_BACKEND_EMAIL_PRO));
    assert_true(psn_backend_tells_dates(PSN_BACKEND_EMAIL_EXCHANGE));
}

static void a_name_is_good_as_long_as_one_back_end_takes_it(void **state)
{
    static const struct {
        const char *local;
        enum psn_code code;
    } rows[] = {
        { "contact", PSN_OK }, /* all do */
        { "a--b", PSN_OK },    /* not Zimbra */
        { "a,b", PSN_OK },     /* the accounts of a service alone */
        { "a+b", PSN_OK },     /* Zimbra alone */
        { "_ab", PSN_OK },     /* the mailboxes of a domain alone */
        { "a+b,c", PSN_E_POLICY },
        { "a", PSN_E_POLICY },
        { X10 X10 X10 "abc", PSN_E_POLICY },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct psn_mailbox mailbox = { .domain = "acme.example" };
        struct psn_error err = { 0 };

        (void)snprintf(mailbox.local, sizeof mailbox.local, "%s", rows[i].local);
        assert_int_equal(psn_mailbox_check_any_name(&mailbox, &err), rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        if (rows[i].code)
            assert_non_null(strstr(err.message, "@acme.example': OVH "));
    }
}

static void a_mailbox_without_back_end_is_refused(void **state)
{
    struct psn_mailbox mailbox = { .local = "sav", .domain = "acme.example" };
    struct psn_mailbox_info info;
    struct psn_ovh_answer answer;
    struct psn_error err = { 0 };
    bool absent = true;
    size_t count = 7;

    (void)state;
    fake_http_reset();
    assert_int_equal(psn_mailbox_check_name(&mailbox, NULL), PSN_E_INVALID);
    assert_int_equal(psn_mailbox_check_password(&mailbox, NULL, NULL, NULL),
                     PSN_E_INVALID);
    assert_int_equal(psn_mailbox_get(NULL, &mailbox, &info, NULL), PSN_E_INVALID);
    assert_int_equal(psn_mailbox_tasks(NULL, &mailbox, &count, &absent, NULL),
                     PSN_E_INVALID);
    assert_int_equal(count, 7);
    assert_false(absent);
    psn_mailbox_create(NULL, &mailbox, NULL, &answer, &err);
    assert_int_equal(answer.outcome, PSN_OVH_NOT_SENT);
    assert_int_equal(answer.retry_after_s, -1);
    assert_int_equal(err.code, PSN_E_INVALID);
    psn_mailbox_set_password(NULL, &mailbox, NULL, &answer, NULL);
    assert_int_equal(answer.outcome, PSN_OVH_NOT_SENT);
    assert_int_equal(answer.retry_after_s, -1);
}

/* Login */

static enum psn_login fake_login(void *self, const struct psn_imap_server *server,
                                 const char *user, const struct psn_secret *password,
                                 struct psn_error *err)
{
    (void)err;
    assert_string_equal(server->url, "imaps://localhost:1993");
    assert_string_equal(server->ca_file, "/ca.pem");
    assert_string_equal(user, "sav@acme.example");
    assert_memory_equal(psn_secret_bytes(password), "word", 4);
    return *(enum psn_login *)self;
}

static void a_login_goes_through_the_port(void **state)
{
    enum psn_login outcome = PSN_LOGIN_REFUSED;
    struct psn_imap imap = { .login = fake_login, .self = &outcome };
    PSN_AUTO(psn_secret) *password = NULL;

    (void)state;
    assert_int_equal(psn_secret_copy("word", 4, &password, NULL), PSN_OK);
    assert_int_equal(psn_mailbox_login(imap, "imaps://localhost:1993", "/ca.pem",
                                       "sav@acme.example", password, NULL),
                     PSN_LOGIN_REFUSED);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_all_that_is_specified),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(refuses_what_is_no_pair),
        cmocka_unit_test(refuses_an_address_that_is_too_long),
        cmocka_unit_test(an_error_names_the_address_escaped),
        cmocka_unit_test(back_ends_have_stable_names),
        cmocka_unit_test(servers_follow_the_endpoint),
        cmocka_unit_test(the_url_of_a_server_fits_or_is_refused),
        cmocka_unit_test(the_longest_name_of_a_server_fits_into_its_url),
        cmocka_unit_test(mail_servers_follow_the_back_end),
        cmocka_unit_test(back_ends_and_platforms_have_names),
        cmocka_unit_test(mailboxes_are_in_one_place_if_nothing_of_it_differs),
        cmocka_unit_test(accounts_of_a_service_tell_dates),
        cmocka_unit_test(a_name_is_good_as_long_as_one_back_end_takes_it),
        cmocka_unit_test(a_mailbox_without_back_end_is_refused),
        cmocka_unit_test(a_login_goes_through_the_port),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
