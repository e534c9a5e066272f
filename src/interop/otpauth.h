#ifndef PSN_INTEROP_OTPAUTH_H
#define PSN_INTEROP_OTPAUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "interop/entry.h"

/*
 * Writes into uri, an empty wiped buffer, what a password manager computes codes from:
 * the entry's password if that is an otpauth://totp/ URI, or such a URI around it if it
 * is a seed in base32 (RFC 4648; blanks and hyphens in it are free, as is its case), with
 * the title as the issuer and the usual 6 digits every 30 seconds. Nothing for entries of
 * other types, or for anything else.
 */
void psn_otpauth_uri(const struct psn_entry *entry, struct psn_buf *uri);

/* What stands in such a URI. */
struct psn_otpauth {
    const char *title;
    const char *user; /* or "" */
    const char *seed; /* in base32, seed_size bytes; blanks and hyphens are left out */
    size_t seed_size;
    unsigned period; /* s */
    unsigned digits;
    const char *hash; /* "SHA256" …; NULL: not said, which is SHA-1 */
};
/* Appends the URI; uri should be wiped. */
void psn_otpauth_write(const struct psn_otpauth *otp, struct psn_buf *uri);

/* True if the text is an otpauth://totp/ URI by its look. */
bool psn_otpauth_is_uri(const char *text, size_t size);
/* True if the text is a seed: base32, but for blanks and hyphens, and filled up with '='.
 */
bool psn_otpauth_is_seed(const char *text, size_t size);

#endif
