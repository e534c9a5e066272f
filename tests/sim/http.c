#include "http.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "text.h"

const char *sim_http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 200, "OK" },
        { 204, "No Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Time-out" },
        { 409, "ActionInProgress" },
        { 411, "Length Required" },
        { 413, "Content Too Large" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 460, "Service Expired" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Time-out" },
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

const char *sim_http_header(const struct sim_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

void sim_http_release(struct sim_http_request *request)
{
    free(request->head);
    free(request->target);
    free(request->path);
    free(request->body);
    memset(request, 0, sizeof *request);
}

/* Reads up to the blank line, which is left out. */
static enum sim_http_result read_head(struct sim_conn *conn, char **ret_head,
                                      int *ret_status)
{
    size_t length = 0;
    char *head = malloc(SIM_HTTP_HEAD_MAX);

    if (!head)
        return SIM_HTTP_CLOSED;
    for (;;) {
        int c = sim_conn_byte(conn);
        if (c <= 0) {
            free(head);
            return SIM_HTTP_CLOSED;
        }
        /* An empty line before a request is to be ignored (RFC 9112, 2.2). */
        if (length == 0 && (c == '\r' || c == '\n'))
            continue;
        if (length + 1 >= SIM_HTTP_HEAD_MAX) {
            free(head);
            *ret_status = 431;
            return SIM_HTTP_BAD;
        }
        head[length++] = (char)c;
        if (length >= 4 && memcmp(head + length - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    head[length - 2] = '\0';
    *ret_head = head;
    return SIM_HTTP_OK;
}

/* "METHOD target HTTP/1.1", already cut out of the head. */
static bool parse_request_line(char *line, struct sim_http_request *request)
{
    char *target = strchr(line, ' ');
    char *version = target ? strchr(target + 1, ' ') : NULL;

    if (!version || strncmp(version + 1, "HTTP/1.", 7) != 0)
        return false;
    *target++ = '\0';
    *version++ = '\0';
    if (strlen(line) >= sizeof request->method || !*line || *target != '/')
        return false;
    memcpy(request->method, line, strlen(line) + 1);
    request->target = strdup(target);
    request->path = strdup(target);
    if (!request->target || !request->path)
        return false;
    request->query = strchr(request->path, '?');
    if (request->query)
        *request->query++ = '\0';
    request->keep_alive = strcmp(version, "HTTP/1.1") == 0;
    return true;
}

static bool parse_header_line(char *line, struct sim_http_request *request)
{
    char *colon = strchr(line, ':');

    if (!colon || colon == line || request->header_count == SIM_HTTP_HEADERS_MAX)
        return false;
    for (const char *c = line; c < colon; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.!#$%&'*+^`|~", *c))
            return false;
    *colon++ = '\0';
    colon += strspn(colon, " \t");
    for (size_t end = strlen(colon); end > 0 && strchr(" \t", colon[end - 1]); end--)
        colon[end - 1] = '\0';
    request->headers[request->header_count].name = line;
    request->headers[request->header_count].value = colon;
    request->header_count++;
    return true;
}

static bool parse_head(struct sim_http_request *request)
{
    char *line = request->head;
    bool first = true;

    while (*line) {
        char *end = strstr(line, "\r\n");
        if (!end)
            return false;
        *end = '\0';
        bool good =
            first ? parse_request_line(line, request) : parse_header_line(line, request);
        if (!good)
            return false;
        first = false;
        line = end + 2;
    }
    return !first;
}

static enum sim_http_result read_body(struct sim_conn *conn,
                                      struct sim_http_request *request, int *ret_status)
{
    const char *text = sim_http_header(request, "Content-Length");
    const char *expect = sim_http_header(request, "Expect");
    int64_t size = 0;

    *ret_status = 411;
    if (sim_http_header(request, "Transfer-Encoding"))
        return SIM_HTTP_BAD;
    if (!text)
        return SIM_HTTP_OK;
    *ret_status = 400;
    if (!sim_text_parse_long(text, &size) || size < 0)
        return SIM_HTTP_BAD;
    *ret_status = 413;
    if (size > SIM_HTTP_BODY_MAX)
        return SIM_HTTP_BAD;
    if (size == 0)
        return SIM_HTTP_OK;
    request->body = malloc((size_t)size + 1);
    if (!request->body)
        return SIM_HTTP_BAD;
    if (expect && strcasecmp(expect, "100-continue") == 0 &&
        !sim_conn_text(conn, "HTTP/1.1 100 Continue\r\n\r\n"))
        return SIM_HTTP_CLOSED;
    if (!sim_conn_read(conn, request->body, (size_t)size))
        return SIM_HTTP_CLOSED;
    request->body[size] = '\0';
    request->body_size = (size_t)size;
    return SIM_HTTP_OK;
}

enum sim_http_result sim_http_read(struct sim_conn *conn,
                                   struct sim_http_request *request, int *ret_status)
{
    memset(request, 0, sizeof *request);
    enum sim_http_result result = read_head(conn, &request->head, ret_status);
    if (result != SIM_HTTP_OK)
        return result;
    *ret_status = 400;
    if (!parse_head(request))
        return SIM_HTTP_BAD;

    const char *connection = sim_http_header(request, "Connection");
    if (connection && strcasecmp(connection, "close") == 0)
        request->keep_alive = false;
    return read_body(conn, request, ret_status);
}

static bool write_chunks(struct sim_conn *conn, const char *body, size_t size)
{
    enum {
        CHUNK = 37
    }; /* small and odd, so that chunks cut words and escapes */
    char mark[32];

    while (size > 0) {
        size_t part = size < CHUNK ? size : CHUNK;
        snprintf(mark, sizeof mark, "%zx\r\n", part);
        if (!sim_conn_text(conn, mark) || !sim_conn_write(conn, body, part) ||
            !sim_conn_text(conn, "\r\n"))
            return false;
        body += part;
        size -= part;
    }
    return sim_conn_text(conn, "0\r\n\r\n");
}

static void format_date(char *text, size_t size)
{
    time_t now = time(NULL);
    struct tm parts;

    gmtime_r(&now, &parts);
    strftime(text, size, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

bool sim_http_write(struct sim_conn *conn, const struct sim_http_answer *answer)
{
    char head[2048];
    char length[64] = "Transfer-Encoding: chunked\r\n";
    char date[64];

    format_date(date, sizeof date);
    if (!answer->chunked)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n",
                 answer->claimed_size ? answer->claimed_size : answer->body_size);
    int size = snprintf(
        head, sizeof head,
        "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: Apache\r\n"
        "Cache-Control: no-cache\r\n%s%s%s%s%s%s\r\n",
        answer->status, answer->reason ? answer->reason : sim_http_reason(answer->status),
        date, answer->headers ? answer->headers : "",
        answer->type ? "Content-Type: " : "", answer->type ? answer->type : "",
        answer->type ? "\r\n" : "", answer->status == 204 ? "" : length,
        answer->keep_alive ? "" : "Connection: close\r\n");

    if (size < 0 || (size_t)size >= sizeof head)
        return false;
    if (answer->chunked)
        return sim_conn_write(conn, head, (size_t)size) &&
               write_chunks(conn, answer->body, answer->body_size);
    /* Head and a short body in one write: one packet, one TLS record. */
    if ((size_t)size + answer->body_size <= sizeof head) {
        if (answer->body_size > 0)
            memcpy(head + size, answer->body, answer->body_size);
        return sim_conn_write(conn, head, (size_t)size + answer->body_size);
    }
    return sim_conn_write(conn, head, (size_t)size) &&
           sim_conn_write(conn, answer->body, answer->body_size);
}
