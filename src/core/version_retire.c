#include <string.h>

#include "core/counters.h"
#include "core/item.h"
#include "core/role.h"
#include "core/version.h"

/* Numbers of what leaves a vault, which nothing that comes later may have. */

struct retiring {
    struct psn_vault *vault;
    const char *client; /* NULL: all */
    const struct psn_role_row *role;
    uint64_t highest;
};

static void raise(struct retiring *retiring, uint64_t version)
{
    if (version > retiring->highest)
        retiring->highest = version;
}

/* One that was made ready and given up has a higher number than the one in force. */
static enum psn_code add_item(void *arg, const struct psn_secret_info *info,
                              struct psn_error *err)
{
    struct retiring *retiring = arg;
    uint64_t next = 1;
    enum psn_code rc =
        psn_version_next(retiring->vault, retiring->role->client, info->address,
                         info->label, info->version, &next, err);

    raise(retiring, next - 1);
    return rc;
}

static enum psn_code add_role(void *arg, const struct psn_role_row *row,
                              struct psn_error *err)
{
    struct retiring *retiring = arg;

    if (retiring->client && strcmp(row->client, retiring->client) != 0)
        return PSN_OK;
    retiring->role = row;
    raise(retiring, row->rotation.last);
    return psn_item_each_all(retiring->vault, row->address, add_item, retiring, err);
}

enum psn_code psn_versions_retire(struct psn_vault *from, const char *client,
                                  const char *address, struct psn_vault *to,
                                  struct psn_error *err)
{
    struct retiring retiring = { .vault = from, .client = client };
    struct psn_role_row row;
    enum psn_code rc;

    if (address) {
        rc = psn_role_read(from, address, &row, err);
        if (!rc)
            rc = add_role(&retiring, &row, err);
    } else {
        rc = psn_role_scan(from, NULL, 0, add_role, &retiring, err);
    }
    return rc ? rc : psn_versions_keep(to, retiring.highest, err);
}
