#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/rights.h"

/* Helpers */

static struct psn_client client_of(size_t domains)
{
    struct psn_client client = psn_client_init();
    char name[32];

    for (size_t i = 0; i < domains; i++) {
        (void)snprintf(name, sizeof name, "d%zu.example", i);
        assert_int_equal(psn_client_add_domain(&client, name, NULL), PSN_OK);
    }
    return client;
}

static bool has(const struct psn_rights *rights, const char *method, const char *path)
{
    for (size_t i = 0; i < rights->count; i++)
        if (strcmp(rights->rules[i].method, method) == 0 &&
            strcmp(rights->rules[i].path, path) == 0)
            return true;
    return false;
}

static struct psn_rights rights_of(const struct psn_client *client, enum psn_key_use use)
{
    struct psn_rights rights = { 0 };

    assert_int_equal(psn_rights_of(client, use, &rights, NULL), PSN_OK);
    return rights;
}

/* Judges a key that has the rules of `rights` but for the one at `without`. */
static struct psn_link judge_without(const struct psn_client *client,
                                     enum psn_key_use use,
                                     const struct psn_rights *rights, size_t without)
{
    struct psn_ovh_key_info *info = calloc(1, sizeof *info);
    struct psn_link link = { 0 };

    assert_non_null(info);
    for (size_t i = 0; i < rights->count; i++)
        if (i != without)
            info->rules[info->rule_count++] = rights->rules[i];
    psn_rights_judge(client, use, 1u << PSN_BACKEND_EMAIL_DOMAIN, info, &link);
    free(info);
    return link;
}

static struct psn_link judge_one(const struct psn_client *client, enum psn_key_use use,
                                 const char *method, const char *path)
{
    struct psn_ovh_rule rule = { "", "" };
    struct psn_rights one = { &rule, 1 };

    (void)snprintf(rule.method, sizeof rule.method, "%s", method);
    (void)snprintf(rule.path, sizeof rule.path, "%s", path);
    return judge_without(client, use, &one, SIZE_MAX);
}

/* Asking */

static void each_domain_is_asked_for_by_name(void **state)
{
    struct psn_client client = client_of(2);
    struct psn_rights rights = rights_of(&client, PSN_KEY_WORK);

    (void)state;
    assert_true(has(&rights, "POST", "/email/domain/d0.example/account"));
    assert_true(
        has(&rights, "POST", "/email/domain/d1.example/account/*/changePassword"));
    assert_false(has(&rights, "GET", "/email/domain/*"));
    psn_rights_release(&rights);
    psn_client_release(&client);
}

static void many_domains_are_asked_for_by_a_star_and_fit_a_key(void **state)
{
    struct psn_client client = client_of(PSN_CLIENT_DOMAINS_MAX);
    struct psn_ovh_key_info *info = NULL;

    (void)state;
    for (int use = 0; use < PSN_KEY_USES; use++) {
        struct psn_rights rights = rights_of(&client, (enum psn_key_use)use);

        assert_true(has(&rights, "GET", "/email/domain/*"));
        assert_true(rights.count < sizeof info->rules / sizeof info->rules[0]);
        psn_rights_release(&rights);
    }
    psn_client_release(&client);
}

static void the_largest_request_can_be_read_back(void **state)
{
    struct psn_client client = client_of(4);
    struct psn_ovh_key_info *info = NULL;

    (void)state;
    for (int use = 0; use < PSN_KEY_USES; use++) {
        struct psn_rights rights = rights_of(&client, (enum psn_key_use)use);

        assert_true(rights.count <= sizeof info->rules / sizeof info->rules[0]);
        psn_rights_release(&rights);
    }
    psn_client_release(&client);
}

static void the_two_keys_share_nothing_that_changes_anything(void **state)
{
    struct psn_client client = client_of(1);
    struct psn_rights work = rights_of(&client, PSN_KEY_WORK);
    struct psn_rights cut = rights_of(&client, PSN_KEY_CUT);

    (void)state;
    for (size_t i = 0; i < work.count; i++)
        if (strcmp(work.rules[i].method, "GET") != 0)
            assert_false(has(&cut, work.rules[i].method, work.rules[i].path));
    for (size_t i = 0; i < work.count; i++)
        assert_string_not_equal(work.rules[i].method, "DELETE");
    psn_rights_release(&work);
    psn_rights_release(&cut);
    psn_client_release(&client);
}

/* Judging */

static void what_is_asked_for_is_neither_wide_nor_missing(void **state)
{
    struct psn_client client = client_of(3);

    (void)state;
    for (int use = 0; use < PSN_KEY_USES; use++) {
        struct psn_rights rights = rights_of(&client, (enum psn_key_use)use);
        struct psn_link link =
            judge_without(&client, (enum psn_key_use)use, &rights, SIZE_MAX);

        assert_false(link.wide);
        assert_int_equal(link.missing, 0);
        assert_int_equal(link.rules, rights.count);
        psn_rights_release(&rights);
    }
    psn_client_release(&client);
}

static void each_missing_right_of_a_mailbox_in_use_is_named(void **state)
{
    struct psn_client client = client_of(1);
    struct psn_rights rights = rights_of(&client, PSN_KEY_WORK);

    (void)state;
    for (size_t i = 0; i < rights.count; i++) {
        struct psn_link link = judge_without(&client, PSN_KEY_WORK, &rights, i);
        char text[PSN_RULE_TEXT_MAX];
        bool needed = strncmp(rights.rules[i].path, "/email/domain", 13) == 0 ||
                      strcmp(rights.rules[i].path, "/me") == 0 ||
                      strncmp(rights.rules[i].path, "/auth/", 6) == 0;

        assert_int_equal(link.missing, needed ? 1 : 0);
        (void)snprintf(text, sizeof text, "%s %s", rights.rules[i].method,
                       rights.rules[i].path);
        if (needed)
            assert_string_equal(link.missing_rules[0], text);
    }
    psn_rights_release(&rights);
    psn_client_release(&client);
}

static void what_does_more_is_wide(void **state)
{
    static const struct {
        enum psn_key_use use;
        const char *method;
        const char *path;
        bool wide;
    } rows[] = {
        { PSN_KEY_WORK, "GET", "/*", true },
        { PSN_KEY_WORK, "GET", "/email/*", false },
        { PSN_KEY_WORK, "GET", "/me/api/credential/*", false },
        { PSN_KEY_WORK, "POST", "/email/domain/*", true },
        { PSN_KEY_WORK, "POST", "/email/domain/*/account", false },
        { PSN_KEY_WORK, "POST", "/email/domain/*/account/*/changePassword", false },
        { PSN_KEY_WORK, "POST", "/me/api/oauth2/client", true },
        { PSN_KEY_WORK, "DELETE", "/email/domain/d0.example/redirection/*", true },
        { PSN_KEY_WORK, "PUT", "/zimbra/platform/*/account/*", false },
        { PSN_KEY_WORK, "PUT", "/v2/zimbra/platform/*/account/*", false },
        { PSN_KEY_WORK, "PUT", "/v2/zimbra/platform/*", true },
        { PSN_KEY_CUT, "DELETE", "/email/domain/d0.example/redirection/*", false },
        { PSN_KEY_CUT, "DELETE", "/email/domain/d0.example/account/*/filter/*", false },
        { PSN_KEY_CUT, "DELETE", "/email/domain/d0.example/account/*", true },
        { PSN_KEY_CUT, "POST", "/email/domain/d0.example/account/*/changePassword",
          true },
        { PSN_KEY_CUT, "DELETE", "/*", true },
    };
    struct psn_client client = client_of(1);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (judge_one(&client, rows[i].use, rows[i].method, rows[i].path).wide !=
            rows[i].wide)
            fail_msg("row %zu: %s %s", i, rows[i].method, rows[i].path);
    psn_client_release(&client);
}

static void the_widest_of_several_is_named(void **state)
{
    struct psn_ovh_rule rules[] = { { "PUT", "/email/domain/*" },
                                    { "DELETE", "/*" },
                                    { "POST", "/email/*" } };
    struct psn_rights rights = { rules, 3 };
    struct psn_client client = client_of(1);
    struct psn_link link = judge_without(&client, PSN_KEY_WORK, &rights, SIZE_MAX);

    (void)state;
    assert_true(link.wide);
    assert_string_equal(link.wide_rule, "DELETE /*");
    psn_client_release(&client);
}

static void the_page_for_a_key_by_hand_holds_every_rule(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) page = psn_buf_init(1);
    struct psn_client client = client_of(1);
    struct psn_rights rights = rights_of(&client, PSN_KEY_WORK);

    (void)state;
    assert_int_equal(psn_rights_page(&client, PSN_KEY_WORK, &page, NULL), PSN_OK);
    assert_int_equal(
        strncmp(psn_buf_str(&page), "https://eu.api.ovh.com/createToken/?GET=/me&", 44),
        0);
    for (size_t i = 0; i < rights.count; i++) {
        char part[PSN_RULE_TEXT_MAX + 2];

        (void)snprintf(part, sizeof part, "%s=%s", rights.rules[i].method,
                       rights.rules[i].path);
        assert_non_null(strstr(psn_buf_str(&page), part));
    }
    psn_rights_release(&rights);
    psn_client_release(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_domain_is_asked_for_by_name),
        cmocka_unit_test(many_domains_are_asked_for_by_a_star_and_fit_a_key),
        cmocka_unit_test(the_largest_request_can_be_read_back),
        cmocka_unit_test(the_two_keys_share_nothing_that_changes_anything),
        cmocka_unit_test(what_is_asked_for_is_neither_wide_nor_missing),
        cmocka_unit_test(each_missing_right_of_a_mailbox_in_use_is_named),
        cmocka_unit_test(what_does_more_is_wide),
        cmocka_unit_test(the_widest_of_several_is_named),
        cmocka_unit_test(the_page_for_a_key_by_hand_holds_every_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
