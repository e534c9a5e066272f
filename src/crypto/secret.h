#ifndef PSN_CRYPTO_SECRET_H
#define PSN_CRYPTO_SECRET_H

#include "base/auto.h"
#include "passation/secret.h"

PSN_DEFINE_AUTO(psn_secret)

#endif
