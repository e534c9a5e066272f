#include "interop/totp.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/i18n.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "interop/otpauth.h"

enum {
    DIGITS_MIN = 6,
    DIGITS_MAX = 8,
    PERIOD_MAX = 86400,
    COUNTER_SIZE = 8,
};

static const char counter_scheme[] = "otpauth://hotp/";

const char *psn_totp_hash_name(enum psn_totp_hash hash)
{
    static const char *const names[] = { "SHA1", "SHA256", "SHA512" };

    return names[hash];
}

void psn_totp_release(struct psn_totp *totp)
{
    psn_secret_free(totp->key);
    *totp = (struct psn_totp){ 0 };
}

static enum psn_code fail_form(struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_INVALID,
                   _("that is neither a seed of one-time codes nor an otpauth URI"));
    return psn_hint(err, PSN_E_INVALID,
                    _("a seed is letters and the digits 2 to 7, as the service shows it "
                      "beside its QR code; a URI begins with otpauth://totp/"));
}

/* --- the seed --- */

static int base32_digit(char c)
{
    if (psn_text_is_upper(c))
        return c - 'A';
    if (psn_text_is_lower(c))
        return c - 'a';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* RFC 4648, section 6. The bits that fill no byte at the end are left, as authenticator
 * programs do: there are services that give out such seeds. */
static enum psn_code decode_seed(const char *text, size_t size,
                                 struct psn_secret **ret_key, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    unsigned bits = 0;
    unsigned count = 0;
    size_t used = 0;
    enum psn_code rc;

    if (!psn_otpauth_is_seed(text, size))
        return fail_form(err);
    rc = psn_secret_new(size, &key, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < size; i++) {
        int digit = base32_digit(text[i]);

        if (digit < 0)
            continue;
        bits = (bits << 5 | (unsigned)digit) & 0xfff;
        count += 5;
        if (count < 8)
            continue;
        count -= 8;
        psn_secret_fill(key)[used++] = (uint8_t)(bits >> count);
    }
    psn_secret_set_size(key, used);
    *ret_key = PSN_TAKE(key);
    return PSN_OK;
}

/* --- the URI --- */

static int hex_digit(char c)
{
    if (psn_text_is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX in place (RFC 3986, section 2.1). False: malformed, or a NUL. */
static bool unescape(char *text)
{
    char *to = text;

    for (const char *at = text; *at; at++) {
        int high = 0;
        int low = 0;

        if (*at == '%') {
            high = hex_digit(at[1]);
            low = high < 0 ? -1 : hex_digit(at[2]);
            if (low < 0 || high + low == 0)
                return false;
            *to++ = (char)(high << 4 | low);
            at += 2;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    return true;
}

static enum psn_code fail_parameter(const char *name, struct psn_error *err)
{
    return psn_fail(err, PSN_E_INVALID,
                    _("the otpauth URI says something of '%s' that no code can be "
                      "computed from"),
                    name);
}

static bool parse_number(const char *text, unsigned min, unsigned max,
                         unsigned *ret_number)
{
    uint64_t number = 0;

    if (!psn_text_parse_u64(text, max, &number) || number < min)
        return false;
    *ret_number = (unsigned)number;
    return true;
}

static bool parse_hash(const char *text, enum psn_totp_hash *ret_hash)
{
    for (enum psn_totp_hash hash = PSN_TOTP_SHA1; hash <= PSN_TOTP_SHA512; hash++)
        if (strcasecmp(text, psn_totp_hash_name(hash)) == 0) {
            *ret_hash = hash;
            return true;
        }
    return false;
}

/* Names that are not known, such as "issuer", say nothing about the codes. */
static enum psn_code take_parameter(const char *name, const char *value,
                                    struct psn_totp *totp, struct psn_error *err)
{
    if (strcmp(name, "secret") == 0)
        return totp->key ? fail_parameter("secret", err)
                         : decode_seed(value, strlen(value), &totp->key, err);
    if (strcmp(name, "digits") == 0 &&
        !parse_number(value, DIGITS_MIN, DIGITS_MAX, &totp->digits))
        return fail_parameter("digits", err);
    if (strcmp(name, "period") == 0 && !parse_number(value, 1, PERIOD_MAX, &totp->period))
        return fail_parameter("period", err);
    if (strcmp(name, "algorithm") == 0 && !parse_hash(value, &totp->hash))
        return fail_parameter("algorithm", err);
    return PSN_OK;
}

/* Takes the text, which is a copy of the URI, apart in place. */
static enum psn_code parse_uri(char *text, struct psn_totp *totp, struct psn_error *err)
{
    char *rest = strchr(text, '?');
    enum psn_code rc = PSN_OK;

    text[strcspn(text, "#")] = '\0';
    if (!rest)
        return fail_form(err);
    rest++;
    while (!rc && rest) {
        char *parameter = strsep(&rest, "&");
        char *value = strchr(parameter, '=');

        if (!value)
            continue;
        *value++ = '\0';
        rc = unescape(value) ? take_parameter(parameter, value, totp, err)
                             : fail_form(err);
    }
    return rc || totp->key ? rc : fail_parameter("secret", err);
}

enum psn_code psn_totp_parse(const struct psn_secret *value, struct psn_totp *ret_totp,
                             struct psn_error *err)
{
    PSN_AUTO(psn_secret) *copy = NULL;
    struct psn_totp totp = { .digits = 6, .period = 30 };
    const char *text = (const char *)psn_secret_bytes(value);
    size_t size = psn_secret_size(value);
    enum psn_code rc = psn_secret_copy(text, size, &copy, err);

    if (rc)
        return rc;
    if (size >= sizeof counter_scheme - 1 &&
        strncasecmp(text, counter_scheme, sizeof counter_scheme - 1) == 0)
        return psn_fail(err, PSN_E_INVALID,
                        _("these codes go by a counter (hotp), not by the time; "
                          "passation keeps no such counter"));
    rc = psn_otpauth_is_uri(text, size)
             ? parse_uri((char *)psn_secret_fill(copy), &totp, err)
             : decode_seed(text, size, &totp.key, err);
    if (rc)
        psn_totp_release(&totp);
    else
        *ret_totp = totp;
    return rc;
}

/* --- the code --- */

/* RFC 4226, section 5.3: four bytes of the MAC from where its last half byte says. */
static uint32_t cut_out(const uint8_t *mac, size_t size)
{
    const uint8_t *at = mac + (mac[size - 1] & 0xf);

    return (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
           at[3];
}

static enum psn_code number_of(const struct psn_totp *totp,
                               const uint8_t counter[COUNTER_SIZE], uint32_t *ret_number,
                               struct psn_error *err)
{
    uint8_t mac[PSN_HMAC_SHA512_SIZE];
    const uint8_t *key = psn_secret_bytes(totp->key);
    size_t key_size = psn_secret_size(totp->key);
    size_t size = PSN_HMAC_SHA512_SIZE;
    enum psn_code rc = PSN_OK;

    if (totp->hash == PSN_TOTP_SHA1) {
        rc = psn_hmac_sha1(key, key_size, counter, COUNTER_SIZE, mac, err);
        size = PSN_SHA1_SIZE;
    } else if (totp->hash == PSN_TOTP_SHA256) {
        psn_hmac_sha256(key, key_size, &(struct psn_part){ counter, COUNTER_SIZE }, 1,
                        mac);
        size = PSN_HMAC_SIZE;
    } else {
        psn_hmac_sha512(key, key_size, counter, COUNTER_SIZE, mac);
    }
    if (!rc)
        *ret_number = cut_out(mac, size);
    explicit_bzero(mac, sizeof mac);
    return rc;
}

enum psn_code psn_totp_code(const struct psn_totp *totp, int64_t time_s,
                            struct psn_secret **ret_code, struct psn_error *err)
{
    static const uint32_t powers[] = { 1000000, 10000000, 100000000 };
    PSN_AUTO(psn_secret) *code = NULL;
    uint64_t step = (uint64_t)time_s / totp->period;
    uint8_t counter[COUNTER_SIZE];
    uint32_t number = 0;
    enum psn_code rc = psn_secret_new(DIGITS_MAX, &code, err);

    for (size_t i = 0; i < COUNTER_SIZE; i++)
        counter[i] = (uint8_t)(step >> 8 * (COUNTER_SIZE - 1 - i));
    if (!rc)
        rc = number_of(totp, counter, &number, err);
    if (rc)
        return rc;
    number %= powers[totp->digits - DIGITS_MIN];
    for (size_t i = totp->digits; i > 0; i--) {
        psn_secret_fill(code)[i - 1] = (uint8_t)('0' + number % 10);
        number /= 10;
    }
    psn_secret_set_size(code, totp->digits);
    *ret_code = PSN_TAKE(code);
    return PSN_OK;
}
