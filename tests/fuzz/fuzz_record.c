#include <string.h>

#include "core/record.h"
#include "fuzz/target.h"

enum {
    TAG_MAX = 23
};

static void read_field(const struct psn_record *record, const uint8_t *bytes, size_t size,
                       uint16_t tag)
{
    const uint8_t *field = NULL;
    size_t field_size = 0;
    char text[64];

    (void)psn_record_number(record, tag);
    if (psn_record_bytes(record, tag, &field, &field_size) && field_size)
        MUST(field >= bytes && field + field_size <= bytes + size);
    if (psn_record_text(record, tag, text, sizeof text))
        MUST(strlen(text) < sizeof text);
}

/* The plaintext of rows and journal entries: no field reaches out of the record. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_buf plain = psn_buf_init(1024 * 1024);
    struct psn_record record;

    psn_buf_bytes(&plain, bytes, size);
    if (psn_buf_check(&plain, NULL) == PSN_OK &&
        psn_record_parse(&plain, TAG_MAX, &record, NULL) == PSN_OK)
        for (int tag = 0; tag <= TAG_MAX + 1; tag++)
            read_field(&record, plain.data, plain.size, (uint16_t)tag);
    psn_buf_release(&plain);
    return 0;
}
