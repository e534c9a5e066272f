#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/auto.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/kdf.h"
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "support/record.h"

static const char ad[] = "table secret, row 7";
static struct psn_secret *key;

static int set_up(void **state)
{
    (void)state;
    if (psn_crypto_init(NULL) != PSN_OK)
        return -1;
    return psn_kdf_random(&key, NULL) == PSN_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    psn_secret_free(key);
    return 0;
}

static void seal(const void *plain, size_t size, struct psn_buf *out)
{
    assert_int_equal(psn_seal(key, ad, sizeof ad, plain, size, out, NULL), PSN_OK);
}

static void assert_refused(const void *box, size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(4096);
    struct psn_secret *secret = NULL;
    struct psn_error err = { 0 };

    psn_buf_text(&plain, "from before");
    assert_int_equal(psn_unseal(key, ad, sizeof ad, box, size, &plain, &err),
                     PSN_E_INTEGRITY);
    assert_int_equal(err.code, PSN_E_INTEGRITY);
    assert_int_equal(plain.size, 0);
    assert_int_equal(psn_unseal_secret(key, ad, sizeof ad, box, size, &secret, NULL),
                     PSN_E_INTEGRITY);
    assert_null(secret);
}

static void every_size_comes_back(void **state)
{
    uint8_t plain[2200];

    (void)state;
    psn_random(plain, sizeof plain);
    for (size_t size = 0; size <= sizeof plain; size++) {
        PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
        PSN_AUTO_RELEASE(psn_buf) opened = psn_buf_init_wiped(size);
        PSN_AUTO(psn_secret) *secret = NULL;

        seal(plain, size, &box);
        assert_int_equal(box.size, psn_seal_padded_size(size) + PSN_SEAL_NONCE_SIZE +
                                       PSN_SEAL_TAG_SIZE);
        assert_int_equal(
            psn_unseal(key, ad, sizeof ad, box.data, box.size, &opened, NULL), PSN_OK);
        assert_int_equal(opened.size, size);
        assert_memory_equal(psn_buf_str(&opened), plain, size);
        assert_int_equal(
            psn_unseal_secret(key, ad, sizeof ad, box.data, box.size, &secret, NULL),
            PSN_OK);
        assert_int_equal(psn_secret_size(secret), size);
        assert_memory_equal(psn_secret_bytes(secret), plain, size);
    }
}

/* Plaintexts that end like padding are told from it. */
static void content_that_looks_like_padding_comes_back(void **state)
{
    static const uint8_t tails[][4] = {
        { 0x80, 0, 0, 0 }, { 0, 0, 0, 0 }, { 0x80, 0x80, 0x80, 0x80 }, { 0, 0, 0, 0x80 }
    };

    (void)state;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
        PSN_AUTO_RELEASE(psn_buf) opened = psn_buf_init_wiped(100);

        seal(tails[i], 4, &box);
        assert_int_equal(
            psn_unseal(key, ad, sizeof ad, box.data, box.size, &opened, NULL), PSN_OK);
        assert_int_equal(opened.size, 4);
        assert_memory_equal(opened.data, tails[i], 4);
    }
}

static void within_a_step_all_boxes_have_one_length(void **state)
{
    uint8_t plain[1024] = { 0 };

    (void)state;
    for (size_t size = 0; size < sizeof plain; size++) {
        PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);

        seal(plain, size, &box);
        assert_int_equal(box.size, (size / 64 + 1) * 64 + 40);
    }
    record_figure("2.19", "lengths", sizeof plain, sizeof plain);
}

/* Computed by an independent program from the formula of the paper. */
static void larger_sizes_are_those_of_padme(void **state)
{
    static const struct {
        size_t size;
        size_t padded;
    } rows[] = {
        { 0, 64 },
        { 62, 64 },
        { 63, 64 },
        { 64, 128 },
        { 1022, 1024 },
        { 1023, 1024 },
        { 1024, 1088 },
        { 1086, 1088 },
        { 1087, 1088 },
        { 2046, 2048 },
        { 2047, 2048 },
        { 2048, 2176 },
        { 4095, 4096 },
        { 5000, 5120 },
        { 9999, 10240 },
        { 41000, 43008 },
        { 65535, 65536 },
        { 100000, 100352 },
        { 1048575, 1048576 },
        { 10000000, 10223616 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(psn_seal_padded_size(rows[i].size), rows[i].padded);
}

static void padding_costs_little_and_never_shrinks(void **state)
{
    size_t before = 0;
    size_t classes = 0;

    (void)state;
    for (size_t size = 0; size < 300000; size++) {
        size_t padded = psn_seal_padded_size(size);

        assert_true(padded > size && padded >= before && padded % 64 == 0);
        if (size >= 1024)
            assert_true(padded - size <= size * 12 / 100 + 1);
        classes += padded != before ? 1 : 0;
        before = padded;
    }
    assert_in_range(classes, 16, 200);
}

static void more_than_can_be_sealed_is_told_from_what_does_not_fit(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(64);
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_seal(key, ad, sizeof ad, "", SIZE_MAX / 8 + 1, &out, &err),
                     PSN_E_LIMIT);
    assert_string_equal(err.message, "too much to seal at once");
    err = (struct psn_error){ 0 };
    assert_int_equal(psn_seal(key, ad, sizeof ad, "", SIZE_MAX / 8, &out, &err),
                     PSN_E_LIMIT);
    assert_string_not_equal(err.message, "too much to seal at once");
}

static void two_boxes_of_one_plaintext_differ(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) a = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) b = psn_buf_init(4096);

    (void)state;
    seal("same", 4, &a);
    seal("same", 4, &b);
    assert_memory_not_equal(a.data, b.data, PSN_SEAL_NONCE_SIZE);
    assert_memory_not_equal(a.data + PSN_SEAL_NONCE_SIZE, b.data + PSN_SEAL_NONCE_SIZE,
                            64);
}

static void a_box_is_appended_to_what_is_there(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) opened = psn_buf_init_wiped(100);

    (void)state;
    psn_buf_text(&out, "head");
    seal("text", 4, &out);
    assert_memory_equal(out.data, "head", 4);
    assert_int_equal(
        psn_unseal(key, ad, sizeof ad, out.data + 4, out.size - 4, &opened, NULL),
        PSN_OK);
    assert_string_equal(psn_buf_str(&opened), "text");
}

static void every_flipped_bit_is_refused(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);

    (void)state;
    seal("the password", 12, &box);
    for (size_t bit = 0; bit < 8 * box.size; bit++) {
        box.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_refused(box.data, box.size);
        box.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void every_other_length_is_refused(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
    size_t size;

    (void)state;
    seal("the password", 12, &box);
    size = box.size;
    (void)psn_buf_reserve(&box, 200);
    for (size_t other = 0; other <= box.size; other++)
        if (other != size)
            assert_refused(box.data, other);
}

/* Though there is not even a nonce, or a tag, to read: nothing is tried with it. */
static void what_is_shorter_than_any_box_is_refused_by_its_size(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(4096);

    (void)state;
    for (size_t size = 0; size < 104; size++) {
        PSN_AUTO_FREE uint8_t *box = calloc(1, size ? size : 1);
        struct psn_secret *secret = NULL;
        struct psn_error errors[2] = { 0 };

        assert_refused(box, size);
        assert_int_equal(psn_unseal(key, ad, sizeof ad, box, size, &plain, &errors[0]),
                         PSN_E_INTEGRITY);
        assert_int_equal(
            psn_unseal_secret(key, ad, sizeof ad, box, size, &secret, &errors[1]),
            PSN_E_INTEGRITY);
        for (size_t i = 0; i < 2; i++)
            assert_non_null(strstr(errors[i].message, "impossible size"));
    }
}

static void other_associated_data_is_refused(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(4096);
    char other[sizeof ad + 1] = "";

    (void)state;
    seal("the password", 12, &box);
    memcpy(other, ad, sizeof ad);
    for (size_t bit = 0; bit < 8 * sizeof ad; bit++) {
        other[bit / 8] = (char)(other[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(
            psn_unseal(key, other, sizeof ad, box.data, box.size, &plain, NULL),
            PSN_E_INTEGRITY);
        other[bit / 8] = ad[bit / 8];
    }
    for (size_t size = 0; size <= sizeof other; size++)
        if (size != sizeof ad)
            assert_int_equal(
                psn_unseal(key, other, size, box.data, box.size, &plain, NULL),
                PSN_E_INTEGRITY);
    assert_int_equal(psn_unseal(key, NULL, 0, box.data, box.size, &plain, NULL),
                     PSN_E_INTEGRITY);
}

static void another_key_is_refused(void **state)
{
    PSN_AUTO(psn_secret) *other = NULL;
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(4096);

    (void)state;
    seal("the password", 12, &box);
    assert_int_equal(psn_secret_copy(psn_secret_bytes(key), PSN_KEY_SIZE, &other, NULL),
                     PSN_OK);
    for (size_t bit = 0; bit < 256; bit++) {
        psn_secret_fill(other)[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(
            psn_unseal(other, ad, sizeof ad, box.data, box.size, &plain, NULL),
            PSN_E_INTEGRITY);
        psn_secret_fill(other)[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(psn_unseal(other, ad, sizeof ad, box.data, box.size, &plain, NULL),
                     PSN_OK);
}

/* Boxes by somebody who has the key but not our padding. */
static void bad_padding_is_refused(void **state)
{
    static const struct {
        size_t mark;   /* where 0x80 stands */
        size_t padded; /* the length of all */
        uint8_t rest;  /* what follows */
        bool good;
    } rows[] = {
        { 10, 64, 0, true },     { 10, 64, 1, false },     { 10, 128, 0, false },
        { 63, 64, 0, true },     { 63, 128, 0, false },    { 64, 128, 0, true },
        { 999, 64, 0, false },   { 999, 128, 0, false },   { 1023, 1024, 0, true },
        { 1024, 1088, 0, true }, { 1024, 1152, 0, false }, { 10, 65, 0, false },
        { 10, 63, 0, false },    { 10, 11, 0, false },     { 2048, 2112, 0, false },
        { 2048, 2176, 0, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t padded[2300] = { 0 };
        uint8_t box[2400];
        PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(4096);

        if (rows[i].mark < rows[i].padded)
            padded[rows[i].mark] = 0x80;
        if (rows[i].mark + 1 < rows[i].padded)
            padded[rows[i].padded - 1] = rows[i].rest;
        psn_random(box, PSN_SEAL_NONCE_SIZE);
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
            box + PSN_SEAL_NONCE_SIZE, NULL, padded, rows[i].padded,
            (const unsigned char *)ad, sizeof ad, NULL, box, psn_secret_bytes(key));
        if (!rows[i].good) {
            assert_refused(box, rows[i].padded + 40);
            continue;
        }
        assert_int_equal(
            psn_unseal(key, ad, sizeof ad, box, rows[i].padded + 40, &plain, NULL),
            PSN_OK);
        assert_int_equal(plain.size, rows[i].mark);
    }
}

static void limits_leave_the_buffers_as_promised(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) small = psn_buf_init(103);
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(104);
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(11);
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_seal(key, ad, sizeof ad, "x", 1, &small, &err), PSN_E_LIMIT);
    assert_int_equal(err.code, PSN_E_LIMIT);
    assert_int_equal(psn_seal(key, ad, sizeof ad, "x", SIZE_MAX, &box, NULL),
                     PSN_E_LIMIT);
    seal("the password", 12, &box);
    assert_int_equal(psn_unseal(key, ad, sizeof ad, box.data, box.size, &plain, NULL),
                     PSN_E_LIMIT);
    assert_int_equal(plain.size, 0);
    plain.size_max = 12;
    assert_int_equal(psn_unseal(key, ad, sizeof ad, box.data, box.size, &plain, NULL),
                     PSN_OK);
    assert_string_equal(psn_buf_str(&plain), "the password");
}

static bool memory_ends;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return memory_ends ? NULL : __real_malloc(size);
}

static void a_large_box_that_there_is_no_memory_for_leaves_nothing(void **state)
{
    static const char content[4096];
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(8192);
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(sizeof content);
    struct psn_error err = { 0 };
    enum psn_code rc;

    (void)state;
    seal(content, sizeof content, &box);
    memory_ends = true;
    rc = psn_unseal(key, ad, sizeof ad, box.data, box.size, &plain, &err);
    memory_ends = false;
    assert_int_equal(rc, PSN_E_NOMEM);
    assert_int_equal(err.code, PSN_E_NOMEM);
    assert_int_equal(plain.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_comes_back),
        cmocka_unit_test(content_that_looks_like_padding_comes_back),
        cmocka_unit_test(within_a_step_all_boxes_have_one_length),
        cmocka_unit_test(larger_sizes_are_those_of_padme),
        cmocka_unit_test(padding_costs_little_and_never_shrinks),
        cmocka_unit_test(more_than_can_be_sealed_is_told_from_what_does_not_fit),
        cmocka_unit_test(two_boxes_of_one_plaintext_differ),
        cmocka_unit_test(a_box_is_appended_to_what_is_there),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(what_is_shorter_than_any_box_is_refused_by_its_size),
        cmocka_unit_test(other_associated_data_is_refused),
        cmocka_unit_test(another_key_is_refused),
        cmocka_unit_test(bad_padding_is_refused),
        cmocka_unit_test(limits_leave_the_buffers_as_promised),
        cmocka_unit_test(a_large_box_that_there_is_no_memory_for_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
