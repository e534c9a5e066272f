#ifndef PSN_BASE_WIRE_H
#define PSN_BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A cursor over the wire form of SSH (RFC 4251, section 5). A read past the end fails and
 * takes nothing, and so does every later one: the one check is at the end. */
struct psn_wire {
    const uint8_t *at;
    size_t left;
    bool failed;
};

/* The next size bytes, or NULL. */
const uint8_t *psn_wire_take(struct psn_wire *wire, size_t size);

/* A number of 32 bits, or 0. */
uint32_t psn_wire_u32(struct psn_wire *wire);

/* A string: its length in 32 bits, its bytes. Empty and failed if it runs over. */
struct psn_wire psn_wire_string(struct psn_wire *wire);

/* True if what is left is this text. */
bool psn_wire_is(const struct psn_wire *string, const char *text);

#endif
