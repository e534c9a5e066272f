#include <string.h>

#include "base/buf.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "fuzz/target.h"
#include "interop/entry.h"
#include "interop/kdbx.h"

static bool same(const char *a, const char *b)
{
    return strcmp(a, psn_entry_text(b)) == 0;
}

static enum psn_code compare(void *arg, const struct psn_entry *again,
                             struct psn_error *err)
{
    const struct psn_entry *entry = arg;

    (void)err;
    MUST(same(again->title, entry->title) && same(again->user, entry->user) &&
         same(again->url, entry->url) && same(again->note, entry->note) &&
         same(again->group, entry->group) && same(again->type, entry->type) &&
         same(again->expires, entry->expires));
    MUST(again->changed_s == entry->changed_s &&
         again->field_count == entry->field_count);
    MUST(!again->password == !entry->password);
    MUST(!again->password || psn_secret_equal(again->password, entry->password));
    for (size_t i = 0; i < entry->field_count; i++)
        MUST(same(again->fields[i].name, entry->fields[i].name) &&
             same(again->fields[i].value, entry->fields[i].value));
    return PSN_OK;
}

/* An entry that is read can be written, and is then read as the same. */
static enum psn_code write_again(void *arg, const struct psn_entry *entry,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) content = psn_buf_init_wiped(PSN_KDBX_FILE_MAX);
    struct psn_entry copy = *entry;

    (void)arg;
    (void)err;
    MUST(!psn_entries_check(entry, 1, NULL));
    MUST(!psn_kdbx_content_write("x", entry, 1, &content, NULL));
    MUST(!psn_kdbx_content_read(content.data, content.size, compare, &copy, NULL));
    return PSN_OK;
}

/* The inner stream of the seeds is the one of a key and a nonce of zeros. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t key[PSN_KEYSTREAM_KEY_SIZE];
    static const uint8_t nonce[PSN_KEYSTREAM_NONCE_SIZE];
    PSN_AUTO(psn_keystream) *mask = NULL;

    MUST(!psn_crypto_init(NULL));
    MUST(!psn_keystream_new(key, nonce, &mask, NULL));
    (void)!psn_kdbx_xml_read((const char *)bytes, size, mask, write_again, NULL, NULL);
    return 0;
}
