#include <stdio.h>
#include <string.h>

#include "policy.h"
#include "resource.h"
#include "state.h"
#include "text.h"

/* Mailboxes of the second version of the API, and the slots that they take. */

/* What a PUT may change, and shows at once in targetSpec. */
static const char *const editable[] = {
    "contactInformation", "description", "displayName", "firstName",
    "hideInGal",          "lastName",    "email",
};

static json_t *now_text(const struct sim *sim)
{
    char date[SIM_TEXT_DATETIME_SIZE];

    sim_text_datetime(sim_state_now_s(sim), date);
    return json_string(date);
}

json_t *sim_zimbra_add_slot(struct sim *sim, json_t *service, const char *offer)
{
    json_t *slot = sim_resource_new(
        sim,
        json_pack("{s:n,s:s,s:o,s:n,s:s,s:s}", "accountId", "billingStatus", "OK",
                  "createdAt", now_text(sim), "email", "offer", offer, "platformId",
                  sim_state_text(service, "_name")),
        NULL);
    const char *id = sim_state_text(slot, "id");

    json_object_set_new(json_object_get(service, "slots"), id, slot);
    json_object_set_new(json_object_get(service, "_free"), id, json_string(offer));
    return slot;
}

/* A slot without a mailbox, of an offer (NULL: any). */
static json_t *free_slot(const json_t *service, const char *offer)
{
    const char *id = NULL;
    json_t *of = NULL;

    json_object_foreach(json_object_get(service, "_free"), id, of)
        if (!offer || strcmp(json_string_value(of), offer) == 0)
            return json_object_get(json_object_get(service, "slots"), id);
    return NULL;
}

static void take_slot(json_t *service, json_t *slot, const json_t *account)
{
    json_t *state = json_object_get(slot, "currentState");

    json_object_set(state, "accountId",
                    account ? json_object_get(account, "id") : json_null());
    json_object_set_new(state, "email",
                        account ? json_string(sim_state_address(account)) : json_null());
    if (account)
        json_object_del(json_object_get(service, "_free"), sim_state_text(slot, "id"));
    else
        json_object_set(json_object_get(service, "_free"), sim_state_text(slot, "id"),
                        json_object_get(state, "offer"));
}

static json_t *new_account(struct sim *sim, json_t *service, const char *address,
                           json_t *slot)
{
    const json_t *of = json_object_get(slot, "currentState");
    const json_t *domain =
        json_object_get(sim_zimbra_domain(service, address), "currentState");
    json_t *state = json_pack(
        "{s:n,s:o,s:n,s:[],s:n,s:O,s:s,s:n,s:b,s:n,s:n,s:O,s:O,s:O,s:{s:f,s:f},s:O,s:n}",
        "contactInformation", "createdAt", now_text(sim), "description", "detailedStatus",
        "displayName", "domainId",
        json_object_get(sim_zimbra_domain(service, address), "id"), "email", address,
        "firstName", "hideInGal", 0, "lastConnectionAt", "lastName", "offer",
        json_object_get(of, "offer"), "organizationId",
        json_object_get(domain, "organizationId"), "organizationLabel",
        json_object_get(domain, "organizationLabel"), "quota", "available", 15e9, "used",
        0.0, "slotId", json_object_get(slot, "id"), "updatedAt");
    json_t *target = json_pack("{s:n,s:n,s:n,s:s,s:n,s:b,s:n}", "contactInformation",
                               "description", "displayName", "email", address,
                               "firstName", "hideInGal", 0, "lastName");
    json_t *account = sim_resource_new(sim, state, target);

    json_object_set_new(account, "_address", json_string(address));
    json_object_set_new(account, "_front", json_pack("[n,n]"));
    json_object_set_new(account, "_history", json_array());
    json_object_set_new(account, "_created", json_true());
    take_slot(service, slot, account);
    sim_service_add_account(sim, service, account);
    json_decref(account); /* the service holds it now */
    return account;
}

json_t *sim_zimbra_add_account(struct sim *sim, json_t *service, const char *address,
                               const char *offer)
{
    json_t *slot = free_slot(service, offer);

    if (!slot)
        slot = sim_zimbra_add_slot(sim, service, offer ? offer : "STARTER");
    return new_account(sim, service, address, slot);
}

static json_t *view_account(struct sim *sim, const struct sim_call *call, json_t *account)
{
    const json_t *state = json_object_get(account, "currentState");

    (void)sim;
    if (!sim_resource_fits(call, "domainId", sim_state_text(state, "domainId")) ||
        !sim_resource_fits(call, "email", sim_state_text(state, "email")) ||
        !sim_resource_fits(call, "offer", sim_state_text(state, "offer")) ||
        !sim_resource_fits(call, "organizationId",
                           sim_state_text(state, "organizationId")) ||
        !sim_resource_fits(call, "organizationLabel",
                           sim_state_text(state, "organizationLabel")))
        return NULL;
    return sim_resource_show(call->service, account);
}

void sim_zimbra_accounts(struct sim *sim, struct sim_call *call)
{
    sim_resource_page(sim, call, json_object_get(call->service, "accounts"),
                      view_account);
}

void sim_zimbra_account(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, sim_resource_show(call->service, call->account));
}

/* The address of the body in lower case; false: it is none of this platform, or taken. */
static bool read_address(const struct sim *sim, struct sim_call *call, const char *email,
                         char *address, size_t size)
{
    char login[320];

    snprintf(address, size, "%.500s", email);
    sim_text_lower(address);
    snprintf(login, sizeof login, "%.*s", (int)strcspn(address, "@"), address);
    if (!sim_zimbra_domain(call->service, address) ||
        !sim_policy_is_login(call->service, login)) {
        sim_call_refuse(call, 400, "Client::BadRequest", "'email' is not valid");
        return false;
    }
    const json_t *other = sim_state_mailbox(sim, address);
    if (other && other != call->account) {
        sim_call_refuse(call, (int)sim->settings.name_taken_status,
                        sim->settings.name_taken_status == 409 ? "Client::Conflict"
                                                               : "Client::BadRequest",
                        "The account %s already exists", address);
        return false;
    }
    return true;
}

/* What is wanted becomes what is. */
static void effect_update(struct sim *sim, struct sim_work *work, bool run)
{
    json_t *state = json_object_get(work->target, "currentState");
    const char *address = sim_state_text(work->detail, "email");
    const char *password = sim_state_text(work->detail, "password");

    if (!run)
        return;
    for (size_t i = 0; i < sizeof editable / sizeof editable[0]; i++) {
        json_t *value = json_object_get(work->detail, editable[i]);
        if (value)
            json_object_set(state, editable[i], value);
    }
    if (*address && strcmp(address, sim_state_address(work->target)) != 0)
        sim_service_rename(sim, work->service, work->target, address);
    if (*password)
        sim_task_put_password(sim, work->target, password, "api", &work->fronts);
}

static void effect_create(struct sim *sim, struct sim_work *work, bool run)
{
    const char *slot =
        sim_state_text(json_object_get(work->target, "currentState"), "slotId");

    if (run) {
        effect_update(sim, work, run);
        return;
    }
    take_slot(work->service,
              json_object_get(json_object_get(work->service, "slots"), slot), NULL);
    sim_service_remove_account(sim, work->service, work->target);
}

static void effect_delete(struct sim *sim, struct sim_work *work, bool run)
{
    if (run)
        effect_create(sim, work, false);
}

/* The members of the body that are wanted, with the password; NULL: refused. */
static json_t *read_spec(const struct sim *sim, struct sim_call *call,
                         const json_t *account)
{
    const json_t *given = json_object_get(call->body, "targetSpec");
    const char *password = json_string_value(json_object_get(given, "password"));
    const char *email = json_string_value(json_object_get(given, "email"));
    enum sim_policy verdict = SIM_POLICY_GOOD;
    char address[512];

    if (email && !read_address(sim, call, email, address, sizeof address))
        return NULL;
    if (password)
        verdict = sim_policy_apply(sim, call, account, password);
    if (verdict == SIM_POLICY_REFUSED)
        return NULL;
    json_t *spec = json_pack("{s:s*}", "password", password);
    for (size_t i = 0; i < sizeof editable / sizeof editable[0]; i++) {
        json_t *value = json_object_get(given, editable[i]);
        if (value)
            json_object_set(spec, editable[i], value);
    }
    if (email)
        json_object_set_new(spec, "email", json_string(address));
    if (verdict == SIM_POLICY_LATE)
        json_object_set_new(spec, "refused", json_true());
    return spec;
}

static void want(json_t *account, const json_t *spec)
{
    json_t *target = json_object_get(account, "targetSpec");

    for (size_t i = 0; i < sizeof editable / sizeof editable[0]; i++)
        if (json_object_get(spec, editable[i]))
            json_object_set(target, editable[i], json_object_get(spec, editable[i]));
}

/* The slot that the body names, or one of its offer. NULL: call has its answer. */
static json_t *choose_slot(const struct sim *sim, struct sim_call *call)
{
    const json_t *given = json_object_get(call->body, "targetSpec");
    const char *id = json_string_value(json_object_get(given, "slotId"));
    const char *offer = json_string_value(json_object_get(given, "offer"));
    json_t *slot = NULL;

    if (!id)
        slot = free_slot(call->service, offer);
    else if (json_object_get(json_object_get(call->service, "_free"), id))
        slot = json_object_get(json_object_get(call->service, "slots"), id);
    if (!slot)
        sim_call_refuse(call, (int)sim->settings.no_slot_status, "Client::Forbidden",
                        "There is no free slot on this platform");
    return slot;
}

void sim_zimbra_create(struct sim *sim, struct sim_call *call)
{
    json_t *spec = read_spec(sim, call, NULL);
    json_t *slot = spec ? choose_slot(sim, call) : NULL;

    if (!slot) {
        json_decref(spec);
        return;
    }
    json_t *account =
        new_account(sim, call->service, sim_state_text(spec, "email"), slot);
    want(account, spec);
    sim_resource_change(sim, call, account, "CREATING", "accountCreate", effect_create,
                        spec);
    sim_call_answer(call, sim_resource_show(call->service, account));
}

void sim_zimbra_edit(struct sim *sim, struct sim_call *call)
{
    const json_t *given = json_object_get(call->body, "targetSpec");
    json_t *spec = NULL;

    if (sim->settings.v2_full_put && !json_object_get(given, "email")) {
        sim_call_refuse(call, 400, "Client::BadRequest", "'email' is missing");
        return;
    }
    if (!sim_resource_check(sim, call, call->account))
        return;
    spec = read_spec(sim, call, call->account);
    if (!spec)
        return;
    if (json_object_get(given, "forceChangePasswordAfterLogin"))
        json_object_set(call->account, "_force_change",
                        json_object_get(given, "forceChangePasswordAfterLogin"));
    want(call->account, spec);
    sim_resource_change(sim, call, call->account, "UPDATING", "accountUpdate",
                        effect_update, spec);
    sim_call_answer(call, sim_resource_show(call->service, call->account));
}

void sim_zimbra_delete(struct sim *sim, struct sim_call *call)
{
    if (!sim_resource_check(sim, call, call->account))
        return;
    sim_resource_change(sim, call, call->account, "DELETING", "accountDelete",
                        effect_delete, NULL);
    sim_call_answer(call, json_null());
}

static json_t *view_slot(struct sim *sim, const struct sim_call *call, json_t *slot)
{
    const json_t *state = json_object_get(slot, "currentState");
    const json_t *used = json_object_get(call->args, "used");

    (void)sim;
    if ((used && json_is_true(used) != json_is_string(json_object_get(state, "email"))) ||
        !sim_resource_fits(call, "accountId", sim_state_text(state, "accountId")) ||
        !sim_resource_fits(call, "billingStatus",
                           sim_state_text(state, "billingStatus")) ||
        !sim_resource_fits(call, "email", sim_state_text(state, "email")) ||
        !sim_resource_fits(call, "offer", sim_state_text(state, "offer")))
        return NULL;
    return sim_resource_show(call->service, slot);
}

void sim_zimbra_slots(struct sim *sim, struct sim_call *call)
{
    sim_resource_page(sim, call, json_object_get(call->service, "slots"), view_slot);
}

void sim_zimbra_slot(struct sim *sim, struct sim_call *call)
{
    sim_resource_answer(sim, call, "slots", "slotId");
}
