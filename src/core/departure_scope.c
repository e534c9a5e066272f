#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"

/*
 * What a departure is about: the secrets that somebody could read when he left, and the
 * clients that he had to do with. It is found once, and written into the journal: later,
 * when all is replaced, nothing else tells it any more.
 */
#define SEEN    "seen"
#define REACHED "reached"

/* What lay in the vault when a narrow departure of who can open it began. */
#define AT_BEGINNING "departure.present"

void psn_scope_release(struct psn_scope *scope)
{
    free(scope->targets);
    free(scope->clients);
    free(scope->forgotten);
    free(scope->beside);
    *scope = (struct psn_scope){ 0 };
}

static enum psn_code add_client(struct psn_scope *scope, const char *client,
                                struct psn_error *err)
{
    enum psn_code rc;

    for (size_t i = 0; i < scope->client_count; i++)
        if (strcmp(scope->clients[i], client) == 0)
            return PSN_OK;
    rc = PSN_GROW(scope->clients, scope->client_count, err);
    if (!rc)
        (void)snprintf(scope->clients[scope->client_count++], PSN_CLIENT_ID_MAX, "%s",
                       client);
    return rc;
}

static enum psn_code add_target(struct psn_scope *scope, const struct psn_target *target,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_GROW(scope->targets, scope->target_count, err);

    if (rc)
        return rc;
    scope->targets[scope->target_count++] = *target;
    return add_client(scope, target->client, err);
}

static int compare_targets(const void *a, const void *b)
{
    const struct psn_target *left = a;
    const struct psn_target *right = b;
    int order = strcmp(left->client, right->client);

    if (!order)
        order = strcmp(left->address, right->address);
    if (!order)
        order = strcmp(left->label, right->label);
    return order ? order : right->seen - left->seen;
}

static bool is_same_secret(const struct psn_target *a, const struct psn_target *b)
{
    return strcmp(a->address, b->address) == 0 && strcmp(a->label, b->label) == 0;
}

/* One for each secret: the newest version, and seen if any was. */
static void unite(struct psn_scope *scope)
{
    size_t kept = 0;

    if (scope->target_count > 1)
        qsort(scope->targets, scope->target_count, sizeof *scope->targets,
              compare_targets);
    for (size_t i = 0; i < scope->target_count; i++) {
        const struct psn_target *at = &scope->targets[i];
        struct psn_target *last = kept ? &scope->targets[kept - 1] : NULL;

        if (!last || !is_same_secret(last, at))
            scope->targets[kept++] = *at;
        else if (at->version > last->version)
            last->version = at->version;
    }
    scope->target_count = kept;
}

static struct psn_target target_of(const char *client, const char *address,
                                   const char *label, uint64_t version, bool seen)
{
    struct psn_target target = { .version = version, .seen = seen };

    (void)snprintf(target.client, sizeof target.client, "%s", client);
    (void)snprintf(target.address, sizeof target.address, "%s", address);
    (void)snprintf(target.label, sizeof target.label, "%s", label);
    return target;
}

/* --- what it is now --- */

static enum psn_code add_seen(struct psn_vault *vault, const char *person,
                              struct psn_scope *scope, struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc = psn_exposure_list(vault, person, NULL, &seen, err);

    for (size_t i = 0; !rc && i < seen.count; i++) {
        const struct psn_exposure *at = &seen.items[i];
        struct psn_target target =
            target_of(at->client, at->address, at->label, at->version, true);

        if (at->in_force)
            rc = add_target(scope, &target, err);
    }
    psn_exposure_list_release(&seen);
    return rc;
}

struct reaching {
    struct psn_vault *vault;
    struct psn_scope *scope;
    const struct psn_scope *since; /* not what lay there then already; or NULL */
    const struct psn_scope *until; /* only what lay there then; or NULL */
    bool ready; /* replacements that are ready count as the newest version */
    const struct psn_role_row *role;
};

static const struct psn_target *find_target(const struct psn_scope *scope,
                                            const struct psn_target *target)
{
    return scope && scope->target_count
               ? bsearch(target, scope->targets, scope->target_count,
                         sizeof *scope->targets, compare_targets)
               : NULL;
}

/* Versions only grow, whatever the clock says of their days. */
static bool is_within(const struct reaching *reaching, const struct psn_target *target,
                      uint64_t version)
{
    const struct psn_target *since = find_target(reaching->since, target);
    const struct psn_target *until = find_target(reaching->until, target);

    return version && (!since || version > since->version) &&
           (!reaching->until || (until && version <= until->version));
}

static enum psn_code add_item(void *arg, const struct psn_secret_info *info,
                              struct psn_error *err)
{
    struct reaching *reaching = arg;
    struct psn_target target = target_of(reaching->role->client, info->address,
                                         info->label, info->version, false);

    if (reaching->ready && info->replacement > target.version)
        target.version = info->replacement;
    return is_within(reaching, &target, target.version)
               ? add_target(reaching->scope, &target, err)
               : PSN_OK;
}

/* The newest of the versions that are in force, or may be. */
static enum psn_code add_role(void *arg, const struct psn_role_row *role,
                              struct psn_error *err)
{
    struct reaching *reaching = arg;
    const struct psn_rotation_state *rotation = &role->rotation;
    uint64_t first = psn_rotation_undead(rotation);
    uint64_t last = rotation->pend > rotation->cur ? rotation->pend : rotation->cur;
    struct psn_target target = target_of(role->client, role->address, "", 0, false);
    enum psn_code rc = PSN_OK;

    reaching->role = role;
    if (first == 0)
        first = rotation->cur ? rotation->cur : rotation->pend;
    for (uint64_t version = first; version && version <= last; version++)
        if (psn_rotation_in_force(rotation, version) &&
            is_within(reaching, &target, version))
            target.version = version;
    if (target.version)
        rc = add_target(reaching->scope, &target, err);
    return rc ? rc
              : psn_item_each_all(reaching->vault, role->address, add_item, arg, err);
}

static enum psn_code add_all_clients(void *arg, const char *client, struct psn_error *err)
{
    return add_client(arg, client, err);
}

/* Whoever opens the vault could read all that is in it. */
static enum psn_code add_reached(struct reaching *reaching, struct psn_error *err)
{
    enum psn_code rc = psn_role_scan(reaching->vault, NULL, 0, add_role, reaching, err);

    return rc ? rc
              : psn_client_ids(reaching->vault, add_all_clients, reaching->scope, err);
}

/* --- what lay there then --- */

static enum psn_code note_reach(struct psn_vault *vault, const char *event,
                                const char *person, struct psn_error *err)
{
    struct psn_scope scope = { 0 };
    struct reaching reaching = { .vault = vault, .scope = &scope, .ready = true };
    enum psn_code rc = add_reached(&reaching, err);

    if (!rc)
        rc = psn_journal_note(
            vault, NULL, &(struct psn_note){ .event = event, .subject = person }, err);
    for (size_t i = 0; !rc && i < scope.target_count; i++) {
        const struct psn_target *target = &scope.targets[i];

        rc = psn_journal_note(vault, target->client,
                              &(struct psn_note){ .event = event,
                                                  .subject = target->address,
                                                  .label = target->label,
                                                  .version = target->version,
                                                  .text = person },
                              err);
    }
    psn_scope_release(&scope);
    return rc;
}

enum psn_code psn_scope_note_loss(struct psn_vault *vault, const char *person,
                                  struct psn_error *err)
{
    return note_reach(vault, PSN_EVENT_REACHED, person, err);
}

enum psn_code psn_scope_note_beginning(struct psn_vault *vault, const char *person,
                                       struct psn_error *err)
{
    return note_reach(vault, AT_BEGINNING, person, err);
}

struct noted {
    struct psn_vault *vault;
    const char *event;
    const char *person;
    bool is_noted;
    struct psn_scope scope;
};

static enum psn_code read_noted(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct noted *noted = arg;
    struct psn_target target;

    if (strcmp(entry->event, noted->event) != 0)
        return PSN_OK;
    if (!entry->chain[0]) {
        noted->is_noted = noted->is_noted || strcmp(entry->subject, noted->person) == 0;
        return PSN_OK;
    }
    if (strcmp(entry->text, noted->person) != 0)
        return PSN_OK;
    target = target_of(entry->chain, entry->subject, entry->label, entry->version, false);
    return add_target(&noted->scope, &target, err);
}

static enum psn_code read_chain(void *arg, const char *client, struct psn_error *err)
{
    struct noted *noted = arg;

    return psn_journal_walk(noted->vault, client, read_noted, noted, err);
}

/* Of several times the newest version of each; *ret_noted NULL if an earlier program has
 * noted nothing. */
static enum psn_code load_noted(struct noted *noted, const struct psn_scope **ret_noted,
                                struct psn_error *err)
{
    enum psn_code rc = read_chain(noted, NULL, err);

    if (!rc && noted->is_noted)
        rc = psn_client_ids(noted->vault, read_chain, noted, err);
    unite(&noted->scope);
    *ret_noted = noted->is_noted ? &noted->scope : NULL;
    return rc;
}

static enum psn_code find_removed(void *arg, const struct psn_journal_entry *entry,
                                  struct psn_error *err)
{
    struct noted *noted = arg;

    (void)err;
    noted->is_noted = noted->is_noted || (strcmp(entry->event, noted->event) == 0 &&
                                          strcmp(entry->subject, noted->person) == 0);
    return PSN_OK;
}

/* An earlier program left no mark on somebody whose slot was taken away. */
enum psn_code psn_scope_had_slot(struct psn_vault *vault, const struct psn_person *person,
                                 bool *ret_had, struct psn_error *err)
{
    struct noted removed = { .event = "slot.removed", .person = person->id };
    enum psn_code rc = PSN_OK;

    if (!person->departure.held_slot)
        rc = psn_journal_walk(vault, NULL, find_removed, &removed, err);
    *ret_had = person->departure.held_slot || removed.is_noted;
    return rc;
}

/* What somebody could read until his slot went; what was never noted counts. */
static enum psn_code add_lost(struct psn_vault *vault, const char *person, bool late,
                              struct psn_scope *scope, struct psn_error *err)
{
    struct noted beginning = { vault, AT_BEGINNING, person, false, { 0 } };
    struct noted loss = { vault, PSN_EVENT_REACHED, person, false, { 0 } };
    struct reaching reaching = { .vault = vault, .scope = scope };
    enum psn_code rc = load_noted(&loss, &reaching.until, err);

    if (!rc && late)
        rc = load_noted(&beginning, &reaching.since, err);
    if (!rc)
        rc = add_reached(&reaching, err);
    psn_scope_release(&loss.scope);
    psn_scope_release(&beginning.scope);
    return rc;
}

enum psn_code psn_scope_lost(struct psn_vault *vault, const struct psn_person *person,
                             struct psn_scope *ret_scope, struct psn_error *err)
{
    struct psn_scope scope = { 0 };
    enum psn_code rc = add_lost(vault, person->id, person->departure.narrow, &scope, err);

    if (rc) {
        psn_scope_release(&scope);
        return rc;
    }
    unite(&scope);
    *ret_scope = scope;
    return PSN_OK;
}

/* --- the clients --- */

static enum psn_code add_granted(struct psn_vault *vault, const char *person,
                                 struct psn_scope *scope, struct psn_error *err)
{
    struct psn_grant_list grants = { 0 };
    enum psn_code rc = psn_grant_list(vault, person, &grants, err);

    for (size_t i = 0; !rc && i < grants.count; i++)
        rc = add_client(scope, grants.items[i].client, err);
    psn_grant_list_release(&grants);
    return rc;
}

struct owning {
    const struct psn_person *person;
    struct psn_scope *scope;
};

struct linked {
    struct psn_vault *vault;
    struct psn_scope *scope;
};

static enum psn_code add_owned(void *arg, const struct psn_access_row *row,
                               struct psn_error *err)
{
    struct owning *owning = arg;

    return row->access.state != PSN_ACCESS_GONE &&
                   psn_access_is_his(owning->person, &row->access)
               ? add_client(owning->scope, row->client, err)
               : PSN_OK;
}

static enum psn_code add_linked(void *arg, const char *client, struct psn_error *err)
{
    struct linked *linked = arg;
    struct psn_client known = psn_client_init();
    enum psn_code rc = psn_client_read(linked->vault, client, &known, err);

    if (!rc && known.linked)
        rc = add_client(linked->scope, client, err);
    psn_client_release(&known);
    return rc;
}

enum psn_code psn_scope_add_owned(struct psn_vault *vault,
                                  const struct psn_person *person,
                                  struct psn_scope *scope, struct psn_error *err)
{
    struct owning owning = { person, scope };
    struct linked linked = { vault, scope };
    enum psn_code rc = psn_access_row_each(vault, NULL, add_owned, &owning, err);

    return rc || (!person->email[0] && person->alias_count == 0 &&
                  !person->departure.held_slot)
               ? rc
               : psn_client_ids(vault, add_linked, &linked, err);
}

enum psn_code psn_scope_now(struct psn_vault *vault, const struct psn_person *person,
                            bool narrow, struct psn_scope *ret_scope,
                            struct psn_error *err)
{
    struct psn_scope scope = { 0 };
    struct reaching all = { .vault = vault, .scope = &scope };
    struct psn_reach_map map = { 0 };
    bool had_slot = false;
    enum psn_code rc = psn_reach_map_load(vault, &map, err);

    if (!rc)
        rc = psn_scope_had_slot(vault, person, &had_slot, err);
    if (!rc)
        rc = add_seen(vault, person->id, &scope, err);
    if (!rc && !narrow && psn_reach_holds_slot(&map, person->id))
        rc = add_reached(&all, err);
    else if (!rc && !narrow && had_slot)
        rc = add_lost(vault, person->id, false, &scope, err);
    if (!rc)
        rc = add_granted(vault, person->id, &scope, err);
    if (!rc)
        rc = psn_scope_add_owned(vault, person, &scope, err);
    psn_reach_map_release(&map);
    if (rc) {
        psn_scope_release(&scope);
        return rc;
    }
    unite(&scope);
    *ret_scope = scope;
    return PSN_OK;
}

/* --- in the journal --- */

static enum psn_code note_client(struct psn_vault *vault, const char *client,
                                 const char *person, struct psn_error *err)
{
    return psn_journal_note(
        vault, client,
        &(struct psn_note){ .event = "departure.began", .subject = person }, err);
}

static enum psn_code note_target(struct psn_vault *vault, const char *person,
                                 const struct psn_target *target, struct psn_error *err)
{
    char text[PSN_PERSON_ID_MAX + sizeof REACHED + 1];

    (void)snprintf(text, sizeof text, "%s %s", person, target->seen ? SEEN : REACHED);
    return psn_journal_note(vault, target->client,
                            &(struct psn_note){ .event = "departure.exposed",
                                                .subject = target->address,
                                                .label = target->label,
                                                .version = target->version,
                                                .text = text },
                            err);
}

enum psn_code psn_scope_note(struct psn_vault *vault, const struct psn_person *person,
                             const struct psn_scope *scope, bool clients,
                             struct psn_error *err)
{
    enum psn_code rc = clients ? note_client(vault, NULL, person->id, err) : PSN_OK;

    for (size_t i = 0; !rc && clients && i < scope->client_count; i++)
        rc = note_client(vault, scope->clients[i], person->id, err);
    for (size_t i = 0; !rc && i < scope->target_count; i++)
        rc = note_target(vault, person->id, &scope->targets[i], err);
    return rc;
}

struct reading {
    const struct psn_person *person;
    struct psn_scope *scope;
    char chain[PSN_CLIENT_ID_MAX];
    bool began; /* in this chain */
};

/* Of an earlier departure of somebody of the same id, who was removed since? What stands
 * behind the beginning in a chain is of this one, whatever clock has dated it. */
static bool is_earlier(struct reading *reading, const struct psn_journal_entry *entry)
{
    if (strcmp(reading->chain, entry->chain) != 0) {
        (void)snprintf(reading->chain, sizeof reading->chain, "%s", entry->chain);
        reading->began = false;
    }
    if (entry->time_s >= reading->person->departing_s &&
        strcmp(entry->event, "departure.began") == 0 &&
        strcmp(entry->subject, reading->person->id) == 0)
        reading->began = true;
    return !reading->began && entry->time_s < reading->person->departing_s;
}

static enum psn_code read_entry(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct reading *reading = arg;
    const char *id = reading->person->id;
    size_t size = strlen(id);
    struct psn_target target;

    if (!entry->chain[0])
        return psn_scope_add_forgotten(reading->scope, id, entry, err);
    if (is_earlier(reading, entry))
        return PSN_OK;
    if (strcmp(entry->event, "departure.began") == 0 && strcmp(entry->subject, id) == 0)
        return add_client(reading->scope, entry->chain, err);
    if (strcmp(entry->event, "departure.exposed") != 0 ||
        strncmp(entry->text, id, size) != 0 || entry->text[size] != ' ')
        return PSN_OK;
    target = target_of(entry->chain, entry->subject, entry->label, entry->version,
                       strcmp(entry->text + size + 1, SEEN) == 0);
    return add_target(reading->scope, &target, err);
}

static enum psn_code read_began(struct psn_vault *vault, const char *client,
                                struct reading *reading, struct psn_error *err)
{
    return client ? psn_journal_walk(vault, client, read_entry, reading, err)
                  : psn_journal_each(vault, NULL, 0, read_entry, reading, err);
}

/* client NULL: of all, outside a transaction. */
static enum psn_code began(struct psn_vault *vault, const char *client,
                           const struct psn_person *person, struct psn_scope *ret_scope,
                           struct psn_error *err)
{
    struct psn_scope scope = { 0 };
    struct reading reading = { .person = person, .scope = &scope };
    enum psn_code rc = read_began(vault, client, &reading, err);

    if (rc) {
        psn_scope_release(&scope);
        return rc;
    }
    unite(&scope);
    *ret_scope = scope;
    return PSN_OK;
}

enum psn_code psn_scope_of(struct psn_vault *vault, const struct psn_person *person,
                           struct psn_scope *ret_scope, struct psn_error *err)
{
    enum psn_code rc = began(vault, NULL, person, ret_scope, err);

    if (!rc)
        psn_scope_drop_returned(vault, ret_scope);
    return rc;
}

enum psn_code psn_scope_began(struct psn_vault *vault, const char *client,
                              const struct psn_person *person,
                              struct psn_scope *ret_scope, struct psn_error *err)
{
    return began(vault, client, person, ret_scope, err);
}

bool psn_scope_has_password(const struct psn_scope *scope, const char *address)
{
    for (size_t i = 0; i < scope->target_count; i++)
        if (!scope->targets[i].label[0] &&
            strcmp(scope->targets[i].address, address) == 0)
            return true;
    return false;
}
