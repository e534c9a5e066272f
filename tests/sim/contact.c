#include "contact.h"

#include <stdio.h>
#include <string.h>

#include "family.h"
#include "route.h"
#include "seed.h"
#include "state.h"
#include "task.h"
#include "text.h"

/* A change of contacts waits until the account that leaves and the one that enters have
 * both agreed, each with the token that it was sent. */

enum {
    TYPES = 3,
    LIFE_S = 7 * 86400,
};

static const struct {
    const char *member; /* of services.changeContact and services.Service */
    const char *type;   /* of nichandle.contactChange.Task */
} contacts[TYPES] = {
    { "contactAdmin", "contactAdmin" },
    { "contactBilling", "contactBilling" },
    { "contactTech", "contactTech" },
};

#define NIC "coreTypes.AccountId:string"
#define TAGS                                                               \
    {                                                                      \
        SIM_QUERY, "iamTags", "map[string][]iam.resource.TagFilter", false \
    }
#define NAME(name)                     \
    {                                  \
        SIM_PATH, name, "string", true \
    }
#define CHANGE                                       \
    {                                                \
        SIM_BODY, "", "services.changeContact", true \
    }
#define MEMBERS                                     \
    { SIM_BODY, "contactAdmin", NIC, false },       \
        { SIM_BODY, "contactBilling", NIC, false }, \
    {                                               \
        SIM_BODY, "contactTech", NIC, false         \
    }
#define ID                           \
    {                                \
        SIM_PATH, "id", "long", true \
    }
#define ANSWER                            \
    {                                     \
        SIM_BODY, "token", "string", true \
    }
#define TASK "/me/task/contactChange"

static sim_handler list_zones;
static sim_handler list_hosting;
static sim_handler show_infos;
static sim_handler change;
static sim_handler list_changes;
static sim_handler show_change;
static sim_handler accept_change;
static sim_handler refuse_change;
static sim_handler resend;

/* clang-format off */
static const struct sim_route routes[] = {
    { "POST", "/email/domain/{domain}/changeContact", SIM_SIGNED, change, "long[]",
      { NAME("domain"), MEMBERS } },
    { "POST", "/email/pro/{service}/changeContact", SIM_SIGNED, change, "long[]",
      { NAME("service"), MEMBERS } },
    { "GET", "/domain/zone", SIM_SIGNED, list_zones, "string[]", { TAGS } },
    { "GET", "/domain/zone/{zoneName}/serviceInfos", SIM_SIGNED, show_infos,
      "services.Service", { NAME("zoneName") } },
    { "POST", "/domain/zone/{zoneName}/changeContact", SIM_SIGNED, change, "long[]",
      { NAME("zoneName"), CHANGE } },
    { "GET", "/domain/{serviceName}/serviceInfos", SIM_SIGNED, show_infos,
      "services.Service", { NAME("serviceName") } },
    { "POST", "/domain/{serviceName}/changeContact", SIM_SIGNED, change, "long[]",
      { NAME("serviceName"), CHANGE } },
    { "GET", "/hosting/web", SIM_SIGNED, list_hosting, "string[]", { TAGS } },
    { "GET", "/hosting/web/{serviceName}/serviceInfos", SIM_SIGNED, show_infos,
      "services.Service", { NAME("serviceName") } },
    { "POST", "/hosting/web/{serviceName}/changeContact", SIM_SIGNED, change, "long[]",
      { NAME("serviceName"), CHANGE } },
    { "GET", TASK, SIM_SIGNED, list_changes, "long[]",
      { { SIM_QUERY, "askingAccount", NIC, false },
        { SIM_QUERY, "state", "nichandle.changeContact.TaskStateEnum", false },
        { SIM_QUERY, "toAccount", NIC, false } } },
    { "GET", TASK "/{id}", SIM_SIGNED, show_change, "nichandle.contactChange.Task",
      { ID } },
    { "POST", TASK "/{id}/accept", SIM_SIGNED, accept_change, "void", { ID, ANSWER } },
    { "POST", TASK "/{id}/refuse", SIM_SIGNED, refuse_change, "void", { ID, ANSWER } },
    { "POST", TASK "/{id}/resendEmail", SIM_SIGNED, resend, "void", { ID } },
};
/* clang-format on */

const struct sim_route_table sim_contact_table = {
    routes,
    sizeof routes / sizeof routes[0],
};

static const char *nic_of(const struct sim_call *call)
{
    return sim_state_text(call->credential, "_nic");
}

/* --- services --- */

bool sim_contact_seed_hosting(struct sim *sim, json_t *entry, char *why, size_t size)
{
    const char *name = sim_state_text(entry, "service");

    if (!*name) {
        snprintf(why, size, "a hosting needs a 'service'");
        return false;
    }
    json_object_set_new(json_object_get(sim->root, "hosting"), name,
                        json_pack("{s:o,s:s}", "infos", sim_seed_infos(sim, entry, name),
                                  "_nic", sim_state_text(entry, "nic")));
    return true;
}

/* Names of the account's own services among these that have a flag (NULL: all). */
static void list_own(struct sim *sim, struct sim_call *call, const char *kind,
                     const char *flag)
{
    bool tags = json_object_size(json_object_get(call->args, "iamTags")) > 0;
    json_t *names = json_array();
    const char *name = NULL;
    json_t *one = NULL;

    json_object_foreach(json_object_get(sim->root, kind), name, one)
        if (!tags && strcmp(sim_state_text(one, "_nic"), nic_of(call)) == 0 &&
            (!flag || sim_state_flag(one, flag)))
            json_array_append_new(names, json_string(name));
    sim_call_answer(call, names);
}

static void list_zones(struct sim *sim, struct sim_call *call)
{
    list_own(sim, call, "domains", "_zone");
}

static void list_hosting(struct sim *sim, struct sim_call *call)
{
    list_own(sim, call, "hosting", NULL);
}

/* What a path is about, as "domain/acme.fr", and its infos. */
static json_t *infos_of(const struct sim *sim, const char *service)
{
    static const struct {
        const char *prefix;
        const char *flag;
        const char *infos;
    } kinds[] = {
        { "mail/", "_mail", "infos" },
        { "zone/", "_zone", "zone_infos" },
        { "domain/", "_registered", "registered_infos" },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i].prefix);
        const json_t *domain = strncmp(service, kinds[i].prefix, length) == 0
                                   ? sim_state_domain(sim, service + length)
                                   : NULL;
        if (domain)
            return sim_state_flag(domain, kinds[i].flag)
                       ? json_object_get(domain, kinds[i].infos)
                       : NULL;
    }
    if (strncmp(service, "hosting/", 8) == 0)
        return json_object_get(
            json_object_get(json_object_get(sim->root, "hosting"), service + 8), "infos");
    return strncmp(service, "pro/", 4) == 0
               ? json_object_get(sim_service_get(sim, SIM_PRO, service + 4), "infos")
               : NULL;
}

static const char *owner_of(const struct sim *sim, const char *service)
{
    const char *name = strchr(service, '/') + 1;

    if (strncmp(service, "hosting/", 8) == 0)
        return sim_state_text(
            json_object_get(json_object_get(sim->root, "hosting"), name), "_nic");
    if (strncmp(service, "pro/", 4) == 0)
        return sim_state_text(sim_service_get(sim, SIM_PRO, name), "_nic");
    return sim_state_text(sim_state_domain(sim, name), "_nic");
}

/* The infos of the service of the path, or call has its answer. */
static json_t *find(const struct sim *sim, struct sim_call *call, char *ret_service,
                    size_t size)
{
    static const struct {
        const char *prefix;
        const char *kind;
        const char *argument;
    } paths[] = {
        { "/email/domain/", "mail", "domain" },
        { "/email/pro/", "pro", "service" },
        { "/domain/zone/", "zone", "zoneName" },
        { "/domain/", "domain", "serviceName" },
        { "/hosting/", "hosting", "serviceName" },
    };
    json_t *infos = NULL;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (strncmp(call->route->path, paths[i].prefix, strlen(paths[i].prefix)) == 0) {
            snprintf(ret_service, size, "%s/%s", paths[i].kind,
                     sim_call_text(call, paths[i].argument));
            infos = infos_of(sim, ret_service);
            break;
        }
    if (infos && strcmp(owner_of(sim, ret_service), nic_of(call)) == 0)
        return infos;
    sim_call_refuse(call, 404, "Client::NotFound", "This service does not exist");
    return NULL;
}

static void show_infos(struct sim *sim, struct sim_call *call)
{
    char service[400];
    json_t *infos = find(sim, call, service, sizeof service);

    if (infos)
        sim_call_answer(call, json_deep_copy(infos));
}

/* --- changing --- */

static json_t *changes_of(const struct sim *sim)
{
    return json_object_get(sim->root, "contact_changes");
}

static bool is_open(const json_t *task)
{
    const char *state = sim_state_text(task, "state");

    return strcmp(state, "todo") == 0 || strcmp(state, "checkValidity") == 0 ||
           strcmp(state, "validatingByCustomers") == 0 || strcmp(state, "doing") == 0;
}

static void put_state(const struct sim *sim, json_t *task, const char *state, bool ended)
{
    char date[SIM_TEXT_DATETIME_SIZE];

    json_object_set_new(task, "state", json_string(state));
    sim_text_datetime(sim_state_now_s(sim), date);
    if (ended)
        json_object_set_new(task, "dateDone", json_string(date));
}

static bool owes(const struct sim *sim, const json_t *task, const char *member)
{
    return sim_state_flag(
        json_object_get(json_object_get(sim->root, "nics"), sim_state_text(task, member)),
        "_unpaid");
}

/* Whoever looks sees the task where it is by now: checked (todo, then checkValidity, each
 * for half of the setting's time), refused for a bill, or out of time. */
static void refresh(const struct sim *sim, json_t *task)
{
    json_int_t age_ms = (json_int_t)sim_text_now_ms() -
                        json_integer_value(json_object_get(task, "_asked_ms"));
    json_int_t check_ms = sim->settings.contact_check_ms;
    const char *state = sim_state_text(task, "state");
    bool is_checked = strcmp(state, "validatingByCustomers") == 0;

    if (strcmp(state, "todo") == 0 && age_ms >= check_ms / 2) {
        bool unpaid = owes(sim, task, "fromAccount") || owes(sim, task, "toAccount");

        put_state(sim, task, unpaid ? "refused" : "checkValidity", unpaid);
        state = sim_state_text(task, "state");
    }
    if (strcmp(state, "checkValidity") == 0 && age_ms >= check_ms)
        put_state(sim, task, "validatingByCustomers", false);
    else if (is_checked &&
             sim_state_now_s(sim) >= json_integer_value(json_object_get(task, "_ends_s")))
        put_state(sim, task, "expired", true);
}

static bool has_open(const struct sim *sim, const char *service)
{
    const char *id = NULL;
    json_t *task = NULL;

    json_object_foreach(changes_of(sim), id, task) {
        refresh(sim, task);
        if (is_open(task) && strcmp(sim_state_text(task, "_service"), service) == 0)
            return true;
    }
    return false;
}

/* What is asked for as the nth contact; "" if nothing. */
static const char *wanted(const struct sim_call *call, size_t n)
{
    const json_t *from = call->body ? call->body : call->args;

    return sim_state_text(from, contacts[n].member);
}

/* The administrator names all three; the others may replace themselves only. */
static bool may_change(const struct sim *sim, struct sim_call *call, const json_t *infos,
                       const char *service)
{
    bool admin = strcasecmp(sim_state_text(infos, "contactAdmin"), nic_of(call)) == 0;
    bool any = false;

    for (size_t i = 0; i < TYPES; i++) {
        if (!*wanted(call, i))
            continue;
        any = true;
        if (!json_object_get(json_object_get(sim->root, "nics"), wanted(call, i))) {
            sim_call_refuse(call, 400, "Client::BadRequest", "'%s' is no account",
                            contacts[i].member);
            return false;
        }
        if (!admin &&
            strcasecmp(sim_state_text(infos, contacts[i].member), nic_of(call)) != 0) {
            sim_call_refuse(call, 403, "Client::Forbidden",
                            "You are not allowed to change this contact");
            return false;
        }
    }
    if (!any)
        sim_call_refuse(call, 400, "Client::BadRequest", "no contact is named");
    else if (has_open(sim, service))
        sim_call_refuse(call, 409, "Client::Conflict", "A change is under way already");
    return any && !has_open(sim, service);
}

static json_t *new_tokens(struct sim *sim, const char *from, const char *to)
{
    json_t *tokens = json_object();
    char text[33];

    sim_text_key("contact token", ++sim->next_key, text, sizeof text);
    json_object_set_new(tokens, from, json_string(text));
    sim_text_key("contact token", ++sim->next_key, text, sizeof text);
    json_object_set_new(tokens, to, json_string(text));
    return tokens;
}

static json_t *new_change(struct sim *sim, const struct sim_call *call, const char *from,
                          const char *to, const char *service)
{
    json_int_t id = sim_state_id(sim);
    char date[SIM_TEXT_DATETIME_SIZE];
    char key[32];

    sim_text_datetime(sim_state_now_s(sim), date);
    snprintf(key, sizeof key, "%lld", (long long)id);
    json_t *task = json_pack(
        "{s:s,s:[],s:n,s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:o,s:{},s:I,s:I}", "askingAccount",
        nic_of(call), "contactTypes", "dateDone", "dateRequest", date, "fromAccount",
        from, "id", id, "serviceDomain", strchr(service, '/') + 1, "state", "todo",
        "toAccount", to, "_service", service, "_tokens", new_tokens(sim, from, to),
        "_accepted", "_asked_ms", (json_int_t)sim_text_now_ms(), "_ends_s",
        (json_int_t)sim_state_now_s(sim) + LIFE_S);
    json_object_set_new(changes_of(sim), key, task);
    refresh(sim, task);
    return task;
}

/* One task for each pair of accounts. */
static void change(struct sim *sim, struct sim_call *call)
{
    char service[400];
    const json_t *infos = find(sim, call, service, sizeof service);
    json_t *made[TYPES] = { NULL };
    json_t *ids = NULL;

    if (!infos || !may_change(sim, call, infos, service))
        return;
    ids = json_array();
    for (size_t i = 0; i < TYPES; i++) {
        const char *from = sim_state_text(infos, contacts[i].member);

        if (!*wanted(call, i) || strcasecmp(wanted(call, i), from) == 0)
            continue;
        for (size_t j = 0; j < i && !made[i]; j++)
            if (made[j] && strcmp(sim_state_text(made[j], "fromAccount"), from) == 0 &&
                strcmp(sim_state_text(made[j], "toAccount"), wanted(call, i)) == 0)
                made[i] = made[j];
        if (!made[i]) {
            made[i] = new_change(sim, call, from, wanted(call, i), service);
            json_array_append(ids, json_object_get(made[i], "id"));
        }
        json_array_append_new(json_object_get(made[i], "contactTypes"),
                              json_string(contacts[i].type));
        call->effect = true;
    }
    sim_call_answer(call, ids);
}

static bool concerns(const json_t *task, const char *nic)
{
    return strcasecmp(sim_state_text(task, "askingAccount"), nic) == 0 ||
           json_object_get(json_object_get(task, "_tokens"), nic);
}

static void list_changes(struct sim *sim, struct sim_call *call)
{
    static const char *const filters[] = { "askingAccount", "state", "toAccount" };
    json_t *ids = json_array();
    const char *id = NULL;
    json_t *task = NULL;

    json_object_foreach(changes_of(sim), id, task) {
        bool fits = concerns(task, nic_of(call));

        refresh(sim, task);
        for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
            const char *text = sim_call_text(call, filters[i]);
            fits = fits && (!text || strcmp(sim_state_text(task, filters[i]), text) == 0);
        }
        if (fits)
            json_array_append(ids, json_object_get(task, "id"));
    }
    sim_call_answer(call, ids);
}

static json_t *find_change(const struct sim *sim, struct sim_call *call)
{
    char id[32];

    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(call->args, "id")));
    json_t *task = json_object_get(changes_of(sim), id);
    if (task && concerns(task, nic_of(call))) {
        refresh(sim, task);
        return task;
    }
    sim_call_absent(sim, call, "id", id);
    return NULL;
}

static void show_change(struct sim *sim, struct sim_call *call)
{
    json_t *task = find_change(sim, call);

    if (task)
        sim_call_answer(call, sim_state_public(task));
}

/* One side agrees; when both have, the change is carried out. */
static void accept(struct sim *sim, json_t *task, const char *nic,
                   const struct sim_plan *plan)
{
    json_t *accepted = json_object_get(task, "_accepted");
    char id[32];

    json_object_set_new(accepted, nic, json_true());
    if (json_object_size(accepted) < json_object_size(json_object_get(task, "_tokens")))
        return;
    put_state(sim, task, "doing", false);
    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(task, "id")));
    const struct sim_task_order order = {
        .kind = SIM_TASK_CONTACT,
        .domain = sim_state_text(task, "serviceDomain"),
        .name = nic,
        .target = id,
        .plan = plan,
    };
    sim_task_add(sim, &order);
}

void sim_contact_finish(struct sim *sim, const char *id, bool runs)
{
    json_t *task = json_object_get(changes_of(sim), id);
    json_t *infos = infos_of(sim, sim_state_text(task, "_service"));
    const json_t *type = NULL;
    size_t i = 0;

    if (!task || !infos)
        return;
    if (runs)
        json_array_foreach(json_object_get(task, "contactTypes"), i, type)
            json_object_set(infos, json_string_value(type),
                            json_object_get(task, "toAccount"));
    put_state(sim, task, runs ? "done" : "error", true);
}

static bool may_answer(struct sim_call *call, const json_t *task)
{
    const char *token = sim_state_text(json_object_get(task, "_tokens"), nic_of(call));

    bool waits = strcmp(sim_state_text(task, "state"), "validatingByCustomers") == 0;

    if (*token && waits && strcmp(sim_call_text(call, "token"), token) == 0)
        return true;
    sim_call_refuse(call, *token && waits ? 400 : 403,
                    *token && waits ? "Client::BadRequest" : "Client::Forbidden",
                    "This token is not valid");
    return false;
}

static void accept_change(struct sim *sim, struct sim_call *call)
{
    json_t *task = find_change(sim, call);

    if (!task || !may_answer(call, task))
        return;
    accept(sim, task, nic_of(call), &call->plan);
    call->effect = true;
    sim_call_answer(call, json_null());
}

static void refuse_change(struct sim *sim, struct sim_call *call)
{
    json_t *task = find_change(sim, call);

    if (!task || !may_answer(call, task))
        return;
    put_state(sim, task, "refused", true);
    call->effect = true;
    sim_call_answer(call, json_null());
}

/* A new token for the account that asks; the old one is void. */
static void resend(struct sim *sim, struct sim_call *call)
{
    json_t *task = find_change(sim, call);
    json_t *tokens = json_object_get(task, "_tokens");
    char text[33];

    if (!task)
        return;
    sim_text_key("contact token", ++sim->next_key, text, sizeof text);
    if (json_object_get(tokens, nic_of(call)))
        json_object_set_new(tokens, nic_of(call), json_string(text));
    call->effect = true;
    sim_call_answer(call, json_null());
}

bool sim_contact_decide(struct sim *sim, const json_t *order)
{
    const char *answer = sim_state_text(order, "answer");
    const char *nic = sim_state_text(order, "nic");
    char id[32];

    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(order, "id")));
    json_t *task = json_object_get(changes_of(sim), id);
    if (task)
        refresh(sim, task);
    if (!task || strcmp(sim_state_text(task, "state"), "validatingByCustomers") != 0)
        return false;
    if (strcmp(answer, "expire") == 0) {
        put_state(sim, task, "expired", true);
        return true;
    }
    if (!json_object_get(json_object_get(task, "_tokens"), nic))
        return false;
    if (strcmp(answer, "refuse") == 0)
        put_state(sim, task, "refused", true);
    else if (strcmp(answer, "accept") == 0)
        accept(sim, task, nic, NULL);
    else
        return false;
    return true;
}
