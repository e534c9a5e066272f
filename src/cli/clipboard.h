#ifndef PSN_CLI_CLIPBOARD_H
#define PSN_CLI_CLIPBOARD_H

#include "cli/cli.h"

/*
 * What the cleaner is told: how long to wait, and a keyed hash of what was copied, so
 * that it needs not keep the secret to know it again. Both ends are this program.
 */
struct cli_clipboard_order {
    uint64_t seconds;
    uint64_t key[2];
    uint64_t hash;
};

/* SipHash-2-4 (Aumasson, Bernstein 2012): 64 bits under a 128-bit key. */
uint64_t cli_clipboard_hash(const uint64_t key[2], const uint8_t *bytes, size_t size);

#endif
