#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/access.h"
#include "core/client.h"
#include "core/exposure.h"
#include "core/handover.h"
#include "core/item.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"
#include "passation/contact.h"

/* What a statement tells, without a secret: what is handed over, how it was proved, what
 * else lets somebody in, what is still to come. */

void psn_handover_facts_free(struct psn_handover_facts *facts)
{
    if (!facts)
        return;
    psn_handover_release(&facts->handover);
    psn_client_release(&facts->client);
    free(facts->secrets);
    free(facts->accesses);
    free(facts->stays);
    free(facts->contacts);
    free(facts->dates);
    free(facts->files);
    free(facts->heads);
    free(facts);
}

/* --- secrets --- */

static enum psn_code describe(struct psn_vault *vault, struct psn_handover_secret *secret,
                              struct psn_error *err)
{
    struct psn_role_row role;
    struct psn_item item = { 0 };
    enum psn_code rc;

    if (!secret->label[0]) {
        rc = psn_role_read(vault, secret->address, &role, err);
        secret->changed_s = rc ? 0 : role.changed_s;
        return rc;
    }
    rc = psn_item_read(vault, secret->address, secret->label, &item, err);
    if (rc)
        return rc;
    secret->changed_s = item.info.changed_s;
    memcpy(secret->type, item.info.type, sizeof secret->type);
    memcpy(secret->user, item.info.user, sizeof secret->user);
    memcpy(secret->url, item.info.url, sizeof secret->url);
    memcpy(secret->expires, item.info.expires, sizeof secret->expires);
    return PSN_OK;
}

static enum psn_code add_secrets(struct psn_vault *vault,
                                 struct psn_handover_facts *facts, struct psn_error *err)
{
    struct psn_content_list contents = { 0 };
    enum psn_code rc = psn_handover_contents(vault, facts->client.id, &contents, err);

    if (!rc) {
        facts->secrets = calloc(contents.count + 1, sizeof *facts->secrets);
        if (!facts->secrets)
            rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    for (size_t i = 0; !rc && i < contents.count; i++) {
        struct psn_handover_secret *secret = &facts->secrets[facts->secret_count++];

        secret->version = contents.items[i].version;
        memcpy(secret->address, contents.items[i].address, sizeof secret->address);
        memcpy(secret->label, contents.items[i].label, sizeof secret->label);
        rc = describe(vault, secret, err);
    }
    free(contents.items);
    return rc;
}

static int compare_place(const void *key, const void *item)
{
    const struct psn_handover_secret *secret = item;
    int order = strcmp(key, secret->address);

    return order ? order : -(secret->label[0] != '\0');
}

/* Nothing says so of a secret: what is left of ours at mail servers is a blocker. */
static void note_refused(struct psn_handover_facts *facts)
{
    const struct psn_handover *handover = &facts->handover;

    for (size_t i = 0; i < facts->secret_count; i++) {
        struct psn_handover_secret *secret = &facts->secrets[i];

        secret->is_refused = handover->confirmed_s && !secret->label[0];
        for (size_t j = 0; j < handover->blocker_count; j++) {
            const struct psn_handover_blocker *at = &handover->blockers[j];

            if ((at->block == PSN_BLOCKER_STILL_OURS ||
                 at->block == PSN_BLOCKER_ONE_ROUND) &&
                strcmp(at->address, secret->address) == 0)
                secret->is_refused = false;
        }
    }
}

struct chain_end {
    struct psn_handover_facts *facts;
    struct psn_journal_entry last;
    char last_key[PSN_FINDING_ID_MAX]; /* of ours, which removes itself */
};

/* What the journal says of accesses, and of the password that is in force. */
static enum psn_code read_entry(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct chain_end *end = arg;
    struct psn_handover_secret *secret;

    (void)err;
    end->last = *entry;
    psn_handover_read_order(end->facts, end->last_key, entry);
    if (strcmp(entry->event, "password.in-force") != 0 || end->facts->secret_count == 0)
        return PSN_OK;
    secret = bsearch(entry->subject, end->facts->secrets, end->facts->secret_count,
                     sizeof *end->facts->secrets, compare_place);
    if (secret && secret->version == entry->version)
        (void)snprintf(secret->proof, sizeof secret->proof, "%s", entry->text);
    return PSN_OK;
}

static enum psn_code read_chain(struct psn_vault *vault, const char *chain,
                                struct psn_handover_facts *facts, struct psn_error *err)
{
    struct chain_end *end = calloc(1, sizeof *end);
    enum psn_code rc = end ? PSN_OK : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (!rc) {
        end->facts = facts;
        rc = psn_journal_each(vault, chain, 0, read_entry, end, err);
    }
    if (!rc)
        rc = PSN_GROW(facts->heads, facts->head_count, err);
    if (!rc) {
        struct psn_head *head = &facts->heads[facts->head_count++];

        *head = (struct psn_head){ .count = end->last.number };
        (void)snprintf(head->chain, sizeof head->chain, "%s", chain);
        memcpy(head->hash, end->last.hash, sizeof head->hash);
    }
    free(end);
    return rc;
}

/* --- accesses --- */

static enum psn_code add_access(void *arg, const struct psn_access_row *row,
                                struct psn_error *err)
{
    struct psn_handover_facts *facts = arg;
    const struct psn_access *access = &row->access;
    bool gone = access->state == PSN_ACCESS_GONE;
    struct psn_access *to;

    if (access->finding.kind == PSN_FINDING_MAILBOX ||
        access->finding.kind == PSN_FINDING_DOMAIN ||
        (gone && access->gone_s < facts->handover.began_s) ||
        (!gone && access->finding.danger == PSN_DANGER_INFO && !access->finding.own &&
         !access->finding.elsewhere && !access->decided_s))
        return PSN_OK;
    if (PSN_GROW(facts->accesses, facts->access_count, err))
        return PSN_E_NOMEM;
    to = &facts->accesses[facts->access_count];
    *to = *access;
    facts->access_count++;
    return PSN_OK;
}

static int compare_accesses(const void *a, const void *b)
{
    return strcmp(((const struct psn_access *)a)->finding.id,
                  ((const struct psn_access *)b)->finding.id);
}

/* --- who can still get in --- */

static struct psn_handover_stay *find_stay(struct psn_handover_facts *facts,
                                           const char *person, const char *address,
                                           const char *label)
{
    for (size_t i = 0; i < facts->stay_count; i++)
        if (strcmp(facts->stays[i].person, person) == 0 &&
            strcmp(facts->stays[i].address, address) == 0 &&
            strcmp(facts->stays[i].label, label) == 0)
            return &facts->stays[i];
    return NULL;
}

static enum psn_code take_stay(struct psn_vault *vault, struct psn_handover_facts *facts,
                               const char *id, const char *address, const char *label,
                               struct psn_handover_stay **ret_stay, struct psn_error *err)
{
    struct psn_handover_stay *stay = find_stay(facts, id, address, label);
    struct psn_person person;
    enum psn_code rc;

    *ret_stay = stay;
    if (stay)
        return PSN_OK;
    rc = psn_person_read(vault, id, &person, err);
    if (rc)
        return rc;
    if (PSN_GROW(facts->stays, facts->stay_count, err))
        return PSN_E_NOMEM;
    stay = &facts->stays[facts->stay_count];
    *stay = (struct psn_handover_stay){ .kind = person.kind };
    memcpy(stay->person, person.id, sizeof stay->person);
    memcpy(stay->name, person.name, sizeof stay->name);
    (void)snprintf(stay->address, sizeof stay->address, "%s", address);
    (void)snprintf(stay->label, sizeof stay->label, "%s", label);
    facts->stay_count++;
    *ret_stay = stay;
    return PSN_OK;
}

static enum psn_code add_grants(struct psn_vault *vault, const struct psn_reach_map *map,
                                struct psn_handover_facts *facts, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < map->grants.count; i++) {
        const struct psn_grant_brief *grant = &map->grants.items[i];
        struct psn_handover_stay *stay;

        if (strcmp(grant->client, facts->client.id) != 0 ||
            psn_grant_brief_state(grant, map->now_s) != PSN_GRANT_ACTIVE)
            continue;
        rc = take_stay(vault, facts, grant->person, grant->address, "", &stay, err);
        if (!rc) {
            stay->by_grant = true;
            stay->until_s = grant->until_s;
        }
    }
    return rc;
}

static enum psn_code add_holders(struct psn_vault *vault, const struct psn_reach_map *map,
                                 struct psn_handover_facts *facts, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < map->holder_count; i++) {
        struct psn_handover_stay *stay;

        rc = take_stay(vault, facts, map->holders[i].person, "", "", &stay, err);
        if (!rc)
            stay->by_slot = true;
    }
    return rc;
}

/* A mailbox's password which the client has replaced since it was given to him. */
static bool is_refused(const struct psn_handover_facts *facts,
                       const struct psn_exposure *seen)
{
    for (size_t i = 0; !seen->label[0] && i < facts->secret_count; i++)
        if (!facts->secrets[i].label[0] &&
            strcmp(facts->secrets[i].address, seen->address) == 0)
            return facts->secrets[i].is_refused;
    return false;
}

static enum psn_code read_lasting(struct psn_vault *vault,
                                  const struct psn_exposure *seen,
                                  struct psn_handover_stay *stay, struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc = psn_item_read(vault, seen->address, seen->label, &item, err);

    memcpy(stay->lasting, item.info.unchangeable, sizeof stay->lasting);
    return rc;
}

static enum psn_code add_one_knowing(struct psn_vault *vault,
                                     const struct psn_reach_map *map,
                                     struct psn_handover_facts *facts,
                                     const struct psn_exposure *at, struct psn_error *err)
{
    /* One line for all that a slot opens. */
    bool is_all = !facts->final && psn_reach_holds_slot(map, at->person);
    struct psn_handover_stay *stay;
    enum psn_code rc = take_stay(vault, facts, at->person, is_all ? "" : at->address,
                                 is_all ? "" : at->label, &stay, err);

    if (rc)
        return rc;
    *(at->dying ? &stay->former : &stay->knows) = true;
    return at->lasting && stay->label[0] ? read_lasting(vault, at, stay, err) : PSN_OK;
}

/* Who has seen what is in force, or may be, but the one whose it is now. */
static enum psn_code add_knowing(struct psn_vault *vault, const struct psn_reach_map *map,
                                 struct psn_handover_facts *facts, struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc = psn_exposure_list(vault, NULL, NULL, &seen, err);

    for (size_t i = 0; !rc && i < seen.count; i++) {
        const struct psn_exposure *at = &seen.items[i];

        if (at->in_force && strcmp(at->client, facts->client.id) == 0 &&
            strcmp(at->person, facts->handover.to) != 0 && !is_refused(facts, at))
            rc = add_one_knowing(vault, map, facts, at, err);
    }
    psn_exposure_list_release(&seen);
    return rc;
}

static int compare_stays(const void *a, const void *b)
{
    const struct psn_handover_stay *left = a;
    const struct psn_handover_stay *right = b;
    int order = strcmp(left->person, right->person);

    if (!order)
        order = strcmp(left->address, right->address);
    return order ? order : strcmp(left->label, right->label);
}

static enum psn_code add_stays(struct psn_vault *vault, struct psn_handover_facts *facts,
                               struct psn_error *err)
{
    struct psn_reach_map map = { 0 };
    enum psn_code rc = psn_reach_map_load(vault, &map, err);

    if (!rc && !facts->final)
        rc = add_grants(vault, &map, facts, err);
    if (!rc && !facts->final)
        rc = add_holders(vault, &map, facts, err);
    if (!rc)
        rc = add_knowing(vault, &map, facts, err);
    if (!rc && facts->stay_count > 1)
        qsort(facts->stays, facts->stay_count, sizeof *facts->stays, compare_stays);
    psn_reach_map_release(&map);
    return rc;
}

/* --- what is still to come --- */

static enum psn_code add_date(struct psn_handover_facts *facts, const char *what,
                              enum psn_handover_date_kind kind, const char *on,
                              bool is_renewed, struct psn_error *err)
{
    struct psn_handover_date *date;

    if (PSN_GROW(facts->dates, facts->date_count, err))
        return PSN_E_NOMEM;
    date = &facts->dates[facts->date_count];
    *date = (struct psn_handover_date){ .kind = kind, .is_renewed = is_renewed };
    (void)snprintf(date->what, sizeof date->what, "%s", what);
    (void)snprintf(date->on, sizeof date->on, "%s", on);
    facts->date_count++;
    return PSN_OK;
}

static int compare_dates(const void *a, const void *b)
{
    const struct psn_handover_date *left = a;
    const struct psn_handover_date *right = b;
    int order = strcmp(left->on, right->on);

    return order ? order : strcmp(left->what, right->what);
}

static enum psn_code add_dates(const struct psn_handover_row *row,
                               struct psn_handover_facts *facts, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < row->date_count; i++)
        rc = add_date(facts, row->dates[i].domain, PSN_DATE_SERVICE, row->dates[i].on,
                      row->dates[i].is_renewed, err);
    for (size_t i = 0; !rc && i < facts->secret_count; i++) {
        const struct psn_handover_secret *secret = &facts->secrets[i];
        char what[PSN_FIELD_MAX];

        (void)snprintf(what, sizeof what, "%s / %s", secret->address, secret->label);
        if (secret->expires[0])
            rc = add_date(facts, what, PSN_DATE_SECRET, secret->expires, false, err);
    }
    if (!rc && facts->date_count > 1)
        qsort(facts->dates, facts->date_count, sizeof *facts->dates, compare_dates);
    return rc;
}

static enum psn_code add_contact(void *arg, const struct psn_contact_change *change,
                                 struct psn_error *err)
{
    struct psn_handover_facts *facts = arg;
    struct psn_handover_contact *contact;

    if (change->asked_s < facts->handover.began_s)
        return PSN_OK;
    if (PSN_GROW(facts->contacts, facts->contact_count, err))
        return PSN_E_NOMEM;
    contact = &facts->contacts[facts->contact_count];
    *contact = (struct psn_handover_contact){ .task = change->id,
                                              .at_s = change->done_s ? change->done_s
                                                                     : change->asked_s };
    (void)snprintf(contact->service, sizeof contact->service, "%s %s",
                   psn_contact_kind_name(change->kind), change->service);
    (void)snprintf(contact->state, sizeof contact->state, "%s",
                   psn_contact_state_name(change->state));
    memcpy(contact->from, change->from, sizeof contact->from);
    memcpy(contact->to, change->to, sizeof contact->to);
    contact->admin = change->admin;
    contact->tech = change->tech;
    contact->billing = change->billing;
    facts->contact_count++;
    return PSN_OK;
}

/* --- files --- */

static enum psn_code add_files(const struct psn_handover_row *row,
                               struct psn_handover_facts *facts, struct psn_error *err)
{
    facts->files = calloc(row->file_count + 1, sizeof *facts->files);
    if (!facts->files)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < row->file_count; i++) {
        struct psn_handover_file *file = &facts->files[facts->file_count++];

        (void)snprintf(file->name, sizeof file->name, "%s", row->files[i].name);
        memcpy(file->sha256, row->files[i].sha256, sizeof file->sha256);
        file->size = row->files[i].size;
        file->encrypted = strncmp(file->name, "trousseau.", 10) == 0;
    }
    return PSN_OK;
}

/* --- all --- */

static enum psn_code gather(struct psn_vault *vault, struct psn_handover_facts *facts,
                            struct psn_error *err)
{
    struct psn_handover_row row;
    enum psn_code rc =
        psn_handover_row_read_open(vault, facts->handover.client, &row, err);

    if (!rc)
        rc = psn_client_read(vault, facts->handover.client, &facts->client, err);
    if (!rc)
        rc = psn_person_read(vault, row.to, &facts->to, err);
    if (!rc)
        rc = psn_person_read(vault, vault->actor, &facts->by, err);
    if (!rc)
        rc = add_secrets(vault, facts, err);
    if (!rc)
        note_refused(facts);
    if (!rc)
        rc = psn_access_row_each(vault, facts->client.id, add_access, facts, err);
    if (!rc && facts->access_count > 1)
        qsort(facts->accesses, facts->access_count, sizeof *facts->accesses,
              compare_accesses);
    if (!rc)
        rc = add_stays(vault, facts, err);
    if (!rc)
        rc = add_dates(&row, facts, err);
    return rc ? rc : add_files(&row, facts, err);
}

static enum psn_code fill(struct psn_vault *vault, const char *client,
                          struct psn_handover_facts *facts, struct psn_error *err)
{
    enum psn_code rc = psn_handover_get(vault, client, &facts->handover, err);

    facts->now_s = vault->world.now_s();
    if (!rc)
        rc = psn_vault_public_keys(vault, &facts->keys, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    if (!rc)
        rc = psn_vault_end(vault, gather(vault, facts, err), err);
    if (!rc)
        rc = psn_contact_history(vault, client, add_contact, facts, err);
    if (!rc)
        rc = read_chain(vault, "", facts, err);
    if (!rc)
        rc = read_chain(vault, client, facts, err);
    if (!rc)
        psn_handover_read_changes(facts);
    return rc;
}

enum psn_code psn_handover_facts(struct psn_vault *vault, const char *client, bool final,
                                 struct psn_handover_facts **ret_facts,
                                 struct psn_error *err)
{
    struct psn_handover_facts *facts = calloc(1, sizeof *facts);
    enum psn_code rc = facts ? PSN_OK : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (!rc) {
        facts->final = final;
        rc = fill(vault, client, facts, err);
    }
    if (rc) {
        psn_handover_facts_free(facts);
        return rc;
    }
    *ret_facts = facts;
    return PSN_OK;
}
