#include <stdio.h>
#include <string.h>

#include "identity.h"
#include "resource.h"
#include "route.h"
#include "seed.h"
#include "state.h"
#include "text.h"

/* /v2/iam/policy: what service accounts, users and other accounts may do. */

#define ONE "/v2/iam/policy/{policyId}"
#define POLICY                             \
    {                                      \
        SIM_PATH, "policyId", "uuid", true \
    }
#define DETAILS                                \
    {                                          \
        SIM_QUERY, "details", "boolean", false \
    }

static sim_handler list_policies;
static sim_handler add_policy;
static sim_handler show_policy;
static sim_handler delete_policy;

/* clang-format off */
static const struct sim_route routes[] = {
    { "GET", "/v2/iam/policy", SIM_SIGNED, list_policies, "iam.policy.Response[]",
      { { SIM_HEADER, "X-Pagination-Cursor", "string", false },
        { SIM_HEADER, "X-Pagination-Size", "long", false },
        { SIM_QUERY, "action", "string[]", false }, DETAILS,
        { SIM_QUERY, "identity", "string[]", false },
        { SIM_QUERY, "readOnly", "boolean", false },
        { SIM_QUERY, "resourceURN", "string[]", false } } },
    { "POST", "/v2/iam/policy", SIM_SIGNED, add_policy, "iam.policy.Response",
      { { SIM_BODY, "", "iam.policy.Creation", true } } },
    { "GET", ONE, SIM_SIGNED, show_policy, "iam.policy.Response", { POLICY, DETAILS } },
    { "DELETE", ONE, SIM_SIGNED, delete_policy, "void", { POLICY } },
};
/* clang-format on */

const struct sim_route_table sim_iam_table = {
    routes,
    sizeof routes / sizeof routes[0],
};

static json_t *policies_of(const struct sim *sim)
{
    return json_object_get(sim->root, "policies");
}

/* A list of the wish, or an empty one. */
static json_t *list_or_empty(const json_t *wish, const char *member)
{
    json_t *list = json_object_get(wish, member);

    return json_is_array(list) ? json_deep_copy(list) : json_array();
}

/* {"urn"} with what the answer says besides. */
static json_t *new_resources(const json_t *wish)
{
    json_t *resources = json_array();
    const json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(wish, "resources"), i, one)
        json_array_append_new(resources, json_pack("{s:n,s:n,s:s}", "group", "resource",
                                                   "urn", sim_state_text(one, "urn")));
    return resources;
}

static json_t *put_policy(struct sim *sim, const char *nic, const json_t *wish,
                          json_int_t age_s)
{
    const json_t *permissions = json_object_get(wish, "permissions");
    char id[SIM_UUID_SIZE];
    char creation[SIM_TEXT_DATETIME_SIZE];

    sim_work_uuid(sim_state_id(sim), id);
    sim_text_datetime(sim_state_now_s(sim) - age_s, creation);
    json_t *policy = json_pack(
        "{s:n,s:s,s:s?,s:s?,s:s,s:o,s:s,s:s,s:{s:o,s:o,s:o},s:[],s:b,s:o,s:n,s:s}",
        "conditions", "createdAt", creation, "description",
        json_string_value(json_object_get(wish, "description")), "expiredAt",
        json_string_value(json_object_get(wish, "expiredAt")), "id", id, "identities",
        list_or_empty(wish, "identities"), "name", sim_state_text(wish, "name"), "owner",
        nic, "permissions", "allow", list_or_empty(permissions, "allow"), "deny",
        list_or_empty(permissions, "deny"), "except",
        list_or_empty(permissions, "except"), "permissionsGroups", "readOnly",
        sim_state_flag(wish, "readOnly"), "resources", new_resources(wish), "updatedAt",
        "_nic", nic);
    json_object_set_new(policies_of(sim), id, policy);
    return policy;
}

/* A seed has the members of a creation, and "readOnly" and "age". */
bool sim_iam_seed(struct sim *sim, json_t *entry, char *why, size_t size)
{
    const char *nic = sim_state_text(entry, "nic");

    if (!json_object_get(json_object_get(sim->root, "nics"), nic)) {
        snprintf(why, size, "no account is called '%.100s'", nic);
        return false;
    }
    const json_t *policy =
        put_policy(sim, nic, entry, sim_seed_number_or(entry, "age", 0));
    sim_seed_note(sim, "policies", json_incref(json_object_get(policy, "id")));
    return true;
}

static bool names_identity(const json_t *policy, const char *identity)
{
    const json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(policy, "identities"), i, one)
        if (strcmp(json_string_value(one), identity) == 0)
            return true;
    return false;
}

static bool is_over(const struct sim *sim, const json_t *policy)
{
    int64_t end_s = 0;

    return sim_text_parse_datetime(sim_state_text(policy, "expiredAt"), &end_s) &&
           end_s <= sim_state_now_s(sim);
}

bool sim_iam_allows(const struct sim *sim, const char *identity, const char *action)
{
    const char *id = NULL;
    const json_t *policy = NULL;
    const json_t *one = NULL;
    size_t i = 0;

    json_object_foreach(policies_of(sim), id, policy) {
        if (!names_identity(policy, identity) || is_over(sim, policy))
            continue;
        json_array_foreach(
            json_object_get(json_object_get(policy, "permissions"), "allow"), i, one)
            if (sim_text_glob(sim_state_text(one, "action"), action))
                return true;
    }
    return false;
}

static bool is_own(const struct sim_call *call, const json_t *policy)
{
    return strcmp(sim_state_text(policy, "_nic"),
                  sim_state_text(call->credential, "_nic")) == 0;
}

/* Filters on actions and resources are taken, and leave all that is there. */
static json_t *view_policy(struct sim *sim, const struct sim_call *call, json_t *policy)
{
    const char *identity = sim_call_text(call, "identity");
    const json_t *read_only = json_object_get(call->args, "readOnly");

    (void)sim;
    if (!is_own(call, policy) || (identity && !names_identity(policy, identity)) ||
        (read_only && json_is_true(read_only) != sim_state_flag(policy, "readOnly")))
        return NULL;
    return sim_state_public(policy);
}

static void list_policies(struct sim *sim, struct sim_call *call)
{
    sim_resource_page(sim, call, policies_of(sim), view_policy);
}

static void add_policy(struct sim *sim, struct sim_call *call)
{
    json_t *policy =
        put_policy(sim, sim_state_text(call->credential, "_nic"), call->body, 0);

    call->effect = true;
    sim_call_answer(call, sim_state_public(policy));
}

static json_t *find_policy(const struct sim *sim, struct sim_call *call)
{
    const char *id = sim_call_text(call, "policyId");
    json_t *policy = json_object_get(policies_of(sim), id);

    if (policy && is_own(call, policy))
        return policy;
    sim_call_absent(sim, call, "policyId", id);
    return NULL;
}

static void show_policy(struct sim *sim, struct sim_call *call)
{
    json_t *policy = find_policy(sim, call);

    if (policy)
        sim_call_answer(call, sim_state_public(policy));
}

static void delete_policy(struct sim *sim, struct sim_call *call)
{
    const json_t *policy = find_policy(sim, call);

    if (!policy)
        return;
    if (sim_state_flag(policy, "readOnly")) {
        sim_call_refuse(call, 403, "Client::Forbidden", "This policy is read-only");
        return;
    }
    json_object_del(policies_of(sim), sim_call_text(call, "policyId"));
    call->effect = true;
    sim_call_answer(call, json_null());
}
