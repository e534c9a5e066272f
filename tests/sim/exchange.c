#include <stdio.h>
#include <string.h>

#include "slot_routes.h"
#include "state.h"
#include "text.h"

/* email/exchange. Hosted services have slots; the others create mailboxes. */

#define AT  "/email/exchange/{organizationName}/service/{exchangeService}"
#define BOX AT "/account/{primaryEmailAddress}"
#define SERVICE                                       \
    { SIM_PATH, "organizationName", "string", true }, \
    {                                                 \
        SIM_PATH, "exchangeService", "string", true   \
    }
#define ACCOUNT                                         \
    {                                                   \
        SIM_PATH, "primaryEmailAddress", "string", true \
    }
#define TASK  "email.exchange.Task"
#define TASKS "/tasks"

static sim_handler list_organizations;
static sim_handler list_services;

/* clang-format off */
#define TAKES(name, type) { SIM_BODY, name, type, false }
#define NEEDS(name, type) { SIM_BODY, name, type, true }
#define ACCOUNT_BODY                                                                       \
    TAKES("SAMAccountName", "string"),                                                     \
    TAKES("authenticationPolicyId", "long"),                                               \
    TAKES("city", "string"),                                                               \
    TAKES("company", "string"),                                                            \
    TAKES("countryCode", "email.exchange.CountryCodeEnum"),                                \
    TAKES("description", "string"),                                                        \
    TAKES("displayName", "string"),                                                        \
    NEEDS("domain", "string"),                                                             \
    TAKES("fax", "phoneNumber"),                                                           \
    TAKES("firstName", "string"),                                                          \
    TAKES("forwardingEmail", "string"),                                                    \
    TAKES("hiddenFromGAL", "boolean"),                                                     \
    TAKES("initials", "string"),                                                           \
    TAKES("jobDepartment", "string"),                                                      \
    TAKES("jobTitle", "string"),                                                           \
    TAKES("lastName", "string"),                                                           \
    NEEDS("license", "email.exchange.OvhLicenceEnum"),                                     \
    TAKES("litigation", "boolean"),                                                        \
    TAKES("litigationPeriod", "long"),                                                     \
    NEEDS("login", "string"),                                                              \
    TAKES("mailSenderDisplay", "string"),                                                  \
    TAKES("mailingFilter", "email.exchange.MailingFilterEnum[]"),                          \
    TAKES("mobile", "phoneNumber"),                                                        \
    TAKES("office", "string"),                                                             \
    TAKES("outlookLicense", "boolean"),                                                    \
    NEEDS("password", "password"),                                                         \
    TAKES("phone", "phoneNumber"),                                                         \
    TAKES("postalCode", "string"),                                                         \
    TAKES("quota", "long"),                                                                \
    TAKES("region", "string"),                                                             \
    TAKES("sbrDestination", "string"),                                                     \
    TAKES("sendConnectorId", "long"),                                                      \
    TAKES("spamAndVirusConfiguration", "email.exchange.spamAndVirusConfiguration"),        \
    TAKES("storeCopyOfEmail", "boolean"),                                                  \
    TAKES("streetAddress", "string")
/* clang-format on */

static const struct sim_route routes[] = {
    { "GET", "/email/exchange", SIM_SIGNED, list_organizations, "string[]", { { 0 } } },
    { "GET",
      "/email/exchange/{organizationName}/service",
      SIM_SIGNED,
      list_services,
      "string[]",
      { { SIM_PATH, "organizationName", "string", true }, SIM_TAGS } },
    { "GET",
      AT,
      SIM_SIGNED,
      sim_service_show,
      "email.exchange.ExchangeServiceWithIAM",
      { SERVICE } },
    { "GET",
      AT "/account",
      SIM_SIGNED,
      sim_slot_accounts,
      "string[]",
      { SERVICE,
        { SIM_QUERY, "accountLicense", "email.exchange.OvhLicenceEnum", false },
        { SIM_QUERY, "company", "string", false },
        { SIM_QUERY, "id", "long", false },
        { SIM_QUERY, "primaryEmailAddress", "string", false } } },
    { "POST",
      AT "/account",
      SIM_SIGNED,
      sim_slot_create,
      TASK,
      { SERVICE, ACCOUNT_BODY } },
    SIM_ACCOUNT_ROUTES("email.exchange.Account", "email.exchange.Account"),
    { "POST",
      BOX "/changePassword",
      SIM_SIGNED,
      sim_slot_change_password,
      TASK,
      { SERVICE,
        ACCOUNT,
        { SIM_BODY, "forcePasswordChangeAtNextLogon", "boolean", false },
        { SIM_BODY, "password", "password", false } } },
    SIM_ALIAS_ROUTES("email.exchange.exchangeAccountAlias"),
    SIM_GRANT_ROUTES("/fullAccess", "allowedAccountId",
                     "email.exchange.exchangeAccountFullAccess"),
    SIM_GRANT_ROUTES("/sendAs", "allowAccountId", "email.exchange.exchangeAccountSendAs"),
    SIM_GRANT_ROUTES("/sendOnBehalfTo", "allowAccountId",
                     "email.exchange.exchangeAccountSendOnBehalfTo"),
    SIM_TASK_ROUTES,
    { "GET",
      AT "/domain",
      SIM_SIGNED,
      sim_service_domains,
      "string[]",
      { SERVICE,
        { SIM_QUERY, "main", "boolean", false },
        { SIM_QUERY, "state", "email.exchange.ObjectStateEnum", false } } },
    { "GET",
      AT "/domain/{domainName}",
      SIM_SIGNED,
      sim_service_domain,
      "email.exchange.Domain",
      { SERVICE, { SIM_PATH, "domainName", "string", true } } },
    { "GET",
      AT "/server",
      SIM_SIGNED,
      sim_service_show_server,
      "email.exchange.Server",
      { SERVICE } },
    { "GET",
      AT "/serviceInfos",
      SIM_SIGNED,
      sim_service_show_infos,
      "services.Service",
      { SERVICE } },
};

const struct sim_route_table sim_exchange_table = {
    routes,
    sizeof routes / sizeof routes[0],
};

static json_t *own_services(const struct sim *sim, const struct sim_call *call,
                            const char *organization)
{
    json_t *names = sim_service_names(sim, call, SIM_EXCHANGE);

    for (size_t i = json_array_size(names); organization && i > 0; i--) {
        const json_t *service = sim_service_get(
            sim, SIM_EXCHANGE, json_string_value(json_array_get(names, i - 1)));
        if (strcmp(sim_state_text(service, "_org"), organization) != 0)
            json_array_remove(names, i - 1);
    }
    return names;
}

static void list_organizations(struct sim *sim, struct sim_call *call)
{
    json_t *services = own_services(sim, call, NULL);
    json_t *seen = json_object();
    json_t *names = json_array();
    const json_t *name = NULL;
    size_t i = 0;

    json_array_foreach(services, i, name) {
        const json_t *service =
            sim_service_get(sim, SIM_EXCHANGE, json_string_value(name));
        const char *organization = sim_state_text(service, "_org");
        if (!json_object_get(seen, organization))
            json_array_append_new(names, json_string(organization));
        json_object_set_new(seen, organization, json_true());
    }
    json_decref(seen);
    json_decref(services);
    sim_call_answer(call, names);
}

static void list_services(struct sim *sim, struct sim_call *call)
{
    const char *organization = sim_call_text(call, "organizationName");
    bool tags = json_object_size(json_object_get(call->args, "iamTags")) > 0;
    json_t *names = own_services(sim, call, organization);

    if (json_array_size(names) == 0) {
        json_decref(names);
        sim_call_refuse(call, 404, "Client::NotFound", "This service does not exist");
        return;
    }
    if (tags)
        json_array_clear(names);
    sim_call_answer(call, names);
}

static json_t *new_service(struct sim *sim, const json_t *entry, const char *name)
{
    json_t *service = sim_slot_service(sim, entry, name, "ex2.mail.ovh.net");
    const json_t *policy = json_object_get(entry, "policy");
    json_t *history = json_object_get(policy, "passwordHistoryCount");

    json_object_set_new(service, "offer",
                        json_string(sim_seed_text_or(entry, "offer", "hosted")));
    json_object_set_new(service, "passwordHistoryCount",
                        history ? json_deep_copy(history) : json_null());
    json_t *rest = json_pack("{s:b,s:n,s:n,s:n,s:n}", "adfsChangePassword", 0,
                             "cnameDcvRecord", "defaultAuthenticationPolicyId",
                             "defaultSmartHost", "sslExpirationDate");
    json_object_update(service, rest);
    json_decref(rest);
    return service;
}

static json_t *new_domain(const char *name, bool first)
{
    json_t *domain = sim_slot_checked_domain(name);
    json_t *rest = json_pack("{s:b,s:n,s:n,s:n}", "main", first, "organization2010",
                             "sbrDefault", "sendConnectorIdDefault");

    json_object_update(domain, rest);
    json_decref(rest);
    return domain;
}

static json_t *new_server(void)
{
    return json_pack("{s:s,s:n,s:n,s:b,s:s,s:n,s:b,s:b,s:b,s:b,s:b,s:s,s:i,s:i}",
                     "commercialVersion", "2019", "currentDiskUsage", "diskSize",
                     "individual2010", 0, "ip", "192.0.2.2", "ipV6", "isAValid", 1,
                     "isAaaaValid", 1, "isPtrV6Valid", 1, "isPtrValid", 1, "owaMfa", 0,
                     "state", "ok", "taskPendingId", 0, "version", 15);
}

static void fill_account(struct sim *sim, json_t *account)
{
    static const char *const nulls[] = {
        "authenticationPolicyId",
        "city",
        "company",
        "countryCode",
        "customIsolationId",
        "deleteOutlookAtExpiration",
        "description",
        "exchangeGuid",
        "fax",
        "forwardingEmail",
        "guid",
        "jobDepartment",
        "jobTitle",
        "litigationPeriod",
        "mailSenderDisplay",
        "mobile",
        "office",
        "phone",
        "postalCode",
        "region",
        "renewOutlookPeriod",
        "sbrDestination",
        "sendConnectorId",
        "streetAddress",
    };
    static const char *const falses[] = { "litigation", "outlookLicense", "owaLimited",
                                          "storeCopyOfEmail" };

    (void)sim;
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++)
        json_object_set_new(account, nulls[i], json_null());
    for (size_t i = 0; i < sizeof falses / sizeof falses[0]; i++)
        json_object_set_new(account, falses[i], json_false());
    json_object_set_new(account, "accountLicense", json_string("standard"));
    json_object_set_new(account, "numberOfAliases", json_integer(0));
    json_object_set_new(account, "quota", json_integer(50));
}

const struct sim_slot_family sim_exchange_slots = {
    .new_service = new_service,
    .new_domain = new_domain,
    .new_server = new_server,
    .fill_account = fill_account,
};
