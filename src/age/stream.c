#include "age/stream.h"

#include <stdlib.h>
#include <string.h>

#include "age/wrap.h"
#include "base/i18n.h"
#include "base/stream.h"
#include "crypto/chunk.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

/*
 * The nonce of chunk i is its number in 11 bytes, big-endian, and a byte that is 1 for
 * the last chunk and else 0: a chunk that is moved, left out or cut off has another nonce
 * than it was sealed with. A chunk is the last one if nothing follows it, so reading is
 * one byte ahead. Chunks are read, worked on and written four at a time. Most files are
 * small, and locked memory is dear: there is no more of it than the file needs.
 */
enum {
    BOX_SIZE = PSN_AGE_CHUNK_SIZE + PSN_CHUNK_TAG_SIZE,
    AT_ONCE = 4,
    PLAIN_SIZE = AT_ONCE * PSN_AGE_CHUNK_SIZE + 1, /* one byte ahead */
    PLAIN_SIZE_SMALL = 4000,
    COUNTER_SIZE = PSN_CHUNK_NONCE_SIZE - 1
};

struct stream {
    struct psn_chunk *chunk;
    uint8_t nonce[PSN_CHUNK_NONCE_SIZE];
    struct psn_secret *plain;
    uint8_t *boxes; /* AT_ONCE chunks, sealed, and one byte ahead */
};

static void stream_release(struct stream *stream)
{
    psn_chunk_free(stream->chunk);
    psn_secret_free(stream->plain);
    free(stream->boxes);
}

/* libcrypto is worth its loading for what does not fit into the first reading. */
static enum psn_code stream_init(struct stream *stream, const struct psn_secret *key,
                                 bool large, struct psn_error *err)
{
    return psn_chunk_new(key, large ? PSN_CHUNK_MANY : PSN_CHUNK_FEW, &stream->chunk,
                         err);
}

static enum psn_code stream_alloc(struct stream *stream, struct psn_error *err)
{
    *stream = (struct stream){ .boxes = malloc(AT_ONCE * BOX_SIZE + 1) };
    if (!stream->boxes)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    return PSN_OK;
}

/* 2^88 chunks are more than there is of anything. */
static void next_nonce(struct stream *stream)
{
    for (size_t i = COUNTER_SIZE; i > 0; i--)
        if (++stream->nonce[i - 1] != 0)
            break;
}

enum psn_code psn_age_payload_key(const struct psn_secret *file_key,
                                  const uint8_t nonce[PSN_AGE_NONCE_SIZE],
                                  struct psn_secret **ret_key, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    enum psn_code rc;

    rc = psn_secret_new(PSN_CHUNK_KEY_SIZE, &key, err);
    if (rc)
        return rc;
    psn_hkdf_sha256(psn_secret_bytes(file_key), PSN_AGE_FILE_KEY_SIZE, nonce,
                    PSN_AGE_NONCE_SIZE, "payload", strlen("payload"),
                    psn_secret_fill(key), PSN_CHUNK_KEY_SIZE);
    psn_secret_set_size(key, PSN_CHUNK_KEY_SIZE);
    *ret_key = PSN_TAKE(key);
    return PSN_OK;
}

/* Seals size bytes of plain text; the last chunk among them is the file's if so said. */
static enum psn_code seal_some(struct stream *stream, size_t size, bool last,
                               size_t *ret_size, struct psn_error *err)
{
    const uint8_t *plain = psn_secret_bytes(stream->plain);
    uint8_t *box = stream->boxes;

    do {
        size_t used = size < PSN_AGE_CHUNK_SIZE ? size : PSN_AGE_CHUNK_SIZE;

        size -= used;
        stream->nonce[COUNTER_SIZE] = last && size == 0;
        if (!psn_chunk_seal(stream->chunk, stream->nonce, plain, used, box))
            return psn_fail(err, PSN_E_UNEXPECTED,
                            _("ChaCha20-Poly1305 does not compute"));
        next_nonce(stream);
        plain += used;
        box += used + PSN_CHUNK_TAG_SIZE;
    } while (size > 0);
    *ret_size = (size_t)(box - stream->boxes);
    return PSN_OK;
}

/* Reads plain text behind the bytes that are there already, as much as there is room. */
static enum psn_code read_plain(struct stream *stream, const struct psn_source *source,
                                size_t *size, struct psn_error *err)
{
    size_t room = psn_secret_capacity(stream->plain) - *size;
    size_t got;
    enum psn_code rc =
        psn_source_fill(source, psn_secret_fill(stream->plain) + *size, room, &got, err);

    if (!rc)
        *size += got;
    return rc;
}

/* The first reading, which finds out how much room is needed. */
static enum psn_code read_first(struct stream *stream, const struct psn_source *source,
                                size_t *size, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *more = NULL;
    enum psn_code rc = psn_secret_new(PLAIN_SIZE_SMALL, &stream->plain, err);

    if (!rc)
        rc = read_plain(stream, source, size, err);
    if (rc || *size < PLAIN_SIZE_SMALL)
        return rc;
    rc = psn_secret_new(PLAIN_SIZE, &more, err);
    if (rc)
        return rc;
    memcpy(psn_secret_fill(more), psn_secret_bytes(stream->plain), *size);
    psn_secret_free(stream->plain);
    stream->plain = PSN_TAKE(more);
    return read_plain(stream, source, size, err);
}

static enum psn_code seal_all(struct stream *stream, const struct psn_secret *key,
                              const struct psn_source *source,
                              const struct psn_sink *sink, struct psn_error *err)
{
    const size_t batch = (size_t)AT_ONCE * PSN_AGE_CHUNK_SIZE;
    size_t got = 0;
    bool last = false;
    enum psn_code rc = read_first(stream, source, &got, err);

    while (!rc) {
        size_t sealed;
        uint8_t *plain = psn_secret_fill(stream->plain);

        last = got <= batch;
        if (!stream->chunk)
            rc = stream_init(stream, key, !last, err);
        if (!rc)
            rc = seal_some(stream, last ? got : batch, last, &sealed, err);
        if (!rc)
            rc = sink->write(sink->self, stream->boxes, sealed, err);
        if (rc || last)
            break;
        plain[0] = plain[batch];
        got = 1;
        rc = read_plain(stream, source, &got, err);
    }
    return rc;
}

enum psn_code psn_age_seal_stream(const struct psn_secret *key,
                                  const struct psn_source *source,
                                  const struct psn_sink *sink, struct psn_error *err)
{
    PSN_AUTO_RELEASE(stream) stream;
    enum psn_code rc;

    rc = stream_alloc(&stream, err);
    return rc ? rc : seal_all(&stream, key, source, sink, err);
}

static enum psn_code broken(struct psn_error *err, const char *why)
{
    (void)psn_fail(err, PSN_E_INTEGRITY, "%s", why);
    return psn_hint(err, PSN_E_INTEGRITY,
                    _("the file was damaged or changed: ask for it again"));
}

static bool is_first(const struct stream *stream)
{
    static const uint8_t zero[COUNTER_SIZE];

    return memcmp(stream->nonce, zero, sizeof zero) == 0;
}

/* Opens size bytes of boxes. The file's last chunk may be empty only if it is alone, so
 * that a content has one encryption. */
static enum psn_code open_some(struct stream *stream, size_t size, bool last,
                               size_t *ret_size, struct psn_error *err)
{
    const uint8_t *box = stream->boxes;
    uint8_t *plain = psn_secret_fill(stream->plain);

    do {
        size_t used = size < BOX_SIZE ? size : BOX_SIZE;

        size -= used;
        if (used < PSN_CHUNK_TAG_SIZE)
            return broken(err, _("the age file is cut off"));
        if (used == PSN_CHUNK_TAG_SIZE && !is_first(stream))
            return broken(err, _("the age file ends with an empty chunk"));
        stream->nonce[COUNTER_SIZE] = last && size == 0;
        if (!psn_chunk_open(stream->chunk, stream->nonce, box, used, plain))
            return broken(err, _("the age file was changed, or its end is missing"));
        next_nonce(stream);
        box += used;
        plain += used - PSN_CHUNK_TAG_SIZE;
    } while (size > 0);
    *ret_size = (size_t)(plain - psn_secret_fill(stream->plain));
    return PSN_OK;
}

/* Opens the boxes that were read and passes on what they hold. */
static enum psn_code open_read(struct stream *stream, size_t size, bool last,
                               const struct psn_sink *sink, struct psn_error *err)
{
    size_t opened;
    enum psn_code rc = open_some(stream, size, last, &opened, err);

    if (!rc && sink && opened > 0)
        rc = sink->write(sink->self, psn_secret_bytes(stream->plain), opened, err);
    return rc;
}

static enum psn_code open_all(struct stream *stream, const struct psn_secret *key,
                              struct psn_age_reader *reader, const struct psn_sink *sink,
                              struct psn_error *err)
{
    size_t batch = (size_t)AT_ONCE * BOX_SIZE;
    size_t ahead = 0;
    bool last = false;
    enum psn_code rc = PSN_OK;

    while (!rc && !last) {
        size_t got;

        rc = psn_age_reader_fill(reader, stream->boxes + ahead, batch + 1 - ahead, &got,
                                 err);
        if (rc)
            break;
        got += ahead;
        last = got <= batch;
        if (last)
            batch = got;
        if (!stream->plain)
            rc = psn_secret_new(batch, &stream->plain, err);
        if (!rc && !stream->chunk)
            rc = stream_init(stream, key, !last, err);
        if (!rc)
            rc = open_read(stream, batch, last, sink, err);
        stream->boxes[0] = stream->boxes[batch];
        ahead = 1;
    }
    return rc;
}

enum psn_code psn_age_open_stream(const struct psn_secret *key,
                                  struct psn_age_reader *reader,
                                  const struct psn_sink *sink, struct psn_error *err)
{
    PSN_AUTO_RELEASE(stream) stream;
    enum psn_code rc;

    rc = stream_alloc(&stream, err);
    return rc ? rc : open_all(&stream, key, reader, sink, err);
}
