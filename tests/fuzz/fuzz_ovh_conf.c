#include "fuzz/target.h"
#include "ovh/credential.h"
#include "passation/passation.h"

/* An ovh.conf: what is accepted has its three keys. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const endpoints[] = { "ovh-eu", "https://127.0.0.1:8443/1.0" };

    MUST(psn_init(NULL) == PSN_OK);
    for (size_t i = 0; i < 2; i++) {
        struct psn_ovh_credential credential = { 0 };

        if (psn_ovh_credential_parse((const char *)bytes, size, endpoints[i], &credential,
                                     NULL) == PSN_OK)
            MUST(credential.application_key && credential.application_secret &&
                 credential.consumer_key);
        psn_ovh_credential_release(&credential);
    }
    return 0;
}
