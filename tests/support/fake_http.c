#include "support/fake_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"

struct fake_http fake;

void fake_http_reset(void)
{
    memset(&fake, 0, sizeof fake);
    fake.time_s = 1700000000;
    fake.clock_ms = 1000000;
}

static void push(struct fake_answer answer)
{
    assert_true(fake.answer_count < FAKE_ANSWERS_MAX);
    fake.answers[fake.answer_count++] = answer;
}

void fake_http_answer(long status, const char *body)
{
    fake_http_answer_later(status, body, -1);
}

void fake_http_answer_later(long status, const char *body, int64_t retry_after_s)
{
    push((struct fake_answer){ PSN_HTTP_ANSWERED, false, status, body, retry_after_s,
                               NULL });
}

void fake_http_answer_page(const char *body, const char *cursor)
{
    push((struct fake_answer){ PSN_HTTP_ANSWERED, false, 200, body, -1, cursor });
}

void fake_http_route_no_services(void)
{
    fake_http_route("GET", "/email/mxplan", 200, "[]");
    fake_http_route("GET", "/email/pro", 200, "[]");
    fake_http_route("GET", "/email/exchange", 200, "[]");
    fake_http_route("GET", "/v2/zimbra/platform", 200, "[]");
}

size_t fake_http_count(const char *method, const char *path)
{
    size_t count = 0;

    for (size_t i = 0; i < fake.call_count; i++)
        count += strcmp(fake.calls[i].method, method) == 0 &&
                 strcmp(fake.calls[i].path, path) == 0;
    return count;
}

void fake_http_fail(enum psn_http_fate fate, bool final)
{
    push((struct fake_answer){ fate, final, 0, NULL, -1, NULL });
}

void fake_http_route(const char *method, const char *path, long status, const char *body)
{
    assert_true(fake.route_count < FAKE_ANSWERS_MAX);
    fake.routes[fake.route_count++] = (struct fake_route){ method, path, status, body };
}

int64_t fake_clock_ms(void)
{
    return fake.clock_ms;
}

void fake_sleep_ms(int64_t duration_ms)
{
    assert_true(duration_ms > 0);
    fake.clock_ms += duration_ms;
    fake.slept_ms += duration_ms;
}

/* Behind the root; FAKE_TOKEN_URL, which lies beside it, as it stands. */
static const char *path_of(const struct psn_http_request *request)
{
    if (strcmp(request->url, FAKE_TOKEN_URL) == 0)
        return request->url;
    if (strncmp(request->url, FAKE_ORIGIN "/v2/", strlen(FAKE_ORIGIN "/v2/")) == 0)
        return request->url + strlen(FAKE_ORIGIN);
    assert_int_equal(strncmp(request->url, FAKE_ROOT, strlen(FAKE_ROOT)), 0);
    return request->url + strlen(FAKE_ROOT);
}

static void record(const struct psn_http_request *request)
{
    struct fake_call *call = &fake.calls[fake.call_count++];
    size_t used = 0;

    assert_true(fake.call_count <= FAKE_CALLS_MAX);
    (void)snprintf(call->method, sizeof call->method, "%s", request->method);
    (void)snprintf(call->path, sizeof call->path, "%s", path_of(request));
    (void)snprintf(call->body, sizeof call->body, "%.*s", (int)request->body_size,
                   request->body ? (const char *)request->body : "");
    for (size_t i = 0; i < request->header_count; i++)
        used += (size_t)snprintf(call->headers + used, sizeof call->headers - used,
                                 "%s: %s\n", request->headers[i].name,
                                 psn_buf_str(&request->headers[i].value));
    call->at_ms = fake.clock_ms;
}

static const struct fake_answer *choose(const struct psn_http_request *request,
                                        struct fake_answer *room)
{
    for (size_t i = 0; i < fake.route_count; i++) {
        const struct fake_route *route = &fake.routes[i];

        if (strcmp(route->method, request->method) != 0 ||
            strcmp(route->path, path_of(request)) != 0)
            continue;
        *room = (struct fake_answer){ PSN_HTTP_ANSWERED, false, route->status,
                                      route->body,       -1,    NULL };
        return room;
    }
    if (fake.next >= fake.answer_count)
        fail_msg("nobody expects %s %s", request->method, request->url);
    return &fake.answers[fake.next++];
}

static enum psn_code perform(void *self, const struct psn_http_request *request,
                             struct psn_http_response *response, struct psn_error *err)
{
    struct fake_answer room;
    const struct fake_answer *answer;
    char time[24];

    (void)self;
    psn_buf_reset(&response->body);
    response->retry_after_s = -1;
    if (strcmp(path_of(request), "/auth/time") == 0 && fake.time_s) {
        fake.time_calls++;
        (void)snprintf(time, sizeof time, "%lld", (long long)fake.time_s);
        room = (struct fake_answer){ PSN_HTTP_ANSWERED, false, 200, time, -1, NULL };
        answer = &room;
    } else {
        record(request);
        answer = choose(request, &room);
    }
    response->fate = answer->fate;
    response->status = answer->status;
    response->final = answer->final;
    response->retry_after_s = answer->retry_after_s;
    (void)snprintf(response->cursor_next, sizeof response->cursor_next, "%s",
                   answer->cursor ? answer->cursor : "");
    (void)snprintf(response->query_id, sizeof response->query_id, "FR.test-1");
    if (answer->fate != PSN_HTTP_ANSWERED)
        return psn_fail(err, PSN_E_NETWORK, "the network fails");
    psn_buf_text(&response->body, answer->body ? answer->body : "");
    if (response->body.failed) {
        response->fate = PSN_HTTP_UNKNOWN;
        return psn_fail(err, PSN_E_NOMEM, "out of memory");
    }
    return PSN_OK;
}

struct psn_http fake_http_port(void)
{
    return (struct psn_http){ .perform = perform, .self = NULL };
}

static struct psn_secret *secret(const char *text)
{
    struct psn_secret *made = NULL;

    assert_int_equal(psn_secret_copy(text, strlen(text), &made, NULL), PSN_OK);
    return made;
}

struct psn_ovh *fake_ovh(double rate_per_min)
{
    PSN_AUTO_RELEASE(psn_ovh_credential)
    credential = { .application_key = secret("app-key"),
                   .application_secret = secret("app-secret"),
                   .consumer_key = secret("consumer-key") };
    struct psn_ovh_options options = { .root = FAKE_ROOT,
                                       .rate_per_min = rate_per_min,
                                       .http = fake_http_port(),
                                       .clock_ms = fake_clock_ms,
                                       .sleep_ms = fake_sleep_ms };
    struct psn_ovh *ovh = NULL;

    assert_int_equal(psn_ovh_open(&options, &credential, &ovh, NULL), PSN_OK);
    return ovh;
}
