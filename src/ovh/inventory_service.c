/* What lies in a service of the second MX Plan, Email Pro or Exchange: its mailboxes, and
 * who else may open them or send in their name. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "ovh/email_service.h"
#include "ovh/inventory_parts.h"

static const char placeholder[] = "@configureme.me";

/* Reads a part as psn_walk_look() does; *ret_value stays NULL if it is unreadable. */
static enum psn_code look(const struct psn_walk *walk, const struct psn_mailbox *mailbox,
                          const char *suffix, struct psn_ovh_parts parts,
                          json_t **ret_value, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    enum psn_code rc = psn_email_path(mailbox, suffix, parts, &path, err);

    return rc ? rc : psn_walk_look_at(walk, &path, ret_value, err);
}

static enum psn_code look_at_names(const struct psn_walk *walk,
                                   const struct psn_mailbox *mailbox, const char *suffix,
                                   const char *address, struct psn_names *names,
                                   struct psn_error *err)
{
    PSN_AUTO_JSON *list = NULL;
    enum psn_code rc = look(walk, mailbox, suffix, PSN_OVH_PARTS(address), &list, err);

    if (rc || !list)
        return rc;
    return psn_names_read(list, names, err);
}

static enum psn_code report_service(const struct psn_walk *walk,
                                    const struct psn_service *service, const char *domain,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    struct psn_finding finding = { .kind = PSN_FINDING_DOMAIN };
    char platform[PSN_PLATFORM_NAME_MAX];

    psn_platform_name(service->backend, &service->place, platform);
    psn_walk_cut(finding.subject, sizeof finding.subject, domain);
    psn_detail_add(&detail, PSN_OVH_PARTS(platform, " ", service->place.service));
    psn_detail_add(&detail, PSN_OVH_PARTS(", ", service->state));
    if (service->offer[0])
        psn_detail_say(&detail, N_(", offer %s"), PSN_OVH_PARTS(service->offer));
    return psn_walk_report(walk, &finding, domain, service->place.service, &detail, err);
}

/* Rights are given to accounts by number. */
static enum psn_code name_of(const struct psn_walk *walk,
                             const struct psn_mailbox *mailbox, const char *id,
                             char ret_name[PSN_ADDRESS_SIZE], struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) names = { NULL, 0 };
    enum psn_code rc = look_at_names(walk, mailbox, "/account?id=*", id, &names, err);

    if (!rc)
        (void)snprintf(ret_name, PSN_ADDRESS_SIZE, "%s",
                       names.count == 1 ? names.items[0] : "");
    return rc;
}

/* Since when somebody has a right; an inventory does not ask. */
static enum psn_code read_since(const struct psn_walk *walk, const struct psn_buf *path,
                                struct psn_finding *finding, struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    enum psn_code rc = psn_walk_look_at(walk, path, &value, err);

    return rc || !value
               ? rc
               : psn_json_time_or_0(value, "creationDate", &finding->since_s, err);
}

/* Reading a mailbox is worse than writing in its name, and both are worse outside. */
static enum psn_code report_right(const struct psn_walk *walk,
                                  const struct psn_mailbox *mailbox, const char *address,
                                  const char *right, const char *number,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    struct psn_finding finding = { .kind = PSN_FINDING_DELEGATION };
    char name[PSN_ADDRESS_SIZE] = "";
    char id[PSN_WALK_NAME_SIZE];
    enum psn_code rc = name_of(walk, mailbox, number, name, err);

    if (!rc)
        rc = psn_email_path(mailbox, "/account/*/*/*",
                            PSN_OVH_PARTS(address, right, number), &path, err);
    if (!rc && walk->is_sweep)
        rc = read_since(walk, &path, &finding, err);
    if (rc)
        return rc;
    psn_walk_put_removal(&finding, "DELETE", &path);
    psn_walk_cut(finding.subject, sizeof finding.subject, address);
    psn_walk_set_whose(&finding, name[0] ? name : number);
    psn_detail_say(&detail, N_("%s: %s%saccount %s"),
                   PSN_OVH_PARTS(right, name, name[0] ? ", " : "", number));
    (void)snprintf(id, sizeof id, "%s:%.60s", right, number);
    finding.external = name[0] && psn_walk_leads_outside(walk, name);
    finding.danger = finding.external ? PSN_DANGER_DANGER : PSN_DANGER_NOTICE;
    return psn_walk_report(walk, &finding, address, id, &detail, err);
}

static enum psn_code walk_right(const struct psn_walk *walk,
                                const struct psn_mailbox *mailbox, const char *address,
                                const char *right, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) suffix = psn_buf_init(PSN_WALK_NAME_SIZE);
    PSN_AUTO_RELEASE(psn_names) ids = { NULL, 0 };
    enum psn_code rc;

    psn_buf_format(&suffix, "/account/*/%s", right);
    rc = psn_buf_check(&suffix, err);
    if (!rc)
        rc = look_at_names(walk, mailbox, psn_buf_str(&suffix), address, &ids, err);
    for (size_t i = 0; !rc && i < ids.count; i++)
        rc = report_right(walk, mailbox, address, right, ids.items[i], err);
    return rc;
}

/* Exchange forwards a mailbox by a member of it. */
static enum psn_code report_forwarding(const struct psn_walk *walk,
                                       const struct psn_mailbox *mailbox,
                                       const char *address, const json_t *account,
                                       struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    struct psn_finding finding = { .kind = PSN_FINDING_REDIRECTION };
    char to[PSN_WALK_NAME_SIZE];
    enum psn_code rc =
        psn_json_text_or_empty(account, "forwardingEmail", to, sizeof to, err);

    if (rc || !to[0])
        return rc;
    rc = psn_email_path(mailbox, "/account/*", PSN_OVH_PARTS(address), &path, err);
    if (rc)
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, address);
    psn_walk_set_whose(&finding, to);
    psn_detail_add(&detail, PSN_OVH_PARTS(to));
    psn_detail_say(&detail, N_(", the mail of a mailbox"), PSN_OVH_PARTS(NULL));
    (void)snprintf(finding.body, sizeof finding.body, "{\"forwardingEmail\":null}");
    psn_walk_put_removal(&finding, "PUT", &path);
    finding.external = psn_walk_leads_outside(walk, to);
    finding.danger = finding.external ? PSN_DANGER_DANGER : PSN_DANGER_INFO;
    return psn_walk_report(walk, &finding, address, "forwarding", &detail, err);
}

static enum psn_code report_mailbox(const struct psn_walk *walk,
                                    const struct psn_service *service,
                                    const char *address, const json_t *account,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    struct psn_finding finding = { .kind = PSN_FINDING_MAILBOX };
    char platform[PSN_PLATFORM_NAME_MAX];
    char time[PSN_TIME_SIZE];
    enum psn_code rc =
        psn_json_time_or_0(account, "passwordLastUpdate", &finding.changed_s, err);

    if (rc)
        return rc;
    psn_platform_name(service->backend, &service->place, platform);
    psn_walk_cut(finding.subject, sizeof finding.subject, address);
    (void)snprintf(finding.platform, sizeof finding.platform, "%s", platform);
    psn_detail_add(&detail, PSN_OVH_PARTS(platform));
    if (finding.changed_s)
        psn_detail_say(&detail, N_(", password changed %s"),
                       PSN_OVH_PARTS(psn_clock_format(finding.changed_s, time)));
    return psn_walk_report(walk, &finding, address, NULL, &detail, err);
}

static enum psn_code walk_mailbox(const struct psn_walk *walk,
                                  const struct psn_service *service,
                                  const struct psn_mailbox *at, const char *address,
                                  struct psn_error *err)
{
    static const char *const rights[] = { "fullAccess", "sendAs", "sendOnBehalfTo" };
    PSN_AUTO_JSON *account = NULL;
    enum psn_code rc =
        look(walk, at, "/account/*", PSN_OVH_PARTS(address), &account, err);

    if (rc || !account)
        return rc;
    rc = report_mailbox(walk, service, address, account, err);
    if (!rc && walk->is_sweep)
        rc = report_forwarding(walk, at, address, account, err);
    for (size_t i = 0; !rc && i < sizeof rights / sizeof *rights; i++)
        rc = walk_right(walk, at, address, rights[i], err);
    return rc;
}

/* Of one of the domains, and no free slot. */
static bool is_own(const struct psn_walk *walk, const char *address)
{
    const char *at = strrchr(address, '@');

    return at && strcasecmp(at, placeholder) != 0 && psn_walk_has_domain(walk, at + 1);
}

/* The second MX Plan has no contacts of its own: /email/domain has them. */
static enum psn_code walk_contacts(const struct psn_walk *walk,
                                   const struct psn_service *service,
                                   struct psn_error *err)
{
    char id[PSN_WALK_NAME_SIZE];
    char platform[PSN_PLATFORM_NAME_MAX];
    bool is_pro = service->backend == PSN_BACKEND_EMAIL_PRO;
    struct psn_contact_place place = {
        .infos = "/email/exchange/*/service/*/serviceInfos",
        .parts = PSN_OVH_PARTS(service->place.organization, service->place.service),
    };

    if (service->backend == PSN_BACKEND_EMAIL_MXPLAN)
        return PSN_OK;
    if (is_pro) {
        place = *psn_contact_place_of(PSN_CONTACT_PRO);
        place.parts = PSN_OVH_PARTS(service->place.service);
    }
    place.subject = service->place.service;
    place.id = id;
    place.what = platform;
    psn_platform_name(service->backend, &service->place, platform);
    (void)snprintf(id, sizeof id, "%s/%.200s", is_pro ? "pro" : "exchange",
                   service->place.service);
    return psn_contact_walk_at(walk, &place, err);
}

enum psn_code psn_email_walk(const struct psn_walk *walk,
                             const struct psn_service *service, struct psn_error *err)
{
    struct psn_mailbox at = { .backend = service->backend, .place = service->place };
    PSN_AUTO_RELEASE(psn_names) accounts = { NULL, 0 };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < service->domains.count; i++)
        if (psn_walk_has_domain(walk, service->domains.items[i]))
            rc = report_service(walk, service, service->domains.items[i], err);
    if (!rc && walk->is_sweep)
        rc = walk_contacts(walk, service, err);
    if (!rc)
        rc = look_at_names(walk, &at, "/account", NULL, &accounts, err);
    for (size_t i = 0; !rc && i < accounts.count; i++)
        if (is_own(walk, accounts.items[i]))
            rc = walk_mailbox(walk, service, &at, accounts.items[i], err);
    return rc;
}
