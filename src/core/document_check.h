#ifndef PSN_CORE_DOCUMENT_CHECK_H
#define PSN_CORE_DOCUMENT_CHECK_H

#include "core/document.h"

/* What holds between the fields of an issue, each of which has its form: it ends after it
 * begins, no mailbox stands there twice, and no label twice for one mailbox. E_INTEGRITY.
 */
PSN_MUST_CHECK enum psn_code psn_document_check(const struct psn_document *document,
                                                struct psn_error *err);

#endif
