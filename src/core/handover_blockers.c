#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "core/access.h"
#include "core/client.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/handover_blocking.h"
#include "core/item.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"
#include "core/rotation_machine.h"
#include "passation/contact.h"
#include "passation/due.h"

static void release(struct psn_blocking *blocking)
{
    psn_client_release(&blocking->client);
    free(blocking->contents.items);
    free(blocking->received.items);
    psn_issue_row_release(&blocking->issue);
}

static struct psn_handover_blocker *add(struct psn_blocking *blocking,
                                        enum psn_handover_stage stage,
                                        enum psn_handover_block block,
                                        enum psn_handover_who who, struct psn_error *err)
{
    struct psn_handover *handover = blocking->handover;
    struct psn_handover_blocker *blocker;

    if (PSN_GROW(handover->blockers, handover->blocker_count, err))
        return NULL;
    blocker = &handover->blockers[handover->blocker_count++];
    *blocker =
        (struct psn_handover_blocker){ .stage = stage, .block = block, .who = who };
    return blocker;
}

enum psn_code psn_blocking_add(struct psn_blocking *blocking,
                               enum psn_handover_stage stage,
                               enum psn_handover_block block, enum psn_handover_who who,
                               const char *address, const char *label,
                               struct psn_error *err)
{
    struct psn_handover_blocker *blocker = add(blocking, stage, block, who, err);

    if (!blocker)
        return PSN_E_NOMEM;
    (void)snprintf(blocker->address, sizeof blocker->address, "%s", address);
    (void)snprintf(blocker->label, sizeof blocker->label, "%s", label);
    return PSN_OK;
}

static enum psn_code add_text(struct psn_blocking *blocking,
                              enum psn_handover_stage stage,
                              enum psn_handover_block block, enum psn_handover_who who,
                              const char *text, struct psn_error *err)
{
    struct psn_handover_blocker *blocker = add(blocking, stage, block, who, err);

    if (!blocker)
        return PSN_E_NOMEM;
    (void)snprintf(blocker->text, sizeof blocker->text, "%s", text);
    return PSN_OK;
}

/* --- the inventory --- */

static enum psn_code add_items(struct psn_blocking *blocking, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (blocking->row->looked_s == 0)
        rc = add_text(blocking, PSN_HANDOVER_INVENTORY, PSN_BLOCKER_NOT_LOOKED,
                      PSN_WHO_US, "", err);
    for (size_t i = 0; !rc && i < PSN_HANDOVER_ITEMS; i++) {
        struct psn_handover_item_info info = psn_handover_item_info(i);

        if (!info.by_machine && blocking->row->items[i].mode == PSN_HANDOVER_OPEN)
            rc = add_text(blocking, PSN_HANDOVER_INVENTORY, PSN_BLOCKER_ITEM, PSN_WHO_US,
                          info.word, err);
    }
    return rc;
}

static bool has_received(const struct psn_blocking *blocking, const char *address,
                         const char *label, uint64_t version)
{
    return psn_contents_have(blocking->received.items, blocking->received.count, address,
                             label, version);
}

static enum psn_code add_role(void *arg, const struct psn_role_row *row,
                              struct psn_error *err)
{
    struct psn_blocking *blocking = arg;

    if (strcmp(row->client, blocking->client.id) != 0)
        return PSN_OK;
    if (row->rotation.phase != PSN_ROTATION_STABLE || row->rotation.cur == 0)
        return psn_blocking_add(blocking, PSN_HANDOVER_INVENTORY, PSN_BLOCKER_UNFINISHED,
                                PSN_WHO_US, row->address, "", err);
    /* One before it was accepted, after it was replaced. */
    if (row->rotation.old_dead == PSN_ROTATION_OLD_ALIVE)
        return psn_blocking_add(blocking, PSN_HANDOVER_INVENTORY, PSN_BLOCKER_UNFINISHED,
                                PSN_WHO_US, row->address, "", err);
    if (row->outside_s && !has_received(blocking, row->address, "", row->rotation.cur))
        return psn_blocking_add(blocking, PSN_HANDOVER_ROTATION, PSN_BLOCKER_OUTSIDE,
                                PSN_WHO_US, row->address, "", err);
    if (row->changed_s < blocking->row->began_s)
        return psn_blocking_add(blocking, PSN_HANDOVER_ROTATION, PSN_BLOCKER_OLD,
                                PSN_WHO_US, row->address, "", err);
    return PSN_OK;
}

/* A leaver owns nothing, and what he has confirmed is nobody's then. */
static enum psn_code add_receiver(struct psn_blocking *blocking, struct psn_error *err)
{
    const char *to = blocking->row->to;
    struct psn_person person;
    bool is_gone = false;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND, psn_person_read(blocking->vault, to, &person, err),
                  &is_gone, err);

    return rc || !(is_gone || person.departing_s)
               ? rc
               : add_text(blocking, PSN_HANDOVER_INVENTORY, PSN_BLOCKER_RECEIVER,
                          PSN_WHO_US, to, err);
}

/* --- what a look at the account told --- */

static bool is_unmanaged(struct psn_blocking *blocking, const struct psn_access *access)
{
    struct psn_role_row role;
    char address[PSN_ADDRESS_TEXT_MAX];

    (void)snprintf(address, sizeof address, "%.254s", access->finding.subject);
    return access->state != PSN_ACCESS_GONE &&
           psn_role_read(blocking->vault, address, &role, NULL) == PSN_E_NOT_FOUND;
}

/* One that somebody said may stay out holds up nothing, and is a reserve. */
static enum psn_code add_unmanaged(struct psn_blocking *blocking,
                                   const struct psn_access *access, struct psn_error *err)
{
    bool kept = access->state == PSN_ACCESS_KEPT;
    struct psn_handover_blocker *blocker =
        add(blocking, kept ? PSN_HANDOVER_CLOSING : PSN_HANDOVER_INVENTORY,
            PSN_BLOCKER_UNMANAGED, PSN_WHO_US, err);

    if (!blocker)
        return PSN_E_NOMEM;
    (void)snprintf(blocker->address, sizeof blocker->address, "%.254s",
                   access->finding.subject);
    memcpy(blocker->text, access->finding.id, sizeof access->finding.id);
    return PSN_OK;
}

/* One that somebody else is; text: what a change of it would be called. */
static enum psn_code add_contact(struct psn_blocking *blocking,
                                 const struct psn_finding *finding, struct psn_error *err)
{
    struct psn_handover_blocker *blocker =
        add(blocking, PSN_HANDOVER_CONTACTS, PSN_BLOCKER_CONTACT, PSN_WHO_US, err);
    struct psn_handover_contact contact;

    if (!blocker)
        return PSN_E_NOMEM;
    psn_handover_read_contact(finding, &contact);
    memcpy(blocker->text, contact.service, sizeof contact.service);
    memcpy(blocker->account, contact.from, sizeof contact.from);
    blocker->admin = contact.admin;
    blocker->tech = contact.tech;
    blocker->billing = contact.billing;
    (void)snprintf(blocker->label, sizeof blocker->label, "%.64s", finding->id);
    return PSN_OK;
}

/* Nobody has to ask for what was asked for: the contacts whom a change replaces are no
 * blockers of their own while it waits. */
static void drop_contacts(struct psn_handover *handover, const char *service,
                          const char *from)
{
    size_t kept = 0;

    for (size_t i = 0; i < handover->blocker_count; i++) {
        const struct psn_handover_blocker *at = &handover->blockers[i];

        if (at->block != PSN_BLOCKER_CONTACT || at->id ||
            strcmp(at->text, service) != 0 || strcasecmp(at->account, from) != 0)
            handover->blockers[kept++] = *at;
    }
    handover->blocker_count = kept;
}

/* Who has to answer: both sides, or the one that has not. */
static void set_who(struct psn_handover_blocker *blocker,
                    const struct psn_contact_change *change)
{
    if (change->is_agreed && change->from_is_ours)
        (void)snprintf(blocker->account, sizeof blocker->account, "%s", change->to);
    else if (change->is_agreed && change->to_is_ours)
        (void)snprintf(blocker->account, sizeof blocker->account, "%s", change->from);
    else
        (void)snprintf(blocker->account, sizeof blocker->account, "%.30s, %.30s",
                       change->from, change->to);
    memcpy(blocker->from, change->from, sizeof blocker->from);
    memcpy(blocker->to, change->to, sizeof blocker->to);
    blocker->admin = change->admin;
    blocker->tech = change->tech;
    blocker->billing = change->billing;
}

/* Whom a change has made contact is not "still" there: he is new, and not judged. */
static void mark_new_contact(struct psn_handover *handover, const char *service,
                             const struct psn_contact_change *change)
{
    for (size_t i = 0; i < handover->blocker_count; i++) {
        struct psn_handover_blocker *at = &handover->blockers[i];

        if (at->block == PSN_BLOCKER_CONTACT && !at->id &&
            strcmp(at->text, service) == 0 && strcasecmp(at->account, change->to) == 0 &&
            ((at->admin && change->admin) || (at->tech && change->tech) ||
             (at->billing && change->billing)))
            memcpy(at->to, change->to, sizeof at->to);
    }
}

/* A change that was asked for and has not ended: people of two accounts must answer. */
static enum psn_code add_change(void *arg, const struct psn_contact_change *change,
                                struct psn_error *err)
{
    struct psn_blocking *blocking = arg;
    struct psn_handover_blocker *blocker;
    char service[PSN_HANDOVER_TEXT_MAX];
    bool waits = change->state == PSN_CONTACT_WAITING;

    (void)snprintf(service, sizeof service, "%s %s", psn_contact_kind_name(change->kind),
                   change->service);
    if (change->state == PSN_CONTACT_DONE)
        mark_new_contact(blocking->handover, service, change);
    if (psn_contact_is_over(change->state))
        return PSN_OK;
    drop_contacts(blocking->handover, service, change->from);
    blocker = add(blocking, PSN_HANDOVER_CONTACTS, PSN_BLOCKER_CONTACT,
                  waits ? PSN_WHO_OTHER : PSN_WHO_OVH, err);
    if (!blocker)
        return PSN_E_NOMEM;
    memcpy(blocker->text, service, sizeof blocker->text);
    set_who(blocker, change);
    blocker->id = change->id;
    blocker->until_s = change->ends_s;
    return PSN_OK;
}

static enum psn_code add_access(void *arg, const struct psn_access_row *row,
                                struct psn_error *err)
{
    struct psn_blocking *blocking = arg;
    const struct psn_access *access = &row->access;
    struct psn_handover_blocker *blocker;

    if (access->finding.kind == PSN_FINDING_MAILBOX)
        return is_unmanaged(blocking, access) ? add_unmanaged(blocking, access, err)
                                              : PSN_OK;
    if (!psn_access_is_pending(access))
        return PSN_OK;
    if (access->finding.kind == PSN_FINDING_CONTACT) {
        return add_contact(blocking, &access->finding, err);
    }
    blocker = add(blocking, PSN_HANDOVER_ACCESSES, PSN_BLOCKER_ACCESS, PSN_WHO_US, err);
    if (!blocker)
        return PSN_E_NOMEM;
    (void)snprintf(blocker->text, sizeof blocker->text, "%s", access->finding.id);
    blocker->fixed = access->finding.obstacle[0] != '\0';
    return PSN_OK;
}

/* --- what somebody without right knows --- */

/* Several people may know it. */
static enum psn_code add_known_once(struct psn_blocking *blocking, const char *address,
                                    const char *label, struct psn_error *err)
{
    for (size_t i = 0; i < blocking->handover->blocker_count; i++) {
        const struct psn_handover_blocker *at = &blocking->handover->blockers[i];

        if (at->block == PSN_BLOCKER_KNOWN && strcmp(at->address, address) == 0 &&
            strcmp(at->label, label) == 0)
            return PSN_OK;
    }
    return psn_blocking_add(blocking, PSN_HANDOVER_ROTATION, PSN_BLOCKER_KNOWN,
                            PSN_WHO_US, address, label, err);
}

static enum psn_code add_known(void *arg, const struct psn_due *due,
                               struct psn_error *err)
{
    struct psn_blocking *blocking = arg;

    if ((due->kind != PSN_DUE_ROTATE && due->kind != PSN_DUE_SECRET &&
         due->kind != PSN_DUE_RESUME) ||
        !due->person[0] || strcmp(due->client, blocking->client.id) != 0)
        return PSN_OK;
    return add_known_once(blocking, due->address, due->label, err);
}

/* One version that somebody knows. What nobody can change stays known, as the record says
 * (part 7), and waits for nothing. */
struct knowledge {
    const char *person;
    const char *address;
    const char *label;
    uint64_t version;
};

/* What is in force, and not the client's own. */
static enum psn_code add_knowledge(struct psn_blocking *blocking,
                                   const struct knowledge *known, struct psn_error *err)
{
    const struct psn_content_list *contents = &blocking->contents;
    struct psn_item item = { 0 };
    bool lasts = false;
    enum psn_code rc = PSN_OK;

    if (!psn_contents_have(contents->items, contents->count, known->address, known->label,
                           known->version) ||
        has_received(blocking, known->address, known->label, known->version))
        return PSN_OK;
    if (known->label[0])
        rc = psn_item_read(blocking->vault, known->address, known->label, &item, err);
    if (!rc)
        rc = psn_item_lasts(blocking->vault, &item.info, known->person, &lasts, err);
    if (rc || lasts)
        return rc;
    return add_known_once(blocking, known->address, known->label, err);
}

static enum psn_code add_targets(struct psn_blocking *blocking, const char *person,
                                 const struct psn_scope *scope, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < scope->target_count; i++) {
        const struct psn_target *at = &scope->targets[i];

        rc = add_knowledge(
            blocking, &(struct knowledge){ person, at->address, at->label, at->version },
            err);
    }
    return rc;
}

/* What has come to him since: a password that was set while a way in of his was open. */
static enum psn_code add_seen(struct psn_blocking *blocking, const char *person,
                              struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc = psn_exposure_list(blocking->vault, person, NULL, &seen, err);

    for (size_t i = 0; !rc && i < seen.count; i++) {
        const struct psn_exposure *at = &seen.items[i];

        rc = add_knowledge(
            blocking, &(struct knowledge){ person, at->address, at->label, at->version },
            err);
    }
    psn_exposure_list_release(&seen);
    return rc;
}

struct door {
    struct psn_blocking *blocking;
    const struct psn_person *person;
};

/* What is set while it is open, he may know. */
static enum psn_code add_door(void *arg, const struct psn_access_row *row,
                              struct psn_error *err)
{
    const struct door *door = arg;
    const struct psn_access *access = &row->access;

    return access->state != PSN_ACCESS_GONE && !access->finding.own &&
                   psn_access_is_his(door->person, access)
               ? add_text(door->blocking, PSN_HANDOVER_ROTATION, PSN_BLOCKER_DOOR,
                          PSN_WHO_US, access->finding.id, err)
               : PSN_OK;
}

/* What somebody is leaving with, and what lay in the vault when somebody's last slot
 * went, is due by a line of its own that names no mailbox. */
static enum psn_code add_leaver(struct psn_blocking *blocking,
                                const struct psn_person *person, struct psn_error *err)
{
    struct psn_scope scope = { 0 };
    bool lost = false;
    enum psn_code rc = psn_reach_lost_slot(blocking->vault, person, &lost, err);

    if (rc || strcmp(person->id, blocking->row->to) == 0)
        return rc;
    if (lost)
        rc = psn_scope_lost(blocking->vault, person, &scope, err);
    if (!rc)
        rc = add_targets(blocking, person->id, &scope, err);
    psn_scope_release(&scope);
    scope = (struct psn_scope){ 0 };
    if (!rc && person->departing_s)
        rc = psn_scope_began(blocking->vault, blocking->client.id, person, &scope, err);
    if (!rc)
        rc = add_targets(blocking, person->id, &scope, err);
    if (!rc && person->departing_s)
        rc = add_seen(blocking, person->id, err);
    if (!rc && person->departing_s)
        rc = psn_access_row_each(blocking->vault, blocking->client.id, add_door,
                                 &(struct door){ blocking, person }, err);
    psn_scope_release(&scope);
    return rc;
}

/* What the client has received is his, who is told. */
static enum psn_code add_leavers(struct psn_blocking *blocking, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    size_t count = 0;
    enum psn_code rc = psn_person_list(blocking->vault, &people, &count, err);

    for (size_t i = 0; !rc && i < count; i++)
        rc = add_leaver(blocking, &people[i], err);
    return rc;
}

/* --- values that the trousseau cannot hold --- */

/* One that is ready and not in use; and one that nobody wants any more, which the vault
 * has all the same until its copies go. */
static enum psn_code add_item(void *arg, const struct psn_secret_info *info,
                              struct psn_error *err)
{
    struct psn_blocking *blocking = arg;
    enum psn_code rc = PSN_OK;

    if (info->replacement)
        rc = psn_blocking_add(blocking, PSN_HANDOVER_ROTATION, PSN_BLOCKER_REPLACEMENT,
                              PSN_WHO_US, info->address, info->label, err);
    if (rc || !info->hidden ||
        has_received(blocking, info->address, info->label, info->version) ||
        psn_contents_have(blocking->issue.contents, blocking->issue.content_count,
                          info->address, info->label, info->version))
        return rc;
    return psn_blocking_add(blocking, PSN_HANDOVER_CLOSING, PSN_BLOCKER_HIDDEN,
                            PSN_WHO_US, info->address, info->label, err);
}

/* --- the trousseau --- */

static enum psn_code add_trousseau(struct psn_blocking *blocking, struct psn_error *err)
{
    struct psn_handover *handover = blocking->handover;
    enum psn_code rc = PSN_OK;

    if (!handover->confirmed_s)
        rc = add_text(blocking, PSN_HANDOVER_RECEIPT, PSN_BLOCKER_NO_RECEIPT,
                      PSN_WHO_CLIENT, "", err);
    if (rc || blocking->issue.serial == 0)
        return rc ? rc
                  : add_text(blocking, PSN_HANDOVER_ISSUE, PSN_BLOCKER_NOT_ISSUED,
                             PSN_WHO_US, "", err);
    for (size_t i = 0; !rc && i < blocking->contents.count; i++) {
        const struct psn_content *at = &blocking->contents.items[i];

        if (!psn_contents_have(blocking->issue.contents, blocking->issue.content_count,
                               at->address, at->label, at->version))
            rc = psn_blocking_add(blocking, PSN_HANDOVER_ISSUE, PSN_BLOCKER_STALE,
                                  PSN_WHO_US, at->address, at->label, err);
    }
    if (!rc && !handover->compared_s)
        rc = add_text(blocking, PSN_HANDOVER_ISSUE, PSN_BLOCKER_NOT_COMPARED, PSN_WHO_US,
                      "", err);
    return rc;
}

/* --- all --- */

static enum psn_code read_all(struct psn_blocking *blocking, struct psn_error *err)
{
    struct psn_vault *vault = blocking->vault;
    const char *client = blocking->handover->client;
    enum psn_code rc = psn_client_read(vault, client, &blocking->client, err);

    if (!rc)
        rc = psn_handover_contents(vault, client, &blocking->contents, err);
    if (!rc) {
        rc = psn_handover_issue_row(vault, client, blocking->row, &blocking->issue, NULL);
        rc = rc == PSN_E_NOT_FOUND ? PSN_OK : rc;
        if (rc)
            return psn_fail(err, rc, _("the trousseau of '%s' cannot be read"), client);
    }
    if (!rc)
        rc = psn_handover_received(vault, client, &blocking->received, err);
    if (!rc)
        rc = add_receiver(blocking, err);
    if (!rc)
        rc = add_items(blocking, err);
    if (!rc)
        rc = psn_role_scan(vault, NULL, 0, add_role, blocking, err);
    if (!rc)
        rc = psn_access_row_each(vault, client, add_access, blocking, err);
    if (!rc)
        rc = psn_handover_each_item(vault, &blocking->contents, add_item, blocking, err);
    if (!rc)
        rc = add_leavers(blocking, err);
    return rc;
}

static int compare_blockers(const void *a, const void *b)
{
    const struct psn_handover_blocker *left = a;
    const struct psn_handover_blocker *right = b;
    int order = (int)left->stage - (int)right->stage;

    if (!order)
        order = (int)left->block - (int)right->block;
    if (!order)
        order = strcmp(left->address, right->address);
    return order ? order : strcmp(left->text, right->text);
}

static enum psn_code add_closing(struct psn_blocking *blocking, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (blocking->client.linked && !blocking->row->keys_gone_s)
        rc = add_text(blocking, PSN_HANDOVER_CLOSING, PSN_BLOCKER_OWN_KEY, PSN_WHO_US, "",
                      err);
    return rc ? rc
              : add_text(blocking, PSN_HANDOVER_CLOSING, PSN_BLOCKER_COPIES, PSN_WHO_US,
                         "", err);
}

enum psn_code psn_handover_find_blockers(struct psn_vault *vault,
                                         const struct psn_handover_row *row,
                                         struct psn_handover *handover,
                                         struct psn_error *err)
{
    struct psn_blocking blocking = { .vault = vault, .row = row, .handover = handover };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, read_all(&blocking, err), err);
    if (!rc && blocking.issue.state == PSN_ISSUE_CONFIRMED)
        handover->confirmed_s = blocking.issue.confirmed_s;
    if (!rc)
        rc = psn_due_each(vault, NULL, add_known, &blocking, err);
    if (!rc)
        rc = add_trousseau(&blocking, err);
    if (!rc)
        rc = psn_contact_history(vault, handover->client, add_change, &blocking, err);
    if (!rc)
        rc = psn_blocking_add_logins(&blocking, err);
    if (!rc)
        rc = add_closing(&blocking, err);
    if (!rc && handover->blocker_count > 1)
        qsort(handover->blockers, handover->blocker_count, sizeof *handover->blockers,
              compare_blockers);
    if (!rc)
        handover->stage = handover->blockers[0].stage;
    release(&blocking);
    return rc;
}
