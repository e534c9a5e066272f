/* What lies on one domain of the first MX Plan. */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "ovh/email_domain.h"
#include "ovh/inventory_parts.h"

static enum psn_code walk_contacts(const struct psn_walk *walk, const char *domain,
                                   struct psn_error *err)
{
    struct psn_contact_place place = *psn_contact_place_of(PSN_CONTACT_MAIL);

    place.subject = domain;
    place.id = domain;
    place.parts = PSN_OVH_PARTS(domain);
    return psn_contact_walk_at(walk, &place, err);
}

/* A mailbox of the domain. */
struct box {
    const char *domain;
    const char *local;
    const char *address;
};

/* One that is off can be put on again. */
static enum psn_danger danger_of(bool external, bool active)
{
    if (!external)
        return PSN_DANGER_INFO;
    return active ? PSN_DANGER_DANGER : PSN_DANGER_NOTICE;
}

static void append_off(struct psn_detail *detail, bool active)
{
    if (!active)
        psn_detail_say(detail, N_(" (off)"), PSN_OVH_PARTS(NULL));
}

/* Of filters a sweep shows those that hand mail on. */
static enum psn_code report_filter(const struct psn_walk *walk, const struct box *box,
                                   const char *name, const json_t *value,
                                   struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_FILTER };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    char action[32];
    char target[PSN_WALK_NAME_SIZE];
    bool active = false;
    enum psn_code rc =
        psn_json_text_or_empty(value, "action", action, sizeof action, err);

    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "actionParam", target, sizeof target, err);
    if (rc == PSN_OK)
        rc = psn_json_bool(value, "active", &active, err);
    if (rc == PSN_OK)
        rc =
            psn_walk_set_removal(&finding, "DELETE", "/email/domain/*/account/*/filter/*",
                                 PSN_OVH_PARTS(box->domain, box->local, name), err);
    if (rc || (walk->is_sweep && !target[0]))
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, box->address);
    psn_walk_set_whose(&finding, target);
    psn_detail_add(&detail, PSN_OVH_PARTS(name, ": ", action));
    if (!action[0])
        psn_detail_say(&detail, N_("no action"), PSN_OVH_PARTS(NULL));
    psn_detail_add(&detail, PSN_OVH_PARTS(target[0] ? " " : "", target));
    append_off(&detail, active);
    finding.external = psn_walk_leads_outside(walk, target);
    finding.danger = danger_of(finding.external, active);
    return psn_walk_report(walk, &finding, box->address, name, &detail, err);
}

static enum psn_code walk_filters(const struct psn_walk *walk, const struct box *box,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) filters = { NULL, 0 };
    enum psn_code rc = psn_walk_names(walk, "/email/domain/*/account/*/filter",
                                      box->domain, box->local, &filters, err);

    for (size_t i = 0; rc == PSN_OK && i < filters.count; i++) {
        PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
        PSN_AUTO_JSON *value = NULL;

        rc = psn_ovh_path(&path, "/email/domain/*/account/*/filter/*",
                          PSN_OVH_PARTS(box->domain, box->local, filters.items[i]), err);
        if (rc == PSN_OK)
            rc = psn_walk_look_at(walk, &path, &value, err);
        if (rc == PSN_OK && value)
            rc = report_filter(walk, box, filters.items[i], value, err);
    }
    return rc;
}

/* An account (NIC) that may manage a mailbox or, without one, the domain. */
static enum psn_code report_account(const struct psn_walk *walk, const struct box *box,
                                    const char *nic, struct psn_error *err)
{
    struct psn_finding finding = { .kind = box->local ? PSN_FINDING_DELEGATION
                                                      : PSN_FINDING_ACL };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    enum psn_code rc;

    if (psn_walk_skips_account(walk, nic))
        return PSN_OK;
    psn_walk_cut(finding.subject, sizeof finding.subject, box->address);
    psn_walk_set_whose(&finding, nic);
    psn_detail_add(&detail, PSN_OVH_PARTS(nic));
    finding.external = psn_walk_is_other_account(walk, nic);
    finding.danger = danger_of(finding.external, true);
    rc = box->local
             ? psn_walk_set_removal(&finding, "DELETE",
                                    "/email/domain/*/account/*/delegation/*",
                                    PSN_OVH_PARTS(box->domain, box->local, nic), err)
             : psn_walk_set_removal(&finding, "DELETE", "/email/domain/*/acl/*",
                                    PSN_OVH_PARTS(box->domain, nic), err);
    return rc ? rc : psn_walk_report(walk, &finding, box->address, nic, &detail, err);
}

static enum psn_code walk_accounts(const struct psn_walk *walk, const struct box *box,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) nics = { NULL, 0 };
    enum psn_code rc = psn_walk_names(
        walk, box->local ? "/email/domain/*/account/*/delegation" : "/email/domain/*/acl",
        box->domain, box->local, &nics, err);

    for (size_t i = 0; rc == PSN_OK && i < nics.count; i++)
        rc = report_account(walk, box, nics.items[i], err);
    return rc;
}

static enum psn_code walk_mailbox(const struct psn_walk *walk, const char *domain,
                                  const char *local, struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_MAILBOX };
    char address[2 * PSN_WALK_NAME_SIZE];
    const struct box box = { domain, local, address };
    enum psn_code rc;

    (void)snprintf(address, sizeof address, "%s@%s", local, domain);
    psn_walk_cut(finding.subject, sizeof finding.subject, address);
    (void)snprintf(finding.platform, sizeof finding.platform, "%s",
                   psn_backend_name(PSN_BACKEND_EMAIL_DOMAIN));
    rc = psn_walk_report(walk, &finding, address, NULL, NULL, err);
    if (rc == PSN_OK)
        rc = walk_filters(walk, &box, err);
    return rc ? rc : walk_accounts(walk, &box, err);
}

static enum psn_code walk_mailboxes(const struct psn_walk *walk, const char *domain,
                                    struct psn_names *locals, struct psn_error *err)
{
    enum psn_code rc =
        psn_walk_names(walk, "/email/domain/*/account", domain, NULL, locals, err);

    for (size_t i = 0; rc == PSN_OK && i < locals->count; i++)
        rc = walk_mailbox(walk, domain, locals->items[i], err);
    return rc;
}

static bool is_mailbox(const struct psn_walk *walk, const char *address)
{
    const char *at = strchr(address, '@');

    for (size_t i = 0; at && walk->mailboxes && i < walk->mailboxes->count; i++)
        if (strlen(walk->mailboxes->items[i]) == (size_t)(at - address) &&
            strncasecmp(walk->mailboxes->items[i], address, (size_t)(at - address)) == 0)
            return true;
    return false;
}

/* A redirection of an address to itself keeps a copy in the mailbox: no leak. One of a
 * mailbox takes the mail that its owner waits for. */
static void describe_redirection(const struct psn_walk *walk, const char *from,
                                 const char *to, struct psn_detail *detail)
{
    psn_detail_add(detail, PSN_OVH_PARTS(to));
    if (!walk->is_sweep)
        return;
    if (strcasecmp(from, to) == 0)
        psn_detail_say(detail, N_(", a copy kept in the mailbox"), PSN_OVH_PARTS(NULL));
    else if (is_mailbox(walk, from))
        psn_detail_say(detail, N_(", the mail of a mailbox"), PSN_OVH_PARTS(NULL));
}

static enum psn_code take_redirection(const struct psn_walk *walk, const char *domain,
                                      const char *id, const json_t *value,
                                      struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_REDIRECTION };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    char to[2 * PSN_WALK_NAME_SIZE];
    enum psn_code rc =
        psn_json_text(value, "from", finding.subject, sizeof finding.subject, err);

    if (rc == PSN_OK)
        rc = psn_json_text(value, "to", to, sizeof to, err);
    if (rc == PSN_OK)
        rc = psn_walk_set_removal(&finding, "DELETE", "/email/domain/*/redirection/*",
                                  PSN_OVH_PARTS(domain, id), err);
    if (rc)
        return rc;
    psn_walk_set_whose(&finding, to);
    describe_redirection(walk, finding.subject, to, &detail);
    finding.external = psn_walk_leads_outside(walk, to);
    finding.danger = danger_of(finding.external, true);
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

/* Of responders a sweep shows those that hand a copy on. */
static enum psn_code take_responder(const struct psn_walk *walk, const char *domain,
                                    const char *account, const json_t *value,
                                    struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_RESPONDER };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    char copy_to[2 * PSN_WALK_NAME_SIZE];
    bool copy = false;
    enum psn_code rc =
        psn_json_text_or_empty(value, "copyTo", copy_to, sizeof copy_to, err);

    if (rc == PSN_OK)
        rc = psn_json_bool(value, "copy", &copy, err);
    if (rc == PSN_OK)
        rc = psn_walk_set_removal(&finding, "DELETE", "/email/domain/*/responder/*",
                                  PSN_OVH_PARTS(domain, account), err);
    if (rc || (walk->is_sweep && !copy_to[0]))
        return rc;
    psn_walk_set_whose(&finding, copy_to);
    set_address(&finding, account, domain);
    if (copy_to[0]) {
        psn_detail_say(&detail, N_("copy to %s"), PSN_OVH_PARTS(copy_to));
        append_off(&detail, copy);
    }
    finding.external = psn_walk_leads_outside(walk, copy_to);
    finding.danger = danger_of(finding.external, copy);
    return psn_walk_report(walk, &finding, finding.subject, NULL, &detail, err);
}

static enum psn_code report_domain(const struct psn_walk *walk,
                                   const struct psn_service *service,
                                   struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_DOMAIN };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    const char *domain = service->domains.items[0];

    psn_walk_cut(finding.subject, sizeof finding.subject, domain);
    psn_detail_add(&detail, PSN_OVH_PARTS("email/domain, ", service->state));
    if (!service->state[0])
        psn_detail_say(&detail, N_("unknown"), PSN_OVH_PARTS(NULL));
    if (service->offer[0])
        psn_detail_say(&detail, N_(", offer %s"), PSN_OVH_PARTS(service->offer));
    if (service->moved_to[0])
        psn_detail_say(&detail, N_(", mailboxes moved to email/mxplan %s"),
                       PSN_OVH_PARTS(service->moved_to));
    return psn_walk_report(walk, &finding, domain, NULL, &detail, err);
}

static enum psn_code walk_around(const struct psn_walk *walk, const char *domain,
                                 struct psn_error *err)
{
    const struct box whole = { domain, NULL, domain };
    enum psn_code rc =
        psn_walk_items(walk, domain, "/email/domain/*/redirection",
                       "/email/domain/*/redirection/*", take_redirection, err);

    if (rc == PSN_OK)
        rc = psn_walk_items(walk, domain, "/email/domain/*/responder",
                            "/email/domain/*/responder/*", take_responder, err);
    if (rc == PSN_OK)
        rc = walk_accounts(walk, &whole, err);
    return rc ? rc : psn_email_domain_walk_lists(walk, domain, err);
}

/* Of the service only what moved_to says is used here. */
enum psn_code psn_email_domain_walk(const struct psn_walk *walk,
                                    const struct psn_service *service,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) locals = { NULL, 0 };
    const char *domain = service->domains.items[0];
    struct psn_walk here = *walk;
    enum psn_code rc = report_domain(walk, service, err);

    here.mailboxes = &locals;
    if (rc == PSN_OK)
        rc = walk_contacts(walk, domain, err);
    if (rc == PSN_OK && !service->moved_to[0])
        rc = walk_mailboxes(walk, domain, &locals, err);
    return rc ? rc : walk_around(&here, domain, err);
}
