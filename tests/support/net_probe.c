/*
 * Drives src/net from a script, for the tests against bad servers.
 *
 *     net_probe http METHOD URL CA TIMEOUT_MS COUNT [SHARE_MS]
 *                                                     the body, if any, on stdin
 *     net_probe imap URL CA USER TIMEOUT_MS [COUNT]   the password on stdin
 *
 * CA may be "-". For logins URL and CA may each be two, with a comma between them, which
 * take turns. With SHARE_MS a change may share a connection, and there is such a pause
 * between two. One line for each call:
 *     FATE STATUS BODY_SIZE CONTENT RETRY_AFTER EXIT_STATUS MESSAGE    (tabs between)
 *     LOGIN EXIT_STATUS MESSAGE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "net/http.h"
#include "net/imap.h"

enum {
    PAUSE_MS = 150, /* between two calls */
};

static const char *fate_name(enum psn_http_fate fate)
{
    switch (fate) {
    case PSN_HTTP_NOT_SENT:
        return "not_sent";
    case PSN_HTTP_ANSWERED:
        return "answered";
    case PSN_HTTP_UNKNOWN:
        break;
    }
    return "unknown";
}

static const char *login_name(enum psn_login login)
{
    switch (login) {
    case PSN_LOGIN_ACCEPTED:
        return "accepted";
    case PSN_LOGIN_REFUSED:
        return "refused";
    case PSN_LOGIN_NO_ANSWER:
        break;
    }
    return "no_answer";
}

static const char *or_null(const char *ca_file)
{
    return strcmp(ca_file, "-") == 0 ? NULL : ca_file;
}

static void set_header(struct psn_http_header *header, const char *name,
                       const char *value)
{
    (void)snprintf(header->name, sizeof header->name, "%s", name);
    header->value = psn_buf_init_wiped(256);
    psn_buf_text(&header->value, value);
}

static int probe_http(char **args, const char *share_ms)
{
    PSN_AUTO(psn_http_client) *client = NULL;
    PSN_AUTO_RELEASE(psn_buf) body = psn_buf_init_wiped(65536);
    struct psn_http_header headers[2];
    struct psn_http_request request = { .method = args[0],
                                        .url = args[1],
                                        .headers = headers,
                                        .header_count = 2,
                                        .ca_file = or_null(args[2]),
                                        .timeout_ms = strtol(args[3], NULL, 10),
                                        .may_share = share_ms != NULL };
    long count = strtol(args[4], NULL, 10);
    long pause_ms = share_ms ? strtol(share_ms, NULL, 10) : PAUSE_MS;
    struct psn_http http;

    if (psn_http_client_new(&client, NULL) || psn_file_read_fd(0, &body, NULL))
        return 1;
    http = psn_http_client_port(client);
    set_header(&headers[0], "X-Ovh-Consumer", "canary-consumer-key");
    set_header(&headers[1], "Content-Type", "application/json");
    if (body.size) {
        request.body = body.data;
        request.body_size = body.size;
    }
    for (long i = 0; i < count; i++) {
        PSN_AUTO_RELEASE(psn_http_response) response = psn_http_response_init();
        struct psn_error err = { 0 };
        enum psn_code rc;

        psn_clock_sleep_ms(i ? pause_ms : 0);
        rc = http.perform(http.self, &request, &response, &err);
        printf("%s\t%ld\t%zu\t%.32s\t%lld\t%d\t%s\n", fate_name(response.fate),
               response.status, response.body.size, psn_buf_str(&response.body),
               (long long)response.retry_after_s, psn_code_exit_status(rc), err.message);
        (void)fflush(stdout);
    }
    psn_buf_release(&headers[0].value);
    psn_buf_release(&headers[1].value);
    return 0;
}

/* What is behind the comma, or the same; the comma goes. */
static const char *split(char *both)
{
    char *comma = strchr(both, ',');

    if (!comma)
        return both;
    *comma = '\0';
    return comma + 1;
}

static int probe_imap(char **args, const char *count)
{
    PSN_AUTO(psn_secret) *password = NULL;
    struct psn_imap imap = psn_imap_real();
    const char *urls[] = { args[0], split(args[0]) };
    const char *ca_files[] = { args[1], split(args[1]) };
    long logins = count ? strtol(count, NULL, 10) : 1;

    if (psn_secret_read_fd(0, 4096, &password, NULL))
        return 1;
    for (long i = 0; i < logins; i++) {
        struct psn_imap_server server = { .url = urls[i % 2],
                                          .ca_file = or_null(ca_files[i % 2]),
                                          .timeout_ms = strtol(args[3], NULL, 10) };
        struct psn_error err = { 0 };
        enum psn_login login = imap.login(imap.self, &server, args[2], password, &err);

        printf("%s\t%d\t%s\n", login_name(login), psn_code_exit_status(err.code),
               err.message);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (psn_crypto_init(NULL))
        return 1;
    if ((argc == 7 || argc == 8) && strcmp(argv[1], "http") == 0)
        return probe_http(argv + 2, argv[7]);
    if ((argc == 6 || argc == 7) && strcmp(argv[1], "imap") == 0)
        return probe_imap(argv + 2, argv[6]);
    (void)fprintf(stderr,
                  "usage: net_probe http METHOD URL CA TIMEOUT_MS COUNT [SHARE_MS]\n"
                  "       net_probe imap URL CA USER TIMEOUT_MS [COUNT]\n");
    return 2;
}
