#include <string.h>

#include "crypto/init.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "crypto/ssh_key.h"
#include "fuzz/target.h"

/* A private key that parses signs; a public key that parses is written back the same. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    PSN_AUTO(psn_secret) *text = NULL;
    PSN_AUTO(psn_secret) *seed = NULL;
    char again[PSN_SSH_KEY_TEXT_MAX];
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];

    MUST(!psn_crypto_init(NULL));
    if (!psn_ssh_public_parse((const char *)bytes, size, key, NULL)) {
        psn_sign_ssh_text(key, again);
        MUST(size >= strlen(again) && memcmp(bytes, again, strlen(again)) == 0);
    }
    MUST(!psn_secret_copy(bytes, size, &text, NULL));
    if (!psn_ssh_private_parse(text, &seed, NULL))
        MUST(!psn_sign_public(seed, key, NULL));
    return 0;
}
