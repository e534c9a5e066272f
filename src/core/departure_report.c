#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/grant.h"
#include "core/handover.h"
#include "core/item.h"
#include "core/own_key.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"

/*
 * The facts of a report: what was written down when the person began to leave, what the
 * journal proves since then, and how it stands now.
 */
void psn_departure_report_free(struct psn_departure_report *report)
{
    if (!report)
        return;
    free(report->secrets);
    free(report->stays);
    free(report->accesses);
    free(report->heads);
    free(report->removed);
    free(report);
}

/* --- secrets --- */

/* What somebody else has set since may be what he knows, so that no proof of ours holds.
 * That a client who has received his passwords changes them is what he was told to do. */
static enum psn_code judge_theirs(struct psn_vault *vault, const char *person,
                                  const struct psn_role_row *role,
                                  struct psn_departure_secret *secret,
                                  struct psn_error *err)
{
    enum psn_code rc = psn_handover_is_theirs(vault, role->client, role->address, "",
                                              person, &secret->handed, err);

    if (!rc && secret->handed)
        secret->set_since_s = role->outside_s;
    else if (!rc && secret->replaced)
        secret->outside_s = role->outside_s;
    return rc;
}

static enum psn_code judge_password(struct psn_vault *vault, const char *person,
                                    struct psn_departure_secret *secret,
                                    struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc = psn_role_read(vault, secret->address, &role, err);

    if (rc)
        return rc;
    secret->current = role.rotation.cur;
    secret->replaced = role.rotation.cur > secret->version;
    secret->dead = secret->replaced && !psn_rotation_old_due(&role.rotation);
    if (secret->replaced)
        secret->replaced_s = role.changed_s;
    return judge_theirs(vault, person, &role, secret, err);
}

static enum psn_code judge_item(struct psn_vault *vault, const char *person,
                                struct psn_departure_secret *secret,
                                struct psn_error *err)
{
    struct psn_item item = { 0 };
    bool lasts = false;
    enum psn_code rc = psn_item_read(vault, secret->address, secret->label, &item, err);

    if (rc)
        return rc;
    secret->current = item.info.version;
    secret->replaced = item.info.version > secret->version;
    secret->replacement = item.info.replacement;
    if (secret->replaced)
        secret->replaced_s = item.info.changed_s;
    rc = psn_item_lasts(vault, &item.info, person, &lasts, err);
    if (lasts && !secret->replaced)
        memcpy(secret->lasting, item.info.unchangeable, sizeof secret->lasting);
    if (rc)
        return rc;
    return psn_handover_is_theirs(vault, secret->client, secret->address, secret->label,
                                  person, &secret->handed, err);
}

/* A role that was removed since is no longer known; OVH has it, or not. */
static enum psn_code add_secret(struct psn_vault *vault, const struct psn_target *target,
                                struct psn_departure_report *report,
                                struct psn_error *err)
{
    struct psn_departure_secret *secret;
    struct psn_error why = { 0 };
    enum psn_code rc;

    if (PSN_GROW(report->secrets, report->secret_count, err))
        return PSN_E_NOMEM;
    secret = &report->secrets[report->secret_count];
    *secret =
        (struct psn_departure_secret){ .version = target->version, .seen = target->seen };
    memcpy(secret->client, target->client, sizeof secret->client);
    memcpy(secret->address, target->address, sizeof secret->address);
    memcpy(secret->label, target->label, sizeof secret->label);
    rc = target->label[0] ? judge_item(vault, report->facts.person, secret, &why)
                          : judge_password(vault, report->facts.person, secret, &why);
    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    if (rc && err)
        *err = why;
    report->secret_count += !rc;
    report->facts.outside += !rc && secret->outside_s;
    return rc;
}

static struct psn_departure_secret *find_password(struct psn_departure_report *report,
                                                  const char *address)
{
    for (size_t i = 0; i < report->secret_count; i++)
        if (!report->secrets[i].label[0] &&
            strcmp(report->secrets[i].address, address) == 0)
            return &report->secrets[i];
    return NULL;
}

/* What the journal says of the password that is in force now, and of his. */
static enum psn_code read_proof(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct psn_departure_report *report = arg;
    bool in_force = strcmp(entry->event, "password.in-force") == 0;
    struct psn_departure_secret *secret;

    (void)err;
    if (entry->time_s < report->facts.began_s ||
        (!in_force && strcmp(entry->event, "password.dead") != 0))
        return PSN_OK;
    secret = find_password(report, entry->subject);
    if (!secret)
        return PSN_OK;
    if (in_force && entry->version == secret->current)
        (void)snprintf(secret->proof, sizeof secret->proof, "%s", entry->text);
    if (!in_force && entry->version >= secret->version)
        secret->dead_s = entry->time_s;
    return PSN_OK;
}

/* A new one that he may know, too: it was set while a door of his was open. */
static enum psn_code mark_again(struct psn_vault *vault,
                                struct psn_departure_report *report,
                                struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc = psn_exposure_list(vault, report->person.id, NULL, &seen, err);

    for (size_t i = 0; !rc && i < seen.count; i++) {
        const struct psn_exposure *at = &seen.items[i];
        struct psn_departure_secret *secret =
            at->label[0] ? NULL : find_password(report, at->address);

        if (secret && secret->replaced && at->in_force && !at->dying)
            secret->again = true;
    }
    psn_exposure_list_release(&seen);
    return rc;
}

/* --- who stays --- */

static enum psn_code add_stay(struct psn_departure_report *report,
                              const struct psn_person *person, const char *address,
                              bool by_slot, bool due, struct psn_error *err)
{
    struct psn_departure_stay *stay;

    if (PSN_GROW(report->stays, report->stay_count, err))
        return PSN_E_NOMEM;
    stay = &report->stays[report->stay_count];
    *stay = (struct psn_departure_stay){ .by_slot = by_slot, .due = due };
    memcpy(stay->person, person->id, sizeof stay->person);
    memcpy(stay->name, person->name, sizeof stay->name);
    (void)snprintf(stay->address, sizeof stay->address, "%s", address);
    report->stay_count++;
    return PSN_OK;
}

static enum psn_code add_granted(struct psn_vault *vault,
                                 const struct psn_grant_brief *grant,
                                 struct psn_departure_report *report,
                                 struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_content *contents = NULL;
    struct psn_grant_row row = { 0 };
    struct psn_person person;
    bool lost = false;
    bool is_theirs = false;
    size_t count = 0;
    enum psn_code rc = psn_person_read(vault, grant->person, &person, err);

    if (!rc)
        rc = psn_reach_lost_slot(vault, &person, &lost, err);
    if (rc || person.departing_s || lost)
        return rc;
    rc = psn_grant_read(vault, grant->person, grant->address, &row, err);
    if (!rc)
        rc = psn_grant_contents(vault, &row, &contents, &count, err);
    if (!rc)
        count = psn_grant_keep_behind(&row, contents, count);
    if (!rc)
        rc = psn_handover_has_all(vault, row.client, contents, count, &is_theirs, err);
    if (!rc)
        rc = add_stay(report, &person, row.address, false, !is_theirs && count > 0, err);
    psn_grant_row_release(&row);
    return rc;
}

static enum psn_code add_stays(struct psn_vault *vault,
                               struct psn_departure_report *report, struct psn_error *err)
{
    struct psn_reach_map map = { 0 };
    enum psn_code rc = psn_reach_map_load(vault, &map, err);

    for (size_t i = 0; !rc && i < map.grants.count; i++) {
        const struct psn_grant_brief *grant = &map.grants.items[i];

        if (psn_grant_brief_state(grant, map.now_s) == PSN_GRANT_ACTIVE &&
            find_password(report, grant->address))
            rc = add_granted(vault, grant, report, err);
    }
    for (size_t i = 0; !rc && i < map.holder_count; i++) {
        struct psn_person person;
        bool again = false;

        for (size_t j = 0; j < i; j++)
            again = again || strcmp(map.holders[j].person, map.holders[i].person) == 0;
        if (again || map.holders[i].leaving)
            continue;
        rc = psn_person_read(vault, map.holders[i].person, &person, err);
        if (!rc)
            rc = add_stay(report, &person, "", true, false, err);
    }
    psn_reach_map_release(&map);
    return rc;
}

/* --- accesses --- */

struct gathering {
    const struct psn_scope *scope;
    struct psn_departure_report *report;
};

static bool concerns(const struct psn_scope *scope, const char *client)
{
    for (size_t i = 0; i < scope->client_count; i++)
        if (strcmp(scope->clients[i], client) == 0)
            return true;
    return false;
}

/* His, and what somebody has to judge; what was gone before is no news. */
static enum psn_code add_access(void *arg, const struct psn_access_row *row,
                                struct psn_error *err)
{
    const struct gathering *gathering = arg;
    struct psn_departure_report *report = gathering->report;
    const struct psn_access *access = &row->access;
    bool his = psn_access_is_his(&report->person, access);
    bool gone = access->state == PSN_ACCESS_GONE;
    bool is_news = gone ? access->gone_s >= report->facts.began_s
                        : his || access->finding.danger != PSN_DANGER_INFO;
    struct psn_departure_access *to;

    report->hidden += !gone && access->finding.kind == PSN_FINDING_UNREADABLE &&
                      access->state != PSN_ACCESS_KEPT &&
                      concerns(gathering->scope, row->client);
    if (!is_news || access->finding.own || access->finding.kind == PSN_FINDING_MAILBOX ||
        !concerns(gathering->scope, row->client))
        return PSN_OK;
    if (PSN_GROW(report->accesses, report->access_count, err))
        return PSN_E_NOMEM;
    to = &report->accesses[report->access_count];
    *to = (struct psn_departure_access){ .his = his, .access = *access };
    memcpy(to->client, row->client, sizeof to->client);
    report->access_count++;
    return PSN_OK;
}

static int compare_accesses(const void *a, const void *b)
{
    const struct psn_departure_access *left = a;
    const struct psn_departure_access *right = b;
    int order = right->his - left->his;

    if (!order)
        order = strcmp(left->client, right->client);
    return order ? order : strcmp(left->access.finding.id, right->access.finding.id);
}

/* --- heads --- */

static enum psn_code add_head(const char *chain, const struct psn_journal_entry *last,
                              struct psn_departure_report *report, struct psn_error *err)
{
    struct psn_head *head;

    if (PSN_GROW(report->heads, report->head_count, err))
        return PSN_E_NOMEM;
    head = &report->heads[report->head_count];
    *head = (struct psn_head){ .count = last->number };
    (void)snprintf(head->chain, sizeof head->chain, "%s", chain);
    memcpy(head->hash, last->hash, sizeof head->hash);
    report->head_count++;
    return PSN_OK;
}

struct last {
    struct psn_departure_report *report;
    struct psn_journal_entry entry;
};

static enum psn_code read_entry(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct last *last = arg;

    last->entry = *entry;
    return read_proof(last->report, entry, err);
}

static enum psn_code read_chain(struct psn_vault *vault, const char *chain,
                                struct psn_departure_report *report,
                                struct psn_error *err)
{
    struct last *last = calloc(1, sizeof *last);
    enum psn_code rc = last ? PSN_OK : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (!rc) {
        last->report = report;
        rc = psn_journal_each(vault, chain, 0, read_entry, last, err);
    }
    if (!rc)
        rc = add_head(chain, &last->entry, report, err);
    free(last);
    return rc;
}

/* --- all of it --- */

static enum psn_code read_person(struct psn_vault *vault, const char *person,
                                 struct psn_departure_report *report,
                                 struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_person_read(vault, person, &report->person, err);
    if (!rc)
        rc = psn_departure_drop_role_names(vault, &report->person, err);
    if (!rc)
        rc = psn_departure_read(vault, person, &report->facts, err);
    return psn_vault_end(vault, rc, err);
}

static enum psn_code gather(struct psn_vault *vault, const struct psn_scope *scope,
                            struct psn_departure_report *report, struct psn_error *err)
{
    struct gathering gathering = { scope, report };
    PSN_AUTO(psn_secret) *seed = NULL;
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    enum psn_code rc = psn_own_signing_key(vault, &seed, err);

    if (!rc)
        rc = psn_sign_public(seed, key, err);
    if (!rc)
        psn_sign_fingerprint(key, report->fingerprint);
    for (size_t i = 0; !rc && i < scope->target_count; i++)
        rc = add_secret(vault, &scope->targets[i], report, err);
    if (!rc)
        rc = mark_again(vault, report, err);
    if (!rc)
        rc = add_stays(vault, report, err);
    if (!rc)
        rc = psn_access_row_each(vault, NULL, add_access, &gathering, err);
    if (!rc && report->access_count > 1)
        qsort(report->accesses, report->access_count, sizeof *report->accesses,
              compare_accesses);
    return rc;
}

static enum psn_code fill(struct psn_vault *vault, const char *person,
                          struct psn_departure_report *report, struct psn_error *err)
{
    struct psn_scope scope = { 0 };
    enum psn_code rc = read_person(vault, person, report, err);

    report->now_s = vault->world.now_s();
    memcpy(report->by, report->person.departure.by, sizeof report->by);
    if (!rc)
        rc = psn_scope_of(vault, &report->person, &scope, err);
    report->removed = PSN_TAKE(scope.forgotten);
    report->facts.removed = scope.forgotten_count;
    for (size_t i = 0; i < report->facts.removed; i++)
        report->facts.unchanged += report->removed[i].unchanged[0] != '\0';
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    if (!rc)
        rc = psn_vault_end(vault, gather(vault, &scope, report, err), err);
    if (!rc)
        rc = read_chain(vault, "", report, err);
    for (size_t i = 0; !rc && i < scope.client_count; i++)
        rc = read_chain(vault, scope.clients[i], report, err);
    psn_scope_release(&scope);
    return rc;
}

enum psn_code psn_departure_report(struct psn_vault *vault, const char *person,
                                   struct psn_departure_report **ret_report,
                                   struct psn_error *err)
{
    struct psn_departure_report *report = calloc(1, sizeof *report);
    enum psn_code rc = report ? fill(vault, person, report, err)
                              : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (rc) {
        psn_departure_report_free(report);
        return rc;
    }
    *ret_report = report;
    return PSN_OK;
}
