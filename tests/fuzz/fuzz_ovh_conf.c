#include "fuzz/target.h"
#include "ovh/credential.h"
#include "passation/passation.h"

/* An application with its keys of three keys, or a service
 * account with its two, and nothing of the other. */
static void check(const struct psn_ovh_credential *credential)
{
    if (psn_ovh_credential_is_account(credential)) {
        MUST(credential->client_id && credential->client_secret);
        MUST(!credential->application_key && !credential->application_secret &&
             !credential->consumer_key);
    } else {
        MUST(credential->application_key && credential->application_secret &&
             credential->consumer_key);
        MUST(!credential->client_id && !credential->client_secret);
    }
}

/* An ovh.conf: what is accepted can make calls. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const endpoints[] = { "ovh-eu", "https://127.0.0.1:8443/1.0" };

    MUST(psn_init(NULL) == PSN_OK);
    for (size_t i = 0; i < 2; i++) {
        struct psn_ovh_credential credential = { 0 };

        if (psn_ovh_credential_parse((const char *)bytes, size, endpoints[i], &credential,
                                     NULL) == PSN_OK)
            check(&credential);
        psn_ovh_credential_release(&credential);
    }
    return 0;
}
