#include <string.h>

#include "base/stream.h"
#include "crypto/init.h"
#include "fuzz/target.h"
#include "passation/signature.h"

/* The public key of 32 zeros, with which the seeds are signed. */
static const uint8_t key[32] = { 0x3b, 0x6a, 0x27, 0xbc, 0xce, 0xb6, 0xa4, 0x2d,
                                 0x62, 0xa3, 0xa8, 0xd0, 0x2a, 0x6f, 0x0d, 0x73,
                                 0x65, 0x32, 0x15, 0x77, 0x1d, 0xe2, 0x43, 0xa6,
                                 0x3a, 0xc0, 0x48, 0xa1, 0x8b, 0x59, 0xda, 0x29 };

/* What verifies names the trusted key, and does so for one content and namespace. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    struct psn_stream_memory memory = { "content", 7, 0 };
    struct psn_source source = psn_source_memory(&memory);
    uint8_t claimed[32];

    MUST(!psn_crypto_init(NULL));
    if (psn_sshsig_verify(text, size, key, "passation-file", &source, NULL))
        return 0;
    MUST(!psn_sshsig_claimed_key(text, size, claimed, NULL));
    MUST(memcmp(claimed, key, sizeof key) == 0);
    memory = (struct psn_stream_memory){ "other", 5, 0 };
    MUST(psn_sshsig_verify(text, size, key, "passation-file", &source, NULL));
    memory = (struct psn_stream_memory){ "content", 7, 0 };
    MUST(psn_sshsig_verify(text, size, key, "passation-issue", &source, NULL));
    return 0;
}
