#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/grant.h"
#include "core/person.h"
#include "core/reach.h"
#include "passation/passation.h"
#include "support/tmpdir.h"

/* --- a vault with a clock of its own --- */

struct fixture {
    struct tmpdir dir;
    char path[512];
    struct psn_secret *identity;
    struct psn_vault *vault;
    struct psn_error err;
};

static int64_t now_s = 1000000;

static int64_t fake_now(void)
{
    return now_s;
}

static const char identity_text[] =
    "AGE-SECRET-KEY-1GT05DEKNZMYRD5S6QDCPZ80WFSLMDN3VHQFK2UEQML2NLZKHCWXQX27TDM\n";

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct psn_person me = { .id = "me" };
    struct psn_vault_options options = { 0 };
    struct psn_world world;
    struct psn_key key;

    assert_non_null(f);
    tmpdir_make(&f->dir);
    (void)snprintf(f->path, sizeof f->path, "%s/vault.db", f->dir.path);
    options.path = f->path;
    assert_int_equal(psn_init(&f->err), PSN_OK);
    assert_int_equal(
        psn_secret_copy(identity_text, sizeof identity_text - 1, &f->identity, &f->err),
        PSN_OK);
    key = (struct psn_key){ PSN_SLOT_IDENTITY, f->identity };
    assert_int_equal(psn_vault_create(&options, &me, &key, 1, &f->vault, &f->err),
                     PSN_OK);
    world = f->vault->world;
    world.now_s = fake_now;
    psn_vault_set_world(f->vault, &world);
    now_s = 1000000;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    psn_vault_free(f->vault);
    psn_secret_free(f->identity);
    tmpdir_remove(&f->dir);
    free(f);
    return 0;
}

static struct psn_grant_row grant_of(const char *person, const char *client,
                                     const char *address)
{
    struct psn_grant_row row = { .created_s = now_s, .from_s = now_s };

    (void)snprintf(row.person, sizeof row.person, "%s", person);
    (void)snprintf(row.client, sizeof row.client, "%s", client);
    (void)snprintf(row.address, sizeof row.address, "%s", address);
    return row;
}

static void begin(struct fixture *f)
{
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, &f->err), PSN_OK);
}

static void end(struct fixture *f)
{
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, &f->err), PSN_OK);
}

static void put(struct fixture *f, struct psn_grant_row row)
{
    assert_int_equal(psn_grant_write(f->vault, &row, &f->err), PSN_OK);
}

/* --- states --- */

static void a_grant_is_in_force_to_the_last_second_of_its_end(void **state)
{
    static const struct {
        int64_t until_s;
        int64_t ended_s;
        int64_t now_s;
        enum psn_grant_state state;
    } cases[] = {
        { 0, 0, 0, PSN_GRANT_ACTIVE },      { 0, 0, INT64_MAX, PSN_GRANT_ACTIVE },
        { 100, 0, 99, PSN_GRANT_ACTIVE },   { 100, 0, 100, PSN_GRANT_ACTIVE },
        { 100, 0, 101, PSN_GRANT_EXPIRED }, { 100, 50, 60, PSN_GRANT_ENDED },
        { 100, 50, 40, PSN_GRANT_ENDED },   { 0, 50, 60, PSN_GRANT_ENDED },
        { 100, 150, 200, PSN_GRANT_ENDED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct psn_grant_row row = { .until_s = cases[i].until_s,
                                           .ended_s = cases[i].ended_s };

        assert_int_equal(psn_grant_row_state(&row, cases[i].now_s), cases[i].state);
    }
}

static void a_grant_is_behind_if_anything_of_it_is_newer_or_was_never_given(void **state)
{
    static const struct {
        struct psn_content given[2];
        size_t given_count;
        struct psn_content covered[2];
        size_t covered_count;
        bool behind;
    } cases[] = {
        { { { "", "", 0 } }, 0, { { "", "", 1 } }, 1, true },
        { { { "", "", 0 } }, 0, { { "", "", 0 } }, 0, false },
        { { { "", "", 1 } }, 1, { { "", "", 1 } }, 1, false },
        { { { "", "", 1 } }, 1, { { "", "", 2 } }, 1, true },
        { { { "", "", 2 } }, 1, { { "", "", 1 } }, 1, false },
        { { { "", "", 1 } }, 1, { { "", "", 1 }, { "", "ftp", 1 } }, 2, true },
        { { { "", "ftp", 9 } }, 1, { { "", "", 1 } }, 1, true },
        { { { "", "", 1 }, { "", "ftp", 1 } }, 2, { { "", "", 1 } }, 1, false },
        { { { "", "", 1 }, { "", "ftp", 1 } },
          2,
          { { "", "", 1 }, { "", "ftp", 2 } },
          2,
          true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct psn_content given[2];
        const struct psn_grant_row row = { .issued = given,
                                           .issued_count = cases[i].given_count };

        memcpy(given, cases[i].given, sizeof given);
        assert_int_equal(
            psn_grant_is_behind(&row, cases[i].covered, cases[i].covered_count),
            cases[i].behind);
    }
}

static void labels_are_compared_whole(void **state)
{
    static const struct {
        const char *labels;
        const char *label;
        bool covers;
    } cases[] = {
        { "", "", true },           { "ftp", "", true },
        { "", "ftp", false },       { "*", "ftp", true },
        { "ftp", "ftp", true },     { "ftp", "ft", false },
        { "ft", "ftp", false },     { "a\nftp\nb", "ftp", true },
        { "a\nftp\nb", "b", true }, { "a\nftp\nb", "a", true },
        { "a\nftp", "p", false },   { "*\nftp", "x", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(psn_grant_covers(cases[i].labels, cases[i].label),
                         cases[i].covers);
}

/* --- rows --- */

static void a_row_comes_back_as_it_was_written(void **state)
{
    struct fixture *f = *state;
    struct psn_content given[] = { { "a@x.example", "", 7 },
                                   { "a@x.example", "ftp", UINT64_MAX } };
    struct psn_grant_row row = grant_of("jp", "martin", "a@x.example");
    struct psn_grant_row found;

    row.until_s = 2000000;
    row.ended_s = 1500000;
    row.format = PSN_ISSUE_HTML;
    row.serial = 42;
    row.issued = given;
    row.issued_count = 2;
    (void)snprintf(row.labels, sizeof row.labels, "ftp\nstripe");
    (void)snprintf(row.reason, sizeof row.reason, "refonte");
    (void)snprintf(row.approver, sizeof row.approver, "me");
    begin(f);
    put(f, row);
    end(f);
    begin(f);
    assert_int_equal(psn_grant_read(f->vault, "jp", "a@x.example", &found, &f->err),
                     PSN_OK);
    assert_string_equal(found.labels, row.labels);
    assert_string_equal(found.reason, row.reason);
    assert_string_equal(found.approver, "me");
    assert_int_equal(found.until_s, 2000000);
    assert_int_equal(found.ended_s, 1500000);
    assert_int_equal(found.format, PSN_ISSUE_HTML);
    assert_int_equal(found.serial, 42);
    assert_int_equal(found.issued_count, 2);
    assert_true(found.issued[1].version == UINT64_MAX);
    assert_string_equal(found.issued[1].label, "ftp");
    assert_string_equal(found.issued[1].address, "a@x.example");
    psn_grant_row_release(&found);
    assert_int_equal(psn_grant_read(f->vault, "jp", "b@x.example", &found, &f->err),
                     PSN_E_NOT_FOUND);
    assert_int_equal(f->err.code, PSN_OK);
    end(f);
}

static void a_row_written_twice_from_one_reading_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct psn_grant_row row = grant_of("jp", "martin", "a@x.example");

    begin(f);
    put(f, row);
    assert_int_not_equal(psn_grant_write(f->vault, &row, &f->err), PSN_OK);
    assert_int_not_equal(psn_vault_end(f->vault, PSN_E_CONFLICT, NULL), PSN_OK);
}

static void a_list_is_sorted_and_of_one_person_if_asked(void **state)
{
    struct fixture *f = *state;
    struct psn_grant_list list = { 0 };

    begin(f);
    put(f, grant_of("zoe", "a", "a@a.example"));
    put(f, grant_of("jp", "b", "a@b.example"));
    put(f, grant_of("jp", "a", "b@a.example"));
    put(f, grant_of("jp", "a", "a@a.example"));
    assert_int_equal(psn_grant_list(f->vault, NULL, &list, &f->err), PSN_OK);
    assert_int_equal(list.count, 4);
    assert_string_equal(list.items[0].address, "a@a.example");
    assert_string_equal(list.items[1].address, "b@a.example");
    assert_string_equal(list.items[2].address, "a@b.example");
    assert_string_equal(list.items[3].person, "zoe");
    psn_grant_list_release(&list);
    assert_int_equal(psn_grant_list(f->vault, "jp", &list, &f->err), PSN_OK);
    assert_int_equal(list.count, 3);
    psn_grant_list_release(&list);
    assert_int_equal(psn_grant_delete_of(f->vault, "a@a.example", &f->err), PSN_OK);
    assert_int_equal(psn_grant_list(f->vault, NULL, &list, &f->err), PSN_OK);
    assert_int_equal(list.count, 2);
    psn_grant_list_release(&list);
    end(f);
}

/* --- who may have what --- */

static void right_comes_from_a_slot_or_from_a_grant_in_force(void **state)
{
    struct fixture *f = *state;
    struct psn_grant_row with = grant_of("jp", "a", "a@a.example");
    struct psn_grant_row late = grant_of("jp", "a", "late@a.example");
    struct psn_grant_row ended = grant_of("jp", "a", "ended@a.example");
    struct psn_reach_map map = { 0 };

    (void)snprintf(with.labels, sizeof with.labels, "ftp");
    late.until_s = now_s;
    ended.ended_s = now_s;
    begin(f);
    put(f, with);
    put(f, late);
    put(f, ended);
    put(f, grant_of("jpp", "a", "b@a.example"));
    assert_int_equal(psn_reach_map_load(f->vault, &map, &f->err), PSN_OK);
    assert_true(psn_reach_holds_slot(&map, "me"));
    assert_false(psn_reach_holds_slot(&map, "jp"));
    assert_true(psn_reach_has_right(&map, "me", "a", "any@where.example", "any"));
    assert_true(psn_reach_has_right(&map, "jp", "a", "a@a.example", ""));
    assert_true(psn_reach_has_right(&map, "jp", "a", "a@a.example", "ftp"));
    assert_false(psn_reach_has_right(&map, "jp", "a", "a@a.example", "stripe"));
    assert_true(psn_reach_has_right(&map, "jp", "a", "late@a.example", ""));
    assert_false(psn_reach_has_right(&map, "jp", "a", "ended@a.example", ""));
    assert_false(psn_reach_has_right(&map, "jp", "a", "b@a.example", ""));
    assert_false(psn_reach_has_right(&map, "j", "a", "a@a.example", ""));
    assert_false(psn_reach_has_right(&map, "zz", "a", "a@a.example", ""));
    psn_reach_map_release(&map);
    now_s++;
    assert_int_equal(psn_reach_map_load(f->vault, &map, &f->err), PSN_OK);
    assert_false(psn_reach_has_right(&map, "jp", "a", "late@a.example", ""));
    psn_reach_map_release(&map);
    end(f);
}

/* --- people --- */

static size_t count_people(struct psn_vault *vault, struct psn_error *err)
{
    struct psn_person *people = NULL;
    size_t count = 0;

    assert_int_equal(psn_person_list(vault, &people, &count, err), PSN_OK);
    free(people);
    return count;
}

static void people_are_listed_as_they_are_after_each_change(void **state)
{
    struct fixture *f = *state;
    const struct psn_vault_options options = { .path = f->path };
    const struct psn_key key = { PSN_SLOT_IDENTITY, f->identity };
    struct psn_person jp = { .id = "jp" };
    struct psn_person paul = { .id = "paul" };
    struct psn_person other = { .id = "other" };
    struct psn_vault *second = NULL;

    begin(f);
    assert_int_equal(count_people(f->vault, &f->err), 1);
    assert_int_equal(psn_person_insert(f->vault, &jp, &f->err), PSN_OK);
    assert_int_equal(count_people(f->vault, &f->err), 2);
    assert_int_equal(psn_vault_end(f->vault, PSN_E_IO, &f->err), PSN_E_IO);
    begin(f);
    assert_int_equal(count_people(f->vault, &f->err), 1);
    end(f);
    assert_int_equal(psn_person_add(f->vault, &paul, &f->err), PSN_OK);
    begin(f);
    assert_int_equal(count_people(f->vault, &f->err), 2);
    end(f);
    assert_int_equal(psn_vault_open(&options, &second, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(second, &key, &f->err), PSN_OK);
    assert_int_equal(psn_person_add(second, &other, &f->err), PSN_OK);
    psn_vault_free(second);
    begin(f);
    assert_int_equal(count_people(f->vault, &f->err), 3);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_is_in_force_to_the_last_second_of_its_end),
        cmocka_unit_test(a_grant_is_behind_if_anything_of_it_is_newer_or_was_never_given),
        cmocka_unit_test(labels_are_compared_whole),
        cmocka_unit_test_setup_teardown(a_row_comes_back_as_it_was_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_row_written_twice_from_one_reading_is_a_conflict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_is_sorted_and_of_one_person_if_asked,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(right_comes_from_a_slot_or_from_a_grant_in_force,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(people_are_listed_as_they_are_after_each_change,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
