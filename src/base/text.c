#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/auto.h"
#include "base/i18n.h"

enum {
    CHARACTER_MAX = 4 /* bytes. A text that ends with NUL has no character beyond it */
};

size_t psn_text_decode(const char *bytes, size_t size, uint32_t *ret_point)
{
    const unsigned char *at = (const unsigned char *)bytes;
    static const uint32_t least[] = { 0x80, 0x800, 0x10000 }; /* of 2, 3, 4 bytes */
    size_t length;
    uint32_t point;

    if (at[0] < 0x80) {
        *ret_point = at[0];
        return 1;
    }
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (length > size)
        return 0;
    point = at[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (at[i] & 0x3f);
    }
    if (point < least[length - 2] || point > 0x10ffff ||
        (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *ret_point = point;
    return length;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Characters that move the cursor, hide, or reorder what stands around them. */
static bool is_hostile(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x00ad ||
           point == 0x061c || point == 0x180e || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) ||
           point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb) ||
           (point >= 0xe0000 && point <= 0xe0fff);
}

bool psn_text_is_utf8(const char *bytes, size_t size)
{
    uint32_t point;

    for (size_t i = 0, step; i < size; i += step) {
        step = psn_text_decode(bytes + i, size - i, &point);
        if (step == 0 || point == 0)
            return false;
    }
    return true;
}

bool psn_text_is_plain(const char *bytes, size_t size)
{
    uint32_t point;

    for (size_t i = 0, step; i < size; i += step) {
        step = psn_text_decode(bytes + i, size - i, &point);
        if (step == 0 || is_hostile(point))
            return false;
    }
    return true;
}

void psn_text_cut_utf8(char *text)
{
    size_t size = strlen(text);
    size_t start = size;
    uint32_t point;

    while (start > 0 && is_continuation(text[start - 1]))
        start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xc0)
        start--;
    if (psn_text_decode(text + start, CHARACTER_MAX, &point) != size - start)
        text[start] = '\0';
}

void psn_text_mask(char *text)
{
    const char *at = text;
    uint32_t point;

    while (*at) {
        size_t step = psn_text_decode(at, CHARACTER_MAX, &point);

        if (step == 0 || is_hostile(point)) {
            *text++ = '?';
            at += step ? step : 1;
        } else {
            memmove(text, at, step);
            text += step;
            at += step;
        }
    }
    *text = '\0';
}

/* How many bytes from here on are plain: printable, and each a character and a column. */
static size_t plain_run(const char *bytes, size_t size)
{
    size_t run = 0;

    while (run < size && bytes[run] >= ' ' && bytes[run] <= '~')
        run++;
    return run;
}

void psn_text_escape(struct psn_buf *out, const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    uint32_t point;

    for (size_t i = 0, step; i < size; i += step) {
        step = plain_run(bytes + i, size - i);
        if (step) {
            psn_buf_bytes(out, bytes + i, step);
            continue;
        }
        step = psn_text_decode(bytes + i, size - i, &point);
        if (step == 0) {
            psn_buf_format(out, "\\x%02x", at[i]);
            step = 1;
        } else if (!is_hostile(point)) {
            psn_buf_bytes(out, bytes + i, step);
        } else if (point < 0x80) {
            psn_buf_format(out, "\\x%02x", point);
        } else {
            psn_buf_format(out, "\\u{%04x}", point);
        }
    }
}

size_t psn_text_gap(const char *at, size_t left)
{
    static const struct {
        char bytes[4];
        size_t size;
    } wide[] = { { "\302\240", 2 },     { "\342\200\220", 3 }, { "\342\200\221", 3 },
                 { "\342\200\222", 3 }, { "\342\200\223", 3 }, { "\342\200\224", 3 },
                 { "\342\200\257", 3 } };

    if (left > 0 && at[0] && strchr(" -\n\r\t", at[0]))
        return 1;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (wide[i].size <= left && memcmp(at, wide[i].bytes, wide[i].size) == 0)
            return wide[i].size;
    return 0;
}

char *psn_text_copy(const char *text, char *out, size_t size)
{
    size_t length = strnlen(text, size - 1);

    memcpy(out, text, length);
    out[length] = '\0';
    return out;
}

enum psn_code psn_text_keep(const char *text, char **ret_copy, struct psn_error *err)
{
    char *copy = strdup(text);

    if (!copy)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_copy = copy;
    return PSN_OK;
}

/* Most texts are plain already. */
const char *psn_text_shown(const char *text, char *out, size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init((size_t)6 * PSN_ERROR_MESSAGE_MAX);
    size_t length = strnlen(text, PSN_ERROR_MESSAGE_MAX);

    if (length < PSN_ERROR_MESSAGE_MAX && plain_run(text, length) == length)
        return psn_text_copy(text, out, size);
    if (length == PSN_ERROR_MESSAGE_MAX)
        for (int i = 0; i < 3 && is_continuation(text[length]); i++)
            length--;
    psn_text_escape(&buf, text, length);
    psn_text_copy(psn_buf_str(&buf), out, size);
    psn_text_cut_utf8(out);
    return out;
}

const char *psn_text_quoted(const char *text, char *out, size_t size)
{
    size_t used = 0;

    out[used++] = '\'';
    for (; *text && used + sizeof "'\\''" < size; text++) {
        if (*text == '\'')
            used += (size_t)snprintf(out + used, size - used, "'\\''");
        else
            out[used++] = *text;
    }
    out[used++] = '\'';
    out[used] = '\0';
    return out;
}

size_t psn_text_columns(const char *text)
{
    size_t columns = 0;
    uint32_t point;

    while (*text) {
        size_t step = plain_run(text, SIZE_MAX);
        int width;

        if (step) {
            text += step;
            columns += step;
            continue;
        }
        step = psn_text_decode(text, CHARACTER_MAX, &point);
        width = step ? wcwidth((wchar_t)point) : 1;
        columns += width < 0 ? 1 : (size_t)width;
        text += step ? step : 1;
    }
    return columns;
}

void psn_text_lower(char *text)
{
    for (; *text; text++)
        if (psn_text_is_upper(*text))
            *text = (char)(*text - 'A' + 'a');
}

bool psn_text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool psn_text_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

bool psn_text_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool psn_text_glob(const char *glob, const char *text)
{
    const char *star = NULL;
    const char *resume = NULL;

    while (*text) {
        if (*glob == '*') {
            star = glob++;
            resume = text;
        } else if (*glob == '?' || *glob == *text) {
            glob++;
            text++;
        } else if (star) {
            glob = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

bool psn_text_parse_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        uint64_t digit;

        if (!psn_text_is_digit(*text))
            return false;
        digit = (uint64_t)(*text - '0');
        if (value > (max - digit) / 10 || digit > max)
            return false;
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

bool psn_text_parse_duration(const char *text, int64_t max_s, int64_t *ret_s)
{
    char number[24];
    size_t length = strlen(text);
    uint64_t unit = 1;
    uint64_t value;

    if (length == 0 || length >= sizeof number)
        return false;
    switch (text[length - 1]) {
    case 's':
        break;
    case 'm':
        unit = 60;
        break;
    case 'h':
        unit = 3600;
        break;
    case 'd':
        unit = 86400;
        break;
    default:
        length++;
    }
    memcpy(number, text, length - 1);
    number[length - 1] = '\0';
    if (!psn_text_parse_u64(number, (uint64_t)max_s / unit, &value))
        return false;
    *ret_s = (int64_t)(value * unit);
    return true;
}
