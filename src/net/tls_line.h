#ifndef PSN_NET_TLS_LINE_H
#define PSN_NET_TLS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "net/curl.h"
#include "net/drive.h"
#include "net/resume.h"
#include "passation/error.h"

/*
 * A TLS connection for a protocol of lines, as IMAP. Bounded in time (one deadline for
 * all of it), in the length of a line and in the number of bytes received. Every failure
 * is E_NETWORK (or E_NOMEM, E_INVALID, E_UNEXPECTED) and names the host.
 */
struct psn_tls_line {
    const struct psn_curl *curl;
    CURL *handle;
    struct psn_drive drive;
    struct psn_resume *resume;
    curl_socket_t socket;
    int64_t deadline_ms;
    char host[256];
    struct psn_buf pending; /* received, not looked at yet */
    struct psn_buf line;    /* the last line, without its end */
    size_t total;
    bool
        untrusted; /* it was not opened, since the server's certificate does not verify */
};
void psn_tls_line_release(struct psn_tls_line *connection);

/* Connects to imaps://host[:port] and checks certificate and name. The connection may be
 * released whatever comes out. */
PSN_MUST_CHECK enum psn_code psn_tls_line_open(struct psn_tls_line *connection,
                                               const char *url, const char *ca_file,
                                               int64_t timeout_ms, struct psn_error *err);

PSN_MUST_CHECK enum psn_code psn_tls_line_send(struct psn_tls_line *connection,
                                               const void *bytes, size_t size,
                                               struct psn_error *err);

/* Waits for the next line, which then is in connection->line. */
PSN_MUST_CHECK enum psn_code psn_tls_line_read(struct psn_tls_line *connection,
                                               struct psn_error *err);

/* The next line if it has been received already. */
bool psn_tls_line_take(struct psn_tls_line *connection);

/* Records that the server does not keep to its protocol. */
enum psn_code psn_tls_line_garbage(const struct psn_tls_line *connection,
                                   struct psn_error *err);

#endif
