#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"

/*
 * Clients and mailboxes that leave the vault, and with them who knows what of them. What
 * somebody who is leaving knows stays until it is replaced; of what goes before, or goes
 * all the same, the report of a departure tells that nobody knows whether it works; and
 * of what is given up, since nobody can change it any more, why it was not changed.
 */

enum {
    ADDRESSES_MAX = 64 * 1024 * 1024,
};

/* --- what must not be forgotten meanwhile --- */

static const struct psn_person *find_leaver(const struct psn_person *people, size_t count,
                                            const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(people[i].id, id) == 0)
            return people[i].departing_s && !people[i].departed_s ? &people[i] : NULL;
    return NULL;
}

/* Does it still work at OVH, as far as is known? A password goes with its mailbox. */
static enum psn_code still_works(struct psn_vault *vault, const struct psn_exposure *seen,
                                 bool *ret_works, struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc;

    *ret_works = seen->in_force;
    if (!seen->in_force || seen->label[0])
        return PSN_OK;
    rc = psn_role_read(vault, seen->address, &role, err);
    *ret_works = !rc && !role.gone_s;
    return rc;
}

/* What anybody has seen of a client's mailboxes. */
struct collecting {
    struct psn_vault *vault;
    const char *client;
    struct psn_exposure_list *list;
};

static enum psn_code collect(void *arg, const struct psn_role_row *row,
                             struct psn_error *err)
{
    const struct collecting *collecting = arg;
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc;

    if (strcmp(row->client, collecting->client) != 0)
        return PSN_OK;
    rc = psn_exposure_list(collecting->vault, NULL, row->address, &seen, err);
    for (size_t i = 0; !rc && i < seen.count; i++)
        rc = psn_exposure_list_add(collecting->list, &seen.items[i], err);
    psn_exposure_list_release(&seen);
    return rc;
}

static enum psn_code list_seen(struct psn_vault *vault, const char *client,
                               const char *address, struct psn_exposure_list *ret_list,
                               struct psn_error *err)
{
    struct collecting collecting = { vault, client, ret_list };

    return address ? psn_exposure_list(vault, NULL, address, ret_list, err)
                   : psn_role_scan(vault, NULL, 0, collect, &collecting, err);
}

/* address NULL: the whole client is to go. */
static enum psn_code check_seen(struct psn_vault *vault, const char *person,
                                const char *address, const struct psn_exposure *seen,
                                struct psn_error *err)
{
    bool works = false;
    enum psn_code rc = still_works(vault, seen, &works, err);

    if (rc || !works)
        return rc;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("'%s' is leaving and knows a secret of %s that is in force: "
                     "forgotten here, it would still work at OVH"),
                   person, seen->address);
    return address
               ? psn_hint(err, PSN_E_POLICY,
                          _("finish that first: passation resume; if it can never be: "
                            "passation role rm %s --confirm %s --unchanged 'WHY'"),
                          address, address)
               : psn_hint(err, PSN_E_POLICY,
                          _("finish that first: passation resume; if it can never be: "
                            "passation client rm %s --confirm %s --unchanged 'WHY'"),
                          seen->client, seen->client);
}

enum psn_code psn_departure_check_settled(struct psn_vault *vault, const char *client,
                                          const char *address, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    struct psn_exposure_list seen = { 0 };
    size_t count = 0;
    enum psn_code rc = psn_person_list(vault, &people, &count, err);

    if (!rc)
        rc = list_seen(vault, client, address, &seen, err);
    for (size_t i = 0; !rc && i < seen.count; i++) {
        const struct psn_exposure *at = &seen.items[i];
        const struct psn_person *leaver = find_leaver(people, count, at->person);

        if (leaver)
            rc = check_seen(vault, leaver->id, address, at, err);
    }
    psn_exposure_list_release(&seen);
    return rc;
}

/* --- what is forgotten --- */

static enum psn_code note_event(struct psn_vault *vault, const char *event,
                                const char *subject, const char *person,
                                struct psn_error *err)
{
    return psn_journal_note(
        vault, NULL,
        &(struct psn_note){ .event = event, .subject = subject, .text = person }, err);
}

static enum psn_code note(struct psn_vault *vault, const char *client,
                          const char *address, const char *person, struct psn_error *err)
{
    return address ? note_event(vault, PSN_EVENT_ROLE_FORGOTTEN, address, person, err)
                   : note_event(vault, PSN_EVENT_CLIENT_FORGOTTEN, client, person, err);
}

static enum psn_code knows_of(struct psn_vault *vault,
                              const struct psn_exposure_list *seen, const char *client,
                              const char *person, bool *ret_knows, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    *ret_knows = false;
    for (size_t i = 0; !rc && !*ret_knows && i < seen->count; i++)
        if (strcmp(seen->items[i].client, client) == 0 &&
            strcmp(seen->items[i].person, person) == 0)
            rc = still_works(vault, &seen->items[i], ret_knows, err);
    return rc;
}

static bool has_seen_password(const struct psn_exposure_list *seen, const char *client,
                              const char *person)
{
    for (size_t i = 0; i < seen->count; i++)
        if (!seen->items[i].label[0] && strcmp(seen->items[i].client, client) == 0 &&
            strcmp(seen->items[i].person, person) == 0)
            return true;
    return false;
}

static enum psn_code note_item(void *arg, const struct psn_secret_info *info,
                               struct psn_error *err)
{
    bool *has_items = arg;

    (void)info;
    (void)err;
    *has_items = true;
    return PSN_OK;
}

/* Of a mailbox that is gone at OVH, only what else hangs on it works on. */
static enum psn_code may_work(struct psn_vault *vault, const char *address,
                              bool *ret_works, struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc;

    *ret_works = true;
    if (!address)
        return PSN_OK;
    rc = psn_role_read(vault, address, &role, err);
    if (rc || !role.gone_s)
        return rc;
    *ret_works = false;
    return psn_item_each_all(vault, address, note_item, ret_works, err);
}

/* Who can open the vault could read it, whether he looked or not. works: something of it
 * may be in force. */
static enum psn_code note_all(struct psn_vault *vault, const char *client,
                              const char *address, const struct psn_exposure_list *seen,
                              bool works, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    struct psn_reach_map map = { 0 };
    size_t count = 0;
    enum psn_code rc = psn_person_list(vault, &people, &count, err);

    if (!rc)
        rc = psn_reach_map_load(vault, &map, err);
    for (size_t i = 0; !rc && i < count; i++) {
        const struct psn_person *person = &people[i];
        bool could_read = psn_reach_holds_slot(&map, person->id) ||
                          (person->departure.held_slot && !person->departing_s);
        bool knows = false;

        rc = knows_of(vault, seen, client, person->id, &knows, err);
        if (rc)
            break;
        if (works && (knows || could_read))
            rc = note(vault, client, address, person->id, err);
        else if (has_seen_password(seen, client, person->id))
            rc = note_event(vault, PSN_EVENT_KNOWN_BEFORE, address ? address : client,
                            person->id, err);
    }
    psn_reach_map_release(&map);
    return rc;
}

static enum psn_code note_unchanged(struct psn_vault *vault, const char *address,
                                    const char *why, struct psn_error *err)
{
    return psn_journal_note(vault, NULL,
                            &(struct psn_note){ .event = PSN_EVENT_ROLE_UNCHANGED,
                                                .subject = address,
                                                .text = why },
                            err);
}

static enum psn_code note_one(struct psn_vault *vault, const char *client,
                              const char *address, const char *why, struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    bool works = false;
    enum psn_code rc = may_work(vault, address, &works, err);

    if (!rc)
        rc = list_seen(vault, client, address, &seen, err);
    if (!rc && address && works && why)
        rc = note_unchanged(vault, address, why, err);
    if (!rc)
        rc = note_all(vault, client, address, &seen, works, err);
    psn_exposure_list_release(&seen);
    return rc;
}

struct addresses {
    const char *client;
    struct psn_buf texts; /* each with its NUL */
};

static enum psn_code collect_address(void *arg, const struct psn_role_row *row,
                                     struct psn_error *err)
{
    struct addresses *addresses = arg;

    if (strcmp(row->client, addresses->client) != 0)
        return PSN_OK;
    psn_buf_bytes(&addresses->texts, row->address, strlen(row->address) + 1);
    return psn_buf_check(&addresses->texts, err);
}

/* What is given up is named, mailbox by mailbox. */
static enum psn_code note_each(struct psn_vault *vault, const char *client,
                               const char *why, struct psn_error *err)
{
    struct addresses addresses = { client, psn_buf_init(ADDRESSES_MAX) };
    enum psn_code rc = psn_role_scan(vault, NULL, 0, collect_address, &addresses, err);
    const char *at = psn_buf_str(&addresses.texts);

    for (size_t i = 0; !rc && i < addresses.texts.size; i += strlen(at + i) + 1)
        rc = note_one(vault, client, at + i, why, err);
    psn_buf_release(&addresses.texts);
    return rc;
}

enum psn_code psn_departure_note_removed(struct psn_vault *vault, const char *client,
                                         const char *address, const char *why,
                                         struct psn_error *err)
{
    enum psn_code rc = !address && why ? note_each(vault, client, why, err) : PSN_OK;

    return rc ? rc : note_one(vault, client, address, why, err);
}

enum psn_code psn_departure_check_why(const char *why, struct psn_error *err)
{
    if (!why[strspn(why, " ")] || strlen(why) >= PSN_JOURNAL_TEXT_MAX ||
        !psn_text_is_plain(why, strlen(why)))
        return psn_fail(err, PSN_E_INVALID,
                        _("why nothing is changed is to be said in a sentence: it is "
                          "empty, too long, or cannot be shown"));
    return PSN_OK;
}

enum psn_code psn_departure_note_forgotten(struct psn_vault *from, struct psn_vault *to,
                                           const char *client, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    size_t count = 0;
    enum psn_code rc = psn_person_list(from, &people, &count, err);

    for (size_t i = 0; !rc && i < count; i++) {
        struct psn_exposure_list seen = { 0 };
        bool knows = false;

        if (!people[i].departing_s || people[i].departed_s)
            continue;
        rc = psn_exposure_list(from, people[i].id, NULL, &seen, err);
        if (!rc)
            rc = knows_of(from, &seen, client, people[i].id, &knows, err);
        psn_exposure_list_release(&seen);
        if (!rc && knows)
            rc = note(to, client, NULL, people[i].id, err);
    }
    return rc;
}

/* --- reading it back --- */

static enum psn_code add_removed(struct psn_scope *scope, const char *name,
                                 const char *why, struct psn_error *err)
{
    struct psn_departure_removed *grown;

    for (size_t i = 0; i < scope->forgotten_count; i++)
        if (strcmp(scope->forgotten[i].name, name) == 0) {
            if (why[0])
                (void)snprintf(scope->forgotten[i].unchanged,
                               sizeof scope->forgotten[i].unchanged, "%s", why);
            return PSN_OK;
        }
    grown = reallocarray(scope->forgotten, scope->forgotten_count + 1, sizeof *grown);
    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    scope->forgotten = grown;
    grown += scope->forgotten_count++;
    (void)snprintf(grown->name, sizeof grown->name, "%s", name);
    (void)snprintf(grown->unchanged, sizeof grown->unchanged, "%s", why);
    return PSN_OK;
}

/* Why a mailbox was not changed stands before those who knew it, and is about them
 * alone. */
static void keep_why(struct psn_scope *scope, const struct psn_journal_entry *entry)
{
    struct psn_departure_removed *given_up = &scope->given_up;

    if (strcmp(entry->event, PSN_EVENT_ROLE_UNCHANGED) == 0) {
        (void)snprintf(given_up->name, sizeof given_up->name, "%s", entry->subject);
        (void)snprintf(given_up->unchanged, sizeof given_up->unchanged, "%s",
                       entry->text);
    } else if (strcmp(entry->event, PSN_EVENT_ROLE_FORGOTTEN) != 0 ||
               strcmp(entry->subject, given_up->name) != 0) {
        *given_up = (struct psn_departure_removed){ 0 };
    }
}

/* What was removed before he began to leave works no less; but somebody of the same id
 * who was removed himself was another one. */
enum psn_code psn_scope_add_forgotten(struct psn_scope *scope, const char *id,
                                      const struct psn_journal_entry *entry,
                                      struct psn_error *err)
{
    keep_why(scope, entry);
    if (strcmp(entry->event, "person.removed") == 0 && strcmp(entry->subject, id) == 0)
        scope->forgotten_count = 0;
    if ((strcmp(entry->event, PSN_EVENT_CLIENT_FORGOTTEN) != 0 &&
         strcmp(entry->event, PSN_EVENT_ROLE_FORGOTTEN) != 0) ||
        strcmp(entry->text, id) != 0)
        return PSN_OK;
    return add_removed(scope, entry->subject, scope->given_up.unchanged, err);
}

void psn_scope_drop_returned(struct psn_vault *vault, struct psn_scope *scope)
{
    size_t kept = 0;

    for (size_t i = 0; i < scope->forgotten_count; i++) {
        const struct psn_departure_removed *at = &scope->forgotten[i];
        struct psn_role role;

        if (!psn_scope_has_password(scope, at->name) ||
            psn_role_get(vault, at->name, &role, NULL) != PSN_OK)
            scope->forgotten[kept++] = *at;
    }
    scope->forgotten_count = kept;
}
