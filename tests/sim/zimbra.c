#include <stdio.h>
#include <string.h>

#include "resource.h"
#include "state.h"
#include "text.h"

/* The second version of the API: /v2/zimbra. */

#define AT "/v2/zimbra/platform/{platformId}"
#define PLATFORM                             \
    {                                        \
        SIM_PATH, "platformId", "uuid", true \
    }
#define UUID(name)                   \
    {                                \
        SIM_PATH, name, "uuid", true \
    }
#define BODY(type)               \
    {                            \
        SIM_BODY, "", type, true \
    }
#define TEXT(name)                       \
    {                                    \
        SIM_QUERY, name, "string", false \
    }
#define QUUID(name)                    \
    {                                  \
        SIM_QUERY, name, "uuid", false \
    }
#define PAGE                                                \
    { SIM_HEADER, "X-Pagination-Cursor", "string", false }, \
    {                                                       \
        SIM_HEADER, "X-Pagination-Size", "long", false      \
    }

static sim_handler list_platforms;
static sim_handler show_platform;
static sim_handler list_domains;
static sim_handler show_domain;
static sim_handler list_organizations;
static sim_handler show_organization;
static sim_handler list_aliases;
static sim_handler add_alias;
static sim_handler show_alias;
static sim_handler delete_alias;
static sim_handler list_redirections;
static sim_handler add_redirection;
static sim_handler show_redirection;
static sim_handler delete_redirection;
static sim_handler list_tasks;

/* clang-format off */
static const struct sim_route routes[] = {
    { "GET", "/v2/zimbra/platform", SIM_SIGNED, list_platforms,
      "zimbra.PlatformResponseWithIAM[]",
      { PAGE, { SIM_QUERY, "iamTags", "map[string][]iam.resource.TagFilter", false },
        QUUID("projectId") } },
    { "GET", AT, SIM_SIGNED, show_platform, "zimbra.PlatformResponseWithIAM",
      { PLATFORM } },
    { "GET", AT "/account", SIM_SIGNED, sim_zimbra_accounts, "zimbra.AccountResponse[]",
      { PLATFORM, PAGE, QUUID("domainId"), TEXT("email"),
        { SIM_QUERY, "offer", "zimbra.OfferEnum", false }, QUUID("organizationId"),
        TEXT("organizationLabel") } },
    { "POST", AT "/account", SIM_SIGNED, sim_zimbra_create, "zimbra.AccountResponse",
      { PLATFORM, BODY("zimbra.AccountPostPayload") } },
    { "GET", AT "/account/{accountId}", SIM_SIGNED, sim_zimbra_account,
      "zimbra.AccountResponse", { PLATFORM, UUID("accountId") } },
    { "PUT", AT "/account/{accountId}", SIM_SIGNED, sim_zimbra_edit,
      "zimbra.AccountResponse",
      { PLATFORM, UUID("accountId"), BODY("zimbra.AccountPutPayload") } },
    { "DELETE", AT "/account/{accountId}", SIM_SIGNED, sim_zimbra_delete, "void",
      { PLATFORM, UUID("accountId") } },
    { "GET", AT "/domain", SIM_SIGNED, list_domains, "zimbra.DomainResponse[]",
      { PLATFORM, PAGE, TEXT("domainName"), QUUID("organizationId"),
        TEXT("organizationLabel") } },
    { "GET", AT "/domain/{domainId}", SIM_SIGNED, show_domain, "zimbra.DomainResponse",
      { PLATFORM, UUID("domainId") } },
    { "GET", AT "/organization", SIM_SIGNED, list_organizations,
      "zimbra.OrganizationResponse[]", { PLATFORM, PAGE, TEXT("organizationName") } },
    { "GET", AT "/organization/{organizationId}", SIM_SIGNED, show_organization,
      "zimbra.OrganizationResponse", { PLATFORM, UUID("organizationId") } },
    { "GET", AT "/slot", SIM_SIGNED, sim_zimbra_slots, "zimbra.SlotResponse[]",
      { PLATFORM, PAGE, TEXT("accountId"), TEXT("billingStatus"), TEXT("email"),
        TEXT("offer"), { SIM_QUERY, "used", "boolean", false } } },
    { "GET", AT "/slot/{slotId}", SIM_SIGNED, sim_zimbra_slot, "zimbra.SlotResponse",
      { PLATFORM, UUID("slotId") } },
    { "GET", AT "/alias", SIM_SIGNED, list_aliases, "zimbra.AliasResponse[]",
      { PLATFORM, PAGE, TEXT("alias"), TEXT("aliasOrganizationId"),
        TEXT("aliasOrganizationLabel"), TEXT("aliasTargetId") } },
    { "POST", AT "/alias", SIM_SIGNED, add_alias, "zimbra.AliasResponse",
      { PLATFORM, BODY("zimbra.AliasPostPayload") } },
    { "GET", AT "/alias/{aliasId}", SIM_SIGNED, show_alias, "zimbra.AliasResponse",
      { PLATFORM, UUID("aliasId") } },
    { "DELETE", AT "/alias/{aliasId}", SIM_SIGNED, delete_alias, "void",
      { PLATFORM, UUID("aliasId") } },
    { "GET", AT "/redirection", SIM_SIGNED, list_redirections,
      "zimbra.RedirectionResponse[]",
      { PLATFORM, PAGE, TEXT("destination"), TEXT("domainId"), TEXT("organizationId"),
        TEXT("source") } },
    { "POST", AT "/redirection", SIM_SIGNED, add_redirection,
      "zimbra.RedirectionResponse", { PLATFORM, BODY("zimbra.RedirectionPostPayload") } },
    { "GET", AT "/redirection/{redirectionId}", SIM_SIGNED, show_redirection,
      "zimbra.RedirectionResponse", { PLATFORM, UUID("redirectionId") } },
    { "DELETE", AT "/redirection/{redirectionId}", SIM_SIGNED, delete_redirection, "void",
      { PLATFORM, UUID("redirectionId") } },
    { "GET", AT "/task", SIM_SIGNED, list_tasks, "common.Task[]",
      { PLATFORM, PAGE, QUUID("organizationId"), TEXT("organizationLabel") } },
};
/* clang-format on */

const struct sim_route_table sim_zimbra_table = {
    routes,
    sizeof routes / sizeof routes[0],
};

static json_t *now_text(const struct sim *sim)
{
    char date[SIM_TEXT_DATETIME_SIZE];

    sim_text_datetime(sim_state_now_s(sim), date);
    return json_string(date);
}

/* Configured and free mailboxes of the platform, or of one of its parts. */
static json_t *statistics(const json_t *service)
{
    json_int_t used = (json_int_t)json_object_size(json_object_get(service, "accounts"));
    json_int_t all = (json_int_t)json_object_size(json_object_get(service, "slots"));

    return json_pack("[{s:I,s:I,s:s}]", "availableAccountsCount", all - used,
                     "configuredAccountsCount", used, "offer", "STARTER");
}

static json_t *put(json_t *service, const char *collection, json_t *resource)
{
    json_object_set_new(json_object_get(service, collection),
                        sim_state_text(resource, "id"), resource);
    return resource;
}

/* The only organization that seeds make: the first. */
static json_t *organization_of(const json_t *service)
{
    json_t *all = json_object_get(service, "organizations");

    return json_object_iter_value(json_object_iter(all));
}

void sim_zimbra_begin(struct sim *sim, json_t *service, const json_t *entry)
{
    static const char *const collections[] = { "slots",         "_free",
                                               "aliases",       "redirections",
                                               "organizations", "_domain_ids" };
    const char *label = sim_seed_text_or(entry, "organization_label", "client");

    for (size_t i = 0; i < sizeof collections / sizeof collections[0]; i++)
        json_object_set_new(service, collections[i], json_object());
    put(service, "organizations",
        sim_resource_new(
            sim,
            json_pack("{s:[],s:o,s:n,s:s,s:s,s:f,s:n}", "accountsStatistics", "createdAt",
                      now_text(sim), "description", "label", label, "name", label,
                      "storageConsumed", 0.0, "updatedAt"),
            json_pack("{s:n,s:s,s:s}", "description", "label", label, "name", label)));
}

void sim_zimbra_add_domain(struct sim *sim, json_t *service, const char *name)
{
    const json_t *organization = organization_of(service);
    json_t *dns = json_pack("{s:s,s:{s:[]},s:[{s:i,s:s}],s:{s:n},s:s}", "autodiscover",
                            "0 0 443 zimbra1.mail.ovh.net.", "dkim", "cnames", "mx",
                            "priority", 1, "target", "mx1.mail.ovh.net", "ownership",
                            "cname", "spf", "v=spf1 include:mx.ovh.com ~all");
    json_t *domain = sim_resource_new(
        sim,
        json_pack("{s:[],s:o,s:o,s:s,s:O,s:O,s:s,s:n}", "accountsStatistics", "createdAt",
                  now_text(sim), "expectedDNSConfig", dns, "name", name, "organizationId",
                  json_object_get(organization, "id"), "organizationLabel",
                  json_object_get(json_object_get(organization, "currentState"), "label"),
                  "status", "READY", "updatedAt"),
        json_pack("{s:b,s:O}", "dkimEnabled", 0, "organizationId",
                  json_object_get(organization, "id")));

    put(service, "domains", domain);
    json_object_set(json_object_get(service, "_domain_ids"), name,
                    json_object_get(domain, "id"));
}

json_t *sim_zimbra_domain(const json_t *service, const char *address)
{
    const char *at = strrchr(address, '@');
    const char *id =
        at ? sim_state_text(json_object_get(service, "_domain_ids"), at + 1) : "";

    return json_object_get(json_object_get(service, "domains"), id);
}

static json_t *show_one_platform(const json_t *service)
{
    json_t *stored = json_object_get(service, "service");
    json_t *platform = sim_resource_show(service, stored);
    json_t *state = json_object_get(platform, "currentState");

    json_object_set_new(state, "accountsStatistics", statistics(service));
    json_object_set_new(state, "numberOfOrganizations",
                        json_integer((json_int_t)json_object_size(
                            json_object_get(service, "organizations"))));
    return platform;
}

static json_t *view_platform(struct sim *sim, const struct sim_call *call, json_t *name)
{
    (void)call;
    return show_one_platform(sim_service_get(sim, SIM_ZIMBRA, json_string_value(name)));
}

static void list_platforms(struct sim *sim, struct sim_call *call)
{
    bool none = json_object_size(json_object_get(call->args, "iamTags")) > 0 ||
                sim_call_text(call, "projectId");
    json_t *names = sim_service_names(sim, call, SIM_ZIMBRA);
    json_t *set = json_object();
    json_t *name = NULL;
    size_t i = 0;

    json_array_foreach(names, i, name)
        if (!none)
            json_object_set(set, json_string_value(name), name);
    sim_resource_page(sim, call, set, view_platform);
    json_decref(set);
    json_decref(names);
}

static void show_platform(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, show_one_platform(call->service));
}

static json_t *view_domain(struct sim *sim, const struct sim_call *call, json_t *domain)
{
    const json_t *state = json_object_get(domain, "currentState");

    (void)sim;
    if (!sim_resource_fits(call, "domainName", sim_state_text(state, "name")) ||
        !sim_resource_fits(call, "organizationId",
                           sim_state_text(state, "organizationId")) ||
        !sim_resource_fits(call, "organizationLabel",
                           sim_state_text(state, "organizationLabel")))
        return NULL;
    return sim_resource_show(call->service, domain);
}

static void list_domains(struct sim *sim, struct sim_call *call)
{
    sim_resource_page(sim, call, json_object_get(call->service, "domains"), view_domain);
}

static void show_domain(struct sim *sim, struct sim_call *call)
{
    sim_resource_answer(sim, call, "domains", "domainId");
}

static json_t *view_organization(struct sim *sim, const struct sim_call *call,
                                 json_t *organization)
{
    const json_t *state = json_object_get(organization, "currentState");

    (void)sim;
    if (!sim_resource_fits(call, "organizationName", sim_state_text(state, "name")))
        return NULL;
    return sim_resource_show(call->service, organization);
}

static void list_organizations(struct sim *sim, struct sim_call *call)
{
    sim_resource_page(sim, call, json_object_get(call->service, "organizations"),
                      view_organization);
}

static void show_organization(struct sim *sim, struct sim_call *call)
{
    sim_resource_answer(sim, call, "organizations", "organizationId");
}

/* Aliases and redirections come and go; nothing of them can be edited. */

static void effect_create(struct sim *sim, struct sim_work *work, bool run)
{
    (void)sim;
    if (!run)
        json_object_del(
            json_object_get(work->service, sim_state_text(work->detail, "collection")),
            sim_state_text(work->target, "id"));
}

static void effect_delete(struct sim *sim, struct sim_work *work, bool run)
{
    if (run)
        effect_create(sim, work, false);
}

static void create(struct sim *sim, struct sim_call *call, const char *collection,
                   json_t *resource)
{
    sim_resource_change(sim, call, resource, "CREATING", "resourceCreate", effect_create,
                        json_pack("{s:s}", "collection", collection));
    sim_call_answer(call, sim_resource_show(call->service, resource));
}

static void remove_one(struct sim *sim, struct sim_call *call, const char *collection,
                       const char *argument)
{
    json_t *resource = sim_resource_find(sim, call, collection, argument);

    if (!resource || !sim_resource_check(sim, call, resource))
        return;
    sim_resource_change(sim, call, resource, "DELETING", "resourceDelete", effect_delete,
                        json_pack("{s:s}", "collection", collection));
    sim_call_answer(call, json_null());
}

static json_t *new_alias(struct sim *sim, const json_t *service, const char *alias,
                         const json_t *account)
{
    const json_t *domain = sim_zimbra_domain(service, alias);
    const json_t *state = json_object_get(domain, "currentState");

    return sim_resource_new(
        sim,
        json_pack("{s:{s:O,s:s,s:O,s:O},s:{s:O,s:O,s:s}}", "alias", "domainId",
                  json_object_get(domain, "id"), "name", alias, "organizationId",
                  json_object_get(state, "organizationId"), "organizationLabel",
                  json_object_get(state, "organizationLabel"), "target", "domainId",
                  json_object_get(json_object_get(account, "currentState"), "domainId"),
                  "id", json_object_get(account, "id"), "type", "ACCOUNT"),
        json_pack("{s:s,s:O}", "alias", alias, "targetId",
                  json_object_get(account, "id")));
}

void sim_zimbra_add_alias(struct sim *sim, json_t *service, const char *alias,
                          const json_t *account)
{
    if (sim_zimbra_domain(service, alias))
        put(service, "aliases", new_alias(sim, service, alias, account));
}

static json_t *view_alias(struct sim *sim, const struct sim_call *call, json_t *resource)
{
    const json_t *state = json_object_get(resource, "currentState");
    const json_t *alias = json_object_get(state, "alias");
    const json_t *target = json_object_get(state, "target");

    (void)sim;
    if (!sim_resource_fits(call, "alias", sim_state_text(alias, "name")) ||
        !sim_resource_fits(call, "aliasTargetId", sim_state_text(target, "id")) ||
        !sim_resource_fits(call, "aliasOrganizationId",
                           sim_state_text(alias, "organizationId")) ||
        !sim_resource_fits(call, "aliasOrganizationLabel",
                           sim_state_text(alias, "organizationLabel")))
        return NULL;
    return sim_resource_show(call->service, resource);
}

static void list_aliases(struct sim *sim, struct sim_call *call)
{
    sim_resource_page(sim, call, json_object_get(call->service, "aliases"), view_alias);
}

static void add_alias(struct sim *sim, struct sim_call *call)
{
    const json_t *spec = json_object_get(call->body, "targetSpec");
    const char *alias = sim_state_text(spec, "alias");
    const json_t *account = json_object_get(json_object_get(call->service, "accounts"),
                                            sim_state_text(spec, "targetId"));

    if (!account)
        sim_call_absent(sim, call, "targetId", sim_state_text(spec, "targetId"));
    else if (!sim_zimbra_domain(call->service, alias))
        sim_call_refuse(call, 400, "Client::BadRequest", "'alias' is not valid");
    else
        create(
            sim, call, "aliases",
            put(call->service, "aliases", new_alias(sim, call->service, alias, account)));
}

static void show_alias(struct sim *sim, struct sim_call *call)
{
    sim_resource_answer(sim, call, "aliases", "aliasId");
}

static void delete_alias(struct sim *sim, struct sim_call *call)
{
    remove_one(sim, call, "aliases", "aliasId");
}

static json_t *new_redirection(struct sim *sim, const json_t *service, const char *from,
                               const char *to)
{
    const json_t *domain = sim_zimbra_domain(service, from);

    return sim_resource_new(
        sim,
        json_pack(
            "{s:o,s:s,s:O,s:O,s:s,s:n}", "createdAt", now_text(sim), "destination", to,
            "domainId", json_object_get(domain, "id"), "organizationId",
            json_object_get(json_object_get(domain, "currentState"), "organizationId"),
            "source", from, "updatedAt"),
        json_pack("{s:s,s:s}", "destination", to, "source", from));
}

void sim_zimbra_add_redirection(struct sim *sim, json_t *service, const char *from,
                                const char *to)
{
    if (sim_zimbra_domain(service, from))
        put(service, "redirections", new_redirection(sim, service, from, to));
}

static json_t *view_redirection(struct sim *sim, const struct sim_call *call,
                                json_t *resource)
{
    const json_t *state = json_object_get(resource, "currentState");

    (void)sim;
    if (!sim_resource_fits(call, "destination", sim_state_text(state, "destination")) ||
        !sim_resource_fits(call, "source", sim_state_text(state, "source")) ||
        !sim_resource_fits(call, "domainId", sim_state_text(state, "domainId")) ||
        !sim_resource_fits(call, "organizationId",
                           sim_state_text(state, "organizationId")))
        return NULL;
    return sim_resource_show(call->service, resource);
}

static void list_redirections(struct sim *sim, struct sim_call *call)
{
    sim_resource_page(sim, call, json_object_get(call->service, "redirections"),
                      view_redirection);
}

static void add_redirection(struct sim *sim, struct sim_call *call)
{
    const json_t *spec = json_object_get(call->body, "targetSpec");
    const char *from = sim_state_text(spec, "source");
    const char *to = sim_state_text(spec, "destination");

    if (!sim_zimbra_domain(call->service, from))
        sim_call_refuse(call, 400, "Client::BadRequest", "'source' is not valid");
    else if (!strchr(to, '@'))
        sim_call_refuse(call, 400, "Client::BadRequest", "'destination' is not valid");
    else
        create(sim, call, "redirections",
               put(call->service, "redirections",
                   new_redirection(sim, call->service, from, to)));
}

static void show_redirection(struct sim *sim, struct sim_call *call)
{
    sim_resource_answer(sim, call, "redirections", "redirectionId");
}

static void delete_redirection(struct sim *sim, struct sim_call *call)
{
    remove_one(sim, call, "redirections", "redirectionId");
}

static json_t *view_task(struct sim *sim, const struct sim_call *call, json_t *record)
{
    const json_t *organization = organization_of(call->service);
    const char *label =
        sim_state_text(json_object_get(organization, "currentState"), "label");

    if (!sim_resource_fits(call, "organizationId", sim_state_text(organization, "id")) ||
        !sim_resource_fits(call, "organizationLabel", label) ||
        !sim_work_find(sim, call->service, NULL, sim_state_text(record, "_id")))
        return NULL;
    return sim_work_task_v2(call->service, record);
}

static void list_tasks(struct sim *sim, struct sim_call *call)
{
    sim_resource_page(sim, call, json_object_get(call->service, "_tasks"), view_task);
}
