#include "age/header.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "crypto/base64.h"

/*
 * The grammar (C2SP age.md), whose names are used below:
 *
 *     header     = v1-line 1*stanza end
 *     v1-line    = "age-encryption.org/v1" LF
 *     end        = "--- " 43base64char LF
 *     stanza     = arg-line *full-line final-line
 *     arg-line   = "-> " argument *(SP argument) LF     argument = 1*VCHAR
 *     full-line  = 64base64char LF
 *     final-line = *63base64char LF
 *
 * The whole text is checked once, by psn_age_header_parse(); psn_age_header_next() then
 * walks over it with the same code. There is one spelling of a header: base64 is
 * canonical, and nothing may stand before, between or after what the grammar names.
 *
 * Stanzas of the known types are held to their form whoever the file is for, so that a
 * malformed file is refused with the same words on each machine. Unknown types are passed
 * over, as the format asks.
 */
static const char magic[] = "age-encryption.org/";
static const char v1_line[] = "age-encryption.org/v1\n";
static const char end_mark[] = "---";

enum {
    LINE_CHARS = 64,
    LINE_BYTES = 48,
    MAC_CHARS = 43
};

static enum psn_code bad(struct psn_error *err, const char *why)
{
    (void)psn_fail(err, PSN_E_INTEGRITY, "%s", why);
    return psn_hint(err, PSN_E_INTEGRITY,
                    _("the file was damaged or changed: ask for it again"));
}

/* Takes a line without its end; false if there is no newline any more. */
static bool take_line(const char *text, size_t size, size_t *at,
                      struct psn_age_span *ret_line)
{
    const char *start = text + *at;
    const char *newline = memchr(start, '\n', size - *at);

    if (!newline)
        return false;
    *ret_line = (struct psn_age_span){ start, (size_t)(newline - start) };
    *at += ret_line->size + 1;
    return true;
}

/* arg-line. The line's end, which is behind it, is none of the first three characters. */
static bool parse_args(const struct psn_age_span *line, struct psn_age_stanza *stanza)
{
    size_t start = 3;

    if (strncmp(line->at, "-> ", start) != 0)
        return false;
    for (size_t i = start; i <= line->size; i++) {
        if (i < line->size && line->at[i] != ' ') {
            if (line->at[i] < 0x21 || line->at[i] > 0x7e)
                return false;
            continue;
        }
        if (i == start)
            return false;
        if (stanza->arg_count < PSN_AGE_ARGS_MAX)
            stanza->args[stanza->arg_count] =
                (struct psn_age_span){ line->at + start, i - start };
        stanza->arg_count++;
        start = i + 1;
    }
    return true;
}

/* *full-line final-line; only the first line's bytes are kept. */
static bool parse_body(const char *text, size_t size, size_t *at,
                       struct psn_age_stanza *stanza)
{
    uint8_t bytes[LINE_BYTES];
    struct psn_age_span line;
    size_t decoded;

    do {
        if (!take_line(text, size, at, &line) ||
            !psn_base64_decode(PSN_BASE64_RAW, line.at, line.size, bytes, sizeof bytes,
                               &decoded))
            return false;
        if (stanza->body_size == 0)
            memcpy(stanza->body, bytes, decoded);
        stanza->body_size += decoded;
    } while (line.size == LINE_CHARS);
    return true;
}

static bool parse_stanza(const char *text, size_t size, size_t *at,
                         struct psn_age_stanza *ret_stanza)
{
    struct psn_age_stanza stanza = { 0 };
    struct psn_age_span line;

    if (!take_line(text, size, at, &line) || !parse_args(&line, &stanza) ||
        !parse_body(text, size, at, &stanza))
        return false;
    *ret_stanza = stanza;
    return true;
}

bool psn_age_stanza_is(const struct psn_age_stanza *stanza, const char *type)
{
    return stanza->args[0].size == strlen(type) &&
           memcmp(stanza->args[0].at, type, stanza->args[0].size) == 0;
}

bool psn_age_stanza_bytes(const struct psn_age_stanza *stanza, size_t arg, uint8_t *bytes,
                          size_t size)
{
    const struct psn_age_span *text = &stanza->args[arg];

    return psn_base64_decode_exact(PSN_BASE64_RAW, text->at, text->size, bytes, size);
}

/* ^[1-9][0-9]*$ */
static bool is_number(const struct psn_age_span *text)
{
    for (size_t i = 0; i < text->size; i++)
        if (!psn_text_is_digit(text->at[i]))
            return false;
    return text->size > 0 && text->at[0] != '0';
}

uint32_t psn_age_stanza_work_factor(const struct psn_age_stanza *stanza)
{
    const struct psn_age_span *text = &stanza->args[2];
    uint32_t value = 0;

    for (size_t i = 0; i < text->size; i++) {
        if (value > UINT32_MAX / 16)
            return UINT32_MAX;
        value = value * 10 + (uint32_t)(text->at[i] - '0');
    }
    return value;
}

enum {
    X25519_SHARE_SIZE = 32,
    HYBRID_SHARE_SIZE = 1120, /* ML-KEM-768 and X25519 */
    SSH_TAG_SIZE = 4,
    SALT_SIZE = 16
};

/* The form of a type's stanza: how many arguments there are beside the type, and how many
 * bytes each of them stands for (0: a number). */
struct form {
    const char *type;
    size_t arg_count;
    size_t sizes[PSN_AGE_ARGS_MAX - 1];
    const char *refusal;
};

static const struct form forms[] = {
    { "X25519",
      1,
      { X25519_SHARE_SIZE },
      N_("an X25519 recipient in the age header is malformed") },
    { "ssh-ed25519",
      2,
      { SSH_TAG_SIZE, X25519_SHARE_SIZE },
      N_("an ssh-ed25519 recipient in the age header is malformed") },
    { "scrypt",
      2,
      { SALT_SIZE, 0 },
      N_("the passphrase recipient in the age header is malformed") },
    { "mlkem768x25519",
      1,
      { HYBRID_SHARE_SIZE },
      N_("a post-quantum recipient in the age header is malformed") },
};

/* The body's length is checked before anything is decrypted: a longer one could open
 * under several keys (partitioning oracles). */
static bool has_form(const struct psn_age_stanza *stanza, const struct form *form)
{
    uint8_t bytes[HYBRID_SHARE_SIZE];

    if (stanza->body_size != PSN_AGE_WRAPPED_SIZE ||
        stanza->arg_count != 1 + form->arg_count)
        return false;
    for (size_t i = 0; i < form->arg_count; i++)
        if (form->sizes[i] ? !psn_age_stanza_bytes(stanza, 1 + i, bytes, form->sizes[i])
                           : !is_number(&stanza->args[1 + i]))
            return false;
    return true;
}

/* NULL if the stanza is well-formed, or of a type that is not known here. */
static const char *check_type(const struct psn_age_stanza *stanza)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (psn_age_stanza_is(stanza, forms[i].type))
            return has_form(stanza, &forms[i]) ? NULL : _(forms[i].refusal);
    return NULL;
}

static enum psn_code check_version(const char *text, size_t size, struct psn_error *err)
{
    size_t v1_size = sizeof v1_line - 1;

    if (size >= v1_size && memcmp(text, v1_line, v1_size) == 0)
        return PSN_OK;
    if (size < sizeof magic - 1 || memcmp(text, magic, sizeof magic - 1) != 0)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("this is not an age file, nor a page that holds one"));
    return psn_fail(err, PSN_E_TOO_NEW,
                    _("this is an age file of another version than 1"));
}

/* end, which is the last thing in the text */
static bool parse_end(const char *text, size_t size, struct psn_age_header *header)
{
    const char *end = text + header->mac_at;
    size_t left = size - header->mac_at;

    return left == 4 + MAC_CHARS + 1 && memcmp(end, "--- ", 4) == 0 &&
           end[4 + MAC_CHARS] == '\n' &&
           psn_base64_decode_exact(PSN_BASE64_RAW, end + 4, MAC_CHARS, header->mac,
                                   sizeof header->mac);
}

enum psn_code psn_age_header_parse(const char *text, size_t size,
                                   struct psn_age_header *ret_header,
                                   struct psn_error *err)
{
    struct psn_age_header header = { .text = text };
    size_t count = 0;
    bool scrypt = false;
    enum psn_code rc;

    rc = check_version(text, size, err);
    if (rc)
        return rc;
    header.stanzas_at = sizeof v1_line - 1;
    header.mac_at = header.stanzas_at;
    while (size - header.mac_at < sizeof end_mark - 1 ||
           memcmp(text + header.mac_at, end_mark, sizeof end_mark - 1) != 0) {
        struct psn_age_stanza stanza;
        const char *why;

        if (!parse_stanza(text, size, &header.mac_at, &stanza))
            return bad(err, _("a recipient in the age header is malformed"));
        why = check_type(&stanza);
        if (why)
            return bad(err, why);
        scrypt = scrypt || psn_age_stanza_is(&stanza, "scrypt");
        count++;
    }
    if (count == 0)
        return bad(err, _("the age header has no recipient"));
    if (scrypt && count > 1)
        return bad(err, _("the age header has other recipients beside a passphrase"));
    if (!parse_end(text, size, &header))
        return bad(err, _("the last line of the age header is malformed"));
    *ret_header = header;
    return PSN_OK;
}

bool psn_age_header_next(const struct psn_age_header *header, size_t *at,
                         struct psn_age_stanza *ret_stanza)
{
    return parse_stanza(header->text, header->mac_at, at, ret_stanza);
}

void psn_age_header_begin(struct psn_buf *out)
{
    psn_buf_text(out, v1_line);
}

/* A body of 32 bytes is 43 characters: one line, and shorter than 64. */
void psn_age_header_stanza(struct psn_buf *out, const char *type, const char *arg,
                           const char *extra, const uint8_t body[PSN_AGE_WRAPPED_SIZE])
{
    char text[PSN_BASE64_TEXT_SIZE(PSN_AGE_WRAPPED_SIZE)];

    (void)psn_base64_encode(PSN_BASE64_RAW, body, PSN_AGE_WRAPPED_SIZE, text);
    psn_buf_format(out, "-> %s %s%s%s\n%s\n", type, arg, extra ? " " : "",
                   extra ? extra : "", text);
}
