#include "interop/uuid.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"

void psn_uuid_of(const char *purpose, const char *name, uint8_t ret_uuid[PSN_UUID_SIZE])
{
    const struct psn_part parts[] = { { "passation ", 10 },
                                      { purpose, strlen(purpose) },
                                      { " ", 1 },
                                      { name, strlen(name) } };
    uint8_t digest[PSN_SHA256_SIZE];

    psn_sha256_parts(parts, sizeof parts / sizeof *parts, digest);
    memcpy(ret_uuid, digest, PSN_UUID_SIZE);
    ret_uuid[6] = (uint8_t)((ret_uuid[6] & 0x0f) | 0x80);
    ret_uuid[8] = (uint8_t)((ret_uuid[8] & 0x3f) | 0x80);
}

const char *psn_uuid_text(const uint8_t uuid[PSN_UUID_SIZE], char out[PSN_UUID_TEXT_SIZE])
{
    char hex[2 * PSN_UUID_SIZE + 1];

    (void)psn_hex(uuid, PSN_UUID_SIZE, hex);
    (void)snprintf(out, PSN_UUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
                   hex + 12, hex + 16, hex + 20);
    return out;
}
