#include <string.h>

#include "age/header.h"
#include "fuzz/target.h"

/* A header that parses has stanzas up to the MAC, each of them readable again. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_age_header header;
    struct psn_age_stanza stanza;
    size_t count = 0;
    size_t at;

    if (psn_age_header_parse((const char *)bytes, size, &header, NULL))
        return 0;
    at = header.stanzas_at;
    while (psn_age_header_next(&header, &at, &stanza)) {
        MUST(stanza.arg_count > 0);
        count++;
    }
    MUST(count > 0 && at == header.mac_at);
    MUST(memcmp(header.text + header.mac_at, "--- ", 4) == 0);
    MUST(header.mac_at + 48 == size);
    return 0;
}
