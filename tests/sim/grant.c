#include <stdio.h>
#include <string.h>

#include "family.h"
#include "state.h"
#include "text.h"

/* Rights of other mailboxes of the service, and further addresses. */
static const struct grant {
    const char *segment; /* of the path */
    const char *set;     /* of the mailbox */
    const char *member;  /* of the body that adds one: they differ */
    const char *add;
    const char *remove;
} grants[] = {
    { "/fullAccess", "_fullAccess", "allowedAccountId", "addFullAccess",
      "deleteFullAccess" },
    { "/sendAs", "_sendAs", "allowAccountId", "addSendAs", "deleteSendAs" },
    { "/sendOnBehalfTo", "_sendOnBehalfTo", "allowAccountId", "addSendOnBehalfTo",
      "deleteSendOnBehalfTo" },
};

static const struct grant *grant_of(const struct sim_call *call)
{
    for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++)
        if (strstr(call->route->path, grants[i].segment))
            return &grants[i];
    return &grants[0];
}

static void id_text(const struct sim_call *call, const char *argument, char text[32])
{
    snprintf(text, 32, "%lld",
             (long long)json_integer_value(json_object_get(call->args, argument)));
}

void sim_grant_list(struct sim *sim, struct sim_call *call)
{
    json_t *ids = json_array();
    const char *id = NULL;
    json_t *one = NULL;
    int64_t number = 0;

    (void)sim;
    json_object_foreach(json_object_get(call->account, grant_of(call)->set), id, one)
        if (sim_text_parse_long(id, &number))
            json_array_append_new(ids, json_integer(number));
    sim_call_answer(call, ids);
}

/* Puts one into its set of the mailbox, or takes it out. */
static void effect_put(struct sim *sim, struct sim_work *work, bool run)
{
    json_t *set = json_object_get(work->target, sim_state_text(work->detail, "set"));
    char date[SIM_TEXT_DATETIME_SIZE];

    sim_text_datetime(sim_state_now_s(sim), date);
    if (run)
        json_object_set_new(set, sim_state_text(work->detail, "what"), json_string(date));
    if (run && json_object_get(work->target, "numberOfAliases"))
        json_object_set_new(work->target, "numberOfAliases",
                            json_integer((json_int_t)json_object_size(
                                json_object_get(work->target, "_alias"))));
}

static void effect_take(struct sim *sim, struct sim_work *work, bool run)
{
    json_t *set = json_object_get(work->target, sim_state_text(work->detail, "set"));

    (void)sim;
    if (run)
        json_object_del(set, sim_state_text(work->detail, "what"));
    if (run && json_object_get(work->target, "numberOfAliases"))
        json_object_set_new(work->target, "numberOfAliases",
                            json_integer((json_int_t)json_object_size(
                                json_object_get(work->target, "_alias"))));
}

static json_t *detail_of(const char *set, const char *what)
{
    return json_pack("{s:s,s:s}", "set", set, "what", what);
}

static void answer_one(const struct sim *sim, struct sim_call *call, const char *set,
                       const char *what, const char *argument)
{
    json_t *date = json_object_get(json_object_get(call->account, set), what);

    if (!date) {
        sim_call_absent(sim, call, argument, what);
        return;
    }
    json_t *answer = json_pack("{s:O,s:i}", "creationDate", date, "taskPendingId", 0);
    json_object_set(answer, argument, json_object_get(call->args, argument));
    sim_call_answer(call, answer);
}

/* Not there twice, and no task under way: else the call has its answer. */
static bool may_add(const struct sim *sim, struct sim_call *call, const char *set,
                    const char *what)
{
    if (json_object_get(json_object_get(call->account, set), what)) {
        sim_call_refuse(call, 409, "Client::Conflict", "%.300s is there already", what);
        return false;
    }
    return sim_slot_check_idle(sim, call);
}

static void take_away(struct sim *sim, struct sim_call *call, const char *function,
                      const char *set, const char *what)
{
    if (sim_slot_check_idle(sim, call))
        sim_slot_answer_task(sim, call, function, effect_take, detail_of(set, what));
}

void sim_grant_add(struct sim *sim, struct sim_call *call)
{
    const struct grant *grant = grant_of(call);
    char id[32];

    id_text(call, grant->member, id);
    if (!json_object_get(json_object_get(call->service, "_by_id"), id))
        sim_call_absent(sim, call, grant->member, id);
    else if (may_add(sim, call, grant->set, id))
        sim_slot_answer_task(sim, call, grant->add, effect_put,
                             detail_of(grant->set, id));
}

void sim_grant_show(struct sim *sim, struct sim_call *call)
{
    char id[32];

    id_text(call, "allowedAccountId", id);
    answer_one(sim, call, grant_of(call)->set, id, "allowedAccountId");
}

void sim_grant_delete(struct sim *sim, struct sim_call *call)
{
    const struct grant *grant = grant_of(call);
    char id[32];

    id_text(call, "allowedAccountId", id);
    if (json_object_get(json_object_get(call->account, grant->set), id))
        take_away(sim, call, grant->remove, grant->set, id);
    else
        sim_call_absent(sim, call, "allowedAccountId", id);
}

void sim_grant_aliases(struct sim *sim, struct sim_call *call)
{
    json_t *names = json_array();
    const char *alias = NULL;
    json_t *date = NULL;

    (void)sim;
    json_object_foreach(json_object_get(call->account, "_alias"), alias, date)
        json_array_append_new(names, json_string(alias));
    sim_call_answer(call, names);
}

void sim_grant_add_alias(struct sim *sim, struct sim_call *call)
{
    const char *alias = sim_call_text(call, "alias");
    const char *at = strrchr(alias, '@');

    if (!at || !json_object_get(json_object_get(call->service, "domains"), at + 1))
        sim_call_refuse(call, 400, "Client::BadRequest", "'alias' is not valid");
    else if (may_add(sim, call, "_alias", alias))
        sim_slot_answer_task(sim, call, "addAlias", effect_put,
                             detail_of("_alias", alias));
}

void sim_grant_alias(struct sim *sim, struct sim_call *call)
{
    answer_one(sim, call, "_alias", sim_call_text(call, "alias"), "alias");
}

void sim_grant_delete_alias(struct sim *sim, struct sim_call *call)
{
    const char *alias = sim_call_text(call, "alias");

    if (json_object_get(json_object_get(call->account, "_alias"), alias))
        take_away(sim, call, "deleteAlias", "_alias", alias);
    else
        sim_call_absent(sim, call, "alias", alias);
}
