/* What lies on a Zimbra platform: accounts and redirections. Rules and delegates are kept
 * in the webmail, where the API does not see them. */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "ovh/zimbra.h"

/* A list of the platform; *ret_list stays NULL if it is unreadable. */
static enum psn_code look(const struct psn_walk *walk, const struct psn_service *service,
                          const char *pattern, json_t **ret_list, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    struct psn_error failure = { 0 };
    enum psn_code rc =
        psn_ovh_path(&path, pattern, PSN_OVH_PARTS(service->place.service), err);

    if (rc)
        return rc;
    rc = psn_ovh_get_pages(walk->ovh, &path, ret_list, &failure);
    return rc ? psn_walk_refused(walk, psn_buf_str(&path), rc, &failure, err) : PSN_OK;
}

static enum psn_code report_service(const struct psn_walk *walk,
                                    const struct psn_service *service, const char *domain,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    struct psn_finding finding = { .kind = PSN_FINDING_DOMAIN };

    psn_walk_cut(finding.subject, sizeof finding.subject, domain);
    psn_detail_add(
        &detail, PSN_OVH_PARTS("zimbra ", service->place.service, ", ", service->state));
    return psn_walk_report(walk, &finding, domain, service->place.service, &detail, err);
}

typedef enum psn_code report_fn(const struct psn_walk *walk,
                                const struct psn_service *service, const json_t *value,
                                struct psn_error *err);

static enum psn_code report_account(const struct psn_walk *walk,
                                    const struct psn_service *service,
                                    const json_t *account, struct psn_error *err)
{
    const json_t *state = json_object_get(account, "currentState");
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    struct psn_finding finding = { .kind = PSN_FINDING_MAILBOX };
    char status[32];
    char offer[32];
    enum psn_code rc =
        psn_json_text(state, "email", finding.subject, sizeof finding.subject, err);

    (void)service;
    if (!rc)
        rc = psn_json_text(account, "resourceStatus", status, sizeof status, err);
    if (!rc)
        rc = psn_json_text_or_empty(state, "offer", offer, sizeof offer, err);
    if (rc || psn_walk_leads_outside(walk, finding.subject))
        return rc;
    (void)snprintf(finding.platform, sizeof finding.platform, "%s",
                   psn_backend_name(PSN_BACKEND_ZIMBRA));
    psn_detail_add(&detail, PSN_OVH_PARTS("zimbra, ", status));
    if (offer[0])
        psn_detail_say(&detail, N_(", offer %s"), PSN_OVH_PARTS(offer));
    return psn_walk_report(walk, &finding, finding.subject, NULL, &detail, err);
}

static enum psn_code report_redirection(const struct psn_walk *walk,
                                        const struct psn_service *service,
                                        const json_t *value, struct psn_error *err)
{
    const json_t *state = json_object_get(value, "currentState");
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    struct psn_finding finding = { .kind = PSN_FINDING_REDIRECTION };
    char id[PSN_ACCOUNT_ID_MAX];
    char to[PSN_WALK_NAME_SIZE];
    enum psn_code rc =
        psn_json_text(state, "source", finding.subject, sizeof finding.subject, err);

    if (!rc)
        rc = psn_json_text(state, "destination", to, sizeof to, err);
    if (!rc)
        rc = psn_json_text(value, "id", id, sizeof id, err);
    if (!rc)
        rc = psn_walk_set_removal(&finding, "DELETE",
                                  "/v2/zimbra/platform/*/redirection/*",
                                  PSN_OVH_PARTS(service->place.service, id), err);
    if (rc || psn_walk_leads_outside(walk, finding.subject))
        return rc;
    psn_walk_set_whose(&finding, to);
    psn_detail_add(&detail, PSN_OVH_PARTS(to));
    finding.external = psn_walk_leads_outside(walk, to);
    finding.danger = finding.external ? PSN_DANGER_DANGER : PSN_DANGER_INFO;
    return psn_walk_report(walk, &finding, id, NULL, &detail, err);
}

static enum psn_code walk_list(const struct psn_walk *walk,
                               const struct psn_service *service, const char *pattern,
                               report_fn *report, struct psn_error *err)
{
    PSN_AUTO_JSON *list = NULL;
    enum psn_code rc = look(walk, service, pattern, &list, err);

    for (size_t i = 0; !rc && i < json_array_size(list); i++)
        rc = report(walk, service, json_array_get(list, i), err);
    return rc ? psn_wrap(err, rc, "%s", service->place.service) : PSN_OK;
}

enum psn_code psn_zimbra_walk(const struct psn_walk *walk,
                              const struct psn_service *service, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < service->domains.count; i++)
        if (psn_walk_has_domain(walk, service->domains.items[i]))
            rc = report_service(walk, service, service->domains.items[i], err);
    if (!rc)
        rc = walk_list(walk, service, "/v2/zimbra/platform/*/account", report_account,
                       err);
    return rc ? rc
              : walk_list(walk, service, "/v2/zimbra/platform/*/redirection",
                          report_redirection, err);
}
