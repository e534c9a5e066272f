/*
 * Asking for changes of contacts, and answering for the linked account.
 *
 * A change that was asked for is in the journal before OVH hears it, and its number after
 * OVH has given it. In between lies a kill, or a lost answer: then the change is looked
 * for among OVH's tasks (contact_look.c gives it to its note), and only what is not there
 * is asked for again. That OVH lets one change of a service run at a time makes even that
 * safe: the second one is told "busy", and the first is found.
 *
 *     read contacts ── as wished ─▶ nothing
 *         │ under way, by the journal or by a note without an answer ─▶ told
 *     note "asked" ─ send ─┬─ numbers ─▶ note "task"
 *                          ├─ busy, or not known ─ look ─┬─ found ─▶ note "task"
 *                          │                             └─ not ───▶ error
 *                          └─ refused ─▶ note "dropped", error
 */
#include "core/contact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/journal.h"

const char *psn_contact_advice(const struct psn_contact_change *change)
{
    switch (change->state) {
    case PSN_CONTACT_WAITING:
        if (change->id == 0)
            return _("OVH's answer was lost: ask again, what is under way is not asked "
                     "for twice");
        if (change->is_agreed)
            return _("agreed for the linked account; the other one has to agree within "
                     "seven days, with the token that OVH has sent to it by mail, under "
                     "'My requests' in the OVH control panel");
        return _(
            "both accounts have to agree within seven days, each with the token that "
            "OVH has sent to it by mail, here or under 'My requests' in the OVH "
            "control panel");
    case PSN_CONTACT_CHECKING:
        return _("OVH checks the two accounts first; look again in a few minutes");
    case PSN_CONTACT_DOING:
        return _("both have agreed; OVH carries it out within minutes");
    case PSN_CONTACT_REFUSED:
        return _("one of the two accounts declined, or has an unpaid bill, or they are "
                 "not in the same region: settle that, then ask again");
    case PSN_CONTACT_EXPIRED:
        return _("it was not agreed to within seven days: ask again");
    case PSN_CONTACT_ABORTED:
    case PSN_CONTACT_FAILED:
        return _("ask again; if it fails once more, ask OVH's support, with its number");
    case PSN_CONTACT_DONE:
    case PSN_CONTACT_STATES:
        break;
    }
    return "";
}

/* --- asking --- */

struct services {
    struct psn_contact_service *items;
    size_t count;
};

struct request {
    struct psn_contact_run run;
    const struct psn_contact_wish *wish;
    psn_contact_change_fn *each;
    void *arg;
    struct services services;
    struct psn_contact_list open; /* at OVH, when last looked */
};

/* What one service is to get: for each role an account, or "". */
struct order {
    const struct psn_contact_service *service;
    const char *from[PSN_CONTACT_ROLES];
    const char *to[PSN_CONTACT_ROLES];
};

static enum psn_code check_wish(const struct psn_contact_wish *wish,
                                struct psn_error *err)
{
    const char *const nics[PSN_CONTACT_ROLES] = { wish->admin, wish->tech,
                                                  wish->billing };
    char shown[120];
    bool any = false;

    for (size_t i = 0; i < PSN_CONTACT_ROLES; i++) {
        any = any || nics[i];
        if (nics[i] && !psn_contact_is_nic(nics[i]))
            return psn_fail(err, PSN_E_INVALID,
                            _("'%s' cannot be an OVH account (xy000000-ovh)"),
                            psn_text_shown(nics[i], shown, sizeof shown));
    }
    return any ? PSN_OK : psn_fail(err, PSN_E_INVALID, _("no contact is named"));
}

static enum psn_code collect_service(void *arg, const struct psn_contact_service *service,
                                     struct psn_error *err)
{
    struct request *request = arg;
    struct services *all = &request->services;
    enum psn_code rc;

    if (request->wish->wanted &&
        !request->wish->wanted(request->wish->wanted_arg, service))
        return PSN_OK;
    rc = PSN_GROW(all->items, all->count, err);
    if (!rc)
        all->items[all->count++] = *service;
    return rc;
}

static struct order order_of(const struct request *request,
                             const struct psn_contact_service *service)
{
    const struct psn_contact_wish *wish = request->wish;
    const char *const to[PSN_CONTACT_ROLES] = { wish->admin, wish->tech, wish->billing };
    struct order order = { service,
                           { service->admin, service->tech, service->billing },
                           { "", "", "" } };

    for (size_t i = 0; i < PSN_CONTACT_ROLES; i++)
        if (to[i] && strcasecmp(to[i], order.from[i]) != 0)
            order.to[i] = to[i];
    return order;
}

static bool is_empty(const struct order *order)
{
    for (size_t i = 0; i < PSN_CONTACT_ROLES; i++)
        if (order->to[i][0])
            return false;
    return true;
}

/* What is under way need not be asked for. True if the change covers part of the order.
 */
static bool strike_out(struct order *order, const struct psn_contact_change *change)
{
    const bool has[PSN_CONTACT_ROLES] = { change->admin, change->tech, change->billing };
    bool any = false;

    for (size_t i = 0; i < PSN_CONTACT_ROLES; i++)
        if (has[i] && order->to[i][0] && strcasecmp(order->to[i], change->to) == 0 &&
            strcasecmp(order->from[i], change->from) == 0) {
            order->to[i] = "";
            any = true;
        }
    return any;
}

/* The roles of the order that go from one account to another, as OVH makes a task of
 * them; first is the first of them, and those before are done. False: none begins here.
 */
static bool group_of(const struct order *order, size_t first,
                     struct psn_contact_change *ret_group)
{
    struct psn_contact_change group = { .kind = order->service->kind,
                                        .state = PSN_CONTACT_WAITING };
    bool *const flags[PSN_CONTACT_ROLES] = { &group.admin, &group.tech, &group.billing };

    if (!order->to[first][0])
        return false;
    for (size_t i = 0; i < PSN_CONTACT_ROLES; i++) {
        bool fits = order->to[i][0] && strcasecmp(order->to[i], order->to[first]) == 0 &&
                    strcasecmp(order->from[i], order->from[first]) == 0;

        if (fits && i < first)
            return false;
        *flags[i] = fits;
    }
    (void)snprintf(group.service, sizeof group.service, "%s", order->service->name);
    (void)snprintf(group.from, sizeof group.from, "%s", order->from[first]);
    (void)snprintf(group.to, sizeof group.to, "%s", order->to[first]);
    *ret_group = group;
    return true;
}

/* Notes the whole order, part by part. */
static enum psn_code note_order(struct request *request, const struct order *order,
                                const char *event, struct psn_error *err)
{
    struct psn_contact_run *run = &request->run;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < PSN_CONTACT_ROLES; i++) {
        struct psn_contact_change group;

        if (!group_of(order, i, &group))
            continue;
        group.asked_s = run->vault->world.now_s();
        group.ends_s = group.asked_s + PSN_CONTACT_WEEK_S;
        rc = psn_contact_note(run->vault, run->client.id, event, &group, err);
        if (!rc && strcmp(event, PSN_CONTACT_ASKED) == 0)
            rc = psn_contact_append(&run->known, &group, err);
    }
    return rc;
}

static void forget_asked(struct request *request, const struct order *order)
{
    struct psn_contact_list *known = &request->run.known;
    size_t kept = 0;

    for (size_t i = 0; i < known->count; i++)
        if (known->items[i].id != 0 || known->items[i].kind != order->service->kind ||
            strcmp(known->items[i].service, order->service->name) != 0)
            known->items[kept++] = known->items[i];
    known->count = kept;
}

/* It came to nothing; that is noted if it can be. */
static void drop(struct request *request, const struct order *order)
{
    PSN_IGNORE(note_order(request, order, PSN_CONTACT_DROPPED, NULL));
    forget_asked(request, order);
}

static enum psn_code tell(struct request *request, struct psn_contact_change *change,
                          struct psn_error *err)
{
    psn_contact_run_mark(&request->run, change);
    return request->each(request->arg, change, err);
}

static enum psn_code look_at_open(struct request *request, struct psn_error *err)
{
    request->open.count = 0;
    return psn_ovh_contact_open_tasks(request->run.ovh, psn_contact_collect,
                                      &request->open, err);
}

/* Tells of what is under way for the order, and strikes it out: tasks that the journal
 * has numbers of, and those that belong to its notes without one. */
static enum psn_code find_under_way(struct request *request, struct order *order,
                                    struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < request->open.count; i++) {
        struct psn_contact_change *task = &request->open.items[i];
        const struct psn_contact_change *known =
            psn_contact_find(&request->run.known, task->id);

        if (known) {
            task->kind = known->kind;
            memcpy(task->service, known->service, sizeof task->service);
        } else {
            rc = psn_contact_run_adopt(&request->run, task, err);
        }
        if (!rc && task->kind == order->service->kind &&
            strcmp(task->service, order->service->name) == 0 && strike_out(order, task))
            rc = tell(request, task, err);
    }
    return rc;
}

/* OVH has given numbers. */
static enum psn_code take_numbers(struct request *request, struct order *order,
                                  const struct psn_contact_ids *ids,
                                  struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < ids->count; i++) {
        struct psn_contact_change task;

        rc = psn_ovh_contact_task(request->run.ovh, ids->id[i], &task, err);
        if (rc)
            break;
        task.kind = order->service->kind;
        (void)snprintf(task.service, sizeof task.service, "%s", order->service->name);
        rc = psn_contact_note(request->run.vault, request->run.client.id,
                              PSN_CONTACT_TASK, &task, err);
        if (!rc)
            rc = psn_contact_append(&request->run.known, &task, err);
        if (!rc && psn_contact_is_over(task.state))
            rc = psn_contact_note(request->run.vault, request->run.client.id,
                                  psn_contact_event(task.state), &task, err);
        if (!rc)
            rc = tell(request, &task, err);
    }
    forget_asked(request, order);
    return rc;
}

static enum psn_code hand_up(const struct psn_error *why, struct psn_error *err)
{
    if (err)
        *err = *why;
    return why->code;
}

/* Busy, or not known: is it there? why is what OVH, or the network, said. */
static enum psn_code settle(struct request *request, struct order *order, bool is_busy,
                            const struct psn_error *why, struct psn_error *err)
{
    enum psn_code rc = look_at_open(request, err);

    if (!rc)
        rc = find_under_way(request, order, err);
    if (rc || is_empty(order))
        return rc;
    if (!is_busy) {
        rc = hand_up(why, err);
        return psn_hint(err, rc,
                        _("ask again: what is under way is not asked for twice"));
    }
    drop(request, order);
    rc = psn_fail(err, PSN_E_BUSY, _("another change of contacts is under way"));
    return psn_hint(err, rc,
                    _("OVH makes one at a time for each service: let that one end, or "
                      "have it declined, then ask again"));
}

/* Why OVH refuses, and who can do something about it. */
static enum psn_code refuse(const struct request *request, const struct order *order,
                            enum psn_ovh_outcome outcome, const struct psn_error *why,
                            struct psn_error *err)
{
    enum psn_ovh_reason reason = psn_ovh_last_reason(request->run.ovh);
    enum psn_code rc = hand_up(why, err);

    if (err && (reason == PSN_OVH_REASON_NO_RULE || reason == PSN_OVH_REASON_FORBIDDEN ||
                outcome == PSN_OVH_BAD_REQUEST || outcome == PSN_OVH_EXPIRED))
        err->hint[0] = '\0';
    if (reason == PSN_OVH_REASON_FORBIDDEN)
        return psn_hint(err, rc,
                        _("the administrator of the service names its contacts, others "
                          "replace themselves only: here that is %s, who has to ask"),
                        order->service->admin);
    if (outcome == PSN_OVH_BAD_REQUEST)
        return psn_hint(err, rc,
                        _("check the accounts: they exist, and are in the same region of "
                          "OVH as this one"));
    if (outcome == PSN_OVH_EXPIRED)
        return psn_hint(err, rc, _("the service has to be renewed first"));
    return psn_contact_run_explain(&request->run, rc, err);
}

static enum psn_code send(struct request *request, struct order *order,
                          struct psn_error *err)
{
    struct psn_contact_ids ids = { .count = 0 };
    struct psn_ovh_answer answer = { .outcome = PSN_OVH_NOT_SENT };
    struct psn_error why = { 0 };
    enum psn_code rc = note_order(request, order, PSN_CONTACT_ASKED, err);

    if (rc)
        return rc;
    rc = psn_ovh_contact_change(request->run.ovh, order->service, order->to, &answer,
                                &ids, &why);
    switch (rc ? PSN_OVH_NOT_SENT : answer.outcome) {
    case PSN_OVH_DONE:
        return take_numbers(request, order, &ids, err);
    case PSN_OVH_UNKNOWN:
    case PSN_OVH_THROTTLED:
        return settle(request, order, false, &why, err);
    case PSN_OVH_BUSY:
        return settle(request, order, true, &why, err);
    case PSN_OVH_NOT_SENT:
        drop(request, order);
        return hand_up(&why, err);
    case PSN_OVH_ABSENT:
    case PSN_OVH_BAD_REQUEST:
    case PSN_OVH_NOT_ALLOWED:
    case PSN_OVH_EXPIRED:
    case PSN_OVH_CLOCK:
        break;
    }
    drop(request, order);
    return refuse(request, order, answer.outcome, &why, err);
}

/* Notes without an answer: their tasks are given to them; where there is none, nothing is
 * under way, and what is still wished for is asked for again. At most one of them is from
 * the last run, which ended there. */
static enum psn_code settle_notes(struct request *request, struct psn_error *err)
{
    struct psn_contact_run *run = &request->run;
    size_t kept = 0;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < request->open.count; i++)
        if (!psn_contact_find(&run->known, request->open.items[i].id))
            rc = psn_contact_run_adopt(run, &request->open.items[i], err);
    for (size_t i = 0; !rc && i < run->known.count; i++) {
        if (run->known.items[i].id)
            run->known.items[kept++] = run->known.items[i];
        else
            rc = psn_contact_note(run->vault, run->client.id, PSN_CONTACT_DROPPED,
                                  &run->known.items[i], err);
    }
    if (!rc)
        run->known.count = kept;
    return rc;
}

static enum psn_code request_one(struct request *request,
                                 const struct psn_contact_service *service,
                                 struct psn_error *err)
{
    struct order order = order_of(request, service);
    enum psn_code rc = find_under_way(request, &order, err);

    if (!rc && !is_empty(&order))
        rc = send(request, &order, err);
    if (!rc)
        return PSN_OK;
    return psn_wrap(err, rc, _("contacts of %s %s"), psn_contact_kind_name(service->kind),
                    service->name);
}

/* Only what OVH refuses lets the others go on: a lost answer is to be settled before the
 * next change is asked for. */
static enum psn_code request_all(struct request *request, struct psn_error *err)
{
    enum psn_code first = settle_notes(request, err);
    bool goes_on = !first;

    for (size_t i = 0; goes_on && i < request->services.count; i++) {
        struct psn_error why = { 0 };
        enum psn_code rc = request_one(request, &request->services.items[i], &why);

        goes_on = rc == PSN_OK || rc == PSN_E_REFUSED || rc == PSN_E_BUSY;
        if (rc && !first) {
            first = rc;
            if (err)
                *err = why;
        }
    }
    return first;
}

enum psn_code psn_contact_request(struct psn_vault *vault, const char *client,
                                  const struct psn_contact_wish *wish,
                                  psn_contact_change_fn *each, void *arg,
                                  struct psn_error *err)
{
    struct request request = {
        .run = psn_contact_run_init(vault), .wish = wish, .each = each, .arg = arg
    };
    enum psn_code rc = check_wish(wish, err);

    if (!rc)
        rc = psn_contact_run_open(&request.run, client, true, err);
    if (!rc)
        rc = psn_contact_run_services(&request.run, collect_service, &request, err);
    if (!rc)
        rc = look_at_open(&request, err);
    if (!rc)
        rc = request_all(&request, err);
    free(request.services.items);
    psn_contact_list_release(&request.open);
    psn_contact_run_release(&request.run);
    return rc;
}
