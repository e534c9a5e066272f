#include "migrate.h"

#include <stdio.h>
#include <string.h>

#include "family.h"
#include "seed.h"
#include "state.h"
#include "task.h"
#include "text.h"

static json_t *refuse(char *why, size_t size, const char *what)
{
    snprintf(why, size, "%s", what);
    return NULL;
}

static bool is_lost(const json_t *order)
{
    return strcmp(sim_state_text(order, "tasks"), "lost") == 0;
}

/* The families by the words of orders: "mxplan-zimbra" is email/mxplan, too. */
static enum sim_family read_family(const json_t *order, bool *ret_zimbra)
{
    const char *to = sim_state_text(order, "to");

    *ret_zimbra = strcmp(to, "mxplan-zimbra") == 0;
    return *ret_zimbra ? SIM_MXPLAN : sim_service_family(to);
}

static const char *domain_of(const char *address)
{
    const char *at = strrchr(address, '@');

    return at ? at + 1 : "";
}

/* Whose mailbox it is. */
static const char *owner_of(const struct sim *sim, const json_t *account)
{
    const json_t *service = sim_service_of(sim, account);

    if (!service)
        service = sim_state_domain(sim, domain_of(sim_state_address(account)));
    return sim_state_text(service, "_nic");
}

/* Of the owner, in the family, on the same webmail; and of the name, where one is given.
 */
static bool is_target(const json_t *service, const char *nic, enum sim_family family,
                      bool zimbra, const char *name)
{
    if (sim_service_family_of(service) != family ||
        strcmp(sim_state_text(service, "_nic"), nic) != 0)
        return false;
    if (*name)
        return strcmp(sim_state_text(service, "_name"), name) == 0;
    return family != SIM_MXPLAN || sim_service_is_zimbra(service) == zimbra;
}

static json_t *target_of(struct sim *sim, const json_t *order, const char *nic)
{
    bool zimbra = false;
    enum sim_family family = read_family(order, &zimbra);
    const char *name = sim_state_text(order, "service");
    const char *key = NULL;
    json_t *service = NULL;

    json_object_foreach(json_object_get(sim->root, "services"), key, service)
        if (is_target(service, nic, family, zimbra, name))
            return service;
    json_t *entry = json_deep_copy(order);
    json_object_set_new(entry, "nic", json_string(nic));
    json_object_set_new(entry, "zimbra", json_boolean(zimbra));
    service = sim_seed_new_service(sim, family, entry);
    json_decref(entry);
    return service;
}

/* What stays: the password with its past, and who the mailbox says that it is. */
static void carry_over(struct sim *sim, const json_t *from, json_t *to)
{
    static const char *const members[] = { "_front",      "_history", "_created",
                                           "_password_s", "_blocked", "displayName",
                                           "firstName",   "lastName" };
    const json_t *since = json_object_get(from, "_password_s");
    char date[SIM_TEXT_DATETIME_SIZE];

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *value = json_object_get(from, members[i]);
        bool own = members[i][0] == '_' || json_object_get(to, members[i]);
        if (value && own)
            json_object_set_new(to, members[i], json_deep_copy(value));
    }
    if (sim_state_flag(from, "isBlocked"))
        json_object_set_new(to, "_blocked", json_true());
    if (since && json_object_get(to, "passwordLastUpdate")) {
        sim_text_datetime(json_integer_value(since), date);
        json_object_set_new(to, "passwordLastUpdate", json_string(date));
    }
    sim_state_publish(sim, to);
}

static void leave(struct sim *sim, json_t *account)
{
    json_t *service = sim_service_of(sim, account);
    char name[320];

    if (service) {
        sim_service_remove_account(sim, service, account);
        return;
    }
    snprintf(name, sizeof name, "%s", sim_state_text(account, "accountName"));
    sim_state_remove_account(sim, sim_state_text(account, "domain"), name);
}

static void move(struct sim *sim, json_t *service, json_t *account, const json_t *order)
{
    char address[512];

    snprintf(address, sizeof address, "%s", sim_state_address(account));
    json_incref(account);
    leave(sim, account);
    json_t *moved = sim_seed_account(sim, service, address, NULL);
    carry_over(sim, account, moved);
    sim_task_follow(sim, account, moved, is_lost(order));
    json_decref(account);
}

/* The mailboxes that the order means: copies of their addresses. */
static json_t *addresses_of(const struct sim *sim, const json_t *order)
{
    const char *address = sim_state_text(order, "address");
    const char *domain = sim_state_text(order, "domain");
    json_t *list = json_array();
    const char *name = NULL;
    json_t *account = NULL;

    if (*address) {
        if (sim_state_mailbox(sim, address))
            json_array_append_new(list, json_string(address));
        return list;
    }
    json_object_foreach(json_object_get(sim_state_domain(sim, domain), "accounts"), name,
                        account)
        json_array_append_new(list, json_string(sim_state_address(account)));
    json_object_foreach(json_object_get(sim->root, "mailboxes"), name, account)
        if (*domain && strcmp(domain_of(name), domain) == 0)
            json_array_append_new(list, json_string(name));
    return list;
}

/* A whole service of email/mxplan gets another webmail: its mailboxes get other ids, its
 * policy and the rights on its mailboxes are gone. */
static json_t *turn_over(struct sim *sim, json_t *service, const json_t *order)
{
    static const char *const policy[] = { "lockoutThreshold", "maxPasswordAge",
                                          "minPasswordAge", "minPasswordLength" };
    static const char *const sets[] = { "_fullAccess", "_sendAs", "_sendOnBehalfTo" };
    json_t *answer = json_object_get(service, "service");
    json_t *accounts = json_object_get(service, "accounts");
    json_t *moved = json_array();
    const char *address = NULL;
    json_t *account = NULL;
    char id[32];

    json_object_set_new(answer, "isZimbra", json_true());
    json_object_set_new(answer, "complexityEnabled", json_false());
    for (size_t i = 0; i < sizeof policy / sizeof policy[0]; i++)
        json_object_set_new(answer, policy[i], json_null());
    json_object_clear(json_object_get(service, "_by_id"));
    json_object_foreach(accounts, address, account) {
        json_int_t number = sim_state_id(sim);
        snprintf(id, sizeof id, "%lld", (long long)number);
        json_object_set_new(account, "id", json_integer(number));
        json_object_set(json_object_get(service, "_by_id"), id, account);
        for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
            json_object_clear(json_object_get(account, sets[i]));
        sim_task_follow(sim, account, account, is_lost(order));
        json_array_append_new(moved, json_string(address));
    }
    return json_pack("{s:o,s:s,s:O}", "moved", moved, "family", "mxplan", "service",
                     json_object_get(service, "_name"));
}

/* The old service tells where its mailboxes are now. */
static void note_at_domain(const struct sim *sim, const json_t *order,
                           const json_t *service)
{
    json_t *domain = sim_state_domain(sim, sim_state_text(order, "domain"));

    if (domain && sim_service_family_of(service) == SIM_MXPLAN)
        json_object_set(json_object_get(domain, "service"), "migratedMXPlanServiceName",
                        json_object_get(service, "_name"));
}

json_t *sim_migrate(struct sim *sim, const json_t *order, char *ret_why, size_t why_size)
{
    bool zimbra = false;
    enum sim_family family = read_family(order, &zimbra);
    const char *from = sim_state_text(order, "from");
    json_t *service = NULL;
    json_t *one = NULL;
    size_t i = 0;

    if (family == SIM_FAMILIES)
        return refuse(ret_why, why_size, "'to' names no family");
    if (*from) {
        service = sim_service_get(sim, SIM_MXPLAN, from);
        return service && zimbra ? turn_over(sim, service, order)
                                 : refuse(ret_why, why_size, "no such service");
    }
    json_t *addresses = addresses_of(sim, order);
    json_array_foreach(addresses, i, one) {
        json_t *account = sim_state_mailbox(sim, json_string_value(one));
        service = target_of(sim, order, owner_of(sim, account));
        if (sim_service_of(sim, account) != service)
            move(sim, service, account, order);
    }
    if (!service) {
        json_decref(addresses);
        return refuse(ret_why, why_size, "no such mailbox");
    }
    note_at_domain(sim, order, service);
    return json_pack("{s:o,s:s,s:O}", "moved", addresses, "family",
                     sim_service_word(family), "service",
                     json_object_get(service, "_name"));
}
