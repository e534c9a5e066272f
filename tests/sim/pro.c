#include <stdio.h>

#include "slot_routes.h"

/* email/pro */

#define AT  "/email/pro/{service}"
#define BOX AT "/account/{email}"
#define SERVICE                             \
    {                                       \
        SIM_PATH, "service", "string", true \
    }
#define ACCOUNT                           \
    {                                     \
        SIM_PATH, "email", "string", true \
    }
#define TASK  "email.pro.Task"
#define TASKS "/tasks"

static const struct sim_route routes[] = {
    { "GET", "/email/pro", SIM_SIGNED, sim_service_list, "string[]", { SIM_TAGS } },
    { "GET",
      AT,
      SIM_SIGNED,
      sim_service_show,
      "email.pro.ServiceNativeWithIAM",
      { SERVICE } },
    { "GET",
      AT "/account",
      SIM_SIGNED,
      sim_slot_accounts,
      "string[]",
      { SERVICE,
        { SIM_QUERY, "id", "long", false },
        { SIM_QUERY, "primaryEmailAddress", "string", false } } },
    SIM_ACCOUNT_ROUTES("email.pro.AccountNative", "email.pro.Account"),
    { "POST",
      BOX "/changePassword",
      SIM_SIGNED,
      sim_slot_change_password,
      TASK,
      { SERVICE, ACCOUNT, { SIM_BODY, "password", "password", true } } },
    SIM_ALIAS_ROUTES("email.pro.AccountAlias"),
    SIM_GRANT_ROUTES("/fullAccess", "allowedAccountId", "email.pro.AccountFullAccess"),
    SIM_GRANT_ROUTES("/sendAs", "allowAccountId", "email.pro.AccountSendAs"),
    SIM_GRANT_ROUTES("/sendOnBehalfTo", "allowAccountId",
                     "email.pro.AccountSendOnBehalfTo"),
    SIM_TASK_ROUTES,
    { "GET",
      AT "/domain",
      SIM_SIGNED,
      sim_service_domains,
      "string[]",
      { SERVICE, { SIM_QUERY, "state", "email.pro.ObjectStateEnum", false } } },
    { "GET",
      AT "/domain/{domainName}",
      SIM_SIGNED,
      sim_service_domain,
      "email.pro.DomainNative",
      { SERVICE, { SIM_PATH, "domainName", "string", true } } },
    { "GET",
      AT "/server",
      SIM_SIGNED,
      sim_service_show_server,
      "email.pro.Server",
      { SERVICE } },
    { "GET",
      AT "/serviceInfos",
      SIM_SIGNED,
      sim_service_show_infos,
      "services.Service",
      { SERVICE } },
};

const struct sim_route_table sim_pro_table = {
    routes,
    sizeof routes / sizeof routes[0],
};

static json_t *new_service(struct sim *sim, const json_t *entry, const char *name)
{
    json_t *service = sim_slot_service(sim, entry, name, "pro1.mail.ovh.net");

    json_object_set_new(service, "offer", json_string("emailpro"));
    return service;
}

static json_t *new_domain(const char *name, bool first)
{
    (void)first;
    return sim_slot_checked_domain(name);
}

static json_t *new_server(void)
{
    return json_pack("{s:n,s:n,s:s,s:n,s:b,s:b,s:b,s:b,s:s,s:i,s:s}", "currentDiskUsage",
                     "diskSize", "ip", "192.0.2.1", "ipV6", "isAValid", 1, "isAaaaValid",
                     1, "isPtrV6Valid", 1, "isPtrValid", 1, "state", "ok",
                     "taskPendingId", 0, "version", "15.1");
}

static void fill_account(struct sim *sim, json_t *account)
{
    (void)sim;
    json_object_set_new(account, "quota", json_integer(10));
}

const struct sim_slot_family sim_pro_slots = {
    .new_service = new_service,
    .new_domain = new_domain,
    .new_server = new_server,
    .fill_account = fill_account,
};
