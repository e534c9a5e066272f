#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "core/access_sweep.h"
#include "core/credential_due.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/handover.h"
#include "core/item.h"
#include "core/person.h"
#include "core/reach.h"

/*
 * How a departure stands: how far it is, is never noted but read from the secrets and
 * accesses themselves.
 */

static enum psn_code fail_staying(const char *person, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("'%s' is not leaving"), person);
    return psn_hint(err, PSN_E_NOT_FOUND, _("begin it: passation depart %s"), person);
}

/* Is a value ready beside one that he has received? It may be in use. */
static enum psn_code count_ready(struct psn_vault *vault, const struct psn_exposure *at,
                                 struct psn_departure *departure, struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc =
        at->label[0] ? psn_item_read(vault, at->address, at->label, &item, err) : PSN_OK;

    departure->ready += !rc && item.info.replacement;
    return rc;
}

/* What the client has received we do not replace. */
static enum psn_code count_handed(struct psn_vault *vault, const struct psn_exposure *at,
                                  bool live, struct psn_departure *departure,
                                  struct psn_error *err)
{
    bool is_theirs = false;
    enum psn_code rc = PSN_OK;

    if (live)
        rc = psn_handover_is_theirs(vault, at->client, at->address, at->label, at->person,
                                    &is_theirs, err);
    if (rc || !is_theirs)
        return rc;
    departure->handed++;
    return count_ready(vault, at, departure, err);
}

/* A secret, of all the versions and ways in which he knows it. */
struct known_secret {
    const struct psn_exposure *at; /* one of them */
    bool live;
    bool dying;
    bool lasting;
};

static enum psn_code count_secret(struct psn_vault *vault,
                                  const struct known_secret *known,
                                  struct psn_departure *departure, struct psn_error *err)
{
    departure->tasks += known->live && known->at->label[0];
    departure->rotate += known->live && !known->at->label[0];
    departure->unproved += known->dying;
    departure->lasting += known->lasting;
    return count_handed(vault, known->at, known->live, departure, err);
}

static bool is_of(const struct known_secret *known, const struct psn_exposure *at)
{
    return known->at && strcmp(at->address, known->at->address) == 0 &&
           strcmp(at->label, known->at->label) == 0;
}

/* The list is in the order of secrets. */
static enum psn_code count_secrets(struct psn_vault *vault,
                                   const struct psn_exposure_list *seen,
                                   struct psn_departure *departure, struct psn_error *err)
{
    struct known_secret known = { 0 };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < seen->count; i++) {
        const struct psn_exposure *at = &seen->items[i];

        if (!is_of(&known, at)) {
            if (known.at)
                rc = count_secret(vault, &known, departure, err);
            known = (struct known_secret){ 0 };
        }
        known.at = at;
        known.live |= at->in_force && !at->dying && !at->lasting;
        known.lasting |= at->lasting;
        known.dying |= at->dying;
    }
    return !rc && known.at ? count_secret(vault, &known, departure, err) : rc;
}

struct counting {
    const struct psn_person *person;
    struct psn_departure *departure;
};

static enum psn_code count_access(void *arg, const struct psn_access_row *row,
                                  struct psn_error *err)
{
    struct counting *counting = arg;

    (void)err;
    counting->departure->accesses += row->access.state != PSN_ACCESS_GONE &&
                                     !row->access.finding.own &&
                                     psn_access_is_his(counting->person, &row->access);
    return PSN_OK;
}

static enum psn_code count_key(void *arg, const char *client, struct psn_error *err)
{
    struct psn_departure *departure = arg;

    (void)err;
    if (departure->keys++ == 0)
        (void)snprintf(departure->key_client, sizeof departure->key_client, "%s", client);
    return PSN_OK;
}

static enum psn_code read_facts(struct psn_vault *vault, const struct psn_person *person,
                                struct psn_departure *departure, struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    struct psn_reach_map map = { 0 };
    struct counting counting = { person, departure };
    enum psn_code rc = psn_exposure_list(vault, person->id, NULL, &seen, err);

    *departure = (struct psn_departure){ .began_s = person->departing_s,
                                         .closed_s = person->departed_s,
                                         .narrow = person->departure.narrow,
                                         .all = person->departure.all,
                                         .held_slot = person->departure.held_slot };
    memcpy(departure->person, person->id, sizeof departure->person);
    memcpy(departure->folder, person->departure.folder, sizeof departure->folder);
    if (!rc)
        rc = psn_reach_map_load(vault, &map, err);
    if (!rc)
        rc = count_secrets(vault, &seen, departure, err);
    if (!rc) {
        departure->holds_slot = psn_reach_holds_slot(&map, person->id);
        rc = psn_access_row_each(vault, NULL, count_access, &counting, err);
    }
    if (!rc && departure->held_slot)
        rc = psn_due_credential_list(vault, count_key, departure, err);
    psn_reach_map_release(&map);
    psn_exposure_list_release(&seen);
    return rc;
}

bool psn_departure_is_undone(const struct psn_departure *departure)
{
    return departure->closed_s &&
           (departure->rotate || departure->unproved || departure->tasks ||
            departure->accesses || departure->outside);
}

enum psn_code psn_departure_read(struct psn_vault *vault, const char *person,
                                 struct psn_departure *ret_departure,
                                 struct psn_error *err)
{
    struct psn_person row;
    enum psn_code rc = psn_person_read(vault, person, &row, err);

    if (!rc && !row.departing_s)
        rc = fail_staying(person, err);
    if (!rc)
        rc = psn_departure_drop_role_names(vault, &row, err);
    return rc ? rc : read_facts(vault, &row, ret_departure, err);
}

enum psn_code psn_departure_get(struct psn_vault *vault, const char *person,
                                struct psn_departure *ret_departure,
                                struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault,
                              psn_departure_read(vault, person, ret_departure, err), err);
}

enum psn_code psn_departure_each(struct psn_vault *vault, psn_departure_fn *each,
                                 void *arg, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    struct psn_departure departure;
    size_t count = 0;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, psn_person_list(vault, &people, &count, err), err);
    for (size_t i = 0; !rc && i < count; i++) {
        if (!psn_person_is_leaving(&people[i]))
            continue;
        rc = psn_departure_get(vault, people[i].id, &departure, err);
        if (!rc)
            rc = each(arg, &departure, err);
    }
    return rc;
}
