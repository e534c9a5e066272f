#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "core/client.h"
#include "core/intake.h"
#include "core/role.h"
#include "passation/entry.h"

/*
 * Is an entry about a mailbox itself? Many a site takes an address for a user name; its
 * password must never be taken for the mailbox's. So a site counts as the mailbox's own
 * by its whole host, never by a part of it, and only if it is OVH's, within the mailbox's
 * domain, or a server that the vault knows.
 */

/* A piece of a text that somebody else holds. */
struct piece {
    const char *at;
    size_t size;
};

static bool is_piece(struct piece piece, const char *text)
{
    return piece.size == strlen(text) && strncasecmp(piece.at, text, piece.size) == 0;
}

static bool begins(struct piece piece, const char *text)
{
    return piece.size >= strlen(text) && strncasecmp(piece.at, text, strlen(text)) == 0;
}

static bool is_one_of(struct piece piece, const char *const *texts)
{
    for (; *texts; texts++)
        if (is_piece(piece, *texts))
            return true;
    return false;
}

/* ---- a site ---- */

/* What stands between the scheme and the path; a browser takes a '\' for a '/'. */
static struct piece authority_of(const char *url)
{
    const char *scheme = strstr(url, "://");
    const char *at = scheme ? scheme + 3 : url;

    return (struct piece){ at, strcspn(at, "/\\?# ") };
}

static struct piece find_host(const char *url)
{
    struct piece host = authority_of(url);

    for (size_t i = host.size; i > 0; i--)
        if (host.at[i - 1] == '@') { /* a user stands before it */
            host.at += i;
            host.size -= i;
            break;
        }
    for (size_t i = 0; i < host.size; i++)
        if (host.at[i] == ':')
            host.size = i;
    if (host.size > 0 && host.at[host.size - 1] == '.')
        host.size--;
    return host;
}

const char *psn_intake_host_of(const char *url, size_t *ret_size)
{
    struct piece host = find_host(url);

    *ret_size = host.size;
    return host.at;
}

bool psn_intake_is_same_account(const struct psn_secret_info *a,
                                const struct psn_secret_info *b)
{
    struct piece left = find_host(a->url);
    struct piece right = find_host(b->url);

    if (strcmp(a->user, b->user) != 0)
        return false;
    return left.size == 0 || right.size == 0 ||
           (left.size == right.size && strncasecmp(left.at, right.at, left.size) == 0);
}

/* What stands before "." and the domain; empty: it is not within it. */
static struct piece name_below(struct piece host, const char *domain)
{
    size_t size = strlen(domain);

    if (host.size > size + 1 && host.at[host.size - size - 1] == '.' &&
        strncasecmp(host.at + host.size - size, domain, size) == 0)
        return (struct piece){ host.at, host.size - size - 1 };
    return (struct piece){ host.at, 0 };
}

/* webmail.DOMAIN and its like. */
static bool is_mail_host_of(struct piece host, const char *domain)
{
    static const char *const names[] = { "mail",   "webmail",   "imap", "smtp",
                                         "pop",    "pop3",      "ssl0", "ns0",
                                         "zimbra", "roundcube", "owa",  "exchange",
                                         NULL };

    return is_one_of(name_below(host, domain), names);
}

/* ---- OVH's ---- */

/* /mail/, /fr/mail/, /ca/en/mail/: the webmail's door on OVH's own site, where OVH's
 * customers log in, too. */
static bool has_mail_path(const char *url)
{
    enum {
        LANGUAGE_MAX = 5 /* "en-gb" */
    };
    struct piece authority = authority_of(url);
    const char *at = authority.at + authority.size;

    while (*at == '/') {
        struct piece name = { at + 1, strcspn(at + 1, "/?# ") };

        if (is_piece(name, "mail"))
            return true;
        if (name.size > LANGUAGE_MAX)
            return false;
        at = name.at + name.size;
    }
    return false;
}

/* The servers and webmails of all offers, also those of former years. */
static bool is_ovh_mail(const char *url)
{
    static const char *const domains[] = { "ovh.net", "ovh.com", "ovh.ca" };
    static const char *const services[] = { "mail.ovh.net", "mail.ovh.com",
                                            "mail.ovh.ca" };
    static const char *const sites[] = {
        "ovh.com", "ca.ovh.com", "ovhcloud.com", "us.ovhcloud.com", "ovh.net",
        "ovh.ca",  "ovh.co.uk",  "ovh.ie",       "ovh.es",          "ovh.de",
        "ovh.it",  "ovh.nl",     "ovh.pl",       "ovh.pt",          NULL,
    };
    static const char www[] = "www.";
    struct piece host = find_host(url);

    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
        if (is_mail_host_of(host, domains[i]) || name_below(host, services[i]).size > 0)
            return true;
    if (begins(host, www)) {
        host.at += sizeof www - 1;
        host.size -= sizeof www - 1;
    }
    return is_one_of(host, sites) && has_mail_path(url);
}

/* ---- whose it is ---- */

static bool is_address(const char *text, char ret_address[PSN_ADDRESS_TEXT_MAX])
{
    return strchr(text, '@') && psn_role_normalize(text, ret_address, NULL) == PSN_OK;
}

static bool is_within_own(const char *url, const char *domain)
{
    static const char *const schemes[] = { "imap", "imaps", "smtp",    "smtps", "pop",
                                           "pop3", "pop3s", "mailbox", NULL };
    struct piece host = find_host(url);

    if (is_mail_host_of(host, domain))
        return true;
    return is_one_of((struct piece){ url, strcspn(url, ":") }, schemes) &&
           (is_piece(host, domain) || name_below(host, domain).size > 0);
}

/* A server that the client was given, or that was found to have the mailbox. */
static enum psn_code is_known_server(struct psn_vault *vault, struct piece host,
                                     const char *address, struct psn_intake_domain *last,
                                     bool *ret_known, struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc = psn_intake_find_client(vault, strchr(address, '@') + 1, last);

    if (!rc && (is_piece(host, last->servers.imap_host) ||
                is_piece(host, last->servers.smtp_host))) {
        *ret_known = true;
        return PSN_OK;
    }
    if (!rc)
        rc = psn_role_read(vault, address, &role, NULL);
    *ret_known = !rc && is_piece(host, role.place.host);
    return rc && rc != PSN_E_NOT_FOUND
               ? psn_fail(err, rc, _("'%s' cannot be read"), address)
               : PSN_OK;
}

/* Is what the entry's site asks for this mailbox's password? */
static enum psn_code is_own_site(struct psn_vault *vault, const char *url,
                                 const char *address, struct psn_intake_domain *last,
                                 bool *ret_own, struct psn_error *err)
{
    struct piece host = find_host(url);

    *ret_own = begins((struct piece){ url, strlen(url) }, "mailto:") ||
               is_ovh_mail(url) || is_within_own(url, strchr(address, '@') + 1);
    if (*ret_own || host.size == 0)
        return PSN_OK;
    return is_known_server(vault, host, address, last, ret_own, err);
}

/* ---- an entry ---- */

const char *psn_intake_last_folder(const char *group)
{
    const char *slash = strrchr(group, '/');

    return slash ? slash + 1 : group;
}

/* What lies in a mailbox's folder, as passation's own exports have it, is a secret that
 * hangs on it, even if its name or user is another address; and if its name is the
 * mailbox's own, its type says that it is a secret. */
static bool hangs_on_another(const struct psn_foreign *entry)
{
    const char *folder = psn_intake_last_folder(entry->group);
    char address[PSN_ADDRESS_TEXT_MAX];

    return is_address(folder, address) &&
           (strcasecmp(folder, entry->title) != 0 ||
            strcmp(entry->type, PSN_ENTRY_TYPE_SECRET) == 0 ||
            psn_intake_is_known_type(entry->type));
}

/* Whether the text names the mailbox that the entry is about. alone: it also does where
 * the entry names no site. */
static enum psn_code try_text(struct psn_vault *vault, const struct psn_foreign *entry,
                              const char *text, bool alone,
                              struct psn_intake_domain *last, bool *ret_is,
                              struct psn_error *err)
{
    char address[PSN_ADDRESS_TEXT_MAX];

    *ret_is = false;
    if (!is_address(text, address))
        return PSN_OK;
    if (strcmp(entry->type, "mailbox") == 0)
        *ret_is = true;
    else if (!entry->url[0])
        *ret_is = alone;
    else
        return is_own_site(vault, entry->url, address, last, ret_is, err);
    return PSN_OK;
}

enum psn_code psn_intake_find_mailbox(struct psn_vault *vault,
                                      const struct psn_foreign *entry,
                                      struct psn_intake_domain *last,
                                      struct psn_intake_mailbox *ret_mailbox,
                                      struct psn_error *err)
{
    bool is_own = false;
    enum psn_code rc;

    *ret_mailbox = (struct psn_intake_mailbox){ PSN_INTAKE_BY_NONE, NULL };
    if (strcmp(entry->type, "mailbox") != 0 && hangs_on_another(entry))
        return PSN_OK;
    rc = try_text(vault, entry, entry->title, true, last, &is_own, err);
    if (!rc && is_own)
        *ret_mailbox = (struct psn_intake_mailbox){ PSN_INTAKE_BY_TITLE, entry->title };
    if (rc || is_own)
        return rc;
    rc = try_text(vault, entry, entry->user, !entry->title[0], last, &is_own, err);
    if (!rc && is_own)
        *ret_mailbox = (struct psn_intake_mailbox){ PSN_INTAKE_BY_USER, entry->user };
    return rc;
}
