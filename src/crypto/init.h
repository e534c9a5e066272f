#ifndef PSN_CRYPTO_INIT_H
#define PSN_CRYPTO_INIT_H

#include "passation/error.h"

/* Makes libsodium ready. To be called before anything else of crypto/ and age/; calling
 * it again costs nothing. E_UNEXPECTED if the system gives no random numbers. */
PSN_MUST_CHECK enum psn_code psn_crypto_init(struct psn_error *err);

#endif
