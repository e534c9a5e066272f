/* style: allow long-file because every case speaks through one scripted server */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "ovh/call.h"
#include "support/fake_http.h"

/* Helpers */

static enum psn_code read_path(struct psn_ovh *ovh, const char *path,
                               struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;

    return psn_ovh_get_at(ovh, path, PSN_OVH_PARTS(NULL), &value, err);
}

static struct psn_ovh_answer change(struct psn_ovh *ovh, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(100);
    PSN_AUTO(psn_secret) *body = NULL;
    PSN_AUTO_JSON *value = NULL;
    struct psn_ovh_change what = { .method = "POST", .path = &path };
    struct psn_ovh_answer answer;

    psn_buf_text(&path, "/thing/change");
    assert_int_equal(psn_secret_copy("{\"a\":1}", 7, &body, NULL), PSN_OK);
    what.body = body;
    what.hidden = body;
    psn_ovh_send(ovh, &what, &answer, &value, err);
    return answer;
}

static int set_up(void **state)
{
    fake_http_reset();
    if (psn_crypto_init(NULL))
        return -1;
    *state = fake_ovh(0);
    return 0;
}

static int tear_down(void **state)
{
    psn_ovh_free(*state);
    return 0;
}

/* Headers and signature */

static void signs_what_it_sends(void **state)
{
    fake_http_answer(200, "{}");
    assert_int_equal(change(*state, NULL).outcome, PSN_OVH_DONE);
    assert_string_equal(fake.calls[0].method, "POST");
    assert_string_equal(fake.calls[0].path, "/thing/change");
    assert_string_equal(fake.calls[0].body, "{\"a\":1}");
    /* SHA-1 of app-secret+consumer-key+POST+URL+body+1700000000, made with sha1sum */
    assert_string_equal(fake.calls[0].headers,
                        "Accept: application/json\n"
                        "X-Ovh-Application: app-key\n"
                        "Content-Type: application/json\n"
                        "X-Ovh-Consumer: consumer-key\n"
                        "X-Ovh-Timestamp: 1700000000\n"
                        "X-Ovh-Signature: $1$e0290fc1854e85abce2ac7faddead1f56498ad17\n");
}

static void asks_for_the_time_once(void **state)
{
    fake_http_answer(200, "1");
    fake_http_answer(200, "1");
    assert_int_equal(read_path(*state, "/a", NULL), PSN_OK);
    fake.clock_ms += 90500;
    assert_int_equal(read_path(*state, "/a", NULL), PSN_OK);
    assert_int_equal(fake.time_calls, 1);
    assert_non_null(strstr(fake.calls[1].headers, "X-Ovh-Timestamp: 1700000090\n"));
    assert_null(strstr(fake.calls[1].headers, "Content-Type"));
}

/* Every form of error */

static const struct error_row {
    const char *name;
    long status;
    const char *body;
    enum psn_code code;           /* of a read */
    enum psn_ovh_outcome outcome; /* of a change */
    int tries;                    /* of a read */
    const char *says;
    const char *hint; /* or NULL */
} errors[] = {
    { "application key unknown", 403,
      "{\"message\":\"This application key is invalid\",\"httpCode\":\"403 Forbidden\","
      "\"errorCode\":\"INVALID_KEY\"}",
      PSN_E_REFUSED, PSN_OVH_NOT_ALLOWED, 1, "application key", "ovh link" },
    { "application key unknown, newer", 403,
      "{\"class\":\"Client::Forbidden\",\"message\":\"Invalid application key\"}",
      PSN_E_REFUSED, PSN_OVH_NOT_ALLOWED, 1, "Invalid application key", "control panel" },
    { "signature", 400,
      "{\"message\":\"Invalid signature\",\"httpCode\":\"400 Bad Request\","
      "\"errorCode\":\"INVALID_SIGNATURE\"}",
      PSN_E_REFUSED, PSN_OVH_NOT_ALLOWED, 1, "signature", "ovh link" },
    { "signature, newer", 400,
      "{\"class\":\"Client::BadRequest\",\"message\":\"Invalid signature\"}",
      PSN_E_REFUSED, PSN_OVH_NOT_ALLOWED, 1, "application secret", "ovh link" },
    { "consumer key unknown", 403,
      "{\"message\":\"This credential does not exist\",\"errorCode\":\"NOT_CREDENTIAL\"}",
      PSN_E_REFUSED, PSN_OVH_NOT_ALLOWED, 1, "consumer key", "ovh link" },
    { "consumer key ended", 403,
      "{\"message\":\"This credential is not valid\","
      "\"errorCode\":\"INVALID_CREDENTIAL\"}",
      PSN_E_REFUSED, PSN_OVH_NOT_ALLOWED, 1, "expired", "ovh link" },
    { "no rule", 403,
      "{\"message\":\"This call has not been granted\","
      "\"errorCode\":\"NOT_GRANTED_CALL\"}",
      PSN_E_REFUSED, PSN_OVH_NOT_ALLOWED, 1, "no rule for ", "has this rule" },
    { "no rule, newer", 403,
      "{\"class\":\"Client::Forbidden\",\"message\":\"User not granted for this "
      "request\",\"details\":{\"unauthorizedActionsByAuthentication\":\"\","
      "\"unauthorizedActionsByIAM\":\"account:apiovh:me/get\"}}",
      PSN_E_REFUSED, PSN_OVH_NOT_ALLOWED, 1, "no rule for ", "has this rule" },
    { "barred", 403, "{\"message\":\"no\",\"errorCode\":\"FORBIDDEN\"}", PSN_E_REFUSED,
      PSN_OVH_NOT_ALLOWED, 1, "forbids", "control panel" },
    { "401", 401, "{\"message\":\"who?\"}", PSN_E_REFUSED, PSN_OVH_NOT_ALLOWED, 1,
      "forbids", "control panel" },
    { "bad parameter", 400,
      "{\"class\":\"Client::BadRequest\",\"message\":\"'password' is too short\"}",
      PSN_E_REFUSED, PSN_OVH_BAD_REQUEST, 1, "'password' is too short", NULL },
    { "no service", 404,
      "{\"class\":\"Client::NotFound\",\"message\":\"This service does not exist\"}",
      PSN_E_NOT_FOUND, PSN_OVH_ABSENT, 1, "does not know /thing", NULL },
    { "no object, older", 404,
      "{\"message\":\"The requested object (taskId = 0) does not exist\"}",
      PSN_E_NOT_FOUND, PSN_OVH_ABSENT, 1, "taskId", NULL },
    { "task under way", 409,
      "{\"message\":\"This pop is already being processed: a@b, please try later\"}",
      PSN_E_BUSY, PSN_OVH_BUSY, 1, "already being processed", "again" },
    { "stale checksum", 409,
      "{\"class\":\"Client::Conflict::ChecksumMismatch\",\"message\":\"x\"}", PSN_E_BUSY,
      PSN_OVH_BUSY, 1, "task", "again" },
    { "service expired", 460, "{\"message\":\"This Service is expired\"}", PSN_E_REFUSED,
      PSN_OVH_EXPIRED, 1, "expired or suspended", "renew" },
    { "too many calls", 429, NULL, PSN_E_NETWORK, PSN_OVH_THROTTLED, 4, "429", "again" },
    { "server error", 500,
      "{\"class\":\"Server::InternalServerError\",\"message\":\"Internal server error\"}",
      PSN_E_NETWORK, PSN_OVH_UNKNOWN, 4, "Internal server error", "again" },
    { "proxy, too slow", 408, "<html><body><h1>408 Request Time-out</h1>", PSN_E_NETWORK,
      PSN_OVH_UNKNOWN, 4, "408", "again" },
    { "proxy, maintenance", 503, "<html>503</html>", PSN_E_NETWORK, PSN_OVH_THROTTLED, 4,
      "503", "again" },
    { "proxy, backend too slow", 504, "<html>504</html>", PSN_E_NETWORK, PSN_OVH_UNKNOWN,
      4, "504", "again" },
    { "bad gateway", 502, NULL, PSN_E_NETWORK, PSN_OVH_UNKNOWN, 4, "502", "again" },
    { "proxy's own 404", 404, "<html>404</html>", PSN_E_NETWORK, PSN_OVH_UNKNOWN, 1,
      "404", "again" },
    { "proxy's own 403", 403, "", PSN_E_NETWORK, PSN_OVH_UNKNOWN, 1, "403", "again" },
    { "proxy's own 400", 400, "[]", PSN_E_NETWORK, PSN_OVH_UNKNOWN, 1, "400", "again" },
    { "error of wrong kinds", 404,
      "{\"class\":1,\"message\":[],\"errorCode\":{\"a\":null}}", PSN_E_NETWORK,
      PSN_OVH_UNKNOWN, 1, "404", "again" },
    { "redirect", 302, "{}", PSN_E_NETWORK, PSN_OVH_UNKNOWN, 1, "302", "again" },
    { "too early", 425, "{\"message\":\"x\"}", PSN_E_NETWORK, PSN_OVH_UNKNOWN, 1, "425",
      "again" },
    { "unknown status", 418, "{\"class\":\"Client::Teapot\",\"message\":\"x\"}",
      PSN_E_NETWORK, PSN_OVH_UNKNOWN, 1, "418", "again" },
    /* decided by status, then by errorCode, never by the message */
    { "message lies", 403,
      "{\"errorCode\":\"NOT_CREDENTIAL\",\"class\":\"Client::NotFound\",\"message\":"
      "\"Query out of time\"}",
      PSN_E_REFUSED, PSN_OVH_NOT_ALLOWED, 1, "does not know the consumer key",
      "ovh link" },
    { "members nobody knows", 404,
      "{\"class\":\"Client::NotFound\",\"message\":\"x\",\"more\":[{\"y\":null}]}",
      PSN_E_NOT_FOUND, PSN_OVH_ABSENT, 1, "does not know", NULL },
};

static void check_message(const struct error_row *row, const struct psn_error *err,
                          const char *call)
{
    char message[2 * PSN_ERROR_MESSAGE_MAX];

    (void)snprintf(message, sizeof message, "%s", err->message);
    if (!strstr(message, row->says) || !strstr(message, call))
        fail_msg("%s: %s", row->name, message);
    if (!strstr(message, "FR.test-1"))
        fail_msg("%s: no query id: %s", row->name, message);
    if ((row->hint && !strstr(err->hint, row->hint)) || (!row->hint && err->hint[0]))
        fail_msg("%s: hint: %s", row->name, err->hint);
    assert_int_equal(err->remote, row->status);
}

static void reads_name_every_error(void **state)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        const struct error_row *row = &errors[i];
        struct psn_error err = { 0 };

        fake.answer_count = fake.next = fake.call_count = 0;
        for (int n = 0; n < row->tries; n++)
            fake_http_answer(row->status, row->body);
        if (read_path(*state, "/thing", &err) != row->code)
            fail_msg("%s: %s", row->name, err.message);
        assert_int_equal(err.code, row->code);
        assert_int_equal(fake.call_count, row->tries);
        check_message(row, &err, "/thing");
    }
}

static void changes_are_sent_once_whatever_the_error(void **state)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        const struct error_row *row = &errors[i];
        struct psn_error err = { 0 };
        struct psn_ovh_answer answer;

        fake.answer_count = fake.next = fake.call_count = 0;
        fake_http_answer_later(row->status, row->body, 7);
        answer = change(*state, &err);
        if (answer.outcome != row->outcome)
            fail_msg("%s: outcome %d", row->name, (int)answer.outcome);
        assert_int_equal(fake.call_count, 1);
        assert_int_equal(answer.retry_after_s, 7);
        assert_false(answer.wrong_object);
        check_message(row, &err, "/thing/change");
    }
}

static void an_error_names_the_missing_rule(void **state)
{
    struct psn_error err = { 0 };

    fake_http_answer(403, "{\"errorCode\":\"NOT_GRANTED_CALL\",\"message\":\"x\"}");
    (void)change(*state, &err);
    assert_non_null(strstr(err.message, "POST /thing/change"));
    assert_int_equal(psn_ovh_last_reason(*state), PSN_OVH_REASON_NO_RULE);
}

static void ovh_words_are_escaped_and_cut(void **state)
{
    struct psn_error err = { 0 };

    fake_http_answer(404,
                     "{\"class\":\"Client::NotFound\",\"message\":"
                     "\"\\u001b[31mred\\u202e \\u0007\\r\\nxxxxxxxxxxxxxxxxxxxxxxxx"
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}");
    assert_int_equal(read_path(*state, "/thing", &err), PSN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "\\x1b[31mred\\u{202e}"));
    assert_null(strchr(err.message, '\x1b'));
    assert_null(strchr(err.message, '\n'));
    assert_true(strlen(err.message) < 300);
}

static void ovh_words_that_hold_the_secret_are_withheld(void **state)
{
    struct psn_error err = { 0 };

    fake_http_answer(400, "{\"class\":\"Client::BadRequest\",\"message\":"
                          "\"bad: {\\\"a\\\":1} is refused\"}");
    (void)change(*state, &err);
    assert_null(strstr(err.message, "{\"a\":1}"));
    assert_non_null(strstr(err.message, "withheld"));
}

/* The clock */

static const char out_of_time[] =
    "{\"message\":\"Query out of time\",\"errorCode\":\"QUERY_TIME_OUT\"}";

static void a_refused_time_is_read_again_once(void **state)
{
    fake_http_answer(400, out_of_time);
    fake_http_answer(200, "1");
    assert_int_equal(read_path(*state, "/a", NULL), PSN_OK);
    assert_int_equal(fake.time_calls, 2);
    fake.time_s += 1000;
    fake_http_answer(400, out_of_time);
    fake_http_answer(200, "{}");
    assert_int_equal(change(*state, NULL).outcome, PSN_OVH_DONE);
    assert_int_equal(fake.time_calls, 3);
    assert_non_null(strstr(fake.calls[3].headers, "X-Ovh-Timestamp: 1700001000\n"));
}

static void a_time_refused_twice_is_an_error(void **state)
{
    struct psn_error err = { 0 };

    for (int i = 0; i < 4; i++)
        fake_http_answer(400, out_of_time);
    assert_int_equal(read_path(*state, "/a", &err), PSN_E_REFUSED);
    assert_non_null(strstr(err.message, "time of the request"));
    assert_non_null(strstr(err.hint, "clock"));
    assert_int_equal(change(*state, NULL).outcome, PSN_OVH_CLOCK);
    assert_int_equal(fake.call_count, 4);
}

static void a_refused_time_and_no_other_is_no_answer(void **state)
{
    struct psn_error err = { 0 };

    assert_int_equal((fake_http_answer(200, "1"), read_path(*state, "/a", NULL)), PSN_OK);
    fake.time_s = 0;
    fake_http_answer(400, out_of_time);
    fake_http_fail(PSN_HTTP_UNKNOWN, true);
    assert_int_equal(change(*state, &err).outcome, PSN_OVH_CLOCK);
    assert_non_null(strstr(err.message, "cannot learn the time"));
}

static void without_a_time_nothing_is_sent(void **state)
{
    static const char *const times[] = {
        "",    "null", "\"1700000000\"", "1.5",           "-1",  "0",     "99999999999",
        "{}",  "[17]", "1700000000 x",   "<html></html>", "NaN", "17000", "1700000000,",
        "1e10"
    };

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct psn_error err = { 0 };
        struct psn_ovh_answer answer;

        fake.time_s = 0;
        fake.call_count = 0;
        fake_http_answer(200, times[i]);
        answer = change(*state, &err);
        if (answer.outcome != PSN_OVH_NOT_SENT || err.code != PSN_E_NETWORK)
            fail_msg("time %s: %s", times[i], err.message);
        assert_int_equal(fake.call_count, 1);
        assert_string_equal(fake.calls[0].path, "/auth/time");
        assert_null(strstr(fake.calls[0].headers, "Signature"));
        assert_null(strstr(fake.calls[0].headers, "Consumer"));
    }
}

/* Retries */

static void reads_are_repeated_with_growing_waits(void **state)
{
    struct psn_error err = { 0 };

    fake_http_fail(PSN_HTTP_NOT_SENT, false);
    fake_http_answer(503, "<html>");
    fake_http_fail(PSN_HTTP_UNKNOWN, false);
    fake_http_answer(200, "[]");
    assert_int_equal(read_path(*state, "/a", &err), PSN_OK);
    assert_int_equal(err.code, PSN_OK);
    assert_int_equal(fake.calls[1].at_ms - fake.calls[0].at_ms, 500);
    assert_int_equal(fake.calls[2].at_ms - fake.calls[1].at_ms, 1000);
    assert_int_equal(fake.calls[3].at_ms - fake.calls[2].at_ms, 2000);
}

static void reads_give_up_after_four_tries(void **state)
{
    struct psn_error err = { 0 };

    for (int i = 0; i < 4; i++)
        fake_http_fail(PSN_HTTP_UNKNOWN, false);
    assert_int_equal(read_path(*state, "/a", &err), PSN_E_NETWORK);
    assert_int_equal(fake.call_count, 4);
    assert_non_null(strstr(err.message, "the network fails"));
}

static void a_certificate_is_not_tried_again(void **state)
{
    fake_http_fail(PSN_HTTP_NOT_SENT, true);
    assert_int_equal(read_path(*state, "/a", NULL), PSN_E_NETWORK);
    assert_int_equal(fake.call_count, 1);
}

static void retry_after_is_honoured_up_to_a_minute(void **state)
{
    fake_http_answer_later(429, NULL, 7);
    fake_http_answer_later(503, NULL, 86400);
    fake_http_answer_later(429, NULL, 0);
    fake_http_answer(200, "1");
    assert_int_equal(read_path(*state, "/a", NULL), PSN_OK);
    assert_int_equal(fake.calls[1].at_ms - fake.calls[0].at_ms, 7000);
    assert_int_equal(fake.calls[2].at_ms - fake.calls[1].at_ms, 60000);
    assert_int_equal(fake.calls[3].at_ms - fake.calls[2].at_ms, 2000);
}

static void the_fate_of_a_change_is_kept(void **state)
{
    fake_http_fail(PSN_HTTP_NOT_SENT, false);
    assert_int_equal(change(*state, NULL).outcome, PSN_OVH_NOT_SENT);
    fake_http_fail(PSN_HTTP_UNKNOWN, false);
    assert_int_equal(change(*state, NULL).outcome, PSN_OVH_UNKNOWN);
    assert_int_equal(fake.call_count, 2);
    assert_int_equal(fake.slept_ms, 0);
}

/* The rate */

static void the_bucket_allows_a_burst_and_then_the_rate(void **state)
{
    struct psn_ovh *ovh = fake_ovh(60);

    (void)state;
    fake_http_route("GET", "/a", 200, "1");
    for (int i = 0; i < 27; i++) /* and /auth/time makes 28 */
        assert_int_equal(read_path(ovh, "/a", NULL), PSN_OK);
    assert_int_equal(fake.slept_ms, 0);
    for (int i = 0; i < 120; i++)
        assert_int_equal(read_path(ovh, "/a", NULL), PSN_OK);
    assert_in_range(fake.slept_ms, 119000, 121000);
    for (size_t i = 31; i < fake.call_count; i++)
        assert_in_range(fake.calls[i].at_ms - fake.calls[i - 1].at_ms, 990, 1010);
    /* A pause fills it again, but never above the burst. */
    fake.clock_ms += 3600000;
    fake.slept_ms = 0;
    for (int i = 0; i < 28; i++)
        assert_int_equal(read_path(ovh, "/a", NULL), PSN_OK);
    assert_int_equal(fake.slept_ms, 0);
    assert_int_equal(read_path(ovh, "/a", NULL), PSN_OK);
    assert_in_range(fake.slept_ms, 900, 1010);
    psn_ovh_free(ovh);
}

static void a_clock_that_goes_back_only_waits(void **state)
{
    struct psn_ovh *ovh = fake_ovh(6000);

    (void)state;
    fake_http_route("GET", "/a", 200, "1");
    for (int i = 0; i < 100; i++) {
        fake.clock_ms -= 5;
        assert_int_equal(read_path(ovh, "/a", NULL), PSN_OK);
    }
    assert_true(fake.slept_ms < 60000);
    psn_ovh_free(ovh);
}

/* Garbage */

static char *repeat(const char *first, const char *piece, size_t count, const char *last)
{
    struct psn_buf text = psn_buf_init((size_t)4 * PSN_BODY_MAX);
    char *made = NULL;

    psn_buf_text(&text, first);
    for (size_t i = 0; i < count; i++)
        psn_buf_text(&text, piece);
    psn_buf_text(&text, last);
    assert_int_equal(psn_buf_take(&text, &made, NULL), PSN_OK);
    return made;
}

static void garbage_is_a_network_error_and_no_retry(void **state)
{
    static const char *const bodies[] = {
        "",
        " ",
        "<html><body>It works!</body></html>",
        "{",
        "[1,2",
        "{\"a\":1}{\"b\":2}",
        "{\"a\":1} x",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":1,\"b\":2}}",
        "nul",
        "'a'",
        "{a:1}",
        "[1,]",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"a\nb\"",
        "1e999",
        "99999999999999999999",
        "01",
        "\xef\xbb\xbf{}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        "/**/1",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct psn_error err = { 0 };

        fake.answer_count = fake.next = fake.call_count = 0;
        fake_http_answer(200, bodies[i]);
        if (read_path(*state, "/a", &err) != PSN_E_NETWORK)
            fail_msg("taken for JSON: %s", bodies[i]);
        assert_int_equal(fake.call_count, 1);
        assert_non_null(strstr(err.message, "garbage"));
        assert_non_null(strstr(err.message, "api.example"));
    }
}

static void bombs_are_refused_before_they_are_built(void **state)
{
    char *bombs[] = {
        repeat("", "[", 500000, ""),       repeat("", "{\"a\":", 200000, ""),
        repeat("[0", ",0", 500000, "]"),   repeat("[[]", ",[]", 330000, "]"),
        repeat("[{}", ",{}", 330000, "]"), repeat("\"", "x", 1048576, "\""),
    };

    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        struct psn_error err = { 0 };
        json_t *value = NULL;

        assert_int_equal(psn_json_parse(bombs[i], strlen(bombs[i]), &value, &err),
                         PSN_E_NETWORK);
        assert_null(value);
        assert_non_null(strstr(err.message, "bounds"));
        free(bombs[i]);
    }
    (void)state;
}

static void deep_and_long_json_within_bounds_is_read(void **state)
{
    char *texts[] = {
        repeat("", "[", 32, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
        repeat("[0", ",0", 90000, "]"),
        repeat("\"", "\\\"[{,", 150000, "\""),
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        PSN_AUTO_JSON *value = NULL;

        assert_int_equal(psn_json_parse(texts[i], strlen(texts[i]), &value, NULL),
                         PSN_OK);
        free(texts[i]);
    }
    (void)state;
}

static void a_change_answered_by_garbage_is_unknown(void **state)
{
    static const char *const bodies[] = { "<html></html>", "{", "{\"a\":1,\"a\":1}",
                                          "x" };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct psn_error err = { 0 };

        fake_http_answer(200, bodies[i]);
        assert_int_equal(change(*state, &err).outcome, PSN_OVH_UNKNOWN);
        assert_int_equal(err.code, PSN_E_NETWORK);
    }
}

static void void_answers_are_done(void **state)
{
    fake_http_answer(204, NULL);
    fake_http_answer(200, "null");
    fake_http_answer(200, "");
    fake_http_answer(200, " \r\n");
    for (int i = 0; i < 4; i++)
        assert_int_equal(change(*state, NULL).outcome, PSN_OVH_DONE);
}

/* Paths */

static void paths_are_escaped(void **state)
{
    static const struct {
        const char *part;
        const char *path; /* NULL: refused */
    } rows[] = {
        { "a", "/x/a/y" },
        { "A-b._~9", "/x/A-b._~9/y" },
        { "a@b", "/x/a%40b/y" },
        { "a/b", "/x/a%2Fb/y" },
        { "a b+c?d#e%f&g=h", "/x/a%20b%2Bc%3Fd%23e%25f%26g%3Dh/y" },
        { "\xc3\xa9\x01\x7f", "/x/%C3%A9%01%7F/y" },
        { "...", "/x/.../y" },
        { "", NULL },
        { ".", NULL },
        { "..", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(100);
        enum psn_code rc =
            psn_ovh_path(&path, "/x/*/y", PSN_OVH_PARTS(rows[i].part), NULL);

        assert_int_equal(rc, rows[i].path ? PSN_OK : PSN_E_NETWORK);
        if (rows[i].path)
            assert_string_equal(psn_buf_str(&path), rows[i].path);
    }
}

/* Account and key */

static void me_is_read(void **state)
{
    struct psn_ovh_account account;

    fake_http_answer(200, "{\"nichandle\":\"xm1-ovh\",\"email\":\"a@b.example\","
                          "\"firstname\":\"Jeanne\",\"name\":\"Martin\",\"organisation\":"
                          "null,\"more\":1}");
    assert_int_equal(psn_ovh_me(*state, &account, NULL), PSN_OK);
    assert_string_equal(account.nic, "xm1-ovh");
    assert_string_equal(account.email, "a@b.example");
    assert_string_equal(account.name, "Jeanne Martin");
    fake_http_answer(200, "{\"nichandle\":\"xm1-ovh\",\"organisation\":\"ACME\"}");
    assert_int_equal(psn_ovh_me(*state, &account, NULL), PSN_OK);
    assert_string_equal(account.name, "ACME");
    assert_string_equal(account.email, "");
}

static void me_of_a_wrong_kind_is_garbage(void **state)
{
    static const char *const bodies[] = { "[]", "null", "{}", "{\"nichandle\":1}",
                                          "{\"nichandle\":\"a\",\"email\":[]}" };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct psn_ovh_account account = { .nic = "untouched" };
        struct psn_error err = { 0 };

        fake_http_answer(200, bodies[i]);
        assert_int_equal(psn_ovh_me(*state, &account, &err), PSN_E_NETWORK);
        assert_non_null(strstr(err.message, "garbage"));
        assert_string_equal(account.nic, "untouched");
    }
}

static void the_rules_of_the_key_are_read(void **state)
{
    static struct psn_ovh_key_info info;

    fake_http_answer(200, "{\"status\":\"validated\",\"allowedIPs\":null,\"ovhSupport\":"
                          "false,\"rules\":[{\"method\":\"GET\",\"path\":\"/*\"},"
                          "{\"method\":\"POST\",\"path\":\"/a\"}],\"credentialId\":"
                          "498601349,\"applicationId\":105668,\"creation\":"
                          "\"2020-03-28T08:07:14+01:00\",\"expiration\":"
                          "\"2020-03-29T09:07:39+02:00\",\"lastUse\":null}");
    assert_int_equal(psn_ovh_key_info(*state, &info, NULL), PSN_OK);
    assert_string_equal(fake.calls[0].path, "/auth/currentCredential");
    assert_int_equal(info.credential_id, 498601349);
    assert_int_equal(info.application_id, 105668);
    assert_string_equal(info.status, "validated");
    assert_int_equal(info.expires_s, 1585465659);
    assert_int_equal(info.last_use_s, 0);
    assert_int_equal(info.rule_count, 2);
    assert_string_equal(info.rules[0].path, "/*");
    assert_string_equal(info.rules[1].method, "POST");
}

static void a_key_of_a_wrong_kind_is_garbage(void **state)
{
    static struct psn_ovh_key_info info;
    char *many = repeat("{\"status\":\"validated\",\"credentialId\":1,\"rules\":[0",
                        ",{\"method\":\"GET\",\"path\":\"/\"}", 128, "]}");
    const char *bodies[] = {
        "{}",
        "{\"status\":\"validated\",\"credentialId\":1}",
        "{\"status\":\"validated\",\"credentialId\":\"1\",\"rules\":[]}",
        "{\"status\":\"validated\",\"credentialId\":1,\"rules\":{}}",
        "{\"status\":\"validated\",\"credentialId\":1,\"rules\":[1]}",
        "{\"status\":\"validated\",\"credentialId\":1,\"rules\":[{\"method\":\"GET\"}]}",
        "{\"status\":\"validated\",\"credentialId\":1,\"rules\":[{\"method\":"
        "\"LONGMETHOD\",\"path\":\"/\"}]}",
        "{\"status\":\"validated\",\"credentialId\":1,\"rules\":[],\"expiration\":"
        "\"soon\"}",
        many,
    };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        fake_http_answer(200, bodies[i]);
        assert_int_equal(psn_ovh_key_info(*state, &info, NULL), PSN_E_NETWORK);
    }
    assert_int_equal(info.credential_id, 0);
    free(many);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(signs_what_it_sends),
        TEST(asks_for_the_time_once),
        TEST(reads_name_every_error),
        TEST(changes_are_sent_once_whatever_the_error),
        TEST(an_error_names_the_missing_rule),
        TEST(ovh_words_are_escaped_and_cut),
        TEST(ovh_words_that_hold_the_secret_are_withheld),
        TEST(a_refused_time_is_read_again_once),
        TEST(a_time_refused_twice_is_an_error),
        TEST(a_refused_time_and_no_other_is_no_answer),
        TEST(without_a_time_nothing_is_sent),
        TEST(reads_are_repeated_with_growing_waits),
        TEST(reads_give_up_after_four_tries),
        TEST(a_certificate_is_not_tried_again),
        TEST(retry_after_is_honoured_up_to_a_minute),
        TEST(the_fate_of_a_change_is_kept),
        TEST(the_bucket_allows_a_burst_and_then_the_rate),
        TEST(a_clock_that_goes_back_only_waits),
        TEST(garbage_is_a_network_error_and_no_retry),
        TEST(bombs_are_refused_before_they_are_built),
        TEST(deep_and_long_json_within_bounds_is_read),
        TEST(a_change_answered_by_garbage_is_unknown),
        TEST(void_answers_are_done),
        TEST(paths_are_escaped),
        TEST(me_is_read),
        TEST(me_of_a_wrong_kind_is_garbage),
        TEST(the_rules_of_the_key_are_read),
        TEST(a_key_of_a_wrong_kind_is_garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
