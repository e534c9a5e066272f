#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/access.h"
#include "core/handover.h"
#include "core/own_access.h"
#include "passation/contact.h"

/* What became of the accesses that were found: did one vanish, or was it this vault that
 * closed it? */

static struct psn_access *find_access(const struct psn_handover_facts *facts,
                                      const char *id)
{
    for (size_t i = 0; i < facts->access_count; i++)
        if (strcmp(facts->accesses[i].finding.id, id) == 0)
            return &facts->accesses[i];
    return NULL;
}

/* An access of our own that the closing removed, which no sweep has looked at since. */
static void close_own(const struct psn_handover_facts *facts, const char *id,
                      int64_t time_s)
{
    struct psn_access *access = find_access(facts, id);

    if (!access)
        return;
    access->state = PSN_ACCESS_GONE;
    access->ordered_s = access->gone_s = time_s;
}

/* What removes last has died with it, and so has each key of ours. */
static void close_last(const struct psn_handover_facts *facts, const char *last_key,
                       int64_t time_s)
{
    close_own(facts, last_key, time_s);
    for (size_t i = 0; i < facts->access_count; i++) {
        const struct psn_access *at = &facts->accesses[i];

        if (at->finding.own && at->finding.kind == PSN_FINDING_API_KEY &&
            at->state != PSN_ACCESS_GONE)
            close_own(facts, at->finding.id, time_s);
    }
}

void psn_handover_read_order(struct psn_handover_facts *facts,
                             char last_key[PSN_FINDING_ID_MAX],
                             const struct psn_journal_entry *entry)
{
    static const char *const undone[] = { "access.found", "access.kept",
                                          "access.cut-refused", "access.cut-impossible" };
    static const char numbered[] = "OVH task ";
    const char *number = entry->text + sizeof numbered - 1;
    struct psn_access *access = NULL;
    uint64_t task = 0;

    if (strcmp(entry->event, PSN_OWN_GONE) == 0)
        close_own(facts, entry->subject, entry->time_s);
    else if (strcmp(entry->event, PSN_OWN_PROVED) == 0)
        close_last(facts, last_key, entry->time_s);
    else if (strcmp(entry->event, PSN_OWN_ORDERED) == 0 &&
             strncmp(entry->text, PSN_OWN_LAST, strlen(PSN_OWN_LAST)) == 0)
        (void)snprintf(last_key, PSN_FINDING_ID_MAX, "%.159s", entry->subject);
    else if (strncmp(entry->event, "access.", 7) == 0)
        access = find_access(facts, entry->subject);
    if (!access)
        return;
    if (strcmp(entry->event, "access.cut") == 0) {
        access->ordered_s = entry->time_s;
        access->task = 0;
    } else if (strcmp(entry->event, PSN_ACCESS_TAKEN) == 0 &&
               strncmp(entry->text, numbered, sizeof numbered - 1) == 0 &&
               psn_text_parse_u64(number, INT64_MAX, &task)) {
        access->task = (int64_t)task;
    }
    for (size_t i = 0; i < sizeof undone / sizeof *undone; i++)
        if (strcmp(entry->event, undone[i]) == 0)
            access->ordered_s = access->task = 0;
}

/* --- contacts, which are not removed but replaced --- */

void psn_handover_read_contact(const struct psn_finding *finding,
                               struct psn_handover_contact *ret_contact)
{
    const char *place = strchr(finding->id, ':');
    const char *kind = place ? place + 1 : finding->id;
    const char *role = strrchr(finding->id, ':');
    size_t size = strcspn(kind, "/:");

    if (kind[size] != '/') { /* that of a domain's mail names the domain alone */
        kind = psn_contact_kind_name(PSN_CONTACT_MAIL);
        size = strlen(kind);
    }
    *ret_contact = (struct psn_handover_contact){
        .admin = role && strcmp(role, ":admin") == 0,
        .tech = role && strcmp(role, ":tech") == 0,
        .billing = role && strcmp(role, ":billing") == 0,
    };
    (void)snprintf(ret_contact->service, sizeof ret_contact->service, "%.*s %s",
                   (int)size, kind, finding->subject);
    (void)snprintf(ret_contact->from, sizeof ret_contact->from, "%.64s", finding->whose);
}

/* Was it done to this contact: the same service, the same of its three, the same account?
 */
static bool replaces(const struct psn_handover_contact *change,
                     const struct psn_handover_contact *contact)
{
    return strcmp(change->state, psn_contact_state_name(PSN_CONTACT_DONE)) == 0 &&
           strcasecmp(change->service, contact->service) == 0 &&
           strcasecmp(change->from, contact->from) == 0 &&
           ((change->admin && contact->admin) || (change->tech && contact->tech) ||
            (change->billing && contact->billing));
}

void psn_handover_read_changes(struct psn_handover_facts *facts)
{
    for (size_t i = 0; i < facts->access_count; i++) {
        struct psn_access *access = &facts->accesses[i];
        struct psn_handover_contact contact;

        if (access->finding.kind != PSN_FINDING_CONTACT ||
            access->state != PSN_ACCESS_GONE)
            continue;
        psn_handover_read_contact(&access->finding, &contact);
        for (size_t j = 0; j < facts->contact_count; j++)
            if (replaces(&facts->contacts[j], &contact)) {
                access->ordered_s = access->gone_s = facts->contacts[j].at_s;
                access->task = facts->contacts[j].task;
            }
    }
}
