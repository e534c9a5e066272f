#include "core/drift.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "core/journal.h"

void psn_drift_set(int64_t *since_s, bool is_so, int64_t now_s)
{
    if (!is_so)
        *since_s = 0;
    else if (*since_s == 0)
        *since_s = now_s;
}

void psn_drift_set_gone(struct psn_role_row *row, bool is_gone, int64_t now_s)
{
    if (row->gone_s < row->rotation.last_send_s)
        row->gone_s = 0;
    psn_drift_set(&row->gone_s, is_gone && !row->rotation.create, now_s);
}

struct mailboxes {
    const struct psn_access_row **items; /* sorted by address */
    size_t count;
    bool hidden; /* OVH did not show all */
};

static int compare(const void *a, const void *b)
{
    const struct psn_access_row *const *left = a;
    const struct psn_access_row *const *right = b;

    return strcasecmp((*left)->access.finding.subject, (*right)->access.finding.subject);
}

static enum psn_code sort_out(const struct psn_access_row *rows, size_t count,
                              struct mailboxes *ret, struct psn_error *err)
{
    ret->items = calloc(count + 1, sizeof(struct psn_access_row *));
    if (!ret->items)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < count; i++) {
        const struct psn_finding *finding = &rows[i].access.finding;

        ret->hidden = ret->hidden || (finding->kind == PSN_FINDING_UNREADABLE &&
                                      strncmp(finding->subject, "/me", 3) != 0);
        if (finding->kind == PSN_FINDING_MAILBOX)
            ret->items[ret->count++] = &rows[i];
    }
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof(struct psn_access_row *), compare);
    return PSN_OK;
}

static const struct psn_finding *find(const struct mailboxes *mailboxes,
                                      const char *address)
{
    size_t low = 0;
    size_t high = mailboxes->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct psn_finding *finding = &mailboxes->items[middle]->access.finding;
        int order = strcasecmp(address, finding->subject);

        if (order == 0)
            return finding;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* A rotation under way has its own eyes, and its row is not written by anybody else. One
 * that is stuck waits for a person, who has to know whether there is a mailbox left. */
static void judge_stuck(struct psn_role_row *row, const struct mailboxes *mailboxes,
                        int64_t now_s)
{
    const struct psn_finding *finding = find(mailboxes, row->address);

    if (finding || !mailboxes->hidden)
        psn_drift_set_gone(row, !finding, now_s);
}

static void judge(struct psn_role_row *row, const struct mailboxes *mailboxes,
                  int64_t now_s)
{
    const struct psn_finding *finding = find(mailboxes, row->address);
    char platform[PSN_PLATFORM_NAME_MAX] = "";

    if (row->backend)
        psn_platform_name(row->backend, &row->place, platform);
    if (finding) {
        row->gone_s = 0;
        if (psn_role_has_drifted(row, finding->changed_s))
            psn_drift_set(&row->outside_s, true, now_s);
        psn_drift_set(&row->moved_s,
                      platform[0] && finding->platform[0] &&
                          strcmp(platform, finding->platform) != 0,
                      now_s);
    } else if (!mailboxes->hidden && !row->rotation.create) {
        psn_drift_set(&row->gone_s, true, now_s);
    }
}

static enum psn_code note(struct psn_vault *vault, const struct psn_role_row *row,
                          const char *event, struct psn_error *err)
{
    return psn_journal_note(vault, row->client,
                            &(struct psn_note){ .event = event,
                                                .subject = row->address,
                                                .version = row->rotation.cur },
                            err);
}

static enum psn_code write_drift(struct psn_vault *vault,
                                 const struct psn_role_row *before,
                                 struct psn_role_row *row, struct psn_error *err)
{
    enum psn_code rc;

    if (before->gone_s == row->gone_s && before->outside_s == row->outside_s &&
        before->moved_s == row->moved_s)
        return PSN_OK;
    rc = psn_role_write(vault, row, err);
    if (!rc && row->gone_s && !before->gone_s)
        rc = note(vault, row, "mailbox.vanished", err);
    if (!rc && row->outside_s && !before->outside_s)
        rc = note(vault, row, "password.changed-outside", err);
    if (!rc && row->moved_s && !before->moved_s)
        rc = note(vault, row, "mailbox.moved", err);
    return rc;
}

struct roles {
    const char *client;
    struct psn_role_row *items;
    size_t count;
};

static enum psn_code collect(void *arg, const struct psn_role_row *row,
                             struct psn_error *err)
{
    struct roles *roles = arg;
    enum psn_code rc;

    if (strcmp(row->client, roles->client) != 0)
        return PSN_OK;
    rc = PSN_GROW(roles->items, roles->count, err);
    if (!rc)
        roles->items[roles->count++] = *row;
    return rc;
}

enum psn_code psn_drift_note(struct psn_vault *vault, const char *client,
                             const struct psn_access_row *rows, size_t count,
                             struct psn_error *err)
{
    struct roles roles = { .client = client };
    struct mailboxes mailboxes = { 0 };
    int64_t now_s = vault->world.now_s();
    enum psn_code rc = sort_out(rows, count, &mailboxes, err);

    if (!rc)
        rc = psn_role_scan(vault, NULL, 0, collect, &roles, err);
    for (size_t i = 0; !rc && i < roles.count; i++) {
        struct psn_role_row row = roles.items[i];

        if (row.rotation.phase == PSN_ROTATION_STABLE)
            judge(&row, &mailboxes, now_s);
        else if (row.rotation.phase == PSN_ROTATION_STUCK)
            judge_stuck(&row, &mailboxes, now_s);
        rc = write_drift(vault, &roles.items[i], &row, err);
    }
    free(roles.items);
    free(mailboxes.items);
    return rc;
}
