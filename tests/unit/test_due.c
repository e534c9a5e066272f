#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/exposure.h"
#include "core/grant.h"
#include "core/person.h"
#include "core/role.h"
#include "passation/due.h"
#include "passation/person.h"
#include "support/rekey_vault.h"
#include "support/tmpdir.h"

struct seen {
    unsigned count;
    uint64_t rotate; /* the version that is due for it */
    uint64_t resume;
};

static enum psn_code note(void *arg, const struct psn_due *due, struct psn_error *err)
{
    struct seen *seen = arg;

    (void)err;
    seen->count++;
    if (due->kind == PSN_DUE_ROTATE)
        seen->rotate = due->version;
    if (due->kind == PSN_DUE_RESUME)
        seen->resume = due->version;
    return PSN_OK;
}

/* Luc saw version 1; it was replaced, never proved dead; then he saw version 2. */
static enum psn_code expose_both(struct psn_vault *vault, struct psn_error *err)
{
    static const char address[] = "box0@domain-of-the-canary.example";
    struct psn_role_row row;
    enum psn_code rc = psn_role_read(vault, address, &row, err);

    row.rotation.cur = 2;
    row.rotation.old = 1;
    row.rotation.last = 2;
    row.rotation.old_dead = PSN_ROTATION_OLD_UNASKED;
    if (!rc)
        rc = psn_role_write(vault, &row, err);
    for (uint64_t version = 1; !rc && version <= 2; version++)
        rc = psn_exposure_put_of(vault, "luc", address, "", version, PSN_HOW_ISSUED, err);
    return rc;
}

static void a_dying_password_does_not_hide_the_one_in_force(void **state)
{
    struct tmpdir dir;
    struct rekey_vault at;
    struct psn_vault *vault;
    struct psn_person luc = { .id = "luc" };
    struct seen seen = { 0 };

    (void)state;
    tmpdir_make(&dir);
    rekey_vault_init(&at, dir.path);
    rekey_vault_make(&at);
    vault = rekey_vault_open(&at, REKEY_MINE);
    assert_non_null(vault);
    assert_int_equal(psn_person_add(vault, &luc, &at.err), PSN_OK);
    assert_int_equal(psn_vault_begin(vault, PSN_STORE_WRITE, &at.err), PSN_OK);
    assert_int_equal(psn_vault_end(vault, expose_both(vault, &at.err), &at.err), PSN_OK);
    assert_int_equal(psn_due_each(vault, "luc", note, &seen, &at.err), PSN_OK);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.rotate, 2);
    assert_int_equal(seen.resume, 1);
    psn_vault_free(vault);
    rekey_vault_release(&at);
    tmpdir_remove(&dir);
}

/* --- asked of the keys, and of the rows --- */

static const char box[] = "box0@domain-of-the-canary.example";
static const char licence[] = "Licence n° 1";

/* Version 3 is in force, 2 not yet proved dead, 4 on its way. */
static enum psn_code rotate_on(struct psn_vault *vault, struct psn_error *err)
{
    struct psn_role_row row;
    enum psn_code rc = psn_role_read(vault, box, &row, err);

    row.rotation.cur = 3;
    row.rotation.old = 2;
    row.rotation.pend = 4;
    row.rotation.last = 4;
    row.rotation.candidates = 1;
    row.rotation.phase = PSN_ROTATION_INTENT;
    row.rotation.old_dead = PSN_ROTATION_OLD_UNASKED;
    return rc ? rc : psn_role_write(vault, &row, err);
}

/* Four who differ in their right, each of whom has seen five versions in every way. */
static enum psn_code add_people(struct psn_vault *vault, struct psn_error *err)
{
    static const char *const ids[] = { "none", "granted", "ended", "leaving" };
    enum psn_code rc = rotate_on(vault, err);

    for (size_t i = 0; !rc && i < sizeof ids / sizeof *ids; i++) {
        struct psn_person person = { .departing_s = i == 3 ? 1 : 0 };
        struct psn_grant_row grant = { .from_s = 1, .ended_s = i >= 2 ? 2 : 0 };
        struct psn_role_row role;

        rc = psn_role_read(vault, box, &role, err);
        memcpy(grant.client, role.client, sizeof grant.client);
        (void)snprintf(grant.address, sizeof grant.address, "%s", box);
        (void)snprintf(grant.person, sizeof grant.person, "%s", ids[i]);
        (void)snprintf(person.id, sizeof person.id, "%s", ids[i]);
        if (!rc)
            rc = psn_person_insert(vault, &person, err);
        if (!rc && i)
            rc = psn_grant_write(vault, &grant, err);
        for (int how = 0; !rc && how < PSN_HOWS; how++)
            for (uint64_t version = 1; !rc && version <= 5; version++) {
                rc = psn_exposure_put_of(vault, ids[i], box, "", version,
                                         (enum psn_how)how, err);
                if (!rc)
                    rc = psn_exposure_put_of(vault, ids[i], box, licence, version,
                                             (enum psn_how)how, err);
            }
    }
    return rc;
}

static bool is_in(const struct psn_exposure_list *list, const struct psn_exposure *wanted)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct psn_exposure *at = &list->items[i];

        if (strcmp(at->person, wanted->person) == 0 && at->how == wanted->how &&
            strcmp(at->label, wanted->label) == 0 && at->version == wanted->version &&
            strcmp(at->address, wanted->address) == 0 && at->dying == wanted->dying)
            return true;
    }
    return false;
}

/* What the rows say, each opened, of a person or (NULL) of all. *ret_count: of passwords
 * and of secrets that somebody without right knows. */
static enum psn_code compare(struct psn_vault *vault, const char *person,
                             size_t ret_counts[2], struct psn_error *err)
{
    struct psn_survey survey = { 0 };
    struct psn_exposure_list all = { 0 };
    struct psn_exposure_list known = { 0 };
    size_t count = 0;
    enum psn_code rc = psn_survey_load(vault, &survey, err);

    memset(ret_counts, 0, 2 * sizeof *ret_counts);
    if (!rc)
        rc = psn_exposure_list(vault, person, NULL, &all, err);
    if (!rc)
        rc = psn_exposure_list_known(vault, &survey, person, &known, err);
    for (size_t i = 0; !rc && i < all.count; i++) {
        const struct psn_exposure *at = &all.items[i];

        if (!at->in_force || psn_reach_has_right(&survey.reach, at->person, at->client,
                                                 at->address, at->label))
            continue;
        assert_true(is_in(&known, at));
        ret_counts[at->label[0] != '\0']++;
        count++;
    }
    if (!rc)
        assert_int_equal(known.count, count);
    psn_exposure_list_release(&known);
    psn_exposure_list_release(&all);
    psn_survey_release(&survey);
    return rc;
}

static void what_the_keys_tell_is_what_the_rows_say(void **state)
{
    enum {
        WAYS = PSN_HOWS
    };
    static const struct {
        const char *person;
        size_t passwords;
        size_t secrets;
    } cases[] = {
        { "none", 3 * WAYS, WAYS },       { "granted", 0, WAYS },
        { "ended", 3 * WAYS, WAYS },      { "leaving", 3 * WAYS, WAYS },
        { NULL, 3 * 3 * WAYS, 4 * WAYS },
    };
    struct tmpdir dir;
    struct rekey_vault at;
    struct psn_vault *vault;
    size_t counts[2];

    (void)state;
    tmpdir_make(&dir);
    rekey_vault_init(&at, dir.path);
    rekey_vault_make(&at);
    vault = rekey_vault_open(&at, REKEY_MINE);
    assert_non_null(vault);
    assert_int_equal(psn_vault_begin(vault, PSN_STORE_WRITE, &at.err), PSN_OK);
    assert_int_equal(psn_vault_end(vault, add_people(vault, &at.err), &at.err), PSN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(psn_vault_begin(vault, PSN_STORE_READ, &at.err), PSN_OK);
        assert_int_equal(psn_vault_end(vault,
                                       compare(vault, cases[i].person, counts, &at.err),
                                       &at.err),
                         PSN_OK);
        assert_int_equal(counts[0], cases[i].passwords);
        assert_int_equal(counts[1], cases[i].secrets);
    }
    psn_vault_free(vault);
    rekey_vault_release(&at);
    tmpdir_remove(&dir);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dying_password_does_not_hide_the_one_in_force),
        cmocka_unit_test(what_the_keys_tell_is_what_the_rows_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
