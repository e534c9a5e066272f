#include "core/restored_row.h"

#include <string.h>

#include "core/own_key.h"
#include "core/restored.h"
#include "core/unstated.h"

struct carrying {
    struct psn_vault *from;
    struct psn_vault *to;
    struct psn_row_key left[2]; /* of the own keys' table: this vault's alone */
};

static bool is_left(const struct carrying *at, const struct psn_store_row *row)
{
    for (size_t i = 0; i < sizeof at->left / sizeof *at->left; i++)
        if (row->key_size == at->left[i].size &&
            memcmp(row->key, at->left[i].bytes, row->key_size) == 0)
            return true;
    return false;
}

static enum psn_code carry_row(const struct carrying *at, enum psn_table table,
                               const struct psn_store_row *there, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_row) here = psn_store_row_init();
    PSN_AUTO(psn_secret) *plain = NULL;
    struct psn_row_key key = { .size = there->key_size };
    bool found = false;
    enum psn_code rc = psn_store_find(at->to->store, table, there->key, there->key_size,
                                      &here, &found, err);

    if (rc || (found && here.revision >= there->revision))
        return rc;
    memcpy(key.bytes, there->key, there->key_size);
    rc = psn_row_open_secret(at->from, table, there, at->from->rows_key, &plain, err);
    return rc ? rc
              : psn_row_put(at->to, table, &key, found ? here.revision + 1 : 1,
                            at->to->rows_key, psn_secret_bytes(plain),
                            psn_secret_size(plain), err);
}

static enum psn_code carry_table(const struct carrying *at, enum psn_table table,
                                 struct psn_error *err)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    bool found = true;
    enum psn_code rc = psn_store_scan_open(at->from->store, table, NULL, 0, &scan, err);

    while (!rc && found) {
        rc = psn_store_scan_next(scan, &row, &found, err);
        if (!rc && found && !(table == PSN_TABLE_OWN_KEY && is_left(at, &row)))
            rc = carry_row(at, table, &row, err);
    }
    return rc;
}

enum psn_code psn_restored_rows(struct psn_vault *from, struct psn_vault *to,
                                struct psn_error *err)
{
    static const enum psn_table tables[] = { PSN_TABLE_OWN_KEY, PSN_TABLE_TRUST,
                                             PSN_TABLE_RECEIVED, PSN_TABLE_ACCESS };
    struct carrying at = { .from = from, .to = to };
    enum psn_code rc =
        psn_row_key_init(to, PSN_TABLE_OWN_KEY, PSN_RESTORED_NAME, &at.left[0], err);

    if (!rc)
        rc = psn_row_key_init(to, PSN_TABLE_OWN_KEY, PSN_UNSTATED_NAME, &at.left[1], err);
    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++)
        rc = carry_table(&at, tables[i], err);
    return rc;
}
