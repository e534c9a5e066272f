#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/access_sweep.h"
#include "core/departure.h"
#include "core/drift.h"
#include "core/journal.h"
#include "ovh/cut.h"
#include "ovh/inventory.h"

/*
 * Sweeps. OVH is asked outside of any transaction; what it said is then compared with the
 * rows in one. An order to cut is durable before it is sent, and its outcome after it was
 * looked at: a run that is killed in between leaves "cutting", which the next sweep
 * settles by what it sees.
 */

const char *psn_access_state_name(enum psn_access_state state)
{
    switch (state) {
    case PSN_ACCESS_OPEN:
        return "open";
    case PSN_ACCESS_KEPT:
        return "kept";
    case PSN_ACCESS_CUTTING:
        return "cutting";
    case PSN_ACCESS_GONE:
        return "gone";
    }
    return "unknown";
}

bool psn_access_is_pending(const struct psn_access *access)
{
    return !access->finding.own && access->finding.danger != PSN_DANGER_INFO &&
           (access->state == PSN_ACCESS_OPEN || access->state == PSN_ACCESS_CUTTING);
}

/* --- lists --- */

enum psn_code psn_access_append(struct psn_access_list *list,
                                const struct psn_access_row *row, struct psn_error *err)
{
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    if (!rc)
        list->items[list->count++] = *row;
    return rc;
}

enum psn_code psn_access_collect(void *arg, const struct psn_access_row *row,
                                 struct psn_error *err)
{
    return psn_access_append(arg, row, err);
}

static struct psn_access_row *find(const struct psn_access_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].access.finding.id, id) == 0)
            return &list->items[i];
    return NULL;
}

static enum psn_code tell(const struct psn_access_list *list, psn_access_fn *each,
                          void *arg, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->count; i++)
        rc = each(arg, &list->items[i].access, err);
    return rc;
}

static enum psn_code read_rows(struct psn_vault *vault, const char *client,
                               struct psn_access_list *list, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(
                    vault,
                    psn_access_row_each(vault, client, psn_access_collect, list, err),
                    err);
}

enum psn_code psn_access_each(struct psn_vault *vault, const char *client,
                              psn_access_fn *each, void *arg, struct psn_error *err)
{
    struct psn_access_list list = { 0 };
    enum psn_code rc = read_rows(vault, client, &list, err);

    if (!rc)
        rc = tell(&list, each, arg, err);
    free(list.items);
    return rc;
}

/* --- asking OVH --- */

/* A list that grew between two of its pages shows one thing twice. */
static enum psn_code collect_finding(void *arg, const struct psn_finding *finding,
                                     struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_access_row *row = NULL;

    if (find(arg, finding->id))
        return PSN_OK;
    row = calloc(1, sizeof *row);
    if (!row)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    row->access.finding = *finding;
    return psn_access_append(arg, row, err);
}

static enum psn_code ask(struct psn_access_account *account, struct psn_access_list *list,
                         struct psn_error *err)
{
    const char *domains[PSN_CLIENT_DOMAINS_MAX];
    const struct psn_sweep_options options = {
        .domains = domains,
        .domain_count = account->client.domain_count,
        .own_ids = (const char *const *)account->own.items,
        .own_count = account->own.count,
        .elsewhere_ids = (const char *const *)account->elsewhere.items,
        .elsewhere_count = account->elsewhere.count,
    };

    for (size_t i = 0; i < account->client.domain_count; i++)
        domains[i] = account->client.domains[i];
    return psn_ovh_sweep(account->ovh, &options, collect_finding, list, err);
}

/* --- comparing --- */

/* Somebody judged what he saw: another owner, target or effect is another access. */
static bool is_the_same(const struct psn_finding *a, const struct psn_finding *b)
{
    return a->kind == b->kind && strcmp(a->subject, b->subject) == 0 &&
           strcmp(a->whose, b->whose) == 0 && a->danger <= b->danger;
}

/* Of mailboxes only what matters is noted, by core/drift.c. */
enum psn_code psn_access_note(struct psn_vault *vault, const char *client,
                              const char *event, const struct psn_access *access,
                              struct psn_error *err)
{
    if (access->finding.kind == PSN_FINDING_MAILBOX)
        return PSN_OK;
    return psn_journal_note(vault, client,
                            &(struct psn_note){ .event = event,
                                                .subject = access->finding.id,
                                                .text = access->finding.whose[0]
                                                            ? access->finding.whose
                                                            : access->finding.subject },
                            err);
}

/* Was there a sweep before, that looked at mailboxes, or at accesses? */
static bool has_swept(const struct psn_access_list *known, bool mailboxes)
{
    for (size_t i = 0; i < known->count; i++)
        if (mailboxes == (known->items[i].access.finding.kind == PSN_FINDING_MAILBOX))
            return true;
    return false;
}

/* What is found now becomes a row: what was said of it before stays, if it is the same.
 */
static enum psn_code merge(struct psn_vault *vault, const char *client,
                           struct psn_access_row *found,
                           const struct psn_access_list *all, struct psn_error *err)
{
    struct psn_access *access = &found->access;
    const struct psn_access_row *known = find(all, access->finding.id);
    const struct psn_access *before = known ? &known->access : NULL;
    int64_t now_s = vault->world.now_s();
    enum psn_code rc = PSN_OK;

    (void)snprintf(found->client, sizeof found->client, "%s", client);
    found->revision = known ? known->revision : 0;
    access->is_new = !before || before->state == PSN_ACCESS_GONE ||
                     !is_the_same(&access->finding, &before->finding);
    access->first_s = access->is_new ? now_s : before->first_s;
    access->last_s = now_s;
    if (!access->is_new) {
        access->state = before->state;
        access->decided_s = before->decided_s;
        memcpy(access->decided_by, before->decided_by, sizeof access->decided_by);
        access->is_later = before->is_later;
        access->is_taken = before->is_taken;
    } else {
        access->is_later = has_swept(all, access->finding.kind == PSN_FINDING_MAILBOX);
        rc = psn_access_note(vault, client, "access.found", access, err);
    }
    if (before)
        memcpy(access->known_to, before->known_to, sizeof access->known_to);
    return rc ? rc : psn_access_row_write(vault, found, err);
}

/* A part that OVH would not show this time says nothing of what lies in it. */
static bool is_hidden(const struct psn_access_list *found,
                      const struct psn_finding *finding)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct psn_finding *part = &found->items[i].access.finding;
        size_t length = strlen(part->subject);

        if (part->kind == PSN_FINDING_UNREADABLE &&
            (!finding->path[0] || (strncmp(finding->path, part->subject, length) == 0 &&
                                   strchr("/?", finding->path[length]))))
            return true;
    }
    return false;
}

static enum psn_code let_go(struct psn_vault *vault, struct psn_access_row *row,
                            struct psn_error *err)
{
    enum psn_code rc;

    row->access.state = PSN_ACCESS_GONE;
    row->access.gone_s = vault->world.now_s();
    row->access.is_new = false;
    rc = psn_access_row_write(vault, row, err);
    return rc ? rc
              : psn_access_note(vault, row->client, "access.gone", &row->access, err);
}

static enum psn_code compare(struct psn_vault *vault, const char *client,
                             struct psn_access_list *found, struct psn_access_list *gone,
                             struct psn_error *err)
{
    struct psn_access_list known = { 0 };
    enum psn_code rc =
        psn_access_row_each(vault, client, psn_access_collect, &known, err);

    for (size_t i = 0; !rc && i < found->count; i++)
        rc = merge(vault, client, &found->items[i], &known, err);
    for (size_t i = 0; !rc && i < known.count; i++) {
        struct psn_access_row *row = &known.items[i];

        if (row->access.state == PSN_ACCESS_GONE || find(found, row->access.finding.id))
            continue;
        /* Still there, as far as anybody knows. */
        if (row->access.finding.kind != PSN_FINDING_UNREADABLE &&
            is_hidden(found, &row->access.finding)) {
            row->access.is_new = false;
            rc = psn_access_append(found, row, err);
            continue;
        }
        rc = let_go(vault, row, err);
        if (!rc)
            rc = psn_access_append(gone, row, err);
    }
    free(known.items);
    if (!rc)
        rc = psn_drift_note(vault, client, found->items, found->count, err);
    if (!rc)
        rc = psn_departure_note_doors(vault, client, found->items, found->count, err);
    return rc ? rc
              : psn_departure_note_doors(vault, client, gone->items, gone->count, err);
}

void psn_access_sweep_release(struct psn_access_sweep *sweep)
{
    if (sweep->vault)
        psn_vault_unlock_operation(sweep->vault);
    psn_access_account_release(&sweep->account);
    free(sweep->found.items);
    free(sweep->gone.items);
}

struct psn_access_sweep psn_access_sweep_init(void)
{
    return (struct psn_access_sweep){ .account.client = psn_client_init() };
}

enum psn_code psn_access_sweep_lock(struct psn_vault *vault,
                                    struct psn_access_sweep *sweep, struct psn_error *err)
{
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    if (!rc)
        rc = psn_vault_lock_operation(vault, "sweep", err);
    if (!rc)
        sweep->vault = vault;
    return rc;
}

enum psn_code psn_access_sweep_open(struct psn_vault *vault, const char *client,
                                    struct psn_access_sweep *sweep, struct psn_error *err)
{
    return psn_access_account_open(vault, client, &sweep->account, err);
}

/* What only this look tells. An order that OVH has taken, whose task may be at work: one
 * that failed in silence is asked for again when a request of that age is dead in any
 * case. And what a key of ours looks like that does not tell which it is. */
static void mark(struct psn_access_sweep *sweep, int64_t now_s)
{
    int64_t settle_s = sweep->account.client.limits.settle_s;

    for (size_t i = 0; i < sweep->found.count; i++) {
        struct psn_access *access = &sweep->found.items[i].access;

        access->may_be_ours = sweep->account.is_unsure && !access->finding.own &&
                              !access->finding.elsewhere &&
                              (access->finding.kind == PSN_FINDING_API_KEY ||
                               access->finding.kind == PSN_FINDING_API_APP);
        access->is_under_way = access->state == PSN_ACCESS_CUTTING && access->is_taken &&
                               llabs(now_s - access->decided_s) < settle_s;
    }
}

enum psn_code psn_access_sweep_begin(struct psn_vault *vault, const char *client,
                                     struct psn_access_sweep *sweep,
                                     struct psn_error *err)
{
    enum psn_code rc = psn_access_account_open(vault, client, &sweep->account, err);

    if (!rc)
        rc = ask(&sweep->account, &sweep->found, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (!rc)
        rc = psn_vault_end(vault,
                           compare(vault, client, &sweep->found, &sweep->gone, err), err);
    mark(sweep, vault->world.now_s());
    return rc;
}

static enum psn_code sweep_tell(struct psn_vault *vault, const char *client,
                                struct psn_access_sweep *sweep, psn_access_fn *each,
                                void *arg, struct psn_error *err)
{
    enum psn_code rc = psn_access_sweep_begin(vault, client, sweep, err);

    if (!rc)
        rc = tell(&sweep->found, each, arg, err);
    return rc ? rc : tell(&sweep->gone, each, arg, err);
}

enum psn_code psn_sweep(struct psn_vault *vault, const char *client, psn_access_fn *each,
                        void *arg, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_access_sweep) sweep = psn_access_sweep_init();
    enum psn_code rc = psn_access_sweep_lock(vault, &sweep, err);

    return rc ? rc : sweep_tell(vault, client, &sweep, each, arg, err);
}

enum psn_code psn_access_look(struct psn_vault *vault, const char *client,
                              psn_access_fn *each, void *arg, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_access_sweep) sweep = psn_access_sweep_init();

    return sweep_tell(vault, client, &sweep, each, arg, err);
}
