#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "support/record.h"

#define MIB (UINT64_C(1) << 20)

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

static struct psn_secret *counted_key(void)
{
    struct psn_secret *key = NULL;

    assert_int_equal(psn_secret_new(PSN_KEY_SIZE, &key, NULL), PSN_OK);
    for (size_t i = 0; i < PSN_KEY_SIZE; i++)
        psn_secret_fill(key)[i] = (uint8_t)i;
    psn_secret_set_size(key, PSN_KEY_SIZE);
    return key;
}

static void assert_key(const struct psn_secret *key, const char *expected)
{
    char hex[2 * PSN_KEY_SIZE + 1];

    assert_int_equal(psn_secret_size(key), PSN_KEY_SIZE);
    assert_string_equal(psn_hex(psn_secret_bytes(key), PSN_KEY_SIZE, hex), expected);
}

static const uint8_t salt[PSN_SALT_SIZE] = { 0, 1, 2,  3,  4,  5,  6,  7,
                                             8, 9, 10, 11, 12, 13, 14, 15 };

/* The value is of an independent implementation of RFC 9106. */
static void argon2id_gives_a_known_answer(void **state)
{
    PSN_AUTO(psn_secret) *passphrase = secret_of("correct horse battery staple");
    PSN_AUTO(psn_secret) *key = NULL;

    (void)state;
    assert_int_equal(
        psn_kdf_passphrase(passphrase, salt, psn_kdf_default_cost(), &key, NULL), PSN_OK);
    assert_key(key, "aad608b5866cef907f47d5cae529ed01a91301c92c5d5fef46e1a65e394e5742");
}

static void too_little_memory_is_said_and_gives_no_key(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        struct psn_kdf_cost cost = { 3, 4096 * MIB };
        struct psn_error err = { 0 };
        struct psn_secret *passphrase = secret_of("correct horse battery staple");
        struct psn_secret *key = NULL;
        FILE *statm = fopen("/proc/self/statm", "re");
        char line[64] = "";
        unsigned long long pages = 0;
        struct rlimit limit;
        enum psn_code rc;

        if (!statm || !fgets(line, sizeof line, statm))
            _exit(3);
        for (const char *at = line; *at >= '0' && *at <= '9'; at++)
            pages = pages * 10 + (unsigned long long)(*at - '0');
        limit.rlim_cur = (rlim_t)(pages * 4096 + 64 * MIB);
        limit.rlim_max = limit.rlim_cur;
        if (setrlimit(RLIMIT_AS, &limit) != 0)
            _exit(3);
        rc = psn_kdf_passphrase(passphrase, salt, cost, &key, &err);
        _exit(rc == PSN_E_NOMEM && err.code == rc && err.hint[0] && !key ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 3)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_cost_of_new_slots_is_accepted(void **state)
{
    struct psn_kdf_cost cost = psn_kdf_default_cost();

    (void)state;
    assert_int_equal(cost.passes, 3);
    assert_int_equal(cost.memory_bytes, 256 * MIB);
    assert_int_equal(psn_kdf_check_cost(cost, NULL), PSN_OK);
    assert_int_equal(psn_kdf_check_cost((struct psn_kdf_cost){ 64, 4096 * MIB }, NULL),
                     PSN_OK);
}

/* Every pair of these with at least one bad half is an edited file. */
static void edited_costs_are_refused_before_any_work(void **state)
{
    static const struct {
        uint64_t value;
        bool good;
    } passes[] = { { 0, false },    { 1, false },          { 2, false },
                   { 3, true },     { 64, true },          { 65, false },
                   { 1000, false }, { 0x80000000, false }, { UINT32_MAX, false } },
      memory[] = { { 0, false },
                   { 1, false },
                   { UINT64_C(8192), false },
                   { 64 * MIB, false },
                   { 256 * MIB - 1, false },
                   { 256 * MIB, true },
                   { 256 * MIB + 1, false },
                   { UINT64_C(4) << 30, true },
                   { (UINT64_C(4) << 30) + 1024, false },
                   { UINT64_C(1) << 42, false },
                   { (UINT64_C(1) << 32) + (UINT64_C(1) << 63), false },
                   { UINT64_MAX, false } };
    PSN_AUTO(psn_secret) *passphrase = secret_of("correct horse battery staple");
    clock_t began = clock();
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        for (size_t j = 0; j < sizeof memory / sizeof *memory; j++) {
            struct psn_kdf_cost cost = { (uint32_t)passes[i].value, memory[j].value };
            struct psn_secret *key = NULL;
            struct psn_error err = { 0 };

            if (passes[i].good && memory[j].good)
                continue;
            assert_int_equal(psn_kdf_check_cost(cost, NULL), PSN_E_INTEGRITY);
            assert_int_equal(psn_kdf_passphrase(passphrase, salt, cost, &key, &err),
                             PSN_E_INTEGRITY);
            assert_int_equal(err.code, PSN_E_INTEGRITY);
            assert_null(key);
            refused++;
        }
    }
    record_figure("2.4", "costs", refused, refused);
    assert_true(refused >= 64);
    /* One derivation at the least cost that is allowed would take longer, by itself. */
    assert_true(clock() - began < CLOCKS_PER_SEC / 2);
}

static void a_strong_secret_is_derived_by_hkdf(void **state)
{
    PSN_AUTO(psn_secret) *secret = secret_of("strong secret");
    PSN_AUTO(psn_secret) *key = NULL;
    PSN_AUTO(psn_secret) *other = NULL;

    (void)state;
    assert_int_equal(psn_kdf_strong(secret, salt, "passation slot", &key, NULL), PSN_OK);
    assert_key(key, "cbd10f165f35a3d9ca27c8f67d88ffa7a5284a7d465e6fd2055c87ecc76fe589");
    assert_int_equal(psn_kdf_strong(secret, salt, "passation sloT", &other, NULL),
                     PSN_OK);
    assert_false(psn_secret_equal(key, other));
}

/* crypto_kdf is BLAKE2b with the number as salt and the context as personalization;
 * values of an independent BLAKE2b. */
static void sub_keys_give_known_answers(void **state)
{
    static const struct {
        uint64_t id;
        const char *context;
        const char *hex;
    } rows[] = {
        { 1, "passtest",
          "dad4505c98b8483dc86073ff4d4ec3e9b85930a363df8d48dc16a22066fd033c" },
        { 2, "passtest",
          "cc9d8a92569d122aedfa47e905d6a66911ba2a5c0233a3aa09707bdad44219c3" },
        { UINT64_MAX, "12345678",
          "c11d59ffb487a78ead8c105d0e54abb4736ade1932097a074778073f5becb7f7" },
    };
    PSN_AUTO(psn_secret) *root = counted_key();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *key = NULL;

        assert_int_equal(psn_kdf_sub(root, rows[i].id, rows[i].context, &key, NULL),
                         PSN_OK);
        assert_key(key, rows[i].hex);
    }
}

static void random_keys_differ(void **state)
{
    PSN_AUTO(psn_secret) *a = NULL;
    PSN_AUTO(psn_secret) *b = NULL;

    (void)state;
    assert_int_equal(psn_kdf_random(&a, NULL), PSN_OK);
    assert_int_equal(psn_kdf_random(&b, NULL), PSN_OK);
    assert_int_equal(psn_secret_size(a), PSN_KEY_SIZE);
    assert_int_equal(psn_secret_size(b), PSN_KEY_SIZE);
    assert_false(psn_secret_equal(a, b));
}

static bool memory_ends;

enum psn_code __real_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err);
enum psn_code __wrap_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err);

enum psn_code __wrap_psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                                    struct psn_error *err)
{
    if (memory_ends)
        return psn_fail(err, PSN_E_NOMEM, "no memory can be locked");
    return __real_psn_secret_new(capacity, ret_secret, err);
}

static void without_memory_for_a_key_there_is_none(void **state)
{
    static const uint8_t bytes[PSN_KEY_SIZE];
    PSN_AUTO(psn_secret) *secret = NULL;
    struct psn_secret *key = NULL;

    (void)state;
    assert_int_equal(psn_secret_copy(bytes, sizeof bytes, &secret, NULL), PSN_OK);
    memory_ends = true;
    assert_int_equal(psn_kdf_random(&key, NULL), PSN_E_NOMEM);
    assert_int_equal(psn_kdf_sub(secret, 1, "a label", &key, NULL), PSN_E_NOMEM);
    assert_int_equal(psn_kdf_strong(secret, salt, "a label", &key, NULL), PSN_E_NOMEM);
    assert_int_equal(psn_kdf_passphrase(secret, salt, psn_kdf_default_cost(), &key, NULL),
                     PSN_E_NOMEM);
    assert_null(key);
    memory_ends = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(argon2id_gives_a_known_answer),
        cmocka_unit_test(too_little_memory_is_said_and_gives_no_key),
        cmocka_unit_test(the_cost_of_new_slots_is_accepted),
        cmocka_unit_test(edited_costs_are_refused_before_any_work),
        cmocka_unit_test(a_strong_secret_is_derived_by_hkdf),
        cmocka_unit_test(sub_keys_give_known_answers),
        cmocka_unit_test(random_keys_differ),
        cmocka_unit_test(without_memory_for_a_key_there_is_none),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
