#include "interop/xml_text.h"

#include <string.h>

#include "base/text.h"

/* XML 1.0, production 2. */
static bool is_char(uint32_t point)
{
    return point == '\t' || point == '\n' || point == '\r' ||
           (point >= 0x20 && point < 0xd800) || (point >= 0xe000 && point <= 0xfffd) ||
           point >= 0x10000;
}

bool psn_xml_can_hold(const char *bytes, size_t size)
{
    uint32_t point = 0;

    for (size_t i = 0, step; i < size; i += step) {
        step = psn_text_decode(bytes + i, size - i, &point);
        if (step == 0 || !is_char(point))
            return false;
    }
    return true;
}

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    case '\r': /* parsers make a line end of it */
        return "&#13;";
    default:
        return NULL;
    }
}

void psn_xml_text(struct psn_buf *out, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char *entity = entity_of(bytes[i]);

        if (entity)
            psn_buf_text(out, entity);
        else
            psn_buf_char(out, bytes[i]);
    }
}

void psn_xml_element(struct psn_buf *out, const char *name, const char *text)
{
    psn_buf_format(out, "<%s>", name);
    psn_xml_text(out, text, strlen(text));
    psn_buf_format(out, "</%s>\n", name);
}
