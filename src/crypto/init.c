#include "crypto/init.h"

#include <sodium.h>

#include "base/i18n.h"

enum psn_code psn_crypto_init(struct psn_error *err)
{
    /* 1 means that it was done before. */
    if (sodium_init() < 0)
        return psn_fail(err, PSN_E_UNEXPECTED,
                        _("libsodium does not start: no source of random numbers"));
    return PSN_OK;
}
