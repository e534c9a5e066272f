/*
 * Makes every allocation, secret page, read, rewind and write fail in turn, once and from
 * then on, while a key is made, and a file encrypted, opened in one and in two passes,
 * and signed and checked. Link with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strndup,--wrap=sodium_malloc
 * -Wl,--wrap=lseek
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "age/identity.h"
#include "age/lists.h"
#include "base/file.h"
#include "base/stream.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "passation/signature.h"
#include "support/record.h"
#include "support/tmpdir.h"

/* The fault: the call that fails (0: none), and whether all later ones do. */
static size_t fail_at;
static bool fail_on;
static size_t calls;

void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strndup(const char *text, size_t size);
void *__real_sodium_malloc(size_t size);
off_t __real_lseek(int fd, off_t offset, int from);
off_t __wrap_lseek(int fd, off_t offset, int from);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strndup(const char *text, size_t size);
void *__wrap_sodium_malloc(size_t size);

static bool fails(void)
{
    calls++;
    return fail_at && (calls == fail_at || (fail_on && calls > fail_at));
}

/* What is done to the file when it is about to be read again; NULL: nothing. */
static void (*before_again)(int fd);
static size_t rewinds;

off_t __wrap_lseek(int fd, off_t offset, int from)
{
    if (++rewinds == 2 && before_again)
        before_again(fd);
    return fails() ? -1 : __real_lseek(fd, offset, from);
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fails() ? NULL : __real_calloc(number, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

void *__wrap_sodium_malloc(size_t size)
{
    return fails() ? NULL : __real_sodium_malloc(size);
}

enum {
    CONTENT_SIZE = 300 * 1000 /* more than one reading: libcrypto is in it too */
};

static struct tmpdir dir;
static uint8_t content[CONTENT_SIZE];
static uint8_t written[2 * CONTENT_SIZE];
static size_t written_size;
static struct psn_secret *identity;
static char recipient[PSN_AGE_RECIPIENT_MAX];

static const char *path_of(const char *name)
{
    static char path[TMPDIR_PATH_MAX];

    return tmpdir_path(&dir, name, path);
}

static enum psn_code read_or_fail(void *self, void *bytes, size_t size, size_t *ret_size,
                                  struct psn_error *err)
{
    struct psn_source source = psn_source_memory(self);

    if (fails())
        return psn_fail(err, PSN_E_IO, "the disk");
    return source.read(source.self, bytes, size, ret_size, err);
}

static enum psn_code write_or_fail(void *self, const void *bytes, size_t size,
                                   struct psn_error *err)
{
    (void)self;
    if (fails())
        return psn_fail(err, PSN_E_FULL, "no room");
    assert_true(written_size + size <= sizeof written);
    memcpy(written + written_size, bytes, size);
    written_size += size;
    return PSN_OK;
}

static const struct psn_sink sink = { write_or_fail, NULL };

static int set_up(void **state)
{
    PSN_AUTO(psn_secret) *scalar = NULL;

    (void)state;
    tmpdir_make(&dir);
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i % 251);
    if (psn_crypto_init(NULL) || psn_age_identity_new(&scalar, NULL) ||
        psn_age_identity_text(scalar, &identity, NULL) ||
        psn_age_recipient(scalar, recipient, NULL))
        return -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    psn_secret_free(identity);
    tmpdir_remove(&dir);
    return 0;
}

/* The scenarios -------------------------------------------------------------------- */

static enum psn_code encrypt(bool armor, struct psn_error *err)
{
    struct psn_stream_memory memory = { content, sizeof content, 0 };
    const struct psn_source source = { .read = read_or_fail, .self = &memory };
    PSN_AUTO(psn_age_recipients) *to = NULL;
    enum psn_code rc;

    written_size = 0;
    rc = psn_age_recipients_new(&to, err);
    /* Of two the header's end needs more room than there is left. */
    for (int i = 0; !rc && i < 2; i++)
        rc = psn_age_recipients_add(to, recipient, err);
    return rc ? rc : psn_age_encrypt(to, armor, &source, &sink, err);
}

static enum psn_code make_key(struct psn_error *err)
{
    PSN_AUTO(psn_secret) *scalar = NULL;
    PSN_AUTO(psn_secret) *text = NULL;
    enum psn_code rc = psn_age_identity_new(&scalar, err);

    return rc ? rc : psn_age_identity_text(scalar, &text, err);
}

static enum psn_code encrypt_binary(struct psn_error *err)
{
    return encrypt(false, err);
}

static enum psn_code encrypt_armored(struct psn_error *err)
{
    return encrypt(true, err);
}

static uint8_t sealed[2 * CONTENT_SIZE];
static size_t sealed_size;

static void seal(bool armor)
{
    fail_at = 0;
    assert_int_equal(encrypt(armor, NULL), PSN_OK);
    memcpy(sealed, written, written_size);
    sealed_size = written_size;
}

static enum psn_code list_of_identities(struct psn_age_identities **ret,
                                        struct psn_error *err)
{
    enum psn_code rc = psn_age_identities_new(ret, err);

    return rc ? rc : psn_age_identities_add(*ret, identity, err);
}

static enum psn_code check_opened(enum psn_code rc, enum psn_age_failure failure)
{
    assert_int_equal(failure, PSN_AGE_NO_FAILURE);
    assert_true(written_size <= sizeof content);
    assert_memory_equal(written, content, written_size);
    assert_true(rc || written_size == sizeof content);
    return rc;
}

static enum psn_code decrypt(struct psn_error *err)
{
    struct psn_stream_memory memory = { sealed, sealed_size, 0 };
    const struct psn_source source = { .read = read_or_fail, .self = &memory };
    enum psn_age_failure failure = PSN_AGE_NO_FAILURE;
    PSN_AUTO(psn_age_identities) *by = NULL;
    enum psn_code rc;

    written_size = 0;
    rc = list_of_identities(&by, err);
    if (!rc)
        rc = psn_age_decrypt(by, NULL, &source, &sink, &failure, err);
    return check_opened(rc, failure);
}

static enum psn_code decrypt_file(struct psn_error *err)
{
    enum psn_age_failure failure = PSN_AGE_NO_FAILURE;
    PSN_AUTO(psn_age_identities) *by = NULL;
    PSN_AUTO_FD int fd = -1;
    enum psn_code rc;

    written_size = 0;
    rc = psn_file_open(path_of("sealed"), &fd, err);
    if (!rc)
        rc = list_of_identities(&by, err);
    if (!rc)
        rc = psn_age_decrypt_file(by, NULL, &(struct psn_stream_fd){ fd, "sealed" },
                                  &sink, &failure, err);
    return check_opened(rc, failure);
}

static enum psn_code sign_and_verify(struct psn_error *err)
{
    struct psn_stream_memory memory = { content, sizeof content, 0 };
    const struct psn_source source = { .read = read_or_fail, .self = &memory };
    struct psn_minisign_key key = { .id = { 1 } };
    PSN_AUTO(psn_secret) *seed = NULL;
    PSN_AUTO_FREE char *ssh = NULL;
    PSN_AUTO_FREE char *mini = NULL;
    PSN_AUTO_FREE char *comment = NULL;
    enum psn_code rc;

    rc = psn_secret_copy(content, PSN_SIGN_SEED_SIZE, &seed, err);
    if (!rc)
        rc = psn_sign_public(seed, key.key, err);
    if (!rc)
        rc = psn_sshsig_sign(seed, "test", &source, &ssh, err);
    memory.at = 0;
    if (!rc)
        rc = psn_sshsig_verify(ssh, strlen(ssh), key.key, "test", &source, err);
    memory.at = 0;
    if (!rc)
        rc = psn_minisign_sign(seed, &key, &source, "a comment", &mini, err);
    memory.at = 0;
    if (!rc)
        rc = psn_minisign_verify(mini, strlen(mini), &key, &source, &comment, err);
    assert_true(rc || strcmp(comment, "a comment") == 0);
    return rc;
}

/* The sweep ------------------------------------------------------------------------ */

static size_t sweep(enum psn_code (*scenario)(struct psn_error *err), bool from_then_on)
{
    for (size_t n = 1;; n++) {
        struct psn_error err = { 0 };
        enum psn_code rc;

        calls = 0;
        fail_at = n;
        fail_on = from_then_on;
        rc = scenario(&err);
        fail_at = 0;
        if (calls < n) {
            assert_int_equal(rc, PSN_OK);
            return n - 1;
        }
        if (rc == PSN_OK) /* libcrypto's absence is survived */
            continue;
        assert_int_equal(err.code, rc);
        assert_true(rc == PSN_E_NOMEM || rc == PSN_E_IO || rc == PSN_E_FULL);
    }
}

static void sweep_both(enum psn_code (*scenario)(struct psn_error *err))
{
    size_t once = sweep(scenario, false);
    size_t sticky = sweep(scenario, true);

    record_figure("5.4", "age files", once + sticky, once + sticky);
    assert_true(once > 5 && sticky > 0);
}

static void making_a_key_survives_every_fault(void **state)
{
    (void)state;
    (void)sweep(make_key, false);
    (void)sweep(make_key, true);
}

static void encrypting_survives_every_fault(void **state)
{
    (void)state;
    sweep_both(encrypt_binary);
    sweep_both(encrypt_armored);
}

static void opening_survives_every_fault_and_releases_only_what_was_sealed(void **state)
{
    (void)state;
    for (int armor = 0; armor < 2; armor++) {
        seal(armor);
        sweep_both(decrypt);
        assert_int_equal(psn_file_write(path_of("sealed"), sealed, sealed_size,
                                        PSN_FILE_REPLACE, NULL),
                         PSN_OK);
        sweep_both(decrypt_file);
    }
}

static void signing_and_checking_survive_every_fault(void **state)
{
    (void)state;
    sweep_both(sign_and_verify);
}

/* Between the passes --------------------------------------------------------------- */

struct meddler {
    int fd;
    off_t at; /* the byte to change when the first chunk is written */
    bool cut;
    size_t released;
};

static enum psn_code meddle(void *self, const void *bytes, size_t size,
                            struct psn_error *err)
{
    struct meddler *meddler = self;

    (void)err;
    if (meddler->released == 0) {
        char byte = 0;

        if (meddler->cut)
            assert_int_equal(ftruncate(meddler->fd, meddler->at), 0);
        else
            assert_int_equal(pwrite(meddler->fd, &byte, 1, meddler->at), 1);
    }
    assert_memory_equal(bytes, content + meddler->released, size);
    meddler->released += size;
    return PSN_OK;
}

/* Whoever changes the file under our eyes stops it; no byte that was not sealed leaves.
 */
static void a_file_changed_between_the_passes_yields_nothing_else(void **state)
{
    PSN_AUTO(psn_age_identities) *by = NULL;

    (void)state;
    assert_int_equal(list_of_identities(&by, NULL), PSN_OK);
    seal(false);
    for (int cut = 0; cut < 2; cut++) {
        const char *path = path_of("meddled");
        struct meddler meddler = { .at = (off_t)sealed_size - 1000, .cut = cut };
        const struct psn_sink meddling = { meddle, &meddler };
        enum psn_age_failure failure;
        FILE *file;

        assert_int_equal(
            psn_file_write(path, sealed, sealed_size, PSN_FILE_REPLACE, NULL), PSN_OK);
        file = fopen(path, "r+");
        assert_non_null(file);
        meddler.fd = fileno(file);
        assert_int_equal(psn_age_decrypt_file(by, NULL,
                                              &(struct psn_stream_fd){ meddler.fd, path },
                                              &meddling, &failure, NULL),
                         PSN_E_INTEGRITY);
        assert_int_equal(failure, PSN_AGE_PAYLOAD);
        assert_true(meddler.released < sizeof content);
        (void)fclose(file);
    }
}

static void cut_the_header(int fd)
{
    assert_int_equal(ftruncate(fd, 100), 0);
}

static void change_the_header(int fd)
{
    assert_int_equal(pwrite(fd, "A", 1, 0), 1);
}

static void a_file_that_begins_otherwise_the_second_time_is_refused(void **state)
{
    static void (*const changes[])(int) = { cut_the_header, change_the_header };
    PSN_AUTO(psn_age_identities) *by = NULL;

    (void)state;
    assert_int_equal(list_of_identities(&by, NULL), PSN_OK);
    seal(false);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const char *path = path_of("begins-otherwise");
        enum psn_age_failure failure;
        struct psn_error err = { 0 };
        FILE *file;

        assert_int_equal(
            psn_file_write(path, sealed, sealed_size, PSN_FILE_REPLACE, NULL), PSN_OK);
        file = fopen(path, "r+e");
        assert_non_null(file);
        written_size = 0;
        rewinds = 0;
        before_again = changes[i];
        assert_int_equal(
            psn_age_decrypt_file(by, NULL, &(struct psn_stream_fd){ fileno(file), path },
                                 &sink, &failure, &err),
            PSN_E_INTEGRITY);
        before_again = NULL;
        assert_string_equal(err.message, "the age file changed while it was read");
        assert_int_equal(written_size, 0);
        (void)fclose(file);
    }
}

/* Nothing at all is written when the last byte alone is wrong. */
static void two_passes_release_nothing_of_a_file_whose_end_is_bad(void **state)
{
    const char *path = path_of("bad-end");
    PSN_AUTO(psn_age_identities) *by = NULL;
    PSN_AUTO_FD int fd = -1;
    enum psn_age_failure failure;

    (void)state;
    assert_int_equal(list_of_identities(&by, NULL), PSN_OK);
    seal(false);
    sealed[sealed_size - 1] ^= 1;
    assert_int_equal(psn_file_write(path, sealed, sealed_size, PSN_FILE_REPLACE, NULL),
                     PSN_OK);
    assert_int_equal(psn_file_open(path, &fd, NULL), PSN_OK);
    written_size = 0;
    assert_int_equal(psn_age_decrypt_file(by, NULL, &(struct psn_stream_fd){ fd, path },
                                          &sink, &failure, NULL),
                     PSN_E_INTEGRITY);
    assert_int_equal(failure, PSN_AGE_PAYLOAD);
    assert_int_equal(written_size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making_a_key_survives_every_fault),
        cmocka_unit_test(encrypting_survives_every_fault),
        cmocka_unit_test(opening_survives_every_fault_and_releases_only_what_was_sealed),
        cmocka_unit_test(signing_and_checking_survive_every_fault),
        cmocka_unit_test(a_file_changed_between_the_passes_yields_nothing_else),
        cmocka_unit_test(a_file_that_begins_otherwise_the_second_time_is_refused),
        cmocka_unit_test(two_passes_release_nothing_of_a_file_whose_end_is_bad),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
