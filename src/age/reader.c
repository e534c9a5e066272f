#include "age/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/stream.h"

enum {
    PIECE_SIZE = 64 * 1024,
    LINE_MAX_SIZE = 2 * PSN_AGE_ARMOR_BLANK_MAX
};

struct psn_age_reader {
    struct psn_source source;
    uint64_t size_max; /* 0: none */
    uint64_t size;     /* read from the source so far */
    bool source_ended;
    bool source_failed;

    bool armored;
    bool armor_failed;
    struct psn_age_dearmor armor;

    size_t piece_at; /* what the source gave */
    size_t piece_end;
    size_t bytes_at; /* decoded, in text form */
    size_t bytes_end;
    uint8_t piece[PIECE_SIZE];
    uint8_t bytes[PIECE_SIZE];
};

/* Reads from the source and counts. */
static enum psn_code pull(struct psn_age_reader *reader, uint8_t *out, size_t size,
                          size_t *ret_size, struct psn_error *err)
{
    enum psn_code rc;

    *ret_size = 0;
    if (reader->source_ended)
        return PSN_OK;
    rc = reader->source.read(reader->source.self, out, size, ret_size, err);
    if (!rc) {
        reader->size += *ret_size;
        reader->source_ended = *ret_size == 0;
        if (reader->size_max > 0 && reader->size > reader->size_max)
            rc = psn_fail(err, PSN_E_LIMIT, _("the file has more than %llu bytes"),
                          (unsigned long long)reader->size_max);
    }
    reader->source_failed = rc;
    return rc;
}

/* Moves what is left to the front and fills the rest of the piece once. */
static enum psn_code refill(struct psn_age_reader *reader, struct psn_error *err)
{
    size_t left = reader->piece_end - reader->piece_at;
    size_t got;
    enum psn_code rc;

    if (reader->piece_at > 0)
        memmove(reader->piece, reader->piece + reader->piece_at, left);
    reader->piece_at = 0;
    reader->piece_end = left;
    rc = pull(reader, reader->piece + left, PIECE_SIZE - left, &got, err);
    reader->piece_end += rc ? 0 : got;
    return rc;
}

enum psn_code psn_age_reader_new(const struct psn_source *source, uint64_t size_max,
                                 struct psn_age_reader **ret_reader,
                                 struct psn_error *err)
{
    PSN_AUTO(psn_age_reader) *reader = malloc(sizeof *reader);
    enum psn_code rc = PSN_OK;

    if (!reader)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    memset(reader, 0, offsetof(struct psn_age_reader, piece));
    reader->source = *source;
    reader->size_max = size_max;
    while (!rc && reader->piece_end < PSN_AGE_ARMOR_PEEK && !reader->source_ended)
        rc = refill(reader, err);
    if (rc)
        return rc;
    reader->armored = psn_age_looks_armored(reader->piece, reader->piece_end);
    *ret_reader = PSN_TAKE(reader);
    return PSN_OK;
}

void psn_age_reader_free(struct psn_age_reader *reader)
{
    free(reader);
}

static enum psn_code armor_fails(struct psn_age_reader *reader, struct psn_error *err)
{
    reader->armor_failed = true;
    (void)psn_fail(err, PSN_E_INTEGRITY, _("the text form of the age file is malformed"));
    return psn_hint(err, PSN_E_INTEGRITY,
                    _("copy it whole, from the BEGIN line to the END line"));
}

/* Takes one line of the text form, which must come to its end within LINE_MAX_SIZE. */
static enum psn_code take_text_line(struct psn_age_reader *reader, const char **ret_line,
                                    size_t *ret_size, bool *ret_ended,
                                    struct psn_error *err)
{
    const char *newline = NULL;
    const char *line;
    size_t left;

    for (;;) {
        enum psn_code rc;

        line = (const char *)reader->piece + reader->piece_at;
        left = reader->piece_end - reader->piece_at;
        newline = memchr(line, '\n', left);
        if (newline || left > LINE_MAX_SIZE || reader->source_ended)
            break;
        rc = refill(reader, err);
        if (rc)
            return rc;
    }
    *ret_ended = newline;
    *ret_size = newline ? (size_t)(newline - line) : left;
    *ret_line = line;
    if (*ret_size > LINE_MAX_SIZE)
        return armor_fails(reader, err);
    reader->piece_at += *ret_size + (newline ? 1 : 0);
    return PSN_OK;
}

/* Decodes lines until the buffer is full or the text ends. */
static enum psn_code decode(struct psn_age_reader *reader, struct psn_error *err)
{
    reader->bytes_at = 0;
    reader->bytes_end = 0;
    while (reader->bytes_end + PSN_AGE_ARMOR_BYTES <= sizeof reader->bytes) {
        const char *line;
        size_t size;
        size_t got;
        bool ended;
        enum psn_code rc = take_text_line(reader, &line, &size, &ended, err);

        if (rc)
            return rc;
        if (!ended && size == 0)
            return psn_age_dearmor_is_done(&reader->armor) ? PSN_OK
                                                           : armor_fails(reader, err);
        if (!psn_age_dearmor_line(&reader->armor, line, size, ended,
                                  reader->bytes + reader->bytes_end, &got))
            return armor_fails(reader, err);
        reader->bytes_end += got;
    }
    return PSN_OK;
}

/* Makes sure that something is there to be read, unless the file has ended. */
static enum psn_code peek(struct psn_age_reader *reader, const uint8_t **ret_bytes,
                          size_t *ret_size, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (reader->armored) {
        if (reader->bytes_at == reader->bytes_end)
            rc = decode(reader, err);
        *ret_bytes = reader->bytes + reader->bytes_at;
        *ret_size = reader->bytes_end - reader->bytes_at;
    } else {
        if (reader->piece_at == reader->piece_end)
            rc = refill(reader, err);
        *ret_bytes = reader->piece + reader->piece_at;
        *ret_size = reader->piece_end - reader->piece_at;
    }
    return rc;
}

static void consume(struct psn_age_reader *reader, size_t size)
{
    if (reader->armored)
        reader->bytes_at += size;
    else
        reader->piece_at += size;
}

enum psn_code psn_age_reader_line(struct psn_age_reader *reader, char *out, size_t room,
                                  size_t *ret_size, struct psn_error *err)
{
    size_t size = 0;
    bool ended = false;

    while (!ended && size < room) {
        const uint8_t *bytes;
        const uint8_t *newline;
        size_t used;
        enum psn_code rc = peek(reader, &bytes, &used, err);

        if (rc)
            return rc;
        if (used == 0)
            break;
        newline = memchr(bytes, '\n', used);
        used = newline ? (size_t)(newline - bytes) + 1 : used;
        ended = newline && used <= room - size;
        used = used < room - size ? used : room - size;
        memcpy(out + size, bytes, used);
        consume(reader, used);
        size += used;
    }
    *ret_size = size;
    return PSN_OK;
}

/* Some of the bytes; straight into the caller's memory where that is possible, since a
 * payload is large. */
static enum psn_code read_some(struct psn_age_reader *reader, uint8_t *bytes, size_t size,
                               size_t *ret_size, struct psn_error *err)
{
    const uint8_t *at;
    enum psn_code rc;

    if (!reader->armored && reader->piece_at == reader->piece_end)
        return pull(reader, bytes, size, ret_size, err);
    rc = peek(reader, &at, ret_size, err);
    if (rc)
        return rc;
    *ret_size = *ret_size < size ? *ret_size : size;
    if (*ret_size > 0)
        memcpy(bytes, at, *ret_size);
    consume(reader, *ret_size);
    return PSN_OK;
}

enum psn_code psn_age_reader_fill(struct psn_age_reader *reader, uint8_t *bytes,
                                  size_t size, size_t *ret_size, struct psn_error *err)
{
    size_t filled = 0;
    size_t got = 1;

    while (filled < size && got > 0) {
        enum psn_code rc = read_some(reader, bytes + filled, size - filled, &got, err);

        if (rc)
            return rc;
        filled += got;
    }
    *ret_size = filled;
    return PSN_OK;
}

bool psn_age_reader_armor_failed(const struct psn_age_reader *reader)
{
    return reader->armor_failed;
}

bool psn_age_reader_source_failed(const struct psn_age_reader *reader)
{
    return reader->source_failed;
}
