#include "route.h"

#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "mail.h"
#include "me.h"
#include "model.h"
#include "oauth.h"
#include "text.h"

#define DOMAIN     SIM_PATH, "domain", "string", true
#define ACCOUNT    SIM_PATH, "accountName", "string", true
#define CREDENTIAL SIM_PATH, "credentialId", "long", true
#define APP        SIM_PATH, "applicationId", "long", true
#define NIC        "coreTypes.AccountId:string"
#define TAGS       SIM_QUERY, "iamTags", "map[string][]iam.resource.TagFilter", false

/*
 * Every call that the simulator knows. test_routes.py holds this table against the API's
 * own description, where that is at hand; test_answers.py calls every row and holds the
 * answers against it. Literal paths stand before those with a name in the same place.
 */
static const struct sim_route routes[] = {
    { "GET", "/auth/time", SIM_OPEN, sim_auth_time, "long", { { 0 } } },
    { "POST",
      "/auth/credential",
      SIM_APPLICATION,
      sim_auth_request_credential,
      "auth.ApiCredentialRequest",
      { { SIM_BODY, "", "auth.ApiCredentialRequestParams", true } } },
    { "GET",
      "/auth/currentCredential",
      SIM_SIGNED,
      sim_auth_current,
      "auth.ApiCredential",
      { { 0 } } },
    { "GET", "/auth/details", SIM_SIGNED, sim_auth_details, "auth.Details", { { 0 } } },
    { "POST", "/auth/logout", SIM_SIGNED, sim_auth_logout, "void", { { 0 } } },

    { "GET", "/me", SIM_SIGNED, sim_me_get, "nichandle.Nichandle", { { 0 } } },
    { "GET",
      "/me/api/credential",
      SIM_SIGNED,
      sim_me_credentials,
      "long[]",
      { { SIM_QUERY, "applicationId", "long", false },
        { SIM_QUERY, "status", "auth.CredentialStateEnum", false } } },
    { "GET",
      "/me/api/credential/{credentialId}",
      SIM_SIGNED,
      sim_me_credential,
      "auth.ApiCredential",
      { { CREDENTIAL } } },
    { "DELETE",
      "/me/api/credential/{credentialId}",
      SIM_SIGNED,
      sim_me_delete_credential,
      "void",
      { { CREDENTIAL } } },
    { "GET",
      "/me/api/credential/{credentialId}/application",
      SIM_SIGNED,
      sim_me_credential_application,
      "auth.ApiApplication",
      { { CREDENTIAL } } },
    { "GET",
      "/me/api/application",
      SIM_SIGNED,
      sim_me_applications,
      "long[]",
      { { 0 } } },
    { "GET",
      "/me/api/application/{applicationId}",
      SIM_SIGNED,
      sim_me_application,
      "auth.ApiApplication",
      { { APP } } },
    { "DELETE",
      "/me/api/application/{applicationId}",
      SIM_SIGNED,
      sim_me_delete_application,
      "void",
      { { APP } } },

    { "GET",
      "/me/api/oauth2/client",
      SIM_SIGNED,
      sim_oauth_clients,
      "string[]",
      { { 0 } } },
    { "POST",
      "/me/api/oauth2/client",
      SIM_SIGNED,
      sim_oauth_create,
      "oauth2.clientSecret",
      { { SIM_BODY, "", "oauth2.clientRequest", true } } },
    { "GET",
      "/me/api/oauth2/client/{clientId}",
      SIM_SIGNED,
      sim_oauth_client,
      "oauth2.client",
      { { SIM_PATH, "clientId", "string", true } } },
    { "PUT",
      "/me/api/oauth2/client/{clientId}",
      SIM_SIGNED,
      sim_oauth_edit,
      "void",
      { { SIM_PATH, "clientId", "string", true },
        { SIM_BODY, "", "oauth2.client", true } } },
    { "DELETE",
      "/me/api/oauth2/client/{clientId}",
      SIM_SIGNED,
      sim_oauth_delete,
      "void",
      { { SIM_PATH, "clientId", "string", true } } },

    { "GET", "/email/domain", SIM_SIGNED, sim_mail_domains, "string[]", { { TAGS } } },
    { "GET",
      "/email/domain/{domain}",
      SIM_SIGNED,
      sim_mail_domain,
      "email.domain.DomainServiceWithIAM",
      { { DOMAIN } } },
    { "GET",
      "/email/domain/{domain}/serviceInfos",
      SIM_SIGNED,
      sim_mail_service_infos,
      "services.Service",
      { { DOMAIN } } },
    { "GET",
      "/email/domain/{domain}/quota",
      SIM_SIGNED,
      sim_mail_quota,
      "domain.DomainQuota",
      { { DOMAIN } } },
    { "GET",
      "/email/domain/{domain}/summary",
      SIM_SIGNED,
      sim_mail_summary,
      "domain.DomainSummary",
      { { DOMAIN } } },

    { "GET",
      "/email/domain/{domain}/account",
      SIM_SIGNED,
      sim_mail_accounts,
      "string[]",
      { { DOMAIN },
        { SIM_QUERY, "accountName", "string", false },
        { SIM_QUERY, "description", "string", false } } },
    { "POST",
      "/email/domain/{domain}/account",
      SIM_SIGNED,
      sim_mail_create_account,
      "email.domain.TaskPop",
      { { DOMAIN },
        { SIM_BODY, "accountName", "string", true },
        { SIM_BODY, "description", "string", false },
        { SIM_BODY, "password", "password", true },
        { SIM_BODY, "size", "long", false } } },
    { "GET",
      "/email/domain/{domain}/account/{accountName}",
      SIM_SIGNED,
      sim_mail_account,
      "email.domain.Account",
      { { DOMAIN }, { ACCOUNT } } },
    { "PUT",
      "/email/domain/{domain}/account/{accountName}",
      SIM_SIGNED,
      sim_mail_edit_account,
      "void",
      { { DOMAIN }, { ACCOUNT }, { SIM_BODY, "", "email.domain.Account", true } } },
    { "DELETE",
      "/email/domain/{domain}/account/{accountName}",
      SIM_SIGNED,
      sim_mail_delete_account,
      "email.domain.TaskPop",
      { { DOMAIN }, { ACCOUNT } } },
    { "POST",
      "/email/domain/{domain}/account/{accountName}/changePassword",
      SIM_SIGNED,
      sim_mail_change_password,
      "email.domain.TaskPop",
      { { DOMAIN }, { ACCOUNT }, { SIM_BODY, "password", "password", true } } },
    { "GET",
      "/email/domain/{domain}/account/{accountName}/delegation",
      SIM_SIGNED,
      sim_mail_delegations,
      "string[]",
      { { DOMAIN }, { ACCOUNT } } },
    { "POST",
      "/email/domain/{domain}/account/{accountName}/delegation",
      SIM_SIGNED,
      sim_mail_add_delegation,
      "string",
      { { DOMAIN }, { ACCOUNT }, { SIM_BODY, "accountId", NIC, true } } },
    { "GET",
      "/email/domain/{domain}/account/{accountName}/delegation/{accountId}",
      SIM_SIGNED,
      sim_mail_delegation,
      "email.domain.Delegation",
      { { DOMAIN }, { ACCOUNT }, { SIM_PATH, "accountId", NIC, true } } },
    { "DELETE",
      "/email/domain/{domain}/account/{accountName}/delegation/{accountId}",
      SIM_SIGNED,
      sim_mail_delete_delegation,
      "string",
      { { DOMAIN }, { ACCOUNT }, { SIM_PATH, "accountId", NIC, true } } },
    { "GET",
      "/email/domain/{domain}/account/{accountName}/filter",
      SIM_SIGNED,
      sim_mail_filters,
      "string[]",
      { { DOMAIN }, { ACCOUNT } } },
    { "GET",
      "/email/domain/{domain}/account/{accountName}/filter/{name}",
      SIM_SIGNED,
      sim_mail_filter,
      "email.domain.Filter",
      { { DOMAIN }, { ACCOUNT }, { SIM_PATH, "name", "string", true } } },

    { "GET",
      "/email/domain/{domain}/acl",
      SIM_SIGNED,
      sim_mail_acls,
      "string[]",
      { { DOMAIN } } },
    { "POST",
      "/email/domain/{domain}/acl",
      SIM_SIGNED,
      sim_mail_add_acl,
      "email.domain.Acl",
      { { DOMAIN }, { SIM_BODY, "accountId", NIC, true } } },
    { "GET",
      "/email/domain/{domain}/acl/{accountId}",
      SIM_SIGNED,
      sim_mail_acl,
      "email.domain.Acl",
      { { DOMAIN }, { SIM_PATH, "accountId", NIC, true } } },
    { "DELETE",
      "/email/domain/{domain}/acl/{accountId}",
      SIM_SIGNED,
      sim_mail_delete_acl,
      "void",
      { { DOMAIN }, { SIM_PATH, "accountId", NIC, true } } },

    { "GET",
      "/email/domain/{domain}/redirection",
      SIM_SIGNED,
      sim_mail_redirections,
      "string[]",
      { { DOMAIN },
        { SIM_QUERY, "from", "string", false },
        { SIM_QUERY, "to", "string", false } } },
    { "POST",
      "/email/domain/{domain}/redirection",
      SIM_SIGNED,
      sim_mail_add_redirection,
      "email.domain.TaskSpecialAccount",
      { { DOMAIN }, { SIM_BODY, "", "email.domain.RedirectionCreation", true } } },
    { "GET",
      "/email/domain/{domain}/redirection/{id}",
      SIM_SIGNED,
      sim_mail_redirection,
      "email.domain.RedirectionGlobal",
      { { DOMAIN }, { SIM_PATH, "id", "string", true } } },
    { "DELETE",
      "/email/domain/{domain}/redirection/{id}",
      SIM_SIGNED,
      sim_mail_delete_redirection,
      "email.domain.TaskSpecialAccount",
      { { DOMAIN }, { SIM_PATH, "id", "string", true } } },

    { "GET",
      "/email/domain/{domain}/responder",
      SIM_SIGNED,
      sim_mail_responders,
      "string[]",
      { { DOMAIN }, { SIM_QUERY, "account", "string", false } } },
    { "GET",
      "/email/domain/{domain}/responder/{account}",
      SIM_SIGNED,
      sim_mail_responder,
      "email.domain.Responder",
      { { DOMAIN }, { SIM_PATH, "account", "string", true } } },

    { "GET",
      "/email/domain/{domain}/mailingList",
      SIM_SIGNED,
      sim_mail_lists,
      "string[]",
      { { DOMAIN }, { SIM_QUERY, "name", "string", false } } },
    { "GET",
      "/email/domain/{domain}/mailingList/{name}",
      SIM_SIGNED,
      sim_mail_list,
      "email.domain.MailingList",
      { { DOMAIN }, { SIM_PATH, "name", "string", true } } },
    { "GET",
      "/email/domain/{domain}/mailingList/{name}/moderator",
      SIM_SIGNED,
      sim_mail_list_moderators,
      "string[]",
      { { DOMAIN },
        { SIM_PATH, "name", "string", true },
        { SIM_QUERY, "email", "string", false } } },
    { "GET",
      "/email/domain/{domain}/mailingList/{name}/subscriber",
      SIM_SIGNED,
      sim_mail_list_subscribers,
      "string[]",
      { { DOMAIN },
        { SIM_PATH, "name", "string", true },
        { SIM_QUERY, "email", "string", false } } },

    { "GET",
      "/email/domain/{domain}/task/account",
      SIM_SIGNED,
      sim_mail_account_tasks,
      "long[]",
      { { DOMAIN }, { SIM_QUERY, "name", "string", false } } },
    { "GET",
      "/email/domain/{domain}/task/account/{id}",
      SIM_SIGNED,
      sim_mail_account_task,
      "email.domain.TaskPop",
      { { DOMAIN }, { SIM_PATH, "id", "long", true } } },
    { "GET",
      "/email/domain/{domain}/task/redirection",
      SIM_SIGNED,
      sim_mail_redirection_tasks,
      "string[]",
      { { DOMAIN }, { SIM_QUERY, "account", "string", false } } },
    { "GET",
      "/email/domain/{domain}/task/redirection/{id}",
      SIM_SIGNED,
      sim_mail_redirection_task,
      "email.domain.TaskSpecialAccount",
      { { DOMAIN }, { SIM_PATH, "id", "string", true } } },
    { "GET",
      "/email/domain/{domain}/task/all",
      SIM_SIGNED,
      sim_mail_all_tasks,
      "long[]",
      { { DOMAIN } } },
    { "GET",
      "/email/domain/{domain}/task/all/{id}",
      SIM_SIGNED,
      sim_mail_all_task,
      "email.domain.task",
      { { DOMAIN }, { SIM_PATH, "id", "long", true } } },

    /* The other families of services: nothing is there, and that can be asked. */
    { "GET", "/email/mxplan", SIM_SIGNED, sim_mail_no_service, "string[]", { { TAGS } } },
    { "GET", "/email/pro", SIM_SIGNED, sim_mail_no_service, "string[]", { { TAGS } } },
    { "GET", "/email/exchange", SIM_SIGNED, sim_mail_no_service, "string[]", { { 0 } } },
    { "GET", "/hosting/web", SIM_SIGNED, sim_mail_no_service, "string[]", { { TAGS } } },
    { "GET",
      "/domain",
      SIM_SIGNED,
      sim_mail_registered_domains,
      "string[]",
      { { TAGS }, { SIM_QUERY, "whoisOwner", "string", false } } },
    { "GET",
      "/domain/{serviceName}/serviceInfos",
      SIM_SIGNED,
      sim_mail_registered_infos,
      "services.Service",
      { { SIM_PATH, "serviceName", "string", true } } },
};

enum {
    ROUTE_COUNT = sizeof routes / sizeof routes[0],
};

/* One segment after the other; {name} stands for one that is not empty. */
static bool match(const char *pattern, const char *path)
{
    while (*pattern == '/' && *path == '/') {
        size_t wanted = strcspn(++pattern, "/");
        size_t given = strcspn(++path, "/");

        if (*pattern == '{' ? given == 0
                            : wanted != given || memcmp(pattern, path, wanted) != 0)
            return false;
        pattern += wanted;
        path += given;
    }
    return !*pattern && !*path;
}

const struct sim_route *sim_route_find(const char *method, const char *path)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (strcmp(routes[i].method, method) == 0 && match(routes[i].path, path))
            return &routes[i];
    return NULL;
}

static const struct sim_param *find_param(const struct sim_route *route,
                                          enum sim_place place, const char *name,
                                          size_t length)
{
    for (size_t i = 0; i < SIM_ROUTE_PARAMS_MAX && route->params[i].type; i++) {
        const struct sim_param *param = &route->params[i];
        if (param->place == place && strlen(param->name) == length &&
            memcmp(param->name, name, length) == 0)
            return param;
    }
    return NULL;
}

static bool refuse(struct sim_call *call, const char *name, const char *what)
{
    sim_call_refuse(call, 400, "Client::BadRequest", "'%.80s' %s", name, what);
    return false;
}

/* Takes one value out of the path or the query. */
static bool put_text(struct sim_call *call, const struct sim_param *param,
                     const char *text)
{
    json_t *value = sim_model_parse(param->type, text);

    if (!value)
        return refuse(call, param->name, "has not the right type");
    json_object_set_new(call->args, param->name, value);
    return true;
}

static bool read_path(struct sim_call *call, const char *path)
{
    const char *pattern = call->route->path;

    while (*pattern == '/') {
        size_t wanted = strcspn(++pattern, "/");
        size_t given = strcspn(++path, "/");

        if (*pattern == '{') {
            const struct sim_param *param =
                find_param(call->route, SIM_PATH, pattern + 1, wanted - 2);
            char *text = strndup(path, given);
            bool good = param && text && sim_text_unescape(text, false);

            if (good)
                good = put_text(call, param, text);
            else
                refuse(call, param ? param->name : "path", "is not well formed");
            free(text);
            if (!good)
                return false;
        }
        pattern += wanted;
        path += given;
    }
    return true;
}

static bool read_query_part(struct sim_call *call, char *part)
{
    char *value = strchr(part, '=');

    if (value)
        *value++ = '\0';
    if (!sim_text_unescape(part, true) || (value && !sim_text_unescape(value, true)))
        return refuse(call, "query", "is not well formed");
    const struct sim_param *param =
        find_param(call->route, SIM_QUERY, part, strlen(part));
    if (!param)
        return refuse(call, part, "is not described");
    if (json_object_get(call->args, param->name))
        return refuse(call, param->name, "is given twice");
    return put_text(call, param, value ? value : "");
}

static bool read_query(struct sim_call *call)
{
    char *query = call->request->query ? strdup(call->request->query) : NULL;
    char *part = query;
    bool good = true;

    while (part && *part && good) {
        char *end = strchr(part, '&');
        if (end)
            *end++ = '\0';
        good = !*part || read_query_part(call, part);
        part = end;
    }
    free(query);
    return good;
}

static bool wants_body(const struct sim_route *route)
{
    for (size_t i = 0; i < SIM_ROUTE_PARAMS_MAX && route->params[i].type; i++)
        if (route->params[i].place == SIM_BODY)
            return true;
    return false;
}

/* The members of the body are parameters of their own. */
static bool read_members(struct sim_call *call, json_t *body)
{
    const char *name = NULL;
    json_t *value = NULL;
    char why[200];

    json_object_foreach(body, name, value) {
        const struct sim_param *param =
            find_param(call->route, SIM_BODY, name, strlen(name));
        if (!param)
            return refuse(call, name, "is not described");
        if (json_is_null(value) && !param->required)
            continue;
        if (!sim_model_check(param->type, value, param->name, why, sizeof why)) {
            sim_call_refuse(call, 400, "Client::BadRequest", "%s", why);
            return false;
        }
        json_object_set(call->args, param->name, value);
    }
    return true;
}

static bool take_body(struct sim_call *call, json_t *body)
{
    const struct sim_param *whole = find_param(call->route, SIM_BODY, "", 0);
    char why[200];

    if (!whole)
        return read_members(call, body);
    if (!sim_model_check(whole->type, body, "body", why, sizeof why)) {
        sim_call_refuse(call, 400, "Client::BadRequest", "%s", why);
        return false;
    }
    json_object_set(call->args, "", body);
    call->body = body;
    return true;
}

static bool read_body(struct sim_call *call)
{
    const struct sim_http_request *request = call->request;
    const char *type = sim_http_header(request, "Content-Type");

    if (!wants_body(call->route) || !request->body)
        return true;
    if (!type || strncmp(type, "application/json", 16) != 0)
        return refuse(call, "Content-Type", "is not application/json");
    json_t *body =
        json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(body)) {
        json_decref(body);
        return refuse(call, "body", "is not a JSON object");
    }
    bool good = take_body(call, body);
    json_decref(body);
    return good;
}

bool sim_route_read_params(struct sim_call *call, const char *raw_path)
{
    if (!read_path(call, raw_path) || !read_query(call) || !read_body(call))
        return false;
    for (size_t i = 0; i < SIM_ROUTE_PARAMS_MAX && call->route->params[i].type; i++) {
        const struct sim_param *param = &call->route->params[i];
        if (param->required && !json_object_get(call->args, param->name))
            return refuse(call, *param->name ? param->name : "body", "is missing");
    }
    return true;
}

void sim_route_print(FILE *out)
{
    static const char *const places[] = { "path", "query", "body" };
    static const char *const accesses[] = { "open", "application", "signed" };

    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        json_t *params = json_array();
        for (size_t p = 0; p < SIM_ROUTE_PARAMS_MAX && routes[i].params[p].type; p++) {
            const struct sim_param *param = &routes[i].params[p];
            json_array_append_new(
                params, json_pack("{s:s,s:s?,s:s,s:b}", "in", places[param->place],
                                  "name", *param->name ? param->name : NULL, "type",
                                  param->type, "required", param->required));
        }
        char action[300];
        sim_oauth_action(&routes[i], action, sizeof action);
        json_t *line = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "action", action, "method",
                                 routes[i].method, "path", routes[i].path, "access",
                                 accesses[routes[i].access], "returns", routes[i].returns,
                                 "params", params);
        json_dumpf(line, out, JSON_COMPACT);
        fputc('\n', out);
        json_decref(line);
    }
    sim_model_print(out);
}
