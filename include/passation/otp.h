#ifndef PASSATION_OTP_H
#define PASSATION_OTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/role.h"
#include "passation/secret.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The second factor: codes of the time out of a secret of the type "totp" (RFC 6238), and
 * the codes of a secret of the type "recovery", each of which works once. Showing one is
 * a reveal of its secret, and journalled as such before anybody sees it.
 */

struct psn_otp {
    struct psn_secret *code; /* digits */
    struct psn_secret *next; /* the one that follows it */
    int64_t from_s;          /* the code's time, since 1970 … */
    int64_t until_s;         /* … and the first second of the next one's */
    int64_t now_s;           /* by this computer's clock, which must be right */
    unsigned digits;
    unsigned period;       /* s */
    const char *algorithm; /* "SHA1", "SHA256" or "SHA512" */
};
PSN_API void psn_otp_release(struct psn_otp *otp);

/* The code now of what was given as a totp secret: a seed in base32, or an otpauth URI.
 * Journals nothing: for a value that was revealed. E_INVALID if it is neither. */
PSN_API PSN_MUST_CHECK enum psn_code psn_otp_of(const struct psn_secret *value,
                                                int64_t now_s, struct psn_otp *ret_otp,
                                                struct psn_error *err);

/* The code now of a role's secret. Its exposure and its journal entry are durable before
 * this returns; none of them is written if there is no code to show. E_NOT_FOUND: no such
 * role or secret, or it was removed; E_INVALID: it holds no seed. The caller releases the
 * result. */
PSN_API PSN_MUST_CHECK enum psn_code psn_otp_reveal(struct psn_vault *vault,
                                                    const char *address,
                                                    const char *label, enum psn_how how,
                                                    struct psn_otp *ret_otp,
                                                    struct psn_error *err);

/* --- recovery codes --- */

/* The codes of a value stand one a line; commas, semicolons, tabs and two or more blanks
 * part them, too. One blank and hyphens belong to a code. */
struct psn_recovery_code {
    size_t number; /* from 1, in the order in which they were given */
    size_t count;  /* of all */
    size_t left;   /* that are not used yet, this one not counted */
    struct psn_secret *value;
};

/* Takes the next code that is not used. It is marked as used, and this is durable with
 * the exposure and the journal entry, before its value is returned: after a crash a code
 * may be marked that nobody saw, but none is given out twice. E_NOT_FOUND: all of them
 * are used, or no such secret; E_INVALID: it is of another type. The caller frees the
 * value. */
PSN_API PSN_MUST_CHECK enum psn_code psn_recovery_take(
    struct psn_vault *vault, const char *address, const char *label, enum psn_how how,
    struct psn_recovery_code *ret_code, struct psn_error *err);

/* Marks a code (its number, from 1) as used, or as not used after all. Reveals nothing;
 * journalled. *ret_code has no value. E_NOT_FOUND: there is no such code; E_CONFLICT: it
 * is marked so already. */
PSN_API PSN_MUST_CHECK enum psn_code psn_recovery_mark(
    struct psn_vault *vault, const char *address, const char *label, size_t number,
    bool used, struct psn_recovery_code *ret_code, struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
