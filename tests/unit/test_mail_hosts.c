/* The mail servers that the program names, held against OVH's guides, where these are at
 * hand beside the source tree; 77, skipped, where they are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/role.h"
#include "ovh/mailbox.h"

enum {
    SKIPPED = 77
};

/* Of a service with a server of its own: OVH's API names it. */
#define OWN_PRO      "pro7.mail.ovh.net"
#define OWN_EXCHANGE "ex7.mail.ovh.net"

static const struct {
    enum psn_backend backend;
    const char *endpoint;
    const char *own;
    const char *offer;
} rows[] = {
    { PSN_BACKEND_EMAIL_DOMAIN, "ovh-eu", "", "mxplan" },
    { PSN_BACKEND_EMAIL_DOMAIN, "ovh-ca", "", "mxplan-ca" },
    { PSN_BACKEND_EMAIL_MXPLAN, "ovh-eu", "", "mxplan" },
    { PSN_BACKEND_EMAIL_MXPLAN, "ovh-ca", "", "mxplan-ca" },
    { PSN_BACKEND_ZIMBRA, "ovh-eu", "", "zimbra" },
    { PSN_BACKEND_EMAIL_PRO, "ovh-eu", OWN_PRO, "emailpro" },
    { PSN_BACKEND_EMAIL_EXCHANGE, "ovh-eu", OWN_EXCHANGE, "exchange" },
};

static json_t *guides;

static struct psn_mail_settings settings_of(size_t row, const char *imap)
{
    struct psn_client client = psn_client_init();
    struct psn_mail_settings settings;

    (void)snprintf(client.endpoint, sizeof client.endpoint, "%s", rows[row].endpoint);
    (void)snprintf(client.imap, sizeof client.imap, "%s", imap);
    psn_mail_settings_of(rows[row].backend, rows[row].own, &client, &settings);
    psn_client_release(&client);
    return settings;
}

static void expect_server(size_t row, const char *protocol, const char *host,
                          uint16_t port, const char *security)
{
    const json_t *offer =
        json_object_get(json_object_get(guides, "offers"), rows[row].offer);
    const json_t *server = json_object_get(offer, protocol);
    const char *named = json_string_value(json_object_get(server, "host"));

    assert_non_null(server);
    /* No fixed host: the guide says which member of the API has it. */
    if (!named)
        assert_non_null(json_object_get(offer, "host_from"));
    assert_string_equal(host, named ? named : rows[row].own);
    assert_int_equal(port, json_integer_value(json_object_get(server, "port")));
    assert_string_equal(security, json_string_value(json_object_get(server, "security")));
}

static void mailboxes_are_read_where_the_guides_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mail_settings settings = settings_of(i, "");

        expect_server(i, "imap", settings.imap_host, settings.imap_port,
                      settings.imap_security);
    }
}

static void mail_is_sent_where_the_guides_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mail_settings settings = settings_of(i, "");

        expect_server(i, "smtp", settings.smtp_host, settings.smtp_port,
                      settings.smtp_security);
    }
}

/* The proof by login has to ask the server that the user is told. */
static void a_password_is_proved_at_the_server_that_is_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mail_settings settings = settings_of(i, "");
        struct psn_mail_hosts hosts;
        char expected[sizeof settings.imap_host + 32];
        char url[PSN_URL_MAX];

        psn_mailbox_hosts(rows[i].backend, rows[i].endpoint, rows[i].own, &hosts);
        assert_int_equal(psn_mailbox_imap_url(&hosts, url, sizeof url, NULL), PSN_OK);
        (void)snprintf(expected, sizeof expected, "imaps://%s:%u", settings.imap_host,
                       (unsigned)settings.imap_port);
        assert_string_equal(url, expected);
    }
}

static void a_host_of_the_clients_own_goes_before_the_guides(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_mail_settings settings = settings_of(i, "imaps://mail.example:1993");

        assert_string_equal(settings.imap_host, "mail.example");
        assert_int_equal(settings.imap_port, 1993);
        expect_server(i, "smtp", settings.smtp_host, settings.smtp_port,
                      settings.smtp_security);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailboxes_are_read_where_the_guides_say),
        cmocka_unit_test(mail_is_sent_where_the_guides_say),
        cmocka_unit_test(a_password_is_proved_at_the_server_that_is_shown),
        cmocka_unit_test(a_host_of_the_clients_own_goes_before_the_guides),
    };
    json_error_t why;

    if (access(PSN_TEST_MAIL_HOSTS, R_OK) != 0) {
        puts("skipped: OVH's guides are not at hand");
        return SKIPPED;
    }
    guides = json_load_file(PSN_TEST_MAIL_HOSTS, 0, &why);
    if (!guides) {
        (void)fprintf(stderr, "%s:%d: %s\n", PSN_TEST_MAIL_HOSTS, why.line, why.text);
        return 1;
    }
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(guides);
    return rc;
}
