#ifndef PSN_NET_HTTP_H
#define PSN_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "passation/error.h"

/*
 * HTTPS requests over libcurl, which is loaded at the first request. In a loop
 * (base/loop.h) other fibers go on while one waits for its answer.
 * TLS 1.2 or later, certificate and name always checked, no redirect followed, no proxy,
 * no cookie, no .netrc, nothing from the environment. Bodies are counted while they
 * arrive.
 *
 * struct psn_http is a port: the real one comes from psn_http_new(), tests put their own.
 */
struct psn_http_header {
    char name[64];
    struct psn_buf value; /* wiped */
};

enum {
    PSN_HTTP_HEADERS_MAX = 8,
    PSN_HTTP_CURSOR_MAX = 256,
};

struct psn_http_request {
    const char *method;  /* "GET", "POST", "PUT", "DELETE" */
    const char *url;     /* sent exactly as it stands */
    const uint8_t *body; /* NULL: none; borrowed, may hold a secret */
    size_t body_size;
    const struct psn_http_header *headers;
    size_t header_count;
    const char *ca_file; /* an extra trusted CA for this host, or NULL */
    int64_t timeout_ms;  /* of the whole request; 0: 30 s */
    bool may_share;      /* a change that may go over a connection that was kept; if the
                            server has just closed that, its fate is not known */
};

/* What is known of a request's fate. */
enum psn_http_fate {
    PSN_HTTP_NOT_SENT, /* name, connection or TLS failed before one byte of it left */
    PSN_HTTP_ANSWERED, /* a complete answer was received */
    PSN_HTTP_UNKNOWN,  /* anything in between */
};

struct psn_http_response {
    enum psn_http_fate fate;
    long status;
    struct psn_buf body; /* wiped, at most PSN_BODY_MAX */
    char content_type[64];
    char query_id[96];                     /* X-Ovh-Queryid, printable characters only */
    int64_t retry_after_s;                 /* Retry-After in seconds, or -1 */
    char cursor_next[PSN_HTTP_CURSOR_MAX]; /* X-Pagination-Cursor-Next, or "" */
    bool final; /* not ANSWERED, and trying again would give the same */
};
struct psn_http_response psn_http_response_init(void);
void psn_http_response_release(struct psn_http_response *response);

struct psn_http {
    /* OK if response->fate is ANSWERED, whatever the status. Otherwise E_NETWORK (or
     * E_NOMEM, E_INVALID, E_UNEXPECTED), with the fate in the response. */
    enum psn_code (*perform)(void *self, const struct psn_http_request *request,
                             struct psn_http_response *response, struct psn_error *err);
    void *self;
};

struct psn_http_client;
PSN_MUST_CHECK enum psn_code psn_http_client_new(struct psn_http_client **ret_client,
                                                 struct psn_error *err);
void psn_http_client_free(struct psn_http_client *client);
PSN_DEFINE_AUTO(psn_http_client)
/* The port of a client; borrowed, lives as long as the client. */
struct psn_http psn_http_client_port(struct psn_http_client *client);

#endif
