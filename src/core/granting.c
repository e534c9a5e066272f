#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/clock.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/handover.h"
#include "core/issue.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"
#include "page/page.h"

/*
 * Granting, and the end of a grant. What is due under one is in outbox.c.
 */

/* --- a grant --- */

struct wanted {
    struct psn_person *people;
    size_t person_count;
    struct psn_grant_row *rows; /* one for each address; person left empty */
    size_t count;
};

static void release_wanted(struct wanted *wanted)
{
    free(wanted->people);
    free(wanted->rows);
}

static enum psn_code want_role(void *arg, const struct psn_role_row *role,
                               struct psn_error *err)
{
    struct wanted *wanted = arg;
    struct psn_grant_row *row;
    enum psn_code rc = PSN_GROW(wanted->rows, wanted->count, err);

    if (rc)
        return rc;
    if (!role->rotation.cur) {
        (void)psn_fail(err, PSN_E_POLICY, _("no password of '%s' is proved yet"),
                       role->address);
        return psn_hint(err, PSN_E_POLICY, _("finish it first: passation resume %s"),
                        role->address);
    }
    row = &wanted->rows[wanted->count++];
    *row = (struct psn_grant_row){ 0 };
    memcpy(row->address, role->address, sizeof row->address);
    memcpy(row->client, role->client, sizeof row->client);
    return PSN_OK;
}

static int compare_rows(const void *a, const void *b)
{
    const struct psn_grant_row *left = a;
    const struct psn_grant_row *right = b;
    int order = strcmp(left->client, right->client);

    return order ? order : strcmp(left->address, right->address);
}

/* A label may be missing on some of the addresses, but not on all. */
static enum psn_code want_label(struct psn_vault *vault, struct wanted *wanted,
                                const char *label, struct psn_error *err)
{
    char shown[128];
    bool found = false;

    for (size_t i = 0; i < wanted->count; i++) {
        struct psn_grant_row *row = &wanted->rows[i];
        struct psn_item item = { 0 };
        size_t used = strlen(row->labels);
        bool is_missing;
        enum psn_code rc = psn_allow(
            PSN_E_NOT_FOUND, psn_item_read(vault, row->address, label, &item, err),
            &is_missing, err);

        if (rc)
            return rc;
        if (is_missing || item.info.hidden || !label[0])
            continue;
        found = true;
        if (used + strlen(label) + 2 > sizeof row->labels)
            return psn_fail(err, PSN_E_LIMIT, _("too many labels: say '--with all'"));
        (void)snprintf(row->labels + used, sizeof row->labels - used, "%s%s",
                       used ? "\n" : "", label);
    }
    if (found)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("none of these mailboxes has a secret '%s'"),
                   psn_text_shown(label, shown, sizeof shown));
    return psn_hint(err, PSN_E_NOT_FOUND, _("see them with: passation secret ls %s"),
                    wanted->rows[0].address);
}

static enum psn_code want_labels(struct psn_vault *vault,
                                 const struct psn_grant_request *request,
                                 struct wanted *wanted, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (request->label_count == 1 && strcmp(request->labels[0], "all") == 0) {
        for (size_t i = 0; i < wanted->count; i++)
            memcpy(wanted->rows[i].labels, "*", 2);
        return PSN_OK;
    }
    for (size_t i = 0; !rc && i < request->label_count; i++)
        rc = want_label(vault, wanted, request->labels[i], err);
    return rc;
}

static enum psn_code check_people(struct psn_vault *vault,
                                  const struct psn_grant_request *request,
                                  const struct psn_delivery *delivery,
                                  const struct wanted *wanted, struct psn_error *err)
{
    for (size_t i = 0; i < wanted->person_count; i++) {
        const struct psn_person *person = &wanted->people[i];
        enum psn_code rc;

        if (person->departing_s)
            return psn_fail(err, PSN_E_POLICY, _("%s is leaving: nothing is granted"),
                            person->id);
        rc = psn_reach_check_slot_kept(vault, person, err);
        if (!rc)
            rc = psn_person_check_key(vault, person, err);
        if (rc)
            return rc;
        if (psn_issue_by_code(person, request->format) && !delivery->tell_code) {
            (void)psn_fail(err, PSN_E_INVALID,
                           _("the issue for %s needs a code, and there is nowhere to "
                             "tell it"),
                           person->id);
            return psn_hint(err, PSN_E_INVALID,
                            _("use a terminal, --code-fd N, or give the person a key: "
                              "passation person key %s --add FILE"),
                            person->id);
        }
    }
    return PSN_OK;
}

/* What its client has received is his to give on, and to take back. */
static enum psn_code fail_theirs(const struct psn_grant_row *row, const char *label,
                                 struct psn_error *err)
{
    char shown[128];

    if (label[0])
        (void)psn_fail(err, PSN_E_POLICY,
                       _("%s, %s: '%s' has confirmed that it was received: it is the "
                         "client's now, and is not granted from here"),
                       row->address, psn_text_shown(label, shown, sizeof shown),
                       row->client);
    else
        (void)psn_fail(err, PSN_E_POLICY,
                       _("%s: '%s' has confirmed that its password was received: it is "
                         "the client's now, and is not granted from here"),
                       row->address, row->client);
    return psn_hint(err, PSN_E_POLICY,
                    _("if the work goes on after all: passation handover abandon %s"),
                    row->client);
}

static enum psn_code check_row_ours(struct psn_vault *vault,
                                    const struct psn_grant_row *row,
                                    struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_content *contents = NULL;
    size_t count = 0;
    enum psn_code rc = psn_grant_contents(vault, row, &contents, &count, err);

    for (size_t i = 0; !rc && i < count; i++) {
        bool is_theirs = false;

        rc = psn_handover_is_theirs(vault, row->client, row->address, contents[i].label,
                                    NULL, &is_theirs, err);
        if (is_theirs)
            rc = fail_theirs(row, contents[i].label, err);
    }
    return rc;
}

/* The rows are sorted by client: one look at each, and nearly all have received nothing.
 */
static enum psn_code check_ours(struct psn_vault *vault, const struct wanted *wanted,
                                struct psn_error *err)
{
    bool has_received = false;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < wanted->count; i++) {
        const struct psn_grant_row *row = &wanted->rows[i];

        if (i == 0 || strcmp(row->client, row[-1].client) != 0)
            rc = psn_handover_is_received(vault, row->client, &has_received, err);
        if (!rc && has_received)
            rc = check_row_ours(vault, row, err);
    }
    return rc;
}

static enum psn_code check_request(struct psn_vault *vault,
                                   const struct psn_grant_request *request,
                                   struct psn_error *err)
{
    if (request->format == PSN_ISSUE_HTML && !psn_page_sha256()) {
        (void)psn_fail(err, PSN_E_POLICY, _("this passation was built without the page"));
        return psn_hint(err, PSN_E_POLICY, _("use --format age"));
    }
    if (request->until_s && request->until_s <= vault->world.now_s())
        return psn_fail(err, PSN_E_INVALID, _("the end of the grant is past"));
    if (request->reason && (strlen(request->reason) >= PSN_FIELD_MAX ||
                            !psn_text_is_plain(request->reason, strlen(request->reason))))
        return psn_fail(err, PSN_E_INVALID,
                        _("the reason is too long, or cannot be shown"));
    return PSN_OK;
}

/* A grant that is made again begins anew; what was issued under it counts no more, so
 * that it is due. */
static enum psn_code put_grant(struct psn_vault *vault,
                               const struct psn_grant_request *request,
                               const struct psn_person *person,
                               const struct psn_grant_row *wanted, char *folder,
                               struct psn_error *err)
{
    struct psn_grant_row known;
    struct psn_grant_row row = *wanted;
    char until[PSN_TIME_SIZE] = "none";
    char text[PSN_JOURNAL_TEXT_MAX];
    enum psn_code rc = psn_grant_read(vault, person->id, wanted->address, &known, err);

    if (rc && rc != PSN_E_NOT_FOUND)
        return rc;
    row.revision = known.revision;
    row.created_s = known.created_s ? known.created_s : vault->world.now_s();
    psn_grant_row_release(&known);
    memcpy(row.person, person->id, sizeof row.person);
    row.from_s = vault->world.now_s();
    row.until_s = request->until_s;
    row.folder = folder;
    row.format = request->format;
    memcpy(row.approver, vault->actor, sizeof row.approver);
    if (request->reason)
        (void)snprintf(row.reason, sizeof row.reason, "%s", request->reason);
    if (row.until_s)
        (void)psn_clock_format(row.until_s, until);
    (void)snprintf(text, sizeof text, "%s, until %s%s%.300s", row.person, until,
                   row.reason[0] ? ": " : "", row.reason);
    psn_text_cut_utf8(text);
    rc = psn_grant_write(vault, &row, err);
    return rc ? rc
              : psn_journal_note(vault, row.client,
                                 &(struct psn_note){ .event = "grant.made",
                                                     .subject = row.address,
                                                     .text = text },
                                 err);
}

static enum psn_code grant(struct psn_vault *vault,
                           const struct psn_grant_request *request,
                           const struct psn_delivery *delivery, struct wanted *wanted,
                           struct psn_error *err)
{
    PSN_AUTO_FREE char *folder = NULL;
    char shown[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_delivery_folder(delivery, &folder, err);

    if (!rc)
        rc = psn_person_select(vault, request->person, &wanted->people,
                               &wanted->person_count, err);

    if (!rc)
        rc = psn_role_scan(vault, request->globs, request->glob_count, want_role, wanted,
                           err);
    if (!rc && wanted->count == 0)
        rc = psn_fail(err, PSN_E_NOT_FOUND, _("no role of the vault fits '%s'"),
                      psn_text_shown(request->globs[0], shown, sizeof shown));
    if (!rc && wanted->count > 1)
        qsort(wanted->rows, wanted->count, sizeof *wanted->rows, compare_rows);
    if (!rc)
        rc = want_labels(vault, request, wanted, err);
    if (!rc)
        rc = check_people(vault, request, delivery, wanted, err);
    if (!rc)
        rc = check_ours(vault, wanted, err);
    for (size_t i = 0; !rc && i < wanted->person_count; i++)
        for (size_t j = 0; !rc && j < wanted->count; j++)
            rc = put_grant(vault, request, &wanted->people[i], &wanted->rows[j], folder,
                           err);
    return rc;
}

/* One issue for each person and client. */
static enum psn_code issue_all(struct psn_vault *vault, const struct wanted *wanted,
                               enum psn_issue_format format,
                               const struct psn_delivery *delivery, struct psn_error *err)
{
    PSN_AUTO_FREE const char **addresses = calloc(wanted->count + 1, sizeof *addresses);
    enum psn_code rc = PSN_OK;

    if (!addresses)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < wanted->count; i++)
        addresses[i] = wanted->rows[i].address;
    for (size_t i = 0; !rc && i < wanted->person_count; i++)
        for (size_t from = 0, to; !rc && from < wanted->count; from = to) {
            struct psn_issue_order order = { .person = wanted->people[i].id,
                                             .client = wanted->rows[from].client,
                                             .format = format,
                                             .addresses = addresses + from };

            for (to = from;
                 to < wanted->count && strcmp(wanted->rows[to].client, order.client) == 0;
                 to++)
                order.address_count++;
            rc = psn_issue_make(vault, &order, delivery, err);
        }
    return rc;
}

enum psn_code psn_grant_make(struct psn_vault *vault,
                             const struct psn_grant_request *request,
                             const struct psn_delivery *delivery, struct psn_error *err)
{
    struct wanted wanted = { 0 };
    enum psn_code rc = check_request(vault, request, err);

    if (!rc)
        rc = psn_delivery_check(delivery, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (!rc)
        rc = psn_vault_end(vault, grant(vault, request, delivery, &wanted, err), err);
    if (!rc) {
        rc = issue_all(vault, &wanted, request->format, delivery, err);
        if (rc)
            (void)psn_hint(err, rc,
                           _("the grant is made and its issue is due: passation outbox"));
    }
    release_wanted(&wanted);
    return rc;
}

/* --- the end of a grant --- */

static enum psn_code end_one(struct psn_vault *vault, struct psn_grant_row *row,
                             struct psn_error *err)
{
    enum psn_code rc;

    row->ended_s = vault->world.now_s();
    rc = psn_grant_write(vault, row, err);
    return rc ? rc
              : psn_journal_note(vault, row->client,
                                 &(struct psn_note){ .event = "grant.ended",
                                                     .subject = row->address,
                                                     .text = row->person },
                                 err);
}

static bool is_named(const char *address, const char *const *globs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (psn_text_glob(globs[i], address))
            return true;
    return count == 0;
}

/* Ends those of the list that are named; their addresses go to ended[]. */
static enum psn_code end_named(struct psn_vault *vault, struct psn_grant_list *list,
                               const char *const *globs, size_t glob_count,
                               const char **ended, size_t *ret_count,
                               struct psn_error *err)
{
    size_t count = 0;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->count; i++) {
        struct psn_grant_row *row = &list->items[i];

        if (row->ended_s || !is_named(row->address, globs, glob_count))
            continue;
        rc = end_one(vault, row, err);
        ended[count++] = row->address;
    }
    *ret_count = count;
    return rc;
}

static enum psn_code fail_no_grant(const char *person, const char *glob,
                                   struct psn_error *err)
{
    char shown[PSN_ADDRESS_TEXT_MAX];

    if (!glob)
        return psn_fail(err, PSN_E_NOT_FOUND, _("%s has no grant in force"), person);
    return psn_fail(err, PSN_E_NOT_FOUND, _("%s has no grant in force for '%s'"), person,
                    psn_text_shown(glob, shown, sizeof shown));
}

static enum psn_code end_grants(struct psn_vault *vault, const char *person,
                                const char *const *globs, size_t glob_count,
                                size_t *ret_count, struct psn_error *err)
{
    PSN_AUTO_FREE const char **ended = NULL;
    struct psn_grant_list list = { 0 };
    struct psn_person known;
    size_t count = 0;
    enum psn_code rc = psn_person_read(vault, person, &known, err);

    if (!rc)
        rc = psn_grant_list(vault, person, &list, err);
    if (!rc) {
        ended = calloc(list.count + 1, sizeof *ended);
        if (!ended)
            rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    if (!rc)
        rc = end_named(vault, &list, globs, glob_count, ended, &count, err);
    if (!rc && count == 0)
        rc = fail_no_grant(person, glob_count ? globs[0] : NULL, err);
    if (!rc)
        rc = psn_issue_void(vault, person, ended, count, err);
    psn_grant_list_release(&list);
    if (!rc)
        *ret_count = count;
    return rc;
}

enum psn_code psn_grant_end_all(struct psn_vault *vault, const char *person,
                                struct psn_error *err)
{
    PSN_AUTO_FREE const char **addresses = NULL;
    struct psn_grant_list list = { 0 };
    enum psn_code rc = psn_grant_list(vault, person, &list, err);

    if (!rc) {
        addresses = calloc(list.count + 1, sizeof *addresses);
        if (!addresses)
            rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    for (size_t i = 0; !rc && i < list.count; i++) {
        addresses[i] = list.items[i].address;
        if (!list.items[i].ended_s)
            rc = end_one(vault, &list.items[i], err);
    }
    /* Those of a grant that ended before, too. */
    if (!rc)
        rc = psn_issue_void(vault, person, addresses, list.count, err);
    psn_grant_list_release(&list);
    return rc;
}

enum psn_code psn_grant_end(struct psn_vault *vault, const char *person,
                            const char *const *globs, size_t glob_count,
                            size_t *ret_count, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc
              : psn_vault_end(
                    vault, end_grants(vault, person, globs, glob_count, ret_count, err),
                    err);
}
