#include "age/lists.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "fuzz/target.h"

/* Identity files of any content; recipients too. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    PSN_AUTO(psn_age_identities) *by = NULL;
    PSN_AUTO(psn_age_recipients) *to = NULL;
    PSN_AUTO(psn_secret) *text = NULL;

    MUST(!psn_crypto_init(NULL));
    MUST(!psn_secret_copy(bytes, size, &text, NULL));
    MUST(!psn_age_identities_new(&by, NULL));
    MUST(!psn_age_recipients_new(&to, NULL));
    if (psn_age_identities_add(by, text, NULL))
        return 0;
    (void)!psn_age_recipients_add(to, (const char *)psn_secret_bytes(text), NULL);
    return 0;
}
