#include "core/record.h"

#include <string.h>

#include "base/i18n.h"

enum {
    FIELD_HEAD = 6, /* tag and size */
};

void psn_record_begin(struct psn_buf *record)
{
    psn_buf_reset(record);
    psn_buf_u8(record, PSN_RECORD_FORMAT);
}

void psn_record_put_bytes(struct psn_buf *record, uint16_t tag, const void *bytes,
                          size_t size)
{
    psn_buf_u16(record, tag);
    psn_buf_u32(record, (uint32_t)size);
    psn_buf_bytes(record, bytes, size);
}

void psn_record_put_number(struct psn_buf *record, uint16_t tag, uint64_t value)
{
    if (value == 0)
        return;
    psn_buf_u16(record, tag);
    psn_buf_u32(record, 8);
    psn_buf_u64(record, value);
}

void psn_record_put_text(struct psn_buf *record, uint16_t tag, const char *text)
{
    if (text[0])
        psn_record_put_bytes(record, tag, text, strlen(text));
}

/* Inline, so that the size is known. */
static inline uint64_t read_number(const uint8_t *at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

/* No field twice. An earlier version wrote a role's last tag before others, so that their
 * order is not asked for where each is looked up anyway. */
static bool is_repeated(const struct psn_record *record, uint64_t tag, uint64_t last)
{
    return tag == 0 ||
           (tag < PSN_RECORD_INDEXED ? record->fields[tag].bytes != NULL : tag <= last);
}

enum psn_code psn_record_parse(const struct psn_buf *plain, uint16_t tag_max,
                               struct psn_record *ret_record, struct psn_error *err)
{
    uint64_t last = 0;
    size_t i = 1;

    *ret_record = (struct psn_record){ plain->data, plain->size, tag_max, { { 0 } } };
    if (plain->size == 0)
        return psn_fail(err, PSN_E_INTEGRITY, _("a record of the vault is empty"));
    if (plain->data[0] != PSN_RECORD_FORMAT)
        return psn_fail(err, PSN_E_TOO_NEW, _("a newer passation wrote this vault"));
    while (i < plain->size) {
        uint64_t tag;
        uint64_t size;

        if (plain->size - i < FIELD_HEAD)
            return psn_fail(err, PSN_E_INTEGRITY,
                            _("a record of the vault is malformed"));
        tag = read_number(plain->data + i, 2);
        size = read_number(plain->data + i + 2, 4);
        i += FIELD_HEAD;
        if (is_repeated(ret_record, tag, last) || size > plain->size - i)
            return psn_fail(err, PSN_E_INTEGRITY,
                            _("a record of the vault is malformed"));
        if (tag > tag_max)
            return psn_fail(err, PSN_E_TOO_NEW, _("a newer passation wrote this vault"));
        if (tag < PSN_RECORD_INDEXED)
            ret_record->fields[tag] = (struct psn_record_field){ plain->data + i, size };
        last = tag;
        i += size;
    }
    return PSN_OK;
}

bool psn_record_bytes(const struct psn_record *record, uint16_t tag,
                      const uint8_t **ret_bytes, size_t *ret_size)
{
    if (tag < PSN_RECORD_INDEXED) {
        *ret_bytes = record->fields[tag].bytes;
        *ret_size = record->fields[tag].size;
        return *ret_bytes != NULL;
    }
    for (size_t i = 1; i < record->size;) {
        uint64_t here = read_number(record->data + i, 2);
        uint64_t size = read_number(record->data + i + 2, 4);

        if (here == tag) {
            *ret_bytes = record->data + i + FIELD_HEAD;
            *ret_size = size;
            return true;
        }
        i += FIELD_HEAD + size;
    }
    *ret_bytes = NULL;
    *ret_size = 0;
    return false;
}

uint64_t psn_record_read_number(const struct psn_record *record, uint16_t tag)
{
    const uint8_t *bytes;
    size_t size;

    return psn_record_bytes(record, tag, &bytes, &size) && size == 8
               ? read_number(bytes, 8)
               : 0;
}

bool psn_record_read_text(const struct psn_record *record, uint16_t tag, char *out,
                          size_t size)
{
    const uint8_t *bytes;
    size_t length;

    (void)psn_record_bytes(record, tag, &bytes, &length);
    if (length >= size || (length && memchr(bytes, '\0', length)))
        return false;
    if (length)
        memcpy(out, bytes, length);
    out[length] = '\0';
    return true;
}

bool psn_record_take_text(const uint8_t **at, size_t *left, char *out, size_t size)
{
    const uint8_t *end = *left ? memchr(*at, '\0', *left) : NULL;
    size_t length = end ? (size_t)(end - *at) : 0;

    if (!end || length >= size)
        return false;
    memcpy(out, *at, length + 1);
    *at += length + 1;
    *left -= length + 1;
    return true;
}
