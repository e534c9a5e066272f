#include "resource.h"

#include <stdio.h>
#include <string.h>

#include "state.h"
#include "text.h"

enum {
    PAGE_MAX = 1000,
    CHECKSUM_SIZE = 33,
};

bool sim_resource_fits(const struct sim_call *call, const char *argument,
                       const char *text)
{
    const char *wanted = sim_call_text(call, argument);

    return !wanted || strcmp(wanted, text) == 0;
}

static bool refuse(struct sim_call *call, const char *what)
{
    sim_call_refuse(call, 400, "Client::BadRequest", "'%s' is not valid", what);
    return false;
}

/* Where the page begins: behind the entry that the cursor names. */
static bool read_page(const struct sim *sim, struct sim_call *call, json_t *collection,
                      void **ret_at, json_int_t *ret_size)
{
    const json_t *size = json_object_get(call->args, "X-Pagination-Size");
    const char *cursor = sim_call_text(call, "X-Pagination-Cursor");

    *ret_size = size ? json_integer_value(size) : sim->settings.page_size;
    *ret_at = json_object_iter(collection);
    if (*ret_size < 1)
        return refuse(call, "X-Pagination-Size");
    if (*ret_size > PAGE_MAX)
        *ret_size = PAGE_MAX;
    if (!cursor)
        return true;
    void *last = strncmp(cursor, "after-", 6) == 0
                     ? json_object_iter_at(collection, cursor + 6)
                     : NULL;
    if (!last)
        return refuse(call, "X-Pagination-Cursor");
    *ret_at = json_object_iter_next(collection, last);
    return true;
}

void sim_resource_page(struct sim *sim, struct sim_call *call, json_t *collection,
                       sim_resource_view *view)
{
    json_int_t size = 0;
    void *at = NULL;
    const char *last = NULL;
    json_t *page = NULL;

    if (!read_page(sim, call, collection, &at, &size))
        return;
    page = json_array();
    for (; at; at = json_object_iter_next(collection, at)) {
        json_t *shown = view(sim, call, json_object_iter_value(at));
        bool full = (json_int_t)json_array_size(page) == size;

        if (!shown)
            continue;
        if (full) {
            json_decref(shown);
            snprintf(call->cursor, sizeof call->cursor, "after-%.60s", last);
            break;
        }
        json_array_append_new(page, shown);
        last = json_object_iter_key(at);
    }
    sim_call_answer(call, page);
}

json_t *sim_resource_new(struct sim *sim, json_t *state, json_t *target)
{
    char id[SIM_UUID_SIZE];

    sim_work_uuid(sim_state_id(sim), id);
    json_t *resource = json_pack("{s:s,s:o,s:s,s:i}", "id", id, "currentState", state,
                                 "resourceStatus", "READY", "_revision", 1);
    if (target)
        json_object_set_new(resource, "targetSpec", target);
    return resource;
}

static void checksum_of(const json_t *resource, char ret_checksum[CHECKSUM_SIZE])
{
    sim_text_key(sim_state_text(resource, "id"),
                 (unsigned)json_integer_value(json_object_get(resource, "_revision")),
                 ret_checksum, CHECKSUM_SIZE);
}

json_t *sim_resource_show(const json_t *service, json_t *resource)
{
    json_t *shown = sim_state_public(resource);
    char checksum[CHECKSUM_SIZE];

    checksum_of(resource, checksum);
    json_object_set_new(shown, "checksum", json_string(checksum));
    json_object_set_new(shown, "currentTasks", sim_work_current(service, resource));
    return shown;
}

json_t *sim_resource_find(const struct sim *sim, struct sim_call *call,
                          const char *collection, const char *argument)
{
    const char *id = sim_call_text(call, argument);
    json_t *resource = json_object_get(json_object_get(call->service, collection), id);

    if (!resource)
        sim_call_absent(sim, call, argument, id);
    return resource;
}

void sim_resource_answer(const struct sim *sim, struct sim_call *call,
                         const char *collection, const char *argument)
{
    json_t *resource = sim_resource_find(sim, call, collection, argument);

    if (resource)
        sim_call_answer(call, sim_resource_show(call->service, resource));
}

bool sim_resource_check(const struct sim *sim, struct sim_call *call,
                        const json_t *resource)
{
    const char *given = json_string_value(json_object_get(call->body, "checksum"));
    char checksum[CHECKSUM_SIZE];

    checksum_of(resource, checksum);
    if (given && strcmp(given, checksum) != 0) {
        sim_call_refuse(call, 409, "Client::Conflict::ChecksumMismatch",
                        "The resource has changed: its checksum is another one");
        return false;
    }
    if (sim->settings.busy_status && sim_work_busy(resource)) {
        sim_call_refuse(call, (int)sim->settings.busy_status, "Client::Conflict",
                        "The resource is not ready: a task is under way");
        return false;
    }
    return true;
}

void sim_resource_change(struct sim *sim, struct sim_call *call, json_t *resource,
                         const char *status, const char *function,
                         sim_work_effect *effect, json_t *detail)
{
    const struct sim_work_order order = {
        .function = function,
        .effect = effect,
        .service = call->service,
        .target = resource,
        .detail = detail,
        .delay_ms = -1,
        .plan = &call->plan,
    };
    json_int_t revision = json_integer_value(json_object_get(resource, "_revision"));

    json_object_set_new(resource, "resourceStatus", json_string(status));
    json_object_set_new(resource, "_revision", json_integer(revision + 1));
    sim_work_add(sim, &order);
    call->effect = true;
}
