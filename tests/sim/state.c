#include "state.h"

#include <stdio.h>
#include <string.h>

#include "dovecot.h"
#include "fault.h"
#include "settings.h"
#include "task.h"
#include "text.h"

enum {
    FIRST_ID = 52100000,
};

void sim_state_clear(struct sim *sim)
{
    sim_task_clear(sim);
    sim_fault_clear(sim);
    json_decref(sim->root);
    json_decref(sim->log);
    json_decref(sim->seeded);
    sim->root =
        json_pack("{s:{},s:{},s:{},s:{},s:{},s:{},s:{},s:{},s:{},s:{},s:{}}", "nics",
                  "applications", "credentials", "domains", "services", "mailboxes",
                  "users", "sub_accounts", "policies", "hosting", "contact_changes");
    sim->log = json_array();
    sim->seeded = json_object();
    sim->counters = (struct sim_counters){ 0 };
    sim->next_id = FIRST_ID;
    sim->next_key = 0;
    sim->turn = 0;
    sim_settings_init(sim);
    if (sim->dovecot)
        sim_dovecot_forget_all(sim->dovecot);
}

int64_t sim_state_now_s(const struct sim *sim)
{
    return sim_text_wall_ms() / 1000 + sim->settings.skew_s;
}

json_int_t sim_state_id(struct sim *sim)
{
    return ++sim->next_id;
}

json_t *sim_state_public(json_t *object)
{
    json_t *copy = json_object();
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(object, name, value)
        if (name[0] != '_')
            json_object_set_new(copy, name, json_deep_copy(value));
    return copy;
}

json_t *sim_state_domain(const struct sim *sim, const char *domain)
{
    return json_object_get(json_object_get(sim->root, "domains"), domain);
}

json_t *sim_state_account(const struct sim *sim, const char *domain, const char *name)
{
    return json_object_get(json_object_get(sim_state_domain(sim, domain), "accounts"),
                           name);
}

const char *sim_state_address(const json_t *account)
{
    const char *own = sim_state_text(account, "_address");

    return *own ? own : sim_state_text(account, "email");
}

json_t *sim_state_mailbox(const struct sim *sim, const char *address)
{
    char name[512];

    snprintf(name, sizeof name, "%s", address);
    sim_text_lower(name);
    json_t *found = json_object_get(json_object_get(sim->root, "mailboxes"), name);
    char *at = strrchr(name, '@');
    if (found || !at)
        return found;
    *at++ = '\0';
    return sim_state_account(sim, at, name);
}

const char *sim_state_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text ? text : "";
}

bool sim_state_flag(const json_t *object, const char *member)
{
    return json_is_true(json_object_get(object, member));
}

const char *sim_state_password(const json_t *account, int front)
{
    if (!account || !sim_state_flag(account, "_created") ||
        sim_state_flag(account, "isBlocked") || sim_state_flag(account, "_blocked") ||
        sim_state_flag(account, "_gone"))
        return NULL;
    return json_string_value(
        json_array_get(json_object_get(account, "_front"), (size_t)front));
}

void sim_state_publish(struct sim *sim, const json_t *account)
{
    if (!sim->dovecot)
        return;
    for (int front = 0; front < SIM_FRONTS; front++)
        sim_dovecot_put(sim->dovecot, front, sim_state_address(account),
                        sim_state_password(account, front));
}

void sim_state_put_password(struct sim *sim, json_t *account, int front,
                            const char *password)
{
    json_array_set_new(json_object_get(account, "_front"), (size_t)front,
                       json_string(password));
    sim_state_publish(sim, account);
}

void sim_state_remember(const struct sim *sim, json_t *account, const char *password,
                        const char *by)
{
    char date[SIM_TEXT_DATETIME_SIZE];

    json_object_set_new(account, "_password_s", json_integer(sim_state_now_s(sim)));
    if (json_object_get(account, "passwordLastUpdate")) {
        sim_text_datetime(sim_state_now_s(sim), date);
        json_object_set_new(account, "passwordLastUpdate", json_string(date));
    }
    json_array_append_new(json_object_get(account, "_history"),
                          json_pack("{s:s,s:I,s:s}", "password", password, "at_ms",
                                    (json_int_t)sim_text_wall_ms(), "by", by));
}

void sim_state_retire(struct sim *sim, json_t *account)
{
    json_object_set_new(account, "_gone", json_true());
    sim_state_publish(sim, account);
}

void sim_state_remove_account(struct sim *sim, const char *domain, const char *name)
{
    json_t *at = sim_state_domain(sim, domain);
    json_t *account = sim_state_account(sim, domain, name);

    if (!account)
        return;
    sim_state_retire(sim, account);
    json_object_del(json_object_get(at, "responders"), name);
    json_object_del(json_object_get(at, "accounts"), name);
}
