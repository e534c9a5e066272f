#include <stdio.h>
#include <string.h>

#include "family.h"
#include "policy.h"
#include "state.h"
#include "text.h"

/*
 * Mailboxes of email/mxplan, pro and exchange. They are slots: a free one has an address
 * at configureme.me; a PUT gives it another address, which takes its time to show.
 */
static const char placeholder[] = "configureme.me";

/* What only the service itself writes; a PUT may repeat it. */
static const char *const read_only[] = {
    "SAMAccountName",
    "configured",
    "creationDate",
    "currentUsage",
    "customIsolationId",
    "exchangeGuid",
    "expirationDate",
    "expirationOutlookDate",
    "guid",
    "id",
    "lastLogoffDate",
    "lastLogonDate",
    "lastUpdateDate",
    "owaLimited",
    "numberOfAliases",
    "passwordLastUpdate",
    "primaryEmailAddress",
    "spamDetected",
    "spamTicketNumber",
    "state",
    "taskPendingId",
};

static bool is_read_only(const char *member)
{
    for (size_t i = 0; i < sizeof read_only / sizeof read_only[0]; i++)
        if (strcmp(read_only[i], member) == 0)
            return true;
    return false;
}

const struct sim_slot_family *sim_slot_family_of(enum sim_family family)
{
    static const struct sim_slot_family *const families[SIM_FAMILIES] = {
        [SIM_MXPLAN] = &sim_mxplan_slots,
        [SIM_PRO] = &sim_pro_slots,
        [SIM_EXCHANGE] = &sim_exchange_slots,
    };

    return family < SIM_FAMILIES ? families[family] : NULL;
}

json_t *sim_slot_spam(void)
{
    return json_pack("{s:b,s:b,s:b,s:b,s:b,s:b,s:b}", "checkDKIM", 1, "checkSPF", 1,
                     "deleteSpam", 0, "deleteVirus", 0, "putInJunk", 1, "tagSpam", 1,
                     "tagVirus", 1);
}

/* Members that a policy has and a service of the family without it has not set. */
static void put_policy(json_t *service, const json_t *policy)
{
    static const struct {
        const char *name;
        int usual; /* below 0: null */
    } members[] = {
        { "lockoutDuration", 0 },   { "lockoutObservationWindow", 0 },
        { "lockoutThreshold", -1 }, { "maxPasswordAge", -1 },
        { "minPasswordAge", -1 },   { "minPasswordLength", -1 },
    };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *given = json_object_get(policy, members[i].name);
        json_object_set_new(service, members[i].name,
                            given                  ? json_deep_copy(given)
                            : members[i].usual < 0 ? json_null()
                                                   : json_integer(members[i].usual));
    }
    json_object_set_new(service, "complexityEnabled",
                        json_boolean(sim_state_flag(policy, "complexityEnabled")));
}

json_t *sim_slot_service(const struct sim *sim, const json_t *entry, const char *name,
                         const char *prefix)
{
    bool suspended = sim_state_flag(entry, "suspended");
    const char *hostname = sim_seed_text_or(entry, "hostname", prefix);
    char date[SIM_TEXT_DATETIME_SIZE];
    char url[300];

    sim_text_datetime(sim_state_now_s(sim) - 86400, date);
    snprintf(url, sizeof url, "https://%.200s/owa", hostname);
    json_t *service = json_pack(
        "{s:s?,s:s,s:s,s:s,s:i,s:i,s:o,s:s,s:i,s:s}", "displayName",
        sim_seed_text_or(entry, "displayName", NULL), "domain", name, "hostname",
        hostname, "lastUpdateDate", date, "maxReceiveSize", 100, "maxSendSize", 100,
        "spamAndVirusConfiguration", sim_slot_spam(), "state",
        sim_seed_text_or(entry, "state", suspended ? "suspended" : "ok"), "taskPendingId",
        0, "webUrl", url);
    put_policy(service, json_object_get(entry, "policy"));
    return service;
}

json_t *sim_slot_domain(const char *name)
{
    json_t *domain = json_pack(
        "{s:n,s:[],s:b,s:b,s:b,s:[s,s],s:n,s:s,s:b,s:[s],s:s,s:i,s:s}", "cnameToCheck",
        "domainAliases", "domainValidated", 1, "isAliasDomain", 0, "mxIsValid", 1,
        "mxRecord", "mx1.mail.ovh.net.", "mx2.mail.ovh.net.", "mxRelay", "name", name,
        "srvIsValid", 1, "srvRecord", "mailconfig.ovh.net.", "state", "ok",
        "taskPendingId", 0, "type", "authoritative");

    return domain;
}

json_t *sim_slot_checked_domain(const char *name)
{
    static const char spf[] = "v=spf1 include:mx.ovh.com ~all";
    json_t *domain = sim_slot_domain(name);
    json_t *rest = json_pack(
        "{s:{s:n,s:n,s:s},s:s,s:[s,s],s:s,s:b,s:[s]}", "dkimDiagnostics", "errorCode",
        "message", "state", "disabled", "expectedAutodiscoverSRV",
        "0 0 443 ex2.mail.ovh.net.", "expectedMX", "mx1.mail.ovh.net", "mx2.mail.ovh.net",
        "expectedSPF", spf, "spfIsValid", 1, "spfRecord", spf);

    json_object_update(domain, rest);
    json_decref(rest);
    return domain;
}

static void set_address(json_t *account, const char *address)
{
    const char *at = strrchr(address, '@');
    size_t length = at ? (size_t)(at - address) : strlen(address);

    json_object_set_new(account, "login", json_stringn(address, length));
    json_object_set_new(account, "domain", json_string(at ? at + 1 : ""));
    json_object_set_new(account, "primaryEmailAddress", json_string(address));
}

/* A free slot's address is its own for ever: nobody else has it. */
static void free_address(json_int_t id, char *address, size_t size)
{
    char key[9];

    sim_text_key("slot", (unsigned)id, key, sizeof key);
    sim_text_lower(key);
    snprintf(address, size, "%s%llx@%s", key, (unsigned long long)id & 0xffff,
             placeholder);
}

static json_t *new_account(struct sim *sim, const json_t *service, const char *address)
{
    const struct sim_slot_family *slots =
        sim_slot_family_of(sim_service_family_of(service));
    json_int_t id = sim_state_id(sim);
    char date[SIM_TEXT_DATETIME_SIZE];
    char own[80];

    if (!address)
        free_address(id, own, sizeof own);
    sim_text_datetime(sim_state_now_s(sim) - 86400, date);
    json_t *account =
        json_pack("{s:n,s:b,s:s,s:i,s:b,s:n,s:n,s:n,s:n,s:b,s:I,s:n,s:n,s:n,s:n}",
                  "SAMAccountName", "configured", address != NULL, "creationDate", date,
                  "currentUsage", 0, "deleteAtExpiration", 0, "displayName",
                  "expirationDate", "expirationOutlookDate", "firstName", "hiddenFromGAL",
                  0, "id", id, "initial", "lastLogoffDate", "lastLogonDate", "lastName");
    json_t *rest = json_pack(
        "{s:s,s:n,s:n,s:n,s:o,s:b,s:n,s:s,s:o,s:[n,n],s:[],s:b,s:s,s:{},s:{},s:{},s:{}}",
        "lastUpdateDate", date, "mailingFilter", "passwordLastUpdate", "renewPeriod",
        "spamAndVirusConfiguration", sim_slot_spam(), "spamDetected", 0,
        "spamTicketNumber", "state", "ok", "taskPendingId",
        sim->settings.idle_task_zero ? json_integer(0) : json_null(), "_front",
        "_history", "_created", 1, "_address", address ? address : own, "_alias",
        "_fullAccess", "_sendAs", "_sendOnBehalfTo");
    json_object_update(account, rest);
    json_decref(rest);
    set_address(account, sim_state_address(account));
    if (slots)
        slots->fill_account(sim, account);
    return account;
}

json_t *sim_slot_add(struct sim *sim, json_t *service, const char *address)
{
    json_t *account = new_account(sim, service, address);

    sim_service_add_account(sim, service, account);
    json_decref(account); /* the service holds it now */
    return account;
}

void sim_slot_accounts(struct sim *sim, struct sim_call *call)
{
    const char *by_address = sim_call_text(call, "primaryEmailAddress");
    const json_t *by_id = json_object_get(call->args, "id");
    const char *license = sim_call_text(call, "accountLicense");
    const char *company = sim_call_text(call, "company");
    json_t *names = json_array();
    const char *address = NULL;
    json_t *account = NULL;

    (void)sim;
    json_object_foreach(json_object_get(call->service, "accounts"), address, account)
        if ((!by_address || sim_text_like(by_address, address)) &&
            (!by_id || json_equal(by_id, json_object_get(account, "id"))) &&
            (!license ||
             strcmp(license, sim_state_text(account, "accountLicense")) == 0) &&
            (!company || strcmp(company, sim_state_text(account, "company")) == 0))
            json_array_append_new(names, json_string(address));
    sim_call_answer(call, names);
}

void sim_slot_account(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, sim_state_public(call->account));
}

bool sim_slot_check_idle(const struct sim *sim, struct sim_call *call)
{
    if (!sim->settings.busy_status || !sim_work_busy(call->account))
        return true;
    sim_call_refuse(call, (int)sim->settings.busy_status, "Client::Conflict",
                    "A task is already under way on %.300s, please try later",
                    sim_state_address(call->account));
    return false;
}

static const json_t *queue(struct sim *sim, struct sim_call *call, const char *function,
                           sim_work_effect *effect, json_t *detail)
{
    const struct sim_work_order order = {
        .function = function,
        .effect = effect,
        .service = call->service,
        .target = call->account,
        .detail = detail,
        .delay_ms =
            strcmp(function, "setAccount") == 0 ? sim->settings.slot_delay_ms : -1,
        .plan = &call->plan,
    };

    call->effect = true;
    return sim_work_add(sim, &order);
}

void sim_slot_answer_task(struct sim *sim, struct sim_call *call, const char *function,
                          sim_work_effect *effect, json_t *detail)
{
    sim_call_answer(call, sim_work_task(queue(sim, call, function, effect, detail)));
}

static void touch(const struct sim *sim, json_t *account)
{
    char date[SIM_TEXT_DATETIME_SIZE];

    sim_text_datetime(sim_state_now_s(sim), date);
    json_object_set_new(account, "lastUpdateDate", json_string(date));
}

/* The PUT shows: the members of the body are the mailbox's, and the address may be new.
 */
static void effect_set(struct sim *sim, struct sim_work *work, bool run)
{
    const char *name = NULL;
    json_t *value = NULL;

    if (!run)
        return;
    json_object_foreach(json_object_get(work->detail, "members"), name, value)
        if (!is_read_only(name) && json_object_get(work->target, name))
            json_object_set(work->target, name, value);
    const char *address = sim_state_text(work->detail, "address");
    if (*address) {
        set_address(work->target, address);
        json_object_set_new(work->target, "configured", json_true());
        sim_service_rename(sim, work->service, work->target, address);
    }
    touch(sim, work->target);
}

/* The address that the body asks for, "" for the one it has. False: refused. */
static bool read_address(const struct sim *sim, struct sim_call *call, char *address,
                         size_t size)
{
    const json_t *body = call->body ? call->body : call->args;
    const char *login = json_string_value(json_object_get(body, "login"));
    const char *domain = json_string_value(json_object_get(body, "domain"));

    if (!login)
        login = sim_state_text(call->account, "login");
    if (!domain)
        domain = sim_state_text(call->account, "domain");
    snprintf(address, size, "%.250s@%.250s", login, domain);
    sim_text_lower(address);
    if (call->account && strcmp(address, sim_state_address(call->account)) == 0) {
        address[0] = '\0';
        return true;
    }
    *strrchr(address, '@') = '\0';
    bool known = json_object_get(json_object_get(call->service, "domains"),
                                 address + strlen(address) + 1) != NULL;
    bool good = sim_policy_is_login(call->service, address);
    address[strlen(address)] = '@';
    if (!good || !known) {
        sim_call_refuse(call, 400, "Client::BadRequest", "'%s' is not valid",
                        good ? "domain" : "login");
        return false;
    }
    if (sim_state_mailbox(sim, address)) {
        sim_call_refuse(call, (int)sim->settings.name_taken_status,
                        sim->settings.name_taken_status == 409 ? "Client::Conflict"
                                                               : "Client::BadRequest",
                        "The account %s already exists", address);
        return false;
    }
    return true;
}

void sim_slot_edit(struct sim *sim, struct sim_call *call)
{
    char address[512];

    if (!read_address(sim, call, address, sizeof address) ||
        !sim_slot_check_idle(sim, call))
        return;
    queue(sim, call, "setAccount", effect_set,
          json_pack("{s:O,s:s}", "members", call->body, "address", address));
    sim_call_answer(call, json_null());
}

/* The slot is free again, or gone where mailboxes are not slots. */
static void effect_delete(struct sim *sim, struct sim_work *work, bool run)
{
    static const char *const sets[] = { "_alias", "_fullAccess", "_sendAs",
                                        "_sendOnBehalfTo" };
    static const char *const texts[] = { "displayName", "firstName", "lastName",
                                         "passwordLastUpdate", "lastLogonDate" };
    json_int_t id = json_integer_value(json_object_get(work->target, "id"));
    char address[80];

    if (!run)
        return;
    if (!sim_state_flag(work->service, "_slots")) {
        sim_service_remove_account(sim, work->service, work->target);
        return;
    }
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        json_object_clear(json_object_get(work->target, sets[i]));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        json_object_set_new(work->target, texts[i], json_null());
    json_object_set_new(work->target, "_front", json_pack("[n,n]"));
    json_object_set_new(work->target, "_history", json_array());
    json_object_set_new(work->target, "configured", json_false());
    free_address(id, address, sizeof address);
    set_address(work->target, address);
    sim_service_rename(sim, work->service, work->target, address);
    touch(sim, work->target);
}

void sim_slot_delete(struct sim *sim, struct sim_call *call)
{
    if (sim_slot_check_idle(sim, call))
        sim_slot_answer_task(sim, call, "deleteAccount", effect_delete, NULL);
}

static void effect_password(struct sim *sim, struct sim_work *work, bool run)
{
    const char *password = sim_state_text(work->detail, "password");

    if (run && *password)
        sim_task_put_password(sim, work->target, password, "api", &work->fronts);
}

/* The detail of a task that sets the password of the call; NULL: refused. */
static json_t *new_password(const struct sim *sim, struct sim_call *call,
                            const json_t *account)
{
    const char *password = sim_call_text(call, "password");
    enum sim_policy verdict =
        password ? sim_policy_apply(sim, call, account, password) : SIM_POLICY_GOOD;

    if (verdict == SIM_POLICY_REFUSED)
        return NULL;
    json_t *detail = json_pack("{s:s*}", "password", password);
    if (verdict == SIM_POLICY_LATE)
        json_object_set_new(detail, "refused", json_true());
    return detail;
}

void sim_slot_change_password(struct sim *sim, struct sim_call *call)
{
    const json_t *force = json_object_get(call->args, "forcePasswordChangeAtNextLogon");
    json_t *detail = NULL;

    if (!sim_call_text(call, "password") && !force) {
        sim_call_refuse(call, 400, "Client::BadRequest", "'password' is missing");
        return;
    }
    if (!sim_state_flag(call->account, "configured")) {
        sim_call_refuse(call, 400, "Client::BadRequest",
                        "This account is not configured yet");
        return;
    }
    detail = new_password(sim, call, call->account);
    if (!detail)
        return;
    if (!sim_slot_check_idle(sim, call)) {
        json_decref(detail);
        return;
    }
    if (force)
        json_object_set_new(call->account, "_force_change", json_deep_copy(force));
    sim_slot_answer_task(sim, call, "changePassword", effect_password, detail);
}

static void effect_add(struct sim *sim, struct sim_work *work, bool run)
{
    if (!run) {
        sim_service_remove_account(sim, work->service, work->target);
        return;
    }
    json_object_set_new(work->target, "state", json_string("ok"));
    effect_password(sim, work, run);
}

static bool check_room(const struct sim *sim, struct sim_call *call)
{
    json_int_t max = json_integer_value(json_object_get(call->service, "_accounts_max"));

    if ((json_int_t)json_object_size(json_object_get(call->service, "accounts")) < max)
        return true;
    sim_call_refuse(call, (int)sim->settings.no_slot_status, "Client::Forbidden",
                    "The maximum number of accounts has been reached");
    return false;
}

void sim_slot_create(struct sim *sim, struct sim_call *call)
{
    char address[512];
    const char *name = NULL;
    json_t *value = NULL;
    json_t *detail = NULL;

    if (!read_address(sim, call, address, sizeof address) || !check_room(sim, call))
        return;
    detail = new_password(sim, call, NULL);
    if (!detail)
        return;
    call->account = sim_slot_add(sim, call->service, address);
    json_object_foreach(call->args, name, value)
        if (json_object_get(call->account, name) && !is_read_only(name) &&
            strcmp(name, "login") != 0 && strcmp(name, "domain") != 0)
            json_object_set(call->account, name, value);
    json_object_set(call->account, "accountLicense",
                    json_object_get(call->args, "license"));
    json_object_set_new(call->account, "state", json_string("creating"));
    sim_slot_answer_task(sim, call, "addAccount", effect_add, detail);
}
