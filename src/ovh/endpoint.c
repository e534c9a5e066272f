/* Where the API is: OVH's own roots by name, or a URL (a simulator, a relay). */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "ovh/credential.h"

enum {
    HOST_MAX = 253,
    PORT_MAX = 65535,
    SHOWN_SIZE = 160,
};

static const struct {
    const char *name;
    const char *host;
    const char *token_url;
} endpoints[] = {
    { "ovh-eu", "eu.api.ovh.com", "https://www.ovh.com/auth/oauth2/token" },
    { "ovh-ca", "ca.api.ovh.com", "https://ca.ovh.com/auth/oauth2/token" },
    { "ovh-us", "api.us.ovhcloud.com", "https://us.ovhcloud.com/auth/oauth2/token" },
};

static bool ends_with(const char *host, size_t size, const char *end)
{
    size_t length = strlen(end);

    return size >= length && strncasecmp(host + size - length, end, length) == 0;
}

/* A URL may name OVH's own host as well: then OVH's rules hold. */
static bool is_ovh_host(const char *host, size_t size)
{
    static const char *const ends[] = { ".ovh.com", ".ovhcloud.com", ".kimsufi.com",
                                        ".soyoustart.com" };

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(host, size, ends[i]))
            return true;
    return false;
}

static bool is_label_char(char c)
{
    return psn_text_is_lower(c) || psn_text_is_upper(c) || psn_text_is_digit(c) ||
           c == '-';
}

/* A name of LDH labels, an IPv4 address, or an IPv6 address in brackets; its length, or
 * 0. */
static size_t host_length(const char *at)
{
    size_t size = 0;

    if (at[0] == '[') {
        size = 1 + strspn(at + 1, "0123456789abcdefABCDEF:.");
        return at[size] == ']' && size > 2 ? size + 1 : 0;
    }
    while (is_label_char(at[size]) ||
           (at[size] == '.' && size > 0 && is_label_char(at[size - 1]) &&
            is_label_char(at[size + 1])))
        size++;
    return size <= HOST_MAX ? size : 0;
}

/* At least one segment, none empty, none of dots only. */
static bool is_sound_path(const char *path)
{
    if (*path != '/')
        return false;
    while (*path == '/') {
        size_t size = 0;

        path++;
        while (is_label_char(path[size]) || (path[size] && strchr("._~", path[size])))
            size++;
        if (size == 0 || strspn(path, ".") == size)
            return false;
        path += size;
    }
    return *path == '\0';
}

static bool is_sound_url(const char *url, size_t *ret_host_size)
{
    const char *host = url + 8;
    size_t size;
    uint64_t port = 1;
    char digits[8] = "";
    size_t length;

    if (strncmp(url, "https://", 8) != 0)
        return false;
    size = host_length(host);
    if (size == 0)
        return false;
    *ret_host_size = size;
    if (host[size] != ':')
        return is_sound_path(host + size);
    length = strspn(host + size + 1, "0123456789");
    if (length == 0 || length > 5)
        return false;
    memcpy(digits, host + size + 1, length);
    return psn_text_parse_u64(digits, PORT_MAX, &port) && port > 0 &&
           is_sound_path(host + size + 1 + length);
}

enum psn_code psn_ovh_endpoint_root(const char *endpoint, char *ret_root, size_t size,
                                    bool *ret_is_ovh, struct psn_error *err)
{
    char shown[SHOWN_SIZE];
    size_t host_size = 0;
    int length = -1;

    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        if (strcmp(endpoint, endpoints[i].name) != 0)
            continue;
        length = snprintf(ret_root, size, "https://%s/1.0", endpoints[i].host);
        *ret_is_ovh = true;
    }
    if (length < 0 && is_sound_url(endpoint, &host_size)) {
        length = snprintf(ret_root, size, "%s", endpoint);
        *ret_is_ovh = is_ovh_host(endpoint + 8, host_size);
    }
    if (length >= 0 && (size_t)length < size)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is no endpoint"),
                   psn_text_shown(endpoint, shown, sizeof shown));
    return psn_hint(err, PSN_E_INVALID,
                    _("give ovh-eu, ovh-ca, ovh-us, or a URL such as "
                      "https://host:port/1.0"));
}

/* How far the scheme, host and port of a root go. */
static size_t origin_size(const char *root)
{
    const char *host = strstr(root, "://");

    host = host ? host + 3 : root;
    return (size_t)(host - root) + strcspn(host, "/");
}

enum psn_code psn_ovh_origin(const char *root, char *ret_origin, size_t size,
                             struct psn_error *err)
{
    int length = snprintf(ret_origin, size, "%.*s", (int)origin_size(root), root);

    return length >= 0 && (size_t)length < size
               ? PSN_OK
               : psn_fail(err, PSN_E_LIMIT, _("the address of the API is too long"));
}

enum psn_code psn_ovh_token_url(const char *root, char *ret_url, size_t size,
                                struct psn_error *err)
{
    const char *host = root + strlen("https://");
    size_t host_size = strcspn(host, ":/");
    int length = -1;

    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
        if (strlen(endpoints[i].host) == host_size &&
            strncasecmp(endpoints[i].host, host, host_size) == 0)
            length = snprintf(ret_url, size, "%s", endpoints[i].token_url);
    if (length < 0)
        length = snprintf(ret_url, size, "%.*s/auth/oauth2/token", (int)origin_size(root),
                          root);
    return length >= 0 && (size_t)length < size
               ? PSN_OK
               : psn_fail(err, PSN_E_LIMIT, _("the address of the API is too long"));
}
