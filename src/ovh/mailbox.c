/* Addresses, and the choice of the back-end. */
#include "ovh/mailbox.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "ovh/answer.h"
#include "ovh/backend.h"

enum {
    LABEL_MAX = 63, /* RFC 1035 2.3.4 */
    SHOWN_SIZE = 160,
};

_Static_assert(PSN_ADDRESS_MAX - 2 <= PSN_DOMAIN_MAX, "what is behind a letter and '@'");

static const struct psn_backend_table *const tables[PSN_BACKENDS] = {
    [PSN_BACKEND_EMAIL_DOMAIN] = &psn_backend_email_domain,
    [PSN_BACKEND_EMAIL_MXPLAN] = &psn_backend_email_mxplan,
    [PSN_BACKEND_EMAIL_PRO] = &psn_backend_email_pro,
    [PSN_BACKEND_EMAIL_EXCHANGE] = &psn_backend_email_exchange,
    [PSN_BACKEND_ZIMBRA] = &psn_backend_zimbra,
};

const struct psn_backend_table *psn_backend_table(enum psn_backend backend)
{
    if ((size_t)backend >= PSN_BACKENDS)
        return NULL;
    return tables[backend];
}

const char *psn_backend_name(enum psn_backend backend)
{
    const struct psn_backend_table *table = psn_backend_table(backend);

    return table ? table->name : "none";
}

enum psn_backend psn_backend_parse(const char *name)
{
    for (size_t i = 1; i < PSN_BACKENDS; i++)
        if (strcmp(name, tables[i]->name) == 0)
            return (enum psn_backend)i;
    return PSN_BACKEND_NONE;
}

static bool is_alnum(char c)
{
    return psn_text_is_lower(c) || psn_text_is_digit(c);
}

/* Letters, digits and ". _ - + ,"; begins with a letter or digit; dots stand alone and
 * inside. */
static bool is_local_part(const char *local, size_t size)
{
    if (size == 0 || size > PSN_LOCAL_PART_MAX || !is_alnum(local[0]) ||
        local[size - 1] == '.')
        return false;
    for (size_t i = 1; i < size; i++)
        if (!is_alnum(local[i]) && !strchr("._-+,", local[i]))
            return false;
    return !memmem(local, size, "..", 2);
}

/* Two labels or more of letters, digits and inner hyphens; the last one is no number. */
static bool is_domain(const char *domain)
{
    size_t labels = 0;

    for (;;) {
        size_t size = strcspn(domain, ".");
        bool numeric = true;

        if (size == 0 || size > LABEL_MAX || domain[0] == '-' || domain[size - 1] == '-')
            return false;
        for (size_t i = 0; i < size; i++) {
            if (!is_alnum(domain[i]) && domain[i] != '-')
                return false;
            numeric = numeric && psn_text_is_digit(domain[i]);
        }
        labels++;
        if (domain[size] == '\0')
            return labels >= 2 && !numeric;
        domain += size + 1;
    }
}

bool psn_mailbox_is_where(const struct psn_mailbox *mailbox,
                          const struct psn_mailbox *other)
{
    const struct psn_place *place = &mailbox->place;

    return mailbox->backend == other->backend &&
           strcmp(place->service, other->place.service) == 0 &&
           strcmp(place->organization, other->place.organization) == 0 &&
           strcmp(place->account, other->place.account) == 0;
}

enum psn_code psn_mailbox_parse(const char *address, struct psn_mailbox *ret_mailbox,
                                struct psn_error *err)
{
    struct psn_mailbox mailbox = { .backend = PSN_BACKEND_NONE };
    char lower[PSN_ADDRESS_MAX + 1];
    char shown[SHOWN_SIZE];
    size_t size = strnlen(address, sizeof lower);

    if (size < sizeof lower) {
        const char *at;

        memcpy(lower, address, size + 1);
        psn_text_lower(lower);
        at = strchr(lower, '@');
        if (at && is_local_part(lower, (size_t)(at - lower)) && is_domain(at + 1)) {
            memcpy(mailbox.local, lower, (size_t)(at - lower));
            psn_text_copy(at + 1, mailbox.domain, sizeof mailbox.domain);
            *ret_mailbox = mailbox;
            return PSN_OK;
        }
    }
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is no e-mail address"),
                   psn_text_shown(address, shown, sizeof shown));
    return psn_hint(err, PSN_E_INVALID, _("write it as technique@example.org"));
}

bool psn_backend_tells_dates(enum psn_backend backend)
{
    return backend == PSN_BACKEND_EMAIL_MXPLAN || backend == PSN_BACKEND_EMAIL_PRO ||
           backend == PSN_BACKEND_EMAIL_EXCHANGE;
}

void psn_platform_name(enum psn_backend backend, const struct psn_place *place,
                       char ret_name[PSN_PLATFORM_NAME_MAX])
{
    const char *name = psn_backend_name(backend);

    if (backend == PSN_BACKEND_EMAIL_MXPLAN)
        (void)snprintf(ret_name, PSN_PLATFORM_NAME_MAX, "%s %s", name,
                       place->is_zimbra ? "zimbra" : "owa");
    else
        psn_text_copy(name, ret_name, PSN_PLATFORM_NAME_MAX);
}

const char *psn_mailbox_address(const struct psn_mailbox *mailbox, char *out)
{
    (void)snprintf(out, PSN_ADDRESS_SIZE, "%s@%s", mailbox->local, mailbox->domain);
    return out;
}

/* NULL for a mailbox whose back-end was not looked for: a caller's mistake that can be
 * told. */
static const struct psn_backend_table *need_table(enum psn_backend backend,
                                                  struct psn_error *err)
{
    const struct psn_backend_table *table = psn_backend_table(backend);

    if (!table)
        (void)psn_fail(err, PSN_E_INVALID, _("no mail service is known yet"));
    return table;
}

enum psn_code psn_mailbox_check_name(const struct psn_mailbox *mailbox,
                                     struct psn_error *err)
{
    const struct psn_backend_table *table = need_table(mailbox->backend, err);

    return table ? table->check_name(mailbox, err) : PSN_E_INVALID;
}

enum psn_code psn_mailbox_check_any_name(const struct psn_mailbox *mailbox,
                                         struct psn_error *err)
{
    struct psn_error first = { 0 };

    for (int i = PSN_BACKEND_NONE + 1; i < PSN_BACKENDS; i++)
        if (tables[i]->check_name(mailbox, &first) == PSN_OK)
            return PSN_OK;
    return psn_backend_hand_up(&first, err);
}

enum psn_code psn_mailbox_get(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                              struct psn_mailbox_info *ret_info, struct psn_error *err)
{
    const struct psn_backend_table *table = need_table(mailbox->backend, err);

    return table ? table->get(ovh, mailbox, ret_info, err) : PSN_E_INVALID;
}

/* A change is several requests, and whatever is answered to one may hold what another one
 * sent: an error that tells the password is not told. */
static void withhold(const struct psn_mailbox *mailbox, const struct psn_secret *password,
                     struct psn_error *err)
{
    struct psn_error told = { 0 };
    char address[PSN_ADDRESS_SIZE];

    if (!err ||
        (!psn_ovh_tells(err->message, password) && !psn_ovh_tells(err->hint, password)))
        return;
    (void)psn_fail(&told, err->code,
                   _("%s: OVH's answer holds the password, and is not shown"),
                   psn_mailbox_address(mailbox, address));
    told.remote = err->remote;
    *err = told;
}

void psn_mailbox_create(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                        const struct psn_secret *password,
                        struct psn_ovh_answer *ret_answer, struct psn_error *err)
{
    const struct psn_backend_table *table = need_table(mailbox->backend, err);

    *ret_answer =
        (struct psn_ovh_answer){ .outcome = PSN_OVH_NOT_SENT, .retry_after_s = -1 };
    if (!table)
        return;
    table->create(ovh, mailbox, password, ret_answer, err);
    withhold(mailbox, password, err);
}

void psn_mailbox_set_password(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                              const struct psn_secret *password,
                              struct psn_ovh_answer *ret_answer, struct psn_error *err)
{
    const struct psn_backend_table *table = need_table(mailbox->backend, err);

    *ret_answer =
        (struct psn_ovh_answer){ .outcome = PSN_OVH_NOT_SENT, .retry_after_s = -1 };
    if (!table)
        return;
    table->set_password(ovh, mailbox, password, ret_answer, err);
    withhold(mailbox, password, err);
}

enum psn_code psn_mailbox_tasks(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                                size_t *ret_count, bool *ret_absent,
                                struct psn_error *err)
{
    const struct psn_backend_table *table = need_table(mailbox->backend, err);
    bool absent = false;
    enum psn_code rc =
        table ? table->tasks(ovh, mailbox, ret_count, &absent, err) : PSN_E_INVALID;

    if (ret_absent)
        *ret_absent = absent;
    return rc;
}

/* "net" or "ca": only OVH's own endpoints have OVH's mail servers. */
static const char *region_of(const char *endpoint)
{
    if (strcmp(endpoint, "ovh-eu") == 0)
        return "net";
    return strcmp(endpoint, "ovh-ca") == 0 ? "ca" : NULL;
}

void psn_mailbox_hosts(enum psn_backend backend, const char *endpoint,
                       const char *own_host, struct psn_mail_hosts *ret_hosts)
{
    const char *end = region_of(endpoint);
    bool has_own =
        backend == PSN_BACKEND_EMAIL_PRO || backend == PSN_BACKEND_EMAIL_EXCHANGE;

    *ret_hosts =
        (struct psn_mail_hosts){ .imap.security = "SSL/TLS", .smtp.security = "SSL/TLS" };
    if (!end || backend == PSN_BACKEND_NONE)
        return;
    (void)snprintf(ret_hosts->webmail, sizeof ret_hosts->webmail,
                   "https://www.ovhcloud.com/fr/mail/");
    ret_hosts->imap.port = 993;
    ret_hosts->smtp.port = has_own ? 587 : 465;
    if (has_own) {
        ret_hosts->smtp.security = "STARTTLS";
        (void)snprintf(ret_hosts->imap.host, sizeof ret_hosts->imap.host, "%s", own_host);
        (void)snprintf(ret_hosts->smtp.host, sizeof ret_hosts->smtp.host, "%s", own_host);
        return;
    }
    (void)snprintf(ret_hosts->imap.host, sizeof ret_hosts->imap.host, "imap.mail.ovh.%s",
                   end);
    (void)snprintf(ret_hosts->smtp.host, sizeof ret_hosts->smtp.host, "smtp.mail.ovh.%s",
                   end);
}

enum psn_code psn_mailbox_imap_url(const struct psn_mail_hosts *hosts, char *ret_url,
                                   size_t size, struct psn_error *err)
{
    char url[sizeof hosts->imap.host + 32];
    size_t length = (size_t)snprintf(url, sizeof url, "imaps://%s:%u", hosts->imap.host,
                                     (unsigned)hosts->imap.port);

    if (!hosts->imap.host[0]) {
        (void)psn_fail(err, PSN_E_INVALID, _("no IMAP server is known for this client"));
        return psn_hint(err, PSN_E_INVALID,
                        _("give it: passation client set CLIENT --imap "
                          "imaps://host:port"));
    }
    if (length >= size)
        return psn_fail(err, PSN_E_LIMIT, _("the name of the IMAP server is too long"));
    memcpy(ret_url, url, length + 1);
    return PSN_OK;
}

enum psn_login psn_mailbox_login(struct psn_imap imap, const char *imap_url,
                                 const char *ca_file, const char *address,
                                 const struct psn_secret *password, struct psn_error *err)
{
    struct psn_imap_server server = { .url = imap_url, .ca_file = ca_file };

    return imap.login(imap.self, &server, address, password, err);
}

enum psn_code psn_mailbox_look_at_server(struct psn_imap imap, const char *imap_url,
                                         const char *ca_file, int64_t timeout_ms,
                                         bool *ret_untrusted, struct psn_error *err)
{
    struct psn_imap_server server = { imap_url, ca_file, timeout_ms };

    return imap.look(imap.self, &server, ret_untrusted, err);
}
