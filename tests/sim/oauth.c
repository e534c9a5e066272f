#include "oauth.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "state.h"
#include "text.h"

enum {
    FIELD_MAX = 512,
};

/* --- the state --- */

static json_t *kept(const struct sim *sim, const char *what)
{
    json_t *object = json_object_get(sim->root, what);

    if (!object) {
        object = json_object();
        json_object_set_new(sim->root, what, object);
    }
    return object;
}

static json_t *new_client(struct sim *sim, const char *id, const char *nic)
{
    char creation[SIM_TEXT_DATETIME_SIZE];
    char identity[300];

    sim_text_datetime(sim_state_now_s(sim), creation);
    snprintf(identity, sizeof identity,
             "urn:v1:eu:identity:credential:%.100s/oauth2-%.64s", nic, id);
    return json_pack("{s:n,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:[]}", "callbackUrls", "clientId",
                     id, "createdAt", creation, "description", "", "flow",
                     "CLIENT_CREDENTIALS", "identity", identity, "name", "", "_nic", nic,
                     "_actions");
}

static void copy_text(json_t *to, const char *member, const json_t *from,
                      const char *name)
{
    const char *text = json_string_value(json_object_get(from, name));

    if (text)
        json_object_set_new(to, member, json_string(text));
}

static void make_ids(struct sim *sim, char id[17], char secret[33])
{
    unsigned number = ++sim->next_key;

    sim_text_key("oauth2 client", number, id, 17);
    sim_text_key("oauth2 secret", number, secret, 33);
}

bool sim_oauth_seed(struct sim *sim, json_t *entry, char *why, size_t size)
{
    const char *nic = sim_state_text(entry, "nic");
    const char *given = json_string_value(json_object_get(entry, "client_id"));
    json_t *actions = json_object_get(entry, "actions");
    char id[17];
    char secret[33];

    if (!json_object_get(json_object_get(sim->root, "nics"), nic)) {
        snprintf(why, size, "no account is called '%.100s'", nic);
        return false;
    }
    make_ids(sim, id, secret);
    json_t *client = new_client(sim, given ? given : id, nic);
    json_object_set_new(client, "_secret", json_string(secret));
    copy_text(client, "_secret", entry, "client_secret");
    copy_text(client, "name", entry, "name");
    copy_text(client, "description", entry, "description");
    if (actions)
        json_object_set_new(client, "_actions", json_deep_copy(actions));
    json_object_set_new(kept(sim, "oauth2"), sim_state_text(client, "clientId"), client);
    return true;
}

bool sim_oauth_set(struct sim *sim, const json_t *change)
{
    json_t *clients = kept(sim, "oauth2");
    json_t *client = json_object_get(clients, sim_state_text(change, "client_id"));
    json_t *value = json_object_get(change, "actions");

    if (!client)
        return false;
    if (value)
        json_object_set_new(client, "_actions", json_deep_copy(value));
    value = json_object_get(change, "revoked");
    if (value)
        json_object_set(client, "_revoked", value);
    if (sim_state_flag(change, "forget_tokens"))
        json_object_clear(kept(sim, "tokens"));
    return true;
}

json_t *sim_oauth_dump(const struct sim *sim)
{
    const json_t *count = json_object_get(sim->root, "tokens_given");

    return json_pack("{s:O,s:I}", "clients", kept(sim, "oauth2"), "tokens_given",
                     json_integer_value(count));
}

/* --- what a call needs --- */

static const struct {
    const char *prefix; /* of the path, placeholders taken out */
    const char *family;
} families[] = {
    { "/email/domain", "emailDomain:apiovh:" },
    { "/email/mxplan", "emailMxplan:apiovh:" },
    { "/email/pro", "emailPro:apiovh:" },
    { "/email/exchange", "emailExchange:apiovh:" },
    { "/hosting/web", "webHosting:apiovh:" },
    { "/domain/zone", "dnsZone:apiovh:" },
    { "/domain", "domain:apiovh:" },
    { "/v2/zimbra", "zimbra:apiovh:" },
    { "/v2", "account:apiovh:" },
    { "", "account:apiovh:" }, /* "/me" stays a part of the name */
};

/* "/email/domain/{domain}/account" gives "/email/domain/account". */
static void drop_places(const char *path, char *out, size_t size)
{
    size_t used = 0;

    while (*path) {
        size_t length = 1 + strcspn(path + 1, "/");

        if (path[1] != '{' && used + length < size) {
            memcpy(out + used, path, length);
            used += length;
        }
        path += length;
    }
    out[used] = '\0';
}

/* Rights that are granted and revoked, instead of created and deleted. */
static bool is_granted(const char *path)
{
    return strstr(path, "/fullAccess") || strstr(path, "/sendAs") ||
           strstr(path, "/sendOnBehalfTo");
}

/* What is done: a POST makes something where there is a list to read, else it is an
 * order that names itself. */
static const char *verb_of(const struct sim_route *route)
{
    if (strcmp(route->method, "POST") == 0 && !sim_route_find("GET", route->path))
        return "";
    if (strcmp(route->method, "POST") == 0)
        return is_granted(route->path) ? "grant" : "create";
    if (strcmp(route->method, "DELETE") == 0)
        return is_granted(route->path) ? "revoke" : "delete";
    return strcmp(route->method, "PUT") == 0 ? "edit" : "get";
}

void sim_oauth_action(const struct sim_route *route, char *ret_action, size_t size)
{
    char path[256];
    const char *verb = verb_of(route);

    *ret_action = '\0';
    if (strncmp(route->path, "/auth/", 6) == 0)
        return;
    drop_places(route->path, path, sizeof path);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        size_t length = strlen(families[i].prefix);

        if (strncmp(path, families[i].prefix, length) != 0 ||
            (length > 0 && path[length] != '/' && path[length] != '\0'))
            continue;
        const char *rest = path[length] == '/' ? path + length + 1 : "";
        snprintf(ret_action, size, "%s%s%s%s", families[i].family, rest,
                 *rest && *verb ? "/" : "", verb);
        return;
    }
}

static const char *bearer_of(const struct sim_call *call)
{
    const char *header = sim_http_header(call->request, "Authorization");

    return header && strncmp(header, "Bearer ", 7) == 0 ? header + 7 : NULL;
}

bool sim_oauth_is_bearer(const struct sim_call *call)
{
    return json_object_get(call->credential, "clientId") != NULL;
}

static json_t *client_of_token(const struct sim *sim, const char *token)
{
    const json_t *known = token ? json_object_get(kept(sim, "tokens"), token) : NULL;
    json_t *client =
        json_object_get(kept(sim, "oauth2"), sim_state_text(known, "client"));

    if (!client || sim_state_flag(client, "_revoked") ||
        json_integer_value(json_object_get(known, "until_ms")) <= sim_text_now_ms())
        return NULL;
    return client;
}

/* By what the seed or an order says of the client, or by a policy. */
static bool is_allowed(const struct sim *sim, const json_t *client, const char *action)
{
    const json_t *pattern = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(client, "_actions"), i, pattern)
        if (sim_text_glob(json_string_value(pattern), action))
            return true;
    return sim_iam_allows(sim, sim_state_text(client, "identity"), action);
}

bool sim_oauth_check(struct sim *sim, struct sim_call *call)
{
    char action[300];

    call->credential = client_of_token(sim, bearer_of(call));
    if (!call->credential) {
        sim_call_refuse(call, 401, "Client::Unauthorized", "Invalid token");
        return false;
    }
    sim_oauth_action(call->route, action, sizeof action);
    if (!*action || is_allowed(sim, call->credential, action))
        return true;
    sim_call_refuse(call, 403, "Client::Forbidden", "User not granted for this request");
    json_object_set_new(call->answer, "details",
                        json_pack("{s:s,s:s}", "unauthorizedActionsByAuthentication", "",
                                  "unauthorizedActionsByIAM", action));
    return false;
}

/* --- tokens --- */

/* A field of a form, unescaped. */
static bool form_field(const char *form, const char *name, char *out, size_t size)
{
    size_t length = strlen(name);

    while (form && *form) {
        size_t part = strcspn(form, "&");

        if (part > length && strncmp(form, name, length) == 0 && form[length] == '=' &&
            part - length - 1 < size) {
            memcpy(out, form + length + 1, part - length - 1);
            out[part - length - 1] = '\0';
            return sim_text_unescape(out, true);
        }
        form += part + (form[part] == '&');
    }
    out[0] = '\0';
    return false;
}

/* "Basic base64(id:secret)" */
static bool basic(const struct sim_http_request *request, char *id, char *secret)
{
    const char *header = sim_http_header(request, "Authorization");
    unsigned char text[2 * FIELD_MAX] = "";
    size_t length = header ? strlen(header) : 0;

    if (length < 7 || length - 6 > FIELD_MAX || strncmp(header, "Basic ", 6) != 0 ||
        EVP_DecodeBlock(text, (const unsigned char *)header + 6, (int)(length - 6)) < 0)
        return false;
    char *colon = strchr((char *)text, ':');
    if (!colon)
        return false;
    *colon = '\0';
    snprintf(id, FIELD_MAX, "%.511s", (char *)text);
    snprintf(secret, FIELD_MAX, "%.511s", colon + 1);
    return true;
}

static json_t *refusal(const char *error, const char *why)
{
    return json_pack("{s:s,s:s}", "error", error, "error_description", why);
}

static json_t *new_token(struct sim *sim, const json_t *client)
{
    json_int_t count = json_integer_value(json_object_get(sim->root, "tokens_given")) + 1;
    json_int_t life_s = sim->settings.token_lifetime_s;
    char token[201];

    json_object_set_new(sim->root, "tokens_given", json_integer(count));
    sim_text_key("token", (unsigned)count, token, sizeof token);
    json_object_set_new(kept(sim, "tokens"), token,
                        json_pack("{s:O,s:I}", "client",
                                  json_object_get(client, "clientId"), "until_ms",
                                  (json_int_t)sim_text_now_ms() + life_s * 1000));
    return json_pack("{s:s,s:s,s:I,s:s}", "access_token", token, "token_type", "Bearer",
                     "expires_in", life_s, "scope", "all");
}

/* The grant of RFC 6749 4.4: id and secret in the form, or as HTTP Basic. */
static json_t *grant(struct sim *sim, const struct sim_http_request *request,
                     int *ret_status)
{
    const char *type = sim_http_header(request, "Content-Type");
    char flow[FIELD_MAX];
    char id[FIELD_MAX];
    char secret[FIELD_MAX];

    *ret_status = 400;
    if (!type || strncmp(type, "application/x-www-form-urlencoded", 33) != 0 ||
        strcmp(request->method, "POST") != 0)
        return refusal("invalid_request", "a form is wanted");
    if (!form_field(request->body, "grant_type", flow, sizeof flow) ||
        strcmp(flow, "client_credentials") != 0)
        return refusal("unsupported_grant_type", "client_credentials only");
    if (!basic(request, id, secret)) {
        form_field(request->body, "client_id", id, sizeof id);
        form_field(request->body, "client_secret", secret, sizeof secret);
    }
    const json_t *client = json_object_get(kept(sim, "oauth2"), id);
    *ret_status = client ? 200 : 401;
    if (!client || sim_state_flag(client, "_revoked"))
        return refusal("invalid_client", "ovhcloud oauth2 client does not exists");
    if (strcmp(sim_state_text(client, "_secret"), secret) != 0) {
        *ret_status = 401;
        return refusal("invalid_client", "client secret is wrong");
    }
    return new_token(sim, client);
}

bool sim_oauth_serve(struct sim *sim, struct sim_conn *conn,
                     const struct sim_http_request *request)
{
    int status = 0;

    pthread_mutex_lock(&sim->lock);
    json_t *answer = grant(sim, request, &status);
    char *text = json_dumps(answer, JSON_COMPACT);
    json_decref(answer);
    pthread_mutex_unlock(&sim->lock);
    const struct sim_http_answer reply = {
        .status = status,
        .type = "application/json",
        .body = text ? text : "",
        .body_size = text ? strlen(text) : 0,
        .keep_alive = request->keep_alive,
    };
    bool alive = sim_http_write(conn, &reply) && reply.keep_alive;
    free(text);
    return alive;
}

/* --- /me/api/oauth2/client --- */

static bool is_own(const struct sim_call *call, const json_t *client)
{
    return strcmp(sim_state_text(client, "_nic"),
                  sim_state_text(call->credential, "_nic")) == 0;
}

void sim_oauth_clients(struct sim *sim, struct sim_call *call)
{
    json_t *ids = json_array();
    const char *id = NULL;
    json_t *client = NULL;

    json_object_foreach(kept(sim, "oauth2"), id, client)
        if (is_own(call, client) && !sim_state_flag(client, "_revoked"))
            json_array_append(ids, json_object_get(client, "clientId"));
    sim_call_answer(call, ids);
}

void sim_oauth_create(struct sim *sim, struct sim_call *call)
{
    char id[17];
    char secret[33];

    if (strcmp(sim_state_text(call->body, "flow"), "CLIENT_CREDENTIALS") != 0) {
        sim_call_refuse(call, 400, "Client::BadRequest", "this flow is not simulated");
        return;
    }
    make_ids(sim, id, secret);
    json_t *client = new_client(sim, id, sim_state_text(call->credential, "_nic"));
    json_object_set_new(client, "_secret", json_string(secret));
    copy_text(client, "name", call->body, "name");
    copy_text(client, "description", call->body, "description");
    json_object_set_new(kept(sim, "oauth2"), id, client);
    call->effect = true;
    sim_call_answer(call, json_pack("{s:s,s:s}", "clientId", id, "clientSecret", secret));
}

static json_t *find(const struct sim *sim, struct sim_call *call)
{
    const char *id = sim_call_text(call, "clientId");
    json_t *client = json_object_get(kept(sim, "oauth2"), id);

    if (client && is_own(call, client) && !sim_state_flag(client, "_revoked"))
        return client;
    sim_call_absent(sim, call, "clientId", id);
    return NULL;
}

void sim_oauth_client(struct sim *sim, struct sim_call *call)
{
    json_t *client = find(sim, call);

    if (client)
        sim_call_answer(call, sim_state_public(client));
}

void sim_oauth_edit(struct sim *sim, struct sim_call *call)
{
    json_t *client = find(sim, call);

    if (!client)
        return;
    copy_text(client, "name", call->body, "name");
    copy_text(client, "description", call->body, "description");
    call->effect = true;
    sim_call_answer(call, json_null());
}

/* Its tokens end with it. */
void sim_oauth_delete(struct sim *sim, struct sim_call *call)
{
    json_t *client = find(sim, call);

    if (!client)
        return;
    json_object_set_new(client, "_revoked", json_true());
    call->effect = true;
    sim_call_answer(call, json_null());
}
