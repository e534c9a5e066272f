#include "page/page.h"
bool psn_page_is_built(void)
{
    return false;
}
enum psn_code psn_page_wrap(const void *armor, size_t size, struct psn_buf *out,
                            struct psn_error *err)
{
    (void)armor;
    (void)size;
    (void)out;
    return psn_fail(err, PSN_E_POLICY, "no");
}
