#ifndef PSN_CRYPTO_POOL_H
#define PSN_CRYPTO_POOL_H

#include <stddef.h>

#include "passation/error.h"

/*
 * Memory for secrets: locked, left out of core dumps, wiped when given back. Small pieces
 * share locked pages, since a process may lock few of them (often 2048) and each costs
 * nine system calls; large ones have pages of their own. Shared pages stand between two
 * that cannot be touched. Writing beyond a piece ends the program: at once where such a
 * page is met, else when the piece is given back. Safe to call from any thread, and in a
 * process that was forked: its pieces come from pages that are locked for it.
 */

/* size bytes, all zero; NULL without memory. No alignment is promised. */
PSN_MUST_CHECK void *psn_pool_take(size_t size);
/* Wipes them. size is as it was asked for; NULL is fine. */
void psn_pool_give(void *at, size_t size);

#endif
