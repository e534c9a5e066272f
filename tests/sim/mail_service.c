#include <stdio.h>
#include <string.h>

#include "mail.h"
#include "state.h"
#include "task.h"
#include "text.h"

json_t *sim_mail_names(json_t *objects, const char *filter)
{
    json_t *names = json_array();
    const char *name = NULL;
    json_t *object = NULL;

    json_object_foreach(objects, name, object)
        if (!sim_state_flag(object, "_pending") &&
            (!filter || sim_text_like(filter, name)))
            json_array_append_new(names, json_string(name));
    return names;
}

/* No service carries tags, so a filter on tags leaves none. */
static bool has_tag_filter(const struct sim_call *call)
{
    return json_object_size(json_object_get(call->args, "iamTags")) > 0;
}

/* The domains of the account that signs; with_mail: those with a mail service. */
static json_t *own_domains(const struct sim *sim, const struct sim_call *call,
                           const char *flag)
{
    json_t *names = json_array();
    const char *name = NULL;
    json_t *domain = NULL;

    json_object_foreach(json_object_get(sim->root, "domains"), name, domain)
        if (strcmp(sim_state_text(domain, "_nic"),
                   sim_state_text(call->credential, "_nic")) == 0 &&
            sim_state_flag(domain, flag))
            json_array_append_new(names, json_string(name));
    return names;
}

void sim_mail_domains(struct sim *sim, struct sim_call *call)
{
    sim_call_answer(call, has_tag_filter(call) ? json_array()
                                               : own_domains(sim, call, "_mail"));
}

void sim_mail_domain(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, json_deep_copy(json_object_get(call->domain, "service")));
}

void sim_mail_service_infos(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, json_deep_copy(json_object_get(call->domain, "infos")));
}

void sim_mail_quota(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, json_deep_copy(json_object_get(call->domain, "quota")));
}

static json_int_t count(const struct sim_call *call, const char *what)
{
    return (json_int_t)json_object_size(json_object_get(call->domain, what));
}

void sim_mail_summary(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call,
                    json_pack("{s:I,s:I,s:I,s:I}", "account", count(call, "accounts"),
                              "mailingList", count(call, "lists"), "redirection",
                              count(call, "redirections"), "responder",
                              count(call, "responders")));
}

void sim_mail_registered_domains(struct sim *sim, struct sim_call *call)
{
    const char *owner = sim_call_text(call, "whoisOwner");
    bool none = has_tag_filter(call) ||
                (owner && strcmp(owner, sim_state_text(call->credential, "_nic")) != 0);

    sim_call_answer(call, none ? json_array() : own_domains(sim, call, "_registered"));
}

/* Tasks. */

static json_int_t id_of(const struct sim_call *call)
{
    int64_t id = 0;
    const char *text = sim_call_text(call, "id");

    if (text)
        return sim_text_parse_long(text, &id) ? (json_int_t)id : -1;
    return json_integer_value(json_object_get(call->args, "id"));
}

static void answer_task(const struct sim *sim, struct sim_call *call, json_t *task)
{
    char id[32];

    if (task) {
        sim_call_answer(call, task);
        return;
    }
    snprintf(id, sizeof id, "%lld", (long long)id_of(call));
    sim_call_absent(sim, call, "taskId", id);
}

static void list_tasks(struct sim *sim, struct sim_call *call, enum sim_task_list list,
                       const char *filter)
{
    sim_call_answer(call, sim_task_ids(sim, list, sim_call_text(call, "domain"),
                                       sim_call_text(call, filter)));
}

static void show_task(struct sim *sim, struct sim_call *call, enum sim_task_list list)
{
    answer_task(sim, call,
                sim_task_show(sim, list, sim_call_text(call, "domain"), id_of(call)));
}

void sim_mail_account_tasks(struct sim *sim, struct sim_call *call)
{
    list_tasks(sim, call, SIM_LIST_ACCOUNT, "name");
}

void sim_mail_account_task(struct sim *sim, struct sim_call *call)
{
    show_task(sim, call, SIM_LIST_ACCOUNT);
}

void sim_mail_redirection_tasks(struct sim *sim, struct sim_call *call)
{
    list_tasks(sim, call, SIM_LIST_REDIRECTION, "account");
}

void sim_mail_redirection_task(struct sim *sim, struct sim_call *call)
{
    show_task(sim, call, SIM_LIST_REDIRECTION);
}

void sim_mail_responder_tasks(struct sim *sim, struct sim_call *call)
{
    list_tasks(sim, call, SIM_LIST_RESPONDER, "account");
}

void sim_mail_responder_task(struct sim *sim, struct sim_call *call)
{
    show_task(sim, call, SIM_LIST_RESPONDER);
}

void sim_mail_filter_tasks(struct sim *sim, struct sim_call *call)
{
    list_tasks(sim, call, SIM_LIST_FILTER, "account");
}

void sim_mail_filter_task(struct sim *sim, struct sim_call *call)
{
    show_task(sim, call, SIM_LIST_FILTER);
}

void sim_mail_list_tasks(struct sim *sim, struct sim_call *call)
{
    list_tasks(sim, call, SIM_LIST_MAILING, "account");
}

void sim_mail_list_task(struct sim *sim, struct sim_call *call)
{
    show_task(sim, call, SIM_LIST_MAILING);
}

/* Whether the newer list shows mailbox tasks is not known: a setting decides. */
void sim_mail_all_tasks(struct sim *sim, struct sim_call *call)
{
    const char *domain = sim_call_text(call, "domain");

    sim_call_answer(call, sim->settings.task_all
                              ? sim_task_ids(sim, SIM_LIST_ACCOUNT, domain, NULL)
                              : json_array());
}

void sim_mail_all_task(struct sim *sim, struct sim_call *call)
{
    const char *domain = sim_call_text(call, "domain");
    json_t *pop = sim->settings.task_all
                      ? sim_task_show(sim, SIM_LIST_ACCOUNT, domain, id_of(call))
                      : NULL;
    json_t *task = NULL;

    if (pop)
        task = json_pack("{s:O,s:s,s:s,s:s}", "id", json_object_get(pop, "id"), "domain",
                         domain, "function", sim_state_text(pop, "action"), "status",
                         "doing");
    json_decref(pop);
    answer_task(sim, call, task);
}
