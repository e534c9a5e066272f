#include <string.h>

#include "core/own_key.h"
#include "core/restored.h"
#include "core/restored_part.h"
#include "core/unstated.h"

/* Rows of the own keys' table that are this vault's alone. */
enum {
    ALONE = 2
};

static bool is_alone(const struct psn_row_key alone[ALONE],
                     const struct psn_store_row *row)
{
    for (size_t i = 0; i < ALONE; i++)
        if (row->key_size == alone[i].size &&
            memcmp(row->key, alone[i].bytes, row->key_size) == 0)
            return true;
    return false;
}

enum psn_code psn_restored_put_row(const struct psn_carrying *at, enum psn_table table,
                                   const struct psn_store_row *there,
                                   const struct psn_secret *const keys[2],
                                   uint64_t revision, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    struct psn_row_key key = { .size = there->key_size };
    enum psn_code rc = psn_row_open_secret(at->from, table, there, keys[0], &plain, err);

    memcpy(key.bytes, there->key, there->key_size);
    return rc ? rc
              : psn_row_put(at->to, table, &key, revision, keys[1],
                            psn_secret_bytes(plain), psn_secret_size(plain), err);
}

static enum psn_code carry_row(const struct psn_carrying *at, enum psn_table table,
                               const struct psn_store_row *there, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_row) here = psn_store_row_init();
    const struct psn_secret *const keys[] = { at->from->rows_key, at->to->rows_key };
    bool found = false;
    enum psn_code rc = psn_store_find(at->to->store, table, there->key, there->key_size,
                                      &here, &found, err);

    if (rc || (found && here.revision >= there->revision))
        return rc;
    return psn_restored_put_row(at, table, there, keys, found ? here.revision + 1 : 1,
                                err);
}

static enum psn_code carry_table(const struct psn_carrying *at, enum psn_table table,
                                 const struct psn_row_key alone[ALONE],
                                 struct psn_error *err)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    bool found = true;
    enum psn_code rc = psn_store_scan_open(at->from->store, table, NULL, 0, &scan, err);

    while (!rc && found) {
        rc = psn_store_scan_next(scan, &row, &found, err);
        if (!rc && found && !(table == PSN_TABLE_OWN_KEY && is_alone(alone, &row)))
            rc = carry_row(at, table, &row, err);
    }
    return rc;
}

enum psn_code psn_restored_rows(const struct psn_carrying *at, struct psn_error *err)
{
    static const enum psn_table tables[] = { PSN_TABLE_OWN_KEY, PSN_TABLE_TRUST,
                                             PSN_TABLE_RECEIVED, PSN_TABLE_ACCESS };
    struct psn_row_key alone[ALONE];
    enum psn_code rc =
        psn_row_key_init(at->to, PSN_TABLE_OWN_KEY, PSN_RESTORED_NAME, &alone[0], err);

    if (!rc)
        rc = psn_row_key_init(at->to, PSN_TABLE_OWN_KEY, PSN_UNSTATED_NAME, &alone[1],
                              err);
    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++)
        rc = carry_table(at, tables[i], alone, err);
    return rc;
}
