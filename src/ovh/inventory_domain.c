/* What lies on one domain of the first MX Plan. */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "ovh/email_domain.h"

static enum psn_code walk_contacts(const struct psn_walk *walk, const char *domain,
                                   struct psn_error *err)
{
    static const struct {
        const char *member;
        const char *word;
        const char *shown;
    } kinds[] = { { "contactAdmin", "admin", N_("admin") },
                  { "contactTech", "tech", N_("tech") },
                  { "contactBilling", "billing", N_("billing") } };
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO_JSON *value = NULL;
    enum psn_code rc =
        psn_ovh_path(&path, "/email/domain/*/serviceInfos", PSN_OVH_PARTS(domain), err);

    if (rc == PSN_OK)
        rc = psn_walk_look(walk, &path, &value, err);
    for (size_t i = 0; rc == PSN_OK && value && i < sizeof kinds / sizeof *kinds; i++) {
        PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init(PSN_WALK_NAME_SIZE + 64);
        struct psn_finding finding = { .kind = PSN_FINDING_CONTACT };
        char nic[PSN_WALK_NAME_SIZE];

        rc = psn_json_text_or_empty(value, kinds[i].member, nic, sizeof nic, err);
        if (rc || !nic[0])
            continue;
        psn_walk_cut(finding.subject, sizeof finding.subject, domain);
        psn_buf_format(&detail, "%s %s", _(kinds[i].shown), nic);
        finding.external = psn_walk_is_other_account(walk, nic);
        rc = psn_walk_report(walk, &finding, domain, kinds[i].word, &detail, err);
    }
    return rc;
}

static enum psn_code report_filter(const struct psn_walk *walk, const char *address,
                                   const char *name, const json_t *value,
                                   struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_FILTER };
    PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init((size_t)4 * PSN_WALK_NAME_SIZE);
    char action[32];
    char target[PSN_WALK_NAME_SIZE];
    bool active = false;
    enum psn_code rc =
        psn_json_text_or_empty(value, "action", action, sizeof action, err);

    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "actionParam", target, sizeof target, err);
    if (rc == PSN_OK)
        rc = psn_json_bool(value, "active", &active, err);
    if (rc)
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, address);
    psn_buf_format(&detail, "%s: %s%s%s%s", name, action[0] ? action : _("no action"),
                   target[0] ? " " : "", target, active ? "" : _(" (off)"));
    finding.external = psn_walk_leads_outside(walk, target);
    return psn_walk_report(walk, &finding, address, name, &detail, err);
}

static enum psn_code walk_filters(const struct psn_walk *walk, const char *domain,
                                  const char *local, const char *address,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) filters = { NULL, 0 };
    enum psn_code rc = psn_walk_names(walk, "/email/domain/*/account/*/filter", domain,
                                      local, &filters, err);

    for (size_t i = 0; rc == PSN_OK && i < filters.count; i++) {
        PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
        PSN_AUTO_JSON *value = NULL;

        rc = psn_ovh_path(&path, "/email/domain/*/account/*/filter/*",
                          PSN_OVH_PARTS(domain, local, filters.items[i]), err);
        if (rc == PSN_OK)
            rc = psn_walk_look_at(walk, &path, &value, err);
        if (rc == PSN_OK && value)
            rc = report_filter(walk, address, filters.items[i], value, err);
    }
    return rc;
}

/* One finding for each name of a list, the name being an account (NIC). */
static enum psn_code walk_accounts(const struct psn_walk *walk,
                                   enum psn_finding_kind kind, const char *subject,
                                   const struct psn_names *names, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; rc == PSN_OK && i < names->count; i++) {
        PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init(PSN_WALK_NAME_SIZE);
        struct psn_finding finding = { .kind = kind };

        psn_walk_cut(finding.subject, sizeof finding.subject, subject);
        psn_buf_text(&detail, names->items[i]);
        finding.external = psn_walk_is_other_account(walk, names->items[i]);
        rc = psn_walk_report(walk, &finding, subject, names->items[i], &detail, err);
    }
    return rc;
}

static enum psn_code walk_mailbox(const struct psn_walk *walk, const char *domain,
                                  const char *local, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) delegates = { NULL, 0 };
    struct psn_finding finding = { .kind = PSN_FINDING_MAILBOX };
    char address[2 * PSN_WALK_NAME_SIZE];
    enum psn_code rc;

    (void)snprintf(address, sizeof address, "%s@%s", local, domain);
    psn_walk_cut(finding.subject, sizeof finding.subject, address);
    rc = psn_walk_report(walk, &finding, address, NULL, NULL, err);
    if (rc == PSN_OK)
        rc = walk_filters(walk, domain, local, address, err);
    if (rc == PSN_OK)
        rc = psn_walk_names(walk, "/email/domain/*/account/*/delegation", domain, local,
                            &delegates, err);
    return rc ? rc
              : walk_accounts(walk, PSN_FINDING_DELEGATION, address, &delegates, err);
}

static enum psn_code walk_mailboxes(const struct psn_walk *walk, const char *domain,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) locals = { NULL, 0 };
    enum psn_code rc =
        psn_walk_names(walk, "/email/domain/*/account", domain, NULL, &locals, err);

    for (size_t i = 0; rc == PSN_OK && i < locals.count; i++)
        rc = walk_mailbox(walk, domain, locals.items[i], err);
    return rc;
}

static enum psn_code take_redirection(const struct psn_walk *walk, const char *domain,
                                      const char *id, const json_t *value,
                                      struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_REDIRECTION };
    PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init((size_t)2 * PSN_WALK_NAME_SIZE);
    char to[2 * PSN_WALK_NAME_SIZE];
    enum psn_code rc =
        psn_json_text(value, "from", finding.subject, sizeof finding.subject, err);

    (void)domain;
    if (rc == PSN_OK)
        rc = psn_json_text(value, "to", to, sizeof to, err);
    if (rc)
        return rc;
    psn_buf_text(&detail, to);
    finding.external = psn_walk_leads_outside(walk, to);
    return psn_walk_report(walk, &finding, id, NULL, &detail, err);
}

/* OVH gives a name or a whole address. */
static void set_address(struct psn_finding *finding, const char *name, const char *domain)
{
    char address[2 * PSN_WALK_NAME_SIZE];

    (void)snprintf(address, sizeof address, "%s%s%s", name, strchr(name, '@') ? "" : "@",
                   strchr(name, '@') ? "" : domain);
    psn_walk_cut(finding->subject, sizeof finding->subject, address);
}

static enum psn_code take_responder(const struct psn_walk *walk, const char *domain,
                                    const char *account, const json_t *value,
                                    struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_RESPONDER };
    PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init((size_t)4 * PSN_WALK_NAME_SIZE);
    char copy_to[2 * PSN_WALK_NAME_SIZE];
    bool copy = false;
    enum psn_code rc =
        psn_json_text_or_empty(value, "copyTo", copy_to, sizeof copy_to, err);

    if (rc == PSN_OK)
        rc = psn_json_bool(value, "copy", &copy, err);
    if (rc)
        return rc;
    set_address(&finding, account, domain);
    if (copy_to[0])
        psn_buf_format(&detail, _("copy to %s%s"), copy_to, copy ? "" : _(" (off)"));
    finding.external = psn_walk_leads_outside(walk, copy_to);
    return psn_walk_report(walk, &finding, finding.subject, NULL, &detail, err);
}

static enum psn_code take_mailing_list(const struct psn_walk *walk, const char *domain,
                                       const char *name, const json_t *value,
                                       struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_MAILING_LIST };
    PSN_AUTO_RELEASE(psn_names) moderators = { NULL, 0 };
    PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init(PSN_RECORD_MAX);
    char owner[2 * PSN_WALK_NAME_SIZE];
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
    set_address(&finding, name, domain);
    psn_buf_format(&detail, _("owner %s; %lld subscribers; moderators:"), owner,
                   (long long)subscribers);
    finding.external = psn_walk_leads_outside(walk, owner);
    for (size_t i = 0; i < moderators.count; i++) {
        psn_buf_format(&detail, "%s %s", i ? "," : "", moderators.items[i]);
        finding.external =
            finding.external || psn_walk_leads_outside(walk, moderators.items[i]);
    }
    psn_buf_text(&detail, moderators.count ? "" : _(" none"));
    return psn_walk_report(walk, &finding, finding.subject, NULL, &detail, err);
}

static enum psn_code report_domain(const struct psn_walk *walk,
                                   const struct psn_service *service,
                                   struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_DOMAIN };
    PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init((size_t)4 * PSN_WALK_NAME_SIZE);
    const char *domain = service->domains.items[0];

    psn_walk_cut(finding.subject, sizeof finding.subject, domain);
    psn_buf_format(&detail, "email/domain, %s%s%s%s%s",
                   service->state[0] ? service->state : _("unknown"),
                   service->offer[0] ? _(", offer ") : "", service->offer,
                   service->moved_to[0] ? _(", mailboxes moved to email/mxplan ") : "",
                   service->moved_to);
    return psn_walk_report(walk, &finding, domain, NULL, &detail, err);
}

/* Of the service only what moved_to says is used here. */
enum psn_code psn_email_domain_walk(const struct psn_walk *walk,
                                    const struct psn_service *service,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) acl = { NULL, 0 };
    const char *domain = service->domains.items[0];
    enum psn_code rc = report_domain(walk, service, err);

    if (rc == PSN_OK)
        rc = walk_contacts(walk, domain, err);
    if (rc == PSN_OK && !service->moved_to[0])
        rc = walk_mailboxes(walk, domain, err);
    if (rc == PSN_OK)
        rc = psn_walk_items(walk, domain, "/email/domain/*/redirection",
                            "/email/domain/*/redirection/*", take_redirection, err);
    if (rc == PSN_OK)
        rc = psn_walk_items(walk, domain, "/email/domain/*/responder",
                            "/email/domain/*/responder/*", take_responder, err);
    if (rc == PSN_OK)
        rc = psn_walk_names(walk, "/email/domain/*/acl", domain, NULL, &acl, err);
    if (rc == PSN_OK)
        rc = walk_accounts(walk, PSN_FINDING_ACL, domain, &acl, err);
    return rc ? rc
              : psn_walk_items(walk, domain, "/email/domain/*/mailingList",
                               "/email/domain/*/mailingList/*", take_mailing_list, err);
}
