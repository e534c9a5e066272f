#include <stdio.h>
#include <string.h>

#include "mail.h"
#include "state.h"
#include "text.h"

/* What handles mail by itself: filters of a mailbox, responders, mailing lists. All that
 * changes them is a task. */

void sim_mail_answer_one(const struct sim *sim, struct sim_call *call, const json_t *set,
                         const char *argument)
{
    const char *name = sim_call_text(call, argument);
    json_t *one = json_object_get(set, name);

    if (one && !sim_state_flag(one, "_pending"))
        sim_call_answer(call, sim_state_public(one));
    else
        sim_call_absent(sim, call, argument, name);
}

void sim_mail_answer_task(struct sim *sim, struct sim_call *call, enum sim_task_kind kind,
                          const char *name, const char *target)
{
    const char *domain = sim_call_text(call, "domain");
    const struct sim_task_order order = {
        .kind = kind,
        .domain = domain,
        .name = name,
        .target = target,
        .plan = &call->plan,
    };
    json_int_t id = sim_task_add(sim, &order);
    json_t *task = sim_task_show(sim, sim_task_list_of(kind), domain, id);

    call->effect = true;
    /* OVH says that deleting a filter may take several. */
    sim_call_answer(call, kind == SIM_TASK_FILTER_DELETE ? json_pack("[o]", task) : task);
}

static bool is_address(const char *text)
{
    const char *at = strchr(text, '@');

    return at && at != text && at[1];
}

static bool check_address(struct sim_call *call, const char *argument)
{
    const char *text = sim_call_text(call, argument);

    if (!text || is_address(text))
        return true;
    sim_call_refuse(call, 400, "Client::BadRequest", "'%s' is not a valid address",
                    argument);
    return false;
}

static bool check_new(struct sim_call *call, const json_t *set, const char *argument)
{
    const char *name = sim_call_text(call, argument);

    if (*name && !json_object_get(set, name))
        return true;
    sim_call_refuse(call, *name ? 409 : 400,
                    *name ? "Client::Conflict" : "Client::BadRequest",
                    "'%s' is empty, or there already", argument);
    return false;
}

/* --- filters --- */

void sim_mail_filters(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call,
                    sim_mail_names(json_object_get(call->account, "_filters"), NULL));
}

void sim_mail_filter(struct sim *sim, struct sim_call *call)
{
    sim_mail_answer_one(sim, call, json_object_get(call->account, "_filters"), "name");
}

void sim_mail_add_filter(struct sim *sim, struct sim_call *call)
{
    json_t *filters = json_object_get(call->account, "_filters");
    const char *name = sim_call_text(call, "name");
    const char *account = sim_call_text(call, "accountName");

    if (!check_new(call, filters, "name"))
        return;
    json_object_set_new(
        filters, name,
        json_pack("{s:s,s:s?,s:O,s:s,s:s,s:s,s:O,s:b}", "action",
                  sim_call_text(call, "action"), "actionParam",
                  sim_call_text(call, "actionParam"), "active",
                  json_object_get(call->args, "active"), "domain",
                  sim_call_text(call, "domain"), "name", name, "pop", account, "priority",
                  json_object_get(call->args, "priority"), "_pending", 1));
    sim_mail_answer_task(sim, call, SIM_TASK_FILTER_ADD, account, name);
}

void sim_mail_delete_filter(struct sim *sim, struct sim_call *call)
{
    const char *name = sim_call_text(call, "name");

    if (json_object_get(json_object_get(call->account, "_filters"), name))
        sim_mail_answer_task(sim, call, SIM_TASK_FILTER_DELETE,
                             sim_call_text(call, "accountName"), name);
    else
        sim_call_absent(sim, call, "name", name);
}

/* --- responders --- */

void sim_mail_responders(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, sim_mail_names(json_object_get(call->domain, "responders"),
                                         sim_call_text(call, "account")));
}

void sim_mail_responder(struct sim *sim, struct sim_call *call)
{
    sim_mail_answer_one(sim, call, json_object_get(call->domain, "responders"),
                        "account");
}

void sim_mail_add_responder(struct sim *sim, struct sim_call *call)
{
    json_t *responders = json_object_get(call->domain, "responders");
    const char *account = sim_call_text(call, "account");

    if (!check_new(call, responders, "account") || !check_address(call, "copyTo"))
        return;
    json_object_set_new(responders, account,
                        json_pack("{s:s,s:s,s:O,s:s?,s:s?,s:s?,s:b}", "account", account,
                                  "content", sim_call_text(call, "content"), "copy",
                                  json_object_get(call->args, "copy"), "copyTo",
                                  sim_call_text(call, "copyTo"), "from",
                                  sim_call_text(call, "from"), "to",
                                  sim_call_text(call, "to"), "_pending", 1));
    sim_mail_answer_task(sim, call, SIM_TASK_RESPONDER_ADD, account, account);
}

void sim_mail_delete_responder(struct sim *sim, struct sim_call *call)
{
    const char *account = sim_call_text(call, "account");

    if (json_object_get(json_object_get(call->domain, "responders"), account))
        sim_mail_answer_task(sim, call, SIM_TASK_RESPONDER_DELETE, account, account);
    else
        sim_call_absent(sim, call, "account", account);
}

/* --- mailing lists --- */

void sim_mail_lists(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, sim_mail_names(json_object_get(call->domain, "lists"),
                                         sim_call_text(call, "name")));
}

void sim_mail_list(struct sim *sim, struct sim_call *call)
{
    sim_mail_answer_one(sim, call, json_object_get(call->domain, "lists"), "name");
}

/* The addresses of the list of the path; NULL: call has its answer. */
static const json_t *people_of(const struct sim *sim, struct sim_call *call,
                               const char *member)
{
    const char *name = sim_call_text(call, "name");
    const json_t *list = json_object_get(json_object_get(call->domain, "lists"), name);

    if (!list)
        sim_call_absent(sim, call, "name", name);
    return json_object_get(list, member);
}

static bool is_among(const json_t *people, const char *email)
{
    const json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(people, i, one)
        if (strcmp(json_string_value(one), email) == 0)
            return true;
    return false;
}

static void answer_people(const struct sim *sim, struct sim_call *call,
                          const char *member)
{
    const char *filter = sim_call_text(call, "email");
    const json_t *people = people_of(sim, call, member);
    json_t *shown = NULL;
    const json_t *one = NULL;
    size_t i = 0;

    if (!people)
        return;
    shown = json_array();
    json_array_foreach(people, i, one)
        if (!filter || sim_text_like(filter, json_string_value(one)))
            json_array_append_new(shown, json_string(json_string_value(one)));
    sim_call_answer(call, shown);
}

static void answer_person(const struct sim *sim, struct sim_call *call,
                          const char *member)
{
    const char *email = sim_call_text(call, "email");
    const json_t *people = people_of(sim, call, member);

    if (people && is_among(people, email))
        sim_call_answer(call, json_pack("{s:s,s:s,s:s}", "domain",
                                        sim_call_text(call, "domain"), "email", email,
                                        "mailinglist", sim_call_text(call, "name")));
    else if (people)
        sim_call_absent(sim, call, "email", email);
}

static void change_person(struct sim *sim, struct sim_call *call, const char *member,
                          enum sim_task_kind kind, bool adds)
{
    const char *email = sim_call_text(call, "email");
    const json_t *people = people_of(sim, call, member);

    if (!people || (adds && !check_address(call, "email")))
        return;
    if (adds && is_among(people, email))
        sim_call_refuse(call, 409, "Client::Conflict", "%.300s is there already", email);
    else if (!adds && !is_among(people, email))
        sim_call_absent(sim, call, "email", email);
    else
        sim_mail_answer_task(sim, call, kind, sim_call_text(call, "name"), email);
}

void sim_mail_list_moderators(struct sim *sim, struct sim_call *call)
{
    answer_people(sim, call, "_moderators");
}

void sim_mail_add_moderator(struct sim *sim, struct sim_call *call)
{
    change_person(sim, call, "_moderators", SIM_TASK_MODERATOR_ADD, true);
}

void sim_mail_moderator(struct sim *sim, struct sim_call *call)
{
    answer_person(sim, call, "_moderators");
}

void sim_mail_delete_moderator(struct sim *sim, struct sim_call *call)
{
    change_person(sim, call, "_moderators", SIM_TASK_MODERATOR_DELETE, false);
}

void sim_mail_list_subscribers(struct sim *sim, struct sim_call *call)
{
    answer_people(sim, call, "_subscribers");
}

void sim_mail_add_subscriber(struct sim *sim, struct sim_call *call)
{
    change_person(sim, call, "_subscribers", SIM_TASK_SUBSCRIBER_ADD, true);
}

void sim_mail_subscriber(struct sim *sim, struct sim_call *call)
{
    answer_person(sim, call, "_subscribers");
}

void sim_mail_delete_subscriber(struct sim *sim, struct sim_call *call)
{
    change_person(sim, call, "_subscribers", SIM_TASK_SUBSCRIBER_DELETE, false);
}
