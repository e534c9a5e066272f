#include <string.h>

#include "base/stream.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "fuzz/target.h"
#include "passation/signature.h"

/* The key of the seeds: made from 32 zeros, known to everybody. */
static void make_key(struct psn_secret **ret_seed, struct psn_minisign_key *ret_key)
{
    static const uint8_t zero[32];
    static const uint8_t public[32] = { 0x3b, 0x6a, 0x27, 0xbc, 0xce, 0xb6, 0xa4, 0x2d,
                                        0x62, 0xa3, 0xa8, 0xd0, 0x2a, 0x6f, 0x0d, 0x73,
                                        0x65, 0x32, 0x15, 0x77, 0x1d, 0xe2, 0x43, 0xa6,
                                        0x3a, 0xc0, 0x48, 0xa1, 0x8b, 0x59, 0xda, 0x29 };

    MUST(!psn_secret_copy(zero, sizeof zero, ret_seed, NULL));
    memset(ret_key->id, 7, sizeof ret_key->id);
    memcpy(ret_key->key, public, sizeof public);
}

/* Signature, public key and secret key files of any content. What verifies has the seeds'
 * trusted comment. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_stream_memory memory = { "content", 7, 0 };
    struct psn_source source = psn_source_memory(&memory);
    PSN_AUTO(psn_secret) *seed = NULL;
    PSN_AUTO(psn_secret) *text = NULL;
    PSN_AUTO(psn_secret) *other = NULL;
    PSN_AUTO_FREE char *comment = NULL;
    struct psn_minisign_key key;
    struct psn_minisign_key parsed;

    MUST(!psn_crypto_init(NULL));
    make_key(&seed, &key);
    if (!psn_minisign_verify((const char *)bytes, size, &key, &source, &comment, NULL))
        MUST(strcmp(comment, "pour Marie") == 0);
    (void)!psn_minisign_public_parse((const char *)bytes, size, &parsed, NULL);
    MUST(!psn_secret_copy(bytes, size, &text, NULL));
    (void)!psn_minisign_secret_parse(text, &other, &parsed, NULL);
    return 0;
}
