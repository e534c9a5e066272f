#include "send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service.h"
#include "state.h"
#include "text.h"

static const char type_json[] = "application/json; charset=utf-8";
static const char type_html[] = "text/html; charset=utf-8";

static void set_answer(struct sim_call *call, json_t *answer)
{
    json_decref(call->answer);
    call->answer = answer;
}

/* The usual body of a status, where nothing else is asked for. */
static void answer_status(struct sim_call *call, int status)
{
    enum sim_family family = sim_service_family_of_path(call->path);
    bool second = family == SIM_ZIMBRA;
    bool newer = family != SIM_FAMILIES;

    switch (status) {
    case 401:
    case 403:
        if (second)
            sim_call_refuse(call, status, "Client::Forbidden",
                            "User not granted for this request");
        else
            sim_call_refuse_auth(call, status, "INVALID_CREDENTIAL",
                                 "This credential is not valid");
        break;
    case 400:
        sim_call_refuse(call, status, "Client::BadRequest", "%s",
                        call->plan.message[0] ? call->plan.message
                                              : "'password' is too short");
        break;
    case 404:
        sim_call_refuse(call, status, "Client::NotFound", "This service does not exist");
        break;
    case 409:
        if (newer)
            sim_call_refuse(call, status, "Client::Conflict",
                            "A task is already under way, please try later");
        else
            sim_call_refuse_plain(
                call, status,
                "This pop is already being processed: %.200s, please try later",
                call->path);
        break;
    case 429:
        sim_call_refuse_plain(call, status, "Too many requests");
        break;
    case 460:
        sim_call_refuse_plain(call, status, "This Service is expired");
        break;
    default:
        sim_call_refuse(call, status, "Server::InternalServerError",
                        "Internal server error");
        break;
    }
}

/* Numbers become texts, texts become numbers, and so on through the whole answer. */
static json_t *wrong_types(json_t *value)
{
    char text[32];
    const char *name = NULL;
    json_t *part = NULL;
    json_t *turned = NULL;
    size_t i = 0;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        turned = json_object();
        json_object_foreach(value, name, part)
            json_object_set_new(turned, name, wrong_types(part));
        return turned;
    case JSON_ARRAY:
        turned = json_object();
        json_array_foreach(value, i, part) {
            snprintf(text, sizeof text, "%zu", i);
            json_object_set_new(turned, text, wrong_types(part));
        }
        return turned;
    case JSON_INTEGER:
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
        return json_string(text);
    case JSON_STRING:
        return json_integer((json_int_t)json_string_length(value));
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE:
        return json_string("yes");
    case JSON_NULL:
        return json_array();
    }
    return json_null();
}

/* The same domain, another mailbox. */
static json_t *other_address(const char *address)
{
    const char *at = strrchr(address, '@');
    char text[320];

    snprintf(text, sizeof text, "quelquun-dautre%.280s", at ? at : "");
    return json_string(text);
}

/* A mailbox of the newer families, or a task: those do not name theirs, but their id is
 * the one of another mailbox's task. */
static void wrong_v1(json_t *answer)
{
    const json_t *address = json_object_get(answer, "primaryEmailAddress");
    const json_t *id = json_object_get(answer, "id");

    if (address) {
        json_object_set_new(answer, "primaryEmailAddress",
                            other_address(json_string_value(address)));
        json_object_set_new(answer, "login", json_string("quelquun-dautre"));
    }
    if (json_is_integer(id) && (address || json_object_get(answer, "function")))
        json_object_set_new(answer, "id", json_integer(json_integer_value(id) + 1000000));
}

/* Another mailbox stands wherever the answer names this one. */
static void wrong_mailbox(const struct sim_call *call, json_t *answer)
{
    static const char other[] = "quelquun-dautre";
    const char *domain = sim_call_text(call, "domain");
    char email[320];
    json_t *part = NULL;
    const char *member = NULL;
    size_t i = 0;

    json_array_foreach(answer, i, part) {
        if (json_is_object(part))
            wrong_mailbox(call, part);
        else if (json_is_string(part) && strchr(json_string_value(part), '@'))
            json_array_set_new(answer, i, other_address(json_string_value(part)));
    }
    if (!json_is_object(answer))
        return;
    json_object_foreach(answer, member, part)
        if (json_is_object(part))
            wrong_mailbox(call, part);
    wrong_v1(answer);
    if (json_object_get(answer, "name"))
        json_object_set_new(answer, "name", json_string(other));
    if (json_object_get(answer, "accountName"))
        json_object_set_new(answer, "accountName", json_string(other));
    if (json_object_get(answer, "email")) {
        const char *had = sim_state_text(answer, "email");
        snprintf(email, sizeof email, "%s@%.250s", other, domain ? domain : "invalid");
        json_object_set_new(answer, "email",
                            domain ? json_string(email) : other_address(had));
    }
}

void sim_send_plan(const struct sim *sim, struct sim_call *call)
{
    const struct sim_plan *plan = &call->plan;

    (void)sim;
    if (plan->status) {
        answer_status(call, plan->status);
        call->status = plan->status;
        if (plan->body)
            set_answer(call, json_incref(plan->body));
    }
    if (!call->answer)
        return;
    if (plan->mangle == SIM_MANGLE_WRONG_TYPES)
        set_answer(call, wrong_types(call->answer));
    else if (plan->mangle == SIM_MANGLE_WRONG_MAILBOX)
        wrong_mailbox(call, call->answer);
    else if (plan->mangle == SIM_MANGLE_BODY && plan->body)
        set_answer(call, json_incref(plan->body));
}

static char *html_page(int status)
{
    char page[256];

    snprintf(page, sizeof page,
             "<html><body><h1>%d %s</h1>\nYour request could not be served.\n"
             "</body></html>\n",
             status, sim_http_reason(status));
    return strdup(page);
}

static char *body_of(const struct sim_call *call, const char **ret_type)
{
    const struct sim_plan *plan = &call->plan;
    const char *raw = call->answer == plan->body ? json_string_value(plan->body) : NULL;
    bool page = plan->status && plan->html && !plan->body;

    *ret_type = type_json;
    if (page || plan->mangle == SIM_MANGLE_HTML) {
        *ret_type = type_html;
        return html_page(call->status);
    }
    if (plan->mangle == SIM_MANGLE_NOT_JSON)
        return strdup("{\"id\": 12, \"action\": changePassword");
    if (plan->mangle == SIM_MANGLE_NULL)
        return strdup("null");
    if (plan->mangle == SIM_MANGLE_EMPTY || (call->status >= 300 && call->status < 400))
        return strdup("");
    if (raw)
        return strdup(raw);
    return json_dumps(call->answer, JSON_COMPACT | JSON_ENCODE_ANY);
}

static void put_headers(const struct sim *sim, const struct sim_call *call, char *headers,
                        size_t size)
{
    const struct sim_plan *plan = &call->plan;
    const char *host = sim_http_header(call->request, "Host");
    unsigned number = (unsigned)sim->counters.requests;
    int at = snprintf(headers, size,
                      "X-OVH-QUERYID: FR.ws-3.%08x.%u.%04u\r\n"
                      "Access-Control-Allow-Origin: *\r\n",
                      number * 2654435761u, 26000 + number % 1000, number % 10000);

    if (call->cursor[0])
        at += snprintf(headers + at, size - (size_t)at,
                       "X-Pagination-Cursor-Next: %s\r\n", call->cursor);
    if (plan->retry_after[0])
        at += snprintf(headers + at, size - (size_t)at, "Retry-After: %s\r\n",
                       plan->retry_after);
    if (call->status >= 300 && call->status < 400 && plan->location[0])
        snprintf(headers + at, size - (size_t)at, "Location: %s\r\n", plan->location);
    else if (call->status >= 300 && call->status < 400)
        snprintf(headers + at, size - (size_t)at, "Location: https://%.200s/1.0/me\r\n",
                 host ? host : "");
}

struct sim_send sim_send_prepare(const struct sim *sim, const struct sim_call *call)
{
    struct sim_send send = { .chunked = sim->settings.chunked };

    send.body = body_of(call, &send.type);
    if (!send.body)
        send.body = strdup("null");
    send.body_size = send.body ? strlen(send.body) : 0;
    put_headers(sim, call, send.headers, sizeof send.headers);
    return send;
}

void sim_send_release(struct sim_send *send)
{
    free(send->body);
    send->body = NULL;
}

/* A well-formed JSON text of the wanted size that is never held in memory. */
static void write_huge(struct sim_conn *conn, const struct sim_http_answer *model,
                       json_int_t bytes)
{
    static const char first[] = "{\"id\": 1, \"filler\": \"";
    static const char last[] = "\"}";
    struct sim_http_answer answer = *model;
    char block[8192];
    size_t left = bytes > 64 ? (size_t)bytes - (sizeof first - 1) - (sizeof last - 1) : 0;

    answer.body = "";
    answer.body_size = 0;
    answer.chunked = false;
    answer.claimed_size = left + sizeof first - 1 + sizeof last - 1;
    memset(block, 'a', sizeof block);
    bool good = sim_http_write(conn, &answer) && sim_conn_text(conn, first);
    while (good && left > 0) {
        size_t part = left < sizeof block ? left : sizeof block;
        good = sim_conn_write(conn, block, part);
        left -= part;
    }
    if (good)
        sim_conn_text(conn, last);
}

static void write_garbage(struct sim_conn *conn)
{
    char noise[512];

    sim_text_key("garbage", 1, noise, sizeof noise);
    for (size_t i = 0; i < sizeof noise; i += 3)
        noise[i] = (char)(noise[i] ^ 0x95);
    sim_conn_write(conn, noise, sizeof noise);
}

bool sim_send(struct sim_conn *conn, const struct sim_call *call,
              const struct sim_send *send)
{
    struct sim_http_answer answer = {
        .status = call->status,
        .type = send->type,
        .headers = send->headers,
        .body = send->body,
        .body_size = send->body_size,
        .chunked = send->chunked,
        .keep_alive = call->request->keep_alive,
    };

    sim_text_sleep_ms(call->plan.after_ms);
    switch (call->plan.ending) {
    case SIM_ENDING_ANSWER:
        return sim_http_write(conn, &answer) && answer.keep_alive;
    case SIM_ENDING_CLOSE:
        break;
    case SIM_ENDING_RESET:
        sim_conn_reset(conn);
        break;
    case SIM_ENDING_STALL:
        sim_conn_stall(conn, call->plan.stall_ms);
        break;
    case SIM_ENDING_TRUNCATED:
        answer.chunked = false;
        answer.claimed_size = answer.body_size;
        answer.body_size /= 2;
        sim_http_write(conn, &answer);
        break;
    case SIM_ENDING_PARTIAL_HEADERS:
        sim_conn_text(conn,
                      "HTTP/1.1 200 OK\r\nDate: Mon, 01 Jun 2026 08:00:00 GMT\r\nConte");
        break;
    case SIM_ENDING_GARBAGE:
        write_garbage(conn);
        break;
    case SIM_ENDING_HUGE:
        write_huge(conn, &answer, call->plan.bytes);
        break;
    }
    return false;
}
