#include "zone.h"

#include <stdio.h>
#include <string.h>

#include "route.h"
#include "state.h"

/* The records of DNS zones, to be read: nothing here changes one. */

static sim_handler list_records;
static sim_handler show_record;

/* clang-format off */
static const struct sim_route routes[] = {
    { "GET", "/domain/zone/{zoneName}/record", SIM_SIGNED, list_records, "long[]",
      { { SIM_PATH, "zoneName", "string", true },
        { SIM_QUERY, "fieldType", "domain.zone.RecordTypeEnum", false },
        { SIM_QUERY, "subDomain", "string", false } } },
    { "GET", "/domain/zone/{zoneName}/record/{id}", SIM_SIGNED, show_record,
      "domain.zone.Record",
      { { SIM_PATH, "zoneName", "string", true }, { SIM_PATH, "id", "long", true } } },
};
/* clang-format on */

const struct sim_route_table sim_zone_table = {
    routes,
    sizeof routes / sizeof routes[0],
};

static json_t *number_or(const json_t *entry, const char *member, json_int_t otherwise)
{
    const json_t *value = json_object_get(entry, member);

    return json_integer(json_is_integer(value) ? json_integer_value(value) : otherwise);
}

/* "ttl" may be null, as at OVH for some old records. */
static void seed_record(struct sim *sim, json_t *records, const char *zone,
                        const json_t *entry)
{
    json_int_t id = json_integer_value(json_object_get(entry, "id"));
    json_t *ttl = json_is_null(json_object_get(entry, "ttl"))
                      ? json_null()
                      : number_or(entry, "ttl", 0);
    char name[32];

    if (!id)
        id = sim_state_id(sim);
    snprintf(name, sizeof name, "%lld", (long long)id);
    json_object_set_new(records, name,
                        json_pack("{s:s,s:I,s:s,s:s,s:o,s:s}", "fieldType",
                                  sim_state_text(entry, "fieldType"), "id", id,
                                  "subDomain", sim_state_text(entry, "subDomain"),
                                  "target", sim_state_text(entry, "target"), "ttl", ttl,
                                  "zone", zone));
}

void sim_zone_seed(struct sim *sim, json_t *domain, const json_t *entry)
{
    json_t *records = json_object();
    const json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(entry, "records"), i, one)
        seed_record(sim, records, sim_state_text(domain, "_name"), one);
    json_object_set_new(domain, "records", records);
}

/* The account's own zone of the path, or call has its answer. */
static json_t *find(const struct sim *sim, struct sim_call *call)
{
    json_t *domain = sim_state_domain(sim, sim_call_text(call, "zoneName"));

    if (domain && sim_state_flag(domain, "_zone") &&
        strcmp(sim_state_text(domain, "_nic"),
               sim_state_text(call->credential, "_nic")) == 0)
        return json_object_get(domain, "records");
    sim_call_refuse(call, 404, "Client::NotFound", "This service does not exist");
    return NULL;
}

static void list_records(struct sim *sim, struct sim_call *call)
{
    static const char *const filters[] = { "fieldType", "subDomain" };
    json_t *records = find(sim, call);
    json_t *ids = NULL;
    const char *id = NULL;
    json_t *record = NULL;

    if (!records)
        return;
    ids = json_array();
    json_object_foreach(records, id, record) {
        bool fits = true;

        for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
            const char *text = sim_call_text(call, filters[i]);
            fits =
                fits && (!text || strcmp(sim_state_text(record, filters[i]), text) == 0);
        }
        if (fits)
            json_array_append(ids, json_object_get(record, "id"));
    }
    sim_call_answer(call, ids);
}

static void show_record(struct sim *sim, struct sim_call *call)
{
    json_t *records = find(sim, call);
    char id[32];

    if (!records)
        return;
    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(call->args, "id")));
    json_t *record = json_object_get(records, id);
    if (record)
        sim_call_answer(call, json_deep_copy(record));
    else
        sim_call_absent(sim, call, "id", id);
}
