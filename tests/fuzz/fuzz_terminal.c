#include <string.h>

#include "base/text.h"
#include "fuzz/target.h"

static void check_mask(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);

    MUST(text);
    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    psn_text_mask(text);
    MUST(psn_text_is_plain(text, strlen(text)));
    free(text);
}

/* What may be shown on a terminal: no control byte is left, and what is plain stays. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_buf once = psn_buf_init(4 * 1024 * 1024);
    struct psn_buf twice = psn_buf_init(4 * 1024 * 1024);

    psn_text_escape(&once, (const char *)bytes, size);
    if (psn_buf_check(&once, NULL) == PSN_OK) {
        MUST(psn_text_is_plain((const char *)once.data, once.size));
        for (size_t i = 0; i < once.size; i++)
            MUST(once.data[i] >= ' ' && once.data[i] != 0x7f);
        if (psn_text_is_plain((const char *)bytes, size))
            MUST(once.size == size && (size == 0 || memcmp(once.data, bytes, size) == 0));
        psn_text_escape(&twice, (const char *)once.data, once.size);
        MUST(twice.size == once.size &&
             (once.size == 0 || memcmp(twice.data, once.data, once.size) == 0));
    }
    check_mask(bytes, size);
    psn_buf_release(&once);
    psn_buf_release(&twice);
    return 0;
}
