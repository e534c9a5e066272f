/*
 * The walk. Each part is a list of names and, for some, one look at each of them; lists
 * are sorted, so that two runs give the same order. A part that this key may not read is
 * a finding; a key that is not valid at all, or a network that fails, is a failure.
 */
#include "ovh/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "ovh/walk.h"

const char *psn_finding_kind_name(enum psn_finding_kind kind)
{
    static const char *const names[] = {
        [PSN_FINDING_DOMAIN] = "domain",
        [PSN_FINDING_MAILBOX] = "mailbox",
        [PSN_FINDING_CONTACT] = "contact",
        [PSN_FINDING_REDIRECTION] = "redirection",
        [PSN_FINDING_RESPONDER] = "responder",
        [PSN_FINDING_FILTER] = "filter",
        [PSN_FINDING_DELEGATION] = "delegation",
        [PSN_FINDING_ACL] = "acl",
        [PSN_FINDING_MAILING_LIST] = "mailing_list",
        [PSN_FINDING_API_KEY] = "api_key",
        [PSN_FINDING_API_APP] = "api_application",
        [PSN_FINDING_ACCOUNT_MAIL] = "account_mail",
        [PSN_FINDING_UNREADABLE] = "unreadable",
    };

    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

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

/* Reads and reports one item of a part. */
typedef enum psn_code item_fn(const struct psn_walk *walk, const char *domain,
                              const char *name, const json_t *value,
                              struct psn_error *err);

/* A list, and one look at each item. */
static enum psn_code walk_items(const struct psn_walk *walk, const char *domain,
                                const char *list_pattern, const char *item_pattern,
                                item_fn *take, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) items = { NULL, 0 };
    enum psn_code rc = psn_walk_names(walk, list_pattern, domain, NULL, &items, err);

    for (size_t i = 0; rc == PSN_OK && i < items.count; i++) {
        PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
        PSN_AUTO_JSON *value = NULL;

        rc = domain
                 ? psn_ovh_path(&path, item_pattern,
                                PSN_OVH_PARTS(domain, items.items[i]), err)
                 : psn_ovh_path(&path, item_pattern, PSN_OVH_PARTS(items.items[i]), err);
        if (rc == PSN_OK)
            rc = psn_walk_look_at(walk, &path, &value, err);
        if (rc == PSN_OK && value)
            rc = take(walk, domain, items.items[i], value, err);
        if (rc)
            return psn_wrap(err, rc, "%s", psn_buf_str(&path));
    }
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

static void append_date(struct psn_buf *detail, const char *word, int64_t time_s)
{
    char time[PSN_TIME_SIZE];

    psn_buf_format(detail, ", %s %.10s", word,
                   time_s ? psn_clock_format(time_s, time) : _("never"));
}

static enum psn_code take_api_key(const struct psn_walk *walk, const char *domain,
                                  const char *id, const json_t *value,
                                  struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_API_KEY };
    PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init(PSN_WALK_NAME_SIZE);
    char status[32];
    int64_t application = 0;
    int64_t times[3] = { 0, 0, 0 };
    enum psn_code rc = psn_json_text(value, "status", status, sizeof status, err);

    (void)domain;
    if (rc == PSN_OK)
        rc = psn_json_int_or(value, "applicationId", 0, &application, err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "creation", &times[0], err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "expiration", &times[1], err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "lastUse", &times[2], err);
    if (rc)
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, id);
    psn_buf_format(&detail, _("application %lld, %s"), (long long)application, status);
    append_date(&detail, _("made"), times[0]);
    append_date(&detail, _("ends"), times[1]);
    append_date(&detail, _("last used"), times[2]);
    return psn_walk_report(walk, &finding, id, NULL, &detail, err);
}

static enum psn_code take_api_application(const struct psn_walk *walk, const char *domain,
                                          const char *id, const json_t *value,
                                          struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_API_APP };
    PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init((size_t)4 * PSN_WALK_NAME_SIZE);
    char name[PSN_WALK_NAME_SIZE];
    char status[32];
    enum psn_code rc = psn_json_text_or_empty(value, "name", name, sizeof name, err);

    (void)domain;
    if (rc == PSN_OK)
        rc = psn_json_text(value, "status", status, sizeof status, err);
    if (rc)
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, id);
    psn_buf_format(&detail, "%s, %s", name, status);
    return psn_walk_report(walk, &finding, id, NULL, &detail, err);
}

static enum psn_code report_domain(const struct psn_walk *walk, const char *domain,
                                   const json_t *value, struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_DOMAIN };
    PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init((size_t)4 * PSN_WALK_NAME_SIZE);
    char status[32];
    char offer[PSN_WALK_NAME_SIZE];
    enum psn_code rc =
        psn_json_text_or_empty(value, "status", status, sizeof status, err);

    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "offer", offer, sizeof offer, err);
    if (rc)
        return psn_wrap(err, rc, "%s", domain);
    psn_walk_cut(finding.subject, sizeof finding.subject, domain);
    psn_buf_format(&detail, "email/domain, %s%s%s", status[0] ? status : _("unknown"),
                   offer[0] ? _(", offer ") : "", offer);
    return psn_walk_report(walk, &finding, domain, NULL, &detail, err);
}

static enum psn_code walk_domain(const struct psn_walk *walk, const char *domain,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO_RELEASE(psn_names) acl = { NULL, 0 };
    PSN_AUTO_JSON *value = NULL;
    enum psn_code rc = psn_ovh_path(&path, "/email/domain/*", PSN_OVH_PARTS(domain), err);

    if (rc == PSN_OK)
        rc = psn_walk_look(walk, &path, &value, err);
    if (rc || !value)
        return rc;
    rc = report_domain(walk, domain, value, err);
    if (rc == PSN_OK)
        rc = walk_contacts(walk, domain, err);
    if (rc == PSN_OK)
        rc = walk_mailboxes(walk, domain, err);
    if (rc == PSN_OK)
        rc = walk_items(walk, domain, "/email/domain/*/redirection",
                        "/email/domain/*/redirection/*", take_redirection, err);
    if (rc == PSN_OK)
        rc = walk_items(walk, domain, "/email/domain/*/responder",
                        "/email/domain/*/responder/*", take_responder, err);
    if (rc == PSN_OK)
        rc = psn_walk_names(walk, "/email/domain/*/acl", domain, NULL, &acl, err);
    if (rc == PSN_OK)
        rc = walk_accounts(walk, PSN_FINDING_ACL, domain, &acl, err);
    return rc ? rc
              : walk_items(walk, domain, "/email/domain/*/mailingList",
                           "/email/domain/*/mailingList/*", take_mailing_list, err);
}

/* The account first: its name tells own contacts from others. */
static enum psn_code walk_account(struct psn_walk *walk, struct psn_finding *mail,
                                  bool *ret_readable, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO_JSON *value = NULL;
    enum psn_code rc = psn_ovh_path(&path, "/me", PSN_OVH_PARTS(NULL), err);

    if (rc == PSN_OK)
        rc = psn_walk_look(walk, &path, &value, err);
    if (rc || !value)
        return rc;
    rc = psn_json_text(value, "nichandle", walk->nic, sizeof walk->nic, err);
    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "email", mail->subject, sizeof mail->subject,
                                    err);
    *ret_readable = rc == PSN_OK && mail->subject[0];
    return rc ? psn_wrap(err, rc, "/me") : PSN_OK;
}

static enum psn_code walk_all(struct psn_walk *walk, struct psn_error *err)
{
    struct psn_finding mail = { .kind = PSN_FINDING_ACCOUNT_MAIL };
    PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init(PSN_WALK_NAME_SIZE);
    bool has_mail = false;
    enum psn_code rc = walk_account(walk, &mail, &has_mail, err);

    for (size_t i = 0; rc == PSN_OK && i < walk->domain_count; i++)
        rc = walk_domain(walk, walk->domains[i], err);
    if (rc == PSN_OK && has_mail && !psn_walk_leads_outside(walk, mail.subject) &&
        strchr(mail.subject, '@')) {
        psn_buf_text(&detail, walk->nic);
        rc = psn_walk_report(walk, &mail, mail.subject, NULL, &detail, err);
    }
    if (rc == PSN_OK)
        rc = walk_items(walk, NULL, "/me/api/application", "/me/api/application/*",
                        take_api_application, err);
    if (rc == PSN_OK)
        rc = walk_items(walk, NULL, "/me/api/credential", "/me/api/credential/*",
                        take_api_key, err);
    return rc;
}

static enum psn_code copy_domains(const char *const *domains, size_t count,
                                  struct psn_names *names, struct psn_error *err)
{
    names->items = calloc(count + 1, sizeof *names->items);
    for (size_t i = 0; names->items && i < count; i++) {
        names->items[i] = malloc(strlen(domains[i]) + 1);
        if (!names->items[i])
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        memcpy(names->items[i], domains[i], strlen(domains[i]) + 1);
        names->count++;
    }
    return names->items ? PSN_OK : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
}

enum psn_code psn_ovh_inventory(struct psn_ovh *ovh, const char *const *domains,
                                size_t domain_count, psn_finding_fn *each, void *arg,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) all = { NULL, 0 };
    struct psn_walk walk = { .ovh = ovh, .each = each, .arg = arg };
    enum psn_code rc =
        domain_count ? copy_domains(domains, domain_count, &all, err)
                     : psn_walk_names(&walk, "/email/domain", NULL, NULL, &all, err);

    walk.domains = all.items;
    walk.domain_count = all.count;
    if (rc == PSN_OK)
        rc = walk_all(&walk, err);
    if (rc)
        return psn_wrap(err, rc, _("the inventory is not complete"));
    return PSN_OK;
}
