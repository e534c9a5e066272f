#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"

struct psn_buf psn_buf_init(size_t size_max)
{
    assert(size_max < SIZE_MAX / 4); /* so that doubling never runs over */
    return (struct psn_buf){ .size_max = size_max };
}

struct psn_buf psn_buf_init_wiped(size_t size_max)
{
    struct psn_buf buf = psn_buf_init(size_max);

    buf.wipe = true;
    return buf;
}

void psn_buf_release(struct psn_buf *buf)
{
    if (!buf)
        return;
    if (buf->wipe && buf->data)
        explicit_bzero(buf->data, buf->capacity);
    free(buf->data);
    buf->data = NULL;
    buf->size = 0;
    buf->capacity = 0;
    buf->dirty = 0;
    buf->failed = PSN_OK;
}

/* Only what was in use: a loop that resets after one large entry costs no more for the
 * small ones behind it. */
void psn_buf_reset(struct psn_buf *buf)
{
    if (buf->wipe && buf->data)
        explicit_bzero(buf->data, buf->dirty);
    buf->dirty = 0;
    buf->size = 0;
    buf->failed = PSN_OK;
    if (buf->data)
        buf->data[0] = '\0';
}

/* realloc() may leave a copy behind, so wiped buffers move by hand. */
static bool grow_to(struct psn_buf *buf, size_t capacity)
{
    uint8_t *data;

    if (!buf->wipe) {
        data = realloc(buf->data, capacity);
        if (!data)
            return false;
    } else {
        data = malloc(capacity);
        if (!data)
            return false;
        if (buf->data) {
            memcpy(data, buf->data, buf->size);
            explicit_bzero(buf->data, buf->capacity);
            free(buf->data);
        }
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

static bool make_room(struct psn_buf *buf, size_t more)
{
    size_t capacity = buf->capacity ? buf->capacity : 256;

    if (more > buf->size_max || buf->size > buf->size_max - more) {
        buf->failed = PSN_E_LIMIT;
        return false;
    }
    while (capacity < buf->size + more + 1)
        capacity *= 2;
    if (capacity != buf->capacity && !grow_to(buf, capacity)) {
        buf->failed = PSN_E_NOMEM;
        return false;
    }
    return true;
}

/* Where size bytes more go, with a NUL behind them; what stands there is the caller's to
 * write. Each row that is read comes by here some twenty times. */
static inline uint8_t *extend(struct psn_buf *buf, size_t size)
{
    uint8_t *at;

    if (buf->failed)
        return NULL;
    if ((size >= buf->capacity - buf->size || size > buf->size_max - buf->size) &&
        !make_room(buf, size))
        return NULL;
    at = buf->data + buf->size;
    at[size] = '\0';
    buf->size += size;
    if (buf->dirty < buf->size)
        buf->dirty = buf->size;
    return at;
}

uint8_t *psn_buf_reserve(struct psn_buf *buf, size_t size)
{
    uint8_t *at = extend(buf, size);

    if (at)
        memset(at, 0, size);
    return at;
}

void psn_buf_cut(struct psn_buf *buf, size_t size)
{
    assert(size <= buf->size);
    buf->size = size;
    if (buf->data)
        buf->data[size] = '\0';
}

void psn_buf_bytes(struct psn_buf *buf, const void *bytes, size_t size)
{
    uint8_t *at = extend(buf, size);

    if (at && size)
        memcpy(at, bytes, size);
}

void psn_buf_text(struct psn_buf *buf, const char *text)
{
    psn_buf_bytes(buf, text, strlen(text));
}

void psn_buf_char(struct psn_buf *buf, char c)
{
    psn_buf_bytes(buf, &c, 1);
}

void psn_buf_format(struct psn_buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;
    int length;
    uint8_t *at;

    va_start(args, format);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    at = psn_buf_reserve(buf, (size_t)length);
    if (at)
        (void)vsnprintf((char *)at, (size_t)length + 1, format, again);
    va_end(again);
}

static inline void put_big_endian(struct psn_buf *buf, uint64_t value, unsigned size)
{
    uint8_t *at = extend(buf, size);

    for (unsigned i = 0; at && i < size; i++)
        at[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

void psn_buf_u8(struct psn_buf *buf, uint8_t value)
{
    put_big_endian(buf, value, 1);
}

void psn_buf_u16(struct psn_buf *buf, uint16_t value)
{
    put_big_endian(buf, value, 2);
}

void psn_buf_u32(struct psn_buf *buf, uint32_t value)
{
    put_big_endian(buf, value, 4);
}

void psn_buf_u64(struct psn_buf *buf, uint64_t value)
{
    put_big_endian(buf, value, 8);
}

enum psn_code psn_buf_check(const struct psn_buf *buf, struct psn_error *err)
{
    if (buf->failed == PSN_E_NOMEM)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (buf->failed)
        return psn_fail(err, PSN_E_LIMIT, _("more than %zu bytes"), buf->size_max);
    return PSN_OK;
}

enum psn_code psn_buf_take(struct psn_buf *buf, char **ret_text, struct psn_error *err)
{
    enum psn_code rc;

    psn_buf_bytes(buf, "", 0);
    rc = psn_buf_check(buf, err);
    if (rc)
        return rc;
    *ret_text = (char *)buf->data;
    buf->data = NULL;
    buf->size = 0;
    buf->capacity = 0;
    buf->dirty = 0;
    return PSN_OK;
}
