#include "auth.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "route.h"
#include "state.h"
#include "text.h"

void sim_auth_sign(const struct sim_auth_signed *fields,
                   char ret_signature[SIM_AUTH_SIGNATURE_SIZE])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *sha1 = EVP_MD_CTX_new();
    const char *const parts[] = { fields->application_secret, fields->consumer_key,
                                  fields->method, fields->url };

    EVP_DigestInit_ex(sha1, EVP_sha1(), NULL);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        EVP_DigestUpdate(sha1, parts[i], strlen(parts[i]));
        EVP_DigestUpdate(sha1, "+", 1);
    }
    if (fields->body)
        EVP_DigestUpdate(sha1, fields->body, fields->body_size);
    EVP_DigestUpdate(sha1, "+", 1);
    EVP_DigestUpdate(sha1, fields->timestamp, strlen(fields->timestamp));
    EVP_DigestFinal_ex(sha1, hash, NULL);
    EVP_MD_CTX_free(sha1);

    snprintf(ret_signature, SIM_AUTH_SIGNATURE_SIZE, "$1$");
    for (size_t i = 0; i < 20; i++)
        snprintf(ret_signature + 3 + 2 * i, 3, "%02x", hash[i]);
}

json_t *sim_auth_find_key(const struct sim *sim, const char *consumer_key)
{
    const char *id = NULL;
    json_t *credential = NULL;

    json_object_foreach(json_object_get(sim->root, "credentials"), id, credential)
        if (strcmp(sim_state_text(credential, "_key"), consumer_key) == 0)
            return credential;
    return NULL;
}

void sim_auth_refresh(const struct sim *sim, json_t *credential)
{
    const json_t *expires = json_object_get(credential, "_expires_s");

    if (json_is_integer(expires) && json_integer_value(expires) <= sim_state_now_s(sim) &&
        strcmp(sim_state_text(credential, "status"), "validated") == 0)
        json_object_set_new(credential, "status", json_string("expired"));
}

static json_t *find_application(const struct sim *sim, const char *key)
{
    const char *id = NULL;
    json_t *application = NULL;

    json_object_foreach(json_object_get(sim->root, "applications"), id, application)
        if (strcmp(sim_state_text(application, "applicationKey"), key) == 0)
            return application;
    return NULL;
}

static bool is_usable(const json_t *application)
{
    const char *status = sim_state_text(application, "status");

    return strcmp(status, "active") == 0 || strcmp(status, "trusted") == 0;
}

bool sim_auth_application(struct sim *sim, struct sim_call *call)
{
    const char *key = sim_http_header(call->request, "X-Ovh-Application");

    call->application = key ? find_application(sim, key) : NULL;
    if (call->application && is_usable(call->application))
        return true;
    sim_call_refuse(call, 403, "Client::Forbidden", "Invalid application key");
    return false;
}

static bool check_keys(struct sim *sim, struct sim_call *call)
{
    const char *key = sim_http_header(call->request, "X-Ovh-Application");
    const char *consumer = sim_http_header(call->request, "X-Ovh-Consumer");

    call->application = key ? find_application(sim, key) : NULL;
    if (!call->application || !is_usable(call->application)) {
        sim_call_refuse_auth(call, 403, "INVALID_KEY", "This application key is invalid");
        return false;
    }
    call->credential = consumer ? sim_auth_find_key(sim, consumer) : NULL;
    /* A key of another application is as good as none. */
    if (!call->credential ||
        json_integer_value(json_object_get(call->credential, "applicationId")) !=
            json_integer_value(json_object_get(call->application, "applicationId"))) {
        call->credential = NULL;
        sim_call_refuse_auth(call, 403, "NOT_CREDENTIAL",
                             "This credential does not exist");
        return false;
    }
    return true;
}

/* The client has signed the URL that it was given. Seen from here that is https, the Host
 * header (no port where it is the default one) and the target as it came. */
static bool check_signature(const struct sim_call *call)
{
    const struct sim_http_request *request = call->request;
    const char *host = sim_http_header(request, "Host");
    const char *given = sim_http_header(request, "X-Ovh-Signature");
    const char *timestamp = sim_http_header(request, "X-Ovh-Timestamp");
    char wanted[SIM_AUTH_SIGNATURE_SIZE];

    if (!host || !given || !timestamp)
        return false;
    size_t size = strlen(host) + strlen(request->target) + 16;
    char *url = malloc(size);
    if (!url)
        return false;
    snprintf(url, size, "https://%s%s", host, request->target);
    const struct sim_auth_signed fields = {
        .application_secret = sim_state_text(call->application, "_secret"),
        .consumer_key = sim_state_text(call->credential, "_key"),
        .method = request->method,
        .url = url,
        .body = request->body,
        .body_size = request->body_size,
        .timestamp = timestamp,
    };
    sim_auth_sign(&fields, wanted);
    free(url);
    return strcmp(wanted, given) == 0;
}

static bool check_time(const struct sim *sim, const struct sim_call *call)
{
    const char *text = sim_http_header(call->request, "X-Ovh-Timestamp");
    int64_t timestamp = 0;

    return text && sim_text_parse_long(text, &timestamp) &&
           llabs(sim_state_now_s(sim) - timestamp) <= sim->settings.tolerance_s;
}

/* "127.0.0.1" or "127.0.0.0/8" */
static bool is_inside(const char *block, const char *peer)
{
    char text[64];
    struct in_addr network;
    struct in_addr address;
    int64_t bits = 32;

    snprintf(text, sizeof text, "%s", block);
    char *slash = strchr(text, '/');
    if (slash) {
        *slash++ = '\0';
        if (!sim_text_parse_long(slash, &bits) || bits < 0 || bits > 32)
            return false;
    }
    if (inet_pton(AF_INET, text, &network) != 1 ||
        inet_pton(AF_INET, peer, &address) != 1)
        return false;
    uint32_t mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
    return (ntohl(network.s_addr) & mask) == (ntohl(address.s_addr) & mask);
}

static bool check_address(const json_t *credential, const char *peer)
{
    const json_t *allowed = json_object_get(credential, "allowedIPs");
    const json_t *block = NULL;
    size_t i = 0;

    if (!json_is_array(allowed))
        return true;
    json_array_foreach(allowed, i, block)
        if (is_inside(json_string_value(block), peer))
            return true;
    return false;
}

static bool check_rules(const struct sim *sim, const struct sim_call *call)
{
    const json_t *rule = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(call->credential, "rules"), i, rule)
        if (strcmp(sim_state_text(rule, "method"), call->request->method) == 0 &&
            sim_route_allows(sim, sim_state_text(rule, "path"), call->path))
            return true;
    return false;
}

/* The key's own limit, or the one of all keys. */
static double limit_of(const json_t *credential, const char *member, json_int_t usual)
{
    const json_t *own = json_object_get(credential, member);

    return (double)(json_is_integer(own) ? json_integer_value(own) : usual);
}

/* A token bucket per consumer key. */
static bool check_rate(const struct sim *sim, json_t *credential)
{
    double per_min = limit_of(credential, "_rate_per_min", sim->settings.rate_per_min);
    double burst = limit_of(credential, "_rate_burst", sim->settings.rate_burst);
    double now = (double)sim_text_now_ms();
    const json_t *had = json_object_get(credential, "_tokens");
    double tokens = json_is_real(had) ? json_real_value(had) : burst;

    if (per_min <= 0.0)
        return true;
    if (json_is_real(had)) {
        double since = now - json_real_value(json_object_get(credential, "_tokens_at"));
        tokens += since * per_min / 60000.0;
    }
    if (tokens > burst)
        tokens = burst;
    bool enough = tokens >= 1.0;
    json_object_set_new(credential, "_tokens", json_real(enough ? tokens - 1.0 : tokens));
    json_object_set_new(credential, "_tokens_at", json_real(now));
    return enough;
}

static void refuse_rate(const struct sim *sim, struct sim_call *call)
{
    if (sim->settings.rate_retry_after_s >= 0)
        snprintf(call->plan.retry_after, sizeof call->plan.retry_after, "%lld",
                 (long long)sim->settings.rate_retry_after_s);
    sim_call_refuse_plain(call, 429, "Too many requests");
}

bool sim_auth_check(struct sim *sim, struct sim_call *call, const char *peer)
{
    if (!check_keys(sim, call))
        return false;
    if (!check_signature(call)) {
        sim_call_refuse_auth(call, 400, "INVALID_SIGNATURE", "Invalid signature");
        return false;
    }
    sim_auth_refresh(sim, call->credential);
    if (sim_state_flag(call->credential, "_revoked") ||
        strcmp(sim_state_text(call->credential, "status"), "validated") != 0) {
        sim_call_refuse_auth(call, 403, "INVALID_CREDENTIAL",
                             "This credential is not valid");
        return false;
    }
    if (!check_time(sim, call)) {
        sim_call_refuse_auth(call, 400, "QUERY_TIME_OUT", "Query out of time");
        return false;
    }
    if (!check_address(call->credential, peer)) {
        sim_call_refuse_auth(call, 403, "FORBIDDEN", "This address is not allowed");
        return false;
    }
    if (!check_rules(sim, call)) {
        sim_call_refuse_auth(call, 403, "NOT_GRANTED_CALL",
                             "This call has not been granted");
        return false;
    }
    if (!check_rate(sim, call->credential)) {
        refuse_rate(sim, call);
        return false;
    }
    char now[SIM_TEXT_DATETIME_SIZE];
    sim_text_datetime(sim_state_now_s(sim), now);
    json_object_set_new(call->credential, "lastUse", json_string(now));
    return true;
}

void sim_auth_time(struct sim *sim, struct sim_call *call)
{
    sim_call_answer(call, json_integer(sim_state_now_s(sim)));
}

/* What every credential has; ids and keys count up, so that runs repeat. */
static json_t *new_credential(struct sim *sim, const struct sim_call *call,
                              json_t *ret_answer)
{
    char key[33];
    char token[65];
    char creation[SIM_TEXT_DATETIME_SIZE];
    char url[256];
    const char *host = sim_http_header(call->request, "Host");
    unsigned number = ++sim->next_key;

    sim_text_key("consumer key", number, key, sizeof key);
    sim_text_key("validation", number, token, sizeof token);
    sim_text_datetime(sim_state_now_s(sim), creation);
    snprintf(url, sizeof url, "https://%.100s/auth/?credentialToken=%s", host ? host : "",
             token);
    json_object_set_new(ret_answer, "validationUrl", json_string(url));
    json_object_set_new(ret_answer, "consumerKey", json_string(key));
    json_object_set_new(ret_answer, "state", json_string("pendingValidation"));
    return json_pack(
        "{s:I,s:O,s:s,s:n,s:n,s:b,s:s,s:s,s:s,s:s}", "credentialId", sim_state_id(sim),
        "applicationId", json_object_get(call->application, "applicationId"), "creation",
        creation, "expiration", "lastUse", "ovhSupport", 0, "status", "pendingValidation",
        "_key", key, "_token", token, "_nic", sim_state_text(call->application, "_nic"));
}

void sim_auth_request_credential(struct sim *sim, struct sim_call *call)
{
    const json_t *allowed = json_object_get(call->body, "allowedIPs");
    json_t *rules = json_object_get(call->body, "accessRules");
    json_t *rule = NULL;
    char id[32];
    size_t i = 0;

    json_array_foreach(rules, i, rule) {
        if (!json_object_get(rule, "method") || !json_object_get(rule, "path")) {
            sim_call_refuse(call, 400, "Client::BadRequest",
                            "'accessRules' needs a method and a path in each rule");
            return;
        }
    }
    json_t *answer = json_object();
    json_t *credential = new_credential(sim, call, answer);
    json_object_set_new(credential, "rules", json_deep_copy(rules));
    json_object_set_new(credential, "allowedIPs",
                        allowed ? json_deep_copy(allowed) : json_null());
    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(credential, "credentialId")));
    json_object_set_new(json_object_get(sim->root, "credentials"), id, credential);
    call->effect = true;
    sim_call_answer(call, answer);
}

void sim_auth_current(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, sim_state_public(call->credential));
}

void sim_auth_details(struct sim *sim, struct sim_call *call)
{
    const char *nic = sim_state_text(call->credential, "_nic");
    char identity[160];

    (void)sim;
    snprintf(identity, sizeof identity, "urn:v1:eu:identity:account:%.100s", nic);
    sim_call_answer(call,
                    json_pack("{s:s,s:O,s:n,s:[s],s:s,s:n,s:n}", "account", nic,
                              "allowedRoutes", json_object_get(call->credential, "rules"),
                              "description", "identities", identity, "method", "account",
                              "roles", "user"));
}

void sim_auth_logout(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    json_object_set_new(call->credential, "status", json_string("expired"));
    call->effect = true;
    sim_call_answer(call, json_null());
}
