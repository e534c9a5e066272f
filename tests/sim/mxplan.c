#include <stdio.h>

#include "slot_routes.h"
#include "state.h"

/* email/mxplan, the second MX Plan: behind it OWA or, once migrated, Zimbra. */

#define AT  "/email/mxplan/{service}"
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
#define TASKS "/task"

static const struct sim_route routes[] = {
    { "GET", "/email/mxplan", SIM_SIGNED, sim_service_list, "string[]", { SIM_TAGS } },
    { "GET",
      AT,
      SIM_SIGNED,
      sim_service_show,
      "email.mxplan.ServiceWithIAM",
      { SERVICE } },
    { "GET",
      AT "/account",
      SIM_SIGNED,
      sim_slot_accounts,
      "string[]",
      { SERVICE,
        { SIM_QUERY, "id", "long", false },
        { SIM_QUERY, "primaryEmailAddress", "string", false } } },
    SIM_ACCOUNT_ROUTES("email.mxplan.Account", "email.mxplan.Account"),
    { "POST",
      BOX "/changePassword",
      SIM_SIGNED,
      sim_slot_change_password,
      TASK,
      { SERVICE, ACCOUNT, { SIM_BODY, "password", "password", true } } },
    SIM_ALIAS_ROUTES("email.mxplan.AccountAlias"),
    SIM_GRANT_ROUTES("/fullAccess", "allowedAccountId", "email.mxplan.AccountFullAccess"),
    SIM_GRANT_ROUTES("/sendAs", "allowAccountId", "email.mxplan.AccountSendAs"),
    SIM_GRANT_ROUTES("/sendOnBehalfTo", "allowAccountId",
                     "email.mxplan.AccountSendOnBehalfTo"),
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
      "email.mxplan.Domain",
      { SERVICE, { SIM_PATH, "domainName", "string", true } } },
    { "GET",
      AT "/server",
      SIM_SIGNED,
      sim_service_show_server,
      "email.mxplan.Server",
      { SERVICE } },
};

const struct sim_route_table sim_mxplan_table = {
    routes,
    sizeof routes / sizeof routes[0],
};

static json_t *new_service(struct sim *sim, const json_t *entry, const char *name)
{
    json_t *service = sim_slot_service(sim, entry, name, "ex5.mail.ovh.net");

    json_object_set_new(service, "offer", json_string("MXPLAN"));
    json_object_set_new(service, "isZimbra",
                        json_boolean(sim_state_flag(entry, "zimbra")));
    return service;
}

static json_t *new_domain(const char *name, bool first)
{
    json_t *domain = sim_slot_domain(name);

    (void)first;
    json_object_set_new(
        domain, "expectedMX",
        json_pack("[s,s,s]", "mx1.mail.ovh.net", "mx2.mail.ovh.net", "mx3.mail.ovh.net"));
    return domain;
}

static json_t *new_server(void)
{
    return json_pack("{s:n,s:n,s:s,s:n,s:b,s:b,s:b,s:b,s:s,s:i,s:i}", "currentDiskUsage",
                     "diskSize", "ip", "192.0.2.5", "ipV6", "isAValid", 1, "isAaaaValid",
                     1, "isPtrV6Valid", 1, "isPtrValid", 1, "state", "ok",
                     "taskPendingId", 0, "version", 15);
}

static void fill_account(struct sim *sim, json_t *account)
{
    (void)sim;
    json_object_set_new(account, "quota", json_real(5.0));
}

const struct sim_slot_family sim_mxplan_slots = {
    .new_service = new_service,
    .new_domain = new_domain,
    .new_server = new_server,
    .fill_account = fill_account,
};
