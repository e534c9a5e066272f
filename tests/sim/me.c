#include "me.h"

#include <stdio.h>
#include <string.h>

#include "auth.h"
#include "state.h"

static bool is_own(const struct sim_call *call, const json_t *object)
{
    return strcmp(sim_state_text(object, "_nic"),
                  sim_state_text(call->credential, "_nic")) == 0;
}

void sim_me_get(struct sim *sim, struct sim_call *call)
{
    const char *nic = sim_state_text(call->credential, "_nic");
    json_t *me = json_object_get(json_object_get(sim->root, "nics"), nic);

    if (me)
        sim_call_answer(call, sim_state_public(me));
    else
        sim_call_absent(sim, call, "nichandle", nic);
}

/* One of the account's own objects by an id of the path; else the call has its answer. */
static json_t *find(const struct sim *sim, struct sim_call *call, const char *kind,
                    const char *argument)
{
    char id[32];

    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(call->args, argument)));
    json_t *object = json_object_get(json_object_get(sim->root, kind), id);
    if (object && is_own(call, object) && !sim_state_flag(object, "_revoked"))
        return object;
    sim_call_absent(sim, call, argument, id);
    return NULL;
}

void sim_me_credentials(struct sim *sim, struct sim_call *call)
{
    const json_t *by_application = json_object_get(call->args, "applicationId");
    const char *by_status = sim_call_text(call, "status");
    json_t *ids = json_array();
    const char *id = NULL;
    json_t *one = NULL;

    json_object_foreach(json_object_get(sim->root, "credentials"), id, one) {
        sim_auth_refresh(sim, one);
        if (!is_own(call, one) || sim_state_flag(one, "_revoked") ||
            (by_application &&
             !json_equal(by_application, json_object_get(one, "applicationId"))) ||
            (by_status && strcmp(by_status, sim_state_text(one, "status")) != 0))
            continue;
        json_array_append(ids, json_object_get(one, "credentialId"));
    }
    sim_call_answer(call, ids);
}

void sim_me_credential(struct sim *sim, struct sim_call *call)
{
    json_t *one = find(sim, call, "credentials", "credentialId");

    if (one)
        sim_call_answer(call, sim_state_public(one));
}

/* It stays in the state, so that its key is known as one that is not valid any more. */
void sim_me_delete_credential(struct sim *sim, struct sim_call *call)
{
    json_t *one = find(sim, call, "credentials", "credentialId");

    if (!one)
        return;
    json_object_set_new(one, "_revoked", json_true());
    call->effect = true;
    sim_call_answer(call, json_null());
}

static json_t *application_of(const struct sim *sim, const json_t *credential)
{
    char id[32];

    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(credential, "applicationId")));
    return json_object_get(json_object_get(sim->root, "applications"), id);
}

void sim_me_credential_application(struct sim *sim, struct sim_call *call)
{
    json_t *one = find(sim, call, "credentials", "credentialId");
    json_t *application = one ? application_of(sim, one) : NULL;

    if (application)
        sim_call_answer(call, sim_state_public(application));
    else if (one)
        sim_call_absent(sim, call, "applicationId", "of this credential");
}

void sim_me_applications(struct sim *sim, struct sim_call *call)
{
    json_t *ids = json_array();
    const char *id = NULL;
    json_t *one = NULL;

    json_object_foreach(json_object_get(sim->root, "applications"), id, one)
        if (is_own(call, one))
            json_array_append(ids, json_object_get(one, "applicationId"));
    sim_call_answer(call, ids);
}

void sim_me_application(struct sim *sim, struct sim_call *call)
{
    json_t *one = find(sim, call, "applications", "applicationId");

    if (one)
        sim_call_answer(call, sim_state_public(one));
}

void sim_me_delete_application(struct sim *sim, struct sim_call *call)
{
    json_t *one = find(sim, call, "applications", "applicationId");
    const char *id = NULL;
    json_t *credential = NULL;
    char name[32];

    if (!one)
        return;
    json_object_foreach(json_object_get(sim->root, "credentials"), id, credential)
        if (json_equal(json_object_get(credential, "applicationId"),
                       json_object_get(one, "applicationId")))
            json_object_set_new(credential, "_revoked", json_true());
    snprintf(name, sizeof name, "%lld",
             (long long)json_integer_value(json_object_get(one, "applicationId")));
    json_object_del(json_object_get(sim->root, "applications"), name);
    call->application = NULL;
    call->effect = true;
    sim_call_answer(call, json_null());
}
