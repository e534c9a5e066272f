#include "identity.h"

#include <stdio.h>
#include <string.h>

#include "family.h"
#include "route.h"
#include "state.h"
#include "text.h"

/* /me/identity/user and /me/subAccount: who else may act for the account. That a token of
 * a user opens the API is not simulated. */

#define USER                             \
    {                                    \
        SIM_PATH, "user", "string", true \
    }
#define TOKEN                            \
    {                                    \
        SIM_PATH, "name", "string", true \
    }
#define ID                           \
    {                                \
        SIM_PATH, "id", "long", true \
    }

static sim_handler list_users;
static sim_handler add_user;
static sim_handler show_user;
static sim_handler delete_user;
static sim_handler disable_user;
static sim_handler enable_user;
static sim_handler list_tokens;
static sim_handler add_token;
static sim_handler show_token;
static sim_handler delete_token;
static sim_handler list_sub_accounts;
static sim_handler add_sub_account;
static sim_handler show_sub_account;

/* clang-format off */
static const struct sim_route routes[] = {
    { "GET", "/me/identity/user", SIM_SIGNED, list_users, "string[]", { { 0 } } },
    { "POST", "/me/identity/user", SIM_SIGNED, add_user, "void",
      { { SIM_BODY, "", "auth.UserRequest", true } } },
    { "GET", "/me/identity/user/{user}", SIM_SIGNED, show_user, "auth.User", { USER } },
    { "DELETE", "/me/identity/user/{user}", SIM_SIGNED, delete_user, "void", { USER } },
    { "POST", "/me/identity/user/{user}/disable", SIM_SIGNED, disable_user, "void",
      { USER } },
    { "POST", "/me/identity/user/{user}/enable", SIM_SIGNED, enable_user, "void",
      { USER } },
    { "GET", "/me/identity/user/{user}/token", SIM_SIGNED, list_tokens, "string[]",
      { USER } },
    { "POST", "/me/identity/user/{user}/token", SIM_SIGNED, add_token,
      "auth.PersonalAccessTokenResponse",
      { USER, { SIM_BODY, "", "auth.PersonalAccessTokenRequest", true } } },
    { "GET", "/me/identity/user/{user}/token/{name}", SIM_SIGNED, show_token,
      "auth.PersonalAccessToken", { USER, TOKEN } },
    { "DELETE", "/me/identity/user/{user}/token/{name}", SIM_SIGNED, delete_token, "void",
      { USER, TOKEN } },
    { "GET", "/me/subAccount", SIM_SIGNED, list_sub_accounts, "long[]", { { 0 } } },
    { "POST", "/me/subAccount", SIM_SIGNED, add_sub_account, "long",
      { { SIM_BODY, "description", "string", false } } },
    { "GET", "/me/subAccount/{id}", SIM_SIGNED, show_sub_account, "nichandle.SubAccount",
      { ID } },
};
/* clang-format on */

const struct sim_route_table sim_identity_table = {
    routes,
    sizeof routes / sizeof routes[0],
};

static const char *nic_of(const struct sim_call *call)
{
    return sim_state_text(call->credential, "_nic");
}

static json_t *date_before(const struct sim *sim, json_int_t age_s)
{
    char date[SIM_TEXT_DATETIME_SIZE];

    sim_text_datetime(sim_state_now_s(sim) - age_s, date);
    return json_string(date);
}

/* A date of a seed, by its age in seconds; null if it is not given. */
static json_t *date_or_null(const struct sim *sim, const json_t *entry,
                            const char *member)
{
    const json_t *age = json_object_get(entry, member);

    return json_is_integer(age) ? date_before(sim, json_integer_value(age)) : json_null();
}

static bool check_nic(const struct sim *sim, const json_t *entry, char *why, size_t size)
{
    const char *nic = sim_state_text(entry, "nic");

    if (json_object_get(json_object_get(sim->root, "nics"), nic))
        return true;
    snprintf(why, size, "no account is called '%.100s'", nic);
    return false;
}

/* --- users --- */

static json_t *users_of(const struct sim *sim)
{
    return json_object_get(sim->root, "users");
}

static json_t *put_user(struct sim *sim, const char *nic, const json_t *wish,
                        json_int_t age_s)
{
    const char *login = sim_state_text(wish, "login");
    const char *group = sim_seed_text_or(wish, "group", "DEFAULT");
    char key[400];
    char urn[400];

    snprintf(key, sizeof key, "%.100s/%.200s", nic, login);
    snprintf(urn, sizeof urn, "urn:v1:eu:identity:user:%.100s/%.200s", nic, login);
    json_t *user = json_pack(
        "{s:o,s:s,s:s?,s:s,s:[s],s:o,s:s,s:n,s:s,s:s,s:s,s:s,s:{}}", "creation",
        date_before(sim, age_s), "description", sim_seed_text_or(wish, "description", ""),
        "email", json_string_value(json_object_get(wish, "email")), "group", group,
        "groups", group, "lastUpdate", date_before(sim, age_s), "login", login,
        "passwordLastUpdate", "status", sim_seed_text_or(wish, "status", "OK"), "type",
        sim_seed_text_or(wish, "type", "USER"), "urn", urn, "_nic", nic, "_tokens");
    json_object_set_new(users_of(sim), key, user);
    return user;
}

static json_t *new_token(const struct sim *sim, const json_t *wish, json_int_t age_s)
{
    return json_pack("{s:o,s:s,s:n,s:o,s:s}", "creation", date_before(sim, age_s),
                     "description", sim_seed_text_or(wish, "description", ""),
                     "expiresAt", "lastUsed", date_or_null(sim, wish, "last_used_age"),
                     "name", sim_state_text(wish, "name"));
}

bool sim_identity_seed_user(struct sim *sim, json_t *entry, char *why, size_t size)
{
    const json_t *one = NULL;
    size_t i = 0;

    if (!check_nic(sim, entry, why, size))
        return false;
    json_t *user = put_user(sim, sim_state_text(entry, "nic"), entry,
                            sim_seed_number_or(entry, "age", 0));
    json_array_foreach(json_object_get(entry, "tokens"), i, one) {
        const json_t *left = json_object_get(one, "expiration");
        json_t *token = new_token(sim, one, sim_seed_number_or(one, "age", 0));
        if (json_is_integer(left))
            json_object_set_new(token, "expiresAt",
                                date_before(sim, -json_integer_value(left)));
        json_object_set_new(json_object_get(user, "_tokens"), sim_state_text(one, "name"),
                            token);
    }
    return true;
}

static json_t *find_user(const struct sim *sim, struct sim_call *call)
{
    const char *login = sim_call_text(call, "user");
    char key[400];

    snprintf(key, sizeof key, "%.100s/%.200s", nic_of(call), login);
    json_t *user = json_object_get(users_of(sim), key);
    if (!user)
        sim_call_absent(sim, call, "user", login);
    return user;
}

static void list_users(struct sim *sim, struct sim_call *call)
{
    json_t *logins = json_array();
    const char *key = NULL;
    json_t *user = NULL;

    json_object_foreach(users_of(sim), key, user)
        if (strcmp(sim_state_text(user, "_nic"), nic_of(call)) == 0)
            json_array_append(logins, json_object_get(user, "login"));
    sim_call_answer(call, logins);
}

static void add_user(struct sim *sim, struct sim_call *call)
{
    const char *login = sim_state_text(call->body, "login");
    char key[400];

    snprintf(key, sizeof key, "%.100s/%.200s", nic_of(call), login);
    if (!*login || strchr(login, '/')) {
        sim_call_refuse(call, 400, "Client::BadRequest", "'login' is not valid");
        return;
    }
    if (json_object_get(users_of(sim), key)) {
        sim_call_refuse(call, 409, "Client::Conflict", "This login is taken");
        return;
    }
    put_user(sim, nic_of(call), call->body, 0);
    call->effect = true;
    sim_call_answer(call, json_null());
}

static void show_user(struct sim *sim, struct sim_call *call)
{
    json_t *user = find_user(sim, call);

    if (user)
        sim_call_answer(call, sim_state_public(user));
}

/* The account itself is listed as a user, too, and stays. */
static json_t *find_other(const struct sim *sim, struct sim_call *call)
{
    json_t *user = find_user(sim, call);

    if (!user || strcmp(sim_state_text(user, "type"), "ROOT") != 0)
        return user;
    sim_call_refuse(call, 403, "Client::Forbidden", "This is the account itself");
    return NULL;
}

static void delete_user(struct sim *sim, struct sim_call *call)
{
    char key[400];

    if (!find_other(sim, call))
        return;
    snprintf(key, sizeof key, "%.100s/%.200s", nic_of(call), sim_call_text(call, "user"));
    json_object_del(users_of(sim), key);
    call->effect = true;
    sim_call_answer(call, json_null());
}

static void set_status(const struct sim *sim, struct sim_call *call, const char *status)
{
    json_t *user = find_other(sim, call);

    if (!user)
        return;
    json_object_set_new(user, "status", json_string(status));
    call->effect = true;
    sim_call_answer(call, json_null());
}

static void disable_user(struct sim *sim, struct sim_call *call)
{
    set_status(sim, call, "DISABLED");
}

static void enable_user(struct sim *sim, struct sim_call *call)
{
    set_status(sim, call, "OK");
}

/* --- tokens --- */

static void list_tokens(struct sim *sim, struct sim_call *call)
{
    json_t *user = find_user(sim, call);
    json_t *names = json_array();
    const char *name = NULL;
    json_t *token = NULL;

    json_object_foreach(json_object_get(user, "_tokens"), name, token)
        json_array_append_new(names, json_string(name));
    if (user)
        sim_call_answer(call, names);
    else
        json_decref(names);
}

static void add_token(struct sim *sim, struct sim_call *call)
{
    json_t *user = find_user(sim, call);
    json_t *tokens = json_object_get(user, "_tokens");
    const char *name = sim_state_text(call->body, "name");
    const json_t *left = json_object_get(call->body, "expiresIn");
    char text[201];

    if (!user)
        return;
    if (json_object_get(tokens, name)) {
        sim_call_refuse(call, 409, "Client::Conflict", "This name is taken");
        return;
    }
    json_t *token = new_token(sim, call->body, 0);
    if (left)
        json_object_set_new(token, "expiresAt",
                            date_before(sim, -json_integer_value(left)));
    json_object_set_new(tokens, name, token);
    json_t *answer = json_deep_copy(token);
    sim_text_key("personal token", ++sim->next_key, text, sizeof text);
    json_object_set_new(answer, "token", json_string(text));
    call->effect = true;
    sim_call_answer(call, answer);
}

static json_t *find_token(const struct sim *sim, struct sim_call *call, json_t **ret_set)
{
    json_t *user = find_user(sim, call);
    const char *name = sim_call_text(call, "name");

    *ret_set = json_object_get(user, "_tokens");
    json_t *token = json_object_get(*ret_set, name);
    if (user && !token)
        sim_call_absent(sim, call, "name", name);
    return token;
}

static void show_token(struct sim *sim, struct sim_call *call)
{
    json_t *set = NULL;
    json_t *token = find_token(sim, call, &set);

    if (token)
        sim_call_answer(call, sim_state_public(token));
}

static void delete_token(struct sim *sim, struct sim_call *call)
{
    json_t *set = NULL;

    if (!find_token(sim, call, &set))
        return;
    json_object_del(set, sim_call_text(call, "name"));
    call->effect = true;
    sim_call_answer(call, json_null());
}

/* --- sub-accounts: they can be made and read, and nothing removes them --- */

static json_t *put_sub_account(struct sim *sim, const char *nic, const char *description,
                               json_int_t age_s)
{
    json_int_t id = sim_state_id(sim);
    char key[32];

    snprintf(key, sizeof key, "%lld", (long long)id);
    json_t *one = json_pack("{s:o,s:s?,s:I,s:s}", "creationDate", date_before(sim, age_s),
                            "description", description, "id", id, "_nic", nic);
    json_object_set_new(json_object_get(sim->root, "sub_accounts"), key, one);
    return one;
}

bool sim_identity_seed_sub_account(struct sim *sim, json_t *entry, char *why, size_t size)
{
    if (!check_nic(sim, entry, why, size))
        return false;
    put_sub_account(sim, sim_state_text(entry, "nic"),
                    json_string_value(json_object_get(entry, "description")),
                    sim_seed_number_or(entry, "age", 0));
    return true;
}

static void list_sub_accounts(struct sim *sim, struct sim_call *call)
{
    json_t *ids = json_array();
    const char *key = NULL;
    json_t *one = NULL;

    json_object_foreach(json_object_get(sim->root, "sub_accounts"), key, one)
        if (strcmp(sim_state_text(one, "_nic"), nic_of(call)) == 0)
            json_array_append(ids, json_object_get(one, "id"));
    sim_call_answer(call, ids);
}

static void add_sub_account(struct sim *sim, struct sim_call *call)
{
    const json_t *one =
        put_sub_account(sim, nic_of(call), sim_call_text(call, "description"), 0);

    call->effect = true;
    sim_call_answer(call, json_incref(json_object_get(one, "id")));
}

static void show_sub_account(struct sim *sim, struct sim_call *call)
{
    char key[32];

    snprintf(key, sizeof key, "%lld",
             (long long)json_integer_value(json_object_get(call->args, "id")));
    json_t *one = json_object_get(json_object_get(sim->root, "sub_accounts"), key);
    if (one && strcmp(sim_state_text(one, "_nic"), nic_of(call)) == 0)
        sim_call_answer(call, sim_state_public(one));
    else
        sim_call_absent(sim, call, "id", key);
}
