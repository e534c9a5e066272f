#include <stdio.h>
#include <string.h>

#include "family.h"
#include "resource.h"
#include "seed.h"
#include "state.h"
#include "text.h"

/* Services of the newer families, as seeds name them and migrations need them. */

enum {
    DAY = 86400,
    USUAL_AGE_DAYS = 400,
    ACCOUNTS_MAX = 100,
};

const char *sim_seed_text_or(const json_t *entry, const char *member,
                             const char *otherwise)
{
    const char *text = json_string_value(json_object_get(entry, member));

    return text ? text : otherwise;
}

json_int_t sim_seed_number_or(const json_t *entry, const char *member,
                              json_int_t otherwise)
{
    const json_t *value = json_object_get(entry, member);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

/* The name of the entry, or one in the family's manner. */
static void choose_name(struct sim *sim, enum sim_family family, const json_t *entry,
                        char *name, size_t size)
{
    static const char *const words[SIM_FAMILIES] = { "mxplan", "emailpro", "hosted", "" };
    const char *given = sim_seed_text_or(entry, "service", NULL);
    json_int_t id = sim_state_id(sim);

    if (given)
        snprintf(name, size, "%.250s", given);
    else if (family == SIM_ZIMBRA)
        sim_work_uuid(id, name);
    else
        snprintf(name, size, "%s-%.64s-%lld", words[family],
                 sim_seed_text_or(entry, "nic", "nobody"), (long long)id);
}

static json_t *new_iam(struct sim *sim, enum sim_family family, const char *name)
{
    static const char *const kinds[SIM_FAMILIES] = { "emailMxplan", "emailPro",
                                                     "emailExchange", "zimbraPlatform" };
    char uuid[SIM_UUID_SIZE];
    char urn[400];

    sim_work_uuid(sim_state_id(sim), uuid);
    snprintf(urn, sizeof urn, "urn:v1:eu:resource:%s:%.255s", kinds[family], name);
    return json_pack("{s:s,s:s,s:s,s:{},s:s}", "displayName", name, "id", uuid, "state",
                     "OK", "tags", "urn", urn);
}

static json_t *new_platform(const json_t *entry, const char *name)
{
    const char *label = sim_seed_text_or(entry, "displayName", "Zimbra");

    return json_pack("{s:s,s:s,s:i,s:{s:[],s:s,s:s,s:i,s:f},s:{s:s,s:s}}", "id", name,
                     "resourceStatus", "READY", "_revision", 1, "currentState",
                     "accountsStatistics", "description", "", "name", label,
                     "numberOfOrganizations", 1, "quota", 0.0, "targetSpec",
                     "description", "", "name", label);
}

static void add_domain(struct sim *sim, json_t *service, const char *name)
{
    enum sim_family family = sim_service_family_of(service);
    json_t *domains = json_object_get(service, "domains");

    if (family == SIM_ZIMBRA)
        sim_zimbra_add_domain(sim, service, name);
    else
        json_object_set_new(
            domains, name,
            sim_slot_family_of(family)->new_domain(name, json_object_size(domains) == 0));
}

static bool has_domain(const json_t *service, const char *address)
{
    const char *at = strrchr(address, '@');

    if (sim_service_family_of(service) == SIM_ZIMBRA)
        return sim_zimbra_domain(service, address) != NULL;
    return at && json_object_get(json_object_get(service, "domains"), at + 1);
}

json_t *sim_seed_account(struct sim *sim, json_t *service, const char *address,
                         const char *offer)
{
    if (!has_domain(service, address))
        add_domain(sim, service, strrchr(address, '@') + 1);
    if (sim_service_family_of(service) == SIM_ZIMBRA)
        return sim_zimbra_add_account(sim, service, address, offer);
    return sim_slot_add(sim, service, address);
}

/* A password that has been in force for a while, so that no least age forbids another. */
static void put_password(struct sim *sim, json_t *account, const json_t *entry)
{
    const char *password = sim_seed_text_or(entry, "password", NULL);
    json_int_t since =
        (json_int_t)sim_state_now_s(sim) -
        DAY * sim_seed_number_or(entry, "password_age_days", USUAL_AGE_DAYS);
    char date[SIM_TEXT_DATETIME_SIZE];

    if (!password)
        return;
    sim_state_remember(sim, account, password, "seed");
    for (int front = 0; front < SIM_FRONTS; front++)
        sim_state_put_password(sim, account, front, password);
    json_object_set_new(account, "_password_s", json_integer(since));
    sim_text_datetime(since, date);
    if (json_object_get(account, "passwordLastUpdate"))
        json_object_set_new(account, "passwordLastUpdate", json_string(date));
}

/* Members that the mailbox has, in v2 under currentState and targetSpec, are taken over.
 */
static void copy_members(json_t *account, json_t *entry)
{
    const char *const parts[] = { "currentState", "targetSpec" };
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(entry, name, value) {
        if (json_object_get(account, name))
            json_object_set(account, name, value);
        for (size_t i = 0; i < 2; i++) {
            json_t *part = json_object_get(account, parts[i]);
            if (json_object_get(part, name) && strcmp(name, "email") != 0)
                json_object_set(part, name, value);
        }
    }
}

static void add_account(struct sim *sim, json_t *service, const char *address,
                        json_t *entry)
{
    json_t *account =
        sim_seed_account(sim, service, address, sim_seed_text_or(entry, "offer", NULL));

    copy_members(account, entry);
    if (sim_state_flag(entry, "blocked"))
        json_object_set_new(account, "_blocked", json_true());
    put_password(sim, account, entry);
}

/* "name" lies in the first domain, "address" says it all. Lower case. */
static void address_of(const json_t *entry, const char *domain, char *address,
                       size_t size)
{
    const char *given = sim_seed_text_or(entry, "address", NULL);

    if (given)
        snprintf(address, size, "%.500s", given);
    else
        snprintf(address, size, "%.250s@%.250s", sim_seed_text_or(entry, "name", "x"),
                 domain);
    sim_text_lower(address);
}

/* The rights of other mailboxes, once all of them are there. */
static void put_grants(struct sim *sim, json_t *account, const json_t *entry)
{
    static const char *const kinds[] = { "fullAccess", "sendAs", "sendOnBehalfTo" };
    char date[SIM_TEXT_DATETIME_SIZE];
    char set[32];
    char id[32];

    sim_text_datetime(sim_state_now_s(sim) - DAY, date);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const json_t *list = json_object_get(entry, kinds[k]);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *other =
                sim_state_mailbox(sim, json_string_value(json_array_get(list, i)));
            snprintf(set, sizeof set, "_%s", kinds[k]);
            snprintf(id, sizeof id, "%lld",
                     (long long)json_integer_value(json_object_get(other, "id")));
            if (other)
                json_object_set_new(json_object_get(account, set), id, json_string(date));
        }
    }
}

static void put_aliases(struct sim *sim, json_t *service, json_t *account,
                        const json_t *entry)
{
    const json_t *list = json_object_get(entry, "aliases");
    json_t *set = json_object_get(account, "_alias");
    char date[SIM_TEXT_DATETIME_SIZE];

    sim_text_datetime(sim_state_now_s(sim) - DAY, date);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *alias = json_string_value(json_array_get(list, i));
        if (alias && set)
            json_object_set_new(set, alias, json_string(date));
        else if (alias)
            sim_zimbra_add_alias(sim, service, alias, account);
    }
    if (json_object_get(account, "numberOfAliases"))
        json_object_set_new(account, "numberOfAliases",
                            json_integer((json_int_t)json_object_size(set)));
}

static void seed_accounts(struct sim *sim, json_t *service, const json_t *entry,
                          const char *domain)
{
    json_t *bulk = json_object_get(entry, "bulk");
    const json_t *accounts = json_object_get(entry, "accounts");
    json_t *one = NULL;
    char address[512];
    size_t i = 0;

    json_array_foreach(accounts, i, one) {
        address_of(one, domain, address, sizeof address);
        add_account(sim, service, address, one);
    }
    for (json_int_t n = 1; n <= sim_seed_number_or(bulk, "count", 0); n++) {
        snprintf(address, sizeof address, "%.60s%05lld@%.250s",
                 sim_seed_text_or(bulk, "prefix", "box"), (long long)n,
                 sim_seed_text_or(bulk, "domain", domain));
        add_account(sim, service, address, bulk);
    }
    json_array_foreach(accounts, i, one) {
        address_of(one, domain, address, sizeof address);
        put_grants(sim, sim_state_mailbox(sim, address), one);
        put_aliases(sim, service, sim_state_mailbox(sim, address), one);
    }
}

static void seed_rest(struct sim *sim, json_t *service, const json_t *entry)
{
    bool second = sim_service_family_of(service) == SIM_ZIMBRA;
    const json_t *one = NULL;
    size_t i = 0;

    for (json_int_t n = sim_seed_number_or(entry, "free_slots", 0); n > 0; n--) {
        if (second)
            sim_zimbra_add_slot(sim, service,
                                sim_seed_text_or(entry, "offer", "STARTER"));
        else
            sim_slot_add(sim, service, NULL);
    }
    json_array_foreach(json_object_get(entry, "redirections"), i, one)
        if (second)
            sim_zimbra_add_redirection(sim, service, sim_seed_text_or(one, "from", ""),
                                       sim_seed_text_or(one, "to", ""));
}

/* Mailboxes are slots, but in an Exchange of one's own. */
static bool has_slots(const json_t *service)
{
    return sim_service_family_of(service) != SIM_EXCHANGE ||
           strcmp(sim_state_text(json_object_get(service, "service"), "offer"),
                  "hosted") == 0;
}

json_t *sim_seed_new_service(struct sim *sim, enum sim_family family, const json_t *entry)
{
    const struct sim_slot_family *slots = sim_slot_family_of(family);
    char organization[160];
    char name[256];
    char key[320];

    choose_name(sim, family, entry, name, sizeof name);
    snprintf(key, sizeof key, "%s/%s", sim_service_word(family), name);
    snprintf(organization, sizeof organization, "organization-%.100s",
             sim_seed_text_or(entry, "nic", "nobody"));
    json_t *service = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:{},s:{},s:{},s:{},s:o,s:o}", "_family",
        sim_service_word(family), "_key", key, "_name", name, "_nic",
        sim_seed_text_or(entry, "nic", ""), "_org",
        sim_seed_text_or(entry, "organization", organization), "_expired",
        sim_state_flag(entry, "expired"), "_suspended",
        sim_state_flag(entry, "suspended"), "domains", "accounts", "_by_id", "_tasks",
        "infos", sim_seed_infos(sim, entry, name), "service",
        slots ? slots->new_service(sim, entry, name) : new_platform(entry, name));
    json_object_set_new(json_object_get(service, "service"), "iam",
                        new_iam(sim, family, name));
    json_object_set_new(service, "_slots", json_boolean(has_slots(service)));
    json_object_set_new(
        service, "_accounts_max",
        json_integer(sim_seed_number_or(entry, "accounts_max",
                                        has_slots(service) ? 0 : ACCOUNTS_MAX)));
    if (slots)
        json_object_set_new(service, "_server", slots->new_server());
    else
        sim_zimbra_begin(sim, service, entry);
    json_object_set_new(json_object_get(sim->root, "services"), key, service);
    return service;
}

bool sim_seed_service(struct sim *sim, json_t *entry, char *why, size_t size)
{
    enum sim_family family = sim_service_family(sim_seed_text_or(entry, "family", ""));
    const json_t *domains = json_object_get(entry, "domains");
    const char *first = json_string_value(json_array_get(domains, 0));

    if (family == SIM_FAMILIES) {
        snprintf(why, size, "no family is called '%.60s'",
                 sim_seed_text_or(entry, "family", ""));
        return false;
    }
    json_t *service = sim_seed_new_service(sim, family, entry);
    for (size_t i = 0; i < json_array_size(domains); i++)
        add_domain(sim, service, json_string_value(json_array_get(domains, i)));
    seed_accounts(sim, service, entry, first ? first : "example.org");
    seed_rest(sim, service, entry);
    sim_seed_note(sim, "services",
                  json_pack("{s:O,s:O,s:O}", "family",
                            json_object_get(service, "_family"), "service",
                            json_object_get(service, "_name"), "organization",
                            json_object_get(service, "_org")));
    return true;
}
