#include "core/departure_returned.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/grow.h"
#include "base/text.h"
#include "core/counters.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/person.h"

/*
 * Who was forgotten (departure_forgotten.c), read back from the vault's chain: when
 * mailboxes come back, or what else hung on them, since their exposures went with them;
 * and for the report of whoever leaves. There may be one too many, whose password was
 * changed before or in between, but never one too few.
 */

/* --- what comes back --- */

void psn_forgotten_list_release(struct psn_forgotten_list *list)
{
    free(list->items);
    *list = (struct psn_forgotten_list){ 0 };
}

static enum psn_code add(void *arg, const struct psn_journal_entry *entry,
                         struct psn_error *err)
{
    struct psn_forgotten_list *list = arg;
    struct psn_forgotten *to;
    enum psn_code rc;

    if (strcmp(entry->event, PSN_EVENT_ROLE_FORGOTTEN) != 0 &&
        strcmp(entry->event, PSN_EVENT_CLIENT_FORGOTTEN) != 0 &&
        strcmp(entry->event, PSN_EVENT_KNOWN_BEFORE) != 0)
        return PSN_OK;
    rc = PSN_GROW(list->items, list->count, err);
    if (rc)
        return rc;
    to = &list->items[list->count++];
    (void)psn_text_copy(entry->subject, to->name, sizeof to->name);
    (void)psn_text_copy(entry->label, to->label, sizeof to->label);
    (void)psn_text_copy(entry->text, to->person, sizeof to->person);
    return PSN_OK;
}

/* A label is typed anew when it comes back: "iban" is "IBAN". */
static int compare_names(const struct psn_forgotten *a, const struct psn_forgotten *b)
{
    int order = strcmp(a->name, b->name);

    return order ? order : strcasecmp(a->label, b->label);
}

static int compare(const void *a, const void *b)
{
    const struct psn_forgotten *left = a;
    const struct psn_forgotten *right = b;
    int order = compare_names(left, right);

    return order ? order : strcmp(left->person, right->person);
}

static enum psn_code load(struct psn_vault *vault, struct psn_forgotten_list *list,
                          struct psn_error *err)
{
    enum psn_code rc =
        list->is_read ? PSN_OK : psn_journal_walk(vault, NULL, add, list, err);

    if (!list->is_read && list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare);
    list->is_read = true;
    return rc;
}

/* A label was forgotten only where versions were spent with it: where none ever were, no
 * journal is walked, since it is long, and adds are many. (Of passwords, programs from
 * before they were counted have noted who was forgotten, too.) */
static enum psn_code load_labels(struct psn_vault *vault, struct psn_forgotten_list *list,
                                 struct psn_error *err)
{
    uint64_t spent = 0;
    enum psn_code rc = PSN_OK;

    if (!list->is_read && !list->has_no_labels)
        rc = psn_versions_spent(vault, &spent, err);
    if (rc || list->is_read || list->has_no_labels)
        return rc;
    list->has_no_labels = spent == 0;
    return spent ? load(vault, list, err) : PSN_OK;
}

/* What is known to somebody who is leaving, or has left, his report is about. */
static enum psn_code note_target(struct psn_vault *vault, const char *id,
                                 struct psn_target *target, struct psn_error *err)
{
    struct psn_error cause = { 0 };
    struct psn_person person;
    struct psn_scope scope = { .targets = target, .target_count = 1 };
    enum psn_code rc = psn_person_read(vault, id, &person, &cause);

    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    if (rc) {
        if (err)
            *err = cause;
        return rc;
    }
    return person.departing_s ? psn_scope_note(vault, &person, &scope, false, err)
                              : PSN_OK;
}

static enum psn_code note_known(struct psn_vault *vault, const char *person,
                                struct psn_target *target, struct psn_error *err)
{
    enum psn_code rc = psn_exposure_put_of(vault, person, target->address, target->label,
                                           target->version, PSN_HOW_RETURNED, err);

    return rc ? rc : note_target(vault, person, target, err);
}

/* The first that is not before it. */
static size_t lower_bound(const struct psn_forgotten_list *list,
                          const struct psn_forgotten *wanted)
{
    size_t low = 0;
    size_t high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&list->items[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Everybody who was forgotten under the name. */
static enum psn_code note_name(struct psn_vault *vault,
                               const struct psn_forgotten_list *list, const char *name,
                               struct psn_target *target, struct psn_error *err)
{
    struct psn_forgotten wanted = { 0 };
    const char *last = "";
    enum psn_code rc = PSN_OK;

    (void)psn_text_copy(name, wanted.name, sizeof wanted.name);
    (void)psn_text_copy(target->label, wanted.label, sizeof wanted.label);
    for (size_t i = lower_bound(list, &wanted);
         !rc && i < list->count && compare_names(&list->items[i], &wanted) == 0; i++) {
        const char *person = list->items[i].person;

        if (strcmp(person, last) != 0 && strcmp(person, vault->actor) != 0)
            rc = note_known(vault, person, target, err);
        last = person;
    }
    return rc;
}

static struct psn_target target_of(const char *client, const char *address,
                                   const char *label, uint64_t version)
{
    struct psn_target target = { .version = version };

    (void)psn_text_copy(client, target.client, sizeof target.client);
    (void)psn_text_copy(address, target.address, sizeof target.address);
    (void)psn_text_copy(label, target.label, sizeof target.label);
    return target;
}

/* A client that is removed is noted by its id and by its domains. */
enum psn_code psn_departure_note_returned(struct psn_vault *vault,
                                          const struct psn_role_row *role,
                                          struct psn_forgotten_list *list,
                                          struct psn_error *err)
{
    struct psn_target target =
        target_of(role->client, role->address, "", role->rotation.cur);
    const char *const names[] = { role->address, role->client,
                                  strchr(role->address, '@') };
    enum psn_code rc = load(vault, list, err);

    for (size_t i = 0; !rc && i < sizeof names / sizeof *names; i++)
        rc = note_name(vault, list, names[i], &target, err);
    return rc;
}

enum psn_code psn_departure_note_item_returned(struct psn_vault *vault,
                                               const struct psn_item *item,
                                               struct psn_forgotten_list *list,
                                               struct psn_error *err)
{
    const struct psn_secret_info *info = &item->info;
    struct psn_target target =
        target_of(item->client, info->address, info->label, info->version);
    enum psn_code rc = load_labels(vault, list, err);

    return rc ? rc : note_name(vault, list, info->address, &target, err);
}

/* --- what the report of a departure tells --- */

static enum psn_code add_removed(struct psn_scope *scope, const char *name,
                                 const char *why, struct psn_error *err)
{
    struct psn_departure_removed *to;
    enum psn_code rc;

    for (size_t i = 0; i < scope->forgotten_count; i++)
        if (strcmp(scope->forgotten[i].name, name) == 0) {
            if (why[0])
                (void)psn_text_copy(why, scope->forgotten[i].unchanged,
                                    sizeof scope->forgotten[i].unchanged);
            return PSN_OK;
        }
    rc = PSN_GROW(scope->forgotten, scope->forgotten_count, err);
    if (rc)
        return rc;
    to = &scope->forgotten[scope->forgotten_count++];
    (void)psn_text_copy(name, to->name, sizeof to->name);
    (void)psn_text_copy(why, to->unchanged, sizeof to->unchanged);
    return PSN_OK;
}

/* Why a mailbox was not changed stands before those who knew it, and is about them
 * alone. */
static void keep_why(struct psn_scope *scope, const struct psn_journal_entry *entry)
{
    struct psn_departure_removed *given_up = &scope->given_up;

    if (strcmp(entry->event, PSN_EVENT_ROLE_UNCHANGED) == 0) {
        (void)psn_text_copy(entry->subject, given_up->name, sizeof given_up->name);
        (void)psn_text_copy(entry->text, given_up->unchanged, sizeof given_up->unchanged);
    } else if (strcmp(entry->event, PSN_EVENT_ROLE_FORGOTTEN) != 0 ||
               strcmp(entry->subject, given_up->name) != 0) {
        *given_up = (struct psn_departure_removed){ 0 };
    }
}

/* What else of a mailbox he could read: its label stands behind the mailbox's note. */
static enum psn_code add_beside(struct psn_scope *scope,
                                const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct psn_target *to;
    enum psn_code rc = PSN_GROW(scope->beside, scope->beside_count, err);

    if (rc)
        return rc;
    to = &scope->beside[scope->beside_count++];
    *to = (struct psn_target){ 0 };
    (void)psn_text_copy(entry->subject, to->address, sizeof to->address);
    (void)psn_text_copy(entry->label, to->label, sizeof to->label);
    return PSN_OK;
}

/* What was removed before he began to leave works no less; but somebody of the same id
 * who was removed himself was another one. */
enum psn_code psn_scope_add_forgotten(struct psn_scope *scope, const char *id,
                                      const struct psn_journal_entry *entry,
                                      struct psn_error *err)
{
    keep_why(scope, entry);
    if (strcmp(entry->event, "person.removed") == 0 && strcmp(entry->subject, id) == 0)
        scope->forgotten_count = scope->beside_count = 0;
    if (strcmp(entry->event, PSN_EVENT_KNOWN_BEFORE) == 0 && entry->label[0] &&
        strcmp(entry->text, id) == 0)
        return add_beside(scope, entry, err);
    if ((strcmp(entry->event, PSN_EVENT_CLIENT_FORGOTTEN) != 0 &&
         strcmp(entry->event, PSN_EVENT_ROLE_FORGOTTEN) != 0) ||
        strcmp(entry->text, id) != 0)
        return PSN_OK;
    return add_removed(scope, entry->subject, scope->given_up.unchanged, err);
}

/* Is all that he knew of it besides its password in the vault again? Whether the rest
 * works, nobody knows. */
static bool is_whole(struct psn_vault *vault, const struct psn_scope *scope,
                     const char *address)
{
    struct psn_secret_info info;

    for (size_t i = 0; i < scope->beside_count; i++)
        if (strcmp(scope->beside[i].address, address) == 0 &&
            psn_secret_get(vault, address, scope->beside[i].label, &info, NULL) != PSN_OK)
            return false;
    return true;
}

void psn_scope_drop_returned(struct psn_vault *vault, struct psn_scope *scope)
{
    size_t kept = 0;

    for (size_t i = 0; i < scope->forgotten_count; i++) {
        const struct psn_departure_removed *at = &scope->forgotten[i];
        struct psn_role role;

        if (!psn_scope_has_password(scope, at->name) ||
            psn_role_get(vault, at->name, &role, NULL) != PSN_OK ||
            !is_whole(vault, scope, at->name))
            scope->forgotten[kept++] = *at;
    }
    scope->forgotten_count = kept;
}
