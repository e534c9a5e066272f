#ifndef SUPPORT_FAKE_HTTP_H
#define SUPPORT_FAKE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"
#include "ovh/client.h"

/*
 * An HTTP port that answers what a test has written down and records what it was asked,
 * with a clock that moves only when somebody sleeps. There is one of them.
 *
 * /auth/time is answered by itself (unless time_s is 0) and recorded apart. Other calls
 * take the answer of their route, else the next of the queue; without either the test
 * fails.
 */
enum {
    FAKE_ANSWERS_MAX = 128,
    FAKE_CALLS_MAX = 512,
};

struct fake_answer {
    enum psn_http_fate fate;
    bool final;
    long status;
    const char *body; /* NULL: none */
    int64_t retry_after_s;
    const char *cursor; /* of the next page, or NULL */
};

struct fake_call {
    char method[8];
    char path[512]; /* behind the root */
    char body[512];
    char headers[1024]; /* "Name: value" lines */
    int64_t at_ms;
};

struct fake_http {
    int64_t time_s; /* of /auth/time */
    size_t time_calls;
    int64_t clock_ms;
    int64_t slept_ms;
    struct fake_answer answers[FAKE_ANSWERS_MAX];
    size_t answer_count;
    size_t next;
    struct fake_route {
        const char *method;
        const char *path;
        long status;
        const char *body;
    } routes[FAKE_ANSWERS_MAX];
    size_t route_count;
    struct fake_call calls[FAKE_CALLS_MAX];
    size_t call_count;
};
extern struct fake_http fake;

#define FAKE_ROOT      "https://api.example/1.0"
#define FAKE_TOKEN_URL "https://api.example/auth/oauth2/token"
/* Paths of the second version begin with "/v2/". */
#define FAKE_ORIGIN "https://api.example"

/* Forgets everything; time_s is 1700000000, the clock stands at 1 000 000 ms. */
void fake_http_reset(void);

/* Queues an answer. */
void fake_http_answer(long status, const char *body);
void fake_http_answer_later(long status, const char *body, int64_t retry_after_s);
/* A page of a list, and where the next one begins (NULL: it is the last). */
void fake_http_answer_page(const char *body, const char *cursor);
void fake_http_fail(enum psn_http_fate fate, bool final);

/* Answers every such call. */
void fake_http_route(const char *method, const char *path, long status, const char *body);

/* An account without any service of the newer back-ends. */
void fake_http_route_no_services(void);

/* How many calls of this method and path there were. */
size_t fake_http_count(const char *method, const char *path);

struct psn_http fake_http_port(void);
int64_t fake_clock_ms(void);
void fake_sleep_ms(int64_t duration_ms);

/* An account whose keys are "app-key", "app-secret" and "consumer-key". */
struct psn_ovh *fake_ovh(double rate_per_min);

#endif
