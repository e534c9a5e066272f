#ifndef PSN_BASE_WIPED_H
#define PSN_BASE_WIPED_H

#include <stddef.h>

/*
 * A heap whose blocks are wiped when they are given back or moved, for libraries that
 * keep secrets in memory and take an allocator. As malloc(), realloc() and free(), except
 * that a block that changes its size always moves.
 */
void *psn_wiped_malloc(size_t size);
void *psn_wiped_realloc(void *memory, size_t size);
void psn_wiped_free(void *memory);

/*
 * From begin to end the blocks of this thread are cut from one piece of memory, while it
 * has as much left: once it is there, none of them fails. The last block that is given
 * back frees it, be that before the end or after. One at a time. NULL: no memory.
 */
struct psn_wiped_pool;
struct psn_wiped_pool *psn_wiped_pool_begin(size_t size);
void psn_wiped_pool_end(struct psn_wiped_pool *pool);

#endif
