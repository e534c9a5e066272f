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
#include "ovh/backend.h"

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

static bool has_own_domain(const struct psn_walk *walk, const struct psn_names *domains)
{
    for (size_t i = 0; i < domains->count; i++)
        if (psn_walk_has_domain(walk, domains->items[i]))
            return true;
    return false;
}

/* A service with a domain of the client. What may not be read is a finding. */
static enum psn_code walk_service(const struct psn_walk *walk,
                                  struct psn_service *service, size_t *served,
                                  struct psn_error *err)
{
    const struct psn_backend_table *table = psn_backend_table(service->backend);
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    struct psn_error failure = { 0 };
    enum psn_code rc = PSN_OK;

    psn_buf_format(&path, "%s/%s", table->root,
                   service->place.service[0] ? service->place.service
                                             : service->domains.items[0]);
    if (!service->has_domains)
        rc = table->domains(walk->ovh, service, &service->domains, &failure);
    service->has_domains = true;
    if (!rc && !has_own_domain(walk, &service->domains))
        return PSN_OK;
    if (!rc)
        rc = table->describe(walk->ovh, service, &failure);
    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    if (rc)
        return psn_walk_refused(walk, psn_buf_str(&path), rc, &failure, err);
    *served += 1;
    return table->walk(walk, service, err);
}

/* The services of one back-end; for the first MX Plan, that of each domain. */
static enum psn_code walk_backend(const struct psn_walk *walk, enum psn_backend backend,
                                  size_t *served, struct psn_error *err)
{
    const struct psn_backend_table *table = psn_backend_table(backend);
    bool by_domain = backend == PSN_BACKEND_EMAIL_DOMAIN;
    PSN_AUTO_RELEASE(psn_services) services = { NULL, 0 };
    struct psn_error failure = { 0 };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < (by_domain ? walk->domain_count : 1); i++)
        rc = table->services(walk->ovh, by_domain ? walk->domains[i] : NULL, &services,
                             &failure);
    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK; /* this region has no such service */
    if (rc)
        return psn_walk_refused(walk, table->root, rc, &failure, err);
    for (size_t i = 0; !rc && i < services.count; i++)
        rc = walk_service(walk, services.items[i], served, err);
    return rc;
}

/* Domains that no service of the account has. */
static enum psn_code report_unserved(const struct psn_walk *walk, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < walk->domain_count; i++) {
        PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init(PSN_WALK_NAME_SIZE);
        struct psn_finding finding = { .kind = PSN_FINDING_UNREADABLE };

        psn_walk_cut(finding.subject, sizeof finding.subject, walk->domains[i]);
        psn_buf_text(&detail, _("no mail service for this domain in the account"));
        rc = psn_walk_report(walk, &finding, walk->domains[i], NULL, &detail, err);
    }
    return rc;
}

static enum psn_code walk_all(struct psn_walk *walk, struct psn_error *err)
{
    struct psn_finding mail = { .kind = PSN_FINDING_ACCOUNT_MAIL };
    PSN_AUTO_RELEASE(psn_buf) detail = psn_buf_init(PSN_WALK_NAME_SIZE);
    bool has_mail = false;
    size_t served = 0;
    enum psn_code rc = walk_account(walk, &mail, &has_mail, err);

    for (int i = PSN_BACKEND_NONE + 1; rc == PSN_OK && i < PSN_BACKENDS; i++)
        rc = walk_backend(walk, (enum psn_backend)i, &served, err);
    if (rc == PSN_OK && served == 0)
        rc = report_unserved(walk, err);
    if (rc == PSN_OK && has_mail && !psn_walk_leads_outside(walk, mail.subject) &&
        strchr(mail.subject, '@')) {
        psn_buf_text(&detail, walk->nic);
        rc = psn_walk_report(walk, &mail, mail.subject, NULL, &detail, err);
    }
    if (rc == PSN_OK)
        rc = psn_walk_items(walk, NULL, "/me/api/application", "/me/api/application/*",
                            take_api_application, err);
    if (rc == PSN_OK)
        rc = psn_walk_items(walk, NULL, "/me/api/credential", "/me/api/credential/*",
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
