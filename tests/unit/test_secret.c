#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "support/memory.h"
#include "support/tmpdir.h"

static struct tmpdir dir;

static int set_up(void **state)
{
    (void)state;
    tmpdir_make(&dir);
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tmpdir_remove(&dir);
    return 0;
}

static struct psn_secret *secret_of(const char *text)
{
    struct psn_secret *secret = NULL;

    assert_int_equal(psn_secret_copy(text, strlen(text), &secret, NULL), PSN_OK);
    return secret;
}

static const char *text_of(const struct psn_secret *secret)
{
    return (const char *)psn_secret_bytes(secret);
}

/* A descriptor from which the bytes can be read, and then the end. */
static int descriptor_of(const void *bytes, size_t size)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, size), size);
    (void)close(ends[1]);
    return ends[0];
}

/* Making and filling ---------------------------------------------------------------- */

static void the_library_starts_as_often_as_asked(void **state)
{
    (void)state;
    assert_int_equal(psn_crypto_init(NULL), PSN_OK);
    assert_int_equal(psn_crypto_init(NULL), PSN_OK);
}

static void a_new_secret_is_empty_and_terminated(void **state)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    PSN_AUTO(psn_secret) *nothing = NULL;

    (void)state;
    assert_int_equal(psn_secret_new(32, &secret, NULL), PSN_OK);
    assert_int_equal(psn_secret_size(secret), 0);
    assert_int_equal(psn_secret_capacity(secret), 32);
    for (size_t i = 0; i <= 32; i++)
        assert_int_equal(psn_secret_bytes(secret)[i], 0);
    assert_int_equal(psn_secret_new(0, &nothing, NULL), PSN_OK);
    assert_string_equal(text_of(nothing), "");
}

static void a_secret_holds_up_to_its_capacity(void **state)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_secret_new(6, &secret, NULL), PSN_OK);
    assert_int_equal(psn_secret_append(secret, "abc", 3, NULL), PSN_OK);
    assert_int_equal(psn_secret_append(secret, "", 0, NULL), PSN_OK);
    assert_int_equal(psn_secret_append(secret, "defg", 4, &err), PSN_E_LIMIT);
    assert_int_equal(err.code, PSN_E_LIMIT);
    assert_string_equal(text_of(secret), "abc");
    assert_int_equal(psn_secret_append(secret, "def", 3, NULL), PSN_OK);
    assert_string_equal(text_of(secret), "abcdef");
    assert_int_equal(psn_secret_append(secret, "g", 1, NULL), PSN_E_LIMIT);
}

static void shrinking_wipes_what_is_no_longer_valid(void **state)
{
    PSN_AUTO(psn_secret) *secret = secret_of("abcdef");

    (void)state;
    psn_secret_set_size(secret, 2);
    assert_int_equal(psn_secret_size(secret), 2);
    assert_memory_equal(psn_secret_bytes(secret), "ab\0\0\0\0", 7);
}

static void impossible_sizes_are_refused(void **state)
{
    struct psn_secret *secret = NULL;
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_secret_new(SIZE_MAX, &secret, &err), PSN_E_LIMIT);
    assert_int_equal(err.code, PSN_E_LIMIT);
    assert_null(secret);
    assert_int_equal(psn_secret_read_fd(0, SIZE_MAX, &secret, NULL), PSN_E_LIMIT);
    assert_null(secret);
    psn_secret_free(NULL);
}

static void equality_compares_every_byte_and_the_size(void **state)
{
    PSN_AUTO(psn_secret) *a = secret_of("abcdef");
    PSN_AUTO(psn_secret) *same = secret_of("abcdef");
    PSN_AUTO(psn_secret) *shorter = secret_of("abcde");
    PSN_AUTO(psn_secret) *first = secret_of("Abcdef");
    PSN_AUTO(psn_secret) *last = secret_of("abcdeF");

    (void)state;
    assert_true(psn_secret_equal(a, a));
    assert_true(psn_secret_equal(a, same));
    assert_false(psn_secret_equal(a, shorter));
    assert_false(psn_secret_equal(shorter, a));
    assert_false(psn_secret_equal(a, first));
    assert_false(psn_secret_equal(a, last));
}

/* Protection ------------------------------------------------------------------------ */

static void touching_beyond_a_secret_ends_the_program(void **state)
{
    static const long offsets[] = { 65, 4096, -4096 };

    (void)state;
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        int status;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
            struct psn_secret *secret = NULL;

            (void)signal(SIGSEGV, SIG_DFL);
            (void)signal(SIGBUS, SIG_DFL);
            if (psn_secret_new(64, &secret, NULL) != PSN_OK)
                _exit(0);
            *(volatile uint8_t *)(psn_secret_fill(secret) + offsets[i]) = 1;
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
    }
}

/* Finds the flags that the kernel lists for the page of an address. */
static bool page_has_flag(const void *address, const char *flag)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool inside = false;
    bool found = false;

    while (maps && fgets(line, sizeof line, maps)) {
        char *at = line;
        uintptr_t from = (uintptr_t)strtoull(at, &at, 16);

        if (*at == '-' && at > line) {
            uintptr_t to = (uintptr_t)strtoull(at + 1, NULL, 16);

            inside = (uintptr_t)address >= from && (uintptr_t)address < to;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            found = strstr(line, flag) != NULL;
        }
    }
    if (maps)
        (void)fclose(maps);
    return found;
}

/* Sanitizers put functions that do nothing in the place of mlock(). */
static bool locking_can_be_seen(void)
{
    static uint8_t byte;
    bool seen = mlock(&byte, 1) == 0 && page_has_flag(&byte, " lo ");

    (void)munlock(&byte, 1);
    return seen;
}

static void a_secret_is_locked_and_left_out_of_core_dumps(void **state)
{
    PSN_AUTO(psn_secret) *secret = NULL;

    (void)state;
    if (!locking_can_be_seen())
        skip();
    secret = secret_of("hunter2");
    assert_true(psn_secret_memory_is_locked());
    assert_true(page_has_flag(psn_secret_bytes(secret), " lo "));
    assert_true(page_has_flag(psn_secret_bytes(secret), " dd "));
}

static void a_process_that_may_lock_nothing_says_so(void **state)
{
    int status;
    pid_t child;

    (void)state;
    if (!locking_can_be_seen() || geteuid() != 0)
        skip();
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = { 0, 0 };

        /* root may lock whatever the limit says, so it goes first. */
        if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || setuid(65534) != 0)
            _exit(2);
        _exit(psn_secret_memory_is_locked() ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_freed_secret_leaves_no_copy_in_memory(void **state)
{
    unsigned char masked[24];
    unsigned char bytes[24];
    struct psn_secret *secret = NULL;
    int fd;

    (void)state;
    psn_random(masked, sizeof masked);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = masked[i] ^ 0x5a;
    if (memory_count(masked, sizeof masked) != 1)
        skip(); /* this system does not show memory */
    fd = descriptor_of(bytes, sizeof bytes);
    explicit_bzero(bytes, sizeof bytes);
    assert_int_equal(memory_count(masked, sizeof masked), 0);
    assert_int_equal(psn_secret_read_fd(fd, 1000, &secret, NULL), PSN_OK);
    assert_int_equal(memory_count(masked, sizeof masked), 1);
    psn_secret_free(secret);
    assert_int_equal(memory_count(masked, sizeof masked), 0);
}

/* Reading --------------------------------------------------------------------------- */

static void a_descriptor_is_read_without_one_final_newline(void **state)
{
    static const struct {
        const char *written;
        const char *read;
    } rows[] = {
        { "secret\n", "secret" },
        { "secret", "secret" },
        { "two\nlines\n\n", "two\nlines\n" },
        { "\n", "" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *secret = NULL;
        int fd = descriptor_of(rows[i].written, strlen(rows[i].written));

        assert_int_equal(psn_secret_read_fd(fd, 100, &secret, NULL), PSN_OK);
        assert_string_equal(text_of(secret), rows[i].read);
        assert_int_equal(psn_secret_size(secret), strlen(rows[i].read));
        assert_int_equal(fcntl(fd, F_GETFD), -1);
    }
}

static void the_limit_of_a_read_counts_without_the_newline(void **state)
{
    static const struct {
        const char *written;
        enum psn_code expected;
    } rows[] = {
        { "12345678", PSN_OK },
        { "12345678\n", PSN_OK },
        { "123456789", PSN_E_LIMIT },
        { "123456789\n", PSN_E_LIMIT },
        { "12345678\n\n", PSN_E_LIMIT },
        { "12345678\nx", PSN_E_LIMIT },
        { "12345678901234567890", PSN_E_LIMIT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *secret = NULL;
        struct psn_error err = { 0 };
        int fd = descriptor_of(rows[i].written, strlen(rows[i].written));

        assert_int_equal(psn_secret_read_fd(fd, 8, &secret, &err), rows[i].expected);
        assert_int_equal(err.code, rows[i].expected);
        assert_null(strstr(err.message, "1234"));
        assert_int_equal(fcntl(fd, F_GETFD), -1);
        if (rows[i].expected == PSN_OK)
            assert_string_equal(text_of(secret), "12345678");
        else
            assert_null(secret);
    }
}

static void a_secret_that_arrives_in_pieces_is_read_whole(void **state)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    int ends[2];
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (const char *at = "in pieces\n"; *at; at++)
            (void)!write(ends[1], at, 1);
        _exit(0);
    }
    (void)close(ends[1]);
    assert_int_equal(psn_secret_read_fd(ends[0], 100, &secret, NULL), PSN_OK);
    assert_string_equal(text_of(secret), "in pieces");
    assert_int_equal(waitpid(child, &status, 0), child);
}

static void a_closed_descriptor_is_the_callers_mistake(void **state)
{
    struct psn_secret *secret = NULL;
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_secret_read_fd(987, 10, &secret, &err), PSN_E_INVALID);
    assert_int_equal(psn_secret_read_fd(-1, 10, &secret, NULL), PSN_E_INVALID);
    assert_int_equal(err.code, PSN_E_INVALID);
    assert_null(secret);
}

static void a_write_only_descriptor_cannot_be_read(void **state)
{
    struct psn_secret *secret = NULL;
    struct psn_error err = { 0 };
    int fd = open("/dev/null", O_WRONLY);

    (void)state;
    assert_true(fd > 2);
    assert_int_equal(psn_secret_read_fd(fd, 10, &secret, &err), PSN_E_IO);
    assert_int_equal(err.code, PSN_E_IO);
    assert_null(secret);
}

static void a_file_is_read_like_a_descriptor(void **state)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    char path[TMPDIR_PATH_MAX];

    (void)state;
    (void)tmpdir_path(&dir, "key", path);
    assert_int_equal(psn_file_write(path, "from a file\n", 12, PSN_FILE_NEW, NULL),
                     PSN_OK);
    assert_int_equal(psn_secret_read_file(path, 11, &secret, NULL), PSN_OK);
    assert_string_equal(text_of(secret), "from a file");
    assert_int_equal(psn_secret_capacity(secret), 11);
}

static void links_fifos_and_folders_are_refused(void **state)
{
    struct psn_secret *secret = NULL;
    struct psn_error err = { 0 };
    char path[TMPDIR_PATH_MAX];
    char other[TMPDIR_PATH_MAX];

    (void)state;
    (void)tmpdir_path(&dir, "key", path);
    assert_int_equal(psn_secret_read_file(path, 100, &secret, NULL), PSN_E_NOT_FOUND);
    assert_int_equal(psn_file_write(path, "key\n", 4, PSN_FILE_NEW, NULL), PSN_OK);
    assert_int_equal(symlink(path, tmpdir_path(&dir, "link", other)), 0);
    assert_int_equal(psn_secret_read_file(other, 100, &secret, &err), PSN_E_IO);
    assert_non_null(strstr(err.message, other));
    assert_int_equal(mkfifo(tmpdir_path(&dir, "fifo", other), 0600), 0);
    assert_int_equal(psn_secret_read_file(other, 100, &secret, NULL), PSN_E_IO);
    assert_int_equal(psn_secret_read_file(dir.path, 100, &secret, NULL), PSN_E_IO);
    assert_null(secret);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_library_starts_as_often_as_asked),
        TEST(a_new_secret_is_empty_and_terminated),
        TEST(a_secret_holds_up_to_its_capacity),
        TEST(shrinking_wipes_what_is_no_longer_valid),
        TEST(impossible_sizes_are_refused),
        TEST(equality_compares_every_byte_and_the_size),
        TEST(touching_beyond_a_secret_ends_the_program),
        TEST(a_secret_is_locked_and_left_out_of_core_dumps),
        TEST(a_process_that_may_lock_nothing_says_so),
        TEST(a_freed_secret_leaves_no_copy_in_memory),
        TEST(a_descriptor_is_read_without_one_final_newline),
        TEST(the_limit_of_a_read_counts_without_the_newline),
        TEST(a_secret_that_arrives_in_pieces_is_read_whole),
        TEST(a_closed_descriptor_is_the_callers_mistake),
        TEST(a_write_only_descriptor_cannot_be_read),
        TEST(a_file_is_read_like_a_descriptor),
        TEST(links_fifos_and_folders_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
