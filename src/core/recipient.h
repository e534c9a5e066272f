#ifndef PSN_CORE_RECIPIENT_H
#define PSN_CORE_RECIPIENT_H

#include "passation/error.h"
#include "passation/person.h"
#include "passation/secret.h"

/* The one form of a public key that issues are encrypted to: "age1…", or "ssh-ed25519
 * AAAA…" without its comment. E_INVALID if it is no such key, or nothing can be closed
 * with it. */
PSN_MUST_CHECK enum psn_code psn_recipient_normalize(
    const char *text, char ret_text[PSN_RECIPIENT_TEXT_MAX], struct psn_error *err);

/* Is it in that form? Asks no more of a key than its checksum. */
bool psn_recipient_is_normal(const char *text);

/* Does what is encrypted to this key open with this identity (the content of an age or
 * ssh-ed25519 key file)? E_INVALID, E_DENIED as the file is malformed or has a
 * passphrase. */
PSN_MUST_CHECK enum psn_code psn_recipient_is_of(const char *recipient,
                                                 const struct psn_secret *identity,
                                                 bool *ret_is, struct psn_error *err);

#endif
