#include <string.h>

#include "crypto/init.h"
#include "crypto/secret.h"
#include "fuzz/target.h"
#include "interop/foreign.h"
#include "interop/pass_text.h"

static enum psn_code compare(void *arg, const struct psn_foreign *entry,
                             struct psn_error *err)
{
    const struct psn_secret *secret = arg;

    (void)err;
    MUST(entry->password_size == psn_secret_size(secret));
    MUST(memcmp(entry->password, psn_secret_bytes(secret), entry->password_size) == 0);
    return PSN_OK;
}

/* The bytes are read as an entry, and, as a secret, are written and read as they were. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init_wiped((size_t)1024 * 1024);
    struct psn_foreign_draft draft = psn_foreign_draft_init();
    struct psn_entry entry = { .title = "x", .user = "u", .note = "user: y" };

    if (size == 0 || size > (size_t)16 * 1024)
        return 0;
    MUST(!psn_crypto_init(NULL));
    MUST(!psn_secret_copy(bytes, size, &secret, NULL));
    psn_foreign_draft_begin(&draft, 0);
    psn_foreign_read_text(&draft, (const char *)psn_secret_bytes(secret), size);
    entry.password = secret;
    psn_pass_text_write(&entry, NULL, &text);
    psn_foreign_draft_begin(&draft, 0);
    psn_foreign_read_text(&draft, (const char *)text.data, text.size);
    MUST(!psn_foreign_draft_tell(&draft, compare, secret, NULL));
    psn_foreign_draft_release(&draft);
    return 0;
}
