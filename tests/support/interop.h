#ifndef PSN_TEST_INTEROP_H
#define PSN_TEST_INTEROP_H

#include "passation/error.h"

/* The commands of passation-interop, one file a format. Each takes what stands behind the
 * command's name, up to a NULL, and returns the exit status; 2 asks for the usage. */
int interop_age_encrypt(char **args);
int interop_age_decrypt(char **args);
int interop_minisign_sign(char **args);
int interop_minisign_verify(char **args);
int interop_sshsig_sign(char **args);
int interop_sshsig_verify(char **args);
int interop_kdbx_write(char **args);
int interop_kdbx_read(char **args);
int interop_kdbx_verify(char **args);
int interop_bitwarden_write(char **args);
int interop_profile(char **args);

/* Prints the error, escaped as a terminal needs it; returns its exit status. */
int interop_fail(const struct psn_error *err);

enum {
    INTEROP_USAGE = -1
};

#endif
