/*
 * The vault: its store cannot read or write, and records that this version would not
 * write. One is cut, or a field of it is no text, no number, or absent: seals keep
 * everybody else from it; a newer version may have written it, or a flaw.
 */
#include "core/record.h"
#include "fault/sweep.h"
#include "store/store.h"

/* --- the store --- */

/* One function of it, by its parameters and arguments: what libc and SQLite do beneath it
 * is swept as well, but most of what it reads is in memory. */
#define FAILS(name, parameters, arguments)                              \
    enum psn_code __real_##name parameters;                             \
    enum psn_code __wrap_##name parameters;                             \
    enum psn_code __wrap_##name parameters                              \
    {                                                                   \
        if (sweep_strikes(SWEEP_STORE))                                 \
            return psn_fail(err, PSN_E_IO, "the vault cannot be read"); \
        return __real_##name arguments;                                 \
    }

FAILS(psn_store_begin,
      (struct psn_store * store, enum psn_store_mode mode, struct psn_buf *root,
       struct psn_error *err),
      (store, mode, root, err))
FAILS(psn_store_find,
      (struct psn_store * store, unsigned table, const uint8_t *key, size_t size,
       struct psn_store_row *row, bool *ret_found, struct psn_error *err),
      (store, table, key, size, row, ret_found, err))
FAILS(psn_store_get,
      (struct psn_store * store, unsigned table, const uint8_t *key, size_t size,
       struct psn_store_row *row, struct psn_error *err),
      (store, table, key, size, row, err))
FAILS(psn_store_put,
      (struct psn_store * store, unsigned table, const struct psn_store_row *row,
       struct psn_error *err),
      (store, table, row, err))
FAILS(psn_store_delete,
      (struct psn_store * store, unsigned table, const uint8_t *key, size_t size,
       struct psn_error *err),
      (store, table, key, size, err))
FAILS(psn_store_scan_open,
      (struct psn_store * store, unsigned table, const uint8_t *prefix, size_t size,
       struct psn_store_scan **ret_scan, struct psn_error *err),
      (store, table, prefix, size, ret_scan, err))
FAILS(psn_store_scan_next,
      (struct psn_store_scan * scan, struct psn_store_row *row, bool *ret_found,
       struct psn_error *err),
      (scan, row, ret_found, err))
FAILS(psn_store_scan_read,
      (struct psn_store_scan * scan, size_t rows_max, size_t bytes_max,
       struct psn_store_span *span, struct psn_error *err),
      (scan, rows_max, bytes_max, span, err))
FAILS(psn_store_journal_append,
      (struct psn_store * store, const uint8_t chain[PSN_STORE_CHAIN_SIZE],
       const struct psn_store_entry *entry, struct psn_error *err),
      (store, chain, entry, err))
FAILS(psn_store_journal_get,
      (struct psn_store * store, const uint8_t chain[PSN_STORE_CHAIN_SIZE],
       uint64_t number, struct psn_store_entry *entry, struct psn_error *err),
      (store, chain, number, entry, err))

/* --- records --- */

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
