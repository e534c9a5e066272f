#include "core/departure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/access_sweep.h"
#include "core/exposure.h"
#include "core/grant.h"
#include "core/handover.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"

/*
 * The beginning of a departure: its facts lie in the person's row, what he could read in
 * the journal (departure_scope.c).
 */

/* --- step (0) --- */

enum psn_code psn_departure_fail_own(const char *person, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_POLICY,
                   _("%s: nobody conducts his own departure: this vault is unlocked with "
                     "your own key"),
                   person);
    return psn_hint(err, PSN_E_POLICY,
                    _("somebody else who has a slot does it; see: passation slot ls"));
}

static enum psn_code check_request(struct psn_vault *vault,
                                   const struct psn_departure_request *request,
                                   struct psn_error *err)
{
    if (strcmp(request->person, vault->actor) == 0)
        return psn_departure_fail_own(request->person, err);
    if (request->folder && strlen(request->folder) >= PSN_PERSON_FOLDER_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("the name of the folder is too long"));
    return PSN_OK;
}

/* Every version up to that one that is in force, or may be: what is being tried can be
 * given up again. */
static enum psn_code expose_password(struct psn_vault *vault, const char *person,
                                     const struct psn_target *target,
                                     struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc = psn_role_read(vault, target->address, &role, err);
    const struct psn_rotation_state *rotation = &role.rotation;
    uint64_t first;

    if (rc)
        return rc;
    first = psn_rotation_undead(rotation);
    if (first == 0)
        first = rotation->cur ? rotation->cur : rotation->pend;
    for (uint64_t version = first; !rc && version && version <= target->version;
         version++)
        if (psn_rotation_in_force(rotation, version))
            rc = psn_exposure_put_of(vault, person, target->address, "", version,
                                     PSN_HOW_REACHED, err);
    return rc;
}

/* All that a slot-holder could read counts as known to him, whether he looked or not. */
static enum psn_code expose_reached(struct psn_vault *vault, const char *person,
                                    const struct psn_scope *scope, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < scope->target_count; i++) {
        const struct psn_target *target = &scope->targets[i];

        rc = target->label[0]
                 ? psn_exposure_put_of(vault, person, target->address, target->label,
                                       target->version, PSN_HOW_REACHED, err)
                 : expose_password(vault, person, target, err);
    }
    return rc;
}

/* Has he seen the replacement that was made ready? */
static enum psn_code is_known(struct psn_vault *vault, const char *person,
                              const struct psn_item *item, bool *ret_known,
                              struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc = psn_exposure_list(vault, person, item->info.address, &seen, err);

    *ret_known = false;
    for (size_t i = 0; !rc && i < seen.count; i++)
        *ret_known = *ret_known || (strcmp(seen.items[i].label, item->info.label) == 0 &&
                                    seen.items[i].version == item->info.replacement);
    psn_exposure_list_release(&seen);
    return rc;
}

/* A replacement that is ready to be pasted, and that he does not know; of what the client
 * has received he makes one himself. */
static enum psn_code make_ready(struct psn_vault *vault, const char *person,
                                const struct psn_scope *scope, bool anew,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < scope->target_count; i++) {
        const struct psn_target *target = &scope->targets[i];
        struct psn_item item = { 0 };
        bool known = anew;
        bool theirs = false;

        if (!target->label[0])
            continue;
        rc = psn_handover_is_theirs(vault, target->client, target->address, target->label,
                                    person, &theirs, err);
        if (rc || theirs)
            continue;
        rc = psn_item_read(vault, target->address, target->label, &item, err);
        if (!rc && !anew && item.info.replacement)
            rc = is_known(vault, person, &item, &known, err);
        if (!rc && (known || !item.info.replacement))
            rc = psn_item_replace(vault, &item, err);
    }
    return rc;
}

/* One by whom a secret may be known until there is another: his way in is closed. */
static bool is_shut_out(const struct psn_person *people, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(people[i].id, id) == 0)
            return people[i].departing_s &&
                   (!people[i].departure.held_slot || people[i].departure.slot_gone);
    return false;
}

/* Is the secret known to somebody for whom a replacement is to lie ready? */
static enum psn_code find_waiting(struct psn_vault *vault, const struct psn_item *item,
                                  bool *ret_waits, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    struct psn_exposure_list seen = { 0 };
    size_t count = 0;
    enum psn_code rc = psn_person_list(vault, &people, &count, err);

    if (!rc)
        rc = psn_exposure_list(vault, NULL, item->info.address, &seen, err);
    *ret_waits = false;
    for (size_t i = 0; !rc && i < seen.count && !*ret_waits; i++) {
        const struct psn_exposure *at = &seen.items[i];
        bool theirs = false;

        if (strcmp(at->label, item->info.label) != 0 || !at->in_force)
            continue;
        *ret_waits = is_shut_out(people, count, at->person);
        if (*ret_waits)
            rc = psn_handover_is_theirs(vault, item->client, at->address, at->label,
                                        at->person, &theirs, err);
        *ret_waits = *ret_waits && !theirs;
    }
    psn_exposure_list_release(&seen);
    return rc;
}

enum psn_code psn_departure_note_changeable(struct psn_vault *vault, const char *address,
                                            const char *label, struct psn_error *err)
{
    struct psn_item item = { 0 };
    bool waits = false;
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (!rc && !item.info.replacement && !item.info.unchangeable[0])
        rc = find_waiting(vault, &item, &waits, err);
    return !rc && waits ? psn_item_replace(vault, &item, err) : rc;
}

/* What is to be put in force is nothing that he has seen, whatever else he knows. */
static enum psn_code replace_seen(struct psn_vault *vault, const char *person,
                                  struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc = psn_exposure_list(vault, person, NULL, &seen, err);

    for (size_t i = 0; !rc && i < seen.count; i++) {
        struct psn_item item = { 0 };

        if (!seen.items[i].ready)
            continue;
        rc = psn_item_read(vault, seen.items[i].address, seen.items[i].label, &item, err);
        if (!rc && item.info.replacement == seen.items[i].version)
            rc = psn_item_replace(vault, &item, err);
    }
    psn_exposure_list_release(&seen);
    return rc;
}

/* What he called legitimate is for somebody else to judge. */
static enum psn_code judge_anew(struct psn_vault *vault, const char *person,
                                struct psn_access_row *row, struct psn_error *err)
{
    enum psn_code rc;

    if (row->access.state != PSN_ACCESS_KEPT ||
        strcmp(row->access.decided_by, person) != 0)
        return PSN_OK;
    row->access.state = PSN_ACCESS_OPEN;
    rc = psn_access_row_write(vault, row, err);
    return rc ? rc
              : psn_journal_note(vault, row->client,
                                 &(struct psn_note){ .event = "access.to-judge-anew",
                                                     .subject = row->access.finding.id,
                                                     .text = person },
                                 err);
}

static enum psn_code judge_all_anew(struct psn_vault *vault, const char *person,
                                    struct psn_error *err)
{
    struct psn_access_list list = { 0 };
    enum psn_code rc = psn_access_row_each(vault, NULL, psn_access_collect, &list, err);

    for (size_t i = 0; !rc && i < list.count; i++)
        rc = judge_anew(vault, person, &list.items[i], err);
    free(list.items);
    return rc ? rc : psn_item_judge_anew(vault, person, err);
}

/* What was made for somebody else who has a key of his, he reads as well. */
static enum psn_code expose_by_key(struct psn_vault *vault,
                                   const struct psn_person *person, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    size_t count = 0;
    enum psn_code rc = psn_person_list(vault, &people, &count, err);

    for (size_t i = 0; !rc && i < count; i++) {
        struct psn_exposure_list seen = { 0 };

        if (strcmp(people[i].id, person->id) == 0 ||
            !psn_person_shares_key(&people[i], person))
            continue;
        rc = psn_exposure_list(vault, people[i].id, NULL, &seen, err);
        for (size_t j = 0; !rc && j < seen.count; j++) {
            const struct psn_exposure *at = &seen.items[j];

            if (at->how == PSN_HOW_ISSUED && (at->in_force || at->ready))
                rc = psn_exposure_put_of(vault, person->id, at->address, at->label,
                                         at->version, PSN_HOW_ISSUED, err);
        }
        psn_exposure_list_release(&seen);
    }
    return rc;
}

/* As long as he can open the vault no replacement is made: he would read it. */
static enum psn_code begin_new(struct psn_vault *vault,
                               const struct psn_departure_request *request,
                               struct psn_person *person, struct psn_error *err)
{
    struct psn_scope scope = { 0 };
    struct psn_reach_map map = { 0 };
    bool holds_slot = false;
    enum psn_code rc = psn_reach_map_load(vault, &map, err);

    if (!rc)
        rc = psn_scope_had_slot(vault, person, &person->departure.held_slot, err);
    if (!rc)
        rc = psn_scope_now(vault, person, request->narrow, &scope, err);
    holds_slot = !rc && psn_reach_holds_slot(&map, person->id);
    person->departing_s = vault->world.now_s();
    person->departure.narrow = request->narrow;
    /* Lost before: nothing that was set since was within his reach. */
    person->departure.slot_gone = person->departure.held_slot && !holds_slot;
    person->departure.held_slot = person->departure.held_slot || holds_slot;
    memcpy(person->departure.by, vault->actor, sizeof person->departure.by);
    if (!rc)
        rc = psn_grant_end_all(vault, person->id, err);
    if (!rc && person->departure.held_slot && !request->narrow)
        rc = expose_reached(vault, person->id, &scope, err);
    if (!rc)
        rc = psn_scope_note(vault, person, &scope, true, err);
    if (!rc && holds_slot && request->narrow)
        rc = psn_scope_note_beginning(vault, person->id, err);
    if (!rc)
        rc = judge_all_anew(vault, person->id, err);
    /* Who could open the vault could read what was ready, and of a copy nobody knows. */
    if (!rc && !holds_slot)
        rc = make_ready(vault, person->id, &scope, person->departure.held_slot, err);
    psn_scope_release(&scope);
    psn_reach_map_release(&map);
    return rc;
}

/* What a narrow departure left out is added. */
static enum psn_code widen(struct psn_vault *vault, struct psn_person *person,
                           struct psn_error *err)
{
    struct psn_scope scope = { 0 };
    struct psn_reach_map map = { 0 };
    bool holds_slot = false;
    enum psn_code rc = psn_reach_map_load(vault, &map, err);

    if (!rc)
        rc = psn_scope_now(vault, person, false, &scope, err);
    holds_slot = !rc && psn_reach_holds_slot(&map, person->id);
    person->departure.narrow = false;
    if (!rc && person->departure.held_slot)
        rc = expose_reached(vault, person->id, &scope, err);
    if (!rc)
        rc = psn_scope_note(vault, person, &scope, true, err);
    if (!rc)
        rc = psn_journal_note(
            vault, NULL,
            &(struct psn_note){ .event = "departure.widened", .subject = person->id },
            err);
    if (!rc)
        rc = judge_all_anew(vault, person->id, err);
    if (!rc && !holds_slot)
        rc = make_ready(vault, person->id, &scope, person->departure.held_slot, err);
    psn_scope_release(&scope);
    psn_reach_map_release(&map);
    return rc;
}

/* To ask again is to look again. */
static enum psn_code reopen(struct psn_vault *vault, struct psn_person *person,
                            struct psn_error *err)
{
    person->departed_s = 0;
    return psn_journal_note(
        vault, NULL,
        &(struct psn_note){ .event = "departure.reopened", .subject = person->id }, err);
}

/* How it is to be done, told again; does that change anything? */
static bool take_wishes(const struct psn_departure_request *request,
                        struct psn_person *person)
{
    bool changes = request->all && !person->departure.all;

    if (request->all)
        person->departure.all = true;
    if (!request->folder || strcmp(request->folder, person->departure.folder) == 0)
        return changes;
    (void)snprintf(person->departure.folder, sizeof person->departure.folder, "%s",
                   request->folder);
    return true;
}

static enum psn_code begin(struct psn_vault *vault,
                           const struct psn_departure_request *request,
                           struct psn_error *err)
{
    struct psn_person person;
    uint64_t revision = 0;
    enum psn_code rc = psn_person_load(vault, request->person, &person, &revision, err);
    bool changes = false;

    if (!rc)
        rc = expose_by_key(vault, &person, err);
    if (rc)
        return rc;
    if (!person.departing_s) {
        rc = begin_new(vault, request, &person, err);
        changes = true;
    } else if (person.departure.narrow && !request->narrow) {
        rc = widen(vault, &person, err);
        changes = true;
    }
    if (!rc && (!person.departure.held_slot || person.departure.slot_gone))
        rc = replace_seen(vault, person.id, err);
    if (!rc && person.departed_s) {
        rc = reopen(vault, &person, err);
        changes = true;
    }
    changes |= take_wishes(request, &person);
    return rc || !changes ? rc : psn_person_store(vault, &person, revision + 1, err);
}

enum psn_code psn_departure_begin(struct psn_vault *vault,
                                  const struct psn_departure_request *request,
                                  struct psn_error *err)
{
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    if (!rc)
        rc = check_request(vault, request, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, begin(vault, request, err), err);
}

/* --- when his slot is gone --- */

static enum psn_code note_slot_gone(struct psn_vault *vault, const char *id,
                                    struct psn_error *err)
{
    struct psn_scope scope = { 0 };
    struct psn_person person;
    uint64_t revision = 0;
    enum psn_code rc = psn_person_load(vault, id, &person, &revision, err);

    if (rc)
        return rc;
    rc = psn_scope_lost(vault, &person, &scope, err);
    if (!rc)
        rc = expose_reached(vault, id, &scope, err);
    if (!rc)
        rc = psn_scope_note(vault, &person, &scope, false, err);
    if (!rc)
        rc = judge_all_anew(vault, id, err);
    psn_scope_release(&scope);
    /* Of all that he knows, of a narrow departure too: nothing was made ready so far. */
    if (!rc)
        rc = psn_scope_now(vault, &person, true, &scope, err);
    if (!rc)
        rc = make_ready(vault, id, &scope, true, err);
    if (!rc)
        rc = replace_seen(vault, id, err);
    person.departure.slot_gone = true;
    if (!rc)
        rc = psn_person_store(vault, &person, revision + 1, err);
    psn_scope_release(&scope);
    return rc;
}

enum psn_code psn_departure_note_slot_gone(struct psn_vault *vault, const char *person,
                                           struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, note_slot_gone(vault, person, err), err);
}

/* --- the report --- */

static enum psn_code note_reported(struct psn_vault *vault, const char *id,
                                   struct psn_error *err)
{
    struct psn_person person;
    uint64_t revision = 0;
    enum psn_code rc = psn_person_load(vault, id, &person, &revision, err);

    if (rc || !person.departure.report_due || !person.departed_s)
        return rc;
    person.departure.report_due = false;
    return psn_person_store(vault, &person, revision + 1, err);
}

enum psn_code psn_departure_reported(struct psn_vault *vault, const char *person,
                                     struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, note_reported(vault, person, err), err);
}
