#include "api.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "auth.h"
#include "call.h"
#include "fault.h"
#include "http.h"
#include "migrate.h"
#include "page.h"
#include "route.h"
#include "send.h"
#include "service.h"
#include "state.h"
#include "text.h"

enum {
    LOG_MAX = 200000, /* older entries go, half of them at a time */
    LINGER_MS = 2000, /* for the peer to read that its request is no HTTP */
};

/* "/1.0/email/domain" gives "/email/domain", and what begins with /v2 stays; NULL for any
 * other root. */
static const char *behind_root(const char *path)
{
    static const char *const roots[] = { "/1.0", "/v1" };

    if (strncmp(path, "/v2/", 4) == 0)
        return path;
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        size_t length = strlen(roots[i]);
        if (strncmp(path, roots[i], length) == 0 &&
            (path[length] == '/' || path[length] == '\0'))
            return path + length;
    }
    return NULL;
}

/* Names are stored, and found, in lower case. */
static void lower_names(struct sim_call *call)
{
    static const char *const names[] = {
        "domain", "accountName", "serviceName", "email",     "primaryEmailAddress",
        "alias",  "domainName",  "login",       "accountId", "platformId"
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = sim_call_text(call, names[i]);
        char *lower = text ? strdup(text) : NULL;

        if (!lower)
            continue;
        sim_text_lower(lower);
        /* "%" filters of the account list keep their meaning in lower case. */
        json_object_set_new(call->args, names[i], json_string(lower));
        free(lower);
    }
}

/* The service and the mailbox that the path names. False: call has its answer. */
static bool find_objects(const struct sim *sim, struct sim_call *call)
{
    if (!sim_route_has(call->route, "domain"))
        return sim_service_find(sim, call);
    json_t *domain = sim_state_domain(sim, sim_call_text(call, "domain"));
    if (!domain || !sim_state_flag(domain, "_mail") ||
        strcmp(sim_state_text(domain, "_nic"),
               sim_state_text(call->credential, "_nic")) != 0) {
        sim_call_refuse(call, 404, "Client::NotFound", "This service does not exist");
        return false;
    }
    call->domain = domain;
    if (sim_state_flag(domain, "_expired")) {
        sim_call_refuse_plain(call, 460, "This Service is expired");
        return false;
    }
    if (sim_state_flag(domain, "_suspended") &&
        strcmp(call->request->method, "GET") != 0) {
        sim_call_refuse_auth(call, 403, "FORBIDDEN", "This service is suspended");
        return false;
    }
    if (!sim_route_has(call->route, "accountName"))
        return true;
    const char *name = sim_call_text(call, "accountName");
    call->account = sim_state_account(sim, sim_call_text(call, "domain"), name);
    if (!call->account)
        sim_call_absent(sim, call, "accountName", name);
    return call->account != NULL;
}

static bool may_call(struct sim *sim, struct sim_call *call, const char *peer)
{
    switch (call->route->access) {
    case SIM_OPEN:
        return true;
    case SIM_APPLICATION:
        return sim_auth_application(sim, call);
    case SIM_SIGNED:
        return sim_auth_check(sim, call, peer);
    }
    return false;
}

/* Carries a call out. */
static void dispatch(struct sim *sim, struct sim_call *call, const char *raw_path,
                     const char *peer)
{
    char why[160];

    call->route = sim_route_find(call->request->method, raw_path);
    if (!call->route) {
        sim_call_refuse_plain(call, 404, "Got an invalid (or empty) URL");
        return;
    }
    if (!may_call(sim, call, peer)) {
        sim->counters.refused_auth++;
        return;
    }
    if (!sim_route_read_params(call, raw_path))
        return;
    lower_names(call);
    if (find_objects(sim, call))
        call->route->handler(sim, call);
    if (call->plan.revoke_after && call->credential)
        json_object_set_new(call->credential, "_revoked", json_true());
    if (call->plan.migrate_after)
        json_decref(sim_migrate(sim, call->plan.migrate_after, why, sizeof why));
}

static void log_call(struct sim *sim, const struct sim_call *call, int64_t began_ms)
{
    if (json_array_size(sim->log) >= LOG_MAX) {
        json_t *rest = json_array();
        for (size_t i = LOG_MAX / 2; i < LOG_MAX; i++)
            json_array_append(rest, json_array_get(sim->log, i));
        json_decref(sim->log);
        sim->log = rest;
    }
    bool answered = call->plan.ending == SIM_ENDING_ANSWER;
    json_t *entry = json_pack(
        "{s:I,s:I,s:i,s:b,s:b,s:s?,s:O?}", "n", sim->counters.requests, "at_ms",
        (json_int_t)began_ms, "status", call->status, "answered", answered, "effect",
        call->effect, "fault", call->plan.names[0] ? call->plan.names : NULL,
        "credential",
        call->credential ? json_object_get(call->credential, "credentialId") : NULL);

    json_object_set_new(entry, "body_size",
                        json_integer((json_int_t)call->request->body_size));
    /* A text that is not UTF-8 stays out. */
    json_object_set_new(entry, "target", json_string(call->request->target));
    json_object_set_new(entry, "method", json_string(call->request->method));
    json_object_set_new(entry, "path", json_string(call->path));
    json_object_set_new(entry, "query", json_string(call->request->query));
    json_array_append_new(sim->log, entry);
}

/* Holds the lock but for the waits. */
static void carry_out(struct sim *sim, struct sim_call *call, const char *raw_path,
                      const char *peer)
{
    const char *consumer = sim_http_header(call->request, "X-Ovh-Consumer");
    const struct sim_call_target target = {
        .method = call->request->method,
        .path = call->path,
        .credential = consumer ? sim_auth_find_key(sim, consumer) : NULL,
    };
    int64_t began_ms = sim_text_wall_ms();

    sim->counters.requests++;
    sim_fault_plan(sim, &target, &call->plan);
    json_int_t wait_ms = call->plan.before_ms + sim->settings.latency_ms;
    if (wait_ms > 0) {
        pthread_mutex_unlock(&sim->lock);
        sim_text_sleep_ms(wait_ms);
        pthread_mutex_lock(&sim->lock);
    }
    if (!call->plan.skip)
        dispatch(sim, call, raw_path, peer);
    sim_send_plan(sim, call);
    log_call(sim, call, began_ms);
}

/* Answers one request; false ends the connection. */
static bool serve_request(struct sim *sim, struct sim_conn *conn,
                          const struct sim_http_request *request, const char *peer)
{
    const char *raw_path = behind_root(request->path);
    char *path = strdup(raw_path ? raw_path : request->path);
    struct sim_call call = { .request = request, .path = path };

    if (!path)
        return false;
    if (!raw_path && strncmp(path, "/auth/", 6) == 0) {
        bool alive = sim_page_serve(sim, conn, request);
        free(path);
        return alive;
    }
    if (!sim_text_unescape(path, false))
        path[0] = '\0';
    call.args = json_object();
    pthread_mutex_lock(&sim->lock);
    carry_out(sim, &call, raw_path ? raw_path : "", peer);
    struct sim_send send = sim_send_prepare(sim, &call);
    pthread_mutex_unlock(&sim->lock);

    bool alive = sim_send(conn, &call, &send);
    sim_send_release(&send);
    pthread_mutex_lock(&sim->lock); /* parts of these may be parts of the state, too */
    sim_fault_release(&call.plan);
    json_decref(call.answer);
    json_decref(call.args);
    pthread_mutex_unlock(&sim->lock);
    free(path);
    return alive;
}

void sim_api_serve(struct sim *sim, struct sim_conn *conn, void *arg)
{
    struct sim_http_request request;
    struct sockaddr_in name = { 0 };
    socklen_t size = sizeof name;
    char peer[INET_ADDRSTRLEN] = "";
    bool alive = true;

    (void)arg;
    if (getpeername(conn->fd, (struct sockaddr *)&name, &size) == 0)
        inet_ntop(AF_INET, &name.sin_addr, peer, sizeof peer);
    while (alive) {
        int status = 400;
        enum sim_http_result result = sim_http_read(conn, &request, &status);

        if (result == SIM_HTTP_BAD) {
            const struct sim_http_answer answer = { .status = status };
            sim_http_write(conn, &answer);
            sim_conn_linger(conn, LINGER_MS);
        }
        alive = result == SIM_HTTP_OK && serve_request(sim, conn, &request, peer);
        sim_http_release(&request);
    }
}
