#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "contact.h"
#include "dovecot.h"
#include "fault.h"
#include "http.h"
#include "migrate.h"
#include "oauth.h"
#include "seed.h"
#include "service.h"
#include "settings.h"
#include "state.h"
#include "task.h"
#include "text.h"

struct order {
    struct sim *sim;
    json_t *body;      /* never NULL; {} without a body */
    const char *query; /* "" without one */
    char why[256];     /* set: the order is refused */
};

/* Carries an order out under the lock and returns the answer; NULL with order->why. */
typedef json_t *handler(struct order *order);

static json_t *done(void)
{
    return json_pack("{s:b}", "done", 1);
}

static json_t *refuse(struct order *order, const char *why)
{
    snprintf(order->why, sizeof order->why, "%s", why);
    return NULL;
}

static json_t *seed(struct order *order, const json_t *what)
{
    if (!sim_seed(order->sim, what, order->why, sizeof order->why))
        return NULL;
    return json_deep_copy(order->sim->seeded);
}

static json_t *do_reset(struct order *order)
{
    sim_state_clear(order->sim);
    if (sim_state_flag(order->body, "empty"))
        return json_object();
    json_t *what = sim_seed_default(order->sim, order->why, sizeof order->why);
    json_t *answer = what ? seed(order, what) : NULL;
    json_decref(what);
    return answer;
}

static json_t *do_seed(struct order *order)
{
    return seed(order, order->body);
}

static json_t *describe_account(const struct sim *sim, json_t *account)
{
    const json_t *service = sim_service_of(sim, account);
    const char *first = sim_state_password(account, 0);
    const char *second = sim_state_password(account, 1);
    bool blocked =
        sim_state_flag(account, "isBlocked") || sim_state_flag(account, "_blocked");
    json_t *entry =
        json_pack("{s:s,s:s?,s:[s?,s?],s:O,s:O,s:b,s:s}", "address",
                  sim_state_address(account), "password", first, "fronts", first, second,
                  "history", json_object_get(account, "_history"), "created",
                  json_object_get(account, "_created"), "blocked", blocked, "family",
                  service ? sim_state_text(service, "_family") : "domain");

    if (service) {
        json_object_set(entry, "service", json_object_get(service, "_name"));
        json_object_set(entry, "id", json_object_get(account, "id"));
        json_object_set_new(entry, "mailbox", sim_state_public(account));
    }
    return entry;
}

static json_t *describe_accounts(const struct sim *sim)
{
    json_t *list = json_array();
    const char *name = NULL;
    const char *local = NULL;
    json_t *domain = NULL;
    json_t *account = NULL;

    json_object_foreach(json_object_get(sim->root, "domains"), name, domain)
        json_object_foreach(json_object_get(domain, "accounts"), local, account)
            json_array_append_new(list, describe_account(sim, account));
    json_object_foreach(json_object_get(sim->root, "mailboxes"), local, account)
        json_array_append_new(list, describe_account(sim, account));
    return list;
}

/* Who and what else reaches the mail or acts for the accounts. */
static void describe_accesses(const struct sim *sim, json_t *state)
{
    static const char *const kinds[] = { "users", "sub_accounts", "policies", "hosting",
                                         "contact_changes" };
    static const char *const parts[] = { "redirections", "responders", "acl",
                                         "lists",        "infos",      "registered_infos",
                                         "zone_infos",   "records" };
    json_t *domains = json_object();
    const char *name = NULL;
    json_t *domain = NULL;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        json_object_set(state, kinds[i], json_object_get(sim->root, kinds[i]));
    json_object_foreach(json_object_get(sim->root, "domains"), name, domain) {
        json_t *shown = json_object();

        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            json_object_set(shown, parts[i], json_object_get(domain, parts[i]));
        json_object_set_new(domains, name, shown);
    }
    json_object_set_new(state, "domains", domains);
}

static json_t *do_state(struct order *order)
{
    struct sim *sim = order->sim;
    const struct sim_counters *counters = &sim->counters;

    if (strncmp(order->query, "address=", 8) == 0) {
        json_t *account = sim_state_mailbox(sim, order->query + 8);
        return account ? describe_account(sim, account)
                       : refuse(order, "no such mailbox");
    }
    json_t *state =
        json_pack("{s:o,s:I,s:o,s:o,s:O,s:O,s:{s:I,s:I,s:I,s:I,s:I}}", "settings",
                  sim_settings_dump(sim), "now_s", (json_int_t)sim_state_now_s(sim),
                  "mailboxes", describe_accounts(sim), "tasks", sim_task_dump(sim),
                  "applications", json_object_get(sim->root, "applications"),
                  "credentials", json_object_get(sim->root, "credentials"), "counters",
                  "requests", counters->requests, "refused_auth", counters->refused_auth,
                  "logins_accepted", counters->logins_accepted, "logins_refused",
                  counters->logins_refused, "logins_other", counters->logins_other);
    describe_accesses(sim, state);
    return state;
}

static json_t *do_log(struct order *order)
{
    json_t *entry = NULL;
    json_t *list = json_array();
    int64_t since = 0;
    size_t i = 0;

    if (strncmp(order->query, "since=", 6) == 0 &&
        !sim_text_parse_long(order->query + 6, &since)) {
        json_decref(list);
        return refuse(order, "'since' is no number");
    }
    json_array_foreach(order->sim->log, i, entry)
        if (json_integer_value(json_object_get(entry, "n")) > since)
            json_array_append_new(list, json_incref(entry));
    return json_pack("{s:o}", "log", list);
}

static json_t *do_forget_log(struct order *order)
{
    json_array_clear(order->sim->log);
    return done();
}

static json_t *do_add_faults(struct order *order)
{
    json_t *rules = json_is_array(order->body) ? json_deep_copy(order->body)
                                               : json_pack("[O]", order->body);
    bool good = sim_fault_add(order->sim, rules, order->why, sizeof order->why);

    json_decref(rules);
    return good ? done() : NULL;
}

static json_t *do_faults(struct order *order)
{
    return json_pack("{s:o}", "faults", sim_fault_dump(order->sim));
}

static json_t *do_forget_faults(struct order *order)
{
    sim_fault_clear(order->sim);
    return done();
}

/* {"domain": "x.fr", "expired": true, "suspended": true, "status": "close"} */
static bool set_domain(const struct sim *sim, const json_t *change)
{
    json_t *domain = sim_state_domain(sim, sim_state_text(change, "domain"));
    json_t *value = NULL;

    if (!domain)
        return false;
    value = json_object_get(change, "expired");
    if (value)
        json_object_set(domain, "_expired", value);
    value = json_object_get(change, "suspended");
    if (value)
        json_object_set(domain, "_suspended", value);
    value = json_object_get(change, "status");
    if (value)
        json_object_set(json_object_get(domain, "service"), "status", value);
    value = json_object_get(change, "accounts_max");
    if (value)
        json_object_set(json_object_get(domain, "quota"), "account", value);
    return true;
}

/* {"consumer_key": "…", "status": "expired", "revoked": true, "rules": […]} */
static bool set_credential(const struct sim *sim, const json_t *change)
{
    json_t *credential = sim_auth_find_key(sim, sim_state_text(change, "consumer_key"));
    json_t *value = NULL;

    if (!credential)
        return false;
    value = json_object_get(change, "status");
    if (value)
        json_object_set(credential, "status", value);
    value = json_object_get(change, "revoked");
    if (value)
        json_object_set(credential, "_revoked", value);
    value = json_object_get(change, "rules");
    if (value)
        json_object_set_new(credential, "rules", json_deep_copy(value));
    value = json_object_get(change, "rate_per_min");
    if (value)
        json_object_set(credential, "_rate_per_min", value);
    value = json_object_get(change, "rate_burst");
    if (value)
        json_object_set(credential, "_rate_burst", value);
    value = json_object_get(change, "allowed_ips");
    if (value)
        json_object_set_new(credential, "allowedIPs", json_deep_copy(value));
    return true;
}

/* {"family": "pro", "service": "…", "expired": true, "suspended": true, "state": "…",
 *  "hostname": "…", "policy": {"minPasswordAge": 1, …}, "accounts_max": 5} */
static bool set_service(const struct sim *sim, json_t *change)
{
    enum sim_family family = sim_service_family(sim_state_text(change, "family"));
    json_t *policy = json_object_get(change, "policy");

    if (family == SIM_FAMILIES)
        return false;
    json_t *service = sim_service_get(sim, family, sim_state_text(change, "service"));
    json_t *answer = json_object_get(service, "service");
    if (json_object_get(change, "expired"))
        sim_service_expire(service, sim_state_flag(change, "expired"));
    if (json_object_get(change, "suspended"))
        sim_service_suspend(service, sim_state_flag(change, "suspended"));
    if (json_object_get(change, "accounts_max"))
        json_object_set(service, "_accounts_max",
                        json_object_get(change, "accounts_max"));
    if (json_object_get(change, "state"))
        json_object_set(answer, "state", json_object_get(change, "state"));
    if (json_object_get(change, "hostname"))
        json_object_set(answer, "hostname", json_object_get(change, "hostname"));
    if (json_object_get(change, "service_status"))
        json_object_set(json_object_get(service, "infos"), "status",
                        json_object_get(change, "service_status"));
    json_object_update_existing(answer, policy);
    return service != NULL;
}

/* {"address": "x@y.fr", "blocked": true} */
static bool set_account(struct sim *sim, const json_t *change)
{
    json_t *account = sim_state_mailbox(sim, sim_state_text(change, "address"));
    json_t *blocked = json_object_get(change, "blocked");

    if (!account)
        return false;
    if (blocked && json_object_get(account, "isBlocked"))
        json_object_set(account, "isBlocked", blocked);
    else if (blocked)
        json_object_set(account, "_blocked", blocked);
    sim_state_publish(sim, account);
    return true;
}

static json_t *do_set(struct order *order)
{
    struct sim *sim = order->sim;
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(order->body, name, value) {
        if (!sim_settings_is(name) && strcmp(name, "domain") != 0 &&
            strcmp(name, "credential") != 0 && strcmp(name, "account") != 0 &&
            strcmp(name, "service") != 0 && strcmp(name, "oauth2") != 0) {
            snprintf(order->why, sizeof order->why, "no setting is called '%.60s'", name);
            return NULL;
        }
    }
    if (!sim_settings_apply(sim, order->body, order->why, sizeof order->why))
        return NULL;
    value = json_object_get(order->body, "domain");
    if (value && !set_domain(sim, value))
        return refuse(order, "no such domain");
    value = json_object_get(order->body, "service");
    if (value && !set_service(sim, value))
        return refuse(order, "no such service");
    value = json_object_get(order->body, "credential");
    if (value && !set_credential(sim, value))
        return refuse(order, "no such consumer key");
    value = json_object_get(order->body, "account");
    if (value && !set_account(sim, value))
        return refuse(order, "no such mailbox");
    value = json_object_get(order->body, "oauth2");
    if (value && !sim_oauth_set(sim, value))
        return refuse(order, "no such OAuth2 client");
    return sim_settings_dump(sim);
}

static json_t *do_run_tasks(struct order *order)
{
    return json_pack("{s:I}", "ended", sim_task_run(order->sim, false, false));
}

static json_t *do_release_tasks(struct order *order)
{
    return json_pack("{s:I}", "ended",
                     sim_task_run(order->sim, true, sim_state_flag(order->body, "fail")));
}

static json_t *do_converge(struct order *order)
{
    return json_pack("{s:I}", "moved", sim_task_converge(order->sim));
}

/* The owner agrees (or refuses), for so long: null is without limit, a day by default. Or
 * a key comes to its end at once. */
static json_t *do_approve(struct order *order)
{
    struct sim *sim = order->sim;
    json_t *credential =
        sim_auth_find_key(sim, sim_state_text(order->body, "consumer_key"));
    const json_t *duration = json_object_get(order->body, "duration_s");
    struct sim_decision decision = {
        .refuse = sim_state_flag(order->body, "refuse"),
        .duration_s = json_is_integer(duration) ? json_integer_value(duration)
                      : json_is_null(duration)  ? 0
                                                : SIM_AUTH_DAY_S,
        .nic = json_string_value(json_object_get(order->body, "nic")),
    };

    if (!credential)
        return refuse(order, "no such consumer key");
    if (sim_state_flag(order->body, "expire")) {
        json_object_set_new(credential, "status", json_string("expired"));
        return done();
    }
    return sim_auth_decide(sim, credential, &decision, order->why, sizeof order->why)
               ? done()
               : NULL;
}

/* One side of a change of contacts agrees, or does not. */
static json_t *do_contact(struct order *order)
{
    return sim_contact_decide(order->sim, order->body)
               ? done()
               : refuse(order, "no such change waits for this account and answer");
}

static json_t *do_oauth(struct order *order)
{
    return sim_oauth_dump(order->sim);
}

/* A change from outside, as in the control panel: at once, on both front ends or one. */
static json_t *do_password(struct order *order)
{
    json_t *account =
        sim_state_mailbox(order->sim, sim_state_text(order->body, "address"));
    const char *password = sim_state_text(order->body, "password");
    const json_t *front = json_object_get(order->body, "front");

    if (!account)
        return refuse(order, "no such mailbox");
    if (!*password)
        return refuse(order, "'password' is missing");
    sim_state_remember(order->sim, account, password, "outside");
    for (int i = 0; i < SIM_FRONTS; i++)
        if (!front || json_integer_value(front) == i + 1)
            sim_state_put_password(order->sim, account, i, password);
    return done();
}

static json_t *do_migrate(struct order *order)
{
    return sim_migrate(order->sim, order->body, order->why, sizeof order->why);
}

static json_t *do_imap(struct order *order)
{
    bool down = sim_state_flag(order->body, "down");
    struct sim *sim = order->sim;

    if (sim->dovecot && !sim_dovecot_run(sim->dovecot, !down))
        return refuse(order, "Dovecot did not start");
    sim->imap_down = down;
    return done();
}

/* The signature that the simulator expects, for vectors. */
static json_t *do_sign(struct order *order)
{
    const char *body = sim_state_text(order->body, "body");
    const struct sim_auth_signed fields = {
        .application_secret = sim_state_text(order->body, "application_secret"),
        .consumer_key = sim_state_text(order->body, "consumer_key"),
        .method = sim_state_text(order->body, "method"),
        .url = sim_state_text(order->body, "url"),
        .body = body,
        .body_size = strlen(body),
        .timestamp = sim_state_text(order->body, "timestamp"),
    };
    char signature[SIM_AUTH_SIGNATURE_SIZE];

    sim_auth_sign(&fields, signature);
    return json_pack("{s:s}", "signature", signature);
}

static const struct {
    const char *method;
    const char *path;
    handler *run;
} orders[] = {
    { "POST", "/reset", do_reset },
    { "POST", "/seed", do_seed },
    { "GET", "/state", do_state },
    { "GET", "/log", do_log },
    { "DELETE", "/log", do_forget_log },
    { "POST", "/faults", do_add_faults },
    { "GET", "/faults", do_faults },
    { "DELETE", "/faults", do_forget_faults },
    { "POST", "/set", do_set },
    { "POST", "/task/run", do_run_tasks },
    { "POST", "/task/release", do_release_tasks },
    { "POST", "/fronts/converge", do_converge },
    { "POST", "/credential/approve", do_approve },
    { "POST", "/contact", do_contact },
    { "GET", "/oauth2", do_oauth },
    { "POST", "/password", do_password },
    { "POST", "/migrate", do_migrate },
    { "POST", "/imap", do_imap },
    { "POST", "/sign", do_sign },
};

static handler *find_order(const struct sim_http_request *request)
{
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        if (strcmp(orders[i].method, request->method) == 0 &&
            strcmp(orders[i].path, request->path) == 0)
            return orders[i].run;
    return NULL;
}

/* Carries an order out and returns its answer as text. All of it under the lock: what the
 * body holds may become a part of the state, and what the answer holds may be one. */
static char *carry_out(struct sim *sim, struct sim_http_request *request, int *ret_status)
{
    handler *run = find_order(request);
    struct order order = { .sim = sim, .query = "", .why = "no such order" };
    json_t *answer = NULL;

    pthread_mutex_lock(&sim->lock);
    order.body = request->body ? json_loadb(request->body, request->body_size,
                                            JSON_REJECT_DUPLICATES, NULL)
                               : json_object();
    if (run && !order.body)
        refuse(&order, "the body is not JSON");
    if (request->query && sim_text_unescape(request->query, true))
        order.query = request->query;
    if (run && order.body)
        answer = run(&order);
    *ret_status = answer ? 200 : run ? 400 : 404;
    if (!answer)
        answer = json_pack("{s:s}", "error", order.why);
    char *text = json_dumps(answer, JSON_COMPACT);
    json_decref(answer);
    json_decref(order.body);
    pthread_mutex_unlock(&sim->lock);
    return text;
}

void sim_control_serve(struct sim *sim, struct sim_conn *conn, void *arg)
{
    bool alive = true;

    (void)arg;
    while (alive) {
        struct sim_http_request request;
        int status = 400;

        if (sim_http_read(conn, &request, &status) != SIM_HTTP_OK) {
            sim_http_release(&request);
            return;
        }
        char *text = carry_out(sim, &request, &status);
        const struct sim_http_answer answer = {
            .status = status,
            .type = "application/json",
            .body = text ? text : "",
            .body_size = text ? strlen(text) : 0,
            .keep_alive = request.keep_alive,
        };
        alive = sim_http_write(conn, &answer) && answer.keep_alive;
        free(text);
        sim_http_release(&request);
    }
}
