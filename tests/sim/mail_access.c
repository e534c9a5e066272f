#include <stdio.h>
#include <string.h>

#include "mail.h"
#include "state.h"
#include "text.h"

/* Delegations and the access list are both sets of account ids. */
static bool has(const json_t *set, const char *id)
{
    const json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(set, i, one)
        if (strcmp(json_string_value(one), id) == 0)
            return true;
    return false;
}

static void take_out(json_t *set, const char *id)
{
    for (size_t i = json_array_size(set); i > 0; i--)
        if (strcmp(json_string_value(json_array_get(set, i - 1)), id) == 0)
            json_array_remove(set, i - 1);
}

/* Adds the id of the body; false if it is there already. */
static bool add(struct sim_call *call, json_t *set)
{
    const char *id = sim_call_text(call, "accountId");

    if (has(set, id)) {
        sim_call_refuse(call, 409, "Client::Conflict", "%s has this access already", id);
        return false;
    }
    json_array_append_new(set, json_string(id));
    call->effect = true;
    return true;
}

/* Is the id of the path in the set? Else the call has its answer. */
static bool find(const struct sim *sim, struct sim_call *call, const json_t *set)
{
    const char *id = sim_call_text(call, "accountId");

    if (has(set, id))
        return true;
    sim_call_absent(sim, call, "accountId", id);
    return false;
}

static void answer_id(struct sim_call *call)
{
    sim_call_answer(call,
                    json_pack("{s:s}", "accountId", sim_call_text(call, "accountId")));
}

void sim_mail_delegations(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, json_deep_copy(json_object_get(call->account, "_delegations")));
}

void sim_mail_add_delegation(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    if (add(call, json_object_get(call->account, "_delegations")))
        sim_call_answer(call, json_string(sim_call_text(call, "accountId")));
}

void sim_mail_delegation(struct sim *sim, struct sim_call *call)
{
    if (find(sim, call, json_object_get(call->account, "_delegations")))
        answer_id(call);
}

void sim_mail_delete_delegation(struct sim *sim, struct sim_call *call)
{
    json_t *set = json_object_get(call->account, "_delegations");

    if (!find(sim, call, set))
        return;
    take_out(set, sim_call_text(call, "accountId"));
    call->effect = true;
    sim_call_answer(call, json_string(sim_call_text(call, "accountId")));
}

void sim_mail_acls(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, json_deep_copy(json_object_get(call->domain, "acl")));
}

void sim_mail_add_acl(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    if (add(call, json_object_get(call->domain, "acl")))
        answer_id(call);
}

void sim_mail_acl(struct sim *sim, struct sim_call *call)
{
    if (find(sim, call, json_object_get(call->domain, "acl")))
        answer_id(call);
}

void sim_mail_delete_acl(struct sim *sim, struct sim_call *call)
{
    json_t *set = json_object_get(call->domain, "acl");

    if (!find(sim, call, set))
        return;
    take_out(set, sim_call_text(call, "accountId"));
    call->effect = true;
    sim_call_answer(call, json_null());
}

/* Redirections. The id of a task is not the id of its redirection. */

void sim_mail_redirections(struct sim *sim, struct sim_call *call)
{
    const char *from = sim_call_text(call, "from");
    const char *to = sim_call_text(call, "to");
    const char *id = NULL;
    json_t *one = NULL;
    json_t *ids = json_array();

    (void)sim;
    json_object_foreach(json_object_get(call->domain, "redirections"), id, one)
        if ((!from || sim_text_like(from, sim_state_text(one, "from"))) &&
            (!to || sim_text_like(to, sim_state_text(one, "to"))) &&
            !sim_state_flag(one, "_pending"))
            json_array_append_new(ids, json_string(id));
    sim_call_answer(call, ids);
}

void sim_mail_redirection(struct sim *sim, struct sim_call *call)
{
    sim_mail_answer_one(sim, call, json_object_get(call->domain, "redirections"), "id");
}

/* "from" must lie in the domain; "to" must look like an address. */
static bool check_redirection(struct sim_call *call, const char *from, const char *to)
{
    const char *at = strchr(from, '@');
    const char *bad = NULL;

    if (!at || at == from || strcmp(at + 1, sim_call_text(call, "domain")) != 0)
        bad = "from";
    else if (!strchr(to, '@') || to[0] == '@' || !strchr(to, '@')[1])
        bad = "to";
    if (bad)
        sim_call_refuse(call, 400, "Client::BadRequest", "'%s' is not a valid address",
                        bad);
    return !bad;
}

static void answer_task(struct sim *sim, struct sim_call *call, enum sim_task_kind kind,
                        const json_t *redirection)
{
    sim_mail_answer_task(sim, call, kind, sim_state_text(redirection, "from"),
                         sim_state_text(redirection, "id"));
}

void sim_mail_add_redirection(struct sim *sim, struct sim_call *call)
{
    const char *from = sim_state_text(call->body, "from");
    const char *to = sim_state_text(call->body, "to");
    char id[32];

    if (!check_redirection(call, from, to))
        return;
    snprintf(id, sizeof id, "%lld", (long long)sim_state_id(sim));
    json_t *one =
        json_pack("{s:s,s:s,s:s,s:b,s:O}", "id", id, "from", from, "to", to, "_pending",
                  1, "_local_copy", json_object_get(call->body, "localCopy"));
    json_object_set_new(json_object_get(call->domain, "redirections"), id, one);
    answer_task(sim, call, SIM_TASK_REDIRECTION_ADD, one);
}

void sim_mail_delete_redirection(struct sim *sim, struct sim_call *call)
{
    const char *id = sim_call_text(call, "id");
    const json_t *one =
        json_object_get(json_object_get(call->domain, "redirections"), id);

    if (one)
        answer_task(sim, call, SIM_TASK_REDIRECTION_DELETE, one);
    else
        sim_call_absent(sim, call, "id", id);
}
