#include "support/fake_account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

struct fake_account account;

static const char *const members[] = { "contactAdmin", "contactTech", "contactBilling" };

void fake_account_reset(void)
{
    memset(&account, 0, sizeof account);
    account.nic = "xm000000-ovh";
    account.now_s = 1700000000;
    account.clock_ms = 1000000;
}

static int64_t now_s(void)
{
    return account.now_s;
}

static int64_t boot_ms(void)
{
    return account.clock_ms;
}

static void sleep_ms(int64_t duration_ms)
{
    account.clock_ms += duration_ms;
}

/* --- answers --- */

struct reply {
    long status;
    struct psn_buf *body;
};

static void answer(struct reply *reply, const char *format, ...) PSN_PRINTF(2, 3);
static void answer(struct reply *reply, const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    psn_buf_reset(reply->body);
    psn_buf_text(reply->body, text);
    reply->status = 200;
}

static void refuse(struct reply *reply, long status, const char *code)
{
    answer(reply,
           strstr(code, "::") ? "{\"class\":\"%s\",\"message\":\"no\"}"
                              : "{\"errorCode\":\"%s\",\"message\":\"no\"}",
           code);
    reply->status = status;
}

static void absent(struct reply *reply)
{
    refuse(reply, 404, "Client::NotFound");
}

static bool is(const char *text, const char *prefix, const char **ret_rest)
{
    size_t length = strlen(prefix);

    *ret_rest = text + length;
    return strncmp(text, prefix, length) == 0;
}

static void done(struct reply *reply)
{
    account.changes++;
    answer(reply, "null");
}

/* --- who asks --- */

static int application_of(const char *key)
{
    for (size_t i = 0; i < FAKE_OWN_MAX; i++)
        if (account.applications[i].key && strcmp(account.applications[i].key, key) == 0)
            return (int)i;
    return -1;
}

static int application_at(int id)
{
    for (size_t i = 0; i < FAKE_OWN_MAX; i++)
        if (account.applications[i].key && account.applications[i].id == id)
            return (int)i;
    return -1;
}

static const char *header(const struct psn_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return psn_buf_str(&request->headers[i].value);
    return "";
}

static struct fake_key *find_key(const char *consumer_key)
{
    for (size_t i = 0; i < FAKE_OWN_MAX; i++)
        if (account.keys[i].consumer_key &&
            strcmp(account.keys[i].consumer_key, consumer_key) == 0)
            return &account.keys[i];
    return NULL;
}

/* NULL: reply says why not. */
static struct fake_key *sign_in(const struct psn_http_request *request, const char *path,
                                struct reply *reply)
{
    int application = application_of(header(request, "X-Ovh-Application"));
    struct fake_key *key = find_key(header(request, "X-Ovh-Consumer"));
    bool is_read = strcmp(request->method, "GET") == 0;

    if (application < 0 || account.applications[application].gone)
        refuse(reply, 403, "INVALID_KEY");
    else if (!key)
        refuse(reply, 403, "NOT_CREDENTIAL");
    else if (key->gone || strcmp(key->status, "validated") != 0)
        refuse(reply, 403, "INVALID_CREDENTIAL");
    else if (key->id == account.barred ||
             (key->reads_only && !is_read &&
              !(key->may_log_out && strcmp(path, "/auth/logout") == 0)))
        refuse(reply, 403, "NOT_GRANTED_CALL");
    else
        return key;
    return NULL;
}

/* --- our own access --- */

static void show_current(const struct fake_key *key, struct reply *reply)
{
    answer(reply,
           "{\"credentialId\":%d,\"applicationId\":%d,\"status\":\"%s\",\"expiration\":"
           "null,\"lastUse\":null,\"rules\":[{\"method\":\"GET\",\"path\":\"/*\"}%s%s]}",
           key->id, key->application, key->status,
           key->reads_only ? ""
                           : ",{\"method\":\"POST\",\"path\":\"/*\"},{\"method\":"
                             "\"DELETE\",\"path\":\"/*\"}",
           key->may_log_out ? ",{\"method\":\"POST\",\"path\":\"/auth/logout\"}" : "");
}

static void list_own(bool keys, struct reply *reply)
{
    char text[512] = "[";

    for (size_t i = 0; i < FAKE_OWN_MAX; i++) {
        bool there = keys
                         ? account.keys[i].consumer_key && !account.keys[i].gone
                         : account.applications[i].key && !account.applications[i].gone &&
                               !account.applications[i].elsewhere;
        size_t used = strlen(text);

        if (there)
            (void)snprintf(text + used, sizeof text - used, "%s%d", used > 1 ? "," : "",
                           keys ? account.keys[i].id : account.applications[i].id);
    }
    answer(reply, "%s]", text);
}

static void show_application(int at, struct reply *reply)
{
    if (at < 0 || account.applications[at].gone)
        absent(reply);
    else
        answer(reply, "{\"applicationId\":%d,\"applicationKey\":\"%s\",\"name\":\"n\"}",
               account.applications[at].id, account.applications[at].key);
}

static void on_key(const char *method, const char *rest, struct reply *reply)
{
    struct fake_key *key = NULL;
    char *end = NULL;
    long id = strtol(rest, &end, 10);

    for (size_t i = 0; i < FAKE_OWN_MAX; i++)
        if (account.keys[i].id == id && !account.keys[i].gone)
            key = &account.keys[i];
    if (!key) {
        absent(reply);
    } else if (strcmp(end, "/application") == 0) {
        show_application(application_at(key->application), reply);
    } else if (strcmp(method, "DELETE") == 0) {
        key->gone = true;
        done(reply);
    } else {
        answer(reply, "{\"credentialId\":%d,\"applicationId\":%d,\"status\":\"%s\"}",
               key->id, key->application, key->status);
    }
}

static void on_application(const char *method, const char *rest, struct reply *reply)
{
    int at = application_at((int)strtol(rest, NULL, 10));

    if (at < 0 || account.applications[at].elsewhere) {
        absent(reply);
        return;
    }
    if (strcmp(method, "GET") == 0 || account.applications[at].gone) {
        show_application(at, reply);
        return;
    }
    account.applications[at].gone = true;
    for (size_t i = 0; i < FAKE_OWN_MAX; i++)
        if (account.keys[i].application == account.applications[at].id)
            account.keys[i].gone = true;
    done(reply);
}

static void on_client(const char *method, const char *rest, struct reply *reply)
{
    bool there =
        account.client_id && !account.client_gone && strcmp(rest, account.client_id) == 0;

    if (!there) {
        absent(reply);
    } else if (strcmp(method, "DELETE") == 0) {
        account.client_gone = true;
        done(reply);
    } else {
        answer(reply, "{\"clientId\":\"%s\",\"name\":\"agency\"}", rest);
    }
}

static void list_policies(struct reply *reply)
{
    char text[2048] = "[";

    for (size_t i = 0; i < FAKE_OWN_MAX; i++) {
        size_t used = strlen(text);

        if (account.policies[i].id && !account.policies[i].gone)
            (void)snprintf(text + used, sizeof text - used,
                           "%s{\"id\":\"%s\",\"name\":\"p\",\"readOnly\":false,"
                           "\"identities\":%s}",
                           used > 1 ? "," : "", account.policies[i].id,
                           account.policies[i].identities);
    }
    answer(reply, "%s]", text);
}

static void on_policy(const char *method, const char *rest, struct reply *reply)
{
    for (size_t i = 0; i < FAKE_OWN_MAX; i++) {
        if (!account.policies[i].id || account.policies[i].gone ||
            strcmp(account.policies[i].id, rest) != 0)
            continue;
        if (strcmp(method, "DELETE") == 0) {
            account.policies[i].gone = true;
            done(reply);
        } else {
            answer(reply, "{\"id\":\"%s\"}", rest);
        }
        return;
    }
    absent(reply);
}

static bool on_own(const char *method, const char *path, struct fake_key *key,
                   struct reply *reply)
{
    const char *rest;

    if (strcmp(path, "/auth/currentCredential") == 0)
        show_current(key, reply);
    else if (strcmp(path, "/auth/logout") == 0) {
        key->gone = true;
        done(reply);
    } else if (strcmp(path, "/me/api/credential") == 0)
        list_own(true, reply);
    else if (strcmp(path, "/me/api/application") == 0)
        list_own(false, reply);
    else if (strcmp(path, "/me/api/oauth2/client") == 0)
        answer(reply, account.client_id && !account.client_gone ? "[\"%s\"]" : "[]",
               account.client_id);
    else if (strcmp(path, "/v2/iam/policy") == 0)
        list_policies(reply);
    else if (is(path, "/me/api/credential/", &rest))
        on_key(method, rest, reply);
    else if (is(path, "/me/api/application/", &rest))
        on_application(method, rest, reply);
    else if (is(path, "/me/api/oauth2/client/", &rest))
        on_client(method, rest, reply);
    else if (is(path, "/v2/iam/policy/", &rest))
        on_policy(method, rest, reply);
    else
        return false;
    return true;
}

/* --- contacts --- */

static bool is_open(const struct fake_task *task)
{
    return strcmp(task->state, "todo") == 0 ||
           strcmp(task->state, "checkValidity") == 0 ||
           strcmp(task->state, "validatingByCustomers") == 0 ||
           strcmp(task->state, "doing") == 0;
}

/* The member of a flat JSON object, or "". */
static void read_member(const char *body, const char *name, char *out, size_t size)
{
    char mark[64];
    const char *at;

    (void)snprintf(mark, sizeof mark, "\"%s\":\"", name);
    at = strstr(body, mark);
    out[0] = '\0';
    if (at)
        (void)snprintf(out, size, "%.*s", (int)strcspn(at + strlen(mark), "\""),
                       at + strlen(mark));
}

static void add_task(const struct fake_service *service, unsigned role, const char *to,
                     char *ids, size_t size)
{
    const char *from = service->contacts[role];
    struct fake_task *task = &account.tasks[account.task_count];
    size_t used = strlen(ids);

    for (size_t i = 0; i < account.task_count; i++)
        if (is_open(&account.tasks[i]) && account.tasks[i].service == service->path &&
            strcmp(account.tasks[i].from, from) == 0 &&
            strcmp(account.tasks[i].to, to) == 0) {
            account.tasks[i].roles |= 1u << role;
            return;
        }
    assert_true(account.task_count < FAKE_TASKS_MAX);
    *task = (struct fake_task){ .id = 4711 + (int)account.task_count,
                                .service = service->path,
                                .name = service->name,
                                .roles = 1u << role };
    task->state = account.is_slow ? "checkValidity" : "validatingByCustomers";
    (void)snprintf(task->from, sizeof task->from, "%s", from);
    (void)snprintf(task->to, sizeof task->to, "%.31s", to);
    (void)snprintf(ids + used, size - used, "%s%d", used > 1 ? "," : "", task->id);
    account.task_count++;
}

static void change(const struct fake_service *service, const char *body,
                   struct reply *reply)
{
    char to[3][FAKE_NIC_MAX];
    char ids[128] = "[";
    bool is_admin = strcasecmp(service->contacts[0], account.nic) == 0;

    for (size_t i = 0; i < account.task_count; i++)
        if (is_open(&account.tasks[i]) && account.tasks[i].service == service->path) {
            refuse(reply, 409, "Client::Conflict");
            return;
        }
    for (size_t i = 0; i < 3; i++) {
        read_member(body, members[i], to[i], sizeof to[i]);
        if (account.stranger && strcmp(to[i], account.stranger) == 0) {
            refuse(reply, 400, "Client::BadRequest");
            return;
        }
        if (to[i][0] && !is_admin && strcasecmp(service->contacts[i], account.nic) != 0) {
            refuse(reply, 403, "Client::Forbidden");
            return;
        }
    }
    for (unsigned i = 0; i < 3; i++)
        if (to[i][0] && strcasecmp(to[i], service->contacts[i]) != 0)
            add_task(service, i, to[i], ids, sizeof ids);
    for (size_t i = 0; account.debtor && i < account.task_count; i++)
        if (strcmp(account.tasks[i].to, account.debtor) == 0)
            account.tasks[i].state = "refused";
    done(reply);
    answer(reply, "%s]", ids);
}

static bool on_service(const struct psn_http_request *request, const char *path,
                       const char *body, struct reply *reply)
{
    const char *rest;

    if (strcmp(path, "/hosting/web") == 0) {
        answer(reply, "[\"acme.cluster\"]");
        return true;
    }
    if (strcmp(path, "/email/pro") == 0) {
        answer(reply, "[]");
        return true;
    }
    for (size_t i = 0; i < FAKE_OWN_MAX; i++) {
        struct fake_service *service = &account.services[i];

        if (!service->path || !is(path, service->path, &rest) || *rest != '/')
            continue;
        if (strcmp(rest, "/serviceInfos") == 0)
            answer(reply,
                   "{\"contactAdmin\":\"%s\",\"contactTech\":\"%s\",\"contactBilling\":"
                   "\"%s\",\"expiration\":\"2027-03-11\",\"status\":\"ok\",\"renew\":{"
                   "\"automatic\":true}}",
                   service->contacts[0], service->contacts[1], service->contacts[2]);
        else if (strcmp(request->method, "POST") == 0)
            change(service, body, reply);
        else
            absent(reply);
        return true;
    }
    absent(reply);
    return strstr(path, "/serviceInfos") != NULL;
}

static void list_tasks(const char *path, struct reply *reply)
{
    const char *state = strchr(path, '=');
    char text[256] = "[";

    for (size_t i = 0; i < account.task_count; i++) {
        size_t used = strlen(text);

        if (!account.tasks[i].forgotten &&
            (!state || strcmp(account.tasks[i].state, state + 1) == 0))
            (void)snprintf(text + used, sizeof text - used, "%s%d", used > 1 ? "," : "",
                           account.tasks[i].id);
    }
    answer(reply, "%s]", text);
}

static void show_task(const struct fake_task *task, struct reply *reply)
{
    char types[128] = "";
    char asked[PSN_TIME_SIZE];

    for (unsigned i = 0; i < 3; i++) {
        size_t used = strlen(types);

        if (task->roles & 1u << i)
            (void)snprintf(types + used, sizeof types - used, "%s\"%s\"", used ? "," : "",
                           members[i]);
    }
    answer(
        reply,
        "{\"id\":%d,\"contactTypes\":[%s],\"fromAccount\":\"%s\",\"toAccount\":\"%s\","
        "\"serviceDomain\":\"%s\",\"state\":\"%s\",\"dateRequest\":\"%s\",\"dateDone\":"
        "null,\"askingAccount\":\"%s\"}",
        task->id, types, task->from, task->to, task->name, task->state,
        psn_clock_format(1700000000, asked), account.nic);
}

void fake_account_token(int id, bool enters, char *out, size_t size)
{
    (void)snprintf(out, size, "%s-%d", enters ? "enter" : "leave", id);
}

static void carry_out(struct fake_task *task)
{
    for (size_t i = 0; i < FAKE_OWN_MAX; i++)
        for (unsigned role = 0; role < 3; role++)
            if (account.services[i].path == task->service && (task->roles & 1u << role))
                (void)snprintf(account.services[i].contacts[role], FAKE_NIC_MAX, "%s",
                               task->to);
    task->state = "done";
}

static void answer_task(struct fake_task *task, bool accept, const char *body,
                        struct reply *reply)
{
    bool enters = strcasecmp(task->to, account.nic) == 0;
    char token[64];
    char given[64];

    fake_account_token(task->id, enters, token, sizeof token);
    read_member(body, "token", given, sizeof given);
    if (strcmp(task->state, "validatingByCustomers") != 0) {
        refuse(reply, 403, "Client::Forbidden");
    } else if (strcmp(token, given) != 0) {
        refuse(reply, 400, "Client::BadRequest");
    } else {
        task->accepted[enters] = accept;
        if (!accept)
            task->state = "refused";
        else if (task->accepted[0] && task->accepted[1])
            carry_out(task);
        done(reply);
    }
}

static bool on_task(const char *method, const char *path, const char *body,
                    struct reply *reply)
{
    const char *rest;
    char *end = NULL;
    long id;

    if (!is(path, "/me/task/contactChange", &rest))
        return false;
    if (*rest != '/') {
        list_tasks(path, reply);
        return true;
    }
    id = strtol(rest + 1, &end, 10);
    absent(reply);
    for (size_t i = 0; i < account.task_count; i++) {
        struct fake_task *task = &account.tasks[i];

        if (task->id != id || task->forgotten)
            continue;
        if (strcmp(method, "GET") == 0)
            show_task(task, reply);
        else if (strcmp(end, "/resendEmail") == 0)
            done(reply);
        else
            answer_task(task, strcmp(end, "/accept") == 0, body, reply);
    }
    return true;
}

/* --- the port --- */

static const char *path_of(const struct psn_http_request *request)
{
    const char *path = strstr(request->url, "/v2/");

    if (path)
        return path;
    path = strstr(request->url, "/1.0/");
    assert_non_null(path);
    return path + strlen("/1.0");
}

static void serve(const struct psn_http_request *request, struct reply *reply)
{
    const char *path = path_of(request);
    struct fake_key *key = sign_in(request, path, reply);
    char *body = account.last_body;

    if (request->body_size)
        (void)snprintf(body, sizeof account.last_body, "%.*s", (int)request->body_size,
                       (const char *)request->body);
    if (key && !on_own(request->method, path, key, reply) &&
        !on_task(request->method, path, body, reply) &&
        !on_service(request, path, body, reply))
        absent(reply);
}

static enum psn_code perform(void *self, const struct psn_http_request *request,
                             struct psn_http_response *response, struct psn_error *err)
{
    struct reply reply = { 200, &response->body };
    bool is_lost;

    (void)self;
    psn_buf_reset(&response->body);
    response->retry_after_s = -1;
    response->fate = PSN_HTTP_ANSWERED;
    if (strcmp(path_of(request), "/auth/time") == 0) {
        answer(&reply, "%lld", (long long)account.now_s);
        response->status = 200;
        return PSN_OK;
    }
    account.requests++;
    is_lost =
        account.lost && (account.requests == account.lost ||
                         (account.loss == FAKE_DEAD && account.requests > account.lost));
    if (!is_lost || account.loss == FAKE_LOST_AFTER)
        serve(request, &reply);
    response->status = reply.status;
    if (!is_lost)
        return PSN_OK;
    psn_buf_reset(&response->body);
    response->status = 0;
    response->fate = PSN_HTTP_UNKNOWN;
    return psn_fail(err, PSN_E_NETWORK, "the network fails");
}

void fake_account_join(struct psn_vault *vault)
{
    const struct psn_world world = { .http = { .perform = perform, .self = NULL },
                                     .imap = vault->world.imap,
                                     .now_s = now_s,
                                     .boot_ms = boot_ms,
                                     .sleep_ms = sleep_ms };

    psn_vault_set_world(vault, &world);
}
