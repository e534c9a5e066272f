#ifndef SIM_HTTP_H
#define SIM_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "conn.h"

enum {
    SIM_HTTP_HEADERS_MAX = 64,
    SIM_HTTP_HEAD_MAX = 64 * 1024,
    SIM_HTTP_BODY_MAX = 16 * 1024 * 1024,
};

struct sim_http_request {
    char method[16];
    char *target; /* as it came */
    char *path;   /* without the query, escapes untouched */
    char *query;  /* behind the '?', or NULL */
    char *head;   /* owns the header texts */
    struct {
        const char *name;
        const char *value;
    } headers[SIM_HTTP_HEADERS_MAX];
    size_t header_count;
    char *body; /* terminated; NULL if there is none */
    size_t body_size;
    bool keep_alive;
};

enum sim_http_result {
    SIM_HTTP_OK,
    SIM_HTTP_CLOSED, /* the peer has ended, or sent no HTTP */
    SIM_HTTP_BAD,    /* ret_status says what to answer, then close */
};

/* Reads one HTTP/1.1 request. Release it whatever the outcome. */
enum sim_http_result sim_http_read(struct sim_conn *conn,
                                   struct sim_http_request *request, int *ret_status);
void sim_http_release(struct sim_http_request *request);

/* The value of a header, or NULL. */
const char *sim_http_header(const struct sim_http_request *request, const char *name);

struct sim_http_answer {
    int status;
    const char *reason;  /* NULL: the usual one */
    const char *type;    /* NULL: no body type */
    const char *headers; /* further lines, each with its line end; or NULL */
    const char *body;
    size_t body_size;
    size_t claimed_size; /* Content-Length, if it is to differ from body_size; else 0 */
    bool chunked;
    bool keep_alive;
};
bool sim_http_write(struct sim_conn *conn, const struct sim_http_answer *answer);

const char *sim_http_reason(int status);

#endif
