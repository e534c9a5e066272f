#ifndef PASSATION_AGE_H
#define PASSATION_AGE_H

#include <stdbool.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"
#include "passation/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Files in the age v1 format (https://age-encryption.org/v1), written and read in a
 * stream: memory does not grow with the file. The age program opens what is written
 * here, and the other way round.
 *
 *     psn_age_recipients_new(&to, &err);
 *     psn_age_recipients_add(to, "age1…", &err);
 *     psn_age_encrypt(to, false, &source, &sink, &err);
 *
 * age says nothing about who wrote a file: what must be trusted is signed as well
 * (passation/signature.h). Post-quantum (hybrid) recipients are refused by name.
 */
struct psn_age_recipients;
struct psn_age_identities;

enum {
    PSN_AGE_RECIPIENTS_MAX = 256,
    PSN_AGE_IDENTITIES_MAX = 32,
    PSN_AGE_WORK_FACTOR_MAX = 22, /* scrypt with 2^22: 4 GiB; what age accepts too */
};

/* ---- for whom ---- */

/* Makes an empty list. The caller owns it. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_age_recipients_new(struct psn_age_recipients **ret_recipients, struct psn_error *err);

/* Adds "age1…" or "ssh-ed25519 AAAA… [comment]". E_INVALID if it is mistyped or of another
 * kind, E_TOO_NEW for a post-quantum recipient, E_LIMIT, E_CONFLICT beside a passphrase. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_age_recipients_add(struct psn_age_recipients *recipients, const char *text,
                       struct psn_error *err);

/* Makes a passphrase the only recipient (the format allows no other beside it), with
 * scrypt's N = 2^work_factor. The passphrase is copied. E_CONFLICT beside others. */
PSN_API PSN_MUST_CHECK enum psn_code psn_age_recipients_set_passphrase(
    struct psn_age_recipients *recipients, const struct psn_secret *passphrase,
    unsigned work_factor, struct psn_error *err);

/* NULL is fine. */
PSN_API void psn_age_recipients_free(struct psn_age_recipients *recipients);

/* Encrypts all of the source for every recipient in the list; armor asks for the text
 * form. On failure the sink has seen a beginning that opens for nobody. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_age_encrypt(const struct psn_age_recipients *recipients, bool armor,
                const struct psn_source *source, const struct psn_sink *sink,
                struct psn_error *err);

/* ---- by whom ---- */

/* Makes an empty list. The caller owns it. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_age_identities_new(struct psn_age_identities **ret_identities, struct psn_error *err);

/* Adds the content of an identity file: age identities, one a line, with comments, or one
 * ssh-ed25519 private key without passphrase. Post-quantum identities are passed over.
 * E_INVALID if a line is anything else, E_DENIED if the SSH key has a passphrase. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_age_identities_add(struct psn_age_identities *identities,
                       const struct psn_secret *text, struct psn_error *err);

/* Adds a passphrase. A file that asks for more work than 2^work_factor_max is refused
 * before any is done. The passphrase is copied. */
PSN_API PSN_MUST_CHECK enum psn_code psn_age_identities_add_passphrase(
    struct psn_age_identities *identities, const struct psn_secret *passphrase,
    unsigned work_factor_max, struct psn_error *err);

/* NULL is fine. */
PSN_API void psn_age_identities_free(struct psn_age_identities *identities);

/* Which part of a file was refused: the kinds that age's own test vectors tell apart. */
enum psn_age_failure {
    PSN_AGE_NO_FAILURE, /* all is well, or the failure is not the file's */
    PSN_AGE_HEADER,
    PSN_AGE_NO_MATCH, /* for somebody else, or a wrong passphrase */
    PSN_AGE_HMAC,     /* the header was changed */
    PSN_AGE_PAYLOAD,  /* changed or cut after the header */
    PSN_AGE_ARMOR,
};

struct psn_age_limits {
    uint64_t size_max; /* of the encrypted file in bytes; 0: none */
};

/* Decrypts in one pass, from binary or text form. The sink gets each chunk of 64 KiB
 * once it is proved to be what was encrypted in that place; but whether the file is
 * whole is known only when PSN_OK is returned: until then the caller keeps it back.
 * E_DENIED: no match; E_TOO_NEW: another version, or for post-quantum recipients only;
 * E_LIMIT; E_INTEGRITY: anything else in the file. limits and ret_failure may be NULL;
 * *ret_failure is set in any case. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_age_decrypt(const struct psn_age_identities *identities,
                const struct psn_age_limits *limits, const struct psn_source *source,
                const struct psn_sink *sink, enum psn_age_failure *ret_failure,
                struct psn_error *err);

/* The same for a file that can be read twice, with nothing released before all of it is
 * proved: the first pass opens every chunk and keeps none, the second one writes. A chunk
 * is proved again when it is written, so that a file that somebody changes in between
 * ends early and never yields other bytes. */
PSN_API PSN_MUST_CHECK enum psn_code
psn_age_decrypt_file(const struct psn_age_identities *identities,
                     const struct psn_age_limits *limits, struct psn_stream_fd *file,
                     const struct psn_sink *sink, enum psn_age_failure *ret_failure,
                     struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
