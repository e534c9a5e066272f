#include <string.h>

#include "base/buf.h"
#include "crypto/digest.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "fuzz/target.h"
#include "interop/kdbx.h"

static enum psn_code told(void *arg, const struct psn_entry *entry, struct psn_error *err)
{
    (void)arg;
    (void)entry;
    (void)err;
    return PSN_OK;
}

/* Whole files, and headers alone, to which their hash is added so that what stands in
 * them is looked at. A header that is taken is within the limits. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    PSN_AUTO_RELEASE(psn_buf) content = psn_buf_init_wiped(PSN_KDBX_FILE_MAX);
    PSN_AUTO(psn_secret) *key = NULL;
    struct psn_kdbx_head head;
    uint8_t digest[32];

    MUST(!psn_crypto_init(NULL));
    MUST(!psn_secret_copy("0123456789abcdef0123456789abcdef", 32, &key, NULL));
    psn_sha256(bytes, size, digest);
    psn_buf_bytes(&file, bytes, size);
    psn_buf_bytes(&file, digest, sizeof digest);
    if (!psn_kdbx_head_read(file.data, file.size, &head, NULL))
        MUST(head.size <= size && head.cost.passes >= 1 && head.cost.passes <= 100 &&
             head.cost.memory_bytes <= UINT64_C(1) << 30);
    if (psn_kdbx_head_read(bytes, size, &head, NULL) ||
        psn_kdbx_unseal(&head, key, bytes, size, &content, NULL))
        return 0;
    (void)!psn_kdbx_content_read(content.data, content.size, told, NULL, NULL);
    return 0;
}
