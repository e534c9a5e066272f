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
    psn_secret_free(credential->client_id);
    psn_secret_free(credential->client_secret);
    *credential = (struct psn_ovh_credential){ 0 };
}

bool psn_ovh_credential_is_account(const struct psn_ovh_credential *credential)
{
    return credential->client_id != NULL;
}

/* The secrets of a credential, in the order of enum field. */
static struct psn_secret **slot_of(struct psn_ovh_credential *credential,
                                   enum field field)
{
    struct psn_secret **const slots[] = {
        [APPLICATION_KEY] = &credential->application_key,
        [APPLICATION_SECRET] = &credential->application_secret,
        [CONSUMER_KEY] = &credential->consumer_key,
        [CLIENT_ID] = &credential->client_id,
        [CLIENT_SECRET] = &credential->client_secret,
    };

    return slots[field];
}

enum psn_code psn_ovh_credential_copy(const struct psn_ovh_credential *from,
                                      struct psn_ovh_credential *ret_credential,
                                      struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_ovh_credential) copy = { 0 };
    struct psn_ovh_credential borrowed = *from;
    enum psn_code rc = PSN_OK;

    for (enum field field = 0; !rc && field <= CLIENT_SECRET; field++) {
        const struct psn_secret *secret = *slot_of(&borrowed, field);

        if (secret)
            rc = psn_secret_copy(psn_secret_bytes(secret), psn_secret_size(secret),
                                 slot_of(&copy, field), err);
    }
    if (rc)
        return rc;
    *ret_credential = copy;
    copy = (struct psn_ovh_credential){ 0 };
    return PSN_OK;
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

/* Which section to read. */
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

/* The last field of the pair or triple that is meant; which ones are missing. */
static enum psn_code check_fields(const struct span fields[FIELD_COUNT],
                                  enum field *ret_first, enum field *ret_last,
                                  struct psn_error *err)
{
    bool is_account = fields[CLIENT_ID].at || fields[CLIENT_SECRET].at;

    if (fields[APPLICATION_KEY].at && fields[CLIENT_ID].at)
        return psn_fail(err, PSN_E_INVALID,
                        _("application_key and client_id stand together: which of the "
                          "two is meant?"));
    *ret_first = is_account ? CLIENT_ID : APPLICATION_KEY;
    *ret_last = is_account ? CLIENT_SECRET : CONSUMER_KEY;
    for (enum field i = *ret_first; i <= *ret_last; i++) {
        if (fields[i].at)
            continue;
        (void)psn_fail(err, PSN_E_INVALID, _("%s is missing"), field_names[i]);
        return psn_hint(err, PSN_E_INVALID,
                        is_account
                            ? _("client_id and client_secret are needed, both from the "
                                "same service account")
                            : _("application_key, application_secret and consumer_key "
                                "are needed, all three from the same key"));
    }
    return PSN_OK;
}

static enum psn_code copy_fields(const struct span fields[FIELD_COUNT], enum field first,
                                 enum field last,
                                 struct psn_ovh_credential *ret_credential,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_ovh_credential) credential = { 0 };
    enum psn_code rc = PSN_OK;

    for (enum field i = first; !rc && i <= last; i++)
        rc = copy_key(fields[i], field_names[i], slot_of(&credential, i), err);
    if (rc)
        return rc;
    *ret_credential = credential;
    credential = (struct psn_ovh_credential){ 0 };
    return PSN_OK;
}

enum psn_code psn_ovh_credential_parse(const char *config, size_t size,
                                       const char *endpoint,
                                       struct psn_ovh_credential *ret_credential,
                                       struct psn_error *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors put it first */
    struct span all = { config, size };
    struct span fields[FIELD_COUNT] = { { 0 } };
    enum field first = APPLICATION_KEY;
    enum field last = CONSUMER_KEY;
    enum psn_code rc;

    if (size > PSN_CONFIG_MAX || !psn_text_is_utf8(config, size))
        return psn_fail(err, PSN_E_INVALID, _("not a text file of at most %d bytes"),
                        PSN_CONFIG_MAX);
    if (size >= 3 && memcmp(config, mark, 3) == 0)
        all = (struct span){ config + 3, size - 3 };
    rc = choose(all, endpoint, fields, err);
    if (rc == PSN_OK)
        rc = check_fields(fields, &first, &last, err);
    return rc ? rc : copy_fields(fields, first, last, ret_credential, err);
}

enum psn_code psn_ovh_credential_parse_pair(const struct psn_secret *pair,
                                            bool is_account,
                                            struct psn_ovh_credential *ret_credential,
                                            struct psn_error *err)
{
    struct span fields[FIELD_COUNT] = { { 0 } };
    enum field first = is_account ? CLIENT_ID : APPLICATION_KEY;
    const char *text = (const char *)psn_secret_bytes(pair);
    const char *colon = memchr(text, ':', psn_secret_size(pair));

    if (!colon)
        return psn_fail(err, PSN_E_INVALID,
                        is_account ? _("not of the form CLIENT_ID:CLIENT_SECRET")
                                   : _("not of the form "
                                       "APPLICATION_KEY:APPLICATION_SECRET"));
    fields[first] = trim((struct span){ text, (size_t)(colon - text) });
    fields[first + 1] = trim(
        (struct span){ colon + 1, psn_secret_size(pair) - (size_t)(colon + 1 - text) });
    return copy_fields(fields, first, first + 1, ret_credential, err);
}
