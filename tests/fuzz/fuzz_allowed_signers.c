#include <string.h>

#include "crypto/init.h"
#include "fuzz/target.h"
#include "passation/signature.h"

static const struct psn_signer signer = {
    .identity = "me@example.org",
    .name_space = "passation-file",
    .key = { 0x3b, 0x6a, 0x27, 0xbc, 0xce, 0xb6, 0xa4, 0x2d, 0x62, 0xa3, 0xa8,
             0xd0, 0x2a, 0x6f, 0x0d, 0x73, 0x65, 0x32, 0x15, 0x77, 0x1d, 0xe2,
             0x43, 0xa6, 0x3a, 0xc0, 0x48, 0xa1, 0x8b, 0x59, 0xda, 0x29 },
    .time_s = 1790000000,
};

/* A list that allows a key holds that key's text. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char text[] =
        "AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";

    MUST(!psn_crypto_init(NULL));
    if (!psn_allowed_signers_check((const char *)bytes, size, &signer, NULL))
        MUST(memmem(bytes, size, text, sizeof text - 1));
    return 0;
}
