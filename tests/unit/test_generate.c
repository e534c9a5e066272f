#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "crypto/generate.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "support/memory.h"

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
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

/* Passwords ------------------------------------------------------------------------- */

enum {
    UPPER = 24,
    LOWER = 25,
    DIGITS = 8,
    ALPHABET = UPPER + LOWER + DIGITS,
    POSITIONS = 20,
    PASSWORDS = 1000000
};

static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ"
                               "abcdefghijkmnopqrstuvwxyz"
                               "23456789";

/* A slow tool, such as a memory checker, may ask for fewer. */
static unsigned long password_count(void)
{
    const char *wanted = getenv("PASSATION_TEST_PASSWORDS");
    uint64_t count = PASSWORDS;

    if (wanted && (!psn_text_parse_u64(wanted, PASSWORDS, &count) || count < 20000))
        fail_msg("PASSATION_TEST_PASSWORDS is from 20000 to %d", PASSWORDS);
    return (unsigned long)count;
}

static unsigned seen[POSITIONS][ALPHABET];

/* Checks the form of one password and counts its characters. */
static void take_password(const char *password, size_t size)
{
    unsigned classes[3] = { 0 };
    size_t position = 0;

    assert_int_equal(size, PSN_PASSWORD_SIZE);
    for (size_t i = 0; i < size; i++) {
        const char *at = strchr(alphabet, password[i]);
        size_t index = at ? (size_t)(at - alphabet) : 0;

        if (i % 6 == 5) {
            assert_int_equal(password[i], '-');
            continue;
        }
        assert_true(at && *at);
        seen[position++][index]++;
        classes[index < UPPER ? 0 : index < UPPER + LOWER ? 1 : 2]++;
    }
    assert_int_equal(position, POSITIONS);
    assert_true(classes[0] > 0 && classes[1] > 0 && classes[2] > 0);
}

/* The chance that n even draws leave out none of the classes whose sizes are given, by
 * inclusion and exclusion. A class that is there already has size 0. */
static double chance_of_all(int n, double a, double b, double c)
{
    double all = ALPHABET;
    double none = 0;

    none += a > 0 ? pow((all - a) / all, n) : 0;
    none += b > 0 ? pow((all - b) / all, n) : 0;
    none += c > 0 ? pow((all - c) / all, n) : 0;
    none -= a > 0 && b > 0 ? pow((all - a - b) / all, n) : 0;
    none -= a > 0 && c > 0 ? pow((all - a - c) / all, n) : 0;
    none -= b > 0 && c > 0 ? pow((all - b - c) / all, n) : 0;
    return 1 - none;
}

/* Since passwords that lack a class are drawn again, a digit is a little likelier than a
 * letter; within a class all are equal. Beyond 130 lies less than one in ten million for
 * 56 degrees of freedom. */
static double chi_square(const unsigned counts[ALPHABET], double passwords)
{
    double whole = chance_of_all(POSITIONS, UPPER, LOWER, DIGITS);
    double sum = 0;

    for (int i = 0; i < ALPHABET; i++) {
        double rest = i < UPPER           ? chance_of_all(POSITIONS - 1, 0, LOWER, DIGITS)
                      : i < UPPER + LOWER ? chance_of_all(POSITIONS - 1, UPPER, 0, DIGITS)
                                          : chance_of_all(POSITIONS - 1, UPPER, LOWER, 0);
        double expected = passwords * rest / whole / ALPHABET;

        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    return sum;
}

static void a_million_passwords_have_their_form_and_no_bias(void **state)
{
    unsigned long count = password_count();

    (void)state;
    for (unsigned long i = 0; i < count; i++) {
        PSN_AUTO(psn_secret) *password = NULL;

        if (psn_generate_password(&password, NULL) != PSN_OK)
            fail();
        take_password(text_of(password), psn_secret_size(password));
    }
    for (int i = 0; i < POSITIONS; i++) {
        for (int c = 0; c < ALPHABET; c++)
            assert_true(seen[i][c] > 0);
        assert_true(chi_square(seen[i], (double)count) < 130);
    }
}

/* From now on the kernel gives this process no random numbers: getrandom(2) fails. False
 * where a process cannot be told that. */
static bool refuse_random_numbers(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof rules / sizeof *rules, rules };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum {
    GENERATED,
    NO_FILTER,
    STOPPED, /* by a signal */
};

/* How a process ends that generates without random numbers. */
static int generate_without(enum psn_code (*generate)(struct psn_secret **ret_secret,
                                                      struct psn_error *err))
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        static const struct rlimit no_core = { 0, 0 };
        struct psn_secret *secret = NULL;

        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        if (!refuse_random_numbers())
            _exit(NO_FILTER);
        _exit(generate(&secret, NULL) == PSN_OK ? GENERATED : STOPPED);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : STOPPED;
}

static void nothing_is_generated_without_the_kernels_random_numbers(void **state)
{
    static enum psn_code (*const generators[])(
        struct psn_secret **, struct psn_error *) = { psn_generate_password,
                                                      psn_generate_recovery };

    (void)state;
    for (size_t i = 0; i < sizeof generators / sizeof *generators; i++) {
        int end = generate_without(generators[i]);

        if (end == NO_FILTER)
            skip();
        assert_int_equal(end, STOPPED);
    }
}

/* Passphrases ----------------------------------------------------------------------- */

static const char words_en[2048][9] = {
#include "crypto/words_en.inc"
};
static const char words_fr[2048][9] = {
#include "crypto/words_fr.inc"
};

static void both_lists_hold_2048_different_plain_words(void **state)
{
    const char(*lists[])[9] = { words_en, words_fr };

    (void)state;
    for (size_t list = 0; list < 2; list++) {
        for (size_t i = 0; i < 2048; i++) {
            const char *word = lists[list][i];
            size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz");

            assert_int_equal(word[length], '\0');
            assert_in_range(length, 3, 8);
            if (i > 0) /* in order, so none twice; four letters tell them apart */
                assert_true(strncmp(lists[list][i - 1], word, 4) < 0);
        }
    }
    assert_string_equal(words_en[0], "abandon");
    assert_string_equal(words_en[2047], "zoo");
    assert_string_equal(words_fr[0], "abaisser");
    assert_string_equal(words_fr[18], "academie");
    assert_string_equal(words_fr[2047], "zoologie");
}

/* The index of the word that text starts with; its length goes to *ret_length. */
static int find_word(const char (*list)[9], const char *text, size_t *ret_length)
{
    char word[16] = "";

    *ret_length = strcspn(text, "-");
    assert_in_range(*ret_length, 3, 8);
    memcpy(word, text, *ret_length);
    for (int i = 0; i < 2048; i++)
        if (strcmp(list[i], word) == 0)
            return i;
    return -1;
}

static void count_words(const char (*list)[9], const char *passphrase,
                        unsigned counts[2048])
{
    for (int word = 0; word < PSN_PASSPHRASE_WORDS; word++) {
        size_t length;
        int index = find_word(list, passphrase, &length);

        assert_true(index >= 0);
        counts[index]++;
        assert_int_equal(passphrase[length],
                         word < PSN_PASSPHRASE_WORDS - 1 ? '-' : '\0');
        passphrase += length + 1;
    }
}

/* Beyond 2600 lies less than one in 10^14 for 2047 degrees of freedom. */
static void passphrases_are_nine_even_words(void **state)
{
    static const char *const languages[] = { "en", "fr", NULL };
    enum {
        ROUNDS = 4000
    };

    (void)state;
    for (size_t l = 0; l < 3; l++) {
        unsigned counts[2048] = { 0 };
        double expected = ROUNDS * 9 / 2048.0;
        double sum = 0;

        for (int i = 0; i < ROUNDS; i++) {
            PSN_AUTO(psn_secret) *passphrase = NULL;

            assert_int_equal(psn_generate_passphrase(languages[l], &passphrase, NULL),
                             PSN_OK);
            count_words(l == 1 ? words_fr : words_en, text_of(passphrase), counts);
        }
        for (int i = 0; i < 2048; i++)
            sum += (counts[i] - expected) * (counts[i] - expected) / expected;
        assert_true(sum < 2600);
    }
}

/* Chosen passphrases ---------------------------------------------------------------- */
static void weak_passphrases_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "short",
        "Xq7!vR2#pZ9",
        "éééééééééé",
        "passwordpassword",
        "motdepasse123",
        "motdepasse2026",
        "azertyuiopqs",
        "azertyuiopqsdfghjklm",
        "123456789012",
        "aaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",
        "qwertyuiopasdf",
        "passationpassation",
        "bonjourbonjour",
        "abcabcabcabcabc",
        "20261124202611",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *passphrase = secret_of(rows[i]);
        struct psn_error err = { 0 };

        assert_int_equal(psn_check_passphrase(passphrase, &err), PSN_E_POLICY);
        assert_int_equal(err.code, PSN_E_POLICY);
        assert_true(err.hint[0] != '\0');
        if (rows[i][0])
            assert_null(strstr(err.message, rows[i]));
    }
}

static void strong_passphrases_are_accepted(void **state)
{
    static const char *const rows[] = {
        "correct horse battery staple",
        "zanzibar-molette-12",
        "Été à Brégançon, 4 pélicans",
        "Xq7!vR2#pZ9k",
        "ъыьэюяабвгдж",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *passphrase = secret_of(rows[i]);

        assert_int_equal(psn_check_passphrase(passphrase, NULL), PSN_OK);
    }
}

static void generated_passphrases_and_passwords_pass_the_check(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        PSN_AUTO(psn_secret) *passphrase = NULL;
        PSN_AUTO(psn_secret) *password = NULL;

        assert_int_equal(psn_generate_passphrase(i % 2 ? "fr" : "en", &passphrase, NULL),
                         PSN_OK);
        assert_int_equal(psn_check_passphrase(passphrase, NULL), PSN_OK);
        assert_int_equal(psn_generate_password(&password, NULL), PSN_OK);
        assert_int_equal(psn_check_passphrase(password, NULL), PSN_OK);
    }
}

static void bytes_that_are_not_text_are_refused(void **state)
{
    static const char with_nul[] = "correct\0horse battery staple";
    PSN_AUTO(psn_secret) *nul = NULL;
    PSN_AUTO(psn_secret) *latin = secret_of("caf\xe9 correct horse battery staple");

    (void)state;
    assert_int_equal(psn_secret_copy(with_nul, sizeof with_nul - 1, &nul, NULL), PSN_OK);
    assert_int_equal(psn_check_passphrase(nul, NULL), PSN_E_POLICY);
    assert_int_equal(psn_check_passphrase(latin, NULL), PSN_E_POLICY);
}

static void a_very_long_passphrase_is_measured_in_no_time(void **state)
{
    PSN_AUTO(psn_secret) *passphrase = NULL;

    (void)state;
    assert_int_equal(psn_secret_new(16384, &passphrase, NULL), PSN_OK);
    for (size_t i = 0; i < 16384; i++)
        psn_secret_fill(passphrase)[i] = (uint8_t)("k7Wq-pz"[(i * i + i / 7) % 7]);
    psn_secret_set_size(passphrase, 16384);
    assert_int_equal(psn_check_passphrase(passphrase, NULL), PSN_OK);
}

/* zxcvbn leaves reversed and lower-case copies; they must not be in this process. */
static void measuring_leaves_no_copy_in_memory(void **state)
{
    static const char hex[] = "0123456789abcdef";
    PSN_AUTO(psn_secret) *passphrase = NULL;
    unsigned char masked[24];
    unsigned char reversed[24];
    char plain[24];

    (void)state;
    psn_random(masked, sizeof masked);
    for (size_t i = 0; i < sizeof masked; i++) {
        masked[i] = (unsigned char)(hex[masked[i] & 15] ^ 0x5a);
        reversed[sizeof masked - 1 - i] = masked[i];
        plain[i] = (char)(masked[i] ^ 0x5a);
    }
    if (memory_count(masked, sizeof masked) != 1)
        skip(); /* this system does not show memory */
    assert_int_equal(psn_secret_copy(plain, sizeof plain, &passphrase, NULL), PSN_OK);
    explicit_bzero(plain, sizeof plain);
    assert_int_equal(psn_check_passphrase(passphrase, NULL), PSN_OK);
    assert_int_equal(memory_count(masked, sizeof masked), 1);
    assert_int_equal(memory_count(reversed, sizeof reversed), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_passwords_have_their_form_and_no_bias),
        cmocka_unit_test(nothing_is_generated_without_the_kernels_random_numbers),
        cmocka_unit_test(both_lists_hold_2048_different_plain_words),
        cmocka_unit_test(passphrases_are_nine_even_words),
        cmocka_unit_test(weak_passphrases_are_refused),
        cmocka_unit_test(strong_passphrases_are_accepted),
        cmocka_unit_test(generated_passphrases_and_passwords_pass_the_check),
        cmocka_unit_test(bytes_that_are_not_text_are_refused),
        cmocka_unit_test(a_very_long_passphrase_is_measured_in_no_time),
        cmocka_unit_test(measuring_leaves_no_copy_in_memory),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
