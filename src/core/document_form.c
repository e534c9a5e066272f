#include "core/document_form.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/document.h"
#include "core/id.h"
#include "core/receipt.h"
#include "core/recipient.h"
#include "core/role.h"
#include "crypto/base64.h"
#include "crypto/sign.h"

bool psn_form_is_lines(const char *text, size_t size)
{
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t line = end ? (size_t)(end - text) : size;

        if (!psn_text_is_plain(text, line))
            return false;
        text += line + (end != NULL);
        size -= line + (end != NULL);
    }
    return true;
}

bool psn_form_is_line(const char *text, size_t size)
{
    return size > 0 && text[0] != ' ' && text[size - 1] != ' ' &&
           !memchr(text, '\n', size) && psn_form_is_lines(text, size);
}

bool psn_form_is_secret(const char *bytes, size_t size)
{
    (void)bytes;
    return size <= PSN_SECRET_MAX;
}

bool psn_form_is_note(const char *text, size_t size)
{
    return size < PSN_NOTE_MAX && psn_form_is_lines(text, size);
}

bool psn_form_is_means(const char *text, size_t size)
{
    const char *end = size ? memchr(text, '\n', size) : NULL;

    return end && !memchr(end + 1, '\n', size - (size_t)(end + 1 - text)) &&
           psn_form_is_note(text, size);
}

bool psn_form_is_domains(const char *text, size_t size)
{
    for (size_t count = 1; count <= PSN_DOMAINS_MAX; count++) {
        const char *end = size ? memchr(text, '\n', size) : NULL;
        size_t line = end ? (size_t)(end - text) : size;

        if (line == 0 || !memchr(text, '.', line) || !psn_form_is_host(text, line))
            return false;
        if (!end)
            return true;
        text = end + 1;
        size -= line + 1;
    }
    return false;
}

bool psn_form_is_content(const char *text, size_t size)
{
    return size <= PSN_DOCUMENT_FILE_MAX && psn_form_is_lines(text, size);
}

static bool is_one_line(const char *text, size_t size, size_t max)
{
    return size < max && (size == 0 || !memchr(text, '\n', size));
}

bool psn_form_is_text(const char *text, size_t size)
{
    return is_one_line(text, size, PSN_FIELD_MAX);
}

bool psn_form_is_word(const char *text, size_t size)
{
    return is_one_line(text, size, PSN_NAME_MAX);
}

/* A short value as a C string; false if it is none. */
static bool copy(const char *text, size_t size, char *out, size_t out_size)
{
    if (size >= out_size || memchr(text, '\0', size))
        return false;
    memcpy(out, text, size);
    out[size] = '\0';
    return true;
}

bool psn_form_is_label(const char *text, size_t size)
{
    (void)text;
    return size <= PSN_LABEL_MAX;
}

bool psn_form_is_type(const char *text, size_t size)
{
    enum {
        TYPE_MAX = 32
    };

    for (size_t i = 0; i < size; i++)
        if (!psn_text_is_lower(text[i]) && !psn_text_is_digit(text[i]) && text[i] != '-')
            return false;
    return size <= TYPE_MAX;
}

bool psn_form_is_number(const char *text, size_t size)
{
    char number[24];
    uint64_t value;

    return copy(text, size, number, sizeof number) && number[0] != '0' &&
           psn_text_parse_u64(number, ((uint64_t)1 << 53) - 1, &value);
}

bool psn_form_is_time(const char *text, size_t size)
{
    char time[PSN_TIME_SIZE];
    char again[PSN_TIME_SIZE];
    int64_t value;

    return copy(text, size, time, sizeof time) && psn_clock_parse(time, &value) &&
           strcmp(psn_clock_format(value, again), time) == 0;
}

bool psn_form_is_until(const char *text, size_t size)
{
    return (size == 4 && memcmp(text, "none", 4) == 0) || psn_form_is_time(text, size);
}

bool psn_form_is_date(const char *text, size_t size)
{
    char date[11];
    int year;
    int month;
    int day;

    return size == 10 && copy(text, size, date, sizeof date) &&
           psn_clock_parse_date(date, &year, &month, &day);
}

bool psn_form_is_id(const char *text, size_t size)
{
    char id[PSN_ID_MAX + 1];

    return copy(text, size, id, sizeof id) && psn_id_is_valid(id);
}

static bool is_hex(const char *text, size_t size, size_t digits)
{
    for (size_t i = 0; i < size; i++)
        if (!psn_text_is_digit(text[i]) && (text[i] < 'a' || text[i] > 'f'))
            return false;
    return size == digits;
}

bool psn_form_is_vault_id(const char *text, size_t size)
{
    return is_hex(text, size, (size_t)2 * PSN_VAULT_ID_SIZE);
}

bool psn_form_is_fingerprint_key(const char *text, size_t size)
{
    enum {
        DIGITS = 64 /* of HMAC-SHA-256's 32 bytes */
    };

    return is_hex(text, size, DIGITS);
}

bool psn_form_is_fingerprint(const char *text, size_t size)
{
    enum {
        SIZE = 50 /* "SHA256:" and 43 characters of base64 */
    };
    static const char begin[] = "SHA256:";
    uint8_t digest[32];

    if (size != SIZE || memcmp(text, begin, sizeof begin - 1) != 0)
        return false;
    /* Of the last digit's bits two count for nothing: they are 0. */
    return psn_base64_decode_exact(PSN_BASE64_RAW, text + sizeof begin - 1,
                                   size - (sizeof begin - 1), digest, sizeof digest);
}

bool psn_form_is_recipient(const char *text, size_t size)
{
    char key[PSN_RECIPIENT_TEXT_MAX];

    return copy(text, size, key, sizeof key) &&
           (strcmp(key, "code") == 0 || psn_recipient_is_normal(key));
}

bool psn_form_is_receipt(const char *text, size_t size)
{
    char code[PSN_RECEIPT_SIZE];
    char normal[PSN_RECEIPT_SIZE];

    return copy(text, size, code, sizeof code) &&
           psn_receipt_normalize(code, normal, NULL) == PSN_OK &&
           strcmp(code, normal) == 0;
}

bool psn_form_is_address(const char *text, size_t size)
{
    char address[PSN_ADDRESS_TEXT_MAX];
    char normal[PSN_ADDRESS_TEXT_MAX];

    return copy(text, size, address, sizeof address) &&
           psn_role_normalize(address, normal, NULL) == PSN_OK &&
           strcmp(address, normal) == 0;
}

static bool is_host_label(const char *text, size_t size)
{
    enum {
        LABEL_MAX = 63 /* RFC 1035 2.3.4 */
    };

    for (size_t i = 0; i < size; i++)
        if (!psn_text_is_lower(text[i]) && !psn_text_is_digit(text[i]) && text[i] != '-')
            return false;
    return size > 0 && size <= LABEL_MAX && text[0] != '-' && text[size - 1] != '-';
}

bool psn_form_is_host(const char *text, size_t size)
{
    const char *dot;

    if (size > PSN_DOMAIN_MAX)
        return false;
    while ((dot = size ? memchr(text, '.', size) : NULL) != NULL) {
        if (!is_host_label(text, (size_t)(dot - text)))
            return false;
        size -= (size_t)(dot + 1 - text);
        text = dot + 1;
    }
    return is_host_label(text, size);
}

static bool is_port(const char *text, size_t size)
{
    char port[6];
    uint64_t value;

    return copy(text, size, port, sizeof port) && port[0] != '0' &&
           psn_text_parse_u64(port, UINT16_MAX, &value);
}

bool psn_form_is_https(const char *text, size_t size)
{
    static const char begin[] = "https://";
    size_t skip = sizeof begin - 1;
    const char *host = text + skip;
    const char *slash;
    const char *colon;

    if (size <= skip || size >= PSN_FIELD_MAX || memcmp(text, begin, skip) != 0)
        return false;
    slash = memchr(host, '/', size - skip);
    if (!slash)
        return false;
    for (size_t i = skip; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"<>", text[i]))
            return false;
    colon = memchr(host, ':', (size_t)(slash - host));
    return psn_form_is_host(host, (size_t)((colon ? colon : slash) - host)) &&
           (!colon || is_port(colon + 1, (size_t)(slash - colon - 1)));
}

bool psn_form_is_server(const char *text, size_t size)
{
    char line[PSN_DOMAIN_MAX + 32];
    char *port;
    char *security;

    if (!copy(text, size, line, sizeof line))
        return false;
    port = strchr(line, ' ');
    security = port ? strchr(port + 1, ' ') : NULL;
    if (!port || !security)
        return false;
    *port++ = '\0';
    *security++ = '\0';
    return psn_form_is_host(line, strlen(line)) && is_port(port, strlen(port)) &&
           (strcmp(security, "SSL/TLS") == 0 || strcmp(security, "STARTTLS") == 0);
}

/* A name of RFC 6838 4.2, without the characters that no media type of ours has. */
static bool is_media_name(const char *text, size_t size)
{
    enum {
        NAME_MAX_SIZE = 64
    };

    for (size_t i = 0; i < size; i++)
        if (!psn_text_is_lower(text[i]) && !psn_text_is_digit(text[i]) &&
            (i == 0 || (text[i] != '+' && text[i] != '-' && text[i] != '.')))
            return false;
    return size > 0 && size <= NAME_MAX_SIZE;
}

bool psn_form_is_media(const char *text, size_t size)
{
    const char *slash = size ? memchr(text, '/', size) : NULL;
    size_t type = slash ? (size_t)(slash - text) : size;

    return slash && is_media_name(text, type) &&
           is_media_name(slash + 1, size - type - 1);
}

bool psn_form_is_self_change(const char *text, size_t size)
{
    static const char *const places[] = { "webmail", "panel" };

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (size == strlen(places[i]) && memcmp(text, places[i], size) == 0)
            return true;
    return false;
}
