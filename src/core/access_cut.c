#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/access_sweep.h"
#include "core/journal.h"
#include "ovh/cut.h"

/* What is said of accesses: they are kept, or cut. */

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
            rc = psn_access_note(vault, client, "access.kept", &row->access, err);
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

bool psn_access_is_removable(const struct psn_access *access)
{
    return psn_access_is_pending(access) && access->finding.method[0] &&
           !access->may_be_ours;
}

static enum psn_code choose_named(struct psn_vault *vault, const char *client,
                                  const char *const *ids, size_t count,
                                  struct psn_access_list *list, struct psn_error *err)
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
        if (!rc && row->access.finding.elsewhere)
            rc = psn_fail(err, PSN_E_POLICY,
                          _("%s is what passation works with for another client of the "
                            "same account"),
                          ids[i]);
        if (!rc)
            rc = psn_access_append(list, row, err);
    }
    return rc;
}

static enum psn_code choose(struct psn_vault *vault, const char *client,
                            const char *const *ids, size_t count,
                            struct psn_access_list *list, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault, choose_named(vault, client, ids, count, list, err),
                              err);
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
    row->access.is_taken = false;
    if (state == PSN_ACCESS_GONE)
        row->access.gone_s = vault->world.now_s();
    rc = psn_access_row_write(vault, row, err);
    if (!rc)
        rc = psn_access_note(vault, row->client, event, &row->access, err);
    return psn_vault_end(vault, rc, err);
}

/* OVH's number for the removal, for whoever asks there what became of it. */
static enum psn_code note_task(struct psn_vault *vault, const struct psn_access_row *row,
                               int64_t task, struct psn_error *err)
{
    char text[48];

    (void)snprintf(text, sizeof text, "OVH task %lld", (long long)task);
    return psn_journal_note(vault, row->client,
                            &(struct psn_note){ .event = PSN_ACCESS_TAKEN,
                                                .subject = row->access.finding.id,
                                                .text = text },
                            err);
}

/* From then on the removal is a task of OVH's. */
static enum psn_code record_taken(struct psn_vault *vault, struct psn_access_row *row,
                                  const struct psn_cut *cut, struct psn_error *err)
{
    enum psn_code rc;

    if (cut->state == PSN_CUT_GONE && !cut->task_id)
        return PSN_OK;
    rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (rc)
        return rc;
    if (cut->task_id)
        rc = note_task(vault, row, cut->task_id, err);
    if (!rc && cut->state != PSN_CUT_GONE) {
        row->access.is_taken = true;
        rc = psn_access_row_write(vault, row, err);
    }
    return psn_vault_end(vault, rc, err);
}

static enum psn_code record_end(struct psn_vault *vault, struct psn_access_row *row,
                                const struct psn_cut *cut, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (cut->state != PSN_CUT_IMPOSSIBLE)
        rc = record_taken(vault, row, cut, err);
    if (rc)
        return rc;
    switch (cut->state) {
    case PSN_CUT_GONE:
        return record(vault, row, PSN_ACCESS_GONE, "access.gone", err);
    case PSN_CUT_IMPOSSIBLE:
        return record(vault, row, PSN_ACCESS_OPEN, "access.cut-impossible", err);
    case PSN_CUT_UNDER_WAY:
    case PSN_CUT_WAITING:
        break;
    }
    return PSN_OK;
}

/* No right that changes a mailbox is in both keys. */
static struct psn_ovh *key_for(const struct psn_access_account *account,
                               const struct psn_finding *finding)
{
    return account->work && strcmp(finding->method, "PUT") == 0 ? account->work
                                                                : account->ovh;
}

/* After a refusal nothing was removed; after anything else it may have been. The next
 * sweep says; to ask for it once more does no harm. */
static enum psn_code cut_one(struct psn_vault *vault, struct psn_access_account *account,
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
    rc = psn_ovh_cut(key_for(account, &row->access.finding), &row->access.finding, &cut,
                     err);
    *ret_state = cut.state;
    if (!rc)
        return record_end(vault, row, &cut, err);
    PSN_IGNORE(record(vault, row, PSN_ACCESS_OPEN,
                      rc == PSN_E_REFUSED || rc == PSN_E_BUSY ? "access.cut-refused"
                                                              : "access.cut-unknown",
                      NULL));
    return rc;
}

/* The first failure is the one that the caller is told of. */
static enum psn_code keep_first(enum psn_code first, enum psn_code rc,
                                const struct psn_error *cause, struct psn_error *err)
{
    if (first || !rc)
        return first;
    if (err)
        *err = *cause;
    return rc;
}

static enum psn_code cut_listed(struct psn_vault *vault,
                                struct psn_access_account *account,
                                struct psn_access_list *list, psn_access_cut_fn *each,
                                void *arg, struct psn_error *err)
{
    enum psn_code first = PSN_OK;

    for (size_t i = 0; i < list->count; i++) {
        struct psn_error cause = { 0 };
        struct psn_access_cut cut = { .access = &list->items[i].access };
        enum psn_code rc = cut_one(vault, account, &list->items[i], &cut.state, &cause);

        first = keep_first(first, rc, &cause, err);
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
    PSN_AUTO_RELEASE(psn_access_sweep) sweep = psn_access_sweep_init();
    struct psn_access_list list = { 0 };
    enum psn_code rc = psn_access_sweep_lock(vault, &sweep, err);

    /* How a thing is removed is told by how it is now. */
    if (!rc)
        rc = psn_access_sweep_begin(vault, client, &sweep, err);
    if (!rc)
        rc = choose(vault, client, ids, count, &list, err);
    if (!rc)
        rc = cut_listed(vault, &sweep.account, &list, each, arg, err);
    free(list.items);
    return rc;
}

enum psn_code psn_access_cut_wanted(struct psn_vault *vault, const char *client,
                                    const struct psn_access_choice *choice,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_access_sweep) sweep = psn_access_sweep_init();
    struct psn_access_list list = { 0 };
    enum psn_code rc = psn_access_sweep_begin(vault, client, &sweep, err);

    for (size_t i = 0; !rc && i < sweep.found.count; i++) {
        const struct psn_access *access = &sweep.found.items[i].access;

        if (access->finding.method[0] && !access->finding.own && !access->may_be_ours &&
            choice->wanted(choice->arg, access) && !access->is_under_way)
            rc = psn_access_append(&list, &sweep.found.items[i], err);
    }
    if (!rc)
        rc =
            cut_listed(vault, &sweep.account, &list, choice->each, choice->each_arg, err);
    free(list.items);
    return rc;
}

bool psn_access_is_followed(const struct psn_access *access)
{
    return access->state == PSN_ACCESS_CUTTING && access->finding.method[0] &&
           access->finding.kind != PSN_FINDING_CONTACT;
}

static enum psn_code follow(struct psn_vault *vault, struct psn_access_account *account,
                            struct psn_access_row *row, struct psn_error *err)
{
    bool gone = false;
    enum psn_code rc = psn_ovh_cut_look(key_for(account, &row->access.finding),
                                        &row->access.finding, &gone, err);

    return rc || !gone ? rc : record(vault, row, PSN_ACCESS_GONE, "access.gone", err);
}

enum psn_code psn_access_follow(struct psn_vault *vault, const char *client,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_access_sweep) sweep = psn_access_sweep_init();
    enum psn_code rc = psn_access_sweep_open(vault, client, &sweep, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    if (!rc)
        rc = psn_vault_end(
            vault,
            psn_access_row_each(vault, client, psn_access_collect, &sweep.found, err),
            err);
    for (size_t i = 0; !rc && i < sweep.found.count; i++)
        if (psn_access_is_followed(&sweep.found.items[i].access))
            rc = follow(vault, &sweep.account, &sweep.found.items[i], err);
    return rc;
}
