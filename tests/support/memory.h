#ifndef PSN_TESTS_MEMORY_H
#define PSN_TESTS_MEMORY_H

#include <stddef.h>

/* Counts where a pattern stands in this process's writable memory. The caller keeps the
 * pattern masked (every byte ^ 0x5a), so that it is not found in its own hands; 0 when
 * the system does not show memory. */
size_t memory_count(const unsigned char *masked, size_t size);

/* A copy of its own size, also of 0 bytes, which the caller frees: whoever reads beyond
 * it is seen by the sanitizers and by valgrind. */
void *memory_alone(const void *bytes, size_t size);

#endif
