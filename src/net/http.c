/*
 * HTTPS by libcurl, one handle for each request that is under way at once.
 *
 * A call that changes something MUST leave at most once. libcurl itself sends a request
 * again when a connection that it kept turns out to be dead, so it asks before each time,
 * and the second time of a change is forbidden: whether the first one arrived, nobody
 * knows. So that this stays rare, a change gets a connection of its own, unless who asks
 * says that it may share one; then it takes one that was in use a moment ago. Reads share
 * any, but never one on which the server has left bytes that nobody asked for.
 */
#include "net/http.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/loop.h"
#include "base/text.h"
#include "net/curl.h"
#include "net/drive.h"

enum {
    TIMEOUT_MS = 30 * 1000,
    HEADER_BYTES_MAX = 64 * 1024, /* of all header blocks of one answer */
    HEADER_LINE_MAX = 8 * 1024,   /* of those that we send */
    HOST_SIZE = 256,
    JUST_USED_MS = 1000, /* servers keep an idle connection for longer than this */
};

/* A handle with the connection that it keeps. Each serves one request at a time, so there
 * are as many as there were requests at once. */
struct lane {
    CURL *handle;
    struct psn_drive drive;
    curl_socket_t socket; /* of its last connection */
    int64_t used_ms;      /* when the last answer came on it */
    struct lane *next;
};

struct psn_http_client {
    const struct psn_curl *curl;
    struct lane *idle; /* the one used last in front: its connection is the freshest */
};

/* What the callbacks fill in. */
struct transfer {
    struct psn_http_response *response;
    size_t header_bytes;
    bool too_long;
    bool has_end; /* the headers tell where the body ends */
    bool is_change;
    bool has_left;      /* once, perhaps */
    bool is_once_again; /* libcurl would have sent it a second time */
};

struct psn_http_response psn_http_response_init(void)
{
    return (struct psn_http_response){
        .fate = PSN_HTTP_NOT_SENT,
        .body = psn_buf_init_wiped(PSN_BODY_MAX),
        .retry_after_s = -1,
    };
}

void psn_http_response_release(struct psn_http_response *response)
{
    if (response)
        psn_buf_release(&response->body);
}

static size_t take_body(char *bytes, size_t one, size_t size, void *arg)
{
    struct transfer *transfer = arg;

    (void)one;
    psn_buf_bytes(&transfer->response->body, bytes, size);
    if (transfer->response->body.failed == PSN_OK)
        return size;
    transfer->too_long = transfer->response->body.failed == PSN_E_LIMIT;
    return 0;
}

/* Copies the printable part of a header's value. */
static void copy_printable(const char *value, size_t size, char *out, size_t out_size)
{
    size_t used = 0;

    for (size_t i = 0; i < size && used + 1 < out_size; i++)
        if (value[i] > ' ' && value[i] <= '~')
            out[used++] = value[i];
    out[used] = '\0';
}

static bool is_header(const char *line, size_t size, const char *name)
{
    size_t length = strlen(name);

    return size > length && strncasecmp(line, name, length) == 0 && line[length] == ':';
}

/* Those of a 1xx answer before this one. */
static void forget_headers(struct transfer *transfer)
{
    transfer->response->content_type[0] = '\0';
    transfer->response->query_id[0] = '\0';
    transfer->response->retry_after_s = -1;
    transfer->response->cursor_next[0] = '\0';
    transfer->has_end = false;
}

/* True for a length that libcurl takes as well (it passes over what is too large). */
static bool is_length(const char *value, size_t size)
{
    char digits[24];
    uint64_t length;

    copy_printable(value, size, digits, sizeof digits);
    return psn_text_parse_u64(digits, INT64_MAX, &length);
}

static size_t take_header(char *line, size_t one, size_t size, void *arg)
{
    struct transfer *transfer = arg;
    struct psn_http_response *response = transfer->response;
    char seconds[16];
    uint64_t value;

    (void)one;
    transfer->header_bytes += size;
    if (transfer->header_bytes > HEADER_BYTES_MAX) {
        transfer->too_long = true;
        return 0;
    }
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        forget_headers(transfer);
    } else if (is_header(line, size, "Content-Length")) {
        transfer->has_end = transfer->has_end || is_length(line + 15, size - 15);
    } else if (is_header(line, size, "Transfer-Encoding")) {
        transfer->has_end = true;
    } else if (is_header(line, size, "Content-Type")) {
        copy_printable(line + 13, size - 13, response->content_type,
                       sizeof response->content_type);
    } else if (is_header(line, size, "X-Ovh-Queryid")) {
        copy_printable(line + 14, size - 14, response->query_id,
                       sizeof response->query_id);
    } else if (is_header(line, size, "X-Pagination-Cursor-Next")) {
        copy_printable(line + 25, size - 25, response->cursor_next,
                       sizeof response->cursor_next);
    } else if (is_header(line, size, "Retry-After")) {
        copy_printable(line + 12, size - 12, seconds, sizeof seconds);
        if (psn_text_parse_u64(seconds, INT32_MAX, &value))
            response->retry_after_s = (int64_t)value;
    }
    return size;
}

static bool is_sendable(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

static enum psn_code check_request(const struct psn_http_request *request,
                                   struct psn_error *err)
{
    bool sound = strncmp(request->url, "https://", 8) == 0 &&
                 !strchr(request->url, ' ') &&
                 is_sendable(request->url, strlen(request->url)) &&
                 request->header_count <= PSN_HTTP_HEADERS_MAX;

    for (size_t i = 0; sound && i < request->header_count; i++) {
        const struct psn_http_header *header = &request->headers[i];

        sound = is_sendable(header->name, strlen(header->name)) &&
                is_sendable(psn_buf_str(&header->value), header->value.size);
    }
    if (!sound)
        return psn_fail(err, PSN_E_INVALID, _("this request cannot be sent as HTTP"));
    return PSN_OK;
}

static CURLcode add_line(const struct psn_curl *curl, struct curl_slist **list,
                         const char *line)
{
    struct curl_slist *longer = curl->slist_append(*list, line);

    if (!longer)
        return CURLE_OUT_OF_MEMORY;
    *list = longer;
    return CURLE_OK;
}

static CURLcode add_headers(const struct psn_curl *curl, struct curl_slist **list,
                            const struct psn_http_request *request)
{
    PSN_AUTO_RELEASE(psn_buf) line = psn_buf_init_wiped(HEADER_LINE_MAX);
    bool typed = false;
    CURLcode failed = add_line(curl, list, "Expect:"); /* no 100-continue */

    for (size_t i = 0; i < request->header_count && !failed; i++) {
        psn_buf_reset(&line);
        psn_buf_text(&line, request->headers[i].name);
        psn_buf_text(&line, ": ");
        psn_buf_text(&line, psn_buf_str(&request->headers[i].value));
        if (line.failed)
            return CURLE_OUT_OF_MEMORY;
        typed = typed || strcasecmp(request->headers[i].name, "Content-Type") == 0;
        failed = add_line(curl, list, psn_buf_str(&line));
    }
    if (!failed && !typed)
        failed = add_line(curl, list, "Content-Type:"); /* not libcurl's own guess */
    return failed;
}

/* Called by libcurl when a connection stands, before each time that it sends. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type. */
static int allow_once(void *arg, char *remote_ip, char *local_ip, int remote_port,
                      int local_port)
{
    struct transfer *transfer = arg;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    transfer->is_once_again = transfer->is_change && transfer->has_left;
    transfer->has_left = true;
    return transfer->is_once_again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static CURLcode set_request(const struct psn_curl *curl, CURL *handle,
                            const struct psn_http_request *request,
                            const struct curl_slist *headers, struct transfer *transfer)
{
    bool is_get = strcmp(request->method, "GET") == 0;
    CURLcode failed = CURLE_OK;

    if (is_get) {
        failed |= curl->setopt(handle, CURLOPT_HTTPGET, 1L);
    } else if (request->body || strcmp(request->method, "DELETE") != 0) {
        failed |= curl->setopt(handle, CURLOPT_POST, 1L);
        failed |= curl->setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)request->body_size);
        failed |= curl->setopt(handle, CURLOPT_POSTFIELDS,
                               request->body ? (const char *)request->body : "");
    }
    if (!is_get)
        failed |= curl->setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
    failed |= curl->setopt(handle, CURLOPT_HTTPHEADER, headers);
    failed |= curl->setopt(handle, CURLOPT_USERAGENT, "passation");
    failed |= curl->setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    failed |= curl->setopt(handle, CURLOPT_WRITEDATA, transfer);
    failed |= curl->setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    failed |= curl->setopt(handle, CURLOPT_HEADERDATA, transfer);
    failed |= curl->setopt(handle, CURLOPT_PREREQFUNCTION, allow_once);
    failed |= curl->setopt(handle, CURLOPT_PREREQDATA, transfer);
    return failed;
}

/* True if bytes wait on the connection that was kept: an answer to nothing. A connection
 * that is not kept any more may look so too, which costs no more than a new one. */
static bool has_stray_bytes(const struct lane *lane)
{
    struct pollfd wait = { .fd = lane->socket, .events = POLLIN };

    return lane->socket != CURL_SOCKET_BAD && poll(&wait, 1, 0) != 0;
}

static bool may_use_kept(const struct lane *lane, const struct psn_http_request *request,
                         const struct transfer *transfer)
{
    bool may_share =
        !transfer->is_change ||
        (request->may_share && psn_clock_boot_ms() - lane->used_ms <= JUST_USED_MS);

    return may_share && !has_stray_bytes(lane);
}

/* A body that only ends with the connection may have been cut by anybody, TLS or not.
 * That is of no matter where the status alone decides: front proxies send such pages. */
static bool is_complete(const struct transfer *transfer)
{
    long status = transfer->response->status;

    return transfer->has_end || status == 204 || status == 304 || status == 408 ||
           status >= 500;
}

static enum psn_code conclude(const struct psn_curl *curl, CURL *handle, CURLcode failure,
                              const char *url, const struct transfer *transfer,
                              struct psn_error *err)
{
    struct psn_http_response *response = transfer->response;
    char host[HOST_SIZE];

    (void)psn_curl_host(url, host, sizeof host);
    (void)curl->getinfo(handle, CURLINFO_RESPONSE_CODE, &response->status);
    if (failure == CURLE_OK && response->status >= 200) {
        if (is_complete(transfer)) {
            response->fate = PSN_HTTP_ANSWERED;
            return PSN_OK;
        }
        failure = CURLE_PARTIAL_FILE;
    }
    response->fate = psn_curl_before_sending(curl, handle, failure) ? PSN_HTTP_NOT_SENT
                                                                    : PSN_HTTP_UNKNOWN;
    response->final = psn_curl_is_final(failure);
    if (response->body.failed == PSN_E_NOMEM)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (transfer->too_long)
        return psn_fail(err, PSN_E_NETWORK, _("the answer of '%s' is too long"), host);
    return psn_curl_fail(curl, handle, failure, host, err);
}

static enum psn_code run(const struct psn_curl *curl, struct lane *lane,
                         const struct psn_http_request *request,
                         const struct curl_slist *headers, struct transfer *transfer,
                         struct psn_error *err)
{
    int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS;
    bool fresh = !may_use_kept(lane, request, transfer);
    enum psn_code rc;
    CURLcode failed;

    rc = psn_curl_secure(curl, lane->handle, request->url, request->ca_file, timeout_ms,
                         err);
    if (rc)
        return rc;
    failed = set_request(curl, lane->handle, request, headers, transfer);
    failed |= curl->setopt(lane->handle, CURLOPT_FRESH_CONNECT, (long)fresh);
    failed |= curl->setopt(lane->handle, CURLOPT_MAXCONNECTS, 2L);
    if (failed)
        return psn_fail(err, PSN_E_UNEXPECTED, _("libcurl does not take the request"));
    failed = psn_drive_perform(&lane->drive, lane->handle);
    if (transfer->is_once_again)
        failed = CURLE_GOT_NOTHING;
    lane->used_ms = psn_clock_boot_ms();
    if (curl->getinfo(lane->handle, CURLINFO_ACTIVESOCKET, &lane->socket))
        lane->socket = CURL_SOCKET_BAD;
    return conclude(curl, lane->handle, failed, request->url, transfer, err);
}

static void free_lane(const struct psn_curl *curl, struct lane *lane)
{
    psn_drive_let_go(&lane->drive);
    curl->easy_cleanup(lane->handle);
    psn_drive_release(&lane->drive);
    free(lane);
}

static enum psn_code take_lane(struct psn_http_client *client, struct lane **ret_lane,
                               struct psn_error *err)
{
    struct lane *lane = client->idle;

    if (lane) {
        client->idle = lane->next;
        *ret_lane = lane;
        return PSN_OK;
    }
    lane = calloc(1, sizeof *lane);
    if (lane)
        lane->handle = client->curl->easy_init();
    if (!lane || !lane->handle) {
        free(lane);
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    lane->drive.curl = client->curl;
    lane->socket = CURL_SOCKET_BAD;
    *ret_lane = lane;
    return PSN_OK;
}

/* The handle outlives what it points to, so all of that is taken off. */
static void put_lane(struct psn_http_client *client, struct lane *lane)
{
    psn_drive_let_go(&lane->drive);
    client->curl->easy_reset(lane->handle);
    lane->next = client->idle;
    client->idle = lane;
}

static enum psn_code transfer_in_lane(struct psn_http_client *client,
                                      const struct psn_http_request *request,
                                      struct psn_http_response *response,
                                      struct psn_error *err)
{
    struct transfer transfer = { .response = response,
                                 .is_change = strcmp(request->method, "GET") != 0 };
    struct curl_slist *headers = NULL;
    struct lane *lane;
    enum psn_code rc = take_lane(client, &lane, err);

    if (rc)
        return rc;
    if (add_headers(client->curl, &headers, request) == CURLE_OK)
        rc = run(client->curl, lane, request, headers, &transfer, err);
    else
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    put_lane(client, lane);
    client->curl->slist_free_all(headers);
    return rc;
}

static enum psn_code perform(void *self, const struct psn_http_request *request,
                             struct psn_http_response *response, struct psn_error *err)
{
    struct psn_http_client *client = self;
    enum psn_code rc;

    psn_http_response_release(response);
    *response = psn_http_response_init();
    rc = check_request(request, err);
    if (!rc && !client->curl)
        rc = psn_curl_load(&client->curl, err);
    if (rc)
        return rc;
    psn_loop_begin_call();
    if (psn_loop_is_stopping()) {
        response->final = true;
        rc = psn_fail(err, PSN_E_UNFINISHED, _("stopped before the request was sent"));
    } else {
        rc = transfer_in_lane(client, request, response, err);
    }
    psn_loop_end_call();
    return rc;
}

enum psn_code psn_http_client_new(struct psn_http_client **ret_client,
                                  struct psn_error *err)
{
    struct psn_http_client *client = calloc(1, sizeof *client);

    if (!client)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_client = client;
    return PSN_OK;
}

void psn_http_client_free(struct psn_http_client *client)
{
    if (!client)
        return;
    while (client->idle) {
        struct lane *lane = client->idle;

        client->idle = lane->next;
        free_lane(client->curl, lane);
    }
    free(client);
}

struct psn_http psn_http_client_port(struct psn_http_client *client)
{
    return (struct psn_http){ .perform = perform, .self = client };
}
