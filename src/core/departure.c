#include "core/departure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/client.h"
#include "core/credential_due.h"
#include "core/exposure.h"
#include "core/grant.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/reach.h"

/*
 * The beginning of a departure, and how it stands. Its facts lie in the person's row,
 * what he could read in the journal (departure_scope.c); how far it is, is never noted
 * but read from the secrets and accesses themselves.
 */

/* --- how it stands --- */

static enum psn_code fail_staying(const char *person, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("'%s' is not leaving"), person);
    return psn_hint(err, PSN_E_NOT_FOUND, _("begin it: passation depart %s"), person);
}

/* One line for each secret, of all the versions and ways in which he knows it. */
static void count_secrets(const struct psn_exposure_list *seen,
                          struct psn_departure *departure)
{
    const struct psn_exposure *last = NULL;
    bool live = false;
    bool dying = false;

    for (size_t i = 0; i <= seen->count; i++) {
        const struct psn_exposure *at = i < seen->count ? &seen->items[i] : NULL;

        if (last && (!at || strcmp(at->address, last->address) != 0 ||
                     strcmp(at->label, last->label) != 0)) {
            departure->tasks += live && last->label[0];
            departure->rotate += live && !last->label[0];
            departure->unproved += dying;
            live = dying = false;
        }
        if (at) {
            live = live || (at->in_force && !at->dying);
            dying = dying || at->dying;
        }
        last = at;
    }
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
    if (!rc) {
        count_secrets(&seen, departure);
        departure->holds_slot = psn_reach_holds_slot(&map, person->id);
        rc = psn_access_row_each(vault, NULL, count_access, &counting, err);
    }
    if (!rc && departure->held_slot)
        rc = psn_due_credential_list(vault, count_key, departure, err);
    psn_reach_map_release(&map);
    psn_exposure_list_release(&seen);
    return rc;
}

enum psn_code psn_departure_read(struct psn_vault *vault, const char *person,
                                 struct psn_departure *ret_departure,
                                 struct psn_error *err)
{
    struct psn_person row;
    enum psn_code rc = psn_person_read(vault, person, &row, err);

    if (!rc && !row.departing_s)
        rc = fail_staying(person, err);
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
        if (!people[i].departing_s || people[i].departed_s)
            continue;
        rc = psn_departure_get(vault, people[i].id, &departure, err);
        if (!rc)
            rc = each(arg, &departure, err);
    }
    return rc;
}

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

/* All that a slot-holder could read counts as known to him, whether he looked or not. */
static enum psn_code expose_reached(struct psn_vault *vault, const char *person,
                                    const struct psn_scope *scope, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < scope->target_count; i++) {
        const struct psn_target *target = &scope->targets[i];

        if (!target->seen)
            rc = psn_exposure_put_of(vault, person, target->address, target->label,
                                     target->version, PSN_HOW_REACHED, err);
    }
    return rc;
}

/* A replacement that is ready to be pasted, unless he has seen that, too. */
static enum psn_code make_ready(struct psn_vault *vault, const struct psn_scope *scope,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < scope->target_count; i++) {
        const struct psn_target *target = &scope->targets[i];
        struct psn_item item = { 0 };

        if (!target->label[0])
            continue;
        rc = psn_item_read(vault, target->address, target->label, &item, err);
        if (!rc && (!item.info.replacement || item.info.replacement <= target->version))
            rc = psn_item_replace(vault, &item, err);
    }
    return rc;
}

static enum psn_code begin_new(struct psn_vault *vault,
                               const struct psn_departure_request *request,
                               struct psn_person *person, struct psn_error *err)
{
    struct psn_scope scope = { 0 };
    struct psn_reach_map map = { 0 };
    enum psn_code rc = psn_reach_map_load(vault, &map, err);

    if (!rc)
        rc = psn_scope_now(vault, person, request->narrow, &scope, err);
    person->departing_s = vault->world.now_s();
    person->departure.narrow = request->narrow;
    person->departure.held_slot = !rc && psn_reach_holds_slot(&map, person->id);
    memcpy(person->departure.by, vault->actor, sizeof person->departure.by);
    if (!rc)
        rc = psn_grant_end_all(vault, person->id, err);
    if (!rc)
        rc = expose_reached(vault, person->id, &scope, err);
    if (!rc)
        rc = psn_scope_note(vault, person, &scope, true, err);
    if (!rc)
        rc = make_ready(vault, &scope, err);
    psn_scope_release(&scope);
    psn_reach_map_release(&map);
    return rc;
}

static enum psn_code begin(struct psn_vault *vault,
                           const struct psn_departure_request *request,
                           struct psn_error *err)
{
    struct psn_person person;
    uint64_t revision = 0;
    enum psn_code rc = psn_person_load(vault, request->person, &person, &revision, err);
    bool changes = false;

    if (rc)
        return rc;
    if (!person.departing_s) {
        rc = begin_new(vault, request, &person, err);
        changes = true;
    }
    /* To ask again is to look again. */
    if (!rc && person.departed_s) {
        person.departed_s = 0;
        changes = true;
        rc = psn_journal_note(
            vault, NULL,
            &(struct psn_note){ .event = "departure.reopened", .subject = person.id },
            err);
    }
    if (request->all && !person.departure.all)
        person.departure.all = changes = true;
    if (request->folder && strcmp(request->folder, person.departure.folder) != 0) {
        (void)snprintf(person.departure.folder, sizeof person.departure.folder, "%s",
                       request->folder);
        changes = true;
    }
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
    /* What was set in the very second was there before, as a rule. */
    int64_t since_s = person.departure.narrow ? person.departing_s + 1 : 0;

    if (!rc)
        rc = psn_scope_reached(vault, since_s, &scope, err);
    if (!rc)
        rc = expose_reached(vault, id, &scope, err);
    if (!rc)
        rc = psn_scope_note(vault, &person, &scope, false, err);
    if (!rc)
        rc = make_ready(vault, &scope, err);
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
