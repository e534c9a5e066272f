#include "core/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/client.h"
#include "core/person.h"
#include "core/slot.h"

void psn_reach_map_release(struct psn_reach_map *map)
{
    psn_grant_list_release(&map->grants);
    free(map->holders);
    free(map->owners);
    *map = (struct psn_reach_map){ 0 };
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

static enum psn_code collect_owner(void *arg, const struct psn_client *client,
                                   struct psn_error *err)
{
    struct psn_reach_map *map = arg;
    struct psn_owner *grown = map->owners;

    if (!client->owner[0])
        return PSN_OK;
    if ((map->owner_count & (map->owner_count - 1)) == 0) {
        size_t capacity = map->owner_count ? 2 * map->owner_count : 1;

        grown = reallocarray(grown, capacity, sizeof *grown);
        if (!grown)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        map->owners = grown;
    }
    memcpy(grown[map->owner_count].client, client->id, sizeof grown->client);
    memcpy(grown[map->owner_count].person, client->owner, sizeof grown->person);
    map->owner_count++;
    return PSN_OK;
}

/* An owner who is leaving is one no more. */
static enum psn_code load_owners(struct psn_vault *vault, struct psn_reach_map *map,
                                 struct psn_error *err)
{
    enum psn_code rc = psn_client_scan(vault, collect_owner, map, err);
    size_t kept = 0;

    for (size_t i = 0; !rc && i < map->owner_count; i++) {
        struct psn_person person;
        enum psn_code found = psn_person_read(vault, map->owners[i].person, &person, err);

        if (found && found != PSN_E_NOT_FOUND)
            rc = found;
        else if (!found && !person.departing_s)
            map->owners[kept++] = map->owners[i];
    }
    map->owner_count = kept;
    return rc;
}

enum psn_code psn_reach_map_load(struct psn_vault *vault, struct psn_reach_map *ret_map,
                                 struct psn_error *err)
{
    struct psn_reach_map map = { .now_s = vault->world.now_s() };
    enum psn_code rc = psn_grant_list(vault, NULL, &map.grants, err);

    map.holders = calloc(vault->state.slot_count + 1, sizeof *map.holders);
    if (!rc && !map.holders)
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; !rc && i < vault->state.slot_count; i++)
        rc = read_holder(vault, vault->state.slots[i].id,
                         &map.holders[map.holder_count++], err);
    if (!rc)
        rc = load_owners(vault, &map, err);
    if (rc) {
        psn_reach_map_release(&map);
        return rc;
    }
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

/* The grants are sorted by person, then client, then address: the first of a person is
 * found by halving. */
static size_t first_of(const struct psn_reach_map *map, const char *person)
{
    size_t low = 0;
    size_t high = map->grants.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(map->grants.items[middle].person, person) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool psn_reach_has_right(const struct psn_reach_map *map, const char *person,
                         const char *client, const char *address, const char *label)
{
    if (psn_reach_is_granted(map, person, address, label))
        return true;
    for (size_t i = 0; i < map->owner_count; i++)
        if (strcmp(map->owners[i].client, client) == 0 &&
            strcmp(map->owners[i].person, person) == 0)
            return true;
    return false;
}

bool psn_reach_is_granted(const struct psn_reach_map *map, const char *person,
                          const char *address, const char *label)
{
    const struct psn_slot_holder *holder = find_holder(map, person);

    if (holder)
        return !holder->leaving;
    for (size_t i = first_of(map, person); i < map->grants.count; i++) {
        const struct psn_grant_row *row = &map->grants.items[i];

        if (strcmp(row->person, person) != 0)
            return false;
        if (strcmp(row->address, address) == 0 &&
            psn_grant_row_state(row, map->now_s) == PSN_GRANT_ACTIVE &&
            psn_grant_covers(row->labels, label))
            return true;
    }
    return false;
}
