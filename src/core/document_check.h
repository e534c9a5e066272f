#ifndef PSN_CORE_DOCUMENT_CHECK_H
#define PSN_CORE_DOCUMENT_CHECK_H

#include "core/document.h"

/* What holds between the fields of an issue, each of which has its form: it ends after it
 * begins, and no mailbox or file stands there twice, nor a label for one mailbox.
 * E_INTEGRITY. */
PSN_MUST_CHECK enum psn_code psn_document_check(const struct psn_document *document,
                                                struct psn_error *err);

#endif
