#ifndef PSN_BASE_STREAM_H
#define PSN_BASE_STREAM_H

#include "base/buf.h"
#include "passation/stream.h"

/* Writes into a buffer, whose maximum applies and which outlives the result. */
struct psn_sink psn_sink_buf(struct psn_buf *buf);

/* Reads until size bytes are there or the source ends; *ret_size tells. */
PSN_MUST_CHECK enum psn_code psn_source_fill(const struct psn_source *source, void *bytes,
                                             size_t size, size_t *ret_size,
                                             struct psn_error *err);

#endif
