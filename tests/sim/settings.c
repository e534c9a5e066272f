#include "settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct setting {
    const char *name;
    size_t offset;
    bool is_flag;
    json_int_t first; /* the default, too, for a flag: 0 or 1 */
    json_int_t min;
    json_int_t max;
} settings[] = {
    { "task_delay_ms", offsetof(struct sim_settings, task_delay_ms), false, 300, 0,
      86400000 },
    { "slot_delay_ms", offsetof(struct sim_settings, slot_delay_ms), false, 300, 0,
      86400000 },
    { "task_keep_s", offsetof(struct sim_settings, task_keep_s), false, 86400, 0,
      86400000 },
    { "front_delay_ms", offsetof(struct sim_settings, front_delay_ms), false, 0, 0,
      86400000 },
    { "skew_s", offsetof(struct sim_settings, skew_s), false, 0, -2000000000,
      2000000000 },
    { "tolerance_s", offsetof(struct sim_settings, tolerance_s), false, 300, 0, 86400 },
    { "contact_check_ms", offsetof(struct sim_settings, contact_check_ms), false, 0, 0,
      86400000 },
    { "latency_ms", offsetof(struct sim_settings, latency_ms), false, 0, 0, 600000 },
    { "rate_per_min", offsetof(struct sim_settings, rate_per_min), false, 0, 0, 1000000 },
    { "rate_burst", offsetof(struct sim_settings, rate_burst), false, 30, 1, 1000000 },
    { "rate_retry_after_s", offsetof(struct sim_settings, rate_retry_after_s), false, 1,
      -1, 86400 },
    { "name_taken_status", offsetof(struct sim_settings, name_taken_status), false, 400,
      400, 499 },
    { "no_slot_status", offsetof(struct sim_settings, no_slot_status), false, 403, 400,
      499 },
    { "same_password_status", offsetof(struct sim_settings, same_password_status), false,
      0, 0, 499 },
    { "busy_status", offsetof(struct sim_settings, busy_status), false, 409, 0, 499 },
    { "policy_status", offsetof(struct sim_settings, policy_status), false, 400, 400,
      499 },
    { "page_size", offsetof(struct sim_settings, page_size), false, 25, 1, 1000 },
    { "v2_rules", offsetof(struct sim_settings, v2_rules), false, 0, 0, 2 },
    { "token_lifetime_s", offsetof(struct sim_settings, token_lifetime_s), false, 3599, 1,
      86400000 },
    { "pending_ttl_s", offsetof(struct sim_settings, pending_ttl_s), false, 0, 0,
      86400000 },
    { "pending_signature", offsetof(struct sim_settings, pending_signature), true, 0, 0,
      1 },
    { "state_shown", offsetof(struct sim_settings, state_shown), true, 0, 0, 1 },
    { "task_all", offsetof(struct sim_settings, task_all), true, 0, 0, 1 },
    { "chunked", offsetof(struct sim_settings, chunked), true, 0, 0, 1 },
    { "plain_not_found", offsetof(struct sim_settings, plain_not_found), true, 0, 0, 1 },
    { "alternate_fronts", offsetof(struct sim_settings, alternate_fronts), true, 0, 0,
      1 },
    { "policy_late", offsetof(struct sim_settings, policy_late), true, 0, 0, 1 },
    { "idle_task_zero", offsetof(struct sim_settings, idle_task_zero), true, 0, 0, 1 },
    { "v2_full_put", offsetof(struct sim_settings, v2_full_put), true, 0, 0, 1 },
};

enum {
    SETTING_COUNT = sizeof settings / sizeof settings[0],
};

static const struct setting *find(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(settings[i].name, name) == 0)
            return &settings[i];
    return NULL;
}

bool sim_settings_is(const char *name)
{
    return find(name) != NULL;
}

static void store(struct sim *sim, const struct setting *setting, json_int_t value)
{
    char *at = (char *)&sim->settings + setting->offset;
    bool flag = value != 0;

    if (setting->is_flag)
        memcpy(at, &flag, sizeof flag);
    else
        memcpy(at, &value, sizeof value);
}

void sim_settings_init(struct sim *sim)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        store(sim, &settings[i], settings[i].first);
    if (sim->options.task_delay_ms >= 0) {
        sim->settings.task_delay_ms = sim->options.task_delay_ms;
        sim->settings.slot_delay_ms = sim->options.task_delay_ms;
    }
}

static bool fits(const struct setting *setting, const json_t *value)
{
    if (setting->is_flag)
        return json_is_boolean(value);
    return json_is_integer(value) && json_integer_value(value) >= setting->min &&
           json_integer_value(value) <= setting->max;
}

bool sim_settings_apply(struct sim *sim, json_t *changes, char *ret_why, size_t why_size)
{
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(changes, name, value) {
        const struct setting *setting = find(name);
        if (setting && !fits(setting, value)) {
            snprintf(ret_why, why_size, "'%s' does not take this value", name);
            return false;
        }
    }
    json_object_foreach(changes, name, value) {
        const struct setting *setting = find(name);
        if (setting)
            store(sim, setting,
                  setting->is_flag ? json_is_true(value) : json_integer_value(value));
    }
    return true;
}

json_t *sim_settings_dump(const struct sim *sim)
{
    json_t *dump = json_object();

    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *at = (const char *)&sim->settings + settings[i].offset;
        json_int_t number = 0;
        bool flag = false;

        if (settings[i].is_flag)
            memcpy(&flag, at, sizeof flag);
        else
            memcpy(&number, at, sizeof number);
        json_object_set_new(dump, settings[i].name,
                            settings[i].is_flag ? json_boolean(flag)
                                                : json_integer(number));
    }
    return dump;
}
