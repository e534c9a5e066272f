#include <string.h>

#include "age/bech32.h"
#include "base/text.h"
#include "fuzz/target.h"

/* What decodes is, in lower case, what would be encoded. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char lower[PSN_BECH32_SIZE_MAX + 1];
    char again[PSN_BECH32_SIZE_MAX + 1];
    struct psn_bech32 decoded;

    if (!psn_bech32_decode((const char *)bytes, size, &decoded))
        return 0;
    MUST(size < sizeof lower);
    memcpy(lower, bytes, size);
    lower[size] = '\0';
    psn_text_lower(lower);
    psn_text_lower(decoded.prefix);
    MUST(psn_bech32_encode(decoded.prefix, decoded.bytes, decoded.size, again,
                           sizeof again));
    MUST(strcmp(lower, again) == 0);
    return 0;
}
