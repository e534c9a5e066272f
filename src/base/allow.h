#ifndef PSN_BASE_ALLOW_H
#define PSN_BASE_ALLOW_H

#include <stdbool.h>

#include "passation/error.h"

/*
 * A failure that is an answer: what a call ended with, unless that is the one that is
 * allowed. Then OK, and err, which held nothing before the call, is clear again.
 *
 *     rc = psn_allow(PSN_E_NOT_FOUND, psn_role_read(vault, address, &row, err), &is_new,
 *                    err);
 *
 * ret_so tells whether it was that failure; NULL: it makes no difference.
 */
PSN_MUST_CHECK static inline enum psn_code psn_allow(enum psn_code allowed,
                                                     enum psn_code rc, bool *ret_so,
                                                     struct psn_error *err)
{
    if (ret_so)
        *ret_so = rc == allowed;
    if (rc != allowed)
        return rc;
    if (err && err->code == allowed)
        psn_error_clear(err);
    return PSN_OK;
}

#endif
