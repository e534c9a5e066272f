#include <string.h>

#include "age/lists.h"
#include "base/stream.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "fuzz/target.h"

/* The identity of the seeds, and of the format's own example. */
static const char identity[] =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n";

static const struct psn_age_identities *key(void)
{
    static struct psn_age_identities *by;
    PSN_AUTO(psn_secret) *text = NULL;

    if (by)
        return by;
    MUST(!psn_crypto_init(NULL));
    MUST(!psn_secret_copy(identity, sizeof identity - 1, &text, NULL));
    MUST(!psn_age_identities_new(&by, NULL));
    MUST(!psn_age_identities_add(by, text, NULL));
    return by;
}

/* Whatever opens is the seeds' one content, or a piece of it before the refusal. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char content[] = "le mot de passe change demain\n";
    struct psn_stream_memory memory = { bytes, size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1 << 20);
    struct psn_sink sink = psn_sink_buf(&out);
    enum psn_age_failure failure;
    enum psn_code rc;

    rc = psn_age_decrypt(key(), NULL, &source, &sink, &failure, NULL);
    MUST((rc == PSN_OK) == (failure == PSN_AGE_NO_FAILURE));
    MUST(rc == PSN_OK || out.size == 0);
    MUST(rc != PSN_OK || out.size == 0 ||
         (out.size == sizeof content - 1 && memcmp(out.data, content, out.size) == 0));
    return 0;
}
