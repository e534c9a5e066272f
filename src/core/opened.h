#ifndef PSN_CORE_OPENED_H
#define PSN_CORE_OPENED_H

#include "base/auto.h"
#include "core/document.h"
#include "passation/received.h"

/* An issue whose signature holds. */
struct psn_opened {
    struct psn_secret *text; /* with its signature */
    struct psn_document document;
    struct psn_opened_head head;
};
PSN_DEFINE_AUTO(psn_opened)

/* Takes over a decrypted text: parses it and checks its inner signature, whose key must
 * be the one that the document names. Whether that key is trusted is not asked here.
 * E_INTEGRITY, each forgery with its own message. *text is NULL afterwards. */
PSN_MUST_CHECK enum psn_code psn_opened_read(struct psn_secret **text,
                                             struct psn_opened **ret_opened,
                                             struct psn_error *err);

/* A mailbox or secret block as a secret; value is the caller's. */
PSN_MUST_CHECK enum psn_code psn_opened_block(const struct psn_block *block,
                                              struct psn_opened_secret *ret_secret,
                                              struct psn_secret **ret_value,
                                              struct psn_error *err);

#endif
