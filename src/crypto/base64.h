#ifndef PSN_CRYPTO_BASE64_H
#define PSN_CRYPTO_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Base64 (RFC 4648, section 4), canonical only: no other character, no bits left over.
 * In time that does not depend on the content, since keys pass through. */
enum psn_base64 {
    PSN_BASE64,       /* filled up with '=' */
    PSN_BASE64_RAW,   /* without '=', as in age's header */
    PSN_BASE64_LINES, /* filled up, and line ends anywhere are passed over: PEM bodies */
};

/* Decodes text[size] into bytes[size_max]. False, with *ret_size untouched, if it is not
 * canonical or does not fit. */
bool psn_base64_decode(enum psn_base64 form, const char *text, size_t size,
                       uint8_t *bytes, size_t size_max, size_t *ret_size);

/* The same, true only if exactly size bytes come out. */
bool psn_base64_decode_exact(enum psn_base64 form, const char *text, size_t text_size,
                             uint8_t *bytes, size_t size);

/* The characters, and the NUL after them, of size bytes. */
#define PSN_BASE64_TEXT_SIZE(size) (((size) + 2) / 3 * 4 + 1)

/* Writes the characters and a NUL into out[PSN_BASE64_TEXT_SIZE(size)]; returns how many
 * characters. */
size_t psn_base64_encode(enum psn_base64 form, const void *bytes, size_t size, char *out);

#endif
