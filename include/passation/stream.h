#ifndef PASSATION_STREAM_H
#define PASSATION_STREAM_H

#include <stddef.h>

#include "passation/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Where bytes come from and where they go, for whatever is larger than memory should
 * be. Two function pointers each, so that a program can bring its own; ready-made ones
 * for descriptors and for memory stand below. None of them owns what it points to.
 */
struct psn_source {
    /* Reads at most size bytes (more than 0); *ret_size is 0 at the end and only there.
     */
    enum psn_code (*read)(void *self, void *bytes, size_t size, size_t *ret_size,
                          struct psn_error *err);
    void *self;
    const char *name; /* of the file, for advice; NULL: it has none */
};

struct psn_sink {
    /* Takes all the bytes, or fails. */
    enum psn_code (*write)(void *self, const void *bytes, size_t size,
                           struct psn_error *err);
    void *self;
};

/* A descriptor and the name that errors give it. */
struct psn_stream_fd {
    int fd;
    const char *name;
};

/* Reads from, or writes to, the descriptor in *file, which outlives the result. */
PSN_API struct psn_source psn_source_fd(struct psn_stream_fd *file);
PSN_API struct psn_sink psn_sink_fd(struct psn_stream_fd *file);

/* Bytes in memory, and how many of them were read. */
struct psn_stream_memory {
    const void *bytes;
    size_t size;
    size_t at;
};

/* Reads from *memory, which outlives the result. */
PSN_API struct psn_source psn_source_memory(struct psn_stream_memory *memory);

#ifdef __cplusplus
}
#endif

#endif
