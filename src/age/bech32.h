#ifndef PSN_AGE_BECH32_H
#define PSN_AGE_BECH32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bech32 (BIP-173): a readable prefix, '1', characters of 5 bits, a checksum of six.
 * What the functions keep on the stack is wiped, since identities pass through. */
enum {
    PSN_BECH32_SIZE_MAX = 90, /* beyond it the checksum promises less */
    PSN_BECH32_PREFIX_MAX = 83,
    PSN_BECH32_BYTES_MAX = 51,
};

struct psn_bech32 {
    char prefix[PSN_BECH32_PREFIX_MAX + 1]; /* in the case of the text */
    uint8_t bytes[PSN_BECH32_BYTES_MAX];
    size_t size;
};

/* Decodes text[size]. False, with *ret untouched, if a character, the case (all upper or
 * all lower), the length, the checksum or the padding to bytes is wrong. The caller wipes
 * *ret if it holds a secret. */
bool psn_bech32_decode(const char *text, size_t size, struct psn_bech32 *ret);

/* Writes the lower-case form and a NUL. The prefix is in lower case; false if the text
 * would not fit into out_size or into PSN_BECH32_SIZE_MAX. */
bool psn_bech32_encode(const char *prefix, const uint8_t *bytes, size_t size, char *out,
                       size_t out_size);

#endif
