#ifndef PSN_CORE_ITEM_H
#define PSN_CORE_ITEM_H

#include "core/role.h"
#include "passation/role.h"

/* A secret's row under a label; inside a transaction, address in normal form. */
struct psn_item {
    struct psn_secret_info info;
    char client[PSN_CLIENT_ID_MAX];
    uint64_t revision;
};
PSN_MUST_CHECK enum psn_code psn_item_read(struct psn_vault *vault, const char *address,
                                           const char *label, struct psn_item *ret_item,
                                           struct psn_error *err);

/* The same as psn_secret_each(), inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_item_each(struct psn_vault *vault, const char *address,
                                           psn_secret_fn *each, void *arg,
                                           struct psn_error *err);

#endif
