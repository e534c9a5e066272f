#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "oauth.h"
#include "route.h"
#include "text.h"

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
    for (size_t t = 0; sim_route_tables[t]; t++)
        for (size_t i = 0; i < sim_route_tables[t]->count; i++) {
            const struct sim_route *route = &sim_route_tables[t]->routes[i];
            if (strcmp(route->method, method) == 0 && match(route->path, path))
                return route;
        }
    return NULL;
}

const struct sim_param *sim_route_param(const struct sim_route *route, size_t n)
{
    return n < SIM_ROUTE_PARAMS_MAX && route->params[n].type ? &route->params[n] : NULL;
}

static const struct sim_param *find_param(const struct sim_route *route,
                                          enum sim_place place, const char *name,
                                          size_t length)
{
    const struct sim_param *param = NULL;

    for (size_t i = 0; (param = sim_route_param(route, i)) != NULL; i++)
        if (param->place == place && strlen(param->name) == length &&
            memcmp(param->name, name, length) == 0)
            return param;
    return NULL;
}

bool sim_route_has(const struct sim_route *route, const char *name)
{
    return find_param(route, SIM_PATH, name, strlen(name)) != NULL;
}

bool sim_route_allows(const struct sim *sim, const char *rule, const char *path)
{
    bool second = strncmp(path, "/v2/", 4) == 0;

    if (!second)
        return sim_text_glob(rule, path);
    return (sim->settings.v2_rules != 2 && sim_text_glob(rule, path)) ||
           (sim->settings.v2_rules != 1 && sim_text_glob(rule, path + 3));
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
    const struct sim_param *param = NULL;

    for (size_t i = 0; (param = sim_route_param(route, i)) != NULL; i++)
        if (param->place == SIM_BODY)
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

static bool read_headers(struct sim_call *call)
{
    const struct sim_param *param = NULL;

    for (size_t i = 0; (param = sim_route_param(call->route, i)) != NULL; i++) {
        const char *text = param->place == SIM_HEADER
                               ? sim_http_header(call->request, param->name)
                               : NULL;
        if (text && !put_text(call, param, text))
            return false;
    }
    return true;
}

bool sim_route_read_params(struct sim_call *call, const char *raw_path)
{
    const struct sim_param *param = NULL;

    if (!read_path(call, raw_path) || !read_query(call) || !read_headers(call) ||
        !read_body(call))
        return false;
    for (size_t i = 0; (param = sim_route_param(call->route, i)) != NULL; i++)
        if (param->required && !json_object_get(call->args, param->name))
            return refuse(call, *param->name ? param->name : "body", "is missing");
    return true;
}

static void print_route(const struct sim_route *route, FILE *out)
{
    static const char *const places[] = { "path", "query", "body", "header" };
    static const char *const accesses[] = { "open", "application", "signed" };
    bool second = strncmp(route->path, "/v2/", 4) == 0;
    const struct sim_param *param = NULL;
    json_t *params = json_array();
    char action[300];

    sim_oauth_action(route, action, sizeof action);
    for (size_t p = 0; (param = sim_route_param(route, p)) != NULL; p++)
        json_array_append_new(params,
                              json_pack("{s:s,s:s?,s:s,s:b}", "in", places[param->place],
                                        "name", *param->name ? param->name : NULL, "type",
                                        param->type, "required", param->required));
    json_t *line = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "action", action, "method", route->method,
        "root", second ? "v2" : "v1", "path", route->path + (second ? 3 : 0), "access",
        accesses[route->access], "returns", route->returns, "params", params);
    json_dumpf(line, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(line);
}

void sim_route_print(FILE *out)
{
    for (size_t t = 0; sim_route_tables[t]; t++)
        for (size_t i = 0; i < sim_route_tables[t]->count; i++)
            print_route(&sim_route_tables[t]->routes[i], out);
    sim_model_print(out);
}
