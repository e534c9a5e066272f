/*
 * Digests of what is read piece by piece. Link with -Wl,--wrap=psn_secret_new
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/auto.h"
#include "base/stream.h"
#include "crypto/digest.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/secret.h"

enum {
    FIRST = 4000,
    PIECE = 256 * 1024
};

static size_t secrets;  /* asked for so far */
static size_t fails_at; /* the one that is not to be had; 0: none */
static size_t last;     /* the size of the last one */

enum psn_code __real_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err);
enum psn_code __wrap_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err);

enum psn_code __wrap_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err)
{
    last = capacity;
    if (++secrets == fails_at)
        return psn_fail(err, PSN_E_NOMEM, "no memory can be locked");
    return __real_psn_secret_new(capacity, ret_secret, err);
}

/* A source that gives at most so many bytes at a time, and then fails if so told. */
struct source {
    struct psn_stream_memory memory;
    size_t most;
    size_t reads; /* left until one fails; SIZE_MAX: none does */
};

static enum psn_code read_some(void *self, void *bytes, size_t size, size_t *ret_size,
                               struct psn_error *err)
{
    struct source *source = self;
    struct psn_source memory = psn_source_memory(&source->memory);

    if (source->reads-- == 0)
        return psn_fail(err, PSN_E_IO, "the disk");
    return memory.read(memory.self, bytes, size < source->most ? size : source->most,
                       ret_size, err);
}

static enum psn_code digest(enum psn_digest kind, struct source *from,
                            uint8_t ret_digest[PSN_DIGEST_SIZE])
{
    const struct psn_source source = { .read = read_some, .self = from };

    from->memory.at = 0;
    secrets = 0;
    return psn_digest_source(kind, &source, ret_digest, NULL);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

static void digests_are_those_of_fips_180_and_rfc_7693(void **state)
{
    static const char *const expected[] = {
        [PSN_DIGEST_SHA512] = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2"
                              "0a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
                              "454d4423643ce80e2a9ac94fa54ca49f",
        [PSN_DIGEST_BLAKE2B] = "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b7"
                               "4b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc95"
                               "18d38aa8dbf1925ab92386edd4009923",
    };

    (void)state;
    for (size_t kind = 0; kind < sizeof expected / sizeof *expected; kind++) {
        struct source from = { { "abc", 3, 0 }, 1, SIZE_MAX };
        uint8_t found[PSN_DIGEST_SIZE];
        char hex[2 * PSN_DIGEST_SIZE + 1];

        assert_int_equal(digest((enum psn_digest)kind, &from, found), PSN_OK);
        assert_string_equal(psn_hex(found, sizeof found, hex), expected[kind]);
    }
}

static void in_which_pieces_it_comes_makes_no_difference(void **state)
{
    static const size_t sizes[] = { 0,         1,     FIRST - 1,     FIRST,    FIRST + 1,
                                    2 * FIRST, PIECE, FIRST + PIECE, 3 * PIECE };
    static const size_t most[] = { 997, FIRST, PIECE, SIZE_MAX };
    PSN_AUTO_FREE uint8_t *content = malloc(3 * PIECE);

    (void)state;
    psn_random(content, 3 * PIECE);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t j = 0; j < sizeof most / sizeof *most; j++) {
            struct source from = { { content, sizes[i], 0 }, most[j], SIZE_MAX };
            uint8_t found[PSN_DIGEST_SIZE];
            uint8_t whole[PSN_DIGEST_SIZE];

            psn_sha512(content, sizes[i], whole);
            assert_int_equal(digest(PSN_DIGEST_SHA512, &from, found), PSN_OK);
            assert_memory_equal(found, whole, sizeof whole);
            (void)crypto_generichash(whole, sizeof whole, content, sizes[i], NULL, 0);
            assert_int_equal(digest(PSN_DIGEST_BLAKE2B, &from, found), PSN_OK);
            assert_memory_equal(found, whole, sizeof whole);
        }
}

/* Locked memory is dear: more of it is taken once, and only for what is larger. */
static void a_small_content_takes_little_locked_memory(void **state)
{
    PSN_AUTO_FREE uint8_t *content = calloc(3, PIECE);
    static const struct {
        size_t size, secrets, last;
    } rows[] = {
        { 0, 1, FIRST },
        { FIRST - 1, 1, FIRST },
        { FIRST, 2, PIECE },
        { 3 * PIECE, 2, PIECE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct source from = { { content, rows[i].size, 0 }, SIZE_MAX, SIZE_MAX };
        uint8_t found[PSN_DIGEST_SIZE];

        assert_int_equal(digest(PSN_DIGEST_SHA512, &from, found), PSN_OK);
        assert_int_equal(secrets, rows[i].secrets);
        assert_int_equal(last, rows[i].last);
    }
}

static void what_fails_while_it_is_read_gives_no_digest(void **state)
{
    static const uint8_t untouched[PSN_DIGEST_SIZE] = { 7 };
    PSN_AUTO_FREE uint8_t *content = calloc(3, PIECE);
    struct source from = { { content, 3 * PIECE, 0 }, SIZE_MAX, 0 };
    uint8_t found[PSN_DIGEST_SIZE] = { 7 };

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        for (size_t reads = 0; reads < 5; reads++) {
            from.reads = reads;
            assert_int_equal(digest((enum psn_digest)kind, &from, found), PSN_E_IO);
        }
        from.reads = SIZE_MAX;
        for (fails_at = 1; fails_at <= 2; fails_at++)
            assert_int_equal(digest((enum psn_digest)kind, &from, found), PSN_E_NOMEM);
        fails_at = 0;
    }
    assert_memory_equal(found, untouched, sizeof found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_fips_180_and_rfc_7693),
        cmocka_unit_test(in_which_pieces_it_comes_makes_no_difference),
        cmocka_unit_test(a_small_content_takes_little_locked_memory),
        cmocka_unit_test(what_fails_while_it_is_read_gives_no_digest),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
