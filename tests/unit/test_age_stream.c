/*
 * The payload of an age file by itself: its nonces, and the memory that it takes. Link
 * with -Wl,--wrap=psn_secret_new
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "age/stream.h"
#include "base/buf.h"
#include "base/stream.h"
#include "crypto/chunk.h"
#include "crypto/init.h"
#include "crypto/secret.h"

enum {
    CHUNK = PSN_AGE_CHUNK_SIZE,
    BOX = PSN_AGE_CHUNK_SIZE + PSN_CHUNK_TAG_SIZE,
    CHUNKS = 258 /* one more than a byte can tell from the first, and a last one */
};

static struct psn_secret *key;
static size_t most_locked; /* the largest secret that was asked for */
static size_t refused;     /* secrets of this size are not to be had; 0: all are */

enum psn_code __real_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err);
enum psn_code __wrap_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err);

enum psn_code __wrap_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err)
{
    most_locked = capacity > most_locked ? capacity : most_locked;
    if (refused && capacity == refused)
        return psn_fail(err, PSN_E_NOMEM, "no memory can be locked");
    return __real_psn_secret_new(capacity, ret_secret, err);
}

static int set_up(void **state)
{
    static const uint8_t bytes[PSN_CHUNK_KEY_SIZE] = "the payload's own key, of 32 byt";

    (void)state;
    return psn_crypto_init(NULL) || psn_secret_copy(bytes, sizeof bytes, &key, NULL) ? -1
                                                                                     : 0;
}

static int tear_down(void **state)
{
    (void)state;
    psn_secret_free(key);
    return 0;
}

static void seal(const uint8_t *plain, size_t size, struct psn_buf *out)
{
    struct psn_stream_memory memory = { plain, size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(out);

    psn_buf_reset(out);
    assert_int_equal(psn_age_seal_stream(key, &source, &sink, NULL), PSN_OK);
}

static enum psn_code open_to(const struct psn_buf *boxes, const struct psn_sink *sink)
{
    struct psn_stream_memory memory = { boxes->data, boxes->size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    PSN_AUTO(psn_age_reader) *reader = NULL;

    assert_int_equal(psn_age_reader_new(&source, UINT64_MAX, &reader, NULL), PSN_OK);
    return psn_age_open_stream(key, reader, sink, NULL);
}

/* Both directions could count in another way together: this is the format's own. */
static void the_nonce_of_a_chunk_is_its_number_and_whether_it_is_the_last(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) boxes = psn_buf_init((size_t)CHUNKS * BOX);
    PSN_AUTO_FREE uint8_t *plain = calloc(CHUNKS, CHUNK);
    PSN_AUTO(psn_chunk) *chunk = NULL;
    static uint8_t found[CHUNK];

    (void)state;
    for (size_t i = 0; i < CHUNKS; i++)
        plain[i * CHUNK] = (uint8_t)(i * 7);
    seal(plain, (size_t)CHUNKS * CHUNK, &boxes);
    assert_int_equal(boxes.size, (size_t)CHUNKS * BOX);
    assert_int_equal(psn_chunk_new(key, PSN_CHUNK_FEW, &chunk, NULL), PSN_OK);
    for (size_t i = 0; i < CHUNKS; i++) {
        const uint8_t nonce[PSN_CHUNK_NONCE_SIZE] = {
            [9] = (uint8_t)(i >> 8), [10] = (uint8_t)i, [11] = i == CHUNKS - 1
        };

        assert_true(psn_chunk_open(chunk, nonce, boxes.data + i * BOX, BOX, found));
        assert_memory_equal(found, plain + i * CHUNK, CHUNK);
    }
    assert_int_equal(open_to(&boxes, NULL), PSN_OK);
}

/* Locked memory is dear. */
static void no_more_memory_is_locked_than_a_file_needs(void **state)
{
    static const struct {
        size_t size, seals, opens;
    } rows[] = {
        { 0, 4000, 16 },
        { 3999, 4000, 4015 },
        { 4000, 4 * CHUNK + 1, 4016 },
        { CHUNK, 4 * CHUNK + 1, BOX },
        { 4 * CHUNK, 4 * CHUNK + 1, 4 * BOX },
        { 9 * CHUNK, 4 * CHUNK + 1, 4 * BOX },
    };
    PSN_AUTO_FREE uint8_t *plain = calloc(9, CHUNK);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_RELEASE(psn_buf) boxes = psn_buf_init((size_t)10 * BOX);

        most_locked = 0;
        seal(plain, rows[i].size, &boxes);
        assert_int_equal(most_locked, rows[i].seals);
        most_locked = 0;
        assert_int_equal(open_to(&boxes, NULL), PSN_OK);
        assert_int_equal(most_locked, rows[i].opens);
    }
}

/* It must not be taken for one that ends where the first reading did. */
static void a_file_that_needs_more_than_can_be_locked_is_not_sealed(void **state)
{
    static const size_t sizes[] = { 4000, 4 * CHUNK + 1 };
    PSN_AUTO_FREE uint8_t *plain = calloc(5, CHUNK);

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct psn_stream_memory memory = { plain, 4 * CHUNK + 1, 0 };
        struct psn_source source = psn_source_memory(&memory);
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init((size_t)10 * BOX);
        struct psn_sink sink = psn_sink_buf(&out);

        refused = sizes[i];
        assert_int_equal(psn_age_seal_stream(key, &source, &sink, NULL), PSN_E_NOMEM);
        assert_int_equal(out.size, 0);
        refused = 0;
    }
}

/* A sink is given nothing where there is nothing. */
static enum psn_code count_writes(void *self, const void *bytes, size_t size,
                                  struct psn_error *err)
{
    size_t *writes = self;

    (void)bytes;
    (void)err;
    assert_true(size > 0);
    ++*writes;
    return PSN_OK;
}

static void four_chunks_are_written_at_once_and_of_an_empty_file_nothing(void **state)
{
    static const struct {
        size_t size, writes;
    } rows[] = {
        { 0, 0 },         { 1, 1 },         { 4 * CHUNK, 1 },     { 4 * CHUNK + 1, 2 },
        { 8 * CHUNK, 2 }, { 9 * CHUNK, 3 }, { 8 * CHUNK + 1, 3 },
    };
    PSN_AUTO_FREE uint8_t *plain = calloc(9, CHUNK);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_RELEASE(psn_buf) boxes = psn_buf_init((size_t)10 * BOX);
        size_t writes = 0;
        const struct psn_sink sink = { count_writes, &writes };

        seal(plain, rows[i].size, &boxes);
        assert_int_equal(open_to(&boxes, &sink), PSN_OK);
        assert_int_equal(writes, rows[i].writes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nonce_of_a_chunk_is_its_number_and_whether_it_is_the_last),
        cmocka_unit_test(no_more_memory_is_locked_than_a_file_needs),
        cmocka_unit_test(a_file_that_needs_more_than_can_be_locked_is_not_sealed),
        cmocka_unit_test(four_chunks_are_written_at_once_and_of_an_empty_file_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
