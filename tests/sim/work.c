#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"
#include "text.h"

enum {
    RECORDS_MAX = 5000, /* of one service; older ones go, half of them at a time */
    OF_TARGET_MAX = 20,
};

void sim_work_uuid(json_int_t id, char ret_uuid[SIM_UUID_SIZE])
{
    snprintf(ret_uuid, SIM_UUID_SIZE, "00000000-0000-4000-8000-%012llx",
             (unsigned long long)id & 0xffffffffffff);
}

static bool is_second(const json_t *service)
{
    return strcmp(sim_state_text(service, "_family"), "zimbra") == 0;
}

static bool has_ended(const json_t *record)
{
    return json_object_get(record, "_status") != NULL;
}

static void forget_old(json_t *service)
{
    json_t *records = json_object_get(service, "_tasks");
    json_t *kept = json_object();
    const char *id = NULL;
    json_t *record = NULL;
    size_t n = 0;

    if (json_object_size(records) >= RECORDS_MAX) {
        json_object_foreach(records, id, record)
            if (!has_ended(record) || n++ >= RECORDS_MAX / 2)
                json_object_set(kept, id, record);
        json_object_set(service, "_tasks", kept);
    }
    json_decref(kept);
}

/* What the mailbox shows: the id of its latest task, or that there is none. */
static void show_pending(const struct sim *sim, json_t *target)
{
    const json_t *pending = json_object_get(target, "_pending");
    size_t size = json_array_size(pending);
    const char *last = json_string_value(json_array_get(pending, size - 1));
    int64_t number = 0;

    if (!json_object_get(target, "taskPendingId"))
        return;
    if (size > 0 && last && sim_text_parse_long(last, &number))
        json_object_set_new(target, "taskPendingId", json_integer(number));
    else
        json_object_set_new(target, "taskPendingId",
                            sim->settings.idle_task_zero ? json_integer(0) : json_null());
}

static void note_in(json_t *target, const char *member, const char *id, size_t max)
{
    json_t *list = json_object_get(target, member);

    if (!list) {
        list = json_array();
        json_object_set_new(target, member, list);
    }
    json_array_append_new(list, json_string(id));
    while (json_array_size(list) > max)
        json_array_remove(list, 0);
}

const json_t *sim_work_add(struct sim *sim, const struct sim_work_order *order)
{
    struct sim_work *work = calloc(1, sizeof *work);
    json_int_t delay =
        order->delay_ms < 0 ? sim->settings.task_delay_ms : order->delay_ms;
    const char *address = sim_state_address(order->target);
    const char *at = strrchr(address, '@');
    char name[320];
    char id[SIM_UUID_SIZE];

    if (!work)
        abort(); /* as in task.c */
    work->effect = order->effect;
    work->service = json_incref(order->service);
    work->target = json_incref(order->target);
    work->detail = order->detail;
    work->record = json_pack("{s:s,s:I,s:I,s:I}", "function", order->function,
                             "_created_s", (json_int_t)sim_state_now_s(sim), "_began_ms",
                             (json_int_t)sim_text_now_ms(), "_delay_ms", delay);
    snprintf(name, sizeof name, "%.*s", at ? (int)(at - address) : 0, address);
    const struct sim_task_order task = {
        .kind = SIM_TASK_WORK,
        .domain = at ? at + 1 : "",
        .name = name,
        .work = work,
        .delay_ms = delay,
        .plan = order->plan,
    };
    json_int_t number = sim_task_add(sim, &task);
    if (is_second(order->service)) {
        sim_work_uuid(number, id);
        json_object_set_new(work->record, "id", json_string(id));
    } else {
        snprintf(id, sizeof id, "%lld", (long long)number);
        json_object_set_new(work->record, "id", json_integer(number));
    }
    json_object_set_new(work->record, "_id", json_string(id));
    forget_old(order->service);
    json_object_set(json_object_get(order->service, "_tasks"), id, work->record);
    note_in(order->target, "_pending", id, SIZE_MAX);
    note_in(order->target, "_task_ids", id, OF_TARGET_MAX);
    show_pending(sim, order->target);
    return work->record;
}

bool sim_work_busy(const json_t *target)
{
    return json_array_size(json_object_get(target, "_pending")) > 0;
}

static void take_pending(json_t *target, const char *id)
{
    json_t *pending = json_object_get(target, "_pending");

    for (size_t i = json_array_size(pending); i > 0; i--)
        if (strcmp(json_string_value(json_array_get(pending, i - 1)), id) == 0)
            json_array_remove(pending, i - 1);
}

/* The state and the checksum of a resource of the second version. */
static void settle_resource(const struct sim *sim, struct sim_work *work, bool failed)
{
    char date[SIM_TEXT_DATETIME_SIZE];
    json_t *state = json_object_get(work->target, "currentState");

    if (!json_object_get(work->target, "resourceStatus"))
        return;
    sim_text_datetime(sim_state_now_s(sim), date);
    if (json_object_get(state, "updatedAt"))
        json_object_set_new(state, "updatedAt", json_string(date));
    json_object_set_new(work->target, "resourceStatus",
                        json_string(failed                        ? "ERROR"
                                    : sim_work_busy(work->target) ? "UPDATING"
                                                                  : "READY"));
    json_object_set_new(
        work->target, "_revision",
        json_integer(1 + json_integer_value(json_object_get(work->target, "_revision"))));
}

void sim_work_end(struct sim *sim, struct sim_work *work, enum sim_task_mode mode)
{
    static const char *const words[] = {
        [SIM_TASK_RUN] = "done",
        [SIM_TASK_FAIL] = "done",
        [SIM_TASK_STUCK] = "error",
        [SIM_TASK_ERROR] = "error",
        [SIM_TASK_CANCELLED] = "cancelled",
    };
    const char *word = words[mode];
    bool gone = sim_state_flag(work->target, "_gone");

    /* Against the policy, where that is noticed only now. */
    if (mode == SIM_TASK_RUN && json_object_get(work->detail, "refused")) {
        mode = SIM_TASK_ERROR;
        word = "error";
    }
    take_pending(work->target, sim_state_text(work->record, "_id"));
    bool failed = mode == SIM_TASK_ERROR || mode == SIM_TASK_CANCELLED;
    /* A resource of the second version stays, and says that it is in error. */
    if (!gone && !(failed && json_object_get(work->target, "resourceStatus")))
        work->effect(sim, work, mode == SIM_TASK_RUN);
    json_object_set_new(work->record, "_status", json_string(word));
    json_object_set_new(work->record, "_ended_s",
                        json_integer((json_int_t)sim_state_now_s(sim)));
    show_pending(sim, work->target);
    settle_resource(sim, work, failed);
}

void sim_work_free(struct sim_work *work)
{
    json_decref(work->service);
    json_decref(work->target);
    json_decref(work->record);
    json_decref(work->detail);
    free(work);
}

/* Where a task stands: for its first third it has not begun. */
static const char *status_of(const json_t *record)
{
    int64_t since =
        sim_text_now_ms() - json_integer_value(json_object_get(record, "_began_ms"));
    json_int_t delay = json_integer_value(json_object_get(record, "_delay_ms"));

    if (has_ended(record))
        return sim_state_text(record, "_status");
    return since * 3 < delay ? "todo" : "doing";
}

static json_t *date_of(const json_t *record, const char *member)
{
    const json_t *when = json_object_get(record, member);
    char date[SIM_TEXT_DATETIME_SIZE];

    if (!when)
        return json_null();
    sim_text_datetime(json_integer_value(when), date);
    return json_string(date);
}

json_t *sim_work_task(const json_t *record)
{
    return json_pack("{s:o,s:O,s:O,s:s,s:o}", "finishDate", date_of(record, "_ended_s"),
                     "function", json_object_get(record, "function"), "id",
                     json_object_get(record, "id"), "status", status_of(record),
                     "todoDate", date_of(record, "_created_s"));
}

/* The word of the second version for a state. */
static const char *word_v2(const json_t *record)
{
    static const char *const words[][2] = {
        { "todo", "PENDING" }, { "doing", "RUNNING" },   { "done", "DONE" },
        { "error", "ERROR" },  { "cancelled", "ERROR" },
    };
    const char *status = status_of(record);

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i][0], status) == 0)
            return words[i][1];
    return "ERROR";
}

static json_t *errors_of(const json_t *record)
{
    if (strcmp(word_v2(record), "ERROR") != 0)
        return json_null();
    return json_pack("[{s:s}]", "message", "The operation could not be completed");
}

static json_t *link_of(const json_t *service, const json_t *record)
{
    char link[256];

    snprintf(link, sizeof link, "/v2/zimbra/platform/%.40s/task/%.40s",
             sim_state_text(service, "_name"), sim_state_text(record, "_id"));
    return json_string(link);
}

json_t *sim_work_task_v2(const json_t *service, const json_t *record)
{
    const char *word = word_v2(record);
    json_t *began =
        strcmp(word, "PENDING") == 0 ? json_null() : date_of(record, "_created_s");
    json_t *updated =
        has_ended(record) ? date_of(record, "_ended_s") : date_of(record, "_created_s");

    return json_pack(
        "{s:o,s:o,s:o,s:O,s:o,s:s,s:[{s:O,s:s}],s:o,s:s,s:O,s:o}", "createdAt",
        date_of(record, "_created_s"), "errors", errors_of(record), "finishedAt",
        date_of(record, "_ended_s"), "id", json_object_get(record, "id"), "link",
        link_of(service, record), "message", "", "progress", "name",
        json_object_get(record, "function"), "status", word, "startedAt", began, "status",
        word, "type", json_object_get(record, "function"), "updatedAt", updated);
}

json_t *sim_work_current(const json_t *service, const json_t *target)
{
    json_t *list = json_array();
    const json_t *id = NULL;
    size_t i = 0;
    bool failed = strcmp(sim_state_text(target, "resourceStatus"), "ERROR") == 0;
    const json_t *ids = json_object_get(target, "_task_ids");
    size_t size = json_array_size(ids);

    json_array_foreach(ids, i, id) {
        const json_t *record =
            json_object_get(json_object_get(service, "_tasks"), json_string_value(id));
        if (!record || (has_ended(record) && !(failed && i + 1 == size)))
            continue;
        json_array_append_new(
            list, json_pack("{s:o,s:O,s:o,s:s,s:O}", "errors", errors_of(record), "id",
                            json_object_get(record, "id"), "link",
                            link_of(service, record), "status", word_v2(record), "type",
                            json_object_get(record, "function")));
    }
    return list;
}

/* Ended tasks stay listed for a time that nobody outside knows: a setting. */
static bool is_listed(const struct sim *sim, const json_t *record)
{
    const json_t *ended = json_object_get(record, "_ended_s");

    return record && (!ended || sim_state_now_s(sim) - json_integer_value(ended) <
                                    sim->settings.task_keep_s);
}

static bool belongs(const json_t *target, const char *id)
{
    const json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(target, "_task_ids"), i, one)
        if (strcmp(json_string_value(one), id) == 0)
            return true;
    return false;
}

const json_t *sim_work_find(struct sim *sim, const json_t *service, const json_t *target,
                            const char *id)
{
    const json_t *record = json_object_get(json_object_get(service, "_tasks"), id);

    if (!is_listed(sim, record) || (target && !belongs(target, id)))
        return NULL;
    return record;
}

json_t *sim_work_ids(struct sim *sim, const json_t *service, const json_t *target)
{
    json_t *ids = json_array();
    json_t *records = json_object_get(service, "_tasks");
    const char *id = NULL;
    json_t *one = NULL;
    size_t i = 0;

    if (target) {
        json_array_foreach(json_object_get(target, "_task_ids"), i, one) {
            json_t *record = json_object_get(records, json_string_value(one));
            if (is_listed(sim, record))
                json_array_append(ids, json_object_get(record, "id"));
        }
        return ids;
    }
    json_object_foreach(records, id, one)
        if (is_listed(sim, one))
            json_array_append(ids, json_object_get(one, "id"));
    return ids;
}
