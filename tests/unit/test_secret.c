#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

/* True if a child that does this is ended by it. */
static bool ends_the_program(void (*act)(size_t capacity, long offset), size_t capacity,
                             long offset)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        (void)signal(SIGBUS, SIG_DFL);
        (void)signal(SIGABRT, SIG_DFL);
        act(capacity, offset);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

static void write_beyond(size_t capacity, long offset)
{
    struct psn_secret *secret = NULL;

    if (psn_secret_new(capacity, &secret, NULL) != PSN_OK)
        return;
    *(volatile uint8_t *)(psn_secret_fill(secret) + offset) ^= 1;
    psn_secret_free(secret);
}

/* The next of that size gets the same place. */
static void write_when_freed(size_t capacity, long offset)
{
    struct psn_secret *secret = NULL;
    volatile uint8_t *at;

    if (psn_secret_new(capacity, &secret, NULL) != PSN_OK)
        return;
    at = psn_secret_fill(secret) + offset;
    psn_secret_free(secret);
    *at = 1;
    if (psn_secret_new(capacity, &secret, NULL) == PSN_OK)
        psn_secret_free(secret);
}

/* From the first piece of an arena, which a child takes, to the guard page behind it.
 * Farther off may be anybody's memory. */
enum {
    PAST_THE_ARENA = 16 * 1024,
};

static void writing_beyond_a_secret_ends_the_program(void **state)
{
    static const size_t capacities[] = { 0, 1, 24, 32, 63, 64, 200, 223, 224, 1000 };

    (void)state;
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        size_t capacity = capacities[i];

        assert_false(ends_the_program(write_beyond, capacity, (long)capacity));
        assert_true(ends_the_program(write_beyond, capacity, (long)capacity + 1));
        assert_true(ends_the_program(write_beyond, capacity, (long)capacity + 16));
        assert_true(ends_the_program(write_beyond, capacity, -1));
        assert_true(ends_the_program(write_beyond, capacity, -16));
        assert_true(ends_the_program(write_beyond, capacity, PAST_THE_ARENA));
        assert_true(ends_the_program(write_when_freed, capacity, 0));
    }
    assert_true(ends_the_program(write_beyond, 5000, 5001));
    assert_true(ends_the_program(write_beyond, 5000, -8192));
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

static unsigned long locked_kib(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[512];
    unsigned long kib = 0;

    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmLck:", 6) == 0)
            kib = strtoul(line + 6, NULL, 10);
    if (status)
        (void)fclose(status);
    return kib;
}

/* With a page for each, the usual limit would lock 2048 and silently not the others. */
static void thousands_of_secrets_are_all_locked(void **state)
{
    enum {
        MANY = 5000
    };
    static struct psn_secret *secrets[MANY];

    (void)state;
    if (!locking_can_be_seen())
        skip();
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(psn_secret_copy(&i, sizeof i, &secrets[i], NULL), PSN_OK);
    assert_in_range(locked_kib(), 1, 2048);
    for (size_t i = 0; i < MANY; i += 97)
        assert_true(page_has_flag(psn_secret_bytes(secrets[i]), " lo "));
    for (size_t i = 0; i < MANY; i++) {
        size_t value;

        memcpy(&value, psn_secret_bytes(secrets[i]), sizeof value);
        assert_int_equal(value, i);
        psn_secret_free(secrets[i]);
    }
}

/* A lock is not inherited: what a forked process keeps must be in pages of its own. */
static void a_secret_made_after_a_fork_is_locked(void **state)
{
    PSN_AUTO(psn_secret) *parents = NULL;
    int status;
    pid_t child;

    (void)state;
    if (!locking_can_be_seen())
        skip();
    parents = secret_of("from before");
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct psn_secret *secret = NULL;
        bool locked = psn_secret_copy("x", 1, &secret, NULL) == PSN_OK &&
                      page_has_flag(psn_secret_bytes(secret), " lo ");

        psn_secret_free(PSN_TAKE(parents));
        psn_secret_free(secret);
        _exit(locked ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(text_of(parents), "from before");
}

static void *use_secrets(void *arg)
{
    for (size_t i = 0; i < 2000; i++) {
        PSN_AUTO(psn_secret) *small = NULL;
        PSN_AUTO(psn_secret) *other = NULL;

        if (psn_secret_copy(arg, 8, &small, NULL) ||
            psn_secret_new(i % 1200, &other, NULL))
            return NULL;
        memset(psn_secret_fill(other), *(uint8_t *)arg, i % 1200);
        if (memcmp(psn_secret_bytes(small), arg, 8) != 0)
            return NULL;
    }
    return arg;
}

static void threads_do_not_get_each_others_secrets(void **state)
{
    static char names[4][9] = { "thread 1", "thread 2", "thread 3", "thread 4" };
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_secrets, names[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        void *result = NULL;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, names[i]);
    }
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
    masked[sizeof masked - 1] |= 0x80; /* no newline at the end, which is not read */
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
        TEST(writing_beyond_a_secret_ends_the_program),
        TEST(a_secret_is_locked_and_left_out_of_core_dumps),
        TEST(thousands_of_secrets_are_all_locked),
        TEST(a_secret_made_after_a_fork_is_locked),
        TEST(threads_do_not_get_each_others_secrets),
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
