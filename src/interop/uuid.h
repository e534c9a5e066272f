#ifndef PSN_INTEROP_UUID_H
#define PSN_INTEROP_UUID_H

#include <stdint.h>

/* Name-based UUIDs (version 8, RFC 9562): the first 128 bits of SHA-256("passation
 * PURPOSE NAME"), with version and variant in their places. */
enum {
    PSN_UUID_SIZE = 16,
    PSN_UUID_TEXT_SIZE = 37,
};

void psn_uuid_of(const char *purpose, const char *name, uint8_t ret_uuid[PSN_UUID_SIZE]);

/* Writes the text in lower case; returns out. */
const char *psn_uuid_text(const uint8_t uuid[PSN_UUID_SIZE],
                          char out[PSN_UUID_TEXT_SIZE]);

#endif
