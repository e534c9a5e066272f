#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/same_value.h"
#include "passation/passation.h"

static bool knows(const char *type, const char *known, const char *value)
{
    struct psn_secret *left = NULL;
    struct psn_secret *right = NULL;
    bool does;

    assert_int_equal(psn_secret_copy(known, strlen(known), &left, NULL), PSN_OK);
    assert_int_equal(psn_secret_copy(value, strlen(value), &right, NULL), PSN_OK);
    does = psn_value_is_known_by(type, left, right);
    psn_secret_free(left);
    psn_secret_free(right);
    return does;
}

static void a_seed_is_the_same_however_it_is_written(void **state)
{
    static const char seed[] = "JBSWY3DPEHPK3PXP";

    (void)state;
    assert_true(knows("totp", seed, "jbsw y3dp ehpk 3pxp"));
    assert_true(knows("totp", seed,
                      "otpauth://totp/Shop:me?secret=JBSWY3DPEHPK3PXP&issuer=Shop"));
    assert_true(knows("totp", "otpauth://totp/x?secret=jbswy3dpehpk3pxp&digits=8", seed));
    assert_false(knows("totp", seed, "JBSWY3DPEHPK3PXQ"));
    assert_false(knows("totp", seed, "no seed at all!"));
    assert_false(knows("other", seed, "jbsw y3dp ehpk 3pxp"));
}

static void one_recovery_code_in_common_is_enough(void **state)
{
    (void)state;
    assert_true(knows("recovery", "aaaa-1\nbbbb-2\ncccc-3", "cccc-3, aaaa-1"));
    assert_true(knows("recovery", "aaaa-1\nbbbb-2", "bbbb-2"));
    assert_false(knows("recovery", "aaaa-1\nbbbb-2", "aaaa-2\nbbbb-1"));
    assert_false(knows("other", "aaaa-1\nbbbb-2", "bbbb-2"));
}

static void anything_else_is_compared_byte_for_byte(void **state)
{
    (void)state;
    assert_true(knows("", "word", "word"));
    assert_false(knows("", "word", "Word"));
    assert_false(knows("ftp", "word", "word "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_is_the_same_however_it_is_written),
        cmocka_unit_test(one_recovery_code_in_common_is_enough),
        cmocka_unit_test(anything_else_is_compared_byte_for_byte),
    };

    return psn_init(NULL) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
