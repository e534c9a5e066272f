#ifndef PSN_BASE_BUF_H
#define PSN_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "passation/error.h"

/*
 * A growable byte buffer with a mandatory maximum. It is always terminated by a
 * NUL that does not count. Failure is sticky: appends return nothing, and the
 * one check is psn_buf_check() or psn_buf_take().
 *
 *     PSN_AUTO_RELEASE(psn_buf) url = psn_buf_init(2048);
 *     psn_buf_text(&url, root);
 *     psn_buf_format(&url, "/account/%s", name);
 *     rc = psn_buf_check(&url, err);
 */
struct psn_buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t dirty; /* bytes that were ever in use since the last wipe */
    size_t size_max;
    enum psn_code failed;
    bool wipe; /* overwrite the bytes whenever memory is given back */
};

/* Makes an empty buffer that will hold at most size_max bytes. Cannot fail. */
struct psn_buf psn_buf_init(size_t size_max);

/* The same, for bytes that may hold a secret. */
struct psn_buf psn_buf_init_wiped(size_t size_max);

/* Frees the content; the buffer may be used again. NULL is fine. */
void psn_buf_release(struct psn_buf *buf);

/* Forgets the content (wiped if asked for) and a failure; keeps the memory. */
void psn_buf_reset(struct psn_buf *buf);

void psn_buf_bytes(struct psn_buf *buf, const void *bytes, size_t size);
void psn_buf_text(struct psn_buf *buf, const char *text);
void psn_buf_char(struct psn_buf *buf, char c);
void psn_buf_format(struct psn_buf *buf, const char *format, ...) PSN_PRINTF(2, 3);
void psn_buf_u8(struct psn_buf *buf, uint8_t value);
void psn_buf_u16(struct psn_buf *buf, uint16_t value); /* big-endian, as all below */
void psn_buf_u32(struct psn_buf *buf, uint32_t value);
void psn_buf_u64(struct psn_buf *buf, uint64_t value);

/* Appends size zero bytes and returns where they are, or NULL after a failure. */
uint8_t *psn_buf_reserve(struct psn_buf *buf, size_t size);

/* Leaves only the first size bytes, of which there are as many. */
void psn_buf_cut(struct psn_buf *buf, size_t size);

/* Tells whether every append so far was done: OK, E_NOMEM or E_LIMIT. */
PSN_MUST_CHECK enum psn_code psn_buf_check(const struct psn_buf *buf,
                                           struct psn_error *err);

/* Gives the terminated content to the caller, who frees it; the buffer is empty
 * afterwards. */
PSN_MUST_CHECK enum psn_code psn_buf_take(struct psn_buf *buf, char **ret_text,
                                          struct psn_error *err);

/* The content as a string: never NULL. */
static inline const char *psn_buf_str(const struct psn_buf *buf)
{
    return buf->data ? (const char *)buf->data : "";
}

#endif
