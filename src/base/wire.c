#include "base/wire.h"

#include <string.h>

const uint8_t *psn_wire_take(struct psn_wire *wire, size_t size)
{
    const uint8_t *at = wire->at;

    if (wire->failed || size > wire->left) {
        wire->failed = true;
        return NULL;
    }
    wire->at += size;
    wire->left -= size;
    return at;
}

uint32_t psn_wire_u32(struct psn_wire *wire)
{
    const uint8_t *at = psn_wire_take(wire, 4);

    return at ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
                    at[3]
              : 0;
}

struct psn_wire psn_wire_string(struct psn_wire *wire)
{
    size_t size = psn_wire_u32(wire);
    const uint8_t *at = psn_wire_take(wire, size);

    return (struct psn_wire){ at, at ? size : 0, !at };
}

bool psn_wire_is(const struct psn_wire *string, const char *text)
{
    return !string->failed && string->left == strlen(text) &&
           memcmp(string->at, text, string->left) == 0;
}
