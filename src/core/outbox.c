#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/handover.h"
#include "core/issue.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/restored.h"

/* The outbox: an issue for each person, client and folder whose grants are due. */

struct due_list {
    struct psn_grant_list grants; /* those that are due */
    struct psn_person *people;
    size_t person_count;
};

static const struct psn_person *person_of(const struct due_list *due, const char *id)
{
    for (size_t i = 0; i < due->person_count; i++)
        if (strcmp(due->people[i].id, id) == 0)
            return &due->people[i];
    return NULL;
}

/* Nothing newer goes to who is leaving, or counts as such since he lost his slot. */
static enum psn_code may_get(struct psn_vault *vault, const struct psn_person *person,
                             bool *ret_may, struct psn_error *err)
{
    bool lost = false;
    enum psn_code rc = person ? psn_reach_lost_slot(vault, person, &lost, err) : PSN_OK;

    *ret_may = !rc && person && !person->departing_s && !lost;
    return rc;
}

static enum psn_code is_row_due(struct psn_vault *vault, const struct due_list *due,
                                const struct psn_grant_row *row, bool *ret_due,
                                struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_content *contents = NULL;
    size_t count = 0;
    bool may = false;
    bool is_theirs = false;
    enum psn_code rc = may_get(vault, person_of(due, row->person), &may, err);

    *ret_due = false;
    if (rc || !may || psn_grant_row_state(row, vault->world.now_s()) != PSN_GRANT_ACTIVE)
        return rc;
    rc = psn_grant_contents(vault, row, &contents, &count, err);
    if (!rc)
        count = psn_grant_keep_behind(row, contents, count);
    if (rc || count == 0)
        return rc;
    /* What its client has received, he gives on. */
    rc = psn_handover_has_all(vault, row->client, contents, count, &is_theirs, err);
    *ret_due = !rc && !is_theirs;
    return rc;
}

static enum psn_code keep_due(struct psn_vault *vault, struct due_list *due,
                              struct psn_error *err)
{
    size_t kept = 0;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; i < due->grants.count; i++) {
        struct psn_grant_row row = due->grants.items[i];
        bool is_due = false;

        due->grants.items[i] = (struct psn_grant_row){ 0 };
        if (!rc)
            rc = is_row_due(vault, due, &row, &is_due, err);
        if (is_due)
            due->grants.items[kept++] = row;
        else
            psn_grant_row_release(&row);
    }
    due->grants.count = kept;
    return rc;
}

static enum psn_code list_due(struct psn_vault *vault, const char *person,
                              struct due_list *due, struct psn_error *err)
{
    enum psn_code rc =
        person ? psn_person_select(vault, person, &due->people, &due->person_count, err)
               : psn_person_list(vault, &due->people, &due->person_count, err);

    if (!rc)
        rc = psn_grant_list(vault, person && person[0] != '@' ? person : NULL,
                            &due->grants, err);
    return rc ? rc : keep_due(vault, due, err);
}

static const char *folder_of(const struct psn_grant_row *row)
{
    return row->folder ? row->folder : ".";
}

/* Do they go to the same person in one issue, into the same folder? */
static bool go_together(const struct psn_grant_row *a, const struct psn_grant_row *b,
                        bool into_their_folders)
{
    return strcmp(a->person, b->person) == 0 && strcmp(a->client, b->client) == 0 &&
           a->format == b->format &&
           (!into_their_folders || strcmp(folder_of(a), folder_of(b)) == 0);
}

/* Those that go with the one at `from`, as far as they follow it: they are sorted by
 * person and client. */
static size_t end_of_group(const struct due_list *due, size_t from,
                           bool into_their_folders)
{
    size_t to = from + 1;

    while (
        to < due->grants.count &&
        go_together(&due->grants.items[from], &due->grants.items[to], into_their_folders))
        to++;
    return to;
}

static enum psn_code issue_group(struct psn_vault *vault, const struct due_list *due,
                                 size_t from, size_t to,
                                 const struct psn_delivery *delivery,
                                 struct psn_error *err)
{
    struct psn_delivery there = *delivery;
    PSN_AUTO_FREE const char **addresses = calloc(to - from, sizeof *addresses);
    const struct psn_grant_row *first = &due->grants.items[from];
    struct psn_issue_order order = { .person = first->person,
                                     .client = first->client,
                                     .format = first->format,
                                     .addresses = addresses,
                                     .address_count = to - from };
    enum psn_code rc = PSN_OK;

    if (!addresses)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = from; i < to; i++)
        addresses[i - from] = due->grants.items[i].address;
    if (!there.directory) {
        there.directory = folder_of(first);
        rc = psn_delivery_check(&there, err);
    }
    return rc ? rc : psn_issue_make(vault, &order, &there, err);
}

/* What is wrong with one issue only: its grant ended or its person began to leave since
 * the list was made, or this build has no page; or with its own folder, which may be on a
 * disk that is full, or not to be written. The others must not wait for it. */
static bool concerns_one(enum psn_code rc, bool into_their_folders)
{
    return rc == PSN_E_POLICY || rc == PSN_E_CONFLICT || rc == PSN_E_NOT_FOUND ||
           rc == PSN_E_LIMIT || rc == PSN_E_INVALID ||
           (into_their_folders &&
            (rc == PSN_E_IO || rc == PSN_E_FULL || rc == PSN_E_EXISTS));
}

static enum psn_code fail_stopped(struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_UNFINISHED, _("stopped: issues are still to be written"));
    return psn_hint(err, PSN_E_UNFINISHED, _("go on with: passation resume"));
}

/* Makes them all; the first failure is the result. */
/* A code that nobody takes down now would be lost: such an issue waits. */
static bool waits(const struct due_list *due, const struct psn_grant_row *row,
                  const struct psn_delivery *delivery)
{
    return psn_issue_by_code(person_of(due, row->person), row->format) &&
           !delivery->tell_code;
}

static bool is_stopped(const struct psn_delivery *delivery)
{
    return delivery->stop && delivery->stop(delivery->arg);
}

static enum psn_code issue_due(struct psn_vault *vault, const struct due_list *due,
                               const struct psn_delivery *delivery, size_t *ret_waiting,
                               struct psn_error *err)
{
    enum psn_code first = PSN_OK;

    for (size_t from = 0, to; from < due->grants.count; from = to) {
        const struct psn_grant_row *row = &due->grants.items[from];
        enum psn_code rc;

        to = end_of_group(due, from, !delivery->directory);
        if (waits(due, row, delivery)) {
            ++*ret_waiting;
            continue;
        }
        if (is_stopped(delivery))
            return first ? first : fail_stopped(err);
        rc = issue_group(vault, due, from, to, delivery, first ? NULL : err);
        first = first ? first : rc;
        if (rc && !concerns_one(rc, !delivery->directory))
            break;
    }
    return first;
}

/* One grant is to go to a folder: it is said so before, for whoever finishes this. */
static enum psn_code note_folder(struct psn_vault *vault, const struct psn_grant_row *due,
                                 char *folder, struct psn_error *err)
{
    struct psn_grant_row row;
    enum psn_code rc = psn_grant_read(vault, due->person, due->address, &row, err);

    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK; /* the role was removed since */
    if (rc)
        return rc;
    free(row.folder);
    row.folder = folder;
    rc = psn_grant_write(vault, &row, err);
    row.folder = NULL;
    psn_grant_row_release(&row);
    return rc;
}

static enum psn_code note_folders(struct psn_vault *vault, const struct due_list *due,
                                  const struct psn_delivery *delivery,
                                  struct psn_error *err)
{
    PSN_AUTO_FREE char *folder = NULL;
    bool differs = false;
    enum psn_code rc = psn_delivery_folder(delivery, &folder, err);

    if (rc)
        return rc;
    for (size_t i = 0; i < due->grants.count; i++)
        differs = differs || strcmp(folder_of(&due->grants.items[i]), folder) != 0;
    if (!differs)
        return PSN_OK;
    rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < due->grants.count; i++)
        if (strcmp(folder_of(&due->grants.items[i]), folder) != 0)
            rc = note_folder(vault, &due->grants.items[i], folder, err);
    return psn_vault_end(vault, rc, err);
}

/* Who is named was thought of; everybody is asked for by timers, too. */
static enum psn_code check_judged(struct psn_vault *vault, struct psn_error *err)
{
    int64_t since_s = 0;
    enum psn_code rc = psn_restored_unjudged_since(vault, &since_s, err);

    if (rc || since_s == 0)
        return rc;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("an older backup was restored, which may not know who has left or "
                     "whose grant was ended since: nothing is issued before you have "
                     "looked"));
    return psn_hint(err, PSN_E_POLICY,
                    _("see passation person ls and passation grant ls, and end what is "
                      "over (depart, revoke); then: passation outbox --judged"));
}

/* What is due, if it may be written. */
static enum psn_code look(struct psn_vault *vault, const char *person,
                          struct due_list *due, struct psn_error *err)
{
    enum psn_code rc = list_due(vault, person, due, err);

    /* Who is asked for by name is not passed over without a word. */
    if (!rc && person && person[0] != '@')
        rc = psn_reach_check_slot_kept(vault, due->people, err);
    return rc || person || due->grants.count == 0 ? rc : check_judged(vault, err);
}

static enum psn_code judge(struct psn_vault *vault, struct psn_error *err)
{
    enum psn_code rc = psn_restored_note(vault, false, err);

    return rc ? rc
              : psn_journal_note(vault, NULL,
                                 &(struct psn_note){ .event = "vault.restored-judged" },
                                 err);
}

enum psn_code psn_outbox_judge(struct psn_vault *vault, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, judge(vault, err), err);
}

enum psn_code psn_outbox(struct psn_vault *vault, const char *person,
                         const struct psn_delivery *delivery, size_t *ret_waiting,
                         struct psn_error *err)
{
    struct due_list due = { 0 };
    size_t waiting = 0;
    enum psn_code rc = delivery->directory ? psn_delivery_check(delivery, err) : PSN_OK;

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    if (rc)
        return rc;
    rc = psn_vault_end(vault, look(vault, person, &due, err), err);
    if (!rc && delivery->directory)
        rc = note_folders(vault, &due, delivery, err);
    if (!rc)
        rc = issue_due(vault, &due, delivery, &waiting, err);
    psn_grant_list_release(&due.grants);
    free(due.people);
    if (!rc)
        *ret_waiting = waiting;
    return rc;
}
