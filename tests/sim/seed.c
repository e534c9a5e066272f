#include "seed.h"

#include <stdio.h>
#include <string.h>

#include "contact.h"
#include "identity.h"
#include "oauth.h"
#include "state.h"
#include "text.h"
#include "zone.h"

enum {
    FIRST_CREATION = 1552291200, /* 11 March 2019 */
    DAY = 86400,
};

static bool refuse(char *why, size_t size, const char *what, const char *name)
{
    snprintf(why, size, "%s '%.100s'", what, name);
    return false;
}

/* A text of the seed, or another one. */
static const char *text_or(const json_t *entry, const char *member, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(entry, member));

    return text ? text : otherwise;
}

static json_int_t number_or(const json_t *entry, const char *member, json_int_t otherwise)
{
    const json_t *value = json_object_get(entry, member);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static json_t *copy_or(const json_t *entry, const char *member, json_t *otherwise)
{
    const json_t *value = json_object_get(entry, member);

    if (!value)
        return otherwise;
    json_decref(otherwise);
    return json_deep_copy(value);
}

void sim_seed_note(struct sim *sim, const char *kind, json_t *entry)
{
    json_t *list = json_object_get(sim->seeded, kind);

    if (!list) {
        list = json_array();
        json_object_set_new(sim->seeded, kind, list);
    }
    json_array_append_new(list, entry);
}

static bool seed_nic(struct sim *sim, json_t *entry, char *why, size_t size)
{
    const char *nic = text_or(entry, "nichandle", "");
    const char *name = NULL;
    json_t *value = NULL;

    if (!*nic)
        return refuse(why, size, "an account needs a", "nichandle");
    json_t *me = json_pack(
        "{s:s,s:n,s:n,s:n,s:s,s:n,s:n,s:n,s:s,s:{s:s,s:s},s:s,s:s,s:n,s:s,s:n,s:b,s:s,s:"
        "s,"
        "s:s,s:n}",
        "address", "4 place du Marche", "area", "birthCity", "birthDay", "city", "Lyon",
        "companyNationalIdentificationNumber", "complementaryAddress", "corporationType",
        "country", "FR", "currency", "code", "EUR", "symbol", "€", "customerCode",
        "0000-0000-00", "email", "contact@boulangerie-martin.fr", "fax", "firstname",
        "Claire", "italianSDI", "kycValidated", 0, "language", "fr_FR", "legalform",
        "individual", "name", "Martin", "nationalIdentificationNumber");
    json_t *rest = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:n,s:n,s:s,s:s,s:s}", "nichandle", nic,
        "organisation", "", "ovhCompany", "ovh", "ovhSubsidiary", "FR", "phone",
        "+33.400000000", "phoneCountry", "FR", "phoneType", "landline",
        "purposeOfPurchase", "sex", "state", "complete", "vat", "", "zip", "69002");
    json_object_update(me, rest);
    json_object_set_new(me, "spareEmail", json_null());
    json_decref(rest);
    json_object_foreach(entry, name, value)
        json_object_set(me, strcmp(name, "unpaid") == 0 ? "_unpaid" : name, value);
    json_object_set_new(json_object_get(sim->root, "nics"), nic, me);
    return true;
}

static bool seed_application(struct sim *sim, json_t *entry, char *why, size_t size)
{
    json_int_t id = number_or(entry, "id", sim_state_id(sim));
    char key[17];
    char secret[33];
    char number[32];

    if (!json_object_get(json_object_get(sim->root, "nics"), text_or(entry, "nic", "")))
        return refuse(why, size, "no account is called", text_or(entry, "nic", ""));
    sim_text_key("application key", (unsigned)id, key, sizeof key);
    sim_text_key("application secret", (unsigned)id, secret, sizeof secret);
    snprintf(number, sizeof number, "%lld", (long long)id);
    json_t *application =
        json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s}", "applicationId", id, "applicationKey",
                  text_or(entry, "key", key), "name", text_or(entry, "name", "passation"),
                  "description", text_or(entry, "description", ""), "status",
                  text_or(entry, "status", "active"), "_secret",
                  text_or(entry, "secret", secret), "_nic", text_or(entry, "nic", ""));
    json_object_set_new(json_object_get(sim->root, "applications"), number, application);
    sim_seed_note(sim, "applications",
                  json_pack("{s:I,s:O,s:O}", "id", id, "key",
                            json_object_get(application, "applicationKey"), "secret",
                            json_object_get(application, "_secret")));
    return true;
}

static const json_t *find_application(const struct sim *sim, const char *key)
{
    const char *id = NULL;
    json_t *application = NULL;

    json_object_foreach(json_object_get(sim->root, "applications"), id, application)
        if (strcmp(sim_state_text(application, "applicationKey"), key) == 0)
            return application;
    return NULL;
}

/* "expiration": null, a number of seconds from now, or a date and time. */
static bool put_expiration(const struct sim *sim, json_t *credential, const json_t *entry)
{
    const json_t *given = json_object_get(entry, "expiration");
    char text[SIM_TEXT_DATETIME_SIZE];
    int64_t when = 0;

    json_object_set_new(credential, "expiration", json_null());
    if (!given || json_is_null(given))
        return true;
    if (json_is_integer(given))
        when = sim_state_now_s(sim) + json_integer_value(given);
    else if (!json_is_string(given) ||
             !sim_text_parse_datetime(json_string_value(given), &when))
        return false;
    sim_text_datetime(when, text);
    json_object_set_new(credential, "expiration", json_string(text));
    json_object_set_new(credential, "_expires_s", json_integer(when));
    return true;
}

static bool seed_credential(struct sim *sim, json_t *entry, char *why, size_t size)
{
    const json_t *application =
        find_application(sim, text_or(entry, "application_key", ""));
    json_int_t id = number_or(entry, "id", sim_state_id(sim));
    char key[33];
    char number[32];
    char creation[SIM_TEXT_DATETIME_SIZE];

    if (!application)
        return refuse(why, size, "no application has the key",
                      text_or(entry, "application_key", ""));
    sim_text_key("consumer key", (unsigned)id, key, sizeof key);
    sim_text_datetime(sim_state_now_s(sim) - number_or(entry, "age", DAY), creation);
    snprintf(number, sizeof number, "%lld", (long long)id);
    json_t *credential = json_pack(
        "{s:o,s:O,s:s,s:I,s:n,s:b,s:o,s:s,s:s,s:s}", "allowedIPs",
        copy_or(entry, "allowed_ips", json_null()), "applicationId",
        json_object_get(application, "applicationId"), "creation", creation,
        "credentialId", id, "lastUse", "ovhSupport", sim_state_flag(entry, "ovh_support"),
        "rules", copy_or(entry, "rules", json_array()), "status",
        text_or(entry, "status", "validated"), "_key",
        text_or(entry, "consumer_key", key), "_nic",
        text_or(entry, "nic", sim_state_text(application, "_nic")));
    if (!put_expiration(sim, credential, entry)) {
        json_decref(credential);
        return refuse(why, size, "no date and time is", "expiration");
    }
    if (json_object_get(entry, "rate_per_min"))
        json_object_set(credential, "_rate_per_min",
                        json_object_get(entry, "rate_per_min"));
    if (json_object_get(entry, "rate_burst"))
        json_object_set(credential, "_rate_burst", json_object_get(entry, "rate_burst"));
    json_object_set_new(json_object_get(sim->root, "credentials"), number, credential);
    sim_seed_note(sim, "credentials",
                  json_pack("{s:I,s:O,s:O,s:O,s:s}", "id", id, "application_key",
                            json_object_get(application, "applicationKey"),
                            "application_secret", json_object_get(application, "_secret"),
                            "consumer_key", json_object_get(credential, "_key"), "nic",
                            sim_state_text(credential, "_nic")));
    return true;
}

static json_t *new_filters(const json_t *entry, const char *domain, const char *account)
{
    json_t *filters = json_object();
    const json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(entry, "filters"), i, one)
        json_object_set_new(
            filters, text_or(one, "name", "filter"),
            json_pack("{s:s,s:s?,s:b,s:s,s:s,s:s,s:I}", "action",
                      text_or(one, "action", "accept"), "actionParam",
                      text_or(one, "actionParam", NULL), "active",
                      !json_is_false(json_object_get(one, "active")), "domain", domain,
                      "name", text_or(one, "name", "filter"), "pop", account, "priority",
                      number_or(one, "priority", (json_int_t)i)));
    return filters;
}

static void add_account(struct sim *sim, json_t *domain, const char *name,
                        const json_t *entry)
{
    const char *domain_name = sim_state_text(domain, "_name");
    const char *password = text_or(entry, "password", NULL);
    char email[600];

    snprintf(email, sizeof email, "%s@%s", name, domain_name);
    json_t *account = json_pack(
        "{s:s,s:s,s:s,s:s,s:b,s:I,s:[s?,s?],s:[],s:b,s:o,s:o}", "accountName", name,
        "description", text_or(entry, "description", ""), "domain", domain_name, "email",
        email, "isBlocked", sim_state_flag(entry, "blocked"), "size",
        number_or(entry, "size", 5000000000), "_front", password, password, "_history",
        "_created", 1, "_filters", new_filters(entry, domain_name, name), "_delegations",
        copy_or(entry, "delegations", json_array()));
    json_object_set_new(json_object_get(domain, "accounts"), name, account);
    if (password)
        sim_state_remember(sim, account, password, "seed");
    sim_state_publish(sim, account);
}

static void seed_accounts(struct sim *sim, json_t *domain, const json_t *entry)
{
    const json_t *bulk = json_object_get(entry, "bulk");
    const json_t *one = NULL;
    char name[128];
    size_t i = 0;

    json_array_foreach(json_object_get(entry, "accounts"), i, one) {
        snprintf(name, sizeof name, "%s", text_or(one, "name", "x"));
        sim_text_lower(name);
        add_account(sim, domain, name, one);
    }
    for (json_int_t n = 1; n <= number_or(bulk, "count", 0); n++) {
        snprintf(name, sizeof name, "%.60s%05lld", text_or(bulk, "prefix", "box"),
                 (long long)n);
        add_account(sim, domain, name, bulk);
    }
}

static void seed_around(struct sim *sim, json_t *domain, const json_t *entry)
{
    const json_t *one = NULL;
    char id[32];
    size_t i = 0;

    json_array_foreach(json_object_get(entry, "redirections"), i, one) {
        snprintf(id, sizeof id, "%lld", (long long)sim_state_id(sim));
        json_object_set_new(json_object_get(domain, "redirections"), id,
                            json_pack("{s:s,s:s,s:s}", "from", text_or(one, "from", ""),
                                      "id", id, "to", text_or(one, "to", "")));
        sim_seed_note(sim, "redirections", json_string(id));
    }
    json_array_foreach(json_object_get(entry, "responders"), i, one)
        json_object_set_new(
            json_object_get(domain, "responders"), text_or(one, "account", "x"),
            json_pack("{s:s,s:s,s:b,s:s?,s:o,s:o}", "account",
                      text_or(one, "account", "x"), "content",
                      text_or(one, "content", ""), "copy", sim_state_flag(one, "copy"),
                      "copyTo", text_or(one, "copyTo", NULL), "from",
                      copy_or(one, "from", json_null()), "to",
                      copy_or(one, "to", json_null())));
    json_array_foreach(json_object_get(entry, "mailing_lists"), i, one) {
        const json_t *people = json_object_get(one, "subscribers");
        json_object_set_new(
            json_object_get(domain, "lists"), text_or(one, "name", "x"),
            json_pack("{s:I,s:s,s:s,s:I,s:n,s:{s:b,s:b,s:b},s:s,s:s,s:o,s:o}", "id",
                      sim_state_id(sim), "language", text_or(one, "language", "fr"),
                      "name", text_or(one, "name", "x"), "nbSubscribers",
                      (json_int_t)json_array_size(people), "nbSubscribersUpdateDate",
                      "options", "moderatorMessage", 1, "subscribeByModerator", 1,
                      "usersPostOnly", 0, "ownerEmail", text_or(one, "owner", ""),
                      "replyTo", text_or(one, "replyTo", ""), "_moderators",
                      copy_or(one, "moderators", json_array()), "_subscribers",
                      copy_or(one, "subscribers", json_array())));
    }
}

static json_t *new_service(struct sim *sim, const json_t *entry, const char *name)
{
    char creation[SIM_TEXT_DATETIME_SIZE];
    char urn[400];
    char uuid[40];

    sim_text_datetime(FIRST_CREATION, creation);
    snprintf(urn, sizeof urn, "urn:v1:eu:resource:emailDomain:%.255s", name);
    snprintf(uuid, sizeof uuid, "00000000-0000-4000-8000-%012llx",
             (unsigned long long)sim_state_id(sim));
    return json_pack(
        "{s:[I,I,I],s:s,s:s,s:I,s:{s:s,s:s,s:s,s:{},s:s},s:s,s:s,s:n,s:n,s:s,"
        "s:s}",
        "allowedAccountSize", (json_int_t)2500000000, (json_int_t)5000000000,
        (json_int_t)10000000000, "creationDate", creation, "domain", name, "filerz",
        (json_int_t)34, "iam", "displayName", name, "id", uuid, "state", "OK", "tags",
        "urn", urn, "isMXValid", "valid", "isSPFValid", "valid", "linkTo",
        "migratedMXPlanServiceName", "offer", text_or(entry, "offer", "mxplan100"),
        "status", text_or(entry, "status", "ok"));
}

json_t *sim_seed_infos(struct sim *sim, const json_t *entry, const char *name)
{
    const json_t *contacts = json_object_get(entry, "contacts");
    const char *nic = text_or(entry, "nic", "");
    char creation[SIM_TEXT_DATETIME_SIZE];
    char expiration[SIM_TEXT_DATETIME_SIZE];

    sim_text_date(FIRST_CREATION, creation);
    sim_text_date(sim_state_now_s(sim) + 200 * (int64_t)DAY, expiration);
    return json_pack(
        "{s:b,s:s,s:s,s:s,s:s,s:s,s:n,s:s,s:[i],s:{s:b,s:b,s:b,s:n,s:i},s:s,s:I,s:s}",
        "canDeleteAtExpiration", 1, "contactAdmin", text_or(contacts, "admin", nic),
        "contactBilling", text_or(contacts, "billing", nic), "contactTech",
        text_or(contacts, "tech", nic), "creation", creation, "domain", name,
        "engagedUpTo", "expiration", text_or(entry, "expiration", expiration),
        "possibleRenewPeriod", 12, "renew", "automatic", 1, "deleteAtExpiration", 0,
        "forced", 0, "manualPayment", "period", 12, "renewalType", "automaticV2016",
        "serviceId", sim_state_id(sim), "status", text_or(entry, "service_status", "ok"));
}

/* The domain itself and its zone have contacts of their own, where the seed says so. */
static void seed_others(struct sim *sim, json_t *domain, const json_t *entry,
                        const char *name)
{
    static const char *const members[][2] = {
        { "registered_infos", "registered_contacts" },
        { "zone_infos", "zone_contacts" },
    };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *infos = sim_seed_infos(sim, entry, name);
        const json_t *contacts = json_object_get(entry, members[i][1]);
        const char *nic = text_or(entry, "nic", "");

        if (contacts) {
            json_object_set_new(infos, "contactAdmin",
                                json_string(text_or(contacts, "admin", nic)));
            json_object_set_new(infos, "contactTech",
                                json_string(text_or(contacts, "tech", nic)));
            json_object_set_new(infos, "contactBilling",
                                json_string(text_or(contacts, "billing", nic)));
        }
        json_object_set_new(domain, members[i][0], infos);
    }
    json_object_set_new(domain, "_zone",
                        json_boolean(sim_state_flag(domain, "_registered") &&
                                     !json_is_false(json_object_get(entry, "zone"))));
}

static bool seed_domain(struct sim *sim, json_t *entry, char *why, size_t size)
{
    char name[256];

    snprintf(name, sizeof name, "%s", text_or(entry, "domain", ""));
    sim_text_lower(name);
    if (!*name)
        return refuse(why, size, "a domain needs a", "domain");
    json_t *domain = json_pack(
        "{s:s,s:s,s:b,s:b,s:b,s:b,s:o,s:o,s:{s:I,s:I,s:I,s:I,s:I},s:{},s:{},s:{},s:o,s:{}"
        "}",
        "_name", name, "_nic", text_or(entry, "nic", ""), "_mail",
        !json_is_false(json_object_get(entry, "mail")), "_registered",
        !json_is_false(json_object_get(entry, "registered")), "_expired",
        sim_state_flag(entry, "expired"), "_suspended",
        sim_state_flag(entry, "suspended"), "service", new_service(sim, entry, name),
        "infos", sim_seed_infos(sim, entry, name), "quota", "account",
        number_or(entry, "accounts_max", 100), "alias", (json_int_t)1000, "mailingList",
        (json_int_t)100, "redirection", (json_int_t)1000, "responder", (json_int_t)100,
        "accounts", "redirections", "responders", "acl",
        copy_or(entry, "acl", json_array()), "lists");
    if (!domain)
        return refuse(why, size, "this domain could not be made:", name);
    json_object_set_new(json_object_get(sim->root, "domains"), name, domain);
    seed_others(sim, domain, entry, name);
    seed_accounts(sim, domain, entry);
    seed_around(sim, domain, entry);
    sim_zone_seed(sim, domain, entry);
    return true;
}

bool sim_seed(struct sim *sim, const json_t *seed, char *ret_why, size_t why_size)
{
    static const struct {
        const char *member;
        bool (*seed)(struct sim *sim, json_t *entry, char *why, size_t size);
    } parts[] = {
        { "nics", seed_nic },
        { "applications", seed_application },
        { "credentials", seed_credential },
        { "oauth2_clients", sim_oauth_seed },
        { "domains", seed_domain },
        { "services", sim_seed_service },
        { "hosting", sim_contact_seed_hosting },
        { "users", sim_identity_seed_user },
        { "sub_accounts", sim_identity_seed_sub_account },
        { "policies", sim_iam_seed },
    };
    json_t *entry = NULL;
    size_t i = 0;

    json_decref(sim->seeded);
    sim->seeded = json_object();
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++)
        json_array_foreach(json_object_get(seed, parts[p].member), i, entry)
            if (!parts[p].seed(sim, entry, ret_why, why_size))
                return false;
    return true;
}

json_t *sim_seed_default(const struct sim *sim, char *ret_why, size_t why_size)
{
    json_error_t error;
    json_t *seed =
        sim->options.seed_file
            ? json_load_file(sim->options.seed_file, JSON_REJECT_DUPLICATES, &error)
            : json_loads(sim_seed_text, JSON_REJECT_DUPLICATES, &error);

    if (!seed)
        snprintf(ret_why, why_size, "%s, line %d: %s",
                 sim->options.seed_file ? sim->options.seed_file : "default seed",
                 error.line, error.text);
    return seed;
}
