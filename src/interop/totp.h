#ifndef PSN_INTEROP_TOTP_H
#define PSN_INTEROP_TOTP_H

#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"

/*
 * One-time codes of the time (TOTP, RFC 6238 over RFC 4226), from what services give out:
 * a seed in base32, or an otpauth URI around one
 * (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
 */
enum psn_totp_hash {
    PSN_TOTP_SHA1,
    PSN_TOTP_SHA256,
    PSN_TOTP_SHA512,
};

struct psn_totp {
    struct psn_secret *key;
    enum psn_totp_hash hash;
    unsigned digits; /* 6 to 8 */
    unsigned period; /* s, 1 to 86400 */
};

/* Reads a seed (6 digits, 30 s, SHA-1), or a URI, which may say otherwise. E_INVALID for
 * anything else, also for codes by counter (hotp); the value is never repeated in the
 * message. The caller releases the result. */
PSN_MUST_CHECK enum psn_code psn_totp_parse(const struct psn_secret *value,
                                            struct psn_totp *ret_totp,
                                            struct psn_error *err);
void psn_totp_release(struct psn_totp *totp);

/* The code at a time (s since 1970, not before), as digits. The caller owns it.
 * E_UNEXPECTED without libcrypto, which SHA-1 is from. */
PSN_MUST_CHECK enum psn_code psn_totp_code(const struct psn_totp *totp, int64_t time_s,
                                           struct psn_secret **ret_code,
                                           struct psn_error *err);

/* "SHA1", "SHA256", "SHA512". */
const char *psn_totp_hash_name(enum psn_totp_hash hash);

#endif
