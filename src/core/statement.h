#ifndef PSN_CORE_STATEMENT_H
#define PSN_CORE_STATEMENT_H

#include "core/vault.h"
#include "passation/journal.h"

/* Signed texts that tell journal heads: passation/journal.h has their form. */
enum {
    PSN_STATEMENT_MAX = 4096, /* of a key change, with its NUL */
};

struct psn_key_change {
    const struct psn_secret *old_seed;
    const struct psn_secret *old_scalar;
    const struct psn_secret *new_seed;
    const struct psn_secret *new_scalar;
};

/* Inside a transaction: appends the statement that the one key follows the other, signed
 * by both. */
PSN_MUST_CHECK enum psn_code psn_statement_of_change(struct psn_vault *vault,
                                                     const struct psn_key_change *change,
                                                     struct psn_buf *out,
                                                     struct psn_error *err);

#endif
