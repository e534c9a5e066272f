#include "crypto/base64.h"

#include <string.h>

#include <sodium.h>

static int variant(enum psn_base64 form)
{
    return form == PSN_BASE64_RAW ? sodium_base64_VARIANT_ORIGINAL_NO_PADDING
                                  : sodium_base64_VARIANT_ORIGINAL;
}

bool psn_base64_decode(enum psn_base64 form, const char *text, size_t size,
                       uint8_t *bytes, size_t size_max, size_t *ret_size)
{
    const char *ignore = form == PSN_BASE64_LINES ? "\r\n" : NULL;
    size_t decoded;

    /* With an end asked for, libsodium leaves what follows to its caller: nothing may. */
    if (sodium_base642bin(bytes, size_max, text, size, ignore, &decoded, NULL,
                          variant(form)) != 0)
        return false;
    *ret_size = decoded;
    return true;
}

bool psn_base64_decode_exact(enum psn_base64 form, const char *text, size_t text_size,
                             uint8_t *bytes, size_t size)
{
    size_t decoded = 0;

    return psn_base64_decode(form, text, text_size, bytes, size, &decoded) &&
           decoded == size;
}

size_t psn_base64_encode(enum psn_base64 form, const void *bytes, size_t size, char *out)
{
    (void)sodium_bin2base64(out, PSN_BASE64_TEXT_SIZE(size), bytes, size, variant(form));
    return strlen(out);
}
