#include "base/stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"

static enum psn_code read_fd(void *self, void *bytes, size_t size, size_t *ret_size,
                             struct psn_error *err)
{
    const struct psn_stream_fd *file = self;
    ssize_t got;

    do {
        got = read(file->fd, bytes, size);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return psn_fail(err, psn_file_code(errno), _("cannot read '%s': %s"), file->name,
                        strerror(errno));
    *ret_size = (size_t)got;
    return PSN_OK;
}

struct psn_source psn_source_fd(struct psn_stream_fd *file)
{
    return (struct psn_source){ .read = read_fd, .self = file, .name = file->name };
}

static enum psn_code write_fd(void *self, const void *bytes, size_t size,
                              struct psn_error *err)
{
    const struct psn_stream_fd *file = self;
    const char *at = bytes;

    while (size > 0) {
        ssize_t done = write(file->fd, at, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return psn_fail(err, psn_file_code(errno), _("cannot write '%s': %s"),
                            file->name, strerror(errno));
        at += done;
        size -= (size_t)done;
    }
    return PSN_OK;
}

struct psn_sink psn_sink_fd(struct psn_stream_fd *file)
{
    return (struct psn_sink){ write_fd, file };
}

static enum psn_code read_memory(void *self, void *bytes, size_t size, size_t *ret_size,
                                 struct psn_error *err)
{
    struct psn_stream_memory *memory = self;
    size_t left = memory->size - memory->at;
    size_t used = size < left ? size : left;

    (void)err;
    if (used > 0)
        memcpy(bytes, (const char *)memory->bytes + memory->at, used);
    memory->at += used;
    *ret_size = used;
    return PSN_OK;
}

struct psn_source psn_source_memory(struct psn_stream_memory *memory)
{
    return (struct psn_source){ .read = read_memory, .self = memory };
}

static enum psn_code write_buf(void *self, const void *bytes, size_t size,
                               struct psn_error *err)
{
    struct psn_buf *buf = self;

    psn_buf_bytes(buf, bytes, size);
    return psn_buf_check(buf, err);
}

struct psn_sink psn_sink_buf(struct psn_buf *buf)
{
    return (struct psn_sink){ write_buf, buf };
}

enum psn_code psn_source_fill(const struct psn_source *source, void *bytes, size_t size,
                              size_t *ret_size, struct psn_error *err)
{
    size_t filled = 0;
    size_t got = 1;

    while (filled < size && got > 0) {
        enum psn_code rc =
            source->read(source->self, (char *)bytes + filled, size - filled, &got, err);

        if (rc)
            return rc;
        filled += got;
    }
    *ret_size = filled;
    return PSN_OK;
}
