#include "passation/age.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "age/header.h"
#include "age/lists.h"
#include "age/reader.h"
#include "age/stream.h"
#include "age/wrap.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/i18n.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

/*
 * A file key of 16 random bytes is sealed once for each recipient in the header, gives
 * the key of the header's MAC, and with a nonce that of the payload.
 *
 * Opening goes through five gates, and a file is refused at the first that it does not
 * pass: text form, header grammar, a stanza that opens, the MAC, each chunk. No byte of
 * plain text leaves before its chunk has passed the last one; psn_age_decrypt_file() lets
 * none leave before all have. It reads the file twice for that: the other way, to keep
 * the plain text somewhere until the end is seen, needs as much locked memory as the file
 * is large, or puts passwords on a disk.
 */

/* HMAC key = HKDF-SHA-256(file key, salt = empty, info = "header"); the MAC covers the
 * header up to and including "---". */
static void header_mac(const struct psn_secret *file_key, const void *text, size_t size,
                       uint8_t ret_mac[PSN_AGE_MAC_SIZE])
{
    uint8_t key[crypto_auth_hmacsha256_KEYBYTES];

    psn_hkdf_sha256(psn_secret_bytes(file_key), PSN_AGE_FILE_KEY_SIZE, NULL, 0, "header",
                    strlen("header"), key, sizeof key);
    (void)crypto_auth_hmacsha256(ret_mac, text, size, key);
    sodium_memzero(key, sizeof key);
}

/* ---- writing ---- */

static enum psn_code new_file_key(struct psn_secret **ret_key, struct psn_error *err)
{
    enum psn_code rc = psn_secret_new(PSN_AGE_FILE_KEY_SIZE, ret_key, err);

    if (rc)
        return rc;
    psn_random(psn_secret_fill(*ret_key), PSN_AGE_FILE_KEY_SIZE);
    psn_secret_set_size(*ret_key, PSN_AGE_FILE_KEY_SIZE);
    return PSN_OK;
}

static enum psn_code write_header(const struct psn_age_recipients *recipients,
                                  const struct psn_secret *file_key,
                                  const struct psn_sink *sink, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) header = psn_buf_init(PSN_AGE_HEADER_MAX);
    char text[PSN_BASE64_TEXT_SIZE(PSN_AGE_MAC_SIZE)];
    uint8_t mac[PSN_AGE_MAC_SIZE];
    enum psn_code rc;

    psn_age_header_begin(&header);
    rc = psn_age_recipients_wrap(recipients, file_key, &header, err);
    if (rc)
        return rc;
    psn_buf_text(&header, "---");
    rc = psn_buf_check(&header, err);
    if (rc)
        return rc;
    header_mac(file_key, header.data, header.size, mac);
    (void)psn_base64_encode(PSN_BASE64_RAW, mac, sizeof mac, text);
    psn_buf_format(&header, " %s\n", text);
    rc = psn_buf_check(&header, err);
    return rc ? rc : sink->write(sink->self, header.data, header.size, err);
}

static enum psn_code write_file(const struct psn_age_recipients *recipients,
                                const struct psn_source *source,
                                const struct psn_sink *sink, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *file_key = NULL;
    PSN_AUTO(psn_secret) *key = NULL;
    uint8_t nonce[PSN_AGE_NONCE_SIZE];
    enum psn_code rc;

    psn_random(nonce, sizeof nonce);
    rc = new_file_key(&file_key, err);
    if (!rc)
        rc = psn_age_payload_key(file_key, nonce, &key, err);
    if (!rc)
        rc = write_header(recipients, file_key, sink, err);
    if (!rc)
        rc = sink->write(sink->self, nonce, sizeof nonce, err);
    return rc ? rc : psn_age_seal_stream(key, source, sink, err);
}

enum psn_code psn_age_encrypt(const struct psn_age_recipients *recipients, bool armor,
                              const struct psn_source *source,
                              const struct psn_sink *sink, struct psn_error *err)
{
    struct psn_age_armorer armorer;
    struct psn_sink armored;
    enum psn_code rc;

    if (!armor)
        return write_file(recipients, source, sink, err);
    armored = psn_age_armor_sink(&armorer, sink);
    rc = write_file(recipients, source, &armored, err);
    return rc ? rc : psn_age_armor_finish(&armorer, err);
}

/* ---- reading ---- */

/* What the first four gates leave: the payload's key, and what the file began with. */
struct opened {
    struct psn_secret *key;
    size_t size;
    char start[PSN_AGE_HEADER_MAX + PSN_AGE_NONCE_SIZE];
};

static void opened_free(struct opened *opened)
{
    if (opened)
        psn_secret_free(opened->key);
    free(opened);
}

PSN_DEFINE_AUTO(opened)

/* Reads up to the end of the line that begins with "---", or of what cannot be a header
 * any more. */
static enum psn_code read_header(struct psn_age_reader *reader, struct opened *opened,
                                 struct psn_error *err)
{
    static const char magic[] = "age-encryption.org/";
    const char *line;
    size_t got;

    do {
        enum psn_code rc;

        line = opened->start + opened->size;
        rc = psn_age_reader_line(reader, opened->start + opened->size,
                                 PSN_AGE_HEADER_MAX - opened->size, &got, err);
        if (rc)
            return rc;
        opened->size += got;
        if (opened->size == PSN_AGE_HEADER_MAX && line[got - 1] != '\n')
            return psn_fail(err, PSN_E_INTEGRITY,
                            _("the age header is larger than %d bytes"),
                            PSN_AGE_HEADER_MAX);
        if (line == opened->start && strncmp(line, magic, sizeof magic - 1) != 0)
            return PSN_OK;
    } while (got > 0 && line[got - 1] == '\n' && strncmp(line, "---", 3) != 0 &&
             opened->size < PSN_AGE_HEADER_MAX);
    return PSN_OK;
}

static enum psn_code read_nonce(struct psn_age_reader *reader, struct opened *opened,
                                struct psn_error *err)
{
    uint8_t *nonce = (uint8_t *)opened->start + opened->size;
    size_t got;
    enum psn_code rc;

    rc = psn_age_reader_fill(reader, nonce, PSN_AGE_NONCE_SIZE, &got, err);
    if (rc)
        return rc;
    if (got < PSN_AGE_NONCE_SIZE)
        return psn_fail(err, PSN_E_INTEGRITY, _("the age file ends behind its header"));
    opened->size += got;
    return PSN_OK;
}

/* *stage is the gate at which a refusal happens. */
static enum psn_code open_header(const struct psn_age_identities *identities,
                                 struct psn_age_reader *reader, struct opened *opened,
                                 enum psn_age_failure *stage, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *file_key = NULL;
    struct psn_age_header header;
    uint8_t mac[PSN_AGE_MAC_SIZE];
    enum psn_code rc;

    *stage = PSN_AGE_HEADER;
    rc = read_header(reader, opened, err);
    if (!rc)
        rc = psn_age_header_parse(opened->start, opened->size, &header, err);
    if (!rc)
        rc = psn_secret_new(PSN_AGE_FILE_KEY_SIZE, &file_key, err);
    if (rc)
        return rc;
    rc = psn_age_identities_unwrap(identities, &header, file_key, err);
    if (rc) {
        *stage = rc == PSN_E_INTEGRITY ? PSN_AGE_HEADER : PSN_AGE_NO_MATCH;
        return rc;
    }
    header_mac(file_key, header.text, header.mac_at + strlen("---"), mac);
    if (sodium_memcmp(mac, header.mac, sizeof mac) != 0) {
        *stage = PSN_AGE_HMAC;
        return psn_fail(err, PSN_E_INTEGRITY, _("the age header was changed"));
    }
    rc = read_nonce(reader, opened, err);
    if (!rc)
        rc = psn_age_payload_key(file_key,
                                 (const uint8_t *)opened->start + opened->size -
                                     PSN_AGE_NONCE_SIZE,
                                 &opened->key, err);
    return rc;
}

/* What the world did to us is not the file's fault. */
static void judge(const struct psn_age_reader *reader, enum psn_code rc,
                  enum psn_age_failure stage, enum psn_age_failure *ret_failure)
{
    bool by_content = rc == PSN_E_INTEGRITY || rc == PSN_E_DENIED || rc == PSN_E_TOO_NEW;

    if (!ret_failure)
        return;
    *ret_failure = PSN_AGE_NO_FAILURE;
    if (reader && psn_age_reader_armor_failed(reader))
        *ret_failure = PSN_AGE_ARMOR;
    else if (rc && by_content && reader && !psn_age_reader_source_failed(reader))
        *ret_failure = stage;
}

/* Opens the header and lets the payload through to the sink, or only proves it. */
static enum psn_code first_pass(const struct psn_age_identities *identities,
                                struct psn_age_reader *reader, struct opened *opened,
                                const struct psn_sink *sink, enum psn_age_failure *stage,
                                struct psn_error *err)
{
    enum psn_code rc;

    rc = open_header(identities, reader, opened, stage, err);
    if (rc)
        return rc;
    *stage = PSN_AGE_PAYLOAD;
    return psn_age_open_stream(opened->key, reader, sink, err);
}

static enum psn_code opened_new(struct opened **ret_opened, struct psn_error *err)
{
    struct opened *opened = calloc(1, sizeof *opened);

    if (!opened)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_opened = opened;
    return PSN_OK;
}

enum psn_code psn_age_decrypt(const struct psn_age_identities *identities,
                              const struct psn_age_limits *limits,
                              const struct psn_source *source,
                              const struct psn_sink *sink,
                              enum psn_age_failure *ret_failure, struct psn_error *err)
{
    PSN_AUTO(opened) *opened = NULL;
    PSN_AUTO(psn_age_reader) *reader = NULL;
    enum psn_age_failure stage = PSN_AGE_NO_FAILURE;
    enum psn_code rc;

    rc = opened_new(&opened, err);
    if (!rc)
        rc = psn_age_reader_new(source, limits ? limits->size_max : 0, &reader, err);
    if (!rc)
        rc = first_pass(identities, reader, opened, sink, &stage, err);
    judge(reader, rc, stage, ret_failure);
    return rc;
}

static enum psn_code rewind_file(const struct psn_stream_fd *file, struct psn_error *err)
{
    if (lseek(file->fd, 0, SEEK_SET) != 0)
        return psn_fail(err, PSN_E_IO, _("cannot read '%s' twice: %s"), file->name,
                        strerror(errno));
    return PSN_OK;
}

/* The payload begins where it did, and behind the same bytes, or the file is another. */
static enum psn_code skip_start(struct psn_age_reader *reader, const struct opened *opened,
                                struct psn_error *err)
{
    PSN_AUTO_FREE uint8_t *start = malloc(opened->size);
    size_t got = 0;
    enum psn_code rc;

    if (!start)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_age_reader_fill(reader, start, opened->size, &got, err);
    if (!rc && (got != opened->size || memcmp(start, opened->start, got) != 0))
        rc = psn_fail(err, PSN_E_INTEGRITY, _("the age file changed while it was read"));
    return rc;
}

static enum psn_code second_pass(const struct opened *opened, uint64_t size_max,
                                 struct psn_stream_fd *file, const struct psn_sink *sink,
                                 enum psn_age_failure *ret_failure, struct psn_error *err)
{
    struct psn_source source = psn_source_fd(file);
    PSN_AUTO(psn_age_reader) *reader = NULL;
    enum psn_code rc;

    rc = rewind_file(file, err);
    if (!rc)
        rc = psn_age_reader_new(&source, size_max, &reader, err);
    if (!rc)
        rc = skip_start(reader, opened, err);
    if (!rc)
        rc = psn_age_open_stream(opened->key, reader, sink, err);
    judge(reader, rc, PSN_AGE_PAYLOAD, ret_failure);
    return rc;
}

enum psn_code psn_age_decrypt_file(const struct psn_age_identities *identities,
                                   const struct psn_age_limits *limits,
                                   struct psn_stream_fd *file,
                                   const struct psn_sink *sink,
                                   enum psn_age_failure *ret_failure,
                                   struct psn_error *err)
{
    struct psn_source source = psn_source_fd(file);
    uint64_t size_max = limits ? limits->size_max : 0;
    PSN_AUTO(opened) *opened = NULL;
    PSN_AUTO(psn_age_reader) *reader = NULL;
    enum psn_age_failure stage = PSN_AGE_NO_FAILURE;
    enum psn_code rc;

    rc = opened_new(&opened, err);
    if (!rc)
        rc = rewind_file(file, err);
    if (!rc)
        rc = psn_age_reader_new(&source, size_max, &reader, err);
    if (!rc)
        rc = first_pass(identities, reader, opened, NULL, &stage, err);
    judge(reader, rc, stage, ret_failure);
    if (rc)
        return rc;
    return second_pass(opened, size_max, file, sink, ret_failure, err);
}
