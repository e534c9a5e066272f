#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void an_empty_buffer_is_an_empty_string(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(10);

    (void)state;
    assert_string_equal(psn_buf_str(&buf), "");
    assert_int_equal(psn_buf_check(&buf, NULL), PSN_OK);
}

static void appends_follow_each_other_and_are_terminated(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(1000);

    (void)state;
    psn_buf_text(&buf, "/account/");
    psn_buf_format(&buf, "%s-%d", "contact", 7);
    psn_buf_char(&buf, '?');
    psn_buf_bytes(&buf, "a\0b", 3);
    psn_buf_bytes(&buf, NULL, 0);
    assert_int_equal(psn_buf_check(&buf, NULL), PSN_OK);
    assert_int_equal(buf.size, 22);
    assert_memory_equal(buf.data, "/account/contact-7?a\0b", 23);
}

static void numbers_are_big_endian(void **state)
{
    static const uint8_t expected[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    };
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(100);

    (void)state;
    psn_buf_u8(&buf, 1);
    psn_buf_u16(&buf, 0x0203);
    psn_buf_u32(&buf, 0x04050607);
    psn_buf_u64(&buf, UINT64_C(0x08090a0b0c0d0e0f));
    assert_int_equal(buf.size, sizeof expected);
    assert_memory_equal(buf.data, expected, sizeof expected);
}

static void the_maximum_is_exact_and_failure_sticks(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(5);
    struct psn_error err = { 0 };
    char *text = NULL;

    (void)state;
    psn_buf_text(&buf, "12345");
    assert_int_equal(psn_buf_check(&buf, NULL), PSN_OK);
    psn_buf_char(&buf, '6');
    psn_buf_bytes(&buf, "", 0);
    assert_int_equal(psn_buf_check(&buf, &err), PSN_E_LIMIT);
    assert_int_equal(err.code, PSN_E_LIMIT);
    assert_int_equal(psn_buf_take(&buf, &text, NULL), PSN_E_LIMIT);
    assert_null(text);
    assert_null(psn_buf_reserve(&buf, 0));
    assert_string_equal(psn_buf_str(&buf), "12345");
    psn_buf_reset(&buf);
    psn_buf_text(&buf, "new");
    assert_int_equal(psn_buf_check(&buf, NULL), PSN_OK);
    assert_string_equal(psn_buf_str(&buf), "new");
}

static void a_size_near_the_end_of_memory_does_not_wrap_around(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(100);

    (void)state;
    psn_buf_text(&buf, "x");
    assert_null(psn_buf_reserve(&buf, SIZE_MAX));
    assert_int_equal(psn_buf_check(&buf, NULL), PSN_E_LIMIT);
}

static void taking_leaves_an_empty_buffer(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(100);
    PSN_AUTO_FREE char *text = NULL;
    PSN_AUTO_FREE char *empty = NULL;

    (void)state;
    psn_buf_text(&buf, "taken");
    assert_int_equal(psn_buf_take(&buf, &text, NULL), PSN_OK);
    assert_string_equal(text, "taken");
    assert_int_equal(buf.size, 0);
    assert_int_equal(psn_buf_take(&buf, &empty, NULL), PSN_OK);
    assert_string_equal(empty, "");
}

static void a_wiped_buffer_grows_like_any_other(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init_wiped(100000);

    (void)state;
    for (int i = 0; i < 100000; i++)
        psn_buf_char(&buf, (char)('a' + i % 26));
    assert_int_equal(psn_buf_check(&buf, NULL), PSN_OK);
    assert_int_equal(buf.size, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf.data[i], 'a' + i % 26);
}

/* Many small entries behind a large one would else cost as much as so many large ones. */
static void resetting_costs_what_was_in_use_and_not_all_there_is(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init_wiped(100000);
    size_t last;

    (void)state;
    (void)psn_buf_reserve(&buf, 50000);
    buf.size = 10; /* what was cut off is wiped all the same */
    buf.data[49999] = 'x';
    psn_buf_reset(&buf);
    assert_int_equal(buf.data[49999], 0);
    last = buf.capacity - 1;
    buf.data[last] = 'x';
    psn_buf_text(&buf, "small");
    psn_buf_reset(&buf);
    assert_int_equal(buf.data[last], 'x');
    assert_int_equal(buf.data[0], 0);
    assert_int_equal(buf.data[4], 0);
}

static void resetting_a_wiped_buffer_overwrites_its_bytes(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init_wiped(1000);

    (void)state;
    psn_buf_text(&buf, "hunter2 hunter2");
    psn_buf_reset(&buf);
    assert_int_equal(buf.size, 0);
    for (size_t i = 0; i < strlen("hunter2 hunter2"); i++)
        assert_int_equal(buf.data[i], 0);
}

static void what_is_cut_off_is_gone_and_still_wiped(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init_wiped(100);

    (void)state;
    psn_buf_cut(&buf, 0);
    assert_string_equal(psn_buf_str(&buf), "");
    psn_buf_text(&buf, "hunter2 hunter2");
    psn_buf_cut(&buf, 7);
    assert_int_equal(buf.size, 7);
    assert_string_equal(psn_buf_str(&buf), "hunter2");
    psn_buf_reset(&buf);
    for (size_t i = 0; i < strlen("hunter2 hunter2"); i++)
        assert_int_equal(buf.data[i], 0);
}

static void reserved_bytes_are_zero_after_a_reset(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(1000);
    const uint8_t *at;

    (void)state;
    psn_buf_text(&buf, "old content of the buffer");
    psn_buf_reset(&buf);
    at = psn_buf_reserve(&buf, 20);
    assert_non_null(at);
    for (size_t i = 0; i <= 20; i++)
        assert_int_equal(at[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_string),
        cmocka_unit_test(appends_follow_each_other_and_are_terminated),
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(the_maximum_is_exact_and_failure_sticks),
        cmocka_unit_test(a_size_near_the_end_of_memory_does_not_wrap_around),
        cmocka_unit_test(taking_leaves_an_empty_buffer),
        cmocka_unit_test(a_wiped_buffer_grows_like_any_other),
        cmocka_unit_test(resetting_costs_what_was_in_use_and_not_all_there_is),
        cmocka_unit_test(resetting_a_wiped_buffer_overwrites_its_bytes),
        cmocka_unit_test(what_is_cut_off_is_gone_and_still_wiped),
        cmocka_unit_test(reserved_bytes_are_zero_after_a_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
