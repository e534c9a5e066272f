#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/credential_due.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/journal.h"
#include "core/linking.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"

/* Whose an access is, and what it lets somebody who is leaving know. */

/* --- doors --- */

bool psn_person_owns(const struct psn_person *person, const struct psn_finding *finding)
{
    if (finding->own || finding->kind == PSN_FINDING_UNREADABLE ||
        finding->kind == PSN_FINDING_DOMAIN || finding->kind == PSN_FINDING_MAILBOX)
        return false;
    if (psn_finding_is_of(finding, person->email))
        return true;
    for (size_t i = 0; i < person->alias_count; i++)
        if (psn_finding_is_of(finding, person->aliases[i]))
            return true;
    return false;
}

bool psn_access_is_his(const struct psn_person *person, const struct psn_access *access)
{
    const struct psn_finding *finding = &access->finding;

    /* Two who leave at a time could both read it; who has left is not concerned by what
     * another could read later. */
    if (access->known_to[0] && person->departure.held_slot &&
        (!person->departed_s || strcmp(access->known_to, person->id) == 0)) {
        if (finding->own)
            return finding->kind != PSN_FINDING_API_APP;
        return finding->method[0] && finding->danger != PSN_DANGER_INFO;
    }
    return psn_person_owns(person, finding) &&
           (finding->method[0] || finding->danger != PSN_DANGER_INFO);
}

/* Does the access lead to this mailbox? What is not of one mailbox leads to all of the
 * account. */
bool psn_access_leads_to(const struct psn_finding *finding, const char *address)
{
    switch ((int)finding->kind) {
    case PSN_FINDING_REDIRECTION:
    case PSN_FINDING_RESPONDER:
    case PSN_FINDING_FILTER:
    case PSN_FINDING_DELEGATION:
        return strcmp(finding->subject, address) == 0;
    case PSN_FINDING_MAILING_LIST:
    case PSN_FINDING_MODERATOR:
    case PSN_FINDING_SUBSCRIBER:
        return false;
    default:
        return true;
    }
}

/* Is there a door of his to the mailbox? */
static bool is_open(const struct psn_person *person, const char *address,
                    const struct psn_access_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (psn_access_is_his(person, &rows[i].access) &&
            psn_access_leads_to(&rows[i].access.finding, address))
            return true;
    return false;
}

static bool has_any(const struct psn_person *person, const struct psn_access_row *rows,
                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (psn_access_is_his(person, &rows[i].access))
            return true;
    return false;
}

static enum psn_code expose(struct psn_vault *vault, const char *person,
                            const struct psn_role_row *role, struct psn_error *err)
{
    const uint64_t versions[] = { role->rotation.cur, role->rotation.pend };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < sizeof versions / sizeof *versions; i++)
        if (versions[i])
            rc = psn_exposure_put_of(vault, person, role->address, "", versions[i],
                                     PSN_HOW_ACCESS, err);
    return rc;
}

/* Of the mailboxes whose password he knew when he left, or knows now; the others are none
 * of his departure's business. */
static enum psn_code note_doors_of(struct psn_vault *vault, const char *client,
                                   const struct psn_person *person,
                                   const struct psn_access_row *rows, size_t count,
                                   struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    struct psn_scope began = { 0 };
    enum psn_code rc;

    if (!has_any(person, rows, count))
        return PSN_OK;
    rc = psn_scope_began(vault, client, person, &began, err);
    if (!rc)
        rc = psn_exposure_list(vault, person->id, NULL, &seen, err);
    for (size_t i = 0; !rc && i < seen.count; i++) {
        const struct psn_exposure *at = &seen.items[i];
        const struct psn_exposure *next = i + 1 < seen.count ? at + 1 : NULL;
        struct psn_role_row role;

        /* The last line of a password is of its newest version. */
        if (at->label[0] || strcmp(at->client, client) != 0 ||
            (next && !next->label[0] && strcmp(next->address, at->address) == 0) ||
            !is_open(person, at->address, rows, count))
            continue;
        rc = psn_role_read(vault, at->address, &role, err);
        if (!rc && (at->in_force || psn_scope_has_password(&began, at->address)))
            rc = expose(vault, person->id, &role, err);
    }
    psn_scope_release(&began);
    psn_exposure_list_release(&seen);
    return rc;
}

/* --- keys of ours that he could read --- */

struct asking {
    const char *client;
    bool found;
};

static enum psn_code is_it(void *arg, const char *client, struct psn_error *err)
{
    struct asking *asking = arg;

    (void)err;
    asking->found = asking->found || strcmp(asking->client, client) == 0;
    return PSN_OK;
}

/* *ret_holds: he still opens the vault. Else the key of the daily work was in it while he
 * could, unless another one has taken its place since. */
static enum psn_code could_read_key(struct psn_vault *vault, const char *client,
                                    const struct psn_person *person, bool *ret_holds,
                                    bool *ret_could, struct psn_error *err)
{
    struct asking asking = { client, false };
    struct psn_reach_map map = { 0 };
    enum psn_code rc = PSN_OK;

    *ret_holds = false;
    *ret_could = false;
    if (!person->departure.held_slot || person->departed_s)
        return PSN_OK;
    rc = psn_reach_map_load(vault, &map, err);
    if (!rc)
        *ret_holds = psn_reach_holds_slot(&map, person->id);
    psn_reach_map_release(&map);
    if (!rc && !*ret_holds)
        rc = psn_due_credential_list(vault, is_it, &asking, err);
    *ret_could = *ret_holds || asking.found;
    return rc;
}

struct order {
    const char *person;
    bool lost;   /* his last slot went */
    bool linked; /* and a second key came after that */
};

static enum psn_code follow(void *arg, const struct psn_journal_entry *entry,
                            struct psn_error *err)
{
    struct order *order = arg;

    (void)err;
    if (strcmp(entry->event, PSN_EVENT_REACHED) == 0 &&
        strcmp(entry->text, order->person) == 0) {
        order->lost = true;
        order->linked = false;
    } else if (order->lost && strcmp(entry->label, "cut") == 0 &&
               (strcmp(entry->event, PSN_EVENT_LINKED) == 0 ||
                strcmp(entry->event, PSN_EVENT_LINKED_WIDE) == 0)) {
        order->linked = true;
    }
    return PSN_OK;
}

/* Of two keys of ours, the one that OVH made last. Only its own dates are compared, with
 * each other; NULL: they do not tell. */
static const struct psn_access_row *newest_key(const struct psn_access_row *rows,
                                               size_t count)
{
    const struct psn_access_row *newest = NULL;
    int64_t next_s = 0;

    for (size_t i = 0; i < count; i++) {
        const struct psn_access *access = &rows[i].access;

        if (!access->finding.own || access->finding.kind == PSN_FINDING_API_APP ||
            access->state == PSN_ACCESS_GONE)
            continue;
        if (access->finding.since_s == 0)
            return NULL;
        if (!newest || access->finding.since_s > newest->access.finding.since_s) {
            next_s = newest ? newest->access.finding.since_s : 0;
            newest = &rows[i];
        } else if (access->finding.since_s > next_s) {
            next_s = access->finding.since_s;
        }
    }
    return next_s > 0 && newest->access.finding.since_s > next_s ? newest : NULL;
}

/* A second key that was made after he lost his slot, for cuts perhaps, he has not seen.
 * The journal's order tells that it was, not a clock; in doubt he has seen all. */
static enum psn_code find_unseen(struct psn_vault *vault, const char *client,
                                 const char *person, const struct psn_access_row *rows,
                                 size_t count, const struct psn_access_row **ret_unseen,
                                 struct psn_error *err)
{
    struct order order = { .person = person };
    enum psn_code rc = psn_journal_walk(vault, client, follow, &order, err);

    *ret_unseen = !rc && order.linked ? newest_key(rows, count) : NULL;
    return rc;
}

static enum psn_code mark_keys(struct psn_vault *vault, const char *client,
                               const struct psn_person *person,
                               struct psn_access_row *rows, size_t count,
                               struct psn_error *err)
{
    const struct psn_access_row *unseen = NULL;
    bool holds = false;
    bool could = false;
    enum psn_code rc = could_read_key(vault, client, person, &holds, &could, err);

    if (!rc && could && !holds)
        rc = find_unseen(vault, client, person->id, rows, count, &unseen, err);
    for (size_t i = 0; !rc && could && i < count; i++) {
        struct psn_access *access = &rows[i].access;

        if (!access->finding.own || access->known_to[0] ||
            access->state == PSN_ACCESS_GONE || &rows[i] == unseen)
            continue;
        memcpy(access->known_to, person->id, sizeof access->known_to);
        rc = psn_access_row_write(vault, &rows[i], err);
    }
    return rc;
}

/* Somebody who has left has a way in again, or it was not known to be his. */
static enum psn_code reopen(struct psn_vault *vault, const char *id,
                            struct psn_error *err)
{
    struct psn_person person;
    uint64_t revision = 0;
    enum psn_code rc = psn_person_load(vault, id, &person, &revision, err);

    person.departed_s = 0;
    if (!rc)
        rc = psn_person_store(vault, &person, revision + 1, err);
    return rc ? rc
              : psn_journal_note(
                    vault, NULL,
                    &(struct psn_note){ .event = "departure.reopened", .subject = id },
                    err);
}

static bool is_there(const struct psn_person *person, const struct psn_access_row *rows,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].access.state != PSN_ACCESS_GONE &&
            psn_access_is_his(person, &rows[i].access))
            return true;
    return false;
}

enum psn_code psn_departure_note_doors(struct psn_vault *vault, const char *client,
                                       struct psn_access_row *rows, size_t count,
                                       struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    size_t person_count = 0;
    enum psn_code rc =
        count ? psn_person_list(vault, &people, &person_count, err) : PSN_OK;

    for (size_t i = 0; !rc && i < person_count; i++) {
        if (!people[i].departing_s)
            continue;
        rc = psn_departure_drop_role_names(vault, &people[i], err);
        if (!rc)
            rc = mark_keys(vault, client, &people[i], rows, count, err);
        if (!rc && people[i].departed_s && is_there(&people[i], rows, count))
            rc = reopen(vault, people[i].id, err);
        if (!rc)
            rc = note_doors_of(vault, client, &people[i], rows, count, err);
    }
    return rc;
}

/* Somebody besides whoever replaces it who could read a key of ours: who is leaving, or
 * else who has a way into the vault, and may leave one day; "" if there is nobody. */
static enum psn_code find_reader(struct psn_vault *vault, char ret_id[PSN_PERSON_ID_MAX],
                                 struct psn_error *err)
{
    struct psn_reach_map map = { 0 };
    enum psn_code rc = psn_reach_map_load(vault, &map, err);

    ret_id[0] = '\0';
    for (size_t i = 0; !rc && i < map.holder_count; i++)
        if (strcmp(map.holders[i].person, vault->actor) != 0)
            memcpy(ret_id, map.holders[i].person, PSN_PERSON_ID_MAX);
    for (size_t i = 0; !rc && i < map.person_count; i++)
        if (map.people[i].departure.held_slot && !map.people[i].departed_s)
            memcpy(ret_id, map.people[i].id, PSN_PERSON_ID_MAX);
    psn_reach_map_release(&map);
    return rc;
}

enum psn_code psn_departure_note_old_key(struct psn_vault *vault, const char *client,
                                         const char *finding_id,
                                         enum psn_finding_kind kind,
                                         struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_access_row *row = calloc(1, sizeof *row);
    char reader[PSN_PERSON_ID_MAX] = "";
    enum psn_code rc = row ? find_reader(vault, reader, err)
                           : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (rc || !reader[0])
        return rc;
    rc = psn_access_row_read(vault, client, finding_id, row, NULL);
    if (rc && rc != PSN_E_NOT_FOUND)
        return psn_fail(err, rc, _("cannot read what was found at '%s'"), client);
    if (rc) {
        *row = (struct psn_access_row){ 0 };
        (void)snprintf(row->client, sizeof row->client, "%s", client);
        row->access.finding.kind = kind;
        row->access.finding.danger = PSN_DANGER_DANGER;
        (void)snprintf(row->access.finding.id, sizeof row->access.finding.id, "%s",
                       finding_id);
        (void)snprintf(row->access.finding.subject, sizeof row->access.finding.subject,
                       "%s", strchr(finding_id, ':') ? strchr(finding_id, ':') + 1 : "");
        row->access.first_s = row->access.last_s = vault->world.now_s();
    }
    row->access.finding.own = false;
    (void)snprintf(row->access.known_to, sizeof row->access.known_to, "%s", reader);
    return psn_access_row_write(vault, row, err);
}

/* A password that was typed is its user's own: such a mailbox is his, if he says so. */
static enum psn_code is_role(struct psn_vault *vault, const char *name, bool *ret_is,
                             struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    char address[PSN_ADDRESS_TEXT_MAX];
    struct psn_role_row role;
    enum psn_code rc;

    *ret_is = false;
    if (!strchr(name, '@') || psn_role_normalize(name, address, NULL))
        return PSN_OK;
    rc = psn_role_read(vault, address, &role, NULL);
    if (rc == PSN_E_NOT_FOUND || (!rc && role.rotation.cur == 0))
        return PSN_OK;
    if (rc)
        return psn_fail(err, rc, _("cannot read the role '%s'"), address);
    *ret_is = true;
    rc = psn_exposure_list(vault, NULL, address, &seen, err);
    for (size_t i = 0; !rc && i < seen.count; i++)
        if (!seen.items[i].label[0] && seen.items[i].version == role.rotation.cur &&
            seen.items[i].how == PSN_HOW_TYPED)
            *ret_is = false;
    psn_exposure_list_release(&seen);
    return rc;
}

enum psn_code psn_departure_drop_role_names(struct psn_vault *vault,
                                            struct psn_person *person,
                                            struct psn_error *err)
{
    size_t kept = 0;
    bool is = false;
    enum psn_code rc = is_role(vault, person->email, &is, err);

    if (!rc && is)
        person->email[0] = '\0';
    for (size_t i = 0; !rc && i < person->alias_count; i++) {
        rc = is_role(vault, person->aliases[i], &is, err);
        if (!rc && !is && kept++ != i)
            memcpy(person->aliases[kept - 1], person->aliases[i],
                   sizeof person->aliases[i]);
    }
    if (!rc)
        person->alias_count = kept;
    return rc;
}

enum psn_code psn_departure_keys_are_known(struct psn_vault *vault, bool *ret_known,
                                           struct psn_error *err)
{
    char reader[PSN_PERSON_ID_MAX];
    enum psn_code rc = find_reader(vault, reader, err);

    *ret_known = !rc && reader[0];
    return rc;
}
