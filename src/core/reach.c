#include "core/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/person.h"
#include "core/slot.h"

void psn_reach_map_release(struct psn_reach_map *map)
{
    psn_grant_briefs_release(&map->grants);
    free(map->people);
    free(map->holders);
    free(map->owners);
    *map = (struct psn_reach_map){ 0 };
}

static int compare_person(const void *key, const void *item)
{
    return strcmp(key, ((const struct psn_person *)item)->id);
}

const struct psn_person *psn_reach_person(const struct psn_reach_map *map, const char *id)
{
    return map->person_count ? bsearch(id, map->people, map->person_count,
                                       sizeof *map->people, compare_person)
                             : NULL;
}

static enum psn_code read_holder(struct psn_vault *vault, const uint8_t *slot,
                                 struct psn_slot_holder *holder, struct psn_error *err)
{
    struct psn_person person;
    enum psn_code rc = psn_slot_owner(vault, slot, holder->person, err);

    if (!rc)
        rc = psn_person_read(vault, holder->person, &person, err);
    holder->leaving = !rc && person.departing_s;
    return rc;
}

enum psn_code psn_reach_map_add_owner(struct psn_reach_map *map,
                                      const struct psn_client *client,
                                      struct psn_error *err)
{
    struct psn_owner *owner;
    enum psn_code rc;

    if (!client->owner[0])
        return PSN_OK;
    rc = PSN_GROW(map->owners, map->owner_count, err);
    if (rc)
        return rc;
    owner = &map->owners[map->owner_count++];
    memcpy(owner->client, client->id, sizeof owner->client);
    memcpy(owner->person, client->owner, sizeof owner->person);
    return PSN_OK;
}

static int compare_owners(const void *a, const void *b)
{
    return strcmp(((const struct psn_owner *)a)->client,
                  ((const struct psn_owner *)b)->client);
}

static int compare_owner(const void *key, const void *item)
{
    return strcmp(key, ((const struct psn_owner *)item)->client);
}

/* An owner who is leaving is one no more. */
void psn_reach_map_settle(struct psn_reach_map *map)
{
    size_t kept = 0;

    for (size_t i = 0; i < map->owner_count; i++) {
        const struct psn_person *person = psn_reach_person(map, map->owners[i].person);

        if (person && !person->departing_s)
            map->owners[kept++] = map->owners[i];
    }
    map->owner_count = kept;
    if (kept > 1)
        qsort(map->owners, kept, sizeof *map->owners, compare_owners);
}

/* A list of one, as psn_person_list() makes it of all. */
static enum psn_code list_one(struct psn_vault *vault, const char *person,
                              struct psn_reach_map *map, struct psn_error *err)
{
    enum psn_code rc = PSN_ROOM(map->people, 1, err);

    if (rc)
        return rc;
    map->person_count = 1;
    return psn_person_read(vault, person, map->people, err);
}

static enum psn_code list_holders(struct psn_vault *vault, struct psn_reach_map *map,
                                  struct psn_error *err)
{
    enum psn_code rc = PSN_ROOM(map->holders, vault->state.slot_count, err);

    for (size_t i = 0; !rc && i < vault->state.slot_count; i++)
        rc = read_holder(vault, vault->state.slots[i].id,
                         &map->holders[map->holder_count++], err);
    return rc;
}

enum psn_code psn_reach_map_begin(struct psn_vault *vault, const char *person,
                                  struct psn_reach_map *ret_map, struct psn_error *err)
{
    struct psn_reach_map map = { .now_s = vault->world.now_s() };
    enum psn_code rc = psn_grant_brief_list(vault, person, &map.grants, err);

    if (!rc)
        rc = person ? list_one(vault, person, &map, err)
                    : psn_person_list(vault, &map.people, &map.person_count, err);
    if (!rc)
        rc = list_holders(vault, &map, err);
    if (rc) {
        psn_reach_map_release(&map);
        return rc;
    }
    *ret_map = map;
    return PSN_OK;
}

static enum psn_code collect_owner(void *arg, const struct psn_client *client,
                                   struct psn_error *err)
{
    return psn_reach_map_add_owner(arg, client, err);
}

enum psn_code psn_reach_map_load(struct psn_vault *vault, struct psn_reach_map *ret_map,
                                 struct psn_error *err)
{
    struct psn_reach_map map = { 0 };
    enum psn_code rc = psn_reach_map_begin(vault, NULL, &map, err);

    if (!rc)
        rc = psn_client_scan(vault, collect_owner, &map, err);
    if (rc) {
        psn_reach_map_release(&map);
        return rc;
    }
    psn_reach_map_settle(&map);
    *ret_map = map;
    return PSN_OK;
}

static const struct psn_slot_holder *find_holder(const struct psn_reach_map *map,
                                                 const char *person)
{
    for (size_t i = 0; i < map->holder_count; i++)
        if (strcmp(map->holders[i].person, person) == 0)
            return &map->holders[i];
    return NULL;
}

bool psn_reach_holds_slot(const struct psn_reach_map *map, const char *person)
{
    return find_holder(map, person) != NULL;
}

bool psn_reach_has_lost_slot(const struct psn_reach_map *map,
                             const struct psn_person *person)
{
    return person->departure.held_slot && !person->departing_s &&
           !psn_reach_holds_slot(map, person->id);
}

enum psn_code psn_reach_lost_slot(struct psn_vault *vault,
                                  const struct psn_person *person, bool *ret_lost,
                                  struct psn_error *err)
{
    struct psn_reach_map map = { 0 };
    enum psn_code rc;

    *ret_lost = false;
    if (!person->departure.held_slot)
        return PSN_OK;
    rc = list_holders(vault, &map, err);
    if (!rc)
        *ret_lost = psn_reach_has_lost_slot(&map, person);
    psn_reach_map_release(&map);
    return rc;
}

enum psn_code psn_reach_check_slot_kept(struct psn_vault *vault,
                                        const struct psn_person *person,
                                        struct psn_error *err)
{
    bool lost = false;
    enum psn_code rc = psn_reach_lost_slot(vault, person, &lost, err);

    if (rc || !lost)
        return rc;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("%s could open the vault and has no slot any more, so counts as "
                     "somebody who leaves: nothing is issued"),
                   person->id);
    return psn_hint(err, PSN_E_POLICY,
                    _("who leaves: passation depart %s; who stays gets a slot again: "
                      "passation slot add %s"),
                    person->id, person->id);
}

bool psn_grant_covers(const char *labels, const char *label)
{
    size_t size = strlen(label);

    if (size == 0 || strcmp(labels, "*") == 0)
        return true;
    for (const char *at = labels; *at;) {
        size_t line = strcspn(at, "\n");

        if (line == size && memcmp(at, label, size) == 0)
            return true;
        at += line + (at[line] == '\n');
    }
    return false;
}

/* The grants are sorted by person, then client, then address, and there is one of each:
 * it is found by halving. */
static const struct psn_grant_brief *find_grant(const struct psn_reach_map *map,
                                                const char *person, const char *client,
                                                const char *address)
{
    size_t low = 0;
    size_t high = map->grants.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct psn_grant_brief *at = &map->grants.items[middle];
        int order = strcmp(at->person, person);

        if (!order)
            order = strcmp(at->client, client);
        if (!order)
            order = strcmp(at->address, address);
        if (!order)
            return at;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool psn_reach_has_right(const struct psn_reach_map *map, const char *person,
                         const char *client, const char *address, const char *label)
{
    const struct psn_owner *owner;

    if (psn_reach_is_granted(map, person, client, address, label))
        return true;
    owner = map->owner_count ? bsearch(client, map->owners, map->owner_count,
                                       sizeof *map->owners, compare_owner)
                             : NULL;
    return owner && strcmp(owner->person, person) == 0;
}

bool psn_reach_is_granted(const struct psn_reach_map *map, const char *person,
                          const char *client, const char *address, const char *label)
{
    const struct psn_slot_holder *holder = find_holder(map, person);
    const struct psn_grant_brief *grant;

    if (holder)
        return !holder->leaving;
    grant = find_grant(map, person, client, address);
    return grant && psn_grant_brief_state(grant, map->now_s) == PSN_GRANT_ACTIVE &&
           psn_grant_covers(grant->labels ? grant->labels : "", label);
}

bool psn_reach_has_labels(const struct psn_reach_map *map, const char *person,
                          const char *client, const char *address)
{
    const struct psn_grant_brief *grant = find_grant(map, person, client, address);

    return grant && grant->labels &&
           psn_grant_brief_state(grant, map->now_s) == PSN_GRANT_ACTIVE;
}
