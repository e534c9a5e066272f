#include "core/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/credential.h"
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

struct access_list {
    struct psn_access_row *items;
    size_t count;
    size_t capacity;
};

static enum psn_code append(struct access_list *list, const struct psn_access_row *row,
                            struct psn_error *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct psn_access_row *grown = reallocarray(list->items, capacity, sizeof *grown);

        if (!grown)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = *row;
    return PSN_OK;
}

static enum psn_code collect_row(void *arg, const struct psn_access_row *row,
                                 struct psn_error *err)
{
    return append(arg, row, err);
}

static struct psn_access_row *find(const struct access_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].access.finding.id, id) == 0)
            return &list->items[i];
    return NULL;
}

static enum psn_code tell(const struct access_list *list, psn_access_fn *each, void *arg,
                          struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->count; i++)
        rc = each(arg, &list->items[i].access, err);
    return rc;
}

static enum psn_code read_rows(struct psn_vault *vault, const char *client,
                               struct access_list *list, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault,
                              psn_access_row_each(vault, client, collect_row, list, err),
                              err);
}

enum psn_code psn_access_each(struct psn_vault *vault, const char *client,
                              psn_access_fn *each, void *arg, struct psn_error *err)
{
    struct access_list list = { 0 };
    enum psn_code rc = read_rows(vault, client, &list, err);

    if (!rc)
        rc = tell(&list, each, arg, err);
    free(list.items);
    return rc;
}

/* --- asking OVH --- */

enum {
    OWN_MAX = 6, /* key, application or service account, for each of two */
};

struct account {
    struct psn_client client;
    struct psn_ovh *ovh;
    char own_ids[OWN_MAX][PSN_FINDING_ID_MAX]; /* of our keys, the one in use or not */
    size_t own_count;
};

static void account_release(struct account *account)
{
    psn_ovh_free(account->ovh);
    psn_client_release(&account->client);
}

static void add_own(struct account *account, struct psn_ovh *ovh)
{
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);

    /* A key that may not be asked about itself is known to OVH as the one in use. */
    if (!info || psn_ovh_key_info(ovh, info, NULL))
        return;
    (void)snprintf(account->own_ids[account->own_count++], PSN_FINDING_ID_MAX,
                   "api_key:%lld", (long long)info->credential_id);
    (void)snprintf(account->own_ids[account->own_count++], PSN_FINDING_ID_MAX,
                   "api_application:%lld", (long long)info->application_id);
}

/* Service accounts are named by what we know of them ourselves. */
static enum psn_code add_own_accounts(struct psn_vault *vault, struct account *account,
                                      struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (!rc)
        rc = psn_vault_end(
            vault, psn_credentials_get(vault, account->client.id, &all, err), err);
    for (size_t use = 0; !rc && use < PSN_KEY_USES; use++)
        if (psn_ovh_credential_is_account(&all.of[use]))
            (void)snprintf(account->own_ids[account->own_count++], PSN_FINDING_ID_MAX,
                           "oauth_client:%s",
                           (const char *)psn_secret_bytes(all.of[use].client_id));
    return rc;
}

/* The second key sees and removes more; without one, the key for daily work. Each is ours
 * in the eyes of the other. */
static enum psn_code account_open(struct psn_vault *vault, const char *client,
                                  struct account *account, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *work = NULL;
    enum psn_code rc = psn_client_get(vault, client, &account->client, err);

    if (!rc)
        rc = psn_client_connect(vault, &account->client, &work, err);
    if (!rc)
        rc = add_own_accounts(vault, account, err);
    if (!rc && account->client.keys.cut_expires_s > vault->world.now_s())
        rc = psn_client_connect_cut(vault, &account->client, &account->ovh, err);
    if (rc)
        return rc;
    if (!account->client.keys.is_account)
        add_own(account, work);
    if (account->ovh)
        add_own(account, account->ovh);
    else
        account->ovh = PSN_TAKE(work);
    return PSN_OK;
}

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
    return append(arg, row, err);
}

static enum psn_code ask(struct account *account, struct access_list *list,
                         struct psn_error *err)
{
    const char *domains[PSN_CLIENT_DOMAINS_MAX];
    const char *own[OWN_MAX];
    struct psn_sweep_options options = { .domains = domains,
                                         .domain_count = account->client.domain_count,
                                         .own_ids = own,
                                         .own_count = account->own_count };

    for (size_t i = 0; i < account->client.domain_count; i++)
        domains[i] = account->client.domains[i];
    for (size_t i = 0; i < account->own_count; i++)
        own[i] = account->own_ids[i];
    return psn_ovh_sweep(account->ovh, &options, collect_finding, list, err);
}

/* --- comparing --- */

/* Somebody judged what he saw: another owner, target or effect is another access. */
static bool is_the_same(const struct psn_finding *a, const struct psn_finding *b)
{
    return a->kind == b->kind && strcmp(a->subject, b->subject) == 0 &&
           strcmp(a->whose, b->whose) == 0 && a->danger <= b->danger;
}

static enum psn_code note(struct psn_vault *vault, const char *client, const char *event,
                          const struct psn_access *access, struct psn_error *err)
{
    return psn_journal_note(vault, client,
                            &(struct psn_note){ .event = event,
                                                .subject = access->finding.id,
                                                .text = access->finding.whose[0]
                                                            ? access->finding.whose
                                                            : access->finding.subject },
                            err);
}

/* What is found now becomes a row: what was said of it before stays, if it is the same.
 */
static enum psn_code merge(struct psn_vault *vault, const char *client,
                           struct psn_access_row *found,
                           const struct psn_access_row *known, struct psn_error *err)
{
    struct psn_access *access = &found->access;
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
    } else {
        rc = note(vault, client, "access.found", access, err);
    }
    return rc ? rc : psn_access_row_write(vault, found, err);
}

/* A part that OVH would not show this time says nothing of what lies in it. */
static bool is_hidden(const struct access_list *found, const struct psn_finding *finding)
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
    row->access.is_new = false;
    rc = psn_access_row_write(vault, row, err);
    return rc ? rc : note(vault, row->client, "access.gone", &row->access, err);
}

static enum psn_code compare(struct psn_vault *vault, const char *client,
                             struct access_list *found, struct access_list *gone,
                             struct psn_error *err)
{
    struct access_list known = { 0 };
    enum psn_code rc = psn_access_row_each(vault, client, collect_row, &known, err);

    for (size_t i = 0; !rc && i < found->count; i++)
        rc = merge(vault, client, &found->items[i],
                   find(&known, found->items[i].access.finding.id), err);
    for (size_t i = 0; !rc && i < known.count; i++) {
        struct psn_access_row *row = &known.items[i];

        if (row->access.state == PSN_ACCESS_GONE || find(found, row->access.finding.id))
            continue;
        /* Still there, as far as anybody knows. */
        if (row->access.finding.kind != PSN_FINDING_UNREADABLE &&
            is_hidden(found, &row->access.finding)) {
            row->access.is_new = false;
            rc = append(found, row, err);
            continue;
        }
        rc = let_go(vault, row, err);
        if (!rc)
            rc = append(gone, row, err);
    }
    free(known.items);
    return rc;
}

/* A sweep under way: it holds the operation lock until it is released. */
struct sweep {
    struct psn_vault *vault;
    struct account account;
    struct access_list found;
    struct access_list gone;
};

static void sweep_release(struct sweep *sweep)
{
    if (sweep->vault)
        psn_vault_unlock_operation(sweep->vault);
    account_release(&sweep->account);
    free(sweep->found.items);
    free(sweep->gone.items);
}

static enum psn_code sweep_begin(struct psn_vault *vault, const char *client,
                                 struct sweep *sweep, struct psn_error *err)
{
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    *sweep = (struct sweep){ .account.client = psn_client_init() };
    if (!rc)
        rc = psn_vault_lock_operation(vault, "sweep", err);
    if (rc)
        return rc;
    sweep->vault = vault;
    rc = account_open(vault, client, &sweep->account, err);
    if (!rc)
        rc = ask(&sweep->account, &sweep->found, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc
              : psn_vault_end(
                    vault, compare(vault, client, &sweep->found, &sweep->gone, err), err);
}

enum psn_code psn_sweep(struct psn_vault *vault, const char *client, psn_access_fn *each,
                        void *arg, struct psn_error *err)
{
    PSN_AUTO_RELEASE(sweep) sweep;
    enum psn_code rc = sweep_begin(vault, client, &sweep, err);

    if (!rc)
        rc = tell(&sweep.found, each, arg, err);
    return rc ? rc : tell(&sweep.gone, each, arg, err);
}

/* --- judging --- */

static enum psn_code fail_unknown(const char *client, const char *id,
                                  struct psn_error *err)
{
    char shown[PSN_FINDING_ID_MAX];

    psn_error_clear(err);
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("the last sweep of '%s' showed no '%s'"),
                   client, psn_text_shown(id, shown, sizeof shown));
    return psn_hint(err, PSN_E_NOT_FOUND, _("see what there is: passation sweep %s"),
                    client);
}

static enum psn_code read_known(struct psn_vault *vault, const char *client,
                                const char *id, struct psn_access_row *ret_row,
                                struct psn_error *err)
{
    enum psn_code rc = psn_access_row_read(vault, client, id, ret_row, err);

    return rc == PSN_E_NOT_FOUND ? fail_unknown(client, id, err) : rc;
}

static void decide(struct psn_vault *vault, struct psn_access_row *row,
                   enum psn_access_state state)
{
    row->access.state = state;
    row->access.is_new = false;
    row->access.decided_s = vault->world.now_s();
    memcpy(row->access.decided_by, vault->actor, sizeof row->access.decided_by);
}

static enum psn_code keep_all(struct psn_vault *vault, const char *client,
                              const char *const *ids, size_t count, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_access_row *row = calloc(1, sizeof *row);
    enum psn_code rc = row ? PSN_OK : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    for (size_t i = 0; !rc && i < count; i++) {
        rc = read_known(vault, client, ids[i], row, err);
        if (!rc && row->access.state == PSN_ACCESS_GONE)
            rc = fail_unknown(client, ids[i], err);
        if (rc)
            break;
        decide(vault, row, PSN_ACCESS_KEPT);
        rc = psn_access_row_write(vault, row, err);
        if (!rc)
            rc = note(vault, client, "access.kept", &row->access, err);
    }
    return rc;
}

enum psn_code psn_access_keep(struct psn_vault *vault, const char *client,
                              const char *const *ids, size_t count, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, keep_all(vault, client, ids, count, err), err);
}

/* --- cutting --- */

/* What stays inside is somebody's way of working: it goes only if it is named. */
static bool may_be_cut(const struct psn_access *access)
{
    return psn_access_is_pending(access) && access->finding.method[0];
}

static enum psn_code choose_named(struct psn_vault *vault, const char *client,
                                  const char *const *ids, size_t count,
                                  struct access_list *list, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_access_row *row = calloc(1, sizeof *row);
    enum psn_code rc = row ? PSN_OK : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    for (size_t i = 0; !rc && i < count; i++) {
        rc = read_known(vault, client, ids[i], row, err);
        if (!rc && row->access.finding.own) {
            (void)psn_fail(err, PSN_E_POLICY,
                           _("%s is the key that passation works with"), ids[i]);
            rc = psn_hint(err, PSN_E_POLICY,
                          _("replace it first: passation ovh link %s --new"), client);
        }
        if (!rc)
            rc = append(list, row, err);
    }
    return rc;
}

static enum psn_code choose(struct psn_vault *vault, const char *client,
                            const char *const *ids, size_t count,
                            struct access_list *list, struct psn_error *err)
{
    struct access_list all = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    if (count > 0)
        return psn_vault_end(vault, choose_named(vault, client, ids, count, list, err),
                             err);
    rc = psn_vault_end(vault, psn_access_row_each(vault, client, collect_row, &all, err),
                       err);
    for (size_t i = 0; !rc && i < all.count; i++)
        if (may_be_cut(&all.items[i].access))
            rc = append(list, &all.items[i], err);
    free(all.items);
    return rc;
}

/* One row as it is to be, with a note, in a transaction of its own. */
static enum psn_code record(struct psn_vault *vault, struct psn_access_row *row,
                            enum psn_access_state state, const char *event,
                            struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    if (rc)
        return rc;
    decide(vault, row, state);
    rc = psn_access_row_write(vault, row, err);
    if (!rc)
        rc = note(vault, row->client, event, &row->access, err);
    return psn_vault_end(vault, rc, err);
}

static enum psn_code record_end(struct psn_vault *vault, struct psn_access_row *row,
                                enum psn_cut_state state, struct psn_error *err)
{
    switch (state) {
    case PSN_CUT_GONE:
        return record(vault, row, PSN_ACCESS_GONE, "access.gone", err);
    case PSN_CUT_IMPOSSIBLE:
        return record(vault, row, PSN_ACCESS_OPEN, "access.cut-impossible", err);
    case PSN_CUT_UNDER_WAY:
    case PSN_CUT_WAITING:
        return PSN_OK;
    }
    return PSN_OK;
}

/* A refusal is certain: nothing was removed. After anything else it may have been, and
 * the next sweep will say. */
static enum psn_code cut_one(struct psn_vault *vault, struct account *account,
                             struct psn_access_row *row, enum psn_cut_state *ret_state,
                             struct psn_error *err)
{
    struct psn_cut cut = { 0 };
    enum psn_code rc;

    *ret_state = PSN_CUT_GONE;
    if (row->access.state == PSN_ACCESS_GONE)
        return PSN_OK;
    rc = record(vault, row, PSN_ACCESS_CUTTING, "access.cut", err);
    if (rc)
        return rc;
    rc = psn_ovh_cut(account->ovh, &row->access.finding, &cut, err);
    *ret_state = cut.state;
    if (!rc)
        return record_end(vault, row, cut.state, err);
    if (rc == PSN_E_REFUSED || rc == PSN_E_BUSY)
        PSN_IGNORE(record(vault, row, PSN_ACCESS_OPEN, "access.cut-refused", NULL));
    return rc;
}

static enum psn_code cut_listed(struct psn_vault *vault, struct account *account,
                                struct access_list *list, psn_access_cut_fn *each,
                                void *arg, struct psn_error *err)
{
    enum psn_code first = PSN_OK;

    for (size_t i = 0; i < list->count; i++) {
        struct psn_error cause = { 0 };
        struct psn_access_cut cut = { .access = &list->items[i].access };
        enum psn_code rc = cut_one(vault, account, &list->items[i], &cut.state, &cause);

        if (rc && !first) {
            first = rc;
            if (err)
                *err = cause;
        }
        cut.failed = rc ? &cause : NULL;
        rc = each(arg, &cut, first ? NULL : err);
        if (rc)
            return first ? first : rc;
    }
    return first;
}

enum psn_code psn_access_cut(struct psn_vault *vault, const char *client,
                             const char *const *ids, size_t count,
                             psn_access_cut_fn *each, void *arg, struct psn_error *err)
{
    PSN_AUTO_RELEASE(sweep) sweep;
    struct access_list list = { 0 };
    /* How a thing is removed is told by how it is now. */
    enum psn_code rc = sweep_begin(vault, client, &sweep, err);

    if (!rc)
        rc = choose(vault, client, ids, count, &list, err);
    if (!rc)
        rc = cut_listed(vault, &sweep.account, &list, each, arg, err);
    free(list.items);
    return rc;
}
