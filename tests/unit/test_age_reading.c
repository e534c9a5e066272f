#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "age/armor.h"
#include "age/header.h"
#include "age/identity.h"
#include "age/lists.h"
#include "base/file.h"
#include "base/stream.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "support/tmpdir.h"

/* Where a file, a header or a line ends that goes on for too long, or too early; and what
 * cannot be read twice. */

#define VERSION_1 "age-encryption.org/v1\n"

static struct tmpdir dir;
static struct psn_age_identities *by;
static struct psn_age_recipients *to;
static char recipient[PSN_AGE_RECIPIENT_MAX];

static int set_up(void **state)
{
    PSN_AUTO(psn_secret) *scalar = NULL;
    PSN_AUTO(psn_secret) *text = NULL;

    (void)state;
    tmpdir_make(&dir);
    if (psn_crypto_init(NULL) || psn_age_identity_new(&scalar, NULL) ||
        psn_age_identity_text(scalar, &text, NULL) ||
        psn_age_recipient(scalar, recipient, NULL) || psn_age_recipients_new(&to, NULL) ||
        psn_age_identities_new(&by, NULL) ||
        psn_age_recipients_add(to, recipient, NULL) ||
        psn_age_identities_add(by, text, NULL))
        return -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    psn_age_recipients_free(to);
    psn_age_identities_free(by);
    tmpdir_remove(&dir);
    return 0;
}

static void seal(struct psn_buf *ret_file, const char *plain)
{
    struct psn_stream_memory memory = { plain, strlen(plain), 0 };
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(ret_file);

    assert_int_equal(psn_age_encrypt(to, false, &source, &sink, NULL), PSN_OK);
}

/* Some bytes at a time, as from a pipe. */
static enum psn_code read_some(void *self, void *bytes, size_t size, size_t *ret_size,
                               struct psn_error *err)
{
    struct psn_source source = psn_source_memory(self);

    return source.read(source.self, bytes, size < 1000 ? size : 1000, ret_size, err);
}

static enum psn_code open_bytes(const struct psn_buf *file, enum psn_age_failure *failure,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
    struct psn_stream_memory memory = { file->data, file->size, 0 };
    struct psn_source source = { .read = read_some, .self = &memory };
    struct psn_sink sink = psn_sink_buf(&out);
    enum psn_code rc = psn_age_decrypt(by, NULL, &source, &sink, failure, err);

    assert_int_equal(out.size, 0);
    return rc;
}

static void fill(struct psn_buf *text, char c, size_t size)
{
    while (text->size < size)
        psn_buf_char(text, c);
}

/* --- bounds --- */

static void a_header_that_does_not_end_is_refused_where_headers_must(void **state)
{
    enum psn_age_failure failure;

    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init((size_t)1 << 20);
        struct psn_error err = { 0 };

        psn_buf_text(&file, VERSION_1);
        /* In one line; or in lines of which one ends at the very bound. */
        fill(&file, 'x', PSN_AGE_HEADER_MAX - 1);
        psn_buf_char(&file, whole ? '\n' : 'x');
        fill(&file, 'x', PSN_AGE_HEADER_MAX + 10);
        psn_buf_char(&file, '\n');
        assert_int_equal(open_bytes(&file, &failure, &err), PSN_E_INTEGRITY);
        assert_int_equal(failure, PSN_AGE_HEADER);
        assert_true((strstr(err.message, "larger than 65536 bytes") != NULL) == !whole);
    }
}

static void a_line_of_armor_that_does_not_end_is_refused(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init((size_t)1 << 20);
    enum psn_age_failure failure;
    struct psn_error err = { 0 };

    (void)state;
    psn_buf_text(&file, "-----BEGIN AGE ENCRYPTED FILE-----\n");
    fill(&file, 'A', 200000);
    assert_int_equal(open_bytes(&file, &failure, &err), PSN_E_INTEGRITY);
    assert_int_equal(failure, PSN_AGE_ARMOR);
    assert_non_null(strstr(err.message, "the text form of the age file is malformed"));
}

/* --- a source that fails --- */

struct broken {
    const struct psn_buf *file;
    size_t at;
    size_t ends; /* here it fails */
    enum psn_code code;
};

static enum psn_code read_broken(void *self, void *bytes, size_t size, size_t *ret_size,
                                 struct psn_error *err)
{
    struct broken *broken = self;
    size_t left = broken->ends - broken->at;

    if (left == 0)
        return psn_fail(err, broken->code, "the disk");
    *ret_size = left < size ? left : size;
    memcpy(bytes, broken->file->data + broken->at, *ret_size);
    broken->at += *ret_size;
    return PSN_OK;
}

/* Also where the source says it with the words that are the file's. */
static void what_the_source_says_is_passed_on_and_is_not_the_files_fault(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_AGE_HEADER_MAX);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
    struct psn_sink sink = psn_sink_buf(&out);
    enum psn_code codes[] = { PSN_E_IO, PSN_E_INTEGRITY };

    (void)state;
    /* More of a header than is looked at to tell the text form. */
    while (file.size < 2 * PSN_AGE_ARMOR_PEEK) {
        psn_buf_reset(&file);
        assert_int_equal(psn_age_recipients_add(to, recipient, NULL), PSN_OK);
        seal(&file, "x");
    }
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        for (size_t ends = 0; ends <= file.size; ends++) {
            struct broken broken = { &file, 0, ends, codes[i] };
            struct psn_source source = { .read = read_broken, .self = &broken };
            enum psn_age_failure failure = PSN_AGE_HEADER;

            assert_int_equal(psn_age_decrypt(by, NULL, &source, &sink, &failure, NULL),
                             codes[i]);
            assert_int_equal(failure, PSN_AGE_NO_FAILURE);
            assert_int_equal(out.size, 0);
        }
}

/* --- twice --- */

static void what_cannot_be_read_twice_is_refused_before_it_is_read(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
    struct psn_sink sink = psn_sink_buf(&out);
    enum psn_age_failure failure = PSN_AGE_HEADER;
    struct psn_error err = { 0 };
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(psn_age_decrypt_file(by, NULL,
                                          &(struct psn_stream_fd){ ends[0], "the pipe" },
                                          &sink, &failure, &err),
                     PSN_E_IO);
    assert_int_equal(failure, PSN_AGE_NO_FAILURE);
    assert_non_null(strstr(err.message, "cannot read 'the pipe' twice"));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_file_that_is_read_twice_has_the_same_limit(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_AGE_HEADER_MAX);
    char path[TMPDIR_PATH_MAX];

    (void)state;
    seal(&file, "x");
    assert_int_equal(psn_file_write(tmpdir_path(&dir, "file", path), file.data, file.size,
                                    PSN_FILE_REPLACE, NULL),
                     PSN_OK);
    for (int less = 0; less < 2; less++) {
        const struct psn_age_limits limits = { file.size - (size_t)less };
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
        struct psn_sink sink = psn_sink_buf(&out);
        enum psn_age_failure failure;
        PSN_AUTO_FD int fd = -1;

        assert_int_equal(psn_file_open(path, &fd, NULL), PSN_OK);
        assert_int_equal(psn_age_decrypt_file(by, &limits,
                                              &(struct psn_stream_fd){ fd, path }, &sink,
                                              &failure, NULL),
                         less ? PSN_E_LIMIT : PSN_OK);
        assert_int_equal(out.size, less ? 0 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_that_does_not_end_is_refused_where_headers_must),
        cmocka_unit_test(a_line_of_armor_that_does_not_end_is_refused),
        cmocka_unit_test(what_the_source_says_is_passed_on_and_is_not_the_files_fault),
        cmocka_unit_test(what_cannot_be_read_twice_is_refused_before_it_is_read),
        cmocka_unit_test(a_file_that_is_read_twice_has_the_same_limit),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
