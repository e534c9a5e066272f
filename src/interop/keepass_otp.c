#include "interop/keepass_otp.h"

#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "base/text.h"
#include "crypto/base64.h"
#include "interop/otpauth.h"

enum {
    SEED_MAX = 4096,
    PERIOD = 30, /* what is meant where nothing is said */
    DIGITS = 6,
    PERIOD_MAX = 86400,
    DIGITS_MIN = 6, /* what psn_totp_parse() takes */
    DIGITS_MAX = 8,
};

struct psn_keepass_otp psn_keepass_otp_init(void)
{
    struct psn_keepass_otp otp = { 0 };

    for (size_t i = 0; i < PSN_KEEPASS_WAYS; i++)
        otp.ways[i].base32 = psn_buf_init_wiped(SEED_MAX);
    return otp;
}

void psn_keepass_otp_release(struct psn_keepass_otp *otp)
{
    for (size_t i = 0; i < PSN_KEEPASS_WAYS; i++)
        psn_buf_release(&otp->ways[i].base32);
}

void psn_keepass_otp_begin(struct psn_keepass_otp *otp)
{
    for (size_t i = 0; i < PSN_KEEPASS_WAYS; i++) {
        struct psn_buf base32 = otp->ways[i].base32;

        psn_buf_reset(&base32);
        otp->ways[i] = (struct psn_keepass_seed){ .base32 = base32 };
    }
}

/* ---- seeds ---- */

/* RFC 4648, section 6, without padding. */
static void put_base32(struct psn_buf *out, const uint8_t *bytes, size_t size)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 5; count -= 5)
            psn_buf_char(out, letters[bits >> (count - 5) & 31]);
    }
    if (count > 0)
        psn_buf_char(out, letters[bits << (5 - count) & 31]);
}

static int hex_digit(char c)
{
    return psn_text_is_digit(c)   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool put_hex(struct psn_buf *bytes, const char *text, size_t size)
{
    if (size % 2)
        return false;
    for (size_t i = 0; i < size; i += 2) {
        int high = hex_digit(text[i]);
        int low = hex_digit(text[i + 1]);

        if (high < 0 || low < 0)
            return false;
        psn_buf_u8(bytes, (uint8_t)(high << 4 | low));
    }
    return true;
}

static bool put_base64(struct psn_buf *bytes, const char *text, size_t size)
{
    uint8_t *at = psn_buf_reserve(bytes, size);
    size_t decoded = 0;

    if (!at || !psn_base64_decode(PSN_BASE64, text, size, at, size, &decoded))
        return false;
    bytes->size = decoded;
    return true;
}

/* form: "Base32", "Hex", "Base64", or "" for the bytes themselves. */
static void take_seed(struct psn_keepass_seed *seed, const char *form, const char *text,
                      size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) bytes = psn_buf_init_wiped(SEED_MAX);
    bool is_good = true;

    if (size == 0 || seed->base32.size > 0)
        return; /* the first one counts, as in KeePass */
    if (strcasecmp(form, "Base32") == 0)
        psn_buf_bytes(&seed->base32, text, size);
    else if (strcasecmp(form, "Hex") == 0)
        is_good = put_hex(&bytes, text, size);
    else if (strcasecmp(form, "Base64") == 0)
        is_good = put_base64(&bytes, text, size);
    else
        psn_buf_bytes(&bytes, text, size);
    if (bytes.size > 0)
        put_base32(&seed->base32, bytes.data, bytes.size);
    if (bytes.failed)
        seed->base32.failed = bytes.failed;
    seed->is_wrong |= !is_good || seed->base32.failed ||
                      !psn_otpauth_is_seed(psn_buf_str(&seed->base32), seed->base32.size);
}

/* ---- settings ---- */

static void take_number(struct psn_keepass_seed *seed, unsigned *number, const char *text,
                        size_t size, unsigned min, unsigned max)
{
    unsigned value = 0;

    for (size_t i = 0; i < size; i++) {
        if (!psn_text_is_digit(text[i]) || value > max)
            seed->is_wrong = true;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    if (size == 0 || value < min || value > max)
        seed->is_wrong = true;
    *number = seed->is_wrong ? 0 : value;
}

static void take_period(struct psn_keepass_seed *seed, const char *text, size_t size)
{
    take_number(seed, &seed->period, text, size, 1, PERIOD_MAX);
}

static void take_digits(struct psn_keepass_seed *seed, const char *text, size_t size)
{
    take_number(seed, &seed->digits, text, size, DIGITS_MIN, DIGITS_MAX);
}

/* "HMAC-SHA-256", "Sha256". */
static void take_hash(struct psn_keepass_seed *seed, const char *text, size_t size)
{
    static const struct {
        const char *name;
        const char *hash; /* as in a URI; NULL: the usual one */
    } names[] = {
        { "HMAC-SHA-1", NULL },       { "Sha1", NULL },
        { "HMAC-SHA-256", "SHA256" }, { "Sha256", "SHA256" },
        { "HMAC-SHA-512", "SHA512" }, { "Sha512", "SHA512" },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == size &&
            strncasecmp(names[i].name, text, size) == 0) {
            seed->hash = names[i].hash;
            return;
        }
    seed->is_wrong = true;
}

/* "30;6", and behind that the address of a clock. "S" for digits is Steam's own code. */
static void take_tray_settings(struct psn_keepass_seed *seed, const char *text)
{
    size_t period = strcspn(text, ";");
    const char *digits = text[period] ? text + period + 1 : "";

    take_period(seed, text, period);
    take_digits(seed, digits, strcspn(digits, ";"));
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

static void take_kee_pair(struct psn_keepass_seed *seed, const char *name, size_t size,
                          const char *value, size_t value_size)
{
    if (is_word(name, size, "key"))
        take_seed(seed, "Base32", value, value_size);
    else if (is_word(name, size, "step"))
        take_period(seed, value, value_size);
    else if (is_word(name, size, "size"))
        take_digits(seed, value, value_size);
    else if (is_word(name, size, "otpHashMode"))
        take_hash(seed, value, value_size);
    else if (!(is_word(name, size, "type") && is_word(value, value_size, "totp")) &&
             !(is_word(name, size, "encoding") && is_word(value, value_size, "base32")))
        seed->is_wrong = true;
}

static void take_kee(struct psn_keepass_seed *seed, const char *text)
{
    while (*text) {
        size_t pair = strcspn(text, "&");
        size_t name = strcspn(text, "=&");
        size_t skip = name < pair ? name + 1 : pair;

        take_kee_pair(seed, text, name, text + skip, pair - skip);
        text += pair + (text[pair] == '&');
    }
}

/* ---- an entry's strings ---- */

static const char *after(const char *key, const char *begin)
{
    size_t size = strlen(begin);

    return strncmp(key, begin, size) == 0 ? key + size : NULL;
}

bool psn_keepass_otp_take(struct psn_keepass_otp *otp, const char *key, const char *text,
                          size_t size)
{
    struct psn_keepass_seed *time = &otp->ways[PSN_KEEPASS_TIME];
    const char *form = after(key, "TimeOtp-Secret");

    if (form && (form[0] == '-' || !form[0]))
        take_seed(time, form[0] ? form + 1 : "", text, size);
    else if (strcmp(key, "TimeOtp-Length") == 0)
        take_digits(time, text, size);
    else if (strcmp(key, "TimeOtp-Period") == 0)
        take_period(time, text, size);
    else if (strcmp(key, "TimeOtp-Algorithm") == 0)
        take_hash(time, text, size);
    else if (strcmp(key, "TOTP Seed") == 0)
        take_seed(&otp->ways[PSN_KEEPASS_TRAY], "Base32", text, size);
    else if (strcmp(key, "TOTP Settings") == 0)
        take_tray_settings(&otp->ways[PSN_KEEPASS_TRAY], text);
    else if (strcmp(key, PSN_ENTRY_FIELD_OTP) == 0 && after(text, "key="))
        take_kee(&otp->ways[PSN_KEEPASS_KEE], text);
    else
        return false;
    return true;
}

static void put_uri(const struct psn_keepass_seed *seed, struct psn_foreign_draft *draft)
{
    PSN_AUTO_RELEASE(psn_buf) uri = psn_buf_init_wiped(PSN_FOREIGN_ENTRY_MAX);
    const struct psn_otpauth otp = {
        .title = psn_foreign_draft_text(draft, PSN_FOREIGN_TITLE),
        .user = psn_foreign_draft_text(draft, PSN_FOREIGN_USER),
        .seed = psn_buf_str(&seed->base32),
        .seed_size = seed->base32.size,
        .period = seed->period ? seed->period : PERIOD,
        .digits = seed->digits ? seed->digits : DIGITS,
        .hash = seed->hash,
    };

    psn_otpauth_write(&otp, &uri);
    if (uri.failed)
        draft->texts.failed = uri.failed;
    else
        psn_foreign_draft_put(draft, PSN_FOREIGN_TOTP, uri.data, uri.size);
}

void psn_keepass_otp_put(struct psn_keepass_otp *otp, struct psn_foreign_draft *draft)
{
    for (size_t i = 0; i < PSN_KEEPASS_WAYS; i++) {
        const struct psn_keepass_seed *seed = &otp->ways[i];
        bool is_usual = (!seed->period || seed->period == PERIOD) &&
                        (!seed->digits || seed->digits == DIGITS) && !seed->hash;

        if (seed->base32.failed == PSN_E_NOMEM)
            draft->texts.failed = PSN_E_NOMEM;
        else if (seed->is_wrong)
            psn_foreign_draft_lose(draft, "TOTP",
                                   _("its one-time codes are of a kind that is not known "
                                     "here: it would make other ones"));
        else if (seed->base32.size > 0 && is_usual)
            psn_foreign_draft_put(draft, PSN_FOREIGN_TOTP, seed->base32.data,
                                  seed->base32.size);
        else if (seed->base32.size > 0)
            put_uri(seed, draft);
    }
}
