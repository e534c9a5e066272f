/* Mailing lists of the first MX Plan. An inventory shows each in one line; a sweep shows
 * who outside the domain gets its mail, or rules it. */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "ovh/email_domain.h"

static void set_subject(struct psn_finding *finding, const char *name, const char *domain)
{
    char address[2 * PSN_WALK_NAME_SIZE];

    (void)snprintf(address, sizeof address, "%s@%s", name, domain);
    psn_walk_cut(finding->subject, sizeof finding->subject, address);
}

/* --- one line --- */

static enum psn_code describe(const struct psn_walk *walk, const char *domain,
                              const char *name, const json_t *value,
                              struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_MAILING_LIST };
    PSN_AUTO_RELEASE(psn_names) moderators = { NULL, 0 };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    char owner[2 * PSN_WALK_NAME_SIZE];
    char number[24];
    int64_t subscribers = 0;
    enum psn_code rc =
        psn_json_text_or_empty(value, "ownerEmail", owner, sizeof owner, err);

    if (rc == PSN_OK)
        rc = psn_json_int_or(value, "nbSubscribers", 0, &subscribers, err);
    if (rc == PSN_OK)
        rc = psn_walk_names(walk, "/email/domain/*/mailingList/*/moderator", domain, name,
                            &moderators, err);
    if (rc)
        return rc;
    set_subject(&finding, name, domain);
    (void)snprintf(number, sizeof number, "%lld", (long long)subscribers);
    psn_detail_say(&detail, N_("owner %s; %s subscribers; moderators:"),
                   PSN_OVH_PARTS(owner, number));
    finding.external = psn_walk_leads_outside(walk, owner);
    for (size_t i = 0; i < moderators.count; i++) {
        psn_detail_add(&detail, PSN_OVH_PARTS(i ? ", " : " ", moderators.items[i]));
        finding.external =
            finding.external || psn_walk_leads_outside(walk, moderators.items[i]);
    }
    if (moderators.count == 0)
        psn_detail_say(&detail, N_(" none"), PSN_OVH_PARTS(NULL));
    finding.danger = finding.external ? PSN_DANGER_NOTICE : PSN_DANGER_INFO;
    return psn_walk_report(walk, &finding, finding.subject, NULL, &detail, err);
}

/* --- each person outside --- */

struct role {
    const char *member; /* of the list */
    const char *word;   /* in the id */
    const char *shown;
};

/* Owner and reply address are not removed but replaced, and by whom nobody can guess. */
static enum psn_code report_role(const struct psn_walk *walk, const char *domain,
                                 const char *name, const json_t *value,
                                 const struct role *role, struct psn_error *err)
{
    char email[2 * PSN_WALK_NAME_SIZE];
    struct psn_finding finding = { .kind = PSN_FINDING_MAILING_LIST,
                                   .danger = PSN_DANGER_NOTICE,
                                   .external = true };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    enum psn_code rc =
        psn_json_text_or_empty(value, role->member, email, sizeof email, err);

    if (rc || !psn_walk_leads_outside(walk, email))
        return rc;
    set_subject(&finding, name, domain);
    psn_walk_set_whose(&finding, email);
    psn_walk_set_obstacle(&finding,
                          N_("it can only be replaced: choose another address in "
                             "the OVH control panel"));
    psn_detail_say(&detail, role->shown, PSN_OVH_PARTS(NULL));
    psn_detail_add(&detail, PSN_OVH_PARTS(" ", email));
    return psn_walk_report(walk, &finding, finding.subject, role->word, &detail, err);
}

struct people {
    enum psn_finding_kind kind;
    enum psn_danger danger;
    const char *list;
    const char *one;
};

static enum psn_code report_people(const struct psn_walk *walk, const char *domain,
                                   const char *name, const struct people *people,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) emails = { NULL, 0 };
    enum psn_code rc = psn_walk_names(walk, people->list, domain, name, &emails, err);

    for (size_t i = 0; rc == PSN_OK && i < emails.count; i++) {
        struct psn_finding finding = { .kind = people->kind,
                                       .danger = people->danger,
                                       .external = true };
        PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();

        if (!psn_walk_leads_outside(walk, emails.items[i]))
            continue;
        set_subject(&finding, name, domain);
        psn_walk_set_whose(&finding, emails.items[i]);
        psn_detail_add(&detail, PSN_OVH_PARTS(emails.items[i]));
        rc = psn_walk_set_removal(&finding, "DELETE", people->one,
                                  PSN_OVH_PARTS(domain, name, emails.items[i]), err);
        if (rc == PSN_OK)
            rc = psn_walk_report(walk, &finding, finding.subject, emails.items[i],
                                 &detail, err);
    }
    return rc;
}

/* A moderator lets mail pass and may let himself in; a subscriber only reads. */
static enum psn_code take_apart(const struct psn_walk *walk, const char *domain,
                                const char *name, const json_t *value,
                                struct psn_error *err)
{
    static const struct people moderators = {
        .kind = PSN_FINDING_MODERATOR,
        .danger = PSN_DANGER_DANGER,
        .list = "/email/domain/*/mailingList/*/moderator",
        .one = "/email/domain/*/mailingList/*/moderator/*",
    };
    static const struct people subscribers = {
        .kind = PSN_FINDING_SUBSCRIBER,
        .danger = PSN_DANGER_NOTICE,
        .list = "/email/domain/*/mailingList/*/subscriber",
        .one = "/email/domain/*/mailingList/*/subscriber/*",
    };
    static const struct role roles[] = {
        { "ownerEmail", "owner", N_("owner") },
        { "replyTo", "reply", N_("answers go to") },
    };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; rc == PSN_OK && i < sizeof roles / sizeof *roles; i++)
        rc = report_role(walk, domain, name, value, &roles[i], err);
    if (rc == PSN_OK)
        rc = report_people(walk, domain, name, &moderators, err);
    return rc ? rc : report_people(walk, domain, name, &subscribers, err);
}

enum psn_code psn_email_domain_walk_lists(const struct psn_walk *walk, const char *domain,
                                          struct psn_error *err)
{
    return psn_walk_items(walk, domain, "/email/domain/*/mailingList",
                          "/email/domain/*/mailingList/*",
                          walk->is_sweep ? take_apart : describe, err);
}
