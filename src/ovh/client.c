/*
 * Signed calls.
 *
 * Time: OVH's clock is read once and kept as a distance to this machine's steady clock
 * (which no one can set), so a wrong or jumping wall clock does no harm. When OVH finds
 * the time wrong all the same, it is read again, once for each call.
 *
 * A service account's calls are not signed: they carry a token, which is asked for when
 * there is none, or when it is about to end. A call that is answered 401 gets a new one,
 * once.
 *
 * Rate: one bucket (ovh/rate.c) for all requests of the handle, or of all handles of its
 * key, retries included.
 *
 * Reads are repeated after faults that pass. Changes are not: whoever asked for one
 * looks at what is there before he asks again.
 */
#include "ovh/client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/loop.h"
#include "base/text.h"
#include "ovh/call.h"
#include "ovh/headers.h"
#include "ovh/oauth.h"
#include "ovh/rate.h"

enum {
    TRIES_MAX = 4,
    FIRST_WAIT_MS = 500, /* doubles */
    RETRY_AFTER_MAX_S = 60,
    URL_MAX = 4096,
    TOKEN_MARGIN_S = 60, /* a token is renewed so long before its end */
    HOST_SIZE = 256,
    PAGES_MAX = 200,
};

/* Anything else from /auth/time is not a time: 2001 to 2286. */
static const int64_t time_least_s = 1000000000;
static const int64_t time_most_s = 9999999999;

struct psn_ovh {
    char *root;
    char *ca_file;
    char host[HOST_SIZE];
    char client[PSN_OVH_TEXT_MAX];
    struct psn_ovh_credential credential;
    struct psn_http http;
    int64_t (*clock_ms)(void);
    void (*sleep_ms)(int64_t);
    struct psn_rate own_rate;
    struct psn_rate *rate;
    struct psn_gate pass_gate; /* one asks for the time or a token, the others wait */
    uint64_t pass_number;      /* of the time or token that is known, from 1 */
    bool has_time;
    int64_t time_offset_ms;    /* server time less clock_ms */
    struct psn_secret *bearer; /* of a service account, or NULL */
    int64_t bearer_until_ms;
    char token_url[URL_MAX];
    bool key_known;
    int64_t key_expires_s;
    enum psn_ovh_reason last_reason;
    bool is_untrusted; /* the last read failed for the server's certificate */
};

/* One request, before it is signed. */
struct call {
    const char *method;
    const char *path; /* as sent, behind the root */
    const struct psn_secret *body;
    const char *cursor; /* of a paged list; "": its first page; NULL: not paged */
    bool is_signed;
    bool may_share; /* a connection that was kept, see net/http.h */
};

static void find_host(struct psn_ovh *ovh)
{
    const char *at = strstr(ovh->root, "://");
    char host[HOST_SIZE];

    at = at ? at + 3 : ovh->root;
    (void)snprintf(host, sizeof host, "%.*s", (int)strcspn(at, "/"), at);
    (void)psn_text_shown(host, ovh->host, sizeof ovh->host);
}

enum psn_code psn_ovh_open(const struct psn_ovh_options *options,
                           const struct psn_ovh_credential *credential,
                           struct psn_ovh **ret_ovh, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = calloc(1, sizeof *ovh);
    enum psn_code rc = psn_json_load(err);

    if (!rc && !ovh)
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (rc)
        return rc;
    ovh->root = strdup(options->root);
    ovh->ca_file = options->ca_file ? strdup(options->ca_file) : NULL;
    if (!ovh->root || (options->ca_file && !ovh->ca_file))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    find_host(ovh);
    (void)snprintf(ovh->client, sizeof ovh->client, "%s",
                   options->client ? options->client : "CLIENT");
    ovh->http = options->http;
    ovh->clock_ms = options->clock_ms ? options->clock_ms : psn_clock_boot_ms;
    ovh->sleep_ms = options->sleep_ms ? options->sleep_ms : psn_loop_sleep_ms;
    ovh->rate = options->rate ? options->rate : &ovh->own_rate;
    if (!options->rate || options->rate->at_ms == 0)
        *ovh->rate = psn_rate_init(options->rate_per_min, ovh->clock_ms());
    ovh->pass_gate.room = 1;
    ovh->key_known = options->key_known;
    ovh->key_expires_s = options->key_expires_s;
    rc = psn_ovh_token_url(options->root, ovh->token_url, sizeof ovh->token_url, err);
    if (rc == PSN_OK)
        rc = psn_ovh_credential_copy(credential, &ovh->credential, err);
    if (!rc)
        *ret_ovh = PSN_TAKE(ovh);
    return rc;
}

void psn_ovh_free(struct psn_ovh *ovh)
{
    if (!ovh)
        return;
    psn_ovh_credential_release(&ovh->credential);
    psn_secret_free(ovh->bearer);
    free(ovh->root);
    free(ovh->ca_file);
    free(ovh);
}

const char *psn_ovh_client(const struct psn_ovh *ovh)
{
    return ovh->client;
}

enum psn_ovh_reason psn_ovh_last_reason(const struct psn_ovh *ovh)
{
    return ovh->last_reason;
}

bool psn_ovh_is_untrusted(const struct psn_ovh *ovh)
{
    return ovh->is_untrusted;
}

static bool is_account(const struct psn_ovh *ovh)
{
    return psn_ovh_credential_is_account(&ovh->credential);
}

/* What an answer tells about the rate. */
static void note_rate(struct psn_ovh *ovh, const struct psn_ovh_verdict *verdict)
{
    if (verdict->outcome == PSN_OVH_THROTTLED)
        psn_rate_note_refused(ovh->rate, verdict->retry_after_s, ovh->clock_ms());
    else
        psn_rate_note_answered(ovh->rate);
}

/* A path of v2 replaces the last segment of the root. */
static void append_url(struct psn_buf *url, const char *root, const char *path)
{
    const char *last = strrchr(root, '/');

    if (strncmp(path, "/v2/", 4) == 0 && last)
        psn_buf_bytes(url, root, (size_t)(last - root));
    else
        psn_buf_text(url, root);
    psn_buf_text(url, path);
}

/* Signs and sends, once. Nothing waits between the call's token and its header. */
static enum psn_code perform(struct psn_ovh *ovh, const struct call *call,
                             struct psn_http_response *response, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) url = psn_buf_init(URL_MAX);
    PSN_AUTO_RELEASE(psn_ovh_headers) headers = { .count = 0 };
    struct psn_http_request request = { .method = call->method,
                                        .ca_file = ovh->ca_file,
                                        .may_share = call->may_share };
    enum psn_code rc;

    response->fate = PSN_HTTP_NOT_SENT;
    append_url(&url, ovh->root, call->path);
    rc = psn_buf_check(&url, err);
    if (rc)
        return rc;
    rc = psn_ovh_headers_build(
        &(struct psn_ovh_headed){
            .credential = &ovh->credential,
            .bearer = ovh->bearer,
            .method = call->method,
            .url = psn_buf_str(&url),
            .body = call->body,
            .cursor = call->cursor,
            .time_s = (ovh->clock_ms() + ovh->time_offset_ms) / 1000,
            .is_signed = call->is_signed,
        },
        &headers, err);
    if (rc)
        return rc;
    request.url = psn_buf_str(&url);
    request.headers = headers.items;
    request.header_count = headers.count;
    if (call->body) {
        request.body = psn_secret_bytes(call->body);
        request.body_size = psn_secret_size(call->body);
    }
    return ovh->http.perform(ovh->http.self, &request, response, err);
}

static void wait_before(struct psn_ovh *ovh, int attempt, int64_t retry_after_s)
{
    int64_t wait_ms = (int64_t)FIRST_WAIT_MS << attempt;

    if (retry_after_s > RETRY_AFTER_MAX_S)
        retry_after_s = RETRY_AFTER_MAX_S;
    if (retry_after_s * 1000 > wait_ms)
        wait_ms = retry_after_s * 1000;
    ovh->sleep_ms(wait_ms);
}

/* An attempt that failed leaves no trace if a later one goes well. */
static enum psn_code hand_up(const struct psn_error *from, struct psn_error *err)
{
    if (err && err->code == PSN_OK)
        *err = *from;
    return from->code;
}

/* How one try of a read ended. */
struct attempt {
    struct psn_error failure;
    enum psn_ovh_outcome outcome;
    bool stale;   /* the time or the token was refused: get a new one, try again */
    bool passing; /* the next may go better */
    int64_t retry_after_s;
};

/* True if the call was refused for the time or the token that it carried. */
static bool is_stale(const struct psn_ovh *ovh, const struct psn_ovh_verdict *verdict)
{
    return verdict->outcome == PSN_OVH_CLOCK ||
           (is_account(ovh) && verdict->status == 401 &&
            verdict->outcome == PSN_OVH_NOT_ALLOWED);
}

static void forget_stale(struct psn_ovh *ovh, uint64_t number)
{
    if (number != ovh->pass_number)
        return; /* another call has renewed it since */
    ovh->has_time = false;
    psn_secret_free(PSN_TAKE(ovh->bearer));
}

/* Says more than OVH does, where more is known: a key that once was good and is not any
 * more has come to its end, or was revoked before. */
static void refine(const struct psn_ovh *ovh, struct psn_ovh_verdict *verdict)
{
    int64_t now_s = (ovh->clock_ms() + ovh->time_offset_ms) / 1000;

    verdict->client = ovh->client;
    if (is_account(ovh) && verdict->status == 401 &&
        verdict->outcome == PSN_OVH_NOT_ALLOWED)
        verdict->reason = PSN_OVH_REASON_TOKEN;
    if (verdict->reason != PSN_OVH_REASON_KEY_ENDED || !ovh->key_known)
        return;
    verdict->reason = ovh->key_expires_s && now_s >= ovh->key_expires_s
                          ? PSN_OVH_REASON_KEY_EXPIRED
                          : PSN_OVH_REASON_KEY_REVOKED;
}

static void try_read(struct psn_ovh *ovh, const struct call *call,
                     struct psn_http_response *response, struct attempt *attempt)
{
    struct psn_ovh_verdict verdict;
    enum psn_code rc;

    *attempt = (struct attempt){ .outcome = PSN_OVH_UNKNOWN, .retry_after_s = -1 };
    rc = perform(ovh, call, response, &attempt->failure);
    if (rc) {
        ovh->last_reason = PSN_OVH_REASON_NONE;
        ovh->is_untrusted = response->final;
        attempt->passing = rc == PSN_E_NETWORK && !response->final;
        return;
    }
    verdict = psn_ovh_judge(response, NULL);
    note_rate(ovh, &verdict);
    refine(ovh, &verdict);
    attempt->stale = is_stale(ovh, &verdict);
    ovh->last_reason = verdict.reason;
    attempt->outcome = verdict.outcome;
    attempt->passing = psn_ovh_is_passing(&verdict);
    attempt->retry_after_s = verdict.retry_after_s;
    if (verdict.outcome != PSN_OVH_DONE)
        (void)psn_ovh_report(&verdict, ovh->host, call->method, call->path,
                             &attempt->failure);
}

static enum psn_code know_time(struct psn_ovh *ovh, struct psn_error *err);

static bool has_token(const struct psn_ovh *ovh)
{
    return ovh->bearer && ovh->clock_ms() < ovh->bearer_until_ms;
}

static enum psn_code ask_for_token(struct psn_ovh *ovh, struct psn_error *err)
{
    struct psn_ovh_token_request request = { ovh->http, ovh->token_url, ovh->ca_file,
                                             &ovh->credential };
    struct psn_ovh_token token = { 0 };
    enum psn_code rc = PSN_E_NETWORK;
    struct psn_error failure;
    bool passing = true;
    int64_t margin_s;

    psn_secret_free(PSN_TAKE(ovh->bearer));
    for (int tries = 0; rc && passing && tries < TRIES_MAX; tries++) {
        if (tries > 0)
            wait_before(ovh, tries - 1, -1);
        failure = (struct psn_error){ 0 };
        rc = psn_ovh_token_ask(&request, &token, &passing, &failure);
    }
    if (rc)
        return hand_up(&failure, err);
    margin_s =
        token.lifetime_s / 10 < TOKEN_MARGIN_S ? token.lifetime_s / 10 : TOKEN_MARGIN_S;
    ovh->bearer = token.bearer;
    ovh->bearer_until_ms = ovh->clock_ms() + (token.lifetime_s - margin_s) * 1000;
    ovh->pass_number++;
    return PSN_OK;
}

/* A token that will outlive the next call. */
static enum psn_code need_token(struct psn_ovh *ovh, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (has_token(ovh))
        return PSN_OK;
    psn_gate_enter(&ovh->pass_gate);
    if (!has_token(ovh))
        rc = ask_for_token(ovh, err);
    psn_gate_leave(&ovh->pass_gate);
    return rc;
}

/* What a call must have before it can be sent: its turn, then a token, or OVH's time. In
 * this order, since another fiber may forget the token while this one waits its turn. */
static enum psn_code prepare(struct psn_ovh *ovh, const struct call *call,
                             struct psn_error *err)
{
    psn_rate_await(ovh->rate, ovh->clock_ms, ovh->sleep_ms);
    if (is_account(ovh))
        return need_token(ovh, err);
    return call->is_signed ? know_time(ovh, err) : PSN_OK;
}

/* Sends a read until it is answered for good, or the tries are spent. */
static enum psn_code fetch(struct psn_ovh *ovh, const struct call *call,
                           struct psn_http_response *response, struct psn_error *err)
{
    bool may_renew = call->is_signed;
    struct attempt attempt;

    for (int tries = 0;;) {
        enum psn_code rc = prepare(ovh, call, err);
        uint64_t number = ovh->pass_number;

        if (rc)
            return rc;
        try_read(ovh, call, response, &attempt);
        if (attempt.outcome == PSN_OVH_DONE)
            return PSN_OK;
        if (attempt.stale && may_renew) {
            may_renew = false;
            forget_stale(ovh, number);
            continue;
        }
        tries++;
        if (!attempt.passing || tries >= TRIES_MAX)
            return hand_up(&attempt.failure, err);
        wait_before(ovh, tries - 1, attempt.retry_after_s);
    }
}

/* The answer of a read, as JSON. */
static enum psn_code parse_answer(const struct psn_ovh *ovh, const struct call *call,
                                  const struct psn_http_response *response,
                                  json_t **ret_value, struct psn_error *err)
{
    enum psn_code rc =
        psn_json_parse(response->body.data, response->body.size, ret_value, err);

    if (rc == PSN_OK)
        return PSN_OK;
    (void)psn_hint(err, rc, _("check the endpoint: is it the address of the API?"));
    return psn_wrap(err, rc, "%s: %s %s", ovh->host, call->method, call->path);
}

static enum psn_code sync_time(struct psn_ovh *ovh, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_http_response) response = psn_http_response_init();
    PSN_AUTO_JSON *value = NULL;
    struct call call = { .method = "GET", .path = "/auth/time" };
    enum psn_code rc = fetch(ovh, &call, &response, err);
    int64_t time_s;

    if (rc == PSN_OK)
        rc = parse_answer(ovh, &call, &response, &value, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot learn the time from OVH"));
    time_s = json_integer_value(value);
    if (!json_is_integer(value) || time_s < time_least_s || time_s > time_most_s)
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server '%s': its time is no time"),
                        ovh->host);
    ovh->time_offset_ms = time_s * 1000 - ovh->clock_ms();
    ovh->has_time = true;
    ovh->pass_number++;
    return PSN_OK;
}

/* Whoever comes while another asks waits for his answer. */
static enum psn_code know_time(struct psn_ovh *ovh, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (ovh->has_time)
        return PSN_OK;
    psn_gate_enter(&ovh->pass_gate);
    if (!ovh->has_time)
        rc = sync_time(ovh, err);
    psn_gate_leave(&ovh->pass_gate);
    return rc;
}

enum psn_code psn_ovh_time(struct psn_ovh *ovh, int64_t *ret_time_s,
                           struct psn_error *err)
{
    enum psn_code rc = know_time(ovh, err);

    *ret_time_s = rc ? 0 : (ovh->clock_ms() + ovh->time_offset_ms) / 1000;
    return rc;
}

enum psn_code psn_ovh_get(struct psn_ovh *ovh, const struct psn_buf *path,
                          json_t **ret_value, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_http_response) response = psn_http_response_init();
    struct call call = { .method = "GET", .path = psn_buf_str(path), .is_signed = true };
    enum psn_code rc;

    ovh->last_reason = PSN_OVH_REASON_NONE;
    rc = fetch(ovh, &call, &response, err);
    return rc ? rc : parse_answer(ovh, &call, &response, ret_value, err);
}

/* One page, onto the list. *cursor becomes that of the next page, or "". */
static enum psn_code get_page(struct psn_ovh *ovh, const struct psn_buf *path,
                              char cursor[PSN_HTTP_CURSOR_MAX], json_t *list,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_http_response) response = psn_http_response_init();
    PSN_AUTO_JSON *page = NULL;
    struct call call = {
        .method = "GET", .path = psn_buf_str(path), .cursor = cursor, .is_signed = true
    };
    enum psn_code rc = fetch(ovh, &call, &response, err);

    if (rc == PSN_OK)
        rc = parse_answer(ovh, &call, &response, &page, err);
    if (rc == PSN_OK)
        rc = psn_json_expect_array(page, err);
    if (rc)
        return rc;
    if (json_array_extend(list, page))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (response.cursor_next[0] && strcmp(cursor, response.cursor_next) == 0)
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server (a list that turns in a circle)"));
    memcpy(cursor, response.cursor_next, PSN_HTTP_CURSOR_MAX);
    return PSN_OK;
}

enum psn_code psn_ovh_get_pages(struct psn_ovh *ovh, const struct psn_buf *path,
                                json_t **ret_list, struct psn_error *err)
{
    PSN_AUTO_JSON *list = json_array();
    char cursor[PSN_HTTP_CURSOR_MAX] = "";
    size_t pages = 0;
    enum psn_code rc = PSN_OK;

    ovh->last_reason = PSN_OVH_REASON_NONE;
    if (!list)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    do {
        rc = get_page(ovh, path, cursor, list, err);
        pages++;
    } while (!rc && cursor[0] && pages < PAGES_MAX);
    if (!rc && cursor[0])
        rc = psn_fail(err, PSN_E_NETWORK,
                      _("garbage from the server (a list without an end)"));
    if (rc)
        return rc;
    *ret_list = list;
    list = NULL;
    return PSN_OK;
}

void psn_ovh_pause(struct psn_ovh *ovh, int64_t duration_ms)
{
    ovh->sleep_ms(duration_ms);
}

static bool is_void(const struct psn_buf *body)
{
    return body->size == strspn(psn_buf_str(body), " \t\r\n");
}

/* What a complete answer to a change means; returns what it holds, if anything. */
static json_t *conclude(struct psn_ovh *ovh, const struct call *call,
                        const struct psn_ovh_verdict *verdict,
                        const struct psn_http_response *response,
                        struct psn_ovh_answer *answer, struct psn_error *err)
{
    json_t *value = NULL;

    answer->outcome = verdict->outcome;
    answer->retry_after_s = verdict->retry_after_s;
    ovh->last_reason = verdict->reason;
    if (verdict->outcome != PSN_OVH_DONE)
        (void)psn_ovh_report(verdict, ovh->host, call->method, call->path, err);
    else if (!is_void(&response->body) && parse_answer(ovh, call, response, &value, err))
        answer->outcome = PSN_OVH_UNKNOWN;
    if (!json_is_null(value))
        return value;
    json_decref(value);
    return NULL;
}

void psn_ovh_send(struct psn_ovh *ovh, const struct psn_ovh_change *change,
                  struct psn_ovh_answer *ret_answer, json_t **ret_value,
                  struct psn_error *err)
{
    struct call call = { .method = change->method,
                         .path = psn_buf_str(change->path),
                         .body = change->body,
                         .is_signed = !change->by_application,
                         .may_share = change->is_repeatable };
    bool has_renewed = false;

    *ret_answer =
        (struct psn_ovh_answer){ .outcome = PSN_OVH_NOT_SENT, .retry_after_s = -1 };
    *ret_value = NULL;
    ovh->last_reason = PSN_OVH_REASON_NONE;
    for (;;) {
        PSN_AUTO_RELEASE(psn_http_response) response = psn_http_response_init();
        struct psn_ovh_verdict verdict;
        uint64_t number;

        if (prepare(ovh, &call, err)) {
            /* Without a token nothing was sent; that OVH gives none is definite. */
            if (is_account(ovh) && err && err->code == PSN_E_REFUSED)
                ret_answer->outcome = PSN_OVH_NOT_ALLOWED;
            return;
        }
        number = ovh->pass_number;
        if (perform(ovh, &call, &response, err)) {
            ovh->last_reason = PSN_OVH_REASON_NONE;
            ret_answer->outcome =
                response.fate == PSN_HTTP_NOT_SENT ? PSN_OVH_NOT_SENT : PSN_OVH_UNKNOWN;
            return;
        }
        verdict = psn_ovh_judge(&response, change->hidden);
        note_rate(ovh, &verdict);
        refine(ovh, &verdict);
        if (!is_stale(ovh, &verdict) || has_renewed) {
            *ret_value = conclude(ovh, &call, &verdict, &response, ret_answer, err);
            return;
        }
        ret_answer->outcome = verdict.outcome;
        has_renewed = true;
        forget_stale(ovh, number);
    }
}
