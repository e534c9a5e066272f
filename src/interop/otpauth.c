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

static bool is_uri(const char *text, size_t size)
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

/* Appends the seed in upper case, without what is free. False if it is no base32. */
static bool put_seed(struct psn_buf *out, const char *text, size_t size)
{
    size_t before = out->size;
    size_t letters;

    while (size > 0 && text[size - 1] == '=')
        size--;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (psn_text_is_lower(c))
            c = (char)(c - 'a' + 'A');
        if (psn_text_is_upper(c) || (c >= '2' && c <= '7'))
            psn_buf_char(out, c);
        else if (c != ' ' && c != '-')
            return false;
    }
    letters = out->size - before;
    return letters >= SEED_SIZE_MIN && letters <= SEED_SIZE_MAX;
}

void psn_otpauth_uri(const struct psn_entry *entry, struct psn_buf *uri)
{
    const char *text;
    size_t size;

    if (!psn_entry_has(entry->type) || strcmp(entry->type, "totp") != 0 ||
        !entry->password)
        return;
    text = (const char *)psn_secret_bytes(entry->password);
    size = psn_secret_size(entry->password);
    if (is_uri(text, size)) {
        psn_buf_bytes(uri, text, size);
        return;
    }
    psn_buf_text(uri, scheme);
    put_escaped(uri, psn_entry_text(entry->title));
    if (psn_entry_has(entry->user)) {
        psn_buf_char(uri, ':');
        put_escaped(uri, entry->user);
    }
    psn_buf_text(uri, "?secret=");
    if (!put_seed(uri, text, size)) {
        psn_buf_reset(uri);
        return;
    }
    psn_buf_text(uri, "&period=30&digits=6&issuer=");
    put_escaped(uri, psn_entry_text(entry->title));
}
