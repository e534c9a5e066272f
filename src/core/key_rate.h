#ifndef PSN_CORE_KEY_RATE_H
#define PSN_CORE_KEY_RATE_H

#include "core/vault.h"
#include "ovh/rate.h"
#include "passation/client.h"

/*
 * The token bucket of each API key that a command uses: one run opens an account several
 * times, to look, to rotate and to look again, and OVH counts the calls of all.
 */
struct psn_key_rate;
void psn_key_rates_free(struct psn_key_rate *rates);

/* Lives as long as the vault's handle; zero at first. NULL: no memory, and the account
 * counts by itself. */
struct psn_rate *psn_key_rate(struct psn_vault *vault, const char *client,
                              enum psn_key_use use);

#endif
