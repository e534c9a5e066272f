#ifndef SIM_CONN_H
#define SIM_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sim.h"

/* One accepted connection, with TLS or without. Reads and writes block; a peer that is
 * silent for two minutes is given up. */
struct sim_conn {
    int fd;
    SSL *ssl; /* NULL: plain */
    char in[8192];
    size_t at;
    size_t have;
};

/* Serves one connection in a thread of its own, then returns. */
typedef void sim_serve(struct sim *sim, struct sim_conn *conn, void *arg);

/* Opens a listening socket on address and port (0: any); -1 and errno on failure. */
int sim_conn_listen(const char *address, long port, int *ret_port);

/* Starts a thread that accepts on listen_fd for ever and serves each connection in a
 * thread. tls NULL: plain. False if no thread could be had. */
bool sim_conn_accept(struct sim *sim, int listen_fd, SSL_CTX *tls, sim_serve *serve,
                     void *arg);

/* The next byte, or -1 at the end. */
int sim_conn_byte(struct sim_conn *conn);
bool sim_conn_read(struct sim_conn *conn, char *data, size_t size);
/* One line without its line end, terminated; -1 at the end or if it is too long. */
ssize_t sim_conn_line(struct sim_conn *conn, char *line, size_t size);
bool sim_conn_write(struct sim_conn *conn, const void *data, size_t size);
bool sim_conn_text(struct sim_conn *conn, const char *text);

/* Breaks the connection with a TCP reset: the close that follows sends RST. */
void sim_conn_reset(struct sim_conn *conn);
/* Waits until the peer has gone, at most max_ms (below 0: for ever). */
void sim_conn_stall(struct sim_conn *conn, int64_t max_ms);
/* Ends our side and reads on until the peer has ended its own, at most max_ms: closing
 * over unread data resets the connection, and the answer is lost (RFC 9112, 9.6). */
void sim_conn_linger(struct sim_conn *conn, int64_t max_ms);

#endif
