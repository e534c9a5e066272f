#include <string.h>

#include "crypto/base64.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "fuzz/target.h"
#include "passation/signature.h"

/* Public and secret keys of minisign, of any content. A public key that is read is what
 * is written there: algorithm, id and key in base64, in one spelling. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    PSN_AUTO(psn_secret) *text = NULL;
    PSN_AUTO(psn_secret) *seed = NULL;
    struct psn_minisign_key key;
    uint8_t plain[42] = "Ed";
    char base64[64];

    MUST(!psn_crypto_init(NULL));
    if (!psn_minisign_public_parse((const char *)bytes, size, &key, NULL)) {
        memcpy(plain + 2, key.id, sizeof key.id);
        memcpy(plain + 10, key.key, sizeof key.key);
        (void)psn_base64_encode(PSN_BASE64, plain, sizeof plain, base64);
        MUST(memmem(bytes, size, base64, strlen(base64)));
    }
    MUST(!psn_secret_copy(bytes, size, &text, NULL));
    if (!psn_minisign_secret_parse(text, &seed, &key, NULL))
        MUST(psn_secret_size(seed) == 32);
    return 0;
}
