/*
 * Secrets are made, and passphrases measured, while memory, pipes and processes lack.
 * Link with
 * -Wl,--wrap=psn_secret_new,--wrap=psn_secret_append,--wrap=psn_library_load,--wrap=pipe
 * and -Wl,--wrap=fork,--wrap=read,--wrap=fcntl,--wrap=waitpid,--wrap=_exit
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/library.h"
#include "crypto/generate.h"
#include "crypto/init.h"
#include "crypto/secret.h"

static size_t calls;    /* for memory, so far */
static size_t fails_at; /* the one that fails; 0: none does */

static bool fails(void)
{
    return ++calls == fails_at;
}

enum psn_code __real_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err);
enum psn_code __wrap_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err);
enum psn_code __real_psn_secret_append(struct psn_secret *secret, const void *bytes,
                                       size_t size, struct psn_error *err);
enum psn_code __wrap_psn_secret_append(struct psn_secret *secret, const void *bytes,
                                       size_t size, struct psn_error *err);

enum psn_code __wrap_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err)
{
    return fails() ? psn_fail(err, PSN_E_NOMEM, "no memory can be locked")
                   : __real_psn_secret_new(capacity, ret_secret, err);
}

enum psn_code __wrap_psn_secret_append(struct psn_secret *secret, const void *bytes,
                                       size_t size, struct psn_error *err)
{
    return fails() ? psn_fail(err, PSN_E_LIMIT, "no room")
                   : __real_psn_secret_append(secret, bytes, size, err);
}

static enum {
    NOTHING,
    LIBRARY,
    PIPE,
    FORK,
    READ,
    CHILD, /* which ends before it has measured */
    INTERRUPTED
} lacks;

static double guessed; /* what is measured; 0: by zxcvbn */

enum psn_code __real_psn_library_load(const char *const *names,
                                      const struct psn_library_symbol *symbols,
                                      size_t count, void *table, struct psn_error *err);
enum psn_code __wrap_psn_library_load(const char *const *names,
                                      const struct psn_library_symbol *symbols,
                                      size_t count, void *table, struct psn_error *err);
int __real_pipe(int ends[2]);
int __wrap_pipe(int ends[2]);
pid_t __real_fork(void);
pid_t __wrap_fork(void);
ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
pid_t __real_waitpid(pid_t child, int *ret_status, int options);
pid_t __wrap_waitpid(pid_t child, int *ret_status, int options);
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, int flags);

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

static unsigned reads;
static unsigned closed_at_exec; /* a bit for each descriptor below 32 */
static int made[2];             /* the last pipe */

static double guess(const char *password, const char *words[], void *info)
{
    (void)password;
    (void)words;
    (void)info;
    return guessed;
}

enum psn_code __wrap_psn_library_load(const char *const *names,
                                      const struct psn_library_symbol *symbols,
                                      size_t count, void *table, struct psn_error *err)
{
    if (lacks == LIBRARY)
        return psn_fail(err, PSN_E_UNEXPECTED, "there is none");
    if (guessed != 0) {
        *(double (**)(const char *, const char **, void *))table = guess;
        return PSN_OK;
    }
    return __real_psn_library_load(names, symbols, count, table, err);
}

int __wrap_pipe(int ends[2])
{
    if (lacks == PIPE)
        return -1;
    if (__real_pipe(ends) != 0)
        return -1;
    memcpy(made, ends, sizeof made);
    return 0;
}

pid_t __wrap_fork(void)
{
    pid_t child = lacks == FORK ? -1 : __real_fork();

    if (child == 0 && lacks == CHILD)
        __real__exit(0);
    return child;
}

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
    if (++reads > 1000)
        abort();   /* it does not end */
    errno = EINTR; /* of an earlier call */
    if (lacks == READ) {
        errno = EIO;
        return -1;
    }
    if (lacks == INTERRUPTED) {
        lacks = NOTHING;
        errno = EINTR;
        return -1;
    }
    return __real_read(fd, bytes, size);
}

int __wrap_fcntl(int fd, int command, int flags)
{
    if (command == F_SETFD && flags == FD_CLOEXEC && fd < 32)
        closed_at_exec |= 1U << fd;
    return __real_fcntl(fd, command, flags);
}

static unsigned ended;  /* children that were waited for until they did */
static unsigned well;   /* of those */
static bool wait_fails; /* the next wait is interrupted */

pid_t __wrap_waitpid(pid_t child, int *ret_status, int options)
{
    if (wait_fails) {
        wait_fails = false;
        errno = EINTR;
        return -1;
    }
    int status = 0;
    pid_t found = __real_waitpid(child, &status, options);

    ended += options == 0 ? 1 : 0;
    well += found == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : 0;
    if (ret_status)
        *ret_status = status;
    return found;
}

static pid_t tester;

/* Who would end the host's process has not passed because of that. */
_Noreturn void __wrap__exit(int status)
{
    if (getpid() == tester)
        abort();
    __real__exit(status);
}

static size_t open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;

    if (!dir)
        return 0;
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count;
}

static int set_up(void **state)
{
    (void)state;
    tester = getpid();
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

static enum psn_code french(struct psn_secret **ret_secret, struct psn_error *err)
{
    return psn_generate_passphrase("fr", ret_secret, err);
}

static enum psn_code normalized(struct psn_secret **ret_secret, struct psn_error *err)
{
    static struct psn_secret *code;
    size_t kept = fails_at;

    fails_at = 0;
    if (!code)
        assert_int_equal(psn_generate_recovery(&code, NULL), PSN_OK);
    fails_at = kept;
    calls = 0;
    return psn_normalize_recovery(code, ret_secret, err);
}

static void what_memory_lacks_for_is_not_made(void **state)
{
    static enum psn_code (*const makers[])(struct psn_secret **, struct psn_error *) = {
        psn_generate_password, psn_generate_recovery, french, normalized
    };

    (void)state;
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        for (size_t at = 1;; at++) {
            struct psn_secret *secret = NULL;
            enum psn_code rc;

            calls = 0;
            fails_at = at;
            rc = makers[i](&secret, NULL);
            fails_at = 0;
            if (calls < at) {
                assert_int_equal(rc, PSN_OK);
                psn_secret_free(secret);
                assert_true(at > 1);
                break;
            }
            assert_int_equal(rc, at == 1 ? PSN_E_NOMEM : PSN_E_LIMIT);
            assert_null(secret);
            assert_int_equal(calls, at); /* nothing is tried behind it */
        }
}

static void a_passphrase_that_cannot_be_measured_is_refused_for_that(void **state)
{
    PSN_AUTO(psn_secret) *phrase = NULL;
    size_t open_before;

    (void)state;
    assert_int_equal(psn_generate_passphrase(NULL, &phrase, NULL), PSN_OK);
    if (psn_check_passphrase(phrase, NULL) == PSN_E_UNEXPECTED)
        skip();
    open_before = open_files();
    for (int what = LIBRARY; what <= CHILD; what++) {
        struct psn_error err = { 0 };

        lacks = what;
        assert_int_equal(psn_check_passphrase(phrase, &err), PSN_E_UNEXPECTED);
        lacks = NOTHING;
        assert_non_null(strstr(err.hint, "libzxcvbn0"));
        assert_int_equal(open_files(), open_before);
    }
    lacks = INTERRUPTED;
    assert_int_equal(psn_check_passphrase(phrase, NULL), PSN_OK);
    assert_int_equal(lacks, NOTHING);
    assert_int_equal(open_files(), open_before);
}

/* A program that another thread starts meanwhile must not hold an end of the pipe. */
static void no_other_program_inherits_the_pipe(void **state)
{
    PSN_AUTO(psn_secret) *phrase = NULL;

    (void)state;
    assert_int_equal(psn_generate_passphrase(NULL, &phrase, NULL), PSN_OK);
    closed_at_exec = 0;
    if (psn_check_passphrase(phrase, NULL) == PSN_E_UNEXPECTED)
        skip();
    assert_true(made[0] < 32 && made[1] < 32);
    assert_int_equal(closed_at_exec, 1U << made[0] | 1U << made[1]);
}

/* Frozen, and computed by an independent program: codes that were printed must hold. */
static void the_check_of_a_recovery_code_stays_what_it_is(void **state)
{
    static const char code[] = "0123-4567-89AB-CDEF-GHJK-MNPQ-RSWE";
    PSN_AUTO(psn_secret) *typed = NULL;
    PSN_AUTO(psn_secret) *normal = NULL;

    (void)state;
    assert_int_equal(psn_secret_copy(code, sizeof code - 1, &typed, NULL), PSN_OK);
    assert_int_equal(psn_normalize_recovery(typed, &normal, NULL), PSN_OK);
    assert_true(psn_secret_equal(typed, normal));
}

static void what_cannot_stand_in_a_code_is_pointed_at_and_not_shown(void **state)
{
    static const struct {
        const char *typed;
        const char *where;
    } rows[] = {
        { "0000-0000-0000-0000-0000-0000-00*0", "character 27 " },
        { "*000-0000-0000-0000-0000-0000-0000", "character 1 " },
        { "0000-0000-0000-0000-0000-0000-000U", "character 28 " },
        { "0000-0000-0000-0000-0000-0000-0000-*", "character 29 " },
        { "0000-0000-0000-0000-0000-0000-0000-0", "not 29" },
        { "0000-0000-0000-0000-0000-0000-000", "not 27" },
        { "", "not 0" },
        { "0000-0000-0000-0000-0000-0000-0000", "last two characters" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *typed = NULL;
        struct psn_secret *code = NULL;
        struct psn_error err = { 0 };

        assert_int_equal(
            psn_secret_copy(rows[i].typed, strlen(rows[i].typed), &typed, NULL), PSN_OK);
        assert_int_equal(psn_normalize_recovery(typed, &code, &err), PSN_E_INVALID);
        assert_non_null(strstr(err.message, rows[i].where));
        assert_null(strchr(err.message, '*'));
        assert_null(code);
    }
}

static void a_password_has_as_many_characters_as_are_asked_for_within_bounds(void **state)
{
    (void)state;
    for (size_t size = PSN_PASSWORD_SIZE_MIN - 1; size <= PSN_PASSWORD_SIZE_MAX + 1;
         size++) {
        bool fits = size >= PSN_PASSWORD_SIZE_MIN && size <= PSN_PASSWORD_SIZE_MAX;
        struct psn_secret *password = NULL;

        assert_int_equal(psn_generate_password_sized(size, &password, NULL),
                         fits ? PSN_OK : PSN_E_POLICY);
        if (!fits) {
            assert_null(password);
            continue;
        }
        assert_int_equal(psn_secret_size(password), size);
        assert_int_not_equal(psn_secret_bytes(password)[0], '-');
        assert_int_not_equal(psn_secret_bytes(password)[size - 1], '-');
        for (size_t i = 0; i + 1 < size; i++)
            assert_int_equal(psn_secret_bytes(password)[i] == '-',
                             i % (PSN_PASSWORD_GROUP + 1) == PSN_PASSWORD_GROUP);
        psn_secret_free(password);
    }
}

static void no_child_is_left_behind(void **state)
{
    PSN_AUTO(psn_secret) *phrase = NULL;

    (void)state;
    assert_int_equal(psn_generate_passphrase(NULL, &phrase, NULL), PSN_OK);
    if (psn_check_passphrase(phrase, NULL) == PSN_E_UNEXPECTED)
        skip();
    ended = 0;
    well = 0;
    wait_fails = true;
    assert_int_equal(psn_check_passphrase(phrase, NULL), PSN_OK);
    assert_int_equal(ended, 1);
    assert_int_equal(well, 1);
    assert_int_equal(__real_waitpid(-1, NULL, 0), -1);
    assert_int_equal(errno, ECHILD);
}

static enum psn_code check(const char *text, double bits, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *phrase = NULL;
    enum psn_code rc;

    assert_int_equal(psn_secret_copy(text, strlen(text), &phrase, NULL), PSN_OK);
    guessed = bits;
    rc = psn_check_passphrase(phrase, err);
    guessed = 0;
    return rc;
}

/* It may be a host's, which waits for it. */
static void another_child_of_the_process_is_left_alone(void **state)
{
    pid_t other = __real_fork();

    (void)state;
    if (other == 0)
        __real__exit(3);
    assert_int_equal(check("twelve chars", 80, NULL), PSN_OK);
    for (int what = PIPE; what <= CHILD; what++) {
        lacks = what;
        assert_int_equal(check("twelve chars", 80, NULL), PSN_E_UNEXPECTED);
        lacks = NOTHING;
    }
    assert_int_equal(__real_waitpid(other, NULL, 0), other);
}

static void ten_billion_guesses_are_enough_and_no_fewer(void **state)
{
    (void)state;
    assert_int_equal(check("twelve chars", 33.2193, NULL), PSN_OK);
    assert_int_equal(check("twelve chars", 80, NULL), PSN_OK);
    assert_int_equal(check("twelve chars", 33.2192, NULL), PSN_E_POLICY);
    assert_int_equal(check("twelve chars", 1, NULL), PSN_E_POLICY);
    assert_int_equal(check("twelve chars", NAN, NULL), PSN_E_POLICY);
}

static void twelve_characters_are_enough_whatever_their_bytes(void **state)
{
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(check("12345678901", 80, &err), PSN_E_POLICY);
    assert_non_null(strstr(err.message, "12 characters"));
    err = (struct psn_error){ 0 };
    assert_int_equal(check("ééééééééééé", 80, &err), PSN_E_POLICY);
    assert_non_null(strstr(err.message, "12 characters"));
    assert_int_equal(check("123456789012", 80, NULL), PSN_OK);
    assert_int_equal(check("éééééééééééé", 80, NULL), PSN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_memory_lacks_for_is_not_made),
        cmocka_unit_test(a_passphrase_that_cannot_be_measured_is_refused_for_that),
        cmocka_unit_test(no_other_program_inherits_the_pipe),
        cmocka_unit_test(no_child_is_left_behind),
        cmocka_unit_test(another_child_of_the_process_is_left_alone),
        cmocka_unit_test(ten_billion_guesses_are_enough_and_no_fewer),
        cmocka_unit_test(twelve_characters_are_enough_whatever_their_bytes),
        cmocka_unit_test(the_check_of_a_recovery_code_stays_what_it_is),
        cmocka_unit_test(what_cannot_stand_in_a_code_is_pointed_at_and_not_shown),
        cmocka_unit_test(
            a_password_has_as_many_characters_as_are_asked_for_within_bounds),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
