#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/grant.h"
#include "core/handover.h"
#include "core/person.h"
#include "core/reach.h"

/* Grants as they are listed. */

struct view {
    struct psn_grant *items;
    size_t count;
    struct psn_person of; /* whose the last one was … */
    bool lost;            /* … and has he lost his slot? */
};

/* They are in the order of people. */
static enum psn_code view_person(struct psn_vault *vault, const char *id,
                                 struct view *view, struct psn_error *err)
{
    enum psn_code rc;

    if (strcmp(view->of.id, id) == 0)
        return PSN_OK;
    rc = psn_person_read(vault, id, &view->of, err);
    return rc ? rc : psn_reach_lost_slot(vault, &view->of, &view->lost, err);
}

static enum psn_code view_one(struct psn_vault *vault, const struct psn_grant_row *row,
                              struct view *view, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_content *contents = NULL;
    struct psn_grant grant = { .state = psn_grant_row_state(row, vault->world.now_s()),
                               .from_s = row->from_s,
                               .until_s = row->until_s,
                               .ended_s = row->ended_s,
                               .format = row->format,
                               .serial = row->serial };
    size_t count = 0;
    bool is_theirs = false;
    enum psn_code rc = psn_grant_contents(vault, row, &contents, &count, err);

    if (!rc)
        rc = view_person(vault, row->person, view, err);
    if (rc)
        return rc;
    memcpy(grant.person, row->person, sizeof grant.person);
    memcpy(grant.address, row->address, sizeof grant.address);
    memcpy(grant.client, row->client, sizeof grant.client);
    memcpy(grant.reason, row->reason, sizeof grant.reason);
    memcpy(grant.approver, row->approver, sizeof grant.approver);
    memcpy(grant.labels, row->labels, sizeof grant.labels);
    for (size_t i = 0; i < row->issued_count; i++)
        if (!row->issued[i].label[0])
            grant.version = row->issued[i].version;
    grant.current = count ? contents[0].version : 0;
    grant.withheld = grant.state == PSN_GRANT_ACTIVE && view->lost;
    count = psn_grant_keep_behind(row, contents, count);
    grant.due = grant.state == PSN_GRANT_ACTIVE && !view->lost && count > 0;
    if (grant.due)
        rc = psn_handover_has_all(vault, row->client, contents, count, &is_theirs, err);
    if (rc)
        return rc;
    grant.due = grant.due && !is_theirs;
    view->items[view->count++] = grant;
    return PSN_OK;
}

static bool is_wanted(const struct psn_grant_row *row, const char *const *globs,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (psn_text_glob(globs[i], row->address))
            return true;
    return count == 0;
}

static enum psn_code view_all(struct psn_vault *vault, const char *person,
                              const char *const *globs, size_t glob_count,
                              struct view *view, struct psn_error *err)
{
    struct psn_grant_list list = { 0 };
    struct psn_person known;
    enum psn_code rc = person ? psn_person_read(vault, person, &known, err) : PSN_OK;

    if (!rc)
        rc = psn_grant_list(vault, person, &list, err);
    if (!rc && list.count) {
        view->items = calloc(list.count, sizeof *view->items);
        if (!view->items)
            rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    for (size_t i = 0; !rc && i < list.count; i++)
        if (is_wanted(&list.items[i], globs, glob_count))
            rc = view_one(vault, &list.items[i], view, err);
    psn_grant_list_release(&list);
    return rc;
}

enum psn_code psn_grant_each(struct psn_vault *vault, const char *person,
                             const char *const *globs, size_t glob_count,
                             psn_grant_fn *each, void *arg, struct psn_error *err)
{
    struct view view = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc =
        psn_vault_end(vault, view_all(vault, person, globs, glob_count, &view, err), err);
    for (size_t i = 0; !rc && i < view.count; i++)
        rc = each(arg, &view.items[i], err);
    free(view.items);
    return rc;
}
