#ifndef PASSATION_SECRET_H
#define PASSATION_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Bytes that must not leak: locked and guarded memory, left out of core dumps,
 * wiped when freed. A secret has a fixed capacity and is never moved. Keep few at
 * a time: each takes a locked page.
 */
struct psn_secret;

/* Makes an empty secret that can hold capacity bytes. The caller owns it. */
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_new(size_t capacity,
                                                    struct psn_secret **ret_secret,
                                                    struct psn_error *err);

/* Makes a secret that holds a copy of the bytes; the caller wipes the original. */
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_copy(const void *bytes, size_t size,
                                                     struct psn_secret **ret_secret,
                                                     struct psn_error *err);

/* Wipes and frees. NULL is fine. */
PSN_API void psn_secret_free(struct psn_secret *secret);

/* Borrowed; valid until the secret is freed. Followed by a NUL that does not count. */
PSN_API const uint8_t *psn_secret_bytes(const struct psn_secret *secret);
PSN_API size_t psn_secret_size(const struct psn_secret *secret);

/* For whoever fills it: the writable bytes, and how many there may be. */
PSN_API uint8_t *psn_secret_fill(struct psn_secret *secret);
PSN_API size_t psn_secret_capacity(const struct psn_secret *secret);

/* Says how many bytes are valid now; a caller's bug if more than the capacity. */
PSN_API void psn_secret_set_size(struct psn_secret *secret, size_t size);

/* Appends bytes; E_LIMIT if they do not fit. */
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_append(struct psn_secret *secret,
                                                       const void *bytes, size_t size,
                                                       struct psn_error *err);

/* Compares in time that depends on the sizes alone. */
PSN_API bool psn_secret_equal(const struct psn_secret *a, const struct psn_secret *b);

/* Reads a descriptor up to its end, without one final newline, into a secret of at
 * most size_max bytes; closes it if above 2. */
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_read_fd(int fd, size_t size_max,
                                                        struct psn_secret **ret_secret,
                                                        struct psn_error *err);

/* The same from a regular file; no symbolic link is followed. */
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_read_file(const char *path,
                                                          size_t size_max,
                                                          struct psn_secret **ret_secret,
                                                          struct psn_error *err);

/* True if this process can lock memory at all; else a warning is due. */
PSN_API bool psn_secret_memory_is_locked(void);

#ifdef __cplusplus
}
#endif

#endif
