#ifndef PSN_CORE_SAME_VALUE_H
#define PSN_CORE_SAME_VALUE_H

#include <stdbool.h>

#include "passation/secret.h"

/* Does who knows the one know the other? By type: of "totp" the seed counts, however it
 * is written (RFC 6238, otpauth URIs); of "recovery" one code in common is enough;
 * anything else is compared byte for byte. */
bool psn_value_is_known_by(const char *type, const struct psn_secret *known,
                           const struct psn_secret *value);

#endif
