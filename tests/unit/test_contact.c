#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "passation/passation.h"
#include "support/account_vault.h"

#define OURS   "xm000000-ovh"
#define CLIENT "cl000000-ovh"
#define TECH   "te000000-ovh"

static const struct account_keys both = { .application = "ours",
                                          .daily = "daily",
                                          .cut = "cut" };
static const struct account_keys daily = { .application = "ours", .daily = "daily" };
static const struct psn_contact_wish wish_all = { .admin = CLIENT,
                                                  .tech = CLIENT,
                                                  .billing = CLIENT };

static char paths[3][128];

static void add_service(size_t at, const char *path, const char *name, const char *admin,
                        const char *tech)
{
    struct fake_service *service = &account.services[at];

    service->path = path;
    service->name = name;
    (void)snprintf(service->contacts[0], FAKE_NIC_MAX, "%s", admin);
    (void)snprintf(service->contacts[1], FAKE_NIC_MAX, "%s", tech);
    (void)snprintf(service->contacts[2], FAKE_NIC_MAX, "%s", admin);
}

/* A domain, its zone and its mail, all of the same name, and a hosting; the technical
 * contact of the zone is another. */
static void fill(void)
{
    static const char *const roots[] = { "/domain/zone/", "/domain/", "/email/domain/" };

    fake_account_reset();
    account.applications[0].id = 7;
    account.applications[0].key = "ours";
    account.keys[0] =
        (struct fake_key){ 12, 7, "daily", "validated", true, false, false };
    account.keys[1] = (struct fake_key){ 13, 7, "cut", "validated", false, true, false };
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "%s%s", roots[i], rekey_domain);
        add_service(i, paths[i], rekey_domain, OURS, i == 0 ? TECH : OURS);
    }
    add_service(3, "/hosting/web/acme.cluster", "acme.cluster", OURS, OURS);
}

static int set_up(void **state)
{
    struct account_vault *v = calloc(1, sizeof *v);

    assert_non_null(v);
    fill();
    account_vault_make(v, &both);
    *state = v;
    return 0;
}

static int tear_down(void **state)
{
    account_vault_release(*state);
    free(*state);
    return 0;
}

/* --- helpers --- */

static char seen[4096];

/* "kind:roles:state:id " */
static enum psn_code write_down(void *arg, const struct psn_contact_change *change,
                                struct psn_error *err)
{
    size_t used = strlen(seen);

    (void)arg;
    (void)err;
    (void)snprintf(seen + used, sizeof seen - used, "%s:%s%s%s:%s:%lld ",
                   psn_contact_kind_name(change->kind), change->admin ? "a" : "",
                   change->tech ? "t" : "", change->billing ? "b" : "",
                   psn_contact_state_name(change->state), (long long)change->id);
    assert_true(change->state == PSN_CONTACT_DONE || psn_contact_advice(change)[0]);
    return PSN_OK;
}

static enum psn_code request(struct account_vault *v, const struct psn_contact_wish *wish)
{
    seen[0] = '\0';
    psn_error_clear(&v->err);
    return psn_contact_request(v->vault, "martin", wish, write_down, NULL, &v->err);
}

static void expect_requested(struct account_vault *v, const struct psn_contact_wish *wish,
                             const char *expected)
{
    if (request(v, wish))
        fail_msg("%s; %s", v->err.message, v->err.hint);
    assert_string_equal(seen, expected);
}

static void expect_refused(struct account_vault *v, const struct psn_contact_wish *wish,
                           enum psn_code code, const char *words)
{
    assert_int_equal(request(v, wish), code);
    assert_int_equal(v->err.code, code);
    if (!strstr(v->err.message, words) && !strstr(v->err.hint, words))
        fail_msg("%s; %s", v->err.message, v->err.hint);
}

static void expect_look(struct account_vault *v, const char *expected)
{
    seen[0] = '\0';
    if (psn_contact_look(v->vault, "martin", write_down, NULL, &v->err))
        fail_msg("%s; %s", v->err.message, v->err.hint);
    assert_string_equal(seen, expected);
}

static void expect_history(struct account_vault *v, const char *expected)
{
    seen[0] = '\0';
    assert_int_equal(psn_contact_history(v->vault, "martin", write_down, NULL, &v->err),
                     PSN_OK);
    assert_string_equal(seen, expected);
}

static bool is_domain(void *arg, const struct psn_contact_service *service)
{
    (void)arg;
    return service->kind == PSN_CONTACT_DOMAIN;
}

static const struct psn_contact_wish wish_domain = { .admin = CLIENT,
                                                     .tech = CLIENT,
                                                     .billing = CLIENT,
                                                     .wanted = is_domain };

static enum psn_code answer_with(struct account_vault *v, const char *token, bool accept)
{
    PSN_AUTO(psn_secret) *secret = NULL;

    psn_error_clear(&v->err);
    assert_int_equal(psn_secret_copy(token, strlen(token), &secret, &v->err), PSN_OK);
    return psn_contact_answer(v->vault, "martin", 4711, secret, accept, &v->err);
}

/* --- services --- */

static enum psn_code note_service(void *arg, const struct psn_contact_service *service,
                                  struct psn_error *err)
{
    size_t used = strlen(seen);

    (void)arg;
    (void)err;
    (void)snprintf(seen + used, sizeof seen - used, "%s:%s ",
                   psn_contact_kind_name(service->kind), service->tech);
    return PSN_OK;
}

static enum psn_code services(struct account_vault *v)
{
    seen[0] = '\0';
    psn_error_clear(&v->err);
    return psn_contact_services(v->vault, "martin", note_service, NULL, &v->err);
}

static void services_are_listed_with_their_contacts(void **state)
{
    struct account_vault *v = *state;

    assert_int_equal(services(v), PSN_OK);
    assert_string_equal(seen,
                        "domain:" OURS " zone:" TECH " mail:" OURS " hosting:" OURS " ");
    account_vault_link(v, "martin", account.nic, &daily);
    assert_int_equal(services(v), PSN_OK);
}

/* What is not the client's is not handed over with him. */
static void a_hosting_in_an_account_of_two_clients_is_listed_by_its_name(void **state)
{
    struct account_vault *v = *state;

    account_vault_link(v, "durand", account.nic, &daily);
    assert_int_equal(services(v), PSN_OK);
    assert_null(strstr(seen, "hosting"));
}

/* --- asking --- */

static void every_service_is_asked_for_once(void **state)
{
    struct account_vault *v = *state;
    static const char first[] = "domain:atb:waiting:4711 zone:ab:waiting:4712 "
                                "zone:t:waiting:4713 mail:atb:waiting:4714 "
                                "hosting:atb:waiting:4715 ";

    expect_requested(v, &wish_all, first);
    assert_int_equal(account.changes, 4);
    expect_requested(v, &wish_all, first);
    assert_int_equal(account.changes, 4);
    expect_history(v, first);
    assert_int_equal(account_vault_notes(v, "contact.asked"), 5);
    assert_int_equal(account_vault_notes(v, "contact.task"), 5);
}

static void who_is_contact_already_is_not_asked(void **state)
{
    struct account_vault *v = *state;
    const struct psn_contact_wish wish = { .admin = "XM000000-OVH", .tech = TECH };

    expect_requested(v, &wish,
                     "domain:t:waiting:4711 mail:t:waiting:4712 hosting:t:waiting:4713 ");
}

static void the_body_names_what_changes(void **state)
{
    struct account_vault *v = *state;
    const struct psn_contact_wish wish = { .tech = CLIENT, .wanted = is_domain };

    expect_requested(v, &wish, "domain:t:waiting:4711 ");
    assert_string_equal(account.last_body, "{\"contactTech\":\"" CLIENT "\"}");
}

static void a_wish_has_a_form(void **state)
{
    struct account_vault *v = *state;
    const struct psn_contact_wish none = { .wanted = is_domain };
    const struct psn_contact_wish odd = { .tech = "a\"b" };

    expect_refused(v, &none, PSN_E_INVALID, "no contact");
    expect_refused(v, &odd, PSN_E_INVALID, "cannot be an OVH account");
    assert_int_equal(account.requests, 0);
}

static void without_the_second_key_nothing_is_asked(void **state)
{
    struct account_vault *v = *state;

    account_vault_link(v, "martin", account.nic, &daily);
    expect_refused(v, &wish_all, PSN_E_POLICY, "ovh link martin --for cut");
    account_vault_link(v, "martin", account.nic, &both);
    account.now_s += 2 * 86400;
    expect_refused(v, &wish_all, PSN_E_POLICY, "day of the second key");
    assert_int_equal(account.changes, 0);
}

static void what_ovh_refuses_is_said_and_the_others_go_on(void **state)
{
    struct account_vault *v = *state;

    (void)snprintf(account.services[1].contacts[0], FAKE_NIC_MAX, "%s", TECH);
    expect_refused(v, &wish_all, PSN_E_REFUSED, "here that is " TECH);
    assert_non_null(strstr(v->err.message, "domain "
                                           "domain-of-the-canary.example"));
    assert_int_equal(account.changes, 3);
    assert_int_equal(account_vault_notes(v, "contact.dropped"), 2);
    account.stranger = CLIENT;
    expect_refused(v, &wish_domain, PSN_E_REFUSED, "same region");
}

static void a_key_without_the_rule_asks_for_another(void **state)
{
    struct account_vault *v = *state;

    account.keys[1].reads_only = true;
    expect_refused(v, &wish_domain, PSN_E_REFUSED, "ovh link martin --for cut");
}

static void another_change_under_way_keeps_it_back(void **state)
{
    struct account_vault *v = *state;
    const struct psn_contact_wish other = { .tech = TECH, .wanted = is_domain };

    expect_requested(v, &other, "domain:t:waiting:4711 ");
    expect_refused(v, &wish_domain, PSN_E_BUSY, "one at a time");
    assert_int_equal(account.task_count, 1);
}

static void an_unpaid_bill_ends_it_at_once(void **state)
{
    struct account_vault *v = *state;

    account.debtor = CLIENT;
    expect_requested(v, &wish_domain, "domain:atb:refused:4711 ");
    expect_history(v, "domain:atb:refused:4711 ");
    expect_look(v, "");
}

/* Asked for on OVH's page, of which service nobody knows: it is adopted by the one that
 * OVH says is busy. */
static void what_was_asked_for_elsewhere_is_found(void **state)
{
    struct account_vault *v = *state;

    account.tasks[0] = (struct fake_task){ .id = 99,
                                           .service = paths[1],
                                           .name = rekey_domain,
                                           .roles = 7,
                                           .from = OURS,
                                           .to = CLIENT,
                                           .state = "validatingByCustomers" };
    account.task_count = 1;
    expect_requested(v, &wish_domain, "domain:atb:waiting:99 ");
    assert_int_equal(account.changes, 0);
}

/* --- following --- */

static void an_end_is_told_and_noted_once(void **state)
{
    struct account_vault *v = *state;

    expect_requested(v, &wish_domain, "domain:atb:waiting:4711 ");
    account.tasks[0].state = "doing";
    expect_look(v, "domain:atb:doing:4711 ");
    account.tasks[0].state = "done";
    expect_look(v, "domain:atb:done:4711 ");
    expect_look(v, "");
    assert_int_equal(account_vault_notes(v, "contact.done"), 1);
    expect_history(v, "domain:atb:done:4711 ");
}

static void each_end_has_its_word(void **state)
{
    static const struct {
        const char *at_ovh;
        const char *word;
    } rows[] = {
        { "refused", "domain:atb:refused:4711 " },
        { "aborted", "domain:atb:aborted:4712 " },
        { "error", "domain:atb:failed:4713 " },
        { "expired", "domain:atb:expired:4714 " },
    };
    struct account_vault *v = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(request(v, &wish_domain), PSN_OK);
        account.tasks[i].state = rows[i].at_ovh;
        expect_look(v, rows[i].word);
    }
}

static void a_task_that_ovh_forgot_is_seen_by_its_service(void **state)
{
    struct account_vault *v = *state;

    assert_int_equal(request(v, &wish_domain), PSN_OK);
    account.tasks[0].forgotten = true;
    for (size_t i = 0; i < 3; i++)
        (void)snprintf(account.services[1].contacts[i], FAKE_NIC_MAX, "%s", CLIENT);
    expect_look(v, "domain:atb:done:4711 ");
    (void)snprintf(account.services[1].contacts[1], FAKE_NIC_MAX, "%s", OURS);
    account.tasks[0].state = "done";
    assert_int_equal(request(v, &wish_domain), PSN_OK);
    account.tasks[1].forgotten = true;
    account.now_s += 8 * 86400;
    account_vault_link(v, "martin", account.nic, &both);
    expect_look(v, "domain:t:expired:4712 ");
}

static void the_key_for_daily_work_may_look(void **state)
{
    struct account_vault *v = *state;

    assert_int_equal(request(v, &wish_domain), PSN_OK);
    account_vault_link(v, "martin", account.nic, &daily);
    expect_look(v, "domain:atb:waiting:4711 ");
}

static void a_change_of_others_is_followed_without_its_kind(void **state)
{
    struct account_vault *v = *state;

    account.tasks[0] = (struct fake_task){ .id = 99,
                                           .service = paths[0],
                                           .name = rekey_domain,
                                           .roles = 2,
                                           .from = TECH,
                                           .to = CLIENT,
                                           .state = "validatingByCustomers" };
    account.tasks[1] = account.tasks[0];
    account.tasks[1].id = 100;
    account.tasks[1].name = "another.example";
    account.task_count = 2;
    expect_look(v, "service:t:waiting:99 ");
    account.tasks[0].state = "refused";
    expect_look(v, "service:t:refused:99 ");
    expect_history(v, "service:t:refused:99 ");
}

/* --- answering --- */

static void the_linked_account_agrees_with_its_token(void **state)
{
    struct account_vault *v = *state;

    assert_int_equal(request(v, &wish_domain), PSN_OK);
    assert_int_equal(answer_with(v, "enter-4711", true), PSN_E_REFUSED);
    assert_non_null(strstr(v->err.hint, OURS));
    assert_null(strstr(v->err.message, "enter-4711"));
    assert_int_equal(answer_with(v, "leave-4711", true), PSN_OK);
    assert_true(account.tasks[0].accepted[0]);
    account.tasks[0].accepted[1] = true;
    assert_int_equal(answer_with(v, "leave-4711", true), PSN_OK);
    assert_int_equal(answer_with(v, "leave-4711", true), PSN_OK);
    expect_look(v, "domain:atb:done:4711 ");
}

static void declining_ends_it(void **state)
{
    struct account_vault *v = *state;

    assert_int_equal(request(v, &wish_domain), PSN_OK);
    assert_int_equal(answer_with(v, "leave-4711", false), PSN_OK);
    assert_int_equal(answer_with(v, "leave-4711", false), PSN_OK);
    assert_int_equal(answer_with(v, "leave-4711", true), PSN_E_REFUSED);
    assert_non_null(strstr(v->err.message, "has ended"));
}

static void nobody_answers_for_others_or_too_early(void **state)
{
    struct account_vault *v = *state;

    assert_int_equal(answer_with(v, "x", true), PSN_E_NOT_FOUND);
    account.is_slow = true;
    assert_int_equal(request(v, &wish_domain), PSN_OK);
    assert_int_equal(answer_with(v, "leave-4711", true), PSN_E_BUSY);
    account.tasks[0].state = "validatingByCustomers";
    (void)snprintf(account.tasks[0].from, FAKE_NIC_MAX, "%s", TECH);
    assert_int_equal(answer_with(v, "leave-4711", true), PSN_E_REFUSED);
    assert_non_null(strstr(v->err.message, CLIENT));
}

static void a_new_token_is_sent(void **state)
{
    struct account_vault *v = *state;

    assert_int_equal(request(v, &wish_domain), PSN_OK);
    assert_int_equal(psn_contact_resend(v->vault, "martin", 4711, &v->err), PSN_OK);
    assert_int_equal(account.changes, 2);
    assert_int_equal(psn_contact_resend(v->vault, "martin", 1, &v->err), PSN_E_NOT_FOUND);
}

/* --- faults --- */

/* Whatever request is lost: asked again, each service is under way, once. */
static void sweep_requests(enum fake_loss loss)
{
    bool was_hit = true;

    for (size_t n = 1; was_hit; n++) {
        struct account_vault v;
        enum psn_code rc;

        fill();
        account_vault_make(&v, &both);
        account.lost = n;
        account.loss = loss;
        rc = request(&v, &wish_all);
        was_hit = account.requests >= n;
        account.lost = 0;
        if (rc) {
            assert_int_equal(rc, PSN_E_NETWORK);
            account_vault_reopen(&v);
        }
        if (request(&v, &wish_all))
            fail_msg("request %zu, loss %d: %s", n, (int)loss, v.err.message);
        assert_int_equal(account.task_count, 5);
        assert_null(strstr(seen, ":0 "));
        assert_non_null(strstr(seen, "hosting:atb:waiting:"));
        assert_int_equal(account_vault_notes(&v, "contact.task"), 5);
        expect_look(&v, seen);
        account_vault_release(&v);
    }
}

static void a_request_may_be_lost_before_its_effect(void **state)
{
    (void)state;
    sweep_requests(FAKE_LOST_BEFORE);
}

static void a_request_may_be_lost_after_its_effect(void **state)
{
    (void)state;
    sweep_requests(FAKE_LOST_AFTER);
}

static void a_run_may_end_at_each_request(void **state)
{
    (void)state;
    sweep_requests(FAKE_DEAD);
}

/* The token is given again, until it is taken. */
static void sweep_answers(enum fake_loss loss, bool other_first)
{
    bool was_hit = true;

    for (size_t n = 1; was_hit; n++) {
        struct account_vault v;
        enum psn_code rc;

        fill();
        account_vault_make(&v, &both);
        assert_int_equal(request(&v, &wish_domain), PSN_OK);
        account.tasks[0].accepted[1] = other_first;
        account.lost = account.requests + n;
        account.loss = loss;
        rc = answer_with(&v, "leave-4711", true);
        was_hit = account.requests >= account.lost;
        account.lost = 0;
        if (rc) {
            assert_int_equal(rc, PSN_E_NETWORK);
            account_vault_reopen(&v);
            assert_int_equal(answer_with(&v, "leave-4711", true), PSN_OK);
        }
        assert_true(account.tasks[0].accepted[0]);
        assert_string_equal(account.tasks[0].state,
                            other_first ? "done" : "validatingByCustomers");
        account_vault_release(&v);
    }
}

static void an_answer_may_be_lost(void **state)
{
    (void)state;
    for (int other = 0; other < 2; other++) {
        sweep_answers(FAKE_LOST_BEFORE, other);
        sweep_answers(FAKE_LOST_AFTER, other);
        sweep_answers(FAKE_DEAD, other);
    }
}

/* --- facts --- */

static void the_end_of_a_domain_is_told(void **state)
{
    struct account_vault *v = *state;
    struct psn_domain_facts facts;

    assert_int_equal(
        psn_contact_domain_facts(v->vault, "martin", v->domain, &facts, &v->err), PSN_OK);
    assert_int_equal(facts.expires_s, 1804723200);
    assert_true(facts.renews);
    assert_false(facts.is_deleted);
    assert_string_equal(facts.status, "ok");
    assert_int_equal(
        psn_contact_domain_facts(v->vault, "martin", "x.example", &facts, &v->err),
        PSN_E_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(services_are_listed_with_their_contacts),
        TEST(a_hosting_in_an_account_of_two_clients_is_listed_by_its_name),
        TEST(every_service_is_asked_for_once),
        TEST(who_is_contact_already_is_not_asked),
        TEST(the_body_names_what_changes),
        TEST(a_wish_has_a_form),
        TEST(without_the_second_key_nothing_is_asked),
        TEST(what_ovh_refuses_is_said_and_the_others_go_on),
        TEST(a_key_without_the_rule_asks_for_another),
        TEST(another_change_under_way_keeps_it_back),
        TEST(an_unpaid_bill_ends_it_at_once),
        TEST(what_was_asked_for_elsewhere_is_found),
        TEST(an_end_is_told_and_noted_once),
        TEST(each_end_has_its_word),
        TEST(a_task_that_ovh_forgot_is_seen_by_its_service),
        TEST(the_key_for_daily_work_may_look),
        TEST(a_change_of_others_is_followed_without_its_kind),
        TEST(the_linked_account_agrees_with_its_token),
        TEST(declining_ends_it),
        TEST(nobody_answers_for_others_or_too_early),
        TEST(a_new_token_is_sent),
        TEST(the_end_of_a_domain_is_told),
        cmocka_unit_test(a_request_may_be_lost_before_its_effect),
        cmocka_unit_test(a_request_may_be_lost_after_its_effect),
        cmocka_unit_test(a_run_may_end_at_each_request),
        cmocka_unit_test(an_answer_may_be_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
