#ifndef PSN_PAGE_H
#define PSN_PAGE_H
#include <stdbool.h>

#include "base/buf.h"
#include "passation/error.h"
bool psn_page_is_built(void);
PSN_MUST_CHECK enum psn_code psn_page_wrap(const void *armor, size_t size,
                                           struct psn_buf *out, struct psn_error *err);
#endif
