#include <string.h>

#include "age/armor.h"
#include "age/reader.h"
#include "base/stream.h"
#include "fuzz/target.h"

enum {
    BYTES_MAX = 1 << 20
};

/* The text without carriage returns and blanks around it. */
static void normalize(const uint8_t *bytes, size_t size, struct psn_buf *out)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != '\r' || i + 1 == size || bytes[i + 1] != '\n')
            psn_buf_char(out, (char)bytes[i]);
    while (out->size > 0 && strchr(" \t\r\n", out->data[out->size - 1]))
        out->size--;
}

/* Whatever is accepted is, but for white space around it and the kind of line ends, what
 * would be written for the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_stream_memory memory = { bytes, size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    PSN_AUTO(psn_age_reader) *reader = NULL;
    PSN_AUTO_RELEASE(psn_buf) again = psn_buf_init(BYTES_MAX);
    PSN_AUTO_RELEASE(psn_buf) given = psn_buf_init(BYTES_MAX);
    struct psn_sink to = psn_sink_buf(&again);
    struct psn_age_armorer armorer;
    struct psn_sink sink;
    static uint8_t out[BYTES_MAX];
    const char *start;
    size_t got;

    if (!psn_age_looks_armored(bytes, size) ||
        psn_age_reader_new(&source, 0, &reader, NULL) ||
        psn_age_reader_fill(reader, out, sizeof out, &got, NULL))
        return 0;
    sink = psn_age_armor_sink(&armorer, &to);
    MUST(got == 0 || !sink.write(sink.self, out, got, NULL));
    MUST(!psn_age_armor_finish(&armorer, NULL));
    normalize(bytes, size, &given);
    start = strstr(psn_buf_str(&given), "-----");
    MUST(start);
    got = given.size - (size_t)(start - psn_buf_str(&given));
    MUST(again.size == got + 1 && memcmp(again.data, start, got) == 0);
    return 0;
}
