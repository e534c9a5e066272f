#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/contact.h"
#include "core/role.h"
#include "passation/rotation.h"

/* What the library's words mean to a person: each has words of its own. */

enum {
    WORDS_MAX = 64,
};

static struct words {
    const char *items[WORDS_MAX];
    size_t count;
} words;

static void begin(void)
{
    words.count = 0;
}

/* It says something, and nothing that another one says. */
static void take(const char *text)
{
    assert_true(text[0] != '\0');
    assert_true(words.count < WORDS_MAX);
    for (size_t i = 0; i < words.count; i++)
        assert_string_not_equal(words.items[i], text);
    words.items[words.count++] = text;
}

/* --- rotations --- */

static void each_reason_is_explained(void **state)
{
    (void)state;
    begin();
    for (int why = PSN_ROTATION_WHY_NONE + 1; why < PSN_ROTATION_REASONS; why++)
        take(psn_rotation_explain((enum psn_rotation_reason)why));
    assert_string_equal(psn_rotation_explain(PSN_ROTATION_WHY_NONE), "");
    assert_string_equal(psn_rotation_explain(PSN_ROTATION_REASONS), "");
}

static void what_a_run_waits_for_is_said(void **state)
{
    static const enum psn_rotation_reason reasons[] = {
        PSN_ROTATION_WHY_THROTTLED,  PSN_ROTATION_WHY_NO_CONNECTION,
        PSN_ROTATION_WHY_BUSY,       PSN_ROTATION_WHY_TASK_PENDING,
        PSN_ROTATION_WHY_NO_LOGIN,   PSN_ROTATION_WHY_LOGINS_SPENT,
        PSN_ROTATION_WHY_NOT_SILENT, PSN_ROTATION_WHY_UNPROVED,
        PSN_ROTATION_WHY_NOT_YET,
    };

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        take(psn_rotation_waiting(reasons[i]));
}

static void an_end_has_a_code_and_a_way_on(void **state)
{
    static const struct {
        enum psn_rotation_reason reason;
        enum psn_code code;
        bool is_refusal;
        const char *hint; /* of an end that is neither stuck nor unfinished */
    } rows[] = {
        { PSN_ROTATION_WHY_KEY, PSN_E_REFUSED, true, "OVH says so" },
        { PSN_ROTATION_WHY_SERVICE, PSN_E_REFUSED, true, "OVH says so" },
        { PSN_ROTATION_WHY_CLOCK, PSN_E_REFUSED, true, "OVH says so" },
        { PSN_ROTATION_WHY_ABSENT, PSN_E_NOT_FOUND, false, "" },
        { PSN_ROTATION_WHY_POLICY, PSN_E_POLICY, true, "OVH control panel" },
        { PSN_ROTATION_WHY_EXISTS, PSN_E_EXISTS, false, "role adopt a@b.fr" },
        { PSN_ROTATION_WHY_NO_CONNECTION, PSN_E_NETWORK, false, "" },
        { PSN_ROTATION_WHY_BOTH_REFUSED, PSN_E_UNFINISHED, false, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct psn_rotation_action end = { .kind = PSN_ROTATION_DO_RETIRE,
                                                 .reason = rows[i].reason };
        struct psn_error err = { .code = rows[i].code };

        assert_int_equal(psn_rotation_code(rows[i].reason), rows[i].code);
        assert_int_equal(psn_rotation_is_refusal(rows[i].reason), rows[i].is_refusal);
        psn_rotation_advise(&end, "a@b.fr", "OVH says so", &err);
        assert_true(rows[i].hint[0] ? strstr(err.hint, rows[i].hint) != NULL
                                    : err.hint[0] == '\0');
    }
}

static void what_is_stuck_or_unfinished_goes_on_by_resume(void **state)
{
    static const struct psn_rotation_action ends[] = {
        { .kind = PSN_ROTATION_DO_STUCK, .reason = PSN_ROTATION_WHY_ABSENT },
        { .kind = PSN_ROTATION_DO_STUCK, .reason = PSN_ROTATION_WHY_BOTH_REFUSED },
        { .kind = PSN_ROTATION_DO_UNFINISHED, .reason = PSN_ROTATION_WHY_NO_LOGIN },
    };
    const struct psn_rotation_action silent = { .kind = PSN_ROTATION_DO_RETIRE,
                                                .reason = PSN_ROTATION_WHY_KEY };
    struct psn_error none = { .code = PSN_E_REFUSED };

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct psn_error err = { .code = PSN_E_UNFINISHED };

        psn_rotation_advise(&ends[i], "a@b.fr", "", &err);
        assert_non_null(strstr(err.hint, "passation resume a@b.fr"));
        assert_true((strstr(err.hint, "role rm") != NULL) == (i == 0));
    }
    psn_rotation_advise(&silent, "a@b.fr", "", &none);
    assert_string_equal(none.hint, "");
}

static void each_result_has_a_name(void **state)
{
    (void)state;
    begin();
    for (int result = PSN_RESULT_ROTATED; result <= PSN_RESULT_UNKNOWN; result++)
        take(psn_result_name((enum psn_result)result));
}

/* --- contacts --- */

static void each_state_of_a_contact_has_a_name_and_an_event(void **state)
{
    (void)state;
    begin();
    for (int at = 0; at < PSN_CONTACT_STATES; at++) {
        enum psn_contact_state one = (enum psn_contact_state)at;

        take(psn_contact_state_name(one));
        assert_true(psn_contact_is_over(one) !=
                    (strcmp(psn_contact_event(one), PSN_CONTACT_TASK) == 0));
    }
    assert_string_equal(psn_contact_state_name(PSN_CONTACT_STATES), "unknown");
}

static void what_was_asked_is_known_again_by_all_it_tells(void **state)
{
    const struct psn_contact_change asked = { .kind = PSN_CONTACT_ZONE,
                                              .service = "acme.fr",
                                              .admin = true,
                                              .from = "a-ovh",
                                              .to = "b-ovh" };
    struct psn_contact_change other = asked;

    (void)state;
    assert_true(psn_contact_is_same(&asked, &other));
    (void)snprintf(other.service, sizeof other.service, "ACME.fr");
    (void)snprintf(other.to, sizeof other.to, "B-ovh");
    assert_true(psn_contact_is_same(&asked, &other));
    other.kind = PSN_CONTACT_UNKNOWN;
    other.service[0] = '\0'; /* OVH does not tell it */
    assert_true(psn_contact_is_same(&asked, &other));
#define DIFFERS(change)                                    \
    do {                                                   \
        other = asked;                                     \
        change;                                            \
        assert_false(psn_contact_is_same(&asked, &other)); \
    } while (0)
    DIFFERS(other.kind = PSN_CONTACT_DOMAIN);
    DIFFERS(other.service[0] = 'b');
    DIFFERS(other.admin = false);
    DIFFERS(other.tech = true);
    DIFFERS(other.billing = true);
    DIFFERS(other.from[0] = 'c');
    DIFFERS(other.to[0] = 'c');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_is_explained),
        cmocka_unit_test(what_a_run_waits_for_is_said),
        cmocka_unit_test(an_end_has_a_code_and_a_way_on),
        cmocka_unit_test(what_is_stuck_or_unfinished_goes_on_by_resume),
        cmocka_unit_test(each_result_has_a_name),
        cmocka_unit_test(each_state_of_a_contact_has_a_name_and_an_event),
        cmocka_unit_test(what_was_asked_is_known_again_by_all_it_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
