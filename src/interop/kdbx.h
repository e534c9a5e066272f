#ifndef PSN_INTEROP_KDBX_H
#define PSN_INTEROP_KDBX_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/kdf.h"
#include "crypto/keystream.h"
#include "passation/entry.h"

/*
 * KDBX 4 (https://keepass.info/help/kb/kdbx.html), as far as passation writes it:
 *
 *     header | its SHA-256 | its HMAC | blocks: HMAC, size, ChaCha20(content) … | empty
 * block content: inner header | XML, in which secret values are masked by a second
 * ChaCha20
 *
 * kdbx_box.c is the first line, kdbx.c the second with the keys, kdbx_write.c and
 * kdbx_read.c are the XML. Numbers are little-endian.
 */
enum {
    PSN_KDBX_SEED_SIZE = 32,
};

/* The header: what the keys depend on. */
struct psn_kdbx_head {
    uint8_t seed[PSN_KDBX_SEED_SIZE];
    uint8_t nonce[PSN_KEYSTREAM_NONCE_SIZE];
    uint8_t salt[PSN_SALT_SIZE];
    struct psn_kdf_cost cost;
    size_t size; /* in bytes, when it was read */
};

/* ---- the box ---- */

/* Reads the header of a file and proves that it is not damaged; takes no passphrase, no
 * time and no memory. E_INTEGRITY, E_INVALID, E_LIMIT as psn_kdbx_read(). */
PSN_MUST_CHECK enum psn_code psn_kdbx_head_read(const uint8_t *bytes, size_t size,
                                                struct psn_kdbx_head *ret_head,
                                                struct psn_error *err);

/* Appends the whole file: header and blocks. content is masked in place, and of no use
 * afterwards. key is what Argon2id made of the passphrase. */
PSN_MUST_CHECK enum psn_code psn_kdbx_seal(const struct psn_kdbx_head *head,
                                           const struct psn_secret *key,
                                           struct psn_buf *content, struct psn_buf *out,
                                           struct psn_error *err);

/* Proves the header and every block of a file, then fills content, an empty wiped buffer.
 * E_DENIED if the header is not of this key. */
PSN_MUST_CHECK enum psn_code psn_kdbx_unseal(const struct psn_kdbx_head *head,
                                             const struct psn_secret *key,
                                             const uint8_t *bytes, size_t size,
                                             struct psn_buf *content,
                                             struct psn_error *err);

/* ---- the content ---- */

/* What Argon2id makes of the passphrase. */
PSN_MUST_CHECK enum psn_code psn_kdbx_key(const struct psn_kdbx_head *head,
                                          const struct psn_secret *passphrase,
                                          struct psn_secret **ret_key,
                                          struct psn_error *err);

/* The inner header with a new random key, then the XML. content is a wiped buffer. */
PSN_MUST_CHECK enum psn_code psn_kdbx_content_write(const char *name,
                                                    const struct psn_entry *entries,
                                                    size_t count, struct psn_buf *content,
                                                    struct psn_error *err);

/* Reads both. */
PSN_MUST_CHECK enum psn_code psn_kdbx_content_read(const uint8_t *bytes, size_t size,
                                                   psn_entry_fn *each, void *arg,
                                                   struct psn_error *err);

/* ---- the XML ---- */

/* Appends the document. mask is the inner stream, from its beginning. */
PSN_MUST_CHECK enum psn_code psn_kdbx_xml_write(const char *name,
                                                const struct psn_entry *entries,
                                                size_t count, struct psn_keystream *mask,
                                                struct psn_buf *out,
                                                struct psn_error *err);

/* Reads the document, strictly: no element, attribute or comment but those that are
 * written. E_INVALID. */
PSN_MUST_CHECK enum psn_code psn_kdbx_xml_read(const char *xml, size_t size,
                                               struct psn_keystream *mask,
                                               psn_entry_fn *each, void *arg,
                                               struct psn_error *err);

/* Seconds between 0001-01-01, from which the format counts, and 1970-01-01. */
#define PSN_KDBX_EPOCH_S INT64_C(62135596800)

/* The second of a day that a date without a time is written as. */
#define PSN_KDBX_NOON_S INT64_C(43200)

#endif
