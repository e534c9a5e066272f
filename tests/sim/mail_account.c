#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "mail.h"
#include "state.h"
#include "task.h"
#include "text.h"

enum {
    ACCOUNT_NAME_MIN = 2,
    ACCOUNT_NAME_MAX = 32,
    PASSWORD_MIN = 9,
    PASSWORD_MAX = 30,
    DESCRIPTION_MAX = 32,
};

static const json_int_t default_size = 5000000000;

static bool refuse(struct sim_call *call, const char *message)
{
    sim_call_refuse(call, 400, "Client::BadRequest", "%s", message);
    return false;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* ^\w+[\w.-]+\w*$ : a word character first, then word characters, dots and hyphens. */
static bool check_name(struct sim_call *call, const char *name)
{
    size_t length = strlen(name);

    if (length < ACCOUNT_NAME_MIN)
        return refuse(call, "'accountName' is too short");
    if (length > ACCOUNT_NAME_MAX)
        return refuse(call, "'accountName' is too long");
    for (size_t i = 0; i < length; i++)
        if (!is_word(name[i]) && (i == 0 || (name[i] != '.' && name[i] != '-')))
            return refuse(call, "'accountName' is not a valid account name");
    return true;
}

/* Latin letters with a mark, and the marks themselves. */
static bool is_accented(uint32_t point)
{
    return (point >= 0xc0 && point <= 0x24f && point != 0xd7 && point != 0xf7) ||
           (point >= 0x300 && point <= 0x36f) || (point >= 0x1e00 && point <= 0x1eff);
}

static bool check_password(struct sim_call *call, const char *password)
{
    const char *at = password;
    size_t length = 0;
    size_t bytes = strlen(password);
    bool accented = false;

    for (uint32_t point = sim_text_next(&at); point; point = sim_text_next(&at)) {
        accented = accented || is_accented(point);
        length++;
    }
    if (length < PASSWORD_MIN)
        return refuse(call, "'password' is too short");
    if (length > PASSWORD_MAX)
        return refuse(call, "'password' is too long");
    if (isspace((unsigned char)password[0]) ||
        isspace((unsigned char)password[bytes - 1]))
        return refuse(call, "'password' must not begin or end with a blank");
    if (accented)
        return refuse(call, "'password' must not contain an accented letter");
    return true;
}

static bool check_description(struct sim_call *call, const char *text)
{
    const char *at = text;
    size_t length = 0;

    for (uint32_t point = sim_text_next(&at); point; point = sim_text_next(&at)) {
        if (point == ':' || point == 0xa7 || point == 0x207c)
            return refuse(call, "'description' has a character that is not allowed");
        length++;
    }
    return length <= DESCRIPTION_MAX || refuse(call, "'description' is too long");
}

static bool check_size(struct sim_call *call, json_int_t size)
{
    const json_t *allowed =
        json_object_get(json_object_get(call->domain, "service"), "allowedAccountSize");
    const json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(allowed, i, one)
        if (json_integer_value(one) == size)
            return true;
    return refuse(call, "'size' is not one of the allowed sizes");
}

static bool check_idle(const struct sim *sim, struct sim_call *call)
{
    const char *domain = sim_call_text(call, "domain");
    const char *name = sim_call_text(call, "accountName");

    if (!sim_task_busy(sim, domain, name))
        return true;
    sim_call_refuse_plain(call, 409,
                          "This pop is already being processed: %s@%s, please try later",
                          name, domain);
    return false;
}

void sim_mail_accounts(struct sim *sim, struct sim_call *call)
{
    const char *by_name = sim_call_text(call, "accountName");
    const char *by_description = sim_call_text(call, "description");
    const char *name = NULL;
    json_t *account = NULL;
    json_t *names = json_array();

    (void)sim;
    json_object_foreach(json_object_get(call->domain, "accounts"), name, account) {
        if (by_name && !sim_text_like(by_name, name))
            continue;
        if (by_description &&
            !sim_text_like(by_description, sim_state_text(account, "description")))
            continue;
        json_array_append_new(names, json_string(name));
    }
    sim_call_answer(call, names);
}

void sim_mail_account(struct sim *sim, struct sim_call *call)
{
    (void)sim;
    sim_call_answer(call, sim_state_public(call->account));
}

/* Queues the task and answers with it. */
static void answer_task(struct sim *sim, struct sim_call *call, enum sim_task_kind kind)
{
    const char *domain = sim_call_text(call, "domain");
    const struct sim_task_order order = {
        .kind = kind,
        .domain = domain,
        .name = sim_call_text(call, "accountName"),
        .password = sim_call_text(call, "password"),
        .plan = &call->plan,
    };
    json_int_t id = sim_task_add(sim, &order);

    call->effect = true;
    sim_call_answer(call, sim_task_show(sim, SIM_LIST_ACCOUNT, domain, id));
}

static bool check_room(const struct sim *sim, struct sim_call *call, const char *name)
{
    const json_t *accounts = json_object_get(call->domain, "accounts");
    json_int_t max = json_integer_value(
        json_object_get(json_object_get(call->domain, "quota"), "account"));

    if (json_object_get(accounts, name)) {
        sim_call_refuse(call, (int)sim->settings.name_taken_status,
                        sim->settings.name_taken_status == 409 ? "Client::Conflict"
                                                               : "Client::BadRequest",
                        "The account %s already exists", name);
        return false;
    }
    if ((json_int_t)json_object_size(accounts) >= max) {
        sim_call_refuse(call, (int)sim->settings.no_slot_status, "Client::Forbidden",
                        "The maximum number of accounts has been reached");
        return false;
    }
    return true;
}

void sim_mail_create_account(struct sim *sim, struct sim_call *call)
{
    const char *domain = sim_call_text(call, "domain");
    const char *name = sim_call_text(call, "accountName");
    const char *description = sim_call_text(call, "description");
    const json_t *size = json_object_get(call->args, "size");
    char email[320];

    if (!check_name(call, name) ||
        !check_password(call, sim_call_text(call, "password")) ||
        !check_description(call, description ? description : "") ||
        (size && !check_size(call, json_integer_value(size))) || !check_idle(sim, call) ||
        !check_room(sim, call, name))
        return;
    snprintf(email, sizeof email, "%s@%s", name, domain);
    json_object_set_new(
        json_object_get(call->domain, "accounts"), name,
        json_pack("{s:s,s:s,s:s,s:s,s:b,s:I,s:[n,n],s:[],s:b,s:{},s:[]}", "accountName",
                  name, "description", description ? description : "", "domain", domain,
                  "email", email, "isBlocked", 0, "size",
                  size ? json_integer_value(size) : default_size, "_front", "_history",
                  "_created", 0, "_filters", "_delegations"));
    answer_task(sim, call, SIM_TASK_ADD);
}

/* Members that only OVH writes are taken and ignored. */
void sim_mail_edit_account(struct sim *sim, struct sim_call *call)
{
    const json_t *description = json_object_get(call->body, "description");
    const json_t *size = json_object_get(call->body, "size");

    (void)sim;
    if ((description && !check_description(call, json_string_value(description))) ||
        (size && !check_size(call, json_integer_value(size))))
        return;
    if (description)
        json_object_set_new(call->account, "description", json_deep_copy(description));
    if (size)
        json_object_set_new(call->account, "size", json_deep_copy(size));
    call->effect = true;
    sim_call_answer(call, json_null());
}

void sim_mail_delete_account(struct sim *sim, struct sim_call *call)
{
    if (check_idle(sim, call))
        answer_task(sim, call, SIM_TASK_DELETE);
}

void sim_mail_change_password(struct sim *sim, struct sim_call *call)
{
    const char *password = sim_call_text(call, "password");
    const char *now = sim_state_password(call->account, 0);

    if (!check_password(call, password) || !check_idle(sim, call))
        return;
    if (sim->settings.same_password_status && now && strcmp(now, password) == 0) {
        sim_call_refuse(call, (int)sim->settings.same_password_status,
                        "Client::BadRequest",
                        "'password' must differ from the present one");
        return;
    }
    answer_task(sim, call, SIM_TASK_PASSWORD);
}
