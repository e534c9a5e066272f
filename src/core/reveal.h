#ifndef PSN_CORE_REVEAL_H
#define PSN_CORE_REVEAL_H

#include "core/vault.h"
#include "passation/role.h"

/* A secret's value that leaves the vault, and to whom. */
struct psn_disclosure {
    const char *person; /* NULL: whose slot is in use */
    const char *client;
    const char *address;
    const char *label;
    uint64_t version;
    enum psn_how how;
    const char *text; /* more for the journal, or NULL: how it was revealed */
};

/* Inside a write: notes the exposure and its journal entry, and reads the value. Nobody
 * outside may see it before the transaction is durable. */
PSN_MUST_CHECK enum psn_code psn_disclose(struct psn_vault *vault,
                                          const struct psn_disclosure *disclosure,
                                          struct psn_secret **ret_value,
                                          struct psn_error *err);

#endif
