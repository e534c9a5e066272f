#include "interop/json_reader.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

void psn_json_reader_begin(struct psn_json_reader *reader,
                           const struct psn_source *source, size_t text_max,
                           struct psn_error *err)
{
    psn_characters_begin(&reader->characters, source, err);
    psn_characters_skip_mark(&reader->characters);
    reader->text = psn_buf_init_wiped(text_max);
    reader->rc = PSN_OK;
    reader->depth = 0;
    reader->wants_value = true;
    reader->is_first = false;
}

void psn_json_reader_release(struct psn_json_reader *reader)
{
    psn_characters_release(&reader->characters);
    psn_buf_release(&reader->text);
}

void psn_json_refuse(struct psn_json_reader *reader, const char *why)
{
    if (!reader->rc)
        reader->rc =
            psn_characters_refuse(&reader->characters, reader->characters.line, why);
}

static enum psn_json_token malformed(struct psn_json_reader *reader)
{
    psn_json_refuse(reader, _("the JSON is malformed"));
    return PSN_JSON_FAILED;
}

bool psn_json_is(const struct psn_json_reader *reader, const char *name)
{
    return strcmp(psn_buf_str(&reader->text), name) == 0;
}

static int peek(struct psn_json_reader *reader)
{
    return psn_characters_peek(&reader->characters);
}

static int next(struct psn_json_reader *reader)
{
    return psn_characters_next(&reader->characters);
}

static bool takes(struct psn_json_reader *reader, char c)
{
    return next(reader) == c;
}

static int skip_blanks(struct psn_json_reader *reader)
{
    int c = peek(reader);

    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        (void)next(reader);
        c = peek(reader);
    }
    return c;
}

/* ---- strings ---- */

static bool read_hex(struct psn_json_reader *reader, uint32_t *ret_unit)
{
    *ret_unit = 0;
    for (int i = 0; i < 4; i++) {
        int c = next(reader);
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return false;
        *ret_unit = *ret_unit << 4 | (uint32_t)digit;
    }
    return true;
}

static void put_point(struct psn_buf *out, uint32_t point)
{
    if (point < 0x80) {
        psn_buf_char(out, (char)point);
    } else if (point < 0x800) {
        psn_buf_u8(out, (uint8_t)(0xc0 | point >> 6));
        psn_buf_u8(out, (uint8_t)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        psn_buf_u8(out, (uint8_t)(0xe0 | point >> 12));
        psn_buf_u8(out, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        psn_buf_u8(out, (uint8_t)(0x80 | (point & 0x3f)));
    } else {
        psn_buf_u8(out, (uint8_t)(0xf0 | point >> 18));
        psn_buf_u8(out, (uint8_t)(0x80 | (point >> 12 & 0x3f)));
        psn_buf_u8(out, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        psn_buf_u8(out, (uint8_t)(0x80 | (point & 0x3f)));
    }
}

/* Behind "\u": one unit, or the two of a pair. */
static bool read_unicode(struct psn_json_reader *reader)
{
    uint32_t high;
    uint32_t low;

    if (!read_hex(reader, &high) || high == 0 || (high >= 0xdc00 && high < 0xe000))
        return false;
    if (high >= 0xd800 && high < 0xdc00) {
        if (!takes(reader, '\\') || !takes(reader, 'u') || !read_hex(reader, &low) ||
            low < 0xdc00 || low > 0xdfff)
            return false;
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    put_point(&reader->text, high);
    return true;
}

static bool read_escape(struct psn_json_reader *reader)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    int c = next(reader);
    const char *at = c > 0 ? strchr(names, c) : NULL;

    if (c == 'u')
        return read_unicode(reader);
    if (at)
        psn_buf_char(&reader->text, values[at - names]);
    return at != NULL;
}

/* Behind the opening quote. */
static bool read_string(struct psn_json_reader *reader)
{
    psn_buf_reset(&reader->text);
    for (;;) {
        int c = next(reader);

        if (c == '"')
            break;
        /* The end, PSN_NO_CHARACTER, is less than a blank, too. */
        if (c < ' ' || (c == '\\' && !read_escape(reader)))
            return false;
        if (c != '\\')
            psn_buf_char(&reader->text, (char)c);
        if (reader->text.failed)
            break;
    }
    if (reader->text.failed == PSN_E_LIMIT)
        reader->rc =
            psn_fail(reader->characters.err, PSN_E_LIMIT,
                     _("line %zu: the entry is too large"), reader->characters.line);
    else
        reader->rc = psn_buf_check(&reader->text, reader->characters.err);
    psn_buf_bytes(&reader->text, "", 0); /* so that it is a string */
    return !reader->rc && psn_text_is_utf8(psn_buf_str(&reader->text), reader->text.size);
}

/* ---- other values ---- */

static size_t read_digits(struct psn_json_reader *reader)
{
    size_t count = 0;

    while (peek(reader) >= '0' && peek(reader) <= '9' && !reader->text.failed) {
        psn_buf_char(&reader->text, (char)next(reader));
        count++;
    }
    return count;
}

static bool read_number(struct psn_json_reader *reader)
{
    bool zero;

    psn_buf_reset(&reader->text);
    if (peek(reader) == '-')
        psn_buf_char(&reader->text, (char)next(reader));
    zero = peek(reader) == '0';
    if (zero)
        psn_buf_char(&reader->text, (char)next(reader));
    else if (read_digits(reader) == 0)
        return false;
    if (peek(reader) == '.') {
        psn_buf_char(&reader->text, (char)next(reader));
        if (read_digits(reader) == 0)
            return false;
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        psn_buf_char(&reader->text, (char)next(reader));
        if (peek(reader) == '+' || peek(reader) == '-')
            psn_buf_char(&reader->text, (char)next(reader));
        if (read_digits(reader) == 0)
            return false;
    }
    return !reader->text.failed;
}

static bool read_word(struct psn_json_reader *reader, const char *word)
{
    for (; *word; word++)
        if (next(reader) != *word)
            return false;
    return true;
}

static enum psn_json_token open_level(struct psn_json_reader *reader, char bracket)
{
    if (reader->depth == PSN_JSON_DEPTH)
        return malformed(reader);
    reader->open[reader->depth++] = bracket;
    reader->is_first = true;
    reader->wants_value = false;
    (void)next(reader);
    return bracket == '{' ? PSN_JSON_OBJECT : PSN_JSON_ARRAY;
}

static enum psn_json_token read_value(struct psn_json_reader *reader)
{
    int c = skip_blanks(reader);

    if (c == '{' || c == '[')
        return open_level(reader, (char)c);
    reader->wants_value = false;
    if (c == '"') {
        (void)next(reader);
        return read_string(reader) ? PSN_JSON_STRING : malformed(reader);
    }
    if (c == 't')
        return read_word(reader, "true") ? PSN_JSON_TRUE : malformed(reader);
    if (c == 'f')
        return read_word(reader, "false") ? PSN_JSON_FALSE : malformed(reader);
    if (c == 'n')
        return read_word(reader, "null") ? PSN_JSON_NULL : malformed(reader);
    return read_number(reader) ? PSN_JSON_NUMBER : malformed(reader);
}

static enum psn_json_token read_name(struct psn_json_reader *reader)
{
    if (skip_blanks(reader) != '"')
        return malformed(reader);
    (void)next(reader);
    if (!read_string(reader) || skip_blanks(reader) != ':')
        return malformed(reader);
    (void)next(reader);
    reader->wants_value = true;
    return PSN_JSON_NAME;
}

static enum psn_json_token close_level(struct psn_json_reader *reader)
{
    (void)next(reader);
    reader->is_first = false;
    return reader->open[--reader->depth] == '{' ? PSN_JSON_OBJECT_END
                                                : PSN_JSON_ARRAY_END;
}

enum psn_json_token psn_json_next(struct psn_json_reader *reader)
{
    bool in_object = reader->depth && reader->open[reader->depth - 1] == '{';
    int c;

    if (reader->rc)
        return PSN_JSON_FAILED;
    if (reader->wants_value)
        return read_value(reader);
    c = skip_blanks(reader);
    if (reader->depth == 0)
        return c == PSN_NO_CHARACTER && !reader->characters.rc ? PSN_JSON_END
                                                               : malformed(reader);
    if (c == (in_object ? '}' : ']'))
        return close_level(reader);
    if (!reader->is_first) {
        if (c != ',')
            return malformed(reader);
        (void)next(reader);
    }
    reader->is_first = false;
    return in_object ? read_name(reader) : read_value(reader);
}

void psn_json_skip(struct psn_json_reader *reader, enum psn_json_token token)
{
    size_t above = reader->depth - 1;

    if (token != PSN_JSON_OBJECT && token != PSN_JSON_ARRAY)
        return;
    while (reader->depth > above && token != PSN_JSON_FAILED)
        token = psn_json_next(reader);
}
