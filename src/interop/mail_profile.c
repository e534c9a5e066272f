#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json_quote.h"
#include "base/limits.h"
#include "base/text.h"
#include "interop/uuid.h"
#include "interop/xml_text.h"
#include "passation/profile.h"

/* The page writes the same files, byte by byte: src/page/profile.ts. */
enum {
    PROFILE_MAX = 64 * 1024,
};

static const char *user_of(const struct psn_profile *profile)
{
    return profile->user ? profile->user : profile->address;
}

static bool is_line(const char *text)
{
    size_t size = text ? strnlen(text, PSN_TEXT_MAX + 1) : 0;

    return size > 0 && size <= PSN_TEXT_MAX && psn_text_is_plain(text, size) &&
           psn_xml_can_hold(text, size);
}

static bool is_server(const struct psn_profile_server *server)
{
    return is_line(server->host) && server->port > 0 && server->security &&
           (strcmp(server->security, "SSL/TLS") == 0 ||
            strcmp(server->security, "STARTTLS") == 0);
}

static enum psn_code check(const struct psn_profile *profile, struct psn_error *err)
{
    char shown[128];

    if (is_line(profile->address) && is_line(user_of(profile)) &&
        (!profile->name || is_line(profile->name)) &&
        (!profile->organization || !profile->organization[0] ||
         is_line(profile->organization)) &&
        is_server(&profile->imap) && is_server(&profile->smtp))
        return PSN_OK;
    return psn_fail(
        err, PSN_E_INVALID, _("%s: no settings file can be made of these settings"),
        psn_text_shown(profile->address ? profile->address : "", shown, sizeof shown));
}

/* ---- Apple ---- */

static void put_text(struct psn_buf *out, const char *key, const char *value)
{
    psn_buf_format(out, "<key>%s</key><string>", key);
    psn_xml_text(out, value, strlen(value));
    psn_buf_text(out, "</string>\n");
}

static void put_number(struct psn_buf *out, const char *key, unsigned value)
{
    psn_buf_format(out, "<key>%s</key><integer>%u</integer>\n", key, value);
}

static void put_true(struct psn_buf *out, const char *key)
{
    psn_buf_format(out, "<key>%s</key><true/>\n", key);
}

static void put_server(struct psn_buf *out, const char *way,
                       const struct psn_profile_server *server, const char *user)
{
    char key[64];

    (void)snprintf(key, sizeof key, "%sMailServerAuthentication", way);
    put_text(out, key, "EmailAuthPassword");
    (void)snprintf(key, sizeof key, "%sMailServerHostName", way);
    put_text(out, key, server->host);
    (void)snprintf(key, sizeof key, "%sMailServerPortNumber", way);
    put_number(out, key, server->port);
    (void)snprintf(key, sizeof key, "%sMailServerUseSSL", way);
    put_true(out, key);
    (void)snprintf(key, sizeof key, "%sMailServerUsername", way);
    put_text(out, key, user);
}

/* The address's UUID for a purpose, in upper case, as Apple writes them. */
static const char *uuid_of(const char *purpose, const char *address,
                           char out[PSN_UUID_TEXT_SIZE])
{
    uint8_t uuid[PSN_UUID_SIZE];

    psn_uuid_of(purpose, address, uuid);
    (void)psn_uuid_text(uuid, out);
    for (char *at = out; *at; at++)
        if (psn_text_is_lower(*at))
            *at = (char)(*at - 'a' + 'A');
    return out;
}

/* com.apple.mail.managed:
 * https://developer.apple.com/documentation/devicemanagement/mail; without passwords,
 * which then are asked for at installation. */
static void put_account(struct psn_buf *out, const struct psn_profile *profile,
                        const char *id)
{
    const char *address = profile->address;
    char uuid[PSN_UUID_TEXT_SIZE];

    put_text(out, "PayloadType", "com.apple.mail.managed");
    put_number(out, "PayloadVersion", 1);
    psn_buf_format(out,
                   "<key>PayloadIdentifier</key><string>passation.mail.%s.account"
                   "</string>\n",
                   id);
    put_text(out, "PayloadUUID", uuid_of("account", address, uuid));
    put_text(out, "PayloadDisplayName", address);
    put_text(out, "EmailAccountDescription", address);
    put_text(out, "EmailAccountName", profile->name ? profile->name : address);
    put_text(out, "EmailAccountType", "EmailTypeIMAP");
    put_text(out, "EmailAddress", address);
    put_server(out, "Incoming", &profile->imap, user_of(profile));
    put_server(out, "Outgoing", &profile->smtp, user_of(profile));
    put_true(out, "OutgoingPasswordSameAsIncomingPassword");
}

enum psn_code psn_profile_apple(const struct psn_profile *profile, char **ret_text,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(PROFILE_MAX);
    char id[PSN_UUID_TEXT_SIZE];
    enum psn_code rc = check(profile, err);

    if (rc)
        return rc;
    (void)uuid_of("profile", profile->address, id);
    psn_buf_text(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                       "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
                       "<plist version=\"1.0\">\n<dict>\n");
    put_text(&out, "PayloadType", "Configuration");
    put_number(&out, "PayloadVersion", 1);
    psn_buf_format(
        &out, "<key>PayloadIdentifier</key><string>passation.mail.%s</string>\n", id);
    put_text(&out, "PayloadUUID", id);
    put_text(&out, "PayloadDisplayName", profile->address);
    put_text(&out, "PayloadOrganization",
             profile->organization ? profile->organization : "");
    psn_buf_text(&out, "<key>PayloadContent</key>\n<array>\n<dict>\n");
    put_account(&out, profile, id);
    psn_buf_text(&out, "</dict>\n</array>\n</dict>\n</plist>\n");
    return psn_buf_take(&out, ret_text, err);
}

/* ---- Thunderbird ---- */

static void put_line(struct psn_buf *out, const char *indent, const char *name,
                     const char *text)
{
    psn_buf_text(out, indent);
    psn_xml_element(out, name, text);
}

static void put_thunderbird_server(struct psn_buf *out, const char *kind,
                                   const char *type,
                                   const struct psn_profile_server *server,
                                   const char *user)
{
    static const char indent[] = "      ";
    bool starttls = strcmp(server->security, "STARTTLS") == 0;

    psn_buf_format(out, "    <%s type=\"%s\">\n", kind, type);
    put_line(out, indent, "hostname", server->host);
    psn_buf_format(out, "%s<port>%u</port>\n", indent, (unsigned)server->port);
    put_line(out, indent, "socketType", starttls ? "STARTTLS" : "SSL");
    put_line(out, indent, "authentication", "password-cleartext");
    put_line(out, indent, "username", user);
    psn_buf_format(out, "    </%s>\n", kind);
}

/* https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat */
enum psn_code psn_profile_autoconfig(const struct psn_profile *profile, char **ret_text,
                                     struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(PROFILE_MAX);
    const char *user = user_of(profile);
    const char *domain;
    enum psn_code rc = check(profile, err);

    if (rc)
        return rc;
    domain = strchr(profile->address, '@');
    domain = domain ? domain + 1 : profile->address;
    if (strcmp(user, profile->address) == 0)
        user = "%EMAILADDRESS%";
    psn_buf_text(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<clientConfig version=\"1.1\">\n  <emailProvider id=\"");
    psn_xml_text(&out, domain, strlen(domain));
    psn_buf_text(&out, "\">\n");
    put_line(&out, "    ", "domain", domain);
    put_line(&out, "    ", "displayName", domain);
    put_line(&out, "    ", "displayShortName", domain);
    put_thunderbird_server(&out, "incomingServer", "imap", &profile->imap, user);
    put_thunderbird_server(&out, "outgoingServer", "smtp", &profile->smtp, user);
    psn_buf_text(&out, "  </emailProvider>\n</clientConfig>\n");
    return psn_buf_take(&out, ret_text, err);
}

/* ---- Thunderbird for telephones ---- */

/* As JSON, and what is not ASCII as \u and UTF-16. */
static void put_ascii(struct psn_buf *out, const char *text)
{
    PSN_AUTO_RELEASE(psn_buf) json = psn_buf_init(PROFILE_MAX);
    uint32_t point = 0;

    psn_json_quote(&json, text, strlen(text));
    for (size_t i = 0, step; i < json.size; i += step) {
        step = psn_text_decode((const char *)json.data + i, json.size - i, &point);
        if (point < 0x80)
            psn_buf_char(out, (char)point);
        else if (point < 0x10000)
            psn_buf_format(out, "\\u%04x", (unsigned)point);
        else
            psn_buf_format(out, "\\u%04x\\u%04x",
                           (unsigned)(0xd800 + ((point - 0x10000) >> 10)),
                           (unsigned)(0xdc00 + ((point - 0x10000) & 0x3ff)));
    }
    if (json.failed)
        out->failed = json.failed;
}

/* Protocol (0: IMAP, and SMTP), host, port, TLS (2: STARTTLS, 3: from the start),
 * authentication (1: by password), user. */
static void put_mobile_server(struct psn_buf *out,
                              const struct psn_profile_server *server, const char *user)
{
    psn_buf_text(out, "[0,");
    put_ascii(out, server->host);
    psn_buf_format(out, ",%u,%d,1,", (unsigned)server->port,
                   strcmp(server->security, "STARTTLS") == 0 ? 2 : 3);
    put_ascii(out, user);
    psn_buf_char(out, ']');
}

enum psn_code psn_profile_mobile(const struct psn_profile *profile, char **ret_text,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(PROFILE_MAX);
    enum psn_code rc = check(profile, err);

    if (rc)
        return rc;
    psn_buf_text(&out, "[1,[1,1],");
    put_mobile_server(&out, &profile->imap, user_of(profile));
    psn_buf_text(&out, ",[[");
    put_mobile_server(&out, &profile->smtp, user_of(profile));
    psn_buf_text(&out, ",[");
    put_ascii(&out, profile->address);
    psn_buf_char(&out, ',');
    put_ascii(&out, profile->name ? profile->name : profile->address);
    psn_buf_text(&out, "]]]]");
    return psn_buf_take(&out, ret_text, err);
}
