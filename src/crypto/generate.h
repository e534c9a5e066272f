#ifndef PSN_CRYPTO_GENERATE_H
#define PSN_CRYPTO_GENERATE_H

#include "passation/error.h"
#include "passation/secret.h"

/* Secrets that a person may have to read aloud or type. All from the system's
 * generator, all without bias (rejection, never repair). */

enum {
    PSN_PASSWORD_GROUP = 5,
    PSN_PASSWORD_SIZE = 23,     /* 4 groups of 5 joined by '-' */
    PSN_PASSWORD_SIZE_MIN = 14, /* 70 bits: what no rule of OVH forces us below */
    PSN_PASSWORD_SIZE_MAX = 256,
    PSN_PASSPHRASE_WORDS = 9,     /* of 2048: 99 bits */
    PSN_PASSPHRASE_SIZE_MAX = 96, /* 9 words of at most 8 letters, joined by '-' */
    PSN_RECOVERY_SIZE = 34,       /* see psn_generate_recovery() */
};

/* A mailbox password: 20 of 57 characters without look-alikes (A-Z less I and O, a-z
 * less l, 2-9) in 4 groups joined by '-'; redrawn until it has an upper-case letter, a
 * lower-case letter and a digit. 116 bits; inside every documented rule of OVH. */
PSN_MUST_CHECK enum psn_code psn_generate_password(struct psn_secret **ret_password,
                                                   struct psn_error *err);

/* The same of another size, in groups of 5 (the last one may be of 1 to 6), for a service
 * that asks for more. E_POLICY below PSN_PASSWORD_SIZE_MIN or above
 * PSN_PASSWORD_SIZE_MAX. */
PSN_MUST_CHECK enum psn_code psn_generate_password_sized(size_t size,
                                                         struct psn_secret **ret_password,
                                                         struct psn_error *err);

/* Nine words of BIP-39's list in lower case, without accents, joined by '-'. language is
 * "fr" or anything else (English). */
PSN_MUST_CHECK enum psn_code psn_generate_passphrase(const char *language,
                                                     struct psn_secret **ret_passphrase,
                                                     struct psn_error *err);

/* A recovery code: 26 random characters of Crockford's base32 (130 bits) and two check
 * characters, in 7 groups of 4 joined by '-'. The check characters are the first ten
 * bits of BLAKE2b-256("passation recovery code 1" || the 26 characters, upper case). */
PSN_MUST_CHECK enum psn_code psn_generate_recovery(struct psn_secret **ret_code,
                                                   struct psn_error *err);

/* Normal form of a recovery code that a person typed: upper case, groups as above, O to
 * 0, I and L to 1, blanks and hyphens free. E_INVALID with advice if its length or check
 * characters are wrong: a slip of the pen (all but 1 in 1024), told apart from a wrong
 * code. */
PSN_MUST_CHECK enum psn_code psn_normalize_recovery(const struct psn_secret *typed,
                                                    struct psn_secret **ret_code,
                                                    struct psn_error *err);

/* E_POLICY unless a chosen passphrase is UTF-8 of at least 12 characters and zxcvbn
 * gives it at least 10^10 guesses. E_UNEXPECTED, never OK, if libzxcvbn cannot be used.
 * Runs a child process for a moment. */
PSN_MUST_CHECK enum psn_code psn_check_passphrase(const struct psn_secret *passphrase,
                                                  struct psn_error *err);

#endif
