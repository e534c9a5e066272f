#ifndef PSN_AGE_WRAP_H
#define PSN_AGE_WRAP_H

#include <stdint.h>

#include "age/header.h"
#include "base/buf.h"
#include "passation/error.h"
#include "passation/secret.h"

/* How a file key goes into a stanza and comes out of it, one pair of functions a type. */
enum {
    PSN_AGE_FILE_KEY_SIZE = 16,
    PSN_AGE_POINT_SIZE = 32,
};

enum psn_age_unwrapped {
    PSN_AGE_UNWRAPPED, /* the file key is there */
    PSN_AGE_NOT_MINE,  /* another type, or for somebody else */
    PSN_AGE_MALFORMED, /* a share that no honest sender makes */
};

/* Appends an X25519 stanza. E_INVALID if the recipient is a point of low order. */
PSN_MUST_CHECK enum psn_code psn_age_wrap_x25519(const uint8_t recipient[],
                                                 const struct psn_secret *file_key,
                                                 struct psn_buf *header,
                                                 struct psn_error *err);

/* Fills file_key, of PSN_AGE_FILE_KEY_SIZE. scalar is the identity's. */
enum psn_age_unwrapped psn_age_unwrap_x25519(const struct psn_age_stanza *stanza,
                                             const struct psn_secret *scalar,
                                             struct psn_secret *file_key);

/* The same for an Ed25519 key of OpenSSH; the identity is its seed. */
PSN_MUST_CHECK enum psn_code psn_age_wrap_ssh(const uint8_t recipient[],
                                              const struct psn_secret *file_key,
                                              struct psn_buf *header,
                                              struct psn_error *err);
enum psn_age_unwrapped psn_age_unwrap_ssh(const struct psn_age_stanza *stanza,
                                          const struct psn_secret *seed,
                                          struct psn_secret *file_key);

/* Appends the one scrypt stanza. E_NOMEM if the machine lacks 2^work_factor KiB. */
PSN_MUST_CHECK enum psn_code psn_age_wrap_scrypt(const struct psn_secret *passphrase,
                                                 unsigned work_factor,
                                                 const struct psn_secret *file_key,
                                                 struct psn_buf *header,
                                                 struct psn_error *err);

/* Tries a passphrase, at most 2^work_factor_max. Fails with E_NOMEM or, beyond the
 * maximum, E_INTEGRITY; else *ret tells. */
PSN_MUST_CHECK enum psn_code psn_age_unwrap_scrypt(const struct psn_age_stanza *stanza,
                                                   const struct psn_secret *passphrase,
                                                   unsigned work_factor_max,
                                                   struct psn_secret *file_key,
                                                   enum psn_age_unwrapped *ret,
                                                   struct psn_error *err);

#endif
