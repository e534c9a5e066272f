#include "interop/otpauth.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static const char scheme[] = "otpauth://totp/";

enum {
    SCHEME_SIZE = sizeof scheme - 1,
    SEED_SIZE_MIN = 8, /* 40 bits: shorter is nothing that a service gives out */
    SEED_SIZE_MAX = 512,
};

bool psn_otpauth_is_uri(const char *text, size_t size)
{
    return size > SCHEME_SIZE && strncasecmp(text, scheme, SCHEME_SIZE) == 0 &&
           psn_text_is_plain(text, size) && !memchr(text, ' ', size);
}

/* Everything but letters, digits and a few marks as %XX (RFC 3986, section 2.3). */
static void put_escaped(struct psn_buf *out, const char *text)
{
    for (; *text; text++)
        if (psn_text_is_digit(*text) || psn_text_is_lower(*text) ||
            psn_text_is_upper(*text) || strchr("-._~@", *text))
            psn_buf_char(out, *text);
        else
            psn_buf_format(out, "%%%02X", (unsigned char)*text);
}

static bool is_base32(char c)
{
    return psn_text_is_lower(c) || psn_text_is_upper(c) || (c >= '2' && c <= '7');
}

bool psn_otpauth_is_seed(const char *text, size_t size)
{
    size_t letters = 0;

    while (size > 0 && text[size - 1] == '=')
        size--;
    for (size_t i = 0; i < size; i++)
        if (is_base32(text[i]))
            letters++;
        else if (text[i] != ' ' && text[i] != '-')
            return false;
    return letters >= SEED_SIZE_MIN && letters <= SEED_SIZE_MAX;
}

/* The letters alone, in upper case. */
static void put_seed(struct psn_buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (psn_text_is_lower(text[i]))
            psn_buf_char(out, (char)(text[i] - 'a' + 'A'));
        else if (is_base32(text[i]))
            psn_buf_char(out, text[i]);
}

void psn_otpauth_write(const struct psn_otpauth *otp, struct psn_buf *uri)
{
    psn_buf_text(uri, scheme);
    put_escaped(uri, otp->title);
    if (otp->user[0]) {
        psn_buf_char(uri, ':');
        put_escaped(uri, otp->user);
    }
    psn_buf_text(uri, "?secret=");
    put_seed(uri, otp->seed, otp->seed_size);
    psn_buf_format(uri, "&period=%u&digits=%u", otp->period, otp->digits);
    if (otp->hash)
        psn_buf_format(uri, "&algorithm=%s", otp->hash);
    psn_buf_text(uri, "&issuer=");
    put_escaped(uri, otp->title);
}

void psn_otpauth_uri(const struct psn_entry *entry, struct psn_buf *uri)
{
    struct psn_otpauth otp = { .title = psn_entry_text(entry->title),
                               .user = psn_entry_text(entry->user),
                               .period = 30,
                               .digits = 6 };

    if (!psn_entry_has(entry->type) || strcmp(entry->type, "totp") != 0 ||
        !entry->password)
        return;
    otp.seed = (const char *)psn_secret_bytes(entry->password);
    otp.seed_size = psn_secret_size(entry->password);
    if (psn_otpauth_is_uri(otp.seed, otp.seed_size))
        psn_buf_bytes(uri, otp.seed, otp.seed_size);
    else if (psn_otpauth_is_seed(otp.seed, otp.seed_size))
        psn_otpauth_write(&otp, uri);
}
