/*
 * The walk. Each part is a list of names and, for some, one look at each of them; lists
 * are sorted, so that two runs give the same order. A part that this key may not read is
 * a finding; a key that is not valid at all, or a network that fails, is a failure.
 */
#include "ovh/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "ovh/backend.h"
#include "ovh/inventory_parts.h"

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
        PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
        struct psn_finding finding = { .kind = PSN_FINDING_UNREADABLE };

        psn_walk_cut(finding.subject, sizeof finding.subject, walk->domains[i]);
        psn_detail_say(&detail, N_("no mail service for this domain in the account"),
                       PSN_OVH_PARTS(NULL));
        rc = psn_walk_report(walk, &finding, walk->domains[i], NULL, &detail, err);
    }
    return rc;
}

static enum psn_code walk_all(struct psn_walk *walk, struct psn_error *err)
{
    struct psn_finding mail = { .kind = PSN_FINDING_ACCOUNT_MAIL,
                                .danger = PSN_DANGER_DANGER };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    bool has_mail = false;
    size_t served = 0;
    enum psn_code rc = walk_account(walk, &mail, &has_mail, err);

    if (rc == PSN_OK && walk->is_sweep)
        rc = psn_walk_learn_own(walk, err);
    for (int i = PSN_BACKEND_NONE + 1; rc == PSN_OK && i < PSN_BACKENDS; i++)
        rc = walk_backend(walk, (enum psn_backend)i, &served, err);
    if (rc == PSN_OK && served == 0)
        rc = report_unserved(walk, err);
    if (rc == PSN_OK && has_mail && !psn_walk_leads_outside(walk, mail.subject) &&
        strchr(mail.subject, '@')) {
        psn_detail_add(&detail, PSN_OVH_PARTS(walk->nic));
        psn_walk_set_whose(&mail, mail.subject);
        psn_walk_set_obstacle(&mail,
                              N_("only the account's owner can set another address, "
                                 "in the OVH control panel"));
        rc = psn_walk_report(walk, &mail, mail.subject, NULL, &detail, err);
    }
    if (rc == PSN_OK && walk->is_sweep)
        rc = psn_contact_walk(walk, err);
    return rc ? rc : psn_account_walk(walk, err);
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

static enum psn_code run(struct psn_walk *walk, const char *const *domains, size_t count,
                         struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) all = { NULL, 0 };
    enum psn_code rc = count
                           ? copy_domains(domains, count, &all, err)
                           : psn_walk_names(walk, "/email/domain", NULL, NULL, &all, err);

    walk->domains = all.items;
    walk->domain_count = all.count;
    return rc ? rc : walk_all(walk, err);
}

enum psn_code psn_ovh_inventory(struct psn_ovh *ovh, const char *const *domains,
                                size_t domain_count, psn_finding_fn *each, void *arg,
                                struct psn_error *err)
{
    struct psn_walk walk = { .ovh = ovh, .each = each, .arg = arg };
    enum psn_code rc = run(&walk, domains, domain_count, err);

    return rc ? psn_wrap(err, rc, _("the inventory is not complete")) : PSN_OK;
}

enum psn_code psn_ovh_sweep(struct psn_ovh *ovh, const struct psn_sweep_options *options,
                            psn_finding_fn *each, void *arg, struct psn_error *err)
{
    struct psn_walk walk = {
        .is_sweep = true,
        .own = { .ids = options->own_ids,
                 .id_count = options->own_count,
                 .elsewhere_ids = options->elsewhere_ids,
                 .elsewhere_count = options->elsewhere_count },
        .ovh = ovh,
        .each = each,
        .arg = arg,
    };
    enum psn_code rc = run(&walk, options->domains, options->domain_count, err);

    return rc ? psn_wrap(err, rc, _("the list of accesses is not complete")) : PSN_OK;
}
