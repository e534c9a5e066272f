#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "route.h"
#include "state.h"
#include "text.h"
#include "work.h"

static const struct {
    const char *word;
    const char *prefix;
    const char *name;    /* the parameter that names the service */
    const char *account; /* the one that names the mailbox */
    const char *place;   /* of that parameter, behind the service's name */
} families[SIM_FAMILIES] = {
    [SIM_MXPLAN] = { "mxplan", "/email/mxplan", "service", "email", "/account/" },
    [SIM_PRO] = { "pro", "/email/pro", "service", "email", "/account/" },
    [SIM_EXCHANGE] = { "exchange", "/email/exchange", "exchangeService",
                       "primaryEmailAddress", "/account/" },
    [SIM_ZIMBRA] = { "zimbra", "/v2/zimbra/platform", "platformId", "accountId",
                     "/account/" },
};

enum sim_family sim_service_family(const char *word)
{
    for (int i = 0; i < SIM_FAMILIES; i++)
        if (strcmp(families[i].word, word) == 0)
            return (enum sim_family)i;
    return SIM_FAMILIES;
}

enum sim_family sim_service_family_of_path(const char *path)
{
    for (int i = 0; i < SIM_FAMILIES; i++) {
        size_t length = strlen(families[i].prefix);
        if (strncmp(path, families[i].prefix, length) == 0 &&
            (path[length] == '/' || path[length] == '\0'))
            return (enum sim_family)i;
    }
    return SIM_FAMILIES;
}

const char *sim_service_word(enum sim_family family)
{
    return families[family].word;
}

enum sim_family sim_service_family_of(const json_t *service)
{
    return sim_service_family(sim_state_text(service, "_family"));
}

bool sim_service_is_zimbra(const json_t *service)
{
    return sim_service_family_of(service) == SIM_ZIMBRA ||
           sim_state_flag(json_object_get(service, "service"), "isZimbra");
}

json_t *sim_service_get(const struct sim *sim, enum sim_family family, const char *name)
{
    char key[320];

    snprintf(key, sizeof key, "%s/%.256s", families[family].word, name);
    return json_object_get(json_object_get(sim->root, "services"), key);
}

json_t *sim_service_of(const struct sim *sim, const json_t *account)
{
    return json_object_get(json_object_get(sim->root, "services"),
                           sim_state_text(account, "_service"));
}

/* The service of the path is the caller's, and may be worked with. */
static bool check_service(const struct sim_call *call, const json_t *service)
{
    const char *organization = sim_call_text(call, "organizationName");

    return service &&
           strcmp(sim_state_text(service, "_nic"),
                  sim_state_text(call->credential, "_nic")) == 0 &&
           (!organization || strcmp(sim_state_text(service, "_org"), organization) == 0);
}

bool sim_service_find(const struct sim *sim, struct sim_call *call)
{
    enum sim_family family = sim_service_family_of_path(call->route->path);

    if (family == SIM_FAMILIES || !sim_route_has(call->route, families[family].name))
        return true;
    json_t *service =
        sim_service_get(sim, family, sim_call_text(call, families[family].name));
    if (!check_service(call, service)) {
        sim_call_refuse(call, 404, "Client::NotFound", "This service does not exist");
        return false;
    }
    call->service = service;
    if (sim_state_flag(service, "_expired")) {
        sim_call_refuse_plain(call, 460, "This Service is expired");
        return false;
    }
    if (sim_state_flag(service, "_suspended") &&
        strcmp(call->request->method, "GET") != 0) {
        if (family == SIM_ZIMBRA)
            sim_call_refuse(call, 403, "Client::Forbidden", "This service is suspended");
        else
            sim_call_refuse_auth(call, 403, "FORBIDDEN", "This service is suspended");
        return false;
    }
    if (!sim_route_has(call->route, families[family].account))
        return true;
    const char *name = sim_call_text(call, families[family].account);
    call->account = json_object_get(json_object_get(service, "accounts"), name);
    if (!call->account)
        sim_call_absent(sim, call, families[family].account, name);
    return call->account != NULL;
}

/* One segment of a path behind `*at`, moved behind it; "" at the end. */
static void next_segment(const char **at, char *text, size_t size)
{
    if (**at == '/')
        (*at)++;
    size_t length = strcspn(*at, "/");
    snprintf(text, size, "%.*s", (int)length, *at);
    *at += length;
}

void sim_service_locate(const struct sim *sim, const char *path, json_t **ret_service,
                        json_t **ret_account)
{
    enum sim_family family = sim_service_family_of_path(path);
    char name[256];

    *ret_service = NULL;
    *ret_account = NULL;
    if (family == SIM_FAMILIES)
        return;
    path += strlen(families[family].prefix);
    next_segment(&path, name, sizeof name);
    if (family == SIM_EXCHANGE) {
        next_segment(&path, name, sizeof name); /* "service" */
        next_segment(&path, name, sizeof name);
    }
    *ret_service = sim_service_get(sim, family, name);
    size_t place = strlen(families[family].place);
    if (!*ret_service || strncmp(path, families[family].place, place) != 0)
        return;
    path += place;
    next_segment(&path, name, sizeof name);
    sim_text_lower(name);
    *ret_account = json_object_get(json_object_get(*ret_service, "accounts"), name);
}

void sim_service_expire(json_t *service, bool expired)
{
    json_object_set_new(service, "_expired", json_boolean(expired));
    json_object_set_new(json_object_get(service, "infos"), "status",
                        json_string(expired ? "expired" : "ok"));
}

void sim_service_suspend(json_t *service, bool suspended)
{
    json_t *answer = json_object_get(service, "service");

    json_object_set_new(service, "_suspended", json_boolean(suspended));
    if (json_object_get(answer, "resourceStatus"))
        json_object_set_new(answer, "resourceStatus",
                            json_string(suspended ? "SUSPENDED" : "READY"));
    else
        json_object_set_new(answer, "state", json_string(suspended ? "suspended" : "ok"));
}

json_t *sim_service_names(const struct sim *sim, const struct sim_call *call,
                          enum sim_family family)
{
    json_t *names = json_array();
    const char *key = NULL;
    json_t *service = NULL;

    json_object_foreach(json_object_get(sim->root, "services"), key, service)
        if (sim_service_family_of(service) == family &&
            strcmp(sim_state_text(service, "_nic"),
                   sim_state_text(call->credential, "_nic")) == 0)
            json_array_append(names, json_object_get(service, "_name"));
    return names;
}

/* Ids are numbers in the first version of the API, and texts here. */
static void format_id(const json_t *account, char *text, size_t size)
{
    snprintf(text, size, "%lld",
             (long long)json_integer_value(json_object_get(account, "id")));
}

void sim_service_add_account(struct sim *sim, json_t *service, json_t *account)
{
    json_t *accounts = json_object_get(service, "accounts");
    const char *address = sim_state_address(account);
    char id[32];

    json_object_set(account, "_service", json_object_get(service, "_key"));
    if (sim_service_family_of(service) == SIM_ZIMBRA) {
        json_object_set(accounts, sim_state_text(account, "id"), account);
    } else {
        format_id(account, id, sizeof id);
        json_object_set(json_object_get(service, "_by_id"), id, account);
        json_object_set(accounts, address, account);
    }
    json_object_set(json_object_get(sim->root, "mailboxes"), address, account);
    sim_state_publish(sim, account);
}

void sim_service_remove_account(struct sim *sim, json_t *service, json_t *account)
{
    char address[320];
    char id[32];

    json_incref(account);
    snprintf(address, sizeof address, "%s", sim_state_address(account));
    sim_state_retire(sim, account);
    format_id(account, id, sizeof id);
    json_object_del(json_object_get(service, "_by_id"), id);
    json_object_del(json_object_get(service, "accounts"),
                    sim_service_family_of(service) == SIM_ZIMBRA
                        ? sim_state_text(account, "id")
                        : address);
    json_object_del(json_object_get(sim->root, "mailboxes"), address);
    json_decref(account);
}

void sim_service_rename(struct sim *sim, json_t *service, json_t *account,
                        const char *address)
{
    json_incref(account);
    sim_service_remove_account(sim, service, account);
    json_object_del(account, "_gone");
    json_object_set_new(account, "_address", json_string(address));
    sim_service_add_account(sim, service, account);
    json_decref(account);
}

void sim_service_list(struct sim *sim, struct sim_call *call)
{
    bool tags = json_object_size(json_object_get(call->args, "iamTags")) > 0;

    sim_call_answer(
        call, tags ? json_array()
                   : sim_service_names(sim, call,
                                       sim_service_family_of_path(call->route->path)));
}

void sim_service_show(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, sim_state_public(json_object_get(call->service, "service")));
}

void sim_service_show_infos(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, json_deep_copy(json_object_get(call->service, "infos")));
}

void sim_service_show_server(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, json_deep_copy(json_object_get(call->service, "_server")));
}

void sim_service_domains(struct sim *sim, struct sim_call *call)
{
    const char *state = sim_call_text(call, "state");
    const json_t *main = json_object_get(call->args, "main");
    json_t *names = json_array();
    const char *name = NULL;
    json_t *domain = NULL;

    (void)sim;
    json_object_foreach(json_object_get(call->service, "domains"), name, domain)
        if ((!state || strcmp(sim_state_text(domain, "state"), state) == 0) &&
            (!main || json_is_true(main) == sim_state_flag(domain, "main")))
            json_array_append_new(names, json_string(name));
    sim_call_answer(call, names);
}

void sim_service_domain(struct sim *sim, struct sim_call *call)
{
    const char *name = sim_call_text(call, "domainName");
    json_t *domain = json_object_get(json_object_get(call->service, "domains"), name);

    if (domain)
        sim_call_answer(call, sim_state_public(domain));
    else
        sim_call_absent(sim, call, "domainName", name);
}

static void answer_task(struct sim *sim, struct sim_call *call, const json_t *target)
{
    char id[32];

    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(call->args, "id")));
    const json_t *record = sim_work_find(sim, call->service, target, id);
    if (record)
        sim_call_answer(call, sim_work_task(record));
    else
        sim_call_absent(sim, call, "id", id);
}

void sim_service_tasks(struct sim *sim, struct sim_call *call)
{
    sim_call_answer(call, sim_work_ids(sim, call->service, NULL));
}

void sim_service_task(struct sim *sim, struct sim_call *call)
{
    answer_task(sim, call, NULL);
}

void sim_service_account_tasks(struct sim *sim, struct sim_call *call)
{
    sim_call_answer(call, sim_work_ids(sim, call->service, call->account));
}

void sim_service_account_task(struct sim *sim, struct sim_call *call)
{
    answer_task(sim, call, call->account);
}
