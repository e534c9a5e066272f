#ifndef PSN_AGE_LISTS_H
#define PSN_AGE_LISTS_H

#include "base/auto.h"
#include "passation/age.h"

/* What the lists of the public header do in a file's header. */

PSN_DEFINE_AUTO(psn_age_recipients)
PSN_DEFINE_AUTO(psn_age_identities)

struct psn_buf;
struct psn_age_header;

/* Appends a stanza for each recipient. E_INVALID if there is none. */
PSN_MUST_CHECK enum psn_code psn_age_recipients_wrap(const struct psn_age_recipients *to,
                                                     const struct psn_secret *file_key,
                                                     struct psn_buf *header,
                                                     struct psn_error *err);

/* Finds a stanza that one of the identities opens and fills file_key (of
 * PSN_AGE_FILE_KEY_SIZE). E_DENIED without one, E_TOO_NEW if it is for post-quantum
 * recipients alone; E_INTEGRITY for a share or a work factor that no honest sender
 * writes; E_NOMEM. */
PSN_MUST_CHECK enum psn_code
psn_age_identities_unwrap(const struct psn_age_identities *by,
                          const struct psn_age_header *header,
                          struct psn_secret *file_key, struct psn_error *err);

#endif
