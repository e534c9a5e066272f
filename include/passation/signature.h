#ifndef PASSATION_SIGNATURE_H
#define PASSATION_SIGNATURE_H

#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"
#include "passation/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Ed25519 signatures in the two forms that the world checks with what it has: SSHSIG
 * (ssh-keygen -Y) and minisign. What is signed is read in a stream.
 *
 * A signature is always checked against a key that the caller trusts already; the key in
 * the signature is only good for looking that one up. Of several spellings of one
 * signature a single one is accepted.
 */
enum {
    PSN_SIGNATURE_KEY_SIZE = 32,
    PSN_SIGNATURE_TEXT_MAX = 64 * 1024, /* a signature, a key file, a list of signers */
    PSN_NAMESPACE_MAX = 255,
};

/* ---- SSHSIG ---- */

/* Signs the source under a namespace, hashed with SHA-512. seed is the 32-byte Ed25519
 * seed. The armored text belongs to the caller. E_INVALID if the namespace is empty, too
 * long, or not plain text. */
PSN_API PSN_MUST_CHECK enum psn_code psn_sshsig_sign(const struct psn_secret *seed,
                                                     const char *name_space,
                                                     const struct psn_source *source,
                                                     char **ret_text,
                                                     struct psn_error *err);

/* Checks that text[size] is a signature of the source by this key under this namespace.
 * E_INTEGRITY, with a message of its own for each thing that can be wrong. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_sshsig_verify(const char *text, size_t size,
                  const uint8_t trusted_key[PSN_SIGNATURE_KEY_SIZE],
                  const char *name_space, const struct psn_source *source,
                  struct psn_error *err);

/* The key that a signature says it was made with: to be looked up, not to be trusted. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_sshsig_claimed_key(const char *text, size_t size,
                       uint8_t ret_key[PSN_SIGNATURE_KEY_SIZE], struct psn_error *err);

/* Checks that a list in OpenSSH's allowed_signers form lets this key sign as identity in
 * the namespace at that time (seconds since 1970). Lines are read as ssh-keygen does:
 * patterns, namespaces=, valid-after=, valid-before=; a line with an option that is not
 * known allows nothing, one with cert-authority allows certificates alone, which are not
 * accepted here. E_DENIED tells the nearest reason. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_allowed_signers_check(const char *text, size_t size, const char *identity,
                          const char *name_space,
                          const uint8_t key[PSN_SIGNATURE_KEY_SIZE], int64_t time_s,
                          struct psn_error *err);

/* Reads the seed out of an OpenSSH private key file (ssh-ed25519, without passphrase).
 * E_DENIED if it has one. */
PSN_API PSN_MUST_CHECK enum psn_code psn_ssh_seed_parse(const struct psn_secret *text,
                                                        struct psn_secret **ret_seed,
                                                        struct psn_error *err);

/* ---- minisign ---- */

enum {
    PSN_MINISIGN_ID_SIZE = 8,
    PSN_TRUSTED_COMMENT_MAX = 8191,
};

struct psn_minisign_key {
    uint8_t id[PSN_MINISIGN_ID_SIZE];
    uint8_t key[PSN_SIGNATURE_KEY_SIZE];
};

/* Reads a public key: minisign's file of two lines, or its second line alone. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_minisign_public_parse(const char *text, size_t size, struct psn_minisign_key *ret_key,
                          struct psn_error *err);

/* Reads a secret key file as `minisign -G -W` writes it: the seed, and the public key with
 * its id. E_DENIED if it is encrypted with a password. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_minisign_secret_parse(const struct psn_secret *text, struct psn_secret **ret_seed,
                          struct psn_minisign_key *ret_key, struct psn_error *err);

/* Signs the source, prehashed, with a trusted comment of one line that is signed too. The
 * text belongs to the caller. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_minisign_sign(const struct psn_secret *seed, const struct psn_minisign_key *key,
                  const struct psn_source *source, const char *trusted_comment,
                  char **ret_text, struct psn_error *err);

/* Checks text[size] against a trusted key. On success *ret_comment is the trusted comment,
 * which belongs to the caller: proved to be the signer's, but any bytes but NUL and line
 * ends may be in it. It stays true if it is moved to another signature of the same bytes
 * by the same key: what matters belongs into what is signed. Signatures in the legacy
 * form, which is not prehashed, are refused: the form itself is not signed. E_INTEGRITY,
 * with a message of its own for each thing that can be wrong. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_minisign_verify(const char *text, size_t size, const struct psn_minisign_key *key,
                    const struct psn_source *source, char **ret_comment,
                    struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
