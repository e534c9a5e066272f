#include "core/departure_returned.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/text.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/journal.h"
#include "core/person.h"

/*
 * Mailboxes that come back into the vault after they were removed. Their exposures went
 * with them; who was forgotten then stands in the vault's chain. There may be one too
 * many, whose password was changed before or in between, but never one too few.
 */

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
    (void)psn_text_copy(entry->text, to->person, sizeof to->person);
    return PSN_OK;
}

/* What is known to somebody who is leaving, or has left, his report is about. */
static enum psn_code note_target(struct psn_vault *vault, const char *id,
                                 const struct psn_role_row *role, struct psn_error *err)
{
    struct psn_error cause = { 0 };
    struct psn_person person;
    struct psn_target target = { .version = role->rotation.cur };
    struct psn_scope scope = { .targets = &target, .target_count = 1 };
    enum psn_code rc = psn_person_read(vault, id, &person, &cause);

    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    if (rc) {
        if (err)
            *err = cause;
        return rc;
    }
    if (!person.departing_s)
        return PSN_OK;
    memcpy(target.client, role->client, sizeof target.client);
    memcpy(target.address, role->address, sizeof target.address);
    return psn_scope_note(vault, &person, &scope, false, err);
}

static bool is_first(const struct psn_forgotten_list *list, const char *address,
                     const char *client, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(list->items[i].person, list->items[at].person) == 0 &&
            (strcmp(list->items[i].name, address) == 0 ||
             strcmp(list->items[i].name, client) == 0))
            return false;
    return true;
}

enum psn_code psn_departure_note_returned(struct psn_vault *vault,
                                          const struct psn_role_row *role,
                                          struct psn_forgotten_list *list,
                                          struct psn_error *err)
{
    enum psn_code rc =
        list->is_read ? PSN_OK : psn_journal_walk(vault, NULL, add, list, err);

    list->is_read = true;
    for (size_t i = 0; !rc && i < list->count; i++) {
        const struct psn_forgotten *at = &list->items[i];

        if ((strcmp(at->name, role->address) != 0 &&
             strcmp(at->name, role->client) != 0) ||
            strcmp(at->person, vault->actor) == 0 ||
            !is_first(list, role->address, role->client, i))
            continue;
        rc = psn_exposure_put_of(vault, at->person, role->address, "", role->rotation.cur,
                                 PSN_HOW_RETURNED, err);
        if (!rc)
            rc = note_target(vault, at->person, role, err);
    }
    return rc;
}
