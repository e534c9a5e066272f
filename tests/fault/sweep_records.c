/*
 * Records that this version would not write: one is cut, or a field of it is no text, no
 * number, or absent. Seals keep everybody else from it; a newer version may have written
 * it, or a flaw.
 */
#include "core/record.h"
#include "fault/sweep.h"

enum {
    NO_TEXT_SIZE = 64 * 1024,
};

enum psn_code __real_psn_record_parse(const struct psn_buf *plain, uint16_t tag_max,
                                      struct psn_record *ret_record,
                                      struct psn_error *err);
enum psn_code __wrap_psn_record_parse(const struct psn_buf *plain, uint16_t tag_max,
                                      struct psn_record *ret_record,
                                      struct psn_error *err);

static const uint8_t no_text[NO_TEXT_SIZE];
static const uint8_t no_number[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void spoil(struct psn_record_field *field, int how)
{
    *field = (struct psn_record_field){ 0 };
    if (how == SWEEP_NO_TEXT)
        *field = (struct psn_record_field){ no_text, sizeof no_text };
    else if (how == SWEEP_NO_NUMBER)
        *field = (struct psn_record_field){ no_number, sizeof no_number };
}

/* Each of the places that read a record, and there each tag. */
enum psn_code __wrap_psn_record_parse(const struct psn_buf *plain, uint16_t tag_max,
                                      struct psn_record *ret_record,
                                      struct psn_error *err)
{
    uint64_t place = (uintptr_t)__builtin_return_address(0);
    struct psn_buf whole = { .data = plain->data, .size = plain->size };
    enum psn_code rc;

    if (sweep_strikes_at(SWEEP_RECORD, place) && whole.size)
        whole.size--;
    rc = __real_psn_record_parse(&whole, tag_max, ret_record, err);
    for (uint16_t tag = 1; !rc && tag <= tag_max && tag < PSN_RECORD_INDEXED; tag++) {
        int how = sweep_strikes_at(SWEEP_FIELD, place << 8 | tag);

        if (how)
            spoil(&ret_record->fields[tag], how);
    }
    return rc;
}
