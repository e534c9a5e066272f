#include "core/due.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "core/access.h"
#include "core/client.h"
#include "core/exposure.h"
#include "core/handover.h"
#include "core/issue.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/restored.h"
#include "core/role.h"

void psn_due_list_release(struct psn_due_list *list)
{
    free(list->items);
    *list = (struct psn_due_list){ 0 };
}

static enum psn_code append(struct psn_due_list *list, const struct psn_due *due,
                            struct psn_error *err)
{
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    if (!rc)
        list->items[list->count++] = *due;
    return rc;
}

/* --- what somebody without right knows --- */

/* What is dying is not what is to be rotated: one must not hide the other. */
static bool same_secret(const struct psn_exposure *a, const struct psn_exposure *b)
{
    return strcmp(a->address, b->address) == 0 && strcmp(a->label, b->label) == 0 &&
           strcmp(a->person, b->person) == 0 && a->dying == b->dying;
}

/* Clients with something of their own that is due, or that nothing is due for any more:
 * what a client has received is not replaced from here. */
struct owned {
    struct psn_vault *vault;
    const struct psn_survey *survey;
    struct psn_due_list *list;
    struct psn_due_list *left; /* of those who are leaving; or NULL */
    struct psn_received_map received;
    struct unjudged *unjudged; /* one for each client of the survey */
};

/* What a client's first sweep showed and nobody has judged. */
struct unjudged {
    uint64_t count;
    int64_t since_s;
};

/* Has the client received that version? One before it, which may still work, is ours to
 * see dead. */
static bool is_theirs(const struct owned *owned, const char *client, const char *address,
                      const char *label, uint64_t version)
{
    const struct psn_content_list *received = psn_received_of(&owned->received, client);

    return received &&
           psn_contents_have(received->items, received->count, address, label, version);
}

/* Passwords of somebody whose departure goes on are its business: it knows which of them
 * have to wait for a way in to be closed. */
static bool is_leaving(const struct psn_reach_map *map, const char *id)
{
    const struct psn_person *person = psn_reach_person(map, id);

    return person && person->departing_s && !person->departed_s;
}

/* An exposure list is sorted by address, label, version and person: of one person's
 * several ways to have seen a version, the first is enough. */
static enum psn_code add_exposures(const struct psn_exposure_list *known,
                                   const struct owned *owned, struct psn_error *err)
{
    const struct psn_exposure *last = NULL;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < known->count; i++) {
        const struct psn_exposure *at = &known->items[i];
        struct psn_due due = { .kind = at->label[0] ? PSN_DUE_SECRET : PSN_DUE_ROTATE,
                               .version = at->version,
                               .since_s = at->at_s };

        struct psn_due_list *list =
            !at->label[0] && is_leaving(&owned->survey->reach, at->person) ? owned->left
                                                                           : owned->list;

        if (!list || at->lasting || (last && same_secret(last, at)) ||
            is_theirs(owned, at->client, at->address, at->label, at->version))
            continue;
        if (at->dying)
            due.kind = PSN_DUE_RESUME; /* it was rotated: its death is to be proved */
        memcpy(due.person, at->person, sizeof due.person);
        memcpy(due.address, at->address, sizeof due.address);
        memcpy(due.client, at->client, sizeof due.client);
        memcpy(due.label, at->label, sizeof due.label);
        rc = append(list, &due, err);
        last = at;
    }
    return rc;
}

/* --- grants --- */

/* Is something newer than what was issued, and ours to issue? The survey knows the
 * version of the password; other secrets have to be read, and so has what a client has
 * received, if he has received anything. */
static enum psn_code is_behind(const struct owned *owned,
                               const struct psn_grant_brief *grant,
                               const struct psn_role_brief *role, bool *ret_behind,
                               struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_content *contents = NULL;
    struct psn_grant_row row = { 0 };
    size_t count = 0;
    const struct psn_content_list *received =
        psn_received_of(&owned->received, grant->client);
    enum psn_code rc;

    *ret_behind = role->cur > grant->password;
    if (!received && (*ret_behind || !grant->labels))
        return PSN_OK;
    rc = psn_grant_read(owned->vault, grant->person, grant->address, &row, err);
    if (!rc)
        rc = psn_grant_contents(owned->vault, &row, &contents, &count, err);
    if (!rc)
        count = psn_grant_keep_behind(&row, contents, count);
    if (!rc)
        *ret_behind = count > 0 &&
                      !(received && psn_content_list_has_all(received, contents, count));
    psn_grant_row_release(&row);
    return rc;
}

static enum psn_code add_grant(const struct owned *owned,
                               const struct psn_grant_brief *grant,
                               const struct psn_person *person, struct psn_error *err)
{
    const struct psn_role_brief *role = psn_survey_role(owned->survey, grant->address);
    struct psn_due due = { .kind = PSN_DUE_GRANT, .since_s = grant->until_s };
    enum psn_grant_state state = psn_grant_brief_state(grant, owned->survey->reach.now_s);

    if (state == PSN_GRANT_ACTIVE) {
        bool behind = false;
        enum psn_code rc = role ? is_behind(owned, grant, role, &behind, err)
                                : psn_role_fail_unknown(grant->address, err);

        if (rc || !behind || psn_reach_has_lost_slot(&owned->survey->reach, person))
            return rc; /* of who lost his slot the departure is due */
        due.kind = PSN_DUE_ISSUE;
        due.version = role->cur;
        due.since_s = grant->from_s;
        due.by_code = psn_issue_by_code(person, grant->format);
    } else if (state != PSN_GRANT_EXPIRED) {
        return PSN_OK;
    }
    memcpy(due.person, grant->person, sizeof due.person);
    memcpy(due.address, grant->address, sizeof due.address);
    memcpy(due.client, grant->client, sizeof due.client);
    return append(owned->list, &due, err);
}

static enum psn_code add_grants(const struct owned *owned, const char *person,
                                struct psn_error *err)
{
    const struct psn_reach_map *map = &owned->survey->reach;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < map->grants.count; i++) {
        const struct psn_grant_brief *grant = &map->grants.items[i];
        const struct psn_person *known;
        struct psn_person missing;

        if (person && strcmp(person, grant->person) != 0)
            continue;
        known = psn_reach_person(map, grant->person);
        if (!known) /* it says so */
            rc = psn_person_read(owned->vault, grant->person, &missing, err);
        else if (!known->departing_s)
            rc = add_grant(owned, grant, known, err);
    }
    return rc;
}

/* --- who is leaving, or should be --- */

static enum psn_code add_departures(const struct psn_reach_map *map, const char *person,
                                    struct psn_due_list *list, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < map->person_count; i++) {
        const struct psn_person *at = &map->people[i];
        struct psn_due due = { .kind = PSN_DUE_DEPARTURE, .since_s = at->departing_s };
        bool is_unsaid = psn_reach_has_lost_slot(map, at);

        if ((!is_unsaid && !psn_person_is_leaving(at)) ||
            (person && strcmp(person, at->id) != 0))
            continue;
        if (is_unsaid)
            due = (struct psn_due){ .kind = PSN_DUE_LEAVER,
                                    .since_s = at->departure.slot_lost_s };
        memcpy(due.person, at->id, sizeof due.person);
        rc = append(list, &due, err);
    }
    return rc;
}

/* --- what nobody could tell --- */

static enum psn_code add_restored(const struct owned *owned, struct psn_error *err)
{
    struct psn_due due = { .kind = PSN_DUE_RESTORED };
    enum psn_code rc = psn_restored_unjudged_since(owned->vault, &due.since_s, err);

    return rc || due.since_s == 0 ? rc : append(owned->list, &due, err);
}

/* --- what was interrupted --- */

static enum psn_code add_role(struct psn_due_list *list,
                              const struct psn_role_brief *role, enum psn_due_kind kind,
                              int64_t since_s, struct psn_error *err)
{
    struct psn_due due = { .kind = kind, .since_s = since_s };

    due.version = role->cur;
    if (kind == PSN_DUE_RESUME)
        due.version = role->pend ? role->pend : role->undead;
    memcpy(due.address, role->address, sizeof due.address);
    memcpy(due.client, role->client, sizeof due.client);
    return append(list, &due, err);
}

/* Is the line of somebody who knows it there already? */
static bool is_to_be_resumed(const struct psn_due_list *list, const char *address)
{
    size_t i = 0;

    while (i < list->count && (list->items[i].kind != PSN_DUE_RESUME ||
                               strcmp(list->items[i].address, address) != 0))
        i++;
    return i < list->count;
}

/* A change under way finds out by itself what is otherwise than it was. */
static enum psn_code add_of_role(const struct owned *owned,
                                 const struct psn_role_brief *role, struct psn_error *err)
{
    struct psn_due_list *list = owned->list;
    enum psn_code rc = PSN_OK;

    if (role->phase != PSN_ROTATION_STABLE)
        return add_role(list, role, PSN_DUE_RESUME, role->last_send_s, err);
    if (!is_theirs(owned, role->client, role->address, "", role->cur)) {
        if (role->gone_s)
            return add_role(list, role, PSN_DUE_VANISHED, role->gone_s, err);
        if (role->outside_s)
            rc = add_role(list, role, PSN_DUE_OUTSIDE, role->outside_s, err);
        if (!rc && role->moved_s)
            rc = add_role(list, role, PSN_DUE_MOVED, role->moved_s, err);
    }
    /* Whoever knows it: the vault may not know of all. */
    if (!rc && role->old_is_alive && !is_to_be_resumed(list, role->address))
        rc = add_role(list, role, PSN_DUE_RESUME, role->last_send_s, err);
    return rc;
}

/* --- handovers and envelopes --- */

static enum psn_code add_handover(struct owned *owned,
                                  const struct psn_client_brief *client,
                                  struct psn_error *err)
{
    struct psn_due due = { .kind = PSN_DUE_HANDOVER, .since_s = client->handover_s };

    memcpy(due.client, client->id, sizeof due.client);
    memcpy(due.person, client->owner, sizeof due.person);
    return append(owned->list, &due, err);
}

static enum psn_code add_envelope(struct owned *owned,
                                  const struct psn_client_brief *client,
                                  struct psn_error *err)
{
    struct psn_envelope envelope = { 0 };
    struct psn_due due = { .kind = PSN_DUE_ENVELOPE };
    enum psn_code rc =
        psn_envelope_read(owned->vault, owned->survey, client->id, &envelope, err);

    if (rc || !envelope.is_stale)
        return rc;
    if (envelope.is_left)
        due.kind = PSN_DUE_ENVELOPE_LEFT;
    else if (envelope.is_remade)
        due.kind = PSN_DUE_ENVELOPE_REMADE;
    due.since_s = envelope.written_s;
    memcpy(due.client, client->id, sizeof due.client);
    memcpy(due.person, envelope.person, sizeof due.person);
    return append(owned->list, &due, err);
}

static enum psn_code add_of_client(struct owned *owned,
                                   const struct psn_client_brief *client,
                                   struct psn_error *err)
{
    enum psn_code rc = client->handover_s ? add_handover(owned, client, err) : PSN_OK;

    return rc || !client->envelope_s ? rc : add_envelope(owned, client, err);
}

/* --- what sweeps found, and nobody has judged --- */

static int compare_client(const void *key, const void *item)
{
    return strcmp(key, ((const struct psn_client_brief *)item)->id);
}

/* A first sweep shows what has been there for years, all at once: a line for each would
 * bury what is new. */
static void add_unjudged(const struct owned *owned, const struct psn_access_row *row)
{
    const struct psn_survey *survey = owned->survey;
    const struct psn_client_brief *client =
        survey->client_count ? bsearch(row->client, survey->clients, survey->client_count,
                                       sizeof *survey->clients, compare_client)
                             : NULL;
    struct unjudged *unjudged;

    if (!client)
        return;
    unjudged = &owned->unjudged[client - survey->clients];
    if (unjudged->count++ == 0 || row->access.first_s < unjudged->since_s)
        unjudged->since_s = row->access.first_s;
}

static enum psn_code add_found(void *arg, const struct psn_access_row *row,
                               struct psn_error *err)
{
    const struct owned *owned = arg;
    const struct psn_access *access = &row->access;
    bool is_mailbox = access->finding.kind == PSN_FINDING_MAILBOX;
    struct psn_due due = { .kind = is_mailbox ? PSN_DUE_APPEARED : PSN_DUE_ACCESS,
                           .since_s = access->first_s };

    /* A part that was never shown waits like the others; one that is not shown this time
     * is no news. */
    if (access->state != PSN_ACCESS_OPEN ||
        (access->finding.kind == PSN_FINDING_UNREADABLE && access->is_later) ||
        (is_mailbox ? !access->is_later : !psn_access_is_pending(access)))
        return PSN_OK;
    if (!access->is_later) {
        add_unjudged(owned, row);
        return PSN_OK;
    }
    (void)snprintf(due.address, sizeof due.address, "%.254s", access->finding.subject);
    memcpy(due.client, row->client, sizeof due.client);
    if (is_mailbox)
        return psn_survey_role(owned->survey, due.address)
                   ? PSN_OK
                   : append(owned->list, &due, err);
    (void)snprintf(due.access, sizeof due.access, "%s", access->finding.id);
    return append(owned->list, &due, err);
}

static enum psn_code add_accesses(struct owned *owned, struct psn_error *err)
{
    const struct psn_survey *survey = owned->survey;
    enum psn_code rc;

    owned->unjudged = calloc(survey->client_count + 1, sizeof *owned->unjudged);
    if (!owned->unjudged)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_access_row_each(owned->vault, NULL, add_found, owned, err);
    for (size_t i = 0; !rc && i < survey->client_count; i++) {
        struct psn_due due = { .kind = PSN_DUE_UNJUDGED,
                               .count = owned->unjudged[i].count,
                               .since_s = owned->unjudged[i].since_s };

        memcpy(due.client, survey->clients[i].id, sizeof due.client);
        if (due.count > 0 && !psn_received_of(&owned->received, due.client))
            rc = append(owned->list, &due, err);
    }
    return rc;
}

/* --- all --- */

static int compare(const void *a, const void *b)
{
    const struct psn_due *left = a;
    const struct psn_due *right = b;
    int order = (int)left->kind - (int)right->kind;

    if (!order)
        order = strcmp(left->address, right->address);
    if (!order)
        order = strcmp(left->client, right->client);
    if (!order)
        order = strcmp(left->label, right->label);
    if (!order)
        order = strcmp(left->person, right->person);
    if (!order && left->version != right->version)
        order = left->version < right->version ? -1 : 1;
    return order;
}

static bool same_line(const struct psn_due *a, const struct psn_due *b)
{
    return a->kind == b->kind && strcmp(a->address, b->address) == 0 &&
           strcmp(a->client, b->client) == 0 && strcmp(a->label, b->label) == 0 &&
           strcmp(a->person, b->person) == 0;
}

/* Who knows the password and the one on its way has one line, whoever stands between. */
static void sort(struct psn_due_list *list)
{
    size_t kept = 0;

    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || !list->items[i].person[0] ||
            !same_line(&list->items[kept - 1], &list->items[i]))
            list->items[kept++] = list->items[i];
    list->count = kept;
}

/* Of one person: what is a client's is nobody's. */
static enum psn_code collect_of(struct owned *owned, const char *person,
                                const struct psn_exposure_list *known,
                                struct psn_error *err)
{
    const struct psn_survey *survey = owned->survey;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < survey->client_count; i++)
        rc = survey->clients[i].handover_s
                 ? psn_received_map_add(owned->vault, survey->clients[i].id,
                                        &owned->received, err)
                 : PSN_OK;
    if (!rc)
        rc = add_grants(owned, person, err);
    if (!rc)
        rc = add_exposures(known, owned, err);
    return rc ? rc : add_departures(&survey->reach, person, owned->list, err);
}

static enum psn_code collect(struct owned *owned, const struct psn_exposure_list *known,
                             struct psn_error *err)
{
    const struct psn_survey *survey = owned->survey;
    enum psn_code rc = collect_of(owned, NULL, known, err);

    if (!rc)
        rc = add_restored(owned, err);
    for (size_t i = 0; !rc && i < survey->client_count; i++)
        rc = add_of_client(owned, &survey->clients[i], err);
    for (size_t i = 0; !rc && i < survey->role_count; i++)
        rc = add_of_role(owned, &survey->roles[i], err);
    return rc ? rc : add_accesses(owned, err);
}

/* known: what the person, or anybody, knows without right. */
static enum psn_code make_list(struct psn_vault *vault, const struct psn_survey *survey,
                               const char *person, const struct psn_exposure_list *known,
                               struct psn_due_list *ret_list,
                               struct psn_due_list *ret_left, struct psn_error *err)
{
    struct psn_due_list list = { 0 };
    struct owned owned = {
        .vault = vault, .survey = survey, .list = &list, .left = ret_left
    };
    enum psn_code rc =
        person ? collect_of(&owned, person, known, err) : collect(&owned, known, err);

    psn_received_map_release(&owned.received);
    free(owned.unjudged);
    if (rc) {
        psn_due_list_release(&list);
        return rc;
    }
    sort(&list);
    *ret_list = list;
    return PSN_OK;
}

enum psn_code psn_due_list(struct psn_vault *vault, const struct psn_survey *survey,
                           const char *person, struct psn_due_list *ret_list,
                           struct psn_due_list *ret_left, struct psn_error *err)
{
    struct psn_exposure_list known = { 0 };
    enum psn_code rc = psn_exposure_list_known(vault, survey, person, &known, err);

    if (!rc)
        rc = make_list(vault, survey, person, &known, ret_list, ret_left, err);
    psn_exposure_list_release(&known);
    return rc;
}

/* What is in force and not his by right, in place. */
static void keep_known(const struct psn_reach_map *map, struct psn_exposure_list *seen)
{
    size_t kept = 0;

    for (size_t i = 0; i < seen->count; i++) {
        const struct psn_exposure *at = &seen->items[i];

        if (at->in_force &&
            !psn_reach_has_right(map, at->person, at->client, at->address, at->label))
            seen->items[kept++] = *at;
    }
    seen->count = kept;
}

/* Of who has seen little nothing is read that does not concern him. */
static enum psn_code list_of_few(struct psn_vault *vault, const char *person,
                                 struct psn_exposure_list *seen,
                                 struct psn_due_list *ret_list, struct psn_error *err)
{
    struct psn_survey survey = { 0 };
    enum psn_code rc = psn_survey_load_of(vault, person, seen, &survey, err);

    if (!rc) {
        keep_known(&survey.reach, seen);
        rc = make_list(vault, &survey, person, seen, ret_list, NULL, err);
    }
    psn_survey_release(&survey);
    return rc;
}

static enum psn_code list_of_all(struct psn_vault *vault, const char *person,
                                 struct psn_due_list *ret_list, struct psn_error *err)
{
    struct psn_survey survey = { 0 };
    enum psn_code rc = psn_survey_load(vault, &survey, err);

    if (!rc)
        rc = psn_due_list(vault, &survey, person, ret_list, NULL, err);
    psn_survey_release(&survey);
    return rc;
}

static enum psn_code list_due(struct psn_vault *vault, const char *person,
                              struct psn_due_list *list, struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    struct psn_person known;
    bool few = false;
    enum psn_code rc = person ? psn_person_read(vault, person, &known, err) : PSN_OK;

    if (!rc && person)
        rc = psn_exposure_list_few(vault, person, &seen, &few, err);
    if (!rc)
        rc = few ? list_of_few(vault, person, &seen, list, err)
                 : list_of_all(vault, person, list, err);
    psn_exposure_list_release(&seen);
    return rc;
}

enum psn_code psn_due_each(struct psn_vault *vault, const char *person, psn_due_fn *each,
                           void *arg, struct psn_error *err)
{
    struct psn_due_list list = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, list_due(vault, person, &list, err), err);
    for (size_t i = 0; !rc && i < list.count; i++)
        rc = each(arg, &list.items[i], err);
    psn_due_list_release(&list);
    return rc;
}
