#ifndef PSN_AGE_IDENTITY_H
#define PSN_AGE_IDENTITY_H

#include "passation/error.h"
#include "passation/secret.h"

/* age's X25519 identities (https://age-encryption.org/v1, C2SP age.md): the Bech32
 * forms AGE-SECRET-KEY-1… and age1…. */

enum {
    PSN_AGE_KEY_SIZE = 32,
    PSN_AGE_RECIPIENT_MAX = 72,     /* "age1" and 58 characters, NUL */
    PSN_AGE_IDENTITY_TEXT_SIZE = 74 /* "AGE-SECRET-KEY-1" and 58 characters */
};

/* Reads the one identity of a file's content as age-keygen writes it (comments and blank
 * lines allowed). E_INVALID if there is none, more than one, or it is mistyped. The
 * result is the 32-byte X25519 scalar. */
PSN_MUST_CHECK enum psn_code psn_age_identity_parse(const struct psn_secret *text,
                                                    struct psn_secret **ret_scalar,
                                                    struct psn_error *err);

/* The lines of an identity file, one after the other. */
struct psn_age_lines {
    const char *at;
    const char *end;
    size_t number; /* of the line that was read last */
    size_t found;  /* identities, those that are passed over included */
};

struct psn_age_lines psn_age_lines_of(const struct psn_secret *text);

/* Reads a line: *ret_scalar is NULL after a comment, a blank line, or a post-quantum
 * identity, which is passed over. E_INVALID for anything else. */
PSN_MUST_CHECK enum psn_code psn_age_lines_next(struct psn_age_lines *lines,
                                                struct psn_secret **ret_scalar,
                                                struct psn_error *err);

/* The error of a file without any. */
enum psn_code psn_age_no_identity(struct psn_error *err);

/* A new identity's scalar. */
PSN_MUST_CHECK enum psn_code psn_age_identity_new(struct psn_secret **ret_scalar,
                                                  struct psn_error *err);

/* The identity as age-keygen writes it: PSN_AGE_IDENTITY_TEXT_SIZE characters. */
PSN_MUST_CHECK enum psn_code psn_age_identity_text(const struct psn_secret *scalar,
                                                   struct psn_secret **ret_text,
                                                   struct psn_error *err);

/* The recipient line "age1…" of a scalar. */
PSN_MUST_CHECK enum psn_code psn_age_recipient(const struct psn_secret *scalar,
                                               char ret_text[PSN_AGE_RECIPIENT_MAX],
                                               struct psn_error *err);

#endif
