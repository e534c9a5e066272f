#ifndef PSN_INTEROP_SSHSIG_H
#define PSN_INTEROP_SSHSIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/sign.h"
#include "passation/error.h"

/* OpenSSH's signatures of files (PROTOCOL.sshsig), ed25519 and sha512: what
 * ssh-keygen -Y sign makes and ssh-keygen -Y verify checks. */

#define PSN_SSHSIG_BEGIN "-----BEGIN SSH SIGNATURE-----\n"
#define PSN_SSHSIG_END   "-----END SSH SIGNATURE-----\n"

/* Appends the armored signature of a message to out. */
PSN_MUST_CHECK enum psn_code psn_sshsig_sign(const struct psn_secret *seed,
                                             const char *name_space, const void *message,
                                             size_t size, struct psn_buf *out,
                                             struct psn_error *err);

/* Checks the armored signature that armor begins with, and tells whose it is and where it
 * ends. E_INTEGRITY if it is malformed or does not hold. Whether the key is to be trusted
 * is for the caller to know. */
PSN_MUST_CHECK enum psn_code psn_sshsig_verify(const char *armor, size_t armor_size,
                                               const char *name_space,
                                               const void *message, size_t size,
                                               uint8_t ret_key[PSN_SIGN_PUBLIC_SIZE],
                                               size_t *ret_used, struct psn_error *err);

#endif
