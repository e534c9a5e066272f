#ifndef PSN_INTEROP_OTPAUTH_H
#define PSN_INTEROP_OTPAUTH_H

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

#endif
