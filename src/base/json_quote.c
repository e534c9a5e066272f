#include "base/json_quote.h"

#include "base/text.h"

static void put_escaped(struct psn_buf *out, uint32_t point)
{
    if (point == '\n')
        psn_buf_text(out, "\\n");
    else if (point == '\t')
        psn_buf_text(out, "\\t");
    else if (point == '\r')
        psn_buf_text(out, "\\r");
    else if (point < 0x10000)
        psn_buf_format(out, "\\u%04x", (unsigned)point);
    else
        psn_buf_format(out, "\\u%04x\\u%04x",
                       (unsigned)(0xd800 + ((point - 0x10000) >> 10)),
                       (unsigned)(0xdc00 + ((point - 0x10000) & 0x3ff)));
}

void psn_json_quote(struct psn_buf *out, const char *bytes, size_t size)
{
    uint32_t point = 0;

    psn_buf_char(out, '"');
    for (size_t i = 0, step; i < size; i += step) {
        step = psn_text_decode(bytes + i, size - i, &point);
        if (step == 0) {
            psn_buf_text(out, "\xef\xbf\xbd"); /* U+FFFD */
            step = 1;
        } else if (point == '"' || point == '\\') {
            psn_buf_char(out, '\\');
            psn_buf_char(out, bytes[i]);
        } else if (!psn_text_is_plain(bytes + i, step)) {
            put_escaped(out, point);
        } else {
            psn_buf_bytes(out, bytes + i, step);
        }
    }
    psn_buf_char(out, '"');
}
