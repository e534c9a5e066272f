#include "conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "text.h"

enum {
    IDLE_S = 120,
    STACK_SIZE = 256 * 1024,
    BACKLOG = 512,
};

struct accept_job {
    struct sim *sim;
    int listen_fd;
    SSL_CTX *tls;
    sim_serve *serve;
    void *arg;
};

struct serve_job {
    struct accept_job *from;
    int fd;
};

int sim_conn_listen(const char *address, long port, int *ret_port)
{
    struct sockaddr_in name = { .sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port) };
    socklen_t size = sizeof name;
    int yes = 1;

    if (inet_pton(AF_INET, address, &name.sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) != 0 ||
        listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&name, &size) != 0) {
        int cause = errno;
        close(fd);
        errno = cause;
        return -1;
    }
    *ret_port = ntohs(name.sin_port);
    return fd;
}

static bool start_tls(struct sim_conn *conn, SSL_CTX *tls)
{
    if (!tls)
        return true;
    conn->ssl = SSL_new(tls);
    return conn->ssl && SSL_set_fd(conn->ssl, conn->fd) == 1 &&
           SSL_accept(conn->ssl) == 1;
}

static void *serve_thread(void *arg)
{
    struct serve_job job = *(struct serve_job *)arg;
    struct timeval idle = { .tv_sec = IDLE_S };
    struct sim_conn *conn = calloc(1, sizeof *conn);
    int yes = 1;

    free(arg);
    if (!conn) {
        close(job.fd);
        return NULL;
    }
    conn->fd = job.fd;
    setsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
    setsockopt(conn->fd, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof idle);
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (start_tls(conn, job.from->tls)) {
        job.from->serve(job.from->sim, conn, job.from->arg);
        if (conn->ssl)
            SSL_shutdown(conn->ssl);
    }
    SSL_free(conn->ssl);
    close(conn->fd);
    free(conn);
    return NULL;
}

static bool start_thread(void *(*run)(void *), void *arg)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int failed = pthread_create(&thread, &attributes, run, arg);
    pthread_attr_destroy(&attributes);
    return failed == 0;
}

static void *accept_thread(void *arg)
{
    struct accept_job *from = arg;

    for (;;) {
        int fd = accept4(from->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            /* Out of descriptors, or the peer left already: the next may do better. */
            sim_text_sleep_ms(errno == ECONNABORTED || errno == EINTR ? 0 : 10);
            continue;
        }
        struct serve_job *job = malloc(sizeof *job);
        if (job)
            *job = (struct serve_job){ .from = from, .fd = fd };
        if (!job || !start_thread(serve_thread, job)) {
            free(job);
            close(fd);
        }
    }
    return NULL;
}

bool sim_conn_accept(struct sim *sim, int listen_fd, SSL_CTX *tls, sim_serve *serve,
                     void *arg)
{
    struct accept_job *job = malloc(sizeof *job);

    if (!job)
        return false;
    *job = (struct accept_job){
        .sim = sim, .listen_fd = listen_fd, .tls = tls, .serve = serve, .arg = arg
    };
    if (start_thread(accept_thread, job))
        return true;
    free(job);
    return false;
}

static bool fill(struct sim_conn *conn)
{
    ssize_t got = conn->ssl ? SSL_read(conn->ssl, conn->in, (int)sizeof conn->in)
                            : read(conn->fd, conn->in, sizeof conn->in);

    conn->at = 0;
    conn->have = got > 0 ? (size_t)got : 0;
    return got > 0;
}

int sim_conn_byte(struct sim_conn *conn)
{
    if (conn->at == conn->have && !fill(conn))
        return -1;
    return (unsigned char)conn->in[conn->at++];
}

bool sim_conn_read(struct sim_conn *conn, char *data, size_t size)
{
    while (size > 0) {
        if (conn->at == conn->have && !fill(conn))
            return false;
        size_t part = conn->have - conn->at;
        if (part > size)
            part = size;
        memcpy(data, conn->in + conn->at, part);
        conn->at += part;
        data += part;
        size -= part;
    }
    return true;
}

ssize_t sim_conn_line(struct sim_conn *conn, char *line, size_t size)
{
    size_t length = 0;

    for (;;) {
        int c = sim_conn_byte(conn);
        if (c < 0 || length + 1 >= size)
            return -1;
        if (c == '\n')
            break;
        line[length++] = (char)c;
    }
    if (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    return (ssize_t)length;
}

bool sim_conn_write(struct sim_conn *conn, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        size_t part = size < 16384 ? size : 16384;
        ssize_t sent =
            conn->ssl ? SSL_write(conn->ssl, at, (int)part) : write(conn->fd, at, part);
        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool sim_conn_text(struct sim_conn *conn, const char *text)
{
    return sim_conn_write(conn, text, strlen(text));
}

void sim_conn_reset(struct sim_conn *conn)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    /* No close_notify may go before the reset. */
    if (conn->ssl)
        SSL_set_quiet_shutdown(conn->ssl, 1);
}

void sim_conn_stall(struct sim_conn *conn, int64_t max_ms)
{
    struct pollfd peer = { .fd = conn->fd, .events = POLLRDHUP };
    int64_t end = sim_text_now_ms() + max_ms;

    while (max_ms < 0 || sim_text_now_ms() < end) {
        int64_t left = max_ms < 0 ? 1000 : end - sim_text_now_ms();

        if (poll(&peer, 1, left > 1000 ? 1000 : (int)left + 1) > 0)
            break;
    }
}

void sim_conn_linger(struct sim_conn *conn, int64_t max_ms)
{
    struct pollfd peer = { .fd = conn->fd, .events = POLLIN };
    int64_t end = sim_text_now_ms() + max_ms;
    char rest[16384];

    if (conn->ssl)
        SSL_shutdown(conn->ssl);
    shutdown(conn->fd, SHUT_WR);
    for (int64_t left = max_ms; left > 0; left = end - sim_text_now_ms())
        if (poll(&peer, 1, (int)left) <= 0 || read(conn->fd, rest, sizeof rest) <= 0)
            break;
}
