#include "age/identity.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "age/bech32.h"
#include "base/i18n.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

_Static_assert(PSN_AGE_KEY_SIZE == crypto_scalarmult_curve25519_SCALARBYTES, "X25519");

enum {
    LINE_SIZE = 128, /* longer than any identity */
};

static const char identity_prefix[] = "AGE-SECRET-KEY-";
static const char recipient_prefix[] = "age";

static enum psn_code refuse(struct psn_error *err, const char *message)
{
    (void)psn_fail(err, PSN_E_INVALID, "%s", message);
    return psn_hint(err, PSN_E_INVALID,
                    _("an identity file is made by: age-keygen -o FILE"));
}

static bool has_capital(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            return true;
    return false;
}

static void make_capital(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] >= 'a' && text[i] <= 'z')
            text[i] = (char)(text[i] - 'a' + 'A');
}

/* As it is typed from a sheet: in groups, and perhaps in lower case, which Bech32 allows
 * where all of it is. Returns the size without blanks, or 0: it does not fit. */
static size_t pack(const char *line, size_t size, char out[LINE_SIZE])
{
    size_t used = 0;

    for (size_t i = 0; i < size;) {
        size_t gap = line[i] == '-' ? 0 : psn_text_gap(line + i, size - i);

        if (!gap && used == LINE_SIZE)
            return 0;
        if (!gap)
            out[used++] = line[i];
        i += gap ? gap : 1;
    }
    if (!has_capital(out, used))
        make_capital(out, used);
    return used;
}

/* Errors name the line's number, never its content. */
static enum psn_code parse_line(const char *typed, size_t typed_size, size_t number,
                                struct psn_secret **ret_scalar, struct psn_error *err)
{
    struct psn_bech32 decoded = { 0 };
    char line[LINE_SIZE];
    size_t size = pack(typed, typed_size, line);
    enum psn_code rc;

    if (size < sizeof identity_prefix ||
        memcmp(line, identity_prefix, sizeof identity_prefix - 1) != 0)
        rc = psn_fail(err, PSN_E_INVALID, _("line %zu is not an age identity"), number);
    else if (!psn_bech32_decode(line, size, &decoded) ||
             strcmp(decoded.prefix, identity_prefix) != 0 ||
             decoded.size != PSN_AGE_KEY_SIZE)
        rc = psn_fail(err, PSN_E_INVALID, _("the age identity in line %zu is mistyped"),
                      number);
    else
        rc = psn_secret_copy(decoded.bytes, decoded.size, ret_scalar, err);
    sodium_memzero(&decoded, sizeof decoded);
    sodium_memzero(line, sizeof line);
    if (rc == PSN_E_INVALID)
        (void)psn_hint(err, rc, _("an identity file is made by: age-keygen -o FILE"));
    return rc;
}

/* Cuts the line at its newline, "\n" or "\r\n"; returns where the next one starts. */
static const char *next_line(const char *line, const char *end, size_t *ret_size)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));

    *ret_size = (size_t)((newline ? newline : end) - line);
    if (*ret_size > 0 && line[*ret_size - 1] == '\r')
        --*ret_size;
    return newline ? newline + 1 : end;
}

struct psn_age_lines psn_age_lines_of(const struct psn_secret *text)
{
    const char *at = (const char *)psn_secret_bytes(text);

    return (struct psn_age_lines){ .at = at, .end = at + psn_secret_size(text) };
}

static bool is_post_quantum(const char *line, size_t size)
{
    static const char prefix[] = "AGE-SECRET-KEY-PQ-1";

    return size >= sizeof prefix - 1 && memcmp(line, prefix, sizeof prefix - 1) == 0;
}

enum psn_code psn_age_lines_next(struct psn_age_lines *lines,
                                 struct psn_secret **ret_scalar, struct psn_error *err)
{
    const char *line = lines->at;
    size_t size = 0;

    *ret_scalar = NULL;
    lines->number++;
    lines->at = next_line(line, lines->end, &size);
    if (size == 0 || line[0] == '#')
        return PSN_OK;
    lines->found++;
    if (is_post_quantum(line, size))
        return PSN_OK;
    return parse_line(line, size, lines->number, ret_scalar, err);
}

enum psn_code psn_age_no_identity(struct psn_error *err)
{
    return refuse(err, _("there is no age identity"));
}

enum psn_code psn_age_identity_parse(const struct psn_secret *text,
                                     struct psn_secret **ret_scalar,
                                     struct psn_error *err)
{
    PSN_AUTO(psn_secret) *scalar = NULL;
    struct psn_age_lines lines = psn_age_lines_of(text);

    while (lines.at < lines.end) {
        PSN_AUTO(psn_secret) *next = NULL;
        enum psn_code rc = psn_age_lines_next(&lines, &next, err);

        if (rc)
            return rc;
        if (lines.found > 1)
            return refuse(err, _("there is more than one age identity"));
        if (next)
            scalar = PSN_TAKE(next);
    }
    if (!scalar)
        return psn_age_no_identity(err);
    *ret_scalar = PSN_TAKE(scalar);
    return PSN_OK;
}

enum psn_code psn_age_identity_text(const struct psn_secret *scalar,
                                    struct psn_secret **ret_text, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *text = NULL;
    enum psn_code rc;
    bool fits;
    char *at;

    if (psn_secret_size(scalar) != PSN_AGE_KEY_SIZE)
        return refuse(err, _("an age identity has the wrong length"));
    rc = psn_secret_new(PSN_AGE_IDENTITY_TEXT_SIZE, &text, err);
    if (rc)
        return rc;
    at = (char *)psn_secret_fill(text);
    fits = psn_bech32_encode("age-secret-key-", psn_secret_bytes(scalar),
                             PSN_AGE_KEY_SIZE, at, PSN_AGE_IDENTITY_TEXT_SIZE + 1);
    assert(fits);
    (void)fits;
    for (; *at; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    psn_secret_set_size(text, PSN_AGE_IDENTITY_TEXT_SIZE);
    *ret_text = PSN_TAKE(text);
    return PSN_OK;
}

enum psn_code psn_age_identity_new(struct psn_secret **ret_scalar, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *scalar = NULL;
    enum psn_code rc;

    rc = psn_secret_new(PSN_AGE_KEY_SIZE, &scalar, err);
    if (rc)
        return rc;
    psn_random(psn_secret_fill(scalar), PSN_AGE_KEY_SIZE);
    psn_secret_set_size(scalar, PSN_AGE_KEY_SIZE);
    *ret_scalar = PSN_TAKE(scalar);
    return PSN_OK;
}

enum psn_code psn_age_recipient(const struct psn_secret *scalar,
                                char ret_text[PSN_AGE_RECIPIENT_MAX],
                                struct psn_error *err)
{
    uint8_t point[crypto_scalarmult_curve25519_BYTES];
    bool fits;

    if (psn_secret_size(scalar) != PSN_AGE_KEY_SIZE)
        return refuse(err, _("an age identity has the wrong length"));
    if (crypto_scalarmult_base(point, psn_secret_bytes(scalar)) != 0)
        return psn_fail(err, PSN_E_UNEXPECTED, _("X25519 does not compute"));
    fits = psn_bech32_encode(recipient_prefix, point, sizeof point, ret_text,
                             PSN_AGE_RECIPIENT_MAX);
    assert(fits);
    (void)fits;
    return PSN_OK;
}
