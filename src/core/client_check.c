#include "core/client_check.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/document_form.h"
#include "core/id.h"
#include "ovh/credential.h"
#include "ovh/mailbox.h"

/* An address with the domain in it goes through the one parser of addresses. */
enum psn_code psn_client_check_domain(const char *domain,
                                      char ret_normal[PSN_DOMAIN_NAME_MAX],
                                      struct psn_error *err)
{
    char address[PSN_DOMAIN_NAME_MAX + 8];
    char shown[128];
    struct psn_mailbox mailbox;

    if (strlen(domain) < PSN_DOMAIN_NAME_MAX) {
        (void)snprintf(address, sizeof address, "role@%s", domain);
        if (!strchr(domain, '@') &&
            psn_mailbox_parse(address, &mailbox, NULL) == PSN_OK) {
            (void)snprintf(ret_normal, PSN_DOMAIN_NAME_MAX, "%s", mailbox.domain);
            return PSN_OK;
        }
    }
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is not a domain name"),
                   psn_text_shown(domain, shown, sizeof shown));
    return psn_hint(err, PSN_E_INVALID, _("for example: --domain boulangerie-martin.fr"));
}

/* Two letters or more, digits, "-ovh": a hint, confirmed by OVH's /me when linked. */
static bool nic_has_form(const char *nic)
{
    size_t letters = 0;
    size_t digits = 0;

    while (psn_text_is_lower(nic[letters]))
        letters++;
    while (psn_text_is_digit(nic[letters + digits]))
        digits++;
    return letters >= 2 && digits >= 1 && strcmp(nic + letters + digits, "-ovh") == 0;
}

/* It is copied out of an invoice, often with a blank. */
static void trim(char *text)
{
    size_t blank = strspn(text, " \t\r\n");
    size_t size = strlen(text);

    while (size > blank && strchr(" \t\r\n", text[size - 1]))
        size--;
    memmove(text, text + blank, size - blank);
    text[size - blank] = '\0';
}

static enum psn_code check_nic(struct psn_client *client, struct psn_error *err)
{
    char shown[128];

    trim(client->nic);
    psn_text_lower(client->nic);
    if (nic_has_form(client->nic))
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is not an OVH account ID (NIC handle)"),
                   psn_text_shown(client->nic, shown, sizeof shown));
    return psn_hint(
        err, PSN_E_INVALID,
        _("it looks like xm000000-ovh, and stands top right on every OVH invoice"));
}

/* "SCHEME://host:port", nothing more. */
static bool url_has_form(const char *url, const char *scheme)
{
    size_t length = strlen(scheme);
    const char *host;
    const char *colon;
    uint64_t port;

    if (strncmp(url, scheme, length) != 0)
        return false;
    host = url + length;
    colon = strrchr(host, ':');
    if (!colon || colon == host || !psn_text_parse_u64(colon + 1, 65535, &port) ||
        port == 0)
        return false;
    return psn_form_is_host(host, (size_t)(colon - host));
}

static enum psn_code check_url(const char *url, const char *scheme, const char *option,
                               struct psn_error *err)
{
    char shown[300];

    if (!url[0] || url_has_form(url, scheme))
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is no address for %s"),
                   psn_text_shown(url, shown, sizeof shown), option);
    return psn_hint(err, PSN_E_INVALID,
                    _("write it as %shost:port; other schemes are not safe"), scheme);
}

/* OVH's own endpoints keep the defaults as floors: going faster or trusting sooner there
 * would lock mailboxes out or believe too much. */
static enum psn_code check_limits(const struct psn_client *client, bool is_ovh,
                                  struct psn_error *err)
{
    const struct psn_client floor = psn_client_init();
    const struct psn_client_limits *limits = &client->limits;
    bool strict = is_ovh && !client->imap[0];

    if (limits->settle_s < 0 || limits->login_cache_s < 0 || limits->failed_logins == 0 ||
        limits->failed_logins_window_s < 0)
        return psn_fail(err, PSN_E_INVALID, _("a limit of client '%s' is out of range"),
                        client->id);
    if (is_ovh &&
        (limits->rate_per_min == 0 || limits->rate_per_min > floor.limits.rate_per_min))
        return psn_fail(err, PSN_E_INVALID,
                        _("OVH allows at most %u calls a minute: --rate %u/min or less"),
                        floor.limits.rate_per_min, floor.limits.rate_per_min);
    if (is_ovh && limits->settle_s < floor.limits.settle_s)
        return psn_fail(err, PSN_E_INVALID,
                        _("with OVH's own endpoint, --settle is at least 10m"));
    if (strict && limits->login_cache_s < floor.limits.login_cache_s)
        return psn_fail(err, PSN_E_INVALID,
                        _("with OVH's own servers, --login-cache is at least 61m"));
    if (strict && (limits->failed_logins > floor.limits.failed_logins ||
                   limits->failed_logins_window_s < floor.limits.failed_logins_window_s))
        return psn_fail(err, PSN_E_INVALID,
                        _("with OVH's own servers, --failed-logins is at most 3/5m"));
    return PSN_OK;
}

enum psn_code psn_client_check(struct psn_client *client, struct psn_error *err)
{
    char root[PSN_URL_MAX];
    char shown[128];
    bool is_ovh;
    enum psn_code rc;

    if (!psn_id_is_valid(client->id)) {
        (void)psn_fail(err, PSN_E_INVALID, _("'%s' cannot be a client's id"),
                       psn_text_shown(client->id, shown, sizeof shown));
        return psn_hint(err, PSN_E_INVALID,
                        _("use lower-case letters, digits, '.', '_' and '-', at most 64, "
                          "beginning with a letter or digit"));
    }
    if (!psn_text_is_plain(client->name, strlen(client->name)))
        return psn_fail(err, PSN_E_INVALID,
                        _("the name of '%s' holds characters that cannot be shown"),
                        client->id);
    if (client->name[0] && !psn_form_is_line(client->name, strlen(client->name)))
        return psn_fail(err, PSN_E_INVALID,
                        _("the name of '%s' begins or ends with a blank"), client->id);
    if (client->domain_count == 0) {
        (void)psn_fail(err, PSN_E_INVALID, _("client '%s' has no domain"), client->id);
        return psn_hint(err, PSN_E_INVALID,
                        _("name at least one: --domain boulangerie-martin.fr"));
    }
    psn_text_lower(client->imap);
    psn_text_lower(client->smtp);
    rc = check_nic(client, err);
    if (!rc)
        rc = psn_ovh_endpoint_root(client->endpoint, root, sizeof root, &is_ovh, err);
    if (!rc)
        rc = check_url(client->imap, "imaps://", "--imap", err);
    if (!rc)
        rc = check_url(client->smtp, "smtps://", "--smtp", err);
    return rc ? rc : check_limits(client, is_ovh, err);
}
