#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/exposure.h"
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dying_password_does_not_hide_the_one_in_force),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
