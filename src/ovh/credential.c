/*
 * ovh.conf, as OVH's own clients write it:
 *
 *     [default]
 *     endpoint=ovh-eu
 *     [ovh-eu]
 *     application_key=…
 *     application_secret=…
 *     consumer_key=…
 *
 * The values go from the caller's (wiped) buffer straight into secrets. Those clients
 * disagree about a name that stands twice, so that is refused.
 */
#include "ovh/credential.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"

enum {
    KEY_SIZE_MAX = 256,
    SECTION_MAX = 256,
    SHOWN_SIZE = 120,
};

/* A piece of the file. */
struct span {
    const char *at;
    size_t size;
};

enum field {
    APPLICATION_KEY,
    APPLICATION_SECRET,
    CONSUMER_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    ENDPOINT,
    FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
    "application_key", "application_secret", "consumer_key",
    "client_id",       "client_secret",      "endpoint",
};

void psn_ovh_credential_release(struct psn_ovh_credential *credential)
{
    if (!credential)
        return;
    psn_secret_free(credential->application_key);
    psn_secret_free(credential->application_secret);
    psn_secret_free(credential->consumer_key);
    *credential = (struct psn_ovh_credential){ 0 };
}

static struct span trim(struct span span)
{
    while (span.size && strchr(" \t\r", span.at[0])) {
        span.at++;
        span.size--;
    }
    while (span.size && strchr(" \t\r", span.at[span.size - 1]))
        span.size--;
    return span;
}

static bool is(struct span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.at, text, span.size) == 0;
}

static bool is_any_case(struct span span, const char *text)
{
    return span.size == strlen(text) && strncasecmp(span.at, text, span.size) == 0;
}

static struct span next_line(struct span *rest)
{
    const char *end = memchr(rest->at, '\n', rest->size);
    struct span line = { rest->at, end ? (size_t)(end - rest->at) : rest->size };
    size_t used = end ? line.size + 1 : line.size;

    rest->at += used;
    rest->size -= used;
    return trim(line);
}

static bool is_section(struct span line, struct span *ret_name)
{
    if (line.size < 2 || line.at[0] != '[' || line.at[line.size - 1] != ']')
        return false;
    *ret_name = trim((struct span){ line.at + 1, line.size - 2 });
    return true;
}

static struct span unquote(struct span value)
{
    if (value.size >= 2 && (value.at[0] == '"' || value.at[0] == '\'') &&
        value.at[value.size - 1] == value.at[0])
        return (struct span){ value.at + 1, value.size - 2 };
    return value;
}

/* Splits "name = value" or "name: value". */
static bool split(struct span line, struct span *ret_name, struct span *ret_value)
{
    size_t at = 0;

    while (at < line.size && line.at[at] != '=' && line.at[at] != ':')
        at++;
    if (at == 0 || at == line.size)
        return false;
    *ret_name = trim((struct span){ line.at, at });
    *ret_value = unquote(trim((struct span){ line.at + at + 1, line.size - at - 1 }));
    return true;
}

static enum psn_code fail_line(struct psn_error *err, size_t number)
{
    (void)psn_fail(err, PSN_E_INVALID, _("line %zu is not of the form name=value"),
                   number);
    return psn_hint(err, PSN_E_INVALID, _("see passation-ovh(1) for an ovh.conf"));
}

static enum psn_code take_field(struct span line, size_t number,
                                struct span fields[FIELD_COUNT], struct psn_error *err)
{
    struct span name;
    struct span value;

    if (!split(line, &name, &value))
        return fail_line(err, number);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!is_any_case(name, field_names[i]))
            continue;
        if (fields[i].at)
            return psn_fail(err, PSN_E_INVALID, _("%s stands twice (line %zu)"),
                            field_names[i], number);
        fields[i] = value;
    }
    return PSN_OK;
}

/* Collects the fields of one section; ret_found counts how often its head stands. */
static enum psn_code read_section(struct span config, struct span wanted,
                                  struct span fields[FIELD_COUNT], size_t *ret_found,
                                  struct psn_error *err)
{
    struct span name = { "", 0 };
    bool inside = false;
    size_t found = 0;

    for (size_t number = 1; config.size; number++) {
        struct span line = next_line(&config);
        enum psn_code rc = PSN_OK;

        if (line.size == 0 || line.at[0] == '#' || line.at[0] == ';')
            continue;
        if (is_section(line, &name)) {
            inside =
                name.size == wanted.size && memcmp(name.at, wanted.at, name.size) == 0;
            found += inside;
        } else if (line.at[0] == '[') {
            rc = fail_line(err, number);
        } else if (inside) {
            rc = take_field(line, number, fields, err);
        }
        if (rc)
            return rc;
    }
    *ret_found = found;
    return PSN_OK;
}

/* The only section besides [default], if there is just one. */
static struct span only_section(struct span config)
{
    struct span only = { NULL, 0 };
    struct span name;

    while (config.size) {
        if (!is_section(next_line(&config), &name) || is(name, "default"))
            continue;
        if (only.at)
            return (struct span){ NULL, 0 };
        only = name;
    }
    return only;
}

/* Which section to read (DESIGN 9). */
static enum psn_code choose(struct span config, const char *endpoint,
                            struct span fields[FIELD_COUNT], struct psn_error *err)
{
    const struct span named = { endpoint, strlen(endpoint) };
    const struct span base = { "default", 7 };
    struct span defaults[FIELD_COUNT] = { { 0 } };
    struct span only;
    size_t found = 0;
    enum psn_code rc = read_section(config, named, fields, &found, err);

    if (rc == PSN_OK && found == 0)
        rc = read_section(config, base, defaults, &found, err);
    else if (rc || found == 1)
        return rc;
    if (rc == PSN_OK && found > 1)
        return psn_fail(err, PSN_E_INVALID, _("a section stands twice"));
    found = 0;
    if (rc == PSN_OK && defaults[ENDPOINT].at)
        rc = read_section(config, defaults[ENDPOINT], fields, &found, err);
    if (rc || found == 1)
        return rc;
    if (found > 1)
        return psn_fail(err, PSN_E_INVALID, _("a section stands twice"));
    only = only_section(config);
    if (only.at)
        return read_section(config, only, fields, &found, err);
    return psn_fail(err, PSN_E_INVALID,
                    _("no section [%s], and no other that is the "
                      "only one"),
                    endpoint);
}

/* Values go into HTTP headers: printable, no blank. */
static enum psn_code copy_key(struct span value, const char *name,
                              struct psn_secret **ret_secret, struct psn_error *err)
{
    bool sound = value.size > 0 && value.size <= KEY_SIZE_MAX;

    for (size_t i = 0; sound && i < value.size; i++)
        sound = value.at[i] > ' ' && value.at[i] <= '~';
    if (!sound)
        return psn_fail(err, PSN_E_INVALID,
                        _("%s is empty, too long, or holds a blank or a letter that no "
                          "key has"),
                        name);
    return psn_secret_copy(value.at, value.size, ret_secret, err);
}

static enum psn_code check_fields(const struct span fields[FIELD_COUNT],
                                  struct psn_error *err)
{
    if (fields[APPLICATION_KEY].at && fields[CLIENT_ID].at)
        return psn_fail(err, PSN_E_INVALID,
                        _("application_key and client_id stand together: which of the "
                          "two is meant?"));
    if (fields[CLIENT_ID].at || fields[CLIENT_SECRET].at)
        return psn_fail(err, PSN_E_POLICY,
                        _("an OAuth2 service account (client_id) cannot be linked by "
                          "this version"));
    for (size_t i = APPLICATION_KEY; i <= CONSUMER_KEY; i++) {
        if (fields[i].at)
            continue;
        (void)psn_fail(err, PSN_E_INVALID, _("%s is missing"), field_names[i]);
        return psn_hint(err, PSN_E_INVALID,
                        _("application_key, application_secret and consumer_key are "
                          "needed, all three from the same key"));
    }
    return PSN_OK;
}

enum psn_code psn_ovh_credential_parse(const char *config, size_t size,
                                       const char *endpoint,
                                       struct psn_ovh_credential *ret_credential,
                                       struct psn_error *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors put it first */
    PSN_AUTO_RELEASE(psn_ovh_credential) credential = { 0 };
    struct span all = { config, size };
    struct span fields[FIELD_COUNT] = { { 0 } };
    enum psn_code rc;

    if (size > PSN_CONFIG_MAX || !psn_text_is_utf8(config, size))
        return psn_fail(err, PSN_E_INVALID, _("not a text file of at most %d bytes"),
                        PSN_CONFIG_MAX);
    if (size >= 3 && memcmp(config, mark, 3) == 0)
        all = (struct span){ config + 3, size - 3 };
    rc = choose(all, endpoint, fields, err);
    if (rc == PSN_OK)
        rc = check_fields(fields, err);
    if (rc == PSN_OK)
        rc = copy_key(fields[APPLICATION_KEY], "application_key",
                      &credential.application_key, err);
    if (rc == PSN_OK)
        rc = copy_key(fields[APPLICATION_SECRET], "application_secret",
                      &credential.application_secret, err);
    if (rc == PSN_OK)
        rc =
            copy_key(fields[CONSUMER_KEY], "consumer_key", &credential.consumer_key, err);
    if (rc)
        return rc;
    ret_credential->application_key = PSN_TAKE(credential.application_key);
    ret_credential->application_secret = PSN_TAKE(credential.application_secret);
    ret_credential->consumer_key = PSN_TAKE(credential.consumer_key);
    return PSN_OK;
}
