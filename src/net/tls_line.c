/*
 * libcurl makes the connection: CONNECT_ONLY on an https URL, without ALPN, is plain TLS
 * with all of its checks. From there on it only sends and receives.
 */
#include "net/tls_line.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/loop.h"
#include "base/text.h"

enum {
    TOTAL_BYTES_MAX = 4 * PSN_IMAP_LINE_MAX,
    CHUNK = 4096,
    IMAPS_PORT = 993,
};

static int64_t remaining_ms(const struct psn_tls_line *connection)
{
    int64_t left = connection->deadline_ms - psn_clock_boot_ms();

    return left > 0 ? left : 0;
}

static enum psn_code fail_cut(const struct psn_tls_line *connection,
                              struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NETWORK, _("the connection with '%s' was cut"),
                   connection->host);
    return psn_hint(err, PSN_E_NETWORK, _("run the command again in a few minutes"));
}

enum psn_code psn_tls_line_garbage(const struct psn_tls_line *connection,
                                   struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NETWORK, _("'%s' does not answer as an IMAP server should"),
                   connection->host);
    return psn_hint(err, PSN_E_NETWORK, _("check the address of the mail server"));
}

/* Waits for the socket; TLS may already hold more, so callers try first. */
static enum psn_code wait_for(struct psn_tls_line *connection, short events,
                              struct psn_error *err)
{
    struct pollfd wait = { .fd = connection->socket, .events = events };
    int64_t left = remaining_ms(connection);
    int ready = left > 0 ? psn_loop_poll(&wait, 1, left) : 0;

    if (ready > 0)
        return PSN_OK;
    if (ready < 0)
        return fail_cut(connection, err);
    (void)psn_fail(err, PSN_E_NETWORK, _("'%s' did not answer in the time allowed"),
                   connection->host);
    return psn_hint(err, PSN_E_NETWORK, _("run the command again in a few minutes"));
}

enum psn_code psn_tls_line_send(struct psn_tls_line *connection, const void *bytes,
                                size_t size, struct psn_error *err)
{
    const char *at = bytes;

    while (size > 0) {
        size_t sent = 0;
        CURLcode failed = connection->curl->send(connection->handle, at, size, &sent);
        enum psn_code rc = PSN_OK;

        if (failed == CURLE_AGAIN)
            rc = wait_for(connection, POLLOUT, err);
        else if (failed)
            rc = fail_cut(connection, err);
        if (rc)
            return rc;
        at += sent;
        size -= sent;
    }
    return PSN_OK;
}

/* Receives once more, waiting if need be. */
static enum psn_code receive(struct psn_tls_line *connection, struct psn_error *err)
{
    char chunk[CHUNK];
    size_t received = 0;
    CURLcode failed =
        connection->curl->recv(connection->handle, chunk, sizeof chunk, &received);

    if (failed == CURLE_AGAIN)
        return wait_for(connection, POLLIN, err);
    if (failed || received == 0)
        return fail_cut(connection, err);
    psn_buf_bytes(&connection->pending, chunk, received);
    explicit_bzero(chunk, received);
    connection->total += received;
    if (connection->total > TOTAL_BYTES_MAX || connection->pending.failed == PSN_E_LIMIT)
        return psn_tls_line_garbage(connection, err);
    /* A server that drips lines for ever must not outlive the deadline. */
    if (remaining_ms(connection) == 0)
        return wait_for(connection, POLLIN, err);
    return psn_buf_check(&connection->pending, err);
}

bool psn_tls_line_take(struct psn_tls_line *connection)
{
    char *start = (char *)connection->pending.data;
    char *end =
        connection->pending.size ? memchr(start, '\n', connection->pending.size) : NULL;
    size_t size;

    if (!end)
        return false;
    size = (size_t)(end - start);
    psn_buf_reset(&connection->line);
    psn_buf_bytes(&connection->line, start,
                  size > 0 && end[-1] == '\r' ? size - 1 : size);
    connection->pending.size -= size + 1;
    memmove(start, end + 1, connection->pending.size);
    return true;
}

enum psn_code psn_tls_line_read(struct psn_tls_line *connection, struct psn_error *err)
{
    while (!psn_tls_line_take(connection)) {
        enum psn_code rc;

        if (connection->pending.size > PSN_IMAP_LINE_MAX)
            return psn_tls_line_garbage(connection, err);
        rc = receive(connection, err);
        if (rc)
            return rc;
    }
    if (connection->line.size > PSN_IMAP_LINE_MAX ||
        (connection->line.size &&
         memchr(connection->line.data, '\0', connection->line.size)))
        return psn_tls_line_garbage(connection, err);
    return psn_buf_check(&connection->line, err);
}

/* imaps://host[:port] becomes the https URL that libcurl connects to. */
static enum psn_code connect_url(const char *url, struct psn_buf *https,
                                 struct psn_error *err)
{
    const char *rest = strncmp(url, "imaps://", 8) == 0 ? url + 8 : "";
    size_t host = rest[0] == '[' ? strcspn(rest, "]") + 1 : strcspn(rest, ":");
    uint64_t port = IMAPS_PORT;

    if (host == 0 || host > strlen(rest) || strpbrk(rest, "/?#@\\ ") ||
        (rest[host] != '\0' &&
         (rest[host] != ':' || !psn_text_parse_u64(rest + host + 1, 65535, &port) ||
          port == 0)))
        return psn_fail(err, PSN_E_INVALID,
                        _("not an address of the form imaps://host:"
                          "port"));
    psn_buf_text(https, "https://");
    psn_buf_bytes(https, rest, host);
    psn_buf_format(https, ":%u/", (unsigned)port);
    return psn_buf_check(https, err);
}

static enum psn_code establish(struct psn_tls_line *connection, const char *server_url,
                               const char *ca_file, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) url = psn_buf_init(512);
    CURLcode failed;
    enum psn_code rc = connect_url(server_url, &url, err);

    if (rc == PSN_OK)
        rc = psn_curl_secure(connection->curl, connection->handle, psn_buf_str(&url),
                             ca_file, remaining_ms(connection), err);
    if (rc)
        return rc;
    connection->resume = psn_resume_begin(connection->curl, connection->handle);
    failed = connection->curl->setopt(connection->handle, CURLOPT_CONNECT_ONLY, 1L);
    failed |= connection->curl->setopt(connection->handle, CURLOPT_SSL_ENABLE_ALPN, 0L);
    if (failed)
        return psn_fail(err, PSN_E_UNEXPECTED, _("libcurl does not take the request"));
    failed = psn_drive_perform(&connection->drive, connection->handle);
    if (failed == CURLE_OK)
        failed = connection->curl->getinfo(connection->handle, CURLINFO_ACTIVESOCKET,
                                           &connection->socket);
    connection->untrusted = psn_curl_is_final(failed);
    if (failed)
        return psn_curl_fail(connection->curl, connection->handle, failed,
                             connection->host, err);
    return connection->socket == CURL_SOCKET_BAD ? fail_cut(connection, err) : PSN_OK;
}

enum psn_code psn_tls_line_open(struct psn_tls_line *connection, const char *url,
                                const char *ca_file, int64_t timeout_ms,
                                struct psn_error *err)
{
    enum psn_code rc;

    *connection = (struct psn_tls_line){
        .socket = CURL_SOCKET_BAD,
        .deadline_ms = psn_clock_boot_ms() + timeout_ms,
        .pending = psn_buf_init_wiped(PSN_IMAP_LINE_MAX + CHUNK),
        .line = psn_buf_init_wiped(PSN_IMAP_LINE_MAX + CHUNK),
    };
    (void)psn_curl_host(url, connection->host, sizeof connection->host);
    rc = psn_curl_load(&connection->curl, err);
    if (rc)
        return rc;
    connection->drive.curl = connection->curl;
    connection->handle = connection->curl->easy_init();
    if (!connection->handle)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    return establish(connection, url, ca_file, err);
}

void psn_tls_line_release(struct psn_tls_line *connection)
{
    psn_drive_let_go(&connection->drive);
    if (connection->handle)
        connection->curl->easy_cleanup(connection->handle);
    connection->handle = NULL;
    psn_drive_release(&connection->drive);
    psn_resume_end(connection->resume);
    connection->resume = NULL;
    psn_buf_release(&connection->pending);
    psn_buf_release(&connection->line);
}
