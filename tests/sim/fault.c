#include "fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate.h"
#include "service.h"
#include "state.h"
#include "text.h"

struct sim_fault {
    struct sim_fault *next;
    json_t *rule;
    const struct kind *kind;
    int status; /* of a kind that is a number */
    json_int_t nth;
    json_int_t times; /* below 0: for ever */
    json_int_t met;
    json_int_t used;
};

static const json_int_t huge_bytes = 67108864; /* 64 MiB */

/* What acts beyond the plan: on the state, at the time the call arrives. */
enum state_action {
    ACT_NONE,
    ACT_REVOKE,
    ACT_EXPIRE,
    ACT_SUSPEND,
    ACT_DROP,
    ACT_MIGRATE,
    ACT_SKEW,
    ACT_SLOW,
    ACT_TASK,
    ACT_FRONT,
    ACT_IMAP,
};

/* Adding a kind: also the table in README.md, and a case in test_faults.py. */
static const struct kind {
    const char *name;
    enum sim_ending ending;
    enum sim_mangle mangle;
    int status;
    bool skip; /* by default nothing is carried out; "after": true turns it round */
    enum state_action action;
    int detail; /* of the action: enum sim_task_mode, enum sim_imap_fault */
    const char *imap_code;
} kinds[] = {
    { .name = "lost_before", .ending = SIM_ENDING_CLOSE, .skip = true },
    { .name = "lost_after", .ending = SIM_ENDING_CLOSE },
    { .name = "reset", .ending = SIM_ENDING_RESET, .skip = true },
    { .name = "reset_after", .ending = SIM_ENDING_RESET },
    { .name = "stall", .ending = SIM_ENDING_STALL, .skip = true },
    { .name = "stall_after", .ending = SIM_ENDING_STALL },
    { .name = "truncated", .ending = SIM_ENDING_TRUNCATED },
    { .name = "partial_headers", .ending = SIM_ENDING_PARTIAL_HEADERS },
    { .name = "garbage_http", .ending = SIM_ENDING_GARBAGE },
    { .name = "huge_body", .ending = SIM_ENDING_HUGE },
    { .name = "5xx_after", .status = 500 },
    { .name = "redirect_3xx", .status = 302, .skip = true },
    { .name = "wrong_types", .mangle = SIM_MANGLE_WRONG_TYPES },
    { .name = "not_json", .mangle = SIM_MANGLE_NOT_JSON },
    { .name = "html", .mangle = SIM_MANGLE_HTML },
    { .name = "empty_body", .mangle = SIM_MANGLE_EMPTY },
    { .name = "null_body", .mangle = SIM_MANGLE_NULL },
    { .name = "wrong_mailbox", .mangle = SIM_MANGLE_WRONG_MAILBOX },
    { .name = "body", .mangle = SIM_MANGLE_BODY },
    { .name = "slow", .action = ACT_SLOW },
    { .name = "revoke_credential", .action = ACT_REVOKE },
    { .name = "expire_service", .action = ACT_EXPIRE },
    { .name = "suspend_service", .action = ACT_SUSPEND },
    { .name = "drop_account", .action = ACT_DROP },
    { .name = "clock_skew", .action = ACT_SKEW },
    { .name = "task_silent_fail", .action = ACT_TASK, .detail = SIM_TASK_FAIL },
    { .name = "task_error", .action = ACT_TASK, .detail = SIM_TASK_ERROR },
    { .name = "task_cancelled", .action = ACT_TASK, .detail = SIM_TASK_CANCELLED },
    { .name = "migrate", .action = ACT_MIGRATE },
    { .name = "task_stuck", .action = ACT_TASK, .detail = SIM_TASK_STUCK },
    { .name = "task_slow", .action = ACT_TASK, .detail = SIM_TASK_RUN },
    { .name = "late_front", .action = ACT_FRONT },
    { .name = "unavailable",
      .action = ACT_IMAP,
      .detail = SIM_IMAP_CODE,
      .imap_code = "UNAVAILABLE" },
    { .name = "inuse",
      .action = ACT_IMAP,
      .detail = SIM_IMAP_CODE,
      .imap_code = "INUSE" },
    { .name = "limit",
      .action = ACT_IMAP,
      .detail = SIM_IMAP_CODE,
      .imap_code = "LIMIT" },
    { .name = "contactadmin",
      .action = ACT_IMAP,
      .detail = SIM_IMAP_CODE,
      .imap_code = "CONTACTADMIN" },
    { .name = "bye", .action = ACT_IMAP, .detail = SIM_IMAP_BYE },
    { .name = "refuse_right", .action = ACT_IMAP, .detail = SIM_IMAP_REFUSE_RIGHT },
    { .name = "accept_old", .action = ACT_IMAP, .detail = SIM_IMAP_ACCEPT_OLD },
    { .name = "close", .ending = SIM_ENDING_CLOSE, .skip = true },
    { .name = "garbage", .ending = SIM_ENDING_GARBAGE, .skip = true },
    { .name = "status", .status = 500, .skip = true },
};

/* A kind that is a number is an answer with that status: "409", "503". */
static const struct kind *find_kind(const char *name, int *ret_status)
{
    int64_t number = 0;

    if (sim_text_parse_long(name, &number) && number >= 200 && number <= 599) {
        *ret_status = (int)number;
        name = "status";
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static json_int_t number_of(const json_t *rule, const char *name, json_int_t otherwise)
{
    const json_t *value = json_object_get(rule, name);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static struct sim_fault *new_fault(json_t *rule, char *why, size_t size)
{
    int status = (int)number_of(rule, "status", 0);
    const struct kind *kind = find_kind(sim_state_text(rule, "kind"), &status);

    if (!kind) {
        snprintf(why, size, "no fault is called '%.60s'", sim_state_text(rule, "kind"));
        return NULL;
    }
    struct sim_fault *fault = calloc(1, sizeof *fault);
    if (!fault) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    fault->rule = json_deep_copy(rule);
    fault->kind = kind;
    fault->status = status;
    fault->nth = number_of(rule, "nth", 1);
    fault->times = sim_state_flag(rule, "sticky") ? -1 : number_of(rule, "times", 1);
    return fault;
}

static void free_faults(struct sim_fault *fault)
{
    while (fault) {
        struct sim_fault *next = fault->next;
        json_decref(fault->rule);
        free(fault);
        fault = next;
    }
}

bool sim_fault_add(struct sim *sim, const json_t *rules, char *ret_why, size_t why_size)
{
    struct sim_fault *first = NULL;
    struct sim_fault **end = &first;
    json_t *rule = NULL;
    size_t i = 0;

    json_array_foreach(rules, i, rule) {
        *end = new_fault(rule, ret_why, why_size);
        if (!*end) {
            free_faults(first);
            return false;
        }
        end = &(*end)->next;
    }
    struct sim_fault **last = &sim->faults;
    while (*last)
        last = &(*last)->next;
    *last = first;
    return true;
}

void sim_fault_clear(struct sim *sim)
{
    free_faults(sim->faults);
    sim->faults = NULL;
}

json_t *sim_fault_dump(const struct sim *sim)
{
    json_t *dump = json_array();

    for (const struct sim_fault *fault = sim->faults; fault; fault = fault->next)
        json_array_append_new(dump, json_pack("{s:O,s:I,s:I}", "rule", fault->rule, "met",
                                              fault->met, "used", fault->used));
    return dump;
}

static bool fits(const struct sim_fault *fault, const struct sim_call_target *target)
{
    const char *method = sim_state_text(fault->rule, "method");
    const char *path = sim_state_text(fault->rule, "path");

    /* "*" means every API method: an IMAP rule says IMAP. */
    if (!*method || strcmp(method, "*") == 0) {
        if (strncmp(target->method, "IMAP", 4) == 0)
            return false;
    } else if (!sim_text_glob(method, target->method)) {
        return false;
    }
    return !*path || sim_text_glob(path, target->path);
}

/* "/email/domain/{domain}/account/{name}…" cut into its two names. */
static bool split_path(const char *path, char domain[256], char name[128])
{
    char account[16];

    domain[0] = '\0';
    name[0] = '\0';
    if (strncmp(path, "/email/domain/", 14) != 0)
        return false;
    path += 14;
    size_t length = strcspn(path, "/");
    if (length == 0 || length > 255)
        return false;
    snprintf(domain, 256, "%.*s", (int)length, path);
    sim_text_lower(domain);
    path += length;
    snprintf(account, sizeof account, "%.9s", path);
    if (strcmp(account, "/account/") == 0) {
        snprintf(name, 128, "%.*s", (int)strcspn(path + 9, "/"), path + 9);
        sim_text_lower(name);
    }
    return true;
}

/* A service of email/domain. */
static void act_on_domain(struct sim *sim, enum state_action action, const char *domain,
                          const char *name)
{
    json_t *at = sim_state_domain(sim, domain);

    if (action == ACT_EXPIRE)
        json_object_set_new(at, "_expired", json_true());
    if (action == ACT_SUSPEND)
        json_object_set_new(at, "_suspended", json_true());
    if (action == ACT_DROP)
        sim_state_remove_account(sim, domain, name);
}

static void act_on_service(struct sim *sim, enum state_action action, const char *path)
{
    char domain[256];
    char name[128];
    json_t *service = NULL;
    json_t *account = NULL;

    if (split_path(path, domain, name)) {
        act_on_domain(sim, action, domain, name);
        return;
    }
    sim_service_locate(sim, path, &service, &account);
    if (action == ACT_EXPIRE && service)
        sim_service_expire(service, true);
    if (action == ACT_SUSPEND && service)
        sim_service_suspend(service, true);
    if (action == ACT_DROP && account)
        sim_service_remove_account(sim, service, account);
}

static void act(struct sim *sim, const struct sim_fault *fault,
                const struct sim_call_target *target, struct sim_plan *plan)
{
    bool after = sim_state_flag(fault->rule, "after");
    json_int_t ms = number_of(fault->rule, "ms", 1000);
    char why[160];

    switch (fault->kind->action) {
    case ACT_NONE:
        break;
    case ACT_REVOKE:
        if (after)
            plan->revoke_after = true;
        else if (target->credential)
            json_object_set_new(target->credential, "_revoked", json_true());
        break;
    case ACT_EXPIRE:
    case ACT_SUSPEND:
    case ACT_DROP:
        act_on_service(sim, fault->kind->action, target->path);
        break;
    case ACT_MIGRATE:
        if (after)
            plan->migrate_after = json_incref(fault->rule);
        else
            json_decref(sim_migrate(sim, fault->rule, why, sizeof why));
        break;
    case ACT_SKEW:
        sim->settings.skew_s = number_of(fault->rule, "seconds", 3600);
        break;
    case ACT_SLOW:
        plan->before_ms += after ? 0 : ms;
        plan->after_ms += after ? ms : 0;
        break;
    case ACT_TASK:
        plan->task_mode = (enum sim_task_mode)fault->kind->detail;
        plan->task_ms += plan->task_mode == SIM_TASK_RUN ? ms : 0;
        break;
    case ACT_FRONT:
        plan->front_late = true;
        plan->front_ms = ms;
        break;
    case ACT_IMAP:
        plan->imap = (enum sim_imap_fault)fault->kind->detail;
        if (fault->kind->imap_code)
            snprintf(plan->imap_code, sizeof plan->imap_code, "%s",
                     fault->kind->imap_code);
        break;
    }
}

/* The front proxies answer in HTML, what stands behind them in JSON. */
static bool is_html(const struct sim_fault *fault, int status)
{
    const json_t *wish = json_object_get(fault->rule, "html");

    if (json_is_boolean(wish))
        return json_is_true(wish);
    return status == 408 || (status >= 502 && status <= 504);
}

static void fold_answer(const struct sim_fault *fault, struct sim_plan *plan)
{
    const json_t *rule = fault->rule;
    const json_t *retry = json_object_get(rule, "retry_after");

    if (fault->kind->ending != SIM_ENDING_ANSWER) {
        plan->ending = fault->kind->ending;
        plan->stall_ms = number_of(rule, "ms", -1);
        plan->bytes = number_of(rule, "bytes", huge_bytes);
    }
    if (fault->kind->mangle != SIM_MANGLE_NONE)
        plan->mangle = fault->kind->mangle;
    if (fault->kind->status) {
        plan->status = fault->status ? fault->status : fault->kind->status;
        plan->html = is_html(fault, plan->status);
    }
    if (json_is_integer(retry))
        snprintf(plan->retry_after, sizeof plan->retry_after, "%lld",
                 (long long)json_integer_value(retry));
    else if (json_is_string(retry))
        snprintf(plan->retry_after, sizeof plan->retry_after, "%s",
                 json_string_value(retry));
    if (*sim_state_text(rule, "location"))
        snprintf(plan->location, sizeof plan->location, "%s",
                 sim_state_text(rule, "location"));
    if (*sim_state_text(rule, "message"))
        snprintf(plan->message, sizeof plan->message, "%s",
                 sim_state_text(rule, "message"));
    if (json_object_get(rule, "body")) {
        json_decref(plan->body);
        plan->body = json_deep_copy(json_object_get(rule, "body"));
    }
    if (fault->kind->skip && !sim_state_flag(rule, "after"))
        plan->skip = true;
}

void sim_fault_plan(struct sim *sim, const struct sim_call_target *target,
                    struct sim_plan *ret_plan)
{
    memset(ret_plan, 0, sizeof *ret_plan);
    for (struct sim_fault *fault = sim->faults; fault; fault = fault->next) {
        if (!fits(fault, target))
            continue;
        fault->met++;
        if (fault->met < fault->nth ||
            (fault->times >= 0 && fault->met >= fault->nth + fault->times))
            continue;
        fault->used++;
        fold_answer(fault, ret_plan);
        act(sim, fault, target, ret_plan);
        size_t length = strlen(ret_plan->names);
        snprintf(ret_plan->names + length, sizeof ret_plan->names - length, "%s%.40s",
                 length ? "," : "", sim_state_text(fault->rule, "kind"));
    }
}

void sim_fault_release(struct sim_plan *plan)
{
    json_decref(plan->body);
    json_decref(plan->migrate_after);
    plan->body = NULL;
    plan->migrate_after = NULL;
}
